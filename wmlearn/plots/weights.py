"""The pictures of marks in weights and answers: messages, coins, how a mark shows, a service's thieves, the
yardsticks of the field.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import mean
from typing import TYPE_CHECKING

from torch import Tensor

from ..words import decimal
from .canvas import GOLD, GREY, INK, RED, Row, axes, described

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GRID = "#e4e7eb"
SHADES = (INK, GOLD, RED)  # no mark, a quiet one, a loud one


def _say_messages(bits: Mapping[str, Tensor], side: int = 16) -> str:
    n = len(next(iter(bits.values())))
    said = "; ".join(f"{name}, {int(message.sum())} squares black" for name, message in bits.items())
    return f"Messages of {n} bits, laid out in rows of {side}: {said}."


@described(_say_messages)
def messages(bits: Mapping[str, Tensor], side: int = 16, ax: Axes | None = None) -> Axes:
    """Draw each message (n,) of 0 and 1 as squares in rows of `side`, 1 black, with its name above."""
    ax, step = ax or axes(1.85 * len(bits), 2.1), side + 3
    for i, (name, message) in enumerate(bits.items()):
        square = message.cpu().reshape(-1, side)
        ax.imshow(
            1 - square.numpy(),
            cmap="gray",
            extent=(step * i, step * i + side, len(square), 0),
            vmin=0,
            vmax=1,
        )
        ax.plot(
            [step * i + x for x in (0, side, side, 0, 0)],
            [y * len(square) for y in (0, 0, 1, 1, 0)],
            color=GREY,
            linewidth=0.8,
        )
        ax.text(step * i + side / 2, -0.8, name, ha="center", va="bottom", fontsize=8.5)
    ax.set(xlim=(-1.5, step * len(bits) - 1.5), ylim=(side + 0.5, -4.2))
    ax.axis("off")
    return ax


def _say_coins(innocent: Sequence[int], trials: int, cases: Mapping[str, int]) -> str:
    said = ", ".join(f"{name} {hits}" for name, hits in cases.items())
    return (
        f"Bits of {trials} that agree: networks without the mark {min(innocent)} to {max(innocent)}, on"
        f" average {mean(innocent):.1f} ({len(innocent)} readings), as fair coins do; {said}."
    )


@described(_say_coins)
def coins(innocent: Sequence[int], trials: int, cases: Mapping[str, int], ax: Axes | None = None) -> Axes:
    """Draw how many bits agree in readings of innocent networks, the curve of fair coins, and the `cases` as
    lines with their names.
    """
    from scipy.stats import binom

    ax, width = ax or axes(7.4, 2.4), 4
    bins = list(range(trials // 4, trials + width + 1, width))
    expected = [100 * float(binom.pmf(range(low, low + width), trials, 0.5).sum()) for low in bins[:-1]]
    weights = [100 / len(innocent)] * len(innocent)
    ax.hist(innocent, bins=bins, weights=weights, color=GREY, alpha=0.6, label="networks without the mark")
    ax.plot([low + width / 2 for low in bins[:-1]], expected, color=INK, linewidth=1.6, label="fair coins")
    for i, (name, hits) in enumerate(cases.items()):
        height, far = (0.93 - 0.14 * i) * ax.get_ylim()[1], hits > 0.75 * trials
        ax.axvline(hits, color=RED, linewidth=1.6, linestyle="-" if far else "--")
        place = hits - 4 if far else 0.43 * trials
        ax.annotate(
            name,
            (hits, height),
            (place, height),
            ha="right",
            va="center",
            color=RED,
            arrowprops={"arrowstyle": "-", "color": RED},
        )
    ax.legend(frameon=False, loc="center", bbox_to_anchor=(0.72, 0.42))
    ax.set(
        xlabel=f"bits that agree, of {trials}",
        ylabel="per cent of the readings",
        xlim=(bins[0], trials + width),
    )
    return ax


def _deviations(layers: Sequence[Tensor]) -> dict[str, list[float]]:
    return {
        "of the weights": [float(weight.std()) for weight in layers],
        "of the mean filter": [float(weight.mean(0).std()) for weight in layers],
    }


def _say_spreads(layers: Mapping[str, Tensor], strangers: Sequence[Tensor]) -> str:
    says = []
    for (what, known), mine in zip(
        _deviations(strangers).items(), _deviations(list(layers.values())).values(), strict=True
    ):
        said = ", ".join(f"{name} {value:.3f}" for name, value in zip(layers, mine, strict=True))
        says.append(f"{what}, {len(known)} strangers {min(known):.3f} to {max(known):.3f}; {said}")
    return f"Standard deviations in a layer: {'; '.join(says)}."


@described(_say_spreads)
def spreads(layers: Mapping[str, Tensor], strangers: Sequence[Tensor], ax: Axes | None = None) -> Axes:
    """Draw how the weights of a layer (out, in, k, k) are distributed in each network; at the right
    deviations, beside strangers'.
    """
    ax = ax or axes(7.4, 2.8)
    ax.axis("off")
    left = ax.inset_axes((0.06, 0.22, 0.4, 0.68))
    edges = [0.05 * i for i in range(-22, 23)]
    for weight in strangers:
        left.hist(
            weight.flatten().tolist(),
            bins=edges,
            density=True,
            histtype="step",
            color=GREY,
            linewidth=0.5,
            alpha=0.6,
        )
    for (name, weight), colour in zip(layers.items(), SHADES, strict=False):
        left.hist(
            weight.flatten().tolist(),
            bins=edges,
            density=True,
            histtype="step",
            color=colour,
            linewidth=1.8,
            label=name,
        )
    left.plot([], [], color=GREY, linewidth=0.8, label="strangers")
    left.legend(frameon=False, fontsize=7.5, loc="upper left", borderaxespad=0, handlelength=1.2)
    left.set(yscale="log", ylabel="density", xlim=(edges[0], edges[-1]), ylim=(1e-3, 20))
    left.set_title("weights of the last convolution", fontsize=9)
    known, mine = _deviations(strangers), _deviations(list(layers.values()))
    for i, what in enumerate(known):
        panel = ax.inset_axes((0.54 + 0.245 * i, 0.22, 0.2, 0.68))
        panel.scatter([0] * len(strangers), known[what], color=GREY, s=14)
        panel.scatter(range(1, len(layers) + 1), mine[what], color=SHADES[: len(layers)], s=40, marker="D")
        panel.set_xticks(
            range(len(layers) + 1), ["strangers", *layers], rotation=30, ha="right", fontsize=7.5
        )
        panel.set(ylim=(0, None), xlim=(-0.6, len(layers) + 0.6))
        panel.set_title(f"deviation {what}", fontsize=8)
        panel.grid(axis="y", color=GRID, linewidth=0.8)
    return ax


Curve = Callable[[Row], float]


def _by_strength(rows: Sequence[Row], value: Curve) -> dict[float, list[float]]:
    return {
        s: [value(row) for row in rows if row["strength"] == s]
        for s in sorted({row["strength"] for row in rows})
    }


PANELS: dict[str, tuple[dict[str, Curve], tuple[float, float]]] = {
    "bits read, per cent": ({"": lambda row: 100 * row["hits"] / row["trials"]}, (40, 102)),
    "strangers that look less odd, per cent": (
        {
            "in width": lambda row: 100 * row["weights_auc"],
            "to the method": lambda row: 100 * row["filter_auc"],
        },
        (-3, 103),
    ),
    "digits read, per cent": ({"": lambda row: 100 * row["accuracy"]}, (98.5, 99.5)),
}
"""What is drawn against the strength, and on which scale."""
CURVES = [curve for curves, _ in PANELS.values() for curve in curves.values()]


def _say_strength(rows: Sequence[Row]) -> str:
    means = [{s: mean(values) for s, values in _by_strength(rows, curve).items()} for curve in CURVES]
    says = [
        f"{decimal(s)}: {bits:.0f}, {wide:.0f}, {known:.0f}, {right:.2f}"
        for s, bits, wide, known, right in _columns(means)
    ]
    n = len({row["seed"] for row in rows})
    what = "bits read, strangers that look less odd in width, and to who knows the method, and digits read"
    return f"Per cent by strength, means of {n} networks, of {what}: {'; '.join(says)}."


def _columns(means: Sequence[Mapping[float, float]]) -> list[tuple[float, ...]]:
    return [(strength, *(column[strength] for column in means)) for strength in means[0]]


@described(_say_strength)
def strength(rows: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw against the strength of a mark in the weights: bits read, how odd the weights look, accuracy; dots
    are networks.
    """
    return _strength(rows, None, ax)


