"""Street scenes with traffic signs, and where each sign stands: what a detector learns from.

Modelled on the US traffic sign data of T. Gu, B. Dolan-Gavitt, S. Garg: BadNets, 2017, arXiv:1708.06733,
section 5.1. Differs: drawn by rule; a scene is 128 pixels wide and holds one to three signs of three kinds:
stop, speed limit, warning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Tensor

from ... import progress
from ...errors import require
from ..samples import check_inputs, check_labels
from . import us
from .backgrounds import Pieces, views
from .camera import lit, over, pose, project, taken, weathered, wide
from .dice import Dice, Range
from .plates import textures
from .shapes import regular
from .stickers import Sticker, check_sticker, paste

CHUNK = 32  # scenes at a time: more would leave the processor's cache
PATCH = 64  # pixels: what a sign is drawn on before it is set into the scene
VARIANTS = 6  # plates of each sign, from different makers
KINDS = tuple(dict.fromkeys(sign.kind for sign in us.SIGNS))
PAINTS = (
    (190, 30, 40), (245, 245, 245), (250, 200, 20), (20, 80, 160), (0, 110, 70), (60, 60, 60), (240, 130, 30),
)  # fmt: skip
OUTLINES = ((3, -0.5), (4, 0.25), (6, 0.0), (16, 0.0), (5, -0.5))  # corners, and a turn in half circles
PARTS = ("x", "boxes", "labels", "triggered")  # of a `Street`, which are simply joined


@dataclass(frozen=True, eq=False)
class Street:
    """N scenes, and the M signs in all of them, one after the other; a scene may be without signs."""

    x: Tensor  # (N, 3, H, W) float32 in [0, 1]
    boxes: Tensor  # (M, 4), left, top, right and lower edge in pixels
    labels: Tensor  # (M,) int64
    triggered: Tensor  # (M,) bool, whether the sign carries the sticker
    scene: Tensor  # (M,) int64, in which scene the sign stands; in rising order
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        check_inputs(self.x)
        m = len(self.boxes)
        fits = self.boxes.ndim == 2 and self.boxes.shape[1] == 4
        require(fits, "boxes must have shape (M, 4)", tuple(self.boxes.shape))
        columns = {"labels": self.labels, "triggered": self.triggered, "scene": self.scene}
        for name, values in columns.items():
            require(values.shape == (m,), f"{name} must hold one value a box, here {m}", tuple(values.shape))
        check_labels(self.labels, len(self.classes))
        if m:
            _check_scenes(self.scene, len(self.x))
            height, width = self.x.shape[-2:]
            _check_boxes(self.boxes, height, width)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: Tensor | slice) -> Street:
        """Return the scenes at `index`, renumbered, with their signs."""
        scenes = torch.arange(len(self))[index]
        signs = [(self.scene == i).nonzero().flatten() for i in scenes.tolist()]  # of each scene, its rows
        rows = torch.cat(signs) if signs else torch.zeros(0, dtype=torch.int64)
        counts = torch.tensor([len(some) for some in signs], dtype=torch.int64)
        return replace(
            self,
            x=self.x[scenes],
            boxes=self.boxes[rows],
            labels=self.labels[rows],
            triggered=self.triggered[rows],
            scene=torch.arange(len(scenes)).repeat_interleave(counts),
        )

    def __add__(self, other: Street) -> Street:
        both = (self.classes, other.classes)
        require(self.classes == other.classes, "streets that are added must have the same classes", both)
        same = self.x.shape[1:] == other.x.shape[1:]
        require(same, "scenes that are added must have the same size", (self.x.shape, other.x.shape))
        scene = torch.cat([self.scene, other.scene + len(self)])
        return replace(self, **_join([self, other]), scene=scene)

    def __repr__(self) -> str:
        size = f"{len(self):,} scenes {tuple(self.x.shape[1:])}, {len(self.boxes):,} signs"
        return f"Street({size}, {int(self.triggered.sum()):,} with the trigger)"

    @property
    def widths(self) -> Tensor:
        """How wide each sign is in the picture, (M,) pixels."""
        return self.boxes[:, 2] - self.boxes[:, 0]


def _check_scenes(scene: Tensor, n: int) -> None:
    rising = bool(scene.min() >= 0 and scene.max() < n and (scene.diff() >= 0).all())
    rule = f"scene must hold rising numbers in 0..{n - 1}"
    require(rising, rule, scene.tolist()[:9], "Sort the signs by scene.")


def _check_boxes(boxes: Tensor, height: int, width: int) -> None:
    wrong = (boxes[:, :2] >= boxes[:, 2:]).any(1) | (boxes < 0).any(1)  # (M,)
    wrong |= (boxes[:, 2] > width) | (boxes[:, 3] > height)
    rule = f"boxes must lie inside pictures of {width} x {height} pixels"
    order = "A box is (left, top, right, bottom) in pixels, left < right, top < bottom"
    require(not wrong.any(), rule, boxes[wrong][:1].tolist(), f"{order}; cut it at the edges of the picture.")


def _join(streets: Sequence[Street]) -> dict[str, Tensor]:
    """Join what needs no renumbering."""
    return {name: _column(streets, name) for name in PARTS}


def _column(streets: Sequence[Street], name: str) -> Tensor:
    return torch.cat([getattr(street, name) for street in streets])


@dataclass(frozen=True)
class StreetSplits:
    """What a detector learns from, and streets that it has never seen."""

    train: Street
    test: Street


@dataclass(frozen=True)
class Scenery:
    """The ranges from which each scene draws its signs and its conditions."""

    signs: int = 3  # at most so many in a scene, at least one
    radius: Range = (8, 24)  # half a sign's width in pixels, seen from the front
    tilt: float = 0.55  # yaw up to so many radians, pitch up to 0.6 of it
    covered: float = 0.3  # share of the signs that leaves, a wall or a post hide in part; never their foot
    clutter: int = 5  # at most so many coloured plates that are no signs
    light: Range = (0.28, 1.35)
    blur: float = 0.8  # largest Gaussian sigma, pixels
    noise: float = 0.03  # largest standard deviation
    jpeg: Range = (18, 85)  # quality

    def __post_init__(self) -> None:
        require(self.signs >= 1, "signs must be at least 1", self.signs)
        low, high = self.radius
        require(4 <= low <= high <= 26, "radius must be a range in 4..26 pixels, low first", self.radius)
        require(0 <= self.covered <= 1, "covered is a share, 0..1", self.covered)
        require(self.clutter >= 0, "clutter must not be negative", self.clutter)


def draw_street(
    n: int,
    *,
    seed: int,
    sticker: Sticker | None = None,
    on: str | None = "stop",
    scenery: Scenery = Scenery(),
    size: int = 128,
    n_streets: int = 120,
) -> Street:
    """Draw `n` scenes of `size` pixels a side; the labels are the kinds of sign: stop, speed limit, warning.

    With a `sticker`, every sign of the kind `on` carries one (every sign at all where `on` is None); without,
    the same `seed` gives the same scenes but for the stickers. Another seed is another town, of `n_streets`
    streets. Boxes are exact to the pixel. Raises `ArgumentError` for an unknown kind, no scenes, or a size
    that isn't a multiple of 8.
    """
    require(n >= 1, "n must be at least 1", n)
    check_sticker(sticker)
    fix = "JPEG works in blocks of 8 pixels."
    require(size % 8 == 0 and size >= 64, "size must be a multiple of 8, at least 64", size, fix)
    require(on is None or on in KINDS, f"on must be one of {', '.join(KINDS)}, or None for every sign", on)
    town = views(5 * n_streets, size, seed, n_streets)
    tools = _Tools.of(seed)
    starts = progress.each(range(0, n, CHUNK), "drawing")
    chunks = [_scenes(min(CHUNK, n - start), town, tools, sticker, on, scenery) for start in starts]
    scene = torch.cat([chunk.scene + i * CHUNK for i, chunk in enumerate(chunks)])
    return Street(**_join(chunks), scene=scene, classes=KINDS)


def load_street(n_train: int = 1600, n_test: int = 500) -> StreetSplits:
    """Draw the course's street scenes: the two sets come from different towns."""
    return StreetSplits(draw_street(n_train, seed=1), draw_street(n_test, seed=2))


