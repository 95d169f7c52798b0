"""A guess is noted, comes back beside the result, and never stops a lesson."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from displays import Shown

import wmlearn as wm
from wmlearn.course import record
from wmlearn.course.boxes import BARS

QUESTION = "Stamped digits read as 0, in per cent"


def test_a_guess_is_noted_and_comes_back_beside_the_result(shown: Shown, home: Path) -> None:
    wm.guess("02.p1", QUESTION, low=90, high=100)
    assert shown.text == "Noted: 90 to 100 %. We come back to it when the result is in."
    wm.reveal("02.p1", 0.998)
    assert (
        shown.text
        == f"You said 90 to 100 %; it is 99.8 %: inside. {QUESTION}. Your interval is 10 points wide: well"
        " judged."
    )
    assert BARS["good"] in shown.html


def test_a_guess_that_misses_is_told_kindly(shown: Shown, home: Path) -> None:
    wm.guess("02.p1", QUESTION, low=0, high=20)
    wm.reveal("02.p1", 0.998)
    assert shown.text.startswith("You said 0 to 20 %; it is 99.8 %: outside.")
    assert shown.text.endswith("20 points wide: surprises are where one learns.")


def test_a_guess_may_be_changed_and_the_bounds_belong_to_the_interval(shown: Shown, home: Path) -> None:
    wm.guess("02.p1", QUESTION, low=0, high=20)
    wm.guess("02.p1", QUESTION, low=50, high=50)
    wm.reveal("02.p1", 0.5)
    assert shown.text.startswith("You said 50 to 50 %; it is 50.0 %: inside.")


def test_a_result_on_the_bound_is_inside_whatever_floating_point_makes_of_it(
    shown: Shown, home: Path
) -> None:
    wm.guess("02.p1", QUESTION, low=29, high=50)
    wm.reveal("02.p1", 0.29)
    assert "it is 29.0 %: inside" in shown.text


def test_an_interval_that_cannot_be_wrong_is_noted_but_not_praised(shown: Shown, home: Path) -> None:
    wm.guess("02.p1", QUESTION)
    assert shown.text.startswith("Noted: 0 to 100 %. An interval this wide can't be wrong")
    wm.reveal("02.p1", 0.998)
    assert shown.text.endswith("100 points wide: too wide to be wrong; be braver next time.")
    assert BARS["todo"] in shown.html


@pytest.mark.parametrize(("low", "high"), [(-1, 50), (60, 50), (50, 101), (float("nan"), 50)])
def test_an_invalid_interval_is_not_noted(low: float, high: float, shown: Shown, home: Path) -> None:
    wm.guess("02.p1", QUESTION, low=low, high=high)
    assert shown.text.startswith("Not noted. low and high must satisfy 0 <= low <= high <= 100, got ")
    assert not home.exists()


def test_a_result_without_a_guess_asks_for_one(shown: Shown, home: Path) -> None:
    wm.reveal("02.p1", 0.998)
    assert shown.text == "No interval noted. Run the cell with your guess first."


def test_calibration_is_told_from_the_second_serious_result_on(shown: Shown, home: Path) -> None:
    for id, low, high in (("01.p1", 0, 20), ("02.p1", 90, 100), ("02.p2", 0, 100), ("03.p1", 95, 100)):
        wm.guess(id, QUESTION, low=low, high=high)
    wm.reveal("01.p1", 0.9)
    assert "So far" not in shown.text
    wm.reveal("02.p2", 0.9)  # too wide to count
    assert "So far" not in shown.text
    wm.reveal("02.p1", 0.9)
    assert shown.text.endswith("So far 1 of 2 of your intervals held; four in five would be perfect.")
    wm.reveal("03.p1", 0.96)
    assert "So far 2 of 3 of your intervals held" in shown.text


def test_a_damaged_record_stops_nothing_and_is_told(shown: Shown, home: Path) -> None:
    home.mkdir()
    record.path().write_bytes(b"\xff\xfe\x00")
    wm.reveal("02.p1", 0.998)
    assert shown.text.startswith("No interval noted")
    wm.guess("02.p1", QUESTION, low=90, high=100)
    assert shown.text.startswith(
        "Noted: 90 to 100 %. We come back to it when the result is in. Your record was"
    )
    wm.reveal("02.p1", 0.998)
    assert "inside" in shown.text


def test_a_number_of_things_is_guessed_in_their_unit(shown: Shown, home: Path) -> None:
    wm.guess("02.p2", "Images that win 90 %", low=100, high=1000, unit="images", most=60_000)
    assert shown.text == "Noted: 100 to 1,000 images. We come back to it when the result is in."
    wm.reveal("02.p2", torch.tensor(300))  # pyrefly: ignore[bad-argument-type]
    assert shown.text == (
        "You said 100 to 1,000 images; it is 300 images: inside. Images that win 90 %. "
        "Your interval: well judged."
    )


def test_a_guess_over_two_orders_of_magnitude_is_not_praised(shown: Shown, home: Path) -> None:
    wm.guess("02.p2", "Images that win 90 %", low=10, high=60_000, unit="images", most=60_000)
    assert "can't be wrong" in shown.text
    wm.guess("02.p2", "Images that win 90 %", low=10, high=60_001, unit="images", most=60_000)
    assert shown.text.startswith("Not noted. low and high must satisfy 0 <= low <= high <= 60,000, got 10")


def test_a_home_that_cannot_be_written_does_not_stop_the_lesson(
    shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("WMLEARN_HOME", str(tmp_path / "file"))
    wm.guess("02.p1", QUESTION, low=90, high=100)
    assert "could not be kept" in shown.text
    wm.reveal("02.p1", 0.998)
    assert shown.text.startswith("No interval noted")
