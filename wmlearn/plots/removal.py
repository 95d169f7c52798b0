"""The pictures of removal: what a cut costs, which channels sleep, marks against attacks, and the thief's
prices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median_high
from typing import TYPE_CHECKING

from torch import Tensor

from ..experiments import Results
from ..experiments.removal import GONE, NONE, PLAIN, WORTH, Price, cells, cheapest, gone, lost
from ..scorecard import DESTROYED
from .canvas import GOLD, GREY, INK, RED, axes, described
from .weights import NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GRID = "#e4e7eb"
FAMILIES: dict[str, dict[str, str]] = {
    "train on": {
        "adi2018-ftll": "the last layer",
        "adi2018-ftal": "all layers",
        "adi2018-rtll": "a new last layer",
        "adi2018-rtal": "a new last layer, all",
        "chen2021-refit": "large rate (REFIT)",
        "overwrite-adi": "overwrite",
        "wang2019-unlearning": "unlearn triggers",
    },
    "cut": {
        "prune-50": "half the weights",
        "prune-80": "80 % of the weights",
        "liu2018-fine-pruning": "fine-pruning",
        "wu2021-neuron-pruning": "sensitive neurons",
    },
    "shake": {"quantize-4-bits": "4 bits", "mean-filter": "mean filters", "shift": "noise"},
    "copy": {
        "distill-soft": "distil",
        "distill-odd": "distil by road signs",
        "shafieinejad2019-extract": "extract by labels",
    },
    "evade": {
        "hitaj2019-vote": "vote",
        "hitaj2019-refuse": "refuse",
        "inputs-jpeg": "JPEG",
        "inputs-smooth": "smooth",
        "inputs-quantise": "four greys",
    },
    "chain": {"chain-prune-refit": "cut, large rate", "chain-fine-prune-overwrite": "fine-prune, overwrite"},
}
"""Kind of attack -> its attacks, by their names in `removal.ALL` -> how a figure calls them."""
ATTACKS = {name: label for family in FAMILIES.values() for name, label in family.items()}


def schemes(results: Results) -> list[str]:
    """Name the schemes that were measured, in the order of `NAMES`."""
    there = {row["scheme"] for row in results.rows} - {PLAIN}
    return [name for name in NAMES if name in there]


def removed(results: Results, attack: str) -> list[str]:
    """Name the schemes whose mark `attack` removes for every seed, at a price that the thief would pay."""
    return [scheme for scheme in schemes(results) if gone(results, scheme, attack)]


def price(results: Results, scheme: str, attacks: Sequence[str]) -> Price | None:
    """Return the cheapest of `attacks` that removes `scheme`, or None."""
    prices = [
        Price(attack, lost(results, scheme, attack)) for attack in attacks if gone(results, scheme, attack)
    ]
    return min(prices, key=lambda each: each.lost, default=None)


# Live


@dataclass(frozen=True)
class Cut:
    """A share of the weights cut, and what is left: accuracy, the share of the key known, and known to a
    network without the mark.
    """

    ratio: float
    accuracy: float
    known: float
    unmarked: float


def _say_cuts(cuts: Sequence[Cut], line: float) -> str:
    said = ", ".join(
        f"{100 * c.ratio:.0f} %: accuracy {100 * c.accuracy:.0f} %, key {100 * c.known:.0f} %" for c in cuts
    )
    return (
        f"Accuracy, and the key still known, against the share of weights cut: {said}. The judge needs"
        f" {100 * line:.0f} %; a network without the mark knows at most"
        f" {100 * max(c.unmarked for c in cuts):.0f} %."
    )


@described(_say_cuts)
def cuts(cuts: Sequence[Cut], line: float, ax: Axes | None = None) -> Axes:
    """Draw accuracy, the share of the key known, and the same of an unmarked network, against the share of
    weights cut.
    """
    ax, x = ax or axes(7.4, 2.7), [100 * c.ratio for c in cuts]
    ax.plot(
        x, [100 * c.accuracy for c in cuts], color=INK, marker="o", markersize=4, label="digits read rightly"
    )
    ax.plot(
        x,
        [100 * c.known for c in cuts],
        color=RED,
        marker="D",
        markersize=4,
        label="key known, stolen network",
    )
    ax.plot(
        x,
        [100 * c.unmarked for c in cuts],
        color=GREY,
        marker="s",
        markersize=3.5,
        label="key known, no mark",
    )
    ax.axhline(100 * line, color="black", linestyle="--", linewidth=1.1, label="the judge needs")
    ax.set(xlabel="weights cut, per cent", ylabel="per cent", ylim=(-3, 104))
    ax.grid(axis="y", color=GRID, linewidth=0.8)
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def _say_channels(own: Tensor, key: Tensor, asleep: Tensor) -> str:
    louder = int((key > own)[asleep].sum())
    return (
        f"Mean answer of {len(own)} channels, sorted by what they say to the thief's digits: the"
        f" {len(asleep)} sleepiest say at most {float(own[asleep].max()):.2f}, the loudest"
        f" {float(own.max()):.2f}. To the key's pictures, {louder} of these are louder."
    )


@described(_say_channels)
def channels(own: Tensor, key: Tensor, asleep: Tensor, ax: Axes | None = None) -> Axes:
    """Draw what each channel says on average to the thief's digits (bars) and to the key's pictures (dots);
    `asleep` (k,) are shaded.
    """
    ax, order = ax or axes(7.4, 2.3), own.argsort()
    ax.axvspan(-0.5, len(asleep) - 0.5, color=GOLD, alpha=0.25, linewidth=0, label="to be cut")
    ax.bar(range(len(own)), own[order].tolist(), color=GREY, width=0.7, label="the thief's digits")
    ax.scatter(range(len(own)), key[order].tolist(), color=RED, s=16, zorder=3, label="the owner's pictures")
    ax.set_xticks([])
    ax.set(
        xlabel=f"the {len(own)} channels of the last convolution, the sleepiest first",
        ylabel="mean answer",
        xlim=(-0.7, len(own) - 0.3),
    )
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


# The matrix

CLASSES = (
    (1e-50, "#7d2a17", "p < 1e-50"),
    (1e-9, RED, "p < 1e-9"),
    (GONE, "#f0b49e", "p < 0.001: believed"),
    (2.0, "#f4f6f8", "not believed"),
)
"""p-values below -> colour and words."""
LOST_MODEL = "#b3bcc4"


def _p_values(results: Results, scheme: str, attack: str) -> list[float]:
    """Return the p-value of each seed; of "plain", the smallest that any scheme's key has there."""
    if scheme != PLAIN:
        return [cell["p_value"] for cell in cells(results, scheme, attack)]
    return [min(cell["p_values"].values()) for cell in cells(results, PLAIN, attack)]


