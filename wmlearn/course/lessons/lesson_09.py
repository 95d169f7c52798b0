"""What the cells of notebook 09 call: changed weights, counts over the table of attacks; and the slider."""

from __future__ import annotations

import copy
from collections.abc import Callable
from statistics import mean

import ipywidgets
import torch
from torch import Tensor, nn

from ...experiments import Results
from ...experiments.removal import GONE, NONE, PLAIN, claims_on, p_value, p_values
from ...plots.removal import price_point
from ..widgets import depict, redraw

STATES = ("void", "destroyed", "believed", "not believed")
"""What the number that `decide` returns says."""


def changed(network: nn.Module, change: Callable[[Tensor], Tensor]) -> nn.Module:
    """Return a copy with `change` made to the weights of convolutions and linear layers; biases stay."""
    new = copy.deepcopy(network)
    with torch.no_grad():
        for layer in new.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.weight.copy_(change(layer.weight.detach()))  # NumPy takes no parameter
    return new


def states(results: Results, decide: Callable[[float, float, float, float], int]) -> dict[str, int]:
    """Count what `decide` says of every scheme, seed and attack."""
    counts: dict[str, int] = dict.fromkeys(STATES, 0)
    marked = [row for row in results.rows if row["scheme"] != PLAIN]
    for row in marked:
        before = next(cell for cell in row["removals"] if cell["removal"] == NONE)
        for after in row["removals"]:
            if after is not before:
                p = [
                    p_value(results, row["scheme"], cell["hits"], cell["trials"]) for cell in (before, after)
                ]
                state = decide(before["accuracy"], after["accuracy"], *p)
                counts[STATES[state]] += 1
    return counts


def share_believed(results: Results, scheme: str, *attacks: str) -> float:
    """Return the share of networks in which the mark of `scheme` is believed after `attacks`, all seeds."""
    return mean(p <= GONE for attack in attacks for p in p_values(results, scheme, attack))


def share_accused(results: Results) -> float:
    """Return the share of claims that are believed against networks that never had a mark.

    Every key with random labels or bits is tried, after every attack, on all seeds.
    """
    after = [cell for row in results.where(scheme=PLAIN) for cell in row["removals"]]
    return mean(p <= GONE for cell in after for p in claims_on(results, cell))


# To play with


STEPS = (0.0, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)  # points of accuracy


def price_slider(results: Results) -> ipywidgets.VBox:
    """Let the learner choose the accuracy that a thief is ready to lose, and see which marks survive."""
    slider = ipywidgets.SelectionSlider(
        options=[(f"{points:g} points", points) for points in STEPS],
        description="ready to lose",
        style={"description_width": "90px"},
        layout=ipywidgets.Layout(width="420px"),
    )
    return redraw(lambda: depict(price_point, results, slider.value), slider)
