"""How loudly may a mark in the weights speak? Uchida's scheme by its strength: bits read, accuracy, and
whether the weights betray it.

Y. Uchida and others, ICMR 2017, arXiv:1701.04082, took lambda = 0.01. Two detectors: that of
`watermarks.share_below`, and one that knows the scheme. They compare with bystanders that learnt from three
quarters of the digits, so these networks do the same; more digits alone widen the weights, as the rows with
all of them show. Strength 0 is the control: the same training without a mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from torch import nn

from ..data import Splits, load, split
from ..evidence import bystanders
from ..models import badnet_cnn
from ..training import Recipe, accuracy, best_device
from ..watermarks import Uchida2017
from ..watermarks.uchida import mean_filter
from .experiment import Cell, Experiment, Row
from .watermarks import share_below

STRENGTHS = (0.0, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 1e-2, 1e-1, 1.0)
FAIR, ALL = 45_000, 60_000  # digits to learn from: as many as a bystander, or all


def _strength(cell: Cell, recipe: Recipe) -> Row:
    data, seed = _mnist(), recipe.seed
    mine = split(data.train, cell["n"], seed=2000 + seed)[0]
    scheme, network = (
        Uchida2017(strength=cell["strength"], recipe=recipe),
        badnet_cnn(2000 + seed).to(mine.x.device),
    )
    key = scheme.keygen(network, mine, seed=seed)
    model = scheme.embed(network, mine, key).model  # warns where a mark is too weak, which is the question
    strangers = [
        stranger.to(mine.x.device)
        for stranger in bystanders.shipped("mnist", bystanders.N_NULL, bystanders.N_ALL)
    ]
    return {
        "accuracy": round(accuracy(model, data.test), 6),
        "hits": scheme.verify(model, key).hits,
        "wrong_secret": scheme.verify(model, scheme.keygen(network, mine, seed=1000 + seed)).hits,
        "trials": len(key),
        "weights_auc": round(share_below(model, strangers), 6),
        "filter_auc": round(narrower(model, strangers), 6),
    }


def narrower(model: nn.Module, strangers: Sequence[nn.Module]) -> float:
    """Return the share of strangers whose mean filter, in the layer that Uchida marks, has a smaller
    deviation than the model's.
    """
    mine, *others = (_deviation(network) for network in (model, *strangers))
    return sum(other < mine for other in others) / len(others)


def _deviation(network: nn.Module) -> float:
    last = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)][-1]
    return float(mean_filter(last.weight.detach()).std())


@lru_cache(1)
def _mnist() -> Splits:
    return load("mnist").to(best_device())


UCHIDA_STRENGTH = Experiment(
    name="uchida-strength",
    question="A mark in the weights: how strong must it be to be read, and how strong until it shows?",
    minutes=3,
    cells=tuple(
        {"strength": strength, "n": n, "seed": seed}
        for strength, n in (*((strength, FAIR) for strength in STRENGTHS), (0.0, ALL))
        for seed in range(3)
    ),
    measure=_strength,
)
