"""The benchmark of signs runs, on a few of them; how long things take is no matter of tests."""

from __future__ import annotations

import math

from typer.testing import CliRunner

from wmlearn.bench import signs as bench_signs
from wmlearn.cli.app import app
from wmlearn.data import signs
from wmlearn.experiments import signs as experiment


def test_drawing_reading_and_detecting_are_timed_beside_the_ordinary_way(monkeypatch) -> None:
    few = signs.draw("us", 60, seed=0)
    kinds = experiment.of_kinds(few, "us")
    monkeypatch.setattr(bench_signs, "rendered", lambda: type("Few", (), {"train": kinds, "test": kinds}))
    lines = list(bench_signs.bench_signs(n=80))
    assert all(line.value > 0 and math.isfinite(line.value) for line in lines)
    said = [line.what for line in lines]
    assert said.count("the same, the ordinary way") == 2
    assert any("draw a street" in what for what in said)
    assert any("detector, trained" in what for what in said)


def test_an_unknown_part_is_refused_with_the_list() -> None:
    error = CliRunner().invoke(app, ["bench", "sound"]).exception
    assert str(error) == "what to measure must be one of digits, signs, got 'sound'."
