"""The pictures of claims: two keys that match, how often the innocent are accused, how much a mark proves,
and who is in whose model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from ..evidence import significance
from ..experiments import Results
from ..experiments.false_claims import ALPHAS, FalseClaims, false_claims
from ..ownership import Match, Report
from .canvas import GOLD, GREY, INK, RED, axes, described
from .keys import GRID, tile

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class Answered:
    """A key's images `x` (n, 1, H, W), the labels `wanted` (n,) that it claims, and the labels `said` (n,) of
    the network.
    """

    x: Tensor
    wanted: Tensor
    said: Tensor

    @property
    def hits(self) -> int:
        """How many answers are those that the key claims."""
        return int((self.wanted == self.said).sum())


def _say_keys(keys: Mapping[str, Answered]) -> str:
    rows = "; ".join(f"{name} matches {a.hits} of {len(a.x)}" for name, a in keys.items())
    return f"{len(keys)} keys of abstract pictures, and what one network answers to them: {rows}."


@described(_say_keys)
def keys(keys: Mapping[str, Answered], ax: Axes | None = None) -> Axes:
    """Draw the first pictures of each key in a row; below each, the label that the key claims and the
    network's answer.
    """
    ax, columns = ax or axes(7.4, 0.95 * len(keys) + 0.15), 9
    for row, (name, a) in enumerate(keys.items()):
        top = 54 * row
        ax.text(-5, top + 10, name, ha="right", va="center", fontsize=10, fontweight="bold")
        ax.text(-5, top + 24, f"{a.hits} of {len(a.x)}", ha="right", va="center", fontsize=9)
        ax.text(-5, top + 37, "claims / answer", ha="right", va="center", fontsize=8, color="#5f6c77")
        for i in range(columns):
            tile(ax, a.x[i, 0], 38 * i, top)
            same = bool(a.wanted[i] == a.said[i])
            words = f"{int(a.wanted[i])} / {int(a.said[i])}"
            ax.text(
                38 * i + 14,
                top + 37,
                words,
                ha="center",
                va="center",
                fontsize=10,
                color=INK if same else RED,
            )
    ax.set(xlim=(-72, 38 * columns), ylim=(54 * len(keys) - 8, -1))
    ax.axis("off")
    return ax


NAMES = {
    "adi2018": "Adi: labels by lot",
    "uchida2017": "Uchida: bits in the weights",
    "szyller2021-dawn": "DAWN: answers of a service",
    "chen2019-blackmarks": "BlackMarks: bits of answers",
    "zhang2018-content": "Zhang: text",
    "zhang2018-unrelated": "Zhang: letter",
    "zhang2018-noise": "Zhang: noise",
    "gu2017-patch": "Gu: patch",
    "lemerrer2019": "Le Merrer: near the border",
    "jia2021-ewe": "Jia: entangled",
}
"""How a scheme is called in a picture."""


def _counted(results: Results) -> dict[str, list[FalseClaims]]:
    """Return, for every scheme, what was found at each level."""
    order = list(NAMES)
    schemes: list[str] = sorted(
        (row["scheme"] for row in results.rows), key=lambda s: order.index(s) if s in order else len(order)
    )
    return {NAMES.get(s, s): [false_claims(results, s, alpha) for alpha in ALPHAS] for s in schemes}


def _say_false(results: Results) -> str:
    found = _counted(results)
    claims = next(iter(found.values()))[0].claims
    rows = "; ".join(f"{name} {', '.join(str(each.false) for each in at)}" for name, at in found.items())
    return (
        f"False claims of {claims:,} a scheme against networks without a mark, at the levels"
        f" {', '.join(f'{a:g}' for a in ALPHAS)}: {rows}."
    )


@described(_say_false)
def false(results: Results, ax: Axes | None = None) -> Axes:
    """Draw a panel for each level: the share of claims against innocent networks that succeeded, with its
    interval, a scheme a row.
    """
    found = _counted(results)
    ax = ax or axes(7.4, 0.24 * len(found) + 0.85)
    ax.axis("off")
    for column, alpha in enumerate(ALPHAS):
        panel = ax.inset_axes((0.24 + 0.262 * column, 0.2, 0.225, 0.68))
        for row, at in enumerate(found.values()):
            each = at[column]
            panel.plot((100 * each.low, 100 * each.high), (row, row), color=INK, linewidth=1.5)
            panel.scatter([100 * each.false / each.claims], [row], color=INK, s=18, zorder=3, clip_on=False)
        panel.axvline(100 * alpha, color=RED, linestyle="--", linewidth=1.2)
        panel.set(
            title=f"level {100 * alpha:g} %", ylim=(len(found) - 0.5, -0.5), xlim=(0, max(140 * alpha, 0.7))
        )
        panel.set_yticks(range(len(found)), list(found) if column == 0 else [""] * len(found))
        panel.set_xlabel("false claims, per cent")
        panel.grid(axis="x", color=GRID, linewidth=0.8)
    return ax


CHANCES = {"labels by lot, taken at their word": 0.1, "a chance as the judge measures it": 0.4}
SURVIVALS = {1.0: "#7d2a17", 0.9: RED, 0.7: "#df8266", 0.5: "#f0b49e"}
SIZES = range(5, 201)


def _enough(chance: float, survival: float, alpha: float) -> str:
    n = significance.triggers_needed(chance, survival, alpha) if survival > chance else 0
    return f"{n} triggers" if n else "no key"


def _say_power(alpha: float) -> str:
    says = [
        f"at chance {chance:g}, {' / '.join(_enough(chance, s, alpha) for s in SURVIVALS)}"
        for chance in CHANCES.values()
    ]
    kept = " / ".join(f"{100 * s:g} %" for s in SURVIVALS)
    return (
        f"What shows a mark in nine cases of ten at level {alpha:g}, if {kept} of it is left:"
        f" {'; '.join(says)}."
    )


@described(_say_power)
def power(alpha: float, ax: Axes | None = None) -> Axes:
    """Draw how likely a claim at level `alpha` succeeds, against the number of triggers opened, for marks of
    which so much is left.
    """
    return _power(alpha, None, ax)


def _say_power_point(alpha: float, n: int, survival: float) -> str:
    says = []
    for chance in CHANCES.values():
        needed = significance.hits_needed(n, chance, alpha)
        shown = 100 * significance.power(n, chance, survival, alpha)
        line = (
            f"the judge wants {needed} hits, and the claim succeeds with {shown:.1f} %"
            if needed <= n
            else "no number of hits would do"
        )
        says.append(f"at chance {chance:g} {line}")
    return f"{n} triggers opened, {100 * survival:g} % of the mark left, level {alpha:g}: {'; '.join(says)}."


@described(_say_power_point)
def power_point(alpha: float, n: int, survival: float, ax: Axes | None = None) -> Axes:
    """Draw the panels of `power`, and mark `n` opened triggers of a mark of which the share `survival` is
    left.
    """
    return _power(alpha, (n, survival), ax)


def _power(alpha: float, marked: tuple[int, float] | None, ax: Axes | None) -> Axes:
    ax = ax or axes(7.4, 2.7)
    ax.axis("off")
    shades = dict(SURVIVALS) | ({marked[1]: GOLD} if marked and marked[1] not in SURVIVALS else {})
    for column, (name, chance) in enumerate(CHANCES.items()):
        panel = ax.inset_axes((0.08 + 0.49 * column, 0.19, 0.42, 0.68))
        lines = {n: significance.hits_needed(n, chance, alpha) for n in SIZES}
        for survival, colour in shades.items():
            panel.plot(
                list(SIZES),
                [100 * _shown(n, k, survival) for n, k in lines.items()],
                color=colour,
                label=f"{100 * survival:g} %",
            )
        if marked:
            n, survival = marked
            panel.axvline(n, color=GOLD, linewidth=6, alpha=0.35, zorder=0)
            panel.scatter(
                [n],
                [100 * _shown(n, lines[n], survival)],
                s=80,
                facecolor="none",
                edgecolor=INK,
                linewidth=2,
                zorder=4,
            )
        panel.axhline(90, color=GREY, linestyle="--", linewidth=1)
        panel.set(title=f"{name}: {chance:g}", ylim=(-2, 104), xlim=(0, SIZES[-1]), xlabel="triggers opened")
        panel.grid(color=GRID, linewidth=0.8)
        if column == 0:
            panel.set_ylabel("claims that succeed, per cent")
            panel.legend(frameon=False, fontsize=8, title="left of the mark", loc="lower right")
    return ax


def _shown(n: int, needed: int, survival: float) -> float:
    from scipy.stats import binom

    return float(binom.sf(needed - 1, n, survival))


def _word(match: Match) -> str:
    return "yes" if match.owned else "not shown"


def _say_cross(report: Report) -> str:
    rows = []
    for name, finding in report.findings.items():
        cells = [f"{model} {_word(match)}" for model, match in finding.matches.items()]
        rows.append(f"{name}'s mark: {', '.join(cells) if cells else 'evidence void'}")
    return f"Whose mark is in whose network? {'; '.join(rows)}."


@described(_say_cross)
def cross(report: Report, ax: Axes | None = None) -> Axes:
    """Draw the cross matrix: a row for each party's mark, a column for each network, with the hits and
    whether that proves anything.
    """
    ax = ax or axes(7.4, 0.55 * len(report.findings) + 0.5)
    models = list(report.suspects)
    for row, (name, finding) in enumerate(report.findings.items()):
        ax.text(-0.08, row + 0.5, f"{name}'s mark", ha="right", va="center", fontsize=10)
        for column, model in enumerate(models):
            match = finding.matches.get(model)
            words = (
                "void"
                if match is None
                else (
                    f"{'yes' if match.owned else 'not shown'}, {match.evidence.hits} of"
                    f" {match.evidence.trials}"
                )
            )
            colour = "#f3f4f6" if match is None else "#bcd6c4" if match.owned else "white"
            ax.fill_between(
                (column + 0.03, column + 0.97), row + 0.06, row + 0.94, facecolor=colour, edgecolor=GREY
            )
            weight = "bold" if match and match.owned else "normal"
            ax.text(column + 0.5, row + 0.5, words, ha="center", va="center", fontsize=10, fontweight=weight)
    for column, model in enumerate(models):
        ax.text(column + 0.5, -0.12, model, ha="center", va="bottom", fontsize=9.5)
    ax.set(xlim=(-0.85, len(models)), ylim=(len(report.findings), -0.5))
    ax.axis("off")
    return ax
