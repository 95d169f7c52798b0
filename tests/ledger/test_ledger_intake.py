"""The ledger of the intake: what nine looks see in known parcels, whom they accuse, what policies cost."""

from __future__ import annotations

import pytest

from wmlearn.experiments import Results, intake, shipped
from wmlearn.experiments.intake import BAD_KINDS, CHOOSING, INTAKE, SEEDS
from wmlearn.intake import FILE_LOOKS, LOOKS, any_bad, bill, cheapest_rule

N = len(SEEDS)


@pytest.fixture(scope="module")
def results() -> Results:
    return shipped("intake")


def test_every_cell_is_there_once_with_fifty_parcels(results: Results) -> None:
    assert [row["seed"] for row in results.rows] == [cell["seed"] for cell in INTAKE.cells]
    for row in results.rows:
        assert [parcel["kind"] for parcel in row["parcels"]] == [spec.kind for spec in intake.SPECS]
        assert sum(parcel["honest"] for parcel in row["parcels"]) == 28
        assert all(set(parcel["states"]) == set(LOOKS) for parcel in row["parcels"])
        assert set(row["seconds"]) == set(row["queries"]) == set(LOOKS)
        assert all(seconds > 0 for seconds in row["seconds"].values())


def test_networks_classify_alike_and_backdoors_work(results: Results) -> None:
    for row in results.rows:
        for name, facts in row["networks"].items():
            assert facts["accuracy"] > 0.95, name
            if name not in intake.HONEST_NAMES:
                assert facts["success"] > 0.5, (row["seed"], name)
            else:
                assert facts["success"] == 0


def test_files_betray_what_was_changed_on_its_way_and_nothing_that_its_maker_signed(results: Results) -> None:
    swapped = "file swapped, old signature"
    assert all(intake.caught(results, look, swapped).bad == 2 * N for look in ("hash", "signature"))
    insider = "BadNet, signed by its maker"
    assert all(intake.caught(results, look, insider).bad == 0 for look in FILE_LOOKS)


def test_a_scanner_sees_listed_calls_only_and_the_format_sees_all(results: Results) -> None:
    for kind, scanner in (("pickle, a listed call", 2 * N), ("pickle, an unlisted call", 0)):
        assert intake.caught(results, "scanner", kind).bad == scanner
        assert intake.caught(results, "format", kind).bad == intake.caught(results, "format", kind).n


def test_honest_parcels_are_accused_by_the_looks_at_files_as_they_were_made(results: Results) -> None:
    alarms = {look: intake.false_alarms(results, look).bad for look in FILE_LOOKS}
    assert alarms == {"hash": N, "signature": 3 * N, "format": 5 * N, "scanner": 0, "provenance": N}


def test_only_independence_sees_a_stolen_copy_and_it_accuses_no_stranger(results: Results) -> None:
    assert intake.caught(results, "independence", "stolen copy").bad == 2 * N
    others = [kind for kind in BAD_KINDS if kind != "stolen copy"]
    assert sum(intake.caught(results, "independence", kind).bad for kind in others) == 0
    assert intake.false_alarms(results, "independence").bad == 0


def test_the_course_s_policy_was_chosen_on_the_other_seed_and_is_cheaper_than_all_or_one(
    results: Results,
) -> None:
    bills = intake.bills(results)
    assert intake.rules(results)["the course's"] == cheapest_rule(intake.cases(results, CHOOSING))
    single = [cost.each for name, cost in bills.items() if name.endswith("only")]
    ours = bills["the course's"].each
    assert ours < min(single)
    assert ours <= bills["all nine"].each
    assert bill(any_bad(()), intake.cases(results, *SEEDS)).missed == 22 * N
