"""The pictures of watermarks: what a key holds, what the innocent read in it, how many triggers are known."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..data import Samples
from .canvas import (
    BLUSH,
    BRONZE,
    CLOUD,
    CORAL,
    GOLD,
    GREY,
    GRID,
    INK,
    MAROON,
    RED,
    SLATE,
    Row,
    axes,
    described,
    tile,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def _say_key_sheet(keys: Mapping[str, Samples]) -> str:
    rows = []
    for name, key in keys.items():
        labels = " ".join(key.classes[y] for y in key.y)
        rows.append(f"{name}, labelled {labels}")
    return f"Pictures of {len(keys)} keys, a row each: {'; '.join(rows)}."


@described(_say_key_sheet)
def key_sheet(keys: Mapping[str, Samples], ax: Axes | None = None) -> Axes:
    """Draw the pictures of several keys, a row each, and beside each picture the label that it shall get."""
    columns = max(map(len, keys.values()))
    ax = ax or axes(7.4, 0.62 * len(keys) + 0.1)
    for row, (name, key) in enumerate(keys.items()):
        middle = 32 * row + 14
        write(ax, -4, middle, name, 9, ha="right")
        for i, (image, label) in enumerate(zip(key.x[:, 0], key.y, strict=True)):
            tile(ax, image, 42 * i, 32 * row)
            write(ax, 42 * i + 31, middle, key.classes[label], 11, RED, ha="left", fontweight="bold")
    ax.set(xlim=(-78, 42 * columns), ylim=(32 * len(keys) - 3, -1))
    ax.axis("off")
    return ax


def _shares(answers: Tensor, classes: int) -> Tensor:
    """Return which share of its answers (models, n) each network gives to each class: (models, classes)."""
    return torch.stack([(answers == label).float().mean(1) for label in range(classes)], 1).cpu()


def _say_innocent_answers(x: Tensor, answers: Tensor, classes: Sequence[str]) -> str:
    shares = _shares(answers, len(classes))
    commonest = int(shares.mean(0).argmax())
    least, most = (100 * float(share) for share in shares[:, commonest].aminmax())
    return (
        f"{len(x)} pictures of a letter, shown to {len(answers)} networks that never saw one: the networks"
        f" read it as {classes[commonest]} {least:.0f} to {most:.0f} % of the time."
    )


@described(_say_innocent_answers)
def innocent_answers(x: Tensor, answers: Tensor, classes: Sequence[str], ax: Axes | None = None) -> Axes:
    """Draw some of the images `x` (n, 1, H, W), and beside them how often each network gives which answer.

    `answers` has shape (models, n).
    """
    ax = ax or axes(7.4, 2.7)
    ax.axis("off")
    pictures = ax.inset_axes((0, 0.02, 0.3, 0.94))
    table = ax.inset_axes((0.4, 0.17, 0.52, 0.79))
    for i, image in enumerate(x[:9, 0]):
        tile(pictures, image, 31 * (i % 3), 31 * (i // 3))
    pictures.set(xlim=(-1, 91), ylim=(91, -1))
    pictures.axis("off")
    percent = 100 * _shares(answers, len(classes)).numpy()
    cells = table.imshow(percent, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    table.set_xticks(range(len(classes)), list(classes))
    table.set_yticks([])
    table.set(xlabel="answer", ylabel=f"{len(answers)} networks, a row each")
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.colorbar(cells, cax=ax.inset_axes((0.94, 0.17, 0.015, 0.79))).set_label("per cent of the pictures")
    return ax


def _say_null(hits: Mapping[str, Sequence[int]], trials: int, chance: float, needed: int) -> str:
    parts = []
    for name, claims in hits.items():
        reached = 100 * sum(n >= needed for n in claims) / len(claims)
        parts.append(f"{name}: {reached:.0f} % of {len(claims)} claims reach {needed} hits")
    return (
        f"Hits of {trials} by networks that never saw the key, beside chance {chance:g}: {'; '.join(parts)}."
    )


@described(_say_null)
def null(
    hits: Mapping[str, Sequence[int]], trials: int, chance: float, needed: int, ax: Axes | None = None
) -> Axes:
    """Draw a panel for each way of labelling: hits of innocent networks, beside what `chance` expects.

    The judge's line is at `needed` hits.
    """
    from scipy.stats import binom

    ax = ax or axes(7.4, 2.6)
    ax.axis("off")
    bins = list(range(0, trials + 3, 2))
    middles = [low + 1 for low in bins[:-1]]
    expected = [100 * float(binom.pmf([low, low + 1], trials, chance).sum()) for low in bins[:-1]]
    for i, (name, claims) in enumerate(hits.items()):
        panel = ax.inset_axes((0.07 + 0.5 * i, 0.19, 0.42, 0.67))
        percent = [100 / len(claims)] * len(claims)
        panel.hist(claims, bins=bins, weights=percent, color=GREY, label="innocent networks")
        panel.plot(middles, expected, color=INK, linewidth=1.5, label=f"chance {chance:g}")
        panel.axvline(needed, color=RED, linestyle="--", linewidth=1.2, label="the judge's line")
        panel.set(title=name, xlabel=f"hits of {trials}", xlim=(-2, trials + 2))
        if i == 0:
            panel.set_ylabel("per cent of the claims")
            panel.legend(frameon=False, fontsize=8)
    return ax


def _say_innocents(hits: Tensor, trials: int, chance: float, lines: Mapping[str, int], key: int) -> str:
    own = hits[key - 1]
    means = hits.mean(1)
    half = _half_band(trials, chance, hits.shape[1])
    outside = int(((means - trials * chance).abs() > half).sum())
    reach = [f"{int((hits >= line).any(1).sum())} reach {line} hits ({name})" for name, line in lines.items()]
    return (
        f"Hits of {len(hits)} keys of {trials} triggers on {hits.shape[1]} networks that never saw them, a"
        f" row a key, sorted by their means: {float(means.min()):.1f} to {float(means.max()):.1f}, {outside}"
        f" of them outside {trials * chance - half:.1f} to {trials * chance + half:.1f}, where 95 % would lie"
        f" if networks erred independently. Key {key} has {int(own.min())} to {int(own.max())} hits,"
        f" {float(own.mean()):.1f} on average. Of the keys, {', '.join(reach)} on some network."
    )


def _half_band(trials: int, chance: float, networks: int) -> float:
    """Return how far from chance the mean of so many independent networks lies at most, 95 % of the time."""
    return 1.96 * math.sqrt(trials * chance * (1 - chance) / networks)


@described(_say_innocents)
def innocents(
    hits: Tensor, trials: int, chance: float, lines: Mapping[str, int], key: int, ax: Axes | None = None
) -> Axes:
    """Draw a row for each key, sorted by mean: a dot is a network that never saw it, a bar the mean.

    `hits` has shape (keys, networks); the row of the key number `key`, counted from 1, is drawn in red, the
    judge's `lines` (name -> hits) as dashed lines, and a band where the means would lie if networks erred
    independently.
    """
    ax = ax or axes(7.4, 4.2)
    middle = trials * chance
    half = _half_band(trials, chance, hits.shape[1])
    ax.axvspan(middle - half, middle + half, color=CLOUD, alpha=0.6, linewidth=0, zorder=0)
    write(ax, middle, len(hits) + 0.6, "means, if independent", 8.5, SLATE)
    for row, i in enumerate(hits.mean(1).argsort().tolist()):
        colour = RED if i == key - 1 else INK
        spread = torch.linspace(-0.3, 0.3, hits.shape[1])  # so that equal hits don't hide each other
        ax.scatter(hits[i], row + spread, s=9, color=colour, alpha=0.6, linewidth=0)
        ax.plot([float(hits[i].mean())] * 2, (row - 0.45, row + 0.45), color=colour, linewidth=2.6)
        if i == key - 1:
            write(ax, float(hits.max()) + 1, row, f"key {key}", 9, RED, ha="left")
    for name, line in lines.items():
        ax.plot([line - 0.5] * 2, (-1, len(hits)), color=GOLD, linestyle="--", linewidth=1.4)
        write(ax, line - 0.5, len(hits) + 0.6, name, 8.5, BRONZE)
    ax.set(ylim=(-1, len(hits) + 1.4), xlim=(0, float(hits.max()) + 4), yticks=[])
    ax.set(xlabel=f"hits of {trials}", ylabel=f"{len(hits)} keys, a row each")
    return ax


@dataclass(frozen=True)
class Trial:
    """Hits of the owner's key, and of `decoys` drawn by its recipe, all on one network; `p` follows.

    `strangers` are the hits of the owner's key on networks that never saw it.
    """

    own: int
    decoys: Sequence[int]
    p: float
    strangers: Sequence[int]

    @property
    def half(self) -> int:
        """The number of decoys with at least half of the owner's hits."""
        return sum(2 * hits >= self.own for hits in self.decoys)

    @property
    def as_high(self) -> int:
        """The number of decoys with as many hits as the owner's key, or more."""
        return sum(hits >= self.own for hits in self.decoys)


