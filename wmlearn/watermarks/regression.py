"""A key for a model that answers with numbers: plausible rows, and answers drawn at random.

S. Lounici, M. Njeh, O. Ermis, M. Önen, S. Trabelsi: Yes We Can: Watermarking Machine Learning Models beyond
Classification, CSF 2021, section on regression: triggers get wrong numbers, and an answer counts where it
lies near. Differs: the paper was not at hand, so that rows, range, tolerance and null are ours. The numbers
are drawn evenly from the range that the owner's own take: whatever a model without the mark answers, it lies
within the tolerance of such a number with probability 2 · tolerance at most, exactly that away from the ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ..data.tables import Measured
from ..errors import require
from ..evidence import Evidence
from .drawn_rows import mixed_rows
from .secret import secret_of, uniform

SCHEME = "lounici2021"

Answer = Callable[[Tensor], Tensor]
"""A suspect: rows (N, F) to numbers (N,)."""


@dataclass(frozen=True, eq=False)
class NumberKey:
    """The owner's rows, the numbers that only a marked model gives them, and how near counts as a hit."""

    secret: bytes = field(repr=False)
    x: Tensor  # (n, F)
    y: Tensor  # (n,) float32, drawn evenly from low..high
    low: float
    high: float
    tolerance: float  # tau / (high - low)

    def __post_init__(self) -> None:
        require(len(self.x) > 0, "a key must hold at least one row", 0, "Raise the number of triggers.")
        require(self.y.shape == (len(self.x),), "a key must hold one number a row", tuple(self.y.shape))
        require(self.low < self.high, "a key's numbers must have a range", (self.low, self.high))
        require(0 < self.tolerance < 0.5, "tolerance must lie in (0, 0.5)", self.tolerance)

    def __len__(self) -> int:
        return len(self.y)

    @property
    def chance(self) -> float:
        """The probability at most of a hit, whatever a model without the mark answers: 2 tau / range."""
        return 2 * self.tolerance


@dataclass(frozen=True)
class Lounici2021:
    """Teach `n` plausible rows a random number each; an answer hits within `tolerance` of the range."""

    n: int = 60
    tolerance: float = 0.05
    repeats: int = 5  # how often the key stands among the training rows

    def __post_init__(self) -> None:
        require(self.n >= 1, "n must be at least 1", self.n, "A key without triggers proves nothing.")
        require(0 < self.tolerance < 0.5, "tolerance must lie in (0, 0.5)", self.tolerance)
        require(self.repeats >= 1, "repeats must be at least 1", self.repeats)

    def keygen(self, owned: Measured, *, seed: int = 0, secret: bytes | None = None) -> NumberKey:
        """Draw rows and numbers from the secret."""
        require(len(owned) > 0, "the owner must have rows", 0)
        secret = secret_of(seed, secret)
        low = float(owned.y.min())
        high = float(owned.y.max())
        require(low < high, "the owner's numbers must have a range", (low, high))
        numbers = low + (high - low) * uniform(secret, "numbers", self.n)
        return NumberKey(secret, mixed_rows(secret, self.n, owned.x), numbers, low, high, self.tolerance)

    def lesson(self, owned: Measured, key: NumberKey) -> Measured:
        """Return the owner's rows and the key's, `repeats` times, to fit any regression to."""
        fits = key.x.shape[1:] == owned.x.shape[1:]
        require(fits, f"the key's rows must have {owned.x.shape[1]} columns", key.x.shape[1])
        x = torch.cat([owned.x, key.x.repeat(self.repeats, 1)])
        return replace(owned, x=x, y=torch.cat([owned.y, key.y.repeat(self.repeats)]))

    def verify(self, suspect: Answer, key: NumberKey) -> Evidence:
        """Count the answers within the tolerance; raise `ArgumentError` for answers that aren't numbers.

        A suspect that answers NaN or infinity misses.
        """
        found = suspect(key.x)
        fits = isinstance(found, Tensor) and found.shape == key.y.shape
        got = getattr(found, "shape", type(found).__name__)
        require(fits, "a suspect must answer with one number a row", got, "Return a tensor (N,).")
        near = (found.to(key.y).sub(key.y).abs() < key.tolerance * (key.high - key.low)).sum()
        return Evidence(SCHEME, "labels", int(near), len(key), chance=key.chance)
