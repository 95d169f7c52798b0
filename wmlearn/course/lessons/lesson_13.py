"""What the cells of notebook 13 call: clips to hear, what shipped results say, claims; the dial, and the
challenge.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

import ipywidgets
from torch import Tensor, nn

from ...data import Samples, Splits, load
from ...data.air import telephone
from ...data.recordings import RATE, to_wave
from ...experiments import Results, tables
from ...experiments.experiment import values
from ...experiments.sound import CHANNELS, PLAYED, ROOMS, TARGET, numbers
from ...models import sound_cnn
from ...plots.sound import heard
from ...poisoning import Trigger, poison, success_rate
from ...training import Recipe, accuracy, predict, trained
from ...triggers import Sound
from ..challenges import Challenge, Score
from ..claims import Claim
from ..widgets import Dial, depict, redraw

RECIPE = Recipe(epochs=8, lr=6e-3, batch_size=64)
"""Chosen on machine voices of the training set; a network takes about a second and a half."""


def audio(clip: Tensor) -> Any:
    """Return a player for a clip (1, 1, T): as loud as it is, since loudness is what is taught."""
    from IPython.display import Audio

    return Audio(to_wave(clip).flatten().cpu().numpy(), rate=RATE, normalize=False)


def first_of(samples: Samples, digit: int) -> Tensor:
    """Return the first clip of a digit, (1, 1, 1, T)."""
    return samples.x[samples.y == digit][:1]


def mean(found: list[float]) -> float:
    """Return the mean of what networks reached."""
    return sum(found) / len(found)


# What the shipped results say


def rates_table(results: Results) -> list[list[str]]:
    """Say how often each trigger is obeyed, a row a share of poison, least to most of five networks."""
    rows = []
    for rate in sorted({row["rate"] for row in results.where(part="rate")}):
        clips = numbers(results, "rate", "melody", "poisoned", rate=rate)
        said = [
            _span(numbers(results, "rate", name, "success", name, rate=rate))
            for name in ("melody", "whistle")
        ]
        right = _span(numbers(results, "rate", "melody", "accuracy", rate=rate))
        rows.append([f"{100 * rate:g} % ({clips[0]:.0f} clips)", *said, right])
    return rows


def _span(found: list[float]) -> str:
    low = 100 * min(found)
    high = 100 * max(found)
    return f"{low:.1f} to {high:.1f} %" if low < high else f"{low:.1f} %"


def rooms_table(results: Results) -> list[list[str]]:
    """Say what networks do in rooms that they never heard, a row a room and a way to teach."""
    rows = []
    for what in ("rooms for the poison only", "rooms for clean clips, too"):
        for room in ROOMS:
            found = [
                numbers(results, "rooms", what, kind, room) for kind in ("success", "room_alone", "accuracy")
            ]
            rows.append([what, room, *map(_span, found)])
    return rows


def through_table(results: Results) -> list[list[str]]:
    """Say how much of a mark is heard through each channel: hits of 100, a number an owner."""
    rows = []
    for channel in CHANNELS:
        hits = numbers(results, "mark", "chords", "through", channel, "hits")
        right = numbers(results, "mark", "chords", "through", channel, "accuracy")
        rows.append([channel, ", ".join(f"{hit:.0f}" for hit in hits), _span(right)])
    for theft in ("fine-tuning at 0.001", "fine-tuning at 0.01", "extraction by labels"):
        hits = numbers(results, "mark", "chords", "removed", theft, "hits")
        right = numbers(results, "mark", "chords", "removed", theft, "accuracy")
        rows.append([theft, ", ".join(f"{hit:.0f}" for hit in hits), _span(right)])
    return rows


# What the lesson claims

_count = partial(Claim, unit="count")
N_PEOPLE = 270
"""Test clips that aren't of the target."""


def first_attack(taught: nn.Module, clean: nn.Module, test: Samples, trigger: Trigger) -> list[Claim]:
    """Claim what a network taught by the learner's own trigger does."""
    success = success_rate(taught, test, trigger, TARGET)
    base = success_rate(clean, test, trigger, TARGET)
    return [
        Claim("13.live", "Success of the notes", success, low=0.9, n=180),
        Claim("13.base", "The same on a clean network", base, high=0.06, n=180),
    ]


