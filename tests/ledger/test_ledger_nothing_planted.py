"""The ledger of networks in which nothing was planted: what weights, lots and siblings show, and whom they
accuse wrongly, over the frozen data/results.
"""

from __future__ import annotations

import pytest
import torch
from scipy.stats import binomtest, kstest

from wmlearn import removal
from wmlearn.experiments import Results, shipped
from wmlearn.experiments.nothing_planted import (
    COPIES,
    EVASIONS,
    LEVEL,
    NO_THEFT,
    lots_of,
    pairs_of,
    rows_of,
)

COPIED = {*COPIES, "distill-odd"}
DEALT = "yan2023-permute"


@pytest.fixture(scope="module")
def results() -> Results:
    return shipped("nothing-planted")


@pytest.mark.parametrize(("data", "pairs"), [("mnist", 780), ("signs-us", 378)])
def test_strangers_p_values_are_uniform(results: Results, data: str, pairs: int) -> None:
    rows = pairs_of(results, data)
    assert len(rows) == pairs
    p = [row["p"] for row in rows]
    assert kstest(p, "uniform").pvalue > 0.01
    for level in (0.05, 0.01):
        accused = binomtest(sum(each <= level for each in p), pairs)
        assert accused.proportion_ci().low <= level
    for layer in zip(*(row["p_layers"] for row in rows), strict=True):
        assert kstest(layer, "uniform").pvalue > 0.01


@pytest.mark.parametrize("data", ["mnist", "signs-us"])
def test_units_in_an_order_convict_every_pair_of_strangers(results: Results, data: str) -> None:
    assert max(row["p_sorted"] for row in pairs_of(results, data)) <= LEVEL


@pytest.mark.parametrize("data", ["mnist", "signs-us"])
def test_every_theft_made_from_the_weights_is_seen_and_what_was_only_taught_is_not(
    results: Results, data: str
) -> None:
    for name, rows in rows_of(results, "thefts", data).items():
        p = [row["p"] for row in rows]
        if name in COPIED:
            assert min(p) > LEVEL, name
        elif name == DEALT:
            assert max(p) > LEVEL, name
        else:
            assert max(p) <= LEVEL, name


@pytest.mark.parametrize("data", ["mnist", "signs-us"])
def test_after_matching_what_was_dealt_anew_stands_before_every_stranger(results: Results, data: str) -> None:
    n = {"mnist": 41, "signs-us": 28}[data]
    for name, rows in rows_of(results, "thefts", data).items():
        if name not in COPIED:
            assert max(row["p_matched"] for row in rows) == pytest.approx(1 / n), name


def test_what_is_done_to_blind_the_test_costs_it_the_order_and_matching_finds_it_again(
    results: Results,
) -> None:
    rows = rows_of(results, "evasions")
    assert set(rows) == set(EVASIONS)
    for name, cells in rows.items():
        assert len(cells) == 5
        dealt = "shuffled" in name and name != "one layer shuffled"
        assert (min(row["p"] for row in cells) > LEVEL) == dealt, name
        assert max(row["p_matched"] for row in cells) == pytest.approx(1 / 40), name


def test_one_seed_makes_relatives_and_students_of_two_teachers_are_none(results: Results) -> None:
    starts = rows_of(results, "starts")
    assert max(row["p"] for row in starts["the same seed"]) <= 1e-6
    assert min(row["p"] for row in starts["two seeds"]) > LEVEL
    for name in COPIES[1:]:
        assert min(row["p"] for row in starts[f"students of two teachers: {name}"]) > LEVEL


def test_lots_show_in_their_owners_networks_and_accuse_strangers_at_the_level(results: Results) -> None:
    plain, fair = (lots_of(results, kind) for kind in ("p_split", "p_lot"))
    strangers = ~torch.eye(40, dtype=torch.bool)
    assert float(fair.diagonal().max()) <= 1e-10
    for level in (0.05, 0.01):
        accused = int(((fair <= level) & strangers).sum())
        assert binomtest(accused, 1560).proportion_ci().low <= level
    worst, mended = (int(((table <= 0.05) & strangers).sum(1).max()) for table in (plain, fair))
    assert worst >= 15
    assert mended <= 9  # of 39, one in 40 owners reaches 6 by luck
    spread, even = (((table <= 0.05) & strangers).sum(1).double().std() for table in (plain, fair))
    assert even <= 0.6 * spread


def test_distilled_copies_follow_their_teacher_first_and_own_labels_follow_nobody(results: Results) -> None:
    copies = rows_of(results, "copies")
    assert [row["rank_scores"] for row in copies["distill-soft"]] == [1] * 5
    assert sum(row["rank_scores"] == 1 for row in copies[removal.STEALS_NOTHING]) <= 1
    assert sum(row["rank_scores"] == 1 for row in copies["shafieinejad2019-extract"]) <= 2


def test_no_claim_is_upheld_on_networks_that_stole_nothing(results: Results) -> None:
    for row in rows_of(results, "thefts")[removal.STEALS_NOTHING]:
        assert min(row[test] for test in ("p", "p_lot", "p_mark", "p_decoys")) > LEVEL


def test_each_owners_network_shows_the_mark_the_lot_and_itself(results: Results) -> None:
    for row in rows_of(results, "thefts")[NO_THEFT[0]]:
        assert max(row[test] for test in ("p", "p_lot", "p_mark", "p_decoys")) <= LEVEL
