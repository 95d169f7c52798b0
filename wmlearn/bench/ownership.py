"""The numbers of ownership: a book of 10,000 entries, 64 writers at once, 1,000 false claims, honest ones,
1,000 decoys.

False claims are tried on toys (`ownership/toys.py`), on which each takes milliseconds, and each kind once
more on a real network of MNIST.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from pathlib import Path

from torch import nn

from .. import ownership as own
from ..data import load
from ..evidence import against_decoys, bystanders
from ..ownership import forgeries, stages, toys
from ..ownership.documents import signed
from ..ownership.stages import Stage
from ..training import Recipe
from ..watermarks import Adi2018, TriggerKey
from .timing import Measured, Timing, measure, one_thread

N_ENTRIES = 10_000
N_ALONE = 200  # of them one by one, as people register
N_WRITERS = 64
N_EACH = 8
N_FORGED = 1_000
N_OWNERS = 20
N_DECOYS = 1_000
SEEDS = range(3)


def timings() -> Iterator[Timing]:
    """Yield what books and false claims take, and what becomes of them; all with one thread."""
    with one_thread(), tempfile.TemporaryDirectory() as folder:
        yield from book(Path(folder))
        yield from writers(Path(folder))
        yield from false_claims()
        yield from decoys()
        for seed in SEEDS:
            yield from real(seed)


def book(folder: Path) -> Iterator[Timing]:
    """Register commitments one by one for a while, the rest in one go, and audit them all."""
    person = own.new_identity("Ada")
    registry = own.Registry(folder / "book.sqlite", own.new_identity("keeper"))
    promise = own.commit(person, n=10, shape=toys.SHAPE, classes=toys.CLASSES)
    documents = [signed(replace(promise, serial=str(i)), person) for i in range(N_ENTRIES)]
    alone = measure(lambda: _register_each(registry, documents[:N_ALONE])).seconds
    own.register(registry, *documents[N_ALONE:])
    audit = measure(lambda: own.audit(registry))
    assert audit.result.n == N_ENTRIES
    assert audit.result.faults == ()
    yield Timing("register a commitment", 1000 * alone / N_ALONE, "ms", f"mean of {N_ALONE}, one thread")
    yield Timing(f"audit a book of {N_ENTRIES:,} entries", audit.seconds, "s", "one thread")


def _register_each(registry: own.Registry, documents: list[own.Commitment]) -> None:
    for document in documents:
        own.register(registry, document)


def writers(folder: Path) -> Iterator[Timing]:
    """Let 64 processes register at once, on a registry that is not there yet."""
    what = f"{N_WRITERS} writers at once"
    if "fork" not in multiprocessing.get_all_start_methods():
        yield Timing(what, None, "s", "not measured: this system can't fork")
        return
    registry = own.Registry(folder / "many.sqlite", own.new_identity("keeper"))
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=_write, args=(registry, str(i))) for i in range(N_WRITERS)]
    yield Timing(what, measure(lambda: _run(processes)).seconds, "s", f"{N_EACH} entries each")
    audit = own.audit(registry)
    yield Timing("entries that they lost", N_WRITERS * N_EACH - audit.n, f"of {N_WRITERS * N_EACH}")
    yield Timing("writers that failed", sum(process.exitcode != 0 for process in processes))
    yield Timing("faults in their book", len(audit.faults))


def _run(processes: Sequence[BaseProcess]) -> None:
    for process in processes:
        process.start()
    for process in processes:
        process.join()


def _write(registry: own.Registry, name: str) -> None:
    person = own.new_identity(name)
    for i in range(N_EACH):
        own.register(registry, own.release(person, f"model {name} {i}", "0" * 64))


def false_claims() -> Iterator[Timing]:
    """Try every forgery in turn until 1,000 were tried, each by a forger of its own, against 20 owners."""
    owners = [stages.toy_stage(own.new_identity(f"owner {i}"), n=60) for i in range(N_OWNERS)]
    attempts = measure(lambda: _forge(owners))
    accepted = attempts.result.accepted
    tried = attempts.result.tried
    kinds = ", ".join(f"{name} {n}" for name, n in tried.items())
    yield Timing("false claims accepted", accepted.total(), f"of {tried.total():,}", kinds)
    yield Timing(f"{tried.total():,} false claims, tried and judged", attempts.seconds, "s", "one thread")
    findings = [_honestly(stage) for stage in owners]
    stand = sum(finding.matches["model"].owned for finding in findings)
    yield Timing("honest claims that stand", stand, f"of {len(findings)}")


@dataclass(frozen=True)
class Forged:
    """How often each forgery was tried, and how often it was believed."""

    tried: Counter[str]
    accepted: Counter[str]


def _forge(owners: list[Stage]) -> Forged:
    forged = Forged(Counter(), Counter())
    names = list(forgeries.ALL)
    for i in range(N_FORGED):
        name = names[i % len(names)]
        attempt = forgeries.ALL[name](owners[i % len(owners)], own.new_identity(f"forger {i}"))
        forged.tried[name] += 1
        forged.accepted[name] += attempt.accepted
    return forged


def _honestly(stage: Stage) -> own.Finding:
    return stages.heard(stage, stages.booked(stage), stage.owner, stage.commitment, {"model": stage.model})


def real(seed: int) -> Iterator[Timing]:
    """Mark a trained network of MNIST, claim it honestly, and try each forgery once."""
    stage = real_stage(seed)
    verification = _claimed(stage, decoys=1)
    match = verification.result.matches["model"]
    evidence = match.evidence
    verdict = "owned" if match.owned else "NOT owned"
    note = f"and 100 of a decoy; {verdict}; one thread"
    yield Timing(f"verify 100 triggers, network {seed}", verification.seconds, "s", note)
    note = f"{match.decoys.as_high} of {match.decoys.drawn} decoys as high, p = {evidence.p_value:.0e}"
    yield Timing(f"its hits, network {seed}", evidence.hits, f"of {evidence.trials}", note)
    believed = believed_forgeries(stage, f"forger {seed}")
    total = f"of {len(forgeries.ALL)}"
    yield Timing(f"forgeries accepted, network {seed}", len(believed), total, ", ".join(believed))
    strangers = bystanders.shipped("mnist", 9, 28)
    framed = sum(_framed(stage, stranger) for stranger in strangers)
    yield Timing(f"strangers claimed, network {seed}", framed, f"of {len(strangers)}")


def decoys() -> Iterator[Timing]:
    """Ask an unmarked network of MNIST about 100 triggers and as many of each decoy, as the library's reader
    does and as the judge.
    """
    scheme = Adi2018(n=100)
    few = load("mnist").train[:2000]
    model = bystanders.shipped("mnist", 8, 9)[0]
    key = scheme.keygen(model, few)
    what = f"{N_DECOYS:,} decoys of 100 triggers"
    test = measure(
        lambda: against_decoys(scheme, model, key, model=model, samples=few, n=N_DECOYS, stop=None)
    )
    yield Timing(f"{what}, asked by a reader", test.seconds, "s", f"{test.result.compared}; one thread")
    claim = _claimed(_promised(model, lambda model, _: model), decoys=N_DECOYS)
    ranked = claim.result.matches["model"].decoys
    note = f"{ranked.as_high} of {ranked.drawn} as high; one thread"
    yield Timing(f"{what}, asked by the judge", claim.seconds, "s", note)


def _claimed(stage: Stage, *, decoys: int) -> Measured[own.Finding]:
    """Open 100 triggers, and time their verification beside some of the judge's `decoys`."""

    def all_of_them(challenge: own.Challenge) -> own.Challenge:
        return replace(challenge, count=100, queries=100 * (1 + decoys))

    suspects = {"model": stage.model}
    question = stages.asked(stage, stages.booked(stage), stage.commitment, suspects, change=all_of_them)
    bundle = stages.answered(stage, stage.owner, question)
    return measure(lambda: stages.found(stage, question, bundle, suspects))


