"""What happens between a sign and its photograph: where it stands, in which light, through which lens.
Everything in batches.

Pictures are (N, C, H, W) float, nominally in [0, 1]; plates are premultiplied RGBA textures (N, 4, T, T).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import require
from .dice import Dice, Range


@dataclass(frozen=True)
class Camera:
    """The ranges from which each photograph draws its conditions; 0 switches an effect off where it may."""

    half: Range = (0.36, 0.47)  # half the sign's width, as a share of the picture's
    shift: float = 0.05  # how far off the middle, share of the picture's width
    tilt: float = 0.5  # yaw up to so many radians, pitch up to 0.6 of it
    roll: float = 0.08  # standard deviation, radians
    light: Range = (0.25, 1.35)  # of the whole picture
    behind: Range = (0.5, 1.35)  # light of the background, beside that
    white_sky: float = 0.06  # share of blown-out backgrounds
    neighbours: float = 0.0  # share with a second sign above or below
    paint: float = 1.0  # fading and dirt
    weather: float = 1.0  # shadows, haze, white balance
    blur: float = 1.2  # largest Gaussian sigma, pixels
    noise: float = 0.035  # largest standard deviation
    jpeg: Range = (25, 95)  # quality

    def __post_init__(self) -> None:
        for name in ("half", "light", "behind", "jpeg"):
            low, high = getattr(self, name)
            require(0 < low <= high, f"{name} must be a range of positive numbers, low first", (low, high))
        require(self.jpeg[0] >= 1 and self.jpeg[1] <= 100, "jpeg must lie in 1..100", self.jpeg)
        require(0 <= self.tilt <= 1.2, "tilt must lie in 0..1.2 radians", self.tilt)


ROUGH = Camera(
    light=(0.1, 1.8), behind=(0.4, 4.0), white_sky=0.15, neighbours=0.25,
    half=(0.3, 0.46), shift=0.07, tilt=0.45, blur=1.9, noise=0.05, jpeg=(20, 98),
)  # fmt: skip
"""Harder than life, chosen on training photographs of GTSRB: who learnt from such renders reads real ones."""


def wide(values: Tensor) -> Tensor:
    """Turn (N,) into (N, 1, 1, 1), to multiply pictures with."""
    return values[:, None, None, None]


# Where it stands


def pose(n: int, dice: Dice, tilt: float, roll: float) -> Tensor:
    """Draw maps (n, 3, 3) from the picture plane to a sign that is turned, yawed and pitched towards us."""
    angle = dice.normal(n) * roll
    yaw = dice.uniform(-tilt, tilt, n)
    pitch = dice.uniform(-tilt, tilt, n) * 0.6
    zero = torch.zeros(n)
    one = torch.ones(n)
    turn = torch.stack([angle.cos(), -angle.sin(), zero, angle.sin(), angle.cos(), zero, zero, zero, one], 1)
    depth = 0.35  # how near the camera stands
    nearer = [depth * yaw.sin(), depth * pitch.sin(), one]
    view = torch.stack([1 / yaw.cos(), zero, zero, zero, 1 / pitch.cos(), zero, *nearer], 1)
    return view.view(n, 3, 3) @ turn.view(n, 3, 3)


def project(plates: Tensor, poses: Tensor, size: int, x: Tensor, y: Tensor, half: Tensor) -> Tensor:
    """Show plates (N, 4, T, T) on empty pictures (N, 4, size, size), turned by their `poses` (N, 3, 3).

    They are centred at (x, y) and `half` wide to each side; all (N,), in pixels.
    """
    axis = torch.arange(size) + 0.5  # the middles of the pixels
    across = ((axis[None, None, :] - x[:, None, None]) / half[:, None, None]).expand(-1, size, -1)
    down = ((axis[None, :, None] - y[:, None, None]) / half[:, None, None]).expand(-1, -1, size)
    rays = torch.stack([across, down, torch.ones_like(across)], 1).flatten(2)  # (N, 3, size * size)
    hits = poses @ rays
    grid = (hits[:, :2] / hits[:, 2:].clamp_min(0.2)).view(-1, 2, size, size).permute(0, 2, 3, 1)
    return F.grid_sample(plates, grid, align_corners=False)


def over(front: Tensor, back: Tensor) -> Tensor:
    """Lay premultiplied `front` (N, 4, H, W) on a picture (N, 3, H, W)."""
    return front[:, :3] + back * (1 - front[:, 3:])


# Paint and light


def weathered(plates: Tensor, dice: Dice, paint: float) -> Tensor:
    """Fade the paint, shift its colours, and let some plates get dirty."""
    n = len(plates)
    rgb = plates[:, :3]
    alpha = plates[:, 3:]
    rgb = torch.lerp(rgb, rgb.mean(1, keepdim=True), wide(dice.uniform(0, 0.3 * paint, n)))
    rgb = rgb * (dice.normal(n, 3) * 0.08 * paint).exp()[:, :, None, None]
    lift = wide(dice.uniform(0, 0.12 * paint, n))
    rgb = rgb * (1 - lift) + lift * alpha
    spots = (clouds(dice, n, 8, plates.shape[-1]) * 3 - 2.2).sigmoid()
    dirt = spots * wide(dice.uniform(0, 0.6 * paint, n) * dice.often(0.3, n))
    rgb = rgb * (1 - dirt) + dirt * alpha * 0.25
    return torch.cat([rgb.clamp(0, 1), alpha], 1)


def lit(x: Tensor, dice: Dice, light: Range, weather: float) -> Tensor:
    """Cast a shadow's edge and leaf shadows, set the light and its colour, add haze, bend the curve."""
    n = len(x)
    size = x.shape[-1]
    x = x * (1 - _shadow(n, size, dice, weather)) * (1 - _leaf_shadow(n, size, dice, weather))
    strength = dice.geometric(*light, n)
    colour = (dice.normal(n, 3) * 0.07 * weather).exp()
    x = x * wide(strength) * colour[:, :, None, None]
    haze = wide(dice.uniform(0, 0.35, n) * dice.often(0.4, n) * weather)
    x = x * (1 - haze) + haze * wide(strength.clamp(max=1)) * 0.8
    return x.clamp(0, 1.3) ** wide((dice.normal(n) * 0.15 * weather).exp())


