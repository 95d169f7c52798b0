"""A court for a class: everybody gets sealed cases, hands in a judgement, and stands in a league.

A class has a few decks of cases; neighbours on the list get different ones, and two who share a deck get its
cases in another order. The teacher's key opens all envelopes: it lies in the folder of the class, and nowhere
else.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm.auto import tqdm

from ... import page
from ...courtroom import dossiers
from ...courtroom.dealing import Dealt, Truth, dealt
from ...courtroom.dossiers import JUDGEMENT
from ...courtroom.seals import N_KEY, check_seal, new_key, opened
from ...courtroom.sittings import Judgement, Score, scored
from ...data import files
from ...errors import DataError, WmlearnError, require
from ...watermarks.secret import order
from ...words import text_table
from .hand_ins import is_hand_in, owner_of

KEY = "court.key"
CASES = "court"
MOST_DECKS = 10
HEAD = ("name", "points", "right", "missed thieves", "false convictions", "minutes", "queries")
KEEP = "Put back the file that `wmlearn classroom court` wrote, or begin a new folder."


@dataclass(frozen=True)
class Standing:
    """A line of the league: a student, what the judgement is worth, what it cost; or the problem with it."""

    student: str
    score: Score | None = None
    minutes: int = 0
    queries: int = 0
    problem: str = ""


def hand_out(where: Path, students: Mapping[str, str], *, n: int = 12, decks: int = 3) -> list[Path]:
    """Deal `n` cases, 12 or 4, to each student (id -> name) into DIR/court/ID, and keep the key in DIR.

    Raises `ArgumentError` for no students, or too many decks, `DataError` where a court is there already.
    """
    require(len(students) > 0, "a class must have students", 0, "Name them, one a line: --students FILE.")
    require(1 <= decks <= MOST_DECKS, f"decks must lie in 1..{MOST_DECKS}", decks)
    if (where / CASES).exists():
        raise DataError(f"{where / CASES} must not be there yet, got a court. Take another folder.")
    key = new_key()
    dealt_decks = [
        dealt(_secret(key, "deck", str(i)), n)
        for i in tqdm(range(min(decks, len(students))), desc="decks", leave=False)
    ]
    folders = []
    try:
        for i, student in enumerate(students):
            cases = shuffled(dealt_decks[i % len(dealt_decks)], _secret(key, "order", student))
            folders.append(where / CASES / student)
            dossiers.write(cases, folders[-1], key)
        files.new(where / KEY, lambda new: new.write_text(key.hex() + "\n"), mode=files.PRIVATE)
    except (WmlearnError, OSError):
        shutil.rmtree(where / CASES, ignore_errors=True)
        raise
    return folders


def _secret(key: bytes, *purpose: str) -> bytes:
    return hashlib.sha256(key + " ".join(purpose).encode()).digest()


def shuffled(cases: Sequence[Dealt], secret: bytes) -> list[Dealt]:
    """Number the cases of a deck anew, in an order that follows from a secret."""
    places = order(secret, "court", len(cases)).tolist()
    return [
        replace(cases[place], truth=replace(cases[place].truth, number=i + 1))
        for i, place in enumerate(places)
    ]


def read_key(where: Path) -> bytes:
    """Read the key of a class; raise `DataError` for anything else."""
    path = where / KEY
    raw = files.read(path, most=1_000, fix=KEEP)
    try:
        key = bytes.fromhex(raw.decode("ascii").strip())
    except ValueError as error:
        raise DataError(f"{path} must be a court's key, got: {error}. {KEEP}") from error
    if len(key) != N_KEY:
        raise DataError(f"{path} must be a court's key of {N_KEY} bytes, got {len(key)}. {KEEP}")
    files.warn_of_readers(path)
    return key


def truths(where: Path, student: str) -> list[Truth]:
    """Open the envelope of a student's cases, as the class keeps it, and check it against the seals.

    Raises `DataError` where the key is another's, or envelope or seals are damaged.
    """
    folder = where / CASES / student
    openings = opened(dossiers.envelope(folder), read_key(where))
    seals = dossiers.seals(folder)
    if len(openings) != len(seals):
        raise DataError(f"{folder} must have a seal a case, got {len(seals)} of {len(openings)}. {KEEP}")
    for each, seal in zip(openings, seals, strict=True):
        check_seal(each, seal)
    return [each.truth for each in openings]


def judged(where: Path, folder: Path, names: Mapping[str, str]) -> list[Standing]:
    """Score what a class has handed in, one judgement.json in a folder for each student (or ID.json), best
    first; those who handed in nothing, or something else, stand last, with the reason.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} must be a folder of judgements, got nothing. Check the name.")
    seated = sorted(path.name for path in (where / CASES).glob("*") if path.is_dir())
    fix = "Run `wmlearn classroom court DIR --students FILE` first."
    require(bool(seated), f"{where} must hold a court", "none", fix)
    found = _found(folder, seated)
    lines = [_standing(where, student, found.get(student, [])) for student in seated]
    lines += [
        Standing(student, problem="not on the class list") for student in sorted(set(found) - set(seated))
    ]
    named = [replace(line, student=names.get(line.student, line.student)) for line in lines]
    return sorted(named, key=_rank)


