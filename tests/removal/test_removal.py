"""What each removal does, and what it refuses."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import wmlearn as wm
from wmlearn import removal
from wmlearn.evidence import bystanders
from wmlearn.models import reborn, student_of
from wmlearn.removal import extraction
from wmlearn.removal.evade import Committee, Guard, quantise, smooth
from wmlearn.removal.fine_prune import channel_means
from wmlearn.removal.sharpness import worst_push


@pytest.fixture(scope="module")
def victim() -> nn.Module:
    return copy.deepcopy(bystanders.shipped("mnist", 8, 9)[0])


@pytest.fixture(scope="module")
def own(mnist: wm.Splits) -> wm.Samples:
    """Return the attacker's samples."""
    return wm.split(mnist.train, 800, seed=5)[0]


def test_last_layer_attacks_leave_the_others_alone(victim: nn.Module, own: wm.Samples) -> None:
    new = removal.FineTune("last", reset_last=True, recipe=wm.Recipe(epochs=1))(victim, own)
    changed = {
        key for key, value in new.state_dict().items() if not torch.equal(value, victim.state_dict()[key])
    }
    assert changed == {"10.weight", "10.bias"}


def test_pruning_zeroes_the_smallest_share(victim: nn.Module, own: wm.Samples) -> None:
    new = removal.Prune(0.7)(victim, own)
    for layer, old in zip(new.modules(), victim.modules(), strict=True):
        if isinstance(layer, nn.Conv2d | nn.Linear):
            gone = layer.weight == 0
            assert gone.float().mean().item() == pytest.approx(0.7, abs=0.01)
            magnitude = old.get_parameter("weight").abs()
            assert magnitude[gone].max() <= magnitude[~gone].min()


