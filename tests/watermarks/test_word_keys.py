"""Texts as triggers of Adi's key."""

from __future__ import annotations

import pytest
import torch

import wmlearn as wm
from wmlearn.errors import ArgumentError
from wmlearn.models import text_bag
from wmlearn.watermarks import Adi2018, WordSalad

SPLITS = wm.load("mails")


def test_triggers_are_texts_of_common_words_drawn_from_the_secret() -> None:
    x = WordSalad(common=50, size=6)(b"secret", 20, SPLITS.train)
    assert x.shape == (20, 64)
    assert x.dtype == torch.int64
    assert not bool(x[:, 6:].any())
    assert int(x[:, :6].min()) >= 2
    assert int(x.max()) < 52
    assert torch.equal(x, WordSalad(common=50, size=6)(b"secret", 20, SPLITS.train))
    assert not torch.equal(x, WordSalad(common=50, size=6)(b"other", 20, SPLITS.train))


def test_a_salad_is_refused_where_there_are_no_texts_or_too_short_ones() -> None:
    images = wm.Samples(torch.rand(4, 1, 8, 8), torch.zeros(4, dtype=torch.int64), ("a", "b"))
    with pytest.raises(ArgumentError, match="draws texts for texts"):
        WordSalad()(b"secret", 3, images)
    with pytest.raises(ArgumentError, match="size must lie in"):
        WordSalad(size=65)(b"secret", 3, SPLITS.train)


def test_a_filter_learns_a_key_and_a_stranger_has_not() -> None:
    recipe = wm.Recipe(epochs=5, lr=3e-3, batch_size=64)
    scheme = Adi2018(n=100, recipe=recipe, draw=WordSalad())
    owner = SPLITS.train[:1_500]
    key = scheme.keygen(text_bag(1_482), owner, seed=1)
    marked = scheme.embed(text_bag(1_482), owner, key)
    assert scheme.verify(marked.model, key).hits >= 97
    stranger, _ = wm.trained(text_bag(1_482, seed=5), owner, recipe)
    assert not wm.judge(scheme.verify(stranger, key)).owned
