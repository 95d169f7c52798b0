"""Our statistics against SciPy's, which others have tested for years, and against their definitions."""

from __future__ import annotations

import math
from itertools import chain, combinations

import numpy as np
import pytest
import torch
from scipy.stats import binomtest, monte_carlo_test

import wmlearn as wm
from wmlearn.course.lessons.exercises_02 import paired_p
from wmlearn.evidence import Rank, significance


@pytest.mark.parametrize("hits", [0, 3, 10, 21, 60, 100])
@pytest.mark.parametrize("chance", [0.05, 0.1, 0.5])
def test_the_binomial_p_value_is_that_of_scipys_exact_test(hits: int, chance: float) -> None:
    exact = binomtest(hits, 100, chance, alternative="greater").pvalue
    assert wm.Evidence("toy", "labels", hits, 100, chance).p_value == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_holms_verdicts_are_those_of_its_closed_test(seed: int, alpha: float) -> None:
    """Holm's is the closed test by Bonferroni: a claim stands when each group of claims that it belongs to
    holds a p-value of at most alpha / the group's size (Marcus, Peritz, Gabriel 1976).
    """
    draw = torch.Generator().manual_seed(seed)
    hits = torch.randint(8, 26, (12,), generator=draw).tolist()
    claims = [wm.Evidence("toy", "labels", count, 100, 0.1) for count in hits]
    found = [verdict.owned for verdict in significance.holm(claims, alpha)]
    groups = list(chain.from_iterable(combinations(range(12), size) for size in range(1, 13)))
    spoken = [min(claims[i].p_value for i in group) <= alpha / len(group) for group in groups]
    silent = [set(group) for group, speaks in zip(groups, spoken, strict=True) if not speaks]
    assert found == [all(i not in group for group in silent) for i in range(12)]
    assert 0 < sum(found) < 12


@pytest.mark.parametrize("seed", range(4))
def test_the_paired_test_of_lesson_02_is_mcnemars(seed: int) -> None:
    """Counted by hand: the images that one network alone reads rightly fall to either like a fair coin."""
    draw = torch.Generator().manual_seed(seed)
    first = torch.rand(400, generator=draw) < 0.95
    second = torch.rand(400, generator=draw) < 0.92
    fewer, more = sorted([int((first & ~second).sum()), int((second & ~first).sum())])
    n = fewer + more
    as_few = sum(math.comb(n, k) for k in range(fewer + 1)) / 2**n
    assert float(paired_p(first, second)) == pytest.approx(min(1, 2 * as_few))


@pytest.mark.parametrize("owner", [0, 4, 9, 12])
def test_a_rank_among_decoys_is_scipys_monte_carlo_test(owner: int) -> None:
    decoys = torch.randint(0, 11, (199,), generator=torch.Generator().manual_seed(owner)).double().numpy()
    drawn = iter(decoys)
    exact = monte_carlo_test(
        [owner],
        lambda size: np.array([[next(drawn)] for _ in range(size[0])]),
        lambda sample, axis: np.asarray(sample)[..., 0],
        n_resamples=199,
        vectorized=True,
        alternative="greater",
    ).pvalue
    assert Rank("decoys", int((decoys >= owner).sum()), 199).p_value == pytest.approx(float(exact))


@pytest.mark.parametrize(("n", "chance", "survival"), [(50, 0.1, 0.3), (100, 0.5, 0.7)])
def test_power_is_how_often_simulated_claims_succeed(n: int, chance: float, survival: float) -> None:
    draw = torch.Generator().manual_seed(0)
    hits = (torch.rand(4000, n, generator=draw) < survival).sum(1)
    won = float((hits >= significance.hits_needed(n, chance, 1e-3)).double().mean())
    assert won == pytest.approx(significance.power(n, chance, survival, 1e-3), abs=0.03)  # four deviations
