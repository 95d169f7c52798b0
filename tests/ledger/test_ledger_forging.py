"""The ledger of forging against a service: which false claims each rule of a platform lets through, over the
frozen data/results.
"""

from __future__ import annotations

import pytest

from wmlearn.experiments import Results, shipped
from wmlearn.experiments.forging import (
    BRED,
    CLAIMANTS,
    CLAIMS,
    COURT,
    LEVEL,
    LUCKIEST,
    OWNER,
    PICKED,
    SEEDS,
    STRANGER,
    TICKETS,
    N,
    believed,
    claims_of,
)

ALL = [CLAIMS] * len(SEEDS)
NONE = [0] * len(SEEDS)


@pytest.fixture(scope="module")
def results() -> Results:
    return shipped("forging")


def test_every_rule_was_tried_by_all_its_claimants_on_five_owners(results: Results) -> None:
    assert [row["seed"] for row in results.rows] == list(SEEDS)
    for row in results.rows:
        tried = [(line["rule"], line["claimant"]) for line in row["claims"]]
        assert tried == [(rule, name) for rule, names in CLAIMANTS.items() for name in names]
        assert all(line["trials"] == [N] * CLAIMS for line in row["claims"])
        assert row["accuracy"] >= 0.95
        assert row["copy_accuracy"] >= 0.9


@pytest.mark.parametrize("rule", CLAIMANTS)
def test_owners_are_believed_under_every_rule_and_strangers_under_none(results: Results, rule: str) -> None:
    assert believed(results, rule, OWNER) == ALL
    assert believed(results, rule, STRANGER) == NONE


@pytest.mark.parametrize(
    ("rule", "forger"),
    [("handed-in", PICKED), ("handed-in", BRED), ("promised", BRED), ("drawn", PICKED)],
)
def test_what_is_handed_in_or_drawn_at_any_time_is_forged_every_time(
    results: Results, rule: str, forger: str
) -> None:
    assert believed(results, rule, forger) == ALL


@pytest.mark.parametrize("rule", ["promised", "promised-drawn"])
def test_a_promise_before_the_release_is_still_forged_on_networks_of_ones_own(
    results: Results, rule: str
) -> None:
    assert min(believed(results, rule, PICKED)) >= CLAIMS / 2


def test_forged_keys_do_better_than_decoys_so_that_decoys_alone_refuse_nobody(results: Results) -> None:
    for rule, forger in (("handed-in", PICKED), ("handed-in", BRED), ("promised", BRED), ("drawn", PICKED)):
        for line in claims_of(results, rule, forger):
            assert line["as_high"] == [0] * CLAIMS


@pytest.mark.parametrize("forger", [PICKED, LUCKIEST])
def test_in_court_no_forger_is_believed_and_each_is_heard(results: Results, forger: str) -> None:
    assert believed(results, COURT, forger) == NONE
    assert all(line["void"] == 0 for line in claims_of(results, COURT, forger))


def test_seeds_that_were_picked_for_a_guessed_nonce_hit_by_chance(results: Results) -> None:
    hits = sum(sum(line["hits"]) for line in claims_of(results, COURT, PICKED))
    trials = len(SEEDS) * CLAIMS * N
    assert abs(hits / trials - 0.1) <= 4 * (0.1 * 0.9 / trials) ** 0.5


def test_luck_among_many_promises_shows_and_is_paid_for_in_the_level(results: Results) -> None:
    luckiest = sum(sum(line["hits"]) for line in claims_of(results, COURT, LUCKIEST))
    assert luckiest > sum(sum(line["hits"]) for line in claims_of(results, COURT, STRANGER))
    for line in claims_of(results, COURT, LUCKIEST):
        assert max(line["levels"]) <= LEVEL / TICKETS


def test_picking_on_the_service_takes_some_hundred_queries(results: Results) -> None:
    for line in claims_of(results, "drawn", PICKED):
        assert min(line["queries"]) > N
        assert max(line["queries"]) <= 20 * N
