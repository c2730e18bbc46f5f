"""Expressions that can be computed, and that hardly anybody means: ``a < 3``, ``2026-01-01``."""

from __future__ import annotations

from collections.abc import Iterator

from surveys.forms.expressions import expressions
from surveys.forms.form import Form, Kind, Problem, Question, walk
from surveys.lint.spelling import parts
from surveys.logic.expression import (
    Binary,
    Call,
    Expression,
    Filter,
    Minus,
    Number,
    Path,
    XPathError,
)
from surveys.logic.grammar import parse

_CONDITIONS = frozenset({"relevant", "constraint", "calculation", "required", "repeat_count"})


def slips(form: Form) -> Iterator[Problem]:
    """Names without ``${}``, and dates without quotes, which are subtractions."""
    nodes = {node.path for node in walk(form.body)}
    for node in walk(form.body):
        if isinstance(node, Question) and node.kind is Kind.MORE:
            continue
        for column, expression in expressions(node):
            try:
                tree = parse(expression)
            except XPathError:
                continue
            for part in parts(tree):
                if date := _date(part):
                    yield Problem("bare_date", node.path, column, {"date": date}, stop=False)
            if column == "required" and [expression.strip()] == list(bare_names(tree)):
                yield Problem("not_yes", node.path, column, {"cell": expression.strip()})
            elif column in _CONDITIONS:
                for name in bare_names(tree):
                    if f"{node.path}/{name}" not in nodes:
                        yield Problem("bare_name", node.path, column, {"name": name})


def bare_names(tree: Expression) -> Iterator[str]:
    """The names that stand alone in ``tree``: each means a node below, where there is none.

    In a predicate a name alone is a column of the list, and meant.
    """
    below: tuple[Expression, ...] = ()
    match tree:
        case Path("", (step,)) if (
            not step.axis and step.test[:1].isalpha() and "(" not in step.test
        ):
            yield step.test
        case Path(start, _) if not isinstance(start, str):
            below = (start,)
        case Binary(_, left, right):
            below = (left, right)
        case Minus(operand):
            below = (operand,)
        case Call(_, arguments, _):
            below = arguments
        case Filter(primary, _):
            below = (primary,)
    for each in below:
        yield from bare_names(each)


def _date(part: Expression) -> str:
    """``2026-01-01`` where ``part`` subtracts these from one another; else ''."""
    match part:
        case Binary("-", Binary("-", Number(year), Number(month)), Number(day)):
            dated = f"{year}-{month}-{day}"
            return dated if len(year) == 4 and len(month) <= 2 and len(day) <= 2 else ""
    return ""
