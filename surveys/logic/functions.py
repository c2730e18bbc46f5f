"""ODK's XPath functions, for lxml. Names and arguments are as ``xpath`` writes them.

Source of what they do: the ODK form operators and functions reference, and where that is silent
JavaRosa (XPathFuncExpr). Values are what XPath has: text, float, bool, lists of elements. Nothing
raises for an odd value: it gives NaN or '', as ODK does for an empty answer.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import operator
import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from lxml import etree

from surveys.logic import geography
from surveys.logic.chance import random, randomized, unique
from surveys.logic.days import formatted, moment
from surveys.logic.patterns import pattern_of
from surveys.logic.values import (
    each,
    number_of,
    place_of,
    position_of,
    text_of,
    truth,
    whole,
)
from surveys.people import Text

__all__ = ["Functions", "Labels", "extensions", "functions", "number_of", "text_of", "truth"]

Functions = Mapping[str, Callable[..., Any]]
"""What expressions may call, by name without prefix."""
Labels = Mapping[tuple[str, str], Text]
"""(path of a question, name of a choice) -> the choice's label in each language."""

# comparisons


def _comparing(test: Callable[[float, float], bool]) -> Callable[[Any, Any], bool]:
    """XPath 1.0, section 3.4: of node-sets, true where it is true of any of their nodes."""

    def compared(left: Any, right: Any) -> bool:
        if type(right) is float and type(left) is list and len(left) == 1:  # most of them
            return test(number_of(left[0]), right)
        if isinstance(left, bool) or isinstance(right, bool):
            left, right = (truth(v) if isinstance(v, list) else v for v in (left, right))
        numbers = [number_of(b) for b in each((right,))]
        for a in each((left,)):
            number = number_of(a)
            for b in numbers:  # not any(): this runs at every turn, mostly on one node
                if test(number, b):
                    return True
        return False

    return compared


# choices


def selected(chosen: Any, name: Any) -> bool:
    """Whether ``name`` is among the names in ``chosen``, which have spaces between."""
    return text_of(name).strip() in (text_of(chosen).split() or [""])


def selected_at(chosen: Any, index: Any) -> str:
    """The name at ``index``, counted from 0; '' where there is none."""
    names, place = text_of(chosen).split(), whole(index)
    return names[int(place)] if 0 <= place < len(names) else ""


def _choice_name(labels: Labels) -> Callable[..., str]:
    """jr:choice-name() in a form whose choices are called ``labels``."""

    def choice_name(language: Any, current: list[Any], name: Any, question: Any) -> str:
        """The label of the choice ``name`` of the question at the path ``question``, or ''.

        In ``language``, else in the language '' of a form without languages, else the first.
        """
        path, wanted = text_of(question).strip(), text_of(name)
        if not wanted:
            return ""
        texts = labels.get((path, wanted))
        if texts is None:  # no such choice, or the path is not absolute
            texts = labels.get((_resolved(path, current), wanted), {})
        first = next(iter(texts.values()), "")
        return texts.get(text_of(language), texts.get("", first))

    return choice_name


def _resolved(path: str, current: list[Any]) -> str:
    """An absolute path without positions, of one that may begin at the current node."""
    steps = re.sub(r"\[[^]]*\]", "", path.replace(" ", "")).removeprefix("current()/").split("/")
    place = [] if steps[0] == "" else [tag for tag, _ in place_of(current[0])] if current else []
    for step in steps:
        if step == "..":
            del place[-1:]
        elif step not in ("", "."):
            place.append(step)
    return "/" + "/".join(place)


# repeats


def position(nodes: list[Any]) -> float:
    """Where the first of ``nodes`` stands among its siblings of the same name, counted from 1."""
    return float(position_of(nodes[0])) if nodes else 0.0


def indexed_repeat(current: list[Any], answers: list[Any], *groups: Any) -> list[Any]:
    """``answers`` in the n-th instance of each repeat: ``groups`` are (repeat, n) in turn.

    An n below 1 is 1. Of a repeat that is not named, it is the instance around ``current``.
    """
    if not answers:
        return []
    wanted = {
        tuple(tag for tag, _ in place_of(repeat[0])): _index(n)
        for repeat, n in zip(groups[::2], groups[1::2], strict=True)
        if repeat
    }
    path = tuple(tag for tag, _ in place_of(answers[0]))
    around = place_of(current[0]) if current else []
    found = [answers[0].getroottree().getroot()]
    for depth in range(1, len(path)):
        here = path[: depth + 1]
        shared = tuple(tag for tag, _ in around[: depth + 1]) == here
        n = wanted.get(here, around[depth][1] if shared else None)
        children = (list(node.iterchildren(path[depth])) for node in found)
        found = [c for like in children for c in (like if n is None else like[n - 1 : n])]
    return found


def _index(value: Any) -> int:
    number = whole(value)
    return max(1, int(number)) if math.isfinite(number) else 1


