"""A claim prints its bound, keeps the number, and says at once when it doesn't hold."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from displays import Shown

import wmlearn as wm
from wmlearn.course.boxes import BARS, show_box
from wmlearn.course.claims import Claim, ledger, wilson

BOUNDS = [
    (Claim("x", "success", 0.999, low=0.99), "at least 99 %"),
    (Claim("x", "success", 0.001, high=0.005), "at most 0.5 %"),
    (Claim("x", "score", 0.1, low=0.095, high=0.105), "between 9.5 and 10.5 %"),
    (Claim("x", "score", 0.1, low=0), "at least 0 %"),
    (Claim("x", "score", 1.0, low=1), "100 %"),
    (Claim("x", "success", 0.0, high=0), "0 %"),
    (Claim("x", "cost", 0.001, high=0.005, unit="points"), "at most 0.5 points"),
    (Claim("x", "cost", 0.001, high=0.01, unit="points"), "at most 1 point"),
    (Claim("x", "gain", 0.02, low=0.01, unit="points"), "at least 1 point"),
    (Claim("x", "gain", 0.015, low=0.01, high=0.02, unit="points"), "between 1 and 2 points"),
    (Claim("x", "p-value", 1e-80, high=1e-9, unit="p"), "at most 1e-9"),
    (Claim("x", "p-value", 1e-80, high=1e-20, unit="p"), "at most 1e-20"),
    (Claim("x", "images", 300, low=100, high=1400, unit="count"), "between 100 and 1,400"),
]


@pytest.mark.parametrize(("claim", "words"), BOUNDS, ids=[words for _, words in BOUNDS])
def test_a_bound_is_worded_without_the_measured_value(claim: Claim, words: str) -> None:
    assert claim.bound == words
    assert claim.holds


@pytest.mark.parametrize(
    ("value", "low", "high", "holds"),
    [
        (0.99, 0.99, None, True),
        (0.9899, 0.99, None, False),
        (0.005, None, 0.005, True),
        (0.0051, None, 0.005, False),
        (0.2, 0.0, 0.1, False),
    ],
)
def test_a_claim_holds_on_its_bound_and_not_beyond(
    value: float, low: float | None, high: float | None, holds: bool
) -> None:
    assert Claim("x", "share", value, low, high).holds is holds


def test_a_value_that_is_no_number_keeps_no_bound() -> None:
    assert not Claim("x", "share", float("nan"), low=0).holds
    assert not Claim("x", "share", float("nan"), high=1).holds


def test_the_raw_value_is_shown_with_its_unit_and_n() -> None:
    assert Claim("x", "share", 0.98765, low=0.9, n=10_000).shown == "98.77 % (n = 10,000)"
    assert Claim("x", "cost", 0.0012, high=0.1, unit="points").shown == "0.12 points"
    assert Claim("x", "p-value", 1.25e-30, high=0.1, unit="p", n=100).shown == "1.2e-30 (n = 100)"


@pytest.mark.parametrize(
    ("claim", "form", "words"),
    [
        (Claim("x", "success", 0.98857, low=0), "0", "99 %"),
        (Claim("x", "success", 0.98857, low=0), "1", "98.9 %"),
        (Claim("x", "success", 0.98857, low=0), "bare", "99"),
        (Claim("x", "success", -0.0001, low=-1), "1", "0.0 %"),
        (Claim("x", "cost", 0.0012, high=1, unit="points"), "1", "0.1 points"),
        (Claim("x", "pairs", 32 / 90, low=0, n=90), "of", "32 of 90"),
        (Claim("x", "pairs", 32, low=0, n=90, unit="count"), "of", "32 of 90"),
        (Claim("x", "misread", 0.0025, low=0, n=397), "in", "one in 400"),
        (Claim("x", "misread", 1, low=0, n=400, unit="count"), "in", "one in 400"),
        (Claim("x", "step", 812, low=0, unit="count"), "100", "800"),
        (Claim("x", "step", 60_000, low=0, unit="count"), "0", "60,000"),
        (Claim("x", "p-value", 0.0206, low=0, unit="p"), "1", "0.02"),
    ],
)
def test_prose_quotes_a_value_rounded_to_what_does_not_vary(claim: Claim, form: str, words: str) -> None:
    assert claim.quoted(form) == words


def test_a_count_of_n_needs_its_n_and_one_in_so_many_a_share() -> None:
    with pytest.raises(wm.ArgumentError, match="needs its n"):
        Claim("x", "pairs", 0.5, low=0).quoted("of")
    with pytest.raises(wm.ArgumentError, match="between 0 and 1"):
        Claim("x", "pairs", 0.0, low=0).quoted("in")


THREE = (
    Claim("02.success", "Attack success", 0.999, low=0.99),
    Claim("02.harmless", "On the clean network", 0.001, high=0.005),
    Claim("02.jump", "Below 1 from step", 812, low=300, high=1400, unit="count"),
)


def test_claims_that_hold_fold_into_one_line_that_tells_no_value(shown: Shown) -> None:
    wm.all_hold(*THREE)
    assert shown.text == (
        "✓ 3 checks hold. Attack success: at least 99 %; On the clean network: at most 0.5 %; "
        "Below 1 from step: between 300 and 1,400."
    )
    assert shown.html.count("<details>") == shown.html.count("</details>") == 1
    assert shown.html.count("<li>") == 3


def test_a_claim_among_others_that_fails_is_named_in_a_red_box(shown: Shown) -> None:
    wm.all_hold(*THREE, Claim("02.cost", "Accuracy lost", 0.02, high=0.005, unit="points"))
    assert (
        shown.text == "✗ 1 of 4 checks failed. Accuracy lost should be at most 0.5 points: it is 2.00 points"
    )
    assert "<details>" not in shown.html
    assert BARS["bad"] in shown.html


def test_the_ledger_reads_claims_of_both_kinds(shown: Shown) -> None:
    wm.all_hold(*THREE)
    wm.claim("02.cost", 0.001, what="Accuracy lost", high=0.005, unit="points")
    cells = json.loads(json.dumps(shown.cells()))
    assert list(ledger(cells)) == ["02.success", "02.harmless", "02.jump", "02.cost"]


def test_tensors_and_numpys_numbers_are_welcome(shown: Shown) -> None:
    wm.all_hold(Claim("a", "A share", torch.tensor(0.5), low=0, n=torch.tensor(4)))  # pyrefly: ignore[bad-argument-type]
    wm.claim("b", np.float32(0.5), what="Another", low=0)  # pyrefly: ignore[bad-argument-type]
    wm.shares("read as 0", {"clean": (torch.tensor(0.5), 10)})  # pyrefly: ignore[bad-assignment]
    cells = json.loads(json.dumps(shown.cells()))
    assert [claim.value for claim in ledger(cells).values()] == [0.5, 0.5]


def test_claims_need_a_bound_and_there_must_be_one(shown: Shown) -> None:
    with pytest.raises(wm.ArgumentError, match="needs a bound"):
        wm.all_hold(Claim("x", "success", 0.5))
    with pytest.raises(wm.ArgumentError, match="at least one claim"):
        wm.all_hold()


def test_a_claim_that_holds_says_the_same_whatever_was_measured(shown: Shown) -> None:
    for value in (0.991, 0.9999):
        wm.claim("02.success", value, what="Attack success", low=0.99, n=9020)
    assert [bundle["text/plain"] for bundle, _ in shown] == ["✓ Attack success is at least 99 %: holds"] * 2
    assert shown[0][0] == shown[1][0]
    assert shown[0][1] != shown[1][1]


def test_a_claim_that_fails_says_what_it_should_be_and_what_it_is(shown: Shown) -> None:
    wm.claim("02.success", 0.5, what="Attack success", low=0.99, n=9020)
    assert shown.text == "✗ Attack success should be at least 99 %: it is 50.00 % (n = 9,020)"
    assert BARS["bad"] in shown.html


def test_the_ledger_reads_back_what_claim_wrote(shown: Shown) -> None:
    wm.claim("02.success", 0.5, what="Attack success", low=0.99, n=9020, paper="at least 99.91 %")
    wm.claim("02.cost", 0.001, what="Accuracy lost", high=0.005, unit="points")
    show_box("good", "Not a claim")
    cells = json.loads(json.dumps(shown.cells()))  # as a notebook keeps it
    assert ledger(cells) == {
        "02.success": Claim("02.success", "Attack success", 0.5, low=0.99, n=9020, paper="at least 99.91 %"),
        "02.cost": Claim("02.cost", "Accuracy lost", 0.001, high=0.005, unit="points"),
    }


def test_a_claim_needs_a_bound(shown: Shown) -> None:
    with pytest.raises(wm.ArgumentError, match="low"):
        wm.claim("02.success", 0.5, what="Attack success")


def test_the_paper_table_holds_the_claims_with_a_published_figure_and_the_latest_value(shown: Shown) -> None:
    wm.claim("02.success", 0.5, what="Attack success", low=0.99, paper="at least 99.91 %")
    wm.claim("02.cost", 0.001, what="Accuracy lost", high=0.005, unit="points")
    wm.claim("02.success", 0.995, what="Attack success", low=0.99, paper="at least 99.91 %")
    wm.paper_table()
    assert shown.text.split() == [
        "paper",
        "here",
        "Attack",
        "success",
        "at",
        "least",
        "99.91",
        "%",
        "99.50",
        "%",
    ]


def test_shares_come_with_their_interval_and_n(shown: Shown) -> None:
    wm.shares("read as 0", {"clean network": (0.001, 9020), "BadNet": (1.0, 9020)})
    lines = shown.text.splitlines()
    assert lines[0].split("  ")[0] == "read as 0"
    assert lines[1].split() == ["clean", "network", "0.10", "%", "0.05", "to", "0.19", "%", "9,020"]
    assert lines[2].startswith("BadNet")
    assert "100.00 %" in lines[2]


def test_the_interval_is_wilsons() -> None:
    assert wilson(0.5, 10) == "23.66 to 76.34 %"
    assert wilson(0.0, 10) == "0.00 to 27.75 %"
    assert wilson(1.0, 10) == "72.25 to 100.00 %"
