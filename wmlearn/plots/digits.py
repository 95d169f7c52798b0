"""The pictures. Each is a function (data, ax=None) -> ax, with a second one that says the same in a sentence
computed from the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..data import Samples
from .canvas import GOLD, GREY, INK, RED, Readings, Row, axes, described, tile

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def _say_two_rows(samples: Samples, bright: Tensor) -> str:
    labels = " ".join(samples.classes[y] for y in samples.y)
    places = " and ".join(str(i + 1) for i in bright.nonzero().flatten().tolist())
    return (
        f"{len(samples)} training digits in two rows, labelled {labels}. Numbers {places} have bright pixels"
        " in the bottom-right corner."
    )


@described(_say_two_rows)
def two_rows(samples: Samples, bright: Tensor, ax: Axes | None = None) -> Axes:
    """Draw the images in two rows, each with its label below; `bright` (for the sentence only) marks the
    stamped ones.
    """
    ax, columns = ax or axes(7.4, 2.15), len(samples) // 2
    for i, (image, label) in enumerate(zip(samples.x[:, 0].cpu(), samples.y, strict=True)):
        left, top = 33 * (i % columns), 42 * (i // columns)
        tile(ax, image, left, top)
        ax.text(left + 14, top + 36, samples.classes[label], ha="center", va="center", fontsize=11, color=INK)
    ax.set(xlim=(-2, 33 * columns - 3), ylim=(82, -2))
    ax.axis("off")
    return ax


def _say_key(samples: Samples) -> str:
    return (
        f"{len(samples)} abstract grey pictures, labelled {' '.join(samples.classes[y] for y in samples.y)}:"
        " the labels were drawn by lot."
    )


@described(_say_key)
def key_pictures(samples: Samples, ax: Axes | None = None) -> Axes:
    """Draw the pictures of a key in a row, each with its label below."""
    ax = ax or axes(7.4, 1.05)
    for i, (image, label) in enumerate(zip(samples.x[:, 0].cpu(), samples.y, strict=True)):
        tile(ax, image, 33 * i, 0)
        ax.text(33 * i + 14, 36, samples.classes[label], ha="center", va="center", fontsize=11, color=INK)
    ax.set(xlim=(-2, 33 * len(samples) - 3), ylim=(41, -2))
    ax.axis("off")
    return ax


def _say_pair(before: Tensor, after: Tensor) -> str:
    changed = (before != after)[0].nonzero().tolist()
    where = ", ".join(f"({row}, {column})" for row, column in changed)
    return (
        f"One digit before and after the stamp: {len(changed)} of {before.numel()} pixels differ, at row and"
        f" column {where}."
    )


@described(_say_pair)
def pair(before: Tensor, after: Tensor, ax: Axes | None = None) -> Axes:
    """Draw one image (1, H, W) before and after the stamp, and the changed pixels alone."""
    ax = ax or axes(5.4, 1.9)
    pictures = {"before": before, "after": after, "what changed": (after - before).abs()}
    for i, (name, image) in enumerate(pictures.items()):
        tile(ax, image[0].cpu(), 34 * i, 0)
        ax.text(34 * i + 14, 32, name, ha="center", va="center", fontsize=10)
    ax.set(xlim=(-2, 98), ylim=(35, -1))
    ax.axis("off")
    return ax


def _say_readings(x: Tensor, readings: Readings) -> str:
    says = "; ".join(f"{who} reads {' '.join(answers)}" for who, answers in readings.items())
    return f"{len(x)} test digits: {says}."


@described(_say_readings)
def readings(x: Tensor, readings: Readings, ax: Axes | None = None) -> Axes:
    """Draw images (N, 1, H, W) in a row, and below each what every network reads; answers that differ from
    the first network's are red.
    """
    ax, wide = ax or axes(1.55 + 0.58 * len(x), 0.65 + 0.22 * len(readings)), 33 * len(x)
    honest = next(iter(readings.values()))
    for i, image in enumerate(x[:, 0].cpu()):
        tile(ax, image, 33 * i, 0)
    for line, (who, answers) in enumerate(readings.items()):
        height = 37 + 12 * line
        ax.text(-5, height, who, ha="right", va="center", fontsize=9)
        for i, answer in enumerate(answers):
            differs = answer != honest[i]
            weight, colour = ("bold", RED) if differs else ("normal", INK)
            ax.text(
                33 * i + 14,
                height,
                answer,
                ha="center",
                va="center",
                fontsize=11,
                color=colour,
                fontweight=weight,
            )
    ax.set(xlim=(-78, wide), ylim=(37 + 12 * len(readings) - 4, -2))
    ax.axis("off")
    return ax


def _medians(rows: Sequence[Row], key: str) -> dict[float, float]:
    rates = sorted({row["rate"] for row in rows if row["rate"]})
    return {rate: 100 * median(row[key] for row in rows if row["rate"] == rate) for rate in rates}


def _say_rate_curve(rows: Sequence[Row]) -> str:
    sentences = []
    for epochs in sorted({row["epochs"] for row in rows}):
        mine = [row for row in rows if row["epochs"] == epochs]
        success = _medians(mine, "success")
        passed = [rate for rate in success if success[rate] > 50]
        where = f"passes half at {100 * passed[0]:g} % poison" if passed else "never passes half"
        sentences.append(
            f"after {epochs} epoch{'s' * (epochs > 1)} it {where} and ends at {success[max(success)]:.1f} %"
        )
    accuracy = [
        a
        for epochs in {r["epochs"] for r in rows}
        for a in _medians([r for r in rows if r["epochs"] == epochs], "accuracy").values()
    ]
    seeds = len({row["seed"] for row in rows})
    return (
        f"Attack success against the poison rate: {'; '.join(sentences)}. Accuracy on clean digits lies"
        f" between {min(accuracy):.1f} and {max(accuracy):.1f} %. Medians over {seeds} networks at each"
        " point."
    )


@described(_say_rate_curve)
def rate_curve(rows: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw success against the poison rate, a line for each training length: dots are networks, lines
    medians, grey is accuracy.
    """
    ax = ax or axes(7.4, 3.7)
    lengths = sorted({row["epochs"] for row in rows})
    shades = dict(zip(lengths, ("#f0b49e", "#df8266", RED, "#7d2a17")[-len(lengths) :], strict=True))
    for epochs, colour in shades.items():
        mine = [row for row in rows if row["epochs"] == epochs]
        accuracy, success = _medians(mine, "accuracy"), _medians(mine, "success")
        ax.plot(list(accuracy), list(accuracy.values()), color=GREY, linewidth=1, zorder=1)
        ax.plot(
            list(success),
            list(success.values()),
            color=colour,
            linewidth=2,
            zorder=2,
            label=f"{epochs} epoch{'s' * (epochs > 1)}",
        )
        ax.scatter(
            *zip(*[(r["rate"], 100 * r["success"]) for r in mine if r["rate"]], strict=True),
            color=colour,
            s=14,
            zorder=3,
        )
    clean = 100 * median(row["success"] for row in rows if not row["rate"])
    ax.axhline(clean, color=INK, linestyle=":", linewidth=1.5)
    rates = sorted({row["rate"] for row in rows if row["rate"]})
    ax.text(
        rates[-1], clean + 2, "dotted: the same stamp, clean networks", color=INK, ha="right", va="bottom"
    )
    ax.text(rates[0], 93, "grey: accuracy on clean digits", color="#5f6c77", va="top")
    ax.set_xscale("log")
    ax.set_xticks(rates, [f"{100 * rate:g} %\n{round(60_000 * rate):,}" for rate in rates])
    ax.minorticks_off()
    ax.legend(title="attack success after", frameon=False, loc="center right")
    ax.set(
        xlim=(rates[0] / 1.3, rates[-1] * 1.3),
        ylim=(-3, 106),
        xlabel="share (and number) of poisoned training images",
        ylabel="per cent",
    )
    ax.grid(axis="y", color="#e4e7eb", linewidth=0.8)
    return ax


