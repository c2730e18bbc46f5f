"""Whether a questionnaire's logic can be computed at all: tried once, at import."""

from __future__ import annotations

from collections.abc import Container, Iterator
from datetime import UTC, datetime

from surveys.expressions import expressions
from surveys.form import Form, Problem, Repeat, walk
from surveys.logic import Logic
from surveys.problems import refused
from surveys.scene import Scene, Surroundings

_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)  # whether an expression computes hangs on no date


def check_logic(form: Form, name: str) -> None:
    """Run every expression once on an empty instance, so that a bad one fails at import.

    Raises FormError naming the file ``name``, and each question, column and expression.
    """
    problems = list(bad_expressions(form))
    if problems:
        raise refused(name, problems)


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
