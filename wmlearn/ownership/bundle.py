"""The owner's answer to a challenge: one JSON file that anybody can check offline, with no secret in it but
the opened seeds. Pixels and labels follow from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from torch import Tensor

from ..errors import DataError, require
from . import merkle
from .commitment import LARGEST, Commitment, content, leaves
from .cut_and_choose import Challenge, named, opened_before
from .documents import check_hex, digest, genuine, parse, signed
from .identity import Identity
from .opened import Ledger
from .registry import Book, Receipt, audited, broken
from .seeded import Pairs, opened_by, pairs_of, promised, trigger


@dataclass(frozen=True)
class Opening:
    """One trigger: its number, its seed, and the way from there to the root."""

    index: int
    seed: str
    path: tuple[str, ...]

    def __post_init__(self) -> None:
        steps = {f"path[{i}]": step for i, step in enumerate(self.path)}
        check_hex(64, seed=self.seed, **steps)
        require(0 <= self.index < LARGEST, f"a trigger's index must lie in 0..{LARGEST - 1}", self.index)


@dataclass(frozen=True)
class Bundle:
    """A claim: the keeper's receipts of the `promise` and of the judge's `question`, and the triggers it
    names.
    """

    by: str
    promise: Receipt
    question: Receipt
    openings: tuple[Opening, ...]
    signature: str = ""

    def __post_init__(self) -> None:
        check_hex(64, by=self.by)

    @cached_property
    def commitment(self) -> Commitment:
        """The owner's commitment; raises `DataError` where the receipt holds something else."""
        return promised(self.promise)

    @cached_property
    def challenge(self) -> Challenge:
        """The judge's challenge; raises `DataError` where the receipt holds something else."""
        return parse(self.question.entry.document, Challenge)

    @cached_property
    def pairs(self) -> Pairs:
        """The opened images and labels, as they follow from the seeds and the keeper's nonce."""
        nonce = self.promise.entry.nonce
        openings = self.openings
        drawn = [trigger(self.by, nonce, each.index, bytes.fromhex(each.seed)) for each in openings]
        return pairs_of(self.commitment, drawn)

    @property
    def x(self) -> Tensor:
        """The opened images (n, C, H, W)."""
        return self.pairs.x

    @property
    def y(self) -> Tensor:
        """The opened labels (n,)."""
        return self.pairs.y


def respond(
    owner: Identity,
    promise: Receipt,
    question: Receipt,
    *,
    judge: str,
    book: Book,
    ledger: Path | str | None = None,
    allow: int | None = None,
) -> Bundle:
    """Open what a registered challenge of `judge` (a public key) names, and nothing else.

    `promise` and `question` are the receipts of commitment and challenge. What was opened is kept in the file
    `ledger`; when more than half of the key would be open by then, `allow` must say how many may be. Raises
    `ArgumentError` when owner, judge, book and receipts do not belong together.
    """
    commitment = promised(promise)
    challenge = parse(question.entry.document, Challenge)
    _check_question(book, promise, question)
    fix = "Answer the judge whom both parties accept, and nobody else."
    require(challenge.by == judge, "the challenge must be one of the judge", challenge.by, fix)
    require(judge != owner.public, "the judge must be somebody else", judge[:12])
    name = digest(commitment)
    require(
        challenge.commitment == name, "the challenge must be to this commitment", challenge.commitment[:12]
    )
    spent = opened_before(book, judge, commitment, question.entry.number)
    require(
        challenge.spent == spent,
        "the challenge must count as spent what the book shows as opened",
        f"{len(challenge.spent)} triggers instead of {len(spent)}",
        "Ask the judge for another.",
    )
    seeds = opened_by(owner, commitment)
    indices = named(challenge, question.entry, commitment.n)
    if ledger is not None:
        Ledger(Path(ledger)).add(name, indices, commitment.n, allow)
    tree = merkle.levels(leaves(owner.public, seeds))
    openings = tuple(_open(seeds, tree, index) for index in indices)
    return signed(Bundle(owner.public, promise, question, openings), owner)


def _check_question(book: Book, promise: Receipt, question: Receipt) -> None:
    """Refuse receipts that are not whole, or not of this book."""
    for what, receipt in (("promise", promise), ("challenge", question)):
        why = broken(receipt, book.keeper)
        require(not why, f"the receipt of the {what} must be the keeper's", " and ".join(why))
    faults = audited(book, (promise, question)).faults
    require(not faults, "promise and challenge must be in the book", " and ".join(faults[:2]))


def _open(seeds: list[bytes], tree: list[list[bytes]], index: int) -> Opening:
    path = tuple(step.hex() for step in merkle.path(tree, index))
    return Opening(index, seeds[index].hex(), path)


def faults(bundle: Bundle) -> tuple[str, ...]:
    """Say why a bundle proves nothing, whatever the suspect answers; empty for a sound one. Needs no book and
    no network.
    """
    try:
        return tuple(_broken_promises(bundle))
    except DataError as error:
        return (f"its receipts hold something else than a commitment and a challenge: {error}",)


def _broken_promises(bundle: Bundle) -> Iterator[str]:
    """Say what is not signed, not asked for, or not committed to."""
    commitment = bundle.commitment
    challenge = bundle.challenge
    keeper = bundle.promise.by
    for what, receipt in (("commitment", bundle.promise), ("challenge", bundle.question)):
        yield from (f"the receipt of its {what} is void: {why}" for why in broken(receipt, keeper))
    if not genuine(commitment):
        yield "the commitment is not signed by the one whom it names"
    if not genuine(challenge):
        yield "the challenge is not signed by the judge whom it names"
    if bundle.by != commitment.by:
        yield "the bundle is by another than the commitment"
    if not genuine(bundle):
        yield "the bundle is not signed by the one whom it names"
    if challenge.by == commitment.by:
        yield "the owner has challenged himself: a judge must be somebody else"
    if challenge.commitment != digest(commitment):
        yield "the challenge is to another commitment"
    if bundle.question.entry.number <= bundle.promise.entry.number:
        yield "the challenge is older than the commitment"
    asked = named(challenge, bundle.question.entry, commitment.n)
    if tuple(opening.index for opening in bundle.openings) != asked:
        yield "the opened triggers are not those that the judge named"
    if not bundle.openings:
        yield "nothing is opened"
    n_changed = sum(not _is_committed(opening, commitment) for opening in bundle.openings)
    if n_changed:
        yield f"{n_changed} of {len(bundle.openings)} opened triggers are not those committed to"


def _is_committed(opening: Opening, commitment: Commitment) -> bool:
    start = merkle.leaf(content(commitment.by, opening.index, bytes.fromhex(opening.seed)))
    neighbours = [bytes.fromhex(step) for step in opening.path]
    return merkle.climb(start, opening.index, commitment.n, neighbours).hex() == commitment.root
