"""What is said to an author about a :class:`Problem`: what it means, and how to mend it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from surveys.forms.form import FormError, Problem
from surveys.words import Words

_MEANT = {"“": "'", "”": "'", "‘": "'", "’": "'", "≥": ">=", "≤": "<=", "≠": "!=", "。": ".",
          "×": "*", "÷": "div", "、": ",", "−": "-", "–": "-"}  # fmt: skip
_REASONS: tuple[tuple[str, str], ...] = (
    # our key, and what grammar.py, signatures.py and xpath.py say
    ("missing_end", r"A value is missing at the end"),
    ("missing_before", r"A value is missing before (?P<what>.+)"),
    ("unknown_sign", r"(?P<what>.) means nothing here"),
    ("fullwidth", r"Write (?P<instead>.+) instead of (?P<what>.+)"),
    ("missing_operator", r"An operator is missing before (?P<what>.+)"),
    ("unclosed", r"The .+ here has no closing (?P<what>.+)"),
    ("no_question", r"(?P<what>\$\{.*): there is no question of this name"),
    ("dollar", r"\$ has no place here.*"),
    ("unknown_function", r"There is no function (?P<what>[\w:-]+)\(\)(?P<near>.*)"),
    ("number_of_arguments", r"(?P<what>[\w-]+)\(\) takes .+"),
)


def meaning(problem: Problem, language: str) -> str:
    """What is wrong."""
    arguments = _arguments(problem)
    if problem.code == "bad_expression":
        arguments["reason"] = _reason(str(arguments["reason"]), language)
    return _words().say(f"problem.{problem.code}.what", language, **arguments)


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


def _reason(text: str, language: str) -> str:
    """Why an expression cannot be computed; in the engine's own words where we have no others.

    The place is left out: it counts characters of the XForm's expression, not of the author's.
    """
    text = re.sub(r" \(character \d+\)$", "", text)
    for key, words in _REASONS:
        if match := re.fullmatch(words, text, re.DOTALL):
            given = match.groupdict()
            if key == "unknown_sign" and (ascii_sign := _halfwidth(given["what"])):
                return _words().say("reason.fullwidth", language, **given, instead=ascii_sign)
            return _words().say(f"reason.{key}", language, **given)
    return text


def _halfwidth(sign: str) -> str:
    """The ASCII that is meant by a sign of a Chinese keyboard; '' where there is none."""
    if sign in _MEANT:
        return _MEANT[sign]
    half = unicodedata.normalize("NFKC", sign)
    return half if half.isascii() and half != sign else ""


def _words() -> Words:
    return Words.of("surveys", "problems")
