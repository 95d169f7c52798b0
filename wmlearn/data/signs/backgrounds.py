"""Streets drawn by rule: sky, hills, houses, trees, a road, cars, lamp posts and boards, but no sign."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageOps
from torch import Tensor

SIZE = 192  # pixels of a street, before anything is cut out of it
Grid = np.ndarray[Any, np.dtype[np.float32]]
Colour = tuple[int, ...]

WALLS = ((178, 90, 70), (200, 190, 170), (150, 150, 155), (215, 205, 160), (120, 105, 95), (225, 225, 222))
LEAVES = ((60, 105, 45), (85, 120, 50), (40, 75, 40), (120, 125, 55), (140, 95, 45))
CARS = ((170, 30, 35), (30, 50, 120), (220, 220, 220), (40, 40, 45), (150, 155, 160), (200, 170, 40))


@lru_cache(8)
def streets(n: int, seed: int) -> Tensor:
    """Draw `n` streets, (n, 3, 192, 192) uint8."""
    rng = np.random.default_rng(seed)
    return torch.from_numpy(np.stack([_street(rng) for _ in range(n)])).permute(0, 3, 1, 2).contiguous()


@dataclass(frozen=True)
class Place:
    """Where a piece is cut out: a street, the piece's upper left corner and side in it, in pixels."""

    street: int
    x: int
    y: int
    side: int
    mirrored: bool


@dataclass(frozen=True, eq=False)
class Pieces:
    """Pieces of streets, (3, size, size) uint8 each. One is cut out when it is first asked for: few pictures
    need few.
    """

    streets: list[Image.Image]
    places: list[Place]
    pictures: Any  # array (n, 3, size, size) uint8; only those of `cut` are there
    cut: set[int]

    def __len__(self) -> int:
        return len(self.places)

    @property
    def size(self) -> int:
        """The side of a piece, in pixels."""
        return self.pictures.shape[-1]

    def __getitem__(self, rows: Tensor) -> Tensor:
        """Return the pieces of `rows` (N,), (N, 3, size, size)."""
        for row in set(rows.tolist()) - self.cut:
            self.pictures[row] = self._piece(self.places[row])
            self.cut.add(row)
        return torch.from_numpy(self.pictures[rows.numpy()])

    def _piece(self, place: Place) -> Any:
        box = (place.x, place.y, place.x + place.side, place.y + place.side)
        piece = self.streets[place.street].crop(box)
        scaled = piece.resize((self.size, self.size), Image.Resampling.BILINEAR)
        turned = ImageOps.mirror(scaled) if place.mirrored else scaled
        return np.asarray(turned).transpose(2, 0, 1)  # (3, size, size)


@lru_cache(8)
def patches(n: int, size: int, seed: int, n_streets: int = 80) -> Pieces:
    """Cut `n` pieces of 24 to 120 pixels out of streets, and scale them: what lies behind signs."""
    return _pieces(np.random.default_rng([seed, 1]), streets(n_streets, seed), n, size, least=24, most=120)


@lru_cache(4)
def views(n: int, size: int, seed: int, n_streets: int = 120) -> Pieces:
    """Cut `n` views of at least `size` pixels out of streets: grounds of scenes."""
    return _pieces(np.random.default_rng([seed, 2]), streets(n_streets, seed), n, size, least=size, most=SIZE)


def _pieces(rng: np.random.Generator, drawn: Tensor, n: int, size: int, *, least: int, most: int) -> Pieces:
    pictures = [Image.fromarray(street) for street in drawn.permute(0, 2, 3, 1).numpy()]
    places = [_place(rng, len(pictures), least, most) for _ in range(n)]
    return Pieces(pictures, places, np.empty((n, 3, size, size), np.uint8), set())


def _place(rng: np.random.Generator, n_streets: int, least: int, most: int) -> Place:
    side = int(rng.integers(least, most + 1))
    x, y = map(int, rng.integers(0, SIZE - side + 1, 2))
    street = int(rng.integers(n_streets))
    return Place(street, x, y, side, rng.random() < 0.5)


def _street(rng: np.random.Generator) -> Any:
    """Draw one street, (192, 192, 3) uint8, from the sky down to what stands nearest."""
    coarse = _noise(rng, 5, 0.55)
    fine = _noise(rng, 7, 0.85)
    horizon = int(SIZE * rng.uniform(0.45, 0.62))
    picture = _image(_sky(rng, coarse))
    _hills(rng, picture, horizon)
    _houses(rng, picture, horizon)
    picture = _trees(rng, picture, horizon, fine)
    _road(rng, picture, horizon)
    _lamp_posts(rng, picture, horizon)
    _boards(rng, picture)
    return _grain(np.asarray(picture, np.float32), horizon, fine).clip(0, 255).astype(np.uint8)


