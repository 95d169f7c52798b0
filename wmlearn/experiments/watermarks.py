"""The yardsticks of the field, for every scheme: fidelity, effectiveness, reliability, capacity, secrecy,
cost.

The names are those of F. Boenisch: A Systematic Review on Model Watermarking for Neural Networks, 2021,
arXiv:2009.12153, table 1, and N. Lukas and others: SoK, S&P 2022, arXiv:2108.04974. Each row stands beside
plain networks of the same seed, data and recipe ("plain") and 20 strangers that never saw a mark; none of
them helped to draw the key.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from statistics import mean
from typing import Any

import torch
from torch import Tensor, nn

from .. import watermarks
from ..data import Samples, Splits, load, split
from ..detection import auc
from ..evidence import Evidence, Suspect, against_bystanders, bystanders
from ..training import Recipe, TrainLog, accuracy, best_device, train
from ..watermarks.dawn import surrogate
from ..words import fixed, spread
from .experiment import Cell, Comparison, Experiment, Results, Row, values
from .material import rounded
from .published import MARKS

DATA = tuple(bystanders.NETWORKS)
DAWN = "szyller2021-dawn"
STARTS_TRAINED = {"adi2018-pretrained", "lemerrer2019", "chen2019-blackmarks", DAWN}
"""The schemes that mark a trained network; the others train one from its first weights."""
QUERIES = 10_000  # that a thief asks a service, or as many as there are
STOPS = (5, 10, 15, 20)  # epochs after which a thief may stop
COMPONENTS = 40  # of the principal components by which a service would tell odd queries


@dataclass(frozen=True, eq=False)
class _Bench:
    """What a mark is measured with: the owner's samples, and networks that never saw a mark."""

    name: str
    data: Splits
    own: Samples
    strangers: list[nn.Module]


