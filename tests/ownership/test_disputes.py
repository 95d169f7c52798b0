"""Two people claim one model: the cross matrix, the first release, and a report that can be read and
shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from html.parser import HTMLParser
from types import ModuleType
from typing import Any

import pytest
import torch

import wmlearn as wm
from wmlearn import ownership as own
from wmlearn.ownership import Party, cut_and_choose, forgeries, stages, toys, verification
from wmlearn.ownership.stages import Stage

MALLORY = own.new_identity("Mallory")
STAGE = stages.toy_stage(own.new_identity("Ada"), n=60)
ADA = STAGE.owner
HERS = STAGE.model
PROMISE = stages.promises(STAGE, MALLORY)
EARLY = stages.booked(STAGE, early=[PROMISE])
"""Ada's promise, Mallory's, Ada's release."""
STOLEN = toys.taught(HERS, own.draw(MALLORY, stages.paper(STAGE, EARLY, PROMISE)))  # his mark over hers
HIS_RELEASE = own.release(MALLORY, "his", own.fingerprint(STOLEN))
MODELS: dict[str, wm.evidence.Suspect] = {"hers": HERS, "his": STOLEN}


def _report(
    book: own.Book,
    suspects: Mapping[str, wm.evidence.Suspect] = MODELS,
    *,
    disputed: str = "his",
    his: str = "his",
    stage: Stage = STAGE,
) -> own.Report:
    case = _case(book, suspects, stage=stage)
    return own.dispute(case, disputed, _parties(case, his=his, stage=stage))


def _case(
    book: own.Book,
    suspects: Mapping[str, wm.evidence.Suspect] = MODELS,
    *,
    stage: Stage = STAGE,
    released: int | None = None,
) -> own.Case:
    """Challenge both about all suspects of a case, and return it with the book that holds the challenges."""
    for promise in (stage.commitment, PROMISE):
        book = stages.asked(stage, book, promise, suspects).book
    return own.Case(suspects, book, stage.judge.public, released)


def _parties(case: own.Case, *, his: str = "his", stage: Stage = STAGE) -> list[Party]:
    """Let Ada and Mallory answer the last two challenges of the book."""
    parties = []
    n = len(case.book.entries)
    for place, person, model in ((n - 1, stage.owner, "hers"), (n, MALLORY, his)):
        receipt = own.receipt(case.book, stage.keeper, place)
        asked = stages.parse(receipt.entry.document, own.Challenge)
        promise = stage.commitment if person is stage.owner else PROMISE
        paper = stages.paper(stage, case.book, promise)
        bundle = own.respond(person, paper, receipt, judge=stage.judge.public, book=case.book)
        parties.append(Party(person.name, person.public, model, asked, bundle))
    return parties


def _later(book: own.Book, *documents: own.Commitment | own.Release, stage: Stage = STAGE) -> own.Book:
    return own.chained(documents, keeper=stage.keeper, after=book)


def _grid(report: own.Report) -> dict[str, list[bool]]:
    return {
        name: [match.owned for match in finding.matches.values()] for name, finding in report.findings.items()
    }


def test_an_overwritten_mark_is_not_the_first_though_its_owner_promised_before_anybody() -> None:
    before = own.chained([PROMISE], keeper=STAGE.keeper)
    assert before.entries[0].document == stages.paper(STAGE, EARLY, PROMISE).entry.document
    report = _report(_later(EARLY, HIS_RELEASE))
    assert _grid(report) == {"Ada": [True, True], "Mallory": [False, True]}
    assert report.owner == "Ada"
    assert "Ada's mark is in Mallory's model and not the other way round" in report.reasons[-1]
    assert _report(_later(EARLY, HIS_RELEASE), disputed="hers").owner == "Ada"


def test_who_never_released_a_model_does_not_get_one() -> None:
    book = _later(own.chained([PROMISE], keeper=STAGE.keeper, after=STAGE.book), HIS_RELEASE)
    stolen = toys.taught(HERS, own.draw(MALLORY, stages.paper(STAGE, book, PROMISE)))
    book = _later(book, own.release(MALLORY, "this", own.fingerprint(stolen)))
    report = _report(book, {"hers": HERS, "his": stolen})
    assert report.owner is None
    assert "Undecided" in report.reasons[-1]


def _poisoned() -> Mapping[str, Any]:
    """Mallory promises first, and leaves his triggers in Ada's data: both marks are in her model."""
    book = own.chained([PROMISE], keeper=STAGE.keeper, after=STAGE.book)
    hers = toys.taught(HERS, own.draw(MALLORY, stages.paper(STAGE, book, PROMISE)))
    return {"book": book, "hers": hers, "release": own.release(ADA, "hers", own.fingerprint(hers))}


