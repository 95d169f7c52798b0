"""Write an interval down before the result, and see afterwards how calibrated you were. Kept in a small local
file, sent nowhere.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from ..data import files
from ..errors import DataError, require
from .boxes import show_box

TOO_WIDE = 90


@dataclass(frozen=True)
class Guess:
    """The learner is 80 % sure that the result, in per cent, lies in [low, high]; `result` comes later."""

    question: str
    low: float
    high: float
    result: float | None = None

    def __post_init__(self) -> None:
        numbers = (self.low, self.high, *([] if self.result is None else [self.result]))
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
        return show_box(
            "bad",
            "Not noted",
            f"low and high must satisfy 0 <= low <= high <= 100, got {low:g} and {high:g}.",
        )
    made = Guess(question, low, high)
    _save({**_kept(), id: made})
    if not made.serious:
        return show_box(
            "todo",
            f"Noted: {low:g} to {high:g} %",
            "An interval this wide can't be wrong, and says nothing. Narrow it, and run the cell again.",
        )
    show_box("good", f"Noted: {low:g} to {high:g} %", "We come back to it when the result is in.")


def reveal(id: str, value: float) -> None:
    """Set the learner's interval beside the measured share `value` (0..1), and say how the intervals have
    done so far.
    """
    kept = _kept()
    if id not in kept:
        return show_box("todo", "No interval noted", "Run the cell with your guess first.")
    g = Guess(kept[id].question, kept[id].low, kept[id].high, round(100 * value, 6))
    kept[id] = g
    _save(kept)
    advice = (
        "too wide to be wrong; be braver next time"
        if not g.serious
        else "well judged"
        if g.hit
        else "surprises are where one learns"
    )
    title = (
        f"You said {g.low:g} to {g.high:g} %; it is {100 * value:.1f} %: {'inside' if g.hit else 'outside'}"
    )
    text = f"{g.question}. Your interval is {g.high - g.low:g} points wide: {advice}."
    show_box(
        "good" if g.hit and g.serious else "todo", title, " ".join([text, *_so_far(list(kept.values()))])
    )


def _so_far(guesses: list[Guess]) -> list[str]:
    done = [g for g in guesses if g.result is not None and g.serious]
    return (
        [
            f"So far {sum(g.hit for g in done)} of {len(done)} of your intervals held; four in five would be"
            " perfect."
        ]
        if len(done) > 1
        else []
    )


def _path() -> Path:
    return Path(os.environ.get("WMLEARN_HOME", files.CACHE)) / "guesses.json"


def _kept() -> dict[str, Guess]:
    try:
        return {id: Guess(**record) for id, record in json.loads(_path().read_text()).items()}
    # none yet, or spoilt: a guess is not worth an error
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _save(guesses: dict[str, Guess]) -> None:
    try:
        files.write(_path(), json.dumps({id: asdict(g) for id, g in guesses.items()}, indent=1).encode())
    except DataError:  # a full or read-only home must not stop the lesson
        return
