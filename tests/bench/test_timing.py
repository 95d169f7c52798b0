"""A line of a report, and what measures it; how long things take is no matter of tests."""

from __future__ import annotations

import json
import logging

import pytest
import torch

from wmlearn.bench import PARTS, Timing, document
from wmlearn.bench.timing import fastest, installed, measure, missing, one_thread, quiet

CPU = torch.device("cpu")


def test_a_measurement_holds_what_the_work_returned_and_its_seconds() -> None:
    measured = measure(lambda: "done")
    assert measured.result == "done"
    assert measured.seconds >= 0


def test_the_fastest_of_several_runs_counts() -> None:
    runs: list[int] = []
    assert fastest(lambda: runs.append(1), CPU, 3) >= 0
    assert len(runs) == 3


@pytest.mark.parametrize(
    ("value", "words"), [(1.234, "1.23"), (0.0, "0.00"), (0.0012, "1.2e-03"), (7, "7"), (None, "-")]
)
def test_a_line_shows_its_value_as_it_is_read_best(value: float | None, words: str) -> None:
    assert str(Timing("an epoch", value, "s", "batch 128")).split() == [
        "an",
        "epoch",
        words,
        "s",
        "batch",
        "128",
    ]


def test_a_report_is_json_and_names_its_versions_and_its_machine() -> None:
    report = json.loads(json.dumps(document("digits", [Timing("an epoch", 1.5, "s"), missing("b", "bench")])))
    assert report["part"] == "digits"
    assert {"wmlearn", "torch", "threads", "machine"} <= report.keys()
    assert report["lines"][0] == {"what": "an epoch", "value": 1.5, "unit": "s", "note": ""}
    assert report["lines"][1]["value"] is None


def test_what_an_extra_lacks_is_said_with_what_to_install() -> None:
    line = missing("an epoch, toolbox", "bench")
    assert line.value is None
    assert 'pip install -e ".[bench]"' in line.note


def test_what_is_installed_is_found_without_importing_it() -> None:
    assert installed("torch", "json")
    assert not installed("torch", "no_such_package")


def test_one_thread_lasts_for_a_while_only() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


def test_a_logger_is_quiet_for_a_while_only() -> None:
    logger = logging.getLogger("somebody.loud")
    logger.setLevel(logging.INFO)
    with quiet("somebody.loud"):
        assert logger.level == logging.ERROR
    assert logger.level == logging.INFO


def test_every_part_yields_lines_on_demand_only() -> None:
    assert list(PARTS) == ["digits", "signs", "cleaning", "watermarks", "ownership", "serving"]
    for timings in PARTS.values():
        iter(timings())  # nothing is measured before the first line is asked for
