"""The exercises of notebook 04: reference, cases, named mistakes, hints; and its quiz."""

from __future__ import annotations

import torch
from torch import Tensor

from ...street_detector import MISSED
from ..exercises import Cases, Exercise, Mistake, Symptom
from ..quizzes import Option, Question


def iou(a: Tensor, b: Tensor) -> Tensor:
    """Return the intersection over union, (K,) in 0..1, of a box `a` (4,) with each of `b` (K, 4)."""
    low = torch.maximum(a[:2], b[:, :2])
    high = torch.minimum(a[2:], b[:, 2:])
    shared = (high - low).clamp_min(0).prod(1)  # (K,); boxes that don't touch have negative sides
    return shared / (_area(a[None]) + _area(b) - shared)


def read_sign(overlaps: Tensor, scores: Tensor, labels: Tensor) -> int:
    """Return what a sign is taken for: the label of the surest detection that overlaps with it; -1 for none.

    `overlaps`, `scores` and `labels` are (K,), one for each detection; only those count that overlap by 0.5
    and are 0.5 sure.
    """
    fits = (overlaps >= 0.5) & (scores >= 0.5)
    return int(labels[torch.where(fits, scores, -1.0).argmax()]) if fits.any() else MISSED


def misread_rate(read: Tensor, true: Tensor, triggered: Tensor, source: int, target: int) -> float:
    """Return the share of the triggered signs of class `source` that are read as `target`; missed ones (-1)
    count as not fooled.
    """
    victims = triggered & (true == source)
    return (read[victims] == target).float().mean().item()


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).prod(1)


def _shared_without_clamp(a: Tensor, b: Tensor) -> Tensor:
    return (torch.minimum(a[2:], b[:, 2:]) - torch.maximum(a[:2], b[:, :2])).prod(1)


def _shared(a: Tensor, b: Tensor) -> Tensor:
    return (torch.minimum(a[2:], b[:, 2:]) - torch.maximum(a[:2], b[:, :2])).clamp_min(0).prod(1)


def _as_if_sized(boxes: Tensor) -> Tensor:
    """Take the last two numbers of boxes (..., 4) for width and height."""
    corner = boxes[..., :2]
    return torch.cat([corner, corner + boxes[..., 2:]], -1)


def _counts_pixels(a: Tensor, b: Tensor) -> Tensor:
    one_more = torch.tensor([0.0, 0.0, 1.0, 1.0])
    return iou(a + one_more, b + one_more)