def _say_point(rows: Sequence[Row], at: float) -> str:
    here, trials = [row for row in rows if row["strength"] == at], rows[0]["trials"]
    bits = ", ".join(str(row["hits"]) for row in here)
    wide, known, right = (", ".join(f"{curve(row):.4g}" for row in here) for curve in CURVES[1:])
    return (
        f"Strength {decimal(at)}: the networks spell {bits} of {trials} bits rightly; {wide} % of the"
        f" strangers look less odd in width, {known} % to who knows the method; they read {right} % of the"
        " digits."
    )


@described(_say_point)
def strength_point(rows: Sequence[Row], at: float, ax: Axes | None = None) -> Axes:
    """Draw the panels of `strength`, and mark one strength."""
    return _strength(rows, at, ax)


def _strength(rows: Sequence[Row], marked: float | None, ax: Axes | None) -> Axes:
    ax = ax or axes(7.4, 2.7)
    ax.axis("off")
    strengths = sorted({row["strength"] for row in rows})
    for i, (title, (curves, bounds)) in enumerate(PANELS.items()):
        panel = ax.inset_axes((0.04 + 0.335 * i, 0.2, 0.28, 0.66))
        for (name, curve), colour, marker in zip(curves.items(), (INK, RED), "os", strict=False):
            found = _by_strength(rows, curve)
            if len(curves) == 1:
                panel.axhline(mean(found[0.0]), color=GREY, linewidth=1.2, linestyle=":")
            panel.plot(
                range(len(strengths)),
                [mean(values) for values in found.values()],
                color=colour,
                linewidth=1.5,
                label=name,
            )
            dots = [(place, each) for place, values in enumerate(found.values()) for each in values]
            panel.scatter(*zip(*dots, strict=True), color=colour, s=12, marker=marker)
        if len(curves) > 1:
            panel.legend(frameon=False, fontsize=8, loc="lower right")
        if marked is not None:
            panel.axvline(strengths.index(marked), color=GOLD, linewidth=8, alpha=0.4, zorder=0)
        named = {0.0: "0", 1e-4: "$10^{-4}$", 1e-2: "$10^{-2}$", 1.0: "1"}
        panel.set_xticks(range(len(strengths)), [named.get(s, "") for s in strengths])
        panel.set(ylim=bounds, xlabel="strength λ")
        panel.set_title(title, fontsize=8.5)
        panel.grid(axis="y", color=GRID, linewidth=0.8)
    return ax


