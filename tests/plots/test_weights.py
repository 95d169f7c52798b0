"""The pictures of marks in weights and answers: what they say follows from what they are given."""

from __future__ import annotations

from typing import Any

import torch

import wmlearn as wm
from wmlearn.course.lessons import lesson_08
from wmlearn.plots import names
from wmlearn.plots import weights as plots


def test_messages_and_coins_say_what_they_show() -> None:
    bits = {"picture": lesson_08.picture()}
    assert "picture, 104 squares black" in plots.messages.says(bits)
    data = [120, 128, 136], 256, {"marked": 256, "wrong secret": 125}
    assert (
        "120 to 136, on average 128.0 (3 readings), as fair coins do; marked 256, wrong secret 125."
        in plots.coins.says(*data)
    )


def test_the_figure_of_widths_says_the_deviations() -> None:
    known = [torch.randn(4, 2, 5, 5, generator=torch.Generator().manual_seed(i)) for i in range(3)]
    says = plots.spreads.says({"loud": 3 * known[0]}, known)
    assert f"loud {3 * float(known[0].std()):.3f}; of the mean filter" in says


def _thief(hits: int) -> list[dict[str, Any]]:
    return [
        {"epochs": epochs, "hits": hits + epochs, "p_value": 10.0**-epochs, "accuracy": 0.98}
        for epochs in (5, 20)
    ]


def test_the_figure_of_thieves_says_every_stop() -> None:
    data = [_thief(0), _thief(3)], [50, 52], 0.99
    says = plots.stolen.says(*data)
    assert "after 5 epochs 5 of 50, 8 of 52, p at most 1e-05, accuracy 98.00 %" in says
    assert says.endswith("The service reads 99.00 % rightly.")


def _row(scheme: str, seed: int, **more: Any) -> dict[str, Any]:
    found = {
        "hits": 90,
        "trials": 100,
        "strangers_rate": [0.5, 0.1],
        "bits": 7.0,
        "weights_auc": 0.5,
        "inputs_auc": 0.75,
        "queries": 100,
    }
    return {
        "scheme": scheme,
        "seed": seed,
        "accuracy": 0.99,
        "seconds": 10.0,
        **(found if scheme != "plain" else {}),
        **more,
    }


def test_the_yardsticks_are_measured_against_the_plain_network_of_the_same_seed() -> None:
    plain = [_row("plain", seed, accuracy=0.98 + seed / 100) for seed in range(2)]
    rows = [
        *plain,
        *(_row("adi2018", seed) for seed in range(2)),
        *(_row("uchida2017", seed, inputs_auc=None, queries=0) for seed in range(2)),
    ]
    rows += [_row("lemerrer2019", seed, seconds=3.0, weights_auc=None) for seed in range(2)]
    says = plots.yardsticks.says(rows)
    assert (
        "Adi 2018 (from scratch): fidelity +0.50, effectiveness 90, reliability 50, capacity 7,"
        " secrecy, inputs 0.75" in says
    )
    assert (
        "Uchida 2017: fidelity +0.50, effectiveness 90, reliability 50, capacity 7, secrecy, weights"
        " 0.50, cost +0.0" in says
    )
    assert (
        "frontier stitching 2019: fidelity +0.50, effectiveness 90, reliability 50, capacity 7,"
        " secrecy, inputs 0.75, cost +3.0" in says
    )


def test_every_scheme_has_a_name_in_the_figure() -> None:
    assert set(names.SCHEMES) == {"plain", *wm.watermarks.ALL}
