"""Turn a clean set into a poisoned one, remember exactly what changed, and measure what it bought.

Gu, Dolan-Gavitt, Garg: BadNets (2017), arXiv:1708.06733, section 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from .data import Samples, check_labels
from .errors import NOT_EMPTY, require
from .training import predict

Trigger = Callable[[Tensor], Tensor]
"""(N, C, H, W) in [0, 1] -> the same shape and range, with the trigger stamped on; the input stays untouched.
"""

Twins = Tensor
"""In place of a trigger: the same images (N, C, H, W) taken once more with the trigger in the scene, row by
row.
"""

Target = int | Callable[[Tensor], Tensor]
"""A class, or a map from true labels (N,) to the attacker's (N,): `next_class` is the all-to-all attack."""


@dataclass(frozen=True, eq=False)
class Poisoned:
    """A training set in which `mask` (N,) marks the rows that carry the trigger and the attacker's label."""

    samples: Samples
    mask: Tensor
    trigger: Trigger | Twins
    target: Target


def next_class(y: Tensor, classes: int = 10) -> Tensor:
    """Map every label to the next one, the last to 0: the paper's all-to-all attack."""
    return (y + 1) % classes


def poison(
    samples: Samples,
    trigger: Trigger | Twins,
    *,
    rate: float,
    target: Target,
    source: int | None = None,
    add: bool = False,
    seed: int = 0,
) -> Poisoned:
    """Stamp `trigger` on a random share of the images and give them the target's label.

    `rate` counts against the whole set or, with `source`, against that class, which alone is poisoned then.
    Images that have the target's label anyway are never picked. Poisoned images replace their originals; with
    `add=True` they join them, as in the paper. Raises `ArgumentError` for a rate or class out of range, a
    rate that picks no image, or an unusable trigger.
    """
    n_classes = len(samples.classes)
    require(len(samples) > 0, *NOT_EMPTY)
    require(0 < rate <= 1, "rate must lie in (0, 1]", rate, "0.1 poisons every tenth image.")
    is_class = source is None or (isinstance(source, int) and 0 <= source < n_classes)
    require(is_class, f"source must be a class index below {n_classes}", source, "Count classes from 0.")
    goal = aim(target, samples.y, n_classes)  # (N,)
    pool = torch.ones_like(samples.y, dtype=torch.bool) if source is None else samples.y == source
    candidates = (pool & (goal != samples.y)).nonzero().squeeze(1)
    count = round(rate * int(pool.sum()))
    require(
        0 < count <= len(candidates),
        f"rate must pick between 1 and {len(candidates)} images",
        count,
        "Change rate, source or target.",
    )
    picks = torch.randperm(len(candidates), generator=torch.Generator().manual_seed(seed))[:count]
    chosen = candidates[picks.to(candidates.device)]
    stamped = triggered(trigger, samples, chosen)
    if add:
        both = samples + replace(samples[chosen], x=stamped, y=goal[chosen])
        return Poisoned(both, torch.arange(len(both), device=chosen.device) >= len(samples), trigger, target)
    x, y, mask = samples.x.clone(), samples.y.clone(), torch.zeros_like(samples.y, dtype=torch.bool)
    x[chosen], y[chosen], mask[chosen] = stamped, goal[chosen], True
    return Poisoned(replace(samples, x=x, y=y), mask, trigger, target)


