"""Exercises: find the mistake, name it, and let the lesson go on whatever the learner wrote.

A mistake is a function that makes it. When an answer is wrong, we look for the mistake that gives the same
numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch

from .boxes import show_box

Solution = Callable[..., Any]
YOUR_TURN = "your turn"
"""What the unsolved notebook's functions raise NotImplementedError with; PyTorch may raise one of its own."""
Cases = dict[str, list[tuple[Any, ...]]]
"""What a part tests -> the arguments to try."""


@dataclass(frozen=True)
class Mistake:
    """A wrong way to solve an exercise, and what to tell whoever took it."""

    id: str
    says: str
    wrong: Solution


@dataclass(frozen=True)
class Exercise:
    """One function to write; each part of `cases(seed)` is worth a point in class."""

    id: str
    title: str
    difficulty: int  # of 5
    importance: int  # of 5
    minutes: int
    returns: str  # "one number": what to say when the answer can't be compared
    reference: Solution
    cases: Callable[[int], Cases]
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, str]
    why: str


@dataclass(frozen=True)
class Result:
    """What a check found; `mistake` is the id of a named mistake, "" when solved or unknown."""

    ok: bool
    message: str
    mistake: str = ""


def find(id: str) -> Exercise:
    """Look up exercise "02.1" in `lessons/exercises_02.py`."""
    return import_module(f".lessons.exercises_{id.split('.')[0]}", __package__).EXERCISES[id]


def examine(id: str, f: Solution) -> Result:
    """Compare `f` with the reference on small tensors; never raises."""
    exercise = find(id)
    trials = [arguments for part in exercise.cases(0).values() for arguments in part]
    right = [_numbers(exercise.reference(*trial)) for trial in trials]
    try:
        attempts = [_try(f, trial, exercise) for trial in trials]
    except (Exception, SystemExit) as error:  # exit() is a mistake like any other
        return _stopped(error)
    if any(attempt.spoils for attempt in attempts):
        advice = "Your function changes the tensors that it is given. Work on a copy: x.clone()."
        return Result(False, advice, "changes-its-input")
    answers = [attempt.numbers for attempt in attempts]
    if _agree(answers, right):
        return Result(True, f"Right, on all {len(trials)} test cases.")
    for mistake in exercise.mistakes:
        # a copy for each: a mistake may be that it changes what it is given
        if _agree(answers, [_numbers(mistake.wrong(*deepcopy(trial))) for trial in trials]):
            return Result(False, mistake.says, mistake.id)
    i = next(i for i in range(len(trials)) if not _close(answers[i], right[i]))
    difference = _difference(answers[i], right[i])
    return Result(False, f"Test case {i + 1} of {len(trials)}: {difference} Hint 1 may help.")


def check(id: str, f: Solution) -> None:
    """Say at once whether `f` solves exercise `id`, and if not, which mistake it makes."""
    result = examine(id, f)
    kind = "todo" if result.mistake == "not-started" else "bad"
    show_box("good" if result.ok else kind, f"Exercise {id} · {find(id).title}", result.message)


def ready(id: str, f: Solution) -> Solution:
    """Return `f` once it passes its check, the course's own version until then."""
    if examine(id, f).ok:
        show_box("good", "The lesson goes on with your function.")
        return f
    advice = "Come back whenever you like, then run this cell again."
    show_box("todo", "The lesson goes on with the course's function", advice)
    return find(id).reference


class _Unusable(Exception):
    """An answer that can't be compared; its text says why."""


@dataclass(frozen=True)
class _Attempt:
    """What a learner's function answers to one case, and whether it spoils its arguments."""

    numbers: list[float]
    spoils: bool


def _stopped(error: BaseException) -> Result:
    if isinstance(error, _Unusable):
        return Result(False, str(error), "unusable")
    if isinstance(error, NotImplementedError) and str(error) == YOUR_TURN:
        advice = "Not started yet: replace the line that raises NotImplementedError."
        return Result(False, advice, "not-started")
    reason = f": {str(error).rstrip('.')}" if str(error) else ""
    return Result(False, f"Your function stopped with {type(error).__name__}{reason}.", "unusable")


def _try(f: Solution, arguments: tuple[Any, ...], exercise: Exercise) -> _Attempt:
    copies = deepcopy(arguments)
    answer = f(*copies)
    if answer is None:
        raise _Unusable("Your function returns None: does it end with `return`?")
    try:
        numbers = _numbers(answer)
    except (TypeError, ValueError, RuntimeError):
        raise _Unusable(f"Return {exercise.returns}; this is a {type(answer).__name__}.") from None
    expected = len(_numbers(exercise.reference(*arguments)))
    if len(numbers) != expected:
        count = f"{len(numbers):,} numbers instead of {expected:,}"
        raise _Unusable(f"Return {exercise.returns}; this answer holds {count}.")
    return _Attempt(numbers, spoils=not _close(_numbers(copies), _numbers(arguments)))


def _numbers(answer: Any) -> list[float]:
    """Flatten numbers, tensors and tuples of them; functions among arguments count as nothing."""
    if isinstance(answer, torch.Tensor):
        return answer.flatten().double().tolist()
    if isinstance(answer, tuple | list | bytes):  # a secret is bytes
        return [number for part in answer for number in _numbers(part)]
    if isinstance(answer, str):
        raise TypeError(answer)
    return [] if callable(answer) else [float(answer)]


def _agree(a: Sequence[list[float]], b: Sequence[list[float]]) -> bool:
    return all(_close(x, y) for x, y in zip(a, b, strict=True))


def _close(x: list[float], y: list[float]) -> bool:
    """Say whether two lists hold the same numbers, but for rounding; nan is close to nothing."""
    return len(x) == len(y) and all(abs(u - v) < 1e-5 for u, v in zip(x, y, strict=True))


def _difference(answer: list[float], right: list[float]) -> str:
    if len(right) == 1:
        return f"you return {answer[0]:.4g}; it should be {right[0]:.4g}."
    differ = sum(not abs(a - b) < 1e-5 for a, b in zip(answer, right, strict=True))
    return f"{differ:,} of the {len(right):,} numbers that you return differ from what they should be."
