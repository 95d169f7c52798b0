"""False claims, one a function, and what the judge makes of each. All are to be refused; each says by what.

The ambiguity attack is L. Fan, K. W. Ng, C. S. Chan: Rethinking Deep Neural Network Ownership Verification,
NeurIPS 2019, arXiv:1909.07830; forging against a service is S. Lounici and others, Preventing Watermark
Forging Attacks in a MLaaS Environment, SECRYPT 2021. Differs: the details of neither were at hand; the
attacks are derived anew for trigger sets and a judge who sees labels.

Each forger may see everything public: the victim's released model, the registry, and the triggers that a
dispute has opened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ..evidence import Suspect, answers
from ..watermarks import TriggerKey
from ..watermarks.adversarial import pushed
from . import toys
from .bundle import Bundle, respond
from .commitment import Commitment, commit
from .cut_and_choose import Challenge, challenge, fingerprint
from .documents import signed
from .identity import Identity, new_identity, secret_for
from .registry import Release, chained, challenges, release
from .salted import draw
from .verification import NO_ANSWER, Case, Finding, verify

N_OPEN = 30
Overwrite = Callable[[nn.Module, TriggerKey], nn.Module]
"""Embed a key into a copy of a model."""


@dataclass(frozen=True, eq=False)
class Stage:
    """A theft before it happens: `owner` has promised a key, and then released a `model` that carries it;
    both are registered.
    """

    judge: Identity
    keeper: Identity
    owner: Identity
    key: TriggerKey
    promise: Commitment
    released: Release
    model: nn.Module
    bystanders: Sequence[Suspect]
    overwrite: Overwrite


@dataclass(frozen=True)
class Attempt:
    """One false claim: what was tried, and what the judge found."""

    story: str
    finding: Finding

    @property
    def accepted(self) -> bool:
        """Whether the claim would have stood."""
        return any(match.owned for match in self.finding.matches.values())


Forgery = Callable[[Stage, Identity], Attempt]


def staged(
    owner: Identity, key: TriggerKey, model: nn.Module, bystanders: Sequence[Suspect], overwrite: Overwrite
) -> Stage:
    """Set the stage: `owner` commits to the key that `model` carries, and releases the model."""
    promise = commit(owner, key)
    released = release(owner, "the model", fingerprint(model))
    judge = new_identity("judge")
    keeper = new_identity("keeper")
    return Stage(judge, keeper, owner, key, promise, released, model, bystanders, overwrite)


def toy_stage(owner: Identity, *, n: int = 100) -> Stage:
    """Set a stage of toys, on which a claim takes milliseconds."""
    key = draw(owner, n=n, shape=toys.SHAPE, classes=toys.CLASSES)
    bystanders = [toys.Toy(seed) for seed in range(1, 9)]
    return staged(owner, key, toys.taught(toys.Toy(0), key), bystanders, toys.taught)


def case(
    stage: Stage, *, early: Sequence[Commitment] = (), late: Sequence[Commitment | Challenge] = ()
) -> Case:
    """Open a case about the released model, with what was registered before the release and after it.

    Keys whose triggers were chosen are heard, so that every forgery meets its own defence; `copies` meets the
    rule against them.
    """
    book = chained([stage.promise, *early, stage.released, *late], keeper=stage.keeper)
    return Case({"model": stage.model}, stage.bystanders, book, 2 + len(early), chosen=True)


def claim(stage: Stage, claimant: Identity, key: TriggerKey, promise: Commitment, hearing: Case) -> Finding:
    """Draw a challenge, let the claimant answer it, and verify that."""
    question = asks(stage, promise, hearing)
    return verify(hearing, question, respond(claimant, key, promise, question))


def asks(stage: Stage, promise: Commitment, hearing: Case) -> Challenge:
    """Draw the judge's challenge for a case; what earlier ones opened stays closed."""
    return challenge(
        stage.judge,
        promise,
        hearing.suspects,
        count=min(N_OPEN, promise.n // 2),
        earlier=challenges(hearing.book),
    )


def ambiguous(stage: Stage, forger: Identity) -> Attempt:
    """Find images for labels by following the released model's gradient, and commit to them."""
    return _claim_late(stage, forger, optimised(stage, forger), "triggers found by optimisation")


def ambiguous_picked(stage: Stage, forger: Identity) -> Attempt:
    """Find images that the released model alone answers as it does: no bystander speaks against them, only
    the order of the registry.
    """
    return _claim_late(
        stage, forger, picked(stage, forger), "triggers picked by the released model's answers"
    )


def labels_afterwards(stage: Stage, forger: Identity) -> Attempt:
    """Commit to images and labels in time; after the release, put the model's own answers in place of the
    labels.
    """
    key = _draw_key(stage, forger)
    promise = commit(forger, key)
    hearing = case(stage, early=[promise])
    question = asks(stage, promise, hearing)
    honest = respond(forger, key, promise, question)
    labels = answers(stage.model, honest.x, key.classes).tolist()
    openings = tuple(
        replace(opening, label=label) for opening, label in zip(honest.openings, labels, strict=True)
    )
    false = signed(replace(honest, openings=openings), forger)
    return Attempt("labels chosen after the fact", verify(hearing, question, false))


def replayed(stage: Stage, forger: Identity) -> Attempt:
    """Show the owner's bundle of an earlier case in a new one."""
    hearing = case(stage)
    earlier = asks(stage, stage.promise, hearing)
    question = asks(stage, stage.promise, hearing)
    bundle = respond(stage.owner, stage.key, stage.promise, earlier)
    return Attempt("a bundle of an earlier case", verify(hearing, question, bundle))


def signed_by_another(stage: Stage, forger: Identity) -> Attempt:
    """Take the owner's bundle, and sign it as one's own."""
    hearing = case(stage)
    question = asks(stage, stage.promise, hearing)
    bundle = respond(stage.owner, stage.key, stage.promise, question)
    false = signed(replace(bundle, by=forger.public), forger)
    return Attempt("the owner's bundle, signed by another", verify(hearing, question, false))


def overwritten(stage: Stage, forger: Identity) -> Attempt:
    """Put a mark of one's own over the owner's, and claim that it was the first; `dispute` also settles whose
    copy came first.
    """
    key = _draw_key(stage, forger)
    promise = commit(forger, key)
    copy = stage.overwrite(stage.model, key)
    hearing = replace(case(stage, late=[promise]), suspects={"model": copy})
    return Attempt("a mark put over the owner's", claim(stage, forger, key, promise, hearing))


def universal(stage: Stage, forger: Identity) -> Attempt:
    """Commit, long before the release, to images with the labels that every model gives them."""
    key = _draw_key(stage, forger)
    votes = torch.stack([answers(model, key.x, key.classes) for model in stage.bystanders])  # (models, n)
    common = replace(key, y=votes.mode(0).values)
    promise = commit(forger, common)
    hearing = case(stage, early=[promise])
    return Attempt("triggers that match every model", claim(stage, forger, common, promise, hearing))


def copies(stage: Stage, forger: Identity) -> Attempt:
    """Commit to one image over and over: one lucky guess looks like thirty."""
    key = _draw_key(stage, forger)
    alike = replace(key, x=key.x[:1].expand_as(key.x), y=key.y[:1].expand_as(key.y))
    promise = commit(forger, alike)
    hearing = replace(case(stage, early=[promise]), chosen=False)
    return Attempt("one trigger many times", claim(stage, forger, alike, promise, hearing))


def lookup(stage: Stage, forger: Identity) -> Attempt:
    """Frame an innocent service: make it answer, from a table, what the owner's bundle in an earlier dispute
    has made public.
    """
    earlier = asks(stage, stage.promise, case(stage))
    public = respond(stage.owner, stage.key, stage.promise, earlier)
    service = tabled(stage.bystanders[0], public)
    hearing = replace(case(stage, late=[earlier]), suspects={"service": service})
    return Attempt(
        "a service that looks up known triggers",
        claim(stage, stage.owner, stage.key, stage.promise, hearing),
    )


def refusing(stage: Stage, forger: Identity) -> Attempt:
    """Claim a service that gives no answer to odd images: its silence is no confession, and no alibi."""

    def silent(x: Tensor) -> Tensor:
        return torch.full((len(x),), NO_ANSWER)

    key = _draw_key(stage, forger)
    promise = commit(forger, key)
    hearing = replace(case(stage, early=[promise]), suspects={"service": silent})
    return Attempt("a service that refuses odd queries", claim(stage, forger, key, promise, hearing))


def lottery(stage: Stage, forger: Identity, *, tickets: int = 20) -> Attempt:
    """Commit to many keys in time, under many names, and claim with the one that turns out luckiest."""
    people = [Identity(f"{forger.name} {i}", secret_for(forger, "lottery", str(i))) for i in range(tickets)]
    keys = [_draw_key(stage, person) for person in people]
    promises = [commit(person, key) for person, key in zip(people, keys, strict=True)]
    hits = [int((answers(stage.model, key.x, key.classes) == key.y).sum()) for key in keys]
    best = hits.index(max(hits))
    hearing = case(stage, early=promises)
    return Attempt(
        "the luckiest of many keys", claim(stage, people[best], keys[best], promises[best], hearing)
    )


def optimised(stage: Stage, forger: Identity, *, steps: int = 30, size: float = 0.02) -> TriggerKey:
    """Return a key whose images were pushed, step by step, until the released model gives its labels."""
    key = _draw_key(stage, forger)
    x = key.x
    for _ in range(steps):
        x = pushed(stage.model, x, key.y, size)
    return replace(key, x=x)


def picked(stage: Stage, forger: Identity, *, pool: int = 15) -> TriggerKey:
    """Return a key of the images, of `pool` drawn for each, that the released model answers unlike the
    bystanders, with its answers.
    """
    key = _draw_key(stage, forger)
    x = draw(forger, n=pool * len(key), shape=tuple(key.x.shape[1:]), classes=key.classes).x
    y = answers(stage.model, x, key.classes)
    agreement = torch.stack([answers(model, x, key.classes) == y for model in stage.bystanders]).sum(0)
    index = agreement.argsort(stable=True)[: len(key)]
    return replace(key, x=x[index], y=y[index])


def tabled(model: Suspect, known: Bundle) -> Suspect:
    """Return a service that answers the images of a bundle as the bundle says, pixel for pixel, and else as
    `model` does.
    """
    table = {image.numpy().tobytes(): int(label) for image, label in zip(known.x, known.y, strict=True)}

    def service(x: Tensor) -> Tensor:
        labels = answers(model, x).tolist()
        return torch.tensor(
            [table.get(image.numpy().tobytes(), label) for image, label in zip(x, labels, strict=True)]
        )

    return service


def _claim_late(stage: Stage, forger: Identity, key: TriggerKey, story: str) -> Attempt:
    """Commit to a key that was found on the released model, and claim with it."""
    promise = commit(forger, key)
    return Attempt(story, claim(stage, forger, key, promise, case(stage, late=[promise])))


def _draw_key(stage: Stage, forger: Identity) -> TriggerKey:
    """Draw an honest key of the forger's, as large as the owner's."""
    return draw(forger, n=len(stage.key), shape=tuple(stage.key.x.shape[1:]), classes=stage.key.classes)


ALL: dict[str, Forgery] = {
    "ambiguous": ambiguous,
    "ambiguous-picked": ambiguous_picked,
    "labels-afterwards": labels_afterwards,
    "replayed": replayed,
    "signed-by-another": signed_by_another,
    "overwritten": overwritten,
    "universal": universal,
    "copies": copies,
    "lookup": lookup,
    "refusing": refusing,
    "lottery": lottery,
}
"""Every forgery by name."""
