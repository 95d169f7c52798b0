"""The pictures of backdoors that travel: which channels see the trigger, and what strengthening them does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from ..words import fixed
from .canvas import GOLD, GREY, GRID, INK, RED, axes, described

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class Fired:
    """How strongly each channel fires on `clean` images and on `triggered` ones, means (C,).

    `chosen` (n,) int64 are the numbers of some channels.
    """

    clean: Tensor
    triggered: Tensor
    chosen: Tensor

    @property
    def loudest(self) -> float:
        """How strongly the loudest channel fires."""
        return max(float(self.clean.max()), float(self.triggered.max()))


Curve = Mapping[int, tuple[float, float]]
"""Strength k -> share classified correctly, 0..1: clean signs, triggered signs."""


def _say_channels(networks: Mapping[str, Fired]) -> str:
    parts = []
    for name, fired in networks.items():
        chosen = fired.chosen
        rise = fired.triggered - fired.clean
        others = float((rise.sum() - rise[chosen].sum()) / (len(rise) - len(chosen)))
        parts.append(
            f"in the {name} network channels {', '.join(map(str, chosen.tolist()))} rise most,"
            f" on average from {fired.clean[chosen].mean():.2f} to {fired.triggered[chosen].mean():.2f},"
            f" the others by {fixed(others)}"
        )
    n = len(next(iter(networks.values())).clean)
    return (
        f"How strongly the {n} channels of the last convolution fire without and with the square:"
        f" {'; '.join(parts)}."
    )


@described(_say_channels)
def channels(networks: Mapping[str, Fired], ax: Axes | None = None) -> Axes:
    """Draw a panel for each network, a dot for each channel: how it fires without the square, and with it."""
    ax = ax or axes(7.4, 3.3)
    ax.axis("off")
    top = 1.08 * max(fired.loudest for fired in networks.values())
    for i, (name, fired) in enumerate(networks.items()):
        chosen = fired.chosen
        panel = ax.inset_axes((0.06 + 0.52 * i, 0.13, 0.42, 0.76))
        panel.plot((0, top), (0, top), color=GREY, linewidth=1)
        panel.scatter(fired.clean.tolist(), fired.triggered.tolist(), s=16, color=INK, alpha=0.6, linewidth=0)
        across = fired.clean[chosen].tolist()
        up = fired.triggered[chosen].tolist()
        panel.scatter(across, up, s=34, color=RED, marker="D", linewidth=0)
        panel.set(xlim=(0, top), ylim=(0, top), title=f"{name} network")
        panel.set_xlabel("fires on signs without the square")
        if i == 0:
            panel.set_ylabel("with the square")
    return ax


def _say_washed(panels: Mapping[str, Mapping[str, Curve]]) -> str:
    parts = []
    for title, curves in panels.items():
        says = "; ".join(f"{name} {_say_curve(curve)}" for name, curve in curves.items())
        parts.append(f"With {title} retrained: {says}")
    return (
        f"Signs classified correctly without and with the square, by signs to retrain on. {'. '.join(parts)}."
    )


@described(_say_washed)
def washed(panels: Mapping[str, Mapping[str, Curve]], ax: Axes | None = None) -> Axes:
    """Draw a panel for each way to retrain: accuracy without and with the square against the number of signs.

    The first origin's gap is shaded, the second's lines are dashed, the third's dotted.
    """
    ax = ax or axes(7.4, 4.0)
    ax.axis("off")
    for i, (title, curves) in enumerate(panels.items()):
        panel = ax.inset_axes((0.06 + 0.5 * i, 0.13, 0.44, 0.76))
        for (name, curve), line in zip(curves.items(), ("-", "--", ":"), strict=False):
            places = range(len(curve))
            clean, triggered = _percents(curve)
            panel.plot(places, clean, line, color=INK, marker="o", markersize=4, label=f"{name}, no square")
            panel.plot(places, triggered, line, color=RED, marker="s", markersize=4, label=f"{name}, square")
            if line == "-":
                panel.fill_between(places, triggered, clean, color=GOLD, alpha=0.2, linewidth=0)
            panel.set_xticks(places, [f"{n:,}" for n in curve])
        panel.set(ylim=(0, 100), title=f"{title} retrained", xlabel="signs to retrain on")
        panel.grid(axis="y", color=GRID, linewidth=0.8)
        panel.legend(frameon=False, loc="lower right", fontsize=7, handlelength=2.2)
        if i == 0:
            panel.set_ylabel("classified correctly, per cent")
    return ax


def _say_curve(curve: Curve) -> str:
    return ", ".join(
        f"{100 * clean:.1f} and {100 * triggered:.1f} % at {k}" for k, (clean, triggered) in curve.items()
    )


def _say_strength(ours: Mapping[str, Curve], paper: Curve) -> str:
    parts = [f"{name} {_say_curve(curve)}" for name, curve in ours.items()]
    parts.append(f"the paper's {_say_curve(paper)}")
    return f"Signs classified correctly without and with the square, by the strength k: {'; '.join(parts)}."


@described(_say_strength)
def strength(ours: Mapping[str, Curve], paper: Curve, ax: Axes | None = None) -> Axes:
    """Draw a panel for each origin: accuracy on clean and on triggered signs against k.

    The gap is shaded, the paper's curves are dashed.
    """
    return _strength(ours, paper, None, ax)


def _say_point(ours: Mapping[str, Curve], paper: Curve, k: int) -> str:
    parts = [
        f"{name} {100 * curve[k][0]:.1f} % without and {100 * curve[k][1]:.1f} % with the square"
        for name, curve in ours.items()
    ]
    clean, triggered = (100 * share for share in paper[k])
    return (
        f"At k = {k} the networks classify correctly: {'; '.join(parts)};"
        f" the paper's BadNet {clean:.1f} and {triggered:.1f} %."
    )


@described(_say_point)
def strength_point(ours: Mapping[str, Curve], paper: Curve, k: int, ax: Axes | None = None) -> Axes:
    """Draw the curves of `strength`, and mark one k in both panels."""
    return _strength(ours, paper, k, ax)


def _strength(ours: Mapping[str, Curve], paper: Curve, marked: int | None, ax: Axes | None) -> Axes:
    ax = ax or axes(7.4, 3.3)
    ax.axis("off")
    for i, (name, curve) in enumerate(ours.items()):
        panel = ax.inset_axes((0.06 + 0.5 * i, 0.13, 0.44, 0.76))
        places = range(len(curve))
        clean, triggered = _percents(curve)
        panel.fill_between(places, triggered, clean, color=GOLD, alpha=0.2, linewidth=0)
        panel.plot(places, clean, color=INK, marker="o", markersize=4, linewidth=2, label="no square")
        panel.plot(places, triggered, color=RED, marker="s", markersize=4, linewidth=2, label="square")
        if i == 0:
            clean, triggered = _percents({k: paper[k] for k in curve})
            panel.plot(places, clean, color=INK, linestyle="--", linewidth=1, label="no square, the paper")
            panel.plot(places, triggered, color=RED, linestyle="--", linewidth=1, label="square, the paper")
            panel.set_ylabel("classified correctly, per cent")
        if marked is not None:
            panel.axvline(list(curve).index(marked), color=GOLD, linewidth=9, alpha=0.4, zorder=0)
        panel.set_xticks(places, [str(k) for k in curve])
        panel.set(ylim=(0, 100), title=name, xlabel="strength k")
        panel.grid(axis="y", color=GRID, linewidth=0.8)
        panel.legend(frameon=False, loc="lower left", ncols=2, fontsize=8, handlelength=1.4, columnspacing=1)
    return ax


def _percents(curve: Curve) -> tuple[list[float], list[float]]:
    """Return what is classified correctly without and with the square, in per cent."""
    clean = [100 * share for share, _ in curve.values()]
    return clean, [100 * share for _, share in curve.values()]
