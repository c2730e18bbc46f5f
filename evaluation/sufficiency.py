"""When there is enough to give a score at all (数据不足 otherwise)."""

from __future__ import annotations

import math

from evaluation.composite import Composite
from evaluation.method import Method
from evaluation.reason import Reason


def shortfalls(found: Composite, method: Method) -> tuple[Reason, ...]:
    """What is missing for a score: weight, number of groups, a voice from below or outside.

    Empty where nothing is missing.
    """
    heard = [each.group for each in found.heard]
    if not heard:
        return (Reason("no_group_heard"),)
    weight = math.fsum(method.groups[each].weight for each in heard)
    missing = []
    if weight < method.min_group_weight - 1e-12:
        arguments = {"heard": round(100 * weight), "needed": round(100 * method.min_group_weight)}
        missing.append(Reason("too_little_weight", arguments))
    if len(heard) < method.min_groups:
        arguments = {"heard": len(heard), "needed": method.min_groups}
        missing.append(Reason("too_few_groups", arguments))
    if not set(heard) & set(method.needs_one_of):
        missing.append(Reason("needed_group_silent", {"groups": ", ".join(method.needs_one_of)}))
    return tuple(missing)
