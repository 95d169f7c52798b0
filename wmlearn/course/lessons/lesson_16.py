"""What the cells of notebook 16 call: registries as plain lists, what findings are worth, claims; a dial; the
end of a learner's own court; the challenge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from math import prod
from statistics import mean
from typing import Any

import ipywidgets
import torch
from torch import nn

from ... import courtroom
from ...courtroom import Court, Papers, Revealed, dealing, sittings
from ...courtroom.small_digits import odd_queries
from ...evidence.siblings import following
from ...experiments import Results
from ...experiments import court as measured
from ...ownership import Entry, fingerprint
from ...ownership.documents import genuine, parse
from ...ownership.registry import KINDS
from ...plots.court import price_point
from ...training import predict
from ...watermarks.secret import secret_of
from ..challenges import Challenge, Score
from ..claims import Claim
from ..figures import table
from ..widgets import Dial, depict, redraw

_count = partial(Claim, unit="count")


# The papers


def listed(court: Court) -> list[list[str]]:
    """Return the cases of a court: number, claimant, accused, and as what the accused sells the network."""
    cases = court.cases
    return [[str(c.number), c.claimant, c.accused, "a service" if c.service else "a file"] for c in cases]


def registry(papers: Papers) -> list[list[str]]:
    """Return the entries of a registry: number, what was entered, by whom, and the date that it bears."""
    names = {papers.claimant.by: papers.claimant.name, papers.accused.by: papers.accused.name}
    rows = []
    for entry in papers.book.entries:
        document = _document(entry)
        rows.append([str(entry.number), entry.kind, names.get(document.by, "a judge"), document.made[:10]])
    return rows


def _document(entry: Entry) -> Any:
    return parse(entry.document, KINDS[entry.kind])


def docket(papers: Papers) -> dict[str, Any]:
    """Return what exercise 16.1 reads, from the papers of a case; keys stand for people."""
    entries = []
    for entry in papers.book.entries:
        document = _document(entry)
        entries.append({"number": entry.number, "kind": entry.kind, "by": document.by, "made": document.made})
    licences = [
        {"by": each.by, "to": each.to, "weights": each.fingerprint, "genuine": genuine(each)}
        for each in papers.licences
    ]
    return {
        "entries": entries,
        "licences": licences,
        "claimant": papers.claimant.by,
        "accused": papers.accused.by,
        "weights": fingerprint(papers.original),
    }


# What findings are worth

ALIKE = (measured.MARK, measured.WEIGHTS, measured.MATCHED, measured.SCORES)


@dataclass(frozen=True)
class Finding:
    """Some `tests` accuse; with `papers`, these don't clear; with `own_start`, there was no public one."""

    tests: tuple[str, ...]
    papers: bool = True
    own_start: bool = False


FINDINGS = {
    "pictures match": Finding((measured.SHOWN,), papers=False),
    "mark holds": Finding((measured.MARK,), papers=False),
    "four tests agree": Finding(ALIKE, papers=False),
    "papers, pictures match": Finding((measured.SHOWN,)),
    "papers, mark holds": Finding((measured.MARK,)),
    "papers, weights alike": Finding((measured.WEIGHTS,)),
    "papers, weights alike, no public start": Finding((measured.WEIGHTS,), own_start=True),
}
PRIORS = (0.5, 0.05)
Convicts = Callable[[float, list[tuple[float, float]], float], bool]


def _shows(case: measured.Tried, finding: Finding) -> bool:
    if finding.papers and measured.cleared(case.says):
        return False
    if finding.own_start and case.says[measured.START] is False:
        return False
    return all(case.says[test] is True for test in finding.tests)


def rates(results: Results, finding: Finding) -> tuple[float, float]:
    """Return which share of thefts, and of innocents, shows a finding; one more that does is counted of each,
    and one that doesn't: none of few isn't never.
    """
    return _share(results, finding, stolen=True), _share(results, finding, stolen=False)


def _share(results: Results, finding: Finding, *, stolen: bool) -> float:
    cases = [case for case in measured.tried(results) if case.stolen == stolen]
    return (sum(_shows(case, finding) for case in cases) + 1) / (len(cases) + 2)


