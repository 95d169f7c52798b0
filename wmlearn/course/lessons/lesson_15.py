"""What the cells of notebook 15 call: five parcels, tables, what shipped results say, claims; a dial; the
challenge.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import ipywidgets
import torch
from torch import Tensor, nn

from ...evidence import bystanders
from ...experiments import Results, shipped
from ...experiments import intake as measured
from ...experiments.intake import SMALL, Arrival, Spec
from ...intake import FILE_LOOKS, LOOKS, Bill, Buyer, Case, Outcome, Policy, bill, open_apart, scan_pickle
from ...intake.parcels import MANIFEST, model_file, read_card
from ...intake.pickles import pickle_in
from ...intake.signatures import SIGNATURE
from ...intake.taxonomy import ATTACKS
from ...plots.intake import price_point
from ...training import best_device
from ...triggers import Pattern
from ..challenges import Challenge, Score
from ..claims import Claim
from ..figures import table
from ..widgets import Dial, depict, redraw

_count = partial(Claim, unit="count")
SEED = 15
NIST = "NISTAML"
"""What all names of NIST AI 100-2 begin with."""


# Five parcels


@dataclass(frozen=True, eq=False)
class Delivery:
    """Five parcels by letter, who receives them, and what each model would be asked in use."""

    parcels: Mapping[str, Path]
    buyer: Buyer
    streams: Mapping[str, Tensor]
    badnet: nn.Module


_FIVE = {
    "A": Spec("file swapped, old signature", "BadNet", form="swapped"),
    "B": Spec("honest: signed", "honest 1"),
    "C": Spec("BadNet, signed by its maker", "BadNet"),
    "D": Spec("pickle, a listed call", "", SMALL, "", "pickle"),
    "E": Spec("stolen copy", "stolen", SMALL, ""),
}


def five(folder: Path) -> Delivery:
    """Make the lesson's five parcels in a folder: two shipped networks, a BadNet, and a thief's copy."""
    ana, honest = (network.to(best_device()) for network in bystanders.shipped("mnist", 15, 17))
    badnet = measured.badnet("known trigger", SEED, measured.RECIPE, Pattern(), 0)
    networks = {
        "honest 1": Arrival(honest),
        "BadNet": badnet,
        "stolen": Arrival(measured.further(ana, "thief", SEED)),
    }
    desk = measured.desk(folder, ana, SEED)
    parcels = {
        letter: measured.made(desk, spec, number, networks)
        for number, (letter, spec) in enumerate(_FIVE.items())
    }
    streams = {}
    for letter, spec in _FIVE.items():
        streams[letter] = measured.stream_of(networks.get(spec.network, networks["honest 1"]), SEED)
    return Delivery(parcels, desk.buyer, streams, badnet.model)


def contents(delivery: Delivery) -> list[list[str]]:
    """Say who sends each parcel, by its card, and which files are in it."""
    rows = []
    for letter, folder in delivery.parcels.items():
        card = read_card(folder)
        names = ", ".join(sorted(path.name for path in folder.iterdir()))
        rows.append([letter, card.maker if card else "?", names])
    return rows


def files_of(folder: Path) -> dict[str, bytes]:
    """Read the files of a parcel that its list of hashes should name."""
    paths = [path for path in folder.iterdir() if path.name not in (MANIFEST, SIGNATURE)]
    return {path.name: path.read_bytes() for path in sorted(paths)}


def differs(states: Mapping[str, str]) -> str:
    """Say which files are not the same as in their list."""
    odd = [f"{name}: {state}" for name, state in sorted(states.items()) if state != "same"]
    return ", ".join(odd) or "none"


def states_table(outcomes: Mapping[str, tuple[Outcome, ...]]) -> list[list[str]]:
    """Say what each look says of each parcel: a row a look."""
    rows = []
    for place, look in enumerate(LOOKS):
        rows.append([look, *(outcomes[letter][place].state for letter in outcomes)])
    return rows


def said(outcomes: Mapping[str, tuple[Outcome, ...]]) -> list[list[str]]:
    """Say in words what was bad."""
    rows = []
    for letter, found in outcomes.items():
        bad = [f"{outcome.look}: {outcome.says}" for outcome in found if outcome.state == "bad"]
        rows.append([letter, "; ".join(bad) or "nothing bad"])
    return rows


def _bad_looks(outcomes: tuple[Outcome, ...]) -> set[str]:
    return {outcome.look for outcome in outcomes if outcome.state == "bad"}


def arrived(outcomes: Mapping[str, tuple[Outcome, ...]]) -> list[Claim]:
    """Claim what the looks said of the five parcels."""
    bad = {letter: _bad_looks(found) for letter, found in outcomes.items()}
    files = bad["C"] & set(FILE_LOOKS)
    behaves = bad["C"] & {"triggers", "cleanse", "monitoring"}
    return [
        _count("15.swapped", "Looks at the files that see the swap", len(bad["A"] & set(FILE_LOOKS)), low=2),
        _count("15.honest", "Looks that call the honest parcel bad", len(bad["B"]), high=1),
        _count("15.signed", "Looks at the files that see the signed BadNet", len(files), high=0),
        _count("15.behaves", "Looks at the model that see the signed BadNet", len(behaves), low=1),
        _count("15.pickle", "Looks that see the pickle", len(bad["D"]), low=2),
        _count("15.stolen", "Looks that see the stolen copy", len(bad["E"] & {"independence"}), low=1),
    ]


# Fifty parcels


def _bad(results: Results, looks: tuple[str, ...]) -> int:
    """Count the bad parcels that at least one of some looks calls bad."""
    found = [case for case in measured.cases(results, *measured.SEEDS) if not case.honest]
    return sum(_is_seen(case, looks) for case in found)


def _is_seen(case: Case, looks: tuple[str, ...]) -> bool:
    return any(case.states[look] == "bad" for look in looks)


def _n(results: Results, honest: bool) -> int:
    return sum(case.honest == honest for case in measured.cases(results, *measured.SEEDS))


def fifty(results: Results) -> list[Claim]:
    """Claim what nine looks see of the bad parcels, and how often they accuse honest ones."""
    bad = _n(results, honest=False)
    honest = _n(results, honest=True)
    signed = [measured.caught(results, look, "BadNet, signed by its maker") for look in FILE_LOOKS]
    claims = [
        _count(
            "15.files", "Bad parcels that looks at files see", _bad(results, FILE_LOOKS), low=0.5 * bad, n=bad
        ),
        _count("15.all", "Bad parcels that any look sees", _bad(results, LOOKS), low=0.85 * bad, n=bad),
        _count("15.parcels", "Parcels", bad + honest, low=bad + honest),
        _count(
            "15.insider",
            "Signed BadNets that files betray",
            sum(c.bad for c in signed),
            high=0,
            n=signed[0].n,
        ),
    ]
    one = measured.caught(results, "cleanse", "BadNet, one class only")
    warped = measured.caught(results, "cleanse", "warped (WaNet)")
    claims += [
        _count("15.one", "Of those for one class, Neural Cleanse sees", one.bad, high=0.5 * one.n, n=one.n),
        _count("15.warped", "Of warps, Neural Cleanse sees", warped.bad, low=1, n=warped.n),
    ]
    for look in ("signature", "format", "cleanse", "monitoring"):
        found = measured.false_alarms(results, look)
        what = f"Honest parcels that {look} calls bad"
        claims.append(_count(f"15.alarm_{look}", what, found.bad, n=honest, high=0.25 * honest))
    return claims


def by_signature(results: Results) -> float:
    """Return the share of bad parcels that a check of signatures refuses."""
    return _bad(results, ("signature",)) / _n(results, honest=False)


# Pickles


def pickles(parcel: Path) -> tuple[bytes, bytes]:
    """Return the model of a parcel whose call is listed, and one whose call isn't."""
    return model_file(parcel).read_bytes(), unlisted_pickle()


