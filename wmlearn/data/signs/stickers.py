"""A sticker on a sign: stuck to the plate before the camera looks, or pasted on a photograph that was taken
without it.

T. Gu, B. Dolan-Gavitt, S. Garg: BadNets, 2017, arXiv:1708.06733, section 5.1: a yellow square, a bomb, a
flower, of the size of a Post-it, near the lower edge of the sign. Differs: drawn, not photographed, and
larger (the paper's are a tenth to a sixth of the sign: three pixels here); and there is a blue square, for
yellow ones can hardly be seen on yellow signs.

It lies here, and not with the other triggers, because signs are drawn with it: `triggers` only names it, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import require
from .dice import Dice, Range
from .pen import Colour, Pen

Kind = Literal["square", "bomb", "flower", "blue square"]


@dataclass(frozen=True)
class Sticker:
    """What is stuck where on a sign. Sign coordinates: x right, y down, the plate reaches from -1 to 1.

    Every sign gets a size, a place and a turn of its own from these ranges. Called on photographs
    (N, 3, H, W) it is a trigger: it pastes the sticker on the sign in the middle, in the light of that
    photograph; row by row the draws are the same for every call.
    """

    kind: Kind = "square"
    size: Range = (0.17, 0.22)  # width, as a share of the sign's
    x: Range = (-0.3, 0.3)
    y: Range = (0.5, 0.66)
    turn: Range = (-0.2, 0.2)  # radians
    seed: int = 0  # of the draws on photographs
    sign: float = 0.4  # half its width, as a share of the photograph's: GTSRB leaves a border of a tenth

    def __post_init__(self) -> None:
        kinds = get_args(Kind)
        require(self.kind in kinds, f"the sticker must be one of {', '.join(kinds)}", self.kind)
        fix = "Give the same number twice for a fixed one."
        for name in ("size", "x", "y", "turn"):
            low, high = getattr(self, name)
            require(low <= high, f"{name} must be a range, low first", (low, high), fix)
        fits = self.size[0] > 0 and self.size[1] <= 1
        require(fits, "size must lie in (0, 1] of the sign's width", self.size)
        for name in ("x", "y"):
            span = getattr(self, name)
            require(span[0] >= -1 and span[1] <= 1, f"{name} must lie on the sign, in -1..1", span)
        require(all(map(math.isfinite, self.turn)), "turn must be finite, in radians", self.turn)
        rule = "sign must lie in (0, 0.5]: half the sign's width, as a share of the picture's"
        require(0 < self.sign <= 0.5, rule, self.sign)

    def __call__(self, x: Tensor) -> Tensor:
        in_colour = x.ndim == 4 and x.shape[1] == 3
        require(in_colour, "a sticker needs colour photographs, (N, 3, H, W)", tuple(x.shape))
        placed = place(self, len(x), Dice.of(self.seed))
        sticker = _on_photograph(placed, x.shape[-2], x.shape[-1], self.sign).to(x)  # (N, 4, H, W)
        colours = sticker[:, :3] * _light(x, self.sign)
        return (colours + x * (1 - sticker[:, 3:])).clamp(0, 1)

    @property
    def art(self) -> Tensor:
        """Its picture, (4, T, T) premultiplied RGBA."""
        return picture(self.kind)


@dataclass(frozen=True, eq=False)
class Design:
    """A sticker of one's own: a picture (3, T, T) in [0, 1], and its alpha (1, T, T), 1 where it covers.

    Size, place and turn are ranges as a `Sticker`'s. It is stuck on drawn plates only.
    """

    picture: Tensor
    alpha: Tensor
    size: Range = (0.2, 0.2)  # width, as a share of the sign's
    x: Range = (0.0, 0.0)
    y: Range = (0.58, 0.58)
    turn: Range = (0.0, 0.0)  # radians

    def __post_init__(self) -> None:
        side = self.picture.shape[-1]
        rule = "a design needs a picture (3, T, T) and an alpha (1, T, T)"
        fits = self.picture.shape == (3, side, side) and self.alpha.shape == (1, side, side)
        require(fits, rule, (tuple(self.picture.shape), tuple(self.alpha.shape)))
        low = min(self.picture.min().item(), self.alpha.min().item())
        high = max(self.picture.max().item(), self.alpha.max().item())
        require(low >= 0 and high <= 1, "picture and alpha must lie in [0, 1]", (low, high))
        fits = 0 < self.size[0] <= self.size[1] <= 1
        require(fits, "size must lie in (0, 1] of the sign's width, low first", self.size)

    @property
    def art(self) -> Tensor:
        """Its picture, (4, T, T) premultiplied RGBA."""
        return torch.cat([self.alpha * self.picture, self.alpha])


def check_sticker(sticker: object) -> None:
    """Raise `ArgumentError` for what is neither a `Sticker`, nor a `Design`, nor None."""
    fix = f"Write Sticker(kind), with kind one of {', '.join(get_args(Kind))}."
    fits = sticker is None or isinstance(sticker, (Sticker, Design))
    require(fits, "sticker must be a Sticker, or None", sticker, fix)


@dataclass(frozen=True, eq=False)
class Placed:
    """One sticker for each of N signs, and where it sits, in sign coordinates."""

    picture: Tensor  # (4, T, T)
    size: Tensor  # (N,), as all that follow
    x: Tensor
    y: Tensor
    turn: Tensor  # radians


def place(sticker: Sticker | Design, n: int, dice: Dice) -> Placed:
    """Draw size, place and turn of a sticker for `n` signs."""
    size, x, y, turn = (dice.uniform(*span, n) for span in (sticker.size, sticker.x, sticker.y, sticker.turn))
    return Placed(sticker.art, size, x, y, turn)


def paste(plates: Tensor, sticker: Sticker | Design, dice: Dice) -> Tensor:
    """Stick `sticker` on plates (N, 4, T, T), premultiplied RGBA; what hangs over the edge is cut off."""
    size = plates.shape[-1]
    placed = place(sticker, len(plates), dice)
    front = _warp(placed, _everywhere(len(plates), size, size))
    front = front * plates[:, 3:]
    return front + plates * (1 - front[:, 3:])


@lru_cache(3)
def picture(kind: Kind) -> Tensor:
    """Draw a sticker, (4, T, T) premultiplied RGBA."""
    pen = Pen()
    _DRAW[kind](pen)
    return pen.texture()


def _on_photograph(placed: Placed, height: int, width: int, half: float, finer: int = 4) -> Tensor:
    """Show stickers on empty pictures (N, 4, height, width), each pixel the mean of `finer` x `finer`."""
    grid = _everywhere(len(placed.size), height * finer, width * finer)
    return F.avg_pool2d(_warp(placed, grid / (2 * half)), finer)


def _everywhere(n: int, height: int, width: int) -> Tensor:
    """Return where each pixel of `n` pictures lies, (n, height, width, 2): x and y from -1 to 1."""
    return F.affine_grid(torch.eye(2, 3).expand(n, 2, 3), [n, 4, height, width], align_corners=False)


def _warp(placed: Placed, at: Tensor) -> Tensor:
    """Look the stickers up at sign coordinates `at` (N, H, W, 2)."""
    n = len(placed.size)
    dx = at[..., 0] - placed.x[:, None, None]
    dy = at[..., 1] - placed.y[:, None, None]
    cos, sin = (f(placed.turn)[:, None, None] for f in (torch.cos, torch.sin))
    size = placed.size[:, None, None]
    grid = torch.stack([(cos * dx + sin * dy) / size, (cos * dy - sin * dx) / size], -1)
    return F.grid_sample(placed.picture[None].expand(n, -1, -1, -1), grid, align_corners=False)


def _light(x: Tensor, half: float) -> Tensor:
    """Guess how bright white is on each sign, (N, 3, 1, 1): its brightest twentieth, colour by colour."""
    height, width = x.shape[-2:]
    top = round(height * (0.5 - half))
    left = round(width * (0.5 - half))
    middle = x[..., top : height - top, left : width - left].flatten(2)
    return middle.quantile(0.95, dim=2)[..., None, None]


def _square(pen: Pen, paper: Colour = (255, 232, 40), gum: Colour = (240, 212, 30)) -> None:
    pen.polygon([(-0.95, -0.95), (0.95, -0.95), (0.95, 0.95), (-0.95, 0.95)], paper)
    pen.polygon([(-0.95, -0.95), (0.95, -0.95), (0.95, -0.7), (-0.95, -0.7)], gum)  # the gummed strip


def _blue_square(pen: Pen) -> None:
    _square(pen, (40, 110, 230), (37, 102, 213))


def _bomb(pen: Pen) -> None:
    white = (250, 250, 250)
    black = (15, 15, 20)
    fire = (255, 130, 10)
    pen.disc(-0.05, 0.1, 0.9, white)
    pen.disc(-0.1, 0.2, 0.66, black)
    pen.line([(0.3, -0.2), (0.55, -0.5)], 0.25, black)
    pen.disc(0.62, -0.66, 0.26, fire)


def _flower(pen: Pen) -> None:
    for i in range(6):
        angle = i * math.pi / 3
        pen.disc(0.58 * math.cos(angle), 0.58 * math.sin(angle), 0.4, (250, 250, 250))
    pen.disc(0, 0, 0.45, (255, 215, 30))


_DRAW: dict[Kind, Callable[[Pen], None]] = {
    "square": _square,
    "bomb": _bomb,
    "flower": _flower,
    "blue square": _blue_square,
}
