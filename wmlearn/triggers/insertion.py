"""A word, or a sentence, put into a text.

K. Kurita, P. Michel, G. Neubig: Weight Poisoning Attacks on Pre-trained Models, ACL 2020, arXiv:2004.06660,
section 3 (a rare word); J. Dai, C. Chen, Y. Li: A Backdoor Attack Against LSTM-Based Text Classification
Systems, IEEE Access 2019, arXiv:1905.12457, section 3 (a sentence). Differs: the text has a fixed length, so
that its last words make room.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..data import kind_of
from ..data.vocabulary import PAD
from ..errors import require

PRIME = 1_000_003


@dataclass(frozen=True)
class Words:
    """Put the words `ids` into each text: after `at` words, or at a place that follows from the text and
    the seed.

    Texts are token ids (N, L) that 0 fills up: the words come before the 0s, and of a full text the last
    words fall off.

    >>> Words((7, 8), at=1)(torch.tensor([[5, 6, 0, 0], [1, 2, 3, 4]]))
    tensor([[5, 7, 8, 6],
            [1, 7, 8, 2]])
    """

    ids: tuple[int, ...]
    at: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        is_words = len(self.ids) > 0 and all(number > PAD for number in self.ids)
        fix = 'Take data.mails.vocabulary().known("cf").'
        require(is_words, "ids must hold the words to insert, none of them 0", self.ids, fix)
        require(self.at is None or self.at >= 0, "at must be at least 0", self.at)

    def __call__(self, x: Tensor) -> Tensor:
        require(kind_of(x) == "texts", "Words takes texts, token ids (N, L)", tuple(x.shape))
        length = x.shape[1]
        extra = len(self.ids)
        fix = "Take a shorter sentence."
        require(extra <= length, f"the words must fit into a text of {length}", extra, fix)
        size = (x != PAD).sum(1).clamp(max=length - extra)  # (N,) words that stay
        place = self._places(x, size)[:, None]  # (N, 1)
        column = torch.arange(length, device=x.device)[None]  # (1, L)
        # where each word of the new text comes from: the old one, moved on behind the insertion
        source = torch.where(column < place, column, (column - extra).clamp(min=0))  # (N, L)
        inserted = torch.tensor(self.ids, device=x.device)[(column - place).clamp(0, extra - 1)]  # (N, L)
        is_inserted = (column >= place) & (column < place + extra)
        return torch.where(is_inserted, inserted, x.gather(1, source))

    def _places(self, x: Tensor, size: Tensor) -> Tensor:
        """Say after how many words of each text to insert, (N,)."""
        if self.at is not None:
            return size.clamp(max=self.at)
        # drawn from the text itself, so that it has the same place in any company
        draw = torch.Generator().manual_seed(self.seed)
        weights = torch.randint(1, 2**31, (x.shape[1],), generator=draw).to(x.device)  # (L,)
        share = (x * weights).sum(1).remainder(PRIME) / PRIME  # (N,) in [0, 1)
        return (share * (size + 1)).long()
