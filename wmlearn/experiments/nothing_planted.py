"""Whose model is it when nothing was planted? Independence, a random lot and siblings, on strangers, on every
theft, and on copies that were only taught by answers.

Owners of kind "marked" also planted a mark of Adi's, so that all tests meet the same thefts. The thief's
images are drawn from all training images, whatever the owner's lot: so the suspect doesn't know the lot.
Seeds follow from roles (`models.seed_of`): no two networks here start alike unless that is what is measured.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .. import removal
from ..data import Samples, load, split
from ..errors import ArgumentError
from ..evidence import Rank, Suspect, answers, bystanders
from ..evidence.independence import fisher, likenesses, matched_cosine
from ..evidence.splits import counted
from ..models import badnet_cnn, reborn, seed_of
from ..models.channels import deal, joints
from ..models.units import hidden_layers, layers
from ..removal.distill import odd_images, train_to_imitate
from ..removal.evade import Behind, Committee, Guard
from ..scorecard import NONE
from ..training import Recipe, accuracy, predict, trained
from ..watermarks import Adi2018, TriggerKey
from .experiment import Cell, Comparison, Experiment, Results, Row, values
from .material import rounded

ATTACKER = 6_000
SHUFFLES = 9_999
FEWER = 999  # for a pair of strangers: there are 780 of them
DECOYS = 199
BLENDS = 20_000
"""Odd images that siblings are asked about: test digits, and pairs of them laid over each other."""
COPIES = ("distill-soft", "distill-odd", "shafieinejad2019-extract")
"""Thefts that take answers, not weights."""
OWNERS = {"mnist": bystanders.N_DIGITS, "signs-us": bystanders.N_ALL}
LEVEL = 1e-3
FIRST_SEED = 1000  # of the shipped networks and their lots
QUICK = Recipe(epochs=2)
STUDENT = removal.Distill().recipe


# Who owns what


def owner(data: str, i: int) -> nn.Module:
    """Return the shipped network `i`, trained on the lot `lot(data, FIRST_SEED + i)`."""
    return bystanders.shipped(data, 0, OWNERS[data])[i]


@lru_cache(80)
def lot(data: str, seed: int) -> Tensor:
    """Return which training images (N,) bool an owner has: three quarters, as `bystanders.make` draws
    them.
    """
    samples = load(data).train
    numbers = torch.arange(len(samples), dtype=torch.float32)[:, None, None, None] / 2**24  # exact
    chosen = split(replace(samples, x=numbers), 3 * len(samples) // 4, seed=seed)[0]
    inside = torch.zeros(len(samples), dtype=torch.bool)
    inside[(chosen.x.flatten().double() * 2**24).round().long()] = True
    return inside


@dataclass(frozen=True, eq=False)
class Owned:
    """An owner's network, the lot it was trained on, and the key of its mark, if one was planted."""

    network: nn.Module
    lot: Tensor
    key: TriggerKey | None


@lru_cache(1)
def owned(kind: str, i: int) -> Owned:
    """Return owner `i`: of a data set's shipped networks, or of kind "marked"."""
    if kind != "marked":
        return Owned(owner(kind, i), lot(kind, FIRST_SEED + i), None)
    seed = seed_of("marked owner", i)
    inside = lot("mnist", seed)
    samples = load("mnist").train[inside]
    start = badnet_cnn(seed)
    key = Adi2018().keygen(start, samples, seed=i)
    return Owned(Adi2018().embed(start, samples, key).model, inside, key)


@lru_cache(2)
def thiefs(data: str) -> Samples:
    """Return the thief's own images, drawn from all training images."""
    return split(load(data).train, ATTACKER, seed=9)[0]


def data_of(kind: str) -> str:
    """Return the data set of a kind of owner."""
    return "mnist" if kind == "marked" else kind


def stolen(kind: str, i: int, attack: str) -> nn.Module:
    """Steal from owner `i` of a kind; who is taught by answers starts as nobody else does."""
    victim = owned(kind, i).network
    if attack in COPIES:
        return taught(victim, attack, thiefs(data_of(kind)), seed_of("student", attack, kind, i))
    return removal.ALL[attack](victim, thiefs(data_of(kind)))


def taught(teacher: nn.Module, attack: str, samples: Samples, seed: int) -> nn.Module:
    """Teach a new network, born of `seed`, what a teacher answers: scores, or labels alone."""
    student = reborn(teacher, seed)
    x = samples.x
    if attack == "distill-odd":
        x = odd_images(len(samples), tuple(x.shape[1:]), 0)
    if attack == "shafieinejad2019-extract":
        return trained(student, replace(samples, y=answers(teacher, x), groups=None), STUDENT)[0]
    train_to_imitate(student, x, predict(teacher, x), removal.Distill().temperature, STUDENT)
    return student


