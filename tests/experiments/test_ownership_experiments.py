"""The lost case and claims by pictures that transfer: who starts with what, and what a row says."""

from __future__ import annotations

from dataclasses import replace

import torch

import wmlearn as wm
from wmlearn.evidence import bystanders
from wmlearn.experiments import lost_case, transferable_claims
from wmlearn.experiments.experiment import Results
from wmlearn.training import Recipe


def test_both_promises_stand_before_both_releases_and_nonces_come_again() -> None:
    ada = lost_case.person("Ada", 3)
    promise = wm.ownership.commit(ada, n=4, shape=(1, 28, 28), classes=10, made=lost_case.MADE)
    book = lost_case.registered(promise)
    assert wm.ownership.audited(book).faults == ()
    assert book == lost_case.registered(promise)
    assert lost_case.receipt(book, promise).entry.number == 1


def test_a_mark_is_taught_among_digits_and_its_hits_are_counted(mnist: wm.Splits) -> None:
    (network,) = bystanders.shipped("mnist", 8, 9)
    key = wm.watermarks.Adi2018(n=20).keygen(network, mnist.train[:500], seed=5)
    recipe = Recipe(epochs=6, lr=5e-3, batch_size=64)
    marked = lost_case.marked(network, mnist.train[:500], key, recipe)
    assert lost_case.hits(network, key).sum() <= 8
    assert lost_case.hits(marked, key).sum() >= 15


def test_a_row_counts_owners_and_ranks_among_decoys() -> None:
    rows = [{"owner": "Ada"}, {"owner": "Ada"}, {"owner": "nobody"}]
    assert lost_case.owners(rows) == {"Ada": 2, "Mallory": 0, "nobody": 1}
    assert lost_case.decoy_p({"as_high": 4, "drawn": 99}) == 0.05
    assert lost_case.p_value({"hers_in_his": 14, "opened": 50}, "hers_in_his") < 1e-3


def test_changed_pictures_stay_near_and_get_their_labels_from_networks_that_never_saw_them() -> None:
    networks = bystanders.shipped("mnist", 0, 2)
    key = transferable_claims.drawn(1, 12)
    changed = transferable_claims.adversarial(key, networks, 0.3)
    assert changed.y.equal(key.y)
    assert (changed.x - key.x).abs().max() <= 0.3 + 1e-6
    assert 0 <= changed.x.min() <= changed.x.max() <= 1
    (stranger,) = bystanders.shipped("mnist", 20, 21)
    assert (wm.predict(stranger, changed.x).argmax(1) == key.y).sum() >= 8
    assert (wm.predict(stranger, key.x).argmax(1) == key.y).sum() <= 5


def test_who_grinds_keeps_only_what_all_of_his_networks_say() -> None:
    networks = bystanders.shipped("mnist", 0, 2)
    small = transferable_claims.ground(1, networks)
    assert len(small.y) == transferable_claims.N
    for network in networks:
        assert wm.predict(network, small.x).argmax(1).equal(small.y)


def test_the_summaries_say_what_the_rows_hold() -> None:
    row = {"kind": "honest", "own": 0, "reach": 0.0, "sizes": [50, 50], "hits": [[5, 20], [4, 3]]}
    row |= {"as_high": [[50, 0], [60, 70]], "drawn": 99, "alike": [[0, 0], [1, 1]]}
    assert transferable_claims.shown(row).tolist() == [[False, True], [False, False]]
    assert transferable_claims.decoy_p(row)[0].tolist() == torch.tensor([0.51, 0.01]).tolist()
    assert transferable_claims.alike_p(row).tolist() == [[0.5, 0.5], [1.0, 1.0]]
    blank = Results("transferable-claims", "", "", "", {}, ())
    (line,) = transferable_claims.TRANSFERABLE_CLAIMS.summary(replace(blank, rows=(row,)))
    assert "convicted at 0.001: 1 of 4" in line.here
