"""Keys that are images with labels that only a marked model gives them: how they are taught and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..data import Samples, check_images, check_labels
from ..errors import require
from ..evidence import Evidence, Suspect, answers
from .secret import order


@dataclass(frozen=True, eq=False)
class TriggerKey:
    """The owner's images, and the labels that only a marked model gives them."""

    scheme: str
    secret: bytes = field(repr=False)
    x: Tensor  # (n, C, H, W)
    y: Tensor  # (n,)
    classes: int
    chance: float  # that an innocent model gives such a label

    def __post_init__(self) -> None:
        check_images(self.x)
        fix = "Raise the number of triggers."
        require(len(self.x) > 0, "a key must hold at least one trigger image", 0, fix)
        require(self.y.shape == (len(self.x),), "a key must hold one label an image", tuple(self.y.shape))
        check_labels(self.y, self.classes)

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        size = f"n={len(self)}, shape={tuple(self.x.shape[1:])}, classes={self.classes}"
        return f"TriggerKey({self.scheme!r}, {size}, chance={self.chance:.3g}, secret=…)"


def own_key(
    scheme: str, secret: bytes, images: Samples, y: Tensor, bystanders: Sequence[Suspect]
) -> TriggerKey:
    """Make a key of the owner's own `images` and the labels `y` (N,) to teach for them.

    `chance` is measured on `bystanders`. Raises `ArgumentError` where a label is the image's true class: an
    innocent model gives that one, so it proves nothing.
    """
    rule = f"y must hold one label for each of the {len(images)} images"
    require(y.shape == images.y.shape, rule, tuple(y.shape))
    true = (y == images.y).nonzero().flatten().tolist()
    got = f"{len(true)}, the first at {true[:1]}"
    require(not true, "no label may be its image's true class", got, "Draw other labels for them.")
    return TriggerKey(scheme, secret, images.x, y, len(images.classes), chance_of(images.x, y, bystanders))


def matches(suspect: Suspect, key: TriggerKey, scheme: str) -> Evidence:
    """Count the trigger images to which `suspect` gives the key's label.

    Raises `ArgumentError` for a key of another scheme, or a suspect with other images or fewer classes.
    """
    fix = "Verify with the scheme that made it."
    require(key.scheme == scheme, f"the key must be one of {scheme}", key.scheme, fix)
    labels = answers(suspect, key.x, key.classes)
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
    x = key.x.to(device).repeat(repeats, 1, 1, 1)
    y = key.y.to(device).repeat(repeats)
    return samples + Samples(x, y, samples.classes)


ONE_LABEL = 0.5
"""The least `chance` of triggers that all share one label. They are no independent trials: where one letter W
looks like a 4 to a network, most do. Eight bystanders don't show that network: over thousands of pairs of a
key and a network that never saw it (`wmlearn reproduce false-claims`, `watermarks`), the worst gave the label
to half of the triggers.
"""


def chance_of(x: Tensor, y: Tensor, bystanders: Sequence[Suspect]) -> float:
    """Return the probability that a judge may assume for an innocent model to answer `y` (n,) to `x`:
    `bystanders_rate`, but never below `ONE_LABEL` where all labels are one target.
    """
    least = ONE_LABEL if bool((y == y[0]).all()) else 0.0
    return max(bystanders_rate(x, y, bystanders), least)


def bystanders_rate(x: Tensor, y: Tensor, bystanders: Sequence[Suspect]) -> float:
    """Bound how often bystanders answer `y` (n,) to `x`: the worst one's rate, at the top of its 95 %
    interval.

    Measured on models that never saw the mark, and taken high (Clopper and Pearson 1934, one-sided).
    """
    return _bound(_labels(x, bystanders), y)


@dataclass(frozen=True)
class Aim:
    """The one label that all triggers get, and how often an innocent model gives it."""

    target: int
    chance: float  # a probability, `ONE_LABEL` at least


QUIET = 0.25  # innocent models name such a class rarely enough


def aim(
    x: Tensor, secret: bytes, classes: int, bystanders: Sequence[Suspect], *, other_than: int | None = None
) -> Aim:
    """Draw the target of the triggers `x` (n, C, H, W): the first class, in the secret's order, that innocent
    models rarely name.

    A class that they name with `chance` above `QUIET` is passed over, as is `other_than`, the true class of
    the images; where every class is loud, the quietest is taken.
    """
    labels = _labels(x, bystanders)  # (models, n)
    targets = [target for target in order(secret, "target", classes).tolist() if target != other_than]
    aims = [Aim(target, _bound(labels, torch.full_like(labels[0], target))) for target in targets]
    quietest = min(aims, key=lambda goal: goal.chance)
    goal = next((goal for goal in aims if goal.chance <= QUIET), quietest)
    return Aim(goal.target, max(goal.chance, ONE_LABEL))


def _labels(x: Tensor, bystanders: Sequence[Suspect]) -> Tensor:
    """Ask the bystanders for their labels, (models, n)."""
    require(len(bystanders) > 0, "bystanders must not be empty", 0, "Train a few models without the mark.")
    return torch.stack([answers(model, x) for model in bystanders])


def _bound(labels: Tensor, y: Tensor) -> float:
    """Return the top of the 95 % interval of the worst bystander's rate, from `labels` (models, n)."""
    from scipy.stats import beta

    hits = int((labels == y).sum(1).max())
    n = len(y)
    if hits == n:
        return 1 - 1e-9  # the interval ends at 1, which no evidence could ever beat
    return float(beta.ppf(0.95, hits + 1, n - hits))


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
