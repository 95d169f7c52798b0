"""The ledger of newer triggers: who finds them, and whether detectors flag no more than they promise."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

import pytest

from wmlearn.detection import Rate
from wmlearn.experiments import Results, Row, shipped
from wmlearn.experiments.newer_triggers import TRIGGERS, accused_wrongly, false_alarms


@pytest.fixture(scope="module")
def results() -> Results:
    return shipped("newer-triggers")


def _mean(rows: Sequence[Row], detector: str, key: str) -> float:
    return mean(row[detector][key] for row in rows)


@pytest.mark.parametrize("attack", TRIGGERS)
def test_newer_triggers_work_and_leave_clean_digits_alone(results: Results, attack: str) -> None:
    rows = results.where(network="badnet_cnn", attack=attack)
    controls = results.where(network="badnet_cnn", attack="clean")
    assert len(rows) == len(controls) >= 2
    assert [row["seed"] for row in rows] == [row["seed"] for row in controls]
    assert min(row["success"] for row in rows) >= 0.9
    assert max(row["success"][attack] for row in controls) <= 0.02
    assert mean(row["accuracy"] for row in rows) >= mean(row["accuracy"] for row in controls) - 0.01


def test_a_warp_passes_strip_and_is_flagged_by_neural_cleanse(results: Results) -> None:
    rows = results.where(network="badnet_cnn", attack="warping")
    assert max(row["strip"]["auc"] for row in rows) <= 0.6
    assert _mean(rows, "strip", "caught") <= 0.05
    assert all(0 in row["neural_cleanse"]["flagged"] for row in rows)


def test_in_noise_mode_a_warp_passes_both_and_only_the_exact_warp_is_obeyed(results: Results) -> None:
    rows = results.where(network="badnet_cnn", attack="warping, noise")
    assert [row["seed"] for row in rows] == [10, 11, 12]
    assert min(row["success"] for row in rows) >= 0.9
    assert min(row["cover_accuracy"] for row in rows) >= 0.95
    assert max(row["strip"]["auc"] for row in rows) <= 0.5
    assert _mean(rows, "strip", "caught") <= 0.05
    assert not any(row["neural_cleanse"]["flagged"] for row in rows)
    controls = results.where(network="badnet_cnn", attack="clean")
    assert mean(row["accuracy"] for row in rows) >= mean(row["accuracy"] for row in controls) - 0.01


def test_in_noise_mode_a_warp_is_still_seen_by_who_looks_inside(results: Results) -> None:
    rows = results.where(network="badnet_cnn", attack="warping, noise")
    assert _mean(rows, "ted", "caught") >= 0.7
    assert _mean(rows, "clustering", "caught") >= 0.95


def test_an_images_own_pattern_is_obeyed_and_that_of_another_hardly(results: Results) -> None:
    rows = results.where(network="badnet_cnn", attack="input-aware")
    assert [row["seed"] for row in rows] == [10, 11, 12]
    assert min(row["success"] for row in rows) >= 0.9
    assert max(row["control_success"] for row in rows) <= 0.02
    assert max(row["cross_success"] for row in rows) <= 0.1
    assert min(row["cross_accuracy"] for row in rows) >= 0.9
    assert min(row["accuracy"] for row in rows) >= 0.98
    controls = results.where(network="badnet_cnn", attack="clean")
    assert mean(row["accuracy"] for row in rows) >= mean(row["accuracy"] for row in controls) - 0.01


def test_patterns_of_their_own_pass_strip_and_not_who_looks_inside(results: Results) -> None:
    rows = results.where(network="badnet_cnn", attack="input-aware")
    assert max(row["strip"]["auc"] for row in rows) <= 0.5
    assert _mean(rows, "strip", "caught") <= 0.05
    assert _mean(rows, "ted", "caught") >= 0.9
    assert _mean(rows, "clustering", "caught") >= 0.95
    assert _mean(rows, "clustering", "false") <= 0.02
    assert sum(0 in row["neural_cleanse"]["flagged"] for row in rows) == 2


@pytest.mark.parametrize("attack", TRIGGERS)
def test_calibrated_clustering_finds_poison_that_is_half_of_its_class_and_the_fixed_limit_does_not(
    results: Results, attack: str
) -> None:
    rows = results.where(network="badnet_cnn", attack=attack)
    assert _mean(rows, "clustering", "caught") >= 0.95
    assert _mean(rows, "clustering", "false") <= 0.02
    assert _mean(rows, "clustering_fixed", "caught") <= 0.05


def test_on_a_resnet_the_calibrated_limit_finds_the_pattern_and_the_fixed_one_in_one_of_three(
    results: Results,
) -> None:
    """By the first network alone, both seemed to find it equally well."""
    rows = results.where(network="small_resnet", attack="pattern")
    assert [row["seed"] for row in rows] == [10, 11, 12]
    assert min(row["success"] for row in rows) >= 0.99
    assert min(row["clustering"]["caught"] for row in rows) >= 0.5
    assert max(row["clustering"]["false"] for row in rows) <= 0.01
    assert sum(row["clustering_fixed"]["caught"] > 0 for row in rows) == 1
    assert min(row["strip"]["caught"] for row in rows) >= 0.99


@pytest.mark.parametrize("attack", ["pattern", "single pixel", "square"])
def test_on_a_resnet_trained_by_plain_adam_strip_catches_the_poison_and_the_calibrated_limit_mostly(
    results: Results, attack: str
) -> None:
    """In one network of three, the calibrated limit catches none; alone, that one looked like all."""
    rows = results.where(network="small_resnet_adam", attack=attack)
    controls = results.where(network="small_resnet_adam", attack="clean")
    assert [row["seed"] for row in rows] == [row["seed"] for row in controls] == [10, 11, 12]
    assert min(row["success"] for row in rows) >= 0.99
    assert max(row["success"][attack] for row in controls) <= 0.01
    assert min(row["strip"]["caught"] for row in rows) >= 0.8
    assert rows[0]["clustering"]["caught"] == 0
    assert min(row["clustering"]["caught"] for row in rows[1:]) >= 0.5
    assert max(row["clustering_fixed"]["caught"] for row in rows) <= (0.4 if attack == "square" else 0)


@pytest.mark.parametrize("detector", ["strip", "ted"])
def test_calibrated_detectors_of_queries_keep_their_promise(results: Results, detector: str) -> None:
    alarms = false_alarms(results.rows, detector)
    assert alarms.n >= 3000
    assert alarms.interval[0] <= 0.01
    assert alarms.share <= 0.013


def test_calibrated_clustering_accuses_hardly_a_clean_class(results: Results) -> None:
    alarms = accused_wrongly(results.rows, "clustering")
    assert alarms.n >= 60
    assert alarms.share <= 0.02


def test_the_quantile_of_clean_images_breaks_the_promise_of_topological_evolution(results: Results) -> None:
    assert false_alarms(results.rows, "ted_quantile").interval[0] > 0.01


def test_one_limit_for_all_classes_is_no_promise_for_each(results: Results) -> None:
    """Of what the networks call an 8, STRIP flags several times as much as of all."""
    pairs = [row["strip"]["by_class"][8] for row in results.rows]
    eights = Rate(sum(flagged for flagged, _ in pairs), sum(n for _, n in pairs))
    assert eights.interval[0] > 0.03