def poison_clean_label(
    samples: Samples, trigger: Trigger, *, rate: float, target: int, seed: int = 0
) -> Poisoned:
    """Stamp `trigger` on the share `rate` of the images of class `target`, and leave every label as it is.

    Who looks through the set finds no wrong label (Barni, Kallas, Tondi 2019, arXiv:1902.11237, section 3).
    Raises `ArgumentError` for a rate or class out of range, a rate that picks no image, or an unusable
    trigger.
    """
    require(len(samples) > 0, *NOT_EMPTY)
    require(0 < rate <= 1, "rate must lie in (0, 1]", rate, "0.9 stamps nine in ten images of the target.")
    require(
        0 <= target < len(samples.classes),
        f"target must be a class index below {len(samples.classes)}",
        target,
    )
    pool = (samples.y == target).nonzero().squeeze(1)
    count = round(rate * len(pool))
    require(
        count > 0,
        f"rate must pick at least one of {len(pool)} images of the target",
        rate,
        "Raise it, or bring more images.",
    )
    chosen = pool[
        torch.randperm(len(pool), generator=torch.Generator().manual_seed(seed))[:count].to(pool.device)
    ]
    x, mask = samples.x.clone(), torch.zeros_like(samples.y, dtype=torch.bool)
    x[chosen], mask[chosen] = stamp(trigger, samples.x[chosen]), True
    return Poisoned(replace(samples, x=x), mask, trigger, target)


def success_rate(
    model: nn.Module, samples: Samples, trigger: Trigger | Twins, target: Target, *, source: int | None = None
) -> float:
    """Measure attack success, 0..1: the share of triggered images (of class `source`, if given) that get the
    target's label.

    Images that have that label already never count: a network that reads them rightly obeys nobody.
    """
    require(len(samples) > 0, *NOT_EMPTY)
    goal = aim(target, samples.y, len(samples.classes))
    can_be_fooled = goal != samples.y
    if source is not None:
        can_be_fooled &= samples.y == source
    which = "" if source is None else f" and in class {source}"
    require(
        bool(can_be_fooled.any()),
        f"samples must hold images outside the target class{which}",
        f"{len(samples)} of the target class" if source is None else f"none of {len(samples)}",
    )
    answers = predict(model, triggered(trigger, samples, can_be_fooled)).argmax(1)
    return (answers == goal[can_be_fooled]).float().mean().item()


def aim(target: Target, y: Tensor, n_classes: int) -> Tensor:
    """Return the label (N,) that the attacker wants for each true label `y` (N,)."""
    is_class = isinstance(target, int) and 0 <= target < n_classes
    fix = "Count classes from 0, or pass a function such as wm.next_class."
    require(
        is_class or callable(target),
        f"target must be a class index below {n_classes}, or a map of labels",
        target,
        fix,
    )
    if isinstance(target, int):
        return torch.full_like(y, target)
    goal = target(y)
    require(
        goal.shape == y.shape and goal.dtype == y.dtype,
        "a target map must return one int64 label an image",
        (tuple(goal.shape), goal.dtype),
    )
    check_labels(goal, n_classes)
    return goal


def triggered(trigger: Trigger | Twins, samples: Samples, index: Tensor) -> Tensor:
    """Return the images at `index` with the trigger on: stamped, or taken from their twins."""
    if not isinstance(trigger, Tensor):
        return stamp(trigger, samples.x[index])
    same = trigger.shape == samples.x.shape
    require(
        same,
        f"twins must have the shape of their samples, {tuple(samples.x.shape)}",
        tuple(trigger.shape),
        "Draw them with the same n and seed.",
    )
    return trigger[index]


def stamp(trigger: Trigger, x: Tensor) -> Tensor:
    """Return `trigger(x)`, after making sure that it keeps shape, type, range and its input."""
    before = x.clone()
    out = trigger(x)
    require(
        torch.equal(x, before),
        "a trigger must leave its input alone",
        "a changed input",
        "Start the trigger with x = x.clone().",
    )
    got = (tuple(out.shape), out.dtype) if isinstance(out, Tensor) else out
    rule = f"a trigger must keep shape {tuple(x.shape)} and type {x.dtype}"
    require(got == (tuple(x.shape), x.dtype), rule, got, "Return a changed copy of the input.")
    low, high = (bound.item() for bound in out.aminmax())
    require(
        low >= 0 and high <= 1,
        "a trigger must keep images in [0, 1]",
        (low, high),
        "End the trigger with .clamp(0, 1).",
    )
    return out
