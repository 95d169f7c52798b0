"""Multiple choice: four options in a shuffled order, each explained; no letter is right more often."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib import import_module
from typing import NamedTuple

from ..errors import require
from . import record
from .boxes import box, fold, show_box, show_html

LETTERS = "ABCD"


class Option(NamedTuple):
    """One answer, and what to say to whoever chose it."""

    text: str
    says: str


@dataclass(frozen=True)
class Question:
    """What is asked, and four options; the first is the right one, wherever it is shown."""

    asks: str
    options: tuple[Option, Option, Option, Option]

    def __post_init__(self) -> None:
        texts = {option.text for option in self.options}
        require(len(texts) == len(LETTERS), "a question must have four different options", len(texts))

    @property
    def shuffled(self) -> list[Option]:
        """The options as they are shown: in random order, but the same for everybody."""
        return random.Random(self.asks).sample(self.options, len(self.options))

    @property
    def right(self) -> str:
        """The letter of the right option."""
        return LETTERS[self.shuffled.index(self.options[0])]


def find(lesson: str) -> Sequence[Question]:
    """Look up the questions of a lesson: `QUIZ` in `lessons/exercises_NN.py`."""
    return import_module(f".lessons.exercises_{lesson}", __package__).QUIZ


def questions(lesson: str) -> str:
    """Return the questions as Markdown, and, folded, the answers for those who read without a kernel."""
    asked = find(lesson)
    parts = [_asked(number, question) for number, question in enumerate(asked, 1)]
    answers = "\n\n".join(_answered(number, question) for number, question in enumerate(asked, 1))
    return "\n\n".join([*parts, fold("The answers, for reading without a kernel", answers)])


def _asked(number: int, question: Question) -> str:
    lettered = zip(LETTERS, question.shuffled, strict=True)
    options = "<br>\n".join(f"**{letter}** &ensp; {option.text}" for letter, option in lettered)
    return f"**{number}.** {question.asks}\n\n{options}"


def _answered(number: int, question: Question) -> str:
    lettered = zip(LETTERS, question.shuffled, strict=True)
    lines = [f"- {letter}: {option.says}" for letter, option in lettered]
    return "\n".join([f"**{number} {question.right}**\n", *lines])


def quiz(lesson: str, answers: str = "") -> None:
    """Judge one letter a question, say to each why it is right or wrong, and keep the best result."""
    asked = find(lesson)
    given = "".join(answers.upper().split())
    if not given:
        advice = f"Put {len(asked)} letters between the quotes, one a question, and run the cell."
        return show_box("todo", "Not answered yet", advice)
    if len(given) != len(asked) or set(given) - set(LETTERS):
        advice = f"{len(asked)} letters from A to D, please, one a question; got {given}."
        return show_box("bad", "Not counted", advice)
    right = [letter == question.right for question, letter in zip(asked, given, strict=True)]
    note = record.update(lambda kept: record.with_quiz(kept, lesson, sum(right)))
    lines = [
        _judged(i, question, letter) for i, (question, letter) in enumerate(zip(asked, given, strict=True), 1)
    ]
    _show("good" if all(right) else "todo", f"{sum(right)} of {len(asked)} right", [*lines, note])


def _judged(number: int, question: Question, letter: str) -> str:
    mark = "✓" if letter == question.right else "✗"
    return f"{mark} {number}{letter}. {question.shuffled[LETTERS.index(letter)].says}"


def _show(kind: str, title: str, lines: Sequence[str]) -> None:
    said = [line for line in lines if line]
    html = box(kind, title, "<br>".join(escape(line, quote=False) for line in said))
    show_html(html, "\n".join([title, *said]))
