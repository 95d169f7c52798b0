"""The pictures on signs: each a function (pen, colour), drawn about the origin in a box from -1 to 1."""

from __future__ import annotations

from math import pi

from .pen import AMBER, GREEN, RED, Colour, Pen, Pictogram, Point, arc, direction, regular

# ---- arrows


def arrow(pen: Pen, points: list[Point], width: float, head: float, colour: Colour) -> None:
    """Draw a line through `points` and a head `head` long that starts where the line ends."""
    pen.line(points, width, colour, butt=True)
    tip = pen.at(*points[-1], head, turn=direction(points[-2], points[-1]))
    tip.polygon([(1, 0), (-0.1, -0.85), (-0.1, 0.85)], colour)


def ahead(pen: Pen, colour: Colour) -> None:
    """An arrow straight up."""
    arrow(pen, [(0, 0.95), (0, -0.35)], 0.34, 0.6, colour)


def right(pen: Pen, colour: Colour) -> None:
    """An arrow that comes from below and turns to the right."""
    arrow(pen, [(-0.4, 0.9), (-0.4, 0.0), *arc(-0.15, -0.05, 0.25, 180, 270), (0.35, -0.3)], 0.32, 0.5, colour)


def ahead_or_right(pen: Pen, colour: Colour) -> None:
    """An arrow up, with a branch to the right."""
    arrow(pen, [(-0.3, 0.9), (-0.3, -0.5)], 0.28, 0.45, colour)
    arrow(pen, [(-0.3, 0.6), (-0.25, 0.25), (0.1, 0.1), (0.45, 0.1)], 0.28, 0.42, colour)


def down_right(pen: Pen, colour: Colour) -> None:
    """An arrow down to the right: pass on this side."""
    arrow(pen, [(-0.6, -0.6), (0.25, 0.25)], 0.34, 0.6, colour)


def roundabout(pen: Pen, colour: Colour) -> None:
    """Three arrows in a circle."""
    for start in (-20, 100, 220):
        arrow(pen, arc(0, 0, 0.62, start, start + 75), 0.22, 0.38, colour)


# ---- lines of roads


def exclamation(pen: Pen, colour: Colour) -> None:
    """A bar over a dot: general danger."""
    pen.polygon([(-0.2, -0.95), (0.2, -0.95), (0.1, 0.35), (-0.1, 0.35)], colour)
    pen.disc(0, 0.75, 0.2, colour)


def curve_left(pen: Pen, colour: Colour) -> None:
    """A road that bends to the left."""
    arrow(pen, [(0.3, 0.9), (0.3, 0.3), (0.15, -0.2), (-0.2, -0.5)], 0.28, 0.5, colour)


def turn_left(pen: Pen, colour: Colour) -> None:
    """A road that turns sharply to the left."""
    arrow(pen, [(0.4, 0.9), (0.4, -0.3), (-0.3, -0.3)], 0.28, 0.5, colour)


def double_curve(pen: Pen, colour: Colour) -> None:
    """A road that bends left, then right."""
    pen.line([(0.3, 0.95), (0.3, 0.5), (-0.3, 0.15), (-0.3, -0.2), (0.2, -0.45), (0.2, -0.6)], 0.26, colour)
    pen.at(0.2, -0.65, 0.35).polygon([(0, -1), (0.85, 0.1), (-0.85, 0.1)], colour)


def crossroad(pen: Pen, colour: Colour) -> None:
    """Two roads that cross."""
    pen.line([(0, -0.9), (0, 0.9)], 0.3, colour, butt=True)
    pen.line([(-0.9, 0), (0.9, 0)], 0.3, colour, butt=True)


def side_road(pen: Pen, colour: Colour) -> None:
    """A road with another one from the right."""
    pen.line([(-0.2, -0.9), (-0.2, 0.9)], 0.3, colour, butt=True)
    pen.line([(-0.2, 0), (0.8, 0)], 0.3, colour, butt=True)


