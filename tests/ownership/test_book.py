"""What the keeper of a book signs: receipts and heads that are checked without him, cuts, copies and replays
that are found, clocks that are wrong, backups, and every odd thing in a file or an address.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import NoReturn

import pytest

import wmlearn as wm
from wmlearn import ownership as own
from wmlearn.errors import ClockWarning
from wmlearn.ownership import documents, merkle
from wmlearn.ownership.registry import EARLIEST, RECEIPTS, closed

ADA = own.new_identity("Ada")
KEEPER = own.new_identity("keeper")
DAY = "2026-06-{:02d}T00:00:00+00:00"
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def _releases(n: int, made: str | None = None) -> list[own.Release]:
    return [own.release(ADA, f"model {i}", f"{i:064x}", made=made) for i in range(n)]


@pytest.fixture
def registry(tmp_path: Path) -> own.Registry:
    return own.Registry(tmp_path / "book.sqlite", KEEPER)


def _change(path: Path | str, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(statement)


# The tree


def _leaves(n: int) -> list[bytes]:
    return [merkle.leaf(str(i).encode()) for i in range(n)]


def test_roots_and_proofs_are_those_of_pymerkle() -> None:
    pymerkle = pytest.importorskip("pymerkle")
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for n in range(1, 40):
        tree.append_entry(str(n - 1).encode())
        leaves = _leaves(n)
        rows = merkle.levels(leaves)
        assert merkle.root(leaves) == tree.get_root(n)
        for i in range(n):
            nodes = tree.prove_inclusion(i + 1, n).serialize()["path"]
            nodes.remove(leaves[i].hex())  # theirs begins with the leaf itself
            assert sorted(node.hex() for node in merkle.path(rows, i)) == sorted(nodes)
        for size in range(1, n):
            # theirs names smaller trees than RFC 9162 does, so that only what it proves can be compared
            proof = tree.prove_consistency(size, n)
            pymerkle.verify_consistency(merkle.root(leaves[:size]), merkle.root(leaves), proof)


def test_proofs_are_those_of_the_example_in_rfc_9162() -> None:
    leaves = _leaves(7)
    a, b, c, d, e, f, j = leaves
    g, h, i, k = (merkle.root(part) for part in ([a, b], [c, d], [e, f], [e, f, j]))
    left = merkle.root([a, b, c, d])
    rows = merkle.levels(leaves)
    paths = {0: (b, h, k), 3: (c, g, k), 4: (f, j, left), 6: (i, left)}
    assert {n: merkle.path(rows, n) for n in paths} == paths
    proofs = {3: (c, d, g, k), 4: (k,), 6: (i, j, left)}
    assert {n: merkle.consistency(leaves, n) for n in proofs} == proofs


def test_the_tree_of_no_leaves_is_the_hash_of_nothing() -> None:
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_tree_grows_from_its_right_edge_as_it_would_anew() -> None:
    for n in range(1, 40):
        leaves = _leaves(n)
        rows = merkle.levels(leaves)
        for size in range(n):
            peaks = merkle.path(merkle.levels(leaves[: size + 1]), size)  # the way of the last leaf so far
            grown = merkle.levels(leaves[size:], size, peaks)
            assert grown[-1] == rows[-1]
            for i in range(size, n):
                assert merkle.path(grown, i, size) == merkle.path(rows, i)


def test_the_root_of_every_beginning_comes_in_one_pass() -> None:
    leaves = _leaves(33)
    roots = merkle.roots(leaves, [*range(34), 99])
    assert roots == {size: merkle.root(leaves[:size]) for size in range(34)}


def test_a_proof_of_consistency_is_good_for_two_trees_only() -> None:
    for n in range(1, 20):
        leaves = _leaves(n)
        root = merkle.root(leaves)
        for size in range(n + 1):
            older = merkle.root(leaves[:size])
            nodes = merkle.consistency(leaves, size)
            assert merkle.is_consistent(size, older, n, root, nodes)
            assert not merkle.is_consistent(size, older, n, root, [*nodes, root])
            assert not merkle.is_consistent(size, b"x" * 32, n, root, nodes)
            assert not merkle.is_consistent(n + 1, older, n, root, nodes)
            if 0 < size < n:
                assert not merkle.is_consistent(size, older, n, b"x" * 32, nodes)
                assert not merkle.is_consistent(size, older, n, root, nodes[:-1])
                assert not merkle.is_consistent(size, older, n, root, [b"x" * 32, *nodes[1:]])


def test_an_entrys_leaf_is_over_its_canonical_form() -> None:
    odd = 'line\n tab\t “quoted" \\ \x01 \x7f ß 𝄞 \u2028'
    entry = own.Entry(7, DAY.format(1), "release", odd, "ab" * 32)
    assert entry.leaf == merkle.leaf(documents.canonical(asdict(entry)))


# Receipts and heads


def test_a_receipt_is_checked_without_the_book(registry: own.Registry, tmp_path: Path) -> None:
    receipts = [own.register(registry, document)[0] for document in _releases(9)]
    Path(registry.where).unlink()
    for receipt in receipts:
        own.save(receipt, tmp_path / "receipt.json")
        again = own.load(tmp_path / "receipt.json", own.Receipt)
        assert again == receipt
        assert own.broken(again, KEEPER.public) == ()
        assert documents.parse(again.entry.document, own.Release).model == f"model {receipt.entry.number - 1}"


def test_a_receipt_that_was_changed_or_signed_by_another_proves_nothing(registry: own.Registry) -> None:
    receipts = own.register(registry, *_releases(5))
    mallory = own.new_identity("Mallory")
    whole = receipts[2]
    forged = replace(whole.entry, document=whole.entry.document.replace("model 2", "model X"))
    for changed in (
        replace(whole, entry=replace(whole.entry, number=2)),
        replace(whole, entry=replace(whole.entry, nonce="0" * 64)),
        replace(whole, path=whole.path[:-1]),
        replace(whole, path=(*whole.path, "0" * 64)),
        replace(whole, size=6),
        replace(whole, entry=forged),
        documents.signed(replace(whole, by=mallory.public), mallory),
    ):
        assert own.broken(changed, KEEPER.public) != ()
    # even the keeper's own signature does not put an entry into a tree in which it is not
    false = documents.signed(replace(whole, entry=forged), KEEPER)
    assert own.broken(false, KEEPER.public) == ("its entry is not in the tree whose root it names",)


def test_a_receipt_that_somebody_made_up_does_not_accuse_an_honest_book(registry: own.Registry) -> None:
    own.register(registry, *_releases(3))
    mallory = own.new_identity("Mallory")
    other = own.chained(_releases(5), keeper=mallory)
    entry = other.entries[4]
    invented = own.Receipt(
        KEEPER.public, entry, 5, other.head.root, own.inclusion(other, 5), other.head.made, "0" * 128
    )
    signed = documents.signed(replace(invented, by=mallory.public), mallory)
    found = own.audit(registry, [invented, signed])
    assert (found.faults, found.receipts) == ((), 0)
    assert "2 receipts are not by this book's keeper" in found.warnings[0]


def test_every_entry_is_shown_in_the_head_and_every_head_in_the_later_one() -> None:
    books = [own.chained(_releases(3, DAY.format(1)), keeper=KEEPER)]
    for i in range(3, 9):
        new = own.release(ADA, f"later {i}", f"{i:064x}")
        books.append(own.chained([new], keeper=KEEPER, after=books[-1]))
    last = books[-1]
    for entry in last.entries:
        path = own.inclusion(last, entry.number)
        assert own.is_included(entry, last.head, path)
        assert not own.is_included(replace(entry, nonce="0" * 64), last.head, path)
    for book in books:
        nodes = own.consistency(last, book.head.size)
        assert own.is_consistent(book.head, last.head, nodes)
        assert own.audited(last, head=book.head).faults == ()
    with pytest.raises(wm.ArgumentError, match=r"number must lie in 1..9"):
        own.inclusion(last, 10)
    with pytest.raises(wm.ArgumentError, match=r"size must lie in 0..9"):
        own.consistency(last, 10)


def test_a_book_written_anew_contradicts_what_its_keeper_signed(registry: own.Registry) -> None:
    new = _releases(4)
    receipts = own.register(registry, *new)
    head = own.read_book(registry).head
    anew = own.chained([new[1], new[0], *new[2:]], keeper=KEEPER)
    assert own.audited(anew).faults == (), "the book alone does not tell"
    assert len(own.audited(anew, receipts).faults) == 4
    assert "does not begin with the 4 entries of the older head" in own.audited(anew, head=head).faults[0]
    first = own.chained(new[:1], keeper=KEEPER)
    fork = own.chained([own.release(ADA, "another", "1" * 64)], keeper=KEEPER, after=first)
    assert not own.is_consistent(first.head, anew.head, own.consistency(fork, 1))
    foreign = own.chained(new, keeper=own.new_identity("another keeper")).head
    assert "the older head is not signed by the keeper" in own.audited(anew, head=foreign).faults[0]


def test_a_receipt_of_another_book_of_the_same_keeper_is_found() -> None:
    new = _releases(3)
    book = own.chained(new, keeper=KEEPER)
    short = closed(book.entries[:2], KEEPER, book.head.made)
    entry = book.entries[0]
    other = closed([entry, replace(book.entries[1], nonce="0" * 64)], KEEPER, book.head.made)
    head = other.head
    receipt = documents.signed(
        own.Receipt(KEEPER.public, entry, 2, head.root, own.inclusion(other, 1), head.made), KEEPER
    )
    assert "signed a receipt for it in another book" in own.audited(short, [receipt]).faults[0]


# What is missing


def _save_receipts(registry: own.Registry, receipts: tuple[own.Receipt, ...]) -> None:
    for receipt in receipts:
        folder = Path(registry.where).parent / RECEIPTS
        own.save(receipt, folder / f"receipt-{receipt.entry.number}.json")


def test_an_audit_reads_the_receipts_that_lie_beside_the_book(registry: own.Registry) -> None:
    _save_receipts(registry, own.register(registry, *_releases(8)))
    assert own.audit(registry).receipts == 8
    earlier = own.read_book(registry)
    short = closed(earlier.entries[:5], KEEPER, earlier.head.made).head
    _change(registry.where, "DELETE FROM entries WHERE number > 5")
    assert own.audit(registry).faults[0] == "the keeper has signed for 8 entries, and there are 5"
    with closing(sqlite3.connect(registry.where)) as connection, connection:
        connection.execute(
            "UPDATE heads SET size = 5, root = ?, made = ?, signature = ?",
            (short.root, short.made, short.signature),
        )
    assert own.audited(own.read_book(registry)).faults == (), "the keeper himself cut it"
    faults = own.audit(registry).faults
    assert len(faults) == 8, "three are gone, and five were receipted in a larger book"
    assert "entry 8: its keeper signed a receipt for it, and the book does not hold it" in faults
    reader = own.Registry(f"sqlite:///file:{registry.where}?mode=ro&uri=true")
    assert own.audit(reader).faults == faults


def test_an_odd_file_among_the_receipts_is_named_and_accuses_nobody(registry: own.Registry) -> None:
    _save_receipts(registry, own.register(registry, *_releases(2)))
    folder = Path(registry.where).parent / RECEIPTS
    whole = json.loads((folder / "receipt-1.json").read_text())
    for name, content in (
        ("empty", b""),
        ("bytes", b"\xff\xfe"),
        ("deep", b"[" * 100_000),
        ("list", b"[]"),
        ("types", json.dumps(whole | {"entry": 7}).encode()),
        ("number", json.dumps(whole | {"entry": whole["entry"] | {"number": "1"}}).encode()),
        ("nonce", json.dumps(whole | {"entry": whole["entry"] | {"nonce": None}}).encode()),
        ("size", json.dumps(whole | {"size": 10**400}).encode()),
        ("path", json.dumps(whole | {"path": "00"}).encode()),
        ("extra", json.dumps(whole | {"more": 1}).encode()),
        ("version", json.dumps(whole | {"version": 1}).encode()),
    ):
        (folder / f"{name}.json").write_bytes(content)
    (folder / "folder.json").mkdir()
    found = own.audit(registry)
    assert (found.faults, found.receipts, len(found.warnings)) == ((), 2, 12)
    assert all(warning.startswith("a file beside the book is no receipt: ") for warning in found.warnings)


CRASH = """
import os, signal, sqlite3, sys
from wmlearn import ownership as own
registry = own.Registry(sys.argv[1], own.Identity("keeper", bytes.fromhex(sys.argv[2])))
person = own.new_identity("Ada")
def write(n):
    for i in range(n):
        [receipt] = own.register(registry, own.release(person, f"model {i}", "1" * 64))
        own.save(receipt, f"{sys.argv[3]}/receipts/receipt-{receipt.entry.number}.json")
