"""The matrix of marks and removals: every cell has its control, resumes from disk, and says when it doesn't
count.
"""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import wmlearn as wm
from wmlearn import scorecard
from wmlearn.data import files
from wmlearn.errors import SetAsideWarning
from wmlearn.evidence import bystanders


def tuned(model: nn.Module, samples: wm.Samples) -> nn.Module:
    return wm.trained(model, samples, wm.Recipe(epochs=1, lr=1e-4))[0]


def wrecked(model: nn.Module, samples: wm.Samples) -> nn.Module:
    new = copy.deepcopy(model)
    with torch.no_grad():
        new[-1].weight.zero_()  # pyrefly: ignore[bad-index]
    return new


CALLS: list[int] = []


def counted(model: nn.Module, samples: wm.Samples) -> nn.Module:
    CALLS.append(len(samples))
    return model


def replaced(model: nn.Module, samples: wm.Samples) -> nn.Module:
    return copy.deepcopy(bystanders.shipped("mnist", 9, 10)[0])


@pytest.fixture(scope="module")
def clean() -> nn.Module:
    return copy.deepcopy(bystanders.shipped("mnist", 8, 9)[0])


@pytest.fixture(scope="module")
def marks(clean: nn.Module, few: wm.Samples) -> dict[str, wm.Marked[Any]]:
    adi = wm.watermarks.Adi2018(n=30, share=0.2, recipe=wm.Recipe(epochs=6))
    never = replace(adi, recipe=wm.Recipe(epochs=1, lr=1e-6))
    made = {"adi": adi.embed(clean, few, adi.keygen(clean, few, seed=1))}
    with pytest.warns(wm.NotEmbeddedWarning):
        made["never"] = never.embed(clean, few, never.keygen(clean, few, seed=2))
    return made


REMOVALS = {"tuned": tuned, "wrecked": wrecked, "replaced": replaced}


@pytest.fixture(scope="module")
def card(marks: dict[str, wm.Marked[Any]], mnist: wm.Splits, clean: nn.Module) -> scorecard.Scorecard:
    return scorecard.run(
        marks, REMOVALS, attacker=mnist.train[2000:2500], test=mnist.test[:1000], unmarked=clean
    )


def _row(card: scorecard.Scorecard, mark: str, removal: str) -> scorecard.Row:
    return next(row for row in card.rows if (row.mark, row.removal) == (mark, removal))


def test_every_mark_meets_every_removal_and_none(card: scorecard.Scorecard) -> None:
    names = [(row.mark, row.removal) for row in card.rows]
    assert names == [(mark, removal) for mark in ("adi", "never") for removal in ("none", *REMOVALS)]


def test_a_mark_survives_what_leaves_it_and_not_what_replaces_the_model(card: scorecard.Scorecard) -> None:
    assert card.survives(_row(card, "adi", "none"))
    assert card.survives(_row(card, "adi", "tuned"))
    assert not card.survives(_row(card, "adi", "replaced"))
    assert card.state(_row(card, "adi", "tuned")) == ""
    assert abs(_row(card, "adi", "tuned").lost) < 0.02


def test_a_destroyed_model_and_a_mark_that_never_was_do_not_count(card: scorecard.Scorecard) -> None:
    assert card.state(_row(card, "adi", "wrecked")) == "destroyed"
    assert card.state(_row(card, "never", "tuned")) == "void"
    assert "(model destroyed)" in card._repr_markdown_()
    assert "void: never embedded" in card._repr_markdown_()


def test_the_control_is_the_same_attack_on_an_unmarked_model(card: scorecard.Scorecard) -> None:
    controls = [row.control for row in card.rows]
    assert all(control is not None and control.p_value > 1e-3 for control in controls)
    assert json.loads(json.dumps(card.dicts()))[0]["state"] == ""


def test_a_printed_card_is_a_table_and_says_where_there_is_no_control(card: scorecard.Scorecard) -> None:
    head, *lines = str(card).splitlines()
    assert head.split() == [
        "mark",
        "removal",
        "accuracy",
        "hits",
        "p",
        "unmarked:",
        "p",
        "the",
        "owner",
        "is",
    ]
    assert len(lines) == len(card.rows)
    bare = replace(card, rows=tuple(replace(row, control=None) for row in card.rows))
    for text in (str(bare), bare._repr_markdown_()):
        assert "No control: nobody knows what these keys find in an unmarked network" in text
    assert "No control" not in card._repr_markdown_()


def _refuses(model: nn.Module, samples: wm.Samples) -> nn.Module:
    raise wm.ArgumentError("no such layer")


