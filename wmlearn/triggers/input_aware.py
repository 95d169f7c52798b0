"""A trigger of its own for every image, painted by two networks that learn together with the classifier.

T. A. Nguyen, A. Tran: Input-Aware Dynamic Backdoor Attack, NeurIPS 2020, arXiv:2010.08138, section 3. One
network says where an image is painted, and is trained first, alone; another says what with, and is trained
together with the classifier. Some images carry their own paint and the attacker's label; others carry another
image's paint and keep their label (the paper's cross-trigger mode), so that paint is obeyed only where it
belongs. Two images should be painted as differently as they look (diversity). Differs: the images that are
poisoned are drawn once, so that there is a poisoned training set to be looked at, and those of the target's
class are never among them; the painters are smaller, have no batch normalisation, and learn by AdamW.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .. import progress
from ..data import Samples
from ..errors import require
from ..models.adapter import forward
from ..models.networks import seeded
from ..training import OneCycle, Recipe, resolve

MASK_LR = 1e-3


@dataclass(frozen=True, eq=False)
class InputAware:
    """Paint each image with what two networks, of the same image, say: where, and what."""

    mask: nn.Module  # images (N, C, H, W) -> (N, 1, H, W) in [0, 1]
    pattern: nn.Module  # -> (N, C, H, W) in [0, 1]

    @torch.no_grad()
    def __call__(self, x: Tensor) -> Tensor:
        parts = [self.painted(part, part) for part in x.split(512)]
        return torch.cat(parts) if parts else x.clone()

    @torch.no_grad()
    def crossed(self, x: Tensor) -> Tensor:
        """Return images `x` (N, C, H, W), each under the paint that is the next one's."""
        return torch.cat([self.painted(part, part.roll(1, 0)) for part in x.split(512)])

    def painted(self, x: Tensor, of: Tensor) -> Tensor:
        """Return images `x` (N, C, H, W) under the paint that belongs to the images `of`."""
        return torch.lerp(x, self.pattern(of), self.mask(of))


@dataclass(frozen=True)
class Painting:
    """How an input-aware attack is trained."""

    target: int
    rate: float = 0.1  # the paper's rho_b: images with their own paint, and the label `target`
    crossed: float = 0.1  # rho_c: images with another one's paint, and their own label
    diversity: float = 1.0  # lambda_div
    density: float = 0.032  # the share of an image that may be painted for nothing
    steps: int = 300  # in which the mask is learnt
    lr: float = 1e-2  # of the painters, at the peak


@dataclass(frozen=True, eq=False)
class Painted:
    """A trigger, and the training set as the network that obeys it saw it last."""

    trigger: InputAware
    samples: Samples
    mask: Tensor  # (N,) bool: these carry their own paint, and the label of the target


def train_input_aware(
    model: nn.Module, samples: Samples, painting: Painting, recipe: Recipe = Recipe()
) -> Painted:
    """Fit `model` in place to `samples` and to a trigger that is fitted to it at the same time.

    Raises `ArgumentError` when there are too few images outside of the target's class.
    """
    own, others = _roles(samples, painting, recipe.seed)
    where = _trained_mask(samples.x, painting, recipe)
    what = seeded(lambda: _painter(samples.x.shape[1], samples.x.shape[1]), recipe.seed + 1).to(samples.x)
    trigger = InputAware(where, what)
    goal = torch.where(own, painting.target, samples.y)
    n = len(samples)
    fits = OneCycle.of([p for p in model.parameters() if p.requires_grad], recipe, n)
    paints = OneCycle.of(what.parameters(), replace(recipe, lr=painting.lr), n)
    order = torch.Generator().manual_seed(recipe.seed)
    is_half = resolve(recipe.precision, samples.x.device) == "bf16"
    model.train()
    with progress.bar("training", recipe.steps(n)) as tick:
        for _ in range(recipe.epochs):
            for rows in torch.randperm(n, generator=order).to(samples.y.device).split(recipe.batch_size):
                x = _shown(trigger, samples.x[rows], own[rows], others[rows])
                with torch.autocast(x.device.type, torch.bfloat16, enabled=is_half):
                    logits = forward(model, x)
                loss = F.cross_entropy(logits, goal[rows])
                apart = samples.x[rows[:64]]
                loss = loss + painting.diversity * _sameness(apart, what(apart))
                _down(loss, fits, paints)
                tick()
    model.eval()
    x = samples.x.clone()
    x[own] = trigger(x[own])
    x[others] = trigger.crossed(x[others])
    return Painted(trigger, replace(samples, x=x, y=goal), own)


