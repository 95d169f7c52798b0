"""A long experiment: independent cells, measured side by side, written after each one, so that it resumes
where it was stopped; and the sentences that say what came out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from ..data import files
from ..errors import DataError, require
from ..parallel import completed
from ..training import Recipe, best_device, resolve

VERSION = version("wmlearn")
Cell = dict[str, Any]
"""The parameters of one measurement; JSON values only."""
Row = dict[str, Any]
"""A cell and what was measured in it; JSON values only."""


@dataclass(frozen=True)
class Results:
    """What an experiment measured, with all that one needs to measure it again."""

    experiment: str
    wmlearn: str
    torch: str
    precision: str
    recipe: dict[str, Any]
    rows: tuple[Row, ...]

    def where(self, **fixed: object) -> tuple[Row, ...]:
        """Return the rows that have all the values named."""

        def fits(row: Row) -> bool:
            return all(row.get(key) == value for key, value in fixed.items())

        return tuple(filter(fits, self.rows))


@dataclass(frozen=True)
class Comparison:
    """One published number, and what was measured here; `paper` is "" for what the paper doesn't have, as a
    control.
    """

    what: str
    paper: str
    here: str


@dataclass(frozen=True)
class Experiment:
    """A question, the cells that answer it, how to measure one of them, and what the rows say."""

    name: str
    question: str
    minutes: int  # on two cores, about
    chapter: str  # the notebook that shows it, by number and title
    cells: tuple[Cell, ...]
    measure: Callable[[Cell, Recipe], Row]
    summary: Callable[[Results], list[Comparison]]
    recipe: Recipe = Recipe()  # a cell's "epochs", "lr", "batch_size" and "seed" go first


def values(rows: Sequence[Row], key: str) -> list[Any]:
    """Return what was measured as `key`, one a row."""
    return [row[key] for row in rows]


def read(path: Path) -> Results:
    """Read the results of an experiment from a JSON file."""
    try:
        raw = json.loads(files.read(path))
        return Results(**{**raw, "rows": tuple(raw["rows"])})
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(
            f"{path} must hold the results of an experiment, got: {error}. Move it away and run the"
            " experiment again."
        ) from error


def shipped(name: str) -> Results:
    """Read the results that ship with the course."""
    return read(files.ROOT / "results" / f"{name}.json")


def run(
    experiment: Experiment, folder: Path, *, jobs: int = 1, scheduler: str | None = None
) -> Iterator[Row]:
    """Measure the cells that `folder`/NAME.json doesn't hold yet, and yield each row once it is on disk.

    `jobs` and `scheduler` are those of `parallel.completed`: here, in processes, or on a Dask cluster. Raises
    `ArgumentError` when the file, or a worker, is of another version or recipe: rows of two experiments are
    never mixed.
    """
    path = folder / f"{experiment.name}.json"
    blank = _blank(experiment)
    results = _resumed(path, blank) if path.exists() else blank
    known = [_cell(row, experiment) for row in results.rows]
    strange = [cell for cell in known if cell not in experiment.cells]
    require(
        not strange,
        f"{path.name} must hold rows of this experiment only",
        strange,
        f"Move {path} away, or name another folder.",
    )
    todo = [cell for cell in experiment.cells if cell not in known]
    order = {json.dumps(cell): i for i, cell in enumerate(experiment.cells)}
    for row in completed(_measure, _Order(experiment, blank), todo, jobs=jobs, scheduler=scheduler):
        rows = sorted([*results.rows, row], key=lambda row: order[json.dumps(_cell(row, experiment))])
        results = replace(results, rows=tuple(rows))
        _write(path, results)
        yield row


def _resumed(path: Path, blank: Results) -> Results:
    results = read(path)
    head = replace(results, rows=())
    fix = f"Move {path} away, or name another folder."
    require(head == blank, f"{path.name} must come from this version and recipe", head, fix)
    return results


def _write(path: Path, results: Results) -> None:
    head = json.dumps(asdict(replace(results, rows=())), indent=1, ensure_ascii=False).removesuffix("[]\n}")
    rows = ",\n".join(f"  {json.dumps(row)}" for row in results.rows)  # a row a line
    files.write(path, f"{head}[\n{rows}\n ]\n}}\n".encode())


@dataclass(frozen=True)
class _Order:
    """What whoever measures is given: the experiment, and what its file says of versions and precision."""

    experiment: Experiment
    blank: Results


def _measure(order: _Order, cell: Cell) -> Row:
    """Measure a cell, on a machine that has all that the file says of the one that writes the rows."""
    experiment = order.experiment
    wanted = order.blank
    present = _blank(experiment)
    require(
        present == wanted,
        f"a worker must have wmlearn {wanted.wmlearn}, torch {wanted.torch} and {wanted.precision}",
        present,
        "Install the same on every machine, or leave this one out.",
    )
    names = ("epochs", "lr", "batch_size", "seed")
    recipe = replace(experiment.recipe, **{name: cell[name] for name in names if name in cell})
    return {**cell, **experiment.measure(cell, recipe)}


def _cell(row: Row, experiment: Experiment) -> Cell:
    return {key: row.get(key) for key in experiment.cells[0]}


def _blank(experiment: Experiment) -> Results:
    precision = resolve(experiment.recipe.precision, best_device())
    return Results(experiment.name, VERSION, torch.__version__, precision, asdict(experiment.recipe), ())
