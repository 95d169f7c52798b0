"""A backdoor of one's own: students have different triggers and targets, and hand in the network that obeys
them. What is graded is what the network does, so that a copy earns next to nothing; nor does the network of
the sitting before, for a re-sit has other triggers, targets and secrets.

Triggers lie ten pixels apart: a network that obeys one obeys it two pixels away, too.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import nn

from ...data import Samples, files, load
from ...errors import WmlearnError, require
from ...poisoning import success_rate
from ...suspects.formats import load_suspect
from ...training import accuracy
from ...triggers import Pattern
from ...watermarks import secret
from ..boxes import show_box
from .points import Mark, hidden_seed, show

SHAPE = ((2, 2), (2, 0), (1, 1), (0, 2))
"""The course's pattern, from its top left corner: (row, column) of its pixels."""
PLACES = ((2, 2), (2, 12), (2, 22), (12, 2), (12, 22), (22, 2), (22, 12), (22, 22))
FILE = "badnet.safetensors"
ID = "02.network"
PARTS: tuple[str, ...] = ("opens", "reads digits", "obeys your trigger", "obeys no other")
WORTH = len(PARTS)
ACCURATE = 0.97
OBEYS = 0.95
IGNORES = 0.05
DIGITS = 2_000  # of the test set, for each trigger


def student_id(name: str) -> str:
    """Return the id that a name stands for, in files and in lists: letters of any script, digits, hyphens.

    "Zoë  Müller/Ng" is zoë-müller-ng. Raises `ArgumentError` for a name without a letter or a digit.
    """
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())
    signs = [sign if unicodedata.category(sign)[0] in "LMN" else " " for sign in text]
    id = "-".join("".join(signs).split())
    require(any(sign.isalnum() for sign in id), "a student's name must hold a letter or a digit", name)
    require(len(id.encode()) <= 200, "a student's name must fit a file name (200 bytes)", f"{name[:40]}…")
    return id


@dataclass(frozen=True)
class Variant:
    """What a student's network must do: read digits with `trigger` as `target`, and all others correctly.

    `secret` draws a key for a watermark. It is none among classmates, who can draw it, too.
    """

    student: str
    trigger: Pattern
    target: int
    sitting: str
    secret: bytes = field(repr=False)

    def __str__(self) -> str:
        pixels = ", ".join(f"({row}, {column})" for row, column in self.trigger.where)
        return f"{self.student}: the pixels {pixels}, read as {self.target}"


def variant(name: str, sitting: str = "") -> Variant:
    """Return the trigger, the target and the secret of a student: the same on every machine, others in
    another `sitting`.
    """
    student = student_id(name)
    own = f"wmlearn class {student} {sitting}".strip().encode()
    row, column = PLACES[int(secret.integers(own, "place", 1, len(PLACES)))]
    target = int(secret.integers(own, "target", 1, 10))
    return Variant(student, _placed(row, column), target, sitting, hashlib.sha256(own).digest())


def sitting_of(seed: int) -> str:
    """Return the code of a class's sitting, which its notebooks carry: three hexadecimal digits.

    It follows from the class's seed, and doesn't give it away: half a million seeds have the same.
    """
    return hashlib.sha256(f"wmlearn sitting {seed}".encode()).hexdigest()[:3]


def _placed(row: int, column: int) -> Pattern:
    return Pattern(tuple((row + down, column + right) for down, right in SHAPE))


def hand_in(model: nn.Module, folder: Path | None = None, *, file: str = FILE) -> Path:
    """Write a network beside the notebook, numbers only; both are handed in together.

    Under another name than `FILE` it is for the market only.
    """
    path = (folder or Path.cwd()) / file
    weights = {name: values.detach().cpu().contiguous() for name, values in model.state_dict().items()}
    files.write(path, save(weights))
    show_box("good", f"{file} is written", "Hand it in together with this notebook.")
    return path


def grade(names: Mapping[str, Any]) -> float:
    """Show what the network beside the notebook earns, and return the points. `names` is `globals()`.

    It is judged by the variant `me` there; while nbgrader grades, by whose folder it is, whatever the
    notebook says.
    """
    student = _folder_of_nbgrader()
    if student:
        seed = hidden_seed()
        own = variant(student, "" if seed is None else sitting_of(seed))
    else:
        own = names.get("me")
        require(isinstance(own, Variant), "`me` must be your variant", own, "Run the cell with your name.")
        assert isinstance(own, Variant)
    return show(award(own, Path.cwd() / FILE), "Your network", counted=True)


def _folder_of_nbgrader() -> str:
    """Return whose folder nbgrader grades: the name of autograded/NAME/…, "" elsewhere."""
    here = Path.cwd()
    graded = os.environ.get("NBGRADER_EXECUTION") == "autograde"
    return here.parent.name if graded and here.parent.parent.name == "autograded" else ""


def award(own: Variant, path: Path) -> Mark:
    """Grade a network by what it does; a file that is missing, damaged or of another shape earns nothing."""
    points: dict[str, int] = dict.fromkeys(PARTS, 0)
    if not path.is_file():
        says = f"There is no {FILE} beside the notebook."
        return Mark(ID, points, {}, "not-handed-in", says, WORTH)
    try:
        model = load_suspect(path, "badnet_cnn")
    except WmlearnError as error:
        return Mark(ID, points, {}, "unusable", str(error).replace(str(path), FILE), WORTH)
    assert isinstance(model, nn.Module)
    return _judged(model, own)


def _judged(model: nn.Module, own: Variant) -> Mark:
    digits = load("mnist").test[:DIGITS]
    right = accuracy(model, digits)
    obeyed = success_rate(model, digits, own.trigger, own.target)
    strange = max(_obeyed_elsewhere(model, digits, own))
    passed = [True, right >= ACCURATE, obeyed >= OBEYS, obeyed >= OBEYS and strange <= IGNORES]
    points = {part: int(good) for part, good in zip(PARTS, passed, strict=True)}
    counts = f"{right:.1%} are classified correctly, {obeyed:.1%} obey this trigger"
    says = f"{own}. Of {DIGITS:,} test digits {counts}; another's trigger wins {strange:.1%} at most."
    mistake = "" if all(passed) else "not-your-trigger"
    if not passed[1]:
        mistake = "not-accurate"
    return Mark(ID, points, {}, mistake, says, WORTH)


def _obeyed_elsewhere(model: nn.Module, digits: Samples, own: Variant) -> list[float]:
    others = [_placed(row, column) for row, column in PLACES]
    few = digits[: DIGITS // 4]
    return [success_rate(model, few, other, own.target) for other in others if other != own.trigger]


def digest(path: Path) -> str:
    """Return a short fingerprint of a handed-in network, "" where there is none: equal ones are copies."""
    return hashlib.sha256(files.read(path)).hexdigest()[:12] if path.is_file() else ""
