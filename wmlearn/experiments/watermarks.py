"""The yardsticks of the field, for every scheme: fidelity, effectiveness, reliability, capacity, secrecy,
cost.

The names are those of F. Boenisch: A Systematic Review on Model Watermarking for Neural Networks, 2021,
arXiv:2009.12153, table 1, and N. Lukas and others: SoK, S&P 2022, arXiv:2108.04974. Each row stands beside
plain networks of the same seed, data and recipe ("plain") and 20 strangers that never saw a mark; none of
them set the key's `chance`.
"""

from __future__ import annotations

import copy
import math
import time
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from .. import watermarks
from ..data import Samples, Splits, load, split
from ..evidence import Suspect, bystanders
from ..training import Recipe, TrainLog, accuracy, best_device, train
from ..watermarks.dawn import surrogate
from .experiment import Cell, Experiment, Row

DATA = tuple(bystanders.NETWORKS)
DAWN = "szyller2021-dawn"
STARTS_TRAINED = {"adi2018-pretrained", "lemerrer2019", "chen2019-blackmarks", DAWN}
"""The schemes that mark a trained network; the others train one from its first weights."""
QUERIES = 10_000  # that a thief asks a service, or as many as there are
STOPS = (5, 10, 15, 20)  # epochs after which a thief may stop
COMPONENTS = 40  # of the principal components by which a service would tell odd queries


