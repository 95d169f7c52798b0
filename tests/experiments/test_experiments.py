"""A long experiment writes each row, resumes where it stopped, and never mixes rows that don't belong
together.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import wmlearn as wm
from wmlearn import parallel
from wmlearn.experiments import ALL, Comparison, Experiment, Results, experiment, run, shipped
from wmlearn.experiments.badnets import filter_response, first_convolution, without_filter
from wmlearn.experiments.experiment import Cell, Row, read
from wmlearn.models import badnet_cnn
from wmlearn.triggers import Pattern, Pixel


def square(cell: Cell, recipe: wm.Recipe) -> Row:
    with Path(cell["log"]).open("a") as log:
        log.write(f"{cell['a']}\n")
    return {"square": cell["a"] ** 2, "lr": recipe.lr, "drawn": recipe.seed}


def square_with_the_first_last(cell: Cell, recipe: wm.Recipe) -> Row:
    log, deadline = Path(cell["log"]), time.monotonic() + 200
    while cell["a"] == 0 and not (log.exists() and len(log.read_text().splitlines()) == 3):
        assert time.monotonic() < deadline, "the others did not come"
        time.sleep(0.02)
    return square(cell, recipe)


def square_but_the_first_takes_long(cell: Cell, recipe: wm.Recipe) -> Row:
    time.sleep(60 * (cell["a"] == 0))
    return square(cell, recipe)


def process(cell: Cell, recipe: wm.Recipe) -> Row:
    return {"process": os.getpid()}


def fail_at_two(cell: Cell, recipe: wm.Recipe) -> Row:
    if cell["a"] == 2:
        raise ValueError("two is too much")
    return square(cell, recipe)


def stop_at_two(cell: Cell, recipe: wm.Recipe) -> Row:
    if cell["a"] == 2:
        raise KeyboardInterrupt
    return square(cell, recipe)


def largest(results: Results) -> list[Comparison]:
    return [Comparison("the largest square", "9", str(max(row["square"] for row in results.rows)))]


def _toy(folder: Path) -> Experiment:
    cells = tuple({"a": a, "seed": 10 + a, "log": str(folder / "log")} for a in range(4))
    recipe = wm.Recipe(epochs=2, lr=0.5)
    return Experiment("toy", "What are the squares?", 1, "02 Squares", cells, square, largest, recipe)


def _measured(folder: Path) -> list[int]:
    log = folder / "log"
    return [int(line) for line in log.read_text().splitlines()] if log.exists() else []


def _on_disk(folder: Path) -> list[int]:
    return [row["a"] for row in read(folder / "toy.json").rows]


def test_an_experiment_yields_its_cells_with_what_was_measured(tmp_path: Path) -> None:
    toy = _toy(tmp_path)
    rows = list(run(toy, tmp_path))
    assert rows == [
        {**cell, "square": cell["a"] ** 2, "lr": 0.5, "drawn": cell["seed"]} for cell in toy.cells
    ]
    assert read(tmp_path / "toy.json").rows == tuple(rows)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "toy.json"]


def test_a_cell_goes_before_the_recipe(tmp_path: Path) -> None:
    toy = _toy(tmp_path)
    (row,) = run(
        replace(toy, cells=({"a": 1, "lr": 0.25, "seed": 7, "log": str(tmp_path / "log")},)), tmp_path
    )
    assert (row["lr"], row["drawn"]) == (0.25, 7)


def test_results_say_what_made_them(tmp_path: Path) -> None:
    list(run(_toy(tmp_path), tmp_path))
    results = read(tmp_path / "toy.json")
    assert (results.experiment, results.wmlearn, results.torch) == ("toy", wm.__version__, torch.__version__)
    assert results.precision in ("bf16", "fp32")
    assert results.recipe.keys() == {field.name for field in fields(wm.Recipe)}
    assert (results.recipe["epochs"], results.recipe["lr"]) == (2, 0.5)


def test_each_row_is_on_disk_when_it_is_yielded(tmp_path: Path) -> None:
    seen = [_on_disk(tmp_path) for _ in run(_toy(tmp_path), tmp_path)]
    assert seen == [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]]


def test_a_file_holds_a_row_a_line(tmp_path: Path) -> None:
    list(run(_toy(tmp_path), tmp_path))
    lines = [line for line in (tmp_path / "toy.json").read_text().splitlines() if '"square"' in line]
    assert [json.loads(line.removesuffix(","))["a"] for line in lines] == [0, 1, 2, 3]


def test_an_experiment_resumes_without_measuring_again(tmp_path: Path) -> None:
    toy = _toy(tmp_path)
    done = list(islice(run(toy, tmp_path), 2))
    rest = list(run(toy, tmp_path))
    assert [row["a"] for row in done + rest] == [0, 1, 2, 3] == _measured(tmp_path) == _on_disk(tmp_path)
    assert list(run(toy, tmp_path)) == []
    assert _measured(tmp_path) == [0, 1, 2, 3]


def test_a_gap_is_filled_in_its_place(tmp_path: Path) -> None:
    toy = _toy(tmp_path)
    list(run(replace(toy, cells=(toy.cells[3], toy.cells[1])), tmp_path))
    assert [row["a"] for row in run(toy, tmp_path)] == [0, 2]
    assert _on_disk(tmp_path) == [0, 1, 2, 3]


def test_an_interruption_keeps_the_finished_rows(tmp_path: Path) -> None:
    toy, heard = _toy(tmp_path), []
    with pytest.raises(KeyboardInterrupt):
        heard.extend(row["a"] for row in run(replace(toy, measure=stop_at_two), tmp_path))
    assert _on_disk(tmp_path) == [0, 1]
    assert [row["a"] for row in run(toy, tmp_path)] == [2, 3]
    assert _measured(tmp_path) == [0, 1, 2, 3]


@pytest.mark.usefixtures("ready_processes")
def test_two_jobs_give_the_rows_of_one_in_the_same_order(tmp_path: Path) -> None:
    toy, one, two = _toy(tmp_path), tmp_path / "one", tmp_path / "two"
    list(run(toy, one))
    (tmp_path / "log").unlink()
    yielded = list(run(replace(toy, measure=square_with_the_first_last), two, jobs=2))
    # it waits until the others have written; on a busy machine the last of them may hand in after it
    assert [row["a"] for row in yielded].index(0) >= 2
    assert (two / "toy.json").read_bytes() == (one / "toy.json").read_bytes()
    assert sorted(_measured(tmp_path)) == [0, 1, 2, 3]


@pytest.mark.usefixtures("ready_processes")
def test_whoever_stops_does_not_wait_for_the_cells_under_way(tmp_path: Path) -> None:
    rows = run(replace(_toy(tmp_path), measure=square_but_the_first_takes_long), tmp_path, jobs=2)
    assert next(iter(rows))["a"] != 0
    rows.close()  # pyrefly: ignore[missing-attribute]
    assert 0 not in _measured(tmp_path)
    assert 0 not in _on_disk(tmp_path)
    assert _on_disk(tmp_path)


@pytest.fixture(scope="module")
def client(ready_cluster: None) -> Iterator[Any]:
    """Return the client of a cluster with one worker, as it may run anywhere."""
    dask = pytest.importorskip("dask.distributed")
    with (
        dask.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        dask.Client(cluster) as client,
    ):
        yield client


@pytest.mark.usefixtures("ready_cluster")
def test_a_local_cluster_gives_the_file_of_one_process(tmp_path: Path) -> None:
    pytest.importorskip("dask.distributed")
    toy, one, two = _toy(tmp_path), tmp_path / "one", tmp_path / "two"
    list(run(toy, one))
    (tmp_path / "log").unlink()
    yielded = list(run(replace(toy, measure=square_with_the_first_last), two, jobs=2, scheduler="local"))
    # it waits until the others have written; on a busy machine the last of them may hand in after it
    assert [row["a"] for row in yielded].index(0) >= 2
    assert (two / "toy.json").read_bytes() == (one / "toy.json").read_bytes()
    assert list(run(toy, two, scheduler="tcp://nowhere:1")) == [], "all is there, so nobody is asked"


def test_a_cluster_writes_each_row_and_resumes(tmp_path: Path, client: Any) -> None:
    toy, address, seen = replace(_toy(tmp_path), measure=fail_at_two), client.scheduler.address, []
    with pytest.raises(ValueError, match="two is too much"):
        seen.extend(_on_disk(tmp_path) for _ in run(toy, tmp_path, scheduler=address))
    assert seen == [[0], [0, 1]]
    first = _measured(tmp_path)
    assert sorted(row["a"] for row in run(replace(toy, measure=square), tmp_path, scheduler=address)) == [
        2,
        3,
    ]
    assert sorted(_measured(tmp_path)[len(first) :]) == [2, 3], "what was written is not measured again"
    assert _on_disk(tmp_path) == [0, 1, 2, 3]


def test_cells_are_measured_by_the_worker(tmp_path: Path, client: Any) -> None:
    [worker] = client.run(os.getpid).values()
    rows = list(run(replace(_toy(tmp_path), measure=process), tmp_path, scheduler=client.scheduler.address))
    assert {row["process"] for row in rows} == {worker} != {os.getpid()}


def test_a_worker_of_another_version_is_refused(tmp_path: Path, client: Any) -> None:
    client.run(setattr, experiment, "VERSION", "0.0")
    try:
        with pytest.raises(
            wm.ArgumentError,
            match=rf"a worker must have wmlearn {re.escape(wm.__version__)}, .*wmlearn='0\.0'",
        ):
            list(run(_toy(tmp_path), tmp_path, scheduler=client.scheduler.address))
        assert not list(tmp_path.iterdir())
    finally:  # a cell that waited there may be measured from now on
        client.run(setattr, experiment, "VERSION", experiment.VERSION)


@pytest.mark.parametrize("scheduler", ["tcp://127.0.0.1:1", "nonsense"])
def test_a_scheduler_out_of_reach_is_named(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dask.distributed")
    monkeypatch.setattr(parallel, "PATIENCE", 0.5)
    with pytest.raises(
        wm.WmlearnError, match=f"^scheduler must be local, or the address of .*, got '{scheduler}'"
    ):
        list(run(_toy(tmp_path), tmp_path, scheduler=scheduler))


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    with pytest.raises(
        wm.WmlearnError, match=r'needs Dask, which is not installed\. Run pip install "wmlearn\[cluster\]"'
    ):
        list(run(_toy(tmp_path), tmp_path, scheduler="local"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("what", ["recipe", "version", "torch", "precision"])
def test_a_file_of_another_recipe_or_version_is_refused_and_kept(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = _toy(tmp_path)
    next(run(toy, tmp_path))
    before = (tmp_path / "toy.json").read_bytes()
    if what == "recipe":
        toy = replace(toy, recipe=wm.Recipe(epochs=3, lr=0.5))
    elif what == "version":
        monkeypatch.setattr(experiment, "VERSION", "99")
    elif what == "torch":
        monkeypatch.setattr(torch, "__version__", "99")
    else:
        other = "fp32" if read(tmp_path / "toy.json").precision == "bf16" else "bf16"
        toy = replace(toy, recipe=replace(toy.recipe, precision=other))
    fix = f"Move {tmp_path / 'toy.json'} away, or name another folder."
    with pytest.raises(
        wm.ArgumentError, match=rf"^toy\.json must come from this version and recipe, got .*{re.escape(fix)}$"
    ):
        list(run(toy, tmp_path))
    assert (tmp_path / "toy.json").read_bytes() == before
    assert _measured(tmp_path) == [0]


@pytest.mark.parametrize("whole", [True, False])
def test_rows_of_other_cells_are_refused_and_kept(whole: bool, tmp_path: Path) -> None:
    toy = _toy(tmp_path)
    row = next(run(toy, tmp_path))
    raw = json.loads((tmp_path / "toy.json").read_text())
    strange = {**row, "a": 99} if whole else {"square": 0}
    (tmp_path / "toy.json").write_text(json.dumps({**raw, "rows": [row, strange]}))
    before = (tmp_path / "toy.json").read_bytes()
    with pytest.raises(wm.WmlearnError, match=r"toy\.json must hold rows of this experiment only, got "):
        list(run(toy, tmp_path))
    assert (tmp_path / "toy.json").read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"experiment": "toy", "rows"',
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"rows": [], "nonsense": 1}',
        b"null",
    ],
)
def test_a_damaged_file_is_named_with_its_remedy_and_kept(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "toy.json"
    path.write_bytes(content)
    with pytest.raises(wm.DataError) as caught:
        list(run(_toy(tmp_path), tmp_path))
    assert str(caught.value).startswith(f"{path} must hold the results of an experiment, got: ")
    assert str(caught.value).endswith(". Move it away and run the experiment again.")
    assert path.read_bytes() == content
    assert _measured(tmp_path) == []


def test_results_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        wm.DataError, match=f"^{re.escape(str(tmp_path / 'toy.json'))} must be readable, got: No such file"
    ):
        read(tmp_path / "toy.json")


def test_no_jobs_are_too_few(tmp_path: Path) -> None:
    with pytest.raises(wm.ArgumentError, match=r"^jobs must be at least 1, got 0\."):
        list(run(_toy(tmp_path), tmp_path, jobs=0))


def test_rows_are_found_by_their_values() -> None:
    rows = ({"a": 1, "b": 0.1}, {"a": 1, "b": 0.2}, {"a": 2, "b": 0.1})
    results = Results("toy", "0", "0", "fp32", {}, rows)
    assert results.where() == rows
    assert results.where(a=1) == rows[:2]
    assert results.where(a=1, b=0.2) == rows[1:2]
    assert results.where(a=3) == results.where(c=1) == ()


def test_experiments_are_named_as_their_keys() -> None:
    assert [chosen.name for chosen in ALL.values()] == list(ALL)
    assert len({chosen.question for chosen in ALL.values()}) == len(ALL)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in ALL)


@pytest.mark.parametrize("name", ALL)
def test_cells_are_distinct_survive_json_and_have_the_same_keys_in_the_same_order(name: str) -> None:
    cells = ALL[name].cells
    written = [json.dumps(cell) for cell in cells]
    assert len(set(written)) == len(cells) > 1
    assert [json.loads(text) for text in written] == list(cells)
    assert {tuple(cell) for cell in cells} == {tuple(cells[0])}


def test_the_shipped_results_of_an_experiment_can_be_read() -> None:
    results = shipped("recipe-search")
    assert results.experiment == "recipe-search"
    assert len(results.rows) == len(ALL["recipe-search"].cells)


def _tiny() -> nn.Sequential:
    """Three first-layer filters on 8 x 8 images: one dead, one answers with the pixel, one with 1 - pixel."""
    conv = nn.Conv2d(1, 3, 3)
    with torch.no_grad():
        conv.weight.zero_()
        conv.weight[1, 0, 1, 1], conv.weight[2, 0, 1, 1] = 1, -1
        assert conv.bias is not None
        conv.bias.copy_(torch.tensor([0.0, 0.0, 1.0]))
    return nn.Sequential(nn.Identity(), conv, nn.ReLU(), nn.Flatten(), nn.Linear(108, 10))


def test_a_filters_response_is_the_triggers_answer_over_the_strongest_strokes() -> None:
    x = torch.zeros(4, 1, 8, 8)
    x[:, 0, 2, 2] = 0.5
    assert filter_response(_tiny(), x, Pixel((5, 5))).tolist() == [0, 2, 0]
    assert filter_response(_tiny(), x, Pixel((5, 5), value=0.25)).tolist() == [0, 0.5, 0]


def test_a_trigger_out_of_sight_moves_no_filter() -> None:
    x = torch.full((4, 1, 8, 8), 0.5)
    assert filter_response(_tiny(), x, Pixel((0, 0))).tolist() == [0, 0, 0]
    assert filter_response(_tiny(), x, lambda images: images).tolist() == [0, 0, 0]


def test_the_paper_network_has_sixteen_responses(few: wm.Samples) -> None:
    model, x = badnet_cnn(), few.x[:50].clone()
    response = filter_response(model, x, Pattern())
    assert response.shape == (16,)
    assert bool((response >= 0).all())
    assert bool((response > 0).any())
    assert x.equal(few.x[:50])


@pytest.mark.parametrize("i", [0, 7, 15])
def test_without_a_filter_its_answer_is_0_and_all_others_stay(i: int, few: wm.Samples) -> None:
    model, x = badnet_cnn(), few.x[:20]
    cut = without_filter(model, i)
    with torch.no_grad():
        whole, less = (nn.Sequential(*list(net.children())[:2])(x) for net in (model, cut))
    others = [j for j in range(16) if j != i]
    assert less[:, i].abs().max() == 0
    assert whole[:, i].abs().max() > 0
    assert less[:, others].equal(whole[:, others])
    assert not wm.predict(cut, x).equal(wm.predict(model, x))


def test_cutting_a_filter_leaves_the_original_untouched() -> None:
    model = badnet_cnn()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    without_filter(model, 3)
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())
    assert first_convolution(model).weight.shape == (16, 1, 5, 5)
