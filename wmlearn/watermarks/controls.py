"""What stands beside a mark: a network without it, and what the same key finds there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from .. import progress
from ..data import Samples
from ..evidence import Evidence, against_keys, decoys
from ..protocols import Watermark
from ..training import Recipe, accuracy, trained

DECOYS = 999
"""Other keys that one is ranked among where its labels are not drawn at random: p is 0.001 at least."""


@dataclass(frozen=True, eq=False)
class Unmarked:
    """A network without the mark, and where it comes from, in words."""

    model: nn.Module
    origin: str


def unmarked(model: nn.Module, samples: Samples, test: Samples, recipe: Recipe) -> Unmarked:
    """Return the network that marked ones are compared with: `model` as it came, where it has learnt the
    task, and otherwise a copy that learns `samples` by `recipe` and no mark.

    It has learnt the task when it classifies half of the `test` images correctly, and more than are of the
    commonest class.
    """
    share = accuracy(model, test)
    commonest = test.y.bincount().max().item() / len(test)
    if share >= 0.5 and share > commonest:
        return Unmarked(model, "the network as it came")
    copy, _ = trained(model, samples, recipe)
    return Unmarked(copy, "a copy of the network, trained the same way without the mark")


def draw_keys(
    schemes: Mapping[str, Watermark[Any]], model: nn.Module, samples: Samples, secrets: Mapping[str, bytes]
) -> dict[str, Any]:
    """Draw the keys of all `schemes`, each from its secret, before anything is trained: one that can't be
    drawn for this network is known at once.
    """
    keys = {}
    for name, scheme in progress.each(schemes.items(), "keys", len(schemes)):
        keys[name] = scheme.keygen(model, samples, secret=secrets[name])
    return keys


def compared(
    scheme: Watermark[Any], suspect: nn.Module, key: Any, *, model: nn.Module, samples: Samples
) -> Evidence:
    """Verify `suspect`, and rank the key among decoys where its labels were not drawn at random."""
    found = scheme.verify(suspect, key)
    if found.null is not None:
        return found
    others = decoys(scheme, model=model, samples=samples, n=DECOYS)
    return against_keys(scheme, suspect, key, progress.each(others, "decoys", DECOYS))
