"""Sign the files of a model, and verify: with OpenSSF's model-signing, by keys of elliptic curves, offline.

OpenSSF Model Signing (OMS) specification, https://github.com/ossf/model-signing-spec. A signature says who
signed, and that no byte changed since. It doesn't say what the network does: a signed BadNet verifies.
"""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from ..data import files
from ..errors import DataError

SIGNATURE = "model.sig"
LARGEST = 2**20  # bytes of a signature
INSTALL = 'which is not installed. Run pip install "wmlearn[intake]".'


def new_signing_key(path: Path) -> Path:
    """Write a new private key (P-256, PEM) to `path`, and the public one beside it, whose path is returned.

    Raises `DataError` where a file is there already.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    files.new(path, lambda part: part.write_bytes(private), mode=files.PRIVATE)
    public_path = path.with_suffix(".pub")
    files.write(public_path, public)
    return public_path


def sign_folder(folder: Path, private: Path) -> Path:
    """Sign all files of `folder` with a private key, and return the path of the signature, within it.

    Raises `DataError` without the extra `intake`, or for a key that is none.
    """
    signing = _package("signing")
    path = folder / SIGNATURE
    path.unlink(missing_ok=True)
    try:
        config = signing.Config().use_elliptic_key_signer(private_key=private)
        files.whole_or_nothing(path, lambda part: _sign(config, folder, part, [path, part]))
    except (ValueError, TypeError) as error:
        fix = "Make one with new_signing_key."
        raise DataError(f"{private} must be a private key, got: {_first_line(error)}. {fix}") from error
    return path


def _sign(config: Any, folder: Path, part: Path, ignored: list[Path]) -> None:
    hashing = _package("hashing").Config().set_ignored_paths(paths=ignored, ignore_git_paths=False)
    config.set_hashing_config(hashing).sign(folder, part)


def signature_fault(folder: Path, public: Path) -> str:
    """Verify the signature in `folder` under a public key; say what is wrong with it, "" for nothing.

    Raises `DataError` without the extra `intake`, without a signature, or for a key that is none.
    """
    verifying = _package("verifying")
    path = folder / SIGNATURE
    raw = files.read(path, most=LARGEST, fix="Ask the maker for a signed model.")
    try:
        verifier = verifying.Config().use_elliptic_key_verifier(public_key=public)
    except (ValueError, TypeError, OSError) as error:
        fix = "Ask the maker for the key."
        raise DataError(f"{public} must be a public key, got: {_first_line(error)}. {fix}") from error
    if not _is_json(raw):
        return "the signature is damaged"
    hashing = _package("hashing").Config().set_ignored_paths(paths=[path], ignore_git_paths=False)
    try:
        verifier.set_hashing_config(hashing).verify(folder, path)
    except Exception as error:  # the library raises kinds of its own for each fault
        return _reason(error)
    return ""


def _is_json(raw: bytes) -> bool:
    try:
        return isinstance(json.loads(raw), dict)
    except ValueError:
        return False


def _reason(error: Exception) -> str:
    """Say in plain words why a signature doesn't hold."""
    said = _first_line(error)
    if "mismatch" in said.lower() and "key" not in said.lower():
        changed = re.findall(r"Hash mismatch for \\?'([^'\\]*)", said)
        others = re.findall(r"(?:Extra|Missing) files .*?: ([^\"']*)", said)
        return f"the files are not those that were signed: {', '.join([*changed, *others])[:200]}"
    if type(error).__name__ == "InvalidSignature" or "key" in said.lower():
        return "it was made with another key, or somebody changed it"
    return f"the signature is damaged ({said[:200] or type(error).__name__})"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else ""


def _package(part: str) -> Any:
    try:
        return import_module(f"model_signing.{part}")
    except ModuleNotFoundError as error:
        raise DataError(f"Signing a model needs {error.name}, {INSTALL}") from error