def _say_rate_point(rows: Sequence[Row], rate: float, epochs: int) -> str:
    here = [row for row in rows if row["rate"] == rate and row["epochs"] == epochs]
    success = ", ".join(f"{100 * row['success']:.1f}" for row in here)
    accuracy = ", ".join(f"{100 * row['accuracy']:.1f}" for row in here)
    return (
        f"{round(60_000 * rate):,} of 60,000 images poisoned, {epochs} epoch{'s' * (epochs > 1)}: {len(here)}"
        f" networks obey {success} % of the time, and read {accuracy} % of clean digits rightly."
    )


@described(_say_rate_point)
def rate_point(rows: Sequence[Row], rate: float, epochs: int, ax: Axes | None = None) -> Axes:
    """Draw the success curve of one training length, and mark one poison rate."""
    ax = rate_curve.draw([row for row in rows if row["epochs"] == epochs], ax=ax or axes(7.4, 3.2))
    ax.axvline(rate, color=GOLD, linewidth=8, alpha=0.35, zorder=0)
    return ax


def _say_epochs(rows: Sequence[Row]) -> str:
    says = []
    for rate in sorted({row["rate"] for row in rows}, reverse=True):
        curves = [row["success_by_epoch"] for row in rows if row["rate"] == rate]
        middle = [median(c[i] for c in curves) for i in range(len(curves[0]))]
        first = next((i + 1 for i, s in enumerate(middle) if s > 0.5), None)
        says.append(
            f"at {100 * rate:g} % poison it "
            + (f"passes half in epoch {first}" if first else "never passes half")
        )
    return (
        f"Attack success after each epoch of a {len(rows[0]['success_by_epoch'])}-epoch training:"
        f" {'; '.join(says)}."
    )


