"""All schemes against all removals: what is left of each mark, what it cost the thief, and what the same
attacks do to an unmarked network; on digits, on signs, and with larger keys.

N. Lukas, E. Jiang, X. Li, F. Kerschbaum: SoK: How Robust is Image Classification Deep Neural Network
Watermarking?, IEEE S&P 2022, arXiv:2108.04974: no scheme is robust to all attacks, no attack removes all
marks, combinations do. `price` reads the rows.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

from torch import nn

from .. import removal, watermarks
from ..data import Samples, load, split
from ..evidence import bystanders
from ..protocols import Marked, Removal
from ..removal import STEALS_NOTHING
from ..scorecard import NONE
from ..training import Recipe, accuracy, best_device, trained
from . import price
from .experiment import Cell, Comparison, Experiment, Results, Row
from .material import rounded
from .price import LEVEL, PLAIN
from .published import NO_SINGLE_ATTACK
from .watermarks import DAWN, STARTS_TRAINED, suited

SCHEMES = tuple(name for name in watermarks.ALL if name != DAWN)
"""DAWN marks a service's answers, not a model: whoever has the model has no mark to remove. `wmlearn
reproduce watermarks` steals it.
"""
SEEDS = 3


@dataclass(frozen=True, eq=False)
class Bench:
    """A task, the marks that are tried on it, with `n` triggers where it says so, and the attacks."""

    data: str
    schemes: tuple[str, ...]
    attacker: int  # samples, none of them the owner's
    attacks: Mapping[str, Removal]
    n: int | None = None

    def scheme(self, name: str, seed: int) -> Any:
        """Return the scheme with a recipe that suits the task, and the number of triggers."""
        scheme = suited(name, self.data, seed)
        return scheme if self.n is None else replace(scheme, n=self.n)


@dataclass(frozen=True, eq=False)
class Parts:
    """The owner's images, the attacker's and the test set; no two share an image."""

    owner: Samples
    attacker: Samples
    test: Samples


DIGITS = Bench("mnist", SCHEMES, 6_000, removal.ALL)
OWN_SIGNS = Recipe(epochs=12, lr=3e-3, batch_size=128)
"""Of the thief who steals nothing: as many steps as a copy takes, the best of four rates on 400 of the 2,000
signs, kept aside; three draws.
"""
ON_SIGNS = (
    "adi2018-ftal",
    "adi2018-rtal",
    "chen2021-refit",
    "zhu2023-ft-sam",
    "overwrite-adi",
    "prune-50",
    "liu2018-fine-pruning",
    "quantize-4-bits",
    "mean-filter",
    "yan2023-permute",
    "distill-soft",
    "shafieinejad2019-extract",
    "hitaj2019-refuse",
)
"""At least two attacks of every kind but chains."""
SIGNS = Bench(
    "signs-us",
    ("adi2018", "uchida2017", "kim2023-margin"),
    2_000,
    {STEALS_NOTHING: removal.FromScratch(OWN_SIGNS)} | {name: removal.ALL[name] for name in ON_SIGNS},
)
"""Schemes whose labels or bits are drawn at random: the others would need their strangers' keys, too."""
LARGE_KEYS = Bench("mnist", ("adi2018",), 6_000, removal.ALL, n=500)


@lru_cache(1)
def parts_of(seed: int, bench: Bench | None = None) -> Parts:
    """Split a task's images for network `seed`; digits where no bench is named."""
    bench = bench or DIGITS
    data = load(bench.data).to(best_device())
    owner, attacker = split(data.train, 3 * len(data.train) // 4, bench.attacker, seed=3000 + seed)
    return Parts(owner, attacker, data.test)


def _measure(bench: Bench, cell: Cell, recipe: Recipe) -> Row:
    """Embed one scheme and try every removal on it; for the plain network, try all schemes' keys on what
    comes out.
    """
    parts = parts_of(recipe.seed, bench)
    build, usual = bystanders.NETWORKS[bench.data]
    network = build(recipe.seed).to(parts.owner.x.device)
    if cell["scheme"] in {PLAIN, *STARTS_TRAINED}:
        network = trained(network, parts.owner, replace(usual, seed=recipe.seed))[0]
    if cell["scheme"] == PLAIN:
        return _measure_unmarked(bench, network, parts, recipe.seed)
    scheme = bench.scheme(cell["scheme"], recipe.seed)
    mark = scheme.embed(network, parts.owner, scheme.keygen(network, parts.owner, seed=recipe.seed))
    attacks = {NONE: _keep, **bench.attacks}
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


def _measure_unmarked(bench: Bench, network: nn.Module, parts: Parts, seed: int) -> Row:
    schemes = {name: bench.scheme(name, seed) for name in bench.schemes}
    keys = {name: scheme.keygen(network, parts.owner, seed=seed) for name, scheme in schemes.items()}
    rows = []
    for name, attack in bench.attacks.items():
        left = attack(network, parts.attacker)
        claims = {key: scheme.verify(left, keys[key]) for key, scheme in schemes.items()}
        row: Row = {"removal": name, "accuracy": rounded(accuracy(left, parts.test))}
        row["hits"] = {key: claim.hits for key, claim in claims.items()}
        row["trials"] = {key: claim.trials for key, claim in claims.items()}
        rows.append(row)
    return {"accuracy": rounded(accuracy(network, parts.test)), "removals": rows}


def _compare(results: Results) -> list[Comparison]:
    schemes = price.schemes(results)
    unmarked = results.where(scheme=PLAIN)
    n = len(unmarked)
    comparisons = [_compare_own(results, n)]
    comparisons += [_compare_scheme(results, scheme, n) for scheme in schemes]
    for i, attack in enumerate(price.attacks(results)):
        paper = NO_SINGLE_ATTACK.says if i == 0 else ""
        comparisons.append(_compare_attack(results, attack, paper, n))
    claims = [p for row in unmarked for cell in row["removals"] for p in price.claims_on(results, cell)]
    wrong = f"{sum(p <= LEVEL for p in claims)} of {len(claims)}"
    what = "unmarked network after all attacks: claims supported (control)"
    return [*comparisons, Comparison(what, "", wrong)]


def _compare_own(results: Results, n: int) -> Comparison:
    right = f"{100 * price.own_accuracy(results):.2f} % accurate (n = {len(results.rows)})"
    return Comparison("the thief who steals nothing: from scratch on his own samples", "", right)


def _compare_scheme(results: Results, scheme: str, n: int) -> Comparison:
    names = price.attacks(results)
    good = price.prices(results, scheme, names)
    says = f"{len(good)} of {len(names)} (n = {n})"
    if good:
        says += f"; cheapest: {good[0].removal}, {100 * good[0].lost:.1f} points of accuracy"
    return Comparison(f"{scheme}: attacks that pay (not believed, better than no theft)", "", says)


def _compare_attack(results: Results, attack: str, paper: str, n: int) -> Comparison:
    offer = price.offer(results, attack)
    says = f"{offer.unproven} of {len(price.schemes(results))}, {offer.gone} of them gone"
    says += f", for {100 * offer.lost:.1f} points (n = {n})"
    return Comparison(f"{attack}: marks no longer believed", paper, says)


def _experiment(name: str, bench: Bench, minutes: int, question: str) -> Experiment:
    schemes = (PLAIN, *bench.schemes)
    return Experiment(
        name=name,
        question=question,
        minutes=minutes,
        chapter="09 Removal",
        cells=tuple({"scheme": scheme, "seed": seed} for seed in range(SEEDS) for scheme in schemes),
        measure=partial(_measure, bench),
        summary=_compare,
        recipe=bystanders.NETWORKS[bench.data][1],
    )


REMOVAL = _experiment(
    "removal",
    DIGITS,
    45,
    "Every mark against every removal: which are still believed, and what did it cost the thief?",
)
REMOVAL_SIGNS = _experiment(
    "removal-signs", SIGNS, 20, "The same on signs: do three marks fare as on digits?"
)
REMOVAL_LARGE_KEYS = _experiment(
    "removal-large-keys",
    LARGE_KEYS,
    20,
    "Which marks that an attack took come back with 500 triggers instead of 100?",
)
