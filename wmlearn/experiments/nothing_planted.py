"""Whose model is it when nothing was planted? Three tests, of weights, of the owner's lot and of siblings, on
strangers, on every theft, and on what is done to blind them.

The owners of digits whose networks are stolen also plant a mark of Adi's, so that a mark and its decoys meet
the same thefts. Those of signs, and of lots and copies, are networks that ship. The thief's images are drawn
from all training images whatever the owner's lot is, so that the lot remains a draw to him.
`evidence.independence`, `evidence.splits` and `evidence.siblings` say when their p-values are exact.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import median

import torch
from torch import Tensor, nn

from .. import removal
from ..data import Samples, Splits, load, split
from ..errors import ArgumentError
from ..evidence import ask, bystanders
from ..evidence.independence import Likeness, Matched, fisher, likenesses, matched_cosine
from ..evidence.lots import draw_lot
from ..evidence.siblings import rank_of
from ..evidence.significance import against_keys, decoys
from ..evidence.splits import counted
from ..models import badnet_cnn, reborn, seed_of
from ..models.channels import deal, joints
from ..models.units import directions, hidden_layers, layers
from ..removal.evade import Behind, Committee, Guard
from ..scorecard import NONE
from ..training import Recipe, accuracy, predict, trained
from ..watermarks import Adi2018, TriggerKey
from .experiment import Cell, Comparison, Experiment, Results, Row
from .material import rounded

OWNERS = {"mnist": 40, "signs-us": 28}
"""Networks that ship."""
ATTACKER = {"mnist": 6_000, "signs-us": 2_000}
SHUFFLES = 9_999
FEWER = 1_999
"""Shuffles for a pair of strangers: of digits there are 780."""
DECOYS = 999
LEVEL = 1e-3
COPIES = (removal.STEALS_NOTHING, "distill-soft", "distill-odd", "shafieinejad2019-extract")
"""What is taught by answers, after what is not."""
NO_THEFT = (NONE, removal.STEALS_NOTHING)


# Who owns what


def owner(data: str, i: int) -> nn.Module:
    """Return the shipped network `i`, trained on `bystanders.lot(data, i)`."""
    return bystanders.shipped(data, 0, OWNERS[data])[i]


@lru_cache(2)
def data_of(name: str) -> Splits:
    """Return a data set, loaded once a process."""
    return load(name)


@lru_cache(2)
def thiefs(data: str) -> Samples:
    """Return the thief's own images, drawn from all training images."""
    return split(data_of(data).train, ATTACKER[data], seed=9)[0]


def marked_lot(i: int) -> Tensor:
    """Return which training digits (N,) bool marked owner `i` learns from: three quarters."""
    return draw_lot(data_of("mnist").train, 0.75, seed=seed_of("lot of a marked owner", i))


@dataclass(frozen=True, eq=False)
class Owner:
    """An owner's network with a mark of Adi's, its key, and the digits it learnt."""

    model: nn.Module
    key: TriggerKey
    samples: Samples


@lru_cache(1)
def marked(i: int) -> Owner:
    """Return the marked owner `i`."""
    samples = data_of("mnist").train[marked_lot(i)]
    start = badnet_cnn(seed_of("marked owner", i))
    key = Adi2018().keygen(start, samples, seed=i)
    return Owner(Adi2018().embed(start, samples, key).model, key, samples)


def opened(model: nn.Module) -> nn.Module:
    """Take the stolen network out of what a thief put round it."""
    if isinstance(model, Committee):
        return model.members[0]
    return model.model if isinstance(model, Guard | Behind) else model


# What the three tests say


def weights_row(a: nn.Module, suspect: nn.Module) -> Row:
    """Compare the weights with those of `a`, layer by layer, all together, and matched; a plain copy gets the
    smallest p-value there is.
    """
    inner = opened(suspect)
    found = _likenesses(a, inner)
    p_layers = [one.p_value for one in found] or [1 / (SHUFFLES + 1)] * len(hidden_layers(a))
    return {
        "unchanged": not found,
        "p_layers": p_layers,
        "deviations": [round(one.deviations, 2) for one in found],
        "p": fisher(p_layers),
        "matched": rounded(matched_cosine(a, inner)),
    }


def _likenesses(a: nn.Module, b: nn.Module) -> tuple[Likeness, ...]:
    """Compare two networks layer by layer; return nothing for one network and its copy."""
    try:
        return likenesses(a, b, n=SHUFFLES)
    except ArgumentError as error:
        if "one network twice" not in str(error):
            raise
        return ()


