"""The court: what is dealt, opened, ruled, scored and revealed."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import replace
from pathlib import Path

import procedures
import pytest
import torch

import wmlearn as wm
from wmlearn import courtroom, ownership
from wmlearn.courtroom import dealing, filings, forged, opinions, seals, sittings, small_digits
from wmlearn.courtroom.dealing import Dealt, Networks, Plan, Truth
from wmlearn.courtroom.filings import Bar
from wmlearn.courtroom.sittings import Ruling
from wmlearn.evidence import answers
from wmlearn.watermarks.secret import secret_of

SECRETS = [secret_of(seed, None) for seed in range(200)]


# What is dealt


def test_every_twelve_cases_hold_each_theft_once_and_each_honest_way_to_look_like_a_thief() -> None:
    for secret in SECRETS:
        plans = dealing.plans(secret)
        kinds = Counter(plan.kind for plan in plans)
        assert all(kinds[kind] == 1 for kind in (*dealing.THEFTS, "independent", "licensed", "insider"))
        assert sum(bool(plan.forgery) for plan in plans) >= 2
        assert sum(plan.stolen for plan in plans) in (6, 7)


def test_over_seeds_every_false_claim_is_met() -> None:
    met = {plan.forgery for secret in SECRETS for plan in dealing.plans(secret)}
    assert met == {"", *forged.ALL}


def test_half_a_day_has_four_cases_and_one_to_three_thefts() -> None:
    counts = Counter(sum(plan.stolen for plan in dealing.plans(secret, 4)) for secret in SECRETS)
    assert counts.keys() == {1, 2, 3}


def test_another_number_of_cases_is_refused() -> None:
    with pytest.raises(wm.ArgumentError, match="a court must have 12 cases, or 4, got 7"):
        wm.court(0, cases=7)


def test_the_same_secret_writes_the_same_papers(people: Bar, networks: Networks) -> None:
    plan = Plan("independent", marked=True)
    one, other = (dealing.papers_of(people, plan, networks) for _ in range(2))
    assert one.book == other.book
    assert one.claimant.bundle == other.claimant.bundle


@pytest.mark.parametrize(("kind", "service"), [*((kind, False) for kind in forged.ALL), ("guessed", True)])
def test_a_false_claim_matches_and_is_refused(
    kind: str, service: bool, people: Bar, networks: Networks
) -> None:
    plan = Plan(kind, kind, service=service, marked=True)
    papers = dealing.papers_of(people, plan, networks)
    case = Dealt(Truth(1, False, kind), service, networks.accused, papers)
    assert opinions.shown(papers, case.suspect).accuses
    assert (answers(case.suspect, papers.x) == papers.y).sum() >= 8
    verified = opinions.mark(papers, case.suspect)
    assert not verified.accuses
    assert verified.says.startswith("void: ") == (kind != "transferable")
    assert not papers.claimant.bundle.commitment.serial  # how often a forger tried stands nowhere


def test_an_honest_claim_on_a_copy_holds_and_one_on_a_stranger_does_not(
    people: Bar, networks: Networks
) -> None:
    plan = Plan("independent", marked=True)
    copy = dealing.WASHES["fine-tuned"](networks.original, small_digits.digits(people.secret, "a thief"))
    for network, holds in ((copy, True), (networks.accused, False)):
        papers = dealing.papers_of(people, plan, Networks(networks.original, network))
        assert opinions.mark(papers, network).accuses is holds
        assert opinions.weights(papers, network).accuses is holds


def test_a_washed_network_is_made_once_where_there_is_a_memory(
    networks: Networks, memorised: Path, tmp_path: Path
) -> None:
    samples = small_digits.digits(b"some secret bytes", "a thief", 100)
    wm.memory.keep(tmp_path)
    try:
        one = small_digits.remembered(networks.original, wm.removal.Prune(0.5), samples)
        (file,) = tmp_path.iterdir()
        written = file.stat().st_mtime_ns
        other = small_digits.remembered(networks.original, wm.removal.Prune(0.5), samples)
        assert [path.stat().st_mtime_ns for path in tmp_path.iterdir()] == [written]
    finally:
        wm.memory.keep(memorised)
    assert (
        ownership.fingerprint(one) == ownership.fingerprint(other) != ownership.fingerprint(networks.original)
    )


def test_only_the_claimants_own_licence_counts(people: Bar, networks: Networks) -> None:
    true = dealing.papers_of(people, Plan("licensed"), networks)
    assert courtroom.is_licensed(true)
    false = dealing.papers_of(people, Plan("fine-tuned", false_licence=True), networks)
    assert len(false.licences) == 1
    assert not courtroom.is_licensed(false)
    assert not courtroom.is_licensed(replace(true, original=networks.accused))
    swapped = replace(true, claimant=true.accused, accused=true.claimant)
    assert not courtroom.is_licensed(swapped)


# A sitting


@pytest.fixture
def court(mixed: tuple[Dealt, ...]) -> courtroom.Court:
    return sittings.seated(mixed)


def test_what_is_open_has_its_price_once_and_is_handed_over_again_for_nothing(
    court: courtroom.Court,
) -> None:
    papers = courtroom.papers(court, 1)
    courtroom.accused(court, 1)
    courtroom.siblings(court)
    assert court.desk.minutes == 120 - 10 - 10 - 40
    assert courtroom.papers(court, 1) is papers
    courtroom.accused(court, 1)
    courtroom.siblings(court)
    assert court.desk.minutes == 60
    assert courtroom.judgement(court).minutes == 60


def test_what_does_not_fit_the_minutes_stays_closed(
    court: courtroom.Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sittings.MINUTES, 4, 45)
    courtroom.siblings(court)
    for function in (courtroom.papers, courtroom.accused):
        with pytest.raises(wm.ArgumentError, match="must fit the minutes that are left, 5, got '10 minutes'"):
            function(court, 2)
    assert court.desk.open == ((0, "siblings"),)


@pytest.mark.parametrize("number", [0, 5, "1", True, -1])
def test_a_case_that_is_none_is_refused(number: int, court: courtroom.Court) -> None:
    with pytest.raises(wm.ArgumentError, match=r"a case must be one of 1\.\.4"):
        courtroom.rule(court, number, stolen=True)
    with pytest.raises(wm.ArgumentError, match=r"a case must be one of 1\.\.4"):
        courtroom.papers(court, number)


def test_a_ruling_is_made_once_and_is_yes_or_no(court: courtroom.Court) -> None:
    with pytest.raises(wm.ArgumentError, match="stolen must be True or False"):
        courtroom.rule(court, 1, stolen="yes")  # pyrefly: ignore[bad-argument-type]
    courtroom.rule(court, 1, stolen=True, why="his pictures")
    for stolen, why in ((False, "his pictures"), (True, "his weights")):
        with pytest.raises(wm.ArgumentError, match="case 1 must be ruled on once, got 'another ruling'"):
            courtroom.rule(court, 1, stolen=stolen, why=why)
    courtroom.rule(court, 1, stolen=True, why="his pictures")  # said again, it stands
    assert courtroom.judgement(court).rulings == (Ruling(1, True, "his pictures"),)


@pytest.mark.parametrize(
    ("why", "says"),
    [
        (7, "why must be text, got 'int'"),
        ("w" * 20_001, "why must have at most 20,000 characters"),
        ("\ud800", "half of a surrogate pair"),
    ],
)
def test_a_reason_that_no_file_can_hold_is_refused(why: str, says: str, court: courtroom.Court) -> None:
    with pytest.raises(wm.ArgumentError, match=says):
        courtroom.rule(court, 1, stolen=True, why=why)
    assert not court.desk.rulings


def test_nothing_is_scored_or_revealed_before_all_is_ruled(court: courtroom.Court) -> None:
    courtroom.rule(court, 2, stolen=True)
    for early in (courtroom.score, courtroom.reveal, lambda court: court.expert(1)):
        with pytest.raises(wm.ArgumentError, match=r"all cases must be ruled .*none on \[1, 3, 4\]"):
            early(court)


def test_a_service_counts_queries_and_stops_when_they_are_spent(court: courtroom.Court) -> None:
    papers = courtroom.papers(court, 4)
    service = courtroom.accused(court, 4)
    assert not isinstance(service, torch.nn.Module)
    assert service(papers.x).shape == (10,)
    assert torch.equal(courtroom.accused(court, 4)(papers.x), service(papers.x))  # asked again: no query
    assert courtroom.judgement(court).queries == 10
    with pytest.raises(wm.ArgumentError, match="no more than 590 queries"):
        service(torch.rand(591, 1, 28, 28))
    assert courtroom.judgement(court).queries == 10
    filing = papers.accused  # the claimant's is void, so that nobody is asked
    finding = ownership.verify(courtroom.hearing(papers, service), filing.challenge, filing.bundle)
    assert not finding.matches[papers.accused.name].refused
    assert courtroom.judgement(court).queries == 310


def test_the_honest_procedure_judges_half_a_day(few: tuple[Dealt, ...]) -> None:
    court = sittings.seated(few)
    flags = {_flags(network) for case in few for network in (case.network, case.papers.original)}
    assert len(flags) == 1
    procedures.honest(court)
    assert courtroom.score(court).points == 4
    revealed = courtroom.reveal(court)
    assert all(each.right for each in revealed)
    assert {opinion.test for opinion in revealed[0].opinions} >= {"mark", "weights", "scores", "licence"}


def _flags(network: torch.nn.Module) -> tuple[object, ...]:
    """Return what a network's tensors show beside their numbers."""
    values = (*network.parameters(), *network.buffers())
    return (network.training, *((each.requires_grad, each.stride()) for each in values))


