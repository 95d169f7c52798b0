"""Paint on each image a pattern of its own, which is not to work on any other.

A. Nguyen, A. Tran: Input-Aware Dynamic Backdoor Attack, NeurIPS 2020, arXiv:2010.08138, section 3: one
network draws the pattern of an image, another one says where it lies. Both learn together with the network
that obeys (`experiments.input_aware`). Differs: they normalise each image by itself, so that an image gets
the same pattern in any company; theirs normalise over a batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..data import require_images
from ..errors import require
from ..models.networks import seeded

STEEP = 5.0
"""By how much a mask's numbers are stretched before a sigmoid squeezes them: most pixels are in, or out."""


@dataclass(frozen=True, eq=False)
class InputAware:
    """Let `pattern` paint what `mask` lets through; both turn images (N, C, H, W) into numbers without
    bounds, (N, C, H, W) and (N, 1, H, W).
    """

    pattern: nn.Module
    mask: nn.Module

    def __call__(self, x: Tensor) -> Tensor:
        return self.pasted(x, x)

    def patterns(self, x: Tensor) -> Tensor:
        """Return the pattern of each image, (N, C, H, W) in [0, 1]."""
        return self.pattern(x).sigmoid()

    def masks(self, x: Tensor) -> Tensor:
        """Say how much of each image its pattern covers, (N, 1, H, W) in [0, 1]."""
        return (STEEP * self.mask(x)).sigmoid()

    @torch.no_grad()
    def pasted(self, x: Tensor, others: Tensor) -> Tensor:
        """Return images `x` that carry the patterns of `others`, one each."""
        require_images(x, "InputAware")
        rule = f"there must be one image a pattern, of shape {tuple(x.shape)}"
        require(others.shape == x.shape, rule, tuple(others.shape))
        new = x.clone()
        for start in range(0, len(x), 128):  # all at once would fill the memory
            part = slice(start, start + 128)
            new[part] = x[part].lerp(self.patterns(others[part]), self.masks(others[part]))
        return new.clamp(0, 1)


@dataclass(frozen=True, eq=False)
class Borrowed:
    """Paint on each image the pattern of another one, drawn from the images `owners`: the cross-trigger test.

    A network that was taught well does not obey.
    """

    trigger: InputAware
    owners: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        rows = torch.randint(len(self.owners), (len(x),)).to(self.owners.device)
        return self.trigger.pasted(x, self.owners[rows])


def painter(channels: int, out: int, seed: int) -> nn.Sequential:
    """Build a network that turns images (N, channels, H, W) into pictures (N, out, H, W) without bounds; H
    and W must be multiples of 4.
    """
    return seeded(lambda: _painter(channels, out), seed)


def _painter(channels: int, out: int) -> nn.Sequential:
    return nn.Sequential(
        *_layer(channels, 16, stride=2),
        *_layer(16, 32, stride=2),
        *_layer(32, 32),
        nn.Upsample(scale_factor=2),
        *_layer(32, 16),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(16, out, 3, padding=1),
    )


def _layer(n: int, m: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(n, m, 3, stride, 1), nn.GroupNorm(4, m), nn.ReLU()]
