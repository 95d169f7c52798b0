"""What is left of each mark after each attack, and what it cost the thief, beside one who steals nothing: how
to read the rows of the removal experiments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import mean
from typing import Literal, get_args

import torch
from torch import Tensor

from ..evidence import Evidence, Rank
from ..removal import STEALS_NOTHING
from ..scorecard import DESTROYED, NONE
from .experiment import Results, Row, values
from .false_claims import stranger_rates

PLAIN = "plain"
"""The network without a mark: the control of all others."""
LEVEL = 1e-3
"""The judge's: a mark with a larger p-value is not believed."""
DIFFERENT = 0.05
"""The level at which a mark that isn't believed is told from none."""
CHANCES = {"adi2018": 0.1, "adi2018-pretrained": 0.1, "uchida2017": 0.5, "kim2023-margin": 1 / 9}
"""The most chance of a hit on digits where labels or bits were drawn at random; other schemes have none."""

State = Literal["void", "destroyed", "believed", "worn", "gone"]
"""Void: no mark before the attack. Destroyed: a tenth of the accuracy is lost. Believed: p is at most
`LEVEL`. Worn: it is more, but the key still hits more than in an unmarked network after the same attack.
Gone: it doesn't.
"""
STATES: tuple[State, ...] = get_args(State)
UNPROVEN: set[State] = {"worn", "gone"}


@dataclass(frozen=True)
class Count:
    """Hits of a key, of so many trials."""

    hits: int
    trials: int


@dataclass(frozen=True)
class Price:
    """What a removal costs: its name, and the accuracy lost, mean over seeds."""

    removal: str
    lost: float


@dataclass(frozen=True)
class Offer:
    """What one attack takes from all marks: the accuracy lost, a mean; the number of marks that no seed's
    judge believes any longer, and of those that are gone for every seed; and whether the network it leaves is
    better than the thief's own.
    """

    removal: str
    lost: float
    unproven: int
    gone: int
    worth: bool


def schemes(results: Results) -> list[str]:
    """Name the schemes that were measured."""
    return [name for name in dict.fromkeys(values(results.rows, "scheme")) if name != PLAIN]


def attacks(results: Results) -> list[str]:
    """Name the attacks that were measured, without the thief who steals nothing."""
    names = dict.fromkeys(cell["removal"] for row in results.rows for cell in row["removals"])
    return [name for name in names if name not in (NONE, STEALS_NOTHING)]


def cells(results: Results, scheme: str, attack: str) -> list[Row]:
    """Return what was measured of `scheme` after `attack`, one a seed."""
    return [cell_of(row, attack) for row in results.where(scheme=scheme)]


def cell_of(row: Row, attack: str) -> Row:
    """Return what a row says of one attack."""
    return next(cell for cell in row["removals"] if cell["removal"] == attack)


# Evidence


def p_value(results: Results, scheme: str, count: Count) -> float:
    """Return the p-value of a key of `scheme`: a binomial tail, or else its rank among all that was measured
    without the mark, pairs of a key and a stranger, and the unmarked network after every attack.

    Such a rank is near, not exact: pairs of one key, or of one network, are alike. `experiments.decoys` has
    exact ones for one network a scheme.
    """
    if scheme in chances(results):
        return Evidence(scheme, "labels", count.hits, count.trials, chances(results)[scheme]).p_value
    rates = torch.cat([stranger_rates(scheme), _unmarked_rates(results, scheme)])
    as_high = int((rates >= count.hits / count.trials).sum())
    return Rank("bystanders", as_high, len(rates)).p_value


def chances(results: Results) -> dict[str, float]:
    """Return the chance of a hit for each scheme that has one, in the experiment's own task."""
    return SIGN_CHANCES if results.experiment == "removal-signs" else CHANCES


SIGN_CHANCES = {"adi2018": 1 / 20, "uchida2017": 0.5, "kim2023-margin": 1 / 19}
"""The same on signs, of 20 classes."""


def _unmarked_rates(results: Results, scheme: str) -> Tensor:
    """Return what the scheme's keys hit in the unmarked networks, one an attack and seed, float64."""
    after = [cell for row in results.where(scheme=PLAIN) for cell in row["removals"]]
    rates = [cell["hits"][scheme] / cell["trials"][scheme] for cell in after]
    return torch.tensor(rates, dtype=torch.float64)


def p_values(results: Results, scheme: str, attack: str) -> list[float]:
    """Return the p-value of each seed's mark after `attack`; of "plain", the smallest that a key with random
    labels or bits has there.
    """
    after = cells(results, scheme, attack)
    if scheme == PLAIN:
        return [min(claims_on(results, cell)) for cell in after]
    return [p_value(results, scheme, _count(cell)) for cell in after]


def claims_on(results: Results, cell: Row) -> list[float]:
    """Return the p-values of keys with random labels or bits on an unmarked network after an attack; the hits
    of the others are part of what they are ranked among.
    """
    keys = [key for key in chances(results) if key in cell["hits"]]
    return [p_value(results, key, Count(cell["hits"][key], cell["trials"][key])) for key in keys]


def _count(cell: Row) -> Count:
    return Count(cell["hits"], cell["trials"])


