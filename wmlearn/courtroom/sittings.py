"""A sitting of the court: cases are opened, for minutes and queries; decided; scored; and revealed.

The truth is in nothing that a learner gets: in class it isn't on the learner's machine; alone, a referee
keeps it, of which everybody has the seal. Who looks for it in the memory of the process, or deals the same
seed twice, finds it, and plays patience against themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor, nn

from .. import progress
from ..errors import require
from ..evidence import Suspect, answers
from ..watermarks.secret import secret_of
from . import small_digits
from .dealing import Dealt, Truth, dealt
from .desks import MINUTES, QUERIES, Desk, DeskInMemory, Drawer, Ruling, check_why
from .filings import Papers
from .opinions import Opinion, opinions
from .seals import Opening, check_seal, opening

FALSE_CONVICTION = 10
"""What it costs, in missed thieves."""


@dataclass(frozen=True)
class SealedCase:
    """What everybody knows of a case: who claims that whose network was made from theirs, whether it is only
    sold as a `service`, and the seal of the truth.
    """

    number: int
    claimant: str
    accused: str
    service: bool
    seal: str

    def __str__(self) -> str:
        what = "the service" if self.service else "the network"
        return f"case {self.number}: {self.claimant} says that {what} of {self.accused} was stolen"


@dataclass(frozen=True)
class Judgement:
    """All rulings of a sitting, and what it has cost."""

    rulings: tuple[Ruling, ...]
    minutes: int
    queries: int


@dataclass(frozen=True)
class Score:
    """How a judgement compares with the truth: thieves convicted, and `missed`; innocents acquitted, and
    convicted (`false`); cases without a ruling count as missed.
    """

    cases: int
    missed: int
    false: int

    @property
    def right(self) -> int:
        """How many rulings were right."""
        return self.cases - self.missed - self.false

    @property
    def points(self) -> int:
        """One a case; a missed thief costs one, a false conviction ten."""
        return self.cases - self.missed - FALSE_CONVICTION * self.false


@dataclass(frozen=True)
class Revealed:
    """A case when all is over: the opened truth, what was ruled, and what each test says."""

    opening: Opening
    ruling: Ruling
    opinions: tuple[Opinion, ...]

    @property
    def right(self) -> bool:
        """Whether the ruling was right."""
        return self.opening.truth.stolen == self.ruling.stolen


Archive = Callable[[int], Papers]
"""Hands over the papers of a case."""
Bailiff = Callable[[int], Suspect]
"""Hands over the accused's network; a service as a function without a count."""
Referee = Callable[[], tuple[Opening, ...]]
"""Opens the seals when all is ruled."""
Expert = Callable[[int], tuple[Opinion, ...]]
"""Says what each test says of a case."""


@dataclass(frozen=True, eq=False)
class Court:
    """Sealed cases, and the drawer in which the desk of whoever judges them lies."""

    cases: tuple[SealedCase, ...]
    drawer: Drawer = field(repr=False)
    archive: Archive = field(repr=False)
    bailiff: Bailiff = field(repr=False)
    referee: Referee = field(repr=False)
    expert: Expert = field(repr=False)

    @property
    def desk(self) -> Desk:
        """What was done so far: minutes and queries left, what is open, rulings."""
        return self.drawer.read()


def court(seed: int = 0, *, cases: int = 12) -> Court:
    """Deal `cases` sealed cases, 12 or 4, and open a sitting; each seed deals others, in a quarter of a
    minute. `courtroom` has what a judge does there.

    >>> court = wm.court(7)  # doctest: +SKIP
    >>> papers = wm.courtroom.papers(court, 1)  # doctest: +SKIP
    >>> wm.court(7, cases=5)
    Traceback (most recent call last):
    wmlearn.errors.ArgumentError: a court must have 12 cases, or 4, got 5.
    """
    return seated(dealt(secret_of(seed, None) + b" court", cases))


def seated(cases: Sequence[Dealt]) -> Court:
    """Open a sitting over dealt cases, whose truths the referee keeps until all are ruled."""
    openings = tuple(opening(each.truth) for each in cases)
    drawer = DeskInMemory(Desk(len(cases)))

    def archive(number: int) -> Papers:
        return cases[number - 1].papers

    def bailiff(number: int) -> Suspect:
        return cases[number - 1].suspect

    def referee() -> tuple[Opening, ...]:
        rulings = drawer.read().rulings
        missing = [each.truth.number for each in cases if each.truth.number not in rulings]
        require(not missing, "all cases must be ruled before a seal is opened", f"none on {missing}")
        return openings

    def expert(number: int) -> tuple[Opinion, ...]:
        referee()
        return opinions(archive(number), bailiff(number))

    listed = tuple(listed_case(case, opening.seal) for case, opening in zip(cases, openings, strict=True))
    return Court(listed, drawer, archive, bailiff, referee, expert)


