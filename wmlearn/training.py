"""One training loop, one prediction loop. `train` is the only verb that changes a model."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import progress
from .data import Samples, check_images
from .errors import NOT_EMPTY, WmlearnError, require

Penalty = Callable[[nn.Module], Tensor]
"""An extra loss term that depends on the weights only."""

Precision = Literal["auto", "bf16", "fp32"]


@dataclass(frozen=True)
class Recipe:
    """How to train: AdamW under a one-cycle schedule. Everything that changes the numbers is here.

    The defaults were chosen on a validation split of MNIST: `wmlearn reproduce recipe-search`.
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
        known = get_args(Precision)
        require(self.precision in known, f"precision must be one of {', '.join(known)}", self.precision)


@dataclass(frozen=True)
class TrainLog:
    """The recipe, the precision that "auto" came to, and one mean loss an epoch."""

    recipe: Recipe
    precision: Precision
    loss: tuple[float, ...] = ()


Augment = Callable[[Samples, int], Samples]
"""Changes the samples for an epoch, 0, 1, …: other shifts, other light; as many as there were, with their
labels.
"""

OnEpoch = Callable[[nn.Module, TrainLog], object]
"""Called after every epoch, with the model as it is by then."""


def train(
    model: nn.Module,
    samples: Samples,
    recipe: Recipe = Recipe(),
    *,
    penalty: Penalty | None = None,
    augment: Augment | None = None,
    on_epoch: OnEpoch | None = None,
) -> TrainLog:
    """Fit `model` to `samples`, changed for every epoch by `augment`, in place, where both lie (CPU or GPU);
    leave it in eval mode.

    Layers whose weights are frozen (`requires_grad=False`) stay as they are, batch statistics included.
    Raises `ArgumentError` for an empty set, another device, or more classes than outputs; `WmlearnError` when
    the loss is no number.
    """
    require(len(samples) > 0, *NOT_EMPTY)
    device = samples.x.device
    weights = [p for p in model.parameters() if p.requires_grad]
    require(
        all(p.device == device for p in weights),
        f"model and samples must lie on one device, here {device}",
        _devices(weights),
    )
    n_steps = recipe.epochs * -(-len(samples) // recipe.batch_size)
    optimiser = torch.optim.AdamW(weights, lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.lr, total_steps=n_steps + 1)
    order = torch.Generator().manual_seed(recipe.seed)
    precision = resolve(recipe.precision, device)
    log = TrainLog(recipe, precision)
    with progress.bar("training", n_steps) as step:
        for epoch in range(recipe.epochs):
            seen = samples if augment is None else augment(samples, epoch)
            require(
                len(seen) == len(samples),
                f"augment must return {len(samples)} samples, as many as it got",
                len(seen),
            )
            _learn(model)
            total = torch.zeros((), device=device)
            for x, y in seen.batches(recipe.batch_size, order):
                with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
                    logits = model(x)
                _check_outputs(logits, samples)
                loss = F.cross_entropy(logits.float(), y)
                if penalty is not None:
                    loss = loss + penalty(model)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
                total += loss.detach() * len(y)  # no .item(): a GPU would have to wait for it
                step()
            log = replace(log, loss=(*log.loss, total.item() / len(samples)))
            check_loss(log)
            model.eval()
            if on_epoch is not None:
                on_epoch(model, log)
    return log


def trained(
    model: nn.Module,
    samples: Samples,
    recipe: Recipe = Recipe(),
    *,
    penalty: Penalty | None = None,
    augment: Augment | None = None,
    on_epoch: OnEpoch | None = None,
) -> tuple[nn.Module, TrainLog]:
    """Like `train`, but leave `model` alone and return the fitted copy with its log."""
    new = copy.deepcopy(model)
    return new, train(new, samples, recipe, penalty=penalty, augment=augment, on_epoch=on_epoch)


@torch.no_grad()
def predict(model: nn.Module, x: Tensor, batch_size: int = 128) -> Tensor:
    """Return logits (N, classes) in float32, in eval mode; the mode of every layer is restored.

    A small batch stays in a processor's cache: 1,024 images at a time take twice as long as 128, to the same
    bits.
    """
    require(len(x) > 0, "there must be at least one image", len(x), NOT_EMPTY[-1])
    check_images(x)
    # layers may differ: some are frozen in eval mode
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        return torch.cat([model(batch) for batch in progress.each(x.split(batch_size), "reading")])
    finally:
        for module, mode in modes.items():
            module.training = mode


def accuracy(model: nn.Module, samples: Samples) -> float:
    """Measure the share of `samples` that is classified as labelled, 0..1."""
    require(len(samples) > 0, *NOT_EMPTY)
    logits = predict(model, samples.x)
    _check_outputs(logits, samples)
    return (logits.argmax(1) == samples.y).float().mean().item()


def best_device() -> torch.device:
    """Name the fastest device here; notebooks and the command line put model and samples on it, the package
    never does.
    """
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def has_bf16(device: torch.device) -> bool:
    """Say whether `device` multiplies bfloat16 natively; emulated, it would be slower than float32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and bool(
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )


def resolve(precision: Precision, device: torch.device) -> Precision:
    """Turn "auto" into "bf16" or "fp32", whichever is right on `device`."""
    return precision if precision != "auto" else "bf16" if has_bf16(device) else "fp32"


def check_loss(log: TrainLog) -> None:
    """Raise `WmlearnError` when the loss of the last epoch is no number."""
    if not math.isfinite(log.loss[-1]):
        raise WmlearnError(
            f"The loss must stay a number, got {log.loss[-1]} in epoch {len(log.loss)}. Lower lr (now"
            f" {log.recipe.lr:g})."
        )


def _learn(model: nn.Module) -> None:
    """Switch to train mode, but for layers whose own weights are all frozen: their batch statistics would
    change.
    """
    model.train()
    for layer in model.modules():
        own = list(layer.parameters(recurse=False))
        if own and not any(p.requires_grad for p in own):
            layer.eval()


def _devices(weights: list[nn.Parameter]) -> str:
    return ", ".join(sorted({str(p.device) for p in weights}))


def _check_outputs(logits: Tensor, samples: Samples) -> None:
    n_classes = len(samples.classes)
    fits = logits.ndim == 2 and logits.shape[1] >= n_classes
    fix = "Give its last layer one output a class."
    require(fits, f"the model must answer with {n_classes} classes", tuple(logits.shape), fix)