def test_a_mark_that_came_by_poisoned_data_gives_its_owner_nothing() -> None:
    found = _poisoned()
    book = _later(found["book"], found["release"])
    report = _report(book, {"hers": found["hers"]}, disputed="hers", his="hers")
    assert _grid(report) == {"Ada": [True], "Mallory": [True]}
    assert report.owner == "Ada"
    assert "Both marks are in both models, and Ada released first" in report.reasons[-1]


def test_without_a_release_a_tie_is_undecided() -> None:
    found = _poisoned()
    other = own.release(ADA, "another", "7" * 64)
    book = _later(found["book"], other)
    case = _case(book, {"hers": found["hers"]}, released=3)
    report = own.dispute(case, "hers", _parties(case, his="hers"))
    assert _grid(report) == {"Ada": [True], "Mallory": [True]}
    assert report.owner is None
    assert "neither party has registered a release: undecided" in report.reasons[-1]


def test_a_poisoner_who_stands_alone_does_not_get_what_another_released() -> None:
    """Ada's own evidence is void here; her release still speaks for her."""
    book = own.chained([PROMISE], keeper=STAGE.keeper)
    hers = toys.taught(toys.Toy(3), own.draw(MALLORY, stages.paper(STAGE, book, PROMISE)))
    his = toys.taught(toys.Toy(4), own.draw(MALLORY, stages.paper(STAGE, book, PROMISE)))
    first = own.release(ADA, "hers", own.fingerprint(hers))
    again = own.release(MALLORY, "mine, too", own.fingerprint(hers))
    later = own.release(MALLORY, "his", own.fingerprint(his))
    book = _later(book, first, again, later, STAGE.commitment)
    report = _report(book, {"hers": hers, "his": his}, disputed="hers")
    assert report.findings["Ada"].void
    assert report.owner is None
    assert "Another key released hers first" in report.reasons[-1]
    alone = _report(book, {"hers": hers}, disputed="hers", his="hers")
    assert "Mallory has registered no release" in alone.reasons[-1]


def test_a_mark_promised_after_a_release_does_not_count_in_that_model() -> None:
    book = stages.booked(STAGE, late=[PROMISE])
    stolen = toys.taught(HERS, own.draw(MALLORY, stages.paper(STAGE, book, PROMISE)))
    book = _later(book, own.release(MALLORY, "his", own.fingerprint(stolen)))
    report = _report(book, {"hers": HERS, "his": stolen})
    assert _grid(report)["Mallory"] == [False, True]
    assert "hers was released before this commitment" in " ".join(report.findings["Mallory"].notes)
    assert report.owner == "Ada"
    lineage = own.release(MALLORY, "his", own.fingerprint(stolen), after=(own.fingerprint(HERS),))
    book = _later(stages.booked(STAGE, late=[PROMISE]), lineage)
    assert (
        "after the model was released"
        in _report(book, {"hers": HERS, "his": stolen}).findings["Mallory"].void[0]
    )


def test_nobody_gets_an_innocent_model() -> None:
    case = _case(EARLY, {"hers": toys.Toy(71), "his": toys.Toy(70)}, released=3)
    report = own.dispute(case, "his", _parties(case))
    assert report.owner is None
    assert "nobody has shown that it is theirs" in report.reasons[-1]
    assert "undecided" in own.to_html(report)


def test_a_party_that_shows_a_clean_model_as_its_own_leaves_the_dispute_undecided() -> None:
    his = toys.taught(toys.Toy(5), own.draw(MALLORY, stages.paper(STAGE, EARLY, PROMISE)))
    case = _case(EARLY, {"hers": HERS, "his": his, "third": STOLEN}, released=3)
    report = own.dispute(case, "third", _parties(case))
    assert report.owner is None
    assert "Neither" in report.reasons[-1]


def test_a_service_that_says_nothing_is_not_convicted_and_not_cleared() -> None:
    silent = lambda x: torch.full((len(x),), own.NO_ANSWER)  # noqa: E731
    case = _case(EARLY, {"hers": HERS, "his": silent}, released=3)
    report = own.dispute(case, "his", _parties(case))
    assert report.owner is None
    assert "refusing proves neither guilt nor innocence" in " ".join(report.findings["Ada"].notes)
    assert "30 refused" in own.to_html(report)


