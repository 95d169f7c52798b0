"""Training fits a model, repeats itself to the bit, and says what is wrong; prediction changes nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import wmlearn as wm
from wmlearn.models import badnet_cnn
from wmlearn.training import has_bf16, resolve

QUICK = wm.Recipe(epochs=1, batch_size=100, lr=3e-3, precision="fp32")


def _weights(model: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.fixture(scope="module")
def some(few: wm.Samples) -> wm.Samples:
    return few[:500]


def test_training_learns_in_place_and_leaves_the_model_in_eval_mode(
    few: wm.Samples, mnist: wm.Splits
) -> None:
    model = badnet_cnn()
    log = wm.train(model, few, wm.Recipe(epochs=3, batch_size=50, precision="fp32"))
    assert not any(module.training for module in model.modules())
    assert wm.accuracy(model, mnist.test[:1000]) > 0.85
    assert log.loss[-1] < log.loss[0] < 2.3


def test_trained_leaves_the_original_untouched(some: wm.Samples) -> None:
    original = badnet_cnn().train()
    before = _weights(original)
    copy, log = wm.trained(original, some, QUICK)
    assert _weights(original).equal(before)
    assert original.training
    assert not _weights(copy).equal(before)
    assert not copy.training
    assert len(log.loss) == 1


def test_trained_gives_what_train_gives(some: wm.Samples) -> None:
    model = badnet_cnn()
    copy, copied_log = wm.trained(model, some, QUICK)
    log = wm.train(model, some, QUICK)
    assert _weights(model).equal(_weights(copy))
    assert log == copied_log


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_same_seed_gives_the_same_weights_to_the_bit(some: wm.Samples, precision: Any) -> None:
    recipe = wm.Recipe(epochs=2, batch_size=100, precision=precision)
    first, again = (wm.trained(badnet_cnn(), some, recipe)[0] for _ in range(2))
    assert _weights(first).equal(_weights(again))


def test_another_seed_gives_other_weights(some: wm.Samples) -> None:
    models = [
        wm.trained(badnet_cnn(), some, wm.Recipe(epochs=1, batch_size=100, seed=seed))[0] for seed in (0, 1)
    ]
    assert not _weights(models[0]).equal(_weights(models[1]))


def test_training_leaves_samples_and_the_global_generator_alone(some: wm.Samples) -> None:
    x, y, state = some.x.clone(), some.y.clone(), torch.get_rng_state()
    wm.trained(badnet_cnn(), some, QUICK)
    assert some.x.equal(x)
    assert some.y.equal(y)
    assert torch.get_rng_state().equal(state)


def test_a_last_batch_of_one_image_is_learnt_from_too(few: wm.Samples) -> None:
    with_it, without = (wm.trained(badnet_cnn(), few[:n], QUICK)[0] for n in (101, 100))
    assert not _weights(with_it).equal(_weights(without))


def test_a_penalty_pulls_the_weights(some: wm.Samples) -> None:
    def size(model: nn.Module) -> Tensor:
        return sum((p.square().sum() for p in model.parameters()), torch.zeros(()))

    free, _ = wm.trained(badnet_cnn(), some, QUICK)
    held, _ = wm.trained(badnet_cnn(), some, QUICK, penalty=size)
    assert size(held) < 0.9 * size(free)


def test_a_penalty_is_part_of_the_loss(some: wm.Samples) -> None:
    _, free = wm.trained(badnet_cnn(), some, QUICK)
    _, fined = wm.trained(badnet_cnn(), some, QUICK, penalty=lambda model: torch.tensor(100.0))
    assert fined.loss[0] == pytest.approx(free.loss[0] + 100, abs=1e-3)


def test_on_epoch_hears_of_every_epoch_with_a_growing_log(some: wm.Samples) -> None:
    heard: list[tuple[int, bool, bool]] = []
    model, recipe = badnet_cnn(), wm.Recipe(epochs=3, batch_size=250, precision="fp32")
    log = wm.train(
        model, some, recipe, on_epoch=lambda m, log: heard.append((len(log.loss), m is model, m.training))
    )
    assert heard == [(1, True, False), (2, True, False), (3, True, False)]
    assert log.recipe == recipe
    assert log.precision == "fp32"
    assert len(log.loss) == 3


def test_measuring_in_on_epoch_changes_nothing(some: wm.Samples) -> None:
    recipe = wm.Recipe(epochs=2, batch_size=100)
    plain, _ = wm.trained(badnet_cnn(), some, recipe)
    watched, _ = wm.trained(badnet_cnn(), some, recipe, on_epoch=lambda model, log: wm.accuracy(model, some))
    assert _weights(plain).equal(_weights(watched))


def test_augment_changes_what_each_epoch_learns_and_nothing_else(some: wm.Samples) -> None:
    recipe, before, epochs = wm.Recipe(epochs=3, batch_size=100), some.x.clone(), []

    def darker(samples: wm.Samples, epoch: int) -> wm.Samples:
        epochs.append(epoch)
        return replace(samples, x=samples.x / (1 + epoch))

    plain, _ = wm.trained(badnet_cnn(), some, recipe)
    same, _ = wm.trained(badnet_cnn(), some, recipe, augment=lambda samples, epoch: samples)
    other, _ = wm.trained(badnet_cnn(), some, recipe, augment=darker)
    assert _weights(plain).equal(_weights(same))
    assert not _weights(plain).equal(_weights(other))
    assert epochs == [0, 1, 2]
    assert some.x.equal(before)


def test_augment_must_return_as_many_samples(some: wm.Samples) -> None:
    with pytest.raises(
        wm.ArgumentError, match=r"^augment must return 500 samples, as many as it got, got 499\."
    ):
        wm.train(badnet_cnn(), some, QUICK, augment=lambda samples, epoch: samples[1:])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_both_precisions_learn_and_keep_float32_weights(few: wm.Samples, precision: Any) -> None:
    model = badnet_cnn()
    log = wm.train(model, few, wm.Recipe(epochs=2, batch_size=50, precision=precision))
    assert log.precision == precision
    assert _weights(model).dtype == torch.float32
    assert wm.predict(model, few.x[:10]).dtype == torch.float32
    assert wm.accuracy(model, few) > 0.85


def test_the_two_precisions_differ(some: wm.Samples) -> None:
    models = [
        wm.trained(badnet_cnn(), some, wm.Recipe(epochs=1, batch_size=100, precision=p))[0]
        for p in ("fp32", "bf16")
    ]
    assert not _weights(models[0]).equal(_weights(models[1]))


def test_auto_comes_to_what_the_machine_does_natively() -> None:
    cpu = torch.device("cpu")
    assert resolve("auto", cpu) == ("bf16" if has_bf16(cpu) else "fp32")
    assert resolve("fp32", cpu) == "fp32"
    assert resolve("bf16", cpu) == "bf16"
    assert not has_bf16(torch.device("meta"))


class Counter(nn.Module):
    """Answer with the class that the first pixel tells, and count the images of each call."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []
        self.inner = nn.Dropout()

    def forward(self, x: Tensor) -> Tensor:
        assert not self.training
        assert not self.inner.training
        self.calls.append(len(x))
        return nn.functional.one_hot((x[:, 0, 0, 0] * 2).long(), 3).float()


