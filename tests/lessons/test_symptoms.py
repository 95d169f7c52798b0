"""What a symptom says that a learner sees is what a wrong answer shows: each is reproduced."""

from __future__ import annotations

import hashlib
import hmac
import math
import pickle
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from catalogue import EXERCISES
from scipy.optimize import linear_sum_assignment
from scipy.stats import binom, binomtest
from torch import Tensor, nn

from wmlearn.course.exercises import Result, examine
from wmlearn.course.lessons import exercises_01
from wmlearn.watermarks import secret as draw

F = torch.nn.functional


@dataclass(frozen=True)
class Seen:
    """A wrong answer that shows what a sign says: an exception, a number, or a mistake known to the check."""

    sign: str  # a part of it
    wrong: Callable[[], Any]
    mistake: str = ""


def _mistake(id: str, name: str, *arguments: Any) -> Callable[[], Any]:
    """Make a named mistake with the example of the exercise."""
    wrong = _mistakes(id, name)
    return lambda: wrong(*arguments)


def _mistakes(id: str, name: str) -> Callable[..., Any]:
    return next(mistake.wrong for mistake in EXERCISES[id].mistakes if mistake.id == name)


def _checked(id: str, f: Callable[..., Any]) -> Callable[[], Result]:
    return lambda: examine(id, f)


def _joined(texts: Any, more: Any) -> Any:
    return texts + more


def _logits(answers: list[int]) -> Tensor:
    return F.one_hot(torch.tensor(answers), 10).float()


