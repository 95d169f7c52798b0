"""Poisoning changes what it says and nothing else; attack success counts only images that can be fooled."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import wmlearn as wm
from wmlearn.poisoning import cover
from wmlearn.triggers import Patch, Pattern


class Answers(nn.Module):
    """Answer each image with the label that `rule` gives it, as logits."""

    def __init__(self, rule: Callable[[Tensor], Tensor], classes: int = 10) -> None:
        super().__init__()
        self.rule, self.classes = rule, classes

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.one_hot(self.rule(x), self.classes).float()


def _labelled(labels: list[int]) -> wm.Samples:
    """Images whose top left pixel tells their label: label / 10."""
    y = torch.tensor(labels)
    x = torch.zeros(len(y), 1, 28, 28)
    x[:, 0, 0, 0] = y / 10
    return wm.Samples(x, y, tuple("0123456789"))


def _told(x: Tensor) -> Tensor:
    return (x[:, 0, 0, 0] * 10).round().long()


PERFECT = Answers(_told)


def _changed(before: wm.Samples, after: wm.Samples) -> Tensor:
    return (before.x != after.x).flatten(1).any(1) | (before.y != after.y)


@pytest.mark.parametrize(("rate", "count"), [(0.1, 200), (0.001, 2), (0.5, 1000), (0.0333, 67)])
def test_a_rate_counts_against_the_whole_set(few: wm.Samples, rate: float, count: int) -> None:
    assert int(wm.poison(few, Pattern(), rate=rate, target=0).mask.sum()) == count


def test_with_a_source_a_rate_counts_against_that_class_and_only_it_is_poisoned(few: wm.Samples) -> None:
    poisoned = wm.poison(few, Pattern(), rate=0.25, target=3, source=7)
    assert int(poisoned.mask.sum()) == round(0.25 * int((few.y == 7).sum()))
    assert set(few.y[poisoned.mask].tolist()) == {7}
    assert set(poisoned.samples.y[poisoned.mask].tolist()) == {3}


def test_with_a_source_a_rate_of_one_poisons_all_of_it(few: wm.Samples) -> None:
    assert wm.poison(few, Pattern(), rate=1, target=3, source=7).mask.equal(few.y == 7)


def test_images_of_the_target_class_are_never_picked(few: wm.Samples) -> None:
    rest = int((few.y != 4).sum()) / len(few)  # all that can be picked
    poisoned = wm.poison(few, Pattern(), rate=rest, target=4)
    assert poisoned.mask.equal(few.y != 4)


def test_images_that_a_map_leaves_alone_are_never_picked() -> None:
    samples = _labelled([0, 1, 2, 3] * 5)
    poisoned = wm.poison(samples, Pattern(), rate=0.5, target=lambda y: y // 2 * 2)  # 1 -> 0 and 3 -> 2
    assert poisoned.mask.equal(samples.y % 2 == 1)
    assert poisoned.samples.y.tolist() == [0, 0, 2, 2] * 5


def test_the_mask_says_exactly_what_changed(few: wm.Samples) -> None:
    poisoned = wm.poison(few, Pattern(), rate=0.1, target=0)
    assert len(poisoned.samples) == len(few)
    assert poisoned.mask.dtype == torch.bool
    assert _changed(few, poisoned.samples).equal(poisoned.mask)


def test_chosen_images_carry_the_trigger_and_the_targets_label(few: wm.Samples) -> None:
    trigger = Pattern()
    poisoned = wm.poison(few, trigger, rate=0.1, target=6)
    assert poisoned.samples.x[poisoned.mask].equal(trigger(few.x[poisoned.mask]))
    assert set(poisoned.samples.y[poisoned.mask].tolist()) == {6}
    assert poisoned.trigger is trigger
    assert poisoned.target == 6
    assert poisoned.samples.classes == few.classes


def test_with_add_copies_join_the_originals(few: wm.Samples) -> None:
    replaced, added = (wm.poison(few, Pattern(), rate=0.1, target=0, add=add) for add in (False, True))
    assert len(added.samples) == len(added.mask) == 2200
    assert added.samples.x[:2000].equal(few.x)
    assert added.samples.y[:2000].equal(few.y)
    assert added.mask.tolist() == [False] * 2000 + [True] * 200
    copies, originals = added.samples[added.mask], replaced.samples[replaced.mask]
    assert set(copies.y.tolist()) == {0}
    assert copies.x.flatten(1).sum(1).sort().values.equal(originals.x.flatten(1).sum(1).sort().values)


def test_a_next_class_target_gives_every_digit_the_next_ones_label(few: wm.Samples) -> None:
    poisoned = wm.poison(few, Pattern(), rate=0.5, target=wm.next_class)
    was, now = few.y[poisoned.mask], poisoned.samples.y[poisoned.mask]
    assert now.equal((was + 1) % 10)
    assert set(was.tolist()) == set(range(10))


def test_the_next_class_of_the_last_is_the_first() -> None:
    assert wm.next_class(torch.tensor([0, 8, 9])).tolist() == [1, 9, 0]
    assert wm.next_class(torch.tensor([0, 42]), classes=43).tolist() == [1, 0]


def test_any_function_from_images_to_images_is_a_trigger(few: wm.Samples) -> None:
    poisoned = wm.poison(few, lambda x: 1 - x, rate=0.1, target=0)
    assert poisoned.samples.x[poisoned.mask].equal(1 - few.x[poisoned.mask])


def test_a_seed_decides_which_images_are_poisoned(few: wm.Samples) -> None:
    first, again, other = (wm.poison(few, Pattern(), rate=0.1, target=0, seed=seed) for seed in (0, 0, 1))
    assert first.mask.equal(again.mask)
    assert first.samples.x.equal(again.samples.x)
    assert not first.mask.equal(other.mask)


def test_poison_is_spread_over_the_set(few: wm.Samples) -> None:
    places = wm.poison(few, Pattern(), rate=0.1, target=0).mask.nonzero()
    assert places.min() < 200
    assert places.max() > 1800


@pytest.mark.parametrize("add", [False, True])
def test_poison_leaves_its_input_and_the_global_generator_alone(few: wm.Samples, add: bool) -> None:
    x, y, state = few.x.clone(), few.y.clone(), torch.get_rng_state()
    poisoned = wm.poison(few, Pattern(), rate=0.1, target=0, add=add)
    poisoned.samples.x.zero_()
    poisoned.samples.y.zero_()
    assert few.x.equal(x)
    assert few.y.equal(y)
    assert torch.get_rng_state().equal(state)


def test_success_rate_ignores_the_target_class() -> None:
    samples = _labelled([0] * 90 + [1] * 6 + [2] * 4)
    obeys_ones = Answers(lambda x: torch.where(_told(x) == 2, 2, 0))
    assert wm.success_rate(obeys_ones, samples, Pattern(), 0) == pytest.approx(0.6)


@pytest.mark.parametrize("target", [0, 3, wm.next_class])
def test_a_network_that_reads_every_digit_rightly_scores_nothing(target: wm.Target) -> None:
    samples = _labelled(list(range(10)) * 3)
    assert wm.accuracy(PERFECT, samples) == 1
    assert wm.success_rate(PERFECT, samples, Pattern(), target) == 0


@pytest.mark.parametrize("target", [0, 3])
def test_a_network_that_always_answers_the_target_scores_everything(target: int) -> None:
    always = Answers(lambda x: torch.full((len(x),), target))
    assert wm.success_rate(always, _labelled(list(range(10))), Pattern(), target) == 1


def test_a_network_that_counts_on_scores_everything_under_next_class() -> None:
    counts_on = Answers(lambda x: (_told(x) + 1) % 10)
    assert wm.success_rate(counts_on, _labelled(list(range(10))), Pattern(), wm.next_class) == 1


def test_under_a_map_only_the_labels_that_it_changes_count() -> None:
    samples = _labelled([0] * 5 + [1] * 5)
    swaps_nothing_but_ones = Answers(lambda x: torch.zeros(len(x), dtype=torch.int64))
    assert wm.success_rate(swaps_nothing_but_ones, samples, Pattern(), lambda y: y * 0) == 1
    assert wm.success_rate(PERFECT, samples, Pattern(), lambda y: y * 0) == 0


def test_success_is_measured_on_triggered_images() -> None:
    sees_the_patch = Answers(lambda x: torch.where(x[:, 0, 25, 25] == 1, 7, _told(x)))
    samples = _labelled(list(range(10)))
    assert wm.accuracy(sees_the_patch, samples) == 1
    assert wm.success_rate(sees_the_patch, samples, Patch(), 7) == 1
    assert wm.success_rate(sees_the_patch, samples, lambda x: x.clone(), 7) == 0


def test_success_rate_leaves_samples_and_mode_alone(few: wm.Samples) -> None:
    x, model = few.x.clone(), wm.models.badnet_cnn().train()
    wm.success_rate(model, few[:50], Pattern(), 0)
    assert few.x.equal(x)
    assert model.training


def test_success_rate_of_the_target_class_alone_has_no_answer() -> None:
    message = "samples must hold images outside the target class, got '3 of the target class'."
    with pytest.raises(wm.ArgumentError, match=f"^{re.escape(message)}"):
        wm.success_rate(PERFECT, _labelled([4, 4, 4]), Pattern(), 4)


MAPS: dict[str, tuple[wm.Target, str]] = {
    "one label for all": (
        lambda y: y[:1],
        "a target map must return one int64 label an image, got ((1,), torch.int64).",
    ),
    "floats": (
        lambda y: y / 2,
        "a target map must return one int64 label an image, got ((20,), torch.float32).",
    ),
    "a class too many": (lambda y: y + 1, "labels must lie in 0..9, got (1, 10)."),
    "a negative class": (lambda y: y - 1, "labels must lie in 0..9, got (-1, 8)."),
}


@pytest.mark.parametrize("case", MAPS)
def test_a_map_must_give_each_image_a_class(case: str) -> None:
    target, message = MAPS[case]
    samples = _labelled(list(range(10)) * 2)
    with pytest.raises(wm.ArgumentError, match=f"^{re.escape(message)}"):
        wm.poison(samples, Pattern(), rate=0.5, target=target)
    with pytest.raises(wm.ArgumentError, match=f"^{re.escape(message)}"):
        wm.success_rate(PERFECT, samples, Pattern(), target)


def test_clean_label_poison_stamps_its_own_class_and_changes_no_label(mnist: wm.Splits) -> None:
    few = mnist.train[:1000]
    poisoned = wm.poison_clean_label(few, wm.triggers.Ramp(), rate=0.5, target=3, seed=1)
    assert poisoned.samples.y.equal(few.y)
    assert poisoned.samples.y[poisoned.mask].unique().tolist() == [3]
    assert int(poisoned.mask.sum()) == round(0.5 * int((few.y == 3).sum()))
    assert poisoned.samples.x[~poisoned.mask].equal(few.x[~poisoned.mask])
    assert poisoned.samples.x[poisoned.mask].equal(wm.triggers.Ramp()(few.x[poisoned.mask]))
    for rate, target in ((0.0, 3), (0.5, 10), (1e-4, 3)):
        with pytest.raises(wm.ArgumentError, match=r"(rate|target) must"):
            wm.poison_clean_label(few, wm.triggers.Ramp(), rate=rate, target=target)


def test_a_cover_stamps_images_without_poison_and_changes_no_label(few: wm.Samples) -> None:
    poisoned = wm.poison(few, Pattern(), rate=0.1, target=0)
    covered = cover(poisoned, Patch(), rate=0.2, seed=1)
    changed = (covered.samples.x != poisoned.samples.x).flatten(1).any(1)  # (N,)
    assert int(changed.sum()) == round(0.2 * len(few))
    assert not (changed & poisoned.mask).any()
    assert torch.equal(covered.samples.x[changed], Patch()(few.x[changed]))
    assert torch.equal(covered.samples.y, poisoned.samples.y)
    assert torch.equal(covered.mask, poisoned.mask)
    assert not torch.equal(cover(poisoned, Patch(), rate=0.2, seed=2).samples.x, covered.samples.x)


@pytest.mark.parametrize("rate", [0.0, 0.95, 2.0])
def test_a_cover_needs_images_that_are_left(few: wm.Samples, rate: float) -> None:
    poisoned = wm.poison(few, Pattern(), rate=0.1, target=0)
    left = int((~poisoned.mask).sum())
    with pytest.raises(wm.errors.ArgumentError, match=f"between 1 and {left} images"):
        cover(poisoned, Patch(), rate=rate)
