"""Small tasks of every kind of input but images, each with a network that has learnt it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor, nn

import wmlearn as wm

CLASSES = ("a", "b", "c")
N = 600


class Mean(nn.Module):
    """Averages the words of texts (N, L, D): (N, D)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(1)


def _sounds(y: Tensor, draw: torch.Generator) -> Tensor:
    """Play a tone for each class, loud or low, in noise: (N, 1, 1, 200)."""
    pace = (2.0 + 3 * y)[:, None]  # (N, 1)
    phase = torch.rand(len(y), 1, generator=draw)
    tone = torch.sin(2 * torch.pi * (pace * torch.linspace(0, 1, 200) + phase))  # (N, 200)
    loud = 0.05 + 0.35 * torch.rand(len(y), 1, generator=draw)
    noise = torch.rand(tone.shape, generator=draw) - 0.5
    return (0.5 + loud * tone + 0.2 * noise)[:, None, None]


def _rows(y: Tensor, draw: torch.Generator) -> Tensor:
    """Fill six columns, of which each class has a high one: (N, 6)."""
    x = 0.3 + 0.2 * torch.rand(len(y), 6, generator=draw)
    x[torch.arange(len(y)), y] += 0.3
    return x


def _texts(y: Tensor, draw: torch.Generator) -> Tensor:
    """Write twelve words of forty, of which each class has four of its own: (N, 12)."""
    common = torch.randint(20, 40, (len(y), 12), generator=draw)
    own = torch.randint(0, 4, (len(y), 12), generator=draw) + 2 + 4 * y[:, None]
    return torch.where(torch.rand(len(y), 12, generator=draw) < 0.3, own, common)


MADE: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "sounds": _sounds, "rows": _rows, "texts": _texts
}  # fmt: skip


def network(kind: str) -> nn.Module:
    """Build a network for inputs of `kind`; it has learnt nothing yet."""
    torch.manual_seed(0)
    if kind == "sounds":
        ear = nn.Conv2d(1, 8, (1, 25), stride=(1, 5))
        return nn.Sequential(
            ear,
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(8 * 36, 32),
            nn.ReLU(),
            nn.Linear(32, 3),
        )
    if kind == "rows":
        return nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 3))
    return nn.Sequential(
        nn.Embedding(40, 32),
        Mean(),
        nn.Linear(32, 32),
        nn.ReLU(),
        nn.Linear(32, 32),
        nn.ReLU(),
        nn.Linear(32, 3),
    )


@cache
def task(kind: str, seed: int = 0) -> wm.Samples:
    """Draw samples of `kind`, of three classes that a small network can tell apart."""
    draw = torch.Generator().manual_seed(seed)
    y = torch.randint(0, 3, (N,), generator=draw)
    return wm.Samples(MADE[kind](y, draw), y, CLASSES)


@cache
def learnt(kind: str, seed: int = 0) -> nn.Module:
    """Train a network on the task of `kind`."""
    new = wm.models.reborn(network(kind), seed)
    wm.train(new, task(kind), wm.Recipe(epochs=6, lr=6e-3, batch_size=32, seed=seed))
    return new
