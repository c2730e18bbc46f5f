"""Whether a questionnaire's logic can be computed at all: tried once, at import."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime

from surveys.forms.expressions import expressions
from surveys.forms.form import Form, Problem, Question, Repeat, walk
from surveys.forms.problems import refused
from surveys.logic.compiled import Logic
from surveys.logic.scene import Scene, Surroundings
from surveys.logic.xpath import XPathError, paths

_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)  # whether an expression computes hangs on no date


def check_logic(form: Form, name: str) -> None:
    """Run every expression once on an empty instance, so that a bad one fails at import.

    Raises FormError naming the file ``name``, and each question, column and expression.
    """
    problems = [*bad_expressions(form), *circles(form)]
    if problems:
        raise refused(name, problems)


def circles(form: Form) -> Iterator[Problem]:
    """Questions that hang on themselves: whether they are asked, or what they are computed from.

    In a repeat an earlier occurrence may be meant, which is no circle.
    """
    repeats = tuple(node.path for node in walk(form.body) if isinstance(node, Repeat))
    hangs: dict[str, set[str]] = {}
    where: dict[str, str] = {}
    for node in walk(form.body):
        inside = any(node.path == at or node.path.startswith(f"{at}/") for at in repeats)
        if not isinstance(node, Question) or inside:
            continue
        above = [n for n in walk(form.body) if node.path.startswith(f"{n.path}/")]
        used = [e for n in above for c, e in expressions(n) if c == "relevant"]
        used += [e for c, e in expressions(node) if c in ("relevant", "calculation")]
        with suppress(XPathError):  # told of by bad_expressions
            names = {path.rsplit("/", 1)[-1] for e in used for path in paths(e)}
            hangs[node.name] = {node.name if name == "." else name for name in names}
            where[node.name] = node.path
    for name in hangs:
        if name in _reached(name, hangs):
            yield Problem("circular", where[name], "relevant")


def _reached(start: str, hangs: Mapping[str, set[str]]) -> set[str]:
    """Every name that ``start`` hangs on, however far."""
    seen: set[str] = set()
    ahead = set(hangs[start])
    while ahead:
        seen |= ahead
        ahead = {name for each in ahead for name in hangs.get(each, ())} - seen
    return seen


def bad_expressions(form: Form) -> Iterator[Problem]:
    """Every expression of ``form`` that cannot be computed."""
    logic = Logic(form)
    empty = Scene(logic, {}, Surroundings(_SOME_DAY, _SOME_DAY))
    for node in walk(form.body):
        path = _first(node.path, logic.repeats)
        if isinstance(node, Repeat):
            empty.grow(path)
        for column, expression in expressions(node):
            try:
                empty.text(expression, path)
            except Exception as error:  # our functions and lxml's raise what they like
                arguments = {"expression": expression.strip(), "reason": str(error)}
                yield Problem("bad_expression", node.path, column, arguments)


def _first(path: str, repeats: Container[str]) -> str:
    """``path`` with every repeat on it at its first occurrence."""
    concrete = bare = ""
    for step in path.split("/")[1:]:
        bare, concrete = f"{bare}/{step}", f"{concrete}/{step}"
        if bare in repeats:
            concrete += "[1]"
    return concrete
