"""All detectors on one network from elsewhere: what each needs, what it found, and at which level.

A buyer has the network and some clean images; the training set, or images that look suspicious, where they
can be had. A detector whose input is missing doesn't run, and says so. Each number stands beside its control:
what the same detector says of clean images.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from .. import progress
from ..data import Samples, split
from ..errors import WmlearnError, require
from ..evidence import Suspect, answers
from ..models import check_finite, opened
from ..training import predict
from .activation_clustering import ActivationClustering
from .calibration import Alarms, least
from .checks import Needs, checked_logits
from .neural_cleanse import NeuralCleanse
from .spectral import SpectralSignatures
from .strip import Strip
from .suspicion import Suspicion
from .ted import TopologicalEvolution

Detector = NeuralCleanse | ActivationClustering | SpectralSignatures | Strip | TopologicalEvolution
State = Literal["ran", "not run", "refused"]

QUERIES = 500
"""Queries that are judged, at most; each costs as many answers as there are overlays."""
REFERENCE = 1000
"""Clean images that detectors of queries compare with, at most."""
LEAST = 40
"""Clean images that detectors of queries need."""
LOOK = 64
"""Images that show whether a network laid out otherwise is the same."""
MOST_NAMED = 10
"""Images that a sentence names; all stand among the numbers."""
NEEDS: Mapping[Needs, str] = {
    "the network's weights": "the network's weights, and clean images",
    "its training set": "the network's layers, and its training set",
    "queries": "clean images, and images to be judged (queries)",
}


@dataclass(frozen=True)
class Finding:
    """What one detector needs, whether it ran, what it found, and at which level it speaks."""

    detector: str
    needs: str
    state: State
    found: str  # or why it didn't run
    control: str  # what the same detector says where nothing is wrong
    level: str
    numbers: Mapping[str, Any] = field(default_factory=dict)  # plain values, for machines
    seconds: float = 0.0


@dataclass(frozen=True)
class Examination:
    """What all detectors say of one network, and how well it classifies the clean images."""

    classes: tuple[str, ...]
    images: int
    accuracy: float
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    def dicts(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Material:
    """What is at hand: clean images, the training set, queries; and the names of their files, if known."""

    samples: Samples
    training: Samples | None = None
    queries: Tensor | None = None  # (M, C, H, W)
    training_names: Sequence[str] = ()
    query_names: Sequence[str] = ()


def examine(
    model: Suspect,
    samples: Samples,
    *,
    training: Samples | None = None,
    queries: Tensor | None = None,
    training_names: Sequence[str] = (),
    query_names: Sequence[str] = (),
    detectors: Mapping[str, Detector] | None = None,
) -> Examination:
    """Run every detector on `model` that has what it needs: the clean `samples`, and where they are at hand
    the `training` set and images `queries` (M, C, H, W).

    Of a model that only answers no detector can run, and each says why; `wmlearn scan` wraps an ONNX file
    that gives probabilities as a network, for STRIP. Raises `ArgumentError` for a network that doesn't answer
    for the classes of `samples` with finite numbers, or samples without one of the classes.
    """
    from . import ALL  # which needs the files beside this one

    chosen = ALL if detectors is None else detectors
    material = Material(samples, training, queries, training_names, query_names)
    findings = []
    if isinstance(model, nn.Module):
        _check(model, samples)
        accuracy = _right(checked_logits(model, samples), samples)
        quick = _channels_last(model, samples.x[:LOOK])
        for name, detector in progress.each(chosen.items(), "detectors", len(chosen)):
            findings.append(_finding(name, detector, quick, material))
    else:
        findings = [_unopened(name, detector) for name, detector in chosen.items()]
        accuracy = _right(answers(model, samples.x, len(samples.classes)), samples)
    notes = _notes(accuracy, samples)
    return Examination(samples.classes, len(samples), accuracy, tuple(findings), notes)


def _channels_last(model: nn.Module, x: Tensor) -> nn.Module:
    """Return a copy of `model` whose filters lie channels last in memory, where it gives the same answers to
    images `x` (N, C, H, W): convolutions of colour images are nearly twice as fast so.
    """
    try:
        quick = copy.deepcopy(opened(model)).to(memory_format=torch.channels_last)
        same = torch.allclose(predict(quick, x), predict(model, x), atol=1e-3, rtol=1e-3)
    except Exception:  # of a stranger's network: one that flattens by `view` can't be laid out so
        return model
    return quick if same else model


def _check(model: nn.Module, samples: Samples) -> None:
    check_finite(model)
    counts = samples.y.bincount(minlength=len(samples.classes)).tolist()
    absent = [name for name, count in zip(samples.classes, counts, strict=True) if count == 0]
    got = f"none of {', '.join(absent)}"
    require(not absent, "there must be clean images of every class", got, "Bring some, or read more of them.")


def _right(output: Tensor, samples: Samples) -> float:
    """Return the share of logits (N, classes) or labels (N,) that are as labelled."""
    labels = output.argmax(1) if output.ndim == 2 else output
    return (labels.to(samples.y.device) == samples.y).float().mean().item()


def _notes(accuracy: float, samples: Samples) -> tuple[str, ...]:
    chance = samples.y.bincount().max().item() / len(samples)
    if accuracy >= 0.5 and accuracy > chance:
        return ()
    return (
        f"The network classifies {accuracy:.1%} of the clean images correctly, the commonest class is"
        f" {chance:.1%} of them. Then no detector means much. Are the folders in the order of its classes?"
        " Does it normalise images in [0, 1] by itself?",
    )


def _unopened(name: str, detector: Detector) -> Finding:
    why = "refused: needs the weights and layers of the network, got a model that only answers"
    if isinstance(detector, Strip):
        why = "refused: needs probabilities, got a model that answers with labels"
    return Finding(name, NEEDS[detector.needs], "refused", why, "none", detector.level)


def _missing(detector: Detector, material: Material) -> str:
    """Say which input of `detector` isn't at hand, if any."""
    if detector.needs == "its training set" and material.training is None:
        return "no training set was given"
    if detector.needs == "queries" and material.queries is None:
        return "no queries were given"
    return ""


