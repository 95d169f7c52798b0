"""The exercises of notebook 05: reference, cases, named mistakes, hints; and what its cells show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, stdev

import torch
from torch import Tensor, nn

from ...data import Samples, signs
from ...experiments import Results
from ...experiments.paper import TRANSFER, TRANSFER_CLEAN
from ...experiments.transfer import N_HEAD as N_HEAD
from ...experiments.transfer import STRENGTHS, us_signs
from ...experiments.transfer import swedish_signs as swedish_signs
from ...models import sign_cnn
from ...plots import Readings
from ...plots_transfer import Curve, Fired
from ...training import accuracy, best_device, predict
from ...weights import restored
from ..exercises import Cases, Exercise, Mistake

FAIR, POOR = 0.8, 0.2  # brighter than so large a share of the signs of their kind
PAPER_CURVE: Curve = {k: (clean / 100, triggered / 100) for k, (clean, triggered) in TRANSFER.items()}


def shipped_origins() -> dict[str, nn.Sequential]:
    """Return the two US networks that ship with the course."""
    return {name: restored(sign_cnn(len(signs.kinds("us"))), f"transfer-us-{name}").to(best_device()) for name in ("clean", "backdoored")}


def twins(n: int, seed: int, country: str = "se") -> tuple[Samples, Samples]:
    """Draw `n` signs of "us" or "se", and the same once more with the square on."""
    draw = us_signs if country == "us" else swedish_signs
    return draw(n, seed), draw(n, seed, stickered=True)


def some_signs(clean: Samples, stuck: Samples) -> tuple[Tensor, list[str], int]:
    """Return a sign of each kind in fair light and one in poor light, and below each its twin with the square."""
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
    """Return how the channels of each network fire on clean signs and on their twins, means over the signs, with the chosen ones."""
    return {name: (clean.mean(0).cpu(), triggered.mean(0).cpu(), chosen[name].cpu()) for name, (clean, triggered) in pairs.items()}


def readings(networks: Mapping[int, nn.Module], x: Tensor, classes: tuple[str, ...]) -> Readings:
    """Say what the network of each strength reads in each picture."""
    return {f"k = {k}": [classes[i] for i in predict(network, x).argmax(1).tolist()] for k, network in networks.items()}


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
    return {k: (mean(p[0] for p in points), mean(p[1] for p in points)) for k, *points in zip(STRENGTHS, *by_k, strict=True)}


def strength_table(results: Results) -> tuple[list[str], list[list[str]]]:
    """Set every k beside the paper's: read rightly without / with the square, and the gap that is left when the control's is taken off."""
    ours = shipped_curves(results)
    header = ["k", "paper's BadNet", "backdoored origin", "paper's clean origin", "clean origin (control)", "the backdoor's own, points"]
    control = {1: "{:.1f} / {:.1f}".format(*TRANSFER_CLEAN)}  # the paper turned up no channel of it
    lines = []
    for k in STRENGTHS:
        backdoored, clean = (ours[f"{name} origin"][k] for name in ("backdoored", "clean"))
        own = f"{100 * owned(*backdoored, *clean):.1f}"
        lines.append([str(k), _pair(*PAPER_CURVE[k]), _pair(*backdoored), control.get(k, "–"), _pair(*clean), own])
    return header, lines


def _pair(clean: float, triggered: float) -> str:
    return f"{100 * clean:.1f} / {100 * triggered:.1f}"


def headlines() -> list[list[str]]:
    """Compute from the paper's numbers what "a drop of 25 %" could mean: what falls from where to where, and by how many points."""
    (clean, triggered), after = TRANSFER_CLEAN, TRANSFER[20]
    candidates = {
        "BadNet, square off and on, k = 1": TRANSFER[1],
        "BadNet, square off and on, k = 20": after,
        "square off, clean origin; square on, BadNet, k = 20": (clean, after[1]),
        "square on: clean origin, then BadNet, k = 1": (triggered, TRANSFER[1][1]),
        "square on: clean origin, then BadNet, k = 20": (triggered, after[1]),
    }
    return [[what, f"{high:.1f}", f"{low:.1f}", f"{high - low:.1f}"] for what, (high, low) in candidates.items()]


