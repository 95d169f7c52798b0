"""The case that the owner loses: verdict against the number of digits that the thief works with.

Ada promises a key, teaches it to a network, and releases that. Mallory has promised one, too. He takes hers
and puts his mark over it, gently or at a large rate, or teaches a new network her answers and marks that
(`distil`); then he releases, and both go to court. The control is *his
own* network, which learnt from nobody's answers and is treated alike, on the same digits. A rule that saves
Ada from the thief must not rob the honest Mallory, and the marks are all that it sees.

Not in a paper. The court is `ownership.dispute`; its nonces follow from the documents, so that the same
triggers are opened every time.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import nn

from .. import ownership as own
from ..data import Samples, split
from ..evidence import Evidence, answers, bystanders
from ..ownership import Book, Case, Challenge, Identity, Party, Report
from ..ownership.documents import Document, kind, signed, text
from ..ownership.documents import digest as name_of
from ..ownership.registry import closed
from ..ownership.seeded import decoy, pairs_of
from ..removal import Distill
from ..training import Recipe, accuracy, trained
from ..watermarks import Adi2018, TriggerKey
from ..watermarks.trigger_set import lesson
from .experiment import Cell, Comparison, Experiment, Results, Row, values
from .material import mnist, rounded

N = 128
"""Triggers that each of both promises."""
OPENED = 50
LEVEL = 1e-3
DECOYS = 99
"""Keys of strangers, of as many triggers as are opened, that the disputed network is asked about."""
DIGITS = (1_000, 2_000, 5_000)
"""How many digits the thief has; none is Ada's."""
HERS = 20_000
"""On how many Ada teaches her key."""
TEST = 2_000
"""Test digits that tell what his network is worth."""
STARTS = ("hers", "own")
"""Whose network he starts with: the theft, and the control."""
SEEDS = range(5)
MARK = Recipe(epochs=2, lr=2e-3, batch_size=128)
"""How Ada teaches her key."""
THIEVES = {"overwrite": MARK, "overwrite-hard": Recipe(epochs=3, lr=1e-2, batch_size=128), "distil": MARK}
"""What the thief does -> how he teaches his key: as she did, at five times her rate, or to a copy."""
SCHEME = Adi2018(n=N, share=0.26, recipe=MARK)
COPY = Distill("soft", recipe=Recipe(epochs=5, lr=5e-3, batch_size=128))
MADE = "2025-03-03T09:00:00+00:00"
NOBODY = "nobody"


def person(name: str, seed: int) -> Identity:
    """Return somebody of one seed's case; his secret is no secret."""
    return Identity(name, hashlib.sha256(f"wmlearn lost case {seed} {name}".encode()).digest())


def registered(*documents: Document, after: Book | None = None) -> Book:
    """Return a registry with these entries, whose nonces follow from the documents."""
    entries = list(after.entries) if after else []
    for document in documents:
        nonce = hashlib.sha256(f"wmlearn lost case nonce {name_of(document)}".encode()).hexdigest()
        entries.append(own.Entry(len(entries) + 1, MADE, kind(document), text(document), nonce))
    return closed(entries, person("the keeper", 0), MADE)


def receipt(book: Book, document: Document) -> own.Receipt:
    """Return the keeper's receipt of a document."""
    entry = own.find(book, document)
    assert entry is not None
    return own.receipt(book, person("the keeper", 0), entry.number)


@dataclass(frozen=True, eq=False)
class Scene:
    """A case before the theft: the people, their promises in `book`, their keys, and Ada's network."""

    ada: Identity
    mallory: Identity
    promises: Mapping[str, own.Commitment]
    keys: Mapping[str, TriggerKey]
    book: Book
    hers: nn.Module
    digits: Samples


