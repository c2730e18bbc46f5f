"""What is said to an author about a :class:`Problem`: what it means, and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence

from surveys.form import FormError, Problem
from surveys.words import Words


def meaning(problem: Problem, language: str) -> str:
    """What is wrong."""
    return _words().say(f"problem.{problem.code}.what", language, **_arguments(problem))


def mending(problem: Problem, language: str) -> str:
    """What to do about it."""
    return _words().say(f"problem.{problem.code}.mend", language, **_arguments(problem))


def refused(name: str, problems: Sequence[Problem], language: str = "en") -> FormError:
    """The error that a questionnaire, file ``name``, is refused with: every stop, a line each."""
    stops = tuple(problem for problem in problems if problem.stop)
    lines = (
        f"{name}: {where}{meaning(stop, language)} {mending(stop, language)}"
        for stop in stops
        for where in [_where(stop)]
    )
    return FormError("\n".join(lines), tuple(problems))


def _where(problem: Problem) -> str:
    place = ", ".join(part for part in (problem.path, problem.column) if part)
    return f"{place}: " if place else ""


def _arguments(problem: Problem) -> dict[str, object]:
    return {"path": problem.path, "column": problem.column, **problem.arguments}


def _words() -> Words:
    return Words.of("surveys", "problems")
