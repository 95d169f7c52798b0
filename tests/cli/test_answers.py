"""A service whose answers are marked: a thief learns the mark over HTTP, and a judge finds it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from running import running
from safetensors.torch import save_file
from torch import nn
from typer.testing import CliRunner, Result

import wmlearn as wm
from wmlearn import ownership as own
from wmlearn.cli import answers
from wmlearn.cli.app import app
from wmlearn.errors import ArgumentError
from wmlearn.suspects import Remote, service

Run = Callable[..., Result]
FACTORY = """
from torch import nn

def build():
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 300), nn.ReLU(), nn.Linear(300, 5))
"""
RATE = 0.2
QUERIES = torch.rand(400, 1, 4, 4, generator=torch.Generator().manual_seed(4)).mul(255).round() / 255


def small(seed: int) -> nn.Sequential:
    def build() -> nn.Sequential:
        return nn.Sequential(nn.Flatten(), nn.Linear(16, 300), nn.ReLU(), nn.Linear(300, 5))

    return wm.models.networks.seeded(build, seed).eval()


def write(model: nn.Module, path: str) -> None:
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, path)


def taught(labels: torch.Tensor, seed: int) -> nn.Module:
    """Learn the labels (400,) of the queries by heart."""
    student = small(seed).train()
    optimiser = torch.optim.Adam(student.parameters(), 1e-2)
    for _ in range(200):
        loss = nn.functional.cross_entropy(student(QUERIES), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return student.eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A served model, a copy from its marked service, one from the model itself, and the queries."""
    folder = tmp_path_factory.mktemp("answers")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("small_network.py").write_text(FACTORY)
        np.savez("queries.npz", x=QUERIES.numpy(), y=torch.arange(400).numpy() % 5)
        own.save_identity(own.new_identity("Ana"), "ana.secret")
        own.save_identity(own.new_identity("Eve"), "eve.secret")
        served = small(1)
        write(served, "served.safetensors")
        with running(service(answers.marked_service(served, Path("ana.secret"), RATE))) as url:
            write(taught(Remote(url)(QUERIES), 2), "thief.safetensors")
        write(taught(wm.predict(served, QUERIES).argmax(1), 3), "honest.safetensors")
    return folder


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))

    def call(suspect: str, secret: str, *more: str) -> Result:
        words = ["ownership", "answers", "served.safetensors", suspect, "--secret", secret]
        words += ["--data", "queries.npz", "--factory", "small_network.py:build", "--rate", str(RATE)]
        return CliRunner().invoke(app, [*words, *more])

    return call


def test_a_thief_who_learnt_from_the_service_is_found(run: Run, tmp_path: Path) -> None:
    result = run("thief.safetensors", "ana.secret", "--out", str(tmp_path / "report.html"))
    assert result.exit_code == 0, result.output
    assert "the suspect learnt from the marked service." in result.output
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["hits"] >= 0.9 * report["trials"] > 40
    assert "Did the suspect learn from a marked service?" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("suspect", "secret"), [("honest.safetensors", "ana.secret"), ("thief.safetensors", "eve.secret")]
)
def test_who_asked_elsewhere_and_who_has_another_secret_find_nothing(
    run: Run, suspect: str, secret: str
) -> None:
    result = run(suspect, secret)
    assert result.exit_code == 1
    assert "the mark is not shown." in result.output


def test_the_service_itself_repeats_all_of_its_lies_over_http(run: Run) -> None:
    served = small(1)
    with running(service(answers.marked_service(served, Path("ana.secret"), RATE))) as url:
        result = run(url, "ana.secret")
    assert result.exit_code == 0, result.output


def test_what_is_served_is_wrong_as_often_as_is_said(run: Run) -> None:
    served = small(1)
    marked = answers.marked_service(served, Path("ana.secret"), RATE)
    wrong = (wm.predict(marked, QUERIES).argmax(1) != wm.predict(served, QUERIES).argmax(1)).double().mean()
    assert abs(float(wrong) - RATE) <= 0.08  # four standard deviations


@pytest.mark.parametrize("rate", [0.0, 1.0, -1.0])
def test_a_rate_that_is_no_share_is_refused(run: Run, rate: float) -> None:
    with pytest.raises(ArgumentError, match=r"rate must lie in \(0, 1\)"):
        answers.marked_service(small(1), Path("ana.secret"), rate)


def test_a_mark_without_a_secret_is_refused_before_anything_is_served(folder: Path) -> None:
    words = ["serve", str(folder / "served.safetensors"), "--network", "badnet_cnn", "--mark", "dawn"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code != 0
