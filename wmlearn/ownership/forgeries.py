"""False claims, one a function, and what the judge makes of each. All are to be refused; each says by what.

The ambiguity attack is L. Fan, K. W. Ng, C. S. Chan: Rethinking Deep Neural Network Ownership Verification, NeurIPS 2019, arXiv:1909.07830;
forging against a service is S. Lounici and others, Preventing Watermark Forging Attacks in a MLaaS Environment, SECRYPT 2021.
Differs: the details of neither were at hand; the attacks are derived anew for trigger sets and a judge who sees labels.

Each forger may see everything public: the victim's released model, the registry, and the triggers that a dispute has opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..evidence import Suspect, answers
from ..watermarks import Adi2018, TriggerKey
from ..watermarks.secret import integers, new_secret, order, uniform
from .bundle import Bundle, respond
from .challenge import Challenge, challenge
from .commitment import Commitment, commit
from .documents import signed
from .identity import Identity, new_identity, secret_for
from .registry import Entry, Registry, entries, register, release
from .verification import NO_ANSWER, Case, Finding, verify

N_OPEN = 30


@dataclass(frozen=True, eq=False)
class Stage:
    """A theft before it happens: an owner has committed to a `key`, and released a `model` that carries it (entry `released`)."""

    registry: Registry
    judge: Identity
    owner: Identity
    key: TriggerKey
    commitment: Commitment
    model: Suspect
    bystanders: Sequence[Suspect]
    released: int

    @property
    def book(self) -> tuple[Entry, ...]:
        """The registry as it is now."""
        return entries(self.registry)


@dataclass(frozen=True)
class Attempt:
    """One false claim: what was tried, what the judge found, and whether he believed it."""

    story: str
    finding: Finding

    @property
    def accepted(self) -> bool:
        """Whether the claim would have stood."""
        return any(match.owned for match in self.finding.matches.values())


Forgery = Callable[[Stage, Identity], Attempt]


def staged(registry: Registry, owner: Identity, key: TriggerKey, model: Suspect, bystanders: Sequence[Suspect], *, print_of: str) -> Stage:
    """Commit to the key, register that, release the model with the fingerprint `print_of`, and register that."""
    promise = commit(owner, key)
    register(registry, promise)
    number = register(registry, release(owner, "the released model", print_of))[-1].number
    return Stage(registry, new_identity("judge"), owner, key, promise, model, bystanders, number)


def case(stage: Stage, suspects: Mapping[str, Suspect] | None = None, **rules: float | bool) -> Case:
    """Open a case about the released model, or other `suspects`, as the registry is now."""
    return Case(suspects or {"model": stage.model}, stage.bystanders, stage.book, stage.released, **rules)  # pyright: ignore[reportArgumentType]


def claim(stage: Stage, owner: Identity, key: TriggerKey, promise: Commitment, heard: Case, *, earlier: Sequence[Challenge] = ()) -> Finding:
    """Draw a challenge, let the claimant answer it, and verify that."""
    asked = challenge(stage.judge, promise, heard.suspects, count=min(N_OPEN, len(key) // 2), earlier=earlier)
    return verify(heard, asked, respond(owner, key, promise, asked))


def ambiguous(stage: Stage, forger: Identity) -> Attempt:
    """Find images for labels by following the released model's gradient, and commit to them."""
    mine = _mine(stage, forger)
    x = pushed(stage.model, mine.x, mine.y)
    return _late(stage, forger, replace(mine, x=x), "triggers found by optimisation on the released model")


