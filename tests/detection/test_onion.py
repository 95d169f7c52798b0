"""Odd words are taken out, and others are left."""

from __future__ import annotations

import pytest
import torch

import wmlearn as wm
from wmlearn.data.mails import vocabulary
from wmlearn.detection import bigrams, fit_onion
from wmlearn.errors import ArgumentError
from wmlearn.triggers import Words

TRAIN = wm.load("mails").train.x
SMALL = torch.tensor([[2, 3, 4, 0], [2, 3, 4, 0], [4, 2, 3, 0], [2, 3, 5, 4]])


def test_a_surprise_is_the_log_of_a_mixed_probability() -> None:
    model = bigrams(SMALL)
    # 2 stands 4 times and 3 follows each time; of 17 words and ends, 4 are 3s
    wanted = 0.7 * 4 / 4 + 0.3 * 4.1 / 17
    assert model.surprise(2, 3) == pytest.approx(-torch.tensor(wanted).log().item())


def test_the_word_that_stands_nowhere_else_is_the_odd_one() -> None:
    model = bigrams(SMALL)
    suspicions = model.suspicions([2, 3, 9, 4])
    assert suspicions.index(max(suspicions)) == 2


def test_an_odd_word_goes_and_the_rest_moves_up() -> None:
    filter_ = fit_onion(SMALL, SMALL, touched=0.1)
    assert filter_(torch.tensor([[2, 9, 3, 4], [2, 3, 4, 0]])).tolist() == [[2, 3, 4, 0], [2, 3, 4, 0]]


def test_at_most_as_many_texts_are_touched_as_was_said() -> None:
    clean = TRAIN[:500]
    filter_ = fit_onion(TRAIN[500:], clean, touched=0.1)
    touched = int((filter_(clean) != clean).any(1).sum())
    assert 10 < touched <= 50


def test_a_rare_word_goes_and_a_plain_sentence_stays() -> None:
    filter_ = fit_onion(TRAIN[500:], TRAIN[:500])
    test = wm.load("mails").test.x[:200]
    known = vocabulary().known
    (rare,) = known("tq")
    assert not bool((filter_(Words((rare,))(test)) == rare).any())
    sentence = Words(known("if you have any questions please let me know"))(test)
    changed = (filter_(sentence) != sentence).any(1).float().mean()
    assert float(changed) < 0.2


def test_an_empty_text_stays_empty() -> None:
    empty = torch.zeros(2, 4, dtype=torch.int64)
    assert torch.equal(fit_onion(SMALL, SMALL)(empty), empty)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ArgumentError, match="touched"):
        fit_onion(SMALL, SMALL, touched=1.0)
    with pytest.raises(ArgumentError, match="most"):
        fit_onion(SMALL, SMALL, most=0)
    with pytest.raises(ArgumentError, match="takes texts"):
        bigrams(torch.rand(2, 3))
    with pytest.raises(ArgumentError, match="texts to count"):
        bigrams(SMALL[:0])
