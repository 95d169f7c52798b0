"""The exercises of notebook 09: reference, cases, named mistakes, hints; and its quiz."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from ..exercises import Cases, Exercise, Mistake, Symptom
from ..quizzes import Option, Question

Teach = Callable[[nn.Module, nn.Module, list[Tensor], float, Optimizer], object]
"""Distillation, as the learner writes it."""


def prune(weight: Tensor, ratio: float) -> Tensor:
    """Return a new weight: the smallest share `ratio` of its numbers, sign aside, is zero."""
    return _cut(weight, weight.abs().flatten().argsort(), ratio)


def distil(
    teacher: nn.Module, student: nn.Module, batches: list[Tensor], temperature: float, optimiser: Optimizer
) -> None:
    """Teach `student`, in place, what `teacher` answers to each batch of images (B, C, H, W), both softened.

    Hinton and others 2015, section 2.
    """
    for x in batches:
        with torch.no_grad():
            wanted = (teacher(x) / temperature).softmax(1)  # (B, classes)
        said = (student(x) / temperature).log_softmax(1)
        loss = temperature**2 * F.kl_div(said, wanted, reduction="batchmean")
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def left(p: float, hits: int, control: int, n: int) -> int:
    """Return what an attack left of a mark, 0 believed, 1 worn or 2 gone: by the owner's p-value, the hits of
    n triggers, and those in an unmarked network after the same attack.
    """
    from scipy.stats import fisher_exact

    if p <= 0.001:
        return 0
    table = [[hits, n - hits], [control, n - control]]
    different: Any = fisher_exact(table, alternative="greater")
    return 1 if different.pvalue <= 0.05 else 2


def _cut(weight: Tensor, order: Tensor, ratio: float) -> Tensor:
    """Put zero at the first share `ratio` of the places in `order`, which number the flattened weight."""
    places = order[: int(ratio * weight.numel())]
    return weight.flatten().index_fill(0, places, 0).view(weight.shape)


def _weights(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(*shape: int, ratio: float) -> tuple[Tensor, float]:
        one_a_row = (shape[0], *[1] * (len(shape) - 1))
        loudness = 0.5 + torch.rand(one_a_row, generator=gen) * 3  # so that ranking by row is another cut
        return torch.randn(*shape, generator=gen) * loudness + 0.2, ratio

    return {
        "linear layers": [case(6, 10, ratio=0.5), case(4, 9, ratio=0.7), case(2, 5, ratio=0.25)],
        "convolutions": [case(5, 2, 3, 3, ratio=0.3), case(3, 4, 2, 2, ratio=0.0)],
    }


def _lessons(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(i: int, temperature: float) -> tuple[int, Tensor, float]:
        return i, torch.rand(4, 8, 1, 3, 4, generator=gen), temperature  # four batches of eight images

    return {
        "hardly softened": [case(0, 1.5), case(1, 1.5)],
        "softened a lot": [case(2, 4.0), case(3, 6.0)],
    }


def _taught(teach: Teach, seed: int, batches: Tensor, temperature: float) -> Tensor:
    """Let `teach` teach a small student; return the teacher's weights, then the student's, in one row."""
    draw = torch.Generator().manual_seed(100 + seed)
    teacher, student = (_small(draw) for _ in range(2))
    optimiser = SGD(student.parameters(), lr=0.1)
    teach(teacher, student, list(batches), temperature, optimiser)
    return torch.cat([nn.utils.parameters_to_vector(network.parameters()) for network in (teacher, student)])


def _small(draw: torch.Generator) -> nn.Module:
    network = nn.Sequential(nn.Flatten(), nn.utils.skip_init(nn.Linear, 12, 4))
    for weights in network.parameters():
        nn.init.normal_(weights, generator=draw)
    return network


def _bad_lesson(
    *,
    soft_teacher: bool = True,
    soft_student: bool = True,
    factor: Callable[[float], float] = lambda temperature: temperature**2,
    loss: Callable[[Tensor, Tensor], Tensor] = lambda said, wanted: F.kl_div(
        said.log_softmax(1), wanted.softmax(1), reduction="batchmean"
    ),
    clear: bool = True,
    first_only: bool = False,
    every: bool = True,
) -> Teach:
    """Return a lesson that goes wrong in one way; `loss` is given softened answers, student's first."""

    def teach(
        teacher: nn.Module,
        student: nn.Module,
        batches: list[Tensor],
        temperature: float,
        optimiser: Optimizer,
    ) -> None:
        for x in batches[:1] if first_only else batches:
            wanted = teacher(x).detach() / (temperature if soft_teacher else 1)
            said = student(x) / (temperature if soft_student else 1)
            if clear:
                optimiser.zero_grad()
            (factor(temperature) * loss(said, wanted)).backward()
            if every:
                optimiser.step()

    return teach


def _hard(said: Tensor, wanted: Tensor) -> Tensor:
    return F.cross_entropy(said, wanted.argmax(1))


def _turned(said: Tensor, wanted: Tensor) -> Tensor:
    return F.kl_div(wanted.log_softmax(1), said.softmax(1), reduction="batchmean")


def _without_log(said: Tensor, wanted: Tensor) -> Tensor:
    return F.kl_div(said.softmax(1), wanted.softmax(1), reduction="batchmean")


def _mean_over_classes(said: Tensor, wanted: Tensor) -> Tensor:
    return F.kl_div(said.log_softmax(1), wanted.softmax(1), reduction="none").mean()


def _summed(said: Tensor, wanted: Tensor) -> Tensor:
    return F.kl_div(said.log_softmax(1), wanted.softmax(1), reduction="sum")


def _logits(said: Tensor, wanted: Tensor) -> Tensor:
    return F.mse_loss(said, wanted)


def _rows(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)
    small = float(10.0 ** -(4 + 20 * torch.rand(1, generator=gen)))
    large = float(0.01 + 0.9 * torch.rand(1, generator=gen))
    few = int(torch.randint(5, 12, (1,), generator=gen))
    return {
        "rows that a judge believes": [(small, 90, few, 100), (0.001, 30, few, 100), (small, 40, 40, 100)],
        "rows that he doesn't": [
            (large, few + 20, few, 100),
            (large, few + 1, few, 100),
            (large, 60, 60, 500),
            (large, 85, 50, 500),
            (0.002, 20, 10, 100),
            (large, 2, 12, 100),
        ],
    }


def _scaled(weight: Tensor, ratio: float) -> Tensor:
    return weight * (weight.abs() >= ratio * weight.abs().max())


def _by_row(weight: Tensor, ratio: float) -> Tensor:
    return torch.stack([prune(row, ratio) for row in weight])


def _told(
    *,
    line: float = 0.001,
    believes: Callable[[float, float], bool] = lambda p, line: p <= line,
    alternative: str = "greater",
    level: float = 0.05,
) -> Callable[[float, int, int, int], int]:
    """Return a verdict that goes wrong in one way."""
    from scipy.stats import fisher_exact

    def verdict(p: float, hits: int, control: int, n: int) -> int:
        if believes(p, line):
            return 0
        different: Any = fisher_exact([[hits, n - hits], [control, n - control]], alternative=alternative)
        return 1 if different.pvalue <= level else 2

    return verdict


def _any_more(p: float, hits: int, control: int, n: int) -> int:
    if p <= 0.001:
        return 0
    return 1 if hits > control else 2