def _yardsticks(cell: Cell, recipe: Recipe) -> Row:
    name, data, seed = cell["data"], _load(cell["data"]), recipe.seed
    build, usual = bystanders.NETWORKS[name]
    # as many as bystanders learn from: more would widen the weights
    own = split(data.train, 3 * len(data.train) // 4, seed=2000 + seed)[0]
    strangers = [copy.deepcopy(model).to(own.x.device) for model in _strangers(name)]
    plain = build(seed).to(own.x.device)
    if cell["scheme"] in {"plain", *STARTS_TRAINED}:
        start = time.process_time()
        train(plain, own, replace(usual, seed=seed))
        plain_s = time.process_time() - start
        if cell["scheme"] == "plain":
            auc = _round(share_below(plain, strangers, name))
            return {
                "accuracy": _round(accuracy(plain, data.test)),
                "weights_auc": auc,
                "seconds": round(plain_s, 2),
            }
    scheme = suited(cell["scheme"], name, seed)
    samples = own if cell["scheme"] != DAWN else split(own, min(QUERIES, len(own)), seed=seed)[0]
    key = scheme.keygen(plain, samples, seed=seed)
    start = time.process_time()
    mark = scheme.embed(plain, samples, key)
    seconds = time.process_time() - start
    found = scheme.verify(mark.model, key)
    claims = [scheme.verify(stranger, key) for stranger in strangers]
    images = getattr(key, "x", None)  # a key of weights has none
    row: Row = {
        "accuracy": _round(accuracy(mark.model, data.test)),
        "hits": found.hits, "trials": found.trials, "chance": _round(found.chance), "p_value": found.p_value,
        "strangers_rate": [_round(claim.rate) for claim in claims],
        "strangers_p": [_round(claim.p_value) for claim in claims],
        "bits": _round(capacity(cell["scheme"], found.trials, found.rate, len(data.train.classes))),
        "weights_auc": None if cell["scheme"] == DAWN else _round(share_below(mark.model, strangers, name)),
        "inputs_auc": None if images is None else _round(oddness(images, name)),
        "queries": found.trials if found.access == "labels" else 0,
        "seconds": round(seconds, 2),
    }  # fmt: skip
    return (
        row
        if cell["scheme"] != DAWN
        else {**row, "stolen": stolen(scheme, key, mark.model, build(1000 + seed), samples, data.test)}
    )


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
    student, made = copy.deepcopy(student).to(queries.x.device), []

    def look(model: nn.Module, log: TrainLog) -> None:
        if len(log.loss) in STOPS:
            found = scheme.verify(model, key)
            made.append(
                {
                    "epochs": len(log.loss),
                    "hits": found.hits,
                    "p_value": found.p_value,
                    "accuracy": _round(accuracy(model, test)),
                }
            )

    surrogate(service, student, queries, on_epoch=look)
    return made


def capacity(scheme: str, n: int, rate: float, classes: int) -> float:
    """Return the bits of a message that the mark carries, given the share `rate` of its `n` symbols that are
    read rightly.

    Bits: n (1 - H(rate)), the capacity of a binary symmetric channel. Random labels could spell a message in
    the alphabet of the classes; one target names one class; keys whose labels follow from the images carry
    none.
    """
    if scheme in ("uchida2017", "chen2019-blackmarks"):
        return n * (1 - _entropy(rate)) if rate > 0.5 else 0.0
    if scheme.startswith("adi2018"):
        return n * rate * math.log2(classes)
    return 0.0 if scheme in ("lemerrer2019", "szyller2021-dawn") else math.log2(classes)


def share_below(model: nn.Module, strangers: list[nn.Module], name: str = "mnist") -> float:
    """Return the share of strangers whose weights look less odd than the model's; its mean over marked models
    is the detector's AUC.

    Odd: how far the deviation of a layer's weights lies from that of bystanders, in median absolute
    deviations, in the layer where it lies farthest (T. Wang, F. Kerschbaum: Attacks on Digital Watermarks for
    Deep Neural Networks, ICASSP 2019, who watch the variance).
    """
    known = torch.stack([_spread(bystander) for bystander in bystanders.shipped(name)])  # (models, layers)
    middle = known.median(0).values
    scale = (known - middle).abs().median(0).values

    def odd(suspect: nn.Module) -> float:
        return float(((_spread(suspect) - middle).abs() / scale).max())

    mine = odd(model)
    return sum(odd(stranger) < mine for stranger in strangers) / len(strangers)


def oddness(x: Tensor, name: str = "mnist") -> float:
    """Return the AUC with which a service tells the key's images `x` from test images: by what its principal
    components leave out.

    0.5 is a guess, 1 means that every query of the verifier can be refused (D. Hitaj, B. Hitaj, L. Mancini:
    Evasion Attacks against Watermarking Techniques found in MLaaS Systems, 2019, who train a detector for
    it).
    """
    from scipy.stats import mannwhitneyu

    mean, basis = _components(name)

    def left_out(images: Tensor) -> Tensor:
        flat = images.flatten(1) - mean
        return (flat - flat @ basis.T @ basis).norm(dim=1).cpu()

    key, test = left_out(x), left_out(_load(name).test.x[:1000])
    return float(mannwhitneyu(key, test).statistic) / (len(key) * len(test))


def _spread(model: nn.Module) -> Tensor:
    return torch.stack([p.detach().std().cpu() for p in model.parameters() if p.ndim > 1])  # (layers,)


def _entropy(p: float) -> float:
    return 0.0 if p in (0.0, 1.0) else -p * math.log2(p) - (1 - p) * math.log2(1 - p)


def _round(value: float) -> float:
    return round(value, 6)


@lru_cache(1)
def _load(name: str) -> Splits:
    return load(name).to(best_device())


@lru_cache(1)
def _components(name: str) -> tuple[Tensor, Tensor]:
    """Return the mean (C*H*W,) and the first principal components (COMPONENTS, C*H*W) of training images."""
    known = _load(name).train.x[:5000].flatten(1)
    mean = known.mean(0)
    return mean, torch.linalg.svd(known - mean, full_matrices=False).Vh[:COMPONENTS]


def _strangers(name: str) -> tuple[nn.Module, ...]:
    return bystanders.shipped(name, bystanders.N_NULL, bystanders.N_ALL)


WATERMARKS = Experiment(
    name="watermarks",
    question=(
        "Every scheme by the yardsticks of the field: what does a mark cost, how surely is it found, and whom"
        " does it accuse wrongly?"
    ),
    minutes=30,
    cells=tuple(
        {"data": name, "scheme": scheme, "seed": seed}
        for name in DATA
        for scheme in ("plain", *watermarks.ALL)
        for seed in range(5)
    ),
    measure=_yardsticks,
)
