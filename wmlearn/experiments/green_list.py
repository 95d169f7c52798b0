"""A mark in what a language model writes: found, accused, washed off, forged.

The model counts triples of words in nine chapters of a tale; the last three are prose that it hasn't seen.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import torch
from torch import Tensor

from ..data import Vocabulary
from ..data.tales import REFRAIN, TAUGHT, chapters, tale_words
from ..models import Trigrams, seed_of, trigrams, write
from ..watermarks import GreenList
from .experiment import Cell, Comparison, Experiment, Results, Row, values
from .material import rounded

N_SEEDS = 5
LENGTH = 200
"""Words of a text that is judged."""
TEXTS = 10
"""Texts of each kind and seed: 50 in all."""
LEVELS = (0.05, 0.01, 0.001)
HUMAN_KEYS = 200
REFRAIN_KEYS = 1_000
BIASES = (0.5, 1.0, 2.0)
REPLACED = (0.1, 0.3, 0.5)
"""Shares of the words that a paraphrase replaces."""
SEEN = 20_000
"""Words of marked text that a forger, or a student, reads."""


@lru_cache(1)
def words() -> Vocabulary:
    """Return the vocabulary of the tale."""
    return tale_words()


def prose(first: int, last: int) -> Tensor:
    """Return the words of chapters `first` to `last` - 1 as ids (M,)."""
    return torch.tensor([number for text in chapters()[first:last] for number in words().numbers(text)])


@lru_cache(1)
def writer() -> Trigrams:
    """Return the language model."""
    return trigrams(prose(0, TAUGHT), len(words()))


def human() -> Tensor:
    """Return the last three chapters in pieces (K, 200)."""
    held = prose(TAUGHT, len(chapters()))
    return held[: len(held) // LENGTH * LENGTH].view(-1, LENGTH)


def refrain() -> Tensor:
    """Return 200 words of a refrain that a human wrote (200,)."""
    return torch.tensor((words().known(REFRAIN) * LENGTH)[:LENGTH])


def start() -> tuple[int, ...]:
    """Return how every text begins."""
    return words().known("alice was")


def written(key: GreenList | None, n: int, *role: str | int, model: Trigrams | None = None) -> Tensor:
    """Return `n` words (n,) of the model, with a key's green list or without."""
    favour = None if key is None else key.favour(len(words()))
    return write(model or writer(), start(), n, favour=favour, seed=seed_of(*role))


def paraphrased(text: Tensor, share: float, seed: int) -> Tensor:
    """Replace a random share of a text's words by what the model puts there without a key."""
    draw = torch.Generator().manual_seed(seed)
    out = text.clone()
    for i in (torch.rand(len(text), generator=draw) < share).nonzero().flatten().tolist():
        before, last = (int(out[i - 2]), int(out[i - 1])) if i >= 2 else start()
        out[i] = torch.multinomial(writer().probabilities(before, last), 1, generator=draw)
    return out


def surprise(text: Tensor) -> float:
    """Return how surprised the model is by a word of a text, on average, in natural logarithms."""
    row = [*start(), *text.tolist()]
    places = zip(row, row[1:], row[2:], strict=False)
    logs = [writer().probabilities(a, b)[c].log() for a, b, c in places]
    return rounded(float(torch.stack(logs).mean().neg()))


def forged(seen: Tensor, seed: int) -> Tensor:
    """Return a text (200,) that is written without the key by one who has read `seen` (M,) marked words: it
    prefers, after each word, what follows there more often than the model itself would write.
    """
    follows: Counter[tuple[int, int]] = Counter(zip(seen.tolist(), seen[1:].tolist(), strict=False))
    total = Counter(seen.tolist())

    def favour(last: int) -> Tensor:
        lift = torch.zeros(len(words()))
        expected = writer().after_one.get(last, Counter())
        for word, n in expected.items():
            usual = n / expected.total()
            found = follows[last, word] / max(total[last], 1)
            lift[word] = 3.0 if found > usual else 0.0
        return lift

    return write(writer(), start(), LENGTH, favour=favour, seed=seed)


def _found(texts: list[Tensor], key: GreenList) -> Row:
    p = [key.count(text).p_value for text in texts]
    return {"texts": len(texts), "p": [float(f"{value:.1e}") for value in p], **_below("found", p)}


def _below(what: str, p: list[float]) -> Row:
    """Count the p-values at or below each level."""
    every = torch.tensor(p, dtype=torch.float64)
    return {f"{what}_at_{level}": int((every <= level).sum()) for level in LEVELS}


