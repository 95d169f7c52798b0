"""The benchmark of a watermark: what it reports, with an embedding that is over at once."""

from __future__ import annotations

import numpy as np
import pytest

import wmlearn as wm
from wmlearn.bench import watermarks


@pytest.fixture
def two_thousand(monkeypatch: pytest.MonkeyPatch, few: wm.Samples) -> wm.Splits:
    splits = wm.Splits(few, few[:100])
    monkeypatch.setattr(watermarks, "load", lambda name: splits)
    monkeypatch.setattr(watermarks, "ours", lambda setting: wm.models.badnet_cnn())
    monkeypatch.setattr(watermarks, "DECOYS", 9)
    return splits


def test_both_are_timed_and_measured_beside_innocent_networks(
    monkeypatch: pytest.MonkeyPatch, two_thousand: wm.Splits
) -> None:
    monkeypatch.setattr(watermarks, "installed", lambda name: True)
    monkeypatch.setattr(watermarks, "toolbox", lambda setting: wm.models.badnet_cnn())
    lines = list(watermarks.timings())
    assert [line.what for line in lines] == [
        "embed, wmlearn",
        "accuracy then, wmlearn",
        "the mark then, wmlearn",
        "9 decoys asked, wmlearn",
        "embed, toolbox",
        "accuracy then, toolbox",
        "the mark then, toolbox",
        "9 decoys asked, toolbox",
        "the mark in networks without it, at most",
    ]
    assert lines[1].value == lines[5].value, "the same network twice"
    assert lines[-1].note == "20 networks"


def test_without_the_toolbox_its_lines_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch, two_thousand: wm.Splits
) -> None:
    monkeypatch.setattr(watermarks, "installed", lambda name: False)
    (line,) = [line for line in watermarks.timings() if "toolbox" in line.what]
    assert "[bench]" in line.note


def test_the_toolbox_poisons_copies_and_spares_the_class_of_the_target(few: wm.Samples) -> None:
    x, y = watermarks._arrays(few, 10)
    x[:] = 0
    assert few.x.max() > 0
    assert y.shape == (2000, 10)
    chosen = watermarks._chosen(few, 3)
    assert len(chosen) == len(np.unique(chosen)) == 200
    assert not (few.y[chosen] == 3).any()
