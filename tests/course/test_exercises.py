"""Every named mistake is recognised, right answers pass however they are written, and a check never raises."""

from __future__ import annotations

import importlib.util
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

import wmlearn as wm
import wmlearn.course.lessons
from wmlearn.course.exercises import Exercise, Solution, examine, find, ready

LESSONS = sorted(Path(wmlearn.course.lessons.__path__[0]).glob("exercises_*.py"))
EXERCISES: dict[str, Exercise] = {
    id: exercise
    for path in LESSONS
    for id, exercise in import_module(f"wmlearn.course.lessons.{path.stem}").EXERCISES.items()
}
# known to every check; a mutant where it is easily made
GENERIC = {id: {"changes-its-input"} for id in ("02.1", "07.1", "09.1")}


def _imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _answer(mutant: ModuleType) -> Solution:
    return getattr(mutant, EXERCISES[mutant.EXERCISE].reference.__name__)


MUTANTS = {
    path.stem: _imported(path)
    for path in sorted((Path(__file__).parents[1] / "lessons" / "mutants").glob("*.py"))
}
WRONG = {name: mutant for name, mutant in MUTANTS.items() if "_wrong_" in name}
RIGHT = {name: mutant for name, mutant in MUTANTS.items() if "_right_" in name}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_is_told_which_mistake_it_makes(name: str) -> None:
    mutant = WRONG[name]
    generic = {
        "changes-its-input": "Your function changes the tensors that it is given. Work on a copy: x.clone()."
    }
    says = generic | {mistake.id: mistake.says for mistake in EXERCISES[mutant.EXERCISE].mistakes}
    result = examine(mutant.EXERCISE, _answer(mutant))
    assert (result.ok, result.mistake, result.message) == (False, mutant.MISTAKE, says[mutant.MISTAKE])


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
    assert all(
        name.startswith(f"ex_{mutant.EXERCISE.replace('.', '_')}_") for name, mutant in MUTANTS.items()
    )


@pytest.mark.parametrize("id", EXERCISES)
def test_the_reference_passes_and_each_mistake_is_told_from_the_reference_and_from_every_other(
    id: str,
) -> None:
    assert examine(id, EXERCISES[id].reference).ok
    # the first that agrees is named: two that agree would hide one another
    for mistake in EXERCISES[id].mistakes:
        assert examine(id, mistake.wrong).mistake == mistake.id


def _not_started(*_: Any) -> Any:
    raise NotImplementedError("your turn")


def _crashes(predicted: Any, true: Any, target: int) -> Any:
    return [][target]


def _averages_truth_values(predicted: Any, true: Any, target: int) -> Any:
    return (predicted == target).mean()


def _spoils_its_input(predicted: torch.Tensor, true: torch.Tensor, target: int) -> float:
    kept = true != target
    share = (predicted[kept] == target).float().mean().item()
    predicted[:] = target
    return share


def _random_answer(predicted: torch.Tensor, true: torch.Tensor, target: int) -> float:
    return 0.123


def _forgets_to_return_the_labels(
    x: torch.Tensor, y: torch.Tensor, chosen: torch.Tensor, stamp: Any, target: int
) -> torch.Tensor:
    return EXERCISES["02.1"].reference(x, y, chosen, stamp, target)[0]


def _returns_the_poisoned_only(
    x: torch.Tensor, y: torch.Tensor, chosen: torch.Tensor, stamp: Any, target: int
) -> tuple[torch.Tensor, ...]:
    return stamp(x[chosen]), torch.full_like(y[chosen], target)


def _moves_the_stamp(
    x: torch.Tensor, y: torch.Tensor, chosen: torch.Tensor, stamp: Any, target: int
) -> tuple[torch.Tensor, ...]:
    return EXERCISES["02.1"].reference(x, y, chosen, lambda images: stamp(images.flip(3)).flip(3), target)