def _roles(samples: Samples, painting: Painting, seed: int) -> tuple[Tensor, Tensor]:
    """Draw which images carry their own paint, and which another one's, (N,) bool each."""
    n = len(samples)
    free = (samples.y != painting.target).nonzero().flatten()
    most = len(free) / n
    rule = f"rate and crossed must be positive, and together at most {most:.2f}"
    fits = min(painting.rate, painting.crossed) > 0 and painting.rate + painting.crossed <= most
    require(fits, rule, (painting.rate, painting.crossed))
    order = free[torch.randperm(len(free), generator=torch.Generator().manual_seed(seed)).to(free.device)]
    split = round(painting.rate * n)
    own = torch.zeros_like(samples.y, dtype=torch.bool)
    others = own.clone()
    own[order[:split]] = True
    others[order[split : split + round(painting.crossed * n)]] = True
    return own, others


def _shown(trigger: InputAware, x: Tensor, own: Tensor, others: Tensor) -> Tensor:
    """Return images `x` (B, C, H, W), painted where they have a role."""
    shown = x.clone()
    shown[own] = trigger.painted(x[own], x[own])
    shown[others] = trigger.painted(x[others], x[others].roll(1, 0))
    return shown


def _sameness(x: Tensor, paint: Tensor) -> Tensor:
    """Return how far two images lie apart, beside how far their paint does: the loss of diversity."""
    images = (x - x.roll(1, 0)).flatten(1).norm(dim=1)
    paints = (paint - paint.roll(1, 0)).flatten(1).norm(dim=1)
    return (images / (paints + 1e-4)).mean()


def _down(loss: Tensor, fits: OneCycle, paints: OneCycle) -> None:
    """Move classifier and painter a step down the slope of one loss."""
    paints.optimiser.zero_grad()
    fits.step(loss)
    paints.optimiser.step()
    paints.schedule.step()


def _trained_mask(x: Tensor, painting: Painting, recipe: Recipe) -> nn.Module:
    """Train what says where images `x` (N, C, H, W) are painted: little of each, and not the same of all."""
    painter = seeded(lambda: nn.Sequential(_painter(x.shape[1], 1), _Steep()), recipe.seed).to(x)
    descent = torch.optim.AdamW(painter.parameters(), MASK_LR)
    draw = torch.Generator().manual_seed(recipe.seed)
    for _ in progress.each(range(painting.steps), "mask", painting.steps):
        some = x[torch.randint(len(x), (64,), generator=draw).to(x.device)]
        mask = painter(some)
        too_much = F.relu(mask.mean((1, 2, 3)) - painting.density).mean()
        loss = 100 * too_much + painting.diversity * _sameness(some, mask)
        descent.zero_grad()
        loss.backward()
        descent.step()
    return painter.requires_grad_(False).eval()


class _Steep(nn.Module):
    """Push numbers in [0, 1] to its ends."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(40 * (x - 0.5))  # the paper's (tanh(20 x - 10) + 1) / 2


def _painter(n: int, m: int) -> nn.Sequential:
    """Build what turns images (N, n, H, W) into (N, m, H, W) in [0, 1], with H and W multiples of four."""
    return nn.Sequential(
        nn.Conv2d(n, 16, 3, 2, 1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, 2, 1),
        nn.ReLU(),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(32, 16, 3, 1, 1),
        nn.ReLU(),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(16, m, 3, 1, 1),
        nn.Sigmoid(),
    )
