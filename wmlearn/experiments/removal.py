"""All schemes against all removals: what is left of each mark, what it cost the thief, and what the same
attacks do to an unmarked network.

N. Lukas, E. Jiang, X. Li, F. Kerschbaum: SoK: How Robust is Image Classification Deep Neural Network
Watermarking?, IEEE S&P 2022, arXiv:2108.04974: no scheme is robust to all attacks, no attack removes all
marks, combinations do.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from statistics import mean
from typing import Any

import torch
from torch import Tensor, nn

from .. import removal, watermarks
from ..data import Samples, split
from ..evidence import Evidence, Rank, bystanders
from ..models import badnet_cnn
from ..protocols import Marked, Removal
from ..scorecard import NONE
from ..training import Recipe, accuracy, trained
from .experiment import Cell, Comparison, Experiment, Results, Row, values
from .false_claims import stranger_rates
from .material import mnist, rounded
from .published import NO_SINGLE_ATTACK
from .watermarks import DAWN, STARTS_TRAINED, suited

ATTACKER = 6_000  # samples of the attacker, none of them the owner's
SCHEMES = tuple(name for name in watermarks.ALL if name != DAWN)
"""DAWN marks a service's answers, not a model: whoever has the model has no mark to remove. `wmlearn
reproduce watermarks` steals it.
"""
SEEDS = 3
PLAIN = "plain"
GONE = 1e-3
"""The judge's level: a mark with a larger p-value is gone."""
CHANCES = {"adi2018": 0.1, "adi2018-pretrained": 0.1, "uchida2017": 0.5}
"""Chance of a hit where labels or bits were drawn at random. The other schemes have none."""
WORTH = 0.05
"""Accuracy that a thief may lose: after more, the SoK doesn't count a removal."""


@dataclass(frozen=True)
class Price:
    """What the cheapest successful removal costs: its name, and the accuracy lost, mean over seeds."""

    removal: str
    lost: float


def p_value(results: Results, scheme: str, hits: int, trials: int) -> float:
    """Return the p-value of `hits` of a key of `scheme`: a binomial tail, or else its rank among all that was
    measured without the mark, pairs of a key and a stranger, and the unmarked network after every attack.

    Such a rank is near, not exact: pairs of one key, or of one network, are alike. `experiments.decoys` has
    exact ones for one network a scheme.
    """
    if scheme in CHANCES:
        return Evidence(scheme, "labels", hits, trials, CHANCES[scheme]).p_value
    rates = torch.cat([stranger_rates(scheme), _unmarked_rates(results, scheme)])
    as_high = int((rates >= hits / trials).sum())
    return Rank("bystanders", as_high, len(rates)).p_value


def _unmarked_rates(results: Results, scheme: str) -> Tensor:
    """Return what the scheme's keys hit in the unmarked networks, one an attack and seed, float64."""
    after = [cell for row in results.where(scheme=PLAIN) for cell in row["removals"]]
    rates = [cell["hits"][scheme] / cell["trials"][scheme] for cell in after]
    return torch.tensor(rates, dtype=torch.float64)


def p_values(results: Results, scheme: str, attack: str) -> list[float]:
    """Return the p-value of each seed's mark after `attack`; of "plain", the smallest that a key with random
    labels or bits has there.
    """
    after = cells(results, scheme, attack)
    if scheme != PLAIN:
        return [p_value(results, scheme, cell["hits"], cell["trials"]) for cell in after]
    return [min(claims_on(results, cell)) for cell in after]


def claims_on(results: Results, cell: Row) -> list[float]:
    """Return the p-values of keys with random labels or bits on an unmarked network after an attack; the hits
    of the others are part of what they are ranked among.
    """
    return [p_value(results, key, cell["hits"][key], cell["trials"][key]) for key in CHANCES]


def cells(results: Results, scheme: str, attack: str) -> list[Row]:
    """Return what was measured of `scheme` after `attack`, one a seed."""
    return [
        cell for row in results.where(scheme=scheme) for cell in row["removals"] if cell["removal"] == attack
    ]


def lost(results: Results, scheme: str, attack: str) -> float:
    """Return the accuracy lost to `attack`, mean over seeds."""
    before = mean(values(cells(results, scheme, NONE), "accuracy"))
    after = mean(values(cells(results, scheme, attack), "accuracy"))
    return before - after


def gone(results: Results, scheme: str, attack: str) -> bool:
    """Say whether `attack` removes the mark of `scheme` for every seed, and leaves a model that is worth the
    theft.
    """
    return lost(results, scheme, attack) <= WORTH and all(p > GONE for p in p_values(results, scheme, attack))


def cheapest(results: Results, scheme: str) -> Price | None:
    """Return the removal of `scheme` that costs the least accuracy, or None where none works."""
    attacks = dict.fromkeys(
        cell["removal"] for row in results.where(scheme=scheme) for cell in row["removals"]
    )
    prices = [
        Price(attack, lost(results, scheme, attack)) for attack in attacks if gone(results, scheme, attack)
    ]
    return min(prices, key=lambda price: price.lost, default=None)


def _measure(cell: Cell, recipe: Recipe) -> Row:
    """Embed one scheme and try every removal on it; for the plain network, try all schemes' keys on what
    comes out.
    """
    parts = parts_of(recipe.seed)
    network = badnet_cnn(recipe.seed).to(parts.owner.x.device)
    if cell["scheme"] in {PLAIN, *STARTS_TRAINED}:
        network = trained(network, parts.owner, recipe)[0]
    if cell["scheme"] == PLAIN:
        return _measure_unmarked(network, parts, recipe.seed)
    scheme = suited(cell["scheme"], "mnist", recipe.seed)
    mark = scheme.embed(network, parts.owner, scheme.keygen(network, parts.owner, seed=recipe.seed))
    attacks = {NONE: _keep, **removal.ALL}
    return {
        "accuracy": rounded(accuracy(mark.model, parts.test)),
        "removals": [_left(mark, name, attack, parts) for name, attack in attacks.items()],
    }


def _keep(model: nn.Module, samples: Samples) -> nn.Module:
    return model


def _left(mark: Marked[Any], name: str, attack: Removal, parts: Parts) -> Row:
    """Attack a marked network, and say what is left of the mark."""
    start = time.perf_counter()
    model = attack(mark.model, parts.attacker)
    seconds = round(time.perf_counter() - start, 3)
    found = mark.scheme.verify(model, mark.key)
    return {
        "removal": name,
        "accuracy": rounded(accuracy(model, parts.test)),
        "hits": found.hits,
        "trials": found.trials,
        "seconds": seconds,
    }


def _measure_unmarked(network: nn.Module, parts: Parts, seed: int) -> Row:
    schemes = {name: suited(name, "mnist", seed) for name in SCHEMES}
    keys = {name: scheme.keygen(network, parts.owner, seed=seed) for name, scheme in schemes.items()}
    rows = []
    for name, attack in removal.ALL.items():
        left = attack(network, parts.attacker)
        claims = {key: scheme.verify(left, keys[key]) for key, scheme in schemes.items()}
        row: Row = {"removal": name, "accuracy": rounded(accuracy(left, parts.test))}
        row["hits"] = {key: claim.hits for key, claim in claims.items()}
        row["trials"] = {key: claim.trials for key, claim in claims.items()}
        rows.append(row)
    return {"accuracy": rounded(accuracy(network, parts.test)), "removals": rows}


@dataclass(frozen=True, eq=False)
class Parts:
    """The owner's images, the attacker's and the test set; no two share an image."""

    owner: Samples
    attacker: Samples
    test: Samples


@lru_cache(1)
def parts_of(seed: int) -> Parts:
    data = mnist()
    owner, attacker = split(data.train, 3 * len(data.train) // 4, ATTACKER, seed=3000 + seed)
    return Parts(owner, attacker, data.test)


def _compare(results: Results) -> list[Comparison]:
    schemes = [scheme for scheme in dict.fromkeys(values(results.rows, "scheme")) if scheme != PLAIN]
    unmarked = results.where(scheme=PLAIN)
    attacks = values(unmarked[0]["removals"], "removal")
    n = len(unmarked)
    comparisons = [_compare_scheme(results, scheme, attacks, n) for scheme in schemes]
    for attack in attacks:
        removed = [scheme for scheme in schemes if gone(results, scheme, attack)]
        paper = NO_SINGLE_ATTACK.says if attack == attacks[0] else ""
        says = f"{len(removed)} of {len(schemes)} (n = {n})"
        comparisons.append(Comparison(f"{attack}: marks gone", paper, says))
    claims = [p for row in unmarked for cell in row["removals"] for p in claims_on(results, cell)]
    wrong = f"{sum(p <= GONE for p in claims)} of {len(claims)}"
    what = "unmarked network after all attacks: claims supported (control)"
    return [*comparisons, Comparison(what, "", wrong)]


def _compare_scheme(results: Results, scheme: str, attacks: list[str], n: int) -> Comparison:
    successful = [attack for attack in attacks if gone(results, scheme, attack)]
    says = f"{len(successful)} of {len(attacks)} (n = {n})"
    least = cheapest(results, scheme)
    if least is not None:
        says += f"; cheapest: {least.removal}, {100 * least.lost:.1f} points of accuracy"
    return Comparison(f"{scheme}: attacks that remove it", "", says)


REMOVAL = Experiment(
    name="removal",
    question="Every mark against every removal: which are still believed, and what did it cost the thief?",
    minutes=30,
    chapter="09 Removal",
    cells=tuple({"scheme": scheme, "seed": seed} for seed in range(SEEDS) for scheme in (PLAIN, *SCHEMES)),
    measure=_measure,
    summary=_compare,
    recipe=bystanders.NETWORKS["mnist"][1],
)
