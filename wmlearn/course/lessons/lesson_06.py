"""The exercises of notebook 06: reference, cases, named mistakes, hints; and what its cells show."""

from __future__ import annotations

from statistics import mean
from typing import Any

import torch
from torch import Tensor, nn

from ... import bystanders
from ...data import Samples
from ...data.signs import draw
from ...detection import Scan, scan
from ...experiments import Results, signs
from ...experiments.signs import of_kinds
from ...plots_detection import Frames, Table
from ...poisoning import success_rate
from ...removal import FinePrune
from ...training import Recipe, accuracy, best_device
from ..exercises import Cases, Exercise, Mistake

CONSISTENT = 1.4826
ATTACKS = {
    "clean": "no backdoor (control)",
    "pattern": "pattern, 10 %, all to 0",
    "pattern, 3 %": "pattern, 3 %, all to 0",
    "single pixel": "one pixel, 10 %, all to 0",
    "one class": "pattern, only 7 to 0",
    "all to all": "pattern, each to the next",
    "clean label": "ramp on zeros, no wrong label",
    "signs, clean": "signs, no backdoor (control)",
    "signs, square": "signs, stop to limit 35",
}
DETECTORS = {
    "neural_cleanse": "Neural Cleanse",
    "neural_cleanse_source": "… by source",
    "activation_clustering": "clustering",
    "spectral_signatures": "spectral",
    "strip": "STRIP",
    "ted": "company kept",
}


def honest() -> nn.Module:
    """Return a network that ships with the course and never saw a trigger."""
    return bystanders.shipped("mnist", 9, 10)[0].to(best_device())


def watched(model: nn.Module, samples: Samples, every: int = 4, **settings: Any) -> tuple[Scan, Frames]:
    """Scan `model`, and keep what was painted after every fourth step."""
    frames: dict[int, Tensor] = {}

    def keep(step: int, pattern: Tensor, mask: Tensor) -> None:
        if step % every == 0:
            frames[step] = (pattern * mask).cpu()

    return scan(model, samples, on_step=keep, **settings), frames


def some(frames: Frames, n: int = 6) -> Frames:
    """Return `n` of the frames, the first and the last among them."""
    steps = list(frames)
    chosen = [steps[round(i * (len(steps) - 1) / (n - 1))] for i in range(n)]
    return {step: frames[step] for step in chosen}


def stamped_half(samples: Samples, found: Scan, target: int) -> Samples:
    """Return `samples` with the found trigger on every second image, and the right labels on all: what the backdoor must unlearn."""
    x = samples.x.clone()
    x[::2] = found.trigger(target)(x[::2])
    return Samples(x, samples.y, samples.classes)


def pruned_signs() -> tuple[dict[str, tuple[float, float]], int]:
    """Clean the network of signs with 450 clean ones: network -> share of clean signs read rightly, of stop signs with a square that obey.

    Also returns how many stop signs that is. The recipe was chosen on signs of another seed.
    """
    clean, square = signs.two_networks()
    mine, test = (of_kinds(draw("us", n, seed=seed), "us").to(best_device()) for n, seed in ((450, 77), (1200, 1)))
    twins = of_kinds(draw("us", 1200, seed=1, sticker=signs.STICKERS["square"]), "us").x.to(best_device())
    recipe = Recipe(epochs=5, lr=3e-3, batch_size=32)
    cleaned = {name: FinePrune(ratio, recipe)(square, mine) for name, ratio in (("fine-tuned (control)", 0.0), ("fine-pruned", 0.95))}
    networks = {"honest (control)": clean, "bought": square, **cleaned}
    rates = {name: (accuracy(net, test), success_rate(net, test, twins, signs.LIMIT, source=signs.STOP)) for name, net in networks.items()}
    return rates, int((test.y == signs.STOP).sum())


# What ships


