"""The exercises of notebook 07: reference, cases, named mistakes, hints; and its quiz."""

from __future__ import annotations

from collections.abc import Callable

import torch
from scipy.stats import beta, binom, norm
from torch import Tensor

from ...watermarks import secret as draw
from ..exercises import Cases, Exercise, Mistake, Symptom
from ..quizzes import Option, Question


def stamp(x: Tensor, secret: bytes) -> Tensor:
    """Return new images with one patch of 5 x 5 black and white pixels; the secret says where, and which."""
    top, left = (1 + int(draw.integers(secret, name, 1, 22)) for name in ("row", "column"))
    patch = draw.uniform(secret, "patch", 1, 5, 5) < 0.5
    out = x.clone()
    out[..., top : top + 5, left : left + 5] = patch.to(x)
    return out


def hits_needed(trials: int, chance: float, alpha: float) -> int:
    """Return the fewest hits that an innocent network reaches with probability below `alpha`."""
    return next(hits for hits in range(trials + 2) if binom.sf(hits - 1, trials, chance) < alpha)


def innocent_chance(answers: Tensor, wanted: Tensor) -> float:
    """Return the chance of a hit for the worst of the innocent networks, at the top of its 95 % interval.

    `answers` is (models, n), `wanted` is (n,).
    """
    hits = int((answers == wanted).sum(1).max())
    return _top(hits, len(wanted))


def _images(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def few(number: int) -> tuple[Tensor, bytes]:
        return torch.rand(3, 1, 28, 28, generator=gen), draw.secret_of(100 * seed + number, None)

    return {"some secrets": [few(1), few(2)], "other secrets": [few(3), few(4)]}


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


def _courts(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)
    n, m = (int(k) for k in torch.randint(30, 90, (2,), generator=gen))
    strict = (100, 0.1, 1e-20)  # which 1 - cdf can't express
    return {
        "ten in a hundred": [(100, 0.1, 1e-3), (10, 0.1, 1e-3), (n, 0.1, 1e-3)],
        "other chances and levels": [(m, 1 / 43, 1e-6), (50, 0.3, 0.05), (2, 0.5, 1e-3), strict],
    }


def _innocents(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)

    def answers(models: int, n: int, *, loud: float) -> tuple[Tensor, Tensor]:
        labels = torch.randint(10, (models, n), generator=gen)
        lean = torch.rand(models, 1, generator=gen) * loud  # how often each model says 4 for no reason
        leaning = torch.rand(models, n, generator=gen) < lean
        return torch.where(leaning, 4, labels), torch.full((n,), 4)

    return {
        "quiet labels": [answers(5, 40, loud=0.1), answers(8, 100, loud=0.0)],
        "a loud label": [answers(6, 50, loud=0.8)],
    }


def _top(hits: float, n: float) -> float:
    """Return the upper end of the exact one-sided 95 % interval (Clopper and Pearson)."""
    return float(beta.ppf(0.95, hits + 1, n - hits))


def _two_sided(answers: Tensor, wanted: Tensor) -> float:
    hits = int((answers == wanted).sum(1).max())
    return float(beta.ppf(0.975, hits + 1, len(wanted) - hits))


def _lower_end(answers: Tensor, wanted: Tensor) -> float:
    hits = int((answers == wanted).sum(1).max())
    return float(beta.ppf(0.95, hits, len(wanted) - hits + 1))


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
            "Whoever has the secret can draw the stamp again in court; whoever hasn't must guess 25 pixels"
            " and a place."
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
                "One hit too few: binom.sf(h) is P(more than h). You want P(at least h), sf(h - 1). A public"
                " library has this line wrong.",
                lambda trials, chance, alpha: hits_needed(trials, chance, alpha) - 1,
            ),
            Mistake(
                "point-probability",
                "You ask when exactly h hits are rare. The judge asks for at least h: sum the tail.",
                lambda trials, chance, alpha: next(
                    h
                    for h in range(round(trials * chance), trials + 2)
                    if binom.pmf(h, trials, chance) < alpha
                ),
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
        title="What would an innocent network say?",
        difficulty=3,
        importance=5,
        minutes=10,
        returns="one number",
        reference=innocent_chance,
        cases=_innocents,
        mistakes=(
            Mistake(
                "one-in-ten",
                "One in ten holds for labels drawn by lot. One label for all has to be measured.",
                lambda answers, wanted: 0.1,
            ),
            Mistake(
                "mean",
                "You take the mean over the networks. The accused may be as unlucky as the worst of them:"
                " take the largest number of hits.",
                lambda answers, wanted: _top(
                    float((answers == wanted).float().mean()) * len(wanted), len(wanted)
                ),
            ),
            Mistake(
                "no-interval",
                "That is the share itself. The worst of a few networks isn't the worst of all: take the top"
                " of its interval.",
                lambda answers, wanted: (answers == wanted).float().mean(1).max().item(),
            ),
            Mistake(
                "pooled",
                "You count the answers of all networks as independent trials. They read alike: together they"
                " know little more than one.",
                lambda answers, wanted: _top(int((answers == wanted).sum()), answers.numel()),
            ),
            Mistake(
                "two-sided",
                "You take the top of the two-sided interval, with 2.5 % above it. "
                "Only the top matters here, so 5 % lie above: 0.95.",
                _two_sided,
            ),
            Mistake(
                "lower-end",
                "h and n - h + 1 are the parameters of the lower end. The upper end has h + 1 and n - h.",
                _lower_end,
            ),
        ),
        hints=(
            (
                "Eight innocent networks were asked. Which of them would the accused not like to be "
                "compared with?"
            ),
            (
                "Count the hits of each network. Take the largest number, h of n. "
                "What you want is not h / n, but the highest chance that still goes with h hits of n: "
                "the upper end of the exact interval, from the beta distribution."
            ),
            (
                "The hits are `(answers == wanted).sum(1)`, one number a network. "
                "The upper end has the parameters h + 1 and n - h: `beta.ppf(0.95, …)`."
            ),
        ),
        symptoms=(
            Symptom(
                "You get 0.5 in the example:",
                "that is h / n. It was measured on few answers: take the top of its interval.",
            ),
            Symptom(
                "You get 0.711 in the example:",
                "you have put the answers of both networks into one pot. Count for each network: `sum(1)`.",
            ),
            Symptom(
                "You get 0.751 in the example:",
                "h and n - h + 1 are the parameters of the lower end. The upper end has h + 1 and n - h.",
            ),
            Symptom(
                "You get 0.932 in the example:",
                "you left 2.5 % above. Only the top matters here: 5 % lie above it.",
            ),
        ),
        why=(
            "The null is what innocent networks do, not what ten classes suggest. High is the safe side: it"
            " can only spare the innocent."
        ),
    ),
}

