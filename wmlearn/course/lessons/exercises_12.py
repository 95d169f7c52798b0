"""The exercises of notebook 12: reference, cases, named mistakes, hints; and its quiz."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..exercises import Cases, Exercise, Mistake, Symptom
from ..quizzes import Option, Question


def p_value(a: Tensor, b: Tensor, orders: Tensor) -> float:
    """Return how often the units of `b` (units, inputs), in one of `orders` (n, units), are as like those of
    `a` as they are in their own order; that one counts, too.
    """
    cosines = _cosines(a, b)
    own = cosines.diagonal().mean()
    return (1 + int((_shuffled(cosines, orders) >= own).sum())) / (1 + len(orders))


def lot_p(wrong: Tensor, lot: Tensor) -> float:
    """Return the probability of as many errors outside a `lot` drawn at random, or more; both (N,) bool."""
    from scipy.stats import hypergeom

    outside = int((~lot).sum())
    errors = int(wrong.sum())
    return float(hypergeom.sf(int((wrong & ~lot).sum()) - 1, len(lot), outside, errors))


def sibling_p(scores: Tensor, networks: Tensor) -> float:
    """Return the rank of the first of `networks` (M, N, classes) by how closely `scores` (N, classes) follow
    each, over M: the cosine of both without their means, image by image, mean over images.
    """
    return _rank(_following(scores, networks))


# 12.1: units, shuffled


def _cosines(a: Tensor, b: Tensor) -> Tensor:
    return F.normalize(a, dim=1) @ F.normalize(b, dim=1).T  # (units, units)


def _shuffled(cosines: Tensor, orders: Tensor) -> Tensor:
    return cosines[torch.arange(len(cosines)), orders].mean(1)  # (n,)


def _units(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)
    orders = torch.stack([torch.randperm(12, generator=gen) for _ in range(120)])
    loud = 10 ** torch.rand(12, 1, generator=gen)  # rows of other lengths

    def rows() -> Tensor:
        return torch.randn(12, 12, generator=gen)

    # every unit is like every other one: a few shuffles come as far
    alike = 1 + 0.3 * rows()
    own = rows()
    kin = [(loud * own, own + 0.5 * rows(), orders), (own, loud * own, orders)]
    axes = torch.eye(6)[torch.tensor([0, 0, 1, 1, 2, 3])]
    short = torch.stack([torch.randperm(6, generator=gen) for _ in range(120)])
    return {
        "strangers": [
            (loud * rows(), rows(), orders),
            (loud * rows(), alike, orders),
            (loud * alike, alike + 0.6 * rows(), orders),
            (loud * rows(), rows(), orders),
        ],
        "kin": kin,
        "shuffles that tie": [(axes, axes, short), (axes, axes.roll(1, 0), short)],
    }


def _share(a: Tensor, b: Tensor, orders: Tensor) -> float:
    cosines = _cosines(a, b)
    return float((_shuffled(cosines, orders) >= cosines.diagonal().mean()).double().mean())


def _strict(a: Tensor, b: Tensor, orders: Tensor) -> float:
    cosines = _cosines(a, b)
    more = int((_shuffled(cosines, orders) > cosines.diagonal().mean()).sum())
    return (1 + more) / (1 + len(orders))


def _less_alike(a: Tensor, b: Tensor, orders: Tensor) -> float:
    cosines = _cosines(a, b)
    less = int((_shuffled(cosines, orders) <= cosines.diagonal().mean()).sum())
    return (1 + less) / (1 + len(orders))


def _lengths(a: Tensor, b: Tensor, orders: Tensor) -> float:
    products = a @ b.T
    as_high = int((_shuffled(products, orders) >= products.diagonal().mean()).sum())
    return (1 + as_high) / (1 + len(orders))


def _inputs(a: Tensor, b: Tensor, orders: Tensor) -> float:
    own = _cosines(a, b).diagonal().mean()
    shuffled = torch.stack([_cosines(a, b[:, order]).diagonal().mean() for order in orders])
    return (1 + int((shuffled >= own).sum())) / (1 + len(orders))


# 12.2: errors outside the lot


def _lots(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def some(share: float) -> Tensor:
        mask = torch.rand(80, generator=gen) < share
        mask[:2] = torch.tensor([True, False])  # both occur, whatever was drawn
        return mask

    def owners() -> tuple[Tensor, Tensor]:
        lot = some(0.7)
        return (~lot & some(0.5)) | some(0.1), lot

    innocents = [(some(0.2), some(0.7)) for _ in range(3)]
    none = torch.zeros(80, dtype=torch.bool)
    return {"an innocent": innocents, "the owner's": [owners(), owners()], "no error": [(none, some(0.7))]}


def _binomial(wrong: Tensor, lot: Tensor) -> float:
    from scipy.stats import binom

    share = float((~lot).double().mean())
    return float(binom.sf(int((wrong & ~lot).sum()) - 1, int(wrong.sum()), share))


def _more_than(wrong: Tensor, lot: Tensor) -> float:
    from scipy.stats import hypergeom

    outside = int((wrong & ~lot).sum())
    return float(hypergeom.sf(outside, len(lot), int((~lot).sum()), int(wrong.sum())))


def _inside(wrong: Tensor, lot: Tensor) -> float:
    return lot_p(wrong, ~lot)


def _exactly(wrong: Tensor, lot: Tensor) -> float:
    return lot_p(wrong, lot) - _more_than(wrong, lot)


# 12.3: siblings


def _following(scores: Tensor, networks: Tensor) -> Tensor:
    """Return the mean cosine with each network's scores, (M,)."""
    ours = scores - scores.mean(1, keepdim=True)
    theirs = networks - networks.mean(2, keepdim=True)
    return F.cosine_similarity(ours, theirs, dim=2).mean(1)


