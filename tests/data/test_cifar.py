"""CIFAR-10 as torchvision lays it out; its files are not here, so a stand-in opens them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision

import wmlearn as wm
from wmlearn.data import files
from wmlearn.errors import ArgumentError, DataError


class Stand:
    """Stand in for torchvision's class: four photographs, and a folder that a download makes."""

    classes = tuple("abcdefghij")

    def __init__(self, root: Path, train: bool = True, download: bool = False) -> None:
        if download:
            (root / "cifar-10-batches-py").mkdir(parents=True)
            (root / "cifar-10-python.tar.gz").write_bytes(b"")
        if not (root / "cifar-10-batches-py").is_dir():
            raise RuntimeError("Dataset not found or corrupted. You can use download=True to download it")
        self.data = np.zeros((4, 32, 32, 3), np.uint8)
        self.data[0, 0, 1, 2] = 255  # blue, in the second column
        self.targets = [0, 1, 2, 9] if train else [9, 9, 9, 9]


def test_photographs_come_as_tensors_and_are_fetched_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", Stand)
    monkeypatch.setattr(files, "CACHE", tmp_path)
    with pytest.raises(DataError, match="must hold CIFAR-10"):
        wm.load("cifar10", download=False)
    splits = wm.load("cifar10")
    assert splits.train.x.shape == (4, 3, 32, 32)
    assert splits.train.x.nonzero().tolist() == [[0, 2, 0, 1]]
    assert torch.equal(splits.test.y, torch.full((4,), 9))
    assert [path.name for path in tmp_path.iterdir()] == ["cifar10"]
    assert [path.name for path in (tmp_path / "cifar10").iterdir()] == ["cifar-10-batches-py"]
    assert len(wm.load("cifar10", download=False).test) == 4


def test_a_folder_without_the_files_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="must hold CIFAR-10 as torchvision lays it out"):
        wm.load("cifar10", root=tmp_path)
