"""What `wmlearn mark` and `wmlearn scorecard` do: keys before all training, marks, an unmarked network."""

from __future__ import annotations

import json
import math
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

from .. import evidence, memory, progress
from ..data import Samples, files, split
from ..detection.checks import checked_logits
from ..errors import NotEmbeddedWarning, WmlearnError, require
from ..evidence import Evidence, judge
from ..parallel import completed
from ..protocols import Marked, Removal, Watermark
from ..training import Recipe, accuracy
from ..watermarks import (
    ALL,
    Uchida2017,
    Unmarked,
    compared,
    draw_keys,
    load_key,
    new_secret,
    save_key,
    unmarked,
)
from ..watermarks.controls import DECOYS
from ..watermarks.marking import TAKEN
from ..watermarks.uchida import fitting
from .sources import Reading, open_network, read_images

LEVEL = 1e-3
"""At which an owner is believed."""
WEIGHTS = "model.safetensors"
KEY = "key.safetensors"
STEPS = 300
LOOK = 512
"""Images that a network is asked about before anything else."""


def chosen(names: Sequence[str]) -> dict[str, Watermark[Any]]:
    """Return the ways to mark by their names."""
    odd = [name for name in names if name not in ALL]
    require(not odd, f"the scheme must be one of {', '.join(ALL)}", ", ".join(odd))
    return {name: ALL[name] for name in names}


def attacks(names: Sequence[str]) -> dict[str, Removal]:
    """Return the attacks by their names; of "all", every one."""
    from .. import removal

    if list(names) == ["all"]:
        return dict(removal.ALL)
    odd = [name for name in names if name not in removal.ALL]
    require(not odd, f"an attack must be all, or one of {', '.join(removal.ALL)}", ", ".join(odd))
    return {name: removal.ALL[name] for name in names}


@dataclass(frozen=True, eq=False)
class Task:
    """A network, the images that it learns from, those of an attacker, and those that measure."""

    model: nn.Module
    train: Samples
    attacker: Samples
    test: Samples
    about: tuple[str, ...]


def task(
    model: str,
    factory: str | None,
    data: str,
    reading: Reading,
    device: torch.device,
    *,
    attacked: bool = False,
) -> Task:
    """Open the network, read the images, and share them out, all on `device`; an attacker gets some where
    there is one.
    """
    network = open_network(model, factory).to(device)
    images = read_images(data, reading, training=True)
    samples = images.samples.to(device)
    quarter = len(samples) // 4
    require(quarter >= 10, "there must be at least 40 images: a quarter only measures", len(samples))
    others = [quarter, quarter] if attacked else [quarter]
    train, *parts = split(samples, len(samples) - sum(others), *others)
    checked_logits(network, samples[:LOOK])
    shares = f"{len(train):,} images teach, {len(parts[-1]):,} measure"
    shares += f", {len(parts[0]):,} are the attacker's" if attacked else ""
    return Task(network, train, parts[0], parts[-1], (*images.about, shares))


def fitted(
    ways: Mapping[str, Watermark[Any]], task: Task, epochs: int | None, lr: float | None
) -> dict[str, Watermark[Any]]:
    """Return the ways to mark, trained as the user says: by default for `STEPS` steps at least, as the epochs
    of the schemes are those of large sets. A message is cut to what the network's layers hold.
    """
    schemes = {}
    for name, way in ways.items():
        scheme: Any = way
        if isinstance(way, Uchida2017):
            scheme = fitting(way, task.model, task.train)
        recipe: Recipe = scheme.recipe
        enough = math.ceil(STEPS / math.ceil(len(task.train) / recipe.batch_size))
        recipe = replace(recipe, epochs=max(recipe.epochs, enough) if epochs is None else epochs)
        recipe = replace(recipe, lr=recipe.lr if lr is None else lr)
        schemes[name] = replace(scheme, recipe=recipe)
    return schemes


@dataclass(frozen=True, eq=False)
class Marking:
    """A marked model, its key, and what the key finds in it and in a network without the mark."""

    name: str
    marked: Marked[Any]
    found: Evidence
    unmarked: Unmarked
    control: Evidence
    before: float  # accuracy of the unmarked network
    after: float

    def lines(self) -> list[str]:
        """Say both, one beside the other."""
        return [
            f"marked:   {judge(self.found, LEVEL)}; accuracy {self.after:.1%}",
            f"unmarked: {judge(self.control, LEVEL)}; accuracy {self.before:.1%} ({self.unmarked.origin})",
        ]

    def numbers(self) -> dict[str, Any]:
        """Return what was measured, without any secret."""
        return {
            "scheme": self.name,
            "marked": {**asdict(self.found), "p_value": self.found.p_value, "accuracy": self.after},
            "unmarked": {**asdict(self.control), "p_value": self.control.p_value, "accuracy": self.before},
            "unmarked is": self.unmarked.origin,
            "level": LEVEL,
        }


@contextmanager
def resuming(folder: Path) -> Iterator[None]:
    """Remember networks in `folder`. If the user stops, it stays, for the next run; else it goes."""
    with files.folders_for(folder):
        memory.keep(folder / "networks")
        try:
            yield
        except KeyboardInterrupt:
            raise
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        else:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            memory.keep(None)


