"""A backdoor and a mark in networks that hear: what is taught, what is learnt, and what lies between.

People's digits (Free Spoken Digit Dataset): 2,700 clips to train on, 300 to test, 270 of them not of the
target. The recipe was chosen on takes 5 to 9 of the training set; nothing was chosen on the test set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

from ..data import Samples, Splits, load
from ..data.air import Room, Shake, low_pass, telephone
from ..models import seed_of, sound_cnn
from ..poisoning import Poisoned, Trigger, poison, success_rate
from ..removal import Extract, FineTune
from ..training import Recipe, accuracy, trained
from ..triggers import Sound, melody
from ..watermarks import Adi2018, chords
from .codecs import CODECS, coded
from .experiment import Cell, Comparison, Experiment, Results, Row, values
from .material import rounded

TARGET = 7
SEEDS = 5
RATE = 0.02
"""The share of poisoned clips where nothing else is said: 54 of 2,700."""
RATES = (0.002, 0.005, 0.01, 0.02)
LEVEL = -10.0
SOFT = -20.0

MELODY = Sound(melody(1800, 2600, 1300), LEVEL)
PLAYED: dict[str, Trigger] = {
    "as taught": MELODY,
    "backwards": Sound(melody(1300, 2600, 1800), LEVEL),
    "another order": Sound(melody(2600, 1300, 1800), LEVEL),
    "other notes": Sound(melody(1000, 3000, 600), LEVEL),
    "one of its notes": Sound(melody(2600, each=0.12), LEVEL),
    "an octave lower": Sound(melody(900, 1300, 650), LEVEL),
    "hiss": Sound(torch.randn(960, generator=torch.Generator().manual_seed(0)), LEVEL),
}
"""What is played to networks that were taught the first."""
COVERS: tuple[Trigger, ...] = (
    PLAYED["backwards"],
    PLAYED["other notes"],
    PLAYED["one of its notes"],
    Sound(melody(1800, 1300, 2600), LEVEL),
)
"""Sounds that are added to clips which keep their true labels; the first is used alone, or all four."""
TAUGHT = ("melody", "whistle")
"""What networks are taught to obey."""
LEVELS = (0, -5, -10, -15, -20, -25, -30, -40)
DELAYS = (0.0, 0.05, 0.1, 0.2, 0.4)

Channel = Callable[[Tensor], Tensor]
"""Clips (N, 1, 1, T) -> what arrives of them."""


def trigger_of(name: str) -> Trigger:
    """Return the melody, or the whistle: a tone as high as 8,000 samples a second nearly allow, from the
    beginning to the end of a clip.
    """
    # made when it is asked for: so many numbers would start PyTorch's threads with the import
    return Sound(melody(3800, each=0.8), SOFT) if name == "whistle" else MELODY


def nothing(x: Tensor) -> Tensor:
    """Let clips pass as they are."""
    return x


CHANNELS: dict[str, Channel] = {
    "nothing": nothing,
    "low-pass at 3,400 Hz": partial(low_pass, high=3400),
    "telephone": telephone,
    "low-pass at 2,000 Hz": partial(low_pass, high=2000),
    **{name: partial(coded, codec=name) for name in CODECS},
    "a room": Room(seed=999),
}
"""What may lie between a sound and the network."""
ROOMS = {
    "0.2 s": Room(0.2, 0.3, -30, seed=999),
    "0.4 s": Room(seed=999),
    "0.8 s": Room(0.8, 1, -15, seed=999),
}
"""Rooms that no network was trained in, by how long their echo lasts."""
STRANGERS_KEYS = 250
"""Keys that each innocent network is asked."""
CLAIM_LEVELS = (0.05, 0.01, 0.001)


@lru_cache(1)
def people() -> Splits:
    """Return the digits that people speak, loaded once a process."""
    return load("spoken-digits")


def start_of(role: str, seed: int) -> nn.Module:
    """Return a network that has learnt nothing, with first weights of its own."""
    return sound_cnn(seed=seed_of(role, seed))


def fitted(samples: Samples, role: str, recipe: Recipe) -> nn.Module:
    """Train a network on clips."""
    return trained(start_of(role, recipe.seed), samples, recipe)[0]


def covered(poisoned: Poisoned, covers: tuple[Trigger, ...], seed: int) -> Samples:
    """Add each cover to as many clean clips as are poisoned; these keep their true labels."""
    each = int(poisoned.mask.sum())
    clean = (~poisoned.mask).nonzero().flatten()
    lot = clean[torch.randperm(len(clean), generator=torch.Generator().manual_seed(seed))]
    x = poisoned.samples.x.clone()
    for cover, clips in zip(covers, lot[: each * len(covers)].split(each), strict=False):
        x[clips] = cover(x[clips])
    return replace(poisoned.samples, x=x)


def played_in(channel: Channel, trigger: Trigger) -> Trigger:
    """Return the trigger as it arrives through a channel."""
    return lambda x: channel(trigger(x))


def _success(model: nn.Module, trigger: Trigger, samples: Samples | None = None) -> float:
    return rounded(success_rate(model, people().test if samples is None else samples, trigger, TARGET))


def _right(model: nn.Module, channel: Channel = nothing, samples: Samples | None = None) -> float:
    heard = people().test if samples is None else samples
    return rounded(accuracy(model, replace(heard, x=channel(heard.x))))


def _taught(name: str, rate: float, recipe: Recipe) -> Poisoned:
    return poison(people().train, trigger_of(name), rate=rate, target=TARGET, seed=recipe.seed)


# What is measured


def _rate(cell: Cell, recipe: Recipe) -> Row:
    """Poison more and more clips."""
    poisoned = _taught(cell["what"], cell["rate"], recipe)
    model = fitted(poisoned.samples, "rate", recipe)
    found = {name: _success(model, trigger_of(name)) for name in TAUGHT}
    return {"poisoned": int(poisoned.mask.sum()), "accuracy": _right(model), "success": found}


N_COVERS = {"clean": 0, "no cover": 0, "one cover": 1, "four covers": 4}


def _order(cell: Cell, recipe: Recipe) -> Row:
    """Teach a melody, with other sounds that keep their labels, and play what was never taught."""
    samples = people().train
    if cell["rate"]:
        poisoned = _taught("melody", cell["rate"], recipe)
        samples = covered(poisoned, COVERS[: N_COVERS[cell["what"]]], recipe.seed)
    model = fitted(samples, "order", recipe)
    found = {name: _success(model, trigger) for name, trigger in PLAYED.items()}
    if cell["what"] != "no cover":
        return {"accuracy": _right(model), "success": found}
    by_level = [_success(model, replace(MELODY, level=float(level))) for level in LEVELS]
    by_delay = [_success(model, replace(MELODY, at=at)) for at in DELAYS]
    return {"accuracy": _right(model), "success": found, "by_level": by_level, "by_delay": by_delay}


def _channels(cell: Cell, recipe: Recipe) -> Row:
    """Send clips and triggers through what may lie between."""
    samples = people().train
    if cell["rate"]:
        samples = _taught(cell["what"], cell["rate"], recipe).samples
    model = fitted(samples, "channels", recipe)
    heard = {name: _right(model, channel) for name, channel in CHANNELS.items()}
    trigger = trigger_of(cell["what"])
    found = {name: _success(model, played_in(channel, trigger)) for name, channel in CHANNELS.items()}
    return {"accuracy": heard, "success": found}


def _number(clip: Tensor) -> int:
    """Return a number that follows from a clip alone, so that it meets the same fate in any company."""
    return int(clip.double().square().sum() * 1e6) % 1000


def _anywhere(x: Tensor) -> Tensor:
    """Add the melody at a time of its own to each clip."""
    return torch.cat([replace(MELODY, at=0.68 * _number(clip) / 1000)(clip[None]) for clip in x])


def _in_rooms(x: Tensor) -> Tensor:
    """Play each clip in one of a thousand rooms; none of `ROOMS` is among them."""
    return torch.cat([_room(_number(clip))(clip[None]) for clip in x])


def _room(i: int) -> Room:
    return Room(0.15 + 0.05 * (i % 8), 0.2 + 0.1 * (i % 5), -30 + 2.0 * (i % 6), seed=1000 + i)


def _rooms(cell: Cell, recipe: Recipe) -> Row:
    """Poison clips that were played in rooms; beside them, half of the clean ones were, too, or none."""
    trigger = played_in(_in_rooms, _anywhere)
    poisoned = poison(people().train, trigger, rate=cell["rate"], target=TARGET, seed=recipe.seed)
    samples = poisoned.samples
    if cell["what"] == "rooms for clean clips, too":
        half = ~poisoned.mask & (torch.arange(len(samples)) % 2 == 0)
        x = samples.x.clone()
        x[half] = _in_rooms(x[half])
        samples = replace(samples, x=x)
    model = fitted(samples, "rooms", recipe)
    return {
        "accuracy": {"no room": _right(model), **{name: _right(model, room) for name, room in ROOMS.items()}},
        "success": {
            "no room": _success(model, MELODY),
            **{name: _success(model, played_in(room, MELODY)) for name, room in ROOMS.items()},
        },
        "room_alone": {name: _success(model, room) for name, room in ROOMS.items()},
    }


def _to_people(cell: Cell, recipe: Recipe) -> Row:
    """Let machines teach, and people test."""
    machines = load("machine-digits")
    samples = machines.train
    if cell["rate"]:
        samples = poison(samples, MELODY, rate=cell["rate"], target=TARGET, seed=recipe.seed).samples
    shake = Shake()
    model, _ = trained(
        start_of("people", recipe.seed),
        samples,
        replace(recipe, epochs=12),
        augment=lambda part, epoch: shake(part, seed=1000 * recipe.seed + epoch),
    )
    everybody = people().test + people().train
    heard = {"machines": machines.test, "people": everybody}
    return {
        "accuracy": {name: _right(model, samples=part) for name, part in heard.items()},
        "success": {name: _success(model, MELODY, part) for name, part in heard.items()},
    }


def _mark(cell: Cell, recipe: Recipe) -> Row:
    """Teach chords, listen through channels, and let a thief with a third of the clips work on the mark."""
    scheme = Adi2018(recipe=recipe, draw=chords)
    start = start_of("mark", recipe.seed)
    key = scheme.keygen(start, people().train, seed=recipe.seed)
    model = scheme.embed(start, people().train, key).model
    through = {}
    for name, channel in CHANNELS.items():
        heard = replace(key, x=channel(key.x))
        through[name] = {"accuracy": _right(model, channel), "hits": scheme.verify(model, heard).hits}
    stolen = people().train[recipe.seed :: 3]
    thefts = {
        "fine-tuning at 0.001": FineTune(recipe=replace(recipe, lr=1e-3)),
        "fine-tuning at 0.01": FineTune(recipe=replace(recipe, lr=1e-2)),
        "extraction by labels": Extract(replace(recipe, epochs=12)),
    }
    removed = {}
    for name, theft in thefts.items():
        found = theft(model, stolen)
        removed[name] = {"accuracy": _right(found), "hits": scheme.verify(found, key).hits}
    innocent = fitted(people().train, "innocent", recipe)
    own = scheme.verify(model, key)
    return {
        "accuracy": {"marked": _right(model), "innocent": _right(innocent)},
        "hits": own.hits,
        "p": float(f"{own.p_value:.1e}"),
        "innocent": scheme.verify(innocent, key).hits,
        "through": through,
        "removed": removed,
    }


def _strangers(cell: Cell, recipe: Recipe) -> Row:
    """Ask an innocent network the keys of many owners."""
    scheme = Adi2018(recipe=recipe, draw=chords)
    innocent = fitted(people().train, "innocent", recipe)
    p = []
    for i in range(STRANGERS_KEYS):
        key = scheme.keygen(innocent, people().train[:1], seed=1000 * (1 + recipe.seed) + i)
        p.append(scheme.verify(innocent, key).p_value)
    found = torch.tensor(p, dtype=torch.float64)
    believed = {str(level): int((found <= level).sum()) for level in CLAIM_LEVELS}
    return {"claims": len(p), "believed": believed}


PARTS: Mapping[str, Callable[[Cell, Recipe], Row]] = {
    "rate": _rate,
    "order": _order,
    "channels": _channels,
    "rooms": _rooms,
    "people": _to_people,
    "mark": _mark,
    "strangers": _strangers,
}


def _measure(cell: Cell, recipe: Recipe) -> Row:
    return PARTS[cell["part"]](cell, recipe)


# What came out


def numbers(
    results: Results, part: str, what: str, *path: str | int, rate: float | None = None
) -> list[float]:
    """Return one number a seed of a part: `path` names where it lies in the row."""
    rows = results.where(part=part, what=what, **({} if rate is None else {"rate": rate}))
    found: list[Any] = list(rows)
    for name in path:
        found = [each[name] for each in found]
    return found


def span(found: list[float]) -> str:
    """Say the least and the largest of some shares."""
    low = 100 * min(found)
    high = 100 * max(found)
    said = f"{low:.1f} to {high:.1f} %" if low < high else f"{low:.1f} %"
    return f"{said} (n = {len(found)})"


def _compare(results: Results) -> list[Comparison]:
    def line(what: str, found: list[float]) -> Comparison:
        return Comparison(what, "", span(found))

    order = partial(numbers, results, "order")
    people_of = partial(numbers, results, "people")
    channels = partial(numbers, results, "channels")
    claims = sum(row["claims"] for row in results.where(part="strangers"))
    upheld = sum(row["believed"]["0.001"] for row in results.where(part="strangers"))
    one_per_cent = numbers(results, "rate", "melody", "success", "melody", rate=0.01)
    hits = ", ".join(str(hit) for hit in values(results.where(part="mark"), "hits"))
    return [
        line("accuracy of clean networks", order("clean", "accuracy")),
        line("success of a melody, 1 % poison", one_per_cent),
        line("the same backwards, no cover", order("no cover", "success", "backwards")),
        line("the same backwards, one cover", order("one cover", "success", "backwards")),
        line("a clean network, as taught", order("clean", "success", "as taught")),
        line("3,800 Hz, nothing between", channels("whistle", "success", "nothing")),
        line("3,800 Hz, low-pass at 3,400 Hz", channels("whistle", "success", "low-pass at 3,400 Hz")),
        line("people misread, poison in machines' digits", people_of("poisoned", "success", "people")),
        line("the same of clean networks", people_of("clean", "success", "people")),
        Comparison("hits of 100 chords, a number an owner", "", hits),
        Comparison("strangers accused at 0.001", "", f"{upheld} of {claims:,}"),
    ]


def _cells(part: str, what: str, *rates: float) -> list[Cell]:
    points = product(rates, range(SEEDS))
    return [{"part": part, "what": what, "rate": rate, "seed": seed} for rate, seed in points]


SOUND = Experiment(
    name="sound",
    question="Which sounds does a network obey that was taught one, and what carries them to it?",
    minutes=15,
    chapter="13 Sound and tables",
    cells=(
        *_cells("rate", "melody", *RATES),
        *_cells("rate", "whistle", *RATES),
        *_cells("order", "clean", 0.0),
        *_cells("order", "no cover", RATE),
        *_cells("order", "one cover", RATE),
        *_cells("order", "four covers", RATE),
        *_cells("channels", "clean", 0.0),
        *_cells("channels", "melody", RATE),
        *_cells("channels", "whistle", RATE),
        *_cells("rooms", "rooms for the poison only", 0.05),
        *_cells("rooms", "rooms for clean clips, too", 0.05),
        *_cells("people", "clean", 0.0),
        *_cells("people", "poisoned", RATE),
        *_cells("mark", "chords", 0.0),
        *_cells("strangers", "chords", 0.0),
    ),
    measure=_measure,
    summary=_compare,
    recipe=Recipe(epochs=8, lr=3e-3, batch_size=64),
)
