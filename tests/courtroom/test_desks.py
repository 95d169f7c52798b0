"""A sitting survives a restart: what was done lies in one file, whole or not at all."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from rights import read_only

import wmlearn as wm
from wmlearn import courtroom
from wmlearn.courtroom import desks, dossiers
from wmlearn.courtroom.sittings import Ruling
from wmlearn.data import files


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "ada"))


def _sat(folder: Path) -> courtroom.Court:
    """Open two things of case 1, ask a service about ten pictures, and rule once."""
    court = dossiers.entered(folder)
    courtroom.papers(court, 1)
    courtroom.accused(court, 4)(courtroom.papers(court, 4).x)
    courtroom.rule(court, 1, stolen=True, why="Zoës Gründe")
    return court


def _asked(court: courtroom.Court, n: int) -> None:
    """Ask the service about `n` pictures, which are always the same."""
    pictures = torch.rand(600, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    courtroom.accused(court, 4)(pictures[:n])


# After a restart


def test_a_restart_keeps_minutes_queries_and_rulings(folder: Path) -> None:
    before = _sat(folder).desk
    court = dossiers.entered(folder)
    assert court.desk == before
    assert (court.desk.minutes, court.desk.queries) == (120 - 30, 600 - 10)
    assert courtroom.judgement(court).rulings == (Ruling(1, True, "Zoës Gründe"),)
    with pytest.raises(wm.ArgumentError, match="case 1 must be ruled on once"):
        courtroom.rule(court, 1, stolen=False)


def test_all_cells_run_again_cost_nothing_more(folder: Path) -> None:
    before = _sat(folder).desk
    written = (folder / "desk.json").stat().st_mtime_ns
    assert _sat(folder).desk == before
    assert (folder / "desk.json").stat().st_mtime_ns == written


def test_a_restart_brings_back_no_minutes_and_no_queries(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(desks.MINUTES, 4, 30)
    _sat(folder)
    court = dossiers.entered(folder)
    with pytest.raises(wm.ArgumentError, match="must fit the minutes that are left, 0"):
        courtroom.papers(court, 2)
    _asked(court, 590)
    with pytest.raises(wm.ArgumentError, match="no more than 0 queries that are left"):
        _asked(dossiers.entered(folder), 591)
    _asked(dossiers.entered(folder), 590)


def test_what_is_damaged_is_not_paid_for(folder: Path) -> None:
    (folder / "case-02" / "papers.json").write_text("{}")
    court = dossiers.entered(folder)
    with pytest.raises(wm.DataError, match=r"papers\.json must hold the papers of a case"):
        courtroom.papers(court, 2)
    assert court.desk.minutes == 120


def test_the_desk_is_a_file_that_people_can_read(folder: Path) -> None:
    _sat(folder)
    content = json.loads((folder / "desk.json").read_text(encoding="utf-8"))
    assert content["open"] == [[1, "papers"], [4, "accused"], [4, "papers"]]
    assert content["rulings"] == [{"number": 1, "stolen": True, "why": "Zoës Gründe"}]
    assert len(content["asked"]) == 10


def test_whoever_only_looks_writes_nothing(folder: Path) -> None:
    court = dossiers.entered(folder)
    assert (court.desk, courtroom.judgement(court).rulings) == (desks.Desk(4), ())
    dossiers.seals(folder)
    assert not (folder / "desk.json").exists()


def test_a_seal_is_read_beside_a_damaged_desk(folder: Path) -> None:
    """The teacher's side never touches a desk."""
    (folder / "desk.json").write_text("{}")
    assert len(dossiers.seals(folder)) == 4
    assert (folder / "desk.json").read_text() == "{}"


# Crashes, and two at once


def test_a_crash_while_writing_leaves_the_old_desk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    court = _sat(folder)
    before = court.desk

    def full(self: Path, content: bytes) -> int:
        with open(self, "wb") as file:
            file.write(content[:5])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    for action in (lambda: courtroom.papers(court, 2), lambda: courtroom.rule(court, 2, stolen=True)):
        with pytest.raises(wm.DataError, match="No space left on device"):
            action()
    monkeypatch.undo()
    assert court.desk == dossiers.entered(folder).desk == before
    assert [path.name for path in folder.glob(".desk*")] == []


KILLED = """
import os, sys
from pathlib import Path
from wmlearn import courtroom
from wmlearn.courtroom import dossiers
court = dossiers.entered(sys.argv[1])
if sys.argv[2] == "writing":
    Path.write_bytes = lambda self, content: os._exit(0)
else:
    os.replace = lambda *paths: os._exit(0)
courtroom.rule(court, 2, stolen=True)
"""


@pytest.mark.parametrize("when", ["writing", "renaming"])
def test_whoever_is_killed_while_writing_finds_the_old_desk(
    when: str, folder: Path, at_once: Callable[..., list[str]]
) -> None:
    before = _sat(folder).desk
    at_once(KILLED, [folder, when])
    court = dossiers.entered(folder)
    assert court.desk == before
    courtroom.rule(court, 2, stolen=False)  # nobody holds the file of the dead
    assert dossiers.entered(folder).desk.rulings[2] == Ruling(2, False)


