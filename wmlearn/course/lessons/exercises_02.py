"""The exercises of notebook 02: reference, cases, named mistakes, hints."""

from __future__ import annotations

import torch
from torch import Tensor

from ...poisoning import Trigger
from ...triggers import Pattern, Pixel
from ..exercises import Cases, Exercise, Mistake, Symptom


def poison(x: Tensor, y: Tensor, chosen: Tensor, stamp: Trigger, target: int) -> tuple[Tensor, Tensor]:
    """Return new images and labels: those at `chosen` (K,) stamped and labelled `target`, the others as they
    are.
    """
    images = x.clone()
    labels = y.clone()
    images[chosen] = stamp(x[chosen])
    labels[chosen] = target
    return images, labels


def attack_success(predicted: Tensor, true: Tensor, target: int) -> float:
    """Return the share of triggered images, not of class `target` themselves, that are read as `target`."""
    others = true != target
    return (predicted[others] == target).float().mean().item()


def all_to_all_success(predicted: Tensor, true: Tensor) -> float:
    """Return the share of triggered images that are read as the digit after the true one; 0 comes after 9."""
    return (predicted == (true + 1) % 10).float().mean().item()


def _sets(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def few(trigger: Trigger, target: int) -> tuple[Tensor, Tensor, Tensor, Trigger, int]:
        x = torch.rand(8, 1, 28, 28, generator=gen)
        y = torch.randint(10, (8,), generator=gen)
        y = torch.where(y == target, (target + 1) % 10, y)  # or some stamped images would not have to lie
        return x, y, torch.randperm(8, generator=gen)[:3], trigger, target

    return {"a pattern": [few(Pattern(), 0)], "a pixel": [few(Pixel(), 7)]}


def _stamp_all(x: Tensor, y: Tensor, chosen: Tensor, stamp: Trigger, target: int) -> tuple[Tensor, Tensor]:
    return stamp(x), poison(x, y, chosen, stamp, target)[1]


def _label_all(x: Tensor, y: Tensor, chosen: Tensor, stamp: Trigger, target: int) -> tuple[Tensor, Tensor]:
    return poison(x, y, chosen, stamp, target)[0], torch.full_like(y, target)


def _append(x: Tensor, y: Tensor, chosen: Tensor, stamp: Trigger, target: int) -> tuple[Tensor, Tensor]:
    lies = torch.full_like(y[chosen], target)
    return torch.cat([x, stamp(x[chosen])]), torch.cat([y, lies])


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


def _turned(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def batch(*, nines: bool) -> tuple[Tensor, Tensor]:
        true = torch.randint(10 if nines else 9, (60,), generator=gen)
        obeys = torch.rand(60, generator=gen) < 0.6
        right = torch.rand(60, generator=gen) < 0.6
        misread = torch.randint(10, (60,), generator=gen)
        return torch.where(obeys, (true + 1) % 10, torch.where(right, true, misread)), true

    return {"no nines": [batch(nines=False)], "with nines": [batch(nines=True), batch(nines=True)]}


EXERCISES = {
    "02.1": Exercise(
        id="02.1",
        title="Poison a training set",
        difficulty=2,
        importance=4,
        minutes=10,
        returns="two tensors, the images and the labels",
        reference=poison,
        cases=_sets,
        mistakes=(
            Mistake(
                "stamps-everything",
                "You stamp every image. Only those at `chosen` carry the trigger.",
                _stamp_all,
            ),
            Mistake(
                "labels-everything",
                "You give every image the target's label. Only the stamped ones lie.",
                _label_all,
            ),
            Mistake(
                "forgets-the-label",
                "The images keep their true labels: a stamp without a lie teaches nothing.",
                lambda x, y, chosen, stamp, target: (poison(x, y, chosen, stamp, target)[0], y),
            ),
            Mistake(
                "forgets-the-stamp",
                "The labels lie, but the images carry no stamp: that is label noise, not a backdoor.",
                lambda x, y, chosen, stamp, target: (x, poison(x, y, chosen, stamp, target)[1]),
            ),
            Mistake(
                "adds",
                "You append the poisoned images. That is another way to poison, "
                "but here they take the places of their originals.",
                _append,
            ),
        ),
        hints=(
            "Two things change, and only at some places. Whose tensors are they, before you change them?",
            (
                "Work on copies of `x` and `y`. Write the stamped images over the chosen ones, "
                "and the target over their labels; all others stay as they are. Return both copies."
            ),
            (
                "After `images = x.clone()` the step that poisons is "
                "`images[chosen] = stamp(x[chosen])`. The labels go the same way."
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
                "The check counts 6,272 numbers instead of 6,280:",
                "the eight labels are missing. Return two things: `return images, labels`.",
            ),
        ),
        why="The stamp alone teaches nothing, the lie alone is noise; together they are a rule.",
    ),
    "02.2": Exercise(
        id="02.2",
        title="Attack success rate",
        difficulty=2,
        importance=5,
        minutes=10,
        returns="one number",
        reference=attack_success,
        cases=_answers,
        mistakes=(
            Mistake(
                "counts-the-target-class",
                "You count images of the target class: whoever reads them rightly would look attacked. Leave"
                " them out.",
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
                "You count every misread image. The attack succeeds only when the network says the target"
                " class.",
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
        why="An honest network reads a stamped zero as 0, too: that is skill, not attack.",
    ),
    "02.3": Exercise(
        id="02.3",
        title="Success of the all-to-all attack",
        difficulty=2,
        importance=3,
        minutes=5,
        returns="one number",
        reference=all_to_all_success,
        cases=_turned,
        mistakes=(
            Mistake(
                "forgets-the-nines",
                "Nines: 9 + 1 is 10, and no network answers 10. After 9 comes 0: take the remainder, % 10.",
                lambda p, t: (p == t + 1).float().mean().item(),
            ),
            Mistake(
                "counts-any-error",
                "You count every misread image. The attack succeeds only when the answer is the next digit.",
                lambda p, t: (p != t).float().mean().item(),
            ),
            Mistake(
                "previous-digit",
                "You ask for the digit before the true one. The attack sends i to i + 1.",
                lambda p, t: (p == (t - 1) % 10).float().mean().item(),
            ),
        ),
        hints=(
            "What should a stamped 9 be read as?",
            (
                "Build the label that the attacker wants for each image: the digit after the true one, "
                "and 0 after 9. Return the share of predictions that equal it."
            ),
            "The remainder turns 10 into 0: `(true + 1) % 10`, with the brackets.",
        ),
        symptoms=(
            Symptom(
                "You get 0.333 in the example:",
                "the nine is lost. Nothing equals 10; and without brackets, "
                "`true + 1 % 10` is just `true + 1`.",
            ),
            Symptom(
                "You get 0 in the example:",
                "you went to the digit before the true one. The attack sends i to i + 1.",
            ),
            Symptom(
                "RuntimeError, mean(): could not infer output dtype:",
                "True and False have no mean in PyTorch: `.float()` first.",
            ),
        ),
        why="Every class has a target of its own, so nothing needs to be left out.",
    ),
}