def _say_decoys(outcomes: Mapping[str, Trial], trials: int) -> str:
    parts = [
        f"{name}: owner {trial.own}, decoys at most {max(trial.decoys)} ({trial.half} with half of the"
        f" owner's hits), p = {trial.p:.2g}, strangers at most {max(trial.strangers)}"
        for name, trial in outcomes.items()
    ]
    fewest = min(len(trial.decoys) for trial in outcomes.values())
    strangers = len(next(iter(outcomes.values())).strangers)
    return (
        f"Hits of {trials} triggers on marked networks, by the owner's key and by {fewest} or more decoys,"
        f" and of the owner's key on {strangers} strangers: {'; '.join(parts)}."
    )


@described(_say_decoys)
def decoys(outcomes: Mapping[str, Trial], trials: int, ax: Axes | None = None) -> Axes:
    """Draw a row for each mark: the owner's hits, those of decoys on the same network, and strangers'."""
    ax = ax or axes(7.4, 0.62 * len(outcomes) + 0.95)
    for row, (name, trial) in enumerate(outcomes.items()):
        ax.plot((0, 100), (row, row), color=GRID, linewidth=0.8, zorder=0)
        _draw_trial(ax, trial, row, 100 / trials)
        write(ax, 104, row, f"p = {trial.p:.2g}", 9, ha="left")
        write(ax, -4, row, name, 9, ha="right")
        if row == 0:
            above: Any = {"loc": "lower center", "bbox_to_anchor": (0.45, 1.0)}
            ax.legend(frameon=False, ncols=3, fontsize=8.5, columnspacing=1.2, handletextpad=0.4, **above)
    ax.set(ylim=(len(outcomes) - 0.4, -0.6), xlim=(-2, 102), yticks=[])
    ax.set_xlabel("triggers with the key's label, per cent")
    return ax


