"""Exercises: find the mistake, name it, and let the lesson go on whatever the learner wrote.

A mistake is a function that makes it. When an answer is wrong, we look for the mistake that gives the same
numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from functools import cache, wraps
from importlib import import_module
from operator import eq
from typing import Any

import torch
from torch import Tensor

from . import record
from .boxes import show_box

Solution = Callable[..., Any]
YOUR_TURN = "your turn"
"""What the unsolved notebook's functions raise NotImplementedError with; PyTorch may raise one of its own."""
Cases = dict[str, list[tuple[Any, ...]]]
"""What a part tests -> the arguments to try."""
Numbers = list[float]
"""An answer, flattened."""


@dataclass(frozen=True)
class Mistake:
    """A wrong way to solve an exercise, and what to tell whoever took it."""

    id: str
    says: str
    wrong: Solution


@dataclass(frozen=True)
class Symptom:
    """What a learner sees when something is wrong, and where to look."""

    sign: str
    advice: str


@dataclass(frozen=True, eq=False)
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
    hints: tuple[str, str, str]  # a question, the plan, the last step
    why: str
    symptoms: tuple[Symptom, ...] = ()
    # probe(f, *arguments) -> what to compare, by default f(*arguments); `example` is then an answer of f
    probe: Callable[..., Any] | None = None
    example: Any = None

    def answer(self, f: Solution, arguments: tuple[Any, ...]) -> Any:
        """Return what `f` makes of the arguments: its answer, or what `probe` sees of it."""
        return f(*arguments) if self.probe is None else self.probe(f, *arguments)

    @property
    def trials(self) -> list[tuple[Any, ...]]:
        """The arguments of all parts, as the check tries them."""
        return [arguments for part in self.cases(0).values() for arguments in part]


@dataclass(frozen=True)
class Result:
    """What a check found; `mistake` is the id of a named mistake, "" when solved or unknown."""

    ok: bool
    message: str
    mistake: str = ""


NOT_STARTED = Result(
    False, "Not started yet: replace the line that raises NotImplementedError.", "not-started"
)
CHANGES_ITS_INPUT = Result(
    False,
    "Your function changes what it is given. Work on a copy: x.clone() of a tensor, list(x) of a list.",
    "changes-its-input",
)


MEAN_OF_TRUTH_VALUES = "True and False have no mean in PyTorch, nor have integers: take .float() first."
GOES_ON = (
    "The lesson goes on with the course's function; come back whenever you like, then run both cells again."
)


def find(id: str) -> Exercise:
    """Look up exercise "02.1" in `lessons/exercises_02.py`."""
    return import_module(f".lessons.exercises_{id.split('.')[0]}", __package__).EXERCISES[id]


def examine(id: str, f: Solution) -> Result:
    """Compare `f` with the reference on small tensors; never raises."""
    exercise = find(id)
    trials = exercise.trials
    right = _known(exercise, exercise.reference)
    try:
        attempts = [_try(f, trial, exercise) for trial in trials]
    except (Exception, SystemExit) as error:  # exit() is a mistake like any other
        return _stopped(error)
    if any(attempt.spoilt for attempt in attempts):
        return CHANGES_ITS_INPUT
    answers = [attempt.numbers for attempt in attempts]
    if _agree(answers, right):
        return Result(True, f"Right, on all {len(trials)} test cases.")
    return _named(exercise, answers) or _generic(answers, right) or _unnamed(exercise, answers, right)


def right_answers(exercise: Exercise, trials: list[tuple[Any, ...]]) -> list[Numbers]:
    """Return the reference's answer to each trial."""
    return _answers(exercise, exercise.reference, trials)


def passes(exercise: Exercise, f: Solution, trials: list[tuple[Any, ...]], right: list[Numbers]) -> bool:
    """Say whether `f` gives the `right` answers to all trials, and leaves them as they were; never raises."""
    try:
        attempts = [_try(f, trial, exercise) for trial in trials]
    except (Exception, SystemExit):
        return False
    if any(attempt.spoilt for attempt in attempts):
        return False
    return _agree([attempt.numbers for attempt in attempts], right)


def check(id: str, f: Solution) -> None:
    """Say at once whether `f` solves exercise `id`, and if not, which mistake it makes."""
    _report(id, examine(id, f))


