"""The yardsticks of watermarks: what a message carries."""

from __future__ import annotations

import math

import pytest

from wmlearn.experiments.watermarks import capacity


def test_a_channel_carries_what_its_errors_leave() -> None:
    assert capacity("uchida2017", 256, 1.0, 10) == 256
    assert capacity("uchida2017", 256, 0.875, 10) == pytest.approx(116.84, abs=0.01)
    assert capacity("adi2018", 100, 1.0, 10) == pytest.approx(100 * math.log2(10))


def test_symbols_that_are_right_by_luck_only_carry_nothing() -> None:
    for scheme, classes, luck in (("uchida2017", 10, 0.5), ("adi2018", 10, 0.1), ("adi2018", 43, 1 / 43)):
        assert capacity(scheme, 100, luck, classes) == 0
        assert capacity(scheme, 100, luck + 1e-6, classes) == pytest.approx(0, abs=1e-6)


def test_of_two_classes_random_labels_carry_what_bits_do() -> None:
    assert capacity("adi2018", 64, 0.7, 2) == pytest.approx(capacity("chen2019-blackmarks", 64, 0.7, 2))
