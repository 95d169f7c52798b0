"""The public book: who promised what, in which order. Entries are only ever added; whoever keeps the book
signs what it holds after each, and gives a receipt.

The tree of hashes, and what is proved with it, are those of Certificate Transparency: B. Laurie, E. Messeri,
R. Stradling, RFC 9162. The older idea is S. Haber, W. S. Stornetta: How to Time-Stamp a Digital Document,
Journal of Cryptology 1991.

What it proves is order: entry 7 was written after entry 6.
- A row that was changed, removed or put in between is found by `audit`.
- A receipt shows, without the book, that its keeper signed an entry at its place (`broken`). A book that was
  cut, copied in part or written anew does not hold what was receipted: `audit` finds that, and both
  signatures are the keeper's. Without a receipt or an older head nobody can tell.
- Documents are signed: no keeper can put words into anybody's mouth.

What it does not prove:
- The time of day. An entry's time is what the keeper's clock said, and never before that of the entry above.
  A time stamp (`timestamps`) shows that a head is at least so old.
- That the keeper is honest. A keeper can turn documents away, and show two books to two people who never
  compare their heads. The nonce of an entry is drawn by the keeper: in league with an owner, he draws until
  one suits. Two keepers, or a public source of randomness, mend that.
- Anything against oneself: a book on one's own laptop protects from others.

One key keeps one book: two books under one key look like one that was written anew.

SQLite by default, in a file; several processes of the keeper may write at once, and each entry is there as a
whole or not at all. The file alone may lack the newest entries, which lie in a log beside it: `backup` makes
a whole copy. Any other database that SQLAlchemy knows by URL; PostgreSQL is locked while an entry is added.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data import files
from ..errors import ClockWarning, DataError, WmlearnError, require
from . import merkle
from .commitment import Commitment
from .cut_and_choose import Challenge
from .documents import (
    Document,
    check_hex,
    digest,
    genuine,
    is_canonical,
    kind,
    load,
    moment,
    now,
    parse,
    signed,
    simple,
    text,
)
from .identity import Identity, signed_by

if TYPE_CHECKING:
    from sqlalchemy import Connection

SLACK = timedelta(minutes=5)  # between two honest clocks
EARLIEST = datetime(2024, 1, 1, tzinfo=timezone.utc)  # no honest book is older
MOST_BYTES = 2**18  # of one document: a challenge to a key of 10,000 triggers has a quarter of it
RECEIPTS = "receipts"
"""The folder beside a book whose receipts `audit` compares with it."""
SIGNATURE = re.compile('"signature":"[^"]*",')


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
        """The entry's hash in the tree, over all five in canonical form."""
        return merkle.leaf(simple(vars(self)))


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
    """How many entries were read, the head that the keeper signed for them, with how many receipts they were
    compared, and everything that is wrong.

    `faults` make a book worthless. `warnings` don't: what an honest keeper with a wrong clock may have done,
    and receipts that say nothing.
    """

    n: int
    head: Head
    faults: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    receipts: int = 0


@dataclass(frozen=True)
class Registry:
    """Where the book lies: a path or a database URL; who keeps it, without whom it can only be read; and the
    clock that stamps entries.
    """

    where: Path | str
    keeper: Identity | None = None
    clock: Callable[[], str] = now


def register(registry: Registry, *documents: Document) -> tuple[Receipt, ...]:
    """Add signed documents, all or none, and return the receipts to keep; makes the registry when it isn't
    there. Only its keeper can.

    Warns with `ClockWarning` where this machine's clock is behind the book's. Raises `ArgumentError` for a
    wrong signature, a document from the future, too large or there already; and `DataError` for a registry
    that is damaged at its end, of another version or keeper, or not writable. Nothing is written then.
    """
    from . import database  # here, because SQLAlchemy is slow to load and few lessons need it

    keeper = registry.keeper
    require(keeper is not None, "only the keeper can register", "none", "Set Registry(where, keeper=…).")
    assert keeper is not None
    for document in documents:
        _check_document(document)
    digests = [digest(document) for document in documents]
    with database.transaction(registry.where, keeper=keeper.public) as connection:
        end = _end(connection, keeper.public)
        if end and not documents:
            return ()
        _check_new(documents, digests, database.known(connection, digests))
        addition = _addition(end, documents, keeper, registry.clock)
        lines = zip(addition.entries, digests, strict=True)
        new = [{**asdict(entry), "digest": name} for entry, name in lines]
        database.add(connection, new, addition.row)
    return addition.receipts


@dataclass(frozen=True)
class _End:
    """How a book ends: its last entry, and the way from it to the root of the head."""

    entry: Entry
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class _Addition:
    """New entries, the row of the head that they make, and their receipts."""

    entries: tuple[Entry, ...]
    row: dict[str, Any]
    receipts: tuple[Receipt, ...]


