"""How loudly may a mark in the weights speak? Uchida's scheme by its strength: bits read, accuracy, and
whether the weights betray it.

Y. Uchida and others, ICMR 2017, arXiv:1701.04082, took lambda = 0.01. Two detectors: that of
`watermarks.share_below`, and one that knows the scheme. They compare with bystanders that learnt from three
quarters of the digits, so these networks do the same; more digits alone widen the weights, as the rows with
all of them show. Strength 0 is the control: the same training without a mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

from torch import nn

from ..data import split
from ..evidence import bystanders
from ..models import badnet_cnn
from ..training import Recipe, accuracy
from ..watermarks import Uchida2017
from ..watermarks.uchida import mean_filter
from ..words import decimal, spread
from .experiment import Cell, Comparison, Experiment, Results, Row, values
from .material import mnist, rounded
from .published import UCHIDA_BITS
from .watermarks import share_below

STRENGTHS = (0.0, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 1e-2, 1e-1, 1.0)
FAIR = 45_000  # digits to learn from: as many as a bystander
ALL = 60_000
PAPER_STRENGTH = 0.01


def _measure(cell: Cell, recipe: Recipe) -> Row:
    data = mnist()
    seed = recipe.seed
    samples = split(data.train, cell["n"], seed=2000 + seed)[0]
    scheme = Uchida2017(strength=cell["strength"], recipe=recipe)
    network = badnet_cnn(2000 + seed).to(samples.x.device)
    key = scheme.keygen(network, samples, seed=seed)
    wrong_key = scheme.keygen(network, samples, seed=1000 + seed)
    model = scheme.embed(network, samples, key).model  # warns where a mark is too weak, which is the question
    shipped = bystanders.shipped("mnist", bystanders.N_NULL, bystanders.N_ALL)
    strangers = [stranger.to(samples.x.device) for stranger in shipped]
    return {
        "accuracy": rounded(accuracy(model, data.test)),
        "hits": scheme.verify(model, key).hits,
        "wrong_secret": scheme.verify(model, wrong_key).hits,
        "trials": len(key),
        "weights_auc": rounded(share_below(model, strangers)),
        "filter_auc": rounded(narrower(model, strangers)),
    }


def narrower(model: nn.Module, strangers: Sequence[nn.Module]) -> float:
    """Return the share of strangers whose mean filter, in the layer that Uchida marks, has a smaller
    deviation than the model's.
    """
    deviation = _deviation(model)
    return sum(_deviation(stranger) < deviation for stranger in strangers) / len(strangers)


def _deviation(network: nn.Module) -> float:
    last = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)][-1]
    return float(mean_filter(last.weight.detach()).std())


def _compare(results: Results) -> list[Comparison]:
    return [_compare_strength(results, *point) for point in dict.fromkeys(map(_point, results.rows))]


def _point(row: Row) -> tuple[float, int]:
    return row["strength"], row["n"]


def _compare_strength(results: Results, strength: float, n: int) -> Comparison:
    rows = results.where(strength=strength, n=n)
    bits = f"{mean(values(rows, 'hits')):.1f} of {rows[0]['trials']} bits"
    by_width = mean(values(rows, "weights_auc"))
    by_method = mean(values(rows, "filter_auc"))
    seen = f"AUC by width {by_width:.2f}, by method {by_method:.2f}"
    what = f"mark in the weights, {n:,} digits: strength {decimal(strength)}"
    paper = UCHIDA_BITS.says if strength == PAPER_STRENGTH else ""
    return Comparison(what, paper, f"{bits}, accuracy {spread(values(rows, 'accuracy'))}, {seen}")


_POINTS = [*((strength, FAIR) for strength in STRENGTHS), (0.0, ALL)]
UCHIDA_STRENGTH = Experiment(
    name="uchida-strength",
    question="A mark in the weights: how strong must it be to be read, and how strong until it shows?",
    minutes=3,
    chapter="08 Marks in the weights",
    cells=tuple({"strength": strength, "n": n, "seed": seed} for strength, n in _POINTS for seed in range(3)),
    measure=_measure,
    summary=_compare,
)
