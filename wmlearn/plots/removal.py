"""The pictures of removal: what a cut costs, marks against attacks, prices beside that of not stealing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..experiments import Results, price
from ..experiments.price import LEVEL, PLAIN, Offer, Price, State
from .canvas import ASH, BLUSH, EDGE, GOLD, GREY, GRID, INK, MAROON, MIST, RED, axes, described
from .names import FAMILIES, REMOVALS, SCHEMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def _schemes(results: Results) -> list[str]:
    """Name the schemes that were measured, in the order of the figures."""
    measured = price.schemes(results)
    return [name for name in SCHEMES if name in measured]


def _families(results: Results) -> dict[str, dict[str, str]]:
    """Return the attacks that were measured, by kind."""
    measured = price.attacks(results)
    kinds = {}
    for family, members in FAMILIES.items():
        kinds[family] = {name: title for name, title in members.items() if name in measured}
    return kinds


def _seeds(results: Results) -> int:
    return len({row["seed"] for row in results.rows})


# Live


@dataclass(frozen=True)
class Cut:
    """A share of the weights cut, and what is left, shares, too: accuracy, and what is known of the key.

    `unmarked` is what a network without the mark knows of it after the same cut.
    """

    ratio: float
    accuracy: float
    known: float
    unmarked: float


def _say_cuts(cuts: Sequence[Cut], line: float) -> str:
    parts = [
        f"{100 * cut.ratio:.0f} %: accuracy {100 * cut.accuracy:.0f} %, key {100 * cut.known:.0f} %"
        for cut in cuts
    ]
    luckiest = max(cut.unmarked for cut in cuts)
    return (
        f"Accuracy, and the key still known, against the share of weights cut: {', '.join(parts)}."
        f" The judge needs {100 * line:.0f} %;"
        f" a network without the mark knows at most {100 * luckiest:.0f} %."
    )


@described(_say_cuts)
def cuts(cuts: Sequence[Cut], line: float, ax: Axes | None = None) -> Axes:
    """Draw accuracy, and the key known with and without the mark, against the share of weights cut.

    The judge needs the share `line` of the key.
    """
    ax = ax or axes(7.4, 2.7)
    x = [100 * cut.ratio for cut in cuts]
    accuracy = [100 * cut.accuracy for cut in cuts]
    known = [100 * cut.known for cut in cuts]
    unmarked = [100 * cut.unmarked for cut in cuts]
    ax.plot(x, accuracy, color=INK, marker="o", markersize=4, label="digits classified correctly")
    ax.plot(x, known, color=RED, marker="D", markersize=4, label="key known, stolen network")
    ax.plot(x, unmarked, color=GREY, marker="s", markersize=3.5, label="key known, no mark")
    ax.axhline(100 * line, color="black", linestyle="--", linewidth=1.1, label="the judge needs")
    ax.set(xlabel="weights cut, per cent", ylabel="per cent", ylim=(-3, 104))
    ax.grid(axis="y", color=GRID, linewidth=0.8)
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


# The matrix

COLOURS: dict[State, str] = {
    "believed": MAROON,
    "worn": BLUSH,
    "gone": MIST,
    "destroyed": ASH,
    "void": "white",
}
WORDS: dict[State, str] = {
    "believed": "believed",
    "worn": "worn: not believed, yet not gone",
    "gone": "gone",
    "destroyed": "network destroyed",
    "void": "void",
}


def _say_matrix(results: Results) -> str:
    marks = _schemes(results)
    names = price.attacks(results)
    found = [state for scheme in marks for name in names for state in price.states(results, scheme, name)]
    counts = ", ".join(f"{state} {found.count(state)}" for state in COLOURS)
    controls = [p for name in names for p in price.p_values(results, PLAIN, name)]
    below = [REMOVALS[offer.removal] for offer in price.offers(results) if not offer.worth]
    return (
        f"{len(marks)} marks against {len(names)} attacks, {_seeds(results)} networks each: {counts}."
        f" Networks without a mark: {sum(p <= LEVEL for p in controls)} of {len(controls)} believed."
        f" No better than a thief who steals nothing: {', '.join(below) or 'none'}."
    )


@described(_say_matrix)
def matrix(results: Results, ax: Axes | None = None) -> Axes:
    """Draw a cell for each attack (lines) and scheme (columns), a stripe for each network.

    The last column is a network without a mark. At the right, the accuracy lost, mean over the schemes, in
    points; grey where the thief would be as well off without stealing.
    """
    marks = _schemes(results)
    kinds = _families(results)
    ax = ax or axes(7.4, 1.8 + 0.19 * len(price.attacks(results)))
    columns = {scheme: float(i) for i, scheme in enumerate(marks)} | {PLAIN: len(marks) + 0.4}
    right = len(columns) + 2.4
    title: Any = {"va": "center", "ha": "center", "fontsize": 8.5, "fontweight": "bold", "color": INK}
    top = 0.0
    for family, members in kinds.items():
        turned = 90 if len(members) > 3 else 0  # a short block has no room for a word that stands
        ax.text(-6.6, top + len(members) / 2, family if members else "", rotation=turned, **title)
        for attack, name in members.items():
            offer = price.offer(results, attack)
            colour = INK if offer.worth else GREY
            ax.text(-0.25, top + 0.5, name, ha="right", va="center", fontsize=8.5, color=colour)
            for scheme, left in columns.items():
                _draw_cell(ax, results, scheme, attack, left, top)
            loss = f"{round(100 * offer.lost, 1) + 0.0:.1f}"  # no "-0.0"
            ax.text(right, top + 0.5, loss, ha="right", va="center", fontsize=8.5, color=colour)
            top += 1
        top += 0.35
    for scheme, left in columns.items():
        ax.text(left + 0.3, -0.25, SCHEMES[scheme], rotation=40, ha="left", va="bottom", fontsize=8.5)
    ax.text(right, -0.25, "points\nlost", ha="right", va="bottom", fontsize=8.5)
    _draw_key(ax)
    ax.set(xlim=(-7, len(columns) + 2.5), ylim=(top, -3.4))
    ax.axis("off")
    return ax


def _draw_cell(ax: Axes, results: Results, scheme: str, attack: str, left: float, top: float) -> None:
    """Draw what is left of one mark after one attack, a stripe a network."""
    from matplotlib.patches import Rectangle

    found = _states(results, scheme, attack)
    width = 0.94 / len(found)
    for i, state in enumerate(found):
        ax.add_patch(Rectangle((left + i * width, top), width, 0.9, facecolor=COLOURS[state], linewidth=0))
    ax.add_patch(Rectangle((left, top), 0.94, 0.9, fill=False, edgecolor=EDGE, linewidth=0.5))


def _states(results: Results, scheme: str, attack: str) -> list[State]:
    if scheme != PLAIN:
        return price.states(results, scheme, attack)
    return ["believed" if p <= LEVEL else "gone" for p in price.p_values(results, PLAIN, attack)]


def _draw_key(ax: Axes) -> None:
    """Say below the matrix what its colours mean."""
    from matplotlib.patches import Patch

    kinds = [(colour, WORDS[state]) for state, colour in COLOURS.items() if state != "void"]
    shades = [Patch(facecolor=colour, edgecolor=EDGE, label=words) for colour, words in kinds]
    below: Any = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0)}
    ax.legend(handles=shades, frameon=False, ncols=6, fontsize=8, columnspacing=1, handlelength=1.2, **below)


# The price


def _say_line(results: Results) -> str:
    return f"Who steals nothing gives up {100 * price.own_loss(results):.1f} points."


def _end(results: Results) -> float:
    """Return where the axis of the accuracy lost ends, in points: a little behind the line."""
    return 140 * price.own_loss(results)


def _points(ax: Axes, results: Results) -> None:
    """Draw the axis of the accuracy lost, in points, and what a thief gives up who steals nothing."""
    line = 100 * price.own_loss(results)
    ax.axvline(line, color="black", linestyle="--", linewidth=1.1)
    ax.axvspan(line, _end(results), color=GREY, alpha=0.2, linewidth=0)
    beside: Any = {"xytext": (-3, 3), "textcoords": "offset points", "fontsize": 8, "rotation": 90}
    ax.annotate("steals nothing", (line, ax.get_ylim()[0]), ha="right", va="bottom", **beside)
    ax.set_xlim(-0.02, _end(results))
    ax.grid(color=GRID, linewidth=0.8)


def _say_thiefs_front(results: Results) -> str:
    parts = []
    for offer in price.front(results):
        name = REMOVALS[offer.removal]
        parts.append(f"{name} leaves {offer.unproven} unproven for {100 * offer.lost:.1f} points")
    offers = price.offers(results)
    worse = sum(not offer.worth for offer in offers)
    return (
        f"{len(offers)} attacks, each on {len(_schemes(results))} marks: {', '.join(parts)};"
        f" {worse} leave no more than who steals nothing has. {_say_line(results)}"
    )


@described(_say_thiefs_front)
def thiefs_front(results: Results, ax: Axes | None = None) -> Axes:
    """Draw each attack by the accuracy that it costs and the marks that are no longer believed.

    The front is joined, and its attacks are named. What costs more than the axis shows stands at its end.
    """
    ax = ax or axes(7.4, 3.2)
    single: Any = {"color": INK, "marker": "o", "s": 28}
    chain: Any = {"color": RED, "marker": "D", "s": 28}
    end = _end(results)
    for offer in price.offers(results):
        look = chain if offer.removal in FAMILIES["chain"] else single
        ax.scatter([min(_cost(offer), end)], [offer.unproven], **look, alpha=0.8, zorder=3, clip_on=False)
    best = price.front(results)
    ax.step(
        list(map(_cost, best)), [offer.unproven for offer in best], where="post", color=GREY, linewidth=1.2
    )
    beside: Any = {"xytext": (6, -11), "textcoords": "offset points", "fontsize": 8.5}
    for offer in best:
        ax.annotate(REMOVALS[offer.removal], (_cost(offer), offer.unproven), **beside)
    ax.scatter([], [], **single, label="one attack")
    ax.scatter([], [], **chain, label="a chain")
    ax.set(xlabel="accuracy lost, points, mean over the marks", ylabel="marks no longer believed")
    ax.set_ylim(-0.5, len(_schemes(results)) + 0.5)
    _points(ax, results)
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def _cost(offer: Offer) -> float:
    return 100 * max(offer.lost, 0.0)


def _say_price(results: Results, scheme: str) -> str:
    cheapest = price.cheapest(results, scheme)
    if cheapest is None:
        return f"{SCHEMES[scheme]} by none"
    return f"{SCHEMES[scheme]} {100 * cheapest.lost:.1f} ({REMOVALS[cheapest.removal]})"


def _say_prices(results: Results) -> str:
    parts = [_say_price(results, scheme) for scheme in _schemes(results)]
    return (
        f"The cheapest attack after which each mark is no longer believed, points of accuracy lost and the"
        f" attack, {_seeds(results)} networks each: {', '.join(parts)}. {_say_line(results)}"
    )


@described(_say_prices)
def prices(results: Results, ax: Axes | None = None) -> Axes:
    """Draw a line for each mark: the accuracy that its cheapest removal costs, and its name."""
    return _prices(results, None, ax)


def _say_price_point(results: Results, points: float) -> str:
    marks = _schemes(results)
    safe = [SCHEMES[scheme] for scheme in marks if not _affordable(price.cheapest(results, scheme), points)]
    return (
        f"For {points:g} points of accuracy, {len(safe)} of {len(marks)} marks are still believed:"
        f" {', '.join(safe) or 'none'}."
    )


@described(_say_price_point)
def price_point(results: Results, points: float, ax: Axes | None = None) -> Axes:
    """Draw `prices`, and what a thief removes who gives up at most `points`."""
    return _prices(results, points, ax)


def _affordable(cheapest: Price | None, points: float) -> bool:
    return cheapest is not None and price.points(cheapest) <= points


def _prices(results: Results, points: float | None, ax: Axes | None) -> Axes:
    marks = _schemes(results)
    ax = ax or axes(7.4, 0.27 * max(len(marks), 5) + 0.6)
    ax.set_ylim(len(marks) - 0.4, -0.6)
    for row, scheme in enumerate(marks):
        cheapest = price.cheapest(results, scheme)
        falls = points is None or _affordable(cheapest, points)
        _draw_price(ax, row, cheapest, RED if falls else INK)
    if points is not None:
        ax.axvspan(-0.1, points, color=GOLD, alpha=0.25, linewidth=0, zorder=0)
    ax.set_yticks(range(len(marks)), [SCHEMES[scheme] for scheme in marks])
    ax.set_xlabel("accuracy lost to the cheapest removal, points")
    _points(ax, results)
    return ax


def _draw_price(ax: Axes, row: int, cheapest: Price | None, colour: str) -> None:
    """Draw what the cheapest removal of one mark costs."""
    words: Any = {"va": "center", "fontsize": 8.5}
    if cheapest is None:
        ax.text(0.01, row, "no attack pays", color=INK, fontweight="bold", **words)
        return
    cost = 100 * max(cheapest.lost, 0.0)
    ax.plot((0, cost), (row, row), color=colour, linewidth=2)
    ax.scatter([cost], [row], color=colour, s=30, zorder=3)
    beside: Any = {"xytext": (7, 0), "textcoords": "offset points", "color": colour}
    ax.annotate(REMOVALS[cheapest.removal], (cost, row), **beside, **words)
