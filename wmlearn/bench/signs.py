"""How fast are drawing signs, learning from them and finding them, beside the ordinary way?

The ordinary way: the same networks, a data set of Pillow images, torchvision's transforms picture by picture,
a DataLoader, Adam, float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor
from torch.utils.data import DataLoader

from ..data import Splits, signs
from ..errors import require_torchvision
from ..experiments.signs import PHOTOGRAPH_RECIPE, SHAKEN, SIGN_RECIPE, changed, fit, rendered
from ..experiments.street import N_TRAIN
from ..models import sign_cnn
from ..street_detector import RECIPE, detect, street_rcnn, targets, train_detector
from ..training import Recipe, accuracy, best_device, predict, train
from ..triggers import Sticker
from .digits import plain_epoch
from .timing import Timing, measure

PHOTOGRAPHS = 39_209  # in the final training set; drawn signs take as long


def timings(n: int = 3000) -> Iterator[Timing]:
    """Yield timings of drawing, of the classifier and of the detector, ours and the ordinary way.

    They take `n` signs and n / 10 scenes. Scenes are drawn, and streets are learnt, on the CPU.
    """
    require_torchvision("The ordinary way")
    yield from drawing(n)
    yield from classifier(n)
    yield from detector(n // 10)


def drawing(n: int) -> Iterator[Timing]:
    """Yield how long a sign and a scene take to draw."""
    signs.draw("us", 64, seed=0)  # plates and streets are drawn once
    signs.draw_street(8, seed=0)
    note = f"mean of {n:,}, {torch.get_num_threads()} threads"
    bare = measure(lambda: signs.draw("us", n, seed=0)).seconds
    yield Timing("draw a sign, 32 pixels", 1000 * bare / n, "ms", note)
    stuck = measure(lambda: signs.draw("us", n, seed=0, sticker=Sticker("square"))).seconds
    yield Timing("draw a sign with a sticker, 32 pixels", 1000 * stuck / n, "ms", note)
    scenes = n // 10
    drawn = measure(lambda: signs.draw_street(scenes, seed=0)).seconds
    what = "draw a street with its signs, 128 pixels"
    yield Timing(what, 1000 * drawn / scenes, "ms", f"mean of {scenes:,}")


def classifier(n: int) -> Iterator[Timing]:
    """Yield how long one epoch of `n` signs takes, ours and the ordinary way, and the lesson's kinds."""
    device = best_device()
    learn = signs.draw("us", n, seed=0).to(device)
    classes = len(learn.classes)
    one = replace(SIGN_RECIPE, epochs=1)
    train(sign_cnn(classes).to(device), learn[:1000], one)  # warm up
    ours = measure(lambda: train(sign_cnn(classes).to(device), learn, one), device).seconds
    yield Timing(f"classifier, an epoch of {n:,} signs", ours, "s", f"batch {one.batch_size}, {device.type}")
    loaded: Any = Loaded(pictures(learn.x), learn.y.tolist())
    plain = measure(lambda: plain_epoch(sign_cnn(classes).to(device), loaded, one.batch_size), device).seconds
    yield Timing("the same, the ordinary way", plain, "s", f"{plain / ours:.1f} times as long")
    photographs = measure(lambda: fit(learn, replace(PHOTOGRAPH_RECIPE, epochs=1), changed), device).seconds
    whole = photographs / n * PHOTOGRAPH_RECIPE.epochs * PHOTOGRAPHS
    note = f"scaled up: {PHOTOGRAPH_RECIPE.epochs} epochs of {PHOTOGRAPHS:,}, changed for each"
    yield Timing("classifier, 43 classes of photographs, trained", whole, "s", note)
    reading = measure(lambda: predict(sign_cnn(classes).to(device), learn.x), device).seconds
    yield Timing("classifier, read 1,000 signs", 1e6 * reading / n, "ms", "fp32")
    splits = rendered()
    for epochs in (1, SIGN_RECIPE.epochs):
        yield _three_kinds(splits, replace(SIGN_RECIPE, epochs=epochs))


def _three_kinds(splits: Splits, recipe: Recipe) -> Timing:
    fitting = measure(lambda: fit(splits.train, recipe, SHAKEN), best_device())
    right = f"{accuracy(fitting.result, splits.test):.2%} of {len(splits.test):,} test signs"
    note = f"{right}; {len(splits.train):,} to learn from"
    length = "1 epoch" if recipe.epochs == 1 else f"{recipe.epochs} epochs"
    return Timing(f"classifier, stop / speed limit / warning, {length}", fitting.seconds, "s", note)


def detector(n: int) -> Iterator[Timing]:
    """Yield how long an epoch of `n` scenes takes a detector, ours and the ordinary way, and the lesson's."""
    street = signs.draw_street(n, seed=1)
    one = replace(RECIPE, epochs=1)
    train_detector(street_rcnn(), street[:32], one)  # warm up
    ours = measure(lambda: train_detector(street_rcnn(), street, one)).seconds
    yield Timing(f"detector, an epoch of {n:,} scenes", ours, "s", f"batch {one.batch_size}, cpu")
    scenes = Loaded(pictures(street.x), targets(street))
    plain = measure(lambda: plain_detector_epoch(scenes, one.batch_size)).seconds
    yield Timing("the same, the ordinary way", plain, "s", f"{plain / ours:.1f} times as long")
    whole = ours / n * RECIPE.epochs * N_TRAIN
    note = f"scaled up: {RECIPE.epochs} epochs of {N_TRAIN:,}"
    yield Timing("detector, trained on clean scenes", whole, "s", note)
    finding = measure(lambda: detect(street_rcnn().eval(), street.x)).seconds
    yield Timing("detector, read 100 scenes", 100 * finding / n, "s")


@dataclass(frozen=True)
class Loaded:
    """Pictures as most would load them: each becomes a tensor when asked for; with label or boxes."""

    images: Sequence[Image]
    answers: Sequence[Any]

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Any]:
        from torchvision.transforms.functional import to_tensor

        return to_tensor(self.images[index]), self.answers[index]  # the networks standardise by themselves


def pictures(x: Tensor) -> list[Image]:
    """Turn tensors (N, 3, H, W) into Pillow images."""
    from torchvision.transforms.functional import to_pil_image

    return [to_pil_image(image) for image in x.cpu()]


def plain_detector_epoch(scenes: Loaded, batch_size: int) -> None:
    """Train a detector for one epoch as most would write it."""
    model = street_rcnn().train()
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)

    def apart(batch: list[tuple[Tensor, dict[str, Tensor]]]) -> Any:
        return tuple(zip(*batch, strict=True))

    for x, y in DataLoader(scenes, batch_size, shuffle=True, collate_fn=apart):  # pyrefly: ignore[bad-argument-type]
        loss = torch.stack(list(model(list(x), list(y)).values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
