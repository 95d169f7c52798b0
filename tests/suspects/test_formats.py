"""Models of strangers: opened from numbers, never from code."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from wmlearn.errors import ArgumentError, DataError
from wmlearn.models import badnet_cnn, sign_cnn
from wmlearn.suspects import Remote, load_suspect

X = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def test_safetensors_with_the_name_of_a_network(tmp_path: Path) -> None:
    for model, name in ((badnet_cnn(3), "badnet_cnn"), (sign_cnn(20, 3), "sign_cnn:20")):
        save_file(model.state_dict(), tmp_path / "m.safetensors")
        found = load_suspect(tmp_path / "m.safetensors", name)
        assert isinstance(found, nn.Module)
        assert not found.training
        assert all(torch.equal(value, found.state_dict()[key]) for key, value in model.state_dict().items())


def test_a_url_is_a_service() -> None:
    assert load_suspect("http://127.0.0.1:1") == Remote("http://127.0.0.1:1")


@pytest.mark.parametrize("name", ["m.pt", "m.pth", "m.pkl", "m.safetensors", "m.onnx"])
def test_pickles_are_refused_whatever_they_are_called_and_nothing_runs(tmp_path: Path, name: str) -> None:
    class Trap:
        def __reduce__(self) -> tuple:
            return Path.touch, (tmp_path / "ran",)

    (tmp_path / name).write_bytes(pickle.dumps(Trap()))
    with pytest.raises(DataError, match=r"run any code.*weights_only=True"):
        load_suspect(tmp_path / name, "badnet_cnn")
    torch.save({"a": torch.ones(1)}, tmp_path / name)
    with pytest.raises(DataError, match="run any code"):
        load_suspect(tmp_path / name, "badnet_cnn")
    assert not (tmp_path / "ran").exists()


def test_damaged_files_and_other_networks_are_named(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_file(badnet_cnn().state_dict(), path)
    with pytest.raises(DataError, match=r"must hold the weights of this network, with .* Name another one"):
        load_suspect(path, "sign_cnn:20")
    whole = path.read_bytes()
    for part in (b"", whole[:5], whole[:1000], whole[:-10]):
        path.write_bytes(part)
        with pytest.raises(DataError, match="whole safetensors"):
            load_suspect(path, "badnet_cnn")
    with pytest.raises(DataError, match="can be read"):
        load_suspect(tmp_path / "none.safetensors", "badnet_cnn")


@pytest.mark.parametrize("network", [None, "resnet", "sign_cnn", "sign_cnn:x", "sign_cnn:1", "badnet_cnn:2"])
def test_unknown_networks_are_refused(tmp_path: Path, network: str | None) -> None:
    save_file(badnet_cnn().state_dict(), tmp_path / "m.safetensors")
    with pytest.raises(ArgumentError, match="network must be"):
        load_suspect(tmp_path / "m.safetensors", network)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_said_in_words(tmp_path: Path, value: float) -> None:
    weights = badnet_cnn().state_dict()
    weights["8.bias"] = weights["8.bias"].clone()
    weights["8.bias"][3] = value
    save_file(weights, tmp_path / "m.safetensors")
    with pytest.raises(DataError, match=r"finite weights, got infinity or NaN in 8\.bias"):
        load_suspect(tmp_path / "m.safetensors", "badnet_cnn")


def test_weights_too_large_for_the_network_are_said_in_words(tmp_path: Path) -> None:
    weights = {name: value.double() for name, value in badnet_cnn().state_dict().items()}
    weights["8.bias"][3] = 1e300
    save_file(weights, tmp_path / "m.safetensors")
    with pytest.raises(DataError, match="finite weights"):
        load_suspect(tmp_path / "m.safetensors", "badnet_cnn")


def test_complex_weights_are_refused(tmp_path: Path) -> None:
    weights = {name: value.to(torch.complex64) for name, value in badnet_cnn().state_dict().items()}
    save_file(weights, tmp_path / "m.safetensors")
    with pytest.raises(DataError, match="real weights, got torch"):
        load_suspect(tmp_path / "m.safetensors", "badnet_cnn")


@pytest.mark.parametrize("name", ["m.safetensors", "m.onnx"])
def test_a_pipe_or_a_device_in_place_of_a_file_keeps_nobody_waiting(tmp_path: Path, name: str) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes with names here")
    os.mkfifo(tmp_path / name)
    with pytest.raises(DataError, match="must be a file"):
        load_suspect(tmp_path / name, "badnet_cnn")
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(DataError, match="must be a file"):
        load_suspect(tmp_path / name, "badnet_cnn")
    with pytest.raises(DataError, match="must be a file"):
        load_suspect(tmp_path / f"none\0{name}", "badnet_cnn")


@pytest.mark.parametrize("head", [b"\xff" * 8, (2**63).to_bytes(8, "little"), (10**8).to_bytes(8, "little")])
def test_a_head_that_lies_about_its_length_is_refused(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "m.safetensors").write_bytes(head + b"{" + b" " * 10**6)
    with pytest.raises(DataError, match="whole safetensors"):
        load_suspect(tmp_path / "m.safetensors", "badnet_cnn")