@pytest.mark.parametrize(
    "build", [wm.models.badnet_cnn, lambda: copy.deepcopy(bystanders.shipped("signs-us", 8, 9)[0])]
)
def test_fine_pruning_silences_the_sleepiest_channels_for_good(build: Any) -> None:
    model = build()
    samples = (
        wm.data.signs.draw("us", 300, seed=1)
        if isinstance(model[0], wm.models.networks.StandardiseEach)
        else wm.load("mnist").train[:300]
    )
    before = channel_means(model, samples.x)
    new = removal.FinePrune(0.5, wm.Recipe(epochs=2))(model, samples)
    asleep = before.argsort()[: len(before) // 2]
    assert channel_means(new, samples.x)[asleep].abs().max() == 0
    assert channel_means(new, samples.x).max() > 0


def test_dealing_the_channels_anew_changes_not_one_of_ten_thousand_answers(
    victim: nn.Module, own: wm.Samples, mnist: wm.Splits
) -> None:
    new = removal.Permute(seed=1)(victim, own)
    before, after = (wm.predict(network, mnist.test.x) for network in (victim, new))
    assert after.argmax(1).equal(before.argmax(1))
    assert (after - before).abs().max() < 1e-4
    unchanged = [name for name, w in new.named_parameters() if w.equal(victim.get_parameter(name))]
    assert unchanged == ["10.bias"]  # the answers themselves keep their places


def test_the_order_alone_moves_weights_and_keeps_their_values(victim: nn.Module, own: wm.Samples) -> None:
    new = removal.Permute(scale=1.0)(victim, own)
    for a, b in zip(new.parameters(), victim.parameters(), strict=True):
        assert a.flatten().sort().values.equal(b.flatten().sort().values)


def test_few_bits_leave_few_levels(victim: nn.Module, own: wm.Samples) -> None:
    new = removal.Quantize(3)(victim, own)
    assert all(
        len(layer.weight.unique()) <= 7 for layer in new.modules() if isinstance(layer, nn.Conv2d | nn.Linear)
    )


def test_a_reborn_network_inherits_nothing(victim: nn.Module) -> None:
    new = reborn(victim, 3)
    shared = [key for key, value in new.state_dict().items() if torch.equal(value, victim.state_dict()[key])]
    assert set(shared) == {"0.mean", "0.std"}
    assert wm.accuracy(new, wm.load("mnist").test[:500]) < 0.4


def test_outvoted_and_guarded_models_keep_their_mark_but_hide_it(own: wm.Samples) -> None:
    const = [_Says(label) for label in (7, 2, 2)]
    assert Committee(list(const))(own.x[:5]).argmax(1).tolist() == [2] * 5
    assert Committee([_Says(7), _Says(2), _Says(3)])(own.x[:5]).argmax(1).tolist() == [7] * 5
    guard = removal.Refuse(share=0.05)(_Says(7), own)
    assert isinstance(guard, Guard)
    natural, noise = (
        wm.predict(guard, own.x).argmax(1),
        wm.predict(guard, torch.rand(200, 1, 28, 28)).argmax(1),
    )
    assert (natural == 7).float().mean() > 0.9
    assert (noise == 7).float().mean() < 0.3


def test_changed_inputs_stay_pictures(own: wm.Samples) -> None:
    for change in (smooth, quantise, removal.evade.jpeg):
        x = change(own.x[:9])
        assert x.shape == own.x[:9].shape
        assert 0 <= x.min() <= x.max() <= 1
        assert 0 < (x - own.x[:9]).abs().mean() < 0.1
    assert set((quantise(own.x[:9]) * 3).unique().tolist()) == {0, 1, 2, 3}


class _Says(nn.Module):
    def __init__(self, label: int) -> None:
        super().__init__()
        self.label = nn.Parameter(torch.tensor(float(label)))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.one_hot(torch.full((len(x),), int(self.label)), 10).float()


def test_a_service_that_stumbles_is_asked_again_and_one_that_falls_loses_nothing(
    own: wm.Samples, victim: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extraction, "PAUSE", 0.0)
    asked: list[int] = []
    limit = 300

    def service(x: Tensor) -> Tensor:
        asked.append(len(x))
        if len(asked) == 2 or sum(asked) > limit:
            raise TimeoutError("no answer in time")
        return wm.predict(victim, x).argmax(1)

    kept, student = tmp_path / "labels.safetensors", reborn(victim, 0)
    with pytest.raises(
        removal.ExtractionError,
        match=r"the service must answer, got TimeoutError: no answer in time, 5 times; 200 labels",
    ):
        removal.extract(service, student, own.x[:400], own.classes, batch=100, kept=kept)
    assert asked[:3] == [100, 100, 100]
    limit = 10_000
    asked.clear()
    copied = removal.extract(
        service, student, own.x[:400], own.classes, batch=100, kept=kept, recipe=wm.Recipe(epochs=8)
    )
    assert asked == [100, 100, 100]  # two batches were left, and the second stumbled once
    untaught = reborn(victim, 0).state_dict()
    assert all(untaught[name].equal(value) for name, value in student.state_dict().items())
    assert wm.accuracy(copied, own[:400]) > 0.7


def test_what_was_gathered_is_of_the_same_queries_or_refused(
    own: wm.Samples, victim: nn.Module, tmp_path: Path
) -> None:
    kept = tmp_path / "labels.safetensors"

    def again(x: Tensor) -> nn.Module:
        ask = lambda images: wm.predict(victim, images).argmax(1)  # noqa: E731
        return removal.extract(ask, reborn(victim, 0), x, own.classes, kept=kept, recipe=wm.Recipe(epochs=1))

    again(own.x[:50])
    with pytest.raises(wm.ArgumentError, match="must be of the same queries, got 'others'"):
        again(own.x[50:100])
    kept.write_bytes(b"nonsense")
    with pytest.raises(wm.DataError, match=r"must hold gathered labels, got: .* Move it away to ask again"):
        again(own.x[:50])


def test_nobody_opens_a_service(own: wm.Samples, victim: nn.Module) -> None:
    service = wm.watermarks.dawn.Service(victim, b"s" * 32, 0.01)
    with pytest.raises(
        wm.ArgumentError,
        match="the model must be one, not a service, which nobody can open, got 'a marked service'",
    ):
        removal.Distill()(service, own)


def test_taking_the_mean_filter_out_erases_a_message_in_it(own: wm.Samples, victim: nn.Module) -> None:
    scheme = wm.watermarks.Uchida2017(n_bits=64, strength=0.1, recipe=wm.Recipe(epochs=8, lr=5e-3))
    mark = scheme.embed(victim, own, scheme.keygen(victim, own))
    less = removal.MeanFilter(recipe=wm.Recipe(epochs=1, lr=1e-4))(mark.model, own)
    assert scheme.verify(mark.model, mark.key).rate == 1
    assert scheme.verify(less, mark.key).rate < 0.65
    assert wm.accuracy(less, own) > 0.9


def test_a_wrapped_layer_is_found_by_its_name(own: wm.Samples, victim: nn.Module) -> None:
    scheme = wm.watermarks.Uchida2017()
    key = scheme.keygen(victim, own)
    assert scheme.verify(removal.Inputs("smooth")(victim, own), key) == scheme.verify(victim, key)


def test_bad_settings_are_refused(victim: nn.Module, own: wm.Samples) -> None:
    for bad in (removal.Prune, removal.FinePrune):
        with pytest.raises(wm.ArgumentError, match=r"ratio must lie in \[0, 1\), got 1"):
            bad(1)
    with pytest.raises(wm.ArgumentError, match=r"bits must lie in 2\.\.16, got 1"):
        removal.Quantize(1)
    with pytest.raises(wm.ArgumentError, match="part must be one of last, all, got 'first'"):
        removal.FineTune("first")  # pyrefly: ignore[bad-argument-type]
    with pytest.raises(wm.ArgumentError, match="steps must not be empty"):
        removal.Chain(())
    with pytest.raises(
        wm.ArgumentError,
        match=r"the model must have an nn\.Conv2d layer for this attack, got 'Flatten, Linear'",
    ):
        removal.FinePrune()(nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), own)
    with pytest.raises(wm.ArgumentError, match="samples must not be empty"):
        removal.FineTune()(victim, own[:0])
    with pytest.raises(wm.ArgumentError, match="samples must hold images of every class, got 'none of 3"):
        removal.Unlearn()(victim, own[own.y != 3])


