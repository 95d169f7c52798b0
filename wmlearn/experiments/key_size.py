"""How large should a key be? Adi's watermark with keys of several sizes, taught in one short epoch to a
trained network.

Y. Adi and others, USENIX Security 2018, arXiv:1802.04633, chose 100 trigger images. Here the trigger images
fill a fixed share of the epoch, so that a larger key means fewer looks at each of its images.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from statistics import mean

from torch import nn

from ..models import badnet_cnn
from ..training import Recipe, accuracy, trained
from ..watermarks import Adi2018
from ..words import spread
from .experiment import Cell, Comparison, Experiment, Results, Row, values
from .material import mnist

SIZES = (5, 10, 20, 50, 100, 200, 500, 1000, 2000)
SCHEME = Adi2018(share=0.2, recipe=Recipe(epochs=1, lr=2e-3))


def _measure(cell: Cell, recipe: Recipe) -> Row:
    data = mnist()
    plain = _plain(recipe)
    scheme = replace(SCHEME, n=cell["n"], recipe=replace(SCHEME.recipe, seed=recipe.seed))
    mark = scheme.embed(plain, data.train, scheme.keygen(plain, data.train, seed=recipe.seed))
    return {
        "plain": accuracy(plain, data.test),
        "accuracy": accuracy(mark.model, data.test),
        "hits": scheme.verify(mark.model, mark.key).hits,
    }


@lru_cache(1)
def _plain(recipe: Recipe) -> nn.Module:
    samples = mnist().train
    return trained(badnet_cnn(recipe.seed).to(samples.x.device), samples, recipe)[0]


def _compare(results: Results) -> list[Comparison]:
    def line(n: int) -> Comparison:
        rows = results.where(n=n)
        learnt = mean(row["hits"] for row in rows) / n
        lost = [row["plain"] - row["accuracy"] for row in rows]
        says = f"{100 * learnt:.0f} % learnt, accuracy lost {spread(lost, 'points')}"
        return Comparison(f"a key of {n:,} triggers, labels drawn at random", "", says)

    return [line(n) for n in dict.fromkeys(values(results.rows, "n"))]


KEY_SIZE = Experiment(
    name="key-size",
    question="What do more triggers buy, and what do they cost?",
    minutes=2,
    chapter="07 From backdoor to watermark",
    cells=tuple({"seed": seed, "n": n} for seed in range(3) for n in SIZES),
    measure=_measure,
    summary=_compare,
)
