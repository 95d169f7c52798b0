"""How far a learner has come: exercises, quizzes and challenges by lesson, and how well they guess."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from . import lessons
from .predictions import so_far
from .record import Record

HEADER = ["lesson", "exercises solved", "quiz", "challenge"]


def table(record: Record) -> list[list[str]]:
    """Return a row a lesson."""
    names = [module.name for module in pkgutil.iter_modules(lessons.__path__)]
    numbers = [name.removeprefix("exercises_") for name in names if name.startswith("exercises_")]
    return [_row(number, record) for number in numbers]


def is_whole(record: Record, number: str) -> bool:
    """Say whether every exercise of a lesson is solved."""
    exercises = import_module(f".lessons.exercises_{number}", __package__).EXERCISES
    return all(id in record.solved for id in exercises)


def calibration(record: Record) -> str:
    """Say how many of the learner's intervals held."""
    return so_far(list(record.guesses.values())) or "Two results are needed to say how well you guess."


def _row(number: str, record: Record) -> list[str]:
    module = import_module(f".lessons.exercises_{number}", __package__)
    solved = [id for id in module.EXERCISES if id in record.solved]
    quiz = _of(record.quizzes.get(number), len(getattr(module, "QUIZ", ())))
    score = record.challenges.get(number)
    challenge = "–" if score is None else f"{score:,g}"
    return [number, f"{len(solved)} of {len(module.EXERCISES)}", quiz, challenge]


def _of(right: int | None, questions: int) -> str:
    return "–" if right is None else f"{right} of {questions}"
