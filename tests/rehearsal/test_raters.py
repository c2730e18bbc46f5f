"""Simulated people whom a campaign asks: how many do what, when, and how far they come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from rehearsal.clock import HeldClock
from rehearsal.raters import ASIDE, TURNS, Habit, Rater, habits
from surveys.reply import Button, Heard, Reply, Tapped, Typed

NOW = datetime(2026, 12, 10, 1, tzinfo=UTC)
CLOSES = NOW + timedelta(days=14)
ROW = (Button("Yes", "a:yes"), Button("No", "a:no"))


class Office:
    """Asks so many ``questions`` with buttons, and remembers what it heard."""

    def __init__(self, questions: int) -> None:
        self.questions = questions
        self.heard: list[Heard] = []

    async def __call__(self, heard: Heard) -> Sequence[Reply]:
        self.heard.append(heard)
        asked = len(self.heard)
        if asked > self.questions:
            return [Reply("Thank you.")]
        return [Reply(f"Question {asked}?", (ROW,), True, "en", place=f"q{asked}")]


def rater(habit: Habit, number: int = 1) -> Rater:
    return Rater(number, habit, "en", 7)


def test_so_many_answer_as_is_assumed_and_the_rest_does_as_is_said() -> None:
    found = Counter(habits(1000, 40, 7))
    assert found[Habit.PROMPT] + found[Habit.REMINDED] == 400
    assert found[Habit.PROMPT] == 240
    assert {name: found[Habit(name)] for name in ASIDE} == {"half": 48, "stops": 18, "blocked": 30}
    assert sum(found.values()) == 1000
    assert habits(1000, 40, 7) == habits(1000, 40, 7) != habits(1000, 40, 8)
    assert set(habits(5, 100, 7)) <= {Habit.PROMPT, Habit.REMINDED}
    assert habits(0, 40, 7) == []


@pytest.mark.parametrize("habit", Habit)
def test_everybody_acts_once_if_at_all_and_while_there_is_time(habit: Habit) -> None:
    for number in range(50):
        one = rater(habit, number)
        acts: list[datetime | None] = []
        for coming in (2, 1, 0):
            one.told.append(NOW)
            acts.append(one.acts_at(NOW, CLOSES, coming))
        found = [at for at in acts if at is not None]
        assert len(found) == (habit not in {Habit.SILENT, Habit.BLOCKED})
        assert all(NOW < at < CLOSES for at in found)
        if habit is Habit.REMINDED:
            assert acts[0] is None


def test_whoever_answers_when_reminded_answers_all_the_same_where_nobody_reminds() -> None:
    one = rater(Habit.REMINDED)
    one.told.append(NOW)
    assert one.acts_at(NOW, CLOSES, 0) is not None


async def test_they_go_through_to_the_end_or_stop_after_a_question_or_two() -> None:
    office = Office(5)
    await rater(Habit.PROMPT).act(office, "g:wave")
    assert office.heard[0] == Tapped("g:wave")
    assert len(office.heard) == 6
    assert {each.data for each in office.heard[1:] if isinstance(each, Tapped)} <= {"a:yes", "a:no"}
    for number in range(20):
        office = Office(5)
        await rater(Habit.HALF, number).act(office, "g:wave")
        assert len(office.heard) in {2, 3}
    office = Office(5)
    await rater(Habit.STOPS).act(office, "g:wave")
    assert office.heard == [Typed("/stop")]


async def test_an_interview_without_an_end_is_given_up() -> None:
    one, office = rater(Habit.PROMPT), Office(10 * TURNS)
    await one.act(office, "g:wave")
    assert one.stuck
    assert len(office.heard) < TURNS + 10


async def test_a_question_shown_again_and_again_is_given_up() -> None:
    async def deaf(_heard: Heard) -> Sequence[Reply]:
        return [Reply("Yes or no?", (ROW,), True, "en", place="q")]

    one = rater(Habit.PROMPT)
    await one.act(deaf, "g:wave")
    assert one.stuck


async def test_a_held_clock_moves_when_somebody_sleeps_and_never_back() -> None:
    clock = HeldClock(NOW)
    assert clock.now() == clock.now() == NOW
    await clock.sleep(2.5)
    clock.set_on(NOW)
    assert clock.now() == NOW + timedelta(seconds=2.5)
    clock.set_on(CLOSES)
    assert clock.now() == CLOSES
