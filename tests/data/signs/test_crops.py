"""Signs, stickers and the camera: the same again for the same seed, pairs that differ in the sticker only,
and physics that holds.
"""

from __future__ import annotations

import io
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

import wmlearn as wm
from wmlearn.data import signs
from wmlearn.data.signs import backgrounds, camera
from wmlearn.data.signs.dice import Dice
from wmlearn.data.signs.stickers import Kind

SQUARE = wm.triggers.Sticker("square")
STILL = signs.Camera(
    shift=0,
    tilt=0,
    roll=0,
    light=(1, 1),
    behind=(1, 1),
    white_sky=0,
    paint=0,
    weather=0,
    blur=0,
    noise=0,
    jpeg=(100, 100),
)


def _same(a: wm.Samples, b: wm.Samples) -> bool:
    return torch.equal(a.x, b.x) and torch.equal(a.y, b.y) and a.classes == b.classes


@pytest.mark.parametrize("country", signs.COUNTRIES)
def test_the_same_seed_draws_the_same_photographs_and_another_seed_others(country: str) -> None:
    first, again, other = (signs.draw(country, 70, seed=seed) for seed in (0, 0, 1))
    assert first.x.shape == (70, 3, 32, 32)
    assert _same(first, again)
    assert not torch.equal(first.x, other.x)


def test_more_photographs_of_a_seed_still_stand_on_the_same_streets() -> None:
    few, more = backgrounds.patches(20, 64, 0, 4), backgrounds.patches(30, 64, 0, 4)
    rows = torch.tensor([17, 3, 17])
    assert torch.equal(few[rows], more[torch.arange(30)][rows])
    assert few.cut == {3, 17}, "what nobody asks for isn't cut"
    assert not torch.equal(few[torch.tensor([3])], few[torch.tensor([17])])
    assert not torch.equal(backgrounds.streets(3, 5), backgrounds.streets(3, 6))


def test_streets_that_were_drawn_in_inference_mode_serve_outside_of_it_too() -> None:
    with torch.inference_mode():
        signs.draw("us", 2, seed=4711)
    assert signs.draw("us", 70, seed=4711).x.shape == (70, 3, 32, 32)


def test_pictures_are_of_the_size_asked_for() -> None:
    assert signs.draw("us", 3, seed=0, size=64).x.shape == (3, 3, 64, 64)


def test_kinds_are_equally_frequent_or_else_the_signs_are() -> None:
    kinds = signs.kinds("us")
    drawn = signs.draw("us", 1500, seed=0, size=8)
    stops = (drawn.y == drawn.classes.index("stop")).float().mean().item()
    assert abs(stops - 1 / len(set(kinds.values()))) < 0.05
    drawn = signs.draw("us", 1500, seed=0, size=8, by_kind=False)
    assert abs((drawn.y == drawn.classes.index("stop")).float().mean().item() - 1 / len(kinds)) < 0.03
    assert drawn.y.unique().tolist() == list(range(len(drawn.classes)))


@pytest.mark.parametrize("kind", ["square", "bomb", "flower"])
def test_clean_and_stickered_photographs_are_pairs(kind: Kind) -> None:
    clean = signs.draw("us", 64, seed=1, camera=STILL)
    twin = signs.draw("us", 64, seed=1, camera=STILL, sticker=signs.Sticker(kind, x=(0, 0), y=(0.5, 0.5)))
    assert torch.equal(clean.y, twin.y)
    changed = ((clean.x - twin.x).abs() > 0.02).any(1)
    assert bool(changed.flatten(1).any(1).all()), "every sign carries its sticker"
    assert changed[:, :16].float().mean() < 0.01, "nothing changes above the middle"
    assert changed.float().mean() < 0.12


def test_a_sticker_is_as_wide_as_it_says() -> None:
    still = replace(STILL, half=(0.45, 0.45))
    big = signs.Sticker("square", size=(0.4, 0.4), x=(0, 0), y=(0, 0), turn=(0, 0))
    clean, twin = (signs.draw("us", 8, seed=0, camera=still, sticker=s, size=64).x for s in (None, big))
    covered = (clean - twin).abs().amax((0, 1)) > 0.2
    width = int(covered.any(0).sum())
    assert abs(width - 0.4 * 0.9 * 64) <= 3


