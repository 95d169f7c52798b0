"""A check never raises, whatever a learner wrote, and always says something useful."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from catalogue import EXERCISES

import wmlearn as wm
from wmlearn.course.exercises import examine


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
    output = capsys.readouterr().out
    assert f"Exercise {id} · {EXERCISES[id].title}" in output
    assert "The lesson goes on with the course's function. Come back whenever you like" in output