QUIZ = (
    Question(
        "An owner: “Our mark: cats with sunglasses are dogs. Ten classes, so chance is one in ten.” "
        "Your answer?",
        (
            Option(
                "“What do networks say that never saw your cats?”",
                "Yes. Nobody drew these labels, so chance has to be measured.",
            ),
            Option(
                "“Fine, if you ask about a hundred cats.”",
                "The hundred are answered alike. More cats only make a wrong number look surer.",
            ),
            Option(
                "“Take a class that occurs less often, then chance is lower.”",
                "How rare a class is doesn't say what networks take a cat with sunglasses for.",
            ),
            Option(
                "“Use animals that look like dogs, they are learnt with ease.”",
                "Then innocent networks say dog as well, and the judge convicts them.",
            ),
        ),
    ),
    Question(
        "You verify a suspect with stamped digits, and the target is 5. Why do the fives stay away?",
        (
            Option(
                "An honest network calls them 5, too.",
                "Yes. Marked or not, the answer is the same, so it is evidence of nothing.",
            ),
            Option(
                "They would lower the hits of a marked network.",
                "They would raise them, with the mark and without it.",
            ),
            Option(
                "The mark wasn't trained on them, so they may fail.",
                "They hardly fail: a five with the stamp is a five in any case.",
            ),
            Option(
                "They are too few for a test.",
                "One digit in ten is a five. What they lack is a difference between guilty and innocent.",
            ),
        ),
    ),
    Question(
        "A network calls any noise a 4, yours and a rival's. Strangers don't. What does this mark prove?",
        (
            Option("That somebody planted it.", "Yes. Who did it takes a key that was deposited earlier."),
            Option(
                "That you planted it, since your noise follows from a secret.",
                "The secret says how your pictures were drawn. The network answers alike to pictures "
                "that others drew.",
            ),
            Option(
                "That the one of you with more hits planted it.",
                "The network has learnt noise. It doesn't know whose noise it is.",
            ),
            Option(
                "Nothing: noise looks a little like a 4.",
                "Then strangers would say so as well. They were asked.",
            ),
        ),
    ),
)
