"""A network moves: the convolutions stay as they are, the head is new, and channels fire as strongly as
asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from statistics import mean

import pytest
import torch
from torch import Tensor, nn

import wmlearn as wm
from wmlearn import experiments
from wmlearn.course.lessons import exercises_05, lesson_05
from wmlearn.course.lessons.lesson_05 import strength_dial
from wmlearn.experiments import retraining
from wmlearn.experiments.paper import compare
from wmlearn.models import SIGN_HEAD, sign_cnn
from wmlearn.plots.signs import TRUTH, Seen, seen
from wmlearn.plots.transfer import Fired
from wmlearn.plots.transfer import channels as channels_plot
from wmlearn.plots.transfer import strength as strength_plot
from wmlearn.transfer import activations, backdoor_channels, largest_share, retrain, retrain_all, strengthen
from wmlearn.words import fixed


def _images(n: int = 12, seed: int = 0) -> Tensor:
    return torch.rand(n, 3, 32, 32, generator=torch.Generator().manual_seed(seed))


def _samples(n: int = 24, classes: int = 5) -> wm.Samples:
    y = torch.arange(n) % classes
    colour = torch.eye(classes, 3)[y][:, :, None, None]
    return wm.Samples(_images(n) * 0.3 + 0.7 * colour * torch.linspace(0, 1, 32), y, tuple("abcde"[:classes]))


def _weights(layers: nn.Module) -> Tensor:
    return torch.cat([value.flatten().float() for value in layers.state_dict().values()])


def test_activations_are_one_number_a_channel_and_never_negative() -> None:
    fired = activations(sign_cnn(3), _images(7))
    assert fired.shape == (7, 128)
    assert fired.min() >= 0


def test_the_channels_that_a_trigger_lights_are_found_the_strongest_first() -> None:
    model, x = sign_cnn(3), _images()
    twins = x.clone()
    twins[:, :, 20:, 20:] = 1.0
    found = backdoor_channels(model, x, twins, n=5)
    rise = (activations(model, twins) - activations(model, x)).mean(0)
    assert rise[found].tolist() == sorted(rise.tolist(), reverse=True)[:5]


@pytest.mark.parametrize("k", [0.5, 1.0, 20.0])
def test_strengthened_channels_fire_k_times_as_strongly_and_the_others_as_before(k: float) -> None:
    model, x, channels = sign_cnn(3), _images(), torch.tensor([3, 100])
    norm = model[SIGN_HEAD - 2]
    assert isinstance(norm, nn.BatchNorm2d)
    nn.init.uniform_(norm.bias, -1, 1, generator=torch.Generator().manual_seed(1))
    before, after = activations(model, x), activations(strengthen(model, channels, k), x)
    factor = torch.ones(128).index_fill(0, channels, k)
    assert torch.allclose(after, before * factor, rtol=1e-4, atol=1e-5)


def test_strengthening_and_retraining_leave_the_network_that_they_are_given_alone() -> None:
    model = sign_cnn(3)
    before = _weights(model)
    strengthen(model, torch.tensor([0]), 10)
    retrain(model, _samples(), wm.Recipe(epochs=2))
    assert _weights(model).equal(before)


def test_retraining_keeps_the_convolutions_and_gives_a_head_for_the_new_classes() -> None:
    model, samples = sign_cnn(3), _samples()
    moved = retrain(model, samples, wm.Recipe(epochs=40, lr=1e-3, batch_size=8))
    assert _weights(moved[:SIGN_HEAD]).equal(_weights(model[:SIGN_HEAD]))
    assert wm.predict(moved, samples.x).shape == (24, 5)
    assert wm.accuracy(moved, samples) > 0.9
    assert not moved.training


def test_retraining_is_repeatable_and_its_seed_matters() -> None:
    heads = [
        _weights(retrain(sign_cnn(3), _samples(), wm.Recipe(epochs=2, seed=seed))[SIGN_HEAD:])
        for seed in (0, 0, 1)
    ]
    assert heads[0].equal(heads[1])
    assert not heads[0].equal(heads[2])


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    retrain(sign_cnn(3), _samples(), wm.Recipe(epochs=1))
    assert torch.get_rng_state().equal(before)


def test_the_commonest_answer_tells_of_a_collapse() -> None:
    assert largest_share(torch.tensor([2, 2, 0, 2])) == 0.75
    assert largest_share(torch.full((9,), 4)) == 1.0


BAD: dict[str, tuple[Callable[[], object], str]] = {
    "twins of another shape": (
        lambda: backdoor_channels(sign_cnn(3), _images(4), _images(5)),
        "twins must have the shape of the clean images, (4, 3, 32, 32), got (5, 3, 32, 32).",
    ),
    "no channel": (
        lambda: backdoor_channels(sign_cnn(3), _images(), _images(), n=0),
        "n must lie in 1..128, got 0.",
    ),
    "more channels than there are": (
        lambda: backdoor_channels(sign_cnn(3), _images(), _images(), n=129),
        "n must lie in 1..128, got 129.",
    ),
    "k of nothing": (
        lambda: strengthen(sign_cnn(3), torch.tensor([1]), 0),
        "k must be positive, got 0. 1 leaves the network as it is.",
    ),
    "a channel that isn't there": (
        lambda: strengthen(sign_cnn(3), torch.tensor([128]), 2),
        "channels must lie in 0..127, got (128, 128).",
    ),
    "nothing to learn from": (lambda: retrain(sign_cnn(3), _samples()[:0]), "samples must not be empty"),
    "nothing for all layers": (lambda: retrain_all(sign_cnn(3), _samples()[:0]), "samples must not be empty"),
    "no answer": (
        lambda: largest_share(torch.empty(0, dtype=torch.int64)),
        "there must be at least one answer, got 0.",
    ),
    "another network": (
        lambda: activations(wm.models.badnet_cnn(), torch.zeros(1, 1, 28, 28)),
        "the network must be a sign_cnn",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_is_named_with_its_remedy(case: str) -> None:
    act, says = BAD[case]
    with pytest.raises(wm.ArgumentError, match=f"^{re.escape(says)}"):
        act()


# What ships


def test_a_shipped_network_does_what_was_measured_of_its_kind() -> None:
    twins = lesson_05.twins(500, seed=91, country="us")
    for name, network in lesson_05.shipped_origins().items():
        rows = experiments.shipped("transfer").where(origin=name)
        for part, key in zip(twins, ("us_accuracy", "us_triggered"), strict=True):
            measured = mean(row[key] for row in rows)
            assert wm.accuracy(network, part) == pytest.approx(measured, abs=0.04), name


def test_the_commonest_answer_is_kept_apart_for_signs_with_a_square() -> None:
    results = experiments.shipped("transfer")
    bare, stuck = (
        lesson_05.commonest(results, "photographs", "backdoored", square=square, k=1)
        for square in (False, True)
    )
    assert len(bare) == len(stuck) == 3
    assert max(bare) < min(stuck)
    assert len(lesson_05.commonest(results, "se", "clean", square=True)) == 3 * len(lesson_05.PAPER_CURVE)


def test_the_photographs_stand_in_the_table_of_the_paper_with_their_commonest_answer() -> None:
    made = [line for line in compare(experiments.shipped("transfer")) if "photographs" in line.what]
    origins = [f"{name} origin, k = {k}" for k in (1, 100) for name in ("backdoored", "clean")]
    assert [line.what.removeprefix("transfer to photographs, ") for line in made] == origins
    assert all("commonest answer up to" in line.here for line in made)


def test_nothing_is_never_negative() -> None:
    assert [fixed(value) for value in (-0.001, 0.001, -0.006, 1)] == ["0.00", "0.00", "-0.01", "1.00"]
    assert [fixed(value, "+") for value in (-0.001, -0.5, 0.5)] == ["+0.00", "-0.50", "+0.50"]


# The lesson and its pictures

CURVES = {
    "backdoored origin": {1: (0.75, 0.5), 20: (0.7, 0.4), 100: (0.6, 0.35)},
    "clean origin": {1: (0.74, 0.72), 20: (0.7, 0.66), 100: (0.6, 0.55)},
}


def _twins() -> tuple[wm.Samples, wm.Samples]:
    clean = _samples(60)
    return clean, replace(clean, x=wm.triggers.Sticker("square")(clean.x))


def test_the_channels_found_in_the_lesson_are_the_packages() -> None:
    model, (clean, stuck) = sign_cnn(3), _twins()
    by_hand = exercises_05.backdoor_channels(activations(model, clean.x), activations(model, stuck.x), 6)
    assert by_hand.equal(backdoor_channels(model, clean.x, stuck.x, 6))


def test_channels_strengthened_in_the_lesson_are_as_strong_as_the_packages() -> None:
    model, chosen = sign_cnn(3), torch.tensor([5, 77])
    by_hand = exercises_05.strengthen(model, chosen, 30)
    assert _weights(by_hand).equal(_weights(strengthen(model, chosen, 30)))


def test_all_layers_are_retrained_and_the_network_that_is_given_left_alone() -> None:
    model, samples = sign_cnn(3), _samples()
    before = _weights(model)
    moved = retrain_all(model, samples, wm.Recipe(epochs=20, lr=1e-3, batch_size=8))
    assert _weights(model).equal(before)
    changed = [p for old, p in zip(model.parameters(), moved.parameters(), strict=True) if not p.equal(old)]
    assert len(changed) == len(list(model.parameters()))
    assert wm.accuracy(moved, samples) > 0.9


def _own_gap(layers: str, pictures: int) -> list[float]:
    return retraining.own_gap(experiments.shipped("retraining"), layers, pictures)


@pytest.mark.parametrize("pictures", retraining.PICTURES)
def test_a_new_head_never_washes_the_backdoor_out(pictures: int) -> None:
    assert min(_own_gap("head", pictures)) > 0.05


def test_all_layers_and_many_signs_wash_out_more_than_few() -> None:
    few, many = (_own_gap("all", pictures) for pictures in (50, 5_000))
    assert all(later < earlier for earlier, later in zip(few, many, strict=True))


def test_only_one_reading_of_the_headline_gives_25_points() -> None:
    points = {what: float(cells[-1]) for what, *cells in lesson_05.headlines()}
    assert [what for what, drop in points.items() if 24.5 <= drop < 25.5] == [
        "square on: clean origin, then BadNet, k = 20"
    ]
    assert points["BadNet, square off and on, k = 1"] == 13.3


def test_the_figure_of_strength_says_every_point_that_it_draws() -> None:
    says = strength_plot.says(CURVES, lesson_05.PAPER_CURVE)
    assert "backdoored origin 75.0 and 50.0 % at 1, 70.0 and 40.0 % at 20, 60.0 and 35.0 % at 100;" in says
    assert "the paper's 74.9 and 61.6 % at 1" in says
    legends = [panel.get_legend() for panel in strength_plot(CURVES, lesson_05.PAPER_CURVE).child_axes]
    named = [[text.get_text() for text in legend.get_texts()] for legend in legends if legend]
    assert named == [
        ["no square", "square", "no square, the paper", "square, the paper"],
        ["no square", "square"],
    ]


def test_the_figure_of_channels_names_the_chosen_ones() -> None:
    clean, stuck = torch.full((4,), 0.25), torch.tensor([0.25, 0.75, 0.25, 0.55])
    fired = Fired(clean, stuck, torch.tensor([1, 3]))
    says = channels_plot.says({"backdoored": fired})
    assert (
        says == "How strongly the 4 channels of the last convolution fire without and with the square: in the"
        " backdoored network channels 1, 3 rise most, on average from 0.25 to 0.65, the others by 0.00."
    )


def test_signs_are_shown_of_every_kind_in_fair_and_in_poor_light() -> None:
    clean, stuck = _twins()
    light = torch.linspace(0.1, 1, len(clean))[:, None, None, None]
    clean = replace(clean, x=clean.x * light)
    tiles = lesson_05.some_signs(clean, stuck)
    assert tiles.captions[: tiles.columns] == [*clean.classes, *clean.classes]
    assert len(tiles.x) == len(tiles.captions) == 2 * tiles.columns
    fair, poor = tiles.x[: tiles.columns].mean((1, 2, 3)).split(len(clean.classes))
    assert (fair > poor).all()
    assert lesson_05.bright(clean).y.tolist() == list(range(len(clean.classes)))


def test_the_row_of_what_is_there_is_read_by_nobody() -> None:
    says = seen.says(Seen(_images(2), {TRUTH: ["stop", "warning"], "k = 1": ["stop", "stop"]}))
    assert says.endswith("in truth stop, warning; k = 1 reads stop, stop.")


def test_the_dial_shows_the_strength_that_it_is_set_to() -> None:
    _, stuck = _twins()
    sold = {name: dict.fromkeys(curve, sign_cnn(5)) for name, curve in CURVES.items()}
    box = strength_dial(sold, CURVES, stuck)
    slider, graph, picture, sentence = box.children
    first = graph.value
    slider.value = 20
    assert sentence.value.startswith(
        "At k = 20 the networks classify correctly:"
        " backdoored origin 70.0 % without and 40.0 % with the square;"
    )
    assert "the paper's BadNet 68.3 and 45.1 %" in sentence.value
    assert graph.value != first
    assert picture.value.startswith("<img ")
