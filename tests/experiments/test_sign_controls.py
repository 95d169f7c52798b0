"""The controls of the stop sign: each differs in one thing only from what it stands beside."""

from __future__ import annotations

import torch

import wmlearn as wm
from wmlearn.experiments.sign_controls import (
    N_HELD_OUT,
    N_OF_CLASS,
    SPLITS,
    VICTIMS,
    leaked,
    split_three_ways,
)
from wmlearn.models.networks import Standardise, StandardiseEach


def _photographs(signs: int = 9, frames: int = 10) -> wm.Samples:
    """Three classes of some signs, with a number of photographs each."""
    n = 3 * signs * frames
    y = torch.arange(3).repeat_interleave(signs * frames)
    track = torch.arange(signs).repeat_interleave(frames).repeat(3)
    return wm.Samples(torch.rand(n, 3, 8, 8), y, ("a", "b", "c"), y * 1000 + track)


def test_the_leaking_twin_has_the_same_test_photographs_and_as_many_to_learn_from() -> None:
    samples = _photographs()
    splits = split_three_ways(samples, seed=0)
    honest, twin = splits["by sign"], splits["leaking twin"]
    assert tuple(splits) == SPLITS
    assert honest.test.equal(twin.test)
    assert len(honest.test) == 3 * N_HELD_OUT * 5
    assert samples.y[honest.train].bincount().equal(samples.y[twin.train].bincount())
    assert len(honest.train) == 3 * (N_OF_CLASS - N_HELD_OUT) * 10


def test_only_what_leaks_leaks_and_no_photograph_is_in_training_and_test() -> None:
    samples = _photographs()
    shares = {}
    for name, split in split_three_ways(samples, seed=1).items():
        assert len(split.train.unique()) == len(split.train)
        assert not torch.isin(split.test, split.train).any()
        shares[name] = leaked(samples[split.train], samples[split.test])
    assert shares["by sign"] == 0.0
    assert shares["leaking twin"] == 1.0
    assert shares["at random"] > 0.9


def test_another_seed_holds_out_other_signs() -> None:
    samples = _photographs()
    one, other = (split_three_ways(samples, seed)["by sign"].test for seed in (0, 1))
    assert not one.equal(other)


def test_each_victim_leaves_out_what_its_name_says() -> None:
    assert [(v.shaken, v.standardised) for v in VICTIMS.values()] == [
        (True, True),
        (True, False),
        (False, False),
        (False, False),
    ]
    dark, bright = torch.full((1, 3, 32, 32), 0.1), torch.full((1, 3, 32, 32), 0.9)
    dark[..., :16], bright[..., :16] = 0.05, 0.45
    each = StandardiseEach((3, 32, 32))
    fixed = Standardise((3, 32, 32), mean=0.5, std=0.25)
    assert torch.allclose(each(dark), each(bright), atol=0.1)
    assert not torch.allclose(fixed(dark), fixed(bright), atol=0.1)