def marking(ways: Mapping[str, Watermark[Any]], task: Task, folder: Path) -> Marking:
    """Draw the key of the one way to mark, teach it, and verify it beside a network without it. The key is
    kept in `folder`, where the same run finds it again.

    Raises `WmlearnError` where the mark doesn't take.
    """
    [(name, way)] = ways.items()
    made_of = memory.fingerprint(task.model, task.train, way)
    [key] = _keys(ways, task, folder / f"key-{made_of[:16]}").values()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotEmbeddedWarning)  # which is an error below
        result = way.embed(task.model, task.train, key)
    hits = way.verify(result.model, key)
    if hits.rate < TAKEN:
        rule = f"the model must learn {TAKEN:.0%} of its key, got {hits.hits} of {hits.trials}"
        raise WmlearnError(f"{rule}. Nothing was written. Train longer (--epochs), or with another --lr.")
    other = unmarked(task.model, task.train, task.test, result.log.recipe)
    found = compared(way, result.model, key, model=task.model, samples=task.train)
    control = compared(way, other.model, key, model=task.model, samples=task.train)
    before = accuracy(other.model, task.test)
    return Marking(name, result, found, other, control, before, accuracy(result.model, task.test))


def write(folder: Path, marking: Marking) -> None:
    """Write the marked model, its key, which only its owner may read, and what was measured."""
    weights = {}
    for name, weight in marking.marked.model.state_dict().items():
        weights[name] = weight.detach().cpu().contiguous().clone()  # layers may share them, files may not
    files.write(folder / WEIGHTS, save(weights))
    save_key(marking.marked.key, folder / KEY)
    files.write(folder / "mark.json", (json.dumps(marking.numbers(), indent=1) + "\n").encode())


@dataclass(frozen=True, eq=False)
class Marks:
    """All marked copies of a network, the network without any, and decoys where they are needed."""

    marked: dict[str, Marked[Any]]
    unmarked: Unmarked
    decoys: dict[str, list[Any]]


def marks(
    ways: Mapping[str, Watermark[Any]], task: Task, out: Path, *, jobs: int = 1, scheduler: str | None = None
) -> Marks:
    """Draw all keys, or read those that were drawn before; then train the copies, one a job
    (`parallel.completed`). Networks are remembered in `out`, which the machines of a cluster must see.
    """
    keys = _keys(ways, task, out / "keys")
    decoys = {}
    for name, way in ways.items():
        if way.verify(task.model, keys[name]).null is None:
            drawn = evidence.decoys(way, model=task.model, samples=task.train, n=DECOYS)
            decoys[name] = list(progress.each(drawn, "decoys", DECOYS))
    networks = out.resolve() / "networks"
    school = _School(dict(ways), keys, task.model, task.train, task.test, networks)
    pupils: list[str | None] = [None, *ways]
    copies: dict[str, Marked[Any]] = {}
    others: list[Unmarked] = []
    running = completed(_School.taught, school, pupils, jobs=jobs, scheduler=scheduler)
    for pupil in progress.each(running, "marks", len(pupils)):
        for warning in pupil.warnings:
            warnings.warn(warning, stacklevel=2)
        if isinstance(pupil.result, Unmarked):
            others.append(pupil.result)
        else:
            copies[pupil.name] = pupil.result
    return Marks({name: copies[name] for name in ways}, others[0], decoys)


@dataclass(frozen=True, eq=False)
class _Pupil:
    """A copy that was taught, and what it was warned of, which whoever began hears."""

    name: str
    result: Marked[Any] | Unmarked
    warnings: tuple[Warning, ...]


@dataclass(frozen=True, eq=False)
class _School:
    """What all copies have in common; a process, or a machine of a cluster, gets it once."""

    ways: dict[str, Watermark[Any]]
    keys: dict[str, Any]
    model: nn.Module
    train: Samples
    test: Samples
    memory: Path

    def taught(self, name: str | None) -> _Pupil:
        """Teach a copy the mark of one way; without a name, none."""
        memory.keep(self.memory)
        try:
            with warnings.catch_warnings(record=True) as heard:
                warnings.simplefilter("always", NotEmbeddedWarning)
                result = self._unmarked() if name is None else self._marked(name)
        finally:
            memory.keep(None)
        said = [warning.message for warning in heard if isinstance(warning.message, Warning)]
        return _Pupil(name or "", result, tuple(said))

    def _marked(self, name: str) -> Marked[Any]:
        try:
            return self.ways[name].embed(self.model, self.train, self.keys[name])
        except WmlearnError as error:  # which of many was it?
            error.args = (f"{name}: {error}",)
            raise

    def _unmarked(self) -> Unmarked:
        first: Any = next(iter(self.ways.values()))
        return unmarked(self.model, self.train, self.test, first.recipe)


def _keys(ways: Mapping[str, Watermark[Any]], task: Task, folder: Path) -> dict[str, Any]:
    """Draw the keys of all ways to mark, and keep them, before anything is trained."""
    paths = {name: folder / f"{name}.safetensors" for name in ways}
    new = {name: way for name, way in ways.items() if not paths[name].exists()}
    drawn = draw_keys(new, task.model, task.train, {name: new_secret() for name in new})
    for name, key in drawn.items():
        save_key(key, paths[name])
    return {name: load_key(path) for name, path in paths.items()}
