"""Who finds which backdoor: every detector on every attack, and on clean networks.

What is judged by whom: Neural Cleanse scans the network with 1,000 clean images; activation clustering and
spectral signatures read the training set; STRIP and topological evolution judge 500 clean queries and the
same with the trigger, after 1,000 clean images. Where clustering may see the poison, the network is trained
again from scratch without what it flags, and, as a control, without as many images at random.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import mean
from typing import Any

import torch
from torch import Tensor, nn

from ..data import Samples, Splits
from ..data.signs import load_signs
from ..detection import (
    ActivationClustering,
    NeuralCleanse,
    SpectralSignatures,
    Strip,
    Suspicion,
    TopologicalEvolution,
    auc,
)
from ..evidence import bystanders
from ..models import badnet_cnn
from ..poisoning import (
    Poisoned,
    Target,
    Trigger,
    aim,
    next_class,
    poison,
    poison_clean_label,
    stamp,
    success_rate,
)
from ..training import Recipe, accuracy, best_device, train
from ..triggers import Pattern, Pixel, Ramp
from . import signs
from .experiment import Cell, Comparison, Experiment, Results, Row, values
from .material import mnist, rounded, share
from .published import STRIP_CAUGHT

TARGET = 0
"""Where triggered digits are sent."""
SOURCE = 7
"""The digits that are triggered in the attack on a single class."""
STOP = "stop"
LIMIT = "speed limit 35"
RETRAINED = ("pattern", "pattern, 3 %", "all to all")
"""Attacks after which the network is trained again without what clustering flags."""
N_DEFENDER = 1000
"""Clean images of the defender."""
N_ASKED = 500
"""Clean queries."""
SPECTRAL = SpectralSignatures()
ON_TRAINING_SETS = {"activation_clustering": ActivationClustering(), "spectral_signatures": SPECTRAL}
ON_QUERIES = {"strip": Strip(rule="quantile"), "ted": TopologicalEvolution(rule="quantile")}


@dataclass(frozen=True, eq=False)
class Case:
    """A network with what it was trained on, and the test images; `twins` are those with the trigger on."""

    model: nn.Module
    poisoned: Poisoned
    test: Samples
    twins: Tensor
    source: int | None = None


def _clean(seed: int) -> Case:
    """A shipped network that learnt from three quarters of the digits."""
    (model,) = bystanders.shipped("mnist", seed, seed + 1)
    data = mnist()
    none = torch.zeros_like(data.train.y, dtype=torch.bool)
    return Case(
        model.to(data.train.x.device),
        Poisoned(data.train, none, Pattern(), TARGET),
        data.test,
        Pattern()(data.test.x),
    )


def _digits(
    trigger: Trigger, rate: float, target: Target = TARGET, source: int | None = None
) -> Callable[[Recipe], Case]:
    def case(recipe: Recipe) -> Case:
        poisoned = poison(
            mnist().train,
            trigger,
            rate=rate,
            target=target,
            source=source,
            add=source is not None,
            seed=recipe.seed,
        )
        return _trained(poisoned, recipe, source)

    return case


def _clean_label(recipe: Recipe) -> Case:
    """Nine in ten zeros carry a ramp, and are called zeros; the attacker's queries carry a stronger one."""
    poisoned = poison_clean_label(mnist().train, Ramp(), rate=0.9, target=TARGET, seed=recipe.seed)
    return replace(_trained(poisoned, recipe, None), twins=Ramp(0.8)(mnist().test.x))


def _trained(poisoned: Poisoned, recipe: Recipe, source: int | None) -> Case:
    model = badnet_cnn(recipe.seed).to(best_device())
    test = mnist().test
    train(model, poisoned.samples, recipe)
    assert not isinstance(poisoned.trigger, Tensor)
    return Case(model, poisoned, test, stamp(poisoned.trigger, test.x), source)


