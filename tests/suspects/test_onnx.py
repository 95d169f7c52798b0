"""Models in ONNX as suspects: named by their bytes, read from their own folder, and stopped in time."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from wmlearn.errors import DataError
from wmlearn.evidence import NO_ANSWER, answers, ask
from wmlearn.suspects import OnnxModel, load_suspect
from wmlearn.suspects.onnx_model import _Worker, open_onnx

pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")
helper = pytest.importorskip("onnx.helper")
FLOAT = 1  # what ONNX calls types by
INT64 = 7
STRING = 8
BOOL = 9
X = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
W = torch.rand(64, 10, generator=torch.Generator().manual_seed(1))
INPUT = (("x", FLOAT, ["n", 1, 8, 8]),)
OUTPUT = (("y", FLOAT, ["n", 10]),)


def tensor(name: str, value: Tensor, kind: int = FLOAT) -> Any:
    return helper.make_tensor(name, kind, list(value.shape), value.flatten().tolist())


def node(kind: str, inputs: list[str], outputs: list[str], **attributes: Any) -> Any:
    return helper.make_node(kind, inputs, outputs, **attributes)


LINEAR = (node("Flatten", ["x"], ["f"]), node("MatMul", ["f", "w"], ["m"]))
WEIGHTS = tensor("w", W)


def saved(
    folder: Path,
    *nodes: Any,
    ins: Any = INPUT,
    outs: Any = OUTPUT,
    weights: Any = (WEIGHTS,),
    name: str = "m",
) -> Path:
    graph = helper.make_graph(list(nodes), "g", _values(ins), _values(outs), list(weights))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = folder / f"{name}.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def _values(side: Any) -> list[Any]:
    return [helper.make_tensor_value_info(*value) for value in side]


def linear(folder: Path, **parts: Any) -> Path:
    return saved(folder, *LINEAR, node("Identity", ["m"], ["y"]), **parts)


def test_its_labels_are_those_of_the_same_model_here_and_its_name_the_hash_of_the_file(
    tmp_path: Path,
) -> None:
    path = linear(tmp_path)
    model = load_suspect(path)
    assert isinstance(model, OnnxModel)
    assert answers(model, X).tolist() == (X.flatten(1) @ W).argmax(1).tolist()
    assert model.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    other = load_suspect(linear(tmp_path, weights=(tensor("w", W + 1),), name="other"))
    assert isinstance(other, OnnxModel)
    assert other.sha256 != model.sha256


def test_what_is_asked_is_what_was_hashed_though_the_file_is_changed_meanwhile(tmp_path: Path) -> None:
    path = linear(tmp_path)
    model = load_suspect(path)
    before = answers(model, X)
    linear(tmp_path, weights=(tensor("w", -W),))
    assert torch.equal(answers(model, X), before)


def test_the_same_image_twice_keeps_one_process_that_ends_with_the_model(tmp_path: Path) -> None:
    model = open_onnx(linear(tmp_path))
    process = model._worker.process
    folder = model._worker.path.parent
    assert process is not None
    model(X)
    model(X)
    assert model._worker.process is process
    del model
    assert process.poll() is not None
    assert not folder.exists()


@pytest.mark.parametrize("kind", [INT64, FLOAT])
def test_it_may_answer_with_labels(tmp_path: Path, kind: int) -> None:
    nodes = (*LINEAR, node("ArgMax", ["m"], ["y"], axis=1, keepdims=0))
    model = load_suspect(saved(tmp_path, *nodes, outs=(("y", INT64, ["n"]),)))
    assert answers(model, X).tolist() == (X.flatten(1) @ W).argmax(1).tolist()


def test_its_logits_are_those_of_the_same_model_here_and_shares_become_logarithms(tmp_path: Path) -> None:
    expected = X.flatten(1) @ W
    assert torch.allclose(open_onnx(linear(tmp_path)).logits(X), expected, atol=1e-5)
    shares = saved(tmp_path, *LINEAR, node("Softmax", ["m"], ["y"], axis=1), name="shares")
    assert torch.allclose(open_onnx(shares).logits(X), expected.log_softmax(1), atol=1e-4)


@pytest.fixture
def slow_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes start as slowly as on a busy machine: only an answer must be there within its seconds."""
    start = _Worker.start

    def started(worker: _Worker) -> None:
        seconds = worker.seconds
        worker.seconds = 60.0
        start(worker)
        worker.seconds = seconds

    monkeypatch.setattr(_Worker, "start", started)


