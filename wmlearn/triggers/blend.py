"""A faint random picture laid over the whole image.

X. Chen, C. Liu, B. Li, K. Lu, D. Song: Targeted Backdoor Attacks on Deep Learning Systems Using Data
Poisoning, 2017, arXiv:1712.05526, section 3.2, "blended injection strategy".
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..data import require_images
from ..errors import require


@dataclass(frozen=True)
class Blend:
    """Mix every image with the same uniform noise, drawn from `seed`, at weight `alpha`."""

    alpha: float = 0.2  # the paper's alpha
    seed: int = 0

    def __call__(self, x: Tensor) -> Tensor:
        require_images(x, "Blend")
        require(0 < self.alpha <= 1, "alpha must lie in (0, 1]", self.alpha)
        noise = torch.rand(x.shape[1:], generator=torch.Generator().manual_seed(self.seed))  # (C, H, W)
        return torch.lerp(x, noise.to(x), self.alpha)