def test_an_attack_that_refuses_is_named(marks: dict[str, wm.Marked[Any]], mnist: wm.Splits) -> None:
    attacker, test = mnist.train[2000:2050], mnist.test[:50]
    with pytest.raises(wm.ArgumentError, match=r"^odd: no such layer$"):
        scorecard.run(marks, {"odd": _refuses}, attacker=attacker, test=test)


def test_cells_are_written_and_not_run_again(
    marks: dict[str, wm.Marked[Any]], mnist: wm.Splits, tmp_path: Path
) -> None:
    CALLS.clear()

    def again(folder: Path, test: wm.Samples) -> scorecard.Scorecard:
        return scorecard.run(
            marks, {"counted": counted}, attacker=mnist.train[2000:2100], test=test, folder=folder
        )

    first = again(tmp_path, mnist.test[:300])
    assert len(CALLS) == 2
    [cell] = tmp_path.glob("never--counted-*.json")
    cell.unlink()  # as after an interruption
    assert [row.evidence for row in again(tmp_path, mnist.test[:300]).rows] == [
        row.evidence for row in first.rows
    ]
    assert len(CALLS) == 3
    again(tmp_path, mnist.test[:200])
    assert len(CALLS) == 5, "on other test samples nothing was measured yet"


@pytest.mark.usefixtures("ready_processes")
@pytest.mark.parametrize("scheduler", [None, "local"])
def test_processes_and_a_cluster_measure_what_one_process_does(
    scheduler: str | None,
    marks: dict[str, wm.Marked[Any]],
    mnist: wm.Splits,
    card: scorecard.Scorecard,
    request: pytest.FixtureRequest,
) -> None:
    if scheduler:
        request.getfixturevalue("ready_cluster")
    attacker, test = mnist.train[2000:2500], mnist.test[:1000]
    one = {"adi": marks["adi"]}
    other = scorecard.run(
        one, {"replaced": replaced}, attacker=attacker, test=test, jobs=2, scheduler=scheduler
    )
    assert [row.evidence for row in other.rows] == [
        _row(card, "adi", name).evidence for name in ("none", "replaced")
    ]
    assert [row.after for row in other.rows] == [
        _row(card, "adi", name).after for name in ("none", "replaced")
    ]


def test_bad_input_is_refused_and_overlap_is_said(marks: dict[str, wm.Marked[Any]], mnist: wm.Splits) -> None:
    with pytest.warns(wm.OverlapWarning, match="50 of the attacker's images are in the test set"):
        scorecard.run(marks, {}, attacker=mnist.test[:50], test=mnist.test[:100])
    with pytest.raises(wm.ArgumentError, match="marks must not be empty, got 0"):
        scorecard.run({}, {}, attacker=mnist.train[:50], test=mnist.test[:100])
    with pytest.raises(wm.ArgumentError, match="a removal may not be called 'none'"):
        scorecard.run(marks, {"none": tuned}, attacker=mnist.train[:50], test=mnist.test[:100])


def test_a_mark_whose_labels_were_not_random_is_ranked_among_decoys(
    clean: nn.Module, mnist: wm.Splits, few: wm.Samples
) -> None:
    scheme = wm.watermarks.Gu2017(n=20, rate=0.4, recipe=wm.Recipe(epochs=8))
    mark = scheme.embed(clean, few, scheme.keygen(clean, few, seed=1))
    attacker, test = mnist.train[2000:2100], mnist.test[:200]
    with pytest.raises(wm.ArgumentError, match="decoys must hold other keys for 'patch'"):
        scorecard.run({"patch": mark}, {}, attacker=attacker, test=test)
    others = {"patch": list(wm.evidence.decoys(scheme, model=clean, samples=few, n=19))}
    card = scorecard.run({"patch": mark}, {}, attacker=attacker, test=test, unmarked=clean, decoys=others)
    (row,) = card.rows
    assert row.evidence.null == "decoys"
    assert row.evidence.p_value <= 0.1
    assert row.control is not None
    assert row.control.p_value > 0.1


# A folder that resumes


def _kept(model: nn.Module, samples: wm.Samples) -> nn.Module:
    return model


@pytest.fixture(scope="module")
def untaught(clean: nn.Module, few: wm.Samples) -> dict[str, wm.Marked[Any]]:
    """Two keys, on one network that was taught neither: cells that cost nothing."""
    adi = wm.watermarks.Adi2018(n=20)
    keys = {name: adi.keygen(clean, few, seed=seed) for seed, name in enumerate(("one", "two"))}
    return {name: wm.Marked(adi, key, clean, None) for name, key in keys.items()}  # pyrefly: ignore[bad-argument-type]


