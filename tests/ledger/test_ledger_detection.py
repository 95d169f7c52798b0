"""The ledger of detectors: what each finds and misses, as inequalities over the frozen data/results."""

from __future__ import annotations

from statistics import mean
from typing import Any

import pytest

import wmlearn as wm
from wmlearn.experiments import Results, shipped

DETECTORS = ("activation_clustering", "spectral_signatures", "strip", "ted")


@pytest.fixture(scope="module")
def results() -> Results:
    return shipped("detection")


def _findings(results: Results, attack: str, detector: str) -> list[dict[str, Any]]:
    return [row[detector] for row in results.where(attack=attack)]


def _mean(results: Results, attack: str, detector: str, key: str) -> float:
    return mean(finding[key] for finding in _findings(results, attack, detector))


@pytest.mark.parametrize(
    "attack", ["single pixel", "pattern", "pattern, 3 %", "one class", "all to all", "signs, square"]
)
def test_the_attacks_are_there_to_be_found(results: Results, attack: str) -> None:
    rows = results.where(attack=attack)
    assert len(rows) >= 3
    assert min(row["success"] for row in rows) >= 0.9


def test_a_backdoor_without_a_wrong_label_hides_in_the_training_set_and_shows_in_the_queries(
    results: Results,
) -> None:
    rows = results.where(attack="clean label")
    assert len(rows) == 3
    assert mean(row["success"] for row in rows) >= 0.9
    assert not any(finding["flagged"] for finding in _findings(results, "clean label", "neural_cleanse"))
    assert max(_mean(results, "clean label", detector, "caught") for detector in DETECTORS[:2]) <= 0.1
    assert min(_mean(results, "clean label", detector, "caught") for detector in DETECTORS[2:]) >= 0.8


def test_honest_networks_classify_images_under_a_ramp_correctly(mnist: wm.Splits) -> None:
    (honest,) = wm.bystanders.shipped("mnist", 9, 10)
    assert wm.success_rate(honest, mnist.test[:2000], wm.triggers.Ramp(0.8), 0) <= 0.01


@pytest.mark.parametrize("attack", ["clean", "signs, clean"])
def test_clean_networks_have_no_backdoor(results: Results, attack: str) -> None:
    rows = results.where(attack=attack)
    assert max(row["success"] for row in rows) <= 0.03
    assert all(row["targets"] == [] for row in rows)


def test_neural_cleanse_flags_five_of_five_all_to_one_models_and_at_most_one_of_ten_clean_ones(
    results: Results,
) -> None:
    victims = _findings(results, "pattern", "neural_cleanse")
    clean = _findings(results, "clean", "neural_cleanse")
    assert (len(victims), len(clean)) == (5, 10)
    assert all(victim["flagged"] == [0] for victim in victims)
    assert sum(bool(network["flagged"]) for network in clean) <= 1


def test_neural_cleanse_is_evaded_by_all_to_all(results: Results) -> None:
    assert not any(finding["flagged"] for finding in _findings(results, "all to all", "neural_cleanse"))


def test_neural_cleanse_finds_a_backdoor_for_one_class_with_and_without_its_source(results: Results) -> None:
    """It was expected to need the source. It doesn't: the trigger for 7s is cheap for other digits, too."""
    for key in ("neural_cleanse", "neural_cleanse_source"):
        assert all(finding["flagged"] == [0] for finding in _findings(results, "one class", key))


def test_strip_tells_all_to_one_nearly_perfectly_and_all_to_all_not_at_all(results: Results) -> None:
    assert min(finding["auc"] for finding in _findings(results, "pattern", "strip")) >= 0.99
    assert _mean(results, "pattern", "strip", "caught") >= 0.99
    assert _mean(results, "all to all", "strip", "auc") <= 0.6


def test_topological_evolution_finds_all_to_all_and_everything_else_on_digits(results: Results) -> None:
    for attack in ("single pixel", "pattern", "pattern, 3 %", "one class", "all to all"):
        assert _mean(results, attack, "ted", "auc") >= 0.98
        assert _mean(results, attack, "ted", "caught") >= 0.9


@pytest.mark.parametrize("detector", ["strip", "ted"])
def test_queries_of_clean_networks_are_let_through(results: Results, detector: str) -> None:
    assert _mean(results, "clean", detector, "false") <= 0.03
    assert _mean(results, "clean", detector, "caught") <= 0.03, "the trigger means nothing to them"


