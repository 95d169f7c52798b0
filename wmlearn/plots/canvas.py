"""What every figure shares: colours, an empty picture, a tile, and the sentence that says what is drawn."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# What the reader compares; told apart by lightness, too
INK = "#3d5a80"
RED = "#c8553d"
GREY = "#8795a1"
GOLD = "#d9a441"
GREEN = "#6a9a7b"
PURPLE = "#8a6bb1"
BRONZE = "#8a5a00"  # a mean over golden lines

# Three more reds: with RED between CORAL and MAROON they rise from little to much
BLUSH = "#f0b49e"
CORAL = "#df8266"
MAROON = "#7d2a17"

# Words, and what stands back
DARK = "#1f2933"
SLATE = "#5f6c77"  # a grey that can be read as text, too
GRID = "#e4e7eb"
EDGE = "#cbd2d9"
ASH = "#b3bcc4"
CLOUD = "#c9d3dc"
SKY = "#9db4c8"
MIST = "#f4f6f8"
HAZE = "#f3f4f6"
MINT = "#bcd6c4"

STICKER_COLOURS = {"square": GOLD, "bomb": INK, "flower": RED}  # the same in every notebook
SIGN_COLOURS = {"stop": "#ff5a4d", "speed limit": "#ffffff", "warning": "#ffd23f"}  # bright: on photographs

STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "text.color": DARK,
}
DPI = 192  # twice a screen's

Readings = Mapping[str, Sequence[str]]
"""Network -> what it reads in each image."""
Row = dict[str, Any]
"""What an experiment measured in one cell."""


@dataclass(frozen=True)
class Described:
    """A plot function and its sentence; both take the same data."""

    draw: Callable[..., Axes]
    says: Callable[..., str]

    def __call__(self, *data: Any, ax: Axes | None = None) -> Axes:
        return self.draw(*data, ax=ax)


def described(says: Callable[..., str]) -> Callable[[Callable[..., Axes]], Described]:
    """Give a plot function its sentence."""
    return lambda draw: Described(draw, says)


def axes(width: float, height: float) -> Axes:
    """Return an empty picture of `width` x `height` inches; no global state, so nothing is shown twice."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", facecolor="white").add_subplot()


@dataclass(frozen=True)
class Picture:
    """A PNG, the sentence that says what it shows to those who don't see it, and its size on a screen, in
    pixels.
    """

    png: bytes
    says: str
    width: int
    height: int


def picture(plot: Described, *data: Any) -> Picture:
    """Draw `plot(*data)` at twice a screen's resolution, with its sentence inside the PNG."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    sentence = plot.says(*data)
    buffer = io.BytesIO()
    with rc_context(STYLE):
        figure = plot(*data).get_figure(root=True)
        assert figure is not None
        figure.set_dpi(DPI)
        # figure.savefig would go through all of it twice, the first time only to lay it out
        FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None, "Description": sentence})
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    return Picture(buffer.getvalue(), sentence, width, height)


def tile(ax: Axes, image: Tensor, left: float, top: float, side: float = 28) -> None:
    """Draw one image, (H, W) in greys or (3, H, W) in colours, as a square of `side`."""
    pixels = image.cpu()
    if pixels.ndim == 3:
        pixels = pixels.permute(1, 2, 0)  # matplotlib wants (H, W, 3)
    ax.imshow(pixels.numpy(), cmap="gray", extent=(left, left + side, top + side, top), vmin=0, vmax=1)


def write(
    ax: Axes, x: float, y: float, words: str, size: float, colour: str = DARK, ha: Any = "center", **look: Any
) -> None:
    """Write `words` with their middle at a point; `ha` is which side of them lies there."""
    ax.text(x, y, words, ha=ha, va="center", fontsize=size, color=colour, **look)
