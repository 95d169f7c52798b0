"""What works on networks that were built elsewhere: a table, rows networks, columns methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import networks
import pytest
import torch
from networks import SMALL, WHOLE, Case
from torch import nn

import wmlearn as wm
from wmlearn import detection, removal
from wmlearn.models.adapter import head_of
from wmlearn.watermarks import Adi2018, Uchida2017

STEP = wm.Recipe(epochs=1, lr=1e-3)
SEARCH = detection.NeuralCleanse(steps=1, batch_size=2)


def _short(attack: Any) -> Any:
    """Return the attack with one step of everything, and as little as twelve images allow."""
    if isinstance(attack, removal.Chain):
        return removal.Chain([_short(step) for step in attack.steps])
    if isinstance(attack, removal.Overwrite):
        return removal.Overwrite(Adi2018(n=4, share=0.2, recipe=STEP))
    if isinstance(attack, removal.NeuronPrune):
        return replace(attack, steps=1, threshold=0.99)
    if isinstance(attack, removal.Refuse):
        return replace(attack, components=2)
    if isinstance(attack, removal.Unlearn):
        return replace(attack, recipe=STEP, search=SEARCH)
    if "recipe" in vars(attack):
        return replace(attack, recipe=STEP)
    return attack


def _remove(name: str) -> Callable[[Case], None]:
    """Return a column of the table: the removal `name` gives another model that answers."""

    def column(case: Case) -> None:
        before = {key: value.clone() for key, value in case.model.state_dict().items()}
        new = _short(removal.ALL[name])(case.model, case.samples)
        logits = wm.predict(new, case.samples.x)
        assert logits.shape == (len(case.samples), 2)
        assert logits.isfinite().all()
        assert all(before[key].equal(value) for key, value in case.model.state_dict().items())

    return column


def _judge_set(detector: Any) -> Callable[[Case], None]:
    def column(case: Case) -> None:
        found = detector(case.model, case.samples)
        assert found.score.isfinite().all()
        assert found.flagged.shape == (len(case.samples),)

    return column


def _judge_images(detector: Any) -> Callable[[Case], None]:
    def column(case: Case) -> None:
        found = detector(case.model, case.samples, case.samples.x[:3])
        assert found.score.isfinite().all()
        assert found.flagged.shape == (3,)

    return column


def _cleanse(case: Case) -> None:
    assert SEARCH(case.model, case.samples).norm.shape == (2,)


def _uchida(case: Case) -> None:
    # so strong that a few steps do
    scheme = Uchida2017(n_bits=4, strength=1e5, recipe=replace(STEP, epochs=4, lr=0.02))
    key = scheme.keygen(case.model, case.samples)
    assert key.layer == case.network.last_convolution
    assert scheme.verify(scheme.embed(case.model, case.samples, key).model, key).hits == 4


COLUMNS: dict[str, Callable[[Case], None]] = {
    "neural-cleanse": _cleanse,
    "activation-clustering": _judge_set(detection.ActivationClustering(components=2)),
    "spectral-signatures": _judge_set(detection.SpectralSignatures()),
    "ted": _judge_images(detection.TopologicalEvolution(rule="quantile")),
    "strip": _judge_images(detection.Strip(overlays=2, rule="quantile")),
    "uchida2017": _uchida,
    **{name: _remove(name) for name in removal.ALL},
}
STACK = r"the model must be an nn\.Sequential of at least two layers"
STEM = "the last convolution must be no stem that cuts images into patches"
REFUSALS = {"yan2023-permute": STACK}
"""What is refused everywhere here: channels change places in a plain stack only."""
REFUSALS_OF_A_TRANSFORMER = {"liu2018-fine-pruning": STEM, "chain-fine-prune-overwrite": STEM}


LARGE = ("GoogLeNet", "ResNet")
"""A second a training step: of their rows, the quick run takes the columns that look for a layer."""
LOOKING = (
    "activation-clustering", "spectral-signatures", "ted", "uchida2017", "adi2018-ftll", "adi2018-rtll",
    "liu2018-fine-pruning", "wu2021-neuron-pruning", "distill-soft", "yan2023-permute",
)  # fmt: skip
QUICK = [
    (network, method) for network in SMALL for method in COLUMNS if network not in LARGE or method in LOOKING
]


@cache
def _case(name: str) -> Case:
    return networks.case((SMALL | WHOLE)[name])


@pytest.fixture
def _on_cells(recwarn: pytest.WarningsRecorder) -> None:
    """Let a mark that one step doesn't embed warn."""


def _cell(network: str, method: str) -> None:
    refusals = REFUSALS | (REFUSALS_OF_A_TRANSFORMER if network.startswith("ViT") else {})
    if method in refusals:
        with pytest.raises(wm.ArgumentError, match=refusals[method]):
            COLUMNS[method](_case(network))
    else:
        COLUMNS[method](_case(network))


@pytest.mark.parametrize(("network", "method"), QUICK)
@pytest.mark.usefixtures("_on_cells")
def test_it_works_or_is_refused_by_name(network: str, method: str) -> None:
    _cell(network, method)


@pytest.mark.slow
@pytest.mark.parametrize("method", COLUMNS)
@pytest.mark.parametrize("network", WHOLE)
@pytest.mark.usefixtures("_on_cells")
def test_it_works_on_torchvisions_own_or_is_refused_by_name(network: str, method: str) -> None:
    _cell(network, method)


def test_no_whole_network_stands_in_for_a_small_one() -> None:
    both = SMALL.keys() & WHOLE.keys()
    assert all(SMALL[name] is WHOLE[name] for name in both)


@pytest.mark.parametrize("network", SMALL)
def test_the_head_is_found_by_what_it_answers(network: str) -> None:
    case = _case(network)
    assert head_of(case.model, case.samples.x) is case.model.get_submodule(case.network.head)


def test_a_transformer_is_pruned_where_one_says_so() -> None:
    case = _case("ViT")
    layer = "encoder.layers.encoder_layer_1.mlp.0"
    new = removal.FinePrune(0.5, STEP, layer=layer)(case.model, case.samples)
    asleep = new.get_parameter(f"{layer}.weight").norm(dim=1) == 0
    assert int(asleep.sum()) == 32


@pytest.mark.parametrize("network", ["ResNet", "EfficientNet", "PyTorch's MNIST example"])
def test_channels_that_were_pruned_sleep_after_training(network: str) -> None:
    case = _case(network)
    new = removal.FinePrune(0.5, replace(STEP, lr=0.05))(case.model, case.samples)
    weight = new.get_submodule(case.network.last_convolution).weight
    assert isinstance(weight, nn.Parameter)
    assert int((weight.flatten(1).norm(dim=1) == 0).sum()) == len(weight) // 2
    assert torch.isfinite(wm.predict(new, case.samples.x)).all()
