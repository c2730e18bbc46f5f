"""Each benchmark runs at the smallest size and comes to figures; none of them is judged here."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from socket import gethostname

import pytest

from benchmarks.__main__ import ALL, facts, measured
from benchmarks.load import tapping, typing
from benchmarks.scale import TINY
from benchmarks.table import Line, markdown
from benchmarks.telegram import bot_api
from benchmarks.webhook import Bench


@pytest.mark.parametrize("name", ["engine", "turns", "planning", "sending", "counting"])
async def test_a_benchmark_measures_both_sides(name: str) -> None:
    lines = await measured(name)(TINY)
    assert lines
    for line in lines:
        assert len(line.ours) == len(line.theirs) == TINY.repetitions
        assert min(*line.ours, *line.theirs) > 0


async def test_every_answer_of_a_load_over_http_is_on_the_disk(sqlite_url: str) -> None:
    """The bench counts the ballots itself and fails where one is missing."""
    async with bot_api() as api:
        bench = Bench(api, people=2)
        assert await bench.ours("SQLite", lambda: sqlite_url, typing) > 0
        assert await bench.theirs("echo", partial(tapping, api)) > 0
        assert api.calls > 0
        assert bench.note("SQLite", "echo")


def test_the_ratio_is_taken_within_each_repetition() -> None:
    line = Line("x", "/s", [10, 30, 10], "y", [1, 10, 2], least=4)
    assert line.ratios == [10, 3, 5]
    assert line.met
    assert "5 (3–10) | ≥ 4 × met" in markdown("X", [line])


def test_a_missed_goal_is_said_aloud() -> None:
    line = Line("x", "s", [7.0], "y", [1.0], most=6, why="it is slow")
    assert "≤ 6 s **missed**" in markdown("X", [line])
    assert "- x / y: missed: it is slow" in markdown("X", [line])
    assert "missed" not in markdown("X", [replace(line, most=8)])


def test_the_report_names_neither_machine_nor_path() -> None:
    assert gethostname() not in facts(TINY)
    assert str(Path.cwd()) not in facts(TINY)


def test_every_section_can_be_found() -> None:
    assert all(callable(measured(name)) for name in ALL)
