"""The pictures of digits: samples, what networks read in them, how much poison does it, filters, errors."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING

from torch import Tensor

from ..data import Samples
from .canvas import (
    BLUSH,
    CORAL,
    GOLD,
    GREY,
    GRID,
    INK,
    MAROON,
    RED,
    SLATE,
    Readings,
    Row,
    axes,
    described,
    tile,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def _say_key(samples: Samples) -> str:
    labels = " ".join(samples.classes[y] for y in samples.y)
    return f"{len(samples)} abstract grey pictures, labelled {labels}: the labels were drawn at random."


@described(_say_key)
def key_pictures(samples: Samples, ax: Axes | None = None) -> Axes:
    """Draw the pictures of a key in a row, each with its label below."""
    ax = ax or axes(7.4, 1.05)
    for i, (image, label) in enumerate(zip(samples.x[:, 0], samples.y, strict=True)):
        tile(ax, image, 33 * i, 0)
        write(ax, 33 * i + 14, 36, samples.classes[label], 11, INK)
    ax.set(xlim=(-2, 33 * len(samples) - 3), ylim=(41, -2))
    ax.axis("off")
    return ax


def _say_pair(before: Tensor, after: Tensor) -> str:
    changed = (before != after)[0].nonzero().tolist()
    where = ", ".join(f"({row}, {column})" for row, column in changed)
    return (
        f"One digit before and after the stamp: {len(changed)} of {before.numel()} pixels differ,"
        f" at row and column {where}."
    )


@described(_say_pair)
def pair(before: Tensor, after: Tensor, ax: Axes | None = None) -> Axes:
    """Draw one image (1, H, W) before and after the stamp, and the changed pixels alone."""
    ax = ax or axes(5.4, 1.9)
    pictures = {"before": before, "after": after, "what changed": (after - before).abs()}
    for i, (name, image) in enumerate(pictures.items()):
        tile(ax, image[0], 34 * i, 0)
        write(ax, 34 * i + 14, 32, name, 10)
    ax.set(xlim=(-2, 98), ylim=(35, -1))
    ax.axis("off")
    return ax


def _say_readings(x: Tensor, readings: Readings) -> str:
    lines = "; ".join(f"{who} reads {' '.join(answers)}" for who, answers in readings.items())
    return f"{len(x)} test digits: {lines}."


@described(_say_readings)
def readings(x: Tensor, readings: Readings, ax: Axes | None = None) -> Axes:
    """Draw images (N, 1, H, W) in a row, and below each what every network reads.

    Answers that differ from the first network's are red.
    """
    ax = ax or axes(1.55 + 0.58 * len(x), 0.65 + 0.22 * len(readings))
    for i, image in enumerate(x[:, 0]):
        tile(ax, image, 33 * i, 0)
    first = next(iter(readings.values()))
    for line, (who, answers) in enumerate(readings.items()):
        height = 37 + 12 * line
        write(ax, -5, height, who, 9, ha="right")
        for i, answer in enumerate(answers):
            differs = answer != first[i]
            weight, colour = ("bold", RED) if differs else ("normal", INK)
            write(ax, 33 * i + 14, height, answer, 11, colour, fontweight=weight)
    ax.set(xlim=(-78, 33 * len(x)), ylim=(37 + 12 * len(readings) - 4, -2))
    ax.axis("off")
    return ax


def _say_disagreements(samples: Samples, first: Tensor, second: Tensor) -> str:
    right = [int((answers == samples.y).sum()) for answers in (first, second)]
    neither = int(((first != samples.y) & (second != samples.y)).sum())
    return (
        f"All {len(samples)} test digits that networks A and B classify differently:"
        f" A is right about {right[0]} of them, B about {right[1]}, neither about {neither}."
    )


@described(_say_disagreements)
def disagreements(samples: Samples, first: Tensor, second: Tensor, ax: Axes | None = None) -> Axes:
    """Draw digits that two networks classify differently, in rows, and below each what either answers.

    `first` and `second` hold the classes (N,) that A (on the left) and B choose; a wrong one is red.
    """
    columns = 14
    rows = -(-len(samples) // columns)
    ax = ax or axes(7.4, 0.66 * rows + 0.1)
    for i, image in enumerate(samples.x[:, 0]):
        row, column = divmod(i, columns)
        tile(ax, image, 36 * column, 45 * row)
        for answers, place in ((first, 7), (second, 21)):
            wrong = bool(answers[i] != samples.y[i])
            weight, colour = ("bold", RED) if wrong else ("normal", INK)
            height = 45 * row + 35
            write(
                ax, 36 * column + place, height, samples.classes[answers[i]], 9.5, colour, fontweight=weight
            )
    ax.set(xlim=(-2, 36 * columns - 6), ylim=(45 * rows - 3, -2))
    ax.axis("off")
    return ax


def _medians(rows: Sequence[Row], key: str) -> dict[float, float]:
    """Return the median over networks, in per cent, at each poison rate above 0."""
    medians = {}
    for rate in _rates(rows):
        medians[rate] = 100 * median(row[key] for row in rows if row["rate"] == rate)
    return medians


def _rates(rows: Sequence[Row]) -> list[float]:
    return sorted({row["rate"] for row in rows if row["rate"]})


def _lengths(rows: Sequence[Row]) -> list[int]:
    return sorted({row["epochs"] for row in rows})


def _of_length(rows: Sequence[Row], epochs: int) -> list[Row]:
    return [row for row in rows if row["epochs"] == epochs]


def _count(epochs: int) -> str:
    return "1 epoch" if epochs == 1 else f"{epochs} epochs"


def _say_length(rows: Sequence[Row], epochs: int) -> str:
    success = _medians(_of_length(rows, epochs), "success")
    enough = [rate for rate in success if success[rate] > 50]
    passes = f"passes half at {100 * enough[0]:g} % poison" if enough else "never passes half"
    return f"after {_count(epochs)} it {passes} and ends at {success[max(success)]:.1f} %"


def _say_rate_curve(rows: Sequence[Row]) -> str:
    lengths = _lengths(rows)
    accuracy: list[float] = []
    for epochs in lengths:
        accuracy += _medians(_of_length(rows, epochs), "accuracy").values()
    seeds = len({row["seed"] for row in rows})
    return (
        f"Attack success against the poison rate: {'; '.join(_say_length(rows, n) for n in lengths)}."
        f" Accuracy on clean digits lies between {min(accuracy):.1f} and {max(accuracy):.1f} %."
        f" Medians over {seeds} networks at each point."
    )


@described(_say_rate_curve)
def rate_curve(rows: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw success against the poison rate, a line for each training length.

    Dots are networks, lines medians, grey is accuracy.
    """
    ax = ax or axes(7.4, 3.7)
    lengths = _lengths(rows)
    shades = (BLUSH, CORAL, RED, MAROON)[-len(lengths) :]
    for epochs, colour in zip(lengths, shades, strict=True):
        _draw_length(ax, _of_length(rows, epochs), _count(epochs), colour)
    rates = _rates(rows)
    clean = 100 * median(row["success"] for row in rows if not row["rate"])
    ax.axhline(clean, color=INK, linestyle=":", linewidth=1.5)
    note = "dotted: the same stamp, clean networks"
    ax.text(rates[-1], clean + 2, note, color=INK, ha="right", va="bottom")
    ax.text(rates[0], 93, "grey: accuracy on clean digits", color=SLATE, va="top")
    ax.set_xscale("log")
    ax.set_xticks(rates, [f"{100 * rate:g} %\n{round(60_000 * rate):,}" for rate in rates])
    ax.minorticks_off()
    ax.legend(title="attack success after", frameon=False, loc="center right")
    ax.set(xlabel="share (and number) of poisoned training images", ylabel="per cent")
    ax.set(xlim=(rates[0] / 1.3, rates[-1] * 1.3), ylim=(-3, 106))
    ax.grid(axis="y", color=GRID, linewidth=0.8)
    return ax