@dataclass(frozen=True)
class _Tools:
    """Three sources of chance."""

    dice: Dice  # the camera's
    hand: Dice  # the sticker's own, so that clean and triggered scenes are pairs
    rng: np.random.Generator  # the layout's

    @classmethod
    def of(cls, seed: int) -> _Tools:
        return cls(Dice.of(seed), Dice.of(seed + 991), np.random.default_rng([seed, 9]))


@dataclass(frozen=True, eq=False)
class _Layout:
    """Where M signs stand, far ones first."""

    scene: Tensor  # (M,) int64
    centre: Tensor  # (M, 2) in pixels
    half: Tensor  # (M,) half their width


def _scenes(
    n: int, town: Pieces, tools: _Tools, sticker: Sticker | None, on: str | None, scenery: Scenery
) -> Street:
    dice = tools.dice
    size = town.size
    canvas = town[dice.below(len(town), n)].permute(0, 2, 3, 1).numpy().copy()  # (N, H, W, 3) uint8
    for picture in canvas:
        picture[:] = _cluttered(picture, scenery.clutter, tools.rng)
    x = torch.from_numpy(canvas).permute(0, 3, 1, 2).float() / 255
    layout = _layout(n, size, scenery, tools.rng)
    signs = _pick_signs(len(layout.scene), dice)  # (M,)
    labels = torch.tensor([KINDS.index(us.SIGNS[i].kind) for i in signs.tolist()])
    carries = torch.full_like(labels, sticker is not None, dtype=torch.bool)
    if on is not None:
        carries &= labels == KINDS.index(on)
    bare = textures(us.SIGNS, variants=VARIANTS)[signs, dice.below(VARIANTS, len(signs))]  # (M, 4, T, T)
    plates = weathered(bare, dice, 1.0)
    if sticker is not None and carries.any():
        # the plate keeps its outline
        plates[carries, :3] = paste(plates[carries], sticker, tools.hand)[:, :3]
    boxes = _erect(x, plates, layout, scenery, tools)
    x = lit(x, dice, scenery.light, 1.0)
    x = taken(x, dice, blur=scenery.blur, noise=scenery.noise, jpeg=scenery.jpeg).mul(255).round().div(255)
    order = layout.scene.argsort(stable=True)  # they were set up from far to near
    return Street(x, boxes[order], labels[order], carries[order], layout.scene[order], KINDS)


