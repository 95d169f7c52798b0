"""The exercises of notebook 10: reference, cases, named mistakes, hints; and its quiz."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

from ..exercises import Cases, Exercise, Mistake, Solution, Symptom
from ..quizzes import Option, Question


def climb(leaf: bytes, index: int, siblings: Sequence[bytes]) -> bytes:
    """Return the root to which the leaf hash number `index` and its siblings lead, the lowest first."""
    node = leaf
    for sibling in siblings:
        left, right = (sibling, node) if index % 2 else (node, sibling)
        node = hashlib.sha256(b"\1" + left + right).digest()
        index //= 2
    return node


def grind(labels: Tensor, mine: Tensor, judges: Tensor, enough: int, n: int) -> tuple[Tensor, int]:
    """Return the first `n` seeds whose label at least `enough` of `mine` give and none of the `judges`, and
    how many seeds were tried.

    labels (N,); mine (K, N) and judges (J, N) are the networks' answers.
    """
    good = ((mine == labels).sum(0) >= enough) & ~(judges == labels).any(0)
    kept = good.nonzero().flatten()[:n]
    return kept, int(kept[-1]) + 1


def holm(p: Tensor, alpha: float) -> Tensor:
    """Return which of the claims (m,) stand, when any false one may stand with probability alpha at most."""
    stand = torch.zeros(len(p), dtype=torch.bool)
    for rank, i in enumerate(p.argsort()):
        if p[i] >= alpha / (len(p) - rank):
            break
        stand[i] = True
    return stand


def _claims(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)
    draw = torch.rand(6, generator=gen)
    # only its own level would pass the first; two more pass, and come later; the others are far from it
    p = torch.cat([torch.tensor([0.045]), 0.2 + 0.7 * draw[:3], 0.005 * draw[3:5], 0.2 + 0.7 * draw[5:]])
    return {
        "claims that pass": [(torch.tensor([0.02, 0.0004, 0.03, 0.012]), 0.05), (p, 0.05)],
        "a claim that fails first": [
            (torch.tensor([0.04, 0.02, 0.021]), 0.05),
            (torch.tensor([0.5, 0.005, 0.03, 0.012, 0.02, 0.04]), 0.05),
        ],
    }


def _openings(seed: int) -> Cases:
    def some(name: str, n: int) -> list[bytes]:
        return [hashlib.sha256(f"{seed} {name} {i}".encode()).digest() for i in range(n)]

    return {
        "one and two steps": [
            (*some("leaf", 1), 0, some("a", 1)),
            (*some("other leaf", 1), 1, some("b", 1)),
            (*some("third leaf", 1), 2, some("c", 2)),
        ],
        "a whole way": [
            (*some("far", 1), 77, some("d", 7)),
            (*some("farther", 1), 38, some("e", 6)),
        ],
    }


def _pools(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def pool(size: int, k: int, j: int) -> tuple[Tensor, Tensor, Tensor]:
        draw = torch.randint(3, (1 + k + j, size), generator=gen)
        return draw[0], draw[1 : 1 + k], draw[1 + k :]

    return {
        "without a judge": [(*pool(80, 3, 0), 2, 4), (*pool(120, 4, 0), 2, 6)],
        "past the judge": [(*pool(300, 4, 2), 2, 15), (*pool(600, 5, 3), 3, 12)],
    }


def _hashed(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def _unmarked(leaf: bytes, index: int, siblings: Sequence[bytes]) -> bytes:
    node = leaf
    for sibling in siblings:
        node = _hashed(*((sibling, node) if index % 2 else (node, sibling)))
        index //= 2
    return node


def _always_left(leaf: bytes, index: int, siblings: Sequence[bytes]) -> bytes:
    node = leaf
    for sibling in siblings:
        node = _hashed(b"\1", node, sibling)
    return node


def _one_side(leaf: bytes, index: int, siblings: Sequence[bytes]) -> bytes:
    node = leaf
    for sibling in siblings:
        node = _hashed(b"\1", *((sibling, node) if index % 2 else (node, sibling)))
    return node


def _turned(leaf: bytes, index: int, siblings: Sequence[bytes]) -> bytes:
    node = leaf
    for sibling in siblings:
        node = _hashed(b"\1", *((node, sibling) if index % 2 else (sibling, node)))
        index //= 2
    return node


def _from_above(leaf: bytes, index: int, siblings: Sequence[bytes]) -> bytes:
    return climb(leaf, index, siblings[::-1])


def _first_step(leaf: bytes, index: int, siblings: Sequence[bytes]) -> bytes:
    return climb(leaf, index, siblings[:1])


def _kept(good: Tensor, n: int) -> tuple[Tensor, int]:
    kept = good.nonzero().flatten()[:n]
    return kept, int(kept[-1]) + 1 if len(kept) else 0


def _sees_no_judge(labels: Tensor, mine: Tensor, judges: Tensor, enough: int, n: int) -> tuple[Tensor, int]:
    return _kept((mine == labels).sum(0) >= enough, n)


def _all_judges(labels: Tensor, mine: Tensor, judges: Tensor, enough: int, n: int) -> tuple[Tensor, int]:
    bad = (judges == labels).all(0) if len(judges) else torch.zeros_like(labels, dtype=torch.bool)
    return _kept(((mine == labels).sum(0) >= enough) & ~bad, n)


def _more_than_enough(
    labels: Tensor, mine: Tensor, judges: Tensor, enough: int, n: int
) -> tuple[Tensor, int]:
    return grind(labels, mine, judges, enough + 1, n)


def _agree_among_themselves(
    labels: Tensor, mine: Tensor, judges: Tensor, enough: int, n: int
) -> tuple[Tensor, int]:
    common = mine.mode(0).values
    good = ((mine == common).sum(0) >= enough) & ~(judges == labels).any(0)
    return _kept(good, n)


def _tries(count: str) -> Solution:
    def wrong(labels: Tensor, mine: Tensor, judges: Tensor, enough: int, n: int) -> tuple[Tensor, int]:
        kept, tried = grind(labels, mine, judges, enough, n)
        return kept, {"last": tried - 1, "kept": len(kept), "all": len(labels)}[count]

    return wrong


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
        title="Up the tree",
        difficulty=3,
        importance=5,
        minutes=10,
        returns="the root, 32 bytes",
        reference=climb,
        cases=_openings,
        mistakes=(
            Mistake(
                "no-mark",
                'Put b"\\1" before each pair. Without it, a pair of hashes could be passed off as a leaf.',
                _unmarked,
            ),
            Mistake(
                "always-left",
                "Your node always goes first. A node whose number is odd is a right one: its sibling goes"
                " first.",
                _always_left,
            ),
            Mistake(
                "one-side",
                "You look at the leaf's number on every level. One level up, the number is halved: index //"
                " 2.",
                _one_side,
            ),
            Mistake(
                "turned",
                "Your sides are exchanged. Number 0 is the left one of its pair: an even node goes first.",
                _turned,
            ),
            Mistake(
                "from-above",
                "You take the siblings from the top. The first is the leaf's own.",
                _from_above,
            ),
            Mistake(
                "first-step",
                "You return after the first step: `return` stands in the loop. Go on to the last sibling.",
                _first_step,
            ),
        ),
        hints=(
            "Leaf 5 is the right one of its pair. Which number has that pair, one level up, and on which"
            " side does it stand?",
            (
                "Start with the leaf. For each sibling, hash the byte 1, the left hash and the right one. "
                "The node is on the left where its number is even. After each step, halve the number "
                "and drop the remainder."
            ),
            (
                '`node = hashlib.sha256(b"\\1" + left + right).digest()`, where `left, right` is '
                "`sibling, node` if `index % 2`, else `node, sibling`; then `index //= 2`."
            ),
        ),
        symptoms=(
            Symptom(
                'TypeError, can only concatenate str (not "bytes") to str:',
                '`"\\1"` is text. The mark is a byte: `b"\\1"`.',
            ),
            Symptom(
                "TypeError, can't concat _hashlib.HASH to bytes:",
                "`sha256(…)` is an object. Its hash comes with `.digest()`.",
            ),
            Symptom(
                "TypeError, can't concat str to bytes:",
                "`hexdigest` writes the hash as text. Take `.digest()`, 32 bytes.",
            ),
            Symptom(
                "The check says that you change what you are given:",
                "`pop` empties the list of siblings. Loop over it instead.",
            ),
        ),
        why=(
            "Seven hashes show that a seed is one of the 128 promised, and at its place. The other 127 stay"
            " secret."
        ),
    ),
    "10.2": Exercise(
        id="10.2",
        title="Grind a key",
        difficulty=4,
        importance=5,
        minutes=15,
        returns="the places of the seeds kept, and how many seeds were tried",
        reference=grind,
        cases=_pools,
        mistakes=(
            Mistake(
                "no-judge",
                "You don't look at the judge's networks. Leave out each seed whose label one of them gives.",
                _sees_no_judge,
            ),
            Mistake(
                "all-judges",
                "You leave out what all of the judge's networks say. One that agrees is enough to raise his"
                " doubts: any.",
                _all_judges,
            ),
            Mistake(
                "more-than-enough",
                "You ask for more than `enough` of your networks. As many are enough: >=.",
                _more_than_enough,
            ),
            Mistake(
                "among-themselves",
                "You keep seeds on which your networks agree with each other. They must agree with the seed's"
                " label.",
                _agree_among_themselves,
            ),
            Mistake(
                "last-place",
                "You return the last seed's place as the number of tries. Places begin with 0: add one.",
                _tries("last"),
            ),
            Mistake(
                "kept-only",
                "You count the seeds that you keep. Those that you threw away were tried as well.",
                _tries("kept"),
            ),
            Mistake(
                "whole-pool",
                "You count the whole pool. Whoever looks at one seed after the other stops at the n-th good"
                " one.",
                _tries("all"),
            ),
        ),
        hints=(
            "For one seed: how many of your networks give its label? And does any of the judge's?",
            (
                "Compare the answers (K, N) with the labels (N,), and count over the networks. Do the same "
                "with the judge's. Keep the places where both conditions hold, the first n of them. "
                "The tries reach up to the last one kept."
            ),
            (
                "`((mine == labels).sum(0) >= enough) & ~(judges == labels).any(0)` is true for the good "
                "seeds; `.nonzero().flatten()[:n]` gives their places, and the tries are the last place + 1."
            ),
        ),
        symptoms=(
            Symptom(
                "You get [0, 2] and 4 in the example:",
                "the tries end with the last seed that you keep, not with the pool: 3.",
            ),
            Symptom(
                "You get [0, 1] and 2 in the example:",
                "the judge's network gives the label of seed 1. Leave it out.",
            ),
            Symptom(
                "RuntimeError, Boolean value of Tensor with more than one value is ambiguous:",
                "Python's `any` asks whole rows whether they are true. Take `.any(0)` of the tensor.",
            ),
        ),
        why=(
            "Nobody trained anything, and no suspect was asked: networks that learnt the same task are alike"
            " enough. What a claimant can choose, he can search for."
        ),
    ),
    "10.3": Exercise(
        id="10.3",
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
}

QUIZ = (
    Question(
        "“Promised before your release; the judge's own networks give 0 of 50; p is 0.00001.” You are"
        " innocent, and accused. What do you ask first?",
        (
            Option(
                "“Who chose the nonce, and when?”",
                "Yes. If nobody drew one after the promise, seeds can be ground on public networks, and past"
                " the judge's.",
            ),
            Option(
                "“How many bystanders has the judge?”",
                "More of them make grinding dearer. Where they are public, they don't end it.",
            ),
            Option(
                "“Is p corrected for many suspects?”",
                "Fair, but a ground key convicts nearly everybody, one by one.",
            ),
            Option(
                "“Is the opening right?”",
                "It will be. The tree shows that these seeds were promised, not how they were found.",
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
