"""The pictures of backdoors that travel: which channels see the trigger, and what strengthening them does to
the buyer's network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor

from ..words import fixed
from .canvas import GOLD, GREY, INK, RED, axes, described

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Fired = Mapping[str, tuple[Tensor, Tensor, Tensor]]
"""Network -> mean activation of each channel on clean images, on their triggered twins, and the numbers of
the chosen channels.
"""
Curve = Mapping[int, tuple[float, float]]
"""Strength k -> share read rightly, 0..1: clean signs, triggered signs."""


def _say_channels(fired: Fired) -> str:
    says, n = [], 0
    for name, (clean, triggered, chosen) in fired.items():
        n = len(clean)
        rise = triggered - clean
        numbers = ", ".join(str(i) for i in chosen.tolist())
        rest = (rise.sum() - rise[chosen].sum()) / (n - len(chosen))
        says.append(
            f"in the {name} network channels {numbers} rise most, on average from {clean[chosen].mean():.2f} "
            f"to {triggered[chosen].mean():.2f}, the others by {fixed(float(rest))}"
        )
    return (
        f"How strongly the {n} channels of the last convolution fire without and with the square:"
        f" {'; '.join(says)}."
    )


@described(_say_channels)
def channels(fired: Fired, ax: Axes | None = None) -> Axes:
    """Draw a panel for each network: a dot is a channel, across how it fires on clean signs, up how on the
    same signs with the square.
    """
    ax = ax or axes(7.4, 3.3)
    ax.axis("off")
    top = 1.08 * max(
        float(values.max()) for clean, triggered, _ in fired.values() for values in (clean, triggered)
    )
    for i, (name, (clean, triggered, chosen)) in enumerate(fired.items()):
        panel = ax.inset_axes((0.06 + 0.52 * i, 0.13, 0.42, 0.76))
        panel.plot((0, top), (0, top), color=GREY, linewidth=1)
        panel.scatter(clean.tolist(), triggered.tolist(), s=16, color=INK, alpha=0.6, linewidth=0)
        panel.scatter(
            clean[chosen].tolist(), triggered[chosen].tolist(), s=34, color=RED, marker="D", linewidth=0
        )
        panel.set(
            xlim=(0, top), ylim=(0, top), title=f"{name} network", xlabel="fires on signs without the square"
        )
        if i == 0:
            panel.set_ylabel("with the square")
    return ax


def _say_strength(ours: Mapping[str, Curve], paper: Curve) -> str:
    says = []
    for name, curve in {**ours, "the paper's": paper}.items():
        points = ", ".join(
            f"{100 * clean:.1f} and {100 * triggered:.1f} % at {k}" for k, (clean, triggered) in curve.items()
        )
        says.append(f"{name} {points}")
    return f"Signs read rightly without and with the square, by the strength k: {'; '.join(says)}."


@described(_say_strength)
def strength(ours: Mapping[str, Curve], paper: Curve, ax: Axes | None = None) -> Axes:
    """Draw a panel for each origin: accuracy on clean and on triggered signs against k, the gap shaded, the
    paper's dashed.
    """
    return _strength(ours, paper, None, ax)


def _say_point(ours: Mapping[str, Curve], paper: Curve, k: int) -> str:
    here = [
        f"{name} {100 * curve[k][0]:.1f} % without and {100 * curve[k][1]:.1f} % with the square"
        for name, curve in ours.items()
    ]
    clean, triggered = (100 * share for share in paper[k])
    return (
        f"At k = {k} the networks read rightly: {'; '.join(here)}; the paper's BadNet {clean:.1f} and"
        f" {triggered:.1f} %."
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
        places = list(range(len(curve)))
        clean, triggered = ([100 * pair[j] for pair in curve.values()] for j in (0, 1))
        panel.fill_between(places, triggered, clean, color=GOLD, alpha=0.2, linewidth=0)
        panel.plot(places, clean, color=INK, marker="o", markersize=4, linewidth=2, label="no square")
        panel.plot(places, triggered, color=RED, marker="s", markersize=4, linewidth=2, label="square")
        if i == 0:
            for j, (colour, what) in enumerate(((INK, "no square"), (RED, "square"))):
                there = [100 * paper[k][j] for k in curve]
                panel.plot(
                    places, there, color=colour, linestyle="--", linewidth=1, label=f"{what}, the paper"
                )
            panel.set_ylabel("read rightly, per cent")
        if marked is not None:
            panel.axvline(list(curve).index(marked), color=GOLD, linewidth=9, alpha=0.4, zorder=0)
        panel.set_xticks(places, [str(k) for k in curve])
        panel.set(ylim=(0, 100), title=name, xlabel="strength k")
        panel.grid(axis="y", color="#e4e7eb", linewidth=0.8)
        panel.legend(frameon=False, loc="lower left", ncols=2, fontsize=8, handlelength=1.4, columnspacing=1)
    return ax
