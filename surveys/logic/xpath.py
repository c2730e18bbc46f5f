"""An XLSForm's expression, written so that lxml computes it as ODK would.

lxml lets nobody change an operator, and tells extension functions nothing of the interview. So an
expression is parsed and written out anew: operators that may meet a date and functions that ODK
knows become extensions (:mod:`.functions`), called odk- and their name, and what they need
of the interview is passed as XPath variables:

``$now``
    local time, ISO with offset
``$seed``, ``$language``
    text
``$current``
    a node-set of one: the context node of the whole expression
``$secondary``
    an element that holds ``<instance id="x"><root><item>...`` for every secondary instance
"""

from __future__ import annotations

from enum import Enum
from itertools import count, repeat

from surveys.logic.days import days_of
from surveys.logic.expression import (
    LEVEL,
    Binary,
    Call,
    Expression,
    Filter,
    Minus,
    Number,
    Path,
    Step,
    Text,
    XPathError,
    level_of,
    path_text,
    quoted,
    walk,
)
from surveys.logic.grammar import parse
from surveys.logic.signatures import (
    ALIASES,
    BY_CHANCE,
    WORDS,
    NoPlaceError,
    UnknownFunctionError,
    checked,
    may_be_date,
    sort_of,
)
from surveys.logic.values import text_of

__all__ = [
    "COMPARED",
    "NoPlaceError",
    "UnknownFunctionError",
    "XPathError",
    "calls",
    "compares_dates",
    "paths",
    "translate",
]

COMPARED = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "=": "eq", "!=": "ne"}
"""XPath's operator -> the name of the function that knows dates."""


class _Where(Enum):
    """Where a part stands: predicates have another context node, and may be in another document."""

    TOP = 0
    PREDICATE = 1
    ELSEWHERE = 2  # in a predicate on nodes of a secondary instance


_ROOT = "$current/ancestor::node()[last()]"  # where / would be the root of a secondary instance


def translate(expression: str) -> str:
    """``expression`` for ``etree.XPath``, with extensions and the variables above.

    Raises XPathError where it is malformed, calls a function that is not there
    (UnknownFunctionError) or that has no place in a conversation (NoPlaceError), or with arguments
    that it does not take.
    """
    return _Writer().write(parse(expression), _Where.TOP)


