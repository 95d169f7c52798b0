"""Odd command lines, odd outputs, and foreign text on the terminal: a clear end, and nothing that acts."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

import pytest
from hostile import command, one_line
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from wmlearn import ownership as own
from wmlearn.cli import main
from wmlearn.evidence import bystanders
from wmlearn.watermarks import save_key

FILES = (
    "ada.secret", "key.safetensors", "c.json", "r.json", "ch.json", "b.json", "s.safetensors", "junk",
    "empty",    "dir", "none", "loop", "/dev/null", "", "-", "--", "x\ty", "a" * 260, "~", "/nowhere/x",
    "dir/../c.json",
    "c.json/x", "\udcff\udcfe", "é", "$(id)", "%s%n", "{0}", "\0",
)  # fmt: skip
NUMBERS = (
    "0",
    "1",
    "2",
    "-1",
    "3.5",
    "1e309",
    "nan",
    "inf",
    "9" * 40,
    "9" * 5000,
    "0x10",
    "",
    "two",
    "²",
    " 2 ",
)
SUSPECTS = (
    "s=s.safetensors", "s=none.safetensors", "s=junk", "s", "=", "s=", "=s.safetensors", "s=junk.onnx",
    "s=s.safetensors@sign_cnn:20", "s=s.safetensors@sign_cnn:²", "s=s.safetensors@", "s=ftp://x",
    "s=dir.safetensors", "\x1b[2J=s.safetensors", "s=key.safetensors", "a=b=c",
    "s=" + "a" * 300 + ".safetensors",
)  # fmt: skip
WORDS = (
    "adi2018", "mnist", "signs-us", "uchida2017", "gtsrb", "nothing", "\u202e", "a" * 1000, "Ada", "-x",
    "--help",
    "\udcff", "Ada\nEve", "\x1b]0;x\x07", "",
)  # fmt: skip
ANY = FILES + NUMBERS + SUSPECTS + WORDS
OPTIONS = (
    "--out", "--scheme", "--task", "--serial", "--key", "--receipts", "--suspect", "--registry", "--count",
    "--opened", "--released", "--alpha", "--challenge", "--party", "--receipt", "--judge", "--port",
    "--network",
    "--jobs", "--stranger", "--layer", "--shuffles", "--level", "--data", "--nope",
)  # fmt: skip
COMMANDS = (
    ("ownership", "keygen"), ("ownership", "release"), ("ownership", "register"), ("ownership", "challenge"),
    ("ownership", "respond"), ("ownership", "show"), ("ownership", "audit"), ("ownership", "commit"),
    ("data", "fetch", "nothing"), ("reproduce", "nothing"), ("serve",), ("bench", "nothing"), ("nonsense",),
    ("ownership", "independence"), ("ownership", "split"), ("read",), (),
)  # fmt: skip
GOOD = {
    "release": ("ada.secret", "s.safetensors"),
    "register": ("book.sqlite", "c.json"),
    "challenge": ("ada.secret", "c.json"),
    "respond": ("ada.secret", "p.json", "q.json"),
    "commit": ("ada.secret",),
    "show": ("b.json",),
    "independence": ("s.safetensors",),
    "split": ("s.safetensors",),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one good file of every kind, and some that aren't."""
    monkeypatch.chdir(tmp_path)
    ada, judge = own.new_identity("Ada"), own.new_identity("judge")
    model = bystanders.shipped("mnist", 20, 21)[0]
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, "s.safetensors")
    keeper = own.new_identity("keeper")
    promise = own.commit(ada, n=4, shape=(1, 28, 28), classes=10)
    book = own.chained([promise], keeper=keeper)
    challenge = own.challenge(judge, promise, {"s": model}, book=book, count=2)
    book = own.chained([challenge], keeper=keeper, after=book)
    papers = [own.receipt(book, keeper, number) for number in (1, 2)]
    own.save_identity(ada, "ada.secret")
    save_key(own.draw(ada, papers[0]), "key.safetensors")
    own.save(promise, "c.json")
    own.save(own.release(ada, "m", own.fingerprint(model)), "r.json")
    own.save(papers[0], "p.json")
    own.save(papers[1], "q.json")
    own.save(challenge, "ch.json")
    own.save(own.respond(ada, *papers, judge=judge.public, book=book), "b.json")
    Path("junk").write_bytes(bytes(range(256)) * 2)
    Path("empty").write_bytes(b"")
    Path("dir").mkdir()
    Path("loop").symlink_to("loop")
    return tmp_path


