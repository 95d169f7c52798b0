"""The pictures of networks in which nothing was planted: units against units, strangers' p-values, matched
units, lots, and what each test sees of each theft.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..experiments import Results
from ..experiments.nothing_planted import LEVEL, NO_THEFT, rows_of, seen, worst
from .canvas import GOLD, GREY, GRID, INK, RED, SLATE, Row, axes, described, write
from .names import FAMILIES, REMOVALS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TESTS = {
    "p": "weights",
    "p_matched": "matched",
    "p_lot": "lot",
    "p_mark": "mark",
    "p_decoys": "decoys",
}
"""Field of a row -> what a figure calls the test."""
FLOOR = 1e-12
"""Smaller p-values are drawn here."""
WORTH = 0.9
"""The accuracy below which a network is drawn in grey."""


# Units against units


def _say_units(cosines: Mapping[str, Tensor]) -> str:
    parts = []
    for name, table in cosines.items():
        own = table.diagonal().mean()
        others = (table.sum() - table.diagonal().sum()) / (table.numel() - len(table))
        parts.append(f"file {name} {own:.2f} on the diagonal, {others:.2f} elsewhere")
    n = len(next(iter(cosines.values())))
    return f"Mean cosine of Ana's first {n} units with those of each file: {'; '.join(parts)}."


@described(_say_units)
def units(cosines: Mapping[str, Tensor], ax: Axes | None = None) -> Axes:
    """Draw a square for each file: Ana's units (rows) against the file's (columns), (units, units); dark
    where they read the same.
    """
    ax = ax or axes(7.4, 2.1)
    for i, (name, table) in enumerate(cosines.items()):
        left = 1.12 * i
        look: Any = {"cmap": "PuOr_r", "vmin": -1, "vmax": 1, "interpolation": "nearest"}
        ax.imshow(table.cpu().numpy(), extent=(left, left + 1, 1, 0), **look)
        write(ax, left + 0.5, -0.11, f"file {name}", 10)
        write(ax, left + 0.5, 1.1, f"its units 1 to {len(table)}", 8, SLATE)
    write(ax, -0.07, 0.5, "Ana's units", 8, SLATE, rotation=90)
    ax.set(xlim=(-0.14, 1.12 * len(cosines)), ylim=(1.2, -0.22))
    ax.axis("off")
    return ax


# Strangers


def _say_strangers(p_values: Sequence[float], files: Mapping[str, float]) -> str:
    p = torch.tensor(p_values, dtype=torch.float64)
    counts = ", ".join(f"{int((p <= level).sum())} at or below {level:g}" for level in (0.05, 0.01, LEVEL))
    on_the_table = ", ".join(f"{name} {own:.2g}" for name, own in files.items())
    return (
        f"p-values of {len(p_values)} pairs of strangers, spread evenly from 0 to 1: {counts}."
        f" The files on the table: {on_the_table}."
    )


@described(_say_strangers)
def strangers(p_values: Sequence[float], files: Mapping[str, float], ax: Axes | None = None) -> Axes:
    """Draw the strangers' p-values in twenty bins, the even line, and where the files lie."""
    ax = ax or axes(7.4, 2.7)
    even = len(p_values) / 20
    ax.hist(p_values, bins=[i / 20 for i in range(21)], color=GREY, edgecolor="white")
    ax.axhline(even, color=INK, linestyle=":", linewidth=1.5, label="an even spread")
    stacked: Counter[int] = Counter()
    for name, p in sorted(files.items(), key=lambda file: file[1]):
        place = round(12 * p)
        height = even * (1.75 - 0.24 * stacked[place])
        stacked[place] += 1
        ax.scatter([p], [height], color=RED, s=26, zorder=3)
        write(ax, p + 0.012, height, name, 10, RED, "left", fontweight="bold")
    ax.set(xlim=(-0.02, 1.02), ylim=(0, 1.9 * even))
    ax.set(xlabel="p-value (red: the files on the table)", ylabel="pairs of strangers")
    ax.legend(frameon=False, loc="upper right")
    return ax


