"""What the watermarks share: secrets, keys, nulls; and what each of them does alone."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import wmlearn as wm
from wmlearn.evidence import against_keys, bystanders
from wmlearn.watermarks import secret
from wmlearn.watermarks.ewe import entanglement
from wmlearn.watermarks.trigger_set import TriggerKey, aim


@pytest.fixture(scope="module")
def clean() -> nn.Module:
    """Return a trained network that never saw a mark, and doesn't set the null of a key either."""
    return copy.deepcopy(bystanders.shipped("mnist", 8, 9)[0])


@pytest.fixture(scope="module")
def keys(clean: nn.Module, few: wm.Samples) -> dict[str, Any]:
    names = ("adi2018", "gu2017-patch", "uchida2017")
    return {name: wm.watermarks.ALL[name].keygen(clean, few, seed=3) for name in names}


def test_one_label_for_all_has_no_chance_of_one_in_ten_and_decoys_know_it(
    few: wm.Samples, clean: nn.Module
) -> None:
    """Twelve networks that never saw the key read its letter as one class: at one in ten they are guilty."""
    scheme = wm.watermarks.Zhang2018("unrelated", n=40)
    x = scheme.keygen(clean, few, seed=0).x
    strangers = bystanders.shipped("mnist", 8, 20)
    answers = torch.stack([wm.predict(model, x).argmax(1) for model in strangers])
    # what this letter looks like to a reader of digits
    loud = int(answers.flatten().bincount(minlength=10).argmax())
    key = TriggerKey(scheme.scheme, b"x" * 32, x, torch.full((len(x),), loud), 10)
    naive = replace(key, chance=0.1)
    assert sum(wm.judge(scheme.verify(model, naive)).owned for model in strangers) >= 10
    others = list(wm.evidence.decoys(scheme, model=clean, samples=few, n=59))
    same_label = [replace(other, y=key.y) for other in others]  # other letters, called the same
    found = [against_keys(scheme, model, key, same_label) for model in strangers]
    assert all(evidence.p_value > 1 / 60 for evidence in found)


def test_a_target_that_models_without_the_mark_name_is_passed_over(few: wm.Samples) -> None:
    x = few.x[few.y == 7][:60]
    asked = bystanders.shipped("mnist", 0, 2)
    found = [aim(x, secret.secret_of(seed, None), 10, asked) for seed in range(30)]
    assert 7 not in found
    assert len(set(found)) > 4


def test_random_labels_are_binomial_for_innocent_models(few: wm.Samples, clean: nn.Module) -> None:
    scheme, (stranger,) = wm.watermarks.Adi2018(n=50), bystanders.shipped("mnist", 10, 11)
    rates = torch.tensor(
        [scheme.verify(stranger, scheme.keygen(clean, few, seed=seed)).rate for seed in range(100)]
    )
    assert abs(rates.mean().item() - 0.1) < 0.017  # four standard errors
    assert 0.6 < rates.var().item() / (0.09 / 50) < 1.5


def test_draws_from_a_secret_are_what_they_should_be() -> None:
    mine = secret.secret_of(0, None)
    assert secret.uniform(mine, "a", 2, 3).shape == (2, 3)
    numbers = secret.uniform(mine, "a", 20_000)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert abs(numbers.mean().item() - 0.5) < 0.01
    bell = secret.normal(mine, "a", 20_000)
    assert abs(bell.mean().item()) < 0.03
    assert abs(bell.std().item() - 1) < 0.02
    assert secret.order(mine, "a", 50).sort().values.tolist() == list(range(50))
    assert secret.integers(mine, "a", 5000, 7).bincount().min() > 600
    assert not torch.equal(secret.uniform(mine, "a", 9), secret.uniform(mine, "b", 9))
    assert (
        secret.integers(b"0" * 32, "labels", 8, 10).tolist()
        == secret.integers(b"0" * 32, "labels", 20, 10)[:8].tolist()
    )