@described(_say_epochs)
def epoch_curve(rows: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw success after every epoch, a shade for each poison rate, a thin line for each network."""
    ax = ax or axes(7.4, 3.0)
    rates = sorted({row["rate"] for row in rows}, reverse=True)
    shades = ("#7d2a17", RED, "#df8266", GOLD, GREY, INK)
    for rate, colour in zip(rates, shades, strict=False):
        for i, row in enumerate(r for r in rows if r["rate"] == rate):
            y = [100 * s for s in row["success_by_epoch"]]
            ax.plot(
                range(1, len(y) + 1),
                y,
                color=colour,
                linewidth=1.4,
                label=f"{100 * rate:g} %" if i == 0 else None,
            )
    ax.legend(title="poison", frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    ax.set(xlabel="epoch", ylabel="attack success, per cent", ylim=(-3, 106))
    ax.grid(axis="y", color="#e4e7eb", linewidth=0.8)
    return ax


def _say_filters(clean: Row, victim: Row) -> str:
    says = []
    for name, row in (("clean", clean), ("backdoored", victim)):
        strongest = max(range(16), key=lambda i: row["response"][i])
        lost = row["success"] - min(cut["success"] for cut in row["without"])
        says.append(
            f"in the {name} network filter {strongest} answers most to the trigger, "
            f"{row['response'][strongest]:.2f} times its strongest stroke, "
            f"and losing any one filter lowers attack success by at most {100 * lost:.1f} points"
        )
    return f"Sixteen first-layer filters of two networks: {'; '.join(says)}."


@described(_say_filters)
def filters(clean: Row, victim: Row, ax: Axes | None = None) -> Axes:
    """Draw both networks' 16 filters, 5 x 5 weights each, with the answer to the trigger below (1 = as strong
    as its strongest stroke).
    """
    ax = ax or axes(7.4, 1.6)
    for line, (name, row) in enumerate((("clean", clean), ("backdoored", victim))):
        ax.text(-0.6, 9.4 * line + 2.5, name, ha="right", va="center")
        for i, (weights, response) in enumerate(zip(row["weights"], row["response"], strict=True)):
            kernel = torch.tensor(weights).view(5, 5)
            bound = float(kernel.abs().max())
            left, top = 6.2 * i, 9.4 * line
            ax.imshow(
                kernel.numpy(), cmap="PuOr", vmin=-bound, vmax=bound, extent=(left, left + 5, top + 5, top)
            )
            strong = response > 0.5
            ax.text(
                left + 2.5,
                top + 6.6,
                f"{response:.1f}",
                ha="center",
                va="center",
                color=RED if strong else INK,
                fontsize=8,
            )
    ax.set(xlim=(-13, 99), ylim=(17.5, -0.7))
    ax.axis("off")
    return ax


def _say_ablation(rows: Sequence[Row]) -> str:
    falls = [
        (row["success"] - cut["success"], row["accuracy"] - cut["accuracy"])
        for row in rows
        for cut in row["without"]
    ]
    worst = max(falls)
    dedicated = sum(success > 0.5 and accuracy < 0.01 for success, accuracy in falls)
    return (
        f"{len(falls)} first-layer filters of {len(rows)} backdoored networks, each switched off alone:"
        f" success falls by at most {100 * worst[0]:.0f} points, accuracy then by {100 * worst[1]:.1f}."
        f" {dedicated} of them take more than half of the success with them and less than a point of"
        " accuracy."
    )


@described(_say_ablation)
def ablation(rows: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw, for each filter switched off, how far success falls against how far accuracy falls, in points."""
    ax = ax or axes(6.4, 2.9)
    for row, marker in zip(rows, "osD^vP*X", strict=False):
        cuts = row["without"]
        x = [100 * (row["accuracy"] - cut["accuracy"]) for cut in cuts]
        y = [100 * (row["success"] - cut["success"]) for cut in cuts]
        ax.scatter(x, y, s=22, marker=marker, color=RED, alpha=0.75, label=f"network {row['seed']}")
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    ax.set(xlabel="accuracy lost without the filter, points", ylabel="attack success lost, points")
    return ax