def _say_matches(cosines: Sequence[float], files: Mapping[str, float]) -> str:
    found = ", ".join(f"{name} {cosine:.2f}" for name, cosine in files.items())
    return (
        f"Mean cosine with Ana's units after matching: {len(cosines)} strangers {min(cosines):.2f} to"
        f" {max(cosines):.2f}; {found}."
    )


@described(_say_matches)
def matches(cosines: Sequence[float], files: Mapping[str, float], ax: Axes | None = None) -> Axes:
    """Draw one line: strangers' cosines after matching in grey, the files' in red."""
    ax = ax or axes(7.4, 1.5)
    ax.scatter(cosines, [0.0] * len(cosines), color=GREY, s=60, marker="|", linewidth=1.5)
    for i, (name, cosine) in enumerate(sorted(files.items(), key=lambda file: file[1])):
        ax.scatter([cosine], [0], color=RED, s=34, zorder=3)
        write(ax, cosine, 0.4 + 0.3 * (i % 2), name, 10, RED, fontweight="bold")
    write(ax, sum(cosines) / len(cosines), -0.6, f"{len(cosines)} strangers", 9, SLATE)
    ax.set(xlim=(0, 1.02), ylim=(-0.9, 1.0), xlabel="mean cosine with Ana's units, after matching")
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    return ax


# Lots


def _say_lots(p_values: Tensor) -> str:
    own = p_values.diagonal()
    n = len(p_values)
    others = p_values[~torch.eye(n, dtype=torch.bool)].view(n, n - 1)
    accused = (others <= 0.05).sum(1)
    return (
        f"The lots of {n} owners, each asked of {n} networks. Own network: p at most {float(own.max()):.1g}."
        f" Strangers: {100 * float((others <= 0.05).double().mean()):.1f} % at or below 0.05; by owner from"
        f" {int(accused.min())} to {int(accused.max())} of {n - 1}."
    )


@described(_say_lots)
def lots(p_values: Tensor, ax: Axes | None = None) -> Axes:
    """Draw owners (rows, those first who accuse most strangers) against networks, both (n, n); dark is a
    small p-value.
    """
    ax = ax or axes(7.4, 4.4)
    own = torch.eye(len(p_values), dtype=torch.bool)
    order = ((p_values <= 0.05) & ~own).sum(1).argsort(descending=True, stable=True)
    picture = -p_values[order][:, order].clamp(min=1e-4).log10()
    image = ax.imshow(picture.numpy(), cmap="magma_r", vmin=0, vmax=4, interpolation="nearest")
    figure = ax.get_figure(root=True)
    assert figure is not None
    bar = figure.colorbar(image, ax=ax, ticks=[0, 1.3, 2, 3, 4], shrink=0.85)
    bar.ax.set_yticklabels(["1", "0.05", "0.01", "0.001", "0.0001"])
    bar.set_label("p-value")
    ax.set(xlabel="network asked", ylabel="owner of the lot", xticks=[], yticks=[])
    return ax


# Every theft


def _stolen(results: Results) -> dict[str, list[Row]]:
    """Return the rows of every theft, an owner each, in the order of the figures."""
    rows = rows_of(results, "thefts")
    return {name: rows[name] for name in REMOVALS if name in rows and name not in NO_THEFT}


def _read(rows: Sequence[Row]) -> float:
    return median(row["accuracy"] for row in rows)


def _least(rows: Sequence[Row]) -> float:
    return min(row["p"] for row in rows)


def _say_thefts(results: Results) -> str:
    stolen = _stolen(results)
    parts = []
    for test, title in TESTS.items():
        level = 0.05 if test == "p_matched" else LEVEL
        parts.append(f"{title} {seen(stolen, test, level)}")
    blind = [REMOVALS[name] for name, rows in stolen.items() if _least(rows) > LEVEL]
    owners = len(next(iter(stolen.values())))
    return (
        f"Of {len(stolen)} thefts, shown with each of {owners} owners at {LEVEL:g} (matched: before all"
        f" strangers): {', '.join(parts)}. The weights as they are show nothing after {', '.join(blind)}."
    )


