"""How large should a key be? Adi's watermark with keys of several sizes, taught in one short epoch to a
trained network.

Y. Adi and others, USENIX Security 2018, arXiv:1802.04633, chose 100 trigger images. Here the trigger images
fill a fixed share of the epoch, so that a larger key means fewer looks at each of its images.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from torch import nn

from ..data import Splits, load
from ..models import badnet_cnn
from ..training import Recipe, accuracy, best_device, trained
from ..watermarks import Adi2018
from .experiment import Cell, Experiment, Row

SIZES = (5, 10, 20, 50, 100, 200, 500, 1000, 2000)
SCHEME = Adi2018(share=0.2, recipe=Recipe(epochs=1, lr=2e-3))


def _marked(cell: Cell, recipe: Recipe) -> Row:
    data, plain = _mnist(), _plain(recipe)
    scheme = replace(SCHEME, n=cell["n"], recipe=replace(SCHEME.recipe, seed=recipe.seed))
    mark = scheme.embed(plain, data.train, scheme.keygen(plain, data.train, seed=recipe.seed))
    found = scheme.verify(mark.model, mark.key)
    return {
        "plain": accuracy(plain, data.test),
        "accuracy": accuracy(mark.model, data.test),
        "hits": found.hits,
    }


@lru_cache(1)
def _plain(recipe: Recipe) -> nn.Module:
    data = _mnist()
    return trained(badnet_cnn(recipe.seed).to(data.train.x.device), data.train, recipe)[0]


@lru_cache(1)
def _mnist() -> Splits:
    return load("mnist").to(best_device())


KEY_SIZE = Experiment(
    name="key-size",
    question="What do more triggers buy, and what do they cost?",
    minutes=2,
    cells=tuple({"seed": seed, "n": n} for seed in range(3) for n in SIZES),
    measure=_marked,
)