def inside_of(model: nn.Module) -> nn.Module:
    """Take the stolen network out of what a thief put round it."""
    if isinstance(model, Committee):
        return model.members[0]
    return model.model if isinstance(model, Guard | Behind) else model


# What is measured


def weights_of(a: nn.Module, suspect: nn.Module, n: int = SHUFFLES) -> Row:
    """Compare the weights: by layer, by all layers, and matched; a plain copy gets the least p-values there
    are.
    """
    inner = inside_of(suspect)
    try:
        found = likenesses(a, inner, n=n)
    except ArgumentError as error:
        if "one network twice" not in str(error):
            raise
        least = [1 / (n + 1)] * len(hidden_layers(a))
        return {"unchanged": True, "p_layers": least, "deviations": [], "p": fisher(least), "matched": 1.0}
    return {
        "unchanged": False,
        "p_layers": values_of(found, "p_value"),
        "deviations": [round(layer.deviations, 2) for layer in found],
        "p": fisher(values_of(found, "p_value")),
        "matched": rounded(matched_cosine(a, inner)),
    }


def values_of(found: Sequence[Any], name: str) -> list[float]:
    """Return one field of each."""
    return [getattr(one, name) for one in found]


def lot_of(suspect: Suspect, samples: Samples, inside: Tensor, hard: Tensor) -> Row:
    """Ask about every training image: errors in all and outside the lot, and their p-values, by class and
    among images as hard.
    """
    wrong = wrong_of(suspect, samples)
    plain = counted(wrong, samples.y, inside)
    return {
        "p_split": plain.p_value,
        "p_lot": counted(wrong, samples.y, inside, hardness=hard).p_value,
        "errors": sum(plain.errors),
        "errors_outside": sum(plain.errors_outside),
    }


def wrong_of(suspect: Suspect, samples: Samples) -> Tensor:
    """Return where a suspect errs, (N,) bool."""
    return answers(suspect, samples.x) != samples.y


def hardness(kind: str, i: int) -> Tensor:
    """Count the strangers that err on each training image; the owner isn't one of them."""
    wrong = strangers_wrong(data_of(kind))
    own = 0 if kind == "marked" else wrong[i].long()
    return wrong.sum(0) - own


@lru_cache(2)
def strangers_wrong(data: str) -> Tensor:
    """Return which training images each shipped network gets wrong, (networks, N) bool."""
    samples = load(data).train
    return torch.stack([wrong_of(owner(data, i), samples) for i in range(OWNERS[data])])


def _strangers(cell: Cell) -> Row:
    """All pairs of shipped networks; and what a careless judge would compute from sorted units."""
    networks = bystanders.shipped(cell["data"], 0, OWNERS[cell["data"]])
    tidy = [by_norm(network) for network in networks]
    last = hidden_layers(networks[0])[-1]
    rows = []
    for i, a in enumerate(networks):
        for j in range(i):
            seed = 10 * (i * len(networks) + j)
            p_layers = values_of(likenesses(a, networks[j], n=FEWER, seed=seed), "p_value")
            (sorted_units,) = likenesses(tidy[i], tidy[j], layers=[last], n=FEWER, seed=seed)
            row: Row = {"a": i, "b": j, "p_layers": p_layers, "p": rounded(fisher(p_layers))}
            rows.append({**row, "p_sorted": sorted_units.p_value})
    return {"rows": rows}


def by_norm(model: nn.Module) -> nn.Module:
    """Return a copy whose last hidden units stand in the order of their norms: the same answers, and no
    exchangeable units.
    """
    new = copy.deepcopy(model)
    joint = joints(new)[-1]
    order = joint.before.weight.detach().flatten(1).norm(dim=1).argsort(descending=True)
    deal(joint, order, torch.ones(len(order)))
    return new


def _thefts(cell: Cell) -> Row:
    """Every removal on one owner's network: the weights, the lot, and the planted mark where there is one."""
    kind = cell["data"]
    i = cell["owner"]
    data = load(data_of(kind))
    victim = owned(kind, i)
    decoys = drawn_decoys(i) if victim.key is not None else []
    rows = []
    for name in (NONE, *removal.ALL):
        suspect = copy.deepcopy(victim.network) if name == NONE else stolen(kind, i, name)
        row: Row = {"removal": name, "accuracy": rounded(accuracy(suspect, data.test))}
        row |= weights_of(victim.network, suspect)
        row |= lot_of(suspect, data.train, victim.lot, hardness(kind, i))
        if victim.key is not None:
            row |= mark_of(suspect, victim.key, decoys)
        rows.append(row)
    return {"rows": rows, "matched_strangers": matched_strangers(kind, i)}