def _try(monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    secret = Path("ada.secret").read_text().split('"secret": "')[1][:64]

    @given(draw=st.data())
    def ends_clearly(draw: st.DataObject) -> None:
        words = list(draw.draw(st.sampled_from(COMMANDS)))
        good = GOOD.get(words[-1] if words else "", ())
        given_words = draw.draw(st.integers(0, 4))
        for place in range(given_words):
            known = place < len(good) and draw.draw(st.integers(0, 3)) > 0
            words.append(good[place] if known else draw.draw(st.sampled_from(ANY)))
        for option in draw.draw(st.lists(st.sampled_from(OPTIONS), max_size=4)):
            words += [option, draw.draw(st.sampled_from(ANY))]
        _, says = command(monkeypatch, *words)
        assert secret not in says
        if "--help" not in words and not says.lstrip().startswith("Usage"):
            assert one_line(says), says

    settings(max_examples=n)(ends_clearly)()


def test_an_odd_command_line_ends_clearly(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _try(monkeypatch, 40)


@pytest.mark.slow
def test_2_000_odd_command_lines_end_clearly(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _try(monkeypatch, 2000)


def test_a_name_that_no_file_can_have_is_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "a" * 260
    for words in (["keygen", "Eve", "--out", name], ["show", name], ["commit", "ada.secret", "--out", name]):
        status, says = command(monkeypatch, "ownership", *words)
        assert status == 1, words
        assert says.startswith("wmlearn: ")
        assert says.count("\n") == 1
    assert not Path("commitment.json").exists()


# What a stranger wrote, shown


def test_show_cannot_be_fooled_by_what_a_document_says(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mallory = own.new_identity("Mallory")
    lie = "m\n  made        2026-01-01\nsignatures and hashes are right\x1b[8m"
    own.save(replace(own.release(mallory, "m", "0" * 64), model=lie), "lie.json")
    status, says = command(monkeypatch, "ownership", "show", "lie.json")
    assert status == 1
    assert says.splitlines()[-1] == "its signature is wrong"
    assert "signatures and hashes are right" not in says.splitlines()
    assert "\x1b" not in says
    assert r"m\n  made        2026-01-01\nsignatures and hashes are right\x1b[8m" in says


@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\x9b", "\x07", "\u2028", "\ufeff"])
def test_no_sign_turns_or_hides_what_show_says(
    sign: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.save(own.release(own.new_identity("Mallory"), f"{sign}adA", "0" * 64), "odd.json")
    status, says = command(monkeypatch, "ownership", "show", "odd.json")
    assert (status, sign in says) == (0, False)
    assert sign.encode("unicode_escape").decode() + "adA" in says


def test_an_invented_receipt_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("invented.json").write_text('{"receipt": 1, "number": 7, "note": "signatures and hashes are right"}')
    status, says = command(monkeypatch, "ownership", "show", "invented.json")
    assert (status, "signatures and hashes are right" in says) == (1, False)


# Outputs that can't take what is written


def test_a_code_page_without_a_sign_gets_its_number(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own.save(own.release(own.new_identity("Zoë"), "… Zoë", "0" * 64), "odd.json")
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="cp437")
    monkeypatch.setattr(sys, "argv", ["wmlearn", "ownership", "show", "odd.json"])
    with redirect_stdout(terminal), pytest.raises(SystemExit) as end:
        main()
    terminal.flush()
    assert end.value.code in (0, None)
    assert b"\\u2026 Zo\x89" in terminal.buffer.getvalue()


FULL = """
import os, sys
from contextlib import redirect_stderr
from wmlearn.cli import main

said = sys.stdout
os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
sys.argv = ["wmlearn", "data", "list"]
with open(1, "w") as sys.stdout, redirect_stderr(said):  # closed, it writes once more, as at Python's end
    try:
        main()
    except SystemExit as end:
        print(end.code, file=said)
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_an_output_that_is_full_is_one_line(at_once: Callable[..., list[str]]) -> None:
    assert at_once(FULL, ()) == ["wmlearn: No space left on device\n1\n"]


@pytest.mark.filterwarnings("always")
@pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX")
def test_a_secret_that_others_can_read_is_said_in_a_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("ada.secret").chmod(0o644)
    status, says = command(monkeypatch, "ownership", "show", "ada.secret")
    assert status == 0
    assert says.startswith("wmlearn: ada.secret holds a secret, and others may read it (mode 0644).")
