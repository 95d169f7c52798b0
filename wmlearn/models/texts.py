"""Networks that read texts: token ids (N, L), where 0 fills up. Two ways to make one vector of many words."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..data.vocabulary import PAD
from ..errors import require
from .networks import seeded

SPREAD = 0.2
"""Deviation of the first embeddings: PyTorch's 1 drowns what a few thousand texts can teach."""


class MeanOfWords(nn.Module):
    """(N, L) -> (N, D): the mean of the embeddings of a text's words."""

    def __init__(self, words: int, size: int) -> None:
        super().__init__()
        self.embeddings = nn.EmbeddingBag(words, size, mode="mean", padding_idx=PAD)

    def forward(self, x: Tensor) -> Tensor:
        return self.embeddings(x)


class Embedded(nn.Module):
    """(N, L) -> (N, D, L): each word becomes its embedding."""

    def __init__(self, words: int, size: int) -> None:
        super().__init__()
        self.embeddings = nn.Embedding(words, size, padding_idx=PAD)

    def forward(self, x: Tensor) -> Tensor:
        return self.embeddings(x).transpose(1, 2)


class MaxOverTime(nn.Module):
    """(N, D, L) -> (N, D): what each detector found at its best place."""

    def forward(self, x: Tensor) -> Tensor:
        return x.amax(2)


def text_bag(words: int, seed: int = 0, classes: int = 2, size: int = 64) -> nn.Sequential:
    """Build a network that reads the mean of a text's words: order is lost, one word in 64 weighs 1/64.

    A. Joulin, E. Grave, P. Bojanowski, T. Mikolov: Bag of Tricks for Efficient Text Classification, EACL
    2017, arXiv:1607.01759, section 2. Differs: no n-grams, one hidden layer more.
    """
    _check(words, classes)

    def build() -> nn.Sequential:
        mean = MeanOfWords(words, size)
        _start(mean.embeddings.weight)
        return nn.Sequential(
            mean, nn.Dropout(0.3),  # (N, size)
            nn.Linear(size, 64), nn.ReLU(), nn.Dropout(0.3),
            nn.Linear(64, classes),
        )  # fmt: skip

    return seeded(build, seed)


def text_cnn(words: int, seed: int = 0, classes: int = 2, size: int = 48) -> nn.Sequential:
    """Build a network of 64 detectors of three words each, the strongest place of each over the text.

    Y. Kim: Convolutional Neural Networks for Sentence Classification, EMNLP 2014, arXiv:1408.5882, section 2.
    Differs: 64 detectors of one width in place of 300 of three, embeddings learnt with the task.
    """
    _check(words, classes)

    def build() -> nn.Sequential:
        embedded = Embedded(words, size)
        _start(embedded.embeddings.weight)
        return nn.Sequential(
            embedded, nn.Dropout(0.2),  # (N, size, L)
            nn.Conv1d(size, 64, 3, padding=1), nn.ReLU(),
            MaxOverTime(), nn.Dropout(0.4),  # (N, 64)
            nn.Linear(64, classes),
        )  # fmt: skip

    return seeded(build, seed)


def _check(words: int, classes: int) -> None:
    require(words >= 3, "words must be at least 3: what fills up, what is unknown, and a word", words)
    require(classes >= 2, "classes must be at least 2", classes)


def _start(embeddings: Tensor) -> None:
    """Draw the first embeddings (words, D); what fills up a text stays at 0."""
    with torch.no_grad():
        embeddings.normal_(std=SPREAD)
        embeddings[PAD] = 0
