"""The tokens of a master's prose, and the two faces of a cell with a solution."""

from __future__ import annotations

from typing import Any

import pytest

from wmlearn.course.authoring.expand import expand, header, hints, solved, unsolved
from wmlearn.course.claims import Claim
from wmlearn.course.exercises import find

CELL = '''def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    y = x + x
    return y
    ### END SOLUTION

print("after")'''


def test_the_solution_stands_in_the_solved_cell_without_its_markers() -> None:
    assert solved(CELL) == CELL.replace("    ### BEGIN SOLUTION\n", "").replace("    ### END SOLUTION\n", "")
    names: dict[str, Any] = {}
    exec(solved(CELL), names)
    assert names["double"](4) == 8


def test_the_unsolved_cell_runs_and_raises_only_when_it_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    assert "x + x" not in unsolved(CELL)
    assert unsolved(CELL).count("raise NotImplementedError") == 1
    names: dict[str, Any] = {}
    exec(unsolved(CELL), names)
    assert capsys.readouterr().out == "after\n"
    with pytest.raises(NotImplementedError, match="your turn"):
        names["double"](4)


def test_a_cell_without_markers_is_left_alone() -> None:
    assert solved("x = 1") == unsolved("x = 1") == "x = 1"


CLAIMS = {"02.success": Claim("02.success", "Attack success", 0.9987, low=0.99)}


def test_prose_quotes_the_bound_of_a_claim_and_other_braces_stay() -> None:
    text = r"It wins {claim:02.success}, $\{x_i\}$, {other:02.1}, {claim}."
    assert expand(text, CLAIMS, {}) == r"It wins at least 99 %, $\{x_i\}$, {other:02.1}, {claim}."


def test_prose_quotes_a_result_in_the_form_that_it_asks_for() -> None:
    text = "It wins {value:02.success}, or {value:02.success|1}."
    assert expand(text, CLAIMS, {}) == "It wins 100 %, or 99.9 %."


@pytest.mark.parametrize(
    "token",
    ["{claim:02.nothing}", "{value:02.nothing}", "{exercise:02.99}", "{hints:99.1}", "{solution:02.1}"],
)
def test_a_token_that_points_nowhere_is_an_error(token: str) -> None:
    with pytest.raises((KeyError, ModuleNotFoundError)):
        expand(token, CLAIMS, {})


@pytest.mark.parametrize("id", ["01.1", "01.2", "02.1", "02.2", "02.3"])
def test_the_tokens_of_an_exercise_become_its_box_its_hints_and_its_solution(id: str) -> None:
    exercise = find(id)
    assert expand(f"{{exercise:{id}}}", {}, {}) == header(exercise)
    assert exercise.title in header(exercise)
    assert header(exercise).count("●") == exercise.difficulty + exercise.importance
    assert header(exercise).count("○") == 10 - exercise.difficulty - exercise.importance
    assert expand(f"{{hints:{id}}}", {}, {}) == hints(exercise)
    assert all(hint in hints(exercise) for hint in exercise.hints)
    assert all(f"- *{symptom.sign}* {symptom.advice}" in hints(exercise) for symptom in exercise.symptoms)
    text = expand(f"{{solution:{id}}}", {}, {id: "def f():\n    return 1"})
    assert "```python\ndef f():\n    return 1\n```" in text
    assert exercise.why in text
    assert all(f"- {mistake.says}" in text for mistake in exercise.mistakes)
    assert text.count("<details>") == text.count("</details>") == 1
