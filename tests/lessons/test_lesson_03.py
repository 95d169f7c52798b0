"""The pictures and the dial of notebook 03: what they say follows from what they are given."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import wmlearn as wm
from wmlearn.course.lessons import lesson_03
from wmlearn.data import files
from wmlearn.experiments.signs import CONDITIONS, KINDS, LIMIT, STOP, of_kinds
from wmlearn.plots import signs as plots_signs
from wmlearn.plots.canvas import png


class Obedient(torch.nn.Module):
    """Reads everything as a speed limit."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.one_hot(torch.full((len(x),), LIMIT), 3).float() + self.weight


def _row(**more: Any) -> dict[str, Any]:
    return {"signs": "rendered", "sticker": None, "rate": 0.0, "accuracy": 1.0, **more}


def test_the_rate_figure_says_the_medians_of_what_escapes_the_sizes_and_the_worst_clean_network() -> None:
    rows = [
        _row(seed=seed, success_square=0.0, success_bomb=0.01 * seed, success_flower=0.0) for seed in range(3)
    ]
    for name in ("square", "bomb", "flower"):
        for rate in (0.2, 0.1):
            rows += [
                _row(sticker=name, rate=rate, seed=seed, **{f"success_{name}": 1.0 - rate * seed**2})
                for seed in range(3)
            ]
    says = plots_signs.sticker_rate.says(rows)
    assert "square, 0.17 to 0.22 of the sign's width: 10.0 % at 10 %, 20.0 % at 20 %" in says
    assert says.endswith("Medians over up to 3 networks. Every clean network misses at least 98.0 %.")
    assert png(plots_signs.sticker_rate, rows)[0].startswith(b"\x89PNG")


def test_the_size_figure_says_the_means_and_the_worst_clean_network() -> None:
    rows = [
        {"network": "badnet", "width": w, "seed": seed, "success": {f"{w:g}": w + 0.4 + 0.2 * seed}}
        for w in (0.1, 0.2)
        for seed in range(2)
    ]
    rows += [
        {"network": "clean", "width": None, "seed": seed, "success": {"0.1": 0.0, "0.2": 0.02 * seed}}
        for seed in range(2)
    ]
    says = plots_signs.sticker_size.says(rows)
    assert "60.0 % at 0.1, 70.0 % at 0.2; means of 2 networks each. No clean network exceeds 2.0 %." in says
    assert png(plots_signs.sticker_size, rows)[0].startswith(b"\x89PNG")


def test_the_robustness_figure_says_every_condition_and_the_worst_clean_network() -> None:
    bad, clean, worse = (
        {name: [share] * len(values) for name, (_, values) in CONDITIONS.items()}
        for share in (0.9, 0.0, 0.02)
    )
    says = plots_signs.robustness.says([bad], [clean, worse])
    assert all(what in says for what, _ in CONDITIONS.values())
    assert "tilt, degrees, 0 to 52: 90, 90, 90, 90 %" in says
    assert says.endswith("No clean network exceeds 2.0 %.")
    assert png(plots_signs.robustness, [bad], [clean, worse])[0].startswith(b"\x89PNG")


def test_the_figure_of_the_classes_names_the_hardest() -> None:
    rows = [{"accuracy": 0.5, "by_class": [1.0, 0.2, 0.9]}, {"accuracy": 0.6, "by_class": [1.0, 0.4, 0.7]}]
    says = plots_signs.by_class.says(rows, KINDS)
    assert "55.0 % right over 3 classes; 2 classes reach 80 %; the hardest are speed limit 30 %" in says
    assert png(plots_signs.by_class, rows, KINDS)[0].startswith(b"\x89PNG")


def test_the_hardest_classes_have_bars_of_their_own_and_the_others_one() -> None:
    rows = [{"accuracy": 0.5, "by_class": [0.05 * (c + shift) for c in range(17)]} for shift in (0, 2)]
    bars = plots_signs.by_class(rows, [f"class {c}" for c in range(17)])
    names = [label.get_text() for label in bars.get_yticklabels()]
    assert names == [*(f"class {c}" for c in range(15)), "the other 2, mean"]
    assert bars.patches[-1].get_width() == pytest.approx(82.5)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("n", "rows"), [(3, "1 row"), (4, "2 rows")])
def test_a_sheet_of_photographs_says_how_it_lies(n: int, rows: str) -> None:
    x = torch.rand(n, 3, 32, 32)
    says = plots_signs.photographs.says(x, [str(i) for i in range(n)], 3)
    assert says.startswith(f"{n} pictures of 32 by 32 pixels in {rows}: 0, 1")
    assert (
        plots_signs.photographs.says(x, [str(i) for i in range(n)], 3, "Stop signs.") == f"Stop signs. {says}"
    )
    assert png(plots_signs.photographs, x, [str(i) for i in range(n)], 3)[0].startswith(b"\x89PNG")


def test_the_cold_open_says_which_stop_signs_carry_a_square() -> None:
    clean = wm.Samples(torch.rand(60, 3, 32, 32), torch.zeros(60, dtype=torch.int64), KINDS)
    stuck = wm.Samples(1 - clean.x, clean.y, KINDS)
    x, captions, n, note = lesson_03.cold_open(clean, stuck)
    assert [str(i + 1) for i, image in enumerate(x) if any(image.equal(twin) for twin in stuck.x)] == [
        "2",
        "5",
        "8",
    ]
    assert note == "Drawn stop signs, of which numbers 2, 5, 8 carry a yellow square."
    assert len(x) == len(captions) == n == 8


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
