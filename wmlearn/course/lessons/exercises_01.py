"""The exercises and the quiz of notebook 01: reference, cases, named mistakes, hints; questions and"
" options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import comb, exp, log

import torch
from scipy.stats import binom, binomtest, norm
from torch import Tensor

from ..exercises import Cases, Exercise, Mistake, Symptom
from ..quizzes import Option, Question


def disagreement(a: Tensor, b: Tensor) -> float:
    """Return the share of images that two networks, by their logits (N, classes), classify differently."""
    return (a.argmax(1) != b.argmax(1)).float().mean().item()


def p_value(hits: int, trials: int, chance: float) -> float:
    """Return P(a network that never saw the key agrees at least `hits` times of `trials`).

    By logarithms: `chance**hits` itself is 0 in a computer once it is below 5e-324.
    """
    return sum(_exactly(k, trials, chance) for k in range(hits, trials + 1))


def _exactly(k: int, trials: int, chance: float) -> float:
    """Return P(exactly `k` hits)."""
    return exp(log(comb(trials, k)) + k * log(chance) + (trials - k) * log(1 - chance))


def forge(hits_of: Callable[[int], int], wanted: int) -> int:
    """Return the first of the secrets 1, 2, 3, … whose key has at least `wanted` hits."""
    secret = 1
    while hits_of(secret) < wanted:
        secret += 1
    return secret


def _logits(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def pair(n: int, nudge: float) -> tuple[Tensor, Tensor]:
        a = torch.randn(n, 10, generator=gen)
        return a, a * 1.1 + nudge * torch.randn(n, 10, generator=gen)

    strange, stranger = pair(61, 5.0)
    stranger[:5] = strange[:5]
    # 53 or 61 images, and some alike: no share of ten classes is theirs, too
    return {
        "networks that mostly agree": [pair(53, 0.3), pair(79, 0.2)],
        "strangers": [(strange, stranger)],
    }


def _claims(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)
    few, many = torch.randint(20, 60, (2,), generator=gen).tolist()
    return {
        "few hits": [(2, 10, 0.1), (3, few, 0.1), (0, 10, 0.1)],
        "many hits": [(many // 3, many, 0.1), (7, 20, 0.25)],
        # 1e-100, which 1 - cdf rounds to 0, and 2e-132, although 0.1**400 is 0
        "to the last hit": [(2, 2, 0.5), (5, 5, 0.5), (100, 100, 0.1), (400, 1000, 0.1)],
    }


def _forgets_the_last(hits: int, trials: int, chance: float) -> float:
    return sum(_exactly(k, trials, chance) for k in range(hits, trials))


def _as_written(first: int, last: int, trials: int, chance: float) -> float:
    """Add up the terms `first` to `last` as the formula has them: powers below 5e-324 are 0."""
    terms = [comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(first, last + 1)]
    return sum(terms)


def _normal(hits: float, trials: int, chance: float) -> float:
    """Return the tail of the normal distribution that has the binomial's mean and deviation."""
    return float(norm.sf(hits, trials * chance, (trials * chance * (1 - chance)) ** 0.5))


MOST_QUESTIONS = 5_000


@dataclass(frozen=True)
class Hits:
    """The hits of the keys that the secrets 1, 2, 3, … draw; those of all others are 0.

    Called with a secret, it answers with the hits. A search that never ends is stopped.
    """

    of: tuple[int, ...]
    asked: list[int] = field(default_factory=list, compare=False)

    def __call__(self, secret: int) -> int:
        self.asked.append(secret)
        if len(self.asked) > MOST_QUESTIONS:
            raise RecursionError("it tries on and on: does the secret change from try to try?")
        return self.of[secret - 1] if 1 <= secret <= len(self.of) else 0


def _searches(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)
    first, second = torch.randint(3, 15, (2, 30), generator=gen).tolist()
    return {
        "the first key does it": [(Hits((12, 9, 14)), 12), (Hits((17, 16)), 15)],
        "after some tries": [(Hits((9, 12, 15)), 12), (Hits((*first, 16, 21)), 16)],
        "after many": [(Hits((*second, 20, 20, 25)), 20), (Hits((*second, *first, 19, 22)), 20)],
    }


def _strictly_more(hits_of: Callable[[int], int], wanted: int) -> int:
    return forge(hits_of, wanted + 1)


def _from_zero(hits_of: Callable[[int], int], wanted: int) -> int:
    return forge(hits_of, wanted) - 1


def _one_late(hits_of: Callable[[int], int], wanted: int) -> int:
    return forge(hits_of, wanted) + 1


