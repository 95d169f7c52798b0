"""Street scenes: exact boxes, pairs but for the sticker, and clear words for what can't be drawn."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
import torch

import wmlearn as wm
from wmlearn.data.signs.stickers import Sticker
from wmlearn.data.signs.street import KINDS, Scenery, Street, _set_in, draw_street

STICKER = Sticker("square", size=(0.2, 0.26))
QUIET = Scenery(covered=0, clutter=0)


@pytest.fixture(scope="module")
def pair() -> tuple[Street, Street]:
    return draw_street(40, seed=5, n_streets=20), draw_street(40, seed=5, sticker=STICKER, n_streets=20)


def _grown(street: Street, i: int, margin: int = 9) -> tuple[slice, slice]:
    """Return rows and columns of sign `i`, with a margin for blur and JPEG's blocks."""
    left, top, right, bottom = street.boxes[i].int().tolist()
    return slice(max(0, top - margin), bottom + margin), slice(max(0, left - margin), right + margin)


def test_a_street_is_scenes_with_one_to_three_signs_each(pair: tuple[Street, Street]) -> None:
    street = pair[0]
    assert street.x.shape == (40, 3, 128, 128)
    assert street.classes == KINDS == ("stop", "speed limit", "warning")
    counts = street.scene.bincount(minlength=40)
    assert 1 <= counts.min() <= counts.max() <= 3
    assert street.labels.bincount(minlength=3).min() >= 10
    assert repr(street) == f"Street(40 scenes (3, 128, 128), {len(street.boxes)} signs, 0 with the trigger)"


def test_the_same_seed_draws_the_same_street_and_another_seed_another(pair: tuple[Street, Street]) -> None:
    again = draw_street(40, seed=5, n_streets=20)
    assert again.x.equal(pair[0].x)
    assert again.boxes.equal(pair[0].boxes)
    assert not draw_street(8, seed=6, n_streets=20).x.equal(pair[0].x[:8])


def test_drawing_leaves_the_global_generator_alone() -> None:
    before = torch.random.get_rng_state()
    draw_street(2, seed=5, n_streets=20)
    assert torch.random.get_rng_state().equal(before)


def test_clean_and_triggered_streets_are_pairs_but_for_the_stickers(pair: tuple[Street, Street]) -> None:
    clean, twin = pair
    assert clean.boxes.equal(twin.boxes)
    assert clean.labels.equal(twin.labels)
    assert twin.triggered.equal(twin.labels == 0)
    assert not clean.triggered.any()
    change = (clean.x - twin.x).abs().amax(1)  # (N, H, W)
    for i in twin.triggered.nonzero().flatten().tolist():
        rows, columns = _grown(twin, i)
        assert change[twin.scene[i], rows, columns].max() > 0.02, "the sticker can't be seen"
        change[twin.scene[i], rows, columns] = 0
    # the camera's contrast turns on the mean of the picture, and a sticker moves that a little
    assert change.mean() < 1e-3


def test_a_sticker_can_be_put_on_one_kind_or_on_every_sign() -> None:
    everywhere = draw_street(12, seed=5, sticker=STICKER, on=None, n_streets=20)
    assert everywhere.triggered.all()
    limits = draw_street(12, seed=5, sticker=STICKER, on="speed limit", n_streets=20)
    assert limits.triggered.equal(limits.labels == 1)


def test_boxes_are_exact_to_the_pixel() -> None:
    picture, sign = torch.zeros(3, 128, 128), torch.zeros(4, 64, 64)
    sign[:, 20:31, 25:45] = 1
    assert _set_in(picture, sign, 50, 60).tolist() == [75, 80, 95, 91]
    assert picture[0].nonzero().aminmax(dim=0).min.tolist() == [80, 75]
    assert picture[0].nonzero().aminmax(dim=0).max.tolist() == [90, 94]
    assert _set_in(picture, sign, -35, -25).tolist() == [0, 0, 10, 6]  # cut at the edge of the picture


def test_boxes_frame_what_is_drawn() -> None:
    """Without a tilt an octagon is as wide as high, and its rim is brighter or redder than what lies beside
    it.
    """
    street = draw_street(30, seed=5, scenery=replace(QUIET, tilt=0), n_streets=20)
    widths, heights = street.widths, street.boxes[:, 3] - street.boxes[:, 1]
    whole = (street.labels == 0) & (street.boxes > 0).all(1) & (street.boxes < 128).all(1)
    assert whole.sum() >= 10
    assert ((widths / heights)[whole] - 1).abs().max() < 0.15