def _shadow(n: int, size: int, dice: Dice, weather: float) -> Tensor:
    angle = dice.uniform(0, 2 * math.pi, n)[:, None, None]
    axis = torch.linspace(-1, 1, size)
    along = axis[None, None, :] * angle.cos() + axis[None, :, None] * angle.sin()  # (N, H, W)
    distance = along - dice.uniform(-0.8, 0.8, n)[:, None, None]  # of each pixel from the shadow's edge
    edge = (distance * dice.uniform(3, 30, n)[:, None, None]).sigmoid()
    depth = dice.often(0.35 * weather, n) * dice.uniform(0.2, 0.65, n)
    return (edge * depth[:, None, None])[:, None]


def _leaf_shadow(n: int, size: int, dice: Dice, weather: float) -> Tensor:
    leaves = (clouds(dice, n, 6, size) * 2).sigmoid()
    return leaves * wide(dice.often(0.25 * weather, n) * dice.uniform(0.1, 0.6, n))


def clouds(dice: Dice, n: int, cells: int, size: int) -> Tensor:
    """Draw soft random patches between about -1 and 1, (n, 1, size, size), `cells` across."""
    grid = dice.uniform(-1, 1, n, 1, cells, cells)
    return F.interpolate(grid, size=size, mode="bicubic", align_corners=False)


# Lens and sensor


def taken(x: Tensor, dice: Dice, *, blur: float, noise: float, jpeg: Range, weather: float = 1.0) -> Tensor:
    """Take the picture: lens and motion blur, contrast, noise, JPEG; the result is (N, 3, H, W) in [0, 1]."""
    n = len(x)
    sigma = dice.uniform(0.1, max(blur, 0.1), n) ** 1.3
    motion = dice.uniform(0, 2.5 * blur, n) * dice.often(0.3, n)
    x = blurred(x, sigma, motion, dice.uniform(0, math.pi, n))
    middle = x.mean((1, 2, 3), keepdim=True)
    contrast = wide((dice.normal(n) * 0.12 * weather).exp())
    x = (x - middle) * contrast + middle
    x = x + dice.normal(*x.shape) * wide(dice.uniform(0, noise, n))
    return compressed(x.clamp(0, 1), dice.uniform(*jpeg, n)).clamp(0, 1)