def matched_strangers(kind: str, i: int) -> list[float]:
    """Match every shipped network but the owner's own to owner `i`."""
    network = owned(kind, i).network
    strangers = bystanders.shipped(data_of(kind), 0, OWNERS[data_of(kind)])
    return [rounded(matched_cosine(network, other)) for other in strangers if other is not network]


def drawn_decoys(i: int) -> list[TriggerKey]:
    """Draw other keys by the owner's recipe."""
    samples = load("mnist").train[:100]  # a key of Adi's depends on their shape and classes alone
    return [
        Adi2018().keygen(badnet_cnn(1), samples, seed=seed_of("decoy", i, k) % 2**31) for k in range(DECOYS)
    ]


def mark_of(suspect: nn.Module, key: TriggerKey, decoys: Sequence[TriggerKey]) -> Row:
    """Ask about the owner's triggers, and about those of all decoys."""
    own = Adi2018().verify(suspect, key)
    x = torch.cat([decoy.x for decoy in decoys])
    y = torch.stack([decoy.y for decoy in decoys])  # (decoys, triggers)
    hits = (answers(suspect, x).view_as(y) == y).sum(1)
    rank = Rank("decoys", int((hits >= own.hits).sum()), len(decoys))
    return {"p_mark": own.p_value, "hits": own.hits, "p_decoys": rank.p_value, "best_decoy": int(hits.max())}


def _start(cell: Cell) -> Row:
    """Networks that share first weights, or seeds, and nothing else: other halves of the data, other orders;
    and students of two teachers.
    """
    i = cell["owner"]
    halves = split(load("mnist").train, 30_000, 30_000, seed=50)
    starts: dict[str, Callable[[int], nn.Module]] = {
        "the same seed": lambda side: badnet_cnn(i),
        "two seeds": lambda side: badnet_cnn(seed_of("learner", i, side)),
    }
    rows = []
    for name, build in starts.items():
        a, b = (trained(build(side), halves[side], replace(QUICK, seed=60 + side))[0] for side in (0, 1))
        rows.append({"pair": name, **weights_of(a, b)})
    teachers = [owner("mnist", 0), owner("mnist", 1 + i)]
    seeds = {
        "students of two teachers, one seed": [0, 0],
        "students of two teachers, seeds of their roles": [seed_of("student", i, side) for side in (0, 1)],
    }
    for name, pair in seeds.items():
        a, b = (
            taught(teacher, "distill-soft", thiefs("mnist"), seed)
            for teacher, seed in zip(teachers, pair, strict=True)
        )
        rows.append({"pair": name, **weights_of(a, b)})
    return {"rows": rows}


def _evasions(cell: Cell) -> Row:
    """What can be done to a network for nothing, or nearly."""
    i = cell["owner"]
    a = owner("mnist", i)
    test = load("mnist").test
    rows = []
    for name, evade in EVASIONS.items():
        suspect = evade(a, torch.Generator().manual_seed(seed_of("evasion", name, i)))
        row: Row = {"evasion": name, "accuracy": rounded(accuracy(suspect, test))}
        rows.append(row | weights_of(a, suspect))
    return {"rows": rows}


def shuffled(model: nn.Module, draw: torch.Generator, only: str | None = None) -> nn.Module:
    """Return a copy with its hidden units in a random order, in the layer named or in all."""
    new = copy.deepcopy(model)
    names = {layer: name for name, layer in layers(new).items()}
    for joint in joints(new):
        order = torch.randperm(len(joint.before.weight), generator=draw)
        if only in (None, names[joint.before]):
            deal(joint, order, torch.ones(len(order)))
    return new


def rescaled(model: nn.Module, draw: torch.Generator, factor: float) -> nn.Module:
    """Return a copy in which each unit speaks louder or softer by up to `factor`, and is heard as before."""
    new = copy.deepcopy(model)
    for joint in joints(new):
        n = len(joint.before.weight)
        deal(joint, torch.arange(n), factor ** (2 * torch.rand(n, generator=draw) - 1))
    return new