def void(results: Results, scheme: str) -> bool:
    """Say whether a mark was not even there before any attack, for some seed."""
    return scheme != PLAIN and any(p >= GONE for p in _p_values(results, scheme, NONE))


def destroyed(results: Results, scheme: str, attack: str) -> bool:
    """Say whether the network lost a tenth of its accuracy, on average over the seeds."""
    before = mean(row["accuracy"] for row in results.where(scheme=scheme))
    return mean(cell["accuracy"] for cell in cells(results, scheme, attack)) < DESTROYED * before


def _say_matrix(results: Results) -> str:
    there = schemes(results)
    left = {attack: len(there) - len(removed(results, attack)) for attack in ATTACKS}
    said = ", ".join(f"{ATTACKS[attack]} {n}" for attack, n in left.items())
    ruined = sum(destroyed(results, scheme, attack) for scheme in there for attack in ATTACKS)
    nothing = sum(void(results, scheme) for scheme in there)
    controls = [p for attack in ATTACKS for p in _p_values(results, PLAIN, attack)]
    return (
        f"{len(there)} marks against {len(ATTACKS)} attacks, {_seeds(results)} networks each. Marks that"
        f" survive: {said}. {ruined} cells are destroyed networks, {nothing} marks were never there. Networks"
        f" without a mark: {sum(p < GONE for p in controls)} of {len(controls)} believed."
    )


def _seeds(results: Results) -> int:
    return len({row["seed"] for row in results.rows})