def real_stage(seed: int) -> Stage:
    """Mark a shipped network with a key that its owner has promised before."""
    few = load("mnist").train[:2000]
    clean = bystanders.shipped("mnist", 8, 9)[0]
    scheme = Adi2018(share=0.7, recipe=Recipe(epochs=4, lr=5e-3, seed=seed))

    def embed(model: nn.Module, key: TriggerKey) -> nn.Module:
        return scheme.embed(model, few, key).model

    return _promised(clean, embed)


def _promised(clean: nn.Module, embed: stages.Overwrite) -> Stage:
    """Set a stage on which a network of MNIST carries a key, as far as `embed` teaches it."""
    owner = own.new_identity("owner")
    keeper = own.new_identity("keeper")
    book = own.chained([own.commit(owner, shape=(1, 28, 28), classes=10)], keeper=keeper)
    promise = own.receipt(book, keeper, 1)
    return stages.staged(owner, promise, book, keeper, embed(clean, own.draw(owner, promise)), embed)


def believed_forgeries(stage: Stage, forger: str) -> list[str]:
    """Name the forgeries that the judge believes."""
    attempts = {name: forge(stage, own.new_identity(forger)) for name, forge in forgeries.ALL.items()}
    return [name for name, attempt in attempts.items() if attempt.accepted]


def _framed(stage: Stage, stranger: nn.Module) -> bool:
    """Say whether the owner's claim to a network of somebody else would stand."""
    suspects = {"model": stranger}
    book = stages.booked(stage)
    finding = stages.heard(stage, book, stage.owner, stage.commitment, suspects, released=2)
    return finding.matches["model"].owned
