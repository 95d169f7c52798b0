"""The exercises of notebook 05: reference, cases, named mistakes, hints; and what its cells show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, stdev

import ipywidgets
import torch
from torch import Tensor, nn

from ...data import Samples, signs
from ...experiments import Results
from ...experiments.published import TRANSFER, TRANSFER_CLEAN
from ...experiments.transfer import N_HEAD as N_HEAD
from ...experiments.transfer import STRENGTHS, us_signs
from ...experiments.transfer import swedish_signs as swedish_signs
from ...models import sign_cnn
from ...models.shipped import restored
from ...plots.canvas import Readings, png
from ...plots.signs import TRUTH, seen
from ...plots.transfer import Curve, Fired, strength_point
from ...training import accuracy, best_device, predict
from ..widgets import depict, redrawn
from .exercises_05 import owned

FAIR, POOR = 0.8, 0.2  # brighter than so large a share of the signs of their kind
PAPER_CURVE: Curve = {k: (clean / 100, triggered / 100) for k, (clean, triggered) in TRANSFER.items()}


def shipped_origins() -> dict[str, nn.Sequential]:
    """Return the two US networks that ship with the course."""
    return {
        name: restored(sign_cnn(len(signs.kinds("us"))), f"transfer-us-{name}").to(best_device())
        for name in ("clean", "backdoored")
    }


def twins(n: int, seed: int, country: str = "se") -> tuple[Samples, Samples]:
    """Draw `n` signs of "us" or "se", and the same once more with the square on."""
    draw = us_signs if country == "us" else swedish_signs
    return draw(n, seed), draw(n, seed, stickered=True)


def some_signs(clean: Samples, stuck: Samples) -> tuple[Tensor, list[str], int]:
    """Return a sign of each kind in fair light and one in poor light, and below each its twin with the
    square.
    """
    chosen = torch.cat([_of_each_kind(clean, light) for light in (FAIR, POOR)])
    names = [clean.classes[label] for label in clean.y[chosen].tolist()]
    return torch.cat([clean.x[chosen], stuck.x[chosen]]), [*names, *["square on"] * len(chosen)], len(chosen)


def bright(samples: Samples) -> Samples:
    """Return a sign of each kind in fair light."""
    return samples[_of_each_kind(samples, FAIR)]


def _of_each_kind(samples: Samples, light: float) -> Tensor:
    """Name a sign of each kind; a share `light` of its kind is darker."""
    brightness = samples.x.mean((1, 2, 3))
    members = [(samples.y == label).nonzero().flatten() for label in range(len(samples.classes))]
    return torch.stack([own[brightness[own].argsort()[int(light * len(own))]] for own in members])


def fired(pairs: Mapping[str, Sequence[Tensor]], chosen: Mapping[str, Tensor]) -> Fired:
    """Return how the channels of each network fire on clean signs and on their twins, means over the signs,
    with the chosen ones.
    """
    return {
        name: (clean.mean(0).cpu(), triggered.mean(0).cpu(), chosen[name].cpu())
        for name, (clean, triggered) in pairs.items()
    }


def readings(networks: Mapping[int, nn.Module], x: Tensor, classes: tuple[str, ...]) -> Readings:
    """Say what the network of each strength reads in each picture."""
    return {
        f"k = {k}": [classes[i] for i in predict(network, x).argmax(1).tolist()]
        for k, network in networks.items()
    }


def curve(networks: Mapping[int, nn.Module], clean: Samples, stuck: Samples) -> Curve:
    """Measure the networks of all strengths on clean and on stickered signs."""
    return {k: (accuracy(network, clean), accuracy(network, stuck)) for k, network in networks.items()}


# What ships


def shipped_curves(results: Results) -> dict[str, Curve]:
    """Return the means over all networks, for both origins, on Swedish signs."""
    return {f"{name} origin": _curve(results, name) for name in ("backdoored", "clean")}


def _curve(results: Results, name: str) -> Curve:
    rows = results.where(to="se", origin=name)
    by_k = [[(point["accuracy"], point["triggered"]) for point in row["by_k"]] for row in rows]
    return {
        k: (mean(p[0] for p in points), mean(p[1] for p in points))
        for k, *points in zip(STRENGTHS, *by_k, strict=True)
    }


def strength_table(results: Results) -> tuple[list[str], list[list[str]]]:
    """Set every k beside the paper's: read rightly without / with the square, and the gap that is left when
    the control's is taken off.
    """
    ours = shipped_curves(results)
    header = [
        "k",
        "paper's BadNet",
        "backdoored origin",
        "paper's clean origin",
        "clean origin (control)",
        "the backdoor's own, points",
    ]
    control = {1: "{:.1f} / {:.1f}".format(*TRANSFER_CLEAN)}  # the paper turned up no channel of it
    lines = []
    for k in STRENGTHS:
        backdoored, clean = (ours[f"{name} origin"][k] for name in ("backdoored", "clean"))
        own = f"{100 * owned(*backdoored, *clean):.1f}"
        lines.append(
            [str(k), _pair(*PAPER_CURVE[k]), _pair(*backdoored), control.get(k, "–"), _pair(*clean), own]
        )
    return header, lines


def _pair(clean: float, triggered: float) -> str:
    return f"{100 * clean:.1f} / {100 * triggered:.1f}"


def headlines() -> list[list[str]]:
    """Compute from the paper's numbers what "a drop of 25 %" could mean: what falls from where to where, and
    by how many points.
    """
    (clean, triggered), after = TRANSFER_CLEAN, TRANSFER[20]
    candidates = {
        "BadNet, square off and on, k = 1": TRANSFER[1],
        "BadNet, square off and on, k = 20": after,
        "square off, clean origin; square on, BadNet, k = 20": (clean, after[1]),
        "square on: clean origin, then BadNet, k = 1": (triggered, TRANSFER[1][1]),
        "square on: clean origin, then BadNet, k = 20": (triggered, after[1]),
    }
    return [
        [what, f"{high:.1f}", f"{low:.1f}", f"{high - low:.1f}"] for what, (high, low) in candidates.items()
    ]


def photograph_table(results: Results) -> tuple[list[str], list[list[str]]]:
    """Show the same on real German photographs: read rightly without and with the square, means; the
    commonest answer, without / with.
    """
    n = len(results.where(to="photographs", origin="clean"))
    header = [
        f"German photographs (n = {n})",
        "k",
        "no square, %",
        "square, %",
        "gap, points",
        "commonest answer at worst",
    ]
    lines = []
    for name in ("clean", "backdoored"):
        rows = results.where(to="photographs", origin=name)
        for k in (row["k"] for row in rows[0]["by_k"]):
            points = [point for row in rows for point in row["by_k"] if point["k"] == k]
            clean, triggered = ([point[key] for point in points] for key in ("accuracy", "triggered"))
            gap = 100 * (mean(clean) - mean(triggered))
            leans = _pair(
                *(
                    max(commonest(results, "photographs", name, square=square, k=k))
                    for square in (False, True)
                )
            )
            ends = [f"{100 * mean(shares):.1f} ± {100 * stdev(shares):.1f}" for shares in (clean, triggered)]
            lines.append([f"{name} origin", str(k), *ends, f"{gap:.1f}", f"{leans} %"])
    return header, lines


def on_photographs(results: Results) -> float:
    """Return the backdoor's own gap on real photographs at k = 1, a mean over the networks, 0..1."""

    def ends(name: str) -> tuple[float, float]:
        points = [row["by_k"][0] for row in results.where(to="photographs", origin=name)]
        return mean(point["accuracy"] for point in points), mean(point["triggered"] for point in points)

    return owned(*ends("backdoored"), *ends("clean"))