def new_head(model: nn.Module, draw: torch.Generator) -> nn.Module:
    """Return a copy whose linear layers are drawn anew and trained on the thief's images; the convolutions
    stay.
    """
    new = copy.deepcopy(model)
    for module in new.modules():
        if isinstance(module, nn.Linear):
            fresh = reborn(module, int(torch.randint(2**62, (1,), generator=draw)))
            module.load_state_dict(fresh.state_dict())
    return trained(new, thiefs("mnist"), removal.FineTune().recipe)[0]


def _washed(model: nn.Module, draw: torch.Generator, attack: str) -> nn.Module:
    return shuffled(removal.ALL[attack](model, thiefs("mnist")), draw)


EVASIONS: dict[str, Callable[[nn.Module, torch.Generator], nn.Module]] = {
    "one layer shuffled": lambda model, draw: shuffled(model, draw, hidden_layers(model)[-1]),
    "all layers shuffled": shuffled,
    "rescaled by up to 10": lambda model, draw: rescaled(model, draw, 10),
    "rescaled by up to 1000": lambda model, draw: rescaled(model, draw, 1000),
    "new head": new_head,
    "new head, shuffled": lambda model, draw: shuffled(new_head(model, draw), draw),
    "REFIT, shuffled": lambda model, draw: _washed(model, draw, "chen2021-refit"),
    "cut and REFIT, shuffled": lambda model, draw: _washed(model, draw, "chain-prune-refit"),
}


def _splits(cell: Cell) -> Row:
    """The lot of every owner, asked of every network: p-values (owners, networks), by class, and among images
    as hard; how hard an image is, say the networks that are neither the owner's nor the one asked.
    """
    data = cell["data"]
    y = load(data).train.y
    wrong = strangers_wrong(data)
    plain = []
    fair = []
    for i in range(len(wrong)):
        inside = lot(data, FIRST_SEED + i)
        others = wrong.sum(0) - wrong[i].long()
        plain.append([_short(counted(asked, y, inside).p_value) for asked in wrong])
        row = []
        for j, asked in enumerate(wrong):
            hard = others - (0 if j == i else asked.long())
            row.append(_short(counted(asked, y, inside, hardness=hard).p_value))
        fair.append(row)
    return {"p_split": plain, "p_lot": fair, "wrong": [each.nonzero().flatten().tolist() for each in wrong]}


def _short(p: float) -> float:
    return float(f"{p:.3g}")


def _copies(cell: Cell) -> Row:
    """What of an owner's lot, scores and weights reaches networks that were only taught by its answers; and
    an innocent's, taught by its own labels.
    """
    i = cell["owner"]
    data = load("mnist")
    a = owner("mnist", i)
    rows = []
    for name in ("own labels", *COPIES):
        if name == "own labels":
            suspect = trained(reborn(a, seed_of("innocent", i)), thiefs("mnist"), STUDENT)[0]
        else:
            suspect = stolen("mnist", i, name)
        row: Row = {"copy": name, "accuracy": rounded(accuracy(suspect, data.test))}
        row |= lot_of(suspect, data.train, lot("mnist", FIRST_SEED + i), hardness("mnist", i))
        row |= siblings(suspect, i)
        rows.append(row | weights_of(a, suspect))
    return {"rows": rows, "matched_strangers": matched_strangers("mnist", i)}


@lru_cache(1)
def odd_digits() -> Tensor:
    """Return what siblings are asked about, (BLENDS, 1, 28, 28)."""
    x = load("mnist").test.x
    draw = torch.Generator().manual_seed(12)
    one, other = (torch.randperm(len(x), generator=draw) for _ in range(2))
    return torch.cat([x, (x[one] + x[other]) / 2])[:BLENDS]


@lru_cache(1)
def told() -> Tensor:
    """Return what the 40 networks answer to `odd_digits`, (40, images, classes)."""
    return torch.stack([predict(owner("mnist", i), odd_digits()) for i in range(OWNERS["mnist"])])


def siblings(suspect: nn.Module, i: int) -> Row:
    """Rank owner `i` among 40 networks of the same recipe by how closely the suspect follows each: its
    labels, and its scores. Exact whatever the measure: to a stranger the owner's network is one of 40 that
    were drawn alike.
    """
    answer = predict(suspect, odd_digits())
    labels = (told().argmax(2) == answer.argmax(1)).double().mean(1)  # (40,)
    scores = follows(answer, told())
    return {
        "rank_labels": int((labels >= labels[i]).sum()),
        "rank_scores": int((scores >= scores[i]).sum()),
    }


