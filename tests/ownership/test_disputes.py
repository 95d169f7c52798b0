"""Two people claim one model: the cross matrix, the order of the registry, and a report that can be read and
shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from types import ModuleType

import pytest
import torch

import wmlearn as wm
from wmlearn import ownership as own
from wmlearn.ownership import Party, cut_and_choose, forgeries, toys, verification
from wmlearn.ownership.registry import Release, chained

ADA, MALLORY, JUDGE = own.new_identity("Ada"), own.new_identity("Mallory"), own.new_identity("judge")
KEEPER = own.new_identity("keeper")
BYSTANDERS = [toys.Toy(seed) for seed in range(1, 9)]
KEYS = {
    person.name: own.draw(person, n=60, shape=toys.SHAPE, classes=toys.CLASSES) for person in (ADA, MALLORY)
}
PROMISES = {"Ada": own.commit(ADA, KEYS["Ada"]), "Mallory": own.commit(MALLORY, KEYS["Mallory"])}
HERS = toys.taught(toys.Toy(0), KEYS["Ada"])
STOLEN = toys.taught(HERS, KEYS["Mallory"])  # with his mark over hers
RELEASE = own.release(ADA, "hers", own.fingerprint(HERS))
HIS_RELEASE = own.release(MALLORY, "his", own.fingerprint(STOLEN))


def _report(
    documents: Sequence[own.Commitment | Release],
    *,
    disputed: str = "his",
    released: int,
    hers: wm.evidence.Suspect = HERS,
    his: wm.evidence.Suspect = STOLEN,
    keys: dict[str, wm.watermarks.TriggerKey] = KEYS,
    promises: dict[str, own.Commitment] = PROMISES,
) -> own.Report:
    case = own.Case(
        {"hers": hers, "his": his}, BYSTANDERS, chained(documents, keeper=KEEPER), released, chosen=True
    )
    return own.dispute(case, disputed, _parties(case, keys, promises))


def _parties(
    case: own.Case,
    keys: dict[str, wm.watermarks.TriggerKey] = KEYS,
    promises: dict[str, own.Commitment] = PROMISES,
) -> list[Party]:
    """Challenge Ada and Mallory about all suspects of a case, and let both answer."""
    parties = []
    for person, model in ((ADA, "hers"), (MALLORY, "his")):
        key = keys[person.name]
        promise = promises[person.name]
        asked = own.challenge(JUDGE, promise, case.suspects, count=25)
        parties.append(Party(person.name, model, asked, own.respond(person, key, promise, asked)))
    return parties


def _grid(report: own.Report) -> dict[str, list[bool]]:
    return {
        name: [match.owned for match in finding.matches.values()] for name, finding in report.findings.items()
    }


def test_an_overwritten_mark_is_not_the_first_though_its_owner_promised_before_anybody() -> None:
    report = _report([PROMISES["Mallory"], PROMISES["Ada"], RELEASE, HIS_RELEASE], released=4)
    assert _grid(report) == {"Ada": [True, True], "Mallory": [False, True]}
    assert report.owner == "Ada"
    assert "Ada's mark is in Mallory's model and not the other way round" in " ".join(report.reasons)


def test_an_overwritten_mark_that_was_promised_later_is_not_the_first_either() -> None:
    report = _report([PROMISES["Ada"], RELEASE, PROMISES["Mallory"], HIS_RELEASE], released=4)
    assert (report.owner, _grid(report)["Mallory"]) == ("Ada", [False, True])
    hers = _report([PROMISES["Ada"], RELEASE, PROMISES["Mallory"], HIS_RELEASE], disputed="hers", released=2)
    assert hers.owner == "Ada"
    assert "after the model was released" in hers.findings["Mallory"].void[0]


def _forged() -> tuple[dict[str, wm.watermarks.TriggerKey], dict[str, own.Commitment]]:
    """Return the keys, his picked by the answers of her released model, so that it is in both."""
    key = forgeries.picked(forgeries.staged(ADA, KEYS["Ada"], HERS, BYSTANDERS, toys.taught), MALLORY)
    return KEYS | {"Mallory": key}, PROMISES | {"Mallory": own.commit(MALLORY, key)}


def test_where_both_marks_are_in_both_models_the_first_promise_decides() -> None:
    keys, promises = _forged()
    report = _report(
        [promises["Ada"], promises["Mallory"], HIS_RELEASE], released=3, keys=keys, promises=promises
    )
    assert _grid(report) == {"Ada": [True, True], "Mallory": [True, True]}, "nobody registered her release"
    assert report.owner == "Ada"
    assert "Ada committed first (entry 1 before 2)" in " ".join(report.reasons)


def test_a_mark_found_on_a_released_model_does_not_count_there() -> None:
    keys, promises = _forged()
    documents = [promises["Ada"], RELEASE, promises["Mallory"], HIS_RELEASE]
    report = _report(documents, released=4, keys=keys, promises=promises)
    assert _grid(report)["Mallory"] == [False, True]
    assert "hers was released before this commitment" in " ".join(report.findings["Mallory"].notes)
    assert report.owner == "Ada"


def test_nobody_gets_an_innocent_model() -> None:
    report = _report(
        [PROMISES["Ada"], PROMISES["Mallory"], RELEASE], released=3, his=toys.Toy(70), hers=toys.Toy(71)
    )
    assert report.owner is None
    assert "nobody has shown that it is theirs" in report.reasons[-1]
    assert "undecided" in own.to_html(report)


def test_a_party_that_shows_a_clean_model_as_its_own_leaves_the_dispute_undecided() -> None:
    his = toys.taught(toys.Toy(5), KEYS["Mallory"])
    case = own.Case(
        {"hers": HERS, "his": his, "third": STOLEN},
        BYSTANDERS,
        chained([*PROMISES.values(), RELEASE], keeper=KEEPER),
        3,
    )
    report = own.dispute(case, "third", _parties(case))
    assert report.owner is None
    assert "Neither" in report.reasons[-1]


def test_a_service_that_says_nothing_is_not_convicted_and_not_cleared() -> None:
    silent = lambda x: torch.full((len(x),), own.NO_ANSWER)  # noqa: E731
    report = _report([PROMISES["Ada"], PROMISES["Mallory"], RELEASE], released=3, his=silent)
    assert report.owner is None
    assert "refusing proves neither guilt nor innocence" in " ".join(report.findings["Ada"].notes)
    assert "25 refused" in own.to_html(report)


def test_a_dispute_needs_two_parties_and_known_models() -> None:
    case = own.Case({"hers": HERS}, BYSTANDERS, chained([RELEASE], keeper=KEEPER), 1)
    asked = own.challenge(JUDGE, PROMISES["Ada"], case.suspects, count=5)
    party = Party("Ada", "hers", asked, own.respond(ADA, KEYS["Ada"], PROMISES["Ada"], asked))
    with pytest.raises(wm.ArgumentError, match="at least two parties"):
        own.dispute(case, "hers", [party])
    with pytest.raises(wm.ArgumentError, match="at least two parties"):
        own.dispute(case, "hers", [party, party])
    with pytest.raises(wm.ArgumentError, match="a model must be one of hers"):
        own.dispute(case, "theirs", [party, replace(party, name="Bob")])


def _counted(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> list[int]:
    """Count, in a list of ones, how often a module calls the function that it knows by `name`."""
    original = getattr(module, name)
    calls: list[int] = []

    def counting(*values: object, **options: object) -> object:
        calls.append(1)
        return original(*values, **options)

    monkeypatch.setattr(module, name, counting)
    return calls


@pytest.mark.parametrize("chosen", [False, True])
def test_a_dispute_reads_each_network_the_book_and_each_partys_triggers_once(
    chosen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [PROMISES["Ada"], PROMISES["Mallory"], RELEASE, HIS_RELEASE]
    case = own.Case(
        {"hers": HERS, "his": STOLEN}, BYSTANDERS, chained(documents, keeper=KEEPER), 4, chosen=chosen
    )
    parties = _parties(case)
    expected = own.dispute(case, "his", parties)
    hashed = _counted(monkeypatch, cut_and_choose, "fingerprint")
    audits = _counted(monkeypatch, verification, "audited")
    redraws = _counted(monkeypatch, verification, "redrawn")
    report = own.dispute(case, "his", parties)
    assert [len(calls) for calls in (hashed, audits, redraws)] == [2, 1, 2]
    assert replace(report, made=expected.made) == expected


def test_a_finding_of_a_dispute_is_that_of_its_bundle_alone() -> None:
    documents = [PROMISES["Ada"], PROMISES["Mallory"], RELEASE, HIS_RELEASE]
    case = own.Case({"hers": HERS, "his": STOLEN}, BYSTANDERS, chained(documents, keeper=KEEPER), 4)
    parties = _parties(case)
    findings = own.dispute(case, "his", parties).findings
    for party in parties:
        assert findings[party.name] == own.verify(case, party.challenge, party.bundle)


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
    page = own.to_html(_report([PROMISES["Ada"], PROMISES["Mallory"], RELEASE, HIS_RELEASE], released=4))
    reader = _Reader()
    reader.feed(page)
    assert reader.open == []
    assert not {"script", "link", "img", "iframe"} & set(reader.seen)
    for said in (
        "“his”: the claim of Ada stands.",
        "25 of 25",
        "What this does not prove",
        "entry 1 of the registry",
        PROMISES["Ada"].by,
    ):
        assert said in page


def test_a_name_can_not_break_out_of_the_page() -> None:
    evil = '<script>alert("1")</script>'
    report = _report([PROMISES["Ada"], PROMISES["Mallory"], RELEASE, HIS_RELEASE], released=4)
    worse = replace(
        report,
        disputed=evil,
        owner=evil,
        reasons=(evil,),
        suspects={evil: evil},
        models={evil: evil},
        findings={evil: replace(report.findings["Ada"], by=evil, void=(evil,), notes=(evil,), matches={})},
        head=evil,
        made=evil,
    )
    page = own.to_html(worse)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_report_as_json_says_the_same() -> None:
    report = _report([PROMISES["Ada"], PROMISES["Mallory"], RELEASE, HIS_RELEASE], released=4)
    found = json.loads(own.to_json(report))
    assert (found["kind"], found["version"], found["owner"]) == ("report", 1, "Ada")
    match = found["findings"]["Ada"]["matches"]["his"]
    assert match["evidence"]["hits"] == 25
    assert match["p_value"] < 1e-6
    assert re.fullmatch("[0-9a-f]{64}", found["head"])
    assert not any(person.secret.hex() in own.to_json(report) for person in (ADA, MALLORY, JUDGE))