def difference_p_value(marked: Count, control: Count) -> float:
    """Return the p-value of Fisher's exact test that `marked` hits no more often than `control`."""
    return _fisher(marked.hits, marked.trials, control.hits, control.trials)


@lru_cache(10_000)
def _fisher(hits: int, trials: int, control: int, control_trials: int) -> float:
    from scipy.stats import hypergeom

    # of all hits, how many would fall to the marked one by chance: R. Fisher 1935
    return float(hypergeom.sf(hits - 1, trials + control_trials, hits + control, trials))


# What is left


def states(results: Results, scheme: str, attack: str) -> list[State]:
    """Say for each seed what `attack` left of the mark."""
    return [state(results, row, attack) for row in results.where(scheme=scheme)]


def state(results: Results, row: Row, attack: str) -> State:
    """Say what `attack` left of one network's mark."""
    scheme = row["scheme"]
    before = cell_of(row, NONE)
    after = cell_of(row, attack)
    if p_value(results, scheme, _count(before)) > LEVEL:
        return "void"
    if after["accuracy"] < DESTROYED * before["accuracy"]:
        return "destroyed"
    if p_value(results, scheme, _count(after)) <= LEVEL:
        return "believed"
    different = difference_p_value(_count(after), control(results, row, attack)) <= DIFFERENT
    return "worn" if different else "gone"


def control(results: Results, row: Row, attack: str) -> Count:
    """Count what the same key hits in the unmarked network of the same seed, after the same attack."""
    (plain,) = results.where(scheme=PLAIN, seed=row["seed"])
    cell = cell_of(plain, attack)
    return Count(cell["hits"][row["scheme"]], cell["trials"][row["scheme"]])


def unproven(results: Results, scheme: str, attack: str) -> bool:
    """Say whether after `attack` the mark is worn or gone for every seed."""
    return set(states(results, scheme, attack)) <= UNPROVEN


# The price


def accuracy_after(results: Results, scheme: str, attack: str) -> float:
    """Return the accuracy that is left, mean over seeds."""
    return mean(values(cells(results, scheme, attack), "accuracy"))


def lost(results: Results, scheme: str, attack: str) -> float:
    """Return the accuracy lost to `attack`, mean over seeds."""
    return accuracy_after(results, scheme, NONE) - accuracy_after(results, scheme, attack)


def own_accuracy(results: Results) -> float:
    """Return the accuracy of the thief who steals nothing, mean over all his networks."""
    return mean(cell_of(row, STEALS_NOTHING)["accuracy"] for row in results.rows)


def own_loss(results: Results) -> float:
    """Return the accuracy lost, mean over the schemes, by a thief who steals nothing: who loses more with an
    attack would have done better without the theft.
    """
    before = mean(accuracy_after(results, scheme, NONE) for scheme in schemes(results))
    return before - own_accuracy(results)


def worth(results: Results, scheme: str, attack: str) -> bool:
    """Say whether what `attack` leaves is better than what the thief could have had without stealing."""
    return accuracy_after(results, scheme, attack) > own_accuracy(results)


def prices(results: Results, scheme: str, among: Sequence[str]) -> list[Price]:
    """Return what the attacks `among` cost that leave no seed's judge convinced, and a network worth the
    theft; the cheapest first.
    """
    good = [name for name in among if unproven(results, scheme, name) and worth(results, scheme, name)]
    return sorted((Price(name, lost(results, scheme, name)) for name in good), key=lambda price: price.lost)


def cheapest(results: Results, scheme: str, among: Sequence[str] | None = None) -> Price | None:
    """Return the first of `prices`, or None where no attack works."""
    offers = prices(results, scheme, attacks(results) if among is None else among)
    return next(iter(offers), None)


def paid(results: Results, scheme: str, among: Sequence[str] | None = None) -> float | None:
    """Return the accuracy, in points, that the cheapest attack costs."""
    price = cheapest(results, scheme, among)
    return None if price is None else points(price)


def points(price: Price) -> float:
    """Return the accuracy, in points, that an attack costs; what it gains counts as free."""
    return round(100 * max(price.lost, 0.0), 4)


def offers(results: Results) -> list[Offer]:
    """Return what each attack costs and removes."""
    return [offer(results, name) for name in attacks(results)]


def offer(results: Results, attack: str) -> Offer:
    """Return what one attack costs and removes."""
    names = schemes(results)
    after = mean(accuracy_after(results, name, attack) for name in names)
    left = [set(states(results, name, attack)) for name in names]
    return Offer(
        removal=attack,
        lost=mean(lost(results, name, attack) for name in names),
        unproven=sum(each <= UNPROVEN for each in left),
        gone=sum(each == {"gone"} for each in left),
        worth=after > own_accuracy(results),
    )


def front(results: Results) -> list[Offer]:
    """Return the attacks that remove something, and that no other one beats in price and marks; the cheapest
    first.
    """
    best: list[Offer] = []
    most = 0
    for each in sorted(offers(results), key=lambda each: (each.lost, -each.unproven)):
        if each.unproven > most:
            best.append(each)
            most = each.unproven
    return best
