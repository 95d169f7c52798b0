"""Train on: the four ways of Adi and others, and a large learning rate.

Y. Adi and others: Turning Your Weakness Into a Strength, USENIX Security 2018, arXiv:1802.04633, section 5.3:
fine-tune or re-train the last or all layers (FTLL, FTAL, RTLL, RTAL). X. Chen and others: REFIT: A Unified
Watermark Removal Framework for Deep Learning Systems with Limited Data, AsiaCCS 2021, arXiv:1911.07205: a
learning rate that starts large and decays. Differs: AdamW under a one-cycle schedule, as everywhere here;
REFIT without its weight consolidation and unlabelled data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from torch import nn

from ..data import Samples
from ..errors import require
from ..models import reborn
from ..models.adapter import head_of
from ..training import Recipe, trained
from .copies import attacked, sound_copy

Part = Literal["last", "all"]


@dataclass(frozen=True)
class FineTune:
    """Train a copy on: its `last` linear layer or `all`; with `reset_last`, the last one starts anew."""

    part: Part = "all"
    reset_last: bool = False
    recipe: Recipe = Recipe(epochs=5, lr=1e-3)
    head: str | None = None  # the last layer; by default, the linear one whose answer is the model's

    def __post_init__(self) -> None:
        require(self.part in get_args(Part), f"part must be one of {', '.join(get_args(Part))}", self.part)

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module:
        new = sound_copy(model, samples)
        if self.part == "all" and not self.reset_last:
            return attacked(model, trained(new, samples, self.recipe)[0], samples)
        last = head_of(new, samples.x, self.head)
        if self.reset_last:
            last.load_state_dict(reborn(last, self.recipe.seed).state_dict())
        if self.part == "last":
            new.requires_grad_(False)
            last.requires_grad_(True)
        tuned = trained(new, samples, self.recipe)[0]
        return attacked(model, tuned.requires_grad_(True), samples)
