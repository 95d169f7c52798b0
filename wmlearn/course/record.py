"""A learner's record: guesses, exercises, challenges, quizzes; one file in their folder, sent nowhere."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from filelock import FileLock

from ..data import files
from ..errors import DataError, require

PATIENCE = 5.0  # seconds that one notebook waits for another to finish writing


@dataclass(frozen=True)
class Guess:
    """The learner is 80 % sure that the result, in `unit`, lies in [low, high]; `result` comes later."""

    question: str
    low: float
    high: float
    result: float | None = None
    unit: str = "%"

    def __post_init__(self) -> None:
        numbers = [self.low, self.high]
        if self.result is not None:
            numbers.append(self.result)
        require(all(isinstance(number, (int, float)) for number in numbers), "a guess holds numbers", numbers)


@dataclass(frozen=True)
class Record:
    """All that is kept: by the id of a guess or an exercise, or by the number of a lesson."""

    guesses: dict[str, Guess] = field(default_factory=dict)
    solved: dict[str, str] = field(default_factory=dict)  # exercise -> the day
    challenges: dict[str, float] = field(default_factory=dict)  # lesson -> the best score
    quizzes: dict[str, int] = field(default_factory=dict)  # lesson -> the most right answers


def home() -> Path:
    """Return the learner's folder: `~/wmlearn-course`, unless WMLEARN_HOME names another."""
    return Path(os.environ.get("WMLEARN_HOME") or files.home() / "wmlearn-course").expanduser()


def path() -> Path:
    """Return where the record lies."""
    return home() / "record.json"


def load() -> Record:
    """Read the record; an empty one when there is none yet.

    Raises `DataError` when the file can't be read, or is no record.
    """
    if not path().exists():
        return Record()
    try:
        raw = json.loads(files.read(path()))
        raw["guesses"] = {id: Guess(**guess) for id, guess in raw["guesses"].items()}
        record = Record(**raw)
        assert all(isinstance(getattr(record, part.name), dict) for part in fields(Record))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, AssertionError) as error:
        fix = "The next notebook that keeps something sets it aside, and begins a new one."
        raise DataError(f"{path()} must be a learner's record, got: {error}. {fix}") from error
    return record


def update(change: Callable[[Record], Record]) -> str:
    """Apply `change` to the record on disk, whole or not at all; return "" or what went wrong, in a sentence.

    A damaged record is set aside under another name, and a new one begun. A folder that can't be written must
    not stop a lesson.
    """
    try:
        path().parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path().with_suffix(".lock"), timeout=PATIENCE):
            record, note = _mended()
            files.write(path(), _text(change(record)))
            return note
    except (OSError, DataError) as error:  # FileLock's Timeout is an OSError
        return f"Your record could not be kept in {path()}: {error} Is the folder writable, is the disk full?"


def read() -> Record:
    """Read the record; an empty one where it can't be read."""
    try:
        return load()
    except DataError:
        return Record()


def _mended() -> tuple[Record, str]:
    try:
        return load(), ""
    except DataError:
        aside = _unused(path().with_name("record.damaged.json"))
        path().replace(aside)
        return Record(), f"Your record was damaged. It lies at {aside} now, and a new one has begun."


def _unused(wanted: Path) -> Path:
    """Return `wanted`, or the first name with a number that is free."""
    number = 1
    free = wanted
    while free.exists():
        number += 1
        free = wanted.with_stem(f"{wanted.stem}-{number}")
    return free


def _text(record: Record) -> bytes:
    return json.dumps(asdict(record), indent=1, ensure_ascii=False).encode()


def with_guess(record: Record, id: str, guess: Guess) -> Record:
    """Return the record with a guess, new or instead of an older one."""
    return replace(record, guesses={**record.guesses, id: guess})


def with_solved(record: Record, id: str, day: str) -> Record:
    """Return the record with an exercise solved; the first day stays."""
    return replace(record, solved={id: day, **record.solved})


def with_challenge(record: Record, lesson: str, score: float) -> Record:
    """Return the record with the better of two scores; less is better."""
    best = min(score, record.challenges.get(lesson, score))
    return replace(record, challenges={**record.challenges, lesson: best})


def with_quiz(record: Record, lesson: str, right: int) -> Record:
    """Return the record with the better of two results of a quiz."""
    best = max(right, record.quizzes.get(lesson, 0))
    return replace(record, quizzes={**record.quizzes, lesson: best})
