"""A random split is a mark: whoever learnt part of the data by heart errs less on that part, and only the
owner knows which.

P. Maini, M. Yaghini, N. Papernot: Dataset Inference, ICLR 2021, arXiv:2104.10706: a model betrays what it was
trained on. S. Szyller, R. Zhang, J. Liu, N. Asokan: On the Robustness of Dataset Inference, TMLR 2023,
arXiv:2210.13631: where nothing was drawn, innocents are accused. R. Kuditipudi and others: Blackbox Model
Provenance via Palimpsestic Membership Inference, 2025, arXiv:2510.19796: where the owner drew at random, the
null is exact.
Differs: labels only, errors counted; no shadow models, no thresholds; strangers say how hard each image is.

Exact where the lot was drawn at random from the samples, or within each class, and where nothing else that
went into the suspect depends on it: the public split of a benchmark accuses everybody who used it. The
p-value is a promise over lots: of one lot innocent networks err alike, unless `hardness` takes the luck of
the lot out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..data import Samples
from ..errors import require
from .evidence import NO_ANSWER, Suspect, ask

BINS = (0, 1, 3, 7, 15)
"""Images on which at most so many strangers err are compared with each other."""


@dataclass(frozen=True)
class SplitEvidence:
    """Errors of a suspect in each stratum, in all and outside the lot, beside how many images there are."""

    errors: tuple[int, ...]
    errors_outside: tuple[int, ...]
    images: tuple[int, ...]
    images_outside: tuple[int, ...]

    @property
    def p_value(self) -> float:
        """The exact probability of as many errors outside the lot, or more, had the lot nothing to do with
        the suspect: in a stratum they are hypergeometric, and their sum is the convolution over strata.
        """
        from scipy.stats import hypergeom

        law = np.ones(1)  # P(sum = k), k = 0, 1, …
        for errors, images, outside in zip(self.errors, self.images, self.images_outside, strict=True):
            if errors:
                law = np.convolve(law, hypergeom.pmf(np.arange(errors + 1), images, outside, errors))
        return float(min(1.0, law[sum(self.errors_outside) :].sum()))


def split_p_value(
    suspect: Suspect, samples: Samples, lot: Tensor, *, hardness: Tensor | None = None
) -> float:
    """Return the exact p-value of "the lot has nothing to do with the suspect": see `split_evidence`.

    >>> samples = wm.Samples(torch.rand(40, 1, 4, 4), torch.arange(40) % 2, ("cat", "dog"))
    >>> lot = torch.arange(40) < 30
    >>> heart = lambda x: torch.where(lot, samples.y, 1 - samples.y)  # errs outside only, always
    >>> wm.evidence.split_p_value(heart, samples, lot) < 1e-6
    True
    """
    return split_evidence(suspect, samples, lot, hardness=hardness).p_value


def split_evidence(
    suspect: Suspect, samples: Samples, lot: Tensor, *, hardness: Tensor | None = None
) -> SplitEvidence:
    """Ask `suspect` for the labels of all `samples` (N); `lot` (N,) bool says which the owner trained on.

    Images are compared within their class, and with `hardness` (N,) int64, from `errors_of_strangers`, with
    those that are as hard: still exact, and far stronger. A query that is refused tells nothing, and its
    image is left out. Raises `ArgumentError` for a lot that doesn't fit, or leaves nothing out.
    """
    check_lot(lot, len(samples))  # before anything is asked
    _check_hardness(hardness, len(samples))
    given = ask(suspect, samples.x, len(samples.classes)).cpu()
    answered = given != NO_ANSWER
    require(bool(answered.any()), "the suspect must answer", "no label at all", "Ask again, or elsewhere.")
    wrong = given != samples.y.cpu()
    hard = None if hardness is None else hardness[answered]
    return counted(wrong[answered], samples.y.cpu()[answered], lot.cpu()[answered], hardness=hard)


def errors_of_strangers(strangers: Sequence[Suspect], samples: Samples) -> Tensor:
    """Count for each image the strangers that err on it, (N,) int64; none of them may know the lot."""
    fix = "Train a few networks on lots of their own."
    require(len(strangers) > 0, "strangers must not be empty", len(strangers), fix)
    y = samples.y.cpu()
    wrong = [ask(stranger, samples.x, len(samples.classes)).cpu() != y for stranger in strangers]
    return torch.stack(wrong).sum(0)


def counted(wrong: Tensor, y: Tensor, lot: Tensor, *, hardness: Tensor | None = None) -> SplitEvidence:
    """Count errors `wrong` (N,) bool by stratum: by label `y` (N,), and by `hardness` where it is given."""
    check_lot(lot, len(y))
    stratum = y.cpu()
    outside = ~lot.cpu()
    _check_hardness(hardness, len(y))
    if hardness is not None:
        stratum = stratum * (len(BINS) + 1) + torch.bucketize(hardness.cpu(), torch.tensor(BINS))
    size = int(stratum.max()) + 1

    def by_stratum(which: Tensor) -> tuple[int, ...]:
        return tuple(stratum[which].bincount(minlength=size).tolist())

    everything = torch.ones_like(wrong)
    return SplitEvidence(
        by_stratum(wrong), by_stratum(wrong & outside), by_stratum(everything), by_stratum(outside)
    )


def check_lot(lot: Tensor, n: int) -> None:
    """Raise `ArgumentError` unless `lot` holds a truth value for each of `n` images, and both of them."""
    fix = "True where the owner trained on the image."
    require(lot.dtype == torch.bool, "lot must be bool", lot.dtype, fix)
    require(lot.shape == (n,), "lot must hold one value an image", tuple(lot.shape), f"There are {n} images.")
    inside = f"{int(lot.sum())} of {n}"
    require(0 < int(lot.sum()) < n, "lot must leave some images out, and take some", inside)


def _check_hardness(hardness: Tensor | None, n: int) -> None:
    if hardness is not None:
        require(hardness.shape == (n,), "hardness must hold one value an image", tuple(hardness.shape))
