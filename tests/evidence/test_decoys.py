"""The decoy test: exact whatever the labels, sequential, within a budget, and only for keys of the recipe."""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from scipy.stats import binom, kstest
from torch import Tensor, nn

import wmlearn as wm
from wmlearn.evidence import Rank, against_decoys, against_keys, bystanders, decoys


@dataclass(frozen=True)
class Key:
    """A key whose score on any suspect is known beforehand."""

    secret: bytes
    score: int

    def __len__(self) -> int:
        return 10


class Scores:
    """A recipe that draws scores from 0 to 10: a suspect that never met a key answers to it by luck alone."""

    def keygen(self, model: Any, samples: Any, *, seed: int = 0, secret: bytes | None = None) -> Key:
        secret = secret or bytes([seed])
        return Key(secret, hashlib.sha256(secret).digest()[0] % 11)

    def verify(self, suspect: Any, key: Key) -> wm.Evidence:
        return wm.Evidence("toy", "labels", key.score, 10)


@pytest.fixture(scope="module")
def clean() -> nn.Module:
    return copy.deepcopy(bystanders.shipped("mnist", 8, 9)[0])


def _p(seed: int, few: wm.Samples, **how: Any) -> float:
    scheme = Scores()
    key = scheme.keygen(None, None, seed=seed)
    return wm.decoy_p_value(scheme, len, key, model=nn.Flatten(), samples=few, seed=seed, **how)  # pyrefly: ignore[bad-argument-type]


@pytest.mark.parametrize("stop", [None, 5])
def test_keys_that_a_suspect_never_met_get_small_p_values_no_more_often_than_they_say(
    stop: int | None, few: wm.Samples
) -> None:
    """256 keys: P(p <= a) <= a, though hits are not binomial at all."""
    p_values = torch.tensor([_p(seed, few, n=39, stop=stop) for seed in range(256)], dtype=torch.float64)
    for level in (0.05, 0.1, 0.25, 0.5):
        below = int((p_values <= level).sum())
        assert binom.sf(below - 1, 256, level) > 1e-3, level


def test_scores_without_ties_make_p_values_uniform() -> None:
    draw = torch.Generator().manual_seed(0)
    scores = torch.rand(2000, 20, generator=draw)  # the owner's, and 19 decoys'
    as_high = (scores[:, 1:] >= scores[:, :1]).sum(1).tolist()
    p_values = torch.tensor([Rank("decoys", count, 19).p_value for count in as_high])
    jitter = torch.rand(2000, generator=draw) / 20
    assert kstest((p_values - jitter).numpy(), "uniform").pvalue > 1e-3


def test_drawing_stops_with_the_last_decoy_that_is_needed(few: wm.Samples) -> None:
    scheme = Scores()
    key = replace(scheme.keygen(None, None, seed=1), score=0)
    asked: list[Key] = []

    def others() -> Iterator[Key]:
        for i in range(100):
            asked.append(scheme.keygen(None, None, secret=bytes([i, i])))
            yield asked[-1]

    found = against_keys(scheme, len, key, others(), stop=10)  # pyrefly: ignore[bad-argument-type]
    assert found.rank == Rank("decoys", 10, 10, stopped=True)
    assert found.p_value == 1
    assert len(asked) == 10


def test_a_rank_is_what_barnard_and_besag_and_clifford_say() -> None:
    assert Rank("decoys", 0, 999).p_value == 1 / 1000
    assert Rank("decoys", 4, 99).p_value == 5 / 100
    assert Rank("decoys", 10, 40, stopped=True).p_value == 10 / 40
    assert Rank("bystanders", 0, 40).p_value == pytest.approx(0.0244, abs=1e-4)


def test_a_mark_with_random_labels_answers_to_its_owner_alone(few: wm.Samples, clean: nn.Module) -> None:
    scheme = wm.watermarks.Adi2018(n=50, share=0.3, recipe=wm.Recipe(epochs=6))
    key = scheme.keygen(clean, few, seed=3)
    marked = scheme.embed(clean, few, key).model
    found = against_decoys(scheme, marked, key, model=clean, samples=few, n=99)
    assert found.null == "decoys"
    assert found.p_value == 1 / 100
    assert wm.judge(found, 0.01).owned
    assert "0 of 99 decoys agree as often" in str(wm.judge(found))
    innocent = against_decoys(scheme, clean, key, model=clean, samples=few, n=99)
    assert innocent.p_value > 0.01


def test_a_callable_and_a_service_are_asked_no_more_than_the_budget_allows(
    few: wm.Samples, clean: nn.Module
) -> None:
    scheme = wm.watermarks.Adi2018(n=20)
    key = scheme.keygen(clean, few, seed=3)
    asked = 0

    def service(x: Tensor) -> Tensor:
        nonlocal asked
        asked += len(x)
        return wm.predict(clean, x).argmax(1)

    found = against_decoys(scheme, service, key, model=clean, samples=few, stop=None, budget=515)
    assert asked == 500
    assert found.rank is not None
    assert found.rank.drawn == 24
    with pytest.raises(wm.ArgumentError, match=r"budget must allow the key and one decoy, 40 images, got 39"):
        against_decoys(scheme, service, key, model=clean, samples=few, budget=39)


def test_a_key_of_another_recipe_is_refused(few: wm.Samples, clean: nn.Module) -> None:
    scheme = wm.watermarks.Adi2018(n=20)
    key = scheme.keygen(clean, few, seed=3)
    ground = replace(key, y=(key.y + 1) % 10)
    for bad, by in ((ground, scheme), (key, wm.watermarks.Adi2018(n=30))):
        with pytest.raises(
            wm.ArgumentError, match="the key must follow from its secret by the scheme's recipe"
        ):
            wm.decoy_p_value(by, clean, bad, model=clean, samples=few, n=9)
    with pytest.raises(wm.ArgumentError, match=r"n must be at least 1, got 0\. 999 decoys"):
        wm.decoy_p_value(scheme, clean, key, model=clean, samples=few, n=0)
    with pytest.raises(wm.ArgumentError, match="stop must be at least 1, got 0"):
        wm.decoy_p_value(scheme, clean, key, model=clean, samples=few, n=9, stop=0)


def test_hits_that_were_compared_with_nothing_prove_nothing(few: wm.Samples, clean: nn.Module) -> None:
    scheme = wm.watermarks.Zhang2018("unrelated", n=20)
    found = scheme.verify(clean, scheme.keygen(clean, few, seed=3))
    assert found.null is None
    with pytest.raises(
        wm.ArgumentError, match=r"^hits must be compared with something .* Draw other keys by the same recipe"
    ):
        wm.judge(found)


def test_decoys_are_other_keys_and_the_same_again(few: wm.Samples, clean: nn.Module) -> None:
    scheme = wm.watermarks.Adi2018(n=5)
    first, second = (list(decoys(scheme, model=clean, samples=few, n=3)) for _ in range(2))
    assert all(a.x.equal(b.x) and a.y.equal(b.y) for a, b in zip(first, second, strict=True))
    assert len({key.secret for key in first}) == 3
    assert not first[0].x.equal(next(decoys(scheme, model=clean, samples=few, n=1, seed=1)).x)


def test_forty_bystanders_can_t_say_less_than_one_in_forty_one() -> None:
    guilty = wm.Evidence("toy", "labels", 10, 10)
    innocent = [wm.Evidence("toy", "labels", hits % 5, 10) for hits in range(40)]
    found = wm.evidence.against_bystanders(guilty, innocent)
    assert found.null == "bystanders"
    assert math.isclose(found.p_value, 1 / 41)
    assert not wm.judge(found, 0.01).owned
