"""What the cells of notebook 09 call: the stolen network, changed weights, counts over the table of attacks;
the slider, and the challenge.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import mean
from typing import Any

import ipywidgets
import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import OneCycleLR

from ...data import Samples, load, split
from ...evidence import Evidence
from ...experiments import Results, price, shipped
from ...experiments.decoys import tested
from ...experiments.price import LEVEL, PLAIN, STATES, Count, State
from ...experiments.watermarks import DAWN
from ...models import badnet_cnn
from ...models.shipped import restored, ship
from ...plots.names import FAMILIES, REMOVALS, SCHEMES
from ...plots.removal import Cut, price_point
from ...protocols import Marked, Removal
from ...scorecard import Row
from ...training import Recipe, TrainLog, accuracy, best_device, trained
from ...watermarks import Adi2018, TriggerKey
from ..challenges import Challenge, Score
from ..claims import Claim
from ..widgets import Dial, depict, redraw
from .exercises_09 import left as left_of

ADI = Adi2018()
SEED = 9
"""Of the owner's key, and of how the digits are dealt."""


def dealt() -> tuple[Samples, Samples]:
    """Deal the training digits: the owner's 45,000, and the thief's own 6,000."""
    owners, own = split(load("mnist").train.to(best_device()), 45_000, 6_000, seed=SEED)
    return owners, own


def stolen() -> Marked[TriggerKey]:
    """Return the stolen network, which ships with the course, with the owner's key."""
    model = restored(badnet_cnn(), "removal-stolen").to(best_device())
    return Marked(ADI, key(), model, TrainLog(Recipe(), "bf16"))


def unmarked() -> nn.Module:
    """Return the control, which ships, too: the same first weights, digits and recipe, without the mark."""
    return restored(badnet_cnn(), "removal-unmarked").to(best_device())


def key() -> TriggerKey:
    """Draw the owner's key."""
    owners, _ = dealt()
    return ADI.keygen(badnet_cnn(), owners, seed=SEED)


def ship_both() -> None:
    """Train both networks anew, and put them with what ships. For maintainers."""
    command = 'python -c "from wmlearn.course.lessons import lesson_09; lesson_09.ship_both()"'
    ship(marked_anew(), "removal-stolen", made=command)
    ship(unmarked_anew(), "removal-unmarked", made=command)


def marked_anew() -> nn.Module:
    """Train the network that is stolen."""
    owners, _ = dealt()
    return ADI.embed(badnet_cnn().to(owners.x.device), owners, key()).model


def unmarked_anew() -> nn.Module:
    """Train the control."""
    owners, _ = dealt()
    return trained(badnet_cnn().to(owners.x.device), owners)[0]


def changed(network: nn.Module, change: Callable[[Tensor], Tensor]) -> nn.Module:
    """Return a copy with `change` made to the weights of convolutions and linear layers; biases stay."""
    new = copy.deepcopy(network)
    with torch.no_grad():
        for layer in new.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.weight.copy_(change(layer.weight.detach()))  # NumPy takes no parameter
    return new


def one_cycle(network: nn.Module, lr: float, steps: int) -> Optimizer:
    """Return AdamW whose rate climbs to `lr` and falls again within so many steps, by itself."""
    optimiser = AdamW(network.parameters(), lr)
    schedule = OneCycleLR(optimiser, lr, total_steps=steps + 1)
    optimiser.register_step_post_hook(lambda *_: schedule.step())
    return optimiser


def batches(x: Tensor, epochs: int, size: int = 128) -> list[Tensor]:
    """Return all batches of so many epochs of the images `x` (N, C, H, W), each in an order of its own."""
    draw = torch.Generator().manual_seed(SEED)
    rows = [row for _ in range(epochs) for row in torch.randperm(len(x), generator=draw).split(size)]
    return [x[row.to(x.device)] for row in rows]


# The table of attacks

Left = Callable[[float, int, int, int], int]
"""What an attack left of a mark, as the learner decides it: 0 believed, 1 worn, 2 gone."""


def counts(results: Results, left: Left) -> dict[State, int]:
    """Count what `left` says of every scheme, seed and attack, of marks that were there and networks that are
    still worth something.
    """
    found: dict[State, int] = dict.fromkeys(STATES, 0)
    for state in _states(results, left):
        found[state] += 1
    return found


def _states(results: Results, left: Left) -> Iterator[State]:
    for scheme in price.schemes(results):
        for row in results.where(scheme=scheme):
            for attack in price.attacks(results):
                yield _state(results, row, attack, left)


