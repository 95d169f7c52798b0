"""What the cells of notebook 08 call: a picture to hide, strangers, layers as tensors; dial and challenge."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

import ipywidgets
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...evidence import bystanders
from ...experiments import shipped
from ...experiments.experiment import Row
from ...experiments.watermarks import STARTS_TRAINED
from ...plots.weights import strength_point
from ...words import decimal
from ..challenges import Challenge, Score
from ..widgets import Dial, depict, redraw
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


# Layers to take apart and to put together


def layers(network: nn.Module) -> tuple[list[Tensor], list[Tensor]]:
    """Return copies of the weights (out, in, k, k) and biases (out,) of a network for digits, layer by layer.

    A linear layer is a convolution as large as what it reads.
    """
    weights: list[Tensor] = []
    biases: list[Tensor] = []
    for step in _weighted(network):
        weight = step.weight.detach().clone()
        weights.append(weight if weight.ndim == 4 else _as_convolution(weight, len(weights[-1])))
        biases.append(step.bias.detach().clone())  # pyrefly: ignore[missing-attribute]
    return weights, biases


def rebuilt(network: nn.Module, weights: Sequence[Tensor], biases: Sequence[Tensor]) -> nn.Module:
    """Return a copy of `network` with other weights and biases, as `layers` gives them."""
    new = copy.deepcopy(network).eval()
    with torch.no_grad():
        for step, weight, bias in zip(_weighted(new), weights, biases, strict=True):
            linear = isinstance(step, nn.Linear)
            step.weight.copy_(weight.permute(0, 2, 3, 1).flatten(1) if linear else weight)
            step.bias.copy_(bias)  # pyrefly: ignore[missing-attribute]
    return new


def _weighted(network: nn.Module) -> list[nn.Conv2d | nn.Linear]:
    return [step for step in network.modules() if isinstance(step, nn.Conv2d | nn.Linear)]


def _as_convolution(weight: Tensor, channels: int) -> Tensor:
    """Return the weight (out, in) of a linear layer that reads channels last as (out, channels, k, k)."""
    side = math.isqrt(weight.shape[1] // channels)
    return weight.view(len(weight), side, side, channels).permute(0, 3, 1, 2)


def cosines(ours: Tensor, theirs: Tensor) -> Tensor:
    """Compare the filters of two layers (out, in, k, k) by their directions: (out, out)."""
    a, b = (F.normalize(weight.detach().flatten(1)) for weight in (ours, theirs))
    return (a @ b.T).cpu()


# Three clients


@dataclass(frozen=True)
class Offer:
    """A mark, as the shipped yardsticks measured it on digits; the means of five networks."""

    name: str
    from_labels: bool
    in_finished: bool  # can be put into a network that is already trained
    at_random: bool  # labels or bits drawn at random: a p-value as small as the key is large
    bits: float  # that the mark can carry
    queries_auc: float | None  # how well a service tells the key's images from test images
    change: float  # of accuracy


_OFFERED = {
    "Adi, from scratch": "adi2018",
    "Adi, pretrained": "adi2018-pretrained",
    "Zhang, content": "zhang2018-content",
    "Zhang, unrelated": "zhang2018-unrelated",
    "Uchida": "uchida2017",
}


def offers() -> list[Offer]:
    """Return the marks to choose from."""
    results = shipped("watermarks")
    plain = {row["seed"]: row["accuracy"] for row in results.where(data="mnist", scheme="plain")}
    return [
        _offer(name, scheme, results.where(data="mnist", scheme=scheme), plain)
        for name, scheme in _OFFERED.items()
    ]


def _offer(name: str, scheme: str, rows: Sequence[Row], plain: Mapping[int, float]) -> Offer:
    aucs = [row["inputs_auc"] for row in rows if row["inputs_auc"] is not None]
    return Offer(
        name,
        from_labels=rows[0]["queries"] > 0,
        in_finished=scheme in STARTS_TRAINED,
        at_random=not scheme.startswith("zhang"),
        bits=mean(row["bits"] for row in rows),
        queries_auc=mean(aucs) if aucs else None,
        change=mean(row["accuracy"] - plain[row["seed"]] for row in rows),
    )


def offered() -> list[list[str]]:
    """Say of each mark what a client asks about, a row a mark."""
    return [
        [
            offer.name,
            "labels" if offer.from_labels else "weights",
            "yes" if offer.in_finished else "no",
            "at random" if offer.at_random else "one for all",
            f"{offer.bits:.0f}",
            "no queries" if offer.queries_auc is None else f"{offer.queries_auc:.2f}",
            f"{100 * offer.change:+.2f}",
        ]
        for offer in offers()
    ]


@dataclass(frozen=True)
class Need:
    """What a client needs of a mark, and what to say where it was forgotten."""

    met: Callable[[Offer], bool]
    says: str


_BY_LABELS = Need(lambda offer: offer.from_labels, "only labels can be seen")
CLIENTS: dict[str, tuple[Need, ...]] = {
    "translator": (
        _BY_LABELS,
        Need(lambda offer: offer.in_finished, "the network is finished and can't be trained anew"),
        Need(lambda offer: offer.at_random, "one in a million would take a million decoys"),
    ),
    "camera": (
        Need(lambda offer: not offer.from_labels, "nobody can feed the chip an image"),
        Need(lambda offer: offer.bits >= 8, "200 buyers take 8 bits"),
    ),
    "bank": (
        _BY_LABELS,
        Need(lambda offer: (offer.queries_auc or 0) <= 0.7, "the service refuses queries that stand out"),
    ),
}
"""Client -> needs, as the lesson tells them."""


def advise(choose: Callable[[], Mapping[str, str]]) -> Score:
    """Count the needs that the marks chosen for the clients leave unmet; `choose()` is client -> mark."""
    chosen = choose()
    known = {offer.name: offer for offer in offers()}
    unknown = [client for client in CLIENTS if chosen.get(client) not in known]
    if unknown:
        return Score(False, 0, f"For {unknown[0]}: choose one of {', '.join(known)}.")
    forgotten = {client: unmet(client, known[chosen[client]]) for client in CLIENTS}
    parts = [f"The {client}: {'; '.join(says) or 'every need met'}." for client, says in forgotten.items()]
    return Score(True, sum(map(len, forgotten.values())), " ".join(parts))


def unmet(client: str, offer: Offer) -> list[str]:
    """Say which of a client's needs a mark leaves unmet."""
    return [need.says for need in CLIENTS[client] if not need.met(offer)]


CHALLENGE = Challenge("three clients, a mark for each", "needs unmet", advise, ours=0)


# To play with


def strength_dial(rows: Sequence[Row]) -> ipywidgets.VBox:
    """Let the learner choose how strongly a mark is taught; see what is read, what shows, what it costs."""
    strengths = sorted({row["strength"] for row in rows})
    slider = Dial("strength λ", {decimal(strength): strength for strength in strengths})
    return redraw(lambda: depict(strength_point, rows, slider.value), slider)
