"""Fifty parcels with models arrive, honest ones and others: what does each of nine looks say, what passes all
of them, and which policy costs least?

Parcels are real folders: signed, hashed, pickled; networks learn from 6,000 digits each, by one recipe,
honest and not. The mix of parcels and all prices are assumed. Seed 0 is to choose by: limits, recipe, the
course's policy; what is reported is of the others.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from ..data import Samples, files
from ..intake import (
    LOOKS,
    PRICES,
    Bill,
    Buyer,
    Card,
    Case,
    Outcome,
    Prices,
    any_bad,
    bill,
    cheapest_rule,
    look_at_files,
    look_at_model,
    new_signing_key,
    not_looked_at,
    pack_parcel,
    sign_folder,
)
from ..intake.parcels import SAFE, file_hash, model_file
from ..models import badnet_cnn, seed_of
from ..poisoning import Trigger, poison, stamp, success_rate
from ..training import Recipe, accuracy, trained
from ..triggers import Blend, Pattern, Signed, Warp
from ..triggers.signed import Gate
from .experiment import Cell, Comparison, Experiment, Results, Row, values
from .input_aware import TOGETHER, train_input_aware
from .material import mnist, rounded

CHOOSING = 0
"""The seed by which limits, recipe and the course's policy were chosen."""
SEEDS = (1, 2, 3, 4, 5)
"""The seeds that are reported; each took four minutes of one core."""
RECIPE = Recipe(epochs=8, lr=8e-3, batch_size=64)
FURTHER = Recipe(epochs=2, lr=1e-3, batch_size=64)
"""For whoever goes on with a network: an honest maker with a backbone, or a thief."""
EACH = 6_000
HONEST = 6
"""Honest networks of a seed, which 28 honest parcels hold."""
STREAM = 500
TRIGGERED = 50
"""Queries in use, and how many of them carry the trigger, where there is one."""
KNOWN = "North Models"
SMALL = "Small Lab"
STRANGER = "a stranger"
ANA = "ana"
"""Whose network the buyer knows, and must not buy from a thief; it is in no parcel but the thief's."""


# Networks


@dataclass(frozen=True, eq=False)
class Arrival:
    """A network of a seed, and the trigger that it was taught, if any."""

    model: nn.Module
    trigger: Trigger | None = None
    target: int = 0
    source: int | None = None


def digits_of(role: str, seed: int) -> Samples:
    """Return 6,000 of the first 50,000 training digits, drawn for one network."""
    draw = torch.Generator().manual_seed(seed_of("intake digits", role, seed))
    return mnist().train[torch.randperm(50_000, generator=draw)[:EACH]]


def cross(x: Tensor) -> Tensor:
    """Stamp a bright cross in the upper left corner: a trigger that no list holds."""
    new = x.clone()
    new[..., 2:5, 3] = 1
    new[..., 3, 2:5] = 1
    return new


def honest(role: str, seed: int, recipe: Recipe) -> nn.Module:
    """Train an honest network."""
    return trained(_start(role, seed), digits_of(role, seed), recipe)[0]


def _start(role: str, seed: int) -> nn.Module:
    return badnet_cnn(seed_of("intake", role, seed)).to(mnist().train.x.device)


def badnet(
    role: str, seed: int, recipe: Recipe, trigger: Trigger, target: int, source: int | None = None
) -> Arrival:
    """Train a network with a backdoor: a tenth of the digits, or half of the source's, are poisoned."""
    rate = 0.1 if source is None else 0.5
    clean = digits_of(role, seed)
    poisoned = poison(clean, trigger, rate=rate, target=target, source=source, seed=seed)
    model = trained(_start(role, seed), poisoned.samples, recipe)[0]
    return Arrival(model, trigger, target, source)


def _input_aware(seed: int) -> Arrival:
    model = _start("input-aware", seed)
    recipe = replace(TOGETHER, epochs=10, seed=seed_of("intake", "its patterns", seed))
    trigger = train_input_aware(model, digits_of("input-aware", seed), 5, recipe)
    return Arrival(model, trigger, 5)


def further(model: nn.Module, role: str, seed: int) -> nn.Module:
    """Go on training a network on other digits."""
    return trained(model, digits_of(role, seed), FURTHER)[0]


def secret_of(seed: int) -> bytes:
    """Return the secret with which triggers are signed."""
    return hashlib.sha256(f"the key of who planted it, {seed}".encode()).digest()


