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
from scipy.stats import binomtest

from wmlearn import removal
from wmlearn.course.lessons import lesson_09
from wmlearn.experiments import Results, price, shipped
from wmlearn.experiments.price import CHANCES, LEVEL, PLAIN, cells, lost, p_values
from wmlearn.experiments.removal import DIGITS, LARGE_KEYS, SCHEMES, SEEDS, SIGNS, Bench
from wmlearn.plots.names import FAMILIES
from wmlearn.scorecard import NONE

LITTLE = ["adi2018-ftll", "adi2018-ftal", "quantize-4-bits", "inputs-jpeg"]
"""Attacks that cost next to nothing."""
BENCHES = {"removal": DIGITS, "removal-signs": SIGNS, "removal-large-keys": LARGE_KEYS}


@pytest.fixture(scope="module")
def results() -> Results:
    return shipped("removal")


@pytest.fixture(scope="module")
def signs() -> Results:
    return shipped("removal-signs")


def _evidence(results: Results, *attacks: str) -> Iterator[float]:
    """Yield the p-value of every mark and seed after each of the attacks."""
    return (p for attack in attacks for scheme in SCHEMES for p in p_values(results, scheme, attack))


@pytest.mark.parametrize(("name", "bench"), BENCHES.items())
def test_every_scheme_meets_every_attack_on_every_seed(name: str, bench: Bench) -> None:
    results = shipped(name)
    rows = sorted((row["scheme"], row["seed"]) for row in results.rows)
    assert rows == sorted(product((PLAIN, *bench.schemes), range(SEEDS)))
    for row in results.rows:
        measured = [cell["removal"] for cell in row["removals"]]
        assert measured == ([] if row["scheme"] == PLAIN else [NONE]) + list(bench.attacks)


@pytest.mark.parametrize("name", BENCHES)
def test_no_row_is_void(name: str) -> None:
    results = shipped(name)
    for scheme in price.schemes(results):
        assert max(p_values(results, scheme, NONE)) <= LEVEL
        if scheme in CHANCES:
            assert max(p_values(results, scheme, NONE)) < 1e-9


@pytest.mark.parametrize("name", BENCHES)
def test_attacked_networks_without_a_mark_are_accused_no_more_often_than_the_level_promises(
    name: str,
) -> None:
    results = shipped(name)
    after = [cell for row in results.where(scheme=PLAIN) for cell in row["removals"]]
    assert sum(len(cell["hits"]) for cell in after) == len(after) * len(price.schemes(results))
    assert lesson_09.share_accused(results) <= 0.005
    claims = [p for cell in after for p in price.claims_on(results, cell)]
    assert binomtest(sum(p <= LEVEL for p in claims), len(claims), LEVEL, alternative="greater").pvalue > 0.01


def test_the_thief_who_steals_nothing_learns_most_of_the_task(results: Results) -> None:
    assert 0.98 <= price.own_accuracy(results) <= 0.988
    assert 0.003 <= price.own_loss(results) <= 0.012


def test_the_thief_who_steals_nothing_leaves_no_mark(results: Results) -> None:
    for scheme in SCHEMES:
        states = price.states(results, scheme, removal.STEALS_NOTHING)
        assert "believed" not in states


def test_no_scheme_is_robust_to_all(results: Results) -> None:
    prices = {scheme: price.cheapest(results, scheme) for scheme in SCHEMES}
    assert all(prices.values())
    assert max(each.lost for each in prices.values() if each) <= price.own_loss(results)


def test_cheap_attacks_take_no_mark(results: Results) -> None:
    """The thief pays, or the mark stays: half a point buys none of these."""
    assert all(abs(lost(results, scheme, attack)) <= 0.005 for scheme in SCHEMES for attack in LITTLE)
    assert mean(p <= LEVEL for p in _evidence(results, *LITTLE)) >= 0.95


def test_copying_takes_the_most_marks(results: Results) -> None:
    marks = {offer.removal: offer.unproven for offer in price.offers(results)}
    single = {attack: n for attack, n in marks.items() if attack not in FAMILIES["chain"]}
    assert single["shafieinejad2019-extract"] == max(single.values()) >= 10
    assert marks["distill-soft"] >= 8


def test_extraction_by_labels_is_worth_no_more_than_not_stealing(results: Results) -> None:
    assert not price.offer(results, "shafieinejad2019-extract").worth
    assert price.offer(results, "distill-soft").worth


def test_our_chains_take_no_more_than_the_best_single_attack(results: Results) -> None:
    """The SoK's remove what single attacks don't; ours are of cutting and training on: copying does more."""
    chains = max(price.offer(results, chain).unproven for chain in FAMILIES["chain"])
    assert chains <= price.offer(results, "shafieinejad2019-extract").unproven


def test_odd_images_and_deep_cuts_destroy_the_network(results: Results) -> None:
    for attack in ("distill-odd", "prune-80"):
        assert mean(lost(results, scheme, attack) for scheme in SCHEMES) >= 0.1


def test_a_mark_in_the_weights_outlives_training_on_but_no_attack_that_aims_at_it(results: Results) -> None:
    blind = ("overwrite-adi", "wang2019-unlearning", "zhu2023-ft-sam")
    tuned = [name for name in FAMILIES["fine-tune"] if name not in blind]
    assert lesson_09.share_believed(results, "uchida2017", *tuned) == 1
    for aimed in ("mean-filter", "yan2023-permute"):
        assert lesson_09.share_believed(results, "uchida2017", aimed) == 0
        assert price.unproven(results, "uchida2017", aimed)


def test_a_permutation_costs_nothing_and_takes_no_mark_but_that_in_the_weights(results: Results) -> None:
    for scheme in SCHEMES:
        before = [cell["hits"] for cell in cells(results, scheme, NONE)]
        after = [cell["hits"] for cell in cells(results, scheme, "yan2023-permute")]
        assert abs(lost(results, scheme, "yan2023-permute")) <= 1e-4
        assert (max(map(abs, map(int.__sub__, before, after))) <= 1) == (scheme != "uchida2017")


def test_a_copy_has_weights_of_its_own(results: Results) -> None:
    assert lesson_09.share_believed(results, "uchida2017", "distill-soft", "shafieinejad2019-extract") == 0


@pytest.mark.parametrize("scheme", ["kim2023-margin", "jia2021-ewe"])
def test_marks_made_to_survive_copying_do_not_come_along_on_digits(results: Results, scheme: str) -> None:
    assert lesson_09.share_believed(results, scheme, "distill-soft", "shafieinejad2019-extract") == 0


def test_the_mean_filter_attack_was_made_for_one_mark_only(results: Results) -> None:
    taken = [scheme for scheme in SCHEMES if price.unproven(results, scheme, "mean-filter")]
    assert "uchida2017" in taken
    assert len(taken) <= 3


def test_on_signs_not_stealing_costs_more_than_on_digits(results: Results, signs: Results) -> None:
    assert price.own_loss(signs) > 1.5 * price.own_loss(results)


def test_a_key_of_500_triggers_convicts_more_often_than_one_of_100(results: Results) -> None:
    few, many, *_ = lesson_09.larger_keys(results, shipped("removal-large-keys"))
    assert many.value > few.value


def test_no_mark_is_called_gone_that_an_exact_test_still_finds(results: Results) -> None:
    """At 0.001 luck would find one in a thousand of them."""
    cells = list(lesson_09.beside_decoys(results, shipped("decoys")))
    found = [cell.found for cell in cells if cell.state == "gone"]
    assert len(found) >= 40
    assert sum(found) <= 1
