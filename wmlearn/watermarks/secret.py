"""Everything random in a key comes from one secret, so that whoever holds the secret can draw the key again,
bit for bit.

The draws are SHAKE-256 of the secret and a purpose: the same on every machine and for every version of every
library, and nobody can search the seeds of a random generator for the one that was used.
"""

from __future__ import annotations

import hashlib
import math
import secrets

import numpy as np
import torch
from torch import Tensor

from ..errors import require

MIN_BYTES = 16


def new_secret() -> bytes:
    """Draw 32 secret bytes from the operating system."""
    return secrets.token_bytes(32)


def secret_of(seed: int, secret: bytes | None) -> bytes:
    """Return `secret`, or one derived from `seed`, which is none: in lessons, all should see the same."""
    if secret is None:
        return hashlib.sha256(f"wmlearn lesson {seed}".encode()).digest()
    fix = "Draw one with wm.watermarks.new_secret()."
    good = isinstance(secret, bytes) and len(secret) >= MIN_BYTES
    shown = type(secret).__name__  # never its value
    require(good, f"secret must be at least {MIN_BYTES} bytes", shown, fix)
    return secret


def uniform(secret: bytes, purpose: str, *shape: int) -> Tensor:
    """Draw float32 numbers in [0, 1)."""
    bits = _words(secret, purpose, math.prod(shape)) >> np.uint64(40)  # the 24 that a float32 holds
    return torch.from_numpy(bits.astype(np.float32) / 2**24).reshape(shape)


def normal(secret: bytes, purpose: str, *shape: int) -> Tensor:
    """Draw float32 numbers from the standard normal distribution."""
    bits = _words(secret, purpose, math.prod(shape)) >> np.uint64(11)  # the 53 that a float64 holds
    between = bits.astype(np.float64) / 2**53 + 2.0**-54  # in (0, 1), and never an end of it
    return torch.special.ndtri(torch.from_numpy(between)).float().reshape(shape)


def integers(secret: bytes, purpose: str, n: int, below: int) -> Tensor:
    """Draw `n` int64 numbers in 0..below-1; the bias is under below / 2^64.

    Raises `ArgumentError` for a number that int64 has no room for.
    """
    require(1 <= below < 2**63, "below must lie in 1..2^63 - 1", str(below)[:40])
    return torch.from_numpy((_words(secret, purpose, n) % np.uint64(below)).astype(np.int64))


def order(secret: bytes, purpose: str, n: int) -> Tensor:
    """Draw a permutation of 0..n-1, (n,) int64."""
    return torch.from_numpy(np.argsort(_words(secret, purpose, n), kind="stable"))


def _words(secret: bytes, purpose: str, n: int) -> np.ndarray:
    """Expand the secret for one purpose to `n` uint64."""
    # the length goes first, so that no two pairs of secret and purpose read alike
    stream = hashlib.shake_256(len(secret).to_bytes(4, "big") + secret + purpose.encode()).digest(8 * n)
    return np.frombuffer(stream, dtype="<u8")
