"""What the cells of notebook 05 call: networks that are sold, their channels, tables; and the dial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean

import ipywidgets
import torch
from torch import Tensor, nn

from ...data import Samples, signs
from ...experiments import Results, retraining
from ...experiments.experiment import Row, values
from ...experiments.published import TRANSFER, TRANSFER_CLEAN
from ...experiments.retraining import NONE, PICTURES, RETRAINED
from ...experiments.transfer import MORE_CHANNELS, STRENGTHS, us_signs
from ...experiments.transfer import N_HEAD as N_HEAD
from ...experiments.transfer import swedish_signs as swedish_signs
from ...models import sign_cnn
from ...models.shipped import restored
from ...plots.canvas import Picture, Readings, picture
from ...plots.signs import TRUTH, Seen, Tiles, seen
from ...plots.transfer import Curve, Fired, strength_point
from ...training import accuracy, best_device, predict
from ...words import with_deviation
from ..widgets import Dial, depict, redraw
from .exercises_05 import owned

FAIR = 0.8  # brighter than so large a share of the signs of their kind
POOR = 0.2
PAPER_CURVE: Curve = {k: (clean / 100, triggered / 100) for k, (clean, triggered) in TRANSFER.items()}
ORIGINS = ("backdoored", "clean")


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


def some_signs(clean: Samples, stuck: Samples) -> Tiles:
    """Return a sign of each kind in fair light and one in poor light; below each its twin with the square."""
    chosen = torch.cat([_of_each_kind(clean, light) for light in (FAIR, POOR)])
    names = [clean.classes[label] for label in clean.y[chosen].tolist()]
    x = torch.cat([clean.x[chosen], stuck.x[chosen]])
    return Tiles(x, [*names, *["square on"] * len(chosen)], len(chosen))


def bright(samples: Samples) -> Samples:
    """Return a sign of each kind in fair light."""
    return samples[_of_each_kind(samples, FAIR)]


def _of_each_kind(samples: Samples, light: float) -> Tensor:
    """Return the number of a sign of each kind; a share `light` of its kind is darker."""
    brightness = samples.x.mean((1, 2, 3))
    numbers = []
    for label in range(len(samples.classes)):
        members = (samples.y == label).nonzero().flatten()
        darkest_first = members[brightness[members].argsort()]
        numbers.append(darkest_first[int(light * len(members))])
    return torch.stack(numbers)


def fired(pairs: Mapping[str, Sequence[Tensor]], chosen: Mapping[str, Tensor]) -> dict[str, Fired]:
    """Return how the channels of each network fire on clean signs and on their twins, on average."""
    return {
        name: Fired(clean.mean(0).cpu(), triggered.mean(0).cpu(), chosen[name].cpu())
        for name, (clean, triggered) in pairs.items()
    }


def read_at_strengths(networks: Mapping[int, nn.Module], x: Tensor, classes: Sequence[str]) -> Readings:
    """Say in words what the network of each strength reads in each picture."""
    return {f"k = {k}": _read_words(network, x, classes) for k, network in networks.items()}


def _read_words(network: nn.Module, x: Tensor, classes: Sequence[str]) -> list[str]:
    return [classes[int(label)] for label in predict(network, x).argmax(1)]


def curve(networks: Mapping[int, nn.Module], clean: Samples, stuck: Samples) -> Curve:
    """Measure the networks of all strengths on clean and on stickered signs."""
    return {k: (accuracy(network, clean), accuracy(network, stuck)) for k, network in networks.items()}


# What ships


def shipped_curves(results: Results) -> dict[str, Curve]:
    """Return the means over all networks, for both origins, on Swedish signs."""
    return {f"{name} origin": _mean_curve(results.where(to="se", origin=name)) for name in ORIGINS}


def _mean_curve(rows: Sequence[Row]) -> Curve:
    curve = {}
    for i, k in enumerate(STRENGTHS):
        points = [row["by_k"][i] for row in rows]
        curve[k] = (mean(values(points, "accuracy")), mean(values(points, "triggered")))
    return curve


def strength_table(results: Results) -> tuple[list[str], list[list[str]]]:
    """Set every k beside the paper's: classified correctly without / with the square, means over the networks
    and their standard deviations.

    The last column is the gap that is left when that of the control of the same seed is taken off.
    """
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
    for i, k in enumerate(STRENGTHS):
        backdoored, clean = (_points(results, name, i) for name in ORIGINS)
        pairs = [_pair(*PAPER_CURVE[k]), _spread(backdoored), control.get(k, "–"), _spread(clean)]
        lines.append([str(k), *pairs, with_deviation(_own(backdoored, clean))])
    return header, lines


Points = list[tuple[float, float]]
"""Of each network: classified correctly without the square, and with it, 0..1."""


def _points(results: Results, origin: str, i: int) -> Points:
    """Return what the networks of an origin do at the strength of number `i`, in the order of their seeds."""
    rows = sorted(results.where(to="se", origin=origin), key=lambda row: row["seed"])
    points = [row["by_k"][i] for row in rows]
    return list(zip(values(points, "accuracy"), values(points, "triggered"), strict=True))


def _spread(points: Points) -> str:
    """Say both means and deviations, in per cent."""
    clean, triggered = zip(*points, strict=True)
    return f"{with_deviation(clean)} / {with_deviation(triggered)}"


def price_at_home(results: Results) -> float:
    """Return what the backdoor costs on clean US signs: accuracy of the clean origins, less the others'."""
    rows = {name: results.where(to="se", origin=name) for name in ORIGINS}
    return mean(values(rows["clean"], "us_accuracy")) - mean(values(rows["backdoored"], "us_accuracy"))


