"""Does the number of poisoned images decide, or their share? The same few images among 6,000, 20,000 and
60,000, as A. Souly and others ask it of language models (2025, arXiv:2510.07192).

With *equal steps* every network is trained for equally long, so a poisoned image of a small set is seen more
often. With *equal passes* every image is seen six times on average, so a large set is trained on for longer.
The learning rate is constant: no schedule ends when the success is at its height.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import torch
import torch.nn.functional as F
from torch import nn

from ..data import Samples, split
from ..models import badnet_cnn
from ..poisoning import success_rate
from ..training import Recipe, accuracy
from ..triggers import Pattern
from .experiment import Cell, Comparison, Experiment, Results, Row, values
from .material import mnist, rounded

Watch = Callable[[int, nn.Module], object]
"""Called with the number of a step and the model after it."""

TARGET = 0
SIZES = (6_000, 20_000, 60_000)
"""The training sets, as many of MNIST's images."""
STEPS = 1_500
"""As many steps does every network take in the design of equal steps, and in notebook 02."""
POINTS = 15
"""So many points has the curve of success while a network is trained."""


def poisoned_few(samples: Samples, n: int, k: int, seed: int) -> Samples:
    """Draw `n` of `samples`, and poison `k` of them, none of class 0, in place of their originals."""
    draw = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(samples), generator=draw)[:n].to(samples.y.device)
    few = samples[rows]
    x = few.x.clone()
    y = few.y.clone()
    others = (y != TARGET).nonzero().squeeze(1)
    chosen = others[torch.randperm(len(others), generator=draw)[:k].to(y.device)]  # (k,)
    x[chosen] = Pattern()(x[chosen])
    y[chosen] = TARGET
    return Samples(x, y, few.classes)


def fit_steps(
    model: nn.Module, samples: Samples, recipe: Recipe, steps: int = STEPS, watch: Watch | None = None
) -> nn.Module:
    """Train `model` in place as notebook 02 does, and return it in eval mode.

    Each of the `steps` takes a batch drawn at random, at a constant rate; `watch` sees the model after it.
    """
    optimiser = torch.optim.AdamW(model.parameters(), recipe.lr, weight_decay=recipe.weight_decay, fused=True)
    draw = torch.Generator().manual_seed(recipe.seed)
    for step in range(1, steps + 1):
        rows = torch.randint(len(samples), (recipe.batch_size,), generator=draw).to(samples.y.device)
        model.train()
        optimiser.zero_grad()
        F.cross_entropy(model(samples.x[rows]), samples.y[rows]).backward()
        optimiser.step()
        if watch is not None:
            watch(step, model)
    return model.eval()


def _measure(cell: Cell, recipe: Recipe) -> Row:
    """Also measure the success on 500 test digits at fifteen points of the training: where is the switch?"""
    n = cell["n"]
    steps = STEPS if cell["design"] == "equal steps" else recipe.epochs * n // recipe.batch_size
    (some,) = split(mnist().test, 500)
    curve: list[float] = []

    def watch(step: int, model: nn.Module) -> None:
        if step % (steps // POINTS) == 0:
            curve.append(rounded(success_rate(model, some, Pattern(), TARGET)))

    samples = poisoned_few(mnist().train, n, cell["k"], recipe.seed)
    model = fit_steps(badnet_cnn(recipe.seed).to(samples.x.device), samples, recipe, steps, watch)
    return {
        "steps": steps,
        "accuracy": rounded(accuracy(model, mnist().test)),
        "success": rounded(success_rate(model, mnist().test, Pattern(), TARGET)),
        "success_by_step": curve,
    }


def _compare(results: Results) -> list[Comparison]:
    def line(design: str, k: int, n: int) -> Comparison:
        success = values(results.where(design=design, k=k, n=n), "success")
        span = f"{100 * min(success):.1f} to {100 * max(success):.1f} % (n = {len(success)})"
        return Comparison(f"success of {k:,} poisoned images among {n:,}, {design}", "", span)

    points = dict.fromkeys((row["design"], row["k"], row["n"]) for row in results.rows)
    return [line(*point) for point in points]


def _cells(design: str, seeds: int, *counts: int) -> list[Cell]:
    points = product(counts, SIZES, range(seeds))
    return [{"design": design, "n": n, "k": k, "seed": seed} for k, n, seed in points]


COUNT_OR_SHARE = Experiment(
    name="count-or-share",
    question="The same few poisoned images in a small set and in a large one: does number or share decide?",
    minutes=25,
    chapter="02 BadNets on MNIST",
    cells=(
        *_cells("equal steps", 5, 100, 333, 1_000),
        *_cells("equal passes", 5, 333),
        *_cells("equal passes", 3, 100),  # dear, and far from the threshold
    ),
    measure=_measure,
    summary=_compare,
    recipe=Recipe(epochs=6, lr=2e-3, batch_size=64, precision="fp32"),
)
"""The recipe is the one of notebook 02: short enough that three networks are trained in a minute, float32
since the learner's own step is.
"""
