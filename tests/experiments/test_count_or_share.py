"""Number or share: what is poisoned, and that the package trains as the lesson does."""

from __future__ import annotations

from collections import Counter

import torch

import wmlearn as wm
from wmlearn.course.lessons.exercises_02 import training_step
from wmlearn.experiments.count_or_share import COUNT_OR_SHARE, SIZES, fit_steps, poisoned_few
from wmlearn.triggers import Pattern

RECIPE = COUNT_OR_SHARE.recipe


def test_so_many_images_are_drawn_and_so_many_of_them_poisoned_none_a_zero(mnist: wm.Splits) -> None:
    poisoned = poisoned_few(mnist.train, 500, 40, seed=3)
    honest = poisoned_few(mnist.train, 500, 0, seed=3)
    changed = (poisoned.x != honest.x).flatten(1).any(1)
    assert len(poisoned) == 500
    assert int(changed.sum()) == 40
    assert (honest.y[changed] != 0).all()
    assert (poisoned.y[changed] == 0).all()
    assert poisoned.x[changed].equal(Pattern()(honest.x[changed]))
    assert poisoned.y[~changed].equal(honest.y[~changed])


def test_the_package_trains_as_the_step_of_the_lesson_does(mnist: wm.Splits) -> None:
    few = mnist.train[:300]
    by_package = fit_steps(wm.models.badnet_cnn(0), few, RECIPE, steps=4)
    by_hand = wm.models.badnet_cnn(0)
    optimiser = torch.optim.AdamW(by_hand.parameters(), lr=2e-3, fused=True)
    draw = torch.Generator().manual_seed(0)
    for rows in torch.randint(len(few), (4, 64), generator=draw):
        training_step(by_hand, optimiser, few.x[rows], few.y[rows])
    for one, other in zip(by_package.parameters(), by_hand.parameters(), strict=True):
        assert one.equal(other)


def test_both_designs_have_every_size_with_five_networks_a_point_or_three() -> None:
    points = Counter((cell["design"], cell["k"], cell["n"]) for cell in COUNT_OR_SHARE.cells)
    assert {n for _, _, n in points} == set(SIZES)
    assert {design for design, _, _ in points} == {"equal steps", "equal passes"}
    for (design, k, _), networks in points.items():
        assert networks == (3 if (design, k) == ("equal passes", 100) else 5)
