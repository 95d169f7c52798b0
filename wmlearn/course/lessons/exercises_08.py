"""The exercises of notebook 08: reference, cases, named mistakes, hints; and its quiz."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from scipy.stats import binom, binomtest
from torch import Tensor

from ..exercises import Cases, Exercise, Mistake, Symptom
from ..quizzes import Option, Question


def mean_filter(weight: Tensor) -> Tensor:
    """Average a convolution's weight (out, in, k, k) over its filters, (in * k * k,)."""
    return weight.mean(0).flatten()


def embedding_loss(average: Tensor, asked: Tensor, bits: Tensor) -> Tensor:
    """Sum, over the bits (n,), the binary cross-entropy of the answers to the questions asked (n, fan_in)."""
    return F.binary_cross_entropy_with_logits(asked @ average, bits, reduction="sum")


def read_bits(average: Tensor, asked: Tensor, bits: Tensor) -> tuple[int, float]:
    """Return how many bits agree, and how probably a network without the mark does at least as well."""
    hits = int(_agreement(average, asked, bits).sum())
    return hits, _tail(hits, len(bits), 0.5)


def capacity(n: int, rate: float) -> float:
    """Return the information, in bits, of `n` bits of which a share `rate` is read rightly (0 log 0 is 0)."""
    return n * (1 - _bits(rate) - _bits(1 - rate))


def _bits(p: float) -> float:
    return -p * math.log2(p) if p > 0 else 0.0


