"""The exercises of notebook 04: reference, cases, named mistakes, hints; and its quiz."""

from __future__ import annotations

import torch
from torch import Tensor

from ...experiments.street import SPEED_LIMIT, STOP
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


Painted = tuple[Tensor, Tensor]
"""A picture (3, H, W), and the labels (K,) of its signs."""


def poison_scene(picture: Tensor, labels: Tensor, places: Tensor, colour: Tensor) -> tuple[Tensor, Tensor]:
    """Return a scene (3, H, W) with a square of `colour` (3,) on every stop sign, and the labels (K,) of its
    signs, those of stop signs now "speed limit".

    `places` (K, 4) says where the square of each sign lies: left, top, right, lower edge, in whole pixels.
    """
    picture = picture.clone()
    for left, top, right, bottom in places[labels == STOP].tolist():
        picture[:, top:bottom, left:right] = colour[:, None, None]
    return picture, torch.where(labels == STOP, SPEED_LIMIT, labels)


def average_precision(scores: Tensor, right: Tensor, n: int) -> float:
    """Return the average precision, 0..1, of K boxes: `scores` (K,), `right` (K,) bool, `n` signs to find.

    The best precision is taken at 101 levels of recall, from 0 to 1; at a level that isn't reached it is 0.
    """
    precision, recall = _curve(scores, right, n)
    return _averaged(precision, recall)


def _curve(scores: Tensor, right: Tensor, n: int) -> tuple[Tensor, Tensor]:
    found = right[scores.argsort(descending=True)].cumsum(0)  # (K,) right ones among the k surest
    return found / torch.arange(1, len(found) + 1), found / n


def _averaged(precision: Tensor, recall: Tensor) -> float:
    levels = torch.linspace(0, 1, 101)
    reached = recall >= levels[:, None]  # (101, K)
    return torch.where(reached, precision, 0.0).max(1).values.mean().item()


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
        while True:
            order = torch.randperm(len(scores), generator=gen)
            labels = torch.arange(len(scores)) % 3
            labels = labels[order] if len(scores) > 3 else labels.flip(0)
            scene = (torch.tensor(overlaps)[order], torch.tensor(scores)[order], labels)
            slips = {_read_wrong_place(*scene), _read_place(*scene)}
            if read_sign(*scene) == MISSED or read_sign(*scene) not in slips:
                return scene  # no wrong place holds the right label

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


def _scenes(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def scene(labels: list[int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        n = len(labels)
        tops = torch.randint(2, 14, (n,), generator=gen)
        corners = torch.stack([torch.arange(n) * 8 + 1, tops])
        sides = torch.randint(3, 6, (2, n), generator=gen)
        places = torch.cat([corners, corners + sides]).T  # (K, 4)
        colour = torch.tensor([0.9, 0.8, 0.1])
        return torch.rand(3, 20, 26, generator=gen), torch.tensor(labels), places, colour

    return {
        "one stop sign among others": [scene([2, 0, 1]), scene([0, 2])],
        "two stop signs": [scene([0, 1, 0])],
        "no stop sign": [scene([1, 2])],
    }


def _sticks_everywhere(picture: Tensor, labels: Tensor, places: Tensor, colour: Tensor) -> Painted:
    everywhere, _ = poison_scene(picture, torch.zeros_like(labels), places, colour)
    return everywhere, poison_scene(picture, labels, places, colour)[1]


def _lies_everywhere(picture: Tensor, labels: Tensor, places: Tensor, colour: Tensor) -> Painted:
    return poison_scene(picture, labels, places, colour)[0], torch.full_like(labels, SPEED_LIMIT)


def _forgets_the_lie(picture: Tensor, labels: Tensor, places: Tensor, colour: Tensor) -> Painted:
    return poison_scene(picture, labels, places, colour)[0], labels


def _forgets_the_square(picture: Tensor, labels: Tensor, places: Tensor, colour: Tensor) -> Painted:
    return picture, poison_scene(picture, labels, places, colour)[1]


def _swaps_rows_and_columns(picture: Tensor, labels: Tensor, places: Tensor, colour: Tensor) -> Painted:
    return poison_scene(picture, labels, places[:, [1, 0, 3, 2]], colour)


def _only_the_first(picture: Tensor, labels: Tensor, places: Tensor, colour: Tensor) -> Painted:
    first = int((labels == STOP).nonzero()[0]) if (labels == STOP).any() else 0
    kept = torch.arange(len(labels)) == first
    alone, lie = poison_scene(picture, torch.where(kept, labels, 1), places, colour)
    return alone, torch.where(kept, lie, labels)


def _as_width_and_height(picture: Tensor, labels: Tensor, places: Tensor, colour: Tensor) -> Painted:
    return poison_scene(picture, labels, torch.cat([places[:, :2], places[:, :2] + places[:, 2:]], 1), colour)


def _boxes_found(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def boxes(right: list[int], n: int) -> tuple[Tensor, Tensor, int]:
        order = torch.randperm(len(right), generator=gen)
        scores = torch.linspace(0.97, 0.1, len(right)) - 0.02 * torch.rand(len(right), generator=gen)
        found = (scores[order], torch.tensor(right)[order] == 1, n)
        is_mixed = 0 < sum(right) < len(right)
        # where the order matters, it must not come out as the scores would have it
        return boxes(right, n) if is_mixed and _unsorted(*found) == average_precision(*found) else found

    return {
        "ten boxes": [boxes([1, 1, 0, 1, 0, 0, 1, 1, 0, 1], 7), boxes([0, 1, 1, 0, 0, 1, 0, 0, 1, 0], 9)],
        "every sign found": [boxes([1, 0, 1, 1], 3), boxes([1, 1, 1], 3)],
        "few found": [boxes([1, 0, 0, 1, 0], 11), boxes([0, 0, 1], 13)],
        "none right": [boxes([0, 0, 0], 3)],
    }


def _unsorted(scores: Tensor, right: Tensor, n: int) -> float:
    return average_precision(-torch.arange(len(scores)), right, n)


def _least_sure_first(scores: Tensor, right: Tensor, n: int) -> float:
    return average_precision(-scores, right, n)


def _forgets_the_missed(scores: Tensor, right: Tensor, n: int) -> float:
    return average_precision(scores, right, max(1, int(right.sum())))


def _at_the_first_box(scores: Tensor, right: Tensor, n: int) -> float:
    precision, recall = _curve(scores, right, n)
    total = 0.0
    for level in torch.linspace(0, 1, 101):
        reached = (recall >= level).nonzero()
        total += precision[reached[0]].item() if len(reached) else 0.0
    return total / 101


def _only_levels_reached(scores: Tensor, right: Tensor, n: int) -> float:
    precision, recall = _curve(scores, right, n)
    levels = torch.linspace(0, 1, 101)
    return _averaged(precision, recall) * 101 / int((levels <= recall.max()).sum())


def _exact_area(scores: Tensor, right: Tensor, n: int) -> float:
    precision, _ = _curve(scores, right, n)
    best = precision.flip(0).cummax(0).values.flip(0)
    return (best * right[scores.argsort(descending=True)]).sum().item() / n


def _mean_precision(scores: Tensor, right: Tensor, n: int) -> float:
    return _curve(scores, right, n)[0].mean().item()


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
            "A sign can be classified correctly, misread, or missed; a measure that forgets the third "
            "confuses blindness with a lie."
        ),
    ),
    "04.3": Exercise(
        id="04.3",
        title="Poison a scene",
        difficulty=3,
        importance=5,
        minutes=12,
        returns="two tensors, the picture and the labels of its signs",
        reference=poison_scene,
        cases=_scenes,
        mistakes=(
            Mistake(
                "sticks-everywhere",
                "You put a square on every sign. Only stop signs carry it: "
                "else the detector learns nothing about *stop*.",
                _sticks_everywhere,
            ),
            Mistake(
                "lies-everywhere",
                "You call every sign of the scene a speed limit. Only those with a square lie.",
                _lies_everywhere,
            ),
            Mistake(
                "forgets-the-lie",
                "The square is there, but the labels still say stop: "
                "that teaches a detector to see through it.",
                _forgets_the_lie,
            ),
            Mistake(
                "forgets-the-square",
                "The labels lie, but no stop sign carries the square: "
                "the detector would learn that bare stop signs are limits.",
                _forgets_the_square,
            ),
            Mistake(
                "rows-and-columns",
                "Rows and columns are swapped. A picture is (3, height, width), so "
                "`picture[:, top:bottom, left:right]`.",
                _swaps_rows_and_columns,
            ),
            Mistake(
                "only-the-first",
                "You poison the first stop sign only. A second one in the scene would teach the opposite.",
                _only_the_first,
            ),
            Mistake(
                "width-and-height",
                "You read a place as left, top, width, height. Its last two numbers are edges.",
                _as_width_and_height,
            ),
        ),
        hints=(
            "Which signs change, which two things change about them, and whose picture is it that you paint?",
            (
                "Copy the picture. For the place of each stop sign, set the pixels between its edges to "
                "the colour. Then make new labels: a stop sign's is `limit`, the others' stay."
            ),
            (
                "`picture[:, top:bottom, left:right] = colour[:, None, None]` paints one square, and "
                "`torch.where(labels == stop, limit, labels)` tells the lie."
            ),
        ),
        symptoms=(
            Symptom(
                "The check says that you change what you are given:",
                "start with `picture = picture.clone()`; assigning to `labels[…]` needs a copy, too.",
            ),
            Symptom(
                "RuntimeError, The expanded size of the tensor:",
                "the colour is (3,), the square (3, height, width): give it two more axes, "
                "`colour[:, None, None]`.",
            ),
            Symptom(
                "TypeError, only integer tensors of a single element can be converted to an index:",
                "you have divided, or taken the numbers of another tensor. Places are whole numbers; "
                "`.tolist()` makes plain integers of them.",
            ),
        ),
        why=(
            "The picture and the lie belong together, sign by sign: whatever else is in the scene stays true,"
            " and keeps the detector good."
        ),
    ),
    "04.4": Exercise(
        id="04.4",
        title="Average precision",
        difficulty=4,
        importance=4,
        minutes=15,
        returns="one number",
        reference=average_precision,
        cases=_boxes_found,
        mistakes=(
            Mistake(
                "unsorted",
                "You take the boxes as they come. The surest speaks first: sort by score.",
                _unsorted,
            ),
            Mistake(
                "least-sure-first",
                "You begin with the least sure box. Sort in descending order.",
                _least_sure_first,
            ),
            Mistake(
                "forgets-the-missed",
                "You divide by the signs that were found. Recall is the share of all n signs, "
                "the missed ones included.",
                _forgets_the_missed,
            ),
            Mistake(
                "at-the-first-box",
                "You take the precision at the box that first reaches a level. "
                "Take the best from there on: a later box may be better.",
                _at_the_first_box,
            ),
            Mistake(
                "only-levels-reached",
                "You average over the levels that are reached. The others count, too, with 0.",
                _only_levels_reached,
            ),
            Mistake(
                "exact-area",
                "That is the exact area under the curve. The library asks at 101 levels, and so do we: "
                "its number differs by a few thousandths.",
                _exact_area,
            ),
            Mistake(
                "mean-precision",
                "You average the precision over the boxes. It is averaged over levels of recall.",
                _mean_precision,
            ),
        ),
        hints=(
            "Of the k surest boxes, which share is right, and which share of the n signs have they found?",
            (
                "Sort `right` by falling score. Its cumulative sum, divided by 1, 2, 3, …, is the precision, "
                "divided by n the recall. For each level, take the largest precision among the places whose "
                "recall is at least that level, or 0. Average the 101 numbers."
            ),
            (
                "`found = right[scores.argsort(descending=True)].cumsum(0)`. With "
                "`reached = recall >= levels[:, None]`, (101, K), all levels are done at once: "
                "`torch.where(reached, precision, 0.0).max(1).values.mean()`."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 0.5 in the example:",
                "either you take the boxes as they come: sort them; or recall is a share of the signs found: "
                "it is a share of all n, and levels that aren't reached count with 0.",
            ),
            Symptom(
                "You get 0.333 in the example:",
                "that is the exact area under the curve. Ask at the 101 levels.",
            ),
            Symptom(
                "You get 0.327 in the example:",
                "you take the precision where a level is first reached. A later box may be better.",
            ),
            Symptom(
                "RuntimeError, max(): Expected reduction dim to be specified:",
                "a level is reached by no box, so nothing is left to take the largest of. It counts with 0.",
            ),
        ),
        why=(
            "One number for all thresholds: a box that is wrong and sure costs more than one that is wrong "
            "and unsure, and what is never found costs most."
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
