"""The exercises of notebook 02: reference, cases, named mistakes, hints."""

from __future__ import annotations

from statistics import mean

import torch
from torch import Tensor

from ...data import Samples
from ...experiments import Results
from ...experiments.experiment import Row
from ...experiments.published import BY_DIGIT
from ...poisoning import poison as package_poison
from ...triggers import Pattern


def cold_open(samples: Samples, n: int = 20, n_bright: int = 2, seed: int = 3) -> tuple[Samples, Tensor]:
    """Poison a tenth of `samples` and draw `n` images, `n_bright` of them stamped; return them with the mask
    of the stamped.
    """
    poisoned, gen = (
        package_poison(samples, Pattern(), rate=0.1, target=0),
        torch.Generator().manual_seed(seed),
    )
    honest, stamped = ((poisoned.mask == flag).nonzero().flatten() for flag in (False, True))
    index = torch.cat(
        [
            pool[torch.randint(len(pool), (k,), generator=gen)]
            for pool, k in ((honest, n - n_bright), (stamped, n_bright))
        ]
    )
    index = index[torch.randperm(n, generator=gen)]
    return poisoned.samples[index], poisoned.mask[index]


def by_digit(results: Results) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Return the all-to-all attack's error by digit, 0..1: the paper's, and ours as means over the networks."""
    baseline, badnet = results.where(network="baseline"), results.where(network="badnet")

    def average(rows: tuple[Row, ...], key: str) -> list[float]:
        return [mean(row[key][digit] for row in rows) for digit in range(10)]

    ours = {
        "baseline": average(baseline, "clean_error_by_digit"),
        "clean": average(badnet, "clean_error_by_digit"),
        "backdoored": average(badnet, "backdoor_error_by_digit"),
    }
    return {name: [value / 100 for value in values] for name, values in BY_DIGIT.items()}, ours


def two_networks(results: Results) -> tuple[Row, Row]:
    """Return the first clean and the first backdoored network of the filters experiment, for the pattern."""
    clean, victim = (results.where(trigger="pattern", network=network)[0] for network in ("clean", "badnet"))
    return clean, victim
