"""Ask two networks whether they share an origin: nothing was planted, there is no key, the weights are
enough.

S. Zhu, A. Ahmed, R. Kuditipudi, P. Liang: Independence Tests for Language Models, ICML 2025,
arXiv:2502.12292: a permutation test over hidden units, Fisher's sum over layers. The repair: S. Ainsworth, J.
Hayase, S. Srinivasa: Git Re-Basin, ICLR 2023, arXiv:2209.04836, section 3.2.
Differs: weights only, no activations; layers are matched once each, from the input to the output.

Exact where *one* of the two networks is exchangeable: its first weights were drawn alike for every unit of a
layer, and independently of the other network; and its training treats all units alike, as SGD and Adam do.
Data, their order and the recipe may be shared. Not exact, so that innocents are accused: a seed or a
downloaded network in common (`public_start`), units sorted by their norm, layers tied by skip connections,
grouped convolutions, the last layer, whose units are the classes.
A small p-value says *common origin*; it doesn't say who was first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

import torch
from torch import Tensor, nn

from ..errors import ArgumentError, require
from ..models import badnet_cnn, reborn, sign_cnn
from ..models.channels import joints
from ..models.matching import matched
from ..models.units import directions, hidden_layers, layers
from .evidence import Rank

CHUNK = 500
"""Shuffles at a time: of 512 units they are 2 MB."""
PUBLIC = range(10)
"""Seeds that people take without a thought."""
PUBLIC_ALPHA = 1e-4
"""The level at which a network is said to stem from a public start, one of about twenty."""
Draw = Callable[[int, int], Iterable[Tensor]]
"""Draws shuffles of so many units by a seed."""


@dataclass(frozen=True)
class Likeness:
    """How alike the `units` of one layer are, number by number, and how alike they are in `n` shuffles."""

    layer: str
    units: int
    cosine: float  # mean over units
    shuffled: float  # the same, mean over shuffles
    deviations: float  # from `shuffled` up to `cosine`, in standard deviations of the shuffles
    p_value: float
    n: int


def independence_p_value(
    a: nn.Module, b: nn.Module, *, layers: Sequence[str] | None = None, n: int = 9999, seed: int = 0
) -> float:
    """Return the exact p-value of "trained independently": Fisher's sum over `likenesses`.

    Fisher's sum may be taken: under the null the p-value of a layer is uniform whatever order the units
    before it have.

    >>> ana, bob = wm.models.badnet_cnn(3), wm.models.badnet_cnn(4)
    >>> wm.evidence.independence_p_value(ana, bob, n=99) > 0.01
    True
    """
    return fisher([found.p_value for found in likenesses(a, b, layers=layers, n=n, seed=seed)])


def fisher(p_values: Sequence[float]) -> float:
    """Return one p-value for several independent ones: R. Fisher, Statistical Methods for Research Workers,
    4th edition, 1932, section 21.1.
    """
    from scipy.stats import chi2

    require(len(p_values) > 0, "p_values must not be empty", len(p_values))
    total = -2 * sum(math.log(p) for p in p_values)
    return float(chi2.sf(total, 2 * len(p_values)))


def likenesses(
    a: nn.Module, b: nn.Module, *, layers: Sequence[str] | None = None, n: int = 9999, seed: int = 0
) -> tuple[Likeness, ...]:
    """Compare two networks of one architecture layer by layer, on all `hidden_layers` or on those named.

    Raises `ArgumentError` for other architectures, a layer that isn't hidden, weights that aren't finite, or
    one network given twice.
    """
    require(n >= 2, "n must be at least 2", n)
    return _compared(a, b, layers, partial(_orders, n), seed)


def _compared(
    a: nn.Module, b: nn.Module, layers: Sequence[str] | None, draw: Draw, seed: int
) -> tuple[Likeness, ...]:
    check_alike(a, b)
    names = hidden_layers(a) if layers is None else list(layers)
    require(len(names) > 0, "layers must not be empty", names, "Leave it out to compare all hidden layers.")
    for name in names:
        _check_hidden(a, name)
    return tuple(_likeness(a, b, name, draw, seed + i) for i, name in enumerate(names))


def _orders(n: int, units: int, seed: int) -> Iterator[Tensor]:
    """Draw `n` shuffles of units, some at a time: (shuffles, units)."""
    draw = torch.Generator().manual_seed(seed)
    for start in range(0, n, CHUNK):
        yield torch.rand(min(CHUNK, n - start), units, generator=draw).argsort(1)


def _likeness(a: nn.Module, b: nn.Module, layer: str, draw: Draw, seed: int) -> Likeness:
    """Compare each unit of `a` with the unit of `b` of its number, then with shuffles of those of `b`."""
    cosines = directions(a, layer) @ directions(b, layer).T  # (units, units)
    units = len(cosines)
    means = [cosines[torch.arange(units), orders].mean(1) for orders in draw(units, seed)]
    shuffled = torch.cat(means)
    n = len(shuffled)
    own = cosines.diagonal().mean()
    as_high = int((shuffled >= own - 1e-12).sum())  # sums in another order differ in the last digit
    deviations = (own - shuffled.mean()) / shuffled.std().clamp(min=1e-12)
    p_value = (1 + as_high) / (1 + n)  # the order they have is one of n + 1
    return Likeness(layer, units, float(own), float(shuffled.mean()), float(deviations), p_value, n)


def check_alike(a: nn.Module, b: nn.Module) -> None:
    """Raise `ArgumentError` unless both have the same layers and finite weights, and differ."""
    ours, theirs = (_weights(model) for model in (a, b))
    shapes, others = (_shapes(weights) for weights in (ours, theirs))
    fix = "Compare networks with the same layers; take a network out of what was put round it."
    require(shapes == others, "a and b must have the same architecture", _difference(shapes, others), fix)
    for side, weights in (("a", ours), ("b", theirs)):
        broken = [name for name, weight in weights.items() if not bool(weight.isfinite().all())]
        require(not broken, f"the weights of {side} must be finite", f"NaN or infinity in {broken}")
    same = all(torch.equal(weight, theirs[name]) for name, weight in ours.items())
    fix = "A plain copy needs no test: compare the files."
    require(not same, "a and b must be two networks", "one network twice", fix)


def _weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: layer.weight.detach().float().cpu() for name, layer in layers(model).items()}


def _shapes(weights: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(weight.shape) for name, weight in weights.items()}


def _difference(shapes: dict[str, tuple[int, ...]], others: dict[str, tuple[int, ...]]) -> str:
    """Name the first layer that differs."""
    names = dict.fromkeys([*shapes, *others])
    odd = next((name for name in names if shapes.get(name) != others.get(name)), "")
    return f"layer {odd} of shape {shapes.get(odd)} in a, {others.get(odd)} in b"


def _check_hidden(model: nn.Module, layer: str) -> None:
    hidden = list(layers(model))[:-1]
    fix = "The units of the last layer are the classes."
    require(layer in hidden, f"layer must be one of {', '.join(hidden)}", layer, fix)


# The public starts


def public_start(model: nn.Module, *, n: int = 999) -> str:
    """Name the public start that a network stems from, such as "badnet_cnn(0)"; "" where none is seen.

    A p-value accuses innocents where both began with weights that anybody can draw again: `badnet_cnn`,
    `sign_cnn` and `reborn` with the seeds that people take without a thought, 0 … 9. Of honest networks, one
    in 500 is named by chance.
    """
    require(n >= 2, "n must be at least 2", n)
    draw = cache(lambda units, seed: tuple(_orders(n, units, seed)))  # the same for each start
    for name, start in _public_starts(model):
        try:
            found = _compared(model, start, None, draw, 0)
            stems = fisher([layer.p_value for layer in found]) <= PUBLIC_ALPHA
        except ArgumentError as error:
            if "one network twice" not in str(error):
                raise
            stems = True
        if stems:
            return name
    return ""


def _public_starts(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    shapes = _shapes(_weights(model))
    classes = next(reversed(shapes.values()))[0]
    builders = {"badnet_cnn({})": badnet_cnn, "sign_cnn({classes}, {})": lambda seed: sign_cnn(classes, seed)}
    for name, build in builders.items():
        if classes >= 2 and _shapes(_weights(build(0))) == shapes:
            for seed in PUBLIC:
                yield name.format(seed, classes=classes), build(seed)
    for seed in PUBLIC:
        try:
            yield f"reborn(…, {seed})", reborn(model, seed)
        except ArgumentError:  # it has weights that nobody knows how to start
            return


# The repair


@dataclass(frozen=True)
class Matched:
    """How alike a suspect's units are to the owner's after matching, and how alike strangers' are."""

    cosine: float
    strangers: tuple[float, ...]

    @property
    def rank(self) -> Rank:
        """The place of the suspect among the strangers."""
        return Rank("bystanders", sum(other >= self.cosine for other in self.strangers), len(self.strangers))

    @property
    def p_value(self) -> float:
        """The share of networks that are as alike, the suspect included: at best 1 / (strangers + 1)."""
        return self.rank.p_value


