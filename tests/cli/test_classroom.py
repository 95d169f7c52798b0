"""A class of six, from the assignment to the marks: without nbgrader and with it, the same points."""

from __future__ import annotations

import csv
import os
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import jupytext
import nbformat
import pytest
import scripted
from catalogue import EXERCISES
from nbformat import NotebookNode
from scripted import DUE, NAME
from typer.testing import CliRunner

from wmlearn.cli.app import app
from wmlearn.course.classroom import points as points_of
from wmlearn.course.classroom import running
from wmlearn.course.classroom.hand_ins import exercise_of
from wmlearn.course.classroom.running import Outcome
from wmlearn.course.classroom.with_nbgrader import run_nbgrader
from wmlearn.errors import ArgumentError, DataError

ROOT = Path(__file__).resolve().parents[2]
SEED = 8261


def command(*words: object) -> str:
    """Run `wmlearn classroom …`, and return what it says."""
    result = CliRunner().invoke(app, ["classroom", *map(str, words)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class with notebook 02, and what its six students hand in."""
    course = tmp_path_factory.mktemp("class") / "spring"
    names = course.with_name("names.txt")
    names.write_text("\n".join([*scripted.ANSWERS, "Zoë Müller/Ng"]), encoding="utf-8")
    command("init", course, "02", "--students", names, "--seed", SEED)
    scripted.hand_in(course, course / "hand-ins")
    return course


def marks_of(text: str) -> dict[str, dict[str, str]]:
    """Read marks.csv: student -> row."""
    return {row["student"]: row for row in csv.DictReader(text.splitlines())}


def points(rows: dict[str, dict[str, str]]) -> dict[str, int]:
    """Return the points of those who are graded."""
    return {student: int(row["points"]) for student, row in rows.items() if row["points"]}


@pytest.fixture(scope="module")
def graded(course: Path) -> Path:
    """The marks of the class, without nbgrader, and what the command said."""
    said = command("grade", course / "hand-ins")
    folder = course / "hand-ins-marks"
    (folder / "said.txt").write_text(said, encoding="utf-8")
    return folder


def test_each_student_gets_what_is_due_and_nobody_a_silent_zero(graded: Path) -> None:
    rows = marks_of((graded / "marks.csv").read_text(encoding="utf-8"))
    assert points(rows) == DUE
    assert "its process ended at 02.3" in rows["ivy"]["not graded"]
    assert rows["zoë-müller-ng"]["not graded"] == "nothing handed in"
    said = (graded / "said.txt").read_text(encoding="utf-8")
    assert "NOT GRADED: ivy" in said
    assert "02.3  1 of 5  counts-the-target-class" in said
    assert "one network, handed in by ada, gus" in said


def test_each_student_has_a_page_and_the_report_reads_the_marks_again(graded: Path) -> None:
    page = (graded / "ben.html").read_text(encoding="utf-8")
    assert "6 of 20 points" in page
    assert "You count images of the target class" in page
    assert "Not graded yet" in (graded / "ivy.html").read_text(encoding="utf-8")
    assert command("report", graded).splitlines()[0] in (graded / "said.txt").read_text(encoding="utf-8")


def private(course: Path) -> list[str]:
    """Return what no student may see: lines of solutions, the teacher's text, the seed."""
    master = jupytext.read(ROOT / "notebooks" / "source" / f"{NAME}.py")
    solutions = [cell.source for cell in master.cells if exercise_of(cell)]
    bodies = [re.search(r"BEGIN SOLUTION\n(.*?)### END", text, re.DOTALL) for text in solutions]
    lines = [line.strip() for body in bodies if body for line in body[1].splitlines()]
    taught = [cell.source for cell in master.cells if "instructor" in cell.metadata.get("tags", [])]
    lines += [line.strip() for text in taught for line in text.splitlines()]
    assert len(lines) > 20
    hints = " ".join(hint for exercise in EXERCISES.values() for hint in exercise.hints)  # may show a step
    return [line for line in lines if len(line) > 25 and line not in hints] + [str(SEED), "### BEGIN"]


def test_what_is_handed_out_holds_no_solution_no_seed_and_no_text_of_the_teachers(course: Path) -> None:
    released = (course / "release" / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8")
    text = "\n".join(cell.source for cell in scripted.release(course).cells)
    for line in private(course):
        assert line not in text
    assert str(SEED) not in released
    assert text.count(scripted.STUB) >= 4


def test_a_class_keeps_its_seed_and_its_hand_ins_when_a_notebook_is_handed_out_again(course: Path) -> None:
    before = (course / "source" / NAME / f"{NAME}.ipynb").read_bytes()
    command("init", course, "02")
    assert (course / "source" / NAME / f"{NAME}.ipynb").read_bytes() == before
    assert (course / "seed.txt").read_text() == f"{SEED}\n"
    with pytest.raises(ArgumentError, match="the seed of a class must stay the same, 8261"):
        command("init", course, "02", "--seed", 5)


def test_other_graded_cells_are_refused_before_anything_is_written(course: Path) -> None:
    path = course / "source" / NAME / f"{NAME}.ipynb"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"points": 6', '"points": 8'), encoding="utf-8")
    released = (course / "release" / NAME / f"{NAME}.ipynb").read_bytes()
    try:
        with pytest.raises(ArgumentError, match=r"graded cells of 02_badnets_on_mnist must stay .* p02-4"):
            command("init", course, "02")
    finally:
        path.write_text(text, encoding="utf-8")
    assert (course / "release" / NAME / f"{NAME}.ipynb").read_bytes() == released


def test_bad_hand_ins_are_named_and_the_rest_of_the_class_is_graded(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mixed"
    for student in ("dora", "Zoë Müller_Ng"):
        (folder / student).mkdir(parents=True)
    right = scripted.answered(scripted.release(course), scripted.solutions(course), scripted.full, "ada")
    nbformat.write(right, folder / "Ada_4711_file.ipynb")
    (folder / "ben.ipynb").write_text("hello")
    shutil.copy(ROOT / "notebooks" / "07_from_backdoor_to_watermark.ipynb", folder / "cas.ipynb")
    for name in ("a.ipynb", "b.ipynb"):
        nbformat.write(right, folder / "dora" / name)
    (folder / "gus.ipynb").touch()
    os.truncate(folder / "gus.ipynb", 2 * 2**30)
    nbformat.write(right, folder / "mallory.ipynb")
    right.cells = right.cells[:20]
    nbformat.write(right, folder / "Zoë Müller_Ng" / "x.ipynb")
    seen: list[str] = []

    def graded(book: NotebookNode, student: str, network: Path, seed: int) -> Outcome:
        seen.append(student)
        return Outcome(tuple(points_of.nothing(id, "blank", "") for id in ("02.1", "02.2")))

    monkeypatch.setattr(running, "graded", graded)
    said = command("grade", folder, "--course", course)
    assert seen == ["ada", "zoë-müller-ng"]
    refused = dict(re.findall(r"NOT GRADED: (\S+), [^:]*: (.*)", said))
    assert sorted(refused) == ["ben", "cas", "dora", "gus", "ivy", "mallory"]
    assert "must be a JSON file" in refused["ben"]
    assert "must be a notebook of this class, 02_badnets_on_mnist, got 'lesson 07'" in refused["cas"]
    assert "more than one notebook of this lesson" in refused["dora"]
    assert "at most 16 MiB, got 2,048" in refused["gus"]
    assert refused["ivy"] == "nothing handed in"
    assert "must be on the class list" in refused["mallory"]
    assert "look at zoë-müller-ng: no cell answers" in said


def test_a_lucky_seed_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        points_of, "unfair", lambda seed, ids: [] if seed == 7 else ["02.3 percent: 2 of 2 parts"]
    )
    with pytest.raises(ArgumentError, match=r"got 'seed 6: 02.3 percent: 2 of 2 parts'. Take another seed"):
        command("init", tmp_path / "class", "02", "--seed", 6)
    assert not (tmp_path / "class").exists()
    with pytest.raises(ArgumentError, match="an exercise must have fair seeds, got 'none in 100 tries'"):
        command("init", tmp_path / "class", "02")


def test_a_folder_that_is_no_class_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="hand-ins must lie in the folder of a class"):
        command("grade", tmp_path)
    with pytest.raises(ArgumentError, match="must be the folder of a class, got 'no assignments'"):
        command("collect", tmp_path, "--course", tmp_path)
    with pytest.raises(DataError, match="must hold marks, got none"):
        command("report", tmp_path)


# With nbgrader: the commands of the README

NEEDED = "nbgrader is not installed (extra teach); its half of the classroom is not tried"


def nbgrader(course: Path, *words: str) -> None:
    """Run nbgrader in the folder of the class; where a hand-in fails, it ends with 1, and goes on before."""
    run_nbgrader(course, *words)


def test_the_readme_gives_the_commands_that_are_tried_here() -> None:
    lines = [line.split("  ")[0] for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()]
    place = lines.index("wmlearn classroom init class 02")
    assert lines[place + 1 : place + 6] == [
        "cd class",
        "wmlearn classroom collect hand-ins",
        f"nbgrader autograde {NAME}",
        f"nbgrader generate_feedback {NAME}",
        "nbgrader export --to grades.csv",
    ]


@pytest.mark.skipif(not find_spec("nbgrader"), reason=NEEDED)
def test_nbgrader_gives_the_same_points_and_its_pages_leak_nothing(course: Path, graded: Path) -> None:
    command("collect", course / "hand-ins", "--course", course)
    nbgrader(course, "autograde", NAME)
    command("report", course, "--out", course / "table.csv")
    rows = marks_of((course / "table.csv").read_text(encoding="utf-8"))
    own = marks_of((graded / "marks.csv").read_text(encoding="utf-8"))
    assert points(rows) == points(own) == DUE
    assert rows["ivy"]["not graded"]
    assert rows["zoë-müller-ng"]["not graded"] == "nothing handed in"
    nbgrader(course, "generate_feedback", NAME)
    nbgrader(course, "export", "--to", "grades.csv")
    with (course / "grades.csv").open(encoding="utf-8") as file:
        exported = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert {student: exported[student] for student in DUE} == DUE
    pages = {path.parts[-3]: path.read_text(encoding="utf-8") for path in course.glob("feedback/*/*/*.html")}
    assert set(pages) == set(DUE)
    for page in pages.values():
        assert str(SEED) not in page
    for line in private(course):
        assert line not in pages["cas"]