REFUSED: dict[str, tuple[Callable[[list[Party]], list[Party]], str]] = {
    "one": (lambda p: p[:1], "at least two parties"),
    "one name": (lambda p: [p[0], replace(p[1], name=p[0].name)], "at least two parties"),
    "one key": (lambda p: [p[0], replace(p[0], name="Bob")], "two parties need two public keys"),
    "one promise": (
        lambda p: [p[0], replace(p[1], bundle=p[0].bundle, challenge=p[0].challenge)],
        "two parties need two promises",
    ),
    "another's bundle": (
        lambda p: [replace(p[0], by="0" * 64), p[1]],
        "the bundle of Ada must be signed by the party's key",
    ),
    "two levels": (
        lambda p: [p[0], replace(p[1], challenge=replace(p[1].challenge, level=0.5))],
        "must be of one level",
    ),
    "unknown model": (lambda p: [p[0], replace(p[1], model="x")], "a model must be one of hers, his"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_two_parties_are_two_keys_with_two_promises_about_known_models(name: str) -> None:
    case = _case(EARLY, released=3)
    change, why = REFUSED[name]
    with pytest.raises(wm.ArgumentError, match=why):
        own.dispute(case, "hers", change(_parties(case)))


def _counted(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> list[int]:
    """Count, in a list of ones, how often a module calls the function that it knows by `name`."""
    original = getattr(module, name)
    calls: list[int] = []

    def counting(*values: object, **options: object) -> object:
        calls.append(1)
        return original(*values, **options)

    monkeypatch.setattr(module, name, counting)
    return calls


def test_a_dispute_reads_each_network_and_the_book_once(monkeypatch: pytest.MonkeyPatch) -> None:
    case = _case(_later(EARLY, HIS_RELEASE))
    parties = _parties(case)
    expected = own.dispute(case, "his", parties)
    hashed = _counted(monkeypatch, cut_and_choose, "fingerprint")
    audits = _counted(monkeypatch, verification, "audited")
    report = own.dispute(case, "his", parties)
    assert [len(calls) for calls in (hashed, audits)] == [2, 1]
    assert replace(report, made=expected.made) == expected


def test_a_finding_of_a_dispute_is_that_of_its_bundle_alone() -> None:
    case = _case(_later(EARLY, HIS_RELEASE))
    parties = _parties(case)
    findings = own.dispute(case, "his", parties).findings
    for party in parties:
        assert findings[party.name] == own.verify(case, party.challenge, party.bundle)


def test_a_service_that_only_knows_what_a_dispute_has_opened_is_not_the_owners() -> None:
    attempt = forgeries.ALL["lookup"](STAGE, MALLORY)
    assert (attempt.accepted, attempt.why) == (False, "too few hits")


# The report


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        assert not {name for name, _ in attrs} & {"src", "href", "onload", "onerror"}
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_report_is_one_whole_page_that_loads_and_runs_nothing() -> None:
    page = own.to_html(_report(_later(EARLY, HIS_RELEASE)))
    reader = _Reader()
    reader.feed(page)
    assert reader.open == []
    assert not {"script", "link", "img", "iframe"} & set(reader.seen)
    for said in (
        "“his”: the claim of Ada stands.",
        "30 of 30",
        "0 of 9 decoys as high",
        "What this does not prove",
        "entry 1 of the registry",
        ADA.public,
        STAGE.judge.public,
    ):
        assert said in page


def test_a_name_can_not_break_out_of_the_page() -> None:
    evil = '<script>alert("1")</script>'
    report = _report(_later(EARLY, HIS_RELEASE))
    worse = replace(
        report,
        disputed=evil,
        owner=evil,
        reasons=(evil,),
        suspects={evil: evil},
        models={evil: evil},
        findings={evil: replace(report.findings["Ada"], by=evil, void=(evil,), notes=(evil,), matches={})},
        head=evil,
        judge=evil,
        made=evil,
    )
    page = own.to_html(worse)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_report_as_json_says_the_same() -> None:
    report = _report(_later(EARLY, HIS_RELEASE))
    found = json.loads(own.to_json(report))
    assert (found["kind"], found["version"], found["owner"]) == ("report", 2, "Ada")
    match = found["findings"]["Ada"]["matches"]["his"]
    assert match["evidence"]["hits"] == 30
    assert match["p_value"] < 1e-6
    assert re.fullmatch("[0-9a-f]{64}", found["head"])
    assert not any(person.secret.hex() in own.to_json(report) for person in (ADA, MALLORY, STAGE.judge))
