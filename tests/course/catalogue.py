"""Every exercise of the course, by its id."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from wmlearn.course import lessons
from wmlearn.course.exercises import Exercise

LESSONS = sorted(Path(lessons.__path__[0]).glob("exercises_*.py"))
EXERCISES: dict[str, Exercise] = {}
for path in LESSONS:
    EXERCISES |= import_module(f"wmlearn.course.lessons.{path.stem}").EXERCISES