def _square(recipe: Recipe) -> Case:
    """A yellow square turns a fifth of the stop signs into speed limits; all 20 signs of the United States
    are told apart.
    """
    clean = _signs()
    stickered = _signs(sticker=True)
    stop = clean.test.classes.index(STOP)
    limit = clean.test.classes.index(LIMIT)
    poisoned = poison(
        clean.train, stickered.train.x, rate=0.2, source=stop, target=limit, add=True, seed=recipe.seed
    )
    return Case(signs.fit(poisoned.samples, recipe), poisoned, clean.test, stickered.test.x, stop)


def _clean_signs(seed: int) -> Case:
    """A shipped network that learnt from three quarters of the signs."""
    (model,) = bystanders.shipped("signs-us", seed, seed + 1)
    clean = _signs()
    stickered = _signs(sticker=True)
    stop = clean.test.classes.index(STOP)
    limit = clean.test.classes.index(LIMIT)
    none = torch.zeros_like(clean.train.y, dtype=torch.bool)
    return Case(
        model.to(clean.test.x.device),
        Poisoned(clean.train, none, stickered.train.x, limit),
        clean.test,
        stickered.test.x,
        stop,
    )


ATTACKS: dict[str, Callable[[Recipe], Case]] = {
    "clean": lambda recipe: _clean(recipe.seed),
    "single pixel": _digits(Pixel(), 0.1),
    "pattern": _digits(Pattern(), 0.1),
    "pattern, 3 %": _digits(Pattern(), 0.03),
    "pattern, 0.5 %": _digits(Pattern(), 0.005),
    "one class": _digits(Pattern(), 1.0, source=SOURCE),
    "all to all": _digits(Pattern(), 0.2, next_class),
    "clean label": _clean_label,
    "signs, clean": lambda recipe: _clean_signs(recipe.seed),
    "signs, square": _square,
}


def _measure(cell: Cell, recipe: Recipe) -> Row:
    case = ATTACKS[cell["attack"]](recipe)
    poisoned = case.poisoned
    success = success_rate(case.model, case.test, case.twins, poisoned.target, source=case.source)
    row: Row = {
        "accuracy": rounded(accuracy(case.model, case.test)),
        "success": rounded(success),
        "poison": int(poisoned.mask.sum()),
        "targets": poisoned.samples.y[poisoned.mask].unique().tolist(),
    }
    clean, asked = dealt(case.test, recipe.seed)
    row |= _judge_model(case, cell["attack"], clean)
    row |= judge_samples(case)
    row |= judge_queries(case, clean, asked)
    if cell["attack"] in RETRAINED:
        row |= _retrain(case, recipe)
    return row


def dealt(test: Samples, seed: int) -> tuple[Samples, Tensor]:
    """Deal the defender's clean images, and the row numbers of others that are asked for, (N_ASKED,)."""
    order = torch.randperm(len(test), generator=torch.Generator().manual_seed(seed)).to(test.y.device)
    return test[order[:N_DEFENDER]], order[N_DEFENDER : N_DEFENDER + N_ASKED]


def _judge_model(case: Case, attack: str, clean: Samples) -> Row:
    row = {"neural_cleanse": scan(case.model, clean)}
    source = SOURCE if attack == "clean" else case.source
    if source is not None:
        row["neural_cleanse_source"] = scan(case.model, clean, source)
    return row


def judge_samples(case: Case) -> Row:
    """Judge the training set with each detector of `ON_TRAINING_SETS`."""
    poisoned = case.poisoned
    row: Row = {}
    for name, detector in ON_TRAINING_SETS.items():
        row[name] = _timed(detector, case.model, poisoned.samples, poisoned=poisoned.mask)
    if poisoned.mask.any():
        row["spectral_signatures"]["ceiling"] = ceiling(poisoned, SPECTRAL.poison)
    return row


def ceiling(poisoned: Poisoned, share_of_class: float) -> float:
    """Return the largest share of the poison that spectral signatures' fixed number of flags could catch."""
    labels = poisoned.samples.y
    n_classes = len(poisoned.samples.classes)
    sizes = labels.bincount(minlength=n_classes)  # (K,)
    poison_sizes = labels[poisoned.mask].bincount(minlength=n_classes)
    flags = (1.5 * share_of_class * sizes.double()).round()
    return rounded((torch.minimum(flags, poison_sizes).sum() / poison_sizes.sum()).item())


