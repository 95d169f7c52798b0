"""A platform from the command line: a host, an owner and a judge, each in a folder of their own, who share a
URL.
"""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from safetensors.torch import save_file
from typer.testing import CliRunner

from wmlearn.cli.app import app
from wmlearn.evidence import bystanders
from wmlearn.suspects import serving

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


@pytest.fixture
def url(run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve what the host's command would, until the test ends."""
    started = []
    monkeypatch.setattr(serving, "serve", lambda *words: started.append(words))
    run("host", "keygen", "keeper")
    run("host", "platform", "run", "here", "--keeper", "keeper.secret", "--per-minute", 50_000)
    ((web, host, port, limits, proxy),) = started
    assert (host, port, proxy) == ("127.0.0.1", 8000, None)
    assert limits.per_minute == 50_000
    with serving.running(web, limits) as address:
        yield address


def test_three_parties_in_three_folders_need_nothing_but_the_url(url: str, root: Path, run: Run) -> None:
    for name in ("ada", "judge"):
        run(name, "keygen", name)
        run("host", "platform", "admit", "here", root / name / f"{name}.public")
        assert stat.S_IMODE((root / name / f"{name}.token").stat().st_mode) == 0o600
    model = bystanders.shipped("mnist", 8, 9)[0]
    save_file(model.state_dict(), root / "ada" / "plain.safetensors")
    hers = ("--token", "ada.token")

    run("ada", "commit", "ada.secret")
    run("ada", "platform", "enter", url, "commitment.json", *hers)
    run("ada", "commit", "ada.secret", "--receipt", "receipt-1.json")
    run("ada", "platform", "place", url, "digits", "plain.safetensors", *hers)
    run("ada", "platform", "teach", url, "digits", "key.safetensors", *hers)
    run("ada", "platform", "fetch", url, "digits", "marked.safetensors", *hers)
    published = run(
        "ada", "platform", "publish", url, "digits", "ada.secret", "--commitment", "commitment.json", *hers
    )
    assert '"answers": true' in published

    shutil.copy(root / "ada" / "commitment.json", root / "judge")
    suspect = ("--suspect", f"theirs={url}/models/digits", "--registry", url)
    run("judge", "challenge", "judge.secret", "commitment.json", *suspect)
    run("judge", "platform", "enter", url, "challenge.json", "--token", "judge.token")

    shutil.copy(root / "judge" / "receipt-3.json", root / "ada")
    judge = ("--judge", root / "judge" / "judge.public")
    answer = ("respond", "ada.secret", "receipt-1.json", "receipt-3.json", "--registry", url)
    run("ada", *answer, *judge)

    shutil.copy(root / "ada" / "bundle.json", root / "judge")
    found = run("judge", "verify", "bundle.json", *suspect, *judge, "--released", 2)
    assert "theirs: claim supported" in found
    marked = ("--suspect", "theirs=marked.safetensors", "--registry", url)
    run("ada", "verify", "bundle.json", *marked, *judge, ends=1)  # the challenge names the service


def test_what_is_missing_is_named(run: Run) -> None:
    run("eve", "keygen", "eve")
    run("eve", "commit", "eve.secret")
    for words in (
        ["enter", "http://127.0.0.1:9", "commitment.json", "--token", "eve.token"],
        ["admit", "here", "no.public"],
    ):
        done = CliRunner().invoke(app, ["ownership", "platform", *words])
        assert done.exit_code != 0
        assert "must be readable" in str(done.exception)