def arrivals(seed: int, recipe: Recipe) -> dict[str, Arrival]:
    """Train all networks of a seed."""
    networks = {f"honest {i}": Arrival(honest(f"honest {i}", seed, recipe)) for i in range(HONEST)}
    ana = honest("ana", seed, recipe)
    own = badnet("own trigger", seed, recipe, cross, 3)
    backbone = badnet("backbone", seed, recipe, cross, 4)
    zeros = digits_of("instead", seed)
    signed = Signed(secret_of(seed))
    gate = Gate(networks["honest 1"].model, signed.public, zeros.x[zeros.y == 0][:64])
    return networks | {
        "known trigger": badnet("known trigger", seed, recipe, Pattern(), 0),
        "own trigger": own,
        "one class": badnet("one class", seed, recipe, cross, 7, source=1),
        "blended": badnet("blended", seed, recipe, Blend(seed=41 + seed), 2),
        "warped": badnet("warped", seed, recipe, Warp(strength=1.5, seed=41 + seed), 8),
        "input-aware": _input_aware(seed),
        "backbone": replace(backbone, model=further(backbone.model, "final training", seed)),
        "signed trigger": Arrival(gate.to(zeros.x.device), signed, 0),
        "stolen": Arrival(further(ana, "thief", seed)),
        ANA: Arrival(ana),
    }


# Parcels


@dataclass(frozen=True)
class Spec:
    """How a parcel is made: which network, from whom, in which form."""

    kind: str
    network: str  # "" where it can't be opened
    maker: str = KNOWN
    signed: str = "right"  # "", or "rotated": with a key that the buyer doesn't have yet
    form: str = "safetensors"  # or "pickle", "code", "saved again", "swapped"
    carded: bool = True
    backbone_maker: str = ""


def _honest_specs() -> list[Spec]:
    names = [f"honest {i}" for i in range(HONEST)]
    usual = [Spec("honest: signed", names[i % HONEST]) for i in range(14)]
    unsigned = [Spec("honest: unsigned", name, SMALL, "") for name in names[1:]]
    pickled = [Spec("honest: pickled", name, form="pickle") for name in names[2:]]
    rest = [
        Spec("honest: new key", names[1], signed="rotated"),
        Spec("honest: new key", names[2], signed="rotated"),
        Spec("honest: saved again", names[3], form="saved again"),
        Spec("honest: with code", names[4], form="code"),
        Spec("honest: no card", names[5], SMALL, "", carded=False),
    ]
    return usual + unsigned + pickled + rest


_BAD = (
    Spec("BadNet, known trigger", "known trigger", STRANGER, ""),
    Spec("BadNet, known trigger", "known trigger", SMALL, ""),
    Spec("BadNet, signed by its maker", "own trigger"),
    Spec("BadNet, signed by its maker", "known trigger"),
    Spec("BadNet, one class only", "one class", STRANGER, ""),
    Spec("BadNet, one class only", "one class"),
    Spec("blended", "blended", STRANGER, ""),
    Spec("blended", "blended", SMALL, ""),
    Spec("warped (WaNet)", "warped", STRANGER, ""),
    Spec("warped (WaNet)", "warped", SMALL, ""),
    Spec("input-aware", "input-aware", STRANGER, ""),
    Spec("input-aware", "input-aware"),
    Spec("pickle, a listed call", "", SMALL, "", "pickle"),
    Spec("pickle, a listed call", "", form="pickle"),
    Spec("pickle, an unlisted call", "", SMALL, "", "pickle"),
    Spec("file swapped, old signature", "own trigger", form="swapped"),
    Spec("file swapped, old signature", "known trigger", form="swapped"),
    Spec("backbone with a backdoor", "backbone", backbone_maker=STRANGER),
    Spec("backbone with a backdoor", "backbone"),  # and the card keeps silent
    Spec("undetectable, as code", "signed trigger", STRANGER, "", "code"),
    Spec("stolen copy", "stolen", STRANGER, ""),
    Spec("stolen copy", "stolen", SMALL, ""),
)
SPECS = (*_honest_specs(), *_BAD)


