"""The exercises of notebook 10: reference, cases, named mistakes, hints; and its quiz."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from scipy.stats import binom, norm
from torch import Tensor

from ...ownership import Commitment, Identity, commitment
from ..exercises import Cases, Exercise, Mistake, Symptom
from ..quizzes import Option, Question


def lines(rule: str, chance: float, alpha: float, sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Return (triggers, hits needed) for each size, by the rule "exact", "one less" or "bell curve"."""

    def line(n: int) -> int:
        if rule == "bell curve":
            return int(n * chance + norm.isf(alpha) * (n * chance * (1 - chance)) ** 0.5) + 1
        return int(binom.isf(alpha, n, chance)) + (rule == "exact")

    return [(n, line(n)) for n in sizes]


def leaves(owner: Identity, promise: Commitment) -> list[bytes]:
    """Return the hash of each seed of an owner's promise, with its number and its owner."""
    return commitment.leaves(owner.public, commitment.seeds(owner, "adi2018", promise.serial, promise.n))


def broken(lines: Sequence[tuple[int, int]], chance: float, alpha: float) -> int:
    """Count the lines (n, hits) that an innocent network reaches with probability alpha or more."""
    return int(sum(binom.sf(hits - 1, n, chance) >= alpha for n, hits in lines))


def holm(p: Tensor, alpha: float) -> Tensor:
    """Return which of the claims (m,) stand, when any false one may stand with probability alpha at most."""
    stand = torch.zeros(len(p), dtype=torch.bool)
    for rank, i in enumerate(p.argsort()):
        if p[i] >= alpha / (len(p) - rank):
            break
        stand[i] = True
    return stand


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the hash over all leaves (a power of two): neighbours hashed in pairs, level by level."""
    return _tree(leaves)


def _lines(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)
    sizes = torch.randint(12, 90, (4,), generator=gen).tolist()
    rules = ("exact", "one less", "bell curve")
    exact, less, bell = (lines(rule, 0.1, 1e-3, [10, 20, *sizes]) for rule in rules)
    return {
        "one rule at a time": [(exact, 0.1, 1e-3), (less, 0.1, 1e-3), (bell, 0.1, 1e-3)],
        "rules mixed": [
            ([*less[:4], *exact], 0.1, 1e-3),
            ([*exact, *bell[:2]], 0.1, 1e-3),
            ([(10, 9), (100, 15)], 0.1, 0.05),
            ([(2, 2), (10, 6)], 0.1, 1e-3),
            ([(100, 60), (100, 70)], 0.1, 1e-40),
        ],
    }


def _claims(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)
    p = torch.rand(8, generator=gen) ** 4
    return {
        "claims that pass": [(torch.tensor([0.02, 0.0004, 0.03, 0.012]), 0.05), (p, 0.05)],
        "a claim that fails first": [
            (torch.tensor([0.04, 0.02, 0.021]), 0.05),
            (torch.tensor([0.5, 0.005, 0.03, 0.012, 0.02, 0.04]), 0.05),
        ],
    }


def _leaves(seed: int) -> Cases:
    def some(name: str, n: int) -> list[bytes]:
        return [hashlib.sha256(f"{seed} {name} {i}".encode()).digest() for i in range(n)]

    return {
        "two and four leaves": [(some("two", 2),), (some("four", 4),)],
        "many leaves": [(some("many", 16),)],
    }


def _tree(row: Sequence[bytes], mark: bytes = b"\1", *, turned: bool = False) -> bytes:
    while len(row) > 1:
        left, right = (row[1::2], row[::2]) if turned else (row[::2], row[1::2])
        row = [hashlib.sha256(mark + a + b).digest() for a, b in zip(left, right, strict=True)]
    return row[0]


def _chain(leaves: Sequence[bytes]) -> bytes:
    digest = leaves[0]
    for leaf in leaves[1:]:
        digest = hashlib.sha256(b"\1" + digest + leaf).digest()
    return digest


def _each_by_itself(p: Tensor, alpha: float) -> Tensor:
    stand = torch.zeros(len(p), dtype=torch.bool)
    for rank, i in enumerate(p.argsort()):
        stand[i] = p[i] < alpha / (len(p) - rank)
    return stand


def _from_the_top(p: Tensor, alpha: float) -> Tensor:
    passed = _each_by_itself(p, alpha)
    return p <= p[passed].max() if passed.any() else passed


EXERCISES = {
    "10.1": Exercise(
        id="10.1",
        title="Lines that break their promise",
        difficulty=2,
        importance=4,
        minutes=8,
        returns="one number",
        reference=broken,
        cases=_lines,
        mistakes=(
            Mistake(
                "off-by-one",
                "You make the library's mistake: binom.sf(h) is P(more than h). Who reaches the line has h"
                " hits or more: sf(h - 1).",
                lambda lines, chance, alpha: sum(binom.sf(h, n, chance) >= alpha for n, h in lines),
            ),
            Mistake(
                "point-probability",
                "You ask how often an innocent network lands on the line. It is also convicted with more: sum"
                " the tail.",
                lambda lines, chance, alpha: sum(binom.pmf(h, n, chance) >= alpha for n, h in lines),
            ),
            Mistake(
                "keeps",
                "You count the lines that keep their promise. Count those that break it.",
                lambda lines, chance, alpha: sum(binom.sf(h - 1, n, chance) < alpha for n, h in lines),
            ),
            Mistake(
                "bell-curve",
                "You judge one approximation by another: the bell curve's tail is too thin for small keys."
                " Take the binomial's.",
                lambda lines, chance, alpha: sum(
                    norm.sf(h, n * chance, (n * chance * (1 - chance)) ** 0.5) >= alpha for n, h in lines
                ),
            ),
            Mistake(
                "one-minus-cdf",
                "1 - cdf is 0 as soon as the tail is below 1e-16, so at a strict level a broken line "
                "looks safe. Take binom.sf.",
                lambda lines, chance, alpha: sum(1 - binom.cdf(h - 1, n, chance) >= alpha for n, h in lines),
            ),
            Mistake(
                "forgets-the-last",
                "Your sum ends before n. An innocent network can hit every trigger, "
                "and that belongs to the tail: range(hits, n + 1).",
                lambda lines, chance, alpha: sum(
                    binom.sf(h - 1, n, chance) - chance**n >= alpha for n, h in lines
                ),
            ),
        ),
        hints=(
            "A network with exactly as many hits as the line asks for: is it convicted?",
            (
                "For each line, compute the probability that an innocent network has that many hits or "
                "more. Where it is alpha or more, the line breaks its promise. Count these lines."
            ),
            (
                "The probability of reaching a line is `binom.sf(hits - 1, n, chance)`. "
                "It breaks the promise where this is `>= alpha`."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 0 in the example:",
                "`sf(h)` is more than h; a bell curve's tail is too thin. The line (10, "
                "5) is reached with 0.0016: five hits or more.",
            ),
            Symptom(
                "You get 2 in the example:",
                "you count the lines that keep their promise.",
            ),
            Symptom(
                "You get the probabilities:",
                "asked for is how many of them are alpha or more.",
            ),
        ),
        why=(
            "A level is a promise to the innocent. Whether a rule keeps it can be computed exactly, before"
            " anybody is accused."
        ),
    ),
    "10.2": Exercise(
        id="10.2",
        title="Twenty suspects, one level",
        difficulty=3,
        importance=5,
        minutes=12,
        returns="a truth value for each claim",
        reference=holm,
        cases=_claims,
        mistakes=(
            Mistake(
                "uncorrected",
                "You give each claim the whole level. With twenty suspects luck has twenty tries.",
                lambda p, alpha: p < alpha,
            ),
            Mistake(
                "bonferroni",
                "You compare all with alpha / m (Bonferroni): safe, but too strict. The second smallest may"
                " have alpha / (m - 1).",
                lambda p, alpha: p < alpha / len(p),
            ),
            Mistake(
                "does-not-stop",
                "You go on after a failure. The first claim that fails stops all larger ones: break.",
                _each_by_itself,
            ),
            Mistake(
                "from-the-top",
                "You start with the largest: Hochberg's way, which independent claims allow. Holm starts with"
                " the smallest.",
                _from_the_top,
            ),
            Mistake(
                "sorted",
                "Your answers are in the order of the p-values. Give them in the order of the claims.",
                lambda p, alpha: holm(p, alpha)[p.argsort()],
            ),
        ),
        hints=(
            "If the smallest p-value of m claims convicts its suspect, how many chances has luck left?",
            (
                "Start with all False. Go through the claims from the smallest p-value up. "
                "The first must be below alpha / m, the next below alpha / (m - 1), and so on. "
                "The first that fails stops it all. Each answer stands at its own claim's place."
            ),
            (
                "`for rank, i in enumerate(p.argsort())` gives the rank and the claim. "
                "The one that is too large is `p[i] >= alpha / (len(p) - rank)`."
            ),
        ),
        symptoms=(
            Symptom(
                "Only two of the first example's four stand:",
                "you compare all with alpha / m. The second smallest may have alpha / (m - 1).",
            ),
            Symptom(
                "All three of the second example stand:",
                "you give each the whole level, or you began with the largest. "
                "Begin with the smallest, and share the level.",
            ),
            Symptom(
                "You get [True, False, True] in the second example:",
                "the smallest fails, and you go on. A failure stops all larger ones: `break`.",
            ),
        ),
        why=(
            "Any false conviction at all, in the whole case, now has probability alpha at most, however the"
            " claims depend on each other."
        ),
    ),
    "10.3": Exercise(
        id="10.3",
        title="One hash for 128 seeds",
        difficulty=3,
        importance=4,
        minutes=10,
        returns="the root, 32 bytes",
        reference=root,
        cases=_leaves,
        mistakes=(
            Mistake(
                "no-mark",
                'Put b"\\1" before each pair. Without it, somebody could pass off a pair of hashes as a'
                " trigger.",
                lambda leaves: _tree(leaves, b""),
            ),
            Mistake(
                "turned",
                "Your pairs are the wrong way round: the left neighbour goes first.",
                lambda leaves: _tree(leaves, turned=True),
            ),
            Mistake(
                "chain",
                "That is a chain: to show one seed takes the hashes of all others. Pair neighbours, level"
                " by level.",
                _chain,
            ),
            Mistake(
                "flat",
                "You hash all leaves at once. That binds them too, but a single seed could not be shown"
                " without all other hashes.",
                lambda leaves: hashlib.sha256(b"\1" + b"".join(leaves)).digest(),
            ),
        ),
        hints=(
            "Sixteen leaves make eight pairs, and then? How many rounds until one hash is left?",
            (
                "Hash the leaves in pairs of neighbours, the byte 1 before each pair. "
                "That gives a row half as long. Do the same with it, until the row holds one hash, "
                "and return that."
            ),
            (
                "`zip(row[::2], row[1::2])` gives the pairs, and a node is "
                '`hashlib.sha256(b"\\1" + left + right).digest()`. Go on while the row is longer than 1.'
            ),
        ),
        symptoms=(
            Symptom(
                'TypeError, can only concatenate str (not "bytes") to str:',
                '`"\\1"` is text. The mark is a byte: `b"\\1"`.',
            ),
            Symptom(
                "TypeError, can't concat _hashlib.HASH to bytes:",
                "`sha256(…)` is a machine. Its hash comes with `.digest()`.",
            ),
            Symptom(
                "TypeError, can't concat str to bytes:",
                "`hexdigest` writes the hash as text. Take `.digest()`, 32 bytes.",
            ),
            Symptom(
                "The check says that you change what you are given:",
                "`pop` empties the list of leaves. Start with `row = list(leaves)`.",
            ),
        ),
        why=(
            "To show one of 128 leaves takes seven neighbours. The other seeds stay secret, for another"
            " dispute."
        ),
    ),
}

QUIZ = (
    Question(
        "“My key matches 100 of 100, p below one in a googol.” What do you ask first?",
        (
            Option(
                "“When did you commit to it?”",
                "Yes. The formula holds for labels that were fixed before anybody asked the network.",
            ),
            Option(
                "“How many more triggers have you?”",
                "A forger has as many as you like, and all of them match.",
            ),
            Option(
                "“Was p corrected for many suspects?”",
                "A factor of a thousand is nothing to a googol. If the labels came after the answers, "
                "no correction helps.",
            ),
            Option(
                "“Does any other network match?”",
                "Good to know. But a forger can pick pictures to which only this network answers so.",
            ),
        ),
    ),
    Question(
        "What does a public registry of commitments and releases show by itself?",
        (
            Option(
                "In which order its entries came.",
                "Yes. Who had the network before its release, or the key before its entry, it can't know.",
            ),
            Option(
                "Who trained the network.",
                "Whoever had it early enough can have put a mark of his own into it.",
            ),
            Option(
                "On which day a key was made.",
                "A key may be older than its entry, and the entries have an order, not a clock.",
            ),
            Option(
                "Which person a key belongs to.",
                "That a public key is somebody's must be shown by other means.",
            ),
        ),
    ),
    Question(
        "Ada's mark is in Mallory's network, and Mallory's isn't in Ada's. Both promised before they "
        "released, and she released first. What follows?",
        (
            Option(
                "His network was made from hers.",
                "Yes. A thief can mark his copy, but not her original.",
            ),
            Option(
                "Nothing: each of them can show a mark.",
                "Compare the networks: one holds both marks, the other only one.",
            ),
            Option(
                "The one with more hits wins.",
                "Hits say how much is left, and a fresh mark may well have more than a worn one.",
            ),
            Option(
                "Mallory stole it.",
                "How he came by it is another case. The marks show only what it was made from.",
            ),
        ),
    ),
)
