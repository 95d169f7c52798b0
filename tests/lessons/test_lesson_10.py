"""Notebook 10: its versions equal the package's, its claims end as told, and the pictures and the dial say
what they are given.
"""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
import torch

import wmlearn as wm
from wmlearn import ownership as own
from wmlearn.course.lessons import exercises_10, lesson_10
from wmlearn.course.lessons.lesson_10 import power_dial
from wmlearn.evidence import answers, significance
from wmlearn.experiments import shipped
from wmlearn.experiments.false_claims import p_values
from wmlearn.ownership import commitment, forgeries, merkle, stages
from wmlearn.plots import ownership as plots_claims
from wmlearn.plots.canvas import picture

ADA, YOU = lesson_10.person("Ada"), lesson_10.person("you")
CPU = torch.device("cpu")
MODELS = lesson_10.networks(CPU)
KEY = lesson_10.drawn(YOU, CPU)


@pytest.mark.parametrize("seed", range(20))
def test_the_correction_built_in_the_lesson_equals_the_packages(seed: int) -> None:
    hits = torch.randint(5, 25, (12,), generator=torch.Generator().manual_seed(seed)).tolist()
    evidences = [wm.Evidence("a scheme", "labels", h, 100, 0.1) for h in hits]
    stand = exercises_10.holm(torch.tensor([e.p_value for e in evidences], dtype=torch.float64), 0.05)
    verdicts = {h: verdict.owned for h, verdict in zip(hits, significance.holm(evidences, 0.05), strict=True)}
    assert [verdicts[h] for h in hits] == stand.tolist()


@pytest.mark.parametrize("n", [2, 8, 128])
def test_the_climb_built_in_the_lesson_is_the_packages_and_ends_where_a_commitment_does(n: int) -> None:
    promise = own.commit(YOU, n=n, shape=(1, 28, 28), classes=10, made=lesson_10.TODAY)
    leaves = commitment.leaves(YOU.public, commitment.seeds(YOU, "adi2018", "", n))
    tree = merkle.levels(leaves)
    for index in {0, 1, n // 2, n - 1}:
        siblings = merkle.path(tree, index)
        found = exercises_10.climb(leaves[index], index, list(siblings))
        assert found.hex() == promise.root
        assert found == merkle.climb(leaves[index], index, n, siblings)
        assert exercises_10.climb(leaves[index], index ^ 1, list(siblings)) != found


def test_the_networks_of_the_grinding_are_four_twelve_and_twenty_all_different() -> None:
    public = lesson_10.public(CPU)
    everyone = [*public.judges, *public.mine, *public.innocents]
    assert [len(public.judges), len(public.mine), len(public.innocents)] == [4, 12, 20]
    assert len({own.fingerprint(network) for network in everyone}) == 36
    assert own.fingerprint(public.innocents[0]) == own.fingerprint(MODELS[1])  # Bob's
    plain = own.fingerprint(MODELS[0])
    assert plain not in {own.fingerprint(network) for network in everyone}


def test_a_rule_that_robs_an_honest_man_does_not_count_and_ours_beats_the_courts() -> None:
    robs = lesson_10.weighed(lambda hers, his: "Ada")
    assert not robs.valid
    assert robs.says.endswith("Asked for: no honest network to Ada.")
    assert not lesson_10.weighed(lambda hers, his: "Carol").valid
    ours = lesson_10.weighed(lesson_10.ours)
    courts = lesson_10.weighed(lesson_10.court)
    assert ours.valid
    assert courts.valid
    assert ours.value < courts.value
    assert lesson_10.CHALLENGE.ours == ours.value


def test_the_rule_called_the_courts_is_what_the_court_said_each_time() -> None:
    for row in shipped("lost-case").rows:
        assert lesson_10.court(row["hers_in_his"], row["his_in_his"]) == row["owner"]


def test_shipped_claims_give_a_p_value_for_every_key_and_network() -> None:
    (row,) = shipped("false-claims").where(scheme="adi2018")
    p = p_values(row, "binomial")
    assert p.shape == (200, 32)
    assert float(p[0, 0]) == pytest.approx(
        wm.Evidence("adi2018", "labels", row["hits"][0][0], 100, 0.1).p_value
    )


BOB = lesson_10.person("Bob")


def _releases() -> list[own.Release]:
    return [
        lesson_10.released(ADA, "Ada's network", MODELS[0]),
        lesson_10.released(BOB, "Bob's network", MODELS[1]),
    ]


def test_whoever_frames_an_innocent_network_is_caught_each_time_for_the_right_reason() -> None:
    bob = MODELS[1]
    assert lesson_10.SCHEME.verify(bob, lesson_10.fitted(KEY, bob)).rate == 1
    ada, yours = lesson_10.promise(ADA), lesson_10.promise(YOU)
    book = lesson_10.registered(ada, *_releases(), yours)
    late = lesson_10.heard(book, YOU, {"Bob's network": bob}).finding
    assert late.void == ("it was committed to (entry 4) after the model was released (entry 3)",)
    early = lesson_10.heard(lesson_10.registered(yours, ada, *_releases()), YOU, {"Bob's network": bob})
    swapped = lesson_10.swapped(early, YOU, bob)
    assert swapped.void == ("50 of 50 opened triggers are not those committed to",)
    assert lesson_10.stopped_by(swapped) == "opened triggers are not those committed to"
    assert lesson_10.stopped_by(early.finding) == "too few hits"


def test_a_swapped_registry_is_found_and_the_original_stays_sound() -> None:
    book = lesson_10.registered(lesson_10.promise(ADA), *_releases(), lesson_10.promise(YOU))
    assert own.audited(book).faults == ()
    assert own.audited(lesson_10.tampered(book)).faults == (
        "the entries are not those for which the keeper has signed",
    )
    rows = lesson_10.shown(book, ["Ada", "Bob", "you"])
    assert [row[:3] for row in rows] == [
        ["1", "Ada", "promises a key"],
        ["2", "Ada", "releases Ada's network"],
        ["3", "Bob", "releases Bob's network"],
        ["4", "you", "promises a key"],
    ]


def test_everybody_sees_the_same_keys_and_the_same_triggers_opened() -> None:
    assert torch.equal(KEY.x, lesson_10.drawn(YOU, CPU).x)
    book = lesson_10.registered(lesson_10.promise(YOU), *_releases())
    one, two = (lesson_10.heard(book, YOU, {"Bob's network": MODELS[1]}, release=3) for _ in range(2))
    assert one.bundle == two.bundle
    assert len(one.bundle.openings) == lesson_10.OPENED
    assert one.finding == two.finding


def test_a_shop_answers_as_its_network_does() -> None:
    with lesson_10.shop(MODELS[0]) as (shop, way):
        assert way == "HTTP"
        assert answers(shop, KEY.x).equal(answers(MODELS[0], KEY.x))


def test_without_a_web_server_a_function_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson_10, "find_spec", lambda name: None)
    with lesson_10.shop(MODELS[0]) as (shop, way):
        assert way.startswith("a function")
        assert answers(shop, KEY.x).equal(answers(MODELS[0], KEY.x))


