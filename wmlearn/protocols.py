"""The shapes that every paper's file fits. Structural: nothing inherits from these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from torch import nn

from .data import Samples
from .evidence import Evidence, Suspect
from .training import TrainLog

K = TypeVar("K")


@dataclass(frozen=True, eq=False)
class Marked(Generic[K]):
    """A marked model, the scheme and key that find the mark, and how embedding went.

    >>> samples = wm.Samples(torch.rand(40, 1, 4, 4), torch.arange(40) % 2, ("cat", "dog"))
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2))
    >>> scheme = wm.watermarks.Uchida2017("1", n_bits=4, strength=1, recipe=wm.Recipe(epochs=30))
    >>> marked = scheme.embed(model, samples, scheme.keygen(model, samples))
    >>> scheme.verify(marked.model, marked.key).hits
    4
    """

    scheme: Watermark[K]
    key: K
    model: nn.Module
    log: TrainLog


class Watermark(Protocol[K]):
    """A scheme: draw a secret key, embed it in a copy of a model, look for it in a suspect.

    >>> sorted(wm.watermarks.ALL)[:2]
    ['adi2018', 'adi2018-pretrained']
    """

    def keygen(self, model: nn.Module, samples: Samples, *, seed: int = 0, secret: bytes | None = None) -> K:
        """Draw a key for models like `model`; without `secret`, as in lessons only, `seed` stands for one."""
        ...

    def embed(self, model: nn.Module, samples: Samples, key: K) -> Marked[K]:
        """Train a marked copy on the owner's `samples`; warn with `NotEmbeddedWarning` where no mark took."""
        ...

    def verify(self, suspect: Suspect, key: K) -> Evidence:
        """Count how often `suspect` agrees with `key`."""
        ...


class Removal(Protocol):
    """An attack: return a new model, use only the attacker's `samples`, never a key; leave `model` alone.

    >>> samples = wm.Samples(torch.rand(40, 1, 4, 4), torch.arange(40) % 2, ("cat", "dog"))
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2))
    >>> suspect = wm.removal.Prune(0.5)(model, samples)
    >>> int((suspect[1].weight == 0).sum())
    16
    """

    def __call__(self, model: nn.Module, samples: Samples) -> nn.Module: ...
