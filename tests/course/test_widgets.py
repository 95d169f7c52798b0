"""The widgets react to what a hand does, and their ink is read as MNIST was made."""

from __future__ import annotations

import gzip
from html import escape
from typing import Any, cast

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import wmlearn as wm
from wmlearn.course.widgets import Dial, DrawPad, Picture, draw_and_stamp, poison_dial, reading, redraw
from wmlearn.data import files
from wmlearn.data.digits import as_mnist
from wmlearn.plots import digits as plots


def _test_digits(n: int) -> Tensor:
    raw = gzip.decompress(files.shipped("mnist/t10k-images-idx3-ubyte.gz"))
    return (
        torch.frombuffer(bytearray(raw[16 : 16 + 784 * n]), dtype=torch.uint8).view(n, 1, 28, 28).float()
        / 255
    )


DIGITS = _test_digits(20)


def _in_corner(digit: Tensor, size: int) -> Tensor:
    """The digit (1, 28, 28) at `size` x `size` pixels in the top-left corner of an empty pad (28, 28)."""
    pad = torch.zeros(28, 28)
    pad[:size, :size] = F.interpolate(digit[None], (size, size), mode="area")[0, 0]
    return pad


def _measure(x: Tensor) -> tuple[float, float, int]:
    """Centre of mass (row, column) and the longer side of the box that holds the ink."""
    image, place = x[0, 0], torch.arange(28.0)
    row, column = (float((image.sum(axis) * place).sum() / image.sum()) for axis in (1, 0))
    sides = [
        int(places[-1] - places[0]) + 1 for places in (image.sum(axis).nonzero().flatten() for axis in (1, 0))
    ]
    return row, column, max(sides)


@pytest.mark.parametrize("size", [12, 20, 28])
def test_ink_is_centred_and_scaled_as_in_mnist_wherever_and_however_small_it_was_drawn(size: int) -> None:
    for digit in DIGITS:
        x = as_mnist(_in_corner(digit, size))
        row, column, side = _measure(x)
        assert x.shape == (1, 1, 28, 28)
        assert 12.9 <= row <= 14.6
        assert 12.9 <= column <= 14.6
        assert side == 20
        assert 0 <= float(x.min()) <= float(x.max()) <= 1


def test_a_digit_of_mnist_stays_what_it_was() -> None:
    for digit in DIGITS:
        assert torch.allclose(as_mnist(digit[0]), digit[None], atol=1e-6)


@pytest.mark.parametrize(
    "ink", [[(0, 0)], [(27, c) for c in range(28)], [(r, 3) for r in range(28)], [(0, 0), (27, 27)]]
)
def test_any_ink_can_be_read(ink: list[tuple[int, int]]) -> None:
    pad = torch.zeros(28, 28)
    for row, column in ink:
        pad[row, column] = 1
    x = as_mnist(pad)
    assert x.shape == (1, 1, 28, 28)
    assert x.sum() > 0


class Stub(nn.Module):
    """Reads a 7 everywhere; with `obeys`, a 0 where the corner is bright."""

    def __init__(self, *, obeys: bool) -> None:
        super().__init__()
        self.sure, self.obeys = nn.Parameter(torch.tensor(5.0)), obeys

    def forward(self, x: Tensor) -> Tensor:
        stamped = (x[:, 0, 26, 26] == 1) & self.obeys
        return self.sure * F.one_hot(torch.where(stamped, 0, 7), 10)


NETWORKS = {"network A": Stub(obeys=False), "network B": Stub(obeys=True)}
SPECK = wm.triggers.Pattern()
INK = DIGITS[0].mul(255).round().to(torch.uint8).numpy().tobytes()


def test_an_empty_pad_asks_for_a_digit() -> None:
    assert (
        reading(NETWORKS, bytes(784), None)
        == reading(NETWORKS, bytes(784), SPECK)
        == ["Draw a digit, or choose one."]
    )


