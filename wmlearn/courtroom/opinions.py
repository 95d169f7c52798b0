"""What each test of the course says of a case, and whether it accuses.

None of them decides. Pictures that match were chosen by the claimant; a mark says nothing about who was
first, or about licences; weights accuse whoever began with the same public ones, and whoever had leave;
scores need what a service doesn't give. A judge knows which test may speak.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from statistics import mean

import torch
from torch import Tensor, nn

from .. import ownership as own
from ..errors import ArgumentError
from ..evidence import Evidence, Suspect, answers
from ..evidence.independence import against_strangers, independence_p_value, public_start
from ..evidence.siblings import following
from ..ownership.documents import parse
from ..ownership.registry import Release
from ..training import predict
from . import small_digits
from .filings import LEVEL, Papers, is_licensed

SHUFFLES = 999
APART = 0.3
"""A matched cosine so far above that of every stranger accuses: networks trained alike lie within 0.1."""
LEAD = 0.06
"""Scores that follow the claimant's so much closer than any sibling's accuse. Of 132 pairs of innocents the
largest lead was 0.026, of ten distilled copies the smallest 0.079: none is one of a court's.
"""


@dataclass(frozen=True)
class Opinion:
    """What a `test` says in words, and whether it `accuses`; None where it can't be asked."""

    test: str
    says: str
    accuses: bool | None


def hearing(papers: Papers, suspect: Suspect) -> own.Case:
    """Return the case that `ownership.verify` and `dispute` ask about: the claimant's network and the
    accused's, by the names of the parties.
    """
    suspects = {papers.claimant.name: papers.original, papers.accused.name: suspect}
    return own.Case(suspects, papers.book, papers.judge, papers.released, secret=bytes.fromhex(papers.judge))


def shown(papers: Papers, suspect: Suspect) -> Opinion:
    """Count the pictures that the claimant shows to which the accused's network answers as claimed."""
    hits = int((answers(suspect, papers.x) == papers.y).sum())
    evidence = Evidence("adi2018", "labels", hits, len(papers.y), 1 / small_digits.CLASSES)
    return Opinion(
        "pictures shown", f"{hits} of {len(papers.y)}, p = {evidence.p_value:.0e}", evidence.p_value <= LEVEL
    )


def mark(papers: Papers, suspect: Suspect) -> Opinion:
    """Verify the claimant's bundle, as lesson 10's court does."""
    filing = papers.claimant
    finding = own.verify(hearing(papers, suspect), filing.challenge, filing.bundle)
    if finding.void:
        return Opinion("mark", f"void: {finding.void[0]}", accuses=False)
    match = finding.matches[papers.accused.name]
    evidence = match.evidence
    return Opinion(
        "mark", f"{evidence.hits} of {evidence.trials}, p = {evidence.p_value:.0e}", accuses=match.owned
    )


def first_to_release(papers: Papers) -> bool:
    """Say whether the claimant was the first of both to release a network."""
    people = (papers.claimant.by, papers.accused.by)
    for entry in papers.book.entries:
        if entry.kind == "release":
            by = parse(entry.document, Release).by
            if by in people:
                return by == papers.claimant.by
    return False


def order(papers: Papers) -> Opinion:
    """Say who released first."""
    first = first_to_release(papers)
    name = papers.claimant.name if first else papers.accused.name
    return Opinion("who released first", name, accuses=None if first else False)


def leave(papers: Papers) -> Opinion:
    """Say whether a licence holds."""
    if is_licensed(papers):
        return Opinion("licence", "the claimant has signed one", accuses=False)
    says = "none that the claimant has signed" if papers.licences else "none"
    return Opinion("licence", says, accuses=None)


def weights(papers: Papers, suspect: Suspect) -> Opinion:
    """Test whether both networks were trained independently (lesson 12)."""
    if not isinstance(suspect, nn.Module):
        return Opinion("weights", "a service shows none", accuses=None)
    try:
        p = independence_p_value(papers.original, suspect, n=SHUFFLES)
    except ArgumentError:  # one network twice
        p = 1 / (1 + SHUFFLES)
    return Opinion("weights", f"p = {p:.0e}", accuses=p <= LEVEL)


def start(papers: Papers, suspect: Suspect) -> Opinion:
    """Look for public first weights, which make innocents relatives."""
    del suspect
    name = public_start(papers.original)
    if name:
        return Opinion("public start", f"the claimant's network stems from {name}", accuses=False)
    return Opinion("public start", "none", accuses=None)


def matched(papers: Papers, suspect: Suspect) -> Opinion:
    """Undo a shuffle of the units, and compare with the court's own networks."""
    if not isinstance(suspect, nn.Module):
        return Opinion("weights, matched", "a service shows none", accuses=None)
    found = against_strangers(papers.original, suspect, small_digits.siblings())
    closest = max(found.strangers)
    says = f"cosine {found.cosine:.2f}; of strangers at most {closest:.2f}"
    return Opinion("weights, matched", says, accuses=found.cosine - closest >= APART)


@lru_cache(1)
def _told() -> Tensor:
    """Return what the court's own networks answer, (siblings, N, classes), asked once."""
    x = small_digits.odd_queries()
    return torch.stack([predict(network, x) for network in small_digits.siblings()])


def scores(papers: Papers, suspect: Suspect) -> Opinion:
    """Ask whose scores the accused's network follows: the claimant's, or those of networks trained alike."""
    if not isinstance(suspect, nn.Module):
        return Opinion("scores", "a service gives labels only", accuses=None)
    x = small_digits.odd_queries()
    others = torch.cat([predict(papers.original, x)[None], _told()])  # (1 + siblings, N, classes)
    own_likeness, *siblings = following(predict(suspect, x), others).tolist()
    says = f"{own_likeness:.2f}; siblings' {mean(siblings):.2f}, at most {max(siblings):.2f}"
    return Opinion("scores", says, accuses=own_likeness - max(siblings) >= LEAD)


def opinions(papers: Papers, suspect: Suspect) -> tuple[Opinion, ...]:
    """Ask every test about a case, in the order in which a judge would."""
    asked = [shown(papers, suspect), order(papers), leave(papers)]
    others = (mark, start, weights, matched, scores)
    return (*asked, *(test(papers, suspect) for test in others))
