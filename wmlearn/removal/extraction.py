"""Steal a model behind a service that only says labels, and that may fail in the middle.

M. Shafieinejad, J. Wang, N. Lukas, X. Li, F. Kerschbaum: On the Robustness of the Backdoor-based Watermarking
in Deep Neural Networks, 2019, arXiv:1906.07745, section 4.1: a black-box attack with labels alone. T.
Orekondy and others: Knockoff Nets, CVPR 2019.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ..data import Samples, files
from ..errors import DataError, WmlearnError, require
from ..evidence import answers
from ..models import student_of
from ..training import Recipe, trained
from .copies import sound_copy

Ask = Callable[[Tensor], Tensor]
"""A service: images (n, C, H, W) to labels (n,) or logits (n, classes)."""
PAUSE = 0.2  # seconds before the first retry; doubled each time


class ExtractionError(WmlearnError):
    """The service failed for good; `labels` (n,) are its answers to the first n queries."""

    def __init__(self, message: str, labels: Tensor) -> None:
        super().__init__(message)
        self.labels = labels


@dataclass(frozen=True)
class Extract:
    """Ask the model for the labels of the attacker's samples, and teach them to a new network: one built
    alike, or what `student` builds for a seed.
    """

    recipe: Recipe = Recipe(epochs=12, lr=5e-3, batch_size=128)
    student: Callable[[int], nn.Module] | None = None

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module:
        victim = sound_copy(model, samples)
        answers(victim, samples.x[:1], len(samples.classes))  # a service may fail, a model must not
        rule = "a model without weights can't be built anew"
        fix = "Name a student: Extract(student=…), a function from a seed to a network."
        alike = self.student is not None or any(True for _ in victim.parameters())
        require(alike, rule, type(victim).__name__, fix)
        seed = self.recipe.seed
        student = student_of(victim, seed) if self.student is None else self.student(seed)
        return extract(lambda x: answers(victim, x), student, samples.x, samples.classes, recipe=self.recipe)


def extract(
    ask: Ask,
    student: nn.Module,
    x: Tensor,
    classes: tuple[str, ...],
    *,
    batch: int = 500,
    retries: int = 4,
    kept: Path | None = None,
    recipe: Recipe = Recipe(),
) -> nn.Module:
    """Return a copy of `student`, trained on the labels that `ask` gives to images `x` (N, C, H, W).

    A failed query is tried again, after growing pauses. With `kept`, a safetensors file, labels are on disk
    after every batch, and a second call goes on where the first one stopped. Raises `ExtractionError` when
    the service fails for good.
    """
    require(len(x) > 0, "there must be at least one query", 0)
    require(batch >= 1, "batch must be at least 1", batch)
    require(retries >= 0, "retries must not be negative", retries)
    labels = _begun(kept, x)  # of the first queries, so far
    while len(labels) < len(x):
        queries = x[len(labels) : len(labels) + batch]
        labels = torch.cat([labels, _ask(ask, queries, len(classes), retries, labels)])
        _keep(kept, x, labels)
    new, _ = trained(student, Samples(x, labels[: len(x)].to(x.device), classes), recipe)
    return new


def _ask(ask: Ask, x: Tensor, classes: int, retries: int, so_far: Tensor) -> Tensor:
    for attempt in range(retries + 1):
        try:
            return answers(ask, x, classes).cpu()
        except Exception as error:
            if attempt == retries:
                raise _given_up(error, retries + 1, so_far) from error
            time.sleep(PAUSE * 2**attempt)
    raise AssertionError


def _given_up(error: Exception, attempts: int, labels: Tensor) -> ExtractionError:
    rule = f"the service must answer, got {type(error).__name__}: {error}, {attempts} times"
    place = "They are in this error's `labels`, and in the file `kept` where you named one"
    fix = f"{len(labels)} labels were gathered. {place}: call again to go on."
    return ExtractionError(f"{rule}; {fix}", labels)


def _begun(kept: Path | None, x: Tensor) -> Tensor:
    """Return the labels that are on disk.

    Raises `DataError` for a damaged file, `ArgumentError` for one of other queries.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    if kept is None or not kept.exists():
        return torch.empty(0, dtype=torch.int64)
    try:
        content = load(files.read(kept))
        labels = content["labels"]
        queries = content["queries"]
    except (SafetensorError, KeyError) as error:
        fix = "Move it away to ask again."
        raise DataError(f"{kept} must hold gathered labels, got: {error}. {fix}") from error
    fix = "Move it away, or name another file."
    require(torch.equal(queries, _digest(x)), f"{kept} must be of the same queries", "others", fix)
    return labels


def _keep(kept: Path | None, x: Tensor, labels: Tensor) -> None:
    from safetensors.torch import save

    if kept is not None:
        files.write(kept, save({"labels": labels, "queries": _digest(x)}))


def _digest(x: Tensor) -> Tensor:
    """Hash the queries, (32,) uint8."""
    digest = hashlib.sha256(x.cpu().contiguous().numpy().tobytes()).digest()
    return torch.tensor(list(digest), dtype=torch.uint8)
