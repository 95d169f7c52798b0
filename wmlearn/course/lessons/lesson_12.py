"""What the cells of notebook 12 call: the files on the table, what shipped results say, claims; the dial, and
the challenge.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import ipywidgets
import torch
from torch import Tensor, nn

from ... import removal
from ...data import load, split
from ...data.digits import SIZES
from ...evidence import bystanders
from ...evidence.independence import against_strangers, independence_p_value
from ...evidence.siblings import sibling_rank
from ...evidence.splits import split_p_value
from ...experiments import Results, shipped
from ...experiments.nothing_planted import (
    COPIES,
    LEVEL,
    NO_THEFT,
    OWNERS,
    TESTS,
    lots_of,
    pairs_of,
    rows_of,
    seen,
)
from ...models import badnet_cnn
from ...models.shipped import restored, ship
from ...plots.names import REMOVALS
from ...plots.origins import theft_point
from ...training import accuracy, best_device
from ..challenges import Challenge, Score
from ..claims import Claim
from ..widgets import Dial, depict, redraw

N_STRANGERS = OWNERS["mnist"] - 1
C_IS = 17
"""The stranger whose file is C, by its number among those that ship."""
ON_SALE = {"B": "on-sale-b", "D": "on-sale-d", "E": "on-sale-e"}
"""The thief's files -> what they are called among the networks that ship."""


@dataclass(frozen=True, eq=False)
class Case:
    """Ana's network, what she alone knows, the files on the table, and networks that have nothing to do with
    hers.
    """

    ana: nn.Module
    lot: Tensor  # (60,000,) bool: which training digits she used
    files: dict[str, nn.Module]
    strangers: tuple[nn.Module, ...]
    truth: dict[str, str]


def case() -> Case:
    """Lay four files on the table; three of them ship, as a thief made them."""
    ana, *strangers = networks()
    files: dict[str, nn.Module] = {
        letter: restored(badnet_cnn(), name).to(best_device()) for letter, name in ON_SALE.items()
    }
    files["C"] = copy.deepcopy(strangers[C_IS - 1])
    truth = {
        "B": "Ana's network, trained on at a large rate (REFIT)",
        "C": "a stranger's, trained from first weights of its own",
        "D": "a new network, taught by Ana's answers (distillation)",
        "E": "Ana's network: half of its weights cut, REFIT, then its units permuted",
    }
    return Case(ana, bystanders.lot("mnist", 0), dict(sorted(files.items())), tuple(strangers), truth)


def made() -> dict[str, nn.Module]:
    """Make the thief's three files anew, with 6,000 digits of his own; by the names under which they ship."""
    ana = networks()[0]
    thiefs = split(load("mnist").train, 6_000, seed=9)[0].to(best_device())
    washed = removal.ALL["chain-prune-refit"](ana, thiefs)
    return {
        ON_SALE["B"]: removal.ALL["chen2021-refit"](ana, thiefs),
        ON_SALE["D"]: removal.ALL["distill-soft"](ana, thiefs),
        ON_SALE["E"]: removal.Permute(seed=12)(washed, thiefs),
    }


def ship_files() -> None:
    """Make them anew, and put them with what ships. For maintainers."""
    command = 'python -c "from wmlearn.course.lessons import lesson_12; lesson_12.ship_files()"'
    for name, network in made().items():
        ship(network, name, made=command)


def networks() -> list[nn.Module]:
    """Return the shipped networks that read digits, where this machine is fastest; Ana's is the first."""
    shipped_ones = bystanders.shipped("mnist", 0, OWNERS["mnist"])
    return [copy.deepcopy(network).to(best_device()) for network in shipped_ones]


def equal(network: nn.Module, other: nn.Module) -> float:
    """Return the share of weights that two networks of one architecture have in common, number for number."""
    pairs = list(zip(network.parameters(), other.parameters(), strict=True))
    same = sum(int((one == two).sum()) for one, two in pairs)
    return same / sum(one.numel() for one, _ in pairs)


def blends(x: Tensor) -> Tensor:
    """Lay each image (N, C, H, W) over the one as far from the other end: what no network was trained on."""
    return (x + x.flip(0)) / 2


# What the shipped results say


def p_values(results: Results) -> list[float]:
    """Return the p-value of each pair of strangers who read digits, all hidden layers together."""
    return [row["p"] for row in pairs_of(results)]


PAIRS = {
    "other seeds, other halves of the digits": "two seeds",
    "the same seed, other halves of the digits": "the same seed",
    "one seed, first weights drawn in two ways": "one seed, two ways to draw",
}
"""What a table calls a pair -> its name in the results."""


def honest(results: Results) -> list[list[str]]:
    """Say what the test says of honest pairs, a row a kind: how many pairs, and their p-values."""
    starts = rows_of(results, "starts")
    rows = []
    for label, name in PAIRS.items():
        p = [row["p"] for row in starts[name]]
        rows.append([label, str(len(p)), ", ".join(map(told, p))])
    pairs = pairs_of(results)
    largest = max(row["p_sorted"] for row in pairs)
    return [*rows, ["other seeds, units sorted by size", str(len(pairs)), f"largest {told(largest)}"]]


