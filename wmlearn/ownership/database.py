"""Where a registry lies: three tables in SQLite or PostgreSQL, reached for one transaction at a time.

SQLAlchemy Core speaks to both. What it has no words for, how SQLite locks its file, stands in
`_lock_ourselves`.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    delete,
    event,
    func,
    insert,
    inspect,
    make_url,
    select,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from ..errors import DataError, WmlearnError, require
from ..words import visible

VERSION = 2
RENEWAL = "Version 1 had no keeper: start a new registry, and let its keeper register new documents"
PATIENCE = 60  # seconds that a writer waits for the others
WRITERS = 787001  # any number: who writes to PostgreSQL holds the advisory lock that it names

TABLES = MetaData()
BOOKS = Table(
    "registry",
    TABLES,
    Column("version", Integer, nullable=False),
    Column("keeper", Text, nullable=False),  # the public key
)
ENTRIES = Table(
    "entries",
    TABLES,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("time", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("digest", Text, nullable=False, unique=True),  # no document is registered twice
)
HEADS = Table(  # one row, the newest
    "heads",
    TABLES,
    Column("size", Integer, primary_key=True, autoincrement=False),
    Column("root", Text, nullable=False),
    Column("made", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Column("path", Text, nullable=False),  # of the last entry, so that the next one needs no other
)
LINE = (ENTRIES.c.number, ENTRIES.c.time, ENTRIES.c.kind, ENTRIES.c.document, ENTRIES.c.nonce)
MANY = 500  # values in one question: old SQLites take 999


@contextmanager
def transaction(where: Path | str, *, keeper: str = "") -> Iterator[Connection]:
    """Connect to the registry at a path or a URL: what is done is kept at the end, and undone on any error.
    Who gives the keeper's public key may write.

    Raises `DataError` for what can't be read or written, is no registry, or one of another version or keeper.
    """
    with _connected(where, writing=bool(keeper)) as connection:
        _prepare(connection, where, keeper)
        yield connection


def rows(connection: Connection) -> Iterator[Sequence[Any]]:
    """Read all entries, the first one first."""
    yield from connection.execute(select(*LINE).order_by(ENTRIES.c.number))


def last_row(connection: Connection) -> Sequence[Any] | None:
    """Read the entry with the highest number."""
    return connection.execute(select(*LINE).order_by(ENTRIES.c.number.desc()).limit(1)).first()


def keeper_of(connection: Connection) -> str:
    """Read the public key of whoever keeps this book."""
    return str(connection.execute(select(BOOKS.c.keeper).limit(1)).scalar())


def head(connection: Connection) -> Sequence[Any] | None:
    """Read the newest head: size, root, time, signature, path of the last entry."""
    return connection.execute(select(HEADS).order_by(HEADS.c.size.desc()).limit(1)).first()


def known(connection: Connection, digests: Sequence[str]) -> dict[str, int]:
    """Return those of some documents that are there already: digest -> number of its entry."""
    numbers: dict[str, int] = {}
    for start in range(0, len(digests), MANY):
        some = digests[start : start + MANY]
        question = select(ENTRIES.c.digest, ENTRIES.c.number).where(ENTRIES.c.digest.in_(some))
        numbers.update((name, number) for name, number in connection.execute(question))
    return numbers


def add(connection: Connection, entries: Sequence[Mapping[str, Any]], head: Mapping[str, Any]) -> None:
    """Write entries, each a value for every column, and the head of the book that ends with them."""
    if entries:  # an insert of nothing would be one of a row without values
        connection.execute(insert(ENTRIES), list(entries))
    connection.execute(delete(HEADS))
    connection.execute(insert(HEADS), dict(head))


def copy(where: Path | str, path: Path) -> None:
    """Copy a whole registry into a new SQLite file, which needs no log beside it."""
    with transaction(where) as source, _connected(path, writing=True, log=False) as target:
        TABLES.create_all(target, checkfirst=False)
        for table in TABLES.sorted_tables:
            lines = [row._asdict() for row in source.execute(select(table))]
            if lines:
                target.execute(insert(table), lines)


@contextmanager
def _connected(where: Path | str, *, writing: bool, log: bool = True) -> Iterator[Connection]:
    """Connect for one transaction, and turn what goes wrong into a `DataError`."""
    try:
        engine = _engine(_address(where), writing, log)
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()
    except (WmlearnError, KeyboardInterrupt):
        raise
    # ImportError: the server's driver is missing; ValueError, TypeError: odd URLs, bytes that are no text
    except (SQLAlchemyError, ImportError, OSError, ValueError, TypeError, OverflowError) as error:
        raise _unusable(where, error, writing) from error


def _prepare(connection: Connection, where: Path | str, writer: str) -> None:
    """Make the tables where there are none; refuse a registry of another version, or another keeper's."""
    if writer and connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(WRITERS)))
    if not inspect(connection).has_table(BOOKS.name):
        if not writer:
            raise DataError(f"{shown(where)} must be a registry, got a database without one. Check the path.")
        TABLES.create_all(connection, checkfirst=False)  # a table `entries` of somebody else is an error
        connection.execute(insert(BOOKS).values(version=VERSION, keeper=writer))
    version = connection.execute(select(func.max(BOOKS.c.version))).scalar_one()
    if version != VERSION:
        fix = RENEWAL if version == 1 else "Use the release that wrote it"
        raise DataError(
            f"{shown(where)} must be of version {VERSION}, got {str(version)[:20]!r}. {fix}; nothing was"
            " written."
        )
    owner = keeper_of(connection)
    if writer and owner != writer:
        raise DataError(
            f"{shown(where)} must be written by its keeper, {owner[:12]}…, got {writer[:12]}…. Nothing was"
            " written."
        )


