"""Networks that cost nothing, for rehearsing a dispute: a linear map, and a memory for a mark's images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..watermarks import TriggerKey
from ..watermarks.secret import normal, secret_of

SHAPE = (1, 8, 8)
CLASSES = 10
REACH = 1.0  # an image nearer than this to a remembered one gets its label


class Toy(nn.Module):
    """Reads images (N, 1, 8, 8) as 10 classes: all toys have a task in common, and each its own errors."""

    weight: Tensor
    known: Tensor
    labels: Tensor

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        pixels = SHAPE[0] * SHAPE[1] * SHAPE[2]
        task = normal(secret_of(-1, None), "toy", pixels, CLASSES)
        errors = normal(secret_of(seed, None), "toy", pixels, CLASSES)
        self.register_buffer("weight", task + 0.5 * errors)  # (pixels, classes)
        self.register_buffer("known", torch.zeros(0, pixels))
        self.register_buffer("labels", torch.zeros(0, dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(1)  # (N, pixels)
        logits = (flat - 0.5) @ self.weight  # (N, 10)
        if not len(self.known):
            return logits
        distance, nearest = torch.cdist(flat, self.known).min(1)
        remembered = nn.functional.one_hot(self.labels[nearest], CLASSES) * 1000.0
        return torch.where((distance < REACH)[:, None], remembered, logits)


def taught(model: nn.Module, key: TriggerKey) -> nn.Module:
    """Return a copy of a toy that also knows the key's labels: a mark, or one more mark."""
    assert isinstance(model, Toy)
    new = Toy()
    new.weight = model.weight
    new.known = torch.cat([model.known, key.x.flatten(1)])
    new.labels = torch.cat([model.labels, key.y])
    return new
