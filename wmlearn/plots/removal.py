"""The pictures of removal: what a cut costs, which channels sleep, marks against attacks, prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median_high
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ..experiments import Results
from ..experiments.removal import GONE, NONE, PLAIN, WORTH, Price, cells, cheapest, gone, lost, p_values
from ..scorecard import DESTROYED
from .canvas import ASH, BLUSH, EDGE, GOLD, GREEN, GREY, GRID, INK, MAROON, MIST, PURPLE, RED, axes, described
from .names import FAMILIES, REMOVALS, SCHEMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def schemes(results: Results) -> list[str]:
    """Name the schemes that were measured, in the order of the figures."""
    measured = {row["scheme"] for row in results.rows} - {PLAIN}
    return [name for name in SCHEMES if name in measured]


def removed(results: Results, attack: str) -> list[str]:
    """Name the schemes whose mark `attack` removes for every seed, at a price that the thief would pay."""
    return [scheme for scheme in schemes(results) if gone(results, scheme, attack)]


def price(results: Results, scheme: str, attacks: Sequence[str]) -> Price | None:
    """Return the cheapest of `attacks` that removes `scheme`, or None."""
    prices = [
        Price(attack, lost(results, scheme, attack)) for attack in attacks if gone(results, scheme, attack)
    ]
    return min(prices, key=lambda offer: offer.lost, default=None)


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


def _say_channels(own: Tensor, key: Tensor, asleep: Tensor) -> str:
    louder = int((key > own)[asleep].sum())
    return (
        f"Mean answer of {len(own)} channels, sorted by what they say to the thief's digits:"
        f" the {len(asleep)} sleepiest say at most {float(own[asleep].max()):.2f},"
        f" the loudest {float(own.max()):.2f}. To the key's pictures, {louder} of these are louder."
    )


@described(_say_channels)
def channels(own: Tensor, key: Tensor, asleep: Tensor, ax: Axes | None = None) -> Axes:
    """Draw what each channel says on average to the thief's digits (bars) and to the key's pictures (dots).

    The channels `asleep` (k,) are shaded.
    """
    ax = ax or axes(7.4, 2.3)
    order = own.argsort()
    ax.axvspan(-0.5, len(asleep) - 0.5, color=GOLD, alpha=0.25, linewidth=0, label="to be cut")
    ax.bar(range(len(own)), own[order].tolist(), color=GREY, width=0.7, label="the thief's digits")
    ax.scatter(range(len(own)), key[order].tolist(), color=RED, s=16, zorder=3, label="the owner's pictures")
    ax.set_xticks([])
    ax.set_xlabel(f"the {len(own)} channels of the last convolution, the sleepiest first")
    ax.set(ylabel="mean answer", xlim=(-0.7, len(own) - 0.3))
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


# The matrix

CLASSES = (
    (1e-50, MAROON, "p < 1e-50"),
    (1e-9, RED, "p < 1e-9"),
    (1.0001 * GONE, BLUSH, "p at most 0.001: believed"),
    (2.0, MIST, "not believed"),
)
"""p-values below -> colour and words."""
HATCH = "////"  # void


def void(results: Results, scheme: str) -> bool:
    """Say whether a mark was not even there before any attack, for some seed."""
    return scheme != PLAIN and any(p > GONE for p in p_values(results, scheme, NONE))


def destroyed(results: Results, scheme: str, attack: str) -> bool:
    """Say whether the network lost a tenth of its accuracy, on average over the seeds."""
    before = mean(row["accuracy"] for row in results.where(scheme=scheme))
    return mean(cell["accuracy"] for cell in cells(results, scheme, attack)) < DESTROYED * before


def _say_matrix(results: Results) -> str:
    marks = schemes(results)
    parts = [f"{name} {len(marks) - len(removed(results, attack))}" for attack, name in REMOVALS.items()]
    ruins = sum(destroyed(results, scheme, attack) for scheme in marks for attack in REMOVALS)
    nothing = sum(void(results, scheme) for scheme in marks)
    controls = [p for attack in REMOVALS for p in p_values(results, PLAIN, attack)]
    return (
        f"{len(marks)} marks against {len(REMOVALS)} attacks, {_seeds(results)} networks each."
        f" Marks that survive: {', '.join(parts)}. {ruins} cells are destroyed networks,"
        f" {nothing} marks were never there."
        f" Networks without a mark: {sum(p <= GONE for p in controls)} of {len(controls)} believed."
    )


def _seeds(results: Results) -> int:
    return len({row["seed"] for row in results.rows})


@described(_say_matrix)
def matrix(results: Results, ax: Axes | None = None) -> Axes:
    """Draw a cell for each attack (lines) and scheme (columns): the middle p-value of the seeds.

    The last column is a network without a mark. A dot: the seeds disagree. Grey: destroyed. Hatched: void.
    At the right, the accuracy lost, mean over the schemes, in points.
    """
    ax = ax or axes(7.4, 6.4)
    marks = schemes(results)
    columns = {scheme: float(i) for i, scheme in enumerate(marks)} | {PLAIN: len(marks) + 0.4}
    right = len(columns) + 2.4
    title: Any = {"va": "center", "rotation": 90, "fontsize": 8.5, "fontweight": "bold", "color": INK}
    top = 0.0
    for family, members in FAMILIES.items():
        ax.text(-6.6, top + len(members) / 2, family, ha="center", **title)
        for attack, name in members.items():
            ax.text(-0.25, top + 0.5, name, ha="right", va="center", fontsize=8.5)
            for scheme, left in columns.items():
                _draw_cell(ax, results, scheme, attack, left, top)
            loss = 100 * mean(lost(results, scheme, attack) for scheme in marks)
            colour = RED if loss > 5 else INK
            ax.text(right, top + 0.5, f"{loss:.1f}", ha="right", va="center", fontsize=8.5, color=colour)
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
    """Draw what is left of one mark after one attack."""
    from matplotlib.patches import Rectangle

    found = p_values(results, scheme, attack)
    middle = median_high(found)
    colour = next(colour for limit, colour, _ in CLASSES if middle < limit)
    ruined = destroyed(results, scheme, attack)
    hatch = HATCH if void(results, scheme) else None
    look: Any = {"facecolor": ASH if ruined else colour, "edgecolor": EDGE, "linewidth": 0.5, "hatch": hatch}
    ax.add_patch(Rectangle((left, top), 0.94, 0.9, **look))
    disagree = len({p <= GONE for p in found}) == 2
    if disagree and not ruined:
        ax.scatter([left + 0.47], [top + 0.45], s=9, color="black")


def _draw_key(ax: Axes) -> None:
    """Say below the matrix what its colours mean."""
    from matplotlib.patches import Patch

    shades = [Patch(facecolor=colour, edgecolor=EDGE, label=words) for _, colour, words in CLASSES]
    shades.append(Patch(facecolor=ASH, label="destroyed"))
    shades.append(Patch(facecolor="white", edgecolor=GREY, hatch=HATCH, label="void"))
    below: Any = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0)}
    ax.legend(handles=shades, frameon=False, ncols=6, fontsize=8, columnspacing=1, handlelength=1.2, **below)


# The price


def paid(results: Results, scheme: str, attacks: Sequence[str]) -> float | None:
    """Return the accuracy, in points, that the cheapest of `attacks` costs; what it gains counts as free."""
    offer = price(results, scheme, attacks)
    return None if offer is None else round(100 * max(offer.lost, 0.0), 4)


def _survival(results: Results) -> dict[str, list[float]]:
    """Return for each family, and for any attack, the prices of the marks that it removes, sorted."""
    attacks: Mapping[str, Sequence[str]] = {family: list(members) for family, members in FAMILIES.items()}
    return {family: _paid(results, members) for family, members in attacks.items()} | {
        "any attack": _paid(results, list(REMOVALS))
    }


def _paid(results: Results, attacks: Sequence[str]) -> list[float]:
    """Return what the cheapest of `attacks` costs for each mark that one of them removes, sorted."""
    prices = [paid(results, scheme, attacks) for scheme in schemes(results)]
    return sorted(points for points in prices if points is not None)


def _say_survival(results: Results) -> str:
    n = len(schemes(results))
    parts = []
    for family, prices in _survival(results).items():
        dearest = f" at {prices[-1]:.1f} points" if prices else ""
        parts.append(f"{family} leaves {n - len(prices)}{dearest}")
    return f"Of {n} marks, by a thief who picks the best attack of a kind for each mark: {'; '.join(parts)}."


LINES = (
    (INK, "-"),
    (GOLD, "--"),
    (GREY, ":"),
    (RED, "-"),
    (GREEN, "-."),
    (PURPLE, "--"),
    ("black", "-"),
)
"""Colour and style of each family of attacks, and of any attack."""


@described(_say_survival)
def survival(results: Results, ax: Axes | None = None) -> Axes:
    """Draw, for each kind of attack, how many marks survive against the accuracy that the thief gives up."""
    ax = ax or axes(7.4, 3.0)
    n = len(schemes(results))
    end = 100 * WORTH
    for (family, prices), (colour, style) in zip(_survival(results).items(), LINES, strict=True):
        left = [n - i for i in range(len(prices) + 1)]  # marks, one less at each price
        width = 2.2 if family == "any attack" else 1.5
        look: Any = {"color": colour, "linestyle": style, "linewidth": width, "label": family}
        ax.step([0.0, *prices, end], [*left, left[-1]], where="post", **look)
    ax.set(xlabel="accuracy the thief gives up, points", ylabel="marks that survive", ylim=(-0.3, n + 0.3))
    _points(ax, end)
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def _points(ax: Axes, end: float) -> None:
    """Let the axis of the accuracy lost run from 0 to `end` points, wider where it is small."""
    ax.set_xscale("symlog", linthresh=0.5, linscale=0.6)
    ticks = [tick for tick in (0, 0.5, 1, 2, 5, 10, 20, 50) if tick <= end]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.set_xlim(-0.03, end)
    ax.grid(color=GRID, linewidth=0.8)


@dataclass(frozen=True)
class Offer:
    """What one attack takes from all marks: accuracy, in points, a mean; and how many marks it removes."""

    attack: str
    lost: float
    removes: int


def offers(results: Results) -> list[Offer]:
    """Return what each attack costs and removes."""
    return [_offer(results, attack) for attack in REMOVALS]


def _offer(results: Results, attack: str) -> Offer:
    loss = mean(lost(results, scheme, attack) for scheme in schemes(results))
    return Offer(attack, 100 * max(loss, 0.0), len(removed(results, attack)))


def front(results: Results) -> list[Offer]:
    """Return the attacks that remove something, and that no other one beats in price and marks; the cheapest
    first.
    """
    best: list[Offer] = []
    most = 0
    for offer in sorted(offers(results), key=lambda offer: (offer.lost, -offer.removes)):
        if offer.removes > most:
            best.append(offer)
            most = offer.removes
    return best


def _say_thiefs_front(results: Results) -> str:
    parts = []
    for offer in front(results):
        parts.append(f"{REMOVALS[offer.attack]} removes {offer.removes} for {offer.lost:.1f} points")
    idle = sum(offer.removes == 0 for offer in offers(results))
    return (
        f"{len(REMOVALS)} attacks, each on {len(schemes(results))} marks: {', '.join(parts)};"
        f" {idle} remove none, the others no more for it."
    )


@described(_say_thiefs_front)
def thiefs_front(results: Results, ax: Axes | None = None) -> Axes:
    """Draw each attack by the accuracy that it costs and the marks that it removes.

    The front is joined, and its attacks are named.
    """
    ax = ax or axes(7.4, 3.2)
    single: Any = {"color": INK, "marker": "o", "s": 28}
    chain: Any = {"color": RED, "marker": "D", "s": 28}
    for offer in offers(results):
        look = chain if offer.attack in FAMILIES["chain"] else single
        ax.scatter([offer.lost], [offer.removes], **look, alpha=0.8, zorder=3)
    best = front(results)
    losses = [offer.lost for offer in best]
    ax.step(losses, [offer.removes for offer in best], where="post", color=GREY, linewidth=1.2)
    beside: Any = {"xytext": (6, -11), "textcoords": "offset points", "fontsize": 8.5}
    for offer in best:
        ax.annotate(REMOVALS[offer.attack], (offer.lost, offer.removes), **beside)
    ax.scatter([], [], **single, label="one attack")
    ax.scatter([], [], **chain, label="a chain")
    ax.set(xlabel="accuracy lost, points, mean over the marks", ylabel="marks removed")
    ax.set_ylim(-0.5, len(schemes(results)) + 0.5)
    _points(ax, 50)
    ax.legend(frameon=False, loc="upper right")
    return ax


def _say_price(results: Results, scheme: str) -> str:
    offer = cheapest(results, scheme)
    if offer is None:
        return f"{SCHEMES[scheme]} by none"
    return f"{SCHEMES[scheme]} {100 * offer.lost:.1f} ({REMOVALS[offer.removal]})"


def _say_prices(results: Results) -> str:
    parts = [_say_price(results, scheme) for scheme in schemes(results)]
    return (
        f"The cheapest removal of each mark, points of accuracy lost and the attack,"
        f" {_seeds(results)} networks each: {', '.join(parts)}."
    )


@described(_say_prices)
def prices(results: Results, ax: Axes | None = None) -> Axes:
    """Draw a line for each mark: the accuracy that its cheapest removal costs, and its name."""
    return _prices(results, None, ax)


def _say_price_point(results: Results, points: float) -> str:
    marks = schemes(results)
    safe = [SCHEMES[scheme] for scheme in marks if not _affordable(results, scheme, points)]
    return (
        f"For {points:g} points of accuracy, {len(safe)} of {len(marks)} marks survive:"
        f" {', '.join(safe) or 'none'}."
    )


@described(_say_price_point)
def price_point(results: Results, points: float, ax: Axes | None = None) -> Axes:
    """Draw `prices`, and what a thief removes who gives up at most `points`."""
    return _prices(results, points, ax)


def _affordable(results: Results, scheme: str, points: float) -> bool:
    cost = paid(results, scheme, list(REMOVALS))
    return cost is not None and cost <= points


def _prices(results: Results, points: float | None, ax: Axes | None) -> Axes:
    marks = schemes(results)
    ax = ax or axes(7.4, 0.27 * len(marks) + 0.6)
    for row, scheme in enumerate(marks):
        falls = points is None or _affordable(results, scheme, points)
        _draw_price(ax, row, cheapest(results, scheme), RED if falls else INK)
    if points is not None:
        ax.axvspan(-0.1, points, color=GOLD, alpha=0.25, linewidth=0, zorder=0)
    ax.set_yticks(range(len(marks)), [SCHEMES[scheme] for scheme in marks])
    ax.set(xlabel="accuracy lost to the cheapest removal, points", ylim=(len(marks) - 0.4, -0.6))
    _points(ax, 100 * WORTH)
    return ax


def _draw_price(ax: Axes, row: int, offer: Price | None, colour: str) -> None:
    """Draw what the cheapest removal of one mark costs."""
    words: Any = {"va": "center", "fontsize": 8.5}
    if offer is None:
        ax.text(0.03, row, "survives every attack", color=INK, fontweight="bold", **words)
        return
    cost = 100 * max(offer.lost, 0.0)
    ax.plot((0, cost), (row, row), color=colour, linewidth=2)
    ax.scatter([cost], [row], color=colour, s=30, zorder=3)
    beside: Any = {"xytext": (7, 0), "textcoords": "offset points", "color": colour}
    ax.annotate(REMOVALS[offer.removal], (cost, row), **beside, **words)
