"""JSON from outside is read strictly, and what isn't strict is one line, never a traceback."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wmlearn as wm
from wmlearn.data import files, strict_json

ODD = {
    "nothing": (b"", "no JSON at line 1, column 1"),
    "half an object": (b'{"a":', "no JSON at line 1, column 6"),
    "two objects": (b"{}\n{}", "no JSON at line 2, column 1"),
    "a key twice": (b'{"a": 1, "b": {"a": 1, "a": 2}}', "the key “a” twice in one object"),
    "a hostile key twice": (b'{"\\u001b[2J": 1, "\\u001b[2J": 2}', r"the key “\x1b[2J” twice in one object"),
    "no number": (b"[NaN]", "NaN, which is no number in JSON"),
    "infinity": (b"-Infinity", "-Infinity, which is no number in JSON"),
    "an infinity in digits": (b"1e999", "a number of 5 characters, which is too large or too long"),
    "more digits than mean something": (
        b"0." + b"1" * 50,
        "a number of 52 characters, which",
    ),
    "an integer of 5,000 digits": (b"9" * 5000, "an integer of 5,000 characters, which is too large"),
    "an integer beyond a float": (b"9007199254740992", "an integer of 16 characters, which is too large"),
    "deep lists": (b"[" * 100_000, "more than 40 objects and lists within each other"),
    "deep objects": (b'{"a":' * 100_000, "more than 40 objects and lists within each other"),
    "Latin-1": (b'"\xff"', "no UTF-8 at byte 1"),
    "UTF-16": ("{}".encode("utf-16"), "no UTF-8 at byte 0"),
    "a mark of byte order": (b"\xef\xbb\xbf{}", "no JSON at line 1, column 1"),
    "half of a pair": (b'"\\ud800"', "half of a surrogate pair"),
    "a string without an end": (b'"' + b'\\"' * 100_000, "no JSON at line 1, column 1"),
    "a backslash at the end": (b'{"[": "\\', "no JSON at line 1, column 7"),
}


@pytest.mark.parametrize("case", ODD)
def test_what_is_not_strict_is_refused_in_one_line(case: str) -> None:
    raw, says = ODD[case]
    with pytest.raises(wm.DataError) as caught:
        strict_json.parsed(raw)
    assert str(caught.value).startswith(says)
    assert str(caught.value).isprintable()


def test_too_much_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(wm.DataError, match="more than 16 MiB"):
        strict_json.parsed(b" " * (strict_json.MOST_BYTES + 1))
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(10 * strict_json.MOST_BYTES)
    with pytest.raises(wm.DataError, match=r"large\.json must have at most 16,777,216 bytes, got more"):
        strict_json.read(path)


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices have names on POSIX")
@pytest.mark.parametrize("name", ["pipe", "zero", "loop", "a" * 300, "nul\0"])
def test_what_never_ends_or_cannot_be_a_file_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "pipe":
        os.mkfifo(path)
    elif name == "zero":
        path.symlink_to("/dev/zero")
    elif name == "loop":
        path.symlink_to("loop")
    with pytest.raises(wm.DataError, match=r"must be (a file, got a pipe|readable, got: )"):
        strict_json.read(path)


def test_every_json_file_that_ships_is_strict() -> None:
    for path in files.ROOT.rglob("*.json"):
        strict_json.read(path)


PLAIN = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False)
VALUES = st.recursive(
    PLAIN.filter(lambda value: value not in (float("inf"), -float("inf"))) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def _refusal(written: bytes) -> str:
    """Return why a text is refused, or ""."""
    try:
        strict_json.parsed(written)
    except wm.DataError as error:
        return str(error)
    return ""


@given(value=VALUES, spelled=st.booleans())
def _is_read_as_python_reads_it(value: object, spelled: bool) -> None:
    try:
        written = json.dumps(value, ensure_ascii=spelled).encode()
    except UnicodeEncodeError:  # half of a pair, which another test refuses
        return
    says = _refusal(written)
    assert "surrogate" in says if says else strict_json.parsed(written) == value


@given(written=VALUES.map(lambda value: json.dumps(value).encode()), data=st.data())
def _survives_damage(written: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(written)))
    end = data.draw(st.integers(start, len(written)))
    noise = data.draw(st.binary(max_size=6) | st.sampled_from([b"[" * 9999, b"9" * 9999, b"NaN", b"\\ud800"]))
    assert _refusal(written[:start] + noise + written[end:]).isprintable()


def test_strict_json_is_read_as_python_reads_it() -> None:
    settings(max_examples=100)(_is_read_as_python_reads_it)()


def test_damaged_json_ends_in_a_value_or_one_line() -> None:
    settings(max_examples=100)(_survives_damage)()


@pytest.mark.slow
def test_damaged_json_ends_in_a_value_or_one_line_at_full_length() -> None:
    settings(max_examples=5000)(_survives_damage)()
