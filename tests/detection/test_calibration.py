"""Limits keep the promise that they make; the quantile doesn't."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, hypergeom
from torch import nn

import wmlearn as wm
from wmlearn.detection import ActivationClustering
from wmlearn.detection.activation_clustering import p_value
from wmlearn.detection.calibration import Rate, alarms, counted, least, limit, limits, needed

DRAWS = 4_000


def _scores(n: int, seed: int) -> torch.Tensor:
    """Draw `DRAWS` times `n` clean scores and a new one, with a heavy tail, (DRAWS, n + 1)."""
    return -torch.rand(DRAWS, n + 1, generator=torch.Generator().manual_seed(seed)).log()


@pytest.mark.parametrize(
    ("n", "rate"), [(99, 0.01), (120, 0.01), (19, 0.05), (30, 0.05), (9, 0.1), (25, 0.1)]
)
def test_a_limit_keeps_its_promise_and_the_quantile_breaks_it(n: int, rate: float) -> None:
    scores = _scores(n, seed=n)
    new = scores[:, -1]
    kept = torch.tensor([limit(draw[:-1], rate) for draw in scores])
    chance = math.floor((n + 1) * Fraction(str(rate))) / (n + 1)
    flagged = int((new > kept).sum())
    assert chance <= rate
    assert binomtest(flagged, DRAWS, chance).pvalue > 1e-3, "and flags as often as it may"
    plain = scores[:, :-1].quantile(1 - rate, dim=1)
    assert binom.sf(int((new > plain).sum()) - 1, DRAWS, rate) < 1e-3


def test_every_class_has_a_limit_of_its_own_where_it_has_enough_images() -> None:
    draw = torch.Generator().manual_seed(0)
    classes = torch.arange(3).repeat_interleave(torch.tensor([200, 30, 30]))
    scores = torch.rand(260, generator=draw) + classes
    bounds = limits(scores, classes, 3, 0.1)
    assert bounds[0] == limit(scores[:200], 0.1)
    assert bounds[1] == bounds[2] == limit(scores[200:], 0.1)
    few = limits(scores[195:230], classes[195:230], 3, 0.1)
    assert few.tolist() == [limit(scores[195:230], 0.1)] * 3


@pytest.mark.parametrize("counts", [(120, 120), (100, 20), (25, 5)])
def test_classes_keep_the_promise_together(counts: tuple[int, int]) -> None:
    """Of two classes with other scores, in any number, a new image is flagged no oftener than promised."""
    draw = torch.Generator().manual_seed(sum(counts))
    n = sum(counts)
    flagged = 0
    for _ in range(DRAWS // 4):
        classes = (torch.rand(n + 1, generator=draw) * n < counts[1]).long()
        scores = torch.rand(n + 1, generator=draw) * (1 + 4 * classes)
        bounds = limits(scores[:-1], classes[:-1], 2, 0.05)
        flagged += bool(scores[-1] > bounds[classes[-1]])
    assert binom.sf(flagged - 1, DRAWS // 4, 0.05) > 1e-3


@given(st.floats(0.001, 0.9))
def test_as_many_as_are_needed_suffice_and_one_fewer_do_not(rate: float) -> None:
    n = needed(rate)
    assert least(n) <= rate + 1e-6
    assert math.isfinite(limit(torch.rand(n), rate))
    if n > 0:
        with pytest.raises(wm.ArgumentError, match="clean images to set the limit"):
            limit(torch.rand(n - 1), rate)


def test_too_few_images_are_one_clear_error() -> None:
    message = (
        r"^0\.01 of false alarms needs at least 99 clean images to set the limit, got 60\."
        r" Bring more of them, or promise 0\.016\.$"
    )
    with pytest.raises(wm.ArgumentError, match=message):
        limit(torch.rand(60), 0.01)


@given(st.integers(1, 300), st.data())
def test_an_interval_holds_its_share(n: int, data: st.DataObject) -> None:
    rate = Rate(data.draw(st.integers(0, n)), n)
    low, high = rate.interval
    assert 0 <= low <= rate.share <= high <= 1


def test_an_interval_by_hand() -> None:
    low, high = Rate(0, 100).interval
    assert low == 0
    assert high == pytest.approx(1 - 0.025 ** (1 / 100), abs=1e-6)
    assert Rate(0, 0).interval == (0, 1)


def test_alarms_are_measured_on_images_that_did_not_set_the_limit() -> None:
    """Half of the scores lie far above the rest: no limit from the same half would flag a tenth."""
    scores = torch.rand(400, generator=torch.Generator().manual_seed(3))
    classes = torch.arange(400) % 4
    found = alarms(scores, classes, 4, 0.05)
    assert found is not None
    assert found.promised == 0.05
    assert found.overall.n == 400
    assert [rate.n for rate in found.by_class] == [100] * 4
    assert sum(rate.flagged for rate in found.by_class) == found.overall.flagged
    assert found.overall.interval[0] <= 0.05
    assert alarms(scores[:30], classes[:30], 4, 0.05) is None


def test_flags_are_counted_by_class() -> None:
    found = counted(torch.tensor([True, False, True, False]), torch.tensor([0, 0, 1, 1]), 3, 0.1)
    assert found.overall == Rate(2, 4)
    assert found.by_class == (Rate(1, 2), Rate(1, 2), Rate(0, 0))


# Activation clustering


class _Pixels(nn.Sequential):
    """A network whose last layer reads the pixels as they are."""

    def __init__(self) -> None:
        super().__init__(nn.Flatten(), nn.Linear(36, 2))


def _clouds(n: int, seed: int, odd: int = 0) -> wm.Samples:
    """Two classes of `n` images that fall in two by themselves; `odd` of the second are of a third kind."""
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(2 * n, 1, 6, 6, generator=draw).mul(0.05).add(0.3)
    x[torch.rand(2 * n, generator=draw) < 0.2, :, :3] += 0.3
    x[2 * n - odd :, :, 3:] += 0.4
    return wm.Samples(x.clamp(0, 1), torch.arange(2 * n) // n, ("first", "second"))


def test_clustering_accuses_clean_classes_no_oftener_than_promised() -> None:
    detector = ActivationClustering(components=3, false_alarms=0.1, odds=1)
    model = _Pixels()
    accused = 0
    for seed in range(60):
        found = detector(model, _clouds(80, 2 * seed), _clouds(30, 2 * seed + 1))
        accused += sum(bool(found.flagged[label * 80 : (label + 1) * 80].any()) for label in range(2))
    assert accused >= 1
    assert binom.sf(accused - 1, 120, 0.1) > 1e-3


@pytest.mark.parametrize("odd", [60, 100, 150])
def test_clustering_accuses_the_part_that_clean_images_lack_however_large(odd: int) -> None:
    found = ActivationClustering(components=3)(_Pixels(), _clouds(200, 0, odd), _clouds(60, 1))
    poisoned = torch.arange(400) >= 400 - odd
    assert torch.equal(found.flagged, poisoned)
    assert found.alarms is not None
    assert found.alarms.promised == 0.01
    assert [rate.n for rate in found.alarms.by_class] == [1, 1]


def test_the_silhouette_accuses_clean_classes_and_misses_poison_that_is_half_of_its_class() -> None:
    """What the limits of 0.4 and 35 % do where a class falls in two by itself."""
    flagged = ActivationClustering(components=3)(_Pixels(), _clouds(200, 0, odd=100)).flagged
    assert flagged[:200].any()
    assert not flagged[300:].any()


def test_odds_allow_for_images_that_were_trained_on() -> None:
    """Of 400 trained images half lie in a part, of 100 others two in five: by chance that is rare."""
    trained = torch.arange(500) < 400
    part = torch.cat([torch.arange(400) < 200, torch.arange(100) < 40])
    assert p_value(part, trained) == pytest.approx(hypergeom.sf(199, 500, 400, 240))
    assert p_value(part, trained) < 0.05
    assert p_value(part, trained, odds=2) > 0.5
    with pytest.raises(wm.ArgumentError, match=r"odds must be at least 1, got 0\.5"):
        ActivationClustering(odds=0.5)(_Pixels(), _clouds(30, 0), _clouds(30, 1))
