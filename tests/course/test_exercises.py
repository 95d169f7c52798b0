"""A check never raises, whatever a learner wrote, and always says something useful."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from catalogue import EXERCISES
from displays import Shown

import wmlearn as wm
from wmlearn.course import exercises, record
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


def _empties_a_list(leaf: bytes, index: int, siblings: list[bytes]) -> bytes:
    return siblings.pop() if siblings else leaf


def _random_answer(predicted: torch.Tensor, true: torch.Tensor, target: int) -> float:
    return 0.123


def _forgets_to_return_the_labels(
    x: torch.Tensor, y: torch.Tensor, chosen: torch.Tensor, stamp: Any, target: int, add: bool
) -> torch.Tensor:
    return EXERCISES["02.1"].reference(x, y, chosen, stamp, target, add)[0]


def _returns_the_poisoned_only(
    x: torch.Tensor, y: torch.Tensor, chosen: torch.Tensor, stamp: Any, target: int, add: bool
) -> tuple[torch.Tensor, ...]:
    return stamp(x[chosen]), torch.full_like(y[chosen], target)


def _moves_the_stamp(
    x: torch.Tensor, y: torch.Tensor, chosen: torch.Tensor, stamp: Any, target: int, add: bool
) -> tuple[torch.Tensor, ...]:
    return EXERCISES["02.1"].reference(
        x, y, chosen, lambda images: stamp(images.flip(3)).flip(3), target, add
    )


CLUMSY: dict[str, tuple[str, Any, str]] = {
    "not started": (
        "02.3",
        _not_started,
        "Not started yet: replace the line that raises NotImplementedError.",
    ),
    "no return": (
        "02.3",
        lambda p, t, target: None,
        "Your function returns None: does it end with `return`?",
    ),
    "a tensor where a number is wanted": (
        "02.3",
        lambda p, t, target: p == target,
        "Return one number; this answer holds 60 numbers",
    ),
    "a dict": ("02.3", lambda p, t, target: {"share": 0.5}, "Return one number; this is a dict."),
    "a text": ("02.3", lambda p, t, target: "three quarters", "Return one number; this is a str."),
    "a function": (
        "02.3",
        lambda p, t, target: _random_answer,
        "Return one number; this answer holds 0 numbers instead of 1.",
    ),
    "a crash": ("02.3", _crashes, "Your function stopped with IndexError: list index out of range"),
    "no function": ("02.3", 0.75, "Your function stopped with TypeError: "),
    "too few arguments": ("02.3", lambda p: 0.5, "Your function stopped with TypeError: "),
    "nan": ("02.3", lambda p, t, target: float("nan"), "Your answer is NaN, not a number."),
    "infinite": (
        "02.3",
        lambda p, t, target: float("inf"),
        "Test case 1 of 4: you return inf; it should be 0.",
    ),
    "an unknown mistake": ("02.3", _random_answer, "Test case 1 of 4: you return 0.123; it should be 0."),
    "spoils its input": ("02.3", _spoils_its_input, "Your function changes what it is given."),
    "empties a list": ("10.1", _empties_a_list, "Your function changes what it is given."),
    "half of the answer": (
        "02.1",
        _forgets_to_return_the_labels,
        "Return two tensors, the images and the labels; this answer holds 4,704",
    ),
    "wrong shape": (
        "02.1",
        _returns_the_poisoned_only,
        "Return two tensors, the images and the labels; this answer holds 2,355 numbers",
    ),
    "an unknown mistake in a tensor": (
        "02.1",
        _moves_the_stamp,
        "Test case 1 of 4: 24 of the 4,710 numbers that you return differ",
    ),
}


@pytest.mark.parametrize("case", CLUMSY)
def test_a_check_never_raises_and_always_says_something_useful(case: str) -> None:
    id, f, says = CLUMSY[case]
    result = examine(id, f)
    assert not result.ok
    assert result.message.startswith(says)
    assert result.message.endswith((".", "?"))


def test_the_mean_of_truth_values_is_named_whatever_error_pytorch_raises() -> None:
    result = examine("02.3", _averages_truth_values)
    assert result.mistake == "mean-of-truth-values"
    assert result.message == exercises.MEAN_OF_TRUTH_VALUES


def test_a_function_that_was_written_but_crashes_is_not_called_unstarted() -> None:
    def crashes(predicted: Any, true: Any, target: int) -> Any:
        raise NotImplementedError("an error of PyTorch's own")

    result = examine("02.3", crashes)
    assert result.mistake == "unusable"
    assert result.message == "Your function stopped with NotImplementedError: an error of PyTorch's own."


@pytest.mark.parametrize("id", EXERCISES)
def test_check_and_ready_survive_every_clumsy_answer(id: str, capsys: pytest.CaptureFixture[str]) -> None:
    for _, f, _ in CLUMSY.values():
        assert wm.check(id, f) is None
        assert wm.ready(id, f) is EXERCISES[id].reference
    output = capsys.readouterr().out
    assert f"Exercise {id} · {EXERCISES[id].title}" in output
    assert exercises.GOES_ON in output


GENERIC: dict[str, tuple[str, Any]] = {
    "percent": ("01.1", lambda a, b: 100 * EXERCISES["01.1"].reference(a, b)),
    "nan": ("01.2", lambda hits, trials, chance: float("nan")),
    "complement": ("04.4", lambda *arguments: 1 - EXERCISES["04.4"].reference(*arguments)),
    "sign": ("08.2", lambda *arguments: -EXERCISES["08.2"].reference(*arguments)),
}


@pytest.mark.parametrize("mistake", GENERIC)
def test_a_mistake_that_can_be_made_anywhere_is_named_everywhere(mistake: str) -> None:
    id, f = GENERIC[mistake]
    assert examine(id, f).mistake == mistake


def test_a_small_probability_is_neither_zero_nor_a_larger_one() -> None:
    p_value = EXERCISES["01.2"].reference
    assert not examine("01.2", lambda *claim: p_value(*claim) if p_value(*claim) > 1e-5 else 0.0).ok
    assert not examine("01.2", lambda *claim: p_value(*claim) * (1 if p_value(*claim) > 1e-50 else 2)).ok
    assert examine("01.2", lambda *claim: p_value(*claim) * (1 + 1e-6)).ok


def test_what_rounding_leaves_of_nothing_is_nothing_and_nothing_is_not_a_small_p_value() -> None:
    assert exercises._close(1e-9, 0.0)
    assert not exercises._close(0.0, 1e-10)
    assert not exercises._close(1e-200, 1e-300)
    assert exercises._close(1.00001e-300, 1e-300)


def test_an_answer_takes_the_shape_that_the_lesson_goes_on_with() -> None:
    assert exercises.like(torch.ones(1, 5), torch.zeros(3)).shape == (5,)
    assert exercises.like([[1.0], [2.0]], torch.zeros(3)).tolist() == [1.0, 2.0]
    assert exercises.like([b"root"], b"other") == b"root"


def test_the_courses_own_function_handed_in_again_solves_nothing(shown: Shown, home: Path) -> None:
    def unsolved(a: Any, b: Any) -> Any:
        raise NotImplementedError(exercises.YOUR_TURN)

    first = wm.ready("01.1", unsolved)
    again = wm.ready("01.1", first)
    assert again is first
    assert "Not started yet" in shown.text
    assert record.load().solved == {}
    wm.ready("01.1", lambda a, b: (a.argmax(1) != b.argmax(1)).double().mean())
    assert list(record.load().solved) == ["01.1"]
