"""A judge's desk: what is open, what services were asked, how was ruled; in memory, or in a file, which
whoever starts again finds as it was.

What is done stays done. Something is paid for once, and handed over again for nothing, and so is a service's
answer; a ruling stands. Minutes and queries that are left follow from what was done, and stand in no file.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from ..data import files, strict_json
from ..errors import DataError, SetAsideWarning, WmlearnError, require

PRICES = {"papers": 10, "accused": 10, "siblings": 40}
"""Minutes: the papers of a case, the accused's network or service, the court's own networks."""
MINUTES = {12: 270, 4: 120}
"""What a court has: with twelve cases not everything can be opened."""
QUERIES = {12: 1_000, 4: 600}
"""About how many pictures all services together may be asked."""
VERSION = 1
MOST_BYTES = 2**22
MOST_WHY = 20_000
"""Characters of a reason: a few pages."""
FIX = "Enter the court again: that sets the file aside, and begins a new desk."


@dataclass(frozen=True)
class Ruling:
    """What a judge says of a case: was the network stolen, and why."""

    number: int
    stolen: bool
    why: str = ""


@dataclass(frozen=True)
class Desk:
    """What a judge of `cases` cases has done: what is open, by number (0: of no case) and name; which
    pictures services were asked about, by hash; how was ruled, by number.
    """

    cases: int
    open: tuple[tuple[int, str], ...] = ()
    asked: tuple[str, ...] = ()
    rulings: Mapping[int, Ruling] = field(default_factory=dict)

    @property
    def minutes(self) -> int:
        """Minutes that are left."""
        return MINUTES[self.cases] - sum(PRICES[what] for _, what in self.open)

    @property
    def queries(self) -> int:
        """Queries that are left."""
        return QUERIES[self.cases] - len(self.asked)

    def opened(self, number: int, what: str) -> Desk:
        """Return the desk with something open, for its minutes; for nothing where it was open already."""
        if (number, what) in self.open:
            return self
        price = PRICES[what]
        of = f" of case {number}" if number else ""
        rule = f"the {what}{of} must fit the minutes that are left, {self.minutes}"
        require(price <= self.minutes, rule, f"{price} minutes", "Rule on what you have.")
        return replace(self, open=(*self.open, (number, what)))

    def questioned(self, pictures: Sequence[str]) -> Desk:
        """Return the desk after a service was asked, a query for each picture that is new to it."""
        known = set(self.asked)
        new = [each for each in dict.fromkeys(pictures) if each not in known]
        rule = f"services must be asked no more than {self.queries} queries that are left"
        require(len(new) <= self.queries, rule, len(new), "Rule on what you have.")
        return replace(self, asked=(*self.asked, *new))

    def ruled(self, ruling: Ruling) -> Desk:
        """Return the desk with a ruling, which stands: the same may be said again, and no other."""
        before = self.rulings.get(ruling.number, ruling)
        what = f"case {ruling.number} must be ruled on once"
        require(before == ruling, what, "another ruling", "A judgement stands.")
        return replace(self, rulings={**self.rulings, ruling.number: ruling})


class Drawer(Protocol):
    """Where a desk lies: `DeskInMemory`, `DeskFile`."""

    def read(self) -> Desk:
        """Return the desk as it is."""
        ...

    def update(self, change: Callable[[Desk], Desk], *, lasting: bool = True) -> Desk:
        """Change the desk, whole or not at all, and return it; what isn't `lasting` may go with the power."""
        ...


@dataclass
class DeskInMemory:
    """A desk that nobody finds again."""

    desk: Desk

    def read(self) -> Desk:
        """Return the desk as it is."""
        return self.desk

    def update(self, change: Callable[[Desk], Desk], *, lasting: bool = True) -> Desk:
        """Change the desk, and return it."""
        del lasting
        self.desk = change(self.desk)
        return self.desk


