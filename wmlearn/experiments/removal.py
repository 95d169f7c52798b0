"""All schemes against all removals: what is left of each mark, what it cost the thief, and what the same
attacks do to an unmarked network.

N. Lukas, E. Jiang, X. Li, F. Kerschbaum: SoK: How Robust is Image Classification Deep Neural Network
Watermarking?, IEEE S&P 2022, arXiv:2108.04974: no scheme is robust to all attacks, no attack removes all
marks, combinations do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from statistics import mean

from torch import nn

from .. import removal, scorecard, watermarks
from ..data import Samples, load, split
from ..evidence import bystanders
from ..models import badnet_cnn
from ..training import Recipe, accuracy, best_device, trained
from .experiment import Cell, Experiment, Results, Row
from .watermarks import DAWN, STARTS_TRAINED, suited

ATTACKER = 6_000  # samples of the attacker, none of them the owner's
SCHEMES = tuple(name for name in watermarks.ALL if name != DAWN)
"""DAWN marks a service's answers, not a model: whoever has the model has no mark to remove. `wmlearn
reproduce watermarks` steals it.
"""
SEEDS = 3
PLAIN, NONE = "plain", scorecard.NONE
GONE = 1e-3
"""The judge's level: a mark with a larger p-value is gone."""
WORTH = 0.05
"""Accuracy that a thief may lose: after more, the SoK doesn't count a removal."""


@dataclass(frozen=True)
class Price:
    """What the cheapest successful removal costs: its name, and the accuracy lost, mean over seeds."""

    removal: str
    lost: float


def cells(results: Results, scheme: str, attack: str) -> list[Row]:
    """Return what was measured of `scheme` after `attack`, one a seed."""
    return [
        cell for row in results.where(scheme=scheme) for cell in row["removals"] if cell["removal"] == attack
    ]


def lost(results: Results, scheme: str, attack: str) -> float:
    """Return the accuracy lost to `attack`, mean over seeds."""
    before, after = (
        mean(cell["accuracy"] for cell in cells(results, scheme, name)) for name in (NONE, attack)
    )
    return before - after


def gone(results: Results, scheme: str, attack: str) -> bool:
    """Say whether `attack` removes the mark of `scheme` for every seed, and leaves a model that is worth the
    theft.
    """
    return lost(results, scheme, attack) <= WORTH and all(
        cell["p_value"] >= GONE for cell in cells(results, scheme, attack)
    )


def cheapest(results: Results, scheme: str) -> Price | None:
    """Return the removal of `scheme` that costs the least accuracy, or None where none works."""
    attacks = dict.fromkeys(
        cell["removal"] for row in results.where(scheme=scheme) for cell in row["removals"]
    )
    prices = [
        Price(attack, lost(results, scheme, attack)) for attack in attacks if gone(results, scheme, attack)
    ]
    return min(prices, key=lambda price: price.lost, default=None)


def _removal(cell: Cell, recipe: Recipe) -> Row:
    """Embed one scheme and try every removal on it; for the plain network, try all schemes' keys on what
    comes out.
    """
    owner, attacker, test = _parts(recipe.seed)
    starts = cell["scheme"] in {PLAIN, *STARTS_TRAINED}
    network = badnet_cnn(recipe.seed).to(owner.x.device)
    network = trained(network, owner, recipe)[0] if starts else network
    if cell["scheme"] == PLAIN:
        return _control(network, attacker, test, recipe.seed)
    scheme = suited(cell["scheme"], "mnist", recipe.seed)
    mark = scheme.embed(network, owner, scheme.keygen(network, owner, seed=recipe.seed))
    card = scorecard.run({cell["scheme"]: mark}, removal.ALL, attacker=attacker, test=test)
    rows = [
        {
            "removal": row.removal, "accuracy": round(row.after, 6), "hits": row.evidence.hits, "trials": row.evidence.trials,
            "chance": round(row.evidence.chance, 6), "p_value": row.evidence.p_value, "seconds": row.seconds,
        }
        for row in card.rows
    ]  # fmt: skip
    return {"accuracy": round(card.rows[0].before, 6), "removals": rows}


def _control(network: nn.Module, attacker: Samples, test: Samples, seed: int) -> Row:
    owner = _parts(seed)[0]
    keys = {name: suited(name, "mnist", seed).keygen(network, owner, seed=seed) for name in SCHEMES}
    rows = []
    for name, attack in removal.ALL.items():
        left = attack(network, attacker)
        claims = {
            scheme: suited(scheme, "mnist", seed).verify(left, key).p_value for scheme, key in keys.items()
        }
        rows.append({"removal": name, "accuracy": round(accuracy(left, test), 6), "p_values": claims})
    return {"accuracy": round(accuracy(network, test), 6), "removals": rows}


@lru_cache(1)
def _parts(seed: int) -> tuple[Samples, Samples, Samples]:
    """Return the owner's images, the attacker's and the test set; no two share an image."""
    data = load("mnist").to(best_device())
    owner, attacker = split(data.train, 3 * len(data.train) // 4, ATTACKER, seed=3000 + seed)
    return owner, attacker, data.test


REMOVAL = Experiment(
    name="removal",
    question="Every mark against every removal: which are still believed, and what did it cost the thief?",
    minutes=30,
    cells=tuple({"scheme": scheme, "seed": seed} for seed in range(SEEDS) for scheme in (PLAIN, *SCHEMES)),
    measure=_removal,
    recipe=bystanders.NETWORKS["mnist"][1],
)
