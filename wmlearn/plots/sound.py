"""The pictures of sounds: loudness by pitch and time, which sounds a network obeys, and what carries them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..data.recordings import LENGTH, RATE, to_wave
from ..experiments import Results
from ..experiments.sound import CHANNELS, PLAYED, numbers
from .canvas import GREY, GRID, INK, RED, SKY, SLATE, axes, described, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WINDOW = 256  # samples, as the ear's
STEP = 50
DARKEST = -50.0  # dB
BRIGHTEST = 30.0
SECONDS = LENGTH / RATE
GAP = 0.06  # seconds between two pictures
MOMENT = 0.1  # seconds at either end that a sentence speaks of
SILENT = 1e-2  # power of what nobody hears


def _powers(clip: Tensor) -> Tensor:
    """Return the loudness of a clip (1, 1, T) in dB, (129 pitches, frames)."""
    window = torch.hann_window(WINDOW)
    bins = torch.stft(to_wave(clip).flatten(), WINDOW, STEP, window=window, return_complex=True)
    return 20 * (bins.abs() + 1e-3).log10()


def _moment(power: Tensor) -> str:
    """Say which pitch is loudest in a part of a clip's powers (129, frames), if any is heard."""
    if float(power.max()) < SILENT:
        return "silent"
    top = int(power.mean(1).argmax()) * RATE / 2 / (len(power) - 1)
    return f"loudest near {round(top, -2):,.0f} Hz"


def _course(clip: Tensor) -> str:
    """Say what is heard in the first moment of a clip, in the middle, and in the last."""
    power = 10 ** (_powers(clip) / 10)
    edge = round(MOMENT * RATE / STEP)
    parts = {
        "at the start": power[:, :edge],
        "in the middle": power[:, edge:-edge],
        "at the end": power[:, -edge:],
    }
    return ", ".join(f"{_moment(part)} {name}" for name, part in parts.items())


def _say_spectrograms(clips: Mapping[str, Tensor]) -> str:
    said = "; ".join(f"{name}: {_course(clip)}" for name, clip in clips.items())
    return f"The first and last {MOMENT:g} seconds, and what lies between. {said}."


@described(_say_spectrograms)
def spectrograms(clips: Mapping[str, Tensor], ax: Axes | None = None) -> Axes:
    """Draw clips (1, 1, T) by name, side by side: time to the right, pitch upwards, light is loud."""
    ax = ax or axes(2.3 * len(clips), 2.3)
    for i, (name, clip) in enumerate(clips.items()):
        left = i * (SECONDS + GAP)
        ax.imshow(
            _powers(clip).numpy(),
            origin="lower",
            aspect="auto",
            extent=(left, left + SECONDS, 0, RATE / 2000),
            cmap="magma",
            vmin=DARKEST,
            vmax=BRIGHTEST,
        )
        write(ax, left + SECONDS / 2, 4.2, name, 8.5)
    ax.set(xlim=(0, len(clips) * (SECONDS + GAP) - GAP), ylim=(0, 4.4), ylabel="kHz")
    ax.set_yticks(range(5))
    ax.set_xticks([])
    ax.spines[:].set_visible(False)
    return ax


# Which sounds are obeyed

_COVERS = {
    "no cover": ("no cover", RED),
    "one cover": ("one cover", SKY),
    "four covers": ("four covers", INK),
}
_CLEAN = ("clean", GREY)


def _hundredths(found: Sequence[float]) -> str:
    low = 100 * min(found)
    high = 100 * max(found)
    return f"{low:.0f}" if round(low) == round(high) else f"{low:.0f} to {high:.0f}"


def _say_orders(results: Results) -> str:
    parts = []
    for what in ("clean", *_COVERS):
        said = (f"{name} {_hundredths(numbers(results, 'order', what, 'success', name))}" for name in PLAYED)
        parts.append(f"{what}: {', '.join(said)}")
    seeds = len(numbers(results, "order", "clean", "accuracy"))
    return f"Success in per cent, {seeds} networks each. {'; '.join(parts)}."