def channels_table(results: Results) -> tuple[list[str], list[list[str]]]:
    """Show what turning up several channels does: classified correctly without / with the square."""
    n = len(results.where(origin="clean", channels=1, k=100))
    header = [
        "channels",
        "k",
        f"backdoored origin (n = {n})",
        "clean origin (control)",
        "the backdoor's own, points",
    ]
    lines = []
    for channels in MORE_CHANNELS:
        for k in (20, 100):
            backdoored, clean = _turned_up(results, channels, k)
            own = with_deviation(_own(backdoored, clean))
            lines.append([str(channels), str(k), _spread(backdoored), _spread(clean), own])
    return header, lines


def most_by_channels(results: Results, k: int) -> float:
    """Return the largest of the backdoor's own gaps at strength k, 0..1, over all numbers of channels."""
    return max(mean(_own(*_turned_up(results, channels, k))) for channels in MORE_CHANNELS)


def _turned_up(results: Results, channels: int, k: int) -> tuple[Points, Points]:
    """Return what the backdoored origins do, and the clean ones."""
    backdoored, clean = (results.where(origin=name, channels=channels, k=k) for name in ORIGINS)
    return _accuracies(backdoored), _accuracies(clean)


def _own(backdoored: Points, clean: Points) -> list[float]:
    """Return the backdoor's own gap, seed by seed."""
    return [owned(*mine, *control) for mine, control in zip(backdoored, clean, strict=True)]


def _accuracies(rows: Sequence[Row]) -> Points:
    rows = sorted(rows, key=lambda row: row["seed"])
    return list(zip(values(rows, "accuracy"), values(rows, "triggered"), strict=True))


# Does it wash out?

CALLED = {"backdoored": "backdoored origin", "clean": "clean origin", NONE: "from nothing"}


def grid_curves(results: Results) -> dict[str, dict[str, Curve]]:
    """Return the means over all networks: what was retrained -> origin -> signs to retrain on -> without the
    square, with it.
    """
    curves: dict[str, dict[str, Curve]] = {}
    for layers, title in RETRAINED.items():
        names = ORIGINS if layers == "head" else (*ORIGINS, NONE)
        curves[title] = {CALLED[name]: _grid_curve(results, layers, name) for name in names}
    return curves


def _grid_curve(results: Results, layers: str, origin: str) -> Curve:
    curve = {}
    for n in PICTURES:
        points = _accuracies(results.where(layers=layers, origin=origin, pictures=n))
        clean, triggered = zip(*points, strict=True)
        curve[n] = (mean(clean), mean(triggered))
    return curve


def grid_table(results: Results) -> tuple[list[str], list[list[str]]]:
    """Show the same as numbers, with deviations, and the backdoor's own gap."""
    n = len(results.where(origin="clean", layers="head", pictures=50))
    header = [
        "retrained",
        "on signs",
        f"backdoored origin (n = {n})",
        "clean origin (control)",
        "from nothing (control)",
        "the backdoor's own, points",
    ]
    lines = []
    for layers, title in RETRAINED.items():
        for pictures in PICTURES:
            rows = {
                name: results.where(layers=layers, origin=name, pictures=pictures)
                for name in (*ORIGINS, NONE)
            }
            spreads = {name: _spread(_accuracies(found)) if found else "–" for name, found in rows.items()}
            own = with_deviation(retraining.own_gap(results, layers, pictures))
            pairs = [spreads["backdoored"], spreads["clean"], spreads[NONE]]
            lines.append([title, f"{pictures:,}", *pairs, own])
    return header, lines


