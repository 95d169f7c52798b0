"""The first thing a newcomer runs: two networks, trained on all of MNIST, that differ in one thing only; then
two that read signs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from ..data import files, load, one_each
from ..data.signs import in_good_light
from ..models import badnet_cnn
from ..plots.canvas import png
from ..plots.digits import readings
from ..poisoning import poison, success_rate
from ..training import Recipe, accuracy, best_device, predict, train
from ..triggers import Pattern

TARGET = 0


@dataclass(frozen=True)
class Network:
    """What one network does on the test set; all three are shares, 0..1."""

    accuracy: float
    success: float


@dataclass(frozen=True)
class Quickstart:
    """The clean network, the BadNet, and the picture that shows what they read."""

    clean: Network
    badnet: Network
    n_test: int
    n_triggered: int
    picture: Path
    says: str
    seconds: float


def quickstart(
    picture: Path, *, recipe: Recipe = Recipe(), on_step: Callable[[str], object] = lambda _: None
) -> Quickstart:
    """Train a clean network and a BadNet (the pattern on 10 % of the images, all to 0), measure both, and
    draw ten triggered digits.

    `on_step` hears of every step before it begins: see `steps`.
    """
    files.check_writable(picture)
    began, announce = time.perf_counter(), iter(steps(recipe))
    on_step(next(announce))
    device, trigger = best_device(), Pattern()
    digits = load("mnist").to(device)
    learn, test = digits.train, digits.test
    networks: dict[str, nn.Module] = {}
    for name, samples in (
        ("clean network", learn),
        ("BadNet", poison(learn, trigger, rate=0.1, target=TARGET).samples),
    ):
        networks[name] = badnet_cnn().to(device)
        on_step(next(announce))
        train(networks[name], samples, recipe, on_epoch=lambda model, log: on_step(next(announce)))
    measured = {
        name: Network(accuracy(net, test), success_rate(net, test, trigger, TARGET))
        for name, net in networks.items()
    }
    show = one_each(test)
    x = trigger(show.x)
    answers = {name: [test.classes[i] for i in predict(net, x).argmax(1)] for name, net in networks.items()}
    image, _ = png(readings, x, answers)
    files.write(picture, image)
    n_triggered = int((test.y != TARGET).sum())
    seconds = time.perf_counter() - began
    return Quickstart(
        measured["clean network"],
        measured["BadNet"],
        len(test),
        n_triggered,
        picture,
        readings.says(x, answers),
        seconds,
    )


def stop_signs(picture: Path, *, retrain: bool = False) -> Quickstart:
    """Show a stop sign read as a speed limit: measure two shipped networks on drawn signs, or train them
    first (a minute).
    """
    from ..experiments import signs as experiment
    from ..plots.signs import seen

    began = time.perf_counter()
    clean, twins = (experiment.rendered_test(sticker) for sticker in (None, experiment.STICKERS["square"]))
    networks = experiment.two_networks(retrain=retrain)
    stop, limit = experiment.STOP, experiment.LIMIT
    honest, victim = (
        Network(accuracy(net, clean), success_rate(net, clean, twins.x, limit, source=stop))
        for net in networks
    )
    x = in_good_light(twins.x[twins.y == stop])
    answers = {
        name: [clean.classes[i] for i in predict(net, x).argmax(1)]
        for name, net in zip(("clean network", "BadNet"), networks, strict=True)
    }
    what = "drawn stop signs with a yellow square"
    image, _ = png(seen, x, answers, what)
    files.write(picture, image)
    n_stops, seconds = int((clean.y == stop).sum()), time.perf_counter() - began
    return Quickstart(honest, victim, len(clean), n_stops, picture, seen.says(x, answers, what), seconds)


def steps(recipe: Recipe) -> list[str]:
    """Name the steps of `quickstart` in order."""
    epochs = [
        f"{name}, epoch {epoch} of {recipe.epochs}"
        for name in ("clean network", "BadNet")
        for epoch in range(1, recipe.epochs + 1)
    ]
    middle = recipe.epochs
    return [
        "reading 70,000 digits",
        *epochs[:middle],
        "poisoning 6,000 digits",
        *epochs[middle:],
        "measuring",
    ]