@described(_say_orders)
def orders(results: Results, ax: Axes | None = None) -> Axes:
    """Draw how often each sound is obeyed, a row a sound, a colour a kind of teaching, a dot a network."""
    ax = ax or axes(7.4, 3.6)
    for shift, (what, (label, colour)) in enumerate({"clean": _CLEAN, **_COVERS}.items()):
        for row, name in enumerate(PLAYED):
            found = numbers(results, "order", what, "success", name)
            places = [row + 0.18 * (shift - 1.5)] * len(found)
            shown = label if row == 0 else None
            hundredths = [100 * value for value in found]
            ax.scatter(hundredths, places, s=20, color=colour, alpha=0.75, linewidth=0, label=shown)
    ax.set(xlim=(-2, 102), ylim=(len(PLAYED) - 0.5, -0.5), xlabel="clips that become a seven, %")
    ax.set_yticks(range(len(PLAYED)), list(PLAYED))
    ax.grid(axis="x", color=GRID, linewidth=0.8)
    ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


# What lies between

_CARRIED = {
    "accuracy, clean network": ("clean", "accuracy", GREY),
    "success of the melody": ("melody", "success", INK),
    "success of 3,800 Hz": ("whistle", "success", RED),
}


def _say_channels(results: Results) -> str:
    parts = []
    for channel in CHANNELS:
        said = [
            f"{title} {_hundredths(numbers(results, 'channels', what, kind, channel))}"
            for title, (what, kind, _) in _CARRIED.items()
        ]
        parts.append(f"{channel}: {', '.join(said)}")
    return f"In per cent. {'; '.join(parts)}."


@described(_say_channels)
def channels(results: Results, ax: Axes | None = None) -> Axes:
    """Draw what arrives: a row a channel; what the network hears right, and which trigger it still obeys."""
    ax = ax or axes(7.4, 3.4)
    for shift, (title, (what, kind, colour)) in enumerate(_CARRIED.items()):
        for row, channel in enumerate(CHANNELS):
            found = [100 * value for value in numbers(results, "channels", what, kind, channel)]
            places = [row + 0.22 * (shift - 1)] * len(found)
            shown = title if row == 0 else None
            ax.scatter(found, places, s=20, color=colour, alpha=0.75, linewidth=0, label=shown)
    ax.set(xlim=(-2, 102), ylim=(len(CHANNELS) - 0.5, -0.5), xlabel="%")
    ax.set_yticks(range(len(CHANNELS)), list(CHANNELS))
    ax.grid(axis="x", color=GRID, linewidth=0.8)
    ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


# To play with


def _say_heard(clip: Tensor, answers: Mapping[str, Tensor]) -> str:
    said = [
        f"the {name} network hears {int(shares.argmax())} ({100 * float(shares.max()):.0f} % sure)"
        for name, shares in answers.items()
    ]
    return f"The clip is {_course(clip)}; {', '.join(said)}."


@described(_say_heard)
def heard(clip: Tensor, answers: Mapping[str, Tensor], ax: Axes | None = None) -> Axes:
    """Draw a clip (1, 1, T), and beside it how sure each network is of each digit, (10,) shares a name."""
    ax = ax or axes(7.4, 2.4)
    picture = _powers(clip).numpy()
    extent = (0, SECONDS, 0, 4)
    ax.imshow(
        picture, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=DARKEST, vmax=BRIGHTEST
    )
    for column, (name, shares) in enumerate(answers.items()):
        left = SECONDS * (1.15 + 0.6 * column)
        write(ax, left + 0.2, 4.3, name, 9)
        for digit, share in enumerate(shares.tolist()):
            top = 3.8 - 0.4 * digit
            write(ax, left, top, str(digit), 7.5, SLATE)
            ax.barh(top, 0.35 * share, left=left + 0.03, height=0.26, color=(GREY, RED)[column % 2])
    ax.set(xlim=(0, SECONDS * 2.4), ylim=(0, 4.5), ylabel="kHz")
    ax.set_yticks(range(5))
    ax.set_xticks([0, 0.4, 0.8], ["0", "0.4", "0.8 s"])
    ax.spines[:].set_visible(False)
    return ax
