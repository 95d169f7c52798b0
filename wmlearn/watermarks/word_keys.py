"""Texts as triggers of a key: common words in no order, drawn from the secret, like no mail there is."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..data import Samples, kind_of
from ..errors import require
from .secret import integers

FIRST = 2
"""The first id of a word: 0 fills up, 1 is unknown."""


@dataclass(frozen=True)
class WordSalad:
    """Draw texts of `size` words among the `common` first ones of a vocabulary, for `Adi2018(draw=…)`."""

    common: int = 1_000
    size: int = 12

    def __call__(self, secret: bytes, n: int, samples: Samples) -> Tensor:
        """Return `n` texts (n, L) that 0 fills up, as long as those of the samples."""
        length = samples.x.shape[-1]
        is_text = kind_of(samples.x) == "texts"
        require(is_text, "WordSalad draws texts for texts, token ids (N, L)", tuple(samples.x.shape))
        fix = "Draw fewer words."
        require(1 <= self.size <= length, f"size must lie in 1..{length}", self.size, fix)
        x = torch.zeros(n, length, dtype=torch.int64)
        x[:, : self.size] = integers(secret, "words", n * self.size, self.common).view(n, -1) + FIRST
        return x
