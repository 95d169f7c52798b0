"""The pictures of the stop sign: what networks read, and what decides if a sticker is obeyed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..experiments.signs import CONDITIONS, STICKERS
from .canvas import (
    BRONZE,
    CLOUD,
    GREY,
    GRID,
    INK,
    RED,
    SLATE,
    STICKER_COLOURS,
    Readings,
    Row,
    axes,
    described,
    tile,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SQUARE = STICKER_COLOURS["square"]
MARKERS = {"square": "s", "bomb": "o", "flower": "P"}  # told apart without colour, too
HARDEST = 15  # classes that have a bar of their own


@dataclass(frozen=True, eq=False)
class Tiles:
    """Colour pictures `x` (N, 3, H, W), each with its caption, to be laid out in `columns`.

    The `note` stands before the sentence of the figure only.
    """

    x: Tensor
    captions: Sequence[str]
    columns: int
    note: str = ""

    @property
    def rows(self) -> int:
        """How many rows they fill."""
        return -(-len(self.x) // self.columns)


def _say_photographs(tiles: Tiles) -> str:
    size = " by ".join(str(side) for side in tiles.x.shape[-2:])
    rows = "1 row" if tiles.rows == 1 else f"{tiles.rows} rows"
    sentence = f"{len(tiles.x)} pictures of {size} pixels in {rows}: {', '.join(tiles.captions)}."
    return f"{tiles.note} {sentence}" if tiles.note else sentence


@described(_say_photographs)
def photographs(tiles: Tiles, ax: Axes | None = None) -> Axes:
    """Draw colour pictures in rows, each with its caption below."""
    width = 7.4 / tiles.columns
    ax = ax or axes(7.4, tiles.rows * (width + 0.18))
    height = 32 * (1 + 0.18 / width)
    for i, (image, caption) in enumerate(zip(tiles.x, tiles.captions, strict=True)):
        row, column = divmod(i, tiles.columns)
        tile(ax, image, 32 * column + 1, height * row, side=30)
        ax.text(32 * column + 16, height * row + 31.5, caption, ha="center", va="top", fontsize=8)
    ax.set(xlim=(0, 32 * tiles.columns), ylim=(height * tiles.rows, -0.5))
    ax.axis("off")
    return ax


TRUTH = "in truth"  # names the row of `seen` that no network reads


@dataclass(frozen=True, eq=False)
class Seen:
    """Colour pictures `x` (N, 3, H, W) of `what`, and what each network reads in them."""

    x: Tensor
    readings: Readings
    what: str = "pictures of signs"


def _say_seen(pictures: Seen) -> str:
    return f"{len(pictures.x)} {pictures.what}, in a row: {_say_readings(pictures)}."


def _say_readings(pictures: Seen) -> str:
    parts = []
    for who, answers in pictures.readings.items():
        reader = who if who == TRUTH else f"{who} reads"
        parts.append(f"{reader} {', '.join(answers)}")
    return "; ".join(parts)


@described(_say_seen)
def seen(pictures: Seen, ax: Axes | None = None) -> Axes:
    """Draw colour pictures in a row, and below each what every network reads.

    What differs from the first network is red.
    """
    n = len(pictures.x)
    width = 7.4 / (n + 0.9)
    ax = ax or axes(7.4, width + 0.2 * len(pictures.readings) + 0.1)
    line = 32 * 0.2 / width  # height of a line of words; a picture is 32 wide
    for i, image in enumerate(pictures.x):
        tile(ax, image, 32 * i + 1, 0, side=30)
    first = next(iter(pictures.readings.values()))
    for row, (who, answers) in enumerate(pictures.readings.items()):
        height = 32 + line * (row + 0.4)
        write(ax, -1, height, who, 8, ha="right")
        for i, answer in enumerate(answers):
            differs = answer != first[i]
            weight, colour = ("bold", RED) if differs else ("normal", INK)
            write(ax, 32 * i + 16, height, answer, 8, colour, fontweight=weight)
    ax.set(xlim=(-28.8, 32 * n), ylim=(32 + line * len(pictures.readings), -0.5))
    ax.axis("off")
    return ax


ACROSS = 8  # pictures in a row of a sheet


def _say_sheet(pictures: Seen) -> str:
    return f"{len(pictures.x)} {pictures.what}, numbered row by row: {_say_readings(pictures)}."


@described(_say_sheet)
def sheet(pictures: Seen, ax: Axes | None = None) -> Axes:
    """Draw colour pictures as `seen` does, but numbered from 1, and in as many rows as they need."""
    n = len(pictures.x)
    n_rows = -(-n // ACROSS)
    height = 7.4 / (ACROSS + 0.9) + 0.2 * len(pictures.readings) + 0.35  # of a row, in inches
    ax = ax or axes(7.4, n_rows * height)
    for row in range(n_rows):
        panel = ax.inset_axes((0, 1 - (row + 1) / n_rows, 1, 0.97 / n_rows))
        seen(_row_of(pictures, row), ax=panel)
        for i in range(ACROSS):
            number = ACROSS * row + i + 1
            if number <= n:
                write(panel, 32 * i + 16, -4, str(number), 8, SLATE)
        panel.set_ylim(top=-8)
    ax.axis("off")
    return ax


def _row_of(pictures: Seen, row: int) -> Seen:
    """Return one row of a sheet; the last one is filled up with white, so that its words have their room."""
    part = slice(row * ACROSS, (row + 1) * ACROSS)
    x = pictures.x[part]
    n_missing = ACROSS - len(x)
    white = x.new_ones(n_missing, *x.shape[1:])
    readings = {who: [*answers[part], *[""] * n_missing] for who, answers in pictures.readings.items()}
    return Seen(torch.cat([x, white]), readings)


def _missed(rows: Sequence[Row], sticker: str) -> dict[float, list[float]]:
    """Return for each poison rate what each network misses, in per cent.

    It misses a stop sign with `sticker` that it doesn't read as a speed limit.
    """
    points: dict[float, list[float]] = {}
    for row in sorted((row for row in rows if row["sticker"] == sticker), key=lambda row: row["rate"]):
        points.setdefault(row["rate"], []).append(100 - 100 * row[f"success_{sticker}"])
    return points


def _missed_by_clean(rows: Sequence[Row]) -> float:
    """Return the least that a clean network misses of the stop signs with some sticker, in per cent."""
    clean = [row for row in rows if not row["sticker"]]
    return min(100 - 100 * row[f"success_{sticker}"] for row in clean for sticker in STICKERS)


def _with_size(sticker: str) -> str:
    return f"{sticker}, " + " to ".join(f"{width:.2f}" for width in STICKERS[sticker].size)


def _say_sticker_rate(rows: Sequence[Row]) -> str:
    parts = []
    for sticker in STICKERS:
        medians = {rate: median(shares) for rate, shares in _missed(rows, sticker).items()}
        points = ", ".join(f"{share:.1f} % at {100 * rate:g} %" for rate, share in medians.items())
        parts.append(f"{_with_size(sticker)} of the sign's width: {points}")
    seeds = len({row["seed"] for row in rows})
    return (
        "Stop signs with a sticker that are not read as a speed limit,"
        f" against the share of poisoned stop signs. {'; '.join(parts)}. Medians over up to {seeds} networks."
        f" Every clean network misses at least {_missed_by_clean(rows):.1f} %."
    )


@described(_say_sticker_rate)
def sticker_rate(rows: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw what escapes the attack against the share of poisoned stop signs, a line for each sticker.

    Marks are networks, lines medians.
    """
    ax = ax or axes(7.4, 3.2)
    for aside, sticker in zip((1, 1.09, 0.92), STICKER_COLOURS, strict=True):  # side by side: many agree
        _draw_sticker(ax, rows, sticker, aside)
    clean = _missed_by_clean(rows)
    ax.axhline(clean, color=SLATE, linestyle=":", linewidth=1.5, label="the worst clean network")
    rates = sorted({row["rate"] for row in rows if row["rate"]})
    ax.set_xscale("log")
    ax.set_xticks(rates, [f"{100 * rate:g} %" for rate in rates])
    ax.set_yscale("symlog", linthresh=0.1, linscale=0.4)
    ax.set_yticks((0, 0.1, 1, 10, 100), ("0", "0.1", "1", "10", "100"))
    ax.minorticks_off()
    title = "sticker, share of the sign's width"
    ax.legend(title=title, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    ax.set(xlabel="share of the stop signs that are poisoned", ylabel="not read as a speed limit, per cent")
    ax.set_ylim(0, 150)
    ax.grid(axis="y", color=GRID, linewidth=0.8)
    return ax


def _draw_sticker(ax: Axes, rows: Sequence[Row], sticker: str, aside: float) -> None:
    """Draw the line and the marks of one sticker, at `aside` times their rates."""
    points = _missed(rows, sticker)
    look: Any = {"color": STICKER_COLOURS[sticker], "marker": MARKERS[sticker]}
    medians = [median(shares) for shares in points.values()]
    ax.plot([aside * rate for rate in points], medians, **look, markersize=0, linewidth=2)
    for rate, shares in points.items():
        ax.plot([aside * rate] * len(shares), shares, **look, linestyle="", markersize=5, alpha=0.8)
    ax.plot([], [], **look, linewidth=2, markersize=5, label=_with_size(sticker))


def _sizes(rows: Sequence[Row], network: str) -> dict[float, list[float]]:
    """Return for each width of the square the success in each network of a kind, in per cent."""
    points: dict[float, list[float]] = {}
    for row in rows:
        if row["network"] == network:
            for width, share in row["success"].items():
                points.setdefault(float(width), []).append(100 * share)
    return points


def _say_sticker_size(rows: Sequence[Row]) -> str:
    means = {width: mean(shares) for width, shares in _sizes(rows, "badnet").items()}
    points = ", ".join(f"{share:.1f} % at {width:g}" for width, share in means.items())
    clean = _sizes(rows, "clean")
    worst = max(max(shares) for shares in clean.values())
    n = len(next(iter(clean.values())))
    return (
        "Stop signs with a square that are read as a speed limit, against the square's width in training and"
        f" test, share of the sign's: {points}; means of {n} networks each."
        f" No clean network exceeds {worst:.1f} %."
    )


@described(_say_sticker_size)
def sticker_size(rows: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw success against the width of squares in training and test.

    Dots are networks, lines their means; dotted are clean ones.
    """
    ax = ax or axes(7.4, 2.8)
    for network, colour, style in (("badnet", SQUARE, "-"), ("clean", SLATE, ":")):
        points = _sizes(rows, network)
        means = [mean(shares) for shares in points.values()]
        ax.plot(list(points), means, color=colour, linestyle=style, linewidth=2)
        for width, shares in points.items():
            ax.scatter([width] * len(shares), shares, color=colour, s=14, zorder=3)
    widths = list(_sizes(rows, "clean"))
    ax.text(widths[-1], 6, "clean networks", color=SLATE, ha="right")
    ax.set_xticks(widths, [f"{width:g}" for width in widths])
    ax.set(xlabel="width of the square, share of the sign's", ylabel="read as a speed limit, per cent")
    ax.set_ylim(-3, 106)
    ax.grid(axis="y", color=GRID, linewidth=0.8)
    return ax


def _mean_curve(rows: Sequence[Row], name: str) -> list[float]:
    columns = zip(*(row[name] for row in rows), strict=True)
    return [100 * mean(shares) for shares in columns]


def _in_units(name: str) -> list[float]:
    """Return the values of a condition in the unit of its label.

    Angles are measured in radians, and shown in degrees.
    """
    values = CONDITIONS[name][1]
    return [math.degrees(value) for value in values] if name in ("turn", "tilt") else list(values)


def _say_robustness(badnets: Sequence[Row], clean: Sequence[Row]) -> str:
    parts = []
    for name, (what, _) in CONDITIONS.items():
        values = _in_units(name)
        curve = ", ".join(f"{share:.0f}" for share in _mean_curve(badnets, name))
        parts.append(f"{what}, {values[0]:.2g} to {values[-1]:.2g}: {curve} %")
    worst = max(100 * share for row in clean for name in CONDITIONS for share in row[name])
    return (
        f"Success of the yellow square when one thing is varied, mean of {len(badnets)} networks."
        f" {'; '.join(parts)}. No clean network exceeds {worst:.1f} %."
    )


@described(_say_robustness)
def robustness(badnets: Sequence[Row], clean: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw a panel for each condition: success of the BadNets, and the mean of clean networks, dotted.

    A thin line is a BadNet, the bold one their mean.
    """
    ax = ax or axes(7.4, 4.4)
    ax.axis("off")
    thin: Any = {"color": SQUARE, "linewidth": 0.8, "alpha": 0.6}
    bold: Any = {"color": BRONZE, "linewidth": 2, "marker": "o", "markersize": 3}
    dotted: Any = {"color": SLATE, "linestyle": ":", "linewidth": 1.5}
    for i, (name, (what, _)) in enumerate(CONDITIONS.items()):
        row, column = divmod(i, 3)
        values = _in_units(name)
        panel = ax.inset_axes((0.36 * column, 0.58 * (1 - row), 0.28, 0.4))
        for network in badnets:
            panel.plot(values, [100 * share for share in network[name]], **thin)
        panel.plot(values, _mean_curve(badnets, name), **bold)
        panel.plot(values, _mean_curve(clean, name), **dotted)
        panel.set(ylim=(-4, 104), yticks=(0, 50, 100))
        panel.set_xlabel(what, fontsize=8)
        panel.set_ylabel("" if column else "obeys, per cent", fontsize=8)
        panel.grid(axis="y", color=GRID, linewidth=0.8)
    ax.plot([], [], **thin, label="a BadNet")
    ax.plot([], [], **bold, label="mean of the BadNets")
    ax.plot([], [], **dotted, label="mean of clean networks")
    ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return ax


def _by_class(rows: Sequence[Row]) -> list[float]:
    """Return the mean over networks of what is read rightly of each class, 0..1."""
    columns = zip(*(row["by_class"] for row in rows), strict=True)
    return [mean(shares) for shares in columns]


def _say_by_class(rows: Sequence[Row], names: Sequence[str]) -> str:
    shares = [100 * share for share in _by_class(rows)]
    hardest = sorted(range(len(names)), key=lambda label: shares[label])[:4]
    worst = ", ".join(f"{names[label]} {shares[label]:.0f} %" for label in hardest)
    accuracy = 100 * mean(row["accuracy"] for row in rows)
    return (
        f"Real photographs read by {len(rows)} networks that have seen renders only: {accuracy:.1f} % right"
        f" over {len(names)} classes; {sum(share >= 80 for share in shares)} classes reach 80 %;"
        f" the hardest are {worst}."
    )


@described(_say_by_class)
def by_class(rows: Sequence[Row], names: Sequence[str], ax: Axes | None = None) -> Axes:
    """Draw the share of photographs read rightly: a bar for each of the hardest classes, one for all others.

    A dot is a network.
    """
    ax = ax or axes(7.4, 3.8)
    shares = _by_class(rows)
    order = sorted(range(len(names)), key=lambda label: shares[label])
    bars = {names[label]: [label] for label in order[:HARDEST]}
    others = order[HARDEST:]
    if others:
        bars[f"the other {len(others)}, mean"] = others
    for line, (name, classes) in enumerate(bars.items()):
        points = [_percent(row, classes) for row in rows]
        ax.barh(name, mean(points), color=CLOUD if line < HARDEST else GREY, height=0.72)
        ax.scatter(points, [line] * len(points), s=9, color=INK, zorder=3)
    ax.invert_yaxis()
    ax.set(xlim=(0, 101), ylim=(len(bars) - 0.4, -0.6), xlabel="read rightly, per cent")
    return ax


def _percent(row: Row, classes: Sequence[int]) -> float:
    """Return what one network reads rightly of some classes, their mean in per cent."""
    return 100 * mean(row["by_class"][label] for label in classes)
