"""Arrays in one .npz file: every layout of images, only the rows that are wanted, and nothing unpickled."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import wmlearn as wm
from wmlearn.data import archives, read_arrays

GREY = np.arange(4 * 5 * 6, dtype=np.uint8).reshape(4, 5, 6)
COLOUR = np.arange(4 * 3 * 5 * 6, dtype=np.uint16).reshape(4, 3, 5, 6).astype(np.uint8)
Y = np.array([0, 1, 2, 1])


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_every_layout_gives_the_same_images(tmp_path: Path, save: Any) -> None:
    layouts = {
        "grey": GREY,
        "first": COLOUR,
        "last": COLOUR.transpose(0, 2, 3, 1).copy(),
        "float": COLOUR.astype(np.float64) / 255,
        "big-endian": (COLOUR / 255).astype(">f4"),
    }
    for name, x in layouts.items():
        save(tmp_path / f"{name}.npz", x=x, y=Y.astype(np.uint8))
        arrays = read_arrays(tmp_path / f"{name}.npz")
        whole = torch.from_numpy(GREY[:, None] if name == "grey" else COLOUR) / 255
        assert torch.allclose(arrays.samples.x, whole)
        assert arrays.samples.y.tolist() == Y.tolist()
        assert arrays.samples.classes == ("0", "1", "2")
        assert (arrays.part, arrays.total) == ("train", 4)


def test_the_names_of_keras_and_of_medmnist_are_known_and_a_part_is_taken_where_it_is_there(
    tmp_path: Path,
) -> None:
    names = {
        "keras": ("x_train", "y_train", "x_test", "y_test"),
        "medmnist": ("train_images", "train_labels", "test_images", "test_labels"),
    }
    parts: Any = (GREY, Y[:, None], GREY[:2] + 1, np.array([[3], [0]]))
    for name, words in names.items():
        np.savez(tmp_path / f"{name}.npz", **dict(zip(words, parts, strict=True)))
        train = read_arrays(tmp_path / f"{name}.npz")
        test = read_arrays(tmp_path / f"{name}.npz", part="test")
        assert (len(train.samples), len(test.samples)) == (4, 2)
        assert (train.part, test.part) == ("train", "test")
        assert torch.equal(test.samples.x, torch.from_numpy(parts[2][:, None]) / 255)
        assert train.samples.classes == test.samples.classes == ("0", "1", "2", "3")


def test_a_limit_draws_the_same_rows_with_their_labels_and_reads_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    y = np.arange(200) % 7
    x = np.repeat(y.astype(np.uint8), 16).reshape(200, 4, 4)
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "x.npz", x=x, y=y)
        monkeypatch.setattr(archives, "LARGEST", 200 * 8)  # all images would be 200 * 64 bytes
        one = read_arrays(tmp_path / "x.npz", limit=20)
        two = read_arrays(tmp_path / "x.npz", limit=20)
        assert torch.equal(one.samples.x, two.samples.x)
        assert torch.equal((one.samples.x[:, 0, 0, 0] * 255).round().long(), one.samples.y)
        assert (len(one.samples), one.total) == (20, 200)
        with pytest.raises(wm.DataError, match=r"must hold arrays that fit into .* of x\. Read fewer images"):
            read_arrays(tmp_path / "x.npz")


def test_names_of_classes_and_images_without_labels_are_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=GREY, y=Y, classes=np.array(["ant", "bee", "cat", "dog"]))
    assert read_arrays(tmp_path / "x.npz").samples.classes == ("ant", "bee", "cat", "dog")
    np.savez(tmp_path / "x.npz", x=GREY)
    assert len(read_arrays(tmp_path / "x.npz", labelled=False).samples) == 4
    with pytest.raises(wm.DataError, match=r"must hold an array y or y_train or .*, got x"):
        read_arrays(tmp_path / "x.npz")


class Trap:
    """Makes a file where it is unpickled."""

    def __reduce__(self) -> Any:
        return open, ("trapped", "w")


@pytest.mark.parametrize(
    ("x", "kind"),
    [
        (np.arange(12, dtype=np.int32).reshape(4, 3), "texts"),
        (np.linspace(0, 1, 12).reshape(4, 3), "rows"),
        (np.linspace(0, 1, 80, dtype=np.float32).reshape(4, 1, 1, 20), "sounds"),
    ],
)
def test_other_inputs_than_images_are_read_as_what_they_are(x: Any, kind: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=x, y=Y)
    samples = read_arrays(tmp_path / "x.npz", limit=3, seed=1).samples
    assert wm.data.kind_of(samples.x) == kind
    rows = [int(np.abs(x - row.numpy()).reshape(4, -1).sum(1).argmin()) for row in samples.x]
    assert samples.y.tolist() == Y[rows].tolist()


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "objects": ({"x": GREY, "y": np.array([Trap()] * 4, dtype=object)}, "a pickle: opening one can run"),
    "flat": ({"x": GREY.reshape(4, 30), "y": Y}, r"rows \(N, F\) as floats or texts .* in x, got uint8"),
    "negative ids": (
        {"x": GREY.reshape(4, 30).astype(np.int64) - 1, "y": Y},
        "token ids must not be negative",
    ),
    "wide rows": ({"x": GREY.reshape(4, 30).astype(float), "y": Y}, r"rows must lie in \[0, 1\]"),
    "five channels": ({"x": np.zeros((4, 5, 6, 5), np.uint8), "y": Y}, r"got \(4, 5, 6, 5\)"),
    "empty": ({"x": GREY[:0], "y": Y[:0]}, r"got \(0, 5, 6\)"),
    "int64": ({"x": GREY.astype(np.int64), "y": Y}, "uint8 or float images in x, got int64"),
    "one-hot": ({"x": GREY, "y": np.eye(4, dtype=int)}, "one whole number an image in y, no one-hot"),
    "floats": ({"x": GREY, "y": Y / 2}, "one whole number an image in y"),
    "texts": ({"x": GREY, "y": np.array(["a"] * 4)}, "one whole number an image in y"),
    "negative": ({"x": GREY, "y": Y - 1}, "labels from 0 to 99,999 in y, got -1 to 1"),
    "huge": ({"x": GREY, "y": Y * 10**12}, "labels from 0 to 99,999 in y"),
    "few": ({"x": GREY, "y": Y[:3]}, "one label for each of 4 images, got 3"),
    "few names": ({"x": GREY, "y": Y, "classes": np.array(["a"])}, "a text for each of 3 classes"),
    "too bright": ({"x": GREY.astype(float), "y": Y}, r"images must lie in \[0, 1\], got"),
    "NaN": ({"x": GREY * np.nan, "y": Y}, "images must not hold NaN"),
    "other names": ({"data": GREY, "target": Y}, "an array x or x_train or .*, got data, target"),
    "columns first": ({"x": np.asfortranarray(GREY), "y": Y}, "arrays in C order, got Fortran's in x"),
}


@pytest.mark.parametrize("case", BAD)
def test_other_arrays_are_refused_in_words(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arrays, words = BAD[case]
    np.savez("x.npz", **arrays)
    with pytest.raises(wm.WmlearnError, match=words) as error:
        read_arrays("x.npz")
    assert "\n" not in str(error.value)
    assert not Path("trapped").exists()


def _lying(path: Path) -> None:
    """Write an archive whose array promises a thousand times what is there."""
    np.savez(path, x=GREY, y=Y)
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    parts["x.npy"] = parts["x.npy"].replace(b"(4, 5, 6)", b"(4, 500, 600)")
    with zipfile.ZipFile(path, "w") as new:
        for name, raw in parts.items():
            new.writestr(name, raw)


def test_damaged_archives_and_no_archives_are_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    with pytest.raises(wm.DataError, match=r"must be an \.npz file of arrays, got nothing"):
        read_arrays(path)
    np.savez_compressed(path, x=GREY, y=Y)
    whole = path.read_bytes()
    for damaged in (b"", b"\x80\x04K\x01.", whole[: len(whole) // 2], whole[:70] + b"\0" * 40 + whole[110:]):
        path.write_bytes(damaged)
        with pytest.raises(wm.DataError, match=r"must (be a whole \.npz file|hold)"):
            read_arrays(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", b"no array")
    with pytest.raises(wm.DataError, match=r"must be a whole \.npz file"):
        read_arrays(path)
    _lying(path)
    with pytest.raises(wm.DataError, match=r"must (be a whole \.npz file|hold whole arrays)"):
        read_arrays(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes")
def test_a_pipe_in_place_of_an_archive_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.npz")
    with pytest.raises(wm.DataError, match="got something else"):
        read_arrays(tmp_path / "x.npz")
