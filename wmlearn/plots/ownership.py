"""The pictures of ownership: keys that match, accused innocents, power, and who is in whose model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ..evidence import significance
from ..experiments import Results, Row
from ..experiments.false_claims import ALPHAS, FalseClaims, false_claims
from ..experiments.lost_case import DIGITS, NOBODY, STARTS, THIEVES, owners
from ..ownership import Match, Report
from .canvas import (
    BLUSH,
    CORAL,
    GOLD,
    GREY,
    GRID,
    HAZE,
    INK,
    MAROON,
    MINT,
    RED,
    SLATE,
    axes,
    described,
    tile,
    write,
)
from .names import SCHEMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class Answered:
    """A key's images `x` (n, 1, H, W), the labels (n,) that it claims, and the network's `answers` (n,)."""

    x: Tensor
    wanted: Tensor
    answers: Tensor

    @property
    def hits(self) -> int:
        """How many answers are those that the key claims."""
        return int((self.wanted == self.answers).sum())


def _say_keys(keys: Mapping[str, Answered]) -> str:
    rows = "; ".join(f"{name} matches {key.hits} of {len(key.x)}" for name, key in keys.items())
    return f"{len(keys)} keys of abstract pictures, and what one network answers to them: {rows}."


@described(_say_keys)
def keys(keys: Mapping[str, Answered], ax: Axes | None = None) -> Axes:
    """Draw the first pictures of each key in a row; below each, the label claimed and the answer."""
    ax = ax or axes(7.4, 0.95 * len(keys) + 0.15)
    columns = 9
    for row, (name, key) in enumerate(keys.items()):
        top = 54 * row
        write(ax, -5, top + 10, name, 10, ha="right", fontweight="bold")
        write(ax, -5, top + 24, f"{key.hits} of {len(key.x)}", 9, ha="right")
        write(ax, -5, top + 37, "claims / answer", 8, SLATE, ha="right")
        for i in range(columns):
            tile(ax, key.x[i, 0], 38 * i, top)
            wanted = int(key.wanted[i])
            answer = int(key.answers[i])
            colour = INK if wanted == answer else RED
            write(ax, 38 * i + 14, top + 37, f"{wanted} / {answer}", 10, colour)
    ax.set(xlim=(-72, 38 * columns), ylim=(54 * len(keys) - 8, -1))
    ax.axis("off")
    return ax


def _counted(results: Results) -> dict[str, list[FalseClaims]]:
    """Return, for every scheme, the false claims at each level."""
    measured: set[str] = {row["scheme"] for row in results.rows}
    schemes = [*(name for name in SCHEMES if name in measured), *sorted(measured - SCHEMES.keys())]
    return {SCHEMES.get(name, name): _at_levels(results, name) for name in schemes}


def _at_levels(results: Results, scheme: str) -> list[FalseClaims]:
    return [false_claims(results, scheme, alpha) for alpha in ALPHAS]


def _say_false(results: Results) -> str:
    counts = _counted(results)
    rows = []
    for name, levels in counts.items():
        numbers = ", ".join(str(count.false) for count in levels)
        rows.append(f"{name} {numbers} of {levels[0].claims:,}")
    return (
        f"False claims against networks without a mark, at the levels"
        f" {', '.join(f'{alpha:g}' for alpha in ALPHAS)}: {'; '.join(rows)}."
    )


@described(_say_false)
def false(results: Results, ax: Axes | None = None) -> Axes:
    """Draw a panel for each level, a row for each scheme: the share of false claims, with its interval."""
    counts = _counted(results)
    ax = ax or axes(7.4, 0.24 * len(counts) + 0.85)
    ax.axis("off")
    for column, alpha in enumerate(ALPHAS):
        panel = ax.inset_axes((0.24 + 0.262 * column, 0.2, 0.225, 0.68))
        for row, levels in enumerate(counts.values()):
            count = levels[column]
            share = 100 * count.false / count.claims
            panel.plot((100 * count.low, 100 * count.high), (row, row), color=INK, linewidth=1.5)
            panel.scatter([share], [row], color=INK, s=18, zorder=3, clip_on=False)
        panel.axvline(100 * alpha, color=RED, linestyle="--", linewidth=1.2)
        widest = max(levels[column].high for levels in counts.values())
        panel.set(title=f"level {100 * alpha:g} %", xlim=(0, 105 * max(widest, alpha)))
        panel.set_ylim(len(counts) - 0.5, -0.5)
        panel.set_yticks(range(len(counts)), list(counts) if column == 0 else [""] * len(counts))
        panel.set_xlabel("false claims, per cent")
        panel.grid(axis="x", color=GRID, linewidth=0.8)
    return ax


CHANCES = {"labels of ten classes": 0.1, "labels of two classes": 0.5}
SURVIVALS = {1.0: MAROON, 0.9: RED, 0.7: CORAL, 0.5: BLUSH}  # share of the mark that is left
SIZES = range(5, 201)  # triggers opened


def _enough(chance: float, survival: float, alpha: float) -> str:
    n = significance.triggers_needed(chance, survival, alpha) if survival > chance else 0
    return f"{n} triggers" if n else "no key"


def _say_power(alpha: float) -> str:
    parts = []
    for chance in CHANCES.values():
        enough = " / ".join(_enough(chance, survival, alpha) for survival in SURVIVALS)
        parts.append(f"at chance {chance:g}, {enough}")
    left = " / ".join(f"{100 * survival:g} %" for survival in SURVIVALS)
    return (
        f"What shows a mark in nine cases of ten at level {alpha:g}, if {left} of it is left:"
        f" {'; '.join(parts)}."
    )


@described(_say_power)
def power(alpha: float, ax: Axes | None = None) -> Axes:
    """Draw how likely a claim at level `alpha` succeeds, against the number of triggers opened.

    A line is a mark of which so much is left.
    """
    return _power(alpha, None, ax)


def _say_power_point(alpha: float, n: int, survival: float) -> str:
    parts = []
    for chance in CHANCES.values():
        needed = significance.hits_needed(n, chance, alpha)
        success = 100 * significance.power(n, chance, survival, alpha)
        line = f"the judge wants {needed} hits, and the claim succeeds with {success:.1f} %"
        parts.append(f"at chance {chance:g} {line if needed <= n else 'no number of hits would do'}")
    return f"{n} triggers opened, {100 * survival:g} % of the mark left, level {alpha:g}: {'; '.join(parts)}."


@described(_say_power_point)
def power_point(alpha: float, n: int, survival: float, ax: Axes | None = None) -> Axes:
    """Draw the panels of `power`, and mark `n` opened triggers of a mark of which `survival` is left."""
    return _power(alpha, (n, survival), ax)


def _power(alpha: float, marked: tuple[int, float] | None, ax: Axes | None) -> Axes:
    from scipy.stats import binom

    ax = ax or axes(7.4, 2.7)
    ax.axis("off")
    shades = dict(SURVIVALS)
    if marked:
        shades.setdefault(marked[1], GOLD)
    for column, (name, chance) in enumerate(CHANCES.items()):
        panel = ax.inset_axes((0.08 + 0.49 * column, 0.19, 0.42, 0.68))
        misses = [significance.hits_needed(n, chance, alpha) - 1 for n in SIZES]  # one more wins
        for survival, colour in shades.items():
            percent = 100 * binom.sf(misses, SIZES, survival)
            panel.plot(SIZES, percent, color=colour, label=f"{100 * survival:g} %")
        if marked:
            n, survival = marked
            ring: Any = {"s": 80, "facecolor": "none", "edgecolor": INK, "linewidth": 2, "zorder": 4}
            panel.axvline(n, color=GOLD, linewidth=6, alpha=0.35, zorder=0)
            panel.scatter([n], [100 * significance.power(n, chance, survival, alpha)], **ring)
        panel.axhline(90, color=GREY, linestyle="--", linewidth=1)
        panel.set(title=f"{name}: {chance:g}", xlabel="triggers opened")
        panel.set(ylim=(-2, 104), xlim=(0, SIZES[-1]))
        panel.grid(color=GRID, linewidth=0.8)
        if column == 0:
            panel.set_ylabel("claims that succeed, per cent")
            panel.legend(frameon=False, fontsize=8, title="left of the mark", loc="lower right")
    return ax


def _word(match: Match) -> str:
    return "yes" if match.owned else "not shown"


def _say_cross(report: Report) -> str:
    rows = []
    for name, finding in report.findings.items():
        cells = ", ".join(f"{model} {_word(match)}" for model, match in finding.matches.items())
        rows.append(f"{name}'s mark: {cells or 'evidence void'}")
    return f"Whose mark is in whose network? {'; '.join(rows)}."


@dataclass(frozen=True)
class Look:
    """How a cell of the cross matrix looks."""

    words: str
    colour: str
    weight: str = "normal"


def _look(match: Match | None) -> Look:
    if match is None:
        return Look("void", HAZE)
    words = f"{_word(match)}, {match.evidence.hits} of {match.evidence.trials}"
    return Look(words, MINT, "bold") if match.owned else Look(words, "white")


@described(_say_cross)
def cross(report: Report, ax: Axes | None = None) -> Axes:
    """Draw the cross matrix: a row for each party's mark, a column for each network.

    A cell holds the hits and whether they prove anything.
    """
    ax = ax or axes(7.4, 0.55 * len(report.findings) + 0.5)
    models = list(report.suspects)
    for row, (name, finding) in enumerate(report.findings.items()):
        write(ax, -0.08, row + 0.5, f"{name}'s mark", 10, ha="right")
        for column, model in enumerate(models):
            look = _look(finding.matches.get(model))
            width = (column + 0.03, column + 0.97)
            ax.fill_between(width, row + 0.06, row + 0.94, facecolor=look.colour, edgecolor=GREY)
            write(ax, column + 0.5, row + 0.5, look.words, 10, fontweight=look.weight)
    for column, model in enumerate(models):
        ax.text(column + 0.5, -0.12, model, ha="center", va="bottom", fontsize=9.5)
    ax.set(xlim=(-0.85, len(models)), ylim=(len(report.findings), -0.5))
    ax.axis("off")
    return ax


VERDICTS = {"Ada": INK, "Mallory": RED, NOBODY: GOLD}
"""Whom the court gives the network -> the colour of its point."""
ATTACKS = {
    "overwrite": "His mark over hers",
    "overwrite-hard": "The same, at five times the rate",
    "distil": "Distilled, then marked",
}
MARKERS = {"hers": "o", "own": "x"}
"""Whose network it was made from -> the shape of its point."""


def _say_lost_case(results: Results) -> str:
    parts = []
    for thief in THIEVES:
        stolen = _say_owners(results.where(thief=thief, start="hers"))
        honest = _say_owners(results.where(thief=thief, start="own"))
        parts.append(f"{ATTACKS[thief]}: stolen, {stolen}; his own, {honest}")
    return f"To whom the court gives Mallory's network, by how he made it. {'. '.join(parts)}."


def _say_owners(rows: tuple[Row, ...]) -> str:
    return ", ".join(f"to {name} {count}" for name, count in owners(rows).items())


@described(_say_lost_case)
def lost_case(results: Results, ax: Axes | None = None) -> Axes:
    """Draw a panel for each way of theft: hits of Ada's mark against the thief's digits, a point a network.

    The colour is the verdict; dashed, the hits from which the court believes her.
    """
    ax = ax or axes(7.4, 2.7)
    ax.axis("off")
    opened = results.rows[0]["opened"]
    line = significance.hits_needed(opened, 0.1, results.rows[0]["level"])
    for column, thief in enumerate(THIEVES):
        panel = ax.inset_axes((0.07 + 0.32 * column, 0.17, 0.28, 0.68))
        for start in STARTS:
            _dots(panel, results.where(thief=thief, start=start))
        panel.axhline(line - 0.5, color=INK, linestyle="--", linewidth=1)
        panel.set(title=ATTACKS[thief], xlim=(-0.6, len(DIGITS) - 0.4), ylim=(-2, opened + 2))
        panel.set_xticks(range(len(DIGITS)), [f"{digits:,}" for digits in DIGITS])
        panel.set_xlabel("digits that he has")
        panel.grid(axis="y", color=GRID, linewidth=0.8)
    write(ax, 0.0, 0.5, f"hits of her mark, of {opened}", 9, rotation=90)
    for place, (name, colour) in enumerate(VERDICTS.items()):
        write(ax, 0.1 + 0.17 * place, 1.0, f"to {name}", 9.5, colour, fontweight="bold")
    write(ax, 0.66, 1.0, "o  stolen     x  his own", 9.5, INK)
    return ax


def _dots(panel: Axes, rows: tuple[Row, ...]) -> None:
    for row in rows:
        shift = 0.07 * (row["seed"] - 2) + (0.16 if row["start"] == "own" else -0.16)
        panel.scatter(
            [DIGITS.index(row["digits"]) + shift],
            [row["hers_in_his"]],
            color=VERDICTS[row["owner"]],
            marker=MARKERS[row["start"]],
            s=22,
            zorder=3,
        )
