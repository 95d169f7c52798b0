"""The pictures of finding a backdoor: triggers that a scan recovers, how small they are, how sure answers
stay, and who finds what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from .canvas import GOLD, GREY, INK, RED, axes, described

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Frames = Mapping[int, Tensor]
"""Step of the search -> mask times pattern of every class by then, (K, 1, H, W) in [0, 1]."""
Table = Mapping[str, Mapping[str, tuple[float | None, str]]]
"""Attack -> detector -> how well it does, 0..1, and what is written there; None where there is nothing to
say.
"""


def _say_growth(frames: Frames, target: int, truth: Tensor) -> str:
    sizes = ", ".join(
        f"{frame[target].sum():.0f} bright pixels at step {step}" for step, frame in frames.items()
    )
    return (
        f"The trigger that the search paints to get class {target}: {sizes}; the true one has"
        f" {truth.count_nonzero()} bright pixels."
    )


@described(_say_growth)
def growth(frames: Frames, target: int, truth: Tensor, ax: Axes | None = None) -> Axes:
    """Draw what would be painted on every image to get class `target`, step by step, and the true trigger (1,
    H, W) last.
    """
    ax = ax or axes(7.4, 1.6)
    ax.axis("off")
    pictures = {f"step {step}": frame[target, 0] for step, frame in frames.items()} | {"the truth": truth[0]}
    for i, (title, picture) in enumerate(pictures.items()):
        panel = ax.inset_axes((i / len(pictures) + 0.005, 0, 0.99 / len(pictures) - 0.01, 0.86))
        panel.imshow(picture.tolist(), cmap="gray", vmin=0, vmax=1)
        panel.set(xticks=[], yticks=[])
        panel.set_title(title, color=RED if title == "the truth" else "#1f2933", fontsize=9)
    return ax


def _say_classes(frames: Frames, step: int) -> str:
    sizes = ", ".join(f"{label}: {picture.sum():.0f}" for label, picture in enumerate(frames[step]))
    return (
        f"What would be painted at step {step} to get each class, and how many pixels of bright paint that"
        f" is: {sizes}."
    )


@described(_say_classes)
def classes(frames: Frames, step: int, ax: Axes | None = None) -> Axes:
    """Draw what would be painted on every image at one step, a panel for each class."""
    ax = ax or axes(7.4, 1.3)
    ax.axis("off")
    for label, picture in enumerate(frames[step]):
        panel = ax.inset_axes((label / len(frames[step]), 0, 0.94 / len(frames[step]), 0.8))
        panel.imshow(picture[0].tolist(), cmap="gray", vmin=0, vmax=1)
        panel.set(xticks=[], yticks=[])
        panel.set_title(f"to {label}: {picture.sum():.0f}", fontsize=8)
    return ax


def _say_norms(found: Mapping[str, Tensor]) -> str:
    says = []
    for name, norm in found.items():
        least = int(norm.argmin())
        says.append(
            f"in the {name} class {least} needs least, {norm[least]:.1f}, against a median of"
            f" {norm.quantile(0.5):.1f}"
        )
    return f"Pixels of paint that the search needs to send every digit to one class: {'; '.join(says)}."


@described(_say_norms)
def norms(found: Mapping[str, Tensor], ax: Axes | None = None) -> Axes:
    """Draw a panel for each network: a bar for each class, how much paint sends all images there; the median
    dashed.
    """
    ax = ax or axes(7.4, 2.6)
    ax.axis("off")
    top = 1.08 * max(float(norm.max()) for norm in found.values())
    for i, (name, norm) in enumerate(found.items()):
        panel = ax.inset_axes((0.07 + 0.5 * i, 0.17, 0.42, 0.7))
        least = int(norm.argmin())
        panel.bar(
            range(len(norm)),
            norm.tolist(),
            color=[RED if label == least else INK for label in range(len(norm))],
        )
        panel.axhline(float(norm.quantile(0.5)), color=GREY, linestyle="--", linewidth=1)
        panel.set(title=name, xlabel="class", ylim=(0, top), xticks=range(len(norm)))
        if i == 0:
            panel.set_ylabel("pixels of paint")
    return ax


def _say_entropies(bits_of: Mapping[str, Tensor], threshold: float) -> str:
    below = {
        name: f"{bits.mean():.2f} bits on average, {(bits < threshold).float().mean():.1%} below"
        for name, bits in bits_of.items()
    }
    says = "; ".join(f"{name} {word}" for name, word in below.items())
    return f"Entropy of the answers under laid-over digits, with the line at {threshold:.2f} bits: {says}."


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
    says = [
        f"{attack}: " + ", ".join(f"{name} {word}" for name, (_, word) in row.items() if word)
        for attack, row in table.items()
    ]
    return f"Who finds what: {'; '.join(says)}."


@described(_say_finders)
def finders(table: Table, ax: Axes | None = None) -> Axes:
    """Draw the table attack x detector, a cell the darker the more is found, with the numbers in it."""
    from matplotlib.patches import Rectangle

    detectors: Sequence[str] = list(next(iter(table.values())))
    ax = ax or axes(7.4, 0.42 * len(table) + 0.5)
    for i, row in enumerate(table.values()):
        for j, name in enumerate(detectors):
            value, word = row[name]
            part = 0.0 if value is None else 0.85 * value
            ax.add_patch(Rectangle((j, i), 1, 1, facecolor=INK, alpha=part, edgecolor="none"))
            ax.text(
                j + 0.5,
                i + 0.5,
                word,
                ha="center",
                va="center",
                fontsize=8,
                color="white" if part > 0.5 else "#1f2933",
            )
    ax.set(xlim=(0, len(detectors)), ylim=(len(table), 0))
    ax.set_xticks([j + 0.5 for j in range(len(detectors))], detectors, fontsize=8)
    ax.set_yticks([i + 0.5 for i in range(len(table))], list(table), fontsize=8)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax
