"""One patch as a watermark, embedded by this package and by the Adversarial Robustness Toolbox.

The toolbox (1.20) has no watermarks; the nearest is its backdoor attack, and that is what an owner would use
it for. Both get the same network, all of MNIST, the patch and target of one key, a tenth of the images
poisoned, and three epochs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from ..data import Samples, Splits, load
from ..evidence import Evidence, against_decoys, bystanders
from ..models import badnet_cnn
from ..training import Recipe, accuracy
from ..watermarks import Gu2017, TriggerKey
from .timing import Timing, installed, measure, missing

EPOCHS = 3
RATE = 0.1
DECOYS = 999
SAMPLES = 10_000  # that keys are drawn from


@dataclass(frozen=True)
class Setting:
    """What both embed, into the same network."""

    data: Splits
    scheme: Gu2017
    key: TriggerKey


def timings() -> Iterator[Timing]:
    """Yield seconds and quality of both, and what networks without the mark say."""
    setting = set_up(load("mnist"))
    yield from _quality("wmlearn", lambda: ours(setting), setting)
    if installed("art"):
        yield from _quality("toolbox", lambda: toolbox(setting), setting)
    else:
        yield missing("embed, toolbox", "bench")
    innocent = bystanders.shipped("mnist", 8, 28)
    most = max(setting.scheme.verify(model, setting.key).rate for model in innocent)
    yield Timing("the mark in networks without it, at most", 100 * most, "%", f"{len(innocent)} networks")


def set_up(data: Splits) -> Setting:
    """Draw the key."""
    scheme = Gu2017(rate=RATE, recipe=Recipe(epochs=EPOCHS))
    return Setting(data, scheme, scheme.keygen(badnet_cnn(), data.train[:SAMPLES], seed=0))


def _quality(who: str, embed: Callable[[], nn.Module], setting: Setting) -> Iterator[Timing]:
    """Time one embedding, and measure what came of it."""
    embedding = measure(embed)
    model = embedding.result
    test = measure(lambda: _against_decoys(setting, model))
    evidence = test.result
    yield Timing(f"embed, {who}", embedding.seconds, "s", f"{EPOCHS} epochs")
    yield Timing(f"accuracy then, {who}", 100 * accuracy(model, setting.data.test), "%")
    yield Timing(f"the mark then, {who}", 100 * evidence.rate, "%", f"p = {evidence.p_value:.3f}")
    yield Timing(f"{DECOYS} decoys asked, {who}", test.seconds, "s", evidence.compared)


def _against_decoys(setting: Setting, model: nn.Module) -> Evidence:
    """Rank the key among all decoys, drawn from 10,000 of the images, as it was."""
    return against_decoys(
        setting.scheme,
        model,
        setting.key,
        model=badnet_cnn(),
        samples=setting.data.train[:SAMPLES],
        n=DECOYS,
        stop=None,
    )


def ours(setting: Setting) -> nn.Module:
    """Embed as this package does."""
    return setting.scheme.embed(badnet_cnn(), setting.data.train, setting.key).model


def toolbox(setting: Setting) -> nn.Module:
    """Poison and train as the toolbox's examples do: a wrapped attack, a wrapped classifier, Adam, batches of
    128.
    """
    from art.attacks.poisoning import PoisoningAttackBackdoor
    from art.estimators.classification import PyTorchClassifier

    key = setting.key
    attack = PoisoningAttackBackdoor(lambda x: setting.scheme.stamp(torch.from_numpy(x), key.secret).numpy())
    x, y = _arrays(setting.data.train, key.classes)
    chosen = _chosen(setting.data.train, int(key.y[0]))
    target = np.eye(key.classes, dtype=np.float32)[int(key.y[0])]
    x[chosen], y[chosen] = attack.poison(x[chosen], y=target, broadcast=True)
    model = badnet_cnn()
    classifier = PyTorchClassifier(
        model,
        nn.CrossEntropyLoss(),
        input_shape=x.shape[1:],
        nb_classes=key.classes,
        optimizer=torch.optim.Adam(model.parameters(), 1e-3),
    )
    classifier.fit(x, y, batch_size=128, nb_epochs=EPOCHS)
    return model.eval()


def _arrays(samples: Samples, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return copies of the images, and of the labels as rows of a unit matrix: the toolbox writes to both."""
    return samples.x.numpy().copy(), np.eye(classes, dtype=np.float32)[samples.y.numpy()]


def _chosen(samples: Samples, target: int) -> np.ndarray:
    """Choose a tenth as many images as there are, of those that are not of the target's class."""
    others = np.flatnonzero(samples.y.numpy() != target)
    return np.random.default_rng(0).choice(others, int(RATE * len(samples)), replace=False)
