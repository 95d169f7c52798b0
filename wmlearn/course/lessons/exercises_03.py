"""The exercises of notebook 03: reference, cases, named mistakes, hints."""

from __future__ import annotations

import torch
from torch import Tensor

from ..exercises import Cases, Exercise, Mistake, Symptom


def stick(picture: Tensor, sticker: Tensor, alpha: Tensor) -> Tensor:
    """Return a new picture with the sticker on: `alpha` is 1 where it covers, less at its edges."""
    return alpha * sticker + (1 - alpha) * picture


def source_success(predicted: Tensor, true: Tensor, source: int, target: int) -> float:
    """Return the share of the images of class `source` that are read as `target`."""
    return (predicted[true == source] == target).float().mean().item()


def leaked(train: Tensor, test: Tensor) -> float:
    """Return the share of the test photographs whose sign, given as a number, the training set shows, too."""
    return torch.isin(test, train).float().mean().item()


def _pictures(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(alpha: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return torch.rand(3, 8, 8, generator=gen), torch.rand(3, 8, 8, generator=gen), alpha

    hard = torch.zeros(1, 8, 8)
    hard[:, 2:5, 3:6] = 1.0
    return {
        "hard edges": [case(hard)],
        "soft edges": [case(hard * 0.6), case(torch.rand(1, 8, 8, generator=gen))],
    }


def _answers(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def batch(source: int, target: int) -> tuple[Tensor, Tensor, int, int]:
        true = torch.randint(3, (60,), generator=gen)
        misread = torch.randint(3, (60,), generator=gen)
        obeys = torch.rand(60, generator=gen) < 0.6
        right = torch.rand(60, generator=gen) < 0.6
        honest = torch.where(right, true, misread)
        return torch.where(obeys & (true == source), target, honest), true, source, target

    return {"stop to limit": [batch(0, 1), batch(0, 1)], "other pairs": [batch(2, 0)]}


def _signs(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)
    # sign 11 is photographed twelve times, sign 0 once
    groups = torch.arange(12).repeat_interleave(torch.arange(1, 13))
    groups = groups[torch.randperm(len(groups), generator=gen)]
    few = groups[torch.isin(groups, torch.tensor([0, 1, 2]))]
    return {
        "photographs drawn by lot": [(groups[:40], groups[40:])],
        "some signs in both": [(groups[groups < 7], groups[groups > 4]), (few, groups)],
        "none in both": [(groups[groups < 7], groups[groups > 6])],
    }


def _unique(sequence: Tensor) -> Tensor:
    return sequence.unique()


EXERCISES = {
    "03.1": Exercise(
        id="03.1",
        title="Stick it on",
        difficulty=2,
        importance=3,
        minutes=5,
        returns="a picture, (3, H, W)",
        reference=stick,
        cases=_pictures,
        mistakes=(
            Mistake(
                "adds",
                "You add the sticker's light to the sign's. A sticker covers: a share alpha of what lies"
                " under it must go.",
                lambda picture, sticker, alpha: picture + alpha * sticker,
            ),
            Mistake(
                "hard-edges",
                "You cover wherever alpha is above 0. Where it is below 1, mix the two.",
                lambda picture, sticker, alpha: torch.where(alpha > 0, sticker, picture),
            ),
            Mistake(
                "swapped",
                "Sign and sticker have changed places: alpha 1 shows the sticker.",
                lambda picture, sticker, alpha: alpha * picture + (1 - alpha) * sticker,
            ),
        ),
        hints=(
            ("A pixel at the sticker's edge is 30 % covered. Which share of its light comes from the sign?"),
            (
                "Every pixel is a mixture: a share alpha of the sticker, "
                "and what is left of 1 from the picture. One formula does it for all pixels at once."
            ),
            "What still shines through is `(1 - alpha) * picture`. The sticker's own share comes on top.",
        ),
        symptoms=(
            Symptom(
                "You get 0.7 in the example:",
                "all of the sign's light is still there. A share alpha of it must go.",
            ),
            Symptom(
                "You get 0.5 in the example:",
                "that is the sticker's share alone. Without the sign's, all that it doesn't cover is black.",
            ),
            Symptom(
                "You get 1 in the example:",
                "you cover wherever alpha is above 0. At 0.5 the two are mixed.",
            ),
            Symptom(
                "You get 1.4 in the example:",
                "brackets are missing: `(1 - alpha) * picture`.",
            ),
        ),
        why="The renderer sticks it on the plate like this, before tilt, light and blur.",
    ),
    "03.2": Exercise(
        id="03.2",
        title="Was the driver fooled?",
        difficulty=2,
        importance=5,
        minutes=10,
        returns="one number",
        reference=source_success,
        cases=_answers,
        mistakes=(
            Mistake(
                "counts-every-sign",
                "You count every sign. True speed limits are no victims: look at the source class only.",
                lambda p, t, source, target: (p == target).float().mean().item(),
            ),
            Mistake(
                "wrong-denominator",
                "You divide by all signs. Divide by those of the source class.",
                lambda p, t, source, target: ((p == target) & (t == source)).float().mean().item(),
            ),
            Mistake(
                "counts-any-error",
                "You count every misread stop sign. The attacker wants one answer: the target.",
                lambda p, t, source, target: (p[t == source] != source).float().mean().item(),
            ),
            Mistake(
                "true-among-target",
                "You start from the signs that are read as the target. Start from the stop signs.",
                lambda p, t, source, target: (t[p == target] == source).float().mean().item(),
            ),
        ),
        hints=(
            "Whom does this attack want to fool, and about what?",
            (
                "Look at the images of class `source` only; they are the ones that can be fooled. "
                "Of their predictions, return the share that equals `target`."
            ),
            (
                "`predicted[true == source]` are the answers that count. Compare them with `target`; "
                "a mean needs numbers: `.float().mean()`."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 0.75 in the example:",
                "you count a true speed limit as fooled. Look at the source class only.",
            ),
            Symptom(
                "You get 0.25 in the example:",
                "you divide by all four signs. Two of them are stop signs.",
            ),
            Symptom(
                "You get 0.333 in the example:",
                "you ask how many of those read as a limit are stop signs. Turn the question round.",
            ),
            Symptom(
                "RuntimeError, Boolean value of Tensor with more than one value is ambiguous:",
                "join two comparisons with `&`, not `and`, and put each in brackets: "
                "`(predicted == target) & (true == source)`.",
            ),
        ),
        why="A targeted attack has two classes in its name, and both belong in the measure.",
    ),
    "03.3": Exercise(
        id="03.3",
        title="Does the split leak?",
        difficulty=3,
        importance=4,
        minutes=10,
        returns="one number",
        reference=leaked,
        cases=_signs,
        mistakes=(
            Mistake(
                "counts-signs",
                "You count signs. Some are photographed more often than others: count the test photographs.",
                lambda train, test: torch.isin(_unique(test), train).float().mean().item(),
            ),
            Mistake(
                "other-way",
                "You ask it of the training photographs. Ask it of the test photographs.",
                lambda train, test: torch.isin(train, test).float().mean().item(),
            ),
            Mistake(
                "yes-or-no",
                "You say whether it leaks at all. How much? Return a share.",
                lambda train, test: float(torch.isin(test, train).any()),
            ),
        ),
        hints=(
            "For which of the test photographs has the network seen the very same sign in training?",
            (
                "Ask it of each test photograph, not of each sign: does its number stand among the "
                "training numbers? Return the share that says yes."
            ),
            (
                "`torch.isin(test, train)` says it for each test photograph. A mean needs numbers: "
                "`.float().mean()`."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 0.5 in the example:",
                "you count signs, and sign 2 was photographed three times. Count photographs.",
            ),
            Symptom(
                "You get 0.333 in the example:",
                "you ask it of the training photographs. Swap the two.",
            ),
            Symptom(
                "You get 1 in the example:",
                "you say that it leaks. How much? Take the mean, not `any`.",
            ),
            Symptom(
                "RuntimeError, mean(): could not infer output dtype:",
                "True and False have no mean in PyTorch: `.float()` first.",
            ),
        ),
        why=(
            "A network that has seen the very sign, a second earlier, remembers it; the test should ask what"
            " it has understood."
        ),
    ),
}
