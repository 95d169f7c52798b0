"""A mark in the answers of a service: a thief who learns from them learns the mark, too.

S. Szyller, B. Atli, S. Marchal, N. Asokan: DAWN: Dynamic Adversarial Watermarking of Neural Networks, ACM
Multimedia 2021, arXiv:1906.00830, sections 4 and 5. Differs: the hash reads pixels rounded to 8 bits, where
the paper maps images to a coarser space so that nearly equal queries get equal answers; and a key lists the
wrong answers to a known set of queries, in place of the log that a service would keep.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from ..data import Samples, kind_of
from ..errors import require
from ..evidence import Evidence, Suspect, answers
from ..models import forward
from ..protocols import Marked
from ..training import OnEpoch, Recipe, TrainLog, trained
from .marking import marked
from .secret import secret_of
from .trigger_set import TriggerKey, matches

SCHEME = "szyller2021-dawn"
SURROGATE = Recipe(epochs=20, lr=3e-3, weight_decay=0.0, batch_size=128)
"""A thief who trains for long. One who stops before about epoch 10 gets a good copy without the mark."""


@dataclass(frozen=True)
class Dawn2021:
    """Answer a share `rate` of all queries wrongly; which ones, and how, a hash under the secret decides."""

    rate: float = 0.005  # r_w

    def keygen(
        self, model: nn.Module, samples: Samples, *, seed: int = 0, secret: bytes | None = None
    ) -> TriggerKey:
        """List the wrong answers that a customer who asks about `samples` gets.

        A wrong label is uniform among the classes that `model` does not name, so an innocent model, whatever
        it says, gives it with probability 1 / (classes - 1) at most: that is `chance`.
        """
        require(0 < self.rate < 1, "rate must lie in (0, 1)", self.rate, "The paper: below 0.005.")
        secret = secret_of(seed, secret)
        classes = len(samples.classes)
        fix = "Of two, a wrong label is the other one: no proof of anything."
        require(classes >= 3, "there must be at least 3 classes", classes, fix)
        draw = _hashes(secret, samples.x)  # (N, 2)
        chosen = _pick_queries(draw, self.rate)  # (N,)
        rule = f"the hash must pick a query out of {len(samples)}"
        require(bool(chosen.any()), rule, 0, "Raise rate, or give more samples.")
        x = samples.x[chosen]
        wrong = _wrong(answers(model, x, classes), draw[chosen], classes)
        return TriggerKey(SCHEME, secret, x, wrong, classes, chance=1 / (classes - 1))

    def embed(self, model: nn.Module, samples: Samples, key: TriggerKey) -> Marked[TriggerKey]:
        """Put the marking in front of the model; nothing is trained, and every customer pays with `rate`."""
        service = Service(model, key.secret, self.rate)
        return marked(self, key, service, TrainLog(Recipe(), "fp32"))

    def verify(self, suspect: Suspect, key: TriggerKey) -> Evidence:
        """Count the wrong answers that the suspect repeats."""
        return matches(suspect, key, SCHEME)


class Service(nn.Module):
    """A model whose answers are marked: the logits of the honest and of the wrong label change places.

    It holds the secret, so save the model inside, not the service.
    """

    asks = True  # in its own precision: the hash reads images as they come

    def __init__(self, model: nn.Module, secret: bytes, rate: float) -> None:
        super().__init__()
        self.model = model
        self.secret = secret
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        logits = forward(self.model, x).clone()  # (N, classes)
        draw = _hashes(self.secret, x)
        rows = _pick_queries(draw, self.rate).nonzero().flatten()
        honest = logits[rows].argmax(1)
        wrong = _wrong(honest, draw[rows], logits.shape[1])
        logits[rows, honest], logits[rows, wrong] = logits[rows, wrong], logits[rows, honest]
        return logits


def heard(service: Suspect, queries: Samples, secret: bytes, rate: float = 0.005) -> TriggerKey:
    """List the wrong answers that a marked `service` gives to `queries`, without its weights: a judge's way
    to the owner's key.

    Which answers are wrong follows from the secret, and what they are is heard. Each leads back to an honest
    one. Raises `ArgumentError` unless most of those are right: then the service isn't marked so.
    """
    classes = len(queries.classes)
    draw = _hashes(secret_of(0, secret), queries.x)  # (N, 2)
    chosen = _pick_queries(draw, rate)  # (N,)
    rule = f"the hash must pick a query out of {len(queries)}"
    require(bool(chosen.any()), rule, 0, "Raise rate, or give more samples.")
    wrong = answers(service, queries.x[chosen], classes)
    honest = (wrong - 1 - draw[chosen, 1] % (classes - 1)) % classes
    right = float((honest == queries.y[chosen]).float().mean())
    rule = "most answers must be wrong as the secret says"
    require(right > 0.5, rule, f"{right:.0%}", "Take the secret and the rate that the service has.")
    return TriggerKey(SCHEME, secret, queries.x[chosen], wrong, classes, chance=1 / (classes - 1))


def surrogate(
    service: Suspect,
    model: nn.Module,
    queries: Samples,
    recipe: Recipe = SURROGATE,
    *,
    on_epoch: OnEpoch | None = None,
) -> nn.Module:
    """Steal: train a copy of the untrained `model` on the labels that `service` gives to `queries`."""
    learnt = replace(queries, y=answers(service, queries.x, len(queries.classes)))
    return trained(model, learnt, recipe, on_epoch=on_epoch)[0]


def _hashes(secret: bytes, x: Tensor) -> Tensor:
    """Hash each input under the secret, (N, 2) int64 in 0..2^32 - 1: one number picks the query, the other
    its wrong label.
    """
    is_text = kind_of(x) == "texts"
    levels = x.to(torch.int32) if is_text else (x * 255).round().to(torch.uint8)
    rows = levels.cpu().flatten(1).numpy()
    digests = b"".join(hmac.digest(secret, row.tobytes(), "sha256")[:8] for row in rows)
    numbers = np.frombuffer(digests, dtype=">u4").astype(np.int64)  # two of 4 bytes an input
    return torch.from_numpy(numbers).reshape(-1, 2).to(x.device)


def _pick_queries(draw: Tensor, rate: float) -> Tensor:
    return draw[:, 0] < rate * 2**32


def _wrong(honest: Tensor, draw: Tensor, classes: int) -> Tensor:
    """Return one of the other classes, each as likely, for each honest label (N,)."""
    return (honest + 1 + draw[:, 1] % (classes - 1)) % classes