def _rank(line: Standing) -> tuple[bool, int, int, str]:
    points = line.score.points if line.score else 0
    return (line.score is None, -points, line.minutes, line.student)


def _found(folder: Path, students: Sequence[str]) -> dict[str, list[Path]]:
    """Return the judgements below a folder, by student."""
    known = sorted(students, key=len, reverse=True)
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*.json")):
        place = path.relative_to(folder)
        named = len(place.parts) > 1
        if not is_hand_in(place) or (named and path.name != JUDGEMENT):
            continue
        try:
            student = owner_of(place.parts[0] if named else path.stem, known)
        except WmlearnError:  # a name without letters
            student = place.parts[0]
        found.setdefault(student, []).append(path)
    return found


def _standing(where: Path, student: str, paths: Sequence[Path]) -> Standing:
    if not paths:
        return Standing(student, problem="nothing was handed in")
    if len(paths) > 1:
        return Standing(student, problem=f"{len(paths)} judgements were handed in")
    known = truths(where, student)
    try:
        judgement = dossiers.read_judgement(paths[0], len(known))
    except WmlearnError as error:
        return Standing(student, problem=str(error).rstrip("."))
    return _scored(student, judgement, known)


def _scored(student: str, judgement: Judgement, known: Sequence[Truth]) -> Standing:
    rulings = {ruling.number: ruling for ruling in judgement.rulings}
    return Standing(student, scored(rulings, known), judgement.minutes, judgement.queries)


# What a class sees


def told(lines: Sequence[Standing]) -> Iterator[str]:
    """Yield the lines that a terminal shows: the league, and who isn't in it, and why."""
    yield text_table(HEAD, _rows(lines))
    for line in lines:
        if line.problem:
            yield f"NOT SCORED: {line.student}: {line.problem}"


def _rows(lines: Sequence[Standing]) -> list[list[str]]:
    return [_row(line, line.score) for line in lines if line.score]


def _row(line: Standing, score: Score) -> list[str]:
    numbers = (score.points, score.right, score.missed, score.false, line.minutes, line.queries)
    return [line.student, *(str(number) for number in numbers)]


def to_html(lines: Sequence[Standing]) -> str:
    """Write the league as one page, which needs no other file."""
    parts = ["<h1>The court</h1>", page.table(HEAD, _rows(lines))]
    problems = [f"{line.student}: {line.problem}" for line in lines if line.problem]
    if problems:
        parts += ["<h2>Not scored</h2>", page.bullets(problems)]
    parts.append(
        "<p>A point a case; a missed thief, or a case without a ruling, costs one, a false conviction ten."
        " Equal points: fewer minutes stand first. Minutes and queries are as handed in.</p>"
    )
    return page.document("The court", parts)
