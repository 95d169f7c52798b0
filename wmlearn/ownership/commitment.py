"""A promise before release: the owner publishes one hash, and can't change a trigger or a label after that.

Y. Adi and others, USENIX Security 2018, arXiv:1802.04633, section 3: KeyGen commits to each trigger and each
label. Differs: one Merkle root in place of a commitment for each value, so that a claim opens a few and the
others stay secret.

A commitment proves that its owner knew the triggers when it was registered. It does not prove that they are
in any model, nor that they were drawn at random, nor that innocent models do not match them: the judge
measures that (`verify`).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ..errors import require
from ..watermarks import BlackmarksKey, TriggerKey
from . import merkle
from .documents import check_hex, moment, now, signed
from .identity import Identity, salt_for, secret_for

LARGEST = 10_000  # triggers in one key


@dataclass(frozen=True)
class Commitment:
    """The public half of a key: `n` pairs of an image of `shape` (C, H, W) and one of `classes` labels, under
    the hash `root`.

    `chance` is the owner's word for how often an innocent model gives such a label; `verify` never goes below
    it, and measures.
    """

    by: str
    scheme: str
    serial: str
    root: str
    n: int
    shape: tuple[int, ...]
    classes: int
    chance: float
    made: str
    signature: str = ""

    def __post_init__(self) -> None:
        check_hex(64, by=self.by, root=self.root)
        require(1 <= self.n <= LARGEST, f"a commitment must be to 1..{LARGEST:,} triggers", self.n)
        require(
            len(self.shape) == 3 and min(self.shape) > 0, "images must have a shape (C, H, W)", self.shape
        )
        require(self.classes >= 2, "there must be at least 2 classes", self.classes)
        require(0 < self.chance < 1, "chance must lie strictly between 0 and 1", self.chance)
        moment(self.made)


def commit(
    owner: Identity, key: TriggerKey | BlackmarksKey, *, serial: str = "", made: str | None = None
) -> Commitment:
    """Commit to all triggers and labels of a key that was drawn with `secret_for(owner, key.scheme, serial)`.

    Raises `ArgumentError` for a key of another secret, or of a scheme without images: Uchida's bits lie in
    the weights.
    """
    pairs = pairs_of(key)
    fix = f'Draw it with keygen(…, secret=ownership.secret_for(owner, "{pairs.scheme}", serial)).'
    require(
        pairs.secret == secret_for(owner, pairs.scheme, serial),
        f"the key must follow from the secret of {owner.name} for the serial {serial!r}",
        "a key of another secret",
        fix,
    )
    promise = Commitment(
        by=owner.public,
        scheme=pairs.scheme,
        serial=serial,
        root=tree(pairs)[-1][0].hex(),
        n=len(pairs),
        shape=tuple(pairs.x.shape[1:]),
        classes=pairs.classes,
        chance=pairs.chance or 1 / pairs.classes,
        made=made or now(),
    )
    return signed(promise, owner)


def pairs_of(key: TriggerKey | BlackmarksKey) -> TriggerKey:
    """Return the trigger-label pairs of a key; a group of Blackmarks is claimed by the class that was taught,
    which is harder to match.
    """
    pairs = key.triggers if isinstance(key, BlackmarksKey) else key
    require(
        isinstance(pairs, TriggerKey),
        "a commitment needs a key of images and labels",
        type(key).__name__,
        "Take a scheme of labels.",
    )
    return pairs


def tree(key: TriggerKey) -> list[list[bytes]]:
    """Hash every pair of the key, from the leaves to the root."""
    images = key.x.cpu()  # (n, C, H, W)
    labels = key.y.tolist()
    contents = [content(salt_for(key.secret, i), i, raw(images[i]), labels[i]) for i in range(len(key))]
    return merkle.levels([merkle.leaf(part) for part in contents])


def content(salt: bytes, index: int, image: bytes, label: int) -> bytes:
    """Return what a leaf hides; all but the image have a fixed length, so no two pairs read alike."""
    return salt + index.to_bytes(8, "big") + label.to_bytes(8, "big") + image


def raw(image: Tensor) -> bytes:
    """Return an image's pixels as little-endian float32."""
    return image.contiguous().numpy().astype("<f4").tobytes()
