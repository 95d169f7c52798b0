"""A right answer in any style carries the lesson to its end: each notebook runs with each of them.

Trainings come from memory where the notebooks' own runs have filled it, so that what is measured here is the
lesson, not the processor.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode

from wmlearn.course.authoring.build import executed, masters
from wmlearn.course.claims import ledger

ROOT = Path(__file__).resolve().parents[2]
MUTANTS = Path(__file__).with_name("mutants")


def _right(name: str) -> dict[str, list[Path]]:
    """Return the right answers to a notebook's exercises: exercise -> files, those likely to break first."""
    answers: dict[str, list[Path]] = {}
    for path in sorted(MUTANTS.glob(f"ex_{name[:2]}_*_right_*.py"), key=_likely):
        answers.setdefault(f"{name[:2]}.{path.stem[6]}", []).append(path)
    return answers


def _likely(path: Path) -> tuple[int, str]:
    """Rank a style: a tensor where a number is wanted, then NumPy's numbers, then the others."""
    styles = ("tensor", "numpy")
    style = path.stem.split("_right_")[1]
    return styles.index(style) if style in styles else len(styles), path.stem


BACKDOORS = [name for name in masters(ROOT) if name < "06"]
WATERMARKS = [name for name in masters(ROOT) if name >= "06"]


def _runs(names: list[str]) -> list[Any]:
    """Name the runs: in run k every exercise gets its k-th right answer, or the first again.

    The first run of each notebook belongs to every test run; the others are slow.
    """
    runs: list[Any] = []
    for name in names:
        most = max(len(paths) for paths in _right(name).values())
        runs.append((name, 0))
        runs += [pytest.param(name, k, marks=pytest.mark.slow) for k in range(1, most)]
    return runs


def _memory() -> Path | None:
    return Path(os.environ["WMLEARN_MEMORY"]) if "WMLEARN_MEMORY" in os.environ else None


def _code(path: Path) -> str:
    return re.sub(r"(?m)^EXERCISE = .*\n|^from __future__ .*\n", "", path.read_text(encoding="utf-8"))


def _plain(book: NotebookNode) -> str:
    """Return what the outputs say as plain text."""
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    return "\n".join(output.get("data", {}).get("text/plain", "") for output in outputs)


def _carries(name: str, k: int) -> None:
    answers = {id: _code(paths[k % len(paths)]) for id, paths in _right(name).items()}
    book = executed(name, ROOT, answers=answers, memory=_memory())
    assert _plain(book).count("The lesson goes on with your function") == len(answers)
    assert [claim.id for claim in ledger(book.cells).values() if not claim.holds] == []


class TestBackdoors:
    """Notebooks 01 to 05; a class goes to one process, so that two of them share the work."""

    @pytest.mark.parametrize(("name", "k"), _runs(BACKDOORS), ids=str)
    def test_right_answers_in_any_style_carry_the_lesson_to_its_end(self, name: str, k: int) -> None:
        _carries(name, k)


class TestWatermarks:
    """Notebooks 06 to 10."""

    @pytest.mark.parametrize(("name", "k"), _runs(WATERMARKS), ids=str)
    def test_right_answers_in_any_style_carry_the_lesson_to_its_end(self, name: str, k: int) -> None:
        _carries(name, k)