def _address(where: Path | str) -> URL:
    """Return the database's URL; a path is taken as it is, whatever signs are in it."""
    return make_url(str(where)) if _is_url(where) else URL.create("sqlite", database=str(where))


def path_of(where: Path | str) -> Path | None:
    """Return the file in which a registry lies; None for one on a server."""
    if not _is_url(where):
        return Path(where)
    address = make_url(str(where))
    is_file = address.get_backend_name() == "sqlite" and address.database
    return Path(str(address.database).removeprefix("file:")) if is_file else None


def _engine(address: URL, writing: bool, log: bool) -> Engine:
    if address.get_backend_name() == "sqlite":
        _check_file(address, writing)
        engine = create_engine(address, poolclass=NullPool)
        _lock_ourselves(engine, writing, log)
        return engine
    if writing or address.get_backend_name() != "postgresql":
        return create_engine(address, poolclass=NullPool)
    # a reader sees one moment: else the head could be newer than the entries
    return create_engine(address, poolclass=NullPool, isolation_level="REPEATABLE READ")


def _check_file(address: URL, writing: bool) -> None:
    """Refuse a database in memory, and a missing file to be read, which SQLite would make."""
    name = address.database or ""
    is_link = name.startswith("file:") and "uri" in address.query
    is_file = name not in ("", ":memory:") and not is_link
    require(
        is_file or "mode" in address.query,
        "a registry must be a file or a database server",
        name,
        "Give it a path.",
    )
    path = Path(name)
    if is_file and not writing and not path.exists():
        raise FileNotFoundError(f"there is no {visible(name)}")
    if is_file and path.exists() and not path.is_file():
        raise FileNotFoundError(f"{visible(name)} is no file")


def _lock_ourselves(engine: Engine, writing: bool, log: bool) -> None:
    """Say to SQLite when a transaction begins and how it waits; Python's driver would begin too late.

    A writer takes the lock at once (BEGIN IMMEDIATE): had it read the last entry first, another writer could
    add one meanwhile. FULL: what is acknowledged is on the disk.
    """

    @event.listens_for(engine, "connect")
    def _connected(driver: sqlite3.Connection, _record: object) -> None:
        driver.isolation_level = None  # the driver begins nothing by itself
        driver.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000}")
        driver.execute("PRAGMA trusted_schema = OFF")  # a strange file's views and triggers call nothing
        if writing:
            driver.execute("PRAGMA synchronous = FULL")
        if writing and log:
            _write_ahead(driver)

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _write_ahead(driver: sqlite3.Connection) -> None:
    """Switch to a write-ahead log, which does not wait by itself while another process does the same."""
    for _ in range(PATIENCE * 20):
        try:
            driver.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            time.sleep(0.05)


def _unusable(where: Path | str, error: Exception, writing: bool) -> DataError:
    if isinstance(error, IntegrityError):
        why = "there is such an entry already, though the book's end does not say so"
    elif isinstance(error, (ValueError, TypeError)):  # its words may hold a part of a URL, with its password
        why = "an address or a value that can't be read"
    else:
        why = visible(str(getattr(error, "orig", None) or error)[:200].partition("\n")[0])
    use = "writable" if writing else "readable"
    return DataError(
        f"the registry {shown(where)} must be {use}, got: {why}. Nothing was written.{_remedy(why)}"
    )


def shown(where: Path | str) -> str:
    """Return a path or a URL as it may be shown, without a password."""
    if not _is_url(where):
        return visible(str(where))
    try:
        return visible(_address(where).render_as_string(hide_password=True))
    except Exception:  # a URL that can't be parsed may hold a password
        return "at this URL"


def _is_url(where: Path | str) -> bool:
    return isinstance(where, str) and "://" in where


def _remedy(why: str) -> str:
    if "readonly" in why or "unable to open" in why:  # SQLite's words
        return (
            " Its folder must be there and writable, for SQLite puts a log beside the file even to read it;"
            " or read a copy that `backup` wrote: the file alone may lack the newest entries."
        )
    return ""
