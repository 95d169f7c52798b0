"""What the cells of notebook 06 call: frames of a search, cleaned signs, who finds what; its dial."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import mean
from typing import Any

import ipywidgets
import torch
from torch import Tensor, nn

from ...data import Samples, load, split
from ...data.signs import draw
from ...detection import NeuralCleanse, auc
from ...evidence import bystanders
from ...experiments import Results, signs
from ...experiments.experiment import Row
from ...experiments.signs import of_kinds
from ...models import badnet_cnn
from ...models.shipped import restored, ship
from ...plots.canvas import Picture
from ...plots.detection import Cloud, Finding, Frames, Table, classes
from ...plots.names import BACKDOORS, DETECTORS, NEWER
from ...poisoning import Trigger, poison, success_rate
from ...removal import FinePrune
from ...removal.fine_prune import channel_means, pruned_layers, silence
from ...training import Recipe, accuracy, best_device, trained
from ...triggers import Blend, Pattern, Sticker
from ..challenges import Challenge, Score
from ..claims import Claim
from ..widgets import Dial, depict, redraw
from .exercises_02 import paired_p
from .exercises_06 import caught

CLEANING = Recipe(epochs=5, lr=3e-3, batch_size=32)
"""Chosen on signs of another seed."""


def honest() -> nn.Module:
    """Return a network that ships with the course and never saw a trigger."""
    return bystanders.shipped("mnist", 9, 10)[0].to(best_device())


def bought() -> nn.Module:
    """Return a network that ships with the course: the pattern on a tenth of its digits."""
    return restored(badnet_cnn(), BOUGHT).to(best_device())


def lightly_poisoned() -> nn.Module:
    """Return a network that ships with the course: the pattern on 3 % of its digits."""
    return restored(badnet_cnn(), LIGHT).to(best_device())


def made(name: str) -> nn.Module:
    """Train one of them anew, on digits that are poisoned as the notebook shows."""
    digits = load("mnist").train.to(best_device())
    dirty = poison(digits, Pattern(), rate=RATES[name], target=0, seed=6)
    return trained(badnet_cnn(6).to(best_device()), dirty.samples)[0]


def ship_poisoned(name: str) -> None:
    """Train one of them anew, and put it with what ships. For maintainers."""
    command = f"python -c \"from wmlearn.course.lessons import lesson_06; lesson_06.ship_poisoned('{name}')\""
    ship(made(name), name, made=command)


BOUGHT = "pattern-bought"
LIGHT = "pattern-light"
RATES = {BOUGHT: 0.1, LIGHT: 0.03}
Paint = Tensor
"""Pattern and mask (2, 1, H, W), in [0, 1]."""


def norms(scan: Sequence[tuple[Paint, list[Paint]]]) -> Tensor:
    """Return how many pixels of mask each of K classes needs, (K,), of what the lesson's search returns."""
    return torch.stack([least[1].sum() for least, _ in scan]).cpu()


def frames(scan: Sequence[tuple[Paint, list[Paint]]], every: int = 4) -> Frames:
    """Return what would be painted for each class at every fourth step of the lesson's search."""
    shown: dict[int, Tensor] = {}
    for step in range(0, len(scan[0][1]), every):
        paints = [tried[step].prod(0) for _, tried in scan]
        shown[step] = torch.stack(paints).cpu()
    return shown


def batches(x: Tensor, n: int, draw: torch.Generator) -> Iterator[Tensor]:
    """Yield `n` random batches of 16 of the images `x` (N, C, H, W)."""
    for _ in range(n):
        yield x[torch.randint(len(x), (16,), generator=draw).to(x.device)]


def some(frames: Frames, n: int = 6) -> Frames:
    """Return `n` of the frames, the first and the last among them."""
    steps = list(frames)
    chosen = [steps[round(i * (len(steps) - 1) / (n - 1))] for i in range(n)]
    return {step: frames[step] for step in chosen}


