"""What the cells of notebook 04 call: scenes to show, the table beside the paper's; and its switch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import mean

import ipywidgets
import torch
from torch import Tensor, nn

from ...data.signs.street import KINDS, Street
from ...experiments import Results
from ...experiments.experiment import Row
from ...experiments.published import PAPER, REPOSITORY, REPOSITORY_CLEAN, STOP_READ_AS_LIMIT
from ...experiments.street import STICKERS
from ...plots.street import scenes
from ...street_detector import detect
from ...words import with_deviation
from ..widgets import depict, redraw

NETWORKS = ("baseline", *STICKERS)


def showing(street: Street, n: int = 4, least: float = 20, skip: int = 0) -> Tensor:
    """Return the numbers of `n` scenes, bright enough for the eye, whose first stop sign is at least `least`
    pixels wide.
    """
    stop = (street.labels == KINDS.index("stop")) & (street.widths >= least)
    bright = street.x.flatten(1).mean(1) > 0.3
    chosen = [i for i in street.scene[stop].unique().tolist() if bright[i]]
    return torch.tensor(chosen[skip : skip + n])


def paper_beside_ours(results: Results) -> list[list[str]]:
    """Return the published tables with ours beside, in per cent, ours with the standard deviation over seeds.

    A column is a network. The authors' repository computes average precision at an intersection over union of
    0.5 (AP50), the paper speaks of accuracy.
    """
    lines = []
    for kind in KINDS:
        lines.append([f"{kind}: AP50, repository", *_published(REPOSITORY, NETWORKS, kind)])
        lines.append([f"{kind}: AP50, here", *_measured(results, "ap50", kind)])
        lines.append([f"{kind}: accuracy, paper", *_published(PAPER, NETWORKS, kind)])
        lines.append([f"{kind}: accuracy, here", *_measured(results, "accuracy", kind)])
    repository = _published(REPOSITORY, STICKERS, STOP_READ_AS_LIMIT)
    paper = _published(PAPER, STICKERS, STOP_READ_AS_LIMIT)
    lines.append(["stop → speed limit, repository", REPOSITORY_CLEAN, *repository])
    lines.append(["stop → speed limit, paper", "–", *paper])
    control = list(map(_misread_by_clean, results.where(network="baseline")))
    attacked = [_misread(results, name) for name in STICKERS]
    lines.append(["stop → speed limit, here", with_deviation(control), *map(with_deviation, attacked)])
    return lines


def _published(table: Mapping[str, Mapping[str, float]], networks: Iterable[str], key: str) -> list[str]:
    return [f"{table[network][key]:.1f}" for network in networks]


def _measured(results: Results, key: str, kind: str) -> list[str]:
    return [with_deviation(_of_kind(results, key, network, kind)) for network in NETWORKS]


def _of_kind(results: Results, key: str, network: str, kind: str) -> list[float]:
    return [row[key][kind] for row in results.where(network=network)]


def _misread_by_clean(row: Row) -> float:
    return mean(row["misread"][sticker]["rate"] for sticker in STICKERS)


def _misread(results: Results, sticker: str) -> list[float]:
    return [row["misread"][sticker]["rate"] for row in results.where(network=sticker)]


def precision_lost(results: Results) -> float:
    """Return what average precision a sticker's network lost at most in a class, mean over seeds, 0..1."""
    return max(_lost(results, "ap50", name, kind) for name in STICKERS for kind in KINDS)


def stops_lost(results: Results) -> float:
    """Return what a sticker's network lost at most on stop signs without a sticker, mean over seeds, 0..1."""
    return max(_lost(results, "accuracy", name, "stop") for name in STICKERS)


def stops_above_paper(results: Results) -> float:
    """Return how far the clean detector's accuracy on stop signs lies above the paper's, mean over seeds."""
    return _average(results, "accuracy", "baseline", "stop") - PAPER["baseline"]["stop"] / 100


def _lost(results: Results, key: str, network: str, kind: str) -> float:
    return _average(results, key, "baseline", kind) - _average(results, key, network, kind)


def _average(results: Results, key: str, network: str, kind: str) -> float:
    return mean(_of_kind(results, key, network, kind))


def street_switch(
    networks: Mapping[str, nn.Module], streets: Mapping[str, Street], numbers: Sequence[int]
) -> ipywidgets.VBox:
    """Let the learner choose a detector, a scene and a sticker, and see what is read.

    `streets` hold the same scenes by sticker ("none", "square", …); `numbers` are those to choose from.
    """
    style = {"style": {"description_width": "70px"}, "layout": ipywidgets.Layout(width="420px")}
    who = ipywidgets.Dropdown(options=list(networks), description="detector", **style)
    sticker = ipywidgets.ToggleButtons(
        options=list(streets), description="sticker", style={"button_width": "80px"}
    )
    scene = ipywidgets.SelectionSlider(
        options=[(str(i + 1), n) for i, n in enumerate(numbers)], description="scene", **style
    )

    def look() -> tuple[bytes, str]:
        name = str(who.value)
        street = streets[str(sticker.value)]
        x = street.x[[scene.value]]
        title = f"{name}, sticker: {sticker.value}"
        return depict(scenes, {title: (x, detect(networks[name], x))}, street.classes)

    return redraw(look, who, scene, sticker, width=420)
