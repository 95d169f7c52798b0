"""How often does a claim against an innocent model succeed? Many keys of every scheme, tried on networks that
never saw a mark.

A claim at level alpha must be supported for at most a share alpha of innocent models. The networks that a
key's `chance` is measured on are left out: claims are tried on strangers only. Claims of one key are not
independent of each other: networks that learnt the same task err on the same images. So the intervals take
each key for a cluster, and the number of *keys* with any false claim stands beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from torch import nn

from .. import watermarks
from ..data import Samples, load
from ..evidence import Evidence, bystanders
from ..evidence.significance import clustered_interval
from ..models import badnet_cnn
from ..training import Recipe, best_device, trained
from .experiment import Cell, Experiment, Results, Row

KEYS = 200
ALPHAS = (0.05, 0.01, 0.001)
# its keys are those of adi2018
SCHEMES = tuple(name for name in watermarks.ALL if name != "adi2018-pretrained")
EXACT = ("adi2018", "uchida2017")
"""Schemes whose labels or bits are drawn at random, whatever a model says: their `chance` is exact.

That of szyller2021-dawn is a bound, reached only by a model that never gives the owner's honest answer. That
of the others is measured on a few bystanders and taken high, at least 1/2 where all triggers share one label:
conservative, so that a level is hardly ever used up.
"""


@dataclass(frozen=True)
class FalseClaims:
    """At level `alpha`, `false` of `claims` were supported, and at least one for `keys_false` of `keys` keys;
    `low` … `high` is the 95 % interval of the rate, with the claims of one key as a cluster.
    """

    scheme: str
    alpha: float
    false: int
    claims: int
    low: float
    high: float
    keys_false: int
    keys: int


def false_claims(results: Results, scheme: str, alpha: float) -> FalseClaims:
    """Count the claims of `scheme` that a judge would have supported at `alpha`."""
    (row,) = results.where(scheme=scheme)
    wrong = [
        sum(Evidence(scheme, "labels", hits, trials, chance).p_value < alpha for hits in found)
        for found, trials, chance in zip(row["hits"], row["trials"], row["chance"], strict=True)
    ]
    false, claims = sum(wrong), sum(map(len, row["hits"]))
    low, high = clustered_interval(wrong, len(row["hits"][0]))
    return FalseClaims(scheme, alpha, false, claims, low, high, sum(n > 0 for n in wrong), len(wrong))


def _claimed(cell: Cell, recipe: Recipe) -> Row:
    scheme, owner, samples = watermarks.ALL[cell["scheme"]], _owner(recipe), _samples()
    keys = [scheme.keygen(owner, samples, seed=seed) for seed in range(KEYS)]
    found = [[scheme.verify(stranger, key) for stranger in _strangers()] for key in keys]
    return {
        "trials": [row[0].trials for row in found],
        "chance": [row[0].chance for row in found],
        "hits": [[evidence.hits for evidence in row] for row in found],
    }


@lru_cache(1)
def _samples() -> Samples:
    return load("mnist").train[:10_000].to(best_device())


@lru_cache(1)
def _owner(recipe: Recipe) -> nn.Module:
    """The claimant's network: neither a stranger nor one of those that measure `chance`."""
    return trained(badnet_cnn(recipe.seed).to(best_device()), _samples(), recipe)[0]


@lru_cache(1)
def _strangers() -> tuple[nn.Module, ...]:
    return tuple(
        each.to(best_device()) for each in bystanders.shipped("mnist", bystanders.N_NULL, bystanders.N_DIGITS)
    )


FALSE_CLAIMS = Experiment(
    name="false-claims",
    question="How often is an innocent model found guilty?",
    minutes=6,
    cells=tuple({"scheme": name} for name in SCHEMES),
    measure=_claimed,
)
