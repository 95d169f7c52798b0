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
    small: str = ""  # below, in smaller letters


@dataclass(frozen=True, eq=False)
class Cloud:
    """What a network makes of N images of one class, in two dimensions, and who is who among them."""

    points: Tensor  # (N, 2)
    poisoned: Tensor  # (N,) bool
    part: Tensor  # (N,) bool, the smaller of the two clusters


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


def _say_clouds(clouds: Mapping[str, Cloud]) -> str:
    parts = []
    for name, cloud in clouds.items():
        n = len(cloud.points)
        hit = int((cloud.poisoned & cloud.part).sum())
        parts.append(
            f"{name}: of {n:,} images that are called 0, {int(cloud.poisoned.sum()):,} are poisoned; the"
            f" smaller part holds {int(cloud.part.sum()):,}, of which {hit:,} are poisoned"
        )
    return f"What the network makes of the images called 0, in two dimensions. {'; '.join(parts)}."


@described(_say_clouds)
def clouds(clouds: Mapping[str, Cloud], ax: Axes | None = None) -> Axes:
    """Draw a panel for each network: a dot for each image, by its poison, and the border between the two
    clusters, dashed.
    """
    ax = ax or axes(7.4, 3.0)
    ax.axis("off")
    width = 1 / len(clouds)
    for i, (name, cloud) in enumerate(clouds.items()):
        panel = ax.inset_axes((width * i + 0.06, 0.15, width - 0.09, 0.73))
        for rows, colour, label in ((~cloud.poisoned, INK, "clean"), (cloud.poisoned, RED, "poisoned")):
            x, y = cloud.points[rows].T.tolist()
            panel.scatter(x, y, s=3, color=colour, alpha=0.35, linewidths=0, label=label)
        _border(panel, cloud)
        panel.set_title(name, fontsize=9)
        panel.set_xlabel("first principal component")
        if i == 0:
            panel.set_ylabel("second")
            panel.legend(frameon=False, markerscale=4)
    return ax


def _border(panel: Axes, cloud: Cloud) -> None:
    """Draw where a point is as far from one centre as from the other."""
    centre = cloud.points[cloud.part].mean(0)
    other = cloud.points[~cloud.part].mean(0)
    middle = (centre + other) / 2
    along = (centre - other).flip(0) * middle.new_tensor([-1.0, 1.0])  # at a right angle to what joins them
    panel.set(xlim=panel.get_xlim(), ylim=panel.get_ylim())  # as the dots need it: the line has no end
    panel.axline(tuple(middle.tolist()), tuple((middle + along).tolist()), color=GREY, linestyle="--")


def _say_channels(clean: Tensor, triggered: Tensor) -> str:
    rise = triggered - clean
    first, second = rise.topk(2).indices.tolist()
    quieter = int((clean < clean[[first, second]].min()).sum())
    return (
        f"Mean answer of {len(clean)} channels to clean digits, and to digits with the pattern. Two rise"
        f" most: from {clean[first]:.2f} to {triggered[first]:.2f}, and from {clean[second]:.2f} to"
        f" {triggered[second]:.2f}. {quieter} channels answer clean digits more quietly than either."
    )


@described(_say_channels)
def channels(clean: Tensor, triggered: Tensor, ax: Axes | None = None) -> Axes:
    """Draw a dot for each channel: its mean answer to clean images (C,) and to triggered ones (C,); the two
    that rise most in red.
    """
    ax = ax or axes(4.2, 3.0)
    loud = set((triggered - clean).topk(2).indices.tolist())
    colours = [RED if i in loud else INK for i in range(len(clean))]
    top = 1.05 * float(triggered.max())
    ax.plot((0, top), (0, top), color=GREY, linestyle="--", linewidth=1)
    ax.scatter(clean.tolist(), triggered.tolist(), s=22, color=colours)
    ax.set(xlabel="mean answer to clean digits", ylabel="with the pattern", xlim=(0, top), ylim=(0, top))
    return ax


def _say_slopes(awake: Tensor, slopes: Mapping[str, Tensor]) -> str:
    asleep = awake < ASLEEP
    parts = [f"{name}: {slope.mean():.1e} on average" for name, slope in slopes.items()]
    first = next(iter(slopes))
    return (
        f"Gradient of the loss at each of {len(awake)} hidden units, by {', '.join(parts)}."
        f" {int(asleep.sum())} units sleep; by {first} their largest gradient is"
        f" {slopes[first][asleep].max():.0e}."
    )


ASLEEP = 0.01
"""Units whose mean answer is less are said to sleep."""


@described(_say_slopes)
def slopes(awake: Tensor, slopes: Mapping[str, Tensor], ax: Axes | None = None) -> Axes:
    """Draw a dot for each unit: its mean answer to clean images (U,), and the length of the gradient at its
    weights (U,), for each kind of images.
    """
    ax = ax or axes(6.2, 3.0)
    least = 1e-7
    for (name, slope), colour in zip(slopes.items(), (INK, RED), strict=False):
        ax.scatter(
            awake.clamp_min(1e-4).tolist(), slope.clamp_min(least).tolist(), s=7, color=colour, label=name
        )
    ax.axvline(ASLEEP, color=GREY, linestyle="--", linewidth=1)
    ax.set(xscale="log", yscale="log", xlabel="mean answer of the unit to clean digits", ylabel="gradient")
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5), markerscale=2)
    return ax


def _say_finders(table: Table) -> str:
    rows = []
    for attack, findings in table.items():
        cells = ", ".join(_say_finding(name, finding) for name, finding in findings.items() if finding.words)
        rows.append(f"{attack}: {cells}")
    return f"Who finds what: {'; '.join(rows)}."


def _say_finding(name: str, finding: Finding) -> str:
    return f"{name} {finding.words}" + (f" ({finding.small})" if finding.small else "")


@described(_say_finders)
def finders(table: Table, ax: Axes | None = None) -> Axes:
    """Draw the table attack x detector, a cell the darker the more is found, with the numbers in it."""
    from matplotlib.patches import Rectangle

    detectors = list(next(iter(table.values())))
    ax = ax or axes(7.4, 0.44 * len(table) + 0.7)
    for row, findings in enumerate(table.values()):
        for column, name in enumerate(detectors):
            finding = findings[name]
            shade = 0.85 * (finding.share or 0.0)
            colour = "white" if shade > 0.5 else DARK
            ax.add_patch(Rectangle((column, row), 1, 1, facecolor=INK, alpha=shade, edgecolor="none"))
            write(ax, column + 0.5, row + (0.33 if finding.small else 0.5), finding.words, 8, colour)
            write(ax, column + 0.5, row + 0.73, finding.small, 6, colour)
    ax.set(xlim=(0, len(detectors)), ylim=(len(table), 0))
    titles = [fill(name, 15) for name in detectors]
    ax.set_xticks([column + 0.5 for column in range(len(detectors))], titles, fontsize=8)
    ax.set_yticks([row + 0.5 for row in range(len(table))], list(table), fontsize=8)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax
