"""Marks in models of tables: who has which rows, what watches and tests count, and what the rows say."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import binom

import wmlearn as wm
from wmlearn.experiments import shipped, tables
from wmlearn.experiments.tables import TABLES


def _known(x: torch.Tensor) -> set[bytes]:
    return {row.numpy().tobytes() for row in x}


@pytest.mark.parametrize("name", tables.NAMES)
def test_owner_thief_and_test_share_no_row(name: str) -> None:
    owned, others = tables.halves(name, 3)
    assert len(owned) == len(others) == len(wm.load(name).train) // 2
    assert not _known(owned.x) & _known(others.x)
    assert not _known(wm.load(name).test.x) & _known(owned.x)
    assert not torch.equal(owned.x, tables.halves(name, 4)[0].x)


@pytest.mark.parametrize("family", tables.FAMILIES)
def test_every_family_learns_the_task_and_is_the_same_for_its_seed(family: str) -> None:
    owned, _ = tables.halves("breast-cancer", 0)
    test = wm.load("breast-cancer").test
    first, second = (tables.fit(family, owned, 5) for _ in range(2))
    assert wm.accuracy(first, test) > 0.9
    assert torch.equal(wm.predict(first, test.x), wm.predict(second, test.x))


def test_a_cut_forest_has_its_first_trees_and_the_forest_all() -> None:
    owned, _ = tables.halves("breast-cancer", 0)
    whole = tables.fit("forest", owned, 0)
    cut = tables._cut(whole, 3)
    assert isinstance(whole, wm.models.Fitted)
    assert isinstance(cut, wm.models.Fitted)
    assert (len(cut.model.estimators_), len(whole.model.estimators_)) == (3, 100)


def test_watches_refuse_what_they_are_named_for() -> None:
    owned, _ = tables.halves("breast-cancer", 0)
    watches = tables._suspicions(owned)
    assert set(watches) == set(tables.WATCHES)
    inside = owned.x[:20]
    assert (watches["range"](inside) == 0).all()
    assert (watches["range"](inside + 0.4) > 0).all()
    assert watches["distance"](inside).max() == 0
    assert (watches["isolation"](inside + 0.4) > watches["isolation"](inside)).all()


@pytest.mark.parametrize("classes", [2, 10])
def test_a_claim_is_believed_from_the_least_hits_that_the_level_allows(classes: int) -> None:
    needed = tables._needed(classes)
    assert binom.sf(needed - 1, tables.KEY, 1 / classes) <= tables.LEVEL
    assert binom.sf(needed - 2, tables.KEY, 1 / classes) > tables.LEVEL


def test_convictions_are_counted_claim_by_claim() -> None:
    """Nineteen bystanders who never name the target, five suspects who always do, and the reverse."""
    labels = torch.zeros(tables.CLAIMS, tables.KEY, dtype=torch.int64)
    target = torch.ones(tables.CLAIMS, 1, dtype=torch.int64)
    claims = tables._Claims(torch.zeros(1, 1), labels, target, 2)
    never = torch.zeros(tables.BYSTANDERS, tables.CLAIMS, tables.KEY, dtype=torch.int64)
    always = torch.ones(tables.SUSPECTS, tables.CLAIMS, tables.KEY, dtype=torch.int64)
    said = {"forest": torch.cat([never, always]), "logistic": torch.cat([never + 1, always])}
    found = tables._accused("forest", said, claims)
    everyone = tables.SUSPECTS * tables.CLAIMS
    wanted = {"claims": everyone, "random_labels": 0, "one_label": everyone, "forest": everyone}
    assert found == {**wanted, "logistic": 0}


def test_a_back_door_is_measured_clean_poisoned_and_covered() -> None:
    cell = {"part": "backdoor", "table": "breast-cancer", "family": "logistic", "owner": 1}
    found = tables._measure(cell, wm.Recipe())["rows"]
    kinds = [(row["how"], row["rate"]) for row in found]
    assert kinds == [
        ("clean", 0.0),
        *[(how, rate) for rate in tables.RATES for how in ("poisoned", "covered")],
    ]
    assert found[0]["both"] < 0.15 < found[3]["both"]


def test_a_cell_measures_the_same_again() -> None:
    for part, table, family in (("watchers", "breast-cancer", ""), ("regression", "diabetes", "ridge")):
        (row,) = shipped("tables").where(part=part, table=table, family=family, owner=2)
        cell = {"part": part, "table": table, "family": family, "owner": 2}
        again = tables._measure(cell, wm.Recipe())
        assert again.keys() | cell.keys() == row.keys()
        for old, new in zip(row["rows"], again["rows"], strict=True):
            for name, value in new.items():
                close = pytest.approx(value, rel=0.02, abs=0.01) if isinstance(value, float) else value
                assert old[name] == close, name


def test_the_summary_sets_every_number_beside_its_control() -> None:
    said = {line.what: line.here for line in wm.experiments.compare(shipped("tables"))}
    assert len(said) == len(wm.experiments.compare(shipped("tables")))
    assert "without a key" in said["breast-cancer: hits of 300 keys, forest"]
    assert said["diabetes: innocents convicted at 0.001, forest"].startswith("1 of 1,200 claims")
    assert len({(cell["part"], cell["table"], cell["family"]) for cell in TABLES.cells}) == 27