def test_a_false_conviction_costs_ten_missed_thieves() -> None:
    truths = [Truth(1, True, "pruned"), Truth(2, False, "insider"), Truth(3, True, "service")]
    right = {i + 1: Ruling(i + 1, truth.stolen) for i, truth in enumerate(truths)}
    perfect = sittings.scored(right, truths)
    missed = sittings.scored({**right, 1: Ruling(1, False)}, truths)
    false = sittings.scored({**right, 2: Ruling(2, True)}, truths)
    silent = sittings.scored({}, truths)
    assert [each.points for each in (perfect, missed, false, silent)] == [3, 2, -7, 0]
    assert (silent.missed, silent.right, false.false) == (3, 0, 1)


# Seals


def test_a_seal_binds_and_hides() -> None:
    truth = Truth(3, True, "pruned")
    one, other = (seals.opening(truth) for _ in range(2))
    assert one.seal != other.seal
    seals.check_seal(one, one.seal)
    changed = replace(one, truth=replace(truth, stolen=False))
    with pytest.raises(wm.DataError, match="the opening of case 3 must fit its seal"):
        seals.check_seal(changed, one.seal)


def test_a_damaged_seal_stops_the_revealing(court: courtroom.Court) -> None:
    procedures.never(court)
    cases = (replace(court.cases[0], seal="0" * 64), *court.cases[1:])
    with pytest.raises(wm.DataError, match="Seal or opening was changed"):
        courtroom.reveal(replace(court, cases=cases))


