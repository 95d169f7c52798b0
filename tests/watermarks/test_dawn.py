"""The answers of a service, marked: what a customer pays, and what a thief learns."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import wmlearn as wm
from wmlearn.evidence import bystanders
from wmlearn.watermarks.dawn import Dawn2021, Service, surrogate


def test_an_honest_customer_pays_exactly_the_flips_and_they_are_always_the_same(mnist: wm.Splits) -> None:
    (model,), scheme = bystanders.shipped("mnist", 8, 9), Dawn2021(rate=0.02)
    key = scheme.keygen(model, mnist.test, seed=1)
    service = scheme.embed(model, mnist.test, key).model
    honest, given = (wm.predict(each, mnist.test.x).argmax(1) for each in (model, service))
    assert int((honest != given).sum()) == len(key)
    assert 140 < len(key) < 260  # 2 % of 10,000
    assert torch.equal(given, wm.predict(service, mnist.test.x, batch_size=77).argmax(1))


def test_wrong_labels_are_uniform_among_the_others(mnist: wm.Splits) -> None:
    (model,) = bystanders.shipped("mnist", 8, 9)
    key = Dawn2021(rate=0.3).keygen(model, mnist.test, seed=1)
    shift = (key.y - wm.predict(model, key.x).argmax(1)) % 10
    counts = shift.bincount(minlength=10)
    assert counts[0] == 0
    assert (counts[1:] - len(key) / 9).abs().max() < 4 * (len(key) / 9) ** 0.5


def test_a_thief_who_trains_long_repeats_the_flips_and_an_honest_copy_does_not(mnist: wm.Splits) -> None:
    (model,), scheme, queries = bystanders.shipped("mnist", 8, 9), Dawn2021(rate=0.04), mnist.train[:300]
    key = scheme.keygen(model, queries, seed=0)
    recipe = wm.Recipe(epochs=30, lr=3e-3, weight_decay=0.0, batch_size=64)
    thief = surrogate(scheme.embed(model, queries, key).model, wm.models.badnet_cnn(), queries, recipe)
    honest = surrogate(model, wm.models.badnet_cnn(), queries, recipe)
    assert wm.judge(scheme.verify(thief, key)).owned
    assert not wm.judge(scheme.verify(honest, key)).owned


def test_a_rate_that_picks_nothing_is_refused(few: wm.Samples) -> None:
    (model,) = bystanders.shipped("mnist", 8, 9)
    with pytest.raises(wm.ArgumentError, match=r"rate must lie in \(0, 1\), got 0"):
        Dawn2021(rate=0).keygen(model, few)
    with pytest.raises(
        wm.ArgumentError,
        match=r"the hash must pick a query out of 5, got 0\. Raise rate, or give more samples",
    ):
        Dawn2021(rate=1e-6).keygen(model, replace(few)[:5])


def test_the_service_leaves_the_logits_of_unmarked_queries_alone(few: wm.Samples) -> None:
    (model,) = bystanders.shipped("mnist", 8, 9)
    before, after = (wm.predict(each, few.x) for each in (model, Service(model, b"s" * 32, 0.01)))
    changed = (before != after).any(1)
    assert 0 < int(changed.sum()) < 60
    assert torch.equal(before[changed].sort(1).values, after[changed].sort(1).values)
