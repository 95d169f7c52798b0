"""What strangers send: odd values for every place in a document, damaged bytes, and how a command answers."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from wmlearn.cli import main

ODD: tuple[Any, ...] = (
    None, True, -1, 0, 3, 10**5, 2**31, 2**63, 2**64, 10**400, 1e308, -0.0, float("nan"), float("inf"),
    "", "x",
    "\ud800", "\u202e", "\0", "\x1b[2J", "A" * 100_000, [], {}, [[]], ["a"], {"a": 1}, "0" * 64,
    "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+00:00",
)  # fmt: skip
DEEP = b"[" * 50_000
NOISE = (b"", b"\0", b"\xff", b"\xef\xbb\xbf", DEEP, b'{"kind":' * 9999, b"9" * 5000, b"NaN", b'"by":"x",')
Place = tuple[Any, ...]


def places(content: Any, place: Place = ()) -> Iterator[Place]:
    """Yield the way to every part of a JSON value; of a list, the first two."""
    yield place
    if isinstance(content, dict):
        for name in content:
            yield from places(content[name], (*place, name))
    elif isinstance(content, list):
        for i in range(min(2, len(content))):
            yield from places(content[i], (*place, i))


def put(content: Any, place: Place, odd: Any) -> Any:
    """Return a copy with an odd value at a place."""
    if not place:
        return odd
    new = copy.deepcopy(content)
    inner = new
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = odd
    return new


def without(content: Any, place: Place) -> Any:
    """Return a copy without a part."""
    new = copy.deepcopy(content)
    inner = new
    for step in place[:-1]:
        inner = inner[step]
    del inner[place[-1]]
    return new


def spoilt(draw: st.DataObject, whole: bytes) -> bytes:
    """Draw a document that isn't right: a part changed or lost, or bytes damaged."""
    content = json.loads(whole)
    place = draw.draw(st.sampled_from(list(places(content))))
    how = draw.draw(st.sampled_from(("odd", "odd", "odd", "lost", "bytes", "cut")))
    if how == "lost" and place:
        return json.dumps(without(content, place)).encode()
    start = draw.draw(st.integers(0, len(whole) - 1))
    if how == "bytes":
        return whole[:start] + draw.draw(st.sampled_from(NOISE) | st.binary(max_size=4)) + whole[start + 1 :]
    if how == "cut":
        return whole[:start]
    odd = draw.draw(st.sampled_from(ODD))
    return json.dumps(put(content, place, odd)).encode()


def command(monkeypatch: pytest.MonkeyPatch, *words: object) -> tuple[int, str]:
    """Run `wmlearn …` here; return its status and all that it writes. A traceback fails the test."""
    monkeypatch.setattr(sys, "argv", ["wmlearn", *map(str, words)])
    written = io.StringIO()
    with contextlib.redirect_stdout(written), contextlib.redirect_stderr(written):
        try:
            main()
        except SystemExit as end:
            return (end.code if isinstance(end.code, int) else 1), written.getvalue()
    return 0, written.getvalue()


def one_line(text: str) -> bool:
    """Say whether a terminal shows a text as it is."""
    return all(line.isprintable() for line in text.splitlines())


def forget(folder: Path, *names: str) -> None:
    """Delete what an earlier command may have written."""
    for name in names:
        (folder / name).unlink(missing_ok=True)
