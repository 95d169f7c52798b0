"""A pen that draws in sign coordinates: x to the right, y down, both in [-1, 1]."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.util import find_spec
from math import cos, sin
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from . import letters
from .shapes import Point, arc, rounded, smooth

SIZE = 64  # pixels a side of a texture
FINE = 4  # every pixel of a texture is the mean of FINE * FINE drawn ones
MARGIN = 0.97  # a sign stops short of the texture's edge, so that its outline stays soft

Colour = tuple[int, int, int]

# red, orange and blue stand to white as on photographs of the German benchmark (medians of 14 to 142 signs)
RED: Colour = (168, 28, 36)
YELLOW: Colour = (250, 200, 20)
ORANGE: Colour = (230, 150, 25)
GREEN: Colour = (10, 110, 90)
BLUE: Colour = (18, 76, 160)
WHITE: Colour = (245, 245, 245)
GREY: Colour = (125, 127, 130)
BLACK: Colour = (18, 18, 20)

STROKES = "strokes"  # our own letters; the other fonts are matplotlib's, by file name, and Pillow's own
FONTS = (STROKES, STROKES, STROKES, "DejaVuSans-Bold.ttf", "Aileron")


@dataclass(frozen=True)
class Style:
    """What differs from one maker's sign to the next.

    Weight of the strokes, width of the letters, of the rim, and size of the pictogram are about 1; `spin` in
    [0, 1) is how far round a pictogram stands that is right any way up.
    """

    weight: float = 1.0
    letters: float = 1.0
    rim: float = 1.0
    pictogram: float = 1.0
    spin: float = 0.0
    font: str = STROKES


def _blank() -> Image.Image:
    return Image.new("RGBA", (SIZE * FINE, SIZE * FINE), (128, 128, 128, 0))


@dataclass(frozen=True, eq=False)
class Pen:
    """Draw on one canvas; `at` gives a pen for the same canvas with its own origin, scale and turn."""

    style: Style = Style()
    canvas: Image.Image = field(default_factory=_blank)
    right: Point = (1.0, 0.0)  # where a step to the right leads, in sign coordinates
    down: Point = (0.0, 1.0)
    origin: Point = (0.0, 0.0)

    def at(
        self,
        x: float,
        y: float,
        scale: float = 1.0,
        *,
        tall: float = 1.0,
        turn: float = 0.0,
        mirror: bool = False,
    ) -> Pen:
        """Return a pen whose origin is (x, y) of this one.

        It draws `scale` times as large, stretched upright by `tall`, then turned by `turn` radians clockwise;
        left for right if `mirror`.
        """
        across = -scale if mirror else scale
        right = self._step(across * cos(turn), across * sin(turn))
        down = self._step(-scale * tall * sin(turn), scale * tall * cos(turn))
        return replace(self, right=right, down=down, origin=self._place(x, y))

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill the outline through `points`."""
        self._draw.polygon(self._pixels(points), fill=colour)

    def blob(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill a smooth outline through `points`."""
        self.polygon(smooth(points), colour)

    def line(self, points: Sequence[Point], width: float, colour: Colour, *, blunt: bool = False) -> None:
        """Draw a line of `width` through `points`, its ends round unless `blunt`."""
        pixels = self._pixels(points)
        width = max(1, round(width * self.scale * self.style.weight * SIZE * FINE / 2))
        self._draw.line(pixels, fill=colour, width=width)
        for x, y in pixels[1:-1] if blunt else pixels:
            self._draw.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=colour)

    def curve(self, points: Sequence[Point], width: float, colour: Colour, *, blunt: bool = False) -> None:
        """Draw a smooth line of `width` through `points`."""
        self.line(smooth(points, closed=False), width, colour, blunt=blunt)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Fill a circle."""
        self.polygon(arc(x, y, radius, 0, 360, steps=48), colour)

    def ring(self, x: float, y: float, radius: float, width: float, colour: Colour) -> None:
        """Draw a circle with a line of `width`, half of it outside `radius`."""
        self.line(arc(x, y, radius, 0, 360, steps=32), width, colour)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour, *, corner: float = 0.0) -> None:
        """Fill a rectangle, its corners rounded with radius `corner`."""
        corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
        self.polygon(rounded(corners, corner) if corner else corners, colour)

    def text(self, text: str, x: float, y: float, height: float, width: float, colour: Colour) -> None:
        """Write capitals and digits about (x, y), `height` by about `width`; the pen must be upright."""
        width = width * self.style.letters
        if self.style.font == STROKES:
            self._stroke(text, x, y, height, width, colour)
        else:
            self._paste(text, x, y, height, width, colour)

    def texture(self) -> Tensor:
        """Return what was drawn, (4, 64, 64) float32 in [0, 1]: red, green, blue, each times alpha; alpha."""
        small = self.canvas.convert("RGBa").reduce(FINE)  # RGBa: premultiplied
        return torch.from_numpy(np.array(small, dtype=np.float32) / 255).permute(2, 0, 1).contiguous()

    @property
    def scale(self) -> float:
        """How large this pen draws, the geometric mean of both directions."""
        return abs(self.right[0] * self.down[1] - self.right[1] * self.down[0]) ** 0.5

    def _stroke(self, text: str, x: float, y: float, height: float, width: float, colour: Colour) -> None:
        thick = 0.145 * height
        pen = self.at(x, y)
        for stroke in letters.strokes(text, width - thick, height - thick):
            pen.line(stroke, thick, colour)

    def _paste(self, text: str, x: float, y: float, height: float, width: float, colour: Colour) -> None:
        unit = self.scale * MARGIN * SIZE * FINE / 2
        mask = _ink(text, self.style.font).resize(
            (round(width * unit), round(height * unit)), Image.Resampling.BILINEAR
        )
        (px, py) = self._pixels([(x, y)])[0]
        self.canvas.paste(colour, (round(px - mask.width / 2), round(py - mask.height / 2)), mask)

    @property
    def _draw(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.canvas)

    def _step(self, x: float, y: float) -> Point:
        return x * self.right[0] + y * self.down[0], x * self.right[1] + y * self.down[1]

    def _place(self, x: float, y: float) -> Point:
        x, y = self._step(x, y)
        return self.origin[0] + x, self.origin[1] + y

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        placed = (self._place(x, y) for x, y in points)
        return [((x * MARGIN + 1) / 2 * SIZE * FINE, (y * MARGIN + 1) / 2 * SIZE * FINE) for x, y in placed]


Draw = Callable[[Pen], None]
Pictogram = Callable[[Pen, Colour], None]


@lru_cache(maxsize=256)
def _ink(text: str, font: str) -> Image.Image:
    """Return `text`, white on black, cropped to its ink."""
    face = _font(font)
    left, top, right, bottom = (round(edge) for edge in face.getbbox(text))
    mask = Image.new("L", (right - left, bottom - top), 0)
    bolder = 0 if "Bold" in font else 3
    ImageDraw.Draw(mask).text((-left, -top), text, font=face, fill=255, stroke_width=bolder)
    return mask


@lru_cache(maxsize=8)
def _font(name: str) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return a font of matplotlib's by its file name, or Pillow's own for any other name."""
    spec = find_spec("matplotlib")  # its fonts are wanted, not its import
    path = Path(spec.origin or "").parent / "mpl-data" / "fonts" / "ttf" / name if spec else Path(name)
    return ImageFont.truetype(path, 120) if path.is_file() else ImageFont.load_default(120)
