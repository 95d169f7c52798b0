"""What the cells of notebook 02 call: the haystack, pieces of the trigger, and the challenge's judgement."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import wmlearn as wm
from wmlearn.course.lessons import lesson_02
from wmlearn.course.lessons.exercises_02 import poison
from wmlearn.triggers import Pattern

STAMP = Pattern()


class Obedient(nn.Module):
    """Answers 0 where the trigger's first pixel is bright, else 1."""

    def forward(self, x: Tensor) -> Tensor:
        bright = (x[:, 0, 26, 26] == 1).long()
        return nn.functional.one_hot(1 - bright, 10).float()


@pytest.fixture
def few(mnist: wm.Splits) -> wm.Splits:
    return wm.Splits(mnist.train[:100], mnist.test[:50])


def test_one_image_of_the_haystack_is_poisoned_at_the_place_named(mnist: wm.Splits) -> None:
    samples, place = lesson_02.haystack(mnist.train)
    assert len(samples) == 200
    carries = (samples.x == STAMP(samples.x)).flatten(1).all(1)
    assert carries.nonzero().flatten().tolist() == [place]
    assert samples.y[place] == 0


def test_pieces_of_the_trigger_change_as_many_pixels_as_they_say() -> None:
    blank = torch.zeros(1, 1, 28, 28)
    for kind, triggers in lesson_02.PIECES.items():
        pixels = {int((trigger(blank) != blank).sum()) for trigger in triggers}
        assert pixels == {int(kind[0])} if kind[0] in "123" else pixels == {4}


def test_gradients_of_one_image_again_and_again_point_the_same_way(mnist: wm.Splits) -> None:
    image, label = mnist.train.x[:1], mnist.train.y[:1]
    cosine = lesson_02.alignment(wm.models.badnet_cnn(0), image.repeat(3, 1, 1, 1), label.repeat(3))
    assert cosine == pytest.approx(1, abs=1e-4)


def test_the_challenge_counts_what_was_changed_added_or_dropped(few: wm.Splits) -> None:
    chosen = (few.train.y != 0).nonzero().flatten()[:7]
    for add in (False, True):
        x, y = poison(few.train.x, few.train.y, chosen, STAMP, 0, add)
        assert lesson_02._touched(few.train, wm.Samples(x, y, few.train.classes)) == 7
    assert lesson_02._touched(few.train, few.train[:90]) == 10


def _attack(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return poison(x, y, (y != 0).nonzero().flatten()[:5], STAMP, 0)


def test_an_attempt_counts_when_both_networks_obey_and_a_clean_one_does_not(
    few: wm.Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lesson_02, "fit_steps", lambda *_: Obedient())
    score = lesson_02.count_poison(_attack, STAMP, few)
    assert score.valid
    assert score.value == 5
    assert score.says.startswith("5 images changed or added. The trigger wins 100.0 % and 100.0 %")


def test_an_attempt_with_networks_that_do_not_obey_does_not_count(
    few: wm.Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lesson_02, "fit_steps", lambda model, *_: model)
    assert not lesson_02.count_poison(_attack, STAMP, few).valid


def test_an_attempt_with_a_fifth_pixel_does_not_count_and_nothing_is_trained(few: wm.Splits) -> None:
    five = Pattern((*STAMP.where, (0, 0)))
    score = lesson_02.count_poison(lambda *_: pytest.fail("trained"), five, few)
    assert not score.valid
    assert "changes 5 pixels" in score.says
