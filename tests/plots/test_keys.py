"""The pictures of watermarks: what they say follows from what they are given."""

from __future__ import annotations

from wmlearn.experiments import shipped
from wmlearn.plots import keys as plots
from wmlearn.plots.keys import Trial


def test_the_signature_figure_says_every_number() -> None:
    found = {"patch": Trial(99, [3, 41], 1, [0, 5, 2], 13, 100)}
    says = plots.hits.says(found)
    assert "3 strangers and 2 wrong keys" in says
    assert "patch: marked 99, wrong keys at most 41 (1 upheld), strangers at most 5, needed 13" in says


def test_the_null_figure_says_how_many_claims_cross_the_line() -> None:
    data = {"by lot": [9, 10, 11, 30], "one label": [0, 0]}, 100, 0.1, 21
    says = plots.null.says(*data)
    assert "by lot: 25 % of 4 claims reach 21 hits; one label: 0 % of 2 claims reach 21 hits." in says


def test_the_key_figures_say_what_was_measured_and_stay_finite() -> None:
    rows = shipped("key-size").rows
    assert "27 % of 2000" in plots.key_size.says(rows)
    assert "knows 2000: the p-value is 1e-2000.0." in plots.key_point.says(rows, 2000, 1.0)
    assert "knows 3: the p-value is 1e-1.2." in plots.key_point.says(rows, 10, 0.3)
