"""How often does a claim against a model without the mark succeed? Many keys of every scheme, tried on
networks that never saw a mark, by both nulls: binomial where labels are drawn at random, and decoys.

A claim at level alpha must be supported for at most a share alpha of the keys. The networks that help to draw
keys are left out: claims are tried on strangers only. Claims of one key are not independent of each other:
networks that learnt the same task err on the same images. So the intervals take each key for a cluster, and
the number of *keys* with any false claim stands beside them. All keys of a scheme meet the same decoys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain, islice

import torch
from torch import Tensor, nn

from .. import watermarks
from ..data import Samples, load
from ..evidence import Evidence, bystanders
from ..evidence.significance import clustered_interval, decoys
from ..models import badnet_cnn
from ..protocols import K, Watermark
from ..training import Recipe, best_device, trained
from .experiment import Cell, Comparison, Experiment, Results, Row, shipped

KEYS = 200
DECOYS = 999
ALPHAS = (0.05, 0.01, 0.001)
# its keys are those of adi2018
SCHEMES = tuple(name for name in watermarks.ALL if name != "adi2018-pretrained")
EXACT = ("adi2018", "uchida2017")
"""Schemes whose labels or bits are drawn at random, whatever a model says: their `chance` is exact.

That of szyller2021-dawn is a bound, reached only by a model that never gives the owner's honest answer. The
others have none: decoys are their null.
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


def false_claims(results: Results, scheme: str, alpha: float, null: str | None = None) -> FalseClaims:
    """Count the claims of `scheme` that a judge would have supported at `alpha`, by the null "binomial" or
    "decoys"; where none is named, by decoys if labels were not drawn at random.
    """
    (row,) = results.where(scheme=scheme)
    null = null or ("decoys" if row["chance"][0] is None else "binomial")
    wrong = [int((claims <= alpha).sum()) for claims in p_values(row, null)]
    size = len(row["as_high" if null == "decoys" else "hits"][0])
    low, high = clustered_interval(wrong, size)
    return FalseClaims(
        scheme=scheme,
        alpha=alpha,
        false=sum(wrong),
        claims=size * len(wrong),
        low=low,
        high=high,
        keys_false=sum(count > 0 for count in wrong),
        keys=len(wrong),
    )


def p_values(row: Row, null: str) -> Tensor:
    """Return the p-value of every key on every stranger that was asked, (keys, strangers) float64."""
    if null == "decoys":
        return (1 + torch.tensor(row["as_high"], dtype=torch.float64)) / (1 + row["drawn"])
    by_key = zip(row["hits"], row["trials"], row["chance"], strict=True)
    return torch.stack([_tails(hits, trials, chance) for hits, trials, chance in by_key])


@cache
def stranger_rates(scheme: str) -> Tensor:
    """Return the hit rate of every shipped pair of a key and a stranger, (pairs,) float64: how keys of this
    scheme do on networks that never saw them.
    """
    (row,) = shipped("false-claims").where(scheme=scheme)
    hits = torch.tensor(row["hits"], dtype=torch.float64)  # (keys, strangers)
    return (hits / torch.tensor(row["trials"], dtype=torch.float64)[:, None]).flatten()


def _tails(hits: list[int], trials: int, chance: float) -> Tensor:
    """Return the binomial p-value of each count, (strangers,) float64."""
    from scipy.stats import binom

    return torch.from_numpy(binom.sf(torch.tensor(hits) - 1, trials, chance))


def _measure(cell: Cell, recipe: Recipe) -> Row:
    scheme = watermarks.ALL[cell["scheme"]]
    owner = _owner(recipe)
    row: Row = {"trials": [], "chance": [], "hits": [], "drawn": DECOYS, "as_high": []}
    rates: list[list[float]] = []
    own = (scheme.keygen(owner, _samples(), seed=seed) for seed in range(KEYS))
    keys = chain(own, decoys(scheme, model=owner, samples=_samples(), n=DECOYS))
    for key in islice(keys, KEYS):
        claims = _claims(scheme, key)
        row["trials"].append(claims[0].trials)
        row["chance"].append(claims[0].chance)
        row["hits"].append([claim.hits for claim in claims])
        rates.append(_rates(claims))
    others = torch.tensor([_rates(_claims(scheme, key)) for key in keys])  # (DECOYS, strangers)
    for mine in rates:
        row["as_high"].append((others >= torch.tensor(mine)).sum(0).tolist())
    return row


def _rates(claims: list[Evidence]) -> list[float]:
    return [claim.rate for claim in claims]


def _claims(scheme: Watermark[K], key: K) -> list[Evidence]:
    return [scheme.verify(stranger, key) for stranger in _strangers()]


def _compare(results: Results) -> list[Comparison]:
    return [line for row in results.rows for line in _compare_scheme(results, row["scheme"])]


def _compare_scheme(results: Results, scheme: str) -> Iterator[Comparison]:
    (row,) = results.where(scheme=scheme)
    if row["chance"][0] is not None:
        yield _compare_null(results, scheme, "binomial")
    if "as_high" in row:
        yield _compare_null(results, scheme, "decoys")


def _compare_null(results: Results, scheme: str, null: str) -> Comparison:
    by_level = [false_claims(results, scheme, alpha, null) for alpha in ALPHAS]
    counts = [
        f"{level.alpha:g}: {level.false} ({level.keys_false} keys, up to {100 * level.high:.2f} %)"
        for level in by_level
    ]
    total = f"of {by_level[0].claims:,} ({by_level[0].keys} keys)"
    what = f"{scheme}, by {null}: false claims supported, by level"
    return Comparison(what, "", f"{'; '.join(counts)}, {total}")


@lru_cache(1)
def _samples() -> Samples:
    return load("mnist").train[:10_000].to(best_device())


@lru_cache(1)
def _owner(recipe: Recipe) -> nn.Module:
    """The claimant's network: neither a stranger nor one of those that help to draw keys."""
    return trained(badnet_cnn(recipe.seed).to(best_device()), _samples(), recipe)[0]


@lru_cache(1)
def _strangers() -> tuple[nn.Module, ...]:
    networks = bystanders.shipped("mnist", bystanders.N_NULL, bystanders.N_DIGITS)
    return tuple(network.to(best_device()) for network in networks)


FALSE_CLAIMS = Experiment(
    name="false-claims",
    question="How often is an innocent model found guilty?",
    minutes=120,
    chapter="10 Whose model is it?",
    cells=tuple({"scheme": name} for name in SCHEMES),
    measure=_measure,
    summary=_compare,
)
