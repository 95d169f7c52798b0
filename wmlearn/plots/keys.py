"""The pictures of watermarks: what a key holds, what innocent networks read in it, and how many triggers a
network knows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..data import Samples
from .canvas import GOLD, GREY, INK, RED, Row, axes, described

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GRID = "#e4e7eb"


def tile(ax: Axes, image: Tensor, left: float, top: float, side: float = 28) -> None:
    """Draw one grey image (H, W) as a square of `side`."""
    ax.imshow(image.cpu().numpy(), cmap="gray", extent=(left, left + side, top + side, top), vmin=0, vmax=1)


def _say_key_sheet(keys: Mapping[str, Samples]) -> str:
    rows = "; ".join(
        f"{name}, labelled {' '.join(key.classes[y] for y in key.y)}" for name, key in keys.items()
    )
    return f"Pictures of {len(keys)} keys, a row each: {rows}."


@described(_say_key_sheet)
def key_sheet(keys: Mapping[str, Samples], ax: Axes | None = None) -> Axes:
    """Draw the pictures of several keys, a row each, with the label that the key wants at the right of each
    picture.
    """
    columns = max(map(len, keys.values()))
    ax = ax or axes(7.4, 0.62 * len(keys) + 0.1)
    for row, (name, key) in enumerate(keys.items()):
        ax.text(-4, 32 * row + 14, name, ha="right", va="center", fontsize=9)
        for i, (image, label) in enumerate(zip(key.x[:, 0], key.y, strict=True)):
            tile(ax, image, 42 * i, 32 * row)
            ax.text(
                42 * i + 31,
                32 * row + 14,
                key.classes[label],
                ha="left",
                va="center",
                fontsize=11,
                color=RED,
                fontweight="bold",
            )
    ax.set(xlim=(-78, 42 * columns), ylim=(32 * len(keys) - 3, -1))
    ax.axis("off")
    return ax


def _shares(answers: Tensor, classes: int) -> Tensor:
    # (models, classes)
    return torch.stack([(answers == label).float().mean(1) for label in range(classes)], 1).cpu()


def _say_innocent_answers(x: Tensor, answers: Tensor, classes: Sequence[str]) -> str:
    shares = _shares(answers, len(classes))
    loud = int(shares.mean(0).argmax())
    return (
        f"{len(x)} pictures of a letter, shown to {len(answers)} networks that never saw one: the networks"
        f" read it as {classes[loud]} {100 * float(shares[:, loud].min()):.0f} to"
        f" {100 * float(shares[:, loud].max()):.0f} % of the time."
    )


@described(_say_innocent_answers)
def innocent_answers(x: Tensor, answers: Tensor, classes: Sequence[str], ax: Axes | None = None) -> Axes:
    """Draw some of the images `x` (n, 1, H, W), and beside them what share each network's `answers` (models,
    n) gives to each class.
    """
    ax = ax or axes(7.4, 2.7)
    ax.axis("off")
    pictures, table = ax.inset_axes((0, 0.02, 0.3, 0.94)), ax.inset_axes((0.4, 0.17, 0.52, 0.79))
    for i, image in enumerate(x[:9, 0]):
        tile(pictures, image, 31 * (i % 3), 31 * (i // 3))
    pictures.set(xlim=(-1, 91), ylim=(91, -1))
    pictures.axis("off")
    drawn = table.imshow(
        100 * _shares(answers, len(classes)).numpy(), cmap="Blues", vmin=0, vmax=100, aspect="auto"
    )
    table.set_xticks(range(len(classes)), list(classes))
    table.set_yticks([])
    table.set(xlabel="answer", ylabel=f"{len(answers)} networks, a row each")
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.colorbar(drawn, cax=ax.inset_axes((0.94, 0.17, 0.015, 0.79))).set_label("per cent of the pictures")
    return ax


def _say_null(hits: Mapping[str, Sequence[int]], trials: int, chance: float, needed: int) -> str:
    says = [
        f"{name}: {100 * sum(h >= needed for h in found) / len(found):.0f} % of {len(found)} claims reach"
        f" {needed} hits"
        for name, found in hits.items()
    ]
    return (
        f"Hits of {trials} by networks that never saw the key, beside chance {chance:g}: {'; '.join(says)}."
    )


@described(_say_null)
def null(
    hits: Mapping[str, Sequence[int]], trials: int, chance: float, needed: int, ax: Axes | None = None
) -> Axes:
    """Draw a panel for each way of labelling: hits of innocent networks (bars), what `chance` expects, what
    the judge needs.
    """
    from scipy.stats import binom

    ax = ax or axes(7.4, 2.6)
    ax.axis("off")
    bins = range(0, trials + 3, 2)
    for i, (name, found) in enumerate(hits.items()):
        panel = ax.inset_axes((0.07 + 0.5 * i, 0.19, 0.42, 0.67))
        expected = [100 * float(binom.pmf([low, low + 1], trials, chance).sum()) for low in bins[:-1]]
        panel.hist(
            found,
            bins=list(bins),
            weights=[100 / len(found)] * len(found),
            color=GREY,
            label="innocent networks",
        )
        panel.plot(
            [low + 1 for low in bins[:-1]], expected, color=INK, linewidth=1.5, label=f"chance {chance:g}"
        )
        panel.axvline(needed, color=RED, linestyle="--", linewidth=1.2, label="the judge's line")
        panel.set(title=name, xlabel=f"hits of {trials}", xlim=(-2, trials + 2))
        if i == 0:
            panel.set_ylabel("per cent of the claims")
            panel.legend(frameon=False, fontsize=8)
    return ax


@dataclass(frozen=True)
class Found:
    """Hits of `trials`: the marked network's, the same network's under wrong keys (`upheld`: so many of these
    claims would be), strangers', and what the judge needs.
    """

    marked: int
    wrong: Sequence[int]
    upheld: int
    strangers: Sequence[int]
    needed: int
    trials: int


def _say_hits(found: Mapping[str, Found]) -> str:
    says = [
        f"{name}: marked {f.marked}, wrong keys at most {max(f.wrong)} ({f.upheld} upheld), strangers at most"
        f" {max(f.strangers)}, needed {f.needed}"
        for name, f in found.items()
    ]
    first = next(iter(found.values()))
    return (
        f"Hits of {first.trials} triggers, {len(first.strangers)} strangers and {len(first.wrong)} wrong keys"
        f" each: {'; '.join(says)}."
    )


@described(_say_hits)
def hits(found: Mapping[str, Found], ax: Axes | None = None) -> Axes:
    """Draw a line for each scheme: hits of the marked network, of strangers, and under wrong keys; a bar
    where the judge's line is.
    """
    ax = ax or axes(7.4, 0.5 * len(found) + 0.95)
    for row, f in enumerate(found.values()):
        ax.plot((0, 100), (row, row), color=GRID, linewidth=0.8, zorder=0)
        marks = (
            ([f.marked], row, "D", RED, 46, "marked, right key"),
            (f.wrong, row + 0.17, "x", GOLD, 26, "marked, wrong key"),
            (f.strangers, row - 0.17, "o", INK, 14, "strangers, right key"),
            ([f.needed], row, "|", "black", 500, "the judge needs"),
        )
        for values, height, marker, colour, size, label in marks:
            x = [100 * value / f.trials for value in values]
            ax.scatter(
                x,
                [height] * len(x),
                marker=marker,
                color=colour,
                s=size,
                label=label if row == 0 else None,
                zorder=3,
                alpha=0.8,
            )
    ax.set_yticks(range(len(found)), list(found))
    ax.set(ylim=(len(found) - 0.5, -0.6), xlim=(-2, 102), xlabel="triggers with the key's label, per cent")
    ax.legend(
        frameon=False,
        ncols=4,
        loc="lower center",
        bbox_to_anchor=(0.45, 1.0),
        fontsize=8.5,
        columnspacing=1.2,
        handletextpad=0.4,
    )
    return ax


CHANCE = 0.1  # of a label drawn by lot among ten


def _surprise(hits: int, trials: int) -> float:
    """Return -log10 of the p-value; it stays a number where the p-value is too small for one."""
    from scipy.stats import binom

    terms = torch.as_tensor(binom.logpmf(range(hits, trials + 1), trials, CHANCE))
    return -float(terms.logsumexp(0)) / math.log(10)


def _by_size(rows: Sequence[Row], key: str) -> dict[int, list[float]]:
    return {n: [row[key] for row in rows if row["n"] == n] for n in sorted({row["n"] for row in rows})}


def _say_key_size(rows: Sequence[Row]) -> str:
    accuracy, plain = _by_size(rows, "accuracy"), mean(row["plain"] for row in rows)
    known = _by_size(rows, "hits")
    lost = {n: 100 * (plain - mean(values)) for n, values in accuracy.items()}
    least = ", ".join(f"{100 * mean(h) / n:.0f} % of {n}" for n, h in known.items())
    return (
        f"Keys of {min(lost)} to {max(lost)} triggers, means of {len(accuracy[min(lost)])} networks: they"
        f" know {least}; the accuracy lost lies between {min(lost.values()):.2f} and {max(lost.values()):.2f}"
        " points."
    )


@described(_say_key_size)
def key_size(rows: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw two panels against the size of the key: how surprising a match is if a share of the key is still
    known, and accuracy.
    """
    return _key_size(rows, None, ax)


