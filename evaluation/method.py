"""A published way of scoring: every choice that turns counts into a scorecard, in one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256

from evaluation.canonical import dump
from surveys.cells import RaterGroup

POINTS = 20.0  # display points per grade: grade 3, 基本满意, is the pass mark 60


class Category(StrEnum):
    """Kinds of work: 基本性, 阶段性, 急难险重性."""

    BASIC = "basic"
    PHASED = "phased"
    URGENT = "urgent"


@dataclass(frozen=True, slots=True)
class GroupRule:
    """How one rater group counts: its policy weight, least number of ratings, and clip.

    ``clip`` is in within-subject standard deviations; infinity means that nothing is clipped.
    """

    weight: float
    least: int
    clip: float


@dataclass(frozen=True, slots=True)
class CategoryRule:
    """Policy weight of a category of work, and what one workload point in it counts for."""

    weight: float
    urgency: float
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Band:
    """A grade of the result: scores from ``start`` up to the next band's; names by language."""

    id: str
    start: float
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Indicator:
    """One thing that is rated: ``weight`` is its share of its category, ``asked`` the groups."""

    id: str
    category: Category
    weight: float
    names: Mapping[str, str]
    asked: tuple[RaterGroup, ...]


@dataclass(frozen=True, slots=True)
class Method:
    """A scoring method; `docs/method/scoring.md` says what each number does.

    Weights are shares in 0..1, probabilities in 0..1, ``review_gap`` is in points of 100. Made by
    `evaluation.method_file`, which checks it; the order of groups, categories, bands and
    indicators is the order of every table that is made from it.
    """

    name: str
    groups: Mapping[RaterGroup, GroupRule]
    categories: Mapping[Category, CategoryRule]
    bands: tuple[Band, ...]
    indicators: tuple[Indicator, ...]
    gamma: float  # how far category weights follow this quarter's workload
    delta: float  # furthest a category weight may move from its policy weight
    urgent_floor: float  # least weight of urgent work where there was any
    interval_level: float
    band_probability: float  # a band is determined from this probability on
    max_group_weight: float
    min_group_weight: float  # least policy weight that must have been heard
    min_groups: int
    needs_one_of: tuple[RaterGroup, ...]
    min_indicator_weight: float  # least weight of its indicators on which a group must be heard
    min_class: int  # least number of subjects from which differences can be estimated
    se_inflation: float  # standard errors are multiplied by this: the constants are estimates too
    review_gap: float  # a human looks where clipping moves the score by more than this
    nonresponse_cap: str  # highest band where a group was asked and stayed silent

    @property
    def version(self) -> str:
        """Name and a short hash of the whole content: two methods that differ have two versions."""
        return f"{self.name}@{sha256(dump(self)).hexdigest()[:10]}"

    def asked(self, group: RaterGroup) -> tuple[Indicator, ...]:
        """The indicators that ``group`` is asked about."""
        return tuple(each for each in self.indicators if group in each.asked)

    def with_indicators(self, ids: Sequence[str]) -> Method:
        """This method for data with indicators of its own: basic, of equal weight, asked of all."""
        if not ids or len(set(ids)) != len(ids):
            raise ValueError(f"indicator ids must be distinct and at least one, not {list(ids)}")
        groups = tuple(self.groups)
        made = (Indicator(i, Category.BASIC, 1 / len(ids), {"zh": i, "en": i}, groups) for i in ids)
        return replace(self, indicators=tuple(made))
