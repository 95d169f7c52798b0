"""The network beside the marked ones: as it came where it shows that it has learnt the task, else a copy."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import wmlearn as wm
from wmlearn.watermarks import unmarked

QUICK = wm.Recipe(epochs=1)


class Mean(nn.Module):
    """Answers with the class that an image's brightness says; `wrong` images in the front get another one."""

    def __init__(self, classes: int, wrong: int = 0) -> None:
        super().__init__()
        self.classes = classes
        self.wrong = wrong
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        said = (x.flatten(1).mean(1) * 100).round().long()
        said[: self.wrong] = (said[: self.wrong] + 1) % self.classes
        return self.scale * nn.functional.one_hot(said, self.classes).float()


def _samples(labels: list[int], classes: int) -> wm.Samples:
    y = torch.tensor(labels)
    x = (y / 100).view(-1, 1, 1, 1).expand(-1, 1, 4, 4).clone()
    return wm.Samples(x, y, tuple("abcdefghij"[:classes]))


def _kept(labels: list[int], classes: int, wrong: int = 0) -> bool:
    """Say whether the network is taken as it came."""
    samples = _samples(labels, classes)
    model = Mean(classes, wrong)
    return unmarked(model, samples, samples, QUICK).model is model


def test_a_network_that_is_right_is_taken_as_it_came_and_the_numbers_are_said() -> None:
    samples = _samples([0, 1, 2, 3] * 10, 4)
    model = Mean(4, wrong=2)
    other = unmarked(model, samples, samples, QUICK)
    assert other.model is model
    assert other.origin == (
        "the network as it came: 38 of 40 test images are classified correctly, 20 would do"
    )


def test_few_images_that_a_guess_gets_right_as_well_make_no_trained_network() -> None:
    """Two classes, ten images: six right ones come from guessing in two of five networks."""
    two = [0, 1] * 5
    assert not _kept(two, 2, wrong=4)
    assert not _kept(two, 2, wrong=1), "nine of ten have a chance of 0.011"
    assert _kept(two, 2), "ten of ten have one of 0.00098"
    samples = _samples(two, 2)
    other = unmarked(Mean(2, wrong=1), samples, samples, QUICK)
    assert "as it came, 9 of 10 test images are classified correctly, and 10 would show" in other.origin


def test_the_commonest_class_is_what_a_network_must_beat() -> None:
    assert not _kept([0] * 32 + [1] * 8, 2, wrong=4), "36 of 40, where one class alone gives 32"
    assert _kept([0, 1] * 20, 2, wrong=4)


@pytest.mark.parametrize("labels", [[0] * 20, [0, 1, 0, 1]])
def test_images_of_which_no_network_can_show_it_are_said(labels: list[int]) -> None:
    samples = _samples(labels, 2)
    model = Mean(2)
    other = unmarked(model, samples, samples, QUICK)
    assert other.model is not model
    assert other.origin.endswith(
        f"{len(labels)} test images are too few to show whether the one that came has learnt them"
    )


def test_half_is_asked_for_where_chance_is_small() -> None:
    ten = list(range(10)) * 4
    assert not _kept(ten, 10, wrong=21)
    assert _kept(ten, 10, wrong=20)


@pytest.mark.parametrize("n", [10, 20, 40])
def test_of_a_thousand_networks_that_guess_hardly_one_is_taken_for_a_trained_one(n: int) -> None:
    draw = torch.Generator().manual_seed(n)
    labels = ([0, 1] * n)[:n]
    samples = _samples(labels, 2)
    taken = 0
    for _ in range(300):
        wrong = int(torch.randint(2, (n,), generator=draw).sum())
        model = Mean(2, wrong)
        taken += unmarked(model, samples, samples, QUICK).model is model
    assert taken <= 3
