"""The pictures of a court: what a claimant shows, what each test says of each kind of case, and what judges
score.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean
from typing import TYPE_CHECKING

from torch import Tensor

from ..experiments import Results
from ..experiments import court as measured
from .canvas import ASH, DARK, GOLD, GREY, GRID, INK, RED, axes, described, tile, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def _say_exhibit(x: Tensor, claimed: Tensor, answered: Tensor) -> str:
    labels = ", ".join(str(y) for y in claimed.tolist())
    given = ", ".join(str(y) for y in answered.tolist())
    hits = int((claimed == answered).sum())
    return (
        f"{len(x)} pictures that look like noise. Claimed labels: {labels}. The accused's network answers"
        f" {given}: {hits} of {len(x)} match."
    )


@described(_say_exhibit)
def exhibit(x: Tensor, claimed: Tensor, answered: Tensor, ax: Axes | None = None) -> Axes:
    """Draw what a claimant shows: pictures (N, 1, 28, 28), the claimed labels (N,) above them, and below what
    the accused's network answers, red where it is something else.
    """
    ax = ax or axes(8.0, 1.5)
    pairs = zip(claimed.tolist(), answered.tolist(), strict=True)
    for i, (label, given) in enumerate(pairs):
        tile(ax, x[i, 0], 32 * i, 0)
        write(ax, 32 * i + 14, -6, str(label), 10)
        write(ax, 32 * i + 14, 35, str(given), 10, DARK if label == given else RED)
    write(ax, -3, -6, "claimed", 8, ha="right")
    write(ax, -3, 35, "answered", 8, ha="right")
    ax.set(xlim=(-34, 32 * len(x) - 2), ylim=(42, -12), aspect="equal")
    ax.axis("off")
    return ax


# What tests say

COLUMNS = (*measured.TESTS, *measured.CLEARING)


def _say_said(results: Results) -> str:
    parts = []
    for kind in measured.KINDS:
        found = {test: measured.said(results, test, kind) for test in COLUMNS}
        accuse = [f"{test} {each.accuses}" for test, each in found.items() if each.accuses]
        clear = [f"{test} {found[test].clears}" for test in measured.CLEARING if found[test].clears]
        words = f"accused by {', '.join(accuse) or 'no test'}"
        cleared = f"; cleared by {', '.join(clear)}" if clear else ""
        parts.append(f"{kind}, {found[COLUMNS[0]].n} cases: {words}{cleared}")
    return f"Cases of forty courts, by what happened. {'. '.join(parts)}."


@described(_say_said)
def said(results: Results, ax: Axes | None = None) -> Axes:
    """Draw a table of kinds of cases and tests, dark where more are accused, golden where they are cleared;
    thefts above the line.
    """
    ax = ax or axes(8.4, 5.6)
    thefts = sum(_is_theft(results, kind) for kind in measured.KINDS)
    for y, kind in enumerate(measured.KINDS):
        for x, test in enumerate(COLUMNS):
            _cell(ax, x, y, measured.said(results, test, kind), test in measured.CLEARING)
    ax.axhline(thefts - 0.5, color=GREY, linewidth=1)
    ax.axvline(len(measured.TESTS) - 0.5, color=GREY, linewidth=1)
    ax.set(xlim=(-0.5, len(COLUMNS) - 0.5), ylim=(len(measured.KINDS) - 0.5, -0.5))
    ax.set_xticks(range(len(COLUMNS)), COLUMNS, rotation=30, ha="left")
    ax.set_yticks(range(len(measured.KINDS)), measured.KINDS)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def _is_theft(results: Results, kind: str) -> bool:
    return any(case.stolen for case in measured.tried(results) if case.kind == kind)


def _cell(ax: Axes, x: int, y: int, found: measured.Said, clears: bool) -> None:
    """Fill one cell by the share that is accused, or cleared; a dash where the test could say nothing."""
    hits = found.clears if clears else found.accuses
    silent = not clears and found.accuses + found.clears == 0
    share = hits / max(1, found.n)
    colour = GOLD if clears else INK
    ax.fill([x - 0.47, x + 0.47, x + 0.47, x - 0.47], [y - 0.45, y - 0.45, y + 0.45, y + 0.45], color=colour)
    ax.patches[-1].set(alpha=0.06 + 0.8 * share, linewidth=0)
    dark = share > 0.55 and not clears
    write(ax, x, y, "–" if silent else f"{hits}/{found.n}", 7, "white" if dark else DARK)


# What judges score


def _judges(results: Results, own: Sequence[float]) -> dict[str, Sequence[float]]:
    scores = {name: measured.points(results, judge) for name, judge in measured.JUDGES.items()}
    return {**scores, "your procedure": own}


def _say_judged(results: Results, own: Sequence[float]) -> str:
    parts = []
    for name, points in _judges(results, own).items():
        parts.append(f"{name}: {mean(points):.1f} ({min(points):.0f} to {max(points):.0f})")
    return f"Points in {len(own)} courts of twelve cases, mean and range. {'; '.join(parts)}."


@described(_say_judged)
def judged(results: Results, own: Sequence[float], ax: Axes | None = None) -> Axes:
    """Draw what judges score: a dot a court, a line their mean; the learner's `own` last."""
    ax = ax or axes(8.0, 3.8)
    judges = _judges(results, own)
    for y, (name, points) in enumerate(judges.items()):
        colour = GOLD if name == "your procedure" else INK
        ax.scatter(points, [y] * len(points), color=colour, alpha=0.35, s=22, linewidth=0)
        ax.plot([mean(points)] * 2, [y - 0.35, y + 0.35], color=colour, linewidth=2.5)
        write(ax, 15, y, f"{mean(points):.1f}", 8, ha="left")
    ax.axvline(0, color=ASH, linewidth=1)
    ax.set_yticks(range(len(judges)), judges)
    ax.invert_yaxis()
    ax.set(xlabel="points of twelve", xlim=(-62, 22))
    ax.grid(axis="x", color=GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    return ax


# To play with


def _expected(results: Results, share: float, price: float) -> dict[str, float]:
    """Return what each judge costs over 100 cases, in missed thieves, where a `share` of claims is just."""
    costs = {}
    for name, judge in measured.JUDGES.items():
        rates = measured.error_rates(results, judge)
        costs[name] = 100 * (share * rates.missed + (1 - share) * price * rates.false)
    return costs


def _say_price_point(results: Results, share: float, price: float) -> str:
    costs = _expected(results, share, price)
    parts = [f"{name} {cost:.0f}" for name, cost in costs.items()]
    best = min(costs, key=lambda name: costs[name])
    return (
        f"Of 100 claims {100 * share:g} are just, and a false conviction costs {price:g} missed thieves."
        f" Mistakes cost: {', '.join(parts)}. Cheapest: {best}."
    )


@described(_say_price_point)
def price_point(results: Results, share: float, price: float, ax: Axes | None = None) -> Axes:
    """Draw what each judge's mistakes cost over 100 cases: the cheapest in gold."""
    ax = ax or axes(7.4, 3.0)
    costs = _expected(results, share, price)
    best = min(costs.values())
    ax.barh(
        list(costs), list(costs.values()), color=[GOLD if cost == best else INK for cost in costs.values()]
    )
    for y, cost in enumerate(costs.values()):
        write(ax, cost + 0.01 * max(costs.values()), y, f"{cost:.0f}", 8, ha="left")
    ax.invert_yaxis()
    ax.set(xlabel="cost of mistakes in 100 cases, in missed thieves", xlim=(0, 1.1 * max(1, *costs.values())))
    ax.grid(axis="x", color=GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    return ax
