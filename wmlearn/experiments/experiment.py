"""A long experiment: independent cells, measured in parallel, written after each one, so that it resumes
where it was stopped.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from ..data import files
from ..errors import DataError, require
from ..parallel import cluster
from ..training import Recipe, best_device, resolve

Cell = dict[str, Any]
"""The parameters of one measurement; JSON values only."""
Row = dict[str, Any]
"""A cell and what was measured in it; JSON values only."""


@dataclass(frozen=True)
class Experiment:
    """A question, the cells that answer it, and how to measure one of them."""

    name: str
    question: str
    minutes: int  # on two cores, about
    cells: tuple[Cell, ...]
    measure: Callable[[Cell, Recipe], Row]
    recipe: Recipe = Recipe()  # a cell's "epochs", "lr", "batch_size" and "seed" go first


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
        return tuple(row for row in self.rows if all(row.get(key) == value for key, value in fixed.items()))


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

    One job runs here, with all threads; more are processes of one thread each. `scheduler` is the address of
    a Dask cluster that measures the cells instead, each with one thread, or "local" for one of `jobs`
    processes that is started here (extra `cluster`). Raises `ArgumentError` when the file, or a worker, is of
    another version or recipe: rows of two experiments are never mixed.
    """
    require(jobs >= 1, "jobs must be at least 1", jobs)
    path = folder / f"{experiment.name}.json"
    results = _blank(experiment)
    if path.exists():
        old = read(path)
        fix = f"Move {path} away, or name another folder."
        require(
            replace(old, rows=()) == results,
            f"{path.name} must come from this version and recipe",
            replace(old, rows=()),
            fix,
        )
        results = old
    known = [_cell(row, experiment) for row in results.rows]
    strange = [cell for cell in known if cell not in experiment.cells]
    require(
        not strange,
        f"{path.name} must hold rows of this experiment only",
        strange,
        f"Move {path} away, or name another folder.",
    )
    todo = [cell for cell in experiment.cells if cell not in known]
    measured = (
        _measured(experiment, todo, jobs)
        if scheduler is None
        else _on_cluster(experiment, todo, jobs, scheduler)
    )
    for row in measured:
        order = {json.dumps(cell): i for i, cell in enumerate(experiment.cells)}
        rows = sorted([*results.rows, row], key=lambda row: order[json.dumps(_cell(row, experiment))])
        results = replace(results, rows=tuple(rows))
        _write(path, results)
        yield row


def _write(path: Path, results: Results) -> None:
    head = json.dumps(asdict(replace(results, rows=())), indent=1, ensure_ascii=False).removesuffix("[]\n}")
    rows = ",\n".join(f"  {json.dumps(row)}" for row in results.rows)  # a row a line
    files.write(path, f"{head}[\n{rows}\n ]\n}}\n".encode())


def _measured(experiment: Experiment, cells: Sequence[Cell], jobs: int) -> Iterator[Row]:
    measure = partial(_measure, experiment)
    if jobs == 1:
        yield from map(measure, cells)
        return
    context = multiprocessing.get_context("spawn")  # a forked torch may hang
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(
        jobs, mp_context=context, initializer=torch.set_num_threads, initargs=(1,)
    ) as pool:
        futures = [pool.submit(measure, cell) for cell in cells]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:  # Ctrl-C, too: whoever stops does not wait for the cells under way
            for worker in set(multiprocessing.active_children()) - others:
                worker.terminate()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def _on_cluster(experiment: Experiment, cells: Sequence[Cell], jobs: int, scheduler: str) -> Iterator[Row]:
    if not cells:
        return
    with cluster(jobs, scheduler) as client:
        from dask.distributed import as_completed  # pyright: ignore[reportMissingImports]

        for future in as_completed(
            client.map(partial(_alone, experiment, _blank(experiment)), cells, pure=False)
        ):
            yield future.result()


def _alone(experiment: Experiment, asked: Results, cell: Cell) -> Row:
    """Measure a cell on a worker, which must have all that `asked` says of the machine that writes the rows."""
    torch.set_num_threads(1)
    mine, fix = _blank(experiment), "Install the same on every machine, or leave this one out."
    require(
        mine == asked,
        f"a worker must have wmlearn {asked.wmlearn}, torch {asked.torch} and {asked.precision}",
        mine,
        fix,
    )
    return _measure(experiment, cell)


def _measure(experiment: Experiment, cell: Cell) -> Row:
    names = ("epochs", "lr", "batch_size", "seed")
    recipe = replace(experiment.recipe, **{name: cell[name] for name in names if name in cell})
    return {**cell, **experiment.measure(cell, recipe)}


def _cell(row: Row, experiment: Experiment) -> Cell:
    return {key: row.get(key) for key in experiment.cells[0]}


def _blank(experiment: Experiment) -> Results:
    precision = resolve(experiment.recipe.precision, best_device())
    return Results(
        experiment.name, version("wmlearn"), torch.__version__, precision, asdict(experiment.recipe), ()
    )
