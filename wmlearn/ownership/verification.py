"""What a judge makes of one bundle: is it void, what did the suspects answer, and how would a model without
the mark have answered?

The null is exact, and needs no other models. Seeds were fixed before the keeper's nonce, labels follow from
both, and which triggers are opened follows from nonces of judge and keeper. So a model that never met the key
gives each opened label with probability 1 / classes, independently, *whatever* it is: one that answers with a
single class, one that answers all odd pictures alike, one for which somebody ground a million seeds. The tail
of Bin(n, 1 / classes) is a promise over keys, and keys are what luck could try; so p is multiplied by the
tries that the book shows (Bonferroni), and compared with the level of the challenge.

Why not the rank among decoys: with D decoys no p lies below 1 / (1 + D), so that each further try would cost
a thousand queries more. Decoys are the control beside it. The judge draws keys of his own by the same recipe,
and asks about their triggers and the owner's in one random order, a picture a query. Strangers' keys must do
no better than chance, else the finding shows nothing; the rank among them is reported; and what a service
does to odd pictures, refusals above all, it does to both.

What cannot be refused:
- A mark that somebody put into the model before its release: the poisoner of its training data, an employee,
  the thief of an unreleased model. A match proves that the mark is in the model, not how it came there.
- A service that its accuser controls. `shade` asks a little other images, which defeats a list of them.
- A keeper in league with an owner, who draws nonces until one suits: k secret draws make p k times too small.
- An owner who never committed has nothing to show, however plain the theft.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ..errors import WmlearnError, require
from ..evidence import NO_ANSWER, Evidence, Rank, Suspect, answers
from ..watermarks import new_secret
from ..watermarks.secret import order, uniform
from .bundle import Bundle, faults
from .commitment import Commitment
from .cut_and_choose import Challenge, identify, opened_before
from .documents import check_hex, digest, kind, parse
from .registry import Book, Entry, Receipt, Release, audited
from .seeded import decoy, pairs_of, trigger

AT_ONCE = 256  # images drawn, and shown to a model, at a time
GIVE_UP = 10  # queries without an answer, one after the other, until the rest counts as refused


@dataclass(frozen=True, eq=False)
class Case:
    """What the judge knows before he opens a bundle.

    `suspects` have the judge's names for them; `book` is the registry, in which all `receipts` must be found;
    `judge` is the public key of the judge whom the parties accept. `released` is the number of the release
    that a suspect is said to stem from; it is only needed for services, and for models that the book doesn't
    know. `shade` is the largest change of a pixel that the judge adds to every picture, so that a list of
    known images is of no use. Decoys, shades and the order of queries follow from `secret`.
    """

    suspects: Mapping[str, Suspect]
    book: Book
    judge: str
    released: int | None = None
    shade: float = 0.0
    receipts: tuple[Receipt, ...] = ()
    secret: bytes = field(default_factory=new_secret, repr=False)

    def __post_init__(self) -> None:
        require(len(self.suspects) > 0, "there must be at least one suspect", 0)
        check_hex(64, judge=self.judge)
        require(0 <= self.shade < 0.5, "shade must lie in [0, 0.5)", self.shade)
        number = self.released
        in_book = number is None or 1 <= number <= len(self.book.entries)
        is_release = number is None or (in_book and self.book.entries[number - 1].kind == kind(Release))
        fix = "Look for it with read_book(registry)."
        require(is_release, "released must be the number of a registered release", number, fix)


@dataclass(frozen=True)
class Match:
    """What one suspect answered, and whether that shows the mark; what it refused counts as a miss.

    `decoys` says how many of the judge's keys it agreed with as often; `refused_decoys` are of theirs.
    """

    evidence: Evidence
    decoys: Rank
    refused: int
    refused_decoys: int
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
    its weights; the number of its first release, or of its first ancestor's; what is wrong with the book.
    """

    names: Mapping[str, str]
    released: Mapping[str, int]
    faults: tuple[str, ...]


def read(case: Case) -> Reading:
    """Hash the weights of every suspect that is a model, look for their releases, and audit the book."""
    names = {name: identify(name, suspect) for name, suspect in case.suspects.items()}
    book_faults = audited(case.book, case.receipts).faults
    if book_faults:
        return Reading(names, {}, book_faults)
    first = first_releases(case.book)
    found = {name: _first_of_line(first, fingerprint_in(document)) for name, document in names.items()}
    released = {name: number for name, number in found.items() if number}
    return Reading(names, released, ())


def fingerprint_in(document_name: str) -> str:
    """Return the hash in a suspect's name, as `identify` wrote it; "" for a service."""
    _, mark, weights = document_name.rpartition(" sha256:")
    return weights if mark else ""


@dataclass(frozen=True)
class Published:
    """The first release of some weights: its entry's number, and what it says."""

    number: int
    release: Release


def first_releases(book: Book) -> dict[str, Published]:
    """Return the first release of every fingerprint: later ones can't move it, nor name other ancestors."""
    first: dict[str, Published] = {}
    for entry in book.entries:
        if entry.kind == kind(Release):
            document = parse(entry.document, Release)
            first.setdefault(document.fingerprint, Published(entry.number, document))
    return first


def _first_of_line(first: Mapping[str, Published], weights: str) -> int:
    """Return the number of the earliest release of these weights or of an ancestor; 0 where there is none."""
    numbers: list[int] = []
    ahead = [weights]
    seen: set[str] = set()
    while ahead:
        each = ahead.pop()
        if each in first and each not in seen:
            numbers.append(first[each].number)
            ahead += first[each].release.after
        seen.add(each)
    return min(numbers, default=0)


def verify(case: Case, challenge: Challenge, bundle: Bundle, *, reading: Reading | None = None) -> Finding:
    """Check a bundle against the `challenge` that the judge drew for it, then ask the suspects; a void bundle
    asks nobody anything.

    `reading` spares a second bundle of the same case what `read` takes. Raises `ArgumentError` for models
    with other images or classes than the key's.
    """
    void = faults(bundle)
    if void:
        return Finding(bundle.by, 0, 0.0, void, {})
    facts = reading or read(case)
    number = _number_of(case.book, bundle.promise)
    void = tuple(_objections(case, facts, challenge, bundle))
    if void:
        return Finding(bundle.by, number, 0.0, void, {})
    bounds = {name: _bound(case, facts, bundle, name) for name in case.suspects}
    on_time = {name for name, bound in bounds.items() if number < bound}
    if not on_time:
        return Finding(bundle.by, number, 0.0, (_lateness(number, bounds),), {})
    level = challenge.level / tries(case, bundle, max(bounds.values()))
    matches = {}
    for place, name in enumerate(case.suspects):
        asked = _asked(case, bundle, name, place)
        matches[name] = _match(asked, bundle, level, on_time=name in on_time)
    return Finding(bundle.by, number, level, (), matches, tuple(_notes(matches, bounds, on_time, level)))


def _number_of(book: Book, receipt: Receipt) -> int:
    """Return the number of a receipt's entry, 0 where the book does not hold it."""
    return receipt.entry.number if _holds(book, receipt.entry) else 0


def _holds(book: Book, entry: Entry) -> bool:
    return entry.number <= len(book.entries) and book.entries[entry.number - 1] == entry


def _objections(case: Case, reading: Reading, challenge: Challenge, bundle: Bundle) -> Iterator[str]:
    """Say why a bundle without faults is void in this case."""
    if reading.faults:
        yield f"the registry is not sound: {reading.faults[0]}"
        return
    if bundle.challenge != challenge:
        yield "it answers another challenge than the one in this case"
    if bundle.challenge.by != case.judge:
        yield "its challenge is not by the judge of this case"
    if challenge.suspects != tuple(reading.names.values()):
        yield "the challenge names other suspects than those of this case"
    if bundle.promise.by != case.book.keeper:
        yield "its receipts are by another keeper than that of the registry"
    if not _holds(case.book, bundle.promise.entry):
        yield "its commitment is not in the registry"
    if not _holds(case.book, bundle.question.entry):
        yield "its challenge is not in the registry"
        return
    spent = opened_before(case.book, case.judge, bundle.commitment, bundle.question.entry.number)
    if challenge.spent != spent:
        yield "the challenge spares other triggers than those that the registry shows as opened"


def _bound(case: Case, reading: Reading, bundle: Bundle, name: str) -> int:
    """Return the number of the entry before which the commitment must lie, for this suspect.

    Its own first release, or its first ancestor's; that which the operator names for a suspect that the book
    does not know; or else the first release by the claimant that carries this commitment. 0 where there is
    none: then nothing tells a key from one that was put into a model that others made.
    """
    numbers = [reading.released[name]] if name in reading.released else []
    if case.released is not None:
        numbers.append(case.released)
    return min(numbers) if numbers else _own_release(case.book, bundle)


def _own_release(book: Book, bundle: Bundle) -> int:
    name = digest(bundle.commitment)
    for entry in book.entries:
        if entry.kind == kind(Release):
            document = parse(entry.document, Release)
            if document.by == bundle.by and name in document.commitments:
                return entry.number
    return 0


def _lateness(number: int, bounds: Mapping[str, int]) -> str:
    latest = max(bounds.values())
    if latest:
        return f"it was committed to (entry {number}) after the model was released (entry {latest})"
    return (
        "no release tells when the model came out: neither of a suspect, nor one of the claimant's own that"
        " carries this commitment"
    )


def tries(case: Case, bundle: Bundle, bound: int) -> int:
    """Count the chances that luck had: every commitment before the release (entry `bound`) is a ticket, every
    challenge of this judge to this one a draw, every suspect a prize.

    All commitments count, whoever signed them: names cost nothing, so nobody can tell how many are one
    person's. An exact p can afford it; a flood of a million entries costs a claim six hits or so.
    """
    present = bundle.challenge
    tickets = sum(entry.kind == kind(Commitment) for entry in case.book.entries[:bound])
    draws = 0
    for entry in case.book.entries:
        if entry.kind == kind(Challenge):
            other = parse(entry.document, Challenge)
            draws += other.by == present.by and other.commitment == present.commitment
    return max(1, tickets) * max(1, draws) * len(case.suspects)


