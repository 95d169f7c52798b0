"""The exercises of notebook 09: reference, cases, named mistakes, hints; and what its cells show."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from statistics import mean

import ipywidgets
import torch
from torch import Tensor, nn

from ...experiments import Results
from ...experiments.removal import GONE, NONE, PLAIN, cells
from ...plots.removal import price_point
from ..widgets import depict, redrawn

STATES = ("void", "destroyed", "believed", "not believed")
"""What the number that `decide` returns says."""


def changed(network: nn.Module, change: Callable[[Tensor], Tensor]) -> nn.Module:
    """Return a copy whose convolutions and linear layers have the weights that `change` makes of theirs;
    biases stay.
    """
    new = copy.deepcopy(network)
    with torch.no_grad():
        for layer in new.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.weight.copy_(change(layer.weight))
    return new


def states(results: Results, decide: Callable[[float, float, float, float], int]) -> dict[str, int]:
    """Count what `decide` says of every scheme, seed and attack."""
    said: Counter[str] = Counter()
    for row in results.rows:
        if row["scheme"] == PLAIN:
            continue
        before = next(cell for cell in row["removals"] if cell["removal"] == NONE)
        for cell in row["removals"]:
            if cell is not before:
                said[
                    STATES[decide(before["accuracy"], cell["accuracy"], before["p_value"], cell["p_value"])]
                ] += 1
    return {state: said[state] for state in STATES}


def share_believed(results: Results, scheme: str, *attacks: str) -> float:
    """Return the share of networks in which the mark of `scheme` is still believed after `attacks`, each of
    them on all seeds.
    """
    return mean(cell["p_value"] < GONE for attack in attacks for cell in cells(results, scheme, attack))


def share_accused(results: Results) -> float:
    """Return the share of claims that are believed against networks that never had a mark: every key, after
    every attack, on all seeds.
    """
    return mean(
        p < GONE
        for row in results.where(scheme=PLAIN)
        for cell in row["removals"]
        for p in cell["p_values"].values()
    )


# The exercises


STEPS = (0.0, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)  # points of accuracy


def price_slider(results: Results) -> ipywidgets.VBox:
    """Let the learner choose the accuracy that a thief is ready to lose, and see which marks survive."""
    slider = ipywidgets.SelectionSlider(
        options=[(f"{points:g} points", points) for points in STEPS],
        description="ready to lose",
        style={"description_width": "90px"},
        layout=ipywidgets.Layout(width="420px"),
    )
    return redrawn(lambda: depict(price_point, results, slider.value), slider)
