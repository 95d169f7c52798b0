"""How much a count proves: exact tails, decoys, the triggers that a claim needs, several claims at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from .. import progress
from ..data import Samples
from ..errors import require
from .evidence import Evidence, Rank, Suspect, Verdict

MOST_TRIGGERS = 100_000
STOP = 10
"""Decoys as high as the owner's key after which no more are drawn: such a key proves nothing at any level
that matters.
"""

K = TypeVar("K")


class Scheme(Protocol[K]):
    """The half of a watermark that a decoy needs: draw a key, look for it in a suspect."""

    def keygen(self, model: nn.Module, samples: Samples, *, seed: int = 0, secret: bytes | None = None) -> K:
        """Draw a key for models like `model`."""
        ...

    def verify(self, suspect: Suspect, key: K) -> Evidence:
        """Count how often `suspect` agrees with `key`."""
        ...


def decoy_p_value(
    scheme: Scheme[K],
    suspect: Suspect,
    key: K,
    *,
    model: nn.Module,
    samples: Samples,
    n: int = 999,
    seed: int = 0,
    stop: int | None = STOP,
    budget: int | None = None,
    bystanders: Sequence[Suspect] | None = None,
) -> float:
    """Return the p-value of an owner's key among `n` keys that anybody could draw: see `against_decoys`.

    >>> samples = wm.Samples(torch.rand(40, 1, 4, 4), torch.arange(40) % 2, ("cat", "dog"))
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2))
    >>> scheme = wm.watermarks.Adi2018(n=5)
    >>> key = scheme.keygen(model, samples)
    >>> 0.05 <= wm.decoy_p_value(scheme, model, key, model=model, samples=samples, n=19) <= 1
    True
    """
    tested = against_decoys(
        scheme,
        suspect,
        key,
        model=model,
        samples=samples,
        n=n,
        seed=seed,
        stop=stop,
        budget=budget,
        bystanders=bystanders,
    )
    return tested.p_value


def against_decoys(
    scheme: Scheme[K],
    suspect: Suspect,
    key: K,
    *,
    model: nn.Module,
    samples: Samples,
    n: int = 999,
    seed: int = 0,
    stop: int | None = STOP,
    budget: int | None = None,
    bystanders: Sequence[Suspect] | None = None,
) -> Evidence:
    """Ask `suspect` about the owner's key, then about `n` other keys that follow from the same recipe,
    `model` and `samples` by secrets of their own; return the evidence with the key's rank among them.

    Whoever never met the key can't tell it from a decoy, so the p-value is exact, whatever labels the scheme
    gives: a Monte Carlo test (G. Barnard 1963). Drawing stops after `stop` decoys as high (J. Besag,
    P. Clifford 1991), never where `stop` is None. It holds for one key, drawn once: multiply p by the keys
    that were tried. `budget` is the most images that the suspect may be asked for, the key's own included;
    `bystanders` are those that `keygen` was given, if it was. Raises `ArgumentError` for a key that doesn't
    follow from its secret here, as the decoys do.
    """
    require(n >= 1, "n must be at least 1", n, "999 decoys allow a p-value of 0.001.")
    _check_redrawn(scheme, key, model, samples, bystanders)
    if budget is not None:
        n = min(n, _affordable(budget, len(key)))  # pyrefly: ignore[bad-argument-type]
    others = decoys(scheme, model=model, samples=samples, n=n, seed=seed, bystanders=bystanders)
    return against_keys(scheme, suspect, key, progress.each(others, "decoys", n), stop=stop)


def decoys(
    scheme: Scheme[K],
    *,
    model: nn.Module,
    samples: Samples,
    n: int = 999,
    seed: int = 0,
    bystanders: Sequence[Suspect] | None = None,
) -> Iterator[K]:
    """Draw `n` keys by the recipe of the owner's, from secrets that follow from `seed`, with the `bystanders`
    that were given to `keygen`, if any were.
    """
    for i in range(n):
        secret = hashlib.sha256(f"wmlearn decoy {seed} {i}".encode()).digest()
        yield _drawn(scheme, model, samples, secret, bystanders)


def _drawn(
    scheme: Scheme[K], model: nn.Module, samples: Samples, secret: bytes, bystanders: Sequence[Suspect] | None
) -> K:
    if bystanders is None:
        return scheme.keygen(model, samples, secret=secret)
    keygen: Any = scheme.keygen  # of a scheme that asks bystanders
    return keygen(model, samples, secret=secret, bystanders=bystanders)


def against_keys(
    scheme: Scheme[K], suspect: Suspect, key: K, others: Iterable[K], *, stop: int | None = STOP
) -> Evidence:
    """Rank what `suspect` answers to the owner's key among what it answers to the keys `others`.

    Drawing ends after `stop` of them that agree as often. Raises `ArgumentError` where there are no others.
    """
    require(stop is None or stop >= 1, "stop must be at least 1", stop, "Or None: ask about all of them.")
    owner = scheme.verify(suspect, key)
    as_high = 0
    drawn = 0
    for other in others:
        drawn += 1
        as_high += scheme.verify(suspect, other).rate >= owner.rate
        if as_high == stop:
            return replace(owner, rank=Rank("decoys", as_high, drawn, stopped=True))
    require(drawn > 0, "others must hold at least one key", 0)
    return replace(owner, rank=Rank("decoys", as_high, drawn))


def _affordable(budget: int, size: int) -> int:
    """Return how many decoys of `size` images can be asked about beside the owner's key."""
    n = budget // size - 1
    fix = "No fewer can rank the key."
    require(n >= 1, f"budget must allow the key and one decoy, {2 * size} images", budget, fix)
    return n


def _check_redrawn(
    scheme: Scheme[Any],
    key: Any,
    model: nn.Module,
    samples: Samples,
    bystanders: Sequence[Suspect] | None,
) -> None:
    """Refuse a key that this recipe doesn't draw from its secret, for this model and these samples."""
    drawn = _drawn(scheme, model, samples, key.secret, bystanders)
    same = type(drawn) is type(key) and all(
        _alike(getattr(drawn, field.name), getattr(key, field.name))
        for field in fields(drawn)
        if field.compare
    )
    fix = "Give the scheme, the model and the samples that it was drawn with."
    require(same, "the key must follow from its secret by the scheme's recipe", repr(key), fix)


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor) and isinstance(b, Tensor):  # pixels differ a little between machines
        return a.shape == b.shape and torch.allclose(a.double(), b.double().to(a.device), atol=1e-4)
    return bool(a == b)


def hits_needed(n: int, chance: float, alpha: float) -> int:
    """Return the fewest hits of `n` that support a claim at level `alpha`: the least k with P(Bin(n, chance)
    >= k) <= alpha.

    `n + 1` says that even a perfect score would not do.
    """
    from scipy.stats import binom

    _check(n=n, chance=chance, alpha=alpha)
    k = int(binom.isf(alpha, n, chance))  # near the answer; the exact tail decides
    while k > 0 and binom.sf(k - 1, n, chance) <= alpha:
        k -= 1
    while k <= n and binom.sf(k - 1, n, chance) > alpha:
        k += 1
    return k


def power(n: int, chance: float, survival: float, alpha: float) -> float:
    """Return the probability that a claim with `n` triggers is supported when each was kept with probability
    `survival`, independently.

    `survival` is the rate at which the marked model still answers with the key's label, 0..1, lucky hits
    included.
    """
    from scipy.stats import binom

    require(0 <= survival <= 1, "survival must lie in 0..1", survival)
    return float(binom.sf(hits_needed(n, chance, alpha) - 1, n, survival))


def triggers_needed(chance: float, survival: float, alpha: float, sensitivity: float = 0.9) -> int:
    """Return the fewest triggers whose claim is supported with probability `sensitivity`, that is with this
    `power`; a few more may do slightly worse, as hits are whole.

    Raises `ArgumentError` when the model keeps no more than chance, or so little more that `MOST_TRIGGERS`
    don't do.
    """
    require(0 < sensitivity < 1, "sensitivity must lie in (0, 1)", sensitivity)
    require(
        chance < survival <= 1,
        f"survival must lie above chance, {chance}, and not above 1",
        survival,
        "Such a mark proves nothing.",
    )
    high = 1
    while power(high, chance, survival, alpha) < sensitivity:
        high *= 2
        require(
            high <= MOST_TRIGGERS,
            f"{MOST_TRIGGERS} triggers must be enough",
            survival,
            "The mark is too near to chance.",
        )
    low = max(1, high // 4)  # power rises in a saw: look at all sizes that could be the first
    return next(n for n in range(low, high + 1) if power(n, chance, survival, alpha) >= sensitivity)


def clustered_interval(hits: Sequence[int], size: int, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of a rate whose trials came in clusters of `size` that may be alike; `hits` holds
    one number a cluster.

    E. Korn, B. Graubard, Confidence Intervals for Proportions with Small Expected Number of Positive Counts,
    Survey Methodology 24 (1998): the exact interval of as many independent trials as would scatter like the
    clusters do. Where all clusters are the same nothing can be seen of that, so each counts as one trial.
    """
    from scipy.stats import beta, t

    k = len(hits)
    n = k * size
    require(k > 1 and size > 0, "there must be at least two clusters, none of them empty", (k, size))
    require(all(0 <= h <= size for h in hits), f"hits must lie in 0..{size}", (min(hits), max(hits)))
    require(0 < level < 1, "level must lie in (0, 1)", level)
    rate = sum(hits) / n
    scatter = sum((h / size - rate) ** 2 for h in hits)
    variance = scatter / (k * (k - 1))  # of the rate
    tail = (1 - level) / 2
    few = (t.isf(tail, n - 1) / t.isf(tail, k - 1)) ** 2  # few clusters tell the scatter roughly only
    trials = float(k) if variance == 0 else min(float(n), rate * (1 - rate) / variance) * few
    successes = rate * trials
    low = 0.0 if successes == 0 else float(beta.ppf(tail, successes, trials - successes + 1))
    high = 1.0 if successes == trials else float(beta.isf(tail, successes + 1, trials - successes))
    return low, high


def holm(evidences: Sequence[Evidence], alpha: float = 1e-3) -> tuple[Verdict, ...]:
    """Judge several claims so that *any* false one is supported with probability `alpha` at most, however
    they depend on each other.

    S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6
    (1979). The smallest p-value is compared with alpha / m, the next with alpha / (m - 1), and so on up to
    the first that fails. Each verdict, in the order of `evidences`, names the level that its claim was
    compared with.
    """
    require(len(evidences) > 0, "evidences must not be empty", 0)
    _check(alpha=alpha)
    order = sorted(range(len(evidences)), key=lambda i: evidences[i].p_value)
    verdicts: dict[int, Verdict] = {}
    none_failed = True
    for rank, i in enumerate(order):
        level = alpha / (len(evidences) - rank)
        none_failed = none_failed and evidences[i].p_value <= level
        verdicts[i] = Verdict(none_failed, level, evidences[i])
    return tuple(verdicts[i] for i in range(len(evidences)))


def _check(n: int = 1, chance: float = 0.5, alpha: float = 0.5) -> None:
    require(n >= 1, "n must be at least 1", n)
    require(0 < chance < 1, "chance must lie strictly between 0 and 1", chance)
    require(0 < alpha < 1, "alpha must lie in (0, 1)", alpha)
