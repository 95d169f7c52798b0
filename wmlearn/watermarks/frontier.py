"""Frontier stitching: images on either side of a decision boundary, all to be read rightly.

E. Le Merrer, P. Perez, G. Tredan: Adversarial Frontier Stitching for Remote Neural Network Watermarking,
Neural Computing and Applications 2019, arXiv:1711.01894, section 3. Differs: the paper's null says that an
innocent model is wrong about half of the key, since half of it fools the model that it was made from. Such
images fool other models less often, 39 in 100 of them here, so that innocent models were right about up to 87
of 100 images, and a marked one stood out little. So true adversaries must also fool half of the bystanders;
the others measure `chance`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from ..data import Samples
from ..errors import require
from ..evidence import Evidence, Suspect, answers, bystanders
from ..protocols import Marked
from ..training import Recipe, trained
from .adversarial import pushed, understood
from .marking import marked
from .secret import secret_of
from .trigger_set import TriggerKey, chance_of, lesson, matches, pick

SCHEME = "lemerrer2019"
POOL = 2000  # images that the key is made of


@dataclass(frozen=True)
class LeMerrer2019:
    """Teach a trained model the true class of `n` pushed images: half fool it (true adversaries)."""

    n: int = 100  # |K|
    size: float = 0.15  # epsilon, the change of each pixel
    share: float = 0.1  # of the key in an epoch
    recipe: Recipe = Recipe(epochs=1, lr=2e-3)

    def keygen(
        self, model: nn.Module, samples: Samples, *, seed: int = 0, secret: bytes | None = None
    ) -> TriggerKey:
        """Push images that `model` reads rightly away from their class, and keep as many that fool it as
        don't.

        Raises `ArgumentError` for a model that isn't trained yet, or a `size` at which too few images end on
        either side.
        """
        fix = "A key takes images from both sides of the boundary."
        require(self.n >= 2, "n must be at least 2", self.n, fix)
        secret = secret_of(seed, secret)
        pool = pick(samples, secret, min(len(samples), POOL))
        read = pool[understood(model, pool).argmax(1) == pool.y]
        x = pushed(model, read.x, read.y, -self.size)  # (N, C, H, W)
        innocent = bystanders.for_task(model, samples)
        choosers = (model, *innocent[::2])
        wrong = torch.stack([answers(chooser, x) != read.y for chooser in choosers])  # (models, N)
        half = self.n // 2
        fooling = _first(wrong.all(0), half, "fool")
        harmless = _first(~wrong[0], self.n - half, "don't fool")
        index = torch.cat([fooling, harmless])  # (n,)
        chance = chance_of(x[index], read.y[index], innocent[1::2])
        return TriggerKey(SCHEME, secret, x[index], read.y[index], len(samples.classes), chance)

    def embed(self, model: nn.Module, samples: Samples, key: TriggerKey) -> Marked[TriggerKey]:
        """Fine-tune a copy of the trained `model` on the samples and the key together."""
        return marked(self, key, *trained(model, lesson(samples, key, self.share), self.recipe))

    def verify(self, suspect: Suspect, key: TriggerKey) -> Evidence:
        """Count the key images that are read rightly."""
        return matches(suspect, key, SCHEME)


def _first(fits: torch.Tensor, n: int, do: str) -> torch.Tensor:
    index = fits.nonzero().flatten()
    rule = f"n must leave {n} to the {len(index)} images that {do} the model"
    require(n <= len(index), rule, n, "Take fewer, or change size.")
    return index[:n]
