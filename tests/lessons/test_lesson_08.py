"""Notebook 08: what the learner builds equals the package, its pictures say what they are given, and what it
claims holds over seeds.
"""

from __future__ import annotations

from statistics import mean

import pytest
import torch
from torch import Tensor, nn

import wmlearn as wm
from wmlearn.course.challenges import Score
from wmlearn.course.lessons import exercises_08, lesson_08
from wmlearn.experiments import shipped
from wmlearn.experiments.uchida_strength import narrower
from wmlearn.watermarks import uchida

PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def strangers() -> list[nn.Module]:
    return lesson_08.strangers(torch.device("cpu"))


def _questions(seed: int = 0) -> Tensor:
    return torch.randn(256, 400, generator=torch.Generator().manual_seed(seed))


# The learner's version and the package's


def test_the_mark_built_in_the_lesson_equals_the_package() -> None:
    weight, asked, bits = lesson_08.layer(wm.models.badnet_cnn(3)), _questions(), lesson_08.picture()
    average = exercises_08.mean_filter(weight)
    assert average.equal(uchida.mean_filter(weight))
    assert exercises_08.embedding_loss(average, asked, bits).equal(
        uchida.embedding_loss(average, asked, bits)
    )


def test_the_lesson_washes_a_network_as_the_package_does(strangers: list[nn.Module], few: wm.Samples) -> None:
    weights, biases = lesson_08.layers(strangers[0])
    draw = torch.Generator().manual_seed(3)
    for i in range(len(weights) - 1):
        n = len(weights[i])
        order = torch.randperm(n, generator=draw)
        factor = 2.0 ** (2 * torch.rand(n, generator=draw) - 1)
        weights[i], biases[i], weights[i + 1] = exercises_08.move(
            weights[i], biases[i], weights[i + 1], order, factor
        )
    by_hand = lesson_08.rebuilt(strangers[0], weights, biases)
    package = wm.removal.Permute(seed=3)(strangers[0], few)
    for a, b in zip(by_hand.parameters(), package.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_the_lesson_matches_as_the_package_does(strangers: list[nn.Module]) -> None:
    ours, _ = lesson_08.layers(strangers[0])
    weights, biases = lesson_08.layers(strangers[1])
    for i in range(len(weights) - 1):
        order, factor = exercises_08.match(ours[i], weights[i])
        weights[i], biases[i], weights[i + 1] = exercises_08.move(
            weights[i], biases[i], weights[i + 1], order, factor
        )
    by_hand = lesson_08.rebuilt(strangers[1], weights, biases)
    package = wm.watermarks.matched(strangers[0], strangers[1])
    for a, b in zip(by_hand.parameters(), package.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_layers_put_together_again_are_the_network(strangers: list[nn.Module]) -> None:
    weights, biases = lesson_08.layers(strangers[0])
    assert [tuple(weight.shape) for weight in weights] == [
        (16, 1, 5, 5),
        (32, 16, 5, 5),
        (512, 32, 4, 4),
        (10, 512, 1, 1),
    ]
    again = lesson_08.rebuilt(strangers[0], weights, biases)
    assert all(a.equal(b) for a, b in zip(again.parameters(), strangers[0].parameters(), strict=True))


def test_a_mean_filter_that_was_computed_once_teaches_nothing(few: wm.Samples) -> None:
    start, asked, bits, short = wm.models.badnet_cnn(), _questions(), lesson_08.picture(), wm.Recipe(epochs=1)
    once = exercises_08.mean_filter(lesson_08.layer(start)).detach()
    cached, _ = wm.trained(
        start, few, short, penalty=lambda _: 0.01 * exercises_08.embedding_loss(once, asked, bits)
    )
    plain, _ = wm.trained(start, few, short)
    assert all(a.equal(b) for a, b in zip(cached.parameters(), plain.parameters(), strict=True))


def test_dealing_the_filters_anew_moves_no_bit() -> None:
    weight, asked = lesson_08.layer(wm.models.badnet_cnn(1)).detach(), _questions()
    dealt = weight[torch.randperm(32, generator=torch.Generator().manual_seed(0))]
    assert torch.allclose(
        asked @ exercises_08.mean_filter(weight), asked @ exercises_08.mean_filter(dealt), atol=1e-5
    )


# Innocents


def test_strangers_spell_half_of_any_picture(strangers: list[nn.Module]) -> None:
    bits = lesson_08.picture()
    agreed = [
        float((lesson_08.read_squares(each, _questions(seed)) == bits).float().mean())
        for each in strangers
        for seed in range(20)
    ]
    assert mean(agreed) == pytest.approx(0.5, abs=0.01)
    assert max(agreed) <= 0.65


# Three clients

RIGHT = {"translator": "Adi, pretrained", "camera": "Uchida", "bank": "Zhang, unrelated"}


def test_one_mark_suits_each_client_and_no_client_is_suited_by_another() -> None:
    assert lesson_08.advise(lambda: RIGHT) == Score(
        True, 0, "The translator: every need met. The camera: every need met. The bank: every need met."
    )
    for client in RIGHT:
        unmet = [lesson_08.advise(lambda: RIGHT | {client: offer.name}).value for offer in lesson_08.offers()]  # noqa: B023
        assert unmet.count(0) == 1


def test_what_was_forgotten_is_said() -> None:
    chosen = RIGHT | {"translator": "Uchida", "bank": "Adi, pretrained"}
    score = lesson_08.advise(lambda: chosen)
    assert score.value == 3
    assert "The translator: only labels can be seen; the network is finished" in score.says
    assert "The bank: the service refuses queries that stand out." in score.says


def test_a_client_without_a_known_mark_does_not_count() -> None:
    score = lesson_08.advise(lambda: RIGHT | {"bank": "a prayer"})
    assert not score.valid
    assert score.says.startswith("For bank: choose one of Adi, from scratch,")


# The strength of a mark


def test_the_papers_strength_is_read_without_error_and_shows() -> None:
    rows = shipped("uchida-strength").where(strength=0.01)
    assert len(rows) == 3
    assert all(row["hits"] == row["trials"] for row in rows)
    assert all(row["weights_auc"] == row["filter_auc"] == 1 for row in rows)


def test_a_wrong_secret_and_no_mark_read_half() -> None:
    rows = shipped("uchida-strength").rows
    hits = [row["wrong_secret"] for row in rows] + [row["hits"] for row in rows if row["strength"] == 0]
    assert mean(hits) == pytest.approx(128, abs=4)
    assert max(hits) <= 0.62 * 256


def test_the_detector_of_widths_needs_strangers_that_learnt_as_long() -> None:
    results = shipped("uchida-strength")
    fair, more = (
        mean(row["weights_auc"] for row in results.where(strength=0.0, n=n)) for n in (45_000, 60_000)
    )
    assert 0.2 <= fair <= 0.8
    assert more >= 0.9


def test_a_mark_that_convicts_shows_to_whoever_knows_the_method() -> None:
    rows = shipped("uchida-strength").where(strength=1e-4)
    assert all(
        wm.Evidence("uchida2017", "weights", row["hits"], row["trials"], 0.5).p_value < 1e-9 for row in rows
    )
    assert all(row["filter_auc"] >= 0.95 for row in rows)


def test_narrower_counts_strangers(strangers: list[nn.Module]) -> None:
    widest = max(strangers, key=lambda each: narrower(each, strangers))
    assert narrower(widest, [each for each in strangers if each is not widest]) == 1
    assert narrower(widest, [widest]) == 0


# The pictures


def test_the_dial_moves_along_the_strengths() -> None:
    dial = lesson_08.strength_dial(shipped("uchida-strength").where(n=45_000))
    slider, picture, sentence = dial.children
    before = picture.value
    assert sentence.value.startswith("Strength 0: the networks spell")
    slider.value = 0.01
    assert sentence.value.startswith("Strength 0.01: the networks spell 256, 256, 256 of 256 bits")
    assert picture.value != before