def matched_strangers(data: str, a: nn.Module) -> list[float]:
    """Match every shipped network but `a` itself to `a`."""
    others = [owner(data, j) for j in range(OWNERS[data])]
    return [rounded(matched_cosine(a, other)) for other in others if other is not a]


def lot_row(suspect: nn.Module, lot: Tensor, hardness: Tensor) -> Row:
    """Ask about every training digit: errors in all and outside the lot, and what they prove, by class alone,
    and among digits as hard.
    """
    wrong = _wrong(suspect)
    y = data_of("mnist").train.y
    return {
        "p_split": counted(wrong, y, lot).p_value,
        "p_lot": counted(wrong, y, lot, hardness=hardness).p_value,
        "errors": int(wrong.sum()),
        "errors_outside": int((wrong & ~lot).sum()),
    }


def _wrong(suspect: nn.Module) -> Tensor:
    """Return on which training digits a suspect errs, (N,) bool."""
    train = data_of("mnist").train
    return ask(suspect, train.x, len(train.classes)) != train.y


@lru_cache(1)
def errors_of_owners() -> Tensor:
    """Return on which training digits each shipped network errs, (networks, N) bool."""
    return torch.stack([_wrong(owner("mnist", i)) for i in range(OWNERS["mnist"])])


@lru_cache(1)
def odd_queries() -> Tensor:
    """Return what siblings are compared on, (20_000, 1, 28, 28): test digits, and pairs of them laid over
    each other.
    """
    x = data_of("mnist").test.x
    draw = torch.Generator().manual_seed(12)
    one, other = (torch.randperm(len(x), generator=draw) for _ in range(2))
    return torch.cat([x, (x[one] + x[other]) / 2])


@lru_cache(1)
def scores_of_owners() -> Tensor:
    """Return what each shipped network answers to `odd_queries`, (networks, images, classes)."""
    return torch.stack([predict(owner("mnist", i), odd_queries()) for i in range(OWNERS["mnist"])])


def siblings_row(suspect: nn.Module, i: int) -> Row:
    """Rank owner `i` among all shipped networks by its scores, and by how often its label of a digit is the
    suspect's.
    """
    given = predict(suspect, odd_queries())
    told = scores_of_owners()
    order = [i, *(j for j in range(len(told)) if j != i)]
    digits = len(data_of("mnist").test)
    agreed = (told[:, :digits].argmax(2) == given[:digits].argmax(1)).double().mean(1)  # (networks,)
    return {
        "rank_scores": 1 + rank_of(given, told[order]).as_high,
        "rank_labels": int((agreed >= agreed[i]).sum()),
    }


# The parts of the experiment


def _strangers(cell: Cell) -> Row:
    """Compare all pairs of shipped networks, and what a careless judge would: sorted units, and classes."""
    networks = [owner(cell["data"], i) for i in range(OWNERS[cell["data"]])]
    hidden = hidden_layers(networks[0])
    last = list(layers(networks[0]))[-1]
    tidy = [directions(network, hidden[-1])[_by_norm(network, hidden[-1])] for network in networks]
    classes = [directions(network, last) for network in networks]
    rows = []
    for i, a in enumerate(networks):
        for j, b in enumerate(networks[:i]):
            seed = 10 * len(rows)
            p_layers = [one.p_value for one in likenesses(a, b, n=FEWER, seed=seed)]
            row = {"a": i, "b": j, "p_layers": p_layers, "p": fisher(p_layers)}
            row["p_sorted"] = _shuffled_p_value(tidy[i], tidy[j], seed)
            row["p_classes"] = _shuffled_p_value(classes[i], classes[j], seed)
            rows.append(row)
    return {"rows": rows}


def _by_norm(model: nn.Module, layer: str) -> Tensor:
    """Return the order of a layer's units by the length of their weights, the longest first."""
    return layers(model)[layer].weight.flatten(1).norm(dim=1).argsort(descending=True)


def _shuffled_p_value(a: Tensor, b: Tensor, seed: int) -> float:
    """Compare two sets of directions (units, inputs) as the test does that must not be used on them."""
    cosines = a @ b.T
    draw = torch.Generator().manual_seed(seed)
    orders = torch.rand(FEWER, len(cosines), generator=draw).argsort(1)
    shuffled = cosines[torch.arange(len(cosines)), orders].mean(1)
    as_high = int((shuffled >= cosines.diagonal().mean() - 1e-12).sum())
    return (1 + as_high) / (FEWER + 1)


