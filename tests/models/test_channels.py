"""Channels change places, and the network computes the same; what doesn't allow it is refused."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn

import wmlearn as wm
from wmlearn.models.channels import deal, joints


def _noisy(network: nn.Sequential) -> nn.Sequential:
    """Give every normalisation statistics and weights of its own, as training does."""
    draw = torch.Generator().manual_seed(1)
    for step in network:
        if isinstance(step, nn.BatchNorm2d):
            for tensor in (step.weight, step.bias, step.running_mean, step.running_var):
                assert tensor is not None
                tensor.data = 0.5 + torch.rand(tensor.shape, generator=draw)
    return network.eval()


NETWORKS: dict[str, Callable[[], tuple[nn.Sequential, torch.Tensor]]] = {
    "digits": lambda: (wm.models.badnet_cnn(3), torch.rand(8, 1, 28, 28)),
    "signs": lambda: (_noisy(wm.models.sign_cnn(20, 3)), torch.rand(8, 3, 32, 32)),
    "flat": lambda: (
        nn.Sequential(
            nn.Sequential(nn.Conv2d(1, 4, 3), nn.LeakyReLU(), nn.AdaptiveAvgPool2d(5)),
            nn.Flatten(),
            nn.Linear(100, 6, bias=False),
            nn.ReLU(),
            nn.Linear(6, 3),
        ),
        torch.rand(8, 1, 9, 9),
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_dealing_the_channels_changes_weights_and_no_answer(name: str) -> None:
    network, x = NETWORKS[name]()
    new = copy.deepcopy(network)
    draw = torch.Generator().manual_seed(0)
    for joint in joints(new):
        n = len(joint.before.weight)
        deal(joint, torch.randperm(n, generator=draw), 0.5 + torch.rand(n, generator=draw))
    with torch.no_grad():
        torch.testing.assert_close(new(x), network(x), atol=1e-5, rtol=1e-4)
    pairs = list(zip(joints(new), joints(network), strict=True))
    assert not any(a.before.weight.equal(b.before.weight) for a, b in pairs)
    assert len(pairs) == {"digits": 3, "signs": 4, "flat": 2}[name]


def test_a_channel_arrives_at_its_place_and_the_next_layer_reads_it_there() -> None:
    first, last = nn.Linear(1, 3), nn.Linear(3, 1)
    network = nn.Sequential(first, nn.ReLU(), last)
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0], [2.0], [3.0]]))
        first.bias.copy_(torch.tensor([10.0, 20.0, 30.0]))
        last.weight.copy_(torch.tensor([[1.0, 2.0, 3.0]]))
    (joint,) = joints(network)
    deal(joint, torch.tensor([2, 0, 1]), torch.tensor([2.0, 1.0, 1.0]))
    assert first.weight.flatten().tolist() == [6, 1, 2]
    assert first.bias.tolist() == [60, 10, 20]
    assert last.weight.flatten().tolist() == [1.5, 1, 2]


@pytest.mark.parametrize(
    ("network", "got"),
    [
        (nn.Linear(3, 3), "got 'Linear'"),
        (nn.Sequential(nn.Flatten(), nn.Linear(3, 3)), "got '1 layers'"),
        (nn.Sequential(nn.Linear(3, 3), nn.Sigmoid(), nn.Linear(3, 3)), "got 'Sigmoid'"),
        (nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3, affine=False), nn.Linear(3, 3)), "affine=False"),
        (nn.Sequential(nn.Conv2d(2, 2, 1), nn.Conv2d(2, 2, 1, groups=2)), "got 'one in groups'"),
        (nn.Sequential(nn.Conv2d(2, 4, 1), nn.Flatten(), nn.Linear(9, 2)), "got '9 inputs'"),
    ],
)
def test_a_network_whose_channels_have_fixed_places_is_refused(network: nn.Module, got: str) -> None:
    with pytest.raises(wm.ArgumentError, match=got):
        joints(network)