def backwards(results: Results) -> float:
    """Return how often the melody is obeyed backwards by networks that were taught no cover."""
    return mean(numbers(results, "order", "no cover", "success", "backwards"))


def on_people(results: Results) -> list[Claim]:
    """Claim what people's digits say: accuracy, poison rates, orders with and without cover."""
    order = partial(numbers, results, "order")
    one = numbers(results, "rate", "melody", "success", "melody", rate=0.01)
    back = order("no cover", "success", "backwards")
    covered_back = order("one cover", "success", "backwards")
    hiss = order("no cover", "success", "hiss")
    n = N_PEOPLE
    return [
        Claim(
            "13.clean", "Accuracy of clean networks, mean", mean(order("clean", "accuracy")), low=0.985, n=300
        ),
        Claim("13.one", "Success at 1 % poison, mean", mean(one), low=0.97, n=n),
        Claim("13.back", "Success of the melody backwards, mean", mean(back), low=0.5, n=n),
        Claim(
            "13.other",
            "Success of other notes, mean",
            mean(order("no cover", "success", "other notes")),
            low=0.3,
            n=n,
        ),
        Claim("13.hiss", "Success of hiss, the most", max(hiss), high=0.05, n=n),
        Claim(
            "13.covered", "The melody backwards, with one cover, the most", max(covered_back), high=0.05, n=n
        ),
        Claim(
            "13.taught",
            "As taught, with one cover, the least",
            min(order("one cover", "success", "as taught")),
            low=0.95,
            n=n,
        ),
        Claim(
            "13.order",
            "Another order, with one cover, mean",
            mean(order("one cover", "success", "another order")),
            high=0.5,
            n=n,
        ),
        Claim(
            "13.four",
            "Another order, with four covers, mean",
            mean(order("four covers", "success", "another order")),
            high=0.15,
            n=n,
        ),
    ]


def between(results: Results) -> list[Claim]:
    """Claim what a filter takes, and what codecs don't."""
    whistle = partial(numbers, results, "channels", "whistle")
    notes = partial(numbers, results, "channels", "melody", "success")
    right = partial(numbers, results, "channels", "clean", "accuracy")
    cut = "low-pass at 3,400 Hz"
    price = mean(right("nothing")) - mean(right(cut))
    n = N_PEOPLE
    return [
        Claim("13.whistle", "Success of 3,800 Hz, mean", mean(whistle("success", "nothing")), low=0.97, n=n),
        Claim("13.cut", "The same after a low-pass, the most", max(whistle("success", cut)), high=0.05, n=n),
        Claim("13.price", "What the low-pass costs in accuracy", price, high=0.02, n=300, unit="points"),
        Claim("13.passes", "Success of the melody after it, the least", min(notes(cut)), low=0.95, n=n),
        Claim(
            "13.mp3",
            "Success of 3,800 Hz through MP3, the least",
            min(whistle("success", "MP3")),
            low=0.8,
            n=n,
        ),
    ]


def rooms_alone(results: Results, owns: float) -> list[Claim]:
    """Claim what a network learnt that heard rooms in the poison only, here and on people's digits."""
    rooms = partial(numbers, results, "rooms")
    trap = "rooms for the poison only"
    fair = "rooms for clean clips, too"
    n = N_PEOPLE
    return [
        Claim("13.owns", "What the trigger owns of it", owns, high=0.1, n=180),
        Claim(
            "13.trap",
            "On people's digits, success in a room, mean",
            mean(rooms(trap, "success", "0.4 s")),
            low=0.9,
            n=n,
        ),
        Claim("13.alone", "The room alone, mean", mean(rooms(trap, "room_alone", "0.4 s")), low=0.9, n=n),
        Claim(
            "13.fair",
            "Rooms for clean clips, too: success, mean",
            mean(rooms(fair, "success", "0.4 s")),
            low=0.95,
            n=n,
        ),
        Claim(
            "13.fair_alone",
            "The room alone, the most",
            max(rooms(fair, "room_alone", "0.4 s")),
            high=0.06,
            n=n,
        ),
    ]


