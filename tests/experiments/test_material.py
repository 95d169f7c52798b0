"""Wrong labels by lot are wrong, the same for one seed, and numbers are rounded as rows hold them."""

from __future__ import annotations

import pytest
import torch

from wmlearn.experiments.material import another_class, mnist, rounded, share


@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_a_label_by_lot_is_another_class_and_every_other_class_comes(n_classes: int) -> None:
    y = torch.arange(1000) % n_classes
    drawn = another_class(n_classes, seed=0)(y)
    assert (drawn != y).all()
    assert drawn[y == 0].unique().tolist() == list(range(1, n_classes))


def test_a_seed_gives_the_same_lot_and_a_second_call_another() -> None:
    y = torch.zeros(100, dtype=torch.long)
    lot = another_class(10, seed=1)
    first = lot(y)
    assert first.equal(another_class(10, seed=1)(y))
    assert not first.equal(another_class(10, seed=2)(y))
    assert not first.equal(lot(y))


def test_numbers_are_rounded_to_six_decimals() -> None:
    assert rounded(2 / 3) == 0.666667
    assert share(torch.tensor([True, True, False])) == 0.666667


def test_mnist_is_loaded_once() -> None:
    assert mnist() is mnist()
