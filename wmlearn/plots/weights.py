"""The pictures of marks in weights and answers: messages, coins, how a mark shows, thieves."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ..words import decimal
from .canvas import GOLD, GREY, GRID, INK, RED, SLATE, Row, axes, described

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHADES = (INK, GOLD, RED)  # no mark, a quiet one, a loud one


def _say_messages(bits: Mapping[str, Tensor], side: int = 16) -> str:
    n = len(next(iter(bits.values())))
    parts = [f"{name}, {int(message.sum())} squares black" for name, message in bits.items()]
    return f"Messages of {n} bits, laid out in rows of {side}: {'; '.join(parts)}."


@described(_say_messages)
def messages(bits: Mapping[str, Tensor], side: int = 16, ax: Axes | None = None) -> Axes:
    """Draw each message (n,) of 0 and 1 as squares in rows of `side`, 1 black, with its name above."""
    ax = ax or axes(1.85 * len(bits), 2.1)
    step = side + 3
    for i, (name, message) in enumerate(bits.items()):
        left = step * i
        square = 1 - message.cpu().reshape(-1, side).int()
        height = len(square)
        extent = (left, left + side, height, 0)
        ax.imshow(square.numpy(), cmap="gray", extent=extent, vmin=0, vmax=1)
        right = left + side
        ax.plot((left, right, right, left, left), (0, 0, height, height, 0), color=GREY, linewidth=0.8)
        ax.text(left + side / 2, -0.8, name, ha="center", va="bottom", fontsize=8.5)
    ax.set(xlim=(-1.5, step * len(bits) - 1.5), ylim=(side + 0.5, -4.2))
    ax.axis("off")
    return ax


def _say_coins(innocent: Sequence[int], trials: int, cases: Mapping[str, int]) -> str:
    parts = ", ".join(f"{name} {hits}" for name, hits in cases.items())
    return (
        f"Bits of {trials} that agree: networks without the mark {min(innocent)} to {max(innocent)}, on"
        f" average {mean(innocent):.1f} ({len(innocent)} readings), as fair coins do; {parts}."
    )


@described(_say_coins)
def coins(innocent: Sequence[int], trials: int, cases: Mapping[str, int], ax: Axes | None = None) -> Axes:
    """Draw how many bits agree in readings of innocent networks, and the curve of fair coins.

    The `cases` are lines with their names.
    """
    from scipy.stats import binom

    ax = ax or axes(7.4, 2.4)
    width = 4
    bins = list(range(trials // 4, trials + width + 1, width))
    expected = [100 * float(binom.pmf(range(low, low + width), trials, 0.5).sum()) for low in bins[:-1]]
    percent = [100 / len(innocent)] * len(innocent)
    ax.hist(innocent, bins=bins, weights=percent, color=GREY, alpha=0.6, label="networks without the mark")
    middles = [low + width / 2 for low in bins[:-1]]
    ax.plot(middles, expected, color=INK, linewidth=1.6, label="fair coins")
    for i, (name, hits) in enumerate(cases.items()):
        height = (0.93 - 0.14 * i) * ax.get_ylim()[1]
        far = hits > 0.75 * trials
        ax.axvline(hits, color=RED, linewidth=1.6, linestyle="-" if far else "--")
        place = (hits - 4 if far else 0.43 * trials, height)
        arrow = {"arrowstyle": "-", "color": RED}
        ax.annotate(name, (hits, height), place, ha="right", va="center", color=RED, arrowprops=arrow)
    ax.legend(frameon=False, loc="center", bbox_to_anchor=(0.72, 0.42))
    ax.set(xlabel=f"bits that agree, of {trials}", ylabel="per cent of the readings")
    ax.set_xlim(bins[0], trials + width)
    return ax


def _deviations(layers: Sequence[Tensor]) -> dict[str, list[float]]:
    """Return the standard deviations of each layer (out, in, k, k)."""
    return {
        "of the weights": [float(weight.std()) for weight in layers],
        "of the mean filter": [float(weight.mean(0).std()) for weight in layers],
    }


def _say_spreads(layers: Mapping[str, Tensor], strangers: Sequence[Tensor]) -> str:
    known = _deviations(strangers)
    parts = []
    for what, values in _deviations(list(layers.values())).items():
        own = ", ".join(f"{name} {value:.3f}" for name, value in zip(layers, values, strict=True))
        span = f"{min(known[what]):.3f} to {max(known[what]):.3f}"
        parts.append(f"{what}, {len(strangers)} strangers {span}; {own}")
    return f"Standard deviations in a layer: {'; '.join(parts)}."


@described(_say_spreads)
def spreads(layers: Mapping[str, Tensor], strangers: Sequence[Tensor], ax: Axes | None = None) -> Axes:
    """Draw how the weights of a layer (out, in, k, k) are distributed in each network.

    At the right are their deviations, beside strangers'.
    """
    ax = ax or axes(7.4, 2.8)
    ax.axis("off")
    _draw_weights(ax.inset_axes((0.06, 0.22, 0.4, 0.68)), layers, strangers)
    known = _deviations(strangers)
    names = ["strangers", *layers]
    for i, (what, values) in enumerate(_deviations(list(layers.values())).items()):
        panel = ax.inset_axes((0.54 + 0.245 * i, 0.22, 0.2, 0.68))
        panel.scatter([0] * len(strangers), known[what], color=GREY, s=14)
        panel.scatter(range(1, len(names)), values, color=SHADES[: len(layers)], s=40, marker="D")
        panel.set_xticks(range(len(names)), names, rotation=30, ha="right", fontsize=7.5)
        panel.set(ylim=(0, None), xlim=(-0.6, len(layers) + 0.6))
        panel.set_title(f"deviation {what}", fontsize=8)
        panel.grid(axis="y", color=GRID, linewidth=0.8)
    return ax


def _draw_weights(panel: Axes, layers: Mapping[str, Tensor], strangers: Sequence[Tensor]) -> None:
    """Draw the histograms of the weights."""
    edges = [0.05 * i for i in range(-22, 23)]
    line: Any = {"bins": edges, "density": True, "histtype": "step"}
    for weight in strangers:
        panel.hist(weight.flatten().tolist(), **line, color=GREY, linewidth=0.5, alpha=0.6)
    for (name, weight), colour in zip(layers.items(), SHADES, strict=False):
        panel.hist(weight.flatten().tolist(), **line, color=colour, linewidth=1.8, label=name)
    panel.plot([], [], color=GREY, linewidth=0.8, label="strangers")
    panel.legend(frameon=False, fontsize=7.5, loc="upper left", borderaxespad=0, handlelength=1.2)
    panel.set(yscale="log", ylabel="density", xlim=(edges[0], edges[-1]), ylim=(1e-3, 20))
    panel.set_title("weights of the last convolution", fontsize=9)


def _say_likeness(tables: Mapping[str, Tensor]) -> str:
    parts = []
    for name, table in tables.items():
        best = table.max(1).values
        parts.append(f"{name}, the best of each row {float(best.min()):.2f} to {float(best.max()):.2f}")
    n = len(next(iter(tables.values())))
    return f"Cosines of the original's {n} filters with a suspect's, one row for each: {'; '.join(parts)}."


@described(_say_likeness)
def likeness(tables: Mapping[str, Tensor], ax: Axes | None = None) -> Axes:
    """Draw tables of cosines (out, out), the original's filters by row, the suspect's by column."""
    ax = ax or axes(2.4 * len(tables) + 0.9, 2.6)
    ax.axis("off")
    width = 0.92 / len(tables)
    for i, (name, table) in enumerate(tables.items()):
        panel = ax.inset_axes((i * width + 0.02, 0.08, 0.92 * width, 0.82))
        shades = panel.imshow(table.numpy(), cmap="cividis", vmin=-1, vmax=1)
        panel.set(xticks=[], yticks=[])
        panel.set_xlabel("the suspect's filters", fontsize=8)
        panel.set_title(name, fontsize=9)
        if i == 0:
            panel.set_ylabel("the original's filters", fontsize=8)
            bar = ax.inset_axes((0.94, 0.12, 0.012, 0.74))
            ax.figure.colorbar(shades, cax=bar, label="cosine")
    return ax


Curve = Callable[[Row], float]
"""What is drawn of each network."""


@dataclass(frozen=True)
class Panel:
    """Curves against the strength, by their names, and the scale on which they are drawn."""

    title: str
    curves: Mapping[str, Curve]
    bounds: tuple[float, float]


def _read(row: Row) -> float:
    return 100 * row["hits"] / row["trials"]


def _odd_in_width(row: Row) -> float:
    return 100 * row["weights_auc"]


def _odd_to_the_method(row: Row) -> float:
    return 100 * row["filter_auc"]


def _accuracy(row: Row) -> float:
    return 100 * row["accuracy"]


PANELS = (
    Panel("bits that agree, per cent", {"": _read}, (40, 102)),
    Panel(
        "a detector's AUC, per cent",
        {"by all weights": _odd_in_width, "by the mean filter": _odd_to_the_method},
        (-3, 103),
    ),
    Panel("accuracy, per cent", {"": _accuracy}, (98.5, 99.5)),
)
"""What is drawn against the strength."""


def _at(rows: Sequence[Row], strength: float) -> list[Row]:
    return [row for row in rows if row["strength"] == strength]


def _strengths(rows: Sequence[Row]) -> list[float]:
    return sorted({row["strength"] for row in rows})


def _say_strength(rows: Sequence[Row]) -> str:
    parts = []
    for strength in _strengths(rows):
        networks = _at(rows, strength)
        bits, width, method = (
            f"{mean(map(curve, networks)):.0f}" for curve in (_read, _odd_in_width, _odd_to_the_method)
        )
        accuracy = mean(map(_accuracy, networks))
        parts.append(f"{decimal(strength)}: {bits}, {width}, {method}, {accuracy:.2f}")
    n = len({row["seed"] for row in rows})
    what = "bits that agree, AUC by the width of all weights, AUC by that of the mean filter, and accuracy"
    return f"Per cent by strength, means of {n} networks, of {what}: {'; '.join(parts)}."


@described(_say_strength)
def strength(rows: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw against the strength of a mark in the weights: bits read, how odd the weights look, accuracy.

    Dots are networks.
    """
    return _strength(rows, None, ax)


