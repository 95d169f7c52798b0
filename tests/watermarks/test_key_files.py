"""Files of keys and of strangers' networks in which anything may be wrong end in one clear line."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hostile import DEEP, NOISE, ODD, one_line, places, put
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save

import wmlearn as wm
from wmlearn.data import files
from wmlearn.errors import SecretWarning
from wmlearn.suspects import load_suspect
from wmlearn.watermarks import TriggerKey, UchidaKey, load_key, save_key

KEYS = {
    "triggers": TriggerKey("adi2018", bytes(32), torch.rand(4, 1, 8, 8), torch.arange(4), 10, 0.1),
    "bits": UchidaKey("uchida2017", bytes(32), "3", 16, torch.ones(8, dtype=torch.int64)),
}


def _with_head(raw: bytes, head: bytes) -> bytes:
    length = int.from_bytes(raw[:8], "little")
    return len(head).to_bytes(8, "little") + head + raw[8 + length :]


def _head(raw: bytes) -> dict[str, Any]:
    return json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])


def _refusal(path: Path, read: Callable[[Path], object]) -> str:
    """Return why a file is refused, in one line, or ""."""
    says = ""
    try:
        read(path)
    except wm.WmlearnError as error:
        says = str(error)
    assert one_line(says)
    return says


def _try(folder: Path, n: int) -> None:
    path = folder / "key.safetensors"
    whole = {}
    for name, key in KEYS.items():
        save_key(key, path)
        whole[name] = path.read_bytes()

    @given(name=st.sampled_from(sorted(KEYS)), draw=st.data())
    def is_answered(name: str, draw: st.DataObject) -> None:
        raw = whole[name]
        head = _head(raw)
        how = draw.draw(st.sampled_from(("head", "fields", "bytes", "cut")))
        if how == "head":
            place = draw.draw(st.sampled_from(list(places(head))))
            raw = _with_head(raw, json.dumps(put(head, place, draw.draw(st.sampled_from(ODD)))).encode())
        elif how == "fields":
            fields = json.loads(head["__metadata__"]["fields"])
            place = draw.draw(st.sampled_from(list(places(fields))))
            odd = put(fields, place, draw.draw(st.sampled_from(ODD)))
            head["__metadata__"]["fields"] = json.dumps(odd)
            raw = _with_head(raw, json.dumps(head).encode())
        elif how == "bytes":
            start = draw.draw(st.integers(0, len(raw) - 1))
            raw = raw[:start] + draw.draw(st.sampled_from(NOISE) | st.binary(max_size=4)) + raw[start + 1 :]
        else:
            raw = raw[: draw.draw(st.integers(0, len(raw) - 1))]
        path.write_bytes(raw)
        _refusal(path, load_key)

    settings(max_examples=n)(is_answered)()


def test_a_spoilt_key_is_one_clear_line(tmp_path: Path) -> None:
    _try(tmp_path, 60)


@pytest.mark.slow
def test_2_000_spoilt_keys_are_clear_lines(tmp_path: Path) -> None:
    _try(tmp_path, 2000)


@pytest.mark.parametrize("name", KEYS)
def test_a_key_comes_back(name: str, tmp_path: Path) -> None:
    save_key(KEYS[name], tmp_path / "key")
    assert repr(load_key(tmp_path / "key")) == repr(KEYS[name])


@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX")
def test_a_key_that_others_can_read_is_said(tmp_path: Path) -> None:
    save_key(KEYS["bits"], tmp_path / "key")
    (tmp_path / "key").chmod(0o604)
    with pytest.warns(SecretWarning, match="others may read it"):
        load_key(tmp_path / "key")


FIELDS = {
    "another type": ({"classes": "10"}, "classes must be of the type"),
    "a truth value": ({"classes": True}, "classes must be of the type"),
    "another field": ({"note": 1}, "it must hold"),
    "a tensor's name": ({"x": 1}, "x must be of the type|it must hold"),
    "no hex": ({"secret": {"hx": ""}}, "bytes must be written as hex"),
    "odd hex": ({"secret": {"hex": "zz"}}, "non-hexadecimal"),
    "a chance of 400 digits": ({"chance": 10**400}, "an integer of 401 characters"),
}


@pytest.mark.parametrize("case", FIELDS)
def test_a_field_of_a_key_is_what_it_is_declared_to_be(case: str, tmp_path: Path) -> None:
    change, says = FIELDS[case]
    path = tmp_path / "key"
    save_key(KEYS["triggers"], path)
    raw = path.read_bytes()
    head = _head(raw)
    fields = json.loads(head["__metadata__"]["fields"])
    head["__metadata__"]["fields"] = json.dumps(fields | change)
    path.write_bytes(_with_head(raw, json.dumps(head).encode()))
    if case == "a tensor's name":  # what the tensors say counts
        assert repr(load_key(path)) == repr(KEYS["triggers"])
        return
    with pytest.raises(wm.DataError, match=says):
        load_key(path)


# Networks of strangers


def _overlapping(head: dict[str, Any]) -> dict[str, Any]:
    odd = {}
    for name, part in head.items():
        start, end = part["data_offsets"]
        odd[name] = {**part, "data_offsets": [0, end - start]}
    return odd


def _with(head: dict[str, Any], **change: Any) -> dict[str, Any]:
    return {name: {**part, **change} for name, part in head.items()}


def _model_files() -> dict[str, bytes]:
    """Return files that call themselves networks, by what is wrong with them."""
    good = files.shipped("models/bystander-mnist-20.safetensors")
    head = {name: part for name, part in _head(good).items() if name != "__metadata__"}
    weights = load(good)
    odd = {
        "a head of 2^63 bytes": (2**63).to_bytes(8, "little") + good[8:],
        "a head of 2^64 - 1 bytes": b"\xff" * 8 + good[8:],
        "a deep head": _with_head(good, DEEP),
        "a head of NUL": _with_head(good, b"\0" * 100),
        "a head that is a list": _with_head(good, b"[1]"),
        "a head that is null": _with_head(good, b"null"),
        "eight bytes": b"\0" * 8,
        "nothing": b"",
        "a pickle": pickle.dumps({"a": 1}, 4),
        "an old pickle": pickle.dumps({"a": 1}, 0),
        "an archive": b"PK\x03\x04" + bytes(100),
        "no weights": save({}),
        "another's weights": save({"weight": torch.zeros(3)}),
        "a weight too many": save({**weights, "more": torch.zeros(1)}),
        "a weight missing": save(dict(list(weights.items())[1:])),
    }
    shapes = {
        "offsets that overlap": _overlapping(head),
        "offsets of 2^63": _with(head, data_offsets=[2**63, 2**63 + 4]),
        "offsets that are negative": _with(head, data_offsets=[-4, 0]),
        "offsets backwards": _with(head, data_offsets=[4, 0]),
        "offsets that are text": _with(head, data_offsets=["0", "4"]),
        "a shape of 2^64": _with(head, shape=[2**32, 2**32]),
        "a shape below 0": _with(head, shape=[-1]),
        "a shape that is text": _with(head, shape="1"),
        "an unknown type": _with(head, dtype="F7"),
        "a type that is a number": _with(head, dtype=7),
        "20,000 tensors": {
            f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(20_000)
        },
    }
    odd |= {name: _with_head(good, json.dumps(shape).encode()) for name, shape in shapes.items()}
    odd |= {f"cut after {end:,} bytes": good[:end] for end in range(1, len(good), len(good) // 19)}
    return odd


MODELS = _model_files()


def test_at_least_45_files_are_tried() -> None:
    assert len(MODELS) >= 45


@pytest.mark.parametrize("case", MODELS)
def test_a_spoilt_network_is_one_clear_line(case: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(MODELS[case])
    assert _refusal(path, lambda path: load_suspect(path, "badnet_cnn"))