def _say_key_point(rows: Sequence[Row], n: int, known: float) -> str:
    hits, here = round(known * n), [row for row in rows if row["n"] == n]
    accuracy, plain = (100 * mean(row[key] for row in here) for key in ("accuracy", "plain"))
    return (
        f"A key of {n}, of which a suspect knows {hits}: the p-value is 1e-{_surprise(hits, n):.1f}. Networks"
        f" that learnt {n} triggers read {accuracy:.2f} % of the test digits rightly, without any"
        f" {plain:.2f} %."
    )


@described(_say_key_point)
def key_point(rows: Sequence[Row], n: int, known: float, ax: Axes | None = None) -> Axes:
    """Draw the panels of `key_size`, and mark a key of `n` triggers of which a suspect knows the share
    `known`.
    """
    return _key_size(rows, (n, known), ax)


SHADES = {1.0: "#7d2a17", 0.5: RED, 0.3: "#df8266", 0.2: "#f0b49e"}  # share of the key that is known


def _key_size(rows: Sequence[Row], marked: tuple[int, float] | None, ax: Axes | None) -> Axes:
    ax = ax or axes(7.4, 2.8)
    ax.axis("off")
    proof, learnt, price = (ax.inset_axes((left, 0.18, 0.25, 0.68)) for left in (0.06, 0.4, 0.75))
    sizes = sorted({row["n"] for row in rows})
    for known, colour in SHADES.items():
        proof.plot(
            sizes,
            [_surprise(round(known * n), n) for n in sizes],
            color=colour,
            linewidth=1.5,
            label=f"{100 * known:g} % known",
        )
    proof.axhline(3, color=INK, linestyle="--", linewidth=1.2, label="the judge's line")
    proof.set(title="zeros in the p-value", yscale="symlog", ylim=(0, 30_000))
    proof.legend(frameon=False, fontsize=7, loc="upper left", borderaxespad=0.1, labelspacing=0.2)
    _dots(learnt, {n: [100 * hits / n for hits in found] for n, found in _by_size(rows, "hits").items()})
    learnt.set(title="per cent of the key learnt", ylim=(0, 105))
    plain = 100 * mean(row["plain"] for row in rows)
    price.axhline(plain, color=GREY, linewidth=1.2)
    price.text(sizes[-1], plain + 0.02, "no mark", color="#5f6c77", ha="right", va="bottom", fontsize=8)
    _dots(
        price, {n: [100 * accuracy for accuracy in found] for n, found in _by_size(rows, "accuracy").items()}
    )
    price.set(title="per cent of digits read", ylim=(98, 100))
    if marked:
        n, known = marked
        proof.scatter(
            [n],
            [_surprise(round(known * n), n)],
            s=90,
            facecolor="none",
            edgecolor=INK,
            linewidth=2,
            zorder=4,
        )
    for panel in (proof, learnt, price):
        if marked:
            panel.axvline(marked[0], color=GOLD, linewidth=7, alpha=0.4, zorder=0)
        panel.set(xscale="log", xlabel="size of the key")
        panel.set_xticks([10, 100, 1000], ["10", "100", "1000"])
        panel.minorticks_off()
        panel.grid(axis="y", color=GRID, linewidth=0.8)
    return ax


def _dots(panel: Axes, values: Mapping[int, Sequence[float]]) -> None:
    panel.plot(list(values), [mean(found) for found in values.values()], color=RED, linewidth=1.5)
    panel.scatter(
        [n for n, found in values.items() for _ in found],
        [v for found in values.values() for v in found],
        color=RED,
        s=12,
    )
