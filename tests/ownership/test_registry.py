"""The registry: many writers, a sudden death, every kind of tampering, and what a clear error is."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import wmlearn as wm
from wmlearn import ownership as own
from wmlearn.ownership.registry import chained, load_receipt, save_receipt

WRITERS = """
import os, sys
from wmlearn import ownership as own
registry, writers, n = own.Registry(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
children = []
for writer in range(writers):
    children.append(os.fork())
    if not children[-1]:
        person = own.new_identity(str(writer))
        for i in range(n):
            [entry] = own.register(registry, own.release(person, f"model {i}", "0" * 64))
            os.write(1, f"{entry.number} {entry.hash}\\n".encode())
        os._exit(0)
sys.exit(any(os.waitpid(child, 0)[1] for child in children))
"""
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def _documents(n: int) -> list[own.Release]:
    person = own.new_identity("Ada")
    return [own.release(person, f"model {i}", f"{i:064x}") for i in range(n)]


@pytest.fixture
def registry(tmp_path: Path) -> own.Registry:
    return own.Registry(tmp_path / "book.sqlite")


@contextmanager
def _raw(registry: own.Registry) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(registry.where)) as connection, connection:
        yield connection


def _writers(registry: own.Registry, writers: int, n: int) -> subprocess.Popen[str]:
    """Start processes that register `n` releases each, and say number and hash of each entry."""
    command = [sys.executable, "-W", "ignore", "-c", WRITERS, str(registry.where), str(writers), str(n)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)


def test_entries_come_back_in_order_and_sound(registry: own.Registry) -> None:
    new = _documents(20)
    receipts = own.register(registry, *new[:5]) + tuple(own.register(registry, each)[0] for each in new[5:])
    assert own.entries(registry) == receipts
    assert [entry.number for entry in receipts] == list(range(1, 21))
    found = own.audit(registry, receipts)
    assert (found.n, found.head, found.faults) == (20, receipts[-1].hash, ())
    assert own.find(receipts, new[7]) == receipts[7]
    assert own.find(receipts, _documents(1)[0]) is None


def test_a_group_is_registered_as_a_whole_or_not_at_all(registry: own.Registry) -> None:
    good = _documents(3)
    own.register(registry, good[0])
    for bad in (
        replace(good[2], model="another"),
        own.release(own.new_identity("Ada"), "m", "0" * 64, made="2999-01-01T00:00:00+00:00"),
    ):
        with pytest.raises(wm.ArgumentError):
            own.register(registry, good[1], bad)
        assert len(own.entries(registry)) == 1


@needs_fork
def test_many_processes_register_at_once_and_nothing_is_lost(registry: own.Registry) -> None:
    writing = _writers(registry, 8, 8)  # on a registry that is not there yet
    said = [line.split() for line in writing.communicate(timeout=120)[0].splitlines()]
    assert writing.returncode == 0
    found = own.audit(registry)
    assert (found.n, found.faults) == (64, ())
    assert sorted((int(number), hash_) for number, hash_ in said) == [
        (entry.number, entry.hash) for entry in own.entries(registry)
    ]


@needs_fork
def test_writers_that_are_killed_leave_nothing_half_written(registry: own.Registry) -> None:
    own.register(registry, *_documents(1))
    writing = _writers(registry, 2, 100_000)
    assert writing.stdout is not None
    said = [writing.stdout.readline().split() for _ in range(9)]
    os.killpg(writing.pid, signal.SIGKILL)
    said += [line.split() for line in writing.communicate()[0].splitlines()]
    book = own.entries(registry)
    assert own.audited(book).faults == ()
    assert {tuple(line) for line in said} <= {(str(entry.number), entry.hash) for entry in book}, (
        "what was acknowledged is there"
    )
    own.register(registry, *_documents(1))
    assert own.audit(registry).faults == ()


TAMPERING = {
    "a document": "UPDATE entries SET document = replace(document, 'model 3', 'model X') WHERE number = 4",
    "a time": "UPDATE entries SET time = '2020-01-01T00:00:00+00:00' WHERE number = 4",
    "a kind": "UPDATE entries SET kind = 'commitment' WHERE number = 4",
    "a hash": "UPDATE entries SET hash = '0' WHERE number = 4",
    "a link": "UPDATE entries SET previous = '0' WHERE number = 4",
    "a row removed": "DELETE FROM entries WHERE number = 4",
    "the first row removed": "DELETE FROM entries WHERE number = 1",
    "a row moved": "UPDATE entries SET number = 40 WHERE number = 4",
    "a row put in": (
        "INSERT INTO entries SELECT 9, time, kind, document, 'x', 'y' FROM entries WHERE number = 4"
    ),
    "bytes": "UPDATE entries SET document = x'00ff' WHERE number = 4",
    "nonsense": "UPDATE entries SET document = 'x', time = 'y' WHERE number = 4",
}


@pytest.mark.parametrize("what", TAMPERING)
def test_an_audit_finds_tampering(what: str, registry: own.Registry) -> None:
    own.register(registry, *_documents(8))
    assert own.audit(registry).faults == ()
    with _raw(registry) as connection:
        connection.execute(TAMPERING[what])
    assert own.audit(registry).faults != ()


def test_every_single_row_is_watched(registry: own.Registry) -> None:
    book = chained(_documents(6))
    for i in range(6):
        for change in ({"time": "2020-01-01T00:00:00+00:00"}, {"document": book[(i + 1) % 6].document}):
            changed = (*book[:i], replace(book[i], **change), *book[i + 1 :])
            assert any(f"entry {i + 1}: its content" in fault for fault in own.audited(changed).faults)


def test_a_book_written_anew_is_found_by_whoever_kept_a_receipt(registry: own.Registry) -> None:
    documents = _documents(4)
    receipts = own.register(registry, *documents)
    anew = chained([documents[1], documents[0], *documents[2:]])
    assert own.audited(anew).faults == (), "the chain alone does not tell"
    assert len(own.audited(anew, receipts).faults) == 4
    assert any("a receipt" in fault for fault in own.audited(receipts[:3], receipts).faults), (
        "the end was cut off"
    )


def test_a_keeper_can_not_sign_for_others() -> None:
    first, second = _documents(2)
    anew = chained([replace(first, model="another"), second])
    assert own.audited(anew).faults == ("entry 1: its document is not signed by the one whom it names",)


def test_a_receipt_comes_back_from_disk_or_is_a_clear_error(registry: own.Registry, tmp_path: Path) -> None:
    [entry], path = own.register(registry, *_documents(1)), tmp_path / "receipt.json"
    save_receipt(entry, path)
    assert load_receipt(path) == entry
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(wm.DataError, match="must be a receipt"):
        load_receipt(path)


# Books that are there already

FIRST_TABLES = (  # as the first release of the registry made them, word for word
    "CREATE TABLE registry (version INTEGER NOT NULL)",
    "INSERT INTO registry VALUES (1)",
    "CREATE TABLE entries (number INTEGER PRIMARY KEY, time TEXT NOT NULL, kind TEXT NOT NULL,"
    " document TEXT NOT NULL, previous TEXT NOT NULL UNIQUE, hash TEXT NOT NULL UNIQUE)",
)
FIRST_READING = "SELECT number, time, kind, document, previous, hash FROM entries ORDER BY number"


def _first_book(registry: own.Registry, documents: list[own.Release]) -> tuple[own.Entry, ...]:
    """Write a book by hand, with the statements of the first release."""
    book = chained(documents)
    with _raw(registry) as connection:
        for statement in FIRST_TABLES:
            connection.execute(statement)
        for entry in book:
            connection.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", tuple(vars(entry).values()))
    return book


def test_a_book_of_the_first_release_is_read_and_continued(registry: own.Registry) -> None:
    documents = _documents(5)
    book = _first_book(registry, documents[:3])
    assert own.entries(registry) == book
    new = own.register(registry, *documents[3:])
    assert [entry.number for entry in new] == [4, 5]
    assert own.entries(registry) == (*book, *new)
    assert own.audit(registry, book).faults == ()


def test_the_first_release_reads_what_is_written_now(registry: own.Registry, tmp_path: Path) -> None:
    old = own.Registry(tmp_path / "old.sqlite")
    _first_book(old, [])
    book = own.register(registry, *_documents(3))
    with _raw(registry) as connection:
        rows = connection.execute(FIRST_READING).fetchall()
        assert connection.execute("SELECT max(version) FROM registry").fetchone() == (1,)
    assert [own.Entry(*row) for row in rows] == list(book)
    assert _shape(registry) == _shape(old)


def _shape(registry: own.Registry) -> tuple[list[Any], list[Any]]:
    """Return name, type and place in the key of every column, and the columns whose values are unique."""
    with _raw(registry) as connection:
        columns = [
            (table, name, type_, key)
            for table in ("registry", "entries")
            for _, name, type_, _, _, key in connection.execute(f"PRAGMA table_info({table})")
        ]
        unique = [
            connection.execute(f"PRAGMA index_info({index})").fetchall()
            for _, index, *_ in connection.execute("PRAGMA index_list(entries)").fetchall()
        ]
    return columns, unique


def test_a_table_of_entries_that_is_somebody_elses_is_left_alone(registry: own.Registry) -> None:
    with _raw(registry) as connection:
        connection.execute("CREATE TABLE entries (number, time, kind, document, previous, hash)")
    with pytest.raises(wm.DataError, match=r"must be writable, got: table entries already exists"):
        own.register(registry, *_documents(1))
    with _raw(registry) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("entries",)]


def test_registering_nothing_adds_nothing(registry: own.Registry) -> None:
    own.register(registry, *_documents(2))
    assert own.register(registry) == ()
    assert own.audit(registry).n == 2


# Another database


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start PostgreSQL, reached by a socket in a folder of its own, and return its URL; skip where there is
    none.
    """
    pytest.importorskip("psycopg")
    if not (shutil.which("initdb") and shutil.which("pg_ctl")):
        pytest.skip("PostgreSQL is not installed")
    root = hasattr(os, "geteuid") and os.geteuid() == 0  # whom the server refuses to work for
    user = {"user": "postgres"} if root else {}
    with tempfile.TemporaryDirectory(prefix="pg") as name:  # a socket's path must be short
        if root:
            try:
                shutil.chown(name, "postgres")
            except LookupError:
                pytest.skip("there is no user postgres")
        options: dict[str, Any] = {
            "cwd": name,
            "check": True,
            "timeout": 60,
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.DEVNULL,
            **user,
        }
        subprocess.run(
            ["initdb", "-D", "data", "-U", "ada", "--auth=trust", "--no-sync", "-E", "UTF8"], **options
        )
        start = [
            "pg_ctl",
            "-D",
            "data",
            "-w",
            "-o",
            f"-k {name} -c listen_addresses= -c max_connections=40",
            "start",
        ]
        subprocess.run(start, **options)
        try:
            yield f"postgresql+psycopg://ada@/postgres?host={name}"
        finally:
            subprocess.run(["pg_ctl", "-D", "data", "-m", "immediate", "stop"], **options)


@needs_fork
def test_postgresql_serves_as_well(server: str) -> None:
    registry = own.Registry(server)
    with pytest.raises(wm.DataError, match="must be a registry"):
        own.entries(registry)
    said = [line.split() for line in _writers(registry, 4, 5).communicate(timeout=120)[0].splitlines()]
    found = own.audit(registry)
    assert (found.n, found.faults) == (20, ())
    assert {tuple(line) for line in said} == {
        (str(entry.number), entry.hash) for entry in own.entries(registry)
    }
    with _postgres(server) as connection:
        connection.execute("UPDATE entries SET time = '2020-01-01T00:00:00+00:00' WHERE number = 4")
    assert own.audit(registry).faults == ("entry 4: its content is not what was hashed",)


@contextmanager
def _postgres(url: str) -> Iterator[Any]:
    import psycopg  # pyright: ignore[reportMissingImports]

    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        yield connection


# Clocks


def test_clocks_in_the_future_are_refused(registry: own.Registry) -> None:
    person = own.new_identity("Ada")
    early = replace(registry, clock=lambda: "2026-01-01T12:00:00+00:00")
    late = replace(registry, clock=lambda: "2026-01-01T13:00:00+00:00")
    with pytest.raises(wm.ArgumentError, match="a document must not be from the future"):
        own.register(early, own.release(person, "m", "0" * 64, made="2026-01-01T12:06:00+00:00"))
    assert not Path(registry.where).exists()
    own.register(early, own.release(person, "m", "0" * 64, made="2026-01-01T12:04:00+00:00"))
    own.register(late, own.release(person, "m", "1" * 64, made="2026-01-01T13:00:00+00:00"))
    with pytest.raises(wm.ArgumentError, match="last entry must not be from the future"):
        own.register(early, own.release(person, "m", "2" * 64, made="2026-01-01T12:00:00+00:00"))
    assert len(own.entries(registry)) == 2
    assert own.audit(late).faults == ()
    assert own.audit(early).faults == ("entry 2: its time lies in the future",)


# Registries that can't be used


def test_a_registry_from_a_newer_version_is_left_alone(registry: own.Registry) -> None:
    own.register(registry, *_documents(1))
    with _raw(registry) as connection:
        connection.execute("UPDATE registry SET version = 2")
    before = Path(registry.where).read_bytes()
    for use in (lambda: own.register(registry, *_documents(1)), lambda: own.entries(registry)):
        with pytest.raises(wm.DataError, match="must be of version 1, got 2"):
            use()
    assert Path(registry.where).read_bytes() == before


def test_a_read_only_registry_can_be_audited_and_not_written(registry: own.Registry) -> None:
    own.register(registry, *_documents(3))
    reader = own.Registry(f"sqlite:///file:{registry.where}?mode=ro&uri=true")
    assert own.audit(reader).n == 3
    with pytest.raises(wm.DataError, match=r"must be writable, got: .*readonly.* Nothing was written"):
        own.register(reader, *_documents(1))
    assert own.audit(registry).n == 3


@contextmanager
def _read_only(folder: Path) -> Iterator[None]:
    """Take away the right to write to a folder; root, who always may, is somebody else meanwhile."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    folder.chmod(0o555)
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no such right there")
def test_a_registry_in_a_read_only_folder_is_a_clear_error_and_nothing_is_written() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folder is closed to everybody else
        book, new, documents = (
            own.Registry(Path(name) / "book.sqlite"),
            own.Registry(Path(name) / "new.sqlite"),
            _documents(3),
        )
        receipts = own.register(book, *documents[:2])
        before = Path(book.where).read_bytes()
        with _read_only(Path(name)):
            for registry in (book, new):
                with pytest.raises(
                    wm.DataError,
                    match=r"must be writable, got: .* Nothing was written\. Its folder must be .*writable",
                ):
                    own.register(registry, documents[2])
            with pytest.raises(wm.DataError, match=r"must be readable, got: .* or read a copy"):
                own.entries(book)
        assert [path.name for path in Path(name).iterdir()] == ["book.sqlite"]
        assert Path(book.where).read_bytes() == before
        assert own.entries(book) == receipts


def test_a_damaged_end_is_not_built_upon(registry: own.Registry) -> None:
    own.register(registry, *_documents(2))
    with _raw(registry) as connection:
        connection.execute("UPDATE entries SET time = '2020-01-01T00:00:00+00:00' WHERE number = 2")
    with pytest.raises(wm.DataError, match="last entry, number 2, has been changed"):
        own.register(registry, *_documents(1))
    assert len(own.entries(registry)) == 2


def test_what_is_no_registry_is_a_clear_error_and_stays_as_it_is(tmp_path: Path) -> None:
    missing, text, other = tmp_path / "missing.sqlite", tmp_path / "text.sqlite", tmp_path / "other.sqlite"
    with pytest.raises(wm.DataError, match=r"must be readable, got: there is no .*missing\.sqlite"):
        own.entries(own.Registry(missing))
    assert not missing.exists()
    text.write_text("this is not a database, whatever its name says. " * 20)
    for use in (
        lambda: own.entries(own.Registry(text)),
        lambda: own.register(own.Registry(text), *_documents(1)),
    ):
        with pytest.raises(wm.DataError, match="not a database"):
            use()
    assert text.read_text().startswith("this is not")
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("CREATE TABLE mine (x)")
    with pytest.raises(wm.DataError, match="must be a registry"):
        own.entries(own.Registry(other))
    with pytest.raises(wm.DataError, match="must be"):
        own.register(own.Registry(tmp_path / "no" / "folder.sqlite"), *_documents(1))
    with pytest.raises(wm.DataError, match="must be"):
        own.entries(own.Registry("nonsense://x"))


def test_a_password_is_never_shown() -> None:
    for url in ("postgresql+psycopg://ada:hush@localhost:1/book", "nonsense://ada:hush@x/y"):
        with pytest.raises(wm.DataError) as found:
            own.register(own.Registry(url), *_documents(1))
        assert "hush" not in str(found.value)


def test_only_signed_documents_of_the_right_kind_are_registered(registry: own.Registry) -> None:
    with pytest.raises(wm.ArgumentError, match="must carry the signature"):
        own.register(registry, replace(_documents(1)[0], signature=""))
    assert not Path(registry.where).exists()
