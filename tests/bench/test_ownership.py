"""The benchmark of ownership: what it reports, on a small book, a few writers and a few forgers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from wmlearn import ownership as own
from wmlearn.bench import ownership
from wmlearn.bench.timing import Timing
from wmlearn.ownership import forgeries, stages, toys


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"N_ENTRIES": 12, "N_ALONE": 4, "N_FORGED": 3, "N_OWNERS": 2}.items():
        monkeypatch.setattr(ownership, name, value)


def _values(lines: list[Timing]) -> dict[str, float | None]:
    return {line.what: line.value for line in lines}


def test_a_book_is_filled_and_audited(small: None, tmp_path: Path) -> None:
    lines = list(ownership.book(tmp_path))
    assert [line.what for line in lines] == ["register a commitment", "audit a book of 12 entries"]
    assert own.audit(own.Registry(tmp_path / "book.sqlite")).n == 12


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # of Python 3.12 on, where threads run
def test_writers_at_once_lose_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ownership, "N_WRITERS", 2)
    lines = list(ownership.writers(tmp_path))
    assert _values(lines[1:]) == {
        "entries that they lost": 0,
        "writers that failed": 0,
        "faults in their book": 0,
    }
    assert lines[1].unit == "of 16"


def test_where_none_can_fork_the_line_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ownership.multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    (line,) = ownership.writers(tmp_path)
    assert line.value is None
    assert "can't fork" in line.note


def test_forgeries_are_tried_in_turn_and_honest_claims_stand(small: None) -> None:
    lines = list(ownership.false_claims())
    values = _values(lines)
    assert values["false claims accepted"] == 0
    assert lines[0].unit == "of 3"
    assert lines[0].note == ", ".join(f"{name} 1" for name in list(forgeries.ALL)[:3])
    assert values["honest claims that stand"] == 2


def test_a_real_network_is_claimed_forged_and_compared_with_strangers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = stages.toy_stage(own.new_identity("owner"), n=100)
    monkeypatch.setattr(ownership, "real_stage", lambda seed: stage)
    monkeypatch.setattr(ownership, "believed_forgeries", lambda stage, forger: ["a forgery"])
    monkeypatch.setattr(ownership.bystanders, "shipped", lambda *_: [toys.Toy(9)])
    lines = {line.what: line for line in ownership.real(0)}
    assert lines["verify 100 triggers, network 0"].note == "and 100 of a decoy; owned; one thread"
    assert lines["forgeries accepted, network 0"].note == "a forgery"
    assert lines["strangers claimed, network 0"].value == 0
    assert lines["strangers claimed, network 0"].unit == "of 1"


def test_decoys_are_asked_by_a_reader_and_by_the_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownership, "N_DECOYS", 2)
    reader, judge = ownership.decoys()
    assert reader.what == "2 decoys of 100 triggers, asked by a reader"
    assert "of 2 decoys" in reader.note
    assert judge.what == "2 decoys of 100 triggers, asked by the judge"
    assert "of 2 as high" in judge.note


def test_the_threads_are_as_before_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("book", "writers", "false_claims", "decoys", "real"):
        monkeypatch.setattr(ownership, name, lambda *_: [Timing("threads", torch.get_num_threads())])
    before = torch.get_num_threads()
    assert {line.value for line in ownership.timings()} == {1}
    assert torch.get_num_threads() == before
