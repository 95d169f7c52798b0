"""The yardsticks of the field, for every scheme: fidelity, effectiveness, reliability, capacity, secrecy, cost.

The names are those of F. Boenisch: A Systematic Review on Model Watermarking for Neural Networks, 2021, arXiv:2009.12153, table 1, and
N. Lukas and others: SoK, S&P 2022, arXiv:2108.04974. Each row stands beside plain networks of the same seed and recipe ("plain") and
20 strangers that never saw a mark; none of them set the key's `chance`.
"""

from __future__ import annotations

import copy
import math
import time
from functools import lru_cache

import torch
from scipy.stats import mannwhitneyu
from torch import Tensor, nn

from .. import bystanders, watermarks
from ..data import Splits, load
from ..models import badnet_cnn
from ..training import Recipe, accuracy, best_device, train
from .experiment import Cell, Experiment, Row

STRANGERS = (bystanders.N_NULL, bystanders.N_ALL)
STARTS_TRAINED = {"adi2018-pretrained", "lemerrer2019", "chen2019-blackmarks", "szyller2021-dawn"}
"""The schemes that mark a trained network; the others train one from its first weights."""
COMPONENTS = 40  # of the principal components by which a service would tell odd queries


def _yardsticks(cell: Cell, recipe: Recipe) -> Row:
    data, seed = _mnist(), recipe.seed
    plain = badnet_cnn(seed).to(data.train.x.device)
    if cell["scheme"] == "plain" or cell["scheme"] in STARTS_TRAINED:
        start = time.process_time()
        train(plain, data.train, recipe)
        plain_s = time.process_time() - start
        if cell["scheme"] == "plain":
            return {"accuracy": _round(accuracy(plain, data.test)), "seconds": round(plain_s, 2)}
    scheme = watermarks.ALL[cell["scheme"]]
    key = scheme.keygen(plain, data.train, seed=seed)
    start = time.process_time()
    mark = scheme.embed(plain, data.train, key)
    seconds = time.process_time() - start
    found, strangers = scheme.verify(mark.model, key), [copy.deepcopy(model).to(data.train.x.device) for model in _strangers()]
    claims = [scheme.verify(stranger, key) for stranger in strangers]
    images = getattr(key, "x", None)  # a key of weights has none
    return {
        "accuracy": _round(accuracy(mark.model, data.test)),
        "hits": found.hits, "trials": found.trials, "chance": _round(found.chance), "p_value": found.p_value,
        "strangers_rate": [_round(claim.rate) for claim in claims],
        "strangers_p": [_round(claim.p_value) for claim in claims],
        "bits": _round(capacity(cell["scheme"], found.trials, found.rate, len(data.train.classes))),
        "weights_auc": _round(share_below(mark.model, strangers)),
        "inputs_auc": None if images is None else _round(oddness(images, data)),
        "queries": found.trials if found.access == "labels" else 0,
        "seconds": round(seconds, 2),
    }  # fmt: skip


def capacity(scheme: str, n: int, rate: float, classes: int) -> float:
    """Return the bits of a message that the mark carries, given the share `rate` of its `n` symbols that are read rightly.

    Bits: n (1 - H(rate)), the capacity of a binary symmetric channel. Random labels could spell a message in the alphabet of the classes;
    one target names one class; keys whose labels follow from the images carry none.
    """
    if scheme in ("uchida2017", "chen2019-blackmarks"):
        return n * (1 - _entropy(rate)) if rate > 0.5 else 0.0
    if scheme.startswith("adi2018"):
        return n * rate * math.log2(classes)
    return 0.0 if scheme in ("lemerrer2019", "szyller2021-dawn") else math.log2(classes)


def share_below(model: nn.Module, strangers: list[nn.Module]) -> float:
    """Return the share of strangers whose weights look less odd than the model's; its mean over marked models is the detector's AUC.

    Odd: how far the deviation of a layer's weights lies from that of bystanders, in median absolute deviations, in the layer where it lies
    farthest (T. Wang, F. Kerschbaum: Attacks on Digital Watermarks for Deep Neural Networks, ICASSP 2019, who watch the variance).
    """
    known = torch.stack([_spread(bystander) for bystander in bystanders.shipped("mnist")])  # (models, layers)
    middle = known.median(0).values
    scale = (known - middle).abs().median(0).values

    def odd(suspect: nn.Module) -> float:
        return float(((_spread(suspect) - middle).abs() / scale).max())

    mine = odd(model)
    return sum(odd(stranger) < mine for stranger in strangers) / len(strangers)


def oddness(x: Tensor, data: Splits) -> float:
    """Return the AUC with which a service tells the key's images `x` from test images: by what its principal components leave out.

    0.5 is a guess, 1 means that every query of the verifier can be refused (D. Hitaj, B. Hitaj, L. Mancini: Evasion Attacks against
    Watermarking Techniques found in MLaaS Systems, 2019, who train a detector for it).
    """
    known = data.train.x[:5000].flatten(1)
    mean = known.mean(0)
    basis = torch.linalg.svd(known - mean, full_matrices=False).Vh[:COMPONENTS]  # (COMPONENTS, C*H*W)

    def left_out(images: Tensor) -> Tensor:
        flat = images.flatten(1) - mean
        return (flat - flat @ basis.T @ basis).norm(dim=1).cpu()

    key, test = left_out(x), left_out(data.test.x[:1000])
    return float(mannwhitneyu(key, test).statistic) / (len(key) * len(test))


def _spread(model: nn.Module) -> Tensor:
    return torch.stack([p.detach().std().cpu() for p in model.parameters() if p.ndim > 1])  # (layers,)


def _entropy(p: float) -> float:
    return 0.0 if p in (0.0, 1.0) else -p * math.log2(p) - (1 - p) * math.log2(1 - p)


def _round(value: float) -> float:
    return round(value, 6)


@lru_cache(1)
def _mnist() -> Splits:
    return load("mnist").to(best_device())


def _strangers() -> tuple[nn.Module, ...]:
    return bystanders.shipped("mnist", *STRANGERS)


WATERMARKS = Experiment(
    name="watermarks",
    question="Every scheme by the yardsticks of the field: what does a mark cost, how surely is it found, and whom does it accuse wrongly?",
    minutes=8,
    cells=tuple({"scheme": scheme, "seed": seed} for scheme in ("plain", *watermarks.ALL) for seed in range(5)),
    measure=_yardsticks,
)
