"""Sample sizes: the golden values of survey practice, and what the formulas promise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.sizing import Measure, Precision, answers_needed, margin, size, size_in_each

WORLD = 10**9


@pytest.mark.parametrize(
    ("points", "endless", "of_a_hundred"), [(5, 62, 39), (3, 171, 64), (2, 385, 80)]
)
def test_mean_scores_with_a_deviation_of_20_need_the_golden_sizes(
    points: float, endless: int, of_a_hundred: int
) -> None:
    wanted = Precision.of(Measure.SCORE, points, 0.95)
    assert answers_needed(WORLD, wanted) == endless
    assert answers_needed(100, wanted) == of_a_hundred


@pytest.mark.parametrize(
    ("points", "confidence", "population", "answers"),
    # as every table of sample sizes has it: p = 1/2
    [(5, 0.95, WORLD, 385), (3, 0.95, WORLD, 1068), (5, 0.95, 1000, 278), (5, 0.99, WORLD, 664)],
)
def test_shares_need_the_sizes_of_the_usual_tables(
    points: float, confidence: float, population: int, answers: int
) -> None:
    assert answers_needed(population, Precision.of(Measure.SHARE, points, confidence)) == answers


def test_the_expected_response_inflates_how_many_are_asked() -> None:
    found = size(1000, Precision.of(Measure.SCORE, 5, 0.95, 0.4))
    assert (found.answers, found.people, found.enough) == (58, 145, True)
    few = size(100, Precision.of(Measure.SCORE, 2, 0.95, 0.5))
    assert (few.answers, few.people, few.enough) == (80, 160, False)


def test_every_part_is_as_precise_where_the_whole_is_drawn_in_proportion() -> None:
    wanted = Precision.of(Measure.SCORE, 5, 0.95)
    strata = {"large": 1000, "small": 100}
    found = size_in_each(strata, wanted)
    assert found.people == 429  # 39 of the small one's 100 are 429 of 1100
    for people in strata.values():
        share = found.people * people / found.population
        assert share + 1e-9 >= answers_needed(people, wanted)
    assert size_in_each({}, wanted).people == 0


precisions = st.builds(
    Precision, st.floats(0.1, 50), st.floats(0.5, 0.999), st.floats(1, 50), st.floats(0.05, 1)
)


@given(st.integers(2, 100_000), precisions)
def test_so_many_answers_give_the_margin_and_one_fewer_does_not(
    population: int, wanted: Precision
) -> None:
    answers = answers_needed(population, wanted)
    assert 1 <= answers <= population
    # n0/(1 + (n0-1)/N) and e = z SD/sqrt(n) sqrt((N-n)/(N-1)) are the same equation
    slack = 1 + 1e-6
    assert margin(population, answers, wanted) <= wanted.points * slack
    if answers > 1:
        assert margin(population, answers - 1, wanted) * slack > wanted.points


@given(st.integers(0, 10_000), precisions)
def test_nobody_is_asked_twice_to_be_precise(population: int, wanted: Precision) -> None:
    found = size(population, wanted)
    assert 0 <= found.answers <= found.population
    assert found.people >= found.answers
    assert answers_needed(0, wanted) == 0


@pytest.mark.parametrize(
    "wrong", [{"points": 0}, {"confidence": 1}, {"response": 0}, {"sd": 0}, {"points": 101}]
)
def test_numbers_out_of_bounds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Precision(**{"points": 5.0, **wrong})
