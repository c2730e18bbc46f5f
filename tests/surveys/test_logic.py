from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.forms.form import FormError
from surveys.forms.soundness import check_logic
from surveys.logic.compiled import logic_of
from surveys.logic.scene import Scene, Surroundings
from tests.surveys.forms import form_of

NOW = datetime(2026, 12, 31, 23, 30, 15, tzinfo=UTC)
FORM = form_of("type | name | label\ntext | a | A\ntext | b | B\ntext | c | C")


def at(**values: str) -> Scene:
    filled = {f"/data/{name}": value for name, value in values.items()}
    return Scene(logic_of(FORM), filled, Surroundings(NOW, NOW))


def text(expression: str, **values: str) -> str:
    return at(**values).text(expression, "/data/a")


def holds(expression: str, **values: str) -> bool:
    return at(**values).holds(expression, "/data/a")


@pytest.mark.parametrize(
    ("expression", "a", "value"),
    [
        ("selected(/data/a, 'y')", "x y", "true"),
        ("selected(/data/a, 'y')", "x yy", "false"),
        ("selected(/data/a, 'y')", "", "false"),
        ("count-selected(/data/a)", "x y z", "3"),
        ("count-selected(/data/a)", "", "0"),
        ("selected-at(/data/a, 1)", "x y", "y"),
        ("selected-at(/data/a, 2)", "x y", ""),
        ("selected-at(/data/a, -1)", "x y", ""),
        ("selected-at(/data/a, /data/b)", "x y", ""),
        ("if(/data/a = '1', 'one', 'other')", "1", "one"),
        ("if(/data/b, 'node', 'none')", "1", "node"),
        ("if(number(/data/b), 'number', 'NaN')", "1", "NaN"),
        ("coalesce(/data/b, /data/a)", "1", "1"),
        ("coalesce(/data/a, 'other')", "1", "1"),
        ("regex(/data/a, '^[0-9]{3}$')", "123", "true"),
        ("regex(/data/a, '^[0-9]{3}$')", "12", "false"),
        ("int(/data/a)", "3.9", "3"),
        ("int(/data/a)", "-3.9", "-3"),
        ("int(/data/a)", "", ""),  # what is no number is no answer
        ("int(true())", "", "1"),
        ("pow(/data/a, 2)", "3", "9"),
        ("pow(/data/a, 0.5)", "-8", ""),
        ("pow(0, -1)", "", ""),
        ("pow(10, 400)", "", ""),
        ("number(/data/a) + 1", "", ""),
        ("1 div 0", "", "Infinity"),
        ("3 * 1.0", "", "3"),
        ("0.5", "", "0.5"),
        ("/data/nowhere", "", ""),
        ("1 = 1", "", "true"),
        ("concat(/data/a, '-', 2)", "x", "x-2"),
    ],
)
def test_a_function_gives_the_text_that_odk_shows(expression: str, a: str, value: str) -> None:
    assert text(expression, a=a) == value


@pytest.mark.parametrize(
    ("expression", "a", "true"),
    [
        ("/data/a <= 2", "2", True),
        ("/data/a <= 2", "", False),  # NaN compares with nothing
        ("/data/a > 2", "", False),
        ("number(/data/a)", "", False),
        ("number(/data/a)", "0", False),
        ("/data/a", "", True),  # a node-set is true for being there
        ("'false'", "", True),
        ("''", "", False),
        ("/data/nowhere", "", False),
        ("/data/a = 2", "2.0", True),
        ("/data/a = '2'", "2.0", False),
    ],
)
def test_truth_follows_xpath(expression: str, a: str, true: bool) -> None:
    assert holds(expression, a=a) is true


def test_today_and_now_come_from_the_moment_that_was_given() -> None:
    assert text("today()") == "2026-12-31"
    assert text("now()") == "2026-12-31T23:30:15"
    there = NOW.astimezone(timezone(timedelta(hours=8)))
    shanghai = Scene(logic_of(FORM), {}, Surroundings(there, there))
    assert shanghai.text("today()", "/data/a") == "2027-01-01"


def test_a_dot_means_the_question_itself() -> None:
    assert at(b="7").holds(". > 6", "/data/b")
    assert not at(b="7").holds(". > 6", "/data/c")


def test_scenes_of_one_form_share_nothing() -> None:
    first, second = at(a="1"), at()
    first.put("/data/b", "2")
    assert second.value("/data/a") == ""
    assert second.value("/data/b") == ""


@given(
    st.sampled_from(["int", "count-selected", "string-length", "number"]),
    st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")),
)
def test_no_answer_makes_a_function_fail(function: str, answer: str) -> None:
    text(f"{function}(/data/a)", a=answer)
    text(f"pow({function}(/data/a), {function}(/data/a))", a=answer)
    text(f"selected-at(/data/a, {function}(/data/a))", a=answer)


@pytest.mark.parametrize(
    ("column", "expression"),
    [("relevant", "1 +"), ("constraint", "regex(., '[')"), ("required", "nothing(1)")],
)
def test_a_bad_expression_is_named_with_its_column(column: str, expression: str) -> None:
    form = form_of(f"type | name | label | {column}\ntext | q | Q | {expression}")
    with pytest.raises(FormError) as caught:
        check_logic(form, "mine.md")
    assert str(caught.value).startswith(f"mine.md: /data/q, {column}: “{expression}”")


def test_a_form_without_mistakes_passes() -> None:
    check_logic(FORM, "mine.md")
