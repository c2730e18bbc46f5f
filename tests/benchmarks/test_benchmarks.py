"""Each benchmark runs at the smallest size and comes to figures; none of them is judged here."""

from __future__ import annotations

import pytest

from benchmarks.__main__ import ALL, facts, measured
from benchmarks.scale import TINY
from benchmarks.table import Line, markdown


@pytest.mark.parametrize("name", ["engine", "turns", "planning", "sending", "counting"])
async def test_a_benchmark_measures_both_sides(name: str) -> None:
    lines = await measured(name)(TINY)
    assert lines
    for line in lines:
        assert len(line.ours) == len(line.theirs) == TINY.repetitions
        assert min(*line.ours, *line.theirs) > 0


@pytest.mark.parametrize("name", ["webhook", "chat"])
async def test_every_answer_of_a_load_over_http_is_on_the_disk(name: str) -> None:
    """The benchmarks count the ballots themselves and fail where one is missing."""
    lines = await measured(name)(TINY)
    assert {line.notes != () for line in lines} == {True}


def test_the_ratio_is_taken_within_each_repetition() -> None:
    line = Line("x", "/s", [10, 30, 10], "y", [1, 10, 2], least=4)
    assert line.ratios == [10, 3, 5]
    assert line.met
    assert "5 (3–10) | ≥ 4 × met" in markdown("X", [line])


def test_a_missed_goal_is_said_aloud() -> None:
    line = Line("x", "s", [7.0], "y", [1.0], most=6)
    assert "≤ 6 s **missed**" in markdown("X", [line])


def test_the_report_names_neither_machine_nor_path() -> None:
    assert "/" not in facts(TINY)


def test_every_section_can_be_found() -> None:
    assert all(callable(measured(name)) for name in ALL)
