"""A model of the user's own: scanned, marked, attacked; what is wrong with it or its pictures, in words."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hostile import command, one_line
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

import wmlearn as wm
from wmlearn import detection, training
from wmlearn.cli import marks, models, sources
from wmlearn.watermarks import load_key

FACTORIES = """
import torch
from torch import nn

def build(classes=3):
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(16 * 16, 64), nn.ReLU(), nn.Linear(64, classes),
    )

class Odd(nn.Module):
    def __init__(self, change):
        super().__init__()
        self.inside = build()
        self.change = change
    def forward(self, x):
        return self.change(self.inside(x))

class Own(nn.Sequential): pass
def own(): return Own(*build())
def nothing(): return Odd(lambda logits: None)
def not_a_number(): return Odd(lambda logits: logits * float("nan"))
def five(): return build(5)
def squeezed(): return Odd(lambda logits: logits.squeeze(0))
def sometimes(): return Odd(lambda logits: logits[:, :2] if len(logits) < 128 else logits)
def lost(): return Odd(lambda logits: logits[:20])
def broken(): return Odd(lambda logits: logits @ torch.zeros(7, 7))
def dead():
    model = build()
    nn.init.constant_(model[0].weight, float("inf"))
    return model
def fails(): raise KeyError("weights\\x1b[2J")
def stops(): raise SystemExit(0)
def wants(size): return build()
def a_dict(): return {"weights": 1}
number = 3
"""
WAYS = [["--jobs", "2"], pytest.param(["--jobs", "2", "--scheduler", "local"], marks=pytest.mark.slow)]
COLOURS = {"blue": (40, 40, 220), "green": (40, 220, 40), "red": (220, 40, 40)}


def _folder(place: Path, n: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    for name, colour in COLOURS.items():
        (place / name).mkdir(parents=True)
        for i in range(n):
            noise = draw.normal(0, 40, (8, 8, 3))
            pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(place / name / f"{i}.png")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with factories, and three small sets of pictures."""
    home = tmp_path_factory.mktemp("home")
    (home / "outsiders.py").write_text(FACTORIES)
    for seed, (name, n) in enumerate({"clean": 20, "training": 50, "queries": 5}.items()):
        _folder(home / name, n, seed)
    return home


