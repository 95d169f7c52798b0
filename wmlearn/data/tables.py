"""Tables: rows of numbers, scaled so that what was seen lies in the middle third of [0, 1].

With the bounds at 0 and 1, as is usual, no row could hold a value that nobody has seen; a third of room on
either side is left for those. The bounds are those of the training rows.

Three tables lie inside scikit-learn (BSD-3-Clause), so that nothing is fetched and nothing ships here:
"breast-cancer", W. Wolberg, O. Mangasarian, N. Street, W. Street: Breast Cancer Wisconsin (Diagnostic), UCI
Machine Learning Repository 1993, CC BY 4.0; "digit-table", E. Alpaydin, C. Kaynak: Optical Recognition of
Handwritten Digits, UCI 1998, CC BY 4.0; and "diabetes", B. Efron, T. Hastie, I. Johnstone, R. Tibshirani:
Least Angle Regression, Annals of Statistics 32 (2004).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import DataError, require, require_sklearn
from .samples import Samples, Splits, split_places

LOW = 1 / 3
HIGH = 2 / 3
"""Where the smallest and the largest training value of a column come to lie."""
MOST_BYTES = 200 * 2**20
"""The largest file that is read as a table."""
TESTED = 0.3
"""The share of rows that are kept for the test."""
SIZES = {"breast-cancer": 400, "digit-table": 1200, "diabetes": 300}
"""Training rows of the tables inside scikit-learn."""


@dataclass(frozen=True, eq=False)
class Scale:
    """The names and the bounds of columns: calling it scales rows, `values` goes back.

    >>> scale = wm.data.tables.scale_of(torch.tensor([[1.0, 20.0], [3.0, 60.0]]), ("weight", "height"))
    >>> scale(torch.tensor([[1.0, 40.0], [9.0, 80.0]]))
    tensor([[0.3333, 0.5000],
            [1.0000, 0.8333]])
    """

    columns: tuple[str, ...]
    low: Tensor  # (F,) float64
    high: Tensor  # (F,)

    def __call__(self, rows: Any) -> Tensor:
        """Scale rows (N, F) of numbers to float32 in [0, 1]; what lies further out than that is cut off.

        Raises `ArgumentError` for a missing value, text, or another number of columns.
        """
        raw = _numbers(rows, self.columns)
        inner = LOW + (HIGH - LOW) * (raw - self.low) / (self.high - self.low)
        return inner.clamp(0, 1).float()

    def values(self, x: Tensor) -> Tensor:
        """Return the numbers (N, F) float64 that scaled rows `x` (N, F) stand for."""
        return self.low + (x.double() - LOW) / (HIGH - LOW) * (self.high - self.low)


def scale_of(rows: Any, columns: Sequence[str] | None = None) -> Scale:
    """Take the bounds of columns from training rows (N, F).

    Raises `ArgumentError` for no rows, a missing value, text, a column that is the same in all rows, or names
    that don't fit the columns.
    """
    raw = _numbers(rows, columns)
    require(len(raw) > 0, "a table must hold at least one row", 0)
    names = _names(columns, raw.shape[1])
    low = raw.amin(0)
    high = raw.amax(0)
    constant = [name for name, same in zip(names, (low == high).tolist(), strict=True) if same]
    fix = "Leave it out: it tells nothing, and has no range to scale by."
    require(not constant, "every column must vary among the training rows", ", ".join(constant), fix)
    return Scale(names, low, high)


@dataclass(frozen=True, eq=False)
class Table:
    """Rows with labels, split and scaled, and the scale with the names of the columns."""

    splits: Splits
    scale: Scale

    def samples(self, rows: Any, labels: Sequence[object]) -> Samples:
        """Make samples of further rows (N, F) and the names of their classes.

        Raises `ArgumentError` for a label that the table has never seen, or for rows that don't fit it.
        """
        classes = self.splits.train.classes
        return Samples(self.scale(rows), _numbered(labels, classes), classes)


def table_of(
    rows: Any,
    labels: Sequence[object],
    *,
    columns: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    n_train: int | None = None,
    seed: int = 0,
) -> Table:
    """Make a table of numbers (N, F) and labels (N,), which may be text.

    `n_train` rows, by default seven in ten, are for training, drawn with the classes in proportion. `classes`
    names the classes in their order; by default they are the labels, sorted. Raises `ArgumentError` for a
    missing value, text, a column that is the same in all training rows, or a label that isn't among
    `classes`.
    """
    raw = _numbers(rows, columns)
    names = tuple(map(str, classes)) if classes is not None else _sorted(labels)
    require(len(names) >= 2, "a table must have at least two classes", names)
    y = _numbered(labels, names)
    require(len(raw) == len(y), f"each of {len(raw)} rows must have a label", len(y))
    require(len(y) > 1, "a table must hold at least two rows", len(y))
    size = round((1 - TESTED) * len(y)) if n_train is None else n_train
    require(0 < size < len(y), f"n_train must lie in 1..{len(y) - 1}", size)
    whole = Samples(torch.zeros(len(y), 1), y, names)  # splitting asks for the labels alone
    train, test = split_places(whole, size, len(y) - size, seed=seed)
    unseen = [names[label] for label in range(len(names)) if not (y[train] == label).any()]
    fix = "Leave the class out of `classes`, or bring rows of it."
    require(not unseen, "every class must be among the training rows", ", ".join(unseen), fix)
    scale = scale_of(raw[train], columns)
    splits = Splits(*(Samples(scale(raw[part]), y[part], names) for part in (train, test)))
    return Table(splits, scale)


def read_table(path: Path | str, label: str, *, classes: Sequence[str] | None = None, seed: int = 0) -> Table:
    """Read a CSV file whose first line names the columns; `label` names the one that holds the classes.

    Raises `ArgumentError` and names line and column for a missing value, text among numbers, a constant
    column, an unknown label; `DataError` for a file that can't be read as text.
    """
    path = Path(path)
    require(path.is_file(), "a table must be a CSV file", str(path))
    require(path.stat().st_size <= MOST_BYTES, f"a table must hold at most {MOST_BYTES:,} bytes", path.name)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [line for line in csv.reader(file) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path.name} must be a CSV file in UTF-8, got: {error}. Save it as one.") from error
    require(len(lines) > 1, "a table must hold a line of names and at least one row", len(lines))
    head = [name.strip() for name in lines[0]]
    twice = sorted({name for name in head if head.count(name) > 1})
    require(not twice, "every column must have a name of its own", ", ".join(twice))
    require(label in head, f"label must be one of {', '.join(head)}", label)
    at = head.index(label)
    columns = [*head[:at], *head[at + 1 :]]
    labels = []
    rows = []
    for number, line in enumerate(lines[1:], 2):
        require(len(line) == len(head), f"line {number} must hold {len(head)} values", len(line))
        require(line[at].strip() != "", f"column {label!r} must name a class in line {number}", "nothing")
        labels.append(line[at].strip())
        rows.append([*line[:at], *line[at + 1 :]])
    return table_of(rows, labels, columns=columns, classes=classes, seed=seed)


# Tables inside scikit-learn


@cache
def inner_table(name: str) -> Table:
    """Return "breast-cancer" (569 rows, 30 columns, 2 classes) or "digit-table" (1,797 rows, 10 classes: how
    much ink lies in each of 54 fields; ten that hardly ever hold any are left out), with names of columns.

    Raises `DataError` where scikit-learn is not installed.
    """
    require_sklearn(f'The table "{name}"')
    from sklearn import datasets

    require(name in TABLES, f"the table must be one of {', '.join(TABLES)}", name)
    found: Any = datasets.load_breast_cancer() if name == "breast-cancer" else datasets.load_digits()
    names = [str(column) for column in found.feature_names]
    varies = [i for i in range(len(names)) if (found.data[:, i] != found.data[0, i]).any()]
    if name == "digit-table":
        # some further fields hold ink in one or two rows only, perhaps none of those for training
        varies = [i for i in varies if (found.data[:, i] != 0).mean() > 0.01]
    classes = [str(one) for one in found.target_names]
    labels = [classes[label] for label in found.target]
    columns = [names[i] for i in varies]
    return table_of(found.data[:, varies], labels, columns=columns, classes=classes, n_train=SIZES[name])


TABLES = ("breast-cancer", "digit-table")


def load_table(name: str) -> Splits:
    """Return the samples of a table inside scikit-learn."""
    return inner_table(name).splits


@dataclass(frozen=True, eq=False)
class Measured:
    """Rows and a number for each: what a regression learns from."""

    x: Tensor  # (N, F) float32 in [0, 1]
    y: Tensor  # (N,) float32
    scale: Scale

    def __post_init__(self) -> None:
        require(self.x.ndim == 2, "rows must have shape (N, F)", tuple(self.x.shape))
        require(self.y.shape == self.x.shape[:1], "each row must have one number", tuple(self.y.shape))
        require(bool(self.y.isfinite().all()), "numbers must be finite", "NaN or infinity")

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: Tensor | slice) -> Measured:
        return replace(self, x=self.x[index], y=self.y[index])

    def __repr__(self) -> str:
        return f"Measured({len(self):,} rows of {self.x.shape[1]} columns, a number for each)"


@dataclass(frozen=True, eq=False)
class MeasuredSplits:
    """What a regression learns from, and what it has never seen."""

    train: Measured
    test: Measured


def diabetes() -> MeasuredSplits:
    """Return 300 patients to learn from and 142 others, each with 10 columns and how far the disease had gone
    a year later, 25 to 346.

    Raises `DataError` where scikit-learn is not installed.
    """
    require_sklearn('The table "diabetes"')
    from sklearn import datasets

    found: Any = datasets.load_diabetes()
    order = torch.randperm(len(found.target), generator=torch.Generator().manual_seed(0))
    raw = torch.from_numpy(found.data)
    y = torch.from_numpy(found.target).float()
    train = order[: SIZES["diabetes"]]
    test = order[SIZES["diabetes"] :]
    scale = scale_of(raw[train], found.feature_names)
    parts = [Measured(scale(raw[part]), y[part], scale) for part in (train, test)]
    return MeasuredSplits(*parts)


# What rows and labels must be


def _names(columns: Sequence[str] | None, count: int) -> tuple[str, ...]:
    names = tuple(map(str, columns)) if columns is not None else tuple(f"column {i}" for i in range(count))
    require(len(names) == count, f"columns must name each of {count}", len(names))
    return names


def _numbers(rows: Any, columns: Sequence[str] | None) -> Tensor:
    """Return rows as (N, F) float64, or say which value is none."""
    is_tensor = isinstance(rows, Tensor)
    raw = rows.detach().cpu().double() if is_tensor else _parsed(np.asarray(rows), columns)
    require(raw.ndim == 2 and raw.shape[1] > 0, "rows must have shape (N, F)", tuple(raw.shape))
    names = _names(columns, raw.shape[1])
    missing = (~raw.isfinite()).nonzero()  # (K, 2) row and column
    if len(missing):
        row, column = missing[0].tolist()
        got = f"{raw[row, column].item()} in row {row}, column {names[column]!r}, and {len(missing)} in all"
        fix = "Fill them in, say with the column's median, or leave those rows out."
        require(False, "a table must have no missing value", got, fix)
    return raw


MISSING = ("", "?", "na", "n/a", "nan", "null", "none", "-")
"""How files write that a value is missing."""


def _parsed(cells: np.ndarray, columns: Sequence[str] | None) -> Tensor:
    """Turn cells (N, F) of any type into numbers; what is missing becomes NaN."""
    if cells.dtype.kind in "fiub":
        return torch.from_numpy(cells.astype(np.float64))
    require(cells.ndim == 2, "rows must have shape (N, F)", cells.shape, "Are all rows of one length?")
    names = _names(columns, cells.shape[1])
    numbers = np.full(cells.shape, np.nan)
    for row, line in enumerate(cells):
        for column, cell in enumerate(line):
            if cell is None or str(cell).strip().lower() in MISSING:
                continue
            try:
                numbers[row, column] = float(cell)
            except (TypeError, ValueError):
                got = f"{str(cell)[:40]!r} in row {row}, column {names[column]!r}"
                fix = "Turn text into numbers first, a column of 0 and 1 for each word, or leave it out."
                require(False, "a table must hold numbers only", got, fix)
    return torch.from_numpy(numbers)


def _sorted(labels: Sequence[object]) -> tuple[str, ...]:
    return tuple(sorted({_word(label) for label in labels}))


def _word(label: object) -> str:
    return str(label.item()) if isinstance(label, Tensor) else str(label)


def _numbered(labels: Sequence[object], classes: tuple[str, ...]) -> Tensor:
    """Return labels as int64 (N,); raise `ArgumentError` for one that no class has."""
    words = [_word(label) for label in labels]
    unknown = sorted(set(words) - set(classes))
    got = ", ".join(unknown[:5])
    fix = "A model can't name a class that it never saw: name it in `classes` and train with rows of it."
    require(not unknown, f"a label must be one of {', '.join(classes)}", got, fix)
    numbers = {name: i for i, name in enumerate(classes)}
    return torch.tensor([numbers[word] for word in words], dtype=torch.int64)