def _told() -> wm.Samples:
    """Eight images; Counter reads six of them rightly."""
    x = torch.tensor([0, 0, 0.5, 0.5, 0.5, 1, 1, 1]).view(8, 1, 1, 1)
    return wm.Samples(x, torch.tensor([0, 0, 1, 1, 0, 2, 2, 1]), ("a", "b", "c"))


def test_accuracy_is_the_share_that_is_classified_as_labelled() -> None:
    assert wm.accuracy(Counter(), _told()) == 0.75


def test_predict_works_through_batches_in_order() -> None:
    model = Counter()
    logits = wm.predict(model, _told().x, batch_size=3)
    assert model.calls == [3, 3, 2]
    assert logits.argmax(1).tolist() == [0, 0, 1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize("training", [True, False])
def test_predict_restores_the_mode_and_keeps_no_graph(training: bool, some: wm.Samples) -> None:
    model = badnet_cnn().train(training)
    assert not wm.predict(model, some.x[:3]).requires_grad
    assert {module.training for module in model.modules()} == {training}


@pytest.mark.parametrize("training", [True, False])
def test_predict_restores_the_mode_when_the_model_raises(training: bool) -> None:
    model = badnet_cnn().train(training)
    with pytest.raises(wm.ArgumentError, match="this network reads images"):
        wm.predict(model, torch.zeros(2, 1, 5, 5))
    assert {module.training for module in model.modules()} == {training}


def test_predict_restores_layers_that_were_frozen_in_eval_mode() -> None:
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(4), nn.Linear(4, 2)).train()
    model[1].eval()
    wm.predict(model, torch.rand(2, 1, 2, 2))
    assert [layer.training for layer in model] == [True, False, True]


def test_model_and_samples_must_lie_on_one_device(some: wm.Samples) -> None:
    message = "model and samples must lie on one device, here cpu, got 'meta'."
    with pytest.raises(wm.ArgumentError, match=f"^{re.escape(message)}"):
        wm.train(badnet_cnn().to("meta"), some, QUICK)


def test_a_model_with_too_few_outputs_is_refused(some: wm.Samples) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 3))
    before = _weights(model)
    with pytest.raises(wm.ArgumentError, match=r"^the model must answer with 10 classes, got \(100, 3\)\."):
        wm.train(model, some, QUICK)
    with pytest.raises(wm.ArgumentError, match=r"^the model must answer with 10 classes, got \(500, 3\)\."):
        wm.accuracy(model, some)
    assert _weights(model).equal(before)


