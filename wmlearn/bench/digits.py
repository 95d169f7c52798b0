"""How fast is training here, and how near to what the machine can do? Everything is measured in one run, on
one machine.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
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

ACCURACY, SUCCESS = 0.990, 0.999  # the target of "time to target"


@dataclass(frozen=True)
class Timing:
    """One line of the report."""

    what: str
    value: float
    unit: str
    note: str = ""


def bench(recipe: Recipe = Recipe(), *, repeats: int = 3) -> Iterator[Timing]:
    """Yield timings of this package's loop, of a plain one, and of the Adversarial Robustness Toolbox when it
    is installed.
    """
    device = best_device()
    digits = load("mnist").to(device)
    samples, test = poison(digits.train, Pattern(), rate=0.1, target=0).samples, digits.test
    precision = resolve(recipe.precision, device)
    train(badnet_cnn().to(device), samples[:5000], replace(recipe, epochs=1))  # warm up

    epoch = min(
        seconds(lambda: train(badnet_cnn().to(device), samples, replace(recipe, epochs=1)), device)
        for _ in range(repeats)
    )
    yield Timing(
        "one epoch, this package",
        epoch,
        "s",
        f"{precision}, batch {recipe.batch_size}, {torch.get_num_threads()} threads, {device.type}",
    )

    peak, flops = matmul_peak(precision, device), training_flops(device)
    yield Timing("matmul peak", peak / 1e9, "GFLOP/s", f"2048 x 2048, {precision}")
    yield Timing(
        "fraction of the matmul peak",
        100 * flops * len(samples) / epoch / peak,
        "%",
        f"{flops / 1e6:.2f} MFLOP an image",
    )

    tensors = TensorDataset(samples.x, samples.y)
    plain = min(
        seconds(lambda: plain_epoch(plain_network().to(device), tensors, recipe.batch_size), device)
        for _ in range(repeats)
    )
    yield Timing(
        "one epoch, plain fp32 loop", plain, "s", f"DataLoader, Adam: {plain / epoch:.1f} times as long"
    )

    spent, got = time_to_target(samples, test, recipe)
    note = (
        f"accuracy {got[0]:.2%}, success {got[1]:.2%}: target"
        f" {'reached' if got[0] >= ACCURACY and got[1] >= SUCCESS else 'NOT reached'}"
    )
    yield Timing(f"time to {ACCURACY:.1%} / {SUCCESS:.1%}", spent, "s", note)

    reading = min(seconds(lambda: predict(badnet_cnn().to(device), test.x), device) for _ in range(repeats))
    yield Timing("predict 10,000 images", reading, "s", "fp32")
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    yield Timing("peak memory of this run", peak_kib / 2**20, "GiB")
    if find_spec("art"):
        toolbox = seconds(lambda: toolbox_epoch(samples), device)
        yield Timing(
            "one epoch, Adversarial Robustness Toolbox",
            toolbox,
            "s",
            f"Adam, batch 128: {toolbox / epoch:.1f} times as long",
        )


def matmul_peak(precision: str, device: torch.device, size: int = 2048) -> float:
    """Measure FLOP/s of the best of ten square matrix products."""
    a = torch.rand(size, size, device=device).to(torch.bfloat16 if precision == "bf16" else torch.float32)
    return 2 * size**3 / min(seconds(lambda: a @ a, device) for _ in range(10))


def training_flops(device: torch.device) -> float:
    """Count the multiply-adds (times two) of one image, forward and backward."""
    model, x = badnet_cnn().to(device), torch.rand(64, 1, 28, 28, device=device)
    with FlopCounterMode(display=False) as counter:
        model(x).sum().backward()
    return counter.get_total_flops() / len(x)


def time_to_target(samples: Samples, test: Samples, recipe: Recipe) -> tuple[float, tuple[float, float]]:
    """Train by `recipe`; return the training seconds until the target was met (or all of them), and the
    accuracy and success by then.
    """
    spent, got, began = 0.0, (0.0, 0.0), time.perf_counter()
    reached = False

    def look(model: nn.Module, log: TrainLog) -> None:
        nonlocal spent, got, began, reached
        if reached:
            return
        spent += time.perf_counter() - began
        got = accuracy(model, test), success_rate(model, test, Pattern(), 0)
        reached = got[0] >= ACCURACY and got[1] >= SUCCESS
        began = time.perf_counter()

    train(badnet_cnn(recipe.seed).to(samples.x.device), samples, recipe, on_epoch=look)
    return spent, got


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
    from art.estimators.classification import PyTorchClassifier  # pyright: ignore[reportMissingImports]

    model = plain_network()
    classifier = PyTorchClassifier(
        model,
        nn.CrossEntropyLoss(),
        input_shape=(1, 28, 28),
        nb_classes=10,
        optimizer=torch.optim.Adam(model.parameters(), 1e-3),
    )
    classifier.fit(samples.x.cpu().numpy(), samples.y.cpu().numpy(), batch_size=128, nb_epochs=1)


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Time `work`, until `device` has done all of it."""
    began = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began