@pytest.fixture(autouse=True)
def _here(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    quick = {**detection.ALL, "wang2019-neural-cleanse": detection.NeuralCleanse(steps=5)}
    quick["gao2019-strip"] = detection.Strip(overlays=4)
    monkeypatch.setattr(detection, "ALL", quick)
    # drawn anew, one key in a thousand would match the unmarked network: so much the level allows
    secrets = (bytes([i]) * 32 for i in range(1, 256))
    monkeypatch.setattr(marks, "new_secret", lambda: next(secrets))


@pytest.fixture(scope="module")
def weights(home: Path) -> Path:
    """Weights that have learnt the three colours."""
    samples = wm.data.read_folder(home / "training").samples
    model, _ = wm.trained(sources.build(f"{home}/outsiders.py:build"), samples, wm.Recipe(epochs=8))
    save_file(model.state_dict(), home / "model.safetensors")
    return home / "model.safetensors"


def _report() -> dict[str, dict[str, object]]:
    content = json.loads(Path("scan.json").read_text())
    return {finding["detector"]: finding for finding in content["findings"]}


# The commands


def test_a_scan_runs_what_it_has_the_input_for_and_says_what_is_missing(
    home: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["scan", weights, "--factory", f"{home}/outsiders.py:build", "--data", home / "clean"]
    status, says = command(monkeypatch, *words)
    assert status == 0, says
    found = _report()
    assert found["wang2019-neural-cleanse"]["state"] == "ran"
    assert {name: finding["found"] for name, finding in found.items() if finding["state"] != "ran"} == {
        "chen2018-activation-clustering": "no training set was given",
        "tran2018-spectral-signatures": "no training set was given",
        "gao2019-strip": "no queries were given",
        "mo2024-ted": "no queries were given",
    }
    page = Path("scan.html").read_text()
    assert "Content-Security-Policy" in page
    assert "no queries were given" in page
    status, says = command(
        monkeypatch,
        *words,
        "--training",
        home / "training",
        "--queries",
        home / "queries",
    )
    assert status == 0, says
    assert {finding["state"] for finding in _report().values()} == {"ran"}
    assert "of 15 queries" in says
    assert "of 56 clean images flagged" in says
    assert one_line(says)


def _onnx(path: Path, *more: str) -> Path:
    """Save a model whose logits are the mean colours, in the order of the classes: blue, green, red."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper

    steps = {
        "mean": helper.make_node("ReduceMean", ["x"], ["mean"], axes=[2, 3], keepdims=0),
        "turned": helper.make_node("MatMul", ["mean", "turn"], ["turned"]),
        "shares": helper.make_node("Softmax", ["turned"], ["shares"], axis=1),
        "label": helper.make_node("ArgMax", ["turned"], ["label"], axis=1, keepdims=0),
    }
    names = ["mean", "turned", *more]
    turn = helper.make_tensor("turn", TensorProto.FLOAT, [3, 3], [0, 0, 9, 0, 9, 0, 9, 0, 0])
    is_label = names[-1] == "label"
    kind = TensorProto.INT64 if is_label else TensorProto.FLOAT
    ends = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 8, 8]),
        helper.make_tensor_value_info(names[-1], kind, ["n"] if is_label else ["n", 3]),
    ]
    graph = helper.make_graph([steps[name] for name in names], "means", ends[:1], ends[1:], [turn])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("last", [(), ("shares",)])
def test_an_onnx_file_is_asked_by_the_detector_that_needs_answers_only(
    last: tuple[str, ...], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = _onnx(Path("means.onnx"), *last)
    words = ["scan", model, "--data", home / "clean", "--queries", home / "queries"]
    status, says = command(monkeypatch, *words)
    assert status == 0, says
    found = _report()
    assert {name for name, finding in found.items() if finding["state"] == "ran"} == {"gao2019-strip"}
    refused = [finding["found"] for finding in found.values() if finding["state"] == "refused"]
    assert len(refused) == 4
    assert all(str(says).startswith("refused: needs the weights and layers") for says in refused)
    assert "100.0% of 60 clean images of 3 classes are classified correctly" in says
    assert "of 15 queries" in says
    numbers = found["gao2019-strip"]["numbers"]
    linear = nn.Linear(3, 3, bias=False)
    network = nn.Sequential(nn.AvgPool2d(8), nn.Flatten(), linear)
    with torch.no_grad():
        linear.weight.copy_(9 * torch.eye(3).flip(0))
    clean = wm.data.read_folder(home / "clean").samples
    queries = wm.data.read_folder(home / "queries", labelled=False).samples.x
    strip = {"gao2019-strip": detection.ALL["gao2019-strip"]}
    [same] = detection.examine(network, clean, queries=queries, detectors=strip).findings
    assert isinstance(numbers, dict)
    expected = json.loads(json.dumps(dict(same.numbers)))
    assert {**expected, "flagged": None} == {**numbers, "flagged": None}


def test_few_images_do_for_every_detector_and_what_was_changed_for_them_is_said(
    home: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {**detection.ALL, "gao2019-strip": detection.Strip()}
    monkeypatch.setattr(detection, "ALL", few)
    words = ["scan", weights, "--factory", f"{home}/outsiders.py:build", "--data", home / "clean"]
    words += ["--training", home / "training", "--queries", home / "queries"]
    status, says = command(monkeypatch, *words)
    assert status == 0, says
    assert "gao2019-strip is fitted to so few images: Strip(overlays=22, false_rejection=0.01" in says
    assert {finding["state"] for finding in _report().values()} == {"ran"}


def test_an_onnx_file_without_queries_or_with_labels_gets_one_sentence_a_detector(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, says = command(monkeypatch, "scan", _onnx(Path("means.onnx")), "--data", home / "clean")
    assert status == 0, says
    assert _report()["gao2019-strip"]["found"] == "no queries were given"
    words = ["--data", home / "clean", "--queries", home / "queries"]
    status, says = command(monkeypatch, "scan", _onnx(Path("label.onnx"), "label"), *words)
    assert status == 0, says
    assert {finding["state"] for finding in _report().values()} == {"refused"}
    assert "needs probabilities, got a model that answers with labels" in says
    assert "100.0% of 60 clean images" in says
    Path("label.onnx").write_bytes(b"no model")
    status, says = command(monkeypatch, "scan", "label.onnx", *words, "--out", "second.html")
    assert (status, "must be a whole ONNX model" in says) == (1, True), says
    status, says = command(monkeypatch, "scan", "http://127.0.0.1:9/m.onnx", *words, "--out", "second.html")
    assert (status, "the model must be here, got 'http" in says) == (1, True), says
    assert not Path("second.html").exists()
    status, says = command(monkeypatch, "mark", "means.onnx", "--data", home / "training", "--out", "new")
    assert (status, "the model must show its weights" in says) == (1, True)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.usefixtures("ready_processes")
def test_a_scan_finds_the_same_in_processes_and_on_a_cluster(
    way: list[str], home: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "local" in way:
        pytest.importorskip("dask.distributed")
    words = ["scan", weights, "--factory", f"{home}/outsiders.py:own", "--data", home / "clean"]
    words += ["--training", home / "training", "--queries", home / "queries"]
    status, says = command(monkeypatch, *words, *way)
    assert status == 0, says
    elsewhere = _report()
    assert list(elsewhere) == list(detection.ALL)
    assert {finding["state"] for finding in elsewhere.values()} == {"ran"}
    assert command(monkeypatch, *words)[0] == 0
    for name, here in _report().items():
        assert here["found"] == elsewhere[name]["found"]
        assert here["control"] == elsewhere[name]["control"]
    assert not Path("scan.parts").exists()


def test_a_scan_that_was_stopped_goes_on_where_it_was(
    home: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*arguments: object, **more: object) -> None:
        raise KeyboardInterrupt

    def never(*arguments: object, **more: object) -> None:
        raise AssertionError("searched again")

    words = ["scan", weights, "--factory", f"{home}/outsiders.py:build", "--data", home / "clean"]
    words += ["--training", home / "training", "--queries", home / "queries"]
    with monkeypatch.context() as first:
        first.setattr(detection.SpectralSignatures, "__call__", stop)
        status, says = command(first, *words)
    assert (status, "what was finished is kept" in says) == (130, True), says
    kept = sorted(Path("scan.parts").glob("*.json"))
    assert len(kept) == 2
    assert not Path("scan.html").exists()
    kept[0].write_text(kept[0].read_text()[:-9])  # damaged: it is looked for again
    searched: list[str] = []
    for kind in (detection.NeuralCleanse, detection.ActivationClustering):
        original = kind.__call__
        monkeypatch.setattr(kind, "__call__", _counted(original, searched, kind.__name__))
    status, says = command(monkeypatch, *words)
    assert status == 0, says
    assert len(set(searched)) == 1
    assert {finding["state"] for finding in _report().values()} == {"ran"}
    assert not Path("scan.parts").exists()
    command(monkeypatch, *words, "--out", "other.html")
    assert len(set(searched)) == 2, "a report that is written is no reason not to search"


def _counted(original: Any, calls: list[Any], name: str) -> Any:
    def call(*arguments: Any, **more: Any) -> Any:
        calls.append(name)
        return original(*arguments, **more)

    return call


def test_a_device_that_is_not_there_is_said_and_the_found_one_gets_network_and_images(
    home: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sources.found_device("auto") == wm.best_device()
    assert sources.found_device("cpu") == torch.device("cpu")
    rest = [weights, "--factory", f"{home}/outsiders.py:build", "--data", home / "clean"]
    odd = ["gpu", "meta", "cuda:77", "\x1b[2J"]
    for name in odd:
        for words in (["scan"], ["mark", "--out", "new"], ["scorecard", "--out", "new"]):
            status, says = command(monkeypatch, *words, *rest, "--device", name)
            assert (status, "the device must be auto, cpu, or a graphics card" in says) == (1, True), says
            assert one_line(says)
    assert not [path for path in Path().rglob("*") if path.is_file()]

    card = torch.device("cuda")
    moved: list[str] = []
    module_to = nn.Module.to

    def put(self: nn.Module, *place: Any, **more: Any) -> nn.Module:
        if place == (card,):
            moved.append("network")
            return self
        return module_to(self, *place, **more)

    monkeypatch.setattr(nn.Module, "to", put)
    monkeypatch.setattr(wm.Samples, "to", lambda self, place: moved.append(f"{place}: {len(self)}") or self)
    monkeypatch.setattr(models, "found_device", lambda name: card)
    words = ["scan", *rest, "--training", home / "training", "--queries", home / "queries", "--jobs", "0"]
    status, says = command(monkeypatch, *words)
    assert status == 0, says
    assert moved == ["network", "cuda: 60", "cuda: 150", "cuda: 15"]
    moved.clear()
    command(monkeypatch, "mark", *rest, "--out", "owned", "--epochs", "1")
    assert moved[:2] == ["network", "cuda: 60"]


def test_arrays_in_a_file_do_for_a_folder(home: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {part: wm.data.read_folder(home / part).samples for part in ("clean", "training", "queries")}
    pixels = {part: (samples.x * 255).round().byte().numpy() for part, samples in parts.items()}
    learnt, clean = (parts[part].y.numpy() for part in ("training", "clean"))
    arrays: dict[str, Any] = {
        "x_train": pixels["training"],
        "y_train": learnt,
        "x_test": pixels["clean"],
        "y_test": clean,
    }
    np.savez("colours.npz", **arrays)
    np.savez("queries.npz", x=pixels["queries"])
    words = ["scan", weights, "--factory", f"{home}/outsiders.py:build"]
    more = ["--training", "colours.npz", "--queries", "queries.npz"]
    status, says = command(monkeypatch, *words, "--data", "colours.npz", *more)
    assert status == 0, says
    assert "60 of 60 test images of colours.npz, 3 by 8 by 8" in says
    assert "150 of 150 images of colours.npz, 3 by 8 by 8" in says
    assert {finding["state"] for finding in _report().values()} == {"ran"}
    out = ["--out", "second.html"]
    for wrong in (["--size", "9"], ["--channels", "1"]):
        status, says = command(monkeypatch, *words, "--data", "colours.npz", *wrong, *out)
        assert (status, "the images of colours.npz must be (" in says) == (1, True), says
    np.savez("odd.npz", images=np.array([{"a": 1}]), labels=[0])
    status, says = command(monkeypatch, *words, "--data", "odd.npz", *out)
    assert (status, "odd.npz must be a whole .npz file" in says) == (1, True), says
    assert one_line(says)
    assert not Path("second.html").exists()


def test_a_mark_is_written_whole_with_a_private_key_beside_an_unmarked_network(
    home: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["mark", weights, "--factory", f"{home}/outsiders.py:build", "--data", home / "training"]
    status, says = command(monkeypatch, *words, "--out", "owned", "--epochs", "200")
    assert status == 0, says
    assert "marked:   claim supported" in says
    assert "unmarked: no proof of ownership" in says
    assert "the network as it came" in says
    assert sorted(path.name for path in Path("owned").iterdir()) == [
        "key.safetensors", "mark.json", "model.safetensors",
    ]  # fmt: skip
    assert stat.S_IMODE(Path("owned/key.safetensors").stat().st_mode) == 0o600
    key = load_key("owned/key.safetensors")
    assert key.secret.hex() not in Path("owned/mark.json").read_text()
    model = sources.build(f"{home}/outsiders.py:build")
    model.load_state_dict(load_file("owned/model.safetensors"))
    hits = json.loads(Path("owned/mark.json").read_text())["marked"]["hits"]
    assert wm.watermarks.Adi2018().verify(model, key).hits == hits
    status, says = command(monkeypatch, *words, "--out", "owned")
    assert (status, "owned must not be there yet" in says) == (1, True)


def test_a_mark_that_was_stopped_goes_on_with_its_key_and_network(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    words = ["mark", f"{home}/outsiders.py:build", "--data", home / "training", "--out", "owned"]
    words += ["--epochs", "200"]
    with monkeypatch.context() as first:
        first.setattr(marks, "unmarked", stop)
        status, says = command(first, *words)
    assert (status, "what was finished is kept" in says) == (130, True), says
    assert not Path("owned").exists()
    [kept] = Path("owned.parts").glob("key-*/adi2018.safetensors")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    secret = load_key(kept).secret
    trainings: list[object] = []
    monkeypatch.setattr(training, "train", _counted(training.train, trainings, "training"))
    status, says = command(monkeypatch, *words)
    assert status == 0, says
    assert len(trainings) == 1, "of the unmarked network"
    assert load_key("owned/key.safetensors").secret == secret
    assert not Path("owned.parts").exists()


def test_a_mark_that_did_not_take_leaves_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["mark", f"{home}/outsiders.py:build", "--data", home / "training", "--lr", "1e-9"]
    words += ["--epochs", "5"]
    status, says = command(monkeypatch, *words, "--out", "new/deep/owned")
    assert status == 1
    assert "the model must learn 90% of its key" in says
    assert list(Path().iterdir()) == []


def test_a_scorecard_draws_all_keys_first_prints_a_table_and_resumes(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [
        "scorecard", f"{home}/outsiders.py:build", "--data", home / "training", "--out", "card",
        "--scheme", "adi2018", "--removal", "prune-50", "--removal", "quantize-4-bits", "--epochs", "200",
    ]  # fmt: skip
    status, says = command(monkeypatch, *words)
    assert status == 0, says
    assert "a copy of the network, trained the same way without the mark" in says
    assert [line.split()[1] for line in _table(says)] == ["none", "prune-50", "quantize-4-bits"]
    assert stat.S_IMODE(Path("card/keys/adi2018.safetensors").stat().st_mode) == 0o600
    cells = {path: path.stat().st_mtime_ns for path in Path("card/cells").glob("*.json")}
    assert len(cells) == 3
    status, again = command(monkeypatch, *words)
    assert (status, _table(again)) == (0, _table(says))
    assert {path: path.stat().st_mtime_ns for path in Path("card/cells").glob("*.json")} == cells


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.usefixtures("ready_processes")
def test_a_scorecard_is_the_same_in_processes_and_on_a_cluster(
    way: list[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "local" in way:
        pytest.importorskip("dask.distributed")
    words = ["scorecard", f"{home}/outsiders.py:own", "--data", home / "training", "--scheme", "adi2018"]
    words += ["--removal", "prune-50", "--removal", "quantize-4-bits", "--epochs", "200"]
    status, says = command(monkeypatch, *words, "--out", "card", *way)
    assert status == 0, says
    cells = sorted(Path("card/cells").glob("*.json"))
    assert len(cells) == 3
    for path in cells:
        path.unlink()
    rows = _rows()
    assert command(monkeypatch, *words, "--out", "card")[0] == 0
    assert _rows() == rows
    assert sorted(Path("card/cells").glob("*.json")) == cells


@pytest.mark.usefixtures("ready_processes")
def test_marks_are_trained_in_processes_too_and_found_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*arguments: object, **more: object) -> None:
        raise AssertionError("a training began here")

    words = ["scorecard", f"{home}/outsiders.py:own", "--data", home / "training", "--scheme", "adi2018"]
    words += ["--scheme", "uchida2017", "--removal", "quantize-4-bits", "--epochs", "200", "--out", "card"]
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("wmlearn.training.train", never)
        status, says = command(elsewhere, *words, "--jobs", "2")
    assert status == 0, says
    assert [line.split()[:2] for line in _table(says)[::2]] == [["adi2018", "none"], ["uchida2017", "none"]]
    networks = sorted(Path("card/networks").iterdir())
    assert len(networks) == 3, "two marked ones, and one without a mark"
    status, again = command(monkeypatch, *words, "--jobs", "2")
    assert (status, _table(again)) == (0, _table(says))
    assert sorted(Path("card/networks").iterdir()) == networks


def _table(says: str) -> list[str]:
    """Return the lines of the marks; bars, which a slow machine draws, are left out."""
    return [line for line in says.splitlines() if line.startswith(("adi2018", "uchida2017"))]


@pytest.mark.filterwarnings("always::wmlearn.errors.NotEmbeddedWarning")
@pytest.mark.usefixtures("ready_processes")
def test_a_mark_that_did_not_take_is_said_in_a_scorecard(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["scorecard", f"{home}/outsiders.py:own", "--data", home / "training", "--scheme", "adi2018"]
    words += ["--removal", "quantize-4-bits", "--lr", "1e-9", "--epochs", "5", "--out", "card"]
    status, says = command(monkeypatch, *words)
    assert (status, "void: never embedded" in says) == (0, True), says
    assert "the mark was not embedded" in says
    shutil.rmtree("card")
    status, says = command(monkeypatch, *words, "--jobs", "2")
    assert (status, "the mark was not embedded" in says) == (0, True), "from a process, too"


def _rows() -> list[dict[str, object]]:
    return [row | {"seconds": None} for row in json.loads(Path("card/scorecard.json").read_text())]


def test_a_key_that_cannot_be_drawn_is_known_before_anything_is_trained(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*arguments: object, **more: object) -> None:
        raise AssertionError("a training began")

    monkeypatch.setattr("wmlearn.training.train", never)
    words = ["scorecard", f"{home}/outsiders.py:build", "--data", home / "training", "--out", "card"]
    words += ["--scheme", "adi2018", "--scheme", "chen2019-blackmarks"]  # which needs a trained network
    status, says = command(monkeypatch, *words)
    assert (status, "train" in says) == (1, True), says


# What can be wrong


MODELS = {
    "nothing": "a model must answer with a tensor of logits",
    "not_a_number": "the model must answer with finite numbers, got 'NaN or infinity for 60 images'",
    "five": r"the model must answer 60 images with 3 classes each, (N, 3), got (60, 5)",
    "squeezed": r"the model must answer 1 images with 3 classes each, (N, 3), got (3,)",
    "sometimes": r"the model must answer 60 images with 3 classes each, (N, 3), got (60, 2)",
    "lost": r"got (20, 3)",
    "broken": "the model must read images of shape (N, 3, 8, 8) in [0, 1], got RuntimeError",
    "dead": "the model's weights must be finite",
    "fails": r"a torch.nn.Module when it is called without arguments, got KeyError: 'weights\x1b[2J'",
    "stops": "got SystemExit: 0",
    "wants": "got TypeError",
    "a_dict": "got 'dict'",
    "number": "must have a function number, got 'only",
    "absent": "must have a function absent",
}


@pytest.mark.parametrize("name", MODELS)
def test_a_bad_model_ends_in_words_and_writes_nothing(
    name: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = f"{home}/outsiders.py:{name}"
    ways = (
        ["scan", "--out", "new/a/b.html"],
        ["mark", "--out", "new/a/b"],
        ["scorecard", "--out", "new/a/b"],
    )
    for words in ways:
        if name == "dead" and words[0] != "scan":
            continue
        status, says = command(monkeypatch, *words, model, "--data", home / "clean")
        assert status == 1, says
        if words[0] == "scan":
            assert MODELS[name] in says
        assert one_line(says)
        assert list(Path().iterdir()) == []


def test_a_module_that_is_not_there_fails_or_has_a_taken_name_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("unwell.py").write_text("raise ValueError('no licence')")
    Path("json.py").write_text(FACTORIES)
    Path("model.pt").write_bytes(b"PK\x03\x04")
    cases = {
        "nowhere.py:build": "nowhere.py must be a Python file with the factory, got nothing",
        "no.such.module:build": "a module that can be imported, got ModuleNotFoundError",
        "unwell.py:build": "unwell.py must be a module that can be imported, got ValueError: no licence",
        "json.py:build": "json.py must have a name that no other module has",
        ":build": "a model must be my.py:build or package.module:build, FILE.safetensors or FILE.onnx",
        "model": "a model must be my.py:build or package.module:build, FILE.safetensors or FILE.onnx",
        "model.pt": "got a pickled checkpoint",
        "model.safetensors": "a safetensors file needs the factory of its network",
    }
    for model, words in cases.items():
        status, says = command(monkeypatch, "scan", model, "--data", home / "clean")
        assert (status, words in says) == (1, True), says
        assert not Path("scan.html").exists()


def test_bad_pictures_end_in_words_or_are_left_out(
    home: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _folder(Path("data"), 5, 9)
    words = ["scan", weights, "--factory", f"{home}/outsiders.py:build"]
    Path("data/red/broken.png").write_bytes(b"nothing")
    status, says = command(monkeypatch, *words, "--data", "data")
    assert status == 0, says
    assert "1 pictures of data were left out: red/broken.png: a damaged picture" in says
    for path in Path("data/green").iterdir():
        path.write_bytes(b"nothing")
    status, says = command(monkeypatch, *words, "--data", "data", "--out", "second.html")
    assert (status, "there must be clean images of every class, got 'none of green'" in says) == (1, True)
    status, says = command(monkeypatch, *words, "--data", "data/red", "--out", "second.html")
    assert (status, "a folder for each of two or more classes" in says) == (1, True)
    monkeypatch.setattr("wmlearn.data.folders.MOST_FILES", 10)
    status, says = command(monkeypatch, *words, "--data", "data", "--out", "second.html")
    assert (status, "must hold at most 10 files, got more" in says) == (1, True)
    assert not Path("second.html").exists()


def test_a_factory_draws_the_same_weights_each_time_and_leaves_the_generator_alone(home: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, second = (sources.build(f"{home}/outsiders.py:build") for _ in range(2))
    assert torch.equal(torch.rand(3), expected)
    assert isinstance(first, nn.Sequential)
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)
