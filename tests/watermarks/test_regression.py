"""Rows drawn for keys, and a key for numbers: its null is exact, whatever an innocent answers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from scipy.stats import binom
from sklearn.ensemble import RandomForestRegressor

import wmlearn as wm
from wmlearn.data import tables
from wmlearn.models import answering
from wmlearn.watermarks import Lounici2021, NumberKey, odd_rows, rows

SECRET = b"sixteen bytes of it"


@pytest.fixture(scope="module")
def owned() -> tables.Measured:
    return tables.diabetes().train


def test_plausible_rows_hold_seen_values_that_no_row_holds_together() -> None:
    samples = wm.load("breast-cancer").train
    found = rows(SECRET, 200, samples)
    assert torch.equal(found, rows(SECRET, 200, samples))
    assert not torch.equal(found, rows(SECRET + b"!", 200, samples))
    for column in range(30):
        assert torch.isin(found[:, column], samples.x[:, column]).all()
    assert not (found[:, None] == samples.x).all(2).any()


def test_odd_rows_leave_what_was_seen() -> None:
    samples = wm.load("breast-cancer").train
    found = odd_rows(SECRET, 400, samples)
    seen = ((found >= 1 / 3) & (found <= 2 / 3)).float().mean()
    assert abs(float(seen) - 1 / 3) < 0.02


def test_rows_are_drawn_for_tables_only() -> None:
    images = wm.Samples(torch.rand(4, 1, 2, 2), torch.arange(4) % 2, ("a", "b"))
    for draw in (rows, odd_rows):
        with pytest.raises(wm.ArgumentError, match=r"rows must have shape \(N, F\)"):
            draw(SECRET, 3, images)


def test_a_forest_holds_the_key_for_numbers_and_an_innocent_does_not(owned: tables.Measured) -> None:
    scheme = Lounici2021(n=60)
    key = scheme.keygen(owned, secret=SECRET)
    both = scheme.lesson(owned, key)
    assert len(both) == 300 + 5 * 60
    forests = [
        RandomForestRegressor(40, random_state=1).fit(part.x.numpy(), part.y.numpy())
        for part in (owned, both)
    ]
    innocent, marked = (scheme.verify(answering(forest), key) for forest in forests)
    assert marked.hits == 60
    assert wm.judge(marked, alpha=1e-6).owned
    assert not wm.judge(innocent).owned
    assert marked.chance == pytest.approx(0.1)


@pytest.mark.parametrize("answer", [0.5, 0.0, 1.0, 0.03, 2.0])
def test_no_answer_hits_more_often_than_the_chance(owned: tables.Measured, answer: float) -> None:
    """20,000 keys' numbers against one fixed answer, given as a share of the range."""
    key = Lounici2021(n=20_000).keygen(owned, secret=SECRET)
    said = torch.full_like(key.y, key.low + answer * (key.high - key.low))
    hits = Lounici2021(n=20_000).verify(lambda x: said, key).hits
    assert binom.sf(hits - 1, 20_000, key.chance) > 1e-4
    if answer == 0.5:
        assert binom.cdf(hits, 20_000, key.chance) > 1e-4
    if answer == 2.0:
        assert hits == 0


def test_a_suspect_that_answers_nonsense_misses_or_is_refused(owned: tables.Measured) -> None:
    scheme = Lounici2021(n=10)
    key = scheme.keygen(owned)
    assert scheme.verify(lambda x: torch.full((10,), float("nan")), key).hits == 0
    for wrong in (lambda x: torch.zeros(10, 2), lambda x: 3.0, lambda x: torch.zeros(4)):
        with pytest.raises(wm.ArgumentError, match="one number a row"):
            scheme.verify(wrong, key)  # pyrefly: ignore[bad-argument-type]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda owned: Lounici2021(n=0), "n must be at least 1"),
        (lambda owned: Lounici2021(tolerance=0.5), "tolerance must lie in"),
        (lambda owned: Lounici2021(repeats=0), "repeats must be at least 1"),
        (lambda owned: Lounici2021().keygen(owned[:0]), "the owner must have rows"),
        (lambda owned: Lounici2021().keygen(owned[:1]), "numbers must have a range"),
        (lambda owned: NumberKey(SECRET, owned.x[:2], owned.y[:3], 0, 1, 0.1), "one number a row"),
    ],
)
def test_odd_settings_are_refused_in_words(owned: tables.Measured, make: Any, says: str) -> None:
    with pytest.raises(wm.ArgumentError, match=says):
        make(owned)


def test_a_key_of_another_table_is_refused_and_none_shows_its_secret(owned: tables.Measured) -> None:
    key = Lounici2021(n=10).keygen(owned, secret=SECRET)
    narrow = tables.Measured(owned.x[:, :4], owned.y, owned.scale)
    with pytest.raises(wm.ArgumentError, match="must have 4 columns"):
        Lounici2021(n=10).lesson(narrow, key)
    assert "sixteen" not in repr(key)
