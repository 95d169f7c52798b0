"""What a judge makes of one bundle: is it void, what did the suspects answer, and how would innocent models
have answered?

The null is the judge's own. An owner's `chance` is only a word, so it is raised to what bystanders do on the
very triggers that were opened (the worst of them, at the top of its 95 % interval), and never lies below 1 /
classes. That is careful: of 30 opened triggers it makes a chance of 0.1 about 0.4, so that a mark of which
half is left is not shown any more. Where a mark has been worn down, open more.

What cannot be refused:
- A key that was committed to before the release by somebody who had the model before: an employee, the thief
  of an unreleased model, or a customer where the owner registered the release late.
- A service that its accuser controls, and that looks up the accuser's own triggers. `shade` asks a little
  other images.
- Triggers found on bystanders that the judge does not have, and that match only models of the suspect's kind.
  Choose bystanders of the suspect's architecture, trained on its task.
- With `chosen` keys: triggers that are alike, a hundred pictures between a 4 and a 9. They match all or
  nothing, the bystanders may all be on the other side, and p is far too small. Only 1 / alpha bystanders
  would tell; or hear no key whose triggers were chosen.
- Where no release was registered, nothing tells a key from one that was found on the model: then there is no
  case.
- An owner who never committed has nothing to show, however plain the theft.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from ..errors import require
from ..evidence import NO_ANSWER, Evidence, Suspect, answers, ask, judge
from ..watermarks.secret import uniform
from .bundle import Bundle, faults
from .commitment import Commitment
from .cut_and_choose import Challenge, identify
from .documents import kind
from .registry import Book, Release, audited, challenges, find
from .salted import redrawn


@dataclass(frozen=True, eq=False)
class Case:
    """What the judge knows before he opens a bundle.

    `suspects` have the judge's names for them; `book` is the registry; `released` the number of the entry
    with which the model in question was released. `shade` is the largest change of a pixel that the judge
    adds to every trigger, so that a list of known images is of no use. Unless `chosen` keys are heard, too,
    every trigger must follow from its salt.
    """

    suspects: Mapping[str, Suspect]
    bystanders: Sequence[Suspect]
    book: Book
    released: int
    alpha: float = 1e-3
    shade: float = 0.0
    chosen: bool = False

    def __post_init__(self) -> None:
        require(len(self.suspects) > 0, "there must be at least one suspect", 0)
        require(
            len(self.bystanders) > 0,
            "bystanders must not be empty",
            0,
            "Train a few models without the mark.",
        )
        require(0 < self.alpha < 1, "alpha must lie in (0, 1)", self.alpha)
        require(0 <= self.shade < 0.5, "shade must lie in [0, 0.5)", self.shade)
        in_book = 1 <= self.released <= len(self.book.entries)
        require(
            in_book and self.book.entries[self.released - 1].kind == kind(Release),
            "released must be the number of a registered release",
            self.released,
            "Look for it in read_book(registry).",
        )


@dataclass(frozen=True)
class Match:
    """What one suspect answered, and whether that supports the claim; a refused query counts as a miss."""

    evidence: Evidence
    refused: int
    owned: bool


@dataclass(frozen=True)
class Finding:
    """What a bundle is worth: `number` of its commitment's entry (0: none), the level of each test, why it is
    void, and the matches.
    """

    by: str
    number: int
    level: float
    void: tuple[str, ...]
    matches: Mapping[str, Match]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What a judge reads once a case: every suspect's name in documents, in which a model's has the hash of
    its weights, and what is wrong with the book.
    """

    names: Mapping[str, str]
    faults: tuple[str, ...]


def read(case: Case) -> Reading:
    """Hash the weights of every suspect that is a model, and audit the book."""
    names = {name: identify(name, suspect) for name, suspect in case.suspects.items()}
    return Reading(names, audited(case.book).faults)


@dataclass(frozen=True)
class _Claim:
    """A bundle without faults, the number of its commitment's entry (0: none), and whether its triggers
    follow from their salts.
    """

    bundle: Bundle
    number: int
    follows: bool


def verify(case: Case, challenge: Challenge, bundle: Bundle, *, reading: Reading | None = None) -> Finding:
    """Check a bundle against the `challenge` that the judge drew for it, then ask the suspects; a void bundle
    asks nobody anything.

    `reading` spares a second bundle of the same case what `read` takes. Raises `ArgumentError` for suspects
    with other images or classes than the key's.
    """
    entry = find(case.book, bundle.commitment)
    number = entry.number if entry else 0
    void = faults(bundle)
    if void:
        return Finding(bundle.by, number, 0.0, void, {})
    claim = _Claim(bundle, number, redrawn(bundle))
    void = tuple(_objections(case, reading or read(case), challenge, claim))
    if void:
        return Finding(bundle.by, number, 0.0, void, {})
    return _ask_all(case, claim)


