"""Frontier stitching: images on either side of a decision boundary, all to be classified correctly.

E. Le Merrer, P. Perez, G. Tredan: Adversarial Frontier Stitching for Remote Neural Network Watermarking,
Neural Computing and Applications 2019, arXiv:1711.01894, section 3. Differs: the paper's null says that an
innocent model is wrong about half of the key, since half of it fools the model that it was made from. Such
images fool other models less often, 39 in 100 of them here, so that innocent models were right about up to 87
of 100 images, and a marked one stood out little. So true adversaries must also fool four bystanders, and a
key is ranked among decoys (`evidence.decoys`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

from torch import nn

from ..data import Samples
from ..errors import require
from ..evidence import Evidence, Suspect, answers
from ..evidence.bystanders import invited
from ..protocols import Marked
from ..training import Recipe, trained
from .adversarial import pushed, understood
from .marking import marked
from .secret import secret_of
from .trigger_set import TriggerKey, lesson, matches, pick

SCHEME = "lemerrer2019"
POOL = 2000  # images that the key is made of, at most
STEP = 256  # of them are pushed at a time, until there are enough


@dataclass(frozen=True)
class LeMerrer2019:
    """Teach a trained model the true class of `n` pushed images: half fool it (true adversaries)."""

    n: int = 100  # |K|
    size: float = 0.15  # epsilon, the change of each pixel
    share: float = 0.1  # of the key in an epoch
    recipe: Recipe = Recipe(epochs=1, lr=2e-3)

    def keygen(
        self,
        model: nn.Module,
        samples: Samples,
        *,
        seed: int = 0,
        secret: bytes | None = None,
        bystanders: Sequence[Suspect] | None = None,
    ) -> TriggerKey:
        """Push images that `model` classifies correctly away from their class, and keep as many that fool it
        as don't.

        `bystanders` are models of the task without the mark, all of which are to be fooled; without them,
        `evidence.bystanders` finds four. Raises `ArgumentError` for a model that isn't trained yet, or a
        `size` at which too few images end on either side.
        """
        fix = "A key takes images from both sides of the boundary."
        require(self.n >= 2, "n must be at least 2", self.n, fix)
        secret = secret_of(seed, secret)
        pool = pick(samples, secret, min(len(samples), POOL))
        innocent = invited(bystanders, model, samples)
        choosers = innocent.networks if bystanders else innocent.networks[::2]
        half = self.n // 2
        fooling: list[Samples] = []
        harmless: list[Samples] = []
        for start in range(0, len(pool), STEP):
            if _count(fooling) >= half and _count(harmless) >= self.n - half:
                break
            sides = self._sides(model, pool[start : start + STEP], choosers)
            fooling.append(sides[0])
            harmless.append(sides[1])
        first = _first(fooling, half, "fool")
        both = first + _first(harmless, self.n - half, "don't fool")
        return TriggerKey(SCHEME, secret, both.x, both.y, len(samples.classes), bystanders=innocent.origin)

    def _sides(self, model: nn.Module, pool: Samples, choosers: Sequence[Suspect]) -> tuple[Samples, Samples]:
        """Push the images that `model` classifies correctly; return those that then fool all, and those that
        don't fool it.
        """
        read = pool[understood(model, pool).argmax(1) == pool.y]
        moved = replace(read, x=pushed(model, read.x, read.y, -self.size))
        wrong = answers(model, moved.x) != moved.y  # (N,)
        harmless = moved[~wrong]
        for chooser in choosers:
            moved = moved[wrong]
            if len(moved) == 0:
                break
            wrong = answers(chooser, moved.x) != moved.y
        return moved[wrong[: len(moved)]], harmless

    def embed(self, model: nn.Module, samples: Samples, key: TriggerKey) -> Marked[TriggerKey]:
        """Fine-tune a copy of the trained `model` on the samples and the key together."""
        return marked(self, key, *trained(model, lesson(samples, key, self.share), self.recipe))

    def verify(self, suspect: Suspect, key: TriggerKey) -> Evidence:
        """Count the key images that are classified correctly."""
        return matches(suspect, key, SCHEME)


def _count(parts: Sequence[Samples]) -> int:
    return sum(map(len, parts))


def _first(parts: Sequence[Samples], n: int, do: str) -> Samples:
    """Return the first `n` images of all parts."""
    rule = f"n must leave {n} to the {_count(parts)} images that {do} the model"
    require(n <= _count(parts), rule, n, "Take fewer, or change size.")
    return reduce(add, parts)[:n]
