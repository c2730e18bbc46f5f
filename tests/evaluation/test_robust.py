"""The clipped mean listens to everyone, to no one too much, and hides no minority."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evaluation.crossing import crossing
from evaluation.robust import centre, clipped_mean, dissatisfied, plain_mean

COUNTS = st.lists(st.integers(0, 40), min_size=5, max_size=5).filter(any)
MEAN, S2, A0 = st.floats(1, 5), st.floats(1 / 12, 4), st.floats(0.01, 1000)
CLIP = st.sampled_from([1.345, 2.0, math.inf])


@given(COUNTS, MEAN, S2, A0, CLIP, st.integers(0, 3), st.integers(1, 4))
def test_a_better_rating_never_lowers_the_clipped_mean(
    counts: list[int], mean: float, s2: float, a0: float, clip: float, grade: int, rise: int
) -> None:
    assume(counts[grade])
    better = list(counts)
    better[grade] -= 1
    better[min(grade + rise, 4)] += 1
    before = clipped_mean(counts, mean, s2, a0, clip)
    assert clipped_mean(better, mean, s2, a0, clip) >= before - 1e-12


@given(COUNTS, MEAN, S2, A0, st.sampled_from([1.345, 2.0]))
def test_the_centre_is_a_fixed_point_of_the_weighted_mean(
    counts: list[int], mean: float, s2: float, a0: float, clip: float
) -> None:
    bound = clip * math.sqrt(s2)
    t = centre(counts, mean, a0, bound)
    weights = [
        n * (1 if abs(grade - t) <= bound else bound / abs(grade - t))
        for grade, n in enumerate(counts, 1)
    ]
    pulled = sum(weight * grade for grade, weight in enumerate(weights, 1))
    assert t == pytest.approx((a0 * mean + pulled) / (a0 + sum(weights)), abs=1e-12)


@given(COUNTS, MEAN, S2, A0)
def test_without_a_clip_it_is_the_plain_mean(
    counts: list[int], mean: float, s2: float, a0: float
) -> None:
    assert clipped_mean(counts, mean, s2, a0, math.inf) == plain_mean(counts)
    assert clipped_mean(counts, mean, s2, a0, 1e6) == pytest.approx(plain_mean(counts), abs=1e-9)


def test_two_bombers_among_ten_move_the_clipped_mean_less_than_half_as_far_as_the_plain_one() -> (
    None
):
    honest, bombed = (0, 0, 1, 5, 4), (2, 0, 1, 3, 4)
    plain = plain_mean(honest) - plain_mean(bombed)
    clipped = [clipped_mean(counts, 4.2, 0.6, 5, 1.345) for counts in (honest, bombed)]
    assert 0 < clipped[0] - clipped[1] < plain / 2


def test_the_dissatisfied_are_counted_unclipped_with_wilsons_interval() -> None:
    none = dissatisfied((0, 0, 4, 3, 3), 0.95)
    assert (none.part, none.whole, none.low) == (0, 10, 0.0)
    assert none.high == pytest.approx(0.277533, abs=1e-6)  # z^2 / (n + z^2), worked by hand
    some = dissatisfied((3, 2, 0, 0, 45), 0.95)
    assert some.rate == 0.1
    assert (some.low, some.high) == pytest.approx((0.043476, 0.213602), abs=1e-6)


def test_a_crossing_lies_between_the_knots_around_it() -> None:
    assert crossing(lambda t: 2 - t, [0, 1, 5]) == 2
    assert crossing(lambda t: min(t, 1.0) - 1, [0, 1, 5]) == 1
    with pytest.raises(ValueError, match="do not bracket"):
        crossing(lambda t: t, [1, 2])
