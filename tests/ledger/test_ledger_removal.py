"""The ledger of removal: what notebook 09 claims, as inequalities over the frozen data/results.

The SoK's conclusion, tested on ours:

N. Lukas and others: SoK: How Robust is Image Classification Deep Neural Network Watermarking?, IEEE S&P 2022,
arXiv:2108.04974.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from statistics import mean

import pytest

from wmlearn import removal
from wmlearn.course.lessons import lesson_09
from wmlearn.experiments import Results, shipped
from wmlearn.experiments.removal import CHANCES, GONE, NONE, SCHEMES, cells, cheapest, gone, lost, p_values
from wmlearn.plots import removal as plots_removal
from wmlearn.plots.names import FAMILIES

LITTLE = ["adi2018-ftll", "adi2018-ftal", "quantize-4-bits", "inputs-jpeg"]
"""Attacks that cost next to nothing."""

MEASURED = [attack for attack in removal.ALL if attack != "yan2023-permute"]
"""The attacks in the shipped matrix, which is older than the permutation."""


@pytest.fixture(scope="module")
def results() -> Results:
    return shipped("removal")


def _evidence(results: Results, *attacks: str) -> Iterator[float]:
    """Yield the p-value of every mark and seed after each of the attacks."""
    return (p for attack in attacks for scheme in SCHEMES for p in p_values(results, scheme, attack))


def test_every_scheme_meets_every_attack_on_every_seed(results: Results) -> None:
    seeds = {row["seed"] for row in results.rows}
    rows = sorted((row["scheme"], row["seed"]) for row in results.rows)
    assert rows == sorted(product(("plain", *SCHEMES), seeds))
    for scheme in SCHEMES:
        assert all(len(cells(results, scheme, attack)) == len(seeds) for attack in (NONE, *MEASURED))


def test_no_row_is_void(results: Results) -> None:
    assert max(_evidence(results, NONE)) <= GONE
    assert max(p for scheme in CHANCES for p in p_values(results, scheme, NONE)) < 1e-9


def test_attacked_networks_without_a_mark_are_accused_no_more_often_than_the_level_promises(
    results: Results,
) -> None:
    after = [cell for row in results.where(scheme="plain") for cell in row["removals"]]
    assert sum(len(cell["hits"]) for cell in after) == len(after) * len(SCHEMES)
    assert lesson_09.share_accused(results) <= 0.005


def test_no_scheme_is_robust_to_all(results: Results) -> None:
    prices = {scheme: cheapest(results, scheme) for scheme in SCHEMES}
    assert all(prices.values())
    assert max(price.lost for price in prices.values() if price) <= 0.02


def test_cheap_attacks_take_no_mark(results: Results) -> None:
    """The thief pays, or the mark stays: half a point buys none of these."""
    assert all(abs(lost(results, scheme, attack)) <= 0.005 for scheme in SCHEMES for attack in LITTLE)
    assert mean(p <= GONE for p in _evidence(results, *LITTLE)) >= 0.95


def test_copying_is_the_strongest_single_attack(results: Results) -> None:
    marks = {attack: len(plots_removal.removed(results, attack)) for attack in MEASURED}
    single = {attack: n for attack, n in marks.items() if attack not in FAMILIES["chain"]}
    assert single["shafieinejad2019-extract"] == max(single.values()) >= 8


def test_our_chains_remove_no_more_than_the_best_single_attack(results: Results) -> None:
    """The SoK's remove what single attacks don't; ours are of cutting and training on: copying does more."""
    chains = max(len(plots_removal.removed(results, chain)) for chain in FAMILIES["chain"])
    assert chains <= len(plots_removal.removed(results, "shafieinejad2019-extract"))


def test_odd_images_and_deep_cuts_destroy_the_network(results: Results) -> None:
    for attack in ("distill-odd", "prune-80"):
        assert mean(lost(results, scheme, attack) for scheme in SCHEMES) >= 0.1


def test_a_mark_in_the_weights_outlives_training_on_but_no_attack_that_aims_at_it(results: Results) -> None:
    tuned = [name for name in FAMILIES["fine-tune"] if name not in ("overwrite-adi", "wang2019-unlearning")]
    assert lesson_09.share_believed(results, "uchida2017", *tuned) == 1
    assert lesson_09.share_believed(results, "uchida2017", "mean-filter") == 0
    assert gone(results, "uchida2017", "mean-filter")


def test_a_copy_has_weights_of_its_own(results: Results) -> None:
    assert lesson_09.share_believed(results, "uchida2017", "distill-soft", "shafieinejad2019-extract") == 0


def test_the_mean_filter_attack_was_made_for_one_mark_only(results: Results) -> None:
    others = [scheme for scheme in plots_removal.removed(results, "mean-filter") if scheme != "uchida2017"]
    assert len(others) <= 2