def commonest(results: Results, to: str, origin: str, *, square: bool, k: int | None = None) -> list[float]:
    """Return the share of the commonest answer of each network of an origin, with the square or without; if
    no `k`, at each strength.
    """
    key = "largest_share_triggered" if square else "largest_share"
    return [
        point[key]
        for row in results.where(to=to, origin=origin)
        for point in row["by_k"]
        if k in (None, point["k"])
    ]


# The exercises


def strength_dial(
    sold: Mapping[str, Mapping[int, nn.Module]], curves: Mapping[str, Curve], stuck: Samples
) -> ipywidgets.VBox:
    """Let the learner slide the strength k, and see both origins' accuracy there and what their buyers'
    networks read.

    `sold` holds the retrained networks by origin and k, `curves` what was measured of them, `stuck` signs
    with the square.
    """
    strengths, shown = list(next(iter(sold.values()))), bright(stuck)
    slider = ipywidgets.SelectionSlider(
        options=strengths,
        description="strength k",
        layout=ipywidgets.Layout(width="420px"),
        continuous_update=False,
    )

    def look() -> tuple[bytes, bytes, str]:
        graph, sentence = depict(strength_point, curves, PAPER_CURVE, slider.value)
        answers: Readings = {TRUTH: [stuck.classes[label] for label in shown.y.tolist()]}
        for name, networks in sold.items():
            of_strength = readings({slider.value: networks[slider.value]}, shown.x, stuck.classes)
            (answers[name.removesuffix(" origin")],) = of_strength.values()
        picture, _size = png(seen, shown.x, answers)
        return graph, picture, sentence

    return redrawn(look, slider)