@described(_say_thefts)
def thefts(results: Results, ax: Axes | None = None) -> Axes:
    """Draw a line for each theft: what every test says, a mark an owner, and the accuracy that is left."""
    ax = ax or axes(7.4, 6.8)
    stolen = _stolen(results)
    y = 0.0
    for family, members in FAMILIES.items():
        write(ax, -3.6, y, family, 8.5, INK, "left", fontweight="bold")
        for name in members:
            _draw_theft(ax, y, REMOVALS[name], stolen[name])
            y += 1
        y += 0.35
    for column, title in enumerate(TESTS.values()):
        write(ax, column, -1.0, title, 8.5, fontweight="bold")
    write(ax, len(TESTS) - 0.35, -1.0, "accuracy", 8.5, ha="left", fontweight="bold")
    _draw_key(ax, y + 0.5)
    ax.set(xlim=(-3.7, len(TESTS) + 0.6), ylim=(y + 1.2, -1.6))
    ax.axis("off")
    return ax


def _draw_theft(ax: Axes, y: float, title: str, rows: Sequence[Row]) -> None:
    """Draw the marks of one theft, the owners side by side."""
    worth = _read(rows) >= WORTH
    write(ax, -0.55, y, title, 8.5, "black" if worth else SLATE, "right")
    for column, test in enumerate(TESTS):
        for k, row in enumerate(rows):
            place = column + 0.15 * (k - (len(rows) - 1) / 2)
            ax.scatter([place], [y], s=26, edgecolor=INK, linewidth=0.7, **_look(row[test]))
    write(ax, len(TESTS) - 0.35, y, f"{100 * _read(rows):.1f}", 8.5, "black" if worth else SLATE, "left")


def _look(p: float) -> dict[str, Any]:
    """Return the look of a p-value: a dark square convicts, a golden dot is a doubt."""
    if p <= LEVEL:
        return {"marker": "s", "facecolor": INK}
    return {"marker": "o", "facecolor": GOLD if p <= 0.05 else "white"}


def _draw_key(ax: Axes, y: float) -> None:
    words = {LEVEL: "p ≤ 0.001", 0.05: "p ≤ 0.05", 1.0: "not shown"}
    for i, (p, text) in enumerate(words.items()):
        ax.scatter([-2.9 + 1.7 * i], [y], s=36, edgecolor=INK, linewidth=0.8, **_look(p))
        write(ax, -2.75 + 1.7 * i, y, text, 8.5, ha="left")
    write(ax, 2.3, y, "owners side by side; matched: 0.02 at best", 8.5, ha="left")


def _say_theft_point(results: Results, name: str, level: float) -> str:
    rows = _stolen(results)[name]
    parts = []
    for test, title in TESTS.items():
        p = ", ".join(f"{row[test]:.1g}" for row in rows)
        parts.append(f"{title} {p}")
    convict = [title for test, title in TESTS.items() if worst(rows, test) <= level]
    return (
        f"After {REMOVALS[name]}, at {100 * _read(rows):.1f} % accuracy, p-values of the owners:"
        f" {'; '.join(parts)}."
        f" At level {level:g} every owner wins by {' and '.join(convict) or 'no test'}."
    )


@described(_say_theft_point)
def theft_point(results: Results, name: str, level: float, ax: Axes | None = None) -> Axes:
    """Draw the owners' p-values after one theft, test by test, on a logarithmic axis, and the level."""
    ax = ax or axes(7.4, 2.4)
    for line, test in enumerate(TESTS):
        for row in _stolen(results)[name]:
            look: Any = {"facecolor": "white", "marker": "o"}
            if row[test] <= level:
                look = {"facecolor": INK, "marker": "s"}
            ax.scatter([max(row[test], FLOOR)], [line], s=50, edgecolor=INK, **look)
    ax.axvline(level, color=RED, linestyle="--", linewidth=1.2)
    ax.set_xscale("log")
    ax.set(xlim=(FLOOR / 2, 2), ylim=(len(TESTS) - 0.4, -0.6))
    ax.set_xlabel(f"p-value ({FLOOR:g} or less at the edge); dashed: the level")
    ax.set_yticks(range(len(TESTS)), list(TESTS.values()))
    ax.grid(axis="x", color=GRID, linewidth=0.8)
    return ax
