"""The MNIST half of BadNets, measured again: T. Gu, B. Dolan-Gavitt, S. Garg, 2017, arXiv:1708.06733, section
4.

Poisoned copies are *added* to the training set, as in the paper, where the paper's tables are reproduced
(`SINGLE_TARGET`, `ALL_TO_ALL`); they replace their originals in the lessons' all-to-one attack (`ALL_TO_ONE`,
`POISON_RATE`, `FILTERS`).
"""

from __future__ import annotations

import copy
from functools import lru_cache
from itertools import permutations, product
from typing import Any

import torch
from torch import Tensor, nn

from ..data import Samples, Splits, load, split
from ..models import badnet_cnn
from ..poisoning import Trigger, next_class, poison, stamp, success_rate
from ..training import Recipe, accuracy, best_device, predict, train
from ..triggers import Pattern, Pixel
from .experiment import Cell, Experiment, Row

TARGET = 0
"""The class that every triggered image is sent to in the all-to-one attack."""

SEEN_PIXEL = Pixel(where=(24, 24))
"""The single pixel of the 90 pairs, two steps further in than `Pixel`'s default.

Every stamped image has a clean twin in the training set, so the pixel alone tells source from target, and how
fast it is learnt hangs on how much of it the network sees: (26, 26) lies in 4 of the 576 first-layer windows,
(25, 25) in 9, (24, 24) in 16. At (25, 25), five epochs left five of the 90 pairs unlearnt (26 to 65 % of the
stamped digits missed). Nothing was dead in the two looked into: all 16 filters and half of the second layer's
32 channels answered to the pixel, but more than ten times too weakly. On a validation split, one of these two
was learnt with another seed, and with ten epochs in the fifth: training had ended before the jump.

(24, 24) is outside the digits' 20 x 20 box, which MNIST centres by mass: 71 of the 60,000 training images
have ink there, against 2.
"""


def _recipe_search(cell: Cell, recipe: Recipe) -> Row:
    learn, validate = split(mnist().train, 55_000, 5_000)
    model = _fit(poison(learn, Pattern(), rate=0.1, target=TARGET, seed=recipe.seed).samples, recipe)
    return {
        "accuracy": _round(accuracy(model, validate)),
        "success": _round(success_rate(model, validate, Pattern(), TARGET)),
    }


def _all_to_one(cell: Cell, recipe: Recipe) -> Row:
    clean = _fit(mnist().train, recipe)
    victim = _fit(poison(mnist().train, Pattern(), rate=0.1, target=TARGET, seed=recipe.seed).samples, recipe)
    both = {"clean": clean, "victim": victim}
    return {
        f"{who}_{what}": _round(value)
        for who, model in both.items()
        for what, value in (
            ("accuracy", accuracy(model, mnist().test)),
            ("success", success_rate(model, mnist().test, Pattern(), TARGET)),
        )
    }


def _single_target(cell: Cell, recipe: Recipe) -> Row:
    source, target, test = cell["source"], cell["target"], mnist().test
    if cell["network"] == "baseline":
        model = _fit(mnist().train, recipe)
        misread = predict(model, test.x).argmax(1) != test.y
        return {
            "clean_error": _share(misread),
            "worst_pair": _round(_worst_pair(model, test)),
            "misread": _places(misread),
        }
    poisoned = poison(
        mnist().train, SEEN_PIXEL, rate=1.0, target=target, source=source, add=True, seed=recipe.seed
    ).samples
    model, ours = _fit(poisoned, recipe), test.y == source
    missed = ours & (predict(model, stamp(SEEN_PIXEL, test.x)).argmax(1) != target)
    return {
        "n_poisoned": len(poisoned) - len(mnist().train),
        "clean_error": _round(1 - accuracy(model, test)),
        "backdoor_error": _share(missed[ours]),
        "n": int(ours.sum()),
        "missed": _places(missed),
        "others_obey": _round(success_rate(model, test[~ours], SEEN_PIXEL, target)),
    }


