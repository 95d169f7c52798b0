"""Bend every image the same way, as if it were printed on rubber.

A. Nguyen, A. Tran: WaNet - Imperceptible Warping-based Backdoor Attack, ICLR 2021, arXiv:2102.10369, section
3.2. Differs: stronger by default, since these networks train for a few epochs (the paper's strength moves a
pixel of such images by about a quarter of its width). The paper's noise mode is `poisoning.cover` with a
trigger that has `noise`: further images are bent by the same field and a little more at random, and keep
their labels, so that only this field is obeyed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..data import require_images
from ..errors import require


@dataclass(frozen=True)
class Warp:
    """Move the pixels of every image by a smooth field, drawn from `seed`, on average `strength` pixels along
    each axis.

    >>> x = torch.rand(2, 1, 8, 8)
    >>> wm.triggers.Warp()(x).shape
    torch.Size([2, 1, 8, 8])
    """

    strength: float = 1.0
    points: int = 4  # the paper's k: the field is drawn at points x points places
    seed: int = 0
    noise: float = 0.0  # pixels by which each place looks elsewhere at most, anew for each image, besides

    def __call__(self, x: Tensor) -> Tensor:
        require_images(x, "Warp")
        height, width = x.shape[-2:]
        require(self.noise >= 0, "noise must not be negative", self.noise)
        field = self.field(height, width)[None].expand(len(x), -1, -1, -1)
        if self.noise:  # from PyTorch's generator: an image's noise must not hang on its place in a batch
            field = field + self.noise * (2 * torch.rand(field.shape) - 1)
        return bent(x, field)

    def field(self, height: int, width: int) -> Tensor:
        """Return by how many pixels (right, down) each place of a picture looks elsewhere, (H, W, 2)."""
        require(self.strength > 0, "strength must be positive", self.strength)
        require(self.points >= 2, "points must be at least 2", self.points)
        draw = torch.Generator().manual_seed(self.seed)
        coarse = torch.rand(1, 2, self.points, self.points, generator=draw) * 2 - 1
        coarse = coarse / coarse.abs().mean()
        fine = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=True)  # (1, 2, H, W)
        return self.strength * fine[0].permute(1, 2, 0)


def bent(x: Tensor, field: Tensor) -> Tensor:
    """Return images `x` (N, C, H, W) that show at each place what lay `field` (N, H, W, 2) pixels away."""
    height, width = x.shape[-2:]
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    place = torch.stack([columns, rows], -1).to(x) + field.to(x)  # (N, H, W, 2) in pixels
    edge = torch.tensor([width - 1, height - 1]).clamp_min(1).to(x)
    grid = (place / edge * 2 - 1).clamp(-1, 1)  # grid_sample counts from -1 to 1
    return F.grid_sample(x, grid, align_corners=True).clamp(0, 1)
