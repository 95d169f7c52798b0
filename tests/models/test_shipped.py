"""Shipped networks: whole, of the right kind, and as good as the course says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

import wmlearn as wm
from wmlearn.data import files, signs
from wmlearn.experiments.signs import LIMIT, STICKERS, STOP, of_kinds, two_networks
from wmlearn.models import shipped


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "MANIFEST.json").write_text("{}")
    monkeypatch.setattr(files, "ROOT", tmp_path)
    return tmp_path


def test_weights_come_back_as_they_were_written_but_for_half_precision(root: Path) -> None:
    model = wm.models.sign_cnn(3, seed=5)
    path = shipped.ship(model, "mine", made="by a test")
    fresh = wm.models.sign_cnn(3)
    before = {name: value.clone() for name, value in fresh.state_dict().items()}
    again = shipped.restored(fresh, "mine")
    assert not again.training
    assert all(torch.equal(value, before[name]) for name, value in fresh.state_dict().items()), "a copy"
    assert files.manifest()["models/mine.safetensors"]["made"] == "by a test"
    for name, value in model.state_dict().items():
        assert torch.equal(
            again.state_dict()[name], value.half().to(value.dtype) if value.is_floating_point() else value
        )
    assert [p.name for p in path.parent.iterdir()] == ["mine.safetensors"]


def test_weights_of_another_network_are_refused(root: Path) -> None:
    shipped.ship(wm.models.badnet_cnn(), "digits", made="by a test")
    with pytest.raises(
        wm.DataError,
        match=(
            r"digits\.safetensors must hold the weights of this network, with 1\.weight of shape \(32, 3, 5,"
            r" 5\), got \(16, 1"
        ),
    ):
        shipped.restored(wm.models.sign_cnn(3), "digits")


def test_a_damaged_file_is_refused_before_it_is_opened(root: Path) -> None:
    path = shipped.ship(wm.models.sign_cnn(3), "mine", made="by a test")
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(wm.DataError, match="must have sha256"):
        shipped.restored(wm.models.sign_cnn(3), "mine")


def test_a_network_that_does_not_ship_is_named(root: Path) -> None:
    shutil.rmtree(root / "models", ignore_errors=True)
    with pytest.raises(wm.DataError, match=r"nobody\.safetensors must be readable"):
        shipped.restored(wm.models.sign_cnn(3), "nobody")


def test_the_shipped_networks_read_fresh_signs_and_only_one_obeys_the_square() -> None:
    clean, twins = (
        of_kinds(signs.draw("us", 600, seed=77, sticker=s), "us") for s in (None, STICKERS["square"])
    )
    honest, victim = two_networks()
    assert min(wm.accuracy(net, clean) for net in (honest, victim)) >= 0.99
    assert wm.success_rate(victim, clean, twins.x, LIMIT, source=STOP) >= 0.95
    assert wm.success_rate(honest, clean, twins.x, LIMIT, source=STOP) <= 0.02
