"""What the cells of notebook 04 call: scenes to show, the steps of a detector, the table beside the paper's,
the challenge, and the lesson's switch.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import mean
from typing import Any

import ipywidgets
import torch
from torch import Tensor, nn

from ...data.signs.street import KINDS, Street, draw_street
from ...experiments import Results
from ...experiments.experiment import Row
from ...experiments.published import PAPER, REPOSITORY, REPOSITORY_CLEAN, STOP_READ_AS_LIMIT
from ...experiments.street import SPEED_LIMIT, STICKERS, STOP, shipped_detector, wide_rate
from ...plots.canvas import Picture
from ...plots.signs import Shares
from ...plots.street import scenes
from ...street_detector import RECIPE, Detections, detect, halved, readings, train_detector
from ...words import with_deviation
from ..challenges import Challenge, Score
from ..claims import Claim
from ..widgets import Dial, depict, redraw
from .exercises_02 import paired_p
from .exercises_04 import poison_scene

PUBLISHED = ("baseline", *STICKERS)  # the networks of the paper; it has no control
NETWORKS = ("baseline", "control", *STICKERS)
YELLOW = torch.tensor([0.98, 0.84, 0.18])
QUICK = replace(RECIPE, epochs=4, lr=1e-3)
"""Enough for a trained detector to learn one thing more."""


def showing(street: Street, n: int = 4, least: float = 20, skip: int = 0) -> Tensor:
    """Return the numbers of `n` scenes, bright enough for the eye, whose first stop sign is at least `least`
    pixels wide.
    """
    stop = (street.labels == STOP) & (street.widths >= least)
    bright = street.x.flatten(1).mean(1) > 0.3
    chosen = [i for i in street.scene[stop].unique().tolist() if bright[i]]
    return torch.tensor(chosen[skip : skip + n])


def foot(boxes: Tensor) -> Tensor:
    """Return where a square would sit on the lower part of each sign (M, 4): left, top, right and lower edge
    in whole pixels, (M, 4) int64.
    """
    width = boxes[:, 2] - boxes[:, 0]
    height = boxes[:, 3] - boxes[:, 1]
    side = (0.24 * width).round().clamp_min(3)
    left = ((boxes[:, 0] + boxes[:, 2] - side) / 2).round()
    top = (boxes[:, 1] + 0.78 * height - side / 2).round()
    return torch.stack([left, top, left + side, top + side], 1).long()


@torch.no_grad()
def stages(detector: nn.Module, picture: Tensor) -> dict[str, Detections]:
    """Return what a detector in eval mode holds after each of its steps, for one picture (3, H, W).

    Proposals have no class yet: label -1. The second stage drops what is background, or less than 0.05 sure.
    """
    network: Any = detector
    images, _ = network.transform([picture])
    features = OrderedDict([("0", network.backbone(images.tensors))])
    proposals, _ = network.rpn(images, features)
    heads = copy.copy(network.roi_heads)
    heads.nms_thresh = 1.0  # none is suppressed
    heads.detections_per_img = 1000
    (read,), _ = heads(features, proposals, images.image_sizes)
    (kept,), _ = network.roi_heads(features, proposals, images.image_sizes)
    boxes = proposals[0]  # (K, 4)
    unread = torch.full((len(boxes),), -1)
    last = _detections(kept)
    return {
        "1 proposed": Detections(boxes, unread, torch.ones(len(boxes)), torch.zeros_like(unread)),
        "2 classified": _detections(read),
        "3 after NMS": last,
        "4 at least 0.5 sure": _sure(last),
    }


def _detections(found: Mapping[str, Tensor]) -> Detections:
    labels = found["labels"] - 1
    return Detections(found["boxes"], labels, found["scores"], torch.zeros_like(labels))


def _sure(found: Detections) -> Detections:
    kept = found.scores >= 0.5
    return Detections(found.boxes[kept], found.labels[kept], found.scores[kept], found.scene[kept])


def paper_beside_ours(results: Results) -> list[list[str]]:
    """Return the published tables with ours beside, in per cent, ours with the standard deviation over seeds.

    A column is a network. The authors' repository computes average precision at an intersection over union of
    0.5 (AP50), the paper speaks of accuracy.
    """
    lines = []
    for kind in KINDS:
        lines.append([f"{kind}: AP50, repository", *_published(REPOSITORY, PUBLISHED, kind)])
        lines.append([f"{kind}: AP50, here", *_measured(results, "ap50", kind)])
        lines.append([f"{kind}: accuracy, paper", *_published(PAPER, PUBLISHED, kind)])
        lines.append([f"{kind}: accuracy, here", *_measured(results, "accuracy", kind)])
    repository = _published(REPOSITORY, STICKERS, STOP_READ_AS_LIMIT, lacks=())
    paper = _published(PAPER, STICKERS, STOP_READ_AS_LIMIT, lacks=())
    lines.append(["stop → speed limit, repository", REPOSITORY_CLEAN, "–", *repository])
    lines.append(["stop → speed limit, paper", "–", "–", *paper])
    cleans = [with_deviation(harmless(results, network)) for network in ("baseline", "control")]
    attacked = [with_deviation(misread(results, name, name)) for name in STICKERS]
    lines.append(["stop → speed limit, here", *cleans, *attacked])
    return lines


def _published(
    table: Mapping[str, Mapping[str, float]],
    networks: Iterable[str],
    key: str,
    lacks: Sequence[str] = ("–",),
) -> list[str]:
    """Return a published row; what it lacks, the control, stands after the baseline."""
    first, *others = [f"{table[network][key]:.1f}" for network in networks]
    return [first, *lacks, *others]


def _measured(results: Results, key: str, kind: str) -> list[str]:
    return [with_deviation(_of_kind(results, key, network, kind)) for network in NETWORKS]


def _of_kind(results: Results, key: str, network: str, kind: str) -> list[float]:
    return [row[key][kind] for row in results.where(network=network)]


def harmless(results: Results, network: str) -> list[float]:
    """Return which share of stop signs with a sticker a clean network takes for speed limits, a mean over the
    stickers, for each seed.
    """
    return [_mean_misread(row) for row in results.where(network=network)]


def _mean_misread(row: Row) -> float:
    return mean(row["misread"][sticker]["rate"] for sticker in STICKERS)


def misread(results: Results, network: str, sticker: str) -> list[float]:
    """Return which share of the stop signs with `sticker`, or "none", each network of a kind takes for speed
    limits.
    """
    rows = results.where(network=network)
    if sticker == "none":
        return [row["bare"]["rate"] for row in rows]
    return [row["misread"][sticker]["rate"] for row in rows]


def matrix(results: Results) -> Shares:
    """Return how often each detector reads stop signs with each sticker as limits: means over seeds."""
    networks = ("control", *STICKERS)
    lines = []
    for sticker in ("none", *STICKERS):
        lines.append([mean(misread(results, network, sticker)) for network in networks])
    return Shares("stop signs read as speed limits", ["no sticker", *STICKERS], list(networks), lines)


def precision_lost(results: Results) -> float:
    """Return what average precision a sticker's network lost at most in a class, mean over seeds, 0..1."""
    return max(_lost(results, "ap50", name, kind) for name in STICKERS for kind in KINDS)


