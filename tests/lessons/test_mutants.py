"""Every named mistake is recognised, and right answers pass however they are written."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
from catalogue import EXERCISES

from wmlearn.course.exercises import Solution, examine, ready

# known to every check; a mutant where it is easily made
GENERIC = {id: {"changes-its-input"} for id in ("02.1", "07.1", "09.1")}


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


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_is_told_which_mistake_it_makes(name: str) -> None:
    mutant = WRONG[name]
    advice = {mistake.id: mistake.says for mistake in EXERCISES[mutant.EXERCISE].mistakes}
    result = examine(mutant.EXERCISE, _answer(mutant))
    assert not result.ok
    assert result.mistake == mutant.MISTAKE
    assert result.message == advice.get(mutant.MISTAKE, result.message)


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_passes_however_it_is_written(name: str) -> None:
    result = examine(RIGHT[name].EXERCISE, _answer(RIGHT[name]))
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


@pytest.mark.parametrize("name", MUTANTS)
def test_ready_keeps_a_right_answer_and_replaces_any_other(name: str) -> None:
    f = _answer(MUTANTS[name])
    expected = f if name in RIGHT else EXERCISES[MUTANTS[name].EXERCISE].reference
    assert ready(MUTANTS[name].EXERCISE, f) is expected
