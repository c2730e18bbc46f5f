"""Lengths and areas on the globe, as ODK computes them (JavaRosa, GeoUtils).

A point is ODK's ``latitude longitude altitude accuracy`` in degrees and metres; a line or a shape
is points with semicolons between, a shape's last point being its first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations, pairwise

Point = tuple[float, float]
"""Latitude and longitude, in degrees."""

_RADIUS = 6_378_100.0  # of the Earth at the equator, in metres
_DEGREE = math.pi * _RADIUS / 180


def points_of(text: str) -> list[Point] | None:
    """The points of a point, a line or a shape; None where something is none."""
    points = []
    for written in filter(None, (part.strip() for part in text.split(";"))):
        try:
            latitude, longitude = (float(number) for number in written.split()[:2])
        except ValueError:
            return None
        if not (abs(latitude) <= 90 and abs(longitude) <= 180):
            return None
        points.append((latitude, longitude))
    return points


def length(points: Sequence[Point]) -> float:
    """The way along ``points``, in metres, by the spherical law of cosines."""
    return math.fsum(_distance(a, b) for a, b in pairwise(points))


def _distance(a: Point, b: Point) -> float:
    north, south = math.radians(a[0]), math.radians(b[0])
    cosine = math.sin(north) * math.sin(south) + math.cos(north) * math.cos(south) * math.cos(
        math.radians(a[1] - b[1])
    )
    return math.acos(max(-1.0, min(1.0, cosine))) * _RADIUS


def area(points: Sequence[Point]) -> float:
    """What ``points`` enclose, in square metres: triangles from the first point, on a plane."""
    if len(points) < 3:
        return 0.0
    plane = [
        ((p[0] - points[0][0]) * _DEGREE, (p[1] - points[0][1]) * _DEGREE * _cosine(p[0]))
        for p in points[1:]
    ]
    return abs(sum(y1 * x2 - x1 * y2 for (y1, x1), (y2, x2) in pairwise(plane)) / 2)


def _cosine(degrees: float) -> float:
    return math.cos(math.radians(degrees))


def within(point: Point, shape: Sequence[Point]) -> bool:
    """Whether ``point`` lies in the closed ``shape`` (W. R. Franklin's pnpoly)."""
    inside = False
    for (y1, x1), (y2, x2) in pairwise(shape):
        crosses = (y2 > point[0]) != (y1 > point[0])
        if crosses and point[1] < (x1 - x2) * (point[0] - y2) / (y1 - y2) + x2:
            inside = not inside
    return inside


def crosses_itself(points: Sequence[Point]) -> bool:
    """Whether two segments meet elsewhere than where one ends and the next begins."""
    segments = list(pairwise(points))
    closed = len(points) > 2 and points[0] == points[-1]
    return any(
        _meet(*segments[i], *segments[j])
        for i, j in combinations(range(len(segments)), 2)
        if j > i + 1 and not (closed and i == 0 and j == len(segments) - 1)
    )


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    sides = (_side(a, b, c), _side(a, b, d), _side(c, d, a), _side(c, d, b))
    if sides[0] != sides[1] and sides[2] != sides[3]:
        return True
    touching = zip(sides, ((a, b, c), (a, b, d), (c, d, a), (c, d, b)), strict=True)
    return any(side == 0 and _between(*points) for side, points in touching)


def _side(a: Point, b: Point, c: Point) -> int:
    """Which side of the line from ``a`` to ``b`` has ``c``: 1, -1, or 0 on it."""
    turn = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return (turn > 0) - (turn < 0)


def _between(a: Point, b: Point, c: Point) -> bool:
    return all(min(a[i], b[i]) <= c[i] <= max(a[i], b[i]) for i in (0, 1))