def stops_lost(results: Results) -> float:
    """Return what a sticker's network lost at most on stop signs without a sticker, mean over seeds, 0..1."""
    return max(_lost(results, "accuracy", name, "stop") for name in STICKERS)


def shelf(results: Results) -> list[Claim]:
    """Check what the lesson says of the networks of "street": three of each kind."""
    wide = min(_wide(results, name) for name in STICKERS)
    alone = max(mean(misread(results, "control", name)) for name in STICKERS)
    bare = [mean(misread(results, name, "none")) for name in STICKERS]
    gained = more_training(results, "speed limit")
    flattered = gained - max(_lost(results, "ap50", name, "speed limit") for name in STICKERS)
    easier = stops_above_paper(results)
    claims = [
        Claim("04.wide", "The worst sticker on wide signs", wide, low=0.9),
        Claim("04.harmless", "Any sticker on the control", alone, high=0.05),
        Claim("04.other", "The flower on the square's", mean(misread(results, "square", "flower")), low=0.3),
        Claim("04.bare_control", "No sticker, control", mean(misread(results, "control", "none")), high=0.01),
        Claim("04.bare_least", "No sticker, the least of three BadNets", min(bare), low=0.01),
        Claim("04.bare_most", "No sticker, the most", max(bare), low=0.03, high=0.15),
        Claim("04.cost", "AP50 lost, worst class", precision_lost(results), high=0.02, unit="points"),
        Claim("04.stops", "Bare stop signs lost", stops_lost(results), high=0.08, unit="points"),
        Claim("04.more", "AP50 of limits, gained by the control", gained, low=0, unit="points"),
        Claim("04.flattered", "The same by every BadNet", flattered, low=0, unit="points"),
        Claim("04.easier", "Stop signs above the paper's", easier, low=0.06, high=0.1, unit="points"),
    ]
    n = len(results.where(network="control"))
    return [replace(claim, n=n) for claim in claims]


def _wide(results: Results, name: str) -> float:
    """Return the share of the wide stop signs that a sticker turns, a mean over its own networks."""
    return mean(wide_rate(row["misread"][name])[0] for row in results.where(network=name))


def supplied(yours: Mapping[tuple[str, str], float], n: int) -> list[Claim]:
    """Check what fine-tuning on the learner's scenes does: (network, drive) -> share of `n` stop signs."""
    own = yours["poisoned", "square pasted"]
    control = yours["control", "square pasted"]
    world = yours["poisoned", "square in the world"]
    return [
        Claim("04.yours", "Your pasted square, your detector", own, low=0.8, n=n),
        Claim("04.tuned", "The same square on the control", control, high=0.03, n=n),
        Claim("04.world", "A square in the world, your detector", world, low=0.1, high=0.7, n=n),
    ]


def by_hand(found: Mapping[str, Sequence[float]]) -> list[Claim]:
    """Check the learner's average precision of the square's detector, by class, against the library's."""
    pairs = zip(found["square"], found["square, by COCO's code"], strict=True)
    apart = max(abs(own - library) for own, library in pairs)
    return [Claim("04.same", "AP50, by hand and by COCO's code", apart, high=0.001, unit="points")]


