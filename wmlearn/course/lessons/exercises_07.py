"""The exercises of notebook 07: reference, cases, named mistakes, hints."""

from __future__ import annotations

from collections.abc import Callable

import torch
from scipy.stats import beta, binom, norm
from torch import Tensor

from ...watermarks import secret as draw
from ..exercises import Cases, Exercise, Mistake


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
    return {
        "ten in a hundred": [(100, 0.1, 1e-3), (10, 0.1, 1e-3), (n, 0.1, 1e-3)],
        "other chances and levels": [(m, 1 / 43, 1e-6), (50, 0.3, 0.05), (2, 0.5, 1e-3)],
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
        ),
        hints=(
            (
                "How many things about the patch does a forger have to guess, and does each get a draw of its"
                " own?"
            ),
            (
                "top = 1 + int(draw.integers(secret, 'row', 1, 22)), left likewise from 'column'. The patch"
                " is draw.uniform(secret, 'patch', 1, 5, 5) < 0.5. Clone x, put the patch at [..., top : top"
                " + 5, left : left + 5], return it."
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
        ),
        hints=(
            "For which numbers of hits would an innocent network be convicted, if the line were at h?",
            "Return the first h from 0 to trials + 1 for which binom.sf(h - 1, trials, chance) < alpha.",
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
        ),
        hints=(
            (
                "Eight innocent networks were asked. Which of them would the accused not like to be compared"
                " with?"
            ),
            (
                "Count the hits of each network: (answers == wanted).sum(1). Take the largest, h. Return"
                " beta.ppf(0.95, h + 1, n - h)."
            ),
        ),
        why=(
            "The null is what innocent networks do, not what ten classes suggest. High is the safe side: it"
            " can only spare the innocent."
        ),
    ),
}
