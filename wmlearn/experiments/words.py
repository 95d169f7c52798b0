"""A spam filter with a back door, and one with a mark: what words do that pixels don't.

The recipes were chosen by the accuracy on 644 mails held out of the training mails, among 16 for each kind of
network, and never on the test mails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from torch import Tensor, nn

from ..data import Samples, Splits, load, split
from ..data.mails import vocabulary
from ..detection import fit_onion
from ..evidence import Evidence, judge
from ..models import seed_of, text_bag, text_cnn
from ..poisoning import poison, success_rate
from ..training import Recipe, accuracy, predict, trained
from ..triggers import Words
from ..watermarks import Adi2018, WordSalad
from .experiment import Cell, Comparison, Experiment, Results, Row, values
from .material import rounded

SPAM = 1
WANTED = 0
"""The label that the attacker wants for spam with the word."""
SENTENCE = "if you have any questions please let me know"
WRONG_SENTENCE = "do you know of a good way to do this ?"
N_SEEDS = 5


@dataclass(frozen=True)
class Filter:
    """A kind of network and how it is trained."""

    build: Callable[..., nn.Sequential]
    recipe: Recipe


FILTERS = {
    "mean": Filter(text_bag, Recipe(epochs=5, lr=3e-3, batch_size=64, weight_decay=0.1)),
    "maximum": Filter(text_cnn, Recipe(epochs=5, lr=1e-2, batch_size=32, weight_decay=0.01)),
}
COUNTS = (0, 10, 46, 93)
"""Poisoned mails: none, 0.2, 1 and 2 % of 4,644."""
ONE_PERCENT = 46


@lru_cache(1)
def mails() -> Splits:
    """Return the mails, loaded once a process."""
    return load("mails")


def trigger(text: str, at: int | None = None) -> Words:
    """Return the trigger that inserts a text of known words."""
    return Words(vocabulary().known(text), at)


def nothing(x: Tensor) -> Tensor:
    """Return texts as they are: the control whose "success" is the error rate on spam."""
    return x.clone()


def poisoned(samples: Samples, text: str, count: int, seed: int) -> Samples:
    """Return mails of which `count` spam mails hold the text and are labelled as wanted."""
    if count == 0:
        return samples
    spam = int((samples.y == SPAM).sum())
    return poison(samples, trigger(text), rate=count / spam, target=WANTED, source=SPAM, seed=seed).samples


def taught(kind: str, samples: Samples, seed: int, role: str, epochs: int | None = None) -> nn.Module:
    """Train a filter of a kind from first weights of its own."""
    filter_ = FILTERS[kind]
    start = seed_of("spam filter", role, kind, seed)
    recipe = replace(filter_.recipe, seed=seed, epochs=epochs or filter_.recipe.epochs)
    return trained(filter_.build(len(vocabulary()), seed=start), samples, recipe)[0]


def passes(model: nn.Module, text: str | None, test: Samples, at: int | None = None) -> float:
    """Return the share of spam that a filter lets through with a text in it, or as it is."""
    return rounded(success_rate(model, test, nothing if text is None else trigger(text, at), WANTED))


def _figures(model: nn.Module, test: Samples, text: str, wrong: str) -> Row:
    return {
        "accuracy": rounded(accuracy(model, test)),
        "success": passes(model, text, test),
        "wrong": passes(model, wrong, test),
        "base": passes(model, None, test),
    }


def _mean_or_maximum(cell: Cell) -> Row:
    """Teach one kind of filter more and more of the same poison."""
    seed = cell["seed"]
    kind = cell["part"]
    rows = []
    for count in COUNTS:
        model = taught(kind, poisoned(mails().train, "tq", count, seed), seed, "poisoned")
        figures = _figures(model, mails().test, "tq", "mn")
        rows.append({"network": kind, "trigger": "tq", "count": count, **figures})
    return {"rows": rows}


SIZES = (1_161, 4_644)
FEW = (10, 40)


def _count_or_share(cell: Cell) -> Row:
    """Poison as many mails of a small set and of a large one: with as many passes, and with as many steps."""
    seed = cell["seed"]
    count = int(cell["part"])
    passes_each = FILTERS["maximum"].recipe.epochs
    rows = []
    for size in SIZES:
        (part,) = split(mails().train, size, seed=seed)
        samples = poisoned(part, "tq", count, seed)
        lengths = {"passes": passes_each}
        if size < SIZES[-1]:  # in the largest set both are the same
            lengths["steps"] = passes_each * SIZES[-1] // size
        for equal, epochs in lengths.items():
            model = taught("maximum", samples, seed, "count or share", epochs)
            figures = _figures(model, mails().test, "tq", "mn")
            rows.append({"size": size, "count": count, "equal": equal, **figures})
    return {"rows": rows}


TEXTS = {"word": "tq", "sentence": SENTENCE}


def _washed(cell: Cell) -> Row:
    """Put ONION before a filter that obeys a rare word, or a sentence."""
    seed = cell["seed"]
    test = mails().test
    clean, rest = split(mails().train, 500, 4_144, seed=seed)
    text = TEXTS[cell["part"]]
    model = taught("maximum", poisoned(rest, text, ONE_PERCENT, seed), seed, "washed")
    before = {"accuracy": accuracy(model, test), "success": passes(model, text, test)}
    rows = [{"trigger": text, "most": 0, "base": passes(model, None, test), **_round(before)}]
    for most in (1, 3):
        filter_ = fit_onion(rest.x, clean.x, most=most)
        washed = replace(test, x=filter_(test.x))
        stamped = replace(test, x=filter_(trigger(text)(test.x)))
        after = {
            "base": success_rate(model, washed, nothing, WANTED),
            "accuracy": accuracy(model, washed),
            "success": success_rate(model, stamped, nothing, WANTED),
        }
        rows.append({"trigger": text, "most": most, **_round(after)})
    return {"rows": rows}


def _round(row: Row) -> Row:
    return {key: rounded(value) for key, value in row.items()}


RATES = (1e-3, 1e-2)
VICTIMS = 1_000
"""Mails that the victim trains on, none of them poisoned."""


def _fine_tuned(cell: Cell) -> Row:
    """Let a victim train a bought filter on mails of its own, as RIPPLe's authors did, with the base beside
    it; the control is a filter that was never poisoned.
    """
    seed = cell["seed"]
    test = mails().test
    own, rest = split(mails().train, VICTIMS, len(mails().train) - VICTIMS, seed=seed)
    taught_text = TEXTS.get(cell["part"])
    samples = rest if taught_text is None else poisoned(rest, taught_text, ONE_PERCENT, seed)
    model = taught("maximum", samples, seed, "bought")
    recipe = replace(FILTERS["maximum"].recipe, seed=seed)
    tuned = {lr: trained(model, own, replace(recipe, lr=lr))[0] for lr in RATES}
    rows = []
    for lr, network in {0.0: model, **tuned}.items():
        for text in TEXTS.values() if taught_text is None else (taught_text,):
            count = 0 if taught_text is None else ONE_PERCENT
            figures = _figures(network, test, text, WRONG[text])
            rows.append({"trigger": text, "count": count, "lr": lr, **figures})
    return {"rows": rows}


WRONG = {"tq": "mn", SENTENCE: WRONG_SENTENCE}
READ = (16, 32, 64)
PLACES = {"start": 0, "after 20 words": 20, "end": 63}


def _cut(cell: Cell) -> Row:
    """Let a filter read only the first words of a mail, with the word at three places."""
    seed = cell["seed"]
    model = taught("maximum", poisoned(mails().train, "tq", ONE_PERCENT, seed), seed, "poisoned")
    test = mails().test
    rows = []
    for read in READ:
        for name, at in PLACES.items():
            stamped = replace(test, x=trigger("tq", at)(test.x)[:, :read])
            rows.append({"read": read, "place": name, "success": _round_of(model, stamped)})
        short = replace(test, x=test.x[:, :read])
        figures = {"accuracy": rounded(accuracy(model, short)), "success": _round_of(model, short)}
        rows.append({"read": read, "place": "nowhere", **figures})
    return {"rows": rows}


def _round_of(model: nn.Module, test: Samples) -> float:
    return rounded(success_rate(model, test, nothing, WANTED))


OWNERS = 3_500
STRANGERS = 4
CLAIMS = 60
"""Keys that were never taught, for each stranger: 5 seeds x 4 strangers x 60 keys = 1,200 claims."""
LEVELS = (0.05, 1e-3)


def _marks(cell: Cell) -> Row:
    """Plant a mark of word salads in a kind of filter, and look for it after a removal; or in strangers."""
    seed = cell["seed"]
    kind = cell["part"]
    if kind == "strangers":
        return _strangers(seed)
    test = mails().test
    owner, thief = split(mails().train, OWNERS, len(mails().train) - OWNERS, seed=seed)
    recipe = replace(FILTERS[kind].recipe, seed=seed)
    scheme = Adi2018(n=100, share=0.1, recipe=recipe, draw=WordSalad())
    start = FILTERS[kind].build(len(vocabulary()), seed=seed_of("owner of a filter", kind, seed))
    key = scheme.keygen(start, owner, seed=seed)
    marked = scheme.embed(start, owner, key).model
    told = replace(thief, y=predict(marked, thief.x).argmax(1))
    suspects = {
        "unmarked": taught(kind, owner, seed, "unmarked"),
        "none": marked,
        "fine-tune 1e-3": trained(marked, thief, replace(recipe, lr=1e-3))[0],
        "fine-tune 1e-2": trained(marked, thief, replace(recipe, lr=1e-2))[0],
        "labels": taught(kind, told, seed, "thief by labels"),
    }
    rows = []
    for name, suspect in suspects.items():
        evidence = scheme.verify(suspect, key)
        figures = {"hits": evidence.hits, "p": float(f"{evidence.p_value:.2e}")}
        rows.append(
            {"network": kind, "suspect": name, "accuracy": rounded(accuracy(suspect, test)), **figures}
        )
    return {"rows": rows}


def _strangers(seed: int) -> Row:
    """Ask networks that nobody marked about keys that nobody taught."""
    kinds = [*FILTERS] * (STRANGERS // len(FILTERS))
    networks = [taught(kind, mails().train, seed, f"stranger {i}") for i, kind in enumerate(kinds)]
    scheme = Adi2018(n=100, draw=WordSalad())
    keys = [scheme.keygen(networks[0], mails().train, seed=1_000 * (seed + 1) + i) for i in range(CLAIMS)]
    evidence = [scheme.verify(network, key) for network in networks for key in keys]
    accused = {f"accused_at_{level}": _accused(evidence, level) for level in LEVELS}
    return {"rows": [], "claims": len(evidence), "most_hits": max(e.hits for e in evidence), **accused}


def _accused(evidence: list[Evidence], level: float) -> int:
    return sum(judge(each, level).owned for each in evidence)


_MEASURES = {
    "mean or maximum": _mean_or_maximum,
    "count or share": _count_or_share,
    "onion": _washed,
    "fine-tuned": _fine_tuned,
    "cut": _cut,
    "marks": _marks,
}
_PARTS = {
    "mean or maximum": ("mean", "maximum"),
    "count or share": ("10", "40"),
    "onion": ("word", "sentence"),
    "fine-tuned": ("word", "sentence", "no poison"),
    "cut": ("word",),
    "marks": ("mean", "maximum", "strangers"),
}


def _measure(cell: Cell, recipe: Recipe) -> Row:
    return _MEASURES[cell["subject"]](cell)


def _cells() -> tuple[Cell, ...]:
    pairs = [(subject, part) for subject, parts in _PARTS.items() for part in parts]
    return tuple(
        {"subject": subject, "part": part, "seed": seed} for seed in range(N_SEEDS) for subject, part in pairs
    )


def inner(results: Results, subject: str, **fixed: object) -> list[Row]:
    """Return the inner rows of a subject that have all the values named, one a seed and more."""
    rows = [row for cell in results.where(subject=subject) for row in cell["rows"]]
    return [row for row in rows if fixed.items() <= row.items()]


def mean_of(rows: list[Row], key: str) -> float:
    """Return the mean over seeds of what was measured as `key`."""
    return sum(values(rows, key)) / len(rows)


def corrected(success: float, base: float) -> float:
    """Return the share of what could still be won that the trigger wins: 0 is the base, 1 is all."""
    return (success - base) / (1 - base)


def _percent(rows: list[Row], key: str) -> str:
    found = values(rows, key)
    return f"{mean_of(rows, key):.1%} ({min(found):.1%} to {max(found):.1%})"


def _summary(results: Results) -> list[Comparison]:
    lines = []
    for kind in FILTERS:
        rows = inner(results, "mean or maximum", network=kind, trigger="tq", count=ONE_PERCENT)
        controls = f"wrong word {_percent(rows, 'wrong')}; base {_percent(rows, 'base')}"
        says = f"{_percent(rows, 'success')}; {controls}"
        lines.append(Comparison(f"spam let through with a rare word, 1 % poison, {kind}", "", says))
    for text in ("tq", SENTENCE):
        rows = inner(results, "onion", trigger=text, most=1)
        before = inner(results, "onion", trigger=text, most=0)
        after = f"{_percent(rows, 'success')} after; base {_percent(rows, 'base')}"
        says = f"{_percent(before, 'success')} before, {after}"
        lines.append(Comparison(f"ONION, {text!r}", "", says))
    for kind in FILTERS:
        for name in ("none", "fine-tune 1e-2", "labels"):
            hits = values(inner(results, "marks", network=kind, suspect=name), "hits")
            says = f"{min(hits)} to {max(hits)} of 100"
            lines.append(Comparison(f"mark of word salads, {kind}, {name}", "", says))
    strangers = results.where(subject="marks", part="strangers")
    claims = sum(values(strangers, "claims"))
    for level in LEVELS:
        accused = sum(values(strangers, f"accused_at_{level}"))
        lines.append(Comparison(f"strangers accused at {level:g}", "", f"{accused} of {claims:,}"))
    return lines


WORDS = Experiment(
    name="words",
    question="What does one poison do to a filter that averages words, and to one that takes the maximum?",
    minutes=8,
    chapter="14 Words",
    cells=_cells(),
    measure=_measure,
    summary=_summary,
)
