"""What an answer earns in class: a point for each part of its exercise, once on the cases that everybody can
see, once on hidden ones, which a seed of the teacher's draws.

The seed lies in the teacher's folder and is read only while grading, so neither the notebook that is handed
out nor the one that is handed back can show it. An answer runs in the same process as its grader: whoever
sets out to cheat the grader can. The report names answers that reach for it.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import FrameType, FunctionType
from typing import Any

from ...data import files
from ...errors import require
from ..boxes import show_box
from ..exercises import NOT_STARTED, Cases, Exercise, Numbers, Solution, examine, find, passes, right_answers

SEED_FILE = "seed.txt"
PATIENCE = 30.0  # seconds for an answer; the slowest exercise takes three
SEEN = 0  # the seed of the cases that `check` and `ready` try
MOST_SEED = 2**31
Wanted = dict[str, list[Numbers]]
"""Right answers by part."""


@dataclass(frozen=True)
class Mark:
    """Points by part on the cases that everybody sees, and on hidden ones; `hidden` is empty where no seed
    is, as at a student's. `mistake` is "" for a full mark, `says` is for the student.
    """

    id: str
    seen: dict[str, int]
    hidden: dict[str, int] = field(default_factory=dict)
    mistake: str = ""
    says: str = ""
    worth: int = 0

    @property
    def earned(self) -> int:
        """The points of both halves."""
        return sum(self.seen.values()) + sum(self.hidden.values())


def worth(id: str) -> int:
    """Return the points of an exercise: two a part."""
    return 2 * len(find(id).cases(SEEN))


def nothing(id: str, mistake: str, says: str) -> Mark:
    """Return a mark without a point, and why."""
    return Mark(id, dict.fromkeys(find(id).cases(SEEN), 0), {}, mistake, says, worth(id))


def award(id: str, f: Solution | None, hidden: int | None) -> Mark:
    """Give the points for `f`; `hidden` is the seed of the hidden cases, None where they don't count.

    Never raises. None stands for a function that is not there.
    """
    exercise = find(id)
    name = exercise.reference.__name__
    if f is None:
        says = f"There is no function {name}. Does its cell run to the end, and does it still hold it?"
        return nothing(id, "missing", says)
    seeds = [SEEN] if hidden is None else [SEEN, hidden]
    cases = [exercise.cases(seed) for seed in seeds]
    wanted = [_wanted(exercise, each) for each in cases]
    halves = []
    try:
        with _silence(), limited(PATIENCE):
            with _calls_of(exercise.reference) as calls:
                for right, each in zip(wanted, cases, strict=True):
                    halves.append(_points(exercise, f, right, each))
            result = examine(id, f)
    except TooLong:
        says = f"Your function ran for {PATIENCE:.0f} seconds, and was stopped. Does a loop never end?"
        return nothing(id, "endless", says)
    if calls:
        says = "This calls the course's own function. Run your cell again, or write a function of your own."
        return nothing(id, "borrowed", says)
    mistake = result.mistake
    says = result.message
    if not result.ok:
        mistake = mistake or "unnamed"
    elif not all(all(half.values()) for half in halves):
        mistake = "fits-the-check"
        says = "Right on the cases that you can see, wrong on others. Does it use all of its arguments?"
    return Mark(id, halves[0], halves[1] if len(halves) == 2 else {}, mistake, says, worth(id))


def grade(id: str, names: Mapping[str, Any]) -> float:
    """Show what the answer to exercise `id` earns, and why; return the points. `names` is `globals()`.

    The hidden half counts only while nbgrader grades in the teacher's folder; elsewhere the box says so.
    """
    seed = hidden_seed()
    answer = names.get(find(id).reference.__name__)
    mark = award(id, answer, seed)
    data = ", ".join(elsewhere(answer))
    if data and mark.earned:
        warning = (
            f"It takes {data} from the notebook, which isn't there when it is graded: use the arguments."
        )
        mark = replace(mark, says=f"{mark.says} {warning}")
    return show(mark, f"Exercise {id}", counted=seed is not None)


def show(mark: Mark, title: str, *, counted: bool) -> float:
    """Show a mark in a box, keep it in the metadata of the output, and return the points."""
    after = "" if counted else "; the other half is counted when you hand in"
    kind = "todo" if mark.mistake == NOT_STARTED.mistake else "bad"
    if not mark.mistake:
        kind = "good"
    record: dict[str, object] = {"mark": asdict(mark)}
    parts = "; ".join(f"{part}: {_worded(part, mark)}" for part in mark.seen)
    show_box(
        kind, f"{title} · {mark.earned} of {mark.worth}{after}", f"{parts}. {mark.says}", metadata=record
    )
    return float(mark.earned)


def _worded(part: str, mark: Mark) -> str:
    words = {0: "wrong", 1: "right"}
    if part not in mark.hidden:
        return words[mark.seen[part]]
    return f"{words[mark.seen[part]]} here, {words[mark.hidden[part]]} on hidden cases"


def elsewhere(f: object) -> list[str]:
    """Name the notebook's data that a function uses: what is no module, function or class, or a plain value.

    Only cells that define functions, and your own, run while grading: what the lesson computes isn't there.
    """
    code = getattr(f, "__code__", None)
    if not isinstance(f, FunctionType) or code is None:
        return []
    values = {name: f.__globals__[name] for name in code.co_names if name in f.__globals__}
    return sorted(name for name, value in values.items() if _is_data(value))


def _is_data(value: object) -> bool:
    plain = isinstance(value, (bool, int, float, str, bytes, tuple, type(None)))
    return not plain and not callable(value) and type(value).__name__ != "module"


# The seed of the hidden cases


def hidden_seed() -> int | None:
    """Return the seed of the class while nbgrader grades below its folder; None anywhere else."""
    if os.environ.get("NBGRADER_EXECUTION") != "autograde":
        return None
    folder = next((folder for folder in Path.cwd().parents if (folder / SEED_FILE).is_file()), None)
    return None if folder is None else read_seed(folder / SEED_FILE)


def read_seed(path: Path) -> int:
    """Read the seed of a class; raise `DataError`, or `ArgumentError` where it is no seed."""
    fix = "Put back the file that `wmlearn classroom init` wrote, or begin a new folder."
    text = files.read(path, most=100, fix=fix).decode("ascii", "replace").strip()
    require(text.isascii() and text.isdigit(), f"{path} must hold one whole number", text, fix)
    return int(text)


def unfair(seed: int, ids: Sequence[str]) -> list[str]:
    """Say what a seed would change: the named mistakes that lose other points on its cases than on those that
    everybody sees, or none at all. A fair seed gives an empty list.
    """
    return [line for id in ids for line in _luck(find(id), seed)]


def _luck(exercise: Exercise, seed: int) -> Iterator[str]:
    here = kept_by_mistake(exercise, seed)
    for mistake, points in kept_by_mistake(exercise, SEEN).items():
        if here[mistake] != points or len(here[mistake]) == len(exercise.cases(SEEN)):
            yield f"{exercise.id} {mistake}: {len(here[mistake])} of {len(exercise.cases(SEEN))} parts"


def kept_by_mistake(exercise: Exercise, seed: int) -> dict[str, tuple[str, ...]]:
    """Return the parts that each named mistake still gets right: its id -> parts."""
    cases = exercise.cases(seed)
    wanted = _wanted(exercise, cases)
    kept = {}
    for mistake in exercise.mistakes:
        points = _points(exercise, mistake.wrong, wanted, cases)
        kept[mistake.id] = tuple(part for part, point in points.items() if point)
    return kept


# Points


def _wanted(exercise: Exercise, cases: Cases) -> Wanted:
    """Return the reference's answers to the cases of a seed, by part."""
    return {part: right_answers(exercise, trials) for part, trials in cases.items()}


def _points(exercise: Exercise, f: Solution, wanted: Wanted, cases: Cases) -> dict[str, int]:
    return {part: int(passes(exercise, f, trials, wanted[part])) for part, trials in cases.items()}


class TooLong(BaseException):
    """Passes an answer's own `except Exception`."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Stop what takes longer; not on Windows, which has no such alarm: there the whole cell has a limit."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)  # again each second, if the answer swallows it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _silence() -> Iterator[None]:
    """Let nothing be printed or logged: nbgrader gives no point where a cell writes to stderr."""
    disabled = logging.root.manager.disable
    with open(os.devnull, "w", encoding="utf-8") as nowhere, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        try:
            with redirect_stdout(nowhere), redirect_stderr(nowhere):
                yield
        finally:
            logging.disable(disabled)


@contextmanager
def _calls_of(reference: Solution) -> Iterator[list[str]]:
    """Note every call of the course's own function, by whatever name it was kept."""
    code = getattr(reference, "__code__", None)
    calls: list[str] = []

    def look(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code is code:
            calls.append(event)

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        yield calls
    finally:
        sys.setprofile(before)
