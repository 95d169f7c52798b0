"""The exercises of notebook 01: reference, cases, named mistakes, hints."""

from __future__ import annotations

import torch
from scipy.stats import binom, binomtest
from torch import Tensor

from ..exercises import Cases, Exercise, Mistake, Symptom


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
    all_of_them = [(2, 2, 0.5), (5, 5, 0.5), (100, 100, 0.1)]  # the last: 1e-100, which 1 - cdf rounds to 0
    return {
        "few hits": [(2, 10, 0.1), (3, few, 0.1), (0, 10, 0.1)],
        "many hits": [(many // 3, many, 0.1), (7, 20, 0.25), (10, 10, 0.1), *all_of_them],
    }


def _forgets_the_last(hits: int, trials: int, chance: float) -> float:
    return float(sum(binom.pmf(k, trials, chance) for k in range(hits, trials)))


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
            (
                "Turn each row of scores into the class that it chooses, for both networks. "
                "Compare the two lists, image by image, and take the mean of the differences."
            ),
            (
                "`a.argmax(1) != b.argmax(1)` is True where they differ. A mean needs numbers: "
                "`.float().mean()`."
            ),
        ),
        symptoms=(
            Symptom(
                "RuntimeError, mean(): could not infer output dtype:",
                "True and False have no mean in PyTorch: `.float()` first.",
            ),
            Symptom(
                "You get 1, or nearly:",
                "you compare the raw scores, and hardly two of them are equal. "
                "Compare the classes chosen: `argmax(1)`.",
            ),
            Symptom(
                "You get 0.75 in the example:",
                "that is how often they agree. The question is how often they differ: `!=`.",
            ),
            Symptom(
                "You get a whole number:",
                "you have counted the images that differ. Divide by the number of images.",
            ),
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
            Mistake(
                "forgets-the-last",
                "Your sum ends before `trials`. That all agree is the best evidence of all, "
                "and belongs to the tail: range(hits, trials + 1).",
                _forgets_the_last,
            ),
            Mistake(
                "one-minus-cdf",
                "1 - cdf is right on paper. In a computer it is 0 as soon as the tail is below 1e-16, "
                "and nothing has probability 0 here: take binom.sf.",
                lambda hits, trials, chance: float(1 - binom.cdf(hits - 1, trials, chance)),
            ),
            Mistake(
                "two-sided",
                "You ask in both directions: too few hits would count as well. "
                "Only many hits speak for the owner, so add up the upper tail alone.",
                lambda hits, trials, chance: float(binomtest(hits, trials, chance).pvalue),
            ),
        ),
        hints=(
            "If 3 of 10 agree, which other outcomes would have impressed the judge at least as much?",
            (
                "The number of hits of a network that never saw the key is binomial, Bin(trials, "
                "chance). Add up the probabilities of `hits`, of one more, and so on, up to `trials`, "
                "which counts, too. SciPy has a function for such a tail."
            ),
            (
                "`binom.sf(k, trials, chance)` is P(X > k), without k itself. "
                "At least `hits` is more than `hits - 1`."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 0.0128 in the example:",
                "you have left out the case of exactly 3 hits. `sf(k)` is P(more than k).",
            ),
            Symptom(
                "You get 0.0574 in the example:",
                "that is exactly 3 hits. Four, five and more would have been as surprising: add them.",
            ),
            Symptom(
                "You get 0, or some 1e-15, where all 100 of 100 agree:",
                "either `1 - cdf` has rounded the tail away (take `sf`), "
                "or your sum ends before `trials` (`range` leaves its end out).",
            ),
            Symptom(
                "You get NaN:",
                "SciPy wants `sf(k, n, p)`: how many hits, of how many trials, with which chance.",
            ),
        ),
        why=(
            "A p-value is the chance of evidence at least this good when the claim is false. "
            "Public libraries have got the tail wrong. And `1 - cdf` gives 0 for 100 of 100, "
            "where `sf` gives 1e-100: no evidence is that good."
        ),
    ),
}
