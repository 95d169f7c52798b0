"""The public book: who promised what, in which order. Entries are only ever added, and each carries the hash
of the one before.

S. Haber, W. S. Stornetta: How to Time-Stamp a Digital Document, Journal of Cryptology 1991, section 5.1
(linking).

What it proves: order. Entry 7 was written after entry 6, and a row that was changed, removed or put in
between is found by `audit`. What it does not prove: the time of day. An entry's time is what the clock of the
machine said that wrote it, and whoever runs that machine sets its clock. Nor does the chain alone stop its
keeper from writing the whole book anew: that is found by those who kept a receipt, an entry's number and
hash, and signatures still keep him from putting words into anybody's mouth. Publish receipts where many see
them.

SQLite by default, in a file; several processes may write at once, and each entry is there as a whole or not
at all. Any other database that SQLAlchemy knows by URL; PostgreSQL is locked while an entry is added.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from ..data import files, strict_json
from ..errors import DataError, WmlearnError, require
from .commitment import Commitment
from .cut_and_choose import Challenge
from .documents import Document, canonical, check_hex, genuine, kind, moment, now, parse, signed, text
from .identity import Identity

if TYPE_CHECKING:
    from sqlalchemy import Connection

VERSION = 1  # of a receipt
SLACK = timedelta(minutes=5)  # between two honest clocks
FIRST = "0" * 64


@dataclass(frozen=True)
class Release:
    """Somebody's word that the model with this `fingerprint` is made public now; commitments to its marks
    must be older.
    """

    by: str
    model: str
    fingerprint: str
    made: str
    signature: str = ""

    def __post_init__(self) -> None:
        check_hex(64, by=self.by, fingerprint=self.fingerprint)
        moment(self.made)


def release(owner: Identity, model: str, fingerprint: str, *, made: str | None = None) -> Release:
    """Sign that the model named `model` is released; register it on the same day."""
    return signed(Release(owner.public, model, fingerprint, made or now()), owner)


KINDS: dict[str, type[Commitment | Release | Challenge]] = {
    kind(shape): shape for shape in (Commitment, Release, Challenge)
}
"""The documents that a registry holds, by the word that their files carry."""


@dataclass(frozen=True)
class Entry:
    """One line of the book: its number from 1, the writer's clock, what kind of document, the document, and
    the two hashes.
    """

    number: int
    time: str
    kind: str
    document: str
    previous: str
    hash: str


@dataclass(frozen=True)
class Audit:
    """How many entries were read, and everything that is wrong with them; `head` is the last one's hash."""

    n: int
    head: str
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Registry:
    """Where the book lies: a path or a database URL, and the clock that stamps entries."""

    where: Path | str
    clock: Callable[[], str] = now

    @property
    def url(self) -> str:
        """The database URL."""
        address = str(self.where)
        return address if "://" in address else f"sqlite:///{address}"


def register(registry: Registry, *documents: Document) -> tuple[Entry, ...]:
    """Add signed documents, all or none, and return their entries, which are the receipts to keep; makes the
    registry when it isn't there.

    Raises `ArgumentError` for a wrong signature or a document from the future, and `DataError` for a registry
    that is damaged at its end, from a newer version, or not writable. Nothing is written then.
    """
    from . import database  # here, because SQLAlchemy is slow to load and few lessons need it

    for document in documents:
        _check_document(document, registry.clock())
    with database.transaction(registry.url, writing=True) as connection:
        book_end = _last_entry(connection)
        new = chained(documents, after=book_end, clock=registry.clock)
        database.add(connection, [asdict(entry) for entry in new])
    return new


def chained(
    documents: Iterable[Document], *, after: Entry | None = None, clock: Callable[[], str] = now
) -> tuple[Entry, ...]:
    """Write documents as entries that follow `after`, or as a book of their own; nothing is stored."""
    new: list[Entry] = []
    last = after
    for document in documents:
        stamp = clock()
        _check_clock(stamp, last, document)
        last = _link(last, stamp, document)
        new.append(last)
    return tuple(new)


def entries(registry: Registry) -> tuple[Entry, ...]:
    """Read the whole book, as it is; `audit` says whether to believe it."""
    from . import database

    with database.transaction(registry.url, writing=False) as connection:
        return tuple(_entry(row) for row in database.rows(connection))


def audit(registry: Registry, receipts: Iterable[Entry] = ()) -> Audit:
    """Check every entry: its place, its hash, its link, its signature, its time; and that each receipt is in
    the book.
    """
    return audited(entries(registry), receipts, at=registry.clock())


def audited(book: Sequence[Entry], receipts: Iterable[Entry] = (), *, at: str | None = None) -> Audit:
    """Check entries that were read already; `at` is the time that none may lie after, by default now."""
    latest = moment(at or now()) + SLACK
    previous = FIRST
    faults: list[str] = []
    for number, entry in enumerate(book, 1):
        faults += [f"entry {entry.number}: {fault}" for fault in _faults(entry, number, previous, latest)]
        previous = entry.hash
    faults += _missing(book, receipts)
    return Audit(len(book), previous, tuple(faults))


