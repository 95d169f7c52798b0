"""The exercises of notebook 06: reference, cases, named mistakes, hints; and its quiz."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from ..exercises import Cases, Exercise, Mistake, Symptom
from ..quizzes import Option, Question

CONSISTENT = 1.4826  # median absolute deviations in one standard deviation of a bell curve

Search = Callable[[nn.Module, Tensor, int, Tensor, float, Optimizer], float]
"""One step of the search for a trigger, as the learner writes it."""


def search_step(
    network: nn.Module, x: Tensor, target: int, raw: Tensor, price: float, optimiser: Optimizer
) -> float:
    """Take one step towards less paint that still turns images `x` (B, C, H, W) into the class `target`;
    return the share of them that it turned before the step.

    `raw` (2, C, H, W) holds the numbers behind pattern and mask; a sigmoid squeezes them into [0, 1].
    """
    pattern, mask = raw.sigmoid()
    logits = network(x * (1 - mask) + pattern * mask)  # (B, classes)
    goal = torch.full((len(x),), target, device=x.device)
    loss = F.cross_entropy(logits, goal) + price * mask.sum()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return (logits.argmax(1) == target).float().mean().item()


def _two_searches(step: Search, seed: int, x: Tensor, target: int, price: float) -> tuple[object, ...]:
    """Let `step` search twice on a small network: both shares, and the numbers afterwards."""
    draw = torch.Generator().manual_seed(seed)
    network = nn.Sequential(nn.Flatten(), nn.utils.skip_init(nn.Linear, 12, 3))
    for weights in network.parameters():
        nn.init.normal_(weights, generator=draw)
    network.requires_grad_(False)
    raw = torch.randn(2, 1, 3, 4, generator=draw).requires_grad_()
    optimiser = SGD([raw], lr=2.0)
    first = step(network, x, target, raw, price, optimiser)
    second = step(network, x, target, raw, price, optimiser)
    return first, second, raw.detach().clone()


def _searches(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(i: int, target: int, price: float) -> tuple[int, Tensor, int, float]:
        return i, torch.rand(32, 1, 3, 4, generator=gen), target, price

    return {
        "paint that costs a little": [case(0, 0, 0.05), case(1, 2, 0.05)],
        "paint that costs a lot": [case(2, 1, 0.5), case(3, 0, 0.5)],
    }


def _bad_search(
    *,
    clear: bool = True,
    move: bool = True,
    swap: bool = False,
    squeeze: bool = True,
    cover: bool = True,
    pay: Callable[[Tensor, Tensor], Tensor] = lambda pattern, mask: mask.sum(),
) -> Search:
    def step(
        network: nn.Module, x: Tensor, target: int, raw: Tensor, price: float, optimiser: Optimizer
    ) -> float:
        parts = raw.sigmoid() if squeeze else raw
        pattern, mask = parts.flip(0) if swap else parts
        kept = 1 - mask if cover else 1
        logits = network(x * kept + pattern * mask)
        goal = torch.full((len(x),), target)
        loss = F.cross_entropy(logits, goal) + price * pay(pattern, mask)
        if clear:
            optimiser.zero_grad()
        if move:
            loss.backward()
            optimiser.step()
        return (logits.argmax(1) == target).float().mean().item()

    return step


def _search_and_look_again(
    network: nn.Module, x: Tensor, target: int, raw: Tensor, price: float, optimiser: Optimizer
) -> float:
    search_step(network, x, target, raw, price, optimiser)
    pattern, mask = raw.detach().sigmoid()
    return (network(x * (1 - mask) + pattern * mask).argmax(1) == target).float().mean().item()


def _search_for_the_loss(
    network: nn.Module, x: Tensor, target: int, raw: Tensor, price: float, optimiser: Optimizer
) -> float:
    pattern, mask = raw.detach().sigmoid()
    goal = torch.full((len(x),), target)
    paid = price * mask.sum()
    loss = F.cross_entropy(network(x * (1 - mask) + pattern * mask), goal) + paid
    search_step(network, x, target, raw, price, optimiser)
    return loss.item()


def anomaly_index(norm: Tensor) -> Tensor:
    """Return by how many deviations each of the norms (K,) lies below their median; 0 for those above it."""
    median = norm.quantile(0.5)
    deviation = CONSISTENT * (norm - median).abs().quantile(0.5)
    return ((median - norm) / deviation).clamp_min(0)


def entropy(p: Tensor) -> Tensor:
    """Return the mean entropy in bits, (N,), of the answers p (N, overlays, classes)."""
    return -torch.xlogy(p, p).sum(2).mean(1) / torch.log(torch.tensor(2.0))


def caught(clean: Tensor, triggered: Tensor, false_alarms: float) -> float:
    """Return the share of triggered images whose entropy lies below the `false_alarms` quantile of the clean
    ones.
    """
    return (triggered < clean.quantile(false_alarms)).float().mean().item()


def _norms(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(*extra: float, classes: int = 9) -> tuple[Tensor]:
        usual = 90 + 12 * torch.randn(classes - len(extra), generator=gen)
        return (torch.cat([torch.tensor(extra), usual]),)

    return {
        "one small mask": [case(2.5), case(7.0), case(5.0, classes=10)],
        "a large one, too": [case(3.0, 190.0), case(4.0, 160.0)],
        "all alike": [case()],
    }


def _answers(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(scale: float) -> tuple[Tensor]:
        return ((scale * torch.randn(4, 5, 6, generator=gen)).softmax(2),)

    sure = torch.eye(4)[torch.randint(4, (3, 5), generator=gen)]
    return {
        "unsure answers": [case(1.0), case(2.0)],
        "probabilities of 0 and 1": [(sure,), (torch.cat([sure, sure.roll(1, 2)], 1) * 1.0,)],
    }


def _bits(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(false_alarms: float) -> tuple[Tensor, Tensor, float]:
        clean = 1 + torch.rand(200, generator=gen)
        triggered = 0.7 + 0.6 * torch.rand(80, generator=gen)
        return clean, triggered, false_alarms

    return {"1 % of false alarms": [case(0.01), case(0.01)], "more of them": [case(0.05), case(0.2)]}


def _lower_median(norm: Tensor) -> Tensor:
    median = norm.median()
    deviation = CONSISTENT * (norm - median).abs().median()
    return ((median - norm) / deviation).clamp_min(0)


EXERCISES = {
    "06.1": Exercise(
        id="06.1",
        title="One step of the search",
        difficulty=4,
        importance=5,
        minutes=15,
        returns="one number, the share of the images that obeyed",
        reference=search_step,
        cases=_searches,
        probe=_two_searches,
        example=0.5,
        mistakes=(
            Mistake(
                "forgets-zero-grad",
                "The second step goes wrong: gradients add up until you clear them. Call "
                "optimiser.zero_grad() before backward().",
                _bad_search(clear=False),
            ),
            Mistake(
                "stands-still",
                "The paint stays as it is. Call backward(), and optimiser.step() after it.",
                _bad_search(move=False),
            ),
            Mistake(
                "swaps",
                "You take the mask for the pattern. raw[0] is behind the pattern, raw[1] behind the mask.",
                _bad_search(swap=True),
            ),
            Mistake(
                "forgets-the-sigmoid",
                "You paint with raw numbers, which may be -3 or 7. Take raw.sigmoid(): shares from 0 to 1.",
                _bad_search(squeeze=False),
            ),
            Mistake(
                "paint-is-free",
                "Paint costs nothing in your loss, so the search has no reason to use little. Add price "
                "times the sum of the mask.",
                _bad_search(pay=lambda pattern, mask: mask.sum() * 0),
            ),
            Mistake(
                "pays-for-the-pattern",
                "You charge for the pattern, too. Where the mask is 0 nobody sees it: only the mask costs.",
                _bad_search(pay=lambda pattern, mask: (pattern + mask).sum()),
            ),
            Mistake(
                "mean-of-the-mask",
                "You charge for the mean of the mask. The price is per pixel: take the sum.",
                _bad_search(pay=lambda pattern, mask: mask.mean()),
            ),
            Mistake(
                "lays-it-over",
                "You add the paint to the picture. Paint covers: the picture shows as far as 1 - mask.",
                _bad_search(cover=False),
            ),
            Mistake(
                "looks-again",
                "You return the share after the step. Return the one from before it; its logits are there "
                "already.",
                _search_and_look_again,
            ),
            Mistake(
                "returns-the-loss",
                "You return the loss. Return the share of the images that the network put into the target "
                "class.",
                _search_for_the_loss,
            ),
        ),
        hints=(
            "What does the network see, what should it answer, and what does the answer cost?",
            (
                "Squeeze `raw`: the first part is the pattern, the second the mask. Paint all images as the "
                "formula says, and ask the network. The loss is the cross-entropy with a batch of targets, "
                "plus the price times all paint. Then the three lines of every training step; last, count "
                "who obeyed."
            ),
            (
                "`loss = F.cross_entropy(logits, torch.full((len(x),), target)) + price * mask.sum()`, and "
                "`(logits.argmax(1) == target).float().mean()` obeyed."
            ),
        ),
        symptoms=(
            Symptom(
                "RuntimeError, Expected floating point type for target with class probabilities, got Long:",
                "the target must have one label for each image, not be a row of the logits' shape: "
                "`torch.full((len(x),), target)`.",
            ),
            Symptom(
                "TypeError, argument 'target' (position 2) must be Tensor, not int:",
                "cross-entropy wants one label an image, in a tensor: `torch.full((len(x),), target)`.",
            ),
            Symptom(
                "RuntimeError, grad can be implicitly created only for scalar outputs:",
                "`backward()` starts from one number: the *sum* of the mask, not the mask.",
            ),
            Symptom(
                "The check says that the second step goes wrong:",
                "the first gradient is still there. `zero_grad()` clears it.",
            ),
        ),
        why=(
            "Training moves the weights and keeps the image; here the weights stay and the image moves. The "
            "price asks for the smallest image that will do."
        ),
    ),
    "06.2": Exercise(
        id="06.2",
        title="How odd is it?",
        difficulty=2,
        importance=5,
        minutes=8,
        returns="one number a class",
        reference=anomaly_index,
        cases=_norms,
        mistakes=(
            Mistake(
                "standard-deviation",
                "You divide by the standard deviation. One tiny mask makes that large, and hides: take the"
                " median absolute deviation.",
                lambda norm: ((norm.quantile(0.5) - norm) / norm.std()).clamp_min(0),
            ),
            Mistake(
                "forgets-the-factor",
                "You divide by the bare median absolute deviation. 1.4826 of them make one standard deviation"
                " of a bell curve.",
                lambda norm: CONSISTENT * anomaly_index(norm),
            ),
            Mistake(
                "both-sides",
                "Classes above the median count, too. A large mask is no sign of a backdoor: they get 0.",
                lambda norm: (
                    (norm.quantile(0.5) - norm).abs()
                    / (CONSISTENT * (norm - norm.quantile(0.5)).abs().quantile(0.5))
                ),
            ),
            Mistake(
                "from-the-mean",
                "You measure from the mean. The odd one pulls it towards itself: take the median.",
                lambda norm: (
                    (norm.mean() - norm) / (CONSISTENT * (norm - norm.quantile(0.5)).abs().quantile(0.5))
                ).clamp_min(0),
            ),
            Mistake(
                "lower-median",
                "Of an even number of classes, torch.median takes the lower of the two in the middle. "
                "Take their mean: quantile(0.5).",
                _lower_median,
            ),
            Mistake(
                "factor-above",
                "You multiply by 1.4826 where you should divide: the factor belongs to the deviation.",
                lambda norm: CONSISTENT**2 * anomaly_index(norm),
            ),
        ),
        hints=(
            (
                "What is in the middle of ten numbers, whatever one of them does? "
                "And what is a usual distance from it?"
            ),
            (
                "Take the median of the norms. Take the median of their distances from it, "
                "times 1.4826: that is one deviation. Say of each norm how many deviations it lies "
                "below the median; above it, 0."
            ),
            (
                "`deviation = 1.4826 * (norm - median).abs().quantile(0.5)`, "
                "and `clamp_min(0)` makes 0 of what lies above."
            ),
        ),
        symptoms=(
            Symptom(
                "You get [90, 1, 0, 0, 0] in the example:",
                "the factor is missing: one deviation is 1.4826 median absolute deviations.",
            ),
            Symptom(
                "You get 133.4 first in the example:",
                "the factor is on the wrong side. It makes the deviation larger, so the index smaller.",
            ),
            Symptom(
                "You get 1.41 first in the example:",
                "you divide by the standard deviation, which the odd one itself has made large.",
            ),
            Symptom(
                "TypeError, 'Tensor' and 'torch.return_types.median':",
                "`norm.median(0)` returns values and places. `norm.quantile(0.5)` is one number, "
                "and the right one for ten classes, too.",
            ),
        ),
        why=(
            "Median and median absolute deviation stay where they are while fewer than half of the classes"
            " are odd."
        ),
    ),
    "06.3": Exercise(
        id="06.3",
        title="How sure, in bits?",
        difficulty=3,
        importance=4,
        minutes=8,
        returns="one number an image",
        reference=entropy,
        cases=_answers,
        mistakes=(
            Mistake(
                "natural-logarithm",
                "You count in nats. Bits need the logarithm to base 2.",
                lambda p: -torch.xlogy(p, p).sum(2).mean(1),
            ),
            Mistake(
                "of-the-mean",
                "You average the answers first. Six sure answers that differ then look unsure: entropy of"
                " each, then the mean.",
                lambda p: entropy(p.mean(1, keepdim=True)),
            ),
            Mistake(
                "adds-up",
                "You add the overlays up. Take their mean, or the number depends on how many there are.",
                lambda p: entropy(p) * p.shape[1],
            ),
            Mistake(
                "wrong-axis",
                "You sum over the overlays and average over the classes. "
                "The sum runs over the classes, dimension 2; the mean over the overlays.",
                lambda p: -torch.xlogy(p, p).sum(1).mean(1) / torch.log(torch.tensor(2.0)),
            ),
            Mistake(
                "forgets-the-minus",
                "Your entropy is negative. The logarithm of a share is below 0: "
                "a minus sign belongs before the sum.",
                lambda p: -entropy(p),
            ),
        ),
        hints=(
            (
                "How many bits does one answer leave open? Over which of the three dimensions does "
                "that sum run?"
            ),
            (
                "The entropy of one answer is the sum of -p log2 p over its classes, dimension 2. "
                "Then take the mean over the overlays, dimension 1. Where p is 0, the term is 0, not NaN."
            ),
            (
                "`torch.xlogy(p, p)` is p log p, and 0 where p is 0. It counts in nats: "
                "one bit is log 2 of them."
            ),
        ),
        symptoms=(
            Symptom(
                "You get NaN:",
                "0 · log 0: the logarithm is minus infinity, the term should be 0. "
                "`torch.xlogy(p, p)` knows that.",
            ),
            Symptom(
                "You get 0.347 in the example:",
                "you count in nats. Divide by log 2, or take `log2`.",
            ),
            Symptom(
                "You get 1 in the example:",
                "you add the overlays up. Take their mean.",
            ),
            Symptom(
                "You get two numbers in the example:",
                "you have summed over one dimension and stopped, or taken the wrong one. "
                "First the classes, dimension 2, then the overlays.",
            ),
        ),
        why="A digit under another digit is ambiguous; a trigger under another digit isn't.",
    ),
    "06.4": Exercise(
        id="06.4",
        title="What is caught, at what price",
        difficulty=2,
        importance=5,
        minutes=6,
        returns="one number",
        reference=caught,
        cases=_bits,
        mistakes=(
            Mistake(
                "wrong-tail",
                "Your threshold lets nearly everything be flagged: triggered images have *less* entropy, so"
                " take the low quantile.",
                lambda clean, triggered, false_alarms: (
                    (triggered < clean.quantile(1 - false_alarms)).float().mean().item()
                ),
            ),
            Mistake(
                "threshold-from-the-triggered",
                "You set the threshold on triggered images. The defender has none: only the clean ones may"
                " set it.",
                lambda clean, triggered, false_alarms: (
                    (triggered < triggered.quantile(false_alarms)).float().mean().item()
                ),
            ),
            Mistake(
                "counts-what-passes",
                "That is the share that passes. Count the images below the threshold.",
                lambda clean, triggered, false_alarms: 1 - caught(clean, triggered, false_alarms),
            ),
            Mistake(
                "counts-everything",
                "You count over clean and triggered images together. Caught is a share of the triggered"
                " ones.",
                lambda clean, triggered, false_alarms: (
                    (torch.cat([clean, triggered]) < clean.quantile(false_alarms)).float().mean().item()
                ),
            ),
        ),
        hints=(
            "Below which entropy lie only that share of the clean images?",
            (
                "Set the threshold on the clean images alone, so low that just the share "
                "`false_alarms` of them lies below. Then return the share of the triggered images that "
                "lie below it."
            ),
            (
                "The threshold is `clean.quantile(false_alarms)`. What is caught lies below: "
                "`triggered < threshold`."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 1 in the example:",
                "the threshold lies at the other end. Triggered images have little entropy: "
                "the low quantile.",
            ),
            Symptom(
                "You get 0.25 in the example:",
                "the threshold was set on the triggered images. The defender has only clean ones.",
            ),
            Symptom(
                "You get 0.067 in the example:",
                "you count over clean and triggered images together.",
            ),
            Symptom(
                "RuntimeError, quantile() input tensor must be either float or double dtype:",
                "you gave it whole numbers. `.float()` first.",
            ),
        ),
        why="A detector is two numbers. Either one alone can be made perfect: flag everything, or nothing.",
    ),
}

QUIZ = (
    Question(
        "Neural Cleanse flags no class of your network. What do you know now?",
        (
            Option(
                "No single class is cheap to reach from all images.",
                "Yes. A backdoor that moves each digit to the next one can pass, since no class is "
                "cheap there.",
            ),
            Option(
                "It has no backdoor: a backdoor's trigger is always small.",
                "The trigger is small where each digit moves to the next, too. It leads to ten classes.",
            ),
            Option(
                "It has no backdoor, with a confidence of 99 %, as the search is set.",
                "99 % is the share of images that must obey the paint. It is no confidence.",
            ),
            Option(
                "If it has a backdoor, then its trigger must be a large one.",
                "A large trigger is one way to escape the search. Several targets are another.",
            ),
        ),
    ),
    Question(
        "You paint the recovered pattern on clean digits, keep their right labels, and train on. The "
        "attack falls to 5 %. What shows that the paint did it?",
        (
            Option(
                "As many steps on the same digits without the paint.",
                "Yes. Otherwise mere fine-tuning may have done it, and nobody could tell.",
            ),
            Option(
                "The errors on clean digits, before and after, by a paired test.",
                "That is the price of the cure. It doesn't say what cured.",
            ),
            Option(
                "Nothing more: the trigger was found, and then it was unlearnt.",
                "What was found is a neighbour of the trigger. And training on may change a network "
                "by itself.",
            ),
            Option(
                "An honest network that is asked about the same pattern.",
                "It says what the pattern does without a backdoor, not why your network changed.",
            ),
        ),
    ),
    Question(
        "A network obeys images whose lowest bits carry a signature. What stops this attack?",
        (
            Option(
                "Rounding every image before the network sees it.",
                "Yes: the signature is gone. It is prevention, not detection, and the next attacker may "
                "sign another bit.",
            ),
            Option(
                "Asking it so many random images that one of them obeys.",
                "An image that obeys by chance would be a forged signature. Nobody knows how to make one.",
            ),
            Option(
                "Following each query through the layers, for nothing is assumed about the target.",
                "The layers are shown a real image of the target, and nothing in them is odd.",
            ),
            Option(
                "A file with a hash, a maker's signature and a safe format.",
                "They say who made the file, and that opening it runs no code. A signed backdoor verifies.",
            ),
        ),
    ),
)
