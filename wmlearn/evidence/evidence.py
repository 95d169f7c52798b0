"""What a verification measured (`Evidence`), and what a judge concludes from it (`Verdict`): kept apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor, nn

from ..errors import require
from ..training import predict

Access = Literal["labels", "weights"]
Null = Literal["binomial", "decoys", "bystanders"]
"""What hits are compared with: labels drawn at random, other keys, or other models."""

Suspect = nn.Module | Callable[[Tensor], Tensor]
"""A model, or any function from images (N, C, H, W) to logits (N, classes) or labels (N,): a client of a
service, for instance.
"""

NO_ANSWER = -1
"""The label of a suspect that refuses a query, or answers nonsense: a miss, whatever was asked for."""


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


def ask(suspect: Suspect, x: Tensor, classes: int) -> Tensor:
    """Ask for the labels (N,) int64 of images (N, C, H, W), as a judge does whom a suspect cannot stop:
    `NO_ANSWER` stands where one that gives labels refused, or named no class of 0..`classes` - 1.

    Raises `ArgumentError` for what no query can mend: logits of other classes, or too few answers.
    """
    if isinstance(suspect, nn.Module):
        return answers(suspect, x, classes)
    output = suspect(x)  # logits (N, classes) or labels (N,)
    if not (isinstance(output, Tensor) and output.ndim == 1):
        return answers(lambda _: output, x, classes)
    labels = answers(lambda _: output, x)
    is_class = (labels >= 0) & (labels < classes)
    return labels.masked_fill(~is_class, NO_ANSWER)


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
class Rank:
    """Of `drawn` others that were asked `among` decoys or bystanders, `as_high` agreed at least as often.

    `stopped` says that drawing ended with the last of these `as_high`, not at a number fixed beforehand.
    """

    among: Literal["decoys", "bystanders"]
    as_high: int
    drawn: int
    stopped: bool = False

    def __post_init__(self) -> None:
        require(self.drawn > 0, "drawn must be positive", self.drawn)
        require(0 <= self.as_high <= self.drawn, f"as_high must lie in 0..{self.drawn}", self.as_high)
        require(not self.stopped or self.as_high > 0, "who stops must have seen one as high", self.as_high)

    @property
    def p_value(self) -> float:
        """The exact probability of such a rank where all are alike: G. Barnard, Journal of the Royal
        Statistical Society B 25 (1963), p. 294; where drawing stopped, J. Besag, P. Clifford, Sequential
        Monte Carlo p-values, Biometrika 78 (1991).
        """
        if self.stopped:
            return self.as_high / self.drawn
        return (1 + self.as_high) / (1 + self.drawn)


@dataclass(frozen=True)
class Evidence:
    """`hits` of `trials` agreed with the owner's key, and how often a model without the mark would.

    `chance` is the probability of a hit for a model that never saw the key; it exists where each label or bit
    was drawn at random. Where all triggers share one label, or the labels follow from the images, it is None:
    then only a `rank` among decoys or bystanders makes a p-value.

    >>> evidence = wm.Evidence("adi2018", "labels", hits=30, trials=100, chance=0.1)
    >>> f"{evidence.p_value:.0e}"
    '2e-08'
    """

    scheme: str
    access: Access
    hits: int
    trials: int
    chance: float | None = None
    rank: Rank | None = None

    def __post_init__(self) -> None:
        require(self.trials > 0, "trials must be positive", self.trials)
        require(0 <= self.hits <= self.trials, f"hits must lie in 0..{self.trials}", self.hits)
        good = self.chance is None or 0 < self.chance < 1
        require(good, "chance must lie strictly between 0 and 1", self.chance)

    @property
    def rate(self) -> float:
        """The share of trials that agreed, 0..1."""
        return self.hits / self.trials

    @property
    def null(self) -> Null | None:
        """What a p-value compares with; None where nothing was compared yet."""
        if self.rank is not None:
            return self.rank.among
        return None if self.chance is None else "binomial"

    @property
    def p_value(self) -> float:
        """The exact probability that a model without the mark agrees as often: that of the `rank`, or else
        P(Bin(trials, chance) >= hits).

        Raises `ArgumentError` where there is neither.
        """
        if self.rank is not None:
            return self.rank.p_value
        require(
            self.chance is not None,
            "hits must be compared with something before they prove anything",
            f"{self.hits} of {self.trials} by {self.scheme}, whose labels were not drawn at random",
            "Draw other keys by the same recipe: wm.evidence.against_decoys(scheme, suspect, key, …).",
        )
        return _tail(self.hits, self.trials, self.chance)

    @property
    def compared(self) -> str:
        """What the hits were compared with, in words."""
        if self.rank is not None:
            rank = self.rank
            return f"{rank.as_high} of {rank.drawn} {rank.among} agree as often"
        return "compared with nothing" if self.chance is None else f"chance {self.chance:.2f}"


@lru_cache(10_000)  # tables of judgements ask for the same few again and again
def _tail(hits: int, trials: int, chance: float) -> float:
    """Return P(Bin(trials, chance) >= hits)."""
    from scipy.stats import binom

    return float(binom.sf(hits - 1, trials, chance))


@dataclass(frozen=True)
class Verdict:
    """A decision at level `alpha`, with the evidence it rests on.

    >>> print(wm.judge(wm.Evidence("adi2018", "labels", hits=12, trials=100, chance=0.1)))
    no proof of ownership: 12 of 100 (chance 0.10), p = 3.0e-01 against alpha = 0.001
    """

    owned: bool
    alpha: float
    evidence: Evidence

    def __str__(self) -> str:
        e = self.evidence
        outcome = "claim supported" if self.owned else "no proof of ownership"
        p = f"p = {e.p_value:.1e} against alpha = {self.alpha:g}"
        return f"{outcome}: {e.hits} of {e.trials} ({e.compared}), {p}"


def judge(evidence: Evidence, alpha: float = 1e-3) -> Verdict:
    """Support the claim when a model without the mark would do this well with probability `alpha` at most.

    Raises `ArgumentError` for evidence that was compared with nothing.

    >>> wm.judge(wm.Evidence("adi2018", "labels", hits=90, trials=100, chance=0.1)).owned
    True
    """
    require(0 < alpha < 1, "alpha must lie in (0, 1)", alpha)
    return Verdict(evidence.p_value <= alpha, alpha, evidence)


def against_bystanders(suspect: Evidence, bystanders: Sequence[Evidence]) -> Evidence:
    """Rank what the suspect answered among what models without the mark answer to the same key.

    Trials need not be independent. With m bystanders no p-value lies below 1 / (m + 1).
    """
    fix = "Train a few models without the mark."
    require(len(bystanders) > 0, "bystanders must not be empty", len(bystanders), fix)
    as_high = sum(bystander.rate >= suspect.rate for bystander in bystanders)
    return replace(suspect, rank=Rank("bystanders", as_high, len(bystanders)))


def rank_p_value(suspect: Evidence, bystanders: Sequence[Evidence]) -> float:
    """Return the share of models at least as guilty as `suspect`, itself included.

    >>> strangers = [wm.Evidence("own", "labels", hits, 20) for hits in (1, 3, 2)]
    >>> wm.rank_p_value(wm.Evidence("own", "labels", 20, 20), strangers)
    0.25
    """
    return against_bystanders(suspect, bystanders).p_value
