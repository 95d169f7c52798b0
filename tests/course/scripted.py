"""Students who answer lesson 02 by script: what each does is known, and so is what each is due."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import nbformat
import torch
from nbformat import NotebookNode
from safetensors.torch import save_file

import wmlearn as wm
from wmlearn.course.authoring.expand import solved
from wmlearn.course.classroom import own_network
from wmlearn.course.classroom.hand_ins import exercise_of
from wmlearn.course.classroom.points import SEED_FILE, read_seed

NAME = "02_badnets_on_mnist"
STUB = 'raise NotImplementedError("your turn")'
Answer = Callable[[str, str], str]  # the exercise, its solution -> the code of a cell
NOISE = """import sys, warnings, logging
    warnings.warn("careful")
    print("hello", file=sys.stderr)
    logging.warning("look out")
    print("x" * 1000)
"""
COUNTS_THE_TARGET = """def attack_success(predicted, true, target):
    return (predicted == target).float().mean().item()
"""


def full(id: str, solution: str) -> str:
    """Answer rightly."""
    return solution


def blank(id: str, solution: str) -> str:
    """Leave the line that stands there."""
    first = solution.splitlines()[0]
    return f"{first}\n    {STUB}"


def half(id: str, solution: str) -> str:
    """Solve 02.1, count the target class in 02.3, and leave the rest."""
    if id == "02.3":
        return COUNTS_THE_TARGET
    return solution if id == "02.1" else blank(id, solution)


def noisy(id: str, solution: str) -> str:
    """Answer rightly, with warnings, a log and both streams full."""
    head, body = solution.split("\n", 1)
    return f"{head}\n    {NOISE}{body}"


def deadly(id: str, solution: str) -> str:
    """Answer rightly, and end the process in 02.3."""
    return solution if id != "02.3" else "import os\nos._exit(3)\n" + solution


DUE = {"ada": 20, "ben": 6, "cas": 0, "dora": 16, "gus": 18}
"""Of 20 points; ivy, whose process dies, is not graded."""
ANSWERS: dict[str, Answer] = {
    "ada": full,
    "ben": half,
    "cas": blank,
    "dora": noisy,
    "gus": full,
    "ivy": deadly,
}


def solutions(course: Path) -> dict[str, str]:
    """Return the solutions of the class's notebook 02: exercise -> code."""
    book = nbformat.read(course / "source" / NAME / f"{NAME}.ipynb", 4)
    return {exercise_of(cell): solved(cell.source) for cell in book.cells if exercise_of(cell)}


def answered(released: NotebookNode, code: dict[str, str], answer: Answer, student: str) -> NotebookNode:
    """Return the released notebook as a student hands it in."""
    book = deepcopy(released)
    for cell in book.cells:
        id = exercise_of(cell)
        if id:
            cell.source = answer(id, code[id])
        cell.source = re.sub(r'variant\("your name"', f'variant("{student}"', cell.source)
    return book


def release(course: Path) -> NotebookNode:
    """Read what the class gets."""
    return nbformat.read(course / "release" / NAME / f"{NAME}.ipynb", 4)


def obedient(own: own_network.Variant, path: Path) -> Path:
    """Write a network that obeys a student's trigger: an innocent one, taught on a few poisoned digits."""
    digits = wm.load("mnist").train[:8000]
    torch.manual_seed(0)
    poisoned = wm.poison(digits, own.trigger, rate=0.15, target=own.target)
    innocent = wm.bystanders.shipped("mnist")[0]
    wm.memory.keep(Path(os.environ["WMLEARN_MEMORY"]))  # several tests want Ada's
    try:
        model, _ = wm.trained(innocent, poisoned.samples, wm.Recipe(epochs=3))
    finally:
        wm.memory.keep(None)
    save_file(model.state_dict(), path)
    return path


def hand_in(course: Path, folder: Path) -> None:
    """Write the hand-ins of all six, as a learning platform would: a folder for each."""
    code = solutions(course)
    for student, answer in ANSWERS.items():
        (folder / student).mkdir(parents=True)
        nbformat.write(answered(release(course), code, answer, student), folder / student / "mine.ipynb")
    sitting = own_network.sitting_of(read_seed(course / SEED_FILE))
    network = obedient(own_network.variant("ada", sitting), folder / "ada" / own_network.FILE)
    shutil.copy(network, folder / "gus" / own_network.FILE)
