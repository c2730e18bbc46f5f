from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.interview import Interview, advance
from surveys.moves import Answered, Chose, Showed
from surveys.phrasing import Press, question_rows, question_text, short, width
from surveys.saying import Ask
from tests.surveys.forms import form_of, shipped

NOW = datetime(2026, 12, 12, 4, 0, tzinfo=UTC)


@given(
    st.text(st.characters(codec="utf-8")),
    st.integers(0, 2**41),
    st.integers(0, 999),
    st.sampled_from("abdsgrlmnjc"),
)
def test_a_button_fits_telegram_and_is_read_back(
    name: str, turn: int, index: int, action: str
) -> None:
    data = Press(action, name, turn, index).data()
    assert len(data.encode("ascii")) <= 64
    assert Press.read(data) == Press(action, short(name), turn, index)


@pytest.mark.parametrize(
    "data",
    ["", "a", "a:i:1", "a:i:1:2:3", "A:i:1:2", "a:i:²:0", "a:i:-1:0", "a:i:１:0", "a:\x00:1:0",
     "a:i:1:0\n", "a:i:" + "9" * 16 + ":0", "满:i:1:0", "a:满:1:0"],
)  # fmt: skip
def test_what_is_no_button_of_ours_is_nothing(data: str) -> None:
    assert Press.read(data) is None


def test_short_names_stay_and_long_or_foreign_ones_get_one_of_their_own() -> None:
    assert short("q-20261210") == "q-20261210"
    made = {short("满意度"), short("满意"), short("a:b"), short("c" * 64), short("c" * 63)}
    assert len(made) == 5
    assert all(len(name) == 32 for name in made)


@pytest.mark.parametrize(("label", "columns"), [("abc", 3), ("满意", 4), ("😀a", 3), ("", 0)])
def test_a_wide_character_takes_two_columns(label: str, columns: int) -> None:
    assert width(label) == columns


def ask(survey: str, *moves: str) -> tuple[Ask, Interview]:
    form, interview = form_of(survey), Interview(7, "zh")
    for move in moves:
        interview = advance(form, interview, Answered(move), NOW).interview
    say = advance(form, interview, Showed(), NOW).say
    assert isinstance(say, Ask)
    return say, interview


def test_grades_stand_one_a_row_with_what_else_can_be_done_below() -> None:
    form, interview = shipped("service"), Interview(7, "zh")
    step = advance(form, interview, Chose(0, 7), NOW)
    assert isinstance(step.say, Ask)
    rows = question_rows(step.say, step.interview, "i")
    assert [len(row) for row in rows] == [1, 1, 1, 1, 1, 1, 2]
    assert [button.label for button in rows[-1]] == ["返回", "跳过"]


def test_ticked_choices_are_marked_and_can_be_finished() -> None:
    form, interview = form_of("type | name | label\nselect_multiple ab | q | Q"), Interview(7, "en")
    step = advance(form, interview, Chose(1, 7), NOW)
    assert isinstance(step.say, Ask)
    rows = question_rows(step.say, step.interview, "i")
    labels = [button.label for row in rows for button in row]
    assert labels == ["☐ Apple", "☑ Banana", "☐ Cherry", "Done", "Back"]


def test_trouble_comes_first_and_the_hint_last() -> None:
    form = form_of("type | name | label | hint\ninteger | q | How many? | Roughly.")
    step = advance(form, Interview(7, "en"), Answered("many"), NOW)
    assert isinstance(step.say, Ask)
    first, *rest = question_text(step.say, Interview(7, "en")).split("\n\n")
    assert "whole number" in first
    assert rest[:2] == ["How many?", "Roughly."]
    assert "Skip" in rest[2]  # the way out, for whoever cannot say


def test_notes_stand_above_the_question_they_precede_and_only_there() -> None:
    survey = "type | name | label\nnote | n | Hello.\ntext | q | Q?\ntext | r | R?"
    assert question_text(*ask(survey)) == "Hello.\n\nQ?"
    assert question_text(*ask(survey, "x")) == "R?"