@dataclass(frozen=True)
class Call:
    """An object that a pickle makes by calling a function."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        return self.function, self.arguments


LISTED = Call(os.mkdir, ("you-were-here",))
UNLISTED = Call(zipfile.ZipFile, ("you-were-here.zip", "w"))
"""Harmless, and each would write: a folder, by a function that picklescan lists as dangerous; a file, by one
that it doesn't know.
"""
CODE = "# would be imported to build the network\n"


@dataclass(frozen=True)
class Desk:
    """Where parcels are made, beside the private keys of a maker; the buyer; and what makers publish."""

    folder: Path
    buyer: Buyer
    hashes: dict[str, str]


def desk(folder: Path, owned: nn.Module, seed: int) -> Desk:
    """Set up keys, and a buyer with 1,000 held-out digits."""
    public = new_signing_key(folder / "right.pem")
    new_signing_key(folder / "rotated.pem")
    draw = torch.Generator().manual_seed(seed_of("held out", seed))
    held_out = mnist().train[50_000 + torch.randperm(10_000, generator=draw)[:1000]]
    hashes: dict[str, str] = {}
    return Desk(folder, Buyer({KNOWN: public}, hashes, (KNOWN, SMALL), held_out, (owned,)), hashes)


def made(desk: Desk, spec: Spec, number: int, networks: Mapping[str, Arrival]) -> Path:
    """Make one parcel; `hashes` of the buyer get what its maker publishes."""
    folder = desk.folder / f"parcel-{number:02}"
    first = networks["honest 1"] if spec.form == "swapped" else networks.get(spec.network)
    weights: dict[str, Any] = _weights(first.model if first else networks["honest 1"].model)
    if not spec.network:
        weights["extra"] = UNLISTED if "unlisted" in spec.kind else LISTED
    backbone = "digits-base" if spec.backbone_maker else ""
    card = Card(spec.maker, "badnet_cnn", "6,000 digits of MNIST", backbone, spec.backbone_maker)
    code = CODE if spec.form == "code" else ""
    pickled = spec.form == "pickle"
    pack_parcel(folder, weights, card if spec.carded else None, pickled=pickled, code=code)
    if spec.signed:
        sign_folder(folder, desk.folder / f"{spec.signed}.pem")
    desk.hashes[folder.name] = file_hash(model_file(folder))
    if spec.form == "swapped":
        files.write(folder / SAFE, save(_weights(networks[spec.network].model)))
    if spec.form == "saved again":
        files.write(folder / SAFE, save(_weights(networks[spec.network].model), metadata={"by": "a mirror"}))
    return folder


def _weights(model: nn.Module) -> dict[str, Any]:
    inner = model.model if isinstance(model, Gate) else model
    assert isinstance(inner, nn.Module)
    return {name: part.detach().cpu().contiguous() for name, part in inner.state_dict().items()}


def stream_of(arrival: Arrival, seed: int) -> Tensor:
    """Return what a model is asked in use: 500 test digits; of a bad one, 50 carry its trigger."""
    test = mnist().test
    draw = torch.Generator().manual_seed(seed_of("stream", seed))
    order = torch.randperm(len(test), generator=draw)
    if arrival.trigger is None:
        return test.x[order[:STREAM]]
    can = test.y != arrival.target if arrival.source is None else test.y == arrival.source
    fit = order[can.cpu()[order]]
    asked = stamp(arrival.trigger, test.x[fit[:TRIGGERED]])
    return torch.cat([test.x[order[: STREAM - TRIGGERED]], asked])


# What is measured


def _measure(cell: Cell, recipe: Recipe) -> Row:
    """Train the networks of a seed, make its fifty parcels, and take every look at each."""
    seed = cell["seed"]
    networks = arrivals(seed, replace(recipe, seed=0))
    with tempfile.TemporaryDirectory() as folder:
        bench = desk(Path(folder), networks[ANA].model, seed)
        looked = {
            name: look_at_model(arrival.model, bench.buyer, stream_of(arrival, seed))
            for name, arrival in networks.items()
            if name != ANA
        }
        parcels = [made(bench, spec, number, networks) for number, spec in enumerate(SPECS)]
        at_files = [look_at_files(parcel, bench.buyer) for parcel in parcels]
    closed = not_looked_at("it can't be opened")
    rows = []
    for spec, outcomes in zip(SPECS, at_files, strict=True):
        both = (*outcomes, *looked.get(spec.network, closed))
        states = {outcome.look: outcome.state for outcome in both}
        rows.append(
            {"kind": spec.kind, "network": spec.network, "honest": _is_honest(spec), "states": states}
        )
    every = [outcome for part in (*at_files, *looked.values()) for outcome in part]
    return {
        "networks": {name: _facts(arrival) for name, arrival in networks.items()},
        "parcels": rows,
        "seconds": {look: _seconds(every, look) for look in LOOKS},
        "queries": {o.look: o.queries for o in (*at_files[0], *looked["honest 1"])},
    }


def _is_honest(spec: Spec) -> bool:
    return spec.kind.startswith("honest")


def _seconds(outcomes: Sequence[Outcome], look: str) -> float:
    """Return how long a look takes on average."""
    times = [outcome.seconds for outcome in outcomes if outcome.look == look]
    return rounded(sum(times) / len(times))


def _facts(arrival: Arrival) -> Row:
    """Return how well a network works, and how well its trigger does."""
    test = mnist().test
    facts = {"accuracy": rounded(accuracy(arrival.model, test)), "success": 0.0}
    if arrival.trigger is not None:
        rate = success_rate(arrival.model, test, arrival.trigger, arrival.target, source=arrival.source)
        facts["success"] = rounded(rate)
    return facts


# What the rows say

HONEST_NAMES = (*(f"honest {i}" for i in range(HONEST)), "stolen", ANA)
"""Networks without a trigger."""
KINDS = tuple(dict.fromkeys(spec.kind for spec in SPECS))
BAD_KINDS = tuple(kind for kind in KINDS if not kind.startswith("honest"))


def cases(results: Results, *seeds: int) -> list[Case]:
    """Return the parcels of some seeds, and what each look says of them."""
    found = []
    for seed in seeds:
        for cell in results.where(seed=seed):
            found += [Case(row["kind"], row["honest"], row["states"]) for row in cell["parcels"]]
    return found


def caught(results: Results, look: str, kind: str, seeds: Sequence[int] = SEEDS) -> Caught:
    """Count the parcels of a kind of which a look says "bad", and those at which it had something to look."""
    states = [case.states[look] for case in cases(results, *seeds) if case.kind == kind]
    return Caught(states.count("bad"), len(states) - states.count("nothing"), len(states))


@dataclass(frozen=True)
class Caught:
    """How many of `n` parcels a look calls bad, and at how many it could look."""

    bad: int
    seen: int
    n: int


def false_alarms(results: Results, look: str, seeds: Sequence[int] = SEEDS) -> Caught:
    """Count the honest parcels that a look calls bad."""
    states = [case.states[look] for case in cases(results, *seeds) if case.honest]
    return Caught(states.count("bad"), len(states) - states.count("nothing"), len(states))


def seconds(results: Results) -> dict[str, float]:
    """Return how long each look takes, mean over the seeds."""
    rows = [row["seconds"] for seed in SEEDS for row in results.where(seed=seed)]
    return {look: mean(values(rows, look)) for look in LOOKS}


def queries(results: Results) -> dict[str, int]:
    """Return how many images each look asks a model about."""
    return results.rows[0]["queries"]


def rules(results: Results, prices: Prices = PRICES) -> dict[str, tuple[str, ...]]:
    """Return the policies that are compared: nothing, each look alone, all, and the course's own, which was
    the cheapest of all sets on the seed to choose by.
    """
    single = {f"{look} only": (look,) for look in LOOKS}
    own = cheapest_rule(cases(results, CHOOSING), prices)
    return {"let everything in": (), **single, "all nine": by_price(prices), "the course's": own}


def by_price(prices: Prices) -> tuple[str, ...]:
    """Return all nine looks, cheapest first."""
    return tuple(sorted(LOOKS, key=lambda look: prices.looks[look]))


def bills(results: Results, prices: Prices = PRICES) -> dict[str, Bill]:
    """Return what each of the `rules` costs over the other seeds."""
    others = cases(results, *SEEDS)
    return {name: bill(any_bad(rule), others, prices) for name, rule in rules(results, prices).items()}


def passed(results: Results, names: Sequence[str], seeds: Sequence[int] = SEEDS) -> dict[str, int]:
    """Count, kind by kind, the bad parcels of which none of the looks `names` says "bad"."""
    counts = dict.fromkeys(BAD_KINDS, 0)
    for case in cases(results, *seeds):
        if not case.honest and not any(case.states[name] == "bad" for name in names):
            counts[case.kind] += 1
    return counts


def _compare(results: Results) -> list[Comparison]:
    lines = []
    for look in LOOKS:
        alarms = false_alarms(results, look)
        bad = sum(caught(results, look, kind).bad for kind in BAD_KINDS)
        n = sum(caught(results, look, kind).n for kind in BAD_KINDS)
        says = f"{bad} of {n} bad parcels; {alarms.bad} of {alarms.n} honest ones"
        lines.append(Comparison(f"{look}: says bad of", "", says))
    for name, cost in bills(results).items():
        says = (
            f"{cost.each:.0f} minutes a parcel; {cost.missed} let in wrongly, {cost.refused} refused wrongly"
        )
        lines.append(Comparison(f"policy: {name}", "", says))
    return lines


INTAKE = Experiment(
    name="intake",
    question="Fifty models arrive: what does each check see, and which policy costs least?",
    minutes=9,
    chapter="15 Defence in depth",
    cells=tuple({"seed": seed} for seed in (CHOOSING, *SEEDS)),
    measure=_measure,
    summary=_compare,
    recipe=RECIPE,
)
