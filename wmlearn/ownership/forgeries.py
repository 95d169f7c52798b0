"""False claims, one a function, and what the judge makes of each. All are to be refused; each says by what.

The ambiguity attack is L. Fan, K. W. Ng, C. S. Chan: Rethinking Deep Neural Network Ownership Verification,
NeurIPS 2019, arXiv:1909.07830; forging against a service is S. Lounici and others, Preventing Watermark
Forging Attacks in a MLaaS Environment, SECRYPT 2021. Differs: the details of neither were at hand; the
attacks are derived anew for a judge who sees labels, and for seeds that mean nothing before a nonce is drawn.
Pictures that independent networks answer alike are those of J. Liu and others: False Claims against Model
Ownership Resolution, USENIX Security 2024, arXiv:2304.06607.

Each forger may see everything public: the victim's released model, the book, and what a dispute has opened.
He may have friends: a judge, a keeper of another book, twenty names.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import WmlearnError
from ..evidence import NO_ANSWER, Suspect, answers
from . import merkle, toys
from .bundle import Bundle, respond
from .commitment import Commitment, leaves
from .cut_and_choose import Challenge, challenge, fingerprint
from .disputes import Party, Report, dispute
from .documents import signed, text
from .identity import Identity, new_identity, secret_for
from .registry import Book, Entry, chained, closed, receipt, release
from .seeded import Pairs, draw, opened_by, pairs_of, trigger
from .stages import (
    Attempt,
    Question,
    Stage,
    answered,
    asked,
    booked,
    committed,
    found,
    heard,
    opening,
    paper,
    promises,
)
from .verification import Case, Finding

Forgery = Callable[[Stage, Identity], Attempt]
POOL = 30  # seeds that a grinder tries for each trigger
GUESS = "0" * 64  # the nonce that a grinder hopes for
NOBODY = "0100000000000000000000000000000000000000000000000000000000000000"
"""A key of small order, for which one signature fits every message where it isn't refused."""


# What a claim came to


def judged(story: str, finding: Finding) -> Attempt:
    """Return what a finding makes of a false claim."""
    accepted = any(match.owned for match in finding.matches.values())
    return Attempt(story, accepted, "nothing: the claim stands" if accepted else stopped_by(finding))


def stopped_by(finding: Finding) -> str:
    """Say why a claim that is not believed is not."""
    return finding.void[0] if finding.void else "too few hits"


def decided(story: str, report: Report, forger: str) -> Attempt:
    """Return what a dispute makes of a false claim."""
    return Attempt(story, report.owner == forger, report.reasons[-1])


def refused(story: str, error: WmlearnError) -> Attempt:
    """Return a claim that was not even heard."""
    return Attempt(story, accepted=False, why=str(error))


def claim(
    stage: Stage,
    story: str,
    book: Book,
    forger: Identity,
    promise: Commitment,
    *,
    released: int | None = None,
) -> Attempt:
    """Claim the owner's model by an honest answer to an honest judge."""
    suspects = {"model": stage.model}
    return judged(story, heard(stage, book, forger, promise, suspects, released=released))


# Keys that were searched for


