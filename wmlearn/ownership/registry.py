"""The public book: who promised what, in which order. Entries are only ever added; whoever keeps the book signs
what it held at each moment, and how each entry is found in it.

The tree, and what is proved with it, are those of Certificate Transparency: B. Laurie, E. Messeri,
R. Stradling, RFC 9162. The older idea is S. Haber, W. S. Stornetta: How to Time-Stamp a Digital Document,
Journal of Cryptology 1991.

What it proves: order. Entry 7 was written after entry 6, and a row that was changed, removed or put in between
is found by `audit`. A receipt shows, without the book, that its keeper has signed an entry at its place; a
book that was cut, or written anew, does not hold what was receipted, and both signatures are the keeper's. Nobody
can put words into anybody else's mouth: documents are signed.

What it does not prove:
- The time of day. An entry's time is what the keeper's clock said, though never before the entry above.
- That the keeper is honest towards those who have no receipt: a keeper can turn documents away, and a keeper in
  league with an owner can draw nonces until one suits. Two keepers, or a public source of randomness, mend it.
- A book on one's own laptop protects from others, not from oneself.

SQLite by default, in a file; several processes may write at once, and each entry is there as a whole or not at
all. Any other database that SQLAlchemy knows by URL; PostgreSQL is locked while an entry is added.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError, WmlearnError, require
from . import merkle
from .commitment import Commitment
from .cut_and_choose import Challenge
from .documents import Document, canonical, check_hex, digest, genuine, kind, moment, now, parse, signed, text
from .identity import Identity

if TYPE_CHECKING:
    from sqlalchemy import Connection

SLACK = timedelta(minutes=5)  # between two honest clocks


@dataclass(frozen=True)
class Release:
    """Somebody's word that the model with this `fingerprint` is made public now.

    Commitments to its marks must be older: `commitments` are the digests of those that it carries. `after`
    are the fingerprints of the models that it was made from.
    """

    by: str
    model: str
    fingerprint: str
    after: tuple[str, ...]
    commitments: tuple[str, ...]
    made: str
    signature: str = ""

    def __post_init__(self) -> None:
        check_hex(64, by=self.by, fingerprint=self.fingerprint)
        check_hex(64, **{f"after[{i}]": value for i, value in enumerate(self.after)})
        check_hex(64, **{f"commitments[{i}]": value for i, value in enumerate(self.commitments)})
        moment(self.made)


def release(
    owner: Identity,
    model: str,
    fingerprint: str,
    *,
    after: Sequence[str] = (),
    commitments: Sequence[str] = (),
    made: str | None = None,
) -> Release:
    """Sign that the model named `model` is released; register it on the same day."""
    document = Release(owner.public, model, fingerprint, tuple(after), tuple(commitments), made or now())
    return signed(document, owner)


KINDS: dict[str, type[Commitment | Release | Challenge]] = {
    kind(shape): shape for shape in (Commitment, Release, Challenge)
}
"""The documents that a registry holds, by the word that their files carry."""


@dataclass(frozen=True)
class Entry:
    """One line of the book: its number from 1, the keeper's clock, what kind of document, the document, and a
    nonce of 64 hexadecimal digits that the keeper drew when the entry was made.
    """

    number: int
    time: str
    kind: str
    document: str
    nonce: str

    @property
    def leaf(self) -> bytes:
        """The entry's hash in the tree, over all five."""
        return merkle.leaf(canonical(asdict(self)))


@dataclass(frozen=True)
class Head:
    """The keeper's word that the tree of the first `size` entries has this `root`."""

    by: str
    size: int
    root: str
    made: str
    signature: str = ""

    def __post_init__(self) -> None:
        check_hex(64, by=self.by, root=self.root)
        require(0 <= self.size < 2**31, "a book's size must be a number of entries", self.size)
        moment(self.made)


@dataclass(frozen=True)
class Receipt:
    """The keeper's word that `entry` is in the tree of the first `size` entries; `path` leads from it to the
    `root`. `broken` checks all that without the book.
    """

    by: str
    entry: Entry
    size: int
    root: str
    path: tuple[str, ...]
    made: str
    signature: str = ""

    def __post_init__(self) -> None:
        check_hex(64, by=self.by, root=self.root, nonce=self.entry.nonce)
        check_hex(64, **{f"path[{i}]": step for i, step in enumerate(self.path)})
        inside = 1 <= self.entry.number <= self.size < 2**31
        require(inside, "an entry's number must lie in 1..size", (self.entry.number, self.size))
        moment(self.made)


