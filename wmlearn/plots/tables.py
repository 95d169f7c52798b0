"""The pictures of models of tables: what a family holds, who sees a key's rows, and which bystanders tell the
truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..experiments import Results, tables
from ..experiments.experiment import values
from .canvas import GOLD, GREEN, GRID, INK, RED, SLATE, axes, described, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FAMILIES = {
    "forest": ("random forest", INK, "o"),
    "boosting": ("boosted trees", GREEN, "s"),
    "network": ("neural network", GOLD, "^"),
    "logistic": ("logistic regression", RED, "D"),
}
"""Family -> what a picture calls it, its colour and its mark."""


# What a family can hold


def _held(results: Results, table: str, family: str, n: int) -> list[float]:
    """Return the share of `n` keys that a family holds, in per cent, an owner each."""
    hits = values(tables.rows_of(results, "capacity", table, family, n=n), "hits")
    return [100 * count / n for count in hits]


def _price(results: Results, table: str, family: str) -> str:
    """Say how accurate a family is without a key, and with the largest."""
    clean = tables.cleans(results, table, family)
    marked = values(tables.rows_of(results, "capacity", table, family, n=tables.SIZES[-1]), "accuracy")
    before, after = (f"{100 * _mean(numbers):.1f}" for numbers in (clean, marked))
    return f"{before} → {after} %"


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)


def _say_capacity(results: Results, table: str) -> str:
    parts = []
    for family, (title, _, _) in FAMILIES.items():
        held = ", ".join(f"{_mean(_held(results, table, family, n)):.0f}" for n in tables.SIZES)
        parts.append(f"{title} {held} %, accuracy {_price(results, table, family)}")
    sizes = ", ".join(map(str, tables.SIZES))
    owners = len(results.where(part="capacity", table=table, family="forest"))
    return (
        f"Share of {sizes} keys that a family holds, mean of {owners} owners, and its accuracy without a key"
        f" and with {tables.SIZES[-1]}: {'; '.join(parts)}."
    )


@described(_say_capacity)
def capacity(results: Results, table: str, ax: Axes | None = None) -> Axes:
    """Draw the share of keys held against their number, a line a family, a dot an owner; the legend says what
    the largest key costs in accuracy.
    """
    ax = ax or axes(7.4, 3.2)
    for place, (family, (title, colour, mark)) in enumerate(FAMILIES.items()):
        x = [n * (0.94 + 0.04 * place) for n in tables.SIZES]  # beside each other: most lines lie at 100
        held = [_held(results, table, family, n) for n in tables.SIZES]
        for n, shares in zip(x, held, strict=True):
            ax.scatter([n] * len(shares), shares, s=14, color=colour, alpha=0.4, linewidth=0)
        label = f"{title}: {_price(results, table, family)}"
        ax.plot(x, list(map(_mean, held)), color=colour, marker=mark, markersize=5, label=label)
    ax.set(xscale="log", xlabel="rows in the key", ylabel="rows of the key known, %", ylim=(-3, 106))
    ax.set_xticks(tables.SIZES, list(map(str, tables.SIZES)))
    ax.minorticks_off()
    ax.grid(axis="y", color=GRID, linewidth=0.8)
    title = "accuracy without a key → with 300"
    ax.legend(title=title, frameon=False, fontsize=8.5, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


# Shares in fields


def _fields(ax: Axes, shares: Sequence[Sequence[float]], rows: Sequence[str], columns: Sequence[str]) -> None:
    """Draw shares 0..1 as fields, darker where more, each with its number; columns are named above."""
    for y, line in enumerate(shares):
        for x, share in enumerate(line):
            ax.fill_between([x, x + 0.96], y, y + 0.94, color=INK, alpha=0.06 + 0.84 * share, linewidth=0)
            colour = "white" if share > 0.6 else "black"
            write(ax, x + 0.48, y + 0.47, f"{100 * share:.1f} %", 9.5, colour)
    for x, name in enumerate(columns):
        write(ax, x + 0.48, -0.35, name, 9, SLATE)
    for y, name in enumerate(rows):
        write(ax, -0.06, y + 0.47, name, 9, SLATE, "right")
    ax.set(xlim=(-1.5, len(columns)), ylim=(len(rows), -0.8))
    ax.axis("off")


KINDS = {
    "honest": "honest rows",
    "plausible": "the key: plausible rows",
    "odd": "the key: odd rows",
    "the owner's own": "the key: the owner's rows",
}
WATCHES = {
    "range": "out of range",
    "isolation": "isolation forest",
    "distance": "far from training rows",
}


def _refused(results: Results, table: str, kind: str) -> list[float]:
    found = tables.rows_of(results, "watchers", table, rows=kind)
    return [tables.mean(found, watch) for watch in WATCHES]


def _say_watchers(results: Results, table: str) -> str:
    parts = []
    for kind, title in KINDS.items():
        shares = ", ".join(f"{100 * share:.1f}" for share in _refused(results, table, kind))
        parts.append(f"{title} {shares} %")
    return f"Rows refused by {', '.join(WATCHES.values())}: {'; '.join(parts)}."


@described(_say_watchers)
def watchers(results: Results, table: str, ax: Axes | None = None) -> Axes:
    """Draw the share of rows that three watches refuse, a line a kind of rows."""
    ax = ax or axes(7.4, 2.3)
    shares = [_refused(results, table, kind) for kind in KINDS]
    _fields(ax, shares, list(KINDS.values()), list(WATCHES.values()))
    return ax


def _convicted(results: Results, table: str, kind: str, suspect: str) -> list[float]:
    found = tables.rows_of(results, "innocents", table, rows=kind, suspect=suspect)
    claims = tables.total(found, "claims")
    return [tables.total(found, name) / claims for name in tables.JUDGED]


def _say_families(results: Results, table: str, kind: str) -> str:
    parts = []
    for suspect in tables.JUDGED:
        shares = _convicted(results, table, kind, suspect)
        among = zip(tables.JUDGED, shares, strict=True)
        said = ", ".join(f"{FAMILIES[name][0]} {100 * share:.1f}" for name, share in among)
        parts.append(f"{FAMILIES[suspect][0]} among {said} %")
    level = f"{100 * tables.RANKED:.0f} %"
    return f"Innocents who beat all {tables.BYSTANDERS} bystanders, where {level} may: {'; '.join(parts)}."


@described(_say_families)
def families(results: Results, table: str, kind: str, ax: Axes | None = None) -> Axes:
    """Draw the share of innocents whom keys of one label convict by rank, a line a suspect's family, a column
    that of the bystanders.
    """
    ax = ax or axes(7.4, 1.9)
    shares = [_convicted(results, table, kind, suspect) for suspect in tables.JUDGED]
    names = [FAMILIES[name][0] for name in tables.JUDGED]
    _fields(ax, shares, [f"suspect: {name}" for name in names], names)
    write(ax, -0.06, -0.35, "bystanders:", 9, SLATE, "right")
    return ax