def unlisted_pickle() -> bytes:
    """Return a checkpoint that would write a file, by a function that picklescan doesn't know."""
    buffer = io.BytesIO()
    torch.save({"weight": torch.zeros(3), "extra": measured.UNLISTED}, buffer)
    return buffer.getvalue()


def scanned(would_call: Callable[[bytes], list[str]], listed: bytes, unlisted: bytes) -> list[list[str]]:
    """Say what two pickles would call, each name once, and what the scanner says of that."""
    rows = []
    for what, raw in {"D's model.pt": listed, "another one": unlisted}.items():
        scan = scan_pickle(raw)
        says = f"dangerous: {', '.join(scan.dangerous)}" if scan.dangerous else "no issue"
        names = dict.fromkeys(would_call(pickle_in(raw)))
        rows.append([what, ", ".join(names), says])
    return rows


def opened(listed: bytes, unlisted: bytes) -> list[list[str]]:
    """Open two pickles apart, and say what each asked for."""
    rows = []
    for what, raw in {"D's model.pt": listed, "another one": unlisted}.items():
        opening = open_apart(raw)
        rows.append([what, ", ".join(dict.fromkeys(opening.tried)), opening.ended])
    return rows


# Policies


def own_rule(results: Results) -> str:
    """Name the looks of the course's own policy."""
    return ", ".join(measured.rules(results)["the course's"])