def _ask_all(case: Case, claim: _Claim) -> Finding:
    """Ask the suspects, unless not even a perfect score would prove anything."""
    bundle = claim.bundle
    x = _shade(bundle, case.shade)  # (n, C, H, W)
    n = len(bundle.y)
    classes = bundle.commitment.classes
    chance = max(bundle.commitment.chance, 1 / classes, worst_rate(x, bundle.y, case.bystanders))
    best = Evidence(bundle.commitment.scheme, "labels", n, n, chance)
    level = case.alpha / tries(case, bundle)
    if not judge(best, level).owned:
        why = (
            f"it can prove nothing: innocent models give such a label with probability up to {chance:.2f},"
            f" and {n} were opened"
        )
        return Finding(bundle.by, claim.number, level, (why,), {})
    matches = {
        name: _match(ask(suspect, x, classes), bundle.y, best, level)
        for name, suspect in case.suspects.items()
    }
    return Finding(bundle.by, claim.number, level, (), matches, tuple(_notes(claim, matches)))


def worst_rate(x: Tensor, y: Tensor, bystanders: Sequence[Suspect]) -> float:
    """Bound how often bystanders answer `y` (n,) to `x` (n, C, H, W): the worst one's rate, at the top of its
    95 % interval (C. Clopper, E. Pearson 1934, one-sided).
    """
    from scipy.stats import beta

    n = len(y)
    hits = max(int((answers(model, x) == y).sum()) for model in bystanders)
    if hits == n:
        return 1 - 1e-9  # the interval ends at 1, which no evidence could ever beat
    return float(beta.ppf(0.95, hits + 1, n - hits))


def tries(case: Case, bundle: Bundle) -> int:
    """Count the chances that luck had: every registered commitment is a ticket, every challenge to this one a
    draw, every suspect a prize.

    All commitments before the release count, whoever signed them, since nobody can tell how many are one
    person's; so do this judge's challenges. `alpha` is shared among the tries (Bonferroni). Who floods a
    registry makes every claim harder: let entries cost something.
    """
    present = bundle.challenge
    tickets = sum(entry.kind == kind(Commitment) for entry in case.book.entries[: case.released])
    draws = sum(
        earlier.by == present.by and earlier.commitment == present.commitment
        for earlier in challenges(case.book)
    )
    return max(1, tickets) * max(1, draws) * len(case.suspects)


def _objections(case: Case, reading: Reading, challenge: Challenge, claim: _Claim) -> Iterator[str]:
    """Say why a bundle without faults is void in this case."""
    if claim.bundle.challenge != challenge:
        yield "it answers another challenge than the one in this case"
    if challenge.suspects != tuple(reading.names.values()):
        yield "the challenge names other suspects than those of this case"
    if reading.faults:
        yield f"the registry is not sound: {reading.faults[0]}"
    if not claim.number:
        yield "its commitment is not in the registry"
    elif claim.number > case.released:
        yield (
            f"it was committed to (entry {claim.number}) after the model was released (entry {case.released})"
        )
    if not case.chosen and not claim.follows:
        yield "its triggers do not follow from their salts, so they may have been chosen"
    if not claim.follows and len(claim.bundle.y.unique()) == 1:
        yield (
            "its triggers share one label, which has no chance to compute with, and they were chosen, so that"
            " no recipe draws decoys"
        )


def _shade(bundle: Bundle, shade: float) -> Tensor:
    """Change every pixel by up to `shade`, by the judge's nonce."""
    x = bundle.x
    noise = uniform(bytes.fromhex(bundle.challenge.nonce), "shade", *x.shape) * 2 - 1
    return (x + shade * noise).clamp(0, 1)


def _match(labels: Tensor, y: Tensor, best: Evidence, level: float) -> Match:
    evidence = replace(best, hits=int((labels == y).sum()))
    return Match(evidence, int((labels == NO_ANSWER).sum()), judge(evidence, level).owned)


def _notes(claim: _Claim, matches: Mapping[str, Match]) -> Iterator[str]:
    if not claim.follows:
        yield "the triggers were chosen: p counts them as independent, which triggers that are alike are not"
    for name, match in matches.items():
        if match.refused:
            yield (
                f"{name} refused {match.refused} of {match.evidence.trials} queries; they count as misses,"
                " for refusing proves neither guilt nor innocence"
            )