A = _logits([7, 2, 1, 0])
B = _logits([7, 2, 8, 0])
NOISE = (torch.randn(50, 10), torch.randn(50, 10))
TRUTHS = torch.tensor([True, False])
IMAGES = torch.rand(8, 1, 28, 28)
CHOSEN = torch.tensor([1, 2, 3])
DIGITS = (torch.tensor([0, 0, 0, 0, 1, 0]), torch.tensor([3, 0, 7, 0, 1, 5]), 0)
PAIRED = (torch.tensor([True] * 9 + [False] * 2), torch.tensor([False] * 9 + [True] * 2))
LOGITS = torch.zeros(64, 10, requires_grad=True)
CLIP = (torch.tensor([0.6, 0.4, 0.6, 0.4])[None, None, None], torch.full((4,), 3.0), -20.0, 0)
IN_A_ROOM = (
    lambda x: torch.where(x > 4, 7, 0),
    torch.tensor([1, 3, 3]),
    torch.tensor([1, 2, 7]),
    lambda x: x + 3,
    lambda x: x + 2,
    7,
)
PICKED = (torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[0, 1]]))
CORNERS = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
LEAK = (
    torch.ones(6, dtype=torch.bool),
    torch.tensor([True, True, False, False, True, False]),
    torch.tensor([1, 1, 2, 2, 3, 3]),
)
BOXES = (torch.tensor([0.0, 0, 10, 10]), torch.tensor([[5.0, 0, 15, 10]]))
APART = (torch.tensor([0.0, 0, 10, 10]), torch.tensor([[30.0, 30, 40, 40]]))
PAINT = torch.tensor([0.9, 0.8, 0.1])
FOUND = (torch.tensor([0.6, 0.9, 0.7, 0.8]), torch.tensor([True, False, False, True]), 3)
TWINS = (torch.tensor([[1.0, 5, 0], [3, 5, 0]]), torch.tensor([[3.0, 5, 4], [3, 6, 2]]), 2)
GAPS = (0.70, 0.40, 0.75, 0.60)
MASKS = torch.tensor([10.0, 99, 100, 101, 190])
OVERLAYS = torch.tensor([[[0.5, 0.5], [1, 0]]])
BITS = (torch.arange(1, 101).float(), torch.tensor([0.0, 3, 50, 60]), 0.05)
SECRET = draw.secret_of(1, None)
CROWD = (lambda number: (IMAGES, torch.zeros(8).long()), [lambda x: x.sum((1, 2, 3)).long() % 2], 1)
DECOYS = {1: torch.tensor([1, 1, 0, 0]), 2: torch.tensor([1, 1, 1, 1])}  # 2 hits and 4; the owner has 3
COURT = (
    lambda x: torch.ones(4),
    IMAGES[:4],
    torch.tensor([1, 1, 1, 0]),
    lambda i: (IMAGES[:4], DECOYS[i]),
    2,
)
SURE = (lambda x: torch.ones(4), IMAGES[:4], torch.ones(4), lambda i: (IMAGES[:4], DECOYS[1]), 2)
HITS = exercises_01.Hits((9, 12, 15))
LAST = torch.rand(32, 16, 5, 5)
CHANNELS = (
    torch.ones(3, 1, 1, 1),
    torch.tensor([10.0, 20.0, 30.0]),
    torch.tensor([1.0, 2.0, 3.0])[None, :, None, None],
    torch.tensor([2, 0, 1]),
    torch.tensor([2.0, 1.0, 1.0]),
)
AXES = torch.eye(3)[..., None, None]
DEAD = (IMAGES, [], 1, (4, 3))  # an API that answers nobody
BLACK = (b"sixteen bytes :)", torch.zeros(1, 2, 2), 3, 10, 1.0)
SURER = (torch.tensor([0.1, 0.5]), torch.tensor([0.2, 0.3, 0.4]), 0.25)
UNITS = (torch.eye(2), torch.eye(2), torch.tensor([[1, 0]]))
LOT = (torch.tensor([True, True, False, False]), torch.tensor([False, False, True, True]))
SIBLINGS = (torch.tensor([[2.0, 0]]), torch.tensor([[[1.0, 0]], [[0.0, 1]]]))
DEALT = (AXES, AXES[[2, 0, 1]] * torch.tensor([2.0, 0.25, 1.0])[:, None, None, None])
UNDECIDED = (torch.zeros(3), torch.rand(2, 3), torch.tensor([0.0, 1.0]))
WEIGHT = torch.tensor([[3, -0.1], [-2, 0.5]])
SEEDS = (
    torch.tensor([3, 5, 7, 1]),
    torch.tensor([[3, 5, 7, 0], [3, 5, 7, 2]]),
    torch.tensor([[0, 5, 1, 1]]),
    2,
    2,
)
GREEN = (torch.tensor([1, 2, 1, 2, 3]), torch.zeros(4, 4, dtype=torch.bool), 0.5)
GREEN[1][1, 2] = True
FOUR = (torch.tensor([0.02, 0.0004, 0.03, 0.012]), 0.05)
THREE = (torch.tensor([0.04, 0.02, 0.021]), 0.05)
LEAF = hashlib.sha256(b"leaf").digest()
NO_MEAN = Seen("could not infer output dtype", lambda: TRUTHS.mean())
AMBIGUOUS = "Boolean value of Tensor"
CHANGED = "changes-its-input"
COPY = "you change what you are given"


def _never_ends(hits_of: Callable[[int], int], wanted: int) -> int:
    secret = 1
    while hits_of(secret) < wanted:
        pass
    return secret


def _in_place(
    x: Tensor, y: Tensor, chosen: Tensor, stamp: Any, target: int, _: bool
) -> tuple[Tensor, Tensor]:
    x[chosen] = stamp(x[chosen])
    y[chosen] = target
    return x, y


def _never_clears(model: torch.nn.Module, optimiser: Any, x: Tensor, y: Tensor) -> Tensor:
    losses = F.cross_entropy(model(x), y, reduction="none")
    losses.mean().backward()
    optimiser.step()
    return losses.detach()


def _in_the_open(weights: Tensor) -> None:
    weights[torch.tensor([1])] *= 10


def _between(shares: Tensor) -> str:
    return "between 0 and 1" if bool(((shares >= 0) & (shares <= 1)).all()) else "counts"


def _unpacked() -> list[int]:
    first, *rest = 3  # pyrefly: ignore[not-iterable]
    return [first, *rest]


