"""The registry: many writers, a sudden death, every kind of tampering, and what a clear error is."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rights import read_only

import wmlearn as wm
from wmlearn import ownership as own
from wmlearn.ownership.documents import parse
from wmlearn.ownership.registry import chained, closed

AtOnce = Callable[..., list[str]]
WRITERS = """
import os
from itertools import count
from wmlearn import ownership as own
os.setsid()  # so that both are killed at once
os.fork()
person = own.new_identity(str(os.getpid()))
for i in count():
    [receipt] = own.register(registry, own.release(person, f"model {i}", "0" * 64))
    said.send((receipt.entry.number, receipt.entry.leaf.hex()))
"""
WRITER = """
import sys
from wmlearn import ownership as own
where, name, n, keeper = sys.argv[1:]
registry = own.Registry(where, own.Identity("keeper", bytes.fromhex(keeper)))
person = own.new_identity(name)
for i in range(int(n)):
    [receipt] = own.register(registry, own.release(person, f"model {i}", "0" * 64))
    print(receipt.entry.number, receipt.entry.leaf.hex())
"""
KEEPER = own.new_identity("keeper")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def _documents(n: int) -> list[own.Release]:
    person = own.new_identity("Ada")
    return [own.release(person, f"model {i}", f"{i:064x}") for i in range(n)]


@pytest.fixture
def registry(tmp_path: Path) -> own.Registry:
    return own.Registry(tmp_path / "book.sqlite", KEEPER)


@contextmanager
def _raw(registry: own.Registry) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(registry.where)) as connection, connection:
        yield connection


def test_entries_come_back_in_order_and_sound(registry: own.Registry) -> None:
    new = _documents(20)
    receipts = own.register(registry, *new[:5])
    for document in new[5:]:
        receipts += own.register(registry, document)
    book = own.read_book(registry)
    assert book.entries == tuple(receipt.entry for receipt in receipts)
    assert [entry.number for entry in book.entries] == list(range(1, 21))
    assert len({entry.nonce for entry in book.entries}) == 20
    found = own.audit(registry, receipts)
    assert (found.n, found.head, found.faults, found.warnings, found.receipts) == (20, book.head, (), (), 20)
    assert (book.head.by, book.head.root) == (KEEPER.public, receipts[-1].root)
    assert own.find(book, new[7]) == book.entries[7]
    assert own.find(book, _documents(1)[0]) is None


def test_a_group_is_registered_as_a_whole_or_not_at_all(registry: own.Registry) -> None:
    good = _documents(3)
    own.register(registry, good[0])
    for bad in (
        replace(good[2], model="another"),
        own.release(own.new_identity("Ada"), "m", "0" * 64, made="2999-01-01T00:00:00+00:00"),
    ):
        with pytest.raises(wm.ArgumentError):
            own.register(registry, good[1], bad)
        assert len(own.read_book(registry).entries) == 1


def _leaves(registry: own.Registry) -> list[tuple[int, str]]:
    return [(entry.number, entry.leaf.hex()) for entry in own.read_book(registry).entries]


def _written(at_once: AtOnce, registry: own.Registry, writers: int, n: int) -> list[tuple[int, str]]:
    """Let processes register `n` releases each, all at once; return number and hash of each entry."""
    words = [(registry.where, writer, n, KEEPER.secret.hex()) for writer in range(writers)]
    lines = "".join(at_once(WRITER, *words)).splitlines()
    return sorted((int(number), leaf) for number, leaf in map(str.split, lines))


def test_many_processes_register_at_once_and_nothing_is_lost(registry: own.Registry, at_once: AtOnce) -> None:
    said = _written(at_once, registry, 8, 8)  # on a registry that is not there yet
    found = own.audit(registry)
    assert (found.n, found.faults) == (64, ())
    assert said == _leaves(registry)


@needs_fork
def test_writers_that_are_killed_leave_nothing_half_written(registry: own.Registry, processes: Any) -> None:
    own.register(registry, *_documents(1))
    ours, theirs = processes.Pipe(duplex=False)
    writing = processes.Process(target=exec, args=(WRITERS, {"registry": registry, "said": theirs}))
    writing.start()
    theirs.close()
    acknowledged = {ours.recv() for _ in range(9)}
    os.killpg(writing.pid, signal.SIGKILL)
    with suppress(EOFError):
        while True:
            acknowledged.add(ours.recv())
    writing.join()
    assert own.audit(registry).faults == ()
    assert acknowledged <= set(_leaves(registry)), "what was acknowledged is there"
    own.register(registry, *_documents(1))
    assert own.audit(registry).faults == ()


TAMPERING = {
    "a document": "UPDATE entries SET document = replace(document, 'model 3', 'model X') WHERE number = 4",
    "a time": "UPDATE entries SET time = '2020-01-01T00:00:00+00:00' WHERE number = 4",
    "a kind": "UPDATE entries SET kind = 'commitment' WHERE number = 4",
    "a nonce": "UPDATE entries SET nonce = '0' WHERE number = 4",
    "the root": "UPDATE heads SET root = (SELECT digest FROM entries WHERE number = 4)",
    "the size": "UPDATE heads SET size = 7",
    "the head's time": "UPDATE heads SET made = '2026-01-01T00:00:00+00:00'",
    "the head's signature": "UPDATE heads SET signature = replace(signature, '0', '1')",
    "the keeper": "UPDATE registry SET keeper = (SELECT digest FROM entries WHERE number = 4)",
    "the end cut off": "DELETE FROM entries WHERE number = 8",
    "a row removed": "DELETE FROM entries WHERE number = 4",
    "the first row removed": "DELETE FROM entries WHERE number = 1",
    "a row moved": "UPDATE entries SET number = 40 WHERE number = 4",
    "a row put in": (
        "INSERT INTO entries SELECT 9, time, kind, document, nonce, 'y' FROM entries WHERE number = 4"
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


def test_every_field_of_every_row_is_watched() -> None:
    book = chained(_documents(6), keeper=KEEPER)
    for i, entry in enumerate(book.entries):
        other = book.entries[(i + 1) % 6]
        for fake in (
            replace(entry, number=7),
            replace(entry, time="2026-01-01T00:00:00+00:00"),
            replace(entry, document=other.document),
            replace(entry, nonce=other.nonce),
            replace(entry, kind="challenge"),
        ):
            changed = (*book.entries[:i], fake, *book.entries[i + 1 :])
            faults = own.audited(replace(book, entries=changed)).faults
            assert "the entries are not those for which the keeper has signed" in faults


def test_a_keeper_can_not_sign_for_others() -> None:
    first, second = chained(_documents(2), keeper=KEEPER).entries
    anew = replace(first, document=first.document.replace("model 0", "another"))
    book = closed([anew, second], KEEPER, second.time)
    assert own.audited(book).faults == ("entry 1: its document is not signed by the one whom it names",)


# Books that are there already

FIRST_TABLES = (  # as the first version of the registry made them
    "PRAGMA journal_mode = WAL",
    "CREATE TABLE registry (version INTEGER NOT NULL)",
    "INSERT INTO registry VALUES (1)",
    "CREATE TABLE entries (number INTEGER PRIMARY KEY, time TEXT NOT NULL, kind TEXT NOT NULL,"
    " document TEXT NOT NULL, previous TEXT NOT NULL UNIQUE, hash TEXT NOT NULL UNIQUE)",
)


def test_a_book_of_the_first_version_is_refused_with_the_way_to_renew_it(registry: own.Registry) -> None:
    with _raw(registry) as connection:
        for statement in FIRST_TABLES:
            connection.execute(statement)
    before = Path(registry.where).read_bytes()
    for use in (lambda: own.register(registry, *_documents(1)), lambda: own.read_book(registry)):
        with pytest.raises(wm.DataError, match=r"must be of version 2, got '1'\. .* start a new registry"):
            use()
    assert Path(registry.where).read_bytes() == before


def test_a_table_of_entries_that_is_somebody_elses_is_left_alone(registry: own.Registry) -> None:
    with _raw(registry) as connection:
        connection.execute("CREATE TABLE entries (number, time, kind, document, nonce, digest)")
    with pytest.raises(wm.DataError, match=r"must be writable, got: table entries already exists"):
        own.register(registry, *_documents(1))
    with _raw(registry) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("entries",)]


def test_registering_nothing_adds_nothing(registry: own.Registry) -> None:
    assert own.register(registry) == (), "but a book of nothing, which its keeper has signed"
    assert own.audit(registry).n == own.read_book(registry).head.size == 0
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


def test_postgresql_serves_as_well(server: str, tmp_path: Path, at_once: AtOnce) -> None:
    registry = own.Registry(server, KEEPER)
    with pytest.raises(wm.DataError, match="must be a registry"):
        own.read_book(registry)
    said = _written(at_once, registry, 4, 5)
    found = own.audit(registry)
    assert (found.n, found.faults) == (20, ())
    assert said == _leaves(registry)
    again = parse(own.read_book(registry).entries[3].document, own.Release)
    with pytest.raises(wm.ArgumentError, match="must be registered once, got 'entry 4'"):
        own.register(registry, again)
    own.backup(registry, tmp_path / "copy.sqlite")
    assert own.read_book(own.Registry(tmp_path / "copy.sqlite")) == own.read_book(registry)
    with _postgres(server) as connection:
        connection.execute("UPDATE entries SET time = '2026-01-01T00:00:00+00:00' WHERE number = 4")
    faults = own.audit(registry).faults
    assert faults[0] == "the entries are not those for which the keeper has signed"


@contextmanager
def _postgres(url: str) -> Iterator[Any]:
    import psycopg

    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        yield connection


# Registries that can't be used


def test_a_registry_from_a_newer_version_is_left_alone(registry: own.Registry) -> None:
    own.register(registry, *_documents(1))
    with _raw(registry) as connection:
        connection.execute("UPDATE registry SET version = 3")
    before = Path(registry.where).read_bytes()
    for use in (lambda: own.register(registry, *_documents(1)), lambda: own.read_book(registry)):
        with pytest.raises(wm.DataError, match="must be of version 2, got '3'"):
            use()
    assert Path(registry.where).read_bytes() == before


def test_a_read_only_registry_can_be_audited_and_not_written(registry: own.Registry) -> None:
    own.register(registry, *_documents(3))
    reader = own.Registry(f"sqlite:///file:{registry.where}?mode=ro&uri=true", KEEPER)
    assert own.audit(reader).n == 3
    with pytest.raises(wm.DataError, match=r"must be writable, got: .*readonly.* Nothing was written"):
        own.register(reader, *_documents(1))
    assert own.audit(registry).n == 3


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no such right there")
def test_a_registry_in_a_read_only_folder_is_a_clear_error_and_nothing_is_written() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folder is closed to everybody else
        book, new, documents = (
            own.Registry(Path(name) / "book.sqlite", KEEPER),
            own.Registry(Path(name) / "new.sqlite", KEEPER),
            _documents(3),
        )
        receipts = own.register(book, *documents[:2])
        before = Path(book.where).read_bytes()
        with read_only(Path(name)):
            for registry in (book, new):
                with pytest.raises(
                    wm.DataError,
                    match=r"must be writable, got: .* Nothing was written\. Its folder must be .*writable",
                ):
                    own.register(registry, documents[2])
            with pytest.raises(wm.DataError, match=r"must be readable, got: .* or read a copy"):
                own.read_book(book)
        assert [path.name for path in Path(name).iterdir()] == ["book.sqlite"]
        assert Path(book.where).read_bytes() == before
        assert own.audit(book, receipts).receipts == 2


def test_a_damaged_end_is_not_built_upon(registry: own.Registry) -> None:
    own.register(registry, *_documents(2))
    with _raw(registry) as connection:
        connection.execute("UPDATE entries SET time = '2026-01-01T00:00:00+00:00' WHERE number = 2")
    with pytest.raises(wm.DataError, match="last entry is not what its keeper has signed"):
        own.register(registry, *_documents(1))
    assert len(own.read_book(registry).entries) == 2


def test_what_is_no_registry_is_a_clear_error_and_stays_as_it_is(tmp_path: Path) -> None:
    missing, text, other = tmp_path / "missing.sqlite", tmp_path / "text.sqlite", tmp_path / "other.sqlite"
    with pytest.raises(wm.DataError, match=r"must be readable, got: there is no .*missing\.sqlite"):
        own.read_book(own.Registry(missing))
    assert not missing.exists()
    text.write_text("this is not a database, whatever its name says. " * 20)
    for use in (
        lambda: own.read_book(own.Registry(text)),
        lambda: own.register(own.Registry(text, KEEPER), *_documents(1)),
    ):
        with pytest.raises(wm.DataError, match="not a database"):
            use()
    assert text.read_text().startswith("this is not")
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("CREATE TABLE mine (x)")
    with pytest.raises(wm.DataError, match="must be a registry"):
        own.read_book(own.Registry(other))
    with pytest.raises(wm.DataError, match="must be"):
        own.register(own.Registry(tmp_path / "no" / "folder.sqlite", KEEPER), *_documents(1))
    with pytest.raises(wm.DataError, match="must be"):
        own.read_book(own.Registry("nonsense://x"))


def test_a_password_is_never_shown() -> None:
    for url in ("postgresql+psycopg://ada:hush@localhost:1/book", "nonsense://ada:hush@x/y"):
        with pytest.raises(wm.DataError) as found:
            own.register(own.Registry(url, KEEPER), *_documents(1))
        assert "hush" not in str(found.value)


def test_only_signed_documents_of_the_right_kind_are_registered(registry: own.Registry) -> None:
    with pytest.raises(wm.ArgumentError, match="must carry the signature"):
        own.register(registry, replace(_documents(1)[0], signature=""))
    with pytest.raises(wm.ArgumentError, match="must have at most 262,144 bytes"):
        own.register(registry, own.release(own.new_identity("Ada"), "m" * 300_000, "0" * 64))
    with pytest.raises(wm.ArgumentError, match="a registry holds commitment, release, challenge, got 'head'"):
        own.register(registry, chained(_documents(1), keeper=KEEPER).head)
    assert not Path(registry.where).exists()
