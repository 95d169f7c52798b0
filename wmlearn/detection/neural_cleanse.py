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
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data import Samples, require_images
from ..errors import require
from ..models.adapter import forward, opened
from ..poisoning import Trigger
from ..training import resolve
from .checks import check

OnStep = Callable[[int, Tensor, Tensor], object]
"""Called after every step with its number, the patterns (K, C, H, W) and the masks (K, 1, H, W) by then."""
LIMIT = 2.0  # of the anomaly index, above which a class is flagged
CONSISTENT = 1.4826  # the deviation of a normal distribution, in median absolute deviations


@dataclass(frozen=True, eq=False)
class Scan:
    """The trigger of each of K classes, image * (1 - mask) + pattern * mask, and how odd its size is."""

    pattern: Tensor  # (K, C, H, W)
    mask: Tensor  # (K, 1, H, W)
    norm: Tensor  # (K,) the sum of the mask, in pixels
    index: Tensor  # (K,) deviations below the median, 0 above it
    flagged: tuple[int, ...]  # the classes above the limit

    def trigger(self, target: int) -> Trigger:
        """Return the trigger that was found for class `target`."""
        return lambda x: blend(x, self.pattern[target], self.mask[target])


@dataclass(frozen=True)
class NeuralCleanse:
    """Search a trigger for every class, and flag the classes whose trigger is far smaller than most."""

    steps: int = 120
    batch_size: int = 32
    lr: float = 0.1
    cost: float = 1e-3  # lambda, the weight of the mask's size, at first
    threshold: float = 0.99  # the share of images that a trigger must move
    patience: int = 5  # steps of success, or of failure, before lambda changes
    multiplier: float = 2.0
    limit: float = LIMIT
    seed: int = 0
    needs: ClassVar[Literal["the network's weights"]] = "the network's weights"

    def __post_init__(self) -> None:
        sizes = (self.steps, self.batch_size)
        require(min(sizes) >= 1, "steps and batch_size must be at least 1", sizes)
        require(self.patience >= 1, "patience must be at least 1", self.patience)

    @property
    def level(self) -> str:
        """From when on a class is flagged, in words."""
        return f"an index above {self.limit:g}, the paper's limit; no rate of false alarms is promised"

    def __call__(
        self, model: nn.Module, samples: Samples, source: int | None = None, *, on_step: OnStep | None = None
    ) -> Scan:
        """Judge `model` with the defender's clean `samples`; with `source`, with images of that class only.

        A class for which no trigger was found counts as the whole picture; `source` itself is left out of the
        comparison. Raises `ArgumentError` for a class without samples, weights that aren't finite, or a model
        of other classes.
        """
        require_images(samples.x, "NeuralCleanse")
        check(model, samples)
        k = len(samples.classes)
        is_class = source is None or 0 <= source < k
        require(is_class, f"source must be a class index below {k}", source, "Count classes from 0.")
        x = samples.x if source is None else samples.x[samples.y == source]
        frozen = copy.deepcopy(opened(model)).float().eval().requires_grad_(False)  # autocast wants float32
        smallest = self._search(frozen, x, k, on_step)
        # images of the source are the source's without any trigger: it would always look odd
        rivals = torch.arange(k, device=x.device) != (-1 if source is None else source)
        norm = smallest.norm
        index = torch.zeros_like(norm).masked_scatter(rivals, anomaly_index(norm[rivals]))
        flagged = tuple(int(target) for target in (index > self.limit).nonzero().flatten())
        return Scan(smallest.trigger[:, :-1], smallest.trigger[:, -1:], norm, index, flagged)

    def _search(self, model: nn.Module, x: Tensor, k: int, on_step: OnStep | None) -> _Smallest:
        """Descend from a random trigger for each of `k` classes, and keep the smallest ones that work."""
        draw = torch.Generator().manual_seed(self.seed)  # on the CPU: every device draws the same
        n = min(self.batch_size, len(x))
        goal = torch.arange(k, device=x.device).repeat_interleave(n)  # (K * B,)
        latent = _start(k, x, draw)
        optimiser = torch.optim.Adam([latent], self.lr, betas=(0.5, 0.9))
        whole = torch.full((k,), float(x[0, 0].numel()), device=x.device)  # a mask over the whole picture
        smallest = _Smallest(_squash(latent).detach(), whole)
        price = _Price(torch.full((k,), self.cost, device=x.device), torch.zeros(k, device=x.device))
        for step in range(self.steps):
            rows = torch.randint(len(x), (n,), generator=draw).to(x.device)
            batch = x[rows]  # (B, C, H, W), the same for every class
            trigger = _squash(latent)  # (K, C + 1, H, W)
            logits = _answers(model, batch, trigger)  # (K * B, classes)
            size = trigger[:, -1:].sum((1, 2, 3))  # (K,) in pixels
            # sums over the classes, so that each of them descends as if it were alone
            loss = F.cross_entropy(logits, goal, reduction="sum") / n + (price.weight * size).sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            hits = (logits.argmax(1) == goal).view(k, n)
            reached = hits.float().mean(1) >= self.threshold  # (K,)
            smallest = smallest.revised(trigger.detach(), size.detach(), reached)
            price = self._revised(price.weight, price.streak, reached)
            if on_step is not None:
                on_step(step, trigger[:, :-1].detach(), trigger[:, -1:].detach())
        return smallest

    def _revised(self, weight: Tensor, streak: Tensor, reached: Tensor) -> _Price:
        """Make pixels dearer where the trigger has worked for a while, and cheaper where it has failed."""
        streak = torch.where(reached, streak.clamp_min(0) + 1, streak.clamp_max(0) - 1)
        works = streak >= self.patience
        fails = streak <= -self.patience
        weight = torch.where(works, weight * self.multiplier, weight)
        # down in larger steps than up: a trigger that fails is of no use, however small
        weight = torch.where(fails, weight / self.multiplier**1.5, weight)
        return _Price(weight, torch.where(works | fails, 0, streak))


