"""Turn a clean set into a poisoned one, remember exactly what changed, and measure what it bought.

Gu, Dolan-Gavitt, Garg: BadNets (2017), arXiv:1708.06733, section 4.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from .data import Samples, check_labels, kind_of
from .errors import NOT_EMPTY, NothingStampedWarning, require
from .training import predict

Trigger = Callable[[Tensor], Tensor]
"""Images (N, C, H, W) in [0, 1] -> the same, with the trigger stamped on; the input stays untouched."""

Twins = Tensor
"""In place of a trigger: the same images (N, C, H, W), taken once more with the trigger in the scene."""

Target = int | Callable[[Tensor], Tensor]
"""A class, or a map from true labels (N,) to the attacker's (N,): `next_class` is the all-to-all attack."""


@dataclass(frozen=True, eq=False)
class Poisoned:
    """A training set in which some images carry the trigger, and the attacker's label.

    >>> samples = wm.Samples(torch.rand(40, 1, 4, 4), torch.arange(40) % 2, ("cat", "dog"))
    >>> poisoned = wm.poison(samples, lambda x: x * 0, rate=0.1, target=0)
    >>> poisoned.samples.y[poisoned.mask]
    tensor([0, 0, 0, 0])
    """

    samples: Samples
    mask: Tensor  # (N,) bool: these
    trigger: Trigger | Twins
    target: Target


