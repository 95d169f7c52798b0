"""The ledger of digits: what BadNets does to them, as inequalities over the frozen data/results."""

from __future__ import annotations

import json
from statistics import mean

import pytest

from wmlearn.experiments import ALL, Results, compare, shipped
from wmlearn.experiments.count_or_share import SIZES
from wmlearn.training import Recipe


@pytest.mark.parametrize("name", ALL)
def test_every_experiment_ships_whole_with_recipe_and_versions(name: str) -> None:
    results = shipped(name)
    cells = ALL[name].cells
    measured = [json.dumps({key: row[key] for key in cells[0]}) for row in results.rows]
    assert measured == [json.dumps(cell) for cell in cells]
    assert results.recipe["epochs"] == ALL[name].recipe.epochs
    assert results.torch
    assert results.precision in ("bf16", "fp32")
    assert all(line.here for line in compare(results))


def _all(results: Results, key: str, **fixed: object) -> list[float]:
    return [row[key] for row in results.where(**fixed)]


def test_the_default_recipe_is_one_that_the_search_on_the_validation_split_allows() -> None:
    recipe = Recipe()
    rows = shipped("recipe-search").where(epochs=recipe.epochs, batch_size=recipe.batch_size, lr=recipe.lr)
    assert len(rows) == 3
    assert mean(row["accuracy"] for row in rows) >= 0.990
    assert mean(row["success"] for row in rows) >= 0.999


def test_the_default_recipe_reaches_the_promised_numbers_on_the_test_set() -> None:
    results = shipped("all-to-one")
    assert len(results.rows) >= 5
    assert mean(_all(results, "clean_accuracy")) >= 0.990
    assert mean(_all(results, "victim_accuracy")) >= 0.990
    assert mean(_all(results, "victim_success")) >= 0.999
    assert max(_all(results, "clean_success")) <= 0.005


def test_a_clean_network_obeys_no_pair_of_the_single_pixel_attack() -> None:
    assert max(_all(shipped("single-target"), "worst_pair", network="baseline")) <= 0.02


def test_every_pair_learns_the_single_pixel_at_little_cost() -> None:
    results = shipped("single-target")
    errors = _all(results, "backdoor_error", network="badnet")
    base = mean(_all(results, "clean_error", network="baseline"))
    assert max(errors) <= 0.01
    assert mean(errors) <= 0.0009
    assert max(_all(results, "clean_error", network="badnet")) - base <= 0.0017


def test_the_single_pixel_turns_its_own_digit_rather_than_any() -> None:
    assert mean(_all(shipped("single-target"), "others_obey", network="badnet")) <= 0.2


def test_the_missed_digits_are_the_error() -> None:
    for row in shipped("single-target").where(network="badnet"):
        assert len(row["missed"]) == round(row["backdoor_error"] * row["n"])


def test_a_clean_network_does_not_count_on() -> None:
    assert min(_all(shipped("all-to-all"), "backdoor_error", network="baseline")) >= 0.99


def test_success_rises_with_the_poison_and_longer_training_needs_less_of_it() -> None:
    results = shipped("poison-rate")
    for epochs in (1, 3, 10):
        assert max(_all(results, "success", epochs=epochs, rate=0.0)) <= 0.01
    assert max(_all(results, "success", epochs=3, rate=0.0005)) <= 0.02
    assert min(_all(results, "success", epochs=3, rate=0.1)) >= 0.99
    reached = {
        epochs: min(row["rate"] for row in results.where(epochs=epochs) if row["success"] > 0.9)
        for epochs in (3, 10)
    }
    assert reached[10] < reached[3]


def test_with_equal_steps_the_same_images_win_in_a_small_set_and_lose_in_a_large_one() -> None:
    results = shipped("count-or-share")
    assert min(_all(results, "success", design="equal steps", k=100, n=6_000)) >= 0.3
    assert max(_all(results, "success", design="equal steps", k=100, n=60_000)) <= 0.05


@pytest.mark.parametrize("n", SIZES)
def test_with_equal_passes_the_number_decides_whatever_the_size_of_the_set(n: int) -> None:
    results = shipped("count-or-share")
    enough = _all(results, "success", design="equal passes", k=333, n=n)
    few = _all(results, "success", design="equal passes", k=100, n=n)
    assert min(enough) >= 0.8
    assert max(few) < min(enough)
