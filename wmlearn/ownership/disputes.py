"""Two people claim one model: whose mark is in whose model, who released first, and which evidence is void
and why.

A thief can put a mark of his own over a stolen one, so that both are in his copy. What he can't do is put it
into the model that the owner keeps: hence the cross matrix, every claim against every party's model.

Who committed first decides nothing. A mark can get into a model through its training data (a hundred images
of 60,000 are enough), so an early promise alone shows no ownership. A model goes to a party whose mark is in
it, and who was the first of all to sign and register a release: of the model itself, or of the model that the
party shows as its own. Where that is not so, the dispute is undecided. Who wants the priority of an ancestor
shows the ancestor as his own model; lineage that somebody merely asserts makes nobody the first. The rule is
ours; the papers leave this to a judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from ..errors import require
from .bundle import Bundle
from .cut_and_choose import Challenge
from .documents import check_hex, now
from .verification import Case, Finding, Published, Reading, fingerprint_in, first_releases, read, verify

LIMITS = (
    "An entry's number proves order, not the time of day; and only among what was registered.",
    "A public key names no person: that it belongs to the party must be shown by other means.",
    (
        "A match proves that the mark is in the model, not how it came there: by training, by a licensed"
        " copy, by poisoned data, or by a thief who had the model before its release."
    ),
    (
        "Who poisons another's data and had released a marked model of his own before looks like somebody who"
        " was robbed. Who owned the data must be shown by other means."
    ),
    (
        "A copy of which a bit was changed is another model for the registry: that it descends from a"
        " released one is only known where its release names that ancestor."
    ),
    (
        "Each party chooses which model it shows as its own: one that was kept clean of the other's mark"
        " leaves a dispute undecided."
    ),
    "A party that never committed, or never released, has no claim here, however plain the theft.",
    (
        "No match does not prove innocence: marks can be removed, a model can be distilled until nothing is"
        " left of them, and a service can answer the judge otherwise than its customers."
    ),
    (
        "A keeper of the book who is in league with an owner can draw nonces until one suits, and withhold"
        " what others hand in. Two keepers, or a public source of randomness, would mend it."
    ),
    "Nobody here sees whether an owner was forced to answer.",
)


@dataclass(frozen=True)
class Party:
    """One side: a name and the public key that it stands for, which of the case's suspects is its own model,
    and the bundle that answers the judge's challenge.
    """

    name: str
    by: str
    model: str
    challenge: Challenge
    bundle: Bundle

    def __post_init__(self) -> None:
        check_hex(64, by=self.by)


@dataclass(frozen=True)
class Report:
    """What the judge says: the party to whom the `disputed` model belongs, or None, and why; a finding for
    each party. `head` is the root of the book, of `size` entries.
    """

    made: str
    disputed: str
    suspects: Mapping[str, str]
    models: Mapping[str, str]
    judge: str
    alpha: float
    size: int
    head: str
    findings: Mapping[str, Finding]
    owner: str | None
    reasons: tuple[str, ...]
    limits: tuple[str, ...] = LIMITS


def dispute(case: Case, disputed: str, parties: Sequence[Party]) -> Report:
    """Verify every party's bundle on all suspects of the case, and decide whose the `disputed` one is.

    Raises `ArgumentError` for fewer than two parties, two of one name, key or promise, bundles that others
    signed, challenges of several levels, or a model that isn't among the suspects.
    """
    _check(case, disputed, parties)
    reading = read(case)
    findings = {party.name: verify(case, party.challenge, party.bundle, reading=reading) for party in parties}
    court = _court(case, disputed, reading, findings)
    decision = _decide(court, parties)
    models = {party.name: party.model for party in parties}
    return Report(
        made=now(),
        disputed=disputed,
        suspects=reading.names,
        models=models,
        judge=case.judge,
        alpha=parties[0].challenge.level,
        size=case.book.head.size,
        head=case.book.head.root,
        findings=findings,
        owner=decision.owner,
        reasons=decision.reasons,
    )


def _check(case: Case, disputed: str, parties: Sequence[Party]) -> None:
    """Refuse parties that are one and the same, speak for another's key, or are judged at several levels."""
    names = [party.name for party in parties]
    several = len(set(names)) == len(names) >= 2
    require(several, "a dispute needs at least two parties with names of their own", names)
    keys = {party.by for party in parties}
    require(len(keys) == len(names), "two parties need two public keys", sorted(keys))
    promises = {party.bundle.promise.entry.document for party in parties}
    require(len(promises) == len(names), "two parties need two promises", len(promises))
    for party in parties:
        fix = "A party shows a bundle that it signed itself."
        rule = f"the bundle of {party.name} must be signed by the party's key"
        require(party.bundle.by == party.by, rule, party.bundle.by, fix)
    levels = {party.challenge.level for party in parties}
    require(len(levels) == 1, "all challenges of a dispute must be of one level", sorted(levels))
    for model in (disputed, *(party.model for party in parties)):
        require(model in case.suspects, f"a model must be one of {', '.join(case.suspects)}", model)


