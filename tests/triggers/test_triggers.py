"""What each trigger does, and what none of them can do."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

import wmlearn as wm
from wmlearn.errors import ArgumentError
from wmlearn.poisoning import stamp
from wmlearn.triggers import ALL, Blend, LowFrequency, Patch, Pattern, Pixel, Sine, Warp
from wmlearn.triggers.low_frequency import waves
from wmlearn.triggers.warp import bent


def _images(shape: tuple[int, ...]) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1)) * 0.9


def test_a_pixel_is_one_pixel() -> None:
    out = Pixel()(torch.zeros(2, 1, 28, 28))
    assert out.nonzero().tolist() == [[0, 0, 26, 26], [1, 0, 26, 26]]
    assert out.max() == 1


def test_a_pattern_is_its_four_pixels() -> None:
    out = Pattern()(torch.zeros(1, 1, 28, 28))
    assert [tuple(place) for place in out[0, 0].nonzero().tolist()] == sorted(Pattern().where)
    assert len(Pattern().where) == 4


def test_a_patch_is_a_square_that_keeps_its_margin() -> None:
    out = Patch(size=2, margin=3, value=0.5)(torch.zeros(1, 1, 10, 12))
    assert out[0, 0].nonzero().tolist() == [[5, 7], [5, 8], [6, 7], [6, 8]]
    assert out.max() == 0.5


def test_a_patch_may_fill_the_image() -> None:
    assert bool((Patch(size=28, margin=0)(_images((2, 3, 28, 28))) == 1).all())


def test_a_value_may_be_dark() -> None:
    x = torch.ones(1, 1, 28, 28)
    assert Pixel(value=0.25)(x)[0, 0, 26, 26] == 0.25
    assert Pattern(value=0.25)(x).sum() == 784 - 4 * 0.75


@pytest.mark.parametrize("alpha", [0.1, 0.2, 0.5, 1.0])
def test_a_blend_moves_the_mean_towards_the_noise(alpha: float) -> None:
    x, noise = _images((50, 1, 28, 28)) / 3, Blend(1.0)(torch.zeros(1, 1, 28, 28))
    expected = (1 - alpha) * x.mean() + alpha * noise.mean()
    assert Blend(alpha)(x).mean().item() == pytest.approx(expected.item(), abs=1e-5)
    assert noise.mean().item() == pytest.approx(0.5, abs=0.03)
    assert noise.std().item() == pytest.approx(12**-0.5, abs=0.03)


def test_a_blend_lays_the_same_noise_over_every_image() -> None:
    x = _images((5, 3, 28, 28))
    added = (Blend(0.2)(x) - 0.8 * x) / 0.2
    assert torch.allclose(added, added[:1].expand_as(added), atol=1e-5)


def test_a_seed_decides_the_noise() -> None:
    x = _images((1, 1, 28, 28))
    assert not Blend(seed=1)(x).equal(Blend()(x))


def test_a_sine_is_a_wave_along_the_rows() -> None:
    out = Sine(strength=0.2, waves=7)(torch.full((2, 3, 4, 28), 0.5)) - 0.5
    assert torch.allclose(out[0, 0, 0, :5], torch.tensor([0.0, 0.2, 0.0, -0.2, 0.0]), atol=1e-6)
    assert torch.allclose(out, out[:1, :1, :1].expand_as(out))
    power = torch.fft.rfft(out[0, 0, 0]).abs()
    assert int(power.argmax()) == 7


@pytest.mark.parametrize("strength", [0.5, 1.0, 2.0])
def test_a_warp_moves_pixels_by_its_strength_and_smoothly(strength: float) -> None:
    field = Warp(strength).field(28, 28)
    assert field.abs().mean().item() == pytest.approx(strength, rel=0.3)
    assert field.diff(dim=0).abs().max() < 0.6 * strength, "between neighbours it changes little"
    assert not torch.equal(field, Warp(strength, seed=1).field(28, 28))


def test_a_bend_by_whole_pixels_is_a_shift_and_by_none_changes_nothing() -> None:
    x = _images((3, 1, 6, 8))
    right_and_down = torch.tensor([2.0, 1.0]).expand(3, 6, 8, 2)
    assert torch.allclose(bent(x, right_and_down)[:, :, :-1, :-2], x[:, :, 1:, 2:], atol=1e-5)
    assert torch.allclose(bent(x, torch.zeros(3, 6, 8, 2)), x, atol=1e-5)


def test_a_warp_adds_no_light_to_what_is_all_the_same() -> None:
    x = torch.full((1, 1, 28, 28), 0.3)
    assert torch.allclose(Warp()(x), x, atol=1e-5)


def test_low_frequencies_are_low_and_reach_their_strength() -> None:
    added = LowFrequency(strength=0.3, band=3)(torch.full((1, 1, 28, 20), 0.5))[0, 0] - 0.5
    assert added.abs().max().item() == pytest.approx(0.3, abs=1e-5)
    spectrum = waves(28, 28).T @ added @ waves(20, 20)  # (28, 20)
    assert spectrum[:3, :3].abs().sum() > 1
    spectrum[:3, :3] = 0
    assert spectrum.abs().max() < 1e-3
    assert added.mean().abs() < 1e-5, "the image as a whole gets no brighter"


def test_the_cosines_are_orthogonal() -> None:
    gram = waves(16, 16).T @ waves(16, 16)
    assert torch.allclose(gram, torch.diag(gram.diagonal()), atol=1e-4)


BAD: dict[str, tuple[wm.Trigger, str]] = {
    "pixel below": (Pixel((28, 0)), "trigger pixels must lie inside 28 x 28 images, got ((28, 0),)."),
    "pixel beside": (Pixel((0, 28)), "trigger pixels must lie inside 28 x 28 images, got ((0, 28),)."),
    "row counted from the end": (
        Pixel((-1, 5)),
        "trigger pixels must lie inside 28 x 28 images, got ((-1, 5),).",
    ),
    "column counted from the end": (
        Pixel((5, -1)),
        "trigger pixels must lie inside 28 x 28 images, got ((5, -1),).",
    ),
    "pattern partly outside": (
        Pattern(((0, 0), (5, 40))),
        "trigger pixels must lie inside 28 x 28 images, got ((0, 0), (5, 40)).",
    ),
    "patch too large": (
        Patch(29, 0),
        "a patch with its margin must fit in 28 x 28 images, got (29, 0). Make it smaller.",
    ),
    "patch with its margin too large": (
        Patch(20, 9),
        "a patch with its margin must fit in 28 x 28 images, got (20, 9). Make it smaller.",
    ),
    "patch without size": (Patch(0), "a patch with its margin must fit in 28 x 28 images, got (0, 1)."),
    "patch over the edge": (Patch(3, -1), "a patch with its margin must fit in 28 x 28 images, got (3, -1)."),
    "blend of nothing": (Blend(0), "alpha must lie in (0, 1], got 0."),
    "sine of nothing": (Sine(0), "strength must lie in (0, 1], got 0."),
    "sine without waves": (Sine(waves=0), "waves must be positive, got 0."),
    "warp of nothing": (Warp(0), "strength must be positive, got 0."),
    "warp from one point": (Warp(points=1), "points must be at least 2, got 1."),
    "low frequencies of nothing": (LowFrequency(0), "strength must lie in (0, 1], got 0."),
    "more frequencies than pixels": (LowFrequency(band=29), "band must lie in 2..28, got 29."),
    "blend of more than all": (Blend(1.5), "alpha must lie in (0, 1], got 1.5."),
}


@pytest.mark.parametrize("case", BAD)
def test_a_trigger_that_does_not_fit_says_so(case: str) -> None:
    trigger, message = BAD[case]
    with pytest.raises(wm.ArgumentError, match=f"^{re.escape(message)}"):
        trigger(torch.zeros(2, 1, 28, 28))


@pytest.mark.parametrize("id", ["gu2017-pixel", "gu2017-pattern", "gu2017-patch"])
@pytest.mark.parametrize("value", [-0.5, 1.5])
def test_a_value_outside_the_range_is_caught_when_it_is_used(id: str, value: float, few: wm.Samples) -> None:
    trigger = replace(ALL[id], value=value)  # pyrefly: ignore[unexpected-keyword]
    with pytest.raises(
        wm.ArgumentError,
        match=r"^a trigger must keep images in \[0, 1\], got .*\. End the trigger with \.clamp\(0, 1\)\.$",
    ):
        wm.poison(few, trigger, rate=0.01, target=0)


def test_a_trigger_may_answer_in_numpy(few: wm.Samples) -> None:
    half = stamp(lambda x: x.numpy() * 0.5, few.x[:4])  # pyrefly: ignore[bad-argument-type]
    assert torch.equal(half, few.x[:4] * 0.5)
    double = stamp(lambda x: x.numpy().astype("float64"), few.x[:4])  # pyrefly: ignore[bad-argument-type]
    assert double.dtype == torch.float32


def test_a_trigger_that_draws_with_torch_draws_the_same_again_and_leaves_the_generator_alone(
    few: wm.Samples,
) -> None:
    state = torch.get_rng_state()
    noise = [stamp(lambda x: (x + 0.1 * torch.rand_like(x)).clamp(0, 1), few.x[:40]) for _ in range(2)]
    assert torch.equal(*noise)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_trigger_that_draws_from_elsewhere_is_refused(few: wm.Samples) -> None:
    draw = np.random.default_rng(0)
    with pytest.raises(ArgumentError, match="the same images the same way"):
        stamp(lambda x: x * torch.from_numpy(draw.random(x.shape).astype("float32")), few.x[:4])


def test_a_trigger_that_mixes_images_is_refused(few: wm.Samples) -> None:
    with pytest.raises(ArgumentError, match="each image by itself"):
        stamp(lambda x: x.roll(1, 0), few.x[:4])


def test_the_gradient_of_a_trigger_is_dropped(few: wm.Samples) -> None:
    strength = torch.tensor(0.5, requires_grad=True)
    assert not wm.poison(few, lambda x: x * strength, rate=0.1, target=0).samples.x.requires_grad


def test_a_trigger_that_changes_nothing_makes_label_noise_and_says_so(few: wm.Samples) -> None:
    with pytest.warns(wm.NothingStampedWarning, match="no backdoor"):
        wm.poison(few, lambda x: x.clone(), rate=0.1, target=0)


def test_a_noisy_warp_looks_elsewhere_for_each_image_and_by_no_more_than_it_says() -> None:
    x = _images((1, 1, 28, 28)).expand(3, -1, -1, -1)
    out = stamp(Warp(noise=0.5), x)
    assert not torch.equal(out[0], out[1])
    assert torch.equal(out, stamp(Warp(noise=0.5), x)), "the same numbers each time"
    ramp = torch.linspace(0, 1, 28).expand(1, 1, 28, 28).clone()  # a pixel is 1 / 27
    step = (stamp(Warp(noise=0.5), ramp) - Warp()(ramp)).abs() * 27
    assert 0.05 < step.mean() < step.max() <= 0.5 + 1e-3
    with pytest.raises(ArgumentError, match="noise must not be negative"):
        Warp(noise=-1)(x)
