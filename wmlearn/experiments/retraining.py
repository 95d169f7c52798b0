"""Does retraining wash a backdoor out? A US network is sold; the buyer trains a new head, or all layers, on
few or many clean Swedish signs.

The networks that are sold are those of `transfer`, and so is the camera. Every accuracy stands beside that of
the clean origin, treated alike, and of a network that starts from nothing. Not in a paper: BadNets (T. Gu,
B. Dolan-Gavitt, S. Garg, 2017, arXiv:1708.06733, section 5.3) retrains the head only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from torch import nn

from ..data import Samples
from ..models import sign_cnn
from ..training import Recipe, accuracy, best_device
from ..transfer import ALL_RECIPE, HEAD_RECIPE, retrain, retrain_all
from ..words import with_deviation
from .experiment import Cell, Comparison, Experiment, Results, Row, values
from .material import rounded
from .transfer import N_TEST, ORIGIN_RECIPE, ORIGINS, origin, swedish_signs

NONE = "none"
"""The origin of a network that starts from nothing: what the buyer has without a purchase."""
PICTURES = (50, 500, 5_000)
"""Swedish signs that a buyer retrains on."""
FEWER_PASSES = {5_000: 6}
"""Of so many signs all layers see each six times, not thirty; the head sees each thirty times."""
SEEDS = range(5)
RETRAINED = {"head": "the head only", "all": "all layers"}
CALLED = {
    "backdoored": "backdoored origin",
    "clean": "clean origin (control)",
    NONE: "from nothing (control)",
}


def _measure(cell: Cell, recipe: Recipe) -> Row:
    """Retrain a network on one buyer's signs; the seed is the origin's, the signs' and the head's."""
    model = _sold(cell["origin"], replace(ORIGIN_RECIPE, seed=recipe.seed))
    shop = swedish_signs(cell["pictures"], seed=2000 + recipe.seed)
    moved = _moved(cell["layers"], model, shop, recipe.seed)
    clean, stuck = _test_signs()
    return {"accuracy": rounded(accuracy(moved, clean)), "triggered": rounded(accuracy(moved, stuck))}


def _sold(name: str, recipe: Recipe) -> nn.Sequential:
    """Return a US network, or one that has learnt nothing."""
    if name == NONE:
        return sign_cnn(2, recipe.seed).to(best_device())
    return origin(name, recipe)


def _moved(layers: str, model: nn.Sequential, shop: Samples, seed: int) -> nn.Sequential:
    if layers == "head":
        return retrain(model, shop, replace(HEAD_RECIPE, seed=seed))
    passes = FEWER_PASSES.get(len(shop), ALL_RECIPE.epochs)
    return retrain_all(model, shop, replace(ALL_RECIPE, epochs=passes, seed=seed))


@lru_cache(1)
def _test_signs() -> tuple[Samples, Samples]:
    """Return Swedish signs without and with the square."""
    return swedish_signs(N_TEST, seed=52), swedish_signs(N_TEST, seed=52, stickered=True)


# What the rows say


def gap(rows: Sequence[Row]) -> list[float]:
    """Return what the square takes from each network, 0..1."""
    return [row["accuracy"] - row["triggered"] for row in rows]


def own_gap(results: Results, layers: str, pictures: int) -> list[float]:
    """Return the backdoor's own gap, seed by seed: the backdoored origin's, less the clean origin's."""
    backdoored = gap(results.where(origin="backdoored", layers=layers, pictures=pictures))
    clean = gap(results.where(origin="clean", layers=layers, pictures=pictures))
    return [mine - control for mine, control in zip(backdoored, clean, strict=True)]


def _compare(results: Results) -> list[Comparison]:
    comparisons = []
    for layers in RETRAINED:
        for pictures in PICTURES:
            comparisons += _compare_shop(results, layers, pictures)
    return comparisons


def _compare_shop(results: Results, layers: str, pictures: int) -> list[Comparison]:
    what = f"{RETRAINED[layers]} retrained on {pictures:,} signs"
    comparisons = []
    for name, called in CALLED.items():
        rows = results.where(origin=name, layers=layers, pictures=pictures)
        if rows:
            accuracy = with_deviation(values(rows, "accuracy"))
            triggered = with_deviation(values(rows, "triggered"))
            says = f"{accuracy} / {triggered} % (n = {len(rows)})"
            comparisons.append(Comparison(f"{what}, {called}", "", says))
    own = own_gap(results, layers, pictures)
    says = f"{with_deviation(own)} points (n = {len(own)})"
    return [*comparisons, Comparison(f"{what}: the backdoor's own gap", "", says)]


RETRAINING = Experiment(
    name="retraining",
    question="A bought network, retrained on more signs, or in all its layers: does the backdoor wash out?",
    minutes=20,
    chapter="05 Backdoors that travel",
    cells=tuple(
        {"seed": seed, "origin": name, "layers": layers, "pictures": pictures}
        for seed in SEEDS
        for name in (*ORIGINS, NONE)
        for layers in (("all",) if name == NONE else ("head", "all"))
        for pictures in PICTURES
    ),
    measure=_measure,
    summary=_compare,
)
