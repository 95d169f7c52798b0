"""Triggers that are newer than BadNets' before all detectors, whose limits come from the defender's images.

Each network learns from 20,000 digits, a tenth of which carry the trigger and are called 0. Beside it stands
the same network, trained as long on the same digits without any trigger. Then triggers of BadNets, on a
twentieth of the digits, in a network of another kind, a small ResNet with batch normalisation: trained by the
course's recipe, and as users of other toolboxes train (`small_resnet_adam`). Who judges what is said in
`detection`; here the detectors promise a rate of false alarms, and what they flag of clean queries is
counted. The rules of that experiment, which promise nothing, stand beside them.

The input-aware trigger learns beside its network (`input_aware`). Whoever reads the training set is given it
with the trigger as it came out, on a fifth of the digits, and patterns of other digits on another fifth.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import mean

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data import Samples
from ..detection import (
    ActivationClustering,
    SpectralSignatures,
    Strip,
    Suspicion,
    TopologicalEvolution,
    auc,
)
from ..detection.calibration import Rate
from ..models import badnet_cnn
from ..models.networks import seeded
from ..poisoning import Poisoned, Trigger, cover, poison, stamp, success_rate
from ..training import Recipe, accuracy, best_device, predict, train
from ..triggers import Blend, InputAware, LowFrequency, Patch, Pattern, Pixel, Sine, Warp
from ..triggers.input_aware import Borrowed
from .detection import TARGET, Case, ceiling, dealt, scan
from .experiment import Cell, Comparison, Experiment, Results, Row, values
from .input_aware import TEACHING, TOGETHER, train_input_aware
from .material import mnist, rounded, share

N_LEARNT = 20_000
"""Digits that each network learns from."""
RATE = 0.1
RATE_RESNET = 0.05
TRIGGERS: dict[str, Trigger] = {
    "blended": Blend(),
    "sine": Sine(),
    "warping": Warp(),
    "low frequency": LowFrequency(),
}
NOISY = "warping, noise"
COVER = Warp(noise=1.0)
"""What WaNet's noise mode stamps on images that keep their label."""
COVERED = 0.2  # of all images, as in the paper
INPUT_AWARE = "input-aware"
TAUGHT = (*TRIGGERS, NOISY, INPUT_AWARE)
OLDER: dict[str, Trigger] = {"pattern": Pattern(), "single pixel": Pixel(), "square": Patch()}
"""Triggers before the ResNet."""
CLEAN = "clean"
ON_QUERIES = {
    "strip": Strip(),
    "ted": TopologicalEvolution(),
    "strip_quantile": Strip(rule="quantile"),
    "ted_quantile": TopologicalEvolution(rule="quantile"),
}
DETECTORS = {
    "neural_cleanse": "Neural Cleanse",
    "clustering": "activation clustering, calibrated",
    "clustering_fixed": "activation clustering, silhouette above 0.4",
    "spectral": "spectral signatures",
    "strip": "STRIP, calibrated",
    "strip_quantile": "STRIP, quantile",
    "ted": "topological evolution, calibrated",
    "ted_quantile": "topological evolution, quantile",
}


class _Block(nn.Module):
    """Two convolutions with batch normalisation, and a way around them."""

    def __init__(self, n: int, m: int) -> None:
        super().__init__()
        self.inside = nn.Sequential(
            nn.Conv2d(n, m, 3, 2, 1, bias=False),
            nn.BatchNorm2d(m),
            nn.ReLU(),
            nn.Conv2d(m, m, 3, 1, 1, bias=False),
            nn.BatchNorm2d(m),
        )
        self.around = nn.Conv2d(n, m, 1, 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.inside(x) + self.around(x))


def small_resnet(seed: int) -> nn.Module:
    """Build a ResNet of three blocks for digits: K. He, X. Zhang, S. Ren, J. Sun, CVPR 2016, but small."""
    return seeded(_small_resnet, seed)


def _small_resnet() -> nn.Module:
    blocks = [_Block(1, 16), _Block(16, 32), _Block(32, 64)]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


NETWORKS: dict[str, Callable[[int], nn.Module]] = {
    "badnet_cnn": badnet_cnn,
    "small_resnet": small_resnet,
    "small_resnet_adam": small_resnet,
}
ADAM = Recipe(epochs=2, lr=1e-3, batch_size=128, precision="fp32")
"""What PyTorch's Adam and other toolboxes do where nobody says another thing: one rate, no decay."""


