"""What a policy costs: looks once each, misses, refusals; the cheapest set of looks."""

from __future__ import annotations

import pytest

from wmlearn.errors import ArgumentError
from wmlearn.intake import LOOKS, Case, Prices, any_bad, bill, cheapest_rule

PRICES = Prices({"hash": 1, "cleanse": 5}, missed=50, refused=20)


def _case(honest: bool, hashed: str, cleanse: str) -> Case:
    return Case("k", honest, {"hash": hashed, "cleanse": cleanse})


CASES = [
    _case(True, "fine", "fine"),
    _case(True, "bad", "fine"),
    _case(False, "fine", "bad"),
    _case(False, "bad", "nothing"),
]


def test_a_bill_adds_looks_misses_and_refusals() -> None:
    found = bill(any_bad(["hash", "cleanse"]), CASES, PRICES)
    assert (found.parcels, found.missed, found.refused) == (4, 0, 1)
    assert found.looks == 6 + 1 + 6 + 1  # after a bad hash nothing more is looked at
    assert found.total == 14 + 20
    assert found.each == 34 / 4


def test_a_look_is_paid_for_once() -> None:
    assert bill(lambda look: look("hash") == look("hash"), CASES, PRICES).looks == 4


def test_who_lets_everything_in_misses_all_and_looks_at_nothing() -> None:
    found = bill(any_bad([]), CASES, PRICES)
    assert (found.looks, found.missed, found.refused, found.total) == (0, 2, 0, 100)


def test_the_cheapest_set_is_found_and_prices_decide() -> None:
    assert cheapest_rule(CASES, PRICES) == ("hash", "cleanse")
    assert cheapest_rule(CASES, Prices(PRICES.looks, missed=5, refused=200)) == ()
    assert cheapest_rule(CASES, Prices(PRICES.looks, missed=50, refused=1000)) == ("cleanse",)


def test_a_look_that_there_isnt_and_no_case_are_refused() -> None:
    with pytest.raises(ArgumentError, match="a look must be one of hash, cleanse"):
        bill(any_bad(["smell"]), CASES, PRICES)
    with pytest.raises(ArgumentError, match="cases must not be empty"):
        bill(any_bad([]), [])


def test_every_look_has_a_price() -> None:
    assert set(Prices().looks) == set(LOOKS)
