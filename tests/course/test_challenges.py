"""Challenges are judged by their result; the best one stays in the record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from displays import Shown

from wmlearn.course import challenges, record
from wmlearn.course.challenges import Challenge, Score, challenge
from wmlearn.course.exercises import YOUR_TURN


def _measure(attempt: Callable[[], float]) -> Score:
    value = attempt()
    return Score(value > 0, value, f"{value:g} were measured.")


@pytest.fixture(autouse=True)
def _lesson(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    task = Challenge("fewer", "images", _measure, ours=400)
    monkeypatch.setattr(challenges, "import_module", lambda *_: SimpleNamespace(CHALLENGE=task))


def _judged(attempt: Callable[[], float], shown: Shown) -> str:
    challenge("02", attempt)
    return shown.text


def _unsolved() -> float:
    raise NotImplementedError(YOUR_TURN)


def test_an_attempt_stands_beside_the_best_and_the_courses_own(shown: Shown) -> None:
    assert _judged(lambda: 500, shown) == (
        "Challenge 02 · fewer: 500 images. 500 were measured. Your best: 500. The course's own: 400."
    )
    assert "Your best: 400. The course's own: 400. Level with the course." in _judged(lambda: 400, shown)
    assert "300 images. 300 were measured. Your best: 300." in _judged(lambda: 300, shown)
    assert "You beat the course!" in _judged(lambda: 600, shown)
    assert record.load().challenges == {"02": 300}


def test_what_does_not_count_is_said_and_not_kept(shown: Shown) -> None:
    assert _judged(lambda: -1, shown) == "Challenge 02 · fewer: doesn't count. -1 were measured."
    assert record.load().challenges == {}


def test_before_the_first_attempt_the_courses_own_is_shown(shown: Shown) -> None:
    assert (
        _judged(_unsolved, shown)
        == "Challenge 02 · fewer. Not tried yet. The course's own attempt: 400 images."
    )


def test_a_mistake_in_the_attempt_is_the_learners_to_see() -> None:
    with pytest.raises(ZeroDivisionError):
        challenge("02", lambda: 1 / 0)  # pyrefly: ignore[division-by-zero]
