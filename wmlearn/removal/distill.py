"""Train a new network on what the stolen one answers: features that only triggers show are never taught.

G. Hinton, O. Vinyals, J. Dean: Distilling the Knowledge in a Neural Network, 2015, arXiv:1503.02531, section
2; against watermarks in Lukas and others: SoK, S&P 2022. Odd data: T. Orekondy, B. Schiele, M. Fritz:
Knockoff Nets, CVPR 2019, arXiv:1812.02766.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data import Samples, signs
from ..errors import require
from ..models import reborn
from ..training import Recipe, predict, resolve, train
from .copies import sound_copy

Labels = Literal["soft", "hard"]


@dataclass(frozen=True)
class Distill:
    """Teach a network built alike, with first weights of its own, the `labels` that the model gives to
    images.

    The images are the attacker's, or, with `odd`, as many drawn road signs (grey where the model reads grey):
    a thief without data.
    """

    labels: Labels = "soft"
    odd: bool = False
    temperature: float = 4.0  # T
    recipe: Recipe = Recipe(epochs=12, lr=5e-3, batch_size=128)

    def __post_init__(self) -> None:
        require(
            self.labels in get_args(Labels),
            f"labels must be one of {', '.join(get_args(Labels))}",
            self.labels,
        )
        require(self.temperature > 0, "temperature must be positive", self.temperature)

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module:
        teacher = sound_copy(model, samples).eval()
        x = (
            odd_images(len(samples), tuple(samples.x.shape[1:]), self.recipe.seed).to(samples.x.device)
            if self.odd
            else samples.x
        )
        student, logits = reborn(teacher, self.recipe.seed), predict(teacher, x)
        if self.labels == "hard":
            train(student, replace(samples, x=x, y=logits.argmax(1), groups=None), self.recipe)
        else:
            imitate(student, x, logits, self.temperature, self.recipe)
        return student


def imitate(student: nn.Module, x: Tensor, logits: Tensor, temperature: float, recipe: Recipe) -> None:
    """Fit `student` in place to the teacher's `logits` (N, classes) of `x`, both softened by `temperature`."""
    wanted, order = (logits / temperature).softmax(1), torch.Generator().manual_seed(recipe.seed)
    steps = recipe.epochs * -(-len(x) // recipe.batch_size)
    optimiser = torch.optim.AdamW(
        student.parameters(), recipe.lr, weight_decay=recipe.weight_decay, fused=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.lr, total_steps=steps + 1)
    bf16 = resolve(recipe.precision, x.device) == "bf16"
    student.train()
    for _ in range(recipe.epochs):
        for part in torch.randperm(len(x), generator=order).to(x.device).split(recipe.batch_size):
            with torch.autocast(x.device.type, torch.bfloat16, enabled=bf16):
                said = student(x[part])
            said = (said.float() / temperature).log_softmax(1)
            loss = temperature**2 * F.kl_div(said, wanted[part], reduction="batchmean")
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    student.eval()


def odd_images(n: int, shape: tuple[int, ...], seed: int) -> Tensor:
    """Draw `n` road signs of the United States, scaled to `shape` (C, H, W), and grey where C is 1."""
    x = signs.draw("us", n, seed=9000 + seed).x
    x = F.interpolate(x, shape[1:], mode="bilinear", align_corners=False).clamp(0, 1)
    return (
        x if shape[0] == 3 else x.mean(1, keepdim=True).expand(-1, shape[0], -1, -1).clamp(0, 1).contiguous()
    )