def _train_by_adam(model: nn.Module, samples: Samples, seed: int) -> None:
    """Fit `model` in place as users of other toolboxes do."""
    optimiser = torch.optim.Adam(model.parameters(), ADAM.lr)
    order = torch.Generator().manual_seed(seed)
    model.train()
    for _ in range(ADAM.epochs):
        for x, y in samples.batches(ADAM.batch_size, order):
            loss = F.cross_entropy(model(x), y)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    model.eval()


def _learnt(seed: int) -> Samples:
    digits = mnist().train
    order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(seed)).to(digits.y.device)
    return digits[order[:N_LEARNT]]


def _case(cell: Cell, recipe: Recipe) -> Case:
    """Train what a cell asks for; nothing of a clean network's training set is poisoned."""
    samples = _learnt(recipe.seed)
    if cell["attack"] == INPUT_AWARE:
        return _input_aware_case(samples, recipe)
    trigger = {**TRIGGERS, **OLDER, NOISY: Warp()}.get(cell["attack"], Pattern())
    poisoned = Poisoned(samples, torch.zeros_like(samples.y, dtype=torch.bool), trigger, TARGET)
    if cell["attack"] != CLEAN:
        rate = RATE if cell["network"] == "badnet_cnn" else RATE_RESNET
        poisoned = poison(samples, trigger, rate=rate, target=TARGET, seed=recipe.seed)
    if cell["attack"] == NOISY:
        poisoned = cover(poisoned, COVER, rate=COVERED, seed=recipe.seed)
    model = NETWORKS[cell["network"]](recipe.seed).to(best_device())
    if cell["network"] == "small_resnet_adam":
        _train_by_adam(model, poisoned.samples, recipe.seed)
    else:
        train(model, poisoned.samples, recipe)
    test = mnist().test
    return Case(model, poisoned, test, stamp(trigger, test.x))


def _input_aware_case(samples: Samples, recipe: Recipe) -> Case:
    """Train a network and its trigger together; the training set is poisoned by the trigger that came out."""
    model = badnet_cnn(recipe.seed).to(best_device())
    trigger = train_input_aware(model, samples, TARGET, replace(TOGETHER, seed=recipe.seed))
    poisoned = poison(samples, trigger, rate=TEACHING.share, target=TARGET, seed=recipe.seed)
    covered = cover(poisoned, Borrowed(trigger, samples.x), rate=TEACHING.share, seed=recipe.seed)
    test = mnist().test
    return Case(model, covered, test, stamp(trigger, test.x))


def _judge_input_aware(case: Case, recipe: Recipe) -> Row:
    """Measure whether an image's pattern works on others, which it must not, and on a clean network."""
    trigger = case.poisoned.trigger
    assert isinstance(trigger, InputAware)
    borrowed = stamp(Borrowed(trigger, case.test.x), case.test.x)
    clean = badnet_cnn(recipe.seed).to(best_device())
    train(clean, _learnt(recipe.seed), recipe)
    return {
        "cross_accuracy": rounded(accuracy(case.model, replace(case.test, x=borrowed))),
        "cross_success": rounded(success_rate(case.model, case.test, borrowed, TARGET)),
        "control_success": rounded(success_rate(clean, case.test, case.twins, TARGET)),
    }


def _cover_accuracy(case: Case) -> float:
    """Measure what a network that was taught not to obey covers makes of them."""
    covers = stamp(COVER, case.test.x)
    return rounded(accuracy(case.model, replace(case.test, x=covers)))


def _measure(cell: Cell, recipe: Recipe) -> Row:
    case = _case(cell, recipe)
    is_clean = cell["attack"] == CLEAN
    own = cell["network"] == "badnet_cnn"
    clean, asked = dealt(case.test, recipe.seed)
    row: Row = {
        "accuracy": rounded(accuracy(case.model, case.test)),
        "targets": [] if is_clean else [TARGET],
        "poison": int(case.poisoned.mask.sum()),
    }
    if is_clean:
        triggers = TRIGGERS if own else OLDER
        row["success"] = {name: _success(case, trigger) for name, trigger in triggers.items()}
    else:
        row["success"] = rounded(success_rate(case.model, case.test, case.twins, TARGET))
    if cell["attack"] == NOISY:
        row["cover_accuracy"] = _cover_accuracy(case)
    if cell["attack"] == INPUT_AWARE:
        row |= _judge_input_aware(case, recipe)
    if own:
        row["neural_cleanse"] = scan(case.model, clean)
    return row | _judge_training(case, clean) | _judge_queries(case, clean, asked)


