"""The exercises of notebook 07: reference, cases, named mistakes, hints; and its quiz."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from scipy.stats import binom, norm
from torch import Tensor

from ...watermarks import secret as draw
from ..exercises import Cases, Exercise, Mistake, Symptom
from ..quizzes import Option, Question

Ask = Callable[[Tensor], Tensor]
"""A network that can only be asked: images (N, 1, 28, 28) in, labels (N,) out."""
Key = tuple[Tensor, Tensor]
"""Images and the labels that a marked network gives them."""
DrawKey = Callable[[int], Key]
"""Draw the key of secret number 1, 2, 3, …, by a recipe that everybody knows."""


def stamp(x: Tensor, secret: bytes) -> Tensor:
    """Return new images with one patch of 5 x 5 black and white pixels; the secret says where, and which."""
    top, left = (1 + int(draw.integers(secret, name, 1, 22)) for name in ("row", "column"))
    patch = draw.uniform(secret, "patch", 1, 5, 5) < 0.5
    out = x.clone()
    out[..., top : top + 5, left : left + 5] = patch.to(x)
    return out


def hits_needed(trials: int, chance: float, alpha: float) -> int:
    """Return the fewest hits that an innocent network reaches with probability `alpha` at most."""
    return next(hits for hits in range(trials + 2) if binom.sf(hits - 1, trials, chance) <= alpha)


def innocents(draw_key: DrawKey, networks: Sequence[Ask], n: int) -> Tensor:
    """Return the hits of the keys 1 … n on each of the networks, none of which saw a mark: (n, networks)."""
    hits = torch.zeros(n, len(networks))
    for i in range(n):
        x, y = draw_key(i + 1)
        for j, network in enumerate(networks):
            hits[i, j] = (network(x) == y).sum()
    return hits


def decoy_test(suspect: Ask, x: Tensor, y: Tensor, draw_key: DrawKey, n: int) -> tuple[float, Tensor]:
    """Return the p-value of the owner's key, `x` and `y`, among the keys 1 … n, and the hits of those (n,).

    All are asked of the suspect. p is the share of the n + 1 keys, the owner's own among them, that score at
    least as high as the owner's.
    """
    mine = _hits(suspect, (x, y))
    decoys = torch.tensor([_hits(suspect, draw_key(i + 1)) for i in range(n)])
    return (1 + int((decoys >= mine).sum())) / (n + 1), decoys


def _hits(network: Ask, key: Key) -> int:
    x, y = key
    return int((network(x) == y).sum())


def _images(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def few(number: int) -> tuple[Tensor, bytes]:
        x = torch.rand(3, 1, 28, 28, generator=gen)
        secrets = (draw.secret_of(100 * seed + number + 10 * i, None) for i in range(10))
        return x, next(secret for secret in secrets if _off_the_diagonal(secret))

    return {"some secrets": [few(1), few(2)], "other secrets": [few(3), few(4)]}


def _off_the_diagonal(secret: bytes) -> bool:
    """Say whether row and column differ, so that one can't be taken for the other."""
    return not draw.integers(secret, "row", 1, 22).equal(draw.integers(secret, "column", 1, 22))


def _put(x: Tensor, secret: bytes, purposes: tuple[str, str], margin: int) -> Tensor:
    top, left = (margin + int(draw.integers(secret, name, 1, 22)) for name in purposes)
    out = x.clone()
    out[..., top : top + 5, left : left + 5] = (draw.uniform(secret, "patch", 1, 5, 5) < 0.5).to(x)
    return out


def _grey(x: Tensor, secret: bytes) -> Tensor:
    return _covered(x, secret, lambda under, patch: patch)


def _inverted(x: Tensor, secret: bytes) -> Tensor:
    return _covered(x, secret, lambda under, patch: (patch >= 0.5).to(under))


def _added(x: Tensor, secret: bytes) -> Tensor:
    return _covered(x, secret, lambda under, patch: (under + (patch < 0.5)).clamp(0, 1))


