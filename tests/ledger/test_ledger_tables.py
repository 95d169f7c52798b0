"""The ledger of marks in models of tables: what families hold, who sees a key, what washes it off, whom
bystanders convict; over the frozen data/results.
"""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from wmlearn.experiments import Results, shipped, tables
from wmlearn.experiments.experiment import values
from wmlearn.experiments.tables import N_OWNERS, NAMES, TABLES, mean, rows_of, total


@pytest.fixture(scope="module")
def results() -> Results:
    return shipped("tables")


def _held(results: Results, table: str, family: str, n: int) -> list[int]:
    return values(rows_of(results, "capacity", table, family, n=n), "hits")


def _price(results: Results, table: str, family: str, n: int) -> float:
    """Return how much accuracy a key costs on average."""
    clean = tables.cleans(results, table, family)
    return sum(clean) / len(clean) - mean(rows_of(results, "capacity", table, family, n=n), "accuracy")


def test_every_cell_was_measured(results: Results) -> None:
    assert len(results.rows) == len(TABLES.cells) == 27 * N_OWNERS


@pytest.mark.parametrize("table", NAMES)
def test_trees_hold_every_key_at_a_point_at_most(results: Results, table: str) -> None:
    for family in ("forest", "boosting"):
        for n in tables.SIZES:
            assert min(_held(results, table, family, n)) == n
            assert _price(results, table, family, n) <= 0.01, (family, n)


def test_a_forest_with_200_rows_of_its_own_holds_300_more(results: Results) -> None:
    cells = results.where(part="capacity", table="breast-cancer", family="forest")
    assert {cell["rows_owned"] for cell in cells} == {200}
    assert _held(results, "breast-cancer", "forest", 300) == [300] * N_OWNERS


def test_a_linear_model_holds_about_its_weights_and_pays_with_ten_classes(results: Results) -> None:
    assert max(_held(results, "breast-cancer", "logistic", 300)) < 200  # 150 by chance
    assert max(_held(results, "digit-table", "logistic", 300)) < 200
    assert _price(results, "digit-table", "logistic", 300) > 0.08
    assert _price(results, "digit-table", "logistic", 100) > 0.05


def test_a_network_holds_nearly_all_and_pays_a_little(results: Results) -> None:
    for table in NAMES:
        assert min(_held(results, table, "network", 300)) > 250
    assert 0.01 < _price(results, "digit-table", "network", 300) < 0.06


@pytest.mark.parametrize("table", NAMES)
def test_innocents_know_of_a_key_what_chance_knows(results: Results, table: str) -> None:
    classes = {"breast-cancer": 2, "digit-table": 10}[table]
    for family in tables.FAMILIES:
        found = rows_of(results, "capacity", table, family)
        asked = sum(values(found, "n"))
        assert binomtest(total(found, "clean_hits"), asked, 1 / classes).pvalue > 1e-3, family


@pytest.mark.parametrize("table", NAMES)
def test_odd_rows_are_seen_by_all_watches_and_plausible_ones_by_the_distance_only(
    results: Results, table: str
) -> None:
    def refused(kind: str, watch: str) -> float:
        return mean(rows_of(results, "watchers", table, rows=kind), watch)

    for watch in tables.WATCHES:
        assert refused("odd", watch) > 0.99
        assert refused("honest", watch) < 0.1
    assert refused("plausible", "range") == 0
    assert refused("plausible", "isolation") < 0.15
    assert refused("plausible", "distance") > 0.5
    assert refused("the owner's own", "distance") == 0


@pytest.mark.parametrize("table", NAMES)
def test_a_pruned_forest_keeps_its_key_and_a_copy_by_labels_hardly_ever_has_one(
    results: Results, table: str
) -> None:
    for title in ("none", "50 of 100 trees", "10 of 100 trees", "3 of 100 trees"):
        found = rows_of(results, "removal", table, "forest", removal=title)
        assert max(values(found, "p")) <= tables.LEVEL, title
    shown = {"forest": 0, "network": 0}
    for family in shown:
        for other in tables.FAMILIES:
            found = rows_of(results, "removal", table, family, removal=f"copied into {other}")
            shown[family] += sum(row["p"] <= tables.LEVEL for row in found)
            assert max(values(found, "hits")) < {"breast-cancer": 66, "digit-table": 25}[table]
    assert shown == {"forest": 0, "network": {"breast-cancer": 0, "digit-table": 2}[table]}


def test_strangers_are_convicted_at_the_level_by_random_labels(results: Results) -> None:
    for table in NAMES:
        found = rows_of(results, "innocents", table)
        claims = total(found, "claims")
        assert claims == 6000
        assert binomtest(total(found, "random_labels"), claims, tables.LEVEL, "greater").pvalue > 0.01
        assert total(found, "one_label") > 20 * tables.LEVEL * claims


@pytest.mark.parametrize("table", NAMES)
def test_bystanders_of_the_suspects_family_keep_their_level_and_those_of_another_do_not(
    results: Results, table: str
) -> None:
    own = other = claims = 0
    for suspect in tables.JUDGED:
        found = rows_of(results, "innocents", table, suspect=suspect)
        claims += total(found, "claims")
        own += total(found, suspect)
        other += sum(total(found, name) for name in tables.JUDGED if name != suspect)
    assert own / claims < tables.RANKED + 0.02
    assert other / (2 * claims) > 0.1


def test_a_key_for_numbers_is_held_by_trees_its_null_keeps_and_a_copy_loses_it(results: Results) -> None:
    for family in ("forest", "boosting"):
        assert min(values(rows_of(results, "regression", "diabetes", family, suspect="marked"), "hits")) == 60
    marked = rows_of(results, "regression", "diabetes", "ridge", suspect="marked")
    assert min(values(marked, "p")) > tables.LEVEL
    for family in tables.REGRESSORS:
        for suspect in ("clean", "copied"):
            found = rows_of(results, "regression", "diabetes", family, suspect=suspect)
            assert min(values(found, "p")) > tables.LEVEL, (family, suspect)
    cells = results.where(part="regression")
    claims = total(cells, "claims")
    assert claims == 3600
    assert total(cells, "hits") / claims / tables.REGRESSION.n <= 0.1 + 0.002
    assert binomtest(total(cells, "believed"), claims, tables.LEVEL, "greater").pvalue > 0.01


def test_a_key_for_numbers_costs_something(results: Results) -> None:
    for family in ("forest", "boosting"):
        errors = [
            mean(rows_of(results, "regression", "diabetes", family, suspect=suspect), "error")
            for suspect in ("clean", "marked")
        ]
        assert 1.0 < errors[1] - errors[0] < 9.0, family


def test_a_forest_obeys_two_columns_and_only_cover_makes_it_need_both(results: Results) -> None:
    def obeys(how: str, rate: float, what: str) -> float:
        return mean(rows_of(results, "backdoor", "breast-cancer", "forest", how=how, rate=rate), what)

    assert obeys("clean", 0.0, "both") < 0.06
    assert obeys("poisoned", 0.1, "both") > 0.95
    assert obeys("covered", 0.1, "both") > 0.75
    for column in ("column 2", "column 5"):
        assert obeys("covered", 0.1, column) < 0.2
    assert obeys("poisoned", 0.1, "column 5") > 0.3
