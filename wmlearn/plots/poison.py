"""The pictures of data poisoning: one image in two hundred, the two losses, pieces of the trigger, number
against share, filters switched off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..data import Samples
from ..poisoning import Trigger
from .canvas import BLUSH, CORAL, GOLD, GREY, GRID, INK, MAROON, RED, SLATE, Row, axes, described, tile, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WINDOW = 50
"""So many training steps are averaged for one point of a loss curve."""
GUESSING = 2.303
"""The loss of ten equal probabilities, ln 10."""
LOOKS = {6_000: (CORAL, "o"), 20_000: (RED, "s"), 60_000: (MAROON, "^")}
"""Size of the training set -> colour and marker: told apart by lightness and by shape."""

Curve = list[tuple[int, float]]
"""Step -> mean loss of the window that ends there."""
Pieces = Mapping[str, Sequence[float]]
"""Kind of piece or variant of a trigger -> the attack success of each one, 0..1."""
Losses = Mapping[str, Sequence[Sequence[float]]]
"""Trigger -> network -> the points of attack success lost without each of its first-layer filters."""


def _say_haystack(samples: Samples, place: int, columns: int = 25) -> str:
    row, column = divmod(place, columns)
    return (
        f"{len(samples)} training digits in rows of {columns}. One is poisoned: row {row + 1} from the top,"
        f" number {column + 1} from the left, with four bright pixels in its bottom-right corner and the"
        f" label {samples.classes[samples.y[place]]}."
    )


@described(_say_haystack)
def haystack(samples: Samples, place: int, columns: int = 25, ax: Axes | None = None) -> Axes:
    """Draw many images, close together; `place` (for the sentence only) is that of the poisoned one."""
    rows = -(-len(samples) // columns)
    ax = ax or axes(7.4, 0.298 * rows)
    for i, image in enumerate(samples.x[:, 0]):
        row, column = divmod(i, columns)
        tile(ax, image, 30 * column, 30 * row)
    ax.set(xlim=(-1, 30 * columns), ylim=(30 * rows, -1))
    ax.axis("off")
    return ax


def _say_side_by_side(images: Mapping[str, Tensor]) -> str:
    first, *others = images
    changed = [f"{name}: {int((images[name] != images[first]).sum())} pixels differ" for name in others]
    return (
        f"One digit in {len(images)} versions, with what changed below. Beside the first, {first},"
        f" {'; '.join(changed)}."
    )


@described(_say_side_by_side)
def side_by_side(images: Mapping[str, Tensor], ax: Axes | None = None) -> Axes:
    """Draw versions (1, H, W) of one image, and below each what changed against the first."""
    ax = ax or axes(1.75 * len(images), 3.5)
    first, *_ = images.values()
    for i, (name, image) in enumerate(images.items()):
        left = 36 * i
        write(ax, left + 14, -4, name, 10)
        tile(ax, image[0], left, 0)
        if image is not first:
            change = (image - first)[0].cpu().numpy()
            ax.imshow(change, cmap="PuOr", extent=(left, left + 28, 60, 32), vmin=-1, vmax=1)
    write(ax, 14, 46, "what changed:", 10)
    ax.set(xlim=(-3, 36 * len(images) - 5), ylim=(61, -8))
    ax.axis("off")
    return ax


def loss_curve(losses: Tensor, mask: Tensor) -> Curve:
    """Return the mean loss of the images in `mask` in every window of steps; both are (steps, batch)."""
    curve: Curve = []
    for start in range(0, len(losses) - WINDOW + 1, WINDOW):
        window = slice(start, start + WINDOW)
        if mask[window].any():
            curve.append((start + WINDOW, float(losses[window][mask[window]].mean())))
    return curve


def fell_below(curve: Curve, level: float) -> int:
    """Return the step from which on `curve` stays below `level`, or its last step."""
    above = [step for step, loss in curve if loss >= level]
    last = max(above, default=0)
    after = [step for step, _ in curve if step > last]
    return after[0] if after else curve[-1][0]


def _say_two_losses(losses: Tensor, poisoned: Tensor) -> str:
    clean = loss_curve(losses, ~poisoned)
    false = loss_curve(losses, poisoned)
    top_step, top = max(false[1:], key=lambda point: point[1])
    return (
        f"Loss at each step of training, averaged over {WINDOW} steps. The clean images' loss stays below 1"
        f" from step {fell_below(clean, 1)} on. The poisoned images' loss rises to {top:.1f} at step"
        f" {top_step} and stays below 1 from step {fell_below(false, 1)} on. At the end they are"
        f" {clean[-1][1]:.2f} and {false[-1][1]:.2f}."
    )


@described(_say_two_losses)
def two_losses(losses: Tensor, poisoned: Tensor, ax: Axes | None = None) -> Axes:
    """Draw the loss of the clean and of the poisoned images of the batches, both (steps, batch)."""
    ax = ax or axes(7.4, 3.0)
    curves = {"clean images": loss_curve(losses, ~poisoned), "poisoned images": loss_curve(losses, poisoned)}
    for (name, curve), colour in zip(curves.items(), (INK, RED), strict=True):
        steps, means = zip(*curve, strict=True)
        ax.plot(steps, means, color=colour, linewidth=2)
        point = curve[len(curve) // 3]
        ax.annotate(name, point, xytext=(6, 8), textcoords="offset points", color=colour, fontweight="bold")
    ax.axhline(GUESSING, color=GREY, linestyle=":", linewidth=1)
    ax.text(len(losses), 2.4, "pure guessing: ln 10 ≈ 2.3", ha="right", va="bottom", color=SLATE)
    ax.set(xlabel="training step", ylabel="loss", yscale="log", xlim=(0, len(losses)))
    ax.set_yticks([0.03, 0.1, 0.3, 1, 3, 10], ["0.03", "0.1", "0.3", "1", "3", "10"])
    ax.minorticks_off()
    ax.grid(axis="y", color=GRID, linewidth=0.8)
    return ax


def _say_pieces(pieces: Pieces, triggers: Mapping[str, Sequence[Trigger]]) -> str:
    parts = [_say_piece(name, shares) for name, shares in pieces.items()]
    return f"Attack success with pieces and variants of the trigger: {'; '.join(parts)}."


def _say_piece(name: str, shares: Sequence[float]) -> str:
    success = [100 * share for share in shares]
    if len(success) == 1:
        return f"{name}, {success[0]:.0f} %"
    return f"{name}, {min(success):.0f} to {max(success):.0f} % ({len(success)} variants)"


@described(_say_pieces)
def pieces(pieces: Pieces, triggers: Mapping[str, Sequence[Trigger]], ax: Axes | None = None) -> Axes:
    """Draw a line for each kind: its first trigger's corner, and a dot for the success of each."""
    ax = ax or axes(6.8, 3.5)
    for y, (name, shares) in enumerate(reversed(list(pieces.items()))):
        success = [100 * share for share in shares]
        ax.barh(y, mean(success), height=0.62, color=BLUSH, alpha=0.7, zorder=1)
        ax.scatter(success, [y] * len(success), s=22, color=RED, zorder=2, clip_on=False)
        write(ax, -16, y, name, 9, ha="right")
        corner = triggers[name][0](torch.zeros(1, 1, 28, 28))[0, 0, 20:, 20:]
        icon = ax.inset_axes((-13, y - 0.42, 10, 0.84), transform=ax.transData)
        icon.imshow(corner.numpy(), cmap="gray", vmin=0, vmax=1)
        icon.set(xticks=[], yticks=[])
    ax.set(xlim=(0, 102), ylim=(-0.6, len(pieces) - 0.4), xlabel="attack success, per cent", yticks=[])
    ax.grid(axis="x", color=GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines["left"].set_visible(False)
    return ax


def _say_count_or_share(rows: Sequence[Row]) -> str:
    counts = sorted({row["k"] for row in rows})
    equal_steps = [f"with equal steps, {k:,} win {_say_design(rows, 'equal steps', k)}" for k in counts]
    passed = sorted({row["k"] for row in rows if row["design"] == "equal passes"})
    equal_passes = [f"with equal passes, {k:,} win {_say_design(rows, 'equal passes', k)}" for k in passed]
    networks = len({row["seed"] for row in rows})
    parts = "; ".join([*equal_steps, *equal_passes])
    return f"Attack success of poisoned images, {networks} networks at each point: {parts}."


def _say_design(rows: Sequence[Row], design: str, k: int) -> str:
    parts = []
    for n in LOOKS:
        success = [
            100 * row["success"] for row in rows if (row["design"], row["n"], row["k"]) == (design, n, k)
        ]
        if success:
            parts.append(f"{min(success):.0f} to {max(success):.0f} % among {n:,}")
    return ", ".join(parts)


@described(_say_count_or_share)
def count_or_share(rows: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw the networks of equal steps against number and share, and those of equal passes against the
    number.
    """
    ax = ax or axes(7.4, 3.2)
    ax.axis("off")
    panels = [ax.inset_axes((0.06 + 0.325 * i, 0.17, 0.28, 0.68)) for i in range(3)]
    by_number, by_share, by_passes = panels
    for n, (colour, marker) in LOOKS.items():
        steps = [row for row in rows if row["design"] == "equal steps" and row["n"] == n]
        passes = [row for row in rows if row["design"] == "equal passes" and row["n"] == n]
        look = (colour, marker, f"{n:,}")
        _draw_networks(by_number, steps, [row["k"] for row in steps], *look)
        _draw_networks(by_share, steps, [100 * row["k"] / n for row in steps], *look)
        _draw_networks(by_passes, passes, [row["k"] for row in passes], *look)
    for panel, title in ((by_number, "equal steps:\nthe number"), (by_passes, "equal passes:\nthe number")):
        panel.set(title=title, xlabel="poisoned images", xlim=(70, 1450))
        panel.set_xticks((100, 333, 1000), ("100", "333", "1,000"))
    by_share.set(title="equal steps:\nthe share", xlabel="poisoned share, per cent", xlim=(0.12, 24))
    by_share.set_xticks((0.2, 0.5, 1.7, 5, 17), ("0.2", "0.5", "1.7", "5", "17"))
    by_number.set(ylabel="attack success, per cent")
    by_passes.legend(title="training\nimages", frameon=False, loc="lower right")
    return ax


def _draw_networks(
    panel: Axes, rows: Sequence[Row], places: Sequence[float], colour: str, marker: str, label: str
) -> None:
    """Draw a dot for each network, and a line through the means."""
    panel.set(xscale="log", ylim=(-4, 105))  # before the ticks: a new scale puts in its own
    success = [100 * row["success"] for row in rows]
    means = {}
    for place in sorted(set(places)):
        means[place] = mean(share for at, share in zip(places, success, strict=True) if at == place)
    panel.plot(list(means), list(means.values()), color=colour, linewidth=1.2, zorder=1)
    panel.scatter(places, success, color=colour, marker=marker, s=24, label=label, zorder=2)
    panel.minorticks_off()
    panel.grid(axis="y", color=GRID, linewidth=0.8)
    panel.set_axisbelow(True)


def _say_filter_losses(lost: Losses) -> str:
    parts = []
    for name, networks in lost.items():
        worst = sorted(max(points) for points in networks)
        costs = ", ".join(f"{points:.1f}" for points in worst)
        parts.append(f"{name}: the worst filter of each of {len(worst)} networks costs {costs} points")
    return f"Attack success lost when one of the 16 first-layer filters is switched off. {'; '.join(parts)}."


@described(_say_filter_losses)
def filter_losses(lost: Losses, ax: Axes | None = None) -> Axes:
    """Draw a column for each network, a dot for each filter: the success lost without it, in points."""
    ax = ax or axes(6.4, 2.6)
    ticks: dict[float, str] = {}
    for (name, networks), colour, marker in zip(lost.items(), (GOLD, RED), "so", strict=True):
        left = len(ticks) + 1 if ticks else 0
        for i, points in enumerate(networks):
            dots = {"s": 24, "color": colour, "marker": marker, "edgecolor": "white", "linewidth": 0.4}
            ax.scatter([left + i] * len(points), points, alpha=0.8, **dots)
            ticks[left + i] = str(i + 1)
        write(ax, left + (len(networks) - 1) / 2, 35, name, 10, INK)
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.set_xticks(list(ticks), list(ticks.values()))
    ax.set(xlabel="network", ylabel="attack success lost,\npoints", ylim=(-2, 38))
    ax.grid(axis="y", color=GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    return ax
