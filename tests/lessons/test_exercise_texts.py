"""What an exercise says of itself is so: its texts, its measures, its example, its cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from catalogue import EXERCISES

from wmlearn.course.exercises import find
from wmlearn.course.lessons import exercises_01


@pytest.mark.parametrize("id", EXERCISES)
def test_the_texts_of_an_exercise_are_sentences(id: str) -> None:
    exercise = EXERCISES[id]
    question, plan, last_step = exercise.hints
    assert question.endswith("?")
    for text in (plan, last_step, exercise.why, *(mistake.says for mistake in exercise.mistakes)):
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
    parts = EXERCISES[id].cases(0)
    assert sum(len(trials) for trials in parts.values()) <= 10
    assert sum(_size(trials) for trials in parts.values()) <= 20_000
    for trials, again in zip(parts.values(), EXERCISES[id].cases(0).values(), strict=True):
        for one, other in zip(trials, again, strict=True):
            assert all(_same(a, b) for a, b in zip(one, other, strict=True))


def _size(value: Any) -> int:
    if isinstance(value, torch.Tensor):
        return value.numel()
    return sum(map(_size, value)) if isinstance(value, tuple | list) else 1


def _same(a: Any, b: Any) -> bool:
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


def _logits(answers: list[int]) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.tensor(answers), 10).float()


TASKS: dict[str, tuple[str, tuple[Any, ...]]] = {  # what the text of the lesson promises
    "01.1": ("**0.25**", (_logits([7, 2, 1, 0]), _logits([7, 2, 8, 0]))),
    "01.2": ("**0.0702**", (3, 10, 0.1)),
    "01.3": ("**2**", (exercises_01.Hits((9, 12, 15)), 12)),
    "02.3": ("**0.75**", (torch.tensor([0, 0, 0, 0, 1, 0]), torch.tensor([3, 0, 7, 0, 1, 5]), 0)),
    "02.4": (
        "**0.0654**",
        (torch.tensor([True] * 9 + [False] * 2), torch.tensor([False] * 9 + [True] * 2)),
    ),
    "04.1": ("**0.333**", (torch.tensor([0.0, 0, 10, 10]), torch.tensor([[5.0, 0, 15, 10]]))),
    "04.2": ("**1**", (torch.tensor([0.9, 0.6, 0.1]), torch.tensor([0.6, 0.8, 0.9]), torch.arange(3))),
    "04.4": (
        "**0.332**",
        (torch.tensor([0.6, 0.9, 0.7, 0.8]), torch.tensor([True, False, False, True]), 3),
    ),
    "05.4": ("**0.15**", (0.70, 0.40, 0.75, 0.60)),
    "06.4": ("**0.5**", (torch.arange(1, 101).float(), torch.tensor([0.0, 3, 50, 60]), 0.05)),
    "07.2": ("**6**", (10, 0.1, 0.001)),
    "09.3": ("**1**", (0.005, 19, 9, 100)),
    "11.2": ("**5**", (b"sixteen bytes :)", torch.zeros(1, 2, 2), 3, 10, 1.0)),
    "11.3": ("**0.5**", (torch.tensor([0.1, 0.5]), torch.tensor([0.2, 0.3, 0.4]), 0.25)),
    "12.1": ("**0.5**", (torch.eye(2), torch.eye(2), torch.tensor([[1, 0]]))),
    "12.2": ("**0.167**", (torch.tensor([1, 1, 0, 0]) > 0, torch.tensor([0, 0, 1, 1]) > 0)),
    "12.3": ("**0.5**", (torch.tensor([[2.0, 0]]), torch.tensor([[[1.0, 0]], [[0.0, 1]]]))),
    "13.2": (
        "**0.5**",
        (
            lambda x: torch.where(x > 4, 7, 0),
            torch.tensor([1, 3, 3]),
            torch.tensor([1, 2, 7]),
            lambda x: x + 3,  # with the trigger all become 7, in the room alone the second and third
            lambda x: x + 2,
            7,
        ),
    ),
    "14.3": (
        "**0.875**",
        (
            torch.tensor([1, 2, 1, 2, 3]),
            torch.zeros(4, 4).index_put((torch.tensor(1), torch.tensor(2)), torch.tensor(1.0)) > 0,
            0.5,
        ),
    ),
}


@pytest.mark.parametrize("id", TASKS)
def test_the_example_in_the_text_of_an_exercise_is_right(id: str) -> None:
    says, arguments = TASKS[id]
    assert f"**{float(EXERCISES[id].reference(*arguments)):.3g}**" == says
    (master,) = (Path(__file__).resolve().parents[2] / "notebooks" / "source").glob(f"{id[:2]}_*.py")
    text = master.read_text(encoding="utf-8").split(f"{{exercise:{id}}}")[1]
    assert says in text.split("BEGIN SOLUTION")[0]
