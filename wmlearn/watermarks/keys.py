"""Keys on disk: tensors in a safetensors file, all else as JSON in its header; nothing that could run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

from torch import Tensor

from ..data import files, strict_json
from ..errors import DataError, WmlearnError, require
from ..words import visible

VERSION = 1
MOST_BYTES = 2**29
"""10,000 triggers of 3 x 32 x 32 are a quarter of it."""


def save_key(key: Any, path: Path | str) -> None:
    """Write a key, whole or not at all; it holds the secret, so only the file's owner may read it (0600)."""
    from safetensors.torch import save

    from . import KEYS

    require(type(key) in KEYS.values(), f"a key must be one of {', '.join(KEYS)}", type(key).__name__)
    parts = {field.name: getattr(key, field.name) for field in fields(key)}
    tensors = {name: part.contiguous().cpu() for name, part in parts.items() if isinstance(part, Tensor)}
    rest = {name: _as_json(part) for name, part in parts.items() if name not in tensors}
    head = {"key": type(key).__name__, "version": str(VERSION), "fields": json.dumps(rest)}
    path = Path(path)

    def make(temporary: Path) -> None:
        temporary.write_bytes(save(tensors, head))

    files.whole_or_nothing(path, make, mode=files.PRIVATE)


def load_key(path: Path | str) -> Any:
    """Read a key that `save_key` wrote; raise `DataError` for anything else.

    Warns with `SecretWarning` when others than the file's owner may read it.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    from . import KEYS

    raw = files.read(Path(path), most=MOST_BYTES, fix="Name the key, or take another copy of it.")
    try:
        head = _head(raw)
        kind = KEYS.get(head["key"])
        require(kind is not None, f"it must be a key of {', '.join(KEYS)}", "another kind")
        assert kind is not None
        fix = "Read it with the release that wrote it."
        require(head["version"] == str(VERSION), f"its version must be {VERSION}", head["version"][:20], fix)
        content = strict_json.parsed(head["fields"])
        require(isinstance(content, dict), "its fields must be an object", type(content).__name__)
        parts = {name: _from_json(part) for name, part in content.items()}
        parts |= load(raw)
        _check_fields(kind, parts)
        key = kind(**parts)
    except (ValueError, KeyError, TypeError, RuntimeError, SafetensorError, WmlearnError) as error:
        rule = f"{path} must be a key written by save_key"
        raise DataError(f"{rule}, got: {visible(str(error))}. Take another copy of it.") from error
    files.warn_of_readers(Path(path))
    return key


def _head(raw: bytes) -> Mapping[str, str]:
    """Return what a safetensors file says beside its tensors."""
    length = int.from_bytes(raw[:8], "little")  # the file starts with that of its JSON header
    header = strict_json.parsed(raw[8 : 8 + length])
    require(isinstance(header, dict), "its header must be an object", type(header).__name__)
    head = header.get("__metadata__")
    wanted = {"key", "version", "fields"}
    named = isinstance(head, dict) and head.keys() == wanted
    require(named, f"its header must name {', '.join(sorted(wanted))}", type(head).__name__)
    require(all(isinstance(part, str) for part in head.values()), "its header must be text", "something else")
    return head


def _check_fields(kind: type, parts: Mapping[str, Any]) -> None:
    """Raise `ArgumentError` unless `parts` are the fields of a key, each of the type that is declared."""
    types = get_type_hints(kind)
    require(parts.keys() == types.keys(), f"it must hold {', '.join(sorted(types))}", sorted(parts))
    for name, part in parts.items():
        fits = isinstance(part, types[name]) and not isinstance(part, bool)
        require(fits, f"{name} must be of the type {types[name]}", type(part).__name__)


def _as_json(part: Any) -> Any:
    return {"hex": part.hex()} if isinstance(part, bytes) else part


def _from_json(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    require(part.keys() == {"hex"} and isinstance(part["hex"], str), "bytes must be written as hex", "others")
    return bytes.fromhex(part["hex"])