def test_an_envelope_opens_with_its_key_only_and_has_one_length() -> None:
    key = seals.new_key()
    many = [seals.opening(Truth(i, i % 2 == 0, "copied-root")) for i in range(1, 13)]
    envelope = seals.sealed(many, key)
    assert seals.opened(envelope, key) == tuple(many)
    assert len(envelope) == len(seals.sealed(many[:1], key))
    for wrong in (envelope[:-1] + b"\0", envelope[:20], b""):
        with pytest.raises(wm.DataError, match="the envelope must be whole"):
            seals.opened(wrong, key)
    with pytest.raises(wm.DataError, match="under this key"):
        seals.opened(envelope, seals.new_key())


# The truth is in nothing that a learner gets


def test_no_field_of_a_court_holds_a_truth(court: courtroom.Court) -> None:
    held = [*_all_of(court.cases), *_all_of(court.desk), repr(court)]
    for number in range(1, 5):
        held += _all_of(courtroom.papers(court, number))
    assert not [each for each in held if isinstance(each, Truth | seals.Opening | Plan)]
    words = " ".join(each for each in held if isinstance(each, str))
    assert not [story for kind, story in dealing.STORIES.items() if story in words or f"'{kind}'" in words]


def _all_of(value: object) -> list[object]:
    """Return a value and all that its fields hold."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = [getattr(value, each.name) for each in dataclasses.fields(value)]
    elif isinstance(value, (list, tuple, set)):
        parts = list(value)
    else:
        parts = list(value.values()) if isinstance(value, dict) else []
    return [value, *(each for part in parts for each in _all_of(part))]


def test_what_a_case_looks_like_from_outside_says_nothing_of_its_truth() -> None:
    """Place, names, service and the number of licences, over 200 deals of twelve."""
    stolen: dict[str, list[bool]] = {}
    for secret in SECRETS:
        names = dealing.parties(secret, 12)
        for i, plan in enumerate(dealing.plans(secret)):
            papers = plan.false_licence or plan.kind == "licensed"
            looks = [f"place {i}", f"service {plan.service}", f"licences {papers}"]
            looks += [f"claimant {names[i][0]}", f"accused {names[i][1]}"]
            for look in looks:
                stolen.setdefault(look, []).append(plan.stolen)
    everything = [truth for look, truths in stolen.items() if look.startswith("place") for truth in truths]
    base = sum(everything) / len(everything)
    shares = {look: sum(truths) / len(truths) for look, truths in stolen.items()}
    limits = {look: 4 * (base * (1 - base) / len(stolen[look])) ** 0.5 for look in shares}
    assert [look for look, share in shares.items() if abs(share - base) > max(limits[look], 0.05)] == []


@pytest.mark.slow
def test_the_same_secret_deals_the_same(memorised: Path) -> None:
    wm.memory.keep(None)
    try:
        one, other = (dealing.dealt(SECRETS[0], 4) for _ in range(2))
    finally:
        wm.memory.keep(memorised)
    for case, again in zip(one, other, strict=True):
        assert ownership.fingerprint(case.network) == ownership.fingerprint(again.network)
        assert case.papers.book == again.papers.book


@pytest.mark.slow
def test_twenty_courts(twenty: list[tuple[Dealt, ...]]) -> None:
    """The honest procedure scores at least 11 of 12 in each; careless ones at most 6."""
    scores: dict[str, list[int]] = {"honest": [], "always": [], "never": [], "match_only": []}
    for cases in twenty:
        for name in scores:
            court = sittings.seated(cases)
            getattr(procedures, name)(court)
            scores[name].append(courtroom.score(court).points)
            assert court.desk.minutes >= 0
    assert min(scores.pop("honest")) >= 11
    assert all(max(points) <= 6 for points in scores.values()), scores


def test_filings_name_both_sides(mixed: tuple[Dealt, ...]) -> None:
    for case in mixed:
        papers = case.papers
        assert {papers.claimant.name, papers.accused.name} == {"Ada", "Bela"}
        assert len(papers.book.entries) == 6
        assert ownership.audited(papers.book, at=filings.MADE).faults == ()
