"""For every class, the smallest trigger that sends all images there: a class that needs far less than the
others has a backdoor.

B. Wang, Y. Yao, S. Shan, H. Li, B. Viswanath, H. Zheng, B. Y. Zhao: Neural Cleanse: Identifying and
Mitigating Backdoor Attacks in Neural Networks, IEEE S&P 2019, sections IV and V. Differs: all classes are
searched at once, in one pass of K * B images a step; the weight of the norm is revised every step, by the
success on that step's images (the paper: once an epoch).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data import Samples
from ..errors import require
from ..poisoning import Trigger
from ..training import resolve
from .checks import check

OnStep = Callable[[int, Tensor, Tensor], object]
"""Called after every step with its number, the patterns (K, C, H, W) and the masks (K, 1, H, W) as they are
by then.
"""
LIMIT = 2.0  # of the anomaly index, above which a class is flagged
CONSISTENT = 1.4826  # the deviation of a normal distribution, in median absolute deviations


@dataclass(frozen=True, eq=False)
class Scan:
    """The trigger found for each of K classes, in [0, 1]: image * (1 - mask) + pattern * mask, and how odd
    its size is.

    `norm` sums the mask, in pixels; `index` counts deviations below the median, 0 above it; `flagged` are the
    classes above the limit.
    """

    pattern: Tensor  # (K, C, H, W)
    mask: Tensor  # (K, 1, H, W)
    norm: Tensor  # (K,)
    index: Tensor  # (K,)
    flagged: tuple[int, ...]

    def trigger(self, target: int) -> Trigger:
        """Return the trigger that was found for class `target`."""
        return lambda x: blend(x, self.pattern[target], self.mask[target])


def scan(
    model: nn.Module,
    samples: Samples,
    *,
    source: int | None = None,
    steps: int = 120,
    batch_size: int = 32,
    lr: float = 0.1,
    cost: float = 1e-3,  # lambda, at first
    threshold: float = 0.99,
    patience: int = 5,
    multiplier: float = 2.0,
    limit: float = LIMIT,
    seed: int = 0,
    on_step: OnStep | None = None,
) -> Scan:
    """Search a trigger for every class of `model` with the defender's clean `samples`; with `source`, for
    images of that class only.

    A class for which no trigger was found counts as the whole picture; `source` itself is left out of the
    comparison. Raises `ArgumentError` for a class without samples, weights that aren't finite, or a model of
    other classes.
    """
    check(model, samples)
    k, shape = len(samples.classes), samples.x.shape[1:]
    require(
        source is None or 0 <= source < k,
        f"source must be a class index below {k}",
        source,
        "Count classes from 0.",
    )
    require(steps >= 1 and batch_size >= 1, "steps and batch_size must be at least 1", (steps, batch_size))
    model = copy.deepcopy(model).eval().requires_grad_(False)
    x = samples.x if source is None else samples.x[samples.y == source]
    draw = torch.Generator().manual_seed(seed)
    # (K, C + 1, H, W): pattern and mask
    start = torch.rand(k, shape[0] + 1, *shape[1:], generator=draw).to(x)
    latent = torch.atanh(start.mul(2).sub(1).clamp(-0.99, 0.99)).requires_grad_()
    optimiser = torch.optim.Adam([latent], lr, betas=(0.5, 0.9))
    goal = torch.arange(k, device=x.device).repeat_interleave(min(batch_size, len(x)))  # (K * B,)
    weight, streak = torch.full((k,), cost, device=x.device), torch.zeros(k, device=x.device)
    best = latent.detach().tanh().add(1).div(2)
    norm = torch.full((k,), float(shape[1] * shape[2]), device=x.device)
    for step in range(steps):
        batch = x[torch.randint(len(x), (min(batch_size, len(x)),), generator=draw).to(x.device)]
        now = latent.tanh().add(1).div(2)
        pattern, mask = now[:, :-1], now[:, -1:]
        with torch.autocast(x.device.type, torch.bfloat16, enabled=resolve("auto", x.device) == "bf16"):
            # (K * B, classes)
            logits = model(blend(batch, pattern[:, None], mask[:, None]).flatten(0, 1)).float()
        size = mask.sum((1, 2, 3))
        loss = F.cross_entropy(logits, goal, reduction="sum") / len(batch) + (weight * size).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        reached = (logits.argmax(1) == goal).view(k, -1).float().mean(1) >= threshold
        better = reached & (size < norm)
        norm = torch.where(better, size.detach(), norm)
        best = torch.where(better[:, None, None, None], now.detach(), best)
        streak = torch.where(reached, streak.clamp_min(0) + 1, streak.clamp_max(0) - 1)
        weight = torch.where(
            streak >= patience,
            weight * multiplier,
            torch.where(streak <= -patience, weight / multiplier**1.5, weight),
        )
        streak = torch.where(streak.abs() >= patience, 0, streak)
        if on_step is not None:
            on_step(step, pattern.detach(), mask.detach())
    rivals = torch.arange(k, device=x.device) != (-1 if source is None else source)
    index = torch.zeros_like(norm).masked_scatter(rivals, anomaly_index(norm[rivals]))
    return Scan(
        best[:, :-1], best[:, -1:], norm, index, tuple(int(c) for c in (index > limit).nonzero().flatten())
    )


def blend(x: Tensor, pattern: Tensor, mask: Tensor) -> Tensor:
    """Paint `pattern` over images `x` as far as `mask` says."""
    return x * (1 - mask) + pattern * mask


def anomaly_index(norm: Tensor) -> Tensor:
    """Return by how many deviations, estimated by the median absolute one, each of the `norm` (n,) lies below
    their median; 0 above it.
    """
    median = norm.quantile(0.5)
    below = (median - norm).clamp_min(0)
    return below / (CONSISTENT * (norm - median).abs().quantile(0.5)).clamp_min(1e-6)
