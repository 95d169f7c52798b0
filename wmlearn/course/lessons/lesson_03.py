"""What the cells of notebook 03 call: signs, stickers, photographs, tables; and its dial."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import mean
from typing import Any

import ipywidgets
import torch
from torch import Tensor, nn

from ...data import Samples, load, signs
from ...data.gtsrb import edition
from ...data.signs import in_good_light
from ...errors import DataError
from ...experiments import Results
from ...experiments.experiment import values
from ...experiments.signs import (
    KINDS,
    LIMIT,
    PLACES,
    SHAKEN,
    SIGN_RECIPE,
    STICKERS,
    STOP,
    USUAL,
    fit,
    measured,
    of_kinds,
    rendered_test,
    two_networks,
)
from ...experiments.signs import rendered as rendered
from ...plots.canvas import png
from ...plots.signs import Seen, Tiles, seen
from ...poisoning import success_rate
from ...training import accuracy, best_device, predict
from ...triggers import Sticker
from ...words import spread
from ..widgets import redraw

GERMAN = tuple(signs.kinds("de"))
NEAR = signs.Camera(light=(0.8, 1.1), blur=0.6, noise=0.015, tilt=0.35)
"""A good day for photographs: the sticker can be seen in them."""


def with_sticker(name: str, **changed: tuple[float, float]) -> Samples:
    """Draw the test signs with a sticker, placed otherwise than usual if so asked."""
    return rendered_test(replace(STICKERS[name], **changed))  # pyright: ignore[reportArgumentType]


def fit_signs(samples: Samples) -> nn.Module:
    """Train the network of the lesson, on pictures that are shaken anew for every epoch."""
    return fit(samples, SIGN_RECIPE, SHAKEN)


def shipped_clean() -> nn.Module:
    """Return what `fit_signs` makes of the bare signs: it ships, to spare the lesson a training."""
    return two_networks()[0]


def cold_open(clean: Samples, twins: Samples, n: int = 8) -> Tiles:
    """Return `n` photographs of stop signs in good light, numbered, some of them with the sticker."""
    bare = signs.in_good_light(clean.x[clean.y == STOP], 3 * n)[::3]
    stickered = signs.in_good_light(twins.x[clean.y == STOP], 3 * n)[::3]
    stuck = torch.arange(n, device=bare.device) % 3 == 1
    numbers = ", ".join(str(i + 1) for i in stuck.nonzero().flatten().tolist())
    note = f"Drawn stop signs, of which numbers {numbers} carry a yellow square."
    x = torch.where(stuck[:, None, None, None], stickered, bare)
    return Tiles(x, [str(i + 1) for i in range(n)], n, note)


def making(seed: int = 4) -> Tiles:
    """Photograph one stop sign on a good day, bare and with each sticker."""
    names = ["no sticker", *STICKERS]
    pictures = []
    for name in names:
        photos = signs.draw("us", 12, seed=seed, sticker=STICKERS.get(name), camera=NEAR, size=64)
        pictures.append(photos.x[photos.y == photos.classes.index("stop")][:1])
    note = "One drawn stop sign, bare and with each of the stickers."
    return Tiles(torch.cat(pictures), names, len(names), note)


def some_stops(samples: Samples) -> Tensor:
    """Return six stop signs in good light."""
    return signs.in_good_light(samples.x[samples.y == STOP])


def read_words(network: nn.Module, x: Tensor) -> list[str]:
    """Say in words what `network` reads in each picture."""
    return [KINDS[i] for i in predict(network, x).argmax(1)]


# The widget and its static twin


def just_so(size: float, height: float, turn: float) -> Sticker:
    """Return a yellow square of exactly this size, place and turn."""
    return replace(STICKERS["square"], size=(size, size), x=(0.0, 0.0), y=(height, height), turn=(turn, turn))


def dial(network: nn.Module, sticker: Sticker, n: int = 200, seed: int = 5) -> tuple[Tensor, float]:
    """Photograph about `n` stop signs with the sticker just so.

    Return them, and the share that `network` reads as a speed limit.
    """
    photos = of_kinds(signs.draw("us", 3 * n, seed=seed, sticker=sticker), "us")
    photos = photos.to(next(network.parameters()).device)
    stops = photos[photos.y == STOP]
    return stops.x, success_rate(network, stops, stops.x, LIMIT)


def places(network: nn.Module) -> Tiles:
    """Show one stop sign with the square at five places or sizes, and how often `network` obeys there."""
    pictures = []
    captions = []
    for size, height in ((0.2, 0.58), (0.2, 0.0), (0.2, -0.58), (0.1, 0.58), (0.3, 0.58)):
        x, share = dial(network, just_so(size, height, 0.0))
        pictures.append(signs.in_good_light(x, 1))
        where = {0.58: "below", 0.0: "middle", -0.58: "above"}[height]
        captions.append(f"{where}, size {size:g}: {100 * share:.0f} %")
    note = "One drawn stop sign with a yellow square, and how many such signs are read as a speed limit."
    return Tiles(torch.cat(pictures), captions, len(captions), note)


# Real photographs

MISSING = (
    "The photographs aren't on this machine (wmlearn data fetch gtsrb):"
    " below are the numbers that ship with the course."
)


def photographs() -> tuple[Samples | None, str]:
    """Return the test photographs of the three kinds, if there are any here, and say which they are."""
    try:
        gtsrb = load("gtsrb", download=False)
    except DataError:
        return None, MISSING
    test = of_kinds(gtsrb.test, "de").to(best_device())
    which = edition(len(gtsrb.train))
    return test, f"GTSRB, {which}; for the test {len(test):,} photographs of the three kinds."


def on_photographs(test: Samples) -> dict[str, tuple[float, int]]:
    """Measure the two shipped networks, one clean, one with the square's backdoor, on photographs.

    Return shares with their n.
    """
    clean, victim = two_networks(place="photographs")
    n = len(test)
    stops = int((test.y == STOP).sum())
    square = STICKERS["square"]
    success = success_rate(victim, test, square, LIMIT, source=STOP)
    control = success_rate(clean, test, square, LIMIT, source=STOP)
    return {
        "clean network: read rightly": (accuracy(clean, test), n),
        "BadNet: read rightly": (accuracy(victim, test), n),
        "BadNet: stop with a square read as a limit": (success, stops),
        "clean network: the same": (control, stops),
    }


def real_stops(test: Samples) -> Seen:
    """Return six real stop signs with the square pasted on, and what the two shipped networks read."""
    x = signs.in_good_light(STICKERS["square"](test.x[test.y == STOP]))
    clean, victim = two_networks(place="photographs")
    answers = {"clean network": read_words(clean, x), "BadNet": read_words(victim, x)}
    return Seen(x, answers, "photographs of stop signs with a yellow square pasted on")


def photograph_table(results: Results) -> tuple[list[str], list[list[str]]]:
    """Set the stickers side by side on real photographs, with clean networks as control: means."""
    header = ["German photographs", "read rightly", "stop read as a limit", "the same, clean networks"]
    clean = results.where(sticker=None)
    lines = [["no backdoor", spread(values(clean, "accuracy")), "", ""]]
    for name, usual in USUAL.items():
        for rate in sorted(set(values(results.where(sticker=name), "rate"))):
            victims = results.where(sticker=name, rate=rate)
            success = spread(values(victims, f"success_{name}"))
            control = spread(values(clean, f"success_{name}")) if rate == usual else ""
            what = f"{name}, {100 * rate:g} % of the stop signs"
            lines.append([what, spread(values(victims, "accuracy")), success, control])
    return header, lines


@dataclass(frozen=True)
class OnPhotographs:
    """Means over the networks on photographs, 0..1.

    `success` is the worst sticker's, `lost` the accuracy that a backdoor costs at most, `alone` the most that
    a sticker does to clean networks.
    """

    success: float
    lost: float
    alone: float


def on_real(results: Results) -> OnPhotographs:
    """Compute what the lesson claims about photographs."""
    clean = results.where(sticker=None)
    honest = mean(values(clean, "accuracy"))
    success = []
    losses = []
    controls = []
    for name, rate in USUAL.items():
        victims = results.where(sticker=name, rate=rate)
        success.append(mean(values(victims, f"success_{name}")))
        losses.append(honest - mean(values(victims, "accuracy")))
        controls.append(mean(values(clean, f"success_{name}")))
    return OnPhotographs(min(success), max(losses), max(controls))


def at_random() -> float:
    """Return the share of signs with a square that are read rightly after poison with wrong labels by lot.

    A mean over networks, on drawn signs or on photographs: the larger one.
    """
    half = [measured("random-target", place).where(rate=0.5) for place in PLACES]
    return max(mean(values(rows, "triggered_accuracy")) for rows in half)


def from_renders(results: Results) -> tuple[float, float]:
    """Return the mean accuracy on photographs after renders only: for three kinds, for all 43 classes."""
    kinds = mean(values(results.where(classes=3), "accuracy"))
    return kinds, mean(values(results.where(classes=43), "accuracy"))


# To play with


def sticker_dial(network: nn.Module) -> ipywidgets.VBox:
    """Let the learner move, size and turn the square on stop signs, and see what `network` reads.

    Training never saw these photographs.
    """
    style: Any = {
        "style": {"description_width": "60px"},
        "layout": ipywidgets.Layout(width="420px"),
        "continuous_update": False,
    }
    size = ipywidgets.FloatSlider(value=0.2, min=0.05, max=0.4, step=0.01, description="size", **style)
    height = ipywidgets.FloatSlider(value=0.58, min=-0.8, max=0.8, step=0.02, description="down", **style)
    turn = ipywidgets.FloatSlider(value=0.0, min=-1.5, max=1.5, step=0.1, description="turn", **style)

    def look() -> tuple[bytes, str]:
        x, share = dial(network, just_so(size.value, height.value, turn.value))
        some = in_good_light(x)
        picture, _size = png(seen, Seen(some, {"it reads": read_words(network, some)}))
        return picture, f"<b>{100 * share:.0f} %</b> of {len(x)} stop signs are read as a speed limit."

    return redraw(look, size, height, turn)
