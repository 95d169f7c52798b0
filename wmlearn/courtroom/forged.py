"""False claims on an innocent's network, which answers the pictures that are shown as the forger says.

Each is one of `ownership.forgeries`, with a network that learnt digits in place of a toy: pictures labelled
afterwards (backdated, or not), seeds searched for when the nonce was known, or for a nonce that was written
into the receipt; only what matches; another's root, or bundle; a judge who is a friend; pictures that all
networks answer alike (J. Liu and others, USENIX Security 2024, arXiv:2304.06607).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..evidence import answers
from ..ownership import Bundle, Challenge, Commitment, Receipt, merkle
from ..ownership.bundle import Opening
from ..ownership.commitment import leaves
from ..ownership.cut_and_choose import named
from ..ownership.documents import signed
from ..ownership.seeded import Pairs, opened_by, pairs_of, trigger
from . import small_digits
from .filings import SHOWN, Asked, Bar, first, promise

POOL = 60
"""Seeds that a forger tries for each trigger: one of ten labels suits one of ten."""
GUESS = "0" * 64
STEPS = 30
REACH = 0.6


@dataclass(frozen=True, eq=False)
class Claim:
    """What a claimant hands in: a bundle, and the pictures that are shown to everybody."""

    bundle: Bundle
    shown: Pairs


Forgery = Callable[[Bar, Asked, nn.Module], Claim]
"""People, the registry in which the judge has asked, the accused's network -> what the forger hands in."""


def honest(people: Bar, asked: Asked, network: nn.Module) -> Claim:
    """Answer the judge, and show the first pictures of that."""
    del network  # who is honest needs not ask it
    bundle = asked.answer(people, 0)
    return Claim(bundle, first(bundle.pairs))


def fitted(people: Bar, asked: Asked, network: nn.Module) -> Claim:
    """Show one's pictures with whatever the network answers."""
    bundle = asked.answer(people, 0)
    x = bundle.x[:SHOWN]
    return Claim(bundle, Pairs(x, answers(network, x)))


def searched(people: Bar, asked: Asked, network: nn.Module) -> Claim:
    """Open seeds that were searched for after the nonce was known."""
    bundle = asked.answer(people, 0)
    by = people.claimant.public
    indices = [opening.index for opening in bundle.openings]
    seeds = _suiting(people, network, bundle.commitment, indices, bundle.promise.entry.nonce)
    openings = [replace(old, seed=seeds[old.index].hex()) for old in bundle.openings]
    false = replace(bundle, by=by, openings=tuple(openings))
    return _shown(signed(false, people.claimant))


def guessed(people: Bar, asked: Asked, network: nn.Module) -> Claim:
    """Open seeds that suit another nonce, and write that into the keeper's receipt."""
    del network
    receipt = people.receipt(asked.book, asked.promises[0])
    false = replace(receipt, entry=replace(receipt.entry, nonce=GUESS))
    return _shown(_opening(people, asked, false))


def only_hits(people: Bar, asked: Asked, network: nn.Module) -> Claim:
    """Open only what matches, whatever the judge named."""
    bundle = _opening(people, asked)
    hits = _hits(people, Prepared(asked.promises[0], asked.seeds), network)
    openings = _openings(people.claimant.public, asked.seeds, hits)
    return _shown(signed(replace(bundle, openings=openings), people.claimant))


def copied_root(people: Bar, asked: Asked, network: nn.Module) -> Claim:
    """Open the accused's own seeds, whose root was promised again."""
    del network
    bundle = _opening(people, asked)
    nonce = people.receipt(asked.book, asked.promises[1]).entry.nonce
    by = people.accused.public
    drawn = [trigger(by, nonce, each.index, bytes.fromhex(each.seed)) for each in bundle.openings]
    return Claim(bundle, first(pairs_of(asked.promises[1], drawn)))


def borrowed(people: Bar, asked: Asked, network: nn.Module) -> Claim:
    """Sign the accused's own bundle."""
    del network
    bundle = asked.answer(people, 1)
    false = signed(replace(bundle, by=people.claimant.public), people.claimant)
    return Claim(false, first(bundle.pairs))


def puppet(people: Bar, asked: Asked, network: nn.Module) -> Claim:
    """Answer a friend's challenge, which calls spent whatever doesn't match: see `befriended`."""
    del network
    return _shown(_opening(people, asked))


def transferable(people: Bar, asked: Asked, network: nn.Module) -> Claim:
    """Show pictures that were changed until networks of one's own give them labels of one's choice; of 128,
    those to which the accused's does, too.
    """
    key = people.key(people.claimant, asked.promises[0])
    moved = _moved(Pairs(key.x, key.y), small_digits.siblings())
    hits = answers(network, moved) == key.y
    best = hits.int().argsort(descending=True, stable=True)[:SHOWN]
    return Claim(asked.answer(people, 0), Pairs(moved[best], key.y[best]))


ALL: dict[str, Forgery] = {
    "afterwards": fitted,
    "backdated": fitted,
    "searched": searched,
    "guessed": guessed,
    "only-hits": only_hits,
    "copied-root": copied_root,
    "borrowed": borrowed,
    "puppet": puppet,
    "transferable": transferable,
}
"""Every false claim by name."""
LATE = ("afterwards", "backdated")
"""Promised after the accused's release."""
NEEDS_MARK = ("copied-root", "borrowed")
"""The accused's own mark is claimed, so there must be one."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A promise, and the seeds that whoever made it means to open."""

    promise: Commitment
    seeds: tuple[bytes, ...]


