"""A claim from beginning to end on the command line, by an owner, a thief and a judge who only exchange
files.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import torch
from running import running
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner, Result

import wmlearn as wm
from wmlearn.cli.app import app
from wmlearn.cli.ownership import ARCHITECTURES
from wmlearn.suspects import load_suspect, service

Run = Callable[..., Result]
CHALLENGE = (
    "challenge",
    "CASE/judge.secret",
    "CASE/commitment.json",
    "--registry",
    "book.sqlite",
    "--keeper",
    "CASE/keeper.secret",
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: Path) -> Run:
    """Return a function that runs `wmlearn ownership …` beside a copy of the registry, and expects the exit
    status `ends`.
    """
    monkeypatch.chdir(tmp_path)
    shutil.copy(case / "book.sqlite", "book.sqlite")  # what one test opens is still secret in the next

    def run(*words: object, ends: int = 0) -> Result:
        done = CliRunner().invoke(app, ["ownership", *map(str, words)])
        assert done.exit_code == ends, (done.output, done.exception)
        return done

    return run


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory, few: wm.Samples) -> Path:
    """Return a folder in which Ada has promised a key, taught it to a network, and released it; Mallory and a
    judge have secrets.
    """
    folder = tmp_path_factory.mktemp("case")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for words in (
            ["keygen", "Ada"],
            ["keygen", "Mallory"],
            ["keygen", "judge"],
            ["keygen", "keeper"],
            ["commit", "ada.secret"],
            ["commit", "mallory.secret", "--key", "his.safetensors", "--out", "his.json"],
            ["register", "book.sqlite", "commitment.json", "--keeper", "keeper.secret"],
        ):
            done = CliRunner().invoke(app, ["ownership", *words])
            assert done.exit_code == 0, done.output
        clean = wm.bystanders.shipped("mnist", 8, 9)[0]
        scheme = wm.watermarks.Adi2018(share=0.7, recipe=wm.Recipe(epochs=4, lr=5e-3))
        marked = scheme.embed(clean, few, wm.watermarks.load_key("key.safetensors")).model
        save_file(marked.state_dict(), "marked.safetensors")
        save_file(clean.state_dict(), "clean.safetensors")
        for words in (
            ["release", "ada.secret", "marked.safetensors"],
            ["register", "book.sqlite", "release.json", "his.json", "--keeper", "keeper.secret"],
        ):
            done = CliRunner().invoke(app, ["ownership", *words])
            assert done.exit_code == 0, done.output
    return folder


def _kept(case: Path) -> list[object]:
    return ["--keeper", case / "keeper.secret"]


def _claim(run: Run, case: Path, suspect: str) -> list[object]:
    """Challenge Ada about a suspect, by its address or its name in `case`, answer, and return the words of
    `verify`.
    """
    source = suspect if "://" in suspect else case / suspect
    where = ["--suspect", f"it={source}", "--registry", "book.sqlite"]
    run("challenge", case / "judge.secret", case / "commitment.json", *where, *_kept(case))
    run("respond", case / "ada.secret", case / "key.safetensors", case / "commitment.json", "challenge.json")
    return ["verify", "bundle.json", *where, "--released", 2]


def test_a_claim_stands_for_a_marked_model_and_not_for_a_clean_one(run: Run, case: Path) -> None:
    done = run(*_claim(run, case, "marked.safetensors"), "--out", "finding.json")
    assert "it: claim supported" in done.output
    found = json.loads(Path("finding.json").read_text())
    assert found["matches"]["it"]["owned"] is True
    assert found["matches"]["it"]["p_value"] < 1e-4
    assert "it: no proof of ownership" in run(*_claim(run, case, "clean.safetensors"), ends=1).output
    assert "sound" in run("audit", "book.sqlite", "--receipt", case / "receipts" / "receipt-1.json").output


def test_a_suspect_may_be_a_service(run: Run, case: Path) -> None:
    for name, says, ends in (("marked", "claim supported", 0), ("clean", "no proof of ownership", 1)):
        with running(service(load_suspect(case / f"{name}.safetensors", "badnet_cnn"))) as url:  # pyright: ignore[reportArgumentType]
            assert f"it: {says}" in run(*_claim(run, case, url), ends=ends).output
    assert json.loads(Path("challenge.json").read_text())["suspects"] == ["it"]


def test_a_suspect_may_be_an_onnx_file(run: Run, case: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    for name, says, ends in (("marked", "claim supported", 0), ("clean", "no proof of ownership", 1)):
        _exported(case / f"{name}.safetensors", case / f"{name}.onnx")
        assert f"it: {says}" in run(*_claim(run, case, f"{name}.onnx"), ends=ends).output
    refused = run("release", case / "ada.secret", case / "marked.onnx", ends=1)
    assert "the model to release must be a safetensors file" in str(refused.exception)


def _exported(weights: Path, path: Path) -> None:
    """Write the network of the digits as ONNX, layer by layer."""
    import onnx  # pyright: ignore[reportMissingImports]
    from onnx import TensorProto, helper, numpy_helper  # pyright: ignore[reportMissingImports]

    state = {name: value.numpy() for name, value in load_file(weights).items()}
    layers = [
        ("Sub", ["0.mean"], {}),
        ("Div", ["0.std"], {}),
        ("Conv", ["1.weight", "1.bias"], {}),
        ("Relu", [], {}),
        ("AveragePool", [], {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("Conv", ["4.weight", "4.bias"], {}),
        ("Relu", [], {}),
        ("AveragePool", [], {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("Transpose", [], {"perm": [0, 2, 3, 1]}),
        ("Flatten", [], {}),
        ("Gemm", ["8.weight", "8.bias"], {"transB": 1}),
        ("Relu", [], {}),
        ("Gemm", ["10.weight", "10.bias"], {"transB": 1}),
    ]
    nodes = [
        helper.make_node(kind, [f"v{i}", *parts], [f"v{i + 1}"], **how)
        for i, (kind, parts, how) in enumerate(layers)
    ]
    value, end = helper.make_tensor_value_info, f"v{len(layers)}"
    ends = [value("v0", TensorProto.FLOAT, ["n", 1, 28, 28])], [value(end, TensorProto.FLOAT, ["n", 10])]
    graph = helper.make_graph(
        nodes, "digits", *ends, [numpy_helper.from_array(each, name) for name, each in state.items()]
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def test_the_network_of_weights_may_be_named(run: Run, case: Path) -> None:
    verify = _claim(run, case, "marked.safetensors@badnet_cnn")
    assert "it: claim supported" in run(*verify).output
    verify[verify.index("--suspect") + 1] = f"it={case / 'marked.safetensors'}"
    assert "it: claim supported" in run(*verify).output, "it is the network of the task"


def test_every_task_has_the_network_of_its_bystanders(tmp_path: Path) -> None:
    assert ARCHITECTURES.keys() == wm.bystanders.NETWORKS.keys()
    for name, (build, _) in wm.bystanders.NETWORKS.items():
        path = tmp_path / f"{name}.safetensors"
        save_file(build(0).state_dict(), path)
        load_suspect(path, ARCHITECTURES[name])  # another network's weights are an error


def test_a_pickled_suspect_is_refused_with_the_way_to_convert_it(run: Run, case: Path) -> None:
    torch.save(load_file(case / "marked.safetensors"), "theirs.pt")
    shutil.copy("theirs.pt", "disguised.safetensors")
    for name in ("theirs.pt", "disguised.safetensors"):
        where = ["--suspect", f"it={name}", "--registry", "book.sqlite"]
        for words in (
            ["challenge", case / "judge.secret", case / "commitment.json", *where, *_kept(case)],
            ["release", case / "ada.secret", name],
        ):
            why = str(run(*words, ends=1).exception)
            assert "got a pickled checkpoint: opening one can run any code" in why
            assert "torch.load(path, weights_only=True); safetensors.torch.save_file(" in why
    assert sorted(path.name for path in Path().iterdir()) == [
        "book.sqlite",
        "disguised.safetensors",
        "theirs.pt",
    ]


def test_a_bundle_is_void_for_another_model_and_for_another_challenge(run: Run, case: Path) -> None:
    verify = _claim(run, case, "marked.safetensors")
    other = [str(word).replace("marked", "clean") for word in verify]
    assert "void: the challenge names other suspects" in run(*other, ends=1).output
    Path("bundle.json").rename("old.json")
    _claim(run, case, "marked.safetensors")
    verify[1] = "old.json"
    assert (
        "void: it answers another challenge" in run(*verify, "--challenge", "challenge.json", ends=1).output
    )


def test_a_late_commitment_is_void(run: Run, case: Path) -> None:
    where = ["--suspect", f"it={case / 'marked.safetensors'}", "--registry", "book.sqlite"]
    run("challenge", case / "judge.secret", case / "his.json", *where, *_kept(case))
    run("respond", case / "mallory.secret", case / "his.safetensors", case / "his.json", "challenge.json")
    assert (
        "after the model was released" in run("verify", "bundle.json", *where, "--released", 2, ends=1).output
    )


def test_a_dispute_ends_in_a_report(run: Run, case: Path) -> None:
    where = [
        "--suspect",
        f"hers={case / 'marked.safetensors'}",
        "--suspect",
        f"his={case / 'clean.safetensors'}",
    ]
    where += ["--registry", "book.sqlite"]
    for who, key, promise in (
        ("ada", "key.safetensors", "commitment.json"),
        ("mallory", "his.safetensors", "his.json"),
    ):
        run("challenge", case / "judge.secret", case / promise, *where, *_kept(case))
        run(
            "respond",
            case / f"{who}.secret",
            case / key,
            case / promise,
            "challenge.json",
            "--out",
            f"{who}.json",
        )
    done = run(
        "dispute",
        "hers",
        *where,
        "--party",
        "Ada=hers=ada.json",
        "--party",
        "Mallory=his=mallory.json",
        "--released",
        2,
    )
    assert "“hers”: the claim of Ada stands." in done.output
    assert "Mallory&#x27;s evidence is void" in Path("report.html").read_text()
    assert json.loads(Path("report.json").read_text())["owner"] == "Ada"


def test_secrets_are_private_and_never_shown(run: Run, case: Path) -> None:
    for name in ("ada.secret", "key.safetensors"):
        assert stat.S_IMODE((case / name).stat().st_mode) == 0o600
    secret = json.loads((case / "ada.secret").read_text())["secret"]
    shown = run("show", case / "ada.secret").output
    assert "the secret of Ada" in shown
    public = [path.read_text() for path in case.rglob("*.json")]
    assert not any(secret in text for text in (shown, run("keygen", "Eve").output, *public))


def test_show_reads_every_document(run: Run, case: Path) -> None:
    _claim(run, case, "clean.safetensors")
    for path in (case / "commitment.json", case / "release.json", "challenge.json", "bundle.json"):
        assert "signatures and hashes are right" in run("show", path).output
    assert "signatures and hashes are right" in run("show", case / "receipts" / "receipt-1.json").output
    changed = Path("bundle.json").read_text().replace('"label":', '"label":1', 1)
    Path("changed.json").write_text(changed)
    assert (
        "1 of 30 opened triggers or labels are not those committed to"
        in run("show", "changed.json", ends=1).output
    )


def test_audit_says_what_was_tampered_with(run: Run) -> None:
    with closing(sqlite3.connect("book.sqlite")) as connection, connection:
        connection.execute("UPDATE entries SET time = '2020-01-01T00:00:00+00:00' WHERE number = 1")
    assert (
        "the entries are not those for which the keeper has signed"
        in run("audit", "book.sqlite", ends=1).output
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["commit", "missing.secret"], "must be readable"),
        (["show", "text"], "must be a JSON file of ownership"),
        (
            ["register", "new.sqlite", "text", "--keeper", "CASE/keeper.secret"],
            "must be a JSON file of ownership",
        ),
        (["audit", "missing.sqlite"], "there is no missing.sqlite"),
        (["audit", "text"], "not a database"),
        (["verify", "text", "--suspect", "it=x", "--registry", "r", "--released", "1"], "this is no bundle"),
        (["commit", "CASE/ada.secret", "--scheme", "lemerrer2019"], "can be drawn for adi2018"),
        (["commit", "CASE/ada.secret", "--task", "cifar"], "the task must be one of mnist"),
        (
            ["commit", "CASE/mallory.secret", "--key", "CASE/key.safetensors"],
            "must follow from the secret of Mallory",
        ),
        (["release", "CASE/ada.secret", "text"], "must end in .safetensors"),
        (
            ["release", "CASE/ada.secret", "CASE/clean.safetensors", "--task", "signs-us"],
            "must hold the weights of this network",
        ),
        ([*CHALLENGE, "--suspect", "it=missing.onnx"], "must be a file that can be read"),
        (
            [*CHALLENGE, "--suspect", "it=CASE/clean.safetensors@resnet"],
            "network must be badnet_cnn or sign_cnn:CLASSES",
        ),
        (
            [*CHALLENGE, "--suspect", "it=CASE/clean.safetensors", "--suspect", "it=x"],
            "suspects must have names of their own",
        ),
        ([*CHALLENGE, "--suspect", "it"], "NAME=FILE"),
        (
            [
                "respond",
                "CASE/mallory.secret",
                "CASE/his.safetensors",
                "CASE/commitment.json",
                "CASE/his.json",
            ],
            "this is no challenge",
        ),
    ],
)
def test_bad_input_is_one_clear_line_and_writes_nothing(
    words: list[str], message: str, run: Run, case: Path
) -> None:
    Path("text").write_text("not what it should be " * 50)
    done = run(*[word.replace("CASE", str(case)) for word in words], ends=1)
    assert isinstance(done.exception, wm.WmlearnError)
    assert message in str(done.exception)
    assert sorted(path.name for path in Path().iterdir()) == ["book.sqlite", "text"]
