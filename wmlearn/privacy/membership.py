"""Was this image in the training set? A network is a little surer of what it was trained on.

S. Yeom, I. Giacomelli, M. Fredrikson, S. Jha: Privacy Risk in Machine Learning, CSF 2018, arXiv:1709.01604,
section 3: a small loss speaks for a member. N. Carlini, S. Chien, M. Nasr, S. Song, A. Terzis, F. Tramer:
Membership Inference Attacks From First Principles, S&P 2022, arXiv:2112.03570, section 4 (what counts is who
is caught at few false alarms) and 5 (each image is compared with networks that never saw it). Differs: from
the loss its mean over such networks is taken away, where the paper fits a normal distribution to each image.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data import Samples
from ..errors import require
from ..training import predict


def losses(model: nn.Module, samples: Samples, references: Sequence[nn.Module] = ()) -> Tensor:
    """Return the cross-entropy of each sample, (N,) float64, less its mean over `references`: networks of
    the same recipe that never saw the sample.
    """
    own = F.cross_entropy(predict(model, samples.x).double(), samples.y, reduction="none")
    if not references:
        return own
    others = [losses(network, samples) for network in references]
    return own - torch.stack(others).mean(0)


def membership_p_values(suspected: Tensor, strangers: Tensor) -> Tensor:
    """Return for each loss in `suspected` (M,) its rank among those of `strangers` (N,), over N + 1: how many
    images that the network never saw have a loss as small, the image itself among them.

    Exact for an image that is drawn as the strangers were, and that the network never saw.
    """
    _check(suspected, strangers)
    order = strangers.double().sort().values.contiguous()
    as_small = torch.searchsorted(order, suspected.double().contiguous(), right=True)  # (M,)
    return (1 + as_small.double()) / (1 + len(order))


def caught(members: Tensor, strangers: Tensor, alarms: float) -> float:
    """Return the share of `members` (M,) whose p-value is at most `alarms`, that of accused strangers."""
    require(0 < alarms < 1, "alarms must lie in (0, 1)", alarms)
    return float((membership_p_values(members, strangers) <= alarms).double().mean())


def auc(members: Tensor, strangers: Tensor) -> float:
    """Return how probable it is that a member has a smaller loss than a stranger; ties count half.

    1/2 says that losses tell nothing.
    """
    _check(members, strangers)
    order = strangers.double().sort().values.contiguous()
    given = members.double().contiguous()
    below = torch.searchsorted(order, given)  # strangers with a smaller loss
    up_to = torch.searchsorted(order, given, right=True)
    return 1 - float((below + up_to).double().mean() / (2 * len(order)))


def _check(members: Tensor, strangers: Tensor) -> None:
    shapes = (tuple(members.shape), tuple(strangers.shape))
    fits = members.ndim == 1 and strangers.ndim == 1 and min(len(members), len(strangers)) > 0
    require(fits, "losses must be (N,), of at least one image each", shapes)
    numbers = bool(members.isfinite().all() and strangers.isfinite().all())
    require(numbers, "losses must be finite", "inf or nan", "Look at what the model answers.")