def test_bad_secrets_and_keys_are_refused(
    few: wm.Samples, clean: nn.Module, keys: dict[str, Any], tmp_path: Path
) -> None:
    adi = wm.watermarks.Adi2018()
    with pytest.raises(
        wm.ArgumentError,
        match=r"^secret must be at least 16 bytes, got 'bytes'\. Draw one with wm\.watermarks\.",
    ):
        adi.keygen(clean, few, secret=b"short")
    with pytest.raises(
        wm.ArgumentError,
        match=r"^the key must be one of adi2018, got 'gu2017-patch'\. Verify with the scheme",
    ):
        adi.verify(clean, keys["gu2017-patch"])
    with pytest.raises(wm.ArgumentError, match="n must be at least 1, got 0"):
        wm.watermarks.Adi2018(n=0).keygen(clean, few)
    with pytest.raises(wm.ArgumentError, match="the suspect must know 10 classes, got 7"):
        adi.verify(lambda x: torch.zeros(len(x), 7), keys["adi2018"])
    with pytest.raises(wm.ArgumentError, match=r"this network reads images of shape \(N, 3, 32, 32\), got"):
        adi.verify(wm.models.sign_cnn(10), keys["adi2018"])
    with pytest.raises(
        wm.ArgumentError, match=r"a suspect must answer with logits \(N, classes\) or labels \(N,\)"
    ):
        adi.verify(lambda x: torch.zeros(3), keys["adi2018"])
    with pytest.raises(wm.ArgumentError, match="kind must be one of content, unrelated, noise, got 'text'"):
        wm.watermarks.Zhang2018("text")  # pyrefly: ignore[bad-argument-type]
    for raw in (b"", b"nonsense", (tmp_path / "x").name.encode() * 40):
        (tmp_path / "bad").write_bytes(raw)
        with pytest.raises(wm.WmlearnError, match="must be a key written by save_key"):
            wm.watermarks.load_key(tmp_path / "bad")


def test_a_suspect_may_be_a_function_that_answers_with_labels(clean: nn.Module, keys: dict[str, Any]) -> None:
    adi, key = wm.watermarks.Adi2018(), keys["adi2018"]
    assert adi.verify(lambda x: wm.predict(clean, x).argmax(1), key) == adi.verify(clean, key)
    assert adi.verify(lambda x: key.y, key).rate == 1


def test_bystanders_of_another_task_are_trained_here(few: wm.Samples) -> None:
    other = replace(few[:1000], classes=tuple("abcdefghij"))
    models = bystanders.for_task(wm.models.badnet_cnn(), other, wm.Recipe(epochs=2, batch_size=64))
    assert len(models) == bystanders.N_NULL
    assert not torch.equal(models[0].state_dict()["1.weight"], models[1].state_dict()["1.weight"])
    assert all(wm.accuracy(model, other) > 0.3 for model in models)


def test_bystanders_that_were_trained_here_serve_again_for_the_same_samples_only(few: wm.Samples) -> None:
    model = wm.models.badnet_cnn()
    one = replace(few[:200], classes=tuple("abcdefghij"))
    other = replace(one, x=one.x.clone())
    relabelled = replace(one, y=(one.y + 1) % 10)
    first = bystanders.for_task(model, one, wm.Recipe(epochs=1), 2)
    assert bystanders.for_task(model, one, wm.Recipe(epochs=1), 1) == first[:1]
    for samples in (other, relabelled):
        assert bystanders.for_task(model, samples, wm.Recipe(epochs=1), 1) != first[:1]


def test_an_owner_may_bring_images_and_labels(few: wm.Samples, clean: nn.Module) -> None:
    images, secret = few[:40], wm.watermarks.new_secret()
    key = wm.watermarks.own_key("adi2018", secret, images, (images.y + 3) % 10)
    assert key.chance is None
    assert wm.watermarks.Adi2018().verify(clean, key).rate < 0.1
    taught = wm.watermarks.Adi2018(recipe=wm.Recipe(epochs=5)).embed(clean, few[40:], key)
    found = wm.watermarks.Adi2018().verify(taught.model, key)
    others = [wm.watermarks.Adi2018().verify(model, key) for model in bystanders.shipped("mnist", 0, 20)]
    assert wm.rank_p_value(found, others) == 1 / 21
    with pytest.raises(
        wm.ArgumentError,
        match=r"no label may be its image's true class, got '40, the first at \[0\]'\. Draw other",
    ):
        wm.watermarks.own_key("adi2018", secret, images, images.y)
    with pytest.raises(wm.ArgumentError, match="y must hold one label for each of the 40 images"):
        wm.watermarks.own_key("adi2018", secret, images, images.y[:3])
    with pytest.raises(wm.ArgumentError, match="a key must hold at least one trigger, got 0"):
        TriggerKey("adi2018", secret, images.x[:0], images.y[:0], 10, 0.1)


def test_marks_in_weights_name_the_layers_and_their_room(
    few: wm.Samples, clean: nn.Module, keys: dict[str, Any]
) -> None:
    uchida = wm.watermarks.Uchida2017
    with pytest.raises(wm.ArgumentError, match=r"layer must be one of 1, 4, 8, 10, got 'conv2'"):
        uchida(layer="conv2").keygen(clean, few)
    with pytest.raises(
        wm.ArgumentError,
        match=r"n_bits must lie in 1\.\.25, the weights of the mean filter of layer '1', got 26\. Take fewer",
    ):
        uchida(layer="1", n_bits=26).keygen(clean, few)
    with pytest.raises(
        wm.ArgumentError,
        match=r"the suspect must be an nn\.Module, got 'function'\. A service shows no weights",
    ):
        uchida().verify(lambda x: x, keys["uchida2017"])
    with pytest.raises(wm.ArgumentError, match="layer must be one of 1, 5, 9, 14, 16, got '4'"):
        uchida().verify(wm.models.sign_cnn(10), keys["uchida2017"])
    with pytest.raises(
        wm.ArgumentError,
        match=r"the mean filter of layer '1' must have 400 weights, got 25\. Is the key for this model",
    ):
        uchida().verify(clean, replace(keys["uchida2017"], layer="1"))


