"""Whatever is handed in: it is graded, or it is said why not."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from scripted import NAME, STUB, answered, full
from scripted import solutions as _solutions

from wmlearn.course.authoring import assignments
from wmlearn.course.classroom import hand_ins, own_network, running
from wmlearn.course.classroom.hand_ins import exercise_of, released
from wmlearn.errors import ArgumentError, DataError


@pytest.fixture(scope="module")
def source() -> NotebookNode:
    return assignments.assignment(NAME, assignments.root())


@pytest.fixture(scope="module")
def solutions(source: NotebookNode, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    course = tmp_path_factory.mktemp("course")
    path = course / "source" / NAME / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(source, path)
    return _solutions(course)


@pytest.fixture
def right(source: NotebookNode, solutions: dict[str, str]) -> NotebookNode:
    return answered(released(source), solutions, full, "ada")


def _ids(book: NotebookNode) -> list[str]:
    return [exercise_of(cell) for cell in book.cells if exercise_of(cell)]


def _answers(book: NotebookNode) -> dict[str, str]:
    return {exercise_of(cell): cell.source for cell in book.cells if exercise_of(cell)}


def test_an_untouched_hand_in_stays_as_it_is(source: NotebookNode, right: NotebookNode) -> None:
    fitted = hand_ins.fitted(right, released(source))
    assert [cell.source for cell in fitted.book.cells] == [cell.source for cell in right.cells]
    assert fitted.notes == ()


def test_deleted_cells_stand_there_again_empty(
    source: NotebookNode, right: NotebookNode, solutions: dict[str, str]
) -> None:
    gone = [cell for cell in right.cells if exercise_of(cell) == "02.3" or cell.source.startswith("import")]
    right.cells = [cell for cell in right.cells if cell not in gone]
    right.cells = [cell for cell in right.cells if not cell.metadata.get("nbgrader", {}).get("grade")]
    fitted = hand_ins.fitted(right, released(source))
    assert fitted.notes == ("no cell answers 02.3: it was deleted",)
    assert STUB in _answers(fitted.book)["02.3"]
    assert _answers(fitted.book)["02.1"] == solutions["02.1"]
    graded = hand_ins.graded_ids(fitted.book)
    assert graded == hand_ins.graded_ids(source)
    assert fitted.book.cells[2].source.startswith("import torch")


def test_another_order_is_put_right(source: NotebookNode, right: NotebookNode, solutions: Any) -> None:
    right.cells = right.cells[::-1]
    fitted = hand_ins.fitted(right, released(source))
    assert _ids(fitted.book) == ["02.1", "02.2", "02.3", "02.4"]
    assert _answers(fitted.book) == solutions
    assert "another order" in fitted.notes[0]


def test_an_answer_in_a_cell_of_ones_own_counts_and_what_it_needs_runs_before(
    source: NotebookNode, right: NotebookNode, solutions: dict[str, str]
) -> None:
    cells = []
    for cell in right.cells:
        if exercise_of(cell) == "02.3":
            cells.append(nbformat.v4.new_code_cell("from statistics import mean"))
            cells.append(nbformat.v4.new_code_cell(solutions["02.3"]))
        else:
            cells.append(cell)
    right.cells = cells
    fitted = hand_ins.fitted(right, released(source))
    assert _answers(fitted.book)["02.3"] == solutions["02.3"]
    place = next(i for i, cell in enumerate(fitted.book.cells) if exercise_of(cell) == "02.3")
    assert fitted.book.cells[place - 1].source == "from statistics import mean"


def test_what_runs_while_grading_trains_nothing_and_asks_for_every_mark(source: NotebookNode) -> None:
    steps = running.steps(released(source))
    assert [step.id for step in steps if step.id] == ["02.1", "02.2", "02.3", "02.4", "02.network"]
    assert not any("fit(" in step.source for step in steps if not step.source.startswith("def fit"))


# Bad input


def test_a_folder_without_notebooks_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"must hold notebooks \(.ipynb\), got none"):
        hand_ins.listed(tmp_path)
    with pytest.raises(DataError, match="must be a folder of notebooks, got nothing"):
        hand_ins.listed(tmp_path / "none")


@pytest.mark.parametrize(
    "text",
    ["", "hello", "[]", "{}", '{"cells": 3}', '{"cells": [1]}', '{"cells": [{"cell_type": "code"}]}', "\0"],
)
def test_what_is_no_notebook_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ada.ipynb"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"must be a (notebook|JSON file)"):
        hand_ins.read(path)


def test_two_gigabytes_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "ada.ipynb"
    path.touch()
    os.truncate(path, 2 * 2**30)  # a hole: it takes no room
    with pytest.raises(DataError, match=r"at most 16 MiB, got 2,048. Open it .* Clear Outputs"):
        hand_ins.read(path)


def test_odd_cells_are_read(tmp_path: Path) -> None:
    path = tmp_path / "ada.ipynb"
    cells = [
        {"cell_type": "code", "source": ["def a():\n", "    pass"], "metadata": {"tags": "exercise:02.1"}},
        {"cell_type": "code", "source": "1", "metadata": {"tags": ["exercise:02.1", 3]}},
        {"cell_type": "raw", "source": "x"},
    ]
    path.write_text(json.dumps({"cells": cells}))
    book = hand_ins.read(path)
    assert [cell.source for cell in book.cells] == ["def a():\n    pass", "1", "x"]
    assert [exercise_of(cell) for cell in book.cells] == ["", "02.1", ""]
    assert hand_ins.lesson(book) == "02"


# Names


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("Ada", "ada"),
        ("  Zoë   Müller / Ng ", "zoë-müller-ng"),
        ("Zoe\u0308", "zoë"),
        ("李 明", "李-明"),
        ("محمد", "محمد"),
        ("अनिता", "अनिता"),
        ("../../etc/passwd", "etc-passwd"),
        ("=cmd|' /C calc'!A0", "cmd-c-calc-a0"),
        ("O’Brien, Á.", "o-brien-á"),
        ("\u202eevil", "evil"),
        ("a\tb\0c", "a-b-c"),
    ],
)
def test_a_name_becomes_an_id_that_is_safe_in_files_and_lists(name: str, id: str) -> None:
    assert own_network.student_id(name) == id
    assert own_network.student_id(id) == id


@pytest.mark.parametrize("name", ["", "  ", "/", "…", "\u0301"])
def test_a_name_without_letters_is_refused(name: str) -> None:
    with pytest.raises(ArgumentError, match="must hold a letter or a digit"):
        own_network.student_id(name)


def test_a_class_list_is_read_in_any_script(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("\ufeffAda Lovelace\n\n李 明\r\nA/B\n", encoding="utf-8")
    assert hand_ins.class_list(path) == {"ada-lovelace": "Ada Lovelace", "李-明": "李 明", "a-b": "A/B"}


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"Ada\nada!\n", "differ in letters or digits, got \"'Ada' and 'ada!'\""),
        (b"\n\n", "must hold a name"),
        (b"\xff\xfe", "must be UTF-8 text"),
        (b"Ada\n///\n", "must hold a letter or a digit"),
    ],
)
def test_a_bad_class_list_is_refused(tmp_path: Path, raw: bytes, rule: str) -> None:
    (tmp_path / "names.txt").write_bytes(raw)
    with pytest.raises((ArgumentError, DataError), match=rule):
        hand_ins.class_list(tmp_path / "names.txt")


def test_hand_ins_belong_to_the_student_with_whose_id_they_begin(tmp_path: Path) -> None:
    for place in (
        "Anna Lee_123_file/x.ipynb",
        "anna.ipynb",
        "Anna/.ipynb_checkpoints/x.ipynb",
        "bob/a/b.ipynb",
    ):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    owners = [found.student for found in hand_ins.listed(tmp_path, ["anna", "anna-lee", "bob"])]
    assert owners == ["anna", "anna-lee", "bob"]
    assert [found.student for found in hand_ins.listed(tmp_path)] == ["anna", "anna-lee-123-file", "bob"]
