"""The pictures of watermarks: what they say follows from what they are given."""

from __future__ import annotations

import torch

from wmlearn.experiments import shipped
from wmlearn.plots import keys as plots
from wmlearn.plots.keys import Trial


def test_the_decoys_figure_says_every_number() -> None:
    found = {"patch": Trial(99, [3, 41, 60], 0.25, [0, 5, 2])}
    says = plots.decoys.says(found, 100)
    assert "patch: owner 99, decoys at most 60 (1 with half of the owner's hits), p = 0.25" in says
    assert "on 3 strangers" in says
    assert "strangers at most 5" in says


def test_the_figure_of_innocents_says_how_unlucky_a_key_is_and_how_many_keys_accuse() -> None:
    hits = torch.tensor([[9.0, 11], [16, 14], [5, 22]])
    says = plots.innocents.says(hits, 100, 0.1, {"level 0.05": 16, "level 0.001": 21}, 2)
    assert "10.0 to 15.0, 1 of them outside 5.8 to 14.2" in says
    assert "Key 2 has 14 to 16 hits, 15.0 on average." in says
    assert "2 reach 16 hits (level 0.05), 1 reach 21 hits (level 0.001) on some network." in says


def test_the_null_figure_says_how_many_claims_cross_the_line() -> None:
    data = {"random": [9, 10, 11, 30], "one label": [0, 0]}, 100, 0.1, 21
    says = plots.null.says(*data)
    assert "random: 25 % of 4 claims reach 21 hits; one label: 0 % of 2 claims reach 21 hits." in says


def test_the_key_figures_say_what_was_measured_and_stay_finite() -> None:
    rows = shipped("key-size").rows
    assert "27 % of 2000" in plots.key_size.says(rows)
    assert "knows 2000: the p-value is 1e-2000.0." in plots.key_point.says(rows, 2000, 1.0)
    assert "knows 3: the p-value is 1e-1.2." in plots.key_point.says(rows, 10, 0.3)
