"""The numbers of ownership: a book of 10,000 entries, 64 writers at once, 1,000 false claims, and honest ones
beside them.

False claims are tried on toys (`ownership/toys.py`), on which each takes milliseconds, and each kind once
more on a real network of MNIST. Run with one thread: `python benchmarks/ownership.py [RESULTS.json]`.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

import wmlearn as wm
from wmlearn import ownership as own
from wmlearn.ownership import forgeries, toys
from wmlearn.ownership.documents import signed

N_ENTRIES, N_WRITERS, N_EACH, N_FORGED = 10_000, 64, 8, 1_000


def book(folder: Path) -> dict[str, float]:
    """Register commitments one by one for a while, the rest in one go, and audit them all."""
    person, registry = own.new_identity("Ada"), own.Registry(folder / "book.sqlite")
    promise = own.commit(person, own.draw(person, n=10, shape=toys.SHAPE, classes=toys.CLASSES))
    documents = [signed(replace(promise, serial=str(i)), person) for i in range(N_ENTRIES)]
    start = time.perf_counter()
    for document in documents[:200]:
        own.register(registry, document)
    one = (time.perf_counter() - start) / 200
    own.register(registry, *documents[200:])
    start = time.perf_counter()
    found = own.audit(registry)
    seconds = time.perf_counter() - start
    assert (found.n, found.faults) == (N_ENTRIES, ())
    return {
        "entries": N_ENTRIES,
        "seconds_to_register_one": round(one, 4),
        "seconds_to_audit": round(seconds, 2),
    }


def _write(registry: own.Registry, name: str) -> None:
    person = own.new_identity(name)
    for i in range(N_EACH):
        own.register(registry, own.release(person, f"model {i}", "0" * 64))


def writers(folder: Path) -> dict[str, float]:
    """Let 64 processes register at once, on a registry that is not there yet."""
    registry, fork = own.Registry(folder / "many.sqlite"), multiprocessing.get_context("fork")
    start = time.perf_counter()
    processes = [fork.Process(target=_write, args=(registry, str(i))) for i in range(N_WRITERS)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    seconds = time.perf_counter() - start
    found = own.audit(registry)
    return {
        "writers": N_WRITERS,
        "entries": found.n,
        "lost": N_WRITERS * N_EACH - found.n,
        "failed": sum(process.exitcode != 0 for process in processes),
        "faults": len(found.faults),
        "seconds": round(seconds, 1),
    }


def false_claims() -> dict[str, Any]:
    """Try every forgery in turn until 1,000 were tried, each by a forger of its own, against 20 owners."""
    stages = [forgeries.toy_stage(own.new_identity(f"owner {i}"), n=60) for i in range(20)]
    start, tried, accepted = time.perf_counter(), Counter[str](), Counter[str]()
    for i in range(N_FORGED):
        name = list(forgeries.ALL)[i % len(forgeries.ALL)]
        tried[name] += 1
        accepted[name] += forgeries.ALL[name](
            stages[i % len(stages)], own.new_identity(f"forger {i}")
        ).accepted
    seconds = time.perf_counter() - start
    findings = [
        forgeries.claim(stage, stage.owner, stage.key, stage.promise, forgeries.case(stage))
        for stage in stages
    ]
    honest = [found.matches["model"].owned for found in findings]
    return {
        "tried": dict(tried),
        "accepted": accepted.total(),
        "of": tried.total(),
        "honest_claims_that_stand": sum(honest),
        "honest_claims": len(honest),
        "seconds": round(seconds, 1),
    }


def real(seed: int) -> dict[str, Any]:
    """Mark a trained network of MNIST, claim it honestly, and try each forgery once."""
    few, clean = wm.load("mnist").train[:2000], wm.bystanders.shipped("mnist", 8, 9)[0]
    scheme = wm.watermarks.Adi2018(share=0.7, recipe=wm.Recipe(epochs=4, lr=5e-3, seed=seed))
    owner = own.new_identity("owner")
    key = own.draw(owner, shape=(1, 28, 28), classes=10)
    innocent = wm.bystanders.shipped("mnist")
    marked = scheme.embed(clean, few, key).model
    stage = forgeries.staged(
        owner, key, marked, innocent, lambda model, mark: scheme.embed(model, few, mark).model
    )
    heard = forgeries.case(stage)
    asked = own.challenge(stage.judge, stage.promise, heard.suspects, count=100)
    bundle = own.respond(owner, key, stage.promise, asked)
    start = time.perf_counter()
    found = own.verify(heard, asked, bundle).matches["model"]
    seconds = time.perf_counter() - start
    accepted = [
        name
        for name, forge in forgeries.ALL.items()
        if forge(stage, own.new_identity(f"forger {seed}")).accepted
    ]
    strangers = wm.bystanders.shipped("mnist", 9, 28)
    framed = 0
    for stranger in strangers:
        other = own.Case({"model": stranger}, innocent, heard.book, heard.released)
        framed += forgeries.claim(stage, owner, key, stage.promise, other).matches["model"].owned
    return {
        "seed": seed,
        "seconds_to_verify_100": round(seconds, 3),
        "hits": found.evidence.hits,
        "chance": round(found.evidence.chance, 3),
        "p_value": found.evidence.p_value,
        "owned": found.owned,
        "forgeries_accepted": accepted,
        "strangers_claimed": f"{framed} of {len(strangers)}",
    }


def main(out: Path | None) -> None:
    """Measure everything, print it, and write it to `out`."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        found: dict[str, Any] = {"book": book(Path(name)), "writers": writers(Path(name))}
    found |= {"false_claims": false_claims(), "real": [real(seed) for seed in range(3)]}
    text = json.dumps({"version": wm.__version__, **found}, indent=1)
    print(text)
    if out:
        out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
