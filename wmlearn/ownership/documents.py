"""Signed documents as JSON: one way to write each, so that one hash and one signature hold for it everywhere.

A document is a frozen dataclass with the fields `by`, the signer's public key, and `signature`, over
everything else. It is written in the canonical form of RFC 8785 (A. Rundgren, B. Jordan, S. Erdtman, 2020),
with its kind and version; it is read strictly: every field, no other field, and every type as declared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass, replace
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, get_args, get_origin, get_type_hints

import rfc8785

from ..data import files, strict_json
from ..errors import ArgumentError, DataError, WmlearnError, require
from ..words import visible
from .identity import Identity, signed_by

VERSION = 2
RENEWAL = {
    1: "Version 1 is not signed as RFC 8785 writes it: commit anew, register anew, and claim with these.",
}
"""What to do about a document of an earlier version."""


HEX = frozenset("0123456789abcdef")
_WRITER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


class Document(Protocol):
    """Anything that somebody signed. Structural: nothing inherits from this."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def by(self) -> str: ...
    @property
    def signature(self) -> str: ...


D = TypeVar("D", bound=Document)


def canonical(value: Any) -> bytes:
    """Write JSON in the one way that is hashed and signed, RFC 8785.

    Raises `ArgumentError` for what that form can't say: integers beyond 2^53, NaN, half of a surrogate pair.
    """
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise ArgumentError(f"a document must have a canonical form, got: {str(error)[:80]}") from error


def simple(value: Mapping[str, Any]) -> bytes:
    """Write an object as `canonical` does, many times as fast: for values without fractions, whose names are
    ASCII, and whose texts and integers a reader has checked or this program has made.
    """
    return _WRITER.encode(value).encode()


def is_canonical(written: str, document: Document) -> bool:
    """Say whether a document that was read, with no other inside, is written in its one form."""
    content = {"kind": kind(document), "version": VERSION, **vars(document)}
    write = canonical if float in _types(type(document)).values() else simple
    return write(content) == written.encode()


def kind(document: Document | type) -> str:
    """Return the word that a document's file carries, "commitment"."""
    return (document if isinstance(document, type) else type(document)).__name__.lower()


def text(document: Document) -> str:
    """Write a document as JSON."""
    return canonical(_plain(document)).decode()


def body(document: Document) -> bytes:
    """Return what is signed: everything but the signature."""
    content = _plain(document)
    del content["signature"]
    return canonical(content)


def digest(document: Document) -> str:
    """Return the SHA-256 of what is signed, 64 hexadecimal digits: a document's name in other documents."""
    return hashlib.sha256(body(document)).hexdigest()


def signed(document: D, identity: Identity) -> D:
    """Return the document with the signature of `identity`, who must be its `by`."""
    require(
        document.by == identity.public,
        "a document must be signed by the one whom it names",
        identity.public,
        "Set `by`.",
    )
    return replace(document, signature=identity.sign(body(document)))


def genuine(document: Document) -> bool:
    """Say whether the signature is that of the document's `by`."""
    return signed_by(document.by, document.signature, body(document))


def parse(written: str | bytes, shape: type[D]) -> D:
    """Read a document of the class `shape`; raise `DataError` for anything else. Signatures are checked by
    `genuine`, not here.
    """
    what = kind(shape)
    try:
        content = strict_json.parsed(written)
        require(
            isinstance(content, dict) and content.get("kind") == what,
            f"it must be a {what}",
            type(content).__name__,
        )
        _check_version(content.pop("version", None))
        del content["kind"]
        return _build(shape, content, what)
    except WmlearnError as error:
        raise DataError(f"this is no {what} that can be read: {visible(str(error))}") from error


def _check_version(version: object) -> None:
    known = type(version) is int and version == VERSION
    shown = version if type(version) is int else type(version).__name__
    fix = "Read it with the release that wrote it."
    if type(version) is int:
        fix = RENEWAL.get(version, fix)
    require(known, f"its version must be {VERSION}", shown, fix)


def save(document: Document, path: Path | str) -> None:
    """Write a document whole or not at all."""
    files.write(Path(path), text(document).encode() + b"\n")


def load(path: Path | str, shape: type[D]) -> D:
    """Read a document of the class `shape`; raise `DataError` for anything else."""
    try:
        return parse(files.read(Path(path)), shape)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def now() -> str:
    """Read the local clock, as UTC in seconds: 2026-01-31T12:00:00+00:00."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def moment(written: str) -> datetime:
    """Read a time; raise `ArgumentError` for one that isn't UTC in ISO 8601."""
    try:
        time = datetime.fromisoformat(written)
    except ValueError:
        time = datetime.min  # has no offset, and is refused for that
    offset = time.utcoffset()
    require(offset is not None and not offset, "a time must be UTC, as 2026-01-31T12:00:00+00:00", written)
    return time


def check_hex(digits: int, **values: str) -> None:
    """Raise `ArgumentError` for a value that isn't `digits` hexadecimal digits, in small letters."""
    for name, value in values.items():
        is_hex = len(value) == digits and HEX.issuperset(value)
        require(is_hex, f"{name} must be {digits} hexadecimal digits", value[:70])


def _plain(document: Document) -> dict[str, Any]:
    return {"kind": kind(document), "version": VERSION, **asdict(document)}


@cache
def _types(shape: type) -> dict[str, Any]:
    return get_type_hints(shape)


def _build(shape: Any, value: Any, where: str) -> Any:
    """Turn parsed JSON into what the type `shape` says, or raise `ArgumentError` naming the place."""
    if type(value) is shape:  # a text or a number; JSON makes no other class that a document has
        return value
    if is_dataclass(shape) and isinstance(shape, type):
        return _build_fields(shape, value, where)
    if get_origin(shape) is tuple:
        require(isinstance(value, list), f"{where} must be a list", type(value).__name__)
        item = get_args(shape)[0]
        return tuple(_build(item, part, f"{where}[{i}]") for i, part in enumerate(value))
    whole = shape is float and type(value) is int  # JSON writes 1.0 as 1 elsewhere
    require(whole, f"{where} must be of type {getattr(shape, '__name__', shape)}", type(value).__name__)
    return float(value)


def _build_fields(shape: type, value: Any, where: str) -> Any:
    require(isinstance(value, Mapping), f"{where} must be an object", type(value).__name__)
    types = _types(shape)
    require(
        set(value) == set(types), f"{where} must have the fields {', '.join(sorted(types))}", sorted(value)
    )
    return shape(**{name: _build(types[name], part, f"{where}.{name}") for name, part in value.items()})