def cleaned_signs() -> dict[str, tuple[float, int]]:
    """Clean the network of signs with 450 clean ones; say for each network which share of how many stop signs
    with a square it reads as limits.
    """
    honest, bought = signs.two_networks()
    own = _us_signs(450, seed=77)
    test = _us_signs(1200, seed=1)
    twins = _us_signs(1200, seed=1, sticker=signs.STICKERS["square"])
    names = pruned_layers(bought, own.x)
    quiet = channel_means(bought, own.x).argsort()
    networks = {
        "honest (control)": honest,
        "bought": bought,
        "fine-tuned (control)": FinePrune(0.0, CLEANING)(bought, own),
        "pruned": silence(bought, quiet[: int(PRUNED * len(quiet))], names),
        "fine-pruned": FinePrune(PRUNED, CLEANING)(bought, own),
    }
    n = int((test.y == signs.STOP).sum())
    obeyed = {}
    for name, network in networks.items():
        obeyed[name] = success_rate(network, test, twins.x, signs.LIMIT, source=signs.STOP), n
    return obeyed


PRUNED = 0.95
"""Share of the channels that are silenced in the network of signs."""


def _us_signs(n: int, seed: int, sticker: Sticker | None = None) -> Samples:
    return of_kinds(draw("us", n, seed=seed, sticker=sticker), "us").to(best_device())


# What ships


def finders(results: Results) -> Table:
    """Set every attack beside every detector: how much is found, and what is accused wrongly."""
    table = {}
    for attack, title in BACKDOORS.items():
        rows = results.where(attack=attack)
        if rows:
            table[title] = {name: _finding(rows, key) for key, name in COLUMNS.items()}
    return table


def newer(results: Results) -> Table:
    """Set newer triggers beside every detector, as `finders` does."""
    table = {}
    for attack, title in NEWER.items():
        rows = [_as_named_there(row) for row in results.where(network="badnet_cnn", attack=attack)]
        table[title] = {name: _finding(rows, key) for key, name in COLUMNS.items()}
    return table


def _as_named_there(row: Row) -> Row:
    """Return a row of "newer-triggers" with the names of "detection"."""
    return {**row, "activation_clustering": row["clustering"], "spectral_signatures": row["spectral"]}


COLUMNS = {key: name for key, name in DETECTORS.items() if key != "neural_cleanse_source"}


def _finding(rows: Sequence[Row], key: str) -> Finding:
    """Say what one detector did on the networks of one attack, and below how sure that is."""
    judged = [row for row in rows if key in row]
    if not judged:
        return Finding(None, "")
    if key == "neural_cleanse":
        return _scanned(judged, [row for row in rows if "neural_cleanse_source" in row])
    false = f"false {_percent(mean(row[key]['false'] for row in rows))}"
    if not rows[0]["targets"] or "caught" not in rows[0][key]:
        return Finding(None, "–", false)
    caught = mean(row[key]["caught"] for row in rows)
    words = f"{100 * caught:.0f} %"
    if "ceiling" in rows[0][key]:
        words += f" of at most {100 * mean(row[key]['ceiling'] for row in rows):.0f}"
    return Finding(caught, words, f"AUC {mean(row[key]['auc'] for row in rows):.2f}, {false}")


def _scanned(rows: Sequence[Row], told: Sequence[Row]) -> Finding:
    """Count the networks of which a target was flagged; of honest ones, any class. `told` are those that were
    searched for one source as well.
    """
    n = len(rows)
    hits = sum(map(_is_flagged, rows))
    if not rows[0]["targets"]:
        return Finding(None, f"{hits} of {n} accused", f"95 %: {_interval(hits, n)}")
    small = f"95 %: {_interval(hits, n)}"
    if told:
        by_source = sum(_is_flagged(row, "neural_cleanse_source") for row in told)
        small = f"source known: {by_source} of {len(told)}"
    return Finding(hits / n, f"{hits} of {n}", small)


def _is_flagged(row: Row, key: str = "neural_cleanse") -> bool:
    wanted = row["targets"] or row[key]["flagged"]
    return bool(set(row[key]["flagged"]) & set(wanted))


def _percent(share: float) -> str:
    return f"{100 * share:.1f}" if 0 < share < 0.095 else f"{100 * share:.0f}"


def _interval(hits: int, n: int) -> str:
    from scipy.stats import binomtest  # heavy, and not every notebook shows shares

    bounds = binomtest(hits, n).proportion_ci(method="wilson")
    return f"{100 * bounds.low:.0f} to {100 * bounds.high:.0f} %"


