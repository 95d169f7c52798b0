"""The signs as they are drawn: complete tables, textures that a camera can use, and no two signs alike."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from wmlearn.data.signs import de, se, us
from wmlearn.data.signs.letters import GLYPHS, strokes
from wmlearn.data.signs.pen import BLACK, RED, WHITE, Pen, Style
from wmlearn.data.signs.plates import Sign, textures

TABLES = {"us": us.SIGNS, "se": se.SIGNS, "de": de.SIGNS}
KINDS = {
    "us": {"stop", "speed limit", "warning"},
    "se": {"information", "mandatory", "prohibitory", "warning", "other"},
    "de": {"stop", "speed limit", "warning", "other"},
}
AT_LEAST = {"us": 18, "se": 26, "de": 43}
INKED = Style(weight=1.1)


@pytest.fixture(params=TABLES, name="country")
def _country(request: pytest.FixtureRequest) -> str:
    return request.param


def _one(signs: tuple[Sign, ...]) -> Tensor:
    """One variant of every sign, (S, 4, 64, 64)."""
    return textures(signs, variants=1)[:, 0]


def test_every_table_has_its_size_its_kinds_and_names_of_its_own(country: str) -> None:
    signs = TABLES[country]
    assert len(signs) >= AT_LEAST[country]
    assert {sign.kind for sign in signs} == KINDS[country]
    assert len({sign.name for sign in signs}) == len(signs)


def test_the_german_table_follows_the_benchmark() -> None:
    kinds = [sign.kind for sign in de.SIGNS]
    assert len(de.SIGNS) == 43
    assert [i for i, kind in enumerate(kinds) if kind == "stop"] == [14]
    assert [i for i, kind in enumerate(kinds) if kind == "speed limit"] == list(range(9))
    assert [i for i, kind in enumerate(kinds) if kind == "warning"] == [11, *range(18, 32)]
    assert [de.SIGNS[i].name for i in (0, 8, 13, 25, 39)] == [
        "speed limit 20",
        "speed limit 120",
        "yield",
        "road works",
        "keep left",
    ]


def test_textures_are_premultiplied_pictures_with_empty_corners(country: str) -> None:
    drawn = textures(TABLES[country], variants=2)
    assert drawn.shape == (len(TABLES[country]), 2, 4, 64, 64)
    assert drawn.dtype == torch.float32
    assert 0 <= drawn.min() <= drawn.max() <= 1
    assert bool((drawn[:, :, :3] <= drawn[:, :, 3:]).all())
    assert bool((drawn[..., 32, 32][:, :, 3] == 1).all())  # the middle belongs to the sign
    assert bool((drawn[..., 0, 0] == 0).all())


def test_textures_repeat_with_their_seed_and_differ_without_it(country: str) -> None:
    signs = TABLES[country]
    first = textures(signs, variants=2, seed=3).clone()
    textures.cache_clear()
    assert textures(signs, variants=2, seed=3).equal(first)
    assert not textures(signs, variants=2, seed=4).equal(first)


def test_textures_are_drawn_once() -> None:
    assert textures(us.SIGNS, variants=1) is textures(us.SIGNS, variants=1)


def test_variants_of_a_sign_differ_but_less_than_signs_do(country: str) -> None:
    drawn = textures(TABLES[country], variants=2)
    between = (drawn[:, 0] - drawn[:, 1]).abs().mean(dim=(1, 2, 3))
    assert bool((between > 0).all())
    signs = torch.cdist(drawn[:, 0].flatten(1), drawn[:, 0].flatten(1), p=1) / drawn[0, 0].numel()
    assert between.median() < signs.flatten().median()


def test_no_two_signs_of_a_table_are_nearly_the_same(country: str) -> None:
    # at 32 pixels, the size of a photograph
    flat = torch.nn.functional.avg_pool2d(_one(TABLES[country]), 2).flatten(1)
    apart = torch.cdist(flat, flat) + 100 * torch.eye(len(flat))
    assert apart.min() > 1


def test_a_german_stop_sign_is_a_red_octagon() -> None:
    alpha, red, green = _one(de.SIGNS)[14][[3, 0, 1]]
    assert alpha.mean() == pytest.approx(0.83 * 0.97**2, abs=0.03)  # an octagon covers 0.83 of its square
    assert red.sum() > 1.5 * green.sum()
    assert red[6, 32] > 3 * green[6, 32]  # between the word and the border


def test_a_german_yield_sign_has_more_plate_above_than_below() -> None:
    alpha = _one(de.SIGNS)[13][3]
    assert alpha[:32].sum() > 2 * alpha[32:].sum()


def test_a_german_warning_stands_the_other_way_up() -> None:
    alpha = _one(de.SIGNS)[18][3]
    assert alpha[32:].sum() > 2 * alpha[:32].sum()


def test_a_priority_road_is_yellow_in_the_middle_and_white_about_it() -> None:
    red, green, blue, alpha = _one(de.SIGNS)[12]
    assert red[32, 32] > green[32, 32] > 2 * blue[32, 32]
    assert blue[32, 8] > 0.9
    assert alpha[4, 4] == 0


def test_mirrored_signs_are_mirror_images() -> None:
    left, right = Pen(INKED), Pen(INKED)
    de.SIGNS[19].draw(left)
    de.SIGNS[20].draw(right)
    assert (left.texture() - right.texture().flip(-1)).abs().mean() < 0.01


def test_a_pen_moves_turns_mirrors_and_stretches() -> None:
    pen = Pen()
    pen.at(0.5, 0).box(-0.2, -0.2, 0.2, 0.2, RED)
    alpha = pen.texture()[3]
    assert alpha[32, 47] == 1
    assert alpha[32, 16] == 0
    turned = Pen()
    turned.at(0, 0, turn=torch.pi / 2).at(0.5, 0, 0.5, mirror=True).box(-0.4, -0.4, 0.4, 0.4, RED)
    assert turned.texture()[3, 47, 32] == 1  # a quarter turn clockwise: what lay to the right lies below
    tall = Pen()
    tall.at(0, 0, 0.5, tall=1.5).disc(0, 0, 1, RED)
    shape = tall.texture()[3]
    assert shape.amax(0).sum() == pytest.approx(31, abs=1.5)
    assert shape.amax(1).sum() == pytest.approx(46.6, abs=1.5)


@pytest.mark.parametrize("font", ["strokes", "DejaVuSans-Bold.ttf", "Aileron"])
def test_text_fills_its_box_in_every_font(font: str) -> None:
    pen = Pen(Style(font=font))
    pen.text("80", 0, 0, 1.0, 1.2, BLACK)
    ink = pen.texture()[3]
    assert ink.amax(1).sum() == pytest.approx(0.5 * 62, abs=2.5)
    assert ink.amax(0).sum() == pytest.approx(0.6 * 62, abs=6)  # less the gap between the digits


def test_letters_stay_in_their_box_and_every_text_on_a_plate_can_be_set() -> None:
    for letter in GLYPHS:
        points = [point for stroke in strokes(f"T{letter}T", 2.0, 1.0) for point in stroke]
        assert all(abs(x) <= 1.03 and abs(y) <= 0.53 for x, y in points), letter
    assert not set("STOP SPEED LIMIT 0123456789".replace(" ", "")) - set(GLYPHS)


def test_drawing_leaves_the_canvas_of_another_pen_alone() -> None:
    one, other = Pen(), Pen()
    one.disc(0, 0, 1, WHITE)
    assert other.texture().max() == 0
