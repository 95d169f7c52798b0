"""Does a client steal? A service looks at its queries, without knowing what they are for.

PRADA: M. Juuti, S. Szyller, S. Marchal, N. Asokan: Protecting against DNN Model Stealing Attacks, EuroS&P
2019, arXiv:1805.02628, section 5: the distance of each query to the nearest earlier one that got the same
answer; those of an honest client look normal, those of made-up queries don't (Shapiro and Wilk's test).
Differs: all queries of a class are kept, where the paper keeps a growing set of those that are far apart.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import require

FEWEST = 20
"""Distances that Shapiro and Wilk's test gets at least."""


def query_distances(x: Tensor, labels: Tensor) -> Tensor:
    """Return for each query (N, ...), but the first of every answer, how far the nearest earlier one with
    the same answer is, (up to N,), in pixels' units.
    """
    require(len(x) == len(labels), "there must be one label a query", (len(x), len(labels)))
    flat = x.flatten(1).double()
    between = torch.cdist(flat, flat)  # (N, N)
    earlier = torch.ones_like(between, dtype=torch.bool).tril(-1)
    comparable = earlier & (labels[:, None] == labels[None])
    nearest = between.masked_fill(~comparable, torch.inf).amin(1)
    return nearest[nearest.isfinite()]


def normality(x: Tensor, labels: Tensor) -> float:
    """Return how normal a client's distances look, Shapiro and Wilk's W in 0..1: small is suspicious.

    Distances more than three deviations from their mean are left out, as in the paper. Raises `ArgumentError`
    for too few queries.
    """
    from scipy.stats import shapiro  # where it is needed: it takes a second

    distances = query_distances(x, labels)
    fix = "Wait for more queries."
    require(len(distances) >= FEWEST, f"there must be at least {FEWEST} distances", len(distances), fix)
    usual = (distances - distances.mean()).abs() <= 3 * distances.std()
    kept = distances[usual]
    if float(kept.max() - kept.min()) < 1e-9:
        return 0.0  # all the same: as far from normal as can be
    return float(shapiro(kept.cpu().numpy()).statistic)
