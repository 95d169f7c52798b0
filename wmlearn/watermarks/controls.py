"""What stands beside a mark: a network without it, and what the same key finds there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from .. import progress
from ..data import Samples
from ..evidence import Evidence, against_keys, decoys
from ..evidence.significance import hits_needed
from ..protocols import Watermark
from ..training import Recipe, accuracy, trained

DECOYS = 999
"""Other keys that one is ranked among where its labels are not drawn at random: p is 0.001 at least."""


LEVEL = 1e-3
"""The chance that a network which guesses is taken for one that has learnt the task, at most."""


@dataclass(frozen=True, eq=False)
class Unmarked:
    """A network without the mark, and where it comes from, in words."""

    model: nn.Module
    origin: str


def unmarked(model: nn.Module, samples: Samples, test: Samples, recipe: Recipe) -> Unmarked:
    """Return the network that marked ones are compared with: `model` as it came, where it has learnt the
    task, and otherwise a copy that learns `samples` by `recipe` and no mark.

    It has learnt the task when it classifies half of the `test` images correctly, and so many that whoever
    names the commonest class, or guesses, does so with a chance of `LEVEL` at most (the exact binomial tail).
    Of a few images no network shows that, which is said then.
    """
    n = len(test)
    right = round(accuracy(model, test) * n)
    guessed = test.y.bincount().max().item() / n
    needed = max(math.ceil(n / 2), hits_needed(n, guessed, LEVEL)) if guessed < 1 else n + 1
    says = f"{right} of {n} test images are classified correctly"
    if right >= needed:
        return Unmarked(model, f"the network as it came: {says}, {needed} would do")
    copy, _ = trained(model, samples, recipe)
    why = f"as it came, {says}, and {needed} would show that it has learnt them"
    if needed > n:
        why = f"{n} test images are too few to show whether the one that came has learnt them"
    return Unmarked(copy, f"a copy of the network, trained the same way without the mark: {why}")


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
