"""What officials say of themselves, put beside what others say and never into it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from evaluation.dossier import indicator_weights
from evaluation.method import POINTS, Category, Method
from surveys.cells import Cell, RaterGroup


@dataclass(frozen=True, slots=True)
class SelfAssessment:
    """One official's own marks, in points of 20 to 100.

    ``marks`` by indicator, in the method's order, each the mean of the quarter's waves; ``points``
    is their mean by the weights that the work had on the card, ``gap`` how far that lies above the
    published score. Both are None where the method weighs none of these indicators, the gap also
    where there is no score.
    """

    marks: Mapping[str, int]
    points: int | None
    gap: int | None


def self_assessment(
    subject: str,
    cells: Iterable[Cell],
    method: Method,
    category_weights: Mapping[Category, float],
    value: int | None,
) -> SelfAssessment | None:
    """The marks among ``cells`` that ``subject`` gave themselves; None without any.

    ``category_weights`` are those of the card, ``value`` its published score.
    """
    given: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.group is RaterGroup.SELF and cell.subject == subject and cell.n:
            given.setdefault(cell.indicator, []).append(cell)
    if not given:
        return None
    exact = {name: POINTS * _mean(of_waves) for name, of_waves in given.items()}
    points = _weighed(exact, method, category_weights)
    gap = None if points is None or value is None else points - value
    known = [each.id for each in method.indicators]
    listed = sorted(exact, key=lambda name: known.index(name) if name in known else len(known))
    return SelfAssessment({name: round(exact[name]) for name in listed}, points, gap)


def _mean(cells: Iterable[Cell]) -> float:
    known = [(cell.n, cell.mean) for cell in cells]
    return math.fsum(n * mean for n, mean in known) / sum(n for n, _ in known)


def _weighed(
    marks: Mapping[str, float], method: Method, category_weights: Mapping[Category, float]
) -> int | None:
    marked = tuple(each for each in method.indicators if each.id in marks)
    weights = indicator_weights(marked, category_weights)
    return round(math.fsum(w * marks[i] for i, w in weights.items())) if weights else None
