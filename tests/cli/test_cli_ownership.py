"""A claim from beginning to end on the command line, by an owner, a thief and a judge who only exchange
files.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

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
CHALLENGE = ("challenge", "CASE/judge.secret", "CASE/commitment.json", "--registry", "book.sqlite")
RESPOND = (
    "respond",
    "CASE/mallory.secret",
    "CASE/receipts/receipt-3.json",
    "CASE/receipts/receipt-1.json",
    "--registry",
    "book.sqlite",
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
            ["commit", "mallory.secret", "--out", "his.json"],
            ["register", "book.sqlite", "commitment.json", "--keeper", "keeper.secret"],
            ["commit", "ada.secret", "--receipt", "receipts/receipt-1.json"],
        ):
            done = CliRunner().invoke(app, ["ownership", *words])
            assert done.exit_code == 0, done.output
        clean = wm.bystanders.shipped("mnist", 8, 9)[0]
        scheme = wm.watermarks.Adi2018(share=0.7, recipe=wm.Recipe(epochs=4, lr=5e-3))
        marked = scheme.embed(clean, few, wm.watermarks.load_key("key.safetensors")).model
        save_file(marked.state_dict(), "marked.safetensors")
        save_file(clean.state_dict(), "clean.safetensors")
        for words in (
            ["release", "ada.secret", "marked.safetensors", "--commitment", "commitment.json"],
            ["register", "book.sqlite", "release.json", "his.json", "--keeper", "keeper.secret"],
        ):
            done = CliRunner().invoke(app, ["ownership", *words])
            assert done.exit_code == 0, done.output
    return folder


def _ask(run: Run, case: Path, promise: str, *suspects: str) -> str:
    """Challenge a promise about suspects, have that registered, and return the path of the receipt."""
    where = [word for suspect in suspects for word in ("--suspect", suspect)]
    run("challenge", case / "judge.secret", case / promise, *where, "--registry", "book.sqlite")
    done = run("register", "book.sqlite", "challenge.json", "--keeper", case / "keeper.secret")
    return done.output.strip().rpartition("keep ")[2]


def _answer(
    run: Run, case: Path, who: str, receipt: int, question: str, *more: object, ends: int = 0
) -> Result:
    return run(
        "respond",
        case / f"{who}.secret",
        case / "receipts" / f"receipt-{receipt}.json",
        question,
        "--judge",
        case / "judge.public",
        "--registry",
        "book.sqlite",
        *more,
        ends=ends,
    )


def _claim(run: Run, case: Path, suspect: str) -> list[object]:
    """Challenge Ada about a suspect, by its address or its name in `case`, answer, and return the words of
    `verify`.
    """
    source = suspect if "://" in suspect else case / suspect
    question = _ask(run, case, "commitment.json", f"it={source}")
    _answer(run, case, "ada", 1, question, "--yes")
    where = ["--suspect", f"it={source}", "--registry", "book.sqlite", "--judge", case / "judge.public"]
    return ["verify", "bundle.json", *where]


def test_a_claim_stands_for_a_marked_model_and_not_for_a_clean_one(run: Run, case: Path) -> None:
    done = run(*_claim(run, case, "marked.safetensors"), "--out", "finding.json")
    assert "it: claim supported" in done.output
    found = json.loads(Path("finding.json").read_text())
    assert found["matches"]["it"]["owned"] is True
    assert found["matches"]["it"]["p_value"] < 1e-4
    clean = [*_claim(run, case, "clean.safetensors"), "--released", 2]
    assert "it: no proof of ownership" in run(*clean, ends=1).output
    assert "sound" in run("audit", "book.sqlite", "--receipt", case / "receipts" / "receipt-1.json").output


def test_the_judge_is_named_and_no_friend_of_the_owner(run: Run, case: Path) -> None:
    words = _claim(run, case, "marked.safetensors")
    words[words.index("--judge") + 1] = case / "mallory.public"
    assert "void: its challenge is not by the judge of this case" in run(*words, ends=1).output
    assert "Missing option '--judge'" in run(*words[:6], ends=2).output


def test_a_key_is_drawn_when_the_promise_is_registered_and_not_before(run: Run, case: Path) -> None:
    drawn = ["commit", case / "ada.secret", "--receipt", case / "receipts" / "receipt-1.json"]
    run(*drawn, "--key", "again.safetensors")
    again, first = (wm.watermarks.load_key(path) for path in ("again.safetensors", case / "key.safetensors"))
    assert torch.equal(again.x, first.x)
    assert torch.equal(again.y, first.y)
    assert "must not replace a file" in str(run(*drawn, "--key", "again.safetensors", ends=1).exception)
    other = ["commit", case / "mallory.secret", "--receipt", case / "receipts" / "receipt-1.json"]
    assert "the promise must be one of Mallory" in str(
        run(*other, "--key", "x.safetensors", ends=1).exception
    )


def test_an_owner_opens_no_more_than_half_without_saying_so(run: Run, case: Path) -> None:
    for receipt, ends in ((4, 0), (5, 1)):
        question = _ask(run, case, "commitment.json", f"it={case / 'marked.safetensors'}")
        assert question.endswith(f"receipt-{receipt}.json")
        done = _answer(run, case, "ada", 1, question, ends=ends)
    assert "at most 50 of 100 triggers may be opened, got 60" in str(done.exception)
    assert len(json.loads(Path("key.opened.json").read_text())["commitments"].popitem()[1]) == 30
    _answer(run, case, "ada", 1, question, "--yes")


def test_an_unregistered_challenge_is_not_answered(run: Run, case: Path) -> None:
    question = _ask(run, case, "commitment.json", f"it={case / 'marked.safetensors'}")
    shutil.copy(case / "book.sqlite", "book.sqlite")
    for rest in ("book.sqlite-wal", "book.sqlite-shm"):
        Path(rest).unlink(missing_ok=True)
    assert "must be in the book" in str(_answer(run, case, "ada", 1, question, ends=1).exception)
    assert not Path("key.opened.json").exists()


def test_where_nothing_can_be_written_nothing_is_registered(run: Run, case: Path) -> None:
    Path("file").write_text("")
    words = ["challenge", case / "judge.secret", case / "commitment.json", "--registry", "book.sqlite"]
    words += ["--suspect", f"it={case / 'marked.safetensors'}", "--out", "file/challenge.json"]
    assert "must be writable" in str(run(*words, ends=1).exception)
    words = ["register", "book.sqlite", case / "his.json", "--keeper", case / "keeper.secret"]
    assert "must be writable" in str(run(*words, "--receipts", "file/x", ends=1).exception)
    assert "3 entries" in run("audit", "book.sqlite").output


def test_a_backup_is_the_whole_book(run: Run) -> None:
    run("backup", "book.sqlite", "copy.sqlite")
    assert "3 entries" in run("audit", "copy.sqlite").output
    assert "must not replace a file" in str(run("backup", "book.sqlite", "copy.sqlite", ends=1).exception)


def test_a_suspect_may_be_a_service(run: Run, case: Path) -> None:
    for name, says, ends in (("marked", "claim supported", 0), ("clean", "no proof of ownership", 1)):
        with running(service(load_suspect(case / f"{name}.safetensors", "badnet_cnn"))) as url:  # pyrefly: ignore[bad-argument-type]
            assert f"it: {says}" in run(*_claim(run, case, url), "--released", 2, ends=ends).output
    assert json.loads(Path("challenge.json").read_text())["suspects"] == ["it"]


def test_a_suspect_may_be_an_onnx_file(run: Run, case: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    for name, says, ends in (("marked", "claim supported", 0), ("clean", "no proof of ownership", 1)):
        _exported(case / f"{name}.safetensors", case / f"{name}.onnx")
        words = [*_claim(run, case, f"{name}.onnx"), "--released", 2]
        assert f"it: {says}" in run(*words, ends=ends).output
    refused = run("release", case / "ada.secret", case / "marked.onnx", ends=1)
    assert "the model to release must be a safetensors file" in str(refused.exception)


def _exported(weights: Path, path: Path) -> None:
    """Write the network of the digits as ONNX, layer by layer."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    state = {name: value.numpy() for name, value in load_file(weights).items()}
    layers: list[tuple[str, list[str], dict[str, Any]]] = [
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
            ["challenge", case / "judge.secret", case / "commitment.json", *where],
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
    source = case / "marked.safetensors"
    _answer(run, case, "mallory", 3, _ask(run, case, "his.json", f"it={source}"))
    words = ["verify", "bundle.json", "--suspect", f"it={source}", "--registry", "book.sqlite"]
    words += ["--judge", case / "judge.public"]
    for more in ([], ["--released", 2]):
        assert "after the model was released (entry 2)" in run(*words, *more, ends=1).output


def test_a_dispute_ends_in_a_report(run: Run, case: Path) -> None:
    suspects = [f"hers={case / 'marked.safetensors'}", f"his={case / 'clean.safetensors'}"]
    parties = []
    for who, model, receipt, promise in (
        ("ada", "hers", 1, "commitment.json"),
        ("mallory", "his", 3, "his.json"),
    ):
        question = _ask(run, case, promise, *suspects)
        _answer(run, case, who, receipt, question, "--out", f"{who}.json")
        parties += ["--party", f"{who.title()}={case / who}.public={model}={who}.json"]
    where = [word for suspect in suspects for word in ("--suspect", suspect)]
    words = ["dispute", "hers", *where, "--registry", "book.sqlite", "--judge", case / "judge.public"]
    words += ["--released", "2"]
    done = run(*words, *parties)
    assert "“hers”: the claim of Ada stands." in done.output
    assert "Mallory&#x27;s evidence is void" in Path("report.html").read_text()
    assert json.loads(Path("report.json").read_text())["owner"] == "Ada"
    borrowed = ["--party", f"Mallory={case / 'mallory'}.public=his=ada.json"]
    refused = run(*words, *parties[:2], *borrowed, ends=1)
    assert "must be signed by the party's key" in str(refused.exception) or "two promises" in str(
        refused.exception
    )


@pytest.mark.slow
def test_the_story_in_the_readme_runs(tmp_path: Path) -> None:
    """Three parties in three folders; the block is taken from the README as it stands."""
    text = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    start = text.index("```sh\nmkdir keeper ada judge")
    script = text[start + 6 : text.index("```", start + 6)]
    program = (
        f"wmlearn() {{ {sys.executable} -W ignore -c 'from wmlearn.cli import main; main()' \"$@\"; }}\n"
    )
    python = f'python() {{ {sys.executable} "$@"; }}\n'
    environment = {**os.environ, "PYTHONPATH": str(Path(wm.__file__).resolve().parents[1])}
    done = subprocess.run(
        ["bash", "-euc", program + python + script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "shop: claim supported: 30 of 30" in done.stdout
    assert "sound" in done.stdout
    assert not list((tmp_path / "judge").glob("*.safetensors"))


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
    receipt = case / "receipts" / "receipt-1.json"
    assert (
        "signatures and hashes are right" in run("show", receipt, "--keeper", case / "keeper.public").output
    )
    strange = run("show", receipt, "--keeper", case / "judge.public", ends=1)
    assert "it is by another keeper" in strange.output
    false = json.loads(receipt.read_text()) | {"made": "2020-01-01T00:00:00+00:00"}
    Path("false.json").write_text(json.dumps(false))
    assert "it is not signed by the one whom it names" in run("show", "false.json", ends=1).output
    content = json.loads(Path("bundle.json").read_text())
    content["openings"][0]["seed"] = "0" * 64
    Path("changed.json").write_text(json.dumps(content))
    assert "1 of 30 opened triggers are not those committed to" in run("show", "changed.json", ends=1).output


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
        (
            ["verify", "text", "--suspect", "it=x", "--registry", "r", "--judge", "a" * 64],
            "this is no bundle",
        ),
        (["commit", "CASE/ada.secret", "--scheme", "lemerrer2019"], "follow from a trained network"),
        (["commit", "CASE/ada.secret", "--scheme", "gu2017-patch"], "share one label"),
        (["commit", "CASE/ada.secret", "--task", "cifar"], "the task must be one of mnist"),
        (
            ["commit", "CASE/mallory.secret", "--receipt", "CASE/receipts/receipt-1.json"],
            "the promise must be one of Mallory",
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
            [*RESPOND, "--judge", "CASE/judge.public"],
            "this is no challenge",
        ),
        ([*RESPOND, "--judge", "text"], "a public key must be 64 hexadecimal digits"),
        ([*RESPOND, "--judge", "missing"], "must be readable"),
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