@dataclass(frozen=True)
class Book:
    """All entries, and the keeper's signed head of them: what a judge reads, and everybody can check."""

    keeper: str
    entries: tuple[Entry, ...]
    head: Head


@dataclass(frozen=True)
class Audit:
    """How many entries were read, the head that the keeper signed for them, and everything that is wrong.

    `faults` make a book worthless; `warnings` are what an honest keeper with a wrong clock may have done.
    """

    n: int
    head: Head
    faults: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Registry:
    """Where the book lies: a path or a database URL; who keeps it, without whom it can only be read; and the
    clock that stamps entries.
    """

    where: Path | str
    keeper: Identity | None = None
    clock: Callable[[], str] = now

    @property
    def url(self) -> str:
        """The database URL."""
        address = str(self.where)
        return address if "://" in address else f"sqlite:///{address}"


def register(registry: Registry, *documents: Document) -> tuple[Receipt, ...]:
    """Add signed documents, all or none, and return the receipts to keep; makes the registry when it isn't
    there. Only its keeper can.

    Raises `ArgumentError` for a wrong signature, a document from the future, one that is there already, or a
    registry without its keeper; and `DataError` for a registry that is damaged, of another version or
    keeper, or not writable. Nothing is written then.
    """
    from . import database  # here, because SQLAlchemy is slow to load and few lessons need it

    keeper = registry.keeper
    require(keeper is not None, "only the keeper can register", "no keeper", "Set Registry(…, keeper=…).")
    assert keeper is not None
    for document in documents:
        _check_document(document, registry.clock())
    with database.transaction(registry.url, keeper=keeper.public) as connection:
        before = _book(connection, keeper)
        if not documents:
            return ()
        book = chained(documents, keeper=keeper, after=before, clock=registry.clock)
        new = book.entries[before.head.size :]
        digests = [digest(document) for document in documents]
        rows = [{**asdict(e), "digest": name} for e, name in zip(new, digests, strict=True)]
        database.add(connection, rows, _head_row(book.head))
    return _receipts(book, keeper, before.head.size)


def chained(
    documents: Iterable[Document],
    *,
    keeper: Identity,
    after: Book | None = None,
    clock: Callable[[], str] = now,
) -> Book:
    """Write documents as entries that follow the book `after`, or as a book of their own; nothing is stored.

    Raises `ArgumentError` for a document that is there already, or from the future.
    """
    entries = list(after.entries) if after else []
    names = {_digest(entry): entry.number for entry in entries}
    stamp = entries[-1].time if entries else clock()
    for document in documents:
        stamp = _later(stamp, clock())
        name = digest(document)
        require(
            name not in names,
            "a document must be registered once",
            f"a {kind(document)} that is entry {names.get(name)}",
        )
        _check_date(document, stamp)
        number = len(entries) + 1
        names[name] = number
        entries.append(Entry(number, stamp, kind(document), text(document), secrets.token_hex(32)))
    return closed(entries, keeper, stamp)


def closed(entries: Iterable[Entry], keeper: Identity, made: str) -> Book:
    """Sign the head of a book of exactly these entries, sound or not."""
    lines = tuple(entries)
    root = merkle.root([entry.leaf for entry in lines]).hex()
    head = signed(Head(keeper.public, len(lines), root, made), keeper)
    return Book(keeper.public, lines, head)


def receipt(book: Book, keeper: Identity, number: int) -> Receipt:
    """Sign a receipt for entry `number` of a book in memory; `register` gives those of a registry."""
    return _receipts(book, keeper, number - 1)[0]


def read_book(registry: Registry) -> Book:
    """Read the whole book, as it is; `audit` says whether to believe it."""
    from . import database

    with database.transaction(registry.url) as connection:
        return _book(connection)


def audit(registry: Registry, receipts: Iterable[Receipt] = (), *, head: Head | None = None) -> Audit:
    """Check every entry: its place, its signature, its time, and that it is in the tree whose head the keeper
    signed; that each receipt is in the book; and that the book begins as the older `head` says.
    """
    return audited(read_book(registry), receipts, head=head, at=registry.clock())


