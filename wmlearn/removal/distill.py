"""Train a new network on what the stolen one answers: features that only triggers show are never taught.

G. Hinton, O. Vinyals, J. Dean: Distilling the Knowledge in a Neural Network, 2015, arXiv:1503.02531, section
2; against watermarks in Lukas and others: SoK, S&P 2022. Odd data: T. Orekondy, B. Schiele, M. Fritz:
Knockoff Nets, CVPR 2019, arXiv:1812.02766.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data import Samples, require_images, signs
from ..errors import require
from ..models import forward, student_of
from ..models.adapter import in_float
from ..training import OneCycle, Recipe, predict, resolve, train
from .copies import sound_copy

Labels = Literal["soft", "hard"]


@dataclass(frozen=True)
class Distill:
    """Teach a new network, built alike, the `labels` that the model gives to images.

    The images are the attacker's, or, with `odd`, as many drawn road signs (grey where the model reads grey):
    a thief without data.
    """

    labels: Labels = "soft"
    odd: bool = False
    temperature: float = 4.0  # T
    recipe: Recipe = Recipe(epochs=12, lr=5e-3, batch_size=128)

    def __post_init__(self) -> None:
        rule = f"labels must be one of {', '.join(get_args(Labels))}"
        require(self.labels in get_args(Labels), rule, self.labels)
        require(self.temperature > 0, "temperature must be positive", self.temperature)

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module:
        teacher = sound_copy(model, samples).eval()
        x = samples.x
        if self.odd:
            require_images(x, "Distill with odd images")
            x = odd_images(len(samples), tuple(x.shape[1:]), self.recipe.seed).to(x.device)
        student = student_of(teacher, self.recipe.seed)
        logits = predict(teacher, x)  # (N, classes)
        if self.labels == "hard":
            train(student, replace(samples, x=x, y=logits.argmax(1), groups=None), self.recipe)
        else:
            train_to_imitate(student, x, logits, self.temperature, self.recipe)
        return student


def train_to_imitate(
    student: nn.Module, x: Tensor, logits: Tensor, temperature: float, recipe: Recipe
) -> None:
    """Fit `student` in place to the `logits` (N, classes) that a teacher gives to `x`, both softened."""
    wanted = (logits / temperature).softmax(1)  # (N, classes)
    order = torch.Generator().manual_seed(recipe.seed)
    descent = OneCycle.of(student.parameters(), recipe, len(x))
    bf16 = resolve(recipe.precision, x.device) == "bf16"
    student.train()
    with in_float(student):
        for _ in range(recipe.epochs):
            rows = torch.randperm(len(x), generator=order).to(x.device)
            for batch in rows.split(recipe.batch_size):  # (B,)
                with torch.autocast(x.device.type, torch.bfloat16, enabled=bf16):
                    answers = forward(student, x[batch])
                soft = (answers / temperature).log_softmax(1)  # (B, classes)
                # softening divides slopes by T^2: the factor puts them back (section 2)
                descent.step(temperature**2 * F.kl_div(soft, wanted[batch], reduction="batchmean"))
    student.eval()


@lru_cache(1)
def odd_images(n: int, shape: tuple[int, ...], seed: int) -> Tensor:
    """Draw `n` road signs of the United States, scaled to `shape` (C, H, W), and grey where C is 1."""
    x = signs.draw("us", n, seed=9000 + seed).x  # (n, 3, 32, 32)
    x = F.interpolate(x, shape[1:], mode="bilinear", align_corners=False).clamp(0, 1)
    if shape[0] == 3:
        return x
    grey = x.mean(1, keepdim=True)
    return grey.expand(-1, shape[0], -1, -1).clamp(0, 1).contiguous()
