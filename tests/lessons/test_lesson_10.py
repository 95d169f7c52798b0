"""Notebook 10: its versions equal the package's, its claims end as told, and the pictures and the dial say
what they are given.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
import torch
from scipy.stats import binom

import wmlearn as wm
from wmlearn import ownership as own
from wmlearn.course.lessons import exercises_10, lesson_10
from wmlearn.course.lessons.lesson_10 import power_dial
from wmlearn.evidence import answers, significance
from wmlearn.experiments import shipped
from wmlearn.experiments.false_claims import p_values
from wmlearn.ownership import forgeries, merkle
from wmlearn.plots import ownership as plots_claims
from wmlearn.plots.canvas import png

ADA, YOU = lesson_10.person("Ada"), lesson_10.person("you")
CPU = torch.device("cpu")
MODELS = lesson_10.networks(CPU)
KEY = lesson_10.drawn(YOU, CPU)


@pytest.mark.parametrize("n", [10, 50, 100])
def test_the_exact_rule_is_the_packages_and_keeps_its_promise(n: int) -> None:
    lines = exercises_10.lines("exact", 0.1, 1e-3, [n])
    assert lines == [(n, significance.hits_needed(n, 0.1, 1e-3))]
    assert [exercises_10.broken([(n, hits)], 0.1, 1e-3) for hits in (lines[0][1] - 1, lines[0][1])] == [1, 0]


def test_the_librarys_line_convicts_the_innocent_as_often_as_the_text_says() -> None:
    assert exercises_10.lines("one less", 0.1, 1e-3, [10]) == [(10, 5)]
    assert round(float(binom.sf(4, 10, 0.1)), 4) == 0.0016


@pytest.mark.parametrize("seed", range(20))
def test_the_correction_built_in_the_lesson_equals_the_packages(seed: int) -> None:
    hits = torch.randint(5, 25, (12,), generator=torch.Generator().manual_seed(seed)).tolist()
    evidences = [wm.Evidence("a scheme", "labels", h, 100, 0.1) for h in hits]
    stand = exercises_10.holm(torch.tensor([e.p_value for e in evidences], dtype=torch.float64), 0.05)
    verdicts = {h: verdict.owned for h, verdict in zip(hits, significance.holm(evidences, 0.05), strict=True)}
    assert [verdicts[h] for h in hits] == stand.tolist()


def test_the_root_built_in_the_lesson_is_what_a_commitment_holds() -> None:
    leaves = exercises_10.leaves(KEY)
    assert len(leaves) == 128
    assert exercises_10.root(leaves) == merkle.levels(leaves)[-1][0]
    assert exercises_10.root(leaves).hex() == own.commit(YOU, KEY).root


def test_shipped_claims_give_a_p_value_for_every_key_and_network() -> None:
    (row,) = shipped("false-claims").where(scheme="adi2018")
    p = p_values(row, "binomial")
    assert p.shape == (200, 32)
    assert float(p[0, 0]) == pytest.approx(
        wm.Evidence("adi2018", "labels", row["hits"][0][0], 100, 0.1).p_value
    )


def _court() -> tuple[own.Registry, own.Commitment, own.Entry]:
    """Return a registry with an honest promise of yours, then the release of the second network."""
    book, promise = lesson_10.registry(), own.commit(YOU, KEY, made=lesson_10.TODAY)
    bob = own.release(
        lesson_10.person("Bob"), "Bob's network", own.fingerprint(MODELS[1]), made=lesson_10.TODAY
    )
    receipts = own.register(book, promise, bob)
    return book, promise, receipts[-1].entry


def test_whoever_frames_an_innocent_network_is_caught_each_time_for_the_right_reason() -> None:
    bob, innocent = MODELS[1], wm.bystanders.shipped("mnist")
    framed = lesson_10.fitted(KEY, bob)
    assert lesson_10.SCHEME.verify(bob, framed).rate == 1
    book, honest, release = _court()
    late = own.commit(YOU, framed, made=lesson_10.TODAY)
    own.register(book, late)
    case = own.Case({"Bob's network": bob}, innocent, own.read_book(book), release.number)
    assert (
        lesson_10.heard(case, YOU, framed, late).void[0]
        == "it was committed to (entry 3) after the model was released (entry 2)"
    )
    swapped = lesson_10.swapped(case, YOU, KEY, honest, bob)
    assert "opened triggers or labels are not those committed to" in swapped.void[0]
    assert lesson_10.stopped_by(swapped) == "opened triggers or labels are not those committed to"
    assert lesson_10.stopped_by(lesson_10.heard(case, YOU, KEY, honest)) == "too few hits"


def test_a_swapped_registry_is_found_and_the_original_stays_sound() -> None:
    book, _, _ = _court()
    own.register(book, own.commit(YOU, lesson_10.fitted(KEY, MODELS[0]), made=lesson_10.TODAY))
    assert own.audit(book).faults == ()
    assert own.audit(lesson_10.tampered(book)).faults == (
        "entry 1: its content is not what was hashed",
        "entry 3: its content is not what was hashed",
    )
    rows = lesson_10.shown(book, ["Bob", "you"])
    assert [row[:3] for row in rows] == [
        ["1", "you", "commits to a key"],
        ["2", "Bob", "releases Bob's network"],
        ["3", "you", "commits to a key"],
    ]


def test_everybody_sees_the_same_triggers_opened() -> None:
    promise = own.commit(YOU, KEY, made=lesson_10.TODAY)
    one, two = (lesson_10.asks(promise, {"Bob's network": MODELS[1]}) for _ in range(2))
    assert one == two
    assert len(own.named(one, promise.n)) == lesson_10.OPENED


def test_a_shop_answers_as_its_network_does() -> None:
    with lesson_10.shop(MODELS[0]) as (shop, way):
        assert way == "HTTP"
        assert answers(shop, KEY.x).equal(answers(MODELS[0], KEY.x))


def test_without_a_web_server_a_function_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson_10, "find_spec", lambda name: None)
    with lesson_10.shop(MODELS[0]) as (shop, way):
        assert way.startswith("a function")
        assert answers(shop, KEY.x).equal(answers(MODELS[0], KEY.x))


def test_forgers_fail_and_the_insider_does_not() -> None:
    stage = forgeries.toy_stage(ADA)
    attempts = lesson_10.forged(stage, YOU)
    reasons = {name: lesson_10.stopped_by(attempt.finding) for name, attempt in attempts.items()}
    assert "nothing: the claim stands" not in reasons.values()
    assert reasons["universal"] == "it can prove nothing"
    assert lesson_10.stopped_by(lesson_10.insider(stage, YOU)) == "nothing: the claim stands"


def test_the_report_is_shown_in_a_frame_that_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, str]] = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    finding = own.Finding("0" * 64, 0, 0.0, ("<b>void</b>",), {})
    models = {"<i>one</i>": "one"}
    report = own.Report(
        lesson_10.TODAY,
        "<i>one</i>",
        models,
        {"Ada": "<i>one</i>"},
        1e-3,
        "",
        {"Ada": finding},
        None,
        ("because.",),
    )
    lesson_10.show_report(report)
    page = shown[0]["text/html"]
    assert page.startswith("<iframe sandbox srcdoc=")
    assert page.count("<") == page.count(">") == 2
    assert shown[0]["text/plain"].endswith("undecided. because.")
    assert "Ada's mark: evidence void" in plots_claims.cross.says(report)
    assert png(plots_claims.cross, report)[0].startswith(b"\x89PNG")


def test_in_the_committed_notebook_ada_wins_and_carols_evidence_is_void() -> None:
    (path,) = (Path(__file__).resolve().parents[2] / "notebooks").glob("10_*.ipynb")
    book = nbformat.read(path, 4)
    said = "\n".join(
        o.data.get("text/plain", "") for c in book.cells for o in c.get("outputs", []) if "data" in o
    )
    assert "“the one on sale”: the claim of Ada stands." in said
    assert (
        "Carol's evidence is void: it was committed to (entry 7) after the model was released (entry 6)."
        in said
    )
    assert "Ada's mark is in Mallory's model and not the other way round" in said


def test_the_dial_moves_with_each_of_its_sliders() -> None:
    dial = power_dial()
    level, opened, left, picture, sentence = dial.children
    assert sentence.value.startswith("30 triggers opened, 70 % of the mark left, level 0.001")
    for slider, value in ((level, 0.05), (opened, 77), (left, 20)):
        before = picture.value, sentence.value
        slider.value = value
        assert (picture.value != before[0], sentence.value != before[1]) == (True, True)
    assert sentence.value.startswith("77 triggers opened, 20 % of the mark left, level 0.05")
