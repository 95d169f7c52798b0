"""The benchmark of detectors: what it reports, with searches that are over at once."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import wmlearn as wm
from wmlearn.bench import cleaning


def test_every_detector_is_timed_and_says_what_it_found(
    monkeypatch: pytest.MonkeyPatch, few: wm.Samples
) -> None:
    monkeypatch.setattr(cleaning, "load", lambda name: wm.Splits(few, few[:1200]))
    monkeypatch.setattr(cleaning, "trained", lambda model, samples: (model, None))
    monkeypatch.setattr(cleaning, "scanned", lambda model, clean: f"looked at {len(clean)}")
    monkeypatch.setattr(cleaning, "plainly", lambda model, clean: f"looked at {len(clean)}")
    monkeypatch.setattr(cleaning, "installed", lambda name: False)
    lines = list(cleaning.timings())
    by_name = {line.what: line for line in lines}
    assert [name.split(", ")[-1] for name in by_name][2:] == [
        "wmlearn", "a plain loop", "wmlearn", "wmlearn", "toolbox", "toolbox",
    ]  # fmt: skip
    assert by_name["Neural Cleanse, 10 classes, wmlearn"].note == "looked at 1000"
    assert by_name["spectral signatures, wmlearn"].note.startswith("caught ")
    assert "[bench]" in by_name["activation clustering, toolbox"].note


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
