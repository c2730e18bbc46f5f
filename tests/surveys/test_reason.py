"""What the check calls impossible is impossible: held against the engine, answer by answer."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from surveys.lint.reason import POSSIBLE, Reasoner
from surveys.lint.spelling import spelt
from surveys.logic.compiled import logic_of
from surveys.logic.scene import Scene, Surroundings
from tests.surveys.forms import form_of

SURVEY = """type | name | label
select_one ab | p | P
select_multiple ab | m | M
integer | n | N
begin group | g | G
integer | k | K
end group
note | here | Here"""
FORM = form_of(SURVEY, "list_name | name | label\nab | a | Apple\nab | b | Banana")
HERE = "/data/here"
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
ANSWERS = {
    "/data/p": ("", "a", "b"),
    "/data/m": ("", "a", "b", "a b"),
    "/data/n": ("", "-1", "0", "1", "2", "3", "4"),
    "/data/g/k": ("", "1", "2"),
}


@cache
def scenes() -> tuple[Scene, ...]:
    logic, moment = logic_of(FORM), Surroundings(MOMENT, MOMENT)
    return tuple(
        Scene(logic, dict(zip(ANSWERS, values, strict=True)), moment)
        for values in product(*ANSWERS.values())
    )


def ever_holds(expression: str) -> bool:
    return any(scene.holds(expression, HERE) for scene in scenes())


NODES = st.sampled_from(["/data/p", "/data/m", "/data/n", "../n", "/data/g/k"])
LITERALS = st.sampled_from(["'a'", "'b'", "'c'", "''", "1", "2", "'2'", "-1", "2.5", "'a b'"])
COMPARED = st.builds(
    "{} {} {}".format,
    st.one_of(NODES, st.just("count-selected(/data/m)"), st.just("string-length(/data/p)")),
    st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
    st.one_of(LITERALS, NODES),
)
SELECTED = st.builds(
    "selected({}, {})".format,
    st.sampled_from(["/data/p", "/data/m"]),
    st.sampled_from(["'a'", "'b'", "'c'"]),
)
ATOMS = st.one_of(COMPARED, SELECTED, st.sampled_from(["true()", "false()", "regex(/data/p, 'a')"]))
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not({})".format, inner),
    ),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@example("not(/data/n > 2) and not(/data/n <= 2)")  # whoever does not answer meets both
@example("/data/n != 1 and not(/data/n > 1) and not(/data/n < 1)")
@given(CONDITIONS)
def test_no_answers_meet_what_is_called_impossible(condition: str) -> None:
    if not Reasoner(FORM).cases(condition, HERE):
        assert not ever_holds(condition)


@pytest.mark.parametrize(
    "condition",
    [
        "/data/p = 'a' and /data/p = 'b'",
        "/data/p = 'c'",
        "not(/data/p != 'a') and selected(/data/p, 'b')",
        "/data/n > 2 and ../n < 3",
        "/data/n > 2 and not(/data/n > 1)",
        "count-selected(/data/m) > 1 and count-selected(/data/m) < 2",
        "selected(/data/m, 'c')",
        "/data/n > /data/g/k and /data/n <= /data/g/k",
        "not(true() or /data/n = 1)",
    ],
)
def test_these_are_known_to_be_impossible(condition: str) -> None:
    assert not ever_holds(condition)
    assert Reasoner(FORM).cases(condition, HERE) == ()


def test_what_is_not_understood_counts_as_possible() -> None:
    reasoner = Reasoner(FORM)
    assert reasoner.cases("regex(/data/p, 'x') and contains(/data/p, 'y')", HERE) == POSSIBLE
    assert reasoner.cases("1 + (", HERE) == POSSIBLE
    assert reasoner.cases("random() > 2 and random() < 1", HERE) == POSSIBLE
    many = " and ".join(f"(/data/n = {n} or /data/p = 'a')" for n in range(20))
    assert reasoner.cases(many, HERE)


@pytest.mark.parametrize(
    ("expression", "zh", "en"),
    [
        ("/data/n <= 2", "n ≤ 2", "n ≤ 2"),
        ("/data/p = 'a' or ../n != 3", "p = a (Apple) 或 n ≠ 3", "p = a (Apple) or n ≠ 3"),
        ("(/data/n = 1 or /data/n = 2) and true()", "(n = 1 或 n = 2) 且 总是",
         "(n = 1 or n = 2) and always"),
        ("not(selected(/data/m, 'b'))", "并非（m 选了 b (Banana)）", "not (m includes b (Banana))"),
        (". > 3", "回答 > 3", "the answer > 3"),
        ("2 - (/data/n - 1)", "2 − (n − 1)", "2 − (n − 1)"),
        ("count(/data/g[k > 1])", "count(g[k > 1])", "count(g[k > 1])"),
        ("1 + (", "1 + (", "1 + ("),
    ],
)  # fmt: skip
def test_a_condition_is_written_for_people(expression: str, zh: str, en: str) -> None:
    assert spelt(expression, FORM, HERE, "zh") == zh
    assert spelt(expression, FORM, HERE, "en") == en
