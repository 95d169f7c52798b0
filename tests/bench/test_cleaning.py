"""The benchmark of detectors: what it reports, with searches that are over at once."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import wmlearn as wm
from wmlearn.bench import cleaning, crosswise


def test_every_detector_is_timed_and_says_what_it_found(
    monkeypatch: pytest.MonkeyPatch, few: wm.Samples
) -> None:
    monkeypatch.setattr(cleaning, "load", lambda name: wm.Splits(few, few[:1200]))
    monkeypatch.setattr(cleaning, "trained", lambda model, samples: (model, None))
    monkeypatch.setattr(cleaning, "scanned", lambda model, clean: f"looked at {len(clean)}")
    monkeypatch.setattr(cleaning, "plainly", lambda model, clean: f"looked at {len(clean)}")
    monkeypatch.setattr(crosswise, "installed", lambda name: False)
    lines = list(cleaning.timings())
    by_name = {line.what: line for line in lines}
    assert [name.split(", ")[-1] for name in by_name][2:] == [
        "wmlearn", "a plain loop", "wmlearn", "wmlearn", "toolbox",
    ]  # fmt: skip
    assert by_name["Neural Cleanse, 10 classes, wmlearn"].note == "looked at 1000"
    assert by_name["spectral signatures, wmlearn"].note.startswith("caught ")
    assert "[bench]" in by_name["detectors crosswise, toolbox"].note


def test_what_was_caught_is_a_share_of_the_poisoned_and_false_alarms_of_the_others(few: wm.Samples) -> None:
    poisoned = wm.poison(few[:100], wm.triggers.Pattern(), rate=0.2, target=0)
    assert cleaning.caught(poisoned.mask, poisoned) == "caught 100.0%, false alarms 0.0%"
    everything = torch.ones(100, dtype=torch.bool)
    assert cleaning.caught(everything, poisoned) == "caught 100.0%, false alarms 100.0%"


class Corner(nn.Module):
    """Reads a 3 where the last pixel is bright, else a 5."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bright = x[:, 0, 27, 27]
        logits = torch.zeros(len(x), 10)
        logits[:, 3] = 20 * bright
        logits[:, 5] = 10.0
        return logits


def test_the_plain_loop_finds_the_pixel_that_suffices(few: wm.Samples) -> None:
    assert cleaning.smallest(Corner(), few.x[:100], 3) < cleaning.smallest(Corner(), few.x[:100], 8)


def test_a_pixel_costs_more_after_a_streak_of_successes_and_less_after_one_of_failures() -> None:
    price = cleaning.Price()
    for _ in range(5):
        price.change(reached=True)
    assert price.cost == 2e-3
    for _ in range(5):
        price.change(reached=False)
    assert price.cost == pytest.approx(2e-3 / 2**1.5)
    assert price.streak == 0


def test_crosswise_each_method_meets_both_makers_poison_by_both_layers(
    monkeypatch: pytest.MonkeyPatch, few: wm.Samples
) -> None:
    monkeypatch.setattr(crosswise, "installed", lambda name: True)
    suspect = crosswise.Suspect(
        wm.models.badnet_cnn(), wm.poison(few[:600], wm.triggers.Pattern(), rate=0.1, target=0)
    )
    monkeypatch.setattr(crosswise, "MAKERS", dict.fromkeys(crosswise.MAKERS, lambda train, seed: suspect))
    ours = {name: finder for name, finder in crosswise.FINDERS.items() if "wmlearn" in name}
    monkeypatch.setattr(crosswise, "FINDERS", ours)
    lines = list(crosswise.timings(few[:600]))
    assert len({line.what for line in lines}) == len(lines) == 2 * 2 * 2
    assert all(line.note.count("%") == 2 * len(crosswise.SEEDS) for line in lines)
    by_layer = [
        line.note for line in lines if line.what.startswith("spectral") and "our network" in line.what
    ]
    assert len(set(by_layer)) == 2


def test_the_toolbox_judges_what_ours_judges(few: wm.Samples) -> None:
    pytest.importorskip("art")
    poisoned = wm.poison(few[:600], wm.triggers.Pattern(), rate=0.1, target=0)
    suspect = crosswise.Suspect(wm.models.badnet_cnn(), poisoned)
    for finder in crosswise.FINDERS.values():
        for layer in crosswise.LAYERS:
            assert finder(suspect, layer).shape == poisoned.mask.shape
