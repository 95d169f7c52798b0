"""P-values are exact, and a verdict is a p-value against a level."""

from __future__ import annotations

import re
from fractions import Fraction
from math import comb
from typing import Any

import pytest

import wmlearn as wm

ALPHAS = (0.05, 1e-3, 1e-6, 2.0**-64)
HITS_NEEDED = {  # (trials, classes) -> the fewest hits that prove a claim at each of ALPHAS
    (20, 10): (5, 8, 11, 20),
    (30, 10): (7, 10, 14, 25),
    (50, 10): (10, 14, 18, 32),
    (100, 10): (16, 21, 28, 46),
    (100, 43): (6, 9, 13, 26),
    (250, 10): (34, 42, 51, 78),
}


def _adi(hits: int, trials: int = 100, classes: int = 10) -> wm.Evidence:
    return wm.Evidence("adi2018", "labels", hits, trials, 1 / classes)


@pytest.mark.parametrize(("trials", "classes"), HITS_NEEDED)
def test_a_claim_needs_exactly_the_hits_of_the_table(trials: int, classes: int) -> None:
    for alpha, needed in zip(ALPHAS, HITS_NEEDED[trials, classes], strict=True):
        assert wm.judge(_adi(needed, trials, classes), alpha).owned, alpha
        assert not wm.judge(_adi(needed - 1, trials, classes), alpha).owned, alpha


@pytest.mark.parametrize(("trials", "classes"), HITS_NEEDED)
def test_a_p_value_is_the_exact_binomial_tail(trials: int, classes: int) -> None:
    p = Fraction(1, classes)
    tail = Fraction(0)
    for hits in range(trials, -1, -1):
        tail += comb(trials, hits) * p**hits * (1 - p) ** (trials - hits)
        assert _adi(hits, trials, classes).p_value == pytest.approx(float(tail), rel=1e-9)


def test_no_hit_proves_nothing() -> None:
    assert _adi(0).p_value == 1
    assert not wm.judge(_adi(0), 0.999).owned


def test_the_rate_is_the_share_of_hits() -> None:
    assert _adi(21).rate == 0.21


def test_a_p_value_that_equals_alpha_keeps_the_level_and_supports_the_claim() -> None:
    evidence = wm.Evidence("toy", "labels", 1, 1, 0.25)
    assert evidence.p_value == 0.25
    assert wm.judge(evidence, 0.25).owned
    assert not wm.judge(evidence, 0.24).owned


def test_judge_asks_for_one_in_a_thousand_and_keeps_the_evidence() -> None:
    evidence = _adi(21)
    verdict = wm.judge(evidence)
    assert verdict == wm.Verdict(True, 1e-3, evidence)
    assert not wm.judge(_adi(20)).owned


def test_a_verdict_can_be_read_aloud() -> None:
    assert (
        str(wm.judge(_adi(50, 50)))
        == "claim supported: 50 of 50 (chance 0.10), p = 1.0e-50 against alpha = 0.001"
    )
    assert (
        str(wm.judge(_adi(5, 50), 0.05))
        == "no proof of ownership: 5 of 50 (chance 0.10), p = 5.7e-01 against alpha = 0.05"
    )


def test_rank_p_value_is_the_share_of_models_at_least_as_guilty() -> None:
    bystanders = [_adi(hits) for hits in range(10, 29)]  # 19 of them
    assert wm.rank_p_value(_adi(90), bystanders) == 1 / 20
    assert wm.rank_p_value(_adi(28), bystanders) == 2 / 20
    assert wm.rank_p_value(_adi(10), bystanders) == 1


def test_rank_p_value_compares_rates_and_not_counts() -> None:
    assert wm.rank_p_value(_adi(9, trials=10), [_adi(80, trials=100)]) == 1 / 2


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no trials": ({"trials": 0, "hits": 0}, "trials must be positive, got 0."),
    "more hits than trials": ({"hits": 11}, "hits must lie in 0..10, got 11."),
    "negative hits": ({"hits": -1}, "hits must lie in 0..10, got -1."),
    "chance 0": ({"chance": 0.0}, "chance must lie strictly between 0 and 1, got 0.0."),
    "chance 1": ({"chance": 1.0}, "chance must lie strictly between 0 and 1, got 1.0."),
    "chance NaN": ({"chance": float("nan")}, "chance must lie strictly between 0 and 1, got nan."),
}


@pytest.mark.parametrize("case", BAD)
def test_evidence_refuses_numbers_that_cannot_be(case: str) -> None:
    changes, message = BAD[case]
    good: dict[str, Any] = {"scheme": "toy", "access": "labels", "hits": 5, "trials": 10, "chance": 0.1}
    wm.Evidence(**good)
    with pytest.raises(wm.ArgumentError, match=f"^{re.escape(message)}"):
        wm.Evidence(**(good | changes))


@pytest.mark.parametrize("alpha", [0, 1, -0.1, float("nan")])
def test_judge_refuses_a_level_that_is_no_probability(alpha: float) -> None:
    with pytest.raises(wm.ArgumentError, match=rf"^alpha must lie in \(0, 1\), got {alpha}\."):
        wm.judge(_adi(21), alpha)


def test_rank_p_value_needs_bystanders() -> None:
    message = "bystanders must not be empty, got 0. Train a few models without the mark."
    with pytest.raises(wm.ArgumentError, match=f"^{re.escape(message)}$"):
        wm.rank_p_value(_adi(21), [])
