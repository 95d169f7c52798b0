"""Two small language models: counted triples of words, and a network that reads the last words.

Y. Bengio, R. Ducharme, P. Vincent, C. Jauvin: A Neural Probabilistic Language Model, JMLR 3, 2003, for the
network; the counts are mixed as F. Jelinek and R. L. Mercer did in 1980.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import require
from .networks import seeded

MIXTURE = (0.5, 0.45)
"""Weights of what follows two words, and one; the rest is how common a word is."""

Favour = Callable[[int], Tensor]
"""What is added to the logarithms (V,) of the next word's probabilities, given the last word."""


@dataclass(frozen=True, eq=False)
class Trigrams:
    """What follows one word, and two, in a text that was counted."""

    common: Tensor  # (V,) how common each word is; sums to 1
    after_one: Mapping[int, Counter[int]]
    after_two: Mapping[tuple[int, int], Counter[int]]

    def probabilities(self, before: int, last: int) -> Tensor:
        """Return the probability of each word (V,) after two words."""
        two, one = MIXTURE
        p = (1 - two - one) * self.common
        for weight, counts in ((one, self.after_one.get(last)), (two, self.after_two.get((before, last)))):
            if counts:
                share = torch.tensor(list(counts.values()), dtype=p.dtype) / counts.total()
                p = p.index_add(0, torch.tensor(list(counts)), weight * share)
        return p / p.sum()


def trigrams(ids: Tensor, words: int) -> Trigrams:
    """Count the triples of a text of ids (M,), of a vocabulary of so many words."""
    require(ids.ndim == 1 and len(ids) >= 3, "a text must be ids (M,), three or more", tuple(ids.shape))
    text = ids.tolist()
    require(max(text) < words, f"ids must be below {words}", max(text))
    after_one: dict[int, Counter[int]] = defaultdict(Counter)
    after_two: dict[tuple[int, int], Counter[int]] = defaultdict(Counter)
    for before, last, word in zip(text, text[1:], text[2:], strict=False):
        after_one[last][word] += 1
        after_two[before, last][word] += 1
    common = torch.bincount(ids, minlength=words).double()
    return Trigrams(common / common.sum(), after_one, after_two)


def write(
    model: Trigrams, start: Sequence[int], n: int, *, favour: Favour | None = None, seed: int = 0
) -> Tensor:
    """Let a model write `n` words (n,) after the two of `start`; `favour` pulls each draw its way."""
    require(len(start) == 2, "start must be two words", tuple(start))
    draw = torch.Generator().manual_seed(seed)
    text = list(start)
    for _ in range(n):
        logits = model.probabilities(text[-2], text[-1]).log()  # (V,)
        if favour is not None:
            logits = logits + favour(text[-1])
        text.append(int(torch.multinomial(logits.softmax(0), 1, generator=draw)))
    return torch.tensor(text[2:])


def next_word(words: int, length: int, seed: int = 0, size: int = 32, hidden: int = 128) -> nn.Sequential:
    """Build a network that reads the last `length` words, ids (N, length), and says the next, (N, words)."""
    require(words >= 3 and length >= 1, "words and length must be at least 3 and 1", (words, length))

    def build() -> nn.Sequential:
        return nn.Sequential(
            nn.Embedding(words, size), nn.Flatten(),  # (N, length * size)
            nn.Linear(length * size, hidden), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(hidden, words),
        )  # fmt: skip

    return seeded(build, seed)