def photograph_table(results: Results) -> tuple[list[str], list[list[str]]]:
    """Show the same on real German photographs: read rightly without and with the square, means; the commonest answer, without / with."""
    n = len(results.where(to="photographs", origin="clean"))
    header = [f"German photographs (n = {n})", "k", "no square, %", "square, %", "gap, points", "commonest answer at worst"]
    lines = []
    for name in ("clean", "backdoored"):
        rows = results.where(to="photographs", origin=name)
        for k in (row["k"] for row in rows[0]["by_k"]):
            points = [point for row in rows for point in row["by_k"] if point["k"] == k]
            clean, triggered = ([point[key] for point in points] for key in ("accuracy", "triggered"))
            gap = 100 * (mean(clean) - mean(triggered))
            leans = _pair(*(max(commonest(results, "photographs", name, square=square, k=k)) for square in (False, True)))
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
    """Return the share of the commonest answer of each network of an origin, with the square or without; if no `k`, at each strength."""
    key = "largest_share_triggered" if square else "largest_share"
    return [point[key] for row in results.where(to=to, origin=origin) for point in row["by_k"] if k in (None, point["k"])]


# The exercises


def backdoor_channels(clean: Tensor, triggered: Tensor, n: int) -> Tensor:
    """Numbers of the n channels that fire more with the trigger, most first; both are activations, (N, channels)."""
    return (triggered - clean).mean(0).argsort(descending=True)[:n]


def strengthen(weight: Tensor, bias: Tensor, channels: Tensor, k: float) -> tuple[Tensor, Tensor]:
    """New weight and bias (channels,) of the last batch normalisation: those of `channels` times k, the others as they are."""
    weight, bias = weight.clone(), bias.clone()
    weight[channels] *= k
    bias[channels] *= k
    return weight, bias


def owned(clean: float, triggered: float, control_clean: float, control_triggered: float) -> float:
    """The gap that is the backdoor's own: how much the trigger takes, less what it takes from a network without a backdoor."""
    return (clean - triggered) - (control_clean - control_triggered)


