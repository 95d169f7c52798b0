"""What a verification measured (`Evidence`), and what a judge concludes from it (`Verdict`): kept apart."""

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
    output = predict(suspect, x.to(_device(suspect, x))) if isinstance(suspect, nn.Module) else suspect(x)
    require(
        isinstance(output, Tensor) and output.ndim in (1, 2) and len(output) == len(x),
        "a suspect must answer with logits (N, classes) or labels (N,)",
        getattr(output, "shape", output),
    )
    labels = _labels_of(output, classes)
    require(not labels.is_floating_point(), "labels must be integers", labels.dtype)
    if classes is not None:
        low, high = (int(bound) for bound in labels.aminmax())
        require(
            low >= 0 and high < classes, f"the suspect's labels must lie in 0..{classes - 1}", (low, high)
        )
    return labels.to(x.device, torch.int64)


def _labels_of(output: Tensor, classes: int | None) -> Tensor:
    """Return the labels (N,) that logits (N, classes) or labels (N,) mean."""
    if output.ndim == 1:
        return output
    fits = classes is None or output.shape[1] == classes
    require(fits, f"the suspect must know {classes} classes", output.shape[1], "Is the key for this model?")
    return output.argmax(1)


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
        """The exact probability that a bystander agrees as often: P(Bin(trials, chance) >= hits)."""
        from scipy.stats import binom

        return float(binom.sf(self.hits - 1, self.trials, self.chance))


@dataclass(frozen=True)
class Verdict:
    """A decision at level `alpha`, with the evidence it rests on."""

    owned: bool
    alpha: float
    evidence: Evidence

    def __str__(self) -> str:
        e = self.evidence
        outcome = "claim supported" if self.owned else "no proof of ownership"
        p = f"p = {e.p_value:.1e} against alpha = {self.alpha:g}"
        return f"{outcome}: {e.hits} of {e.trials} (chance {e.chance:.2f}), {p}"


def judge(evidence: Evidence, alpha: float = 1e-3) -> Verdict:
    """Support the claim when a bystander would do this well with probability below `alpha`."""
    require(0 < alpha < 1, "alpha must lie in (0, 1)", alpha)
    return Verdict(evidence.p_value < alpha, alpha, evidence)


def rank_p_value(suspect: Evidence, bystanders: Sequence[Evidence]) -> float:
    """Return the share of models at least as guilty as `suspect`, itself included.

    Trials need not be independent.
    """
    require(
        len(bystanders) > 0,
        "bystanders must not be empty",
        len(bystanders),
        "Train a few models without the mark.",
    )
    n_as_guilty = sum(bystander.rate >= suspect.rate for bystander in bystanders)
    return (1 + n_as_guilty) / (1 + len(bystanders))