def test_a_model_with_spare_outputs_is_welcome(some: wm.Samples) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 12))
    wm.train(model, some, wm.Recipe(epochs=3, batch_size=50, precision="fp32"))
    assert wm.accuracy(model, some) > 0.8


@pytest.mark.parametrize("shape", [(1, 27, 28), (3, 28, 28), (1, 32, 32)])
def test_the_paper_network_names_the_shape_that_it_reads(shape: tuple[int, int, int]) -> None:
    message = f"this network reads images of shape (N, 1, 28, 28), got {(2, *shape)}."
    with pytest.raises(wm.ArgumentError, match=f"^{re.escape(message)}"):
        badnet_cnn()(torch.zeros(2, *shape))


def test_a_loss_that_is_no_number_stops_the_training(some: wm.Samples) -> None:
    heard: list[int] = []
    message = "The loss must stay a number, got nan in epoch 1. Lower lr (now 0.003)."
    with pytest.raises(wm.WmlearnError, match=f"(?i)^{re.escape(message)}$"):
        wm.train(
            badnet_cnn(),
            some,
            QUICK,
            penalty=lambda model: torch.tensor(float("nan")),
            on_epoch=lambda model, log: heard.append(len(log.loss)),
        )
    assert heard == []


def test_an_infinite_loss_stops_the_training(some: wm.Samples) -> None:
    with pytest.raises(wm.WmlearnError, match=r"^The loss must stay a number, got inf in epoch 1\."):
        wm.train(badnet_cnn(), some, QUICK, penalty=lambda model: torch.tensor(float("inf")))


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no epoch": ({"epochs": 0}, "epochs must be at least 1, got 0."),
    "no step size": ({"lr": 0}, "lr must be positive, got 0."),
    "a negative step size": ({"lr": -0.1}, "lr must be positive, got -0.1."),
    "a step size that is no number": ({"lr": float("nan")}, "lr must be positive, got nan."),
    "no batch": ({"batch_size": 0}, "batch_size must be at least 1, got 0."),
    "negative decay": ({"weight_decay": -1.0}, "weight_decay must not be negative, got -1.0."),
    "another precision": ({"precision": "fp16"}, "precision must be one of auto, bf16, fp32, got 'fp16'."),
}


@pytest.mark.parametrize("case", BAD)
def test_a_recipe_refuses_what_cannot_train(case: str) -> None:
    changes, message = BAD[case]
    with pytest.raises(wm.ArgumentError, match=f"^{re.escape(message)}"):
        wm.Recipe(**changes)


def test_the_paper_network_has_the_papers_number_of_weights() -> None:
    assert sum(p.numel() for p in badnet_cnn().parameters()) == 281_034


def test_a_seed_decides_the_first_weights() -> None:
    assert _weights(badnet_cnn(3)).equal(_weights(badnet_cnn(3)))
    assert not _weights(badnet_cnn(3)).equal(_weights(badnet_cnn(4)))
    assert _weights(badnet_cnn()).equal(_weights(badnet_cnn(0)))


def test_building_a_network_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    badnet_cnn(7)
    assert torch.get_rng_state().equal(before)


def test_the_paper_network_computes_what_plain_layers_do(few: wm.Samples) -> None:
    fast = badnet_cnn(5)
    _, conv1, _, _, conv2, _, _, _, linear1, _, linear2 = fast
    assert isinstance(linear1, nn.Linear)
    first = nn.Linear(512, 512)
    with torch.no_grad():
        # columns: (H, W, C) -> (C, H, W)
        first.weight.copy_(linear1.weight.view(512, 4, 4, 32).permute(0, 3, 1, 2).flatten(1))
        first.bias.copy_(linear1.bias)
    pool = nn.AvgPool2d(2)
    plain = nn.Sequential(
        conv1, nn.ReLU(), pool, conv2, nn.ReLU(), pool, nn.Flatten(), first, nn.ReLU(), linear2
    )
    x = few.x[:64]
    with torch.no_grad():
        expected = plain((x - 0.1307) / 0.3081)
    assert wm.predict(fast, x).sub(expected).abs().max() < 1e-4
    assert expected.std() > 0.01


def test_dropout_draws_by_the_recipes_seed_and_leaves_the_global_generator_alone() -> None:
    draw = torch.Generator().manual_seed(0)
    samples = wm.Samples(torch.rand(64, 1, 4, 4, generator=draw), torch.arange(64) % 2, ("a", "b"))
    start = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(16, 2))
    state = torch.get_rng_state()
    one, two = (wm.trained(start, samples, wm.Recipe(epochs=2))[0] for _ in range(2))
    assert torch.get_rng_state().equal(state)
    other = wm.trained(start, samples, wm.Recipe(epochs=2, seed=1))[0]
    same = [a.equal(b) for a, b in zip(one.parameters(), two.parameters(), strict=True)]
    assert all(same)
    assert not all(a.equal(b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
