"""What an intake policy costs: a price for each look, for each bad parcel let in, each honest one refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import require

Look = Callable[[str], str]
"""Takes the name of a look, and returns "fine", "bad" or "nothing"; each look is paid for once."""
Policy = Callable[[Look], bool]
"""Decides whether a parcel is let in, by the looks that it takes."""


def _minutes() -> dict[str, float]:
    return {
        "hash": 1,
        "signature": 1,
        "format": 1,
        "scanner": 1,
        "provenance": 10,
        "triggers": 2,
        "cleanse": 5,
        "independence": 2,
        "monitoring": 20,
    }


@dataclass(frozen=True)
class Prices:
    """Minutes of somebody's work. They are assumed, not measured: change them."""

    looks: Mapping[str, float] = field(default_factory=_minutes)
    missed: float = 1000  # a bad parcel let in
    refused: float = 100  # an honest parcel sent back


PRICES = Prices()


@dataclass(frozen=True)
class Case:
    """A parcel whose truth is known, and what each look says of it."""

    kind: str
    honest: bool
    states: Mapping[str, str]


@dataclass(frozen=True)
class Bill:
    """What a policy came to over some parcels."""

    parcels: int
    missed: int
    refused: int
    looks: float  # minutes
    total: float  # minutes, with what misses and refusals cost

    @property
    def each(self) -> float:
        """Minutes a parcel."""
        return self.total / self.parcels


def bill(policy: Policy, cases: Sequence[Case], prices: Prices = PRICES) -> Bill:
    """Let a policy decide on every parcel, and add up what it costs.

    Raises `ArgumentError` for no parcel, or a look that there isn't.
    """
    require(len(cases) > 0, "cases must not be empty", 0, "Take those of an experiment.")
    missed = 0
    refused = 0
    minutes = 0.0
    for case in cases:
        taken: dict[str, str] = {}
        accepted = bool(policy(_counting(case, taken)))
        minutes += sum(prices.looks[name] for name in taken)
        missed += accepted and not case.honest
        refused += case.honest and not accepted
    total = minutes + prices.missed * missed + prices.refused * refused
    return Bill(len(cases), missed, refused, minutes, total)


def _counting(case: Case, taken: dict[str, str]) -> Look:
    """Return a look that writes down what was taken."""

    def look(name: str) -> str:
        require(name in case.states, f"a look must be one of {', '.join(case.states)}", name)
        taken[name] = case.states[name]
        return taken[name]

    return look


def any_bad(names: Sequence[str]) -> Policy:
    """Return the policy that takes looks in order, and refuses at the first that says "bad"."""
    return lambda look: not any(look(name) == "bad" for name in names)


def cheapest_rule(cases: Sequence[Case], prices: Prices = PRICES) -> tuple[str, ...]:
    """Return the looks, cheapest first, with which `any_bad` costs least over these parcels, of all sets."""
    names = sorted(prices.looks, key=lambda name: prices.looks[name])
    rules = [_chosen(names, number) for number in range(2 ** len(names))]
    return min(rules, key=lambda rule: bill(any_bad(rule), cases, prices).total)


def _chosen(names: Sequence[str], number: int) -> tuple[str, ...]:
    """Return the names whose bits are set in a number."""
    return tuple(name for i, name in enumerate(names) if number >> i & 1)
