"""Whatever a learner gets wrong, the message says what must hold, what was got, and how to mend it.

The exact wording of what many functions say stands here alone: other tests match a rule's first words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import wmlearn as wm
from wmlearn.models import badnet_cnn
from wmlearn.triggers import Patch, Pattern

CLASSES = tuple("0123456789")
SPECTRAL = wm.detection.SpectralSignatures()


def _images(n: int = 20, channels: int = 1, size: int = 28) -> Tensor:
    return torch.rand((n, channels, size, size), generator=torch.Generator().manual_seed(0))


def _samples(n: int = 20, channels: int = 1, size: int = 28) -> wm.Samples:
    return wm.Samples(_images(n, channels, size), torch.arange(n) % 10, CLASSES)


def _with(value: float) -> Tensor:
    x = _images()
    x[3, 0, 4, 5] = value
    return x


def _poison(
    trigger: wm.Trigger = Pattern(), *, rate: float = 0.5, target: Any = 0, source: Any = None
) -> wm.Poisoned:
    return wm.poison(_samples(), trigger, rate=rate, target=target, source=source)


def _success(trigger: wm.Trigger = Pattern(), *, target: Any = 0) -> float:
    return wm.success_rate(badnet_cnn(), _samples(), trigger, target)


def _broken() -> nn.Module:
    model = badnet_cnn()
    with torch.no_grad():
        next(model.parameters())[0] = float("nan")
    return model


def _darkens_its_input(x: Tensor) -> Tensor:
    x[..., 0, 0] = 0
    return x


DATA_SETS = f"the data set must be one of {', '.join(wm.data.LOADERS)}"
IMAGES = "images must lie in [0, 1]", "Divide by 255, or clamp; normalise inside the model."
BYTES = (
    "images must be float32 in [0, 1]",
    "torch.uint8",
    "Divide uint8 images by 255; normalise inside the model.",
)
NAN = "images must not hold NaN", "'NaN'", "Find them with x.isnan()."
AXES = "images must have shape (N, C, H, W)", "(20, 28, 28)", "Add the missing axes with unsqueeze."
NETWORK = (
    "this network reads images of shape (N, 1, 28, 28)",
    "Crop, pad or convert the images, or build another network.",
)
LABELS = "labels must lie in 0..9", "Count classes from 0, and name each in `classes`."
FINITE = "the model's weights must be finite", "'NaN or infinity in 1.weight'", "Load or train it again."
RATE = "rate must lie in (0, 1]", "0.1 poisons every tenth image."
PICKS = "rate must pick between 1 and 18 images", "Change rate, source or target."
TARGET = (
    "target must be a class index below 10, or a map of labels",
    "Count classes from 0, or pass a function such as wm.next_class.",
)
SOURCE = "source must be a class index below 10", "Count classes from 0."
EMPTY = "samples must not be empty", "0", "Look at what you selected them by."
INPUT = "a trigger must leave its input alone", "'a changed input'", "Start the trigger with x = x.clone()."
SHAPE = (
    "a trigger must keep shape (10, 1, 28, 28) and type torch.float32",
    "Return a changed copy of the input.",
)
RANGE = "a trigger must keep images in [0, 1]", "End the trigger with .clamp(0, 1)."
PATCH = "a patch with its margin must fit in 28 x 28 images", "(28, 1)", "Make it smaller."
PIXELS = "trigger pixels must lie inside 28 x 28 images", "((28, 28),)", "Count rows and columns from 0."

# what -> what one does, (what must hold, what was got, how to mend it)
BAD: dict[str, tuple[Callable[[], object], tuple[str, str, str]]] = {
    "images above 1": (
        lambda: wm.Samples(_with(255.0), torch.zeros(20).long(), CLASSES),
        (IMAGES[0], "255.0)", IMAGES[1]),
    ),
    "images below 0": (
        lambda: wm.Samples(_with(-0.5), torch.zeros(20).long(), CLASSES),
        (IMAGES[0], "(-0.5, ", IMAGES[1]),
    ),
    "images above 1 to predict": (
        lambda: wm.predict(badnet_cnn(), _with(2.0)),
        (IMAGES[0], "2.0)", IMAGES[1]),
    ),
    "uint8 images": (lambda: wm.Samples(_images().byte(), torch.zeros(20).long(), CLASSES), BYTES),
    "uint8 images to predict": (lambda: wm.predict(badnet_cnn(), _images().byte()), BYTES),
    "NaN in images": (lambda: wm.Samples(_with(float("nan")), torch.zeros(20).long(), CLASSES), NAN),
    "NaN in images to predict": (lambda: wm.predict(badnet_cnn(), _with(float("nan"))), NAN),
    "infinite images": (
        lambda: wm.Samples(_with(float("inf")), torch.zeros(20).long(), CLASSES),
        (IMAGES[0], "inf)", IMAGES[1]),
    ),
    "images without channels": (lambda: wm.Samples(_images()[:, 0], torch.zeros(20).long(), CLASSES), AXES),
    "images without channels to predict": (lambda: wm.predict(badnet_cnn(), _images()[:, 0]), AXES),
    "colour images, to train": (
        lambda: wm.train(badnet_cnn(), _samples(channels=3)),
        (NETWORK[0], "(20, 3, 28, 28)", NETWORK[1]),
    ),
    "colour images, to measure": (
        lambda: wm.accuracy(badnet_cnn(), _samples(channels=3)),
        (NETWORK[0], "(20, 3, 28, 28)", NETWORK[1]),
    ),
    "large images, to predict": (
        lambda: wm.predict(badnet_cnn(), _images(size=32)),
        (NETWORK[0], "(20, 1, 32, 32)", NETWORK[1]),
    ),
    "a label too high": (
        lambda: wm.Samples(_images(3), torch.tensor([0, 5, 10]), CLASSES),
        (LABELS[0], "(0, 10)", LABELS[1]),
    ),
    "a negative label": (
        lambda: wm.Samples(_images(3), torch.tensor([0, -1, 2]), CLASSES),
        (LABELS[0], "(-1, 2)", LABELS[1]),
    ),
    "rate 0": (lambda: _poison(rate=0), (RATE[0], "0", RATE[1])),
    "a negative rate": (lambda: _poison(rate=-0.1), (RATE[0], "-0.1", RATE[1])),
    "a rate in per cent": (lambda: _poison(rate=10), (RATE[0], "10", RATE[1])),
    "a rate that is no number": (lambda: _poison(rate=float("nan")), (RATE[0], "nan", RATE[1])),
    "a rate that picks no image": (lambda: _poison(rate=0.001), (PICKS[0], "0", PICKS[1])),
    "a rate that picks too many": (lambda: _poison(rate=1), (PICKS[0], "20", PICKS[1])),
    "a target too high": (lambda: _poison(target=10), (TARGET[0], "10", TARGET[1])),
    "a negative target": (lambda: _poison(target=-1), (TARGET[0], "-1", TARGET[1])),
    "a target by name": (lambda: _poison(target="7"), (TARGET[0], "'7'", TARGET[1])),
    "a target between classes": (lambda: _poison(target=1.5), (TARGET[0], "1.5", TARGET[1])),
    "no target": (lambda: _success(target=None), (TARGET[0], "None", TARGET[1])),
    "a target too high, to measure": (lambda: _success(target=10), (TARGET[0], "10", TARGET[1])),
    "a source too high": (lambda: _poison(source=10), (SOURCE[0], "10", SOURCE[1])),
    "a source by name": (lambda: _poison(source="7"), (SOURCE[0], "'7'", SOURCE[1])),
    "a trigger that changes its input": (lambda: _poison(_darkens_its_input), INPUT),
    "a trigger that changes its input, to measure": (lambda: _success(_darkens_its_input), INPUT),
    "a trigger that changes the shape": (
        lambda: _poison(lambda x: x[..., 1:]),
        (SHAPE[0], "((10, 1, 28, 27), torch.float32)", SHAPE[1]),
    ),
    "a trigger that changes the type": (
        lambda: _poison(lambda x: x.double()),
        (SHAPE[0], "((10, 1, 28, 28), torch.float64)", SHAPE[1]),
    ),
    "a trigger that forgets to return": (
        lambda: _poison(lambda x: None),  # pyrefly: ignore[bad-argument-type]
        (SHAPE[0], "None", SHAPE[1]),
    ),
    "a trigger above 1": (lambda: _poison(lambda x: x * 0 + 1.5), (RANGE[0], "(1.5, 1.5)", RANGE[1])),
    "a trigger below 0": (lambda: _poison(lambda x: x * 0 - 1), (RANGE[0], "(-1.0, -1.0)", RANGE[1])),
    "a trigger that makes NaN": (
        lambda: _poison(lambda x: x * float("nan")),
        (RANGE[0], "(nan, nan)", RANGE[1]),
    ),
    "a patch larger than the image": (lambda: _poison(Patch(28)), PATCH),
    "a patch larger than the image, to measure": (lambda: _success(Patch(28)), PATCH),
    "a pixel outside the image": (lambda: _poison(Pattern(((28, 28),))), PIXELS),
    "nothing to train on": (lambda: wm.train(badnet_cnn(), _samples()[:0]), EMPTY),
    "nothing to measure": (lambda: wm.accuracy(badnet_cnn(), _samples()[:0]), EMPTY),
    "nothing to poison": (lambda: wm.poison(_samples()[:0], Pattern(), rate=0.5, target=0), EMPTY),
    "nothing to fool": (lambda: wm.success_rate(badnet_cnn(), _samples()[:0], Pattern(), 0), EMPTY),
    "nothing to predict": (
        lambda: wm.predict(badnet_cnn(), _images()[:0]),
        ("there must be at least one input", *EMPTY[1:]),
    ),
    "a model with too few answers": (
        lambda: wm.accuracy(nn.Sequential(nn.Flatten(), nn.Linear(784, 2)), _samples()),
        ("the model must answer with 10 classes", "(20, 2)", "Give its last layer one output a class."),
    ),
    "broken weights, to search": (lambda: SPECTRAL(_broken(), _samples()), FINITE),
    "broken weights, to attack": (lambda: wm.removal.Prune(0.5)(_broken(), _samples()), FINITE),
    "a class without images": (
        lambda: SPECTRAL(badnet_cnn(), _samples()[:8]),
        (
            "samples must hold images of every class",
            "'none of 8, 9'",
            "Draw more, or a stratified split.",
        ),
    ),
    "an unknown data set": (
        lambda: wm.load("cifar"),
        (DATA_SETS, "'cifar'", ""),
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_is_named_with_its_remedy(case: str) -> None:
    act, (rule, got, remedy) = BAD[case]
    with pytest.raises(wm.ArgumentError) as caught:
        act()
    message = str(caught.value)
    assert message.startswith(f"{rule}, got ")
    assert got in message.removeprefix(f"{rule}, got ").removesuffix(remedy)
    assert message.endswith(remedy or got + ".")


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_can_be_caught_as_the_packages_or_as_a_value_error(case: str) -> None:
    act, _ = BAD[case]
    with pytest.raises(wm.WmlearnError) as caught:
        act()
    assert isinstance(caught.value, ValueError)


def test_the_same_calls_without_the_mistake_work() -> None:
    assert int(_poison().mask.sum()) == 10
    assert 0 <= _success() <= 1
    assert len(wm.predict(badnet_cnn(), _images())) == 20
    assert 0 <= wm.accuracy(badnet_cnn(), _samples()) <= 1
