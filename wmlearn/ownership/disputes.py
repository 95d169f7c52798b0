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
from .cut_and_choose import Challenge, identify
from .documents import kind, now, parse
from .registry import Release
from .verification import Case, Finding, verify

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
    findings = {party.name: _in_time(case, verify(case, party.challenge, party.bundle)) for party in parties}
    owner, reasons = _decided(disputed, parties, findings)
    suspects = {name: identify(name, suspect) for name, suspect in case.suspects.items()}
    head = case.book[-1].hash if case.book else ""
    models = {party.name: party.model for party in parties}
    return Report(now(), disputed, suspects, models, case.alpha, head, findings, owner, tuple(reasons))


def _in_time(case: Case, finding: Finding) -> Finding:
    """Take back matches with models that were released before the finding's commitment: the triggers may have
    been found on them.
    """
    releases = [
        (entry.number, parse(entry.document, Release)) for entry in case.book if entry.kind == kind(Release)
    ]
    late = {
        name
        for name, suspect in case.suspects.items()
        for number, each in releases
        if number < finding.number and identify(name, suspect).endswith(f"sha256:{each.fingerprint}")
    }
    matches = {
        name: replace(match, owned=match.owned and name not in late)
        for name, match in finding.matches.items()
    }
    known = sorted(late & set(matches))
    notes = tuple(
        f"{name} was released before this commitment, so a match with it does not count" for name in known
    )
    return replace(finding, matches=matches, notes=finding.notes + notes)


def _decided(
    disputed: str, parties: Sequence[Party], findings: Mapping[str, Finding]
) -> tuple[str | None, list[str]]:
    reasons = [
        f"{name}'s evidence is void: {finding.void[0]}." for name, finding in findings.items() if finding.void
    ]
    heard = [party for party in parties if not findings[party.name].void]
    reasons += [
        f"{each.name}'s mark is not shown to be in {disputed}."
        for each in heard
        if not _marks(findings, each, disputed)
    ]
    left = [each for each in heard if _marks(findings, each, disputed)]
    if not left:
        return None, [*reasons, f"No standing claim matches {disputed}: nobody has shown that it is theirs."]
    pairs = [_before(findings, one, other) for one, other in combinations(left, 2)]
    reasons += [why for _, why in pairs]
    first = [each for each in left if sum(won is each for won, _ in pairs) == len(left) - 1]
    return (
        (first[0].name, [*reasons, f"{first[0].name}'s mark is in {disputed}."]) if first else (None, reasons)
    )


def _before(findings: Mapping[str, Finding], one: Party, other: Party) -> tuple[Party | None, str]:
    """Say whose model came first, of two whose marks are both in the disputed one."""
    mine, theirs = _marks(findings, one, other.model), _marks(findings, other, one.model)
    if mine != theirs:
        first, second = (one, other) if mine else (other, one)
        a, b = first.name, second.name
        return first, f"{a}'s mark is in {b}'s model and not the other way round: {b}'s was made from {a}'s."
    if not mine:
        return None, f"Neither {one.name}'s nor {other.name}'s mark is in the other's model: undecided."
    first, second = sorted((one, other), key=lambda party: findings[party.name].number)
    number, later = findings[first.name].number, findings[second.name].number
    return (
        first,
        f"Both marks are in both models, and {first.name} committed first (entry {number} before {later}).",
    )


def _marks(findings: Mapping[str, Finding], party: Party, model: str) -> bool:
    return findings[party.name].matches[model].owned
