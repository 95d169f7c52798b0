"""Books in which anything may be wrong, in any row or byte: faults or one clear line, never a traceback."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hostile import ODD, one_line
from hypothesis import given, settings
from hypothesis import strategies as st

import wmlearn as wm
from wmlearn import ownership as own

CELLS = (
    *(odd for odd in ODD if isinstance(odd, (str, float, type(None)))), 0, 1, -1, 7, 2**63 - 1,
    b"", b"\xff\xfe", b"x" * 1000, '{"kind":[]}', "[" * 100_000, "9" * 5000,
)  # fmt: skip
COMMANDS = (
    "DELETE FROM {table}", "DROP TABLE {table}", "ALTER TABLE {table} ADD COLUMN more TEXT",
    "ALTER TABLE {table} RENAME TO other", "ALTER TABLE {table} RENAME COLUMN {column} TO other",
    "PRAGMA user_version = 99", "PRAGMA encoding = 'UTF-16'", "CREATE VIEW more AS SELECT * FROM {table}",
    "UPDATE {table} SET {column} = rowid || {column}", "UPDATE {table} SET {column} = zeroblob(100000)",
)  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book of five releases, in one file."""
    path = tmp_path_factory.mktemp("whole") / "book.sqlite"
    ada = own.new_identity("Ada")
    registry = own.Registry(path.with_name("first.sqlite"), own.new_identity("keeper"))
    own.register(registry, *(own.release(ada, f"m{i}", f"{i:064x}") for i in range(5)))
    own.backup(registry, path)
    return path


def _columns(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(
            "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'"
        )
        return found.fetchall()


def _change(path: Path, statement: str, values: tuple[Any, ...] = ()) -> None:
    """Change the book, unless SQLite itself refuses."""
    with closing(sqlite3.connect(path)) as connection:
        try:
            connection.execute(statement, values)
            connection.commit()
        except (sqlite3.Error, UnicodeEncodeError, OverflowError):
            connection.rollback()


def _try(whole: Path, folder: Path, n: int) -> None:
    path = folder / "book.sqlite"
    raw = whole.read_bytes()
    columns = _columns(whole)

    @given(draw=st.data())
    def is_answered(draw: st.DataObject) -> None:
        for other in folder.iterdir():
            other.unlink()
        shutil.copyfile(whole, path)
        how = draw.draw(st.sampled_from(("row", "row", "row", "command", "bytes", "cut")))
        table, column = draw.draw(st.sampled_from(columns))
        if how == "row":
            where = f"rowid = (SELECT max(rowid) - {draw.draw(st.integers(0, 4))} FROM {table})"
            odd = draw.draw(st.sampled_from(CELLS))
            _change(path, f"UPDATE OR REPLACE {table} SET {column} = ? WHERE {where}", (odd,))
        elif how == "command":
            _change(path, draw.draw(st.sampled_from(COMMANDS)).format(table=table, column=column))
        else:
            start = draw.draw(st.integers(0, len(raw) - 1))
            noise = draw.draw(st.binary(min_size=1, max_size=8)) if how == "bytes" else b""
            path.write_bytes(raw[:start] + noise + (raw[start + len(noise) :] if noise else b""))
        says: tuple[str, ...] = ()
        try:
            says = own.audit(own.Registry(path)).faults
        except wm.WmlearnError as error:
            says = (str(error),)
        assert all(one_line(line) for line in says), says

    settings(max_examples=n)(is_answered)()


def test_a_spoilt_book_is_faults_or_one_clear_line(whole: Path, tmp_path: Path) -> None:
    _try(whole, tmp_path, 40)


@pytest.mark.slow
def test_1_295_spoilt_books_are_faults_or_clear_lines(whole: Path, tmp_path: Path) -> None:
    _try(whole, tmp_path, 1295)
