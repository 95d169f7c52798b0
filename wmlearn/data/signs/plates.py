"""Signs as plates: a shape, its colours, and what stands on it; and the textures that the camera photographs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import pi
from random import Random

import torch
from torch import Tensor

from .pen import AMBER, BLACK, BLUE, FONTS, GREY, RED, WHITE, Colour, Draw, Pen, Pictogram, Point, Style, regular, rounded

US_YELLOW: Colour = (250, 200, 20)
SE_YELLOW: Colour = (252, 214, 50)

TRIANGLE: tuple[Point, ...] = ((-1, 0.78), (1, 0.78), (0, -0.95))
UPSIDE_DOWN: tuple[Point, ...] = ((-1, -0.78), (1, -0.78), (0, 0.95))
DIAMOND: tuple[Point, ...] = ((0, -1), (1, 0), (0, 1), (-1, 0))


@dataclass(frozen=True)
class Sign:
    """A sign of some country: its name, the kind it belongs to, and how to draw it."""

    name: str
    kind: str
    draw: Draw


@lru_cache(maxsize=8)
def textures(signs: tuple[Sign, ...], variants: int = 4, seed: int = 0) -> Tensor:
    """Draw every sign in several styles: (S, V, 4, 64, 64) float32 in [0, 1], RGBA, colours premultiplied by alpha.

    The result is cached: copy it before writing into it.
    """
    random = Random(seed)
    return torch.stack([torch.stack([_drawn(sign, _style(random)) for _ in range(variants)]) for sign in signs])


def _style(random: Random) -> Style:
    return Style(
        weight=random.uniform(0.85, 1.2),
        letters=random.uniform(0.85, 1.1),
        rim=random.uniform(0.9, 1.1),
        pictogram=random.uniform(0.92, 1.08),
        font=random.choice(FONTS),
    )


def _drawn(sign: Sign, style: Style) -> Tensor:
    pen = Pen(style)
    sign.draw(pen)
    return pen.texture()


# ---- shapes that several countries share


def stop(pen: Pen) -> None:
    """A red octagon with a thin white border and the word STOP."""
    pen.polygon(regular(8, 1.06, pi / 8), WHITE)
    pen.polygon(regular(8, 0.98, pi / 8), RED)
    pen.text("STOP", 0, 0, 0.66, 1.55, WHITE)


def ring(pen: Pen, inner: Colour = WHITE) -> None:
    """A round plate with a red rim."""
    pen.disc(0, 0, 1, WHITE)
    pen.disc(0, 0, 0.97, RED)
    pen.disc(0, 0, 0.97 - 0.21 * pen.style.rim, inner)


def ban(pictogram: Pictogram, inner: Colour = WHITE, *, scale: float = 0.6) -> Draw:
    """Return a round plate with a red rim and a black pictogram."""

    def draw(pen: Pen) -> None:
        ring(pen, inner)
        pictogram(pen.at(0, 0, scale * pen.style.pictogram), BLACK)

    return draw


def limit(speed: int, inner: Colour = WHITE) -> Draw:
    """Return a round plate with a red rim and a number."""

    def draw(pen: Pen) -> None:
        ring(pen, inner)
        _number(pen, speed, BLACK)

    return draw


def _number(pen: Pen, speed: int, colour: Colour) -> None:
    height, width = (0.78, 0.95) if speed < 100 else (0.66, 1.15)
    pen.text(str(speed), 0, 0, height, width, colour)


def no_entry(inner: Colour = WHITE) -> Draw:
    """Return a red disc with a bar across."""

    def draw(pen: Pen) -> None:
        pen.disc(0, 0, 1, WHITE)
        pen.disc(0, 0, 0.96, RED)
        pen.box(-0.72, -0.19, 0.72, 0.19, inner)

    return draw


def no_stopping(pen: Pen) -> None:
    """A blue disc with a red rim and a red bar aslant."""
    ring(pen, BLUE)
    pen.line([(-0.6, -0.6), (0.6, 0.6)], 0.2, RED)


def end(pictogram: Pictogram | None = None, *, scale: float = 0.6) -> Draw:
    """Return a round white plate with a grey pictogram, crossed out by black bars."""

    def draw(pen: Pen) -> None:
        _end_plate(pen)
        if pictogram:
            pictogram(pen.at(0, 0, scale), GREY)
        _end_bars(pen)

    return draw


def end_of_limit(speed: int) -> Draw:
    """Return a round white plate with a grey number, crossed out by black bars."""

    def draw(pen: Pen) -> None:
        _end_plate(pen)
        _number(pen, speed, GREY)
        _end_bars(pen)

    return draw


def _end_plate(pen: Pen) -> None:
    pen.disc(0, 0, 1, GREY)
    pen.disc(0, 0, 0.95, WHITE)


def _end_bars(pen: Pen) -> None:
    for shift in (-0.16, -0.05, 0.06, 0.17):
        pen.line([(-0.62 + shift, 0.62 + shift), (0.62 + shift, -0.62 + shift)], 0.05, BLACK)


def mandatory(pictogram: Pictogram, *, scale: float = 0.62) -> Draw:
    """Return a blue disc with a white border and a white pictogram."""

    def draw(pen: Pen) -> None:
        pen.disc(0, 0, 1, WHITE)
        pen.disc(0, 0, 0.95, BLUE)
        pictogram(pen.at(0, 0, scale * pen.style.pictogram), WHITE)

    return draw


def danger(pictogram: Pictogram, inner: Colour = WHITE, *, scale: float = 0.4, y: float = 0.32) -> Draw:
    """Return a triangle with a red rim and a black pictogram."""

    def draw(pen: Pen) -> None:
        outline = rounded(TRIANGLE, 0.2)
        pen.polygon(outline, WHITE)
        pen.at(0, 0.01, 0.97).polygon(outline, RED)
        pen.at(0, 0.07, 0.67).polygon(outline, inner)
        pictogram(pen.at(0, y, scale * pen.style.pictogram), BLACK)

    return draw


def give_way(inner: Colour = WHITE) -> Draw:
    """Return a triangle on its tip, with a wide red rim and nothing in it."""

    def draw(pen: Pen) -> None:
        outline = rounded(UPSIDE_DOWN, 0.2)
        pen.polygon(outline, WHITE)
        pen.at(0, -0.01, 0.97).polygon(outline, RED)
        pen.at(0, -0.12, 0.56).polygon(outline, inner)

    return draw


def priority_road(pen: Pen) -> None:
    """A white diamond with a yellow one in it."""
    pen.polygon(rounded(DIAMOND, 0.12), BLACK)
    pen.at(0, 0, 0.97).polygon(rounded(DIAMOND, 0.12), WHITE)
    pen.at(0, 0, 0.62).polygon(DIAMOND, AMBER)


# ---- one country's own


def us_warning(pictogram: Pictogram) -> Draw:
    """Return a yellow diamond with a black border and a black pictogram."""

    def draw(pen: Pen) -> None:
        for scale, colour in ((1, US_YELLOW), (0.94, BLACK), (0.885, US_YELLOW)):
            pen.at(0, 0, scale).polygon(rounded(DIAMOND, 0.14), colour)
        pictogram(pen.at(0, 0, 0.5 * pen.style.pictogram), BLACK)

    return draw


def us_limit(speed: int) -> Draw:
    """Return a white plate with a black border that says SPEED LIMIT over a number."""

    def draw(pen: Pen) -> None:
        for inset, colour in ((0, WHITE), (0.07, BLACK), (0.12, WHITE)):
            pen.box(-0.78 + inset, -0.98 + inset, 0.78 - inset, 0.98 - inset, colour, corner=0.1)
        pen.text("SPEED", 0, -0.63, 0.3, 1.05, BLACK)
        pen.text("LIMIT", 0, -0.24, 0.3, 0.9, BLACK)
        pen.text(str(speed), 0, 0.41, 0.8, 1.0, BLACK)

    return draw


def information(pictogram: Pictogram, *, scale: float = 0.6) -> Draw:
    """Return a blue square with a white border and a white pictogram."""

    def draw(pen: Pen) -> None:
        _blue_square(pen)
        pictogram(pen.at(0, 0, scale * pen.style.pictogram), WHITE)

    return draw


def crossing(pictogram: Pictogram) -> Draw:
    """Return a blue square with a black pictogram in a white triangle."""

    def draw(pen: Pen) -> None:
        _blue_square(pen)
        pen.polygon([(-0.75, 0.72), (0.75, 0.72), (0, -0.75)], WHITE)
        pictogram(pen.at(0, 0.25, 0.4 * pen.style.pictogram), BLACK)

    return draw


def _blue_square(pen: Pen) -> None:
    pen.box(-0.95, -0.95, 0.95, 0.95, WHITE, corner=0.12)
    pen.box(-0.88, -0.88, 0.88, 0.88, BLUE, corner=0.1)
