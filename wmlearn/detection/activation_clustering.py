"""Split what each class looks like to the network in two: an odd, small, well separated part is poison.

B. Chen, W. Carvalho, N. Baracaldo, H. Ludwig, B. Edwards, T. Lee, I. Molloy, B. Srivastava: Detecting
Backdoor Attacks on Deep Neural Networks by Activation Clustering, SafeAI 2019, arXiv:1811.03728, algorithm 1
and section 4. Differs: principal instead of independent components; 2-means starts from the two sides of the
first, so that nothing is drawn at random; the silhouette is taken from the two centres, and limits are ours:
clean digits fall in two more clearly than the paper's. No retraining without the suspected part.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..data import Samples
from ..errors import require
from .activations import penultimate, principal
from .checks import check, check_share
from .suspicion import Suspicion


@dataclass(frozen=True)
class ActivationClustering:
    """Flag the smaller part of a class that falls clearly in two, if it is under `smaller` of it."""

    components: int = 10
    smaller: float = 0.35
    silhouette: float = 0.4  # above it, a class falls clearly in two; 1 is the most
    layer: str | None = None  # whose answers are judged; by default, what the head is given

    def __call__(self, model: nn.Module, samples: Samples) -> Suspicion:
        """Judge the training set `samples` of `model`; a smaller part scores the silhouette of its class."""
        check(model, samples)
        check_share("smaller", self.smaller)
        features = penultimate(model, samples.x, self.layer)  # (N, F)
        rule = f"components must lie in 1..{features.shape[1]}"
        require(1 <= self.components <= features.shape[1], rule, self.components)
        score = torch.zeros(len(samples), device=samples.x.device)
        flagged = torch.zeros_like(samples.y, dtype=torch.bool)
        for label in range(len(samples.classes)):
            rows = (samples.y == label).nonzero().flatten()
            points = principal(features[rows], self.components)  # (n, components)
            minor = two_means(points)  # (n,)
            score[rows[minor]] = silhouette(points, minor)
            small = minor.float().mean() < self.smaller
            flagged[rows[minor]] = score[rows[minor]].gt(self.silhouette) & small
        return Suspicion(score, flagged)


def two_means(points: Tensor, rounds: int = 50) -> Tensor:
    """Split `points` (N, D) in two by Lloyd's algorithm; return which are the smaller part, (N,) bool."""
    part = points[:, 0] > 0
    for _ in range(rounds):
        if part.all() or not part.any():
            break
        centre = points[part].mean(0)  # (D,)
        other = points[~part].mean(0)
        nearer = (points - centre).norm(dim=1) < (points - other).norm(dim=1)
        if torch.equal(nearer, part):
            break
        part = nearer
    return part if 2 * int(part.sum()) <= len(part) else ~part


def silhouette(points: Tensor, part: Tensor) -> Tensor:
    """Return how much nearer `points` (N, D) lie to the centre of their own part, -1..1: of `part` (N,) bool
    or of the rest.
    """
    if part.all() or not part.any():
        return points.new_zeros(())
    distance = torch.stack([(points - points[side].mean(0)).norm(dim=1) for side in (part, ~part)])  # (2, N)
    own, other = torch.where(part, distance, distance.flip(0))
    return ((other - own) / distance.amax(0).clamp_min(1e-12)).mean()
