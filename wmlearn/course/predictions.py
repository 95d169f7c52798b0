"""Write an interval down before the result, and see afterwards how calibrated you were.

The intervals are kept in the learner's record, a local file, and sent nowhere.
"""

from __future__ import annotations

from dataclasses import replace

from . import record
from .boxes import show_box
from .record import Guess

TOO_WIDE = 90  # points; an interval of more can hardly be wrong
TOO_FAR = 100  # times; the same for guesses that aren't in per cent


def guess(
    id: str, question: str, *, low: float = 0, high: float = 100, unit: str = "%", most: float = 100
) -> None:
    """Keep an interval for later, in per cent, or in a `unit` of which there can be `most`."""
    if not 0 <= low <= high <= most:
        rule = f"low and high must satisfy 0 <= low <= high <= {most:,g}"
        return show_box("bad", "Not noted", f"{rule}, got {low:,g} and {high:,g}.")
    interval = Guess(question, low, high, unit=unit)
    note = record.update(lambda kept: record.with_guess(kept, id, interval))
    title = f"Noted: {low:,g} to {high:,g} {unit}"
    if not serious(interval):
        advice = "An interval this wide can't be wrong, and says nothing. Narrow it, and run the cell again."
        return show_box("todo", title, f"{advice} {note}".strip())
    show_box("good", title, f"We come back to it when the result is in. {note}".strip())


def reveal(id: str, value: float) -> None:
    """Set the learner's interval beside the result, and say how the intervals have done so far.

    A guess in per cent is about a share, `value` in 0..1; any other about `value` itself.
    """
    guesses = record.read().guesses
    if id not in guesses:
        return show_box("todo", "No interval noted", "Run the cell with your guess first.")
    guess = _resolved(guesses[id], float(value))
    note = record.update(lambda kept: record.with_guess(kept, id, guess))
    place = "inside" if hit(guess) else "outside"
    title = f"You said {guess.low:,g} to {guess.high:,g} {guess.unit}; it is {_shown(guess)}: {place}"
    text = f"{guess.question}. {_width(guess)}: {_advice(guess)}."
    said = [text, so_far(list({**guesses, id: guess}.values())), note]
    show_box(
        "good" if hit(guess) and serious(guess) else "todo", title, " ".join(part for part in said if part)
    )


def hit(guess: Guess) -> bool:
    """Say whether the result is in, and inside."""
    return guess.result is not None and guess.low <= guess.result <= guess.high


def serious(guess: Guess) -> bool:
    """Say whether the interval could have been wrong."""
    if guess.unit == "%":
        return guess.high - guess.low <= TOO_WIDE
    return guess.high <= TOO_FAR * guess.low


def so_far(guesses: list[Guess]) -> str:
    """Say how many serious intervals held; "" while there is one result at most."""
    results = [guess for guess in guesses if guess.result is not None and serious(guess)]
    if len(results) < 2:
        return ""
    hits = sum(hit(guess) for guess in results)
    return f"So far {hits} of {len(results)} of your intervals held; four in five would be perfect."


def _resolved(guess: Guess, value: float) -> Guess:
    # rounded, so that 0.29 lies on the bound 29 and not beside it
    return replace(guess, result=round(100 * value, 6) if guess.unit == "%" else value)


def _shown(guess: Guess) -> str:
    return f"{guess.result:.1f} %" if guess.unit == "%" else f"{guess.result:,.0f} {guess.unit}"


def _width(guess: Guess) -> str:
    if guess.unit == "%":
        return f"Your interval is {guess.high - guess.low:g} points wide"
    return "Your interval"


def _advice(guess: Guess) -> str:
    if not serious(guess):
        return "too wide to be wrong; be braver next time"
    return "well judged" if hit(guess) else "surprises are where one learns"
