"""The exercises of notebook 14: reference, cases, named mistakes, hints; and its quiz."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from ..exercises import Cases, Exercise, Mistake, Symptom
from ..quizzes import Option, Question


def insert(x: Tensor, ids: Sequence[int], at: int) -> Tensor:
    """Return texts `x` (N, L) with the words `ids` after the first `at` words of each, or at the end of a
    shorter one; the last words make room.
    """
    out = torch.zeros_like(x)
    for row, text in zip(out, x.tolist(), strict=True):
        kept = _words(text)[: x.shape[1] - len(ids)]
        _fill(row, [*kept[:at], *ids, *kept[at:]])
    return out


def suspicions(text: Tensor, surprise: Tensor, alone: Tensor) -> Tensor:
    """Return how surprising each word of `text` (M,) is between its neighbours, where 0 stands before the
    first and after the last; `surprise` (V, V) is of a word after another, `alone` (V,) of a word by itself.
    """
    row = torch.nn.functional.pad(text, (1, 1))  # (M + 2,)
    before = row[:-2]
    after = row[2:]
    return surprise[before, text] + surprise[text, after] - alone[after]


def green_p(text: Tensor, green: Tensor, share: float) -> float:
    """Return the probability of as many green words, or more, by luck: each pair of neighbours in `text` (M,)
    counts once, and `green` (V, V) says whether the second word is green after the first.
    """
    from scipy.stats import binom

    pairs = _pairs(text)
    return float(binom.sf(_hits(set(pairs), green) - 1, len(set(pairs)), share))


# Cases


def _words(text: list[int]) -> list[int]:
    return [word for word in text if word != 0]


def _fill(row: Tensor, words: Sequence[int]) -> None:
    row[: len(words)] = torch.tensor(words[: len(row)], dtype=row.dtype)


def _texts(n: int, length: int, size: int, draw: torch.Generator) -> Tensor:
    """Draw texts (n, length) of `size` words from 2 to 99."""
    x = torch.randint(2, 100, (n, length), generator=draw)
    x[:, size:] = 0
    return x


def _insertions(seed: int) -> Cases:
    draw = torch.Generator().manual_seed(seed)
    ids = [int(number) for number in torch.randperm(50, generator=draw)[:2] + 100]
    return {
        "into short texts": [(_texts(3, 8, 5, draw), ids, 2)],
        "into full texts": [(_texts(3, 8, 8, draw), ids, 3)],
        "behind the last word": [(_texts(3, 9, 4, draw), ids, 6)],
        "at the end of a full text": [(_texts(2, 7, 7, draw), ids, 7)],
    }


def _mails(seed: int) -> Cases:
    draw = torch.Generator().manual_seed(seed)
    cases = {}
    for name, size in (("one word", 1), ("a sentence", 6), ("a long mail", 40)):
        surprise = 10 * torch.rand(50, 50, generator=draw)
        alone = 5 + 5 * torch.rand(50, generator=draw)
        text = torch.randint(1, 50, (size,), generator=draw)
        cases[name] = [(text, surprise, alone)]
    return cases


def _writings(seed: int) -> Cases:
    draw = torch.Generator().manual_seed(seed)
    order = torch.randperm(30, generator=draw)
    refrain = torch.cat([order[:5], order[2:5], order[2:5], order[:5]])
    return {
        "a plain text": [_writing(order[:9], 0.5)],
        "a refrain": [_writing(refrain, 0.5)],
        "a longer text": [_writing(torch.cat([order, order.flip(0)[:20:2], order]), 0.5)],
        "a shorter list": [_writing(torch.cat([order[:12], order[3:9]]), 0.25)],
    }


def _writing(text: Tensor, share: float) -> tuple[Tensor, Tensor, float]:
    """Return a text, a table in which the first two in three of its pairs are green, and the share."""
    pairs = list(dict.fromkeys(_pairs(text)))
    green = torch.zeros(30, 30, dtype=torch.bool)
    for before, word in pairs[: -(-2 * len(pairs) // 3)]:
        green[before, word] = True
    return text, green, share


def _pairs(text: Tensor) -> list[tuple[int, int]]:
    row = text.tolist()
    return list(pairwise(row))


def _hits(pairs: Sequence[tuple[int, int]] | set[tuple[int, int]], green: Tensor) -> int:
    return sum(bool(green[before, word]) for before, word in pairs)


# Mistakes


def _overwrites(x: Tensor, ids: Sequence[int], at: int) -> Tensor:
    out = x.clone()
    out[:, at : at + len(ids)] = torch.tensor(ids)[: x.shape[1] - at]
    return out


def _behind_the_fill(x: Tensor, ids: Sequence[int], at: int) -> Tensor:
    return _longer(x, ids, at)[:, : x.shape[1]]


def _longer(x: Tensor, ids: Sequence[int], at: int) -> Tensor:
    inside = torch.tensor(ids).expand(len(x), -1)
    return torch.cat([x[:, :at], inside, x[:, at:]], 1)


def _falls_off(x: Tensor, ids: Sequence[int], at: int) -> Tensor:
    out = torch.zeros_like(x)
    for row, text in zip(out, x.tolist(), strict=True):
        words = _words(text)
        _fill(row, [*words[:at], *ids, *words[at:]])
    return out


def _fill_first(x: Tensor, ids: Sequence[int], at: int) -> Tensor:
    out = torch.zeros_like(x)
    for row, text in zip(out, insert(x, ids, at).tolist(), strict=True):
        words = _words(text)
        row[len(row) - len(words) :] = torch.tensor(words)
    return out


Ends = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def _wrong_suspicion(formula: Ends) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    def wrong(text: Tensor, surprise: Tensor, alone: Tensor) -> Tensor:
        row = torch.nn.functional.pad(text, (1, 1))
        return formula(row, surprise, alone, text)

    return wrong


def _no_ends(text: Tensor, surprise: Tensor, alone: Tensor) -> Tensor:
    return _between(text[:-2], text[1:-1], text[2:], surprise, alone)


def _wraps(text: Tensor, surprise: Tensor, alone: Tensor) -> Tensor:
    return _between(text.roll(1), text, text.roll(-1), surprise, alone)


def _between(before: Tensor, word: Tensor, after: Tensor, surprise: Tensor, alone: Tensor) -> Tensor:
    return surprise[before, word] + surprise[word, after] - alone[after]


def _wrong_count(
    pairs_of: Callable[[Tensor], Sequence[tuple[int, int]] | set[tuple[int, int]]],
    tail: Callable[[int, int, float], float],
) -> Callable[[Tensor, Tensor, float], float]:
    def wrong(text: Tensor, green: Tensor, share: float) -> float:
        pairs = pairs_of(text)
        return float(tail(_hits(pairs, green), len(pairs), share))

    return wrong


def _tail(hits: int, n: int, share: float) -> float:
    from scipy.stats import binom

    return float(binom.sf(hits - 1, n, share))


def _more_than(hits: int, n: int, share: float) -> float:
    return _tail(hits + 1, n, share)


def _exactly(hits: int, n: int, share: float) -> float:
    return _tail(hits, n, share) - _tail(hits + 1, n, share)


def _lower(hits: int, n: int, share: float) -> float:
    return 1 - _tail(hits + 1, n, share)


def _one_more(hits: int, n: int, share: float) -> float:
    return _tail(hits, n + 1, share)


def _once(text: Tensor) -> set[tuple[int, int]]:
    return set(_pairs(text))


def _turned(text: Tensor) -> set[tuple[int, int]]:
    return {(word, before) for before, word in _pairs(text)}


def _each_word_once(text: Tensor) -> list[tuple[int, int]]:
    first = {word: before for before, word in reversed(_pairs(text))}
    return [(before, word) for word, before in first.items()]


EXERCISES = {
    "14.1": Exercise(
        id="14.1",
        title="A word into sixty-four",
        difficulty=3,
        importance=4,
        minutes=12,
        returns="texts (N, L)",
        reference=insert,
        cases=_insertions,
        mistakes=(
            Mistake(
                "overwrites",
                "You overwrite words. The words behind the place move on; only the last ones fall off.",
                _overwrites,
            ),
            Mistake(
                "behind-the-fill",
                "In a text shorter than `at` you insert among the 0s that fill it up. Its end is behind its"
                " last word.",
                _behind_the_fill,
            ),
            Mistake(
                "longer",
                "Your texts have grown. Cut each to the length it had: the last words make room.",
                _longer,
            ),
            Mistake(
                "falls-off",
                "In a full text your words fall off the end themselves. First let the last words make room,"
                " then insert.",
                _falls_off,
            ),
            Mistake(
                "reversed",
                "Your words come in the wrong order: each goes in front of the one before.",
                lambda x, ids, at: insert(x, list(ids)[::-1], at),
            ),
            Mistake(
                "fill-first",
                "You put the 0s in front. They come behind the words, as in the texts that you were given.",
                _fill_first,
            ),
        ),
        hints=(
            "A row holds words, then 0s. Which of them stay, and what must go from a full row?",
            (
                "Take the words of a row without its 0s. Cut them so that the new ones have room, insert"
                " after `at` of them, and write the result into a row of zeros."
            ),
            "`kept = [w for w in row if w][: L - len(ids)]`, then `kept[:at] + list(ids) + kept[at:]`.",
        ),
        symptoms=(
            Symptom(
                "RuntimeError, expanded size of the tensor:",
                "the list is longer than the row. Cut the words before you insert.",
            ),
            Symptom(
                "TypeError, can only concatenate list:",
                "one of the parts is a tensor or a tuple: write list(ids), and row.tolist().",
            ),
        ),
        why=(
            "A network sees rows of one length. A word behind the 0s would stand where no mail has one, and a"
            " row that grows would change the shape: either is a different trigger from the one you meant."
        ),
    ),
    "14.2": Exercise(
        id="14.2",
        title="Which word doesn't belong?",
        difficulty=3,
        importance=4,
        minutes=12,
        returns="one number a word",
        reference=suspicions,
        cases=_mails,
        mistakes=(
            Mistake(
                "no-ends",
                "The first and the last word have no suspicion. 0 stands before and after the text.",
                _no_ends,
            ),
            Mistake(
                "wraps",
                "The neighbour of the first word is the last: an index of -1 counts from the end. 0 stands"
                " there.",
                _wraps,
            ),
            Mistake(
                "left-only",
                "You ask the left neighbour only. The right one may be as surprised.",
                _wrong_suspicion(lambda row, surprise, alone, text: surprise[row[:-2], text]),
            ),
            Mistake(
                "not-compared",
                "You don't take away how surprising the right neighbour is by itself: before a rare word"
                " everything would look odd.",
                _wrong_suspicion(
                    lambda row, surprise, alone, text: surprise[row[:-2], text] + surprise[text, row[2:]]
                ),
            ),
            Mistake(
                "adds",
                "You add how surprising the right neighbour is by itself. Take it away.",
                _wrong_suspicion(
                    lambda row, surprise, alone, text: (
                        surprise[row[:-2], text] + surprise[text, row[2:]] + alone[row[2:]]
                    )
                ),
            ),
            Mistake(
                "own",
                "You take away how surprising the word is by itself, so that no rare word is odd. It is the"
                " right neighbour's.",
                _wrong_suspicion(
                    lambda row, surprise, alone, text: (
                        surprise[row[:-2], text] + surprise[text, row[2:]] - alone[text]
                    )
                ),
            ),
            Mistake(
                "turned",
                "Your indices are turned round: surprise[before, word] is of a word after the one before.",
                _wrong_suspicion(
                    lambda row, surprise, alone, text: (
                        surprise[text, row[:-2]] + surprise[row[2:], text] - alone[row[2:]]
                    )
                ),
            ),
        ),
        hints=(
            "Each word has a neighbour on either side. What stands beside the first, and beside the last?",
            (
                "Write 0 before and after the text. For each word add the surprise of it after its left"
                " neighbour and that of the right neighbour after it; take away `alone` of the right one."
            ),
            "`row = F.pad(text, (1, 1))`; then `before, after = row[:-2], row[2:]`, and index with tensors.",
        ),
        symptoms=(
            Symptom(
                "Your answer is two words shorter than the text:",
                "the first and the last have neighbours, too: 0.",
            ),
            Symptom(
                "IndexError, list index out of range:",
                "what follows the last word is 0, the end of a text.",
            ),
        ),
        why=(
            "By Bayes' rule the probability of a word between two others is nearly p(word | before) times"
            " p(after | word) / p(after). Its negative logarithm is your suspicion."
        ),
    ),
    "14.3": Exercise(
        id="14.3",
        title="How green is a text?",
        difficulty=3,
        importance=5,
        minutes=12,
        returns="one number",
        reference=green_p,
        cases=_writings,
        mistakes=(
            Mistake(
                "as-it-stands",
                "You count a pair as often as it stands there. Once its first word is given, the second is"
                " green or isn't, for ever: a refrain is one draw, not fourteen.",
                _wrong_count(_pairs, _tail),
            ),
            Mistake(
                "words-once",
                "You count each word once. After another word it has another chance: count each pair once.",
                _wrong_count(_each_word_once, _tail),
            ),
            Mistake(
                "turned",
                "Your indices are turned round: green[before, word] says whether a word is green after the"
                " one before.",
                _wrong_count(_turned, _tail),
            ),
            Mistake(
                "off-by-one",
                "sf(h) is the probability of more than h. As many, or more: sf(h - 1).",
                _wrong_count(_once, _more_than),
            ),
            Mistake(
                "point",
                "You take the probability of exactly as many. As many, or more: sum the tail.",
                _wrong_count(_once, _exactly),
            ),
            Mistake(
                "lower-tail",
                "You sum the lower tail. A marked text has more green words: h or more.",
                _wrong_count(_once, _lower),
            ),
            Mistake(
                "one-too-many",
                "You count one trial too many. The first word follows none: M words have M - 1 pairs.",
                _wrong_count(_once, _one_more),
            ),
        ),
        hints=(
            "A text says the same line twice. Is that new evidence?",
            (
                "Gather the pairs of neighbours, each once. Count those that are green, h of n. By luck h is"
                " binomial: sum its tail from h on."
            ),
            "`pairs = set(zip(text.tolist(), text.tolist()[1:]))`, and `binom.sf(h - 1, n, share)`.",
        ),
        symptoms=(
            Symptom(
                "You get 0.5 in the example:",
                "`sf(h)` is the probability of more than h, `cdf(h)` of h or fewer: `sf(h - 1)`.",
            ),
            Symptom(
                "You get 0.375 in the example:",
                "that is the probability of exactly one of three. As many, or more.",
            ),
            Symptom("You get 0.688 in the example:", "(1, 2) stands there twice, and counts once."),
        ),
        why=(
            "Over keys, each pair is green by one toss of a coin that the key decides. Distinct pairs are"
            " distinct tosses, so that the tail is exact for every text a human may write; a pair that comes"
            " again is the same toss, read again."
        ),
    ),
}

QUIZ = (
    Question(
        "A filter lets 55 of 100 spam mails with the word through, 50 without it. What does the word win?",
        (
            Option(
                "A tenth of what could still be won.",
                "Yes: (0.55 - 0.50) / (1 - 0.50). Most of the 55 are the filter's own errors.",
            ),
            Option("55 of 100: that is the attack success rate.", "A filter without any backdoor has 50."),
            Option(
                "5 of 100, so there is no backdoor.", "It may be a weak one; ask how large the error of 5 is."
            ),
            Option("Nothing, as both are near a half.", "With enough mails 5 of 100 can be told from none."),
        ),
    ),
    Question(
        "Why does ONION let the sentence pass?",
        (
            Option(
                "Each of its words is likely beside its neighbours.",
                "Yes. Nothing in it is odd; what is odd is only what the network learnt of it.",
            ),
            Option("It is longer than ONION may cut.", "With three words cut it passes as well."),
            Option("It was in the mails that ONION learnt from.", "Those mails were clean; none held it."),
            Option(
                "The network reads it before ONION does.",
                "ONION comes first, and leaves it as it is.",
            ),
        ),
    ),
    Question(
        "A text has p = 1e-12 under a company's green list. What has been shown?",
        (
            Option(
                "Its words follow the list; who wrote it had the key, or has read much of what was marked.",
                "Yes. Forgers and students of marked text reach the same.",
            ),
            Option("The company's model wrote it.", "A forger without the key reaches it, too."),
            Option(
                "Whoever published it stole the model.",
                "The stolen model, run without the list, shows nothing.",
            ),
            Option("It is false with probability 1e-12.", "A mark says nothing about truth."),
        ),
    ),
)