Thief = Sequence[Row]
"""What a thief had at each stop: epochs, hits, p_value, accuracy."""


def _say_stolen(thieves: Sequence[Thief], trials: Sequence[int], honest: float) -> str:
    says = []
    for stops in zip(*thieves, strict=True):
        hits = ", ".join(f"{stop['hits']} of {n}" for stop, n in zip(stops, trials, strict=True))
        worst = max(stop["p_value"] for stop in stops)
        accuracy = 100 * mean(stop["accuracy"] for stop in stops)
        says.append(
            f"after {stops[0]['epochs']} epochs {hits}, p at most {worst:.0e}, accuracy {accuracy:.2f} %"
        )
    return (
        f"Wrong answers of a service that a thief's network repeats, {len(thieves)} thieves:"
        f" {'; '.join(says)}. The service reads {100 * honest:.2f} % rightly."
    )


@described(_say_stolen)
def stolen(thieves: Sequence[Thief], trials: Sequence[int], honest: float, ax: Axes | None = None) -> Axes:
    """Draw two panels against the length of a thief's training: the p-value of the owner's claim, and the
    thief's accuracy.
    """
    ax = ax or axes(7.4, 2.6)
    ax.axis("off")
    proof, worth = ax.inset_axes((0.08, 0.19, 0.4, 0.68)), ax.inset_axes((0.58, 0.19, 0.4, 0.68))
    for stops in thieves:
        epochs = [stop["epochs"] for stop in stops]
        proof.plot(
            epochs,
            [-math.log10(stop["p_value"]) for stop in stops],
            color=RED,
            marker="o",
            markersize=4,
            linewidth=1.2,
        )
        worth.plot(
            epochs,
            [100 * stop["accuracy"] for stop in stops],
            color=INK,
            marker="o",
            markersize=4,
            linewidth=1.2,
        )
    proof.axhline(3, color=INK, linestyle="--", linewidth=1.2)
    proof.text(
        thieves[0][-1]["epochs"], 3, "the judge's line ", color=INK, ha="right", va="bottom", fontsize=8
    )
    worth.axhline(100 * honest, color=GREY, linestyle=":", linewidth=1.5)
    worth.text(thieves[0][0]["epochs"], 100 * honest, "the service", color="#5f6c77", va="bottom", fontsize=8)
    proof.set(title="zeros in the p-value", ylim=(0, 1.1 * max(4.0, proof.get_ylim()[1])))
    worth.set(title="per cent of digits read", ylim=(None, 100))
    for panel in (proof, worth):
        panel.set(xlabel="epochs that the thief trains", xticks=[stop["epochs"] for stop in thieves[0]])
        panel.grid(axis="y", color=GRID, linewidth=0.8)
    return ax