def test_forgers_fail() -> None:
    attempts = lesson_10.forged(stages.toy_stage(ADA, n=60), YOU)
    assert attempts.keys() == forgeries.ALL.keys()
    assert not any(attempt.accepted for attempt in attempts.values())
    assert attempts["lottery"].why == "too few hits"


def test_an_insider_who_never_put_his_mark_in_is_not_believed() -> None:
    assert lesson_10.stopped_by(lesson_10.insider(ADA, YOU, MODELS[0])) == "too few hits"


def test_the_report_is_shown_as_plain_html_that_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, str]] = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw, metadata: shown.append(data))
    finding = own.Finding("0" * 64, 0, 0.0, ("<b>void</b>",), {})
    models = {"<i>one</i>": "one"}
    report = own.Report(
        made=lesson_10.TODAY,
        disputed="<i>one</i>",
        suspects=models,
        models={"Ada": "<i>one</i>"},
        judge="",
        alpha=1e-3,
        size=0,
        head="",
        findings={"Ada": finding},
        owner=None,
        reasons=("because.",),
    )
    lesson_10.show_report(report)
    page = shown[0]["text/html"]
    tags = set(re.findall(r"</?(\w+)", page))
    assert tags == {"div", "h3", "h4", "p", "ul", "li", "table", "tr", "td", "th", "code"}
    assert "&lt;b&gt;void&lt;/b&gt;" in page
    assert shown[0]["text/plain"].endswith("undecided. because.")
    assert "Ada's mark: evidence void" in plots_claims.cross.says(report)
    assert picture(plots_claims.cross, report).png.startswith(b"\x89PNG")


def test_in_the_committed_notebook_ada_wins_and_the_forged_keys_end_as_told() -> None:
    (path,) = (Path(__file__).resolve().parents[2] / "notebooks").glob("10_*.ipynb")
    book = nbformat.read(path, 4)
    said = "\n".join(
        o.data.get("text/plain", "") for c in book.cells for o in c.get("outputs", []) if "data" in o
    )
    assert "“the one on sale”: the claim of Ada stands." in said
    assert "Carol's evidence is void: it was committed to" in said
    assert "Ada's mark is in Mallory's model and not the other way round" in said
    assert "the same, and a nonce" in said


def test_the_dial_moves_with_each_of_its_sliders() -> None:
    dial = power_dial()
    level, opened, left, picture, sentence = dial.children
    assert sentence.value.startswith("30 triggers opened, 70 % of the mark left, level 0.001")
    for slider, value in ((level, 0.05), (opened, 77), (left, 20)):
        before = picture.value, sentence.value
        slider.value = value
        assert (picture.value != before[0], sentence.value != before[1]) == (True, True)
    assert sentence.value.startswith("77 triggers opened, 20 % of the mark left, level 0.05")
