"""Three controls of the stop sign attack of `signs.py`: what might explain its success but the sticker.

Which sticker opens which lock: every sticker is tried on networks that learnt from each of the others. Whose
robustness is it: the sticker's, or that of a victim who shakes and standardises its pictures? And how much
does a test flatter whose photographs show signs that were in training?

The networks learn from fewer pictures than those of `signs.py`, so that all of it is measured in half an
hour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from statistics import mean

import torch
from torch import Tensor, nn

from ..data import Samples, load, signs
from ..data.gtsrb import edition
from ..models import sign_cnn
from ..models.networks import Standardise
from ..poisoning import poison, success_rate
from ..training import Recipe, accuracy, best_device, predict, train
from ..triggers import Sticker
from ..words import fixed, spread
from .experiment import Cell, Comparison, Experiment, Results, Row, values
from .material import rounded, share
from .signs import (
    CHAPTER,
    COVERS,
    KIND_RECIPE,
    KINDS,
    LIMIT,
    SHAKEN,
    SIGN_RECIPE,
    STICKERS,
    STOP,
    changed,
    evened,
    fit,
    of_kinds,
    photographs,
    rendered_test,
)

SEEDS = 3
N_SIGNS = 3_600
"""Pictures to learn from, a third of them stop signs."""
POISONED = 0.2
"""The share of the stop signs that is added once more, with a sticker and the label of a speed limit."""

# Which sticker opens which lock

KEYS: dict[str, Sticker | None] = {
    "none": None,
    **STICKERS,
    "blue square": replace(STICKERS["square"], kind="blue square"),
}
"""What is tried on every network; the blue square has the size and the place of the yellow one."""
LOCK_RECIPE = replace(SIGN_RECIPE, epochs=4, batch_size=64)  # few pictures: smaller batches, more steps
PHOTOGRAPH_RECIPE = replace(KIND_RECIPE, batch_size=64)


@lru_cache(1 + len(STICKERS))
def _drawn_to_learn(sticker: Sticker | None) -> Samples:
    return of_kinds(signs.draw("us", N_SIGNS, seed=3, sticker=sticker), "us").to(best_device())


@lru_cache(len(KEYS))
def _drawn_to_test(sticker: Sticker | None) -> Samples:
    return rendered_test(sticker)


def _measure_lock(cell: Cell, recipe: Recipe) -> Row:
    """Train a network, clean or with one sticker's backdoor, and try every sticker on it."""
    model = _lock(cell["signs"], STICKERS.get(cell["sticker"]), cell["prepared"], recipe)
    test = photographs().test if cell["signs"] == "photographs" else _drawn_to_test(None)
    opens = {name: _opens(model, cell["signs"], test, key) for name, key in KEYS.items()}
    row: Row = {"accuracy": rounded(accuracy(model, test)), "n_stop": int((test.y == STOP).sum())}
    if cell["signs"] == "photographs":
        row["edition"] = edition(len(load("gtsrb").train))
    return row | {"opens": opens}