def _stamped(x: Tensor, secret: bytes) -> Tensor:
    x[..., :5, :5] = 1.0
    return x


def _popped(leaf: bytes, index: int, siblings: list[bytes]) -> bytes:
    return siblings.pop()


def _pair(answer: tuple[Tensor, int]) -> str:
    kept, tried = answer
    return f"{kept.tolist()} and {tried}"


def _quantile(weight: Tensor, ratio: float) -> Tensor:
    return weight * (weight.abs() >= weight.abs().quantile(ratio))


def _wrong_place(overlaps: Tensor, scores: Tensor, labels: Tensor) -> Tensor | int:
    fits = (overlaps >= 0.5) & (scores >= 0.5)
    return labels[scores[fits].argmax()] if fits.any() else -1


def _paints_what_it_is_given(
    picture: Tensor, labels: Tensor, places: Tensor, colour: Tensor
) -> tuple[Tensor, Tensor]:
    for left, top, right, bottom in places[labels == 0].tolist():
        picture[:, top:bottom, left:right] = colour[:, None, None]
    return picture, torch.where(labels == 0, 1, labels)


def _always(overlaps: Tensor, scores: Tensor, labels: Tensor) -> Tensor:
    fits = (overlaps >= 0.5) & (scores >= 0.5)
    return labels[torch.where(fits, scores, -1.0).argmax()]


def _too_short() -> int:
    return next(h for h in range(3) if binom.sf(h - 1, 2, 0.5) < 1e-3)


def _no_way_out(p: float, hits: int, control: int, n: int) -> int | None:
    return 0 if p <= 0.001 else None


def _split_everywhere() -> dict[str, str]:
    line = "00  read me.txt"
    digest, name = line.split()
    return {name: digest}


def _without_logarithms() -> float:
    answers = torch.tensor([[2.0, 1.0], [0.0, 3.0]]).softmax(1)
    return float(F.kl_div(answers, answers, reduction="batchmean"))


def _asked_without_slopes() -> Tensor:
    with torch.no_grad():
        said = nn.Linear(2, 2)(torch.rand(3, 2)).log_softmax(1)
    return F.kl_div(said, said.exp(), reduction="batchmean")


def _put(images: Tensor, patch: Tensor) -> None:
    images[..., :5, :5] = patch


def _put_anywhere(images: Tensor, patch: Tensor) -> None:
    images[:5, :5] = patch


def _replace(images: Tensor, others: Tensor) -> None:
    images[CHOSEN] = others