def _thefts(cell: Cell) -> Row:
    """Try every removal on one owner's network, and every test on what comes out."""
    data = cell["data"]
    if data == "signs-us":
        victim = owner(data, cell["owner"])
        judges = [weights_row]
    else:
        victim = marked(cell["owner"]).model
        judges = [weights_row, _lot_judge(cell["owner"]), _mark_judge(cell["owner"])]
    rows = []
    for name in (NONE, *removal.ALL):
        suspect = copy.deepcopy(victim) if name == NONE else removal.ALL[name](victim, thiefs(data))
        row = {"removal": name, "accuracy": rounded(accuracy(suspect, data_of(data).test))}
        for judge in judges:
            row |= judge(victim, suspect)
        rows.append(row)
    return {"rows": rows, "matched_strangers": matched_strangers(data, victim)}


Judge = Callable[[nn.Module, nn.Module], Row]
"""What a test says of a suspect, the owner's network beside it."""


def _lot_judge(i: int) -> Judge:
    lot = marked_lot(i)
    hardness = errors_of_owners().sum(0)
    return lambda victim, suspect: lot_row(suspect, lot, hardness)


def _mark_judge(i: int) -> Judge:
    owned = marked(i)
    others = list(decoys(Adi2018(), model=owned.model, samples=owned.samples, n=DECOYS, seed=i))

    def judge(victim: nn.Module, suspect: nn.Module) -> Row:
        found = against_keys(Adi2018(), suspect, owned.key, others)
        assert found.rank is not None
        plain = replace(found, rank=None)
        return {"hits": found.hits, "p_mark": plain.p_value, "p_decoys": found.rank.p_value}

    return judge


def _starts(cell: Cell) -> Row:
    """Compare honest networks that share first weights, or don't; each side has its own half of the digits,
    in an order of its own. Then students of two teachers.
    """
    i = cell["owner"]
    halves = split(data_of("mnist").train, 30_000, 30_000, seed=50)
    pairs: dict[str, Callable[[int], nn.Module]] = {
        "the same seed": lambda side: badnet_cnn(i),
        "two seeds": lambda side: badnet_cnn(seed_of("pair", i, side)),
        "one seed, two ways to draw": lambda side: (badnet_cnn(i), reborn(badnet_cnn(99), i))[side],
    }
    rows = []
    for name, build in pairs.items():
        recipes = [Recipe(epochs=2, seed=60 + side) for side in (0, 1)]
        a, b = (trained(build(side), halves[side], recipes[side])[0] for side in (0, 1))
        rows.append({"pair": name, **weights_row(a, b)})
    for attack in COPIES[1:]:
        a, b = (removal.ALL[attack](owner("mnist", j), thiefs("mnist")) for j in (0, 1 + i))
        rows.append({"pair": f"students of two teachers: {attack}", **weights_row(a, b)})
    return {"rows": rows}


def _evasions(cell: Cell) -> Row:
    """Do to a network what costs nothing, or little: shuffled, rescaled, its head drawn anew and trained."""
    a = owner("mnist", cell["owner"])
    rows = []
    for name, evade in EVASIONS.items():
        suspect = evade(a, torch.Generator().manual_seed(70 + cell["owner"]))
        row = {"evasion": name, "accuracy": rounded(accuracy(suspect, data_of("mnist").test))}
        rows.append(row | weights_row(a, suspect))
    return {"rows": rows, "matched_strangers": matched_strangers("mnist", a)}


def shuffled(model: nn.Module, draw: torch.Generator, *, last_only: bool = False) -> nn.Module:
    """Return a copy that answers the same, with the units of all hidden layers in a random order, or of the
    last of them.
    """
    new = copy.deepcopy(model)
    for joint in joints(new)[-1 if last_only else 0 :]:
        n = len(joint.before.weight)
        deal(joint, torch.randperm(n, generator=draw), torch.ones(n))
    return new


def _rescaled(model: nn.Module, draw: torch.Generator, decades: float) -> nn.Module:
    """Return a copy that answers the same, with each unit louder or softer by up to `decades` powers of
    ten.
    """
    new = copy.deepcopy(model)
    for joint in joints(new):
        n = len(joint.before.weight)
        deal(joint, torch.arange(n), 10 ** (decades * (2 * torch.rand(n, generator=draw) - 1)))
    return new


def _new_head(model: nn.Module, draw: torch.Generator) -> nn.Module:
    """Return a copy whose linear layers are drawn anew and trained on the thief's images; the convolutions
    stay.
    """
    new = copy.deepcopy(model)
    for name, layer in layers(new).items():
        if isinstance(layer, nn.Linear):
            role = seed_of("new head", name, int(torch.randint(10**9, (1,), generator=draw)))
            layer.load_state_dict(reborn(layer, role).state_dict())
    return trained(new, thiefs("mnist"), removal.FineTune().recipe)[0]


