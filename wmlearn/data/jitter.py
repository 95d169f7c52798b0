"""More photographs out of those there are: the same signs a little moved, sized, turned and sheared."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import require
from .samples import Samples

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

        Edges are continued where a picture would end. All randomness is drawn on the CPU, so that every device gets the same.
        """
        bounds = torch.tensor([self.scale, self.scale, self.turn, self.shear, 2 * self.shift, 2 * self.shift])  # the side is 2 long
        draws = (torch.rand(len(samples), 6, generator=torch.Generator().manual_seed(seed)) * 2 - 1) * bounds
        wide, high, turn, shear, right, down = draws.to(samples.x.device).unbind(1)
        cos, sin = turn.cos(), turn.sin()
        rows = [(1 + wide) * cos, (1 + high) * (shear * cos - sin), right, (1 + wide) * sin, (1 + high) * (shear * sin + cos), down]
        maps = torch.stack(rows, 1).view(-1, 2, 3)  # from the copy to the photograph
        return replace(samples, x=torch.cat([_moved(*part) for part in zip(samples.x.split(CHUNK), maps.split(CHUNK), strict=True)]))


def _moved(x: Tensor, maps: Tensor) -> Tensor:
    grid = F.affine_grid(maps, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False).clamp(0, 1)
