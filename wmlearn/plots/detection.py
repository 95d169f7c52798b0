"""The pictures of finding a backdoor: recovered triggers, how small they are, and who finds what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

from torch import Tensor

from .canvas import DARK, GOLD, GREY, INK, RED, axes, described, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Frames = Mapping[int, Tensor]
"""Step of the search -> mask times pattern of every class by then, (K, 1, H, W) in [0, 1]."""


@dataclass(frozen=True)
class Finding:
    """What is written of a detector on an attack, and its share found, 0..1; None where there is none."""

    share: float | None
    words: str


Table = Mapping[str, Mapping[str, Finding]]
"""Attack -> detector -> what it finds."""


def _say_growth(frames: Frames, target: int, truth: Tensor) -> str:
    sizes = [f"{frame[target].sum():.0f} bright pixels at step {step}" for step, frame in frames.items()]
    return (
        f"The trigger that the search paints to get class {target}: {', '.join(sizes)};"
        f" the true one has {truth.count_nonzero()} bright pixels."
    )


@described(_say_growth)
def growth(frames: Frames, target: int, truth: Tensor, ax: Axes | None = None) -> Axes:
    """Draw what would be painted to get class `target`, step by step, and the true trigger (1, H, W) last."""
    ax = ax or axes(7.4, 1.6)
    ax.axis("off")
    pictures = {f"step {step}": frame[target, 0] for step, frame in frames.items()} | {"the truth": truth[0]}
    width = 1 / len(pictures)
    for i, (title, picture) in enumerate(pictures.items()):
        panel = ax.inset_axes((width * i + 0.005, 0, 0.99 * width - 0.01, 0.86))
        panel.imshow(picture.tolist(), cmap="gray", vmin=0, vmax=1)
        panel.set(xticks=[], yticks=[])
        panel.set_title(title, color=RED if title == "the truth" else DARK, fontsize=9)
    return ax


def _say_classes(frames: Frames, step: int) -> str:
    sizes = ", ".join(f"{label}: {picture.sum():.0f}" for label, picture in enumerate(frames[step]))
    return (
        f"What would be painted at step {step} to get each class,"
        f" and how many pixels of bright paint that is: {sizes}."
    )


@described(_say_classes)
def classes(frames: Frames, step: int, ax: Axes | None = None) -> Axes:
    """Draw what would be painted on every image at one step, a panel for each class."""
    ax = ax or axes(7.4, 1.3)
    ax.axis("off")
    pictures = frames[step]
    for label, picture in enumerate(pictures):
        panel = ax.inset_axes((label / len(pictures), 0, 0.94 / len(pictures), 0.8))
        panel.imshow(picture[0].tolist(), cmap="gray", vmin=0, vmax=1)
        panel.set(xticks=[], yticks=[])
        panel.set_title(f"to {label}: {picture.sum():.0f}", fontsize=8)
    return ax


def _say_norms(norms: Mapping[str, Tensor]) -> str:
    parts = []
    for name, norm in norms.items():
        least = int(norm.argmin())
        median = norm.quantile(0.5)
        parts.append(
            f"in the {name} class {least} needs least, {norm[least]:.1f}, against a median of {median:.1f}"
        )
    return f"Pixels of paint that the search needs to send every digit to one class: {'; '.join(parts)}."


@described(_say_norms)
def norms(norms: Mapping[str, Tensor], ax: Axes | None = None) -> Axes:
    """Draw a panel for each network, a bar for each class: how much paint sends all images there.

    The median is dashed.
    """
    ax = ax or axes(7.4, 2.6)
    ax.axis("off")
    top = 1.08 * max(float(norm.max()) for norm in norms.values())
    for i, (name, norm) in enumerate(norms.items()):
        panel = ax.inset_axes((0.07 + 0.5 * i, 0.17, 0.42, 0.7))
        colours = [INK] * len(norm)
        colours[int(norm.argmin())] = RED
        panel.bar(range(len(norm)), norm.tolist(), color=colours)
        panel.axhline(float(norm.quantile(0.5)), color=GREY, linestyle="--", linewidth=1)
        panel.set(title=name, xlabel="class", ylim=(0, top), xticks=range(len(norm)))
        if i == 0:
            panel.set_ylabel("pixels of paint")
    return ax


def _say_entropies(bits_of: Mapping[str, Tensor], threshold: float) -> str:
    parts = []
    for name, bits in bits_of.items():
        below = (bits < threshold).float().mean()
        parts.append(f"{name} {bits.mean():.2f} bits on average, {below:.1%} below")
    rows = "; ".join(parts)
    return f"Entropy of the answers under laid-over digits, with the line at {threshold:.2f} bits: {rows}."


@described(_say_entropies)
def entropies(bits_of: Mapping[str, Tensor], threshold: float, ax: Axes | None = None) -> Axes:
    """Draw a histogram of entropies (N,) in bits for each kind of query, and the threshold as a line."""
    ax = ax or axes(6.2, 2.6)
    top = 1.02 * max(float(bits.max()) for bits in bits_of.values())
    edges = [top * i / 40 for i in range(41)]
    for (name, bits), colour in zip(bits_of.items(), (INK, RED, GOLD), strict=False):
        ax.hist(bits.tolist(), edges, color=colour, alpha=0.65, label=name)
    ax.axvline(threshold, color=GREY, linestyle="--", linewidth=1.2)
    ax.set(xlabel="mean entropy of the answers, bits", ylabel="queries")
    ax.legend(frameon=False)
    return ax


def _say_finders(table: Table) -> str:
    rows = []
    for attack, findings in table.items():
        cells = ", ".join(f"{name} {finding.words}" for name, finding in findings.items() if finding.words)
        rows.append(f"{attack}: {cells}")
    return f"Who finds what: {'; '.join(rows)}."


@described(_say_finders)
def finders(table: Table, ax: Axes | None = None) -> Axes:
    """Draw the table attack x detector, a cell the darker the more is found, with the numbers in it."""
    from matplotlib.patches import Rectangle

    detectors = list(next(iter(table.values())))
    ax = ax or axes(7.4, 0.42 * len(table) + 0.7)
    for row, findings in enumerate(table.values()):
        for column, name in enumerate(detectors):
            finding = findings[name]
            shade = 0.85 * (finding.share or 0.0)
            ax.add_patch(Rectangle((column, row), 1, 1, facecolor=INK, alpha=shade, edgecolor="none"))
            write(ax, column + 0.5, row + 0.5, finding.words, 8, "white" if shade > 0.5 else DARK)
    ax.set(xlim=(0, len(detectors)), ylim=(len(table), 0))
    titles = [fill(name, 15) for name in detectors]
    ax.set_xticks([column + 0.5 for column in range(len(detectors))], titles, fontsize=8)
    ax.set_yticks([row + 0.5 for row in range(len(table))], list(table), fontsize=8)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax
