"""`wmlearn classroom`: assignments from the course's notebooks, marks for what a class hands in."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from tqdm.auto import tqdm

from ..course.classroom import hand_ins, own_network, points, running, sheet
from ..course.classroom.hand_ins import HandIn
from ..course.classroom.sheet import Row
from ..course.classroom.with_nbgrader import run_nbgrader
from ..data import files
from ..errors import DataError, WmlearnError, require

if TYPE_CHECKING:
    from nbformat import NotebookNode  # takes more than a second, of every command

app = typer.Typer(
    no_args_is_help=True,
    help="For teachers: assignments from the notebooks, and marks, with nbgrader or without.",
)
STUDENTS = "students.txt"
ERROR = re.compile(r"\s*\w*Error\b")  # the last line of a traceback
TRIES = 100  # fair seeds are found at the first, unless an exercise is at fault
CONFIG = '''"""Settings for nbgrader, written by `wmlearn classroom init`; yours to edit."""
c = get_config()
c.CourseDirectory.course_id = {course!r}
c.ClearSolutions.code_stub = {{"python": 'raise NotImplementedError("your turn")'}}
c.Execute.timeout = {seconds:.0f}  # seconds a cell; an endless loop costs its points, and this long
c.Execute.skip_cells_with_tag = "lesson"  # grading needs the answers, not the lesson's networks
c.OverwriteCells.add_missing_cells = True
'''
IGNORED = "# Everything here is private: the seed of the hidden cases, names, marks.\n*\n"
NEXT = """{n} in {where}/release: hand that out. The seed of the hidden cases is in {where}/seed.txt; keep it.

With nbgrader (pip install "wmlearn[teach]"), in {where}:
  wmlearn classroom collect HAND-INS            NAME.ipynb, or a folder NAME, for each student
  nbgrader autograde {first}
  wmlearn classroom report                      points, mistakes, and who is not graded
  nbgrader generate_feedback {first}
  nbgrader export --to grades.csv
