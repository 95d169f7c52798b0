"""Pictures with a part covered, so that a network learns to read what is left.

Z. Zhong, L. Zheng, G. Kang, S. Li, Y. Yang: Random Erasing, 2017, arXiv:1708.04896. Differs: a patch has one colour, and its sides are
drawn by themselves. Patches from other pictures: S. Yun, D. Han, S. Oh, S. Chun, J. Choe, Y. Yoo: CutMix, 2019, arXiv:1905.04899. Differs:
the label stays that of the picture below.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..errors import require
from .samples import Samples
from .signs.dice import Dice, Range


@dataclass(frozen=True)
class Erase:
    """How many pictures get a patch, how large its sides are, as shares of the picture's, and how many patches show another picture."""

    share: float = 0.7
    size: Range = (0.15, 0.45)
    pictures: float = 0.0  # a share of the patches: the others have one colour each

    def __post_init__(self) -> None:
        require(0 <= self.share <= 1, "share must lie in [0, 1]", self.share)
        require(0 <= self.pictures <= 1, "pictures must lie in [0, 1]", self.pictures)
        require(0 < self.size[0] <= self.size[1] <= 1, "size must be a range in (0, 1], low first", self.size)

    def __call__(self, samples: Samples, *, seed: int = 0) -> Samples:
        """Return the samples, some with a rectangle anywhere, of any colour or from another sample; it may reach over the edge.

        All randomness is drawn on the CPU, so that every device gets the same.
        """
        n, channels, height, width = samples.x.shape
        dice = Dice.of(seed)
        down, across = (_span(length, dice.uniform(0, 1, n), dice.uniform(*self.size, n)) for length in (height, width))
        patch = down[:, None, :, None] & across[:, None, None, :] & dice.often(self.share, n).bool()[:, None, None, None]
        cover = dice.uniform(0, 1, n, channels, 1, 1).to(samples.x)
        if self.pictures:
            other = samples.x[torch.randperm(n, generator=dice.generator).to(samples.x.device)]
            cover = torch.where(dice.often(self.pictures, n, 1, 1, 1).bool().to(samples.x.device), other, cover)
        return replace(samples, x=torch.where(patch.to(samples.x.device), cover, samples.x))


def _span(length: int, middle: Tensor, size: Tensor) -> Tensor:
    """Say which of `length` pixels lie within `size` / 2 of `middle`, both (N,) and shares of the length: (N, length) bool."""
    at = (torch.arange(length) + 0.5) / length
    return (at - middle[:, None]).abs() < size[:, None] / 2
