"""Models that never saw a mark: what a judge compares a suspect with.

Ours ship, and serve where they classify the samples at hand: names of classes prove nothing. Those of other
data are trained on the spot, or brought by the owner. A p-value from decoys needs none of them to be right:
all keys are drawn with the same ones.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from ..data import Samples, load, split
from ..data.samples import split_places
from ..errors import NOT_EMPTY, require
from ..models import badnet_cnn, reborn, seed_of, sign_cnn
from ..models.shipped import restored, ship
from ..training import Recipe, accuracy, trained
from .evidence import Suspect

SIGNS = Recipe(epochs=6, lr=6e-3, batch_size=128)
"""How to read the 20 signs of the United States."""
NETWORKS: dict[str, tuple[Callable[[int], nn.Module], Recipe]] = {
    "mnist": (badnet_cnn, Recipe()),
    "signs-us": (lambda seed: sign_cnn(20, seed), SIGNS),
}
"""Data set -> how to build the network of seed s, and how to train it."""
READS = 0.8
"""The least share of the samples that a shipped network must classify correctly to serve: a tenth of poison
or of wrong labels leaves it above, and no other task of ten classes or more lets it come near.
"""
LOOK = 500
"""Samples that it is asked about, evenly spread over the set."""
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

    For digits and US signs they ship, where the first of them classifies `READS` of the samples correctly;
    for anything else, networks built like `model`, with first weights of their own, are trained here, each on
    a random half of `samples`: two of them take as long as training `model` once. They are kept as long as
    `model` is, so that the next key costs nothing. All callers share the networks: ask them, and don't change
    them.
    """
    networks = company(model, samples, recipe, count).networks
    return tuple(network for network in networks if isinstance(network, nn.Module))


@dataclass(frozen=True, eq=False)
class Company:
    """Models without the mark, and where they come from, in words."""

    networks: tuple[Suspect, ...]
    origin: str


def invited(
    given: Sequence[Suspect] | None,
    model: nn.Module,
    samples: Samples,
    recipe: Recipe = Recipe(),
    count: int = N_NULL,
) -> Company:
    """Return the bystanders that an owner has `given`, at least one, or else those `for_task`."""
    if given is None:
        return company(model, samples, recipe, count)
    require(len(given) > 0, "bystanders must not be empty", 0, "Train a few models without the mark.")
    return Company(tuple(given), f"{len(given)} brought by the owner")


def company(model: nn.Module, samples: Samples, recipe: Recipe, count: int) -> Company:
    """Return the `count` networks of `for_task`, and say where they come from."""
    require(1 <= count <= N_NULL, f"count must lie in 1..{N_NULL}", count)
    task = tuple(samples.x.shape[1:]), samples.classes
    for name in NETWORKS:
        if task == _task(name) and _reads(name, samples):
            return Company(_shipped_on(name, count, samples.x.device), f"{count} shipped, of {name}")
    return Company(_trained_here(model, samples, recipe, count), f"{count} trained here")


def _reads(name: str, samples: Samples) -> bool:
    """Say whether the first shipped network of `name` classifies the samples; remember it for each set."""
    known = _judged.get((name, id(samples.x), id(samples.y)))
    if known is not None and known.images() is samples.x and known.labels() is samples.y:
        return known.reads
    require(len(samples) > 0, *NOT_EMPTY)
    network = _shipped_on(name, 1, samples.x.device)[0]
    some = samples[torch.arange(0, len(samples), -(-len(samples) // LOOK), device=samples.x.device)]
    reads = accuracy(network, some) >= READS
    while len(_judged) >= MOST_JUDGED:
        _judged.pop(next(iter(_judged)))
    key = (name, id(samples.x), id(samples.y))
    _judged[key] = _Judged(weakref.ref(samples.x), weakref.ref(samples.y), reads)
    return reads


@dataclass(frozen=True, eq=False)
class _Judged:
    """Whether a shipped network classifies a set; the set is not kept alive."""

    images: weakref.ref[Tensor]
    labels: weakref.ref[Tensor]
    reads: bool


MOST_JUDGED = 32
"""Sets that are remembered: a thousand decoys ask about the same one."""
_judged: dict[tuple[str, int, int], _Judged] = {}


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
        start = reborn(model, seed_of("bystander", seed))  # as no owner, thief or student starts
        networks.append(trained(start, half, replace(recipe, seed=seed))[0])
    _kept[model] = _Kept(weakref.ref(samples.x), weakref.ref(samples.y), recipe, tuple(networks))
    return tuple(networks)


def _task(name: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
    from ..data.signs import COUNTRIES

    if name == "mnist":
        return (1, 28, 28), tuple("0123456789")
    return (3, 32, 32), tuple(sign.name for sign in COUNTRIES["us"])


def lot(name: str, i: int) -> Tensor:
    """Return which training images of the data set `name`, (N,) bool, the shipped network `i` learnt."""
    samples = load(name).train
    chosen = torch.zeros(len(samples), dtype=torch.bool)
    chosen[split_places(samples, 3 * len(samples) // 4, seed=1000 + i)[0]] = True
    return chosen


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