@pytest.fixture
def again(untaught: dict[str, wm.Marked[Any]], mnist: wm.Splits, tmp_path: Path) -> Any:
    """Return a function that runs one mark against one attack in the folder, but for what is `changed`."""

    def run(**changed: Any) -> scorecard.Scorecard:
        present: dict[str, Any] = {
            "marks": {"mark": untaught["one"]},
            "removals": {"attack": _kept},
            "attacker": mnist.train[2000:2150],
            "test": mnist.test[:150],
            "folder": tmp_path / "cells",
            **changed,
        }
        return scorecard.run(present.pop("marks"), present.pop("removals"), **present)

    return run


def _n_cells(folder: Path) -> int:
    return len(list((folder / "cells").glob("*.json")))


def _cells(card: scorecard.Scorecard) -> list[tuple[Any, ...]]:
    return [(row.mark, row.removal, row.after, row.evidence, row.control) for row in card.rows]


def test_a_cell_is_known_by_what_made_it_and_not_by_its_name(
    again: Any, untaught: dict[str, wm.Marked[Any]], mnist: wm.Splits, clean: nn.Module, tmp_path: Path
) -> None:
    again()
    later = mnist.train[2000:2150]
    late = later.x.clone()
    late[120:] = 0  # images after the hundredth
    changes: list[dict[str, Any]] = [
        {"removals": {"attack": wrecked}},
        {"marks": {"mark": untaught["two"]}},
        {"marks": {"mark": replace(untaught["one"], scheme=wm.watermarks.Adi2018(n=20, share=0.3))}},
        {"attacker": replace(later, x=late)},
        {"test": mnist.test[150:300]},
        {"unmarked": bystanders.shipped("mnist", 9, 10)[0]},
        {"decoys": {"mark": [untaught["two"].key]}},
        {"marks": {"mark": replace(untaught["one"], model=wrecked(clean, later))}},
    ]
    for n, change in enumerate(changes, 1):
        stored = again(**change)
        assert _cells(stored) == _cells(again(**change, folder=None)), change
        assert _n_cells(tmp_path) in (2 * n + 1, 2 * n + 2), change
    there = _n_cells(tmp_path)
    for change in ({}, *changes):
        again(**change)
    assert _n_cells(tmp_path) == there, "nothing was measured twice"


def test_a_control_that_is_asked_for_later_is_measured(again: Any, clean: nn.Module) -> None:
    assert all(row.control is None for row in again().rows)
    assert all(row.control is not None for row in again(unmarked=clean).rows)
    assert all(row.control is None for row in again().rows)


def test_names_neither_collide_nor_lead_out_of_the_folder(
    again: Any, untaught: dict[str, wm.Marked[Any]], tmp_path: Path
) -> None:
    marks = {
        "a": untaught["one"],
        "a--b": untaught["two"],
        "../../escaped": untaught["one"],
        "/": untaught["two"],
    }
    names = {"b--c": _kept, "c": wrecked, "x" * 300: _kept, "nul\0": _kept}
    first = again(marks=marks, removals=names)
    assert _cells(again(marks=marks, removals=names)) == _cells(first)
    assert _cells(first) == _cells(again(marks=marks, removals=names, folder=None))
    assert _n_cells(tmp_path) == 4 * 5
    assert [path.name for path in tmp_path.iterdir()] == ["cells"]
    assert all(path.is_file() for path in (tmp_path / "cells").iterdir())


DAMAGE = {
    "cut": lambda good: good[:50],
    "empty": lambda good: "",
    "a list": lambda good: "[]",
    "an empty object": lambda good: "{}",
    "a field too many": lambda good: good.rstrip()[:-1] + ',"z":1}',
    "other hits": lambda good: good.replace('"hits": ', '"hits": 1'),
    "other samples": lambda good: good.replace('"samples": 150', '"samples": 151'),
    "null": lambda good: "null",
    "deep": lambda good: "[" * 100_000,
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_cell_is_set_aside_named_and_measured_again(case: str, again: Any, tmp_path: Path) -> None:
    first = again()
    [cell] = (tmp_path / "cells").glob("mark--attack-*.json")
    damaged = DAMAGE[case](cell.read_text())
    cell.write_text(damaged)
    with pytest.warns(SetAsideWarning, match=rf"{cell.name} was damaged: .* and is measured again"):
        assert _cells(again()) == _cells(first)
    assert cell.with_name(f"{cell.name}.damaged").read_text() == damaged
    assert _cells(again()) == _cells(first)


def test_a_second_run_in_one_folder_is_told(
    again: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PATIENCE", 0.05)
    with (
        files.alone(tmp_path / "cells" / "cells"),
        pytest.raises(wm.DataError, match="must be written by one run at a time"),
    ):
        again()
