"""A network moves to another task: its convolutions are kept, its head is trained anew, and what hides in the
convolutions moves along.

T. Gu, B. Dolan-Gavitt, S. Garg: BadNets, 2017, arXiv:1708.06733, section 5.3, US -> Swedish traffic signs.
All functions take a `models.sign_cnn`. Differs: the paper strengthens neurons by their input weights; here
the last batch normalisation of a channel is multiplied, which does the same to what the channel says.
"""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .data import Samples
from .errors import NOT_EMPTY, require
from .models import SIGN_HEAD, sign_cnn
from .training import Recipe, predict, train

HEAD_RECIPE = Recipe(epochs=30, lr=1e-3, batch_size=32)
"""For a new head on few pictures; chosen on a validation split. What else was compared is not on record."""
ALL_RECIPE = Recipe(epochs=30, lr=1e-3, batch_size=32)
"""For all layers. Compared on a clean origin of seed 9, 50 signs of one buyer, 1,000 others to choose by; per
cent classified correctly after 30 passes: 75.6 at this rate, 74.5 at three times, 70.5 at ten times of it;
after six passes 73.2, 74.5 and 61.1.
"""


def activations(model: nn.Sequential, x: Tensor) -> Tensor:
    """Return how strongly each channel of the last convolution fires on images `x`, (N, channels)."""
    return predict(_trunk(model), x).mean((2, 3))  # averaged over the 4 x 4 places


def backdoor_channels(model: nn.Sequential, clean: Tensor, triggered: Tensor, n: int = 6) -> Tensor:
    """Name the `n` channels of the last convolution that fire more on `triggered` images than on their
    `clean` twins, the one that rises most first, (n,).
    """
    rule = f"twins must have the shape of the clean images, {tuple(clean.shape)}"
    require(clean.shape == triggered.shape, rule, tuple(triggered.shape))
    rise = (activations(model, triggered) - activations(model, clean)).mean(0)  # (channels,)
    require(1 <= n <= len(rise), f"n must lie in 1..{len(rise)}", n)
    return rise.argsort(descending=True)[:n]


def strengthen(model: nn.Sequential, channels: Tensor, k: float) -> nn.Sequential:
    """Return a copy of `model` whose `channels` of the last convolution fire `k` times as strongly."""
    require(k > 0, "k must be positive", k, "1 leaves the network as it is.")
    new = copy.deepcopy(model)
    norm = _trunk(new)[-2]
    assert isinstance(norm, nn.BatchNorm2d)
    low, high = (int(bound) for bound in channels.aminmax())
    inside = low >= 0 and high < norm.num_features
    require(inside, f"channels must lie in 0..{norm.num_features - 1}", (low, high))
    with torch.no_grad():
        norm.weight[channels] *= k  # ReLU comes after it, and lets a positive factor through
        norm.bias[channels] *= k
    return new


def retrain(model: nn.Sequential, samples: Samples, recipe: Recipe = HEAD_RECIPE) -> nn.Sequential:
    """Return a network with the convolutions of `model`, unchanged, and a new head, fitted to `samples`.

    The convolutions never change, so each image passes them once only: hundreds of times faster than `train`
    on the whole.
    """
    require(len(samples) > 0, *NOT_EMPTY)
    trunk = copy.deepcopy(_trunk(model)).eval()
    head = sign_cnn(len(samples.classes), recipe.seed)[SIGN_HEAD:].to(samples.x.device)
    features = predict(trunk, samples.x)  # (N, 128, 4, 4)
    # at a constant rate: two layers on fixed features need no cycle
    optimiser = torch.optim.AdamW(head.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay)
    order = torch.Generator().manual_seed(recipe.seed)
    for _ in range(recipe.epochs):
        rows = torch.randperm(len(samples), generator=order).to(samples.x.device)
        for batch in rows.split(recipe.batch_size):  # (B,)
            loss = F.cross_entropy(head(features[batch]), samples.y[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return nn.Sequential(*trunk, *head).eval()


def retrain_all(model: nn.Sequential, samples: Samples, recipe: Recipe = ALL_RECIPE) -> nn.Sequential:
    """Return a network that starts with the convolutions of `model` and a new head, all layers fitted to
    `samples`.
    """
    require(len(samples) > 0, *NOT_EMPTY)
    head = sign_cnn(len(samples.classes), recipe.seed)[SIGN_HEAD:].to(samples.x.device)
    new = nn.Sequential(*copy.deepcopy(_trunk(model)), *head)
    train(new, samples, recipe)
    return new


def largest_share(answers: Tensor) -> float:
    """Return the share of the commonest of the `answers` (N,); near 1, a network has collapsed."""
    require(len(answers) > 0, "there must be at least one answer", len(answers))
    return (answers.bincount().max() / len(answers)).item()


def _trunk(model: nn.Sequential) -> nn.Sequential:
    fits = (
        isinstance(model, nn.Sequential)
        and len(model) > SIGN_HEAD
        and isinstance(model[SIGN_HEAD - 2], nn.BatchNorm2d)
    )
    require(fits, "the network must be a sign_cnn", type(model).__name__, "Build it with wm.models.sign_cnn.")
    return model[:SIGN_HEAD]
