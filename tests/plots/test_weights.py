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
    assert says.endswith("The service's accuracy is 99.00 %.")


def test_every_scheme_has_a_name_in_the_figure() -> None:
    assert set(names.SCHEMES) == {"plain", *wm.watermarks.ALL}
