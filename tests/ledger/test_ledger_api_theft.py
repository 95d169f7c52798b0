"""The ledger of theft through an API: what copies cost, what is left of marks, whom watches bar, what leaks;
over the frozen data/results.
"""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from wmlearn.experiments import Results, api_theft, shipped
from wmlearn.experiments.api_theft import API_THEFT, BUDGETS, N_OWNERS, rows_of


@pytest.fixture(scope="module")
def results() -> Results:
    return shipped("api-theft")


def _mean(results: Results, queries: str, told: str, n: int) -> float:
    found = api_theft.curve(results, queries, told)
    return float(found.accuracy[:, BUDGETS.index(n)].mean())


def test_every_cell_was_measured_in_bfloat16(results: Results) -> None:
    assert len(results.rows) == len(API_THEFT.cells)
    assert results.precision == "bf16"


def test_labels_of_an_api_teach_as_much_as_true_labels_until_its_own_errors_are_learnt(
    results: Results,
) -> None:
    for n in BUDGETS[:4]:
        assert abs(_mean(results, "digits", "labels", n) - _mean(results, "digits", "own labels", n)) < 0.01
    copies = api_theft.curve(results, "digits", "labels")
    own = api_theft.curve(results, "digits", "own labels")
    assert (own.accuracy[:, -1] > copies.accuracy[:, -1]).all()
    assert (copies.agrees[:, -1] > own.agrees[:, -1]).all()


def test_probabilities_teach_more_than_labels_and_two_digits_of_them_nearly_as_much(results: Results) -> None:
    for queries in ("digits", "signs", "noise"):
        for n in BUDGETS[1:4]:
            hard = _mean(results, queries, "labels", n)
            assert _mean(results, queries, "probabilities", n) > hard, (queries, n)
    assert _mean(results, "digits", "probabilities", 500) > 0.97 > _mean(results, "digits", "labels", 500)
    gap = _mean(results, "digits", "probabilities", 500) - _mean(results, "digits", "two digits", 500)
    assert 0 < gap < 0.015


def test_images_of_the_task_teach_most_and_noise_least(results: Results) -> None:
    for told in ("labels", "probabilities"):
        for n in BUDGETS[1:]:
            accuracies = [_mean(results, queries, told, n) for queries in ("digits", "signs", "noise")]
            assert accuracies == sorted(accuracies, reverse=True), (told, n)
    assert _mean(results, "signs", "probabilities", 50_000) > 0.95


def test_lies_are_shown_at_every_owner_and_nowhere_else(results: Results) -> None:
    for thief, shown in (("marked answers", N_OWNERS), ("honest answers", 0), ("asks three times", 0)):
        found = rows_of(results, "dawn", thief=thief)
        assert sum(row["p"] <= 1e-3 for row in found) == shown, thief
    assert max(row["p"] for row in rows_of(results, "dawn", thief="marked answers")) < 1e-12


def test_a_thief_who_stops_early_loses_little_and_has_few_lies(results: Results) -> None:
    for cell in results.where(part="dawn"):
        (served,) = [row for row in cell["thieves"] if row["thief"] == "marked answers"]
        early = served["trace"][7]
        late = served["trace"][-1]
        assert late["accuracy"] - early["accuracy"] < 0.015
        assert early["hits"] <= 0.2 * cell["triggers"]
        assert late["hits"] > 0.5 * cell["triggers"]


@pytest.mark.parametrize("scheme", api_theft.SCHEMES)
def test_marks_in_the_model_do_not_pass_into_copies(results: Results, scheme: str) -> None:
    rows = [row for cell in results.where(part="marks", subject=scheme) for row in cell["rows"]]
    hits = {
        (model, suspect): [row["hits"] for row in rows if (row["model"], row["suspect"]) == (model, suspect)]
        for model, suspect in {(row["model"], row["suspect"]) for row in rows}
    }
    assert min(hits["marked", "itself"]) >= 98
    assert max(hits["marked", "labels"]) <= 3
    assert max(hits["marked", "probabilities"]) <= 8
    assert max(hits["unmarked", "labels"] + hits["unmarked", "probabilities"]) <= 2


def test_watches_bar_strange_clients_honest_or_not_and_no_thief_who_asks_about_digits(
    results: Results,
) -> None:
    n = api_theft.CLIENTS * N_OWNERS

    def barred(client: str, watch: str) -> float:
        return sum(row[watch] for row in rows_of(results, "guards", client=client)) / n

    for watch in api_theft.WATCHES:
        assert barred("usual", watch) < 0.03
        assert barred("thief: digits", watch) < 0.03
    assert barred("sends each twice", "distances") == 1
    assert barred("dark scans", "confidence") == 1
    assert barred("thief: noise", "distances") < 0.1
    assert barred("thief: noise", "confidence") == 1
    assert barred("thief: small changes", "distances") > 0.9
    assert barred("thief: small changes", "confidence") < 0.3


def test_losses_tell_little_of_digits_nothing_of_others_and_much_of_wrong_labels(results: Results) -> None:
    for how, least, most in (("loss", 0.5, 0.515), ("calibrated", 0.52, 0.535)):
        areas = [row["auc"] for row in rows_of(results, "membership", asked="its digits", how=how)]
        assert least < min(areas) <= max(areas) < most
    calibrated = rows_of(results, "membership", asked="its digits", how="calibrated")
    assert all(0.015 < row["caught_at_0.01"] < 0.025 for row in calibrated)
    for row in rows_of(results, "membership", asked="another's digits"):
        assert 0.49 < row["auc"] < 0.51
        assert 0.005 < row["caught_at_0.01"] < 0.015
    for row in rows_of(results, "membership", asked="wrong labels", how="loss"):
        assert row["auc"] > 0.9
        assert row["caught_at_0.01"] > 0.2


def test_an_inversion_shows_a_training_image_where_there_are_ten_and_not_where_there_are_ten_thousand(
    results: Results,
) -> None:
    many, ten = (api_theft.own_first(results, name) for name in api_theft.TRAINED_ON)
    assert binomtest(sum(many), len(many), 1 / N_OWNERS).pvalue > 0.05
    assert binomtest(sum(ten), len(ten), 1 / N_OWNERS, alternative="greater").pvalue < 1e-6


def test_each_owners_network_is_about_as_accurate(results: Results) -> None:
    found = api_theft.victims(results)
    assert 0.985 < float(found.min()) <= float(found.max()) < 0.99