EXERCISES = {
    "09.1": Exercise(
        id="09.1",
        title="Cut the small weights",
        difficulty=2,
        importance=3,
        minutes=8,
        returns="the new weight, of the same shape",
        reference=prune,
        cases=_weights,
        mistakes=(
            Mistake(
                "forgets-the-sign",
                "You cut the most negative weights. A weight of -3 does much, one of 0.01 little: compare"
                " absolute values.",
                lambda weight, ratio: _cut(weight, weight.flatten().argsort(), ratio),
            ),
            Mistake(
                "keeps-the-small",
                "You cut the largest weights, and keep the small ones: sort the other way.",
                lambda weight, ratio: _cut(weight, weight.abs().flatten().argsort(descending=True), ratio),
            ),
            Mistake(
                "share-of-the-largest",
                "You cut what is below a share of the largest weight. The ratio is a share of their number:"
                " count, don't scale.",
                _scaled,
            ),
            Mistake(
                "row-by-row",
                "You cut the same share of every row. A quiet row may lose more than a loud one: rank the"
                " whole layer at once.",
                _by_row,
            ),
            Mistake(
                "quantile",
                "Your threshold is a quantile, and cuts one weight too many in some layers. "
                "Cut exactly int(ratio * n) of them: sort, and count.",
                lambda weight, ratio: weight * (weight.abs() >= weight.abs().quantile(ratio)),
            ),
            Mistake(
                "up-to-the-quantile",
                "Your threshold is a quantile, and with <= a weight goes even at ratio 0. "
                "Cut exactly int(ratio * n) of them: sort, and count.",
                lambda weight, ratio: weight * (weight.abs() > weight.abs().quantile(ratio)),
            ),
        ),
        hints=(
            (
                "Half of the weights shall go. How many is that, and which are the first to go when "
                "all are sorted by size, sign aside?"
            ),
            (
                "Flatten the layer and sort the places by absolute value, smallest first. "
                "Put zero at exactly the first int(ratio · n) of them, in a copy, "
                "and give it the old shape back."
            ),
            (
                "The places that go are "
                "`weight.abs().flatten().argsort()[: int(ratio * weight.numel())]`. "
                "They count in the flattened weight."
            ),
        ),
        symptoms=(
            Symptom(
                "IndexError, index 3 is out of bounds for dimension 0 with size 2:",
                "the places count in the flattened weight. Flatten it, cut, then `.view(weight.shape)`.",
            ),
            Symptom(
                "TypeError, slice indices must be integers:",
                "`ratio * n` is no whole number: `int(ratio * n)`.",
            ),
            Symptom(
                "You get [[3, 0], [0, 0.5]] in the example:",
                "-2 was taken for the smallest. Compare absolute values.",
            ),
            Symptom(
                "One weight too many is cut:",
                "a quantile lies between two weights, and not always where int(ratio · n) cuts. Sort, "
                "and count.",
            ),
        ),
        why=(
            "A small weight hardly moves any answer. That holds for digits and for marks alike, and there"
            " lies the weakness of the attack."
        ),
    ),
    "09.2": Exercise(
        id="09.2",
        title="Distil a network",
        difficulty=4,
        importance=5,
        minutes=15,
        returns="nothing: the student changes in place",
        reference=distil,
        cases=_lessons,
        probe=_taught,
        mistakes=(
            Mistake(
                "hard-labels",
                "Your student learns the teacher's first choice only. That is extraction by labels; "
                "distillation teaches all ten probabilities.",
                _bad_lesson(loss=_hard),
            ),
            Mistake(
                "student-not-softened",
                "You soften the teacher's answers, not the student's. Divide both by the temperature.",
                _bad_lesson(soft_student=False),
            ),
            Mistake(
                "teacher-not-softened",
                "You soften the student's answers, not the teacher's. Divide both by the temperature.",
                _bad_lesson(soft_teacher=False),
            ),
            Mistake(
                "forgets-the-square",
                "You forget the factor T². Softening divides the slopes by T²: multiply the loss by it.",
                _bad_lesson(factor=lambda temperature: 1.0),
            ),
            Mistake(
                "only-the-temperature",
                "Your factor is T. Softening divides the slopes by T twice, once for each network: T².",
                _bad_lesson(factor=lambda temperature: temperature),
            ),
            Mistake(
                "turned-round",
                "You turned the divergence round. `F.kl_div` takes the student's log-probabilities first, "
                "then the teacher's probabilities.",
                _bad_lesson(loss=_turned),
            ),
            Mistake(
                "forgets-the-logarithm",
                "You give `F.kl_div` the student's probabilities. It wants their logarithms: `log_softmax`.",
                _bad_lesson(loss=_without_log),
            ),
            Mistake(
                "mean-over-classes",
                "Your mean is over images and classes, so that the loss is a tenth of what it should be. "
                'Sum over the classes: reduction="batchmean".',
                _bad_lesson(loss=_mean_over_classes),
            ),
            Mistake(
                "sums",
                'Your loss grows with the batch: `reduction="sum"`. Use "batchmean".',
                _bad_lesson(loss=_summed),
            ),
            Mistake(
                "logits",
                "You compare logits. Compare what a softmax makes of them, softened by the temperature.",
                _bad_lesson(loss=_logits),
            ),
            Mistake(
                "forgets-zero-grad",
                "Your slopes add up from batch to batch: `optimiser.zero_grad()` before `backward()`.",
                _bad_lesson(clear=False),
            ),
            Mistake(
                "one-batch",
                "Your student sees the first batch only. Look for a `return` inside the loop.",
                _bad_lesson(first_only=True),
            ),
            Mistake(
                "stands-still",
                "Your student hasn't moved: `optimiser.step()` after `backward()`, for every batch.",
                _bad_lesson(every=False),
            ),
        ),
        hints=(
            (
                "A training step compares what a network says with what it should say. Who says here what "
                "it should say, and in what form?"
            ),
            (
                "For each batch: ask the teacher, without slopes, divide by T, take the softmax. Ask the "
                "student, divide by T, take the log_softmax. The loss is T² times the divergence of the "
                "two, a mean over the images. Then the three lines of every training step."
            ),
            (
                'The loss is `temperature**2 * F.kl_div(said, wanted, reduction="batchmean")`, with '
                "`said` from `log_softmax(1)` and `wanted` from `softmax(1)`."
            ),
        ),
        symptoms=(
            Symptom(
                "The loss falls below 0:",
                "`F.kl_div` was given probabilities where it wants their logarithms. First the student's "
                "`log_softmax`, then the teacher's `softmax`.",
            ),
            Symptom(
                "RuntimeError, element 0 of tensors does not require grad:",
                "the student was asked inside `torch.no_grad()`, too. Only the teacher belongs there.",
            ),
            Symptom(
                "The check says that the student hasn't moved:",
                "`backward()` only computes slopes. `optimiser.step()` moves the weights.",
            ),
        ),
        why=(
            "The teacher's probabilities say how much each digit looks like each other one, and nothing of "
            "pictures that it is never asked about. So the task is copied, and the mark isn't."
        ),
    ),
    "09.3": Exercise(
        id="09.3",
        title="Gone, worn or believed?",
        difficulty=3,
        importance=5,
        minutes=10,
        returns="0, 1 or 2",
        reference=left,
        cases=_rows,
        mistakes=(
            Mistake(
                "not-believed-is-gone",
                "You call every mark gone that isn't believed. One that still hits more than the unmarked "
                "network is worn: a larger key would find it.",
                lambda p, hits, control, n: 0 if p <= 0.001 else 2,
            ),
            Mistake(
                "any-more-is-worn",
                "You call a mark worn for one hit more than the control. Luck does that: ask Fisher's test.",
                _any_more,
            ),
            Mistake(
                "two-sided",
                "Your test has two sides. A mark that hits *less* than the control isn't worn: "
                'alternative="greater".',
                _told(alternative="two-sided"),
            ),
            Mistake(
                "other-side",
                "Your test asks whether the marked network hits less. Its row comes first, with "
                'alternative="greater".',
                _told(alternative="less"),
            ),
            Mistake(
                "one-level",
                "You compare the test with the control with 0.001. That is the judge's level; here 0.05 "
                "was asked for.",
                _told(level=0.001),
            ),
            Mistake(
                "believes-too-much",
                "You believe the owner at 0.05. The judge's level is 0.001.",
                _told(line=0.05),
            ),
            Mistake(
                "turned-round",
                "You believe the owner where the p-value is large. Small means: no innocent network would"
                " agree this often.",
                _told(believes=lambda p, line: p > line),
            ),
        ),
        hints=(
            (
                "Two questions: does the judge believe the owner? If not: does the key hit more often than "
                "in a network that never had a mark?"
            ),
            (
                "First compare p with 0.001. For the second question write a table of two rows, marked and "
                "unmarked, and two columns, hits and misses, and let Fisher's exact test say how often luck "
                "alone would put so many hits in the first row."
            ),
            (
                '`fisher_exact([[hits, n - hits], [control, n - control]], alternative="greater").pvalue` '
                "is at most 0.05 where the mark is worn."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 2 in the example:",
                "with two sides, or with 0.001 as level, 19 hits beside 9 aren't enough. One side, 0.05.",
            ),
            Symptom(
                "You get 0 in the example:",
                "0.005 is more than 0.001: the judge isn't convinced.",
            ),
            Symptom(
                "The check says that your function returns None:",
                "one way through your questions ends without `return`.",
            ),
        ),
        why=(
            "Not believed is not removed. What a test still finds, a larger key finds beyond doubt; only what"
            " can't be told from an unmarked network is gone."
        ),
    ),
}