Without it:
  wmlearn classroom grade HAND-INS --course {where}"""


@app.command()
def init(
    where: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the class; keep it private.")],
    numbers: Annotated[
        list[str] | None, typer.Argument(help="Notebooks, by number; all when none is named.")
    ] = None,
    students: Annotated[
        Path | None, typer.Option(help="The names of the class, one a line.", metavar="FILE")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=1, help="Of the hidden cases; drawn when you name none.")
    ] = None,
) -> None:
    """Write assignments without solutions, and with a seed of their own for hidden cases.

    Again in the same DIR, it hands out notebooks that were mended, and keeps the seed; graded cells must be
    as they were. For a re-sit, take another DIR: it gets another seed.
    """
    names = _names(numbers)
    listed = {} if students is None else hand_ins.class_list(students)
    try:
        from ..course.authoring import assignments
    except ModuleNotFoundError as error:
        fix = 'Run pip install "wmlearn[teach]".'
        raise DataError(f"Assignments need {error.name}, which is not installed. {fix}") from error
    books = {name: assignments.assignment(name, assignments.root()) for name in names}
    for name, book in books.items():
        _check_same_cells(_source(where, name), book)
    own = _seed(where / points.SEED_FILE, seed, _exercises(books.values()))
    _furnish(where, own, listed)
    for name, book in books.items():
        assignments.seat(book, own_network.sitting_of(own))
        _write_book(_source(where, name), book)
        _write_book(where / "release" / name / f"{name}.ipynb", hand_ins.released(book))
    if find_spec("nbgrader"):
        for name in tqdm(names, desc="nbgrader", leave=False):
            _enter(where, name)
    n = "1 assignment" if len(names) == 1 else f"{len(names)} assignments"
    typer.echo(NEXT.format(n=n, where=where, first=names[0]))


def _names(numbers: Sequence[str] | None) -> list[str]:
    from . import lab

    return [lab.chosen(number).stem for number in numbers] if numbers else [p.stem for p in lab.notebooks()]


def _source(where: Path, name: str) -> Path:
    return where / "source" / name / f"{name}.ipynb"


def _exercises(books: Iterable[NotebookNode]) -> list[str]:
    ids = [hand_ins.exercise_of(cell) for book in books for cell in book.cells]
    return [id for id in ids if id]


def _check_same_cells(path: Path, book: NotebookNode) -> None:
    """Refuse a notebook whose graded cells differ from those of a class: its hand-ins would be lost."""
    if not path.is_file():
        return
    import nbformat

    before = hand_ins.graded_ids(nbformat.read(path, 4))
    after = hand_ins.graded_ids(book)
    changed = sorted(id for id in before.keys() | after.keys() if before.get(id) != after.get(id))
    rule = f"the graded cells of {path.stem} must stay as they were handed out, with their points"
    require(not changed, rule, f"other {', '.join(changed)}", "Begin a new folder for what has changed.")


def _seed(path: Path, wanted: int | None, ids: Sequence[str]) -> int:
    """Return the seed of a class: the one it has, the one that is wanted, or a new one; only a fair one."""
    if path.is_file():
        kept = points.read_seed(path)
        rule = f"the seed of a class must stay the same, {kept}"
        require(wanted in (None, kept), rule, wanted, "Take another folder, as for a re-sit.")
        wanted = kept
    if wanted is None:
        drawn = (secrets.randbelow(points.MOST_SEED) + 1 for _ in range(TRIES))
        wanted = next((seed for seed in drawn if not points.unfair(seed, ids)), None)
        require(
            wanted is not None, "an exercise must have fair seeds", f"none in {TRIES} tries", "Report it."
        )
        assert wanted is not None
        return wanted
    luck = points.unfair(wanted, ids)
    rule = "the hidden cases of a seed must take the same points from a mistake as the visible ones"
    require(not luck, rule, f"seed {wanted}: {'; '.join(luck)}", "Take another seed, or name none.")
    return wanted


def _furnish(where: Path, seed: int, listed: Mapping[str, str]) -> None:
    """Write what a class needs beside its notebooks; settings that somebody edited stay."""
    where.mkdir(parents=True, exist_ok=True)
    files.write(where / points.SEED_FILE, f"{seed}\n".encode())
    files.write(where / ".gitignore", IGNORED.encode())
    if listed:
        files.write(where / STUDENTS, "".join(f"{name}\n" for name in listed.values()).encode())
    settings = where / "nbgrader_config.py"
    if not settings.exists():
        text = CONFIG.format(course=where.resolve().name, seconds=running.CELL_SECONDS)
        files.write(settings, text.encode())


def _write_book(path: Path, book: NotebookNode) -> None:
    import nbformat

    path.parent.mkdir(parents=True, exist_ok=True)
    files.write(path, nbformat.writes(book).encode() + b"\n")


def _enter(where: Path, name: str) -> None:
    """Let nbgrader enter an assignment into its gradebook and write the release anew; if it fails, all stays
    as it was.
    """
    release = where / "release" / name
    gradebook = where / "gradebook.db"
    is_new = not gradebook.exists()
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(release, Path(folder, name))
        log = run_nbgrader(where, "generate_assignment", name, "--force")
        if log.returncode:
            shutil.rmtree(release, ignore_errors=True)
            shutil.copytree(copy, release)
    if log.returncode:
        if is_new:
            gradebook.unlink(missing_ok=True)
        reasons = [line.strip() for line in log.stderr.splitlines() if ERROR.match(line)] or ["an error"]
        raise DataError(f"nbgrader must accept {name}, got: {reasons[-1]}. nbgrader.log says more.")


@app.command()
def collect(
    folder: Annotated[Path, typer.Argument(metavar="HAND-INS", help="What the class handed in.")],
    course: Annotated[Path, typer.Option(help="The folder of the class.", metavar="DIR")] = Path(),
) -> None:
    """Put hand-ins where nbgrader looks for them, laid into their assignments; say which can't be graded."""
    accepted = _accepted(folder, course)
    notes = {}
    for hand_in, row, book in accepted.books:
        target = course / "submitted" / row.student / row.assignment
        _write_book(target / f"{row.assignment}.ipynb", book)
        _copy_network(hand_in, target)
        notes[f"{row.student}/{row.assignment}"] = list(row.notes)
    document = {"refused": [asdict(row) for row in accepted.refused], "notes": notes}
    files.write(course / sheet.COLLECTED, json.dumps(document, ensure_ascii=False, indent=1).encode())
    n = len(accepted.books) + len(accepted.refused)
    typer.echo(f"{len(accepted.books)} of {n} can be graded.")
    for row in accepted.refused:
        typer.echo(f"NOT GRADED: {row.student}, {row.assignment or 'no notebook'}: {row.problem}")
    for _, row, _ in accepted.books:
        for note in row.notes:
            typer.echo(f"look at {row.student}: {note}")


def _copy_network(hand_in: HandIn, target: Path) -> None:
    if hand_in.network.is_file() and hand_in.network.stat().st_size <= running.MOST_NETWORK:
        shutil.copy(hand_in.network, target)


@app.command()
def grade(
    folder: Annotated[Path, typer.Argument(metavar="HAND-INS", help="What the class handed in.")],
    course: Annotated[
        Path | None, typer.Option(help="The folder of the class, by default one above.", metavar="DIR")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="By default HAND-INS-marks, beside it.", metavar="NEW")
    ] = None,
) -> None:
    """Grade notebooks without nbgrader, with the same points: NAME.ipynb, or a folder NAME, for each student.

    It writes marks.csv, and a page for each student. Answers run on this machine, and can do what you can.
    """
    course = course or _class_of(folder)
    seed = points.read_seed(course / points.SEED_FILE)
    accepted = _accepted(folder, course)
    rows = list(accepted.refused)
    for hand_in, row, book in tqdm(accepted.books, desc="hand-ins", leave=False):
        outcome = running.graded(book, row.student, hand_in.network, seed)
        rows.append(replace(row, marks=outcome.marks, problem=outcome.problem))
    out = out or folder.with_name(f"{folder.resolve().name}-marks")
    out.mkdir(parents=True, exist_ok=True)
    rows.sort(key=lambda row: (row.student, row.assignment))
    sheet.write(out, rows)
    for line in sheet.report(rows, sheet.copies([one for one, _, _ in accepted.books])):
        typer.echo(line)
    typer.echo(f"\n{out} holds marks.csv, and a page for each student.")


def _course_above(folder: Path) -> Path | None:
    places = [folder.resolve(), *folder.resolve().parents]
    return next((place for place in places if (place / points.SEED_FILE).is_file()), None)


def _class_of(folder: Path) -> Path:
    found = _course_above(folder)
    fix = "Name the folder that `wmlearn classroom init` wrote: --course DIR."
    require(found is not None, "hand-ins must lie in the folder of a class", str(folder), fix)
    assert found is not None
    return found


@app.command()
def market(
    folder: Annotated[Path, typer.Argument(metavar="NETWORKS", help="Networks of the class, safetensors.")],
    course: Annotated[
        Path | None, typer.Option(help="The folder of the class, by default one above.", metavar="DIR")
    ] = None,
    students: Annotated[
        Path | None, typer.Option(help="The names of the class, one a line.", metavar="FILE")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="By default NETWORKS-market.html, beside it.", metavar="PAGE")
    ] = None,
) -> None:
    """Find out whose backdoor and whose mark is in which network: a game for a class, and its league.

    Networks lie in folders with their owners' names, or as NAME.safetensors; with a class list, under any
    name. A backdoor follows `me = own_network.variant("a name")`, a mark a key of `wm.watermarks.Adi2018()`
    drawn with `secret=me.secret`. Without a class above NETWORKS, `me` has no sitting.
    """
    from ..course.classroom.market import opened, to_html, told  # loads the watermarks

    course = course or _course_above(folder)
    known = {} if course is None else _students(course)
    if students is not None:
        known = hand_ins.class_list(students)
    seed_file = None if course is None else course / points.SEED_FILE
    sitting = "" if seed_file is None else own_network.sitting_of(points.read_seed(seed_file))
    found = opened(folder, known, sitting)
    out = out or folder.with_name(f"{folder.resolve().name}-market.html")
    files.write(out, to_html(found).encode())
    for line in told(found):
        typer.echo(line)
    typer.echo(f"\n{out} shows the same, for all to see.")