NAMES = {
    "plain": "no mark",
    "adi2018": "Adi, from scratch",
    "adi2018-pretrained": "Adi, pretrained",
    "zhang2018-content": "Zhang, content",
    "zhang2018-unrelated": "Zhang, unrelated",
    "zhang2018-noise": "Zhang, noise",
    "gu2017-patch": "Gu, patch",
    "lemerrer2019": "Le Merrer, frontier",
    "jia2021-ewe": "Jia, entangled",
    "chen2019-blackmarks": "Chen, Blackmarks",
    "szyller2021-dawn": "Szyller, DAWN",
    "uchida2017": "Uchida, weights",
}
"""Scheme -> how a figure calls it."""


Plain = Mapping[int, Row]
"""Seed -> the network without a mark."""


def _fidelity(row: Row, plain: Plain) -> list[float]:
    other = (
        mean(each["accuracy"] for each in plain.values())
        if row["scheme"] == "plain"
        else plain[row["seed"]]["accuracy"]
    )
    return [100 * (row["accuracy"] - other)]


def _effectiveness(row: Row, _: Plain) -> list[float]:
    return [100 * row["hits"] / row["trials"]] if "hits" in row else []


def _reliability(row: Row, _: Plain) -> list[float]:
    return [100 * mean(p > 0.01 for p in row["strangers_p"])] if "hits" in row else []


def _capacity(row: Row, _: Plain) -> list[float]:
    return [row["bits"]] if "hits" in row else []


def _inputs(row: Row, _: Plain) -> list[float]:
    return [] if row.get("inputs_auc") is None else [row["inputs_auc"]]


def _weights(row: Row, _: Plain) -> list[float]:
    return [] if row.get("weights_auc") is None else [row["weights_auc"]]


def _cost(row: Row, plain: Plain) -> list[float]:
    from ..experiments.watermarks import STARTS_TRAINED

    more = 0 if row["scheme"] in STARTS_TRAINED else plain[row["seed"]]["seconds"]
    return [row["seconds"] - more] if "hits" in row else []


