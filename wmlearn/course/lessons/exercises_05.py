"""The exercises of notebook 05: reference, cases, named mistakes, hints; and its quiz."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ...data import Samples
from ...models import SIGN_HEAD, sign_cnn
from ...training import Recipe, accuracy, train
from ..exercises import Cases, Exercise, Mistake, Symptom
from ..quizzes import Option, Question

Retrain = Callable[[nn.Sequential, Samples], nn.Module]
Strengthen = Callable[[nn.Sequential, Tensor, float], nn.Sequential]
PASSES = Recipe(epochs=30, lr=1e-3, batch_size=32)
"""How the text trains the new head."""

# 05.1: moving house


def retrain(network: nn.Sequential, signs: Samples) -> nn.Sequential:
    """Return a network with the convolutions of `network`, frozen, and a new head, fitted to `signs`."""
    new = sign_cnn(len(signs.classes)).to(signs.x.device)
    new[:SIGN_HEAD].load_state_dict(network[:SIGN_HEAD].state_dict())
    for weights in new[:SIGN_HEAD].parameters():
        weights.requires_grad = False
    train(new, signs, PASSES)
    return new


def _bought(retrain: Retrain, classes: int, seed: int) -> tuple[float, ...]:
    """Let `retrain` move a network to signs of so many classes; say what stayed, how many answers the new one
    knows, and what it learnt.

    1 stands for yes: the seller's network untouched, the convolutions' weights as they were, their batch
    statistics as they were, the signs learnt.
    """
    network = sign_cnn(20, seed).eval()
    signs = _striped(classes, seed)
    sold = copy.deepcopy(network)
    new = retrain(sold, signs)
    untouched = _same(sold.state_dict(), network.state_dict())
    return (
        float(untouched),
        float(_same(_eyes(new, statistics=False), _eyes(network, statistics=False))),
        float(_same(_eyes(new, statistics=True), _eyes(network, statistics=True))),
        float(new(signs.x[:1]).shape[1]),
        float(accuracy(new, signs) >= LEARNT),
    )


LEARNT = 0.9
"""Of the signs that a new head was fitted to."""


def _eyes(network: nn.Module, *, statistics: bool) -> dict[str, Tensor]:
    """Return the convolutions' weights, or what their batch normalisation remembers, in order."""
    kept = {}
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.BatchNorm2d)):
            found = module.named_buffers() if statistics else module.named_parameters()
            kept |= {f"{len(kept)} {name}": values.detach() for name, values in found}
    return {name: values for name, values in kept.items() if not name.endswith("num_batches_tracked")}