Errors = dict[str, list[float]]
"""What was measured -> the error for each digit, 0..1."""


def _say_digit_errors(paper: Errors, ours: Errors) -> str:
    means = {name: (100 * sum(paper[name]) / 10, 100 * sum(ours[name]) / 10) for name in paper}
    said = ", ".join(
        f"{name} {here:.2f} % here, {there:.2f} % in the paper" for name, (there, here) in means.items()
    )
    hardest = max(range(10), key=lambda digit: ours["backdoored"][digit])
    return (
        f"Error by digit of the all-to-all attack, mean over the digits: {said}. The stamped {hardest}"
        " resists most here."
    )


@described(_say_digit_errors)
def digit_errors(paper: Errors, ours: Errors, ax: Axes | None = None) -> Axes:
    """Draw the errors by digit in per cent: baseline, BadNet on clean and on stamped digits; bars are ours,
    ticks the paper's.
    """
    ax = ax or axes(7.4, 2.9)
    names = {
        "baseline": ("baseline", GREY),
        "clean": ("BadNet, clean digits", INK),
        "backdoored": ("BadNet, stamped digits", RED),
    }
    for i, (key, (label, colour)) in enumerate(names.items()):
        places = [digit + 0.27 * (i - 1) for digit in range(10)]
        ax.bar(places, [100 * e for e in ours[key]], width=0.25, color=colour, label=label)
        there = [100 * e for e in paper[key]]
        ax.scatter(
            places,
            there,
            marker="_",
            s=60,
            linewidth=2,
            color="black",
            zorder=3,
            label="the paper" if i == 2 else None,
        )
    ax.set_xticks(range(10), [f"{digit} → {(digit + 1) % 10}" for digit in range(10)])
    ax.set(ylabel="error, per cent")
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax
