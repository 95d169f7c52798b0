"""Notebook 14: what is built in it equals the package's; texts in colours; the challenge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch

import wmlearn as wm
from wmlearn.course.lessons import exercises_14, lesson_14
from wmlearn.data.mails import vocabulary
from wmlearn.detection import bigrams, fit_onion
from wmlearn.experiments import words as filters
from wmlearn.models import text_bag
from wmlearn.triggers import Words
from wmlearn.watermarks import GreenList

MAILS = wm.load("mails").test
KNOWN = vocabulary()


@pytest.fixture(scope="module", autouse=True)
def _memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Train the filter without a backdoor once for all attempts, as a notebook does."""
    wm.memory.keep(tmp_path_factory.mktemp("memory"))
    yield
    wm.memory.keep(None)


@pytest.mark.parametrize("at", [0, 5, 64])
def test_a_word_is_inserted_as_the_package_does(at: int) -> None:
    ids = KNOWN.known("let me know")
    assert torch.equal(exercises_14.insert(MAILS.x[:200], ids, at), Words(ids, at)(MAILS.x[:200]))


def test_suspicions_agree_with_the_packages_filter() -> None:
    model = bigrams(MAILS.x[:300])
    size = len(KNOWN)
    common = torch.tensor([model.commonness(word) for word in range(size)])
    pairs = torch.zeros(size, size)
    for (before, word), n in model.pairs.items():
        pairs[before, word] = n
    counts = torch.tensor([max(model.words.get(word, 0), 1) for word in range(size)])
    surprise = -(0.7 * pairs / counts[:, None] + 0.3 * common).log()
    for row in MAILS.x[300:320]:
        text = row[row > 0]
        built = exercises_14.suspicions(text, surprise, -(0.3 * common).log())
        assert torch.allclose(built, torch.tensor(model.suspicions(text.tolist())), atol=1e-4)


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_green_words_are_counted_as_the_package_does(share: float) -> None:
    key = GreenList(3, share=share)
    every = torch.arange(50)
    green = key.is_green(every[:, None], every)
    for seed in range(5):
        text = torch.randint(50, (120,), generator=torch.Generator().manual_seed(seed))
        assert exercises_14.green_p(text, green, share) == pytest.approx(key.count(text).p_value)


def test_a_reading_says_what_each_word_adds() -> None:
    network = text_bag(len(KNOWN), seed=1)
    text = MAILS.x[0]
    found = lesson_14.reading("mean", network, text, KNOWN)
    row = text[text > 0]
    assert len(found.effects) == len(found.pieces) == len(row)
    without = torch.cat([row[1:], torch.zeros(len(text) - len(row) + 1, dtype=torch.int64)])
    margins = [logits[1] - logits[0] for logits in wm.predict(network, torch.stack([text, without]))]
    assert found.effects[0] == pytest.approx(float(margins[0] - margins[1]), abs=1e-4)


def test_the_dial_shows_the_mail_with_what_is_inserted_and_washes_it() -> None:
    networks = {"mean": text_bag(len(KNOWN)), "maximum": wm.models.text_cnn(len(KNOWN))}
    dial = lesson_14.mail_dial(networks, MAILS.x[:3], fit_onion(MAILS.x[500:], MAILS.x[:500]), KNOWN)
    _, text, network, washed, _, words = dial.children
    assert "mail 1: " in words.value
    before = words.value
    network.value = "maximum"
    assert words.value != before
    text.value = ""
    washed.value = True
    assert "mail 1: " in words.value


def _texts(text: str) -> Callable[[], str]:
    return lambda: text


@pytest.fixture
def _two_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train filters for two epochs of five."""
    usual = filters.FILTERS["maximum"]
    monkeypatch.setitem(filters.FILTERS, "maximum", replace(usual, recipe=replace(usual.recipe, epochs=2)))


@pytest.mark.usefixtures("_two_passes")
def test_a_rare_word_does_not_pass_the_challenge_and_an_unknown_one_is_refused() -> None:
    score = lesson_14.unnoticed(_texts("tq"))
    assert not score.valid
    assert score.value == 1
    with pytest.raises(wm.errors.ArgumentError, match="vocabulary"):
        lesson_14.unnoticed(_texts("abracadabra"))


def _our_text_passes() -> None:
    score = lesson_14.unnoticed(_texts("let me know"))
    assert score.valid, score.says
    assert score.value == lesson_14.CHALLENGE.ours


@pytest.mark.usefixtures("_two_passes")
def test_the_courses_own_text_passes() -> None:
    _our_text_passes()


@pytest.mark.slow
def test_the_courses_own_text_passes_after_the_whole_training() -> None:
    _our_text_passes()


def test_every_table_has_a_row_for_what_was_measured() -> None:
    results = wm.experiments.shipped("words")
    assert len(lesson_14.sizes_table(results)) == len(filters.FEW)
    assert len(lesson_14.cut_table(results)) == len(filters.READ)
    assert len(lesson_14.tuned_table(results)) == 12
    assert len(lesson_14.found_table(wm.experiments.shipped("green-list"))) == len(lesson_14.ATTACKS)
