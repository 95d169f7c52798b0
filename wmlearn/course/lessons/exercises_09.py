"""The exercises of notebook 09: reference, cases, named mistakes, hints; and its quiz."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..exercises import Cases, Exercise, Mistake, Symptom
from ..quizzes import Option, Question


def prune(weight: Tensor, ratio: float) -> Tensor:
    """Return a new weight: the smallest share `ratio` of its numbers, sign aside, is zero."""
    return _cut(weight, weight.abs().flatten().argsort(), ratio)


def sleepiest(heard: Tensor, ratio: float) -> Tensor:
    """Return the numbers of the share `ratio` of channels that answer least, the sleepiest first; `heard` is
    (N, C, H, W).
    """
    answer = heard.mean((0, 2, 3))  # (C,)
    return answer.argsort()[: int(ratio * len(answer))]


def decide(before: float, after: float, p_before: float, p_after: float) -> int:
    """Return 0 void, 1 destroyed, 2 believed or 3 not, by accuracy and p-value before and after an attack."""
    if p_before >= 0.001:
        return 0
    if after < 0.9 * before:
        return 1
    return 2 if p_after < 0.001 else 3


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


def _activations(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(channels: int, ratio: float) -> tuple[Tensor, float]:
        # a channel may speak rarely, and loudly
        loudness = torch.rand(channels, 1, 1, generator=gen) * 3
        frequency = torch.rand(channels, 1, 1, generator=gen) ** 2
        speaks = torch.rand(6, channels, 3, 3, generator=gen) < 0.1 + 0.9 * frequency
        return torch.rand(6, channels, 3, 3, generator=gen) * loudness * speaks, ratio

    return {"some channels": [case(8, 0.5), case(10, 0.25)], "most of them": [case(8, 0.9), case(12, 0.8)]}


def _rows(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)
    small = float(10.0 ** -(4 + 20 * torch.rand(1, generator=gen)))
    large = float(0.01 + 0.9 * torch.rand(1, generator=gen))
    return {
        "rows that count": [
            (0.99, 0.98, small, small),
            (0.99, 0.97, small, large),
            (0.88, 0.85, small, small),
            (0.8, 0.75, small, large),
        ],
        "rows that don't": [
            (0.99, 0.5, small, large),
            (0.6, 0.53, small, small),
            (0.99, 0.98, large, large),
            (0.99, 0.4, large, large),
        ],
    }


def _scaled(weight: Tensor, ratio: float) -> Tensor:
    return weight * (weight.abs() >= ratio * weight.abs().max())


def _by_row(weight: Tensor, ratio: float) -> Tensor:
    return torch.stack([prune(row, ratio) for row in weight])


def _first(heard: Tensor, ratio: float, rank: Callable[[Tensor], Tensor]) -> Tensor:
    return rank(heard).argsort()[: int(ratio * heard.shape[1])]


def _decide(counts: bool, destroyed: bool, p_after: float) -> int:
    if not counts:
        return 0
    if destroyed:
        return 1
    return 2 if p_after < 0.001 else 3


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
        title="Pick the sleepers",
        difficulty=2,
        importance=4,
        minutes=8,
        returns="channel numbers, the sleepiest first",
        reference=sleepiest,
        cases=_activations,
        mistakes=(
            Mistake(
                "loudest",
                "These are the channels that your digits need most: you sorted downwards.",
                lambda heard, ratio: heard.mean((0, 2, 3)).argsort(descending=True)[
                    : int(ratio * heard.shape[1])
                ],
            ),
            Mistake(
                "peaks",
                "You rank by each channel's largest answer anywhere. One pixel is an accident: take the"
                " mean.",
                lambda heard, ratio: _first(heard, ratio, lambda x: x.amax((0, 2, 3))),
            ),
            Mistake(
                "counts-zeros",
                "You rank by how often a channel speaks. One that speaks rarely but loudly isn't asleep: take"
                " the mean of what it says.",
                lambda heard, ratio: _first(heard, ratio, lambda x: (x > 0).double().mean((0, 2, 3))),
            ),
            Mistake(
                "one-image",
                "You listen to the first image only. A 1 wakes other channels than an 8: take the mean over"
                " all images.",
                lambda heard, ratio: _first(heard, ratio, lambda x: x[0].mean((1, 2))),
            ),
            Mistake(
                "values",
                "You return what the channels say. Return their numbers: argsort, not sort.",
                lambda heard, ratio: heard.mean((0, 2, 3)).sort().values[: int(ratio * heard.shape[1])],
            ),
        ),
        hints=(
            (
                "You have a number for each image, channel and place. Which dimensions have to go, "
                "so that one number a channel is left?"
            ),
            (
                "Average over the images, rows and columns: how loud is each channel? "
                "Sort the channels by that, the quietest first, and keep the numbers of the first "
                "int(ratio · C)."
            ),
            (
                "`heard.mean((0, 2, 3))` is one number a channel. `argsort()` sorts upwards, "
                "and returns the channels' numbers."
            ),
        ),
        symptoms=(
            Symptom(
                "TypeError, slice indices must be integers:",
                "0.8 times 32 is 25.6. `int` makes 25 of it.",
            ),
            Symptom(
                "You get 26 numbers instead of 25:",
                "you rounded up. `int` cuts off.",
            ),
            Symptom(
                "TypeError, mean() takes from 1 to 2 positional arguments:",
                "several dimensions go in one tuple: `mean((0, 2, 3))`.",
            ),
        ),
        why=(
            "Digits never need a sleeping channel, so cutting it is nearly free. Whatever hides there, and"
            " only there, goes with it."
        ),
    ),
    "09.3": Exercise(
        id="09.3",
        title="Which rows count?",
        difficulty=2,
        importance=5,
        minutes=8,
        returns="one number",
        reference=decide,
        cases=_rows,
        mistakes=(
            Mistake(
                "forgets-void",
                "You never look at the p-value before the attack. A mark that wasn't there can't be removed:"
                " such a row is void.",
                lambda before, after, p_before, p_after: _decide(True, after < 0.9 * before, p_after),
            ),
            Mistake(
                "absolute",
                "You ask for 90 per cent accuracy, whatever the network had before. Ask for 90 per cent of"
                " what it had.",
                lambda before, after, p_before, p_after: _decide(p_before < 0.001, after < 0.9, p_after),
            ),
            Mistake(
                "points",
                "You allow a loss of ten points. The rule says a tenth of what the network had before.",
                lambda before, after, p_before, p_after: _decide(
                    p_before < 0.001, before - after > 0.1, p_after
                ),
            ),
            Mistake(
                "turned-round",
                "You believe the owner where the p-value is large. Small means: no innocent network would"
                " agree this often.",
                lambda before, after, p_before, p_after: _decide(
                    p_before < 0.001, after < 0.9 * before, 1 if p_after < 0.001 else 0
                ),
            ),
        ),
        hints=(
            (
                "Three questions, and the order matters: was there a mark, is there still a network, "
                "is there still a mark?"
            ),
            (
                "Ask in this order, and return at the first answer. "
                "Was the p-value before the attack too large? Void. "
                "Has less than nine tenths of the accuracy before been left? Destroyed. "
                "Then the p-value afterwards decides."
            ),
            (
                "The second question compares with what there was: `after < 0.9 * before`. "
                "In the first and the last, small p-values speak for the mark: below 0.001."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 0 in the example:",
                "a p-value of 1e-20 is excellent evidence. Void are those of 0.001 and more.",
            ),
            Symptom(
                "You get 1 in the example:",
                "0.95 is more than nine tenths of 0.99. Destroyed is what lies below.",
            ),
            Symptom(
                "You get 2 in the example:",
                "a p-value of 0.2 convinces nobody. Believed are those below 0.001.",
            ),
            Symptom(
                "The check says that your function returns None:",
                "one way through your questions ends without `return`.",
            ),
        ),
        why=(
            "An attack wins only against a mark that was there, and with a network that still works. Other"
            " tables flatter the attacker."
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
