"""Split what each class looks like to the network in two: an odd, small, well separated part is poison.

B. Chen, W. Carvalho, N. Baracaldo, H. Ludwig, B. Edwards, T. Lee, I. Molloy, B. Srivastava: Detecting
Backdoor Attacks on Deep Neural Networks by Activation Clustering, SafeAI 2019, arXiv:1811.03728, algorithm 1
and section 4. Differs: principal instead of independent components; 2-means starts from the two sides of the
first, so that nothing is drawn at random; the silhouette is taken from the two centres, and limits are ours:
clean digits fall in two more clearly than the paper's. No retraining without the suspected part.

Limits of the silhouette don't travel to other networks: clean classes fall in two as clearly there as
poisoned ones here. With clean images that weren't trained on, none is needed. They are put among the class's,
and all are split in two: where nothing is wrong, they fall on both parts nearly as the others do, and R. A.
Fisher's exact test (Statistical Methods for Research Workers, 5th edition, 1934, section 21.02) tells how
likely a part is to lack so many of them by chance. It may be the larger part. Nearly: training alone makes
images look a little different from those that weren't trained on, for which `odds` allow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from ..data import Samples
from ..errors import require
from .activations import penultimate, principal
from .calibration import Alarms, counted
from .checks import check, check_share
from .suspicion import Suspicion


@dataclass(frozen=True)
class ActivationClustering:
    """Flag the part of a class that clean images lack; without such, the smaller part of a class that falls
    clearly in two, if it is under `smaller` of it.
    """

    components: int = 10
    smaller: float = 0.35
    silhouette: float = 0.4  # above it, a class falls clearly in two; 1 is the most
    layer: str | None = None  # whose answers are judged; by default, what the head is given
    false_alarms: float = 0.01  # the chance that a clean class is accused
    odds: float = 2.0  # of lying in a part, for a clean training image against one that wasn't trained on
    needs: ClassVar[Literal["its training set"]] = "its training set"

    @property
    def level(self) -> str:
        """From when on a part is flagged, given clean images, in words."""
        promise = f"false alarms in {self.false_alarms:.1%} of clean classes are promised"
        return f"a part of a class that clean images lack; {promise}"

    def __call__(self, model: nn.Module, samples: Samples, clean: Samples | None = None) -> Suspicion:
        """Judge the training set `samples` of `model` by the defender's `clean` images, if there are any.

        With them, a part scores how surely they lack it: the decimal logarithm of 1 / p. Without, a smaller
        part scores the silhouette of its class, and no rate of false alarms is promised.
        """
        check(model, samples)
        check_share("smaller", self.smaller)
        check_share("false_alarms", self.false_alarms)
        require(self.odds >= 1, "odds must be at least 1", self.odds)
        features = penultimate(model, samples.x, self.layer)  # (N, F)
        rule = f"components must lie in 1..{features.shape[1]}"
        require(1 <= self.components <= features.shape[1], rule, self.components)
        if clean is None:
            return self._by_silhouette(features, samples)
        check(model, clean)
        known = penultimate(model, clean.x, self.layer)  # (M, F)
        score = self._evidence(features, samples.y, known, clean.y, len(samples.classes))
        return Suspicion(score, score >= self._least(), self._alarms(known, clean))

    def _by_silhouette(self, features: Tensor, samples: Samples) -> Suspicion:
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

    def _least(self) -> float:
        return -math.log10(self.false_alarms)

    def _evidence(self, features: Tensor, y: Tensor, known: Tensor, known_y: Tensor, k: int) -> Tensor:
        """Return how surely clean features `known` (M, F) lack the part of its class that each of `features`
        (N, F) lies in, (N,).
        """
        score = torch.zeros(len(y), device=y.device)
        for label in range(k):
            rows = (y == label).nonzero().flatten()  # (n,)
            both = torch.cat([features[rows], known[known_y == label]])  # (n + m, F)
            judged = torch.arange(len(both), device=y.device) < len(rows)
            part = two_means(principal(both, self.components))
            for side in (part, ~part):
                # of two parts, either may be accused
                p = min(1.0, 2 * p_value(side, judged, self.odds))
                score[rows[side[judged]]] = math.log10(1 / max(p, 1e-300))
        return score

    def _alarms(self, known: Tensor, clean: Samples) -> Alarms | None:
        """Count the classes of which one half of the clean images accuses the other."""
        k = len(clean.classes)
        if int(clean.y.bincount(minlength=k).min()) < 2:
            return None
        order = clean.y.argsort(stable=True)
        first = order[::2]
        second = order[1::2]
        score = self._evidence(known[first], clean.y[first], known[second], clean.y[second], k)
        classes = torch.arange(k, device=known.device)
        worst = torch.stack([score[clean.y[first] == label].max() for label in range(k)])  # (K,)
        return counted(worst >= self._least(), classes, k, self.false_alarms)


def p_value(part: Tensor, judged: Tensor, odds: float = 1.0) -> float:
    """Return the chance that `part` (N,) bool holds as many of the `judged` (N,) bool as it does, or more, if
    the odds of lying in it are `odds` times those of the others.

    >>> from wmlearn.detection.activation_clustering import p_value
    >>> round(p_value(torch.arange(4) < 2, torch.arange(4) < 2), 3)  # one way of six
    0.167
    """
    from scipy.stats import nchypergeom_fisher

    both = int((part & judged).sum())
    sizes = (len(part), int(judged.sum()), int(part.sum()))
    return float(nchypergeom_fisher.sf(both - 1, *sizes, odds))


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