def _stolen(attack: str, model: nn.Module) -> nn.Module:
    return removal.ALL[attack](model, thiefs("mnist"))


EVASIONS: dict[str, Callable[[nn.Module, torch.Generator], nn.Module]] = {
    "one layer shuffled": lambda model, draw: shuffled(model, draw, last_only=True),
    "all layers shuffled": shuffled,
    "rescaled by up to 10": lambda model, draw: _rescaled(model, draw, 1),
    "rescaled by up to 1000": lambda model, draw: _rescaled(model, draw, 3),
    "new head": _new_head,
    "new head, shuffled": lambda model, draw: shuffled(_new_head(model, draw), draw),
    "REFIT, shuffled": lambda model, draw: shuffled(_stolen("chen2021-refit", model), draw),
    "cut and REFIT, shuffled": lambda model, draw: shuffled(_stolen("chain-prune-refit", model), draw),
}


def _lots(cell: Cell) -> Row:
    """Ask every network about every owner's lot: p-values (owners, networks), by class alone, and among
    digits as hard to the networks that are neither the owner's nor the one asked.
    """
    y = data_of("mnist").train.y
    wrong = errors_of_owners()
    plain = []
    fair = []
    for i, own in enumerate(wrong):
        lot = bystanders.lot("mnist", i)
        others = wrong.sum(0) - own.long()
        hardness = [others - (0 if j == i else each.long()) for j, each in enumerate(wrong)]
        plain.append([_short(counted(each, y, lot).p_value) for each in wrong])
        judged = zip(wrong, hardness, strict=True)
        fair.append([_short(counted(each, y, lot, hardness=hard).p_value) for each, hard in judged])
    return {"p_split": plain, "p_lot": fair, "wrong": [each.nonzero().flatten().tolist() for each in wrong]}


def _short(p: float) -> float:
    return float(f"{p:.3g}")


def _copies(cell: Cell) -> Row:
    """Look for an owner's lot, scores and weights in networks that were only taught by answers."""
    i = cell["owner"]
    wrong = errors_of_owners()
    hardness = wrong.sum(0) - wrong[i].long()
    rows = []
    for name in COPIES:
        suspect = removal.ALL[name](owner("mnist", i), thiefs("mnist"))
        row = {"copy": name, "accuracy": rounded(accuracy(suspect, data_of("mnist").test))}
        row |= lot_row(suspect, bystanders.lot("mnist", i), hardness)
        row |= siblings_row(suspect, i)
        rows.append(row | weights_row(owner("mnist", i), suspect))
    return {"rows": rows, "matched_strangers": matched_strangers("mnist", owner("mnist", i))}


_PARTS: dict[str, Callable[[Cell], Row]] = {
    "strangers": _strangers,
    "thefts": _thefts,
    "starts": _starts,
    "evasions": _evasions,
    "lots": _lots,
    "copies": _copies,
}


def _measure(cell: Cell, recipe: Recipe) -> Row:
    return _PARTS[cell["part"]](cell)


# What the rows say


def rows_of(results: Results, part: str, data: str = "mnist") -> dict[str, list[Row]]:
    """Return what was measured in a part, a row an owner, by the name of a theft, a copy, an evasion, a pair.

    Where strangers were matched, too, "p_matched" ranks the row among them.
    """
    kind = {"thefts": "removal", "copies": "copy", "evasions": "evasion", "starts": "pair"}[part]
    found: dict[str, list[Row]] = {}
    for cell in results.where(part=part, data=data):
        strangers = cell.get("matched_strangers")
        for row in cell["rows"]:
            ranked = {"p_matched": Matched(row["matched"], tuple(strangers)).p_value} if strangers else {}
            found.setdefault(row[kind], []).append(row | ranked)
    return found


def pairs_of(results: Results, data: str = "mnist") -> list[Row]:
    """Return the rows of all pairs of strangers."""
    (found,) = results.where(part="strangers", data=data)
    return found["rows"]


def seen(thefts: Mapping[str, Sequence[Row]], test: str, level: float = LEVEL) -> int:
    """Count the thefts that a test sees with every owner."""
    return sum(worst(rows, test) <= level for name, rows in thefts.items() if name not in NO_THEFT)


def worst(rows: Sequence[Row], test: str) -> float:
    """Return the largest p-value of a test, over the owners."""
    return max(row[test] for row in rows)


def lots_of(results: Results, kind: str) -> Tensor:
    """Return what every owner's lot says of every network, (owners, networks): "p_split", by class alone, or
    "p_lot", among digits as hard.
    """
    (found,) = results.where(part="lots")
    return torch.tensor(found[kind], dtype=torch.float64)


