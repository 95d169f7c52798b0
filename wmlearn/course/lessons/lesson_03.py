"""The exercises of notebook 03: reference, cases, named mistakes, hints."""

from __future__ import annotations

from dataclasses import replace
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
from ...plots.signs import seen
from ...poisoning import success_rate
from ...training import accuracy, best_device, predict
from ...triggers import Sticker
from ...words import spread
from ..widgets import redrawn

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
    """Return what `fit_signs` makes of the signs without a sticker: it ships, to spare the lesson a training."""
    return two_networks()[0]


def cold_open(clean: Samples, twins: Samples, n: int = 8) -> tuple[Tensor, list[str], int, str]:
    """Return `n` photographs of stop signs in good light, some of them with the sticker, numbered, in one
    row.
    """
    bare, stickered = (signs.in_good_light(part.x[clean.y == STOP], 3 * n)[::3] for part in (clean, twins))
    stuck = torch.arange(n, device=bare.device) % 3 == 1
    numbers = ", ".join(str(i + 1) for i in stuck.nonzero().flatten().tolist())
    note = f"Drawn stop signs, of which numbers {numbers} carry a yellow square."
    return torch.where(stuck[:, None, None, None], stickered, bare), [str(i + 1) for i in range(n)], n, note


def making(seed: int = 4) -> tuple[Tensor, list[str], int, str]:
    """Photograph one stop sign on a good day, bare and with each sticker."""
    names, pictures = ["no sticker", *STICKERS], []
    for name in names:
        drawn = signs.draw("us", 12, seed=seed, sticker=STICKERS.get(name), camera=NEAR, size=64)
        pictures.append(drawn.x[drawn.y == drawn.classes.index("stop")][:1])
    return torch.cat(pictures), names, len(names), "One drawn stop sign, bare and with each of the stickers."


def some_stops(samples: Samples) -> Tensor:
    """Return six stop signs in good light."""
    return signs.in_good_light(samples.x[samples.y == STOP])


def readings(network: nn.Module, x: Tensor) -> list[str]:
    """Say in words what `network` reads in each picture."""
    return [KINDS[i] for i in predict(network, x).argmax(1)]


# The widget and its static twin


def just_so(size: float, height: float, turn: float) -> Sticker:
    """Return a yellow square of exactly this size, place and turn."""
    return replace(STICKERS["square"], size=(size, size), x=(0.0, 0.0), y=(height, height), turn=(turn, turn))


def dial(network: nn.Module, sticker: Sticker, n: int = 200, seed: int = 5) -> tuple[Tensor, float]:
    """Photograph about `n` stop signs with the sticker just so; return them, and the share that `network`
    reads as a speed limit.
    """
    drawn = of_kinds(signs.draw("us", 3 * n, seed=seed, sticker=sticker), "us").to(
        next(network.parameters()).device
    )
    stops = drawn[drawn.y == STOP]
    return stops.x, success_rate(network, stops, stops.x, LIMIT)


def places(network: nn.Module) -> tuple[Tensor, list[str], int, str]:
    """Show one stop sign with the square at five places or sizes, and how often `network` obeys there."""
    tried = [(0.2, 0.58), (0.2, 0.0), (0.2, -0.58), (0.1, 0.58), (0.3, 0.58)]
    shown, captions = [], []
    for size, height in tried:
        x, share = dial(network, just_so(size, height, 0.0))
        shown.append(signs.in_good_light(x, 1))
        where = {0.58: "below", 0.0: "middle", -0.58: "above"}[height]
        captions.append(f"{where}, size {size:g}: {100 * share:.0f} %")
    note = "One drawn stop sign with a yellow square, and how many such signs are read as a speed limit."
    return torch.cat(shown), captions, len(tried), note


# Real photographs


def photographs() -> tuple[Samples | None, str]:
    """Return the test photographs of the three kinds, if they are on this machine, and a sentence that says
    which they are.
    """
    try:
        found = load("gtsrb", download=False)
    except DataError:
        return (
            None,
            (
                "The photographs aren't on this machine (wmlearn data fetch gtsrb): below are the numbers"
                " that ship with the course."
            ),
        )
    test = of_kinds(found.test, "de").to(best_device())
    return (
        test,
        f"GTSRB, {edition(len(found.train))}; for the test {len(test):,} photographs of the three kinds.",
    )


