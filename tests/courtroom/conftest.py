"""Cases that several tests look at: dealt once."""

from __future__ import annotations

import pytest

from wmlearn.courtroom import dealing, filings
from wmlearn.courtroom.dealing import Dealt, Networks, Plan, Truth
from wmlearn.courtroom.filings import Bar
from wmlearn.watermarks.secret import secret_of

SECRET = secret_of(1600, None)


@pytest.fixture(scope="package")
def few() -> tuple[Dealt, ...]:
    """Half a day's court."""
    return dealing.dealt(SECRET, 4)


@pytest.fixture(scope="package")
def people() -> Bar:
    """The two sides of a case that every false claim is tried on."""
    return filings.bar(SECRET, "Ada", "Bela")


@pytest.fixture(scope="package")
def networks(people: Bar) -> Networks:
    """Two networks that learnt apart, each with a mark."""
    return dealing.networks_of(people, Plan("independent", marked=True))


@pytest.fixture(scope="package")
def mixed(people: Bar, networks: Networks) -> tuple[Dealt, ...]:
    """Four cases over one pair of networks: what is said of them is not what was dealt, nor needs to be."""
    plans = [
        Plan("independent"),
        Plan("licensed"),
        Plan("backdated", "backdated"),
        Plan("searched", "searched", service=True),
    ]
    cases = []
    for i, plan in enumerate(plans):
        papers = dealing.papers_of(people, plan, networks)
        truth = Truth(i + 1, i < 2, "pruned" if i < 2 else plan.kind)
        cases.append(Dealt(truth, plan.service, networks.accused, papers))
    return tuple(cases)
