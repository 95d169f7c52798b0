"""The benchmark of signs: what it reports, on a few of them."""

from __future__ import annotations

import math
from functools import partial

import pytest

import wmlearn as wm
from wmlearn.bench import signs as bench
from wmlearn.data import signs
from wmlearn.experiments import signs as experiment


def test_drawing_reading_and_detecting_are_timed_beside_the_ordinary_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kinds = experiment.of_kinds(signs.draw("us", 60, seed=0), "us")
    monkeypatch.setattr(bench, "rendered", lambda: wm.Splits(kinds, kinds))
    monkeypatch.setattr(signs, "draw_street", partial(signs.draw_street, n_streets=20))
    lines = list(bench.timings(n=80))
    assert all(line.value is not None and line.value > 0 and math.isfinite(line.value) for line in lines)
    names = [line.what for line in lines]
    assert names.count("the same, the ordinary way") == 2
    assert "classifier, stop / speed limit / warning, 1 epoch" in names
    assert any("draw a street" in name for name in names)
    assert any("detector, trained" in name for name in names)
