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
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError, WmlearnError, require
from .commitment import Commitment
from .cut_and_choose import Challenge
from .documents import Document, canonical, check_hex, genuine, kind, moment, now, parse, signed, text
from .identity import Identity

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

VERSION = 1
SLACK = timedelta(minutes=5)  # between two honest clocks
PATIENCE = 60  # seconds that a writer waits for the others
FIRST = "0" * 64
ALL = "SELECT number, time, kind, document, previous, hash FROM entries"


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
    kind(each): each for each in (Commitment, Release, Challenge)
}


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
        place = str(self.where)
        return place if "://" in place else f"sqlite:///{place}"

    @property
    def name(self) -> str:
        """The URL without a password, for messages."""
        from sqlalchemy import make_url

        return make_url(self.url).render_as_string(hide_password=True)


def register(registry: Registry, *documents: Document) -> tuple[Entry, ...]:
    """Add signed documents, all or none, and return their entries, which are the receipts to keep; makes the
    registry when it isn't there.

    Raises `ArgumentError` for a wrong signature or a document from the future, and `DataError` for a registry
    that is damaged at its end, from a newer version, or not writable. Nothing is written then.
    """
    for document in documents:
        require(kind(document) in KINDS, f"a registry holds {', '.join(KINDS)}", kind(document))
        require(
            genuine(document),
            "a document must carry the signature of the one whom it names",
            document.by[:12],
        )
        _check_clock(registry.clock(), None, document)
    with _open(registry, writing=True) as connection:
        new = chained(documents, after=_last(connection), clock=registry.clock)
        _insert(connection, new)
    return new


def chained(
    documents: Iterable[Document], *, after: Entry | None = None, clock: Callable[[], str] = now
) -> tuple[Entry, ...]:
    """Write documents as entries that follow the entry `after`, or as a book of their own; nothing is stored."""
    found, last = [], after
    for document in documents:
        stamp = clock()
        _check_clock(stamp, last, document)
        last = _entry(
            last.number + 1 if last else 1,
            stamp,
            kind(document),
            text(document),
            last.hash if last else FIRST,
        )
        found.append(last)
    return tuple(found)


def entries(registry: Registry) -> tuple[Entry, ...]:
    """Read the whole book, as it is; `audit` says whether to believe it."""
    with _open(registry, writing=False) as connection:
        rows = connection.exec_driver_sql(f"{ALL} ORDER BY number")
        return tuple(_read(row) for row in rows)


def audit(registry: Registry, receipts: Iterable[Entry] = ()) -> Audit:
    """Check every entry: its place, its hash, its link, its signature, its time; and that each receipt is in
    the book.
    """
    return audited(entries(registry), receipts, at=registry.clock())


def audited(book: Sequence[Entry], receipts: Iterable[Entry] = (), *, at: str | None = None) -> Audit:
    """Check entries that were read already; `at` is the time that none may lie after, by default now."""
    previous, found, latest = FIRST, [], moment(at or now()) + SLACK
    for place, entry in enumerate(book, 1):
        found += [f"entry {entry.number}: {fault}" for fault in _faults(entry, place, previous)]
        previous = entry.hash
        found += [f"entry {entry.number}: its time lies in the future"] if _later(entry.time, latest) else []
    known = {entry.hash: entry for entry in book}
    lost = [each for each in receipts if known.get(each.hash) != each]
    found += [
        f"entry {each.number}: a receipt with the hash {each.hash[:12]}… exists, and the book does not"
        " hold it"
        for each in lost
    ]
    return Audit(len(book), previous, tuple(found))


def find(book: Sequence[Entry], document: Document) -> Entry | None:
    """Return the first entry of exactly this document."""
    written = text(document)
    return next((entry for entry in book if entry.document == written), None)


def challenges(book: Sequence[Entry]) -> tuple[Challenge, ...]:
    """Return all registered challenges: what they opened is public."""
    return tuple(parse(entry.document, Challenge) for entry in book if entry.kind == kind(Challenge))


def save_receipt(entry: Entry, path: Path | str) -> None:
    """Write an entry as a JSON file, to be compared with the registry later."""
    from dataclasses import asdict

    from ..data import files

    files.write(Path(path), canonical({"receipt": VERSION, **asdict(entry)}) + b"\n")


def load_receipt(path: Path | str) -> Entry:
    """Read what `save_receipt` wrote; raise `DataError` for anything else."""
    import json

    from ..data import files

    try:
        found = json.loads(files.read(Path(path)))
        version = found.pop("receipt")
        require(
            version == VERSION,
            f"its version must be {VERSION}",
            version,
            "Read it with the release that wrote it.",
        )
        return Entry(**found)
    except (ValueError, KeyError, TypeError, AttributeError, WmlearnError) as error:
        raise DataError(
            f"{path} must be a receipt that `wmlearn ownership register` wrote, got: {error}"
        ) from error


def _entry(number: int, stamp: str, what: str, document: str, previous: str) -> Entry:
    return Entry(number, stamp, what, document, previous, _hash(number, stamp, what, document, previous))


def _read(row: Sequence[Any]) -> Entry:
    """Read a row, in which a tamperer may have put values of any type."""
    return Entry(int(row[0]), *map(str, row[1:]))


def _hash(*parts: object) -> str:
    return hashlib.sha256(canonical(parts)).hexdigest()


