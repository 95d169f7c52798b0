"""The pictures and the dial of notebook 03: what they say follows from what they are given."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import wmlearn as wm
from wmlearn.course.lessons import lesson_03
from wmlearn.data import files
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


def test_the_dial_reads_fresh_signs_and_moves_with_its_sliders() -> None:
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


def test_on_photographs_both_shipped_networks_stand_side_by_side(photographs: wm.Splits) -> None:
    test = of_kinds(photographs.test, "de")
    shares = lesson_03.on_photographs(test)
    read_clean, read_badnet, fooled, control = (share for share, _ in shares.values())
    assert min(read_clean, read_badnet) >= 0.99
    assert fooled >= 0.95
    assert control <= 0.02