def _end(connection: Connection, keeper: str) -> _End | None:
    """Read how the book ends; raise `DataError` where that is not what its keeper signed.

    The rest of the book stays unread: `audit` looks at it.
    """
    from . import database

    found = _head(connection, keeper)
    row = database.last_row(connection)
    if row is None and (found is None or found.head.size == 0):
        return None
    last = _entry(row) if row is not None else None
    if last is None or found is None or not _ends(found, last):
        raise DataError(
            "the registry's last entry is not what its keeper has signed. Run `wmlearn ownership audit`;"
            " nothing was written."
        )
    return _End(last, tuple(bytes.fromhex(node) for node in found.path))


def _ends(found: _Found, last: Entry) -> bool:
    """Say whether a signed head is that of a book that ends with the entry `last`."""
    head = found.head
    return genuine(head) and last.number == head.size and is_included(last, head, found.path)


def _addition(
    end: _End | None, documents: Sequence[Document], keeper: Identity, clock: Callable[[], str]
) -> _Addition:
    """Write documents as entries after the `end`, and sign the head and the receipts."""
    last = end.entry if end else None
    entries = _lines(documents, last, clock)
    size = last.number - 1 if last else 0  # of the part of the tree that is not built again
    kept = (last,) if last else ()
    tree = merkle.levels([entry.leaf for entry in (*kept, *entries)], size, end.path if end else ())
    stamp = entries[-1].time if entries else clock()
    n = size + len(kept) + len(entries)
    head = signed(Head(keeper.public, n, tree[-1][0].hex(), stamp), keeper)
    receipts = tuple(_receipt(entry, head, tree, size, keeper) for entry in entries)
    path = receipts[-1].path if receipts else ()
    row = {name: value for name, value in asdict(head).items() if name != "by"} | {"path": " ".join(path)}
    return _Addition(entries, row, receipts)


def _receipt(entry: Entry, head: Head, tree: list[list[bytes]], size: int, keeper: Identity) -> Receipt:
    path = tuple(node.hex() for node in merkle.path(tree, entry.number - 1, size))
    return signed(Receipt(keeper.public, entry, head.size, head.root, path, head.made), keeper)


def chained(
    documents: Iterable[Document],
    *,
    keeper: Identity,
    after: Book | None = None,
    clock: Callable[[], str] = now,
) -> Book:
    """Write documents as entries that follow the book `after`, or as a book of their own; nothing is stored.

    Raises `ArgumentError` for a document that is there already, or from the future, and for the book of
    another keeper.
    """
    before = after.entries if after else ()
    require(after is None or after.keeper == keeper.public, "the keeper must be the book's", keeper.public)
    new = tuple(documents)
    known = {_digest(entry.document): entry.number for entry in before}
    _check_new(new, [digest(document) for document in new], known)
    entries = before + _lines(new, before[-1] if before else None, clock)
    return closed(entries, keeper, entries[-1].time if entries else clock())


def closed(entries: Iterable[Entry], keeper: Identity, made: str) -> Book:
    """Sign the head of a book of exactly these entries, sound or not."""
    lines = tuple(entries)
    root = merkle.root([entry.leaf for entry in lines]).hex()
    return Book(keeper.public, lines, signed(Head(keeper.public, len(lines), root, made), keeper))


def _lines(documents: Sequence[Document], last: Entry | None, clock: Callable[[], str]) -> tuple[Entry, ...]:
    """Write documents as the entries that follow `last`, none of them with an earlier time."""
    number = last.number if last else 0
    stamp = clock()
    if last is not None and moment(stamp) < moment(last.time):
        if moment(last.time) - moment(stamp) > SLACK:
            says = f"This machine's clock says {stamp}. New entries have the time of the last, {last.time}."
            warnings.warn(says, ClockWarning, stacklevel=4)
        stamp = last.time
    for document in documents:
        _check_date(document, stamp)
    return tuple(
        Entry(number + i, stamp, kind(document), text(document), secrets.token_hex(32))
        for i, document in enumerate(documents, 1)
    )


def receipt(book: Book, keeper: Identity, number: int) -> Receipt:
    """Sign a receipt for entry `number` of a book in memory; `register` gives those of a registry."""
    tree = merkle.levels([entry.leaf for entry in book.entries])
    return _receipt(book.entries[number - 1], book.head, tree, 0, keeper)


def read_book(registry: Registry) -> Book:
    """Read the whole book, as it is; `audit` says whether to believe it."""
    from . import database

    with database.transaction(registry.where) as connection:
        keeper = database.keeper_of(connection)
        found = _head(connection, keeper)
        if found is None:
            raise DataError(f"{database.shown(registry.where)} must hold the head that its keeper signed.")
        return Book(keeper, tuple(_entry(row) for row in database.rows(connection)), found.head)


