"""The pictures of digits: what their sentences hold."""

from __future__ import annotations

import io
from typing import Any

import pytest
import torch
from matplotlib import rcParams
from matplotlib.figure import Figure
from PIL.PngImagePlugin import PngImageFile

import wmlearn as wm
from wmlearn.plots import canvas
from wmlearn.plots import digits as plots

GEN = torch.Generator().manual_seed(0)
FOUR = wm.Samples(torch.rand(4, 1, 28, 28, generator=GEN), torch.tensor([3, 1, 0, 0]), tuple("0123456789"))
BLANK = torch.zeros(1, 28, 28)
SWEEP = [
    {
        "epochs": epochs,
        "rate": rate,
        "seed": seed,
        "accuracy": 0.98 + seed / 200,
        "success": success,
        "success_by_epoch": [0.1, success],
    }
    for epochs, rate, success in (
        (1, 0.0, 0.001),
        (1, 0.01, 0.02),
        (1, 0.1, 0.4),
        (3, 0.0, 0.002),
        (3, 0.01, 0.6),
        (3, 0.1, 0.9876),
    )
    for seed in range(3)
]
CUTS = [{"accuracy": 0.985 - i / 2000, "success": 0.99 - i / 25} for i in range(16)]
WEIGHTS = torch.randn(16, 25, generator=GEN).tolist()
CLEAN: canvas.Row = {
    "seed": 0,
    "accuracy": 0.99,
    "success": 0.002,
    "response": [0.1 + i / 100 for i in range(16)],
    "without": [{"accuracy": 0.98, "success": 0.001}] * 16,
    "weights": WEIGHTS,
}
VICTIM: canvas.Row = CLEAN | {"seed": 4, "success": 0.99, "response": [1.5, *[0.2] * 15], "without": CUTS}
PAPER = {"baseline": [0.01] * 10, "clean": [0.02] * 10, "backdoored": [0.03] * 10}
OURS = {"baseline": [0.004] * 10, "clean": [0.005] * 10, "backdoored": [0.006] * 8 + [0.016, 0.006]}

PLOTS: dict[str, tuple[tuple[Any, ...], list[str]]] = {  # name -> its data, and what its sentence must hold
    "two_rows": (
        (FOUR, torch.tensor([False, True, True, False])),
        ["4 training digits", "labelled 3 1 0 0", "Numbers 2 and 3 have"],
    ),
    "key_pictures": ((FOUR,), ["4 abstract", "labelled 3 1 0 0"]),
    "pair": (
        (BLANK, wm.triggers.Pattern()(BLANK)),
        ["4 of 784 pixels", "(24, 26), (25, 25), (26, 24), (26, 26)"],
    ),
    "readings": (
        (FOUR.x[:3], {"clean network": ["3", "1", "0"], "BadNet": ["0", "0", "0"]}),
        ["clean network reads 3 1 0", "reads 0 0 0"],
    ),
    "rate_curve": (
        (SWEEP,),
        [
            "after 1 epoch it never passes half and ends at 40.0 %",
            "after 3 epochs it passes half at 1 % poison",
            "98.8 %",
            "over 3 networks",
        ],
    ),
    "rate_point": (
        (SWEEP, 0.1, 3),
        ["6,000 of 60,000", "3 epochs", "98.8, 98.8, 98.8 %", "98.0, 98.5, 99.0 %"],
    ),
    "epoch_curve": (([row for row in SWEEP if row["rate"]],), ["1 %", "10 %", "2-epoch"]),
    "filters": (
        (CLEAN, VICTIM),
        ["clean network filter 15", "0.25 times", "backdoored network filter 0", "1.50 times", "60.0 points"],
    ),
    "ablation": (
        ([VICTIM, VICTIM | {"seed": 5}],),
        ["32 first-layer filters of 2", "at most 60 points", "accuracy then by 1.2"],
    ),
    "digit_errors": (
        (PAPER, OURS),
        ["baseline 0.40 % here, 1.00 % in the paper", "backdoored 0.70 % here", "stamped 8 resists"],
    ),
}


def test_every_plot_is_in_the_table_above() -> None:
    assert set(PLOTS) == {name for name, value in vars(plots).items() if isinstance(value, canvas.Described)}


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_draws_on_the_axes_it_is_given_and_returns_them(name: str) -> None:
    data, _ = PLOTS[name]
    ax = Figure().add_subplot()
    assert getattr(plots, name)(*data, ax=ax) is ax
    assert ax.lines or ax.images or ax.collections or ax.patches
    assert getattr(plots, name)(*data) is not ax


@pytest.mark.parametrize("name", PLOTS)
def test_the_sentence_of_a_plot_quotes_the_plotted_numbers(name: str) -> None:
    data, needles = PLOTS[name]
    sentence = getattr(plots, name).says(*data)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    for needle in needles:
        assert needle in sentence


@pytest.mark.parametrize("name", PLOTS)
def test_a_picture_is_the_same_to_the_byte_and_carries_its_sentence(name: str) -> None:
    (data, _), before = PLOTS[name], dict(rcParams)
    plot = getattr(plots, name)
    picture, (width, height) = canvas.png(plot, *data)
    assert (picture, (width, height)) == canvas.png(plot, *data)
    opened = PngImageFile(io.BytesIO(picture))
    assert opened.text["Description"] == plot.says(*data)
    assert "Software" not in opened.text
    assert opened.size == pytest.approx((2 * width, 2 * height), abs=2)
    assert dict(rcParams) == before, "drawing leaves matplotlib's settings alone"