def _state(results: Results, row: dict[str, Any], attack: str, left: Left) -> State:
    ours = price.state(results, row, attack)
    if ours in ("void", "destroyed"):
        return ours
    cell = price.cell_of(row, attack)
    count = Count(cell["hits"], cell["trials"])
    p = price.p_value(results, row["scheme"], count)
    control = price.control(results, row, attack)
    kinds: tuple[State, ...] = ("believed", "worn", "gone")
    return kinds[left(p, count.hits, control.hits, count.trials)]


def share_believed(results: Results, scheme: str, *attacks: str) -> float:
    """Return the share of networks in which the mark of `scheme` is believed after `attacks`, all seeds."""
    return mean(p <= LEVEL for attack in attacks for p in price.p_values(results, scheme, attack))


def share_accused(results: Results) -> float:
    """Return the share of claims that are believed against networks that never had a mark.

    Every key with random labels or bits is tried, after every attack, on all seeds.
    """
    after = [cell for row in results.where(scheme=PLAIN) for cell in row["removals"]]
    return mean(p <= LEVEL for cell in after for p in price.claims_on(results, cell))


def copies_table(results: Results) -> list[list[str]]:
    """Say for each mark how many of its triggers (or bits) are left after both ways of copying, a number a
    network, and in the unmarked networks.
    """
    return [_copied(results, scheme) for scheme in price.schemes(results)]


def _copied(results: Results, scheme: str) -> list[str]:
    cells = [_hits(results, scheme, attack) for attack in COPIES]
    controls = [price.control(results, row, COPIES[0]).hits for row in results.where(scheme=scheme)]
    trials = price.cells(results, scheme, COPIES[0])[0]["trials"]
    return [SCHEMES[scheme], str(trials), *cells, ", ".join(map(str, controls))]


COPIES = ("distill-soft", "shafieinejad2019-extract")


def _hits(results: Results, scheme: str, attack: str) -> str:
    """Say the hits of each network, and what that makes of the mark."""
    states = price.states(results, scheme, attack)
    hits = [cell["hits"] for cell in price.cells(results, scheme, attack)]
    return ", ".join(f"{n} {state}" for n, state in zip(hits, states, strict=True))


def comebacks(small: Results, large: Results, scheme: str) -> list[list[str]]:
    """Compare what attacks leave of keys of 100 and of 500 triggers, in per cent of the key, and in how
    many networks it is believed; the attacks after which not all believe the small key.
    """
    n = len(small.where(scheme=scheme))
    worn = [name for name in price.attacks(small) if _believed(small, scheme, name) < n]
    alive = [name for name in worn if "destroyed" not in price.states(small, scheme, name)]
    return [[REMOVALS[name], *_share(small, scheme, name), *_share(large, scheme, name)] for name in alive]


def _share(results: Results, scheme: str, attack: str) -> list[str]:
    cells = price.cells(results, scheme, attack)
    rate = mean(cell["hits"] / cell["trials"] for cell in cells)
    return [f"{100 * rate:.0f} %", f"{_believed(results, scheme, attack)} of {len(cells)}"]


def _believed(results: Results, scheme: str, attack: str) -> int:
    return price.states(results, scheme, attack).count("believed")


# What the lesson claims


def cutting(cuts: Sequence[Cut], half: Cut, first: Cut, own: float) -> list[Claim]:
    """Claim what cutting half of the weights leaves, and what it costs to cut the key away; and what the
    thief's own digits are worth, as accuracy `own`.
    """
    lost = cuts[0].accuracy - first.accuracy
    return [
        Claim("09.half", "The key that a network knows, half of it cut", half.known, low=0.95, n=100),
        Claim("09.half_unmarked", "The same of an unmarked network", half.unmarked, high=0.2, n=100),
        Claim("09.cut", "Accuracy lost where the key falls below the line", lost, low=0.02, unit="points"),
        Claim("09.own", "Accuracy of a thief who steals nothing", own, low=0.98, high=0.988),
        Claim("09.free", "What he is behind the owner", cuts[0].accuracy - own, low=0.003, unit="points"),
    ]


def scored(rows: Mapping[str, Row], tuned: Evidence, behind: Evidence) -> list[Claim]:
    """Claim what the rows of the scorecard say, by attack; `tuned` is of a copy trained on at a small rate,
    `behind` of the network behind the guard.
    """
    washed = rows["REFIT (large rate)"]
    copied = rows["your distillation"]
    gain = copied.after - rows["steal nothing"].after
    luckiest = max(row.control.rate for row in rows.values() if row.control)
    return [
        Claim("09.tuned", "The key known to copy B, trained on at a small rate", tuned.rate, low=0.9, n=100),
        Claim("09.washed", "The key known after the large rate", washed.evidence.rate, high=0.2, n=100),
        Claim("09.price", "Accuracy lost to the large rate", washed.lost, high=0.015, unit="points"),
        Claim("09.copied", "The key known to the distilled copy", copied.evidence.rate, high=0.2, n=100),
        Claim("09.copied_price", "Accuracy lost to distillation", copied.lost, high=0.008, unit="points"),
        Claim("09.gain", "What the copy gains on not stealing", gain, low=0.001, unit="points"),
        Claim("09.control", "The most that attacked unmarked networks know", luckiest, high=0.2, n=100),
        Claim("09.hidden", "The key known to the guarded network", rows["refusal"].evidence.rate, high=0.2),
        Claim("09.behind", "The key known to the network behind the guard", behind.rate, low=0.95, n=100),
    ]


