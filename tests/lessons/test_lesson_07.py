"""Notebook 07: the versions built in the lesson equal the package's, and the pictures and the dial say what
they are given.
"""

from __future__ import annotations

import pytest
import torch
from torch import nn

import wmlearn as wm
from wmlearn.course.lessons import exercises_07, lesson_07
from wmlearn.course.lessons.lesson_07 import key_dial
from wmlearn.evidence import bystanders
from wmlearn.experiments import shipped
from wmlearn.plots import keys as plots_marks
from wmlearn.watermarks import secret as draw
from wmlearn.watermarks.trigger_set import ONE_LABEL, bystanders_rate


@pytest.fixture(scope="module")
def strangers() -> list[nn.Module]:
    return lesson_07.strangers(torch.device("cpu"))


@pytest.mark.parametrize("seed", range(5))
def test_the_stamp_built_in_the_lesson_equals_the_packages(seed: int, few: wm.Samples) -> None:
    secret = draw.secret_of(seed, None)
    assert exercises_07.stamp(few.x, secret).equal(wm.watermarks.Gu2017().stamp(few.x, secret))


def test_the_chance_measured_in_the_lesson_equals_the_packages(few: wm.Samples) -> None:
    models = bystanders.shipped("mnist")
    answers = torch.stack([lesson_07.read(model, few.x) for model in models])
    wanted = torch.full((len(few),), 3)
    assert exercises_07.innocent_chance(answers, wanted) == bystanders_rate(few.x, wanted, models)


@pytest.mark.parametrize(("n", "chance", "alpha"), [(100, 0.1, 1e-3), (43, 0.31, 1e-6), (10, 0.1, 0.05)])
def test_the_line_of_the_lesson_is_where_the_judge_changes_his_mind(
    n: int, chance: float, alpha: float
) -> None:
    line = exercises_07.hits_needed(n, chance, alpha)
    verdicts = [
        wm.judge(wm.Evidence("a scheme", "labels", hits, n, chance), alpha).owned for hits in (line - 1, line)
    ]
    assert verdicts == [False, True]


def test_the_line_lies_where_published_tables_have_it() -> None:
    assert [exercises_07.hits_needed(n, 0.1, 1e-3) for n in (20, 30, 50, 100, 250)] == [8, 10, 14, 21, 42]


def test_every_innocent_reads_the_colleagues_letter_as_she_labels_it(
    few: wm.Samples, strangers: list[nn.Module]
) -> None:
    key = lesson_07.colleagues_key(few)
    said = torch.stack([lesson_07.read(network, key.x) for network in strangers])
    assert ((said == key.y).float().mean(1) > 0.7).all()
    by_lot, one_label = lesson_07.hits_by_labels(said).values()
    assert abs(sum(by_lot) / len(by_lot) - 10) < 0.5
    assert max(one_label) > 70
    assert "83 to 98 %" in plots_marks.innocent_answers.says(key.x, said, key.classes)


def test_rivals_want_the_same_label_and_would_have_taken_it(
    few: wm.Samples, strangers: list[nn.Module]
) -> None:
    scheme = lesson_07.SCHEMES["letter"]
    mark = wm.Marked(
        scheme, scheme.keygen(strangers[0], few, seed=7), strangers[0], wm.TrainLog(wm.Recipe(), "fp32")
    )
    rivals = lesson_07.rivals(mark, few)
    assert len(rivals) == lesson_07.N_RIVALS
    assert {label for rival in rivals for label in rival.y.tolist()} == set(mark.key.y.tolist())
    assert all(rival.chance == ONE_LABEL and not rival.x.equal(mark.key.x) for rival in rivals)
    trial = lesson_07.try_mark(mark, few, strangers)  # it was never marked
    assert max(trial.marked, *trial.strangers, *trial.wrong) < 40
    assert trial.marked < trial.needed


def test_rivals_by_lot_have_labels_of_their_own(few: wm.Samples, strangers: list[nn.Module]) -> None:
    scheme = lesson_07.SCHEMES["abstract, by lot"]
    mark = wm.Marked(
        scheme, scheme.keygen(strangers[0], few, seed=7), strangers[0], wm.TrainLog(wm.Recipe(), "fp32")
    )
    assert not any(rival.y.equal(mark.key.y) for rival in lesson_07.rivals(mark, few))


def test_the_dial_moves_with_its_sliders() -> None:
    dial = key_dial(shipped("key-size").rows)
    size, known, picture, sentence = dial.children
    before = picture.value, sentence.value
    size.value, known.value = 20, 30
    assert sentence.value.startswith("A key of 20, of which a suspect knows 6")
    assert (picture.value, sentence.value) != before
