"""Embed a mark of one's own on top: the first one may drown (Lukas and others: SoK, S&P 2022,
arXiv:2108.04974, "overwriting").
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from torch import nn

from ..data import Samples
from ..protocols import Watermark
from ..training import Recipe
from ..watermarks import Adi2018
from .copies import sound_copy


@dataclass(frozen=True)
class Overwrite:
    """Embed a second mark by the attacker's own `scheme` and key, with the attacker's samples."""

    scheme: Watermark[Any] = Adi2018(share=0.2, recipe=Recipe(epochs=5, lr=2e-3))
    seed: int = 666

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module:
        start = sound_copy(model, samples)
        key = self.scheme.keygen(copy.deepcopy(start), samples, seed=self.seed)
        return self.scheme.embed(start, samples, key).model
