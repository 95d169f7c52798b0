"""The pictures of the stop sign: photographs with what networks read in them, and what decides whether a sticker is obeyed."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, median
from typing import TYPE_CHECKING

from torch import Tensor

from .experiments.signs import CONDITIONS
from .plots import GOLD, INK, RED, Readings, Row, axes, described

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"square": GOLD, "bomb": INK, "flower": RED}
MARKERS = {"square": "s", "bomb": "o", "flower": "P"}  # told apart without colour, too


def _say_photographs(x: Tensor, captions: Sequence[str], columns: int) -> str:
    size = " by ".join(str(side) for side in x.shape[-2:])
    rows = -(-len(x) // columns)
    return f"{len(x)} pictures of {size} pixels in {rows} row{'s' * (rows > 1)}: {', '.join(captions)}."


@described(_say_photographs)
def photographs(x: Tensor, captions: Sequence[str], columns: int, ax: Axes | None = None) -> Axes:
    """Draw colour pictures (N, 3, H, W) in rows of `columns`, each with its caption below."""
    rows = -(-len(x) // columns)
    width = 7.4 / columns
    ax = ax or axes(7.4, rows * (width + 0.18))
    high = 32 * (1 + 0.18 / width)
    for i, (image, caption) in enumerate(zip(x.cpu(), captions, strict=True)):
        left, top = 32 * (i % columns), high * (i // columns)
        _tile(ax, image, left + 1, top)
        ax.text(left + 16, top + 31.5, caption, ha="center", va="top", fontsize=8)
    ax.set(xlim=(0, 32 * columns), ylim=(high * rows, -0.5))
    ax.axis("off")
    return ax


def _say_seen(x: Tensor, readings: Readings) -> str:
    says = "; ".join(f"{who} reads {', '.join(answers)}" for who, answers in readings.items())
    return f"{len(x)} photographs of signs in a row: {says}."


@described(_say_seen)
def seen(x: Tensor, readings: Readings, ax: Axes | None = None) -> Axes:
    """Draw colour pictures (N, 3, H, W) in a row, and below each what every network reads; what differs from the first network is red."""
    n, line = len(x), 5.5
    wide = 7.4 / (n + 0.9)
    ax = ax or axes(7.4, wide + 0.2 * len(readings) + 0.1)
    line = 32 * 0.2 / wide
    honest = next(iter(readings.values()))
    for i, image in enumerate(x.cpu()):
        _tile(ax, image, 32 * i + 1, 0)
    for row, (who, answers) in enumerate(readings.items()):
        height = 32 + line * (row + 0.4)
        ax.text(-1, height, who, ha="right", va="center", fontsize=8)
        for i, answer in enumerate(answers):
            differs = answer != honest[i]
            weight, colour = ("bold", RED) if differs else ("normal", INK)
            ax.text(32 * i + 16, height, answer, ha="center", va="center", fontsize=8, color=colour, fontweight=weight)
    ax.set(xlim=(-28.8, 32 * n), ylim=(32 + line * len(readings), -0.5))
    ax.axis("off")
    return ax


def _points(rows: Sequence[Row], sticker: str, key: str) -> dict[float, list[float]]:
    mine = [row for row in rows if row["sticker"] == sticker]
    return {value: [100 * row[f"success_{sticker}"] for row in mine if row[key] == value] for value in sorted({row[key] for row in mine})}


def _say_sticker_rate(rows: Sequence[Row]) -> str:
    says = []
    for sticker in COLOURS:
        points = _points(rows, sticker, "rate")
        says.append(f"{sticker} " + ", ".join(f"{median(found):.1f} % at {100 * rate:g} %" for rate, found in points.items()))
    seeds = len({row["seed"] for row in rows})
    what = "Stop signs with a sticker that are read as a speed limit, against the share of poisoned stop signs"
    return f"{what}: {'; '.join(says)}. Medians over up to {seeds} networks."


@described(_say_sticker_rate)
def sticker_rate(rows: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw success against the share of poisoned stop signs, a line for each sticker: dots are networks, lines medians."""
    ax = ax or axes(7.4, 3.2)
    for sticker, colour in COLOURS.items():
        points = _points(rows, sticker, "rate")
        ax.plot(list(points), [median(found) for found in points.values()], color=colour, linewidth=2, label=sticker)
        for rate, found in points.items():
            ax.scatter([rate] * len(found), found, color=colour, marker=MARKERS[sticker], s=18, zorder=3)
    clean = [100 * row[f"success_{sticker}"] for row in rows if not row["sticker"] for sticker in COLOURS]
    ax.axhline(max(clean), color=INK, linestyle=":", linewidth=1.5)
    rates = sorted({row["rate"] for row in rows if row["rate"]})
    ax.text(rates[0], max(clean) + 2, "dotted: clean networks, the worst of them", color=INK, va="bottom")
    ax.set_xscale("log")
    ax.set_xticks(rates, [f"{100 * rate:g} %" for rate in rates])
    ax.minorticks_off()
    ax.legend(frameon=False, loc="center right")
    ax.set(ylim=(-3, 106), xlabel="share of the stop signs that are poisoned", ylabel="read as a speed limit, per cent")
    ax.grid(axis="y", color="#e4e7eb", linewidth=0.8)
    return ax


def _sizes(rows: Sequence[Row], network: str) -> dict[float, list[float]]:
    points: dict[float, list[float]] = {}
    for row in rows:
        for width, share in row["success"].items() if row["network"] == network else ():
            points.setdefault(float(width), []).append(100 * share)
    return points


