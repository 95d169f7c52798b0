"""Two people claim one model: who promised first, whose mark is in whose model, and which evidence is void
and why.

A thief can put a mark of his own over a stolen one, so that both are in his copy. What he can't do is put it
into the model that the owner keeps: hence the cross matrix, every claim against every party's model. Only
where both marks are in both models does the order of the registry decide. The rule is ours; the papers leave
this to a judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from ..errors import require
from .bundle import Bundle
from .cut_and_choose import Challenge
from .documents import kind, now, parse
from .registry import Release
from .verification import Case, Finding, Reading, read, verify

LIMITS = (
    "An entry's number proves order, not the time of day; and only among what was registered.",
    "A public key names no person: that it belongs to the party must be shown by other means.",
    (
        "Who had the model before its release could have committed to a mark in it: a thief from inside, or"
        " of an unreleased model."
    ),
    (
        "Each party chooses which model it shows as its own: one that was kept clean of the other's mark"
        " leaves a dispute undecided."
    ),
    "A party that never committed has no claim here, however plain the theft.",
    "No match does not prove innocence: marks can be removed, and a service can refuse to answer.",
    (
        "A match proves that the mark is in the model, not how it came there: whoever was given a licensed"
        " copy has one, too."
    ),
)


@dataclass(frozen=True)
class Party:
    """One side: a name, which of the case's suspects is its own model, and the bundle that answers the
    judge's challenge.
    """

    name: str
    model: str
    challenge: Challenge
    bundle: Bundle


@dataclass(frozen=True)
class Report:
    """What the judge says: the party to whom the `disputed` model belongs, or None, and why; a finding for
    each party.
    """

    made: str
    disputed: str
    suspects: Mapping[str, str]
    models: Mapping[str, str]
    alpha: float
    head: str
    findings: Mapping[str, Finding]
    owner: str | None
    reasons: tuple[str, ...]
    limits: tuple[str, ...] = LIMITS


def dispute(case: Case, disputed: str, parties: Sequence[Party]) -> Report:
    """Verify every party's bundle on all suspects of the case, and decide whose the `disputed` one is.

    Raises `ArgumentError` for fewer than two parties, two of one name, or a model that isn't among the
    suspects.
    """
    names = [party.name for party in parties]
    require(
        len(set(names)) == len(names) >= 2,
        "a dispute needs at least two parties with names of their own",
        names,
    )
    for model in (disputed, *(party.model for party in parties)):
        require(model in case.suspects, f"a model must be one of {', '.join(case.suspects)}", model)
    reading = read(case)
    findings = {party.name: verify(case, party.challenge, party.bundle, reading=reading) for party in parties}
    published = _first_releases(case, reading)
    findings = {name: _in_time(finding, published) for name, finding in findings.items()}
    decision = _decide(disputed, parties, findings)
    head = case.book.head.root
    models = {party.name: party.model for party in parties}
    return Report(
        now(),
        disputed,
        reading.names,
        models,
        case.alpha,
        head,
        findings,
        decision.owner,
        decision.reasons,
    )


def _first_releases(case: Case, reading: Reading) -> dict[str, int]:
    """Return the suspects that were ever released, with these very weights: name -> the first such entry."""
    numbers: dict[str, int] = {}
    for entry in case.book.entries:
        if entry.kind == kind(Release):
            weights = parse(entry.document, Release).fingerprint
            for name, document_name in reading.names.items():
                if document_name.endswith(f"sha256:{weights}"):
                    numbers.setdefault(name, entry.number)
    return numbers


def _in_time(finding: Finding, published: Mapping[str, int]) -> Finding:
    """Take back matches with models that were released before the finding's commitment: the triggers may have
    been found on them.
    """
    late = {name for name, number in published.items() if number < finding.number}
    matches = {
        name: replace(match, owned=match.owned and name not in late)
        for name, match in finding.matches.items()
    }
    notes = tuple(
        f"{name} was released before this commitment, so a match with it does not count"
        for name in sorted(late & set(matches))
    )
    return replace(finding, matches=matches, notes=finding.notes + notes)


@dataclass(frozen=True)
class _Decision:
    """The party to whom a model belongs, or None, and why."""

    owner: str | None
    reasons: tuple[str, ...]


def _decide(disputed: str, parties: Sequence[Party], findings: Mapping[str, Finding]) -> _Decision:
    reasons = [
        f"{name}'s evidence is void: {finding.void[0]}." for name, finding in findings.items() if finding.void
    ]
    standing = []
    for party in parties:
        if _has_mark(findings, party, disputed):
            standing.append(party)
        elif not findings[party.name].void:
            reasons.append(f"{party.name}'s mark is not shown to be in {disputed}.")
    if not standing:
        reasons.append(f"No standing claim matches {disputed}: nobody has shown that it is theirs.")
        return _Decision(None, tuple(reasons))
    orders = [_order(findings, one, other) for one, other in combinations(standing, 2)]
    reasons += [order.why for order in orders]
    for party in standing:
        won = sum(order.first is party for order in orders)
        if won == len(standing) - 1:
            return _Decision(party.name, (*reasons, f"{party.name}'s mark is in {disputed}."))
    return _Decision(None, tuple(reasons))


@dataclass(frozen=True)
class _Order:
    """Which of two parties' models came first, or None, and why."""

    first: Party | None
    why: str


def _order(findings: Mapping[str, Finding], one: Party, other: Party) -> _Order:
    """Say whose model came first, of two whose marks are both in the disputed one."""
    one_in_other = _has_mark(findings, one, other.model)
    other_in_one = _has_mark(findings, other, one.model)
    if one_in_other and other_in_one:
        return _by_entry(findings, one, other)
    if one_in_other:
        return _by_mark(one, other)
    if other_in_one:
        return _by_mark(other, one)
    return _Order(None, f"Neither {one.name}'s nor {other.name}'s mark is in the other's model: undecided.")


def _by_mark(first: Party, second: Party) -> _Order:
    a = first.name
    b = second.name
    return _Order(
        first, f"{a}'s mark is in {b}'s model and not the other way round: {b}'s was made from {a}'s."
    )


def _by_entry(findings: Mapping[str, Finding], one: Party, other: Party) -> _Order:
    first, second = sorted((one, other), key=lambda party: findings[party.name].number)
    number = findings[first.name].number
    later = findings[second.name].number
    return _Order(
        first,
        f"Both marks are in both models, and {first.name} committed first (entry {number} before {later}).",
    )


def _has_mark(findings: Mapping[str, Finding], party: Party, model: str) -> bool:
    """Say whether a party's mark is shown to be in a model; a void bundle shows nothing."""
    finding = findings[party.name]
    return not finding.void and finding.matches[model].owned