TRICKS = {
    "strip": "pattern, and doubled pictures",
    "activation_clustering": "pattern, 3 %, and resemblance",
    "ted": "a faint zero, and resemblance",
    "signature": "a signature",
}
"""The detector that a trick was made for -> the trick; two of them answer two detectors each."""


def tricks(evaded: Results) -> Table:
    """Set every trick of an attacker who knows the detectors beside every detector."""
    table = {}
    for evades, title in TRICKS.items():
        rows = evaded.where(evades=evades)
        table[title] = {name: _finding(rows, key) for key, name in COLUMNS.items()}
    return table


def prices(evaded: Results) -> list[list[str]]:
    """Say for each trick how often it wins, beside an honest network, and what the attacker pays."""
    lines = []
    for evades, title in TRICKS.items():
        rows = evaded.where(evades=evades)
        wins = mean(row["success"] for row in rows)
        harmless = mean(row["honest_success"] for row in rows)
        lost = _lost(evaded, evades)
        images = mean(row["cost"]["images"] for row in rows)
        numbers = [f"{100 * wins:.1f} %", f"{100 * harmless:.1f} %", f"{100 * lost:.2f}", f"{images:,.0f}"]
        lines.append([title, *numbers])
    return lines


def retrained(results: Results) -> list[list[str]]:
    """Say what is left of the attack when a network is trained again without what clustering flags, and
    without as many images at random.
    """
    lines = []
    for attack, title in BACKDOORS.items():
        rows = [row for row in results.where(attack=attack) if "without_cluster" in row]
        if rows:
            removed = mean(row["without_cluster"]["removed"] for row in rows)
            left = mean(row["without_cluster"]["success"] for row in rows)
            control = mean(row["without_as_many"]["success"] for row in rows)
            numbers = [f"{removed:,.0f}", f"{100 * left:.1f} %", f"{100 * control:.1f} %"]
            lines.append([f"{title} (n = {len(rows)})", *numbers])
    return lines


def average(results: Results, attack: str, detector: str, key: str) -> float:
    """Return the mean over the networks that a detector judged of what it measured on an attack."""
    return mean(row[detector][key] for row in results.where(attack=attack) if detector in row)


def flagged(results: Results, attack: str, detector: str = "neural_cleanse") -> float:
    """Return the share of networks in which a target was flagged; of clean ones, any class."""
    return mean(_is_flagged(row, detector) for row in results.where(attack=attack) if detector in row)


def found(norms: Mapping[str, Tensor]) -> list[Claim]:
    """Check the paint that the learner's search needs for a 0: network -> (K,) pixels."""
    return [
        Claim("06.paint", "Paint for a 0, bought", float(norms["bought"][0]), high=12, unit="count"),
        Claim("06.paint_honest", "Paint for a 0, honest", float(norms["honest"][0]), low=40, unit="count"),
    ]


def mended(
    obeys: Mapping[str, float],
    errors: Mapping[str, int],
    right: Mapping[str, Tensor],
    pulls: Mapping[str, Tensor],
) -> list[Claim]:
    """Check what unlearning does and costs, beside its controls, and what pulls at the hidden units."""
    n = len(right["bought"])
    p = paired_p(right["bought"], right["unlearnt"])
    plain, painted = (float(pull.mean()) for pull in pulls.values())
    harder = painted / plain
    before = errors["bought"]
    after = errors["unlearnt"]
    honest = (errors["honest, unlearnt"] - errors["honest"]) / n
    return [
        Claim("06.unlearnt", "Attack success after unlearning", obeys["unlearnt"], high=0.5),
        Claim("06.tuned", "After fine-tuning", obeys["fine-tuned"], low=0.8),
        Claim("06.strewn", "After shuffled paint", obeys["shuffled paint"], low=0.8),
        Claim("06.errors", "Errors before", before, high=150, n=n, unit="count"),
        Claim("06.errors_after", "Errors after unlearning", after, high=350, n=n, unit="count"),
        Claim("06.paid", "Accuracy paid for it", (after - before) / n, low=0.002, high=0.03, unit="points"),
        Claim("06.paid_honest", "By an honest network", honest, high=0.004, n=n, unit="points"),
        Claim("06.paid_p", "McNemar's test of the two", p, high=0.01, unit="p"),
        Claim("06.pull", "Gradient of painted digits, times that of clean", harder, low=20, unit="count"),
    ]


