"""How many triggers a claim needs, how to make several claims at once, and how to stop asking early, each
with its error kept exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import require
from .evidence import Evidence, Verdict

MOST_TRIGGERS = 100_000


def hits_needed(n: int, chance: float, alpha: float) -> int:
    """Return the fewest hits of `n` that support a claim at level `alpha`: the least k with P(Bin(n, chance)
    >= k) < alpha.

    `n + 1` says that even a perfect score would not do.
    """
    from scipy.stats import binom

    _check(n=n, chance=chance, alpha=alpha)
    k = int(binom.isf(alpha, n, chance))  # near the answer; the exact tail decides
    while k > 0 and binom.sf(k - 1, n, chance) < alpha:
        k -= 1
    while k <= n and binom.sf(k - 1, n, chance) >= alpha:
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


def triggers_needed(chance: float, survival: float, alpha: float, power: float = 0.9) -> int:
    """Return the fewest triggers whose claim is supported with probability `power`; a few more may do
    slightly worse, as hits are whole.

    Raises `ArgumentError` when the model keeps no more than chance, or so little more that `MOST_TRIGGERS`
    don't do.
    """
    require(0 < power < 1, "power must lie in (0, 1)", power)
    require(
        chance < survival <= 1,
        f"survival must lie above chance, {chance}, and not above 1",
        survival,
        "Such a mark proves nothing.",
    )
    high = 1
    while _power(high, chance, survival, alpha) < power:
        high *= 2
        require(
            high <= MOST_TRIGGERS,
            f"{MOST_TRIGGERS} triggers must be enough",
            survival,
            "The mark is too near to chance.",
        )
    low = max(1, high // 4)  # power rises in a saw: look at all sizes that could be the first
    return next(n for n in range(low, high + 1) if _power(n, chance, survival, alpha) >= power)


_power = power


def interval(hits: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a rate, two-sided (Clopper and Pearson 1934)."""
    from scipy.stats import binomtest

    require(
        trials > 0 and 0 <= hits <= trials,
        "hits must lie in 0..trials, and trials be positive",
        (hits, trials),
    )
    require(0 < level < 1, "level must lie in (0, 1)", level)
    low, high = binomtest(hits, trials).proportion_ci(level, "exact")
    return float(low), float(high)


def clustered_interval(hits: Sequence[int], size: int, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of a rate whose trials came in clusters of `size` that may be alike; `hits` holds
    one number a cluster.

    E. Korn, B. Graubard, Confidence Intervals for Proportions with Small Expected Number of Positive Counts,
    Survey Methodology 24 (1998): the exact interval of as many independent trials as would scatter like the
    clusters do. Where all clusters are the same nothing can be seen of that, so each counts as one trial.
    """
    from scipy.stats import beta, t

    k, n = len(hits), len(hits) * size
    require(k > 1 and size > 0, "there must be at least two clusters, none of them empty", (k, size))
    require(all(0 <= each <= size for each in hits), f"hits must lie in 0..{size}", (min(hits), max(hits)))
    require(0 < level < 1, "level must lie in (0, 1)", level)
    rate = sum(hits) / n
    variance = sum((each / size - rate) ** 2 for each in hits) / (k * (k - 1))
    tail = (1 - level) / 2
    few = (t.isf(tail, n - 1) / t.isf(tail, k - 1)) ** 2  # few clusters tell the scatter roughly only
    trials = float(k) if variance == 0 else min(float(n), rate * (1 - rate) / variance) * few
    found = rate * trials
    low = 0.0 if found == 0 else float(beta.ppf(tail, found, trials - found + 1))
    high = 1.0 if found == trials else float(beta.isf(tail, found + 1, trials - found))
    return low, high


def holm(evidences: Sequence[Evidence], alpha: float = 1e-3) -> tuple[Verdict, ...]:
    """Judge several claims so that *any* false one is supported with probability below `alpha`, however they
    depend on each other.

    S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6
    (1979). The smallest p-value is compared with alpha / m, the next with alpha / (m - 1), and so on up to
    the first that fails. Each verdict, in the order of `evidences`, names the level that its claim was
    compared with.
    """
    require(len(evidences) > 0, "evidences must not be empty", 0)
    _check(alpha=alpha)
    order = sorted(range(len(evidences)), key=lambda i: evidences[i].p_value)
    verdicts, open_ = {}, True
    for rank, i in enumerate(order):
        level = alpha / (len(evidences) - rank)
        open_ = open_ and evidences[i].p_value < level
        verdicts[i] = Verdict(open_, level, evidences[i])
    return tuple(verdicts[i] for i in range(len(evidences)))


@dataclass(frozen=True)
class Bet:
    """A test that may stop at any query: it bets against innocence, and supports the claim once its money has
    grown 1 / alpha-fold.

    Under an innocent model, that hits with probability `chance` at most given all answers before, the money
    is a non-negative supermartingale that starts at 1, so it ever reaches 1 / alpha with probability alpha at
    most (Ville 1939): the level holds for every rule of stopping. A hit multiplies it by survival / chance, a
    miss by (1 - survival) / (1 - chance), as in A. Wald, Sequential Tests of Statistical Hypotheses, Annals
    of Mathematical Statistics 16 (1945), with `survival` the rate a marked model is expected to keep.
    Differs: there is no lower limit that clears a suspect; whoever runs out of queries has no proof.
    """

    chance: float
    survival: float = 0.9
    alpha: float = 1e-3

    def __post_init__(self) -> None:
        _check(chance=self.chance, alpha=self.alpha)
        require(
            self.chance < self.survival < 1,
            f"survival must lie between chance, {self.chance}, and 1",
            self.survival,
        )


@dataclass(frozen=True)
class Stopped:
    """What a test that stops early found: `owned` after `queries` of the `n` triggers, `hits` of them;
    `money` is what its bets grew to.
    """

    owned: bool
    queries: int
    hits: int
    n: int
    money: float

    @property
    def saved(self) -> int:
        """The queries that were not asked."""
        return self.n - self.queries


def sequential(hits: Iterable[bool], bet: Bet, n: int) -> Stopped:
    """Take answers one by one, at most `n` of them, until the bet is won; an iterator isn't asked for more
    than that.

    The triggers must come in an order that doesn't depend on the suspect. Raises `ArgumentError` when `hits`
    ends before `n` and the bet.
    """
    _check(n=n)
    money, found, asked, answers = 1.0, 0, 0, iter(hits)
    win, lose = bet.survival / bet.chance, (1 - bet.survival) / (1 - bet.chance)
    while asked < n and money * bet.alpha < 1:
        hit = next(answers, None)
        require(hit is not None, f"hits must hold {n} answers", asked)
        asked, found, money = asked + 1, found + bool(hit), money * (win if hit else lose)
    return Stopped(money * bet.alpha >= 1, asked, found, n, money)


def _check(n: int = 1, chance: float = 0.5, alpha: float = 0.5) -> None:
    require(n >= 1, "n must be at least 1", n)
    require(0 < chance < 1, "chance must lie strictly between 0 and 1", chance)
    require(0 < alpha < 1, "alpha must lie in (0, 1)", alpha)
