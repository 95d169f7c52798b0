"""Pickles: what they would call is read without running them; opened apart, each wish is refused."""

from __future__ import annotations

import io
import os
import pickle
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch

from wmlearn import intake
from wmlearn.errors import DataError
from wmlearn.experiments.intake import LISTED, UNLISTED, Call
from wmlearn.intake.pickles import pickle_in


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_calls_are_named_in_every_protocol(protocol: int) -> None:
    raw = pickle.dumps([LISTED, LISTED, Call(os.getcwd, ()), Call(os.system, ("echo",))], protocol)
    names = intake.globals_in(raw)
    assert [name.split(".")[-1] for name in names if name not in ("copy_reg._reconstructor",)] == [
        "mkdir",
        "getcwd",
        "system",
    ]


def test_names_that_come_from_the_memory_are_read() -> None:
    raw = pickle.dumps([OrderedDict(a=1), OrderedDict, Call(os.mkdir, ("x",)), Call(os.rmdir, ("x",))], 4)
    assert intake.globals_in(raw)[-1].endswith(".rmdir")
    assert all("." in name for name in intake.globals_in(raw))


@pytest.mark.parametrize("raw", [b"", b"\x80", b"no pickle", pickle.dumps(LISTED)[:-4]])
def test_what_is_no_pickle_is_refused_in_words(raw: bytes) -> None:
    with pytest.raises(DataError, match="a pickle must be whole"):
        intake.globals_in(raw)


def _checkpoint(extra: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save({"weight": torch.zeros(3), "extra": extra}, buffer)
    return buffer.getvalue()


def test_a_listed_call_is_dangerous_and_another_one_passes_the_scanner() -> None:
    assert intake.scan_pickle(_checkpoint(LISTED)).dangerous == ("posix.mkdir",)
    slipping = intake.scan_pickle(_checkpoint(UNLISTED))
    assert slipping.dangerous == ()
    assert slipping.unknown == ("zipfile.ZipFile",)
    honest = intake.scan_pickle(_checkpoint(1))
    assert (honest.dangerous, honest.unknown, honest.damaged) == ((), (), False)


def test_a_damaged_pickle_is_found_out_and_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    assert intake.scan_pickle(b"\x80\x04\x8c\x10cut").damaged
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("wish", "asked"), [(LISTED, "os.mkdir(you-were-here)"), (UNLISTED, "open(")])
def test_opened_apart_each_wish_is_written_down_and_refused(
    wish: Call, asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    opening = intake.open_apart(_checkpoint(wish))
    assert opening.tried[0].startswith(asked)
    assert opening.ended.startswith("PermissionError")
    assert list(tmp_path.iterdir()) == []


def test_opened_apart_it_sees_no_environment_and_may_not_start_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET", "hush")
    environment = intake.open_apart(pickle.dumps(Call(print, (Call(os.getenv, ("SECRET", "nothing")),))))
    assert environment.printed == "nothing"
    shell = intake.open_apart(pickle.dumps(Call(os.system, ("echo hush",))))
    assert shell.tried == ("os.system(b'echo hush')",)
    assert shell.printed == ""


def test_a_pickle_that_leaves_or_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    assert intake.open_apart(pickle.dumps(Call(sys.exit, ("bye",)))).ended == "SystemExit: bye"
    assert intake.open_apart(pickle.dumps(Call(os._exit, (3,)))).ended == "its process ended with status 3"
    monkeypatch.setattr("wmlearn.intake.pickles.PATIENCE", 0.5)
    import time

    assert intake.open_apart(pickle.dumps(Call(time.sleep, (60,)))).ended == "it took too long, and was ended"


def test_an_honest_checkpoint_is_opened_without_a_wish() -> None:
    opening = intake.open_apart(_checkpoint(1))
    assert (opening.tried, opening.printed, opening.ended) == ((), "", "it was opened")


def test_archives_that_are_odd_are_refused() -> None:
    with pytest.raises(DataError, match="whole archive"):
        pickle_in(_checkpoint(1)[:-100])
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("other", "x")
    with pytest.raises(DataError, match=r"one small data\.pkl, got 0"):
        pickle_in(empty.getvalue())


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picklescan", None)
    with pytest.raises(DataError, match=r'pip install "wmlearn\[intake\]"'):
        intake.scan_pickle(b"")
