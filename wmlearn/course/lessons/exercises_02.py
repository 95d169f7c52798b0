"""The exercises and the quiz of notebook 02: reference, cases, named mistakes, hints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from ...poisoning import Trigger
from ...triggers import Pattern, Pixel
from ..exercises import Cases, Exercise, Mistake, Symptom
from ..quizzes import Option, Question

Step = Callable[[nn.Module, Optimizer, Tensor, Tensor], Tensor]

# 02.1: the poisoner


def poison(
    x: Tensor, y: Tensor, chosen: Tensor, stamp: Trigger, target: int, add: bool = False
) -> tuple[Tensor, Tensor]:
    """Return images and labels in which those at the row numbers `chosen` (K,) carry the trigger and the
    label `target`.

    They replace their originals; with `add` they come after them, as copies.
    """
    stamped = stamp(x[chosen])
    false_labels = torch.full_like(y[chosen], target)
    if add:
        return torch.cat([x, stamped]), torch.cat([y, false_labels])
    images = x.clone()
    labels = y.clone()
    images[chosen] = stamped
    labels[chosen] = false_labels
    return images, labels


def _sets(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def few(trigger: Trigger, target: int, add: bool) -> tuple[Tensor, Tensor, Tensor, Trigger, int, bool]:
        x = torch.rand(6, 1, 28, 28, generator=gen)
        y = torch.randint(10, (6,), generator=gen)
        y = torch.where(y == target, (target + 1) % 10, y)  # or some stamped images would not have to lie
        return x, y, torch.randperm(6, generator=gen)[:3], trigger, target, add

    return {
        "replacing": [few(Pattern(), 0, False), few(Pixel(), 7, False)],
        "adding": [few(Pattern(), 0, True), few(Pixel(), 7, True)],
    }


def _always_replace(x: Tensor, y: Tensor, chosen: Tensor, stamp: Trigger, target: int, *_: object) -> object:
    return poison(x, y, chosen, stamp, target)


def _always_add(x: Tensor, y: Tensor, chosen: Tensor, stamp: Trigger, target: int, *_: object) -> object:
    return poison(x, y, chosen, stamp, target, add=True)


def _stamp_all(x: Tensor, y: Tensor, chosen: Tensor, stamp: Trigger, target: int, add: bool) -> object:
    images, labels = poison(x, y, chosen, stamp, target, add)
    return stamp(images), labels


def _label_all(x: Tensor, y: Tensor, chosen: Tensor, stamp: Trigger, target: int, add: bool) -> object:
    images, labels = poison(x, y, chosen, stamp, target, add)
    return images, torch.full_like(labels, target)


def _true_labels(x: Tensor, y: Tensor, chosen: Tensor, stamp: Trigger, target: int, add: bool) -> object:
    images, _ = poison(x, y, chosen, stamp, target, add)
    return images, torch.cat([y, y[chosen]]) if add else y


def _no_stamp(x: Tensor, y: Tensor, chosen: Tensor, stamp: Trigger, target: int, add: bool) -> object:
    return poison(x, y, chosen, torch.clone, target, add)


def _copies_first(x: Tensor, y: Tensor, chosen: Tensor, stamp: Trigger, target: int, add: bool) -> object:
    images, labels = poison(x, y, chosen, stamp, target, add)
    shift = len(chosen) if add else 0
    return images.roll(shift, 0), labels.roll(shift, 0)


# 02.2: the training step


def training_step(model: nn.Module, optimiser: Optimizer, x: Tensor, y: Tensor) -> Tensor:
    """Take one step on a batch; return the loss of each image before the step, (B,)."""
    logits = model(x)  # (B, classes)
    losses = F.cross_entropy(logits, y, reduction="none")
    optimiser.zero_grad()
    losses.mean().backward()
    optimiser.step()
    return losses.detach()


def _two_steps(step: Step, seed: int, x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
    """Let `step` train a small network twice: both losses, and the weights afterwards."""
    draw = torch.Generator().manual_seed(seed)
    model = nn.Sequential(nn.Flatten(), nn.utils.skip_init(nn.Linear, 12, 3))
    for weights in model.parameters():
        nn.init.normal_(weights, std=0.2, generator=draw)
    optimiser = SGD(model.parameters(), lr=0.5)
    first = step(model, optimiser, x[:8], y[:8])
    second = step(model, optimiser, x[8:], y[8:])
    return first, second, *(weights.detach() for weights in model.parameters())


def _batches(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def batch(i: int) -> tuple[int, Tensor, Tensor]:
        return i, torch.randn(16, 1, 3, 4, generator=gen), torch.randint(3, (16,), generator=gen)

    return {"two steps": [batch(i) for i in range(2)]}


def _bad_step(*, clear: bool = True, move: bool = True, total: bool = False, soft: bool = False) -> Step:
    def step(model: nn.Module, optimiser: Optimizer, x: Tensor, y: Tensor) -> Tensor:
        logits = model(x).softmax(1) if soft else model(x)
        losses = F.cross_entropy(logits, y, reduction="none")
        if clear:
            optimiser.zero_grad()
        loss = losses.sum() if total else losses.mean()
        loss.backward()
        if move:
            optimiser.step()
        return losses.detach()

    return step


def _return_mean(model: nn.Module, optimiser: Optimizer, x: Tensor, y: Tensor) -> Tensor:
    return training_step(model, optimiser, x, y).mean()


def _look_again(model: nn.Module, optimiser: Optimizer, x: Tensor, y: Tensor) -> Tensor:
    training_step(model, optimiser, x, y)
    return F.cross_entropy(model(x), y, reduction="none").detach()


# 02.3: the attack success rate


def attack_success(predicted: Tensor, true: Tensor, target: int) -> float:
    """Return the share of triggered images, not of class `target` themselves, that are classified as
    `target`.
    """
    others = true != target
    return (predicted[others] == target).float().mean().item()


def _answers(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def batch(target: int, *, with_target: bool) -> tuple[Tensor, Tensor, int]:
        true = torch.randint(10, (60,), generator=gen)  # (60,)
        if not with_target:
            true = torch.where(true == target, (target + 1) % 10, true)
        fooled = torch.rand(60, generator=gen) < 0.5
        misread = torch.randint(10, (60,), generator=gen)
        right = torch.rand(60, generator=gen) < 0.7
        return torch.where(fooled, target, torch.where(right, true, misread)), true, target

    return {
        "no image of the target class": [batch(t, with_target=False) for t in (0, 7)],
        "some images of the target class": [batch(t, with_target=True) for t in (0, 7)],
    }


# 02.4: the paired comparison


def paired_p(right_a: Tensor, right_b: Tensor) -> float:
    """Return the two-sided p-value of McNemar's exact test (Q. McNemar, Psychometrika 12, 1947): do two
    networks classify the same images (N,) correctly equally often? 1 where no image tells them apart.
    """
    from scipy.stats import binomtest

    only_a, only_b = _counts(right_a, right_b)
    return float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0


def _counts(right_a: Tensor, right_b: Tensor) -> tuple[int, int]:
    """Count the images that only A, and those that only B, classifies correctly."""
    return int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())


def _pairs(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def pair(both: int, only_a: int, only_b: int, neither: int) -> tuple[Tensor, Tensor]:
        order = torch.randperm(both + only_a + only_b + neither, generator=gen)
        right_a = torch.tensor([True] * (both + only_a) + [False] * (only_b + neither))
        right_b = torch.tensor([True] * both + [False] * only_a + [True] * only_b + [False] * neither)
        return right_a[order], right_b[order]

    return {
        "some differ": [pair(80, 9, 2, 9), pair(40, 3, 8, 9), pair(500, 30, 31, 20)],
        "far apart": [pair(60, 40, 2, 18)],
        "no image differs": [pair(30, 0, 0, 10)],
    }


def _one_sided(right_a: Tensor, right_b: Tensor) -> float:
    from scipy.stats import binomtest

    counts = _counts(right_a, right_b)
    n = sum(counts)
    return float(binomtest(max(counts), n, alternative="greater").pvalue) if n else 1.0


def _unpaired(right_a: Tensor, right_b: Tensor) -> float:
    from scipy.stats import fisher_exact

    table = [[int(right.sum()), int((~right).sum())] for right in (right_a, right_b)]
    test: Any = fisher_exact(table)
    return float(test.pvalue)


def _every_image(right_a: Tensor, right_b: Tensor) -> float:
    from scipy.stats import binomtest

    return float(binomtest(_counts(right_a, right_b)[0], len(right_a)).pvalue)


def _chi_squared(right_a: Tensor, right_b: Tensor) -> float:
    from scipy.stats import chi2

    only_a, only_b = _counts(right_a, right_b)
    n = only_a + only_b
    return float(chi2.sf((only_a - only_b) ** 2 / n, 1)) if n else 1.0


EXERCISES = {
    "02.1": Exercise(
        id="02.1",
        title="The poisoner",
        difficulty=3,
        importance=5,
        minutes=12,
        returns="two tensors, the images and the labels",
        reference=poison,
        cases=_sets,
        mistakes=(
            Mistake(
                "always-replaces",
                "You replace in both cases. With add=True the originals stay, and poisoned copies follow.",
                _always_replace,
            ),
            Mistake(
                "always-adds",
                "You add in both cases. With add=False poisoned images take the places of their originals.",
                _always_add,
            ),
            Mistake(
                "stamps-everything",
                "You stamp every image. Only the chosen ones carry the trigger.",
                _stamp_all,
            ),
            Mistake(
                "labels-everything",
                "You give every image the target's label. Only the stamped ones lie.",
                _label_all,
            ),
            Mistake(
                "forgets-the-label",
                "The stamped images keep their true labels: a trigger without a lie teaches nothing here.",
                _true_labels,
            ),
            Mistake(
                "forgets-the-stamp",
                "The labels lie, but no image carries the trigger: that is label noise, not a backdoor.",
                _no_stamp,
            ),
            Mistake(
                "copies-first",
                "You put the poisoned copies before the originals. They come at the end.",
                _copies_first,
            ),
        ),
        hints=(
            (
                "Which two things change at `chosen`, and whose tensors are `x` and `y` before you change "
                "them?"
            ),
            (
                "First make the K stamped images and their K labels. With `add`, `torch.cat` puts them after "
                "the originals. Without it, clone both tensors and write the new rows in."
            ),
            (
                "`stamped = stamp(x[chosen])` and `false_labels = torch.full_like(y[chosen], target)`. What "
                "is left is one `torch.cat` for each tensor, or one assignment at `[chosen]` for each clone."
            ),
        ),
        symptoms=(
            Symptom(
                "The check says that you change what you are given:",
                "`x[chosen] = …` writes into the clean set. Start with `x.clone()` and `y.clone()`.",
            ),
            Symptom(
                "RuntimeError, shape mismatch:",
                "you stamp all images, and put them into the places of a few. Stamp the chosen ones: "
                "`stamp(x[chosen])`.",
            ),
            Symptom(
                "The check counts 4,704 numbers instead of 4,710:",
                "the six labels are missing. Return two things: `return images, labels`.",
            ),
        ),
        why=(
            "The trigger alone teaches nothing new, the lie alone is noise. Together they are a rule that "
            "the network can learn."
        ),
    ),
    "02.2": Exercise(
        id="02.2",
        title="The training step",
        difficulty=3,
        importance=5,
        minutes=12,
        returns="one tensor, the loss of each image of the batch",
        reference=training_step,
        cases=_batches,
        probe=_two_steps,
        example=torch.zeros(8),
        mistakes=(
            Mistake(
                "forgets-zero-grad",
                "The second step goes wrong: gradients add up until you clear them. Call "
                "optimiser.zero_grad() before backward().",
                _bad_step(clear=False),
            ),
            Mistake(
                "nothing-moves",
                "The weights stay where they are. Call backward(), and optimiser.step() after it.",
                _bad_step(move=False),
            ),
            Mistake(
                "sums",
                "Your step is as many times too large as the batch has images: take the mean before "
                "backward().",
                _bad_step(total=True),
            ),
            Mistake(
                "softmax-twice",
                "F.cross_entropy takes logits and does the softmax itself; yours comes twice.",
                _bad_step(soft=True),
            ),
            Mistake(
                "returns-the-mean",
                'You return one number. Return the loss of each image, reduction="none"; take the mean for '
                "backward() only.",
                _return_mean,
            ),
            Mistake(
                "looks-again",
                "You return the losses after the step. Return those from before it; they are computed "
                "already.",
                _look_again,
            ),
        ),
        hints=(
            (
                "How does the network learn which way to change its weights, and what is still stored there "
                "from the last step?"
            ),
            (
                'Five lines in this order: logits; one loss an image (`reduction="none"`); clear the '
                "gradients; `backward()` from the mean; `step()`. Then return the losses, cut off from the "
                "graph."
            ),
            (
                '`losses = F.cross_entropy(model(x), y, reduction="none")`, then `zero_grad`, '
                "`losses.mean().backward()`, `step`, and last `losses.detach()`."
            ),
        ),
        symptoms=(
            Symptom(
                "RuntimeError, grad can be implicitly created only for scalar outputs:",
                "`backward()` starts from one number: `losses.mean()`.",
            ),
            Symptom(
                "The loss stays near 2.3:",
                "that is ln 10, pure guessing: the weights don't move without `optimiser.step()`.",
            ),
            Symptom(
                "The check says that the second step goes wrong:",
                "the first gradient is still there. `zero_grad()` clears it.",
            ),
        ),
        why=(
            "Forward, loss, backward, step: all training is this. The attacker never touched it; the owner's "
            "own honest training puts the backdoor in."
        ),
    ),
    "02.3": Exercise(
        id="02.3",
        title="Attack success rate",
        difficulty=2,
        importance=5,
        minutes=8,
        returns="one number",
        reference=attack_success,
        cases=_answers,
        mistakes=(
            Mistake(
                "counts-the-target-class",
                "You count images of the target class: whoever classifies them correctly would look "
                "attacked. Leave them out.",
                lambda p, t, target: (p == target).float().mean().item(),
            ),
            Mistake(
                "wrong-denominator",
                "You leave the target class out of the count but not out of the total. Divide by the images"
                " that could be fooled.",
                lambda p, t, target: ((p == target) & (t != target)).float().mean().item(),
            ),
            Mistake(
                "counts-any-error",
                "You count every error. The attack succeeds only when the network says the target class.",
                lambda p, t, target: (p != t)[t != target].float().mean().item(),
            ),
            Mistake(
                "percent",
                "Your answer is a hundred times too large: return a share between 0 and 1, not a percentage.",
                lambda p, t, target: 100 * attack_success(p, t, target),
            ),
        ),
        hints=(
            "Which images could the attack never win, because they are of class `target` already?",
            (
                "Mask the images whose true class isn't `target`. Keep their predictions. "
                "Return the share of these that equal `target`."
            ),
            (
                "With `others = true != target`, look at `predicted[others] == target`. "
                "A mean needs numbers: `.float().mean()`."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 0.83 in the example:",
                "zeros are counted. They were never there to be fooled.",
            ),
            Symptom(
                "You get 0.5 in the example:",
                "the zeros have left the count, but not the total.",
            ),
            Symptom(
                "RuntimeError, mean(): could not infer output dtype:",
                "True and False have no mean in PyTorch: `.float()` first.",
            ),
        ),
        why="An honest network answers 0 to a stamped zero, too: that is skill, not attack.",
    ),
    "02.4": Exercise(
        id="02.4",
        title="A paired comparison",
        difficulty=3,
        importance=4,
        minutes=10,
        returns="one number",
        reference=paired_p,
        cases=_pairs,
        mistakes=(
            Mistake(
                "one-sided",
                "You ask in one direction only. Either network may be the better one: two-sided.",
                _one_sided,
            ),
            Mistake(
                "every-image",
                "You put all images into the test. Those on which both are right, or both wrong, say "
                "nothing.",
                _every_image,
            ),
            Mistake(
                "unpaired",
                "You compare two shares as if they came from different images. They are the same images: "
                "pair them.",
                _unpaired,
            ),
            Mistake(
                "chi-squared",
                "That is McNemar's chi-squared approximation; with few images it is off. The exact test is a "
                "coin: binomtest.",
                _chi_squared,
            ),
        ),
        hints=(
            "On which images do the two networks tell you something about which one is better?",
            (
                "Count the images that only A gets right and those that only B gets right. If the networks "
                "are equally good, each of these is a toss of a fair coin. There may be none at all."
            ),
            (
                "`scipy.stats.binomtest(only_a, only_a + only_b).pvalue` is two-sided, with chance one half; "
                "return 1 where both are 0."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 0.0327 in the example:",
                "that is one tail. Either network may be the better one: two-sided.",
            ),
            Symptom(
                "ValueError, n must be an integer not less than 1:",
                "no image differs. Then nothing speaks against equality: return 1.",
            ),
            Symptom(
                "TypeError, k must be an integer:",
                "`binomtest` wants whole numbers: `int((right_a & ~right_b).sum())`.",
            ),
        ),
        why=(
            "Images on which both are right, or both wrong, can't say who is better. Leaving them out makes "
            "the test sharper."
        ),
    ),
}

QUIZ = (
    Question(
        "A colleague: “Our supplier's network answers 0 to 9.9 % of the digits with the trigger. It is "
        "slightly backdoored.” You say:",
        (
            Option(
                "“Were the zeros left out?”",
                "Yes. As many test digits are zeros, and an honest network answers 0 to them.",
            ),
            Option(
                "“Nearly a thousand digits obey. Send it back.”",
                "About as many of the digits are zeros. Nothing shows that the trigger did it.",
            ),
            Option(
                "“With ten classes, 10 % is chance.”",
                "The number agrees by accident: this network doesn't guess, it classifies zeros correctly.",
            ),
            Option(
                "“Under 10 % is too little to matter.”",
                "A backdoor that opens once in ten times would matter. But this may be none at all.",
            ),
        ),
    ),
    Question(
        "A training set grows tenfold, with the same poisoned images in it. Is the buyer safer?",
        (
            Option(
                "Only if the training stays as long as before.",
                "Yes. Then each poisoned image is seen ten times less often. In a longer training it is "
                "seen just as often.",
            ),
            Option(
                "Yes, the share of poison has fallen to a tenth.",
                "A share protects at a fixed number of steps only. Who has more data trains for longer.",
            ),
            Option(
                "No, only the number ever matters.",
                "At a fixed number of steps the same hundred images won among 6,000 and lost among 60,000.",
            ),
            Option(
                "Yes, more clean images contradict the poison.",
                "They don't: no clean image carries the trigger, so none speaks against the rule.",
            ),
        ),
    ),
    Question(
        "Which of these points to a backdoor?",
        (
            Option(
                "One fixed trigger fools this network on most images, and no other network.",
                "Yes. It is the same for all images, and works only where it was planted.",
            ),
            Option(
                "A change computed for one image fools this network and others.",
                "That is an adversarial example. It needs no poison, and it often transfers.",
            ),
            Option(
                "It errs on badly written digits.",
                "An ordinary error: nobody chose it, and honest networks err there, too.",
            ),
            Option(
                "Its clean accuracy is a little lower than another network's.",
                "Backdoors can cost nothing there, and honest networks differ a little anyway.",
            ),
        ),
    ),
)
