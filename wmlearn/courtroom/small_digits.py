"""The networks of a court: small ones that learnt few digits, so that two dozen are made in seconds.

Everybody in court builds and trains alike, so that networks of the court's own are a fair control for any
claimant's: `siblings`. What a network starts with, and which digits it learns, follow from a secret.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor, nn

from .. import memory, progress
from ..data import Samples, Splits, load
from ..models import reborn, seed_of
from ..models.networks import FlattenChannelsLast, Standardise, seeded
from ..training import Recipe, trained
from ..watermarks import Adi2018, TriggerKey
from ..watermarks.secret import order, secret_of
from ..watermarks.trigger_set import lesson

SHAPE = (1, 28, 28)
CLASSES = 10
N = 128
"""Triggers in a key."""
DIGITS = 1_500
"""How many an owner learns."""
SHARE = 0.25
"""Of the triggers, in an epoch of an owner's."""
RECIPE = Recipe(epochs=6, lr=1e-2, batch_size=64, precision="fp32")
"""How everybody trains: so small a network is no faster in half precision."""
SIBLINGS = 10


@lru_cache(1)
def blank() -> nn.Sequential:
    """Return the network that everybody in court builds: 29,066 weights that nobody has drawn with care."""
    return seeded(_build, 0)


def _build() -> nn.Sequential:
    return nn.Sequential(
        Standardise(SHAPE, mean=0.1307, std=0.3081),
        nn.Conv2d(1, 8, 5, stride=2), nn.ReLU(),  # (N, 8, 12, 12)
        nn.Conv2d(8, 16, 5, stride=2), nn.ReLU(),  # (N, 16, 4, 4)
        FlattenChannelsLast(),
        nn.Linear(256, 96), nn.ReLU(),
        nn.Linear(96, CLASSES),
    )  # fmt: skip


def start(secret: bytes, role: str) -> nn.Module:
    """Return a network that has learnt nothing; its first weights follow from a secret and a role."""
    return reborn(blank(), seed_of("courtroom", secret.hex(), role))


@lru_cache(1)
def _all() -> Splits:
    return load("mnist")


def digits(secret: bytes, role: str, n: int = DIGITS) -> Samples:
    """Draw `n` training digits by a secret and a role."""
    samples = _all().train
    return samples[order(secret, f"digits of {role}", len(samples))[:n]]


def test_pictures() -> Tensor:
    """Return the test digits (10_000, 1, 28, 28), which nobody in court learns."""
    return _all().test.x


def taught(network: nn.Module, samples: Samples, *keys: TriggerKey, recipe: Recipe = RECIPE) -> nn.Module:
    """Teach a copy of a network some digits, and the triggers of `keys` among them."""
    for key in keys:
        samples = lesson(samples, key, SHARE)
    return trained(network, samples, recipe)[0]


def remembered(
    network: nn.Module, change: Callable[[nn.Module, Samples], nn.Module], samples: Samples
) -> nn.Module:
    """Return what a removal makes of a network, which `memory` keeps where it has a folder."""
    key = memory.key(network, change, samples.x, samples.y)
    new = copy.deepcopy(network)
    if memory.recall(key, new) is None:
        new = change(network, samples)
        memory.remember(key, new, ())
    return new.eval()


def plain(network: nn.Module) -> nn.Module:
    """Return a network of the same weights, and nothing else of it: no stride or flag tells what was done."""
    new = copy.deepcopy(blank())
    new.load_state_dict(network.state_dict())
    return new.eval()


@lru_cache(1)
def siblings() -> tuple[nn.Module, ...]:
    """Return the court's own networks: trained as every claimant's was, with digits, first weights and a mark
    of their own. All share them: ask them, and don't change them.
    """
    return tuple(map(_sibling, progress.each(range(SIBLINGS), "the court's networks")))


def _sibling(i: int) -> nn.Module:
    secret = secret_of(i, None) + b" sibling"
    samples = digits(secret, "a sibling")
    key = Adi2018(n=N).keygen(blank(), samples[:1], secret=secret)
    return taught(start(secret, "a sibling"), samples, key)


@lru_cache(1)
def odd_queries() -> Tensor:
    """Return the pictures on which scores are compared, (4_000, 1, 28, 28): test digits, and pairs of them
    laid over each other.
    """
    x = test_pictures()
    one, other = torch.randperm(len(x), generator=torch.Generator().manual_seed(16)).split(len(x) // 2)
    return torch.cat([x[one[:1_000]], (x[one[:3_000]] + x[other[:3_000]]) / 2])
