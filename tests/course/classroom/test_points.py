"""What an answer earns: the same for a named mistake whatever the seed, nothing for what isn't one's own."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from types import FunctionType
from typing import Any, NoReturn

import pytest
import torch
from catalogue import EXERCISES, FEW_PASSES
from displays import Shown

from wmlearn.course.classroom import points
from wmlearn.course.classroom.points import award, grade, kept_by_mistake, unfair
from wmlearn.course.exercises import find
from wmlearn.course.lessons import exercises_05
from wmlearn.errors import ArgumentError, DataError

COSTLY = {"01.2", "02.1", "02.2", "02.4", "04.2", "04.3", "04.4"}
COSTLY |= {"05.1", "05.3", "06.1", "07.1", "07.2", "07.3", "07.4", "09.2", "11.2", "12.1", "12.3"}
"""A hundred seeds take seconds to minutes."""
FEW = range(1, 6)
SOME = range(1, 21)
MANY = range(100)
TRAINED = "05.1"
"""A seed trains ten networks."""


def attack_success(predicted: torch.Tensor, true: torch.Tensor, target: int) -> float:
    """Answer 02.3 rightly."""
    others = true != target
    return (predicted[others] == target).float().mean().item()


@pytest.mark.parametrize("id", EXERCISES)
def test_a_named_mistake_loses_the_same_points_for_every_seed_and_never_none(
    id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exercises_05, "PASSES", FEW_PASSES)
    usual = kept_by_mistake(EXERCISES[id], points.SEEN)
    for mistake, parts in usual.items():
        assert len(parts) < len(EXERCISES[id].cases(points.SEEN)), mistake
    for seed in _seeds(id):
        assert kept_by_mistake(EXERCISES[id], seed) == usual, seed


def _seeds(id: str) -> Iterable[int]:
    if id == TRAINED:
        return FEW[:1]
    return FEW if id in COSTLY else SOME


@pytest.mark.slow
@pytest.mark.parametrize("id", EXERCISES)
def test_so_it_does_for_a_hundred_seeds(id: str) -> None:
    assert [line for seed in MANY for line in unfair(seed, [id])] == []


def test_a_seed_by_whose_luck_a_mistake_goes_unseen_is_called_unfair(monkeypatch: pytest.MonkeyPatch) -> None:
    exercise = find("02.3")
    lucky = {0: exercise.cases(0), 1: {name: trials[:0] for name, trials in exercise.cases(0).items()}}
    patched = functools.partial(_with_cases, exercise, lucky)
    monkeypatch.setattr(points, "find", patched)
    assert unfair(0, ["02.3"]) == []
    assert "02.3 counts-any-error: 2 of 2 parts" in unfair(1, ["02.3"])


def _with_cases(exercise: Any, cases: dict[int, Any], _: str) -> Any:
    return type(exercise)(**{**vars(exercise), "cases": cases.__getitem__})


def test_a_right_answer_earns_a_point_a_part_twice() -> None:
    mark = award("02.3", attack_success, 8261)
    assert (mark.earned, mark.worth, mark.mistake) == (4, 4, "")
    assert award("02.3", attack_success, None).earned == 2


def test_a_named_mistake_earns_the_parts_that_it_gets_right_and_is_named() -> None:
    mark = award("02.3", lambda p, t, target: (p == target).float().mean(), 8261)
    assert (mark.earned, mark.mistake) == (2, "counts-the-target-class")


def test_memorised_answers_lose_the_hidden_half() -> None:
    trials = find("02.3").trials
    known = {int(trial[0].sum()): find("02.3").reference(*trial) for trial in trials}
    mark = award("02.3", lambda p, t, target: known.get(int(p.sum()), 0.5), 8261)
    assert (mark.earned, mark.mistake) == (2, "fits-the-check")


def _borrowers() -> dict[str, Any]:
    reference = find("02.3").reference
    assert isinstance(reference, FunctionType)
    return {
        "itself": reference,
        "partial": functools.partial(reference),
        "by name": lambda p, t, target: find("02.3").reference(p, t, target),
        "kept": lambda *arguments: reference(*arguments),
        "its code": FunctionType(reference.__code__, reference.__globals__),
    }


@pytest.mark.parametrize("how", _borrowers())
def test_the_courses_own_answer_earns_nothing(how: str) -> None:
    mark = award("02.3", _borrowers()[how], 8261)
    assert (mark.earned, mark.mistake) == (0, "borrowed")


def test_a_loop_without_end_costs_its_points_and_little_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(predicted: Any, true: Any, target: int) -> NoReturn:
        while True:
            try:
                time.sleep(0.01)
            except Exception:
                continue

    monkeypatch.setattr(points, "PATIENCE", 0.3)
    if sys.platform == "win32":
        pytest.skip("there is no alarm on Windows")
    began = time.monotonic()
    assert award("02.3", endless, 8261).mistake == "endless"
    assert time.monotonic() - began < 20


def _raises(error: BaseException) -> Any:
    def answer(*_: Any) -> float:
        raise error

    return answer


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), RecursionError(), MemoryError()])
def test_an_answer_that_stops_earns_nothing_and_stops_nobody(error: BaseException) -> None:
    mark = award("02.3", _raises(error), 8261)
    assert (mark.earned, mark.mistake) == (0, "unusable")


def test_nothing_that_an_answer_says_reaches_the_screen(capfd: pytest.CaptureFixture[str]) -> None:
    def noisy(predicted: torch.Tensor, true: torch.Tensor, target: int) -> float:
        print("hello")
        print("hello", file=sys.stderr)
        return attack_success(predicted, true, target)

    assert award("02.3", noisy, 8261).earned == 4
    assert capfd.readouterr() == ("", "")


def test_a_missing_function_is_named() -> None:
    mark = award("02.3", None, 8261)
    assert (mark.earned, mark.mistake) == (0, "missing")
    assert "attack_success" in mark.says


# The verb of a cell


def test_at_a_students_only_half_counts_and_the_box_says_so(shown: Shown) -> None:
    assert grade("02.3", {"attack_success": attack_success}) == 2
    assert "2 of 4; the other half is counted when you hand in" in shown.text
    assert shown[-1][1]["mark"]["hidden"] == {}


def test_data_of_the_notebook_in_an_answer_is_warned_of(shown: Shown) -> None:
    names: dict[str, Any] = {"torch": torch, "mnist": torch.zeros(3)}
    exec("def attack_success(p, t, target):\n    mnist.sum()\n    return good(p, t, target)", names)
    names["good"] = attack_success
    assert grade("02.3", names) == 2
    assert "It takes mnist from the notebook" in shown.text


def test_the_seed_is_read_below_the_folder_of_the_class_and_only_while_it_is_graded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: Shown
) -> None:
    folder = tmp_path / "class" / "autograded" / "ada" / "02"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert points.hidden_seed() is None
    (tmp_path / "class" / "seed.txt").write_text("8261\n")
    assert points.hidden_seed() == 8261
    assert grade("02.3", {"attack_success": attack_success}) == 4
    assert "8261" not in str(shown)
    monkeypatch.delenv("NBGRADER_EXECUTION")
    assert points.hidden_seed() is None


@pytest.mark.parametrize("text", ["", "many", "-3", "²", "1.5"])
def test_what_is_no_seed_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "seed.txt").write_text(text, encoding="utf-8")
    with pytest.raises(ArgumentError, match="must hold one whole number"):
        points.read_seed(tmp_path / "seed.txt")
    with pytest.raises(DataError, match="wmlearn classroom init"):
        points.read_seed(tmp_path / "none.txt")
