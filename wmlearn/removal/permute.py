"""Deal the channels anew: no data, no training, not one answer changed, and whatever was read from the order
or the scale of the weights is gone.

Y. Yan, X. Pan, Y. Wang, M. Zhang, M. Yang: Cracking White-box DNN Watermarks via Invariant Neuron Transforms,
KDD 2023, arXiv:2205.00199 (LayerShuffle, NeuronScale). Differs: no signs are flipped, and no neurons that do
nothing are added (Y. Yan, X. Pan, M. Zhang, M. Yang: Rethinking White-Box Watermarks on Deep Learning Models
under Neural Structural Obfuscation, USENIX Security 2023, arXiv:2303.09732).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from ..data import Samples
from ..errors import require
from ..models.channels import deal, joints
from .copies import sound_copy


@dataclass(frozen=True)
class Permute:
    """Deal the channels between all layers in a random order, and multiply each by a factor between
    1 / `scale` and `scale`, which the next layer divides out; with `scale` 1 only the order changes.

    Raises `ArgumentError` for a network that isn't a plain stack of layers.
    """

    scale: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        require(self.scale >= 1, "scale must be at least 1", self.scale)

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module:
        new = sound_copy(model, samples)
        draw = torch.Generator().manual_seed(self.seed)
        for joint in joints(new):
            n = len(joint.before.weight)
            order = torch.randperm(n, generator=draw)
            factors = self.scale ** (2 * torch.rand(n, generator=draw) - 1)
            deal(joint, order, factors)
        return new.eval()
