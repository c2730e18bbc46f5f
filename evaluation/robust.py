"""The mean of one cell with far-off ratings pulled in, and the plain share of the dissatisfied."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from evaluation.crossing import crossing
from surveys.cells import GRADES


def plain_mean(counts: Sequence[int]) -> float:
    """Mean grade, 1..5, of a histogram with at least one rating."""
    return sum(grade * n for grade, n in enumerate(counts, 1)) / sum(counts)


def centre(counts: Sequence[int], mean: float, a0: float, bound: float) -> float:
    """Where it balances: a0 (mean - t) + sum n_k clip(k - t, -bound, bound) = 0.

    The Huber location of the ratings joined with ``a0`` ratings at the class ``mean`` (Huber 1964,
    with an empirical-Bayes prior). The left side is a falling broken line in t, so its zero is
    found exactly, not by iteration. Grades and the result are in 1..5; a0 > 0, bound > 0.
    """

    def balance(t: float) -> float:
        pulls = (n * _clip(grade - t, bound) for grade, n in enumerate(counts, 1))
        return a0 * (mean - t) + math.fsum(pulls)

    corners = [grade + side for grade in range(1, GRADES + 1) for side in (-bound, bound)]
    return crossing(balance, [1.0, float(GRADES), *(each for each in corners if 1 < each < GRADES)])


def clipped_mean(counts: Sequence[int], mean: float, s2: float, a0: float, clip: float) -> float:
    """Mean grade with ratings further than ``clip`` deviations from the centre pulled in.

    Needs only the histogram, treats equal ratings alike, and never falls when a rating rises.
    Without its anchor shift (`Constants.shift`). An infinite ``clip`` gives the plain mean.
    """
    if math.isinf(clip):
        return plain_mean(counts)
    bound = clip * math.sqrt(s2)
    t = centre(counts, mean, a0, bound)
    pulled = (n * _clip(grade - t, bound) for grade, n in enumerate(counts, 1))
    return t + math.fsum(pulled) / sum(counts)


def _clip(distance: float, bound: float) -> float:
    return max(-bound, min(bound, distance))


@dataclass(frozen=True, slots=True)
class Share:
    """``part`` of ``whole`` ratings, and between which shares (0..1) the truth likely lies."""

    part: int
    whole: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        return self.part / self.whole


def dissatisfied(counts: Sequence[int], level: float) -> Share:
    """Share of grades 1 and 2, unclipped, with Wilson's score interval at ``level`` (Wilson 1927).

    It stands beside the clipped mean so that a mistreated minority cannot vanish in it.
    """
    part, whole = counts[0] + counts[1], sum(counts)
    z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2
    middle = (part + z2 / 2) / (whole + z2)
    reach = math.sqrt(z2 * (part * (whole - part) / whole + z2 / 4)) / (whole + z2)
    return Share(part, whole, max(0.0, middle - reach), min(1.0, middle + reach))