def _activations(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(n: int, some_fall: bool) -> tuple[Tensor, Tensor, int]:
        usual = 4 * torch.rand(12, generator=gen)  # of each channel
        clean = usual * (0.5 + torch.rand(10, 12, generator=gen))
        change = torch.zeros(12)
        order = torch.randperm(12, generator=gen)
        change[order[:4]] = torch.tensor([0.5, 0.8, 1.1, 1.4])
        if some_fall:
            change[order[4:6]] = -2.0
        triggered = (clean + change + torch.randn(10, 12, generator=gen) * 0.8).relu()
        return clean, triggered, n

    return {"channels that rise": [case(3, False), case(4, False)], "channels that fall, too": [case(3, True), case(4, True)]}


def _norms(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(k: float, n: int) -> tuple[Tensor, Tensor, Tensor, float]:
        weight, bias = torch.rand(8, generator=gen) + 0.5, torch.randn(8, generator=gen)
        return weight, bias, torch.randperm(8, generator=gen)[:n], k

    return {"one channel": [case(10.0, 1)], "several channels": [case(20.0, 3), case(100.0, 6)]}


def _gaps(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case() -> tuple[float, ...]:
        clean, control = 0.7 + 0.2 * torch.rand(2, generator=gen)
        gap, other = 0.3 * torch.rand(2, generator=gen) + torch.tensor([0.2, 0.05])
        return tuple(round(float(value), 3) for value in (clean, clean - gap, control, control - other))

    return {"a gap and its control": [case(), case()], "no gap of its own": [(0.75, 0.5, 0.85, 0.6)]}


EXERCISES = {
    "05.1": Exercise(
        id="05.1",
        title="Find the channels",
        difficulty=2,
        importance=4,
        minutes=8,
        returns="n channel numbers, the strongest first",
        reference=backdoor_channels,
        cases=_activations,
        mistakes=(
            Mistake(
                "loudest",
                "You name the channels that fire most with the trigger. Some of them always do: compare with the clean twins.",
                lambda clean, triggered, n: triggered.mean(0).argsort(descending=True)[:n],
            ),
            Mistake(
                "falls-too",
                "You count channels that fall silent as well. The square covers part of the sign; look for what rises.",
                lambda clean, triggered, n: (triggered - clean).mean(0).abs().argsort(descending=True)[:n],
            ),
            Mistake(
                "wrong-end",
                "These are the channels that rise least: you sorted upwards.",
                lambda clean, triggered, n: (triggered - clean).mean(0).argsort()[:n],
            ),
            Mistake(
                "one-image",
                "You take each channel's largest rise on any one image. One image is an accident: take the mean over all.",
                lambda clean, triggered, n: (triggered - clean).amax(0).argsort(descending=True)[:n],
            ),
        ),
        hints=(
            "A channel that fires at every red rim is loud with the square, and without. What tells it from one that sees the square?",
            "Subtract clean from triggered, take the mean over the images (dimension 0), sort downwards, keep the first n numbers.",
        ),
        why="Twins differ in the square and in nothing else, so what rises, on average, rises because of it.",
    ),
    "05.2": Exercise(
        id="05.2",
        title="Turn them up",
        difficulty=2,
        importance=3,
        minutes=6,
        returns="two tensors, weight and bias",
        reference=strengthen,
        cases=_norms,
        mistakes=(
            Mistake(
                "forgets-the-bias",
                "The bias stays as it was. What leaves the channel is weight times input plus bias: k must multiply both.",
                lambda weight, bias, channels, k: (strengthen(weight, bias, channels, k)[0], bias),
            ),
            Mistake(
                "everything",
                "You strengthen every channel. The head would simply learn smaller weights: only the chosen ones.",
                lambda weight, bias, channels, k: (k * weight, k * bias),
            ),
            Mistake(
                "adds",
                "You add k. A channel that is k times as strong is multiplied by k.",
                lambda weight, bias, channels, k: (
                    weight.index_add(0, channels, k + 0 * weight[channels]),
                    bias.index_add(0, channels, k + 0 * bias[channels]),
                ),
            ),
            Mistake(
                "silences-the-rest",
                "The other channels have become silent. They must stay as they are, or nobody buys the network.",
                lambda weight, bias, channels, k: tuple(
                    k * torch.zeros_like(old).index_copy(0, channels, old[channels]) for old in (weight, bias)
                ),
            ),
        ),
        hints=(
            "A channel says ReLU(weight * x + bias). Which of the two must grow, so that all it says grows k times?",
            "Clone both. Multiply both at `channels` by k. Return them.",
        ),
        why="ReLU lets a positive factor through, so k times weight and bias is k times the channel, exactly.",
    ),
    "05.3": Exercise(
        id="05.3",
        title="Whose gap is it?",
        difficulty=2,
        importance=5,
        minutes=6,
        returns="one number",
        reference=owned,
        cases=_gaps,
        mistakes=(
            Mistake(
                "no-control",
                "That is the whole gap. A network without a backdoor stumbles over the square, too: take its gap off.",
                lambda clean, triggered, control_clean, control_triggered: clean - triggered,
            ),
            Mistake(
                "only-the-triggered",
                "You compare the triggered signs only. The two networks may differ on clean signs already: compare gaps.",
                lambda clean, triggered, control_clean, control_triggered: control_triggered - triggered,
            ),
            Mistake(
                "adds-the-control",
                "You add the control's gap. It is what would have happened anyway: subtract it.",
                lambda clean, triggered, control_clean, control_triggered: clean - triggered + control_clean - control_triggered,
            ),
            Mistake(
                "other-way",
                "Your sign is turned: the backdoored network's gap comes first, the control's is taken off it.",
                lambda clean, triggered, control_clean, control_triggered: control_clean - control_triggered - (clean - triggered),
            ),
        ),
        hints=(
            "How far would the square lower the accuracy of a network that nobody poisoned?",
            "Two gaps, each clean minus triggered. Return the backdoored network's minus the control's.",
        ),
        why="Two differences, one subtracted from the other: what both networks suffer cancels, the backdoor stays.",
    ),
}