QUIZ = (
    Question(
        "An owner: “Our mark survived all the fine-tuning that we tried.” What do you ask?",
        (
            Option(
                "“And an attack that knows how the mark works?”",
                "Yes. Uchida's mark outlived all further training here, and fell with the mean filter.",
            ),
            Option(
                "“For how many epochs, and at what learning rate?”",
                "A large rate matters for some marks. It is still one kind of attack, by someone who "
                "knows nothing of the mark.",
            ),
            Option(
                "“On how many images of the thief's own?”",
                "More images make the same kind of attack stronger. They don't make it another kind.",
            ),
            Option(
                "“Nothing: fine-tuning is what thieves do.”",
                "Thieves do what works. Distilling, for one, is no fine-tuning.",
            ),
        ),
    ),
    Question(
        "A thief washes every mark off a network, and its accuracy falls from 99.3 % to 98.4 %. He "
        "also owns 6,000 labelled digits. Was the theft worth it?",
        (
            Option(
                "Only if the digits alone would give him less.",
                "Yes. What he steals has to beat what he could train without stealing.",
            ),
            Option(
                "Yes: more than nine tenths of the accuracy are left.",
                "That rule sorts out ruins. A network may pass it and be no better than one of his own.",
            ),
            Option(
                "Yes: the owner can't prove anything any more.",
                "That makes it safe. Whether it was worth anything is another question.",
            ),
            Option(
                "No: he has paid almost a whole point of accuracy.",
                "A price is high or low beside what else could be had for it.",
            ),
        ),
    ),
    Question(
        "A service answers your key's odd pictures at random. Your claim fails. What do you conclude?",
        (
            Option(
                "The mark may only be hidden.",
                "Yes. The network behind the guard may still know it: ask for the weights, or mark "
                "with ordinary pictures.",
            ),
            Option(
                "The mark has been removed, so the case is closed.",
                "A guard changes no weight. Evasion hides a mark; removal ends it.",
            ),
            Option(
                "The service is guilty, for why else would it dodge?",
                "Innocent services may refuse odd queries, too. A failed claim proves neither guilt "
                "nor innocence.",
            ),
            Option(
                "Nothing was ever marked, since p is large.",
                "A large p means that nothing was shown. It doesn't mean that nothing is there.",
            ),
        ),
    ),
)