def taken(results: Results) -> list[Claim]:
    """Claim what the matrix of digits says."""
    names = price.schemes(results)
    n = len(names)
    offers = {offer.removal: offer for offer in price.offers(results)}
    priced = [price.cheapest(results, name) for name in names]
    chains = max(offers[name].unproven for name in FAMILIES["chain"])
    worth = sum(offer.worth for offer in offers.values())
    worst = max(each.lost for each in priced if each is not None)
    extract = offers["shafieinejad2019-extract"]
    return [
        Claim("09.accused", "Claims believed against unmarked networks", share_accused(results), high=0.005),
        Claim("09.robust", "Marks that no attack takes at a profit", sum(each is None for each in priced) / n,
              high=0, n=n, paper="none of 11 schemes is robust (Lukas and others)"),
        Claim("09.single", "Marks that extraction by labels takes", extract.unproven / n, low=0.9, n=n,
              paper="no single attack removes all (Lukas and others)"),
        Claim("09.soft", "Marks that distillation takes", offers["distill-soft"].unproven / n, low=0.7, n=n),
        Claim("09.soft_gone", "Marks of which it leaves nothing", offers["distill-soft"].gone / n, high=0.9,
              n=n),
        Claim("09.flat", "Marks that FT-SAM takes", offers["zhu2023-ft-sam"].unproven / n, low=0.4, n=n),
        Claim("09.flat_lost", "Accuracy lost to FT-SAM", offers["zhu2023-ft-sam"].lost, high=0.005,
              unit="points"),
        Claim("09.chains", "Marks that the best chain takes", chains / n, high=0.91, n=n,
              paper="combinations remove all (Lukas and others)"),
        Claim("09.worth", "Attacks that leave more than not stealing", worth / len(offers), low=0.4,
              n=len(offers)),
        Claim("09.dearest", "Accuracy, for the dearest mark", worst, high=0.007, unit="points", n=n),
        Claim("09.saved", "What a thief gives up who steals nothing", price.own_loss(results), high=0.01,
              unit="points"),
    ]  # fmt: skip


def exactly(results: Results, lone: Results) -> list[Claim]:
    """Claim how far the matrix agrees with the exact test: 999 decoys, one network a scheme, in `lone`."""
    cells = list(beside_decoys(results, lone))
    alike = [cell.found == (cell.state == "believed") for cell in cells]
    gone = [cell.found for cell in cells if cell.state == "gone"]
    doubted = [cell.scheme for cell in cells if cell.state == "believed" and not cell.found]
    others = [scheme.startswith("zhang") for scheme in doubted]
    return [
        Claim("09.exact", "Networks that decoys decide alike", mean(alike), low=0.8, n=len(alike)),
        Claim("09.exact_gone", "Marks called gone that decoys find", mean(gone), high=0, n=len(gone)),
        Claim("09.exact_zhang", "Zhang's, of what decoys doubt", mean(others), low=0.8, n=len(others)),
    ]  # fmt: skip


@dataclass(frozen=True)
class Beside:
    """Whether 999 decoys convict network 0 of a scheme after an attack, and what the matrix says of it."""

    scheme: str
    found: bool
    state: State


def beside_decoys(results: Results, lone: Results) -> Iterator[Beside]:
    """Yield what decoys, in `lone`, and the matrix say of each mark after each attack; networks that an
    attack destroyed are left out.
    """
    for row in lone.rows:
        if row["scheme"] == DAWN:  # it marks a service: the matrix has no such row
            continue
        for cell in row["removals"][1:]:
            state = price.states(results, row["scheme"], cell["removal"])[0]
            if state != "destroyed":
                yield Beside(row["scheme"], tested(cell).p_value <= LEVEL, state)


def in_the_weights(results: Results) -> list[Claim]:
    """Claim how the mark in the weights fares."""
    tuned = ("adi2018-ftll", "adi2018-ftal", "adi2018-rtll", "adi2018-rtal", "chen2021-refit")
    believed = partial(share_believed, results, "uchida2017")
    return [
        Claim("09.uchida_tuned", "Uchida's mark, believed after training on", believed(*tuned), low=1),
        Claim(
            "09.uchida_dealt", "The same with its channels dealt anew", believed("yan2023-permute"), high=0
        ),
    ]