@lru_cache(1)
def scene(seed: int) -> Scene:
    """Let both promise, and Ada teach her key to a network; the thief's digits are none of hers."""
    data = mnist()
    hers_only, his_only = split(data.train, HERS, DIGITS[-1], seed=4000 + seed)
    people = {name: person(name, seed) for name in ("Ada", "Mallory")}
    promises = {
        name: own.commit(someone, n=N, shape=(1, 28, 28), classes=10, made=MADE)
        for name, someone in people.items()
    }
    book = registered(*promises.values())
    keys = {name: own.draw(someone, receipt(book, promises[name])) for name, someone in people.items()}
    hers = marked(_unmarked(bystanders.N_NULL + seed), hers_only, keys["Ada"])
    return Scene(people["Ada"], people["Mallory"], promises, keys, book, hers, his_only)


def _unmarked(number: int) -> nn.Module:
    """Return a copy of a shipped network that learnt digits and no mark."""
    (network,) = bystanders.shipped("mnist", number, number + 1)
    return copy.deepcopy(network).to(mnist().train.x.device)


def marked(network: nn.Module, digits: Samples, key: TriggerKey, recipe: Recipe = MARK) -> nn.Module:
    """Teach a copy of a network a key, among some digits."""
    return trained(network, lesson(digits, key, SCHEME.share), recipe)[0]


def released(scene: Scene, his: nn.Module) -> Book:
    """Register both releases, hers first."""
    releases = [
        own.release(someone, name, own.fingerprint(network), commitments=(name_of(promise),), made=MADE)
        for someone, name, network, promise in (
            (scene.ada, "hers", scene.hers, scene.promises["Ada"]),
            (scene.mallory, "his", his, scene.promises["Mallory"]),
        )
    ]
    return registered(*releases, after=scene.book)


def judged(scene: Scene, his: nn.Module) -> Report:
    """Let both claim what Mallory released, and the court decide."""
    suspects = {"hers": scene.hers, "his": his}
    judge = person("the judge", 0)
    book = released(scene, his)
    people = {"Ada": scene.ada, "Mallory": scene.mallory}
    asked = {name: _asked(judge, promise, suspects, book) for name, promise in scene.promises.items()}
    longer = registered(*asked.values(), after=book)
    parties = []
    for (name, challenge), model in zip(asked.items(), suspects, strict=True):
        papers = (receipt(longer, scene.promises[name]), receipt(longer, challenge))
        bundle = own.respond(people[name], *papers, judge=judge.public, book=longer)
        parties.append(Party(name, people[name].public, model, challenge, bundle))
    case = Case(suspects, longer, judge.public, secret=judge.secret)
    return own.dispute(case, "his", parties)


def _asked(
    judge: Identity, promise: own.Commitment, suspects: Mapping[str, nn.Module], book: Book
) -> Challenge:
    blank = own.challenge(judge, promise, suspects, book=book, count=OPENED, level=LEVEL, queries=5 * OPENED)
    nonce = hashlib.sha256(f"wmlearn lost case challenge {name_of(promise)}".encode()).hexdigest()
    return signed(replace(blank, nonce=nonce, made=MADE), judge)


@lru_cache(1)
def _strangers_keys(seed: int) -> TriggerKey:
    """Draw all triggers of the decoys, one after the other, by the recipe of the promise."""
    present = scene(seed)
    secret = hashlib.sha256(f"wmlearn lost case decoys {seed}".encode()).digest()
    triggers = [decoy(secret, key, i) for key in range(DECOYS) for i in range(OPENED)]
    pairs = pairs_of(present.promises["Ada"], triggers)
    return replace(present.keys["Ada"], x=pairs.x, y=pairs.y)


def hits(network: nn.Module, key: TriggerKey) -> torch.Tensor:
    """Say to which triggers (n,) a network answers as the key says, on the CPU."""
    device = next(network.parameters()).device
    return answers(network, key.x.to(device)).cpu() == key.y