def listed_case(case: Dealt, seal: str) -> SealedCase:
    """Return what everybody may know of a case."""
    papers = case.papers
    return SealedCase(case.truth.number, papers.claimant.name, papers.accused.name, case.service, seal)


def papers(court: Court, number: int) -> Papers:
    """Open the papers of a case, for 10 minutes, and again for nothing; raise `ArgumentError` for no case."""
    _check_number(court, number)
    found = court.archive(number)  # before it is paid: nobody pays for a damaged file
    court.drawer.update(lambda desk: desk.opened(number, "papers"))
    return found


def accused(court: Court, number: int) -> Suspect:
    """Order the accused to hand over the network, for 10 minutes, and again for nothing: a module; of a
    service, a function from pictures (N, 1, 28, 28) to labels (N,), which counts each picture as a query,
    once, and refuses when all are spent.
    """
    _check_number(court, number)
    found = court.bailiff(number)
    court.drawer.update(lambda desk: desk.opened(number, "accused"))
    if isinstance(found, nn.Module):
        return found
    ask = found

    def service(x: Tensor) -> Tensor:
        labels = answers(ask, x)
        hashes = [_hash(number, image) for image in x]
        court.drawer.update(lambda desk: desk.questioned(hashes), lasting=False)  # a judge asks one by one
        return labels

    return service


def _hash(number: int, image: Tensor) -> str:
    """Return 16 hexadecimal digits that stand for a picture (C, H, W), asked about in a case."""
    raw = image.detach().cpu().contiguous().numpy().tobytes()
    return hashlib.sha256(f"case {number} ".encode() + raw).hexdigest()[:16]


def siblings(court: Court) -> tuple[nn.Module, ...]:
    """Have the court train networks as every claimant's was, for 40 minutes, and again for nothing: a control
    for all cases.
    """
    court.drawer.update(lambda desk: desk.opened(0, "siblings"))
    return small_digits.siblings()


def rule(court: Court, number: int, *, stolen: bool, why: str = "") -> Ruling:
    """Rule on a case, once and for all; raise `ArgumentError` for no case, or another ruling on it."""
    _check_number(court, number)
    require(type(stolen) is bool, "stolen must be True or False", stolen)
    check_why(why)
    ruling = Ruling(number, stolen, why)
    court.drawer.update(lambda desk: desk.ruled(ruling))
    return ruling


def judgement(court: Court) -> Judgement:
    """Return the rulings so far, and what they have cost."""
    n = len(court.cases)
    desk = court.desk
    rulings = tuple(desk.rulings[number] for number in sorted(desk.rulings))
    return Judgement(rulings, MINUTES[n] - desk.minutes, QUERIES[n] - desk.queries)


def score(court: Court) -> Score:
    """Compare the judgement with the truth; raise `ArgumentError` until every case is ruled."""
    return scored(court.desk.rulings, [each.truth for each in court.referee()])


def scored(rulings: Mapping[int, Ruling], truths: Sequence[Truth]) -> Score:
    """Compare rulings, by number, with truths."""
    missed = 0
    false = 0
    for truth in truths:
        ruling = rulings.get(truth.number)
        if ruling is not None and ruling.stolen and not truth.stolen:
            false += 1
        elif ruling is None or ruling.stolen != truth.stolen:
            missed += 1
    return Score(len(truths), missed, false)


def reveal(court: Court) -> tuple[Revealed, ...]:
    """Open all seals, check them, and say what each test would have said; raises `ArgumentError` until every
    case is ruled, `DataError` where a seal doesn't fit.
    """
    openings = court.referee()
    for each, case in zip(openings, court.cases, strict=True):
        check_seal(each, case.seal)
    rulings = court.desk.rulings
    revealed = []
    for each in progress.each(openings, "what each test says"):
        number = each.truth.number
        revealed.append(Revealed(each, rulings[number], court.expert(number)))
    return tuple(revealed)


def _check_number(court: Court, number: int) -> None:
    n = len(court.cases)
    good = type(number) is int and 1 <= number <= n
    require(good, f"a case must be one of 1..{n}", number, "court.cases lists them.")
