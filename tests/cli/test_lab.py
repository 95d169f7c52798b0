"""Working copies: without outputs, never overwritten, whatever goes wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from wmlearn.cli import app as cli
from wmlearn.cli import lab
from wmlearn.course import record
from wmlearn.data import files
from wmlearn.errors import ArgumentError, DataError


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("WMLEARN_HOME", str(tmp_path / "course"))
    return tmp_path / "course"


def test_a_copy_holds_every_cell_and_no_output(home: Path) -> None:
    original = lab.chosen("2")
    copy = lab.working_copy(original)
    assert copy == home / original.name
    before, after = nbformat.read(original, 4), nbformat.read(copy, 4)
    assert [cell.id for cell in before.cells] == [cell.id for cell in after.cells]
    code = [cell for cell in after.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert "../README.md" not in copy.read_text()


def test_a_copy_that_somebody_changed_is_never_overwritten() -> None:
    copy = lab.working_copy(lab.chosen("02"))
    copy.write_text("my work")
    assert lab.working_copy(lab.chosen("02")) == copy
    assert copy.read_text() == "my work"


def test_fresh_copies_lie_beside_the_old_ones(home: Path) -> None:
    original = lab.chosen("02")
    lab.working_copy(original).write_text("my work")
    names = [lab.working_copy(original, fresh=True).name for _ in range(2)]
    assert names == [f"{original.stem}-2.ipynb", f"{original.stem}-3.ipynb"]
    assert (home / original.name).read_text() == "my work"


def test_a_number_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(ArgumentError, match=r"the notebook must be one of 01, 02, .*10.*, got '77'"):
        lab.chosen("77")


def test_a_folder_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WMLEARN_HOME", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"must be writable.*WMLEARN_HOME"):
        lab.working_copy(lab.chosen("01"))


def test_a_full_disk_leaves_nothing_half_written(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    def full(self: Path, content: bytes) -> int:
        with open(self, "wb") as file:
            file.write(content[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DataError, match="No space left on device"):
        lab.working_copy(lab.chosen("01"))
    assert not [path for path in home.iterdir() if path.suffix != ".lock"]


def test_labs_that_start_at_once_make_one_copy(at_once: Callable[..., list[str]]) -> None:
    code = "from wmlearn.cli import lab; print(lab.working_copy(lab.chosen('01'), fresh=True).name)"
    names = sorted(printed.strip() for printed in at_once(code, (), ()))
    assert names == ["01_two_models-2.ipynb", "01_two_models.ipynb"]


def test_an_installed_wheel_has_the_notebooks_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shipped = tmp_path / "wmlearn" / "shipped"
    (shipped / "notebooks").mkdir(parents=True)
    (shipped / "notebooks" / "01_two_models.ipynb").write_text("{}")
    monkeypatch.setattr(files, "ROOT", shipped)
    assert lab.chosen("01") == shipped / "notebooks" / "01_two_models.ipynb"


def test_lab_opens_jupyterlab_on_the_working_copy(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    calls: list[list[str]] = []
    monkeypatch.setattr(cli.subprocess, "call", lambda command: calls.append(command) or 0)
    done = CliRunner().invoke(cli.app, ["lab", "3"])
    assert done.exit_code == 0
    [copy] = home.glob("03_*.ipynb")
    assert calls == [[sys.executable, "-m", "jupyterlab", str(copy), f"--ServerApp.root_dir={home}"]]
    assert len(list(home.glob("*.ipynb"))) == len(lab.notebooks()), "links between them lead somewhere"


def test_progress_says_what_is_solved_and_how_well_guesses_hold() -> None:
    record.update(lambda kept: record.with_solved(kept, "02.1", "2026-11-28"))
    record.update(lambda kept: record.with_challenge(kept, "02", 400))
    for id, result in (("02.p1", 15.0), ("03.p1", 50.0)):
        guess = record.Guess("How many?", 10, 20, result)
        record.update(lambda kept, id=id, guess=guess: record.with_guess(kept, id, guess))
    said = CliRunner().invoke(cli.app, ["progress"]).output
    [line] = [line for line in said.splitlines() if line.startswith("02")]
    assert line.split() == ["02", "1", "of", "4", "–", "400"]
    assert "So far 1 of 2 of your intervals held" in said
    assert str(record.path()) in said


def test_a_certificate_holds_what_is_solved_and_no_more(tmp_path: Path) -> None:
    page = tmp_path / "me.html"
    for id in ("02.1", "08.1", "08.2", "08.3", "08.4"):
        record.update(lambda kept, id=id: record.with_solved(kept, id, f"2026-11-2{id[-1]}"))
    said = CliRunner().invoke(cli.app, ["progress", "--certificate", str(page), "--name", "Zoë <b>"])
    assert said.exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert "the record of Zoë &lt;b&gt;" in text
    assert "02 · BadNets on MNIST" in text
    assert "1 of 4" in text
    assert "2026-11-24" in text
    assert "You can find a place for bits" in text, "lesson 08 is solved whole"
    assert "You can poison a data set" not in text, "lesson 02 is not"
    assert "03 · " not in text
    assert "Nobody has checked it" in text
    assert "http" not in text.replace("http-equiv", ""), "nothing is asked of the web"


def test_a_certificate_is_refused_in_words_and_writes_nothing(tmp_path: Path) -> None:
    page = tmp_path / "me.html"
    done = CliRunner().invoke(cli.app, ["progress", "--certificate", str(page)])
    assert "there must be a solved exercise to certify" in str(done.exception)
    assert not page.exists()
    page.write_text("mine")
    done = CliRunner().invoke(cli.app, ["progress", "--certificate", str(page)])
    assert "the page must be a new file" in str(done.exception)
    assert page.read_text() == "mine"
    record.update(lambda kept: record.with_solved(kept, "02.1", "2026-11-28"))
    long = CliRunner().invoke(cli.app, ["progress", "--certificate", str(page) + "2", "--name", "x" * 101])
    assert "a name must have at most 100 signs" in str(long.exception)


def test_progress_names_a_damaged_record(home: Path) -> None:
    home.mkdir()
    record.path().write_text("{")
    done = CliRunner().invoke(cli.app, ["progress"])
    assert "must be a learner's record" in str(done.exception)
    assert record.path().read_text() == "{", "nothing is lost by looking"