def _texts(cell: Cell) -> Row:
    """Write with the green list and without, more and less pulled, and judge 200 words of each."""
    seed = cell["seed"]
    rows = []
    for bias in (0.0, *BIASES):
        key = GreenList(seed_of("green list", seed), bias=bias)
        texts = [written(key if bias else None, LENGTH, "text", seed, str(bias), i) for i in range(TEXTS)]
        surprises = [surprise(text) for text in texts[:3]]
        mean = rounded(sum(surprises) / len(surprises))
        rows.append({"bias": bias, "surprise": mean, **_found(texts, key)})
    return {"rows": rows}


def _innocent(cell: Cell) -> Row:
    """Ask many keys about human prose and about a refrain, with each pair counted once and as it stands."""
    seed = cell["seed"]
    rows = []
    for subject, texts, n_keys in (
        ("prose", human(), HUMAN_KEYS),
        ("refrain", refrain()[None], REFRAIN_KEYS),
    ):
        for once in (True, False):
            keys = [GreenList(seed_of("innocent", seed, i)) for i in range(n_keys)]
            p = [key.count(text, once=once).p_value for text in texts for key in keys]
            rows.append({"text": subject, "once": once, "claims": len(p), **_below("accused", p)})
    return {"rows": rows}


def _attacks(cell: Cell) -> Row:
    """Wash the mark off, forge it, and look for it in models that the text came from or went into."""
    seed = cell["seed"]
    key = GreenList(seed_of("green list", seed))
    texts = [written(key, LENGTH, "attacked", seed, i) for i in range(TEXTS)]
    rows = [{"attack": "none", **_found(texts, key)}]
    for share in REPLACED:
        changed = [paraphrased(text, share, seed_of("paraphrase", seed, i)) for i, text in enumerate(texts)]
        rows.append({"attack": f"paraphrase {share:g}", **_found(changed, key)})
    mixed = [torch.cat([text[: LENGTH // 4], human()[i][LENGTH // 4 :]]) for i, text in enumerate(texts)]
    rows.append({"attack": "a quarter is marked", **_found(mixed, key)})
    seen = written(key, SEEN, "seen", seed)
    forgeries = [forged(seen, seed_of("forged", seed, i)) for i in range(TEXTS)]
    rows.append({"attack": "forged without the key", **_found(forgeries, key)})
    # the thief has the weights and runs them without the list; a student has learnt from what was written
    stolen = [written(None, LENGTH, "stolen", seed, i) for i in range(TEXTS)]
    rows.append({"attack": "stolen model", **_found(stolen, key)})
    for name, text in {"marked": seen, "unmarked": written(None, SEEN, "unseen", seed)}.items():
        student = trigrams(text, len(words()))
        said = [written(None, LENGTH, "student", seed, i, model=student) for i in range(TEXTS)]
        rows.append({"attack": f"student of {name} text", **_found(said, key)})
    return {"rows": rows}


_MEASURES = {"texts": _texts, "innocent": _innocent, "attacks": _attacks}


def _measure(cell: Cell, recipe: object) -> Row:
    return _MEASURES[cell["subject"]](cell)


def inner(results: Results, subject: str, **fixed: object) -> list[Row]:
    """Return the inner rows of a subject that have all the values named."""
    rows = [row for cell in results.where(subject=subject) for row in cell["rows"]]
    return [row for row in rows if fixed.items() <= row.items()]


def _summary(results: Results) -> list[Comparison]:
    lines = []
    for bias in (0.0, *BIASES):
        rows = inner(results, "texts", bias=bias)
        says = f"{sum(values(rows, 'found_at_0.001'))} of {sum(values(rows, 'texts'))}"
        lines.append(Comparison(f"found at .001 in 200 words, bias {bias:g}", "", says))
    for text in ("prose", "refrain"):
        for once in (True, False):
            rows = inner(results, "innocent", text=text, once=once)
            says = f"{sum(values(rows, 'accused_at_0.001')):,} of {sum(values(rows, 'claims')):,}"
            how = "each pair once" if once else "each pair as often as it stands"
            lines.append(Comparison(f"{text} accused at .001, {how}", "", says))
    for attack in dict.fromkeys(values(inner(results, "attacks"), "attack")):
        rows = inner(results, "attacks", attack=attack)
        says = f"{sum(values(rows, 'found_at_0.001'))} of {sum(values(rows, 'texts'))}"
        lines.append(Comparison(f"found at .001, {attack}", "", says))
    return lines


GREEN_LIST = Experiment(
    name="green-list",
    question="Can one tell what a language model wrote, and whom does the count accuse?",
    minutes=3,
    chapter="14 Words",
    cells=tuple({"subject": subject, "seed": seed} for subject in _MEASURES for seed in range(N_SEEDS)),
    measure=_measure,
    summary=_summary,
)