def test_activation_clustering_needs_poison_to_be_the_smaller_part(results: Results) -> None:
    assert _mean(results, "pattern", "activation_clustering", "caught") <= 0.1, "poison is half of the class"
    assert _mean(results, "all to all", "activation_clustering", "caught") >= 0.9
    assert _mean(results, "clean", "activation_clustering", "false") <= 0.05


def test_spectral_signatures_rank_all_to_all_well_and_remove_a_fixed_share_whatever_is_there(
    results: Results,
) -> None:
    assert _mean(results, "all to all", "spectral_signatures", "auc") >= 0.95
    assert _mean(results, "all to all", "spectral_signatures", "caught") <= 0.5
    assert _mean(results, "pattern", "spectral_signatures", "caught") <= 0.3, "poison is half of the class"
    shares = [finding["false"] for finding in _findings(results, "clean", "spectral_signatures")]
    assert all(0.07 <= share <= 0.08 for share in shares), "it always flags 7.5 %"


@pytest.mark.parametrize("attack", ["pattern, 3 %", "all to all"])
def test_spectral_signatures_catch_all_that_their_flags_allow_where_poison_is_rare_in_its_class(
    results: Results, attack: str
) -> None:
    for finding in _findings(results, attack, "spectral_signatures"):
        assert finding["auc"] >= 0.95
        assert finding["ceiling"] <= 0.4
        assert finding["caught"] >= 0.99 * finding["ceiling"]


def test_no_detector_catches_more_than_its_flags_allow(results: Results) -> None:
    findings = [row["spectral_signatures"] for row in results.rows if row["targets"]]
    assert len(findings) >= 20
    assert all(finding["caught"] <= finding["ceiling"] + 1e-6 for finding in findings)


def test_where_clustering_flags_nothing_the_backdoor_stays(results: Results) -> None:
    for row in results.where(attack="pattern"):
        again = row["without_cluster"]
        assert again["removed"] == 0
        assert again["success"] == row["success"]


def test_of_three_hundred_poisoned_images_the_training_set_shows_little_and_the_network_everything(
    results: Results,
) -> None:
    rows = results.where(attack="pattern, 0.5 %")
    assert len(rows) == 3
    for row in rows:
        assert row["poison"] == 300
        assert row["success"] >= 0.9
        assert row["spectral_signatures"]["ceiling"] == 1
        assert row["neural_cleanse"]["flagged"] == [0]
    assert _mean(results, "pattern, 0.5 %", "activation_clustering", "caught") <= 0.1
    assert _mean(results, "pattern, 0.5 %", "ted", "caught") >= 0.9


def test_trained_again_without_the_cluster_a_network_does_not_obey_and_without_as_many_it_does(
    results: Results,
) -> None:
    rows = [row for row in results.where(attack="pattern, 3 %") if "without_cluster" in row]
    assert len(rows) == 3
    for row in rows:
        without = row["without_cluster"]
        control = row["without_as_many"]
        assert without["removed"] == control["removed"] > 0
        assert without["success"] <= 0.05
        assert control["success"] >= 0.9
        assert without["accuracy"] >= control["accuracy"] - 0.005


def test_on_signs_neural_cleanse_finds_the_square_from_its_source_only(results: Results) -> None:
    rows = results.where(attack="signs, square")
    honest = results.where(attack="signs, clean")
    assert len(rows) == len(honest) == 3
    assert not any(row["neural_cleanse"]["flagged"] for row in honest)
    for row in rows:
        (target,) = row["targets"]
        assert target not in row["neural_cleanse"]["flagged"]
        assert target in row["neural_cleanse_source"]["flagged"]


@pytest.mark.parametrize("attack", ["pattern", "all to all"])
def test_no_number_stands_without_its_false_alarms(results: Results, attack: str) -> None:
    for detector in DETECTORS:
        for finding in _findings(results, attack, detector):
            assert {"caught", "false", "auc", "seconds"} <= set(finding)


def test_on_record_a_scan_of_ten_classes_took_under_five_seconds(results: Results) -> None:
    assert _mean(results, "clean", "neural_cleanse", "seconds") < 5