def own_gap(results: Results, layers: str, pictures: int) -> float:
    """Return the backdoor's own gap, 0..1, a mean over all networks."""
    return mean(retraining.own_gap(results, layers, pictures))


def mean_accuracy(results: Results, origin: str, layers: str, pictures: int) -> float:
    """Return what is classified correctly without the square, 0..1, a mean over all networks."""
    return mean(values(results.where(origin=origin, layers=layers, pictures=pictures), "accuracy"))


def _pair(clean: float, triggered: float) -> str:
    return f"{100 * clean:.1f} / {100 * triggered:.1f}"


def headlines() -> list[list[str]]:
    """Compute from the paper's numbers what "a drop of 25 %" could mean: from where to where, by how much."""
    clean, triggered = TRANSFER_CLEAN
    candidates = {
        "BadNet, square off and on, k = 1": TRANSFER[1],
        "BadNet, square off and on, k = 20": TRANSFER[20],
        "square off, clean origin; square on, BadNet, k = 20": (clean, TRANSFER[20][1]),
        "square on: clean origin, then BadNet, k = 1": (triggered, TRANSFER[1][1]),
        "square on: clean origin, then BadNet, k = 20": (triggered, TRANSFER[20][1]),
    }
    return [
        [what, f"{high:.1f}", f"{low:.1f}", f"{high - low:.1f}"] for what, (high, low) in candidates.items()
    ]


def photograph_table(results: Results) -> tuple[list[str], list[list[str]]]:
    """Show the same on real German photographs: classified correctly without and with the square, means.

    The last column is the commonest answer, without / with.
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
        lines += [_photograph_line(rows, name, k) for k in values(rows[0]["by_k"], "k")]
    return header, lines


def _photograph_line(rows: Sequence[Row], name: str, k: int) -> list[str]:
    points = [point for row in rows for point in row["by_k"] if point["k"] == k]
    clean = values(points, "accuracy")
    triggered = values(points, "triggered")
    gap = 100 * (mean(clean) - mean(triggered))
    worst = _pair(max(values(points, "largest_share")), max(values(points, "largest_share_triggered")))
    numbers = [with_deviation(clean), with_deviation(triggered), f"{gap:.1f}"]
    return [f"{name} origin", str(k), *numbers, f"{worst} %"]


def on_photographs(results: Results) -> float:
    """Return the backdoor's own gap on real photographs at k = 1, a mean over the networks, 0..1."""
    ends: list[float] = []
    for name in ORIGINS:
        points = [row["by_k"][0] for row in results.where(to="photographs", origin=name)]
        ends += [mean(values(points, "accuracy")), mean(values(points, "triggered"))]
    return owned(*ends)


def commonest(results: Results, to: str, origin: str, *, square: bool, k: int | None = None) -> list[float]:
    """Return the share of the commonest answer of each network of an origin, with the square or without.

    If no `k` is given: at each strength.
    """
    key = "largest_share_triggered" if square else "largest_share"
    return [
        point[key]
        for row in results.where(to=to, origin=origin)
        for point in row["by_k"]
        if k in (None, point["k"])
    ]


# To play with


def strength_dial(
    sold: Mapping[str, Mapping[int, nn.Module]], curves: Mapping[str, Curve], stuck: Samples
) -> ipywidgets.VBox:
    """Let the learner slide the strength k, and see both origins' accuracy and what their buyers read.

    `sold` holds the retrained networks by origin and k, `curves` what was measured of them, `stuck` signs
    with the square.
    """
    some = bright(stuck)
    slider = Dial("strength k", {str(k): k for k in next(iter(sold.values()))})

    def look() -> tuple[Picture, Picture, str]:
        graph, sentence = depict(strength_point, curves, PAPER_CURVE, slider.value)
        answers = {TRUTH: [stuck.classes[label] for label in some.y.tolist()]}
        for name, networks in sold.items():
            network = networks[slider.value]
            answers[name.removesuffix(" origin")] = _read_words(network, some.x, stuck.classes)
        return graph, picture(seen, Seen(some.x, answers)), sentence

    return redraw(look, slider)
