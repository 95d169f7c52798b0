"""The pictures of notebook 04: street scenes with what a detector reads in them, and the attack by the width of the sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from .data.signs.street import Street
from .detector import Detections
from .plots import GOLD, GREY, INK, RED, Row, axes, described

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"stop": "#ff5a4d", "speed limit": "#ffffff", "warning": "#ffd23f"}
SURE = 0.5  # boxes under this score are not drawn
GAP = 6  # pixels between scenes

Seen = Mapping[str, tuple[Tensor, Detections]]
"""What a row shows -> its scenes (N, 3, H, W), and what was found in them."""


def _say_scenes(seen: Seen, classes: Sequence[str]) -> str:
    rows = []
    for name, (x, found) in seen.items():
        labels = found.labels[found.scores >= SURE]
        counts = [(int((labels == i).sum()), kind) for i, kind in enumerate(classes)]
        rows.append(f"{name}: {len(x)} scenes, read as " + ", ".join(f"{n} {kind}" for n, kind in counts))
    return f"Street scenes with a detector's boxes. {'; '.join(rows)}."


@described(_say_scenes)
def scenes(seen: Seen, classes: Sequence[str], ax: Axes | None = None) -> Axes:
    """Draw rows of scenes, each with a box and a word for every sign that the detector is sure of; N scenes a row."""
    n, size = len(next(iter(seen.values()))[0]), next(iter(seen.values()))[0].shape[-1]
    ax = ax or axes(7.4, 7.4 / n * len(seen) + 0.22 * len(seen))
    step, tall = size + GAP, size + 20
    for line, (name, (x, found)) in enumerate(seen.items()):
        top = line * tall
        ax.text(0, top - 4, name, ha="left", va="bottom", fontsize=9)
        for i, picture in enumerate(x):
            left = i * step
            shown = brightened(picture).permute(1, 2, 0).cpu().numpy()
            ax.imshow(shown, extent=(left, left + size, top + size, top), interpolation="bilinear")
            for k in ((found.scene == i) & (found.scores >= SURE)).nonzero().flatten().tolist():
                _box(ax, found.boxes[k].tolist(), classes[int(found.labels[k])], left, top, size)
    ax.set(xlim=(-1, n * step), ylim=(len(seen) * tall - 16, -16))
    ax.axis("off")
    return ax


def brightened(picture: Tensor) -> Tensor:
    """Lift a dark scene for the eye; the detector sees it as it is."""
    return (picture * (0.9 / picture.quantile(0.98).clamp(0.2, 0.9))).clamp(0, 1)


def _box(ax: Axes, box: Sequence[float], kind: str, left: float, top: float, size: int) -> None:
    from matplotlib.patches import Rectangle

    x0, y0, x1, y1 = box
    colour = COLOURS.get(kind, "#ffffff")
    ax.add_patch(Rectangle((left + x0, top + y0), x1 - x0, y1 - y0, fill=False, edgecolor=colour, linewidth=1.6))
    above = y0 > 14
    label = {"size": 7, "color": "black", "bbox": {"facecolor": colour, "edgecolor": "none", "pad": 1.0}}
    x = min(max(x0, 1), size - 30)
    ax.text(left + x, top + (y0 - 2 if above else y1 + 2), kind, ha="left", va="bottom" if above else "top", clip_on=True, **label)


def _moved(street: Street, shift: Tensor) -> tuple[int, Tensor, list[float]]:
    """Return the widest sign of `street`, its box moved by each shift (K, 4), and how much of the union each shares with it."""
    from torchvision.ops import box_iou

    widest = int(street.widths.argmax())
    boxes = street.boxes[widest] + shift.repeat(1, 2)
    return widest, boxes, box_iou(street.boxes[widest : widest + 1], boxes)[0].tolist()


def _say_boxes(street: Street, shift: Tensor) -> str:
    _, _, shares = _moved(street, shift)
    said = "; ".join(f"({x}, {y}) pixels: IoU {share:.2f}" for (x, y), share in zip(shift.tolist(), shares, strict=True))
    return f"A street sign and its true box, with that box moved right and down by {said}."


@described(_say_boxes)
def moved_boxes(street: Street, shift: Tensor, ax: Axes | None = None) -> Axes:
    """Draw the widest sign of `street` once for every shift (K, 2) in pixels: its true box, and that box moved."""
    from matplotlib.patches import Rectangle

    ax = ax or axes(1.75 * len(shift), 1.95)
    widest, moved, shares = _moved(street, shift)
    picture, (x0, y0, x1, y1) = brightened(street.x[street.scene[widest]]), street.boxes[widest].tolist()
    half, size = 0.9 * max(x1 - x0, y1 - y0), street.x.shape[-1]
    for i, box in enumerate(moved.tolist()):
        start = i * 2.15 * half
        left, up = start + half - (x0 + x1) / 2, half - (y0 + y1) / 2
        tile = ax.imshow(picture.permute(1, 2, 0).numpy(), extent=(left, left + size, up + size, up), interpolation="nearest")
        window = Rectangle((start, 0), 2 * half, 2 * half, transform=ax.transData)
        tile.set_clip_path(window)
        for (a, b), colour, style in (((x0, y0), "white", "-"), (box[:2], GOLD, "--")):
            frame = Rectangle((a + left, b + up), x1 - x0, y1 - y0, fill=False, edgecolor=colour, linestyle=style, linewidth=2)
            ax.add_patch(frame)
            frame.set_clip_path(window)
        ax.text(start + half, 2.2 * half, f"IoU {shares[i]:.2f}", ha="center", va="center", fontsize=9)
    ax.set(xlim=(0, (len(shift) - 1) * 2.15 * half + 2 * half), ylim=(2.35 * half, 0))
    ax.axis("off")
    return ax


Bins = dict[tuple[int, int], tuple[int, int]]
"""(from, to) pixels -> signs, and how many of them were misread."""


def _pooled(rows: Sequence[Row], sticker: str) -> Bins:
    bins: Bins = {}
    for row in rows:
        for low, high, n, hits in row["misread"][sticker]["by_width"]:
            had, fooled = bins.get((low, high), (0, 0))
            bins[low, high] = had + n, fooled + hits
    return {edges: counts for edges, counts in bins.items() if counts[0] >= 10}


def _curves(rows: Sequence[Row]) -> dict[str, Bins]:
    stickers = [name for name in rows[0]["misread"] if any(row["network"] == name for row in rows)]
    curves = {name: _pooled([row for row in rows if row["network"] == name], name) for name in stickers}
    return curves | {"clean network": _pooled([row for row in rows if row["network"] == "baseline"], stickers[0])}


def _say_width(rows: Sequence[Row]) -> str:
    says = []
    for name, bins in _curves(rows).items():
        shares = [100 * hits / n for n, hits in bins.values()]
        says.append(f"{name} {shares[0]:.0f} % in the narrowest bin, {shares[-1]:.0f} % in the widest")
    first, last = min(_curves(rows)["clean network"]), max(_curves(rows)["clean network"])
    span = f"from {first[0]} to {last[1]} pixels"
    return f"Stop signs with the sticker read as speed limits, by the width of the sign {span}: {'; '.join(says)}."


@described(_say_width)
def width_curve(rows: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw, for each sticker and for the clean network, the share of stop signs misread against the width of the sign."""
    ax = ax or axes(7.4, 3.2)
    looks = {"square": (RED, "s"), "bomb": (INK, "o"), "flower": (GOLD, "D"), "clean network": (GREY, "x")}
    for name, bins in _curves(rows).items():
        colour, marker = looks[name]
        middle = [(low + high) / 2 for low, high in bins]
        shares = [100 * hits / n for n, hits in bins.values()]
        ax.plot(middle, shares, color=colour, marker=marker, markersize=5, linewidth=1.8, label=name)
    ax.set(ylim=(-3, 104), xlabel="width of the stop sign, pixels", ylabel="read as a speed limit, per cent")
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    ax.grid(axis="y", color="#e4e7eb", linewidth=0.8)
    return ax


