"""A lesson's prose is mended during term: what was handed in before is graded as if nothing had happened."""

from __future__ import annotations

import csv
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest
import scripted
from scripted import NAME
from typer.testing import CliRunner

from wmlearn.cli.app import app
from wmlearn.course.authoring import assignments
from wmlearn.course.classroom import hand_ins
from wmlearn.course.classroom.with_nbgrader import run_nbgrader

SEED = 8261
POINTS = {"ada": 16, "ben": 6}
"""Of 20, without a network."""
HEADING = "# ## Challenge: fewer\n"


def command(*words: object) -> str:
    """Run `wmlearn classroom …`, and return what it says."""
    result = CliRunner().invoke(app, ["classroom", *map(str, words)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A class with notebook 02, whose two students have handed in."""
    course = tmp_path / "spring"
    command("init", course, "02", "--seed", SEED)
    code = scripted.solutions(course)
    for student, answer in (("ada", scripted.full), ("ben", scripted.half)):
        book = scripted.answered(scripted.release(course), code, answer, student)
        (course / "hand-ins" / student).mkdir(parents=True)
        nbformat.write(book, course / "hand-ins" / student / f"{NAME}.ipynb")
    return course


def _mend(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the masters be others: a sentence changed, a text and a cell of code more, before and after."""
    root = assignments.root()
    (folder / "notebooks" / "source").mkdir(parents=True)
    shutil.copy(root / "notebooks" / f"{NAME}.ipynb", folder / "notebooks")
    text = (root / "notebooks" / "source" / f"{NAME}.py").read_text(encoding="utf-8")
    assert text.count(HEADING) == 1
    more = "# %% [markdown]\n# A text more.\n\n# %%\n1 + 1\n\n"
    text = text.replace(HEADING, "# ## Challenge: far fewer\n").replace("# %%\n", more + "# %%\n", 1) + more
    text = text.replace("Write your name as it stands", "Write your name just as it stands")
    (folder / "notebooks" / "source" / f"{NAME}.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(assignments, "root", lambda: folder)


def test_hand_ins_keep_their_points_when_prose_was_changed_in_between(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = nbformat.read(course / "source" / NAME / f"{NAME}.ipynb", 4)
    _mend(tmp_path / "mended", monkeypatch)
    command("init", course, "02")
    after = nbformat.read(course / "source" / NAME / f"{NAME}.ipynb", 4)
    assert "far fewer" in "".join(cell.source for cell in scripted.release(course).cells)
    assert len(after.cells) == len(before.cells) + 4
    assert hand_ins.graded_ids(after) == hand_ins.graded_ids(before)
    command("grade", course / "hand-ins")
    with (course / "hand-ins-marks" / "marks.csv").open(encoding="utf-8") as file:
        assert {row["student"]: int(row["points"]) for row in csv.DictReader(file)} == POINTS


@pytest.mark.skipif(not find_spec("nbgrader"), reason="nbgrader is not installed (extra teach)")
def test_nbgraders_gradebook_keeps_them_too(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("collect", course / "hand-ins", "--course", course)
    run_nbgrader(course, "autograde", NAME, "--student", "ada")
    _mend(tmp_path / "mended", monkeypatch)
    command("init", course, "02")
    released = (course / "release" / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8")
    assert "far fewer" in released
    run_nbgrader(course, "export", "--to", "between.csv")
    assert _exported(course / "between.csv")["ada"] == POINTS["ada"]
    log = run_nbgrader(course, "autograde", NAME, "--force")
    assert log.returncode == 0, log.stderr
    run_nbgrader(course, "export", "--to", "grades.csv")
    assert _exported(course / "grades.csv") == POINTS


def _exported(path: Path) -> dict[str, float]:
    with path.open(encoding="utf-8") as file:
        return {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}


def test_a_re_sit_has_other_hidden_cases_and_other_networks(tmp_path: Path) -> None:
    codes = []
    for seed in (SEED, 77):
        course = tmp_path / str(seed)
        command("init", course, "02", "--seed", seed)
        text = "\n".join(cell.source for cell in scripted.release(course).cells)
        codes += re.findall(r'variant\("your name", "([0-9a-f]{3})"\)', text)
    assert len(set(codes)) == 2
