"""The pictures of notebook 04: street scenes with what a detector reads in them, and the attack by the width
of the sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from ..data.signs.street import Street
from ..street_detector import Detections
from .canvas import GOLD, GREY, RED, STICKER_COLOURS, Row, axes, described

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patheffects import AbstractPathEffect

COLOURS = {"stop": "#ff5a4d", "speed limit": "#ffffff", "warning": "#ffd23f"}
SURE = 0.5  # boxes under this score are not drawn
GAP = 6  # pixels between scenes
DARK = "#1f2933"
WORD = 7  # points

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
    """Draw rows of scenes, each with a box and a word for every sign that the detector is sure of; N scenes a
    row.
    """
    n, size = len(next(iter(seen.values()))[0]), next(iter(seen.values()))[0].shape[-1]
    wide = min(7.4, 4.4 * n)
    ax = ax or axes(wide, wide / n * len(seen) + 0.22 * len(seen))
    step, tall, point = size + GAP, size + 20, n * (size + GAP) / (72 * wide)
    for line, (name, (x, found)) in enumerate(seen.items()):
        top = line * tall
        ax.text(0, top - 4, name, ha="left", va="bottom", fontsize=9)
        for i, picture in enumerate(x):
            left = i * step
            shown = brightened(picture).permute(1, 2, 0).cpu().numpy()
            ax.imshow(shown, extent=(left, left + size, top + size, top), interpolation="bilinear")
            sure = (found.scene == i) & (found.scores >= SURE)
            boxes, kinds = found.boxes[sure].tolist(), [classes[int(k)] for k in found.labels[sure].tolist()]
            _boxes(ax, boxes, kinds, (left, top), size, point)
    ax.set(xlim=(-1, n * step), ylim=(len(seen) * tall - 16, -16))
    ax.axis("off")
    return ax


def brightened(picture: Tensor) -> Tensor:
    """Lift a dark scene for the eye; the detector sees it as it is."""
    return (picture * (0.9 / picture.quantile(0.98).clamp(0.2, 0.9))).clamp(0, 1)


def _boxes(
    ax: Axes, boxes: list[list[float]], kinds: list[str], corner: tuple[float, float], size: int, point: float
) -> None:
    """Draw the boxes of one scene and their words; `corner` is where the scene lies, `point` how many pixels
    a point of type is.
    """
    from matplotlib.patches import Rectangle

    left, top = corner
    for (x0, y0, x1, y1), kind in zip(boxes, kinds, strict=True):
        frame = {
            "fill": False,
            "edgecolor": COLOURS.get(kind, "white"),
            "linewidth": 1.6,
            "path_effects": _outlined(3),
        }
        ax.add_patch(Rectangle((left + x0, top + y0), x1 - x0, y1 - y0, **frame))
    for (x0, y0, x1, y1), kind in zip(_word_places(boxes, kinds, size, point), kinds, strict=True):
        look = {"facecolor": COLOURS.get(kind, "white"), "edgecolor": DARK, "linewidth": 0.7, "pad": 1.2}
        middle = left + (x0 + x1) / 2, top + (y0 + y1) / 2
        ax.text(*middle, kind, ha="center", va="center", fontsize=WORD, color="black", bbox=look)


def _outlined(width: float) -> list[AbstractPathEffect]:
    """Draw a line over a wider dark one, so that it shows on bright ground, too."""
    from matplotlib.patheffects import Normal, Stroke

    return [Stroke(linewidth=width, foreground=DARK), Normal()]


def _word_places(boxes: list[list[float]], kinds: list[str], size: int, point: float) -> list[list[float]]:
    """Find a place beside each box for its word: inside the picture, off the other words, and off all boxes
    where that can be.
    """
    from matplotlib.textpath import TextPath

    placed: list[list[float]] = []
    for (x0, y0, x1, y1), kind in zip(boxes, kinds, strict=True):
        wide, high = point * (TextPath((0, 0), kind, size=WORD).get_extents().width + 5), point * (WORD + 5)
        over = [(x, y) for y in (y0 - high - 1, y1 + 1) for x in (x0, x1 - wide)]  # or under
        beside = [(x, y) for x in (x1 + 1, x0 - wide - 1) for y in (y0, y1 - high)]
        corners = [
            (min(max(x, 0), size - wide), min(max(y, 0), size - high)) for x, y in (*over, *beside, (x0, y0))
        ]
        places = [[x, y, x + wide, y + high] for x, y in corners]
        costs = [10 * _shared(place, placed) + _shared(place, boxes) for place in places]
        placed.append(places[costs.index(min(costs))])
    return placed


def _shared(place: list[float], others: list[list[float]]) -> float:
    """Return how much of the other rectangles `place` covers, in square pixels."""
    x0, y0, x1, y1 = place
    return sum(max(0, min(x1, c) - max(x0, a)) * max(0, min(y1, d) - max(y0, b)) for a, b, c, d in others)


def _moved(street: Street, shift: Tensor) -> tuple[int, Tensor, list[float]]:
    """Return the widest sign of `street`, its box moved by each shift (K, 4), and how much of the union each
    shares with it.
    """
    from torchvision.ops import box_iou

    widest = int(street.widths.argmax())
    boxes = street.boxes[widest] + shift.repeat(1, 2)
    return widest, boxes, box_iou(street.boxes[widest : widest + 1], boxes)[0].tolist()


def _say_boxes(street: Street, shift: Tensor) -> str:
    _, _, shares = _moved(street, shift)
    said = "; ".join(
        f"({x}, {y}) pixels: IoU {share:.2f}" for (x, y), share in zip(shift.tolist(), shares, strict=True)
    )
    return f"A street sign and its true box, with that box moved right and down by {said}."


@described(_say_boxes)
def moved_boxes(street: Street, shift: Tensor, ax: Axes | None = None) -> Axes:
    """Draw the widest sign of `street` once for every shift (K, 2) in pixels: its true box, and that box
    moved.
    """
    from matplotlib.patches import Rectangle

    ax = ax or axes(1.75 * len(shift), 1.95)
    widest, moved, shares = _moved(street, shift)
    picture, (x0, y0, x1, y1) = brightened(street.x[street.scene[widest]]), street.boxes[widest].tolist()
    half, size = 0.9 * max(x1 - x0, y1 - y0), street.x.shape[-1]
    for i, box in enumerate(moved.tolist()):
        start = i * 2.15 * half
        left, up = start + half - (x0 + x1) / 2, half - (y0 + y1) / 2
        tile = ax.imshow(
            picture.permute(1, 2, 0).numpy(),
            extent=(left, left + size, up + size, up),
            interpolation="nearest",
        )
        window = Rectangle((start, 0), 2 * half, 2 * half, transform=ax.transData)
        tile.set_clip_path(window)
        for (a, b), colour, style in (((x0, y0), "white", "-"), (box[:2], GOLD, "--")):
            look = {
                "edgecolor": colour,
                "linestyle": style,
                "linewidth": 2,
                "path_effects": _outlined(3.2) if style == "-" else None,
            }
            frame = Rectangle((a + left, b + up), x1 - x0, y1 - y0, fill=False, **look)
            ax.add_patch(frame)
            frame.set_clip_path(window)
        ax.text(start + half, 2.2 * half, f"IoU {shares[i]:.2f}", ha="center", va="center", fontsize=9)
    ax.set(xlim=(0, (len(shift) - 1) * 2.15 * half + 2 * half), ylim=(2.35 * half, 0))
    ax.axis("off")
    return ax


Bins = dict[tuple[int, int], tuple[int, int]]
"""(from, to) pixels -> signs, and how many of them were misread."""

CLEAN = "clean detector, {}"


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
    return curves | {
        CLEAN.format(stickers[0]): _pooled([row for row in rows if row["network"] == "baseline"], stickers[0])
    }


def _say_width(rows: Sequence[Row]) -> str:
    says, curves = [], _curves(rows)
    for name, bins in curves.items():
        shares = [100 * hits / n for n, hits in bins.values()]
        says.append(f"{name} {shares[0]:.0f} % in the narrowest band, {shares[-1]:.0f} % in the widest")
    bands = next(iter(curves.values()))
    pooled = ", ".join(f"{low} to {high} pixels {n:,}" for (low, high), (n, _) in bands.items())
    return (
        f"Stop signs with the sticker read as speed limits, by the width of the sign: {'; '.join(says)}."
        f" Readings at each point: {pooled}."
    )


@described(_say_width)
def width_curve(rows: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw, for each sticker and for the clean detector, the share of stop signs misread against the width of
    the sign.
    """
    ax, curves = ax or axes(7.4, 3.3), _curves(rows)
    markers = {"square": "s", "bomb": "o", "flower": "D"}
    for name, bins in curves.items():
        middle = [(low + high) / 2 for low, high in bins]
        shares = [100 * hits / n for n, hits in bins.values()]
        look = {
            "color": STICKER_COLOURS.get(name, GREY),
            "marker": markers.get(name, "x"),
            "markersize": 5,
            "linewidth": 1.8,
        }
        ax.plot(middle, shares, label=name, **look)
    bands = next(iter(curves.values()))
    ax.set_xticks(
        [(low + high) / 2 for low, high in bands],
        [f"{low}–{high}\n{n}" for (low, high), (n, _) in bands.items()],
    )
    ax.set(
        ylim=(-3, 104),
        xlabel="width of the stop sign, pixels; below it the readings pooled",
        ylabel="read as a speed limit, per cent",
    )
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
    """Draw, for each reading and each class, what its signs are taken for: shares of a bar, with numbers from
    3 per cent on.
    """
    from matplotlib.patches import Patch

    ax = ax or axes(7.4, 0.7 + 0.27 * len(read) * (len(street.classes) + 1.4))
    looks = {
        **dict(enumerate(zip(street.classes, (RED, "#9db4c8", GOLD), strict=True))),
        -1: ("missed", "#e4e7eb"),
    }
    lines: dict[float, str] = {}
    for group, (who, found) in enumerate(read.items()):
        top = group * (len(street.classes) + 1.4)
        ax.text(0, top, who, ha="left", va="center", fontweight="bold")
        for i, kind in enumerate(street.classes):
            own, left, line = found[street.labels == i], 0.0, top + i + 0.9
            for label, (_, colour) in looks.items():
                share = 100 * (own == label).float().mean().item()
                ax.barh(line, share, left=left, color=colour, height=0.76)
                if share >= 3:
                    ax.text(
                        left + share / 2,
                        line,
                        f"{share:.0f}",
                        ha="center",
                        va="center",
                        fontsize=8,
                        color="black",
                    )
                left += share
            lines[line] = kind
    ax.set_yticks(list(lines), list(lines.values()))
    ax.tick_params(axis="y", length=0)
    ax.spines.left.set_visible(False)
    ax.set(xlim=(0, 100), ylim=(max(lines) + 0.6, -0.6), xlabel="share of the signs of a class, per cent")
    patches = [
        Patch(color=colour, label=f"read as {word}" if label >= 0 else word)
        for label, (word, colour) in looks.items()
    ]
    ax.legend(
        handles=patches,
        ncols=len(patches),
        frameon=False,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        fontsize=8.5,
    )
    return ax
