"""Quizzes: four options in an order that tells nothing, each explained, readable without a kernel."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from displays import Shown

from wmlearn.course import quizzes, record
from wmlearn.course.quizzes import Option, Question, quiz
from wmlearn.errors import ArgumentError


def _question(text: str) -> Question:
    right, *wrong = (
        Option(f"{text} {name}", f"about {text} {name}") for name in ("right", "one", "two", "three")
    )
    return Question(text, (right, wrong[0], wrong[1], wrong[2]))


ASKED = tuple(_question(f"Question {i}?") for i in range(3))
RIGHT = "".join(question.right for question in ASKED)
WRONG = "".join("A" if letter != "A" else "B" for letter in RIGHT)


@pytest.fixture(autouse=True)
def _lesson(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setattr(quizzes, "import_module", lambda *_: SimpleNamespace(QUIZ=ASKED))


def _judged(answers: str, shown: Shown) -> str:
    quiz("02", answers)
    return shown.text


def test_the_right_letters_pass_and_each_is_explained(shown: Shown) -> None:
    said = _judged(RIGHT.lower(), shown)
    assert said.startswith("3 of 3 right\n")
    assert [line.split(". ", 1)[1] for line in said.splitlines()[1:]] == [
        f"about {question.asks} right" for question in ASKED
    ]
    assert record.load().quizzes == {"02": 3}


def test_a_wrong_letter_gets_its_own_explanation_and_does_not_name_the_right_one(shown: Shown) -> None:
    said = _judged(WRONG, shown)
    assert said.startswith("0 of 3 right\n")
    assert "right" not in said.split("\n", 1)[1]
    assert record.load().quizzes == {"02": 0}


@pytest.mark.parametrize("answers", ["AB", "ABCD", "ABE", "123"])
def test_letters_that_cannot_be_counted_are_refused_and_nothing_is_kept(answers: str, shown: Shown) -> None:
    assert _judged(answers, shown).startswith("Not counted. 3 letters from A to D")
    assert record.load().quizzes == {}


@pytest.mark.parametrize("answers", ["", "  "])
def test_no_letter_is_no_answer(answers: str, shown: Shown) -> None:
    assert _judged(answers, shown).startswith("Not answered yet. Put 3 letters")


def test_the_order_is_the_same_for_everybody_and_no_letter_is_right_more_often() -> None:
    many = [_question(f"Question {i}") for i in range(400)]
    assert [q.shuffled for q in many] == [q.shuffled for q in many]
    counts = Counter(question.right for question in many)
    assert min(counts[letter] for letter in "ABCD") > 70  # of 400; by chance alone under 1 in 10,000


def test_without_a_kernel_the_answers_are_folded_text() -> None:
    text = quizzes.questions("02")
    asked, answers = text.split("<details>")
    for number, question in enumerate(ASKED, 1):
        assert f"**{number}.** {question.asks}" in asked
        assert all(option.text in asked for option in question.options)
        assert all(option.says in answers and option.says not in asked for option in question.options)
        assert f"**{number} {question.right}**" in answers


def test_four_different_options_are_asked_for() -> None:
    same = Option("yes", "because")
    with pytest.raises(ArgumentError, match="four different options"):
        Question("Well?", (same, same, same, same))