write(3)
reader = sqlite3.connect(sys.argv[1])  # who reads keeps the log from being put into the file
reader.execute("BEGIN")
reader.execute("SELECT * FROM entries").fetchall()
person = own.new_identity("Bob")
write(5)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="nobody is killed so there")
def test_entries_that_were_lost_with_the_log_of_a_crash_are_missed(
    registry: own.Registry, tmp_path: Path, at_once: Callable[..., list[str]]
) -> None:
    at_once(CRASH, [registry.where, KEEPER.secret.hex(), tmp_path], ends=-signal.SIGKILL)
    log = Path(f"{registry.where}-wal")
    assert log.stat().st_size > 0
    for name, damage in (
        ("lost", lambda path: path.unlink()),
        ("alone", lambda path: path.unlink()),
        ("flipped", lambda path: _flip(path)),
    ):
        folder = tmp_path / name
        shutil.copytree(tmp_path / RECEIPTS, folder / RECEIPTS)
        shutil.copy(registry.where, folder / "book.sqlite")
        shutil.copy(log, folder / "book.sqlite-wal")
        damage(folder / "book.sqlite-wal")
        faults = own.audit(own.Registry(folder / "book.sqlite")).faults
        assert any("and the book does not hold it" in fault for fault in faults), name
    own.backup(registry, tmp_path / "whole" / "book.sqlite")
    assert [path.name for path in (tmp_path / "whole").iterdir()] == ["book.sqlite"]
    shutil.copytree(tmp_path / RECEIPTS, tmp_path / "whole" / RECEIPTS)
    found = own.audit(own.Registry(tmp_path / "whole" / "book.sqlite"))
    assert (found.n, found.faults, found.receipts) == (8, (), 8)
    assert own.audit(registry).n == 8, "nothing was lost by the crash itself"


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_backup_is_whole_goes_on_and_replaces_nothing(registry: own.Registry, tmp_path: Path) -> None:
    own.register(registry, *_releases(5))
    path = tmp_path / "elsewhere" / "copy.sqlite"
    own.backup(registry, path)
    copy = replace(registry, where=path)
    assert own.read_book(copy) == own.read_book(registry)
    before = path.read_bytes()
    own.register(registry, own.release(ADA, "another", "a" * 64))
    with pytest.raises(wm.ArgumentError, match="must not replace a file"):
        own.backup(registry, path)
    assert path.read_bytes() == before
    assert not [name for name in path.parent.iterdir() if name != path], "nothing else is left"
    own.register(copy, own.release(ADA, "on the copy", "b" * 64))
    assert own.audit(copy).faults == ()
    with pytest.raises(wm.DataError, match="there is no"):
        own.backup(own.Registry(tmp_path / "missing.sqlite"), tmp_path / "third.sqlite")
    assert not (tmp_path / "third.sqlite").exists()


