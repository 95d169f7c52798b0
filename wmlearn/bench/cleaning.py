"""How fast are the detectors, beside the Adversarial Robustness Toolbox? Same network, same data, same run,
one process.

`pip install -e ".[bench]" && python benchmarks/cleaning.py` prints a table and writes
`benchmarks/cleaning.json`. The toolbox has activation clustering and spectral signatures for PyTorch; its
Neural Cleanse is for Keras only, so ours stands beside the loop that most would write: one class after
another, in single precision, with as many images and steps.
"""

from __future__ import annotations

import json
import logging
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import wmlearn as wm
from wmlearn import detection
from wmlearn.triggers import Pattern

TARGET = 0
STEPS, BATCH, COST = 120, 32, 1e-3  # as in detection.scan
Row = dict[str, Any]


def main() -> None:
    """Train one network with a backdoor, let everybody look at it, and report."""
    data = wm.load("mnist")
    poisoned = wm.poison(data.train, Pattern(), rate=0.03, target=TARGET)
    model = wm.trained(wm.models.badnet_cnn(), poisoned.samples)[0]
    success = wm.success_rate(model, data.test, Pattern(), TARGET)
    (mine,) = wm.split(data.test, 1000)
    rows = [
        _timed("Neural Cleanse, 10 classes", "wmlearn", lambda: _scanned(model, mine)),
        _timed("Neural Cleanse, 10 classes", "a plain loop", lambda: _plainly(model, mine)),
        _timed(
            "activation clustering",
            "wmlearn",
            lambda: _caught(detection.ActivationClustering()(model, poisoned.samples).flagged, poisoned),
        ),
        _timed(
            "spectral signatures",
            "wmlearn",
            lambda: _caught(detection.SpectralSignatures()(model, poisoned.samples).flagged, poisoned),
        ),
    ]
    try:
        rows += _toolbox(model, poisoned)
    except ImportError:
        print("The Adversarial Robustness Toolbox is not installed: its rows are left out.")
    for row in rows:
        print(f"{row['what']:<28} {row['who']:<14} {row['seconds']:>8.2f} s   {row['quality']}")
    about = {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "machine": platform.machine(),
        "accuracy": round(wm.accuracy(model, data.test), 4),
        "success": round(success, 4),
    }
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(about | {"rows": rows}, indent=1) + "\n")


def _toolbox(model: nn.Module, poisoned: wm.Poisoned) -> list[Row]:
    from art.defences.detector.poison import ActivationDefence, SpectralSignatureDefense  # pyright: ignore[reportMissingImports]
    from art.estimators.classification import PyTorchClassifier  # pyright: ignore[reportMissingImports]

    logging.getLogger("art").setLevel(logging.ERROR)
    x, y = poisoned.samples.x.numpy(), np.eye(10)[poisoned.samples.y]

    def wrapped() -> Any:
        return PyTorchClassifier(
            model, nn.CrossEntropyLoss(), input_shape=(1, 28, 28), nb_classes=10, device_type="cpu"
        )

    def clustering() -> str:
        defence = ActivationDefence(wrapped(), x, y)
        # its "relative-size" fails on an empty array
        kept = defence.detect_poison(nb_clusters=2, nb_dims=10, reduce="PCA")[1]
        return _caught(torch.tensor(kept) == 0, poisoned)

    def spectral() -> str:
        defence = SpectralSignatureDefense(wrapped(), x, y, expected_pp_poison=0.05, batch_size=1024)
        return _caught(torch.tensor(np.asarray(defence.detect_poison()[1])) == 0, poisoned)

    return [
        _timed("activation clustering", "toolbox", clustering),
        _timed("spectral signatures", "toolbox", spectral),
    ]


def _scanned(model: nn.Module, mine: wm.Samples) -> str:
    found = detection.scan(model, mine, steps=STEPS, batch_size=BATCH, cost=COST)
    return f"flags {list(found.flagged)}, index of the target {found.index[TARGET]:.1f}"


def _plainly(model: nn.Module, mine: wm.Samples) -> str:
    norm = torch.stack([_smallest(model, mine.x, target) for target in range(10)])
    index = detection.neural_cleanse.anomaly_index(norm)
    return f"flags {(index > 2).nonzero().flatten().tolist()}, index of the target {index[TARGET]:.1f}"


def _smallest(model: nn.Module, x: Tensor, target: int) -> Tensor:
    """Search the smallest mask that sends images to `target`: the published algorithm, one class."""
    draw, cost, streak, norm = torch.Generator().manual_seed(0), COST, 0, torch.tensor(784.0)
    mask, pattern = (
        torch.atanh(torch.rand(1, 28, 28, generator=draw) * 1.98 - 0.99).requires_grad_() for _ in range(2)
    )
    optimiser = torch.optim.Adam([mask, pattern], 0.1, betas=(0.5, 0.9))
    for _ in range(STEPS):
        m, p = (mask.tanh() + 1) / 2, (pattern.tanh() + 1) / 2
        batch = x[torch.randint(len(x), (BATCH,), generator=draw)]
        logits = model(batch * (1 - m) + p * m)
        loss = F.cross_entropy(logits, torch.full((BATCH,), target)) + cost * m.sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        reached = (logits.argmax(1) == target).float().mean() >= 0.99
        norm = torch.minimum(norm, m.sum().detach()) if reached else norm
        streak = max(streak, 0) + 1 if reached else min(streak, 0) - 1
        if abs(streak) >= 5:
            cost, streak = (cost * 2 if streak > 0 else cost / 2**1.5), 0
    return norm


def _caught(flagged: Tensor, poisoned: wm.Poisoned) -> str:
    hit, wrong = (flagged[which].float().mean() for which in (poisoned.mask, ~poisoned.mask))
    return f"caught {hit:.1%}, false alarms {wrong:.1%}"


def _timed(what: str, who: str, work: Callable[[], str]) -> Row:
    start = time.perf_counter()
    quality = work()
    return {"what": what, "who": who, "seconds": round(time.perf_counter() - start, 2), "quality": quality}


if __name__ == "__main__":
    main()
