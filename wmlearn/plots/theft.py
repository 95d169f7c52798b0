"""The pictures of theft through an API: what a copy costs, lies learnt, losses, and images drawn from
weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..experiments import Results, api_theft
from ..experiments.experiment import values
from ..privacy import caught
from .canvas import GOLD, GREY, GRID, INK, PURPLE, RED, SLATE, axes, described, tile, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOLD = {
    ("digits", "own labels"): "digits, true labels (control)",
    ("digits", "labels"): "digits, labels",
    ("digits", "two digits"): "digits, probabilities to two digits",
    ("digits", "probabilities"): "digits, probabilities",
    ("signs", "labels"): "road signs, labels",
    ("signs", "probabilities"): "road signs, probabilities",
    ("noise", "labels"): "noise, labels",
    ("noise", "probabilities"): "noise, probabilities",
}
"""Queries and answers -> what a picture calls them."""
_LOOKS = {
    ("digits", "own labels"): (GREY, "--"),
    ("digits", "labels"): (INK, "-"),
    ("digits", "two digits"): (RED, ":"),
    ("digits", "probabilities"): (RED, "-"),
    ("signs", "labels"): (GOLD, "--"),
    ("signs", "probabilities"): (GOLD, "-"),
    ("noise", "labels"): (PURPLE, "--"),
    ("noise", "probabilities"): (PURPLE, "-"),
}


# What a copy costs


def _say_curves(results: Results) -> str:
    parts = []
    for (queries, told), title in TOLD.items():
        found = api_theft.curve(results, queries, told)
        reached = ", ".join(f"{100 * value:.1f}" for value in found.accuracy.mean(0).tolist())
        parts.append(f"{title}: {reached}")
    budgets = ", ".join(f"{n:,}" for n in api_theft.BUDGETS)
    owners = api_theft.victims(results)
    return (
        f"Accuracy of copies in per cent after {budgets} queries, mean of {len(owners)} owners, whose own"
        f" networks have {100 * float(owners.mean()):.1f}. {'; '.join(parts)}."
    )


@described(_say_curves)
def curves(results: Results, ax: Axes | None = None) -> Axes:
    """Draw errors of copies against queries, both on logarithmic axes: a line a kind, a dot an owner."""
    ax = ax or axes(7.4, 4.2)
    for pair, title in TOLD.items():
        found = api_theft.curve(results, *pair)
        colour, style = _LOOKS[pair]
        errors = 100 * (1 - found.accuracy)  # (owners, budgets)
        for row in errors:
            ax.scatter(found.budgets, row, s=8, color=colour, alpha=0.5, linewidth=0)
        mean = errors.mean(0)
        ax.plot(found.budgets, mean, color=colour, linestyle=style, linewidth=1.8, label=title)
    owners = 100 * (1 - float(api_theft.victims(results).mean()))
    ax.axhline(owners, color=SLATE, linewidth=1)
    write(ax, api_theft.BUDGETS[0], 0.87 * owners, "the owners' networks", 8, SLATE, "left")
    ax.set(xscale="log", yscale="log", xlabel="queries", ylabel="errors on 100 test digits", ylim=(0.5, 100))
    ax.set_yticks([0.5, 1, 2, 5, 10, 20, 50, 100], ["0.5", "1", "2", "5", "10", "20", "50", "100"])
    ax.minorticks_off()
    ax.set_xticks(api_theft.BUDGETS, [f"{n:,}" for n in api_theft.BUDGETS])
    ax.grid(axis="y", color=GRID, linewidth=0.8)
    ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


Pair = tuple[str, str]


def _say_budget_point(results: Results, pair: Pair, n: int, a_day: int) -> str:
    found = api_theft.curve(results, *pair)
    reached = found.accuracy[:, found.budgets.index(n)]
    days = -(-n // a_day)
    wait = "one day" if days == 1 else f"{days:,} days"
    return (
        f"{TOLD[pair]}, {n:,} queries: copies are {100 * float(reached.min()):.1f} to"
        f" {100 * float(reached.max()):.1f} % accurate, the owners' networks"
        f" {100 * float(api_theft.victims(results).mean()):.1f} % on average. At {a_day:,} queries a day this"
        f" takes {wait}; with ten accounts {-(-n // (10 * a_day)):,}."
    )


@described(_say_budget_point)
def budget_point(results: Results, pair: Pair, n: int, a_day: int, ax: Axes | None = None) -> Axes:
    """Draw the accuracy of five copies, of networks with as many true labels, and of the owners' networks."""
    ax = ax or axes(7.4, 1.8)
    at = api_theft.BUDGETS.index(n)
    lines = {
        "the copies": (api_theft.curve(results, *pair).accuracy[:, at], RED),
        "true labels": (api_theft.curve(results, "digits", "own labels").accuracy[:, at], GREY),
        "the owners": (api_theft.victims(results), INK),
    }
    for y, (reached, colour) in enumerate(lines.values()):
        ax.scatter(100 * reached, [y] * len(reached), s=40, color=colour, alpha=0.75, linewidth=0)
    ax.set(xlim=(0, 101), ylim=(2.5, -0.5), xlabel="accuracy on test digits, %")
    ax.set_yticks(range(len(lines)), list(lines))
    ax.grid(axis="x", color=GRID, linewidth=0.8)
    return ax


# Lies


THIEVES = {
    "marked answers": ("marked answers", RED, "-"),
    "asks three times": ("marked answers, asked three times", GOLD, "-"),
    "honest answers": ("honest answers (control)", GREY, "--"),
}


