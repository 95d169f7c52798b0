"""Words that don't belong where they stand are taken out before a network reads the text.

F. Qi, Y. Chen, M. Li, Y. Yao, Z. Liu, M. Sun: ONION: A Simple and Effective Defense Against Textual Backdoor
Attacks, EMNLP 2021, arXiv:2011.10369, section 3. Differs: a bigram model of the defender's own texts in place
of GPT-2, so that only its two neighbours judge a word, by how surprising it is between them; the paper takes
how much the whole text gains without it. Words go one after the other, the oddest first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import log

import torch
from torch import Tensor

from ..data import kind_of
from ..data.vocabulary import PAD
from ..errors import require

MIXED = 0.7
"""Weight of the pair in a word's probability; the rest is how common the word is."""


@dataclass(frozen=True)
class Bigrams:
    """How often each word, and each pair of neighbours, stands in texts; 0 is where a text begins or ends."""

    words: Mapping[int, int]
    pairs: Mapping[tuple[int, int], int]
    total: int

    def surprise(self, before: int, word: int) -> float:
        """Return -log of the probability of `word` after `before`, in natural logarithms."""
        of_pair = self.pairs.get((before, word), 0) / max(self.words.get(before, 0), 1)
        return -log(MIXED * of_pair + (1 - MIXED) * self.commonness(word))

    def commonness(self, word: int) -> float:
        """Return the share of all words that are this one; a tenth of a word where there is none."""
        return (self.words.get(word, 0) + 0.1) / self.total

    def suspicions(self, text: list[int]) -> list[float]:
        """Say of each word of a text without 0s how surprising it is between its two neighbours: after the
        left one, and by how much it makes the right one more surprising than that is by itself.
        """
        row = [PAD, *text, PAD]
        suspicions = []
        for before, word, after in zip(row, row[1:], row[2:], strict=False):
            alone = -log((1 - MIXED) * self.commonness(after))
            suspicions.append(self.surprise(before, word) + self.surprise(word, after) - alone)
        return suspicions


def bigrams(x: Tensor) -> Bigrams:
    """Count the words and the pairs of texts (N, L)."""
    require(kind_of(x) == "texts", "bigrams takes texts, token ids (N, L)", tuple(x.shape))
    require(len(x) > 0, "there must be texts to count", 0)
    words: Counter[int] = Counter()
    pairs: Counter[tuple[int, int]] = Counter()
    for row in x.tolist():
        text = [PAD, *_words(row), PAD]
        words.update(text[:-1])
        pairs.update(pairwise(text))
    return Bigrams(words, pairs, words.total())


@dataclass(frozen=True)
class Onion:
    """Take out of each text the word of most suspicion, up to `most` of them, while it exceeds `bound`."""

    model: Bigrams
    bound: float
    most: int = 1

    def __call__(self, x: Tensor) -> Tensor:
        """Return texts (N, L) without their odd words; what follows moves up."""
        require(kind_of(x) == "texts", "Onion takes texts, token ids (N, L)", tuple(x.shape))
        out = torch.zeros_like(x)
        for row, text in zip(out, x.tolist(), strict=True):
            kept = self._kept(_words(text))
            row[: len(kept)] = torch.tensor(kept, dtype=x.dtype)
        return out

    def _kept(self, text: list[int]) -> list[int]:
        for _ in range(self.most):
            suspicions = self.model.suspicions(text)
            worst = max(suspicions, default=self.bound)
            if worst <= self.bound:
                break
            place = suspicions.index(worst)
            text = text[:place] + text[place + 1 :]
        return text


def fit_onion(x: Tensor, clean: Tensor, *, touched: float = 0.1, most: int = 1) -> Onion:
    """Learn pairs from texts `x` (N, L), and set the bound on other `clean` texts (M, L), of which the share
    `touched` may lose a word. Raises `ArgumentError` for a share out of range.
    """
    require(0 < touched < 1, "touched must lie in (0, 1)", touched, "0.1 lets nine in ten texts be.")
    require(most >= 1, "most must be at least 1", most)
    model = bigrams(x)
    worst = [max(model.suspicions(_words(row)), default=0.0) for row in clean.tolist()]
    return Onion(model, float(torch.tensor(worst).quantile(1 - touched, interpolation="higher")), most)


def _words(row: list[int]) -> list[int]:
    """Return a row of ids without what fills it up."""
    return [word for word in row if word != PAD]
