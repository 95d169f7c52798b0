"""Notebook 15: what is built in it equals the package's; five parcels; the dial and the challenge."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from wmlearn import intake
from wmlearn.course.lessons import exercises_15, lesson_15
from wmlearn.evidence import bystanders
from wmlearn.experiments import intake as measured
from wmlearn.experiments import shipped
from wmlearn.intake.pickles import pickle_in


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_the_reader_built_in_the_lesson_names_what_the_package_names(protocol: int) -> None:
    raw = pickle.dumps([measured.LISTED, measured.UNLISTED, measured.LISTED], protocol)
    assert exercises_15.would_call(raw) == intake.globals_in(raw)
    inner = pickle_in(lesson_15.unlisted_pickle())
    assert exercises_15.would_call(inner)[-1] == "zipfile.ZipFile"


def test_a_list_of_hashes_that_the_package_writes_is_the_one_that_the_lesson_reads(tmp_path: Path) -> None:
    (network,) = bystanders.shipped("mnist", 4, 5)
    card = intake.Card("North Models", "badnet_cnn", "digits")
    folder = intake.pack_parcel(tmp_path / "parcel", network.state_dict(), card)
    inside = lesson_15.files_of(folder)
    states = exercises_15.compare((folder / "SHA256SUMS").read_text(), inside)
    assert states == {"card.json": "same", "model.safetensors": "same"}
    assert lesson_15.differs(states) == "none"
    changed = exercises_15.compare(intake.hash_list(folder), {**inside, "card.json": b""})
    assert lesson_15.differs(changed) == "card.json: changed"
    assert hashlib.sha256(inside["card.json"]).hexdigest() in intake.hash_list(folder)


def test_the_policy_of_the_exercise_is_billed_on_the_other_seeds() -> None:
    results = shipped("intake")
    found = lesson_15.two_lanes(exercises_15.decide, results)
    assert found.parcels == 50 * len(measured.SEEDS)
    again = intake.bill(exercises_15.decide, measured.cases(results, *measured.SEEDS))
    assert found == again


def test_two_pickles_are_scanned_and_opened(tmp_path: Path) -> None:
    folder = intake.pack_parcel(tmp_path / "D", {"extra": measured.LISTED}, None, pickled=True)
    listed, unlisted = lesson_15.pickles(folder)
    rows = lesson_15.scanned(exercises_15.would_call, listed, unlisted)
    assert rows[0][2] == "dangerous: posix.mkdir"
    assert rows[1][2] == "no issue"
    opened = lesson_15.opened(listed, unlisted)
    assert opened[0][1] == "os.mkdir(you-were-here)"
    assert opened[1][1].startswith("open(you-were-here.zip")
    assert all(row[2].startswith("PermissionError") for row in opened)


def test_the_dial_shows_what_prices_do() -> None:
    box = lesson_15.price_dial(shipped("intake"))
    missed, refused = box.children[:2]
    words = box.children[-1]
    missed.value = 30
    refused.value = 1_000
    assert "costs 30 minutes, an honest one refused 1,000" in words.value


def test_the_challenge_counts_looks_misses_and_refusals() -> None:
    everything = lesson_15.cheap(lambda look: True)
    assert everything.valid
    assert everything.value == 440
    n = 22 * len(measured.SEEDS)
    assert everything.says.startswith(f"{n} bad parcels let in, 0 honest ones refused, 0.0 minutes")
    nobody = lesson_15.cheap(lambda look: False)
    assert nobody.value == 56


def test_the_courses_own_policy_costs_what_it_says() -> None:
    rule = measured.rules(shipped("intake"))["the course's"]
    assert lesson_15.cheap(intake.any_bad(rule)).value == lesson_15.CHALLENGE.ours


def test_a_policy_can_be_cheaper_than_the_courses_own() -> None:
    assert lesson_15.cheap(_thrifty).value < lesson_15.CHALLENGE.ours


def _thrifty(look: Callable[[str], str]) -> bool:
    """Take a signed pickle, or signed code, where the scanner finds nothing; else as the course does."""
    if look("format") == "bad" and (look("signature") != "fine" or look("scanner") == "bad"):
        return False
    return not any(look(name) == "bad" for name in ("independence", "cleanse", "provenance"))