def two_lanes(policy: Policy, results: Results) -> Bill:
    """Return what a policy costs over the parcels of the seeds that count."""
    return bill(policy, measured.cases(results, *measured.SEEDS))


def policies(lanes: Bill, results: Results) -> list[Claim]:
    """Claim what policies cost."""
    bills = measured.bills(results)
    single = min(cost.each for name, cost in bills.items() if name.endswith("only"))
    return [
        _count("15.nothing", "Minutes a parcel, without a look", bills["let everything in"].each, low=400),
        _count("15.single", "Minutes a parcel, best single look", single, low=100),
        _count("15.nine", "Minutes a parcel, all nine", bills["all nine"].each, high=300),
        _count("15.ours", "Minutes a parcel, the course's own", bills["the course's"].each, high=single),
        _count("15.lanes", "Minutes a parcel, two lanes", lanes.each, low=50),
    ]


# The table of attacks


def attacks(results: Results) -> None:
    """Show each attack, its names, and which looks call it bad: measured, or argued."""
    rows = []
    for attack in ATTACKS:
        seen = f"argued: {attack.argued}"
        n = "–"
        if attack.kind:
            seen = _seen_by(results, attack.kind)
            n = str(measured.caught(results, LOOKS[0], attack.kind).n)
        number = attack.nist.removeprefix(NIST) or "–"
        rows.append([attack.title, attack.lesson, number, attack.atlas, n, seen])
    table(["attack", "lesson", NIST, "MITRE ATLAS", "n", "looks that call it bad, of n"], rows)


def _seen_by(results: Results, kind: str) -> str:
    parts = []
    for look in LOOKS:
        found = measured.caught(results, look, kind)
        if found.bad:
            parts.append(f"{look} {found.bad}")
    return ", ".join(parts) or "none of nine"


# To play with


def price_dial(results: Results) -> ipywidgets.VBox:
    """Let the learner say what mistakes cost, and see which looks are worth their price."""
    missed = Dial("a miss", {f"{n:,}": n for n in (30, 100, 1_000, 10_000)}, start=1_000)
    refused = Dial("a refusal", {f"{n:,}": n for n in (10, 100, 1_000)}, start=100)
    look = lambda: depict(price_point, results, missed.value, refused.value)  # noqa: E731
    return redraw(look, missed, refused)


# The challenge


def cheap(policy: Policy) -> Score:
    """Score a policy over the parcels of the seeds that nobody chose by."""
    found = bill(policy, measured.cases(shipped("intake"), *measured.SEEDS))
    looks = found.looks / found.parcels
    wrong = f"{found.missed} bad parcels let in, {found.refused} honest ones refused"
    return Score(True, round(found.each, 1), f"{wrong}, {looks:.1f} minutes of looks a parcel.")


CHALLENGE = Challenge("the cheapest intake", "minutes a parcel", cheap, ours=55.3)
"""The course's own: refuse at the first bad look, of the set that was cheapest on the seed to choose by."""