def tee(pen: Pen, colour: Colour) -> None:
    """A road that ends at another one."""
    pen.line([(0, -0.5), (0, 0.9)], 0.3, colour, butt=True)
    pen.line([(-0.9, -0.5), (0.9, -0.5)], 0.3, colour, butt=True)


def priority(pen: Pen, colour: Colour) -> None:
    """A wide road up, across a narrow one."""
    arrow(pen, [(0, 0.95), (0, -0.2)], 0.34, 0.65, colour)
    pen.line([(-0.75, 0.35), (0.75, 0.35)], 0.2, colour, butt=True)


def narrow_right(pen: Pen, colour: Colour) -> None:
    """A road whose right edge comes in."""
    pen.line([(-0.45, 0.9), (-0.45, -0.8)], 0.22, colour, butt=True)
    pen.line([(0.45, 0.9), (0.45, 0.3), (0.1, -0.1), (0.1, -0.8)], 0.22, colour, butt=True)


def merge(pen: Pen, colour: Colour) -> None:
    """A road that another one joins from the right."""
    arrow(pen, [(-0.15, 0.9), (-0.15, -0.4)], 0.26, 0.5, colour)
    pen.line([(0.55, 0.7), (0.3, 0.3), (-0.1, 0.0)], 0.22, colour)


def two_way(pen: Pen, colour: Colour) -> None:
    """One arrow down, one up."""
    arrow(pen, [(-0.4, -0.9), (-0.4, 0.4)], 0.24, 0.5, colour)
    arrow(pen, [(0.4, 0.9), (0.4, -0.4)], 0.24, 0.5, colour)


def bumps(pen: Pen, colour: Colour) -> None:
    """Two bumps in a road."""
    outline = [(-1, 0.45), (-0.8, 0.35), (-0.5, -0.25), (-0.2, 0.35), (0, 0.42), (0.2, 0.35), (0.5, -0.25), (0.8, 0.35), (1, 0.45)]
    pen.polygon([*outline, (1, 0.65), (-1, 0.65)], colour)


def signals(pen: Pen, colour: Colour) -> None:
    """Traffic lights: red, amber, green."""
    for y, light in ((-0.68, RED), (0, AMBER), (0.68, GREEN)):
        pen.disc(0, y, 0.34, light)


def stop_ahead(pen: Pen, colour: Colour) -> None:
    """An arrow over a small octagon."""
    arrow(pen, [(0, -0.05), (0, -0.5)], 0.24, 0.42, colour)
    pen.at(0, 0.45, 0.48).polygon(regular(8, 1, pi / 8), RED)


def snow(pen: Pen, colour: Colour) -> None:
    """A snow crystal."""
    for turn in range(6):
        arm = pen.at(0, 0, turn=turn * pi / 3)
        arm.line([(0, 0), (0, -0.9)], 0.13, colour, butt=True)
        arm.line([(-0.22, -0.72), (0, -0.5), (0.22, -0.72)], 0.11, colour, butt=True)


def letter_p(pen: Pen, colour: Colour) -> None:
    """The letter of parking."""
    pen.text("P", 0, 0, 1.8, 1.2, colour)


# ---- vehicles


def car(pen: Pen, colour: Colour) -> None:
    """A car from behind."""
    pen.box(-0.6, -0.55, 0.6, 0.1, colour, corner=0.2)
    pen.box(-0.8, -0.1, 0.8, 0.5, colour, corner=0.12)
    pen.box(-0.75, 0.4, -0.4, 0.75, colour)
    pen.box(0.4, 0.4, 0.75, 0.75, colour)


def truck(pen: Pen, colour: Colour) -> None:
    """A truck from the side, its cab on the right."""
    pen.box(-0.95, -0.5, 0.3, 0.3, colour)
    pen.box(0.35, -0.25, 0.95, 0.3, colour, corner=0.1)
    for x in (-0.55, 0.6):
        pen.disc(x, 0.38, 0.2, colour)