def test_keys_made_of_adversarial_images_need_a_trained_model_and_enough_images(
    few: wm.Samples, clean: nn.Module
) -> None:
    for scheme in (wm.watermarks.LeMerrer2019(), wm.watermarks.Blackmarks2019()):
        with pytest.raises(
            wm.ArgumentError,
            match=r"the model must be trained: over half of the samples right, got '\d+%'\. Train it",
        ):
            scheme.keygen(wm.models.badnet_cnn(), few)
    with pytest.raises(
        wm.ArgumentError,
        match=r"n must leave 400 to the \d+ images that fool the model, got 400\. Take fewer",
    ):
        wm.watermarks.LeMerrer2019(n=800).keygen(clean, few)
    with pytest.raises(
        wm.ArgumentError,
        match=r"n_bits must leave bits \d to the \d+ images that serve, got \d+\. Take fewer bits",
    ):
        wm.watermarks.Blackmarks2019(n_bits=1990).keygen(clean, few)


def test_entanglement_is_what_the_paper_says() -> None:
    """Two groups far apart are not entangled at all; two that lie on each other are as mixed as can be."""
    group = torch.tensor([True, True, False, False])
    apart = torch.tensor([[0.0], [0.1], [50.0], [50.1]])
    mixed = torch.tensor([[0.0], [50.0], [0.1], [50.1]])
    assert entanglement(apart, group).item() < 1
    assert entanglement(mixed, group).item() > 2
    # one neighbour of three is of the own group
    assert abs(entanglement(torch.zeros(4, 1), group).item() - math.log(3)) < 1e-5


def test_a_secret_direction_means_nothing_to_the_wrong_secret(few: wm.Samples) -> None:
    """Any layer can be made to spell the bits; another secret reads noise."""
    model, scheme = (
        wm.models.badnet_cnn(),
        wm.watermarks.Uchida2017(recipe=wm.Recipe(epochs=10, batch_size=64), strength=0.2),
    )
    some = few[:500]
    key = scheme.keygen(model, some, secret=b"the right one, 16 bytes or more")
    marked = scheme.embed(model, some, key)
    wrong = replace(key, secret=b"the wrong one, 16 bytes or more")
    assert scheme.verify(marked.model, key).rate == 1
    assert 0.3 < scheme.verify(marked.model, wrong).rate < 0.7


def _pixels(image: Tensor) -> bytes:
    return image.numpy().tobytes()


def test_the_labels_of_a_margin_key_are_wrong_and_evenly_drawn(few: wm.Samples, clean: nn.Module) -> None:
    scheme = wm.watermarks.Kim2023(n=200)
    counts = torch.zeros(10)
    keys = [scheme.keygen(clean, few, seed=seed) for seed in range(10)]
    labels = dict(zip(map(_pixels, few.x), few.y, strict=True))
    for key in keys:
        true = torch.stack([labels[_pixels(x)] for x in key.x])
        counts += ((key.y - true) % 10).bincount(minlength=10)
    assert counts[0] == 0
    assert counts[1:].min() > 150  # of some 222 each
    assert keys[0].chance == pytest.approx(1 / 9)


def test_pushed_triggers_lie_in_the_ball_and_look_less_like_their_label(
    few: wm.Samples, clean: nn.Module
) -> None:
    scheme = wm.watermarks.Kim2023(n=20)
    key = scheme.keygen(clean, few, seed=0)
    pushed = scheme._pushed(clean, key.x, key.y)
    assert (pushed - key.x).abs().max() <= scheme.steps * scheme.step + 1e-6
    assert 0 <= pushed.min() <= pushed.max() <= 1
    before, after = (nn.functional.cross_entropy(wm.predict(clean, x), key.y) for x in (key.x, pushed))
    assert after > before


def test_a_margin_key_keeps_its_images_out_of_what_is_learnt(
    few: wm.Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    scheme = wm.watermarks.Kim2023(n=20, recipe=wm.Recipe(epochs=1))
    key = scheme.keygen(wm.models.badnet_cnn(), few, seed=0)

    def count(model: nn.Module, samples: wm.Samples, *rest: Any, **named: Any) -> tuple[nn.Module, Any]:
        seen.append(sum(bool((samples.x == x).flatten(1).all(1).any()) for x in key.x))
        return model, None

    monkeypatch.setattr("wmlearn.watermarks.margin.trained", count)
    with pytest.warns(wm.errors.NotEmbeddedWarning):
        scheme.embed(wm.models.badnet_cnn(), few, key)
    assert seen == [0]
