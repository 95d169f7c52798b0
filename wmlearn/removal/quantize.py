"""Weights of few bits: cheap to store, and small marks may be rounded away (Lukas and others: SoK, S&P 2022,
arXiv:2108.04974).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from ..data import Samples
from ..errors import require
from .copies import attacked, layers, sound_copy


@dataclass(frozen=True)
class Quantize:
    """Round the weights of each layer to 2^`bits` - 1 levels, even around zero, on a scale of its own."""

    bits: int = 4

    def __post_init__(self) -> None:
        require(2 <= self.bits <= 16, "bits must lie in 2..16", self.bits)

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module:
        new = sound_copy(model, samples)
        top = 2 ** (self.bits - 1) - 1  # the highest level; the lowest is -top
        with torch.no_grad():
            for layer in layers(new, nn.Conv2d, nn.Linear):
                weight = layer.weight
                scale = weight.abs().max().clamp_min(1e-12) / top
                weight.copy_((weight / scale).round() * scale)
        return attacked(model, new.eval(), samples)