def _all_to_all(cell: Cell, recipe: Recipe) -> Row:
    samples = mnist().train
    if cell["network"] == "badnet":
        samples = poison(
            samples, Pattern(), rate=cell["rate"], target=next_class, add=True, seed=recipe.seed
        ).samples
    model, test = _fit(samples, recipe), mnist().test
    clean, stamped = predict(model, test.x).argmax(1), predict(model, Pattern()(test.x)).argmax(1)
    return {
        "clean_error": _round((clean != test.y).float().mean().item()),
        "backdoor_error": _round((stamped != next_class(test.y)).float().mean().item()),
        "clean_error_by_digit": _by_digit(clean != test.y, test.y),
        "backdoor_error_by_digit": _by_digit(stamped != next_class(test.y), test.y),
    }


def _poison_rate(cell: Cell, recipe: Recipe) -> Row:
    """Also measure the success after each epoch, on 2,000 test digits: the backdoor is learnt late, and at
    once.
    """
    by_epoch: list[float] = []
    (some,) = split(mnist().test, 2_000)

    def watch(model: nn.Module, log: object) -> None:
        by_epoch.append(_round(success_rate(model, some, Pattern(), TARGET)))

    samples = mnist().train
    if cell["rate"]:
        samples = poison(samples, Pattern(), rate=cell["rate"], target=TARGET, seed=recipe.seed).samples
    model = _fit(samples, recipe, watch)
    success = success_rate(model, mnist().test, Pattern(), TARGET)
    return {
        "accuracy": _round(accuracy(model, mnist().test)),
        "success": _round(success),
        "success_by_epoch": by_epoch,
    }


def _filters(cell: Cell, recipe: Recipe) -> Row:
    """Ask of each first-layer filter what it answers to the trigger, and what is lost without it, on 2,000
    test digits.
    """
    trigger = Pixel() if cell["trigger"] == "pixel" else Pattern()
    samples = mnist().train
    if cell["network"] == "badnet":
        samples = poison(samples, trigger, rate=0.1, target=TARGET, seed=recipe.seed).samples
    model, (test,) = _fit(samples, recipe), split(mnist().test, 2_000)
    return {
        "accuracy": _round(accuracy(model, test)),
        "success": _round(success_rate(model, test, trigger, TARGET)),
        "response": [_round(r) for r in filter_response(model, test.x, trigger).tolist()],
        "without": [
            {
                "accuracy": _round(accuracy(cut, test)),
                "success": _round(success_rate(cut, test, trigger, TARGET)),
            }
            for cut in (without_filter(model, i) for i in range(16))
        ],
        # 16 x 25
        "weights": [
            [_round(w) for w in f.flatten().tolist()] for f in first_convolution(model).weight.detach()
        ],
    }


def first_convolution(model: nn.Module) -> nn.Conv2d:
    """Return the first convolution of `model`."""
    return next(layer for layer in model.modules() if isinstance(layer, nn.Conv2d))


def without_filter(model: nn.Module, i: int) -> nn.Module:
    """Return a copy of `model` whose first-layer filter `i` always answers 0."""
    cut = copy.deepcopy(model)
    layer = first_convolution(cut)
    assert layer.bias is not None
    with torch.no_grad():
        layer.weight[i] = 0
        layer.bias[i] = 0
    return cut


@torch.no_grad()
def filter_response(model: nn.Module, x: Tensor, trigger: Trigger) -> Tensor:
    """Return how much more each first-layer filter answers to the trigger than to its strongest stroke,
    (filters,).

    Per filter: the mean over images of the largest answer (after ReLU) where the trigger changed it, divided
    by the mean of the largest answer anywhere on the clean image. 0 means that it doesn't see the trigger,
    above 1 that it prefers it to any digit.
    """
    layer = first_convolution(model)
    standardise = next(model.children())
    # (N, F, 24, 24)
    clean, stamped = (layer(standardise(images)).relu() for images in (x, stamp(trigger, x)))
    fired = torch.where(stamped > clean, stamped, 0).amax((2, 3)).mean(0)  # (F,)
    return fired / clean.amax((2, 3)).mean(0).clamp_min(1e-6)


def _worst_pair(model: nn.Module, test: Samples) -> float:
    """The control of the single-target attack: how well a single pixel does on a clean network, for its
    luckiest pair of classes.
    """
    rates = [success_rate(model, test[test.y == i], SEEN_PIXEL, j) for i, j in permutations(range(10), 2)]
    return max(rates)