def on_photographs(test: Samples) -> dict[str, tuple[float, int]]:
    """Measure the two shipped networks, one clean, one with the square's backdoor, on photographs; shares
    with their n.
    """
    clean, victim = two_networks(place="photographs")
    n, stops, square = len(test), int((test.y == STOP).sum()), STICKERS["square"]
    return {
        "clean network: read rightly": (accuracy(clean, test), n),
        "BadNet: read rightly": (accuracy(victim, test), n),
        "BadNet: stop with a square read as a limit": (
            success_rate(victim, test, square, LIMIT, source=STOP),
            stops,
        ),
        "clean network: the same": (success_rate(clean, test, square, LIMIT, source=STOP), stops),
    }


def real_stops(test: Samples) -> tuple[Tensor, dict[str, list[str]], str]:
    """Return six real stop signs with the square pasted on, and what the two shipped networks read."""
    x = signs.in_good_light(STICKERS["square"](test.x[test.y == STOP]))
    clean, victim = two_networks(place="photographs")
    answers = {"clean network": readings(clean, x), "BadNet": readings(victim, x)}
    return x, answers, "photographs of stop signs with a yellow square pasted on"


def photograph_table(results: Results) -> tuple[list[str], list[list[str]]]:
    """Set the three stickers side by side on real photographs, with the clean networks as control: means over
    the networks.
    """
    clean = results.where(sticker=None)
    header = ["German photographs", "read rightly", "stop read as a limit", "the same, clean networks"]
    lines = [["no backdoor", spread([row["accuracy"] for row in clean]), "", ""]]
    for name, usual in USUAL.items():
        key = f"success_{name}"
        for rate in sorted({row["rate"] for row in results.where(sticker=name)}):
            victims = results.where(sticker=name, rate=rate)
            control = spread([row[key] for row in clean]) if rate == usual else ""
            accuracies, wins = ([row[k] for row in victims] for k in ("accuracy", key))
            lines.append(
                [f"{name}, {100 * rate:g} % of the stop signs", spread(accuracies), spread(wins), control]
            )
    return header, lines


def on_real(results: Results) -> tuple[float, float, float]:
    """Return means over the networks on photographs, 0..1: success of the worst sticker, accuracy lost, and
    the most that a sticker alone does to clean networks.
    """
    clean = results.where(sticker=None)
    honest = mean(row["accuracy"] for row in clean)
    victims = {name: results.where(sticker=name, rate=rate) for name, rate in USUAL.items()}
    success = min(mean(row[f"success_{name}"] for row in own) for name, own in victims.items())
    lost = max(honest - mean(row["accuracy"] for row in own) for own in victims.values())
    return success, lost, max(mean(row[f"success_{name}"] for row in clean) for name in USUAL)


def at_random() -> float:
    """Return the share of signs with a square that are read rightly after poison with wrong labels by lot.

    A mean over networks, on drawn signs or on photographs: the larger one.
    """
    return max(
        mean(row["triggered_accuracy"] for row in measured("random-target", place).where(rate=0.5))
        for place in PLACES
    )


def from_renders(results: Results) -> tuple[float, float]:
    """Return the mean accuracy on photographs of networks that saw renders only: three kinds, all 43 classes."""
    kinds, all43 = (mean(row["accuracy"] for row in results.where(classes=classes)) for classes in (3, 43))
    return kinds, all43


# The exercises


def sticker_dial(network: nn.Module) -> ipywidgets.VBox:
    """Let the learner move, size and turn the square on stop signs, and see what `network` reads in
    photographs that training never saw.
    """
    style: dict[str, Any] = {
        "style": {"description_width": "60px"},
        "layout": ipywidgets.Layout(width="420px"),
        "continuous_update": False,
    }
    size = ipywidgets.FloatSlider(value=0.2, min=0.05, max=0.4, step=0.01, description="size", **style)
    height = ipywidgets.FloatSlider(value=0.58, min=-0.8, max=0.8, step=0.02, description="down", **style)
    turn = ipywidgets.FloatSlider(value=0.0, min=-1.5, max=1.5, step=0.1, description="turn", **style)

    def look() -> tuple[bytes, str]:
        x, share = dial(network, just_so(size.value, height.value, turn.value))
        shown = in_good_light(x)
        picture, _size = png(seen, shown, {"it reads": readings(network, shown)})
        return picture, f"<b>{100 * share:.0f} %</b> of {len(x)} stop signs are read as a speed limit."

    return redrawn(look, size, height, turn)
