"""How fast are drawing signs, learning from them and finding them, beside the ordinary way? Everything is
measured in one run.

The ordinary way: the same networks, a data set of Pillow images, torchvision's transforms picture by picture,
a DataLoader, Adam, float32.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader

from ..data import signs
from ..experiments.signs import PHOTOGRAPH_RECIPE, SHAKEN, SIGN_RECIPE, changed, fit, rendered
from ..experiments.street import N_TRAIN
from ..models import sign_cnn
from ..street_detector import RECIPE, detect, street_rcnn, targets, train_detector
from ..training import accuracy, best_device, predict, train
from ..triggers import Sticker
from .digits import Timing, plain_epoch, seconds

PHOTOGRAPHS = 39_209  # in the final training set; drawn signs take as long
CPU = torch.device("cpu")  # scenes are drawn, and streets are learnt, there


def bench_signs(n: int = 3000) -> Iterator[Timing]:
    """Yield timings of drawing, of the classifier and of the detector, ours and the ordinary way; `n` signs
    and n / 10 scenes.
    """
    yield from drawing(n)
    yield from classifier(n)
    yield from detector(n // 10)


def drawing(n: int) -> Iterator[Timing]:
    """Yield how long a sign and a scene take to draw."""
    signs.draw("us", 64, seed=0)  # plates and streets are drawn once
    signs.draw_street(8, seed=0)
    for what, sticker in (("", None), (" with a sticker", Sticker("square"))):
        took = seconds(lambda sticker=sticker: signs.draw("us", n, seed=0, sticker=sticker), CPU)
        yield Timing(
            f"draw a sign{what}, 32 pixels",
            1000 * took / n,
            "ms",
            f"mean of {n:,}, {torch.get_num_threads()} threads",
        )
    scene = seconds(lambda: signs.draw_street(n // 10, seed=0), CPU)
    yield Timing(
        "draw a street with its signs, 128 pixels", 1000 * scene / (n // 10), "ms", f"mean of {n // 10:,}"
    )


def classifier(n: int) -> Iterator[Timing]:
    """Yield how long one epoch of `n` signs takes, ours and the ordinary way, and how long the three kinds of
    the lesson.
    """
    device = best_device()
    learn = signs.draw("us", n, seed=0).to(device)
    classes = len(learn.classes)
    one = replace(SIGN_RECIPE, epochs=1)
    train(sign_cnn(classes).to(device), learn[:1000], one)  # warm up
    ours = seconds(lambda: train(sign_cnn(classes).to(device), learn, one), device)
    yield Timing(f"classifier, an epoch of {n:,} signs", ours, "s", f"batch {one.batch_size}, {device.type}")
    loaded = Loaded(pictures(learn.x), learn.y.tolist())
    plain = seconds(lambda: plain_epoch(sign_cnn(classes).to(device), loaded, one.batch_size), device)  # pyright: ignore[reportArgumentType]
    yield Timing("the same, the ordinary way", plain, "s", f"{plain / ours:.1f} times as long")
    photographs = seconds(lambda: fit(learn, replace(PHOTOGRAPH_RECIPE, epochs=1), changed), device)
    whole = photographs / n * PHOTOGRAPH_RECIPE.epochs * PHOTOGRAPHS
    note = f"scaled up: {PHOTOGRAPH_RECIPE.epochs} epochs of {PHOTOGRAPHS:,}, changed for each"
    yield Timing("classifier, 43 classes of photographs, trained", whole, "s", note)
    reading = seconds(lambda: predict(sign_cnn(classes).to(device), learn.x), device)
    yield Timing("classifier, read 1,000 signs", 1e6 * reading / n, "ms", "fp32")
    splits = rendered()
    for epochs in (1, SIGN_RECIPE.epochs):
        networks: list[nn.Module] = []
        recipe = replace(SIGN_RECIPE, epochs=epochs)
        whole = seconds(
            lambda recipe=recipe, networks=networks: networks.append(fit(splits.train, recipe, SHAKEN)),
            device,
        )
        note = (
            f"{accuracy(networks[0], splits.test):.2%} of {len(splits.test):,} test signs;"
            f" {len(splits.train):,} to learn from"
        )
        yield Timing(
            f"classifier, stop / speed limit / warning, {epochs} epoch{'s' * (epochs > 1)}", whole, "s", note
        )


def detector(n: int) -> Iterator[Timing]:
    """Yield how long an epoch of `n` scenes takes a detector, ours and the ordinary way, and what the
    lesson's would take.
    """
    street = signs.draw_street(n, seed=1)
    one = replace(RECIPE, epochs=1)
    train_detector(street_rcnn(), street[:32], one)  # warm up
    ours = seconds(lambda: train_detector(street_rcnn(), street, one), CPU)
    yield Timing(f"detector, an epoch of {n:,} scenes", ours, "s", f"batch {one.batch_size}, cpu")
    scenes = Loaded(pictures(street.x), targets(street))
    plain = seconds(lambda: plain_detector_epoch(scenes, one.batch_size), CPU)
    yield Timing("the same, the ordinary way", plain, "s", f"{plain / ours:.1f} times as long")
    whole = ours / n * RECIPE.epochs * N_TRAIN
    yield Timing(
        "detector, trained on clean scenes", whole, "s", f"scaled up: {RECIPE.epochs} epochs of {N_TRAIN:,}"
    )
    finding = seconds(lambda: detect(street_rcnn().eval(), street.x), CPU)
    yield Timing("detector, read 100 scenes", 100 * finding / n, "s")


@dataclass(frozen=True)
class Loaded:
    """Pictures as most would load them: each is turned into a tensor when it is asked for, and comes with its
    label or its boxes.
    """

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

    for x, y in DataLoader(scenes, batch_size, shuffle=True, collate_fn=apart):  # pyright: ignore[reportArgumentType]
        loss = torch.stack(list(model(list(x), list(y)).values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