@described(_say_matrix)
def matrix(results: Results, ax: Axes | None = None) -> Axes:
    """Draw a cell for each attack (lines) and scheme (columns, the last is a network without a mark): the
    middle p-value of the seeds.

    A dot: the seeds disagree. Grey: destroyed. Hatched: void. At the right, the accuracy lost, mean over the
    schemes, in points.
    """
    from matplotlib.patches import Patch, Rectangle

    ax = ax or axes(7.4, 6.4)
    columns = [*schemes(results), PLAIN]
    top = 0.0
    for family, members in FAMILIES.items():
        ax.text(
            -6.6,
            top + len(members) / 2,
            family,
            ha="center",
            va="center",
            rotation=90,
            fontsize=8.5,
            fontweight="bold",
            color=INK,
        )
        for attack, label in members.items():
            ax.text(-0.25, top + 0.5, label, ha="right", va="center", fontsize=8.5)
            for i, scheme in enumerate(columns):
                ps, left = _p_values(results, scheme, attack), i + 0.4 * (scheme == PLAIN)
                colour = next(colour for limit, colour, _ in CLASSES if median_high(ps) < limit)
                ruined = destroyed(results, scheme, attack)
                hatch = "////" if void(results, scheme) else None
                face = LOST_MODEL if ruined else colour
                ax.add_patch(
                    Rectangle(
                        (left, top),
                        0.94,
                        0.9,
                        facecolor=face,
                        edgecolor="#cbd2d9",
                        linewidth=0.5,
                        hatch=hatch,
                    )
                )
                if len({p < GONE for p in ps}) == 2 and not ruined:
                    ax.scatter([left + 0.47], [top + 0.45], s=9, color="black")
            fell = 100 * mean(lost(results, scheme, attack) for scheme in columns[:-1])
            ax.text(
                len(columns) + 2.4,
                top + 0.5,
                f"{fell:.1f}",
                ha="right",
                va="center",
                fontsize=8.5,
                color=RED if fell > 5 else INK,
            )
            top += 1
        top += 0.35
    for i, scheme in enumerate(columns):
        ax.text(
            i + 0.3 + 0.4 * (scheme == PLAIN),
            -0.25,
            NAMES[scheme],
            rotation=40,
            ha="left",
            va="bottom",
            fontsize=8.5,
        )
    ax.text(len(columns) + 2.4, -0.25, "points\nlost", ha="right", va="bottom", fontsize=8.5)
    shades = [Patch(facecolor=colour, edgecolor="#cbd2d9", label=words) for _, colour, words in CLASSES]
    shades += [
        Patch(facecolor=LOST_MODEL, label="destroyed"),
        Patch(facecolor="white", edgecolor=GREY, hatch="////", label="void"),
    ]
    ax.legend(
        handles=shades,
        frameon=False,
        ncols=6,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        fontsize=8,
        columnspacing=1,
        handlelength=1.2,
    )
    ax.set(xlim=(-7, len(columns) + 2.5), ylim=(top, -3.4))
    ax.axis("off")
    return ax


# The price


def paid(results: Results, scheme: str, attacks: Sequence[str]) -> float | None:
    """Return the accuracy, in points, that the cheapest of `attacks` costs; what it gains counts as free."""
    found = price(results, scheme, attacks)
    return None if found is None else round(100 * max(found.lost, 0.0), 4)


def _survival(results: Results) -> dict[str, list[float]]:
    """Return for each family, and for any attack, the prices of the marks that it removes, sorted."""
    offers: Mapping[str, Sequence[str]] = {family: list(members) for family, members in FAMILIES.items()} | {
        "any attack": list(ATTACKS)
    }
    paying = {
        family: [paid(results, scheme, attacks) for scheme in schemes(results)]
        for family, attacks in offers.items()
    }
    return {
        family: sorted(points for points in prices if points is not None) for family, prices in paying.items()
    }


def _say_survival(results: Results) -> str:
    n = len(schemes(results))
    said = [
        f"{family} leaves {n - len(prices)}" + (f" at {prices[-1]:.1f} points" if prices else "")
        for family, prices in _survival(results).items()
    ]
    return f"Of {n} marks, by a thief who picks the best attack of a kind for each mark: {'; '.join(said)}."


@described(_say_survival)
def survival(results: Results, ax: Axes | None = None) -> Axes:
    """Draw, for each kind of attack, how many marks survive against the accuracy that the thief gives up."""
    ax, n, end = ax or axes(7.4, 3.0), len(schemes(results)), 100 * WORTH
    colours, styles = (
        (INK, GOLD, GREY, RED, "#6a9a7b", "#8a6bb1", "black"),
        ("-", "--", ":", "-", "-.", "--", "-"),
    )
    for (family, prices), colour, style in zip(_survival(results).items(), colours, styles, strict=True):
        x = [0.0, *prices, end]
        y = [n, *(n - 1 - i for i in range(len(prices))), n - len(prices)]
        ax.step(
            x,
            y,
            where="post",
            color=colour,
            linestyle=style,
            linewidth=2.2 if family == "any attack" else 1.5,
            label=family,
        )
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
    """What one attack takes from all marks: accuracy lost in points, mean over the schemes, and how many
    marks it removes.
    """

    attack: str
    lost: float
    removes: int


def offers(results: Results) -> list[Offer]:
    """Return what each attack costs and removes."""
    there = schemes(results)
    return [
        Offer(name, 100 * max(mean(lost(results, s, name) for s in there), 0.0), len(removed(results, name)))
        for name in ATTACKS
    ]