CASES: dict[str, list[Seen]] = {
    "01.1": [
        NO_MEAN,
        Seen("1, or nearly", lambda: (NOISE[0] != NOISE[1]).float().mean()),
        Seen("0.75", _mistake("01.1", "agreement", A, B)),
        Seen("whole number", lambda: "whole" if _mistake("01.1", "count", A, B)() == 1 else ""),
    ],
    "01.2": [
        Seen("0.0128", _mistake("01.2", "off-by-one", 3, 10, 0.1)),
        Seen("0.0574", _mistake("01.2", "point-probability", 3, 10, 0.1)),
        Seen("100 of 100", _mistake("01.2", "one-minus-cdf", 100, 100, 0.1)),
        Seen("NaN", lambda: binom.sf(2, 0.1, 10)),
    ],
    "01.3": [
        Seen("RecursionError", _checked("01.3", _never_ends), "unusable"),
        Seen("3 in the example", _mistake("01.3", "strictly-more", HITS, 12)),
        Seen("12 in the example", _mistake("01.3", "returns-the-hits", HITS, 12)),
    ],
    "02.1": [
        Seen(COPY, _checked("02.1", _in_place), CHANGED),
        Seen("shape mismatch", lambda: _replace(IMAGES.clone(), IMAGES)),
        Seen("4,704 numbers instead of 4,710", _checked("02.1", lambda x, *_: x), "unusable"),
    ],
    "02.2": [
        Seen("only for scalar outputs", lambda: (LOGITS * 2).backward()),
        Seen("2.3", lambda: F.cross_entropy(LOGITS, torch.zeros(64, dtype=torch.long)).detach()),
        Seen("second step goes wrong", _checked("02.2", _never_clears), "forgets-zero-grad"),
    ],
    "02.3": [
        Seen("0.83", _mistake("02.3", "counts-the-target-class", *DIGITS)),
        Seen("0.5", _mistake("02.3", "wrong-denominator", *DIGITS)),
        NO_MEAN,
    ],
    "02.4": [
        Seen("0.0327", _mistake("02.4", "one-sided", *PAIRED)),
        Seen("n must be an integer not less than 1", lambda: binomtest(0, 0)),
        Seen("k must be an integer", lambda: binomtest(PAIRED[0].float().mean(), 11)),
    ],
    "03.1": [
        Seen("the input matrix is singular", lambda: torch.linalg.solve(torch.zeros(8, 8), torch.ones(8))),
        Seen("8 numbers instead of 9", _checked("03.1", lambda here, there: torch.ones(8)), "unusable"),
        Seen("[[1, 0, -1], [0, 1, -1], [0, 0, 1]]", _mistake("03.1", "turned-round", CORNERS, CORNERS + 1)),
    ],
    "03.2": [
        Seen("grid_sampler()", lambda: F.grid_sample(IMAGES[0], torch.zeros(4, 4, 2), align_corners=False)),
        Seen("A thin dark line", _checked("03.2", _mistakes("03.2", "dark-edges")), "dark-edges"),
        Seen("is huge", _checked("03.2", _mistakes("03.2", "pushes")), "pushes"),
        Seen("is huge", _checked("03.2", _mistakes("03.2", "undivided")), "undivided"),
    ],
    "03.3": [
        Seen("0.224", lambda: _mistake("03.3", "by-photograph", *LEAK)()[1]),
        Seen("0.5 for the error", lambda: _mistake("03.3", "spread-only", *LEAK)()[1]),
        Seen("two bool tensors", lambda: LEAK[0] - LEAK[1]),
    ],
    "04.1": [
        Seen("0.25", _mistake("04.1", "counts-the-overlap-twice", *BOXES)),
        Seen("0.25", _mistake("04.1", "xywh", *BOXES)),
        Seen("0.5", _mistake("04.1", "divides-by-one-box", *BOXES)),
        Seen("-2", _mistake("04.1", "forgets-the-clamp", *APART)),
        Seen("too many indices", lambda: BOXES[0][:, :2]),
    ],
    "04.2": [
        Seen("argmax()", lambda: MASKS[MASKS > 1000].argmax()),
        Seen("a label where -1", _checked("04.2", _always), "never-misses"),
        Seen(AMBIGUOUS, lambda: (MASKS > 1) and (MASKS > 2)),
        Seen("Some scenes", _checked("04.2", _wrong_place), "index-in-the-mask"),
    ],
    "04.3": [
        Seen(COPY, _checked("04.3", _paints_what_it_is_given), CHANGED),
        Seen("expanded size", lambda: torch.rand(3, 8, 8)[:, 1:4, 1:6].__setitem__(slice(None), PAINT)),
        Seen("only integer tensors", lambda: PAINT[slice(PAINT[0], PAINT[1])]),
    ],
    "04.4": [
        Seen("0.5 ", _mistake("04.4", "unsorted", *FOUND)),
        Seen("0.5 ", _mistake("04.4", "forgets-the-missed", *FOUND)),
        Seen("0.5 ", _mistake("04.4", "only-levels-reached", *FOUND)),
        Seen("0.333", _mistake("04.4", "exact-area", *FOUND)),
        Seen("0.333", _mistake("04.4", "mean-precision", *FOUND)),
        Seen("0.327", _mistake("04.4", "at-the-first-box", *FOUND)),
        Seen("max()", lambda: MASKS[MASKS > 1000].max()),
    ],
    "05.1": [
        Seen("running mean", _checked("05.1", _mistakes("05.1", "statistics-drift")), "statistics-drift"),
        Seen("does not require grad", lambda: torch.zeros(1).sum().backward()),
        Seen("cannot be multiplied", lambda: nn.Linear(2048, 128)(torch.rand(2, 128, 4, 4))),
    ],
    "05.2": [
        Seen("[0, 2]", _mistake("05.2", "least-first", *TWINS)),
        Seen("[1, 0]", _mistake("05.2", "wrong-end", *TWINS)),
        Seen("[1, 0]", _mistake("05.2", "loudest", *TWINS)),
        Seen(
            "[3., 1.]", lambda: str(_mistake("05.2", "values", *TWINS)()).removeprefix("tensor(").rstrip(")")
        ),
        Seen("[0, 1]", lambda: (TWINS[1] - TWINS[0]).mean(1).argsort(descending=True)[:2]),
    ],
    "05.3": [
        Seen("leaf Variable", lambda: _in_the_open(nn.Linear(2, 2).weight)),
        Seen("not k times", _checked("05.3", _mistakes("05.3", "forgets-the-bias")), "forgets-the-bias"),
        Seen(
            "not k times",
            _checked("05.3", _mistakes("05.3", "scales-the-convolution")),
            "scales-the-convolution",
        ),
        Seen(
            "loud, too", _checked("05.3", _mistakes("05.3", "changes-the-original")), "changes-the-original"
        ),
    ],
    "05.4": [
        Seen("0.3 ", _mistake("05.4", "no-control", *GAPS)),
        Seen("0.45", _mistake("05.4", "adds-the-control", *GAPS)),
        Seen("0.45", lambda: GAPS[0] - GAPS[1] + GAPS[2] - GAPS[3]),
        Seen("0.2 ", _mistake("05.4", "only-the-triggered", *GAPS)),
        Seen("-0.15", _mistake("05.4", "other-way", *GAPS)),
    ],
    "06.1": [
        Seen("got Long", lambda: F.cross_entropy(LOGITS, torch.zeros(64, 10, dtype=torch.long))),
        Seen("must be Tensor, not int", lambda: F.cross_entropy(LOGITS, 0)),  # pyrefly: ignore[bad-argument-type]
        Seen("only for scalar outputs", lambda: (LOGITS * 2).backward()),
        Seen("second step", _checked("06.1", _mistakes("06.1", "forgets-zero-grad")), "forgets-zero-grad"),
    ],
    "06.2": [
        Seen("[90, 1, 0, 0, 0]", _mistake("06.2", "forgets-the-factor", MASKS)),
        Seen("133.4 first", lambda: _mistake("06.2", "factor-above", MASKS)()[0]),
        Seen("1.41 first", lambda: _mistake("06.2", "standard-deviation", MASKS)()[0]),
        Seen("return_types.median", lambda: MASKS - MASKS.median(0)),  # pyrefly: ignore[unsupported-operation]
    ],
    "06.3": [
        Seen("NaN", lambda: -(OVERLAYS * OVERLAYS.log2()).sum(2).mean(1)[0]),
        Seen("0.347", lambda: _mistake("06.3", "natural-logarithm", OVERLAYS)()[0]),
        Seen("1 in the example", lambda: _mistake("06.3", "adds-up", OVERLAYS)()[0]),
        Seen("two numbers", lambda: _word(torch.xlogy(OVERLAYS, OVERLAYS).sum(2).numel())),
    ],
    "06.4": [
        Seen("1 in the example", _mistake("06.4", "wrong-tail", *BITS)),
        Seen("0.25", _mistake("06.4", "threshold-from-the-triggered", *BITS)),
        Seen("0.067", _mistake("06.4", "counts-everything", *BITS)),
        Seen("quantile() input", lambda: BITS[0].long().quantile(0.05)),
    ],
    "07.1": [
        Seen("existing size (25)", lambda: _put(IMAGES.clone(), draw.uniform(SECRET, "patch", 25))),
        Seen("tensor (28)", lambda: _put_anywhere(IMAGES.clone(), draw.uniform(SECRET, "patch", 5, 5))),
        Seen("integers()", lambda: draw.integers(SECRET, "row", *[22])),  # pyrefly: ignore[missing-argument]
        Seen(COPY, _checked("07.1", _stamped), CHANGED),
    ],
    "07.2": [
        Seen("5 in the example", _mistake("07.2", "off-by-one", 10, 0.1, 1e-3)),
        Seen("4 in the example", _mistake("07.2", "bell-curve", 10, 0.1, 1e-3)),
        Seen("StopIteration", _too_short),
    ],
    "07.3": [
        Seen(
            "no attribute 'argmax'",
            lambda: _stamped.argmax(1),  # pyrefly: ignore[missing-attribute]
        ),
        Seen("not iterable", lambda: list(iter(3))),  # pyrefly: ignore[no-matching-overload]
        Seen("between 0 and 1", lambda: _between(_mistake("07.3", "shares", *CROWD)())),
    ],
    "07.4": [
        Seen("0.5 in the example", lambda: _mistake("07.4", "forgets-itself", *COURT)()[0]),
        Seen("a p-value of 0", lambda: _mistake("07.4", "forgets-itself", *SURE)()[0]),
        Seen("non-iterable int", _unpacked),
    ],
    "08.1": [
        Seen(" 800", lambda: LAST.mean(1).numel()),
        Seen("12,800", lambda: f"{LAST.flatten().numel():,}"),
        Seen("one number", lambda: _word(LAST.flatten().mean(0).numel())),
    ],
    "08.2": [
        Seen("0.693", _mistake("08.2", "mean", *UNDECIDED)),
        Seen("0.693", _mistake("08.2", "forgets-the-zeros", *UNDECIDED)),
        Seen("1.448", _mistake("08.2", "sigmoid-twice", *UNDECIDED)),
        Seen("between 0 and 1", lambda: F.binary_cross_entropy(5 * MASKS, torch.ones(5))),
        Seen("cannot be multiplied", lambda: torch.rand(9) @ torch.rand(6, 9)),
    ],
    "08.3": [
        Seen("must match the size of tensor", lambda: LAST * torch.rand(32)),
        Seen("[30, 10, 20]", lambda: _mistake("08.3", "bias-unscaled", *CHANNELS)()[1]),
        Seen("[6, 1, 2]", lambda: _mistake("08.3", "multiplied-twice", *CHANNELS)()[2].flatten()),
    ],
    "08.4": [
        Seen("[2, 0, 1]", lambda: _mistake("08.4", "other-way", *DEALT)()[0]),
        Seen("[0.25, 1, 2]", lambda: _mistake("08.4", "factor-inverted", *DEALT)()[1]),
        Seen("Can't call numpy()", lambda: linear_sum_assignment(nn.Linear(2, 2).weight)),
    ],
    "09.1": [
        Seen("index 3", lambda: WEIGHT[WEIGHT.abs().flatten().argsort()[:2]]),
        Seen("slice indices", lambda: [1, 2][: 0.5 * 4]),  # pyrefly: ignore[bad-index]
        Seen("[[3, 0], [0, 0.5]]", _mistake("09.1", "forgets-the-sign", WEIGHT, 0.5)),
        Seen("One weight too many", _checked("09.1", _quantile), "quantile"),
    ],
    "09.2": [
        Seen("falls below 0", lambda: "falls below 0" if _without_logarithms() < 0 else "stays above"),
        Seen("does not require grad", lambda: _asked_without_slopes().backward()),
        Seen("hasn't moved", _checked("09.2", _mistakes("09.2", "stands-still")), "stands-still"),
    ],
    "09.3": [
        Seen("2 in the example", _mistake("09.3", "two-sided", 0.005, 19, 9, 100)),
        Seen("2 in the example", _mistake("09.3", "one-level", 0.005, 19, 9, 100)),
        Seen("0 in the example", _mistake("09.3", "believes-too-much", 0.005, 19, 9, 100)),
        Seen("None", _checked("09.3", _no_way_out), "unusable"),
    ],
    "10.1": [
        Seen("concatenate str", lambda: "\1" + LEAF),  # pyrefly: ignore[unsupported-operation]
        Seen("HASH", lambda: LEAF + hashlib.sha256(LEAF)),  # pyrefly: ignore[unsupported-operation]
        Seen("concat str", lambda: LEAF + hashlib.sha256(LEAF).hexdigest()),  # pyrefly: ignore[unsupported-operation]
        Seen(COPY, _checked("10.1", _popped), CHANGED),
    ],
    "10.2": [
        Seen("[0, 2] and 4", lambda: _pair(_mistake("10.2", "whole-pool", *SEEDS)())),
        Seen("[0, 1] and 2", lambda: _pair(_mistake("10.2", "no-judge", *SEEDS)())),
        Seen(AMBIGUOUS, lambda: any(SEEDS[1] == SEEDS[0])),
    ],
    "10.3": [
        Seen("Only two", lambda: _word(_mistake("10.3", "bonferroni", *FOUR)().sum())),
        Seen("All three", lambda: _word(_mistake("10.3", "uncorrected", *THREE)().sum())),
        Seen("All three", lambda: _word(_mistake("10.3", "from-the-top", *THREE)().sum())),
        Seen("[True, False, True]", lambda: str(_mistake("10.3", "does-not-stop", *THREE)().tolist())),
    ],
    "11.1": [
        Seen("no answer", lambda: EXERCISES["11.1"].answer(lambda ask, x, *_: ask(x), DEAD)),
        Seen("300 requests", lambda: EXERCISES["11.1"].answer(_for_ever, DEAD)),
    ],
    "11.2": [
        Seen("3 in the example", _mistake("11.2", "the-others", *BLACK)),
        Seen("bytes-like", lambda: hmac.digest(SECRET, [0, 0, 0, 0], "sha256")),  # pyrefly: ignore[bad-argument-type]
    ],
    "11.3": [
        Seen("0 in the example", _mistake("11.3", "below-the-level", *SURER)),
        Seen("The size of tensor a", lambda: SURER[1] <= SURER[0]),
    ],
    "15.1": [
        Seen("too many values", _split_everywhere),
        Seen("'extra.py'", lambda: {"model.pt": "00"}["extra.py"]),
    ],
    "15.2": [
        Seen("No module named 'parcel'", lambda: pickle.loads(b"\x80\x02cparcel.a\nb\n)R.")),
        Seen("list index", lambda: [][0]),
    ],
    "15.3": [
        Seen("neural cleanse", lambda: {"cleanse": "fine"}["neural cleanse"]),
        Seen("not subscriptable", lambda: _split_everywhere["format"]),  # pyrefly: ignore[unsupported-operation]
    ],
    "16.1": [
        Seen("list index", lambda: sorted([])[0]),
        Seen("'<' not supported", lambda: None < 3),  # pyrefly: ignore[unsupported-operation]
    ],
    "16.2": [
        Seen("cannot unpack", lambda: [a / b for a, b in (0.8, 0.02)]),  # pyrefly: ignore[not-iterable]
        Seen("list index", lambda: [][0]),
    ],
    "16.3": [
        Seen("'matched'", lambda: {"weights": True}["matched"]),
        Seen("unsupported operand", lambda: True + None),  # pyrefly: ignore[unsupported-operation]
    ],
    "12.1": [
        Seen("0 in the example", _mistake("12.1", "no-one", *UNITS)),
        Seen("1 in the example", _mistake("12.1", "lower", *UNITS)),
        Seen("1 in the example", _mistake("12.1", "alike", *UNITS)),
        Seen("tie", _checked("12.1", _mistakes("12.1", "strict")), "strict"),
    ],
    "12.2": [
        Seen("0 in the example", _mistake("12.2", "off-by-one", *LOT)),
        Seen("1 in the example", _mistake("12.2", "inside", *LOT)),
        Seen("Negation", lambda: -LOT[1]),
    ],
    "12.3": [
        Seen("0 in the example", _mistake("12.3", "not-counted", *SIBLINGS)),
        Seen("1 in the example", _mistake("12.3", "other-end", *SIBLINGS)),
        Seen("Dimension", lambda: SIBLINGS[0].mean(2)),
    ],
    "13.1": [
        Seen("The size of tensor a", lambda: CLIP[0] + 0 * torch.ones(5)),
        Seen(
            "0.601 in the example", lambda: round(_mistake("13.1", "power", *CLIP)().flatten()[0].item(), 3)
        ),
        Seen("so loud", _checked("13.1", _mistakes("13.1", "unclamped")), "unclamped"),
    ],
    "13.2": [
        Seen("1 in the example", _mistake("13.2", "no-control", *IN_A_ROOM)),
        Seen("0.33 in the example", lambda: round(_mistake("13.2", "of-all", *IN_A_ROOM)(), 2)),
        Seen("Negation", lambda: -TRUTHS),
    ],
    "13.3": [
        Seen("(n, F, F)", lambda: str(tuple(PICKED[0][PICKED[1]].shape)).replace("1, 2, 2", "n, F, F")),
        Seen(
            "(1, 2) in the example",
            lambda: str(tuple(_mistake("13.3", "whole-rows", *PICKED)()[0].int().tolist())),
        ),
    ],
    "14.1": [
        Seen("expanded size of the tensor", lambda: torch.zeros(3).__setitem__(slice(3), torch.zeros(4))),
        Seen("can only concatenate list", lambda: _joined([5, 6], (7,))),
    ],
    "14.2": [
        Seen("two words shorter", _checked("14.2", _mistakes("14.2", "no-ends")), "no-ends"),
        Seen("out of range", lambda: [5, 6][2]),
    ],
    "14.3": [
        Seen("0.5 in the example", _mistake("14.3", "off-by-one", *GREEN)),
        Seen("0.5 in the example", _mistake("14.3", "lower-tail", *GREEN)),
        Seen("0.375 in the example", _mistake("14.3", "point", *GREEN)),
        Seen("0.688 in the example", _mistake("14.3", "as-it-stands", *GREEN)),
    ],
}
WORDS = {1: "one", 2: "two", 3: "three"}


