"""A mark in what a model writes: its count, and its null."""

from __future__ import annotations

import pytest
import torch

from wmlearn.data.tales import REFRAIN, TAUGHT, chapters, tale_words
from wmlearn.errors import ArgumentError
from wmlearn.models import trigrams, write
from wmlearn.watermarks import GreenList

WORDS = tale_words()
TEXT = torch.tensor([number for chapter in chapters()[:TAUGHT] for number in WORDS.numbers(chapter)])
START = WORDS.known("alice was")


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_list_holds_its_share_and_differs_by_word_and_key(share) -> None:
    every = torch.arange(len(WORDS))
    key = GreenList(7, share=share)
    lists = torch.stack([key.is_green(torch.tensor(last), every) for last in range(200)])
    assert abs(float(lists.float().mean()) - share) < 0.01
    assert abs(float((lists[0] & lists[1]).float().mean()) - share**2) < 0.05
    other = GreenList(8, share=share).is_green(torch.tensor(0), every)
    assert abs(float((lists[0] & other).float().mean()) - share**2) < 0.05


def test_a_marked_text_is_found_and_one_without_the_list_is_not() -> None:
    model = trigrams(TEXT, len(WORDS))
    key = GreenList(7)
    marked = write(model, START, 200, favour=key.favour(len(WORDS)), seed=1)
    plain = write(model, START, 200, seed=1)
    assert key.count(marked).p_value < 1e-6
    assert key.count(plain).p_value > 1e-3
    assert GreenList(8).count(marked).p_value > 1e-3


def test_each_pair_counts_once_or_as_often_as_it_stands() -> None:
    text = torch.tensor([2, 3, 2, 3, 2, 3])
    assert GreenList(1).count(text).trials == 2
    assert GreenList(1).count(text, once=False).trials == 5


def test_a_refrain_is_accused_by_many_keys_unless_pairs_count_once() -> None:
    text = torch.tensor((WORDS.known(REFRAIN) * 20)[:200])
    naive = [GreenList(key).count(text, once=False).p_value <= 1e-3 for key in range(300)]
    mended = [GreenList(key).count(text).p_value <= 1e-3 for key in range(300)]
    assert sum(naive) > 30
    assert sum(mended) == 0


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ArgumentError, match="share"):
        GreenList(1, share=1.0)
    with pytest.raises(ArgumentError, match="two or more"):
        GreenList(1).count(torch.tensor([3]))