def _rank(likeness: Tensor) -> float:
    return float((likeness >= likeness[0]).double().mean())


def _families(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=gen)

    def case(own: float, level: float) -> tuple[Tensor, Tensor]:
        task = 3 * draw(12, 5)  # what all networks answer alike
        networks = (
            task + draw(19, 12, 5) + level * draw(19, 12, 1)
        )  # an amount added to all classes means nothing
        loud = 1 + 20 * (torch.arange(12) == 0).float()[:, None]  # one image shouts, and says little
        scores = (task + own * (networks[0] - task) + 0.8 * draw(12, 5)) * loud
        return scores + level * draw(12, 1), networks * loud

    twin = draw(6, 4)
    tied = torch.stack([twin, twin.clone(), draw(6, 4), draw(6, 4)])
    return {
        "taught a little by the owner's": [case(0.1, 8.0), case(0.0, 16.0), case(-0.1, 12.0)],
        "taught by nobody": [case(0.0, 8.0), case(-0.2, 16.0), case(0.0, 12.0)],
        "two that tie": [(twin + 0.1 * draw(6, 4), tied)],
    }


def _not_counted(scores: Tensor, networks: Tensor) -> float:
    likeness = _following(scores, networks)
    return float((likeness[1:] >= likeness[0]).double().mean())


def _other_end(scores: Tensor, networks: Tensor) -> float:
    return _rank(-_following(scores, networks))


def _ties_lost(scores: Tensor, networks: Tensor) -> float:
    likeness = _following(scores, networks)
    return float((1 + (likeness > likeness[0]).sum()) / len(likeness))


def _plain(scores: Tensor, networks: Tensor) -> float:
    return _rank(F.cosine_similarity(scores.expand_as(networks), networks, dim=2).mean(1))


def _all_at_once(scores: Tensor, networks: Tensor) -> float:
    ours = scores - scores.mean(1, keepdim=True)
    theirs = networks - networks.mean(2, keepdim=True)
    return _rank(F.cosine_similarity(ours.flatten()[None], theirs.flatten(1), dim=1))


def _labels(scores: Tensor, networks: Tensor) -> float:
    return _rank((networks.argmax(2) == scores.argmax(1)).double().mean(1))


def _over_images(scores: Tensor, networks: Tensor) -> float:
    ours = scores - scores.mean(0)
    theirs = networks - networks.mean(1, keepdim=True)
    return _rank(F.cosine_similarity(ours.expand_as(theirs), theirs, dim=1).mean(1))