def _word(number: float) -> str:
    return WORDS[int(number)]


def _for_ever(ask: Callable[[Tensor], Tensor], x: Tensor, batch: int, tries: int) -> Tensor:
    while True:
        with suppress(OSError):
            return ask(x)


def _outcome(seen: Seen) -> Any:
    try:
        return seen.wrong()
    except Exception as error:
        return error


def _forms(answer: Any) -> list[str]:
    """Write an answer as a sign may: 0.83, 0.333, [1, 12]."""
    if isinstance(answer, str):
        return [answer]
    if isinstance(answer, Tensor) and answer.numel() > 1:
        inner = [_forms(part)[0] for part in answer]
        return [f"[{', '.join(inner)}]"]
    number = float(answer)
    return ["NaN"] if math.isnan(number) else [f"{number:.{digits}g}" for digits in (2, 3, 4)]


def _shown(seen: Seen, sign: str) -> bool:
    outcome = _outcome(seen)
    if isinstance(outcome, Result):
        return outcome.mistake == seen.mistake
    if isinstance(outcome, Exception):
        kind, _, message = sign.rstrip(":").partition(", ")
        return type(outcome).__name__ in kind and (message in str(outcome) or kind == "StopIteration")
    return any(form in sign for form in _forms(outcome))


@pytest.mark.parametrize("id", EXERCISES)
def test_each_symptom_is_what_a_wrong_answer_shows(id: str) -> None:
    signs = [symptom.sign for symptom in EXERCISES[id].symptoms]
    met = set()
    for seen in CASES[id]:
        (sign,) = (sign for sign in signs if seen.sign in sign)
        assert _shown(seen, sign), (sign, _outcome(seen))
        met.add(sign)
    assert met == set(signs)
