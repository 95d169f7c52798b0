"""Model inversion: an image that the network takes for its class, from a seed, smoother on demand."""

from __future__ import annotations

import pytest
import torch

import wmlearn as wm
from wmlearn import privacy
from wmlearn.errors import ArgumentError
from wmlearn.evidence import bystanders
from wmlearn.privacy.inversion import variation

(NETWORK,) = bystanders.shipped("mnist", 3, 4)
SHAPE = (1, 28, 28)


def test_the_network_takes_each_image_for_its_class() -> None:
    drawn = privacy.invert(NETWORK, [3, 0, 8], SHAPE)
    assert drawn.shape == (3, *SHAPE)
    assert 0 <= float(drawn.min()) <= float(drawn.max()) <= 1
    assert wm.predict(NETWORK, drawn).argmax(1).tolist() == [3, 0, 8]


def test_one_seed_draws_one_image_and_no_weight_is_touched() -> None:
    before = [weights.clone() for weights in NETWORK.parameters()]
    first, again = (privacy.invert(NETWORK, [5], SHAPE, steps=20) for _ in range(2))
    other = privacy.invert(NETWORK, [5], SHAPE, steps=20, seed=1)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert all(torch.equal(a, b) for a, b in zip(before, NETWORK.parameters(), strict=True))
    assert all(weights.grad is None for weights in NETWORK.parameters())


def test_a_heavier_penalty_makes_it_smoother() -> None:
    rough, smooth = (privacy.invert(NETWORK, [2], SHAPE, smooth=weight) for weight in (0.0, 0.1))
    assert float(variation(smooth)) < float(variation(rough))


def test_the_total_variation_adds_the_differences_of_neighbours() -> None:
    image = torch.tensor([[[[0.0, 1.0], [0.0, 0.5]]]])
    assert float(variation(image)) == pytest.approx(0.5 + 1.0 + 0.5)


def test_the_likest_image_is_found_however_faint() -> None:
    others = torch.rand(6, *SHAPE, generator=torch.Generator().manual_seed(2))
    faint = 0.1 * others[4] + 0.3
    assert torch.equal(privacy.likest(faint, others), others[4])
    assert float(privacy.likeness(faint, others)[4]) == pytest.approx(1, abs=1e-5)


def test_no_class_and_no_step_are_refused() -> None:
    with pytest.raises(ArgumentError, match="classes must name"):
        privacy.invert(NETWORK, [], SHAPE)
    with pytest.raises(ArgumentError, match="steps must be at least 1"):
        privacy.invert(NETWORK, [1], SHAPE, steps=0)