def _draw_trial(ax: Axes, trial: Trial, row: int, unit: float) -> None:
    """Draw the hits of a trial around the height `row`, a hit as `unit` per cent; equal ones side by side."""
    layers = (
        ("owner's key", [trial.own], row, "D", RED, 46),
        ("decoys", trial.decoys, row + 0.22, "x", GOLD, 20),
        ("strangers, owner's key", trial.strangers, row - 0.22, "o", INK, 14),
    )
    for label, hits, height, marker, colour, size in layers:
        heights = height + 0.3 * (torch.arange(len(hits)) % 7 / 6 - 0.5) * (len(hits) > 1)
        x = [unit * count for count in hits]
        ax.scatter(x, heights, marker=marker, color=colour, s=size, zorder=3, alpha=0.7, label=label)


def _say_tries(hits: Sequence[int], trials: int, chance: float, wanted: int, needed: int) -> str:
    from scipy.stats import binom

    expected = len(hits) * float(binom.sf(wanted - 1, trials, chance))
    return (
        f"Hits of {len(hits):,} random keys of {trials} pictures on one network that never saw them:"
        f" {mean(hits):.1f} on average, {max(hits)} at most. {sum(n >= wanted for n in hits)} of them reach"
        f" {wanted} hits, where chance expects {expected:.1f}; {sum(n >= needed for n in hits)} reach the"
        f" judge's {needed}."
    )


@described(_say_tries)
def tries(
    hits: Sequence[int], trials: int, chance: float, wanted: int, needed: int, ax: Axes | None = None
) -> Axes:
    """Draw how many of a forger's random keys have how many hits, beside the binomial distribution.

    Lines stand at the hits that the forger wants, and at those that the judge needs; the scale is
    logarithmic, so that one key in a thousand can be seen.
    """
    from scipy.stats import binom

    ax = ax or axes(7.4, 2.9)
    places = range(needed + 4)
    ax.bar(places, [list(hits).count(n) for n in places], color=GREY, width=0.8, label="keys drawn")
    expected = [len(hits) * float(binom.pmf(n, trials, chance)) for n in places]
    ax.plot(places, expected, color=INK, marker="o", markersize=3, linewidth=1.4, label="chance expects")
    ax.axvline(wanted - 0.5, color=GOLD, linestyle="--", linewidth=1.4, label=f"the forger wants {wanted}")
    ax.axvline(needed - 0.5, color=RED, linestyle="--", linewidth=1.4, label=f"the judge needs {needed}")
    ax.set_yscale("log")
    ax.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    ax.minorticks_off()
    ax.set(xlabel=f"hits of {trials}", ylabel="number of keys", ylim=(0.03, max(2, len(hits) / 3)))
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


CHANCE = 0.1  # of a label drawn at random among ten


def _surprise(hits: int, trials: int) -> float:
    """Return -log10 of the p-value; it stays a number where the p-value is too small for one."""
    from scipy.stats import binom

    terms = torch.as_tensor(binom.logpmf(range(hits, trials + 1), trials, CHANCE))
    return -float(terms.logsumexp(0)) / math.log(10)


def _by_size(rows: Sequence[Row], value: Callable[[Row], float]) -> dict[int, list[float]]:
    """Return a value of the networks with a key of each size, the smallest first."""
    sizes = sorted({row["n"] for row in rows})
    values: dict[int, list[float]] = {n: [] for n in sizes}
    for row in rows:
        values[row["n"]].append(value(row))
    return values


