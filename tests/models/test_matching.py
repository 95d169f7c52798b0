"""The owner's reply: channels that were dealt anew find back to their places, and the mark is read again."""

from __future__ import annotations

import copy
from statistics import mean

import pytest
import torch
from torch import nn

import wmlearn as wm
from wmlearn import removal
from wmlearn.evidence import bystanders
from wmlearn.watermarks import Uchida2017, UchidaKey, matched
from wmlearn.watermarks.uchida import _projection, mean_filter


@pytest.fixture(scope="module")
def original() -> nn.Module:
    return copy.deepcopy(bystanders.shipped("mnist", 8, 9)[0])


def _spelt(network: nn.Module, key: UchidaKey) -> UchidaKey:
    """Return the key whose message is what the network spells: 256 of 256 without any training."""
    weight = network.get_parameter("4.weight")
    bits = (_projection(network, key) @ mean_filter(weight) > 0).long()
    return UchidaKey(key.scheme, key.secret, key.layer, key.fan_in, bits)


def _key(network: nn.Module, few: wm.Samples, seed: int) -> UchidaKey:
    return _spelt(network, Uchida2017().keygen(network, few, seed=seed))


@pytest.mark.parametrize("seed", range(3))
def test_a_permuted_message_is_a_coin_toss_until_the_channels_are_matched(
    original: nn.Module, few: wm.Samples, seed: int
) -> None:
    scheme, key = Uchida2017(), _key(original, few, seed)
    thief = removal.Permute(seed=seed)(original, few)
    assert scheme.verify(original, key).hits == 256
    assert 96 <= scheme.verify(thief, key).hits <= 160
    assert scheme.verify(matched(original, thief), key).hits == 256


def test_matching_puts_every_weight_back_and_leaves_the_suspect_alone(
    original: nn.Module, few: wm.Samples
) -> None:
    thief = removal.Permute(scale=3.0)(original, few)
    before = copy.deepcopy(thief.state_dict())
    back = matched(original, thief)
    assert all(torch.equal(value, before[name]) for name, value in thief.state_dict().items())
    for name, value in back.state_dict().items():
        torch.testing.assert_close(value, original.state_dict()[name], atol=1e-5, rtol=1e-4)


def test_signs_are_matched_behind_their_normalisation(few: wm.Samples) -> None:
    signs = copy.deepcopy(bystanders.shipped("signs-us", 8, 9)[0])
    back = matched(signs, removal.Permute()(signs, few))
    for name, value in back.state_dict().items():
        torch.testing.assert_close(value, signs.state_dict()[name], atol=1e-4, rtol=1e-4)


def test_a_stranger_computes_the_same_after_matching_and_still_spells_half(
    original: nn.Module, few: wm.Samples, mnist: wm.Splits
) -> None:
    scheme = Uchida2017()
    strangers = bystanders.shipped("mnist", bystanders.N_NULL + 1, bystanders.N_ALL)
    aligned = [matched(original, stranger) for stranger in strangers]
    x = mnist.test.x[:200]
    torch.testing.assert_close(wm.predict(aligned[0], x), wm.predict(strangers[0], x), atol=1e-4, rtol=1e-4)
    keys = [scheme.keygen(original, few, seed=seed) for seed in range(10)]
    hits = [scheme.verify(network, key).hits for network in aligned for key in keys]
    assert mean(hits) == pytest.approx(128, abs=5)
    assert max(hits) <= 160


def test_a_message_chosen_after_a_look_at_the_network_is_no_coin_toss(
    original: nn.Module, few: wm.Samples
) -> None:
    """What a network spells without a mark, others spell in part: their mean filters have much in common."""
    key = _key(original, few, 0)
    strangers = bystanders.shipped("mnist", bystanders.N_NULL + 1, bystanders.N_ALL)
    assert mean(Uchida2017().verify(stranger, key).hits for stranger in strangers) >= 145


def test_a_network_of_another_shape_is_refused(original: nn.Module) -> None:
    with pytest.raises(wm.ArgumentError, match="the suspect's layers must have the shapes"):
        matched(original, wm.models.sign_cnn(10))
