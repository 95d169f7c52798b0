"""The ledger of the sly attacker: what each detector misses, beside the plain attack that it finds."""

from __future__ import annotations

from statistics import mean
from typing import Any

import pytest

from wmlearn.experiments import Results, Row, shipped

DETECTORS = ("neural_cleanse", "activation_clustering", "spectral_signatures", "strip", "ted")


@pytest.fixture(scope="module")
def results() -> Results:
    return shipped("evasion")


def _rows(results: Results, evades: str) -> tuple[Row, ...]:
    rows = results.where(evades=evades)
    assert len(rows) == 3
    return rows


def _plain(rows: tuple[Row, ...], detector: str) -> list[dict[str, Any]]:
    """Return what `detector` found of the plain attack, with the same seeds."""
    seeds = [row["seed"] for row in rows]
    plain = shipped("detection").where(attack=rows[0]["plain"])
    findings = [row[detector] for row in plain if row["seed"] in seeds]
    assert len(findings) == len(rows)
    return findings


@pytest.mark.parametrize("evades", DETECTORS)
def test_what_evades_still_works_and_an_honest_network_does_not_obey(results: Results, evades: str) -> None:
    rows = _rows(results, evades)
    assert min(row["success"] for row in rows) >= 0.9
    assert max(row["honest_success"] for row in rows) <= 0.03


def test_neural_cleanse_misses_doubled_pictures_and_flags_the_plain_pattern(results: Results) -> None:
    rows = _rows(results, "neural_cleanse")
    assert not any(0 in row["neural_cleanse"]["flagged"] for row in rows)
    assert all(finding["flagged"] == [0] for finding in _plain(rows, "neural_cleanse"))


def test_clustering_misses_resemblance_and_catches_the_plain_pattern(results: Results) -> None:
    rows = _rows(results, "activation_clustering")
    assert max(row["activation_clustering"]["caught"] for row in rows) <= 0.1
    assert min(finding["caught"] for finding in _plain(rows, "activation_clustering")) >= 0.9


def test_spectral_signatures_miss_resemblance_and_catch_all_they_can_of_the_plain_pattern(
    results: Results,
) -> None:
    rows = _rows(results, "spectral_signatures")
    for row, plain in zip(rows, _plain(rows, "spectral_signatures"), strict=True):
        missed = row["spectral_signatures"]
        assert missed["caught"] <= 0.1
        assert missed["ceiling"] == plain["ceiling"]
        assert plain["caught"] >= 0.99 * plain["ceiling"]
        assert missed["auc"] <= plain["auc"] - 0.2


def test_strip_misses_doubled_pictures_and_catches_the_plain_pattern(results: Results) -> None:
    rows = _rows(results, "strip")
    assert max(row["strip"]["caught"] for row in rows) <= 0.01
    assert max(row["strip"]["auc"] for row in rows) <= 0.1, "the answers waver more than on clean images"
    assert min(finding["caught"] for finding in _plain(rows, "strip")) >= 0.99


def test_topological_evolution_misses_a_faint_zero_at_its_threshold_though_it_ranks_it_high(
    results: Results,
) -> None:
    rows = _rows(results, "ted")
    assert mean(row["ted"]["caught"] for row in rows) <= 0.3
    assert min(row["ted"]["auc"] for row in rows) >= 0.9, "at another threshold it would be caught"
    assert min(finding["caught"] for finding in _plain(rows, "ted")) >= 0.9


@pytest.mark.parametrize("evades", DETECTORS)
def test_evasion_costs_less_than_a_point_of_accuracy_and_five_of_success(
    results: Results, evades: str
) -> None:
    for row in _rows(results, evades):
        assert row["cost"]["accuracy_lost"] <= 0.01
        assert row["cost"]["success_lost"] <= 0.05


def test_what_evades_one_detector_is_caught_by_another(results: Results) -> None:
    """Each was made against its own detector, and none of them hides from all."""
    assert min(row["ted"]["caught"] for row in _rows(results, "strip")) >= 0.9
    assert min(row["strip"]["caught"] for row in _rows(results, "spectral_signatures")) >= 0.9
    assert all(0 in row["neural_cleanse"]["flagged"] for row in _rows(results, "ted"))


def test_a_signature_is_always_obeyed_and_by_nobody_else_s_hand(results: Results) -> None:
    for row in _rows(results, "signature"):
        assert row["success"] == 1
        assert row["random_bits_obeyed"] == row["other_key_obeyed"] == 0
        assert row["honest_success"] <= 0.03
        assert row["largest_change"] <= 1 / 255 + 1e-6
        assert row["cost"]["accuracy_lost"] == 0
        assert (row["poison"], row["cost"]["images"]) == (0, 0)


def test_all_five_detectors_miss_a_signature(results: Results) -> None:
    for row in _rows(results, "signature"):
        assert 0 not in row["neural_cleanse"]["flagged"]
        assert row["activation_clustering"]["false"] <= 0.001
        assert row["spectral_signatures"]["false"] <= 0.08, "it always flags 7.5 %"
        for detector in ("strip", "ted"):
            assert row[detector]["caught"] <= row[detector]["false"] + 0.02
            assert abs(row[detector]["auc"] - 0.5) <= 0.1
