"""A pen that draws in sign coordinates: x to the right, y down, both in [-1, 1]."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.util import find_spec
from math import atan2, cos, hypot, pi, sin
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

SIZE = 64  # pixels a side of a texture
FINE = 4  # every pixel of a texture is the mean of FINE * FINE drawn ones
MARGIN = 0.97  # the sign stops short of the texture's edge, so that its outline stays soft

Point = tuple[float, float]
Colour = tuple[int, int, int]

RED: Colour = (190, 28, 38)
AMBER: Colour = (240, 190, 20)
GREEN: Colour = (30, 140, 60)
BLUE: Colour = (20, 80, 160)
WHITE: Colour = (245, 245, 245)
GREY: Colour = (120, 122, 125)
BLACK: Colour = (18, 18, 20)

FONTS = ("strokes", "DejaVuSans-Bold.ttf", "DejaVuSansMono-Bold.ttf", "Aileron")


@dataclass(frozen=True)
class Style:
    """What differs from one maker's sign to the next: stroke weight, letter width, rim and pictogram size, all 1 on average; font."""

    weight: float = 1.0
    letters: float = 1.0
    rim: float = 1.0
    pictogram: float = 1.0
    font: str = FONTS[0]


def _blank() -> Image.Image:
    return Image.new("RGBA", (SIZE * FINE, SIZE * FINE), (128, 128, 128, 0))