def _noise(rng: np.random.Generator, octaves: int, rough: float) -> Grid:
    """Return clouds in [0, 1], (192, 192): ever finer noise, each octave `rough` times as strong."""
    out = np.zeros((SIZE, SIZE), np.float32)
    for octave in range(octaves):
        side = 2 ** (octave + 2)
        grid = Image.fromarray(rng.random((side, side), dtype=np.float32))
        smooth = grid.resize((SIZE, SIZE), Image.Resampling.BICUBIC)
        out += np.asarray(smooth) * rough**octave
    return (out - out.min()) / (np.ptp(out) + 1e-6)


def _sky(rng: np.random.Generator, noise: Grid) -> Grid:
    top = np.array([rng.uniform(60, 150), rng.uniform(120, 190), rng.uniform(170, 245)])
    if rng.random() < 0.35:  # overcast
        top = np.array([1, 1, 1.02]) * rng.uniform(130, 235)
    low = np.array([200, 215, 230]) * rng.uniform(0.8, 1.1)
    down = np.linspace(0, 1, SIZE)[:, None, None]
    clouds = np.clip((noise - 0.5) * 3, 0, 1)[..., None] * 0.7
    return ((top * (1 - down) + low * down) * (1 - clouds) + 245 * clouds).astype(np.float32)


def _hills(rng: np.random.Generator, picture: Image.Image, horizon: int) -> None:
    pen = ImageDraw.Draw(picture)
    for _ in range(rng.integers(0, 3)):
        height = rng.uniform(0.05, 0.2) * SIZE
        ridge = [(x, horizon - height * rng.uniform(0.4, 1)) for x in range(0, SIZE + 1, 12)]
        outline = [(0, horizon + 5), *ridge, (SIZE, horizon + 5)]
        pen.polygon(outline, fill=_shade(rng, (90, 115, 105), 0.7, 1.2))


def _houses(rng: np.random.Generator, picture: Image.Image, horizon: int) -> None:
    pen = ImageDraw.Draw(picture)
    for _ in range(rng.integers(0, 6)):
        width = rng.uniform(0.12, 0.45) * SIZE
        height = rng.uniform(0.12, 0.55) * SIZE
        x = rng.uniform(-0.1, 1) * SIZE
        top = horizon - height
        wall = _shade(rng, WALLS[rng.integers(len(WALLS))], 0.6, 1.1)
        pen.rectangle([x, top, x + width, horizon + 3], fill=wall)
        if rng.random() < 0.4:
            gable = [(x - 3, top), (x + width + 3, top), (x + width / 2, top - 0.3 * width)]
            pen.polygon(gable, fill=_shade(rng, (120, 60, 45), 0.5, 1.2))
        pane = _shade(rng, (60, 75, 95), 0.5, 1.8)
        step = rng.uniform(5, 13)
        for left in np.arange(x + step * 0.5, x + width - step * 0.6, step * 1.5):
            for up in np.arange(top + step * 0.5, horizon - step, step * 1.7):
                pen.rectangle([left, up, left + step * 0.7, up + step * 0.95], fill=pane)


def _trees(rng: np.random.Generator, picture: Image.Image, horizon: int, fine: Grid) -> Image.Image:
    """Put trees and bushes with holes in their leaves before the houses, then their trunks."""
    crowns = Image.new("L", (SIZE, SIZE))
    pen = ImageDraw.Draw(crowns)
    trunks = []
    for _ in range(rng.integers(1, 9)):
        x = rng.uniform(0, SIZE)
        y = horizon - rng.uniform(-0.02, 0.3) * SIZE
        radius = rng.uniform(0.05, 0.2) * SIZE
        across = rng.normal(0, 0.5, 9)
        down = rng.normal(0, 0.4, 9)
        shares = rng.uniform(0.35, 0.7, 9)
        for dx, dy, share in zip(across, down, shares, strict=True):  # nine tufts make a crown
            _dot(pen, x + dx * radius, y + dy * radius, radius * share, 255)
        trunks.append((x, y + radius * 0.4, max(2, int(radius * 0.2))))
    leaf = (np.asarray(crowns, np.float32) / 255 * (fine > 0.33))[..., None]
    green = np.array(_shade(rng, LEAVES[rng.integers(len(LEAVES))], 0.6, 1.3))
    foliage = green * (0.35 + 1.15 * fine[..., None])
    out = _image(np.asarray(picture, np.float32) * (1 - leaf) + leaf * foliage)
    pen = ImageDraw.Draw(out)
    for x, y, width in trunks:
        pen.line([(x, y), (x, horizon + 2)], fill=(70, 52, 40), width=width)
    return out


