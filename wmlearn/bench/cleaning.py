"""How fast are the detectors, and what do they find beside the Adversarial Robustness Toolbox's?

The toolbox has activation clustering and spectral signatures for PyTorch: `crosswise` sets them beside ours.
Its Neural Cleanse is for Keras only, so ours stands beside the loop that most would write: one class after
another, in single precision, with as many images and steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data import Samples, load, split
from ..detection import ActivationClustering, NeuralCleanse, SpectralSignatures
from ..detection.neural_cleanse import anomaly_index
from ..models import badnet_cnn
from ..poisoning import Poisoned, poison, success_rate
from ..training import accuracy, trained
from ..triggers import Pattern
from . import crosswise
from .timing import Timing, measure

TARGET = 0
CLEANSE = NeuralCleanse()
LIMIT = 2.0  # of the anomaly index, above which the plain loop flags a class


def timings() -> Iterator[Timing]:
    """Train one network with a backdoor, and yield what everybody finds in it, and how fast."""
    data = load("mnist")
    poisoned = poison(data.train, Pattern(), rate=0.03, target=TARGET)
    model = trained(badnet_cnn(), poisoned.samples)[0]
    yield Timing("accuracy of the network", 100 * accuracy(model, data.test), "%")
    yield Timing("success of its backdoor", 100 * success_rate(model, data.test, Pattern(), TARGET), "%")
    (clean,) = split(data.test, 1000)
    yield _timed("Neural Cleanse, 10 classes, wmlearn", lambda: scanned(model, clean))
    yield _timed("Neural Cleanse, 10 classes, a plain loop", lambda: plainly(model, clean))
    yield _timed("activation clustering, wmlearn", lambda: _by(ActivationClustering(), model, poisoned))
    yield _timed("spectral signatures, wmlearn", lambda: _by(SpectralSignatures(), model, poisoned))
    yield from crosswise.timings(data.train[: crosswise.SAMPLES])


def _timed(what: str, look: Callable[[], str]) -> Timing:
    """Time a detector that says what it found."""
    finding = measure(look)
    return Timing(what, finding.seconds, "s", finding.result)


def _by(detector: ActivationClustering | SpectralSignatures, model: nn.Module, poisoned: Poisoned) -> str:
    return caught(detector(model, poisoned.samples).flagged, poisoned)


def caught(flagged: Tensor, poisoned: Poisoned) -> str:
    """Say which share of the poisoned images is flagged (N,), and which of the others."""
    hit = flagged[poisoned.mask].float().mean()
    wrong = flagged[~poisoned.mask].float().mean()
    return f"caught {hit:.1%}, false alarms {wrong:.1%}"


def scanned(model: nn.Module, clean: Samples) -> str:
    """Say what Neural Cleanse finds."""
    scan = CLEANSE(model, clean)
    return f"flags {list(scan.flagged)}, index of the target {scan.index[TARGET]:.1f}"


def plainly(model: nn.Module, clean: Samples) -> str:
    """Say what the plain loop finds."""
    norm = torch.stack([smallest(model, clean.x, target) for target in range(10)])  # (10,)
    index = anomaly_index(norm)
    flagged = (index > LIMIT).nonzero().flatten().tolist()
    return f"flags {flagged}, index of the target {index[TARGET]:.1f}"


def smallest(model: nn.Module, x: Tensor, target: int) -> Tensor:
    """Search the smallest mask that sends images to `target`: the published algorithm, one class."""
    draw = torch.Generator().manual_seed(0)
    mask, pattern = (_start(draw) for _ in range(2))
    optimiser = torch.optim.Adam([mask, pattern], CLEANSE.lr, betas=(0.5, 0.9))
    price = Price()
    norm = torch.tensor(784.0)
    for _ in range(CLEANSE.steps):
        m = (mask.tanh() + 1) / 2
        p = (pattern.tanh() + 1) / 2
        batch = x[torch.randint(len(x), (CLEANSE.batch_size,), generator=draw)]
        logits = model(batch * (1 - m) + p * m)
        wanted = torch.full((len(batch),), target)
        loss = F.cross_entropy(logits, wanted) + price.cost * m.sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        reached = bool((logits.argmax(1) == target).float().mean() >= CLEANSE.threshold)
        if reached:
            norm = torch.minimum(norm, m.sum().detach())
        price.change(reached)
    return norm


def _start(draw: torch.Generator) -> Tensor:
    return torch.atanh(torch.rand(1, 28, 28, generator=draw) * 1.98 - 0.99).requires_grad_()


@dataclass
class Price:
    """What a pixel of the mask costs: more after a streak of successes, less after one of failures."""

    cost: float = CLEANSE.cost
    streak: int = 0

    def change(self, reached: bool) -> None:
        """Count one step."""
        self.streak = max(self.streak, 0) + 1 if reached else min(self.streak, 0) - 1
        if abs(self.streak) >= CLEANSE.patience:
            self.cost = self.cost * 2 if self.streak > 0 else self.cost / 2**1.5
            self.streak = 0
