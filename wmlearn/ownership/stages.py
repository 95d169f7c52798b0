"""The stage of a rehearsed dispute: an owner who has promised, marked and released; a keeper, a judge; and
how a claim is heard on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from torch import nn

from ..evidence import Suspect
from ..watermarks import TriggerKey
from . import merkle, toys
from .bundle import Bundle, Opening, respond
from .commitment import Commitment, commit, leaves
from .cut_and_choose import Challenge, challenge, fingerprint, named
from .documents import Document, parse, signed
from .identity import Identity, new_identity
from .registry import Book, Receipt, Release, chained, find, receipt, release
from .seeded import draw, promised
from .verification import Case, Finding, verify

N_OPEN = 30
Overwrite = Callable[[nn.Module, TriggerKey], nn.Module]
"""Embed a key into a copy of a model."""


@dataclass(frozen=True, eq=False)
class Stage:
    """A theft before it happens: `owner` has promised a key, taught it to a `model`, and `released` that;
    `book` holds the promise only, so that others may have promised before the release, too.
    """

    judge: Identity
    keeper: Identity
    owner: Identity
    promise: Receipt
    key: TriggerKey
    model: nn.Module
    released: Release
    book: Book
    overwrite: Overwrite

    @property
    def commitment(self) -> Commitment:
        """The owner's promise."""
        return promised(self.promise)


@dataclass(frozen=True)
class Attempt:
    """One false claim: what was tried, whether it was believed, and what stopped it."""

    story: str
    accepted: bool
    why: str


@dataclass(frozen=True, eq=False)
class Question:
    """A registered challenge: the document, and the book and receipts that the claimant needs to answer
    it.
    """

    challenge: Challenge
    book: Book
    promise: Receipt
    receipt: Receipt


def staged(
    owner: Identity, promise: Receipt, book: Book, keeper: Identity, model: nn.Module, overwrite: Overwrite
) -> Stage:
    """Set the stage: `model` carries the key of the owner's `promise`, and is released."""
    key = draw(owner, promise)
    released = release(owner, "the model", fingerprint(model))
    judge = new_identity("judge")
    return Stage(judge, keeper, owner, promise, key, model, released, book, overwrite)


def toy_stage(owner: Identity, *, n: int = 100) -> Stage:
    """Set a stage of toys, on which a claim takes milliseconds."""
    keeper = new_identity("keeper")
    promise = commit(owner, n=n, shape=toys.SHAPE, classes=toys.CLASSES)
    book = chained([promise], keeper=keeper)
    paper = receipt(book, keeper, 1)
    model = toys.taught(toys.Toy(0), draw(owner, paper))
    return staged(owner, paper, book, keeper, model, toys.taught)


def booked(stage: Stage, *, early: Sequence[Document] = (), late: Sequence[Document] = ()) -> Book:
    """Return the book with what was registered before the owner's release, and after it."""
    return chained([*early, stage.released, *late], keeper=stage.keeper, after=stage.book)


def promises(stage: Stage, person: Identity, *, serial: str = "", n: int | None = None) -> Commitment:
    """Return an honest promise of somebody, as large as the owner's."""
    own = stage.commitment
    return commit(person, n=n or own.n, shape=own.shape, classes=own.classes, serial=serial)


def paper(stage: Stage, book: Book, document: Document) -> Receipt:
    """Return the keeper's receipt of a document in a book."""
    entry = find(book, document)
    assert entry is not None
    return receipt(book, stage.keeper, entry.number)


def asked(
    stage: Stage,
    book: Book,
    promise: Commitment,
    suspects: Mapping[str, Suspect],
    *,
    judge: Identity | None = None,
    change: Callable[[Challenge], Challenge] = lambda challenge: challenge,
) -> Question:
    """Draw a challenge and register it; `change` is what a judge in league with somebody writes into it."""
    person = judge or stage.judge
    count = min(N_OPEN, promise.n // 2)
    document = signed(change(challenge(person, promise, suspects, book=book, count=count)), person)
    longer = chained([document], keeper=stage.keeper, after=book)
    return Question(document, longer, paper(stage, longer, promise), paper(stage, longer, document))


def heard(
    stage: Stage,
    book: Book,
    claimant: Identity,
    promise: Commitment,
    suspects: Mapping[str, Suspect],
    *,
    released: int | None = None,
) -> Finding:
    """Challenge an honest claimant, let the claimant answer, and verify the answer."""
    question = asked(stage, book, promise, suspects)
    bundle = answered(stage, claimant, question)
    return found(stage, question, bundle, suspects, released=released)


def answered(stage: Stage, claimant: Identity, question: Question) -> Bundle:
    """Answer a challenge of the stage's judge."""
    return respond(
        claimant, question.promise, question.receipt, judge=question.challenge.by, book=question.book
    )


def found(
    stage: Stage,
    question: Question,
    bundle: Bundle,
    suspects: Mapping[str, Suspect],
    *,
    released: int | None = None,
) -> Finding:
    """Verify a bundle in the case of the stage's judge."""
    case = Case(suspects, question.book, stage.judge.public, released)
    return verify(case, question.challenge, bundle)


def committed(stage: Stage, forger: Identity, seeds: Sequence[bytes]) -> Commitment:
    """Commit to seeds of the forger's own choice."""
    root = merkle.root(leaves(forger.public, seeds)).hex()
    return signed(replace(promises(stage, forger, n=len(seeds)), root=root), forger)


def opening(forger: Identity, question: Question, seeds: Sequence[bytes]) -> Bundle:
    """Answer a challenge with seeds of the forger's own choice."""
    promise = promised(question.promise)
    tree = merkle.levels(leaves(promise.by, seeds))
    entry = question.receipt.entry
    openings = []
    for index in named(parse(entry.document, Challenge), entry, promise.n):
        path = tuple(step.hex() for step in merkle.path(tree, index))
        openings.append(Opening(index, seeds[index].hex(), path))
    return signed(Bundle(forger.public, question.promise, question.receipt, tuple(openings)), forger)
