"""Every exercise of the course, by its id."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path

from wmlearn.course import lessons
from wmlearn.course.exercises import Exercise
from wmlearn.course.lessons.exercises_05 import PASSES

FEW_PASSES = replace(PASSES, epochs=10)
"""So many tell the mistakes of exercise 05.1 apart, too."""
LESSONS = sorted(Path(lessons.__path__[0]).glob("exercises_*.py"))
EXERCISES: dict[str, Exercise] = {}
for path in LESSONS:
    EXERCISES |= import_module(f"wmlearn.course.lessons.{path.stem}").EXERCISES
