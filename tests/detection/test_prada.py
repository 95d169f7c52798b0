"""PRADA: which distances it looks at, and whom its figure tells apart."""

from __future__ import annotations

import pytest
import torch

import wmlearn as wm
from wmlearn.detection import prada
from wmlearn.errors import ArgumentError


def test_a_query_is_compared_with_earlier_ones_of_the_same_answer() -> None:
    x = torch.tensor([0.0, 10.0, 1.0, 11.0, 0.5])[:, None]
    labels = torch.tensor([0, 1, 0, 1, 0])
    assert prada.query_distances(x, labels).tolist() == [1.0, 1.0, 0.5]
    assert prada.query_distances(x, torch.arange(5)).tolist() == []


def test_small_changes_of_a_few_digits_look_less_normal_than_digits(mnist: wm.Splits) -> None:
    digits, labels = mnist.test.x[:150], mnist.test.y[:150]
    draw = torch.Generator().manual_seed(0)
    real = digits[:15].repeat(10, 1, 1, 1)
    moved = (real + 0.1 * torch.randint(-1, 2, real.shape, generator=draw)).clamp(0, 1)
    usual = prada.normality(digits, labels)
    strange = prada.normality(moved, labels[:15].repeat(10))
    assert strange < usual
    assert usual > 0.95


def test_distances_that_are_all_the_same_are_as_far_from_normal_as_can_be() -> None:
    assert prada.normality(torch.zeros(40, 1, 2, 2), torch.zeros(40, dtype=torch.int64)) == 0


def test_too_few_queries_and_labels_of_others_are_refused() -> None:
    with pytest.raises(ArgumentError, match="at least 20 distances"):
        prada.normality(torch.rand(10, 1, 2, 2), torch.zeros(10, dtype=torch.int64))
    with pytest.raises(ArgumentError, match="one label a query"):
        prada.query_distances(torch.rand(10, 1, 2, 2), torch.zeros(9, dtype=torch.int64))
