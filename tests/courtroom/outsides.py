"""What a folder shows before anybody looks at the evidence: the packaging of a case, in numbers.

Evidence may tell the truth: weights, pictures, answers, what both sides open and what the judge names, whose
entry stands first. Packaging must not: names, sizes, dates, rights and places of files, heads of tensors,
seals, how long every field is, how many entries a list has, which letters there are, how well it packs.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load

from wmlearn.courtroom import small_digits
from wmlearn.courtroom.dossiers import _mark

SAID = ("openings", "spent", "count", "queries", "indices")
"""Fields whose length is evidence: what is opened, and what a judge, or a friend, names."""
SIDES = ("claimant", "accused")
N_BITS = 8


def packaging(folder: Path, number: int) -> dict[str, float]:
    """Return what shows of a case, without its evidence."""
    place = folder / f"case-{number:02}"
    court = json.loads((folder / "court.json").read_bytes())
    papers = json.loads((place / "papers.json").read_bytes())
    looks: dict[str, float] = {"place": number}
    for look in (
        _files(place),
        _listed(court["cases"][number - 1]),
        _fields(papers),
        _texture(papers),
        _transcript(place),
    ):
        looks |= dict(look)
    return looks


def table(looks: list[dict[str, float]]) -> np.ndarray:
    """Return a row a case (N, looks), of what isn't alike in all; what a case hasn't is -1."""
    columns = [[each.get(name, -1.0) for each in looks] for name in names(looks)]
    return np.array(columns).T


def names(looks: list[dict[str, float]]) -> list[str]:
    """Name what isn't alike in all cases."""
    known = sorted({name for each in looks for name in each})
    return [name for name in known if len({each.get(name, -1.0) for each in looks}) > 1]


def _files(place: Path) -> Iterator[tuple[str, float]]:
    listed = [place / name for name in os.listdir(place)]
    aged = sorted(listed, key=lambda path: path.stat().st_mtime_ns)
    yield "files", len(listed)
    for path in listed:
        stat = path.stat()
        name = path.stem.replace("transcript", "accused")  # one or the other: a service, which is public
        yield f"size of {name}", stat.st_size * (path.stem != "transcript")
        yield f"rights of {name}", stat.st_mode
        yield f"date of {name}", stat.st_mtime
        yield f"place of {name}", listed.index(path)
        yield f"age of {name}", aged.index(path)
        if path.suffix == ".safetensors":
            raw = path.read_bytes()
            head = raw[: 8 + int.from_bytes(raw[:8], "little")]
            yield from _bits(f"head of {name}", head)


def _bits(name: str, raw: bytes) -> Iterator[tuple[str, float]]:
    digits = hashlib.sha256(raw).digest()[:N_BITS]
    for i, digit in enumerate(digits):
        yield f"bit {i} of a hash of {name}", digit & 1


def _listed(case: dict[str, Any]) -> Iterator[tuple[str, float]]:
    yield "service", case["service"]
    for side in SIDES:
        yield f"name of {side}", len(case[side])
    yield from _bits("the seal", bytes.fromhex(case["seal"]))


def _fields(papers: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield how long each field is; of the registry's entries by kind, since their order is evidence."""
    for name, value in papers.items():
        if name != "entries":
            yield from _lengths(name, value)
    yield "entries", len(papers["entries"])
    for kind in ("commitment", "release", "challenge"):
        found = [dict(_lengths("", entry)) for entry in papers["entries"] if entry["kind"] == kind]
        yield f"{kind}s", len(found)
        for name in sorted({name for each in found for name in each}):
            lengths = sorted(each.get(name, -1.0) for each in found)
            yield f"{kind} least{name}", lengths[0]
            yield f"{kind} most{name}", lengths[-1]


def _lengths(name: str, value: Any) -> Iterator[tuple[str, float]]:
    if name.rpartition(".")[2] in SAID:
        return
    if isinstance(value, str) and value.startswith("{"):
        value = json.loads(value)  # a signed document
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _lengths(f"{name}.{key}", part)
    elif isinstance(value, list):
        yield f"number of {name}", len(value)
        for i, part in enumerate(value[:3]):
            yield from _lengths(f"{name}.{i}", part)
    else:
        yield f"length of {name}", len(str(value))


def _texture(papers: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield which letters papers have, and how well they pack, but for what both sides and judges say, the
    order of entries, and roots: that one was promised twice is evidence.
    """
    sides = [{name: papers[side][name] for name in ("name", "by")} for side in SIDES]
    documents = [json.loads(entry["document"]) for entry in papers["entries"] if entry["kind"] != "challenge"]
    entries = sorted(json.dumps({**document, "root": ""}) for document in documents)
    rest = {name: value for name, value in papers.items() if name not in (*SIDES, "entries")}
    raw = json.dumps([sides, entries, rest]).encode()
    yield "packed", len(zlib.compress(raw))
    yield "length", len(raw)
    counts = Counter(raw)
    for byte in range(32, 127):
        yield f"letter {chr(byte)}", counts[byte]


def _transcript(place: Path) -> Iterator[tuple[str, float]]:
    """Yield of how many pictures a transcript holds, how many of them are test digits, and in which order."""
    if not (place / "transcript.safetensors").exists():
        return
    tensors = load((place / "transcript.safetensors").read_bytes())
    marks = [bytes(row) for row in tensors["marks"]]
    at = [i for i, mark in enumerate(marks) if mark in _digits()]
    yield "pictures", len(marks)
    yield "different pictures", len(set(marks))
    yield "digits", len(at)
    yield "place of digits", float(np.mean(at))
    for label in range(10):
        yield f"share of {label}", float((tensors["labels"] == label).mean())


@lru_cache(1)
def _digits() -> frozenset[bytes]:
    return frozenset(_mark(image) for image in small_digits.test_pictures()[:1_500])