def _faults(entry: Entry, place: int, previous: str) -> Iterator[str]:
    if entry.number != place:
        yield f"it must be number {place}"
    if entry.previous != previous:
        yield "it does not follow the entry before it"
    if entry.hash != _hash(entry.number, entry.time, entry.kind, entry.document, entry.previous):
        yield "its content is not what was hashed"
    try:
        if not genuine(parse(entry.document, KINDS[entry.kind])):
            yield "its document is not signed by the one whom it names"
    except (KeyError, TypeError, DataError):
        yield "its document cannot be read"


def _later(stamp: str, latest: Any) -> bool:
    try:
        return moment(stamp) > latest
    except (WmlearnError, TypeError):
        return True


def _check_clock(stamp: str, last: Entry | None, document: Any) -> None:
    here, fix = moment(stamp) + SLACK, "Set the clock of this machine, or wait."
    require(
        moment(document.made) <= here,
        f"a document must not be from the future; here it is {stamp}",
        document.made,
        fix,
    )
    if last is not None:
        require(
            moment(last.time) <= here,
            f"the registry's last entry must not be from the future; here it is {stamp}",
            last.time,
            fix,
        )


@contextmanager
def _open(registry: Registry, *, writing: bool) -> Iterator[Connection]:
    """Connect for one transaction: committed at the end, undone on any error."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        engine = _engine(registry, writing)
        try:
            with engine.begin() as connection:
                _prepare(connection, registry, writing)
                yield connection
        finally:
            engine.dispose()
    except (SQLAlchemyError, ImportError, OSError) as error:
        why = str(getattr(error, "orig", None) or error).splitlines()[0]
        do = "writable" if writing else "readable"
        closed = "readonly" in why or "unable to open" in why  # SQLite's words
        fix = (
            " Its folder must be there and writable, for SQLite puts a log beside the file even to read it;"
            " or read a copy." * closed
        )
        raise DataError(
            f"the registry {_shown(registry)} must be {do}, got: {why}. Nothing was written.{fix}"
        ) from error


def _shown(registry: Registry) -> str:
    try:
        return registry.name
    except Exception:  # a URL that can't be parsed may hold a password
        return "at this URL"


def _engine(registry: Registry, writing: bool) -> Engine:
    from sqlalchemy import create_engine, event, make_url
    from sqlalchemy.pool import NullPool

    url = make_url(registry.url)
    engine = create_engine(url, poolclass=NullPool)
    if url.get_backend_name() == "sqlite":
        place = Path(url.database or "")
        file = url.database not in (None, "", ":memory:") and not url.database.startswith("file:")
        require(
            file or "mode" in url.query,
            "a registry must be a file or a database server",
            registry.url,
            "Give it a path.",
        )
        if not writing and file and not place.exists():
            raise FileNotFoundError(f"there is no {place}")

        @event.listens_for(engine, "connect")
        def _connected(raw: Any, _record: object) -> None:
            raw.isolation_level = None  # transactions begin where we say
            raw.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000}")
            if writing:
                raw.execute("PRAGMA synchronous = FULL")
                _write_ahead(raw)

        @event.listens_for(engine, "begin")
        def _begun(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _write_ahead(raw: Any) -> None:
    """Switch to a write-ahead log, which does not wait by itself while another process does the same."""
    import sqlite3

    for _ in range(PATIENCE * 20):
        try:
            raw.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            time.sleep(0.05)


def _prepare(connection: Connection, registry: Registry, writing: bool) -> None:
    """Make the tables where there are none; refuse a registry of another version."""
    from sqlalchemy import inspect

    if writing and connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(787001)")
    if not inspect(connection).has_table("registry"):
        if not writing:
            raise DataError(
                f"{registry.name} must be a registry, got a database without one. Check the path."
            )
        connection.exec_driver_sql("CREATE TABLE registry (version INTEGER NOT NULL)")
        connection.exec_driver_sql(f"INSERT INTO registry VALUES ({VERSION})")
        connection.exec_driver_sql(
            "CREATE TABLE entries (number INTEGER PRIMARY KEY, time TEXT NOT NULL, kind TEXT NOT NULL,"
            " document TEXT NOT NULL, previous TEXT NOT NULL UNIQUE, hash TEXT NOT NULL UNIQUE)"
        )
    version = connection.exec_driver_sql("SELECT max(version) FROM registry").scalar_one()
    if version != VERSION:
        raise DataError(
            f"{registry.name} must be of version {VERSION}, got {version}. Use the release that wrote it;"
            " nothing was written."
        )


def _last(connection: Connection) -> Entry | None:
    found = connection.exec_driver_sql(f"{ALL} ORDER BY number DESC LIMIT 1").first()
    if found is None:
        return None
    last = _read(found)
    if last.hash != _hash(last.number, last.time, last.kind, last.document, last.previous):
        raise DataError(
            f"the registry's last entry, number {last.number}, has been changed. Run `wmlearn ownership"
            " audit`; nothing was written."
        )
    return last


def _insert(connection: Connection, new: Sequence[Entry]) -> None:
    from sqlalchemy import text as sql

    for entry in new:
        connection.execute(
            sql("INSERT INTO entries VALUES (:number, :time, :kind, :document, :previous, :hash)"),
            vars(entry),
        )
