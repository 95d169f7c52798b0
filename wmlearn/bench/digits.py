"""How fast is training here, and how near to what the machine can do?"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torch.utils.flop_counter import FlopCounterMode

from ..data import Samples, load
from ..models import badnet_cnn
from ..poisoning import poison, success_rate
from ..training import Recipe, TrainLog, accuracy, best_device, predict, resolve, train
from ..triggers import Pattern
from .timing import Timing, fastest, installed, measure, missing

ACCURACY = 0.990  # what "time to target" waits for, with
SUCCESS = 0.999


def timings(recipe: Recipe = Recipe(), *, repeats: int = 3) -> Iterator[Timing]:
    """Yield timings of this package's loop, of a plain one, and of the Adversarial Robustness Toolbox."""
    device = best_device()
    digits = load("mnist").to(device)
    samples = poison(digits.train, Pattern(), rate=0.1, target=0).samples
    once = replace(recipe, epochs=1)
    train(badnet_cnn().to(device), samples[:5000], once)  # warm up
    epoch = fastest(lambda: train(badnet_cnn().to(device), samples, once), device, repeats)
    precision = resolve(recipe.precision, device)
    threads = torch.get_num_threads()
    note = f"{precision}, batch {recipe.batch_size}, {threads} threads, {device.type}"
    yield Timing("one epoch, this package", epoch, "s", note)
    yield from _beside_the_peak(precision, device, len(samples) / epoch)
    yield _plain(samples, recipe.batch_size, repeats, epoch)
    yield _to_target(samples, digits.test, recipe)
    reading = fastest(lambda: predict(badnet_cnn().to(device), digits.test.x), device, repeats)
    yield Timing("predict 10,000 images", reading, "s", "fp32")
    yield _peak_memory()
    yield _toolbox(samples, epoch)


def _beside_the_peak(precision: str, device: torch.device, rate: float) -> Iterator[Timing]:
    """Yield what the machine can do, and how much of it training at `rate` images a second does."""
    peak = matmul_peak(precision, device)
    flops = training_flops(device)
    yield Timing("matmul peak", peak / 1e9, "GFLOP/s", f"2048 x 2048, {precision}")
    share = 100 * flops * rate / peak
    yield Timing("fraction of the matmul peak", share, "%", f"{flops / 1e6:.2f} MFLOP an image")


def _plain(samples: Samples, batch_size: int, repeats: int, epoch: float) -> Timing:
    device = samples.x.device
    data = TensorDataset(samples.x, samples.y)
    plain = fastest(lambda: plain_epoch(plain_network().to(device), data, batch_size), device, repeats)
    note = f"DataLoader, Adam: {plain / epoch:.1f} times as long"
    return Timing("one epoch, plain fp32 loop", plain, "s", note)


def _to_target(samples: Samples, test: Samples, recipe: Recipe) -> Timing:
    last = time_to_target(samples, test, recipe)
    shares = f"accuracy {last.accuracy:.2%}, success {last.success:.2%}"
    note = f"{shares}: target {'reached' if last.met else 'NOT reached'}"
    return Timing(f"time to {ACCURACY:.1%} / {SUCCESS:.1%}", last.seconds, "s", note)


def _peak_memory() -> Timing:
    what = "peak memory of this run"
    if not installed("resource"):
        return Timing(what, None, "GiB", "this system doesn't say")
    import resource  # not on Windows

    units = 2**30 if sys.platform == "darwin" else 2**20  # bytes there, KiB elsewhere
    return Timing(what, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / units, "GiB")


def _toolbox(samples: Samples, epoch: float) -> Timing:
    what = "one epoch, Adversarial Robustness Toolbox"
    if not installed("art"):
        return missing(what, "bench")
    seconds = measure(lambda: toolbox_epoch(samples), samples.x.device).seconds
    return Timing(what, seconds, "s", f"Adam, batch 128: {seconds / epoch:.1f} times as long")


def matmul_peak(precision: str, device: torch.device, size: int = 2048) -> float:
    """Measure FLOP/s of the best of ten square matrix products."""
    a = torch.rand(size, size, device=device).to(torch.bfloat16 if precision == "bf16" else torch.float32)
    return 2 * size**3 / fastest(lambda: a @ a, device, repeats=10)


def training_flops(device: torch.device) -> float:
    """Count the multiply-adds (times two) of one image, forward and backward."""
    model = badnet_cnn().to(device)
    x = torch.rand(64, 1, 28, 28, device=device)
    with FlopCounterMode(display=False) as counter:
        model(x).sum().backward()
    return counter.get_total_flops() / len(x)


@dataclass(frozen=True)
class Look:
    """What a network could do after so many seconds of training."""

    seconds: float
    accuracy: float
    success: float

    @property
    def met(self) -> bool:
        """Whether that is the target."""
        return self.accuracy >= ACCURACY and self.success >= SUCCESS


def time_to_target(samples: Samples, test: Samples, recipe: Recipe) -> Look:
    """Train by `recipe`, and return the first look that met the target, or the last."""
    looks: list[Look] = []
    began = time.perf_counter()

    def look(model: nn.Module, log: TrainLog) -> None:
        nonlocal began
        if looks and looks[-1].met:
            return
        spent = time.perf_counter() - began + (looks[-1].seconds if looks else 0.0)
        looks.append(Look(spent, accuracy(model, test), success_rate(model, test, Pattern(), 0)))
        began = time.perf_counter()  # looking is no training

    train(badnet_cnn(recipe.seed).to(samples.x.device), samples, recipe, on_epoch=look)
    return looks[-1]


def plain_network() -> nn.Sequential:
    """Build the same network as most would write it."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 5), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(16, 32, 5), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10),
    )  # fmt: skip


def plain_epoch(model: nn.Module, data: Dataset[Any], batch_size: int) -> None:
    """Train one epoch as most would write it: a DataLoader, fp32, Adam."""
    device = next(model.parameters()).device
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    model.train()
    for x, y in DataLoader(data, batch_size, shuffle=True):
        loss = F.cross_entropy(model(x.to(device)), y.to(device))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def toolbox_epoch(samples: Samples) -> None:
    """Train one epoch with the Adversarial Robustness Toolbox's wrapper of the same network."""
    from art.estimators.classification import PyTorchClassifier

    model = plain_network()
    classifier = PyTorchClassifier(
        model,
        nn.CrossEntropyLoss(),
        input_shape=(1, 28, 28),
        nb_classes=10,
        optimizer=torch.optim.Adam(model.parameters(), 1e-3),
    )
    classifier.fit(samples.x.cpu().numpy(), samples.y.cpu().numpy(), batch_size=128, nb_epochs=1)
