"""Keys on disk: tensors in a safetensors file, all else as JSON in its header; nothing that could run."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from torch import Tensor

from ..data import files
from ..errors import DataError, WmlearnError, require

VERSION = 1


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

    files.whole_or_nothing(path, make, mode=0o600)


def load_key(path: Path | str) -> Any:
    """Read a key that `save_key` wrote; raise `DataError` for anything else."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    from . import KEYS

    raw = files.read(Path(path))
    try:
        length = int.from_bytes(raw[:8], "little")  # a safetensors file starts with that of its JSON header
        head = json.loads(raw[8 : 8 + length])["__metadata__"]
        kind = KEYS[head["key"]]
        version = int(head["version"])
        rest = {name: _from_json(part) for name, part in json.loads(head["fields"]).items()}
        tensors = load(raw)
        fix = "Read it with the release that wrote it."
        require(version == VERSION, f"the file's version must be {VERSION}", version, fix)
        return kind(**rest, **tensors)
    except (ValueError, KeyError, TypeError, SafetensorError, WmlearnError) as error:
        rule = f"{path} must be a key written by save_key"
        raise DataError(f"{rule}, got: {error}. Take another copy of it.") from error


def _as_json(part: Any) -> Any:
    return {"hex": part.hex()} if isinstance(part, bytes) else part


def _from_json(part: Any) -> Any:
    return bytes.fromhex(part["hex"]) if isinstance(part, dict) else part
