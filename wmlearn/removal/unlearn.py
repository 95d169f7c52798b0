"""Unlearn the triggers that Neural Cleanse finds.

B. Wang and others: Neural Cleanse, IEEE S&P 2019, section VI.C: fine-tune on clean images, a fifth of them
with the recovered trigger and their right labels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import nn

from ..data import Samples
from ..detection import NeuralCleanse
from ..errors import require
from ..training import Recipe, train
from .copies import attacked, sound_copy


@dataclass(frozen=True)
class Unlearn:
    """Paste the trigger of every flagged class, of the oddest where none is, on a `share` of the samples;
    train on.
    """

    share: float = 0.2
    recipe: Recipe = Recipe(epochs=5, lr=1e-3)
    search: NeuralCleanse = NeuralCleanse()  # its seed is the recipe's

    def __post_init__(self) -> None:
        require(0 < self.share <= 1, "share must lie in (0, 1]", self.share)

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module:
        new = sound_copy(model, samples)
        scan = replace(self.search, seed=self.recipe.seed)(model, samples)
        count = max(1, int(self.share * len(samples)))
        draw = torch.Generator().manual_seed(self.recipe.seed)
        learn = samples
        for target in scan.flagged or (int(scan.index.argmax()),):
            rows = torch.randperm(len(samples), generator=draw)[:count].to(samples.x.device)
            some = samples[rows]
            # with the right labels: the trigger is to lose its meaning
            learn = learn + Samples(scan.trigger(target)(some.x), some.y, samples.classes)
        train(new, learn, self.recipe)
        return attacked(model, new, samples)
