"""One turn of the pure engine as a server takes it, and a whole interview of such turns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from surveys.forms.form import Form, Kind
from surveys.interview import Interview, Step, advance, dump, restore
from surveys.moves import Answered, Chose, Move, Showed
from surveys.phrasing import question_rows, question_text
from surveys.reply import Button
from surveys.saying import Ask

NOW = datetime(2026, 12, 12, 4, tzinfo=UTC)
WORDS = {Kind.INTEGER: "3", Kind.TEXT: "It took a whole morning."}
"""What is typed, by the kind of the question; the others are pressed."""

Worded = tuple[str, tuple[tuple[Button, ...], ...]]
"""A question's text and its button rows."""


def beginning() -> bytes:
    """The state of an interview in which nothing has been said."""
    return dump(Interview(0, "en", began=NOW.isoformat(), seed=7))


def turn(form: Form, state: bytes, number: int, move: Move) -> tuple[bytes, Step, Worded | None]:
    """Load the state, make the move, word what is asked next, save: turn ``number``."""
    step = advance(form, restore(state, number), move, NOW)
    worded = None
    if isinstance(step.say, Ask):
        text = question_text(step.say, step.interview)
        worded = text, question_rows(step.say, step.interview, "interview")
    return dump(step.interview), step, worded


def answer(ask: Ask, number: int, pressed: int) -> Move:
    """Choice number ``pressed`` where there are choices, else words."""
    kind = ask.question.kind
    return Answered(WORDS[kind]) if kind in WORDS else Chose(pressed, number)


def interview(form: Form, pressed: int) -> Iterator[Step]:
    """Every turn of one interview, from the first question shown to the farewell."""
    state, step, _ = turn(form, beginning(), 0, Showed())
    yield step
    while isinstance(step.say, Ask):
        number = step.interview.turn
        state, step, _ = turn(form, state, number, answer(step.say, number, pressed))
        assert step.accepted, step.say
        yield step
