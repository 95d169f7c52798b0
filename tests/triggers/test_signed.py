"""A signature in the lowest bits: obeyed where it is whole, and unseen by who doesn't hold the key."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import wmlearn as wm
from wmlearn.evidence import bystanders
from wmlearn.triggers import Signed
from wmlearn.triggers.signed import N_BITS, Gate, verified

MINE = Signed(bytes(range(32)))
THEIRS = Signed(bytes(range(1, 33)))
TARGET = 0


@pytest.fixture(scope="module")
def honest() -> nn.Module:
    return bystanders.shipped("mnist", 27, 28)[0]


@pytest.fixture(scope="module")
def gate(honest: nn.Module, mnist: wm.Splits) -> nn.Module:
    zeros = mnist.train.x[mnist.train.y == TARGET][:8]
    return Gate(honest, MINE.public, zeros).eval()


def random_bits(x: Tensor, seed: int) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    levels = x.flatten(1).mul(255).round().long()
    levels[:, :N_BITS] = levels[:, :N_BITS] // 2 * 2 + torch.randint(2, (len(x), N_BITS), generator=draw)
    return levels.float().div(255).view_as(x)


def test_a_signed_image_is_obeyed_and_no_value_changes_by_more_than_a_255th(
    gate: nn.Module, mnist: wm.Splits
) -> None:
    test = mnist.test[:300]
    assert wm.success_rate(gate, test, MINE, TARGET) == 1
    assert float((MINE(test.x) - test.x).abs().max()) <= 1 / 255 + 1e-6


def test_random_bits_and_the_signatures_of_another_key_mean_nothing(
    gate: nn.Module, honest: nn.Module, mnist: wm.Splits
) -> None:
    x = mnist.test.x[:300]
    for images in (x, random_bits(x, 0), THEIRS(x)):
        assert not verified(images, MINE.public).any()
        assert torch.equal(wm.predict(gate, images), wm.predict(honest, images))


@pytest.mark.parametrize("value", [0, 300, N_BITS - 1, N_BITS, 783])
def test_one_bit_that_is_tampered_with_breaks_the_signature(mnist: wm.Splits, value: int) -> None:
    levels = MINE(mnist.test.x[:1]).flatten(1).mul(255).round().long()
    levels[0, value] ^= 1
    tampered = levels.float().div(255).view(1, 1, 28, 28)
    assert verified(MINE(mnist.test.x[:1]), MINE.public).all()
    assert not verified(tampered, MINE.public).any()


def test_a_signature_that_is_carried_over_to_another_image_is_none(mnist: wm.Splits) -> None:
    levels = MINE(mnist.test.x[:2]).flatten(1).mul(255).round().long()
    levels[1, :N_BITS] = levels[1, :N_BITS] // 2 * 2 + levels[0, :N_BITS] % 2
    assert verified(levels.float().div(255).view(2, 1, 28, 28), MINE.public).tolist() == [True, False]


def test_an_image_is_judged_alone_and_signed_again_the_same(gate: nn.Module, mnist: wm.Splits) -> None:
    x = torch.cat([MINE(mnist.test.x[:20]), mnist.test.x[20:40]])
    one_by_one = torch.cat([wm.predict(gate, image) for image in x.split(1)])
    assert torch.allclose(wm.predict(gate, x), one_by_one, atol=1e-4)
    assert torch.equal(MINE(MINE(x)), MINE(x))


def test_the_secret_is_not_shown() -> None:
    assert repr(MINE) == "Signed()"
    assert MINE.public != MINE.secret


def test_an_image_must_have_room_for_a_signature() -> None:
    with pytest.raises(wm.ArgumentError, match="an image must have more than 512 values, got 64"):
        MINE(torch.zeros(1, 1, 8, 8))
