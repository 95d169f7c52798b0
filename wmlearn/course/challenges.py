"""An open task, judged by its result, not by its code; the best result stays in the learner's record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from . import record
from .boxes import show_box
from .exercises import YOUR_TURN


@dataclass(frozen=True)
class Score:
    """What an attempt came to: `value` counts when it is `valid`; `says` tells what was measured."""

    valid: bool
    value: float
    says: str


@dataclass(frozen=True)
class Challenge:
    """A task, how to measure an attempt at it, and what the course's own attempt reached. Less is better."""

    title: str
    unit: str
    measure: Callable[..., Score]
    ours: float


def find(lesson: str) -> Challenge:
    """Look up the challenge of a lesson: `CHALLENGE` in `lessons/lesson_NN.py`."""
    return import_module(f".lessons.lesson_{lesson}", __package__).CHALLENGE


def challenge(lesson: str, *attempt: Any) -> None:
    """Measure an attempt, show its score beside the course's and the learner's best, and keep the best."""
    task = find(lesson)
    name = f"Challenge {lesson} · {task.title}"
    try:
        score = task.measure(*attempt)
    except NotImplementedError as error:
        if str(error) != YOUR_TURN:
            raise
        return show_box("todo", name, f"Not tried yet. The course's own attempt: {task.ours:,g} {task.unit}.")
    if not score.valid:
        return show_box("bad", f"{name}: doesn't count", score.says)
    note = record.update(lambda kept: record.with_challenge(kept, lesson, score.value))
    best = min(score.value, record.read().challenges.get(lesson, score.value))
    standing = f"Your best: {best:,g}. The course's own: {task.ours:,g}."
    said = [score.says, standing, _compared(best, task.ours), note]
    show_box("good", f"{name}: {score.value:,g} {task.unit}", " ".join(part for part in said if part))


def _compared(best: float, ours: float) -> str:
    if best < ours:
        return "You beat the course!"
    return "Level with the course." if best == ours else ""