def matched_cosine(a: nn.Module, b: nn.Module) -> float:
    """Put the units of `b` in the order and on the scale in which they look most like those of `a`; return
    the mean cosine, mean over hidden layers, so that one layer that was drawn anew hides no other.

    It undoes a shuffle. It looks for likeness and finds some everywhere, so that the p-value above doesn't
    hold for it: compare with strangers (`against_strangers`). Raises `ArgumentError` for networks that
    aren't plain stacks of layers.
    """
    ours = joints(a)
    theirs = joints(matched(a, b))
    pairs = [(own.before.weight, other.before.weight) for own, other in zip(ours, theirs, strict=True)]
    cosines = [
        torch.cosine_similarity(
            own.detach().flatten(1).double().cpu(), other.detach().flatten(1).double().cpu()
        )
        for own, other in pairs
    ]
    return sum(float(cosine.mean()) for cosine in cosines) / len(cosines)


def against_strangers(a: nn.Module, suspect: nn.Module, strangers: Sequence[nn.Module]) -> Matched:
    """Match a suspect and each of `strangers` to `a`; a rank, exact where an innocent suspect is drawn as the
    strangers are: trained by like recipes, from first weights drawn in the same way.
    """
    fix = "Train a few networks from first weights of their own."
    require(len(strangers) > 0, "strangers must not be empty", len(strangers), fix)
    return Matched(matched_cosine(a, suspect), tuple(matched_cosine(a, other) for other in strangers))
