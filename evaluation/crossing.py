"""Where a monotone broken line crosses zero."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise


def crossing(line: Callable[[float], float], knots: Iterable[float]) -> float:
    """The zero of a monotone function that is straight between neighbouring ``knots``.

    Exact up to rounding, with no iteration and no tolerance to choose: two knots bracket the zero,
    and between them the function is a straight line. The outermost knots must bracket it
    (ValueError otherwise). On a flat stretch at zero its left end is returned.
    """
    points = [(knot, line(knot)) for knot in sorted(set(knots))]
    for (left, at_left), (right, at_right) in pairwise(points):
        if at_left == 0:
            return left
        if (at_left > 0) != (at_right > 0):
            return left + (right - left) * (at_left / (at_left - at_right))
    if points and points[-1][1] == 0:
        return points[-1][0]
    raise ValueError("the outermost knots do not bracket a zero")
