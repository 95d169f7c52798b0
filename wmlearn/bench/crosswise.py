"""Activation clustering and spectral signatures like for like: ours, the Adversarial Robustness Toolbox's.

Both judge the same images of the same networks by the same layer. The poison and the training are once ours,
once the toolbox's; so each method meets its own and the other's. The toolbox reads a model's last layer, the
logits of a whole network: to let it read what the head is given, it gets the network without the head.

What stays different: the toolbox has no threshold for a class that doesn't fall in two, and flags its smaller
part ("smaller"), or asks for a silhouette ("silhouette-scores"); its spectral scores project features that
aren't centred (`spectral_signature_scores` in 1.20). It has Neural Cleanse for Keras only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..data import Samples
from ..detection import ActivationClustering, SpectralSignatures
from ..models import badnet_cnn
from ..poisoning import Poisoned, poison
from ..training import Recipe, trained
from ..triggers import Pattern
from .timing import Timing, installed, measure, missing, quiet

SEEDS = (0, 1, 2)
SAMPLES = 20_000
"""Digits of the training set."""
RATE = 0.03
TARGET = 0
EPSILON = 0.05
"""The largest share of a class that spectral signatures expect to be poison, on both sides."""
LAYERS = ("head", "logits")
"""Judged by what the head is given, or by what it answers."""


@dataclass(frozen=True, eq=False)
class Suspect:
    """A network, and the training set with poison that it learnt from."""

    model: nn.Sequential
    poisoned: Poisoned


Finder = Callable[[Suspect, str], Tensor]
"""Says of each training image whether it is flagged, (N,) bool, judged by "head" or by "logits"."""


def timings(train: Samples) -> Iterator[Timing]:
    """Yield for each maker of poison, layer, method and side the mean seconds, and what each caught."""
    if not installed("art"):
        yield missing("detectors crosswise, toolbox", "bench")
        return
    with quiet("art"):
        for who, make in MAKERS.items():
            suspects = [make(train, seed) for seed in SEEDS]
            for layer in LAYERS:
                for name, finder in FINDERS.items():
                    yield _tried(f"{name}; {layer}; {who}", finder, suspects, layer)


def _tried(what: str, finder: Finder, suspects: list[Suspect], layer: str) -> Timing:
    seconds = []
    caught = []
    alarms = []
    for suspect in suspects:
        found = measure(lambda suspect=suspect: finder(suspect, layer))
        mask = suspect.poisoned.mask
        seconds.append(found.seconds)
        caught.append(f"{found.result[mask].float().mean():.1%}")
        alarms.append(f"{found.result[~mask].float().mean():.1%}")
    note = f"caught {', '.join(caught)}; false alarms {', '.join(alarms)}"
    return Timing(what, sum(seconds) / len(seconds), "s", note)


# Whose poison, and whose training


def _ours(train: Samples, seed: int) -> Suspect:
    poisoned = poison(train, Pattern(), rate=RATE, target=TARGET, seed=seed)
    model = trained(badnet_cnn(seed), poisoned.samples, Recipe(seed=seed))[0]
    assert isinstance(model, nn.Sequential)
    return Suspect(model, poisoned)


def _theirs(train: Samples, seed: int) -> Suspect:
    """Poison and train as the toolbox's examples do: a wrapped attack, a wrapped classifier, Adam."""
    from art.attacks.poisoning import PoisoningAttackBackdoor

    draw = torch.Generator().manual_seed(seed)
    others = (train.y != TARGET).nonzero().flatten()
    chosen = others[torch.randperm(len(others), generator=draw)[: round(RATE * len(train))]]
    attack = PoisoningAttackBackdoor(lambda x: Pattern()(torch.from_numpy(x)).numpy())
    x, y = _arrays(train)
    label = np.eye(10, dtype=np.float32)[TARGET]
    x[chosen], y[chosen] = attack.poison(x[chosen], y=label, broadcast=True)
    mask = torch.zeros(len(train), dtype=torch.bool)
    mask[chosen] = True
    model = badnet_cnn(seed)
    classifier = _wrapped(model, torch.optim.Adam(model.parameters(), 1e-3))
    classifier.fit(x, y, batch_size=128, nb_epochs=2)
    samples = Samples(torch.from_numpy(x), torch.from_numpy(y.argmax(1)), train.classes)
    return Suspect(model.eval(), Poisoned(samples, mask, Pattern(), TARGET))


MAKERS = {"our network": _ours, "its network": _theirs}


# Whose detector


def _flags(detector: ActivationClustering | SpectralSignatures) -> Finder:
    def flags(suspect: Suspect, layer: str) -> Tensor:
        last = str(len(suspect.model) - 1)
        judge = detector if layer == "head" else replace(detector, layer=last)
        return judge(suspect.model, suspect.poisoned.samples).flagged

    return flags


def _clustering(analysis: str) -> Finder:
    def flags(suspect: Suspect, layer: str) -> Tensor:
        from art.defences.detector.poison import ActivationDefence

        defence = ActivationDefence(_judged(suspect.model, layer), *_arrays(suspect.poisoned.samples))
        dims = ActivationClustering.components
        kept = defence.detect_poison(nb_clusters=2, nb_dims=dims, reduce="PCA", cluster_analysis=analysis)[1]
        return torch.tensor(np.asarray(kept) == 0)

    return flags


def _spectral(suspect: Suspect, layer: str) -> Tensor:
    from art.defences.detector.poison import SpectralSignatureDefense

    arrays = _arrays(suspect.poisoned.samples)
    defence = SpectralSignatureDefense(
        _judged(suspect.model, layer), *arrays, expected_pp_poison=EPSILON, batch_size=1024
    )
    return torch.tensor(np.asarray(defence.detect_poison()[1]) == 0)


FINDERS: dict[str, Finder] = {
    "clustering, wmlearn": _flags(ActivationClustering()),
    "clustering, toolbox (smaller)": _clustering("smaller"),
    "clustering, toolbox (silhouette)": _clustering("silhouette-scores"),
    "spectral, wmlearn": _flags(SpectralSignatures(poison=EPSILON)),
    "spectral, toolbox": _spectral,
}


def _judged(model: nn.Sequential, layer: str) -> Any:
    """Wrap what ends with the layer that is to be read: the toolbox reads the last one."""
    return _wrapped(model if layer == "logits" else model[:-1])


def _wrapped(model: nn.Module, optimiser: torch.optim.Optimizer | None = None) -> Any:
    from art.estimators.classification import PyTorchClassifier

    loss = nn.CrossEntropyLoss()
    return PyTorchClassifier(
        model, loss, input_shape=(1, 28, 28), nb_classes=10, optimizer=optimiser, device_type="cpu"
    )


def _arrays(samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    """Return copies of images, and labels as rows of a unit matrix."""
    return samples.x.numpy().copy(), np.eye(10, dtype=np.float32)[samples.y]
