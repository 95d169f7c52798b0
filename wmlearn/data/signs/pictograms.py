"""The pictures on signs: each a function (pen, colour) that draws about the origin, in a box from -1 to 1.

Where a German sign has the picture, its proportions were measured on photographs of the German benchmark.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi

from .pen import GREEN, ORANGE, RED, WHITE, Colour, Pen, Pictogram
from .shapes import Point, arc, direction, regular, shortened

# ---- a pictogram made of others


def mirrored(pictogram: Pictogram) -> Pictogram:
    """Return the pictogram with left and right exchanged."""
    return lambda pen, colour: pictogram(pen.at(0, 0, mirror=True), colour)


def coloured(pictogram: Pictogram, paint: Colour) -> Pictogram:
    """Return the pictogram in a colour of its own."""
    return lambda pen, colour: pictogram(pen, paint)


def placed(pictogram: Pictogram, x: float, y: float, scale: float) -> Pictogram:
    """Return the pictogram about (x, y), `scale` times as large."""
    return lambda pen, colour: pictogram(pen.at(x, y, scale), colour)


def together(*pictograms: Pictogram) -> Pictogram:
    """Return a pictogram that draws all of these, one after the other."""

    def draw(pen: Pen, colour: Colour) -> None:
        for pictogram in pictograms:
            pictogram(pen, colour)

    return draw


# ---- arrows


def arrow(pen: Pen, points: Sequence[Point], width: float, head: float, colour: Colour) -> None:
    """Draw a line that ends in a barbed head, `head` wide to each side, its tip on the last point."""
    pen.line(shortened(points, 0.3 * head), width, colour, blunt=True)
    barbs = [
        (0.0, 0.0),
        (-1.0, 1.0),
        (-1.42, 0.95),
        (-0.85, 0.2),
        (-0.85, -0.2),
        (-1.42, -0.95),
        (-1.0, -1.0),
    ]
    pen.at(*points[-1], head, turn=direction(points[-2], points[-1])).polygon(barbs, colour)


def pointer(pen: Pen, points: Sequence[Point], width: float, head: float, colour: Colour) -> None:
    """Draw a line that ends in a plain triangle, `head` wide to each side, its tip on the last point."""
    pen.line(shortened(points, head), width, colour, blunt=True)
    pen.at(*points[-1], head, turn=direction(points[-2], points[-1])).polygon(
        [(0, 0), (-1.5, 1), (-1.5, -1)], colour
    )


def ahead(pen: Pen, colour: Colour) -> None:
    """An arrow straight up."""
    arrow(pen, [(0, 0.98), (0, -0.92)], 0.28, 0.62, colour)


def right(pen: Pen, colour: Colour) -> None:
    """An arrow that comes from below and turns to the right."""
    arrow(pen, [(-0.36, 0.92), *arc(0.04, 0.05, 0.4, 180, 270), (0.92, -0.35)], 0.29, 0.5, colour)


def ahead_or_right(pen: Pen, colour: Colour) -> None:
    """An arrow up, with a branch to the right."""
    arrow(pen, [(-0.25, 0.92), (-0.25, -0.92)], 0.24, 0.38, colour)
    arrow(pen, [(-0.22, 0.75), *arc(0.3, 0.65, 0.5, 185, 265, steps=8), (0.95, 0.1)], 0.24, 0.38, colour)


def down_right(pen: Pen, colour: Colour) -> None:
    """An arrow down to the right: pass on this side."""
    arrow(pen, [(-0.72, -0.7), (0.65, 0.62)], 0.26, 0.68, colour)


def roundabout(pen: Pen, colour: Colour) -> None:
    """Three arrows that run round anticlockwise; the plate is hung any way up."""
    for third in range(3):
        tip = 120 * (third + pen.style.spin)
        arrow(pen, arc(0, 0, 0.74, tip + 94, tip, steps=6), 0.17, 0.29, colour)


# ---- roads


def exclamation(pen: Pen, colour: Colour) -> None:
    """A bar over a dot: danger of any kind."""
    pen.blob(
        [
            (-0.19, -0.92),
            (0, -1.08),
            (0.19, -0.92),
            (0.18, -0.5),
            (0.1, 0.2),
            (0, 0.27),
            (-0.1, 0.2),
            (-0.18, -0.5),
        ],
        colour,
    )
    pen.disc(0, 0.6, 0.19, colour)


def curve_left(pen: Pen, colour: Colour) -> None:
    """A road that bends to the left."""
    outer = [
        (0.47, 0.68),
        (0.48, 0.2),
        (0.4, -0.08),
        (0.2, -0.28),
        (-0.1, -0.36),
        (-0.4, -0.3),
        (-0.6, -0.13),
    ]
    inner = [(-0.5, -0.06), (-0.3, -0.05), (-0.05, -0.05), (0.1, 0.02), (0.17, 0.2), (0.17, 0.68)]
    pen.polygon([*outer, *inner], colour)


def double_curve(pen: Pen, colour: Colour) -> None:
    """A road that bends left, then right."""
    outer = [
        (-0.17, -0.76),
        (-0.11, -0.5),
        (-0.09, 0.02),
        (0.3, -0.24),
        (0.48, -0.16),
        (0.52, 0.04),
        (0.52, 0.64),
    ]
    inner = [
        (0.24, 0.64),
        (0.24, 0.18),
        (0.16, 0.12),
        (-0.16, 0.32),
        (-0.32, 0.24),
        (-0.35, 0.0),
        (-0.33, -0.5),
        (-0.25, -0.76),
    ]
    pen.polygon([*outer, *inner], colour)


def bend_left(pen: Pen, colour: Colour) -> None:
    """An arrow that bends to the left, as in America."""
    pointer(pen, [(0.35, 0.95), (0.35, 0.35), (0.28, 0.0), (0.1, -0.3), (-0.4, -0.75)], 0.28, 0.38, colour)


def turn_left(pen: Pen, colour: Colour) -> None:
    """An arrow that turns sharply to the left, as in America."""
    pointer(pen, [(0.4, 0.9), (0.4, -0.3), (-0.75, -0.3)], 0.28, 0.38, colour)


def crossroad(pen: Pen, colour: Colour) -> None:
    """Two roads that cross."""
    pen.line([(0, -0.8), (0, 0.8)], 0.3, colour, blunt=True)
    pen.line([(-0.8, 0), (0.8, 0)], 0.3, colour, blunt=True)


def diagonal_cross(pen: Pen, colour: Colour) -> None:
    """Two roads of equal rank that cross."""
    pen.line([(-0.5, -0.35), (0.5, 0.65)], 0.24, colour)
    pen.line([(0.5, -0.35), (-0.5, 0.65)], 0.24, colour)


def side_road(pen: Pen, colour: Colour) -> None:
    """A road with another one from the right."""
    pen.line([(-0.25, -0.9), (-0.25, 0.9)], 0.3, colour, blunt=True)
    pen.line([(-0.25, 0), (0.8, 0)], 0.3, colour, blunt=True)


def tee(pen: Pen, colour: Colour) -> None:
    """A road that ends at another one."""
    pen.line([(0, -0.4), (0, 0.9)], 0.3, colour, blunt=True)
    pen.line([(-0.9, -0.4), (0.9, -0.4)], 0.3, colour, blunt=True)


def priority(pen: Pen, colour: Colour) -> None:
    """A wide road up, across a narrow one."""
    half = [
        (0, -0.72),
        (0.15, -0.58),
        (0.29, -0.28),
        (0.32, -0.02),
        (0.26, 0.3),
        (0.33, 0.68),
        (0.19, 0.68),
        (0, 0.46),
    ]
    pen.polygon([*half, *((-x, y) for x, y in reversed(half))], colour)
    pen.line([(-0.64, 0.05), (0.64, 0.05)], 0.19, colour)


def narrow_right(pen: Pen, colour: Colour) -> None:
    """A road whose right edge comes in."""
    pen.line([(-0.3, -0.6), (-0.3, 0.76)], 0.2, colour, blunt=True)
    pen.line([(0.12, -0.6), (0.12, -0.12), (0.32, 0.16), (0.32, 0.76)], 0.19, colour, blunt=True)


def merge(pen: Pen, colour: Colour) -> None:
    """A road that another one joins from the right."""
    pointer(pen, [(-0.15, 0.95), (-0.15, -0.95)], 0.28, 0.36, colour)
    pen.line([(0.5, 0.85), (0.35, 0.45), (-0.1, 0.0)], 0.24, colour, blunt=True)


def two_way(pen: Pen, colour: Colour) -> None:
    """One arrow down, one up."""
    pointer(pen, [(-0.4, -0.8), (-0.4, 0.8)], 0.24, 0.32, colour)
    pointer(pen, [(0.4, 0.8), (0.4, -0.8)], 0.24, 0.32, colour)


def bumps(pen: Pen, colour: Colour) -> None:
    """Two bumps in a road."""
    half = [
        (0.0, 0.58),
        (0.12, 0.52),
        (0.24, 0.36),
        (0.4, 0.28),
        (0.56, 0.38),
        (0.68, 0.54),
        (0.86, 0.66),
        (0.88, 0.8),
    ]
    pen.polygon([*half, *((-x, y) for x, y in reversed(half))], colour)


def signals(pen: Pen, colour: Colour) -> None:
    """Traffic lights: red, amber, green."""
    for y, light in ((-0.68, RED), (-0.07, ORANGE), (0.54, GREEN)):
        pen.disc(0, y, 0.26, light)


def signals_framed(pen: Pen, colour: Colour) -> None:
    """Traffic lights in a black frame, as in America."""
    pen.box(-0.36, -0.95, 0.36, 0.95, colour, corner=0.1)
    for y, light in ((-0.6, RED), (0, ORANGE), (0.6, GREEN)):
        pen.disc(0, y, 0.23, light)


def stop_ahead(pen: Pen, colour: Colour) -> None:
    """An arrow over a small stop sign."""
    pointer(pen, [(0, -0.1), (0, -1.0)], 0.24, 0.3, colour)
    sign = pen.at(0, 0.42, 0.5)
    for radius, paint in ((1.0, WHITE), (0.9, RED)):
        sign.polygon(regular(8, radius, pi / 8), paint)


def snow(pen: Pen, colour: Colour) -> None:
    """A snow crystal."""
    for arm in (pen.at(0, 0.1, turn=turn * pi / 3) for turn in range(6)):
        arm.line([(0, 0), (0, -0.6)], 0.16, colour)
        arm.line([(-0.17, -0.56), (0, -0.36), (0.17, -0.56)], 0.13, colour)


def letter_p(pen: Pen, colour: Colour) -> None:
    """The letter of parking."""
    pen.line(
        [(-0.35, 0.85), (-0.35, -0.72), *arc(0.1, -0.28, 0.44, 270, 450), (-0.35, 0.16)],
        0.32,
        colour,
        blunt=True,
    )


# ---- vehicles


def car(pen: Pen, colour: Colour) -> None:
    """A car from behind: its body, a thin roof, two wheels."""
    pen.box(-1.0, -0.3, 1.0, 0.42, colour, corner=0.15)
    pen.line([(-0.8, -0.3), (-0.6, -0.85), (0.6, -0.85), (0.8, -0.3)], 0.11, colour)
    for x in (-0.76, 0.76):
        pen.box(x - 0.2, 0.3, x + 0.2, 0.95, colour)


def truck_behind(pen: Pen, colour: Colour) -> None:
    """A truck from behind."""
    pen.box(-1.0, -1.35, 1.0, 0.65, colour, corner=0.1)
    pen.line([(-0.95, 0.95), (0.95, 0.95)], 0.14, colour)
    for x in (-0.72, 0.72):
        pen.box(x - 0.2, 0.6, x + 0.2, 1.3, colour)


def truck(pen: Pen, colour: Colour) -> None:
    """A truck from the side, its cab on the left."""
    pen.box(-0.36, -0.46, 0.97, 0.14, colour)
    pen.polygon(
        [(-1.0, 0.32), (-1.0, 0.0), (-0.8, -0.36), (-0.4, -0.36), (-0.4, 0.2), (0.97, 0.2), (0.97, 0.32)],
        colour,
    )
    pen.polygon([(-0.88, -0.04), (-0.74, -0.28), (-0.56, -0.28), (-0.56, -0.04)], WHITE)
    for x in (-0.72, 0.5):
        pen.disc(x, 0.33, 0.16, colour)


def slippery(pen: Pen, colour: Colour) -> None:
    """A car that skids, over its winding tracks."""
    car(pen.at(0.04, -0.16, 0.53, turn=0.28), colour)
    pen.curve(
        [(-0.3, 0.3), (-0.8, 0.42), (-0.72, 0.6), (-0.25, 0.58), (-0.3, 0.76), (-0.75, 0.8)], 0.065, colour
    )
    pen.curve([(0.15, 0.45), (0.05, 0.62), (0.4, 0.68), (0.75, 0.66), (0.95, 0.8)], 0.065, colour)


def slippery_upright(pen: Pen, colour: Colour) -> None:
    """A car over winding tracks, as in America."""
    car(pen.at(0, -0.35, 0.5), colour)
    for x in (-0.35, 0.35):
        pen.curve([(x, 0.2), (x + 0.18, 0.38), (x - 0.15, 0.65), (x + 0.08, 0.9)], 0.14, colour)


def bus(pen: Pen, colour: Colour) -> None:
    """A bus from the side."""
    pen.box(-0.95, -0.6, 0.95, 0.45, colour, corner=0.14)
    for x in (-0.55, 0.55):
        pen.disc(x, 0.48, 0.2, colour)


def bus_windows(pen: Pen, colour: Colour) -> None:
    """The windows of the bus."""
    for x in (-0.62, -0.2, 0.22, 0.64):
        pen.box(x - 0.17, -0.42, x + 0.17, -0.08, colour)


def bicycle(pen: Pen, colour: Colour) -> None:
    """A bicycle from the side."""
    for x in (-0.56, 0.56):
        pen.ring(x, 0.36, 0.36, 0.1, colour)
    pen.line([(-0.56, 0.36), (-0.3, -0.12), (0.34, -0.12), (0.02, 0.42), (-0.56, 0.36)], 0.1, colour)
    pen.line([(0.02, 0.42), (-0.32, -0.3)], 0.1, colour)
    pen.line([(-0.44, -0.38), (-0.2, -0.38)], 0.12, colour)
    pen.line([(0.56, 0.36), (0.3, -0.36), (0.5, -0.4)], 0.11, colour)


# ---- people and animals


def walker(pen: Pen, colour: Colour) -> None:
    """Somebody who walks."""
    pen.disc(-0.03, -0.86, 0.15, colour)
    pen.blob([(-0.12, -0.6), (0.06, -0.62), (0.2, -0.4), (0.14, 0.1), (-0.1, 0.14), (-0.16, -0.2)], colour)
    pen.line([(-0.06, -0.5), (-0.24, -0.22), (-0.4, -0.02)], 0.15, colour)
    pen.line([(0.12, -0.48), (0.34, -0.28), (0.38, -0.04)], 0.14, colour)
    pen.line([(-0.02, 0.08), (-0.2, 0.4), (-0.4, 0.72)], 0.19, colour)
    pen.line([(0.04, 0.08), (0.24, 0.4), (0.44, 0.72)], 0.19, colour)


def children(pen: Pen, colour: Colour) -> None:
    """Two children who run, hand in hand."""
    pen.disc(0.26, -0.52, 0.16, colour)  # the elder
    pen.blob([(0.12, -0.26), (0.42, -0.28), (0.42, 0.1), (0.48, 0.34), (0.12, 0.34), (0.18, 0.0)], colour)
    pen.line([(0.2, -0.2), (-0.02, -0.12), (-0.2, 0.02)], 0.14, colour)
    pen.line([(0.38, -0.2), (0.56, -0.12), (0.68, 0.02)], 0.14, colour)
    pen.line([(0.24, 0.3), (0.26, 0.5), (0.16, 0.8)], 0.17, colour)
    pen.line([(0.36, 0.28), (0.56, 0.46), (0.84, 0.6)], 0.17, colour)
    pen.disc(-0.5, -0.22, 0.14, colour)  # the younger
    pen.blob([(-0.58, 0.0), (-0.36, 0.02), (-0.32, 0.42), (-0.64, 0.42), (-0.56, 0.2)], colour)
    pen.line([(-0.5, 0.06), (-0.7, 0.16), (-0.84, 0.28)], 0.13, colour)
    pen.line([(-0.42, 0.06), (-0.18, 0.02)], 0.12, colour)
    pen.line([(-0.54, 0.36), (-0.5, 0.78)], 0.15, colour)
    pen.line([(-0.42, 0.36), (-0.12, 0.56)], 0.15, colour)


def worker(pen: Pen, colour: Colour) -> None:
    """Somebody with a shovel at a heap of earth."""
    pen.disc(0.08, -0.62, 0.15, colour)
    pen.blob(
        [(-0.26, -0.44), (-0.02, -0.44), (0.02, -0.1), (-0.1, 0.14), (-0.3, 0.12), (-0.26, -0.1)], colour
    )
    pen.line([(-0.16, -0.38), (-0.46, -0.3), (-0.46, -0.06)], 0.12, colour)
    pen.line([(-0.02, -0.32), (0.12, 0.06)], 0.1, colour)
    pen.line([(-0.46, -0.08), (0.4, 0.54)], 0.07, colour)
    pen.line([(-0.22, 0.1), (-0.48, 0.42), (-0.7, 0.74)], 0.17, colour)
    pen.line([(-0.14, 0.1), (0.0, 0.4), (0.0, 0.76)], 0.15, colour)
    pen.polygon([(0.26, 0.84), (0.46, 0.52), (0.64, 0.28), (0.76, 0.28), (0.96, 0.52), (1.14, 0.84)], colour)


def deer(pen: Pen, colour: Colour) -> None:
    """A deer that leaps to the left."""
    body = [
        (-0.28, -0.5),
        (-0.44, -0.36),
        (-0.4, -0.28),
        (-0.22, -0.3),
        (-0.2, -0.02),
        (-0.24, 0.18),
        (0.0, 0.3),
        (0.3, 0.32),
        (0.56, 0.42),
    ]
    pen.polygon(
        [*body, (0.66, 0.24), (0.6, 0.1), (0.3, 0.02), (0.0, -0.08), (-0.06, -0.36), (-0.14, -0.5)], colour
    )
    for antler in (
        [(-0.2, -0.46), (-0.12, -0.66), (0.04, -0.78)],
        [(-0.26, -0.46), (-0.3, -0.64), (-0.22, -0.8)],
    ):
        pen.line(antler, 0.07, colour)
    for leg in (
        [(-0.14, 0.16), (-0.5, 0.12), (-0.4, 0.3)],
        [(-0.1, 0.2), (-0.42, 0.32)],
        [(0.56, 0.3), (0.76, 0.52), (0.98, 0.72)],
        [(0.5, 0.32), (0.64, 0.54), (0.84, 0.76)],
    ):
        pen.line(leg, 0.1, colour)
