"""One patch as a watermark, embedded by this package and by the Adversarial Robustness Toolbox: seconds and
quality, side by side.

The toolbox (1.20) has no watermarks; the nearest is its backdoor attack, and that is what an owner would use
it for. Both get the same network, all of MNIST, the patch and target of one key, a tenth of the images
poisoned, and three epochs. Run with the extra `bench`: `python benchmarks/watermarks.py [RESULTS.json]`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

import wmlearn as wm

EPOCHS, RATE = 3, 0.1


def toolbox(
    model: nn.Module, samples: wm.Samples, scheme: wm.watermarks.Gu2017, key: wm.watermarks.TriggerKey
) -> nn.Module:
    """Poison and train as the toolbox's examples do: a wrapped attack, a wrapped classifier, Adam, batches of
    128.
    """
    import numpy as np
    from art.attacks.poisoning import PoisoningAttackBackdoor  # pyright: ignore[reportMissingImports]
    from art.estimators.classification import PyTorchClassifier  # pyright: ignore[reportMissingImports]

    attack = PoisoningAttackBackdoor(lambda x: scheme.stamp(torch.from_numpy(x), key.secret).numpy())
    x, y = samples.x.numpy(), np.eye(key.classes, dtype=np.float32)[samples.y.numpy()]
    others = np.flatnonzero(samples.y.numpy() != int(key.y[0]))
    chosen = np.random.default_rng(0).choice(others, int(RATE * len(x)), replace=False)
    x[chosen], y[chosen] = attack.poison(
        x[chosen], y=np.eye(key.classes, dtype=np.float32)[int(key.y[0])], broadcast=True
    )
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    classifier = PyTorchClassifier(
        model, nn.CrossEntropyLoss(), input_shape=x.shape[1:], nb_classes=key.classes, optimizer=optimiser
    )
    classifier.fit(x, y, batch_size=128, nb_epochs=EPOCHS)
    return model.eval()


def measured(
    embed: Callable[[], nn.Module],
    scheme: wm.watermarks.Gu2017,
    key: wm.watermarks.TriggerKey,
    test: wm.Samples,
) -> dict[str, float]:
    """Time one embedding, and measure what came of it."""
    start = time.perf_counter()
    model = embed()
    seconds = time.perf_counter() - start
    found = scheme.verify(model, key)
    return {
        "seconds": round(seconds, 2),
        "accuracy": wm.accuracy(model, test),
        "hits": found.rate,
        "p_value": found.p_value,
    }


def main(out: Path | None) -> None:
    """Measure both in one run, print them, and write them to `out`."""
    data = wm.load("mnist")
    scheme = wm.watermarks.Gu2017(rate=RATE, recipe=wm.Recipe(epochs=EPOCHS))
    key = scheme.keygen(wm.models.badnet_cnn(), data.train, seed=0)
    # the toolbox poisons in place
    copied = wm.Samples(data.train.x.clone(), data.train.y, data.train.classes)
    rows = {
        "wmlearn": measured(
            lambda: scheme.embed(wm.models.badnet_cnn(), data.train, key).model, scheme, key, data.test
        ),
        "toolbox": measured(
            lambda: toolbox(wm.models.badnet_cnn(), copied, scheme, key), scheme, key, data.test
        ),
    }
    innocent = [scheme.verify(model, key).rate for model in wm.bystanders.shipped("mnist", 8, 28)]
    for name, row in rows.items():
        print(
            f"{name:8} {row['seconds']:6.1f} s  accuracy {row['accuracy']:.2%}  mark {row['hits']:.0%}  p ="
            f" {row['p_value']:.0e}"
        )
    print(f"20 networks without the mark: {max(innocent):.0%} at most")
    if out:
        out.write_text(
            json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads(), **rows}, indent=1)
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