def find(book: Sequence[Entry], document: Document) -> Entry | None:
    """Return the first entry of exactly this document."""
    written = text(document)
    return next((entry for entry in book if entry.document == written), None)


def challenges(book: Sequence[Entry]) -> tuple[Challenge, ...]:
    """Return all registered challenges: what they opened is public."""
    return tuple(parse(entry.document, Challenge) for entry in book if entry.kind == kind(Challenge))


def save_receipt(entry: Entry, path: Path | str) -> None:
    """Write an entry as a JSON file, to be compared with the registry later."""
    files.write(Path(path), canonical({"receipt": VERSION, **asdict(entry)}) + b"\n")


def load_receipt(path: Path | str) -> Entry:
    """Read what `save_receipt` wrote; raise `DataError` for anything else."""
    try:
        receipt = strict_json.read(Path(path))
        version = receipt.pop("receipt")
        require(
            version == VERSION,
            f"its version must be {VERSION}",
            version,
            "Read it with the release that wrote it.",
        )
        wanted = get_type_hints(Entry)
        fits = receipt.keys() == wanted.keys() and all(type(receipt[name]) is wanted[name] for name in wanted)
        require(fits, "it must have an entry's fields, of their types", "others")
        return Entry(**receipt)
    except (ValueError, KeyError, TypeError, AttributeError, WmlearnError) as error:
        raise DataError(
            f"{path} must be a receipt that `wmlearn ownership register` wrote, got: {error}"
        ) from error


def _link(last: Entry | None, stamp: str, document: Document) -> Entry:
    """Write a document as the entry that follows `last`."""
    number = last.number + 1 if last else 1
    previous = last.hash if last else FIRST
    blank = Entry(number, stamp, kind(document), text(document), previous, "")
    return replace(blank, hash=_hash(blank))


def _hash(entry: Entry) -> str:
    """Hash everything but the hash: the entry before is in it, and so is, through that, the whole book."""
    content = (entry.number, entry.time, entry.kind, entry.document, entry.previous)
    return hashlib.sha256(canonical(content)).hexdigest()


def _entry(row: Sequence[Any]) -> Entry:
    """Read a row, in which a tamperer may have put values of any type."""
    return Entry(int(row[0]), *map(str, row[1:]))


def _last_entry(connection: Connection) -> Entry | None:
    from . import database

    row = database.last_row(connection)
    if row is None:
        return None
    last = _entry(row)
    if last.hash != _hash(last):
        raise DataError(
            f"the registry's last entry, number {last.number}, has been changed. Run `wmlearn ownership"
            " audit`; nothing was written."
        )
    return last


def _faults(entry: Entry, number: int, previous: str, latest: datetime) -> Iterator[str]:
    """Say what is wrong with an entry that should have this `number` and lie before `latest`."""
    if entry.number != number:
        yield f"it must be number {number}"
    if entry.previous != previous:
        yield "it does not follow the entry before it"
    if entry.hash != _hash(entry):
        yield "its content is not what was hashed"
    try:
        if not genuine(parse(entry.document, KINDS[entry.kind])):
            yield "its document is not signed by the one whom it names"
    except (KeyError, TypeError, DataError):
        yield "its document cannot be read"
    if _is_later(entry.time, latest):
        yield "its time lies in the future"


def _is_later(stamp: str, latest: datetime) -> bool:
    try:
        return moment(stamp) > latest
    except (WmlearnError, TypeError):  # what is no time is as bad
        return True


def _missing(book: Sequence[Entry], receipts: Iterable[Entry]) -> Iterator[str]:
    by_hash = {entry.hash: entry for entry in book}
    for receipt in receipts:
        if by_hash.get(receipt.hash) != receipt:
            yield (
                f"entry {receipt.number}: a receipt with the hash {receipt.hash[:12]}… exists, and the book"
                " does not hold it"
            )


def _check_document(document: Document, stamp: str) -> None:
    require(kind(document) in KINDS, f"a registry holds {', '.join(KINDS)}", kind(document))
    require(
        genuine(document),
        "a document must carry the signature of the one whom it names",
        document.by[:12],
    )
    _check_clock(stamp, None, document)


def _check_clock(stamp: str, last: Entry | None, document: Any) -> None:
    """Refuse a document, and a last entry, that this machine's clock, `stamp`, puts in the future."""
    latest = moment(stamp) + SLACK
    fix = "Set the clock of this machine, or wait."
    require(
        moment(document.made) <= latest,
        f"a document must not be from the future; here it is {stamp}",
        document.made,
        fix,
    )
    if last is not None:
        require(
            moment(last.time) <= latest,
            f"the registry's last entry must not be from the future; here it is {stamp}",
            last.time,
            fix,
        )