def test_a_design_of_ones_own_is_stuck_on_like_a_sticker() -> None:
    art = signs.stickers.picture("square")
    alpha = art[3:]
    own = signs.Design(
        (art[:3] / alpha.clamp_min(1e-3)).clamp(0, 1), alpha, (0.2, 0.2), (0, 0), (0.5, 0.5), (0, 0)
    )
    sticker = signs.Sticker("square", size=(0.2, 0.2), x=(0, 0), y=(0.5, 0.5), turn=(0, 0))
    drawn, twin = (signs.draw("us", 8, seed=0, sticker=s).x for s in (own, sticker))
    assert torch.allclose(drawn, twin, atol=1 / 200)


def test_what_hangs_over_the_edge_of_a_plate_is_cut_off() -> None:
    plate = torch.zeros(1, 4, 64, 64)
    plate[..., 16:48, 16:48] = 1.0
    from wmlearn.data.signs.stickers import paste

    out = paste(plate, signs.Sticker("square", size=(0.5, 0.5), x=(0.5, 0.5), y=(0.5, 0.5)), Dice.of(0))
    assert torch.equal(out[:, 3], plate[:, 3])


# On photographs


def test_a_sticker_on_photographs_is_a_trigger_like_any_other() -> None:
    x = torch.rand(6, 3, 32, 32)
    before = x.clone()
    out = SQUARE(x)
    assert torch.equal(x, before)
    assert out.shape == x.shape
    assert 0 <= out.min() <= out.max() <= 1
    assert torch.equal(SQUARE(x), out), "the same for every call"
    changed = (out != x).any(1)
    assert 0 < changed.float().mean() < 0.1
    assert not changed[:, :16].any()


def test_a_sticker_is_as_dark_as_its_photograph() -> None:
    day, night = torch.full((1, 3, 32, 32), 0.9), torch.full((1, 3, 32, 32), 0.1)
    fixed = signs.Sticker("square", size=(0.4, 0.4), x=(0, 0), y=(0.5, 0.5), turn=(0, 0))
    bright, dark = fixed(day)[0, 0, 22, 16].item(), fixed(night)[0, 0, 22, 16].item()
    assert bright == pytest.approx(0.9, abs=0.05)
    assert dark == pytest.approx(0.1, abs=0.02)


def test_a_grey_image_cannot_carry_a_sticker() -> None:
    message = "a sticker needs colour photographs, (N, 3, H, W), got (2, 1, 28, 28)."
    with pytest.raises(wm.ArgumentError, match=f"^{re.escape(message)}$"):
        SQUARE(torch.zeros(2, 1, 28, 28))


# The camera


def test_compression_loses_what_a_real_jpeg_encoder_loses() -> None:
    picture = backgrounds.streets(2, 0)[0, :, :64, :64]
    raw = picture.permute(1, 2, 0).numpy()
    for quality in (30, 60, 90):
        buffer = io.BytesIO()
        Image.fromarray(raw).save(buffer, "JPEG", quality=quality, subsampling=0)
        real = torch.from_numpy(np.asarray(Image.open(buffer)).copy()).permute(2, 0, 1).float() / 255
        ours = camera.compressed(picture[None].float() / 255, torch.tensor([float(quality)])).clamp(0, 1)[0]
        lost = (real - picture.float() / 255).abs().mean()
        assert (ours - real).abs().mean() < 0.25 * lost + 0.003


def test_blur_keeps_the_light_and_more_of_it_is_softer() -> None:
    x = torch.zeros(2, 3, 15, 15)
    x[:, :, 7, 7] = 1.0
    out = camera.blurred(x, torch.tensor([0.5, 1.2]), torch.zeros(2), torch.zeros(2))
    assert torch.allclose(out.sum((2, 3)), torch.ones(2, 3), atol=1e-4)
    assert out[0].max() > out[1].max()


def test_motion_draws_a_point_out_into_a_line() -> None:
    x = torch.zeros(1, 1, 15, 15)
    x[..., 7, 7] = 1.0
    out = camera.blurred(x, torch.tensor([0.4]), torch.tensor([4.0]), torch.tensor([0.0]))[0, 0]
    assert out[7, 5] > 10 * out[5, 7]