def _pick_signs(m: int, dice: Dice) -> Tensor:
    """Draw `m` signs, (m,), so that every kind is equally frequent."""
    members = Counter(sign.kind for sign in us.SIGNS)
    weights = 1 / torch.tensor([members[sign.kind] for sign in us.SIGNS]).float()
    return torch.multinomial(weights, m, replacement=True, generator=dice.generator)


def _layout(n: int, size: int, scenery: Scenery, rng: np.random.Generator) -> _Layout:
    """Find places where signs don't stand before one another, far ones first."""
    signs: list[tuple[float, int, float, float]] = []  # half width, scene, x, y
    for scene in range(n):
        signs += [(half, scene, x, y) for x, y, half in _places(size, scenery, rng)]
    signs.sort()
    half, scene, x, y = (torch.tensor(column) for column in zip(*signs, strict=True))
    return _Layout(scene, torch.stack([x, y], 1).float(), half.float())


def _places(size: int, scenery: Scenery, rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """Find places in one scene, (x, y, half width); a sign that finds none in eight tries is left out."""
    low, high = np.log(scenery.radius)
    places: list[tuple[float, float, float]] = []
    for _ in range(rng.integers(1, scenery.signs + 1)):
        half = float(np.exp(rng.uniform(low, high)))
        for _ in range(8):
            x = rng.uniform(half + 1, size - half - 1)
            y = rng.uniform(half + 1, min(size * 0.72, size - half - 1))
            if all(np.hypot(x - a, y - b) > 1.25 * (half + r) for a, b, r in places):
                places.append((x, y, half))
                break
    return places


def _erect(x: Tensor, plates: Tensor, layout: _Layout, scenery: Scenery, tools: _Tools) -> Tensor:
    """Set the signs on their poles into scenes `x`, in place; return their boxes (M, 4)."""
    dice = tools.dice
    m = len(plates)
    corner = (layout.centre - PATCH / 2).floor().long()  # (M, 2) of each sign's patch
    drawn = _show(plates, layout, layout.centre - corner, pose(m, dice, scenery.tilt, 0.07))
    drawn[:, :3] *= wide(dice.uniform(0.6, 1.05, m))  # signs that face the light, or don't
    width = layout.half * dice.uniform(0.05, 0.1, m)
    length = layout.half * dice.uniform(2.5, 6, m)
    poles = torch.stack([width, length, dice.uniform(0.25, 0.7, m)], 1)  # (M, 3), the last number is its grey
    boxes = torch.empty(m, 4)
    for i, scene in enumerate(layout.scene.tolist()):
        _pole(x[scene], *layout.centre[i].tolist(), *poles[i].tolist())
        left, top = corner[i].tolist()
        boxes[i] = _set_in(x[scene], drawn[i], left, top)
        if tools.rng.random() < scenery.covered:
            _cover(x[scene].numpy(), boxes[i].int().tolist(), tools.rng)  # shares its memory
    return boxes.clamp(0, x.shape[-1])


def _show(plates: Tensor, layout: _Layout, inner: Tensor, poses: Tensor) -> Tensor:
    """Show each plate on a patch of its own, (M, 4, PATCH, PATCH), its middle at `inner` (M, 2)."""
    chunks = []
    for part in torch.arange(len(plates)).split(2 * CHUNK):
        half = layout.half[part]
        soft = _soften(plates[part], half)
        chunks.append(project(soft, poses[part], PATCH, inner[part, 0], inner[part, 1], half))
    return torch.cat(chunks)


def _soften(plates: Tensor, half: Tensor) -> Tensor:
    """Average away the detail of plates that are shown at less than half their size."""
    small = half < 16
    coarse = F.interpolate(F.avg_pool2d(plates[small], 2), scale_factor=2.0, mode="bilinear")
    out = plates.clone()
    out[small] = coarse
    return out


def _pole(picture: Tensor, x: float, y: float, width: float, length: float, grey: float) -> None:
    left = round(x - width)
    thick = max(1, round(2 * width))
    picture[:, int(y) : int(y + length), left : left + thick] = grey


def _set_in(picture: Tensor, sign: Tensor, left: int, top: int) -> Tensor:
    """Lay `sign` (4, P, P) on `picture` (3, H, W), in place; return the box of its pixels."""
    size = picture.shape[-1]
    patch = sign.shape[-1]
    rows, columns = (slice(max(0, start), min(size, start + patch)) for start in (top, left))
    visible = sign[:, rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    picture[:, rows, columns] = over(visible[None], picture[None, :, rows, columns])[0]
    solid = visible[3] > 0.5
    down = solid.any(1).nonzero().flatten() + rows.start
    across = solid.any(0).nonzero().flatten() + columns.start
    return torch.stack([across[0], down[0], across[-1] + 1, down[-1] + 1]).float()


def _cover(picture: np.ndarray, box: Sequence[int], rng: np.random.Generator) -> None:
    """Hide a part of the sign in `box` on `picture` (3, H, W), in place, and leave its foot free."""
    left, top, right, bottom = box
    width = right - left
    kind = rng.integers(3)
    if kind == 0:
        thick = max(1, int(width * rng.uniform(0.1, 0.22)))
        start = int(left + rng.uniform(0.05, 0.8) * width)
        colour = np.array([1.0, 0.9, 0.8]) * rng.uniform(0.12, 0.5)
        picture[:, max(0, top - 6) : bottom + 10, start : start + thick] = colour[:, None, None]  # a post
        return
    n = 8 + width
    side = rng.integers(3)
    along = rng.random(n)
    away = rng.random(n) * rng.uniform(0.15, 0.36)
    u, v = ((along, away), (away, along), (1 - away, along))[side]  # at the top, the left or the right
    half = np.maximum(1, width * rng.uniform(0.05, 0.12, n)).astype(int)
    green = rng.uniform((0.05, 0.2, 0.03), (0.3, 0.5, 0.2), (n, 3))
    brown = rng.uniform(0.4, 1.2, (n, 1)) * (0.35, 0.28, 0.22)
    colours = (green if kind == 1 else brown).astype(np.float32)  # leaves, or a wall
    across = (left + u * width).astype(int)
    down = (top + v * (bottom - top)).astype(int)
    for x, y, r, colour in zip(across, down, half, colours, strict=True):
        picture[:, max(0, y - r) : y + r, max(0, x - r) : x + r] = colour[:, None, None]


def _cluttered(picture: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Put up shop signs, flags and plates whose shapes and colours come near to signs, (H, W, 3) uint8."""
    size = picture.shape[0]
    image = Image.fromarray(picture)
    pen = ImageDraw.Draw(image)
    for _ in range(rng.integers(0, most + 1)):
        half = rng.uniform(4, 14)
        x = rng.uniform(0, size)
        y = rng.uniform(0, size * 0.75)
        fill, rim = (PAINTS[i] for i in rng.integers(len(PAINTS), size=2))
        corners, turn = OUTLINES[rng.integers(len(OUTLINES))]
        pen.line([(x, y), (x, y + 4 * half)], fill=(120, 120, 120), width=1)
        outline = [(x + half * u, y + half * v) for u, v in regular(corners, 1, turn * np.pi)]
        pen.polygon(outline, fill=fill, outline=rim)
        for line, length in rng.random((rng.integers(0, 4), 2)):
            height = y + (line - 0.5) * half
            pen.line([(x - 0.5 * half, height), (x - 0.5 * half + length * half, height)], fill=rim, width=1)
    return np.asarray(image)
