"""The pure engine: no store, no network. One process, one core."""

from __future__ import annotations

import time
from contextlib import ExitStack
from statistics import median

from benchmarks.echo import echo
from benchmarks.interviewing import interview
from benchmarks.likeness import alike
from benchmarks.node import NoNodeError
from benchmarks.questionnaire import long, short
from benchmarks.scale import Scale, Side, by_turns
from benchmarks.surveyjs import SurveyJS, named
from benchmarks.table import Line
from benchmarks.turns import fed
from surveys.forms.form import Form

SATISFIED, DISSATISFIED = 1, 3  # choices, counted from 0
WARMING, ROUND = 12.0, 2.0  # seconds; V8 takes that long to have compiled what is hot
LOADS = {
    "new": "a Model made of its JSON at each load, as in its documentation",
    "reused": "one Model for all interviews, emptied and filled at each load",
}
"""How SurveyJS loads a saved state -> in words."""
WHY = "one process computes in lxml on Python, the other in what V8 has compiled"


async def measure(scale: Scale) -> list[Line]:
    """A turn of a long interview, and whole short ones beside SurveyJS."""
    return [await _turns(scale), *await _interviews(scale)]


async def _turns(scale: Scale) -> Line:
    form, slowest = long(), []
    _took(form)  # compiles the expressions

    async def ours() -> float:
        rounds = [_took(form) for _ in range(scale.of(20))]
        slowest.append(median(map(max, rounds)))
        return 1e6 * sum(map(sum, rounds)) / sum(map(len, rounds))

    async def echoed() -> float:
        return 1e6 / await fed(echo(), scale.of(400), 1)

    mine, usual = await by_turns(scale.repetitions, (ours, echoed))
    return Line(
        "a turn of a form of 40 questions with logic: loaded from JSON, advanced, worded, saved",
        "µs", mine, "echo handler fed updates one by one, in process", usual,
        notes=(f"the slowest turn of an interview takes {1e6 * median(slowest):,.0f} µs.",),
    )  # fmt: skip


def _took(form: Form) -> list[float]:
    """Seconds of each turn of one interview."""
    took, before = [], time.perf_counter()
    for _ in interview(form, SATISFIED):
        now = time.perf_counter()
        took.append(now - before)
        before = now
    return took


async def _interviews(scale: Scale) -> list[Line]:
    form = short()

    async def ours() -> float:
        return _played(form, ROUND / scale.divisor)

    with ExitStack() as stack:
        sides: dict[str, Side] = {}
        note = "one at a time; both parse the questions once, and are first seen to say the same."
        try:
            for load in LOADS:
                sides[load] = _side(stack.enter_context(SurveyJS(load)), scale)
        except NoNodeError as error:
            sides, note = {}, f"SurveyJS was not measured: {error}."
        await ours()
        mine, *theirs = await by_turns(scale.repetitions, (ours, *sides.values()))
    figures = dict(zip(sides, theirs, strict=True))
    return [
        Line("an interview of 2 questions, saved as JSON and loaded between", "/s", mine,
             f"{named()}: {words}", figures.get(load, ()), 10.0, notes=(note,), why=WHY)
        for load, words in LOADS.items()
    ]  # fmt: skip


def _side(other: SurveyJS, scale: Scale) -> Side:
    """Rounds of SurveyJS, seen to do the same and warmed up."""
    alike(other)
    other.play(WARMING / scale.divisor)

    async def theirs() -> float:
        return other.play(ROUND / scale.divisor)

    return theirs


def _played(form: Form, seconds: float) -> float:
    """Interviews a second, played for ``seconds``, at least one."""
    start, interviews, took = time.perf_counter(), 0, 0.0
    while took < seconds or not interviews:
        for _ in interview(form, DISSATISFIED):
            pass
        interviews += 1
        took = time.perf_counter() - start
    return interviews / took
