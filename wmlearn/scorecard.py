"""Every mark against every removal: is the owner still believed, and what did it cost the thief?

The cells of the matrix are independent. They run one by one, in processes of this machine, or on a Dask
cluster; each is written when it is done, so that an interrupted run goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from torch import Tensor, nn

from . import memory, progress
from .data import Samples, files, strict_json
from .errors import OverlapWarning, SetAsideWarning, WmlearnError, require
from .evidence import Evidence, Rank, against_keys, judge
from .parallel import completed
from .protocols import Marked, Removal
from .training import accuracy
from .words import text_table

NONE = "none"
DESTROYED = 0.9  # of the accuracy before: a thief with less has nothing worth the theft

HEADER = ("mark", "removal", "accuracy", "hits", "p", "unmarked: p", "the owner is")

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
        if not self.survives(none):
            return "void"
        return "destroyed" if row.destroyed else ""

    def dicts(self) -> list[dict[str, Any]]:
        """Return plain values, for JSON."""
        return list(map(self._dict, self.rows))

    def _dict(self, row: Row) -> dict[str, Any]:
        decided = {"survives": self.survives(row), "state": self.state(row)}
        return {**asdict(row), "p_value": row.evidence.p_value, **decided}

    def __str__(self) -> str:
        table = text_table(HEADER, [self._line(row) for row in self.rows])
        return "\n".join([table, *self._notes()])

    def _repr_markdown_(self) -> str:
        lines = [HEADER, *map(self._line, self.rows)]
        head, *rows = [f"| {' | '.join(line)} |" for line in lines]
        notes = [f"\n{note}" for note in self._notes()]
        return "\n".join([head, "|---|---|--:|--:|--:|--:|---|", *rows, *notes])

    def _notes(self) -> list[str]:
        """Say what is missing."""
        if all(row.control is not None for row in self.rows):
            return []
        fix = "pass unmarked=, a network like the marked ones without a mark."
        return [f"No control: nobody knows what these keys find in an unmarked network; {fix}"]

    def _line(self, row: Row) -> list[str]:
        evidence = row.evidence
        return [
            row.mark,
            row.removal,
            f"{row.before:.1%} → {row.after:.1%}",
            f"{evidence.hits}/{evidence.trials}",
            f"{evidence.p_value:.0e}",
            f"{row.control.p_value:.0e}" if row.control else "–",
            self._decision(row),
        ]

    def _decision(self, row: Row) -> str:
        state = self.state(row)
        if state == "void":
            return "void: never embedded"
        if state == "destroyed":
            return "(model destroyed)"
        return "believed" if self.survives(row) else "not believed"


def run(
    marks: Mapping[str, Marked[Any]],
    removals: Mapping[str, Removal],
    *,
    attacker: Samples,
    test: Samples,
    alpha: float = 1e-3,
    unmarked: nn.Module | None = None,
    decoys: Mapping[str, Sequence[Any]] | None = None,
    folder: Path | None = None,
    jobs: int = 1,
    scheduler: str | None = None,
) -> Scorecard:
    """Judge each mark before (row "none") and after each removal, by `attacker`'s samples only; measure
    accuracy on `test`.

    A mark with `decoys` (mark -> other keys, from `evidence.decoys`) is ranked among them; one whose labels
    were not drawn at random needs them. With `unmarked`, each removal is also run on that model, and every
    key tried on what comes out. With `folder`, each cell is a JSON file, and cells that are there are not run
    again: those of the same scheme, key, model, attack, samples, control and decoys; never by a name alone.
    Machines of a cluster must all see the folder. `jobs` and `scheduler` are those of `parallel.completed`:
    here, in processes, or on a Dask cluster. Warns with `OverlapWarning` when test images are among the
    attacker's, and with `SetAsideWarning` for a damaged cell, which is measured again. Raises `DataError`
    when another run writes to `folder`.
    """
    require(
        len(marks) > 0, "marks must not be empty", 0, "Embed one, for instance with wm.watermarks.Adi2018()."
    )
    require(NONE not in removals, f"a removal may not be called {NONE!r}", NONE, "That row is always added.")
    decoys = decoys or {}
    _check_decoys(marks, decoys)
    _warn_of_overlap(attacker, test)
    if jobs > 1 or scheduler is not None:
        attacker = _compact(attacker)
        test = _compact(test)
    removals = {NONE: _keep, **removals}
    matrix = _Matrix(dict(marks), dict(decoys), unmarked, attacker, test)
    with nullcontext() if folder is None else files.alone(folder / "cells"):
        cells = {} if folder is None else _cells(folder, matrix, removals)
        rows = {(row.mark, row.removal): row for row in _known(cells.values())}
        todo = [attack for attack in _attacks(marks, removals, rows) if attack.marks]
        matrix = replace(matrix, cells=cells)
        columns = completed(_Matrix.column, matrix, todo, jobs=jobs, scheduler=scheduler)
        for column in progress.each(columns, "attacks", len(todo)):
            rows |= {(row.mark, row.removal): row for row in column}
    return Scorecard(tuple(rows[mark, removal] for mark in marks for removal in removals), alpha)


def _check_decoys(marks: Mapping[str, Marked[Any]], decoys: Mapping[str, Sequence[Any]]) -> None:
    for name, mark in marks.items():
        fix = f"Give decoys={{{name!r}: list(wm.evidence.decoys(scheme, model=…, samples=…))}}."
        compared = name in decoys or mark.scheme.verify(mark.model, mark.key).null is not None
        rule = f"decoys must hold other keys for {name!r}, whose labels were not drawn at random"
        require(compared, rule, "none", fix)


def _keep(model: nn.Module, samples: Samples) -> nn.Module:
    return model


@dataclass(frozen=True, eq=False)
class _Attack:
    name: str
    removal: Removal
    marks: tuple[str, ...]  # those that it was not tried on yet


def _attacks(
    marks: Iterable[str], removals: Mapping[str, Removal], known: Mapping[tuple[str, str], Row]
) -> list[_Attack]:
    """Return each removal with the marks for which no row is known."""
    attacks = []
    for name, removal in removals.items():
        missing = tuple(mark for mark in marks if (mark, name) not in known)
        attacks.append(_Attack(name, removal, missing))
    return attacks


@dataclass(frozen=True, eq=False)
class _Matrix:
    """What all attacks have in common; a process, or a machine of a cluster, gets it once."""

    marks: dict[str, Marked[Any]]
    decoys: dict[str, Sequence[Any]]
    unmarked: nn.Module | None
    attacker: Samples
    test: Samples
    cells: Mapping[tuple[str, str], _Cell] = field(default_factory=dict)  # where they are kept, if anywhere

    def column(self, attack: _Attack) -> list[Row]:
        """Try one removal on the marks that it was not tried on yet."""
        try:
            return self._rows(attack)
        except WmlearnError as error:  # which of many was it?
            error.args = (f"{attack.name}: {error}",)
            raise

    def _rows(self, attack: _Attack) -> list[Row]:
        unmarked = None
        if self.unmarked is not None:
            unmarked = attack.removal(self.unmarked, self.attacker)
        rows = []
        for name in attack.marks:
            rows.append(self._cell(name, self.marks[name], attack, unmarked))
            if self.cells:
                self.cells[name, attack.name].write(rows[-1])
        return rows

    def _cell(self, name: str, mark: Marked[Any], attack: _Attack, unmarked: nn.Module | None) -> Row:
        start = time.perf_counter()
        suspect = attack.removal(mark.model, self.attacker)
        seconds = round(time.perf_counter() - start, 3)
        return Row(
            mark=name,
            removal=attack.name,
            before=accuracy(mark.model, self.test),
            after=accuracy(suspect, self.test),
            evidence=self._evidence(name, mark, suspect),
            control=None if unmarked is None else self._evidence(name, mark, unmarked),
            seconds=seconds,
            samples=len(self.attacker),
        )

    def _evidence(self, name: str, mark: Marked[Any], suspect: nn.Module) -> Evidence:
        if name in self.decoys:
            return against_keys(mark.scheme, suspect, mark.key, self.decoys[name])
        return mark.scheme.verify(suspect, mark.key)


def _compact(samples: Samples) -> Samples:
    # a slice would travel with all that it was cut from
    return replace(samples, x=samples.x.clone(), y=samples.y.clone())


@dataclass(frozen=True)
class _Cell:
    """A JSON file of one cell, named by what makes the cell, and only then by what it is called."""

    path: Path
    made_of: str  # a hash of it all

    def read(self) -> Row | None:
        """Read the row; None when there is none. A damaged file is set aside with `SetAsideWarning`."""
        if not self.path.exists():
            return None
        try:
            content = strict_json.read(self.path)
            require(isinstance(content, dict), "a cell must be an object", type(content).__name__)
            row = content.get("row")
            require(content == _signed(self.made_of, row), "a cell must have its checksum", "another")
            return _row_from(row)
        except (WmlearnError, TypeError, AttributeError, KeyError) as error:
            aside = files.set_aside(self.path)
            says = f"{self.path} was damaged: {str(error)[:200]}"
            warnings.warn(
                f"{says} It lies at {aside} now, and is measured again.", SetAsideWarning, stacklevel=5
            )
            return None

    def write(self, row: Row) -> None:
        content = _signed(self.made_of, asdict(row))
        files.write(self.path, json.dumps(content, indent=1, allow_nan=False).encode())


def _signed(made_of: str, row: Any) -> dict[str, Any]:
    """Return what a cell's file holds; the checksum finds a damage that JSON wouldn't."""
    written = json.dumps([made_of, row], sort_keys=True)
    return {"made_of": made_of, "checksum": hashlib.sha256(written.encode()).hexdigest(), "row": row}


def _known(cells: Iterable[_Cell]) -> list[Row]:
    rows = [cell.read() for cell in cells]
    return [row for row in rows if row is not None]


def _row_from(raw: dict[str, Any]) -> Row:
    evidence = _evidence_from(raw["evidence"])
    control = _evidence_from(raw["control"]) if raw["control"] else None
    parts: dict[str, Any] = {**raw, "evidence": evidence, "control": control}
    return Row(**parts)


def _evidence_from(raw: dict[str, Any]) -> Evidence:
    parts: dict[str, Any] = {**raw, "rank": Rank(**raw["rank"]) if raw["rank"] else None}
    return Evidence(**parts)


def _cells(folder: Path, matrix: _Matrix, removals: Mapping[str, Removal]) -> dict[tuple[str, str], _Cell]:
    """Say where each cell is kept: mark and removal -> its file."""
    common = _tell(matrix.attacker) + _tell(matrix.test) + _tell(matrix.unmarked)
    attacks = {name: _tell(removal) for name, removal in removals.items()}
    cells = {}
    for mark, marked in matrix.marks.items():
        own = _tell(marked.scheme) + _tell(marked.key) + _tell(marked.model) + _tell(matrix.decoys.get(mark))
        for name, attack in attacks.items():
            whole = json.dumps([mark, name, own, attack, common])
            made_of = hashlib.sha256(whole.encode()).hexdigest()
            cells[mark, name] = _Cell(folder / f"{_slug(mark)}--{_slug(name)}-{made_of[:16]}.json", made_of)
    return cells


def _tell(part: Any) -> str:
    """Hash what tells a part of a cell from others; what can't be told by its contents, by its repr."""
    return memory.fingerprint(part) or hashlib.sha256(repr(part).encode()).hexdigest()


def _slug(name: str) -> str:
    """Return as much of a name as any file system takes; nothing in it leads to another folder."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:60]


def _warn_of_overlap(attacker: Samples, test: Samples) -> None:
    shared = len(_images(attacker.x) & _images(test.x))
    if shared:
        says = (
            f"{shared} of the attacker's images are in the test set,"
            " so that accuracy after an attack is flattered. Split them first."
        )
        warnings.warn(says, OverlapWarning, stacklevel=3)


def _images(x: Tensor) -> set[bytes]:
    return {hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in x.cpu().numpy()}
