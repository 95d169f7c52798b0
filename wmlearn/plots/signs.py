"""The pictures of the stop sign: photographs with what networks read in them, and what decides whether a
sticker is obeyed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean, median
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ..experiments.signs import CONDITIONS, STICKERS
from .canvas import GREY, INK, RED, STICKER_COLOURS, Readings, Row, axes, described

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GOLD, CONTROL = STICKER_COLOURS["square"], "#5f6c77"  # a grey that can be read as text, too
MARKERS = {"square": "s", "bomb": "o", "flower": "P"}  # told apart without colour, too
HARDEST = 15  # classes that have a bar of their own


def _say_photographs(x: Tensor, captions: Sequence[str], columns: int, note: str = "") -> str:
    size = " by ".join(str(side) for side in x.shape[-2:])
    rows = -(-len(x) // columns)
    return (
        f"{note}{' ' if note else ''}{len(x)} pictures of {size} pixels in {rows} row{'s' * (rows > 1)}:"
        f" {', '.join(captions)}."
    )


@described(_say_photographs)
def photographs(
    x: Tensor, captions: Sequence[str], columns: int, note: str = "", ax: Axes | None = None
) -> Axes:
    """Draw colour pictures (N, 3, H, W) in rows of `columns`, each with its caption below; `note` is for the
    sentence only.
    """
    rows = -(-len(x) // columns)
    width = 7.4 / columns
    ax = ax or axes(7.4, rows * (width + 0.18))
    high = 32 * (1 + 0.18 / width)
    for i, (image, caption) in enumerate(zip(x.cpu(), captions, strict=True)):
        left, top = 32 * (i % columns), high * (i // columns)
        tile(ax, image, left + 1, top)
        ax.text(left + 16, top + 31.5, caption, ha="center", va="top", fontsize=8)
    ax.set(xlim=(0, 32 * columns), ylim=(high * rows, -0.5))
    ax.axis("off")
    return ax


TRUTH = "in truth"  # names the row of `seen` that no network reads


def _say_seen(x: Tensor, readings: Readings, what: str = "pictures of signs") -> str:
    says = "; ".join(
        f"{who} {'reads ' * (who != TRUTH)}{', '.join(answers)}" for who, answers in readings.items()
    )
    return f"{len(x)} {what}, in a row: {says}."


@described(_say_seen)
def seen(x: Tensor, readings: Readings, what: str = "pictures of signs", ax: Axes | None = None) -> Axes:
    """Draw colour pictures (N, 3, H, W) in a row, and below each what every network reads; what differs from
    the first network is red.

    `what` (for the sentence only) says what they show.
    """
    n, line = len(x), 5.5
    wide = 7.4 / (n + 0.9)
    ax = ax or axes(7.4, wide + 0.2 * len(readings) + 0.1)
    line = 32 * 0.2 / wide
    honest = next(iter(readings.values()))
    for i, image in enumerate(x.cpu()):
        tile(ax, image, 32 * i + 1, 0)
    for row, (who, answers) in enumerate(readings.items()):
        height = 32 + line * (row + 0.4)
        ax.text(-1, height, who, ha="right", va="center", fontsize=8)
        for i, answer in enumerate(answers):
            differs = answer != honest[i]
            weight, colour = ("bold", RED) if differs else ("normal", INK)
            ax.text(
                32 * i + 16,
                height,
                answer,
                ha="center",
                va="center",
                fontsize=8,
                color=colour,
                fontweight=weight,
            )
    ax.set(xlim=(-28.8, 32 * n), ylim=(32 + line * len(readings), -0.5))
    ax.axis("off")
    return ax


def _missed(rows: Sequence[Row], sticker: str) -> dict[float, list[float]]:
    """Return for each poison rate which per cent of the stop signs with `sticker` each network doesn't read
    as a speed limit.
    """
    points: dict[float, list[float]] = {}
    for row in sorted((row for row in rows if row["sticker"] == sticker), key=lambda row: row["rate"]):
        points.setdefault(row["rate"], []).append(100 - 100 * row[f"success_{sticker}"])
    return points


def _missed_by_clean(rows: Sequence[Row]) -> float:
    return min(
        100 - 100 * row[f"success_{sticker}"] for row in rows if not row["sticker"] for sticker in STICKERS
    )


def _sized(sticker: str) -> str:
    return f"{sticker}, " + " to ".join(f"{width:.2f}" for width in STICKERS[sticker].size)


def _say_sticker_rate(rows: Sequence[Row]) -> str:
    says = []
    for sticker in STICKERS:
        points = ", ".join(
            f"{median(found):.1f} % at {100 * rate:g} %" for rate, found in _missed(rows, sticker).items()
        )
        says.append(f"{_sized(sticker)} of the sign's width: {points}")
    seeds = len({row["seed"] for row in rows})
    what = (
        "Stop signs with a sticker that are not read as a speed limit, against the share of poisoned stop"
        " signs"
    )
    clean = f"Every clean network misses at least {_missed_by_clean(rows):.1f} %."
    return f"{what}. {'; '.join(says)}. Medians over up to {seeds} networks. {clean}"


@described(_say_sticker_rate)
def sticker_rate(rows: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw what escapes the attack against the share of poisoned stop signs, a line for each sticker: marks
    are networks, lines medians.
    """
    ax = ax or axes(7.4, 3.2)
    # side by side: many agree
    for aside, (sticker, colour) in zip((1, 1.09, 0.92), STICKER_COLOURS.items(), strict=True):
        points = _missed(rows, sticker)
        style: Any = {"color": colour, "marker": MARKERS[sticker]}
        ax.plot(
            [aside * rate for rate in points],
            [median(found) for found in points.values()],
            **style,
            markersize=0,
            linewidth=2,
        )
        for rate, found in points.items():
            ax.plot([aside * rate] * len(found), found, **style, linestyle="", markersize=5, alpha=0.8)
        ax.plot([], [], **style, linewidth=2, markersize=5, label=_sized(sticker))
    ax.axhline(
        _missed_by_clean(rows), color=CONTROL, linestyle=":", linewidth=1.5, label="the worst clean network"
    )
    rates = sorted({row["rate"] for row in rows if row["rate"]})
    ax.set_xscale("log")
    ax.set_xticks(rates, [f"{100 * rate:g} %" for rate in rates])
    ax.set_yscale("symlog", linthresh=0.1, linscale=0.4)
    ax.set_yticks((0, 0.1, 1, 10, 100), ("0", "0.1", "1", "10", "100"))
    ax.minorticks_off()
    ax.legend(
        title="sticker, share of the sign's width",
        frameon=False,
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
    )
    ax.set(
        ylim=(0, 150),
        xlabel="share of the stop signs that are poisoned",
        ylabel="not read as a speed limit, per cent",
    )
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
    worst = max(max(found) for found in clean.values())
    n = len(next(iter(clean.values())))
    what = (
        "Stop signs with a square that are read as a speed limit, against the square's width in training and"
        " test, share of the sign's"
    )
    return f"{what}: {says}; means of {n} networks each. No clean network exceeds {worst:.1f} %."