@dataclass(frozen=True)
class DeskFile:
    """A desk of `cases` cases in a file, which says to which `court` it belongs: a hash."""

    path: Path
    cases: int
    court: str

    def read(self) -> Desk:
        """Return the desk as it is, an empty one where there is no file yet.

        Raises `DataError` where the file is damaged, or another court's.
        """
        if not self.path.exists():
            return Desk(self.cases)
        raw = files.read(self.path, most=MOST_BYTES, fix=FIX)
        try:
            content = strict_json.parsed(raw)
            require(content["version"] == VERSION, f"its version must be {VERSION}", content["version"])
            require(content["court"] == self.court, "it must lie in the folder where it began", "another")
            return _done_again(content, self.cases)
        except (KeyError, TypeError, ValueError, WmlearnError) as error:
            says = str(error).rstrip(".")
            raise DataError(f"{self.path} must be the desk of this court, got: {says}. {FIX}") from error

    def update(self, change: Callable[[Desk], Desk], *, lasting: bool = True) -> Desk:
        """Change the desk on disk, whole or not at all, and return it; of two notebooks at once one waits.
        What isn't `lasting` is written faster, and may go with the power.

        Raises `DataError` where the file is damaged, or the folder can't be written: then nothing is changed.
        """
        with files.alone(self.path):
            before = self.read()
            after = change(before)
            if after != before:
                files.write(self.path, self._text(after), lasting=lasting)
            return after

    def mend(self) -> None:
        """Set a damaged file, or another court's, aside with `SetAsideWarning`: nothing of it is lost."""
        try:
            self.read()
        except DataError:
            with files.alone(self.path):
                self._set_aside()

    def _set_aside(self) -> None:
        try:
            self.read()  # another notebook may have mended it meanwhile
        except DataError as error:
            aside = files.set_aside(self.path)
            says = f"{str(error).removesuffix(f' {FIX}')} It lies at {aside} now, and a new desk has begun."
            warnings.warn(says, SetAsideWarning, stacklevel=5)

    def _text(self, desk: Desk) -> bytes:
        content = {
            "version": VERSION,
            "court": self.court,
            "open": desk.open,
            "asked": desk.asked,
            "rulings": [asdict(ruling) for ruling in desk.rulings.values()],
        }
        return json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"


def _done_again(content: Mapping[str, Any], cases: int) -> Desk:
    """Do all that a file says was done, by the rules that held when it was done first."""
    desk = Desk(cases)
    for number, what in content["open"]:
        numbers = range(1) if what == "siblings" else range(1, cases + 1)
        good = what in PRICES and type(number) is int and number in numbers
        require(good, f"what is open must be of a case of 1..{cases}", f"{what} of {number}")
        desk = desk.opened(number, what)
    require(all(isinstance(each, str) for each in content["asked"]), "queries must be hashes", "another")
    desk = desk.questioned(content["asked"])
    for part in content["rulings"]:
        desk = desk.ruled(read_ruling(part, cases))
    return desk


def read_ruling(part: Mapping[str, Any], n: int) -> Ruling:
    """Read a ruling on one of `n` cases; raise `ArgumentError`, or `TypeError`, for anything else."""
    ruling = Ruling(**part)
    good = type(ruling.number) is int and 1 <= ruling.number <= n
    require(good, f"a ruling must be on a case of 1..{n}", ruling.number)
    require(type(ruling.stolen) is bool, "stolen must be true or false", ruling.stolen)
    check_why(ruling.why)
    return ruling


def check_why(why: object) -> None:
    """Raise `ArgumentError` unless a reason is text that a file can hold."""
    require(isinstance(why, str), "why must be text", type(why).__name__)
    text = str(why)
    is_short = len(text) <= MOST_WHY
    require(is_short, f"why must have at most {MOST_WHY:,} characters", len(text), "Shorten it.")
    halves = any("\ud800" <= each <= "\udfff" for each in text)
    require(not halves, "why must be text", "half of a surrogate pair", "Type it anew.")
