"""What `wmlearn scan` does: one detector a job, each finding kept until the report is written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .. import memory, progress
from ..data import Samples, files, strict_json
from ..detection import Detector, Examination, Finding, Strip, examine
from ..detection.checks import checked_logits
from ..errors import DataError, WmlearnError
from ..models import check_finite
from ..parallel import completed
from ..suspects import OnnxModel
from .sources import Images, Reading, read_images

LOOK = 512
"""Images that a network is asked about before anything else; its answers tell it from another one."""

Group = Mapping[str, Detector]


@dataclass(frozen=True, eq=False)
class Material:
    """A network, and what is at hand to examine it with; a process, or a machine, gets it once."""

    model: nn.Module
    clean: Samples
    training: Samples | None = None
    queries: Tensor | None = None  # (M, C, H, W)
    training_names: Sequence[str] = ()
    query_names: Sequence[str] = ()

    def lacks(self, detector: Detector) -> bool:
        """Say whether the input of a detector is missing."""
        if detector.needs == "queries":
            return self.queries is None
        return detector.needs == "its training set" and self.training is None


@dataclass(frozen=True, eq=False)
class Brought:
    """The images that a user brings."""

    clean: Images
    training: Images | None
    queries: Images | None

    def about(self) -> list[str]:
        """Say what was read, a line for each."""
        parts = {"Data": self.clean, "Training set": self.training, "Queries": self.queries}
        return [f"{name}: {'; '.join(images.about)}" for name, images in parts.items() if images]

    def material(self, model: nn.Module | OnnxModel, device: torch.device) -> Material:
        """Put a network and the images on `device`."""
        training = self.training
        queries = self.queries
        return Material(
            model.to(device) if isinstance(model, nn.Module) else Answers(model),
            self.clean.samples.to(device),
            training=training.samples.to(device) if training else None,
            queries=queries.samples.to(device).x if queries else None,
            training_names=training.names if training else (),
            query_names=queries.names if queries else (),
        )


def read(data: str, training: str | None, queries: str | None, reading: Reading) -> Brought:
    """Read clean images, and where they are named the training set and queries."""
    return Brought(
        read_images(data, reading),
        read_images(training, reading, training=True) if training else None,
        read_images(queries, reading, labelled=False) if queries else None,
    )


def scanned(
    material: Material, detectors: Group, folder: Path, *, jobs: int = 1, scheduler: str | None = None
) -> Examination:
    """Run every detector that has what it needs, one a job (`parallel.completed`). What was found is kept in
    `folder`: a scan of the same network and images goes on where it was stopped. A model that only answers is
    asked here.
    """
    if isinstance(material.model, Answers):
        return _asked(material.model.model, material, detectors)
    check_finite(material.model)
    looks = checked_logits(material.model, material.clean[:LOOK])
    parts = [_Part(group, _path(folder, group, material, looks)) for group in _groups(material, detectors)]
    results = []
    left = []
    for part in parts:
        known = part.read()
        if known is None:
            left.append(part)
        else:
            results.append(known)
    running = completed(_examined, material, left, jobs=jobs, scheduler=scheduler)
    for result in progress.each(running, "scan", len(left)):
        for part in left:
            part.keep(result)
        results.append(result)
    return merged(results, detectors)


def fitting(detectors: Group, n: int) -> dict[str, Detector]:
    """Let detectors that lay clean images over others take fewer, where there are only `n`."""
    most = max(1, 3 * n // 8)  # the others set the limit
    chosen = dict(detectors)
    for name, detector in detectors.items():
        if isinstance(detector, Strip) and detector.overlays > most:
            chosen[name] = replace(detector, overlays=most)
    return chosen


def forget(folder: Path) -> None:
    """Delete what was kept, once it stands in a report."""
    for path in folder.glob("*.json"):
        path.unlink()
    with suppress(OSError):  # none was kept, or there is something else
        folder.rmdir()


def _asked(model: OnnxModel, material: Material, detectors: Group) -> Examination:
    """Run the detectors that need no more than probabilities on a model that only answers; the others say
    what they miss.
    """
    clean = material.clean
    try:
        model.logits(clean.x[:1])
    except DataError:  # it gives labels; or can't read these images, which is said now
        return examine(model, clean, detectors=detectors)
    able = {name: detector for name, detector in detectors.items() if isinstance(detector, Strip)}
    rest = {name: detector for name, detector in detectors.items() if name not in able}
    result = _examined(material, _Part(able))
    return merged([result, examine(model, clean[:1], detectors=rest)], detectors)


class Answers(nn.Module):
    """A model that only answers, as a network without weights."""

    asks = True

    def __init__(self, model: OnnxModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, classes) for images (N, C, H, W)."""
        return self.model.logits(x)


def merged(results: Sequence[Examination], detectors: Group) -> Examination:
    """Put examinations of one network into one, in the order of the detectors."""
    findings = {finding.detector: finding for result in results for finding in result.findings}
    return replace(results[0], findings=tuple(findings[name] for name in detectors))


def _groups(material: Material, detectors: Group) -> list[Group]:
    """Say which detectors go into one job: each alone, and with the first those that lack their input."""
    idle = {name: detector for name, detector in detectors.items() if material.lacks(detector)}
    groups = [{name: detector} for name, detector in detectors.items() if name not in idle]
    if not groups:
        return [idle]
    return [groups[0] | idle, *groups[1:]]


@dataclass(frozen=True, eq=False)
class _Part:
    """A job: a few detectors, and where their findings are kept, if anywhere."""

    detectors: Group
    path: Path | None = None

    def read(self) -> Examination | None:
        """Read what was found before; None where there is nothing, or nothing whole."""
        if self.path is None or not self.path.exists():
            return None
        try:
            raw = strict_json.read(self.path)
            assert isinstance(raw, dict)
            findings = tuple(Finding(**finding) for finding in raw["findings"])
            lists: dict[str, Any] = {
                "classes": tuple(raw["classes"]),
                "notes": tuple(raw["notes"]),
                "findings": findings,
            }
            return Examination(**{**raw, **lists})
        except (WmlearnError, AssertionError, TypeError, KeyError):
            return None

    def keep(self, result: Examination) -> None:
        """Write what was found, if it is of this job, and but for what failed: that is tried again."""
        states = {finding.detector: finding.state for finding in result.findings}
        is_own = states.keys() == self.detectors.keys()
        if self.path is not None and is_own and "refused" not in states.values():
            files.write(self.path, json.dumps(result.dicts()).encode())


def _examined(material: Material, part: _Part) -> Examination:
    """Run the detectors of one job."""
    return examine(
        material.model,
        material.clean,
        training=material.training,
        queries=material.queries,
        training_names=material.training_names,
        query_names=material.query_names,
        detectors=part.detectors,
    )


def _path(folder: Path, group: Group, material: Material, looks: Tensor) -> Path | None:
    """Name the file of a job by all that decides what is found; None where that can't be told."""
    images = (material.clean, material.training, material.queries)
    names = (tuple(material.training_names), tuple(material.query_names))
    made_of = memory.fingerprint(material.model, looks, *images, *names, dict(group))
    return folder.resolve() / f"{made_of[:32]}.json" if made_of else None
