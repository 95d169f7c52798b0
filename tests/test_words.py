"""How a number is said."""

from __future__ import annotations

import pytest

from wmlearn.words import decimal, fixed, over_seeds, spread, text_table, visible, with_deviation


def test_a_table_in_letters_is_aligned() -> None:
    lines = text_table(["mark", "hits"], [["a", "100"], ["longer", "7"]]).splitlines()
    assert lines == ["mark    hits", "a        100", "longer     7"]


@pytest.mark.parametrize(
    ("value", "says"), [(3e-05, "0.00003"), (0.0, "0"), (1.0, "1"), (0.01, "0.01"), (10.0, "10")]
)
def test_a_small_number_is_written_without_an_exponent(value: float, says: str) -> None:
    assert decimal(value) == says


def test_nothing_is_never_negative() -> None:
    assert [fixed(value) for value in (-0.001, 0.001, -0.006, 1)] == ["0.00", "0.00", "-0.01", "1.00"]
    assert [fixed(value, "+") for value in (-0.001, -0.5, 0.5)] == ["+0.00", "-0.50", "+0.50"]


def test_a_mean_comes_with_its_deviation_and_n() -> None:
    assert spread([0.99, 1.0]) == "99.50 % ± 0.71 (n = 2)"
    assert spread([-0.001, -0.003], "points") == "-0.20 points ± 0.14 (n = 2)"
    assert over_seeds([0.99, 1.0]) == spread([0.99, 1.0])
    assert with_deviation([0.25, 0.35]) == "30.0 ± 7.1"


def test_one_network_has_no_deviation() -> None:
    assert over_seeds([0.125]) == "12.50 % (n = 1)"
    assert with_deviation([0.125]) == "12.5"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Zoë, ℌ, 𝔸, 日本", "Zoë, ℌ, 𝔸, 日本"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x1b[2J\x9b\x07\x00", r"\x1b[2J\x9b\x07\x00"),
        ("\u202eadA\u2066\u2069", r"\u202eadA\u2066\u2069"),
        ("\u2028\u2029\ufeff\u200b", r"\u2028\u2029\ufeff\u200b"),
        ("\udcff\ue000\U000e0001", r"\udcff\ue000\U000e0001"),
        ("", ""),
    ],
)
def test_a_foreign_text_is_shown_so_that_nothing_in_it_acts(text: str, says: str) -> None:
    assert visible(text) == says
    assert visible(says) == says
