"""More photographs out of those there are: signs a little moved, covered in part, in other light."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import require
from .samples import Samples
from .signs.dice import Dice, Range

CHUNK = 1024  # pictures at a time, for the processor's cache


@dataclass(frozen=True)
class Jitter:
    """How far a copy may differ from its photograph, uniformly both ways."""

    shift: float = 0.1  # of the picture's side
    scale: float = 0.15  # each axis by itself
    turn: float = 0.2  # radians
    shear: float = 0.1

    def __post_init__(self) -> None:
        for name in ("shift", "scale", "turn", "shear"):
            size = getattr(self, name)
            require(0 <= size < 1, f"{name} must lie in [0, 1)", size)

    def __call__(self, samples: Samples, *, seed: int = 0) -> Samples:
        """Return a changed copy of each image, with its label and group.

        Edges are continued where a picture would end. All randomness is drawn on the CPU, so that every
        device gets the same.
        """
        # from the middle, so that a picture's side is 2 long
        most = torch.tensor([self.scale, self.scale, self.turn, self.shear, 2 * self.shift, 2 * self.shift])
        dice = torch.Generator().manual_seed(seed)
        draws = (torch.rand(len(samples), 6, generator=dice) * 2 - 1) * most  # (N, 6)
        maps = _maps(draws.to(samples.x.device))
        parts = zip(samples.x.split(CHUNK), maps.split(CHUNK), strict=True)
        return replace(samples, x=torch.cat([_move(x, part) for x, part in parts]))


def _maps(draws: Tensor) -> Tensor:
    """Turn two scales, turn, shear and two shifts (N, 6) into maps from copy to photograph (N, 2, 3)."""
    wide, high, turn, shear, right, down = draws.unbind(1)
    cos = turn.cos()
    sin = turn.sin()
    across = [(1 + wide) * cos, (1 + high) * (shear * cos - sin), right]
    upright = [(1 + wide) * sin, (1 + high) * (shear * sin + cos), down]
    return torch.stack([*across, *upright], 1).view(-1, 2, 3)


def _move(x: Tensor, maps: Tensor) -> Tensor:
    grid = F.affine_grid(maps, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False).clamp(0, 1)


@dataclass(frozen=True)
class Erase:
    """How many pictures get a patch, how large it is, and what it shows."""

    share: float = 0.7
    size: Range = (0.15, 0.45)  # of each side of a patch, as a share of the picture's
    pictures: float = 0.0  # a share of the patches: the others have one colour each

    def __post_init__(self) -> None:
        require(0 <= self.share <= 1, "share must lie in [0, 1]", self.share)
        require(0 <= self.pictures <= 1, "pictures must lie in [0, 1]", self.pictures)
        require(0 < self.size[0] <= self.size[1] <= 1, "size must be a range in (0, 1], low first", self.size)

    def __call__(self, samples: Samples, *, seed: int = 0) -> Samples:
        """Return the samples, some with a rectangle anywhere; it may reach over the edge.

        All randomness is drawn on the CPU, so that every device gets the same.
        """
        n, channels, height, width = samples.x.shape
        device = samples.x.device
        dice = Dice.of(seed)
        down, across = (
            _span(length, dice.uniform(0, 1, n), dice.uniform(*self.size, n)) for length in (height, width)
        )
        gets_one = dice.often(self.share, n).bool()
        patch = down[:, None, :, None] & across[:, None, None, :]  # (N, 1, H, W)
        patch &= gets_one[:, None, None, None]
        cover = dice.uniform(0, 1, n, channels, 1, 1).to(samples.x)  # a colour each
        if self.pictures:
            other = samples.x[torch.randperm(n, generator=dice.generator).to(device)]
            is_picture = dice.often(self.pictures, n, 1, 1, 1).bool().to(device)
            cover = torch.where(is_picture, other, cover)
        return replace(samples, x=torch.where(patch.to(device), cover, samples.x))


def _span(length: int, middle: Tensor, size: Tensor) -> Tensor:
    """Say which of `length` pixels lie within `size` / 2 of `middle`, shares of it (N,): (N, length) bool."""
    at = (torch.arange(length) + 0.5) / length
    return (at - middle[:, None]).abs() < size[:, None] / 2


@dataclass(frozen=True)
class Tint:
    """How far contrast and colours may differ; every picture gets values of its own."""

    # the exponent lies between 1 / gamma and gamma: dark parts grow darker or brighter than bright ones
    gamma: float = 2.0
    saturation: Range = (0.3, 1.2)  # 0: grey
    gain: float = 0.2  # each colour by itself, both ways

    def __post_init__(self) -> None:
        require(self.gamma >= 1, "gamma must be at least 1", self.gamma)
        low, high = self.saturation
        rule = "saturation must be a range from 0 on, low first"
        require(0 <= low <= high, rule, self.saturation)
        require(0 <= self.gain < 1, "gain must lie in [0, 1)", self.gain)

    def __call__(self, samples: Samples, *, seed: int = 0) -> Samples:
        """Return the samples in other light; the CPU draws it, so that every device gets the same."""
        x = samples.x
        n = len(samples)
        dice = Dice.of(seed)
        gamma = dice.geometric(1 / self.gamma, self.gamma, n, 1, 1, 1).to(x)
        saturation = dice.uniform(*self.saturation, n, 1, 1, 1).to(x)
        gain = dice.uniform(1 - self.gain, 1 + self.gain, n, x.shape[1], 1, 1).to(x)
        parts = zip(*(values.split(CHUNK) for values in (x, gamma, saturation, gain)), strict=True)
        return replace(samples, x=torch.cat([_light(*part) for part in parts]))


def _light(x: Tensor, gamma: Tensor, saturation: Tensor, gain: Tensor) -> Tensor:
    bent = x**gamma
    grey = bent.mean(1, keepdim=True)
    return ((grey + (bent - grey) * saturation) * gain).clamp_(0, 1)