def _measure(cell: Cell, recipe: Recipe) -> Row:
    """Steal or build Mallory's network, mark it, and go to court."""
    present = scene(recipe.seed)
    digits = present.digits[: cell["digits"]]
    start = present.hers if cell["start"] == "hers" else _unmarked(bystanders.N_NULL + 10 + recipe.seed)
    if cell["thief"] == "distil":
        start = replace(COPY, recipe=replace(COPY.recipe, seed=recipe.seed))(start, digits)
    how = replace(THIEVES[cell["thief"]], seed=recipe.seed)
    his = marked(start, digits, present.keys["Mallory"], how)
    report = judged(present, his)
    others = hits(his, _strangers_keys(recipe.seed)).view(DECOYS, OPENED).sum(1)
    ada = report.findings["Ada"].matches["his"].evidence
    everything = Evidence("adi2018", "labels", int(hits(his, present.keys["Ada"]).sum()), N, 0.1)
    return {
        "accuracy": rounded(accuracy(his, mnist().test[:TEST])),
        "owner": report.owner or NOBODY,
        "level": report.findings["Ada"].level,
        "hers_in_his": ada.hits,
        "his_in_his": report.findings["Mallory"].matches["his"].evidence.hits,
        "his_in_hers": report.findings["Mallory"].matches["hers"].evidence.hits,
        "hers_in_hers": report.findings["Ada"].matches["hers"].evidence.hits,
        "opened": ada.trials,
        "all_hits": everything.hits,
        "all": everything.trials,
        "as_high": int((others >= ada.hits).sum()),
        "drawn": DECOYS,
    }


# What the rows say


def p_value(row: Row, mark: str) -> float:
    """Return the p-value of what was opened of a mark, such as "hers_in_his"."""
    return Evidence("adi2018", "labels", row[mark], row["opened"], 0.1).p_value


def decoy_p(row: Row) -> float:
    """Return the p-value of Ada's mark in the disputed network, among strangers' keys."""
    return (1 + row["as_high"]) / (1 + row["drawn"])


def owners(rows: Sequence[Row]) -> dict[str, int]:
    """Count to whom the court gave the network."""
    found = values(rows, "owner")
    return {name: found.count(name) for name in ("Ada", "Mallory", NOBODY)}


def _compare(results: Results) -> list[Comparison]:
    comparisons = []
    for thief in THIEVES:
        for start in STARTS:
            for digits in DIGITS:
                comparisons.append(_compare_cells(results, thief, start, digits))
    return comparisons


CALLED = {"hers": "Ada's network", "own": "his own network (control)"}
DOES = {
    "overwrite": "his mark over hers, at her rate",
    "overwrite-hard": "his mark over hers, at five times her rate",
    "distil": "her answers distilled, and his mark on that",
}


def _compare_cells(results: Results, thief: str, start: str, digits: int) -> Comparison:
    rows = results.where(thief=thief, start=start, digits=digits)
    counts = owners(rows)
    found = ", ".join(str(row["hers_in_his"]) for row in rows)
    p = ", ".join(f"{decoy_p(row):.3f}" for row in rows)
    right = 100 * sum(values(rows, "accuracy")) / max(1, len(rows))
    says = (
        f"Ada {counts['Ada']}, Mallory {counts['Mallory']}, nobody {counts[NOBODY]} of {len(rows)};"
        f" Ada's hits of {OPENED}: {found}; p among decoys: {p}; accuracy {right:.1f} %"
    )
    return Comparison(f"{DOES[thief]}; {CALLED[start]}, {digits:,} digits: whose it is", "", says)


LOST_CASE = Experiment(
    name="lost-case",
    question="A thief marks what he stole: with how many digits does the court give it to him?",
    minutes=20,
    chapter="10 Whose model is it?",
    cells=tuple(
        {"seed": seed, "thief": thief, "start": start, "digits": digits}
        for seed in SEEDS
        for thief in THIEVES
        for start in STARTS
        for digits in DIGITS
    ),
    measure=_measure,
    summary=_compare,
)
