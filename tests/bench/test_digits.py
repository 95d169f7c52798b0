"""The benchmark of digits: what it reports, on a few of them."""

from __future__ import annotations

import math

import pytest
import torch

import wmlearn as wm
from wmlearn.bench import digits
from wmlearn.bench.digits import Look

RECIPE = wm.Recipe(epochs=2, batch_size=256)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch, few: wm.Samples) -> list[digits.Timing]:
    monkeypatch.setattr(digits, "load", lambda name: wm.Splits(few, few[:200]))
    monkeypatch.setattr(digits, "matmul_peak", lambda precision, device: 1e12)
    monkeypatch.setattr(digits, "installed", lambda name: name != "art")
    return list(digits.timings(RECIPE, repeats=1))


def test_training_is_timed_beside_the_peak_a_plain_loop_and_the_toolbox(lines: list[digits.Timing]) -> None:
    assert [line.what for line in lines] == [
        "one epoch, this package",
        "matmul peak",
        "fraction of the matmul peak",
        "one epoch, plain fp32 loop",
        "time to 99.0% / 99.9%",
        "predict 10,000 images",
        "peak memory of this run",
        "one epoch, Adversarial Robustness Toolbox",
    ]
    *measured, toolbox = lines
    assert all(line.value is not None and math.isfinite(line.value) and line.value > 0 for line in measured)
    assert toolbox.value is None
    assert "[bench]" in toolbox.note


def test_the_arithmetic_of_one_image_is_counted() -> None:
    assert digits.training_flops(torch.device("cpu")) == pytest.approx(6.4e6, rel=0.3)


def test_the_target_is_met_with_both_numbers_only() -> None:
    assert Look(1.0, 0.99, 0.999).met
    assert not Look(1.0, 0.98, 1.0).met
    assert not Look(1.0, 1.0, 0.99).met


def test_the_time_to_target_ends_with_the_first_look_that_met_it(
    monkeypatch: pytest.MonkeyPatch, few: wm.Samples
) -> None:
    shares = iter([0.5, 0.995, 0.7])
    monkeypatch.setattr(digits, "accuracy", lambda model, test: next(shares))
    monkeypatch.setattr(digits, "success_rate", lambda *_: 1.0)
    last = digits.time_to_target(few[:256], few[:10], wm.Recipe(epochs=3, batch_size=256))
    assert last.accuracy == 0.995
    assert last.met


def test_the_time_of_a_target_that_was_never_met_is_that_of_all_epochs(
    monkeypatch: pytest.MonkeyPatch, few: wm.Samples
) -> None:
    shares = iter([0.5, 0.6])
    monkeypatch.setattr(digits, "accuracy", lambda model, test: next(shares))
    monkeypatch.setattr(digits, "success_rate", lambda *_: 1.0)
    last = digits.time_to_target(few[:256], few[:10], wm.Recipe(epochs=2, batch_size=256))
    assert last.accuracy == 0.6
    assert not last.met