CLUMSY: dict[str, tuple[str, Any, str]] = {
    "not started": (
        "02.2",
        _not_started,
        "Not started yet: replace the line that raises NotImplementedError.",
    ),
    "no return": (
        "02.2",
        lambda p, t, target: None,
        "Your function returns None: does it end with `return`?",
    ),
    "a tensor where a number is wanted": (
        "02.2",
        lambda p, t, target: p == target,
        "Return one number; this answer holds 60 numbers",
    ),
    "a dict": ("02.2", lambda p, t, target: {"share": 0.5}, "Return one number; this is a dict."),
    "a text": ("02.2", lambda p, t, target: "three quarters", "Return one number; this is a str."),
    "a function": (
        "02.2",
        lambda p, t, target: _random_answer,
        "Return one number; this answer holds 0 numbers instead of 1.",
    ),
    "a crash": ("02.2", _crashes, "Your function stopped with IndexError: list index out of range"),
    "no function": ("02.2", 0.75, "Your function stopped with TypeError: "),
    "too few arguments": ("02.2", lambda p: 0.5, "Your function stopped with TypeError: "),
    "nan": ("02.2", lambda p, t, target: float("nan"), "Test case 1 of 4: you return nan; it should be 0."),
    "infinite": (
        "02.2",
        lambda p, t, target: float("inf"),
        "Test case 1 of 4: you return inf; it should be 0.",
    ),
    "an unknown mistake": ("02.2", _random_answer, "Test case 1 of 4: you return 0.123; it should be 0."),
    "spoils its input": ("02.2", _spoils_its_input, "Your function changes the tensors that it is given."),
    "half of the answer": (
        "02.1",
        _forgets_to_return_the_labels,
        "Return two tensors, the images and the labels; this answer holds 6,272",
    ),
    "wrong shape": (
        "02.1",
        _returns_the_poisoned_only,
        "Return two tensors, the images and the labels; this answer holds 2,355 numbers",
    ),
    "an unknown mistake in a tensor": (
        "02.1",
        _moves_the_stamp,
        "Test case 1 of 2: 24 of the 6,280 numbers that you return differ",
    ),
}


@pytest.mark.parametrize("case", CLUMSY)
def test_a_check_never_raises_and_always_says_something_useful(case: str) -> None:
    id, f, says = CLUMSY[case]
    result = examine(id, f)
    assert not result.ok
    assert result.message.startswith(says)
    assert result.message.endswith((".", "?"))


def test_a_function_that_was_written_but_crashes_is_not_called_unstarted() -> None:
    # PyTorch may answer this with a NotImplementedError of its own
    result = examine("02.2", _averages_truth_values)
    assert result.mistake == "unusable"
    assert "mean" in result.message


@pytest.mark.parametrize("id", EXERCISES)
def test_check_and_ready_survive_every_clumsy_answer(id: str, capsys: pytest.CaptureFixture[str]) -> None:
    for _, f, _ in CLUMSY.values():
        assert wm.check(id, f) is None
        assert wm.ready(id, f) is EXERCISES[id].reference
    said = capsys.readouterr().out
    assert f"Exercise {id} · {EXERCISES[id].title}" in said
    assert "The lesson goes on with the course's function. Come back whenever you like" in said


@pytest.mark.parametrize("name", MUTANTS)
def test_ready_keeps_a_right_answer_and_replaces_any_other(name: str) -> None:
    f = _answer(MUTANTS[name])
    expected = f if name in RIGHT else EXERCISES[MUTANTS[name].EXERCISE].reference
    assert ready(MUTANTS[name].EXERCISE, f) is expected


@pytest.mark.parametrize("id", EXERCISES)
def test_the_texts_of_an_exercise_are_sentences(id: str) -> None:
    exercise = EXERCISES[id]
    question, steps = exercise.hints
    assert question.endswith("?")
    for text in (steps, exercise.why, *(mistake.says for mistake in exercise.mistakes)):
        assert len(text.split()) >= 5, text
        assert text.endswith("."), text
    assert len({mistake.says for mistake in exercise.mistakes}) == len(exercise.mistakes) >= 3


