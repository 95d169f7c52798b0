"""How often does a claim against an innocent model succeed? Many keys of every scheme, tried on networks that
never saw a mark.

A claim at level alpha must be supported for at most a share alpha of innocent models. The networks that a
key's `chance` is measured on are left out: claims are tried on strangers only. Claims of one key are not
independent of each other: networks that learnt the same task err on the same images. So the intervals take
each key for a cluster, and the number of *keys* with any false claim stands beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

from torch import nn

from .. import watermarks
from ..data import Samples, load
from ..evidence import Evidence, bystanders
from ..evidence.significance import clustered_interval
from ..models import badnet_cnn
from ..training import Recipe, best_device, trained
from .experiment import Cell, Comparison, Experiment, Results, Row

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

    def supported(hits: list[int], trials: int, chance: float) -> int:
        return sum(_p_value(count, trials, chance) < alpha for count in hits)

    by_key = zip(row["hits"], row["trials"], row["chance"], strict=True)
    wrong = [supported(*key) for key in by_key]
    low, high = clustered_interval(wrong, len(row["hits"][0]))
    return FalseClaims(
        scheme=scheme,
        alpha=alpha,
        false=sum(wrong),
        claims=sum(map(len, row["hits"])),
        low=low,
        high=high,
        keys_false=sum(count > 0 for count in wrong),
        keys=len(wrong),
    )


@cache
def _p_value(hits: int, trials: int, chance: float) -> float:
    # the same counts come again and again, key after key and level after level
    return Evidence("", "labels", hits, trials, chance).p_value


def _measure(cell: Cell, recipe: Recipe) -> Row:
    scheme = watermarks.ALL[cell["scheme"]]
    owner = _owner(recipe)
    keys = [scheme.keygen(owner, _samples(), seed=seed) for seed in range(KEYS)]
    row: Row = {"trials": [], "chance": [], "hits": []}
    for key in keys:
        claims = [scheme.verify(stranger, key) for stranger in _strangers()]
        row["trials"].append(claims[0].trials)
        row["chance"].append(claims[0].chance)
        row["hits"].append([claim.hits for claim in claims])
    return row


def _compare(results: Results) -> list[Comparison]:
    return [_compare_scheme(results, row["scheme"]) for row in results.rows]


def _compare_scheme(results: Results, scheme: str) -> Comparison:
    by_level = [false_claims(results, scheme, alpha) for alpha in ALPHAS]
    counts = [
        f"{level.alpha:g}: {level.false} ({level.keys_false} keys, up to {100 * level.high:.2f} %)"
        for level in by_level
    ]
    total = f"of {by_level[0].claims:,} ({by_level[0].keys} keys)"
    kind = "exact" if scheme in EXACT else "a bound"
    what = f"{scheme}, chance {kind}: claims on innocent models supported, by level"
    return Comparison(what, "", f"{'; '.join(counts)}, {total}")


@lru_cache(1)
def _samples() -> Samples:
    return load("mnist").train[:10_000].to(best_device())


@lru_cache(1)
def _owner(recipe: Recipe) -> nn.Module:
    """The claimant's network: neither a stranger nor one of those that measure `chance`."""
    return trained(badnet_cnn(recipe.seed).to(best_device()), _samples(), recipe)[0]


@lru_cache(1)
def _strangers() -> tuple[nn.Module, ...]:
    networks = bystanders.shipped("mnist", bystanders.N_NULL, bystanders.N_DIGITS)
    return tuple(network.to(best_device()) for network in networks)


FALSE_CLAIMS = Experiment(
    name="false-claims",
    question="How often is an innocent model found guilty?",
    minutes=6,
    chapter="10 Whose model is it?",
    cells=tuple({"scheme": name} for name in SCHEMES),
    measure=_measure,
    summary=_compare,
)