def told(p: float) -> str:
    """Say a p-value to one digit."""
    return f"{p:.1g}" if p >= LEVEL else f"{p:.0e}".replace("e-0", "e-")


def hardness(results: Results, *without: int) -> Tensor:
    """Count for each training digit the shipped networks that err on it, (60,000,), some of them left out."""
    (found,) = results.where(part="lots")
    count = torch.zeros(SIZES["train"], dtype=torch.int64)
    for i, wrong in enumerate(found["wrong"]):
        if i not in without:
            count[torch.tensor(wrong)] += 1
    return count


@dataclass(frozen=True)
class Accused:
    """Innocents below 0.05: their share over all lots, and how many the unluckiest lot accuses."""

    share: float
    most: int


def accused(results: Results, kind: str) -> Accused:
    """Count the strangers that lots accuse at 0.05."""
    table = lots_of(results, kind)
    others = (table <= 0.05) & ~torch.eye(len(table), dtype=torch.bool)
    return Accused(float(others.sum() / (others.numel() - len(others))), int(others.sum(1).max()))


def copies_table(results: Results) -> list[list[str]]:
    """Say for each kind of copy how accurate it is, where its teacher comes among forty, and what the lot
    says, a number an owner.
    """
    rows = []
    for name, title in TAUGHT.items():
        found = rows_of(results, "copies")[name]
        reads = [row["accuracy"] for row in found]
        ranks = ", ".join(str(row["rank_scores"]) for row in found)
        lots = ", ".join(told(row["p_lot"]) for row in found)
        rows.append([title, f"{100 * min(reads):.1f} to {100 * max(reads):.1f} %", ranks, lots])
    return rows


TAUGHT = {
    removal.STEALS_NOTHING: "nobody: own labels (control)",
    "distill-soft": "scores of digits (distillation)",
    "distill-odd": "scores of road signs",
    "shafieinejad2019-extract": "labels of digits (extraction)",
}
assert tuple(TAUGHT) == COPIES


# What the lesson claims

_number = partial(Claim, unit="p")
_count = partial(Claim, unit="count")


def by_weights(results: Results, b: float, blinded: float) -> list[Claim]:
    """Claim what the weights say: of strangers, of honest pairs, and of file B, before and after its units
    are permuted.
    """
    p = p_values(results)
    pairs = pairs_of(results)
    seeds = [row["p"] for row in rows_of(results, "starts")["the same seed"]]
    tidy = max(row["p_sorted"] for row in pairs)
    false = sum(each <= 0.05 for each in p) / len(p)
    n = len(seeds)
    return [
        Claim("12.false", "Pairs of strangers accused at 0.05", false, low=0.03, high=0.07, n=len(p)),
        _number("12.b", "p-value of file B", b, high=0.0011),
        _number("12.seed", "Largest p-value of honest networks with one seed", max(seeds), high=1e-4, n=n),
        _number("12.sorted", "Largest p-value of strangers, units sorted", tidy, high=LEVEL, n=len(pairs)),
        _number("12.blind", "p-value of file B, permuted", blinded, low=0.01),
    ]


def matched(cosines: Mapping[str, float], strangers: Sequence[float]) -> list[Claim]:
    """Claim what is found after matching: mean cosines of the files, by name, and of strangers."""
    n = 1 + len(strangers)
    rank_e = 1 + sum(other >= cosines["E"] for other in strangers)
    rank_d = 1 + sum(other >= cosines["D"] for other in strangers)
    return [
        _number("12.e", "Cosine of file E after matching", cosines["E"], low=0.45),
        _number("12.stranger", "Largest cosine of a stranger after matching", max(strangers), high=0.4),
        _number("12.rank", "Rank of E among strangers, over all", rank_e / n, high=0.026),
        _number("12.rank_d", "Rank of D among strangers, over all", rank_d / n, low=0.05),
    ]


def by_lot(p: Mapping[str, float], fair: Mapping[str, float], results: Results) -> list[Claim]:
    """Claim what Ana's lot says of the files, among all digits and among those as hard; and what lots say of
    innocents.
    """
    plain, mended = (accused(results, kind) for kind in ("p_split", "p_lot"))
    own = float(lots_of(results, "p_lot").diagonal().max())
    n = N_STRANGERS
    worst = "Innocents that the unluckiest lot accuses at 0.05"
    return [
        _number("12.own", "p-value of Ana's lot on her own network", p["Ana's"], high=1e-8),
        _number("12.d", "p-value of Ana's lot on file D", p["D"], high=0.02),
        _number("12.c", "p-value of Ana's lot on file C", p["C"], low=0.05),
        _number("12.fair", "The same on file D, among digits as hard", fair["D"], high=min(LEVEL, p["D"])),
        _count("12.plain", worst, plain.most, low=10, n=n),
        _count("12.mended", f"{worst}, among digits as hard", mended.most, high=plain.most - 5, n=n),
        Claim("12.level", "Innocents accused at 0.05, over all lots", mended.share, high=0.06, n=40 * n),
        _number("12.own_lot", "Largest p-value of a lot on its owner's network", own, high=1e-10, n=40),
    ]


