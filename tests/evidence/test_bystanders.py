"""Who stands by must read the task: names of classes prove nothing, and a key says who helped to draw it."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

import wmlearn as wm
from wmlearn.evidence import against_decoys, bystanders
from wmlearn.watermarks import load_key, save_key

HASTE = wm.Recipe(epochs=1, batch_size=64)


@pytest.fixture(scope="module")
def stripes() -> wm.Samples:
    """Return pictures in the shape of digits, of classes "0" … "9", that show none: bright rows."""
    y = torch.arange(200) % 10
    x = torch.rand(200, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 0.3
    for row in range(2):
        x[torch.arange(200), 0, 2 * y + 4 + row] = 1.0
    return wm.Samples(x, y, tuple("0123456789"))


def test_networks_that_ship_serve_only_where_they_classify_the_samples(
    stripes: wm.Samples, few: wm.Samples
) -> None:
    model = wm.models.badnet_cnn()
    (reader,) = bystanders.shipped("mnist", 0, 1)
    assert wm.accuracy(reader, stripes) < 0.3
    (other,) = bystanders.for_task(model, stripes, replace(HASTE, epochs=6), 1)
    assert wm.accuracy(other, stripes) > 0.8
    (served,) = bystanders.for_task(model, few, HASTE, 1)
    assert all(weight.equal(reader.state_dict()[name]) for name, weight in served.state_dict().items())


def test_digits_with_some_wrong_labels_are_digits_still_and_shuffled_ones_are_not(few: wm.Samples) -> None:
    model = wm.models.badnet_cnn()
    y = few.y[:500].clone()
    y[:50] = (y[:50] + 1) % 10  # a tenth is poisoned
    noisy = replace(few[:500], y=y)
    assert bystanders.company(model, noisy, HASTE, 1).origin == "1 shipped, of mnist"
    shuffled = replace(few[:500], y=few.y[:500].flip(0))
    assert bystanders.company(model, shuffled, HASTE, 1).origin == "1 trained here"


def test_the_same_samples_are_read_once_for_a_thousand_decoys(
    few: wm.Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = few[:300]
    read = []
    monkeypatch.setattr(bystanders, "accuracy", lambda network, some: read.append(len(some)) or 1.0)
    for _ in range(3):
        bystanders.for_task(wm.models.badnet_cnn(), samples, HASTE, 2)
    assert read == [300]


SCHEMES: dict[str, Any] = {
    "gu2017-patch": wm.watermarks.Gu2017(n=10),
    "zhang2018-noise": wm.watermarks.Zhang2018("noise", n=10),
    "jia2021-ewe": wm.watermarks.Jia2021(n=10),
    "lemerrer2019": wm.watermarks.LeMerrer2019(n=10),
    "chen2019-blackmarks": wm.watermarks.Blackmarks2019(n_bits=8),
}


@pytest.mark.parametrize("name", SCHEMES)
def test_an_owner_may_bring_bystanders_and_the_key_says_who_helped(
    name: str, few: wm.Samples, tmp_path: Any
) -> None:
    scheme = SCHEMES[name]
    model = copy.deepcopy(bystanders.shipped("mnist", 8, 9)[0])
    samples = few[:600]
    own: list[nn.Module] = list(bystanders.shipped("mnist", 20, 22))
    usual = scheme.keygen(model, samples)
    assert usual.bystanders.endswith("shipped, of mnist")
    key = scheme.keygen(model, samples, bystanders=own)
    assert key.bystanders == "2 brought by the owner"
    save_key(key, tmp_path / "key")
    assert load_key(tmp_path / "key").bystanders == key.bystanders
    found = against_decoys(scheme, model, key, model=model, samples=samples, n=2, bystanders=own)
    assert found.rank is not None
    with pytest.raises(wm.ArgumentError, match="bystanders must not be empty, got 0"):
        scheme.keygen(model, samples, bystanders=[])


def test_a_key_of_random_labels_has_no_bystanders(few: wm.Samples) -> None:
    assert wm.watermarks.Adi2018(n=5).keygen(wm.models.badnet_cnn(), few).bystanders == ""


def test_a_key_from_before_it_said_so_is_still_drawn_again(few: wm.Samples) -> None:
    scheme = SCHEMES["gu2017-patch"]
    model = wm.models.badnet_cnn()
    old = replace(scheme.keygen(model, few), bystanders="")
    assert against_decoys(scheme, model, old, model=model, samples=few, n=1).rank is not None
