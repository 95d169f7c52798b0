"""Statistics of a claim: exact levels, several claims at once, and how many triggers are enough."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from wmlearn.errors import ArgumentError
from wmlearn.evidence import Evidence
from wmlearn.evidence.significance import (
    clustered_interval,
    hits_needed,
    holm,
    power,
    triggers_needed,
)

LEVELS = (0.05, 1e-3, 1e-6, 2.0**-64)


def evidence(hits: int, n: int = 100, chance: float = 0.1) -> Evidence:
    return Evidence("adi2018", "labels", hits, n, chance)


@pytest.mark.parametrize(
    ("n", "classes", "hits"),
    [
        (20, 10, (5, 8, 11, 20)),
        (30, 10, (7, 10, 14, 25)),
        (50, 10, (10, 14, 18, 32)),
        (100, 10, (16, 21, 28, 46)),
        (100, 43, (6, 9, 13, 26)),
        (250, 10, (34, 42, 51, 78)),
    ],
)
def test_hits_needed_are_those_of_the_exact_tail(n: int, classes: int, hits: tuple[int, ...]) -> None:
    assert tuple(hits_needed(n, 1 / classes, alpha) for alpha in LEVELS) == hits


def public_threshold(n: int, chance: float, alpha: float) -> int:
    """The mistake: the least k with P(X > k) < alpha, where the claim is then accepted at k."""
    return next(k for k in range(n + 1) if binom.sf(k, n, chance) < alpha)


def test_a_threshold_off_by_one_keeps_no_level() -> None:
    assert public_threshold(10, 0.1, 1e-3) == 5
    assert binom.sf(4, 10, 0.1) == pytest.approx(0.0016, abs=5e-5)
    assert hits_needed(10, 0.1, 1e-3) == 6
    assert binom.sf(5, 10, 0.1) < 1e-3


@pytest.mark.parametrize("n", [1, 7, 40])
@pytest.mark.parametrize("alpha", [0.5, 0.05, 1e-3, 1e-9])
def test_one_hit_fewer_is_never_enough(n: int, alpha: float) -> None:
    k = hits_needed(n, 0.3, alpha)
    assert k == n + 1 or binom.sf(k - 1, n, 0.3) < alpha
    assert binom.sf(k - 2, n, 0.3) >= alpha


def test_power_grows_with_what_survives_and_is_the_level_for_innocent_models() -> None:
    assert power(100, 0.1, 0.1, 0.05) < 0.05
    assert power(100, 0.1, 1.0, 1e-6) == 1
    assert power(100, 0.1, 0.2, 1e-3) < power(100, 0.1, 0.3, 1e-3) < power(100, 0.1, 0.4, 1e-3)
    assert power(2, 0.1, 1.0, 1e-6) == 0, "two triggers prove nothing at that level"


@pytest.mark.parametrize(
    ("survival", "alpha"), [(1.0, 1e-3), (0.9, 1e-6), (0.5, 1e-3), (0.2, 0.05), (0.15, 1e-3)]
)
def test_triggers_needed_is_the_first_size_that_does(survival: float, alpha: float) -> None:
    n = triggers_needed(0.1, survival, alpha, 0.9)
    assert power(n, 0.1, survival, alpha) >= 0.9
    assert all(power(m, 0.1, survival, alpha) < 0.9 for m in range(1, n))


def test_holm_is_stricter_than_judging_alone_and_milder_than_dividing() -> None:
    found = [evidence(16), evidence(40), evidence(18), evidence(10)]
    verdicts = holm(found, 0.05)
    assert [v.owned for v in verdicts] == [False, True, True, False]
    assert [v.evidence for v in verdicts] == found
    assert [v.alpha for v in verdicts] == pytest.approx([0.05 / 2, 0.05 / 4, 0.05 / 3, 0.05])
    assert evidence(16).p_value < 0.05, "alone, it would have been supported"


def test_after_one_claim_that_fails_holm_supports_no_weaker_one() -> None:
    found = [evidence(16), evidence(16)]
    assert [v.owned for v in holm(found, 0.05)] == [False, False]
    assert found[0].p_value < 0.05


def test_holm_keeps_the_level_over_all_claims() -> None:
    draw = np.random.default_rng(0)
    runs = 2000
    wrong = sum(
        any(v.owned for v in holm([evidence(int(k)) for k in draw.binomial(100, 0.1, 5)], 0.05))
        for _ in range(runs)
    )
    assert binom.sf(wrong - 1, runs, 0.05) > 1e-3, "no more than the level allows"


def test_without_stopping_rules_looking_after_every_answer_breaks_the_level() -> None:
    draw, runs = np.random.default_rng(2), 1000
    needed = np.array([hits_needed(n, 0.1, 0.05) for n in range(1, 101)])
    wrong = int(((draw.random((runs, 100)) < 0.1).cumsum(1) >= needed).any(1).sum())
    assert binom.sf(wrong - 1, runs, 0.05) < 1e-6


@pytest.mark.parametrize(
    "call",
    [
        lambda: hits_needed(0, 0.1, 0.05),
        lambda: hits_needed(10, 1.0, 0.05),
        lambda: hits_needed(10, 0.1, 0.0),
        lambda: power(10, 0.1, 1.1, 0.05),
        lambda: triggers_needed(0.1, 0.1, 0.05),
        lambda: triggers_needed(0.1, 0.1001, 0.05),
        lambda: triggers_needed(0.1, 0.5, 0.05, 1.0),
        lambda: holm([]),
    ],
)
def test_bad_input_is_refused(call) -> None:
    with pytest.raises(ArgumentError, match="got"):
        call()


def interval(hits: int, trials: int) -> tuple[float, float]:
    """The exact 95 % interval of independent trials (Clopper and Pearson 1934)."""
    low, high = binomtest(hits, trials).proportion_ci(0.95, "exact")
    return float(low), float(high)


def test_an_interval_of_clusters_holds_where_one_of_trials_does_not() -> None:
    """600 times, 50 keys with 20 claims each that mostly agree: the true rate must lie in 95 % of the
    intervals.
    """
    gen = np.random.default_rng(0)
    rates = gen.beta(0.5, 4.5, (600, 50))  # one a key, 0.1 on average
    hits = gen.binomial(20, rates)
    clustered = [clustered_interval(row.tolist(), 20) for row in hits]
    naive = [interval(int(row.sum()), 1000) for row in hits]
    covered = [sum(low <= 0.1 <= high for low, high in found) / len(found) for found in (clustered, naive)]
    assert covered[0] >= 0.93
    assert covered[1] <= 0.8


def test_clusters_that_scatter_like_single_trials_lose_little() -> None:
    hits = [int(hit) for hit in np.random.default_rng(1).binomial(20, 0.1, 300)]
    low, high = clustered_interval(hits, 20)
    exact_low, exact_high = interval(sum(hits), 6000)
    assert high - low <= 1.25 * (exact_high - exact_low)


def test_clusters_without_any_hit_count_once_each() -> None:
    assert clustered_interval([0] * 60, 20) == pytest.approx(interval(0, 60), rel=0.06)
    assert clustered_interval([20] * 60, 20)[1] == 1.0
    with pytest.raises(ArgumentError, match="at least two clusters"):
        clustered_interval([3], 20)
    with pytest.raises(ArgumentError, match=r"hits must lie in 0\.\.20"):
        clustered_interval([3, 21], 20)
