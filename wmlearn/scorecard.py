"""Every mark against every removal: is the owner still believed, and what did it cost the thief?

The cells of the matrix are independent. They run one by one, in processes of this machine, or on a Dask
cluster; each is written when it is done, so that an interrupted run goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from torch import Tensor, nn

from .data import Samples, files
from .errors import OverlapWarning, require
from .evidence import Evidence, Rank, against_keys, judge
from .parallel import completed
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
        if not self.survives(none):
            return "void"
        return "destroyed" if row.destroyed else ""

    def dicts(self) -> list[dict[str, Any]]:
        """Return plain values, for JSON."""
        return list(map(self._dict, self.rows))

    def _dict(self, row: Row) -> dict[str, Any]:
        decided = {"survives": self.survives(row), "state": self.state(row)}
        return {**asdict(row), "p_value": row.evidence.p_value, **decided}

    def _repr_markdown_(self) -> str:
        head = "| mark | removal | accuracy | hits | p | unmarked: p | the owner is |"
        return "\n".join([head, "|---|---|--:|--:|--:|--:|---|", *map(self._line, self.rows)])

    def _line(self, row: Row) -> str:
        evidence = row.evidence
        cells = [
            row.mark,
            row.removal,
            f"{row.before:.1%} → {row.after:.1%}",
            f"{evidence.hits}/{evidence.trials}",
            f"{evidence.p_value:.0e}",
            f"{row.control.p_value:.0e}" if row.control else "–",
            self._decision(row),
        ]
        return f"| {' | '.join(cells)} |"

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
    again; machines of a cluster must all see the folder. `jobs` and `scheduler` are those of
    `parallel.completed`: here, in processes, or on a Dask cluster. Warns with `OverlapWarning` when test
    images are among the attacker's. Raises `ArgumentError` when `folder` holds another experiment.
    """
    require(
        len(marks) > 0, "marks must not be empty", 0, "Embed one, for instance with wm.watermarks.Adi2018()."
    )
    require(NONE not in removals, f"a removal may not be called {NONE!r}", NONE, "That row is always added.")
    decoys = decoys or {}
    for name, mark in marks.items():
        fix = f"Give decoys={{{name!r}: list(wm.evidence.decoys(scheme, model=…, samples=…))}}."
        compared = name in decoys or mark.scheme.verify(mark.model, mark.key).null is not None
        rule = f"decoys must hold other keys for {name!r}, whose labels were not drawn at random"
        require(compared, rule, "none", fix)
    _warn_of_overlap(attacker, test)
    if jobs > 1 or scheduler is not None:
        attacker = _compact(attacker)
        test = _compact(test)
    store = None if folder is None else _Store(folder, _fingerprint(marks, attacker, test))
    matrix = _Matrix(dict(marks), dict(decoys), unmarked, attacker, test, store)
    attacks = [_Attack(name, removal) for name, removal in {NONE: _keep, **removals}.items()]
    rows = {}
    for column in completed(_Matrix.column, matrix, attacks, jobs=jobs, scheduler=scheduler):
        rows |= {(row.mark, row.removal): row for row in column}
    return Scorecard(tuple(rows[mark, attack.name] for mark in marks for attack in attacks), alpha)


def _keep(model: nn.Module, samples: Samples) -> nn.Module:
    return model


@dataclass(frozen=True, eq=False)
class _Attack:
    name: str
    removal: Removal


@dataclass(frozen=True, eq=False)
class _Matrix:
    """What all attacks have in common; a process, or a machine of a cluster, gets it once."""

    marks: dict[str, Marked[Any]]
    decoys: dict[str, Sequence[Any]]
    unmarked: nn.Module | None
    attacker: Samples
    test: Samples
    store: _Store | None

    def column(self, attack: _Attack) -> list[Row]:
        """Try one removal on all marks."""
        rows = {} if self.store is None else self.store.rows(list(self.marks), attack.name)
        todo = {name: mark for name, mark in self.marks.items() if name not in rows}
        unmarked = None
        if self.unmarked is not None and todo:
            unmarked = attack.removal(self.unmarked, self.attacker)
        for name, mark in todo.items():
            rows[name] = self._cell(name, mark, attack, unmarked)
            if self.store is not None:
                self.store.write(rows[name])
        return [rows[name] for name in self.marks]

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
class _Store:
    """A folder with a JSON file a cell, all of one experiment."""

    folder: Path
    fingerprint: str

    def path(self, mark: str, removal: str) -> Path:
        return self.folder / f"{mark}--{removal}.json"

    def rows(self, marks: Sequence[str], removal: str) -> dict[str, Row]:
        """Read what is there of a removal, by mark."""
        paths = {mark: self.path(mark, removal) for mark in marks}
        return {mark: self._read(path) for mark, path in paths.items() if path.exists()}

    def _read(self, path: Path) -> Row:
        raw = json.loads(files.read(path))
        require(
            raw.pop("fingerprint") == self.fingerprint,
            f"{path} must be of these marks and samples",
            "others",
            f"Move {self.folder} away, or name another folder.",
        )
        evidence = _evidence_from(raw.pop("evidence"))
        control = raw.pop("control")
        return Row(**raw, evidence=evidence, control=_evidence_from(control) if control else None)

    def write(self, row: Row) -> None:
        raw = {**asdict(row), "fingerprint": self.fingerprint}
        files.write(self.path(row.mark, row.removal), json.dumps(raw, indent=1).encode())


def _evidence_from(raw: dict[str, Any]) -> Evidence:
    rank = raw.pop("rank")
    return Evidence(**raw, rank=Rank(**rank) if rank else None)


def _fingerprint(marks: Mapping[str, Marked[Any]], *parts: Samples) -> str:
    """Hash the marked weights and the samples: rows of two experiments must not mix."""
    digest = hashlib.sha256()
    tensors = [value for mark in marks.values() for value in mark.model.state_dict().values()]
    for samples in parts:
        tensors += [samples.x[:100], samples.y]
    for tensor in tensors:
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


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
