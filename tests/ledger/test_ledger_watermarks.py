"""The ledger of watermarks: the field's yardsticks, as inequalities over the frozen data/results."""

from __future__ import annotations

from statistics import mean

import pytest
from scipy.stats import binom

from wmlearn import watermarks
from wmlearn.experiments import shipped
from wmlearn.experiments.watermarks import DAWN, STOPS

MARGIN = "kim2023-margin"
TRAINED = [name for name in watermarks.ALL if name not in (DAWN, MARGIN)]


def _rows(scheme: str, data: str = "mnist") -> list[dict]:
    rows = shipped("watermarks").where(data=data, scheme=scheme)
    assert len(rows) == 5
    return list(rows)


def _accuracy(scheme: str, data: str) -> float:
    return mean(row["accuracy"] for row in _rows(scheme, data))


def _change(scheme: str, data: str) -> float:
    return _accuracy(scheme, data) - _accuracy("plain", data)


@pytest.mark.parametrize("scheme", TRAINED)
def test_a_mark_costs_little_accuracy(scheme: str) -> None:
    assert _change(scheme, "mnist") >= -0.002
    assert _change(scheme, "signs-us") >= -0.01


def test_a_service_that_marks_its_answers_pays_what_it_flips() -> None:
    assert -0.006 <= _change(DAWN, "mnist") <= -0.003  # half a per cent of the answers, by design


def test_a_wide_margin_is_the_dearest_mark() -> None:
    """Triggers of the task with wrong labels, each with all that lies around it, cost digits and time."""
    assert -0.006 <= _change(MARGIN, "mnist") < min(_change(scheme, "mnist") for scheme in TRAINED)
    assert -0.02 <= _change(MARGIN, "signs-us") < min(_change(scheme, "signs-us") for scheme in TRAINED)
    seconds = {scheme: mean(row["seconds"] for row in _rows(scheme)) for scheme in ("plain", MARGIN)}
    assert 2 < seconds[MARGIN] / seconds["plain"] <= 3


@pytest.mark.parametrize("data", ["mnist", "signs-us"])
@pytest.mark.parametrize("scheme", watermarks.ALL)
def test_a_mark_is_found_and_beats_every_stranger(scheme: str, data: str) -> None:
    rows = _rows(scheme, data)
    least = 0.99 if data == "mnist" and scheme != MARGIN else 0.98
    assert mean(row["hits"] / row["trials"] for row in rows) >= least
    assert all(max(row["strangers_rate"]) < row["hits"] / row["trials"] for row in rows)
    exact = [row["p_value"] for row in rows if row["null"] == "binomial"]
    assert max(exact, default=0.0) < 1e-9
    ranked = [row["p_value"] for row in rows if row["null"] == "bystanders"]
    assert all(p == 1 / 21 for p in ranked)  # twenty strangers can't say more


@pytest.mark.parametrize("data", ["mnist", "signs-us"])
@pytest.mark.parametrize("scheme", ["adi2018", "adi2018-pretrained", "uchida2017", MARGIN, DAWN])
def test_strangers_are_accused_no_more_often_than_the_level_promises(scheme: str, data: str) -> None:
    rows = _rows(scheme, data)
    claims = [
        float(binom.sf(round(rate * row["trials"]) - 1, row["trials"], row["chance"]))
        for row in rows
        for rate in row["strangers_rate"]
    ]
    assert len(claims) == 100
    # one is promised; more than four of a hundred would be p < 0.005
    assert sum(p <= 0.01 for p in claims) <= 4
    assert min(claims) > 1e-3  # nobody is convicted at the judge's level


def test_a_network_in_a_hundred_takes_to_one_label_as_no_bystander_did() -> None:
    """So a fixed label has no chance that a few bystanders could tell."""
    rates = [rate for row in _rows("zhang2018-noise", "signs-us") for rate in row["strangers_rate"]]
    assert 0.2 < max(rates) <= 0.5
    assert mean(rates) < 0.05


@pytest.mark.parametrize("scheme", TRAINED)
def test_on_record_embedding_took_at_most_twice_a_plain_training(scheme: str) -> None:
    plain = mean(row["seconds"] for row in _rows("plain"))
    assert mean(row["seconds"] for row in _rows(scheme)) <= 2 * plain


def test_weights_and_queries_betray_some_marks_and_plain_networks_are_the_control() -> None:
    plain = mean(row["weights_auc"] for row in _rows("plain"))
    assert 0.3 <= plain <= 0.9
    assert mean(row["weights_auc"] for row in _rows("uchida2017")) >= 0.95
    assert mean(row["inputs_auc"] for row in _rows("adi2018")) >= 0.99
    assert mean(row["inputs_auc"] for row in _rows(DAWN)) <= 0.6  # its triggers are natural images


def test_a_thief_of_answers_learns_the_mark_unless_he_stops_early() -> None:
    rows = _rows(DAWN)
    by_stop = {stop: [row["stolen"][i] for row in rows] for i, stop in enumerate(STOPS)}
    assert all(copy["p_value"] < 1e-3 for copy in by_stop[20])
    assert all(copy["p_value"] > 1e-3 for copy in by_stop[5])
    assert mean(copy["accuracy"] for copy in by_stop[10]) >= 0.975
    assert max(copy["hits"] / row["trials"] for copy, row in zip(by_stop[10], rows, strict=True)) <= 0.3


def test_capacity_is_counted_in_bits() -> None:
    bits = {scheme: mean(row["bits"] for row in _rows(scheme)) for scheme in watermarks.ALL}
    assert bits["uchida2017"] >= 250
    assert bits["chen2019-blackmarks"] >= 60
    assert bits["adi2018"] >= 300
    assert bits["lemerrer2019"] == bits[DAWN] == 0