def follows(answer: Tensor, others: Tensor) -> Tensor:
    """Return how closely scores (images, classes) follow those of other networks (networks, images,
    classes): mean cosine of centred scores, (networks,).
    """
    centred = answer - answer.mean(1, keepdim=True)
    theirs = others - others.mean(2, keepdim=True)
    return torch.stack([F.cosine_similarity(centred, each, dim=1).mean() for each in theirs])


# What came out


def rows_of(results: Results, part: str, data: str | None = None) -> list[Row]:
    """Return all rows of a part, of all owners."""
    cells = [row for row in results.where(part=part) if data in (None, row["data"])]
    return [row for cell in cells for row in cell["rows"]]


def _compare(results: Results) -> list[Comparison]:
    lines = [_pairs(results, data) for data in OWNERS if results.where(part="strangers", data=data)]
    lines += _of_lots(results)
    for kind, what in (("marked", "digits"), ("signs-us", "signs")):
        cells = results.where(part="thefts", data=kind)
        if cells:
            lines += _of_thefts(cells, what)
    taught_by = {row["copy"] for row in rows_of(results, "copies")}
    for name in ("own labels", *COPIES):
        if name in taught_by:
            ranks = [row["rank_scores"] for row in rows_of(results, "copies") if row["copy"] == name]
            says = f"{', '.join(map(str, ranks))} (n = {len(ranks)})"
            lines.append(Comparison(f"{name}: rank of the owner among 40 siblings", "", says))
    return lines


def _pairs(results: Results, data: str) -> Comparison:
    p_values = values(rows_of(results, "strangers", data), "p")
    few = sum(p <= 0.05 for p in p_values)
    from scipy.stats import kstest

    uniform = kstest(p_values, "uniform").pvalue
    says = f"{few} of {len(p_values)}; KS p = {uniform:.2f}"
    return Comparison(f"{data}: pairs of strangers accused at 0.05", "", says)


def _of_lots(results: Results) -> list[Comparison]:
    lines = []
    for cell in results.where(part="splits"):
        for name, what in (("p_split", "by class"), ("p_lot", "among images as hard")):
            table = torch.tensor(cell[name], dtype=torch.float64)
            others = table[~torch.eye(len(table), dtype=torch.bool)]
            says = f"own p <= {table.diagonal().max():.1g}; {int((others <= 0.05).sum())} of {len(others)}"
            lines.append(Comparison(f"lots {what}: strangers accused at 0.05", "", says))
    return lines


def _of_thefts(cells: Sequence[Row], what: str) -> list[Comparison]:
    names = values(cells[0]["rows"][1:], "removal")
    lines = []
    for test, title in (("p_mark", "planted mark"), ("p", "weights"), ("p_lot", "lot")):
        if test in cells[0]["rows"][0]:
            seen = [name for name in names if all(p <= LEVEL for p in _p_values(cells, name, test))]
            says = f"{len(seen)} of {len(names)} (n = {len(cells)})"
            lines.append(
                Comparison(f"{what}: removals after which every owner is shown by {title}", "", says)
            )
    return lines


def _p_values(cells: Sequence[Row], name: str, test: str) -> list[float]:
    return [row[test] for cell in cells for row in cell["rows"] if row["removal"] == name]


PARTS: dict[str, Callable[[Cell], Row]] = {
    "strangers": _strangers, "thefts": _thefts, "start": _start, "evasions": _evasions, "splits": _splits,
    "copies": _copies,
}  # fmt: skip
SEEDS = range(5)
CELLS = (
    {"part": "strangers", "data": "mnist", "owner": 0},
    {"part": "splits", "data": "mnist", "owner": 0},
    *({"part": "copies", "data": "mnist", "owner": i} for i in SEEDS),
    *({"part": "evasions", "data": "mnist", "owner": i} for i in SEEDS),
    *({"part": "thefts", "data": "marked", "owner": i} for i in SEEDS),
    *({"part": "start", "data": "mnist", "owner": i} for i in range(3)),
    {"part": "strangers", "data": "signs-us", "owner": 0},
    {"part": "thefts", "data": "signs-us", "owner": 0},
)


def _measure(cell: Cell, recipe: Recipe) -> Row:
    return PARTS[cell["part"]](cell)


NOTHING_PLANTED = Experiment(
    name="nothing-planted",
    question="Whose model is it when nothing was planted? Three tests, on strangers and on every theft.",
    minutes=30,
    chapter="12 Nothing was planted",
    cells=CELLS,
    measure=_measure,
    summary=_compare,
)