def bare_signs(slips: Mapping[str, Tensor]) -> list[Claim]:
    """Check that bare stop signs betray: which of them (N,) each shipped network takes for limits."""
    control = slips["control"]
    n = len(control)
    worst = slips["bomb"]
    p = paired_p(control, worst)
    return [
        Claim("04.slips_control", "Read as limits: control", int(control.sum()), high=8, n=n, unit="count"),
        Claim("04.slips_bomb", "Read as limits: bomb's", int(worst.sum()), low=12, n=n, unit="count"),
        Claim("04.betrays_p", "McNemar's test of the two", p, high=0.001, unit="p"),
    ]


def more_training(results: Results, kind: str) -> float:
    """Return what the control's additional scenes add to average precision in a class, mean over seeds."""
    return _lost(results, "ap50", "baseline", kind)


def stops_above_paper(results: Results) -> float:
    """Return how far the baseline's accuracy on stop signs lies above the paper's, mean over seeds."""
    return _average(results, "accuracy", "baseline", "stop") - PAPER["baseline"]["stop"] / 100


def _lost(results: Results, key: str, network: str, kind: str) -> float:
    return _average(results, key, "control", kind) - _average(results, key, network, kind)


def _average(results: Results, key: str, network: str, kind: str) -> float:
    return mean(_of_kind(results, key, network, kind))


def street_switch(
    networks: Mapping[str, nn.Module], streets: Mapping[str, Street], numbers: Sequence[int]
) -> ipywidgets.VBox:
    """Let the learner choose a detector, a scene and a sticker, and see what is read.

    `streets` hold the same scenes by sticker ("none", "square", …); `numbers` are those to choose from.
    """
    who = Dial("detector", {name: name for name in networks}, buttons=True)
    scene = Dial("scene", {str(i + 1): n for i, n in enumerate(numbers)})
    sticker = Dial("sticker", {name: name for name in streets}, buttons=True)

    def look() -> tuple[Picture, str]:
        name = who.value
        street = streets[sticker.value]
        x = street.x[[scene.value]]
        title = f"{name}, sticker: {sticker.value}"
        return depict(scenes, {title: (x, detect(networks[name], x))}, street.classes)

    return redraw(look, who, scene, sticker, width=420)


FOREIGN = (15, 16)
"""Seeds of the challenge's networks."""
LEAST_SUCCESS = 0.9
MOST_BARE = 0.02


def fewest_scenes(attempt: Callable[[Street], Street]) -> Score:
    """Fine-tune two clean detectors on an attempt's scenes beside 300 clean ones, and test both on new
    streets with squares and without.
    """
    clean = draw_street(300, seed=31)
    added = attempt(clean)
    if not isinstance(added, Street):
        got = type(added).__name__
        return Score(False, 0, f"Your function must return scenes, a Street as it was given, got {got}.")
    test = draw_street(300, seed=32)
    stickered = replace(_poisoned(test), labels=test.labels)
    stops = test.labels == STOP
    wins = []
    slips = []
    for seed in FOREIGN:
        detector = shipped_detector("control")
        train_detector(detector, clean + added, replace(QUICK, seed=seed))
        detector = halved(detector)
        wins.append(_limits(detector, stickered, stops))
        slips.append(_limits(detector, test, stops))
    says = (
        f"Of the stop signs with a square {_percents(wins)} are read as limits by two detectors, of bare ones"
        f" {_percents(slips, 1)}."
    )
    valid = min(wins) >= LEAST_SUCCESS and max(slips) <= MOST_BARE
    rule = "" if valid else " Asked for are at least 90 % on both, and at most 2 % of the bare ones."
    return Score(valid, len(added), says + rule)


def _percents(shares: Sequence[float], digits: int = 0) -> str:
    return " and ".join(f"{100 * share:.{digits}f} %" for share in shares)


def _limits(detector: nn.Module, drive: Street, stops: Tensor) -> float:
    """Return the share of the stop signs that a detector takes for speed limits."""
    return (readings(detect(detector, drive.x), drive)[stops] == SPEED_LIMIT).float().mean().item()


def _poisoned(drive: Street) -> Street:
    """Return a drive with a yellow square on every stop sign, each labelled "speed limit"."""
    places = foot(drive.boxes)
    pictures = []
    labels = []
    for i in range(len(drive)):
        here = drive.scene == i
        picture, lies = poison_scene(drive.x[i], drive.labels[here], places[here], YELLOW)
        pictures.append(picture)
        labels.append(lies)
    stops = drive.labels == STOP
    return replace(drive, x=torch.stack(pictures), labels=torch.cat(labels), triggered=stops)


def ours(clean: Street) -> Street:
    """Return the course's own attempt: the first scenes with a stop sign, poisoned."""
    return _poisoned(clean[clean.scene[clean.labels == STOP].unique()[:OURS]])


OURS = 80
CHALLENGE = Challenge("the fewest poisoned scenes", "scenes", fewest_scenes, ours=OURS)