def _success(case: Case, trigger: Trigger) -> float:
    return rounded(success_rate(case.model, case.test, trigger, TARGET))


def _judge_training(case: Case, clean: Samples) -> Row:
    model = case.model
    learnt = case.poisoned.samples
    mask = case.poisoned.mask
    finders: dict[str, Callable[[], Suspicion]] = {
        "clustering": lambda: ActivationClustering()(model, learnt, clean),
        "clustering_fixed": lambda: ActivationClustering()(model, learnt),
        "spectral": lambda: SpectralSignatures()(model, learnt),
    }
    row: Row = {}
    for name, find in finders.items():
        row[name] = _found(find, learnt.y, mask)
        if name != "spectral":
            row[name]["accused"] = _accused(row[name].pop("by_class"))
    row["spectral"].pop("by_class")
    if mask.any():
        row["spectral"]["ceiling"] = ceiling(case.poisoned, SpectralSignatures().poison)
    return row


def _accused(by_class: list[list[int]]) -> list[int]:
    """Return the classes of which an image is flagged."""
    return [label for label, (flagged, _) in enumerate(by_class) if flagged]


def _judge_queries(case: Case, clean: Samples, asked: Tensor) -> Row:
    """Ask for clean images, and for the same with the trigger, but those of the target."""
    x = case.test.x[asked]
    fooled = case.test.y[asked] != TARGET
    if case.poisoned.mask.any():
        x = torch.cat([x, case.twins[asked[fooled]]])
    triggered = torch.arange(len(x)).to(asked.device) >= len(asked)
    answers = predict(case.model, x).argmax(1)
    row: Row = {}
    for name, detector in ON_QUERIES.items():
        row[name] = _found(lambda judge=detector: judge(case.model, clean, x), answers, triggered)
    return row


def _found(find: Callable[[], Suspicion], classes: Tensor, poisoned: Tensor) -> Row:
    """Measure how much poison is caught, what else is flagged, by class, and what was promised."""
    start = time.process_time()
    suspicion = find()
    seconds = time.process_time() - start
    innocent = ~poisoned
    row: Row = {"seconds": round(seconds, 2), "false": share(suspicion.flagged[innocent])}
    if poisoned.any():
        row["auc"] = rounded(auc(suspicion.score, poisoned))
        row["caught"] = share(suspicion.flagged[poisoned])
    alarms = suspicion.alarms
    if alarms is not None:
        row["promised"] = alarms.promised
        row["measured"] = [alarms.overall.flagged, alarms.overall.n]
    row["by_class"] = []
    for label in range(10):
        flagged = suspicion.flagged[innocent & (classes == label)]
        row["by_class"].append([int(flagged.sum()), len(flagged)])
    return row


# What the rows say


TITLES = {"badnet_cnn": "", "small_resnet": ", ResNet", "small_resnet_adam": ", ResNet by plain Adam"}


def _compare(results: Results) -> list[Comparison]:
    comparisons = []
    for network in NETWORKS:
        for attack in dict.fromkeys(values(results.where(network=network), "attack")):
            comparisons += _compare_attack(results, network, attack)
    return comparisons


def _compare_attack(results: Results, network: str, attack: str) -> list[Comparison]:
    rows = results.where(network=network, attack=attack)
    title = attack + TITLES[network]
    accurate = f"{_percent(mean(values(rows, 'accuracy')))} clean accuracy"
    comparisons = []
    if attack == CLEAN:
        comparisons.append(Comparison(f"{title}: no backdoor (control)", "", f"{accurate} (n = {len(rows)})"))
    else:
        success = _percent(mean(values(rows, "success")))
        controls = _controls(results, network, attack)
        says = f"{success}, {_percent(mean(controls))} of a clean network; {accurate} (n = {len(rows)})"
        comparisons.append(Comparison(f"{title}: success of the attack", "", says))
    if attack == INPUT_AWARE:
        comparisons.append(Comparison(f"{title}: patterns of other images", "", _say_borrowed(rows)))
    for key in (key for key in DETECTORS if key in rows[0]):
        comparisons.append(Comparison(f"{title}: {DETECTORS[key]}", "", _say(rows, key)))
    return comparisons


