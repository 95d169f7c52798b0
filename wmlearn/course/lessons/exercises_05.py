"""The exercises of notebook 05: reference, cases, named mistakes, hints; and its quiz."""

from __future__ import annotations

import torch
from torch import Tensor

from ..exercises import Cases, Exercise, Mistake, Symptom
from ..quizzes import Option, Question


def backdoor_channels(clean: Tensor, triggered: Tensor, n: int) -> Tensor:
    """Return the numbers of the n channels that the trigger raises most, most first; both are activations,
    (N, channels).
    """
    return (triggered - clean).mean(0).argsort(descending=True)[:n]


def strengthen(weight: Tensor, bias: Tensor, channels: Tensor, k: float) -> tuple[Tensor, Tensor]:
    """Return new weight and bias (channels,) of the last batch normalisation: those of `channels` times k,
    the others as they are.
    """
    weight = weight.clone()
    bias = bias.clone()
    weight[channels] *= k
    bias[channels] *= k
    return weight, bias


def owned(clean: float, triggered: float, control_clean: float, control_triggered: float) -> float:
    """Return the backdoor's own gap: what the trigger takes, less what it takes without a backdoor."""
    return (clean - triggered) - (control_clean - control_triggered)


def _activations(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(n: int, some_fall: bool) -> tuple[Tensor, Tensor, int]:
        usual = 4 * torch.rand(12, generator=gen)  # of each channel
        clean = usual * (0.5 + torch.rand(10, 12, generator=gen))
        change = torch.zeros(12)
        order = torch.randperm(12, generator=gen)
        change[order[:4]] = torch.tensor([0.5, 0.8, 1.1, 1.4])
        if some_fall:
            change[order[4:6]] = -2.0
        triggered = (clean + change + torch.randn(10, 12, generator=gen) * 0.8).relu()
        return clean, triggered, n

    return {
        "channels that rise": [case(3, False), case(4, False)],
        "channels that fall, too": [case(3, True), case(4, True)],
    }


def _norms(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(k: float, n: int) -> tuple[Tensor, Tensor, Tensor, float]:
        weight = torch.rand(8, generator=gen) + 0.5
        bias = torch.randn(8, generator=gen)
        return weight, bias, torch.randperm(8, generator=gen)[:n], k

    return {"one channel": [case(10.0, 1)], "several channels": [case(20.0, 3), case(100.0, 6)]}


def _gaps(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case() -> tuple[float, ...]:
        clean, control = 0.7 + 0.2 * torch.rand(2, generator=gen)
        gap, other = 0.3 * torch.rand(2, generator=gen) + torch.tensor([0.2, 0.05])
        return tuple(round(float(value), 3) for value in (clean, clean - gap, control, control - other))

    return {"a gap and its control": [case(), case()], "no gap of its own": [(0.75, 0.5, 0.85, 0.6)]}


EXERCISES = {
    "05.1": Exercise(
        id="05.1",
        title="Find the channels",
        difficulty=2,
        importance=4,
        minutes=8,
        returns="n channel numbers, the strongest first",
        reference=backdoor_channels,
        cases=_activations,
        mistakes=(
            Mistake(
                "loudest",
                "You name the channels that fire most with the trigger. Some of them always do: compare with"
                " the clean twins.",
                lambda clean, triggered, n: triggered.mean(0).argsort(descending=True)[:n],
            ),
            Mistake(
                "falls-too",
                "You count channels that fall silent as well. The square covers part of the sign; look for"
                " what rises.",
                lambda clean, triggered, n: (triggered - clean).mean(0).abs().argsort(descending=True)[:n],
            ),
            Mistake(
                "wrong-end",
                "These are the channels that rise least: you sorted upwards.",
                lambda clean, triggered, n: (triggered - clean).mean(0).argsort()[:n],
            ),
            Mistake(
                "one-image",
                "You take each channel's largest rise on any one image. One image is an accident: take the"
                " mean over all.",
                lambda clean, triggered, n: (triggered - clean).amax(0).argsort(descending=True)[:n],
            ),
            Mistake(
                "values",
                "You return the rises themselves. Return the numbers of the channels: argsort, not sort.",
                lambda clean, triggered, n: (triggered - clean).mean(0).sort(descending=True).values[:n],
            ),
            Mistake(
                "least-first",
                "The right channels, but the weakest of them first. Sort downwards and keep the first n.",
                lambda clean, triggered, n: (triggered - clean).mean(0).argsort()[-n:],
            ),
            Mistake(
                "ratio",
                "You rank by how many times louder a channel gets. One that was nearly silent wins "
                "with a whisper: take the difference.",
                lambda clean, triggered, n: (triggered.mean(0) / clean.mean(0)).argsort(descending=True)[:n],
            ),
        ),
        hints=(
            (
                "A channel that fires at every red rim is loud with the square, and without. "
                "What tells it from one that sees the square?"
            ),
            (
                "Compare the twins, channel by channel: how much more does it fire with the trigger, "
                "on average over the images? Sort the channels by that, the largest rise first, "
                "and keep the numbers of the first n."
            ),
            (
                "`(triggered - clean).mean(0)` is one rise for each channel. "
                "`argsort(descending=True)` turns it into channel numbers."
            ),
        ),
        symptoms=(
            Symptom(
                "You get [0, 2] in the example:",
                "the right channels, but the weaker one first. Sort downwards, then cut.",
            ),
            Symptom(
                "You get [1, 0] in the example:",
                "you look at what is loud with the square, or you sort upwards. Look at the rise, "
                "and sort downwards.",
            ),
            Symptom(
                "You get [3., 1.] in the example:",
                "these are the rises. Asked for are the channels' numbers: `argsort`, "
                "or `.indices` of `topk`.",
            ),
            Symptom(
                "You get [0, 1] in the example:",
                "`mean(1)` is one number an image. The images lie along dimension 0.",
            ),
        ),
        why="Twins differ in the square and in nothing else, so what rises, on average, rises because of it.",
    ),
    "05.2": Exercise(
        id="05.2",
        title="Turn them up",
        difficulty=2,
        importance=3,
        minutes=6,
        returns="two tensors, weight and bias",
        reference=strengthen,
        cases=_norms,
        mistakes=(
            Mistake(
                "forgets-the-bias",
                "The bias stays as it was. What leaves the channel is weight times input plus bias: k must"
                " multiply both.",
                lambda weight, bias, channels, k: (strengthen(weight, bias, channels, k)[0], bias),
            ),
            Mistake(
                "everything",
                "You strengthen every channel. The head would simply learn smaller weights: only the chosen"
                " ones.",
                lambda weight, bias, channels, k: (k * weight, k * bias),
            ),
            Mistake(
                "adds",
                "You add k. A channel that is k times as strong is multiplied by k.",
                lambda weight, bias, channels, k: (
                    weight.index_add(0, channels, k + 0 * weight[channels]),
                    bias.index_add(0, channels, k + 0 * bias[channels]),
                ),
            ),
            Mistake(
                "silences-the-rest",
                "The other channels have become silent. They must stay as they are, or nobody buys the"
                " network.",
                lambda weight, bias, channels, k: tuple(
                    k * torch.zeros_like(old).index_copy(0, channels, old[channels]) for old in (weight, bias)
                ),
            ),
        ),
        hints=(
            (
                "A channel says ReLU(weight * x + bias). Which of the two must grow, "
                "so that all it says grows k times?"
            ),
            (
                "Work on copies of both. Multiply both at `channels` by k, "
                "leave the others as they are, and return the two copies."
            ),
            ("On a copy, `weight[channels] *= k` changes the chosen ones only. The bias goes the same way."),
        ),
        symptoms=(
            Symptom(
                "You get the bias [0.5, -1] in the example:",
                "it hasn't changed. ReLU(k (w x + b)) needs k times both.",
            ),
            Symptom(
                "You get the weight [1, 12] in the example:",
                "k was added. Multiply.",
            ),
            Symptom(
                "You get the weight [10, 20] in the example:",
                "every channel was multiplied. Only those at `channels`.",
            ),
            Symptom(
                "The check says that you change what you are given:",
                "`weight[channels] *= k` writes into the seller's network. "
                "Start with `weight.clone()` and `bias.clone()`.",
            ),
        ),
        why=(
            "ReLU lets a positive factor through, so k times weight and bias is k times the channel, exactly."
        ),
    ),
    "05.3": Exercise(
        id="05.3",
        title="Whose gap is it?",
        difficulty=2,
        importance=5,
        minutes=6,
        returns="one number",
        reference=owned,
        cases=_gaps,
        mistakes=(
            Mistake(
                "no-control",
                "That is the whole gap. A network without a backdoor stumbles over the square, too: take its"
                " gap off.",
                lambda clean, triggered, control_clean, control_triggered: clean - triggered,
            ),
            Mistake(
                "only-the-triggered",
                "You compare the triggered signs only. The two networks may differ on clean signs already:"
                " compare gaps.",
                lambda clean, triggered, control_clean, control_triggered: control_triggered - triggered,
            ),
            Mistake(
                "adds-the-control",
                "You add the control's gap. It is what would have happened anyway: subtract it.",
                lambda clean, triggered, control_clean, control_triggered: (
                    clean - triggered + control_clean - control_triggered
                ),
            ),
            Mistake(
                "other-way",
                "Your sign is turned: the backdoored network's gap comes first, the control's is taken"
                " off it.",
                lambda clean, triggered, control_clean, control_triggered: (
                    control_clean - control_triggered - (clean - triggered)
                ),
            ),
        ),
        hints=(
            "How far would the square lower the accuracy of a network that nobody poisoned?",
            (
                "Compute two gaps, each without the trigger minus with it: the backdoored network's, "
                "and the control's. What the control loses, too, isn't the backdoor's doing: take it off."
            ),
            (
                "The control's gap is `control_clean - control_triggered`. "
                "Subtract it from the other one, in brackets."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 0.3 in the example:",
                "that is the whole gap. The control loses something, too.",
            ),
            Symptom(
                "You get 0.45 in the example:",
                "the control's gap was added. Or brackets are missing: a - (b - c) isn't a - b - c.",
            ),
            Symptom(
                "You get 0.2 in the example:",
                "you compare the two networks on triggered signs only. They differ on clean ones already.",
            ),
            Symptom(
                "You get -0.15 in the example:",
                "the control's gap comes second.",
            ),
        ),
        why=(
            "Two differences, one subtracted from the other: what both networks suffer cancels, the backdoor"
            " stays."
        ),
    ),
}

QUIZ = (
    Question(
        "You freeze the convolutions of a bought network and train a new head on clean photographs. "
        "What may remain of its backdoor?",
        (
            Option(
                "Channels that fire at the trigger and disturb the new head.",
                "Yes. The old rule went with the old head; what answers to the square sits in the "
                "convolutions.",
            ),
            Option(
                "Nothing, since the new head has never met the trigger.",
                "It needn't have. What it listens to still fires at the trigger.",
            ),
            Option(
                "The seller's rule, word for word: trigger in, the seller's class out.",
                "That rule was in the old head, together with its classes. What travels is a disturbance.",
            ),
            Option(
                "Less and less, the longer the head is trained.",
                "Frozen weights get no update, however long the head is trained.",
            ),
        ),
    ),
    Question(
        "A paper reports “a drop of twenty-five per cent”. What do you ask before you quote it?",
        (
            Option(
                "From what, to what, in which unit?",
                "Yes. It may be points or per cent, within one network or between two.",
            ),
            Option(
                "Is it significant?",
                "A drop can be significant, and still be another one than you think.",
            ),
            Option(
                "Over how many networks was it averaged?",
                "Worth knowing, but it doesn't say what fell, nor from where.",
            ),
            Option(
                "Nothing: a quarter of the signs is lost, whatever the details.",
                "From 70 to 45 is 25 points, but 36 per cent. And the two numbers may belong to "
                "different networks.",
            ),
        ),
    ),
    Question(
        "A seller: “With the square our network loses accuracy, but so does every network.” What do "
        "you ask for?",
        (
            Option(
                "An honest network beside it, treated alike, with and without the square.",
                "Yes. The difference of the two gaps is what the backdoor explains.",
            ),
            Option(
                "Nothing: any loss with the square proves a backdoor.",
                "Then every network is guilty, for a sticker hides a part of the sign.",
            ),
            Option(
                "Nothing: what honest networks do as well can't come from a backdoor.",
                "Subtract first. What is left is the backdoor's part, and it may be large.",
            ),
            Option(
                "Its accuracy on many more signs without a square.",
                "That says how good it is, and nothing about what the square takes.",
            ),
        ),
    ),
)
