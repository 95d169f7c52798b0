"""The MNIST half of BadNets, measured again: T. Gu, B. Dolan-Gavitt, S. Garg, 2017, arXiv:1708.06733, section
4.

Poisoned copies are *added* to the training set, as in the paper, where the paper's tables are reproduced
(`SINGLE_TARGET`, `ALL_TO_ALL`); they replace their originals in the lessons' all-to-one attack (`ALL_TO_ONE`,
`POISON_RATE`, `FILTERS`).
"""

from __future__ import annotations

import copy
from itertools import permutations, product
from statistics import mean
from typing import Any

import torch
from torch import Tensor, nn

from ..data import Samples, split
from ..models import badnet_cnn
from ..poisoning import Trigger, next_class, poison, stamp, success_rate
from ..training import Recipe, accuracy, best_device, predict, train
from ..triggers import Pattern, Pixel
from ..words import spread
from .experiment import Cell, Comparison, Experiment, Results, Row, values
from .material import mnist, rounded, share
from .published import (
    ACCURACY_LOST,
    ALL_TO_ALL_ABOVE,
    ALL_TO_ALL_ERROR,
    CLEAN_ACCURACY,
    CLEAN_ERROR,
    PAIR_ERROR,
    PAIRS_WITHIN,
    WORST_PAIR_ABOVE,
    WORST_PAIR_ERROR,
)

CHAPTER = "02 BadNets on MNIST"
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


# Which recipe?


def _measure_recipe(cell: Cell, recipe: Recipe) -> Row:
    learn, validate = split(mnist().train, 55_000, 5_000)
    model = _fit(poison(learn, Pattern(), rate=0.1, target=TARGET, seed=recipe.seed).samples, recipe)
    return {
        "accuracy": rounded(accuracy(model, validate)),
        "success": rounded(success_rate(model, validate, Pattern(), TARGET)),
    }


def _compare_recipes(results: Results) -> list[Comparison]:
    def line(epochs: int, batch_size: int, lr: float) -> Comparison:
        rows = results.where(epochs=epochs, batch_size=batch_size, lr=lr)
        right = f"accuracy {100 * mean(values(rows, 'accuracy')):.2f} %"
        success = f"success {100 * mean(values(rows, 'success')):.2f} %"
        what = f"validation split: {epochs} epochs, batch {batch_size}, lr {lr:g}"
        return Comparison(what, "", f"{right}, {success} (n = {len(rows)})")

    recipes = dict.fromkeys((row["epochs"], row["batch_size"], row["lr"]) for row in results.rows)
    return [line(*recipe) for recipe in recipes]


# Every class to one


def _measure_all_to_one(cell: Cell, recipe: Recipe) -> Row:
    samples = mnist().train
    test = mnist().test
    clean = _fit(samples, recipe)
    victim = _fit(poison(samples, Pattern(), rate=0.1, target=TARGET, seed=recipe.seed).samples, recipe)
    return {
        "clean_accuracy": rounded(accuracy(clean, test)),
        "clean_success": rounded(success_rate(clean, test, Pattern(), TARGET)),
        "victim_accuracy": rounded(accuracy(victim, test)),
        "victim_success": rounded(success_rate(victim, test, Pattern(), TARGET)),
    }


def _compare_all_to_one(results: Results) -> list[Comparison]:
    rows = results.rows
    lost = [row["clean_accuracy"] - row["victim_accuracy"] for row in rows]
    return [
        Comparison("accuracy, clean network", CLEAN_ACCURACY.says, spread(values(rows, "clean_accuracy"))),
        Comparison("accuracy, BadNet", "", spread(values(rows, "victim_accuracy"))),
        Comparison("accuracy lost to the backdoor", ACCURACY_LOST.says, spread(lost, "points")),
        Comparison("attack success, BadNet", "", spread(values(rows, "victim_success"))),
        Comparison("attack success, clean network (control)", "", spread(values(rows, "clean_success"))),
    ]


# One class to another, by a single pixel