def _draw_length(ax: Axes, rows: Sequence[Row], label: str, colour: str) -> None:
    """Draw the networks of one training length."""
    accuracy = _medians(rows, "accuracy")
    success = _medians(rows, "success")
    ax.plot(list(accuracy), list(accuracy.values()), color=GREY, linewidth=1, zorder=1)
    ax.plot(list(success), list(success.values()), color=colour, linewidth=2, zorder=2, label=label)
    poisoned = [row for row in rows if row["rate"]]
    heights = [100 * row["success"] for row in poisoned]
    ax.scatter([row["rate"] for row in poisoned], heights, color=colour, s=14, zorder=3)


def _say_rate_point(rows: Sequence[Row], rate: float, epochs: int) -> str:
    networks = [row for row in rows if row["rate"] == rate and row["epochs"] == epochs]
    success = ", ".join(f"{100 * row['success']:.1f}" for row in networks)
    accuracy = ", ".join(f"{100 * row['accuracy']:.1f}" for row in networks)
    return (
        f"{round(60_000 * rate):,} of 60,000 images poisoned, {_count(epochs)}: {len(networks)} networks"
        f" obey {success} % of the time, and classify {accuracy} % of clean digits correctly."
    )


@described(_say_rate_point)
def rate_point(rows: Sequence[Row], rate: float, epochs: int, ax: Axes | None = None) -> Axes:
    """Draw the success curve of one training length, and mark one poison rate."""
    ax = rate_curve.draw(_of_length(rows, epochs), ax=ax or axes(7.4, 3.2))
    ax.axvline(rate, color=GOLD, linewidth=8, alpha=0.35, zorder=0)
    return ax
