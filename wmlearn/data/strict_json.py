"""The one reader of JSON that comes from outside: documents, keys' heads, receipts, results, cells, lists.

Python's own reader takes NaN, doubled keys, numbers of a million digits and any depth, and fails in six ways.
This one reads what RFC 8259 calls interoperable, and answers everything else with one `DataError`.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any, NoReturn

from ..errors import DataError
from ..words import visible
from . import files

MOST_BYTES = 16 * 2**20
"""A bundle of 100 opened images of 3 x 32 x 32 is a tenth of it."""
MOST_DEPTH = 40  # objects and lists within each other; a bundle has four
MOST_DIGITS = 40  # of one number; a float has 17 that mean something
LARGEST = 2**53 - 1
"""Beyond it a float has no room for every integer, and so RFC 8785 writes none."""

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*\\?(?:"|\Z)|[\[{]|[\]}]', re.DOTALL)
"""A string, which ends with the text at the latest, or a bracket; nothing in it is tried twice."""


def read(path: Path) -> Any:
    """Read a JSON file; raise `DataError`, with its path, for one that is missing or not strict."""
    raw = files.read(path, most=MOST_BYTES, fix="Name the file, or take another copy of it.")
    try:
        return parsed(raw)
    except DataError as error:
        raise DataError(f"{path} must be a JSON file, got: {error}.") from error


def parsed(raw: bytes | str) -> Any:
    """Return what a JSON text says; raise `DataError` for one that isn't strict.

    At most `MOST_BYTES`, `MOST_DEPTH` and numbers up to `LARGEST`; UTF-8; no key twice; no NaN, no infinity.
    The message names a place or a key, never a value: the text may hold a secret.
    """
    text = _decoded(raw)
    _check_depth(text)
    try:
        value = _READER.decode(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise DataError(f"no JSON at {place}") from None
    except UnicodeEncodeError:
        raise DataError("half of a surrogate pair") from None
    return value


def _decoded(raw: bytes | str) -> str:
    size = len(raw)
    if size > MOST_BYTES:
        raise DataError(f"more than {MOST_BYTES // 2**20} MiB")
    try:
        return raw.encode().decode() if isinstance(raw, str) else raw.decode()
    except UnicodeError as error:
        place = getattr(error, "start", 0)
        raise DataError(f"no UTF-8 at byte {place:,}") from None


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= MOST_DEPTH:
        return
    depth = 0
    for token in _TOKEN.finditer(text):
        sign = token[0][0]
        if sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
        if depth > MOST_DEPTH:
            raise DataError(f"more than {MOST_DEPTH} objects and lists within each other")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise DataError(f"the key “{visible(_doubled(pairs)[:40])}” twice in one object")
    return content


def _doubled(pairs: list[tuple[str, Any]]) -> str:
    """Return the first name that was there before."""
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            return name
        names.add(name)
    raise AssertionError("no name is there twice")


def _integer(digits: str) -> int:
    value = int(digits) if len(digits) <= MOST_DIGITS else LARGEST + 1
    if abs(value) > LARGEST:
        raise DataError(f"an integer of {len(digits):,} characters, which is too large")
    return value


def _float(digits: str) -> float:
    if len(digits) > MOST_DIGITS or not math.isfinite(float(digits)):
        raise DataError(f"a number of {len(digits):,} characters, which is too large or too long")
    return float(digits)


def _constant(name: str) -> NoReturn:
    raise DataError(f"{name}, which is no number in JSON")


_READER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)