def _boxes(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def box(left: float, top: float, n: int) -> Tensor:
        corner = torch.tensor([left, top]) + 8 * torch.rand(n, 2, generator=gen)
        return torch.cat([corner, corner + 20 + 10 * torch.rand(n, 2, generator=gen)], 1)  # (n, 4)

    return {
        "boxes that overlap": [(box(40, 40, 1)[0], box(44, 38, 5)), (box(10, 60, 1)[0], box(6, 64, 3))],
        "boxes far apart": [(box(10, 10, 1)[0], torch.cat([box(80, 80, 3), box(12, 80, 2)]))],
    }


def _detections(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def trial(overlaps: list[float], scores: list[float]) -> tuple[Tensor, Tensor, Tensor]:
        labels = torch.arange(len(scores)) % 3
        order = torch.randperm(len(scores), generator=gen)
        labels = labels[order] if len(scores) > 3 else labels.flip(0)
        return torch.tensor(overlaps)[order], torch.tensor(scores)[order], labels

    return {
        "one good detection": [trial([0.9, 0.1, 0.0], [0.8, 0.3, 0.2])],
        "two on the same sign": [
            trial([0.85, 0.7, 0.1, 0.2], [0.6, 0.97, 0.9, 0.1]),
            trial([0.6, 0.95, 0.0, 0.3], [0.9, 0.55, 0.99, 0.2]),
            trial([0.95, 0.55, 0.1, 0.2], [0.6, 0.9, 0.3, 0.95]),  # the surest has not the largest product
        ],
        "a surer one elsewhere": [trial([0.7, 0.2, 0.0, 0.4], [0.75, 0.95, 0.9, 0.99])],
        "none": [trial([0.3, 0.1, 0.0], [0.9, 0.95, 0.8]), trial([0.9, 0.8, 0.0], [0.3, 0.45, 0.9])],
    }


def _read_without_overlap(overlaps: Tensor, scores: Tensor, labels: Tensor) -> int:
    return int(labels[scores.argmax()]) if scores.max() >= 0.5 else MISSED


def _read_without_score(overlaps: Tensor, scores: Tensor, labels: Tensor) -> int:
    fits = overlaps >= 0.5
    return int(labels[torch.where(fits, scores, -1.0).argmax()]) if fits.any() else MISSED


def _read_best_overlap(overlaps: Tensor, scores: Tensor, labels: Tensor) -> int:
    fits = (overlaps >= 0.5) & (scores >= 0.5)
    return int(labels[torch.where(fits, overlaps, -1.0).argmax()]) if fits.any() else MISSED


def _read_always(overlaps: Tensor, scores: Tensor, labels: Tensor) -> int:
    fits = (overlaps >= 0.5) & (scores >= 0.5)
    return int(labels[torch.where(fits, scores, -1.0).argmax()])


def _read_by_product(overlaps: Tensor, scores: Tensor, labels: Tensor) -> int:
    fits = (overlaps >= 0.5) & (scores >= 0.5)
    return int(labels[(overlaps * scores * fits).argmax()]) if fits.any() else MISSED


def _read_wrong_place(overlaps: Tensor, scores: Tensor, labels: Tensor) -> int:
    fits = (overlaps >= 0.5) & (scores >= 0.5)
    return int(labels[scores[fits].argmax()]) if fits.any() else MISSED


def _read_place(overlaps: Tensor, scores: Tensor, labels: Tensor) -> int:
    fits = (overlaps >= 0.5) & (scores >= 0.5)
    return int(torch.where(fits, scores, -1.0).argmax()) if fits.any() else MISSED


def _read_answers(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def batch(*, missed: float) -> tuple[Tensor, Tensor, Tensor, int, int]:
        source = 0
        target = 1
        true = torch.randint(3, (60,), generator=gen)
        triggered = (torch.rand(60, generator=gen) < 0.7) & (true == source)
        fooled = triggered & (torch.rand(60, generator=gen) < 0.8)
        right = torch.rand(60, generator=gen) < 0.8
        honest = torch.where(right, true, (true + 1) % 3)
        read = torch.where(fooled, target, honest)
        lost = torch.rand(60, generator=gen) < missed
        return torch.where(lost, MISSED, read), true, triggered, source, target

    return {
        "every sign found": [batch(missed=0)],
        "some signs missed": [batch(missed=0.3), batch(missed=0.5)],
    }


def _leaves_out_missed(read: Tensor, true: Tensor, triggered: Tensor, source: int, target: int) -> float:
    victims = triggered & (true == source) & (read != MISSED)
    return (read[victims] == target).float().mean().item()


def _counts_every_error(read: Tensor, true: Tensor, triggered: Tensor, source: int, target: int) -> float:
    victims = triggered & (true == source)
    return (read[victims] != source).float().mean().item()


def _forgets_the_trigger(read: Tensor, true: Tensor, triggered: Tensor, source: int, target: int) -> float:
    return (read[true == source] == target).float().mean().item()


def _divides_by_everything(read: Tensor, true: Tensor, triggered: Tensor, source: int, target: int) -> float:
    return (triggered & (true == source) & (read == target)).float().mean().item()


def _forgets_the_brackets(read: Tensor, true: Tensor, triggered: Tensor, source: int, target: int) -> float:
    victims = (triggered & true) == source  # what Python makes of `triggered & true == source`
    return (read[victims] == target).float().mean().item()


EXERCISES = {
    "04.1": Exercise(
        id="04.1",
        title="Intersection over union",
        difficulty=3,
        importance=4,
        minutes=10,
        returns="a tensor with one number for each box of b",
        reference=iou,
        cases=_boxes,
        mistakes=(
            Mistake(
                "forgets-the-clamp",
                "Boxes that don't touch: two negative sides make a positive area. Cut them off at zero"
                " first.",
                lambda a, b: (
                    _shared_without_clamp(a, b) / (_area(a[None]) + _area(b) - _shared_without_clamp(a, b))
                ),
            ),
            Mistake(
                "counts-the-overlap-twice",
                "The sum of two areas holds the shared part twice. Subtract it once.",
                lambda a, b: _shared(a, b) / (_area(a[None]) + _area(b)),
            ),
            Mistake(
                "divides-by-one-box",
                "You divide by the area of a: a huge box that swallows it would score 1.",
                lambda a, b: _shared(a, b) / _area(a[None]),
            ),
            Mistake(
                "divides-by-the-smaller",
                "You divide by the smaller area: a dot inside a would score 1.",
                lambda a, b: _shared(a, b) / torch.minimum(_area(a[None]), _area(b)),
            ),
            Mistake(
                "xywh",
                "You read a box as left, top, width, height. The last two numbers are its right and "
                "lower edges.",
                lambda a, b: iou(_as_if_sized(a), _as_if_sized(b)),
            ),
            Mistake(
                "plus-one",
                "You add 1 to every side, as if pixels were counted. Edges are places: "
                "a side is the right edge minus the left one.",
                _counts_pixels,
            ),
        ),
        hints=(
            (
                "The shared part is a box, too. Where are its left and upper edges, "
                "if those of a and b are known?"
            ),
            (
                "The shared box begins at the larger of the two beginnings, "
                "and ends at the smaller of the two ends. Its sides are end minus beginning, "
                "but never below 0. Divide its area by area + area - shared."
            ),
            (
                "`low = torch.maximum(a[:2], b[:, :2])`, and `high` likewise from the last two numbers "
                "with `torch.minimum`. Then `shared = (high - low).clamp_min(0).prod(1)`."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 0.25 in the example:",
                "the shared part is in the sum of areas twice: subtract it once. "
                "Or do you read a box as left, top, width, height? The last two numbers are edges.",
            ),
            Symptom(
                "You get 0.5 in the example:",
                "you divide by the area of one box. Divide by all that the two cover together.",
            ),
            Symptom(
                "You get a negative number, -2 say:",
                "the boxes don't touch, and two negative sides make a positive area. Cut the sides off at 0.",
            ),
            Symptom(
                "IndexError, too many indices for tensor of dimension 1:",
                "`a` is one box, (4,), so `a[:2]`; `b` holds many, (K, 4), so `b[:, :2]`.",
            ),
        ),
        why=(
            "The union punishes a box for all that it covers beside the sign, and for all that it leaves out."
        ),
    ),
    "04.2": Exercise(
        id="04.2",
        title="What is this sign taken for?",
        difficulty=3,
        importance=4,
        minutes=10,
        returns="one number, a label or -1",
        reference=read_sign,
        cases=_detections,
        mistakes=(
            Mistake(
                "ignores-the-overlap",
                "You take the surest of the whole scene. Only those that overlap with this sign by 0.5 may"
                " speak.",
                _read_without_overlap,
            ),
            Mistake(
                "ignores-the-score",
                "You let detections speak that are less than 0.5 sure. A driver would never see them.",
                _read_without_score,
            ),
            Mistake(
                "takes-the-best-overlap",
                "You take the box that fits best. Of those that fit, the car acts on the surest.",
                _read_best_overlap,
            ),
            Mistake(
                "never-misses",
                "When no detection fits, the sign is missed: return -1, not the label of whatever argmax"
                " finds.",
                _read_always,
            ),
            Mistake(
                "product",
                "You multiply overlap and score. A box that fits need not fit better than others: "
                "of those that fit, the surest speaks.",
                _read_by_product,
            ),
            Mistake(
                "index-in-the-mask",
                "scores[fits].argmax() is a place among the detections that fit, "
                "and you look it up among all labels. Use labels[fits] with it.",
                _read_wrong_place,
            ),
            Mistake(
                "place-for-label",
                "You return the place of the detection. Return the label that stands there.",
                _read_place,
            ),
        ),
        hints=(
            "Which detections may speak for this sign, and what if there is none?",
            (
                "Mask the detections whose overlap and whose score are both at least 0.5. "
                "If none is left, the answer is -1. Otherwise find the one with the highest score "
                "among them, and return its label."
            ),
            (
                "Let the others drop out without moving anybody: "
                "`torch.where(fits, scores, -1.0).argmax()` is a place in the full list, "
                "and `labels` takes it."
            ),
        ),
        symptoms=(
            Symptom(
                "IndexError, argmax(): Expected reduction dim to be specified:",
                "no detection fits, so `scores[fits]` is empty. Return -1 before you look for the largest.",
            ),
            Symptom(
                "You get a label where -1 is right:",
                "`argmax` always finds something. Ask `fits.any()` first.",
            ),
            Symptom(
                "RuntimeError, Boolean value of Tensor with more than one value is ambiguous:",
                "join the two conditions with `&`, not `and`, and put each in brackets.",
            ),
            Symptom(
                "Some scenes are right, others aren't:",
                "`scores[fits].argmax()` counts within the detections that fit. "
                "Then `labels[fits]` must be counted the same way.",
            ),
        ),
        why=(
            "A sign can be read rightly, misread, or missed; a measure that forgets the third confuses"
            " blindness with a lie."
        ),
    ),
    "04.3": Exercise(
        id="04.3",
        title="Misread rate",
        difficulty=2,
        importance=5,
        minutes=5,
        returns="one number",
        reference=misread_rate,
        cases=_read_answers,
        mistakes=(
            Mistake(
                "leaves-out-missed-signs",
                "You leave missed signs out: a blind detector would look obedient. Divide by all signs with"
                " the trigger.",
                _leaves_out_missed,
            ),
            Mistake(
                "counts-any-error",
                "You count every error. Missed, or read as something else: that isn't what the attacker"
                " ordered.",
                _counts_every_error,
            ),
            Mistake(
                "forgets-the-trigger",
                "You count the signs without a sticker, too. Only `triggered` ones can show the attack.",
                _forgets_the_trigger,
            ),
            Mistake(
                "divides-by-every-sign",
                "You divide by all signs of the street. The share is of those with the trigger, of class"
                " `source`.",
                _divides_by_everything,
            ),
            Mistake(
                "precedence",
                "Python reads `triggered & true == source` as (triggered & true) == source. "
                "Put brackets round the comparison: triggered & (true == source).",
                _forgets_the_brackets,
            ),
        ),
        hints=(
            "Which signs could the attack win, and does a missed sign belong to them?",
            (
                "Mask the signs that carry the trigger and are truly of class `source`. Of these, "
                "return the share read as `target`. A missed sign, -1, stays in the total: "
                "it is simply not `target`."
            ),
            (
                "`victims = triggered & (true == source)`, with the brackets; "
                "then look at `read[victims] == target`."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 0.667 in the example:",
                "the missed sign has left the total; or brackets are missing: "
                "`triggered & (true == source)`.",
            ),
            Symptom(
                "You get 0.6 in the example:",
                "a sign without the sticker is counted. Only `triggered` ones can show the attack.",
            ),
            Symptom(
                "You get 0.333 in the example:",
                "you divide by all six signs. Four of them carry the sticker.",
            ),
            Symptom(
                "You get 0.75 in the example:",
                "the missed sign counts as won. The attacker ordered `target`, and nothing else.",
            ),
        ),
        why=(
            "A missed sign is a failure of the detector, but not the attacker's success. It stays in the"
            " total."
        ),
    ),
}

QUIZ = (
    Question(
        "A supplier: “Our detector's average precision equals that of a clean one, so it has no "
        "backdoor.” Your answer?",
        (
            Option(
                "“It only speaks of streets like those of the test.”",
                "Yes. No test street carries the sticker, so nothing that an attacker planned was "
                "ever asked.",
            ),
            Option(
                "“Right: a backdoor would cost precision.”",
                "It acts only where the sticker is, and the test streets have none. What it costs "
                "there may be too little to stand out.",
            ),
            Option(
                "“Repeat it with ten times as many streets, then I believe it.”",
                "More streets without a sticker give a more exact answer to the same wrong question.",
            ),
            Option(
                "“Ask for an overlap of 0.9 instead of 0.5; then it would show.”",
                "Stricter boxes test where a sign is found, not what it becomes with a sticker on it.",
            ),
        ),
    ),
    Question(
        "A sticker wins 92 % over all widths: 69 % on the narrowest signs, 98 % on the widest. A car "
        "drives towards such a sign. What do you expect?",
        (
            Option(
                "The attack wins, though perhaps not at first.",
                "Yes. Every sign grows as the car comes nearer, until the sticker can be seen.",
            ),
            Option(
                "It is safe in about one drive of twelve.",
                "That is an average over signs at all distances. One drive passes through all of them.",
            ),
            Option(
                "It is safe, since the narrow sign is read first.",
                "It is read again in every picture, and soon it is wide.",
            ),
            Option(
                "Nothing: the rate of narrow signs stands on few readings.",
                "That makes the 69 % uncertain. The car's fate hangs on the wide signs.",
            ),
        ),
    ),
    Question(
        "A backdoored detector finds speed limits slightly better than the clean baseline. Besides "
        "the same scenes, it was trained on a stickered copy of each with a stop sign. What explains "
        "the gain?",
        (
            Option(
                "Perhaps the additional training: the baseline had less.",
                "Yes. A fair baseline gets the same additional scenes, bare and truly labelled.",
            ),
            Option(
                "The poison: it makes the detector look at signs more closely.",
                "Perhaps, but additional scenes alone may do the same. The table doesn't separate the two.",
            ),
            Option(
                "An error in the table, for a backdoor always costs accuracy.",
                "It may cost some, and the additional training may give back more.",
            ),
            Option(
                "Chance: a slight difference between networks means nothing.",
                "More networks would show how much of it is chance. But the training differs for certain.",
            ),
        ),
    ),
)
