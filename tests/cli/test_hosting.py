"""A platform from the command line: a host, an owner and a judge, each in a folder of their own, who share a
URL.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from safetensors.torch import save_file
from typer.testing import CliRunner

import wmlearn as wm
from wmlearn.cli.app import app
from wmlearn.evidence import bystanders

Run = Callable[..., str]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("platform")


@pytest.fixture
def run(root: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs `wmlearn ownership …` in somebody's folder, and expects a status."""

    def call(who: str, *words: object, ends: int = 0) -> str:
        (root / who).mkdir(exist_ok=True)
        monkeypatch.chdir(root / who)
        done = CliRunner().invoke(app, ["ownership", *map(str, words)])
        assert done.exit_code == ends, (done.output, done.exception)
        return done.output

    return call


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def url(root: Path, run: Run) -> Iterator[str]:
    """Serve an empty platform from the command line, as its host does."""
    run("host", "keygen", "keeper")
    port = free_port()
    words = ["ownership", "platform", "run", "here", "--keeper", "keeper.secret", "--port", str(port)]
    code = f"import sys; sys.argv = ['wmlearn', *{words!r}]; from wmlearn.cli import main; main()"
    path = os.pathsep.join([str(Path(wm.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=root / "host", env={**os.environ, "PYTHONPATH": path}
    )
    try:
        wait_for(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        try:
            assert httpx.get(f"{address}/book", trust_env=False).status_code == 200
            return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError("the platform did not start")


def test_three_parties_in_three_folders_need_nothing_but_the_url(url: str, root: Path, run: Run) -> None:
    platform = ("ownership", "platform")[1:]
    for name in ("ada", "judge"):
        run(name, "keygen", name)
        run("host", *platform, "admit", "here", root / name / f"{name}.public")
        assert stat.S_IMODE((root / name / f"{name}.token").stat().st_mode) == 0o600
    model = bystanders.shipped("mnist", 8, 9)[0]
    save_file(model.state_dict(), root / "ada" / "plain.safetensors")
    hers = ("--token", "ada.token")

    run("ada", "commit", "ada.secret")
    run("ada", *platform, "enter", url, "commitment.json", *hers)
    run("ada", "commit", "ada.secret", "--receipt", "receipt-1.json")
    run("ada", *platform, "place", url, "digits", "plain.safetensors", *hers)
    run("ada", *platform, "teach", url, "digits", "key.safetensors", *hers)
    run("ada", *platform, "fetch", url, "digits", "marked.safetensors", *hers)
    published = run(
        "ada", *platform, "publish", url, "digits", "ada.secret", "--commitment", "commitment.json", *hers
    )
    assert '"answers": true' in published

    shutil.copy(root / "ada" / "commitment.json", root / "judge")
    suspect = ("--suspect", f"theirs={url}/models/digits", "--registry", url)
    run("judge", "challenge", "judge.secret", "commitment.json", *suspect)
    run("judge", *platform, "enter", url, "challenge.json", "--token", "judge.token")

    shutil.copy(root / "judge" / "receipt-3.json", root / "ada")
    judge = ("--judge", root / "judge" / "judge.public")
    answer = ("respond", "ada.secret", "receipt-1.json", "receipt-3.json", "--registry", url)
    run("ada", *answer, *judge)

    shutil.copy(root / "ada" / "bundle.json", root / "judge")
    found = run("judge", "verify", "bundle.json", *suspect, *judge, "--released", 2)
    assert "theirs: claim supported" in found
    marked = ("--suspect", "theirs=marked.safetensors", "--registry", url)
    run("ada", "verify", "bundle.json", *marked, *judge, ends=1)  # the challenge names the service


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["enter", "http://127.0.0.1:9", "commitment.json", "--token", "t"], "must be readable"),
        (["admit", "here", "no.public"], "must be readable"),
    ],
)
def test_what_is_missing_is_named(run: Run, words: list[str], rule: str) -> None:
    run("eve", "keygen", "eve")
    run("eve", "commit", "eve.secret")
    (done,) = [CliRunner().invoke(app, ["ownership", "platform", *words])]
    assert done.exit_code != 0
    assert rule in str(done.exception)
