"""What a quarter's tasks say about how much each kind of work should weigh (适应性权重)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from evaluation.crossing import crossing
from evaluation.method import Category, Method


@dataclass(frozen=True, slots=True)
class Task:
    """A task of one subject in one quarter, with its approved size.

    ``workload`` is in points (>= 0), fixed by someone other than the subject; ``exposure`` is the
    share of the task's days that fall in the quarter (0..1). ValueError outside these ranges.
    """

    subject: str
    category: Category
    workload: float
    exposure: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.workload) and self.workload >= 0):
            raise ValueError(f"workload must be at least 0 points, not {self.workload}")
        if not 0 <= self.exposure <= 1:
            raise ValueError(f"exposure must be from 0 to 1, not {self.exposure}")


def loads(tasks: Iterable[Task], method: Method) -> dict[Category, float]:
    """Points of work per category, size x exposure x urgency.

    ValueError for a category that the method does not weigh.
    """
    points: dict[Category, list[float]] = {category: [] for category in method.categories}
    for task in tasks:
        if task.category not in points:
            raise ValueError(f"the method {method.name} does not weigh {task.category} work")
        urgency = method.categories[task.category].urgency
        points[task.category].append(task.workload * task.exposure * urgency)
    return {category: math.fsum(each) for category, each in points.items()}


def policy_weights(
    method: Method, load: Mapping[Category, float] | None = None
) -> dict[Category, float]:
    """Policy weights of the categories with any ``load`` (without it, of all), summing to 1."""
    policy = {category: rule.weight for category, rule in method.categories.items()}
    active = [each for each in policy if load and load.get(each, 0) > 0] or list(policy)
    total = math.fsum(policy[each] for each in active)
    return {each: policy[each] / total if each in active else 0.0 for each in policy}


def category_weights(load: Mapping[Category, float], method: Method) -> dict[Category, float]:
    """Category weights of one subject: near policy, drawn towards its workload, and summing to 1.

    A category without work weighs 0; no other weight is further than ``delta`` from its policy
    share, and none falls when its own load grows. Only proportions of ``load`` matter. A subject
    without any task keeps the policy weights. (Euclidean projection onto a box in the simplex.)
    """
    policy, total = policy_weights(method, load), math.fsum(load.values())
    if total <= 0:
        return policy
    share = {each: weight for each, weight in policy.items() if weight > 0}
    target = {
        each: (1 - method.gamma) * part + method.gamma * load[each] / total
        for each, part in share.items()
    }
    low, high = _box(share, method)
    bottom = math.fsum(low.values())
    if bottom >= 1:
        found = {each: edge / bottom for each, edge in low.items()}
    else:
        found = _fill(target, low, high)
    return {category: found.get(category, 0.0) for category in policy}


def _box(
    share: Mapping[Category, float], method: Method
) -> tuple[dict[Category, float], dict[Category, float]]:
    low = {each: max(0.0, part - method.delta) for each, part in share.items()}
    high = {each: part + method.delta for each, part in share.items()}
    urgent = Category.URGENT
    if urgent in share and len(share) > 1:
        low[urgent] = max(low[urgent], min(method.urgent_floor, high[urgent]))
    return low, high


def _fill(
    target: Mapping[Category, float],
    low: Mapping[Category, float],
    high: Mapping[Category, float],
) -> dict[Category, float]:
    """Shift all targets by one amount, each kept in its box, so that they sum to 1."""

    def at(shift: float) -> dict[Category, float]:
        return {c: min(max(z + shift, low[c]), high[c]) for c, z in target.items()}

    knots = [edge[c] - z for c, z in target.items() for edge in (low, high)]
    return at(crossing(lambda shift: math.fsum(at(shift).values()) - 1, knots))
