"""Capitals and numerals of traffic signs as the middle lines of their strokes, after DIN 1451 (narrow
letters, even strokes).

A glyph is 1 tall; y runs from 0 at the top to 1 at the bottom.
"""

from __future__ import annotations

from collections.abc import Mapping

from .shapes import Point, arc, smooth

Stroke = list[Point]
Glyph = list[Stroke]

WIDTH = 0.43
R = WIDTH / 2
GAP = 0.33  # between the middle lines of neighbours


def _bent(*points: Point) -> Stroke:
    return smooth(points, closed=False)


def _turn_round(stroke: Stroke) -> Stroke:
    return [(WIDTH - x, 1 - y) for x, y in stroke]


# fmt: off
_OVAL = [*arc(R, R, R, 180, 360), *arc(R, 1 - R, R, 0, 180), (0.0, R)]
_SIX = [
    [(0.33, 0.0), (0.07, 0.48)],
    _bent(
        (R, 0.42), (0.37, 0.5), (WIDTH, 0.7), (0.37, 0.92), (R, 1.0),
        (0.06, 0.92), (0.0, 0.7), (0.06, 0.5), (R, 0.42),
    ),
]
GLYPHS: Mapping[str, Glyph] = {
    "0": [_OVAL],
    "1": [[(0.0, 0.24), (0.17, 0.0), (0.17, 1.0)]],
    "2": [[*arc(R, R, R, 185, 385), (0.0, 1.0), (WIDTH, 1.0)]],
    "3": [
        _bent((0.01, 0.17), (0.08, 0.04), (R, 0.0), (0.35, 0.06), (0.4, 0.23), (0.35, 0.39), (0.17, 0.45)),
        _bent((0.17, 0.45), (0.36, 0.51), (WIDTH, 0.71), (0.37, 0.93), (R, 1.0), (0.06, 0.94), (0.0, 0.8)),
    ],
    "4": [[(0.34, 1.0), (0.34, 0.0), (0.0, 0.74), (0.48, 0.74)]],
    "5": [
        [(0.39, 0.0), (0.06, 0.0), (0.03, 0.47)],
        _bent(
            (0.03, 0.47), (0.12, 0.38), (0.24, 0.36), (0.38, 0.45), (WIDTH, 0.67),
            (0.38, 0.92), (R, 1.0), (0.06, 0.94), (0.0, 0.82),
        ),
    ],
    "6": _SIX,
    "7": [[(0.0, 0.0), (WIDTH, 0.0), (0.12, 1.0)]],
    "8": [
        _bent(
            (R, 0.0), (0.36, 0.06), (0.4, 0.22), (0.36, 0.39), (R, 0.45),
            (0.07, 0.39), (0.03, 0.22), (0.07, 0.06), (R, 0.0),
        ),
        _bent(
            (R, 0.45), (0.38, 0.53), (WIDTH, 0.72), (0.38, 0.93), (R, 1.0),
            (0.05, 0.93), (0.0, 0.72), (0.05, 0.53), (R, 0.45),
        ),
    ],
    "9": [_turn_round(stroke) for stroke in _SIX],
    "D": [
        [(0.0, 0.0), *arc(0.18, 0.25, 0.25, 270, 360), *arc(0.18, 0.75, 0.25, 0, 90), (0.0, 1.0), (0.0, 0.0)],
    ],
    "E": [[(0.38, 0.0), (0.0, 0.0), (0.0, 1.0), (0.38, 1.0)], [(0.0, 0.48), (0.33, 0.48)]],
    "I": [[(0.0, 0.0), (0.0, 1.0)]],
    "L": [[(0.0, 0.0), (0.0, 1.0), (0.36, 1.0)]],
    "M": [[(0.0, 1.0), (0.0, 0.0), (0.27, 0.62), (0.54, 0.0), (0.54, 1.0)]],
    "O": [_OVAL],
    "P": [[(0.0, 1.0), (0.0, 0.0), *arc(0.18, 0.26, 0.26, 270, 450), (0.0, 0.52)]],
    "S": [
        _bent((0.42, 0.2), (0.36, 0.05), (R, 0.0), (0.06, 0.06), (0.0, 0.23), (0.07, 0.4), (R, 0.5)),
        _bent((R, 0.5), (0.36, 0.59), (WIDTH, 0.77), (0.37, 0.94), (R, 1.0), (0.06, 0.95), (0.0, 0.8)),
    ],
    "T": [[(0.0, 0.0), (0.44, 0.0)], [(0.22, 0.0), (0.22, 1.0)]],
}
# fmt: on


def strokes(text: str, width: float, height: float) -> list[Stroke]:
    """Set `text` in a box about the origin, `width` by `height` between the middle lines of outer strokes."""
    x = 0.0
    lines: list[Stroke] = []
    for letter in text:
        glyph = GLYPHS[letter]
        lines += [_move(stroke, x) for stroke in glyph]
        x += max(px for stroke in glyph for px, _ in stroke) + GAP
    natural = x - GAP
    return [_fit(stroke, natural, width, height) for stroke in lines]


def _move(stroke: Stroke, x: float) -> Stroke:
    return [(x + px, y) for px, y in stroke]


def _fit(stroke: Stroke, natural: float, width: float, height: float) -> Stroke:
    """Scale a stroke of a text that is `natural` wide and 1 tall to `width` by `height`, about the middle."""
    return [((px / natural - 0.5) * width, (y - 0.5) * height) for px, y in stroke]