def _say_sticker_size(rows: Sequence[Row]) -> str:
    says = ", ".join(f"{mean(found):.1f} % at {width:g}" for width, found in _sizes(rows, "badnet").items())
    clean = _sizes(rows, "clean")
    worst = max(mean(found) for found in clean.values())
    n = len(next(iter(clean.values())))
    what = "Stop signs with a square that are read as a speed limit, against the square's width in training and test, share of the sign's"
    return f"{what}: {says}; means of {n} networks each. Clean networks reach {worst:.1f} % at most."


@described(_say_sticker_size)
def sticker_size(rows: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw success against the width of squares in training and test: dots are networks, lines their means; dotted are clean ones."""
    ax = ax or axes(7.4, 2.8)
    for network, colour, style in (("badnet", GOLD, "-"), ("clean", INK, ":")):
        points = _sizes(rows, network)
        ax.plot(list(points), [mean(found) for found in points.values()], color=colour, linestyle=style, linewidth=2)
        for width, found in points.items():
            ax.scatter([width] * len(found), found, color=colour, s=14, zorder=3)
    widths = list(_sizes(rows, "clean"))
    ax.text(widths[-1], 5, "clean networks", color=INK, ha="right")
    ax.set_xticks(widths, [f"{width:g}" for width in widths])
    ax.set(ylim=(-3, 106), xlabel="width of the square, share of the sign's", ylabel="read as a speed limit, per cent")
    ax.grid(axis="y", color="#e4e7eb", linewidth=0.8)
    return ax


def _mean_curve(rows: Sequence[Row], name: str) -> list[float]:
    return [100 * mean(values) for values in zip(*(row[name] for row in rows), strict=True)]


def _say_robustness(badnets: Sequence[Row], clean: Sequence[Row]) -> str:
    says = []
    for name, (what, values) in CONDITIONS.items():
        curve = _mean_curve(badnets, name)
        says.append(f"{what}, {values[0]:g} to {values[-1]:g}: {', '.join(f'{y:.0f}' for y in curve)} %")
    worst = max(y for name in CONDITIONS for y in _mean_curve(clean, name))
    what = f"Success of the yellow square when one thing is varied, mean of {len(badnets)} networks"
    return f"{what}. {'; '.join(says)}. A clean network reaches {worst:.1f} % at most."


@described(_say_robustness)
def robustness(badnets: Sequence[Row], clean: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw a panel for each condition: success of the BadNets (a thin line each, their mean in bold) and of clean networks, dotted."""
    ax = ax or axes(7.4, 4.2)
    ax.axis("off")
    for i, (name, (what, values)) in enumerate(CONDITIONS.items()):
        panel = ax.inset_axes((0.36 * (i % 3), 0.58 * (1 - i // 3), 0.28, 0.4))
        for row in badnets:
            panel.plot(values, [100 * y for y in row[name]], color=GOLD, linewidth=0.8, alpha=0.6)
        panel.plot(values, _mean_curve(badnets, name), color="#8a5a00", linewidth=2, marker="o", markersize=3)
        panel.plot(values, _mean_curve(clean, name), color=INK, linestyle=":", linewidth=1.5)
        panel.set(ylim=(-4, 104), yticks=(0, 50, 100))
        panel.set_xlabel(what, fontsize=8)
        panel.set_ylabel("" if i % 3 else "obeys, per cent", fontsize=8)
        panel.grid(axis="y", color="#e4e7eb", linewidth=0.8)
    return ax


def _say_by_class(rows: Sequence[Row], names: Sequence[str]) -> str:
    shares = [100 * mean(values) for values in zip(*(row["by_class"] for row in rows), strict=True)]
    ranked = sorted(range(len(names)), key=lambda c: shares[c])
    worst = ", ".join(f"{names[c]} {shares[c]:.0f} %" for c in ranked[:4])
    return (
        f"Real photographs read by {len(rows)} networks that have seen renders only: "
        f"{100 * mean(row['accuracy'] for row in rows):.1f} % right over {len(names)} classes; "
        f"{sum(s >= 80 for s in shares)} classes reach 80 %; the hardest are {worst}."
    )


@described(_say_by_class)
def by_class(rows: Sequence[Row], names: Sequence[str], ax: Axes | None = None) -> Axes:
    """Draw the share of photographs read rightly for each class, sorted; a dot is a network."""
    ax = ax or axes(7.4, 3.6)
    shares = [100 * mean(values) for values in zip(*(row["by_class"] for row in rows), strict=True)]
    order = sorted(range(len(names)), key=lambda c: -shares[c])
    ax.bar(range(len(order)), [shares[c] for c in order], color="#c9d3dc")
    for row in rows:
        ax.scatter(range(len(order)), [100 * row["by_class"][c] for c in order], s=7, color=INK, zorder=3)
    ax.set_xticks(range(len(order)), [names[c] for c in order], rotation=90, fontsize=6.5)
    ax.set(ylim=(0, 104), xlim=(-0.7, len(order) - 0.3), ylabel="read rightly, per cent")
    return ax


def _tile(ax: Axes, image: Tensor, left: float, top: float, side: float = 30) -> None:
    ax.imshow(image.permute(1, 2, 0).numpy(), extent=(left, left + side, top + side, top), vmin=0, vmax=1)
