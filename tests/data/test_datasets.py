"""Other people's data sets become samples: pictures, arrays, tensors, loaders, columns with names."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Subset, TensorDataset
from torchvision.datasets import FakeData, ImageFolder
from torchvision.transforms import v2

import wmlearn as wm
from wmlearn.data import datasets
from wmlearn.errors import ArgumentError


class Columns(list[dict[str, Any]]):
    """Stand in for a data set of Hugging Face's: rows with names, and features that name the classes."""

    features: ClassVar = {"img": None, "label": SimpleNamespace(names=["cat", "dog"])}


def _picture(grey: int, mode: str = "RGB", size: tuple[int, int] = (6, 4)) -> Image.Image:
    colour: Any = grey if mode == "L" else (grey,) * len(mode)
    return Image.new(mode, size, colour)


def test_a_folder_of_pictures_gets_the_names_of_its_folders(tmp_path: Path) -> None:
    for name, grey in {"stop": 255, "limit": 51}.items():
        (tmp_path / name).mkdir()
        _picture(grey).save(tmp_path / name / "a.png")
    samples = wm.Samples.of(ImageFolder(tmp_path))
    assert samples.classes == ("limit", "stop")
    assert samples.x.shape == (2, 3, 4, 6)
    assert samples.x.mean((1, 2, 3)).tolist() == pytest.approx([0.2, 1.0])


def test_data_with_a_transform_come_as_the_transform_leaves_them() -> None:
    data = FakeData(
        5, (3, 8, 8), 4, transform=v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    )
    samples = wm.Samples.of(data, classes=["a", "b", "c", "d"])
    assert torch.equal(samples.x[3], data[3][0])
    assert samples.y.tolist() == [int(data[i][1]) for i in range(5)]


@pytest.mark.parametrize("batch", [None, 3])
def test_a_loader_gives_what_its_data_hold(batch: int | None) -> None:
    x = torch.rand(7, 1, 4, 4)
    loader = DataLoader(TensorDataset(x, torch.arange(7)), batch_size=batch)
    samples = wm.Samples.of(loader)
    assert torch.equal(samples.x, x)
    assert samples.y.tolist() == list(range(7))
    assert len(wm.Samples.of(loader, limit=4, classes=list("abcdefg"))) == 4


def test_rows_with_names_are_read_by_their_names() -> None:
    rows = Columns([{"img": _picture(255, "L"), "label": 1}, {"img": _picture(0, "L"), "label": 0}])
    samples = wm.Samples.of(rows)
    assert samples.classes == ("cat", "dog")
    assert samples.x.shape == (2, 1, 4, 6)
    assert samples.y.tolist() == [1, 0]


def test_the_names_of_a_subset_in_a_loader_are_found() -> None:
    data = TensorDataset(torch.rand(4, 1, 4, 4), torch.tensor([0, 1, 0, 1]))
    data.classes = ["no", "yes"]  # pyrefly: ignore[missing-attribute]
    assert wm.Samples.of(DataLoader(Subset(data, [0, 3]), batch_size=2)).classes == ("no", "yes")


def test_a_generator_of_unknown_length_is_read_to_its_end() -> None:
    pairs = ((np.full((4, 4, 3), 255, np.uint8), i % 2) for i in range(3))
    samples = wm.Samples.of(pairs)
    assert samples.x.shape == (3, 3, 4, 4)
    assert float(samples.x.min()) == 1


def test_a_limit_draws_at_random_and_by_its_seed() -> None:
    data = TensorDataset(torch.rand(50, 1, 2, 2), torch.arange(50))
    names = [str(i) for i in range(50)]
    drawn = wm.Samples.of(data, classes=names, limit=5).y.tolist()
    assert drawn != list(range(5))
    assert drawn == wm.Samples.of(data, classes=names, limit=5).y.tolist()
    assert drawn != wm.Samples.of(data, classes=names, limit=5, seed=1).y.tolist()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([(_picture(0), 0), (_picture(0, size=(5, 5)), 0)], "must all have one shape"),
        ([(_picture(0), 0.5)], "a label must be one whole number"),
        ([(_picture(0), torch.tensor([0.0, 1.0]))], "a label must be one whole number"),
        ([("a.png", 0)], "an image must be a picture"),
        ([(torch.rand(2, 2, 2, 2), 0)], "an image must be a picture"),
        ([_picture(0)], "an item must be an image and its label"),
        ([{"text": "no image", "label": 0}], "an item must name its image"),
        ([], "must not be empty"),
        (iter(()), "must not be empty"),
        ([(torch.full((1, 2, 2), 7.0), 0)], "must lie in \\[0, 1\\]"),
        ([(_picture(0), -1)], "labels must lie in"),
        ([(_picture(0), 10**12)], "a label must be below 100,000"),
    ],
)
def test_odd_items_are_refused_in_words(data: Any, says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        wm.Samples.of(data)


def test_what_would_fill_the_memory_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "LARGEST", 100)
    data = TensorDataset(torch.rand(50, 1, 2, 2), torch.zeros(50, dtype=torch.int64))
    with pytest.raises(ArgumentError, match="limit"):
        wm.Samples.of(data)
    assert len(wm.Samples.of(data, limit=20)) == 20
