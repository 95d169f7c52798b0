"""People who sign: one secret, from which the signing key and the secrets of all watermarks follow.

HKDF is H. Krawczyk and P. Eronen, RFC 5869, with SHA-256; signatures are Ed25519, RFC 8032. A public key
names its owner and nothing more: that it belongs to a person or a firm must be shown by other means.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..data import files, strict_json
from ..errors import DataError, WmlearnError, require
from ..watermarks import new_secret

N_BYTES = 32
VERSION = 1


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
    """Say whether the owner of the key `public` signed `message`."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


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
