"""The pictures of the stop sign: what they say follows from what they are given."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from wmlearn.plots import signs as plots


def test_a_share_is_said_with_a_decimal_where_a_whole_number_would_say_too_little() -> None:
    grid = plots.Shares("drawn", ["square"], list("abcde"), [[0.0, 0.004, 0.5, 0.9962, 1.0]])
    assert plots.shares.says(grid) == "drawn. square: a 0, b 0.4, c 50, d 99.6, e 100."


@pytest.mark.parametrize(("n", "rows"), [(3, "1 row"), (4, "2 rows")])
def test_a_sheet_of_photographs_says_how_it_lies(n: int, rows: str) -> None:
    tiles = plots.Tiles(torch.rand(n, 3, 32, 32), [str(i) for i in range(n)], 3)
    says = plots.photographs.says(tiles)
    assert says.startswith(f"{n} pictures of 32 by 32 pixels in {rows}: 0, 1")
    assert plots.photographs.says(replace(tiles, note="Stop signs.")) == f"Stop signs. {says}"