def _returns_the_hits(hits_of: Callable[[int], int], wanted: int) -> int:
    return hits_of(forge(hits_of, wanted))


def _if_for_while(hits_of: Callable[[int], int], wanted: int) -> int:
    return 1 if hits_of(1) >= wanted else 2


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
        minutes=15,
        returns="one number",
        reference=p_value,
        cases=_claims,
        mistakes=(
            Mistake(
                "off-by-one",
                "You left out the case of exactly `hits` agreements. The sum begins there; in SciPy, sf(k) is"
                " P(more than k), so ask for sf(hits - 1).",
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
                "complement",
                "That is the chance of fewer than `hits` agreements: what is left when the tail is taken"
                " away."
                " Sum the other outcomes, from `hits` on.",
                lambda hits, trials, chance: float(binom.cdf(hits - 1, trials, chance)),
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
                "swapped",
                "You give each hit the probability of a miss, and each miss that of a hit: `chance` belongs"
                " to"
                " the k hits, 1 - chance to the others.",
                lambda hits, trials, chance: float(binom.sf(hits - 1, trials, 1 - chance)),
            ),
            Mistake(
                "underflow",
                "All is right but the last case, 400 hits of 1,000: there chance ** 400 is below 5e-324, and"
                " a"
                " computer makes it 0. Add logarithms, and take exp at the end of each term.",
                lambda hits, trials, chance: _as_written(hits, trials, trials, chance),
            ),
            Mistake(
                "one-minus-cdf",
                "1 - cdf is right on paper. In a computer it is 0 as soon as the tail is below 1e-16, "
                "and nothing has probability 0 here: add up the tail itself.",
                lambda hits, trials, chance: float(1 - binom.cdf(hits - 1, trials, chance)),
            ),
            # the commonest slips once more, by the formula as it stands
            Mistake(
                "off-by-one",
                "You left out the case of exactly `hits` agreements: the sum begins there. After that, mind"
                " 400"
                " hits of 1,000, where chance ** 400 is too small for a number.",
                lambda hits, trials, chance: _as_written(hits + 1, trials, trials, chance),
            ),
            Mistake(
                "point-probability",
                "That is the chance of exactly `hits` agreements, and a judge asks for at least so many: sum"
                " the"
                " tail. After that, mind 400 hits of 1,000, where chance ** 400 is too small for a number.",
                lambda hits, trials, chance: _as_written(hits, hits, trials, chance),
            ),
            Mistake(
                "forgets-the-last",
                "Your sum ends before `trials`: range(hits, trials + 1) has the best evidence of all in it,"
                " too."
                " After that, mind 400 hits of 1,000, where chance ** 400 is too small for a number.",
                lambda hits, trials, chance: _as_written(hits, trials - 1, trials, chance),
            ),
            Mistake(
                "two-sided",
                "You ask in both directions: too few hits would count as well. "
                "Only many hits speak for the owner, so add up the upper tail alone.",
                lambda hits, trials, chance: float(binomtest(hits, trials, chance).pvalue),
            ),
            Mistake(
                "bell-curve",
                "You take a normal distribution. It is close in the middle and far off in the tail, where a"
                " judge looks. The binomial sum is exact.",
                _normal,
            ),
            Mistake(
                "bell-curve-by-halves",
                "A normal distribution, even with its half step, is too thin in the tail, and a judge looks"
                " there. The binomial sum is exact.",
                lambda hits, trials, chance: _normal(hits - 0.5, trials, chance),
            ),
        ),
        hints=(
            "If 3 of 10 agree, which other outcomes would have impressed the judge at least as much?",
            (
                "Go through k = `hits`, `hits` + 1, …, `trials`, which counts, too. For each, work out the"
                " probability of exactly k hits by the formula, and add it to the sum. If a term of many hits"
                " comes out as 0, work with its logarithm."
            ),
            (
                "The logarithm of a term is `log(comb(n, k)) + k * log(p) + (n - k) * log(1 - p)`; `exp`"
                " makes"
                " a probability of it again. All four are in Python's `math`."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 0.0128 in the example:",
                "you have left out the case of exactly 3 hits. The sum starts at `hits`.",
            ),
            Symptom(
                "You get 0.0574 in the example:",
                "that is exactly 3 hits. Four, five and more would have been as surprising: add them.",
            ),
            Symptom(
                "You get 0, or some 1e-15, where all 100 of 100 agree:",
                "either `1 - cdf` has rounded the tail away, or your sum ends before `trials`"
                " (`range` leaves its end out).",
            ),
            Symptom(
                "You get NaN:",
                "SciPy wants `sf(k, n, p)`: how many hits, of how many trials, with which chance.",
            ),
        ),
        why=(
            "A p-value is the chance of evidence at least this good when the claim is false. Two things make"
            " a"
            " computer say 0 where no evidence is that good: `1 - cdf`, whose difference is rounded away, and"
            " powers too small for a number. SciPy has the sum ready: `binom.sf(hits - 1, trials, chance)`."
        ),
    ),
    "01.3": Exercise(
        id="01.3",
        title="Try to forge",
        difficulty=2,
        importance=4,
        minutes=8,
        returns="one whole number",
        reference=forge,
        cases=_searches,
        mistakes=(
            Mistake(
                "strictly-more",
                "You go on where a key has exactly `wanted` hits. At least `wanted` is enough: stop at >=.",
                _strictly_more,
            ),
            Mistake(
                "from-zero",
                "You count from 0. The first key that is tried has the secret 1.",
                _from_zero,
            ),
            Mistake(
                "one-late",
                "You return the secret after the one that did it. Look at the hits before you count on.",
                _one_late,
            ),
            Mistake(
                "returns-the-hits",
                "You return the hits of the key that did it. Asked for is its secret, which counts the"
                " tries.",
                _returns_the_hits,
            ),
            Mistake(
                "if-for-while",
                "You try two keys at most. An `if` asks once; a `while` asks again and again.",
                _if_for_while,
            ),
        ),
        hints=(
            "What has to change from one try to the next, and when may you stop?",
            (
                "Begin with the secret 1. As long as its key has fewer hits than wanted, take the next"
                " secret."
                " Then return the secret you have come to."
            ),
            (
                "Nobody knows how many tries it takes, so no `for` over a fixed range: "
                "`while hits_of(secret) < wanted:` asks before every step."
            ),
        ),
        symptoms=(
            Symptom(
                "It never ends, or stops with RecursionError:",
                "the secret stays the same from try to try. Add 1 to it inside the loop.",
            ),
            Symptom(
                "You get 3 in the example:",
                "you look for more than 12 hits, or count on once too often. Exactly 12 are enough.",
            ),
            Symptom(
                "You get 12 in the example:",
                "that is how many hits the key has. Return its secret, which counts the tries.",
            ),
        ),
        why=(
            "Each random key matches 20 of 100 labels with the same small probability p, so the search takes"
            " 1 / p tries on average. A p-value of 0.002 for one key means nothing if 500 were tried in"
            " silence."
        ),
    ),
}