def _say_point(rows: Sequence[Row], at: float) -> str:
    networks = _at(rows, at)
    bits = ", ".join(str(row["hits"]) for row in networks)
    width, method, accuracy = (
        _numbers(networks, curve) for curve in (_odd_in_width, _odd_to_the_method, _accuracy)
    )
    return (
        f"Strength {decimal(at)}: the networks spell {bits} of {rows[0]['trials']} bits;"
        f" {width} % of the strangers look less odd in all weights, {method} % in the mean filter;"
        f" accuracy {accuracy} %."
    )


def _numbers(rows: Sequence[Row], curve: Curve) -> str:
    return ", ".join(f"{curve(row):.4g}" for row in rows)


@described(_say_point)
def strength_point(rows: Sequence[Row], at: float, ax: Axes | None = None) -> Axes:
    """Draw the panels of `strength`, and mark one strength."""
    return _strength(rows, at, ax)


def _strength(rows: Sequence[Row], marked: float | None, ax: Axes | None) -> Axes:
    ax = ax or axes(7.4, 2.7)
    ax.axis("off")
    strengths = _strengths(rows)
    words = {0.0: "0", 1e-4: "$10^{-4}$", 1e-2: "$10^{-2}$", 1.0: "1"}
    for i, content in enumerate(PANELS):
        panel = ax.inset_axes((0.04 + 0.335 * i, 0.2, 0.28, 0.66))
        if len(content.curves) == 1:
            (curve,) = content.curves.values()
            panel.axhline(mean(map(curve, _at(rows, 0.0))), color=GREY, linewidth=1.2, linestyle=":")
        for (name, curve), colour, marker in zip(content.curves.items(), (INK, RED), "os", strict=False):
            values = [list(map(curve, _at(rows, strength))) for strength in strengths]
            _draw_curve(panel, values, name, colour, marker)
        if len(content.curves) > 1:
            panel.legend(frameon=False, fontsize=8, loc="lower right")
        if marked is not None:
            panel.axvline(strengths.index(marked), color=GOLD, linewidth=8, alpha=0.4, zorder=0)
        panel.set_xticks(range(len(strengths)), [words.get(strength, "") for strength in strengths])
        panel.set(ylim=content.bounds, xlabel="strength λ")
        panel.set_title(content.title, fontsize=8.5)
        panel.grid(axis="y", color=GRID, linewidth=0.8)
    return ax