def worth(convicts: Convicts, results: Results) -> list[list[str]]:
    """Return of how many cases each finding is true, and whether it convicts, by prior."""
    price = courtroom.FALSE_CONVICTION
    rows = []
    for name, finding in FINDINGS.items():
        found = rates(results, finding)
        rulings = ["convict" if convicts(prior, [found], price) else "acquit" for prior in PRIORS]
        rows.append([name, *(f"{share:.1%}" for share in found), *rulings])
    return rows


def agreeing(results: Results) -> list[Claim]:
    """Claim how probable theft is, from a prior of one half, where four tests agree: counted together, and
    multiplied as if independent; and where a mark holds after the papers.
    """
    thefts, innocents = rates(results, FINDINGS["four tests agree"])
    safe = rates(results, FINDINGS["papers, mark holds"])
    counted = _chance(thefts / innocents)
    multiplied = prod(_alone(results, test) for test in ALIKE)
    return [
        Claim("16.counted", "Probability of theft, four tests counted", counted, high=0.7),
        Claim("16.multiplied", "Probability of theft, multiplied", _chance(multiplied), low=0.8),
        Claim("16.safe", "Probability of theft, papers and mark", _chance(safe[0] / safe[1]), low=0.95),
    ]


def _chance(odds: float) -> float:
    return odds / (1 + odds)


def _alone(results: Results, test: str) -> float:
    """Return how much more often a test accuses thefts than innocents."""
    thefts = measured.accused(results, test, stolen=True)
    innocents = measured.accused(results, test, stolen=False)
    return (thefts.accuses / thefts.n) / (innocents.accuses / innocents.n)


# The tests


def lead(original: nn.Module, suspect: nn.Module, strangers: Sequence[nn.Module]) -> float:
    """Return how much more closely a suspect follows the scores of the original than those of any stranger
    (lesson 12).
    """
    x = odd_queries()
    told = torch.stack([predict(network, x) for network in (original, *strangers)])
    own, *others = following(predict(suspect, x), told).tolist()
    return own - max(others)


def said(examined: Mapping[int, Mapping[str, bool | None]]) -> list[list[str]]:
    """Return what each test says of each case that was examined: a row a test."""
    rows = []
    for test in next(iter(examined.values())):
        rows.append(_spoken(test, [says[test] for says in examined.values()]))
    return rows


def _spoken(test: str, answers: Sequence[bool | None]) -> list[str]:
    """Return what a test says of some cases, in words, behind its name."""
    return [test, *(_word(test, answer) for answer in answers)]


def _word(test: str, accuses: bool | None) -> str:
    if test in measured.CLEARING and accuses is False:
        return "clears"
    return {True: "accuses", False: "doesn't", None: "silent"}[accuses]


# What comes out


def outcome(revealed: Sequence[Revealed]) -> list[list[str]]:
    """Return what was ruled on each case, whether that was right, and what happened."""
    return [_outcome(each) for each in revealed]


def _outcome(each: Revealed) -> list[str]:
    ruling = "stolen" if each.ruling.stolen else "not stolen"
    return [str(each.ruling.number), ruling, "right" if each.right else "wrong", each.opening.truth.story]


def judged(revealed: Sequence[Revealed]) -> list[Claim]:
    """Claim how many of the lesson's four cases were ruled rightly."""
    n = len(revealed)
    right = sum(each.right for each in revealed)
    matching = [each for each in revealed if each.opinions[0].accuses]
    innocent = sum(not each.opening.truth.stolen for each in matching)
    return [
        _count("16.right", "Cases ruled rightly", right, n=n, low=n),
        _count("16.matching", "Cases whose pictures match", len(matching), n=n, low=2),
        _count("16.fooled", "Innocents among them", innocent, n=len(matching), low=1),
    ]


def closing(court: Court) -> None:
    """Say what waits in a court; when all is ruled, the score, what happened, and what each test says."""
    waiting = [case.number for case in court.cases if case.number not in court.desk.rulings]
    if waiting:
        numbers = ", ".join(str(number) for number in waiting)
        left = f"{court.desk.minutes} minutes and {court.desk.queries} queries left"
        return print(f"No ruling yet on {numbers}. {left}.")
    score = courtroom.score(court)
    print(f"{score.points} of {score.cases} points: {score.missed} missed, {score.false} convicted falsely.")
    revealed = courtroom.reveal(court)
    table(["case", "ruling", "", "what happened"], outcome(revealed))
    rows = []
    for i, opinion in enumerate(revealed[0].opinions):
        rows.append(_spoken(opinion.test, [each.opinions[i].accuses for each in revealed]))
    table(["test", *(f"case {each.ruling.number}" for each in revealed)], rows)


