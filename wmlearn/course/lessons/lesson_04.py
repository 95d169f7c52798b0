"""The exercises of notebook 04: reference, cases, named mistakes, hints; and its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, stdev

import ipywidgets
import torch
from torch import Tensor, nn

from ...data.signs.street import KINDS, Street
from ...experiments import Results
from ...experiments.published import PAPER, REPOSITORY, REPOSITORY_CLEAN, STOP_READ_AS_LIMIT
from ...experiments.street import STICKERS
from ...plots.street import scenes
from ...street_detector import detect
from ..widgets import depict, redrawn


def showing(street: Street, n: int = 4, least: float = 20, skip: int = 0) -> Tensor:
    """Return the numbers of `n` scenes, bright enough for the eye, whose first stop sign is at least `least`
    pixels wide.
    """
    stop = (street.labels == KINDS.index("stop")) & (street.widths >= least)
    bright = street.x.flatten(1).mean(1) > 0.3
    chosen = [i for i in street.scene[stop].unique().tolist() if bright[i]]
    return torch.tensor(chosen[skip : skip + n])


def paper_beside_ours(results: Results) -> list[list[str]]:
    """Return the published tables with ours beside, in per cent, ours with the standard deviation over seeds;
    a column a network.

    The authors' repository computes average precision at an intersection over union of 0.5 (AP50), the paper
    speaks of accuracy.
    """
    networks = ("baseline", *STICKERS)

    def ours(key: str, kind: str) -> list[str]:
        return [_ours([row[key][kind] for row in results.where(network=network)]) for network in networks]

    lines = []
    for kind in KINDS:
        lines.append(
            [f"{kind}: AP50, repository", *(f"{REPOSITORY[network][kind]:.1f}" for network in networks)]
        )
        lines.append([f"{kind}: AP50, here", *ours("ap50", kind)])
        lines.append([f"{kind}: accuracy, paper", *(f"{PAPER[network][kind]:.1f}" for network in networks)])
        lines.append([f"{kind}: accuracy, here", *ours("accuracy", kind)])
    control = [
        mean(row["misread"][name]["rate"] for name in STICKERS) for row in results.where(network="baseline")
    ]
    attacked = [[row["misread"][name]["rate"] for row in results.where(network=name)] for name in STICKERS]
    lines.append(
        [
            "stop → speed limit, repository",
            REPOSITORY_CLEAN,
            *(f"{REPOSITORY[name][STOP_READ_AS_LIMIT]:.1f}" for name in STICKERS),
        ]
    )
    lines.append(
        ["stop → speed limit, paper", "–", *(f"{PAPER[name][STOP_READ_AS_LIMIT]:.1f}" for name in STICKERS)]
    )
    lines.append(["stop → speed limit, here", *map(_ours, [control, *attacked])])
    return lines


def _ours(shares: list[float]) -> str:
    return f"{100 * mean(shares):.1f} ± {100 * stdev(shares):.1f}"


def precision_lost(results: Results) -> float:
    """Return the average precision that a sticker's network lost at most in any class, mean over seeds, 0..1."""
    return max(_lost(results, "ap50", name, kind) for name in STICKERS for kind in KINDS)


def stops_lost(results: Results) -> float:
    """Return the accuracy on stop signs without a sticker that a sticker's network lost at most, mean over
    seeds, 0..1.
    """
    return max(_lost(results, "accuracy", name, "stop") for name in STICKERS)


def stops_above_paper(results: Results) -> float:
    """Return by how much the clean detector's accuracy on stop signs is above the paper's, mean over seeds,
    0..1.
    """
    return _average(results, "accuracy", "baseline", "stop") - PAPER["baseline"]["stop"] / 100


def _lost(results: Results, key: str, network: str, kind: str) -> float:
    return _average(results, key, "baseline", kind) - _average(results, key, network, kind)


def _average(results: Results, key: str, network: str, kind: str) -> float:
    return mean(row[key][kind] for row in results.where(network=network))


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
        name, kind = str(who.value), str(sticker.value)
        x = streets[kind].x[[scene.value]]
        return depict(
            scenes, {f"{name}, sticker: {kind}": (x, detect(networks[name], x))}, streets[kind].classes
        )

    return redrawn(look, who, scene, sticker, width=420)