class _Writer:
    """Writes one expression. Counts its calls of chance, so that no two give the same."""

    def __init__(self) -> None:
        self._chances = count(1)

    def write(self, e: Expression, where: _Where) -> str:
        match e:
            case Number(text):
                return text
            case Text(value):
                return quoted(value)
            case Minus(operand):
                return f"-{self._number(operand, where, LEVEL['minus'])}"
            case Binary():
                return self._binary(e, where)
            case Call():
                return self._call(e, where)
            case Filter(primary, predicates):
                start = self._nodes(primary, where)
                return start + self._predicates(predicates, self._inside(primary, where))
            case Path():
                return self._path(e, where)

    def _operand(self, e: Expression, where: _Where, least: int) -> str:
        """``e`` in brackets where it binds less than ``least``."""
        written = self.write(e, where)
        return f"({written})" if level_of(e) < least else written

    def _number(self, e: Expression, where: _Where, least: int) -> str:
        """``e`` as an operand of arithmetic: a date is its days."""
        if not may_be_date(e):
            return self._operand(e, where, least)
        if isinstance(e, Text):
            return text_of(days_of(e.value.strip()))
        return f"odk-number({self.write(e, where)})"

    def _text(self, e: Expression, where: _Where) -> str:
        """``e`` as a text: XPath 1.0 in lxml writes 3000000000 as 3e+09, ODK does not."""
        written = self.write(e, where)
        return f"odk-string({written})" if sort_of(e) in "na" else written

    def _binary(self, e: Binary, where: _Where) -> str:
        operator, left, right = e.operator, e.left, e.right
        level, operand = LEVEL[operator], self._operand
        if operator == "|":
            _refuse_values(left)
            _refuse_values(right)
        elif level >= LEVEL["+"]:
            operand = self._number
        elif operator in COMPARED and compares_dates(operator, left, right):
            if {sort_of(left), sort_of(right)} & {"s", "a"}:
                values = f"{self.write(left, where)}, {self.write(right, where)}"
                return f"odk-{COMPARED[operator]}({values})"
            operand = self._number
        return f"{operand(left, where, level)} {operator} {operand(right, where, level + 1)}"

    def _nodes(self, e: Expression, where: _Where) -> str:
        """``e`` where only nodes can stand and steps or predicates follow."""
        _refuse_values(e)
        return self.write(e, where) if isinstance(e, Call) else f"({self.write(e, where)})"

    def _path(self, path: Path, where: _Where) -> str:
        steps = "/".join(self._step(step, self._inside(path, where)) for step in path.steps)
        if path.start == "/":
            root = _ROOT if where is _Where.ELSEWHERE else ""
            return f"{root}/{steps}" if steps else root or "/"
        if isinstance(path.start, str):
            return steps
        return f"{self._nodes(path.start, where)}/{steps}"

    def _step(self, step: Step, inside: _Where) -> str:
        return f"{step.axis}{step.test}{self._predicates(step.predicates, inside)}"

    def _predicates(self, predicates: tuple[Expression, ...], inside: _Where) -> str:
        return "".join(f"[{self.write(predicate, inside)}]" for predicate in predicates)

    def _inside(self, e: Expression, where: _Where) -> _Where:
        """Where the predicates on ``e`` stand. ELSEWHERE is never wrong, only slower."""
        parts = () if isinstance(e, Path) and isinstance(e.start, str) else walk(e, "")
        lists = any(isinstance(part, Call) and part.name == "instance" for part, _ in parts)
        return _Where.ELSEWHERE if lists or where is _Where.ELSEWHERE else _Where.PREDICATE

    def _call(self, call: Call, where: _Where) -> str:
        name = ALIASES.get(call.name, call.name)
        signature, letters = checked(name, call)
        arguments = call.arguments
        match name, arguments:
            case "current", _:
                return "$current"
            case "today", _:
                return "substring($now, 1, 10)"
            case "now", _:
                return "substring($now, 1, 19)"
            case "version", _:
                root = _ROOT if where is _Where.ELSEWHERE else ""
                return f"string({root}/*/@version)"
            case "once", (value,):
                return self._operand(value, where, LEVEL["call"])
            case "instance", (value,):
                if not isinstance(value, Text):
                    raise XPathError("instance() wants the name of a list in quotes", call.at)
                return f"$secondary/instance[@id={quoted(value.value)}]"
            case "position", () if where is not _Where.TOP:
                return "position()"
            case (("position" | "number" | "string"), ()):
                arguments = (Path("", (Step("", "."),)),)
            case "string", (value,) if sort_of(value) not in "na":
                return f"string({self.write(value, where)})"
        if signature.core:
            return f"{name}({', '.join(map(self._argument, arguments, letters, repeat(where)))})"
        given = [self.write(argument, where) for argument in arguments]
        if name in BY_CHANCE:
            given.insert(0, str(next(self._chances)))
        if signature.environment:
            given.insert(0, signature.environment)
        return f"odk-{name.removeprefix('jr:')}({', '.join(given)})"

    def _argument(self, e: Expression, letter: str, where: _Where) -> str:
        if letter == "n":
            return self._number(e, where, 0)
        return self._text(e, where) if letter == "t" else self.write(e, where)


def _refuse_values(e: Expression) -> None:
    if sort_of(e) != "s":
        at = e.at if isinstance(e, Call) else 1
        raise XPathError(f"Questions are wanted here, not {WORDS[sort_of(e)]}", at)


def compares_dates(operator: str, left: Expression, right: Expression) -> bool:
    """Whether XPath's own operator might go wrong.

    ``=`` only does where a number that was computed meets a date: texts are equal when equal, and
    nobody compares a date with a number written out.
    """
    if operator not in ("=", "!="):
        return may_be_date(left) or may_be_date(right)
    return any(
        sort_of(a) == "n" and not isinstance(a, Number) and may_be_date(b)
        for a, b in ((left, right), (right, left))
    )


def calls(expression: str) -> tuple[str, ...]:
    """The names of the functions that ``expression`` calls, each once, in order."""
    return tuple(
        dict.fromkeys(e.name for e, _ in walk(parse(expression), "") if isinstance(e, Call))
    )


def paths(expression: str) -> tuple[str, ...]:
    """The location paths in ``expression`` without predicates, each once, in order.

    ``/data/a`` | ``../a`` | ``.`` | ``current()/../a`` | ``instance('x')`` and what follows it. A
    relative path in a predicate is told from where that stands: ``/data/person[name = 'x']`` uses
    ``/data/person`` and ``/data/person/name``.
    """
    found = (path_text(e, base) for e, base in walk(parse(expression), "") if isinstance(e, Path))
    return tuple(dict.fromkeys(path for path in found if path))