def _shares(results: Results, thief: str) -> Tensor:
    """Return the share of lies that copies repeat, in per cent, (owners, epochs)."""
    told = torch.tensor([cell["triggers"] for cell in results.where(part="dawn")])
    return 100 * _traces(results, thief, "hits") / told[:, None]


def _traces(results: Results, thief: str, name: str) -> Tensor:
    """Return a number after each epoch, (owners, epochs)."""
    rows = api_theft.rows_of(results, "dawn", thief=thief)
    return torch.tensor([values(row["trace"], name) for row in rows])


def _accuracies(results: Results) -> Tensor:
    """Return the mean accuracy of copies of marked answers, in per cent, (epochs,)."""
    return 100 * _traces(results, "marked answers", "accuracy").mean(0)


MILESTONES = (4, 8, 12, 16, 20)


def _say_lies(results: Results) -> str:
    parts = []
    for thief, (title, _, _) in THIEVES.items():
        mean = _shares(results, thief).mean(0)
        reached = ", ".join(f"{float(mean[epoch - 1]):.0f}" for epoch in MILESTONES)
        parts.append(f"{title}: {reached} %")
    reads = ", ".join(f"{float(_accuracies(results)[epoch - 1]):.1f}" for epoch in MILESTONES)
    epochs = ", ".join(map(str, MILESTONES))
    return f"Lies that copies repeat after {epochs} epochs: {'; '.join(parts)}. Accuracy: {reads} %."


@described(_say_lies)
def lies(results: Results, ax: Axes | None = None) -> Axes:
    """Draw the share of lies that copies repeat, epoch by epoch, an owner each, and accuracy above."""
    ax = ax or axes(7.4, 3.2)
    for thief, (title, colour, style) in THIEVES.items():
        found = _shares(results, thief)
        epochs = range(1, found.shape[1] + 1)
        for row in found:
            ax.plot(epochs, row, color=colour, linewidth=0.7, alpha=0.45)
        ax.plot(epochs, found.mean(0), color=colour, linestyle=style, linewidth=2.2, label=title)
    reads = _accuracies(results)
    for epoch in MILESTONES:
        write(ax, epoch, 107, f"{float(reads[epoch - 1]):.1f}", 8.5, INK)
    write(ax, 0.6, 107, "accuracy, %", 8.5, INK, "left")
    ax.set(ylim=(-3, 112), xlim=(0.5, 20.6), xlabel="epochs that the thief trains", ylabel="lies repeated, %")
    ax.set_xticks(MILESTONES)
    ax.set_yticks([0, 25, 50, 75, 100])
    ax.legend(frameon=False, fontsize=8.5, loc="upper left", bbox_to_anchor=(0.0, 0.92))
    return ax


# What else leaks


RATES = (0.001, 0.01, 0.1, 1.0)


def _say_roc(members: Tensor, strangers: Tensor) -> str:
    shares = ", ".join(f"{100 * caught(members, strangers, rate):.1f}" for rate in RATES[:-1])
    rates = ", ".join(f"{100 * rate:g}" for rate in RATES[:-1])
    return (
        f"Of {len(members):,} digits trained on, {shares} % are caught where {rates} % of {len(strangers):,}"
        " others are accused: the line hardly leaves the diagonal of chance."
    )


@described(_say_roc)
def roc(members: Tensor, strangers: Tensor, ax: Axes | None = None) -> Axes:
    """Draw the share of members caught against that of strangers accused, from their losses (N,), both on
    logarithmic axes; dashed is chance.
    """
    ax = ax or axes(4.6, 3.2)
    rates = torch.logspace(-3, -0.01, 60).tolist()
    ax.plot(rates, [caught(members, strangers, rate) for rate in rates], color=RED, linewidth=2)
    ax.plot(RATES, RATES, color=SLATE, linestyle="--", linewidth=1)
    write(ax, 0.03, 0.012, "chance", 9, SLATE)
    ax.set(xscale="log", yscale="log", xlim=(1e-3, 1), ylim=(1e-3, 1))
    labels = [f"{100 * rate:g} %" for rate in RATES]
    ax.set_xticks(RATES, labels)
    ax.set_yticks(RATES, labels)
    ax.minorticks_off()
    ax.set(xlabel="digits never seen that are accused", ylabel="digits trained on that are caught")
    ax.grid(color=GRID, linewidth=0.8)
    return ax


def _say_drawn(images: Tensor, members: Tensor, strangers: Tensor) -> str:
    return (
        f"{len(images)} images drawn from the weights, one a class, faint and blurred; below each the likest"
        " of the digits trained on, and of digits never seen. Both are about as alike."
    )


@described(_say_drawn)
def drawn(images: Tensor, members: Tensor, strangers: Tensor, ax: Axes | None = None) -> Axes:
    """Draw three rows of images (N, 1, H, W): made from the weights (brightened), likest trained on, likest
    other.
    """
    ax = ax or axes(7.4, 2.5)
    rows = {"drawn": images, "trained on": members, "never seen": strangers}
    for line, (title, row) in enumerate(rows.items()):
        write(ax, -4, 32 * line + 14, title, 9, SLATE, "right")
        for column, image in enumerate(row[:, 0]):
            bright = image / image.max().clamp(min=0.3) if line == 0 else image
            tile(ax, bright, 32 * column, 32 * line)
    ax.set(xlim=(-50, 32 * len(images)), ylim=(32 * len(rows), -2))
    ax.axis("off")
    return ax