# Forty courts

Verdict = Callable[[dict[str, bool | None]], bool]


def own_points(verdict: Verdict, results: Results) -> list[int]:
    """Return what the papers, and then a verdict by tests, score in each court."""
    return measured.points(results, _after_papers(verdict))


def _after_papers(verdict: Verdict) -> measured.Judge:
    def judge(says: measured.Says) -> bool:
        return not measured.cleared(says) and bool(verdict(dict(says)))

    return judge


def matching_innocents(results: Results) -> float:
    """Return the share of innocents whose networks match the pictures that are shown."""
    found = measured.accused(results, measured.SHOWN, stolen=False)
    return found.accuses / found.n


def forty(own: Sequence[float], results: Results) -> list[Claim]:
    """Claim what tests say of thefts and of innocents, and what judges score."""
    cases = measured.tried(results)
    thefts = sum(case.stolen for case in cases)
    claims = [
        _count("16.cases", "Cases", len(cases), low=240),
        _count("16.thefts", "Thefts among them", thefts, n=len(cases), low=100),
    ]
    for test in (measured.SHOWN, measured.MARK, measured.WEIGHTS):
        found = measured.accused(results, test, stolen=False)
        id = f"16.innocent_{test.split()[0]}"
        what = f"Innocents whom {test} accuses"
        claims.append(_count(id, what, found.accuses, n=found.n, low=0.05 * found.n))
    distilled = {test: measured.said(results, test, "distilled") for test in measured.TESTS}
    others = sum(found.accuses for test, found in distilled.items() if test != measured.SCORES)
    scores = distilled[measured.SCORES]
    what = "Distilled copies that scores accuse"
    return [
        *claims,
        _count("16.distilled", what, scores.accuses, n=scores.n, low=0.9 * scores.n),
        _count("16.distilled_else", "Accusations of them by any other test", others, high=0.1 * scores.n),
        _count("16.any", "Mean points: any test", _mean(results, "any test"), high=0),
        _count("16.two", "Mean points: two tests", _mean(results, "two tests"), high=0),
        _count("16.shown", "Mean points: pictures shown only", _mean(results, "pictures shown only"), high=0),
        _count("16.nobody", "Mean points: convict nobody", _mean(results, "convict nobody"), low=5),
        _count("16.own", "Mean points: your procedure", mean(own), low=11),
    ]


def _mean(results: Results, judge: str) -> float:
    return mean(measured.points(results, measured.JUDGES[judge]))


# To play with


def price_dial(results: Results) -> ipywidgets.VBox:
    """Let the learner say how many claims are just, and what a false conviction costs."""
    share = Dial("just claims", {f"{n} of 100": n / 100 for n in (1, 10, 50, 90)}, start=0.5)
    price = Dial("a false conviction", {f"{n} missed thieves": n for n in (1, 3, 10, 100)}, start=10)
    look = lambda: depict(price_point, results, share.value, price.value)  # noqa: E731
    return redraw(look, share, price)


# The challenge

SECRET = secret_of(1_616, None) + b" challenge"
LOST = {"missed": 100, "false": 1_000}
"""What mistakes cost, in minutes."""


@lru_cache(1)
def _cases() -> tuple[dealing.Dealt, ...]:
    return dealing.dealt(SECRET)


def quick(judge: Callable[[Court], None]) -> Score:
    """Score a judge of twelve sealed cases: minutes, 100 for each missed thief, 1,000 for each innocent."""
    _check_written(judge)
    court = sittings.seated(_cases())
    judge(court)
    truths = [each.truth for each in _cases()]
    score = sittings.scored(court.desk.rulings, truths)
    spent = courtroom.judgement(court)
    cost = spent.minutes + LOST["missed"] * score.missed + LOST["false"] * score.false
    wrong = f"{score.missed} missed, {score.false} convicted falsely"
    return Score(True, cost, f"{spent.minutes} minutes, {spent.queries} queries, {wrong}.")


def _check_written(judge: Callable[[Court], None]) -> None:
    """Let a judge that isn't written yet say so before twelve cases are dealt, which takes ten seconds."""
    try:
        judge(sittings.seated(()))
    except NotImplementedError:
        raise
    except Exception:  # of a judge who needs a case
        return


CHALLENGE = Challenge("the careful judge in a hurry", "minutes", quick, ours=210)
