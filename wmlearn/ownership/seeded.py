"""What a seed means: image and label both follow from the owner's seed and the keeper's nonce, one by one.

The images and random labels are those of Adi and others 2018. The seed was fixed before the nonce, and the
nonce after the seed: so nobody chose an image or a label, none are copies of each other, and a network that
never met the key gives each label with probability 1 / classes, independently, whatever it answers. Public
key and place go in: another's opened seeds lead elsewhere, and one seed many times to many triggers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import require
from ..watermarks import TriggerKey
from ..watermarks.adi import abstract_each
from ..watermarks.secret import integers_each
from .commitment import Commitment, leaves, seeds
from .documents import parse
from .identity import Identity, secret_for
from .merkle import root
from .registry import Receipt, broken

AT_ONCE = 256  # images in memory while waves are summed


@dataclass(frozen=True, eq=False)
class Pairs:
    """Images `x` (n, C, H, W) and the labels `y` (n,) that only a marked model gives them."""

    x: Tensor
    y: Tensor


def draw(owner: Identity, receipt: Receipt) -> TriggerKey:
    """Draw the key of the promise that `receipt` is for: `Adi2018(n).embed` teaches it, its `verify` finds
    it.

    Raises `ArgumentError` for another's promise, or a receipt that its keeper didn't sign.
    """
    promise = promised(receipt)
    require(
        not broken(receipt, receipt.by),
        "a receipt must be whole",
        " and ".join(broken(receipt, receipt.by)),
        "Ask the keeper of the book for another.",
    )
    own_seeds = opened_by(owner, promise)
    nonce = receipt.entry.nonce
    pairs = pairs_of(promise, [trigger(promise.by, nonce, i, seed) for i, seed in enumerate(own_seeds)])
    secret = secret_for(owner, promise.scheme, promise.serial)
    return TriggerKey(promise.scheme, secret, pairs.x, pairs.y, promise.classes, promise.chance)


def promised(receipt: Receipt) -> Commitment:
    """Read the commitment in a receipt; raise `DataError` where there is none."""
    return parse(receipt.entry.document, Commitment)


def opened_by(owner: Identity, promise: Commitment) -> list[bytes]:
    """Return the seeds of a promise; raise `ArgumentError` where they aren't those of `owner`."""
    own_seeds = seeds(owner, promise.scheme, promise.serial, promise.n)
    fits = promise.by == owner.public and root(leaves(owner.public, own_seeds)).hex() == promise.root
    require(fits, f"the promise must be one of {owner.name}", f"one of {promise.by[:12]}…")
    return own_seeds


def trigger(public: str, nonce: str, index: int, seed: bytes) -> bytes:
    """Return the 32 bytes from which trigger number `index` is drawn: by owner, keeper's nonce and seed."""
    place = bytes.fromhex(public) + index.to_bytes(8, "big")
    return hashlib.sha256(b"wmlearn trigger 2\0" + place + bytes.fromhex(nonce) + seed).digest()


def decoy(secret: bytes, key: int, index: int) -> bytes:
    """Return the 32 bytes from which trigger `index` of the judge's decoy `key` is drawn."""
    place = key.to_bytes(8, "big") + index.to_bytes(8, "big")
    return hashlib.sha256(b"wmlearn decoy 2\0" + place + secret).digest()


def pairs_of(promise: Commitment, triggers: Sequence[bytes]) -> Pairs:
    """Draw image and label of each of the `triggers` (n,), by the promise's recipe."""
    parts = [triggers[start : start + AT_ONCE] for start in range(0, len(triggers), AT_ONCE)]
    x = torch.cat([abstract_each(part, promise.shape) for part in parts])
    return Pairs(x, integers_each(triggers, "label", promise.classes))
