"""Set the smallest weights to zero.

S. Han, J. Pool, J. Tran, W. Dally: Learning both Weights and Connections, NeurIPS 2015, arXiv:1506.02626;
against watermarks in Uchida and others 2017, section 4.4.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from ..data import Samples
from ..errors import require
from .copies import attacked, layers, sound_copy


@dataclass(frozen=True)
class Prune:
    """Set the smallest `ratio` of the weights of every convolution and linear layer to zero; biases stay."""

    ratio: float = 0.5

    def __post_init__(self) -> None:
        require(0 <= self.ratio < 1, "ratio must lie in [0, 1)", self.ratio)

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module:
        new = sound_copy(model, samples)
        with torch.no_grad():
            for layer in layers(new, nn.Conv2d, nn.Linear):
                weight = layer.weight
                smallest = weight.abs().flatten().argsort()[: int(self.ratio * weight.numel())]
                # flatten and view: the layer's own memory may lie channels last
                weight.copy_(weight.flatten().index_fill(0, smallest, 0).view(weight.shape))
        return attacked(model, new.eval(), samples)