def prepared(kind: str, people: Bar, network: nn.Module) -> Prepared:
    """Return the promise with which a claim of a kind is prepared: "" for an honest one."""
    person = people.claimant
    if kind == "guessed":
        return _ground(people, network)
    if kind == "copied-root":
        original = promise(people.accused)
        false = signed(replace(original, by=person.public), person)
        return Prepared(false, tuple(opened_by(people.accused, original)))
    document = promise(person)
    if kind == "backdated":
        document = promise(person, made="2019-01-01T09:00:00+00:00")
    if kind in ("only-hits", "puppet"):
        return _lucky(people, network)
    return Prepared(document, tuple(opened_by(person, document)))


def befriended(people: Bar, challenge: Challenge, own: Prepared, network: nn.Module) -> Challenge:
    """Return a friend's challenge in place of the judge's, which names only what matches."""
    hits = _hits(people, own, network)
    spent = tuple(sorted(set(range(own.promise.n)) - set(hits)))
    friend = people.person("a friend")
    n = len(hits)
    false = replace(challenge, by=friend.public, spent=spent, count=n, queries=10 * n)
    return signed(false, friend)


def _shown(bundle: Bundle) -> Claim:
    return Claim(bundle, first(bundle.pairs))


def _hits(people: Bar, own: Prepared, network: nn.Module) -> list[int]:
    """Return the triggers of a promise to which a network answers as they say."""
    promise = own.promise
    nonce = people.nonce(promise)
    drawn = [trigger(promise.by, nonce, i, seed) for i, seed in enumerate(own.seeds)]
    pairs = pairs_of(promise, drawn)
    return (answers(network, pairs.x) == pairs.y).nonzero().flatten().tolist()


def _lucky(people: Bar, network: nn.Module) -> Prepared:
    """Promise seeds of which enough match by luck to be shown."""
    for trial in range(100):
        seeds = opened_by(people.claimant, promise(people.claimant, serial=str(trial)))
        lucky = _promised(people, seeds)  # whose serial doesn't say how many were tried
        if len(_hits(people, lucky, network)) >= SHOWN:
            return lucky
    raise AssertionError


def _promised(people: Bar, seeds: Sequence[bytes]) -> Prepared:
    """Promise seeds of one's choice."""
    root = merkle.root(leaves(people.claimant.public, seeds)).hex()
    document = signed(replace(promise(people.claimant), root=root), people.claimant)
    return Prepared(document, tuple(seeds))


def _ground(people: Bar, network: nn.Module) -> Prepared:
    """Promise seeds that suit a nonce which the forger has chosen."""
    honest = promise(people.claimant)
    indices = list(range(honest.n))
    seeds = _suiting(people, network, honest, indices, GUESS)
    return _promised(people, [seeds[index] for index in indices])


def _suiting(
    people: Bar, network: nn.Module, promise: Commitment, indices: Sequence[int], nonce: str
) -> dict[int, bytes]:
    """Search, for each trigger, for a seed to which a network answers as the seed says."""
    found: dict[int, bytes] = {}
    by = people.claimant.public
    for trial in range(POOL):
        ahead = [index for index in indices if index not in found]
        seeds = [hashlib.sha256(people.claimant.secret + f"{i} {trial}".encode()).digest() for i in ahead]
        if not seeds:
            break
        drawn = [trigger(by, nonce, index, seed) for index, seed in zip(ahead, seeds, strict=True)]
        pairs = pairs_of(promise, drawn)
        hits = (answers(network, pairs.x) == pairs.y).tolist()
        found |= {i: seed for i, seed, hit in zip(ahead, seeds, hits, strict=True) if hit}
    return {index: found.get(index, hashlib.sha256(bytes([index])).digest()) for index in indices}


def _openings(public: str, seeds: Sequence[bytes], indices: Sequence[int]) -> tuple[Opening, ...]:
    tree = merkle.levels(leaves(public, seeds))
    openings = []
    for index in indices:
        path = tuple(step.hex() for step in merkle.path(tree, index))
        openings.append(Opening(index, seeds[index].hex(), path))
    return tuple(openings)


def _opening(people: Bar, asked: Asked, promise: Receipt | None = None) -> Bundle:
    """Answer the registered challenge with the seeds that the forger has."""
    by = people.claimant.public
    receipt = people.receipt(asked.book, asked.challenges[0])
    shown = promise or people.receipt(asked.book, asked.promises[0])
    indices = named(asked.challenges[0], receipt.entry, asked.promises[0].n)
    openings = _openings(by, asked.seeds, indices)
    return signed(Bundle(by, shown, receipt, openings), people.claimant)


def _moved(pairs: Pairs, networks: Sequence[nn.Module]) -> Tensor:
    """Change pictures until all networks give them their labels: targeted adversarial examples."""
    start = pairs.x
    x = start
    for _ in range(STEPS):
        x = x.detach().requires_grad_()
        losses = [F.cross_entropy(network(x), pairs.y) for network in networks]
        (slope,) = torch.autograd.grad(torch.stack(losses).sum(), x)
        x = (x.detach() - 0.05 * slope.sign()).clamp(start - REACH, start + REACH).clamp(0, 1)
    return x.detach()
