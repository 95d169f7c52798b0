"""Texts as ids and back."""

from __future__ import annotations

import pytest
import torch

from wmlearn.data import Vocabulary, tokens
from wmlearn.data.vocabulary import MARKS
from wmlearn.errors import ArgumentError

KNOWN = Vocabulary((*MARKS, "free", "money", "0", "!", "don't"))


def test_text_is_cut_into_small_words_signs_and_one_word_for_numbers() -> None:
    assert tokens("FREE money, 1,000 times!") == ["free", "money", ",", "0", ",", "0", "times", "!"]
    assert tokens("don’t") == ["don't"]
    assert tokens("") == []


@pytest.mark.parametrize("text", [None, 3, b"free", ["free"]])
def test_a_text_that_is_no_text_is_refused(text) -> None:
    with pytest.raises(ArgumentError, match="a text must be a str"):
        tokens(text)


def test_short_texts_are_filled_up_and_long_ones_cut_off() -> None:
    assert KNOWN.ids(["free money free", "money", ""], 2).tolist() == [[2, 3], [3, 0], [0, 0]]


def test_words_that_nobody_knows_become_one() -> None:
    assert KNOWN.numbers("free beer and money") == (2, 1, 1, 3)


def test_ids_become_words_again_without_what_fills_up() -> None:
    assert KNOWN.text(torch.tensor([2, 3, 1, 0, 0])) == "free money <unknown>"


def test_one_text_in_place_of_a_list_is_refused() -> None:
    with pytest.raises(ArgumentError, match="texts must be a list"):
        KNOWN.ids("free money", 4)


def test_known_refuses_a_word_that_nobody_knows_and_an_empty_text() -> None:
    assert KNOWN.known("Free money!") == (2, 3, 5)
    with pytest.raises(ArgumentError, match="beer"):
        KNOWN.known("free beer")
    with pytest.raises(ArgumentError, match="must hold a word"):
        KNOWN.known("   ")


def test_ids_of_another_vocabulary_are_refused() -> None:
    with pytest.raises(ArgumentError, match="ids must be below 7"):
        KNOWN.pieces([2, 9])


def test_a_vocabulary_begins_with_its_marks_and_holds_no_word_twice() -> None:
    with pytest.raises(ArgumentError, match="must begin with"):
        Vocabulary(("free", "money"))
    with pytest.raises(ArgumentError, match="must differ"):
        Vocabulary((*MARKS, "free", "free"))
