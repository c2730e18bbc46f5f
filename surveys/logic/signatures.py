"""What each function of ODK takes and gives, and what an expression gives before it is computed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from surveys.logic.days import days_of, unknown_format
from surveys.logic.expression import (
    LEVEL,
    Binary,
    Call,
    Expression,
    Filter,
    Minus,
    Number,
    Path,
    Text,
    XPathError,
)
from surveys.logic.patterns import pattern_of


class UnknownFunctionError(XPathError):
    """A function that ODK does not have. ``nearest`` is one that it has, or ''."""

    def __init__(self, name: str, nearest: str, at: int) -> None:
        instead = f". Is {nearest}() meant?" if nearest else ""
        super().__init__(f"There is no function {name}(){instead}", at)
        self.name, self.nearest = name, nearest


class NoPlaceError(XPathError):
    """A function that ODK has and a conversation cannot have: ``name``."""

    def __init__(self, name: str, reason: str, at: int) -> None:
        super().__init__(f"{name}() has no place in a conversation: {reason}", at)
        self.name = name


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes and gives, each a letter: n number, t text, b truth, s nodes, a any.

    ``core`` functions are XPath's own; the others are our extensions, which get ``environment``
    before their arguments.
    """

    required: str
    optional: str
    repeated: str
    result: str
    core: bool
    environment: str = ""

    def letters(self, given: int) -> str | None:
        """One letter for each of ``given`` arguments; None where so many are not taken."""
        extra = given - len(self.required)
        if extra < 0:
            return None
        rest = extra - len(self.optional)
        if rest <= 0:
            return self.required + self.optional[:extra]
        if not self.repeated or rest % len(self.repeated):
            return None
        return self.required + self.optional + self.repeated * (rest // len(self.repeated))

    def described(self) -> str:
        """How many arguments it takes, in words."""
        least, most = len(self.required), len(self.required) + len(self.optional)
        if self.repeated:
            by = "" if len(self.repeated) == 1 else f", by {len(self.repeated)}"
            return f"{least} or more{by}"
        return str(least) if least == most else f"{least} or {most}"


def _signatures(written: str, core: bool) -> Iterator[tuple[str, Signature]]:
    """Of lines such as ``round n ?n > n``: required, ?optional, *repeated > result, $more."""
    for line in filter(None, map(str.strip, written.splitlines())):
        left, _, right = line.partition(">")
        name, *parts = left.split()
        result, *environment = right.split(maxsplit=1)
        required = "".join(part for part in parts if part[0] not in "?*")
        optional = "".join(part[1:] for part in parts if part[0] == "?")
        repeated = "".join(part[1:] for part in parts if part[0] == "*")
        yield name, Signature(required, optional, repeated, result, core, *environment)


_CORE = """
    boolean a > b
    ceiling n > n
    contains tt > b
    count s > n
    current > s
    false > b
    floor n > n
    instance t > s
    last > n
    local-name ?s > t
    name ?s > t
    namespace-uri ?s > t
    normalize-space ?t > t
    not a > b
    now > t
    once a > a
    starts-with tt > b
    string-length ?t > n
    substring tn ?n > t
    substring-after tt > t
    substring-before tt > t
    today > t
    translate ttt > t
    true > b
    version > t
"""
_ODK = """
    abs n > n
    acos n > n
    area a > n
    asin n > n
    atan n > n
    atan2 nn > n
    base64-decode t > t
    boolean-from-string t > b
    checklist nn *a > b
    coalesce aa > a
    concat *a > t
    cos n > n
    count-non-empty s > n
    count-selected t > n
    date a > t
    date-time a > t
    decimal-date-time a > n
    decimal-time a > n
    digest tt ?t > t
    distance a *a > n
    enclosed-area a > n
    ends-with tt > b
    exp n > n
    exp10 n > n
    format-date at > t $language
    format-date-time at > t $language
    geofence tt > b
    if baa > a
    indexed-repeat ssn *sn > s $current
    int n > n
    intersects t > b
    join t *a > t
    jr:choice-name tt > t $language, $current
    log n > n
    log10 n > n
    max a *a > n
    min a *a > n
    number ?a > n
    pi > n
    position ?s > n
    pow nn > n
    random > n $seed, .
    randomize s ?a > s $seed, .
    regex tt > b
    round n ?n > n
    selected tt > b
    selected-at tn > t
    sin n > n
    sqrt n > n
    string ?a > t
    substr tn ?n > t
    sum s > n
    tan n > n
    uuid ?n > t $seed, .
    weighted-checklist nnan *an > b
"""
_SIGNATURES = {**dict(_signatures(_CORE, True)), **dict(_signatures(_ODK, False))}
ALIASES = {"choice-name": "jr:choice-name", "is-selected": "selected"}
BY_CHANCE = frozenset(("random", "randomize", "uuid"))
_NO_PLACE = {
    "pulldata": "there are no attached tables to look in. Put the choices on the choices sheet",
    "pull-data": "there are no attached tables to look in. Put the choices on the choices sheet",
    "search": "there are no attached tables to look in. Put the choices on the choices sheet",
    "extract-signed": "there is no scanned code to check",
    "property": "it tells of a device, which would make the person known",
    "phone-call": "it calls a number on a device",
    "device-id": "it tells of a device, which would make the person known",
}
WORDS = {"n": "a number", "t": "a text", "b": "true or false", "s": "questions", "a": "a value"}


def sort_of(e: Expression) -> str:
    """The letter of what ``e`` gives, as in Signature; 'a' where only the answers tell."""
    match e:
        case Number() | Minus():
            return "n"
        case Text():
            return "t"
        case Path() | Filter():
            return "s"
        case Binary(operator):
            return "s" if operator == "|" else "n" if LEVEL[operator] >= LEVEL["+"] else "b"
        case Call("if", (_, yes, no)):
            return sort_of(yes) if sort_of(yes) == sort_of(no) else "a"
        case Call("once", (value,)):
            return sort_of(value)
        case Call(name):
            signature = _SIGNATURES.get(ALIASES.get(name, name))
            return signature.result if signature else "a"


def may_be_date(e: Expression) -> bool:
    """Whether ``e`` may give a date or a time."""
    match e:
        case Text(value):
            return days_of(value.strip()) is not None
        case Call("if", (_, yes, no)):
            return may_be_date(yes) or may_be_date(no)
        case _:
            return sort_of(e) in "tsa"


def checked(name: str, call: Call) -> tuple[Signature, str]:
    """The signature of a call and a letter for each argument. Raises XPathError."""
    if name in _NO_PLACE:
        raise NoPlaceError(name, _NO_PLACE[name], call.at)
    signature = _SIGNATURES.get(name)
    if signature is None:
        near = get_close_matches(name, _SIGNATURES, 1) or get_close_matches(
            f"jr:{name}", _SIGNATURES, 1
        )
        raise UnknownFunctionError(name, near[0] if near else "", call.at)
    letters = signature.letters(len(call.arguments))
    if letters is None:
        wanted = signature.described()
        noun = "argument" if wanted == "1" else "arguments"
        raise XPathError(f"{name}() takes {wanted} {noun}, not {len(call.arguments)}", call.at)
    for letter, argument in zip(letters, call.arguments, strict=True):
        found = sort_of(argument)
        if letter == "s" and found != "s" and (signature.core or found != "a"):
            raise XPathError(f"{name}() wants questions or a repeat, not {WORDS[found]}", call.at)
    _check_literal(name, call)
    return signature, letters


def _check_literal(name: str, call: Call) -> None:
    """What an author wrote out can be checked before anyone is asked."""
    if len(call.arguments) < 2 or not isinstance(call.arguments[1], Text):
        return
    written = call.arguments[1].value
    if name == "regex" and pattern_of(written) is None:
        raise XPathError(f"regex(): the pattern {written} cannot be read", call.at)
    if name in ("format-date", "format-date-time") and (place := unknown_format(written)):
        raise XPathError(f"{name}(): {place} stands for nothing", call.at)