@app.command()
def court(
    where: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the class; keep it private.")],
    students: Annotated[
        Path | None, typer.Option(help="The names of the class, one a line.", metavar="FILE")
    ] = None,
    hand_ins_at: Annotated[
        Path | None, typer.Option("--hand-ins", help="Score what the class handed in.", metavar="FOLDER")
    ] = None,
    cases: Annotated[int, typer.Option(help="12 for a day, 4 for half a day.")] = 12,
    decks: Annotated[int, typer.Option(help="How many different deals a class has.")] = 3,
) -> None:
    """Deal sealed cases for the court of lesson 16 to a class; with --hand-ins, score the judgements.

    Each student gets the folder DIR/court/NAME, and hands in its judgement.json. The key to the truths is
    DIR/court.key. The league is also written to DIR/court.html.
    """
    from ..course.classroom import court as courts  # loads the watermarks

    names = _students(where) if students is None else hand_ins.class_list(students)
    if hand_ins_at is None:
        folders = courts.hand_out(where, names, n=cases, decks=decks)
        typer.echo(f"{len(folders)} folders in {where / courts.CASES}: hand each to its student.")
        typer.echo(f"The truths are sealed with {where / courts.KEY}; keep it. When all have handed in:")
        typer.echo(f"  wmlearn classroom court {where} --hand-ins FOLDER")
        return
    league = courts.judged(where, hand_ins_at, names)
    files.write(where / "court.html", courts.to_html(league).encode())
    for line in courts.told(league):
        typer.echo(line)
    typer.echo(f"\n{where / 'court.html'} shows the same, for all to see.")


@app.command()
def report(
    where: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder of the class, or of marks.")
    ] = Path(),
    out: Annotated[
        Path | None, typer.Option(help="Also write the table there, as CSV.", metavar="FILE.csv")
    ] = None,
) -> None:
    """Say who has which points, which mistakes are common, and who is not graded, and why."""
    rows = sheet.kept(where)
    if not (where / sheet.MARKS).is_file():
        rows += sheet.absent(rows, _students(where))
    submitted = where / "submitted"
    found = [HandIn(path.parts[-3], path) for path in sorted(submitted.glob("*/*/*.ipynb"))]
    for line in sheet.report(rows, sheet.copies(found)):
        typer.echo(line)
    if out:
        files.write(out, sheet.table(rows).encode())


def _students(course: Path) -> dict[str, str]:
    path = course / STUDENTS
    return hand_ins.class_list(path) if path.is_file() else {}


@dataclass(frozen=True)
class _Accepted:
    """Hand-ins that can be graded, laid into their assignments, and rows for those that can't."""

    books: list[_Book]
    refused: list[Row]


class _Book(NamedTuple):
    hand_in: HandIn
    row: Row
    book: NotebookNode


def _accepted(folder: Path, course: Path) -> _Accepted:
    """Read all hand-ins, against the assignments of a class; none stops the others."""
    assignments = {path.stem: path for path in sorted((course / "source").glob("*/*.ipynb"))}
    fix = "Run `wmlearn classroom init DIR` first, and name DIR."
    require(bool(assignments), f"{course} must be the folder of a class", "no assignments", fix)
    names = _students(course)
    books = []
    refused = []
    for hand_in in hand_ins.listed(folder, names):
        try:
            books.append(_fitted(hand_in, assignments, known=names))
        except WmlearnError as error:
            refused.append(Row(hand_in.student, "", problem=str(error).rstrip(".")))
    twice = Counter((book.row.student, book.row.assignment) for book in books)
    for book in books:
        if twice[book.row.student, book.row.assignment] > 1:
            problem = f"more than one notebook of this lesson was handed in, such as {book.hand_in.path.name}"
            refused.append(replace(book.row, problem=problem))
    single = [book for book in books if twice[book.row.student, book.row.assignment] == 1]
    present = [book.row for book in single] + refused
    return _Accepted(single, refused + sheet.absent(present, names))


def _fitted(hand_in: HandIn, assignments: Mapping[str, Path], *, known: Mapping[str, str]) -> _Book:
    import nbformat

    require(not known or hand_in.student in known, "a student must be on the class list", hand_in.student)
    book = hand_ins.read(hand_in.path)
    number = hand_ins.lesson(book)
    require(bool(number), f"{hand_in.path.name} must hold exercises of the course", "none")
    name = next((name for name in assignments if name.startswith(f"{number}_")), None)
    wanted = ", ".join(assignments)
    require(
        name is not None,
        f"{hand_in.path.name} must be a notebook of this class, {wanted}",
        f"lesson {number}",
    )
    assert name is not None
    released = hand_ins.released(nbformat.read(assignments[name], 4))
    fitted = hand_ins.fitted(book, released)
    notes = (*fitted.notes, *sheet.suspicious(fitted.book))
    return _Book(hand_in, Row(hand_in.student, name, notes=notes), fitted.book)