def _bench(name: str, seed: int) -> _Bench:
    data = _load(name)
    # as many as bystanders learn from: more would widen the weights
    own = split(data.train, 3 * len(data.train) // 4, seed=2000 + seed)[0]
    strangers = [copy.deepcopy(model).to(own.x.device) for model in _strangers(name)]
    return _Bench(name, data, own, strangers)


def _measure(cell: Cell, recipe: Recipe) -> Row:
    bench = _bench(cell["data"], recipe.seed)
    build, usual = bystanders.NETWORKS[bench.name]
    plain = build(recipe.seed).to(bench.own.x.device)
    if cell["scheme"] not in {"plain", *STARTS_TRAINED}:
        return _measure_mark(bench, cell["scheme"], plain, recipe.seed)
    start = time.process_time()
    train(plain, bench.own, replace(usual, seed=recipe.seed))
    seconds = time.process_time() - start
    if cell["scheme"] == "plain":
        return {
            "accuracy": rounded(accuracy(plain, bench.data.test)),
            "weights_auc": rounded(share_below(plain, bench.strangers, bench.name)),
            "seconds": round(seconds, 2),
        }
    return _measure_mark(bench, cell["scheme"], plain, recipe.seed)


def _measure_mark(bench: _Bench, scheme_name: str, plain: nn.Module, seed: int) -> Row:
    scheme = suited(scheme_name, bench.name, seed)
    samples = bench.own
    if scheme_name == DAWN:
        samples = split(samples, min(QUERIES, len(samples)), seed=seed)[0]
    key = scheme.keygen(plain, samples, seed=seed)
    start = time.process_time()
    model = scheme.embed(plain, samples, key).model
    seconds = time.process_time() - start
    evidence = scheme.verify(model, key)
    row: Row = {
        "accuracy": rounded(accuracy(model, bench.data.test)),
        **_how_sure(evidence, [scheme.verify(stranger, key) for stranger in bench.strangers]),
        "bits": rounded(capacity(scheme_name, evidence.trials, evidence.rate, len(bench.data.train.classes))),
        "weights_auc": None,
        "inputs_auc": None,
        "queries": evidence.trials if evidence.access == "labels" else 0,
        "seconds": round(seconds, 2),
    }
    if scheme_name != DAWN:  # a service shows no weights
        row["weights_auc"] = rounded(share_below(model, bench.strangers, bench.name))
    images = getattr(key, "x", None)  # a key of weights has none
    if images is not None:
        row["inputs_auc"] = rounded(oddness(images, bench.name))
    if scheme_name == DAWN:
        student = bystanders.NETWORKS[bench.name][0](1000 + seed)
        row["stolen"] = stolen(scheme, key, model, student, samples, bench.data.test)
    return row


def _how_sure(evidence: Evidence, claims: Sequence[Evidence]) -> Row:
    """Say what the mark is worth: a binomial tail where its labels were drawn at random, else a rank among
    the strangers' `claims`, which can't fall below 1 / (strangers + 1).
    """
    tested = evidence if evidence.null else against_bystanders(evidence, claims)
    return {
        "hits": tested.hits,
        "trials": tested.trials,
        "null": tested.null,
        "chance": None if tested.chance is None else rounded(tested.chance),
        "p_value": tested.p_value,
        "strangers_rate": [rounded(claim.rate) for claim in claims],
    }


FINE_TUNE = Recipe(epochs=3, lr=1e-3, batch_size=128)
"""For marks in trained networks that read signs; chosen on 3,000 drawn signs kept for validation, where one
epoch at 2e-3, which is right for digits, cost up to 1.1 points.
"""


def suited(scheme_name: str, data: str, seed: int) -> Any:
    """Return the scheme with a recipe that suits the data: one that trains from first weights trains as a
    plain network does.
    """
    scheme: Any = watermarks.ALL[scheme_name]
    if "recipe" not in {field.name for field in fields(scheme)}:
        return scheme
    recipe = bystanders.NETWORKS[data][1]
    if scheme_name in STARTS_TRAINED:
        recipe = scheme.recipe if data == "mnist" else FINE_TUNE
    return replace(scheme, recipe=replace(recipe, seed=seed))


def stolen(
    scheme: Any, key: Any, service: Suspect, student: nn.Module, queries: Samples, test: Samples
) -> list[Row]:
    """Steal the service by its answers to `queries`, and look for the mark wherever the thief may stop."""
    student = copy.deepcopy(student).to(queries.x.device)
    rows: list[Row] = []

    def look(model: nn.Module, log: TrainLog) -> None:
        epochs = len(log.loss)
        if epochs in STOPS:
            evidence = scheme.verify(model, key)
            right = rounded(accuracy(model, test))
            rows.append(
                {
                    "epochs": epochs,
                    "hits": evidence.hits,
                    "p_value": evidence.p_value,
                    "accuracy": right,
                }
            )

    surrogate(service, student, queries, on_epoch=look)
    return rows


def capacity(scheme: str, n: int, rate: float, classes: int) -> float:
    """Return the bits of a message that the mark carries, given the share `rate` of its `n` symbols that are
    read correctly.

    Each symbol is one of two, or one of the classes where labels are drawn at random: the capacity of a
    symmetric channel. One target names one class; keys whose labels follow from the images carry none.
    """
    if scheme in ("uchida2017", "chen2019-blackmarks"):
        return n * _carried(rate, 2)
    if scheme.startswith("adi2018"):
        return n * _carried(rate, classes)
    return 0.0 if scheme in ("lemerrer2019", "szyller2021-dawn") else math.log2(classes)


def share_below(model: nn.Module, strangers: list[nn.Module], name: str = "mnist") -> float:
    """Return the share of strangers whose weights look less odd than the model's; its mean over marked models
    is the detector's AUC.

    Odd: how far the deviation of a layer's weights lies from that of bystanders, in median absolute
    deviations, in the layer where it lies farthest (T. Wang, F. Kerschbaum: Attacks on Digital Watermarks for
    Deep Neural Networks, ICASSP 2019, who watch the variance).
    """
    spreads = torch.stack([_spread(bystander) for bystander in bystanders.shipped(name)])  # (models, layers)
    middle = spreads.median(0).values
    scale = (spreads - middle).abs().median(0).values

    def odd(suspect: nn.Module) -> float:
        return float(((_spread(suspect) - middle).abs() / scale).max())

    oddest = odd(model)
    return sum(odd(stranger) < oddest for stranger in strangers) / len(strangers)


def oddness(x: Tensor, name: str = "mnist") -> float:
    """Return the AUC with which a service tells the key's images `x` from test images: by what its principal
    components leave out.

    0.5 is a guess, 1 means that every query of the verifier can be refused (D. Hitaj, B. Hitaj, L. Mancini:
    Evasion Attacks against Watermarking Techniques found in MLaaS Systems, 2019, who train a detector for
    it).
    """
    middle, basis = _components(name)

    def left_out(images: Tensor) -> Tensor:
        flat = images.flatten(1) - middle
        return (flat - flat @ basis.T @ basis).norm(dim=1).cpu()

    scores = torch.cat([left_out(x), left_out(_load(name).test.x[:1000])])
    return auc(scores, torch.arange(len(scores)) < len(x))


def _spread(model: nn.Module) -> Tensor:
    return torch.stack([p.detach().std().cpu() for p in model.parameters() if p.ndim > 1])  # (layers,)


def _carried(rate: float, symbols: int) -> float:
    """Return the bits that one of `symbols` carries when a share `rate` is right, and errors fall evenly."""
    if rate <= 1 / symbols:
        return 0.0
    return math.log2(symbols) - _entropy(rate) - (1 - rate) * math.log2(symbols - 1)


def _entropy(p: float) -> float:
    return 0.0 if p in (0.0, 1.0) else -p * math.log2(p) - (1 - p) * math.log2(1 - p)


@lru_cache(1)
def _load(name: str) -> Splits:
    return load(name).to(best_device())


@lru_cache(1)
def _components(name: str) -> tuple[Tensor, Tensor]:
    """Return the mean (C*H*W,) and the first principal components (COMPONENTS, C*H*W) of training images."""
    images = _load(name).train.x[:5000].flatten(1)
    middle = images.mean(0)
    return middle, torch.linalg.svd(images - middle, full_matrices=False).Vh[:COMPONENTS]


def _strangers(name: str) -> tuple[nn.Module, ...]:
    return bystanders.shipped(name, bystanders.N_NULL, bystanders.N_ALL)


# What the rows say


def _compare(results: Results) -> list[Comparison]:
    comparisons = []
    for data, scheme in dict.fromkeys((row["data"], row["scheme"]) for row in results.rows):
        rows = results.where(data=data, scheme=scheme)
        plain = results.where(data=data, scheme="plain")
        if scheme == "plain":
            comparisons.append(Comparison(f"{data}, plain: accuracy", "", spread(values(plain, "accuracy"))))
            continue
        paper = MARKS[scheme].says if data == "mnist" and scheme in MARKS else ""
        comparisons.append(Comparison(f"{data}, {scheme}", paper, _say_yardsticks(rows, plain)))
        thefts = len(rows[0].get("stolen", []))
        comparisons += [_compare_stolen(f"{data}, {scheme}", rows, i) for i in range(thefts)]
    return comparisons


def _say_yardsticks(rows: Sequence[Row], plain: Sequence[Row]) -> str:
    change = 100 * (mean(values(rows, "accuracy")) - mean(values(plain, "accuracy")))
    rate = mean(row["hits"] / row["trials"] for row in rows)
    strangers = [rate for row in rows for rate in row["strangers_rate"]]
    times = mean(values(rows, "seconds")) / mean(values(plain, "seconds"))
    return (
        f"accuracy {fixed(change, '+')} points;"
        f" found {100 * rate:.1f} %, p at most {max(values(rows, 'p_value')):.0e} ({rows[0]['null']});"
        f" strangers' hits: mean {100 * mean(strangers):.1f} %, at most {100 * max(strangers):.0f} %;"
        f" {mean(values(rows, 'bits')):.0f} bits;"
        f" {times:.1f} times plain training (n = {len(rows)})"
    )


def _compare_stolen(name: str, rows: Sequence[Row], i: int) -> Comparison:
    """Say what is left of the mark in copies that learnt from a service's answers, after as many epochs."""
    copies = [row["stolen"][i] for row in rows]
    hits = [f"{copy['hits']} of {row['trials']}" for copy, row in zip(copies, rows, strict=True)]
    says = (
        f"{100 * mean(values(copies, 'accuracy')):.2f} % accurate;"
        f" hits {', '.join(hits)}; p at most {max(values(copies, 'p_value')):.0e}"
    )
    return Comparison(f"{name}: a copy, {copies[0]['epochs']} epochs", "", says)


WATERMARKS = Experiment(
    name="watermarks",
    question=(
        "Every scheme by the yardsticks of the field: what does a mark cost, how surely is it found, and whom"
        " does it accuse wrongly?"
    ),
    minutes=30,
    chapter="08 Marks in the weights",
    cells=tuple(
        {"data": name, "scheme": scheme, "seed": seed}
        for name in DATA
        for scheme in ("plain", *watermarks.ALL)
        for seed in range(5)
    ),
    measure=_measure,
    summary=_compare,
)
