"""People who sign: one secret, from which the signing key and the secrets of all watermarks follow.

HKDF is H. Krawczyk and P. Eronen, RFC 5869, with SHA-256; signatures are Ed25519, RFC 8032. A public key
names its owner and nothing more: that it belongs to a person or a firm must be shown by other means.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..data import files, strict_json
from ..errors import DataError, WmlearnError, require
from ..watermarks import new_secret

N_BYTES = 32
VERSION = 1  # of the file of a secret, which the second version of the documents did not change
KEY = re.compile("[0-9a-f]{64}")
SIGNATURE = re.compile("[0-9a-f]{128}")
PRIME = 2**255 - 19
_EIGHTH = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7  # y of a point of order 8
SMALL = (0, 1, PRIME - 1, _EIGHTH, PRIME - _EIGHTH)
"""The y of all eight points of small order, with which one signature fits many messages."""


@dataclass(frozen=True)
class Identity:
    """A name for people to read, and the secret; whoever has the secret is this person."""

    name: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        good = isinstance(self.secret, bytes) and len(self.secret) == N_BYTES
        require(
            good,
            f"an identity's secret must be {N_BYTES} bytes",
            type(self.secret).__name__,
            "Draw one with new_identity(name).",
        )

    @property
    def public(self) -> str:
        """The public key, 64 hexadecimal digits."""
        return _private(self.secret).public_key().public_bytes_raw().hex()

    def sign(self, message: bytes) -> str:
        """Return the signature, 128 hexadecimal digits."""
        return _private(self.secret).sign(message).hex()


def new_identity(name: str) -> Identity:
    """Draw a person's secret from the operating system."""
    return Identity(name, new_secret())


def signed_by(public: str, signature: str, message: bytes) -> bool:
    """Say whether the owner of the key `public` signed `message`.

    Each key and each signature has one spelling, in small letters; keys under which anything is signed are
    none (`is_key`).
    """
    key = _key(public)
    if key is None or not SIGNATURE.fullmatch(signature):
        return False
    try:
        key.verify(bytes.fromhex(signature), message)
    except InvalidSignature:
        return False
    return True


def is_key(public: str) -> bool:
    """Say whether a public key is one that only its owner can sign with: 64 hexadecimal digits, the one
    encoding of a point that is not of small order.

    K. Chalkias, F. Garillot, V. Nikolaenko: Taming the Many EdDSAs, SSR 2020, ePrint 2020/1244.
    """
    if not KEY.fullmatch(public):
        return False
    y = int.from_bytes(bytes.fromhex(public), "little") % 2**255  # the highest bit is the sign of x
    return y < PRIME and y not in SMALL


@lru_cache(maxsize=4096)
def _key(public: str) -> Ed25519PublicKey | None:
    """Read a public key once; None for what is none."""
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)) if is_key(public) else None


def derive(secret: bytes, *purpose: str | int) -> bytes:
    """Derive 32 bytes for one purpose; they say nothing about the secret, or those for another purpose."""
    return HKDF(SHA256(), N_BYTES, None, json.dumps(["wmlearn", *purpose]).encode()).derive(secret)


def secret_for(identity: Identity, scheme: str, serial: str = "") -> bytes:
    """Return the secret to draw a key with, `keygen(…, secret=…)`; `serial` tells an owner's keys of one
    `scheme` apart.

    The scheme is the name that its keys carry, "adi2018". The owner's secret does not follow from it.
    """
    return derive(identity.secret, "key", scheme, serial, identity.public)


def salt_for(secret: bytes, index: int) -> bytes:
    """Return what hides trigger number `index` of a key in its commitment."""
    # without a salt a guessed trigger could be tried against the tree
    return derive(secret, "salt", index)


def save_identity(identity: Identity, path: Path | str) -> None:
    """Write the secret, readable by its owner only (mode 0600); a file that is there is never replaced."""
    path = Path(path)
    require(
        not os.path.lexists(path),
        "a new identity must not replace a file",
        str(path),
        "Name another file: a lost secret can't be had again.",
    )
    content = {
        "kind": "identity",
        "version": VERSION,
        "name": identity.name,
        "secret": identity.secret.hex(),
    }
    text = json.dumps(content)
    files.new(path, lambda temporary: temporary.write_text(text, encoding="utf-8"), mode=files.PRIVATE)


def load_identity(path: Path | str) -> Identity:
    """Read what `save_identity` wrote; raise `DataError` for anything else, without showing what was read.

    Warns with `SecretWarning` when others than its owner may read the file.
    """
    try:
        content = strict_json.read(Path(path))
        require(
            content["kind"] == "identity" and content["version"] == VERSION,
            f"it must be an identity of version {VERSION}",
            "another file",
        )
        person = Identity(str(content["name"]), bytes.fromhex(content["secret"]))
    except (ValueError, KeyError, TypeError, WmlearnError) as error:
        # the words of any other error may hold the secret
        why = str(error) if isinstance(error, WmlearnError) else f"got a {type(error).__name__}"
        raise DataError(f"{path} must be an identity that `wmlearn ownership keygen` wrote: {why}") from None
    files.warn_of_readers(Path(path))
    return person


def _private(secret: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(derive(secret, "signature"))
