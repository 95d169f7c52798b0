"""What the cells of notebook 08 call: a picture to hide, strangers, a frontier's key, thieves; its dial."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from statistics import mean

import ipywidgets
import torch
from torch import Tensor, nn

from ...data import Samples
from ...evidence import answers, bystanders
from ...experiments import Results
from ...experiments.experiment import Row
from ...plots.weights import strength_point
from ...watermarks.adversarial import pushed
from ...watermarks.trigger_set import TriggerKey
from ...words import decimal
from ..widgets import depict, redraw
from .exercises_08 import mean_filter

SIDE = 16
_PICTURE = """
................
.....######.....
...##########...
..####....####..
..##........##..
.###..####..###.
.##..##..##..##.
.##.##.......##.
.##.##.......##.
.##..##..##..##.
.###..####..###.
..##........##..
..####....####..
...##########...
.....######.....
................
"""


def picture() -> Tensor:
    """Return what the owner hides: bits (256,) float, a copyright sign when they are laid out 16 by 16."""
    return torch.tensor([float(square == "#") for square in _PICTURE if square != "\n"])


def layer(network: nn.Module) -> Tensor:
    """Return the weight of the last convolution, (32, 16, 5, 5) in the lesson; gradients pass."""
    return [module for module in network.modules() if isinstance(module, nn.Conv2d)][-1].weight


def strangers(device: torch.device) -> list[nn.Module]:
    """Return twenty networks that learnt the digits without a mark, and don't set the null of a key."""
    return [
        copy.deepcopy(network).to(device)
        for network in bystanders.shipped("mnist", bystanders.N_NULL, bystanders.N_ALL)
    ]


def read_squares(network: nn.Module, asked: Tensor) -> Tensor:
    """Return the network's answers (n,) to the yes/no questions `asked` (n, fan_in)."""
    with torch.no_grad():
        return (asked @ mean_filter(layer(network)) > 0).float()


def agreement(bits: Tensor, wanted: Tensor) -> str:
    """Say in how many squares a message agrees with the wanted one."""
    return f"{int((bits == wanted).sum())} of {len(wanted)} agree"


# Decision boundaries


def frontier(model: nn.Module, samples: Samples, n: int = 100, size: float = 0.15) -> TriggerKey:
    """Make the key of the paper: digits pushed away from their class, of which half fool `model`.

    `chance` is the paper's null, 1/2.
    """
    known = samples[answers(model, samples.x) == samples.y]
    x = pushed(model, known.x, known.y, -size)
    fooled = answers(model, x) != known.y
    index = torch.cat([side.nonzero().flatten()[: n // 2] for side in (fooled, ~fooled)])
    return TriggerKey("lemerrer2019", b"", x[index], known.y[index], len(samples.classes), 0.5)


# What ships with the course


def honest(results: Results, scheme: str = "plain") -> float:
    """Return the mean accuracy on digits of a scheme's marked networks, or of those without a mark."""
    return mean(row["accuracy"] for row in results.where(data="mnist", scheme=scheme))


def by_stop(rows: Sequence[Row]) -> list[list[Row]]:
    """Return for each thief of the service what he had, stop by stop."""
    return [row["stolen"] for row in rows]


def at_stop(thieves: Sequence[Sequence[Row]], epochs: int) -> list[Row]:
    """Return what the thieves had after so many epochs."""
    return [stop for stops in thieves for stop in stops if stop["epochs"] == epochs]


# To play with


def strength_dial(rows: Sequence[Row]) -> ipywidgets.VBox:
    """Let the learner choose how strongly a mark is taught; see what is read, what shows, what it costs."""
    strengths = sorted({row["strength"] for row in rows})
    slider = ipywidgets.SelectionSlider(
        options=[(decimal(strength), strength) for strength in strengths],
        description="strength λ",
        layout=ipywidgets.Layout(width="420px"),
    )
    return redraw(lambda: depict(strength_point, rows, slider.value), slider)