def _measure_pair(cell: Cell, recipe: Recipe) -> Row:
    if cell["network"] == "baseline":
        return _measure_no_pair(recipe)
    source = cell["source"]
    target = cell["target"]
    samples = mnist().train
    test = mnist().test
    poisoned = poison(
        samples, SEEN_PIXEL, rate=1.0, target=target, source=source, add=True, seed=recipe.seed
    ).samples
    model = _fit(poisoned, recipe)
    of_source = test.y == source
    missed = of_source & (predict(model, stamp(SEEN_PIXEL, test.x)).argmax(1) != target)
    return {
        "n_poisoned": len(poisoned) - len(samples),
        "clean_error": rounded(1 - accuracy(model, test)),
        "backdoor_error": share(missed[of_source]),
        "n": int(of_source.sum()),
        "missed": _places(missed),
        "others_obey": rounded(success_rate(model, test[~of_source], SEEN_PIXEL, target)),
    }


def _measure_no_pair(recipe: Recipe) -> Row:
    model = _fit(mnist().train, recipe)
    test = mnist().test
    misread = predict(model, test.x).argmax(1) != test.y
    return {
        "clean_error": share(misread),
        "worst_pair": rounded(_worst_pair(model, test)),
        "misread": _places(misread),
    }


def _worst_pair(model: nn.Module, test: Samples) -> float:
    """The control of the single-target attack: how well a single pixel does on a clean network, for its
    luckiest pair of classes.
    """
    rates = [success_rate(model, test[test.y == i], SEEN_PIXEL, j) for i, j in permutations(range(10), 2)]
    return max(rates)


def _compare_pairs(results: Results) -> list[Comparison]:
    baseline = results.where(network="baseline")
    pairs = results.where(network="badnet")
    return [*_compare_clean_error(baseline, pairs), *_compare_pair_errors(baseline, pairs)]


def _compare_clean_error(baseline: tuple[Row, ...], pairs: tuple[Row, ...]) -> list[Comparison]:
    base = values(baseline, "clean_error")
    extra = [row["clean_error"] - mean(base) for row in pairs]
    above = "single target: clean error above the baseline"
    return [
        Comparison("single target: baseline error", CLEAN_ERROR.says, spread(base)),
        Comparison(f"{above}, mean", "", spread(extra, "points")),
        Comparison(f"{above}, worst pair", WORST_PAIR_ABOVE.says, f"{100 * max(extra):.2f} points"),
    ]


def _compare_pair_errors(baseline: tuple[Row, ...], pairs: tuple[Row, ...]) -> list[Comparison]:
    errors = values(pairs, "backdoor_error")
    within = sum(error <= PAIR_ERROR for error in errors)
    missed = [place for row in pairs for place in row["missed"]]
    misread = {place for row in baseline for place in row["misread"]}
    unstamped = sum(place in misread for place in missed)
    obeying = spread(values(pairs, "others_obey"))
    luckiest = f"{100 * max(values(baseline, 'worst_pair')):.2f} %"
    on_backdoored = "single target: error on backdoored images"
    return [
        Comparison(f"{on_backdoored}, mean", "", spread(errors)),
        Comparison(f"{on_backdoored}, worst pair", WORST_PAIR_ERROR.says, f"{100 * max(errors):.2f} %"),
        Comparison("single target: pairs at or under 0.09 %", PAIRS_WITHIN.says, f"{within} of {len(pairs)}"),
        Comparison(
            "single target: missed images that a baseline misreads unstamped",
            "",
            f"{unstamped} of {len(missed)}",
        ),
        Comparison("single target: stamped digits of other classes that obey (control)", "", obeying),
        Comparison("single target: luckiest pair of a clean network (control)", "", luckiest),
    ]


# Every class to the next


