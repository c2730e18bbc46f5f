"""The pure engine: no store, no network. One process, one core."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from benchmarks.echo import echo
from benchmarks.questionnaire import questionnaire
from benchmarks.scale import Scale, by_turns
from benchmarks.table import Line
from benchmarks.turns import fed
from surveys.form import Form
from surveys.interview import Ask, Chose, Interview, Showed, advance, dump, restore
from surveys.phrasing import question_rows, question_text

NOW = datetime(2026, 12, 12, 4, tzinfo=UTC)


def interview(form: Form) -> int:
    """One interview, its state dumped and restored between answers; the turns it took."""
    kept = Interview(0, "en")
    step, turns = advance(form, kept, Showed(), NOW), 0
    while isinstance(step.say, Ask):
        kept = restore(dump(step.interview), step.interview.turn)
        step = advance(form, kept, Chose(1, kept.turn), NOW)
        turns += 1
        if isinstance(step.say, Ask):
            question_text(step.say, step.interview)
            question_rows(step.say, step.interview, "interview")
    return turns


def _turns(form: Form, interviews: int) -> float:
    start = time.perf_counter()
    turns = sum(interview(form) for _ in range(interviews))
    return turns / (time.perf_counter() - start)


async def measure(scale: Scale) -> list[Line]:
    """Turns of a long interview and whole short ones, beside the usual echo handler."""
    long, short = questionnaire(40), questionnaire(2)

    async def turns() -> float:
        return _turns(long, scale.of(50))

    async def interviews() -> float:
        return _turns(short, scale.of(2000)) / 2

    async def echoed() -> float:
        return await fed(echo(), scale.of(400), 1)

    longer, shorter, bare = await by_turns(scale.repetitions, (turns, interviews, echoed))
    usual = "echo handler fed updates one by one, in process"
    return [
        Line("a turn of 40 questions, restored, advanced, worded, dumped", "/s", longer,
             usual, bare),
        Line("an interview of 2 questions, state dumped and restored between", "/s", shorter,
             usual, bare),
    ]  # fmt: skip
