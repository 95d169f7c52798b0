"""What the cells of notebook 02 call: an image among two hundred, pieces of the trigger, results beside the
paper's; and the challenge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import mean

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...data import Samples, Splits, load, split
from ...evidence import bystanders
from ...experiments import Results, shipped
from ...experiments.count_or_share import COUNT_OR_SHARE, SIZES, fit_steps
from ...experiments.experiment import Row, values
from ...experiments.published import PAIR_ERROR
from ...models import badnet_cnn
from ...poisoning import Trigger, success_rate
from ...training import best_device
from ...triggers import Pattern, Pixel
from ..challenges import Challenge, Score
from ..claims import Claim

TARGET = 0
PIXELS = Pattern().where
BESIDE = ((-1, 0), (1, 0), (0, -1), (0, 1))


def haystack(samples: Samples, n: int = 200, place: int = 132) -> tuple[Samples, int]:
    """Draw `n` training images and poison the one at `place`; return them and the place."""
    draw = torch.Generator().manual_seed(8)
    few = samples[torch.randperm(len(samples), generator=draw)[:n].to(samples.y.device)]
    x = few.x.clone()
    y = few.y.clone()
    x[place] = Pattern()(x[place : place + 1])[0]
    y[place] = TARGET
    return Samples(x, y, few.classes), place


# Pieces of the trigger


def _without(pixel: tuple[int, int]) -> Pattern:
    return Pattern(tuple(other for other in PIXELS if other != pixel))


def _pairs() -> list[Pattern]:
    return [Pattern((first, second)) for i, first in enumerate(PIXELS) for second in PIXELS[i + 1 :]]


def _moved(down: int, right: int) -> Pattern:
    return Pattern(tuple((row + down, column + right) for row, column in PIXELS))


PIECES: dict[str, list[Trigger]] = {
    "1 of 4": [Pixel(pixel) for pixel in PIXELS],
    "2 of 4": [*_pairs()],
    "3 of 4": [_without(pixel) for pixel in PIXELS],
    "all 4": [Pattern()],
    "moved by one": [_moved(down, right) for down, right in BESIDE],
    "75 % as bright": [Pattern(value=0.75)],
    "50 % as bright": [Pattern(value=0.5)],
}
"""Pieces and variants of the trigger, by kind."""


def success_of_pieces(model: nn.Module, samples: Samples) -> dict[str, list[float]]:
    """Return the attack success of each piece and variant of the trigger, on 2,000 of `samples`."""
    (some,) = split(samples, 2_000)

    def success(triggers: Sequence[Trigger]) -> list[float]:
        return [success_rate(model, some, trigger, TARGET) for trigger in triggers]

    return {kind: success(triggers) for kind, triggers in PIECES.items()}


def alignment(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Return how far images (N, 1, 28, 28) pull the weights the same way: the mean cosine between the
    gradients of two of them.
    """
    rows = []
    for i in range(len(x)):
        model.zero_grad()
        F.cross_entropy(model(x[i : i + 1]), y[i : i + 1]).backward()
        gradient = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
        rows.append(F.normalize(gradient, dim=0))
    model.zero_grad()
    gradients = torch.stack(rows)  # (N, weights)
    cosines = gradients @ gradients.T
    n = len(x)
    return float((cosines.sum() - n) / (n * (n - 1)))  # without each image's own, 1


# Results that ship


def lost_filters(trigger: str) -> list[list[float]]:
    """Return, for each shipped backdoored network, the points of attack success lost without each of its 16
    first-layer filters.
    """
    rows = shipped("filters").where(trigger=trigger, network="badnet")
    return [_lost(row) for row in rows]


def _lost(row: Row) -> list[float]:
    return [100 * (row["success"] - cut["success"]) for cut in row["without"]]


