"""Nothing was planted: what is done to a network to blind the test changes no answer; what the rows say."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import wmlearn as wm
from wmlearn import removal
from wmlearn.evidence import bystanders
from wmlearn.experiments import nothing_planted
from wmlearn.experiments.experiment import Results
from wmlearn.experiments.nothing_planted import EVASIONS, NONE, NOTHING_PLANTED
from wmlearn.models import badnet_cnn
from wmlearn.models.units import directions, hidden_layers
from wmlearn.removal.evade import Inputs, Refuse, Vote
from wmlearn.training import Recipe

(NETWORK,) = bystanders.shipped("mnist", 8, 9)
FREE = ("one layer shuffled", "all layers shuffled", "rescaled by up to 10", "rescaled by up to 1000")


@pytest.mark.parametrize("name", FREE)
def test_what_costs_nothing_changes_no_answer_and_some_weights(name: str, mnist: wm.Splits) -> None:
    evaded = EVASIONS[name](NETWORK, torch.Generator().manual_seed(0))
    x = mnist.test.x[:500]
    assert torch.allclose(wm.predict(NETWORK, x), wm.predict(evaded, x), atol=1e-3)
    layers = hidden_layers(NETWORK)
    moved = [not torch.allclose(directions(NETWORK, each), directions(evaded, each)) for each in layers]
    assert moved[-1]
    assert moved[0] == (name == "all layers shuffled")  # a factor leaves the directions of the first alone


def test_each_owner_has_a_lot_of_three_quarters_of_each_class_and_no_two_the_same(mnist: wm.Splits) -> None:
    lots = [nothing_planted.marked_lot(i) for i in range(2)]
    for lot in lots:
        drawn = mnist.train.y[lot].bincount() / mnist.train.y.bincount()
        assert float((drawn - 0.75).abs().max()) < 1e-3
    assert not torch.equal(*lots)


def test_the_network_is_taken_out_of_what_a_thief_put_round_it(few: wm.Samples) -> None:
    quick = Recipe(epochs=1, lr=1e-3, batch_size=64)
    for attack in (Vote(recipe=quick), Refuse(components=8), Inputs("smooth")):
        inner = nothing_planted.opened(attack(NETWORK, few))
        assert nothing_planted.weights_row(NETWORK, inner)["unchanged"]


def test_a_plain_copy_gets_the_least_p_value_there_is_and_a_stranger_does_not() -> None:
    copied = nothing_planted.weights_row(NETWORK, NETWORK)
    assert copied["p_layers"] == [1e-4] * 3
    assert copied["matched"] == pytest.approx(1, abs=1e-6)
    stranger = nothing_planted.weights_row(NETWORK, badnet_cnn(123))
    assert stranger["p"] > 1e-3
    assert not stranger["unchanged"]
    assert stranger["matched"] < 0.5


def test_sorted_units_look_related_and_the_same_units_as_drawn_do_not() -> None:
    rows = [torch.nn.functional.normalize(torch.randn(60, 30).cumsum(0), dim=1) for _ in range(2)]
    assert nothing_planted._shuffled_p_value(rows[0], rows[0] + 0.1 * rows[1], seed=1) == 1 / 2000


def _results(*parts: dict[str, Any]) -> Results:
    return Results("nothing-planted", "0", "0", "fp32", {}, parts)


def _theft(name: str, p: float, matched: float = 0.3) -> dict[str, Any]:
    return {"removal": name, "p": p, "matched": matched}


def test_a_theft_is_seen_where_every_owner_sees_it_and_no_theft_is_none() -> None:
    owners = (
        [
            _theft(NONE, 1e-9),
            _theft(removal.STEALS_NOTHING, 1e-9),
            _theft("shift", 1e-9),
            _theft("prune-50", 1e-9),
        ],
        [
            _theft(NONE, 1e-9),
            _theft(removal.STEALS_NOTHING, 1e-9),
            _theft("shift", 1e-9),
            _theft("prune-50", 0.2),
        ],
    )
    cells = [
        {"part": "thefts", "data": "mnist", "owner": i, "rows": rows, "matched_strangers": [0.2, 0.3, 0.4]}
        for i, rows in enumerate(owners)
    ]
    thefts = nothing_planted.rows_of(_results(*cells), "thefts")
    assert nothing_planted.seen(thefts, "p") == 1
    assert thefts["shift"][0]["p_matched"] == 3 / 4  # itself, and two that are as like


def test_every_part_is_measured_on_five_owners_or_says_how_many() -> None:
    cells = NOTHING_PLANTED.cells
    counts = {part: sum(cell["part"] == part for cell in cells) for part in nothing_planted._PARTS}
    assert counts == {"strangers": 2, "thefts": 10, "starts": 3, "evasions": 5, "lots": 1, "copies": 5}
