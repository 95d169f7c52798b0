"""What the cells of notebook 06 call: a search that is watched, cleaned signs, who finds what; its dial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

import ipywidgets
from torch import Tensor, nn

from ...data import Samples
from ...data.signs import draw
from ...detection import NeuralCleanse, Scan
from ...evidence import bystanders
from ...experiments import Results, signs
from ...experiments.experiment import Row
from ...experiments.signs import of_kinds
from ...plots.detection import Finding, Frames, Table, classes
from ...plots.names import BACKDOORS, DETECTORS
from ...poisoning import success_rate
from ...removal import FinePrune
from ...training import Recipe, accuracy, best_device
from ...triggers import Sticker
from ..widgets import depict, redraw

CLEANING = Recipe(epochs=5, lr=3e-3, batch_size=32)
"""Chosen on signs of another seed."""


def honest() -> nn.Module:
    """Return a network that ships with the course and never saw a trigger."""
    return bystanders.shipped("mnist", 9, 10)[0].to(best_device())


def watched(model: nn.Module, samples: Samples, every: int = 4, **settings: Any) -> tuple[Scan, Frames]:
    """Scan `model`, and keep what was painted after every fourth step."""
    frames: dict[int, Tensor] = {}

    def keep(step: int, pattern: Tensor, mask: Tensor) -> None:
        if step % every == 0:
            frames[step] = (pattern * mask).cpu()

    return NeuralCleanse(**settings)(model, samples, on_step=keep), frames


def some(frames: Frames, n: int = 6) -> Frames:
    """Return `n` of the frames, the first and the last among them."""
    steps = list(frames)
    chosen = [steps[round(i * (len(steps) - 1) / (n - 1))] for i in range(n)]
    return {step: frames[step] for step in chosen}


@dataclass(frozen=True)
class CleanedSigns:
    """Network -> share of clean signs read rightly, and of `n_stop` stop signs with a square that obey."""

    accuracy: dict[str, float]
    success: dict[str, float]
    n_stop: int


def pruned_signs() -> CleanedSigns:
    """Clean the network of signs with 450 clean ones."""
    honest, bought = signs.two_networks()
    own = _us_signs(450, seed=77)
    test = _us_signs(1200, seed=1)
    twins = _us_signs(1200, seed=1, sticker=signs.STICKERS["square"])
    networks = {
        "honest (control)": honest,
        "bought": bought,
        "fine-tuned (control)": FinePrune(0.0, CLEANING)(bought, own),
        "fine-pruned": FinePrune(0.95, CLEANING)(bought, own),
    }
    success = {}
    for name, network in networks.items():
        success[name] = success_rate(network, test, twins.x, signs.LIMIT, source=signs.STOP)
    read = {name: accuracy(network, test) for name, network in networks.items()}
    return CleanedSigns(read, success, int((test.y == signs.STOP).sum()))


def _us_signs(n: int, seed: int, sticker: Sticker | None = None) -> Samples:
    return of_kinds(draw("us", n, seed=seed, sticker=sticker), "us").to(best_device())


# What ships


def finders(results: Results) -> Table:
    """Set every attack beside every detector: how much is found, and what is accused wrongly."""
    table = {}
    for attack, title in BACKDOORS.items():
        rows = results.where(attack=attack)
        table[title] = {name: _finding(rows, key) for key, name in DETECTORS.items()}
    return table


def _finding(rows: Sequence[Row], key: str) -> Finding:
    """Say what one detector did on the networks of one attack; false alarms stand in brackets."""
    judged = [row for row in rows if key in row]
    if not judged:
        return Finding(None, "")
    backdoored = bool(judged[0]["targets"])
    if "flagged" in judged[0][key]:
        return _flagged(judged, key) if backdoored else Finding(None, f"({_accused(judged, key)})")
    false = 100 * mean(row[key]["false"] for row in judged)
    if not backdoored:
        return Finding(None, f"({false:.1f})")
    caught = mean(row[key]["caught"] for row in judged)
    return Finding(caught, f"{100 * caught:.0f} ({false:.1f})")


def _flagged(rows: Sequence[Row], key: str) -> Finding:
    right = sum(bool(set(row["targets"]) & set(row[key]["flagged"])) for row in rows)
    return Finding(right / len(rows), f"{right} of {len(rows)}")


def _accused(rows: Sequence[Row], key: str) -> str:
    return f"{sum(bool(row[key]['flagged']) for row in rows)} of {len(rows)}"


def average(results: Results, attack: str, detector: str, key: str) -> float:
    """Return the mean over networks of what a detector measured on an attack."""
    return mean(row[detector][key] for row in results.where(attack=attack))


def flagged(results: Results, attack: str, detector: str = "neural_cleanse") -> float:
    """Return the share of networks in which a target was flagged; of clean ones, any class."""
    rows = results.where(attack=attack)
    return mean(bool(set(row[detector]["flagged"]) & set(row["targets"] or range(43))) for row in rows)


# To play with


def growing(frames_of: Mapping[str, Frames]) -> ipywidgets.VBox:
    """Let the learner slide through the steps of a search, and see each class's trigger in each network."""
    steps = list(next(iter(frames_of.values())))
    slider = ipywidgets.SelectionSlider(
        options=steps,
        value=steps[-1],
        description="step",
        layout=ipywidgets.Layout(width="420px"),
        continuous_update=False,
    )

    def look() -> list[bytes | str]:
        parts: list[bytes | str] = []
        for name, frames in frames_of.items():
            parts += [f"<b>{name}</b>", *depict(classes, frames, slider.value)]
        return parts

    return redraw(look, slider)
