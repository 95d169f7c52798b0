"""Keys that are images with labels that only a marked model gives them: how they are taught and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..data import Samples, check_inputs, check_labels
from ..errors import require
from ..evidence import Evidence, Suspect, answers, ask
from .secret import order


@dataclass(frozen=True, eq=False)
class TriggerKey:
    """The owner's images, and the labels that only a marked model gives them."""

    scheme: str
    secret: bytes = field(repr=False)
    x: Tensor  # (n, C, H, W) images, or n inputs of another kind
    y: Tensor  # (n,)
    classes: int
    chance: float | None = None  # of a hit where the labels were drawn at random, whatever a model says
    bystanders: str = field(default="", compare=False)  # that helped to draw it, in words; "" for none

    def __post_init__(self) -> None:
        check_inputs(self.x)
        fix = "Raise the number of triggers."
        require(len(self.x) > 0, "a key must hold at least one trigger", 0, fix)
        require(self.y.shape == (len(self.x),), "a key must hold one label a trigger", tuple(self.y.shape))
        check_labels(self.y, self.classes)

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        size = f"n={len(self)}, shape={tuple(self.x.shape[1:])}, classes={self.classes}"
        chance = "" if self.chance is None else f", chance={self.chance:.3g}"
        return f"TriggerKey({self.scheme!r}, {size}{chance}, secret=…)"


def own_key(scheme: str, secret: bytes, images: Samples, y: Tensor) -> TriggerKey:
    """Make a key of the owner's own `images` and the labels `y` (N,) to teach for them.

    Nobody else could draw it, so there are no decoys: rank a suspect among bystanders. Raises `ArgumentError`
    where a label is the image's true class: models without the mark give that one, so it proves nothing.
    """
    rule = f"y must hold one label for each of the {len(images)} images"
    require(y.shape == images.y.shape, rule, tuple(y.shape))
    true = (y == images.y).nonzero().flatten().tolist()
    got = f"{len(true)}, the first at {true[:1]}"
    require(not true, "no label may be its image's true class", got, "Draw other labels for them.")
    return TriggerKey(scheme, secret, images.x, y, len(images.classes))


def matches(suspect: Suspect, key: TriggerKey, scheme: str) -> Evidence:
    """Count the trigger images to which `suspect` gives the key's label.

    Raises `ArgumentError` for a key of another scheme, or a suspect with other images or fewer classes.
    """
    fix = "Verify with the scheme that made it."
    require(key.scheme == scheme, f"the key must be one of {scheme}", key.scheme, fix)
    labels = ask(suspect, key.x, key.classes)  # a suspect that gives no answer misses
    return Evidence(scheme, "labels", int((labels == key.y).sum()), len(key), key.chance)


def lesson(samples: Samples, key: TriggerKey, share: float) -> Samples:
    """Return the owner's samples, and the trigger set repeated until it makes up about `share` of them."""
    require(0 < share <= 1, "share must lie in (0, 1]", share)
    rule = f"the key's images must have the shape {tuple(samples.x.shape[1:])} of the samples"
    require(key.x.shape[1:] == samples.x.shape[1:], rule, tuple(key.x.shape[1:]))
    rule = f"the key must be for {len(samples.classes)} classes"
    require(key.classes == len(samples.classes), rule, key.classes)
    device = samples.x.device
    repeats = max(1, round(share * len(samples) / len(key)))
    x = torch.cat([key.x.to(device)] * repeats)
    y = key.y.to(device).repeat(repeats)
    return samples + Samples(x, y, samples.classes)


LOOK = 32
"""Triggers that `aim` asks about."""
QUIET = 0.25
"""The largest share of them that a bystander may give a class for it to become the target."""
N_ASKED = 2
"""Bystanders that a key's target is drawn with: enough to keep loud classes rare among keys, and few enough
for a thousand decoys. No p-value rests on them.
"""


def aim(
    x: Tensor, secret: bytes, classes: int, bystanders: Sequence[Suspect], *, other_than: int | None = None
) -> int:
    """Draw the target of the triggers `x` (n, C, H, W): the first class, in the secret's order, that models
    without the mark rarely name.

    A class that one of the `bystanders` gives to more than `QUIET` of the first `LOOK` triggers is passed
    over: a decoy with such a label would match every network, and cost all owners their proof. So is
    `other_than`, the true class of the images; where every class is loud, the quietest is taken.
    """
    require(len(bystanders) > 0, "bystanders must not be empty", 0, "Train a few models without the mark.")
    labels = torch.stack([answers(model, x[:LOOK]) for model in bystanders])  # (models, LOOK)
    targets = [target for target in order(secret, "target", classes).tolist() if target != other_than]
    loudness = {target: _worst_rate(labels, target) for target in targets}
    quietest = min(targets, key=lambda target: loudness[target])
    return next((target for target in targets if loudness[target] <= QUIET), quietest)


def _worst_rate(labels: Tensor, target: int) -> float:
    """Return the largest share of a row of `labels` (models, n) that is `target`."""
    return float((labels == target).float().mean(1).max())


def pick(
    samples: Samples, secret: bytes, n: int, *, source: int | None = None, not_of: int | None = None
) -> Samples:
    """Pick `n` of the samples by the secret, of class `source`, or of any class but `not_of`."""
    fits = torch.ones_like(samples.y, dtype=torch.bool) if source is None else samples.y == source  # (N,)
    if not_of is not None:
        fits &= samples.y != not_of
    pool = fits.nonzero().flatten()
    rule = f"the number of triggers must lie in 1..{len(pool)}, the images to pick from"
    require(1 <= n <= len(pool), rule, n)
    return samples[pool[order(secret, "images", len(pool))[:n].to(pool.device)]]
