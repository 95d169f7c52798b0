"""The ledger of forty courts: what tests say of thefts and of innocents, and what judges score."""

from __future__ import annotations

from statistics import mean

import pytest

from wmlearn.courtroom.forged import ALL as FORGERIES
from wmlearn.experiments import Results, court, shipped
from wmlearn.experiments.court import JUDGES, MARK, MATCHED, SCORES, SHOWN, START, TESTS, WEIGHTS


@pytest.fixture(scope="module")
def results() -> Results:
    return shipped("court")


def test_forty_courts_of_twelve_cases_hold_every_kind(results: Results) -> None:
    assert [row["seed"] for row in results.rows] == list(court.SEEDS)
    assert all(len(cases) == 12 for cases in court.courts(results))
    assert {case.kind for case in court.tried(results)} == set(court.KINDS)
    assert all(set(case.says) == {*TESTS, *court.CLEARING} for case in court.tried(results))


def test_papers_first_errs_nowhere_and_careless_judges_do_worse_than_one_who_convicts_nobody(
    results: Results,
) -> None:
    assert set(court.points(results, JUDGES["papers first"])) == {12}
    nobody = mean(court.points(results, JUDGES["convict nobody"]))
    careless = [name for name in JUDGES if "papers" not in name and name != "convict nobody"]
    assert all(mean(court.points(results, JUDGES[name])) < nobody for name in careless)
    assert max(max(court.points(results, JUDGES[name])) for name in careless) <= 6


def test_no_innocent_whom_the_papers_do_not_clear_has_the_mark(results: Results) -> None:
    assert court.error_rates(results, JUDGES["papers, then mark"]).false == 0


def test_papers_and_one_test_are_not_enough(results: Results) -> None:
    assert mean(court.points(results, JUDGES["papers, then pictures"])) < 0
    assert 6 < mean(court.points(results, JUDGES["papers, then mark"])) < 11


def test_every_false_claim_shows_pictures_that_match_and_has_no_mark_that_holds(results: Results) -> None:
    shown = court.said(results, SHOWN, *FORGERIES)
    assert shown.accuses == shown.n > 80
    assert court.said(results, MARK, *FORGERIES).accuses == 0
    assert sum(court.said(results, test, *FORGERIES).accuses for test in (WEIGHTS, MATCHED, SCORES)) == 0


@pytest.mark.parametrize(("kind", "test"), [("permuted", MATCHED), ("distilled", SCORES), ("service", MARK)])
def test_some_thefts_are_seen_by_one_test_at_every_time(kind: str, test: str, results: Results) -> None:
    found = court.said(results, test, kind)
    assert found.accuses == found.n == len(court.SEEDS)


def test_distilled_copies_are_hardly_seen_by_another_test(results: Results) -> None:
    others = [court.said(results, test, "distilled").accuses for test in TESTS if test != SCORES]
    assert sum(others) <= 0.1 * len(court.SEEDS)


def test_public_first_weights_make_innocents_relatives(results: Results) -> None:
    found = court.said(results, WEIGHTS, "public start")
    assert found.accuses == found.n >= 5
    assert court.said(results, START, "public start").clears == found.n
    uncleared = [case for case in court.tried(results) if case.kind == "public start"]
    assert any(not court.cleared(case.says) for case in uncleared), "here the papers don't help"


def test_strangers_are_accused_by_no_test_but_the_pictures(results: Results) -> None:
    assert sum(court.said(results, test, "independent").accuses for test in TESTS) == 0
