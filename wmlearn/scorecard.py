"""Every mark against every removal: is the owner still believed, and what did it cost the thief?

The cells of the matrix are independent. They run one by one, as processes on this machine, or on a Dask
cluster; each is written when it is done, so that an interrupted run goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from .data import Samples, files
from .errors import OverlapWarning, require
from .evidence import Evidence, judge
from .parallel import cluster
from .protocols import Marked, Removal
from .training import accuracy

NONE = "none"
DESTROYED = 0.9  # of the accuracy before: a thief with less has nothing worth the theft

State = Literal["", "void", "destroyed"]
"""Void: the mark was not even in the model before the attack. Destroyed: the model lost a tenth of its
accuracy.
"""


@dataclass(frozen=True)
class Row:
    """One cell: what is left of a mark, and of the model, after a removal; and what the same key finds in an
    unmarked model after it.
    """

    mark: str
    removal: str
    before: float  # accuracy on the test set, 0..1
    after: float
    evidence: Evidence
    control: Evidence | None  # the same attack on a model without any mark
    seconds: float = field(repr=False)  # of the attack; other on every run, so it isn't printed
    samples: int  # that the attacker needed

    @property
    def lost(self) -> float:
        """Accuracy that the attack cost, in shares."""
        return self.before - self.after

    @property
    def destroyed(self) -> bool:
        """Say whether less than `DESTROYED` of the accuracy is left."""
        return self.after < DESTROYED * self.before


@dataclass(frozen=True)
class Scorecard:
    """The rows, in the order of marks and removals, and the level at which a judge decides."""

    rows: tuple[Row, ...]
    alpha: float

    def survives(self, row: Row) -> bool:
        """Say whether a judge still supports the owner's claim."""
        return judge(row.evidence, self.alpha).owned

    def state(self, row: Row) -> State:
        """Say whether a cell counts: not where the mark never was, nor where the model is gone."""
        none = next(other for other in self.rows if (other.mark, other.removal) == (row.mark, NONE))
        return "void" if not self.survives(none) else "destroyed" if row.destroyed else ""

    def dicts(self) -> list[dict[str, Any]]:
        """Return plain values, for JSON."""
        return [
            {
                **asdict(row),
                "p_value": row.evidence.p_value,
                "survives": self.survives(row),
                "state": self.state(row),
            }
            for row in self.rows
        ]

    def _repr_markdown_(self) -> str:
        head = (
            "| mark | removal | accuracy | hits | p | unmarked: p | the owner is"
            " |\n|---|---|--:|--:|--:|--:|---|"
        )
        return "\n".join([head, *map(self._line, self.rows)])

    def _line(self, row: Row) -> str:
        found, control = row.evidence, f"{row.control.p_value:.0e}" if row.control else "–"
        says = {
            "void": "void: never embedded",
            "destroyed": "(model destroyed)",
            "": "believed" if self.survives(row) else "not believed",
        }
        change, hits = f"{row.before:.1%} → {row.after:.1%}", f"{found.hits}/{found.trials}"
        cells = row.mark, row.removal, change, hits, f"{found.p_value:.0e}", control, says[self.state(row)]
        return f"| {' | '.join(cells)} |"


def run(
    marks: Mapping[str, Marked[Any]],
    removals: Mapping[str, Removal],
    *,
    attacker: Samples,
    test: Samples,
    alpha: float = 1e-3,
    unmarked: nn.Module | None = None,
    folder: Path | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
) -> Scorecard:
    """Judge each mark before (row "none") and after each removal, by `attacker`'s samples only; measure
    accuracy on `test`.

    With `unmarked`, each removal is also run on that model, and every key tried on what comes out. With
    `folder`, each cell is a JSON file, and cells that are there are not run again. `jobs` are processes of
    one thread each; `scheduler` is the address of a Dask cluster, or "local" for one that is started here
    (extra `cluster`). Warns with `OverlapWarning` when test images are among the attacker's. Raises
    `ArgumentError` when `folder` holds another experiment.
    """
    require(
        len(marks) > 0, "marks must not be empty", 0, "Embed one, for instance with wm.watermarks.Adi2018()."
    )
    require(jobs >= 1, "jobs must be at least 1", jobs)
    require(NONE not in removals, f"a removal may not be called {NONE!r}", NONE, "That row is always added.")
    _warn_of_overlap(attacker, test)
    store = None if folder is None else _Store(folder, _fingerprint(marks, attacker, test))
    todo = [(name, removal) for name, removal in {NONE: _keep, **removals}.items()]
    columns = _mapped(_Column(dict(marks), unmarked, attacker, test, store), todo, jobs, scheduler)
    rows = [row for column in columns for row in column]
    order = {name: i for i, name in enumerate(marks)}
    return Scorecard(tuple(sorted(rows, key=lambda row: order[row.mark])), alpha)


