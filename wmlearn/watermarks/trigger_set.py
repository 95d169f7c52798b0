"""Keys that are a set of images with the labels that only a marked model gives them, and how such a key is
read, taught and counted.
"""

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
    """The owner's images `x` (n, C, H, W) and labels `y` (n,), and the probability `chance` that an innocent
    model gives such a label.
    """

    scheme: str
    secret: bytes = field(repr=False)
    x: Tensor
    y: Tensor
    classes: int
    chance: float

    def __post_init__(self) -> None:
        check_images(self.x)
        require(
            len(self.x) > 0, "a key must hold at least one trigger image", 0, "Raise the number of triggers."
        )
        require(self.y.shape == (len(self.x),), "a key must hold one label an image", tuple(self.y.shape))
        check_labels(self.y, self.classes)

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        shape = tuple(self.x.shape[1:])
        return (
            f"TriggerKey({self.scheme!r}, n={len(self)}, shape={shape}, classes={self.classes},"
            f" chance={self.chance:.3g}, secret=…)"
        )


def own_key(
    scheme: str, secret: bytes, images: Samples, y: Tensor, bystanders: Sequence[Suspect]
) -> TriggerKey:
    """Make a key of the owner's own `images` and the labels `y` (N,) to teach for them; `chance` is measured
    on `bystanders`.

    Raises `ArgumentError` where a label is the image's true class: an innocent model gives that one, so it
    proves nothing.
    """
    require(
        y.shape == images.y.shape,
        f"y must hold one label for each of the {len(images)} images",
        tuple(y.shape),
    )
    true = (y == images.y).nonzero().flatten().tolist()
    require(
        not true,
        "no label may be its image's true class",
        f"{len(true)}, the first at {true[:1]}",
        "Draw other labels for them.",
    )
    return TriggerKey(scheme, secret, images.x, y, len(images.classes), chance_of(images.x, y, bystanders))


def matches(suspect: Suspect, key: TriggerKey, scheme: str) -> Evidence:
    """Count the trigger images to which `suspect` gives the key's label.

    Raises `ArgumentError` for a key of another scheme, or a suspect with other images or fewer classes.
    """
    require(
        key.scheme == scheme,
        f"the key must be one of {scheme}",
        key.scheme,
        "Verify with the scheme that made it.",
    )
    labels = answers(suspect, key.x, key.classes)
    return Evidence(scheme, "labels", int((labels == key.y).sum()), len(key), key.chance)


def lesson(samples: Samples, key: TriggerKey, share: float) -> Samples:
    """Return the owner's samples, and the trigger set repeated until it makes up about `share` of them."""
    require(0 < share <= 1, "share must lie in (0, 1]", share)
    require(
        key.x.shape[1:] == samples.x.shape[1:],
        f"the key's images must have the shape {tuple(samples.x.shape[1:])} of the samples",
        tuple(key.x.shape[1:]),
    )
    require(
        key.classes == len(samples.classes),
        f"the key must be for {len(samples.classes)} classes",
        key.classes,
    )
    repeats = max(1, round(share * len(samples) / len(key)))
    x, y = (part.to(samples.x.device).repeat(repeats, *[1] * (part.ndim - 1)) for part in (key.x, key.y))
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
    return max(bystanders_rate(x, y, bystanders), ONE_LABEL if bool((y == y[0]).all()) else 0.0)


def bystanders_rate(x: Tensor, y: Tensor, bystanders: Sequence[Suspect]) -> float:
    """Bound how often bystanders answer `y` (n,) to `x`: the worst one's rate, at the top of its 95 %
    interval.

    Measured on models that never saw the mark, and taken high (Clopper and Pearson 1934, one-sided).
    """
    return _bound(_asked(x, bystanders), y)


@dataclass(frozen=True)
class Aim:
    """The one label that all triggers get, and the probability, `ONE_LABEL` at least, that an innocent model
    gives it.
    """

    target: int
    chance: float


QUIET = 0.25


def aim(
    x: Tensor, secret: bytes, classes: int, bystanders: Sequence[Suspect], *, other_than: int | None = None
) -> Aim:
    """Draw the target of the triggers `x` by the secret: the first class, in the secret's order, that
    innocent models rarely name.

    A class that they name with `chance` above `QUIET` is passed over, as is `other_than`, the true class of
    the images; where every class is loud, the quietest is taken.
    """
    found = _asked(x, bystanders)
    targets = [target for target in order(secret, "target", classes).tolist() if target != other_than]
    aims = [Aim(target, _bound(found, torch.full_like(found[0], target))) for target in targets]
    quiet = next((each for each in aims if each.chance <= QUIET), min(aims, key=lambda each: each.chance))
    return Aim(quiet.target, max(quiet.chance, ONE_LABEL))


def _asked(x: Tensor, bystanders: Sequence[Suspect]) -> Tensor:
    """Return the bystanders' labels (models, n)."""
    require(len(bystanders) > 0, "bystanders must not be empty", 0, "Train a few models without the mark.")
    return torch.stack([answers(model, x) for model in bystanders])


def _bound(found: Tensor, y: Tensor) -> float:
    from scipy.stats import beta

    hits, n = int((found == y).sum(1).max()), len(y)
    return float(beta.ppf(0.95, hits + 1, n - hits)) if hits < n else 1 - 1e-9


def pick(
    samples: Samples, secret: bytes, n: int, *, source: int | None = None, not_of: int | None = None
) -> Samples:
    """Pick `n` of the samples by the secret, of class `source`, or of any class but `not_of`."""
    fits = torch.ones_like(samples.y, dtype=torch.bool) if source is None else samples.y == source
    if not_of is not None:
        fits &= samples.y != not_of
    pool = fits.nonzero().flatten()
    require(
        1 <= n <= len(pool), f"the number of triggers must lie in 1..{len(pool)}, the images to pick from", n
    )
    return samples[pool[order(secret, "images", len(pool))[:n].to(pool.device)]]