def ready(id: str, f: Solution) -> Solution:
    """Check `f`, and return it once it is right, the course's own version until then.

    What comes back gives answers of the reference's type, however `f` is written: a float where `f` gives a
    tensor of one number or a NumPy number, a tensor where it gives a list.
    """
    reference = find(id).reference
    # run twice, the cell hands in what it got the first time
    result = NOT_STARTED if f is reference else examine(id, f)
    if not result.ok:
        _report(id, result, GOES_ON)
        return reference
    note = record.update(lambda kept: record.with_solved(kept, id, date.today().isoformat()))
    _report(id, result, " ".join(["The lesson goes on with your function.", note]).strip())
    return _coerced(f, find(id))


def _report(id: str, result: Result, goes_on: str = "") -> None:
    kind = "good" if result.ok else "bad"
    if result == NOT_STARTED:
        kind = "todo"
    show_box(kind, f"Exercise {id} · {find(id).title}", f"{result.message} {goes_on}".strip())


# What a wrong answer is called


def _stopped(error: BaseException) -> Result:
    """Say why a function did not come to its end."""
    if isinstance(error, NotImplementedError) and str(error) == YOUR_TURN:
        return NOT_STARTED
    if isinstance(error, _Unusable):
        return Result(False, str(error), "unusable")
    if isinstance(error, RuntimeError) and "mean()" in str(error):
        return Result(False, MEAN_OF_TRUTH_VALUES, "mean-of-truth-values")
    reason = f": {str(error).rstrip('.')}" if str(error) else ""
    return Result(False, f"Your function stopped with {type(error).__name__}{reason}.", "unusable")


def _named(exercise: Exercise, answers: list[Numbers]) -> Result | None:
    """Return the exercise's own mistake that gives the same numbers."""
    for mistake in exercise.mistakes:
        if _agree(answers, _known(exercise, mistake.wrong)):
            return Result(False, mistake.says, mistake.id)
    return None


def _generic(answers: list[Numbers], right: list[Numbers]) -> Result | None:
    """Return a mistake that can be made in any exercise."""
    if _agree(answers, _each(right, lambda number: 100 * number)):
        says = "Your answer is a hundred times too large: return a share between 0 and 1, not a percentage."
        return Result(False, says, "percent")
    if any(math.isnan(number) for numbers in answers for number in numbers):
        says = "Your answer is NaN, not a number. Do you divide by zero, or take 0 · log 0?"
        return Result(False, says, "nan")
    if _agree(answers, _each(right, lambda number: 1 - number)):
        return Result(False, "You return one minus the answer: you count the others.", "complement")
    if _agree(answers, _each(right, lambda number: -number)):
        return Result(False, "Your sign is turned.", "sign")
    return None


def _each(answers: list[Numbers], change: Callable[[float], float]) -> list[Numbers]:
    return [list(map(change, numbers)) for numbers in answers]


def _unnamed(exercise: Exercise, answers: list[Numbers], right: list[Numbers]) -> Result:
    """Show the first test case that differs."""
    i = next(i for i in range(len(right)) if not _agree(answers[i : i + 1], right[i : i + 1]))
    if len(answers[i]) != len(right[i]):
        size = f"this answer holds {len(answers[i]):,} numbers instead of {len(right[i]):,}"
        return Result(False, f"Return {exercise.returns}; {size}.", "unusable")
    return Result(False, f"Test case {i + 1} of {len(right)}: {_difference(answers[i], right[i])}")


# What an answer is made of


@dataclass(frozen=True)
class _Attempt:
    """What a function answers, and whether it spoilt its arguments."""

    numbers: Numbers
    spoilt: bool


class _Unusable(Exception): ...


def _answers(exercise: Exercise, f: Solution, trials: list[tuple[Any, ...]]) -> list[Numbers]:
    return [_numbers(exercise.answer(f, _copied(trial))) for trial in trials]


@cache
def _known(exercise: Exercise, f: Solution) -> list[Numbers]:
    """Return what the reference, or a named mistake, makes of the trials, which are the same at every check:
    some train networks.
    """
    return _answers(exercise, f, exercise.trials)


def _try(f: Solution, arguments: tuple[Any, ...], exercise: Exercise) -> _Attempt:
    given = _copied(arguments)
    answer = exercise.answer(f, given)
    if answer is None:
        raise _Unusable("Your function returns None: does it end with `return`?")
    try:
        numbers = _numbers(answer)
    except (TypeError, ValueError, RuntimeError):
        raise _Unusable(f"Return {exercise.returns}; this is a {type(answer).__name__}.") from None
    spoilt = exercise.probe is None and not _unchanged(given, arguments)
    return _Attempt(numbers, spoilt)


