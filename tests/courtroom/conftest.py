"""Cases that several tests look at: dealt once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from wmlearn import memory
from wmlearn.courtroom import dealing, dossiers, filings, small_digits
from wmlearn.courtroom.dealing import Dealt, Networks, Plan, Truth
from wmlearn.courtroom.filings import Bar
from wmlearn.watermarks.secret import secret_of

SECRET = secret_of(1600, None)


@pytest.fixture(scope="package", autouse=True)
def memorised() -> Iterator[Path]:
    """Train a network of the court once for all processes that test, those of notebook 16 among them; return
    the folder.
    """
    folder = Path(os.environ["WMLEARN_MEMORY"])
    memory.keep(folder)
    torch.use_deterministic_algorithms(True)  # as in a notebook
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyrefly: ignore[missing-attribute]
    yield folder
    torch.utils.deterministic.fill_uninitialized_memory = True  # pyrefly: ignore[missing-attribute]
    torch.use_deterministic_algorithms(False)
    memory.keep(None)


@pytest.fixture(scope="package")
def people() -> Bar:
    """The two sides of a case that every false claim is tried on."""
    return filings.bar(SECRET, "Ada", "Bela")


@pytest.fixture(scope="package")
def networks(people: Bar) -> Networks:
    """Two networks that learnt apart, each with a mark."""
    trained = dealing.networks_of(people, Plan("independent", marked=True))
    return Networks(small_digits.plain(trained.original), small_digits.plain(trained.accused))


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


@pytest.fixture(scope="package")
def written(mixed: tuple[Dealt, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a learner, as a teacher hands it out. Copy it: a sitting keeps its desk there."""
    path = tmp_path_factory.mktemp("class") / "ada"
    dossiers.write(mixed, path, bytes(32))
    return path


@pytest.fixture(scope="package")
def few(people: Bar, networks: Networks) -> tuple[Dealt, ...]:
    """Four cases, as they are dealt, but that three claimants show one network: a copy by scores, a network
    of a stranger, a false claim on it, and an insider's.
    """
    samples = small_digits.digits(people.secret, "a thief", 2 * dealing.THIEFS)
    copy = small_digits.plain(
        small_digits.remembered(networks.original, dealing.WASHES["distilled"], samples)
    )
    pairs = {
        Plan("distilled"): Networks(networks.original, copy),
        Plan("independent", marked=True): networks,
        Plan("only-hits", "only-hits", marked=True): networks,
    }
    cases = []
    for plan, pair in pairs.items():
        papers = dealing.papers_of(people, plan, pair)
        cases.append(Dealt(Truth(len(cases) + 1, plan.stolen, plan.kind), False, pair.accused, papers))
    insiders = filings.bar(secret_of(1602, None), "Chen", "Dina")
    return (*cases, dealing.case_of(insiders, Plan("insider", marked=True), 4))


@pytest.fixture(scope="package")
def twenty() -> list[tuple[Dealt, ...]]:
    """The cases of twenty courts: some minutes."""
    return [dealing.dealt(secret_of(seed, None) + b" court") for seed in range(20)]
