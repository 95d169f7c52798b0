"""Write an interval down before the result, and see afterwards how calibrated you were.

The intervals are kept in a small local file, and sent nowhere.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..data import files
from ..errors import DataError, require
from .boxes import show_box

TOO_WIDE = 90  # points; an interval of more can hardly be wrong


@dataclass(frozen=True)
class Guess:
    """The learner is 80 % sure that the result, in per cent, lies in [low, high]; `result` comes later."""

    question: str
    low: float
    high: float
    result: float | None = None

    def __post_init__(self) -> None:
        numbers = [self.low, self.high]
        if self.result is not None:
            numbers.append(self.result)
        require(all(isinstance(number, int | float) for number in numbers), "a guess holds numbers", numbers)

    @property
    def hit(self) -> bool:
        """Whether the result is in, and inside."""
        return self.result is not None and self.low <= self.result <= self.high

    @property
    def serious(self) -> bool:
        """Whether the interval could have been wrong."""
        return self.high - self.low <= TOO_WIDE


def guess(id: str, question: str, *, low: float = 0, high: float = 100) -> None:
    """Keep an interval in per cent for later."""
    if not 0 <= low <= high <= 100:
        rule = "low and high must satisfy 0 <= low <= high <= 100"
        return show_box("bad", "Not noted", f"{rule}, got {low:g} and {high:g}.")
    interval = Guess(question, low, high)
    _save({**_load(), id: interval})
    title = f"Noted: {low:g} to {high:g} %"
    if not interval.serious:
        advice = "An interval this wide can't be wrong, and says nothing. Narrow it, and run the cell again."
        return show_box("todo", title, advice)
    show_box("good", title, "We come back to it when the result is in.")


def reveal(id: str, value: float) -> None:
    """Set the learner's interval beside the measured share `value` (0..1), and say how all of them did."""
    guesses = _load()
    if id not in guesses:
        return show_box("todo", "No interval noted", "Run the cell with your guess first.")
    # rounded, so that 0.29 lies on the bound 29 and not beside it
    guess = replace(guesses[id], result=round(100 * value, 6))
    guesses[id] = guess
    _save(guesses)
    place = "inside" if guess.hit else "outside"
    title = f"You said {guess.low:g} to {guess.high:g} %; it is {100 * value:.1f} %: {place}"
    width = f"Your interval is {guess.high - guess.low:g} points wide: {_advice(guess)}."
    text = f"{guess.question}. {width}{_so_far(list(guesses.values()))}"
    show_box("good" if guess.hit and guess.serious else "todo", title, text)


def _advice(guess: Guess) -> str:
    if not guess.serious:
        return "too wide to be wrong; be braver next time"
    return "well judged" if guess.hit else "surprises are where one learns"


def _so_far(guesses: list[Guess]) -> str:
    """Say how many serious intervals held; "" while there is one result at most."""
    results = [guess for guess in guesses if guess.result is not None and guess.serious]
    if len(results) < 2:
        return ""
    hits = sum(guess.hit for guess in results)
    return f" So far {hits} of {len(results)} of your intervals held; four in five would be perfect."


def _path() -> Path:
    return Path(os.environ.get("WMLEARN_HOME", files.CACHE)) / "guesses.json"


def _load() -> dict[str, Guess]:
    try:
        records = json.loads(_path().read_text())
        return {id: Guess(**record) for id, record in records.items()}
    # none yet, or spoilt: a guess is not worth an error
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _save(guesses: dict[str, Guess]) -> None:
    try:
        records = {id: asdict(guess) for id, guess in guesses.items()}
        files.write(_path(), json.dumps(records, indent=1).encode())
    except DataError:  # a full or read-only home must not stop the lesson
        return