def backup(registry: Registry, path: Path | str) -> None:
    """Write a whole copy of a registry into one new SQLite file; a file that is there is never replaced."""
    from . import database

    require(not os.path.lexists(path), "a backup must not replace a file", str(path), "Name another file.")
    files.new(Path(path), lambda temporary: database.copy(registry.where, temporary))


def audit(registry: Registry, receipts: Iterable[Receipt] = (), *, head: Head | None = None) -> Audit:
    """Check every entry: its place, its signature, its time, and that it is in the tree whose head the keeper
    signed; that each receipt, those in the folder beside the book included, is in the book; and that it
    begins as an older `head` says.
    """
    book = read_book(registry)
    beside = _beside(registry)
    result = audited(book, [*receipts, *beside.receipts], head=head, at=registry.clock())
    return replace(result, warnings=result.warnings + beside.warnings)


def audited(
    book: Book, receipts: Iterable[Receipt] = (), *, head: Head | None = None, at: str | None = None
) -> Audit:
    """Check a book that was read already; `at` is the time that none should lie after, by default now."""
    leaves = [entry.leaf for entry in book.entries]
    compared = _compared(book, leaves, tuple(receipts), head)
    faults = [*_head_faults(book, leaves), *_entry_faults(book), *compared.faults]
    warnings = [*_clock_warnings(book, moment(at or now()) + SLACK), *compared.warnings]
    return Audit(len(leaves), book.head, tuple(faults), tuple(warnings), compared.n)


def find(book: Book, document: Document) -> Entry | None:
    """Return the first entry of exactly this document, whatever its signature."""
    name = digest(document)
    what = kind(document)
    return next((e for e in book.entries if e.kind == what and _digest(e.document) == name), None)


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
    """Say whether `path` leads from an entry to the root of a head; its signature is another matter."""
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


@dataclass(frozen=True)
class _Found:
    """A head as it was read, signed or not, and the way from the last entry to its root."""

    head: Head
    path: tuple[str, ...]


def _head(connection: Connection, keeper: str) -> _Found | None:
    """Read the newest head; raise `DataError` for one that a tamperer filled with other things."""
    from . import database

    row = database.head(connection)
    if row is None:
        return None
    size, root, made, signature, path = row
    try:
        check_hex(64, **{f"path[{i}]": node for i, node in enumerate(str(path).split())})
        head = Head(keeper, size, root, made, str(signature))
        return _Found(head, tuple(path.split()))
    except (WmlearnError, TypeError, AttributeError) as error:
        raise DataError(
            f"the registry must hold the head that its keeper signed, got another row: {error}"
        ) from error


def _entry(row: Sequence[Any]) -> Entry:
    """Read a row, in which a tamperer may have put values of any type."""
    number = row[0] if type(row[0]) is int and 0 < row[0] < 2**31 else 0
    return Entry(number, *map(str, row[1:]))


def _digest(written: str) -> str:
    """Return the digest of a document as it is written in the book."""
    return hashlib.sha256(_body(written)).hexdigest()


def _body(written: str) -> bytes:
    """Return what is signed of a document in canonical form: all but the signature, of which there is one."""
    return SIGNATURE.sub("", written, count=1).encode()


def _head_faults(book: Book, leaves: Sequence[bytes]) -> Iterator[str]:
    head = book.head
    if head.by != book.keeper or not genuine(head):
        yield "the head is not signed by the keeper of the book"
    if head.size != len(leaves):
        yield f"the keeper has signed for {head.size:,} entries, and there are {len(leaves):,}"
    elif head.root != merkle.root(leaves).hex():
        yield "the entries are not those for which the keeper has signed"


def _entry_faults(book: Book) -> Iterator[str]:
    """Say what is wrong with each entry, beside that its keeper did not sign it."""
    names: dict[str, int] = {}
    above = datetime.min.replace(tzinfo=timezone.utc)
    for number, entry in enumerate(book.entries, 1):
        where = f"entry {entry.number}"
        if entry.number != number:
            yield f"{where}: it must be number {number}"
        body = _body(entry.document)
        first = names.setdefault(hashlib.sha256(body).hexdigest(), number)
        if first != number:
            yield f"{where}: its document is that of entry {first} again"
        document = _document(entry)
        if document is None:
            yield f"{where}: its document cannot be read"
        elif not signed_by(document.by, document.signature, body):
            yield f"{where}: its document is not signed by the one whom it names"
        time = _moment(entry.time)
        if time is None:
            yield f"{where}: its time is none"
            continue
        if time < above:
            yield f"{where}: its time lies before that of the entry above"
        if document is not None and moment(document.made) - time > SLACK:
            yield f"{where}: its time lies before its document was made"
        above = max(above, time)


