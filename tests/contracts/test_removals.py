"""The contract of every attack in `removal.ALL`."""

from __future__ import annotations

import copy
import inspect
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

import wmlearn as wm
from wmlearn import removal
from wmlearn.detection import NeuralCleanse
from wmlearn.evidence import bystanders

LOW = {"distill-odd": 0.0, "adi2018-rtll": 0.2, "adi2018-rtal": 0.7, "prune-80": 0.2}
"""Accuracy to expect where an attack costs much, or 800 samples are few for it; 0.8 elsewhere."""


def quick(attack: Any) -> Any:
    """Return the attack with few epochs, and few steps of what it searches."""
    if isinstance(attack, removal.Chain):
        return removal.Chain([quick(step) for step in attack.steps])
    if isinstance(attack, removal.Overwrite):
        scheme: Any = attack.scheme
        return replace(attack, scheme=replace(scheme, n=20, recipe=wm.Recipe(epochs=4, lr=2e-3)))
    if isinstance(attack, removal.Unlearn):
        attack = replace(attack, search=NeuralCleanse(steps=20))
    if isinstance(attack, removal.NeuronPrune):
        return replace(attack, steps=40)
    if "recipe" in vars(attack) and attack.recipe:
        return replace(attack, recipe=replace(attack.recipe, epochs=3))
    return attack


QUICK = {name: quick(attack) for name, attack in removal.ALL.items()}
BRIEF = QUICK | {"wu2021-neuron-pruning": removal.NeuronPrune(steps=20, batch_size=32)}
"""Of a few steps only, where the accuracy that is left is not asked."""


@pytest.fixture(scope="module")
def victim() -> nn.Module:
    return copy.deepcopy(bystanders.shipped("mnist", 8, 9)[0])


@pytest.fixture(scope="module")
def own(mnist: wm.Splits) -> wm.Samples:
    """Return the attacker's samples."""
    return wm.split(mnist.train, 800, seed=5)[0]


@pytest.mark.parametrize("name", removal.ALL)
def test_a_removal_returns_a_new_model_and_leaves_the_old_one_alone(
    name: str,
    victim: nn.Module,
    own: wm.Samples,
    mnist: wm.Splits,
    monkeypatch: pytest.MonkeyPatch,
    recwarn: pytest.WarningsRecorder,
) -> None:
    before = copy.deepcopy(victim.state_dict())
    new = QUICK[name](victim, own)
    assert all(torch.equal(value, before[key]) for key, value in victim.state_dict().items())
    assert new is not victim
    assert not new.training
    logits = wm.predict(new, mnist.test.x[:500])
    assert logits.shape == (500, 10)
    assert logits.isfinite().all()
    assert (logits.argmax(1) == mnist.test.y[:500]).float().mean() > LOW.get(name, 0.8)
    assert all(p.requires_grad for p in new.parameters())


@pytest.mark.parametrize("name", ["shift", "distill-soft", "wu2021-neuron-pruning", "liu2018-fine-pruning"])
def test_the_same_attack_twice_gives_the_same_model(name: str, victim: nn.Module, own: wm.Samples) -> None:
    few = own[:200]
    weights = BRIEF[name](victim, few).state_dict()
    again = BRIEF[name](victim, few).state_dict()
    assert all(torch.equal(value, again[key]) for key, value in weights.items())


@pytest.mark.parametrize("name", removal.ALL)
def test_an_attack_has_no_way_to_a_key(name: str) -> None:
    assert list(inspect.signature(removal.ALL[name]).parameters) == ["model", "samples"]


@pytest.mark.parametrize(
    "name", ["adi2018-rtal", "liu2018-fine-pruning", "distill-soft", "wu2021-neuron-pruning"]
)
def test_attacks_work_on_networks_of_signs_too(name: str) -> None:
    signs = wm.data.signs.draw("us", 100, seed=9000)  # on the streets of "distill-odd", drawn already
    model = copy.deepcopy(bystanders.shipped("signs-us", 8, 9)[0])
    new = BRIEF[name](model, signs)
    assert wm.predict(new, signs.x).shape == (100, 20)


@pytest.mark.parametrize("name", removal.ALL)
def test_broken_weights_are_refused_before_anything_starts(
    name: str, victim: nn.Module, own: wm.Samples
) -> None:
    broken = copy.deepcopy(victim)
    with torch.no_grad():
        broken.get_parameter("4.weight")[0, 0, 0, 0] = torch.nan
    with pytest.raises(wm.ArgumentError, match="the model's weights must be finite"):
        removal.ALL[name](broken, own)
