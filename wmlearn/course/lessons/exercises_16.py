"""The exercises of notebook 16: reference, cases, named mistakes, hints; and its quiz."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch

from ..exercises import Cases, Exercise, Mistake, Solution, Symptom
from ..quizzes import Option, Question

Entry = Mapping[str, Any]
Paper = Mapping[str, Any]
Says = Mapping[str, bool | None]


def has_standing(
    entries: Sequence[Entry], licences: Sequence[Paper], claimant: str, accused: str, weights: str
) -> bool:
    """Say whether the claimant released before the accused, and has given no leave: no genuine licence by
    the claimant, to the accused, for these weights.
    """
    return _stands(_Filed(entries, licences, claimant, accused, weights), _Clerk())


def convicts(prior: float, findings: Sequence[tuple[float, float]], price: float) -> bool:
    """Say whether a conviction costs less than an acquittal, where a false one costs `price` missed thieves;
    a finding is (its share of thefts, its share of innocents).
    """
    odds = prior / (1 - prior)
    for thefts, innocents in findings:
        odds *= thefts / innocents
    return odds > price


def verdict(says: Says) -> bool:
    """Convict by a mark that holds; else by weights or scores, unless both began with public weights."""
    if says["mark"] is True:
        return True
    if says["public start"] is False:
        return False
    return any(says[test] is True for test in WEIGHS)


# 16.1: the papers


@dataclass(frozen=True)
class _Filed:
    """What lies on the desk."""

    entries: Sequence[Entry]
    licences: Sequence[Paper]
    claimant: str
    accused: str
    weights: str


@dataclass(frozen=True)
class _Clerk:
    """How carefully papers are read; each flag that is turned is a mistake."""

    kind: str = "release"  # what must come first
    order: str = "number"
    checks_genuine: bool = True
    checks_by: bool = True
    checks_to: bool = True
    checks_weights: bool = True
    reads_licences: bool = True


def _stands(filed: _Filed, clerk: _Clerk) -> bool:
    if clerk.reads_licences and any(_is_leave(each, filed, clerk) for each in filed.licences):
        return False
    mine = _first(filed, filed.claimant, clerk)
    his = _first(filed, filed.accused, clerk)
    return bool(mine) and (not his or mine[0] < his[0])


def _is_leave(paper: Paper, filed: _Filed, clerk: _Clerk) -> bool:
    checks = (
        (clerk.checks_genuine, paper["genuine"]),
        (clerk.checks_by, paper["by"] == filed.claimant),
        (clerk.checks_to, paper["to"] == filed.accused),
        (clerk.checks_weights, paper["weights"] == filed.weights),
    )
    return all(holds for asked, holds in checks if asked)


def _first(filed: _Filed, who: str, clerk: _Clerk) -> list[Any]:
    """Return by what somebody's first entry of the kind is ordered, in a list; an empty one without any."""
    own = [each for each in filed.entries if each["by"] == who and each["kind"] == clerk.kind]
    return sorted(each[clerk.order] for each in own)[:1]


def _standing(f: Solution, files: list[_Filed]) -> list[float]:
    """Return for each case whether `f` says that the claimant has standing."""
    return [float(bool(f(**_arguments(filed)))) for filed in files]


def _arguments(filed: _Filed) -> dict[str, Any]:
    names = ("claimant", "accused", "weights")
    listed = {"entries": list(filed.entries), "licences": list(filed.licences)}
    return {**listed, **{name: getattr(filed, name) for name in names}}


NAMES = ("ada", "bela", "chen", "dina", "emil", "fatou")


def _files(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)
    names = [NAMES[i] for i in torch.randperm(len(NAMES), generator=gen).tolist()]
    claimant, accused, other = names[:3]
    weights, others = (f"{n:08x}" for n in torch.randint(2**31, (2,), generator=gen).tolist())

    def case(order: str, licences: Sequence[Paper] = (), late: str = "") -> _Filed:
        """Enter promises (p, q) and releases (r, s) of claimant and accused; `late` is dated back."""
        entries = [_entry(i + 3, sign, (claimant, accused), late) for i, sign in enumerate(order)]
        return _Filed(entries[::-1], licences, claimant, accused, weights)  # the newest is listed first

    leave = {"by": claimant, "to": accused, "weights": weights, "genuine": True}
    forged = [case("pqrs", [{**leave, "genuine": False}])]
    foreign = [
        case("pqrs", [{**leave, "by": other}]),
        case("pqrs", [{**leave, "by": accused}]),
        case("pqrs", [{**leave, "to": other}]),
        case("pqrs", [{**leave, "weights": others}]),
    ]
    one_of_two = [case("pqrs", [{**leave, "genuine": False}, leave])]
    return {
        "who was first": [([case("pqrs"), case("pqsr")],), ([case("qpsr"), case("qrsp"), case("srpq")],)],
        "an entry that is dated back": [([case("pqsr", late="r"), case("qsrp", late="p")],)],
        "somebody who released nothing": [([case("pqr"), case("pqs"), case("qp")],)],
        "licences": [([case("pqrs", [leave]), case("pqsr", [leave])],), (one_of_two + foreign,), (forged,)],
    }


