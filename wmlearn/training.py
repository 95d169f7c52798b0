"""How a network learns and answers: the loop that fits a classifier, and the one that asks it.

Three more loops change a network, each with something else to lower: `street_detector.train_detector`
(boxes), `removal.distill.train_to_imitate` (another network's logits), `transfer.retrain` (a head, on
features that are computed once). The first two go downhill by the same `OneCycle` as `train`.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import memory, progress
from .data import Samples, check_inputs
from .errors import NOT_EMPTY, WmlearnError, require
from .models.adapter import eagerly, forward, in_float, reading
from .models.hooks import Keep, listening

Penalty = Callable[[nn.Module], Tensor]
"""An extra loss term that depends on the weights only."""

Precision = Literal["auto", "bf16", "fp32"]


@dataclass(frozen=True)
class Recipe:
    """How to train: AdamW under a one-cycle schedule. Everything that changes the numbers is here.

    The defaults were chosen on a validation split of MNIST: `wmlearn reproduce recipe-search`.

    >>> wm.Recipe(epochs=2, batch_size=100).steps(1_000)
    20
    """

    epochs: int = 3
    lr: float = 1e-2  # the peak of the cycle
    weight_decay: float = 1e-2
    batch_size: int = 256
    seed: int = 0  # of the order of the samples; first weights belong to the model
    precision: Precision = "auto"  # bf16 where the hardware multiplies it natively, else fp32

    def __post_init__(self) -> None:
        require(self.epochs >= 1, "epochs must be at least 1", self.epochs)
        require(self.lr > 0, "lr must be positive", self.lr)
        require(self.weight_decay >= 0, "weight_decay must not be negative", self.weight_decay)
        require(self.batch_size >= 1, "batch_size must be at least 1", self.batch_size)
        rule = f"precision must be one of {', '.join(get_args(Precision))}"
        require(self.precision in get_args(Precision), rule, self.precision)

    def steps(self, n: int) -> int:
        """Count the steps of a training on `n` samples; the last batch of an epoch may be a small one."""
        return self.epochs * math.ceil(n / self.batch_size)


@dataclass(frozen=True)
class TrainLog:
    """The recipe, the precision that "auto" came to, and one mean loss an epoch.

    >>> samples = wm.Samples(torch.rand(40, 1, 4, 4), torch.arange(40) % 2, ("cat", "dog"))
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2))
    >>> log = wm.train(model, samples, wm.Recipe(epochs=2))
    >>> len(log.loss)
    2
    """

    recipe: Recipe
    precision: Precision
    loss: tuple[float, ...] = ()


Augment = Callable[[Samples, int], Samples]
"""Changes the samples for epoch 0, 1, …: other shifts, other light; as many as there were, with labels."""

OnEpoch = Callable[[nn.Module, TrainLog], object]
"""Called after every epoch, with the model as it is by then."""


@dataclass(frozen=True, eq=False)
class OneCycle:
    """AdamW whose rate climbs from a 25th of `recipe.lr` to its peak, and then falls to almost nothing.

    A high rate is what makes a training short; the slow start lets it through without the loss running away,
    the long fall lets the weights settle (L. Smith, N. Topin: Super-Convergence, 2018, arXiv:1708.07120).
    """

    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler

    @classmethod
    def of(cls, weights: Iterable[nn.Parameter], recipe: Recipe, n: int) -> OneCycle:
        """Return the descent of `weights` for a training on `n` samples."""
        optimiser = torch.optim.AdamW(weights, recipe.lr, weight_decay=recipe.weight_decay, fused=True)
        total = recipe.steps(n) + 1  # the very last rate is almost 0: a step at it would be wasted
        return cls(optimiser, torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.lr, total_steps=total))

    def step(self, loss: Tensor) -> None:
        """Move every weight a little down the slope of `loss`, then move on in the cycle."""
        rule = "some of the weights to be trained must take part in the model's answers"
        require(loss.requires_grad, rule, "none", "Name another layer, or free its weights.")
        self.optimiser.zero_grad()  # slopes add up otherwise, batch after batch
        loss.backward()
        self.optimiser.step()
        self.schedule.step()


@contextmanager
def _ready(model: nn.Module, recipe: Recipe, device: torch.device) -> Iterator[None]:
    """Hold the weights in float32, and let layers that draw, as dropout does, draw by the recipe's seed;
    PyTorch's own generators stay as they were.
    """
    devices = [] if device.type == "cpu" else [device]
    with in_float(model), torch.random.fork_rng(devices, device_type=device.type if devices else "cuda"):
        torch.random.manual_seed(recipe.seed)
        yield


def train(
    model: nn.Module,
    samples: Samples,
    recipe: Recipe = Recipe(),
    *,
    penalty: Penalty | None = None,
    augment: Augment | None = None,
    on_epoch: OnEpoch | None = None,
) -> TrainLog:
    """Fit `model` in place to `samples`, where both lie (CPU or GPU), and leave it in eval mode.

    `augment` changes the samples for every epoch; `penalty` is added to the loss of every batch. Weights in
    half precision are trained in float32, and put back. Layers whose weights are frozen
    (`requires_grad=False`) stay as they are, batch statistics included. Raises `ArgumentError` for an empty
    set, another device, or more classes than outputs; `WmlearnError` when the loss is no number.

    >>> samples = wm.Samples(torch.rand(40, 1, 4, 4), torch.arange(40) % 2, ("cat", "dog"))
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2))
    >>> log = wm.train(model, samples, wm.Recipe(epochs=2))
    >>> log.recipe.epochs
    2
    """
    require(len(samples) > 0, *NOT_EMPTY)
    device = samples.x.device
    weights = [p for p in model.parameters() if p.requires_grad]
    fix = "Unfreeze a layer; a Fitted model has none, so extract it into a network."
    require(len(weights) > 0, "the model must have weights to train", type(model).__name__, fix)
    together = all(p.device == device for p in weights)
    require(together, f"model and samples must lie on one device, here {device}", _devices(weights))
    descent = OneCycle.of(weights, recipe, len(samples))
    order = torch.Generator().manual_seed(recipe.seed)  # on the CPU: the same order on every device
    log = TrainLog(recipe, resolve(recipe.precision, device))
    with _ready(model, recipe, device), progress.bar("training", recipe.steps(len(samples))) as tick:
        for epoch in range(recipe.epochs):
            shown = samples if augment is None else _change(augment, samples, epoch)
            _learn(model)  # anew each time: on_epoch sees the model in eval mode
            total = torch.zeros((), device=device)
            for x, y in shown.batches(recipe.batch_size, order):  # (B, C, H, W) and (B,)
                loss = _loss(model, x, y, log.precision, len(samples.classes))
                if penalty is not None:
                    loss = loss + penalty(model)
                descent.step(loss)
                total += loss.detach() * len(y)  # no .item(): a GPU would have to wait for it
                tick()
            log = replace(log, loss=(*log.loss, total.item() / len(samples)))
            check_loss(log)
            model.eval()
            if on_epoch is not None:
                on_epoch(model, log)
    return log


def _change(augment: Augment, samples: Samples, epoch: int) -> Samples:
    changed = augment(samples, epoch)
    rule = f"augment must return {len(samples)} samples, as many as it got"
    require(len(changed) == len(samples), rule, len(changed))
    return changed


def _loss(model: nn.Module, x: Tensor, y: Tensor, precision: Precision, n_classes: int) -> Tensor:
    """Return the mean cross-entropy of what `model` answers to images `x` (B, C, H, W) of labels `y` (B,)."""
    with torch.autocast(x.device.type, torch.bfloat16, enabled=precision == "bf16"):
        logits = forward(model, x)  # (B, outputs)
    _check_outputs(logits, n_classes)
    require(len(logits) == len(y), f"the model must answer each of {len(y)} images", len(logits))
    # in float32, as `forward` gives them: the logarithm of a sum of exponentials loses too much in bfloat16
    return F.cross_entropy(logits, y)


def trained(
    model: nn.Module,
    samples: Samples,
    recipe: Recipe = Recipe(),
    *,
    penalty: Penalty | None = None,
    augment: Augment | None = None,
    on_epoch: OnEpoch | None = None,
) -> tuple[nn.Module, TrainLog]:
    """Like `train`, but leave `model` alone and return the fitted copy with its log.

    Where `memory` has a folder, a network that was trained before is not trained again, unless `on_epoch` is
    to see it grow.

    >>> samples = wm.Samples(torch.rand(40, 1, 4, 4), torch.arange(40) % 2, ("cat", "dog"))
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2))
    >>> copy, log = wm.trained(model, samples, wm.Recipe(epochs=1))
    >>> copy is model
    False
    """
    new = copy.deepcopy(model)
    key = "" if on_epoch else memory.key(model, samples, recipe, penalty, augment)
    losses = memory.recall(key, new)
    if losses is not None:
        return new.eval(), TrainLog(recipe, resolve(recipe.precision, samples.x.device), losses)
    log = train(new, samples, recipe, penalty=penalty, augment=augment, on_epoch=on_epoch)
    memory.remember(key, new, log.loss)
    return new, log


@torch.no_grad()
def predict(model: nn.Module, x: Tensor, batch_size: int = 128) -> Tensor:
    """Return logits (N, classes) in float32, in eval mode; the mode of every layer is restored.

    A small batch stays in a processor's cache: 1,024 images at a time take twice as long as 128, and the bits
    are the same.

    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2))
    >>> wm.predict(model, torch.rand(5, 1, 4, 4)).shape
    torch.Size([5, 2])
    """
    require(len(x) > 0, "there must be at least one input", len(x), NOT_EMPTY[-1])
    check_inputs(x)
    with reading(model):
        return torch.cat([forward(model, batch) for batch in progress.each(x.split(batch_size), "reading")])


def heard(model: nn.Module, x: Tensor, layers: Sequence[nn.Module], keep: Keep) -> list[Tensor]:
    """Return what is kept of each of `layers` while `model` reads images `x` (N, C, H, W), (N, …) each; of
    one that is called several times for an image, of the last call.

    Raises `ArgumentError` for a layer that the model never calls, or one whose answers belong to no image.
    """
    parts: dict[nn.Module, list[Tensor]] = {layer: [] for layer in layers}
    with eagerly(model), listening(layers, keep) as notes:
        for batch in progress.each(x.split(128), "reading"):
            predict(model, batch)
            for layer in layers:
                got = type(layer).__name__
                require(len(notes[layer]) > 0, "the model must call the layer that is listened to", got)
                parts[layer].append(_by_image(notes[layer][-1], len(batch)))
                notes[layer].clear()
    return [torch.cat(parts[layer]) for layer in layers]


def _by_image(answer: Tensor, n: int) -> Tensor:
    """Bring the images of a layer's answer to the front, (n, …): they may come second, behind the places of
    a text, or be cut into windows.
    """
    if len(answer) == n:
        return answer
    if answer.ndim > 2 and answer.shape[1] == n:
        return answer.transpose(0, 1)
    rule = f"a layer must answer with so many rows for each of {n} images"
    require(len(answer) % n == 0, rule, tuple(answer.shape), "Name another layer.")
    return answer.reshape(n, -1)


def accuracy(model: nn.Module, samples: Samples) -> float:
    """Measure the share of `samples` that is classified as labelled, 0..1.

    >>> samples = wm.Samples(torch.rand(40, 1, 4, 4), torch.arange(40) % 2, ("cat", "dog"))
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2))
    >>> 0 <= wm.accuracy(model, samples) <= 1
    True
    """
    require(len(samples) > 0, *NOT_EMPTY)
    logits = predict(model, samples.x)
    _check_outputs(logits, len(samples.classes))
    return (logits.argmax(1) == samples.y).float().mean().item()


def best_device() -> torch.device:
    """Name the fastest device here; notebooks and the command line ask, the package never does by itself.

    >>> wm.best_device().type in ("cpu", "cuda")
    True
    """
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def has_bf16(device: torch.device) -> bool:
    """Say whether `device` multiplies bfloat16 natively; emulated, it would be slower than float32.

    >>> wm.has_bf16(torch.device("cpu")) in (True, False)
    True
    """
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    on_cpu = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return device.type == "cpu" and on_cpu


def resolve(precision: Precision, device: torch.device) -> Precision:
    """Turn "auto" into "bf16" or "fp32", whichever is right on `device`."""
    if precision != "auto":
        return precision
    return "bf16" if has_bf16(device) else "fp32"


def check_loss(log: TrainLog) -> None:
    """Raise `WmlearnError` when the loss of the last epoch is no number."""
    if not math.isfinite(log.loss[-1]):
        rule = f"The loss must stay a number, got {log.loss[-1]} in epoch {len(log.loss)}."
        raise WmlearnError(f"{rule} Lower lr (now {log.recipe.lr:g}).")


def _learn(model: nn.Module) -> None:
    """Switch to train mode, but for layers whose weights are all frozen: their statistics would change."""
    model.train()
    for layer in model.modules():
        weights = list(layer.parameters(recurse=False))
        if weights and not any(p.requires_grad for p in weights):
            layer.eval()


def _devices(weights: list[nn.Parameter]) -> str:
    return ", ".join(sorted({str(p.device) for p in weights}))


def _check_outputs(logits: Tensor, n_classes: int) -> None:
    fits = logits.ndim == 2 and logits.shape[1] >= n_classes
    fix = "Give its last layer one output a class."
    require(fits, f"the model must answer with {n_classes} classes", tuple(logits.shape), fix)
