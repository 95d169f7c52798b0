"""The pictures of the street: scenes with what a detector reads, and the attack by the width of the sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ..data.signs.street import Street
from ..street_detector import Detections, box_overlaps
from .canvas import (
    DARK,
    GOLD,
    GREY,
    GRID,
    RED,
    SIGN_COLOURS,
    SKY,
    STICKER_COLOURS,
    Row,
    axes,
    described,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patheffects import AbstractPathEffect

SURE = 0.5  # boxes under this score are not drawn
GAP = 6  # pixels between scenes
WORD = 7  # points

Seen = Mapping[str, tuple[Tensor, Detections]]
"""What a row shows -> its scenes (N, 3, H, W), and what a detector found in them."""
Box = list[float]
"""Left, top, right and lower edge, in pixels."""


def _say_scenes(seen: Seen, classes: Sequence[str]) -> str:
    rows = []
    for name, (x, boxes) in seen.items():
        labels = boxes.labels[boxes.scores >= SURE]
        counts = ", ".join(f"{int((labels == i).sum())} {kind}" for i, kind in enumerate(classes))
        rows.append(f"{name}: {len(x)} scenes, read as {counts}")
    return f"Street scenes with a detector's boxes. {'; '.join(rows)}."


@described(_say_scenes)
def scenes(seen: Seen, classes: Sequence[str], ax: Axes | None = None) -> Axes:
    """Draw rows of N scenes, with a box and a word for every sign that the detector is sure of."""
    x = next(iter(seen.values()))[0]
    n = len(x)
    size = x.shape[-1]
    width = min(7.4, 4.4 * n)  # inches
    ax = ax or axes(width, width / n * len(seen) + 0.22 * len(seen))
    point = n * (size + GAP) / (72 * width)  # pixels of a scene
    for line, (name, (pictures, boxes)) in enumerate(seen.items()):
        top = line * (size + 20)
        ax.text(0, top - 4, name, ha="left", va="bottom", fontsize=9)
        for i, picture in enumerate(pictures):
            scene = Scene(i * (size + GAP), top, size, point)
            sure = (boxes.scene == i) & (boxes.scores >= SURE)
            kinds = [classes[int(label)] for label in boxes.labels[sure]]
            _draw_scene(ax, picture, scene)
            _draw_boxes(ax, boxes.boxes[sure].tolist(), kinds, scene)
    ax.set(xlim=(-1, n * (size + GAP)), ylim=(len(seen) * (size + 20) - 16, -16))
    ax.axis("off")
    return ax


@dataclass(frozen=True)
class Scene:
    """Where a scene of `size` pixels lies in a figure, and how many of its pixels a point of type is."""

    left: float
    top: float
    size: int
    point: float


def _draw_scene(ax: Axes, picture: Tensor, scene: Scene) -> None:
    pixels = brightened(picture).permute(1, 2, 0).cpu().numpy()  # (H, W, 3)
    extent = (scene.left, scene.left + scene.size, scene.top + scene.size, scene.top)
    ax.imshow(pixels, extent=extent, interpolation="bilinear")


def brightened(picture: Tensor) -> Tensor:
    """Lift a dark scene for the eye; the detector sees it as it is."""
    return (picture * (0.9 / picture.quantile(0.98).clamp(0.2, 0.9))).clamp(0, 1)


def _draw_boxes(ax: Axes, boxes: list[Box], kinds: list[str], scene: Scene) -> None:
    """Draw the boxes of one scene and their words."""
    from matplotlib.patches import Rectangle

    outline = _outlined(3)
    for (x0, y0, x1, y1), kind in zip(boxes, kinds, strict=True):
        look: Any = {"edgecolor": SIGN_COLOURS.get(kind, "white"), "linewidth": 1.6, "path_effects": outline}
        ax.add_patch(Rectangle((scene.left + x0, scene.top + y0), x1 - x0, y1 - y0, fill=False, **look))
    for (x0, y0, x1, y1), kind in zip(_word_places(boxes, kinds, scene), kinds, strict=True):
        colour = SIGN_COLOURS.get(kind, "white")
        label = {"facecolor": colour, "edgecolor": DARK, "linewidth": 0.7, "pad": 1.2}
        middle = scene.top + (y0 + y1) / 2
        write(ax, scene.left + (x0 + x1) / 2, middle, kind, WORD, "black", bbox=label)


def _outlined(width: float) -> list[AbstractPathEffect]:
    """Draw a line over a wider dark one, so that it shows on bright ground, too."""
    from matplotlib.patheffects import Normal, Stroke

    return [Stroke(linewidth=width, foreground=DARK), Normal()]


def _word_places(boxes: list[Box], kinds: list[str], scene: Scene) -> list[Box]:
    """Find a place beside each box for its word.

    It lies inside the picture, off the other words, and off all boxes where that can be.
    """
    words: list[Box] = []
    for box, kind in zip(boxes, kinds, strict=True):
        places = _places(box, _word_width(kind, scene.point), scene.point * (WORD + 5), scene.size)
        costs = [10 * _shared(place, words) + _shared(place, boxes) for place in places]
        words.append(places[costs.index(min(costs))])
    return words


def _word_width(word: str, point: float) -> float:
    from matplotlib.textpath import TextPath

    return point * (TextPath((0, 0), word, size=WORD).get_extents().width + 5)


def _places(box: Box, width: float, height: float, size: int) -> list[Box]:
    """Return where a word of this size may stand: over, under, beside or on its box, the best place first."""
    x0, y0, x1, y1 = box
    over = [(x0, y0 - height - 1), (x1 - width, y0 - height - 1)]
    under = [(x0, y1 + 1), (x1 - width, y1 + 1)]
    right = [(x1 + 1, y0), (x1 + 1, y1 - height)]
    left = [(x0 - width - 1, y0), (x0 - width - 1, y1 - height)]
    places = []
    for x, y in (*over, *under, *right, *left, (x0, y0)):
        x_inside = min(max(x, 0), size - width)
        y_inside = min(max(y, 0), size - height)
        places.append([x_inside, y_inside, x_inside + width, y_inside + height])
    return places


def _shared(place: Box, others: list[Box]) -> float:
    """Return how much of the other rectangles `place` covers, in square pixels."""
    x0, y0, x1, y1 = place
    return sum(max(0, min(x1, c) - max(x0, a)) * max(0, min(y1, d) - max(y0, b)) for a, b, c, d in others)


def _say_stages(picture: Tensor, steps: Mapping[str, Detections], classes: Sequence[str]) -> str:
    counts = "; ".join(f"{name}: {len(found.boxes)} boxes" for name, found in steps.items())
    last = list(steps.values())[-1]
    kinds = ", ".join(classes[int(label)] for label in last.labels)
    return f"One scene, and the boxes that a detector holds after each step. {counts}: {kinds or 'no sign'}."


@described(_say_stages)
def stages(
    picture: Tensor, steps: Mapping[str, Detections], classes: Sequence[str], ax: Axes | None = None
) -> Axes:
    """Draw one picture (3, H, W) for each step of a detector, with the boxes that it holds then.

    A box has the colour of its class; one without a class (-1) is white and thin.
    """
    size = picture.shape[-1]
    ax = ax or axes(7.4, 7.4 / len(steps) + 0.25)
    point = len(steps) * (size + GAP) / (72 * 7.4)
    for i, (name, found) in enumerate(steps.items()):
        scene = Scene(i * (size + GAP), 0, size, point)
        write(ax, scene.left, -8, name, 9, ha="left")
        _draw_scene(ax, picture, scene)
        _draw_thin(ax, found, classes, scene)
    ax.set(xlim=(-1, len(steps) * (size + GAP)), ylim=(size + 1, -16))
    ax.axis("off")
    return ax


def _draw_thin(ax: Axes, found: Detections, classes: Sequence[str], scene: Scene) -> None:
    from matplotlib.patches import Rectangle

    for (x0, y0, x1, y1), label in zip(found.boxes.tolist(), found.labels.tolist(), strict=True):
        colour = "white" if label < 0 else SIGN_COLOURS.get(classes[int(label)], "white")
        look: Any = {"edgecolor": colour, "linewidth": 1.1, "path_effects": _outlined(1.9)}
        corner = (scene.left + x0, scene.top + y0)
        ax.add_patch(Rectangle(corner, x1 - x0, y1 - y0, fill=False, **look))


@dataclass(frozen=True, eq=False)
class Moved:
    """The picture (3, H, W) of a sign, its true box (4,), that box moved (K, 4), and the overlaps (IoU)."""

    picture: Tensor
    truth: Tensor
    boxes: Tensor
    overlaps: list[float]


def _moved(street: Street, shift: Tensor) -> Moved:
    """Move the box of the widest sign of `street` by each shift (K, 2)."""
    widest = int(street.widths.argmax())
    truth = street.boxes[widest]
    boxes = truth + shift.repeat(1, 2)  # (K, 4)
    overlaps = box_overlaps(truth[None], boxes)[0].tolist()
    return Moved(brightened(street.x[street.scene[widest]]), truth, boxes, overlaps)


def _say_boxes(street: Street, shift: Tensor) -> str:
    overlaps = _moved(street, shift).overlaps
    parts = []
    for (x, y), overlap in zip(shift.tolist(), overlaps, strict=True):
        parts.append(f"({x}, {y}) pixels: IoU {overlap:.2f}")
    return f"A street sign and its true box, with that box moved right and down by {'; '.join(parts)}."


@described(_say_boxes)
def moved_boxes(street: Street, shift: Tensor, ax: Axes | None = None) -> Axes:
    """Draw the widest sign of `street` with its true box, and with that box moved by each shift (K, 2)."""
    ax = ax or axes(1.75 * len(shift), 1.95)
    moved = _moved(street, shift)
    x0, y0, x1, y1 = moved.truth.tolist()
    half = 0.9 * max(x1 - x0, y1 - y0)  # of a window around the sign
    for i, overlap in enumerate(moved.overlaps):
        start = i * 2.15 * half
        _draw_window(ax, moved, i, start, half)
        write(ax, start + half, 2.2 * half, f"IoU {overlap:.2f}", 9)
    ax.set(xlim=(0, (len(shift) - 1) * 2.15 * half + 2 * half), ylim=(2.35 * half, 0))
    ax.axis("off")
    return ax


def _draw_window(ax: Axes, moved: Moved, i: int, start: float, half: float) -> None:
    """Draw the sign with its true box and the `i`-th moved one, in a window at `start`."""
    from matplotlib.patches import Rectangle

    x0, y0, x1, y1 = moved.truth.tolist()
    size = moved.picture.shape[-1]
    left = start + half - (x0 + x1) / 2  # the sign's middle is the window's
    top = half - (y0 + y1) / 2
    extent = (left, left + size, top + size, top)
    scene = ax.imshow(moved.picture.permute(1, 2, 0).numpy(), extent=extent, interpolation="nearest")
    window = Rectangle((start, 0), 2 * half, 2 * half, transform=ax.transData)
    scene.set_clip_path(window)
    solid: Any = {"edgecolor": "white", "linestyle": "-", "path_effects": _outlined(3.2)}
    dashed: Any = {"edgecolor": GOLD, "linestyle": "--", "path_effects": None}
    for (x, y, *_), look in ((moved.truth.tolist(), solid), (moved.boxes[i].tolist(), dashed)):
        frame = Rectangle((x + left, y + top), x1 - x0, y1 - y0, fill=False, linewidth=2, **look)
        ax.add_patch(frame)
        frame.set_clip_path(window)


Bins = dict[tuple[int, int], tuple[int, int]]
"""(from, to) pixels -> signs, and how many of them were misread."""

CLEAN = "control, {}"
FEW = 10  # signs; a band with fewer of them isn't drawn


def _pooled(rows: Sequence[Row], sticker: str) -> Bins:
    bins: Bins = {}
    for row in rows:
        for low, high, n, hits in row["misread"][sticker]["by_width"]:
            signs, misread = bins.get((low, high), (0, 0))
            bins[low, high] = signs + n, misread + hits
    return {edges: counts for edges, counts in bins.items() if counts[0] >= FEW}


def _of_network(rows: Sequence[Row], network: str) -> list[Row]:
    return [row for row in rows if row["network"] == network]


def _curves(rows: Sequence[Row]) -> dict[str, Bins]:
    """Pool the networks of each sticker, and the clean ones, trained as long, with the first sticker."""
    networks = {row["network"] for row in rows}
    stickers = [name for name in rows[0]["misread"] if name in networks]
    curves = {name: _pooled(_of_network(rows, name), name) for name in stickers}
    first = stickers[0]
    return curves | {CLEAN.format(first): _pooled(_of_network(rows, "control"), first)}


def _percents(bins: Bins) -> list[float]:
    return [100 * misread / n for n, misread in bins.values()]


def _say_width(rows: Sequence[Row]) -> str:
    curves = _curves(rows)
    parts = []
    for name, bins in curves.items():
        narrowest, *_, widest = _percents(bins)
        parts.append(f"{name} {narrowest:.0f} % in the narrowest band, {widest:.0f} % in the widest")
    bands = next(iter(curves.values()))
    pooled = ", ".join(f"{low} to {high} pixels {n:,}" for (low, high), (n, _) in bands.items())
    return (
        f"Stop signs with the sticker read as speed limits, by the width of the sign: {'; '.join(parts)}."
        f" Readings at each point: {pooled}."
    )


@described(_say_width)
def width_curve(rows: Sequence[Row], ax: Axes | None = None) -> Axes:
    """Draw the share of stop signs misread against the width of the sign.

    A line is a sticker; the control has one, too.
    """
    ax = ax or axes(7.4, 3.3)
    curves = _curves(rows)
    markers = {"square": "s", "bomb": "o", "flower": "D"}
    for name, bins in curves.items():
        middles = [(low + high) / 2 for low, high in bins]
        look: Any = {"color": STICKER_COLOURS.get(name, GREY), "marker": markers.get(name, "x")}
        ax.plot(middles, _percents(bins), label=name, markersize=5, linewidth=1.8, **look)
    bands = next(iter(curves.values()))
    ticks = [f"{low}–{high}\n{n}" for (low, high), (n, _) in bands.items()]
    ax.set_xticks([(low + high) / 2 for low, high in bands], ticks)
    ax.set_xlabel("width of the stop sign, pixels; below it the readings pooled")
    ax.set(ylim=(-3, 104), ylabel="read as a speed limit, per cent")
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    ax.grid(axis="y", color=GRID, linewidth=0.8)
    return ax


def _percent(hits: Tensor) -> float:
    """Return how many of some truth values (N,) hold, in per cent."""
    return 100 * hits.float().mean().item()


def _say_answers(read: Mapping[str, Tensor], street: Street) -> str:
    parts = []
    for name, answers in read.items():
        right = _percent(answers == street.labels)
        parts.append(f"{name}: {right:.0f} % classified correctly, {_percent(answers < 0):.0f} % missed")
    return f"What {len(street.boxes):,} signs are taken for. {'; '.join(parts)}."


@described(_say_answers)
def answers(read: Mapping[str, Tensor], street: Street, ax: Axes | None = None) -> Axes:
    """Draw, for each reading and each class, what its signs are taken for: shares of a bar.

    From 3 per cent on, a share has its number.
    """
    from matplotlib.patches import Patch

    group = len(street.classes) + 1.4  # height
    ax = ax or axes(7.4, 0.7 + 0.27 * len(read) * group)
    colours = dict(enumerate((RED, SKY, GOLD))) | {-1: GRID}
    lines: dict[float, str] = {}
    for i, (who, labels) in enumerate(read.items()):
        write(ax, 0, i * group, who, 9, ha="left", fontweight="bold")
        for label, kind in enumerate(street.classes):
            line = i * group + label + 0.9
            _draw_bar(ax, line, labels[street.labels == label], colours)
            lines[line] = kind
    ax.set_yticks(list(lines), list(lines.values()))
    ax.tick_params(axis="y", length=0)
    ax.spines.left.set_visible(False)
    ax.set(xlim=(0, 100), ylim=(max(lines) + 0.6, -0.6), xlabel="share of the signs of a class, per cent")
    words = {label: f"read as {kind}" for label, kind in enumerate(street.classes)} | {-1: "missed"}
    patches = [Patch(color=colours[label], label=word) for label, word in words.items()]
    above: Any = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0)}
    ax.legend(handles=patches, ncols=len(patches), frameon=False, fontsize=8.5, **above)
    return ax


def _draw_bar(ax: Axes, line: float, labels: Tensor, colours: Mapping[int, str]) -> None:
    """Draw the shares of the answers `labels` (N,), one after the other."""
    left = 0.0
    for label, colour in colours.items():
        share = _percent(labels == label)
        ax.barh(line, share, left=left, color=colour, height=0.76)
        if share >= 3:
            write(ax, left + share / 2, line, f"{share:.0f}", 8, "black")
        left += share