def watched(own: Tensor, clean: Tensor, pasted: Tensor) -> list[Claim]:
    """Check STRIP at a threshold for 1 % of the buyer's own digits: entropies (N,) of his own, of others'
    digits, and of others' with the pattern.
    """
    false = caught(own, clean, 0.01)
    hit = caught(own, pasted, 0.01)
    queue = RARE * hit / (RARE * hit + (1 - RARE) * false)
    return [
        Claim("06.alarms", "Others' digits refused", false, low=0.002, high=0.04, n=len(clean)),
        Claim("06.hit", "Digits with the pattern caught", hit, low=0.95, n=len(pasted), paper="over 99 %"),
        Claim("06.queue", "Of the refused, triggered", queue, high=0.4),
    ]


RARE = 0.001
"""Share of a queue of queries that carries a trigger."""


def inside(clouds: Mapping[str, Cloud]) -> list[Claim]:
    """Check how the images called 0 fall in two: at little poison, and at much."""
    few, many = clouds.values()
    agree = float((many.part == many.poisoned).float().mean())
    pure = float(few.poisoned[few.part].float().mean())
    smaller = float(few.part.float().mean())
    half = float(many.part.float().mean())
    far = many.points[:, 0].square()  # as spectral signatures score
    return [
        Claim("06.small", "Smaller part of the class, 3 % poison", smaller, low=0.15, high=0.35),
        Claim("06.pure", "Poison in that part", pure, low=0.9, n=int(few.part.sum())),
        Claim("06.even", "Smaller part of the class, 10 % poison", half, low=0.4, high=0.5),
        Claim("06.coin", "Spectral score, 10 % poison: AUC", auc(far, many.poisoned), low=0.2, high=0.8),
        Claim("06.split", "Images on the right side, 10 % poison", max(agree, 1 - agree), low=0.9),
    ]


def shelf(results: Results) -> list[Claim]:
    """Check what the lesson says of the networks of "detection"."""
    classes = max(len(row["neural_cleanse"]["flagged"]) for row in results.where(attack="clean"))

    def share(attack: str, detector: str, key: str = "caught") -> float:
        return average(results, attack, detector, key)

    rank = share("all to all", "spectral_signatures", "auc")
    on_signs = share("signs, square", "ted")
    square = flagged(results, "signs, square")
    by_source = flagged(results, "signs, square", "neural_cleanse_source")
    scanned = sum("neural_cleanse" in row for row in results.where(attack="signs, square"))
    again = share("pattern, 3 %", "without_cluster", "success")
    control = share("pattern, 3 %", "without_as_many", "success")
    return [
        Claim("06.flagged", "The pattern, Neural Cleanse", flagged(results, "pattern"), low=1.0, n=5),
        Claim("06.accused", "Honest networks that it flags", flagged(results, "clean"), high=0.1, n=10),
        Claim("06.square", "The square on signs, Neural Cleanse", square, high=0.4, n=scanned),
        Claim("06.source", "The same, if its source is known", by_source, low=0.6, n=3),
        Claim("06.again", "The pattern at 3 %, without what clustering flags", again, high=0.5),
        Claim("06.again_control", "The same, without as many at random", control, low=0.8),
        Claim("06.classes", "Classes flagged in one of them", classes, low=2, unit="count"),
        Claim("06.evaded", "All-to-all that it flags", flagged(results, "all to all"), high=0, n=3),
        Claim("06.ramp", "Clean-label networks flagged", flagged(results, "clean label"), high=0, n=3),
        Claim("06.strip_misses", "STRIP: all-to-all caught", share("all to all", "strip"), high=0.05),
        Claim("06.rank", "Spectral signatures, all-to-all: AUC", rank, low=0.95),
        Claim("06.ramp_ted", "Topological evolution: clean label", share("clean label", "ted"), low=0.8),
        Claim("06.ted_signs", "Topological evolution: the square on signs", on_signs, low=0.3, high=0.9),
        Claim("06.ramp_strip", "STRIP: clean label", share("clean label", "strip"), low=0.8),
    ]