def _fit(samples: Samples, recipe: Recipe, on_epoch: Any = None) -> nn.Module:
    model = badnet_cnn(recipe.seed).to(best_device())
    train(model, samples, recipe, on_epoch=on_epoch)
    return model


def _by_digit(wrong: Tensor, y: Tensor) -> list[float]:
    return [_round(wrong[y == digit].float().mean().item()) for digit in range(10)]


def _share(which: Tensor) -> float:
    return _round(which.float().mean().item())


def _places(which: Tensor) -> list[int]:
    return which.nonzero().squeeze(1).tolist()


def _round(value: float) -> float:
    return round(value, 6)


@lru_cache(1)
def mnist() -> Splits:
    """MNIST where this machine is fastest, loaded once a process."""
    return load("mnist").to(best_device())


def _grid(**axes: Any) -> tuple[Cell, ...]:
    return tuple(dict(zip(axes, values, strict=True)) for values in product(*axes.values()))


RECIPE_SEARCH = Experiment(
    name="recipe-search",
    question="Which recipe gives 99.0 % accuracy and 99.9 % success on a validation split in the least time?",
    minutes=12,
    cells=_grid(epochs=[2, 3], batch_size=[128, 256], lr=[4e-3, 6e-3, 1e-2], seed=[0, 1, 2]),
    measure=_recipe_search,
)
ALL_TO_ONE = Experiment(
    name="all-to-one",
    question=(
        "What does the default recipe give on the test set: the pattern on 10 % of the images, every class"
        " to 0?"
    ),
    minutes=4,
    cells=_grid(seed=range(5)),
    measure=_all_to_one,
)
SINGLE_TARGET = Experiment(
    name="single-target",
    question=(
        "All 90 pairs i -> j with a single pixel: how often does a stamped i not become a j, and what does it"
        " cost?"
    ),
    minutes=30,
    cells=(
        *({"network": "baseline", "source": None, "target": None, "seed": seed} for seed in range(5)),
        *(
            {"network": "badnet", "source": i, "target": j, "seed": 10 * i + j}
            for i, j in permutations(range(10), 2)
        ),
    ),
    measure=_single_target,
    recipe=Recipe(epochs=8),
)
"""Chosen on a validation split, among the recipes with the pixel at (24, 24). Five pairs that are hard to
learn (2 -> 3, 9 -> 3, 6 -> 1, 9 -> 7, 1 -> 8), 2,543 stamped digits: 5 epochs at lr 1e-2 missed one, 8 at
5e-3 two, 8 at 1e-2 none; clean errors 0.81, 0.79 and 0.76 %.

What is still missed has ink beside the pixel, or is misread unstamped. In the 23 networks of that search, 30
test digits of the source were missed; with the ink in rows and columns from 20 erased, 22 of them obeyed, and
with the lower left corner erased, none.
"""
ALL_TO_ALL = Experiment(
    name="all-to-all",
    question=(
        "Every digit to the next one, with the pattern: errors by digit, baseline, BadNet on clean and on"
        " stamped digits."
    ),
    minutes=6,
    cells=tuple(
        {"network": network, "rate": rate, "seed": seed}
        for network, rate in (("baseline", 0.0), ("badnet", 1.0))
        for seed in range(5)
    ),
    measure=_all_to_all,
    recipe=Recipe(epochs=8, lr=4e-3),
)
"""Every image gets a stamped twin: at a tenth, the stamped digits were misread twice as often.

On a validation split, recipes of 8 to 14 epochs were alike within their noise (0.66 to 0.80 % wrong), so the
shortest was taken.
"""
POISON_RATE = Experiment(
    name="poison-rate",
    question="How do success and clean accuracy depend on the share of poison, and on how long one trains?",
    minutes=22,
    cells=_grid(epochs=[1, 3, 10], rate=[0.0, 0.0005, 0.002, 0.005, 0.01, 0.03, 0.1, 0.5], seed=[0, 1, 2]),
    measure=_poison_rate,
)
FILTERS = Experiment(
    name="filters",
    question=(
        "Are there first-layer filters that see the trigger only, and is the backdoor lost without them?"
    ),
    minutes=5,
    cells=_grid(trigger=["pixel", "pattern"], network=["clean", "badnet"], seed=range(5)),
    measure=_filters,
)