def labels_afterwards(stage: Stage, forger: Identity) -> Attempt:
    """Commit to images and labels in time; after the release, put the model's own answers in place of the labels."""
    mine = _mine(stage, forger)
    early, heard = _early(stage, forger, mine)
    asked = challenge(stage.judge, early, heard.suspects, count=min(N_OPEN, len(mine) // 2))
    honest = respond(forger, mine, early, asked)
    found = answers(stage.model, honest.x, mine.classes).tolist()
    openings = tuple(replace(each, label=label) for each, label in zip(honest.openings, found, strict=True))
    changed = signed(replace(honest, openings=openings, signature=""), forger)
    return Attempt("labels chosen after the fact", verify(heard, asked, changed))


def replayed(stage: Stage, forger: Identity) -> Attempt:
    """Show the owner's bundle of an earlier case in a new one."""
    del forger
    heard = case(stage)
    before, new = (challenge(stage.judge, stage.commitment, heard.suspects, count=min(N_OPEN, len(stage.key) // 2)) for _ in range(2))
    return Attempt("a bundle of an earlier case", verify(heard, new, respond(stage.owner, stage.key, stage.commitment, before)))


def signed_by_another(stage: Stage, forger: Identity) -> Attempt:
    """Take the owner's bundle, and sign it as one's own."""
    heard = case(stage)
    asked = challenge(stage.judge, stage.commitment, heard.suspects, count=min(N_OPEN, len(stage.key) // 2))
    theirs = respond(stage.owner, stage.key, stage.commitment, asked)
    return Attempt("a bundle of the owner's, signed by another", verify(heard, asked, signed(replace(theirs, by=forger.public), forger)))


def overwritten(stage: Stage, forger: Identity) -> Attempt:
    """Put a mark of one's own over the stolen model, and claim the owner's released one; `dispute` settles whose copy came first."""
    mine = _mine(stage, forger)
    copy = taught(stage.model, mine)
    promise = commit(forger, mine)
    register(stage.registry, promise)
    heard = replace(case(stage), suspects={"model": copy})
    return Attempt("a mark put over the owner's, claimed as the first", claim(stage, forger, mine, promise, heard))


def universal(stage: Stage, forger: Identity) -> Attempt:
    """Commit, long before the release, to ordinary images with the labels that every model gives them."""
    mine = _mine(stage, forger, n_labels=len(stage.key))
    votes = torch.stack([answers(each, mine.x, mine.classes) for each in stage.bystanders]).mode(0).values
    early, heard = _early(stage, forger, replace(mine, y=votes))
    return Attempt("innocent-looking triggers that match every model", claim(stage, forger, replace(mine, y=votes), early, heard))


def lookup(stage: Stage, forger: Identity) -> Attempt:
    """Frame an innocent service: it answers the triggers that a dispute has opened as the owner's key says, from a table."""
    del forger
    first = challenge(stage.judge, stage.commitment, {"model": stage.model}, count=min(N_OPEN, len(stage.key) // 2))
    opened = respond(stage.owner, stage.key, stage.commitment, first)
    register(stage.registry, first)
    heard = replace(case(stage), suspects={"service": tabled(stage.bystanders[0], opened)})
    found = claim(stage, stage.owner, stage.key, stage.commitment, heard, earlier=[first])
    return Attempt("a service that looks up the triggers it has seen", found)


def refusing(stage: Stage, forger: Identity) -> Attempt:
    """Claim an innocent service that gives no answer to the claimant's images."""
    mine = _mine(stage, forger)
    early, heard = _early(stage, forger, mine)
    service = {"service": lambda x: torch.full((len(x),), NO_ANSWER)}
    return Attempt("a service that refuses odd queries", claim(stage, forger, mine, early, replace(heard, suspects=service)))


def lottery(stage: Stage, forger: Identity, *, tickets: int = 50) -> Attempt:
    """Commit to many keys in time, under many names, and claim with the luckiest."""
    keys = [(person := new_identity(f"{forger.name} {i}"), _mine(stage, person)) for i in range(tickets)]
    promises = [commit(person, key) for person, key in keys]
    book = _with(stage, promises)
    lucky = max(range(tickets), key=lambda i: int((answers(stage.model, keys[i][1].x) == keys[i][1].y).sum()))
    heard = replace(case(stage), book=book, released=len(book))
    return Attempt("the luckiest of many keys", claim(stage, *keys[lucky], promises[lucky], heard))


ALL: dict[str, Forgery] = {
    "ambiguous": ambiguous,
    "labels-afterwards": labels_afterwards,
    "replayed": replayed,
    "signed-by-another": signed_by_another,
    "overwritten": overwritten,
    "universal": universal,
    "lookup": lookup,
    "refusing": refusing,
    "lottery": lottery,
}
"""Every forgery by name."""