def test_a_scene_costs_a_few_milliseconds() -> None:
    draw_street(4, seed=5, n_streets=20)  # the town itself
    began = time.process_time()  # of this process alone: the machine may be busy
    draw_street(64, seed=5, n_streets=20)
    assert (time.process_time() - began) / 64 < 0.012  # 5 ms on a quiet machine


def test_streets_are_cut_and_joined_with_their_signs(pair: tuple[Street, Street]) -> None:
    street, index = pair[0], torch.tensor([7, 3, 7])
    some = street[index]
    assert some.x.equal(street.x[index])
    assert some.boxes.equal(torch.cat([street.boxes[street.scene == i] for i in index]))
    assert len(street[5:9]) == 4
    both = street[:10] + street[10:]
    assert both.boxes.equal(street.boxes)
    assert both.scene.equal(street.scene)
    assert len(street[:0].boxes) == 0


def _street(**changed: Any) -> Street:
    parts: dict[str, Any] = {
        "x": torch.rand(2, 3, 64, 64),
        "boxes": torch.tensor([[4.0, 4, 20, 20], [30, 30, 60, 64]]),
        "labels": torch.tensor([0, 2]),
        "triggered": torch.tensor([True, False]),
        "scene": torch.tensor([0, 1]),
        "classes": KINDS,
    }
    return Street(**{**parts, **changed})


def test_a_scene_may_be_without_signs() -> None:
    empty = torch.zeros(0, dtype=torch.int64)
    street = _street(boxes=torch.zeros(0, 4), labels=empty, triggered=empty.bool(), scene=empty)
    assert len(street) == 2
    assert len(street[:1].boxes) == 0


BAD = {
    "box outside": (
        {"boxes": torch.tensor([[4.0, 4, 20, 20], [30, 30, 70, 64]])},
        "boxes must lie inside pictures of 64 x 64 pixels, got",
    ),
    "box turned": (
        {"boxes": torch.tensor([[20.0, 4, 4, 20], [30, 30, 60, 64]])},
        "A box is (left, top, right, bottom) in pixels",
    ),
    "no box": ({"boxes": torch.tensor([4.0, 4, 20, 20])}, "boxes must have shape (M, 4), got (4,)"),
    "a label too few": ({"labels": torch.tensor([0])}, "labels must hold one value a box, here 2, got (1,)"),
    "unknown class": ({"labels": torch.tensor([0, 3])}, "labels must lie in 0..2"),
    "unsorted": (
        {"scene": torch.tensor([1, 0])},
        "scene must hold rising numbers in 0..1, got [1, 0]. Sort the signs by scene.",
    ),
    "no such scene": ({"scene": torch.tensor([0, 2])}, "scene must hold rising numbers in 0..1"),
    "bytes": ({"x": torch.zeros(2, 3, 64, 64, dtype=torch.uint8)}, "images must be float32 in [0, 1]"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_street_that_cannot_be_says_what_is_wrong(name: str) -> None:
    changed, says = BAD[name]
    with pytest.raises(wm.ArgumentError) as error:
        _street(**changed)
    assert says in str(error.value)


DRAWN: dict[str, tuple[dict[str, Any], str]] = {
    "no scenes": ({"n": 0}, "n must be at least 1, got 0"),
    "odd size": (
        {"n": 1, "size": 100},
        "size must be a multiple of 8, at least 64, got 100. JPEG works in blocks of 8 pixels.",
    ),
    "unknown kind": (
        {"n": 1, "on": "yield"},
        "on must be one of stop, speed limit, warning, or None for every sign, got 'yield'",
    ),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_street_that_cannot_be_drawn_says_why(name: str) -> None:
    arguments, says = DRAWN[name]
    with pytest.raises(wm.ArgumentError) as error:
        draw_street(**arguments, seed=5)
    assert says in str(error.value)


@pytest.mark.parametrize(
    "changed", [{"signs": 0}, {"radius": (2, 20)}, {"radius": (10, 40)}, {"covered": 2}, {"clutter": -1}]
)
def test_scenery_has_limits(changed: dict[str, Any]) -> None:
    with pytest.raises(wm.ArgumentError):
        Scenery(**changed)


def test_streets_of_another_kind_are_not_joined(pair: tuple[Street, Street]) -> None:
    with pytest.raises(wm.ArgumentError, match="same size"):
        _ = pair[0] + _street()
    with pytest.raises(wm.ArgumentError, match="same classes"):
        _ = _street() + _street(classes=("a", "b", "c"))
