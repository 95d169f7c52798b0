"""Models of strangers: opened from numbers, never from code."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from wmlearn.errors import ArgumentError, DataError
from wmlearn.evidence import answers
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


def test_onnx(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper  # pyright: ignore[reportMissingImports]

    value = helper.make_tensor_value_info
    w = torch.rand(784, 10, generator=torch.Generator().manual_seed(1))
    weights = helper.make_tensor("w", TensorProto.FLOAT, [784, 10], w.flatten().tolist())
    nodes = [helper.make_node("Flatten", ["x"], ["f"]), helper.make_node("MatMul", ["f", "w"], ["y"])]
    ends = [value("x", TensorProto.FLOAT, ["n", 1, 28, 28])], [value("y", TensorProto.FLOAT, ["n", 10])]
    model = helper.make_model(
        helper.make_graph(nodes, "g", *ends, [weights]),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    )
    onnx.save(model, tmp_path / "m.onnx")
    found = load_suspect(tmp_path / "m.onnx")
    assert torch.equal(answers(found, X), (X.flatten(1) @ w).argmax(1))
    with pytest.raises(DataError, match="must read images"):
        answers(found, X[:, :, :20])
    (tmp_path / "m.onnx").write_bytes(b"no model")
    with pytest.raises(DataError, match="whole ONNX"):
        load_suspect(tmp_path / "m.onnx")
