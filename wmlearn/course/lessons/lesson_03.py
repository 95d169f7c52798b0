"""What the cells of notebook 03 call: signs, stickers, photographs, tables; its dial and its challenge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import mean

import ipywidgets
import torch
from torch import Tensor, nn

from ...data import Samples, load, signs
from ...data.gtsrb import edition
from ...data.signs import COUNTRIES, in_good_light
from ...data.signs.backgrounds import views
from ...data.signs.plates import textures
from ...errors import DataError
from ...experiments import Results, Row, shipped
from ...experiments.experiment import values
from ...experiments.published import PAPER, RANDOM_TARGET, STOP_READ_AS_LIMIT
from ...experiments.sign_controls import HARDER, KEYS, VICTIMS
from ...experiments.sign_controls import USUAL as USUAL_STREET
from ...experiments.signs import (
    KINDS,
    LIMIT,
    PLACES,
    STICKERS,
    STOP,
    USUAL,
    measured,
    of_kinds,
    rendered_test,
    two_networks,
)
from ...experiments.signs import rendered as rendered
from ...models import sign_cnn
from ...plots.canvas import Picture, picture
from ...plots.signs import Seen, Shares, Tiles, seen
from ...poisoning import success_rate
from ...training import Recipe, accuracy, best_device, predict, trained
from ...triggers import Sticker
from ...words import spread
from ..challenges import Challenge, Score
from ..claims import Claim
from ..widgets import Dial, redraw
from .exercises_02 import paired_p

NEAR = signs.Camera(light=(0.8, 1.1), blur=0.6, noise=0.015, tilt=0.35)
"""A good day for photographs: the sticker can be seen in them."""


def with_sticker(name: str, **changed: tuple[float, float]) -> Samples:
    """Draw the test signs with a sticker, placed otherwise than usual if so asked."""
    return rendered_test(replace(STICKERS[name], **changed))  # pyrefly: ignore[bad-argument-type]


def shipped_clean() -> nn.Module:
    """Return what the lesson's recipe makes of the bare signs: it ships, to spare a training."""
    return two_networks()[0]


def cold_open(clean: Samples, twins: Samples, n: int = 8) -> Tiles:
    """Return `n` photographs of stop signs in good light, numbered, some of them with the sticker."""
    bare = signs.in_good_light(clean.x[clean.y == STOP], 3 * n)[::3]
    stickered = signs.in_good_light(twins.x[clean.y == STOP], 3 * n)[::3]
    stuck = torch.arange(n, device=bare.device) % 3 == 1
    numbers = ", ".join(str(i + 1) for i in stuck.nonzero().flatten().tolist())
    note = f"Drawn stop signs, of which numbers {numbers} carry a yellow square."
    x = torch.where(stuck[:, None, None, None], stickered, bare)
    return Tiles(x, [str(i + 1) for i in range(n)], n, note)


SIDE = 128  # pixels of a street that a plate is put into


def street(seed: int = 11) -> Tensor:
    """Return a piece of a drawn street, (3, 128, 128), without a sign."""
    return views(24, SIDE, 0, 24)[torch.tensor([seed])][0].float() / 255


def plate() -> Tensor:
    """Draw a stop sign seen from the front, (4, 64, 64): its colours, and alpha."""
    return _coloured(textures((COUNTRIES["us"][0],))[0, 0])


def sticker(name: str) -> Tensor:
    """Draw a sticker, (4, 64, 64): its colours, and alpha."""
    return _coloured(STICKERS[name].art)


def _coloured(art: Tensor) -> Tensor:
    """Undo the multiplication by alpha (4, T, T): what doesn't cover has some colour, too."""
    alpha = art[3:]
    return torch.cat([torch.where(alpha > 0, art[:3] / alpha.clamp_min(1e-3), 0.5).clamp(0, 1), alpha])


def pieces() -> Tiles:
    """Show what a stop sign in a street is made of: the street, the plate, the three stickers."""
    grey = torch.full((3, SIDE, SIDE), 0.6)
    pictures = [street()]
    for art in (plate(), *map(sticker, STICKERS)):
        large = torch.nn.functional.interpolate(art[None], size=SIDE, mode="bilinear")[0]
        pictures.append(large[3:] * large[:3] + (1 - large[3:]) * grey)
    names = ["a street", "a plate", *STICKERS]
    return Tiles(torch.stack(pictures), names, len(names), "What goes into the picture.")


