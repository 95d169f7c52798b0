"""Two small language models."""

from __future__ import annotations

import pytest
import torch

from wmlearn.errors import ArgumentError
from wmlearn.models import next_word, trigrams, write

TEXT = torch.tensor([2, 3, 4, 2, 3, 5, 2, 3, 4])


def test_probabilities_sum_to_one_and_follow_the_counts() -> None:
    model = trigrams(TEXT, 6)
    p = model.probabilities(2, 3)
    assert float(p.sum()) == pytest.approx(1)
    # after 2 3 came 4 twice and 5 once; 3/9 of all words are 2 or 3, 2/9 are 4
    assert float(p[4]) == pytest.approx(0.5 * 2 / 3 + 0.45 * 2 / 3 + 0.05 * 2 / 9)
    assert float(p[4]) > float(p[5]) > float(p[2])


def test_words_that_were_never_seen_together_fall_back_on_how_common_they_are() -> None:
    model = trigrams(TEXT, 6)
    assert torch.allclose(model.probabilities(5, 1), model.common)


def test_a_text_follows_from_its_seed_and_from_what_is_favoured() -> None:
    model = trigrams(TEXT, 6)
    assert torch.equal(write(model, (2, 3), 20, seed=1), write(model, (2, 3), 20, seed=1))

    def only_five(last: int) -> torch.Tensor:
        return torch.tensor([0.0, 0, 0, 0, 0, 50])

    assert set(write(model, (2, 3), 10, favour=only_five).tolist()) == {5}


def test_too_short_a_text_and_too_large_an_id_are_refused() -> None:
    with pytest.raises(ArgumentError, match="three or more"):
        trigrams(torch.tensor([1, 2]), 6)
    with pytest.raises(ArgumentError, match="below 4"):
        trigrams(TEXT, 4)
    with pytest.raises(ArgumentError, match="two words"):
        write(trigrams(TEXT, 6), (2,), 3)


def test_the_network_says_a_word_of_the_vocabulary() -> None:
    model = next_word(40, 5, seed=2)
    assert model(torch.randint(0, 40, (3, 5))).shape == (3, 40)