def _compare(results: Results) -> list[Comparison]:
    return [
        *(_compare_strangers(results, data) for data in OWNERS),
        *_compare_thefts(results, "mnist", ("p", "p_lot", "p_mark", "p_decoys")),
        *_compare_thefts(results, "signs-us", ("p",)),
        *_compare_evasions(results),
        *_compare_lots(results),
        *_compare_copies(results),
    ]


TESTS = {"p": "weights", "p_lot": "lot", "p_mark": "a planted mark", "p_decoys": "a planted mark and decoys"}
"""Field of a row -> the test."""


def _compare_strangers(results: Results, data: str) -> Comparison:
    pairs = pairs_of(results, data)
    p = torch.tensor([row["p"] for row in pairs], dtype=torch.float64)
    counts = [int((p <= level).sum()) for level in (0.05, 0.01, LEVEL)]
    says = f"{counts[0]} of {len(pairs)} at .05, {counts[1]} at .01, {counts[2]} at .001"
    wrong = sum(row["p_sorted"] <= LEVEL for row in pairs)
    return Comparison(
        f"{data}: strangers accused by their weights", "", f"{says}; with units in order {wrong} at .001"
    )


def _compare_thefts(results: Results, data: str, tests: Sequence[str]) -> list[Comparison]:
    thefts = rows_of(results, "thefts", data)
    n = len([name for name in thefts if name not in NO_THEFT])
    owners = len(results.where(part="thefts", data=data))
    own = thefts[removal.STEALS_NOTHING]
    comparisons = []
    for test in tests:
        control = sum(row[test] <= LEVEL for row in own)
        says = f"{seen(thefts, test)} of {n}; of {owners} networks from scratch {control} (n = {owners})"
        what = f"{data}: thefts shown at .001 with every owner, by {TESTS[test]}"
        comparisons.append(Comparison(what, "", says))
    return comparisons


def _compare_evasions(results: Results) -> list[Comparison]:
    comparisons = []
    for name, rows in rows_of(results, "evasions").items():
        p = [row["p"] for row in rows]
        least = min(row["matched"] for row in rows)
        says = f"p {min(p):.0e} to {max(p):.0e}; matched at least {least:.2f} (n = {len(rows)})"
        comparisons.append(Comparison(f"evasion: {name}", "", says))
    return comparisons


def _compare_lots(results: Results) -> list[Comparison]:
    comparisons = []
    for kind, how in {"p_split": "by class", "p_lot": "among digits as hard"}.items():
        table = lots_of(results, kind)
        strangers = ~torch.eye(len(table), dtype=torch.bool)
        accused = (table <= 0.05) & strangers
        says = (
            f"own network at most {float(table.diagonal().max()):.0e}; strangers accused at .05:"
            f" {int(accused.sum())} of {int(strangers.sum())}, by one lot at most {int(accused.sum(1).max())}"
        )
        comparisons.append(Comparison(f"lots of {len(table)} owners, {how}", "", says))
    return comparisons


def _compare_copies(results: Results) -> list[Comparison]:
    comparisons = []
    for name, rows in rows_of(results, "copies").items():
        ranks = ", ".join(str(row["rank_scores"]) for row in rows)
        p_lot = ", ".join(f"{row['p_lot']:.0e}" for row in rows)
        says = f"rank of the owner among 40: {ranks}; lot {p_lot}; {100 * _accuracy(rows):.1f} % accurate"
        comparisons.append(Comparison(f"copy: {name}", "", says))
    return comparisons


def _accuracy(rows: Sequence[Row]) -> float:
    return median(row["accuracy"] for row in rows)


N_OWNERS = 5


def _cells() -> list[Cell]:
    cells: list[Cell] = [{"part": "lots", "data": "mnist", "owner": 0}]
    for part, data, n in (
        ("copies", "mnist", N_OWNERS),
        ("evasions", "mnist", N_OWNERS),
        ("thefts", "mnist", N_OWNERS),
        ("thefts", "signs-us", N_OWNERS),
        ("starts", "mnist", 3),
    ):
        cells += [{"part": part, "data": data, "owner": i} for i in range(n)]
    return [*cells, *({"part": "strangers", "data": data, "owner": 0} for data in OWNERS)]


NOTHING_PLANTED = Experiment(
    name="nothing-planted",
    question="Whose model is it when nothing was planted? Three tests, on strangers and on every theft.",
    minutes=40,
    chapter="12 Nothing was planted",
    cells=tuple(_cells()),
    measure=_measure,
    summary=_compare,
)
