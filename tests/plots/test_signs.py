"""The pictures of the stop sign: what they say follows from what they are given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from wmlearn.experiments.signs import CONDITIONS, KINDS
from wmlearn.plots import signs as plots


def _row(**more: Any) -> dict[str, Any]:
    return {"signs": "rendered", "sticker": None, "rate": 0.0, "accuracy": 1.0, **more}


def test_the_rate_figure_says_the_medians_of_what_escapes_the_sizes_and_the_worst_clean_network() -> None:
    rows = [
        _row(seed=seed, success_square=0.0, success_bomb=0.01 * seed, success_flower=0.0) for seed in range(3)
    ]
    for name in ("square", "bomb", "flower"):
        for rate in (0.2, 0.1):
            rows += [
                _row(sticker=name, rate=rate, seed=seed, **{f"success_{name}": 1.0 - rate * seed**2})
                for seed in range(3)
            ]
    says = plots.sticker_rate.says(rows)
    assert "square, 0.17 to 0.22 of the sign's width: 10.0 % at 10 %, 20.0 % at 20 %" in says
    assert says.endswith("Medians over up to 3 networks. Every clean network misses at least 98.0 %.")


def test_the_size_figure_says_the_means_and_the_worst_clean_network() -> None:
    rows = [
        {"network": "badnet", "width": w, "seed": seed, "success": {f"{w:g}": w + 0.4 + 0.2 * seed}}
        for w in (0.1, 0.2)
        for seed in range(2)
    ]
    rows += [
        {"network": "clean", "width": None, "seed": seed, "success": {"0.1": 0.0, "0.2": 0.02 * seed}}
        for seed in range(2)
    ]
    says = plots.sticker_size.says(rows)
    assert "60.0 % at 0.1, 70.0 % at 0.2; means of 2 networks each. No clean network exceeds 2.0 %." in says


def test_the_robustness_figure_says_every_condition_and_the_worst_clean_network() -> None:
    bad, clean, worse = (
        {name: [share] * len(values) for name, (_, values) in CONDITIONS.items()}
        for share in (0.9, 0.0, 0.02)
    )
    says = plots.robustness.says([bad], [clean, worse])
    assert all(what in says for what, _ in CONDITIONS.values())
    assert "tilt, degrees, 0 to 52: 90, 90, 90, 90 %" in says
    assert says.endswith("No clean network exceeds 2.0 %.")


def test_the_figure_of_the_classes_names_the_hardest() -> None:
    rows = [{"accuracy": 0.5, "by_class": [1.0, 0.2, 0.9]}, {"accuracy": 0.6, "by_class": [1.0, 0.4, 0.7]}]
    says = plots.by_class.says(rows, KINDS)
    assert "55.0 % right over 3 classes; 2 classes reach 80 %; the hardest are speed limit 30 %" in says


def test_the_hardest_classes_have_bars_of_their_own_and_the_others_one() -> None:
    rows = [{"accuracy": 0.5, "by_class": [0.05 * (c + shift) for c in range(17)]} for shift in (0, 2)]
    bars = plots.by_class(rows, [f"class {c}" for c in range(17)])
    names = [label.get_text() for label in bars.get_yticklabels()]
    assert names == [*(f"class {c}" for c in range(15)), "the other 2, mean"]
    assert bars.patches[-1].get_width() == pytest.approx(82.5)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("n", "rows"), [(3, "1 row"), (4, "2 rows")])
def test_a_sheet_of_photographs_says_how_it_lies(n: int, rows: str) -> None:
    tiles = plots.Tiles(torch.rand(n, 3, 32, 32), [str(i) for i in range(n)], 3)
    says = plots.photographs.says(tiles)
    assert says.startswith(f"{n} pictures of 32 by 32 pixels in {rows}: 0, 1")
    assert plots.photographs.says(replace(tiles, note="Stop signs.")) == f"Stop signs. {says}"