def finders(results: Results) -> Table:
    """Set every attack beside every detector: how much is found, and what is accused wrongly."""
    return {title: {name: _cell(results, attack, key) for key, name in DETECTORS.items()} for attack, title in ATTACKS.items()}


def _cell(results: Results, attack: str, key: str) -> tuple[float | None, str]:
    rows = [row for row in results.where(attack=attack) if key in row]
    if not rows:
        return None, ""
    if "flagged" in rows[0][key]:
        right = [bool(set(row["targets"]) & set(row[key]["flagged"])) for row in rows]
        if rows[0]["targets"]:
            return mean(right), f"{sum(right)} of {len(rows)}"
        return None, f"({sum(bool(row[key]['flagged']) for row in rows)} of {len(rows)})"
    false = mean(row[key]["false"] for row in rows)
    if not rows[0]["targets"]:
        return None, f"({100 * false:.1f})"
    caught = mean(row[key]["caught"] for row in rows)
    return caught, f"{100 * caught:.0f} ({100 * false:.1f})"


def average(results: Results, attack: str, detector: str, key: str) -> float:
    """Return the mean over networks of what a detector measured on an attack."""
    return mean(row[detector][key] for row in results.where(attack=attack))


def flagged(results: Results, attack: str, detector: str = "neural_cleanse") -> float:
    """Return the share of networks in which a target was flagged; of clean ones, any class."""
    rows = results.where(attack=attack)
    return mean(bool(set(row[detector]["flagged"]) & set(row["targets"] or range(43))) for row in rows)


# Exercises


def anomaly_index(norm: Tensor) -> Tensor:
    """By how many deviations each of the norms (K,) lies below their median; 0 for those above it."""
    median = norm.quantile(0.5)
    deviation = CONSISTENT * (norm - median).abs().quantile(0.5)
    return ((median - norm) / deviation).clamp_min(0)


def entropy(p: Tensor) -> Tensor:
    """Mean entropy in bits, (N,), of the answers p (N, overlays, classes)."""
    return -torch.xlogy(p, p).sum(2).mean(1) / torch.log(torch.tensor(2.0))


def caught(clean: Tensor, triggered: Tensor, false_alarms: float) -> float:
    """Share of triggered images with less entropy than all but a share `false_alarms` of the clean ones."""
    return (triggered < clean.quantile(false_alarms)).float().mean().item()


