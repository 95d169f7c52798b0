"""Follow an image through the layers: a clean one has neighbours of its class all the way, a triggered one
changes company.

X. Mo, Y. Zhang, L. Y. Zhang, W. Luo, N. Sun, S. Hu, S. Gao, Y. Xiang: Robust Backdoor Detection for Deep
Learning via Topological Evolution Dynamics, IEEE S&P 2024, arXiv:2312.02673. Nothing is assumed about the
target, so it sees all-to-all and source-specific attacks. Differs: the ranks of all layers are put on one
scale and averaged (the paper: an outlier detector of principal components).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..data import Samples
from ..errors import require
from ..training import predict
from .activations import layers
from .checks import check, check_share
from .suspicion import Suspicion


@dataclass(frozen=True)
class TopologicalEvolution:
    """Flag images that, in some layers, lie far from all clean images of the class that they are put in."""

    false_rejection: float = 0.01
    layers: tuple[str, ...] = ()  # that are followed; by default, every convolution and linear layer

    def __call__(self, model: nn.Module, samples: Samples, x: Tensor) -> Suspicion:
        """Judge images `x` (M, C, H, W) with the defender's clean `samples`, a thousand or so; those that are
        classified wrongly are left out.

        Raises `ArgumentError`, too, when the network classifies fewer than two samples of a class correctly.
        """
        check(model, samples)
        check_share("false_rejection", self.false_rejection)
        right = samples[predict(model, samples.x).argmax(1) == samples.y]
        _check_company(right)
        answers = predict(model, x).argmax(1)  # (M,)
        clean = layers(model, right.x, self.layers)  # of each layer (N, F)
        asked = layers(model, x, self.layers)  # (M, F)
        usual = torch.stack([ranks(a, a, right.y, right.y, itself=True) for a in clean]).log1p()  # (L, N)
        ranked = torch.stack([ranks(a, b, answers, right.y) for a, b in zip(asked, clean, strict=True)])
        # layers rank on scales of their own: each is measured in deviations of the clean images
        mean = usual.mean(1, keepdim=True)  # (L, 1)
        std = usual.std(1, keepdim=True).clamp_min(0.1)
        score = ((ranked.log1p() - mean) / std).mean(0)  # (M,)
        threshold = ((usual - mean) / std).mean(0).quantile(1 - self.false_rejection)
        return Suspicion(score, score > threshold)


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
