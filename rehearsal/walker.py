"""Somebody who answers any questionnaire at all, at the pure engine: by chance, but to the end.

Drives questionnaires nobody has seen before, to find where an interview would be stuck.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from surveys.forms.form import HANDED, Form, Kind
from surveys.interview import Interview, Step, advance
from surveys.moves import Answered, Chose, Done, Gave, Move, Sent, Showed, Skipped
from surveys.saying import Ask, Farewell, Review

TRIES = 60  # answers tried at one question
TURNS = 3000  # of one interview; more is a questionnaire without an end
_WORDS = (
    "好",
    "不太好，等了很久 😟",
    "Anna",
    "x",
    "13800138000",
    "anna@example.org",
    "110101199003078515",
)
_LITERAL = re.compile(r"'([^']*)'|\"([^\"]*)\"|(-?\d+(?:\.\d+)?)")


class StuckError(AssertionError):
    """No answer was accepted at a question that must be answered."""


@dataclass(frozen=True, slots=True)
class Walk:
    """An interview that came to its end, and how many moves were refused on the way."""

    interview: Interview
    turns: int
    refused: int


def walk_through(
    form: Form,
    interview: Interview,
    chance: Random,
    now: datetime,
    *,
    seen: Callable[[Step], None] = lambda step: None,
) -> Walk:
    """Answer ``form`` by chance until the farewell.

    ``seen`` is shown every step that was accepted. Raises StuckError where nothing helps.
    """
    say = advance(form, interview, Showed(), now).say
    refused = 0
    for turn in range(TURNS):
        if isinstance(say, Farewell):
            return Walk(interview, turn, refused)
        for move in moves(form, say, interview, chance, now):
            step = advance(form, interview, move, now)
            if step.accepted:
                break
            refused += 1
        else:
            where = say.path if isinstance(say, Ask) else "the review"
            raise StuckError(f"{where}: none of {TRIES} answers is accepted")
        interview, say = step.interview, step.say
        seen(step)
    raise StuckError(f"no end after {TURNS} turns")


def moves(
    form: Form, say: Ask | Review, interview: Interview, chance: Random, now: datetime
) -> Iterator[Move]:
    """What to try, in turn: a likely answer, others, and skipping."""
    if isinstance(say, Review):
        yield Sent(interview.turn)
        return
    if say.can_skip and chance.random() < 0.15:
        yield Skipped(interview.turn)
    for _ in range(TRIES):
        yield answer(say, interview, chance, now)
    if say.can_skip:
        yield Skipped(interview.turn)


def answer(ask: Ask, interview: Interview, chance: Random, now: datetime) -> Move:
    """One answer to ``ask``, of its kind, drawn by chance."""
    kind, turn = ask.question.kind, interview.turn
    if kind is Kind.MORE:
        return Chose(0 if chance.random() < 0.5 else 1, turn)
    if kind is Kind.SELECT_MULTIPLE and ask.draft and chance.random() < 0.5:
        return Done(turn)
    if ask.choices:
        left = [n for n, choice in enumerate(ask.choices) if choice.name not in ask.draft]
        return Chose(chance.choice(left or [0]), turn)
    if kind in HANDED:
        return Gave(kind, f"id{chance.randrange(10**6)}.key.bin.100")
    if kind is Kind.GEOPOINT:
        return Gave(kind, f"{chance.uniform(-90, 90):.5f} {chance.uniform(-180, 180):.5f} 0 5")
    return Answered(typed(ask, chance, now))


def typed(ask: Ask, chance: Random, now: datetime) -> str:
    """Words of the right kind; often near what the question's own rules name."""
    question = ask.question
    literals = _literals(" ".join(filter(None, (question.constraint, question.relevant))))
    numbers = [float(literal) for literal in literals if re.fullmatch(r"-?\d+(\.\d+)?", literal)]
    around = chance.choice([*numbers, 0, 1, 5, 20, 40, 100]) + chance.choice([-1, 0, 0, 1, 3])
    day = now + timedelta(days=chance.choice([-20000, -9000, -400, -30, -1, 0, 0, 1, 30, 400]))
    match question.kind:
        case Kind.INTEGER:
            return str(int(around))
        case Kind.DECIMAL:
            return f"{around + chance.choice([0, 0.5, 0.25]):g}"
        case Kind.RANGE if question.steps is not None:
            steps = int((question.steps.end - question.steps.start) / question.steps.step)
            return f"{question.steps.start + chance.randint(0, steps) * question.steps.step:g}"
        case Kind.DATE:
            return day.date().isoformat()
        case Kind.TIME:
            return f"{chance.randrange(24):02}:{chance.randrange(60):02}"
        case Kind.DATETIME:
            return f"{day.date().isoformat()} {chance.randrange(24):02}:{chance.randrange(60):02}"
    digits = "".join(chance.choice("0123456789") for _ in range(chance.randint(1, 12)))
    return chance.choice([*literals, *_WORDS, digits]) or "好"


def _literals(expressions: str) -> list[str]:
    return [next(filter(None, found), "") for found in _LITERAL.findall(expressions)]


def beginning(now: datetime, chance: Random, language: str = "zh") -> Interview:
    """A fresh interview."""
    blank = Interview(chance.randrange(1 << 40), language, began=now.isoformat())
    return replace(blank, seed=chance.randrange(1 << 31))
