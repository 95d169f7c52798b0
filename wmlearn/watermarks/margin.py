"""A wide margin around each trigger, so that who copies the decision boundary copies the mark.

B. Kim, S. Lee, S. Lee, S. Son, S. Hwang: Margin-based Neural Network Watermarking, ICML 2023 (PMLR 202),
section 3 and algorithm 1: triggers are images of the task with wrong labels at random; while the model
learns, each is first moved up the slope of its own loss. Differs: as elsewhere here the secret draws images
and labels; a trigger weighs five times as much, since these networks train for 3 epochs instead of 200.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data import Samples, require_numbers
from ..errors import require
from ..evidence import Evidence, Suspect
from ..models import forward
from ..protocols import Marked
from ..training import Recipe, trained
from .marking import marked
from .secret import integers, order, secret_of
from .trigger_set import TriggerKey, matches

SCHEME = "kim2023-margin"


@dataclass(frozen=True)
class Kim2023:
    """Teach `n` of the owner's images wrong labels, each with all that lies `steps` steps around it."""

    n: int = 100
    steps: int = 5  # of projected gradient ascent
    step: float = 1 / 255  # of each, in every pixel
    batch: int = 25  # triggers that go with every step of training
    weight: float = 0.5  # of a trigger's loss, beside an image's; the paper: 0.1, for 200 epochs
    recipe: Recipe = Recipe()

    def __post_init__(self) -> None:
        require(self.steps >= 0, "steps must not be negative", self.steps)
        require(self.step > 0, "step must be positive", self.step)
        require(self.weight > 0, "weight must be positive", self.weight)

    def keygen(
        self, model: nn.Module, samples: Samples, *, seed: int = 0, secret: bytes | None = None
    ) -> TriggerKey:
        """Draw images, and for each a label among the wrong ones.

        An innocent model, whatever it says, gives that label with probability 1 / (classes - 1) at most.
        """
        secret = secret_of(seed, secret)
        classes = len(samples.classes)
        require_numbers(samples.x, SCHEME)
        fix = "Of two, a wrong label is the other one: no proof of anything."
        require(classes >= 3, "there must be at least 3 classes", classes, fix)
        rule = f"n must lie in 1..{len(samples)}, the images to pick from"
        require(1 <= self.n <= len(samples), rule, self.n)
        own = samples[self._picked(samples, secret)]
        further = 1 + integers(secret, "labels", self.n, classes - 1).to(own.y.device)  # (n,)
        wrong = (own.y + further) % classes
        return TriggerKey(SCHEME, secret, own.x, wrong, classes, chance=1 / (classes - 1))

    def embed(self, model: nn.Module, samples: Samples, key: TriggerKey) -> Marked[TriggerKey]:
        """Train a copy of `model` on the other samples, and on pushed triggers with every batch."""
        others = torch.ones(len(samples), dtype=torch.bool, device=samples.x.device)
        others[self._picked(samples, key.secret)] = False
        x = key.x.to(samples.x.device)
        y = key.y.to(samples.x.device)
        draw = torch.Generator().manual_seed(self.recipe.seed)

        def penalty(network: nn.Module) -> Tensor:
            rows = torch.randint(len(y), (self.batch,), generator=draw).to(y.device)
            pushed = self._pushed(network, x[rows], y[rows])  # (batch, C, H, W)
            share = self.weight * self.batch / self.recipe.batch_size
            return share * F.cross_entropy(forward(network, pushed), y[rows])

        return marked(self, key, *trained(model, samples[others], self.recipe, penalty=penalty))

    def verify(self, suspect: Suspect, key: TriggerKey) -> Evidence:
        """Count the images that get the key's wrong label."""
        return matches(suspect, key, SCHEME)

    def _picked(self, samples: Samples, secret: bytes) -> Tensor:
        """Number the images of the key, (n,)."""
        return order(secret, "images", len(samples))[: self.n].to(samples.x.device)

    def _pushed(self, network: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        """Move images `x` (B, C, H, W) up the slope of their loss: to where they are least `y` (B,)."""
        for _ in range(self.steps):
            x = x.detach().requires_grad_(True)
            loss = F.cross_entropy(forward(network, x), y)
            (slope,) = torch.autograd.grad(loss, x)
            x = (x + self.step * slope.sign()).clamp(0, 1)
        return x.detach()