def _covered(x: Tensor, secret: bytes, mix: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    top, left = (1 + int(draw.integers(secret, name, 1, 22)) for name in ("row", "column"))
    out = x.clone()
    under = out[..., top : top + 5, left : left + 5]
    under[:] = mix(under, draw.uniform(secret, "patch", 1, 5, 5).to(x))
    return out


def _first_rare(trials: int, chance: float, alpha: float) -> int:
    counts = range(round(trials * chance), trials + 2)
    return next(hits for hits in counts if binom.pmf(hits, trials, chance) < alpha)


def _courts(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)
    n, m = (int(k) for k in torch.randint(30, 90, (2,), generator=gen))
    while _first_rare(n, 0.1, 1e-3) == hits_needed(n, 0.1, 1e-3):  # such an n would not tell them apart
        n = int(torch.randint(30, 90, (), generator=gen))
    strict = (100, 0.1, 1e-20)  # which 1 - cdf can't express
    return {
        "ten in a hundred": [(100, 0.1, 1e-3), (10, 0.1, 1e-3), (n, 0.1, 1e-3)],
        "other chances and levels": [(m, 1 / 43, 1e-6), (50, 0.3, 0.05), (2, 0.5, 1e-3), strict],
    }


# Small keys, and networks that answer like those of the lesson, but at once


@dataclass(frozen=True)
class _Network:
    """Reads nine pixels, and knows five classes."""

    seed: int

    def __call__(self, x: Tensor) -> Tensor:
        weights = torch.randn(9, 5, generator=torch.Generator().manual_seed(self.seed))
        pixels = x[..., :3, :3].flatten(1) - 0.5  # centred, or some networks would give one answer to all
        return (pixels @ weights).argmax(1)


@dataclass(frozen=True)
class _Recipe:
    """Draws keys of `size` images with random labels."""

    seed: int
    size: int

    def __call__(self, number: int) -> Key:
        gen = torch.Generator().manual_seed(1000 * self.seed + number)
        return torch.rand(self.size, 1, 28, 28, generator=gen), torch.randint(5, (self.size,), generator=gen)


def _crowds(seed: int) -> Cases:
    def crowd(networks: int, keys: int, size: int) -> tuple[DrawKey, list[Ask], int]:
        return _Recipe(seed + 1, size), [_Network(10 * seed + j) for j in range(networks)], keys

    return {"a few networks": [crowd(3, 5, 20), crowd(4, 4, 30)], "one network": [crowd(1, 6, 25)]}


def _suspects(seed: int) -> Cases:
    def trial(network: int, size: int, n: int) -> tuple[Ask, Tensor, Tensor, DrawKey, int]:
        draw_key = _Recipe(seed + 1, size)
        key = draw_key(500)
        networks = (_Network(1000 * seed + 10 * i + network) for i in range(100))
        # with no hit at all, p is 1 however the owner's key is counted
        suspect = next(network for network in networks if _hits(network, key) >= 2)
        return suspect, *key, draw_key, n

    suspect = _Network(10 * seed + 3)
    x, _ = _Recipe(seed + 1, 6)(500)
    return {
        "innocent suspects": [trial(1, 8, 39), trial(2, 7, 60)],
        "a marked suspect": [(suspect, x, suspect(x), _Recipe(seed + 1, 6), 49)],
    }


def _a_new_key_each_time(draw_key: DrawKey, networks: Sequence[Ask], n: int) -> Tensor:
    m = len(networks)
    hits = [_hits(networks[i % m], draw_key(i + 1)) for i in range(n * m)]
    return torch.tensor(hits).reshape(n, m)


def _one_key(draw_key: DrawKey, networks: Sequence[Ask], n: int) -> Tensor:
    return innocents(lambda number: draw_key(1), networks, n)


def _labels_of_the_first(draw_key: DrawKey, networks: Sequence[Ask], n: int) -> Tensor:
    return innocents(lambda number: (draw_key(number)[0], draw_key(1)[1]), networks, n)


def _shares_of_hits(draw_key: DrawKey, networks: Sequence[Ask], n: int) -> Tensor:
    return innocents(draw_key, networks, n) / len(draw_key(1)[1])


def _agreement(draw_key: DrawKey, networks: Sequence[Ask], n: int) -> Tensor:
    """Count where a network agrees with the first one, instead of with the key."""

    def as_said(number: int) -> Key:
        x, _ = draw_key(number)
        return x, networks[0](x)

    return innocents(as_said, networks, n)


def _own_key_counted(above: int, below: int) -> Callable[..., tuple[float, Tensor]]:
    """Count the owner's own key, or don't, above and below the line of the fraction."""

    def test(suspect: Ask, x: Tensor, y: Tensor, draw_key: DrawKey, n: int) -> tuple[float, Tensor]:
        _, decoys = decoy_test(suspect, x, y, draw_key, n)
        as_high = int((decoys >= _hits(suspect, (x, y))).sum())
        return (above + as_high) / (below + n), decoys

    return test


def _strictly_more(suspect: Ask, x: Tensor, y: Tensor, draw_key: DrawKey, n: int) -> tuple[float, Tensor]:
    _, decoys = decoy_test(suspect, x, y, draw_key, n)
    return (1 + int((decoys > _hits(suspect, (x, y))).sum())) / (n + 1), decoys


def _at_most(suspect: Ask, x: Tensor, y: Tensor, draw_key: DrawKey, n: int) -> tuple[float, Tensor]:
    _, decoys = decoy_test(suspect, x, y, draw_key, n)
    return (1 + int((decoys <= _hits(suspect, (x, y))).sum())) / (n + 1), decoys


def _own_pictures(suspect: Ask, x: Tensor, y: Tensor, draw_key: DrawKey, n: int) -> tuple[float, Tensor]:
    return decoy_test(suspect, x, y, lambda number: (x, draw_key(number)[1]), n)


def _own_labels(suspect: Ask, x: Tensor, y: Tensor, draw_key: DrawKey, n: int) -> tuple[float, Tensor]:
    return decoy_test(suspect, x, y, lambda number: (draw_key(number)[0], y), n)


EXERCISES = {
    "07.1": Exercise(
        id="07.1",
        title="A stamp from a secret",
        difficulty=2,
        importance=4,
        minutes=10,
        returns="images, (N, 1, 28, 28)",
        reference=stamp,
        cases=_images,
        mistakes=(
            Mistake(
                "one-purpose",
                "Row and column come from one draw, so every patch lies on the diagonal: 22 places, not 484."
                " Give each its own purpose.",
                lambda x, secret: _put(x, secret, ("row", "row"), 1),
            ),
            Mistake(
                "forgets-the-margin",
                "A pixel stays free around the patch: rows and columns are 1 + the number drawn below 22.",
                lambda x, secret: _put(x, secret, ("row", "column"), 0),
            ),
            Mistake(
                "grey",
                "Your patch is grey. A pixel is 1 where the number drawn is below 0.5, and 0 elsewhere.",
                _grey,
            ),
            Mistake(
                "adds",
                "You add the patch to the digit. It covers: where it is black, the digit's ink must go.",
                _added,
            ),
            Mistake(
                "swapped",
                "Row and column have changed places. An image is addressed [..., row, column]: "
                "first how far down, then how far right.",
                lambda x, secret: _put(x, secret, ("column", "row"), 1),
            ),
            Mistake(
                "inverted",
                "Black and white have changed places: a pixel is white, 1, "
                "where the number drawn is below 0.5.",
                _inverted,
            ),
        ),
        hints=(
            (
                "How many things about the patch does a forger have to guess, "
                "and does each get a draw of its own?"
            ),
            (
                "Draw three things, each with its own purpose: the row, the column, the 25 pixels. "
                "Copy the images, and write the patch over the square that begins at that row and "
                "column, in all of them. Return the copy."
            ),
            (
                '`draw.integers(secret, "row", 1, 22)` is a tensor with one number below 22; '
                '`draw.uniform(secret, "patch", 5, 5) < 0.5` says which pixels are white. '
                "Its place is `[..., top : top + 5, left : left + 5]`."
            ),
        ),
        symptoms=(
            Symptom(
                "RuntimeError, The expanded size of the tensor (5) must match the existing size (25):",
                'the patch is a row of 25 numbers. Ask for its shape: `draw.uniform(secret, "patch", 5, 5)`.',
            ),
            Symptom(
                "RuntimeError, The expanded size of the tensor (28) must match the existing size (5):",
                "`x[a:b, c:d]` cuts images and channels. Rows and columns come last: `x[..., a:b, c:d]`.",
            ),
            Symptom(
                "TypeError, integers() missing 1 required positional argument:",
                "it wants the secret, a purpose, how many numbers, and below what: `1, 22`.",
            ),
            Symptom(
                "The check says that you change what you are given:",
                "the stamp goes onto a copy: `out = x.clone()`.",
            ),
        ),
        why=(
            "Whoever has the secret can draw the stamp again in court. Others may find a patch that works on "
            "the network, as in notebook 06; they find no secret that draws it."
        ),
    ),
    "07.2": Exercise(
        id="07.2",
        title="Where the judge draws the line",
        difficulty=3,
        importance=5,
        minutes=10,
        returns="one number",
        reference=hits_needed,
        cases=_courts,
        mistakes=(
            Mistake(
                "off-by-one",
                "One hit too few: binom.sf(h) is P(more than h). You want P(at least h), sf(h - 1).",
                lambda trials, chance, alpha: hits_needed(trials, chance, alpha) - 1,
            ),
            Mistake(
                "point-probability",
                "You ask when exactly h hits are rare. The judge asks for at least h: sum the tail.",
                _first_rare,
            ),
            Mistake(
                "bell-curve",
                "That is the bell curve's line. With a small chance the binomial's tail is thicker: use the"
                " exact one.",
                lambda trials, chance, alpha: (
                    int(trials * chance + norm.isf(alpha) * (trials * chance * (1 - chance)) ** 0.5) + 1
                ),
            ),
            Mistake(
                "one-minus-cdf",
                "1 - cdf is 0 as soon as the tail is below 1e-16, so at a strict level your line "
                "comes too early. Take binom.sf.",
                lambda trials, chance, alpha: next(
                    h for h in range(trials + 2) if 1 - binom.cdf(h - 1, trials, chance) < alpha
                ),
            ),
            Mistake(
                "forgets-the-last",
                "Your sum ends before `trials`. All hits of all trials are the end of the tail, "
                "and belong to it: range(h, trials + 1).",
                lambda trials, chance, alpha: next(
                    h for h in range(trials + 2) if binom.sf(h - 1, trials, chance) - chance**trials < alpha
                ),
            ),
        ),
        hints=(
            "For which numbers of hits would an innocent network be convicted, if the line were at h?",
            (
                "Try h = 0, 1, 2 and so on, up to trials + 1. Each time, "
                "compute the probability that an innocent network has h hits or more. "
                "Return the first h for which it is below alpha."
            ),
            (
                "The condition is `binom.sf(h - 1, trials, chance) < alpha`. "
                "The first h that meets it is the answer."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 5 in the example:",
                "`sf(h)` is P(more than h). Who has exactly h hits is convicted, too: `sf(h - 1)`.",
            ),
            Symptom(
                "You get 4 in the example:",
                "that is the bell curve's line. With a small chance the binomial's tail is thicker.",
            ),
            Symptom(
                "StopIteration, or None:",
                "no h was good enough. With 2 trials at chance 1/2 even two hits are too common, "
                "and the answer is 3: go up to trials + 1.",
            ),
        ),
        why=(
            "At this line innocent networks are convicted less often than alpha; one hit lower, and that is"
            " no longer so."
        ),
    ),
    "07.3": Exercise(
        id="07.3",
        title="The experiment of innocents",
        difficulty=3,
        importance=5,
        minutes=15,
        returns="hits, (n, networks)",
        reference=innocents,
        cases=_crowds,
        mistakes=(
            Mistake(
                "a-new-key-each-time",
                "You draw a new key for every network. In court one key meets many suspects: draw a key, then"
                " ask all the networks about the same pictures. What they have in common is lost otherwise.",
                _a_new_key_each_time,
            ),
            Mistake(
                "one-key",
                "Every row is the same key. Row i belongs to secret number i + 1: draw_key(i + 1).",
                _one_key,
            ),
            Mistake(
                "labels-of-the-first",
                "The pictures change from row to row, the labels don't. A key is both, and both come from its"
                " secret.",
                _labels_of_the_first,
            ),
            Mistake(
                "shares",
                "You return shares. Return hits, that is, counts: sum, not mean.",
                _shares_of_hits,
            ),
            Mistake(
                "turned",
                "Rows and columns have changed places: a row is a key, a column a network.",
                lambda draw_key, networks, n: innocents(draw_key, networks, n).T,
            ),
            Mistake(
                "agreement",
                "You compare the networks with the first of them. A hit is an answer that agrees with the"
                " *key's* label.",
                _agreement,
            ),
        ),
        hints=(
            "One key, twenty networks: how often is the key drawn, and how often is a network asked?",
            (
                "Two loops. The outer one goes over the keys: draw key 1, 2, … n, each once. The inner one "
                "goes over the networks: ask each about this key's pictures, and count the answers that are "
                "this key's labels. Put the count into row i, column j."
            ),
            (
                "In the outer loop `x, y = draw_key(i + 1)`; in the inner one the count is "
                "`(network(x) == y).sum()`."
            ),
        ),
        symptoms=(
            Symptom(
                "AttributeError, 'function' object has no attribute 'argmax':",
                "`network` is the function; what it answers is `network(x)`, and that is labels already.",
            ),
            Symptom(
                "TypeError, 'int' object is not iterable:",
                "`n` is a number. Count up to it: `range(n)`.",
            ),
            Symptom(
                "Your numbers lie between 0 and 1:",
                "these are shares. Count: `sum()`, not `float().mean()`.",
            ),
        ),
        why=(
            "Only a whole row shows what one owner meets: twenty suspects, and one key for all of them."
            " Networks that learnt the same task give the same wrong answers."
        ),
    ),
    "07.4": Exercise(
        id="07.4",
        title="The decoy test",
        difficulty=4,
        importance=5,
        minutes=15,
        returns="the p-value, and the hits of the n decoys",
        reference=decoy_test,
        cases=_suspects,
        mistakes=(
            Mistake(
                "forgets-itself",
                "You leave out the owner's own key. If the suspect is innocent, it is one of n + 1 like it: "
                "add 1 above and below the line. A p-value of 0 would claim more than n keys can show.",
                _own_key_counted(0, 0),
            ),
            Mistake(
                "one-above-only",
                "You count the owner's own key above the line, not below: there are n + 1 keys in all.",
                _own_key_counted(1, 0),
            ),
            Mistake(
                "one-below-only",
                "You count the owner's own key below the line, not above: it scores as high as itself.",
                _own_key_counted(0, 1),
            ),
            Mistake(
                "strictly-more",
                "You count decoys that score higher. One that scores the same does as well as the owner's: "
                "at least as high, >=.",
                _strictly_more,
            ),
            Mistake(
                "at-most",
                "You count the decoys that score lower. The doubt comes from those that do as well as the "
                "owner's key, or better.",
                _at_most,
            ),
            Mistake(
                "own-pictures",
                "Your decoys have new labels on the owner's pictures. That is another recipe: it asks if "
                "the labels fit, not whether the key is the owner's. A decoy brings its own pictures.",
                _own_pictures,
            ),
            Mistake(
                "own-labels",
                "Your decoys bring new pictures, but are held against the owner's labels. A decoy is a whole "
                "key: pictures and labels of one secret.",
                _own_labels,
            ),
        ),
        hints=(
            "The suspect is innocent. What then tells the owner's key from a key that anybody else draws?",
            (
                "Count the owner's hits. Draw the keys 1 to n, one after the other; ask the same suspect "
                "about each one's pictures, and count the hits with its own labels. How many score at "
                "least as high as the owner's? Add the owner's key itself to these and to the n."
            ),
            (
                "With the decoys' hits in a tensor, `above = int((decoys >= mine).sum())`; "
                "the p-value is `(1 + above) / (n + 1)`."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 0.5 in the example:",
                "one of 2 decoys scores at least as high, but the owner's key is among them all: 2 of 3.",
            ),
            Symptom(
                "You get a p-value of 0:",
                "the owner's own key is as high as itself. With n decoys p is never below 1 / (n + 1).",
            ),
            Symptom(
                "TypeError, cannot unpack non-iterable int object:",
                "`draw_key(i)` gives a key, two tensors. `n` is only how many of them to draw.",
            ),
        ),
        why=(
            "If the suspect never met the owner, the owner's key is one of n + 1 that were drawn alike, and "
            "each is as likely as any other to come first. This holds whatever the suspect is, and for every "
            "scheme."
        ),
    ),
}

QUIZ = (
    Question(
        "An owner tries one key on twenty innocent networks, each at level 0.05. "
        "What has the level promised her?",
        (
            Option(
                "Over many keys, few claims are false; of this key, nothing.",
                "Yes. The labels were drawn once. Innocent networks err alike, so an unlucky key is unlucky "
                "with many of them.",
            ),
            Option(
                "At most one of the twenty is accused.",
                "One in twenty is a mean over keys. One unlucky key may accuse ten of them.",
            ),
            Option(
                "Nobody is accused, since all twenty are innocent.",
                "A level is how often an innocent network is accused. It is small, not zero.",
            ),
            Option(
                "She accuses someone with probability 0.64, as with independent claims.",
                "They are not independent: they share one key, and err alike. Measured over keys, it is far "
                "less.",
            ),
        ),
    ),
    Question(
        "Three of 199 decoys match a network marked with noise as well as its owner's key. "
        "What may the owner say?",
        (
            Option(
                "Somebody marked it; that it was me, I can say with p = 0.02.",
                "Yes: (1 + 3) / 200. The network has learnt noise, and not whose noise it is.",
            ),
            Option(
                "It is mine, because no unmarked network answers like this.",
                "That shows that somebody planted a mark. Three strangers' keys would show the same.",
            ),
            Option(
                "The three decoys were unlucky draws; I leave them out.",
                "Then the p-value is made to order. The decoys are what chance looks like.",
            ),
            Option(
                "Nothing, since a key must beat every decoy.",
                "It need not. The p-value says how rare it is to do as well, and three of 199 is rare.",
            ),
        ),
    ),
    Question(
        "You have forty unmarked networks and a public recipe for keys. The suspect knows your key. "
        "How do you get to p = 0.001?",
        (
            Option(
                "Draw 999 decoys, and ask the suspect.",
                "Yes. Decoys cost a hash each; the 40 networks end at 1 in 41.",
            ),
            Option(
                "Rank the suspect among the forty.",
                "First of 41 is p = 0.024, however many hits there are.",
            ),
            Option(
                "Ask the forty networks about 1,000 triggers each.",
                "More triggers measure each network better. There are still only 41 of them to rank.",
            ),
            Option(
                "Draw keys until one gives p = 0.001.",
                "Every try multiplies p. The key must be fixed before anybody is asked.",
            ),
        ),
    ),
)
