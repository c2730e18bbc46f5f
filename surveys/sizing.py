"""How many people to ask, so that a figure is as precise as somebody wants it.

Formulas of simple random sampling without replacement: Cochran, Sampling Techniques (3rd ed.,
1977), chapter 4.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

SCORE_SD = 20.0
"""Points of 100 by which people's scores of one subject differ, where nothing better is known."""


class Measure(StrEnum):
    """What is to be precise."""

    SCORE = "score"  # a mean score, in points of 100
    SHARE = "share"  # a share of people, in percentage points


@dataclass(frozen=True, slots=True)
class Precision:
    """Within ``points`` either way (> 0, points of 100), in ``confidence`` of the cases (0..1).

    ``sd`` is the standard deviation of one answer in the same points; ``response`` is the share
    of people asked who answer (0 < .. <= 1). ValueError where a number is out of bounds.
    """

    points: float
    confidence: float = 0.95
    sd: float = SCORE_SD
    response: float = 1.0

    def __post_init__(self) -> None:
        bounds = {
            "points": 0 < self.points <= 100,
            "confidence": 0 < self.confidence < 1,
            "sd": 0 < self.sd <= 100,
            "response": 0 < self.response <= 1,
        }
        for name, within in bounds.items():
            if not within:
                raise ValueError(f"{name} cannot be {getattr(self, name)}")

    @classmethod
    def of(
        cls,
        measure: Measure,
        points: float,
        confidence: float,
        response: float = 1.0,
        sd: float = SCORE_SD,
    ) -> Precision:
        """The same for a measure: a share is least precise at one half, where its SD is 50."""
        spread = 50.0 if measure is Measure.SHARE else sd
        return cls(points, confidence, spread, response)


@dataclass(frozen=True, slots=True)
class Size:
    """``answers`` of ``population`` are needed; to get them ``people`` are to be asked."""

    population: int
    answers: int
    people: int

    @property
    def enough(self) -> bool:
        """Whether those who are there will do, answering as expected."""
        return self.people <= self.population


def answers_needed(population: int, wanted: Precision) -> int:
    """n = n0 / (1 + (n0 - 1) / N) with n0 = (z * SD / e)^2, rounded up; 0 of nobody.

    z is the two-sided quantile of the normal distribution: 1.96 for 95 %.
    """
    if population <= 0:
        return 0
    z = NormalDist().inv_cdf((1 + wanted.confidence) / 2)
    endless = (z * wanted.sd / wanted.points) ** 2
    corrected = endless / (1 + (endless - 1) / population)
    # less than one answer is one; a rounding error is no further person
    return min(population, max(1, math.ceil(corrected - 1e-9)))


def size(population: int, wanted: Precision) -> Size:
    """How many of ``population`` to ask: the answers needed, over the share that responds."""
    answers = answers_needed(population, wanted)
    return Size(population, answers, math.ceil(answers / wanted.response - 1e-9))


def size_in_each(strata: Mapping[str, int], wanted: Precision) -> Size:
    """How many to ask in all, drawn in proportion, so that every stratum by itself is as precise.

    ``strata`` are the people of each. A stratum of N_h people of N gets n * N_h / N, so
    n = max over h of n_h * N / N_h.
    """
    population = sum(strata.values())
    shares = [(size(count, wanted), count) for count in strata.values() if count > 0]
    people = max((math.ceil(one.people * population / count - 1e-9) for one, count in shares),
                 default=0)  # fmt: skip
    return Size(population, sum(one.answers for one, _ in shares), people)


def margin(population: int, answers: int, wanted: Precision) -> float:
    """The points either way that ``answers`` (> 0) of ``population`` give; the formula reversed.

    e = z * SD / sqrt(n) * sqrt((N - n) / (N - 1)); 0 where everybody answered.
    """
    if answers >= population:
        return 0.0
    z = NormalDist().inv_cdf((1 + wanted.confidence) / 2)
    left = (population - answers) / (population - 1)
    return z * wanted.sd / math.sqrt(answers) * math.sqrt(left)