# Who may write, and what once


def test_only_the_keeper_registers(registry: own.Registry) -> None:
    with pytest.raises(wm.ArgumentError, match="only the keeper can register"):
        own.register(replace(registry, keeper=None), *_releases(1))
    assert not Path(registry.where).exists()
    own.register(registry, *_releases(1))
    other = replace(registry, keeper=own.new_identity("another"))
    with pytest.raises(wm.DataError, match="must be written by its keeper"):
        own.register(other, *_releases(2)[1:])
    assert own.audit(registry).n == 1
    with pytest.raises(wm.ArgumentError, match="the keeper must be the book's"):
        own.chained([], keeper=own.new_identity("another"), after=own.read_book(registry))


def test_a_registry_never_shows_the_secret_of_its_keeper(registry: own.Registry) -> None:
    assert KEEPER.secret.hex() not in repr(registry)
    assert str(KEEPER.secret) not in repr(registry)


def test_a_document_is_registered_once(registry: own.Registry) -> None:
    first, second = _releases(2)
    own.register(registry, first)
    for replay in ([first], [second, first], [second, second]):
        with pytest.raises(wm.ArgumentError, match="a release must be registered once"):
            own.register(registry, *replay)
    assert own.read_book(registry).head.size == 1
    book = own.chained([first], keeper=KEEPER)
    with pytest.raises(wm.ArgumentError, match="a release must be registered once, got 'entry 1'"):
        own.chained([first], keeper=KEEPER, after=book)
    twice = closed([*book.entries, replace(book.entries[0], number=2)], KEEPER, book.head.made)
    assert own.audited(twice).faults == ("entry 2: its document is that of entry 1 again",)
    assert own.find(twice, first) == book.entries[0]


