"""The exercises of notebook 06: reference, cases, named mistakes, hints; and what its cells show."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import mean
from typing import Any

import ipywidgets
from torch import Tensor, nn

from ...data import Samples
from ...data.signs import draw
from ...detection import NeuralCleanse, Scan
from ...evidence import bystanders
from ...experiments import Results, signs
from ...experiments.signs import of_kinds
from ...plots.detection import Frames, Table, classes
from ...poisoning import success_rate
from ...removal import FinePrune
from ...training import Recipe, accuracy, best_device
from ..widgets import depict, redrawn

ATTACKS = {
    "clean": "no backdoor (control)",
    "pattern": "pattern, 10 %, all to 0",
    "pattern, 3 %": "pattern, 3 %, all to 0",
    "single pixel": "one pixel, 10 %, all to 0",
    "one class": "pattern, only 7 to 0",
    "all to all": "pattern, each to the next",
    "clean label": "ramp on zeros, no wrong label",
    "signs, clean": "signs, no backdoor (control)",
    "signs, square": "signs, stop to limit 35",
}
DETECTORS = {
    "neural_cleanse": "Neural Cleanse",
    "neural_cleanse_source": "… by source",
    "activation_clustering": "clustering",
    "spectral_signatures": "spectral",
    "strip": "STRIP",
    "ted": "company kept",
}


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


def stamped_half(samples: Samples, found: Scan, target: int) -> Samples:
    """Return `samples` with the found trigger on every second image, and the right labels on all: what the
    backdoor must unlearn.
    """
    x = samples.x.clone()
    x[::2] = found.trigger(target)(x[::2])
    return Samples(x, samples.y, samples.classes)


def pruned_signs() -> tuple[dict[str, tuple[float, float]], int]:
    """Clean the network of signs with 450 clean ones: network -> share of clean signs read rightly, of stop
    signs with a square that obey.

    Also returns how many stop signs that is. The recipe was chosen on signs of another seed.
    """
    clean, square = signs.two_networks()
    mine, test = (
        of_kinds(draw("us", n, seed=seed), "us").to(best_device()) for n, seed in ((450, 77), (1200, 1))
    )
    twins = of_kinds(draw("us", 1200, seed=1, sticker=signs.STICKERS["square"]), "us").x.to(best_device())
    recipe = Recipe(epochs=5, lr=3e-3, batch_size=32)
    cleaned = {
        name: FinePrune(ratio, recipe)(square, mine)
        for name, ratio in (("fine-tuned (control)", 0.0), ("fine-pruned", 0.95))
    }
    networks = {"honest (control)": clean, "bought": square, **cleaned}
    rates = {
        name: (accuracy(net, test), success_rate(net, test, twins, signs.LIMIT, source=signs.STOP))
        for name, net in networks.items()
    }
    return rates, int((test.y == signs.STOP).sum())


# What ships


def finders(results: Results) -> Table:
    """Set every attack beside every detector: how much is found, and what is accused wrongly."""
    return {
        title: {name: _cell(results, attack, key) for key, name in DETECTORS.items()}
        for attack, title in ATTACKS.items()
    }


def _cell(results: Results, attack: str, key: str) -> tuple[float | None, str]:
    rows = [row for row in results.where(attack=attack) if key in row]
    if not rows:
        return None, ""
    if "flagged" in rows[0][key]:
        right = [bool(set(row["targets"]) & set(row[key]["flagged"])) for row in rows]
        if rows[0]["targets"]:
            return mean(right), f"{sum(right)} of {len(rows)}"
        return None, f"({sum(bool(row[key]['flagged']) for row in rows)} of {len(rows)})"
    false = mean(row[key]["false"] for row in rows)
    if not rows[0]["targets"]:
        return None, f"({100 * false:.1f})"
    caught = mean(row[key]["caught"] for row in rows)
    return caught, f"{100 * caught:.0f} ({100 * false:.1f})"


def average(results: Results, attack: str, detector: str, key: str) -> float:
    """Return the mean over networks of what a detector measured on an attack."""
    return mean(row[detector][key] for row in results.where(attack=attack))


def flagged(results: Results, attack: str, detector: str = "neural_cleanse") -> float:
    """Return the share of networks in which a target was flagged; of clean ones, any class."""
    rows = results.where(attack=attack)
    return mean(bool(set(row[detector]["flagged"]) & set(row["targets"] or range(43))) for row in rows)


# Exercises


def growing(frames_of: Mapping[str, Frames]) -> ipywidgets.VBox:
    """Let the learner slide through the steps of a search, and see what each class's trigger looks like by
    then, network by network.
    """
    steps = list(next(iter(frames_of.values())))
    slider = ipywidgets.SelectionSlider(
        options=steps,
        value=steps[-1],
        description="step",
        layout=ipywidgets.Layout(width="420px"),
        continuous_update=False,
    )

    def look() -> list[bytes | str]:
        return [
            part
            for name, frames in frames_of.items()
            for part in (f"<b>{name}</b>", *depict(classes, frames, slider.value))
        ]

    return redrawn(look, slider)