@dataclass(frozen=True)
class _Court:
    """What the decision rests on: the disputed model, its weights' hash, all suspects' names in documents,
    the first releases by fingerprint, and what was found.
    """

    disputed: str
    names: Mapping[str, str]
    first: Mapping[str, Published]
    findings: Mapping[str, Finding]

    def release(self, model: str) -> Published | None:
        """Return the first release of a suspect's very weights."""
        return self.first.get(fingerprint_in(self.names[model]))

    def number(self, party: Party) -> int | None:
        """Return the first entry with which a party released the disputed model, or the one it shows."""
        releases = [self.release(model) for model in (self.disputed, party.model)]
        own = [release.number for release in releases if release and release.release.by == party.by]
        return min(own, default=None)

    def has_mark(self, party: Party, model: str) -> bool:
        """Say whether a party's mark is shown to be in a model; a void bundle shows nothing."""
        finding = self.findings[party.name]
        return not finding.void and finding.matches[model].owned


def _court(case: Case, disputed: str, reading: Reading, findings: Mapping[str, Finding]) -> _Court:
    first = {} if reading.faults else first_releases(case.book)
    return _Court(disputed, reading.names, first, findings)


@dataclass(frozen=True)
class _Decision:
    """The party to whom a model belongs, or None, and why."""

    owner: str | None
    reasons: tuple[str, ...]


def _decide(court: _Court, parties: Sequence[Party]) -> _Decision:
    findings = court.findings
    reasons = [
        f"{name}'s evidence is void: {finding.void[0]}." for name, finding in findings.items() if finding.void
    ]
    standing = []
    for party in parties:
        if court.has_mark(party, court.disputed):
            standing.append(party)
            reasons.append(f"{party.name}'s mark is in {court.disputed}.")
        elif not findings[party.name].void:
            reasons.append(f"{party.name}'s mark is not shown to be in {court.disputed}.")
    if not standing:
        reasons.append(f"No standing claim matches {court.disputed}: nobody has shown that it is theirs.")
        return _Decision(None, tuple(reasons))
    orders = [_order(court, one, other) for one, other in combinations(standing, 2)]
    reasons += [order.why for order in orders]
    for party in standing:
        won = sum(order.first is party for order in orders)
        if won == len(standing) - 1:
            return _against_strangers(court, party, reasons)
    return _Decision(None, tuple(reasons))


def _against_strangers(court: _Court, party: Party, reasons: list[str]) -> _Decision:
    """Give the model to a party, unless somebody else had released it before."""
    number = court.number(party)
    release = court.release(court.disputed)
    name = party.name
    if number is None:
        reasons.append(f"{name} has registered no release of the model that is shown as {name}'s: undecided.")
        return _Decision(None, tuple(reasons))
    if release and release.release.by != party.by and release.number < number:
        reasons.append(
            f"Another key released {court.disputed} first (entry {release.number}), and a mark can get into a"
            " model by its training data: undecided."
        )
        return _Decision(None, tuple(reasons))
    return _Decision(name, tuple(reasons))


@dataclass(frozen=True)
class _Order:
    """Which of two parties' models came first, or None, and why."""

    first: Party | None
    why: str


def _order(court: _Court, one: Party, other: Party) -> _Order:
    """Say whose model came first, of two whose marks are both in the disputed one."""
    one_in_other = court.has_mark(one, other.model)
    other_in_one = court.has_mark(other, one.model)
    if not one_in_other and not other_in_one:
        return _Order(
            None, f"Neither {one.name}'s nor {other.name}'s mark is in the other's model: undecided."
        )
    first = _first_to_release(court, one, other)
    if one_in_other and other_in_one:
        return _by_release(court, first, "Both marks are in both models")
    robbed, copier = (one, other) if one_in_other else (other, one)
    why = f"{robbed.name}'s mark is in {copier.name}'s model and not the other way round"
    if first is robbed:
        return _Order(
            robbed, f"{why}: {copier.name}'s was made from {robbed.name}'s, which was released first."
        )
    late = f"{why}, but {robbed.name} did not release first: it may have come there by data. Undecided."
    return _Order(None, late)


def _first_to_release(court: _Court, one: Party, other: Party) -> Party | None:
    """Return the party whose release comes first; None where neither has one."""
    numbers = {party.name: court.number(party) for party in (one, other)}
    released = [party for party in (one, other) if numbers[party.name] is not None]
    return min(released, key=lambda party: numbers[party.name] or 0, default=None)


def _by_release(court: _Court, first: Party | None, what: str) -> _Order:
    if first is None:
        return _Order(None, f"{what}, and neither party has registered a release: undecided.")
    return _Order(first, f"{what}, and {first.name} released first (entry {court.number(first)}).")
