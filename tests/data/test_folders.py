"""Folders of pictures from elsewhere: classes by their folders, broken files, too many of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

import wmlearn as wm
from wmlearn.data import folders, read_folder


def _picture(path: Path, value: int, size: tuple[int, int] = (8, 8), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode == "L" else (value, 0, 0)).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for label, name in enumerate(("cat", "dog")):
        for i in range(4):
            _picture(tmp_path / "all" / name / f"{i}.png", 100 * label + i)
    return tmp_path / "all"


def test_a_folder_gives_what_torchvision_gives(folder: Path) -> None:
    from torchvision.datasets import ImageFolder

    pictures = read_folder(folder)
    theirs = ImageFolder(folder)
    assert pictures.samples.classes == tuple(theirs.classes)
    assert pictures.samples.y.tolist() == theirs.targets
    assert [str(folder / name) for name in pictures.names] == [path for path, _ in theirs.samples]
    assert (pictures.samples.x[:, 0, 0, 0] * 255).round().int().tolist() == [0, 1, 2, 3, 100, 101, 102, 103]
    assert pictures.skipped == {}


def test_folders_within_a_class_come_in_torchvisions_order(folder: Path) -> None:
    from torchvision.datasets import ImageFolder

    for name in ("a/0.png", "a!/0.PNG", "b.png", "a.png", "Z/y/0.bmp", "notes.txt"):
        _picture(folder / "cat" / Path(name).with_suffix(".png"), 7)
        (folder / "cat" / Path(name).with_suffix(".png")).rename(folder / "cat" / name)
    pictures = read_folder(folder)
    assert [str(folder / name) for name in pictures.names] == [
        path for path, _ in ImageFolder(folder).samples
    ]


def test_a_limit_draws_the_same_pictures_each_time_and_keeps_their_names(folder: Path) -> None:
    one = read_folder(folder, limit=3)
    two = read_folder(folder, limit=3)
    assert one.names == two.names
    assert len(one.samples) == 3
    assert one.total == 8
    for name, x in zip(one.names, one.samples.x, strict=True):
        label = ("cat", "dog").index(Path(name).parent.name)
        assert round(x[0, 0, 0].item() * 255) == 100 * label + int(Path(name).stem)


def test_pictures_are_cut_to_their_centre_scaled_and_turned_grey_where_asked(tmp_path: Path) -> None:
    wide = np.zeros((8, 24, 3), np.uint8)
    wide[:, 8:16] = 255
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.fromarray(wide).save(tmp_path / name / "x.png")
    samples = read_folder(tmp_path, size=4, channels=1).samples
    assert samples.x.shape == (2, 1, 4, 4)
    assert torch.equal(samples.x[..., 1:3], torch.ones(2, 1, 4, 2))
    assert samples.x.min() > 0.8, "the black sides are cut off"


def test_broken_pictures_are_left_out_and_named_and_others_take_their_place(folder: Path) -> None:
    (folder / "cat" / "broken.png").write_bytes(b"\x89PNG no more")
    (folder / "cat" / "empty.jpg").touch()
    (folder / "cat" / "notes.txt").write_text("no picture")
    pictures = read_folder(folder, limit=8)
    assert len(pictures.samples) == 8
    assert sorted(pictures.skipped) == [os.path.join("cat", "broken.png"), os.path.join("cat", "empty.jpg")]
    assert all("damaged picture" in why for why in pictures.skipped.values())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes")
def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "cat" / "pipe.png")
    assert "not a file" in read_folder(folder).skipped[os.path.join("cat", "pipe.png")]


def test_a_million_files_are_not_listed_and_the_limit_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "MOST_FILES", 7)
    with pytest.raises(wm.DataError, match=r"must hold at most 7 files, got more\. Copy or link a part"):
        read_folder(folder)
    listed = []

    @contextmanager
    def endless(place: str) -> Iterator[Iterator[SimpleNamespace]]:
        yield (_listed(listed, f"{place}/{i}.png") for i in count())

    monkeypatch.setattr(folders, "MOST_FILES", 1000)
    monkeypatch.setattr(folders.os, "scandir", endless)
    with pytest.raises(wm.DataError, match="must hold at most 1,000 files"):
        read_folder(folder)
    assert len(listed) == 1001


def _listed(listed: list[str], path: str) -> SimpleNamespace:
    listed.append(path)
    return SimpleNamespace(path=path, is_dir=lambda: False)


def test_a_folder_that_leads_into_itself_ends(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MOST_FILES", 100)
    for i in range(3):
        (folder / "cat" / f"again{i}").symlink_to(folder)
    with pytest.raises(wm.DataError, match="at most 100 files"):
        read_folder(folder)


def test_bad_folders_are_refused_in_words(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(wm.DataError, match=r"nowhere must be a folder of pictures, got nothing"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(wm.DataError, match="a folder for each of two or more classes, got no folder"):
        read_folder(folder / "cat")
    one = tmp_path / "one"
    _picture(one / "only" / "x.png", 1)
    with pytest.raises(wm.DataError, match="two or more classes, got only"):
        read_folder(one)
    for name in ("a", "b"):
        (tmp_path / "empty" / name).mkdir(parents=True)
    with pytest.raises(wm.DataError, match=r"must hold pictures \(JPEG, .*\), got none"):
        read_folder(tmp_path / "empty")
    (tmp_path / "empty" / "a" / "x.png").touch()
    with pytest.raises(wm.DataError, match=r"must hold a picture that can be read, got 1 that can't"):
        read_folder(tmp_path / "empty")
    _picture(folder / "dog" / "9.png", 1, (9, 8))
    with pytest.raises(wm.DataError, match=r"one size, here 8 by 8, got 9 by 8 in dog.9\.png\. .*--size 32"):
        read_folder(folder)
    assert read_folder(folder, size=8).samples.x.shape == (9, 3, 8, 8)


def test_without_labels_pictures_may_lie_in_the_folder_itself(folder: Path) -> None:
    assert len(read_folder(folder / "cat", labelled=False).samples) == 4
    assert len(read_folder(folder, labelled=False).samples) == 8