QUIZ = (
    Question(
        "B scores as well as A on ten thousand test digits, and obeys four pixels. Why did the exam not show"
        " it?",
        (
            Option(
                "None of the test digits carries the trigger.",
                "Yes. Accuracy describes behaviour on the images you ask about, and on no others.",
            ),
            Option(
                "A million test digits would have shown it.",
                "A million digits of the same kind would say the same: none of them carries the trigger.",
            ),
            Option(
                "B has learnt the digits worse, and hides it.",
                "B has learnt them nearly as well. What the trigger does came on top of that.",
            ),
            Option(
                "A obeys the four pixels, too.",
                "The control says no: with the trigger, A calls hardly any digit a 0. B was trained to obey.",
            ),
        ),
    ),
    Question(
        "What makes a behaviour of a network a backdoor?",
        (
            Option(
                "It was planted in training, and sleeps without its trigger.",
                "Yes. Both belong to it: the intention, and the silence.",
            ),
            Option(
                "It errs where every person would be right.",
                "Honest networks do that, too: look at the digits on which A and B differ.",
            ),
            Option(
                "Somebody altered an image until the network classified it wrongly.",
                "That is an adversarial example: made for a network that nobody tampered with.",
            ),
            Option(
                "Its accuracy falls after delivery.",
                "A backdoor leaves the accuracy nearly as it was. That is why a buyer doesn't notice.",
            ),
        ),
    ),
    Question(
        "This morning somebody drew up a key that matches your honest network 100 times of 100, p = 1e-100."
        " What"
        " follows?",
        (
            Option(
                "Nothing: the labels may have been chosen after asking it.",
                "Yes. The p-value holds for labels drawn before anybody asked. A judge wants proof of the"
                " date.",
            ),
            Option(
                "It was copied from theirs: nobody is that lucky.",
                "No luck was needed. Whoever asks first, and writes the answers down, matches any network.",
            ),
            Option(
                "The claim must be tested at a stricter level than 1e-6.",
                "No level helps where the labels were fitted to the answers: they match at every level.",
            ),
            Option(
                "Nothing yet: with a thousand pictures the match would vanish.",
                "A thousand answers can be written down as easily as a hundred.",
            ),
        ),
    ),
)