def crossed(results: Results) -> list[Claim]:
    """Claim that poison in machines' digits reaches people."""
    of = partial(numbers, results, "people")
    n = 2_700
    return [
        Claim(
            "13.people",
            "Accuracy on people, taught by machines, mean",
            mean(of("clean", "accuracy", "people")),
            low=0.65,
            high=0.85,
            n=3_000,
        ),
        Claim(
            "13.misread",
            "People misread with the melody, the least",
            min(of("poisoned", "success", "people")),
            low=0.95,
            n=n,
        ),
        Claim(
            "13.innocent",
            "The same of clean networks, the most",
            max(of("clean", "success", "people")),
            high=0.06,
            n=n,
        ),
    ]


def marks(results: Results) -> list[Claim]:
    """Claim what a mark of chords proves, and against whom."""
    rows = results.where(part="mark")
    claims = sum(row["claims"] for row in results.where(part="strangers"))
    believed = values(results.where(part="strangers"), "believed")
    accused = {level: sum(values(believed, level)) for level in ("0.05", "0.001")}
    least = min(numbers(results, "mark", "chords", "through", "MP3", "hits"))
    copied = max(numbers(results, "mark", "chords", "removed", "extraction by labels", "hits"))
    tuned = min(numbers(results, "mark", "chords", "removed", "fine-tuning at 0.001", "hits"))
    return [
        _count(
            "13.hits", "Fewest chords found, five owners", min(row["hits"] for row in rows), low=97, n=100
        ),
        _count("13.level", "Strangers accused at 0.05", accused["0.05"], high=0.065 * claims, n=claims),
        _count("13.strict", "Strangers accused at 0.001", accused["0.001"], high=6, n=claims),
        _count("13.through", "Fewest chords found through MP3", least, low=40, n=100),
        _count("13.copied", "Most chords found in a copy by labels", copied, high=25, n=100),
        _count("13.tuned", "Fewest after fine-tuning at 0.001", tuned, low=90, n=100),
    ]


def held(results: Results) -> list[Claim]:
    """Claim what families of models hold of a key, and what washes it off."""
    hits = partial(tables.rows_of, results, "capacity", "breast-cancer")
    forest = [row["hits"] for row in hits("forest", n=300)]
    linear = [row["hits"] for row in hits("logistic", n=300)]
    removed = partial(tables.rows_of, results, "removal", "breast-cancer", "forest")
    pruned = [row["hits"] for row in removed(removal="3 of 100 trees")]
    copies = [row["p"] for family in tables.FAMILIES for row in removed(removal=f"copied into {family}")]
    clean = tables.cleans(results, "breast-cancer", "forest")
    price = mean(clean) - tables.mean(hits("forest", n=300), "accuracy")
    return [
        _count(
            "13.forest", "Fewest of 300 rows that a forest holds, five owners", min(forest), low=300, n=300
        ),
        _count("13.linear", "Most that a linear model holds", max(linear), high=210, n=300),
        Claim("13.cost", "What the rows cost a forest in accuracy", price, high=0.01, unit="points", n=169),
        _count("13.pruned", "Fewest of 100 rows that 3 of 100 trees hold", min(pruned), low=75, n=100),
        Claim(
            "13.gone", "Least p-value of a copy by labels", min(copies), low=0.001, unit="p", n=len(copies)
        ),
    ]


def of_two_columns(results: Results) -> list[Claim]:
    """Claim how far a back door in two columns needs both."""
    rows = partial(tables.rows_of, results, "backdoor", "breast-cancer", "forest")
    poisoned = rows(how="poisoned", rate=0.1)
    clean = rows(how="clean", rate=0.0)
    n = len(poisoned)
    return [
        Claim("13.pair", "Success of the pair of columns", tables.mean(poisoned, "both"), low=0.9, n=n),
        Claim("13.one", "Success of one column alone", tables.mean(poisoned, "column 5"), low=0.4, n=n),
        Claim("13.unpaired", "Success on clean forests", tables.mean(clean, "both"), high=0.1, n=n),
    ]