@pytest.mark.usefixtures("slow_start")
def test_a_model_that_gives_no_logits_for_an_image_says_so(tmp_path: Path) -> None:
    nodes = (*LINEAR, node("ArgMax", ["m"], ["y"], axis=1, keepdims=0))
    labels = open_onnx(saved(tmp_path, *nodes, outs=(("y", INT64, ["n"]),)))
    with pytest.raises(DataError, match=r"must give logits for every image, got: its first output must be"):
        labels.logits(X)
    model = open_onnx(looping(tmp_path), seconds=2)
    with pytest.raises(DataError, match=r"must give logits for every image, got: no answer in 2 seconds"):
        model.logits(torch.ones(1, 1, 8, 8))


def test_a_model_for_one_image_at_a_time_is_asked_one_at_a_time(tmp_path: Path) -> None:
    model = load_suspect(linear(tmp_path, ins=(("x", FLOAT, [1, 1, 8, 8]),), outs=(("y", FLOAT, [1, 10]),)))
    assert answers(model, X).shape == (5,)


def external(where: str) -> Any:
    """Return weights whose numbers lie in another file."""
    value = onnx.TensorProto(name="w", data_type=FLOAT, dims=[64, 10], data_location=1)
    for key, text in {"location": where, "offset": "0", "length": str(64 * 40)}.items():
        entry = value.external_data.add()
        entry.key = key
        entry.value = text
    return value


def test_numbers_beside_the_model_are_found_from_any_folder_and_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "w.bin").write_bytes(W.numpy().tobytes())
    path = linear(home, weights=(external("w.bin"),))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "w.bin").write_bytes((-W).numpy().tobytes())
    monkeypatch.chdir(elsewhere)
    model = open_onnx(path)
    assert answers(model, X).tolist() == (X.flatten(1) @ W).argmax(1).tolist()
    (home / "w.bin").write_bytes((-W).numpy().tobytes())
    assert open_onnx(path).sha256 != model.sha256


@pytest.mark.parametrize(
    "where", ["../w.bin", "/etc/passwd", "sub/w.bin", "*/_ORT_MEM_ADDR_/*", "..", "", "a\0b"]
)
def test_numbers_elsewhere_are_refused(tmp_path: Path, where: str) -> None:
    (tmp_path.parent / "w.bin").write_bytes(W.numpy().tobytes())
    with pytest.raises(DataError, match="in files of its own folder"):
        load_suspect(linear(tmp_path, weights=(external(where),)))


def test_numbers_elsewhere_are_found_wherever_in_the_model_they_hide(tmp_path: Path) -> None:
    constant = node("Constant", [], ["w"], value=external("../w.bin"))
    with pytest.raises(DataError, match="in files of its own folder"):
        load_suspect(linear_after(tmp_path, constant))
    scalar = helper.make_tensor_value_info("w2", FLOAT, [64, 10])
    branch = helper.make_graph([node("Constant", [], ["w2"], value=external("../w.bin"))], "b", [], [scalar])
    choice = node("If", ["c"], ["w"], then_branch=branch, else_branch=branch)
    condition = tensor("c", torch.ones(()), BOOL)
    with pytest.raises(DataError, match="in files of its own folder"):
        load_suspect(linear_after(tmp_path, choice, weights=(condition,)))


def linear_after(folder: Path, *nodes: Any, weights: Any = ()) -> Path:
    return saved(folder, *nodes, *LINEAR, node("Identity", ["m"], ["y"]), weights=weights)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_links_and_pipes_in_place_of_numbers_are_refused(tmp_path: Path) -> None:
    path = linear(tmp_path, weights=(external("w.bin"),))
    (tmp_path / "w.bin").symlink_to("/etc/passwd")
    with pytest.raises(DataError, match="the link"):
        load_suspect(path)
    (tmp_path / "w.bin").unlink()
    os.mkfifo(tmp_path / "w.bin")
    with pytest.raises(DataError, match="must be a file"):
        load_suspect(path)
    (tmp_path / "w.bin").unlink()
    with pytest.raises(DataError, match="can be read"):
        load_suspect(path)


def odd(case: str, folder: Path) -> Path:
    """Save a model that no judge can ask."""
    if case == "no input":
        return saved(folder, node("Identity", ["w"], ["y"]), ins=())
    if case == "two inputs":
        return linear(folder, ins=(*INPUT, ("z", FLOAT, [1])))
    if case == "an input of bytes":
        return saved(folder, node("Cast", ["x"], ["x2"], to=1), ins=(("x", 2, ["n", 1, 8, 8]),), outs=())
    return saved(folder, node("Evil", ["x"], ["y"], domain="evil.ops"))