@dataclass(frozen=True, eq=False)
class _Price:
    """What a pixel of the mask costs each of K classes, and why."""

    weight: Tensor  # (K,), lambda
    streak: Tensor  # (K,), for how many steps in a row its trigger has worked, or failed where below 0


@dataclass(frozen=True, eq=False)
class _Smallest:
    """The smallest trigger of each of K classes that has worked so far, and its size in pixels."""

    trigger: Tensor  # (K, C + 1, H, W): pattern and mask
    norm: Tensor  # (K,)

    def revised(self, trigger: Tensor, size: Tensor, reached: Tensor) -> _Smallest:
        """Take over what works and is smaller."""
        better = reached & (size < self.norm)
        kept = torch.where(better[:, None, None, None], trigger, self.trigger)
        return _Smallest(kept, torch.where(better, size, self.norm))


def _start(k: int, x: Tensor, draw: torch.Generator) -> Tensor:
    """Draw where the search begins, (K, C + 1, H, W): numbers that `_squash` maps to anything in [0, 1]."""
    channels, height, width = x.shape[1:]
    uniform = torch.rand(k, channels + 1, height, width, generator=draw).to(x)
    return torch.atanh(uniform.mul(2).sub(1).clamp(-0.99, 0.99)).requires_grad_()


def _squash(latent: Tensor) -> Tensor:
    """Map any number to [0, 1], so that no step can leave it."""
    return latent.tanh().add(1).div(2)


def _answers(model: nn.Module, batch: Tensor, trigger: Tensor) -> Tensor:
    """Return the logits (K * B, classes) for images (B, C, H, W) under each trigger (K, C + 1, H, W)."""
    pattern = trigger[:, None, :-1]  # (K, 1, C, H, W)
    mask = trigger[:, None, -1:]  # (K, 1, 1, H, W)
    stamped = blend(batch, pattern, mask).flatten(0, 1)  # (K * B, C, H, W)
    device = batch.device
    with torch.autocast(device.type, torch.bfloat16, enabled=resolve("auto", device) == "bf16"):
        return forward(model, stamped)


def blend(x: Tensor, pattern: Tensor, mask: Tensor) -> Tensor:
    """Paint `pattern` over images `x` as far as `mask` says."""
    return x * (1 - mask) + pattern * mask


def anomaly_index(norm: Tensor) -> Tensor:
    """Return by how many deviations each of the `norm` (n,) lies below their median; 0 above it.

    The deviation is estimated by the median absolute one, which a single odd class can't move.
    """
    median = norm.quantile(0.5)
    below = (median - norm).clamp_min(0)
    deviation = CONSISTENT * (norm - median).abs().quantile(0.5)
    return below / deviation.clamp_min(1e-6)