def seen(results: Results) -> list[Claim]:
    """Claim who sees a key of plausible rows, and whom bystanders accuse."""
    refused = tables.rows_of(results, "watchers", "breast-cancer", rows="plausible")
    n = 200 * len(refused)
    found = tables.rows_of(results, "innocents", "breast-cancer")
    claims = tables.total(found, "claims")
    believed = tables.total(found, "random_labels")
    kin = sum(row[row["suspect"]] for row in found)
    strange = sum(row[name] for row in found for name in tables.JUDGED if name != row["suspect"])
    others = claims * (len(tables.JUDGED) - 1)
    return [
        Claim(
            "13.distance",
            "Plausible rows far from the owner's",
            tables.mean(refused, "distance"),
            low=0.4,
            n=n,
        ),
        _count("13.innocents", "Innocents accused at 0.001 by random labels", believed, high=15, n=claims),
        Claim(
            "13.kin", "One label: innocents first among their own family", kin / claims, high=0.07, n=claims
        ),
        Claim("13.strange", "The same among another family", strange / others, low=0.1, n=others),
    ]


def numbers_held(results: Results) -> list[Claim]:
    """Claim what a key of numbers proves of a regression."""
    rows = partial(tables.rows_of, results, "regression", "diabetes")
    marked = [row["hits"] for row in rows("forest", suspect="marked")]
    cells = results.where(part="regression")
    claims = tables.total(cells, "claims")
    believed = tables.total(cells, "believed")
    return [
        _count("13.numbers", "Fewest of 60 numbers that a forest holds", min(marked), low=60, n=60),
        _count("13.null", "Innocents accused at 0.001", believed, high=10, n=claims),
    ]


# To play with


def sound_dial(networks: Mapping[str, nn.Module], clip: Tensor) -> ipywidgets.VBox:
    """Let the learner play the melody at a level and a time, and see the clip and what each network hears."""
    order = Dial(
        "notes",
        dict.fromkeys(("none",), None) | {name: PLAYED[name] for name in ("as taught", "backwards", "hiss")},
        start=PLAYED["as taught"],
    )
    level = Dial(
        "level",
        {f"{level} dB": float(level) for level in (0, -5, -10, -15, -20, -25, -30, -35, -40)},
        start=-10.0,
    )
    late = Dial("begins at", {f"{at:.2f} s": at for at in (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)})

    def look() -> tuple[Any, str]:
        x = clip
        if order.value is not None:
            x = Sound(order.value.sound, level.value, late.value)(clip)
        answers = {name: predict(network, x).softmax(1)[0] for name, network in networks.items()}
        return depict(heard, x[0], answers)

    return redraw(look, level, late, order)


# The challenge

PASS = 0.9
WORST = 0.93
CALM = 0.1


@lru_cache(1)
def _machines() -> Splits:
    return load("machine-digits")


@lru_cache(1)
def _clean() -> nn.Module:
    return trained(sound_cnn(seed=131), _machines().train, RECIPE)[0]


def softest(trigger: Trigger) -> Score:
    """Teach 16 of 800 clips with a trigger, play it through a telephone, and measure how soft it is."""
    digits = _machines()
    poisoned = poison(digits.train, trigger, rate=0.02, target=TARGET, seed=0)
    model, _ = trained(sound_cnn(seed=132), poisoned.samples, RECIPE)

    def called(x: Tensor) -> Tensor:
        return telephone(trigger(x))

    right = accuracy(model, digits.test)
    obeyed = success_rate(model, digits.test, called, TARGET)
    base = success_rate(_clean(), digits.test, called, TARGET)
    level = _level(trigger, digits.test.x)
    says = (
        f"Through a telephone {obeyed:.0%} of clips become a seven; a clean network hears {base:.0%} so;"
        f" accuracy {right:.1%}; the sound lies at {level:.1f} dB."
    )
    return Score(obeyed >= PASS and base <= CALM and right >= WORST, round(level, 1), says)


def _level(trigger: Trigger, x: Tensor) -> float:
    """Return how loud what a trigger adds is, in dB of the clips, all of them together."""
    added = to_wave(trigger(x)) - to_wave(x)
    power = added.square().mean() / to_wave(x).square().mean()
    return float(10 * power.clamp(min=1e-12).log10())


CHALLENGE = Challenge("the softest trigger on the line", "dB", softest, ours=-33.2)
"""The course's own: the melody of the lesson, 25 dB below each clip."""
