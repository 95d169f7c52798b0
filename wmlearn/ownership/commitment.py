"""A promise before release, in two steps: the owner binds himself to secret seeds, and the keeper of the book
answers with a nonce that nobody could foresee. Triggers and labels follow from both.

Y. Adi and others, USENIX Security 2018, arXiv:1802.04633, section 3: KeyGen commits to each trigger and each
label. Differs: the commitment is to seeds, under one Merkle root, so that a claim opens a few and the others
stay secret; and what a seed means is decided afterwards, by the nonce, so that nobody can try seeds until
their labels suit some network. A leaf names its owner: another's root is of no use.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import require
from . import merkle
from .documents import check_hex, moment, now, signed
from .identity import Identity, salt_for, secret_for

LARGEST = 10_000  # triggers in one key
MOST_CLASSES = 100_000
MOST_NUMBERS = 1 << 20  # in one image
RECIPES = ("adi2018",)
"""Schemes whose triggers and labels can be drawn, one by one, from seeds and a nonce."""

_ONE_LABEL = "all its triggers share one label, so that no labels are left to be drawn after the promise"
_FROM_NETWORK = (
    "its triggers or labels follow from a trained network, which its owner can choose until it suits"
)
REFUSED = {
    "zhang2018-content": _ONE_LABEL,
    "zhang2018-unrelated": _ONE_LABEL,
    "zhang2018-noise": _ONE_LABEL,
    "gu2017-patch": _ONE_LABEL,
    "jia2021-ewe": _ONE_LABEL,
    "szyller2021-dawn": _FROM_NETWORK,
    "chen2019-blackmarks": _FROM_NETWORK,
    "lemerrer2019": _FROM_NETWORK,
    "uchida2017": "its bits lie in the weights, and this court asks for labels",
}
"""Why other schemes can't be promised."""


@dataclass(frozen=True)
class Commitment:
    """The public half of a promise: `n` seeds under the hash `root`, and the recipe by which each becomes an
    image of `shape` (C, H, W) and one of `classes` labels.
    """

    by: str
    scheme: str
    serial: str
    root: str
    n: int
    shape: tuple[int, ...]
    classes: int
    made: str
    signature: str = ""

    def __post_init__(self) -> None:
        check_hex(64, by=self.by, root=self.root)
        why = REFUSED.get(self.scheme, "this court does not know how to draw its triggers")
        fix = f"Promise a key of {', '.join(RECIPES)}."
        require(self.scheme in RECIPES, f"a scheme must be one that can be drawn: {why}", self.scheme, fix)
        require(1 <= self.n <= LARGEST, f"a commitment must be to 1..{LARGEST:,} triggers", self.n)
        is_shape = len(self.shape) == 3 and min(self.shape) > 0 and math.prod(self.shape) <= MOST_NUMBERS
        require(is_shape, f"images must have a shape (C, H, W) of {MOST_NUMBERS:,} at most", self.shape)
        few = 2 <= self.classes <= MOST_CLASSES
        require(few, f"there must be 2..{MOST_CLASSES:,} classes", self.classes)
        moment(self.made)

    @property
    def chance(self) -> float:
        """The probability with which a label that was drawn at random is any model's answer."""
        return 1 / self.classes


def commit(
    owner: Identity,
    *,
    n: int = 100,
    shape: tuple[int, ...],
    classes: int,
    scheme: str = "adi2018",
    serial: str = "",
    made: str | None = None,
) -> Commitment:
    """Commit to `n` seeds for images of `shape` (C, H, W); `serial` tells an owner's promises apart.

    Register it, and `draw` the key with the receipt. Raises `ArgumentError` for a scheme that can't be drawn,
    and for inputs that are no images: nobody but the owner could say how those are drawn.
    """
    require(1 <= n <= LARGEST, f"n must lie in 1..{LARGEST:,}", n, "A key without triggers proves nothing.")
    rule = "a promised key must be of images (C, H, W)"
    fix = "Its waves would be of about one hertz, which no network for sounds hears."
    require(tuple(shape[:2]) != (1, 1) or shape[-1] == 1, rule, f"sounds {tuple(shape)}", fix)
    tree = merkle.levels(leaves(owner.public, seeds(owner, scheme, serial, n)))
    promise = Commitment(
        by=owner.public,
        scheme=scheme,
        serial=serial,
        root=tree[-1][0].hex(),
        n=n,
        shape=tuple(shape),
        classes=classes,
        made=made or now(),
    )
    return signed(promise, owner)


def seeds(owner: Identity, scheme: str, serial: str, n: int) -> list[bytes]:
    """Return the owner's secret seeds: they follow from his secret, and are no secret of their own to
    lose.
    """
    secret = secret_for(owner, scheme, serial)
    return [salt_for(secret, index) for index in range(n)]


def leaves(public: str, seeds: Sequence[bytes]) -> list[bytes]:
    """Hash every seed with its place and its owner: the lowest row of the tree, (n,) of 32 bytes."""
    return [merkle.leaf(content(public, index, seed)) for index, seed in enumerate(seeds)]


def content(public: str, index: int, seed: bytes) -> bytes:
    """Return what a leaf hides; every part has a fixed length, so no two read alike."""
    return bytes.fromhex(public) + index.to_bytes(8, "big") + seed
