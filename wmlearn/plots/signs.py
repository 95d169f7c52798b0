"""The pictures of the stop sign: what networks read, and what decides if a sticker is obeyed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from textwrap import fill
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .canvas import (
    DARK,
    GRID,
    INK,
    RED,
    SLATE,
    Readings,
    Row,
    axes,
    described,
    tile,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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


# Shares in rows and columns


@dataclass(frozen=True)
class Shares:
    """Shares (0..1), a list a row, with the names of rows and columns."""

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[float]]

    def says(self) -> str:
        """Say every number, row by row, in per cent."""
        lines = []
        for name, shares in zip(self.rows, self.values, strict=True):
            pairs = zip(self.columns, shares, strict=True)
            numbers = ", ".join(f"{column} {_short(share)}" for column, share in pairs)
            lines.append(f"{name}: {numbers}")
        return f"{self.title}. {'; '.join(lines)}."


def _short(share: float) -> str:
    """Write a share in per cent: with a decimal where a whole number would say too little."""
    percent = 100 * share
    return f"{percent:.0f}" if percent in (0, 100) or 1 <= percent < 99.5 else f"{percent:.1f}"


def _say_shares(*panels: Shares) -> str:
    return " ".join(panel.says() for panel in panels)


@described(_say_shares)
def shares(*panels: Shares, ax: Axes | None = None) -> Axes:
    """Draw shares as tiles with their numbers in per cent, one panel beside the other.

    The panels have the same rows, whose names stand on the left.
    """
    n_columns = sum(len(panel.columns) for panel in panels)
    height = 0.34 * len(panels[0].rows) + 0.9
    ax = ax or axes(7.4, height)
    ax.axis("off")
    gap = 0.6
    left = 0.0
    for i, panel in enumerate(panels):
        for column, name in enumerate(panel.columns):
            words = fill(name, 7 if n_columns > 8 else 11)
            ax.text(left + column + 0.5, -0.1, words, ha="center", va="bottom", fontsize=7.5)
            for row, line in enumerate(panel.values):
                _draw_share(ax, left + column, row, line[column])
        middle = left + len(panel.columns) / 2
        ax.text(middle, -1.2, panel.title, ha="center", va="bottom", fontsize=9, fontweight="bold")
        if i == 0:
            for row, name in enumerate(panel.rows):
                write(ax, -0.15, row + 0.5, name, 8, ha="right")
        left += len(panel.columns) + gap
    longest = max(len(name) for name in panels[0].rows)
    ax.set(xlim=(-0.012 * longest * n_columns - 0.3, left - gap), ylim=(len(panels[0].rows), -1.6))
    return ax


def _draw_share(ax: Axes, left: float, top: float, share: float) -> None:
    """Draw one tile: the fuller, the darker."""
    from matplotlib.patches import Rectangle

    ax.add_patch(
        Rectangle((left + 0.03, top + 0.05), 0.94, 0.9, color=INK, alpha=0.06 + 0.94 * share, linewidth=0)
    )
    write(ax, left + 0.5, top + 0.5, _short(share), 9, "white" if share > 0.6 else DARK)


def _say_leak(rows: Sequence[Row]) -> str:
    parts = []
    for name in _splits(rows):
        own = [100 * row["accuracy"] for row in rows if row["split"] == name]
        world = [100 * row["benchmark"] for row in rows if row["split"] == name]
        parts.append(
            f"{name}, {mean(own):.1f} % on its own test photographs, {mean(world):.1f} % on new signs"
        )
    seeds = len({row["seed"] for row in rows})
    said = "; ".join(parts)
    return f"Accuracy over 43 classes by how the photographs were split: {said}. Means of {seeds} networks."


def _splits(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row["split"] for row in rows))


@described(_say_leak)
def leak(rows: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw the accuracy of networks by their split: on its test photographs, and on new signs."""
    names = _splits(rows)
    ax = ax or axes(7.4, 0.45 * len(names) + 0.9)
    looks: Any = {
        "accuracy": {"color": RED, "marker": "o", "label": "its own test photographs"},
        "benchmark": {"color": INK, "marker": "D", "label": "the benchmark's: new signs"},
    }
    for key, look in looks.items():
        aside = -0.13 if key == "accuracy" else 0.13
        points = [100 * row[key] for row in rows]
        lines = [names.index(row["split"]) + aside for row in rows]
        ax.scatter(points, lines, s=34, alpha=0.85, **look)
    ax.set_yticks(range(len(names)), names)
    ax.set(ylim=(len(names) - 0.5, -0.5), xlabel="classified correctly, per cent")
    ax.grid(axis="x", color=GRID, linewidth=0.8)
    ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return ax
