"""What the quizzes ask, lesson by lesson: four options worth reading, and no way through them blind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import pytest
from catalogue import LESSONS

from wmlearn.course.quizzes import LETTERS, Option, Question

ROOT = Path(__file__).resolve().parents[2]
MODULES = {path.stem[-2:]: import_module(f"wmlearn.course.lessons.{path.stem}") for path in LESSONS}
QUIZZES: dict[str, Sequence[Question]] = {
    number: module.QUIZ for number, module in MODULES.items() if hasattr(module, "QUIZ")
}
QUESTIONS = [question for quiz in QUIZZES.values() for question in quiz]
COUNTS = {3: "Three", 4: "Four", 5: "Five"}
EVASIVE = re.compile(r"\b(all|both|none|neither) of (the above|these)\b", re.IGNORECASE)
NAMED = re.compile(r"\b([Oo]ption|[Aa]nswer|[Ll]etter) [A-D]\b")


def _letters(number: str) -> str:
    return "".join(question.right for question in QUIZZES[number])


def _lengths(question: Question) -> list[int]:
    """Return how long the options are; the first is the right one's."""
    return [len(option.text) for option in question.options]


def _said() -> list[Option]:
    return [option for question in QUESTIONS for option in question.options]


def test_every_lesson_asks() -> None:
    assert MODULES.keys() == QUIZZES.keys()


@pytest.mark.parametrize("number", QUIZZES)
def test_a_quiz_has_three_questions_or_more_and_its_lesson_counts_them(number: str) -> None:
    (master,) = (ROOT / "notebooks" / "source").glob(f"{number}_*.py")
    text = master.read_text(encoding="utf-8")
    asked = len(QUIZZES[number])
    assert asked >= 3
    assert f"# ## {COUNTS[asked]} questions\n#\n# {{quiz:{number}}}\n" in text
    assert f'wm.quiz("{number}", "")  # {COUNTS[asked].lower()} letters, such as' in text
    assert "<summary>A" not in text, "a quiz that is folded text asks nothing"


@pytest.mark.parametrize("number", QUIZZES)
def test_no_letter_again_and_again_passes_a_quiz(number: str) -> None:
    assert len(set(_letters(number))) > 1, _letters(number)


def test_no_letter_is_right_much_more_often_than_another() -> None:
    counts = Counter(question.right for question in QUESTIONS)
    assert max(counts.values()) <= 0.4 * len(QUESTIONS), counts
    assert counts.keys() == set(LETTERS)


def test_the_length_of_an_option_does_not_tell_that_it_is_right() -> None:
    longest = [question.asks for question in QUESTIONS if _lengths(question)[0] == max(_lengths(question))]
    shortest = [question.asks for question in QUESTIONS if _lengths(question)[0] == min(_lengths(question))]
    assert len(longest) <= len(QUESTIONS) / 2, longest
    assert len(shortest) <= len(QUESTIONS) / 2, shortest


def test_no_option_no_explanation_and_no_question_occurs_twice() -> None:
    for texts in (
        [option.text for option in _said()],
        [option.says for option in _said()],
        [question.asks for question in QUESTIONS],
    ):
        assert [text for text, times in Counter(texts).items() if times > 1] == []


def test_no_option_leans_on_the_others() -> None:
    assert [option.text for option in _said() if EVASIVE.search(option.text)] == []


def test_a_question_is_a_sentence_that_waits_for_an_answer() -> None:
    assert [question.asks for question in QUESTIONS if question.asks[-1] not in "?:"] == []


def test_every_option_is_explained_in_a_sentence_or_two_that_name_no_letter() -> None:
    for option in _said():
        assert option.says.endswith("."), option.says
        assert 5 <= len(option.says.split()) <= 40, option.says
        assert not NAMED.search(option.says), option.says
        assert option.says != option.text


def test_the_text_reads_alike_in_a_box_and_in_a_notebook() -> None:
    """A box shows it as it is, a notebook as Markdown: stars, dollars, ticks and tags would differ."""
    texts = [option.text + option.says for option in _said()] + [question.asks for question in QUESTIONS]
    assert [text for text in texts if re.search(r"[*$`<_]", text)] == []