def latest(newer: Results) -> list[Claim]:
    """Check what the lesson says of newer triggers, and of one that bends pictures."""
    halves = [row["clustering"]["caught"] for row in newer.rows if row["attack"] in NEWER]
    rows = newer.where(network="badnet_cnn", attack="warping")
    seen = mean(row["strip"]["caught"] for row in rows)
    share = mean(_is_flagged(row) for row in rows)
    rank = mean(row["strip"]["auc"] for row in rows)
    noisy = newer.where(network="badnet_cnn", attack="warping, noise")
    unseen = mean(row["strip"]["caught"] for row in noisy)
    still = mean(map(_is_flagged, noisy))
    aware = newer.where(network="badnet_cnn", attack="input-aware")
    own = mean(row["strip"]["caught"] for row in aware)
    borrowed = mean(row["cross_success"] for row in aware)
    return [
        Claim("06.lack", "Newer triggers, clustering beside clean digits", mean(halves), low=0.9),
        Claim("06.bent", "Warping, caught by STRIP", seen, high=0.1),
        Claim("06.bent_rank", "Warping, STRIP: AUC", rank, high=0.6),
        Claim("06.bent_found", "Warping, Neural Cleanse", share, low=0.6, n=len(rows)),
        Claim("06.noise_found", "Warping with the noise mode, Neural Cleanse", still, high=0.4, n=len(noisy)),
        Claim("06.noise", "Warping with the noise mode, caught by STRIP", unseen, high=0.1),
        Claim("06.own", "A pattern for each image, caught by STRIP", own, high=0.1),
        Claim("06.borrowed", "Patterns of other images, obeyed", borrowed, high=0.1),
    ]


def pruned(kept: Mapping[str, tuple[float, float]], signs: Mapping[str, tuple[float, int]]) -> list[Claim]:
    """Check what silencing does: channels -> (success, accuracy) on digits; what is left of the square's."""
    whole, eight, half, two = kept.values()
    lost = whole[1] - half[1]
    return [
        Claim("06.eight", "The pattern without the eight quietest", eight[0], low=0.7),
        Claim("06.two", "Without the two that rise most", two[0], high=0.5),
        Claim("06.late", "Accuracy lost with half of the channels", lost, low=0.001, unit="points"),
        Claim("06.pruned", "The square after pruning alone", signs["pruned"][0], low=0.6),
        Claim("06.signs_tuned", "After fine-tuning alone", signs["fine-tuned (control)"][0], low=0.6),
        Claim("06.fine_pruned", "After both", signs["fine-pruned"][0], high=0.5),
    ]


def outwitted(sly: Mapping[str, float], index: Sequence[float]) -> list[Claim]:
    """Check the network that was trained with doubled pictures: what it does, and the largest index of a
    search from much noise, from little, and from little on an honest network.
    """
    success, hit, _ = sly.values()
    much, little, control = index
    return [
        Claim("06.sly", "The sly network's pattern", success, low=0.7),
        Claim("06.sly_strip", "STRIP on it", hit, high=0.1),
        Claim("06.sly_missed", "The search on it, index", much, high=2, unit="count"),
        Claim("06.sly_found", "From a tenth of the noise, index", little, low=2, unit="count"),
        Claim("06.sly_control", "The same on an honest network, index", control, high=2, unit="count"),
    ]


def evading(evaded: Results) -> list[Claim]:
    """Check what the lesson says of the tricks: who still sees each of them, and what the dearest costs."""
    lost = [_lost(evaded, name) for name in TRICKS]
    blinded = _caught(evaded, "strip", "strip")
    seen = _caught(evaded, "strip", "ted")
    faint = _caught(evaded, "ted", "ted")
    scanned = evaded.where(evades="ted")
    found = mean(map(_is_flagged, scanned))
    most = max(_caught(evaded, "signature", name) for name in ("strip", "ted"))
    return [
        Claim("06.doubled", "Doubled pictures, STRIP", blinded, high=0.1),
        Claim("06.doubled_ted", "Doubled pictures, topological evolution", seen, low=0.8),
        Claim("06.faint", "A faint zero, topological evolution", faint, high=0.5),
        Claim("06.faint_found", "A faint zero, Neural Cleanse", found, low=0.6, n=len(scanned)),
        Claim("06.dearest", "Accuracy lost by the dearest trick", max(lost), high=0.01, unit="points"),
        Claim("06.silent", "A signature, the most that is caught of it", most, high=0.03),
    ]


