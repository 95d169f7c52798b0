"""What an attacker adds to a training set or to a loss, so that a detector sees nothing."""

from __future__ import annotations

import pytest
import torch

import wmlearn as wm
from wmlearn.experiments import detection, evasion
from wmlearn.models import badnet_cnn
from wmlearn.triggers import Pattern


@pytest.fixture(scope="module")
def poisoned(mnist: wm.Splits) -> wm.Poisoned:
    return wm.poison(mnist.train[:600], Pattern(), rate=0.1, target=evasion.TARGET)


def test_a_doubled_picture_shows_the_pattern_and_a_second_digit_under_a_right_label(mnist: wm.Splits) -> None:
    samples = mnist.train[:600]
    covers = evasion.doubled(samples, Pattern(), 50, seed=3)
    again = evasion.doubled(samples, Pattern(), 50, seed=3)
    assert len(covers) == 50
    assert torch.equal(covers.x, again.x)
    assert torch.equal(Pattern()(covers.x), covers.x), "the pattern stays white"
    ink = covers.x.flatten(1).gt(0.5).sum(1).float().mean()
    assert ink > 1.3 * Pattern()(samples.x).flatten(1).gt(0.5).sum(1).float().mean()
    assert covers.y.unique().numel() == 10


def test_resemblance_pulls_poison_to_the_mean_of_the_target_and_not_everything_to_zero(
    poisoned: wm.Poisoned,
) -> None:
    model = badnet_cnn(0)
    penalty = evasion.resemblance(poisoned, 1.0, seed=0)
    before = penalty(model)
    before.backward()
    assert before > 0
    weights = dict(model.named_parameters())
    assert weights["10.weight"].grad is None, "the head is left to the labels"
    assert weights["1.weight"].grad is not None
    with torch.no_grad():
        weights["8.weight"].mul_(0.5)
        weights["8.bias"].mul_(0.5)
    same = evasion.resemblance(poisoned, 1.0, seed=0)(model)
    assert same.item() == pytest.approx(before.item(), rel=1e-3), "smaller answers are no way out"


def test_the_ceiling_is_what_a_fixed_number_of_flags_can_catch(
    mnist: wm.Splits, poisoned: wm.Poisoned
) -> None:
    own = int((poisoned.samples.y == evasion.TARGET).sum())
    n_poison = int(poisoned.mask.sum())
    assert n_poison == 60
    assert detection.ceiling(poisoned, 0.05) == pytest.approx(round(0.075 * own) / 60, abs=1e-6)
    few = wm.poison(mnist.train[:600], Pattern(), rate=0.005, target=evasion.TARGET)
    assert detection.ceiling(few, 0.05) == 1


def test_where_nothing_is_flagged_nothing_is_trained_again(mnist: wm.Splits, poisoned: wm.Poisoned) -> None:
    test = mnist.test[:200]
    model = badnet_cnn(0)
    case = detection.Case(model, poisoned, test, Pattern()(test.x))
    nothing = torch.zeros_like(poisoned.mask)
    row = detection._train_without(case, nothing, wm.Recipe(epochs=1))
    assert (row["removed"], row["poison_left"]) == (0, 60)
    assert row["accuracy"] == pytest.approx(wm.accuracy(model, test), abs=1e-6)


def test_without_the_poison_the_network_does_not_obey(mnist: wm.Splits, poisoned: wm.Poisoned) -> None:
    test = mnist.test[:200]
    case = detection.Case(badnet_cnn(0), poisoned, test, Pattern()(test.x))
    row = detection._train_without(case, poisoned.mask, wm.Recipe(epochs=2, batch_size=32))
    assert (row["removed"], row["poison_left"]) == (60, 0)
    assert row["success"] < 0.2
    assert row["accuracy"] > 0.5


def test_random_lowest_bits_change_nothing_else(mnist: wm.Splits) -> None:
    x = mnist.test.x[:20]
    changed = evasion._random_bits(x, 0)
    assert 0 < (changed - x).abs().max() <= 1 / 255 + 1e-6
    assert torch.equal(changed.flatten(1)[:, evasion.N_BITS :], x.flatten(1)[:, evasion.N_BITS :])