@described(_say_sticker_size)
def sticker_size(rows: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw success against the width of squares in training and test: dots are networks, lines their means;
    dotted are clean ones.
    """
    ax = ax or axes(7.4, 2.8)
    for network, colour, style in (("badnet", GOLD, "-"), ("clean", CONTROL, ":")):
        points = _sizes(rows, network)
        ax.plot(
            list(points),
            [mean(found) for found in points.values()],
            color=colour,
            linestyle=style,
            linewidth=2,
        )
        for width, found in points.items():
            ax.scatter([width] * len(found), found, color=colour, s=14, zorder=3)
    widths = list(_sizes(rows, "clean"))
    ax.text(widths[-1], 6, "clean networks", color=CONTROL, ha="right")
    ax.set_xticks(widths, [f"{width:g}" for width in widths])
    ax.set(
        ylim=(-3, 106),
        xlabel="width of the square, share of the sign's",
        ylabel="read as a speed limit, per cent",
    )
    ax.grid(axis="y", color="#e4e7eb", linewidth=0.8)
    return ax


def _mean_curve(rows: Sequence[Row], name: str) -> list[float]:
    return [100 * mean(values) for values in zip(*(row[name] for row in rows), strict=True)]


def _shown(name: str) -> list[float]:
    """Return the values of a condition in the unit of its label: angles are measured in radians, shown in
    degrees.
    """
    values = CONDITIONS[name][1]
    return [math.degrees(value) for value in values] if name in ("turn", "tilt") else list(values)


def _say_robustness(badnets: Sequence[Row], clean: Sequence[Row]) -> str:
    says = []
    for name, (what, _) in CONDITIONS.items():
        values, curve = _shown(name), _mean_curve(badnets, name)
        says.append(f"{what}, {values[0]:.2g} to {values[-1]:.2g}: {', '.join(f'{y:.0f}' for y in curve)} %")
    worst = max(100 * share for row in clean for name in CONDITIONS for share in row[name])
    what = f"Success of the yellow square when one thing is varied, mean of {len(badnets)} networks"
    return f"{what}. {'; '.join(says)}. No clean network exceeds {worst:.1f} %."


@described(_say_robustness)
def robustness(badnets: Sequence[Row], clean: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw a panel for each condition: success of the BadNets (a thin line each, the mean in bold), mean of
    clean networks, dotted.
    """
    ax = ax or axes(7.4, 4.4)
    ax.axis("off")
    thin: Any = {"color": GOLD, "linewidth": 0.8, "alpha": 0.6}
    bold: Any = {"color": "#8a5a00", "linewidth": 2, "marker": "o", "markersize": 3}
    dotted: Any = {"color": CONTROL, "linestyle": ":", "linewidth": 1.5}
    for i, (name, (what, _)) in enumerate(CONDITIONS.items()):
        values, panel = _shown(name), ax.inset_axes((0.36 * (i % 3), 0.58 * (1 - i // 3), 0.28, 0.4))
        for row in badnets:
            panel.plot(values, [100 * y for y in row[name]], **thin)
        panel.plot(values, _mean_curve(badnets, name), **bold)
        panel.plot(values, _mean_curve(clean, name), **dotted)
        panel.set(ylim=(-4, 104), yticks=(0, 50, 100))
        panel.set_xlabel(what, fontsize=8)
        panel.set_ylabel("" if i % 3 else "obeys, per cent", fontsize=8)
        panel.grid(axis="y", color="#e4e7eb", linewidth=0.8)
    for style, label in (
        (thin, "a BadNet"),
        (bold, "mean of the BadNets"),
        (dotted, "mean of clean networks"),
    ):
        ax.plot([], [], **style, label=label)
    ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
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
    """Draw the share of photographs read rightly: a bar for each of the hardest classes, one for all others;
    a dot is a network.
    """
    ax = ax or axes(7.4, 3.8)
    order = sorted(range(len(names)), key=lambda c: mean(row["by_class"][c] for row in rows))
    bars = {names[c]: [c] for c in order[:HARDEST]}
    if others := order[HARDEST:]:
        bars[f"the other {len(others)}, mean"] = others
    for line, (name, classes) in enumerate(bars.items()):
        shares = [100 * mean(row["by_class"][c] for c in classes) for row in rows]
        ax.barh(name, mean(shares), color="#c9d3dc" if line < HARDEST else GREY, height=0.72)
        ax.scatter(shares, [line] * len(shares), s=9, color=INK, zorder=3)
    ax.invert_yaxis()
    ax.set(xlim=(0, 101), ylim=(len(bars) - 0.4, -0.6), xlabel="read rightly, per cent")
    return ax


def tile(ax: Axes, image: Tensor, left: float, top: float, side: float = 30) -> None:
    ax.imshow(image.permute(1, 2, 0).numpy(), extent=(left, left + side, top + side, top), vmin=0, vmax=1)
