"""What a detector says of single images, and how to rate it when one knows which of them are poisoned."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..errors import require


@dataclass(frozen=True, eq=False)
class Suspicion:
    """How suspicious each of N images is, `score` (N,), higher is worse, and those above the detector's
    threshold, `flagged` (N,) bool.
    """

    score: Tensor
    flagged: Tensor


def auc(score: Tensor, poisoned: Tensor) -> float:
    """Return how often a poisoned image, by `poisoned` (N,) bool, scores above a clean one: 0.5 is a guess, 1
    perfect; ties count half.
    """
    n = int(poisoned.sum())
    require(
        0 < n < len(poisoned), "there must be poisoned and clean images", f"{n} poisoned of {len(poisoned)}"
    )
    value, count = score.unique(return_inverse=True, return_counts=True)[1:]
    rank = (count.cumsum(0).double() - (count - 1) / 2)[value]  # (N,), of equal scores their mean
    return float((rank[poisoned].sum() - n * (n + 1) / 2) / (n * (len(poisoned) - n)))
