"""How a truth is kept until all have ruled: a hash that everybody gets, an opening that the referee releases,
and, in class, an envelope under the teacher's key.

A seal binds: nobody can change a truth that is sealed. It hides, because 16 random bytes are hashed along. An
envelope is AES-256 in Galois/counter mode (NIST SP 800-38D), and always as long as any other.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..data import strict_json
from ..errors import DataError, require
from ..ownership.documents import canonical
from .dealing import STORIES, Truth

N_SALT = 16
N_KEY = 32
N_NONCE = 12
SIZE = 4_096
"""Bytes in an envelope before it is sealed, filled up with blanks."""
LABEL = b"wmlearn court 1"


@dataclass(frozen=True)
class Opening:
    """A truth, and the salt without which its seal could be guessed."""

    truth: Truth
    salt: str

    @property
    def seal(self) -> str:
        """The hash of both: 64 hexadecimal digits."""
        return hashlib.sha256(canonical({**asdict(self.truth), "salt": self.salt})).hexdigest()


def opening(truth: Truth) -> Opening:
    """Draw a salt for a truth."""
    return Opening(truth, secrets.token_hex(N_SALT))


def check_seal(opening: Opening, seal: str) -> None:
    """Raise `DataError` where an opening isn't what was sealed."""
    if opening.seal != seal:
        number = opening.truth.number
        rule = f"the opening of case {number} must fit its seal, {seal[:12]}…"
        raise DataError(f"{rule}, got {opening.seal[:12]}…. Seal or opening was changed: ask the referee.")


def new_key() -> bytes:
    """Draw a teacher's key from the operating system."""
    return secrets.token_bytes(N_KEY)


def sealed(openings: Sequence[Opening], key: bytes) -> bytes:
    """Put openings into an envelope that only the `key` opens."""
    content = [{**asdict(each.truth), "salt": each.salt} for each in openings]
    plain = canonical(content)
    assert len(plain) <= SIZE
    nonce = os.urandom(N_NONCE)
    return nonce + AESGCM(_checked(key)).encrypt(nonce, plain.ljust(SIZE), LABEL)


def opened(envelope: bytes, key: bytes) -> tuple[Opening, ...]:
    """Take the openings out of an envelope; raise `DataError` for one that is damaged, or another's."""
    fix = "Take the key and the envelope that were written together."
    try:
        plain = AESGCM(_checked(key)).decrypt(envelope[:N_NONCE], envelope[N_NONCE:], LABEL)
    except (InvalidTag, ValueError) as error:
        raise DataError(f"the envelope must be whole, and under this key, got neither. {fix}") from error
    return tuple(_read(part) for part in strict_json.parsed(plain.rstrip()))


def _read(part: dict[str, object]) -> Opening:
    number, stolen = (part[name] for name in ("number", "stolen"))
    kind, salt = (str(part[name]) for name in ("kind", "salt"))
    good = type(number) is int and type(stolen) is bool and kind in STORIES
    require(good, "an opening must hold a number, a truth and a kind", sorted(part))
    return Opening(Truth(int(str(number)), stolen is True, kind), salt)


def _checked(key: bytes) -> bytes:
    require(len(key) == N_KEY, f"a teacher's key must be {N_KEY} bytes", len(key))
    return key
