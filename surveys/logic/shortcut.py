"""Expressions so simple that they are computed without lxml.

Most of a form's logic compares one answer with a value. Asking lxml for that costs ten times what
the comparison does. What is computed here is what ``xpath.translate`` would have lxml
compute, by the same functions on the same values; whatever is not plainly the same is left to it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Container, Mapping
from typing import Any

from lxml import etree

from surveys.logic.expression import (
    Binary,
    Call,
    Expression,
    Minus,
    Number,
    Path,
    Step,
    Text,
    path_text,
)
from surveys.logic.functions import Functions, number_of, text_of, truth
from surveys.logic.signatures import ALIASES, checked, sort_of
from surveys.logic.values import each
from surveys.logic.xpath import COMPARED, compares_dates

At = tuple[Mapping[str, etree._Element], etree._Element, str]
"""Where something is computed: the instance's nodes by path, the context node, the language."""
Direct = Callable[[At], Any]
"""Gives what XPath would give."""

_Below = Callable[[Expression], Direct | None]
_HERE = (Step("", "."),)
_SUMS = {"+": operator.add, "-": operator.sub, "*": operator.mul}
_CORE: Mapping[tuple[str, int], Callable[..., Any]] = {
    ("true", 0): lambda: True,
    ("false", 0): lambda: False,
    ("not", 1): lambda value: not truth(value),
    ("boolean", 1): truth,
    ("string", 1): text_of,
    ("string-length", 1): lambda value: float(len(text_of(value))),
    ("contains", 2): lambda value, part: text_of(part) in text_of(value),
    ("starts-with", 2): lambda value, start: text_of(value).startswith(text_of(start)),
}
"""XPath's own functions by name and number of arguments."""


def shortcut(e: Expression, known: Container[str], functions: Functions) -> Direct | None:
    """How to compute ``e``, or None where lxml must.

    ``known`` are the paths at which there always is exactly one node.
    """

    def below(part: Expression) -> Direct | None:
        return shortcut(part, known, functions)

    match e:
        case Number(text):
            return _always(float(text))
        case Text(value):
            return _always(value)
        case Path("", steps) if steps == _HERE:
            return lambda at: [at[1]]
        case Path("/") if (path := path_text(e, "")) in known and not _filters(e):
            return lambda at: [at[0][path]]
        case Minus(operand) if (amount := _amount(operand, below)) is not None:
            return lambda at: -amount(at)
        case Binary():
            return _binary(e, below, functions)
        case Call():
            return _call(e, below, functions)
    return None


def _always(value: float | str) -> Direct:
    return lambda _: value


def _filters(path: Path) -> bool:
    return any(step.predicates for step in path.steps)


def _amount(e: Expression, below: _Below) -> Direct | None:
    """``e`` as an operand of arithmetic; XPath's own number('1e3') is not ours."""
    value = None if isinstance(e, Text) else below(e)
    return None if value is None else lambda at: number_of(value(at))


def _binary(e: Binary, below: _Below, functions: Functions) -> Direct | None:
    if e.operator in _SUMS:
        first, second, sum_ = _amount(e.left, below), _amount(e.right, below), _SUMS[e.operator]
        if first is None or second is None:
            return None
        return lambda at: sum_(first(at), second(at))
    left, right = below(e.left), below(e.right)
    if left is None or right is None:
        return None
    match e.operator:
        case "and":
            return lambda at: truth(left(at)) and truth(right(at))
        case "or":
            return lambda at: truth(left(at)) or truth(right(at))
    test = _comparison(e, functions)
    return None if test is None else lambda at: test(left(at), right(at))


def _same(left: Any, right: Any) -> bool:
    return any(text_of(a) == text_of(b) for a in each((left,)) for b in each((right,)))


def _other(left: Any, right: Any) -> bool:
    return any(text_of(a) != text_of(b) for a in each((left,)) for b in each((right,)))


_OF_NUMBERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
               "=": operator.eq, "!=": operator.ne}  # fmt: skip
_OF_TEXTS = {"=": _same, "!=": _other}


def _comparison(e: Binary, functions: Functions) -> Callable[[Any, Any], bool] | None:
    """XPath 1.0, section 3.4, but for texts and truths that are compared as numbers."""
    sorts = {sort_of(e.left), sort_of(e.right)}
    if e.operator not in COMPARED:
        return None
    if sorts == {"n"}:
        return _OF_NUMBERS[e.operator]
    if compares_dates(e.operator, e.left, e.right):
        return functions[COMPARED[e.operator]] if sorts & {"s", "a"} else None
    return _OF_TEXTS.get(e.operator) if sorts <= {"s", "t"} else None


_GIVEN: Mapping[str, Callable[[At], tuple[Any, ...]]] = {
    "": lambda _: (),
    "$language": lambda at: (at[2],),
    "$language, $current": lambda at: (at[2], [at[1]]),
}
"""What a function gets before its arguments, by its signature; no chance is in here."""


_SOMETIMES_TEXTS = frozenset(("decimal-date-time", "decimal-time"))  # '' where nothing is answered


def _call(e: Call, below: _Below, functions: Functions) -> Direct | None:
    name = ALIASES.get(e.name, e.name)
    found = [below(argument) for argument in e.arguments]
    arguments = [argument for argument in found if argument is not None]
    if len(arguments) < len(found):
        return None
    signature, _ = checked(name, e)
    core = _CORE.get((name, len(found)))
    if core is not None:
        return lambda at: core(*[argument(at) for argument in arguments])
    given = _GIVEN.get(signature.environment)
    of_here = not found and signature.optional  # number() and position() are of the context node
    if signature.core or given is None or of_here or name in _SOMETIMES_TEXTS:
        return None
    function = functions[name.removeprefix("jr:")]
    if not signature.environment:
        return lambda at: function(*[argument(at) for argument in arguments])
    return lambda at: function(*given(at), *[argument(at) for argument in arguments])
