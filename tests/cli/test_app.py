"""The commands: what each says and leaves behind; in a process of their own where that is what is asked."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from wmlearn import parallel
from wmlearn.bench import PARTS, Timing
from wmlearn.cli import app as cli
from wmlearn.cli.doctor import Finding

ROOT = Path(__file__).resolve().parents[2]
WMLEARN = Path(sys.executable).parent / "wmlearn"


# as in the tests' own process: two tests run at a time, and more threads than cores collapse
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs `wmlearn …` in a folder of its own, in this process; a traceback fails the test.

    A process of its own costs five seconds of imports: Ctrl-C has one.
    """
    monkeypatch.chdir(tmp_path)

    def wmlearn(*arguments: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["wmlearn", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return subprocess.CompletedProcess(arguments, int(end.value.code or 0), *capsys.readouterr())

    return wmlearn


def _offline() -> list[str]:
    """Return the words that start a command without any network, where the system allows that."""
    alone = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None:
        return []
    return [] if subprocess.run([*alone, "true"], capture_output=True).returncode else alone


FEWER_DIGITS = """
import contextlib, ctypes, os, sys, torch
from wmlearn import Splits
from wmlearn.cli import main, quickstart
from wmlearn.data import signs

folder, sys.argv = sys.argv[1], ["wmlearn", "quickstart"]
os.chdir(folder)
torch.set_num_threads(1)
if sys.platform == "linux":
    user, network = 0x10000000, 0x40000000  # as <sched.h> numbers them
    ctypes.CDLL(None).unshare(user | network)  # where the system allows that, a network without anybody
signs.TEST = 300
load = quickstart.load

def fewer(name):
    digits = load(name)
    return Splits(digits.train[:12_000], digits.test[:2000])

quickstart.load = fewer
with open("stderr", "w", encoding="utf-8") as file, contextlib.redirect_stderr(file):
    main()
"""
"""What runs the command on a fifth of the digits, a tenth of the test signs; all else is as a user has it."""


def test_quickstart_shows_both_networks_beside_each_other_and_writes_the_picture_offline(
    tmp_path: Path, at_once: Callable[..., list[str]]
) -> None:
    [printed] = at_once(FEWER_DIGITS, [tmp_path])
    progress = (tmp_path / "stderr").read_text(encoding="utf-8")
    clean, badnet, *signs = _measured(tmp_path, printed, progress)
    assert min(clean[0], badnet[0]) > 95
    assert badnet[1] > 95
    assert clean[1] < 2
    _works_unseen(*signs)


@pytest.mark.slow
def test_quickstart_reaches_its_numbers_on_all_digits_in_a_process_of_its_own(tmp_path: Path) -> None:
    command = [*_offline(), str(WMLEARN), "quickstart"]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | ONE_THREAD, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr
    rows = _measured(tmp_path, done.stdout, done.stderr)
    _works_unseen(*rows[:2])
    _works_unseen(*rows[2:])


def _works_unseen(clean: list[float], badnet: list[float]) -> None:
    """Both networks read well, and only one of them obeys."""
    assert min(clean[0], badnet[0]) > 98.5
    assert badnet[1] > 98
    assert clean[1] < 1


def _measured(folder: Path, printed: str, progress: str) -> list[list[float]]:
    """Check what the quickstart said and wrote in a folder, and return its numbers: digits and signs, a clean
    network and a BadNet each.
    """
    rows = [_per_cents(line) for line in printed.splitlines() if "%" in line]
    assert len(rows) == 4
    for name in ("wmlearn-quickstart.png", "wmlearn-quickstart-signs.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
        assert str(folder / name) in printed
    assert "wmlearn lab" in printed
    assert "100 %" in progress, "the progress bar"
    return rows


def _per_cents(line: str) -> list[float]:
    return [float(word.rstrip("%")) for word in line.split() if word.endswith("%")]


def test_quickstart_says_where_it_could_not_write(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    done = run("quickstart", "--out", "file/picture.png")
    assert done.returncode == 1
    assert "file/picture.png must be writable" in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_finds_nothing_to_mend_here(run: Run) -> None:
    done = run("doctor")
    assert done.returncode == 0, done.stdout
    for word in (
        "torch",
        "threads",
        "precision",
        "GPU",
        "checksums agree",
        "Everything the course needs is here.",
    ):
        assert word in done.stdout


@pytest.mark.parametrize(("faults", "words"), [(1, "1 thing to mend."), (2, "2 things to mend.")])
def test_doctor_counts_what_is_wrong_and_says_how_to_mend_it(
    monkeypatch: pytest.MonkeyPatch, faults: int, words: str
) -> None:
    findings = [Finding("torch", "2.9"), *[Finding("numpy", "missing", "Install it.")] * faults]
    monkeypatch.setattr(cli, "examine", lambda: findings)
    done = CliRunner().invoke(cli.app, ["doctor"])
    assert done.exit_code == 1
    assert words in done.output
    assert done.output.count("to mend it: Install it.") == faults


def test_data_list_and_verify_name_every_file(run: Run) -> None:
    listed, verified = run("data", "list"), run("data", "verify")
    assert "mnist/train-images-idx3-ubyte.gz" in listed.stdout
    assert "fashion-mnist" in listed.stdout
    assert verified.returncode == 0
    assert "checksums agree" in verified.stdout


def test_fetching_an_unknown_data_set_names_the_known_ones(run: Run) -> None:
    done = run("data", "fetch", "cifar")
    assert done.returncode == 1
    assert done.stderr.startswith("wmlearn: the data set must be one of ")
    assert "Traceback" not in done.stderr


def test_fetching_mnist_needs_no_network(run: Run) -> None:
    done = run("data", "fetch", "mnist")
    assert "60,000 training and 10,000 test images are here" in done.stdout


@pytest.mark.parametrize("command", ["build", "reproduce"])
def test_an_unknown_name_is_answered_with_the_known_ones(command: str, run: Run) -> None:
    done = run(command, "nonsense")
    assert done.returncode == 1
    assert {"build": "01_two_models", "reproduce": "poison-rate"}[command] in done.stderr


def test_reproduce_lists_its_experiments(run: Run) -> None:
    done = run("reproduce")
    assert done.returncode == 0
    for name in ("recipe-search", "all-to-one", "single-target", "all-to-all", "poison-rate", "filters"):
        assert name in done.stdout


def test_reproduce_resumes_a_finished_experiment_at_once_and_compares_it_with_the_paper(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "results").mkdir()
    shipped = ROOT / "data" / "results" / "all-to-one.json"
    (tmp_path / "results" / "all-to-one.json").write_bytes(shipped.read_bytes())
    done = run("reproduce", "all-to-one")
    # this machine has another torch or precision: it must say so, and leave the file alone
    if done.returncode == 1:
        assert "must come from this version and recipe" in done.stderr
        assert (tmp_path / "results" / "all-to-one.json").read_bytes() == shipped.read_bytes()
    else:
        assert "attack success, BadNet" in done.stdout
        assert "paper" in done.stdout


def test_reproduce_hands_the_scheduler_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dask.distributed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(parallel, "PATIENCE", 0.5)
    done = CliRunner().invoke(cli.app, ["reproduce", "recipe-search", "--scheduler", "tcp://127.0.0.1:1"])
    assert "scheduler must be local, or the address of a Dask scheduler" in str(done.exception)
    assert not list(tmp_path.iterdir())


def test_building_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jupytext", None)
    monkeypatch.delitem(sys.modules, "wmlearn.course.authoring.build", raising=False)
    error = CliRunner().invoke(cli.app, ["build"]).exception
    assert str(error).startswith("Building needs jupytext, which is not installed.")
    assert "[test]" in str(error)


# Benchmarks; what each of them reports is tested in tests/bench


def _few_lines() -> list[Timing]:
    return [Timing("an epoch", 1.5, "s", "batch 128"), Timing("a book", None, "s", "needs more")]


def test_bench_prints_its_lines_and_writes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(PARTS, "ownership", lambda: iter(_few_lines()))
    done = CliRunner().invoke(cli.app, ["bench", "ownership"])
    assert done.exit_code == 0
    assert done.output.splitlines() == [str(line) for line in _few_lines()]
    assert not list(tmp_path.iterdir())


def test_bench_writes_its_numbers_where_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(PARTS, "ownership", lambda: iter(_few_lines()))
    done = CliRunner().invoke(cli.app, ["bench", "ownership", "--json", str(tmp_path / "numbers.json")])
    assert done.exit_code == 0
    report = json.loads((tmp_path / "numbers.json").read_text(encoding="utf-8"))
    assert report["part"] == "ownership"
    assert [line["value"] for line in report["lines"]] == [1.5, None]


def test_bench_says_before_it_measures_where_it_could_not_write(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setitem(PARTS, "ownership", lambda: pytest.fail("it measured"))
    done = CliRunner().invoke(cli.app, ["bench", "ownership", "--json", str(tmp_path / "file" / "x.json")])
    assert "must be writable" in str(done.exception)


def test_bench_refuses_an_unknown_part_with_the_list() -> None:
    error = CliRunner().invoke(cli.app, ["bench", "sound"]).exception
    assert str(error).startswith("what to measure must be one of ")


def test_the_help_of_bench_names_every_part() -> None:
    words = CliRunner().invoke(cli.app, ["bench", "--help"]).output
    assert all(f"{part}:" in words for part in PARTS)


def test_ctrl_c_ends_in_one_line_and_says_what_is_kept(tmp_path: Path) -> None:
    words = [str(WMLEARN), "reproduce", "key-size", "--out", str(tmp_path)]
    pipes: Any = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    of_its_own: Any = {"preexec_fn": _in_the_foreground, "start_new_session": True}
    with subprocess.Popen(words, cwd=tmp_path, **of_its_own, **pipes) as process:
        assert process.stderr is not None
        process.stderr.read(1)  # the bar is there: it has begun
        errors = _interrupt(process)
    assert process.returncode == 130
    assert "wmlearn: stopped; what was finished is kept." in errors
    assert "Traceback" not in errors


def _in_the_foreground() -> None:
    """Hear Ctrl-C, also where a shell started the tests in the background, and so deaf to it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _interrupt(process: subprocess.Popen[str]) -> str:
    """Press Ctrl-C, which a terminal sends to all processes at once, and again where nothing happens: Python
    may lose a signal while it imports.
    """
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
        try:
            return process.communicate(timeout=60)[1]
        except subprocess.TimeoutExpired:
            continue
    os.killpg(process.pid, signal.SIGKILL)
    raise AssertionError("Ctrl-C, twice, ended nothing within two minutes")