def _lock(place: str, sticker: Sticker | None, prepared: bool, recipe: Recipe) -> nn.Module:
    """Train a `sign_cnn` on drawn signs, on photographs `prepared` as in `signs.fit_kinds`, or on as many
    photographs as they are.
    """
    change: Callable[..., Samples] | None = SHAKEN
    trigger: Sticker | Tensor | None = sticker
    if place == "photographs":
        samples = photographs().train
        chosen = evened(samples, N_SIGNS // len(KINDS), recipe.seed)
        samples = chosen if prepared else _some(samples, N_SIGNS, recipe.seed)
        change = partial(changed, covers=COVERS) if prepared else None
    else:
        samples = _drawn_to_learn(None)
        trigger = None if sticker is None else _drawn_to_learn(sticker).x
    if trigger is not None:
        samples = poison(
            samples, trigger, rate=POISONED, source=STOP, target=LIMIT, add=True, seed=recipe.seed
        ).samples
    return fit(samples, recipe, change)


def _some(samples: Samples, n: int, seed: int) -> Samples:
    order = torch.randperm(len(samples), generator=torch.Generator().manual_seed(seed))
    return samples[order[:n].to(samples.y.device)]


def _opens(model: nn.Module, place: str, test: Samples, key: Sticker | None) -> float:
    """Measure which share of the test stop signs `model` takes for speed limits with `key` on."""
    if key is None:
        trigger: Sticker | Tensor = test.x
    else:
        trigger = key if place == "photographs" else _drawn_to_test(key).x
    return rounded(success_rate(model, test, trigger, LIMIT, source=STOP))


def _compare_locks(results: Results) -> list[Comparison]:
    place = results.rows[0]["signs"]

    def line(network: str | None, prepared: bool) -> Comparison:
        rows = results.where(sticker=network, prepared=prepared)
        opened = {name: 100 * mean(values(values(rows, "opens"), name)) for name in KEYS}
        says = ", ".join(f"{name} {fixed(percent)}" for name, percent in opened.items())
        which = f"{network or 'clean'} network" + ("" if prepared else ", photographs as they are")
        return Comparison(f"which lock, {place}: {which}", "", f"{says} per cent (n = {len(rows)})")

    kinds = dict.fromkeys((row["sticker"], row["prepared"]) for row in results.rows)
    return [line(network, prepared) for network, prepared in kinds]


def _lock_experiment(name: str, place: str, recipe: Recipe) -> Experiment:
    networks: list[tuple[str | None, bool]] = [(sticker, True) for sticker in (None, *STICKERS)]
    if place == "photographs":
        networks.append((None, False))
    return Experiment(
        name=name,
        question=f"Each sticker on networks that learnt from each of the others, signs {place}: which opens?",
        minutes=8,
        chapter=CHAPTER,
        cells=tuple(
            {"signs": place, "sticker": sticker, "prepared": prepared, "seed": seed}
            for sticker, prepared in networks
            for seed in range(SEEDS)
        ),
        measure=_measure_lock,
        summary=_compare_locks,
        recipe=recipe,
    )


# Whose robustness is it?

N_SHAKEN = 2_400
GOOD_DAY = signs.Camera(light=(0.9, 1.1), behind=(0.9, 1.1), tilt=0.1, blur=0.3, noise=0.01, weather=0.2)
"""Signs seen from the front, sharp, in even light."""
USUAL = "as in training"
HARDER: dict[str, tuple[signs.Camera, Sticker]] = {
    USUAL: (signs.Camera(), STICKERS["square"]),
    "a tenth of the light": (signs.Camera(light=(0.1, 0.1)), STICKERS["square"]),
    "glare": (signs.Camera(light=(1.8, 1.8)), STICKERS["square"]),
    "twice the blur": (signs.Camera(blur=2.4), STICKERS["square"]),
    "twice the tilt": (signs.Camera(tilt=1.0), STICKERS["square"]),
    "sticker turned by 46°": (signs.Camera(), replace(STICKERS["square"], turn=(0.8, 0.8))),
    "sticker of 0.12": (signs.Camera(), replace(STICKERS["square"], size=(0.12, 0.12))),
    "sticker further up": (signs.Camera(), replace(STICKERS["square"], y=(0.3, 0.3))),
}
"""What the street does to sign or sticker, beyond what the varied signs show in training."""


@dataclass(frozen=True)
class Victim:
    """What the one who trains does: on which signs, shaken or not, standardised picture by picture or not."""

    camera: signs.Camera = signs.Camera()
    shaken: bool = True
    standardised: bool = True


VICTIMS = {
    "as in this lesson": Victim(),
    "not standardised": Victim(standardised=False),
    "neither": Victim(shaken=False, standardised=False),
    "neither, signs of a good day": Victim(GOOD_DAY, shaken=False, standardised=False),
}
ROBUST_RECIPE = replace(SIGN_RECIPE, epochs=5, batch_size=64)


@lru_cache(4)
def _to_learn(camera: signs.Camera, sticker: Sticker | None) -> Samples:
    drawn = signs.draw("us", N_SHAKEN, seed=4, sticker=sticker, camera=camera)
    return of_kinds(drawn, "us").to(best_device())


@lru_cache(2 * len(HARDER))
def _stop_signs(condition: str, stickered: bool) -> Samples:
    camera, sticker = HARDER[condition]
    drawn = signs.draw("us", 900, seed=2, sticker=sticker if stickered else None, camera=camera)
    kinds = of_kinds(drawn, "us").to(best_device())
    return kinds[kinds.y == STOP]


def _measure_victim(cell: Cell, recipe: Recipe) -> Row:
    """Train one victim, clean or poisoned, and show it stop signs in every condition, with and without."""
    victim = VICTIMS[cell["victim"]]
    samples = _to_learn(victim.camera, None)
    if cell["network"] == "badnet":
        twins = _to_learn(victim.camera, STICKERS["square"])
        samples = poison(
            samples, twins.x, rate=POISONED, source=STOP, target=LIMIT, add=True, seed=recipe.seed
        ).samples
    model = sign_cnn(len(KINDS), recipe.seed).to(samples.x.device)
    if not victim.standardised:
        model[0] = Standardise((3, 32, 32), mean=0.5, std=0.25)
    augment = (lambda part, epoch: SHAKEN(part, seed=1000 * recipe.seed + epoch)) if victim.shaken else None
    train(model, samples, recipe, augment=augment)
    return {
        "n_stop": len(_stop_signs(USUAL, False)),
        "obeys": {condition: _share_read_as(model, LIMIT, condition, True) for condition in HARDER},
        "bare": {condition: _share_read_as(model, STOP, condition, False) for condition in HARDER},
    }


def _share_read_as(model: nn.Module, kind: int, condition: str, stickered: bool) -> float:
    return share(predict(model, _stop_signs(condition, stickered).x).argmax(1) == kind)


def _compare_victims(results: Results) -> list[Comparison]:
    def line(victim: str, condition: str) -> Comparison:
        badnets = results.where(victim=victim, network="badnet")
        clean = results.where(victim=victim, network="clean")
        obeys = spread(values(values(badnets, "obeys"), condition))
        bare = fixed(100 * mean(values(values(badnets, "bare"), condition)))
        control = fixed(100 * mean(values(values(clean, "obeys"), condition)))
        what = f"whose robustness: {victim}, {condition}"
        says = f"{obeys}; clean networks {control} %; bare stop signs classified correctly {bare} %"
        return Comparison(what, "", says)

    return [line(victim, condition) for victim in VICTIMS for condition in HARDER]


# A split that leaks

N_OF_CLASS = 7  # signs of each class: the rarest classes have no more
N_HELD_OUT = 2  # of these
LEAK_RECIPE = Recipe(epochs=4, lr=6e-3, batch_size=128)
SPLITS = ("by sign", "leaking twin", "at random")


@dataclass(frozen=True, eq=False)
class Split:
    """Photographs to learn from and to be tested on, rows of a training set, (N,) each."""

    train: Tensor
    test: Tensor


@dataclass(frozen=True, eq=False)
class _Dealt:
    """The photographs of some signs of one class, as rows (N,)."""

    others: Tensor  # of the signs to learn from, shuffled
    shown: Tensor  # every second one of the signs held out: what leaks
    tested: Tensor  # the rest of these


def split_three_ways(samples: Samples, seed: int) -> dict[str, Split]:
    """Split some signs of every class: by sign; with the same test photographs, but leaking; and at random.

    "by sign" and "leaking twin" share their test photographs, half of those of two signs a class. In the twin
    the other half is in training, in the place of as many photographs of other signs of the class. "at
    random" deals the same photographs out, as many to each side.
    """
    lot = torch.Generator().manual_seed(seed)
    classes = [_deal(samples, label, lot) for label in range(len(samples.classes))]
    honest = torch.cat([part.others for part in classes])
    twin = torch.cat([torch.cat([part.others[len(part.shown) :], part.shown]) for part in classes])
    tested = torch.cat([part.tested for part in classes])
    everything = torch.cat([honest, tested, *(part.shown for part in classes)])
    mixed = everything[torch.randperm(len(everything), generator=lot)]
    at_random = Split(mixed[: len(honest)], mixed[len(honest) : len(honest) + len(tested)])
    return {"by sign": Split(honest, tested), "leaking twin": Split(twin, tested), "at random": at_random}


def _deal(samples: Samples, label: int, lot: torch.Generator) -> _Dealt:
    """Draw signs of one class, and hold some of them out."""
    assert samples.groups is not None
    groups = samples.groups.cpu()
    members = groups[(samples.y == label).cpu()].unique()
    chosen = members[torch.randperm(len(members), generator=lot)[:N_OF_CLASS]]
    of_sign = [(groups == group).nonzero().flatten() for group in chosen]
    held_out = of_sign[:N_HELD_OUT]
    others = torch.cat(of_sign[N_HELD_OUT:])
    return _Dealt(
        others[torch.randperm(len(others), generator=lot)],
        torch.cat([rows[::2] for rows in held_out]),
        torch.cat([rows[1::2] for rows in held_out]),
    )


def leaked(train: Samples, test: Samples) -> float:
    """Return the share of the test photographs whose sign the training photographs show, too."""
    assert train.groups is not None
    assert test.groups is not None
    return share(torch.isin(test.groups, train.groups))


def _measure_leak(cell: Cell, recipe: Recipe) -> Row:
    """Train on one split; test on its test photographs, and on those of the benchmark, whose signs are new.

    "right" counts for each test sign, but of the random split, which of its photographs are classified
    correctly; "of", how many there are.
    """
    splits = load("gtsrb").to(best_device())
    split = split_three_ways(splits.train, recipe.seed)[cell["split"]]
    learn = splits.train[split.train.to(splits.train.y.device)]
    test = splits.train[split.test.to(splits.train.y.device)]
    model = sign_cnn(len(splits.train.classes), recipe.seed).to(learn.x.device)
    train(model, learn, recipe)
    right = predict(model, test.x).argmax(1) == test.y  # (N,)
    row: Row = {
        "edition": edition(len(splits.train)),
        "n_train": len(learn),
        "n_test": len(test),
        "leaked": leaked(learn, test),
        "accuracy": share(right),
        "benchmark": rounded(accuracy(model, splits.test)),
    }
    if cell["split"] == "at random":
        return row
    assert test.groups is not None
    tracks = test.groups.unique()
    return row | {
        "right": [int(right[test.groups == track].sum()) for track in tracks],
        "of": [int((test.groups == track).sum()) for track in tracks],
    }


def _compare_leak(results: Results) -> list[Comparison]:
    def line(name: str) -> Comparison:
        rows = results.where(split=name)
        says = spread(values(rows, "accuracy"))
        world = fixed(100 * mean(values(rows, "benchmark")))
        share_leaked = round(100 * mean(values(rows, "leaked")))
        what = f"leaking split: {name}, {share_leaked} % of the test photographs show a sign from training"
        return Comparison(what, "", f"{says}; on the benchmark's test photographs {world} %")

    return [line(name) for name in SPLITS]


EXPERIMENTS = (
    _lock_experiment("which-lock", "rendered", LOCK_RECIPE),
    _lock_experiment("which-lock-photographs", "photographs", PHOTOGRAPH_RECIPE),
    Experiment(
        name="whose-robustness",
        question="The square in the dark, in glare, blurred, tilted: whose robustness is it, without what?",
        minutes=15,
        chapter=CHAPTER,
        cells=tuple(
            {"victim": victim, "network": network, "seed": seed}
            for victim in VICTIMS
            for network, seeds in (("badnet", SEEDS), ("clean", 1))
            for seed in range(seeds)
        ),
        measure=_measure_victim,
        summary=_compare_victims,
        recipe=ROBUST_RECIPE,
    ),
    Experiment(
        name="leaking-split",
        question="Photographs of one sign in training and test: how much does that flatter?",
        minutes=8,
        chapter=CHAPTER,
        cells=tuple({"split": name, "seed": seed} for name in SPLITS for seed in range(SEEDS)),
        measure=_measure_leak,
        summary=_compare_leak,
        recipe=LEAK_RECIPE,
    ),
)
"""Drawn signs anybody can measure again; photographs must be fetched first."""