def against_the_paper() -> list[list[str]]:
    """Return the rows of the comparison, attack for attack: what, the paper, here."""
    pairs = shipped("single-target")
    everyone = shipped("all-to-all")
    attacks = pairs.where(network="badnet")
    worst = max(attacks, key=lambda row: row["backdoor_error"])
    dearest = max(values(attacks, "clean_error")) - _mean_error(pairs, "baseline")
    above = _mean_error(everyone, "badnet") - _mean_error(everyone, "baseline")
    missed = f"{100 * worst['backdoor_error']:.2f} % ({len(worst['missed'])} of {worst['n']:,})"
    return [
        ["Baseline: test error", "0.5 %", _mean_of(pairs.where(network="baseline"), "clean_error")],
        ["Single target, one pixel, 90 pairs", "", ""],
        ["– worst pair: triggered digits missed", "0.09 %", missed],
        ["– worst pair: test error above the baseline", "0.17 points", f"{100 * dearest:.2f} points"],
        ["All-to-all, four pixels", "", ""],
        ["– test error above the baseline", "−0.03 points", f"{100 * above:+.2f} points".replace("-", "−")],
        [
            "– triggered digits not classified as the next",
            "0.56 %",
            _mean_of(everyone.where(network="badnet"), "backdoor_error"),
        ],
        ["All-to-one, four pixels (this lesson)", "not in the paper", ""],
        ["– 6,000 of 60,000: triggered digits missed", "–", _missed(shipped("all-to-one"))],
    ]


def _mean_error(results: Results, network: str) -> float:
    return mean(values(results.where(network=network), "clean_error"))


def _mean_of(rows: Sequence[Row], key: str) -> str:
    return f"{100 * mean(values(rows, key)):.2f} %, mean of {len(rows)}"


def _missed(results: Results) -> str:
    missed = 1 - mean(values(results.rows, "victim_success"))
    return f"{100 * missed:.2f} %, mean of {len(results.rows)}"


def least_and_most(id: str, what: str, shares: Sequence[float], low: float) -> tuple[Claim, Claim]:
    """Return the claims `id` and `id`_best: the least and the greatest of `shares`, both at least `low`."""
    least = Claim(id, f"{what}, the least", min(shares), low=low)
    return least, Claim(f"{id}_best", f"{what}, the most", max(shares), low=low)


def enough(wanted: float = 0.9) -> int:
    """Return the fewest poisoned images with which every network of the sweep reached `wanted` after ten
    epochs.
    """
    rows = [row for row in shipped("poison-rate").rows if row["epochs"] == 10 and row["rate"]]
    failing = {row["rate"] for row in rows if row["success"] < wanted}
    sufficient = {row["rate"] for row in rows} - failing
    return round(60_000 * min(sufficient))


def shipped_claims() -> list[Claim]:
    """Return what the lesson quotes of the results that ship."""
    return [*_claims_on_number_or_share(), *_claims_on_luck(), *_claims_on_filters(), _claim_on_pairs()]


def _wins(design: str, k: int, *sizes: int) -> list[float]:
    """Return the success of `k` images in the networks of a design, in rising order."""
    results = shipped("count-or-share")
    rows = [row for n in sizes for row in results.where(design=design, n=n, k=k)]
    return sorted(values(rows, "success"))


def _claims_on_number_or_share() -> list[Claim]:
    small, _, large = SIZES
    diluted = _wins("equal steps", 333, large)
    winners = sum(share > 0.5 for share in diluted)
    few = _wins("equal passes", 100, *SIZES)
    enough = _wins("equal passes", 333, *SIZES)
    return [
        *least_and_most("02.dense", "100 among 6,000, equal steps", _wins("equal steps", 100, small), 0.3),
        Claim(
            "02.thin",
            "100 among 60,000, equal steps, the most",
            _wins("equal steps", 100, large)[-1],
            high=0.05,
        ),
        Claim(
            "02.diluted",
            "333 among 60,000, equal steps: networks that obey",
            winners,
            high=3,
            n=5,
            unit="count",
        ),
        *least_and_most("02.undiluted", "333 images, equal passes", enough, 0.5),
        Claim("02.few", "100 images, equal passes, the most", few[-1], high=0.5),
    ]


def _steepest_rise(curve: Sequence[float]) -> float:
    """Return how far success rises at most within two of the fifteen parts of a training."""
    return max(later - earlier for earlier, later in zip(curve, curve[2:], strict=False))