EXERCISES = {
    "12.1": Exercise(
        id="12.1",
        title="A test that needs no mark",
        difficulty=4,
        importance=5,
        minutes=15,
        returns="one number",
        reference=p_value,
        cases=_units,
        mistakes=(
            Mistake(
                "no-one",
                "You give the share of shuffles. The order that you were given is one of n + 1 that are"
                " equally probable: add 1 above and below.",
                _share,
            ),
            Mistake("strict", "A shuffle that is exactly as like counts, too: >=, not >.", _strict),
            Mistake(
                "lower",
                "You count the shuffles that are less alike. Count those that come as far, or farther: >=.",
                _less_alike,
            ),
            Mistake(
                "lengths",
                "You compare rows of other lengths, so that a few long ones decide. Bring each row to length"
                " 1: F.normalize(a, dim=1).",
                _lengths,
            ),
            Mistake(
                "inputs",
                "You shuffle what the units read (columns). Shuffle the units: row i of a meets row order[i]"
                " of b.",
                _inputs,
            ),
            Mistake(
                "alike",
                "You shuffle both networks alike, so that nothing changes, and p is 1. Leave a as it is.",
                lambda a, b, orders: 1.0,
            ),
        ),
        hints=(
            (
                "Row i of `a` meets row i of `b`. Which rows meet once b's units stand in another order, and "
                "what would you expect of strangers then?"
            ),
            (
                "Bring all rows to length 1. The mean of the products of row i with row i is T. Do the same "
                "for `a` and `b[order]`, for each order. Count those that are at least T, and your own order "
                "with them."
            ),
            (
                "All products at once: `cosines = a @ b.T`. T is `cosines.diagonal().mean()`, and of a "
                "shuffle it is `cosines[torch.arange(len(a)), order].mean()`."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 0 in the example:",
                "the order that you were given counts, too: 1 + count, over 1 + n.",
            ),
            Symptom(
                "You get 1 in the example:",
                "you count the shuffles that are less alike, or you shuffle both networks.",
            ),
            Symptom(
                "Only the shuffles that tie are wrong:",
                "you count with >. A shuffle that is exactly as like counts, too.",
            ),
        ),
        why=(
            "If b has nothing to do with a, each order of its units was as probable as the one they have, so"
            " T is one of n + 1 numbers drawn alike: it is the largest once in n + 1. Nothing was assumed"
            " about digits, sizes or recipes."
        ),
    ),
    "12.2": Exercise(
        id="12.2",
        title="Errors outside the split",
        difficulty=3,
        importance=5,
        minutes=12,
        returns="one number",
        reference=lot_p,
        cases=_lots,
        mistakes=(
            Mistake(
                "off-by-one",
                "sf(h) is the probability of more than h. As many, or more: sf(h - 1).",
                _more_than,
            ),
            Mistake(
                "inside",
                "You count errors inside the lot, or sum the lower tail: the same number. Whoever learnt the"
                " lot errs outside it: h or more.",
                _inside,
            ),
            Mistake(
                "point",
                "You take the probability of exactly as many. As many, or more: sum the tail.",
                _exactly,
            ),
            Mistake(
                "binomial",
                "You let each error fall by itself (binomial). But the lot is drawn without putting back:"
                " hypergeometric.",
                _binomial,
            ),
        ),
        hints=(
            (
                "An urn holds all images; those on which the suspect errs are red. What is drawn from it, and"
                " who drew?"
            ),
            (
                "Drawn are the images outside the lot. Count the red ones among them, h. Ask how probable h "
                "or more are, where the draw knew nothing of red."
            ),
            (
                "`h = (wrong & ~lot).sum()`, and `hypergeom.sf(k, N, red, drawn)` is the probability of more "
                "than k."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 0 in the example:",
                "`sf(h)` is the probability of more than h: `sf(h - 1)`.",
            ),
            Symptom(
                "You get 1 in the example:",
                "h counts errors inside the lot. Outside is `~lot`.",
            ),
            Symptom(
                "RuntimeError or NotImplementedError, Negation, the `-` operator, on a bool tensor is not"
                " supported:",
                "not true is `~lot`, not `-lot`.",
            ),
        ),
        why=(
            "The owner's draw is the only chance in it. Whatever the suspect is, if it knows nothing of the "
            "lot, its errors fall outside as a draw of that size must."
        ),
    ),
    "12.3": Exercise(
        id="12.3",
        title="Whose scores does it follow?",
        difficulty=3,
        importance=4,
        minutes=12,
        returns="one number",
        reference=sibling_p,
        cases=_families,
        mistakes=(
            Mistake(
                "not-counted",
                "You count the siblings only. The owner's network is one of those drawn alike: count it, too,"
                " so that p is never 0.",
                _not_counted,
            ),
            Mistake(
                "other-end",
                "Your rank counts from the wrong end. The network that is followed most closely comes first.",
                _other_end,
            ),
            Mistake(
                "ties-lost",
                "A sibling that is followed exactly as closely counts, too: >=, not >.",
                _ties_lost,
            ),
            Mistake(
                "not-centred",
                "You leave the mean over classes in. An amount added to all classes changes no answer: take"
                " it away, for each image.",
                _plain,
            ),
            Mistake(
                "over-images",
                "You compare along the images. Compare the scores of one image: the last axis.",
                _over_images,
            ),
            Mistake(
                "all-at-once",
                "You take one cosine over all images, so that loud ones decide. One for each image, then the"
                " mean.",
                _all_at_once,
            ),
            Mistake(
                "labels",
                "You compare labels. Good networks agree on those; the traces are in the scores.",
                _labels,
            ),
            Mistake(
                "always-first",
                "You always give 1 / M. The owner comes first only where no sibling is followed as closely.",
                lambda scores, networks: 1 / len(networks),
            ),
        ),
        hints=(
            (
                "One image, one network: two rows of ten scores. How would you say how alike they are, "
                "whatever their size, and whatever is added to all ten?"
            ),
            (
                "Take the mean over classes away from each row. Then the cosine of two rows; the mean over "
                "images is how closely a network is followed. Count those of the M that are followed at "
                "least as closely as the first."
            ),
            (
                "`F.cosine_similarity(ours, theirs, dim=2)` with `ours` (N, classes) and `theirs` "
                "(M, N, classes) is (M, N). Its mean over images is `.mean(1)`."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 0 in the example:",
                "the owner's own network counts, too.",
            ),
            Symptom(
                "You get 1 in the example:",
                "you count from the wrong end. Count those that are followed at least as closely.",
            ),
            Symptom(
                "IndexError, Dimension out of range:",
                "the suspect's scores have two axes, the networks' three. The classes are the last: dim=-1.",
            ),
        ),
        why=(
            "To an innocent the owner's network is one of M that were drawn alike. So it comes first once in"
            " M, whatever is compared: the measure decides how much the test sees, never whom it accuses."
        ),
    ),
}

