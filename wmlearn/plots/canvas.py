"""What every figure shares: colours, an empty picture, a tile, and the sentence that says what is drawn."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes


INK, RED, GREY, GOLD = "#3d5a80", "#c8553d", "#8795a1", "#d9a441"  # told apart by lightness too


STICKER_COLOURS = {"square": GOLD, "bomb": INK, "flower": RED}  # the same in every notebook


STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "text.color": "#1f2933",
}


DPI = 192  # twice a screen's


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


def png(plot: Described, *data: Any) -> tuple[bytes, tuple[int, int]]:
    """Draw `plot(*data)`; return the PNG, with its sentence in the metadata, and its width and height on a
    screen, in pixels.
    """
    from matplotlib import rc_context

    buffer = io.BytesIO()
    with rc_context(STYLE):
        figure = plot(*data).get_figure(root=True)
        assert figure is not None
        figure.savefig(buffer, dpi=DPI, metadata={"Software": None, "Description": plot.says(*data)})
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    return buffer.getvalue(), (width, height)


Readings = dict[str, Sequence[str]]
"""Network -> what it reads in each image."""


Row = dict[str, Any]


def tile(ax: Axes, image: Tensor, left: float, top: float) -> None:
    ax.imshow(image.numpy(), cmap="gray", extent=(left, left + 28, top + 28, top), vmin=0, vmax=1)