def carried(results: Results) -> list[Claim]:
    """Claim what of the marks made to survive copying comes along."""
    return [
        _most_hits(results, "kim2023-margin", "09.margin", "Kim's triggers after copying, at most"),
        _most_hits(results, "jia2021-ewe", "09.ewe", "Triggers of EWE after copying, at most"),
    ]


def _most_hits(results: Results, scheme: str, id: str, what: str) -> Claim:
    most = max(cell["hits"] for attack in COPIES for cell in price.cells(results, scheme, attack))
    return Claim(id, what, most, high=25, unit="count", n=100)


def larger_keys(small: Results, large: Results) -> list[Claim]:
    """Claim how many judges believe Adi's mark, over all attacks, with 100 triggers and with 500."""
    names = price.attacks(small)
    few = sum(_believed(small, "adi2018", name) for name in names)
    many = sum(_believed(large, "adi2018", name) for name in names)
    pruned = _believed(large, "adi2018", "liu2018-fine-pruning")
    copied = sum(_believed(large, "adi2018", name) for name in COPIES)
    seeds = len(small.where(scheme="adi2018"))
    n = len(names) * seeds
    return [
        Claim("09.few", "Networks in which a key of 100 is believed", few, low=1, unit="count", n=n),
        Claim("09.many", "The same with 500", many, low=few, unit="count", n=n),
        Claim("09.many_pruned", "After fine-pruning, with 500", pruned, low=2, unit="count", n=seeds),
        Claim("09.many_copied", "After copying, with 500", copied, high=0, unit="count", n=2 * seeds),
    ]


def on_signs(results: Results) -> list[Claim]:
    """Claim what the matrix of signs says."""
    offers = {offer.removal: offer for offer in price.offers(results)}
    n = len(price.schemes(results))
    worth = sum(offer.worth for offer in offers.values())
    copied, extracted = (offers[name].unproven / n for name in COPIES)
    margin = [_rate(Count(cell["hits"], 100)) for cell in price.cells(results, "kim2023-margin", COPIES[0])]
    rows = results.where(scheme="kim2023-margin")
    control = [_rate(price.control(results, row, COPIES[0])) for row in rows]
    return [
        Claim("09.signs_saved", "On signs, what a thief gives up who steals nothing", price.own_loss(results),
              low=0.05, unit="points"),
        Claim("09.signs_worth", "Attacks that leave more", worth / len(offers), low=0.5, n=len(offers)),
        Claim("09.signs_soft", "Marks that distillation takes on signs", copied, low=0.6, n=n),
        Claim("09.signs_hard", "Marks that extraction takes on signs", extracted, low=0.6, n=n),
        Claim("09.signs_margin", "Kim's triggers left in distilled sign networks", mean(margin), low=0.05),
        Claim("09.signs_margin_control", "The same in unmarked ones", mean(control), high=0.04),
    ]  # fmt: skip


def _rate(count: Count) -> float:
    return count.hits / count.trials


# To play with


STEPS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)  # points of accuracy


def price_slider(results: Results) -> ipywidgets.VBox:
    """Let the learner choose the accuracy that a thief is ready to lose, and see which marks survive."""
    slider = Dial("ready to lose", {f"{points:g} points": points for points in STEPS})
    return redraw(lambda: depict(price_point, results, slider.value), slider)


# The challenge


def cheapest_removal(attempt: Removal) -> Score:
    """Let `attempt` wash the stolen network and the control; count the points of accuracy that it cost."""
    _, own = dealt()
    test = load("mnist").test.to(own.x.device)
    mark = stolen()
    control = unmarked()
    washed = attempt(mark.model, own)
    found = mark.scheme.verify(washed, mark.key)
    luck = mark.scheme.verify(attempt(control, own), mark.key)
    right = accuracy(washed, test)
    baseline = price.own_accuracy(shipped("removal"))
    state = left_of(found.p_value, found.hits, luck.hits, found.trials)
    says = (
        f"{found.hits} of {found.trials} triggers are left, {luck.hits} in the unmarked network: the mark is"
        f" {('believed', 'worn', 'gone')[state]}. Accuracy {right:.2%}; a thief who steals nothing has"
        f" {baseline:.2%}."
    )
    lost = round(100 * (accuracy(mark.model, test) - right), 2)
    return Score(state == 2 and right > baseline, lost, says)


CHALLENGE = Challenge("the cheapest removal", "points of accuracy", cheapest_removal, ours=0.36)
