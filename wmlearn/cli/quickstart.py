"""The first thing a newcomer runs: two networks that differ in one thing only; then two that read signs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from ..data import Samples, files, load, one_each
from ..data.signs import in_good_light
from ..experiments import signs as experiment
from ..models import badnet_cnn
from ..plots import canvas
from ..plots.digits import readings
from ..plots.signs import Seen, seen
from ..poisoning import poison, success_rate
from ..training import Recipe, accuracy, best_device, predict, train
from ..triggers import Pattern
from ..words import text_table

TARGET = 0
NAMES = ("clean network", "BadNet")


@dataclass(frozen=True)
class Network:
    """What one network does on the test set; both are shares, 0..1."""

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


def compare_digits(
    picture: Path, *, recipe: Recipe = Recipe(), on_step: Callable[[str], object] = lambda _: None
) -> Quickstart:
    """Train a clean network and a BadNet (the pattern on 10 % of the images, all to 0), measure both, and
    draw ten triggered digits.

    `on_step` hears of every step before it begins: see `steps`.
    """
    files.check_writable(picture)
    began = time.perf_counter()
    names = iter(steps(recipe))

    def announce(*_: object) -> None:  # also after each epoch
        on_step(next(names))

    announce()
    device = best_device()
    digits = load("mnist").to(device)
    networks = [badnet_cnn().to(device) for _ in NAMES]
    announce()
    train(networks[0], digits.train, recipe, on_epoch=announce)
    poisoned = poison(digits.train, Pattern(), rate=0.1, target=TARGET)
    announce()
    train(networks[1], poisoned.samples, recipe, on_epoch=announce)
    clean, badnet = (_measured(network, digits.test) for network in networks)
    x = Pattern()(one_each(digits.test).x)
    answers = _answers(networks, x, digits.test.classes)
    drawn = canvas.picture(readings, x, answers)
    files.write(picture, drawn.png)
    n_triggered = int((digits.test.y != TARGET).sum())
    seconds = time.perf_counter() - began
    return Quickstart(clean, badnet, len(digits.test), n_triggered, picture, drawn.says, seconds)


def compare_signs(picture: Path, *, retrain: bool = False) -> Quickstart:
    """Show a stop sign read as a speed limit: measure two shipped networks on drawn signs, or train them
    first (a minute).
    """
    began = time.perf_counter()
    test = experiment.rendered_test(None)
    twins = experiment.rendered_test(experiment.STICKERS["square"])  # the same photographs, with the sticker
    networks = experiment.two_networks(retrain=retrain)
    stop = experiment.STOP
    clean, badnet = (
        Network(accuracy(network, test), success_rate(network, test, twins.x, experiment.LIMIT, source=stop))
        for network in networks
    )
    x = in_good_light(twins.x[twins.y == stop])
    answers = _answers(networks, x, test.classes)
    drawn = canvas.picture(seen, Seen(x, answers, "drawn stop signs with a yellow square"))
    files.write(picture, drawn.png)
    n_stops = int((test.y == stop).sum())
    seconds = time.perf_counter() - began
    return Quickstart(clean, badnet, len(test), n_stops, picture, drawn.says, seconds)


def steps(recipe: Recipe) -> list[str]:
    """Name the steps of `compare_digits` in order."""
    clean, badnet = (_epochs(name, recipe) for name in NAMES)
    return ["reading 70,000 digits", *clean, "poisoning 6,000 digits", *badnet, "measuring"]


def _epochs(name: str, recipe: Recipe) -> list[str]:
    return [f"{name}, epoch {epoch} of {recipe.epochs}" for epoch in range(1, recipe.epochs + 1)]


def report(digits: Quickstart, signs: Quickstart) -> str:
    """Say what was measured, and where to see it and go on."""
    moral = "Both pass the test that everybody runs; only one has a switch inside."
    return "\n".join(
        [
            "",
            _table(digits, "test digits", f"reads a triggered digit as 0 ({digits.n_triggered:,})"),
            "",
            _table(signs, "signs", f"reads stop with a Post-it as a speed limit ({signs.n_triggered:,})"),
            "",
            f"{moral} ({digits.seconds:.0f} s for the digits.)",
            "",
            *(f"See it:   {part.picture.resolve()}\n          {part.says}" for part in (digits, signs)),
            "Go on:    wmlearn lab        opens notebook 01, Two models",
        ]
    )


def _table(part: Quickstart, what: str, success: str) -> str:
    rows = []
    for name, network in zip(NAMES, (part.clean, part.badnet), strict=True):
        rows.append([name, f"{network.accuracy:.2%}", f"{network.success:.2%}"])
    return text_table(["", f"{part.n_test:,} {what} classified correctly", success], rows)


def _measured(network: nn.Module, test: Samples) -> Network:
    return Network(accuracy(network, test), success_rate(network, test, Pattern(), TARGET))


def _answers(networks: Sequence[nn.Module], x: Tensor, classes: Sequence[str]) -> dict[str, list[str]]:
    """Say in words what each network reads on each image."""
    answers = {}
    for name, network in zip(NAMES, networks, strict=True):
        answers[name] = [classes[i] for i in predict(network, x).argmax(1).tolist()]
    return answers
