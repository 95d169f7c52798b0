"""Forty courts of twelve cases: what does each test say of each kind of case, and what do judges score who
listen to one test, to all, or to the papers first?

Cases are dealt as `wm.court` deals them, but from secrets of their own, so that no truth of a learner's court
lies in the results. Limits were set on other networks. No judge here pays minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import mean

from ..courtroom import Score
from ..courtroom.dealing import INNOCENTS, LAST, THEFTS, Dealt, dealt
from ..courtroom.forged import ALL as FORGERIES
from ..courtroom.opinions import opinions
from ..training import Recipe
from ..watermarks.secret import secret_of
from .experiment import Cell, Comparison, Experiment, Results, Row

SEEDS = range(40)
SHOWN = "pictures shown"
ORDER = "who released first"
LICENCE = "licence"
MARK = "mark"
START = "public start"
WEIGHTS = "weights"
MATCHED = "weights, matched"
SCORES = "scores"
TESTS = (SHOWN, MARK, WEIGHTS, MATCHED, SCORES)
"""Those that can accuse; the others can only clear."""
CLEARING = (ORDER, LICENCE, START)
Says = Mapping[str, bool | None]
"""Test -> whether it accuses; None where it has nothing to say, or only can't clear."""
Judge = Callable[[Says], bool]


@dataclass(frozen=True)
class Tried:
    """A case, the truth, and what each test says."""

    kind: str
    stolen: bool
    service: bool
    says: Says


def _measure(cell: Cell, recipe: Recipe) -> Row:
    """Deal twelve cases, and ask every test about each; a court has a recipe of its own."""
    del recipe
    cases = dealt(secret_of(cell["seed"], None) + b" court experiment")
    return {"cases": [_row(case) for case in cases]}


def _row(case: Dealt) -> Row:
    says = {opinion.test: opinion.accuses for opinion in opinions(case.papers, case.suspect)}
    return {"kind": case.truth.kind, "stolen": case.truth.stolen, "service": case.service, "says": says}


# What the rows say


def courts(results: Results) -> list[list[Tried]]:
    """Return the cases of each court."""
    return [list(map(_tried, row["cases"])) for row in results.rows]


def _tried(case: Row) -> Tried:
    return Tried(**case)


def tried(results: Results) -> list[Tried]:
    """Return all cases."""
    return [case for court in courts(results) for case in court]


KINDS = (*THEFTS, "promised late", *(kind for kind in INNOCENTS if "forged" not in kind), LAST[0], *FORGERIES)
"""Thefts first, then the ways to be innocent, false claims last."""


@dataclass(frozen=True)
class Said:
    """Of `n` cases a test accuses in `accuses`, clears in `clears`, and says nothing in the others."""

    accuses: int
    clears: int
    n: int


def said(results: Results, test: str, *kinds: str) -> Said:
    """Count what a test says of the cases of some kinds."""
    answers = [case.says[test] for case in tried(results) if case.kind in kinds]
    return Said(answers.count(True), answers.count(False), len(answers))


def accused(results: Results, test: str, *, stolen: bool) -> Said:
    """Count what a test says of all thefts, or of all innocents."""
    answers = [case.says[test] for case in tried(results) if case.stolen == stolen]
    return Said(answers.count(True), answers.count(False), len(answers))


def papers_first(says: Says) -> bool:
    """Rule as the course does: whom the papers clear is innocent; a mark that holds convicts; weights and
    scores do, unless both networks may have begun with public weights.
    """
    if cleared(says):
        return False
    if says[MARK]:
        return True
    if says[START] is False:
        return False
    return any(says[test] is True for test in (WEIGHTS, MATCHED, SCORES))


def cleared(says: Says) -> bool:
    """Say whether the papers clear the accused: who was first, or has leave, stole nothing."""
    return says[ORDER] is False or says[LICENCE] is False


def _one(test: str) -> Judge:
    return lambda says: says[test] is True


def _papers_and(test: str) -> Judge:
    return lambda says: not cleared(says) and says[test] is True


JUDGES: dict[str, Judge] = {
    "convict everybody": lambda says: True,
    "convict nobody": lambda says: False,
    **{f"{test} only": _one(test) for test in TESTS},
    "any test": lambda says: any(says[test] is True for test in TESTS),
    "two tests": lambda says: sum(says[test] is True for test in TESTS) >= 2,
    "papers, then pictures": _papers_and(SHOWN),
    "papers, then mark": _papers_and(MARK),
    "papers first": papers_first,
}


def judged(results: Results, judge: Judge) -> list[Score]:
    """Let a judge rule on every court."""
    return [_scored(court, judge) for court in courts(results)]


def _scored(court: list[Tried], judge: Judge) -> Score:
    convicted = [bool(judge(case.says)) for case in court]
    pairs = list(zip(court, convicted, strict=True))
    missed = sum(case.stolen and not guilty for case, guilty in pairs)
    false = sum(guilty and not case.stolen for case, guilty in pairs)
    return Score(len(court), missed, false)


@dataclass(frozen=True)
class ErrorRates:
    """The shares of thefts that a judge misses, and of innocents that a judge convicts."""

    missed: float
    false: float


def error_rates(results: Results, judge: Judge) -> ErrorRates:
    """Return how often a judge errs over all courts."""
    found = judged(results, judge)
    thefts = sum(case.stolen for case in tried(results))
    innocents = len(tried(results)) - thefts
    missed = sum(score.missed for score in found)
    false = sum(score.false for score in found)
    return ErrorRates(missed / thefts, false / innocents)


def points(results: Results, judge: Judge) -> list[int]:
    """Return what a judge scores in each court."""
    return [score.points for score in judged(results, judge)]


def _contrast(results: Results) -> str:
    """Set the course's judge beside two who don't read papers."""
    own = points(results, papers_first)
    nobody = mean(points(results, JUDGES["convict nobody"]))
    pictures = mean(points(results, JUDGES[f"{SHOWN} only"]))
    others = f"convicting nobody {nobody:.1f}, by pictures {pictures:.1f}"
    return f"{mean(own):.1f} ({min(own):.0f} to {max(own):.0f}, n = {len(own)} courts); {others}"


def _summary(results: Results) -> list[Comparison]:
    lines = [Comparison("court: points of twelve, papers before tests", "", _contrast(results))]
    for test in (*TESTS, *CLEARING):
        thefts = accused(results, test, stolen=True)
        innocents = accused(results, test, stolen=False)
        says = f"{thefts.accuses} of {thefts.n} thefts, {innocents.accuses} of {innocents.n} innocents"
        others = f"clears {thefts.clears} and {innocents.clears}"
        lines.append(Comparison(f"{test}: accuses", "", f"{says}; {others}"))
    for name, judge in JUDGES.items():
        found = points(results, judge)
        says = f"{mean(found):.1f} of 12 points ({min(found):.0f} to {max(found):.0f})"
        lines.append(Comparison(f"judge: {name}", "", says))
    return lines


COURT = Experiment(
    name="court",
    question="In forty courts, what does each test say of each kind of case, and which judge errs least?",
    minutes=9,
    chapter="16 The court",
    cells=tuple({"seed": seed} for seed in SEEDS),
    measure=_measure,
    summary=_summary,
)
