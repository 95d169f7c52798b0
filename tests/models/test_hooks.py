"""Who listens to layers hears each of them, batch by batch, and leaves nothing behind."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from wmlearn.models import listening


def _network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def test_each_layer_is_heard_once_a_batch() -> None:
    network, x = _network(), torch.rand(5, 3)
    with listening([network[0], network[2]], lambda given, answer: answer) as notes:
        for batch in x.split(2):
            network(batch)
    assert [len(note) for note in notes.values()] == [3, 3]
    assert torch.allclose(torch.cat(notes[network[2]]), network(x))


def test_what_a_layer_is_given_can_be_kept() -> None:
    network, x = _network(), torch.rand(5, 3)
    with listening([network[1]], lambda given, answer: given) as notes:
        network(x)
    assert notes[network[1]][0].equal(network[0](x))


def test_slopes_go_back_through_what_was_heard() -> None:
    network = _network()
    with listening([network[1]], lambda given, answer: answer.sum()) as notes:
        network(torch.rand(5, 3))
    notes[network[1]][0].backward()
    assert network[0].weight.grad is not None


def test_nobody_listens_any_more_afterwards_even_when_the_network_fails() -> None:
    network = _network()
    with (
        pytest.raises(RuntimeError),
        listening([network[0]], lambda given, answer: answer),
    ):
        network(torch.rand(5, 7))
    assert not network[0]._forward_hooks
