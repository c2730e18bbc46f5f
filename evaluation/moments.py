"""How much ratings differ within subjects and between them: moment estimators."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """What one subject contributes: weight, mean, sum of squares within, degrees of freedom."""

    weight: float
    mean: float
    within: float
    freedom: int

    @classmethod
    def of(cls, counts: Sequence[int]) -> Sample:
        """The sample behind a histogram of grades 1..5 with at least one rating."""
        n = sum(counts)
        mean = sum(grade * count for grade, count in enumerate(counts, 1)) / n
        squares = (count * (grade - mean) ** 2 for grade, count in enumerate(counts, 1))
        return cls(n, mean, math.fsum(squares), n - 1)


def variance_within(samples: Sequence[Sample]) -> float | None:
    """Pooled variance within subjects; None where no subject has two ratings."""
    freedom = sum(each.freedom for each in samples)
    return math.fsum(each.within for each in samples) / freedom if freedom else None


def variance_in_all(samples: Sequence[Sample]) -> float:
    """Variance of all ratings about their common mean: an upper bound for the one within."""
    weight = math.fsum(each.weight for each in samples)
    mean = math.fsum(each.weight * each.mean for each in samples) / weight
    spread = (each.within + each.weight * (each.mean - mean) ** 2 for each in samples)
    return math.fsum(spread) / max(1.0, weight - 1)


def variance_between(samples: Sequence[Sample], within: float) -> float:
    """Bühlmann and Straub's variance between subjects (1970).

    Not positive where noise explains everything. ValueError with fewer than two subjects.
    """
    if len(samples) < 2:
        raise ValueError("a variance between subjects needs at least two of them")
    weight = math.fsum(each.weight for each in samples)
    mean = math.fsum(each.weight * each.mean for each in samples) / weight
    spread = math.fsum(each.weight * (each.mean - mean) ** 2 for each in samples)
    scale = weight - math.fsum(each.weight**2 for each in samples) / weight
    return (spread - (len(samples) - 1) * within) / scale


def paule_mandel(values: Sequence[float], variances: Sequence[float]) -> float:
    """Variance between subjects whose values have known error variances (Paule and Mandel 1982).

    The t >= 0 at which the squared deviations, weighted by 1 / (t + variance), sum to their
    expectation, number of values - 1; 0 where they fall short of it already at t = 0.
    """

    def excess(t: float) -> float:
        weights = [1 / (t + each) for each in variances]
        pairs = list(zip(weights, values, strict=True))
        mean = math.fsum(w * v for w, v in pairs) / math.fsum(weights)
        return math.fsum(w * (v - mean) ** 2 for w, v in pairs) - (len(values) - 1)

    return 0.0 if len(values) < 2 or excess(0.0) <= 0 else _bisect(excess)


def _bisect(falling: Callable[[float], float]) -> float:
    """The zero above 0 of a falling function, as exactly as floats allow."""
    low, high = 0.0, 1.0
    while falling(high) > 0:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return high
