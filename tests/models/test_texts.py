"""Networks that read words: what they lose and what they keep."""

from __future__ import annotations

import pytest
import torch

import wmlearn as wm
from wmlearn.errors import ArgumentError
from wmlearn.models import reborn, text_bag, text_cnn

BUILDERS = [text_bag, text_cnn]


@pytest.mark.parametrize("build", BUILDERS)
def test_a_text_network_answers_for_each_text_and_starts_by_its_seed(build) -> None:
    x = torch.randint(0, 50, (4, 9))
    model = build(50, seed=3, classes=5)
    assert wm.predict(model, x).shape == (4, 5)
    assert torch.equal(wm.predict(model, x), wm.predict(build(50, seed=3, classes=5), x))
    assert not torch.equal(wm.predict(model, x), wm.predict(build(50, seed=4, classes=5), x))


def test_a_mean_has_no_order_and_a_maximum_has() -> None:
    x = torch.randint(2, 50, (4, 9))
    bag = text_bag(50)
    cnn = text_cnn(50)
    assert torch.allclose(wm.predict(bag, x), wm.predict(bag, x.flip(1)), atol=1e-5)
    assert not torch.allclose(wm.predict(cnn, x), wm.predict(cnn, x.flip(1)), atol=1e-5)


def test_what_fills_up_does_not_count_in_a_mean() -> None:
    x = torch.tensor([[3, 4, 5]])
    padded = torch.tensor([[3, 4, 5, 0, 0, 0]])
    bag = text_bag(50)
    assert torch.allclose(wm.predict(bag, x), wm.predict(bag, padded), atol=1e-6)


@pytest.mark.parametrize("build", BUILDERS)
def test_a_text_network_is_reborn_as_a_stranger(build) -> None:
    model = build(50)
    stranger = reborn(model, 7)
    kept = [
        name for name, weight in stranger.named_parameters() if torch.equal(weight, model.get_parameter(name))
    ]
    assert all(name.endswith("bias") for name in kept)


@pytest.mark.parametrize("build", BUILDERS)
def test_too_few_words_or_classes_are_refused(build) -> None:
    with pytest.raises(ArgumentError, match="words must be at least 3"):
        build(2)
    with pytest.raises(ArgumentError, match="classes must be at least 2"):
        build(50, classes=1)
