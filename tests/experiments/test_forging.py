"""Forging against a service: what each forger does, and what the court makes of it, on one small owner."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import wmlearn as wm
from wmlearn import ownership as own
from wmlearn.evidence import bystanders
from wmlearn.experiments import forging, lost_case
from wmlearn.experiments.experiment import Results
from wmlearn.experiments.forging import BRED, COURT, LUCKIEST, OWNER, PICKED, STRANGER, Platform, in_court


@pytest.fixture(scope="module")
def platform(mnist: wm.Splits) -> Platform:
    """Set the scene of seed 0 on fewer digits: a promise, and a network that was taught its key."""
    people = {name: lost_case.person(name, 0) for name in ("Ada", "Mallory")}
    promises = {
        name: own.commit(someone, n=forging.PROMISED, shape=(1, 28, 28), classes=10, made=lost_case.MADE)
        for name, someone in people.items()
    }
    book = lost_case.registered(*promises.values())
    keys = {n: own.draw(someone, lost_case.receipt(book, promises[n])) for n, someone in people.items()}
    clean = bystanders.shipped("mnist", 8, 9)[0]
    hers = lost_case.marked(clean, mnist.train[:6000], keys["Ada"]).eval()
    scene = lost_case.Scene(
        people["Ada"], people["Mallory"], promises, keys, book, hers, mnist.train[6000:9000]
    )
    return Platform(scene)


def hits(platform: Platform, key: forging.Key) -> int:
    return int((platform.ask(key.x) == key.y).sum())


def test_the_owners_claims_take_different_triggers_and_hit(platform: Platform) -> None:
    first = forging.key_of(platform, "handed-in", OWNER, 0)
    assert hits(platform, first) >= 27
    assert not torch.equal(first.x, forging.key_of(platform, "handed-in", OWNER, 1).x)


@pytest.mark.parametrize("rule", ["handed-in", "drawn"])
def test_who_may_ask_first_picks_a_key_that_fits(platform: Platform, rule: str) -> None:
    key = forging.key_of(platform, rule, PICKED, 0)
    assert hits(platform, key) == len(key.y) == forging.N
    drawn = platform.drawn(forging.tried(platform.scene.mallory, 0, forging.POOL))
    asked = forging.queries_of(platform, rule, PICKED, 0)
    if rule == "drawn":  # picture and label are among those that the seeds mean
        assert int((platform.ask(drawn.x[:asked]) == drawn.y[:asked]).sum()) == forging.N
        assert torch.equal(key.x[-1], drawn.x[asked - 1])
    else:
        assert asked == forging.N


def test_who_has_networks_of_the_task_picks_and_breeds_without_asking(platform: Platform) -> None:
    for rule, forger in (("promised", PICKED), ("promised", BRED), ("promised-drawn", PICKED)):
        key = forging.key_of(platform, rule, forger, 0)
        assert forging.queries_of(platform, rule, forger, 0) == 0
        if forger == PICKED:
            for network in forging.own_networks():
                assert (wm.predict(network, key.x).argmax(1) == key.y).all()
        assert hits(platform, key) > hits(platform, forging.key_of(platform, rule, STRANGER, 0))


@pytest.mark.parametrize(
    ("claimant", "wins"), [(OWNER, True), (STRANGER, False), (PICKED, False), (LUCKIEST, False)]
)
def test_the_court_hears_everybody_and_believes_the_owner(
    platform: Platform, claimant: str, wins: bool
) -> None:
    finding = in_court(platform, claimant, 0)
    assert finding.void == ()
    (match,) = finding.matches.values()
    assert match.owned is wins
    assert finding == in_court(platform, claimant, 0)  # nonces follow from the documents


def test_a_row_says_who_was_believed() -> None:
    line = {"rule": COURT, "claimant": LUCKIEST, "hits": [6, 3], "trials": [30, 30], "believed": 0}
    line |= {"as_high": [0, 4], "drawn": 9, "levels": [1e-5, 1e-5], "void": 0}
    blank = Results("forging", "", "", "", {}, ())
    results = replace(blank, rows=({"seed": 0, "claims": [line]},))
    assert forging.believed(results, COURT, LUCKIEST) == [0]
    lines = {each.what: each.here for each in forging.FORGING.summary(results)}
    says = lines["drawn-after: luckiest, of 20 promises"]
    assert says == "believed 0 of 10 (by owner: 0); hits 15 %; above all of 9 decoys: 1"
