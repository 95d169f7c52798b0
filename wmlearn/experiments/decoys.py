"""Whose mark is it? Marked networks, before and after every removal, asked about their owner's key and about
keys that anybody could draw by the same recipe.

Where many decoys match a marked network, the mark says that somebody planted it, not who. The control, the
same test on networks without a mark, is the experiment `false-claims`.
"""

from __future__ import annotations

from statistics import median
from typing import Any

from torch import nn

from .. import removal
from ..data import Samples, split
from ..evidence import Evidence, Rank
from ..evidence.significance import against_keys, decoys
from ..models import badnet_cnn
from ..scorecard import NONE
from ..training import Recipe, accuracy, trained
from ..watermarks import dawn
from .experiment import Cell, Comparison, Experiment, Results, Row, values
from .material import rounded
from .removal import Parts, parts_of
from .watermarks import DAWN, QUERIES, STARTS_TRAINED, suited

SCHEMES = (
    "zhang2018-content",
    "zhang2018-unrelated",
    "zhang2018-noise",
    "gu2017-patch",
    "adi2018",
    "adi2018-pretrained",
    "uchida2017",
    "szyller2021-dawn",
    "chen2019-blackmarks",
    "jia2021-ewe",
    "kim2023-margin",
    "lemerrer2019",
)
DECOYS = 999
SEEDS = 1
REMOVALS = tuple(name for name in removal.ALL if name != removal.STEALS_NOTHING)
ALPHA = 1e-3


def tested(cell: Row) -> Evidence:
    """Return what a cell of a row's "removals" says, with its rank among decoys."""
    rank = Rank("decoys", cell["as_high"], cell["drawn"], cell["stopped"])
    return Evidence(cell["scheme"], cell["access"], cell["hits"], cell["trials"], None, rank)


def other_rates(row: Row) -> list[float]:
    """Return the share of each decoy that the marked network matches."""
    return [hits / n for hits, n in zip(row["others"], row["others_trials"], strict=True)]


def _measure(cell: Cell, recipe: Recipe) -> Row:
    """Embed one scheme, draw decoys, and rank the owner's key among them, also after each of `REMOVALS`."""
    parts = parts_of(recipe.seed)
    samples = _known(cell["scheme"], parts, recipe.seed)
    network = badnet_cnn(recipe.seed).to(samples.x.device)
    if cell["scheme"] in STARTS_TRAINED:
        network = trained(network, parts.owner, recipe)[0]
    scheme = suited(cell["scheme"], "mnist", recipe.seed)
    key = scheme.keygen(network, samples, seed=recipe.seed)
    marked = scheme.embed(network, samples, key).model
    if cell["scheme"] == DAWN:  # who has the model itself has no mark: what a thief learnt from its answers
        marked = dawn.surrogate(marked, badnet_cnn(1000 + recipe.seed).to(samples.x.device), samples)
    others = list(decoys(scheme, model=network, samples=samples, n=DECOYS, seed=recipe.seed))
    row: Row = {
        "others": [scheme.verify(marked, other).hits for other in others],
        "others_trials": [len(other) for other in others],
        "removals": [],
    }
    row["removals"].append({"removal": NONE, **_ranked(scheme, marked, key, others, parts)})
    for name in REMOVALS:
        left = removal.ALL[name](marked, parts.attacker)
        row["removals"].append({"removal": name, **_ranked(scheme, left, key, others, parts)})
    return row


def _known(scheme: str, parts: Parts, seed: int) -> Samples:
    """Return what keys are drawn from: the owner's images, or those that a thief sends to a service."""
    if scheme != DAWN:
        return parts.owner
    return split(parts.owner, QUERIES, seed=seed)[0]


def _ranked(scheme: Any, model: nn.Module, key: Any, others: list[Any], parts: Parts) -> Row:
    found = against_keys(scheme, model, key, others)
    assert found.rank is not None
    return {
        "scheme": found.scheme,
        "access": found.access,
        "accuracy": rounded(accuracy(model, parts.test)),
        "hits": found.hits,
        "trials": found.trials,
        "as_high": found.rank.as_high,
        "drawn": found.rank.drawn,
        "stopped": found.rank.stopped,
    }


def _compare(results: Results) -> list[Comparison]:
    return [_compare_scheme(results, name) for name in dict.fromkeys(values(results.rows, "scheme"))]


def _compare_scheme(results: Results, scheme: str) -> Comparison:
    rows = results.where(scheme=scheme)
    before = [tested(row["removals"][0]) for row in rows]
    after = [tested(cell) for row in rows for cell in row["removals"][1:]]
    rates = [rate for row in rows for rate in other_rates(row)]
    p_values = ", ".join(f"{found.p_value:.3f}" for found in before)
    middle = 100 * median(rates)
    most = 100 * max(rates)
    kept = sum(found.p_value <= ALPHA for found in after)
    says = (
        f"p {p_values}; other keys hit {middle:.0f} % (median), {most:.0f} % at most;"
        f" after a removal p is {ALPHA:g} in {kept} of {len(after)} (n = {len(rows)})"
    )
    return Comparison(f"{scheme}: the owner's key among {DECOYS} decoys", "", says)


DECOYS_EXPERIMENT = Experiment(
    name="decoys",
    question="Does a mark answer to its owner's key alone, before and after each removal?",
    minutes=60,
    chapter="07 From backdoor to watermark",
    cells=tuple({"scheme": scheme, "seed": seed} for seed in range(SEEDS) for scheme in SCHEMES),
    measure=_measure,
    summary=_compare,
)