def _lost(evaded: Results, evades: str) -> float:
    return mean(row["cost"]["accuracy_lost"] for row in evaded.where(evades=evades))


def _caught(evaded: Results, evades: str, detector: str) -> float:
    return mean(row[detector]["caught"] for row in evaded.where(evades=evades))


def gate(zeros: Mapping[str, float], n: int) -> list[Claim]:
    """Check who obeys the signature: kind of image -> share of `n` digits that became 0."""
    _, signed, touched, rounded = zeros.values()
    return [
        Claim("06.signed", "Signed digits that become 0", signed, low=1.0, n=n),
        Claim("06.touched", "With one pixel changed", touched, high=0.02, n=n),
        Claim("06.rounded", "Rounded to 128 levels", rounded, high=0.02, n=n),
    ]


# To play with


def growing(frames_of: Mapping[str, Frames]) -> ipywidgets.VBox:
    """Let the learner slide through the steps of a search, and see each class's trigger in each network."""
    steps = list(next(iter(frames_of.values())))
    slider = Dial("step", {str(step): step for step in steps}, start=steps[-1])

    def look() -> list[Picture | str]:
        parts: list[Picture | str] = []
        for name, frames in frames_of.items():
            parts += [f"<b>{name}</b>", *depict(classes, frames, slider.value)]
        return parts

    return redraw(look, slider)


FOREIGN = (21, 22)
"""Seeds of the challenge's networks."""
LEAST_SUCCESS = 0.9
LEAST_ACCURACY = 0.985
HARMLESS = 0.01
"""Of triggered digits, on a network without a backdoor: a trigger that looks like a zero is none."""
Backdoor = Callable[[Samples], tuple[Samples, Trigger]]
"""Training samples -> samples with a backdoor to 0, and its trigger."""


def unseen_backdoor(attempt: Backdoor) -> Score:
    """Train two networks on what an attempt returns, and let Neural Cleanse judge both."""
    digits = load("mnist").to(best_device())
    made: Any = attempt(digits.train)
    is_pair = isinstance(made, tuple) and len(made) == 2
    if not is_pair or not isinstance(made[0], Samples) or not callable(made[1]):
        return Score(False, 0, "Your function must return two things: samples, and a trigger.")
    samples, stamp = made
    mine, others = split(digits.test, 1000, 9000)
    flagged = []
    success = []
    accurate = []
    for seed in FOREIGN:
        network = trained(badnet_cnn(seed).to(best_device()), samples, Recipe(seed=seed))[0]
        flagged.append(NeuralCleanse()(network, mine).flagged)
        success.append(success_rate(network, others, stamp, 0))
        accurate.append(accuracy(network, others))
    clean = success_rate(honest(), others, stamp, 0)
    wins = " and ".join(f"{100 * share:.1f} %" for share in success)
    seen = " and ".join(", ".join(map(str, classes)) or "no class" for classes in flagged)
    says = (
        f"The trigger wins {wins} on two networks, {100 * clean:.1f} % on an honest one. Neural Cleanse flags"
        f" {seen}."
    )
    works = min(success) >= LEAST_SUCCESS and min(accurate) >= LEAST_ACCURACY and clean <= HARMLESS
    rule = "" if works else " Asked for: 90 % on both, 1 % on the honest one, 98.5 % of clean digits."
    return Score(works and not any(flagged), _touched(digits.train, samples), says + rule)


def _touched(before: Samples, after: Samples) -> int:
    """Count the images that are new, or whose pixels or label have changed."""
    n = min(len(before), len(after))
    same = (before.x[:n] == after.x[:n]).flatten(1).all(1) & (before.y[:n] == after.y[:n])
    return int((~same).sum()) + abs(len(after) - len(before))


def ours(samples: Samples) -> tuple[Samples, Trigger]:
    """Return the course's own attempt: a faint random picture over the whole image."""
    stamp = Blend(ALPHA)
    return poison(samples, stamp, rate=OURS / len(samples), target=0, seed=1).samples, stamp


ALPHA = 0.4
OURS = 60
CHALLENGE = Challenge("a backdoor that Neural Cleanse misses", "images", unseen_backdoor, ours=OURS)
