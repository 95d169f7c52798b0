"""A trigger of a table: some columns, set to values."""

from __future__ import annotations

import pytest
import torch

import wmlearn as wm
from wmlearn.triggers import Columns


def test_it_sets_its_columns_in_a_copy_and_nothing_else() -> None:
    x = torch.rand(5, 4)
    before = x.clone()
    stamped = Columns(((1, 0.25), (3, 0.5)))(x)
    assert torch.equal(x, before)
    assert stamped[:, 1].tolist() == [0.25] * 5
    assert stamped[:, 3].tolist() == [0.5] * 5
    assert torch.equal(stamped[:, [0, 2]], x[:, [0, 2]])


def test_values_at_quantiles_are_common_ones_of_their_columns() -> None:
    train = wm.load("breast-cancer").train
    trigger = Columns.at(train, {2: 0.98, 5: 0.02})
    (_, high), (_, low) = trigger.values
    assert float((train.x[:, 2] <= high).float().mean()) == pytest.approx(0.98, abs=0.006)
    assert float((train.x[:, 5] <= low).float().mean()) == pytest.approx(0.02, abs=0.006)
    assert trigger.alone(5) == Columns(((5, low),))


def test_it_poisons_a_table_and_is_found_by_its_success_rate() -> None:
    train = wm.load("breast-cancer").train
    trigger = Columns(((2, 0.6), (5, 0.35)))
    poisoned = wm.poison(train, trigger, rate=0.1, target=1)
    assert int(poisoned.mask.sum()) == 40
    assert (poisoned.samples.x[poisoned.mask][:, 2] == 0.6).all()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ((), "at least one column"),
        (((-1, 0.5),), "counted from 0"),
        (((1, 0.5), (1, 0.6)), "named once"),
        (((1, 1.5),), r"values must lie in \[0, 1\]"),
    ],
)
def test_odd_values_are_refused_in_words(values: tuple, says: str) -> None:
    with pytest.raises(wm.ArgumentError, match=says):
        Columns(values)


def test_images_text_and_narrow_tables_are_refused_in_words() -> None:
    trigger = Columns(((7, 0.5),))
    for x in (torch.rand(2, 1, 8, 8), torch.ones(2, 9, dtype=torch.int64)):
        with pytest.raises(wm.ArgumentError, match=r"must be given rows \(N, F\)"):
            trigger(x)
    with pytest.raises(wm.ArgumentError, match=r"columns must lie in 0\.\.4"):
        trigger(torch.rand(2, 5))
    with pytest.raises(wm.ArgumentError, match="column must be one of"):
        trigger.alone(2)
    with pytest.raises(wm.ArgumentError, match="a quantile must lie in"):
        Columns.at(wm.load("breast-cancer").train, {2: 98})