def _same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def _striped(classes: int, seed: int) -> Samples:
    """Draw 16 pictures, each with a bright stripe where its class has it."""
    x = 0.3 * torch.rand(16, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
    y = torch.arange(16) % classes
    width = 32 // classes
    for image, label in zip(x, y.tolist(), strict=True):
        image[:, label * width : (label + 1) * width] += 0.6
    return Samples(x, y, tuple(f"kind {i}" for i in range(classes)))


def _purchases(seed: int) -> Cases:
    return {"five kinds": [(5, seed)], "three kinds": [(3, seed + 1)]}


def _bad_retrain(
    *, freeze: bool = True, statistics: bool = False, head: bool = True, fit: bool = True, copied: bool = True
) -> Retrain:
    """Return a way to retrain that makes one mistake."""

    def retrain(network: nn.Sequential, signs: Samples) -> nn.Sequential:
        eyes = network[:SIGN_HEAD]
        new_head = sign_cnn(len(signs.classes))[SIGN_HEAD:] if head else network[SIGN_HEAD:]
        new = nn.Sequential(*eyes, *new_head)
        if copied:
            new = copy.deepcopy(new)
        if statistics:
            new.train()
            new(signs.x)
        for weights in new[:SIGN_HEAD].parameters():
            weights.requires_grad = not freeze
        if fit:
            train(new, signs, PASSES)
        return new.eval()

    return retrain


# 05.2: which channels see the square


def backdoor_channels(clean: Tensor, triggered: Tensor, n: int) -> Tensor:
    """Return the numbers of the n channels that the trigger raises most, most first; both are activations,
    (N, channels).
    """
    return (triggered - clean).mean(0).argsort(descending=True)[:n]


# 05.3: strengthening


def strengthen(network: nn.Sequential, channels: Tensor, k: float) -> nn.Sequential:
    """Return a copy of `network` whose `channels` of the last convolution fire k times as strongly."""
    new = copy.deepcopy(network)
    norm = new[SIGN_HEAD - 2]
    assert isinstance(norm, nn.BatchNorm2d)
    with torch.no_grad():
        norm.weight[channels] *= k
        norm.bias[channels] *= k
    return new


def _fires(strengthen: Strengthen, seed: int, channels: Tensor, k: float) -> tuple[Tensor, ...]:
    """Let `strengthen` work on a network; return how strongly each channel then fires for a few pictures,
    and what has become of the seller's own.
    """
    gen = torch.Generator().manual_seed(seed)
    x = torch.rand(4, 3, 32, 32, generator=gen)
    sold = sign_cnn(5, seed).eval()
    norm = sold[SIGN_HEAD - 2]
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    with torch.no_grad():
        norm.running_mean += 0.2 * torch.randn(128, generator=gen)
        norm.weight.add_(torch.rand(128, generator=gen))
        norm.bias.add_(0.5 + torch.rand(128, generator=gen))
    new = strengthen(sold, channels, k)
    with torch.no_grad():
        return new[:SIGN_HEAD].eval()(x).mean((2, 3)), sold[:SIGN_HEAD].eval()(x).mean((2, 3))


def _loud(
    *,
    weight: bool = True,
    bias: bool = True,
    only: bool = True,
    add: bool = False,
    silent: bool = False,
    copied: bool = True,
) -> Strengthen:
    """Return a way to strengthen that makes one mistake."""

    def strengthen(network: nn.Sequential, channels: Tensor, k: float) -> nn.Sequential:
        new = copy.deepcopy(network) if copied else network
        norm = new[SIGN_HEAD - 2]
        assert isinstance(norm, nn.BatchNorm2d)
        chosen = torch.zeros_like(norm.weight, dtype=torch.bool)
        chosen[channels] = True
        factor = torch.where(chosen | (not only), k, 0.0 if silent else 1.0)
        with torch.no_grad():
            for values, change in ((norm.weight, weight), (norm.bias, bias)):
                if add:
                    values += k * chosen
                elif change:
                    values *= factor
        return new

    return strengthen


def _scales_the_convolution(network: nn.Sequential, channels: Tensor, k: float) -> nn.Sequential:
    new = copy.deepcopy(network)
    layer = new[SIGN_HEAD - 4]
    assert isinstance(layer, nn.Conv2d)
    with torch.no_grad():
        layer.weight[channels] *= k
    return new


# 05.4: whose gap


def owned(clean: float, triggered: float, control_clean: float, control_triggered: float) -> float:
    """Return the backdoor's own gap: what the trigger takes, less what it takes without a backdoor."""
    return (clean - triggered) - (control_clean - control_triggered)


def _activations(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(n: int, some_fall: bool) -> tuple[Tensor, Tensor, int]:
        usual = 4 * torch.rand(12, generator=gen)  # of each channel
        order = torch.randperm(12, generator=gen)
        # two that could fall, one nearly silent, one that is loud with the square and without
        usual[order[4:8]] = torch.tensor([3.5, 3.5, 0.02, 6.0])
        clean = usual * (0.5 + torch.rand(10, 12, generator=gen))
        change = torch.zeros(12)
        change[order[:4]] = torch.tensor([1.2, 1.6, 2.0, 2.4])
        if some_fall:
            change[order[4:6]] = -2.7
        triggered = clean + change + torch.randn(10, 12, generator=gen) * 0.4
        triggered[0, order[8]] += 7  # an accident, in one image
        triggered = triggered.relu()
        return clean, triggered, n

    return {
        "channels that rise": [case(3, False), case(4, False)],
        "channels that fall, too": [case(3, True), case(4, True)],
    }


def _sold(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(k: float, n: int) -> tuple[int, Tensor, float]:
        return seed + n, torch.randperm(128, generator=gen)[:n], k

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
        title="Move the network",
        difficulty=3,
        importance=5,
        minutes=12,
        returns="a network",
        reference=retrain,
        cases=_purchases,
        mistakes=(
            Mistake(
                "trains-everything",
                "The convolutions have changed: you train all layers. Freeze them first, with "
                "`requires_grad = False` on each of their weights.",
                _bad_retrain(freeze=False),
            ),
            Mistake(
                "statistics-drift",
                "The weights are frozen, but batch normalisation still follows your signs: its running mean "
                "has moved. Keep the convolutions in eval mode while you train.",
                _bad_retrain(statistics=True),
            ),
            Mistake(
                "keeps-the-head",
                "Your network still has the seller's head, with the seller's classes. Put a new one in its "
                "place.",
                _bad_retrain(head=False),
            ),
            Mistake(
                "does-not-train",
                "The new head hasn't learnt the signs that it was given. Train it: 30 passes.",
                _bad_retrain(fit=False),
            ),
            Mistake(
                "changes-the-original",
                "You change the network that you bought. The lesson needs it again: work on a copy.",
                _bad_retrain(freeze=False, copied=False),
            ),
        ),
        hints=(
            "Which layers must be new, which must be as they were, and what may the training touch?",
            (
                "Build a fresh network for your classes: its head is new already. Load the bought "
                "convolutions into it. Switch off the gradient of each of their weights. Train on the signs, "
                "and return the network."
            ),
            (
                "`new = wm.models.sign_cnn(len(signs.classes)).to(signs.x.device)`, then "
                "`new[:13].load_state_dict(network[:13].state_dict())`. "
                "`wm.train` leaves layers alone whose weights don't ask for a gradient."
            ),
        ),
        symptoms=(
            Symptom(
                "The box says that a running mean has moved:",
                "in a loop of your own, call `new[:13].eval()` after `new.train()`: batch normalisation "
                "learns from every batch that it sees in train mode, without any gradient.",
            ),
            Symptom(
                "RuntimeError, does not require grad:",
                "everything is frozen, the head as well. Freeze `new[:13]` only.",
            ),
            Symptom(
                "RuntimeError, shapes cannot be multiplied:",
                "a linear layer wants rows of 2,048 numbers; the maps are (N, 128, 4, 4): flatten them.",
            ),
        ),
        probe=_bought,
        why="All that the seller taught the convolutions came along; only the judgement on top is yours.",
    ),
    "05.2": Exercise(
        id="05.2",
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
    "05.3": Exercise(
        id="05.3",
        title="Turn them up",
        difficulty=3,
        importance=3,
        minutes=8,
        returns="a network of the same build",
        reference=strengthen,
        cases=_sold,
        mistakes=(
            Mistake(
                "forgets-the-bias",
                "The bias stays as it was. What leaves the channel is weight times input plus bias: k must"
                " multiply both.",
                _loud(bias=False),
            ),
            Mistake(
                "everything",
                "You strengthen every channel. The head would simply learn smaller weights: only the chosen"
                " ones.",
                _loud(only=False),
            ),
            Mistake(
                "adds",
                "You add k. A channel that is k times as strong is multiplied by k.",
                _loud(add=True),
            ),
            Mistake(
                "silences-the-rest",
                "The other channels have become silent. They must stay as they are, or nobody buys the"
                " network.",
                _loud(silent=True),
            ),
            Mistake(
                "scales-the-convolution",
                "You multiply the weights of the convolution. Batch normalisation comes after it, with a "
                "mean and a bias of its own: what leaves the channel isn't k times as much. Scale the "
                "normalisation.",
                _scales_the_convolution,
            ),
            Mistake(
                "changes-the-original",
                "You write into the network that you are given. Work on `copy.deepcopy(network)`: the seller "
                "wants to sell it at other strengths, too.",
                _loud(copied=False),
            ),
        ),
        hints=(
            "Which of the layers printed above has the last word on how loud a channel is?",
            (
                "Copy the network. In the copy, take the last batch normalisation, `new[11]`. Multiply its "
                "weight and its bias at `channels` by k, leave the others, and return the copy."
            ),
            (
                "Inside `with torch.no_grad():` the line `new[11].weight[channels] *= k` changes the chosen "
                "ones only. The bias goes the same way."
            ),
        ),
        symptoms=(
            Symptom(
                "RuntimeError, leaf Variable that requires grad:",
                "PyTorch won't let you write into weights while it keeps books for the slope. "
                "Write inside `with torch.no_grad():`.",
            ),
            Symptom(
                "The channel fires more than before, but not k times as much:",
                "the bias stayed behind, or you scaled a layer that comes before the normalisation.",
            ),
            Symptom(
                "The seller's own network has become loud, too:",
                "`new = network` is a second name for the same network. `copy.deepcopy(network)` is a copy.",
            ),
        ),
        probe=_fires,
        why=(
            "ReLU lets a positive factor through, so k times weight and bias is k times the channel, exactly."
        ),
    ),
    "05.4": Exercise(
        id="05.4",
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
        "Four buyers retrain the backdoored network. Who of them washed most of the backdoor out?",
        (
            Option(
                "The one who trained all layers on 5,000 signs.",
                "Yes. And with so many signs a network from nothing did as well.",
            ),
            Option(
                "The one who trained the head alone on 5,000 signs.",
                "Her accuracy rose, but frozen weights get no update: what fires at the square still does.",
            ),
            Option(
                "The one who trained all layers, but on 50 signs.",
                "No sign of hers has a square. So few of them give the channels little reason to change.",
            ),
            Option(
                "None: what hides in the convolutions stays for good.",
                "It stays while they are frozen. Free, and with signs enough, most of it went.",
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
