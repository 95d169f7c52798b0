"""Remembered networks: the same to the bit, never mistaken for others, and no loss when the folder fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import wmlearn as wm
from wmlearn import memory, training
from wmlearn.errors import MemoryWarning

RECIPE = wm.Recipe(epochs=1, batch_size=64)


@pytest.fixture(scope="module")
def few(mnist: wm.Splits) -> wm.Samples:
    """So few that a training takes no time."""
    return mnist.train[:400]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    memory.keep(tmp_path / "memory")
    yield tmp_path / "memory"
    memory.keep(None)


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count how often a network is really trained: a number for each epoch."""
    epochs: list[int] = []
    learn = training._learn
    monkeypatch.setattr(training, "_learn", lambda model: (epochs.append(1), learn(model)))
    return epochs


def network(seed: int = 0) -> nn.Sequential:
    return wm.models.badnet_cnn(seed)


def weights(model: nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten() for value in model.state_dict().values()])


def test_a_remembered_network_is_the_trained_one_to_the_bit(
    few: wm.Samples, folder: Path, trainings: list[int]
) -> None:
    first, log = wm.trained(network(), few, RECIPE)
    again, log_again = wm.trained(network(), few, RECIPE)
    assert len(trainings) == 1
    assert torch.equal(weights(first), weights(again))
    assert log == log_again
    assert not again.training


def test_who_wants_no_recall_trains_each_network_once(
    few: wm.Samples, folder: Path, trainings: list[int]
) -> None:
    first, _ = wm.trained(network(), few, RECIPE)
    memory.keep(folder, recalls=False)
    again, _ = wm.trained(network(), few, RECIPE)
    assert len(trainings) == 2
    once_more, _ = wm.trained(network(), few, RECIPE)
    assert len(trainings) == 2
    assert torch.equal(weights(first), weights(again))
    assert torch.equal(weights(again), weights(once_more))


@pytest.mark.parametrize("attack", [wm.removal.FineTune(recipe=RECIPE), wm.removal.FromScratch(RECIPE)])
def test_a_removal_that_is_done_again_is_remembered(
    attack: Any, few: wm.Samples, folder: Path, trainings: list[int]
) -> None:
    first, again = (attack(network(), few) for _ in range(2))
    assert len(trainings) == 1
    assert torch.equal(weights(first), weights(again))


def test_without_a_folder_nothing_is_remembered(few: wm.Samples, trainings: list[int]) -> None:
    wm.trained(network(), few, RECIPE)
    wm.trained(network(), few, RECIPE)
    assert len(trainings) == 2


def _frozen() -> nn.Sequential:
    model = network()
    next(model.parameters()).requires_grad_(False)
    return model


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": replace(RECIPE, lr=2e-3)},
        {"recipe": replace(RECIPE, seed=1)},
        {"model": network(1)},
        {"model": _frozen()},
        {"samples": slice(1, 400)},
        {"penalty": lambda model: 0.0 * weights(model).sum()},
        {"augment": lambda samples, epoch: samples},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_decides_the_weights_is_trained_anew(
    change: dict[str, Any], few: wm.Samples, folder: Path, trainings: list[int]
) -> None:
    wm.trained(network(), few, RECIPE)
    samples = few[change.pop("samples")] if "samples" in change else few
    model = change.pop("model", network())
    recipe = change.pop("recipe", RECIPE)
    wm.trained(model, samples, recipe, **change)
    assert len(trainings) == 2


def test_a_changed_line_of_the_package_is_trained_anew(
    few: wm.Samples, folder: Path, trainings: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    wm.trained(network(), few, RECIPE)
    monkeypatch.setattr(memory, "_lines", lambda: "another line")
    wm.trained(network(), few, RECIPE)
    assert len(trainings) == 2


def test_who_watches_each_epoch_gets_each_epoch(few: wm.Samples, folder: Path, trainings: list[int]) -> None:
    logs: list[wm.TrainLog] = []
    for _ in range(2):
        wm.trained(network(), few, RECIPE, on_epoch=lambda model, log: logs.append(log))
    assert len(logs) == len(trainings) == 2


def _in_a_notebook(code: str, name: str, **globals: Any) -> Any:
    """Run a cell, and return what it calls `name`."""
    names = {"__name__": "__main__", **globals}
    exec(code, names)
    return names[name]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("def f(x):\n    return scale * x.sum()", True),
        ("def f(x):\n\n    # a remark\n    return scale * x.sum()", True),
        ("def f(x):\n    return scale * x.mean()", False),
        ("def f(x):\n    return 3 * x.sum()", False),
    ],
)
def test_a_function_of_a_notebook_is_known_by_what_it_does(other: str, same: bool, folder: Path) -> None:
    one = _in_a_notebook("def f(x):\n    return scale * x.sum()", "f", scale=2)
    two = _in_a_notebook(other, "f", scale=2)
    assert (memory.key(network(), one) == memory.key(network(), two)) is same


def test_a_function_of_a_notebook_is_known_by_what_it_uses(folder: Path) -> None:
    code = "def f(x):\n    return scale * g(x)"
    plain, doubled = lambda x: x, "def g(x):\n    return 2 * x"
    keys = {
        memory.key(network(), _in_a_notebook(code, "f", scale=scale, g=g))
        for scale in (torch.ones(3), torch.zeros(3))
        for g in (plain, _in_a_notebook(doubled, "g"))
    }
    assert len(keys) == 4


def test_a_function_that_calls_itself_has_a_key(folder: Path) -> None:
    f = _in_a_notebook("def f(x):\n    return f(x - 1) if x else 0", "f")
    assert memory.key(network(), f) == memory.key(network(), f) != ""


def test_what_draws_on_a_generator_is_not_remembered(folder: Path) -> None:
    draw = torch.Generator()
    assert memory.key(network(), lambda x: torch.rand(1, generator=draw)) == ""


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"\x00" * 2000])
def test_a_damaged_file_is_set_aside_and_said_so_and_the_network_is_trained_again(
    damage: bytes, few: wm.Samples, folder: Path, trainings: list[int]
) -> None:
    first, _ = wm.trained(network(), few, RECIPE)
    [path] = folder.iterdir()
    path.write_bytes(damage)
    with pytest.warns(MemoryWarning, match=r"A remembered network was damaged. It lies at .*\.damaged now"):
        again, _ = wm.trained(network(), few, RECIPE)
    assert torch.equal(weights(first), weights(again))
    assert len(trainings) == 2
    assert path.with_suffix(".damaged").read_bytes() == damage
    wm.trained(network(), few, RECIPE)
    assert len(trainings) == 2


def test_a_folder_that_cannot_be_written_only_warns(mnist: wm.Splits, tmp_path: Path) -> None:
    enough = mnist.train[:2000]
    (tmp_path / "file").write_text("")
    memory.keep(tmp_path / "file" / "memory")
    try:
        with pytest.warns(MemoryWarning, match="could not be remembered"):
            model, _ = wm.trained(network(), enough, RECIPE)
    finally:
        memory.keep(None)
    assert wm.accuracy(model, enough) > 0.5
