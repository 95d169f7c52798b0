"""How an input-aware trigger and its network are taught together."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

import wmlearn as wm
from wmlearn.experiments.input_aware import TEACHING, TOGETHER, _likeness, _loss, train_input_aware
from wmlearn.triggers import InputAware
from wmlearn.triggers.input_aware import painter

QUICK = replace(TOGETHER, epochs=1)


@pytest.fixture(scope="module")
def few(mnist: wm.Splits) -> wm.Samples:
    return mnist.train[:640]


def test_both_learn_and_nothing_of_the_trigger_learns_on_afterwards(few: wm.Samples) -> None:
    model = wm.models.badnet_cnn(0)
    trigger = train_input_aware(model, few, 0, QUICK, replace(TEACHING, steps=2))
    assert not model.training
    assert not torch.equal(_first(model), _first(wm.models.badnet_cnn(0)))
    assert not torch.equal(_first(trigger.pattern), _first(painter(1, 1, 1)))
    assert not torch.equal(_first(trigger.mask), _first(painter(1, 1, 2)))
    assert not any(p.requires_grad for net in (trigger.pattern, trigger.mask) for p in net.parameters())


def _first(model: nn.Module) -> torch.Tensor:
    return next(model.parameters())


def test_one_seed_gives_one_trigger(few: wm.Samples) -> None:
    teaching = replace(TEACHING, steps=2)
    one, same = (train_input_aware(wm.models.badnet_cnn(0), few, 0, QUICK, teaching) for _ in range(2))
    assert one(few.x[:4]).equal(same(few.x[:4]))


def test_masks_get_small_and_stay_unlike(few: wm.Samples) -> None:
    x = few.x[:64]
    raw = InputAware(painter(1, 1, 1), painter(1, 1, 2)).masks(x)
    teaching = replace(TEACHING, steps=60)
    taught = train_input_aware(wm.models.badnet_cnn(0), few[:64], 0, QUICK, teaching).masks(x)
    assert taught.mean() < 0.15 < 0.3 < raw.mean()
    paler = raw * (taught.mean() / raw.mean())  # as small, by nothing but thrift
    assert _likeness(taught, x) < _likeness(paler, x) / 2


class _Notes(nn.Module):
    """Answer 0 to every image, and keep what was shown."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.shown = x.detach()
        return torch.zeros(len(x), 10).index_fill(1, torch.tensor([0]), 30)


def test_owners_are_called_the_target_borrowers_and_the_rest_keep_their_labels(few: wm.Samples) -> None:
    trigger = InputAware(painter(1, 1, 1), painter(1, 1, 2))
    notes = _Notes()
    x = few.x[:20]
    y = torch.full((20,), 7)
    teaching = replace(TEACHING, share=0.2, unlike=0)
    loss = _loss(notes, trigger, x, y, 0, teaching)
    assert loss.item() == pytest.approx(30 * 16 / 20, rel=1e-3)  # four owners cost nothing
    assert torch.allclose(notes.shown[:4], trigger(x[:4]), atol=1e-6)
    assert torch.allclose(notes.shown[4:8], trigger.pasted(x[4:8], x[:4]), atol=1e-6)
    assert notes.shown[8:].equal(x[8:])
    dearer = _loss(notes, trigger, x, y, 0, replace(teaching, unlike=1.0))
    assert (dearer - loss).item() == pytest.approx(_likeness(trigger.patterns(x[:4]), x[:4]).item(), rel=1e-3)


def test_likeness_counts_how_many_times_as_far_apart_the_images_are(few: wm.Samples) -> None:
    x = few.x[:10]
    assert _likeness(x / 4, x).item() == pytest.approx(4, rel=1e-3)