def _keep(model: nn.Module, samples: Samples) -> nn.Module:
    return model


@dataclass(frozen=True, eq=False)
class _Column:
    """One removal against all marks; a process or a machine of a cluster gets it whole."""

    marks: dict[str, Marked[Any]]
    unmarked: nn.Module | None
    attacker: Samples
    test: Samples
    store: _Store | None

    def __call__(self, name: str, removal: Removal) -> list[Row]:
        rows = {mark: row for mark in self.marks if (row := self.store and self.store.read(mark, name))}
        todo = {mark: marked for mark, marked in self.marks.items() if mark not in rows}
        unmarked = removal(self.unmarked, self.attacker) if self.unmarked is not None and todo else None
        for mark, marked in todo.items():
            rows[mark] = row = self._cell(mark, marked, name, removal, unmarked)
            if self.store:
                self.store.write(row)
        return [rows[mark] for mark in self.marks]

    def _cell(
        self, mark: str, marked: Marked[Any], name: str, removal: Removal, unmarked: nn.Module | None
    ) -> Row:
        start = time.perf_counter()
        suspect = removal(marked.model, self.attacker)
        seconds = round(time.perf_counter() - start, 3)
        control = None if unmarked is None else marked.scheme.verify(unmarked, marked.key)
        before, after = accuracy(marked.model, self.test), accuracy(suspect, self.test)
        return Row(
            mark,
            name,
            before,
            after,
            marked.scheme.verify(suspect, marked.key),
            control,
            seconds,
            len(self.attacker),
        )


def _mapped(
    column: _Column, todo: list[tuple[str, Removal]], jobs: int, scheduler: str | None
) -> list[list[Row]]:
    if jobs == 1 and scheduler is None:
        return [column(*each) for each in todo]
    column = replace(column, attacker=_compact(column.attacker), test=_compact(column.test))
    if scheduler is not None:
        with cluster(jobs, scheduler) as client:
            [sent] = client.scatter([column], broadcast=True)  # once, not with every removal
            return client.gather([client.submit(_alone, sent, *each, pure=False) for each in todo])
    from joblib import Parallel, delayed

    columns: Any = Parallel(n_jobs=jobs)(delayed(_alone)(column, *each) for each in todo)
    return columns


def _compact(samples: Samples) -> Samples:
    # a slice would travel with all that it was cut from
    return replace(samples, x=samples.x.clone(), y=samples.y.clone())


def _alone(column: _Column, name: str, removal: Removal) -> list[Row]:
    # as many processes as cores: threads of their own would only stand in each other's way
    torch.set_num_threads(1)
    return column(name, removal)


@dataclass(frozen=True)
class _Store:
    """A folder with a JSON file a cell, all of one experiment."""

    folder: Path
    fingerprint: str

    def path(self, mark: str, removal: str) -> Path:
        return self.folder / f"{mark}--{removal}.json"

    def read(self, mark: str, removal: str) -> Row | None:
        path = self.path(mark, removal)
        if not path.exists():
            return None
        raw = json.loads(files.read(path))
        fix = f"Move {self.folder} away, or name another folder."
        require(
            raw.pop("fingerprint") == self.fingerprint,
            f"{path} must be of these marks and samples",
            "others",
            fix,
        )
        return Row(
            **{**raw, **{name: raw[name] and Evidence(**raw[name]) for name in ("evidence", "control")}}
        )

    def write(self, row: Row) -> None:
        files.write(
            self.path(row.mark, row.removal),
            json.dumps({**asdict(row), "fingerprint": self.fingerprint}, indent=1).encode(),
        )


def _fingerprint(marks: Mapping[str, Marked[Any]], *parts: Samples) -> str:
    """Hash the marked weights and the samples: rows of two experiments must not mix."""
    digest = hashlib.sha256()
    tensors = [value for marked in marks.values() for value in marked.model.state_dict().values()]
    for tensor in [*tensors, *(part for samples in parts for part in (samples.x[:100], samples.y))]:
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _warn_of_overlap(attacker: Samples, test: Samples) -> None:
    shared = len(_images(attacker.x) & _images(test.x))
    if shared:
        says = (
            f"{shared} of the attacker's images are in the test set, so that accuracy after an attack is"
            " flattered. Split them first."
        )
        warnings.warn(says, OverlapWarning, stacklevel=3)


def _images(x: Tensor) -> set[bytes]:
    return {hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in x.cpu().numpy()}
