"""Where a registry lies: two tables in SQLite or PostgreSQL, reached for one transaction at a time.

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
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    func,
    insert,
    inspect,
    make_url,
    select,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from ..errors import DataError, require

VERSION = 2
PATIENCE = 60  # seconds that a writer waits for the others
WRITERS = 787001  # any number: who writes to PostgreSQL holds the advisory lock that it names

TABLES = MetaData()
BOOKS = Table(
    "registry",
    TABLES,
    Column("version", Integer, nullable=False),
    Column("keeper", Text, nullable=False),
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
HEADS = Table(
    "heads",
    TABLES,
    Column("size", Integer, primary_key=True, autoincrement=False),
    Column("root", Text, nullable=False),
    Column("made", Text, nullable=False),
    Column("signature", Text, nullable=False),
)
LINE = (ENTRIES.c.number, ENTRIES.c.time, ENTRIES.c.kind, ENTRIES.c.document, ENTRIES.c.nonce)


@contextmanager
def transaction(url: str, *, keeper: str = "") -> Iterator[Connection]:
    """Connect to the registry at `url`: what is done is kept at the end, and undone on any error. Who gives the
    keeper's public key may write.

    Raises `DataError` for what can't be read or written, is no registry, or one of another version.
    """
    writing = bool(keeper)
    try:
        engine = _engine(url, writing)
        try:
            with engine.begin() as connection:
                _prepare(connection, url, keeper)
                yield connection
        finally:
            engine.dispose()
    except (SQLAlchemyError, ImportError, OSError) as error:  # ImportError: the server's driver is missing
        raise _unusable(url, error, writing) from error


def rows(connection: Connection) -> Iterator[Sequence[Any]]:
    """Read all entries, the first one first."""
    yield from connection.execute(select(*LINE).order_by(ENTRIES.c.number))


def keeper(connection: Connection) -> str:
    """Read the public key of whoever keeps this book."""
    return str(connection.execute(select(BOOKS.c.keeper)).scalars().first())


def last_head(connection: Connection) -> Sequence[Any] | None:
    """Read the head of the largest size."""
    return connection.execute(select(HEADS).order_by(HEADS.c.size.desc()).limit(1)).first()


def add(connection: Connection, entries: Sequence[Mapping[str, Any]], head: Mapping[str, Any]) -> None:
    """Write entries, each a value for every column, and the head of the book that ends with them."""
    connection.execute(insert(ENTRIES), list(entries))
    connection.execute(insert(HEADS), dict(head))


def without_password(url: str) -> str:
    """Return a URL as it may be shown."""
    return make_url(url).render_as_string(hide_password=True)


def _prepare(connection: Connection, url: str, writer: str) -> None:
    """Make the tables where there are none; refuse a registry of another version, or another keeper's."""
    if writer and connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(WRITERS)))
    if not inspect(connection).has_table(BOOKS.name):
        if not writer:
            raise DataError(
                f"{without_password(url)} must be a registry, got a database without one. Check the path."
            )
        TABLES.create_all(connection, checkfirst=False)  # a table `entries` of somebody else is an error
        connection.execute(insert(BOOKS).values(version=VERSION, keeper=writer))
    version = connection.execute(select(func.max(BOOKS.c.version))).scalar_one()
    if version != VERSION:
        raise DataError(
            f"{without_password(url)} must be of version {VERSION}, got {version}."
            " Use the release that wrote it; nothing was written."
        )
    if writer and keeper(connection) != writer:
        raise DataError(
            f"{without_password(url)} must be written by its keeper, {keeper(connection)[:12]}…, got"
            f" {writer[:12]}…. Nothing was written."
        )


def _engine(url: str, writing: bool) -> Engine:
    engine = create_engine(url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        _check_file(url, writing)
        _lock_ourselves(engine, writing)
    return engine


def _check_file(url: str, writing: bool) -> None:
    """Refuse a database in memory, and a missing file to be read, which SQLite would make."""
    address = make_url(url)
    name = address.database or ""
    is_file = name not in ("", ":memory:") and not name.startswith("file:")
    require(
        is_file or "mode" in address.query,
        "a registry must be a file or a database server",
        url,
        "Give it a path.",
    )
    path = Path(name)
    if is_file and not writing and not path.exists():
        raise FileNotFoundError(f"there is no {path}")


def _lock_ourselves(engine: Engine, writing: bool) -> None:
    """Say to SQLite when a transaction begins and how it waits; Python's driver would begin too late.

    A writer takes the lock at once (BEGIN IMMEDIATE): had it read the last entry first, another writer could
    add one meanwhile. FULL: what is acknowledged is on the disk.
    """

    @event.listens_for(engine, "connect")
    def _connected(driver: sqlite3.Connection, _record: object) -> None:
        driver.isolation_level = None  # the driver begins nothing by itself
        driver.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000}")
        if writing:
            driver.execute("PRAGMA synchronous = FULL")
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


def _unusable(url: str, error: Exception, writing: bool) -> DataError:
    why = str(getattr(error, "orig", None) or error).splitlines()[0]
    use = "writable" if writing else "readable"
    return DataError(
        f"the registry {_shown(url)} must be {use}, got: {why}. Nothing was written.{_remedy(why)}"
    )


def _shown(url: str) -> str:
    try:
        return without_password(url)
    except Exception:  # a URL that can't be parsed may hold a password
        return "at this URL"


def _remedy(why: str) -> str:
    if "readonly" in why or "unable to open" in why:  # SQLite's words
        return (
            " Its folder must be there and writable, for SQLite puts a log beside the file even to read it;"
            " or read a copy."
        )
    return ""