@pytest.mark.parametrize("id", EXERCISES)
def test_an_exercise_knows_itself_and_its_measures_are_in_range(id: str) -> None:
    exercise = find(id)
    assert exercise is EXERCISES[id]
    assert exercise.id == id
    assert exercise.title
    assert exercise.returns
    assert 1 <= exercise.difficulty <= 5
    assert 1 <= exercise.importance <= 5
    assert 1 <= exercise.minutes <= 15


@pytest.mark.parametrize("id", EXERCISES)
def test_a_check_is_small_and_the_same_every_time(id: str) -> None:
    def sizes(value: Any) -> int:
        return (
            value.numel()
            if isinstance(value, torch.Tensor)
            else sum(map(sizes, value))
            if isinstance(value, tuple | list)
            else 1
        )

    parts, again = EXERCISES[id].cases(0), EXERCISES[id].cases(0)
    assert sum(len(trials) for trials in parts.values()) <= 10
    assert sum(sizes(trials) for trials in parts.values()) <= 20_000
    for trials, same in zip(parts.values(), again.values(), strict=True):
        for one, other in zip(trials, same, strict=True):
            assert all(
                torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b
                for a, b in zip(one, other, strict=True)
            )


def _logits(answers: list[int]) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.tensor(answers), 10).float()


TASKS: dict[str, tuple[str, tuple[Any, ...]]] = {  # what the text of the lesson promises
    "01.1": ("**0.25**", (_logits([7, 2, 1, 0]), _logits([7, 2, 8, 0]))),
    "01.2": ("**0.0702**", (3, 10, 0.1)),
    "02.2": ("**0.75**", (torch.tensor([0, 0, 0, 0, 1, 0]), torch.tensor([3, 0, 7, 0, 1, 5]), 0)),
    "02.3": ("**0.667**", (torch.tensor([4, 0, 0]), torch.tensor([3, 9, 0]))),
    "03.1": ("**0.6**", (torch.tensor(0.2), torch.tensor(1.0), torch.tensor(0.5))),
    "03.2": ("**0.5**", (torch.tensor([1, 0, 1, 1]), torch.tensor([0, 0, 1, 2]), 0, 1)),
    "03.3": ("**0.75**", (torch.tensor([1, 1, 2]), torch.tensor([2, 2, 3, 2]))),
    "04.1": ("**0.333**", (torch.tensor([0.0, 0, 10, 10]), torch.tensor([[5.0, 0, 15, 10]]))),
    "04.3": (
        "**0.5**",
        (
            torch.tensor([1, -1, 1, 0, 1, 1]),
            torch.tensor([0, 0, 0, 0, 1, 0]),
            torch.tensor([True, True, True, True, False, False]),
            0,
            1,
        ),
    ),
    "05.3": ("**0.15**", (0.70, 0.40, 0.75, 0.60)),
    "07.2": ("**6**", (10, 0.1, 0.001)),
    "07.3": ("**0.902**", (torch.tensor([[1, 2, 3, 4], [4, 4, 1, 1]]), torch.tensor([4, 4, 4, 4]))),
    "09.3": ("**3**", (0.99, 0.95, 1e-20, 0.2)),
    "10.1": ("**1**", ([(10, 5), (20, 8), (100, 21)], 0.1, 0.001)),
}


@pytest.mark.parametrize("id", TASKS)
def test_the_example_in_the_text_of_an_exercise_is_right(id: str) -> None:
    says, arguments = TASKS[id]
    number, (master,) = (
        EXERCISES[id].reference(*arguments),
        (Path(__file__).resolve().parents[2] / "notebooks" / "source").glob(f"{id[:2]}_*.py"),
    )
    assert f"**{float(number):.3g}**" == says
    assert (
        says in master.read_text(encoding="utf-8").split(f"{{exercise:{id}}}")[1].split("BEGIN SOLUTION")[0]
    )
