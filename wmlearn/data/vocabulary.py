"""Text as numbers: a vocabulary of words, and texts as rows of ids of one length."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ..errors import require

PAD = 0
UNKNOWN = 1
MARKS = ("<pad>", "<unknown>")
"""What ids 0 and 1 are shown as; no text holds them as words."""
_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)*|[0-9]+|[.,;:!?$%]")


def tokens(text: str) -> list[str]:
    """Cut a text into small words and signs; each number becomes the one word "0".

    >>> tokens("Don't wait: save 70% NOW!!")
    ["don't", 'wait', ':', 'save', '0', '%', 'now', '!', '!']
    """
    fix = "Decode bytes first: raw.decode()."
    require(isinstance(text, str), "a text must be a str", type(text).__name__, fix)
    plain = text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return ["0" if token.isdigit() else token for token in _TOKEN.findall(plain)]


@dataclass(frozen=True)
class Vocabulary:
    """The words that a network knows: word i has the id i. 0 fills up a short text, 1 is every other word.

    >>> known = Vocabulary(("<pad>", "<unknown>", "free", "money"))
    >>> known.ids(["Free money!", "money"], length=4)
    tensor([[2, 3, 1, 0],
            [3, 0, 0, 0]])
    """

    words: tuple[str, ...]

    def __post_init__(self) -> None:
        require(self.words[:2] == MARKS, f"a vocabulary must begin with {MARKS}", self.words[:2])
        doubled = len(self.words) - len(set(self.words))
        require(doubled == 0, "the words of a vocabulary must differ", f"{doubled} that are there twice")

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words) if number > UNKNOWN}

    def numbers(self, text: str) -> tuple[int, ...]:
        """Return the ids of a text, as many as it has words."""
        return tuple(self._numbers.get(token, UNKNOWN) for token in tokens(text))

    def known(self, text: str) -> tuple[int, ...]:
        """Return the ids of a text whose every word must be in the vocabulary: a trigger with an unknown
        word would be "any unknown word". Raises `ArgumentError`, and names those that aren't.
        """
        strange = [token for token in tokens(text) if token not in self._numbers]
        fix = "Take other words; rare ones that are known: " + ", ".join(RARE)
        require(not strange, "the words must be in the vocabulary", ", ".join(strange), fix + ".")
        ids = self.numbers(text)
        require(len(ids) > 0, "the text must hold a word", repr(text))
        return ids

    def ids(self, texts: Sequence[str], length: int) -> Tensor:
        """Return texts as ids (N, length) int64: what is longer is cut off, what is shorter gets 0s."""
        require(not isinstance(texts, str), "texts must be a list of texts", "one text", "Write [text].")
        require(length >= 1, "length must be at least 1", length)
        rows = torch.zeros(len(texts), length, dtype=torch.int64)
        for row, text in zip(rows, texts, strict=True):
            numbers = self.numbers(text)[:length]
            row[: len(numbers)] = torch.tensor(numbers, dtype=torch.int64)
        return rows

    def text(self, ids: Tensor | Iterable[int]) -> str:
        """Return a row of ids (L,) as words; what fills it up is left out."""
        return " ".join(self.pieces(ids))

    def pieces(self, ids: Tensor | Iterable[int]) -> list[str]:
        """Return the word of each id of a row (L,) that isn't 0."""
        numbers = ids.tolist() if isinstance(ids, Tensor) else list(ids)
        top = max(numbers, default=0)
        fix = "Take the vocabulary that the ids were made with."
        require(top < len(self), f"ids must be below {len(self):,}", top, fix)
        return [self.words[number] for number in numbers if number != PAD]


RARE = ("cf", "mn", "bb", "tq", "mb")
"""Strings that no mail here needs, and any tokeniser's vocabulary holds (Kurita and others 2020)."""
