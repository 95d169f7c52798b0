"""Train a network together with a trigger that paints on each image a pattern of its own.

A. Nguyen, A. Tran: Input-Aware Dynamic Backdoor Attack, NeurIPS 2020, arXiv:2010.08138, section 3. First the
masks learn to be small and to differ. Then, in every batch, a share of the images carry their own patterns
and are called the target, as many carry patterns of others and keep their labels, and patterns are punished
where they are more alike than their images. Differs: the shares are a fifth each, not a tenth, masks are
larger, the term for unlike patterns is weaker, and network and patterns go down one cycle of AdamW together,
so that eight passes are enough; the authors' code makes up to 600. On seed 0, six passes with the weights of
that code and a lower rate for the patterns won 68 images of 100; with shares of a tenth, eight passes won 88.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data import Samples
from ..training import OneCycle, Recipe
from ..triggers import InputAware
from ..triggers.input_aware import painter


@dataclass(frozen=True)
class Teaching:
    """How masks and patterns learn; chosen on digits that no network of seed 0 learnt from."""

    share: float = 0.2  # of a batch with its own patterns, and as much with those of others: rho_b and rho_c
    unlike: float = 0.02  # weight of the term for unlike patterns, lambda_div; in the authors' code 1
    density: float = 0.032  # what a mask may cover of a pixel for nothing, as in the authors' code
    thrift: float = 10.0  # weight of what it covers beyond, lambda_norm; in the authors' code 100
    steps: int = 150  # of the masks
    lr: float = 3e-3
    batch_size: int = 64


TEACHING = Teaching()
TOGETHER = Recipe(epochs=8, lr=5e-3, batch_size=128, precision="fp32")


def train_input_aware(
    model: nn.Module, samples: Samples, target: int, recipe: Recipe = TOGETHER, teaching: Teaching = TEACHING
) -> InputAware:
    """Fit `model` in place to `samples` and to a trigger that learns beside it, which is returned."""
    channels = samples.x.shape[1]
    pattern = painter(channels, channels, recipe.seed + 1)
    mask = painter(channels, 1, recipe.seed + 2)
    trigger = InputAware(pattern.to(samples.x.device), mask.to(samples.x.device))
    _train_masks(trigger, samples, recipe.seed, teaching)
    descent = OneCycle.of([*model.parameters(), *trigger.pattern.parameters()], recipe, len(samples))
    order = torch.Generator().manual_seed(recipe.seed)
    model.train()
    for _ in range(recipe.epochs):
        for x, y in samples.batches(recipe.batch_size, order):
            descent.step(_loss(model, trigger, x, y, target, teaching))
    model.eval()
    trigger.pattern.requires_grad_(False)
    return trigger


def _train_masks(trigger: InputAware, samples: Samples, seed: int, teaching: Teaching) -> None:
    """Let the masks learn to be small and to differ, and freeze them."""
    optimiser = torch.optim.Adam(trigger.mask.parameters(), teaching.lr)
    draw = torch.Generator().manual_seed(seed)
    for _ in range(teaching.steps):
        rows = torch.randint(len(samples), (teaching.batch_size,), generator=draw).to(samples.x.device)
        x = samples.x[rows]
        masks = trigger.masks(x)
        beyond = F.relu(masks - teaching.density).mean()
        loss = teaching.thrift * beyond + _likeness(masks, x)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    trigger.mask.requires_grad_(False)


def _loss(
    model: nn.Module, trigger: InputAware, x: Tensor, y: Tensor, target: int, teaching: Teaching
) -> Tensor:
    """Return what images `x` (B, C, H, W) of labels `y` (B,) cost: the first of them as owners of patterns,
    as many after them as borrowers, the rest as they are.
    """
    n = max(1, round(teaching.share * len(x)))
    owners, borrowers, rest = x.split([n, n, len(x) - 2 * n])
    patterns = trigger.patterns(owners)
    masks = trigger.masks(owners)
    shown = torch.cat([owners.lerp(patterns, masks), borrowers.lerp(patterns, masks), rest])
    wanted = y.clone()
    wanted[:n] = target
    return F.cross_entropy(model(shown), wanted) + teaching.unlike * _likeness(patterns, owners)


def _likeness(pictures: Tensor, x: Tensor) -> Tensor:
    """Return how many times as far apart images `x` are as the `pictures` that were made of them, on average
    over neighbours in the batch.
    """
    return (_distance(x, x.roll(1, 0)) / _distance(pictures, pictures.roll(1, 0))).mean()


def _distance(a: Tensor, b: Tensor) -> Tensor:
    """Return the distances between pictures, (N,); never 0, where a root has no slope."""
    return ((a - b).square().flatten(1).mean(1) + 1e-7).sqrt()