def _draw_curve(panel: Axes, values: Sequence[Sequence[float]], name: str, colour: str, marker: str) -> None:
    """Draw the values at each place: a dot for each, and a line through the means."""
    means = [mean(heights) for heights in values]
    panel.plot(range(len(values)), means, color=colour, linewidth=1.5, label=name)
    for place, heights in enumerate(values):
        panel.scatter([place] * len(heights), heights, color=colour, s=12, marker=marker)


Thief = Sequence[Row]
"""What a thief had at each stop: epochs, hits, p_value, accuracy."""


def _say_stolen(thieves: Sequence[Thief], trials: Sequence[int], honest: float) -> str:
    parts = []
    for stops in zip(*thieves, strict=True):
        hits = ", ".join(f"{stop['hits']} of {n}" for stop, n in zip(stops, trials, strict=True))
        worst = max(stop["p_value"] for stop in stops)
        accuracy = 100 * mean(stop["accuracy"] for stop in stops)
        epochs = stops[0]["epochs"]
        parts.append(f"after {epochs} epochs {hits}, p at most {worst:.0e}, accuracy {accuracy:.2f} %")
    return (
        f"Wrong answers of a service that a thief's network repeats, {len(thieves)} thieves:"
        f" {'; '.join(parts)}. The service's accuracy is {100 * honest:.2f} %."
    )


