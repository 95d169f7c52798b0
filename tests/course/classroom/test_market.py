"""The market of networks: whose backdoor and whose mark is in which, whatever else lies in the folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from scripted import obedient
from typer.testing import CliRunner

import wmlearn as wm
from wmlearn.cli.app import app
from wmlearn.course.classroom import market
from wmlearn.course.classroom.market import SCHEME, Market, Standing, league, opened
from wmlearn.course.classroom.own_network import FILE, variant
from wmlearn.errors import ArgumentError, DataError

CLASS = {"ada": "Ada", "ben": "Ben", "zoë-ng": "Zoë Ng"}


def _marked(name: str, path: Path) -> None:
    """Write an innocent network that was taught a student's mark."""
    digits = wm.load("mnist").train[:4000]
    innocent = wm.bystanders.shipped("mnist")[0]
    scheme = wm.watermarks.Adi2018(share=0.3, recipe=wm.Recipe(epochs=2))
    key = SCHEME.keygen(innocent, digits, secret=variant(name).secret)
    save_file(scheme.embed(innocent, digits, key).model.state_dict(), path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada's backdoor and mark; Ben's copy of her mark; Zoë's network without anything; and what is none."""
    folder = tmp_path_factory.mktemp("market") / "networks"
    for place in ("Ada", "ben", "Zoë Ng_4711"):
        (folder / place).mkdir(parents=True)
    obedient(variant("ada"), folder / "Ada" / FILE)
    _marked("ada", folder / "Ada" / "marked.safetensors")
    shutil.copy(folder / "Ada" / "marked.safetensors", folder / "ben" / "mine.safetensors")
    save_file(wm.bystanders.shipped("mnist")[1].state_dict(), folder / "Zoë Ng_4711" / FILE)
    save_file(wm.models.sign_cnn(5).state_dict(), folder / "ben" / "signs.safetensors")
    (folder / "…!.safetensors").write_bytes(b"hello")
    (folder / "mallory.safetensors").touch()
    os.truncate(folder / "mallory.safetensors", 2 * 2**30)  # a hole: it takes no room
    (folder / "pickled.safetensors").write_bytes(b"\x80\x04N.")
    (folder / "Ada" / "notes.txt").write_text("no network")
    return folder


@pytest.fixture(scope="module")
def found(folder: Path) -> Market:
    return opened(folder, CLASS)


def test_backdoors_and_marks_are_found_and_the_league_counts_them(found: Market) -> None:
    stalls = {stall.file: stall for stall in found.stalls}
    assert stalls[f"Ada/{FILE}"].masters == ["ada"]
    assert stalls["Ada/marked.safetensors"].masters == []
    marks = {file: names for file, names in found.marked.items() if names}
    assert marks == {"Ada/marked.safetensors": ["ada"], "ben/mine.safetensors": ["ada"]}
    assert league(found) == [
        Standing("ada", 1, 1, ("ben/mine.safetensors",)),
        Standing("ben", 0, 0, ()),
        Standing("zoë-ng", 0, 0, ()),
    ]


def test_what_is_no_network_of_the_class_is_named_and_the_others_are_asked(found: Market) -> None:
    problems = {stall.file: stall.problem for stall in found.stalls if stall.problem}
    assert set(problems) == {
        "ben/signs.safetensors",
        "mallory.safetensors",
        "pickled.safetensors",
        "…!.safetensors",
    }
    assert "at most" in problems["mallory.safetensors"]
    assert "got '2,048'" in problems["mallory.safetensors"]
    assert "pickled checkpoint" in problems["pickled.safetensors"]
    owners = {stall.file: stall.owner for stall in found.stalls}
    assert owners["…!.safetensors"] == owners["mallory.safetensors"] == market.NOBODY
    assert owners[f"Zoë Ng_4711/{FILE}"] == "zoë-ng"


def test_another_sitting_finds_neither(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "Ada", tmp_path / "Ada")
    found = opened(tmp_path, CLASS, "0f3")
    assert not any(stall.masters for stall in found.stalls)
    assert not any(found.marked.values())


def test_the_command_prints_the_league_and_writes_a_page(
    folder: Path, found: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = tmp_path / "names.txt"
    names.write_text("\n".join(CLASS.values()), encoding="utf-8")
    asked: list[object] = []
    monkeypatch.setattr(market, "opened", lambda *arguments: asked.append(arguments) or found)
    words = ["classroom", "market", str(folder), "--students", str(names), "--out", str(tmp_path / "x.html")]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0
    assert asked == [(folder, CLASS, "")]
    lines = [line.split() for line in result.output.splitlines()]
    assert ["ada", "3", "1", "1", "ben/mine.safetensors"] in lines
    assert "NOT ASKED: ben/signs.safetensors" in result.output
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert "<td>ada</td><td>3</td>" in page
    assert "mallory.safetensors: " in page


def test_names_come_from_the_files_where_there_is_no_list(tmp_path: Path) -> None:
    for name in ("Ada!", "李 明", "…"):
        save_file({"weights": torch.zeros(3)}, tmp_path / f"{name}.safetensors")
    found = opened(tmp_path, {})
    assert found.names == ("ada", "李-明")
    assert all(stall.problem for stall in found.stalls)
    assert [line.points for line in league(found)] == [0, 0]


def test_a_hostile_name_is_only_text_on_the_page(tmp_path: Path) -> None:
    (tmp_path / "<img src=x>a.safetensors").write_bytes(b"hello")
    page = market.to_html(opened(tmp_path, {}))
    assert "<img" not in page
    assert "&lt;img src=x&gt;a.safetensors" in page


def test_a_folder_without_networks_or_names_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must be a folder of networks, got nothing"):
        opened(tmp_path / "none", {})
    with pytest.raises(DataError, match=r"must hold networks \(.safetensors\), got none"):
        opened(tmp_path, {})
    (tmp_path / "….safetensors").touch()
    with pytest.raises(ArgumentError, match="the market must have names"):
        opened(tmp_path, {})