def _norms(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(*extra: float) -> tuple[Tensor]:
        usual = 90 + 12 * torch.randn(9 - len(extra), generator=gen)
        return (torch.cat([torch.tensor(extra), usual]),)

    return {"one small mask": [case(2.5), case(7.0)], "a large one, too": [case(3.0, 190.0), case(4.0, 160.0)], "all alike": [case()]}


def _answers(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(scale: float) -> tuple[Tensor]:
        return ((scale * torch.randn(4, 5, 6, generator=gen)).softmax(2),)

    sure = torch.eye(4)[torch.randint(4, (3, 5), generator=gen)]
    return {"unsure answers": [case(1.0), case(2.0)], "probabilities of 0 and 1": [(sure,), (torch.cat([sure, sure.roll(1, 2)], 1) * 1.0,)]}


def _bits(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def case(false_alarms: float) -> tuple[Tensor, Tensor, float]:
        clean, triggered = 1 + torch.rand(200, generator=gen), 0.7 + 0.6 * torch.rand(80, generator=gen)
        return clean, triggered, false_alarms

    return {"1 % of false alarms": [case(0.01), case(0.01)], "more of them": [case(0.05), case(0.2)]}


EXERCISES = {
    "06.1": Exercise(
        id="06.1",
        title="How odd is it?",
        difficulty=2,
        importance=5,
        minutes=8,
        returns="one number a class",
        reference=anomaly_index,
        cases=_norms,
        mistakes=(
            Mistake(
                "standard-deviation",
                "You divide by the standard deviation. One tiny mask makes that large, and hides: take the median absolute deviation.",
                lambda norm: ((norm.quantile(0.5) - norm) / norm.std()).clamp_min(0),
            ),
            Mistake(
                "forgets-the-factor",
                "You divide by the bare median absolute deviation. 1.4826 of them make one standard deviation of a bell curve.",
                lambda norm: CONSISTENT * anomaly_index(norm),
            ),
            Mistake(
                "both-sides",
                "Classes above the median count, too. A large mask is no sign of a backdoor: they get 0.",
                lambda norm: (norm.quantile(0.5) - norm).abs() / (CONSISTENT * (norm - norm.quantile(0.5)).abs().quantile(0.5)),
            ),
            Mistake(
                "from-the-mean",
                "You measure from the mean. The odd one pulls it towards itself: take the median.",
                lambda norm: ((norm.mean() - norm) / (CONSISTENT * (norm - norm.quantile(0.5)).abs().quantile(0.5))).clamp_min(0),
            ),
        ),
        hints=(
            "What is in the middle of ten numbers, whatever one of them does? And what is a usual distance from it?",
            "median = norm.quantile(0.5); deviation = 1.4826 * (norm - median).abs().quantile(0.5); divide median - norm by it; clamp.",
        ),
        why="Median and median absolute deviation stay where they are while fewer than half of the classes are odd.",
    ),
    "06.2": Exercise(
        id="06.2",
        title="How sure, in bits?",
        difficulty=3,
        importance=4,
        minutes=8,
        returns="one number an image",
        reference=entropy,
        cases=_answers,
        mistakes=(
            Mistake(
                "natural-logarithm",
                "You count in nats. Bits need the logarithm to base 2.",
                lambda p: -torch.xlogy(p, p).sum(2).mean(1),
            ),
            Mistake(
                "of-the-mean",
                "You average the answers first. Six sure answers that differ then look unsure: entropy of each, then the mean.",
                lambda p: entropy(p.mean(1, keepdim=True)),
            ),
            Mistake(
                "adds-up",
                "You add the overlays up. Take their mean, or the number depends on how many there are.",
                lambda p: entropy(p) * p.shape[1],
            ),
        ),
        hints=(
            "How many bits does one answer leave open? Over which of the three dimensions does that sum run?",
            "-(p log2 p), summed over the classes (dimension 2), averaged over the overlays (dimension 1); torch.xlogy takes care of 0.",
        ),
        why="A digit under another digit is ambiguous; a trigger under another digit isn't.",
    ),
    "06.3": Exercise(
        id="06.3",
        title="What is caught, at what price",
        difficulty=2,
        importance=5,
        minutes=6,
        returns="one number",
        reference=caught,
        cases=_bits,
        mistakes=(
            Mistake(
                "wrong-tail",
                "Your threshold lets nearly everything be flagged: triggered images have *less* entropy, so take the low quantile.",
                lambda clean, triggered, false_alarms: (triggered < clean.quantile(1 - false_alarms)).float().mean().item(),
            ),
            Mistake(
                "threshold-from-the-triggered",
                "You set the threshold on triggered images. The defender has none: only the clean ones may set it.",
                lambda clean, triggered, false_alarms: (triggered < triggered.quantile(false_alarms)).float().mean().item(),
            ),
            Mistake(
                "counts-what-passes",
                "That is the share that passes. Count the images below the threshold.",
                lambda clean, triggered, false_alarms: 1 - caught(clean, triggered, false_alarms),
            ),
            Mistake(
                "counts-everything",
                "You count over clean and triggered images together. Caught is a share of the triggered ones.",
                lambda clean, triggered, false_alarms: (torch.cat([clean, triggered]) < clean.quantile(false_alarms)).float().mean().item(),
            ),
        ),
        hints=(
            "Below which entropy lie only that share of the clean images?",
            "threshold = clean.quantile(false_alarms); the mean of triggered < threshold.",
        ),
        why="A detector is two numbers. Either one alone can be made perfect: flag everything, or nothing.",
    ),
}
