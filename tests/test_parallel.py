"""The same lines measure cells here, in processes and on a cluster, and whoever stops does not wait."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
import torch

import wmlearn as wm
from wmlearn.parallel import completed


def scaled(shared: dict[str, int], item: int) -> tuple[int, int, int]:
    return shared["factor"] * item, os.getpid(), torch.get_num_threads()


def fail_after_the_first(folder: str, item: int) -> int:
    """Be done with 0 at once; fail with 1 as soon as 0 is done; take long with all others."""
    if item == 0:
        (Path(folder) / "done").touch()
    elif item == 1:
        deadline = time.monotonic() + 200
        while not (Path(folder) / "done").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(1)  # the other has to go home, too
        raise ValueError("one is too much")
    else:
        time.sleep(300)
        (Path(folder) / "rest").touch()
    return item


def die(shared: None, item: int) -> int:
    os._exit(3)


WAYS: dict[str, dict[str, Any]] = {
    "here": {},
    "processes": {"jobs": 2},
    "cluster": {"jobs": 2, "scheduler": "local"},
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_measures_the_same_with_what_all_share(way: str) -> None:
    if way == "cluster":
        pytest.importorskip("dask.distributed")
    results = list(completed(scaled, {"factor": 3}, range(4), **WAYS[way]))
    assert sorted(value for value, _, _ in results) == [0, 3, 6, 9]
    if way == "here":
        assert {process for _, process, _ in results} == {os.getpid()}
    else:
        assert os.getpid() not in {process for _, process, _ in results}
        assert {threads for _, _, threads in results} == {1}


def test_one_job_measures_a_cell_only_when_it_is_asked_for() -> None:
    measured: list[int] = []
    results = completed(lambda seen, item: seen.append(item), measured, range(3))
    next(results)
    assert measured == [0]


@pytest.mark.usefixtures("ready_processes")
def test_what_was_done_comes_before_a_failure_and_nobody_waits_for_the_rest(tmp_path: Path) -> None:
    results = completed(fail_after_the_first, str(tmp_path), [1, 0, 2, 3], jobs=2)
    assert next(results) == 0
    with pytest.raises(ValueError, match="one is too much"):
        next(results)
    assert not (tmp_path / "rest").exists()


@pytest.mark.usefixtures("ready_processes")
def test_a_process_that_dies_is_named_with_its_remedy() -> None:
    with pytest.raises(wm.WmlearnError, match=r"^Every process must live until .* or take one job\.$"):
        list(completed(die, None, [0], jobs=2))


def test_no_jobs_are_too_few_and_no_items_ask_nobody() -> None:
    with pytest.raises(wm.ArgumentError, match=r"^jobs must be at least 1, got 0\."):
        list(completed(scaled, {"factor": 3}, [1], jobs=0))
    assert list(completed(scaled, {"factor": 3}, [], scheduler="tcp://nowhere:1")) == []