def ground(
    stage: Stage, forger: Identity, models: Sequence[Suspect], *, nonce: str = GUESS, pool: int = POOL
) -> list[bytes]:
    """Try `pool` seeds for each trigger, and keep those whose label most of the models give, were `nonce` the
    keeper's.
    """
    n = stage.commitment.n
    tried = [hashlib.sha256(forger.secret + f"{i}".encode()).digest() for i in range(n * pool)]
    pairs = drawn(stage, forger, [(i // pool, seed) for i, seed in enumerate(tried)], nonce)
    votes = torch.stack([answers(model, pairs.x) == pairs.y for model in models])  # (models, n * pool)
    best = votes.sum(0).view(n, pool).argmax(1).tolist()
    return [tried[index * pool + i] for index, i in enumerate(best)]


def drawn(stage: Stage, person: Identity, seeds: Sequence[tuple[int, bytes]], nonce: str) -> Pairs:
    """Draw what numbered seeds mean under a nonce."""
    public = person.public  # once: it is computed from the secret
    triggers = [trigger(public, nonce, index, seed) for index, seed in seeds]
    return pairs_of(stage.commitment, triggers)


@dataclass(frozen=True)
class Ground:
    """Seeds that were searched for, and the promise of them."""

    seeds: list[bytes]
    promise: Commitment


def _ground(stage: Stage, forger: Identity, *models: Suspect) -> Ground:
    seeds = ground(stage, forger, models or [stage.model])
    return Ground(seeds, committed(stage, forger, seeds))


def _claim_ground(
    stage: Stage,
    story: str,
    forger: Identity,
    key: Ground,
    book: Book,
    suspect: nn.Module,
    released: int | None = None,
) -> Attempt:
    """Claim a suspect with seeds of one's own choice, whose promise is in the book."""
    promise = key.promise
    suspects = {"model": suspect}
    question = asked(stage, book, promise, suspects)
    bundle = opening(forger, question, key.seeds)
    return judged(story, found(stage, question, bundle, suspects, released=released))


def ground_on_strangers(stage: Stage, forger: Identity) -> Attempt:
    """Grind seeds, in time, on networks of one's own that learnt the same task."""
    key = _ground(stage, forger, *_strangers(stage))
    book = booked(stage, early=[key.promise])
    return _claim_ground(stage, "seeds ground on other networks", forger, key, book, stage.model)


def ground_on_the_model(stage: Stage, forger: Identity) -> Attempt:
    """Grind seeds on the released model itself, and promise them afterwards."""
    key = _ground(stage, forger)
    book = booked(stage, late=[key.promise])
    return _claim_ground(stage, "seeds ground on the released model", forger, key, book, stage.model)


def any_release(stage: Stage, forger: Identity) -> Attempt:
    """Promise after the release, release the same weights once more, and name that release to the judge."""
    key = _ground(stage, forger)
    again = release(forger, "mine", fingerprint(stage.model))
    book = booked(stage, late=[key.promise, again])
    number = len(book.entries)
    return _claim_ground(stage, "a later release of the same model", forger, key, book, stage.model, number)


def next_version(stage: Stage, forger: Identity) -> Attempt:
    """Grind on version 1, promise before version 2 comes out, and claim that."""
    key = _ground(stage, forger)
    second = nudged(stage.model, 1e-4)
    after = (fingerprint(stage.model),)
    two = release(stage.owner, "version 2", fingerprint(second), after=after)
    book = booked(stage, late=[key.promise, two])
    return _claim_ground(stage, "a promise between two versions", forger, key, book, second)


def one_bit(stage: Stage, forger: Identity) -> Attempt:
    """Change a model's last bit, release that as one's own, and claim it with seeds ground on the
    original.
    """
    key = _ground(stage, forger)
    twin = nudged(stage.model, 1e-7)
    book = booked(stage, late=[key.promise, release(forger, "mine", fingerprint(twin))])
    return _claim_ground(stage, "a copy with one weight changed", forger, key, book, twin)


def one_seed(stage: Stage, forger: Identity) -> Attempt:
    """Promise one lucky seed over and over: one guess is to look like thirty."""
    seeds = ground(stage, forger, [stage.model])[:1] * stage.commitment.n
    key = Ground(seeds, committed(stage, forger, seeds))
    book = booked(stage, early=[key.promise])
    return _claim_ground(stage, "one seed many times", forger, key, book, stage.model)


def seeds_afterwards(stage: Stage, forger: Identity) -> Attempt:
    """Promise in time; when the nonce is known, search for better seeds, and open those."""
    honest = promises(stage, forger)
    book = booked(stage, early=[honest])
    question = asked(stage, book, honest, {"model": stage.model})
    nonce = question.promise.entry.nonce
    better = ground(stage, forger, [stage.model], nonce=nonce)
    bundle = opening(forger, question, better)
    return judged("seeds chosen after the nonce", found(stage, question, bundle, {"model": stage.model}))


def chosen_nonce(stage: Stage, forger: Identity) -> Attempt:
    """Grind seeds for a nonce, and show the receipt of a keeper who is a friend and says that he drew it."""
    friend = new_identity("another keeper")
    seeds = ground(stage, forger, [stage.model])
    promise = committed(stage, forger, seeds)
    book = booked(stage, early=[promise])
    question = asked(stage, book, promise, {"model": stage.model})
    entry = replace(question.promise.entry, nonce=GUESS)
    entries = [entry if other.number == entry.number else other for other in question.book.entries]
    false = receipt(closed(entries, friend, question.promise.made), friend, entry.number)
    bundle = opening(forger, replace(question, promise=false), seeds)
    return judged(
        "a nonce of one's own, from another keeper", found(stage, question, bundle, {"model": stage.model})
    )


def edited_receipt(stage: Stage, forger: Identity) -> Attempt:
    """Grind seeds for a nonce, and write it into the keeper's receipt."""
    seeds = ground(stage, forger, [stage.model])
    promise = committed(stage, forger, seeds)
    question = asked(stage, booked(stage, early=[promise]), promise, {"model": stage.model})
    entry = replace(question.promise.entry, nonce=GUESS)
    bundle = opening(forger, replace(question, promise=replace(question.promise, entry=entry)), seeds)
    return judged("a nonce written into the receipt", found(stage, question, bundle, {"model": stage.model}))


def lottery(stage: Stage, forger: Identity, *, tickets: int = 20) -> Attempt:
    """Promise many keys in time, under many names, and claim with the one that turns out luckiest."""
    people = [Identity(f"{forger.name} {i}", secret_for(forger, "lottery", str(i))) for i in range(tickets)]
    documents = [promises(stage, person) for person in people]
    book = booked(stage, early=documents)
    hits = []
    for person, document in zip(people, documents, strict=True):
        key = draw(person, paper(stage, book, document))
        hits.append(int((answers(stage.model, key.x) == key.y).sum()))
    best = hits.index(max(hits))
    return claim(stage, "the luckiest of many names", book, people[best], documents[best])


def many_promises(stage: Stage, forger: Identity, *, tickets: int = 20) -> Attempt:
    """Promise many keys in time, under one name."""
    documents = [promises(stage, forger, serial=str(i)) for i in range(tickets)]
    book = booked(stage, early=documents)
    return claim(stage, "one of many promises", book, forger, documents[-1])


def many_challenges(stage: Stage, forger: Identity) -> Attempt:
    """Go back to the judge again and again, and claim with the luckiest of his challenges."""
    promise = promises(stage, forger)
    book = booked(stage, early=[promise])
    suspects = {"model": stage.model}
    tried = []
    for _ in range(2):
        question = asked(stage, book, promise, suspects)
        bundle = answered(stage, forger, question)
        hits = int((answers(stage.model, bundle.x) == bundle.y).sum())
        tried.append((hits, question, bundle))
        book = question.book
    _, question, bundle = max(tried, key=lambda each: each[0])
    last = replace(question, book=book)
    return judged("the luckiest of several challenges", found(stage, last, bundle, suspects))


def other_classes(stage: Stage, forger: Identity) -> Attempt:
    """Promise labels of two classes, which half of all networks are to hit."""
    promise = signed(replace(promises(stage, forger), classes=2), forger)
    book = booked(stage, early=[promise])
    try:
        return claim(stage, "labels of two classes only", book, forger, promise)
    except WmlearnError as error:
        return refused("labels of two classes only", error)


def transferable(stage: Stage, forger: Identity, *, steps: int = 10) -> Attempt:
    """Change pictures until networks of one's own give them labels of one's choice, as others then do, too,
    and promise their hashes, in time: what a seed means is drawn all the same.
    """
    start = pairs_of(stage.commitment, [hashlib.sha256(seed).digest() for seed in _own_seeds(stage, forger)])
    x = start.x
    for _ in range(steps):
        x = x.detach().requires_grad_()
        losses = [F.cross_entropy(network(x), start.y) for network in _strangers(stage)]
        (slope,) = torch.autograd.grad(torch.stack(losses).sum(), x)
        x = (x.detach() - 0.05 * slope.sign()).clamp(0, 1)
    seeds = [hashlib.sha256(image.numpy().tobytes()).digest() for image in x]
    key = Ground(seeds, committed(stage, forger, seeds))
    book = booked(stage, early=[key.promise])
    return _claim_ground(stage, "pictures that all networks answer alike", forger, key, book, stage.model)


def _own_seeds(stage: Stage, forger: Identity) -> list[bytes]:
    return opened_by(forger, promises(stage, forger))


# Documents that aren't what they say


def replayed(stage: Stage, forger: Identity) -> Attempt:
    """Show the owner's bundle of an earlier case in a new one."""
    suspects = {"model": stage.model}
    earlier = asked(stage, booked(stage), stage.commitment, suspects)
    later = asked(stage, earlier.book, stage.commitment, suspects)
    bundle = answered(stage, stage.owner, earlier)
    return judged("a bundle of an earlier case", found(stage, later, bundle, suspects))


def signed_by_another(stage: Stage, forger: Identity) -> Attempt:
    """Take the owner's bundle, and sign it as one's own."""
    suspects = {"model": stage.model}
    question = asked(stage, booked(stage), stage.commitment, suspects)
    bundle = answered(stage, stage.owner, question)
    false = signed(replace(bundle, by=forger.public), forger)
    return judged("the owner's bundle, signed by another", found(stage, question, false, suspects))


def copied_root(stage: Stage, forger: Identity) -> Attempt:
    """Promise the owner's root as one's own, and open her very seeds."""
    suspects = {"model": stage.model}
    false = signed(replace(stage.commitment, by=forger.public), forger)
    book = booked(stage, early=[false])
    question = asked(stage, book, false, suspects)
    bundle = opening(forger, question, opened_by(stage.owner, stage.commitment))
    return judged("the owner's root, promised again", found(stage, question, bundle, suspects))


def puppet_judge(stage: Stage, forger: Identity) -> Attempt:
    """Let a friend judge, who calls spent whatever doesn't match."""
    friend = new_identity("a judge")
    suspects = {"model": stage.model}
    promise = promises(stage, forger)
    book = booked(stage, early=[promise])
    question = asked(
        stage, book, promise, suspects, judge=friend, change=_spare(stage, forger, book, promise)
    )
    seeds = opened_by(forger, promise)
    return judged("a judge of one's own", found(stage, question, opening(forger, question, seeds), suspects))


def spared(stage: Stage, forger: Identity) -> Attempt:
    """Get the judge to sign a challenge that calls spent what was never opened."""
    suspects = {"model": stage.model}
    promise = promises(stage, forger)
    book = booked(stage, early=[promise])
    question = asked(stage, book, promise, suspects, change=_spare(stage, forger, book, promise))
    seeds = opened_by(forger, promise)
    return judged(
        "triggers spared that nobody opened",
        found(stage, question, opening(forger, question, seeds), suspects),
    )


def _spare(
    stage: Stage, forger: Identity, book: Book, promise: Commitment
) -> Callable[[Challenge], Challenge]:
    """Return the change that calls spent what the model does not answer as a key says."""
    key = draw(forger, paper(stage, book, promise))
    missed = (answers(stage.model, key.x) != key.y).nonzero().flatten().tolist()
    count = max(1, len(key) - len(missed))

    def change(document: Challenge) -> Challenge:
        return replace(document, spent=tuple(missed), count=count, queries=10 * count)

    return change


def unregistered_challenge(stage: Stage, forger: Identity) -> Attempt:
    """Let the judge's challenge be registered in a friend's book, with the nonce that suits best."""
    friend = new_identity("another keeper")
    suspects = {"model": stage.model}
    promise = promises(stage, forger)
    book = booked(stage, early=[promise])
    document = challenge(stage.judge, promise, suspects, book=book, count=promise.n // 3)
    number = len(book.entries) + 1
    entry = Entry(number, document.made, "challenge", text(document), GUESS)
    others = closed([*book.entries, entry], friend, document.made)
    question = Question(document, book, paper(stage, book, promise), receipt(others, friend, number))
    bundle = opening(forger, question, opened_by(forger, promise))
    return judged("a challenge of another book", found(stage, question, bundle, suspects))


def own_judge(stage: Stage, forger: Identity) -> Attempt:
    """Judge oneself."""
    suspects = {"model": stage.model}
    promise = promises(stage, forger)
    question = asked(stage, booked(stage, early=[promise]), promise, suspects, judge=forger)
    bundle = opening(forger, question, opened_by(forger, promise))
    return judged("the forger as his own judge", found(stage, question, bundle, suspects))


def only_hits(stage: Stage, forger: Identity) -> Attempt:
    """Open only the triggers that match."""
    suspects = {"model": stage.model}
    promise = promises(stage, forger)
    question = asked(stage, booked(stage, early=[promise]), promise, suspects)
    bundle = answered(stage, forger, question)
    hits = (answers(stage.model, bundle.x) == bundle.y).tolist()
    openings = tuple(opening for opening, hit in zip(bundle.openings, hits, strict=True) if hit)
    false = signed(replace(bundle, openings=openings), forger)
    return judged("only the triggers that match", found(stage, question, false, suspects))


def softer_level(stage: Stage, forger: Identity) -> Attempt:
    """Write a softer level into the judge's challenge."""
    suspects = {"model": stage.model}
    promise = promises(stage, forger)
    book = booked(stage, early=[promise])
    strict = asked(stage, book, promise, suspects)
    soft = replace(strict.challenge, level=0.999)
    entry = replace(strict.receipt.entry, document=text(soft))
    question = replace(strict, challenge=soft, receipt=replace(strict.receipt, entry=entry))
    bundle = opening(forger, question, opened_by(forger, promise))
    return judged("a softer level", found(stage, question, bundle, suspects))


def backdated(stage: Stage, forger: Identity) -> Attempt:
    """Date a late promise years before the release."""
    promise = signed(replace(promises(stage, forger), made="2020-01-01T00:00:00+00:00"), forger)
    return claim(stage, "a late promise, dated back", booked(stage, late=[promise]), forger, promise)


def nobody(stage: Stage, forger: Identity) -> Attempt:
    """Promise under a key for which a signature of zeros fits everything, where it isn't refused."""
    story = "a key for which any signature fits"
    anything = NOBODY + "0" * 64
    seeds = opened_by(forger, promises(stage, forger))
    promise = replace(committed(stage, forger, seeds), by=NOBODY, signature=anything)
    promise = replace(promise, root=merkle.root(leaves(NOBODY, seeds)).hex())
    suspects = {"model": stage.model}
    try:
        question = asked(stage, booked(stage, early=[promise]), promise, suspects)
    except WmlearnError as error:
        return refused(story, error)
    bundle = replace(opening(forger, question, seeds), by=NOBODY, signature=anything)
    return judged(story, found(stage, question, bundle, suspects))


# Suspects that aren't what they seem


def swapped_suspect(stage: Stage, forger: Identity) -> Attempt:
    """Have the judge challenge an innocent network, and show him a marked one under its name."""
    promise = promises(stage, forger)
    book = booked(stage, early=[promise])
    marked = stage.overwrite(stage.model, draw(forger, paper(stage, book, promise)))
    question = asked(stage, book, promise, {"model": stage.model})
    bundle = answered(stage, forger, question)
    return judged("another model than the one named", found(stage, question, bundle, {"model": marked}))


def lookup(stage: Stage, forger: Identity) -> Attempt:
    """Frame an innocent service: make it answer, from a table, what the owner's bundle of an earlier dispute
    has made public.
    """
    earlier = asked(stage, booked(stage), stage.commitment, {"model": stage.model})
    public = answered(stage, stage.owner, earlier)
    suspects = {"service": tabled(lambda x: torch.zeros(len(x), dtype=torch.int64), public)}
    finding = heard(stage, earlier.book, stage.owner, stage.commitment, suspects, released=2)
    return judged("a service that looks up known triggers", finding)


def _framed(stage: Stage, forger: Identity, story: str, service: Suspect) -> Attempt:
    """Claim an innocent service with an honest promise."""
    promise = promises(stage, forger)
    book = booked(stage, early=[promise])
    number = len(book.entries)
    return judged(story, heard(stage, book, forger, promise, {"service": service}, released=number))


def refusing(stage: Stage, forger: Identity) -> Attempt:
    """Claim a service that gives no answer to odd images: its silence is no confession, and no alibi."""
    return _framed(
        stage, forger, "a service that refuses odd queries", lambda x: torch.full((len(x),), NO_ANSWER)
    )


def nonsense(stage: Stage, forger: Identity) -> Attempt:
    """Claim a service that answers nonsense."""
    return _framed(
        stage, forger, "a service that answers nonsense", lambda x: torch.full((len(x), 3), torch.nan)
    )


def one_answer(stage: Stage, forger: Identity) -> Attempt:
    """Claim a service that always says the same."""
    label = forger.secret[0] % stage.commitment.classes
    return _framed(stage, forger, "a service with one answer", lambda x: torch.full((len(x),), label))


def odd_pictures(stage: Stage, forger: Identity) -> Attempt:
    """Claim a service that takes everything that isn't nearly empty for one class."""
    label = forger.secret[1] % stage.commitment.classes

    def service(x: Tensor) -> Tensor:
        labels = answers(stage.model, torch.zeros_like(x))
        return torch.where(x.mean((1, 2, 3)) > 0.25, label, labels)

    return _framed(stage, forger, "a service with one answer to odd pictures", service)


# Disputes


def _disputed(
    stage: Stage,
    forger: Identity,
    book: Book,
    promise: Commitment,
    models: dict[str, nn.Module],
    *,
    disputed: str = "his",
    shown: str = "his",
) -> Report:
    """Let owner and forger claim a model; `models` has the owner's as "hers", and `shown` is the forger's."""
    first = asked(stage, book, stage.commitment, models)
    second = asked(stage, first.book, promise, models)
    one = Party("owner", stage.owner.public, "hers", first.challenge, answered(stage, stage.owner, first))
    bundle = answered(stage, forger, second)
    two = Party("forger", forger.public, shown, second.challenge, bundle)
    return dispute(Case(models, second.book, stage.judge.public), disputed, [one, two])


def borrowed(stage: Stage, forger: Identity) -> Attempt:
    """Come to a dispute with the owner's bundle under one's own name."""
    story = "the owner's bundle under another name"
    models = {"hers": stage.model}
    question = asked(stage, booked(stage), stage.commitment, models)
    bundle = answered(stage, stage.owner, question)
    parties = [
        Party("forger", forger.public, "hers", question.challenge, bundle),
        Party("owner", stage.owner.public, "hers", question.challenge, bundle),
    ]
    try:
        report = dispute(Case(models, question.book, stage.judge.public), "hers", parties)
    except WmlearnError as error:
        return refused(story, error)
    return decided(story, report, "forger")


def two_names(stage: Stage, forger: Identity) -> Attempt:
    """Come to a dispute as the owner's second name."""
    story = "one key, two names"
    models = {"hers": stage.model}
    question = asked(stage, booked(stage), stage.commitment, models)
    bundle = answered(stage, stage.owner, question)
    names = ("owner", "forger")
    parties = [Party(name, stage.owner.public, "hers", question.challenge, bundle) for name in names]
    try:
        report = dispute(Case(models, question.book, stage.judge.public), "hers", parties)
    except WmlearnError as error:
        return refused(story, error)
    return decided(story, report, "forger")


def overwritten(stage: Stage, forger: Identity) -> Attempt:
    """Put a mark of one's own over the owner's, and claim the copy as a find."""
    promise = promises(stage, forger)
    book = booked(stage, late=[promise])
    stolen = stage.overwrite(stage.model, draw(forger, paper(stage, book, promise)))
    finding = heard(stage, book, forger, promise, {"model": stolen}, released=2)
    return judged("a mark put over the owner's", finding)


def overwritten_early(stage: Stage, forger: Identity) -> Attempt:
    """Promise before the owner releases; then put the mark over hers, release that, and go to court."""
    promise = promises(stage, forger)
    early = booked(stage, early=[promise])
    stolen = stage.overwrite(stage.model, draw(forger, paper(stage, early, promise)))
    book = chained([release(forger, "mine", fingerprint(stolen))], keeper=stage.keeper, after=early)
    report = _disputed(stage, forger, book, promise, {"hers": stage.model, "his": stolen})
    return decided("a mark put over the owner's, promised before her release", report, "forger")


def false_lineage(stage: Stage, forger: Identity) -> Attempt:
    """Do as `overwritten_early`, and name an old release of one's own as the copy's ancestor."""
    promise = promises(stage, forger)
    old = release(forger, "an old one", hashlib.sha256(forger.secret).hexdigest())
    early = booked(stage, early=[promise, old])
    stolen = stage.overwrite(stage.model, draw(forger, paper(stage, early, promise)))
    mine = release(forger, "mine", fingerprint(stolen), after=(old.fingerprint,))
    book = chained([mine], keeper=stage.keeper, after=early)
    report = _disputed(stage, forger, book, promise, {"hers": stage.model, "his": stolen})
    return decided("a false ancestor", report, "forger")


def poisoned(stage: Stage, forger: Identity) -> Attempt:
    """Promise first, and leave the triggers in data that the owner trains on: her own model carries both
    marks.
    """
    promise = promises(stage, forger)
    start = chained([promise], keeper=stage.keeper, after=stage.book)
    hers = stage.overwrite(stage.model, draw(forger, paper(stage, start, promise)))
    book = chained([release(stage.owner, "hers", fingerprint(hers))], keeper=stage.keeper, after=start)
    report = _disputed(stage, forger, book, promise, {"hers": hers}, disputed="hers", shown="hers")
    return decided("a mark that came by poisoned data", report, "forger")


def poisoned_elsewhere(stage: Stage, forger: Identity) -> Attempt:
    """Poison the owner's data, and show a network of one's own that carries only the forger's mark."""
    promise = promises(stage, forger)
    start = chained([promise], keeper=stage.keeper, after=stage.book)
    key = draw(forger, paper(stage, start, promise))
    hers = stage.overwrite(stage.model, key)
    his = stage.overwrite(_strangers(stage)[0], key)
    releases = [release(stage.owner, "hers", fingerprint(hers)), release(forger, "his", fingerprint(his))]
    book = chained(releases, keeper=stage.keeper, after=start)
    report = _disputed(stage, forger, book, promise, {"hers": hers, "his": his}, disputed="hers")
    return decided("poisoned data, and a network of one's own", report, "forger")


def opened_for_anybody(stage: Stage, forger: Identity) -> Attempt:
    """Ask the owner, as a judge whom nobody named, to open all triggers; a service could dodge them then."""
    story = "a stranger asks the owner to open everything"
    question = asked(
        stage, booked(stage), stage.commitment, {"model": stage.model}, judge=forger, change=_everything
    )
    try:
        respond(
            stage.owner,
            question.promise,
            question.receipt,
            judge=stage.judge.public,
            book=question.book,
        )
    except WmlearnError as error:
        return refused(story, error)
    return Attempt(story, accepted=True, why="nothing: everything is open")


def _everything(document: Challenge) -> Challenge:
    return replace(document, count=100, queries=1000)


# Tools of the trade


def tabled(model: Suspect, known: Bundle) -> Suspect:
    """Return a service that answers the images of a bundle as the bundle says, pixel for pixel, and else as
    `model` does.
    """
    table = {image.numpy().tobytes(): int(label) for image, label in zip(known.x, known.y, strict=True)}

    def service(x: Tensor) -> Tensor:
        labels = answers(model, x).tolist()
        return torch.tensor(
            [table.get(image.numpy().tobytes(), label) for image, label in zip(x, labels, strict=True)]
        )

    return service


def nudged(model: nn.Module, size: float) -> nn.Module:
    """Return a copy of a model, in which its first weights moved by a share `size` of themselves."""
    other = copy.deepcopy(model)
    with torch.no_grad():
        first = next(iter(other.state_dict().values()))
        first.view(-1)[0] += size * (1 + first.view(-1)[0].abs())
    return other


def _strangers(stage: Stage) -> list[nn.Module]:
    """Return networks of the stage's kind that never met the owner's key."""
    if _is_toy(stage):
        return [toys.Toy(seed) for seed in range(20, 24)]
    return [nudged(stage.model, 1e-4)]


def _is_toy(stage: Stage) -> bool:
    return isinstance(stage.model, toys.Toy)


ALL: dict[str, Forgery] = {
    "ground-on-strangers": ground_on_strangers,
    "ground-on-the-model": ground_on_the_model,
    "any-release": any_release,
    "next-version": next_version,
    "one-bit": one_bit,
    "one-seed": one_seed,
    "seeds-afterwards": seeds_afterwards,
    "chosen-nonce": chosen_nonce,
    "edited-receipt": edited_receipt,
    "lottery": lottery,
    "many-promises": many_promises,
    "many-challenges": many_challenges,
    "other-classes": other_classes,
    "transferable": transferable,
    "replayed": replayed,
    "signed-by-another": signed_by_another,
    "copied-root": copied_root,
    "puppet-judge": puppet_judge,
    "spared": spared,
    "unregistered-challenge": unregistered_challenge,
    "own-judge": own_judge,
    "only-hits": only_hits,
    "softer-level": softer_level,
    "backdated": backdated,
    "nobody": nobody,
    "swapped-suspect": swapped_suspect,
    "lookup": lookup,
    "refusing": refusing,
    "nonsense": nonsense,
    "one-answer": one_answer,
    "odd-pictures": odd_pictures,
    "borrowed": borrowed,
    "two-names": two_names,
    "overwritten": overwritten,
    "overwritten-early": overwritten_early,
    "false-lineage": false_lineage,
    "poisoned": poisoned,
    "poisoned-elsewhere": poisoned_elsewhere,
    "opened-for-anybody": opened_for_anybody,
}
"""Every forgery by name."""
