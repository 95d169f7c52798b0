"""Follow an image through the layers: a clean one has neighbours of its class all the way, a triggered one
changes company.

X. Mo, Y. Zhang, L. Y. Zhang, W. Luo, N. Sun, S. Hu, S. Gao, Y. Xiang: Robust Backdoor Detection for Deep
Learning via Topological Evolution Dynamics, IEEE S&P 2024, arXiv:2312.02673. Nothing is assumed about the
target, so it sees all-to-all and source-specific attacks. Differs: the ranks of all layers are put on one
scale and averaged (the paper: an outlier detector of principal components); the threshold keeps its promise
on images that are classified wrongly, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from ..data import Samples, split
from ..errors import require
from ..training import predict
from .activations import layers
from .calibration import Rule, check_rule, promise
from .checks import check, check_share
from .suspicion import Suspicion, calibrated


@dataclass(frozen=True)
class TopologicalEvolution:
    """Flag images that, in some layers, lie far from all clean images of the class that they are put in."""

    false_rejection: float = 0.01
    layers: tuple[str, ...] = ()  # that are followed; by default, every convolution and linear layer
    rule: Rule = "conformal"
    seed: int = 0  # of the halves
    needs: ClassVar[Literal["queries"]] = "queries"

    @property
    def level(self) -> str:
        """How many false alarms are promised, in words."""
        return promise(self.rule, self.false_rejection)

    def n_setting(self, n: int) -> int:
        """Count how many of `n` clean images set the limit."""
        return n - n // 2

    def __call__(self, model: nn.Module, samples: Samples, x: Tensor) -> Suspicion:
        """Judge images `x` (M, C, H, W) with the defender's clean `samples`, a thousand or so: they are
        compared with those of one half that are classified correctly; the other half sets the threshold.

        With the rule "quantile", all are for comparison, and set the threshold, each compared with the rest.
        Raises `ArgumentError`, too, when the network classifies fewer than two samples of a class correctly,
        or where too few are left to promise `false_rejection`.
        """
        check(model, samples)
        check_share("false_rejection", self.false_rejection)
        check_rule(self.rule)
        answers = predict(model, x).argmax(1)  # (M,)
        if self.rule == "quantile":
            known = self._company(model, samples)
            score = known.score(layers(model, x, self.layers), answers)
            return Suspicion(score, score > known.usual.quantile(1 - self.false_rejection))
        half = len(samples) // 2
        first, second = split(samples, half, len(samples) - half, seed=self.seed)
        known = self._company(model, first)
        put = predict(model, second.x).argmax(1)
        usual = known.score(layers(model, second.x, self.layers), put)
        score = known.score(layers(model, x, self.layers), answers)
        return calibrated(usual, put, score, answers, len(samples.classes), self.false_rejection)

    def _company(self, model: nn.Module, samples: Samples) -> _Company:
        """Learn what layers say of the `samples` that are classified correctly."""
        right = samples[predict(model, samples.x).argmax(1) == samples.y]
        _check_company(right)
        clean = layers(model, right.x, self.layers)  # of each layer (N, F)
        ranked = torch.stack([ranks(a, a, right.y, right.y, itself=True) for a in clean]).log1p()  # (L, N)
        # layers rank on scales of their own: each is measured in deviations of the clean images
        mean = ranked.mean(1, keepdim=True)  # (L, 1)
        std = ranked.std(1, keepdim=True).clamp_min(0.1)
        return _Company(clean, right.y, mean, std, ((ranked - mean) / std).mean(0))


@dataclass(frozen=True, eq=False)
class _Company:
    """Clean images that are classified correctly, as L layers see them, and how they rank."""

    features: list[Tensor]  # of each layer (N, F)
    labels: Tensor  # (N,)
    mean: Tensor  # (L, 1)
    std: Tensor  # (L, 1)
    usual: Tensor  # (N,) the score of each among the others

    def score(self, asked: list[Tensor], answers: Tensor) -> Tensor:
        """Return how odd images are of which layers say `asked`, (M, F) each, and which are put in `answers`
        (M,), (M,).
        """
        pairs = zip(asked, self.features, strict=True)
        ranked = torch.stack([ranks(a, b, answers, self.labels) for a, b in pairs]).log1p()  # (L, M)
        return ((ranked - self.mean) / self.std).mean(0)


def _check_company(right: Samples) -> None:
    counts = right.y.bincount(minlength=len(right.classes)).tolist()
    lonely = [name for name, count in zip(right.classes, counts, strict=True) if count < 2]
    rule = "the model must classify two samples of every class correctly"
    require(not lonely, rule, f"fewer of {', '.join(lonely)}")


def ranks(x: Tensor, known: Tensor, answers: Tensor, labels: Tensor, *, itself: bool = False) -> Tensor:
    """Count, for features `x` (N, F), the `known` (M, F) that lie nearer than the nearest one whose label is
    the answer, (N,) float.

    With `itself`, `x` are the known ones, and none is its own neighbour.
    """
    distance = torch.cdist(x, known)  # (N, M)
    if itself:
        distance.fill_diagonal_(float("inf"))
    nearest = distance.masked_fill(answers[:, None] != labels, float("inf")).amin(1, keepdim=True)  # (N, 1)
    return (distance < nearest).sum(1).float()