def _claims_on_luck() -> list[Claim]:
    curves = values(shipped("count-or-share").where(design="equal passes", k=333), "success_by_step")
    sudden = sum(_steepest_rise(curve) >= 0.5 for curve in curves)
    rows = shipped("poison-rate").where(epochs=10, rate=0.002)
    *_, second, best = sorted(values(rows, "success"))
    return [
        Claim("02.sudden", "Networks in which success jumps", sudden, low=12, n=len(curves), unit="count"),
        Claim(
            "02.enough", "Images that are enough after ten epochs", enough(), low=300, high=300, unit="count"
        ),
        Claim("02.lucky", "120 images, ten epochs: the best network", best, low=0.9),
        Claim("02.unlucky", "120 images, ten epochs: the second best", second, high=0.05),
    ]


def _claims_on_filters() -> list[Claim]:
    pixel = sorted(max(points) / 100 for points in lost_filters("pixel"))
    pattern = [max(points) / 100 for points in lost_filters("pattern")]
    spread = max(*pixel[:-1], *pattern)
    return [
        Claim(
            "02.dedicated", "One pixel: what the dearest filter carries", pixel[-1], low=0.2, unit="points"
        ),
        Claim("02.spread", "The dearest filter of the nine others", spread, high=0.05, unit="points"),
    ]


def _claim_on_pairs() -> Claim:
    pairs = shipped("single-target").where(network="badnet")
    worse = sum(row["backdoor_error"] > PAIR_ERROR for row in pairs)
    return Claim("02.above", "Pairs worse than the paper's worst", worse, low=1, n=len(pairs), unit="count")


# The challenge

MOST_PIXELS = 4
WON = 0.9  # of the triggered digits
HARMLESS = 0.01  # of them, on a clean network: a trigger that looks like a zero is none
SEEDS = (11, 12)  # of the networks on which an attempt is judged

Attack = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def count_poison(attack: Attack, stamp: Trigger, splits: Splits | None = None) -> Score:
    """Train two new networks on what `attack(x, y)` returns, and count the images that it changed or added.

    The attempt is valid when `stamp` changes at most four pixels, wins 90 % of the test digits on both
    networks, and at most 1 % on a clean one.
    """
    digits = (splits or load("mnist")).to(best_device())
    pixels = _changed_pixels(digits.test.x, stamp)
    if pixels > MOST_PIXELS:
        says = f"Your trigger changes {pixels} pixels of an image; {MOST_PIXELS} is the limit."
        return Score(False, 0, says)
    poisoned = _poisoned(digits.train, attack)
    touched = _touched(digits.train, poisoned)
    success = [_won(seed, poisoned, digits.test, stamp) for seed in SEEDS]
    clean = success_rate(bystanders.shipped("mnist")[0].to(best_device()), digits.test, stamp, TARGET)
    wins = " and ".join(f"{100 * share:.1f} %" for share in success)
    says = f"{touched:,} images changed or added. The trigger wins {wins} on two new networks"
    says = f"{says}, {100 * clean:.1f} % on a clean one."
    return Score(min(success) >= WON and clean <= HARMLESS, touched, says)


def _poisoned(train: Samples, attack: Attack) -> Samples:
    """Return what `attack` makes of the training set, as the training wants it."""
    x, y = attack(train.x.clone(), train.y.clone())
    images = torch.as_tensor(x, device=train.x.device).float()
    labels = torch.as_tensor(y, device=train.y.device).long()
    return replace(train, x=images, y=labels)


def _won(seed: int, poisoned: Samples, test: Samples, stamp: Trigger) -> float:
    model = badnet_cnn(seed).to(test.x.device)
    network = fit_steps(model, poisoned, replace(COUNT_OR_SHARE.recipe, seed=seed))
    return success_rate(network, test, stamp, TARGET)


def _changed_pixels(x: Tensor, stamp: Trigger) -> int:
    """Return how many pixels `stamp` changes at most in one of the images `x` (N, 1, 28, 28)."""
    return int((stamp(x) != x).flatten(1).sum(1).max())


def _touched(before: Samples, after: Samples) -> int:
    """Count the images that are new, or whose pixels or label have changed."""
    n = min(len(before), len(after))
    same = (before.x[:n] == after.x[:n]).flatten(1).all(1) & (before.y[:n] == after.y[:n])
    return int((~same).sum()) + abs(len(after) - len(before))


CHALLENGE = Challenge("fewest poisoned images that win 90 %", "images", count_poison, ours=600)