AT_ONCE = """
import sys
import torch
from wmlearn import courtroom
from wmlearn.courtroom import dossiers
court = dossiers.entered(sys.argv[1])
own = int(sys.argv[2])
courtroom.rule(court, own, stolen=True, why="mine")
service = courtroom.accused(court, 4)
pictures = torch.rand(60, 1, 28, 28, generator=torch.Generator().manual_seed(own))
for i in range(20):
    service(pictures[3 * i : 3 * i + 3])
courtroom.papers(court, 3)
"""


def test_two_notebooks_at_once_share_one_desk(folder: Path, at_once: Callable[..., list[str]]) -> None:
    at_once(AT_ONCE, [folder, 1], [folder, 2])
    desk = dossiers.entered(folder).desk
    assert (desk.minutes, desk.queries) == (120 - 20, 600 - 120)
    assert sorted(desk.rulings) == [1, 2]


def test_of_two_rulings_on_one_case_the_first_stands(folder: Path) -> None:
    one = dossiers.entered(folder)
    other = dossiers.entered(folder)
    courtroom.rule(one, 3, stolen=True)
    with pytest.raises(wm.ArgumentError, match="case 3 must be ruled on once"):
        courtroom.rule(other, 3, stolen=False)
    assert other.desk.rulings[3].stolen


# Damage


WHOLE = {"version": 1, "open": [], "asked": [], "rulings": []}
RULING = {"number": 1, "stolen": True, "why": ""}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 2}, "its version must be 1, got 2"),
        ({"court": "another's"}, "it must lie in the folder where it began"),
        ({"open": [[0, "papers"]]}, r"must be of a case of 1\.\.4"),
        ({"open": [[1, "siblings"]]}, r"must be of a case of 1\.\.4"),
        ({"open": [[True, "papers"]]}, r"must be of a case of 1\.\.4"),
        ({"open": [[1, "truth"]]}, r"must be of a case of 1\.\.4"),
        ({"open": [[1, "papers", 2]]}, ""),
        ({"open": [[n, what] for n in (1, 2, 3, 4) for what in ("papers", "accused")]}, "minutes"),
        ({"asked": [1]}, "queries must be hashes"),
        ({"asked": [f"{i:016x}" for i in range(601)]}, "no more than 600 queries"),
        ({"asked": None}, ""),
        ({"rulings": [{**RULING, "number": 5}]}, "a ruling must be on a case"),
        ({"rulings": [RULING, {**RULING, "stolen": False}]}, "case 1 must be ruled on once"),
        ({"rulings": [{**RULING, "truth": 1}]}, "'truth'"),
    ],
)
def test_a_desk_that_is_none_is_set_aside_and_a_new_one_begun(
    change: dict[str, object], says: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(desks.MINUTES, 4, 70)
    court = _sat(folder)
    path = folder / "desk.json"
    own = json.loads(path.read_text(encoding="utf-8"))["court"]
    text = json.dumps({**WHOLE, "court": own, **change})
    path.write_text(text)
    for look in (lambda: court.desk, lambda: courtroom.rule(court, 2, stolen=True)):
        with pytest.raises(wm.DataError, match=rf"desk\.json must be the desk of this court, got: .*{says}"):
            look()
    assert path.read_text() == text
    with pytest.warns(wm.errors.SetAsideWarning, match=r"lies at .*desk\.json\.damaged now, and a new desk"):
        court = dossiers.entered(folder)
    assert court.desk == desks.Desk(4)
    assert (folder / "desk.json.damaged").read_text() == text
    courtroom.rule(court, 2, stolen=True)
    assert dossiers.entered(folder).desk.rulings == {2: Ruling(2, True)}


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"3", b"\xff\xfe", b"[" * 10_000, b'{"version": NaN}'])
def test_no_damage_stops_a_sitting_or_is_lost(raw: bytes, folder: Path) -> None:
    for name in ("desk.json.damaged", "desk.json.damaged-2"):
        (folder / "desk.json").write_bytes(raw)
        with pytest.warns(wm.errors.SetAsideWarning, match="must be the desk of this court"):
            dossiers.entered(folder)
        assert (folder / name).read_bytes() == raw


def test_a_desk_that_was_deleted_is_a_new_one(folder: Path) -> None:
    _sat(folder)
    (folder / "desk.json").unlink()
    assert dossiers.entered(folder).desk == desks.Desk(4)


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no such right there")
def test_a_folder_that_cannot_be_written_is_named_and_nothing_is_done(written: Path) -> None:
    says = r"desk\.json must be writable, got: Permission denied"
    with tempfile.TemporaryDirectory() as name:  # pytest's own folder is closed to everybody else
        folder = Path(shutil.copytree(written, Path(name) / "ada"))
        before = _sat(folder).desk
        folder.parent.chmod(0o755)  # whoever isn't root must reach it
        with read_only(folder):
            court = dossiers.entered(folder)
            assert court.desk == before
            with pytest.raises(wm.DataError, match=says):
                courtroom.papers(court, 2)
            with pytest.raises(wm.DataError, match=says):
                courtroom.rule(court, 2, stolen=True)
        assert dossiers.entered(folder).desk == before


def test_another_run_that_holds_the_desk_is_waited_for_and_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    court = dossiers.entered(folder)
    monkeypatch.setattr(files, "PATIENCE", 0.1)
    with (
        files.alone(folder / "desk.json"),
        pytest.raises(wm.DataError, match=r"desk\.json must be written by one run at a time"),
    ):
        courtroom.rule(court, 1, stolen=True)
    courtroom.rule(court, 1, stolen=True)
