"""The ledger of false claims: how often innocent models are found guilty, from the frozen data/results."""

from __future__ import annotations

from functools import cache

import pytest
from scipy.stats import binom

from wmlearn.evidence import bystanders
from wmlearn.experiments import Results, shipped
from wmlearn.experiments.false_claims import ALPHAS, EXACT, KEYS, SCHEMES, false_claims

STRANGERS = bystanders.N_DIGITS - bystanders.N_NULL
COMPUTED = (*EXACT, "szyller2021-dawn")
"""Schemes with a chance to compute with; a rate under the level is what rounding to whole hits leaves."""


@cache
def _results() -> Results:
    return shipped("false-claims")


def test_every_scheme_made_a_thousand_claims_against_strangers() -> None:
    results = _results()
    assert [row["scheme"] for row in results.rows] == list(SCHEMES)
    for scheme in SCHEMES:
        count = false_claims(results, scheme, 0.05)
        assert (count.keys, count.claims) == (KEYS, KEYS * STRANGERS)
        assert count.claims >= 1000


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("scheme", COMPUTED)
def test_no_more_innocent_models_are_found_guilty_than_the_level_allows(scheme: str, alpha: float) -> None:
    count = false_claims(_results(), scheme, alpha)
    assert count.false / count.claims <= alpha
    assert count.low <= alpha


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_by_decoys_no_interval_lies_above_its_level(scheme: str, alpha: float) -> None:
    """The rate itself may: few keys are unlucky, and all strangers say so of the same ones."""
    assert false_claims(_results(), scheme, alpha, "decoys").low <= alpha


@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_by_decoys_the_level_holds_over_all_schemes_together(alpha: float) -> None:
    counts = [false_claims(_results(), scheme, alpha, "decoys") for scheme in SCHEMES]
    assert sum(count.false for count in counts) / sum(count.claims for count in counts) <= alpha


@pytest.mark.parametrize("scheme", EXACT)
def test_where_chance_is_exact_the_level_is_used_up(scheme: str) -> None:
    """As hits are whole, the exact tail lies somewhat under the level: the rate must fit that tail."""
    alpha = 0.05
    results = _results()
    (row,) = results.where(scheme=scheme)
    n = row["trials"][0]
    tails = binom.sf(range(-1, n), n, row["chance"][0])  # (n + 1,): the chance of k hits or more
    tail = tails[tails <= alpha].max()
    count = false_claims(results, scheme, alpha)
    assert count.low <= tail <= count.high
