"""Siblings: a rank that is exact whatever is compared, and what can't be compared."""

from __future__ import annotations

import pytest
import torch

import wmlearn as wm
from wmlearn.errors import ArgumentError
from wmlearn.evidence import bystanders, siblings

NETWORKS = list(bystanders.shipped("mnist", 0, 4))
X = torch.rand(40, 1, 28, 28, generator=torch.Generator().manual_seed(3))


def test_who_answers_as_the_owner_does_comes_first_and_who_follows_a_sibling_does_not() -> None:
    owner, *others = NETWORKS
    assert siblings.sibling_rank(lambda x: wm.predict(owner, x), owner, others, X).as_high == 0
    assert siblings.sibling_rank(others[0], owner, others, X).as_high >= 1


def test_an_amount_added_to_all_classes_and_a_factor_change_nothing() -> None:
    scores = torch.stack([wm.predict(network, X) for network in NETWORKS])
    changed = 3 * scores[1] + torch.arange(40)[:, None]
    assert torch.allclose(
        siblings.following(scores[1], scores), siblings.following(changed, scores), atol=1e-6
    )


def test_an_innocent_gets_each_rank_as_often_as_every_other() -> None:
    draw = torch.Generator().manual_seed(7)
    ranks = []
    for _ in range(400):
        scores = torch.randn(6, 8, 5, generator=draw)  # a suspect and five networks, drawn alike
        ranks.append(siblings.rank_of(scores[0], scores[1:]).as_high)
    counts = torch.tensor(ranks).bincount(minlength=5)
    assert float(((counts - 80) ** 2 / 80).sum()) <= 18.5  # chi-squared with 4 degrees of freedom, p = .001


def test_what_cannot_be_ranked_is_refused() -> None:
    owner, *others = NETWORKS
    with pytest.raises(ArgumentError, match=r"siblings must not be empty, got 0\. Train a few"):
        siblings.sibling_rank(owner, owner, [], X)
    with pytest.raises(ArgumentError, match=r"the suspect must give scores \(N, classes\), got \(40,\)"):
        siblings.sibling_rank(lambda x: torch.zeros(len(x)), owner, others, X)
    with pytest.raises(ArgumentError, match=r"others must be \(M, N, classes\), scores \(N, classes\)"):
        siblings.following(torch.zeros(4, 10), torch.zeros(3, 5, 10))