@dataclass(frozen=True, eq=False)
class _Asked:
    """What a suspect answered to the owner's triggers and the judge's decoys: is each label (keys, n) the
    key's, and which queries were refused. Row 0 is the owner's key.
    """

    hits: Tensor
    refused: Tensor


def _asked(case: Case, bundle: Bundle, name: str, place: int) -> _Asked:
    """Ask one suspect about all keys in one random order; `place` tells the suspects of a case apart."""
    openings = bundle.openings
    n = len(openings)
    keys = 1 + bundle.challenge.decoys
    nonce = bundle.promise.entry.nonce
    own = [trigger(bundle.by, nonce, opening.index, bytes.fromhex(opening.seed)) for opening in openings]
    secret = case.secret + place.to_bytes(4, "big") + bytes.fromhex(bundle.challenge.nonce)
    others = [decoy(secret, key, i) for key in range(1, keys) for i in range(n)]
    drawn = own + others  # (keys * n,)
    sequence = order(secret, "sequence", len(drawn)).tolist()
    hits = torch.zeros(keys * n, dtype=torch.bool)
    refused = torch.zeros(keys * n, dtype=torch.bool)
    asking = Asking(case.suspects[name], bundle.commitment.classes)
    for start in range(0, len(sequence), AT_ONCE):
        part = sequence[start : start + AT_ONCE]
        pairs = pairs_of(bundle.commitment, [drawn[i] for i in part])
        labels = asking.labels(_shaded(pairs.x, secret, start, case.shade))
        hits[part] = labels == pairs.y
        refused[part] = labels == NO_ANSWER
    return _Asked(hits.view(keys, n), refused.view(keys, n))


def _shaded(x: Tensor, secret: bytes, start: int, shade: float) -> Tensor:
    """Change every pixel of some images (n, C, H, W) by up to `shade`."""
    if not shade:
        return x
    noise = uniform(secret, f"shade {start}", *x.shape) * 2 - 1
    return (x + shade * noise).clamp(0, 1)


class Asking:
    """Asks one suspect, picture by picture; one that stays silent is not asked for ever."""

    def __init__(self, suspect: Suspect, classes: int) -> None:
        self.suspect = suspect
        self.classes = classes
        self.silent = 0

    def labels(self, x: Tensor) -> Tensor:
        """Return the labels (N,) of images (N, C, H, W); `NO_ANSWER` where there was none."""
        if isinstance(self.suspect, nn.Module):
            return answers(self.suspect, x, self.classes).cpu()
        return torch.tensor([self._label(image) for image in x.split(1)])

    def _label(self, image: Tensor) -> int:
        """Ask about one image (1, C, H, W); whatever isn't a label of the task is no answer."""
        assert not isinstance(self.suspect, nn.Module)
        if self.silent >= GIVE_UP:
            return NO_ANSWER
        try:
            label = int(answers(self.suspect, image, self.classes)[0])
        except (WmlearnError, OSError, ValueError, TypeError, RuntimeError):
            label = NO_ANSWER
        self.silent = self.silent + 1 if label == NO_ANSWER else 0
        return label


def _match(asked: _Asked, bundle: Bundle, level: float, *, on_time: bool) -> Match:
    chance = bundle.commitment.chance
    hits = asked.hits.sum(1)  # (keys,)
    n = asked.hits.shape[1]
    evidence = Evidence(bundle.commitment.scheme, "labels", int(hits[0]), n, chance)
    decoys = hits[1:]
    control = Evidence(evidence.scheme, "labels", int(decoys.sum()), decoys.numel() * n, chance)
    refused = asked.refused.sum(1)  # (keys,)
    return Match(
        evidence=evidence,
        decoys=Rank("decoys", int((decoys >= hits[0]).sum()), len(decoys)),
        refused=int(refused[0]),
        refused_decoys=int(refused[1:].sum()),
        owned=on_time and evidence.p_value <= level < control.p_value,
    )


def _notes(
    matches: Mapping[str, Match], bounds: Mapping[str, int], on_time: set[str], level: float
) -> Iterator[str]:
    for name, match in matches.items():
        if name not in on_time and bounds[name]:
            yield f"{name} was released before this commitment, so a match with it does not count"
        elif name not in on_time:
            yield f"no release tells when {name} came out, so a match with it does not count"
        if match.refused or match.refused_decoys:
            asked = match.evidence.trials * match.decoys.drawn
            yield (
                f"{name} gave no answer to {match.refused} of {match.evidence.trials} triggers and to"
                f" {match.refused_decoys} of {asked} decoys; that counts as a miss, for refusing proves"
                " neither guilt nor innocence"
            )
        if name in on_time and match.evidence.p_value <= level and not match.owned:
            yield f"{name} agrees with strangers' keys more often than by chance, so nothing is shown"
        if match.owned and match.decoys.as_high:
            as_high = f"{match.decoys.as_high} of {match.decoys.drawn}"
            yield f"{name} agrees as often with {as_high} strangers' keys"