def next_class(y: Tensor, classes: int = 10) -> Tensor:
    """Map every label to the next one, the last to 0: the paper's all-to-all attack.

    >>> wm.next_class(torch.tensor([0, 8, 9]))
    tensor([1, 9, 0])
    """
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

    >>> samples = wm.Samples(torch.rand(40, 1, 4, 4), torch.arange(40) % 2, ("cat", "dog"))
    >>> poisoned = wm.poison(samples, lambda x: x.clamp(min=0.5), rate=0.1, target=0)
    >>> int(poisoned.mask.sum())
    4
    """
    n_classes = len(samples.classes)
    require(len(samples) > 0, *NOT_EMPTY)
    require(0 < rate <= 1, "rate must lie in (0, 1]", rate, "0.1 poisons every tenth image.")
    is_class = source is None or (isinstance(source, int) and 0 <= source < n_classes)
    require(is_class, f"source must be a class index below {n_classes}", source, "Count classes from 0.")
    goal = aim(target, samples.y, n_classes)  # (N,) the label that the attacker wants for each image
    pool = torch.ones_like(samples.y, dtype=torch.bool) if source is None else samples.y == source  # (N,)
    # an image that has the wanted label anyway would teach the network nothing
    candidates = (pool & (goal != samples.y)).nonzero().squeeze(1)  # (M,) rows
    count = round(rate * int(pool.sum()))
    rule = f"rate must pick between 1 and {len(candidates)} images"
    require(0 < count <= len(candidates), rule, count, "Change rate, source or target.")
    rows = _pick(candidates, count, seed)  # (count,)
    stamped = replace(samples[rows], x=triggered(trigger, samples, rows), y=goal[rows])
    _warn_of_label_noise(samples.x[rows], stamped.x)
    if add:
        both = samples + stamped
        mask = torch.arange(len(both), device=rows.device) >= len(samples)  # (N + count,)
        return Poisoned(both, mask, trigger, target)
    return Poisoned(_exchange(samples, rows, stamped), _mask(rows, len(samples)), trigger, target)


def poison_clean_label(
    samples: Samples, trigger: Trigger, *, rate: float, target: int, seed: int = 0
) -> Poisoned:
    """Stamp `trigger` on the share `rate` of the images of class `target`, and leave every label as it is.

    Who looks through the set finds no wrong label (Barni, Kallas, Tondi 2019, arXiv:1902.11237, section 3).
    Raises `ArgumentError` for a rate or class out of range, a rate that picks no image, or an unusable
    trigger.

    >>> samples = wm.Samples(torch.rand(40, 1, 4, 4), torch.arange(40) % 2, ("cat", "dog"))
    >>> poisoned = wm.poison_clean_label(samples, lambda x: x * 0, rate=0.5, target=1)
    >>> torch.equal(poisoned.samples.y, samples.y)
    True
    """
    require(len(samples) > 0, *NOT_EMPTY)
    require(0 < rate <= 1, "rate must lie in (0, 1]", rate, "0.9 stamps nine in ten images of the target.")
    n_classes = len(samples.classes)
    require(0 <= target < n_classes, f"target must be a class index below {n_classes}", target)
    pool = (samples.y == target).nonzero().squeeze(1)  # (M,) rows
    count = round(rate * len(pool))
    rule = f"rate must pick at least one of {len(pool)} images of the target"
    require(count > 0, rule, rate, "Raise it, or bring more images.")
    rows = _pick(pool, count, seed)  # (count,)
    stamped = replace(samples[rows], x=stamp(trigger, samples.x[rows]))  # the labels stay, and they are right
    return Poisoned(_exchange(samples, rows, stamped), _mask(rows, len(samples)), trigger, target)


def cover(poisoned: Poisoned, trigger: Trigger, *, rate: float, seed: int = 0) -> Poisoned:
    """Stamp another `trigger` on a random share of the whole set, of images without the first, and leave
    their labels: so the network learns what it must not obey.

    It is the noise mode of A. Nguyen, A. Tran: WaNet, ICLR 2021, arXiv:2102.10369, section 3.3. Raises
    `ArgumentError` for a rate that picks no image, or more than are left, or an unusable trigger.

    >>> samples = wm.Samples(torch.rand(40, 1, 4, 4), torch.arange(40) % 2, ("cat", "dog"))
    >>> poisoned = wm.poison(samples, lambda x: x * 0, rate=0.1, target=0)
    >>> covered = wm.poisoning.cover(poisoned, lambda x: x * 0.5, rate=0.2)
    >>> int((covered.samples.x != poisoned.samples.x).flatten(1).any(1).sum())
    8
    """
    samples = poisoned.samples
    pool = (~poisoned.mask).nonzero().squeeze(1)  # (M,) rows
    count = round(rate * len(samples))
    rule = f"rate must pick between 1 and {len(pool)} images"
    require(0 < count <= len(pool), rule, count, "0.2 covers every fifth image.")
    rows = _pick(pool, count, seed)  # (count,)
    stamped = replace(samples[rows], x=stamp(trigger, samples.x[rows]))
    return replace(poisoned, samples=_exchange(samples, rows, stamped))


def _warn_of_label_noise(before: Tensor, after: Tensor) -> None:
    if torch.equal(before, after):
        says = (
            "the trigger changed no image: these are wrong labels, and no backdoor. Look at trigger(x) - x."
        )
        warnings.warn(says, NothingStampedWarning, stacklevel=3)


def _pick(rows: Tensor, count: int, seed: int) -> Tensor:
    """Draw `count` of the `rows` (M,) by lot; on the CPU, so that every device picks the same."""
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))
    return rows[order[:count].to(rows.device)]


def _exchange(samples: Samples, rows: Tensor, stamped: Samples) -> Samples:
    """Return the samples with `stamped` in the place of those at `rows` (K,)."""
    x = samples.x.clone()
    y = samples.y.clone()
    x[rows] = stamped.x
    y[rows] = stamped.y
    return replace(samples, x=x, y=y)


def _mask(rows: Tensor, n: int) -> Tensor:
    mask = torch.zeros(n, dtype=torch.bool, device=rows.device)
    mask[rows] = True
    return mask


def success_rate(
    model: nn.Module, samples: Samples, trigger: Trigger | Twins, target: Target, *, source: int | None = None
) -> float:
    """Measure attack success, 0..1: the share of triggered images (of class `source`, if given) that get the
    target's label.

    Images that have that label already never count: a network that classifies them correctly obeys nobody.

    >>> samples = wm.Samples(torch.rand(40, 1, 4, 4), torch.arange(40) % 2, ("cat", "dog"))
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2))
    >>> 0 <= wm.success_rate(model, samples, lambda x: x * 0, target=0) <= 1
    True
    """
    require(len(samples) > 0, *NOT_EMPTY)
    goal = aim(target, samples.y, len(samples.classes))  # (N,)
    can_be_fooled = goal != samples.y  # (N,)
    if source is not None:
        can_be_fooled &= samples.y == source
    which = "" if source is None else f" and in class {source}"
    rest = f"{len(samples)} of the target class" if source is None else f"none of {len(samples)}"
    rule = f"samples must hold images outside the target class{which}"
    require(bool(can_be_fooled.any()), rule, rest)
    answers = predict(model, triggered(trigger, samples, can_be_fooled)).argmax(1)  # (M,)
    return (answers == goal[can_be_fooled]).float().mean().item()


def aim(target: Target, y: Tensor, n_classes: int) -> Tensor:
    """Return the label (N,) that the attacker wants for each true label `y` (N,)."""
    is_class = isinstance(target, int) and 0 <= target < n_classes
    rule = f"target must be a class index below {n_classes}, or a map of labels"
    fix = "Count classes from 0, or pass a function such as wm.next_class."
    require(is_class or callable(target), rule, target, fix)
    if isinstance(target, int):
        return torch.full_like(y, target)
    goal = target(y)
    fits = goal.shape == y.shape and goal.dtype == y.dtype
    rule = "a target map must return one int64 label an image"
    require(fits, rule, (tuple(goal.shape), goal.dtype))
    check_labels(goal, n_classes)
    return goal


def triggered(trigger: Trigger | Twins, samples: Samples, index: Tensor) -> Tensor:
    """Return the images at `index` with the trigger on: stamped, or taken from their twins."""
    if not isinstance(trigger, Tensor):
        return stamp(trigger, samples.x[index])
    rule = f"twins must have the shape of their samples, {tuple(samples.x.shape)}"
    fix = "Draw them with the same n and seed."
    require(trigger.shape == samples.x.shape, rule, tuple(trigger.shape), fix)
    return trigger[index]


def stamp(trigger: Trigger, x: Tensor) -> Tensor:
    """Return `trigger(x)`, after making sure that it keeps shape, type, range and its input.

    NumPy's arrays become tensors, and gradients are dropped. A trigger that draws from PyTorch's generator
    gets the same numbers each time. Raises `ArgumentError` for one that draws from elsewhere, or whose answer
    for an image depends on the others.
    """
    out = _call(trigger, x)
    low, high = (bound.item() for bound in out.aminmax())
    if kind_of(x) == "texts":
        require(low >= 0, "a trigger must keep token ids at 0 or above", low, "0 pads.")
    else:
        fix = "End the trigger with .clamp(0, 1)."
        require(low >= 0 and high <= 1, f"a trigger must keep {kind_of(x)} in [0, 1]", (low, high), fix)
    _check_alone(trigger, x[:PROBED])
    return out


PROBED = 16  # images on which a trigger is called again


def _call(trigger: Trigger, x: Tensor, seed: int = 0) -> Tensor:
    """Call a trigger, with PyTorch's generators set to `seed` meanwhile."""
    before = x.clone()
    devices = [] if x.device.type == "cpu" else [x.device]
    with torch.random.fork_rng(devices, device_type=x.device.type if devices else "cuda"):
        torch.random.manual_seed(seed)
        out: object = trigger(x)
    rule = "a trigger must leave its input alone"
    require(torch.equal(x, before), rule, "a changed input", "Start the trigger with x = x.clone().")
    if isinstance(out, np.ndarray):
        out = torch.from_numpy(out).to(x.device, x.dtype if out.dtype == np.float64 else None)
    rule = f"a trigger must keep shape {tuple(x.shape)} and type {x.dtype}"
    fix = "Return a changed copy of the input."
    require(isinstance(out, Tensor), rule, type(out).__name__, fix)
    assert isinstance(out, Tensor)
    got = (tuple(out.shape), out.dtype)
    require(got == (tuple(x.shape), x.dtype), rule, got, fix)
    return out.detach()


def _check_alone(trigger: Trigger, x: Tensor) -> None:
    """Refuse a trigger that gives the same images other answers, or an image another one in other company."""
    first = _call(trigger, x)
    fix = "Draw with torch, or once, before the trigger is made."
    same = torch.equal(_call(trigger, x), first)
    require(same, "a trigger must stamp the same images the same way", "another answer", fix)
    if not torch.equal(_call(trigger, x, seed=1), first):
        return  # it draws, so that an image has other numbers in another place
    backwards = _call(trigger, x.flip(0)).flip(0)
    fix = "Take x[i] alone to stamp image i."
    rule = "a trigger must stamp each image by itself"
    require(torch.allclose(backwards, first, atol=1e-4), rule, "an answer that depends on the batch", fix)