def _measure_all_to_all(cell: Cell, recipe: Recipe) -> Row:
    samples = mnist().train
    if cell["network"] == "badnet":
        samples = poison(
            samples, Pattern(), rate=cell["rate"], target=next_class, add=True, seed=recipe.seed
        ).samples
    model = _fit(samples, recipe)
    test = mnist().test
    wrong_clean = predict(model, test.x).argmax(1) != test.y
    wrong_stamped = predict(model, Pattern()(test.x)).argmax(1) != next_class(test.y)
    return {
        "clean_error": share(wrong_clean),
        "backdoor_error": share(wrong_stamped),
        "clean_error_by_digit": _by_digit(wrong_clean, test.y),
        "backdoor_error_by_digit": _by_digit(wrong_stamped, test.y),
    }


def _compare_all_to_all(results: Results) -> list[Comparison]:
    baseline = results.where(network="baseline")
    badnet = results.where(network="badnet")
    clean_error = values(baseline, "clean_error")
    gap = [after - before for before, after in zip(clean_error, values(badnet, "clean_error"), strict=True)]
    error = spread(values(badnet, "backdoor_error"))
    control = spread([1 - error for error in values(baseline, "backdoor_error")])
    return [
        Comparison("all to all: baseline error", CLEAN_ERROR.says, spread(clean_error)),
        Comparison(
            "all to all: clean error above the baseline", ALL_TO_ALL_ABOVE.says, spread(gap, "points")
        ),
        Comparison("all to all: error on backdoored images", ALL_TO_ALL_ERROR.says, error),
        Comparison("all to all: success on a clean network (control)", "", control),
    ]


# How much poison?


def _measure_rate(cell: Cell, recipe: Recipe) -> Row:
    """Also measure the success after each epoch, on 2,000 test digits: the backdoor is learnt late, and at
    once.
    """
    by_epoch: list[float] = []
    (some,) = split(mnist().test, 2_000)

    def watch(model: nn.Module, log: object) -> None:
        by_epoch.append(rounded(success_rate(model, some, Pattern(), TARGET)))

    samples = mnist().train
    if cell["rate"]:
        samples = poison(samples, Pattern(), rate=cell["rate"], target=TARGET, seed=recipe.seed).samples
    model = _fit(samples, recipe, watch)
    return {
        "accuracy": rounded(accuracy(model, mnist().test)),
        "success": rounded(success_rate(model, mnist().test, Pattern(), TARGET)),
        "success_by_epoch": by_epoch,
    }


def _compare_rates(results: Results) -> list[Comparison]:
    def line(epochs: int, rate: float) -> Comparison:
        success = values(results.where(epochs=epochs, rate=rate), "success")
        span = f"{100 * min(success):.1f} to {100 * max(success):.1f} % (n = {len(success)})"
        return Comparison(f"success at {100 * rate:g} % poison, {epochs} epochs", "", span)

    points = dict.fromkeys((row["epochs"], row["rate"]) for row in results.rows)
    return [line(*point) for point in points]


# Where in the network does it sit?


def _measure_filters(cell: Cell, recipe: Recipe) -> Row:
    """Ask of each first-layer filter what it answers to the trigger, and what is lost without it, on 2,000
    test digits.
    """
    trigger = Pixel() if cell["trigger"] == "pixel" else Pattern()
    samples = mnist().train
    if cell["network"] == "badnet":
        samples = poison(samples, trigger, rate=0.1, target=TARGET, seed=recipe.seed).samples
    model = _fit(samples, recipe)
    (test,) = split(mnist().test, 2_000)
    filters = first_convolution(model).weight.detach().flatten(1)  # (16, 25)
    return {
        **_scores(model, test, trigger),
        "response": _rounded(filter_response(model, test.x, trigger)),
        "without": [_scores(without_filter(model, i), test, trigger) for i in range(len(filters))],
        "weights": [_rounded(weights) for weights in filters],
    }


def _scores(model: nn.Module, test: Samples, trigger: Trigger) -> Row:
    return {
        "accuracy": rounded(accuracy(model, test)),
        "success": rounded(success_rate(model, test, trigger, TARGET)),
    }


