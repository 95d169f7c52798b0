"""The papers of a case: what claimant and accused have registered and released, what the judge has asked,
what both answer, and whatever licence somebody shows.

All dates are one day, and all nonces follow from the keeper's secret and the documents, so that a case is
dealt alike twice. A book in earnest draws its nonces (`ownership.register`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from torch import Tensor, nn

from .. import ownership as own
from ..evidence import Suspect
from ..ownership import Book, Bundle, Challenge, Commitment, Identity, Receipt
from ..ownership.documents import Document, check_hex, digest, genuine, kind, moment, signed, text
from ..ownership.identity import derive
from ..ownership.registry import closed
from ..ownership.seeded import Pairs
from ..watermarks import TriggerKey
from . import small_digits

MADE = "2026-03-02T09:00:00+00:00"
OPENED = 30
LEVEL = 1e-4
SHOWN = 10
"""Pictures that a claimant shows to everybody, with the labels that the accused's network gives."""


@dataclass(frozen=True)
class Licence:
    """Somebody's word (`by`, a public key) that the owner of the key `to` may use the network of this
    `fingerprint`, and change it. It holds where `genuine` says so, and `by` is the network's owner.
    """

    by: str
    to: str
    fingerprint: str
    made: str
    signature: str = ""

    def __post_init__(self) -> None:
        check_hex(64, by=self.by, to=self.to, fingerprint=self.fingerprint)
        moment(self.made)


@dataclass(frozen=True, eq=False)
class Filing:
    """One side: a name, the public key that stands for it, the judge's challenge, and the answer."""

    name: str
    by: str
    challenge: Challenge
    bundle: Bundle


@dataclass(frozen=True, eq=False)
class Papers:
    """What lies on the judge's desk: the registry, the judge's public key, the claimant's network `original`
    and the number of its release, both filings, licences, and ten pictures that the claimant shows: `x`
    (10, 1, 28, 28), with the labels `y` (10,) that the accused's network is said to give.
    """

    book: Book
    judge: str
    original: nn.Module
    released: int
    claimant: Filing
    accused: Filing
    licences: tuple[Licence, ...]
    x: Tensor
    y: Tensor


def licence(owner: Identity, to: str, fingerprint: str) -> Licence:
    """Sign a licence for the network of a fingerprint."""
    return signed(Licence(owner.public, to, fingerprint, MADE), owner)


def is_licensed(papers: Papers) -> bool:
    """Say whether a licence of the claimant's lets the accused use the claimant's network."""
    wanted = (papers.claimant.by, papers.accused.by, own.fingerprint(papers.original))
    return any((each.by, each.to, each.fingerprint) == wanted and genuine(each) for each in papers.licences)


@dataclass(frozen=True)
class Bar:
    """The people of a case, and its secret."""

    secret: bytes
    claimant: Identity
    accused: Identity

    def person(self, name: str) -> Identity:
        """Return somebody else of the case."""
        return Identity(name, derive(self.secret, "court", name))

    @property
    def judge(self) -> Identity:
        """The judge whom both accept."""
        return self.person("the judge")

    @property
    def keeper(self) -> Identity:
        """Who keeps the registry."""
        return self.person("the keeper")

    def nonce(self, document: Document) -> str:
        """Return what the keeper draws for a document."""
        return derive(self.keeper.secret, "nonce", kind(document), digest(document)).hex()

    def registered(self, documents: Iterable[Document], after: Book | None = None) -> Book:
        """Return a registry with these entries."""
        entries = list(after.entries) if after else []
        for document in documents:
            number = len(entries) + 1
            entries.append(own.Entry(number, MADE, kind(document), text(document), self.nonce(document)))
        return closed(entries, self.keeper, MADE)

    def receipt(self, book: Book, document: Document) -> Receipt:
        """Return the keeper's receipt of a document."""
        entry = own.find(book, document)
        assert entry is not None
        return own.receipt(book, self.keeper, entry.number)

    def key(self, owner: Identity, promise: Commitment) -> TriggerKey:
        """Draw the key that a promise becomes in this case's registry."""
        return own.draw(owner, self.receipt(self.registered([promise]), promise))


def bar(secret: bytes, claimant: str, accused: str) -> Bar:
    """Return the people of a case, whose secrets follow from the case's."""
    sides = (Identity(name, derive(secret, "court party", name)) for name in (claimant, accused))
    return Bar(secret, *sides)


def promise(owner: Identity, *, serial: str = "", made: str = MADE) -> Commitment:
    """Return somebody's promise of a key."""
    shape = small_digits.SHAPE
    return own.commit(
        owner, n=small_digits.N, shape=shape, classes=small_digits.CLASSES, serial=serial, made=made
    )


def question(
    people: Bar, judge: Identity, promised: Commitment, suspects: Mapping[str, Suspect], book: Book
) -> Challenge:
    """Return the judge's challenge to a promise, whose nonce follows from the case."""
    blank = own.challenge(judge, promised, suspects, book=book, count=OPENED, level=LEVEL)
    nonce = derive(people.secret, "challenge", digest(promised)).hex()
    return signed(replace(blank, nonce=nonce, made=MADE), judge)


@dataclass(frozen=True, eq=False)
class Asked:
    """A registry in which the judge has asked both sides, whose promises and challenges these are: first the
    claimant's, who knows the `seeds`.
    """

    book: Book
    promises: tuple[Commitment, ...]
    challenges: tuple[Challenge, ...]
    seeds: tuple[bytes, ...]

    def answer(self, people: Bar, side: int) -> Bundle:
        """Answer as an honest party does: side 0 is the claimant, 1 the accused."""
        person = (people.claimant, people.accused)[side]
        promised = people.receipt(self.book, self.promises[side])
        receipt = people.receipt(self.book, self.challenges[side])
        return own.respond(person, promised, receipt, judge=people.judge.public, book=self.book)


def first(pairs: Pairs) -> Pairs:
    """Return the pictures that are shown to everybody."""
    return Pairs(pairs.x[:SHOWN], pairs.y[:SHOWN])