def test_students_of_two_teachers_and_of_two_seeds_start_from_other_weights(victim: nn.Module) -> None:
    other = copy.deepcopy(victim)
    with torch.no_grad():
        next(p for p in other.parameters()).mul_(1.01)
    starts = [student_of(victim, 0), student_of(victim, 1), student_of(other, 0), reborn(victim, 0)]
    first = [nn.utils.parameters_to_vector(start.parameters()) for start in starts]
    assert first[0].equal(nn.utils.parameters_to_vector(student_of(victim, 0).parameters()))
    for i, j in ((0, 1), (0, 2), (0, 3)):
        assert abs(torch.corrcoef(torch.stack([first[i], first[j]]))[0, 1]) < 0.02


def test_who_steals_nothing_learns_the_same_whatever_the_model_has_learnt(
    victim: nn.Module, own: wm.Samples
) -> None:
    """It may start elsewhere, and asks the model nothing: wrong answers leave no trace in what it learns."""
    wrong = copy.deepcopy(victim)
    with torch.no_grad():
        wrong.get_parameter("10.bias").add_(torch.eye(10)[3] * 1e3)  # everything is a 3
    attack = removal.FromScratch(wm.Recipe(epochs=4, lr=1e-2, batch_size=32))
    assert wm.accuracy(wrong, own) < 0.2
    assert wm.accuracy(attack(wrong, own), own) > 0.8


def test_the_worst_push_is_as_long_as_asked_and_worse_than_any_other(
    victim: nn.Module, own: wm.Samples
) -> None:
    network = copy.deepcopy(victim)
    weights = list(network.parameters())
    loss = nn.functional.cross_entropy(network(own.x), own.y)
    push = worst_push(weights, torch.autograd.grad(loss, weights), 0.5)
    sizes = [part / weight.abs().clamp_min(1e-12) for part, weight in zip(push, weights, strict=True)]
    assert torch.cat([size.flatten() for size in sizes]).norm().item() == pytest.approx(0.5, rel=1e-3)
    draw = torch.Generator().manual_seed(0)
    dealt = [part.flatten()[torch.randperm(part.numel(), generator=draw)].view_as(part) for part in push]
    assert _loss_after(network, push, own) > _loss_after(network, dealt, own)
    assert _loss_after(network, push, own) > 1.5 * loss


def _loss_after(network: nn.Module, push: list[Tensor], samples: wm.Samples) -> Tensor:
    pushed = copy.deepcopy(network)
    with torch.no_grad():
        for weight, part in zip(pushed.parameters(), push, strict=True):
            weight.add_(part)
        return nn.functional.cross_entropy(pushed(samples.x), samples.y)


def test_training_with_slopes_from_elsewhere_moves_and_keeps_the_task(
    victim: nn.Module, own: wm.Samples
) -> None:
    new = removal.SharpnessAware(recipe=wm.Recipe(epochs=1, lr=1e-3, batch_size=64))(victim, own)
    assert wm.accuracy(new, own) > 0.9
    assert not next(new.parameters()).equal(next(victim.parameters()))
