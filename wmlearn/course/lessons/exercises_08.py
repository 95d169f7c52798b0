"""The exercises of notebook 08: reference, cases, named mistakes, hints; and its quiz."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..exercises import Cases, Exercise, Mistake, Symptom
from ..quizzes import Option, Question


def mean_filter(weight: Tensor) -> Tensor:
    """Average a convolution's weight (out, in, k, k) over its filters, (in * k * k,)."""
    return weight.mean(0).flatten()


def embedding_loss(average: Tensor, asked: Tensor, bits: Tensor) -> Tensor:
    """Sum, over the bits (n,), the binary cross-entropy of the answers to the questions asked (n, fan_in)."""
    return F.binary_cross_entropy_with_logits(asked @ average, bits, reduction="sum")


def move(
    weight: Tensor, bias: Tensor, following: Tensor, order: Tensor, factor: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Put channel `order[j]`, times `factor[j]` > 0, into place j of a layer (out, in, k, k); let the layer
    behind the ReLU, `following` (next, out, m, m), read it from there, divided.

    Return the new weight, bias and following weight; together they compute the same.
    """
    scale = factor[:, None, None, None]
    return weight[order] * scale, bias[order] * factor, following[:, order] / scale.transpose(0, 1)


def match(original: Tensor, suspect: Tensor) -> tuple[Tensor, Tensor]:
    """Return order and factor, (out,) each, with which `suspect[order]`, times `factor`, looks most like
    `original`, both (out, in, k, k): the assignment of filters with the largest sum of cosines.
    """
    from scipy.optimize import linear_sum_assignment

    ours, theirs = (weight.detach().flatten(1).cpu() for weight in (original, suspect))
    cosines = _cosines(ours, theirs)
    order = torch.as_tensor(linear_sum_assignment(cosines, maximize=True)[1])
    factor = ours.norm(dim=1) / theirs.norm(dim=1)[order]
    return order.to(original.device), factor.to(original.device)


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


# 08.3: channels change places


def _layers(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def pair(n: int, k: int, m: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        weight = torch.randn(n, n, k, k, generator=gen)
        bias = torch.randn(n, generator=gen)
        following = torch.randn(n, n, m, m, generator=gen)
        order = torch.tensor([2, 0, 1, *range(3, n)])  # undone by another order than itself
        factor = 0.5 + 1.5 * torch.rand(n, generator=gen)
        return weight, bias, following, order, factor

    return {"three or four channels": [pair(3, 2, 2), pair(4, 3, 1)], "more": [pair(6, 1, 3), pair(5, 3, 3)]}


Moved = tuple[Tensor, Tensor, Tensor]


def _bias_stays(weight: Tensor, bias: Tensor, following: Tensor, order: Tensor, factor: Tensor) -> Moved:
    moved, _, read = move(weight, bias, following, order, factor)
    return moved, bias, read


def _bias_unscaled(weight: Tensor, bias: Tensor, following: Tensor, order: Tensor, factor: Tensor) -> Moved:
    moved, _, read = move(weight, bias, following, order, factor)
    return moved, bias[order], read


def _next_untouched(weight: Tensor, bias: Tensor, following: Tensor, order: Tensor, factor: Tensor) -> Moved:
    moved, shifted, _ = move(weight, bias, following, order, factor)
    return moved, shifted, following


def _wrong_axis(weight: Tensor, bias: Tensor, following: Tensor, order: Tensor, factor: Tensor) -> Moved:
    moved, shifted, _ = move(weight, bias, following, order, factor)
    return moved, shifted, following[order] / factor[:, None, None, None]


def _undone(weight: Tensor, bias: Tensor, following: Tensor, order: Tensor, factor: Tensor) -> Moved:
    moved, shifted, _ = move(weight, bias, following, order, factor)
    return moved, shifted, following[:, order.argsort()] / factor[:, None, None]


def _multiplied_twice(
    weight: Tensor, bias: Tensor, following: Tensor, order: Tensor, factor: Tensor
) -> Moved:
    moved, shifted, _ = move(weight, bias, following, order, factor)
    return moved, shifted, following[:, order] * factor[:, None, None]


def _order_only(weight: Tensor, bias: Tensor, following: Tensor, order: Tensor, factor: Tensor) -> Moved:
    return move(weight, bias, following, order, torch.ones_like(factor))


def _factors_first(weight: Tensor, bias: Tensor, following: Tensor, order: Tensor, factor: Tensor) -> Moved:
    _, _, read = move(weight, bias, following, order, factor)
    return (weight * factor[:, None, None, None])[order], (bias * factor)[order], read


# 08.4: which is which


def _pairs(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def pair(n: int, noise: float) -> tuple[Tensor, Tensor]:
        original = torch.randn(n, 2, 3, 3, generator=gen)
        shaken = original + noise * torch.randn(n, 2, 3, 3, generator=gen)
        order = torch.tensor([2, 0, 1, *range(3, n)])
        factor = 4 ** (2 * torch.rand(n, generator=gen) - 1)
        return original, shaken[order] * factor[:, None, None, None]

    return {
        "moved and scaled": [pair(4, 0.0), _loud(gen)],
        "trained on since": [pair(8, 0.1)],
        "two filters alike": [_alike(gen)],
    }


def _alike(gen: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return an original and a suspect in which one filter is the most like to two of the original's; yet all
    find their places, by products, too.
    """
    places = torch.tensor([1, 2, 0, 3])
    while True:
        original = torch.randn(4, 2, 3, 3, generator=gen)
        original[1] = original[0] + 0.3 * torch.randn(2, 3, 3, generator=gen)
        suspect = original.clone()
        suspect[1] = original[1] + 1.5 * torch.randn(2, 3, 3, generator=gen)
        pair = original, suspect[places.argsort()]
        twice = not _each_its_best(*pair)[0].equal(places)
        if twice and match(*pair)[0].equal(places) and _by_products(*pair)[0].equal(places):
            return pair


def _loud(gen: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return an original with a long filter and a short one like it, and a suspect where it is the other way
    round.
    """
    original = torch.randn(4, 2, 3, 3, generator=gen)
    original[1] = original[0] + 0.6 * torch.randn(2, 3, 3, generator=gen)
    original[0] *= 8
    suspect = original.clone()
    suspect[0] /= 8
    suspect[1] *= 8
    return original, suspect[[2, 0, 1, 3]]


def _cosines(ours: Tensor, theirs: Tensor) -> Any:
    """Compare filters (out, weights) by their directions: (out, out), the original's by row, for SciPy."""
    return (F.normalize(ours) @ F.normalize(theirs).T).numpy()


def _matcher(
    compare: Callable[[Tensor, Tensor], Any] = _cosines, *, maximize: bool = True
) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Build a way to match filters: what is compared, and whether the most or the least alike are taken."""

    def matched(original: Tensor, suspect: Tensor) -> tuple[Tensor, Tensor]:
        from scipy.optimize import linear_sum_assignment

        ours = original.flatten(1)
        theirs = suspect.flatten(1)
        order = torch.as_tensor(linear_sum_assignment(compare(ours, theirs), maximize=maximize)[1])
        return order, ours.norm(dim=1) / theirs.norm(dim=1)[order]

    return matched


def _other_way(original: Tensor, suspect: Tensor) -> tuple[Tensor, Tensor]:
    order, factor = match(original, suspect)
    return order.argsort(), factor


def _each_its_best(original: Tensor, suspect: Tensor) -> tuple[Tensor, Tensor]:
    ours = original.flatten(1)
    theirs = suspect.flatten(1)
    order = torch.as_tensor(_cosines(ours, theirs)).argmax(1)
    return order, ours.norm(dim=1) / theirs.norm(dim=1)[order]


_by_products = _matcher(lambda ours, theirs: (ours @ theirs.T).numpy())


def _factor_unordered(original: Tensor, suspect: Tensor) -> tuple[Tensor, Tensor]:
    order, _ = match(original, suspect)
    return order, original.flatten(1).norm(dim=1) / suspect.flatten(1).norm(dim=1)


def _factor_inverted(original: Tensor, suspect: Tensor) -> tuple[Tensor, Tensor]:
    order, factor = match(original, suspect)
    return order, 1 / factor


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
        why="The mean forgets the order of the filters that it averages, and only that order.",
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
        title="Channels change places",
        difficulty=4,
        importance=5,
        minutes=15,
        returns="three tensors, the layer's weight and bias and the next layer's weight",
        reference=move,
        cases=_layers,
        mistakes=(
            Mistake(
                "bias-stays",
                "The bias stayed where it was. It belongs to its channel: order and factor go for it, too.",
                _bias_stays,
            ),
            Mistake(
                "bias-unscaled",
                "The bias moved but wasn't multiplied: the channel is f times the old one only with f times "
                "the bias.",
                _bias_unscaled,
            ),
            Mistake(
                "next-untouched",
                "The next layer still reads the old places, so the network computes something else.",
                _next_untouched,
            ),
            Mistake(
                "wrong-axis",
                "You moved the next layer's own filters, axis 0. Its inputs lie along axis 1.",
                _wrong_axis,
            ),
            Mistake(
                "undone",
                "The next layer gets the reverse order. Place j now holds channel order[j], in both layers.",
                _undone,
            ),
            Mistake(
                "multiplied-twice",
                "The next layer multiplies once more. It has to divide by the factor.",
                _multiplied_twice,
            ),
            Mistake(
                "order-only",
                "The order is right, and the answers stay the same. The factors are still missing.",
                _order_only,
            ),
            Mistake(
                "factors-first",
                "You multiply before you reorder: factor[j] belongs to the new place j.",
                _factors_first,
            ),
        ),
        hints=(
            "A channel moves from place 5 to place 0, and is twice as loud. What must change so that nobody "
            "notices?",
            (
                "Three steps. Take the filters in the new order, each times its factor. Do the same to the "
                "bias. Take the next layer's inputs, axis 1, in the same order, each divided by its factor."
            ),
            (
                "Index with the order: `weight[order]` and `following[:, order]`. Give the factor the axes "
                "it lacks: `factor[:, None, None, None]` for axis 0, `factor[:, None, None]` for axis 1."
            ),
        ),
        symptoms=(
            Symptom(
                "RuntimeError, must match the size of tensor:",
                "`weight * factor` lines the factor up with the last axis. "
                "Give it the axes it lacks: `factor[:, None, None, None]`.",
            ),
            Symptom(
                "You get [30, 10, 20] as the bias in the example:",
                "it moved, but wasn't multiplied.",
            ),
            Symptom(
                "You get [6, 1, 2] for the next filter in the example:",
                "it multiplies, too. It has to divide.",
            ),
        ),
        why=(
            "For f > 0, ReLU(f z) = f ReLU(z), and pooling keeps f as well: what one layer multiplies, the "
            "next divides out. Channels have no names, only a place that both layers agree on."
        ),
    ),
    "08.4": Exercise(
        id="08.4",
        title="Which is which?",
        difficulty=4,
        importance=4,
        minutes=15,
        returns="two tensors, the order and the factors",
        reference=match,
        cases=_pairs,
        mistakes=(
            Mistake(
                "least-alike",
                "You pair the least alike: SciPy minimises a cost unless you say maximize=True.",
                _matcher(maximize=False),
            ),
            Mistake(
                "other-way",
                "Your order says where each of the suspect's filters belongs. Wanted: which of them belongs "
                "in place i.",
                _other_way,
            ),
            Mistake(
                "each-its-best",
                "You let every filter take its favourite, so one of the suspect's is taken twice. "
                "An assignment gives each to one.",
                _each_its_best,
            ),
            Mistake(
                "products",
                "You compare products, not cosines: the thief's factors decide. Divide by both norms.",
                _by_products,
            ),
            Mistake(
                "factor-unordered",
                "Order right, factors not: the suspect's norms must stand in the new order, too.",
                _factor_unordered,
            ),
            Mistake(
                "factor-inverted",
                "Your factor is upside down: the suspect's filter, times it, should be as long as the "
                "original's.",
                _factor_inverted,
            ),
        ),
        hints=(
            "How do you recognise a filter that somebody moved and made three times as large?",
            (
                "Flatten each filter to a row. The cosines of the original's rows with the suspect's make a "
                "table. An assignment chooses one entry in each row and column, with the largest sum. "
                "The factor is the quotient of two norms."
            ),
            (
                "With `ours` and `theirs` as rows of norm 1 the table is `ours @ theirs.T`. "
                "`linear_sum_assignment(table, maximize=True)` gives row numbers and column numbers; "
                "the columns are the order."
            ),
        ),
        symptoms=(
            Symptom(
                "You get [2, 0, 1] in the example:",
                "that says where the suspect's filters belong. Wanted: which of them belongs in each place.",
            ),
            Symptom(
                "You get factors [0.25, 1, 2] in the example:",
                "upside down: divide the original's norm by the suspect's.",
            ),
            Symptom(
                "RuntimeError, Can't call numpy():",
                "weights that learn carry a gradient. `detach()` first, `cpu()` for SciPy.",
            ),
        ),
        why=(
            "A factor changes the length of a filter, not its direction; an order changes its place, not the "
            "filter. So directions identify it. H. Kuhn's Hungarian method, 1955, finds the best assignment."
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
        "A thief multiplies a channel by −2 in front of a ReLU; the next layer divides by −2. What happens?",
        (
            Option(
                "The answers change: ReLU cuts off the other half.",
                "Yes. ReLU(f z) = f ReLU(z) needs f > 0; with a minus sign, what passed is cut off, and what "
                "was cut off passes.",
            ),
            Option(
                "Nothing: what one layer multiplies, the next divides out.",
                "So it would be without the ReLU between them, which treats the two signs differently.",
            ),
            Option(
                "Nothing, as long as the bias is multiplied by −2 as well.",
                "The bias must take part, but it can't save a sign that ReLU sees.",
            ),
            Option(
                "The mark survives, because the factor is negative.",
                "It falls as before. What breaks is the network that the thief wanted to keep.",
            ),
        ),
    ),
    Question(
        "You match a suspect's channels to your own network, then read. What must you also measure?",
        (
            Option(
                "What innocent networks spell after the same matching.",
                "Yes. You changed the reading with your own network in hand, so the coins must be tossed "
                "again, matching included.",
            ),
            Option(
                "Nothing: matching changes no answer of the suspect.",
                "No answer changes, but the weights that you read do, and you chose how.",
            ),
            Option(
                "How alike the channels are, in per cent.",
                "That tells you how sure the matching is. Whether it favours your message is another "
                "question.",
            ),
            Option(
                "The accuracy of the suspect after the matching.",
                "It stays what it was: the matched copy computes the same.",
            ),
        ),
    ),
)
