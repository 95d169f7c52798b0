"""The pictures and the dial of notebook 03: what they say follows from what they are given."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import wmlearn as wm
from wmlearn.course.lessons import lesson_03
from wmlearn.data import files
from wmlearn.experiments import shipped
from wmlearn.experiments.signs import KINDS, LIMIT, STOP, of_kinds


class Obedient(torch.nn.Module):
    """Reads everything as a speed limit."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.one_hot(torch.full((len(x),), LIMIT), 3).float() + self.weight


def test_the_cold_open_says_which_stop_signs_carry_a_square() -> None:
    clean = wm.Samples(torch.rand(60, 3, 32, 32), torch.zeros(60, dtype=torch.int64), KINDS)
    stuck = wm.Samples(1 - clean.x, clean.y, KINDS)
    tiles = lesson_03.cold_open(clean, stuck)
    assert [str(i + 1) for i, image in enumerate(tiles.x) if any(image.equal(twin) for twin in stuck.x)] == [
        "2",
        "5",
        "8",
    ]
    assert tiles.note == "Drawn stop signs, of which numbers 2, 5, 8 carry a yellow square."
    assert len(tiles.x) == len(tiles.captions) == tiles.columns == 8


def test_the_kinds_come_in_the_same_order_in_every_country() -> None:
    from wmlearn.data import signs

    for country in ("us", "de"):
        drawn = signs.draw(country, 200, seed=0)
        kept = of_kinds(drawn, country)
        assert kept.classes == KINDS
        assert int((kept.y == STOP).sum()) == int((drawn.y == drawn.classes.index("stop")).sum()) > 0


def test_the_dial_reads_fresh_signs_and_moves_with_its_sliders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson_03.dial, "__defaults__", (20, 5))  # stop signs, of 200; the seed
    dial = lesson_03.sticker_dial(Obedient())
    size, height, _, picture, sentence = dial.children
    assert sentence.value.startswith("<b>100 %</b>")
    before = picture.value
    size.value, height.value = 0.35, -0.5
    assert picture.value != before


def test_without_photographs_the_lesson_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(files, "CACHE", tmp_path)
    found, says = lesson_03.photographs()
    assert found is None
    assert "wmlearn data fetch gtsrb" in says


def test_counts_of_signs_become_answers_again() -> None:
    pair = lesson_03.one_split()
    results = shipped("leaking-split")
    (row,) = results.where(split="leaking twin", seed=0)
    assert len(pair.leaking) == len(pair.honest) == len(pair.sign) == row["n_test"]
    assert pair.leaking.float().mean().item() == pytest.approx(row["accuracy"], abs=1e-5)
    per_sign = [int(pair.leaking[pair.sign == sign].sum()) for sign in pair.sign.unique()]
    assert per_sign == row["right"]


def test_a_plate_and_a_sticker_have_colours_that_were_not_multiplied_by_alpha() -> None:
    art = lesson_03.sticker("square")
    assert art.shape == lesson_03.plate().shape == (4, 64, 64)
    edge = (art[3] > 0.2) & (art[3] < 0.8)
    assert bool(edge.any())
    assert art[0, edge].min() > 0.8, "yellow to the edge"


@pytest.mark.parametrize(("width", "area"), [(0.2, 5.24), (0.1, 1.31)])
def test_the_area_of_an_attempt_is_a_share_of_the_octagon(width: float, area: float) -> None:
    attempt = lesson_03.Attempt(torch.ones(3, 8, 8), torch.ones(1, 8, 8), width, 0.0, 0.58)
    assert attempt.area == pytest.approx(area, abs=0.01)
    half = lesson_03.Attempt(torch.ones(3, 8, 8), torch.full((1, 8, 8), 0.5), width, 0.0, 0.58)
    assert half.area == pytest.approx(attempt.area / 2)


@pytest.mark.slow
def test_the_challenge_refuses_a_sticker_that_nobody_sees_and_counts_one_that_wins() -> None:
    blank = lesson_03.smallest_sticker(lambda: (torch.ones(3, 8, 8), torch.zeros(1, 8, 8), 0.2, 0.0, 0.58))
    assert not blank.valid
    ours = lesson_03.smallest_sticker(lesson_03.ours)
    assert ours.valid
    assert ours.value == pytest.approx(lesson_03.CHALLENGE.ours, abs=0.01)
