"""What the cells of notebook 02 call: some of the poisoned digits, and results beside the paper's."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

import torch
from torch import Tensor

from ...data import Samples
from ...experiments import Results
from ...experiments.experiment import Row
from ...experiments.published import BY_DIGIT
from ...plots.digits import Errors
from ...poisoning import poison
from ...triggers import Pattern


def cold_open(samples: Samples, n: int = 20, n_bright: int = 2, seed: int = 3) -> tuple[Samples, Tensor]:
    """Poison a tenth of `samples` and draw `n` images, `n_bright` of them stamped.

    Return them, and which are stamped, (n,) bool.
    """
    poisoned = poison(samples, Pattern(), rate=0.1, target=0)
    gen = torch.Generator().manual_seed(seed)
    parts = []
    for flag, size in ((False, n - n_bright), (True, n_bright)):
        pool = (poisoned.mask == flag).nonzero().flatten()
        parts.append(pool[torch.randint(len(pool), (size,), generator=gen)])
    index = torch.cat(parts)[torch.randperm(n, generator=gen)]
    return poisoned.samples[index], poisoned.mask[index]


def by_digit(results: Results) -> tuple[Errors, Errors]:
    """Return the all-to-all attack's error by digit, 0..1: the paper's, and ours, means over the networks."""
    baseline = results.where(network="baseline")
    badnet = results.where(network="badnet")
    ours = {
        "baseline": _means(baseline, "clean_error_by_digit"),
        "clean": _means(badnet, "clean_error_by_digit"),
        "backdoored": _means(badnet, "backdoor_error_by_digit"),
    }
    return {name: _as_shares(percents) for name, percents in BY_DIGIT.items()}, ours


def _means(rows: Sequence[Row], key: str) -> list[float]:
    columns = zip(*(row[key] for row in rows), strict=True)
    return [mean(column) for column in columns]


def _as_shares(percents: Sequence[float]) -> list[float]:
    return [percent / 100 for percent in percents]


def two_networks(results: Results) -> tuple[Row, Row]:
    """Return the first clean and the first backdoored network of the filters experiment, for the pattern."""
    clean, *_ = results.where(trigger="pattern", network="clean")
    victim, *_ = results.where(trigger="pattern", network="badnet")
    return clean, victim