def front(results: Results) -> list[Offer]:
    """Return the attacks that remove something, and that no other one beats in price and marks; the cheapest
    first.
    """
    made = sorted(offers(results), key=lambda offer: (offer.lost, -offer.removes))
    best: list[Offer] = []
    for offer in made:
        if offer.removes > (best[-1].removes if best else 0):
            best.append(offer)
    return best


def _say_thiefs_front(results: Results) -> str:
    said = ", ".join(
        f"{ATTACKS[o.attack]} removes {o.removes} for {o.lost:.1f} points" for o in front(results)
    )
    idle = sum(o.removes == 0 for o in offers(results))
    return (
        f"{len(ATTACKS)} attacks, each on {len(schemes(results))} marks: {said}; {idle} remove none, the"
        " others no more for it."
    )


@described(_say_thiefs_front)
def thiefs_front(results: Results, ax: Axes | None = None) -> Axes:
    """Draw each attack by the accuracy that it costs and the marks that it removes; the front is joined, and
    its attacks are named.
    """
    ax, best = ax or axes(7.4, 3.2), front(results)
    for offer in offers(results):
        chain = offer.attack in FAMILIES["chain"]
        ax.scatter(
            [offer.lost],
            [offer.removes],
            color=RED if chain else INK,
            marker="D" if chain else "o",
            s=28,
            alpha=0.8,
            zorder=3,
        )
    ax.step([o.lost for o in best], [o.removes for o in best], where="post", color=GREY, linewidth=1.2)
    for offer in best:
        ax.annotate(
            ATTACKS[offer.attack],
            (offer.lost, offer.removes),
            xytext=(6, -11),
            textcoords="offset points",
            fontsize=8.5,
        )
    ax.scatter([], [], color=INK, marker="o", s=28, label="one attack")
    ax.scatter([], [], color=RED, marker="D", s=28, label="a chain")
    ax.set(
        xlabel="accuracy lost, points, mean over the marks",
        ylabel="marks removed",
        ylim=(-0.5, len(schemes(results)) + 0.5),
    )
    _points(ax, 50)
    ax.legend(frameon=False, loc="upper right")
    return ax


def _say_prices(results: Results) -> str:
    said = [(NAMES[scheme], cheapest(results, scheme)) for scheme in schemes(results)]
    words = ", ".join(
        f"{name} {100 * p.lost:.1f} ({ATTACKS[p.removal]})" if p else f"{name} by none" for name, p in said
    )
    return (
        f"The cheapest removal of each mark, points of accuracy lost and the attack, {_seeds(results)}"
        f" networks each: {words}."
    )


@described(_say_prices)
def prices(results: Results, ax: Axes | None = None) -> Axes:
    """Draw a line for each mark: the accuracy that its cheapest removal costs, and its name."""
    return _prices(results, None, ax)


def _say_price_point(results: Results, points: float) -> str:
    safe = [NAMES[scheme] for scheme in schemes(results) if not _affordable(results, scheme, points)]
    return (
        f"For {points:g} points of accuracy, {len(safe)} of {len(schemes(results))} marks survive:"
        f" {', '.join(safe) or 'none'}."
    )


@described(_say_price_point)
def price_point(results: Results, points: float, ax: Axes | None = None) -> Axes:
    """Draw `prices`, and what a thief removes who gives up at most `points`."""
    return _prices(results, points, ax)


def _affordable(results: Results, scheme: str, points: float) -> bool:
    cost = paid(results, scheme, list(ATTACKS))
    return cost is not None and cost <= points


def _prices(results: Results, points: float | None, ax: Axes | None) -> Axes:
    there = schemes(results)
    ax = ax or axes(7.4, 0.27 * len(there) + 0.6)
    for row, scheme in enumerate(there):
        found = cheapest(results, scheme)
        fallen = points is not None and _affordable(results, scheme, points)
        colour = RED if points is None or fallen else INK
        if found is None:
            ax.text(
                0.03, row, "survives every attack", va="center", fontsize=8.5, color=INK, fontweight="bold"
            )
            continue
        cost = 100 * max(found.lost, 0.0)
        ax.plot((0, cost), (row, row), color=colour, linewidth=2)
        ax.scatter([cost], [row], color=colour, s=30, zorder=3)
        ax.annotate(
            ATTACKS[found.removal],
            (cost, row),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=colour,
        )
    if points is not None:
        ax.axvspan(-0.1, points, color=GOLD, alpha=0.25, linewidth=0, zorder=0)
    ax.set_yticks(range(len(there)), [NAMES[scheme] for scheme in there])
    ax.set(xlabel="accuracy lost to the cheapest removal, points", ylim=(len(there) - 0.4, -0.6))
    _points(ax, 100 * WORTH)
    return ax