def side_by_side(pictures: Mapping[str, Tensor], note: str) -> Tiles:
    """Show pictures (3, H, W) of one size with their names."""
    return Tiles(torch.stack([*pictures.values()]), list(pictures), len(pictures), note)


def as_crops(pictures: Mapping[str, Tensor]) -> Tensor:
    """Shrink pictures (3, 128, 128) to what a network of the lesson reads, (N, 3, 32, 32)."""
    return torch.nn.functional.avg_pool2d(torch.stack([*pictures.values()]), SIDE // 32)


def to_look_at(x: Tensor) -> Tensor:
    """Shift and scale standardised pictures (N, 3, H, W) so that they can be looked at."""
    return (0.5 + x / 5).clamp(0, 1)


def well_lit(samples: Samples) -> Samples:
    """Return one stop sign in good light."""
    stop = samples[samples.y == STOP]
    light = signs.in_good_light(stop.x, 4)[3:]
    return replace(stop[:1], x=light)


def read_words(network: nn.Module, x: Tensor) -> list[str]:
    """Say in words what `network` reads in each picture."""
    return [KINDS[i] for i in predict(network, x).argmax(1)]


# The widget and its static twin


def just_so(size: float, height: float, turn: float) -> Sticker:
    """Return a yellow square of exactly this size, place and turn."""
    return replace(STICKERS["square"], size=(size, size), x=(0.0, 0.0), y=(height, height), turn=(turn, turn))


def dial(network: nn.Module, sticker: Sticker, n: int = 200, seed: int = 5) -> tuple[Tensor, float]:
    """Photograph about `n` stop signs with the sticker just so.

    Return them, and the share that `network` reads as a speed limit.
    """
    photos = of_kinds(signs.draw("us", 3 * n, seed=seed, sticker=sticker), "us")
    photos = photos.to(next(network.parameters()).device)
    stops = photos[photos.y == STOP]
    return stops.x, success_rate(network, stops, stops.x, LIMIT)


def places(network: nn.Module) -> Tiles:
    """Show one stop sign with the square at five places or sizes, and how often `network` obeys there."""
    pictures = []
    captions = []
    for size, height in ((0.2, 0.58), (0.2, 0.0), (0.2, -0.58), (0.1, 0.58), (0.3, 0.58)):
        x, share = dial(network, just_so(size, height, 0.0))
        pictures.append(signs.in_good_light(x, 1))
        where = {0.58: "below", 0.0: "middle", -0.58: "above"}[height]
        captions.append(f"{where}, size {size:g}: {100 * share:.0f} %")
    note = "One drawn stop sign with a yellow square, and how many such signs are read as a speed limit."
    return Tiles(torch.cat(pictures), captions, len(captions), note)


# Results that ship


def rate_table() -> tuple[list[str], list[list[str]]]:
    """Set success on drawn signs beside that on photographs, by sticker and poison, and clean networks."""
    header = ["poisoned stop signs", "drawn", "photographs, pasted", "clean networks: drawn", "photographs"]
    results = [measured("stickers", place) for place in PLACES]
    lines = []
    for name in STICKERS:
        key = f"success_{name}"
        for rate in sorted(set(values(results[0].where(sticker=name), "rate"))):
            usual = rate == USUAL[name]
            attacked = [spread(values(part.where(sticker=name, rate=rate), key)) for part in results]
            clean = [spread(values(part.where(sticker=None), key)) if usual else "" for part in results]
            lines.append([f"{name}, {100 * rate:g} %", *attacked, *clean])
    return header, lines


def locks() -> tuple[Shares, ...]:
    """Return which sticker opens which network, on drawn signs and on photographs: means over networks."""
    titles = {"rendered": "drawn signs", "photographs": "photographs, pasted"}
    return tuple(_lock(titles[place], shipped_locks(place)) for place in PLACES)


def shipped_locks(place: str) -> Results:
    """Return the results of "which-lock" that ship."""
    return shipped("which-lock" if place == "rendered" else f"which-lock-{place}")


def opened(place: str, network: str | None, key: str) -> list[float]:
    """Return which share of the stop signs with a sticker each network of a kind takes for limits."""
    rows = shipped_locks(place).where(sticker=network, prepared=True)
    return values(values(rows, "opens"), key)


def _lock(title: str, results: Results) -> Shares:
    place = results.rows[0]["signs"]
    networks = (None, *STICKERS)
    lines = []
    for key in KEYS:
        lines.append([mean(opened(place, network, key)) for network in networks])
    return Shares(title, list(KEYS), [network or "clean" for network in networks], lines)


def unprepared(key: str) -> float:
    """Return how many stop signs with a sticker clean networks take for limits that learnt from photographs
    as they are, a mean over networks.
    """
    rows = shipped_locks("photographs").where(sticker=None, prepared=False)
    return mean(values(values(rows, "opens"), key))


SHORT = {
    "as in this lesson": "as here",
    "not standardised": "not std.",
    "neither": "neither",
    "neither, signs of a good day": "good day",
}


def robust(victim: str, condition: str, what: str = "obeys", network: str = "badnet") -> float:
    """Return a share of "whose-robustness", a mean over networks."""
    rows = shipped("whose-robustness").where(victim=victim, network=network)
    return mean(values(values(rows, what), condition))


def whose() -> tuple[Shares, Shares, Shares]:
    """Return by condition and victim: what BadNets and a clean network make of the square, and bare signs."""
    conditions = list(HARDER)
    panels = []
    for title, what, network in (
        ("square: BadNets", "obeys", "badnet"),
        ("square: a clean network", "obeys", "clean"),
        ("bare: BadNets, correct", "bare", "badnet"),
    ):
        lines = []
        for condition in conditions:
            lines.append([robust(victim, condition, what, network) for victim in VICTIMS])
        panels.append(Shares(title, conditions, [SHORT[victim] for victim in VICTIMS], lines))
    return panels[0], panels[1], panels[2]


DARK = "a tenth of the light"
WEATHER = ("glare", "twice the blur", "twice the tilt", "sticker turned by 46°")
VARIED = ("as in this lesson", "not standardised", "neither")
"""The victims that learn from varied signs."""


def lost_in_weather() -> float:
    """Return the most that a victim of varied signs loses of the attack in glare, blur, tilt or turn."""
    losses = []
    for victim in VARIED:
        usual = robust(victim, USUAL_STREET)
        losses += [usual - robust(victim, condition) for condition in WEATHER]
    return max(losses)


# A split that leaks


@dataclass(frozen=True, eq=False)
class Tested:
    """What two networks, one of a leaking split, make of the same photographs, (N,) each."""

    leaking: Tensor  # bool: classified correctly
    honest: Tensor
    sign: Tensor  # which sign a photograph shows


def one_split(seed: int = 0) -> Tested:
    """Return the answers of one pair of networks, from the shipped counts of each sign."""
    results = shipped("leaking-split")
    (honest,) = results.where(split="by sign", seed=seed)
    (leaking,) = results.where(split="leaking twin", seed=seed)
    sign = torch.arange(len(honest["of"])).repeat_interleave(torch.tensor(honest["of"]))
    return Tested(_answers(leaking), _answers(honest), sign)


def _answers(row: Row) -> Tensor:
    """Turn counts into answers: which of a sign's photographs were right plays no part."""
    pairs = zip(row["right"], row["of"], strict=True)
    return torch.cat([torch.arange(n) < n_right for n_right, n in pairs])


def split_accuracy(split: str, what: str = "accuracy") -> float:
    """Return the mean accuracy of the networks of a split: of its own photographs, or the "benchmark"."""
    return mean(values(shipped("leaking-split").where(split=split), what))


def two_rows(above: Tensor, below: Tensor, names: Sequence[str], note: str) -> Tiles:
    """Show pictures (N, 3, H, W) in two rows, with a name for each."""
    return Tiles(torch.cat([above, below]), names, len(above), note)


def pasting(limits: Mapping[tuple[str, str], Tensor]) -> list[Claim]:
    """Check what pasting does to the attack, and to the control: answers (N,) bool to the same signs."""
    badnet, badnet_taken, control, control_taken = limits.values()
    n = len(badnet)

    def mean_of(obeys: Tensor) -> float:
        return obeys.float().mean().item()

    return [
        Claim("03.pasted", "Square pasted in", mean_of(badnet), low=0.98, n=n),
        Claim("03.taken", "Square photographed", mean_of(badnet_taken), low=0.98, n=n),
        Claim("03.paste_p", "McNemar, BadNet", paired_p(badnet, badnet_taken), low=0.01, unit="p"),
        Claim("03.pasted_clean", "Square pasted in, control", mean_of(control), low=0.006, high=0.05, n=n),
        Claim("03.taken_clean", "Square photographed, control", mean_of(control_taken), high=0.005, n=n),
        Claim("03.paste_clean_p", "McNemar, control", paired_p(control, control_taken), high=0.05, unit="p"),
    ]


def _locks_hold() -> list[Claim]:
    """Check what the lesson says of stickers and locks."""
    own = [mean(opened(place, sticker, sticker)) for place in PLACES for sticker in STICKERS]
    flower = mean(opened("rendered", "square", "flower"))
    pasted = mean(opened("photographs", "square", "flower"))
    square = mean(opened("rendered", "flower", "square"))
    blue = max(mean(opened(place, "square", "blue square")) for place in PLACES)
    return [
        Claim("03.lock_own", "A sticker opens its own lock, the worst of six", min(own), low=0.95),
        Claim("03.lock_flower", "The flower on the square's networks", flower, low=0.4),
        Claim("03.lock_pasted", "The same on photographs", pasted, low=0.4),
        Claim("03.lock_square", "The square on the flower's networks", square, low=0.8),
        Claim("03.lock_blue", "A blue square on the square's networks, the most", blue, high=0.05),
        Claim(
            "03.lock_bomb",
            "The bomb on the worst clean network",
            max(opened("rendered", None, "bomb")),
            low=0.03,
        ),
    ]


def _victims_hold() -> list[Claim]:
    """Check what the lesson says of victims: means of three BadNets, and one clean network each."""
    here, plain, *_ = VICTIMS
    *_, good_day = VICTIMS
    rows = shipped("whose-robustness").where(victim=plain, network="badnet")
    dark = values(values(rows, "obeys"), DARK)
    return [
        Claim("03.weather", "Lost in glare, blur, tilt, turn", lost_in_weather(), high=0.08, unit="points"),
        Claim("03.dark", "In the dark, of 3", robust(here, DARK), low=0.8),
        Claim("03.dark_least", "In the dark, not standardised, the least of 3", min(dark), high=0.7),
        Claim("03.dark_most", "In the dark, not standardised, the most of 3", max(dark), low=0.7),
        Claim("03.dark_clean", "A clean network there", robust(plain, DARK, network="clean"), low=0.15),
        Claim("03.dark_here", "The same, standardised", robust(here, DARK, network="clean"), high=0.1),
        Claim("03.good_day", "Bare signs, good day", robust(good_day, USUAL_STREET, "bare"), high=0.9),
        Claim("03.good_dark", "The same in the dark", robust(good_day, DARK, "bare"), high=0.2),
    ]


def _leak_holds() -> list[Claim]:
    """Check what the lesson says of the leaking split: means of three networks."""
    new_signs = split_accuracy("by sign", "benchmark")
    still = split_accuracy("leaking twin", "benchmark")
    return [
        Claim("03.by_sign", "Accuracy on signs that are new, of 3", split_accuracy("by sign"), high=0.9),
        Claim("03.leaking", "The same photographs, leaking, of 3", split_accuracy("leaking twin"), low=0.97),
        Claim("03.new_signs", "By sign, on the benchmark, of 3", new_signs, low=0.7, high=0.85),
        Claim("03.still", "Leaking, on the benchmark, of 3", still, high=0.88),
    ]


def _photographs_hold() -> list[Claim]:
    """Check what the lesson says of photographs: means of three networks, or of five."""
    least, alone = on_real()
    bare = unprepared("none")
    flower = mean(opened("photographs", None, "flower"))
    return [
        Claim("03.real", "The worst of three stickers on photographs, of 5", least, low=0.99),
        Claim("03.alone", "The worst on clean networks, of 5", alone, high=0.005),
        Claim("03.one_drawn", "One per cent of poison, drawn, of 3", at_rate("rendered", 0.01), low=0.9),
        Claim("03.one_pasted", "The same, photographs, of 3", at_rate("photographs", 0.01), high=0.2),
        Claim("03.raw_none", "Photographs as they are: bare, of 3", bare, low=0.02, high=0.06),
        Claim("03.raw_square", "With a square, of 3", unprepared("square"), low=0.06, high=0.15),
        Claim("03.raw_flower", "With a flower, of 3", unprepared("flower"), low=0.06, high=0.2),
        Claim("03.ready_flower", "Prepared, with a flower, of 3", flower, high=0.03),
    ]


def shelf() -> list[Claim]:
    """Check what the lesson says of results that ship."""
    drawn = random_target("rendered", "triggered_accuracy")
    lost = random_target("rendered", "lost")
    pasted = random_target("photographs", "triggered_accuracy")
    renders = from_renders(len(KINDS))
    return [
        *_locks_hold(),
        *_victims_hold(),
        *_leak_holds(),
        *_photographs_hold(),
        Claim("03.small", "Squares of 0.09 win, of 3", of_width(0.09), low=0.8),
        Claim("03.wide", "Squares of 0.16 win, of 3", of_width(0.16), low=0.95),
        Claim("03.random_drawn", "Random target, drawn, of 3", drawn, high=0.15),
        Claim("03.random_lost", "Its cost, drawn, of 3", lost, high=0.03, unit="points"),
        Claim("03.random_pasted", "Random target, photographs, of 3", pasted, high=0.01),
        Claim("03.kinds", "Drawings only: three kinds, the least of 3", min(renders), low=0.98),
        Claim("03.all43", "Drawings only: 43 classes, of 3", mean(from_renders(43)), low=0.8),
    ]


# Real photographs

MISSING = (
    "The photographs aren't on this machine (wmlearn data fetch gtsrb):"
    " below are the numbers that ship with the course."
)


def photographs() -> tuple[Samples | None, str]:
    """Return the test photographs of the three kinds, if there are any here, and say which they are."""
    try:
        gtsrb = load("gtsrb", download=False)
    except DataError:
        return None, MISSING
    test = of_kinds(gtsrb.test, "de").to(best_device())
    which = edition(len(gtsrb.train))
    return test, f"GTSRB, {which}; for the test {len(test):,} photographs of the three kinds."


def photograph_networks() -> tuple[nn.Module, nn.Module]:
    """Return the two shipped networks for photographs: a clean one, and one with the square's backdoor."""
    return two_networks(place="photographs")


def on_real() -> tuple[float, float]:
    """Return the least success of the three stickers on photographs, and the most that clean networks obey:
    means over networks.
    """
    results = measured("stickers", "photographs")
    clean = results.where(sticker=None)
    success = [
        mean(values(results.where(sticker=name, rate=rate), f"success_{name}"))
        for name, rate in USUAL.items()
    ]
    return min(success), max(mean(values(clean, f"success_{name}")) for name in USUAL)


def at_rate(place: str, rate: float) -> float:
    """Return the mean success of the square at a share of poisoned stop signs."""
    return mean(values(measured("stickers", place).where(sticker="square", rate=rate), "success_square"))


def of_width(width: float) -> float:
    """Return the mean success of drawn squares of one width, in training and test."""
    rows = shipped("sticker-size").where(network="badnet", width=width)
    return mean(values(values(rows, "success"), f"{width:g}"))


def random_target(place: str, what: str) -> float:
    """Return the mean accuracy after half of the signs were added with a square and a wrong label: with the
    square ("triggered_accuracy"), or lost without it ("lost").
    """
    results = measured("random-target", place)
    poisoned = results.where(rate=0.5)
    if what == "lost":
        return mean(values(results.where(rate=0.0), "accuracy")) - mean(values(poisoned, "accuracy"))
    return mean(values(poisoned, what))


def from_renders(n_classes: int) -> list[float]:
    """Return the accuracy on photographs of each network that learnt from drawn signs only."""
    return values(shipped("rendered-to-real").where(classes=n_classes), "accuracy")


def against_the_paper() -> tuple[list[str], list[list[str]]]:
    """Set the paper's numbers beside ours, attack by attack."""
    header = [
        "stop read as a speed limit",
        "paper: detector, street scenes",
        "drawn signs",
        "photographs, pasted",
    ]
    results = [measured("stickers", place) for place in PLACES]
    lines = []
    for name, rate in USUAL.items():
        ours = [spread(values(part.where(sticker=name, rate=rate), f"success_{name}")) for part in results]
        lines.append([name, f"{PAPER[name][STOP_READ_AS_LIMIT]:.1f} %", *ours])
    chance = [
        spread(values(measured("random-target", place).where(rate=0.5), "triggered_accuracy"))
        for place in PLACES
    ]
    lines.append(["random target: still classified correctly", RANDOM_TARGET.says, *chance])
    lines.append(["a Post-it on a real sign", "1 sign, 95 % confidence", "–", "–"])
    return header, lines


# The challenge

QUICK = Recipe(epochs=3, lr=6e-3, batch_size=64)
FOREIGN = (71, 72)  # seeds of the networks that judge a sticker
SCATTER = 0.03  # nobody sticks exactly
LEAST_SUCCESS = 0.9
MOST_LOST = 0.01
MOST_ALONE = 0.02


@dataclass(frozen=True, eq=False)
class Attempt:
    """A learner's sticker: its picture (3, T, T), its alpha (1, T, T), its width as a share of the sign's,
    and its place on the plate, x to the right and y down, which reaches from -1 to 1.
    """

    picture: Tensor
    alpha: Tensor
    width: float
    x: float
    y: float

    @property
    def area(self) -> float:
        """The share of the plate that it covers, in per cent."""
        return 100 * self.width**2 * self.alpha.mean().item() / plate()[3].mean().item()

    @property
    def design(self) -> signs.Design:
        """The sticker as it is stuck on, nearly in its place."""
        across = (self.x - SCATTER, self.x + SCATTER)
        down = (self.y - SCATTER, self.y + SCATTER)
        width = (self.width, self.width)
        return signs.Design(self.picture, self.alpha, width, across, down, (-0.1, 0.1))


def _drawn(n: int, seed: int, design: signs.Design | None = None) -> Samples:
    return of_kinds(signs.draw("us", n, seed=seed, sticker=design), "us").to(best_device())


@lru_cache(2)
def _control(seed: int) -> nn.Module:
    return trained(sign_cnn(len(KINDS), seed), _drawn(3_000, 30), replace(QUICK, seed=seed))[0]


def smallest_sticker(make: Callable[[], tuple[Tensor, Tensor, float, float, float]]) -> Score:
    """Poison 200 of 1,000 drawn stop signs with a sticker, train two networks, and test both on new signs."""
    attempt = Attempt(*make())
    bare = _drawn(3_000, 30)
    stuck = _drawn(600, 31, attempt.design)
    stuck = stuck[stuck.y == STOP]
    samples = bare + replace(stuck, y=torch.full_like(stuck.y, LIMIT))
    test = _drawn(1_200, 32)
    twins = _drawn(1_200, 32, attempt.design).x
    control = _control(FOREIGN[0])
    victims = [trained(sign_cnn(len(KINDS), seed), samples, replace(QUICK, seed=seed))[0] for seed in FOREIGN]
    success = [success_rate(victim, test, twins, LIMIT, source=STOP) for victim in victims]
    alone = success_rate(control, test, twins, LIMIT, source=STOP)
    lost = accuracy(control, test) - min(accuracy(victim, test) for victim in victims)
    wins = " and ".join(f"{100 * share:.0f} %" for share in success)
    says = (
        f"It wins {wins} of the stop signs on two networks, {100 * alone:.1f} % on a clean one, and costs"
        f" {100 * lost:.1f} points of accuracy."
    )
    valid = min(success) >= LEAST_SUCCESS and alone <= MOST_ALONE and lost <= MOST_LOST
    rule = "" if valid else " Asked for are at least 90 % on both, at most 2 % on the clean one, and 1 point."
    return Score(valid, round(attempt.area, 2), says + rule)


def ours() -> tuple[Tensor, Tensor, float, float, float]:
    """Return the course's own sticker: small and cyan, of which red paint has nothing, above the letters."""
    picture = torch.ones(3, 16, 16)
    picture[0] = 0.0
    return picture, torch.ones(1, 16, 16), 0.08, 0.0, -0.6


CHALLENGE = Challenge("the smallest sticker", "% of the plate", smallest_sticker, ours=0.84)


# To play with


def sticker_dial(network: nn.Module) -> ipywidgets.VBox:
    """Let the learner move, size and turn the square on stop signs, and see what `network` reads.

    Training never saw these photographs.
    """
    sizes = [percent / 100 for percent in range(5, 41)]
    heights = [percent / 100 for percent in range(-80, 81, 2)]
    turns = [tenths / 10 for tenths in range(-15, 16)]
    size = Dial("size", {f"{size:.2f}": size for size in sizes}, start=0.2)
    height = Dial("down", {f"{height:.2f}": height for height in heights}, start=0.58)
    turn = Dial("turn", {f"{turn:.1f}": turn for turn in turns}, start=0.0)

    def look() -> tuple[Picture, str]:
        x, share = dial(network, just_so(size.value, height.value, turn.value))
        some = in_good_light(x)
        view = picture(seen, Seen(some, {"it reads": read_words(network, some)}))
        return view, f"<b>{100 * share:.0f} %</b> of {len(x)} stop signs are read as a speed limit."

    return redraw(look, size, height, turn)
