"""How somebody may judge: with care, by the tools of the course, and in three careless ways."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wmlearn import courtroom, evidence, ownership
from wmlearn.courtroom import Court, Papers, SealedCase
from wmlearn.courtroom.small_digits import odd_queries
from wmlearn.evidence import Suspect, answers
from wmlearn.evidence.independence import against_strangers, independence_p_value, public_start
from wmlearn.evidence.siblings import following
from wmlearn.training import predict

LEVEL = 1e-4
APART = 0.3
LEAD = 0.06


def honest(court: Court) -> None:
    """Rule on every case: licence and order first, then the mark, weights, and scores."""
    strangers = list(courtroom.siblings(court))
    told = torch.stack([predict(network, odd_queries()) for network in strangers])
    for case in court.cases:
        stolen = _is_stolen(court, case, strangers, told)
        courtroom.rule(court, case.number, stolen=stolen)


def _is_stolen(court: Court, case: SealedCase, strangers: list[nn.Module], told: Tensor) -> bool:
    papers = courtroom.papers(court, case.number)
    if courtroom.is_licensed(papers) or not courtroom.first_to_release(papers):
        return False
    suspect = courtroom.accused(court, case.number)
    filing = papers.claimant
    finding = ownership.verify(courtroom.hearing(papers, suspect), filing.challenge, filing.bundle)
    match = finding.matches.get(papers.accused.name)
    if match is not None and match.owned:
        return True
    if not isinstance(suspect, nn.Module) or public_start(papers.original):
        return False
    return is_relative(papers, suspect, strangers) or follows(papers, suspect, told)


def is_relative(papers: Papers, suspect: nn.Module, strangers: list[nn.Module]) -> bool:
    """Say whether the weights have a common origin, shuffled or not."""
    if independence_p_value(papers.original, suspect, n=999) <= LEVEL:
        return True
    found = against_strangers(papers.original, suspect, strangers)
    return found.cosine - max(found.strangers) >= APART


def follows(papers: Papers, suspect: nn.Module, told: Tensor) -> bool:
    """Say whether the suspect follows the claimant's scores far more closely than any sibling's, who `told`
    theirs (siblings, N, classes).
    """
    x = odd_queries()
    others = torch.cat([predict(papers.original, x)[None], told])
    own, *siblings = following(predict(suspect, x), others).tolist()
    return own - max(siblings) >= LEAD


def always(court: Court) -> None:
    """Convict everybody."""
    for case in court.cases:
        courtroom.rule(court, case.number, stolen=True)


def never(court: Court) -> None:
    """Convict nobody."""
    for case in court.cases:
        courtroom.rule(court, case.number, stolen=False)


def match_only(court: Court) -> None:
    """Convict where the pictures that are shown match."""
    for case in court.cases:
        papers = courtroom.papers(court, case.number)
        suspect: Suspect = courtroom.accused(court, case.number)
        hits = int((answers(suspect, papers.x) == papers.y).sum())
        found = evidence.Evidence("adi2018", "labels", hits, len(papers.y), 0.1)
        courtroom.rule(court, case.number, stolen=found.p_value <= LEVEL)