def truck_behind(pen: Pen, colour: Colour) -> None:
    """A truck from behind."""
    pen.box(-0.75, -0.8, 0.75, 0.5, colour, corner=0.08)
    pen.box(-0.75, 0.4, -0.4, 0.8, colour)
    pen.box(0.4, 0.4, 0.75, 0.8, colour)


def slippery(pen: Pen, colour: Colour) -> None:
    """A car from behind, over wavy tracks."""
    car(pen.at(0, -0.4, 0.7), colour)
    for x in (-0.35, 0.35):
        pen.curve([(x, 0.25), (x + 0.2, 0.45), (x - 0.15, 0.7), (x + 0.05, 0.95)], 0.13, colour)


def bus(pen: Pen, colour: Colour) -> None:
    """A bus from the side."""
    pen.box(-0.95, -0.55, 0.95, 0.45, colour, corner=0.12)
    for x in (-0.55, 0.55):
        pen.disc(x, 0.5, 0.2, colour)


def bicycle(pen: Pen, colour: Colour) -> None:
    """A bicycle from the side."""
    for x in (-0.55, 0.55):
        pen.ring(x, 0.35, 0.42, 0.12, colour)
    pen.line([(-0.55, 0.35), (-0.2, -0.3), (0.4, -0.3), (0.05, 0.35), (-0.55, 0.35)], 0.1, colour)
    pen.line([(0.55, 0.35), (0.3, -0.55), (0.5, -0.6)], 0.1, colour)
    pen.line([(-0.2, -0.3), (-0.3, -0.55)], 0.12, colour)


# ---- people and animals


def walker(pen: Pen, colour: Colour) -> None:
    """Somebody who walks."""
    pen.disc(0, -0.78, 0.19, colour)
    pen.line([(0, -0.42), (0, 0.1)], 0.34, colour)
    for foot in (-0.38, 0.38):
        pen.line([(0, 0.1), (foot, 0.92)], 0.2, colour)
        pen.line([(0, -0.45), (foot * 1.2, 0.08)], 0.14, colour)


def children(pen: Pen, colour: Colour) -> None:
    """Two children, one of them small."""
    walker(pen.at(-0.4, 0, 0.9), colour)
    walker(pen.at(0.45, 0.25, 0.65), colour)


def worker(pen: Pen, colour: Colour) -> None:
    """Somebody with a shovel at a heap of earth."""
    walker(pen.at(-0.25, 0.05, 0.9), colour)
    pen.line([(-0.1, 0.1), (0.55, 0.5)], 0.14, colour)
    pen.polygon([(0.3, 0.9), (0.95, 0.9), (0.65, 0.4)], colour)


def deer(pen: Pen, colour: Colour) -> None:
    """A deer that leaps."""
    pen.polygon([(-0.75, 0.25), (-0.55, -0.1), (0.15, -0.1), (0.4, -0.55), (0.65, -0.5), (0.55, -0.2), (0.35, 0.15), (-0.3, 0.25)], colour)
    for hip, hoof in ((-0.6, -0.95), (-0.45, -0.55), (0.2, 0.6), (0.25, 0.85)):
        pen.line([(hip, 0.1), (hoof, 0.85)], 0.12, colour)
    for head, antler in ((0.45, 0.3), (0.55, 0.7)):
        pen.line([(head, -0.5), (antler, -0.95)], 0.09, colour)


def mirrored(pictogram: Pictogram) -> Pictogram:
    """Return the pictogram with left and right exchanged."""
    return lambda pen, colour: pictogram(pen.at(0, 0, mirror=True), colour)


def coloured(pictogram: Pictogram, paint: Colour) -> Pictogram:
    """Return the pictogram in a colour of its own."""
    return lambda pen, colour: pictogram(pen, paint)


def pair(left: Pictogram, right: Pictogram) -> Pictogram:
    """Return two pictograms side by side."""

    def draw(pen: Pen, colour: Colour) -> None:
        left(pen.at(-0.5, 0, 0.62), colour)
        right(pen.at(0.5, 0, 0.62), colour)

    return draw
