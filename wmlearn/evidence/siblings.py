"""Whose scores does a suspect follow? Networks that an owner trains by one recipe, from other seeds, are a
control for any measure of likeness, behind an API that gives scores.

To an innocent suspect the owner's network is one of several that were drawn alike, so that it comes first no
more often than each of the others: the rank is exact whatever is compared (G. Barnard, Journal of the Royal
Statistical Society B 25 (1963), p. 294). Likeness of scores as a trace of a theft: N. Lukas, Y. Zhang, F.
Kerschbaum: Deep Neural Network Fingerprinting by Conferrable Adversarial Examples, ICLR 2021,
arXiv:1912.00888, whose surrogates and references these are. Differs: no images are searched for, no threshold
is learnt, a rank is given.

Exact where each sibling is trained as the owner's network was, on a draw of its own, and where the suspect
has learnt from none of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..errors import require
from ..training import predict
from .evidence import Rank, Suspect


def following(scores: Tensor, others: Tensor) -> Tensor:
    """Return how closely `scores` (N, classes) follow each of `others` (M, N, classes), (M,): the cosine of
    both after their mean over classes is taken away, mean over N.
    """
    fits = scores.ndim == 2 and others.ndim == 3 and others.shape[1:] == scores.shape
    rule = "others must be (M, N, classes), scores (N, classes)"
    require(fits, rule, f"{tuple(others.shape)} and {tuple(scores.shape)}")
    centred = scores - scores.mean(1, keepdim=True)
    cosines = [torch.cosine_similarity(centred, each - each.mean(1, keepdim=True), dim=1) for each in others]
    return torch.stack([cosine.mean() for cosine in cosines])


def sibling_rank(suspect: Suspect, owner: nn.Module, siblings: Sequence[nn.Module], x: Tensor) -> Rank:
    """Rank the owner's network among its `siblings` by how closely the suspect follows the scores that each
    gives to images `x` (N, C, H, W).

    Raises `ArgumentError` for no siblings, or a suspect that gives labels only.
    """
    fix = "Train a few by the owner's recipe, from other seeds, on other draws of the data."
    require(len(siblings) > 0, "siblings must not be empty", len(siblings), fix)
    given = predict(suspect, x) if isinstance(suspect, nn.Module) else suspect(x)
    fix = "Labels alone say too little: look at its lot, or at its weights."
    require(given.ndim == 2, "the suspect must give scores (N, classes)", tuple(given.shape), fix)
    others = torch.stack([predict(network, x) for network in (owner, *siblings)])
    return rank_of(given, others)


def rank_of(scores: Tensor, others: Tensor) -> Rank:
    """Rank the first of `others` (M, N, classes), the owner's, among the rest."""
    likeness = following(scores, others)
    own, *siblings = likeness.tolist()
    return Rank("bystanders", sum(each >= own for each in siblings), len(siblings))