def _say_answers(read: Mapping[str, Tensor], street: Street) -> str:
    says = []
    for name, answers in read.items():
        right = 100 * (answers == street.labels).float().mean().item()
        missed = 100 * (answers < 0).float().mean().item()
        says.append(f"{name}: {right:.0f} % read rightly, {missed:.0f} % missed")
    return f"What {len(street.boxes):,} signs are taken for. {'; '.join(says)}."


@described(_say_answers)
def answers(read: Mapping[str, Tensor], street: Street, ax: Axes | None = None) -> Axes:
    """Draw, for each reading and each class, what its signs are taken for: shares of a bar, grey for signs that are missed."""
    ax = ax or axes(7.4, 0.5 + 0.28 * len(read) * len(street.classes))
    shades, names = ("#c8553d", "#9db4c8", GOLD), []
    for who, found in read.items():
        for i, kind in enumerate(street.classes):
            own, left, line = found[street.labels == i], 0.0, len(names)
            for label, colour in (*enumerate(shades), (-1, "#e4e7eb")):
                share = 100 * (own == label).float().mean().item()
                ax.barh(line, share, left=left, color=colour, height=0.72)
                if share >= 9:
                    word = "missed" if label < 0 else street.classes[label]
                    ax.text(left + share / 2, line, word, ha="center", va="center", fontsize=7.5)
                left += share
            names.append(f"{who}, {kind}")
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set(xlim=(0, 100), xlabel="share of the signs, per cent")
    return ax
