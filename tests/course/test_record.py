"""A learner's record: whole or not at all, set aside when damaged, and never a reason to stop a lesson."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from wmlearn.course import record
from wmlearn.course.record import Guess, Record
from wmlearn.data import files
from wmlearn.errors import DataError


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WMLEARN_HOME", str(tmp_path))


def test_what_is_kept_is_read_again() -> None:
    guess = Guess("How many?", 10, 20)
    assert record.update(lambda kept: record.with_guess(kept, "02.p1", guess)) == ""
    assert record.update(lambda kept: record.with_solved(kept, "02.1", "2026-11-28")) == ""
    assert record.load() == Record(guesses={"02.p1": guess}, solved={"02.1": "2026-11-28"})


def test_the_first_day_the_best_score_and_the_best_quiz_stay() -> None:
    for day, score, right in (("2026-01-01", 300.0, 2), ("2026-01-02", 400.0, 1)):
        record.update(lambda kept, day=day: record.with_solved(kept, "02.1", day))
        record.update(lambda kept, score=score: record.with_challenge(kept, "02", score))
        record.update(lambda kept, right=right: record.with_quiz(kept, "02", right))
    kept = record.load()
    assert (kept.solved, kept.challenges, kept.quizzes) == ({"02.1": "2026-01-01"}, {"02": 300.0}, {"02": 2})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"guesses": []}',
        '{"guesses": {"a": 1}}',
        '{"guesses": {}, "other": 1}',
        '{"guesses": {}, "solved": 3}',
    ],
)
def test_a_damaged_record_is_set_aside_and_a_new_one_begun(text: str, tmp_path: Path) -> None:
    record.path().write_text(text)
    with pytest.raises(DataError, match="must be a learner's record"):
        record.load()
    assert record.read() == Record()
    note = record.update(lambda kept: record.with_quiz(kept, "02", 3))
    aside = tmp_path / "record.damaged.json"
    assert note == f"Your record was damaged. It lies at {aside} now, and a new one has begun."
    assert aside.read_text() == text
    assert record.load().quizzes == {"02": 3}


def test_two_damaged_records_are_both_kept(tmp_path: Path) -> None:
    for text in ("one", "two"):
        record.path().write_text(text)
        record.update(lambda kept: kept)
    assert [path.read_text() for path in sorted(tmp_path.glob("record.damaged*"))] == ["two", "one"]


def test_a_crash_while_writing_leaves_the_old_record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    record.update(lambda kept: record.with_quiz(kept, "02", 3))

    def full(self: Path, content: bytes) -> int:
        with open(self, "wb") as file:
            file.write(content[:5])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    note = record.update(lambda kept: record.with_quiz(kept, "03", 1))
    assert "could not be kept" in note
    assert "No space left on device" in note
    assert record.load().quizzes == {"02": 3}
    assert not list(tmp_path.glob(".record*"))


def test_a_home_that_is_a_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WMLEARN_HOME", str(tmp_path / "file"))
    assert "could not be kept" in record.update(lambda kept: kept)
    assert record.read() == Record()


def test_notebooks_that_write_at_once_lose_nothing(at_once: Callable[..., list[str]]) -> None:
    code = (
        "import sys; from wmlearn.course import record\n"
        "for i in range(20):\n"
        "    record.update(lambda kept: record.with_solved(kept, f'{sys.argv[1]}.{i}', 'today'))"
    )
    at_once(code, ["01"], ["02"])
    assert len(record.load().solved) == 40


def test_the_record_is_a_file_that_people_can_read() -> None:
    record.update(
        lambda kept: record.with_guess(kept, "02.p1", Guess("Wie viele Ziffern?", 1, 2, unit="Bilder"))
    )
    text = files.read(record.path()).decode()
    assert json.loads(text)["guesses"]["02.p1"]["question"] == "Wie viele Ziffern?"
