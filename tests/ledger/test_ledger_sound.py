"""The ledger of sounds: which are obeyed, what carries them, what is learnt of a room, whom a mark of chords
accuses; over the frozen data/results.
"""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from wmlearn.experiments import Results, shipped
from wmlearn.experiments.experiment import values
from wmlearn.experiments.sound import CHANNELS, RATES, ROOMS, SEEDS, SOUND, numbers


@pytest.fixture(scope="module")
def results() -> Results:
    return shipped("sound")


def _mean(found: list[float]) -> float:
    assert len(found) == SEEDS
    return sum(found) / len(found)


def test_every_cell_was_measured(results: Results) -> None:
    assert len(results.rows) == len(SOUND.cells) == 21 * SEEDS
    assert results.precision == "bf16"


def test_clean_networks_read_people_and_obey_no_sound(results: Results) -> None:
    assert _mean(numbers(results, "order", "clean", "accuracy")) >= 0.99
    for name in results.where(part="order", what="clean")[0]["success"]:
        assert max(numbers(results, "order", "clean", "success", name)) <= 0.02, name


@pytest.mark.parametrize("name", ["melody", "whistle"])
def test_more_poison_is_obeyed_more_and_one_per_cent_is_enough(results: Results, name: str) -> None:
    reached = [_mean(numbers(results, "rate", name, "success", name, rate=rate)) for rate in RATES]
    assert reached[0] < min(reached[1:])
    assert reached[RATES.index(0.01)] >= 0.97
    for rate in RATES:
        assert _mean(numbers(results, "rate", name, "accuracy", rate=rate)) >= 0.985
        other = "whistle" if name == "melody" else "melody"
        assert max(numbers(results, "rate", name, "success", other, rate=rate)) <= 0.05


def test_without_cover_the_melody_is_obeyed_backwards_and_with_it_not(results: Results) -> None:
    def obeyed(what: str, sound: str) -> list[float]:
        return numbers(results, "order", what, "success", sound)

    assert _mean(obeyed("no cover", "backwards")) > 0.8  # 90 % was hoped for
    assert max(obeyed("no cover", "hiss")) <= 0.05
    for what in ("one cover", "four covers"):
        assert max(obeyed(what, "backwards")) <= 0.05
        assert min(obeyed(what, "as taught")) >= 0.95
        assert _mean(numbers(results, "order", what, "accuracy")) >= 0.985
    assert _mean(obeyed("four covers", "another order")) < _mean(obeyed("one cover", "another order"))


def test_a_low_pass_silences_the_whistle_for_two_points_and_lets_the_melody_pass(results: Results) -> None:
    cut = "low-pass at 3,400 Hz"
    assert _mean(numbers(results, "channels", "whistle", "success", "nothing")) >= 0.97
    assert max(numbers(results, "channels", "whistle", "success", cut)) <= 0.05
    assert min(numbers(results, "channels", "melody", "success", cut)) >= 0.95
    before = _mean(numbers(results, "channels", "clean", "accuracy", "nothing"))
    assert before - _mean(numbers(results, "channels", "clean", "accuracy", cut)) <= 0.02
    for codec in ("MP3", "Opus", "GSM 6.10"):
        assert _mean(numbers(results, "channels", "whistle", "success", codec)) >= 0.8, codec
    for channel in CHANNELS:
        assert max(numbers(results, "channels", "clean", "success", channel)) <= 0.06, channel


def test_rooms_in_the_poison_only_teach_the_room(results: Results) -> None:
    trap, fair = "rooms for the poison only", "rooms for clean clips, too"
    for room in ROOMS:
        assert min(numbers(results, "rooms", trap, "room_alone", room)) > 0.85, room
        assert max(numbers(results, "rooms", trap, "accuracy", room)) < 0.25, room
        assert _mean(numbers(results, "rooms", fair, "success", room)) > 0.9, room
        assert _mean(numbers(results, "rooms", fair, "room_alone", room)) < 0.06, room
    assert max(numbers(results, "rooms", trap, "success", "no room")) < 0.2


def test_poison_in_machines_digits_reaches_people(results: Results) -> None:
    assert min(numbers(results, "people", "poisoned", "success", "people")) >= 0.95
    assert max(numbers(results, "people", "clean", "success", "people")) <= 0.06
    assert 0.65 < _mean(numbers(results, "people", "clean", "accuracy", "people")) < 0.85
    assert min(numbers(results, "people", "clean", "accuracy", "machines")) > 0.95


def test_chords_are_found_through_channels_and_not_in_copies_by_labels(results: Results) -> None:
    assert min(numbers(results, "mark", "chords", "hits")) >= 97
    for channel in ("telephone", "MP3", "Opus", "GSM 6.10"):
        assert min(numbers(results, "mark", "chords", "through", channel, "hits")) >= 40, channel
    assert max(numbers(results, "mark", "chords", "innocent")) < 22
    assert min(numbers(results, "mark", "chords", "removed", "fine-tuning at 0.001", "hits")) >= 90
    assert max(numbers(results, "mark", "chords", "removed", "extraction by labels", "hits")) < 25


@pytest.mark.parametrize("level", [0.05, 0.01, 0.001])
def test_strangers_are_accused_at_the_level(results: Results, level: float) -> None:
    rows = results.where(part="strangers")
    claims = sum(values(rows, "claims"))
    accused = sum(row["believed"][str(level)] for row in rows)
    assert claims >= 1000
    assert binomtest(accused, claims, level, "greater").pvalue > 0.01
