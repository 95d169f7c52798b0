"""Lay other images over the one that is asked about: a trigger holds the answer fast, a digit does not.

Y. Gao, C. Xu, D. Wang, S. Chen, D. C. Ranasinghe, S. Nepal: STRIP: A Defence Against Trojan Attacks on Deep
Neural Networks, ACSAC 2019, arXiv:1902.06531, section 4. Differs: the threshold comes from clean images
themselves (the paper: from a normal distribution fitted to them), as one that keeps its promise, or with the
rule "quantile" as their quantile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from ..data import Samples, require_images
from ..errors import require
from ..training import predict
from .calibration import Rule, check_rule, promise
from .checks import check, check_share
from .suspicion import Suspicion, calibrated


@dataclass(frozen=True)
class Strip:
    """Flag images whose answers stay too sure under `overlays` clean images."""

    overlays: int = 32  # N; the paper takes 100
    false_rejection: float = 0.01
    seed: int = 0
    rule: Rule = "conformal"
    needs: ClassVar[Literal["queries"]] = "queries"

    @property
    def level(self) -> str:
        """How many false alarms are promised, in words."""
        return promise(self.rule, self.false_rejection)

    def n_setting(self, n: int) -> int:
        """Count how many of `n` clean images set the limit."""
        return n - self.overlays

    def __call__(self, model: nn.Module, samples: Samples, x: Tensor) -> Suspicion:
        """Judge images `x` (M, C, H, W) with the defender's clean `samples`: some are laid over the others,
        which set the threshold ("quantile" leaves out what is left of the first half).

        Raises `ArgumentError`, too, where so few can't promise `false_rejection`.
        """
        require_images(samples.x, "Strip")
        check(model, samples)
        check_share("false_rejection", self.false_rejection)
        check_rule(self.rule)
        half = len(samples) // 2
        rule = f"overlays must lie in 1..{half}, half of the samples"
        require(1 <= self.overlays <= half, rule, self.overlays)
        order = torch.randperm(len(samples), generator=torch.Generator().manual_seed(self.seed))
        order = order.to(samples.x.device)
        overlays = samples.x[order[: self.overlays]]
        first = half if self.rule == "quantile" else self.overlays
        rest = samples.x[order[first:]]  # never laid over themselves
        usual = -entropy(model, rest, overlays)
        score = -entropy(model, x, overlays)  # (M,)
        if self.rule == "quantile":
            return Suspicion(score, -score < (-usual).quantile(self.false_rejection))
        put = [predict(model, images).argmax(1) for images in (rest, x)]
        return calibrated(usual, put[0], score, put[1], len(samples.classes), self.false_rejection)


def entropy(model: nn.Module, x: Tensor, overlays: Tensor) -> Tensor:
    """Return the mean entropy, in bits, of the answers to images `x` (M, C, H, W) with each of `overlays`
    (N, C, H, W) added, (M,).
    """
    rows = []
    for images in x.split(max(1, 1024 // len(overlays))):  # some thousand pictures at a time
        both = (images[:, None] + overlays).clamp(max=1).flatten(0, 1)  # (m * N, C, H, W)
        p = predict(model, both).softmax(1)
        rows.append(torch.special.entr(p).sum(1).view(len(images), -1).mean(1))
    return torch.cat(rows) / torch.log(torch.tensor(2.0))