def _road(rng: np.random.Generator, picture: Image.Image, horizon: int) -> None:
    pen = ImageDraw.Draw(picture)
    away = rng.uniform(0.2, 0.8) * SIZE  # where the road vanishes
    verge = (105, 130, 60) if rng.random() < 0.6 else (150, 145, 140)
    pen.rectangle([0, horizon, SIZE, SIZE], fill=_shade(rng, verge, 0.6, 1.1))
    left = away - rng.uniform(0.3, 1.2) * SIZE
    right = away + rng.uniform(0.3, 1.2) * SIZE
    asphalt = int(rng.uniform(70, 135))
    outline = [(away - 2, horizon), (away + 2, horizon), (right, SIZE), (left, SIZE)]
    pen.polygon(outline, fill=(asphalt, asphalt, asphalt + 2))
    for edge in (left, right):
        pen.line([(away, horizon), (edge + (away - edge) * 0.06, SIZE)], fill=(215, 215, 210), width=2)
    _dashes(pen, away, (left + right) / 2, horizon)
    for _ in range(rng.integers(0, 4)):
        t = rng.uniform(0.15, 0.75)  # how near: 0 at the horizon, 1 at our feet
        x = rng.uniform(left + (away - left) * (1 - t), right + (away - right) * (1 - t))
        y = horizon + (SIZE - horizon) * t * 0.8
        _car(pen, x, y, SIZE * 0.22 * t + 6, CARS[rng.integers(len(CARS))])


def _dashes(pen: ImageDraw.ImageDraw, away: float, middle: float, horizon: int) -> None:
    """Draw the middle line, whose dashes grow towards us, from where the road vanishes to `middle`."""
    depth = SIZE - horizon
    for t in np.arange(0.08, 1, 0.16):
        far = t * t
        near = min(1.0, (t + 0.08) ** 2)
        width = 3 * near
        x_far = away + (middle - away) * far
        x_near = away + (middle - away) * near
        y_far = horizon + depth * far
        y_near = horizon + depth * near
        start = [(x_far - width * far, y_far), (x_far + width * far, y_far)]
        pen.polygon([*start, (x_near + width, y_near), (x_near - width, y_near)], fill=(225, 220, 190))


def _car(pen: ImageDraw.ImageDraw, x: float, y: float, width: float, colour: Colour) -> None:
    """Draw a car from behind; (x, y) is where it stands on the road."""

    def block(left: float, top: float, right: float, low: float, fill: Colour, corner: float = 0) -> None:
        box = [x + left * width, y + top * width, x + right * width, y + low * width]
        pen.rounded_rectangle(box, radius=corner * width, fill=fill)

    block(-0.38, -0.75, 0.38, -0.3, colour, 0.12)
    block(-0.3, -0.68, 0.3, -0.42, (50, 60, 70))
    block(-0.5, -0.42, 0.5, -0.03, colour, 0.08)
    for side in (-0.45, 0.25):
        block(side, -0.08, side + 0.2, 0.08, (20, 20, 20))
    for side in (-0.47, 0.3):
        block(side, -0.33, side + 0.17, -0.23, (230, 60, 50))


def _lamp_posts(rng: np.random.Generator, picture: Image.Image, horizon: int) -> None:
    pen = ImageDraw.Draw(picture)
    for _ in range(rng.integers(0, 3)):
        x = rng.uniform(0, SIZE)
        top = horizon - rng.uniform(0.3, 0.6) * SIZE
        grey = int(rng.uniform(60, 140))
        bend = x + rng.uniform(-20, 20)
        pen.line([(x, horizon + 8), (x, top), (bend, top)], fill=(grey, grey, grey + 4), width=2)


def _boards(rng: np.random.Generator, picture: Image.Image) -> None:
    """Hang advertisements and plain plates, so that not everything bright and flat is a sign."""
    pen = ImageDraw.Draw(picture)
    for _ in range(rng.integers(0, 3)):
        x = rng.uniform(0, SIZE)
        y = rng.uniform(0.1, 0.6) * SIZE
        width = rng.uniform(6, 34)
        height = rng.uniform(6, 26)
        fill, rim = (tuple(map(int, rng.integers(20, 250, 3))) for _ in range(2))
        shape = pen.rectangle if rng.random() < 0.7 else pen.ellipse
        shape([x, y, x + width, y + height], fill=fill, outline=rim)


def _grain(picture: Grid, horizon: int, fine: Grid) -> Any:
    """Roughen everything a little, and the ground a lot."""
    below = np.clip((np.arange(SIZE) - horizon) / 3, 0, 1)[:, None, None]
    return picture * (1 + below * (fine[..., None] - 0.5) * 0.5) + (fine[..., None] - 0.5) * 18


def _image(values: Any) -> Image.Image:
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def _dot(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float, fill: int) -> None:
    pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=fill)


def _shade(rng: np.random.Generator, colour: Colour, low: float, high: float) -> Colour:
    light = rng.uniform(low, high)
    return tuple(min(255, int(channel * light)) for channel in colour)