def test_a_document_has_one_spelling_in_the_book() -> None:
    book = own.chained(_releases(1), keeper=KEEPER)
    [entry] = book.entries
    signature = documents.parse(entry.document, own.Release).signature
    for other in (
        entry.document.replace(",", ", ", 1),
        entry.document.replace(signature, signature.upper()),
        entry.document.replace("model 0", "model\\u00200"),
        entry.document + " ",
    ):
        changed = closed([replace(entry, document=other)], KEEPER, entry.time)
        assert own.audited(changed).faults != ()


# Clocks


def test_one_wrong_clock_neither_stops_a_book_nor_voids_it(registry: own.Registry) -> None:
    right = replace(registry, clock=lambda: DAY.format(2))
    wrong = replace(registry, clock=lambda: "2099-01-01T00:00:00+00:00")
    first, second, third = _releases(3, DAY.format(1))
    own.register(right, first)
    own.register(wrong, second)
    with pytest.warns(ClockWarning, match="New entries have the time of the last, 2099"):
        own.register(right, third)
    times = [entry.time[:4] for entry in own.read_book(registry).entries]
    assert times == ["2026", "2099", "2099"]
    found = own.audit(right)
    assert found.faults == ()
    assert found.warnings == (
        "the times of 2 entries, the first of them entry 2, lie in the future: the keeper's clock was wrong;"
        " their order holds",
    )


