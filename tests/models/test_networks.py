"""The networks answer as promised, standardise their own input, and are the same again for the same seed."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

import wmlearn as wm


def _images(n: int = 4) -> torch.Tensor:
    return torch.rand(n, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("classes", [2, 3, 43])
def test_the_network_for_signs_answers_with_the_classes(classes: int) -> None:
    assert wm.training.predict(wm.models.sign_cnn(classes), _images()).shape == (4, classes)


@pytest.mark.parametrize("shape", [(4, 1, 32, 32), (4, 3, 64, 64), (4, 32, 32, 3)])
def test_the_network_for_signs_refuses_other_images(shape: tuple[int, ...]) -> None:
    message = (
        f"this network reads images of shape (N, 3, 32, 32), got {shape}. Crop, pad or convert the images, or"
        " build another network."
    )
    with pytest.raises(wm.ArgumentError, match=f"^{re.escape(message)}$"):
        wm.models.sign_cnn(3)(torch.zeros(shape))


def test_a_network_for_one_class_is_refused() -> None:
    with pytest.raises(wm.ArgumentError, match=r"^classes must be at least 2, got 1\.$"):
        wm.models.sign_cnn(1)


def test_a_seed_decides_the_first_weights_and_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    first, again, other = (
        nn.utils.parameters_to_vector(wm.models.sign_cnn(3, seed).parameters()) for seed in (0, 0, 1)
    )
    assert torch.get_rng_state().equal(before)
    assert first.equal(again)
    assert not first.equal(other)


def test_light_haze_and_the_colour_of_the_light_hardly_change_the_answer() -> None:
    model, x = wm.models.sign_cnn(43), _images()
    evening = torch.tensor([0.6, 0.5, 0.3]).view(3, 1, 1)
    bright, dim = (wm.training.predict(model, picture) for picture in (x, x * evening + 0.2))
    assert (bright - dim).abs().max() < 0.1 * bright.std()


def test_an_image_of_one_colour_gives_numbers() -> None:
    assert wm.training.predict(wm.models.sign_cnn(3), torch.full((2, 3, 32, 32), 0.5)).isfinite().all()


def test_the_answer_for_an_image_does_not_depend_on_the_others() -> None:
    model, x = wm.models.sign_cnn(5), _images(8)
    assert torch.allclose(wm.training.predict(model, x)[3:4], wm.training.predict(model, x[3:4]), atol=1e-5)


def test_convolutions_come_first_and_the_head_is_linear() -> None:
    model = wm.models.sign_cnn(5)
    features, head = model[: wm.models.SIGN_HEAD], model[wm.models.SIGN_HEAD :]
    assert not [layer for layer in features if isinstance(layer, nn.Linear)]
    assert [layer.out_features for layer in head if isinstance(layer, nn.Linear)] == [128, 5]
    assert not [layer for layer in head if isinstance(layer, nn.Conv2d | nn.BatchNorm2d)]
    assert torch.allclose(
        head.eval()(features.eval()(_images())), wm.training.predict(model, _images()), atol=1e-5
    )


def test_the_network_for_signs_learns_from_few_photographs_of_colours() -> None:
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(96) % 3
    x = torch.rand(96, 3, 32, 32, generator=generator) * 0.3
    x[torch.arange(96), y, 8:24, 8:24] += 0.5  # a red, green or blue square
    samples = wm.Samples(x, y, ("red", "green", "blue"))
    model, _ = wm.trained(wm.models.sign_cnn(3), samples[:64], wm.Recipe(epochs=4, lr=3e-3, batch_size=16))
    assert wm.accuracy(model, samples[64:]) > 0.9


def test_scaling_the_last_batch_normalisation_scales_what_the_head_reads() -> None:
    model, x = wm.models.sign_cnn(5).eval(), _images()
    features = model[: wm.models.SIGN_HEAD]
    before = features(x)
    with torch.no_grad():
        for weights in model[wm.models.SIGN_HEAD - 2].parameters():
            weights[7] *= 10
    after = features(x)
    assert torch.allclose(after[:, 7], before[:, 7] * 10, atol=1e-5)
    assert after[:, 8:].equal(before[:, 8:])


def test_frozen_convolutions_stay_as_they_are_while_the_head_learns() -> None:
    model, x = wm.models.sign_cnn(2), _images(32)
    features, head = model[: wm.models.SIGN_HEAD], model[wm.models.SIGN_HEAD :]
    features.requires_grad_(False)
    kept, learnt = (
        {name: value.clone() for name, value in part.state_dict().items()} for part in (features, head)
    )
    wm.train(model, wm.Samples(x, torch.arange(32) % 2, ("a", "b")), wm.Recipe(epochs=2, batch_size=8))
    assert all(value.equal(kept[name]) for name, value in features.state_dict().items())
    assert not any(value.equal(learnt[name]) for name, value in head.state_dict().items())


def test_a_network_for_rows_starts_by_its_seed_and_answers_for_each_class() -> None:
    rows = torch.rand(4, 30)
    logits = wm.models.row_mlp(30, 3, seed=1)(rows)
    assert logits.shape == (4, 3)
    assert torch.equal(logits, wm.models.row_mlp(30, 3, seed=1)(rows))
    assert not torch.equal(logits, wm.models.row_mlp(30, 3, seed=2)(rows))
