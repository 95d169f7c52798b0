"""Detectors: what each finds, what each misses, and that clean networks and images are let alone."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import wmlearn as wm
from wmlearn import detection
from wmlearn.detection import activations, neural_cleanse
from wmlearn.detection.activation_clustering import silhouette, two_means
from wmlearn.detection.strip import entropy
from wmlearn.detection.ted import ranks
from wmlearn.evidence import bystanders
from wmlearn.triggers import Patch

TARGET = 3


@pytest.fixture(scope="module")
def clean() -> nn.Module:
    return bystanders.shipped("mnist", 27, 28)[0]


@pytest.fixture(scope="module")
def one(mnist: wm.Splits) -> tuple[nn.Module, wm.Poisoned]:
    """All to one: a tenth of 3,000 digits carry the patch and are called 3."""
    return _backdoored(mnist, TARGET, rate=0.1)


@pytest.fixture(scope="module")
def every(mnist: wm.Splits) -> tuple[nn.Module, wm.Poisoned]:
    """All to all: a quarter of 3,000 digits carry the patch and the next label."""
    return _backdoored(mnist, wm.next_class, rate=0.25)


def _backdoored(mnist: wm.Splits, target: wm.Target, rate: float) -> tuple[nn.Module, wm.Poisoned]:
    poisoned = wm.poison(mnist.train[:3_000], Patch(), rate=rate, target=target)
    recipe = wm.Recipe(epochs=5, lr=5e-3, batch_size=48)
    model, _ = wm.trained(wm.models.badnet_cnn(), poisoned.samples, recipe)
    assert wm.success_rate(model, mnist.test[:1000], Patch(), target) > 0.9
    return model, poisoned


@pytest.fixture(scope="module")
def mine(mnist: wm.Splits) -> wm.Samples:
    return mnist.test[:1000]


def _asked(mnist: wm.Splits) -> tuple[Tensor, Tensor]:
    """Clean digits and the same with the patch, none of them a 3, and which are which."""
    some = mnist.test[5000:5300]
    x = some.x[some.y != TARGET]
    return torch.cat([x, Patch()(x)]), torch.arange(2 * len(x)) >= len(x)


# Neural Cleanse


def test_neural_cleanse_finds_the_target_and_a_small_trigger_that_works(
    one: tuple[nn.Module, Any], mine: wm.Samples
) -> None:
    found = detection.NeuralCleanse()(one[0], mine)
    assert found.flagged == (TARGET,)
    assert found.norm[TARGET] < 0.2 * found.norm.median()
    assert found.index[TARGET] > 2
    assert wm.success_rate(one[0], mine, found.trigger(TARGET), TARGET) > 0.9


def test_neural_cleanse_lets_a_clean_network_alone_and_leaves_it_as_it_was(
    clean: nn.Module, mine: wm.Samples
) -> None:
    before, x = copy.deepcopy(clean.state_dict()), mine.x.clone()
    found = detection.NeuralCleanse()(clean, mine)
    assert found.flagged == ()
    assert all(torch.equal(before[key], value) for key, value in clean.state_dict().items())
    assert all(weight.requires_grad and weight.grad is None for weight in clean.parameters())
    assert torch.equal(x, mine.x)


def test_a_scan_is_the_same_every_time_and_tells_its_steps(clean: nn.Module, mine: wm.Samples) -> None:
    steps: list[tuple[int, torch.Size, torch.Size]] = []

    def watch(step: int, pattern: Tensor, mask: Tensor) -> None:
        steps.append((step, pattern.shape, mask.shape))

    cleanse = detection.NeuralCleanse(steps=4)
    found, again = (cleanse(clean, mine, on_step=watch) for _ in range(2))
    assert torch.equal(found.mask, again.mask)
    assert steps[:4] == [(step, (10, 1, 28, 28), (10, 1, 28, 28)) for step in range(4)]
    for part in (found.pattern, found.mask):
        assert part.min() >= 0
        assert part.max() <= 1
    assert not found.mask.requires_grad


def test_a_class_that_was_not_reached_counts_as_the_whole_picture(clean: nn.Module, mine: wm.Samples) -> None:
    scan = detection.NeuralCleanse(steps=1, threshold=1.0)(clean, mine)
    assert scan.norm.tolist() == [784.0] * 10


def test_with_a_source_only_its_images_are_moved_and_itself_is_left_out(
    clean: nn.Module, mine: wm.Samples
) -> None:
    found = detection.NeuralCleanse(steps=60)(clean, mine, source=7)
    assert found.index[7] == 0
    assert found.norm[7] < found.norm[[0, 1, 2, 3, 4, 5, 6, 8, 9]].min(), "a 7 is one without a trigger"
    assert 7 not in found.flagged


def test_the_anomaly_index_counts_deviations_below_the_median() -> None:
    norm = torch.tensor([10.0, 99.0, 100.0, 101.0, 190.0])
    assert neural_cleanse.anomaly_index(norm).tolist() == pytest.approx([90 / 1.4826, 1 / 1.4826, 0, 0, 0])


# STRIP and TED: what a network is asked


def test_strip_catches_all_to_one_and_not_all_to_all(
    one: Any, every: Any, mine: wm.Samples, mnist: wm.Splits
) -> None:
    x, poisoned = _asked(mnist)
    strip = detection.Strip(overlays=12)
    found = strip(one[0], mine, x)
    assert detection.auc(found.score, poisoned) >= 0.99
    assert found.flagged[poisoned].float().mean() > 0.9
    assert found.flagged[~poisoned].float().mean() < 0.05
    assert detection.auc(strip(every[0], mine, x).score, poisoned) < 0.8


def test_ted_catches_both(one: Any, every: Any, mine: wm.Samples, mnist: wm.Splits) -> None:
    x, poisoned = _asked(mnist)
    for model, _ in (one, every):
        found = detection.TopologicalEvolution()(model, mine, x)
        assert detection.auc(found.score, poisoned) >= 0.97
        assert found.flagged[~poisoned].float().mean() < 0.05


def test_ted_judges_a_patch_that_a_clean_network_does_not_know_as_harmless(
    clean: nn.Module, mine: wm.Samples, mnist: wm.Splits
) -> None:
    x, stamped = _asked(mnist)
    assert detection.TopologicalEvolution()(clean, mine, x).flagged[stamped].float().mean() < 0.05


def test_entropy_is_in_bits() -> None:
    class Unsure(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.zeros(len(x), 8)

    x = torch.zeros(5, 1, 2, 2)
    assert entropy(Unsure(), x, x[:3]).tolist() == pytest.approx([3.0] * 5)


def test_ranks_count_who_lies_nearer() -> None:
    known, labels = torch.tensor([[0.0], [1.0], [2.0], [5.0]]), torch.tensor([0, 0, 1, 1])
    assert ranks(torch.tensor([[0.1], [0.1], [4.0]]), known, torch.tensor([0, 1, 0]), labels).tolist() == [
        0,
        2,
        2,
    ]
    assert ranks(known, known, labels, labels, itself=True).tolist() == [0, 0, 2, 0]


# Training sets


class _Pixels(nn.Sequential):
    """A network whose last layer reads the pixels as they are."""

    def __init__(self) -> None:
        super().__init__(nn.Flatten(), nn.Linear(784, 10))


def test_spectral_signatures_find_a_few_odd_ones_of_a_class(few: wm.Samples) -> None:
    x, odd = few.x.clone(), torch.zeros(len(few), dtype=torch.bool)
    odd[(few.y == TARGET).nonzero().flatten()[:10]] = True
    x[odd, :, 4:24, 4:24] = 1
    found = detection.SpectralSignatures()(_Pixels(), wm.Samples(x, few.y, few.classes))
    own = few.y == TARGET
    assert detection.auc(found.score[own], odd[own]) == 1
    assert found.flagged[odd].all()


def test_spectral_signatures_flag_the_same_share_of_every_class(clean: nn.Module, few: wm.Samples) -> None:
    flagged = detection.SpectralSignatures(poison=0.04)(clean, few).flagged
    for label in range(10):
        own = few.y == label
        assert int(flagged[own].sum()) == round(0.06 * int(own.sum()))


def test_activation_clustering_flags_small_parts_only(clean: nn.Module, few: wm.Samples) -> None:
    found = detection.ActivationClustering(smaller=0.2, silhouette=0.0)(clean, few)
    for label in range(10):
        assert found.flagged[few.y == label].float().mean() < 0.2


def test_activation_clustering_catches_all_to_all(every: tuple[nn.Module, wm.Poisoned]) -> None:
    model, poisoned = every
    flagged = detection.ActivationClustering()(model, poisoned.samples).flagged
    assert flagged[poisoned.mask].float().mean() > 0.8
    assert flagged[~poisoned.mask].float().mean() < 0.05


def test_two_means_separates_two_heaps() -> None:
    draw = torch.Generator().manual_seed(0)
    points = torch.randn(200, 6, generator=draw)
    points[:30] += 12
    minor = two_means(activations.principal(points, 3))
    assert minor.nonzero().flatten().tolist() == list(range(30))
    assert silhouette(points, minor) > 0.6
    assert not two_means(torch.ones(5, 2)).any()
    assert silhouette(torch.ones(5, 2), torch.zeros(5, dtype=torch.bool)) == 0


def test_the_silhouette_by_hand() -> None:
    points, part = torch.tensor([[0.0], [2.0], [10.0]]), torch.tensor([True, True, False])
    assert float(silhouette(points, part)) == pytest.approx((0.9 + 7 / 8 + 1) / 3)


# What they share


def test_the_layers_of_a_network(clean: nn.Module, few: wm.Samples) -> None:
    heard = activations.layers(clean, few.x[:3])
    assert [tuple(each.shape) for each in heard] == [(3, 16 * 24 * 24), (3, 32 * 8 * 8), (3, 512), (3, 10)]
    assert torch.equal(heard[-1], wm.predict(clean, few.x[:3]))
    assert torch.equal(activations.penultimate(clean, few.x[:3]), heard[-2].relu())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in clean.modules())


def test_principal_components_are_those_of_a_whole_decomposition(clean: nn.Module, few: wm.Samples) -> None:
    features = activations.penultimate(clean, few.x[few.y == 3])
    u, s, _ = torch.linalg.svd((features - features.mean(0)).double(), full_matrices=False)
    exact, found = (u[:, :10] * s[:10]).abs(), activations.principal(features, 10).abs()
    assert (found - exact).norm() < 0.02 * exact.norm()


def test_auc() -> None:
    mask = torch.tensor([False, True, False, True])
    assert detection.auc(torch.tensor([0.0, 1.0, 0.5, 2.0]), mask) == 1
    assert detection.auc(torch.tensor([1.0, 1.0, 1.0, 1.0]), mask) == 0.5
    assert detection.auc(torch.tensor([3.0, 1.0, 0.0, 2.0]), mask) == 0.5
    with pytest.raises(
        wm.ArgumentError, match="there must be poisoned and clean images, got '0 poisoned of 4'"
    ):
        detection.auc(torch.zeros(4), torch.zeros(4, dtype=torch.bool))


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (
            lambda m, s: detection.NeuralCleanse()(m, s, source=10),
            "source must be a class index below 10, got 10",
        ),
        (
            lambda m, s: detection.NeuralCleanse(steps=0)(m, s),
            r"steps and batch_size must be at least 1, got \(0, 32\)",
        ),
        (lambda m, s: detection.NeuralCleanse(patience=0)(m, s), "patience must be at least 1, got 0"),
        (
            lambda m, s: detection.Strip(false_rejection=0)(m, s, s.x),
            r"false_rejection must lie in \(0, 1\), got 0",
        ),
        (
            lambda m, s: detection.Strip(overlays=1001)(m, s, s.x),
            r"overlays must lie in 1\.\.1000, half of the samples, got 1001",
        ),
        (lambda m, s: detection.SpectralSignatures(poison=1)(m, s), r"poison must lie in \(0, 1\), got 1"),
        (
            lambda m, s: detection.ActivationClustering(smaller=2)(m, s),
            r"smaller must lie in \(0, 1\), got 2",
        ),
        (
            lambda m, s: detection.ActivationClustering(components=0)(m, s),
            r"components must lie in 1\.\.512, got 0",
        ),
        (
            lambda m, s: detection.TopologicalEvolution()(m, wm.Samples(s.x, (s.y + 1) % 10, s.classes), s.x),
            "two samples of every class",
        ),
    ],
)
def test_settings_out_of_range(
    use: Callable[[nn.Module, wm.Samples], object], message: str, clean: nn.Module, few: wm.Samples
) -> None:
    with pytest.raises(wm.ArgumentError, match=message):
        use(clean, few)
