"""Category weights follow the work that was there, within limits nobody can talk away."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evaluation.method import Category
from evaluation.method_file import shipped
from evaluation.workload import Task, category_weights, loads, policy_weights

METHOD = shipped("quarterly")
BASIC, PHASED, URGENT = Category
POINTS = st.one_of(st.just(0.0), st.floats(0.01, 1e6))
LOADS = st.tuples(POINTS, POINTS, POINTS)


def weigh(*points: float) -> list[float]:
    return list(category_weights(dict(zip(Category, points, strict=True)), METHOD).values())


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ((100, 60, 0), (0.625, 0.375, 0)),
        ((100, 60, 40), (0.5, 0.3, 0.2)),
        ((100, 60, 120), (0.457, 0.274, 0.269)),
        ((60, 60, 300), (0.42, 0.28, 0.30)),
        ((0, 0, 0), (0.5, 0.3, 0.2)),
        ((0, 0, 7), (0, 0, 1)),
    ],
)
def test_published_examples(points: tuple[float, ...], expected: tuple[float, ...]) -> None:
    assert weigh(*points) == pytest.approx(expected, abs=5e-4)


@given(LOADS)
@example((1000000.0, 0.01, 0.01))
def test_weights_sum_to_one_stay_near_policy_and_are_zero_without_work(
    points: tuple[float, float, float],
) -> None:
    load = dict(zip(Category, points, strict=True))
    weights, policy = category_weights(load, METHOD), policy_weights(METHOD, load)
    assert math.fsum(weights.values()) == pytest.approx(1, abs=1e-12)
    for category, weight in weights.items():
        assert abs(weight - policy[category]) <= METHOD.delta + 1e-12
        if sum(points) and not load[category]:
            assert weight == 0
    if load[URGENT] and (load[BASIC] or load[PHASED]):
        assert weights[URGENT] >= METHOD.urgent_floor - 1e-12


@given(LOADS, st.integers(0, 2), st.floats(0.01, 1e6))
def test_more_work_in_a_category_never_lowers_its_weight(
    points: tuple[float, float, float], which: int, more: float
) -> None:
    grown = [each + more * (place == which) for place, each in enumerate(points)]
    if sum(points):
        assert weigh(*grown)[which] >= weigh(*points)[which] - 1e-12


@given(LOADS, st.floats(0.001, 1000))
def test_only_proportions_of_the_work_matter(
    points: tuple[float, float, float], scale: float
) -> None:
    assert weigh(*(each * scale for each in points)) == pytest.approx(weigh(*points), abs=1e-9)


def test_a_task_counts_by_size_share_of_the_quarter_and_urgency() -> None:
    tasks = [Task("s", BASIC, 40, 0.5), Task("s", BASIC, 10), Task("s", URGENT, 20, 0.5)]
    assert loads(tasks, METHOD) == {BASIC: 30.0, PHASED: 0.0, URGENT: 15.0}


def test_a_task_in_a_category_that_is_not_weighed_is_refused() -> None:
    with pytest.raises(ValueError, match="does not weigh urgent"):
        loads([Task("s", URGENT, 1)], shipped("single_group"))


@pytest.mark.parametrize(("workload", "exposure"), [(-1, 1), (math.nan, 1), (1, 1.1), (1, -0.1)])
def test_an_impossible_task_is_refused(workload: float, exposure: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        Task("s", BASIC, workload, exposure)
