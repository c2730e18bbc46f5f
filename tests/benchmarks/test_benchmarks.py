"""Each benchmark runs at the smallest size and comes to figures; none of them is judged here."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from socket import gethostname

import pytest

import benchmarks
from benchmarks.__main__ import ALL, facts, measured
from benchmarks.interviewing import interview
from benchmarks.likeness import TALKS, talk
from benchmarks.load import tapping, typing
from benchmarks.node import NoNodeError, installed
from benchmarks.questionnaire import long
from benchmarks.scale import TINY
from benchmarks.table import Line, markdown
from benchmarks.telegram import bot_api
from benchmarks.webhook import Bench
from surveys.forms.form import Repeat, plain
from surveys.saying import Ask


@pytest.mark.parametrize("name", ["turns", "desk", "planning", "sending", "counting"])
async def test_a_benchmark_measures_both_sides(name: str) -> None:
    lines = await measured(name)(TINY)
    assert lines
    for line in lines:
        assert len(line.ours) == len(line.theirs) == TINY.repetitions
        assert min(*line.ours, *line.theirs) > 0


async def test_without_node_the_engine_is_measured_and_the_rest_is_said_aloud(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    turn, *interviews = await measured("engine")(TINY)
    assert min(*turn.ours, *turn.theirs) > 0
    for line in interviews:
        assert line.ours[0] > 0
        assert line.met is None
        assert line.notes == ("SurveyJS was not measured: node is not installed.",)
    report = markdown("X", interviews)
    assert "| – | – | ≥ 10 × not measured |" in report
    assert "not measured: node is not installed" in report


def test_a_survey_engine_that_npm_cannot_bring_is_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("node", "npm"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\nexit 1\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(NoNodeError, match="npm could not install some-engine"):
        installed(Path(benchmarks.__file__).parent, "some-engine", [])
    assert not list((tmp_path / "cache").rglob("installed.json"))


def test_the_short_interview_shows_refuses_and_keeps_what_is_expected_of_both() -> None:
    satisfied, brief, troubled = map(talk, TALKS)
    assert satisfied["data"] == {"grade": "5"}
    assert brief["said"] == [
        [
            "How satisfied are you?",
            [
                "Very satisfied",
                "Satisfied",
                "Fairly satisfied",
                "Dissatisfied",
                "Very dissatisfied",
            ],
        ],
        ["You said Dissatisfied. Why?", []],
    ]
    assert (brief["refused"], troubled["refused"]) == (0, 2)
    assert all(one["completed"] for one in (satisfied, brief, troubled))


def test_the_long_questionnaire_asks_forty_questions_and_has_every_sort_of_logic() -> None:
    form = long()
    asked = {question.path for question in form.questions if question.asks}
    reached = {plain(step.say.path) for step in interview(form, 1) if isinstance(step.say, Ask)}
    assert len(asked) == 40
    assert reached == asked
    assert any(isinstance(node, Repeat) and node.count for node in form.body)
    assert any(question.itemset for question in form.questions)
    for logic in ("relevant", "constraint", "calculate"):
        assert sum(bool(getattr(question, logic)) for question in form.questions) >= 5


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
