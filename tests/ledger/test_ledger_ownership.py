"""The ledger of ownership: the case that the owner loses, and pictures that all networks answer alike."""

from __future__ import annotations

from statistics import mean

import pytest

from wmlearn.evidence.significance import hits_needed
from wmlearn.experiments import Results, lost_case, shipped, transferable_claims

SEEDS = len(lost_case.SEEDS)
CELLS = SEEDS * len(lost_case.DIGITS)


@pytest.fixture(scope="module")
def lost() -> Results:
    return shipped("lost-case")


@pytest.fixture(scope="module")
def alike() -> Results:
    return shipped("transferable-claims")


def test_every_theft_stands_beside_its_control(lost: Results) -> None:
    assert len(lost.rows) == 2 * len(lost_case.THIEVES) * CELLS
    for thief in lost_case.THIEVES:
        for start in lost_case.STARTS:
            assert len(lost.where(thief=thief, start=start)) == CELLS


def test_before_the_theft_her_mark_is_whole_and_his_is_not_in_her_network(lost: Results) -> None:
    line = hits_needed(50, 0.1, lost.rows[0]["level"])
    assert min(row["hers_in_hers"] for row in lost.rows) >= 48
    assert max(row["his_in_hers"] for row in lost.rows) < line


def test_a_gentle_thief_is_found_out(lost: Results) -> None:
    owners = lost_case.owners(lost.where(thief="overwrite", start="hers"))
    assert owners["Ada"] >= CELLS - 1


def test_a_rough_one_is_given_what_he_stole_more_than_once(lost: Results) -> None:
    owners = lost_case.owners(lost.where(thief="overwrite-hard", start="hers"))
    assert owners["Mallory"] >= 3


def test_who_distils_never_loses_it_to_her(lost: Results) -> None:
    owners = lost_case.owners(lost.where(thief="distil", start="hers"))
    assert owners["Ada"] == 0


def test_no_honest_network_goes_to_her(lost: Results) -> None:
    assert lost_case.owners(lost.where(start="own"))["Ada"] == 0


def test_worn_is_more_than_honest_networks_show_and_distilled_is_not(lost: Results) -> None:
    worn = mean(row["hers_in_his"] for row in lost.where(thief="overwrite-hard", start="hers"))
    distilled = mean(row["hers_in_his"] for row in lost.where(thief="distil", start="hers"))
    honest = mean(row["hers_in_his"] for row in lost.where(start="own"))
    assert worn >= 2 * honest
    assert abs(distilled - honest) <= 2


def test_keys_that_were_searched_for_convict_and_honest_ones_do_not(alike: Results) -> None:
    for row in alike.rows:
        false = transferable_claims.shown(row).double().mean().item()
        if row["kind"] == transferable_claims.HONEST:
            assert false <= 0.02
        elif row["kind"] == transferable_claims.GROUND or row["reach"] == 0.3:
            assert false >= 0.9


def test_honest_decoys_agree_with_the_forger_and_decoys_made_alike_show_nothing(alike: Results) -> None:
    for row in alike.rows:
        if row["kind"] == transferable_claims.HONEST or row["reach"] == 0.1:
            continue
        assert transferable_claims.decoy_p(row).median() == pytest.approx(1 / (1 + row["drawn"]))
        assert transferable_claims.alike_p(row).median() >= 0.3
