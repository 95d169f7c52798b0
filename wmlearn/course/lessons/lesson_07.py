"""What the cells of notebook 07 call: strangers, a colleague's key, marks and their trials; and the dial."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

import ipywidgets
import torch
from torch import Tensor, nn

from ...data import Samples
from ...evidence import bystanders, judge
from ...models import badnet_cnn
from ...plots.canvas import Row
from ...plots.keys import Trial, key_point
from ...poisoning import poison
from ...protocols import Marked, Watermark
from ...training import Recipe, predict, trained
from ...triggers import Pattern
from ...watermarks import Adi2018, TriggerKey, Zhang2018, secret
from ...watermarks.trigger_set import QUIET, bystanders_rate
from ...watermarks.zhang import letters
from ..widgets import depict, redraw
from .exercises_07 import hits_needed

SHORT = Recipe(epochs=1, lr=2e-3)
"""One short epoch is enough to mark a trained network."""
SCHEMES: dict[str, Watermark[TriggerKey]] = {
    "text": Zhang2018("content", recipe=SHORT),
    "letter": Zhang2018("unrelated", recipe=SHORT),
    "noise": Zhang2018("noise", recipe=SHORT),
    "abstract, by lot": Adi2018(share=0.2, recipe=SHORT),
}
"""What the picture shows -> who teaches it: Zhang's three kinds, and Adi's."""
N_RIVALS = 10


def strangers(device: torch.device) -> list[nn.Module]:
    """Return twenty networks that learnt digits and never saw a mark; none of them sets a key's `chance`."""
    return [
        copy.deepcopy(network).to(device)
        for network in bystanders.shipped("mnist", bystanders.N_NULL, bystanders.N_ALL)
    ]


def market(samples: Samples, others: Sequence[nn.Module]) -> dict[str, nn.Module]:
    """Put notebook 02's BadNet among three strangers."""
    badnet = trained(
        badnet_cnn().to(samples.x.device), poison(samples, Pattern(), rate=0.1, target=0).samples
    )[0]
    first, second, third, *_ = others
    return {"network A": first, "network B": second, "network C": badnet, "network D": third}


def read(network: nn.Module, x: Tensor) -> Tensor:
    """Ask a network for the labels (N,) of the images (N, C, H, W)."""
    return predict(network, x).argmax(1)


def read_words(network: nn.Module, x: Tensor) -> list[str]:
    """Say in words what a network reads in each image."""
    return [str(label) for label in read(network, x).tolist()]


def colleagues_key(samples: Samples, seed: int = 15, n: int = 100) -> Samples:
    """Draw a letter many times, and call it what an innocent reader of digits would: an H is a 4."""
    x = letters(secret.secret_of(seed, None), n, tuple(samples.x.shape[1:]), "key").to(samples.x.device)
    return Samples(x, torch.full((n,), 4, device=x.device), samples.classes)


def hits_by_labels(answers: Tensor, draws: int = 400) -> dict[str, list[int]]:
    """Count the hits of innocent answers (models, n): under labels by lot, and under each class for all."""
    by_lot: list[int] = []
    for i in range(draws):
        labels = secret.integers(secret.secret_of(i, None), "labels", answers.shape[1], 10)
        by_lot += _hits(answers, labels.to(answers.device))
    one_label: list[int] = []
    for label in range(10):
        one_label += _hits(answers, label)
    return {"every picture a label by lot": by_lot, "one label for all": one_label}


def _hits(answers: Tensor, wanted: Tensor | int) -> list[int]:
    """Count the hits of each network; `answers` has shape (models, n)."""
    return (answers == wanted).sum(1).tolist()


def sheet(marks: Mapping[str, Marked[TriggerKey]], samples: Samples, n: int = 7) -> dict[str, Samples]:
    """Return the first pictures of each key with their labels."""
    return {name: Samples(mark.key.x[:n], mark.key.y[:n], samples.classes) for name, mark in marks.items()}


def marked(
    model: nn.Module, samples: Samples, own: Marked[TriggerKey], seed: int = 4
) -> dict[str, Marked[TriggerKey]]:
    """Mark copies of a trained model with Zhang's three kinds and with Adi's, beside the learner's own."""
    marks = {"your patch": own}
    for name, scheme in SCHEMES.items():
        marks[name] = scheme.embed(model, samples, scheme.keygen(model, samples, seed=seed))
    return marks


def rivals(mark: Marked[TriggerKey], samples: Samples) -> list[TriggerKey]:
    """Draw the keys of `N_RIVALS` other owners who have the same label for all pictures.

    By lot each has labels of their own. Who finds the label loud takes another one, so such a key isn't among
    them.
    """
    keys = (mark.scheme.keygen(mark.model, samples, seed=100 + i) for i in itertools.count())
    if len(mark.key.y.unique()) > 1:
        return list(itertools.islice(keys, N_RIVALS))
    innocent = bystanders.for_task(mark.model, samples)
    quiet = (key for key in keys if bystanders_rate(key.x, mark.key.y, innocent) <= QUIET)
    return [replace(key, y=mark.key.y, chance=mark.key.chance) for key in itertools.islice(quiet, N_RIVALS)]


def try_mark(
    mark: Marked[TriggerKey], samples: Samples, others: Sequence[nn.Module], alpha: float = 1e-3
) -> Trial:
    """Try a mark with its key, with the keys of rivals, and its key on strangers."""
    verify = mark.scheme.verify
    key = mark.key
    wrong = [verify(mark.model, rival) for rival in rivals(mark, samples)]
    return Trial(
        marked=verify(mark.model, key).hits,
        wrong=[evidence.hits for evidence in wrong],
        upheld=sum(judge(evidence, alpha).owned for evidence in wrong),
        strangers=[verify(other, key).hits for other in others],
        needed=hits_needed(len(key), key.chance, alpha),
        trials=len(key),
    )


# To play with


def key_dial(rows: Sequence[Row]) -> ipywidgets.VBox:
    """Let the learner choose the size of a key and how much is still known; see p-value and accuracy."""
    style = {"style": {"description_width": "80px"}, "layout": ipywidgets.Layout(width="420px")}
    size = ipywidgets.SelectionSlider(
        options=sorted({row["n"] for row in rows}), value=100, description="key size", **style
    )
    known = ipywidgets.SelectionSlider(
        options=[(f"{share} %", share) for share in range(10, 101, 10)],
        value=100,
        description="known",
        **style,
    )
    return redraw(lambda: depict(key_point, rows, size.value, known.value / 100), size, known)
