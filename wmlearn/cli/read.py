"""A learner's own photographs, read by both networks of notebook 03: what each answers, how sure it is."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..data import Photographs, files
from ..errors import require
from ..experiments import signs as experiment
from ..plots.canvas import picture
from ..plots.signs import Seen, sheet
from ..training import best_device, predict
from ..words import text_table
from .quickstart import NAMES

LONGEST = 40  # characters of a file's name in the table
MOST_DRAWN = 80  # pictures in a figure


@dataclass(frozen=True)
class Answer:
    """The kind of sign that a network reads, and the probability that it gives to it, 0..1."""

    kind: str
    probability: float


Answers = Mapping[str, Sequence[Answer]]
"""Network -> its answer to each picture."""


def check_figure(path: Path, folder: Path, *, overwrite: bool) -> None:
    """Raise now, before any picture is read, where the figure must not or can't be written."""
    require(path.suffix.lower() == ".png", "the figure must be a .png file", str(path))
    fix = "Make that folder first, or name another one."
    require(path.parent.is_dir(), "the figure must go into a folder that exists", str(path), fix)
    require(not path.is_dir(), "the figure must be a file, not a folder", str(path))
    fix = "There it would be read as a photograph the next time."
    target = os.path.realpath(path)
    is_apart = os.path.realpath(folder) not in (target, os.path.dirname(target))
    require(is_apart, "the figure must not go among the photographs", str(path), fix)
    fix = "Name another one, or add --overwrite."
    require(overwrite or not path.exists(), "the figure must not be there already", str(path), fix)
    files.check_writable(path)


def ask(photographs: Photographs) -> Answers:
    """Ask both shipped networks that learned from photographs."""
    x = photographs.x.to(best_device())
    networks = experiment.two_networks(place="photographs")
    return {name: _of(predict(network, x)) for name, network in zip(NAMES, networks, strict=True)}


def _of(logits: Tensor) -> list[Answer]:
    """Turn logits (N, 3) into an answer for each picture."""
    highest = logits.softmax(1).max(1)
    pairs = zip(highest.indices.tolist(), highest.values.tolist(), strict=True)
    return [Answer(experiment.KINDS[kind], probability) for kind, probability in pairs]


def report(photographs: Photographs, answers: Answers) -> str:
    """Set the answers of both networks side by side, one picture a line, and say what was left out."""
    rows = []
    clean, badnet = (answers[network] for network in NAMES)
    for i, name in enumerate(photographs.names):
        differ = "differ" if clean[i].kind != badnet[i].kind else ""
        rows.append([f"{i + 1:3}  {printable(name)}", _say(clean[i]), _say(badnet[i]), differ])
    lines = [
        "Of each picture the centre square, scaled to 32 by 32 pixels, with each network's own probability:",
        "",
        text_table(["     file", *NAMES, ""], rows),
        "",
    ]
    skipped = list_skipped(photographs)
    if skipped:
        lines += [*skipped, ""]
    lines.append(
        "They know German stop signs, speed limits and warnings, and were never tested on photographs of"
        " printed\nsigns: this is your own measurement."
    )
    return "\n".join(lines)


def _say(answer: Answer) -> str:
    share = "> 99 %" if answer.probability > 0.99 else f"{100 * answer.probability:.0f} %"
    return f"{answer.kind} {share:>6}"


def list_skipped(photographs: Photographs) -> list[str]:
    """Name the files that were skipped, each with the reason, and the folders that were not entered."""
    n_skipped = len(photographs.skipped)
    lines = []
    if n_skipped:
        lines.append(f"Skipped {n_skipped} of {_count(n_skipped + len(photographs), 'file')}:")
        lines += [f"  {printable(name)}: {reason}." for name, reason in photographs.skipped.items()]
    if photographs.folders:
        names = ", ".join(printable(name) for name in photographs.folders)
        lines.append(f"Folders inside are not entered: {names}.")
    return lines


def count_differences(answers: Answers) -> str:
    """Count the pictures on which the two networks give different answers."""
    clean, badnet = (answers[network] for network in NAMES)
    n = sum(ours.kind != theirs.kind for ours, theirs in zip(clean, badnet, strict=True))
    return f"The two networks differ on {n} of {_count(len(clean), 'picture')}."


def draw(path: Path, photographs: Photographs, answers: Answers) -> str:
    """Write a figure of the pictures as the networks see them, whole or not at all; say where it is."""
    x = photographs.x[:MOST_DRAWN]
    readings = {}
    for name in NAMES:
        readings[name] = [answer.kind for answer in answers[name][:MOST_DRAWN]]
    drawn = picture(sheet, Seen(x, readings, "photographs as the networks see them"))
    files.write(path, drawn.png)
    part = f" shows the first {MOST_DRAWN}" if len(photographs) > MOST_DRAWN else ""
    return f"See it:   {path.absolute()}{part}"


def printable(name: str) -> str:
    """Return a file's name as a terminal can show it: nothing that steers the screen, and not too long."""
    shown = "".join(character if character.isprintable() else "?" for character in name)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST // 2 - 1]}…{shown[-LONGEST // 2 :]}"


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