QUIZ = (
    Question(
        "Two networks have p = 0.0001 by their weights. What has been shown?",
        (
            Option(
                "They share an origin, if one side's first weights were its own.",
                "Yes. A seed or a downloaded network in common gives the same number.",
            ),
            Option(
                "The second was stolen from the first.",
                "The test is the same with both exchanged: it has no direction.",
            ),
            Option(
                "They were trained on the same data.",
                "Strangers here share their digits, and get every p alike.",
            ),
            Option(
                "The second is innocent with probability 0.0001.",
                "p is about strangers, not about this network: how often they come so far.",
            ),
        ),
    ),
    Question(
        "After matching, a stranger's units have a cosine of 0.25 with Ana's. Why not 0?",
        (
            Option(
                "For each unit the likest of many was taken.",
                "Yes: a maximum over noise isn't 0. Hence a rank among strangers, not a formula.",
            ),
            Option(
                "All digit networks learn the same units.",
                "Some may be alike, but matching finds likeness between random rows, too.",
            ),
            Option("The shuffles were too few.", "No shuffle is involved any more."),
            Option("It was stolen, and well washed.", "All strangers reach about as much."),
        ),
    ),
    Question(
        "A rival trained on the public training set of a benchmark, as Ana did; the rest is its test set. She"
        " calls that split her lot. What does the test do?",
        (
            Option(
                "It accuses the rival, though innocent.",
                "Yes: that split was nobody's secret draw. Everybody errs less on the training set.",
            ),
            Option(
                "It accuses nobody, as the data are public.",
                "The errors don't know that. The rival knew the same split.",
            ),
            Option(
                "It is exact, as the split was drawn at random.",
                "Random isn't enough: the suspect mustn't know it.",
            ),
            Option(
                "It sees nothing on test images.",
                "It sees too much: it can't tell the two apart.",
            ),
        ),
    ),
)
