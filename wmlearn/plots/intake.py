"""The pictures of an intake: which look sees which attack, and what policies cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..experiments import Results
from ..experiments import intake as measured
from ..intake import LOOKS, Prices, any_bad, bill, cheapest_rule
from .canvas import GOLD, GREY, GRID, INK, RED, axes, described, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..intake import Bill


def _share(bad: int, n: int) -> str:
    return f"{bad} of {n}"


def _say_seen(results: Results) -> str:
    parts = []
    for kind in measured.BAD_KINDS:
        found = {look: measured.caught(results, look, kind) for look in LOOKS}
        named = [f"{look} {_share(caught.bad, caught.n)}" for look, caught in found.items() if caught.bad]
        parts.append(f"{kind}: {', '.join(named) or 'no look'}")
    alarms = {look: measured.false_alarms(results, look) for look in LOOKS}
    named = [f"{look} {_share(caught.bad, caught.n)}" for look, caught in alarms.items() if caught.bad]
    return f"Parcels called bad, by attack. {'; '.join(parts)}. Honest ones: {', '.join(named) or 'none'}."


@described(_say_seen)
def seen(results: Results, ax: Axes | None = None) -> Axes:
    """Draw a table of attacks and looks, dark where more parcels are called bad; honest ones below."""
    ax = ax or axes(8.4, 4.6)
    names = [*measured.BAD_KINDS, "honest (false alarms)"]
    for y, name in enumerate(names):
        for x, look in enumerate(LOOKS):
            is_bad = name in measured.BAD_KINDS
            found = measured.caught(results, look, name) if is_bad else measured.false_alarms(results, look)
            _cell(ax, x, y, found, INK if is_bad else RED)
    ax.axhline(len(names) - 1.5, color=GREY, linewidth=1)
    ax.set(xlim=(-0.5, len(LOOKS) - 0.5), ylim=(len(names) - 0.5, -0.5))
    ax.set_xticks(range(len(LOOKS)), LOOKS, rotation=30, ha="left")
    ax.set_yticks(range(len(names)), names)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    for side in ("left", "bottom", "right", "top"):
        ax.spines[side].set_visible(False)
    return ax


def _cell(ax: Axes, x: int, y: int, found: measured.Caught, colour: str) -> None:
    """Fill one cell by the share called bad; a dash where there was nothing to look at."""
    share = found.bad / max(1, found.n)
    ax.fill([x - 0.47, x + 0.47, x + 0.47, x - 0.47], [y - 0.45, y - 0.45, y + 0.45, y + 0.45], color=colour)
    ax.patches[-1].set(alpha=0.06 + 0.8 * share, linewidth=0)
    text = "–" if found.seen == 0 else f"{found.bad}/{found.n}"
    write(ax, x, y, text, 7, "white" if share > 0.55 else INK, "center")


def _say_seconds(results: Results) -> str:
    parts = [f"{look} {spent:.2g}" for look, spent in measured.seconds(results).items()]
    return f"Seconds that a look takes with one thread, elapsed, on average: {', '.join(parts)}."


@described(_say_seconds)
def seconds(results: Results, ax: Axes | None = None) -> Axes:
    """Draw how long each look takes with one thread, and how many images it asks about."""
    ax = ax or axes(7.4, 2.8)
    spent = measured.seconds(results)
    ax.barh(list(spent), list(spent.values()), color=INK)
    for y, look in enumerate(spent):
        queries = measured.queries(results)[look]
        text = f"{queries:,} images" if queries else ""
        write(ax, 1.2 * spent[look], y, text, 7, INK, "left")
    ax.invert_yaxis()
    ax.set(xscale="log", xlabel="seconds, one thread", xlim=(1e-5, 100))
    ax.grid(axis="x", color=GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    return ax


def _with_own(results: Results, own: Bill) -> dict[str, Bill]:
    return {**measured.bills(results), "two lanes": own}


def _say_costs(results: Results, own: Bill) -> str:
    parts = [f"{name}: {_bill_words(cost)}" for name, cost in _with_own(results, own).items()]
    n = len(measured.cases(results, *measured.SEEDS))
    return f"Minutes a parcel over {n} parcels. {'; '.join(parts)}."


def _bill_words(cost: Bill) -> str:
    looks = f"{cost.each:.0f}, of them {cost.looks / cost.parcels:.0f} for looks"
    return f"{looks}, {cost.missed} bad ones let in, {cost.refused} honest ones refused"


@described(_say_costs)
def costs(results: Results, own: Bill, ax: Axes | None = None) -> Axes:
    """Draw what each policy costs, the learner's `own` last: looks, bad ones let in, honest ones refused."""
    ax = ax or axes(8.0, 3.8)
    _bars(ax, _with_own(results, own), Prices())
    return ax


def _bars(ax: Axes, bills: dict[str, Bill], prices: Prices) -> None:
    names = list(bills)
    looks = np.array([cost.looks / cost.parcels for cost in bills.values()])
    missed = np.array([prices.missed * cost.missed / cost.parcels for cost in bills.values()])
    refused = np.array([prices.refused * cost.refused / cost.parcels for cost in bills.values()])
    ax.barh(names, missed, color=RED, label="bad ones let in")
    ax.barh(names, refused, left=missed, color=GOLD, label="honest ones refused")
    ax.barh(names, looks, left=missed + refused, color=INK, label="looks")
    ax.set_axisbelow(True)
    ax.invert_yaxis()
    ax.set(xlabel="minutes a parcel")
    ax.grid(axis="x", color=GRID, linewidth=0.8)
    ax.legend(frameon=False, fontsize=8, loc="lower right")


def _point(results: Results, missed: float, refused: float) -> dict[str, Bill]:
    """Return the bills of three policies at these prices, the last chosen on the seed to choose by."""
    prices = Prices(missed=missed, refused=refused)
    rules = {
        "let everything in": (),
        "all nine": measured.by_price(prices),
        "cheapest": _cheapest(results, prices),
    }
    others = measured.cases(results, *measured.SEEDS)
    return {name: bill(any_bad(rule), others, prices) for name, rule in rules.items()}


def _cheapest(results: Results, prices: Prices) -> tuple[str, ...]:
    return cheapest_rule(measured.cases(results, measured.CHOOSING), prices)


def _say_price_point(results: Results, missed: float, refused: float) -> str:
    rule = _cheapest(results, Prices(missed=missed, refused=refused))
    parts = [f"{name}: {_bill_words(cost)}" for name, cost in _point(results, missed, refused).items()]
    chosen = ", ".join(rule) or "no look at all"
    return (
        f"A bad parcel let in costs {missed:,.0f} minutes, an honest one refused {refused:,.0f}. Cheapest on"
        f" seed {measured.CHOOSING}: {chosen}. On the others, minutes a parcel: {'; '.join(parts)}."
    )


@described(_say_price_point)
def price_point(results: Results, missed: float, refused: float, ax: Axes | None = None) -> Axes:
    """Draw what three policies cost at these prices."""
    ax = ax or axes(7.4, 1.9)
    _bars(ax, _point(results, missed, refused), Prices(missed=missed, refused=refused))
    return ax
