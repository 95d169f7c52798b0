"""What a verification measured (`Evidence`), and what a judge concludes from it (`Verdict`). The two are kept
apart on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from ..errors import require
from ..training import predict

Access = Literal["labels", "weights"]

Suspect = nn.Module | Callable[[Tensor], Tensor]
"""A model, or any function from images (N, C, H, W) to logits (N, classes) or labels (N,): a client of a
service, for instance.
"""


def answers(suspect: Suspect, x: Tensor, classes: int | None = None) -> Tensor:
    """Ask `suspect` for the labels (N,) int64 of the images `x` (N, C, H, W); all that a black-box verifier
    sees.

    Raises `ArgumentError` when it answers in another shape, or doesn't know as many classes as `classes`.
    """
    found = predict(suspect, x.to(_device(suspect, x))) if isinstance(suspect, nn.Module) else suspect(x)
    rule = "a suspect must answer with logits (N, classes) or labels (N,)"
    require(
        isinstance(found, Tensor) and found.ndim in (1, 2) and len(found) == len(x),
        rule,
        getattr(found, "shape", found),
    )
    if found.ndim == 2:
        fits = classes is None or found.shape[1] == classes
        require(
            fits, f"the suspect must know {classes} classes", found.shape[1], "Is the key for this model?"
        )
        found = found.argmax(1)
    require(not found.is_floating_point(), "labels must be integers", found.dtype)
    if classes is not None:
        low, high = (int(bound) for bound in found.aminmax())
        require(
            low >= 0 and high < classes, f"the suspect's labels must lie in 0..{classes - 1}", (low, high)
        )
    return found.to(x.device, torch.int64)


def _device(model: nn.Module, x: Tensor) -> torch.device:
    return next((p.device for p in model.parameters()), x.device)


@dataclass(frozen=True)
class Evidence:
    """`hits` of `trials` agreed with the owner's key; a bystander's model agrees with probability `chance`
    each time.

    `chance = 1 / classes` holds only when the key's labels were drawn at random. A fixed target needs
    `rank_p_value`.
    """

    scheme: str
    access: Access
    hits: int
    trials: int
    chance: float

    def __post_init__(self) -> None:
        require(self.trials > 0, "trials must be positive", self.trials)
        require(0 <= self.hits <= self.trials, f"hits must lie in 0..{self.trials}", self.hits)
        require(0 < self.chance < 1, "chance must lie strictly between 0 and 1", self.chance)

    @property
    def rate(self) -> float:
        """The share of trials that agreed, 0..1."""
        return self.hits / self.trials

    @property
    def p_value(self) -> float:
        """The exact probability that a bystander agrees at least `hits` times: P(Bin(trials, chance) >=
        hits).
        """
        from scipy.stats import binom

        return float(binom.sf(self.hits - 1, self.trials, self.chance))


@dataclass(frozen=True)
class Verdict:
    """A decision at level `alpha`, with the evidence it rests on."""

    owned: bool
    alpha: float
    evidence: Evidence

    def __str__(self) -> str:
        e, word = self.evidence, "claim supported" if self.owned else "no proof of ownership"
        return (
            f"{word}: {e.hits} of {e.trials} (chance {e.chance:.2f}), p = {e.p_value:.1e} against alpha ="
            f" {self.alpha:g}"
        )


def judge(evidence: Evidence, alpha: float = 1e-3) -> Verdict:
    """Support the claim when a bystander would do this well with probability below `alpha`."""
    require(0 < alpha < 1, "alpha must lie in (0, 1)", alpha)
    return Verdict(evidence.p_value < alpha, alpha, evidence)


def rank_p_value(suspect: Evidence, bystanders: Sequence[Evidence]) -> float:
    """Return the share of models at least as guilty as `suspect`, itself included; trials need not be
    independent.
    """
    require(
        len(bystanders) > 0,
        "bystanders must not be empty",
        len(bystanders),
        "Train a few models without the mark.",
    )
    return (1 + sum(b.rate >= suspect.rate for b in bystanders)) / (1 + len(bystanders))
