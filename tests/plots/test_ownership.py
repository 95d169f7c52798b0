"""The pictures of ownership: what they say follows from what they are given."""

from __future__ import annotations

import torch

from wmlearn.experiments import shipped
from wmlearn.plots import names
from wmlearn.plots import ownership as plots


def test_the_figures_say_every_number() -> None:
    x = torch.rand(10, 1, 28, 28)
    y = torch.arange(10)
    both = {"claim 1": plots.Answered(x, y, y), "claim 2": plots.Answered(x, y, y.flip(0))}
    assert "claim 1 matches 10 of 10; claim 2 matches 0 of 10." in plots.keys.says(both)
    results = shipped("false-claims")
    assert "Adi 2018 (from scratch) 216, 19, 1 of 6,400;" in plots.false.says(results)
    assert {row["scheme"] for row in results.rows} == (names.SCHEMES.keys() - {"plain", "adi2018-pretrained"})
    assert "at chance 0.1, 4 triggers / 5 triggers / 9 triggers / 21 triggers;" in plots.power.says(1e-3)
    assert "no number of hits would do" in plots.power_point.says(1e-6, 5, 0.5)