@pytest.mark.parametrize("case", ["no input", "two inputs", "an input of bytes", "an unknown operation"])
def test_a_model_that_reads_something_else_ends_in_one_line(tmp_path: Path, case: str) -> None:
    with pytest.raises(DataError, match="whole ONNX model, got") as error:
        load_suspect(odd(case, tmp_path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content", [b"", b"no model", b"\x08\x07" * 1000, b"<html>" * 100, b"\x3a\xff\xff\xff\xff\x7f"]
)
def test_what_is_no_model_ends_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(DataError, match="whole ONNX model, got") as error:
        load_suspect(tmp_path / "m.onnx")
    assert "\n" not in str(error.value)


def test_answers_that_are_no_labels_end_in_one_line(tmp_path: Path) -> None:
    text = saved(tmp_path, *LINEAR, node("Cast", ["m"], ["y"], to=STRING), outs=(("y", STRING, ["n", 10]),))
    for path in (text, saved(tmp_path, node("Identity", ["x"], ["y"]), outs=INPUT, weights=(), name="image")):
        with pytest.raises(DataError, match=r"must read images .*logits \(N, classes\)"):
            load_suspect(path)(X)
    with pytest.raises(DataError, match="must read images"):
        load_suspect(linear(tmp_path))(X[:, :, :5])


def test_an_answer_that_is_no_number_is_a_miss(tmp_path: Path) -> None:
    model = open_onnx(saved(tmp_path, *LINEAR, node("Log", ["m"], ["y"]), weights=(tensor("w", -W),)))
    assert ask(model, X, 10).tolist() == [NO_ANSWER] * 5


def looping(folder: Path) -> Path:
    """Save a model that goes round for ever where the mean of an image is above a half."""
    ins = [("i", INT64, []), ("on", BOOL, []), ("v", FLOAT, ["n", 10])]
    outs = [("on2", BOOL, []), ("v2", FLOAT, ["n", 10])]
    body = helper.make_graph(
        [node("Identity", ["on"], ["on2"]), node("Identity", ["v"], ["v2"])],
        "b",
        _values(ins),
        _values(outs),
    )
    nodes = (
        *LINEAR,
        node("ReduceMean", ["x"], ["mean"], keepdims=0),
        node("Greater", ["mean", "half"], ["bright"]),
        node("Loop", ["rounds", "bright", "m"], ["y"], body=body),
    )
    rounds = tensor("rounds", torch.tensor(2**60), INT64)
    return saved(folder, *nodes, weights=(WEIGHTS, rounds, tensor("half", torch.tensor(0.5))))


@pytest.mark.usefixtures("slow_start")
def test_a_model_that_never_stops_is_stopped_and_asked_about_the_next_image(tmp_path: Path) -> None:
    x = torch.stack([torch.zeros(1, 8, 8), torch.ones(1, 8, 8), torch.zeros(1, 8, 8)])
    start = time.monotonic()
    path = looping(tmp_path)
    model = open_onnx(path, seconds=2)
    assert model(x).tolist() == [0, NO_ANSWER, 0]
    with pytest.raises(DataError, match=r"must read images .*no answer in 2 seconds"):
        open_onnx(path, seconds=2)(x[1:])
    assert time.monotonic() - start < 120


@pytest.mark.usefixtures("slow_start")
def test_patience_with_a_model_has_an_end(tmp_path: Path) -> None:
    model = open_onnx(looping(tmp_path), seconds=2, patience=1)
    assert model(torch.zeros(1, 1, 8, 8)).tolist() == [0]
    assert model(torch.ones(4, 1, 8, 8)).tolist() == [NO_ANSWER] * 4


def test_more_memory_than_there_may_be_is_refused(tmp_path: Path) -> None:
    nodes = (
        node("ConstantOfShape", ["size"], ["many"], value=tensor("v", torch.ones(1))),
        node("ReduceSum", ["many"], ["sum"], keepdims=0),
        *LINEAR,
        node("Add", ["m", "sum"], ["y"]),
    )
    size = tensor("size", torch.tensor([10**11]), INT64)
    with pytest.raises(DataError, match="must"):
        load_suspect(saved(tmp_path, *nodes, weights=(WEIGHTS, size)))(X)