def _finding(name: str, detector: Detector, model: nn.Module, material: Material) -> Finding:
    """Run one detector, if it has what it needs."""
    detector = _affordable(detector, len(material.samples))
    needs = NEEDS[detector.needs]
    level = detector.level
    missing = _missing(detector, material)
    if missing:
        return Finding(name, needs, "not run", missing, "none", level)
    start = time.perf_counter()
    try:
        result = _result(detector, model, material)
    except WmlearnError as error:
        return Finding(name, needs, "refused", f"refused: {error}", "none", level)
    except Exception as error:  # of a stranger's network: the other detectors go on
        got = f"the network failed: {type(error).__name__}: {str(error)[:200]}"
        return Finding(name, needs, "refused", got, "none", level)
    seconds = round(time.perf_counter() - start, 2)
    return Finding(name, needs, "ran", result.found, result.control, level, result.numbers, seconds)


def _affordable(detector: Detector, n: int) -> Detector:
    """Let a detector of queries promise what `n` clean images allow, where they are too few for what it would
    promise: half of those that set the limit must be enough, so that the other half can be judged.
    """
    if detector.needs != "queries" or n < LEAST:
        return detector
    rate = least(detector.n_setting(min(n, REFERENCE)) // 2)
    return replace(detector, false_rejection=max(detector.false_rejection, rate))


@dataclass(frozen=True)
class _Result:
    found: str
    control: str
    numbers: Mapping[str, Any]


def _result(detector: Detector, model: nn.Module, material: Material) -> _Result:
    if detector.needs == "the network's weights":
        return _triggers(detector, model, material.samples)
    if detector.needs == "its training set":
        return _training(detector, model, material)
    return _queries(detector, model, material)


def _triggers(detector: NeuralCleanse, model: nn.Module, samples: Samples) -> _Result:
    with progress.bar("searching triggers", detector.steps) as tick:
        scan = detector(model, samples, on_step=lambda *state: tick())
    names = [samples.classes[target] for target in scan.flagged]
    norms = _rounded(scan.norm)
    indices = _rounded(scan.index)
    found = "no class has a trigger that is oddly small"
    if names:
        parts = [_trigger(samples.classes[t], norms[t], indices[t]) for t in scan.flagged]
        found = f"oddly small triggers: {'; '.join(parts)}"
    median = f"the median over the {len(norms)} classes is {scan.norm.quantile(0.5).item():.1f} pixels"
    numbers = {"flagged": names, "norm": norms, "index": indices}
    return _Result(found, f"the other classes: {median}", numbers)


def _trigger(name: str, norm: float, index: float) -> str:
    return f"class “{name}”, {norm:.1f} pixels, {index:.1f} deviations below the median"


def _rounded(numbers: Tensor) -> list[float]:
    return [round(number, 4) for number in numbers.tolist()]


def _training(
    detector: ActivationClustering | SpectralSignatures, model: nn.Module, material: Material
) -> _Result:
    assert material.training is not None
    training = material.training
    if isinstance(detector, ActivationClustering):
        suspicion = detector(model, training, material.samples)
        control = _kept(suspicion.alarms, training.classes, "classes of clean images")
    else:
        suspicion = detector(model, training)
        usual = _shares(detector(model, material.samples), material.samples)
        says = "of any images it flags that share: look whether the oddest ones have something in common"
        control = _Control(says, {"share of clean images": usual})
    shares = _shares(suspicion, training)
    rows = suspicion.flagged.nonzero().flatten()
    worst = rows[suspicion.score[rows].argsort(descending=True)].tolist()
    named = _names(worst, material.training_names)
    found = f"flags {len(rows):,} of {len(training):,} training images"
    if isinstance(detector, ActivationClustering) and worst:
        found += f": {_by_class(shares)}"
    if named and worst:
        found += f"; the oddest: {', '.join(named[:MOST_NAMED])}"
    numbers = {"flagged": named or worst, "share": shares, **control.numbers}
    return _Result(found, control.says, numbers)


def _kept(alarms: Alarms | None, classes: Sequence[str], what: str) -> _Control:
    """Say how often clean images, or their classes, are flagged, as promised and as measured."""
    if alarms is None:
        return _Control(f"too few {what} to measure false alarms", {})
    overall = alarms.overall
    low, high = overall.interval
    says = (
        f"promised are {alarms.promised:.1%} of false alarms at most, measured {overall.share:.1%}: each half"
        f" of the clean images judged by the other, {overall.flagged} of {overall.n:,} {what} flagged (95 %"
        f" interval {low:.1%} to {high:.1%})"
    )
    by_class = {name: asdict(rate) for name, rate in zip(classes, alarms.by_class, strict=True)}
    flagged = {name: rate.share for name, rate in zip(classes, alarms.by_class, strict=True)}
    if any(flagged.values()):
        says += f": {_by_class(flagged)}"
    return _Control(says, {"promised": alarms.promised, "measured": asdict(overall), "by class": by_class})


@dataclass(frozen=True)
class _Control:
    says: str
    numbers: Mapping[str, Any]


def _shares(suspicion: Suspicion, samples: Samples) -> dict[str, float]:
    """Return the share of each class that is flagged."""
    shares: dict[str, float] = {}
    for label, name in enumerate(samples.classes):
        rows = samples.y == label
        shares[name] = round(suspicion.flagged[rows].float().mean().item(), 4)
    return shares


def _by_class(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{share:.1%} of class “{name}”" for name, share in shares.items() if share)


def _queries(detector: Strip | TopologicalEvolution, model: nn.Module, material: Material) -> _Result:
    assert material.queries is not None
    samples = material.samples
    queries = material.queries[:QUERIES]
    rule = f"queries must be images of shape (N, {', '.join(map(str, samples.x.shape[1:]))})"
    require(queries.shape[1:] == samples.x.shape[1:] and len(queries) > 0, rule, tuple(queries.shape))
    rule = f"there must be at least {LEAST} clean images: they set the limit"
    require(len(samples) >= LEAST, rule, len(samples))
    (reference,) = split(samples, min(REFERENCE, len(samples)))
    suspicion = detector(model, reference, queries)
    rows = suspicion.flagged.nonzero().flatten()
    worst = rows[suspicion.score[rows].argsort(descending=True)].tolist()
    named = _names(worst, material.query_names)
    left = len(material.queries) - len(queries)
    found = f"flags {len(rows):,} of {len(queries):,} queries ({len(rows) / len(queries):.1%})"
    found += f"; {left:,} more were not judged" if left else ""
    if named and worst:
        found += f"; the oddest: {', '.join(named[:MOST_NAMED])}"
    control = _kept(suspicion.alarms, samples.classes, "clean images")
    numbers = {"flagged": named or worst, "share": round(len(rows) / len(queries), 4), **control.numbers}
    return _Result(found, control.says, numbers)


def _names(rows: Sequence[int], names: Sequence[str]) -> list[str]:
    return [names[row] for row in rows] if names else []