def _copied(value: Any) -> Any:
    """Copy deeply; tensors and what is built in in a quarter of the time that `deepcopy` takes."""
    if type(value) is Tensor and not value.requires_grad:
        return value.clone()
    if type(value) in (tuple, list):
        return type(value)(map(_copied, value))
    if type(value) is dict:
        return {key: _copied(part) for key, part in value.items()}
    if type(value) in (bool, int, float, str, bytes):
        return value
    return deepcopy(value)


def _unchanged(given: Any, arguments: Any) -> bool:
    return _same(given, arguments) or _agree([_numbers(given)], [_numbers(arguments)])


def _same(one: Any, other: Any) -> bool:
    """Say whether two values are the same without a look at each number; no says nothing."""
    if isinstance(one, Tensor):
        return one.shape == other.shape and one.dtype == other.dtype and one.equal(other)
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(_same, one, other))
    return one is other


def _numbers(answer: Any) -> Numbers:
    """Flatten numbers, tensors, arrays and lists of them; functions among arguments count as nothing."""
    if isinstance(answer, Tensor):
        return answer.detach().flatten().double().tolist()
    if hasattr(answer, "tolist") and hasattr(answer, "dtype"):  # NumPy's arrays and numbers
        return _numbers(answer.tolist())
    if isinstance(answer, (tuple, list, bytes)):  # a secret is bytes
        return [number for part in answer for number in _numbers(part)]
    if isinstance(answer, str):
        raise TypeError(answer)
    return [] if callable(answer) else [float(answer)]


def _agree(a: Sequence[Numbers], b: Sequence[Numbers]) -> bool:
    return all(_close_all(x, y) for x, y in zip(a, b, strict=True))


def _close_all(a: Numbers, b: Numbers) -> bool:
    if len(a) != len(b):
        return False
    return all(map(eq, a, b)) or all(map(_close, a, b))  # most are equal, and that is told fast


def _close(answer: float, right: float) -> bool:
    """Compare numbers of ordinary size absolutely, as float32 rounds, and small ones relatively.

    So 0 is not 1e-10, and a p-value of 1e-300 not one of 1e-200; where the answer is 0, rounding may leave
    less than a millionth.
    """
    if answer == right:
        return True
    if right == 0:
        return abs(answer) < 1e-6
    small = min(abs(answer), abs(right)) < 1e-3
    return math.isclose(answer, right, rel_tol=1e-4) if small else abs(answer - right) < 1e-5


def _difference(answer: Numbers, right: Numbers) -> str:
    if len(right) == 1:
        return f"you return {answer[0]:.4g}; it should be {right[0]:.4g}."
    differ = sum(not _close(a, b) for a, b in zip(answer, right, strict=True))
    return f"{differ:,} of the {len(right):,} numbers that you return differ from what they should be."


# The types of the lesson


def _coerced(f: Solution, exercise: Exercise) -> Solution:
    """Wrap `f` so that it answers in the reference's types."""
    example = exercise.example
    if exercise.probe is None:
        example = exercise.reference(*deepcopy(exercise.trials[0]))

    @wraps(f)
    def answer(*arguments: Any, **named: Any) -> Any:
        device = next((part.device for part in arguments if isinstance(part, Tensor)), None)
        return like(f(*arguments, **named), example, device)

    return answer


def like(answer: Any, example: Any, device: torch.device | None = None) -> Any:
    """Return `answer` in the type of `example`: a number, a tensor of its dtype (on `device`), or several.

    What is of another type stays as it is.
    """
    if isinstance(example, Tensor):
        tensor = torch.as_tensor(answer, device=device).to(example.dtype)  # with its gradient, if it has one
        return tensor if tensor.ndim == example.ndim or example.ndim > 1 else tensor.flatten()
    if isinstance(example, tuple):
        return tuple(like(part, kind, device) for part, kind in zip(answer, example, strict=True))
    if isinstance(example, list) and example:
        return [like(part, example[0], device) for part in answer]
    if isinstance(example, (bool, int, float)) and answer is not None:
        return type(example)(answer)
    if isinstance(example, bytes) and isinstance(answer, (list, tuple)) and len(answer) == 1:
        return answer[0]
    return answer