def test_a_clock_that_is_a_little_behind_is_no_matter(registry: own.Registry) -> None:
    first, second = _releases(2, "2026-06-01T00:00:00+00:00")
    own.register(replace(registry, clock=lambda: "2026-06-01T00:04:00+00:00"), first)
    own.register(replace(registry, clock=lambda: "2026-06-01T00:01:00+00:00"), second)
    assert {entry.time for entry in own.read_book(registry).entries} == {"2026-06-01T00:04:00+00:00"}
    assert own.audit(registry).warnings == ()


def test_a_document_from_the_future_is_refused_until_the_clock_is_set(registry: own.Registry) -> None:
    early = replace(registry, clock=lambda: "1970-01-01T00:00:00+00:00")
    [document] = _releases(1, "2026-01-01T12:04:00+00:00")
    with pytest.raises(wm.ArgumentError, match=r"must not be from the future.* Set the clock"):
        own.register(early, document)
    own.register(replace(registry, clock=lambda: "2026-01-01T12:00:00+00:00"), document)
    assert own.audit(registry).faults == ()


IMPOSSIBLE = {
    "times run backwards": ([3, 2, 1], "entry 2: its time lies before that of the entry above"),
    "one is from 1970": ([1, "1970-01-01T00:00:00+00:00", 2], "entry 2: its time lies before that of"),
    "older than its document": (["2020-01-01T00:00:00+00:00"] * 3, "before its document was made"),
    "year 1": (["0001-01-01T00:00:00+00:00"] * 3, "before its document was made"),
    "no time": ([1, "noon", 2], "entry 2: its time is none"),
    "no zone": (["2026-06-01T00:00:00"] * 3, "entry 1: its time is none"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_an_audit_finds_impossible_times(name: str) -> None:
    days, fault = IMPOSSIBLE[name]
    stamps = [DAY.format(day) if isinstance(day, int) else day for day in days]
    book = own.chained(_releases(3, DAY.format(1)), keeper=KEEPER, clock=lambda: DAY.format(1))
    entries = [replace(entry, time=stamp) for entry, stamp in zip(book.entries, stamps, strict=True)]
    found = own.audited(closed(entries, KEEPER, DAY.format(1)), at="2026-07-01T00:00:00+00:00")
    assert any(fault in said for said in found.faults)


def test_times_before_there_were_such_books_are_told(registry: own.Registry) -> None:
    book = own.chained(
        _releases(2, "0001-01-01T00:00:00+00:00"), keeper=KEEPER, clock=lambda: "0001-01-01T00:00:00+00:00"
    )
    found = own.audited(book)
    assert found.faults == ()
    assert f"lie before {EARLIEST.year}" in found.warnings[0]


# Odd files, rows and addresses


@pytest.mark.parametrize(
    "name", ["what?.sqlite", "a%41.sqlite", "sp ace#.sqlite", "file:x", "ü\u202e.sqlite"]
)
def test_a_path_is_taken_as_it_is(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for i, where in enumerate((name, tmp_path / f"{name}2")):
        own.register(own.Registry(where, KEEPER), *_releases(1))
        assert own.audit(own.Registry(where)).n == 1
        names = {path.name.removesuffix("-wal").removesuffix("-shm") for path in tmp_path.iterdir()}
        assert names == {name, f"{name}2"} if i else names == {name}


ODD = (
    "",
    ".",
    "/",
    "/dev/null",
    "nul\0.sqlite",
    "a" * 300,
    ":memory:",
    "://",
    "sqlite://",
    "sqlite:///",
    "sqlite:///:memory:",
    "sqlite:///x.sqlite?timeout=abc",
    "sqlite+nothing:///x.sqlite",
    "nonsense://ada:hush@x/y",
    "http://[::1",
    "postgresql://ada:hush@[bad/x",
    "postgresql+psycopg://ada:hush@127.0.0.1:1/x",
    "sqlite://ada:hush@/x",
    "mysql://ada:hush@h/x",
)


@pytest.mark.parametrize("where", ODD)
def test_an_odd_address_is_one_clear_error_without_its_password(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for use in (
        lambda: own.register(own.Registry(where, KEEPER), *_releases(1)),
        lambda: own.audit(own.Registry(where)),
        lambda: own.backup(own.Registry(where), "copy.sqlite"),
    ):
        with pytest.raises(wm.WmlearnError) as error:
            use()
        assert "hush" not in str(error.value)
        assert "\0" not in str(error.value)
    assert not list(tmp_path.iterdir())


ROWS = {
    "bytes": "UPDATE entries SET document = x'ff', time = x'00', kind = x'01'",
    "a number beyond all": f"UPDATE entries SET number = {2**63 - 1} WHERE number = 12",
    "a negative number": "UPDATE entries SET number = -1 WHERE number = 5",
    "a deep document": f"UPDATE entries SET document = '{'[' * 50_000}' WHERE number = 5",
    "half a surrogate": "UPDATE entries SET document = CAST(x'eda080' AS TEXT) WHERE number = 5",
    "another kind": "UPDATE entries SET kind = 'challenge' WHERE number = 5",
    "a year of five digits": "UPDATE entries SET time = '99999-01-01' WHERE number = 12",
    "no entries": "DROP TABLE entries",
    "no heads": "DELETE FROM heads",
    "two heads": f"INSERT INTO heads VALUES (99, '{'0' * 64}', '2026-01-01T00:00:00+00:00', '', '')",
    "a head of words": "UPDATE heads SET root = 'x', path = 'y'",
    "a head of bytes": "UPDATE heads SET root = x'ff', path = x'ff', made = x'00', signature = x'01'",
    "no version": "DELETE FROM registry",
    "a column less": "ALTER TABLE entries DROP COLUMN kind",
    "a view": "ALTER TABLE entries RENAME TO others; CREATE VIEW entries AS SELECT * FROM others",
    "no digests": "UPDATE entries SET digest = number",
}


@pytest.mark.parametrize("what", ROWS)
def test_odd_rows_are_a_fault_or_one_clear_error(what: str, registry: own.Registry) -> None:
    own.register(registry, *_releases(12))
    truth = own.read_book(registry)
    _change(registry.where, ROWS[what])
    new = own.release(ADA, "new", "a" * 64)
    for use in (lambda: own.register(registry, new), lambda: own.audit(registry)):
        try:
            use()
        except wm.WmlearnError:
            continue
    try:
        found = own.audit(registry)
    except wm.DataError:
        return
    sound = own.read_book(registry).entries[:12] == truth.entries
    assert sound or found.faults


def test_a_file_with_any_bytes_changed_ends_in_one_clear_error_or_a_fault(
    registry: own.Registry, tmp_path: Path
) -> None:
    own.register(registry, *_releases(12))
    own.backup(registry, tmp_path / "one.sqlite")
    raw = (tmp_path / "one.sqlite").read_bytes()
    truth = own.read_book(registry).entries
    draw = random.Random(0)
    for i in range(60):
        content = bytearray(raw)
        for _ in range(draw.choice((1, 1, 3, 20))):
            content[draw.randrange(len(content))] = draw.randrange(256)
        path = tmp_path / f"changed-{i}.sqlite"
        path.write_bytes(content[: draw.randrange(len(content))] if i % 10 == 0 else content)
        _use(own.Registry(path, KEEPER), truth)


def _use(registry: own.Registry, truth: tuple[own.Entry, ...]) -> None:
    """Audit a damaged book and write to it: errors are the package's own, a sound book is the true one."""
    try:
        found = own.audit(registry)
        assert found.faults or own.read_book(registry).entries == truth
        own.register(registry, own.release(ADA, "new", "a" * 64))
    except wm.WmlearnError:
        pass


def test_a_trigger_that_swallows_entries_is_found(registry: own.Registry) -> None:
    own.register(registry, *_releases(2))
    _change(
        registry.where,
        "CREATE TRIGGER t AFTER INSERT ON entries BEGIN DELETE FROM entries WHERE number = NEW.number; END",
    )
    new = own.release(ADA, "new", "a" * 64)
    own.register(registry, new)
    assert own.audit(registry).faults != ()
    with pytest.raises(wm.DataError, match="last entry is not what its keeper has signed"):
        own.register(registry, new)


# Many at once, and no room


FULL = """
import sys
import time
from pathlib import Path
from wmlearn import ownership as own
from wmlearn.ownership import database
from sqlalchemy import event
registry = own.Registry(sys.argv[1], own.Identity("keeper", bytes.fromhex(sys.argv[2])))
person = own.new_identity("Ada")
lock = database._lock_ourselves
def small(engine, *rest):
    lock(engine, *rest)
    event.listen(engine, "connect", lambda driver, _: driver.execute("PRAGMA max_page_count = 24"))
database._lock_ourselves = small
said = 0
try:
    while True:
        own.register(registry, own.release(person, f"model {said}", "0" * 64))
        said += 1
except own.documents.DataError as error:
    print(said, error)
"""


def test_a_full_disk_loses_nothing_that_was_acknowledged(
    registry: own.Registry, at_once: Callable[..., list[str]]
) -> None:
    [printed] = at_once(FULL, (registry.where, KEEPER.secret.hex()))
    n, _, why = printed.partition(" ")
    assert "full" in why
    assert int(n) > 10
    found = own.audit(registry)
    assert (found.n, found.faults) == (int(n), ())
    own.register(registry, own.release(ADA, "afterwards", "1" * 64))
    assert own.audit(registry).faults == ()


def _kill_writers(registry: own.Registry, kills: int) -> int:
    """Kill a writer at a random moment, again and again; return how many entries they acknowledged."""
    draw = random.Random(0)
    nonces: list[bytes] = []
    for i in range(kills):
        acknowledged, saying = os.pipe()
        writer = os.fork()
        if not writer:
            _write(registry, f"writer {i}", saying)
        os.close(saying)
        with os.fdopen(acknowledged, "rb") as said:
            nonces += said.readline().split()
            time.sleep(draw.uniform(0, 0.05))
            os.kill(writer, signal.SIGKILL)
            os.waitpid(writer, 0)
            nonces += said.read().split()
    found = own.audit(registry)
    assert found.faults == ()
    written = {entry.nonce.encode() for entry in own.read_book(registry).entries}
    assert set(nonces) <= written
    return len(nonces)


def _write(registry: own.Registry, name: str, saying: int) -> NoReturn:
    """Register, and say the nonce of each entry, until somebody ends it."""
    person = own.new_identity(name)
    for i in range(10_000):
        [receipt] = own.register(registry, own.release(person, f"model {i}", "0" * 64))
        os.write(saying, receipt.entry.nonce.encode() + b"\n")
    os._exit(0)


@needs_fork
def test_whoever_is_killed_loses_nothing_that_was_acknowledged(registry: own.Registry) -> None:
    own.register(registry, *_releases(1))
    assert _kill_writers(registry, 10) >= 10


@pytest.mark.slow
@needs_fork
def test_200_kills_lose_nothing(registry: own.Registry) -> None:
    own.register(registry, *_releases(1))
    assert _kill_writers(registry, 200) >= 200


@pytest.mark.slow
@needs_fork
def test_64_writers_lose_nothing(registry: own.Registry) -> None:
    children = []
    for writer in range(64):
        children.append(os.fork())
        if not children[-1]:
            person = own.new_identity(str(writer))
            for i in range(8):
                own.register(registry, own.release(person, f"model {i}", "0" * 64))
            os._exit(0)
    assert not any(os.waitpid(child, 0)[1] for child in children)
    found = own.audit(registry)
    assert (found.n, found.faults) == (512, ())
