"""The owner's reply to channels that were dealt anew: find for each of the original's the suspect's that is
most like it, and put it back before the mark is read.

F. Li, S. Wang, Y. Zhu: Fostering the Robustness of White-Box Deep Neural Network Watermarks by Neuron
Alignment, arXiv:2112.14108. Differs: channels are compared by their weights, not by their answers to images,
and assigned all at once (H. Kuhn: The Hungarian Method, Naval Research Logistics Quarterly 2, 1955).
"""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import require
from .channels import Joint, deal, joints


def matched(original: nn.Module, suspect: nn.Module) -> nn.Module:
    """Return a copy of `suspect` that computes the same, with its channels in the order and on the scale of
    `original`, layer by layer from the input on.

    A channel is compared by the direction of its weights, which no factor changes. Raises `ArgumentError`
    for a suspect whose layers have other shapes, or a network that isn't a plain stack of layers.
    """
    new = copy.deepcopy(suspect)
    ours = joints(original)
    theirs = joints(new)
    found = _shapes(theirs)
    require(_shapes(ours) == found, "the suspect's layers must have the shapes of the original's", found)
    for own, other in zip(ours, theirs, strict=True):
        order = assigned(own.before.weight, other.before.weight)
        deal(other, order, _factors(own, other, order))
    return new


def _shapes(found: list[Joint]) -> list[tuple[int, ...]]:
    return [tuple(joint.before.weight.shape) for joint in found]


def assigned(original: Tensor, suspect: Tensor) -> Tensor:
    """Say for each filter of `original` (out, ...) which of `suspect`'s stands for it, (out,) int64: the
    assignment with the largest sum of cosines.
    """
    from scipy.optimize import linear_sum_assignment

    ours, theirs = (F.normalize(weight.detach().flatten(1).float().cpu()) for weight in (original, suspect))
    _, order = linear_sum_assignment((ours @ theirs.T).numpy(), maximize=True)
    return torch.as_tensor(order)


def _factors(own: Joint, other: Joint, order: Tensor) -> Tensor:
    """Return what each of the suspect's channels, in its new order, is to be multiplied by, (C,)."""
    wanted = own.scales.cpu()
    given = other.scales.cpu()[order]
    sleeping = (wanted == 0) | (given == 0)
    return torch.where(sleeping, 1.0, wanted / given)
