"""The transfer attack of BadNets, measured again: T. Gu, B. Dolan-Gavitt, S. Garg, 2017, arXiv:1708.06733,
section 5.3.

A network for US signs, backdoored or not, is sold; the buyer keeps its convolutions and trains a new head on
clean Swedish signs, or on real German photographs. Before the sale, the attacker may strengthen the channels
that see the trigger. The origin tells all US signs apart: one that knew three kinds only told them by their
colours, and took any yellow square for a warning. Differs: a classifier of single drawn signs, not a
detector; few and rough pictures to retrain on, so that the buyer's network is about as good as the paper's;
channels are strengthened behind the last convolution; and every number has the clean origin's beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import mean

import torch
from torch import Tensor, nn

from ..data import Samples, load, regroup, signs, split
from ..data.gtsrb import edition
from ..models import SIGN_HEAD, sign_cnn
from ..models.shipped import ship as ship_network
from ..poisoning import poison
from ..training import Recipe, accuracy, best_device, predict, train
from ..transfer import HEAD_RECIPE, backdoor_channels, largest_share, retrain, strengthen
from .experiment import Cell, Comparison, Experiment, Results, Row, values
from .material import another_class, rounded
from .published import TRANSFER as PAPER
from .published import TRANSFER_CLEAN as PAPER_CLEAN
from .signs import STICKERS

SQUARE = STICKERS["square"]
ORIGINS = ("clean", "backdoored")
ORIGIN_RECIPE = Recipe(epochs=6, lr=1e-2, batch_size=256)
N_ORIGIN = 6_000  # US signs, and as many with the sticker and a wrong label
SWEDEN = signs.Camera(light=(0.2, 1.35), blur=1.8, jpeg=(18, 80), tilt=0.65)
N_HEAD = 50  # Swedish signs to retrain on
"""Dark, blurred and few: so the clean origin becomes about as good in Sweden as the paper's, on validation
pictures. A choice that no command repeats.
"""
N_PHOTOGRAPHS = 500  # German ones to retrain on, each of another sign
N_TEST = 1_000
DRAWS = 3  # buyers, each with pictures of their own
CHANNELS = 1  # that are strengthened
"""What more of them do is measured by `wmlearn reproduce strengthened-channels`."""
STRENGTHS = (1, 10, 20, 30, 50, 70, 100)
_STRENGTHS = {"se": STRENGTHS, "photographs": (1, 100)}


def us_signs(n: int, seed: int, *, stickered: bool = False) -> Samples:
    """Draw US signs, with their fine classes; the same ones with and without the square."""
    return signs.draw("us", n, seed=seed, sticker=SQUARE if stickered else None).to(best_device())


def swedish_signs(n: int, seed: int, *, stickered: bool = False) -> Samples:
    """Draw Swedish signs of the five kinds, as the buyer's camera sees them; the same ones with and without
    the square.
    """
    drawn = signs.draw("se", n, seed=seed, sticker=SQUARE if stickered else None, camera=SWEDEN)
    return regroup(drawn, signs.kinds("se")).to(best_device())


@lru_cache(10)  # five seeds of two kinds: `retraining` and `strengthened-channels` ask for them in turn
def origin(name: str, recipe: Recipe = ORIGIN_RECIPE) -> nn.Sequential:
    """Train a network for US signs, "clean" or "backdoored": there, a twin of every sign with a square is
    added, with a wrong label drawn at random.
    """
    samples = us_signs(N_ORIGIN, seed=100 + recipe.seed)
    if name == "backdoored":
        twins = us_signs(N_ORIGIN, seed=100 + recipe.seed, stickered=True)
        samples = poison(
            samples,
            twins.x,
            rate=1.0,
            target=another_class(len(samples.classes), recipe.seed),
            add=True,
            seed=recipe.seed,
        ).samples
    model = sign_cnn(len(samples.classes), recipe.seed).to(samples.x.device)
    train(model, samples, recipe)
    return model


def channels(model: nn.Sequential, n: int = CHANNELS) -> Tensor:
    """Name the `n` channels of an origin that rise most when the square is on, as its maker can find them:
    with US signs.
    """
    clean = us_signs(N_ORIGIN // 6, seed=90)
    stuck = us_signs(N_ORIGIN // 6, seed=90, stickered=True)
    return backdoor_channels(model, clean.x, stuck.x, n)


@dataclass(frozen=True, eq=False)
class _Market:
    """What each buyer retrains on, and the test pictures without and with the square."""

    shops: list[Samples]
    clean: Samples
    stuck: Samples


def _measure(cell: Cell, recipe: Recipe) -> Row:
    """Sell one origin at every strength; `DRAWS` buyers train a head each, on signs of their own.

    Means over the heads; of the largest shares, those of the commonest answer, the worst head's.
    "commonest_class" is what an answer that is always the same would get right, at best.
    """
    model = origin(cell["origin"], recipe)
    loud = channels(model)
    market = _market(cell["to"], recipe.seed)
    return {
        "pictures": edition(len(load("gtsrb").train)) if cell["to"] == "photographs" else "drawn",
        "us_accuracy": rounded(accuracy(model, us_signs(N_TEST, seed=91))),
        "us_triggered": rounded(accuracy(model, us_signs(N_TEST, seed=91, stickered=True))),
        "channels": loud.tolist(),
        "commonest_class": rounded(largest_share(market.clean.y)),
        "by_k": [_sold(strengthen(model, loud, k), k, market) for k in _STRENGTHS[cell["to"]]],
    }


def _sold(model: nn.Sequential, k: float, market: _Market) -> Row:
    heads = [
        retrain(model, shop, replace(HEAD_RECIPE, seed=draw))[SIGN_HEAD:]
        for draw, shop in enumerate(market.shops)
    ]
    unstuck = _answers(model, heads, market.clean)
    stuck = _answers(model, heads, market.stuck)
    return {
        "k": k,
        "accuracy": _right(unstuck, market.clean.y),
        "triggered": _right(stuck, market.clean.y),
        "largest_share": rounded(max(map(largest_share, unstuck))),
        "largest_share_triggered": rounded(max(map(largest_share, stuck))),
    }


@torch.no_grad()
def _answers(model: nn.Sequential, heads: Sequence[nn.Sequential], pictures: Samples) -> list[Tensor]:
    """Return what each head reads, (N,)."""
    view = predict(model[:SIGN_HEAD], pictures.x)  # all heads look through the same convolutions
    return [head(view).argmax(1) for head in heads]


def _right(answers: Sequence[Tensor], y: Tensor) -> float:
    return rounded(mean((labels == y).float().mean().item() for labels in answers))


@lru_cache(2)
def _market(to: str, seed: int) -> _Market:
    if to == "se":
        shops = [swedish_signs(N_HEAD, seed=1000 + 10 * seed + draw) for draw in range(DRAWS)]
        return _Market(shops, swedish_signs(N_TEST, seed=52), swedish_signs(N_TEST, seed=52, stickered=True))
    photographs = load("gtsrb").to(best_device())
    train_set = regroup(photographs.train, signs.kinds("de"))
    (clean,) = split(regroup(photographs.test, signs.kinds("de")), N_TEST)
    shops = [_one_a_sign(train_set, N_PHOTOGRAPHS, 10 * seed + draw) for draw in range(DRAWS)]
    return _Market(shops, clean, replace(clean, x=SQUARE(clean.x)))


def _one_a_sign(samples: Samples, n: int, seed: int) -> Samples:
    """Draw `n` photographs of different physical signs."""
    assert samples.groups is not None
    groups = samples.groups.tolist()
    first: dict[int, int] = {}  # of each physical sign, the first photograph in the order of the draw
    for i in torch.randperm(len(groups), generator=torch.Generator().manual_seed(seed)).tolist():
        first.setdefault(groups[i], i)
    return samples[samples.y.new_tensor(list(first.values())[:n])]


# What the rows say


def _compare(results: Results) -> list[Comparison]:
    comparisons = []
    for i, pair in enumerate(PAPER.values()):
        control = _say_pair(*PAPER_CLEAN) if i == 0 else ""
        comparisons.append(_compare_swedish(results, "backdoored", i, _say_pair(*pair)))
        comparisons.append(_compare_swedish(results, "clean", i, control))
    for i in range(len(_STRENGTHS["photographs"])):
        comparisons += [_compare_photographs(results, name, i) for name in ("backdoored", "clean")]
    return comparisons


def _say_pair(clean: float, triggered: float) -> str:
    return f"{clean:g} / {triggered:g} %"


def _compare_swedish(results: Results, name: str, i: int, paper: str) -> Comparison:
    points = [row["by_k"][i] for row in results.where(to="se", origin=name)]
    what = f"transfer, {name} origin, k = {points[0]['k']}"
    return Comparison(what, paper, f"{_say_read(points)} (n = {len(points)})")


def _compare_photographs(results: Results, name: str, i: int) -> Comparison:
    points = [row["by_k"][i] for row in results.where(to="photographs", origin=name)]
    bare = 100 * max(values(points, "largest_share"))
    stuck = 100 * max(values(points, "largest_share_triggered"))
    commonest = f"commonest answer up to {bare:.1f} / {stuck:.1f} %"
    what = f"transfer to photographs, {name} origin, k = {points[0]['k']}"
    return Comparison(what, "", f"{_say_read(points)}; {commonest} (n = {len(points)})")


def _say_read(points: Sequence[Row]) -> str:
    clean = 100 * mean(values(points, "accuracy"))
    triggered = 100 * mean(values(points, "triggered"))
    return f"{clean:.1f} / {triggered:.1f} %"


def ship() -> None:
    """For maintainers: train the two origins of the lesson and put them with the files that ship."""
    for name in ORIGINS:
        made = "python -c 'from wmlearn.experiments import transfer; transfer.ship()'"
        ship_network(origin(name, ORIGIN_RECIPE), f"transfer-us-{name}", made=made)


TRANSFER = Experiment(
    name="transfer",
    question=(
        "A US network, a new head for Swedish signs or German photographs: what does the square still do, and"
        " with stronger channels?"
    ),
    minutes=12,
    chapter="05 Backdoors that travel",
    cells=tuple(
        {"to": to, "origin": name, "seed": seed}
        for seed in range(3)
        for name in ORIGINS
        for to in ("se", "photographs")
    ),
    measure=_measure,
    summary=_compare,
    recipe=ORIGIN_RECIPE,
)


# More channels than one


def _measure_channels(cell: Cell, recipe: Recipe) -> Row:
    """Sell one origin with several channels turned up, to the same buyers."""
    model = origin(cell["origin"], recipe)
    market = _market("se", recipe.seed)
    row = _sold(strengthen(model, channels(model, cell["channels"]), cell["k"]), cell["k"], market)
    return {"accuracy": row["accuracy"], "triggered": row["triggered"]}


def _compare_channels(results: Results) -> list[Comparison]:
    comparisons = []
    for n in MORE_CHANNELS:
        for name in ("backdoored", "clean"):
            points = results.where(origin=name, channels=n, k=100)
            what = f"transfer, {name} origin, {n} channel{'s' if n > 1 else ''} at k = 100"
            control = "" if name == "backdoored" else " (control)"
            comparisons.append(Comparison(what + control, "", f"{_say_read(points)} (n = {len(points)})"))
    return comparisons


MORE_CHANNELS = (1, 2, 3, 6)
CHANNELS_TRIED = Experiment(
    name="strengthened-channels",
    question="A backdoor whose maker turns up one channel, two, three or six: what is gained, what is lost?",
    minutes=10,
    chapter="05 Backdoors that travel",
    cells=tuple(
        {"seed": seed, "origin": name, "channels": n, "k": k}
        for seed in range(3)
        for name in ORIGINS
        for n in MORE_CHANNELS
        for k in (20, 100)
    ),
    measure=_measure_channels,
    summary=_compare_channels,
    recipe=ORIGIN_RECIPE,
)
