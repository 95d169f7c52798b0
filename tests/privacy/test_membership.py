"""Membership inference: an exact null, an oracle for the area, and what can't be compared."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import mannwhitneyu
from torch import Tensor

import wmlearn as wm
from wmlearn import privacy
from wmlearn.errors import ArgumentError
from wmlearn.models import badnet_cnn
from wmlearn.training import Recipe


def _losses(n: int, seed: int) -> Tensor:
    return torch.randn(n, generator=torch.Generator().manual_seed(seed)).exp()


def test_images_that_the_network_never_saw_get_each_p_value_alike() -> None:
    p = torch.cat([privacy.membership_p_values(_losses(50, s), _losses(99, 1000 + s)) for s in range(40)])
    for level in (0.05, 0.2, 0.5):
        assert abs(float((p <= level).double().mean()) - level) < 0.03
    assert float(p.min()) >= 1 / 100


def test_the_area_is_that_of_mann_and_whitney_ties_included() -> None:
    members, strangers = _losses(40, 1).round(decimals=1), _losses(60, 2).round(decimals=1)
    larger = mannwhitneyu(strangers.numpy(), members.numpy()).statistic / (40 * 60)
    assert privacy.auc(members, strangers) == pytest.approx(larger)
    assert privacy.auc(members, members) == pytest.approx(0.5)


def test_what_was_learnt_by_heart_is_caught_and_what_was_not_learnt_is_not(mnist: wm.Splits) -> None:
    digits = mnist.train[:40]
    unseen = mnist.train[100:300]
    draw = torch.Generator().manual_seed(1)
    wrong, others = (_mislabelled(samples, draw) for samples in (digits, unseen))
    blank = badnet_cnn(7)
    heart, _ = wm.trained(blank, wrong, Recipe(epochs=60, lr=5e-3, batch_size=20))
    learnt = privacy.caught(privacy.losses(heart, wrong), privacy.losses(heart, others), 0.05)
    never = privacy.caught(privacy.losses(blank, wrong), privacy.losses(blank, others), 0.05)
    assert learnt > never + 0.15


def _mislabelled(samples: wm.Samples, draw: torch.Generator) -> wm.Samples:
    further = torch.randint(1, 10, samples.y.shape, generator=draw)
    return wm.Samples(samples.x, (samples.y + further) % 10, samples.classes)


def test_a_loss_is_compared_with_its_mean_over_references(few: wm.Samples) -> None:
    model, one, two = (badnet_cnn(seed) for seed in (1, 2, 3))
    plain = [privacy.losses(network, few) for network in (model, one, two)]
    expected = plain[0] - (plain[1] + plain[2]) / 2
    assert torch.allclose(privacy.losses(model, few, [one, two]), expected)


@pytest.mark.parametrize("members", [torch.zeros(0), torch.zeros(2, 2), torch.tensor([0.1, torch.nan])])
def test_what_are_no_losses_is_refused(members: Tensor) -> None:
    with pytest.raises(ArgumentError, match="losses must be"):
        privacy.auc(members, _losses(5, 0))


@pytest.mark.parametrize("alarms", [0.0, 1.0, -0.1])
def test_a_share_of_alarms_that_is_none_is_refused(alarms: float) -> None:
    with pytest.raises(ArgumentError, match="alarms must lie in"):
        privacy.caught(_losses(5, 0), _losses(5, 1), alarms)