def _document(entry: Entry) -> Any:
    """Read an entry's document; None for one that is not in canonical form, or none at all."""
    try:
        document = parse(entry.document, KINDS[entry.kind])
        return document if is_canonical(entry.document, document) else None
    except (KeyError, TypeError, WmlearnError):
        return None


@lru_cache(maxsize=4096)  # entries that were registered together have one time
def _moment(stamp: str) -> datetime | None:
    try:
        return moment(stamp)
    except (WmlearnError, TypeError):
        return None


def _clock_warnings(book: Book, latest: datetime) -> Iterator[str]:
    times = [_moment(entry.time) for entry in book.entries]
    early = [number for number, time in enumerate(times, 1) if time and time < EARLIEST]
    late = [number for number, time in enumerate(times, 1) if time and time > latest]
    for numbers, when in ((early, f"before {EARLIEST.year}"), (late, "in the future")):
        if numbers:
            yield (
                f"the times of {len(numbers):,} entries, the first of them entry {numbers[0]}, lie {when}:"
                " the keeper's clock was wrong; their order holds"
            )


@dataclass(frozen=True)
class _Compared:
    """What comes of comparing a book with receipts and an older head; `n` receipts said something."""

    n: int
    faults: tuple[str, ...]
    warnings: tuple[str, ...]


def _compared(
    book: Book, leaves: Sequence[bytes], receipts: Sequence[Receipt], head: Head | None
) -> _Compared:
    """Compare a book with what its keeper has signed before; what others signed says nothing about it."""
    good = [receipt for receipt in receipts if not broken(receipt, book.keeper)]
    n_odd = len(receipts) - len(good)
    older = [] if head is None else [head.size]
    roots = merkle.roots(leaves, [*older, *(receipt.size for receipt in good)])
    faults = [fault for receipt in good for fault in _missing(book, roots, receipt)]
    if head is not None and (head.by != book.keeper or not genuine(head)):
        faults.append("the older head is not signed by the keeper of the book")
    elif head is not None and roots.get(head.size, b"").hex() != head.root:
        faults.append(f"the book does not begin with the {head.size:,} entries of the older head")
    says = f"{n_odd:,} receipts are not by this book's keeper, or broken: they say nothing about it"
    return _Compared(len(good), tuple(faults), (says,) if n_odd else ())


def _missing(book: Book, roots: Mapping[int, bytes], receipt: Receipt) -> Iterator[str]:
    """Say how the book does not keep its keeper's word."""
    number = receipt.entry.number
    if book.entries[number - 1 : number] != (receipt.entry,):
        yield f"entry {number}: its keeper signed a receipt for it, and the book does not hold it"
    elif roots.get(receipt.size, b"").hex() != receipt.root:
        yield (
            f"entry {number}: its keeper signed a receipt for it in another book, or in one of"
            f" {receipt.size:,} entries"
        )


@dataclass(frozen=True)
class _Beside:
    """The receipts that lie beside a registry, and which files there are none."""

    receipts: tuple[Receipt, ...]
    warnings: tuple[str, ...]


def _beside(registry: Registry) -> _Beside:
    """Read the receipts in the folder `RECEIPTS` beside the registry's file."""
    from . import database

    receipts = []
    odd = []
    book = database.path_of(registry.where)
    for path in sorted((book.parent / RECEIPTS).glob("*.json")) if book else []:
        try:
            receipts.append(load(path, Receipt))
        except DataError as error:
            odd.append(f"a file beside the book is no receipt: {error}")
    return _Beside(tuple(receipts), tuple(odd))


def _check_document(document: Document) -> None:
    require(kind(document) in KINDS, f"a registry holds {', '.join(KINDS)}", kind(document))
    require(
        genuine(document),
        "a document must carry the signature of the one whom it names",
        document.by[:12],
    )
    size = len(text(document).encode())
    require(size <= MOST_BYTES, f"a document must have at most {MOST_BYTES:,} bytes", size, "Shorten it.")


def _check_new(documents: Sequence[Document], digests: Sequence[str], known: Mapping[str, int]) -> None:
    """Refuse what is in the book already: a replay would count as another try, or another ticket."""
    seen: set[str] = set()
    for document, name in zip(documents, digests, strict=True):
        rule = f"a {kind(document)} must be registered once"
        require(name not in known, rule, f"entry {known.get(name)}", "Keep the receipt of that entry.")
        require(name not in seen, rule, "the same one twice", "Name it once.")
        seen.add(name)


def _check_date(document: Any, stamp: str) -> None:
    """Refuse a document that the clock of the book, `stamp`, puts in the future."""
    require(
        moment(document.made) - moment(stamp) <= SLACK,
        f"a document must not be from the future; here it is {stamp}",
        document.made,
        "Set the clock of this machine, or wait.",
    )