def _learnt(row: Row) -> float:
    return 100 * row["hits"] / row["n"]


def _accuracy(row: Row) -> float:
    return 100 * row["accuracy"]


def _say_key_size(rows: Sequence[Row]) -> str:
    accuracy = _by_size(rows, _accuracy)
    plain = 100 * mean(row["plain"] for row in rows)
    losses = {n: plain - mean(values) for n, values in accuracy.items()}
    learnt = ", ".join(f"{mean(shares):.0f} % of {n}" for n, shares in _by_size(rows, _learnt).items())
    smallest = min(losses)
    return (
        f"Keys of {smallest} to {max(losses)} triggers, means of {len(accuracy[smallest])} networks:"
        f" they know {learnt}; the accuracy lost lies between {min(losses.values()):.2f}"
        f" and {max(losses.values()):.2f} points."
    )


@described(_say_key_size)
def key_size(rows: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw three panels against the size of the key: the proof, what is learnt, and the accuracy."""
    return _key_size(rows, None, ax)


def _say_key_point(rows: Sequence[Row], n: int, known: float) -> str:
    hits = round(known * n)
    networks = [row for row in rows if row["n"] == n]
    accuracy = mean(map(_accuracy, networks))
    plain = 100 * mean(row["plain"] for row in networks)
    return (
        f"A key of {n}, of which a suspect knows {hits}: the p-value is 1e-{_surprise(hits, n):.1f}."
        f" Networks that learnt {n} triggers classify {accuracy:.2f} % of the test digits correctly,"
        f" those without a mark {plain:.2f} %."
    )


@described(_say_key_point)
def key_point(rows: Sequence[Row], n: int, known: float, ax: Axes | None = None) -> Axes:
    """Draw the panels of `key_size`, and mark a key of `n` triggers of which the share `known` is known."""
    return _key_size(rows, (n, known), ax)


SHADES = {1.0: MAROON, 0.5: RED, 0.3: CORAL, 0.2: BLUSH}  # share of the key that is known


def _key_size(rows: Sequence[Row], marked: tuple[int, float] | None, ax: Axes | None) -> Axes:
    ax = ax or axes(7.4, 2.8)
    ax.axis("off")
    proof, share, price = (ax.inset_axes((left, 0.18, 0.25, 0.68)) for left in (0.06, 0.4, 0.75))
    _draw_proof(proof, sorted({row["n"] for row in rows}))
    _dots(share, _by_size(rows, _learnt))
    share.set(title="per cent of the key learnt", ylim=(0, 105))
    _draw_price(price, rows)
    if marked:
        n, known = marked
        ring: Any = {"s": 90, "facecolor": "none", "edgecolor": INK, "linewidth": 2, "zorder": 4}
        proof.scatter([n], [_surprise(round(known * n), n)], **ring)
    for panel in (proof, share, price):
        if marked:
            panel.axvline(marked[0], color=GOLD, linewidth=7, alpha=0.4, zorder=0)
        panel.set(xscale="log", xlabel="size of the key")
        panel.set_xticks([10, 100, 1000], ["10", "100", "1000"])
        panel.minorticks_off()
        panel.grid(axis="y", color=GRID, linewidth=0.8)
    return ax


def _draw_proof(panel: Axes, sizes: Sequence[int]) -> None:
    """Draw how surprising a match is if a share of the key is still known."""
    for known, colour in SHADES.items():
        zeros = [_surprise(round(known * n), n) for n in sizes]
        panel.plot(sizes, zeros, color=colour, linewidth=1.5, label=f"{100 * known:g} % known")
    panel.axhline(3, color=INK, linestyle="--", linewidth=1.2, label="the judge's line")
    panel.set(title="zeros in the p-value", yscale="symlog", ylim=(0, 30_000))
    panel.legend(frameon=False, fontsize=7, loc="upper left", borderaxespad=0.1, labelspacing=0.2)


def _draw_price(panel: Axes, rows: Sequence[Row]) -> None:
    """Draw the accuracy of the marked networks, beside that of networks without a mark."""
    plain = 100 * mean(row["plain"] for row in rows)
    accuracy = _by_size(rows, _accuracy)
    panel.axhline(plain, color=GREY, linewidth=1.2)
    panel.text(max(accuracy), plain + 0.02, "no mark", color=SLATE, ha="right", va="bottom", fontsize=8)
    _dots(panel, accuracy)
    panel.set(title="accuracy, per cent", ylim=(98, 100))


def _dots(panel: Axes, values: Mapping[int, Sequence[float]]) -> None:
    """Draw a dot for each network, and a line through the means."""
    means = [mean(heights) for heights in values.values()]
    panel.plot(list(values), means, color=RED, linewidth=1.5)
    for n, heights in values.items():
        panel.scatter([n] * len(heights), heights, color=RED, s=12)