# numbers


def rounded(value: Any, places: Any = 0.0) -> float:
    """round(): a half goes up, -2.5 to -2; negative places are tens, hundreds and so on."""
    number, digits = number_of(value), whole(places)
    if not math.isfinite(number):
        return number
    if not abs(digits) <= 30:
        return math.nan
    half = ROUND_HALF_DOWN if number < 0 else ROUND_HALF_UP
    try:
        return float(Decimal(repr(number)).quantize(Decimal(1).scaleb(-int(digits)), half))
    except InvalidOperation:
        return number  # more digits than a decimal here holds: there is nothing to round


def total(nodes: list[Any]) -> float:
    """sum() over what are numbers: an empty answer counts for nothing."""
    return math.fsum(n for n in map(number_of, each((nodes,))) if math.isfinite(n))


def _extreme(choose: Callable[[list[float]], float]) -> Callable[..., float]:
    """min() or max() over what are numbers; NaN where none is."""

    def found(*values: Any) -> float:
        numbers = [n for n in map(number_of, each(values)) if not math.isnan(n)]
        return choose(numbers) if numbers else math.nan

    return found


def _calculated(function: Callable[..., float]) -> Callable[..., float]:
    """A function of numbers; NaN outside its domain and beyond what a float holds."""

    def result(*values: Any) -> float:
        try:
            return function(*map(number_of, values))
        except (ValueError, OverflowError, ZeroDivisionError):
            return math.nan

    return result


# text


def substr(value: Any, start: Any, end: Any = math.inf) -> str:
    """From ``start`` up to ``end``, counted from 0, or from the end where below 0."""
    text = text_of(value)
    bounds = (max(-len(text), min(whole(n), len(text))) for n in (start, end))
    a, b = (0 if math.isnan(n) else int(n) for n in bounds)
    return text[a:b]


def concat(*values: Any) -> str:
    """The texts of all values, and of all nodes of node-sets."""
    return "".join(map(text_of, each(values)))


def join(separator: Any, *values: Any) -> str:
    """The texts of all values, and of all nodes of node-sets, with ``separator`` between."""
    return text_of(separator).join(map(text_of, each(values)))


def matches(value: Any, rule: Any) -> bool:
    """regex(): whether the whole of ``value`` is as ``rule`` says (ODK: exact and complete)."""
    pattern = pattern_of(text_of(rule))
    return pattern is not None and pattern.fullmatch(text_of(value)) is not None


_ALGORITHMS = frozenset(("md5", "sha1", "sha256", "sha384", "sha512"))


def digest(value: Any, algorithm: Any, encoding: Any = "base64") -> str:
    """The hash of a text's UTF-8, as base64 or hex; '' for an algorithm that ODK does not know."""
    name = text_of(algorithm).lower().replace("-", "")
    if name not in _ALGORITHMS:
        return ""
    hashed = hashlib.new(name, text_of(value).encode(), usedforsecurity=False)
    if text_of(encoding).lower() == "hex":
        return hashed.hexdigest()
    return base64.b64encode(hashed.digest()).decode()


_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def base64_decode(value: Any) -> str:
    """The UTF-8 text behind ``value``, without characters that XML cannot hold."""
    try:
        decoded = base64.b64decode(text_of(value).encode(), validate=False)
    except binascii.Error:
        return ""
    return _NOT_XML.sub("", decoded.decode(errors="replace"))


# dates


def date(value: Any) -> str:
    """YYYY-MM-DD of a date, a date with a time, or days since 1970-01-01; else ''."""
    time = moment(whole(value))
    return "" if time is None else time.date().isoformat()


def date_time(value: Any) -> str:
    """YYYY-MM-DDTHH:MM:SS of a date, a date with a time, or days since 1970-01-01; else ''."""
    time = moment(number_of(value), step=1000)
    return "" if time is None else time.replace(tzinfo=None).isoformat(timespec="seconds")


def decimal_date_time(value: Any) -> float | str:
    """Days since 1970-01-01; '' of an empty answer, as in JavaRosa."""
    return number_of(value) if text_of(value) else ""


def decimal_time(value: Any) -> float | str:
    """The part of its day that a time is: noon is 0.5; '' of an empty answer."""
    text = text_of(value)
    number = number_of(text.partition("T")[2] or text)  # a float of days has lost some of its time
    return number - math.floor(number) if math.isfinite(number) else math.nan if text else ""


def format_date(language: Any, value: Any, pattern: Any) -> str:
    """format-date() and format-date-time(): see :func:`surveys.logic.days.formatted`."""
    return formatted(number_of(value), text_of(pattern), text_of(language))


# logic


def if_else(test: Any, yes: Any, no: Any) -> Any:
    """if(): ``yes`` where ``test`` is true."""
    return yes if truth(test) else no