def audited(
    book: Book, receipts: Iterable[Receipt] = (), *, head: Head | None = None, at: str | None = None
) -> Audit:
    """Check a book that was read already; `at` is the time after which no entry should lie, by default now."""
    latest = moment(at or now()) + SLACK
    leaves = [entry.leaf for entry in book.entries]
    faults = list(_head_faults(book, leaves))
    warnings: list[str] = []
    names: dict[str, int] = {}
    for number, entry in enumerate(book.entries, 1):
        faults += [f"entry {entry.number}: {fault}" for fault in _faults(entry, number, names)]
        if _is_later(entry.time, latest):
            warnings.append(f"entry {entry.number}: its time lies in the future")
    faults += _missing(book, leaves, receipts)
    if head is not None:
        faults += _forked(book, leaves, head)
    return Audit(len(book.entries), book.head, tuple(faults), tuple(warnings))


def find(book: Book, document: Document) -> Entry | None:
    """Return the first entry of exactly this document."""
    name = digest(document)
    what = kind(document)
    return next((e for e in book.entries if e.kind == what and _digest(e) == name), None)


def challenges(book: Book) -> tuple[Challenge, ...]:
    """Return all registered challenges: what they opened is public."""
    return tuple(parse(entry.document, Challenge) for entry in book.entries if entry.kind == kind(Challenge))


def inclusion(book: Book, number: int) -> tuple[str, ...]:
    """Return the nodes that lead from entry `number` to the root of the book's head."""
    n = len(book.entries)
    require(1 <= number <= n, f"an entry's number must lie in 1..{n}", number)
    tree = merkle.levels([entry.leaf for entry in book.entries])
    return tuple(node.hex() for node in merkle.path(tree, number - 1))


def is_included(entry: Entry, head: Head, path: Sequence[str]) -> bool:
    """Say whether `path` leads from an entry to the root of a head; the head's signature is another matter."""
    neighbours = [bytes.fromhex(node) for node in path]
    return merkle.climb(entry.leaf, entry.number - 1, head.size, neighbours).hex() == head.root


def consistency(book: Book, size: int) -> tuple[str, ...]:
    """Return the nodes that show that the book of the first `size` entries is the beginning of this one."""
    n = len(book.entries)
    require(0 <= size <= n, f"size must lie in 0..{n}", size)
    nodes = merkle.consistency([entry.leaf for entry in book.entries], size)
    return tuple(node.hex() for node in nodes)


def is_consistent(older: Head, newer: Head, nodes: Sequence[str]) -> bool:
    """Say whether `nodes` show that the book of the `older` head is the beginning of the `newer` one's."""
    steps = [bytes.fromhex(node) for node in nodes]
    roots = bytes.fromhex(older.root), bytes.fromhex(newer.root)
    return merkle.is_consistent(older.size, roots[0], newer.size, roots[1], steps)


def broken(receipt: Receipt, keeper: str) -> tuple[str, ...]:
    """Say why a receipt proves nothing, against the public key of the keeper; needs no book."""
    return tuple(_broken(receipt, keeper))


def _broken(receipt: Receipt, keeper: str) -> Iterator[str]:
    if receipt.by != keeper:
        yield "it is by another keeper"
    if not genuine(receipt):
        yield "it is not signed by the one whom it names"
    head = Head(receipt.by, receipt.size, receipt.root, receipt.made)
    if not is_included(receipt.entry, head, receipt.path):
        yield "its entry is not in the tree whose root it names"


def _receipts(book: Book, keeper: Identity, first: int) -> tuple[Receipt, ...]:
    """Sign a receipt for each entry after number `first`."""
    tree = merkle.levels([entry.leaf for entry in book.entries])
    head = book.head
    receipts = []
    for entry in book.entries[first:]:
        path = tuple(node.hex() for node in merkle.path(tree, entry.number - 1))
        receipts.append(signed(Receipt(keeper.public, entry, head.size, head.root, path, head.made), keeper))
    return tuple(receipts)


