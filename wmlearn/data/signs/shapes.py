"""Outlines as lists of points; angles run clockwise, from the right."""

from __future__ import annotations

from collections.abc import Sequence
from math import atan2, cos, hypot, pi, radians, sin

Point = tuple[float, float]


def regular(corners: int, radius: float, first: float) -> list[Point]:
    """Return the corners of a regular polygon about the origin, the first at the angle `first` (radians)."""
    angles = [first + 2 * pi * i / corners for i in range(corners)]
    return [(radius * cos(angle), radius * sin(angle)) for angle in angles]


def arc(x: float, y: float, radius: float, start: float, end: float, steps: int = 16) -> list[Point]:
    """Return points of the circle about (x, y), from the angle `start` to `end` (degrees)."""
    angles = [radians(start + (end - start) * i / steps) for i in range(steps + 1)]
    return [(x + radius * cos(angle), y + radius * sin(angle)) for angle in angles]


def rounded(points: Sequence[Point], radius: float, steps: int = 6) -> list[Point]:
    """Cut every corner of a polygon, `radius` before and after it, and put a curve there."""
    outline = []
    for i, corner in enumerate(points):
        start = _towards(corner, points[i - 1], radius)
        end = _towards(corner, points[(i + 1) % len(points)], radius)
        for t in _shares(steps):
            weights = ((1 - t) ** 2, 2 * t * (1 - t), t**2)  # of Bernstein: a curve of Bézier
            outline.append(_blend((start, corner, end), weights))
    return outline


def smooth(points: Sequence[Point], *, closed: bool = True, steps: int = 6) -> list[Point]:
    """Return a curve through `points` (Catmull and Rom 1974)."""
    n = len(points)
    outline = []
    for i in range(n if closed else n - 1):
        around = range(i - 1, i + 3)  # the two points that the curve runs between, and those beside them
        near = [points[k % n] if closed else points[min(max(k, 0), n - 1)] for k in around]
        for t in (step / steps for step in range(steps)):
            weights = -t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2
            outline.append(_blend(near, [weight / 2 for weight in weights]))
    return outline if closed else [*outline, points[-1]]


def direction(start: Point, end: Point) -> float:
    """Return the angle of the way from `start` to `end`, in radians."""
    return atan2(end[1] - start[1], end[0] - start[0])


def shortened(points: Sequence[Point], length: float) -> list[Point]:
    """Return a line that ends `length` before its last point; its last stretch must be longer than that."""
    return [*points[:-1], _towards(points[-1], points[-2], length)]


def _towards(start: Point, end: Point, length: float) -> Point:
    share = length / hypot(end[0] - start[0], end[1] - start[1])
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _blend(points: Sequence[Point], weights: Sequence[float]) -> Point:
    pairs = list(zip(weights, points, strict=True))
    return sum(w * p[0] for w, p in pairs), sum(w * p[1] for w, p in pairs)


def _shares(steps: int) -> list[float]:
    return [step / (steps - 1) for step in range(steps)]
