"""The exercises of notebook 01: reference, cases, named mistakes, hints."""

from __future__ import annotations

import torch
from scipy.stats import binom
from torch import Tensor

from ..exercises import Cases, Exercise, Mistake


def disagreement(a: Tensor, b: Tensor) -> float:
    """Return the share of images that two networks, by their logits (N, classes), read differently."""
    return (a.argmax(1) != b.argmax(1)).float().mean().item()


def p_value(hits: int, trials: int, chance: float) -> float:
    """Return P(a model that never saw the key agrees at least `hits` times of `trials`)."""
    return float(binom.sf(hits - 1, trials, chance))


def _logits(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def pair(n: int, nudge: float) -> tuple[Tensor, Tensor]:
        a = torch.randn(n, 10, generator=gen)
        return a, a * 1.1 + nudge * torch.randn(n, 10, generator=gen)

    return {"networks that mostly agree": [pair(50, 0.3), pair(80, 0.2)], "strangers": [pair(60, 5.0)]}


def _claims(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)
    few, many = torch.randint(20, 60, (2,), generator=gen).tolist()
    return {
        "few hits": [(2, 10, 0.1), (3, few, 0.1), (0, 10, 0.1)],
        "many hits": [(many // 2, many, 0.1), (7, 20, 0.25), (10, 10, 0.1)],
    }


EXERCISES = {
    "01.1": Exercise(
        id="01.1",
        title="Where two networks differ",
        difficulty=1,
        importance=3,
        minutes=5,
        returns="one number",
        reference=disagreement,
        cases=_logits,
        mistakes=(
            Mistake(
                "agreement",
                "That is the share on which they agree. The question is how often they differ.",
                lambda a, b: (a.argmax(1) == b.argmax(1)).float().mean().item(),
            ),
            Mistake(
                "compares-logits",
                "You compare the raw scores, and two networks hardly ever give the same ones. Compare the"
                " classes they choose: argmax(1).",
                lambda a, b: (a != b).float().mean().item(),
            ),
            Mistake(
                "wrong-axis",
                "argmax(0) looks for the best image of each class. You want the best class of each image:"
                " argmax(1).",
                lambda a, b: (a.argmax(0) != b.argmax(0)).float().mean().item(),
            ),
            Mistake(
                "count",
                "That is the number of images; divide by how many there are.",
                lambda a, b: (a.argmax(1) != b.argmax(1)).sum().item(),
            ),
        ),
        hints=(
            "A network's answer is its highest score. Along which axis of (N, 10) do the classes lie?",
            "Take argmax(1) of both. Compare them with !=. Return the mean of that as a float.",
        ),
        why=(
            "Accuracy compares a network with the truth; disagreement compares two networks with each other,"
            " and needs no labels at all."
        ),
    ),
    "01.2": Exercise(
        id="01.2",
        title="How surprising is a match?",
        difficulty=3,
        importance=5,
        minutes=10,
        returns="one number",
        reference=p_value,
        cases=_claims,
        mistakes=(
            Mistake(
                "off-by-one",
                "You left out the case of exactly `hits` agreements: binom.sf(k) is P(more than k), so ask"
                " for sf(hits - 1).",
                lambda hits, trials, chance: float(binom.sf(hits, trials, chance)),
            ),
            Mistake(
                "point-probability",
                "That is the chance of exactly `hits` agreements. A judge asks for at least so many: sum the"
                " tail.",
                lambda hits, trials, chance: float(binom.pmf(hits, trials, chance)),
            ),
            Mistake(
                "lower-tail",
                "That is the chance of so few agreements or fewer. Surprise lies at the other end.",
                lambda hits, trials, chance: float(binom.cdf(hits, trials, chance)),
            ),
            Mistake(
                "only-the-hits",
                "chance ** hits forgets that the misses could have been anywhere: it is right only when every"
                " trial is a hit.",
                lambda hits, trials, chance: float(chance**hits),
            ),
        ),
        hints=(
            "If 3 of 10 agree, which other outcomes would have impressed the judge at least as much?",
            (
                "The number of agreements is Bin(trials, chance). scipy.stats.binom.sf(k, n, p) is P(X > k);"
                " you want P(X >= hits)."
            ),
        ),
        why=(
            "A p-value is the chance of evidence at least this good when the claim is false. Public libraries"
            " have got the tail wrong."
        ),
    ),
}
