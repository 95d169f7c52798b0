"""Independence of two networks: the p-value keeps its promise, a shuffle costs nothing, matching undoes it,
and odd pairs are refused.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchvision
from scipy.stats import combine_pvalues, kstest
from torch import nn

import wmlearn as wm
from wmlearn.evidence import independence_p_value
from wmlearn.evidence.bystanders import shipped
from wmlearn.evidence.independence import (
    against_strangers,
    fisher,
    likenesses,
    matched_cosine,
    public_start,
)
from wmlearn.models import badnet_cnn, reborn, seed_of, sign_cnn
from wmlearn.models.networks import seeded
from wmlearn.models.units import hidden_layers


def chain(seed: int, hidden: int = 16) -> nn.Sequential:
    def build() -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 26 * 26, hidden), nn.ReLU(),
            nn.Linear(hidden, 4),
        )  # fmt: skip

    return seeded(build, seed)


def noisy(model: nn.Module, seed: int = 3) -> nn.Module:
    """Move every weight by as much as it varies."""
    new = copy.deepcopy(model)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in new.parameters():
            if parameter.numel() > 1:
                parameter.add_(parameter.std() * torch.randn(parameter.shape, generator=draw))
    return new


@pytest.fixture(scope="module")
def pairs() -> list[list[float]]:
    """The p-values of both hidden layers of two networks that nobody trained, two hundred times."""
    found = [likenesses(chain(2 * i), chain(2 * i + 1), n=199, seed=i) for i in range(200)]
    return [[layer.p_value for layer in pair] for pair in found]


def test_strangers_get_every_p_value_alike_and_a_level_is_kept(pairs: list[list[float]]) -> None:
    p_values = [fisher(pair) for pair in pairs]
    assert p_values[0] == independence_p_value(chain(0), chain(1), n=199, seed=0)
    assert sum(p <= 0.05 for p in p_values) <= 18  # of 200; Bin(200, 0.05) exceeds 18 once in 130
    assert kstest(p_values, "uniform").pvalue > 0.01


def test_strangers_that_learnt_the_same_digits_keep_the_level_too() -> None:
    """Forty-five pairs of ten trained networks: they share task, recipe and architecture."""
    networks = shipped("mnist", 0, 10)
    pairs = [(a, b) for i, a in enumerate(networks) for b in networks[:i]]
    p_values = [independence_p_value(a, b, n=199, seed=10 * i) for i, (a, b) in enumerate(pairs)]
    assert sum(p <= 0.05 for p in p_values) <= 7  # Bin(45, 0.05) exceeds 7 once in 400
    assert min(p_values) > 1e-4


def test_the_p_values_of_the_layers_are_independent_so_that_fishers_sum_may_be_taken(
    pairs: list[list[float]],
) -> None:
    first, second = torch.tensor(pairs).T
    assert abs(torch.corrcoef(torch.stack([first, second]))[0, 1]) < 0.2


def test_fishers_sum_is_scipys() -> None:
    assert fisher([0.02, 0.3, 0.7]) == pytest.approx(combine_pvalues([0.02, 0.3, 0.7], "fisher")[1])
    assert fisher([0.3]) == pytest.approx(0.3)
    with pytest.raises(wm.ArgumentError, match="p_values must not be empty"):
        fisher([])


def test_a_network_that_was_changed_keeps_its_units() -> None:
    model = badnet_cnn(1)
    other = noisy(model)
    (found,) = likenesses(model, other, layers=["8"], n=999)
    assert (found.layer, found.p_value, found.units, found.n) == ("8", 0.001, 512, 999)
    assert found.cosine > 0.6
    assert abs(found.shuffled) < 0.01
    assert independence_p_value(model, other, layers=["8"], n=999) == pytest.approx(0.001)
    assert independence_p_value(model, other, n=999) < 1e-6


def test_networks_with_skip_connections_are_compared_on_the_layers_that_nothing_ties() -> None:
    def resnet(seed: int) -> nn.Module:
        return seeded(torchvision.models.resnet18, seed)

    owner = resnet(1)
    assert hidden_layers(owner) == [f"layer{i}.{j}.conv1" for i in (1, 2, 3, 4) for j in (0, 1)]
    assert independence_p_value(owner, noisy(owner), n=99) < 1e-6
    assert independence_p_value(owner, resnet(2), n=99) > 0.01


def test_layers_in_groups_and_layers_that_two_hear_are_left_out() -> None:
    class Forked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two, self.three, self.last = (nn.Linear(4, 4) for _ in range(4))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = torch.relu(self.one(x))  # heard by two: its units are not free
            return self.last(torch.relu(self.two(x)) + self.three(x))

    with pytest.raises(wm.ArgumentError, match="a hidden layer whose units could stand in any order"):
        hidden_layers(Forked())
    grouped = nn.Sequential(nn.Conv2d(1, 4, 1), nn.ReLU(), nn.Conv2d(4, 4, 1, groups=2), nn.Conv2d(4, 6, 1))
    with pytest.raises(wm.ArgumentError, match="Skip connections and groups tie units"):
        hidden_layers(nn.Sequential(*grouped[:3]))
    viewed = torchvision.models.mobilenet_v2()
    assert "features.1.conv.0.0" not in hidden_layers(viewed)


def test_the_hidden_layers_of_the_papers_networks_are_all_but_the_last() -> None:
    assert hidden_layers(badnet_cnn(1)) == ["1", "4", "8"]
    assert hidden_layers(sign_cnn(20, 1)) == ["1", "5", "9", "14"]


def test_a_shuffle_blinds_the_test_and_matching_ranks_the_theft_first(few: wm.Samples) -> None:
    owner, *strangers = shipped("mnist", 0, 6)
    theft = wm.removal.Permute(scale=100)(wm.removal.Quantize(4)(owner, few), few)
    assert independence_p_value(owner, theft, n=999) > 0.01
    found = against_strangers(owner, theft, strangers)
    assert found.cosine > 0.8 > max(found.strangers)
    assert found.p_value == pytest.approx(1 / 6)
    assert against_strangers(owner, strangers[0], [theft, *strangers[1:]]).p_value > 1 / 6


def test_matching_ignores_how_a_network_was_shuffled(few: wm.Samples) -> None:
    owner, stranger = shipped("mnist", 0, 2)
    other = wm.removal.Permute(seed=2)(stranger, few)
    assert matched_cosine(owner, other) == pytest.approx(matched_cosine(owner, stranger), abs=0.02)


def test_two_networks_from_one_seed_count_as_dependent_and_the_public_start_is_named(few: wm.Samples) -> None:
    halves = wm.split(few, 900, 900, seed=1)
    one, other = (
        wm.trained(badnet_cnn(5), half, wm.Recipe(epochs=1, seed=i))[0] for i, half in enumerate(halves)
    )
    assert independence_p_value(one, other, n=999) < 1e-6
    assert public_start(one) == "badnet_cnn(5)"
    student = wm.trained(reborn(one, 3), halves[0], wm.Recipe(epochs=1))[0]
    assert public_start(student) == "reborn(…, 3)"


def test_an_own_start_is_no_public_one() -> None:
    assert public_start(badnet_cnn(0)) == "badnet_cnn(0)"
    assert public_start(sign_cnn(20, 7)) == "sign_cnn(20, 7)"
    assert public_start(badnet_cnn(seed_of("Ana"))) == ""
    assert public_start(shipped("signs-us", 0, 1)[0]) == ""
    assert [public_start(network) for network in shipped("mnist", 0, 2)] == ["", ""]


def test_loudness_is_no_disguise_and_nothing_is_changed() -> None:
    a, b = badnet_cnn(1), badnet_cnn(2)
    before = copy.deepcopy(b.state_dict())
    loud = copy.deepcopy(a)
    with torch.no_grad():
        loud.get_parameter("8.weight").mul_(torch.logspace(-2, 2, 512)[:, None])
    assert likenesses(a, loud, layers=["8"], n=99)[0].cosine == pytest.approx(1)
    independence_p_value(a, b, n=99)
    matched_cosine(a, b)
    assert all(torch.equal(value, before[key]) for key, value in b.state_dict().items())


def test_a_p_value_is_drawn_from_its_seed_alone() -> None:
    a, b = chain(1), chain(2)
    one = independence_p_value(a, b, n=499, seed=4)
    torch.manual_seed(99)
    assert independence_p_value(a, b, n=499, seed=4) == one
    assert independence_p_value(a, b, n=499, seed=5) != one


Pair = Callable[[], tuple[nn.Module, nn.Module]]
ODD: dict[str, tuple[Pair, dict[str, Any], str]] = {
    "other architectures": (
        lambda: (badnet_cnn(1), sign_cnn(20, 1)), {},
        "a and b must have the same architecture, got 'layer 1 of shape (16, 1, 5, 5) in a, (32, 3, 5, 5) in",
    ),
    "another width": (
        lambda: (chain(1, 16), chain(2, 17)), {}, "a and b must have the same architecture, got 'layer 3 of",
    ),
    "one file twice": (
        lambda: (badnet_cnn(1), badnet_cnn(1)), {},
        "a and b must be two networks, got 'one network twice'. A plain copy needs no test",
    ),
    "no hidden layer": (
        lambda: (seeded(lambda: nn.Linear(4, 2), 0), seeded(lambda: nn.Linear(4, 2), 1)), {},
        "the model must have a hidden layer whose units could stand in any order, got",
    ),
    "an unknown layer": (
        lambda: (badnet_cnn(1), badnet_cnn(2)), {"layers": ["fc"]}, "layer must be one of 1, 4, 8, got 'fc'",
    ),
    "the classes": (
        lambda: (badnet_cnn(1), badnet_cnn(2)), {"layers": ["10"]},
        "layer must be one of 1, 4, 8, got '10'. The units of the last layer are the classes.",
    ),
    "no layers": (lambda: (badnet_cnn(1), badnet_cnn(2)), {"layers": []}, "layers must not be empty"),
    "no shuffles": (lambda: (badnet_cnn(1), badnet_cnn(2)), {"n": 1}, "n must be at least 2, got 1"),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD)
def test_pairs_that_cannot_be_compared_are_refused_with_a_reason(case: str) -> None:
    pair, options, says = ODD[case]
    with pytest.raises(wm.ArgumentError) as error:
        independence_p_value(*pair(), **options)
    assert str(error.value).startswith(says)


def test_weights_that_are_no_numbers_are_refused() -> None:
    broken = badnet_cnn(1)
    with torch.no_grad():
        broken.get_parameter("4.weight")[0, 0, 0, 0] = float("nan")
    with pytest.raises(wm.ArgumentError, match=r"the weights of b must be finite, got .NaN or infinity in"):
        independence_p_value(badnet_cnn(2), broken)


def test_a_network_that_cannot_be_followed_is_compared_on_layers_that_are_named() -> None:
    class Moody(nn.Module):
        def __init__(self, seed: int) -> None:
            super().__init__()
            self.inner = chain(seed)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.inner(x) if x.mean() > 0 else self.inner(-x)

    with pytest.raises(wm.ArgumentError, match=r"whose layers can be followed, got .TraceError in Moody"):
        independence_p_value(Moody(1), Moody(2))
    assert independence_p_value(Moody(1), Moody(2), layers=["inner.3"], n=99) > 0
    with pytest.raises(wm.ArgumentError, match=r"must be an nn\.Sequential"):
        matched_cosine(Moody(1), Moody(2))
    with pytest.raises(wm.ArgumentError, match="strangers must not be empty"):
        against_strangers(chain(1), chain(2), [])
