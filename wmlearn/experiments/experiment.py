"""A long experiment: independent cells, measured side by side, written after each one, so that it resumes
where it was stopped; and the sentences that say what came out.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from ..data import files, strict_json
from ..errors import DataError, SetAsideWarning, require
from ..parallel import completed
from ..training import Recipe, best_device, resolve
from ..words import visible

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
    raw = files.read(path, most=strict_json.MOST_BYTES)
    try:
        content = strict_json.parsed(raw)
        _check_shape(content)
        content["rows"] = tuple(content["rows"])
        return Results(**content)
    except (DataError, ValueError, TypeError) as error:
        rule = f"{path} must hold the results of an experiment"
        fix = "Move it away and run the experiment again."
        raise DataError(f"{rule}, got: {visible(str(error)).rstrip('.')}. {fix}") from error


def _check_shape(content: Any) -> None:
    """Raise `ArgumentError` unless `content` has what `_write` writes, each of its type."""
    require(isinstance(content, dict), "it must be an object", type(content).__name__)
    wanted = {field.name: field.type for field in fields(Results)}
    require(content.keys() == wanted.keys(), f"it must have the fields {', '.join(wanted)}", sorted(content))
    for name, part in content.items():
        kind = {"recipe": dict, "rows": list}.get(name, str)
        require(isinstance(part, kind), f"{name} must be of type {kind.__name__}", type(part).__name__)
    odd = [type(row).__name__ for row in content["rows"] if not isinstance(row, dict)]
    require(not odd, "every row must be an object", odd[:3])


def shipped(name: str) -> Results:
    """Read the results that ship with the course."""
    return read(files.ROOT / "results" / f"{name}.json")


def run(
    experiment: Experiment, folder: Path, *, jobs: int = 1, scheduler: str | None = None
) -> Iterator[Row]:
    """Measure the cells that `folder`/NAME.json doesn't hold yet, and yield each row once it is on disk.

    `jobs` and `scheduler` are those of `parallel.completed`: here, in processes, or on a Dask cluster. Raises
    `ArgumentError` when the file, or a worker, is of another version or recipe: rows of two experiments are
    never mixed; and `DataError` when another run writes the file. Rows without a measurement, and cells with
    two, are measured again, with `SetAsideWarning`; the file as it was stays beside the new one.
    """
    path = folder / f"{experiment.name}.json"
    blank = _blank(experiment)
    with files.alone(path):
        results = _resumed(path, blank, experiment) if path.exists() else blank
        known = {_name(row, experiment) for row in results.rows}
        order = {json.dumps(cell): i for i, cell in enumerate(experiment.cells)}
        todo = [cell for cell in experiment.cells if json.dumps(cell) not in known]
        for row in completed(_measure, _Order(experiment, blank), todo, jobs=jobs, scheduler=scheduler):
            rows = sorted([*results.rows, row], key=lambda row: order[_name(row, experiment)])
            results = replace(results, rows=tuple(rows))
            _write(path, results)
            yield row


def _resumed(path: Path, blank: Results, experiment: Experiment) -> Results:
    results = read(path)
    head = replace(results, rows=())
    fix = f"Move {path} away, or name another folder."
    require(head == blank, f"{path.name} must come from this version and recipe", head, fix)
    cells = {json.dumps(cell) for cell in experiment.cells}
    strange = [_cell(row, experiment) for row in results.rows if _name(row, experiment) not in cells]
    require(not strange, f"{path.name} must hold rows of this experiment only", strange, fix)
    return _without_odd_rows(path, results, experiment)


def _without_odd_rows(path: Path, results: Results, experiment: Experiment) -> Results:
    """Leave out what was never measured, or measured twice; the file is set aside where that is so."""
    counts = Counter(_name(row, experiment) for row in results.rows)

    def is_sound(row: Row) -> bool:
        return len(row) > len(experiment.cells[0]) and counts[_name(row, experiment)] == 1

    sound = replace(results, rows=tuple(filter(is_sound, results.rows)))
    n_odd = len(results.rows) - len(sound.rows)
    if n_odd:
        aside = files.set_aside(path)
        _write(path, sound)
        says = f"{n_odd} rows of {path} were not measured, or twice: they are measured again. As it was, it"
        warnings.warn(f"{says} lies at {aside}.", SetAsideWarning, stacklevel=4)
    return sound


def _write(path: Path, results: Results) -> None:
    head = json.dumps(asdict(replace(results, rows=())), indent=1, ensure_ascii=False).removesuffix("[]\n}")
    rows = ",\n".join(f"  {_line(row)}" for row in results.rows)  # a row a line
    files.write(path, f"{head}[\n{rows}\n ]\n}}\n".encode())


def _line(row: Row) -> str:
    try:
        return json.dumps(row, allow_nan=False)
    except ValueError as error:
        raise DataError(f"what is measured must be numbers that JSON has, got: {error}, in {row}") from error


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


def _name(row: Row, experiment: Experiment) -> str:
    """Return a row's cell as text: unlike Python, that tells 1 from True and from 1.0."""
    return json.dumps(_cell(row, experiment))


def _blank(experiment: Experiment) -> Results:
    precision = resolve(experiment.recipe.precision, best_device())
    return Results(experiment.name, VERSION, torch.__version__, precision, asdict(experiment.recipe), ())