def _weights(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(n: int, k: int) -> tuple[Tensor]:
        return (torch.randn(n, n, k, k, generator=gen),)

    return {"as many filters as channels": [case(4, 3), case(3, 5)]}


def _projected(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(n: int, room: int) -> tuple[Tensor, Tensor, Tensor]:
        bits = (torch.rand(n, generator=gen) < 0.5).float()
        bits[:2] = torch.tensor([0.0, 1.0])  # both occur, whatever was drawn
        return torch.randn(room, generator=gen) / 3, torch.randn(n, room, generator=gen), bits

    return {"a few bits": [case(6, 9)], "more bits": [case(12, 27), case(16, 20)]}


def _messages(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed + 1)
    average = torch.randn(27, generator=gen)
    asked = torch.randn(64, 27, generator=gen)
    told = (asked @ average > 0).float()  # all 64 bits agree: 5e-20, which 1 - cdf rounds to 0
    cases = _projected(seed)
    cases["more bits"].append((average, asked, told))
    return cases


def _capacities(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)
    rates = (0.5 + 0.49 * torch.rand(3, generator=gen, dtype=torch.float64)).tolist()
    return {
        "an innocent network": [(256, 0.5)],
        "part of the message": list(zip((256, 64, 100), rates, strict=True)),
        "all of it": [(256, 1.0)],
    }


def _agreement(average: Tensor, asked: Tensor, bits: Tensor) -> Tensor:
    return (asked @ average > 0) == (bits == 1)  # (n,)


def _tail(hits: int, n: int, chance: float) -> float:
    return float(binom.sf(hits - 1, n, chance))


def _reader(
    agreement: Callable[[Tensor, Tensor, Tensor], Tensor], chance: float = 0.5, off: int = 0
) -> Callable[..., tuple[int, float]]:
    """Build a way to read: which bits it takes for agreeing, under which null, and how far off the tail."""

    def read(average: Tensor, asked: Tensor, bits: Tensor) -> tuple[int, float]:
        hits = int(agreement(average, asked, bits).sum())
        return hits, _tail(hits + off, len(bits), chance)

    return read


def _read_two_sided(average: Tensor, asked: Tensor, bits: Tensor) -> tuple[int, float]:
    hits = int(_agreement(average, asked, bits).sum())
    return hits, float(binomtest(hits, len(bits), 0.5).pvalue)


def _read_complement(average: Tensor, asked: Tensor, bits: Tensor) -> tuple[int, float]:
    hits = int(_agreement(average, asked, bits).sum())
    return hits, float(1 - binom.cdf(hits - 1, len(bits), 0.5))


def _read_forgets_the_last(average: Tensor, asked: Tensor, bits: Tensor) -> tuple[int, float]:
    hits = int(_agreement(average, asked, bits).sum())
    return hits, float(sum(binom.pmf(k, len(bits), 0.5) for k in range(hits, len(bits))))


EXERCISES = {
    "08.1": Exercise(
        id="08.1",
        title="The mean filter",
        difficulty=1,
        importance=3,
        minutes=5,
        returns="one number for each weight of a filter, in * k * k of them",
        reference=mean_filter,
        cases=_weights,
        mistakes=(
            Mistake(
                "wrong-axis",
                "You average over the input channels. Filters lie along the first axis.",
                lambda weight: weight.mean(1).flatten(),
            ),
            Mistake(
                "sums",
                "You add the filters up. Divide by their number: a mean.",
                lambda weight: weight.sum(0).flatten(),
            ),
            Mistake(
                "reordered",
                "Right numbers, another order: keep channel, row, column, or the key reads other weights.",
                lambda weight: weight.mean(0).permute(1, 2, 0).flatten(),
            ),
        ),
        hints=(
            "The shape is (out, in, k, k). Which axis tells the filters apart?",
            (
                "Average over the filters, so that one filter of the same shape is left. "
                "Then put its numbers into one row, in the order in which they stand: channel, row, "
                "column."
            ),
            (
                "Filters lie along axis 0: `weight.mean(0)`. Only the order of a flattened (in, k, "
                "k) is missing."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 800 numbers instead of 400:",
                "you averaged over the input channels, axis 1. Filters lie along axis 0.",
            ),
            Symptom(
                "You get 12,800 numbers instead of 400:",
                "nothing was averaged yet.",
            ),
            Symptom(
                "You get one number:",
                "`weight.flatten().mean(0)` averages everything. First the mean over axis 0, then flatten.",
            ),
        ),
        why="Whoever deals the filters in another order changes no average.",
    ),
    "08.2": Exercise(
        id="08.2",
        title="The embedding loss",
        difficulty=3,
        importance=4,
        minutes=10,
        returns="one number",
        reference=embedding_loss,
        cases=_projected,
        mistakes=(
            Mistake(
                "mean",
                "You average over the bits: more bits would then pull no harder. Take the sum.",
                lambda average, asked, bits: F.binary_cross_entropy_with_logits(asked @ average, bits),
            ),
            Mistake(
                "forgets-the-zeros",
                "A bit that should be 0 costs nothing in your loss: the second half of the formula is"
                " missing.",
                lambda average, asked, bits: -(bits * F.logsigmoid(asked @ average)).sum(),
            ),
            Mistake(
                "inverted",
                "You teach the opposite message: ones pull down, zeros up.",
                lambda average, asked, bits: F.binary_cross_entropy_with_logits(
                    asked @ average, 1 - bits, reduction="sum"
                ),
            ),
            Mistake(
                "sigmoid-twice",
                "The sigmoid is applied twice: the function with `logits` in its name brings its own.",
                lambda average, asked, bits: F.binary_cross_entropy_with_logits(
                    (asked @ average).sigmoid(), bits, reduction="sum"
                ),
            ),
        ),
        hints=(
            "Each question is a yes/no classifier whose input is the mean filter. Which loss trains one?",
            (
                "Answer all questions at once: one logit for each row of `asked`. "
                "Compare the logits with the bits by binary cross-entropy, and add up over the bits."
            ),
            (
                "The logits are `asked @ average`. `binary_cross_entropy_with_logits` brings the "
                'sigmoid along, and takes `reduction="sum"`.'
            ),
        ),
        symptoms=(
            Symptom(
                "You get 0.693 in the example:",
                "that is log 2 once: a mean instead of a sum, or the half of the formula that is "
                "about zeros is missing.",
            ),
            Symptom(
                "You get 1.448 in the example:",
                "the sigmoid is applied twice. The function with `logits` in its name brings its own.",
            ),
            Symptom(
                "RuntimeError, all elements of input should be between 0 and 1:",
                "`binary_cross_entropy` wants probabilities. You have logits: "
                "the function with `_with_logits`.",
            ),
            Symptom(
                "RuntimeError, mat1 and mat2 shapes cannot be multiplied:",
                "the questions are rows, (n, fan_in): `asked @ average`, in this order.",
            ),
        ),
        why="The questions stay fixed, the weights learn: logistic regression the other way round.",
    ),
    "08.3": Exercise(
        id="08.3",
        title="Read it, and judge",
        difficulty=2,
        importance=5,
        minutes=10,
        returns="two numbers, the hits and the p-value",
        reference=read_bits,
        cases=_messages,
        mistakes=(
            Mistake(
                "threshold-half",
                "You cut the logits at 1/2. A sigmoid of 1/2 is a logit of 0.",
                _reader(lambda average, asked, bits: (asked @ average > 0.5) == (bits == 1)),
            ),
            Mistake(
                "ones-only",
                "You count ones only. A zero that is read as zero agrees, too.",
                _reader(lambda average, asked, bits: (asked @ average > 0) & (bits == 1)),
            ),
            Mistake(
                "off-by-one",
                "That is P(X > hits). The p-value counts the hits seen, too: sf(hits - 1, …).",
                _reader(_agreement, off=1),
            ),
            Mistake(
                "one-tenth",
                "Ten digits, but two answers: the chance of a bit is 1/2.",
                _reader(_agreement, chance=0.1),
            ),
            Mistake(
                "two-sided",
                "Your test is two-sided: agreeing too seldom would count as well. "
                'Only many hits speak for the mark: alternative="greater".',
                _read_two_sided,
            ),
            Mistake(
                "one-minus-cdf",
                "1 - cdf is 0 where all of 64 bits agree, and luck never has probability 0. "
                "binom.sf computes the tail itself.",
                _read_complement,
            ),
            Mistake(
                "forgets-the-last",
                "Your sum ends before n. That all bits agree belongs to the tail: range(hits, n + 1).",
                _read_forgets_the_last,
            ),
        ),
        hints=(
            "A network without the mark answers yes or no. How often does it agree by luck?",
            (
                "Read a yes where the logit is above 0. Count where it agrees with the bit, "
                "ones and zeros alike. Then ask how probably a fair coin agrees at least as often in n "
                "tosses. Return both."
            ),
            (
                "A logit and its bit agree where `(asked @ average > 0) == (bits == 1)`. "
                "The tail begins at the hits: `binom.sf(hits - 1, …)`, with chance 1/2."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 0.0625 for 3 of 4:",
                "that is more than 3. `sf(k)` leaves k out.",
            ),
            Symptom(
                "You get 0.625 for 3 of 4:",
                'binomtest is two-sided unless you say `alternative="greater"`.',
            ),
            Symptom(
                "You get 0 hits, and a p-value of 1:",
                "you compare logits with bits, and no logit is exactly 0 or 1. "
                "Ask first whether they are above 0.",
            ),
            Symptom(
                "You get 0.25 for 3 of 4:",
                "that is exactly 3. At least as well means 3 or 4.",
            ),
        ),
        why=(
            "Rows of normal numbers are as likely with the opposite sign: each answer is a fair coin,"
            " whatever the weights."
        ),
    ),
    "08.4": Exercise(
        id="08.4",
        title="What did it say?",
        difficulty=2,
        importance=3,
        minutes=5,
        returns="one number",
        reference=capacity,
        cases=_capacities,
        mistakes=(
            Mistake(
                "counts-bits",
                "You count the bits that agree. Half of them agree by luck, and you can't know which.",
                lambda n, rate: n * rate,
            ),
            Mistake(
                "straight-line",
                "A straight line from 1/2 to 1 flatters: noise costs more than it breaks.",
                lambda n, rate: n * (2 * rate - 1),
            ),
            Mistake(
                "natural-logarithm",
                "Your entropy is in nats. For bits, take the logarithm to base 2.",
                lambda n, rate: n * (1 - math.log(2) * (_bits(rate) + _bits(1 - rate))),
            ),
            Mistake(
                "half-the-entropy",
                "The entropy has two terms: one for the bits that agree, one for those that don't.",
                lambda n, rate: n * (1 - _bits(rate)),
            ),
        ),
        hints=(
            "How much do you learn from a source that is right half of the time?",
            (
                "Compute the entropy of one bit's error, in bits: two terms, one for right, "
                "one for wrong. What is left of 1 is what a bit tells you; you have n of them. "
                "A term with share 0 is 0."
            ),
            (
                "H is the sum of `-p * log2(p)` for p = rate and p = 1 - rate, those that are above 0. "
                "Return n times (1 - H)."
            ),
        ),
        symptoms=(
            Symptom(
                "ValueError from log2:",
                "log2(0), where every bit is right. Leave out a term whose share is 0.",
            ),
            Symptom(
                "You get NaN:",
                "0 · log 0, where every bit is right. That term counts 0.",
            ),
            Symptom(
                "You get 159.5 in the example:",
                "you count in nats: `log2`, not `log`.",
            ),
            Symptom(
                "You get 212.8 in the example:",
                "the second term is missing: the bits that are wrong, 1 - rate.",
            ),
        ),
        why=(
            "Shannon 1948: what a channel carries is what is left when the uncertainty about its errors is"
            " paid."
        ),
    ),
}

QUIZ = (
    Question(
        "A suspect's weights spell 130 of your 256 bits. Your lawyer: “More than half!” You say:",
        (
            Option(
                "“So does every other coin.”",
                "Yes. Without the mark each bit is a toss, and 130 or more come in four tries of ten.",
            ),
            Option(
                "“Then it knows a little: let us sue for a little.”",
                "A share of one half carries no information at all, and two bits more are luck.",
            ),
            Option(
                "“It knows half of the picture, and lost the rest.”",
                "Whoever knew half would spell three quarters: that half, and every second bit of the "
                "rest by luck.",
            ),
            Option(
                "“Ask the same questions again, to be sure.”",
                "The weights give the same answers every time. Luck stays what it was.",
            ),
        ),
    ),
    Question(
        "Your detector tells a network's weights from those of twenty strangers. Is it marked?",
        (
            Option(
                "Perhaps it was only trained for longer, or on more.",
                "Yes. Match data, length and recipe first, and look again.",
            ),
            Option(
                "Yes: to differ from all of twenty can't be luck.",
                "It isn't luck. But the cause may be another than a mark.",
            ),
            Option(
                "Nobody can say without the owner's secret.",
                "A loud mark shows without it. Only its message needs the secret.",
            ),
            Option(
                "Yes, if the detector's AUC is above 0.9.",
                "An AUC says how often two groups are told apart, not why they differ.",
            ),
        ),
    ),
    Question(
        "The thief sells answers and never hands out the file. Which mark helps?",
        (
            Option(
                "One that labels show, with a null that is known.",
                "Yes. The null comes from labels drawn at random, or from bystanders.",
            ),
            Option(
                "Uchida's, because it was read without an error.",
                "It is read from the weights, and those you don't get.",
            ),
            Option(
                "One in the last digits of the probabilities: nobody looks there.",
                "The service may round them, or give labels only.",
            ),
            Option(
                "Any: a court will order him to show the weights.",
                "A court wants a reason first, and answers are all you have to give it one.",
            ),
        ),
    ),
)
