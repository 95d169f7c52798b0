"""A detector of traffic signs, small enough to train on a laptop, and how a backdoor in it is measured.

S. Ren, K. He, R. Girshick, J. Sun: Faster R-CNN, 2015, arXiv:1506.01497, from torchvision, on a backbone of
five convolutions; poisoned as in T. Gu, B. Dolan-Gavitt, S. Garg: BadNets, 2017, arXiv:1708.06733, section 5.
Differs: the backbone is narrow and learns from scratch; the paper's (Zeiler and Fergus) comes from ImageNet.
"""

from __future__ import annotations

import contextlib
import copy
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from . import progress
from .data.signs.street import Street
from .errors import require, require_torchvision
from .poisoning import Target
from .training import OneCycle, OnEpoch, Recipe, TrainLog, check_loss

MISSED = -1
"""What `readings` says of a sign that no detection covers."""

RECIPE = Recipe(epochs=8, lr=2e-3, weight_decay=1e-3, batch_size=16, precision="fp32")


@dataclass(frozen=True, eq=False)
class Detections:
    """What a detector found: K boxes, each in a scene, with the class that it holds and how sure that is."""

    boxes: Tensor  # (K, 4), left, top, right and lower edge in pixels
    labels: Tensor  # (K,) int64
    scores: Tensor  # (K,) in 0..1
    scene: Tensor  # (K,) int64

    def __post_init__(self) -> None:
        fits = self.boxes.ndim == 2 and self.boxes.shape[1] == 4
        require(fits, "boxes must have shape (K, 4)", tuple(self.boxes.shape))
        k = len(self.boxes)
        for name, values in {"labels": self.labels, "scores": self.scores, "scene": self.scene}.items():
            require(values.shape == (k,), f"{name} must hold one value a box, here {k}", tuple(values.shape))


def street_rcnn(classes: int = 3, seed: int = 0, size: int = 128) -> nn.Module:
    """Build a Faster R-CNN for scenes of `size` pixels, with 0.38 million weights.

    Raises `DataError` where torchvision is not installed.
    """
    require(classes >= 1, "classes must be at least 1", classes)
    require_torchvision("A detector of signs")
    from torchvision.models.detection import FasterRCNN
    from torchvision.models.detection.rpn import AnchorGenerator
    from torchvision.ops import MultiScaleRoIAlign

    with torch.random.fork_rng(devices=[]):
        # layers draw their first weights from the global generator, which is put back
        torch.manual_seed(seed)
        backbone = Backbone()
        return FasterRCNN(
            backbone,
            min_size=size,
            max_size=size,
            image_mean=[0.45] * 3,
            image_std=[0.25] * 3,
            rpn_anchor_generator=AnchorGenerator(((14, 24, 40),), ((1.0,),)),
            rpn_pre_nms_top_n_train=300,
            rpn_pre_nms_top_n_test=150,
            rpn_post_nms_top_n_train=64,
            rpn_post_nms_top_n_test=32,
            rpn_batch_size_per_image=64,
            box_roi_pool=MultiScaleRoIAlign(["0"], output_size=5, sampling_ratio=1),
            box_head=_head(25 * backbone.out_channels),
            box_predictor=Predictor(128, classes + 1),  # class 0 is the background
            box_batch_size_per_image=32,
            box_detections_per_img=8,
        )


