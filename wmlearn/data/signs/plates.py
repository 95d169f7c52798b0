"""Signs as plates: a shape, its colours, what stands on it; and the textures that the camera photographs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import pi
from random import Random

import torch
from torch import Tensor

from .pen import BLACK, BLUE, FONTS, GREY, ORANGE, RED, WHITE, YELLOW, Colour, Draw, Pen, Pictogram, Style
from .shapes import Point, regular, rounded

SE_YELLOW: Colour = (252, 214, 50)
DARK: Colour = (42, 42, 45)

TRIANGLE: tuple[Point, ...] = ((-1, 0.577), (1, 0.577), (0, -1.155))  # about its centre
DIAMOND: tuple[Point, ...] = ((0, -1), (1, 0), (0, 1), (-1, 0))


@dataclass(frozen=True)
class Sign:
    """A sign of some country: its name, the kind it belongs to, and how to draw it."""

    name: str
    kind: str
    draw: Draw


@lru_cache(maxsize=8)
def textures(signs: tuple[Sign, ...], variants: int = 4, seed: int = 0) -> Tensor:
    """Draw every sign in several styles: (S, V, 4, 64, 64) float32 in [0, 1], RGBA, colours premultiplied by
    alpha.

    The result is cached: copy it before writing into it.
    """
    random = Random(seed)
    plates = [_draw(sign, _style(random)) for sign in signs for _ in range(variants)]
    return torch.stack(plates).unflatten(0, (len(signs), variants))


def _style(random: Random) -> Style:
    return Style(
        weight=random.uniform(0.8, 1.25),
        letters=random.uniform(0.9, 1.06),
        rim=random.uniform(0.88, 1.12),
        pictogram=random.uniform(0.9, 1.08),
        spin=random.random(),
        font=random.choice(FONTS),
    )


def _draw(sign: Sign, style: Style) -> Tensor:
    pen = Pen(style)
    sign.draw(pen)
    return pen.texture()


# ---- plates of several countries; the proportions are those of the German ones, measured on photographs


def stop(pen: Pen) -> None:
    """A red octagon with a thin white border and the word STOP."""
    pen.polygon(regular(8, 1.07, pi / 8), WHITE)
    pen.polygon(regular(8, 0.97, pi / 8), RED)
    pen.text("STOP", 0, 0, 0.72, 1.55, WHITE)


def ring(pen: Pen, inner: Colour = WHITE) -> None:
    """A round plate with a red rim."""
    pen.disc(0, 0, 1, WHITE)
    pen.disc(0, 0, 0.97, RED)
    pen.disc(0, 0, 0.97 - 0.235 * pen.style.rim, inner)


def ban(pictogram: Pictogram, inner: Colour = WHITE) -> Draw:
    """Return a round plate with a red rim and a black pictogram."""

    def draw(pen: Pen) -> None:
        ring(pen, inner)
        pictogram(pen.at(0, 0, 0.62 * pen.style.pictogram), BLACK)

    return draw


def limit(speed: int, inner: Colour = WHITE) -> Draw:
    """Return a round plate with a red rim and a number."""

    def draw(pen: Pen) -> None:
        ring(pen, inner)
        _number(pen, speed, BLACK)

    return draw


def _number(pen: Pen, speed: int, colour: Colour) -> None:
    pen.text(str(speed), 0, 0, 0.86, 1.04 if speed < 100 else 1.15, colour)


def no_entry(inner: Colour = WHITE) -> Draw:
    """Return a red disc with a bar across."""

    def draw(pen: Pen) -> None:
        pen.disc(0, 0, 1, WHITE)
        pen.disc(0, 0, 0.97, RED)
        half = 0.165 * pen.style.weight
        pen.box(-0.88, -half, 0.88, half, inner)

    return draw


def no_stopping(pen: Pen) -> None:
    """A blue disc with a red rim and a red bar aslant."""
    ring(pen, BLUE)
    pen.line([(-0.58, -0.58), (0.58, 0.58)], 0.2, RED)


def end(pictogram: Pictogram | None = None) -> Draw:
    """Return a round white plate with a grey pictogram, crossed out by dark bars."""

    def draw(pen: Pen) -> None:
        _end_plate(pen)
        if pictogram:
            pictogram(pen.at(0, 0, 0.62 * pen.style.pictogram), GREY)
        _end_bars(pen)

    return draw


def end_of_limit(speed: int) -> Draw:
    """Return a round white plate with a grey number, crossed out by dark bars."""

    def draw(pen: Pen) -> None:
        _end_plate(pen)
        _number(pen, speed, GREY)
        _end_bars(pen)

    return draw


def _end_plate(pen: Pen) -> None:
    pen.disc(0, 0, 1, WHITE)
    pen.disc(0, 0, 0.97, GREY)
    pen.disc(0, 0, 0.93, WHITE)


def _end_bars(pen: Pen) -> None:
    aslant = pen.at(0, 0, turn=-0.24 * pi)
    gap = 0.08 * pen.style.pictogram
    for bar in range(-2, 3):
        aslant.line([(-0.93, bar * gap), (0.93, bar * gap)], 0.052, DARK)


def mandatory(pictogram: Pictogram) -> Draw:
    """Return a blue disc with a white border and a white pictogram."""

    def draw(pen: Pen) -> None:
        pen.disc(0, 0, 1, WHITE)
        pen.disc(0, 0, 0.95, BLUE)
        pictogram(pen.at(0, 0, 0.78 * pen.style.pictogram), WHITE)

    return draw


def danger(pictogram: Pictogram, inner: Colour = WHITE, *, tall: float = 1.0) -> Draw:
    """Return a triangle with a red rim and a black pictogram, stretched upright by `tall`."""

    def draw(pen: Pen) -> None:
        centred = pen.at(0, 0.289 * tall, tall=tall)
        _triangle(centred, inner)
        pictogram(centred.at(0, -0.05, 0.5 * pen.style.pictogram), BLACK)

    return draw


def give_way(inner: Colour = WHITE, *, tall: float = 1.0) -> Draw:
    """Return a triangle on its tip with a red rim and nothing in it, stretched upright by `tall`."""
    return lambda pen: _triangle(pen.at(0, -0.289 * tall, tall=tall, turn=pi), inner)


def _triangle(pen: Pen, inner: Colour) -> None:
    outline = rounded(TRIANGLE, 0.16)
    pen.polygon(outline, WHITE)
    pen.at(0, 0, 0.95).polygon(outline, RED)
    pen.at(0, 0, 0.95 - 0.24 * pen.style.rim).polygon(rounded(TRIANGLE, 0.08), inner)


def priority_road(pen: Pen) -> None:
    """A white diamond with a thin black line and a yellow one in it."""
    for scale, colour in ((1, WHITE), (0.97, BLACK), (0.94, WHITE)):
        pen.at(0, 0, scale).polygon(rounded(DIAMOND, 0.12), colour)
    pen.at(0, 0, 0.62 * pen.style.pictogram).polygon(DIAMOND, ORANGE)


# ---- one country's own


def us_warning(pictogram: Pictogram) -> Draw:
    """Return a yellow diamond with a black border and a black pictogram."""

    def draw(pen: Pen) -> None:
        for scale, colour in ((1, YELLOW), (0.95, BLACK), (0.9, YELLOW)):
            pen.at(0, 0, scale).polygon(rounded(DIAMOND, 0.14), colour)
        pictogram(pen.at(0, 0, 0.55 * pen.style.pictogram), BLACK)

    return draw


def us_limit(speed: int) -> Draw:
    """Return a white plate with a black border that says SPEED LIMIT over a number."""

    def draw(pen: Pen) -> None:
        for inset, colour in ((0, WHITE), (0.05, BLACK), (0.1, WHITE)):
            pen.box(-0.78 + inset, -0.98 + inset, 0.78 - inset, 0.98 - inset, colour, corner=0.12)
        pen.text("SPEED", 0, -0.64, 0.3, 1.08, BLACK)
        pen.text("LIMIT", 0, -0.23, 0.3, 0.9, BLACK)
        pen.text(str(speed), 0, 0.43, 0.76, 0.94, BLACK)

    return draw


def information(pictogram: Pictogram) -> Draw:
    """Return a blue square with a white border and a white pictogram."""

    def draw(pen: Pen) -> None:
        _blue_square(pen)
        pictogram(pen.at(0, 0, 0.7 * pen.style.pictogram), WHITE)

    return draw


def crossing(pictogram: Pictogram) -> Draw:
    """Return a blue square with a black pictogram in a white triangle."""

    def draw(pen: Pen) -> None:
        _blue_square(pen)
        pen.polygon([(-0.75, 0.72), (0.75, 0.72), (0, -0.75)], WHITE)
        pictogram(pen.at(0, 0.3, 0.45 * pen.style.pictogram), BLACK)

    return draw


def _blue_square(pen: Pen) -> None:
    pen.box(-0.95, -0.95, 0.95, 0.95, WHITE, corner=0.12)
    pen.box(-0.88, -0.88, 0.88, 0.88, BLUE, corner=0.1)