def coalesce(first: Any, second: Any) -> Any:
    """``first``, or ``second`` where ``first`` is empty or no number."""
    chosen = first if text_of(first) not in ("", "NaN") else second
    return text_of(chosen) if isinstance(chosen, list) else chosen


def _is_true(value: Any) -> bool:
    return text_of(value).lower() in ("true", "1")


def _holds(value: Any) -> bool:
    """A factor of a checklist: of a node, whether it is answered."""
    return truth(text_of(value) if isinstance(value, etree._Element) else value)


def checklist(least: Any, most: Any, *factors: Any) -> bool:
    """Whether as many factors are true as asked for; a bound below 0 is none."""
    return _bounded(least, sum(map(_holds, each(factors))), most)


def weighted_checklist(least: Any, most: Any, *factors: Any) -> bool:
    """Whether the weights of the true factors add up to as much as asked for; as in checklist."""
    pairs = zip(each(factors[::2]), each(factors[1::2]), strict=False)
    return _bounded(
        least, sum(number_of(weight) for factor, weight in pairs if _holds(factor)), most
    )


def _bounded(least: Any, value: float, most: Any) -> bool:
    low, high = number_of(least), number_of(most)
    return (low < 0 or value >= low) and (high < 0 or value <= high)


# the globe


def _points(values: tuple[Any, ...]) -> list[geography.Point] | None:
    found = [geography.points_of(text_of(value)) for value in each(values)]
    return None if None in found else [point for points in found for point in points or ()]


def distance(*places: Any) -> float:
    """Metres along points, or along one line or shape; NaN where something is none."""
    points = _points(places)
    return math.nan if points is None else geography.length(points)


def area(shape: Any) -> float:
    """Square metres within points, or within one shape; NaN where something is none."""
    points = _points((shape,))
    return math.nan if points is None else geography.area(points)


def geofence(place: Any, shape: Any) -> bool:
    """Whether the first point lies within the shape."""
    points, bounds = _points((place,)), _points((shape,))
    return bool(points and bounds) and geography.within((points or [])[0], bounds or [])


def intersects(line: Any) -> bool:
    """Whether a line or shape crosses itself."""
    return geography.crosses_itself(_points((line,)) or [])


_CALLED: Functions = {
    "lt": _comparing(operator.lt), "le": _comparing(operator.le),
    "gt": _comparing(operator.gt), "ge": _comparing(operator.ge),
    "eq": _comparing(operator.eq), "ne": _comparing(operator.ne),
    "string": text_of, "number": number_of,
    "selected": selected, "selected-at": selected_at,
    "count-selected": lambda chosen: float(len(text_of(chosen).split())),
    "count-non-empty": lambda nodes: float(sum(text_of(n) != "" for n in each((nodes,)))),
    "position": position, "indexed-repeat": indexed_repeat,
    "int": whole, "round": rounded, "sum": total, "min": _extreme(min), "max": _extreme(max),
    "abs": _calculated(abs), "pow": _calculated(math.pow), "sqrt": _calculated(math.sqrt),
    "exp": _calculated(math.exp), "exp10": _calculated(lambda x: math.pow(10, x)),
    "log": _calculated(math.log), "log10": _calculated(math.log10), "pi": lambda: math.pi,
    "sin": _calculated(math.sin), "cos": _calculated(math.cos), "tan": _calculated(math.tan),
    "asin": _calculated(math.asin), "acos": _calculated(math.acos), "atan": _calculated(math.atan),
    "atan2": _calculated(math.atan2),
    "substr": substr, "concat": concat, "join": join, "regex": matches,
    "ends-with": lambda value, end: text_of(value).endswith(text_of(end)),
    "digest": digest, "base64-decode": base64_decode,
    "date": date, "date-time": date_time, "decimal-date-time": decimal_date_time,
    "decimal-time": decimal_time, "format-date": format_date, "format-date-time": format_date,
    "random": random, "uuid": unique, "randomize": randomized,
    "if": if_else, "coalesce": coalesce, "boolean-from-string": _is_true,
    "checklist": checklist, "weighted-checklist": weighted_checklist,
    "distance": distance, "area": area, "enclosed-area": area, "geofence": geofence,
    "intersects": intersects,
}  # fmt: skip


def functions(labels: Labels) -> Functions:
    """Every function by its name in ODK, in a form whose choices are called ``labels``."""
    return {**_CALLED, "choice-name": _choice_name(labels)}


def extensions(known: Functions, translated: str) -> dict[tuple[None, str], Callable[..., Any]]:
    """Those of ``known`` that ``translated`` calls, for ``etree.XPath(..., extensions=)``.

    No more than those: lxml registers all that it is given at each evaluation.
    """
    return {
        (None, f"odk-{name}"): _for_lxml(function)
        for name, function in known.items()
        if f"odk-{name}(" in translated
    }


def _for_lxml(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _context, *values: function(*values)