def _controls(results: Results, network: str, attack: str) -> list[float]:
    """Return what the trigger of an attack wins on clean networks."""
    if attack == INPUT_AWARE:  # each network has a trigger of its own
        return values(results.where(network=network, attack=attack), "control_success")
    trigger = "warping" if attack == NOISY else attack
    return [row["success"][trigger] for row in results.where(network=network, attack=CLEAN)]


def _say_borrowed(rows: Sequence[Row]) -> str:
    obeyed = _percent(mean(values(rows, "cross_success")))
    right = _percent(mean(values(rows, "cross_accuracy")))
    return f"{obeyed} obeyed, {right} classified correctly (n = {len(rows)})"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _say(rows: Sequence[Row], key: str) -> str:
    found = values(rows, key)
    n = len(rows)
    parts = []
    if key == "neural_cleanse":
        return _say_scan(rows)
    if "caught" in found[0]:
        parts.append(f"{_percent(mean(values(found, 'caught')))} caught")
        parts.append(f"AUC {mean(values(found, 'auc')):.2f}")
    if "accused" in found[0]:
        accused = accused_wrongly(rows, key)
        parts.append(f"{accused.flagged} of {accused.n} clean classes accused")
    else:
        parts.append(f"{_percent(mean(values(found, 'false')))} false alarms")
    if "promised" in found[0]:
        parts.append(f"{_percent(found[0]['promised'])} promised")
    return f"{', '.join(parts)} (n = {n})"


def _say_scan(rows: Sequence[Row]) -> str:
    n = len(rows)
    flagged = [set(row["neural_cleanse"]["flagged"]) for row in rows]
    if not rows[0]["targets"]:
        return f"a class flagged in {sum(map(bool, flagged))} of {n}"
    right = sum(TARGET in classes for classes in flagged)
    wrong = sum(bool(classes - {TARGET}) for classes in flagged)
    index = mean(row["neural_cleanse"]["index"][TARGET] for row in rows)
    return f"target flagged in {right} of {n}, another class in {wrong} of {n}, index {index:.1f} on average"


def false_alarms(rows: Sequence[Row], key: str) -> Rate:
    """Count the clean queries that detector `key` flags in all `rows`."""
    pairs = [pair for row in rows for pair in row[key]["by_class"]]
    return Rate(sum(flagged for flagged, _ in pairs), sum(n for _, n in pairs))


def accused_wrongly(rows: Sequence[Row], key: str) -> Rate:
    """Count the classes that detector `key` accuses though no trigger is aimed at them, in all `rows`."""
    accused = sum(len(set(row[key]["accused"]) - set(row["targets"])) for row in rows)
    return Rate(accused, sum(10 - len(row["targets"]) for row in rows))


def _cells() -> list[Cell]:
    """Name three networks of each kind."""
    cells: list[Cell] = []
    for network, attacks in ATTACKS.items():
        for seed in SEEDS:
            cells += _cells_of(network, seed, attacks)
    return cells


def _cells_of(network: str, seed: int, attacks: Sequence[str]) -> list[Cell]:
    return [{"network": network, "attack": attack, "seed": seed} for attack in attacks]


SEEDS = range(10, 13)
ATTACKS = {
    "badnet_cnn": (CLEAN, *TAUGHT),
    "small_resnet": (CLEAN, "pattern"),
    "small_resnet_adam": (CLEAN, *OLDER),
}
"""Network -> what it is measured with."""
NEWER_TRIGGERS = Experiment(
    name="newer-triggers",
    question=(
        "Newer triggers, and a network of another kind, before all detectors: who finds what, and do they"
        " flag clean images as rarely as they promise?"
    ),
    minutes=35,
    chapter="06 Finding and cleaning",
    cells=tuple(_cells()),
    measure=_measure,
    summary=_compare,
    recipe=Recipe(epochs=4),
)
"""The triggers' strengths and the odds that clustering allows were chosen on seed 0, which is not reported.

The picture that another toolbox lays into images is its own; the square stands for it.
"""