def _entry(number: int, sign: str, sides: tuple[str, str], late: str) -> Entry:
    kind = "commitment" if sign in "pq" else "release"
    by = sides[0] if sign in "pr" else sides[1]
    day = 1 if sign == late else 2 + number
    return {"number": number, "kind": kind, "by": by, "made": f"2026-03-{day:02}"}


def _clerk(**flags: Any) -> Solution:
    """Return a function that reads papers with one mistake."""
    clerk = _Clerk(**flags)

    def stands(
        entries: Sequence[Entry], licences: Sequence[Paper], claimant: str, accused: str, weights: str
    ) -> bool:
        return _stands(_Filed(entries, licences, claimant, accused, weights), clerk)

    return stands


# 16.2: what a finding is worth


def _ruled(f: Solution, cases: list[tuple[float, list[tuple[float, float]], float]]) -> list[float]:
    """Return for each case whether `f` convicts."""
    return [float(bool(f(prior, list(findings), price))) for prior, findings, price in cases]


def _findings(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def near(value: float) -> float:
        """Return a number within two per cent of a value."""
        return value * (0.98 + 0.04 * float(torch.rand((), generator=gen)))

    def case(prior: float, findings: Sequence[tuple[float, float]], price: float) -> Any:
        return (near(prior), [(near(a), near(b)) for a, b in findings], price)

    half = 0.5
    strong = (0.8, 0.02)
    weak = (0.9, 0.3)
    against = (0.2, 0.9)
    return {
        "one finding": [([case(half, [strong], 10), case(half, [weak], 10)],)],
        "few thieves among many": [([case(0.02, [strong], 10), case(0.9, [weak], 10)],)],
        "several findings": [
            ([case(half, [weak, weak], 10), case(half, [weak, (0.8, 0.2)], 10)],),
            ([case(half, [against, strong], 10), case(0.3, [strong, against], 1)],),
        ],
        "other prices": [([case(half, [weak], 1), case(half, [strong], 100), case(0.2, [weak], 0.5)],)],
        "nothing found": [([case(0.3, [], 10), case(0.95, [], 10), case(0.8, [], 1)],)],
    }


Findings = Sequence[tuple[float, float]]


def _likelihood(findings: Findings) -> float:
    return prod(thefts / innocents for thefts, innocents in findings)


def _p_value(prior: float, findings: Findings, price: float) -> bool:
    """Take the chance of the findings among innocents for the chance of innocence."""
    innocent = prod(innocents for _, innocents in findings)
    return (1 - innocent) > price * innocent


def _no_prior(prior: float, findings: Findings, price: float) -> bool:
    return _likelihood(findings) > price


def _even(prior: float, findings: Findings, price: float) -> bool:
    return convicts(prior, findings, 1)


def _upside_down(prior: float, findings: Findings, price: float) -> bool:
    return convicts(prior, findings, 1 / price)


def _last_only(prior: float, findings: Findings, price: float) -> bool:
    return convicts(prior, findings[-1:], price)


def _not_odds(prior: float, findings: Findings, price: float) -> bool:
    return prior * _likelihood(findings) > price


def _exchanged(prior: float, findings: Findings, price: float) -> bool:
    return convicts(prior, [(b, a) for a, b in findings], price)


# 16.3: which test may speak

WEIGHS = ("weights", "weights, matched", "scores")
TESTS = ("pictures shown", "mark", "public start", *WEIGHS)
ANSWERS = {"y": True, "n": False, "-": None}


def _judged(f: Solution, cases: list[str]) -> list[float]:
    """Return for each case whether `f` convicts; a letter a test."""
    return [float(bool(f(_answers(case)))) for case in cases]


def _answers(case: str) -> dict[str, bool | None]:
    return {test: ANSWERS[letter] for test, letter in zip(TESTS, case, strict=True)}


def _cases_of(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def drawn(letter: str) -> str:
        return "yn"[int(torch.randint(2, (), generator=gen))] if letter == "?" else letter

    def filled(pattern: str) -> str:
        return "".join(map(drawn, pattern))

    def some(*patterns: str) -> list[str]:
        """Fill each "?" with yes or no."""
        return list(map(filled, patterns))

    return {
        "a mark that holds": [(some("?y-nnn", "yy-yyn", "?yn??n"),)],
        "pictures, and nothing else": [(some("yn-nnn", "nn-nnn", "ynnnnn"),)],
        "no mark, and other tests": [(some("?n-yyy", "nn-yyn", "?n-nyn"),), (some("yn-nny", "nn-nny"),)],
        "public first weights": [(some("ynnyyn", "nnnyyy", "?nnynn"),)],
        "a service": [(some("yy----", "yn----", "nn----"),)],
    }


def _pictures_convict(says: Says) -> bool:
    return says["pictures shown"] is True or verdict(says)


def _void_acquits(says: Says) -> bool:
    return says["mark"] is True


def _public_unread(says: Says) -> bool:
    return says["mark"] is True or any(says[test] is True for test in WEIGHS)


def _public_first(says: Says) -> bool:
    return says["public start"] is not False and verdict(says)


def _all_three(says: Says) -> bool:
    if says["mark"] is True or says["public start"] is False:
        return says["mark"] is True
    return all(says[test] is True for test in WEIGHS)


def _silence_accuses(says: Says) -> bool:
    if says["mark"] is True or says["public start"] is False:
        return says["mark"] is True
    return any(says[test] is not False for test in WEIGHS)


def _majority(says: Says) -> bool:
    return sum(says[test] is True for test in ("mark", *WEIGHS)) >= 2


def _no_scores(says: Says) -> bool:
    return verdict({**says, "scores": None})


EXERCISES = {
    "16.1": Exercise(
        id="16.1",
        title="The papers first",
        difficulty=2,
        importance=4,
        minutes=12,
        returns="True or False",
        reference=has_standing,
        probe=_standing,
        example=True,
        cases=_files,
        mistakes=(
            Mistake(
                "promise-first",
                "You ask who *promised* first. A mark can get into a network by its data, so that an early"
                " promise proves little: ask who released first.",
                _clerk(kind="commitment"),
            ),
            Mistake(
                "by-date",
                "You go by `made`, which whoever enters it writes. The number is the keeper's.",
                _clerk(order="made"),
            ),
            Mistake(
                "any-signature",
                "A licence whose signature isn't genuine gives no leave: the accused may have written it.",
                _clerk(checks_genuine=False),
            ),
            Mistake(
                "by-anybody",
                "Who gave the leave? Only the claimant can license what is the claimant's.",
                _clerk(checks_by=False),
            ),
            Mistake(
                "to-anybody", "Leave for somebody else is no leave for the accused.", _clerk(checks_to=False)
            ),
            Mistake(
                "other-weights",
                "A licence for another network says nothing of this one: compare the weights.",
                _clerk(checks_weights=False),
            ),
            Mistake(
                "no-licences",
                "Whoever has the claimant's own leave stole nothing: read the licences, too.",
                _clerk(reads_licences=False),
            ),
        ),
        hints=(
            "What could the accused show that makes the whole examination needless?",
            "First the licences: is there one that is genuine, by the claimant, to the accused, for these"
            " weights? Then the smallest number among the claimant's releases, and among the accused's.",
            "`min((e['number'] for e in entries if e['kind'] == 'release' and e['by'] == who),"
            " default=None)` is the first of `who`, or `None`.",
        ),
        symptoms=(
            Symptom(
                "IndexError, list index out of range:", "somebody has released nothing: ask for that first."
            ),
            Symptom("TypeError, '<' not supported:", "the other side has released nothing."),
        ),
        why=(
            "A mark can be in an innocent's network: by leave, or because the claimant put it there. Papers"
            " say which, and cost less than any test."
        ),
    ),
    "16.2": Exercise(
        id="16.2",
        title="What a finding is worth",
        difficulty=3,
        importance=5,
        minutes=12,
        returns="True or False",
        reference=convicts,
        probe=_ruled,
        example=True,
        cases=_findings,
        mistakes=(
            Mistake(
                "p-value",
                "You take the chance of the finding among innocents for the chance of innocence. That leaves"
                " out how many thieves there are, and how often they are found.",
                _p_value,
            ),
            Mistake(
                "no-prior",
                "The prior is missing: the same finding is worth less where thieves are rare.",
                _no_prior,
            ),
            Mistake(
                "even",
                "You convict what is more probable than not. A false conviction costs `price` times as much.",
                _even,
            ),
            Mistake(
                "upside-down",
                "The price is upside down: the dearer a false conviction, the surer you must be.",
                _upside_down,
            ),
            Mistake(
                "last-only", "Only your last finding counts: multiply the odds by all of them.", _last_only
            ),
            Mistake("not-odds", "Odds are prior / (1 - prior), and not the prior itself.", _not_odds),
            Mistake(
                "exchanged",
                "The fraction is upside down: a finding that is common among thefts and rare among innocents"
                " must raise the odds.",
                _exchanged,
            ),
        ),
        hints=(
            "If you convict, what does it cost on average? And if you acquit?",
            "Turn the prior into odds. Each finding multiplies them. Compare the odds with the price.",
            "`odds = prior / (1 - prior)`; a finding multiplies them by `thefts / innocents`; convicting pays"
            " where `odds > price`.",
        ),
        symptoms=(
            Symptom(
                "TypeError, cannot unpack:",
                "`findings` is a list of pairs: `for thefts, innocents in findings`.",
            ),
            Symptom(
                "IndexError, list index out of range:", "`findings` may be empty: then the prior decides."
            ),
        ),
        why=(
            "Convicting costs `price` times the probability of innocence, acquitting the probability of"
            " theft. Which is less is a matter of odds, and of no p-value alone."
        ),
    ),
    "16.3": Exercise(
        id="16.3",
        title="Which test may speak?",
        difficulty=2,
        importance=5,
        minutes=10,
        returns="True or False",
        reference=verdict,
        probe=_judged,
        example=True,
        cases=_cases_of,
        mistakes=(
            Mistake(
                "pictures",
                "You convict by the pictures that are shown. The claimant chose them.",
                _pictures_convict,
            ),
            Mistake(
                "void-acquits",
                "No mark is no acquittal: marks wear off. Look at the weights and the scores.",
                _void_acquits,
            ),
            Mistake(
                "public-unread",
                "Where both may have begun with the same public weights, innocents are relatives, too.",
                _public_unread,
            ),
            Mistake(
                "public-first",
                "Public first weights excuse a likeness of the weights, but no mark of the claimant's.",
                _public_first,
            ),
            Mistake(
                "all-three",
                "You ask for all three tests. A thief who shuffles units, or distils, passes two of them.",
                _all_three,
            ),
            Mistake(
                "silence",
                "`None` is no accusation: that test has nothing to look at, as with a service.",
                _silence_accuses,
            ),
            Mistake(
                "majority",
                "Tests don't vote: each sees other thefts, and one that can speak is enough.",
                _majority,
            ),
            Mistake(
                "no-scores", "You leave out the scores, by which alone a distilled copy is known.", _no_scores
            ),
        ),
        hints=(
            "Which of these tests would an innocent network fail, and when?",
            "In this order: a mark that holds convicts; public first weights acquit; then any of the three"
            " that are left convicts.",
            "`says[test] is True` is false for `None`, too; `any(…)` asks whether one of several is true.",
        ),
        symptoms=(
            Symptom(
                "KeyError, 'matched':",
                "the tests are named in the text, letter by letter: `weights, matched` has a comma.",
            ),
            Symptom(
                "TypeError, unsupported operand:",
                "an answer may be `None`: compare, don't add.",
            ),
        ),
        why=(
            "Each test errs in its own way: pictures are chosen, marks wear off, weights have public"
            " ancestors, services show none. Who knows that lets each speak where it can."
        ),
    ),
}

QUIZ = (
    Question(
        "All ten pictures match; by chance that happens once in ten billion. How probable is theft?",
        (
            Option(
                "That can't be said without knowing who chose the pictures, and when.",
                "Yes. The number is about networks that have nothing to do with pictures chosen before.",
            ),
            Option(
                "All but certain, since only one chance in ten billion is left for innocence.",
                "That turns a p-value into a probability of innocence.",
            ),
            Option(
                "As probable as before: matches mean nothing.",
                "Pictures promised before the release, and opened by the judge, mean a lot.",
            ),
            Option(
                "Half, as no other test was made.", "Nothing makes the odds even: not knowing isn't a half."
            ),
        ),
    ),
    Question(
        "The claimant's mark holds in the accused's network. What can still acquit?",
        (
            Option(
                "A licence, or that the accused released first.",
                "Yes: leave makes a copy lawful, and whoever is first wasn't copying.",
            ),
            Option(
                "Weights that are no more alike than those of strangers.",
                "A distilled copy has weights of its own.",
            ),
            Option("That the accused has a mark, too.", "A thief can put a mark over the owner's."),
            Option("Public first weights.", "They explain alike weights, but no mark."),
        ),
    ),
    Question(
        "A false conviction costs ten missed thieves. When do you convict?",
        (
            Option(
                "When theft is more than ten times as probable as innocence.", "Yes: odds above the price."
            ),
            Option(
                "When theft is more probable than innocence, since nobody can ask for more.",
                "That is right where both mistakes cost the same.",
            ),
            Option(
                "When the p-value is below one in ten.",
                "A p-value knows neither the prior nor what thieves would show.",
            ),
            Option(
                "Never: a single mistake eats ten right rulings.",
                "Whoever convicts nobody misses every thief; careful judges do better.",
            ),
        ),
    ),
)