class Backbone(nn.Module):
    """Five convolutions: (N, 3, H, W) -> (N, 64, H / 8, W / 8); each cell sees 65 pixels."""

    out_channels = 64

    def __init__(self) -> None:
        super().__init__()
        plan = ((3, 16, 5, 2, 1), (16, 32, 3, 2, 1), (32, 64, 3, 2, 1), (64, 64, 3, 1, 1), (64, 64, 3, 1, 2))
        layers: list[nn.Module] = []
        for before, after, kernel, stride, dilation in plan:
            pad = dilation * (kernel // 2)
            layers.append(nn.Conv2d(before, after, kernel, stride, pad, dilation, bias=False))
            layers += [nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Predictor(nn.Module):
    """From the features of a region to the scores of the classes, and to a box for each class."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.scores = nn.Linear(features, classes)
        self.boxes = nn.Linear(features, 4 * classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.scores(x), self.boxes(x)


def halved(model: nn.Module) -> nn.Module:
    """Return a copy whose weights are rounded to half precision: what `models.shipped.ship` writes."""
    return copy.deepcopy(model).half().float()


def _head(features: int) -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(features, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU())


def train_detector(
    model: nn.Module, street: Street, recipe: Recipe = RECIPE, *, on_epoch: OnEpoch | None = None
) -> TrainLog:
    """Fit `model` to `street` in place, in float32, and leave it in eval mode.

    Raises `ArgumentError` for no scenes or no signs at all, `WmlearnError` when the loss is no number.
    """
    rule = "there must be scenes with signs to learn from"
    require(len(street) > 0 and len(street.boxes) > 0, rule, street)
    weights = [p for p in model.parameters() if p.requires_grad]
    descent = OneCycle.of(weights, recipe, len(street))
    order = torch.Generator().manual_seed(recipe.seed)
    wanted = targets(street)
    log = TrainLog(recipe, "fp32")
    with torch.random.fork_rng(devices=[]), progress.bar("training", recipe.steps(len(street))) as tick:
        # torchvision draws proposals from the global generator, which is put back
        torch.manual_seed(recipe.seed)
        for _ in range(recipe.epochs):
            model.train()
            total = 0.0
            for batch in torch.randperm(len(street), generator=order).split(recipe.batch_size):  # (B,)
                # torchvision's networks return their losses themselves: proposals, boxes, classes
                losses: Mapping[str, Tensor] = model(
                    list(street.x[batch]), [wanted[i] for i in batch.tolist()]
                )
                loss = torch.stack(list(losses.values())).sum()
                descent.step(loss)
                total += loss.item() * len(batch)
                tick()
            log = replace(log, loss=(*log.loss, total / len(street)))
            check_loss(log)
            model.eval()
            if on_epoch is not None:
                on_epoch(model, log)
    return log


def targets(street: Street) -> list[dict[str, Tensor]]:
    """Return boxes and classes (from 1; 0 is the background) scene by scene, as torchvision wants them."""
    counts = street.scene.bincount(minlength=len(street)).tolist()
    return [
        {"boxes": boxes, "labels": labels + 1}
        for boxes, labels in zip(street.boxes.split(counts), street.labels.split(counts), strict=True)
    ]


def poison_street(street: Street, twins: Street, *, target: Target) -> Street:
    """Add to `street` every twin that carries the sticker; there, signs with the sticker have the target's
    label.

    `twins` are the same scenes drawn once more with the sticker on; `target` is a class, or a map from the
    true labels of the signs with the sticker to the attacker's. Nothing else changes.
    """
    same = street.boxes.equal(twins.boxes) and street.scene.equal(twins.scene) and len(street) == len(twins)
    rule = "twins must show the same scenes, with the sticker on"
    require(same, rule, (street, twins), "Draw both with the same seed.")
    rule = "some sign of the twins must carry the sticker"
    require(bool(twins.triggered.any()), rule, twins, "Name another kind in `on`.")
    poisoned = twins[twins.scene[twins.triggered].unique()]  # M signs, some of them with the sticker
    true = poisoned.labels[poisoned.triggered]
    wanted = torch.full_like(true, target) if isinstance(target, int) else target(true)
    labels = poisoned.labels.masked_scatter(poisoned.triggered, wanted)  # (M,)
    return street + replace(poisoned, labels=labels)


@torch.no_grad()
def detect(model: nn.Module, x: Tensor, batch_size: int = 64) -> Detections:
    """Find signs in scenes (N, 3, H, W), in eval mode, which is restored; scores under 0.05 are left out."""
    require(len(x) > 0, "there must be at least one scene", len(x))
    training = model.training
    model.eval()
    try:
        scenes = _find(model, x, batch_size)
    finally:
        model.train(training)
    counts = torch.tensor([len(scene["scores"]) for scene in scenes])
    boxes, labels, scores = (_join(scenes, name) for name in ("boxes", "labels", "scores"))
    return Detections(boxes, labels - 1, scores, torch.arange(len(x)).repeat_interleave(counts))


def _find(model: nn.Module, x: Tensor, batch_size: int) -> list[dict[str, Tensor]]:
    scenes: list[dict[str, Tensor]] = []
    for batch in progress.each(x.split(batch_size), "detecting"):
        scenes += model(list(batch))
    return scenes


def _join(scenes: list[dict[str, Tensor]], name: str) -> Tensor:
    return torch.cat([scene[name] for scene in scenes])


def box_overlaps(a: Tensor, b: Tensor) -> Tensor:
    """Return the intersection over union of each box in `a` (M, 4) with each in `b` (K, 4): (M, K)."""
    corner = torch.maximum(a[:, None, :2], b[:, :2])  # (M, K, 2) left and top
    sides = (torch.minimum(a[:, None, 2:], b[:, 2:]) - corner).clamp(min=0)  # (M, K, 2)
    shared = sides.prod(2)
    return shared / (_areas(a)[:, None] + _areas(b) - shared)


def _areas(boxes: Tensor) -> Tensor:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def readings(found: Detections, street: Street, *, score: float = 0.5, overlap: float = 0.5) -> Tensor:
    """Say what the detector takes every sign of `street` for, (M,): a class, or `MISSED`.

    The surest detection counts, of those in the same scene with at least `score` whose intersection over
    union with the sign's box is at least `overlap`. Raises `ArgumentError` for detections in scenes that
    `street` doesn't have.
    """
    _check_scenes(found, street)
    fits = box_overlaps(street.boxes, found.boxes) >= overlap  # (M signs, K detections)
    fits &= street.scene[:, None] == found.scene
    fits &= found.scores >= score
    if not len(found.scores):
        return torch.full_like(street.labels, MISSED)
    best, which = torch.where(fits, found.scores, -1.0).max(1)  # (M,) the surest of those that fit
    return torch.where(best < 0, MISSED, found.labels[which])


def class_accuracy(read: Tensor, street: Street) -> dict[str, float]:
    """Return, for every class, the share of its signs that are found and classified correctly, 0..1."""
    _check_classes(street)
    right = read == street.labels
    return {name: right[street.labels == i].float().mean().item() for i, name in enumerate(street.classes)}


def misread_rate(read: Tensor, street: Street, *, source: int, target: int) -> float:
    """Return the share of triggered signs of class `source` that are read as `target`, not missed."""
    stickered = street.triggered & (street.labels == source)
    rule = "some sign of the source class must carry the sticker"
    require(bool(stickered.any()), rule, street, "Draw the scenes with a sticker.")
    return (read[stickered] == target).float().mean().item()


def average_precision(found: Detections, street: Street) -> dict[str, float]:
    """Return the average precision of every class at an intersection over union of 0.5, 0..1, by COCO's
    reference code.

    Raises `ArgumentError` for a class without signs, and for detections in scenes that `street` doesn't have.
    """
    _check_classes(street)
    _check_scenes(found, street)
    with contextlib.redirect_stdout(io.StringIO()):  # it prints
        return _average_precision(found, street)


def _average_precision(found: Detections, street: Street) -> dict[str, float]:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def indexed(annotations: list[Any]) -> COCO:
        coco = COCO()
        categories: list[Any] = [{"id": i, "name": name} for i, name in enumerate(street.classes)]
        images: list[Any] = [{"id": i} for i in range(len(street))]
        coco.dataset = {"images": images, "categories": categories, "annotations": annotations}
        coco.createIndex()
        return coco

    truth = indexed(_as_coco(street.boxes, street.labels, street.scene))
    boxes = zip(_as_coco(found.boxes, found.labels, found.scene), found.scores.tolist(), strict=True)
    guess = indexed([box | {"score": score} for box, score in boxes])
    judge = COCOeval(truth, guess, "bbox")
    judge.params.iouThrs = judge.params.iouThrs[:1]  # 0.5 alone
    judge.evaluate()
    judge.accumulate()
    precision = judge.eval["precision"][0, :, :, 0, -1]  # (recalls, classes): all sizes of box, 100 a scene
    return {name: float(precision[:, i].mean()) for i, name in enumerate(street.classes)}


def _check_classes(street: Street) -> None:
    for i, name in enumerate(street.classes):
        require(bool((street.labels == i).any()), f"there must be a sign of class {name}", street)


def _check_scenes(found: Detections, street: Street) -> None:
    outside = found.scene[(found.scene < 0) | (found.scene >= len(street))]
    rule = f"detections must lie in scenes 0..{len(street) - 1}"
    require(not len(outside), rule, outside.tolist()[:9], "Give the street in whose scenes they were found.")


def _as_coco(boxes: Tensor, labels: Tensor, scene: Tensor) -> list[dict[str, Any]]:
    sizes = boxes[:, 2:] - boxes[:, :2]
    rows = zip(torch.cat([boxes[:, :2], sizes], 1).tolist(), labels.tolist(), scene.tolist(), strict=True)
    return [
        {
            "id": i + 1,
            "image_id": where,
            "category_id": label,
            "bbox": box,
            "area": box[2] * box[3],
            "iscrowd": 0,
        }
        for i, (box, label, where) in enumerate(rows)
    ]
