"""Models that never saw a mark: what a judge compares a suspect with.

Ours ship; those of other data are trained on the spot.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from ..data import Samples, load, split
from ..errors import require
from ..models import badnet_cnn, reborn, sign_cnn
from ..models.shipped import restored, ship
from ..training import Recipe, trained

SIGNS = Recipe(epochs=6, lr=6e-3, batch_size=128)
"""How to read the 20 signs of the United States."""
NETWORKS: dict[str, tuple[Callable[[int], nn.Module], Recipe]] = {
    "mnist": (badnet_cnn, Recipe()),
    "signs-us": (lambda seed: sign_cnn(20, seed), SIGNS),
}
"""Data set -> how to build the network of seed s, and how to train it."""
N_NULL = 8
"""Bystanders that help to draw keys; those after them are strangers, on whom a claim is tried."""
N_ALL = 28
N_DIGITS = 40
"""As many read digits: `wmlearn reproduce false-claims` tries claims on all that helped to draw no key."""


@lru_cache(4)
def shipped(name: str, first: int = 0, stop: int = N_NULL) -> tuple[nn.Module, ...]:
    """Return the shipped networks `first` … `stop` - 1 of the data set `name`, in eval mode."""
    return tuple(restored(NETWORKS[name][0](0), f"bystander-{name}-{i:02}") for i in range(first, stop))


def for_task(
    model: nn.Module, samples: Samples, recipe: Recipe = Recipe(), count: int = N_NULL
) -> tuple[nn.Module, ...]:
    """Return `count` networks that learnt a task like `samples` without any mark.

    For digits and US signs they ship; for anything else, networks built like `model`, with first weights of
    their own, are trained here, each on a random half of `samples`: two of them take as long as training
    `model` once. They are kept as long as `model` is, so that the next key costs nothing. All callers share
    the networks: ask them, and don't change them.
    """
    require(1 <= count <= N_NULL, f"count must lie in 1..{N_NULL}", count)
    task = tuple(samples.x.shape[1:]), samples.classes
    for name in NETWORKS:
        if task == _task(name):
            return _shipped_on(name, count, samples.x.device)
    return _trained_here(model, samples, recipe, count)


@lru_cache(8)
def _shipped_on(name: str, count: int, device: torch.device) -> tuple[nn.Module, ...]:
    """Copy the first shipped networks once a device: a thousand decoys ask for them a thousand times."""
    return tuple(copy.deepcopy(network).to(device) for network in shipped(name, 0, count))


@dataclass(frozen=True, eq=False)
class _Kept:
    """Networks that were trained here, and what on and how; the samples are not kept alive."""

    images: weakref.ref[Tensor]
    labels: weakref.ref[Tensor]
    recipe: Recipe
    networks: tuple[nn.Module, ...]

    def fits(self, samples: Samples, recipe: Recipe, count: int) -> bool:
        """Say whether `count` of the networks learnt these very `samples` by this recipe."""
        same = self.images() is samples.x and self.labels() is samples.y
        return same and self.recipe == recipe and count <= len(self.networks)


_kept: WeakKeyDictionary[nn.Module, _Kept] = WeakKeyDictionary()


def _trained_here(model: nn.Module, samples: Samples, recipe: Recipe, count: int) -> tuple[nn.Module, ...]:
    kept = _kept.get(model)
    if kept is not None and kept.fits(samples, recipe, count):
        return kept.networks[:count]
    networks = []
    for seed in range(count):
        half = split(samples, max(1, len(samples) // 2), seed=seed)[0]
        networks.append(trained(reborn(model, seed), half, replace(recipe, seed=seed))[0])
    _kept[model] = _Kept(weakref.ref(samples.x), weakref.ref(samples.y), recipe, tuple(networks))
    return tuple(networks)


def _task(name: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
    from ..data.signs import COUNTRIES

    if name == "mnist":
        return (1, 28, 28), tuple("0123456789")
    return (3, 32, 32), tuple(sign.name for sign in COUNTRIES["us"])


def make(name: str, first: int = 0, stop: int | None = None) -> None:
    """Train the networks of `name`, each by its seed on three quarters of the data, and put them with what
    ships. For maintainers.
    """
    build, recipe = NETWORKS[name]
    samples = load(name).train
    last = N_DIGITS if name == "mnist" else N_ALL
    for i in range(first, stop or last):
        part = split(samples, 3 * len(samples) // 4, seed=1000 + i)[0]
        model = trained(build(1000 + i), part, replace(recipe, seed=1000 + i))[0]
        ship(
            model,
            f"bystander-{name}-{i:02}",
            made=f"python -c \"from wmlearn import bystanders; bystanders.make('{name}')\"",
        )
