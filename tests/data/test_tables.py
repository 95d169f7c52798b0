"""Tables: those inside scikit-learn, and anybody's own, with all that may be wrong in them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import wmlearn as wm
from wmlearn.data import tables


@pytest.mark.parametrize(
    ("name", "sizes", "columns", "classes"),
    [("breast-cancer", (400, 169), 30, 2), ("digit-table", (1200, 597), 54, 10)],
)
def test_a_table_inside_scikit_learn_is_samples_in_the_middle_third(
    name: str, sizes: tuple[int, int], columns: int, classes: int
) -> None:
    splits = wm.load(name)
    assert (len(splits.train), len(splits.test)) == sizes
    assert splits.train.x.shape[1] == columns == len(tables.inner_table(name).scale.columns)
    assert len(splits.train.classes) == classes
    low, high = (bound for bound in splits.train.x.aminmax(dim=0))
    assert torch.allclose(low, torch.full_like(low, 1 / 3), atol=1e-6)
    assert torch.allclose(high, torch.full_like(high, 2 / 3), atol=1e-6)
    rows = {row.numpy().tobytes() for row in splits.train.x}
    assert not rows & {row.numpy().tobytes() for row in splits.test.x}


def test_a_scale_goes_there_and_back_and_knows_its_columns() -> None:
    from sklearn.datasets import load_breast_cancer

    table = tables.inner_table("breast-cancer")
    raw = torch.from_numpy(load_breast_cancer(return_X_y=True)[0])
    assert torch.allclose(table.scale.values(table.scale(raw[:50])), raw[:50], rtol=1e-4, atol=1e-5)
    assert table.scale.columns[0] == "mean radius"
    assert table.splits.train.classes == ("malignant", "benign")


def test_the_bounds_are_those_of_the_training_rows_and_what_lies_far_out_is_cut_off() -> None:
    rows = [[float(i), float(i % 5)] for i in range(20)]
    table = wm.data.table_of(rows, ["a", "b"] * 10, seed=3)
    train = table.scale.values(table.splits.train.x)
    assert table.scale.low.tolist() == train.amin(0).round().tolist()
    assert table.scale.high.tolist() == train.amax(0).round().tolist()
    assert table.scale([[1e9, -1e9]]).tolist() == [[1.0, 0.0]]


def test_every_split_holds_the_classes_in_proportion() -> None:
    splits = wm.load("breast-cancer")
    shares = [float((part.y == 1).float().mean()) for part in (splits.train, splits.test)]
    assert abs(shares[0] - shares[1]) < 0.01


ROWS = np.arange(40.0).reshape(20, 2) % 7
LABELS = ["a", "b"] * 10


def _with(value: Any) -> list[list[Any]]:
    rows: list[list[Any]] = ROWS.tolist()
    rows[3][1] = value
    return rows


@pytest.mark.parametrize("value", [float("nan"), None, "", "NA", "?", float("inf")])
def test_a_missing_value_is_named_with_its_row_and_column(value: object) -> None:
    with pytest.raises(wm.ArgumentError, match=r"no missing value, got .* in row 3, column 'height'.*median"):
        wm.data.table_of(_with(value), LABELS, columns=("weight", "height"))


def test_text_among_numbers_is_named() -> None:
    with pytest.raises(wm.ArgumentError, match=r"numbers only, got \"'tall' in row 3, column 'height'\""):
        wm.data.table_of(_with("tall"), LABELS, columns=("weight", "height"))


def test_a_constant_column_is_named_even_if_only_test_rows_vary() -> None:
    rows = ROWS.copy()
    rows[:, 1] = 4
    with pytest.raises(wm.ArgumentError, match="must vary among the training rows, got 'column 1'"):
        wm.data.table_of(rows, LABELS)
    table = wm.data.table_of(ROWS, LABELS)
    kept = table.scale.values(table.splits.train.x)[:, 0]
    only_test = torch.isin(torch.from_numpy(ROWS[:, 0]), kept.round())
    assert bool(only_test.any())


def test_a_label_never_seen_is_named() -> None:
    table = wm.data.table_of(ROWS, LABELS)
    with pytest.raises(wm.ArgumentError, match="must be one of a, b, got 'c'"):
        table.samples(ROWS[:2], ["a", "c"])
    with pytest.raises(wm.ArgumentError, match="every class must be among the training rows, got 'c'"):
        wm.data.table_of(ROWS, LABELS, classes=("a", "b", "c"))
    assert table.samples(ROWS[:2], ["b", "a"]).y.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"rows": ROWS, "labels": LABELS[:5]}, "each of 20 rows must have a label"),
        ({"rows": ROWS, "labels": ["a"] * 20}, "at least two classes"),
        ({"rows": ROWS, "labels": LABELS, "columns": ("one",)}, "columns must name each of 2"),
        ({"rows": ROWS, "labels": LABELS, "n_train": 20}, "n_train must lie in 1..19"),
        ({"rows": ROWS[:, :0], "labels": LABELS}, r"rows must have shape \(N, F\)"),
        ({"rows": ROWS.ravel(), "labels": LABELS}, r"rows must have shape \(N, F\)"),
        ({"rows": ["1 2", "3 4"], "labels": ["a", "b"]}, r"rows must have shape \(N, F\)"),
    ],
)
def test_other_rows_are_refused_in_words(arguments: dict, says: str) -> None:
    with pytest.raises(wm.ArgumentError, match=says):
        wm.data.table_of(**arguments)


def _file(folder: Path, *lines: str) -> Path:
    path = folder / "mine.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


GOOD = [f"{i},{'no' if i % 3 else 'yes'},{i * i % 11}" for i in range(30)]


def test_a_csv_file_becomes_a_table(tmp_path: Path) -> None:
    path = _file(tmp_path, "\ufeffage,ill,dose", *GOOD, "")
    table = wm.data.read_table(path, "ill")
    assert table.scale.columns == ("age", "dose")
    assert table.splits.train.classes == ("no", "yes")
    assert (len(table.splits.train), len(table.splits.test)) == (21, 9)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["age,ill,dose", *GOOD, "9,no,"], "no missing value, got .*column 'dose'"),
        (["age,ill,dose", *GOOD, "9,no,much"], "'much' in row 30, column 'dose'"),
        (["age,ill,dose", *GOOD, "9,,4"], "column 'ill' must name a class in line 32"),
        (["age,ill,dose", *GOOD, "9,no"], "line 32 must hold 3 values"),
        (["age,ill,age", *GOOD], "a name of its own, got 'age'"),
        (["age,sick,dose", *GOOD], "label must be one of age, sick, dose"),
        (["age,ill,dose"], "at least one row"),
        ([], "at least one row"),
    ],
)
def test_a_csv_file_with_something_wrong_is_refused_in_words(
    tmp_path: Path, lines: list[str], says: str
) -> None:
    with pytest.raises(wm.ArgumentError, match=says):
        wm.data.read_table(_file(tmp_path, *lines), "ill")


def test_a_file_that_is_no_text_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(b"age,ill\n\xff\xfe\x00,1\n")
    with pytest.raises(wm.DataError, match="must be a CSV file in UTF-8"):
        wm.data.read_table(path, "ill")
    with pytest.raises(wm.ArgumentError, match="must be a CSV file"):
        wm.data.read_table(tmp_path, "ill")


def test_numbers_to_predict_come_with_their_rows() -> None:
    splits = tables.diabetes()
    assert (len(splits.train), len(splits.test)) == (300, 142)
    assert splits.train.x.shape == (300, 10)
    assert splits.train.scale.columns[2] == "bmi"
    assert len(splits.train[:7]) == 7
    with pytest.raises(wm.ArgumentError, match="must be finite"):
        tables.Measured(splits.train.x[:1], torch.tensor([float("nan")]), splits.train.scale)


def test_without_scikit_learn_a_table_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    tables.inner_table.cache_clear()
    for ask in (lambda: wm.load("breast-cancer"), tables.diabetes):
        with pytest.raises(wm.DataError, match=r'needs scikit-learn.*pip install "wmlearn\[tables\]"'):
            ask()
