"""What outlives a tally: histograms of at least k ratings; nothing joins one to a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

GRADES = 5  # 1 非常不满意 … 5 非常满意


class RaterGroup(StrEnum):
    """Whose eyes a rating comes from: the four bodies of third-party evaluation, and one's own."""

    SUPERIOR = "SUP"
    PEER = "PEER"
    SUBORDINATE = "SUB"
    RECIPIENT = "SVC"
    SELF = "SELF"


THIRD_PARTIES: tuple[RaterGroup, ...] = tuple(
    group for group in RaterGroup if group is not RaterGroup.SELF
)
"""Those who rate others. A self-assessment stands beside what they say and never in it."""
NAMED: tuple[RaterGroup, ...] = (RaterGroup.SUPERIOR, RaterGroup.SELF)
"""Those whose rating is an act of office, told as theirs: the histogram of one may leave."""


@dataclass(frozen=True, slots=True)
class Cell:
    """All ratings of one subject on one indicator by one rater group in one wave.

    ``counts[j]`` is the number of ratings of grade ``j + 1``. ``pooled`` names the subjects whose
    cells were each too small and were merged into this one; it is empty for an ordinary cell, and
    then only ``subject`` is rated. A pooled cell describes its pool (``subject`` is their parent
    unit), never a single subject, and is not scored.
    """

    subject: str
    indicator: str
    group: RaterGroup
    counts: tuple[int, ...]
    pooled: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.counts) != GRADES or min(self.counts) < 0:
            raise ValueError(f"a cell has {GRADES} counts of at least 0, not {self.counts}")

    @property
    def n(self) -> int:
        """Number of ratings."""
        return sum(self.counts)

    @property
    def mean(self) -> float:
        """Plain mean, 1..5; a cell without ratings has none (ZeroDivisionError)."""
        return sum(grade * count for grade, count in enumerate(self.counts, 1)) / self.n


@dataclass(frozen=True, slots=True)
class Reasons:
    """How often each reason was named, by at least k; ``n`` ballots named one of these."""

    subject: str
    question: str
    group: RaterGroup
    n: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Turnout:
    """Who was asked and who answered, for one subject and rater group.

    ``answered`` is None where fewer than k answered: an exact small number would tell on people.
    """

    subject: str
    group: RaterGroup
    asked: int
    answered: int | None


@dataclass(frozen=True, slots=True)
class Spread:
    """Pooled within-subject variance of one rater's composite over a whole comparison class.

    The only figure that needs whole ballots: it is computed inside the tally and leaves as one
    number for at least k ballots. ``variance`` is in squared rating units (1..5).
    """

    rating_class: str
    group: RaterGroup
    variance: float
    ballots: int


@dataclass(frozen=True, slots=True)
class Withheld:
    """A cell that was not written: ``merged`` into the parent unit's pool, or ``dropped``."""

    subject: str
    group: RaterGroup
    indicator: str
    fate: str
    into: str | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """Everything that leaves a ballot box.

    ``remarks`` are shuffled comments by subject, only where there are at least ten of them.
    """

    cells: tuple[Cell, ...] = ()
    reasons: tuple[Reasons, ...] = ()
    turnout: tuple[Turnout, ...] = ()
    spreads: tuple[Spread, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    remarks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ballots: int = 0
    spoiled: int = 0  # ballots that could not be opened or read; counted, never guessed