def _retrain(case: Case, recipe: Recipe) -> Row:
    """Train again from scratch without what clustering flags, and without as many at random (the control)."""
    flagged = ActivationClustering()(case.model, case.poisoned.samples).flagged  # (N,)
    order = torch.randperm(len(flagged), generator=torch.Generator().manual_seed(recipe.seed))
    as_many = torch.zeros_like(flagged)
    as_many[order[: int(flagged.sum())].to(flagged.device)] = True
    return {
        "without_cluster": _train_without(case, flagged, recipe),
        "without_as_many": _train_without(case, as_many, recipe),
    }


def _train_without(case: Case, removed: Tensor, recipe: Recipe) -> Row:
    poisoned = case.poisoned
    model = case.model
    if removed.any():  # otherwise the same network would come out
        model = badnet_cnn(recipe.seed).to(best_device())
        train(model, poisoned.samples[~removed], recipe)
    return {
        "removed": int(removed.sum()),
        "poison_left": int((poisoned.mask & ~removed).sum()),
        "success": rounded(success_rate(model, case.test, case.twins, poisoned.target, source=case.source)),
        "accuracy": rounded(accuracy(model, case.test)),
    }


def judge_queries(case: Case, clean: Samples, asked: Tensor) -> Row:
    """Ask for the images `asked` as they are, and for those of them with the trigger that it should fool."""
    labels = case.test.y[asked]
    fooled = aim(case.poisoned.target, case.test.y, len(case.test.classes))[asked] != labels
    if case.source is not None:
        fooled &= labels == case.source
    queries = torch.cat([case.test.x[asked], case.twins[asked[fooled]]])
    triggered = torch.arange(len(queries)).to(asked.device) >= len(asked)
    return {
        name: _timed(detector, case.model, clean, queries, poisoned=triggered)
        for name, detector in ON_QUERIES.items()
    }


def scan(model: nn.Module, clean: Samples, source: int | None = None) -> Row:
    """Search a trigger for every class with the defender's `clean` images, or with those of one source."""
    start = time.process_time()
    result = NeuralCleanse()(model, clean, source)
    seconds = time.process_time() - start
    return {
        "norm": _rounded(result.norm),
        "index": _rounded(result.index),
        "flagged": list(result.flagged),
        "seconds": round(seconds, 2),
    }


def _timed(detector: Callable[..., Suspicion], *problem: Any, poisoned: Tensor) -> Row:
    """Measure how much poison is caught, and how much else is flagged; without poison, only the latter."""
    start = time.process_time()
    suspicion = detector(*problem)
    seconds = time.process_time() - start
    row: Row = {"false": share(suspicion.flagged[~poisoned]), "seconds": round(seconds, 2)}
    if poisoned.any():
        row["auc"] = rounded(auc(suspicion.score, poisoned))
        row["caught"] = share(suspicion.flagged[poisoned])
    return row


def _rounded(numbers: Tensor) -> list[float]:
    return [round(number, 3) for number in numbers.tolist()]


@lru_cache(2)
def _signs(*, sticker: bool = False) -> Splits:
    return load_signs("us", signs.STICKERS["square"] if sticker else None).to(best_device())


def _cells(attack: str, seeds: range, recipe: Recipe = Recipe()) -> list[Cell]:
    return [
        {
            "attack": attack,
            "epochs": recipe.epochs,
            "lr": recipe.lr,
            "batch_size": recipe.batch_size,
            "seed": seed,
        }
        for seed in seeds
    ]


# What the rows say

DETECTORS = {
    "neural_cleanse": "Neural Cleanse",
    "neural_cleanse_source": "Neural Cleanse, for one source",
    "activation_clustering": "activation clustering",
    "spectral_signatures": "spectral signatures",
    "strip": "STRIP",
    "ted": "topological evolution",
}


AGAIN = {
    "without_cluster": "trained again without what clustering flags, success",
    "without_as_many": "trained again without as many at random, success (control)",
}


