"""Notebook 07: what is built in the lesson equals the package's; what it says of its helpers is so."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import wmlearn as wm
from wmlearn.course.lessons import exercises_07, lesson_07
from wmlearn.course.lessons.lesson_07 import key_dial
from wmlearn.evidence import bystanders, significance
from wmlearn.experiments import shipped
from wmlearn.plots import keys as plots
from wmlearn.watermarks import adi
from wmlearn.watermarks import secret as draw


@pytest.fixture(scope="module")
def strangers() -> list[exercises_07.Ask]:
    return [_asked(model) for model in bystanders.shipped("mnist", 8, 28)]


def _asked(model: torch.nn.Module) -> exercises_07.Ask:
    return lambda x: wm.predict(model, x).argmax(1)


def _abstract_key(number: int) -> tuple[Tensor, Tensor]:
    """Draw a key by the lines of the notebook."""
    secret = draw.secret_of(number, None)
    return adi.abstract(secret, 100, (1, 28, 28)), draw.integers(secret, "labels", 100, 10)


@pytest.mark.parametrize("seed", range(5))
def test_the_stamp_built_in_the_lesson_equals_the_packages(seed: int, few: wm.Samples) -> None:
    secret = draw.secret_of(seed, None)
    assert exercises_07.stamp(few.x, secret).equal(wm.watermarks.Gu2017().stamp(few.x, secret))


def test_the_key_drawn_in_the_lesson_equals_the_packages(few: wm.Samples) -> None:
    x, y = _abstract_key(4)
    key = wm.watermarks.Adi2018().keygen(wm.models.badnet_cnn(), few, seed=4)
    assert key.x.equal(x)
    assert key.y.equal(y)


def test_the_first_pictures_of_a_long_key_are_the_short_one(few: wm.Samples) -> None:
    """The lesson draws Zhang's pictures to learn from together with the key, and marks with the rest."""
    model = bystanders.shipped("mnist")[0]
    for kind in ("content", "unrelated", "noise"):
        short = wm.watermarks.Zhang2018(kind, n=40).keygen(model, few, seed=4)
        long = wm.watermarks.Zhang2018(kind, n=60).keygen(model, few, seed=4)
        assert long.x[:40].equal(short.x)


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
    few: wm.Samples, strangers: list[exercises_07.Ask]
) -> None:
    key = lesson_07.colleagues_key(few)
    said = torch.stack([network(key.x) for network in strangers])
    assert ((said == key.y).float().mean(1) > 0.7).all()
    assert "83 to 98 %" in plots.innocent_answers.says(key.x, said, key.classes)


def test_key_4_is_unlucky_with_the_strangers_of_the_lesson(strangers: list[exercises_07.Ask]) -> None:
    hits = exercises_07.innocents(lambda i: _abstract_key(i + 2), strangers, 3)
    assert hits.shape == (3, 20)
    assert hits.mean(1).argmax() == 1
    assert 13 < hits[1].mean() < 16


def test_over_all_keys_of_a_recipe_the_decoy_test_keeps_its_promise(
    strangers: list[exercises_07.Ask],
) -> None:
    """Each of 40 keys is the owner's in turn, the others are its decoys: at most a share p has p or less."""
    keys = [_abstract_key(i) for i in range(1, 41)]
    answers = [strangers[0](x) for x, _ in keys]
    p = [_p_of(own, keys, answers) for own in range(len(keys))]
    for level in (0.05, 0.1, 0.25, 0.5):
        assert sum(value <= level for value in p) <= level * len(keys)


def _p_of(own: int, keys: list[tuple[Tensor, Tensor]], answers: list[Tensor]) -> float:
    """Return p of a key among the others; a picture is replaced by what the network answers to it."""
    decoys = [i for i in range(len(keys)) if i != own]

    def draw_key(number: int) -> tuple[Tensor, Tensor]:
        i = decoys[number - 1]
        return answers[i], keys[i][1]

    p, _ = exercises_07.decoy_test(lambda said: said, answers[own], keys[own][1], draw_key, len(decoys))
    return p


def test_the_decoy_test_built_in_the_lesson_equals_the_packages(few: wm.Samples) -> None:
    """The package may stop early; asked about all decoys, it comes to the same p-value."""
    scheme = wm.watermarks.Adi2018()
    (model,) = bystanders.shipped("mnist", 8, 9)
    key, *others = (scheme.keygen(model, few, seed=seed) for seed in range(4, 34))
    p, hits = exercises_07.decoy_test(
        _asked(model), key.x, key.y, lambda i: (others[i - 1].x, others[i - 1].y), len(others)
    )
    package = significance.against_keys(scheme, model, key, others, stop=None)
    assert p == package.p_value
    assert hits.tolist() == [scheme.verify(model, other).hits for other in others]


def test_the_dial_moves_with_its_sliders() -> None:
    dial = key_dial(shipped("key-size").rows)
    size, known, picture, sentence = dial.children
    before = picture.value, sentence.value
    size.value, known.value = 20, 30
    assert sentence.value.startswith("A key of 20, of which a suspect knows 6")
    assert (picture.value, sentence.value) != before
