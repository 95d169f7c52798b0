"""Fine-tune towards flat minima: at every step, lower the loss where the worst push of the weights raises it.

M. Zhu, S. Wei, L. Shen, Y. Fan, B. Wu: Enhancing Fine-Tuning Based Backdoor Defense with Sharpness-Aware
Minimization, ICCV 2023, arXiv:2304.11823, section 4 (FT-SAM). The push is that of J. Kwon and others: ASAM,
ICML 2021, arXiv:2102.11600, eq. 10: large weights, where a backdoor sits, are pushed farther. Differs: AdamW
under a one-cycle schedule, as everywhere here, and far fewer epochs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .. import progress
from ..data import Samples
from ..errors import require
from ..models import forward
from ..models.adapter import in_float
from ..training import OneCycle, Recipe
from .copies import attacked, sound_copy


@dataclass(frozen=True)
class SharpnessAware:
    """Train a copy on, with slopes taken at the worst weights within `radius`, measured by each weight's own
    size.
    """

    radius: float = 2.0  # rho
    recipe: Recipe = Recipe(epochs=8, lr=1e-2, batch_size=128)

    def __post_init__(self) -> None:
        require(self.radius > 0, "radius must be positive", self.radius)

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module:
        new = sound_copy(model, samples)
        weights = list(new.parameters())
        descent = OneCycle.of(weights, self.recipe, len(samples))
        order = torch.Generator().manual_seed(self.recipe.seed)
        new.train()
        with in_float(new), progress.bar("training", self.recipe.steps(len(samples))) as tick:
            for _ in range(self.recipe.epochs):
                for x, y in samples.batches(self.recipe.batch_size, order):  # (B, C, H, W) and (B,)
                    push = worst_push(weights, _slopes(new, weights, x, y), self.radius)
                    _move(weights, push, 1.0)
                    slopes = _slopes(new, weights, x, y)
                    _move(weights, push, -1.0)
                    descent.step(_plane(weights, slopes))
                    tick()
        return attacked(model, new.eval(), samples)


def _slopes(model: nn.Module, weights: list[nn.Parameter], x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
    loss = F.cross_entropy(forward(model, x), y)
    return torch.autograd.grad(loss, weights, materialize_grads=True)


def _move(weights: list[nn.Parameter], push: list[Tensor], by: float) -> None:
    with torch.no_grad():
        for weight, part in zip(weights, push, strict=True):
            weight.add_(part, alpha=by)


def _plane(weights: list[nn.Parameter], slopes: tuple[Tensor, ...]) -> Tensor:
    """Return a loss whose slopes at the weights are those found elsewhere."""
    return torch.stack([(weight * slope).sum() for weight, slope in zip(weights, slopes, strict=True)]).sum()


def worst_push(weights: list[nn.Parameter], slopes: tuple[Tensor, ...], radius: float) -> list[Tensor]:
    """Return the push of each weight that raises the loss most, to first order (eq. 10 of ASAM)."""
    with torch.no_grad():
        sizes = [weight.abs() for weight in weights]
        scaled = [size * slope for size, slope in zip(sizes, slopes, strict=True)]
        length = torch.stack([part.norm() for part in scaled]).norm().clamp_min(1e-12)
        return [radius * size * part / length for size, part in zip(sizes, scaled, strict=True)]