def _book(connection: Connection, keeper: Identity | None = None) -> Book:
    """Read the book; for its `keeper`, who is to write, only one whose head is right."""
    from . import database

    public = database.keeper(connection)
    entries = tuple(_entry(row) for row in database.rows(connection))
    row = database.last_head(connection)
    if row is None:
        if keeper is None:
            raise DataError("the registry must hold a head that its keeper signed, got none.")
        return closed([], keeper, now())
    head = Head(public, int(row[0]), str(row[1]), str(row[2]), str(row[3]))
    book = Book(public, entries, head)
    if keeper is not None:
        wrong = next(_head_faults(book, [entry.leaf for entry in entries]), None)
        if wrong:
            raise DataError(
                f"the registry has been changed: {wrong}. Run `wmlearn ownership audit`; nothing was written."
            )
    return book


def _head_row(head: Head) -> dict[str, Any]:
    return {"size": head.size, "root": head.root, "made": head.made, "signature": head.signature}


def _entry(row: Sequence[Any]) -> Entry:
    """Read a row, in which a tamperer may have put values of any type."""
    return Entry(int(row[0]), *map(str, row[1:]))


def _digest(entry: Entry) -> str:
    """Return the digest of an entry's document, or something else where it can't be read."""
    try:
        return digest(parse(entry.document, KINDS[entry.kind]))
    except (KeyError, TypeError, DataError):
        return entry.document


def _head_faults(book: Book, leaves: Sequence[bytes]) -> Iterator[str]:
    head = book.head
    if head.by != book.keeper or not genuine(head):
        yield "the head is not signed by the keeper of the book"
    if head.size != len(leaves):
        yield f"the keeper has signed for {head.size:,} entries, and there are {len(leaves):,}"
    elif head.root != merkle.root(leaves).hex():
        yield "the entries are not those for which the keeper has signed"


def _faults(entry: Entry, number: int, names: dict[str, int]) -> Iterator[str]:
    """Say what is wrong with an entry that should have this `number`."""
    if entry.number != number:
        yield f"it must be number {number}"
    try:
        document = parse(entry.document, KINDS[entry.kind])
    except (KeyError, TypeError, DataError):
        yield "its document cannot be read"
        return
    if not genuine(document):
        yield "its document is not signed by the one whom it names"
    first = names.setdefault(digest(document), entry.number)
    if first != entry.number:
        yield f"its document is that of entry {first} again"


def _is_later(stamp: str, latest: datetime) -> bool:
    try:
        return moment(stamp) > latest
    except (WmlearnError, TypeError):  # what is no time is as bad
        return True


def _missing(book: Book, leaves: Sequence[bytes], receipts: Iterable[Receipt]) -> Iterator[str]:
    """Say which receipts of the book's keeper the book does not keep its word to."""
    for receipt in receipts:
        number = receipt.entry.number
        if broken(receipt, book.keeper):
            continue
        if number > len(leaves) or book.entries[number - 1] != receipt.entry:
            yield f"entry {number}: the keeper signed a receipt for it, and the book does not hold it"
        elif len(leaves) < receipt.size or merkle.root(leaves[: receipt.size]).hex() != receipt.root:
            yield f"entry {number}: the keeper signed a receipt for it in another book of {receipt.size:,}"


def _forked(book: Book, leaves: Sequence[bytes], head: Head) -> Iterator[str]:
    if head.by != book.keeper or not genuine(head):
        yield "the older head is not signed by the keeper of the book"
    elif len(leaves) < head.size or merkle.root(leaves[: head.size]).hex() != head.root:
        yield f"the book does not begin with the {head.size:,} entries of the older head"


def _later(one: str, other: str) -> str:
    return max(one, other, key=moment)


def _check_document(document: Document, stamp: str) -> None:
    require(kind(document) in KINDS, f"a registry holds {', '.join(KINDS)}", kind(document))
    require(
        genuine(document),
        "a document must carry the signature of the one whom it names",
        document.by[:12],
    )
    _check_date(document, stamp)


def _check_date(document: Any, stamp: str) -> None:
    """Refuse a document that the clock of the book, `stamp`, puts in the future."""
    require(
        moment(document.made) <= moment(stamp) + SLACK,
        f"a document must not be from the future; here it is {stamp}",
        document.made,
        "Set the clock of this machine, or wait.",
    )