@dataclass(frozen=True, eq=False)
class Pen:
    """Draw on one canvas; `at` gives a pen for the same canvas with its own origin, scale and turn."""

    style: Style = Style()
    canvas: Image.Image = field(default_factory=_blank)
    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    turn: float = 0.0  # radians, clockwise
    mirror: bool = False

    def at(self, x: float, y: float, scale: float = 1.0, *, turn: float = 0.0, mirror: bool = False) -> Pen:
        """Return a pen whose origin is (x, y) of this one, `scale` times as large, turned and mirrored about its own origin."""
        x, y = self._place(x, y)
        sign = -1 if self.mirror else 1
        turn = self.turn + sign * turn
        return replace(self, x=x, y=y, scale=self.scale * scale, turn=turn, mirror=self.mirror != mirror)

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill the outline through `points`."""
        self._draw.polygon(self._pixels(points), fill=colour)

    def blob(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill a smooth outline through `points`."""
        self.polygon(smooth(points), colour)

    def line(self, points: Sequence[Point], width: float, colour: Colour, *, butt: bool = False) -> None:
        """Draw a line of `width` through `points`, its ends round unless `butt`."""
        pixels = self._pixels(points)
        width = max(1.0, self._length(width) * self.style.weight)
        self._draw.line(pixels, fill=colour, width=round(width), joint="curve")
        if not butt:
            for x, y in (pixels[0], pixels[-1]):
                self._disc(x, y, width / 2, colour)

    def curve(self, points: Sequence[Point], width: float, colour: Colour, *, butt: bool = False) -> None:
        """Draw a smooth line of `width` through `points`."""
        self.line(smooth(points, closed=False), width, colour, butt=butt)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Fill a circle."""
        (px, py) = self._pixels([(x, y)])[0]
        self._disc(px, py, self._length(radius), colour)

    def ring(self, x: float, y: float, radius: float, width: float, colour: Colour) -> None:
        """Draw a circle whose line of `width` lies inside `radius`."""
        (px, py), r = self._pixels([(x, y)])[0], self._length(radius)
        width = max(1, round(self._length(width) * self.style.weight))
        self._draw.ellipse([px - r, py - r, px + r, py + r], outline=colour, width=width)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour, *, corner: float = 0.0) -> None:
        """Fill a rectangle, its corners rounded with radius `corner`."""
        corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
        self.polygon(rounded(corners, corner) if corner else corners, colour)

    def text(self, text: str, x: float, y: float, height: float, width: float, colour: Colour) -> None:
        """Write capitals and digits `height` tall with their middle at (x, y), `width` wide over all."""
        mask = _letters(text, self.style.font, round(self.style.weight, 1))
        width = width * self.style.letters
        size = max(1, round(self._length(width))), max(1, round(self._length(height)))
        mask = mask.resize(size, Image.Resampling.BILINEAR)
        (px, py) = self._pixels([(x, y)])[0]
        self.canvas.paste(colour, (round(px - size[0] / 2), round(py - size[1] / 2)), mask)

    def texture(self) -> Tensor:
        """Return what was drawn, (4, 64, 64) float32 in [0, 1]: red, green, blue, each times the fourth, alpha."""
        rgba = torch.from_numpy(np.array(self.canvas, dtype=np.float32)) / 255
        rgba = torch.cat([rgba[..., :3] * rgba[..., 3:], rgba[..., 3:]], dim=-1)
        return rgba.view(SIZE, FINE, SIZE, FINE, 4).mean(dim=(1, 3)).permute(2, 0, 1).contiguous()

    @property
    def _draw(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.canvas)

    def _disc(self, px: float, py: float, radius: float, colour: Colour) -> None:
        self._draw.ellipse([px - radius, py - radius, px + radius, py + radius], fill=colour)

    def _length(self, length: float) -> float:
        return length * self.scale * MARGIN * SIZE * FINE / 2

    def _place(self, x: float, y: float) -> Point:
        x = -x if self.mirror else x
        c, s = cos(self.turn), sin(self.turn)
        return self.x + self.scale * (c * x - s * y), self.y + self.scale * (s * x + c * y)

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        placed = (self._place(x, y) for x, y in points)
        return [((x * MARGIN + 1) / 2 * SIZE * FINE, (y * MARGIN + 1) / 2 * SIZE * FINE) for x, y in placed]


Draw = Callable[[Pen], None]
Pictogram = Callable[[Pen, Colour], None]


def regular(corners: int, radius: float, first: float) -> list[Point]:
    """Return the corners of a regular polygon, the first one at the angle `first` (radians, clockwise from the right)."""
    angles = [first + 2 * pi * i / corners for i in range(corners)]
    return [(radius * cos(angle), radius * sin(angle)) for angle in angles]


def rounded(points: Sequence[Point], radius: float, steps: int = 6) -> list[Point]:
    """Cut every corner of a polygon and put a curve there, `radius` long on either side."""
    outline = []
    for i, corner in enumerate(points):
        before, after = points[i - 1], points[(i + 1) % len(points)]
        start, end = _towards(corner, before, radius), _towards(corner, after, radius)
        for step in range(steps):
            t = step / (steps - 1)
            a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
            outline.append((a * start[0] + b * corner[0] + c * end[0], a * start[1] + b * corner[1] + c * end[1]))
    return outline


def smooth(points: Sequence[Point], *, closed: bool = True, steps: int = 6) -> list[Point]:
    """Return a Catmull-Rom curve through `points`."""
    n = len(points)
    outline = []
    for i in range(n if closed else n - 1):
        p, q, r, s = (points[(i + k) % n] if closed else points[min(max(i + k, 0), n - 1)] for k in (-1, 0, 1, 2))
        for step in range(steps):
            t = step / steps
            a, b, c, d = -t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3
            outline.append(((a * p[0] + b * q[0] + c * r[0] + d * s[0]) / 2, (a * p[1] + b * q[1] + c * r[1] + d * s[1]) / 2))
    return outline if closed else [*outline, points[-1]]


def arc(x: float, y: float, radius: float, start: float, end: float, steps: int = 12) -> list[Point]:
    """Return points on a circle, from the angle `start` to `end` (degrees, clockwise from the right)."""
    angles = [(start + (end - start) * i / steps) * pi / 180 for i in range(steps + 1)]
    return [(x + radius * cos(angle), y + radius * sin(angle)) for angle in angles]


def direction(start: Point, end: Point) -> float:
    """Return the angle of the way from `start` to `end`, in radians, clockwise from the right."""
    return atan2(end[1] - start[1], end[0] - start[0])


def _towards(start: Point, end: Point, length: float) -> Point:
    share = length / hypot(end[0] - start[0], end[1] - start[1])
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


@lru_cache(maxsize=512)
def _letters(text: str, font: str, weight: float) -> Image.Image:
    """Return the ink of `text`, white on black, cropped to it."""
    face = _font(font)
    left, top, right, bottom = (round(edge) for edge in face.getbbox(text))
    mask = Image.new("L", (right - left, bottom - top), 0)
    stroke = max(0.0, (weight - 1) * 12)
    ImageDraw.Draw(mask).text((-left, -top), text, font=face, fill=255, stroke_width=stroke)
    return mask


@lru_cache(maxsize=8)
def _font(name: str) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return a font of matplotlib's by its file name, or Pillow's own for any other name."""
    spec = find_spec("matplotlib")
    path = Path(spec.origin or "").parent / "mpl-data" / "fonts" / "ttf" / name if spec else Path(name)
    return ImageFont.truetype(path, 120) if path.is_file() else ImageFont.load_default(120)