@described(_say_stolen)
def stolen(thieves: Sequence[Thief], trials: Sequence[int], honest: float, ax: Axes | None = None) -> Axes:
    """Draw the p-value of the owner's claim, and the thief's accuracy, against the length of his training.

    The `trials` are for the sentence only; `honest` is the service's accuracy.
    """
    ax = ax or axes(7.4, 2.6)
    ax.axis("off")
    proof = ax.inset_axes((0.08, 0.19, 0.4, 0.68))
    worth = ax.inset_axes((0.58, 0.19, 0.4, 0.68))
    line: Any = {"marker": "o", "markersize": 4, "linewidth": 1.2}
    for stops in thieves:
        epochs = [stop["epochs"] for stop in stops]
        proof.plot(epochs, [-math.log10(stop["p_value"]) for stop in stops], color=RED, **line)
        worth.plot(epochs, [100 * stop["accuracy"] for stop in stops], color=INK, **line)
    epochs = [stop["epochs"] for stop in thieves[0]]
    small: Any = {"va": "bottom", "fontsize": 8}
    proof.axhline(3, color=INK, linestyle="--", linewidth=1.2)
    proof.text(epochs[-1], 3, "the judge's line ", color=INK, ha="right", **small)
    worth.axhline(100 * honest, color=GREY, linestyle=":", linewidth=1.5)
    worth.text(epochs[0], 100 * honest, "the service", color=SLATE, **small)
    proof.set(title="zeros in the p-value", ylim=(0, 1.1 * max(4.0, proof.get_ylim()[1])))
    worth.set(title="per cent of digits read", ylim=(None, 100))
    for panel in (proof, worth):
        panel.set(xlabel="epochs that the thief trains", xticks=epochs)
        panel.grid(axis="y", color=GRID, linewidth=0.8)
    return ax
