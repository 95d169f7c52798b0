"""How often an innocent model is found guilty, as inequalities over the results that ship."""

from __future__ import annotations

import pytest
from scipy.stats import binom

from wmlearn.evidence import bystanders
from wmlearn.experiments import shipped
from wmlearn.experiments.false_claims import ALPHAS, EXACT, KEYS, SCHEMES, false_claims

STRANGERS = bystanders.N_DIGITS - bystanders.N_NULL


def test_every_scheme_made_a_thousand_claims_against_strangers() -> None:
    results = shipped("false-claims")
    assert [row["scheme"] for row in results.rows] == list(SCHEMES)
    for scheme in SCHEMES:
        found = false_claims(results, scheme, 0.05)
        assert (found.keys, found.claims) == (KEYS, KEYS * STRANGERS)
        assert found.claims >= 1000


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_more_innocent_models_are_found_guilty_than_the_level_allows(scheme: str, alpha: float) -> None:
    found = false_claims(shipped("false-claims"), scheme, alpha)
    assert found.false / found.claims <= alpha
    assert found.low <= alpha


@pytest.mark.parametrize("scheme", EXACT)
def test_where_chance_is_exact_the_level_is_used_up(scheme: str) -> None:
    """As hits are whole, the exact tail lies somewhat under the level; the measured rate must fit that tail,
    not only stay below.
    """
    results, alpha = shipped("false-claims"), 0.05
    (row,) = results.where(scheme=scheme)
    n, chance = row["trials"][0], row["chance"][0]
    tail = next(p for k in range(n + 1) if (p := float(binom.sf(k - 1, n, chance))) < alpha)
    found = false_claims(results, scheme, alpha)
    assert found.low <= tail <= found.high