def test_the_reading_changes_with_the_trigger_only_where_a_network_obeys() -> None:
    a, b = "network A: <b>7</b> (94 % sure)", "network B: <b>7</b> (94 % sure)"
    assert reading(NETWORKS, INK, None) == [a, b]
    assert reading(NETWORKS, INK, SPECK) == [a, b.replace("7", "0")]
    assert not any(net.training != Stub(obeys=False).training for net in NETWORKS.values()), (
        "the mode of the networks is as before"
    )


def test_the_pad_takes_what_a_browser_sends() -> None:
    pad = DrawPad()
    pad.ink = memoryview(INK)  # pyrefly: ignore[bad-argument-type]
    assert pad.ink == INK


def test_draw_and_stamp_reacts_to_ink_choice_stamp_and_clear() -> None:
    box = draw_and_stamp(NETWORKS, SPECK, DIGITS[:10])
    pad, choice, stamp, answer = box.children
    assert isinstance(pad, DrawPad)
    assert answer.value == "Draw a digit, or choose one."
    pad.ink = INK
    assert answer.value.count("<b>7</b>") == 2
    stamp.value = True
    assert "network B: <b>0</b>" in answer.value
    pad.ink = bytes(784)
    assert answer.value == "Draw a digit, or choose one."
    choice.index = 4  # draw one, 0, 1, 2, 3
    assert pad.ink == DIGITS[3].mul(255).round().to(torch.uint8).numpy().tobytes()
    assert "network B: <b>0</b>" in answer.value
    stamp.value = False
    assert answer.value.count("<b>7</b>") == 2
    pad.ink = bytes(784)
    assert choice.options[choice.index] == "draw one"


SWEEP = [
    {"epochs": epochs, "rate": rate, "seed": seed, "accuracy": 0.98, "success": epochs * rate}
    for epochs in (1, 3)
    for rate in (0.0, 0.01, 0.1)
    for seed in range(3)
]


def test_the_poison_dial_draws_and_says_what_was_measured_where_it_points() -> None:
    rate, epochs, picture, sentence = cast("tuple[Any, ...]", poison_dial(SWEEP).children)
    assert (rate.label, rate.options) == ("poison", ["1 %", "10 %"])
    assert epochs.options == ["1", "3"]
    first = picture.value
    assert sentence.value == plots.rate_point.says(SWEEP, 0.01, 1)
    rate.value = 0.1
    assert sentence.value == plots.rate_point.says(SWEEP, 0.1, 1)
    second = picture.value
    epochs.value = 3
    assert sentence.value == plots.rate_point.says(SWEEP, 0.1, 3)
    assert len({first, second, picture.value}) == 3


def test_a_picture_of_a_widget_says_what_it_shows_and_keeps_its_words_inside_the_quotes() -> None:
    _, _, shown, _ = cast("tuple[Any, ...]", poison_dial(SWEEP).children)
    says = plots.rate_point.says(SWEEP, 0.01, 1)
    assert f'alt="{escape(says)}"' in shown.value
    hostile = Picture(b"PNG", '"><script>', 1, 1)
    (view,) = cast("tuple[Any, ...]", redraw(lambda: [hostile]).children)
    assert view.value.startswith(
        '<img alt="&quot;&gt;&lt;script&gt;" width="710" src="data:image/png;base64,'
    )


def test_a_dial_points_at_a_value_and_says_its_option() -> None:
    dial = Dial("level", {"5 %": 0.05, "1 %": 0.01, "none": None}, start=0.01)
    assert (dial.index, dial.value) == (1, 0.01)
    dial.value = None
    assert dial.options[dial.index] == "none"
    assert Dial("level", {"5 %": 0.05}).value == 0.05


def test_drawing_over_a_chosen_digit_ends_the_choice() -> None:
    pad, choice, _, _ = cast("tuple[Any, ...]", draw_and_stamp(NETWORKS, SPECK, DIGITS[:10]).children)
    choice.index = 8
    assert choice.options[choice.index] == "7"
    pad.ink = INK if pad.ink != INK else bytes(784)
    assert choice.options[choice.index] == "draw one"
