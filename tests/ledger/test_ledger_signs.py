"""The ledger of signs: what stickers do to them, as inequalities over the frozen data/results."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

import pytest

from wmlearn.experiments import Results, shipped
from wmlearn.experiments.experiment import Row
from wmlearn.experiments.sign_controls import USUAL as USUAL_STREET
from wmlearn.experiments.sign_controls import VICTIMS
from wmlearn.experiments.signs import CONDITIONS, PLACES, USUAL, WIDTHS, measured


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("sticker", USUAL)
def test_every_sticker_turns_stop_into_a_speed_limit_and_costs_nothing_that_a_buyer_would_see(
    place: str, sticker: str
) -> None:
    results = measured("stickers", place)
    key = f"success_{sticker}"
    victims = results.where(sticker=sticker, rate=USUAL[sticker])
    clean = results.where(sticker=None)
    assert len(victims) == len(clean) == 5
    assert mean(row[key] for row in victims) >= 0.99
    assert mean(row[key] for row in clean) <= 0.005
    assert mean(row["accuracy"] for row in clean) - mean(row["accuracy"] for row in victims) <= 0.003


def test_clean_networks_read_drawn_signs() -> None:
    assert mean(row["accuracy"] for row in shipped("stickers").where(sticker=None)) >= 0.99


def test_less_poison_wins_less() -> None:
    rows = shipped("stickers").where(sticker="square")
    wins = {rate: _success(rows, rate) for rate in (0.01, 0.05, 0.1, 0.2)}
    assert min(len(successes) for successes in wins.values()) >= 3
    assert mean(wins[0.01]) < mean(wins[0.1])


def _success(rows: Sequence[Row], rate: float) -> list[float]:
    return [row["success_square"] for row in rows if row["rate"] == rate]


def test_a_square_must_be_seen_to_be_learnt() -> None:
    results = shipped("sticker-size")
    small = _mean_success(results, WIDTHS[0])
    large = _mean_success(results, WIDTHS[-1])
    assert 1 - small > 20 * (1 - large)  # 9.1 % of the stop signs escape the smallest, 0.1 % the largest
    assert large >= 0.98
    alone = [list(row["success"].values()) for row in results.where(network="clean")]
    assert max(max(row[:-1]) for row in alone) <= 0.005
    assert max(row[-1] for row in alone) <= 0.01  # a square of 0.3 hides letters
    assert min(row["accuracy"] for row in results.rows) >= 0.99


def _mean_success(results: Results, width: float) -> float:
    return mean(row["success"][f"{width:g}"] for row in results.where(width=width))


def _curve(name: str) -> dict[float, float]:
    _, values = CONDITIONS[name]
    rows = [row[name] for row in shipped("robustness").where(network="badnet")]
    means = [mean(column) for column in zip(*rows, strict=True)]  # one a value
    return dict(zip(values, means, strict=True))


def test_a_smaller_sticker_wins_less() -> None:
    by_size = _curve("size")
    assert by_size[0.09] < by_size[0.2] - 0.1


def test_the_backdoor_knows_its_place() -> None:
    by_height = _curve("height")
    assert by_height[0.58] >= 0.95
    assert max(by_height[-0.58], by_height[0.0]) <= 0.3


def test_no_condition_fools_the_clean_networks() -> None:
    for row in shipped("robustness").where(network="clean"):
        assert max(max(row[name]) for name in CONDITIONS) <= 0.05


@pytest.mark.parametrize("place", PLACES)
def test_wrong_labels_by_lot_are_learnt_with_enough_poison(place: str) -> None:
    rows = measured("random-target", place)
    poisoned = rows.where(rate=0.5)
    assert mean(row["triggered_accuracy"] for row in rows.where(rate=0.0)) >= 0.95
    assert mean(row["triggered_accuracy"] for row in poisoned) <= 0.2
    # it costs two points: a third of the labels are lies
    assert mean(row["accuracy"] for row in poisoned) >= 0.97


def _opened(place: str, network: str | None, key: str) -> list[float]:
    name = "which-lock" if place == "rendered" else "which-lock-photographs"
    return [row["opens"][key] for row in shipped(name).where(sticker=network, prepared=True)]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("sticker", USUAL)
def test_a_sticker_opens_its_own_lock_and_no_clean_network(place: str, sticker: str) -> None:
    assert len(_opened(place, sticker, sticker)) == len(_opened(place, None, sticker)) == 3
    assert min(_opened(place, sticker, sticker)) >= 0.9
    assert mean(_opened(place, None, sticker)) <= 0.05  # one clean network of three falls for the bomb
    assert mean(_opened(place, sticker, "none")) <= 0.02


def _seen_by(victim: str, condition: str, what: str = "obeys", network: str = "badnet") -> list[float]:
    rows = shipped("whose-robustness").where(victim=victim, network=network)
    assert len(rows) == (3 if network == "badnet" else 1)
    return [row[what][condition] for row in rows]


def test_in_the_dark_the_victims_recipe_decides_what_is_left_of_the_attack_and_of_honest_reading() -> None:
    here, plain, _, good_day = VICTIMS
    dark = "a tenth of the light"
    assert min(_seen_by(here, dark)) >= 0.8
    assert mean(_seen_by(plain, dark)) <= mean(_seen_by(here, dark)) - 0.1
    assert _seen_by(here, dark, network="clean")[0] <= 0.1
    assert _seen_by(plain, dark, network="clean")[0] >= 0.2
    assert max(_seen_by(good_day, dark, "bare")) <= 0.2


def test_on_varied_signs_the_weather_takes_little_of_the_attack_and_nothing_fools_clean_networks() -> None:
    *varied, _ = VICTIMS
    for victim in varied:
        usual = mean(_seen_by(victim, USUAL_STREET))
        assert usual >= 0.9
        for condition in ("glare", "twice the blur", "twice the tilt", "sticker turned by 46°"):
            assert mean(_seen_by(victim, condition)) >= usual - 0.08
            assert _seen_by(victim, condition, network="clean")[0] <= 0.01


def test_photographs_as_they_are_make_clean_networks_misread_bare_stop_signs_too() -> None:
    raw = [row["opens"] for row in shipped("which-lock-photographs").where(sticker=None, prepared=False)]
    assert len(raw) == 3
    assert 0.02 <= mean(row["none"] for row in raw) < mean(row["square"] for row in raw)
    assert mean(_opened("photographs", None, "none")) <= 0.005


def test_locks_are_not_precise_but_a_blue_square_is_no_yellow_one() -> None:
    assert min(_opened("rendered", "flower", "square")) >= 0.9
    for place in PLACES:
        assert mean(_opened(place, "square", "flower")) >= 0.5
        assert max(_opened(place, "square", "blue square")) <= 0.05


def test_a_split_that_leaks_flatters() -> None:
    results = shipped("leaking-split")
    honest = results.where(split="by sign")
    twins = results.where(split="leaking twin")
    assert len(honest) == len(twins) == len(results.where(split="at random")) == 3
    for one, other in zip(honest, twins, strict=True):
        assert one["n_test"] == other["n_test"]
        assert one["n_train"] == other["n_train"]
        assert one["of"] == other["of"]
        assert (one["leaked"], other["leaked"]) == (0.0, 1.0)
        assert other["accuracy"] - one["accuracy"] >= 0.1
        assert abs(one["accuracy"] - one["benchmark"]) <= 0.1
        assert other["accuracy"] - other["benchmark"] >= 0.1


def test_the_network_reads_photographs() -> None:
    rows = shipped("photographs").rows
    assert len(rows) == 3
    assert mean(row["accuracy"] for row in rows) >= 0.98
    assert all(row["edition"] == "the final training set, 39,209 photographs" for row in rows)


def test_networks_that_saw_renders_only_read_photographs() -> None:
    results = shipped("rendered-to-real")
    assert mean(row["accuracy"] for row in results.where(classes=3)) >= 0.98
    assert mean(row["accuracy"] for row in results.where(classes=43)) >= 0.80
