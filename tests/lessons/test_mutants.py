"""Every named mistake is recognised; right answers pass however they are written, and go on in one type."""

from __future__ import annotations

import importlib.util
import re
from copy import deepcopy
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from catalogue import EXERCISES, FEW_PASSES

from wmlearn.course import exercises
from wmlearn.course.exercises import Solution, ready
from wmlearn.course.lessons import exercises_05

# known to every check; a mutant where it is easily made
GENERIC = {id: {"changes-its-input"} for id in ("02.1", "07.1", "09.1", "10.1")} | {"06.3": {"nan"}}
FILES = {path.stem: path for path in sorted((Path(__file__).parent / "mutants").glob("*.py"))}


@cache
def _mutant(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FILES[name])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _mutants(id: str, kind: str) -> dict[str, ModuleType]:
    """Return the answers to an exercise that are "wrong", or "right"."""
    begin = f"ex_{id.replace('.', '_')}_{kind}_"
    return {name: _mutant(name) for name in FILES if name.startswith(begin)}


def _answer(mutant: ModuleType) -> Solution:
    return getattr(mutant, EXERCISES[mutant.EXERCISE].reference.__name__)


_examine = cache(exercises.examine)
"""Check an answer once: some train networks."""


@pytest.fixture(autouse=True)
def _examined_once_and_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exercises, "examine", _examine)
    monkeypatch.setattr(exercises_05, "PASSES", FEW_PASSES)


@pytest.mark.parametrize("id", EXERCISES)
def test_a_wrong_answer_is_told_which_mistake_it_makes_and_no_hint(id: str) -> None:
    mutants = _mutants(id, "wrong")
    results = {name: _examine(id, _answer(mutant)) for name, mutant in mutants.items()}
    told = {name: result.mistake for name, result in results.items()}
    assert told == {name: mutant.MISTAKE for name, mutant in mutants.items()}
    advice = {mistake.id: mistake.says for mistake in EXERCISES[id].mistakes}
    for result in results.values():
        assert not result.ok
        assert result.message == advice.get(result.mistake, result.message)
        assert "hint" not in result.message.lower()


@pytest.mark.parametrize("id", EXERCISES)
def test_a_right_answer_passes_however_it_is_written(id: str) -> None:
    for name, mutant in _mutants(id, "right").items():
        result = _examine(id, _answer(mutant))
        assert result.ok, (name, result.message)
        assert re.fullmatch(r"Right, on all \d+ test cases\.", result.message), name


@pytest.mark.parametrize("id", EXERCISES)
def test_every_named_mistake_has_a_mutant_and_every_exercise_two_right_answers(id: str) -> None:
    named = {mistake.id for mistake in EXERCISES[id].mistakes} | GENERIC.get(id, set())
    assert sorted(mutant.MISTAKE for mutant in _mutants(id, "wrong").values()) == sorted(named)
    assert len(_mutants(id, "right")) >= 2


def test_every_file_is_either_a_wrong_or_a_right_answer_and_is_named_after_its_exercise() -> None:
    for name in FILES:
        id = _mutant(name).EXERCISE
        assert name in _mutants(id, "wrong") | _mutants(id, "right")


@pytest.mark.parametrize("id", EXERCISES)
def test_the_reference_passes_and_each_mistake_is_told_from_the_reference_and_from_every_other(
    id: str,
) -> None:
    assert _examine(id, EXERCISES[id].reference).ok
    # the first that agrees is named: two that agree would hide one another
    for mistake in EXERCISES[id].mistakes:
        assert _examine(id, mistake.wrong).mistake == mistake.id


@pytest.mark.parametrize("id", EXERCISES)
def test_ready_replaces_a_wrong_answer_by_the_reference(id: str) -> None:
    go_on = {name: ready(id, _answer(mutant)) for name, mutant in _mutants(id, "wrong").items()}
    assert [name for name, solution in go_on.items() if solution is not EXERCISES[id].reference] == []


@pytest.mark.parametrize("id", EXERCISES)
def test_a_right_answer_goes_on_in_the_types_of_the_reference(id: str) -> None:
    exercise = EXERCISES[id]
    wanted = [_types(exercise.answer(exercise.reference, deepcopy(trial))) for trial in exercise.trials]
    for name, mutant in _mutants(id, "right").items():
        goes_on = ready(id, _answer(mutant))
        assert goes_on is not exercise.reference
        types = [_types(exercise.answer(goes_on, deepcopy(trial))) for trial in exercise.trials]
        assert types == wanted, name


def _types(answer: Any) -> Any:
    """Say of what types an answer is: of a tensor its dtype and shape, of a tuple each part's."""
    if isinstance(answer, torch.Tensor):
        return answer.dtype, answer.shape
    if isinstance(answer, tuple):
        return tuple(map(_types, answer))
    return type(answer)


@pytest.mark.parametrize("id", ["08.1", "08.2"])  # notebook 08 trains with them
def test_a_network_can_be_trained_with_what_goes_on(id: str) -> None:
    for name, mutant in _mutants(id, "right").items():
        f = ready(id, _answer(mutant))
        weight = torch.ones(4, 1, 3, 3, requires_grad=True)
        if id == "08.1":
            f(weight).sum().backward()
        else:
            f(weight.mean(0).flatten(), torch.ones(6, 9), torch.zeros(6)).backward()
        assert weight.grad is not None, name
        assert (weight.grad > 0).all(), name


@pytest.mark.parametrize("id", EXERCISES)
def test_a_share_comes_as_a_tensor_from_some_right_answer(id: str) -> None:
    exercise = EXERCISES[id]
    trial = exercise.trials[0]
    if type(exercise.answer(exercise.reference, deepcopy(trial))) is float:
        mutants = _mutants(id, "right").values()
        answers = [exercise.answer(_answer(mutant), deepcopy(trial)) for mutant in mutants]
        assert any(isinstance(answer, torch.Tensor) for answer in answers)


@pytest.mark.parametrize("id", EXERCISES)
def test_an_exercise_has_three_hints_that_differ_and_two_to_four_symptoms(id: str) -> None:
    exercise = EXERCISES[id]
    assert len(set(exercise.hints)) == len(exercise.hints) == 3
    assert 2 <= len(exercise.symptoms) <= 4
    assert len({symptom.sign for symptom in exercise.symptoms}) == len(exercise.symptoms)
    for symptom in exercise.symptoms:
        assert symptom.sign.endswith(":"), symptom.sign
        assert symptom.advice.endswith("."), symptom.advice


@pytest.mark.parametrize("id", EXERCISES)
def test_the_last_hint_is_not_the_whole_solution(id: str) -> None:
    steps = re.findall(r"`([^`]+)`", EXERCISES[id].hints[2])
    assert steps
    assert not any("return" in step or "def " in step for step in steps)
