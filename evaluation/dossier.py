"""Everything one quarter holds about one subject, before any judgement."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from evaluation.method import Category, Indicator, Method
from surveys.cells import Cell, RaterGroup, Turnout


@dataclass(frozen=True, slots=True)
class Dossier:
    """One subject in one quarter: its ordinary cells, who was asked, and what its work weighs.

    ``policy`` are the category weights that policy gives to the kinds of work it had, ``weights``
    those after its workload has moved them.
    """

    subject: str
    period: str
    cells: Mapping[tuple[RaterGroup, str], Cell]
    turnout: Mapping[RaterGroup, Turnout]
    policy: Mapping[Category, float]
    weights: Mapping[Category, float]

    def ratings(self, group: RaterGroup, indicator: str) -> int:
        """Number of ratings in a cell; 0 where there is none."""
        cell = self.cells.get((group, indicator))
        return cell.n if cell else 0

    def asked(self, group: RaterGroup) -> int:
        """How many of a rater group were asked; 0 where nothing says that any were."""
        turnout = self.turnout.get(group)
        return turnout.asked if turnout else 0


def indicator_weights(
    indicators: tuple[Indicator, ...], weights: Mapping[Category, float]
) -> dict[str, float]:
    """Weights of a group's indicators, summing to 1; empty where none of their categories weighs.

    Category weight times the indicator's share of its category, over the sum of these for all
    indicators that the group is asked: a group is weighed by what it was asked, not by how much.
    """
    raw = {each.id: weights[each.category] * each.weight for each in indicators}
    total = math.fsum(raw.values())
    return {key: value / total for key, value in raw.items()} if total > 0 else {}


def calibrated(
    method: Method, group: RaterGroup, known: Mapping[RaterGroup, Mapping[str, object]]
) -> tuple[Indicator, ...]:
    """The indicators that a group is asked and for which the class has constants."""
    return tuple(each for each in method.asked(group) if each.id in known.get(group, {}))
