"""Notebook 16: what is built in it equals the package's; what findings are worth; the end of a court; the
dial and the challenge.
"""

from __future__ import annotations

import procedures
import pytest
from torch import nn

from wmlearn import courtroom
from wmlearn.course.exercises import YOUR_TURN
from wmlearn.course.lessons import exercises_16, lesson_16
from wmlearn.courtroom import Court, opinions, sittings, small_digits
from wmlearn.courtroom.dealing import Dealt
from wmlearn.evidence.independence import against_strangers, independence_p_value
from wmlearn.experiments import court as measured
from wmlearn.experiments import shipped


def test_the_verdict_built_in_the_lesson_is_the_courses(mixed: tuple[Dealt, ...]) -> None:
    results = shipped("court")
    own = lesson_16.own_points(exercises_16.verdict, results)
    assert own == measured.points(results, measured.papers_first)
    nobody = lesson_16.own_points(lambda says: False, results)
    assert nobody == measured.points(results, measured.JUDGES["convict nobody"])


def test_standing_is_what_the_package_says_of_the_same_papers(mixed: tuple[Dealt, ...]) -> None:
    stands = [exercises_16.has_standing(**lesson_16.docket(case.papers)) for case in mixed]
    papers = [case.papers for case in mixed]
    assert stands == [courtroom.first_to_release(p) and not courtroom.is_licensed(p) for p in papers]
    assert set(stands) == {True, False}


def test_a_registry_is_read_with_names(mixed: tuple[Dealt, ...]) -> None:
    rows = lesson_16.registry(mixed[0].papers)
    assert [row[0] for row in rows] == [str(i + 1) for i in range(6)]
    assert {row[2] for row in rows} == {"Ada", "Bela", "a judge"}
    assert {row[1] for row in rows} == {"commitment", "release", "challenge"}


def test_the_lead_is_what_the_court_says(few: tuple[Dealt, ...]) -> None:
    strangers = small_digits.siblings()
    for case in few[:2]:
        lead = lesson_16.lead(case.papers.original, case.network, strangers)
        assert (lead >= opinions.LEAD) is opinions.scores(case.papers, case.network).accuses


def test_findings_are_counted_and_the_papers_make_a_mark_worth_something() -> None:
    results = shipped("court")
    thefts, innocents = lesson_16.rates(results, lesson_16.FINDINGS["mark holds"])
    _, after = lesson_16.rates(results, lesson_16.FINDINGS["papers, mark holds"])
    assert 0 < after < innocents / 10
    assert innocents < thefts
    rows = {row[0]: row[3:] for row in lesson_16.worth(exercises_16.convicts, results)}
    assert rows["pictures match"] == rows["mark holds"] == ["acquit", "acquit"]
    assert rows["papers, mark holds"] == ["convict", "acquit"]


def test_a_court_says_what_waits_and_in_the_end_what_happened(
    few: tuple[Dealt, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    court = sittings.seated(few)
    lesson_16.closing(court)
    assert "No ruling yet on 1, 2, 3, 4. 120 minutes and 600 queries left." in capsys.readouterr().out
    procedures.never(court)
    lesson_16.closing(court)
    out = capsys.readouterr().out
    assert "3 of 4 points: 1 missed, 0 convicted falsely." in out
    assert "A new network was taught the scores of the stolen one." in out
    assert "accuses" in out


def test_the_dial_shows_what_prices_and_thieves_do() -> None:
    box = lesson_16.price_dial(shipped("court"))
    share, price = box.children[:2]
    share.value = 0.01
    price.value = 100
    assert "Of 100 claims 1 are just, and a false conviction costs 100" in box.children[-1].value


def test_the_challenge_counts_minutes_and_mistakes(
    monkeypatch: pytest.MonkeyPatch, mixed: tuple[Dealt, ...]
) -> None:
    monkeypatch.setattr(lesson_16, "_cases", lambda: mixed)
    everybody = lesson_16.quick(procedures.always)
    assert everybody.value == 2 * 1_000
    assert "0 minutes, 0 queries, 0 missed, 2 convicted falsely" in everybody.says
    assert lesson_16.quick(procedures.never).value == 2 * 100
    assert lesson_16.quick(lambda court: None).value == 4 * 100
    assert lesson_16.quick(procedures.match_only).value >= 80


def test_a_judge_that_is_not_written_yet_waits_for_no_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson_16, "_cases", lambda: pytest.fail("cases were dealt"))
    with pytest.raises(NotImplementedError):
        lesson_16.quick(_unwritten)


def test_a_judge_who_needs_a_case_gets_one(monkeypatch: pytest.MonkeyPatch, mixed: tuple[Dealt, ...]) -> None:
    monkeypatch.setattr(lesson_16, "_cases", lambda: mixed)
    assert lesson_16.quick(_of_the_first_alone).value == 4 * 100 + 10


def _unwritten(court: Court) -> None:
    raise NotImplementedError(YOUR_TURN)


def _of_the_first_alone(court: Court) -> None:
    courtroom.papers(court, court.cases[0].number)


@pytest.mark.slow
def test_the_courses_own_judge_needs_no_strangers_but_those_in_the_papers() -> None:
    score = lesson_16.quick(frugal)
    assert score.value == lesson_16.CHALLENGE.ours
    assert "0 missed, 0 convicted falsely" in score.says
    assert lesson_16.quick(procedures.honest).value == score.value + 40


def frugal(court: Court) -> None:
    """Judge without the court's networks: the other claimants' were trained alike, and lie on the desk."""
    papers = {case.number: courtroom.papers(court, case.number) for case in court.cases}
    for number, each in papers.items():
        others = [paper.original for other, paper in papers.items() if other != number]
        stolen = _may_be_guilty(each) and _is_guilty(court, number, each, others)
        courtroom.rule(court, number, stolen=stolen)


def _may_be_guilty(papers: courtroom.Papers) -> bool:
    return courtroom.first_to_release(papers) and not courtroom.is_licensed(papers)


def _is_guilty(court: Court, number: int, papers: courtroom.Papers, others: list[nn.Module]) -> bool:
    suspect = courtroom.accused(court, number)
    if opinions.mark(papers, suspect).accuses:
        return True
    if not isinstance(suspect, nn.Module) or opinions.start(papers, suspect).accuses is False:
        return False
    if independence_p_value(papers.original, suspect, n=999) <= 1e-4:
        return True
    found = against_strangers(papers.original, suspect, others)
    return (
        found.cosine - max(found.strangers) >= 0.3 or lesson_16.lead(papers.original, suspect, others) >= 0.06
    )