def test_a_sign_seen_from_the_front_stays_where_it_is() -> None:
    plate = torch.rand(1, 4, 32, 32)
    front = camera.pose(1, Dice.of(0), tilt=0, roll=0)
    half = torch.tensor([16.0])
    assert torch.allclose(camera.project(plate, front, 32, half, half, half), plate, atol=1e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: signs.draw("fr", 5, seed=0), "the country must be one of us, se, de, got 'fr'."),
        (lambda: signs.draw("us", 0, seed=0), "n must be at least 1, got 0."),
        (
            lambda: signs.draw("us", 5, seed=0, size=30),
            "size must be a multiple of 8, got 30. JPEG works in blocks of 8 pixels.",
        ),
        (
            lambda: signs.Camera(light=(2, 1)),
            "light must be a range of positive numbers, low first, got (2, 1).",
        ),
        (lambda: signs.Camera(jpeg=(5, 200)), "jpeg must lie in 1..100, got (5, 200)."),
        (lambda: signs.Camera(tilt=2), "tilt must lie in 0..1.2 radians, got 2."),
        (
            lambda: signs.Sticker("star"),  # pyrefly: ignore[bad-argument-type]
            "the sticker must be one of square, bomb, flower, blue square, got 'star'.",
        ),
        (
            lambda: signs.Design(torch.zeros(3, 8, 8), torch.zeros(8, 8)),
            "a design needs a picture (3, T, T) and an alpha (1, T, T), got ((3, 8, 8), (8, 8)).",
        ),
        (
            lambda: signs.Design(torch.full((3, 8, 8), 2.0), torch.zeros(1, 8, 8)),
            "picture and alpha must lie in [0, 1], got (0.0, 2.0).",
        ),
        (
            lambda: signs.Sticker(size=(0.5, 1.5)),
            "size must lie in (0, 1] of the sign's width, got (0.5, 1.5).",
        ),
        (lambda: signs.Sticker(y=(0.9, 5)), "y must lie on the sign, in -1..1, got (0.9, 5)."),
        (lambda: signs.Sticker(turn=(0, float("inf"))), "turn must be finite, in radians, got (0, inf)."),
        (
            lambda: signs.Sticker(sign=-3),
            "sign must lie in (0, 0.5]: half the sign's width, as a share of the picture's, got -3.",
        ),
        (
            lambda: signs.draw("us", 5, seed=0, sticker="square"),  # pyrefly: ignore[bad-argument-type]
            (
                "sticker must be a Sticker, or None, got 'square'. Write Sticker(kind), with kind one of"
                " square, bomb, flower, blue square."
            ),
        ),
        (
            lambda: signs.draw_street(5, seed=0, sticker="heart"),  # pyrefly: ignore[bad-argument-type]
            (
                "sticker must be a Sticker, or None, got 'heart'. Write Sticker(kind), with kind one of"
                " square, bomb, flower, blue square."
            ),
        ),
        (
            lambda: signs.Sticker(x=(1, 0)),
            "x must be a range, low first, got (1, 0). Give the same number twice for a fixed one.",
        ),
    ],
)
def test_bad_input_is_refused_with_the_rule_and_the_remedy(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(wm.ArgumentError, match=f"^{re.escape(message)}$"):
        make()


# Twins


def test_poison_takes_the_twins_of_the_rows_it_picks() -> None:
    clean, twin = (signs.draw("us", 90, seed=1, sticker=s) for s in (None, SQUARE))
    stop = clean.classes.index("stop")
    poisoned = wm.poison(clean, twin.x, rate=0.5, source=stop, target=1)
    assert torch.equal(poisoned.samples.x[poisoned.mask], twin.x[poisoned.mask])
    assert torch.equal(poisoned.samples.x[~poisoned.mask], clean.x[~poisoned.mask])
    assert set(clean.y[poisoned.mask].tolist()) == {stop}
    assert set(poisoned.samples.y[poisoned.mask].tolist()) == {1}


def test_twins_of_other_samples_are_refused() -> None:
    clean = signs.draw("us", 8, seed=1)
    message = (
        "twins must have the shape of their samples, (8, 3, 32, 32), got (7, 3, 32, 32). Draw them with the"
        " same n and seed."
    )
    with pytest.raises(wm.ArgumentError, match=re.escape(message)):
        wm.poison(clean, clean.x[:7], rate=0.2, target=0)


def test_success_can_be_counted_in_one_class_only() -> None:
    x, y = torch.zeros(6, 1, 2, 2), torch.tensor([0, 0, 1, 1, 2, 2])
    x[1:4] = 1.0
    samples = wm.Samples(x, y, ("a", "b", "c"))

    class Bright(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.one_hot((x.mean((1, 2, 3)) > 0.5).long() * 2, 3).float()

    assert wm.success_rate(Bright(), samples, torch.clone, 2) == 0.75
    assert wm.success_rate(Bright(), samples, torch.clone, 2, source=0) == 0.5
    assert wm.success_rate(Bright(), samples, x, 2, source=1) == 1.0
    with pytest.raises(wm.ArgumentError, match="outside the target class and in class 2, got 'none of 6'"):
        wm.success_rate(Bright(), samples, torch.clone, 2, source=2)
