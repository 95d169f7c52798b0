"""Bits in the weights: a secret projection of one layer's mean filter spells a message.

Y. Uchida, Y. Nagai, S. Sakazawa, S. Satoh: Embedding Watermarks into Deep Neural Networks, ICMR 2017,
arXiv:1701.04082, section 3. Differs: the message is drawn from the secret, and so is the projection, each
time that it is needed; the layer is the last convolution whose mean filter has room for the message (the
paper: a group of layers in a wide residual network).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data import Samples
from ..errors import NOT_EMPTY, require
from ..evidence import Evidence, Suspect
from ..models.adapter import convolutions, opened
from ..protocols import Marked
from ..training import Recipe, trained
from .marking import marked
from .secret import integers, normal, secret_of

SCHEME = "uchida2017"


@dataclass(frozen=True, eq=False)
class UchidaKey:
    """The message and where it stands; the projection that reads it is drawn from the secret."""

    scheme: str
    secret: bytes = field(repr=False)
    layer: str  # a name of model.named_modules()
    fan_in: int  # weights of the layer's mean filter
    bits: Tensor  # (n,) int64, the message

    def __len__(self) -> int:
        return len(self.bits)

    def __repr__(self) -> str:
        place = f"layer={self.layer!r}, n={len(self)}, fan_in={self.fan_in}"
        return f"UchidaKey({self.scheme!r}, {place}, secret=…)"


@dataclass(frozen=True)
class Uchida2017:
    """Teach the mean filter of `layer` to spell `n_bits` bits, along with the task.

    The model given to `embed` may be untrained or trained.
    """

    layer: str | None = None  # a name of model.named_modules(); the last convolution with room
    n_bits: int = 256  # T
    strength: float = 0.01  # lambda
    recipe: Recipe = Recipe()

    def keygen(
        self, model: nn.Module, samples: Samples, *, seed: int = 0, secret: bytes | None = None
    ) -> UchidaKey:
        """Draw the message.

        Raises `ArgumentError` for a layer that isn't there, or more bits than its mean filter has weights.
        """
        secret = secret_of(seed, secret)
        model = opened(model)
        layer = _default_layer(model, samples, self.n_bits) if self.layer is None else self.layer
        room = len(mean_filter(_weight(model, layer)))
        rule = f"n_bits must lie in 1..{room}, the weights of the mean filter of layer {layer!r}"
        require(1 <= self.n_bits <= room, rule, self.n_bits, "Take fewer bits or a larger layer.")
        return UchidaKey(SCHEME, secret, layer, room, integers(secret, "message", self.n_bits, 2))

    def embed(self, model: nn.Module, samples: Samples, key: UchidaKey) -> Marked[UchidaKey]:
        """Train a copy of `model` with the embedding loss as a penalty: E = E_task + lambda * E_bits."""
        projection = _projection(model, key)  # (n, fan_in)
        bits = key.bits.to(projection)  # (n,), as float32

        def penalty(network: nn.Module) -> Tensor:
            mean = mean_filter(_weight(network, key.layer))  # (fan_in,)
            return self.strength * embedding_loss(mean, projection, bits)

        return marked(self, key, *trained(model, samples, self.recipe, penalty=penalty))

    def verify(self, suspect: Suspect, key: UchidaKey) -> Evidence:
        """Count the bits of the message that the suspect's weights spell; `chance` is exactly 1/2.

        The weights of an innocent model spell some message. The key's was tossed like coins, by a secret that
        this model knows nothing of: each of its bits agrees with probability 1/2, on its own, whatever the
        weights are. Raises `ArgumentError` for a key of another scheme, a suspect without weights, or one
        whose layer is missing or of another shape.
        """
        opens = isinstance(suspect, nn.Module)
        rule = "the suspect must be an nn.Module"
        require(opens, rule, type(suspect).__name__, "A service shows no weights.")
        assert isinstance(suspect, nn.Module)
        projection = _projection(suspect, key)  # (n, fan_in)
        with torch.no_grad():
            mean = mean_filter(_weight(suspect, key.layer))  # (fan_in,)
            spelt = projection @ mean > 0  # (n,): sigmoid > 1/2
        hits = int((spelt.cpu() == (key.bits.cpu() == 1)).sum())
        return Evidence(SCHEME, "weights", hits, len(key), chance=0.5)


def mean_filter(weight: Tensor) -> Tensor:
    """Average a layer's weight (out, in, k, k) over its filters, (in * k * k,).

    The order of filters is arbitrary: their mean doesn't depend on it, which is the paper's reason for it.
    """
    return weight.float().mean(0).flatten()


def embedding_loss(mean: Tensor, projection: Tensor, bits: Tensor) -> Tensor:
    """Sum the binary cross-entropy of the projected mean filter over all bits: eq. 4."""
    return F.binary_cross_entropy_with_logits(projection @ mean, bits, reduction="sum")


def _projection(model: nn.Module, key: UchidaKey) -> Tensor:
    """Draw X (n, fan_in), standard normal, for the layer of `model` that the key is about."""
    fix = "Verify with the scheme that made it."
    require(key.scheme == SCHEME, f"the key must be one of {SCHEME}", key.scheme, fix)
    weight = _weight(model, key.layer)
    fan_in = len(mean_filter(weight))
    rule = f"the mean filter of layer {key.layer!r} must have {key.fan_in} weights"
    require(fan_in == key.fan_in, rule, fan_in, "Is the key for this model?")
    return normal(key.secret, "projection", len(key), fan_in).to(weight.device)


def fitting(scheme: Uchida2017, model: nn.Module, samples: Samples) -> Uchida2017:
    """Return `scheme` with no more bits than half of the weights of the mean filter that they go to, as a
    message that fills its layer is hard to teach; in the last convolution that holds its bits so, or else in
    the one that holds most.
    """
    require(len(samples) > 0, *NOT_EMPTY)
    model = opened(model)
    names = convolutions(model, samples.x) if scheme.layer is None else [scheme.layer]
    rooms = {name: len(mean_filter(_weight(model, name))) // 2 for name in names}
    if not rooms or any(room >= scheme.n_bits for room in rooms.values()):
        return scheme
    widest = max(rooms, key=lambda name: rooms[name])
    return replace(scheme, layer=widest, n_bits=max(1, rooms[widest]))


def _layers(model: nn.Module) -> dict[str, Tensor]:
    """Return the weight of every convolution and linear layer, by the layer's name."""
    weights = {}
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            weights[name] = layer.weight
    return weights


def _weight(model: nn.Module, layer: str) -> Tensor:
    """Return the weight of the layer of that name, or of the first one of that name inside a wrapper."""
    layers = _layers(model)
    if layer in layers:
        return layers[layer]
    inside = [name for name in layers if name.endswith(f".{layer}")]
    rule = f"layer must be one of {', '.join(layers) or '(none: the model has no layers)'}"
    require(len(inside) > 0, rule, layer)
    return layers[inside[0]]


def _default_layer(model: nn.Module, samples: Samples, n_bits: int) -> str:
    """Name the last convolution that `model` calls for one of the samples and whose mean filter has room for
    the message, or else the last one of all.
    """
    require(len(samples) > 0, *NOT_EMPTY)
    names = convolutions(model, samples.x)
    fix = "Name a linear layer with layer=."
    require(len(names) > 0, "the model must have a convolution", type(model).__name__, fix)
    roomy = [name for name in names if len(mean_filter(_weight(model, name))) >= n_bits]
    return (roomy or names)[-1]
