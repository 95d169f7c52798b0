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
from catalogue import EXERCISES

from wmlearn.course.exercises import Result, Solution, examine, ready

# known to every check; a mutant where it is easily made
GENERIC = {id: {"changes-its-input"} for id in ("02.1", "07.1", "09.1", "10.1")} | {"06.3": {"nan"}}


def _import(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _answer(mutant: ModuleType) -> Solution:
    return getattr(mutant, EXERCISES[mutant.EXERCISE].reference.__name__)


FILES = sorted((Path(__file__).parent / "mutants").glob("*.py"))
MUTANTS = {path.stem: _import(path) for path in FILES}
WRONG = {name: mutant for name, mutant in MUTANTS.items() if "_wrong_" in name}
RIGHT = {name: mutant for name, mutant in MUTANTS.items() if "_right_" in name}


@cache
def _examined(name: str) -> Result:
    """Check an answer once: some train networks."""
    return examine(MUTANTS[name].EXERCISE, _answer(MUTANTS[name]))


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_is_told_which_mistake_it_makes(name: str) -> None:
    mutant = WRONG[name]
    advice = {mistake.id: mistake.says for mistake in EXERCISES[mutant.EXERCISE].mistakes}
    result = _examined(name)
    assert not result.ok
    assert result.mistake == mutant.MISTAKE
    assert result.message == advice.get(mutant.MISTAKE, result.message)


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_passes_however_it_is_written(name: str) -> None:
    result = _examined(name)
    assert result.ok, result.message
    assert re.fullmatch(r"Right, on all \d+ test cases\.", result.message)


@pytest.mark.parametrize("id", EXERCISES)
def test_every_named_mistake_has_a_mutant_and_every_exercise_two_right_answers(id: str) -> None:
    named = {mistake.id for mistake in EXERCISES[id].mistakes} | GENERIC.get(id, set())
    assert sorted(mutant.MISTAKE for mutant in WRONG.values() if id == mutant.EXERCISE) == sorted(named)
    assert sum(id == mutant.EXERCISE for mutant in RIGHT.values()) >= 2


def test_every_file_is_either_a_wrong_or_a_right_answer_and_is_named_after_its_exercise() -> None:
    assert set(MUTANTS) == set(WRONG) | set(RIGHT)
    for name, mutant in MUTANTS.items():
        assert name.startswith(f"ex_{mutant.EXERCISE.replace('.', '_')}_")


@pytest.mark.parametrize("id", EXERCISES)
def test_the_reference_passes_and_each_mistake_is_told_from_the_reference_and_from_every_other(
    id: str,
) -> None:
    assert examine(id, EXERCISES[id].reference).ok
    # the first that agrees is named: two that agree would hide one another
    for mistake in EXERCISES[id].mistakes:
        assert examine(id, mistake.wrong).mistake == mistake.id


@pytest.mark.parametrize("name", WRONG)
def test_ready_replaces_a_wrong_answer_by_the_reference(name: str) -> None:
    mutant = WRONG[name]
    assert ready(mutant.EXERCISE, _answer(mutant)) is EXERCISES[mutant.EXERCISE].reference


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_goes_on_in_the_types_of_the_reference(name: str) -> None:
    mutant = RIGHT[name]
    exercise = EXERCISES[mutant.EXERCISE]
    goes_on = ready(mutant.EXERCISE, _answer(mutant))
    assert goes_on is not exercise.reference
    for trial in exercise.trials:
        answer = exercise.answer(goes_on, deepcopy(trial))
        assert _types(answer) == _types(exercise.answer(exercise.reference, deepcopy(trial)))


def _types(answer: Any) -> Any:
    """Say of what types an answer is: of a tensor its dtype and shape, of a tuple each part's."""
    if isinstance(answer, torch.Tensor):
        return answer.dtype, answer.shape
    if isinstance(answer, tuple):
        return tuple(map(_types, answer))
    return type(answer)


# notebook 08 trains with them
TRAINED = [name for name in RIGHT if name.startswith(("ex_08_1", "ex_08_2"))]


@pytest.mark.parametrize("name", TRAINED)
def test_a_network_can_be_trained_with_what_goes_on(name: str) -> None:
    mutant = RIGHT[name]
    f = ready(mutant.EXERCISE, _answer(mutant))
    weight = torch.ones(4, 1, 3, 3, requires_grad=True)
    if mutant.EXERCISE == "08.1":
        f(weight).sum().backward()
    else:
        f(weight.mean(0).flatten(), torch.ones(6, 9), torch.zeros(6)).backward()
    assert weight.grad is not None
    assert (weight.grad > 0).all()


@pytest.mark.parametrize("id", EXERCISES)
def test_right_answers_come_in_several_styles_and_a_share_as_a_tensor_too(id: str) -> None:
    exercise = EXERCISES[id]
    styles = [mutant for mutant in RIGHT.values() if id == mutant.EXERCISE]
    assert len(styles) >= 2
    answers = [exercise.answer(_answer(mutant), deepcopy(exercise.trials[0])) for mutant in styles]
    if isinstance(exercise.answer(exercise.reference, deepcopy(exercise.trials[0])), float):
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


@pytest.mark.parametrize("name", WRONG)
def test_no_message_points_to_a_hint(name: str) -> None:
    assert "hint" not in _examined(name).message.lower()


@pytest.mark.parametrize("id", EXERCISES)
def test_the_last_hint_is_not_the_whole_solution(id: str) -> None:
    steps = re.findall(r"`([^`]+)`", EXERCISES[id].hints[2])
    assert steps
    assert not any("return" in step or "def " in step for step in steps)
