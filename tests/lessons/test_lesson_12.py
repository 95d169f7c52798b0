"""Notebook 12: what is built in it equals the package's; the files on the table; the challenge."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

import wmlearn as wm
from wmlearn import removal
from wmlearn.course.lessons import exercises_12, lesson_12
from wmlearn.data import Samples
from wmlearn.evidence import bystanders, independence, siblings, splits
from wmlearn.experiments import nothing_planted, shipped
from wmlearn.models import matching, units


@pytest.fixture(scope="module")
def networks() -> list[torch.nn.Module]:
    return list(bystanders.shipped("mnist", 0, 5))


def test_the_test_built_in_the_lesson_agrees_with_the_package(networks: list[torch.nn.Module]) -> None:
    a, b = networks[:2]
    draw = torch.Generator().manual_seed(0)
    orders = torch.rand(499, 512, generator=draw).argsort(1)
    weights = [units.layers(network)["8"].weight.detach().double() for network in (a, b)]
    (found,) = independence.likenesses(a, b, layers=["8"], n=499, seed=0)
    assert exercises_12.p_value(weights[0], weights[1], orders) == pytest.approx(found.p_value)
    assert exercises_12.p_value(weights[0], weights[0] + 0.1 * weights[1], orders) == 1 / 500


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_errors_by_lot_agree_with_the_package(share: float) -> None:
    draw = torch.Generator().manual_seed(5)
    wrong, lot = torch.rand(400, generator=draw) < share, torch.rand(400, generator=draw) < 0.75
    one_class = splits.counted(wrong, torch.zeros(400, dtype=torch.int64), lot)
    assert exercises_12.lot_p(wrong, lot) == pytest.approx(one_class.p_value)


def test_the_rank_among_siblings_agrees_with_the_package(networks: list[torch.nn.Module]) -> None:
    x = torch.rand(50, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    scores = torch.stack([wm.predict(network, x) for network in networks])
    for i in range(5):
        suspect = scores[i] + 0.1 * scores[(i + 1) % 5]
        rank = siblings.rank_of(suspect, scores)
        assert exercises_12.sibling_p(suspect, scores) == pytest.approx(rank.p_value)
    assert siblings.sibling_rank(networks[0], networks[0], networks[1:], x).p_value == 1 / 5


def test_the_files_on_the_table_are_what_the_envelope_says() -> None:
    case = lesson_12.case()
    assert set(case.files) == set(case.truth) == set("BCDE")
    ana = case.ana
    assert all(lesson_12.equal(file, ana) < 0.9 for file in case.files.values())
    assert lesson_12.equal(case.files["C"], case.strangers[lesson_12.C_IS - 1]) == 1
    assert independence.independence_p_value(ana, case.files["B"], n=199) < 1e-4
    assert independence.independence_p_value(ana, case.files["E"], n=199) > 1e-3
    assert independence.matched_cosine(ana, case.files["E"]) > independence.matched_cosine(
        ana, case.files["D"]
    )
    assert len(case.strangers) == lesson_12.N_STRANGERS
    assert int(case.lot.sum()) == 45_000


def test_a_shuffle_undone_is_the_network_again(networks: list[torch.nn.Module], few: Samples) -> None:
    dealt = removal.Permute(scale=1)(networks[0], few)
    back = matching.matched(networks[0], dealt)
    for name in units.hidden_layers(networks[0]):
        assert torch.allclose(units.directions(networks[0], name), units.directions(back, name))


def test_hardness_counts_the_networks_that_err_and_leaves_out_those_named() -> None:
    results = shipped("nothing-planted")
    everybody = lesson_12.hardness(results)
    (found,) = results.where(part="lots")
    first = torch.zeros(60_000, dtype=torch.int64)
    first[torch.tensor(found["wrong"][0])] = 1
    assert torch.equal(everybody - lesson_12.hardness(results, 0), first)
    assert int(everybody.max()) <= 40


def test_the_lot_of_a_shipped_network_is_what_it_was_trained_on() -> None:
    mnist = wm.load("mnist").train
    part = wm.split(mnist, 45_000, seed=1003)[0]
    lot = bystanders.lot("mnist", 3)
    assert int(lot.sum()) == 45_000
    assert part.x.double().sum() == pytest.approx(float(mnist.x[lot].double().sum()))
    assert torch.equal(part.y.bincount(), mnist.y[lot].bincount())


def _lot_of_a_third(network: torch.nn.Module, samples: Samples, lot: Tensor, *, hardness: Tensor) -> float:
    return splits.split_p_value(network, samples[:20_000], lot[:20_000], hardness=hardness[:20_000])


def test_a_copy_of_anas_network_is_seen_by_every_test(monkeypatch: pytest.MonkeyPatch) -> None:
    half = lesson_12.networks()[:21]  # the least p-value among 20 strangers is 1/21
    blends = lesson_12.blends
    monkeypatch.setattr(lesson_12, "networks", lambda: half)
    monkeypatch.setattr(lesson_12, "blends", lambda x: blends(x[:200]))
    monkeypatch.setattr(lesson_12, "split_p_value", _lot_of_a_third)
    kept = lesson_12.unseen(lambda network, x: network)
    assert not kept.valid
    assert "Stopped by weights, matched weights, lot, siblings." in kept.says


@pytest.mark.slow
def test_the_courses_own_theft_is_unseen() -> None:
    def extract(network: torch.nn.Module, x: torch.Tensor) -> torch.nn.Module:
        blank = Samples(x, torch.zeros(len(x), dtype=torch.int64, device=x.device), tuple("0123456789"))
        recipe = wm.Recipe(epochs=12, lr=2e-2, batch_size=128, seed=1)
        return removal.Extract(recipe)(copy.deepcopy(network), blank)

    score = lesson_12.unseen(extract)
    assert score.valid, score.says
    assert abs(score.value - lesson_12.CHALLENGE.ours) <= 15


def test_every_kind_of_owner_and_theft_is_in_the_results() -> None:
    results = shipped("nothing-planted")
    thefts = nothing_planted.rows_of(results, "thefts")
    assert set(thefts) == {*removal.ALL, nothing_planted.NONE}
    assert all(len(rows) == nothing_planted.N_OWNERS for rows in thefts.values())
