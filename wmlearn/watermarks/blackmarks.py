"""A message of many bits in the answers: classes fall into two groups, and each key image is answered from
the group of its bit.

H. Chen, B. Rouhani, F. Koushanfar: BlackMarks: Blackbox Multibit Watermarking for Deep Neural Networks, 2019,
arXiv:1904.00344. Differs: only the abstract was at hand, so details are ours. The message is drawn from the
secret. Classes are grouped by the first principal direction of their mean logits, which is k-means with two
groups relaxed (Ding and He 2004) and made even. The attack is one step of the targeted fast gradient sign
method. Images that already carry their bit for the model or for one of four bystanders are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add

import torch
from torch import Tensor, nn

from ..data import Samples
from ..errors import require
from ..evidence import NO_ANSWER, Evidence, Suspect, answers, ask
from ..evidence.bystanders import invited
from ..protocols import Marked
from ..training import Recipe, trained
from .adversarial import pushed, understood
from .marking import marked
from .secret import integers, secret_of
from .trigger_set import TriggerKey, lesson, pick

SCHEME = "chen2019-blackmarks"
POOL = 2000  # images that classes are grouped by and key images are made of, at most
STEP = 256  # of them are pushed at a time, until there are enough


@dataclass(frozen=True, eq=False)
class BlackmarksKey:
    """Key images, a class for each to be taught as, and the bit that each class stands for."""

    scheme: str
    secret: bytes = field(repr=False)
    x: Tensor  # (n, C, H, W)
    y: Tensor  # (n,)
    groups: Tensor  # (classes,), 0 or 1
    bystanders: str = field(default="", compare=False)  # that the images were chosen with, in words

    @property
    def bits(self) -> Tensor:
        """The message (n,) int64."""
        return self.groups[self.y]

    @property
    def triggers(self) -> TriggerKey:
        """The same images and labels as an ordinary trigger set."""
        return TriggerKey(self.scheme, self.secret, self.x, self.y, len(self.groups))

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        size = f"n={len(self)}, shape={tuple(self.x.shape[1:])}, classes={len(self.groups)}"
        return f"BlackmarksKey({self.scheme!r}, {size}, secret=…)"


@dataclass(frozen=True)
class Blackmarks2019:
    """Teach a trained model to answer `n_bits` adversarial images from the group of their bit."""

    n_bits: int = 64  # K
    size: float = 0.1  # epsilon, the change of each pixel
    share: float = 0.1  # of the key images in an epoch
    recipe: Recipe = Recipe(epochs=1, lr=2e-3)

    def keygen(
        self,
        model: nn.Module,
        samples: Samples,
        *,
        seed: int = 0,
        secret: bytes | None = None,
        bystanders: Sequence[Suspect] | None = None,
    ) -> BlackmarksKey:
        """Draw the message, and push an image of the other group towards each bit.

        `bystanders` are models of the task without the mark, none of which may give a bit away; without them,
        `evidence.bystanders` finds four. Raises `ArgumentError` for a model that isn't trained yet, or more
        bits than images that serve.
        """
        fix = "A key without bits proves nothing."
        require(self.n_bits >= 1, "n_bits must be at least 1", self.n_bits, fix)
        secret = secret_of(seed, secret)
        pool = pick(samples, secret, min(len(samples), POOL))
        groups = grouped(understood(model, pool), pool.y, len(samples.classes))  # (classes,)
        target = _across(pool.y, groups, secret)  # (N,)
        message = integers(secret, "message", self.n_bits, 2).to(target.device)
        innocent = invited(bystanders, model, samples)
        choosers = (model, *(innocent.networks if bystanders else innocent.networks[::2]))
        served: list[Samples] = []  # pushed images that serve, with the class to be taught
        for start in range(0, len(pool), STEP):
            if served and _enough(message, groups[reduce(add, served).y]):
                break
            to = target[start : start + STEP]
            x = pushed(model, pool.x[start : start + STEP], to, self.size)  # (N, C, H, W)
            served.append(_serving(replace(samples, x=x, y=to), choosers, groups))
        useful = reduce(add, served)
        index = _spelling(message, groups[useful.y])
        return BlackmarksKey(SCHEME, secret, useful.x[index], useful.y[index], groups, innocent.origin)

    def embed(self, model: nn.Module, samples: Samples, key: BlackmarksKey) -> Marked[BlackmarksKey]:
        """Fine-tune a copy of the trained `model` on the samples and the key images together."""
        return marked(self, key, *trained(model, lesson(samples, key.triggers, self.share), self.recipe))

    def verify(self, suspect: Suspect, key: BlackmarksKey) -> Evidence:
        """Count the bits that the suspect's answers spell as the message does.

        Raises `ArgumentError` for a key of another scheme, or a suspect with other images or classes.
        """
        fix = "Verify with the scheme that made it."
        require(key.scheme == SCHEME, f"the key must be one of {SCHEME}", key.scheme, fix)
        labels = ask(suspect, key.x, len(key.groups))
        bits = key.groups[labels]  # where there is no answer, any: it is a miss
        hits = (bits == key.bits) & (labels != NO_ANSWER)
        return Evidence(SCHEME, "labels", int(hits.sum()), len(key))


def grouped(logits: Tensor, y: Tensor, classes: int) -> Tensor:
    """Split the classes into two even groups by their mean logits; return their bits, (classes,) int64."""
    means = torch.stack([_mean_logits(logits, y == label) for label in range(classes)])  # (classes, classes)
    direction = torch.linalg.svd(means - means.mean(0)).Vh[0]
    rank = (means @ direction).argsort(stable=True).argsort(stable=True)  # (classes,)
    groups = (2 * rank >= classes).long()
    return groups ^ groups[0]  # the direction's sign is arbitrary: class 0 stands for bit 0


def _mean_logits(logits: Tensor, rows: Tensor) -> Tensor:
    """Average the logits (N, classes) over `rows` (N,) bool, or over all where there are none."""
    return logits[rows].mean(0) if rows.any() else logits.mean(0)


def _across(y: Tensor, groups: Tensor, secret: bytes) -> Tensor:
    """Draw for each image of class `y` (N,) a class of the other group, (N,) int64."""
    draw = integers(secret, "targets", len(y), len(groups)).to(y.device)
    target = torch.empty_like(y)
    for bit in (0, 1):
        other = (groups != bit).nonzero().flatten()  # the classes across
        rows = groups[y] == bit
        target[rows] = other[draw[rows] % len(other)]
    return target


def _serving(pushed: Samples, choosers: Sequence[Suspect], groups: Tensor) -> Samples:
    """Return the images that spell the other bit for every chooser: one that carries its bit for a model
    without the mark proves nothing.
    """
    for chooser in choosers:
        if len(pushed) > 0:
            pushed = pushed[groups[answers(chooser, pushed.x, len(groups))] != groups[pushed.y]]
    return pushed


def _enough(message: Tensor, bits: Tensor) -> bool:
    """Say whether images that carry `bits` (N,) are enough to spell `message` (n,)."""
    return all(int((message == bit).sum()) <= int((bits == bit).sum()) for bit in (0, 1))


def _spelling(message: Tensor, bits: Tensor) -> Tensor:
    """Pick images whose `bits` (N,) spell `message` (n,): return their rows (n,)."""
    index = torch.empty_like(message)
    for bit in (0, 1):
        fitting = (bits == bit).nonzero().flatten()
        places = message == bit
        need = int(places.sum())
        rule = f"n_bits must leave bits {bit} to the {len(fitting)} images that serve"
        require(need <= len(fitting), rule, need, "Take fewer bits, a smaller size, or more samples.")
        index[places] = fitting[:need]
    return index