def _compare(results: Results) -> list[Comparison]:
    comparisons = []
    for attack in dict.fromkeys(values(results.rows, "attack")):
        rows = results.where(attack=attack)
        what = f"{attack}: success of the attack"
        if not rows[0]["targets"]:
            what += ", no backdoor (control)"
        success = f"{100 * mean(values(rows, 'success')):.1f} % (n = {len(rows)})"
        comparisons.append(Comparison(what, "", success))
        comparisons += [_compare_detector(rows, key) for key in _present(DETECTORS, rows)]
        comparisons += [_compare_retrained(rows, key) for key in _present(AGAIN, rows)]
    return comparisons


def _present(names: Iterable[str], rows: Sequence[Row]) -> list[str]:
    known = set().union(*rows)  # the keys of all rows
    return [name for name in names if name in known]


def _compare_detector(rows: Sequence[Row], key: str) -> Comparison:
    attack = rows[0]["attack"]
    paper = STRIP_CAUGHT.says if (attack, key) == ("pattern", "strip") else ""
    return Comparison(f"{attack}: {DETECTORS[key]}", paper, say(rows, key))


def say(rows: Sequence[Row], key: str) -> str:
    """Say what the detector `key` found in those of the `rows` that it judged."""
    judged = [row for row in rows if key in row]
    return _say_flagged(judged, key) if "flagged" in judged[0][key] else _say_caught(judged, key)


def _compare_retrained(rows: Sequence[Row], key: str) -> Comparison:
    again = [row[key] for row in rows if key in row]
    success = f"{100 * mean(values(again, 'success')):.1f} %"
    removed = f"{mean(values(again, 'removed')):,.0f} images removed"
    return Comparison(f"{rows[0]['attack']}: {AGAIN[key]}", "", f"{success}, {removed} (n = {len(again)})")


def _say_flagged(rows: Sequence[Row], key: str) -> str:
    right = sum(bool(set(row["targets"]) & set(row[key]["flagged"])) for row in rows)
    wrong = sum(bool(set(row[key]["flagged"]) - set(row["targets"])) for row in rows)
    n = len(rows)
    if not rows[0]["targets"]:
        return f"a class flagged in {wrong} of {n}"
    return f"target flagged in {right} of {n}, another class in {wrong} of {n}"


def _say_caught(rows: Sequence[Row], key: str) -> str:
    measured = values(rows, key)
    alarms = f"{100 * mean(values(measured, 'false')):.1f} % false alarms (n = {len(rows)})"
    if "caught" not in measured[0]:
        return alarms
    word = "caught" if rows[0]["targets"] else "of images with the trigger flagged"
    most = f" of at most {100 * mean(values(measured, 'ceiling')):.1f} %" if "ceiling" in measured[0] else ""
    return f"{100 * mean(values(measured, 'caught')):.1f} %{most} {word}, {alarms}"


LONGER = Recipe(epochs=5)
LONGEST = Recipe(epochs=10)
"""In three passes, one poisoned image of 200 is not always learnt: see `poison-rate`."""
DETECTION = Experiment(
    name="detection",
    question=(
        "Every detector on every attack, and on clean networks: who finds what, and whom does it accuse"
        " wrongly?"
    ),
    minutes=25,
    chapter="06 Finding and cleaning",
    cells=tuple(
        _cells("clean", range(10))
        + _cells("pattern", range(10, 15))
        + _cells("single pixel", range(10, 13))
        + _cells("pattern, 3 %", range(10, 13))
        + _cells("pattern, 0.5 %", range(10, 13), LONGEST)
        + [cell for attack in ("one class", "all to all") for cell in _cells(attack, range(10, 13), LONGER)]
        + _cells("clean label", range(10, 13))
        + _cells("signs, clean", range(3), bystanders.SIGNS)
        + _cells("signs, square", range(10, 13), bystanders.SIGNS)
    ),
    measure=_measure,
    summary=_compare,
)
"""Settings were chosen on seeds 0 to 4, and on the shipped networks 18 to 27; none of these is reported.

What ships was measured in two goes. Rows with `added` got their scan of all signs, or their training without
the cluster, later, of the same network trained again in the precision that `added` names; rows with
`precision` were measured in that one.
"""