def by_siblings(p: Mapping[str, float], results: Results) -> list[Claim]:
    """Claim how closely copies follow their teacher's scores."""
    copies = rows_of(results, "copies")
    taught = copies["distill-soft"]
    n = len(taught)
    first = sum(row["rank_scores"] == 1 for row in taught)
    extracted = sum(row["rank_scores"] == 1 for row in copies["shafieinejad2019-extract"])
    lots = sum(row["p_lot"] <= LEVEL for row in taught)
    return [
        _number("12.d_follows", "Rank of Ana among siblings that D follows, over all", p["D"], high=0.026),
        _number("12.c_follows", "The same of C", p["C"], low=0.05),
        _count("12.first", "Distilled copies that follow their teacher first of all", first, low=n, n=n),
        _count("12.extracted", "Copies by labels that do", extracted, high=2, n=n),
        _count("12.lots", "Distilled copies in which the lot shows at 0.001", lots, low=2, n=n),
    ]


def on_thefts(results: Results) -> list[Claim]:
    """Claim what each test sees of all removals, with every owner; and the controls."""
    thefts = rows_of(results, "thefts")
    signs = rows_of(results, "thefts", "signs-us")
    n = len(thefts) - len(NO_THEFT)
    count = {test: seen(thefts, test) for test in TESTS}
    found = seen(thefts, "p_matched", SUSPICIOUS)
    innocents = thefts[removal.STEALS_NOTHING]
    upheld = sum(row[test] <= LEVEL for row in innocents for test in TESTS)
    related = "all related pairs among 210 pairs of language models"
    on_signs = seen(signs, "p")
    return [
        _count("12.weights", "Removals that the weights show", count["p"], low=20, n=n, paper=related),
        _count("12.matching", "Removals that they show after matching", found, low=count["p"], n=n),
        _count("12.lot", "Removals that the lot shows", count["p_lot"], low=10, n=n),
        _count("12.mark", "Removals after which the mark is believed", count["p_mark"], low=15, n=n),
        _count("12.decoys", "Removals after which decoys agree", count["p_decoys"], low=15, n=n),
        _count("12.innocent", "Claims upheld on networks from scratch", upheld, high=0, n=4 * len(innocents)),
        _count("12.signs", "On signs, removals that the weights show", on_signs, low=20, n=len(signs) - 2),
    ]


def share_seen(results: Results) -> float:
    """Return the share of removals after which the weights, as they are, show their origin."""
    thefts = rows_of(results, "thefts")
    return seen(thefts, "p") / (len(thefts) - len(NO_THEFT))


# To play with

LEVELS = (0.05, 0.01, LEVEL, 1e-4)


def theft_dial(results: Results) -> ipywidgets.VBox:
    """Let the learner choose a theft and a level, and see which test still speaks."""
    thefts = rows_of(results, "thefts")
    names = {title: name for name, title in REMOVALS.items() if name in thefts}
    theft = Dial("theft", names, start="distill-soft")
    level = Dial("level", {f"{level:g}": level for level in LEVELS}, start=LEVEL)
    return redraw(lambda: depict(theft_point, results, theft.value, level.value), theft, level)


# The challenge

Thief = Callable[[nn.Module, Tensor], nn.Module]
"""Makes a network from a stolen one and images (N, 1, 28, 28) without labels."""
PASS = 0.98
SUSPICIOUS = 0.05


def unseen(thief: Thief) -> Score:
    """Let a thief work on Ana's network, try every test on what comes out, and count the errors it makes of
    10,000 test digits.
    """
    ana, *strangers = networks()
    digits = load("mnist").to(best_device())
    own = split(digits.train, 6_000, seed=9)[0]
    test = digits.test
    made = thief(copy.deepcopy(ana), own.x.clone()).eval()
    right = accuracy(made, test)
    p = {
        "weights": _weights_p(ana, made),
        "matched weights": against_strangers(ana, made, strangers).p_value,
        "lot": _lot_p(made),
        "siblings": sibling_rank(made, ana, strangers, blends(test.x[:1000])).p_value,
    }
    stopped = [name for name, each in p.items() if each <= SUSPICIOUS]
    says = f"Accuracy {right:.2%}. p-values: {', '.join(f'{name} {told(each)}' for name, each in p.items())}."
    if right < PASS:
        stopped.append(f"an accuracy below {PASS:.0%}")
    missed = f" Stopped by {', '.join(stopped)}." if stopped else " No test sees it."
    return Score(not stopped, float(round(len(test) * (1 - right))), says + missed)


def _weights_p(ana: nn.Module, made: nn.Module) -> float:
    if equal(made, ana) == 1:
        return 0.0
    return independence_p_value(ana, made, n=1999)


def _lot_p(made: nn.Module) -> float:
    results = shipped("nothing-planted")
    lot = bystanders.lot("mnist", 0)
    return split_p_value(made, load("mnist").train.to(best_device()), lot, hardness=hardness(results, 0))


CHALLENGE = Challenge("the theft that nobody sees", "errors in 10,000 digits", unseen, ours=157)
"""The course's own: extraction by labels, at a peak rate of 2e-2, by a student of seed 1."""
