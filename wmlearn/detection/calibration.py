"""A limit that keeps its promise, and how often it broke it: false alarms, from a defender's clean images.

V. Vovk, A. Gammerman, G. Shafer: Algorithmic Learning in a Random World, 2005, sections 2.2 (conformal) and
4.5 (class by class). A new clean score takes each of the n + 1 places among n clean ones with the same
chance. It lies above the k-th largest of them with a chance of k / (n + 1), so k = (n + 1) * rate, rounded
down, keeps the promise, whatever the scores look like. A plain quantile of the n doesn't.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from ..errors import require

Rule = Literal["conformal", "quantile"]
"""How a limit follows from clean scores: `limit`, which keeps its promise, or their quantile, which is lower
on average.
"""
ENOUGH = 5
"""Times as many clean images as a rate needs, from which on a class has a limit of its own: a limit that only
its oddest image sets keeps the promise, too, but finds little.
"""
CLOSE = 1e-9  # what a product of decimal fractions may be off by


@dataclass(frozen=True)
class Rate:
    """How many of `n` were flagged."""

    flagged: int
    n: int

    @property
    def share(self) -> float:
        """The share that was flagged, 0..1; 0 of none."""
        return self.flagged / max(1, self.n)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of C. Clopper and E. Pearson, Biometrika 1934; of none, it is everything."""
        from scipy.stats import binomtest

        if self.n == 0:
            return 0.0, 1.0
        bounds = binomtest(self.flagged, self.n).proportion_ci(0.95, "exact")
        return float(bounds.low), float(bounds.high)


@dataclass(frozen=True)
class Alarms:
    """How many clean images a detector promised to flag at most, and how many it flagged; where it accuses
    classes, they are counted.
    """

    promised: float  # the share of clean images, as likely as those that set the limit
    overall: Rate
    by_class: tuple[Rate, ...]  # of the images that the network puts in each class


def check_rule(rule: Rule) -> None:
    """Raise `ArgumentError` for a rule that there isn't."""
    require(rule in get_args(Rule), f"rule must be one of {', '.join(get_args(Rule))}", rule)


def promise(rule: Rule, rate: float) -> str:
    """Say how often a detector of queries flags clean images."""
    check_rule(rule)
    if rule == "quantile":
        return f"what {rate:.1%} of the clean images exceed; on others, more false alarms are to be expected"
    return f"false alarms on {rate:.1%} of clean images are promised"


def needed(rate: float) -> int:
    """Return the fewest clean scores that can promise `rate` of false alarms.

    >>> needed(0.01)
    99
    """
    return math.ceil(1 / rate - CLOSE) - 1


def limit(scores: Tensor, rate: float) -> float:
    """Return the limit that a new clean score exceeds with a chance of `rate` at most, from clean `scores`
    (n,), of which higher is worse.

    Raises `ArgumentError` for a rate outside (0, 1), and for fewer scores than it needs.
    """
    require(0 < rate < 1, "rate must lie in (0, 1)", rate)
    n = len(scores)
    rule = f"{rate:.3g} of false alarms needs at least {needed(rate)} clean images to set the limit"
    require(n >= needed(rate), rule, n, f"Bring more of them, or promise {least(n):.2g}.")
    k = math.floor((n + 1) * rate + CLOSE)
    return scores.topk(k).values[-1].item()


def least(n: int) -> float:
    """Return the smallest rate of false alarms that `n` clean scores can promise; 1 for none."""
    return 1 / (n + 1)


def limits(scores: Tensor, classes: Tensor, k: int, rate: float) -> Tensor:
    """Return a limit for each of `k` classes, (k,), from clean `scores` (n,) of images in `classes` (n,).

    A class with `ENOUGH` times as many images as it needs has its own limit, the others one together; if they
    are too few for one, all classes have one limit. Thus every limit promises `rate`.
    """
    counts = classes.bincount(minlength=k)  # (k,)
    few = counts < ENOUGH * needed(rate)
    if counts[few].sum() < needed(rate):
        few = torch.ones_like(few)
    own = scores.new_empty(k)
    for label in range(k):
        alike = few[classes] if few[label] else classes == label  # (n,)
        own[label] = limit(scores[alike], rate)
    return own


def cross_judged(scores: Tensor, classes: Tensor, k: int, rate: float, seed: int = 0) -> Tensor:
    """Say which clean `scores` (n,) are flagged, (n,) bool, each half by the limits that the other sets."""
    order = torch.randperm(len(scores), generator=torch.Generator().manual_seed(seed)).to(scores.device)
    halves = order.chunk(2)
    flagged = torch.zeros_like(scores, dtype=torch.bool)
    for judged, setting in (halves, halves[::-1]):
        bounds = limits(scores[setting], classes[setting], k, rate)  # (k,)
        flagged[judged] = scores[judged] > bounds[classes[judged]]
    return flagged


def alarms(scores: Tensor, classes: Tensor, k: int, rate: float, seed: int = 0) -> Alarms | None:
    """Measure false alarms on clean `scores` (n,) of images that the network puts in `classes` (n,), each
    half judged by the other; None where a half can't promise `rate`.
    """
    if len(scores) // 2 < needed(rate):
        return None
    return counted(cross_judged(scores, classes, k, rate, seed), classes, k, rate)


def counted(flagged: Tensor, classes: Tensor, k: int, promised: float) -> Alarms:
    """Count which clean images are `flagged`, (n,) bool, by their `classes` (n,)."""
    rates = []
    for label in range(k):
        own = flagged[classes == label]
        rates.append(Rate(int(own.sum()), len(own)))
    return Alarms(promised, Rate(int(flagged.sum()), len(flagged)), tuple(rates))