def blurred(x: Tensor, sigma: Tensor, motion: Tensor, angle: Tensor, width: int = 7) -> Tensor:
    """Blur each picture by a Gaussian of `sigma` pixels, drawn out over `motion` pixels at `angle` (N,)."""
    n, c, h, w = x.shape
    axis = torch.arange(width) - width // 2
    down, across = (grid[None].float() for grid in torch.meshgrid(axis, axis, indexing="ij"))
    cos = angle.cos()[:, None, None]
    sin = angle.sin()[:, None, None]
    along = ((across * cos + down * sin).abs() - motion[:, None, None] / 2).clamp_min(0)
    aside = down * cos - across * sin
    kernel = torch.exp(-(along**2 + aside**2) / (2 * sigma[:, None, None].clamp_min(0.05) ** 2))
    kernel = kernel / kernel.sum((1, 2), keepdim=True)
    kernel = kernel.repeat_interleave(c, 0)[:, None]  # (N * C, 1, width, width)
    # pictures lie as channels of one, so that each gets the kernel of its own
    padded = F.pad(x.reshape(1, n * c, h, w), [width // 2] * 4, mode="replicate")
    return F.conv2d(padded, kernel, groups=n * c).view(n, c, h, w)


def _cosine(i: int, j: int) -> float:
    """Return the value at pixel `j` of wave `i` of the discrete cosine transform of 8 pixels."""
    weight = math.sqrt((2 if i else 1) / 8)  # so that the waves are orthonormal
    return math.cos((2 * j + 1) * i * math.pi / 16) * weight


_COSINES = torch.tensor([_cosine(i, j) for i in range(8) for j in range(8)]).view(8, 8)  # (waves, pixels)
_LUMA = torch.tensor([
    [16, 11, 10, 16, 24, 40, 51, 61], [12, 12, 14, 19, 26, 58, 60, 55], [14, 13, 16, 24, 40, 57, 69, 56],
    [14, 17, 22, 29, 51, 87, 80, 62], [18, 22, 37, 56, 68, 109, 103, 77], [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101], [72, 92, 95, 98, 112, 100, 103, 99],
]).float()  # fmt: skip
_CHROMA = torch.full((8, 8), 99.0)
_CHROMA[:4, :4] = torch.tensor([
    [17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99],
]).float()  # fmt: skip
_TO_YCC = torch.tensor([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
_TO_RGB = torch.linalg.inv(_TO_YCC)


def compressed(x: Tensor, quality: Tensor) -> Tensor:
    """Lose what JPEG loses at `quality` (N,), 1..100; sides must be multiples of 8.

    Tables: ITU-T T.81, annex K; no chroma subsampling.
    """
    n, _, h, w = x.shape
    require(h % 8 == 0 and w % 8 == 0, "pictures must have sides that are multiples of 8", (h, w))
    scale = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality) / 100
    tables = torch.stack([_LUMA, _CHROMA, _CHROMA])[None]  # (1, 3, 8, 8)
    steps = (tables * wide(scale)).clamp_min(1)[:, :, None, None]  # (N, 3, 1, 1, 8, 8)
    ycc = torch.einsum("ij,njhw->nihw", _TO_YCC, x * 255 - 128)
    blocks = ycc.view(n, 3, h // 8, 8, w // 8, 8).permute(0, 1, 2, 4, 3, 5)  # (N, 3, H / 8, W / 8, 8, 8)
    # to waves, which are rounded to their steps, and back: this is where JPEG loses
    kept = ((_COSINES @ blocks @ _COSINES.T) / steps).round() * steps
    ycc = (_COSINES.T @ kept @ _COSINES).permute(0, 1, 2, 4, 3, 5).reshape(n, 3, h, w)
    return (torch.einsum("ij,njhw->nihw", _TO_RGB, ycc) + 128) / 255