def _compare_filters(results: Results) -> list[Comparison]:
    comparisons = []
    for trigger in ("pixel", "pattern"):
        for network in ("clean", "badnet"):
            rows = results.where(trigger=trigger, network=network)
            strongest = [max(row["response"]) for row in rows]
            says = f"{mean(strongest):.2f} times its strongest stroke (n = {len(strongest)})"
            comparisons.append(Comparison(f"{trigger}, {network}: strongest answer of a filter", "", says))
        lost = [_lost(row) for row in results.where(trigger=trigger, network="badnet")]
        what = f"{trigger}: success lost with the best-chosen filter"
        comparisons.append(Comparison(what, "", spread(lost, "points")))
    return comparisons


def _lost(row: Row) -> float:
    return row["success"] - min(values(row["without"], "success"))


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
    clean = layer(standardise(x)).relu()  # (N, F, 24, 24)
    stamped = layer(standardise(stamp(trigger, x))).relu()
    # where the trigger lowers an answer, no filter has seen it
    fired = torch.where(stamped > clean, stamped, 0).amax((2, 3)).mean(0)  # (F,)
    return fired / clean.amax((2, 3)).mean(0).clamp_min(1e-6)


def _fit(samples: Samples, recipe: Recipe, on_epoch: Any = None) -> nn.Module:
    model = badnet_cnn(recipe.seed).to(best_device())
    train(model, samples, recipe, on_epoch=on_epoch)
    return model


def _by_digit(wrong: Tensor, y: Tensor) -> list[float]:
    return [share(wrong[y == digit]) for digit in range(10)]


def _places(which: Tensor) -> list[int]:
    return which.nonzero().squeeze(1).tolist()


def _rounded(numbers: Tensor) -> list[float]:
    return [rounded(number) for number in numbers.tolist()]


def _grid(**axes: Any) -> tuple[Cell, ...]:
    return tuple(dict(zip(axes, point, strict=True)) for point in product(*axes.values()))


RECIPE_SEARCH = Experiment(
    name="recipe-search",
    question="Which recipe gives 99.0 % accuracy and 99.9 % success on a validation split in the least time?",
    minutes=12,
    chapter=CHAPTER,
    cells=_grid(epochs=[2, 3], batch_size=[128, 256], lr=[4e-3, 6e-3, 1e-2], seed=[0, 1, 2]),
    measure=_measure_recipe,
    summary=_compare_recipes,
)
ALL_TO_ONE = Experiment(
    name="all-to-one",
    question=(
        "What does the default recipe give on the test set: the pattern on 10 % of the images, every class"
        " to 0?"
    ),
    minutes=4,
    chapter=CHAPTER,
    cells=_grid(seed=range(5)),
    measure=_measure_all_to_one,
    summary=_compare_all_to_one,
)
SINGLE_TARGET = Experiment(
    name="single-target",
    question=(
        "All 90 pairs i -> j with a single pixel: how often does a stamped i not become a j, and what does it"
        " cost?"
    ),
    minutes=30,
    chapter=CHAPTER,
    cells=(
        *({"network": "baseline", "source": None, "target": None, "seed": seed} for seed in range(5)),
        *(
            {"network": "badnet", "source": i, "target": j, "seed": 10 * i + j}
            for i, j in permutations(range(10), 2)
        ),
    ),
    measure=_measure_pair,
    summary=_compare_pairs,
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
    chapter=CHAPTER,
    cells=tuple(
        {"network": network, "rate": rate, "seed": seed}
        for network, rate in (("baseline", 0.0), ("badnet", 1.0))
        for seed in range(5)
    ),
    measure=_measure_all_to_all,
    summary=_compare_all_to_all,
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
    chapter=CHAPTER,
    cells=_grid(epochs=[1, 3, 10], rate=[0.0, 0.0005, 0.002, 0.005, 0.01, 0.03, 0.1, 0.5], seed=[0, 1, 2]),
    measure=_measure_rate,
    summary=_compare_rates,
)
FILTERS = Experiment(
    name="filters",
    question=(
        "Are there first-layer filters that see the trigger only, and is the backdoor lost without them?"
    ),
    minutes=5,
    chapter=CHAPTER,
    cells=_grid(trigger=["pixel", "pattern"], network=["clean", "badnet"], seed=range(5)),
    measure=_measure_filters,
    summary=_compare_filters,
)
