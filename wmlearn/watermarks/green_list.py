"""A mark in what a language model writes, not in the model: it prefers the words of a secret green list.

J. Kirchenbauer, J. Geiping, Y. Wen, J. Katz, I. Miers, T. Goldstein: A Watermark for Large Language Models,
ICML 2023, arXiv:2301.10226, sections 3 (the soft list) and 4 (the count). Differs: whether a word is green
after another follows from a keyed mixer of the pair, so that a list holds `share` of the words on average; a
mixer is no cipher, and a real key needs one. The tail is binomial and exact in place of a z-score, and counts
each pair of words once: section 4.3's remark on repeated n-grams, without which a refrain is accused.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import require
from ..evidence import Evidence

SCHEME = "kirchenbauer2023"
LARGEST = (1 << 63) - 1
TOP = 1 << 53
"""What is left of a mixed number, so that a float64 holds it."""


@dataclass(frozen=True)
class GreenList:
    """After each word a `share` of all words is green by the `key`; `bias` is added to their logits."""

    key: int
    share: float = 0.5  # gamma
    bias: float = 2.0  # delta

    def __post_init__(self) -> None:
        require(0 < self.share < 1, "share must lie in (0, 1)", self.share)

    def is_green(self, last: Tensor, word: Tensor) -> Tensor:
        """Say of words whether each is green after the one before it; shapes are as PyTorch broadcasts."""
        number = mixed(mixed(mixed(torch.tensor(self.key)) ^ last) ^ word)
        return (number & (TOP - 1)).double() / TOP < self.share

    def favour(self, words: int) -> _Favour:
        """Return what a vocabulary of so many words adds to the logits of the next word."""
        return _Favour(self, words)

    def count(self, text: Tensor, *, once: bool = True) -> Evidence:
        """Count the green words of a text (M,): each pair of neighbours `once`, or, as a textbook does, as
        often as it stands there.
        """
        require(text.ndim == 1 and len(text) >= 2, "a text must be ids (M,), two or more", tuple(text.shape))
        pairs = torch.stack([text[:-1], text[1:]], 1)  # (M - 1, 2)
        if once:
            pairs = pairs.unique(dim=0)
        hits = int(self.is_green(pairs[:, 0], pairs[:, 1]).sum())
        return Evidence(SCHEME, "labels", hits, len(pairs), self.share)


@dataclass(frozen=True)
class _Favour:
    green: GreenList
    words: int

    def __call__(self, last: int) -> Tensor:
        return self.green.bias * self.green.is_green(torch.tensor(last), torch.arange(self.words))


def mixed(number: Tensor) -> Tensor:
    """Mix the bits of whole numbers (splitmix64: G. L. Steele and others, OOPSLA 2014)."""
    number = number + -7046029254386353131
    number = (number ^ _right(number, 30)) * -4658895280553007687
    number = (number ^ _right(number, 27)) * -7723592293110705685
    return number ^ _right(number, 31)


def _right(number: Tensor, bits: int) -> Tensor:
    """Shift to the right, zeros come in at the left: PyTorch's own shift keeps the sign."""
    return (number >> bits) & (LARGEST >> (bits - 1))
