"""What lies in an experiment's file is believed where it was measured, once, and by one run at a time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import wmlearn as wm
from wmlearn.data import files
from wmlearn.errors import SetAsideWarning
from wmlearn.experiments import Experiment, run
from wmlearn.experiments.experiment import Cell, Row, read

N = 12


def doubled(cell: Cell, recipe: wm.Recipe) -> Row:
    return {"value": 2 * cell["i"]}


def endless(cell: Cell, recipe: wm.Recipe) -> Row:
    return {"value": float("nan")}


TOY = Experiment(
    "toy", "Twice?", 1, "02 Twice", tuple({"i": i} for i in range(N)), doubled, lambda results: []
)


@pytest.fixture
def good(tmp_path: Path) -> dict[str, Any]:
    """Measure the toy, and return what its file holds."""
    list(run(TOY, tmp_path))
    return json.loads((tmp_path / "toy.json").read_text())


def _put(folder: Path, content: dict[str, Any], rows: Any) -> bytes:
    raw = json.dumps({**content, "rows": rows}).encode()
    (folder / "toy.json").write_bytes(raw)
    return raw


def test_rows_without_a_measurement_are_measured_again(tmp_path: Path, good: dict[str, Any]) -> None:
    rows = [{"i": 0}, *good["rows"][1:6], *({"i": i} for i in range(6, N))]
    before = _put(tmp_path, good, rows)
    with pytest.warns(SetAsideWarning, match=r"^7 rows of .*toy\.json were not measured, or twice"):
        measured = list(run(TOY, tmp_path))
    assert [row["i"] for row in measured] == [0, *range(6, N)]
    assert read(tmp_path / "toy.json").rows == tuple(good["rows"])
    assert (tmp_path / "toy.json.damaged").read_bytes() == before


def test_cells_with_two_rows_are_measured_again(tmp_path: Path, good: dict[str, Any]) -> None:
    _put(tmp_path, good, [*good["rows"], {"i": 3, "value": 7}, good["rows"][4]])
    with pytest.warns(SetAsideWarning, match=r"^4 rows of .*are measured again"):
        assert [row["i"] for row in run(TOY, tmp_path)] == [3, 4]
    assert read(tmp_path / "toy.json").rows == tuple(good["rows"])


ROWS = {
    "numbers": [1, 2],
    "nothing": None,
    "text": "abc",
    "lists": [[1]],
    "another's cell": [{"i": 99, "value": 1}],
    "nested": [{"i": {"a": 1}, "value": 1}],
    "a truth value for a number": [{"i": True, "value": 2}],
    "a cell that is no number": [{"i": float("nan"), "value": 1}],
    "a measurement that is no number": [{"i": 1, "value": float("nan")}],
}


@pytest.mark.parametrize("case", ROWS)
def test_odd_rows_are_refused_in_one_line_and_kept(case: str, tmp_path: Path, good: dict[str, Any]) -> None:
    before = _put(tmp_path, good, ROWS[case])
    with pytest.raises(wm.WmlearnError, match=r"toy\.json must hold"):
        list(run(TOY, tmp_path))
    assert (tmp_path / "toy.json").read_bytes() == before


CONTENTS = {
    "deep": b"[" * 100_000,
    "a huge number": b'{"rows": [' + b"9" * 5000 + b"]}",
    "a mark of byte order": "\ufeff{}".encode(),
    "a field too many": b'{"experiment": "toy", "z": 1}',
    "a doubled field": b'{"experiment": "toy", "experiment": "toy"}',
}


@pytest.mark.parametrize("case", CONTENTS)
def test_an_odd_file_is_refused_in_one_line_and_kept(case: str, tmp_path: Path) -> None:
    (tmp_path / "toy.json").write_bytes(CONTENTS[case])
    with pytest.raises(wm.DataError, match=r"toy\.json must hold the results of an experiment, got: "):
        list(run(TOY, tmp_path))
    assert (tmp_path / "toy.json").read_bytes() == CONTENTS[case]


def test_what_json_has_no_number_for_is_not_written(tmp_path: Path) -> None:
    odd = Experiment("toy", "?", 1, "02", TOY.cells, endless, lambda results: [])
    with pytest.raises(wm.DataError, match="what is measured must be numbers that JSON has"):
        list(run(odd, tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_in_one_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PATIENCE", 0.05)
    first = run(TOY, tmp_path)
    next(first)
    with pytest.raises(wm.DataError, match=r"toy\.json must be written by one run at a time.* Wait until"):
        next(run(TOY, tmp_path))
    assert len(list(first)) == N - 1
    assert list(run(TOY, tmp_path)) == []


SLOWLY = """
import sys, time
from pathlib import Path
from wmlearn.experiments import Experiment, run

def measure(cell, recipe):
    time.sleep(0.02)
    return {"value": 2 * cell["i"]}

toy = Experiment("toy", "?", 1, "02", tuple({"i": i} for i in range(60)), measure, lambda results: [])
print("ready", flush=True)
for row in run(toy, Path(sys.argv[1])):
    print(row["i"], flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_whoever_is_killed_loses_no_row_that_was_yielded_and_blocks_nobody(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", SLOWLY, str(tmp_path)]
    yielded: set[int] = set()
    for kill in range(20):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.01 * (kill % 7))
            process.send_signal(signal.SIGKILL)
            yielded |= {int(line) for line in process.stdout.read().split("\n")[:-1]}
        there = {row["i"] for row in read(tmp_path / "toy.json").rows} if yielded else set()
        assert yielded <= there
