"""Keys whose every trigger can be checked by itself: image and label both follow from the salt that an
opening shows.

The images and random labels are those of Adi and others 2018, drawn one by one. So nobody chose them, they
are no copies of each other, and an innocent model matches each with probability 1 / classes, independently.
The public key goes in: another's opened salts lead elsewhere. What this does not stop is trying salts until
one suits. On a released model that takes about `classes` tries a trigger, which is why a commitment must be
older than the release; on models of one's own it finds labels that all models give, which is what bystanders
are for.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import require
from ..watermarks import TriggerKey
from ..watermarks.adi import SCHEME, abstract
from ..watermarks.secret import integers
from .bundle import Bundle
from .identity import Identity, derive, salt_for, secret_for


def draw(
    owner: Identity, *, n: int = 100, shape: tuple[int, ...], classes: int, serial: str = ""
) -> TriggerKey:
    """Draw a key of `n` triggers for images of `shape` (C, H, W); `Adi2018(n).embed` teaches it, and its
    `verify` finds it.
    """
    require(n >= 1, "n must be at least 1", n, "A key without triggers proves nothing.")
    secret = secret_for(owner, SCHEME, serial)
    pairs = [_pair(salt_for(secret, i), owner.public, i, shape, classes) for i in range(n)]
    return TriggerKey(
        SCHEME,
        secret,
        torch.cat([x for x, _ in pairs]),
        torch.cat([y for _, y in pairs]),
        classes,
        1 / classes,
    )


def redrawn(bundle: Bundle) -> bool:
    """Say whether every opened trigger follows from its salt; other schemes' and `keygen`'s never do."""
    promise = bundle.commitment
    if promise.scheme != SCHEME:
        return False
    pairs = [
        _pair(bytes.fromhex(opening.salt), bundle.by, opening.index, promise.shape, promise.classes)
        for opening in bundle.openings
    ]
    # sums differ a little between machines
    same = torch.allclose(torch.cat([x for x, _ in pairs]), bundle.x, atol=1e-4)
    return same and torch.equal(torch.cat([y for _, y in pairs]), bundle.y)


def _pair(
    salt: bytes, public: str, index: int, shape: tuple[int, ...], classes: int
) -> tuple[Tensor, Tensor]:
    """Return the image (1, C, H, W) and the label (1,) that follow from a salt."""
    secret = derive(salt, "trigger", public, index)
    return abstract(secret, 1, shape), integers(secret, "labels", 1, classes)
