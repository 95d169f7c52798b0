"""Poison leaves a trace in the strongest direction of what a class's images look like to the network.

B. Tran, J. Li, A. Madry: Spectral Signatures in Backdoor Attacks, NeurIPS 2018, arXiv:1811.00636, algorithm
1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import nn

from ..data import Samples
from .activations import penultimate, principal
from .checks import check, check_share
from .suspicion import Suspicion


@dataclass(frozen=True)
class SpectralSignatures:
    """Flag the `1.5 * poison` of a class's images that reach farthest along its first singular vector."""

    poison: float = 0.05  # epsilon: the largest share of a class that may be poison
    layer: str | None = None  # whose answers are judged; by default, what the head is given
    needs: ClassVar[Literal["its training set"]] = "its training set"

    @property
    def level(self) -> str:
        """From when on an image is flagged, in words."""
        share = 1.5 * self.poison
        return f"always the {share:.1%} of each class that stand out most: an order to look in, no verdict"

    def __call__(self, model: nn.Module, samples: Samples) -> Suspicion:
        """Judge the training set `samples` of `model`; scores compare within a class only."""
        check(model, samples)
        check_share("poison", self.poison)
        features = penultimate(model, samples.x, self.layer)  # (N, F)
        score = torch.zeros(len(samples), device=samples.x.device)
        flagged = torch.zeros_like(samples.y, dtype=torch.bool)
        for label in range(len(samples.classes)):
            rows = (samples.y == label).nonzero().flatten()
            score[rows] = principal(features[rows], 1).squeeze(1).square()
            count = min(len(rows), round(1.5 * self.poison * len(rows)))
            flagged[rows[score[rows].topk(count).indices]] = True
        return Suspicion(score, flagged)
