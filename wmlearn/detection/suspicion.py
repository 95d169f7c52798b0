"""What a detector says of single images, and how to rate it when one knows which of them are poisoned."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..errors import require
from .calibration import Alarms, alarms, limits


@dataclass(frozen=True, eq=False)
class Suspicion:
    """How suspicious each of N images is, which of them lie above the detector's threshold, and how often it
    flags clean images, as promised and as measured.
    """

    score: Tensor  # (N,), higher is worse
    flagged: Tensor  # (N,) bool
    alarms: Alarms | None = None  # None where none are promised, or too few clean images are there to count


def calibrated(
    usual: Tensor, usual_classes: Tensor, score: Tensor, classes: Tensor, k: int, rate: float
) -> Suspicion:
    """Flag each `score` (M,) of an image that the network puts in `classes` (M,), one of `k`, above the limit
    that the clean scores `usual` (n,) of `usual_classes` (n,) set there, so that `rate` is promised.
    """
    bounds = limits(usual, usual_classes, k, rate)  # (k,)
    return Suspicion(score, score > bounds[classes], alarms(usual, usual_classes, k, rate))


def auc(score: Tensor, poisoned: Tensor) -> float:
    """Return how often a poisoned image, by `poisoned` (N,) bool, scores above a clean one; ties count half.

    0.5 is a guess, 1 perfect. It is the area under the curve of hits over false alarms, and the U of Mann and
    Whitney (1947) as a share of all pairs.
    """
    from scipy.stats import mannwhitneyu

    n = int(poisoned.sum())
    got = f"{n} poisoned of {len(poisoned)}"
    require(0 < n < len(poisoned), "there must be poisoned and clean images", got)
    bad, good = (score[rows].double().cpu().numpy() for rows in (poisoned, ~poisoned))
    # only U is wanted: "asymptotic" spares the exact distribution, which takes long
    u = mannwhitneyu(bad, good, method="asymptotic").statistic
    return float(u / (n * (len(poisoned) - n)))
