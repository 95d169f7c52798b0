"""Draw what a network takes for a class: an image that it is very sure of.

M. Fredrikson, S. Jha, T. Ristenpart: Model Inversion Attacks that Exploit Confidence Information, CCS 2015,
section 5: from black, down the slope of the loss of a class. Differs: Adam in place of plain steps; the total
variation as a penalty (A. Mahendran, A. Vedaldi, CVPR 2015, arXiv:1412.0035, section 3), without which digits
come out as noise. Such an image shows the class. That it shows a training image is another claim, and needs a
control: images that others trained on.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import require
from ..models import forward
from ..models.adapter import reading

DARK = -4.0
"""Where pixels start, before the sigmoid: 0.02."""


def invert(
    model: nn.Module,
    classes: Sequence[int],
    shape: Sequence[int],
    *,
    steps: int = 200,
    rate: float = 0.2,
    smooth: float = 0.01,
    seed: int = 0,
) -> Tensor:
    """Return an image for each of `classes`, (N, C, H, W) in [0, 1], that `model` takes for it.

    `smooth` weighs the total variation. Raises `ArgumentError` for no class, or no step.
    """
    require(len(classes) > 0, "classes must name at least one", len(classes))
    require(steps >= 1, "steps must be at least 1", steps)
    device = next(model.parameters()).device
    draw = torch.Generator().manual_seed(seed)
    free = (DARK + 0.1 * torch.randn(len(classes), *shape, generator=draw)).to(device).requires_grad_()
    wanted = torch.tensor(list(classes), device=device)
    descent = torch.optim.Adam([free], rate)
    with reading(model):
        for _ in range(steps):
            x = free.sigmoid()  # through a sigmoid, pixels stay in [0, 1]
            loss = F.cross_entropy(forward(model, x), wanted, reduction="sum") + smooth * variation(x).sum()
            (free.grad,) = torch.autograd.grad(loss, [free])
            descent.step()
    return free.detach().sigmoid()


def variation(x: Tensor) -> Tensor:
    """Return the total variation of each image (N, C, H, W): the sum of differences of neighbours, (N,)."""
    down = (x[:, :, 1:] - x[:, :, :-1]).abs().sum((1, 2, 3))
    right = (x[:, :, :, 1:] - x[:, :, :, :-1]).abs().sum((1, 2, 3))
    return down + right


def likeness(image: Tensor, others: Tensor) -> Tensor:
    """Return the correlation of an image (C, H, W) with each of others (N, C, H, W), (N,): however faint
    the image is.
    """
    both = torch.cat([image[None], others]).flatten(1)
    centred = F.normalize(both - both.mean(1, keepdim=True), dim=1)
    return centred[1:] @ centred[0]


def likest(image: Tensor, others: Tensor) -> Tensor:
    """Return the one of others (N, C, H, W) that correlates most with an image (C, H, W)."""
    return others[likeness(image, others).argmax()]