YARDSTICKS: dict[str, tuple[Callable[[Row, Plain], list[float]], str, str]] = {
    "fidelity": (_fidelity, "accuracy change,\npoints", "+.2f"),
    "effectiveness": (_effectiveness, "of the mark read,\nper cent", ".0f"),
    "reliability": (_reliability, "strangers not\naccused, per cent", ".0f"),
    "capacity": (_capacity, "bits that the\nmark carries", ".0f"),
    "secrecy, inputs": (_inputs, "AUC of who tells\nkey from test images", ".2f"),
    "secrecy, weights": (_weights, "AUC of who\ncompares weights", ".2f"),
    "cost": (_cost, "seconds more than\nplain training", "+.1f"),
}
"""Yardstick -> what it measures in a row, nothing where it doesn't apply; in which unit; how it is said."""


def _sorted(rows: Sequence[Row]) -> tuple[dict[str, list[Row]], dict[int, Row]]:
    plain = {row["seed"]: row for row in rows if row["scheme"] == "plain"}
    return {
        scheme: found for scheme in NAMES if (found := [row for row in rows if row["scheme"] == scheme])
    }, plain


def _say_yardsticks(rows: Sequence[Row]) -> str:
    schemes, plain = _sorted(rows)
    says = []
    for scheme, found in schemes.items():
        values = {
            name: [v for row in found for v in measure(row, plain)]
            for name, (measure, _, _) in YARDSTICKS.items()
        }
        said = ", ".join(
            f"{name} {mean(each):{YARDSTICKS[name][2]}}"
            for name, each in values.items()
            if each and scheme != "plain"
        )
        says.append(f"{NAMES[scheme]}: {said or 'the networks to compare with'}")
    units = ", ".join(f"{name} ({unit})" for name, (_, unit, _) in YARDSTICKS.items()).replace("\n", " ")
    return f"Watermarks by yardsticks: {units}; means of {len(plain)} networks. {'; '.join(says)}."


@described(_say_yardsticks)
def yardsticks(rows: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw a panel for each yardstick, a line for each scheme, a dot for each network; `rows` are those of
    one data set, with "plain".

    Schemes are told apart by their line; red diamonds need the weights to be verified.
    """
    schemes, plain = _sorted(rows)
    ax = ax or axes(10.4, 0.27 * len(schemes) + 1.2)
    ax.axis("off")
    for i, (name, (measure, unit, _)) in enumerate(YARDSTICKS.items()):
        panel = ax.inset_axes((0.125 + 0.126 * i, 0.19, 0.108, 0.72))
        for line, (scheme, found) in enumerate(schemes.items()):
            x = [value for row in found for value in measure(row, plain)]
            inside = scheme != "plain" and not found[0]["queries"]
            colour = GREY if scheme == "plain" else RED if inside else INK
            panel.scatter(
                x,
                [line] * len(x),
                s=24 if inside else 18,
                marker="D" if inside else "o",
                color=colour,
                alpha=0.65,
                linewidth=0,
            )
        panel.set_yticks(range(len(schemes)), [NAMES[scheme] for scheme in schemes] if i == 0 else [])
        panel.set(ylim=(len(schemes) - 0.5, -0.5))
        panel.set_title(name, fontsize=9)
        panel.set_xlabel(unit, fontsize=7.5)
        panel.tick_params(labelsize=8, left=False)
        panel.grid(color=GRID, linewidth=0.8)
        panel.set_axisbelow(True)
        if name == "capacity":
            panel.set_xscale("symlog", linthresh=10)
            panel.set(xlim=(-1, 1000))
            panel.set_xticks([0, 10, 100], ["0", "10", "100"])
            panel.minorticks_off()
        elif unit.endswith("per cent"):
            panel.set(xlim=(min(75.0, panel.get_xlim()[0]), 103))
        elif name.startswith("secrecy"):
            panel.axvline(0.5, color=GREY, linewidth=1, zorder=0)
            panel.set(xlim=(-0.08, 1.08))
        else:
            panel.axvline(0, color=GREY, linewidth=1, zorder=0)
    return ax
