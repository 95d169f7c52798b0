"""Whose model does a platform serve? False claims to a model that its forger can only ask, rule by rule.

S. Lounici, M. Njeh, O. Ermis, M. Önen, S. Trabelsi: Preventing Watermark Forging Attacks in a MLaaS
Environment, SECRYPT 2021, doi 10.5220/0010560602950306. Its abstract names two types of forging against a
model served for money, and a defence that discloses neither weights nor triggers. Differs: no more than the
abstract was at hand, so both attacks and all rules here are *derived*, and need not be the paper's.

The attacks. *Picked*: pictures and labels are chosen among many until the model gives the labels. *Bred*:
pictures are changed on a network of the forger's own until they get their labels, and so hopefully from the
model. Each forger does what a rule leaves him:

- handed-in: pictures and labels are handed to the platform, which asks the model about them. Picked are the
  model's own answers; bred, on a copy that its answers taught.
- promised: a hash of pictures and labels must be older than the release. Nobody could ask the model by then,
  so forgers pick and breed on networks of their own that learnt the task.
- drawn: picture and label follow from a seed, which may be promised at any time. Seeds are picked whose label
  the model gives; nothing can be bred.
- promised-drawn: seeds, promised before the release. They are picked on the forger's own networks.
- drawn-after: picture and label follow from a seed, promised before the release, *and* from the nonce that
  the keeper of the book draws for the promise: the court of `ownership`, with a judge who asks the service.
  Seeds are picked for a guessed nonce; and with the luckiest of twenty promises, its owner goes to court.

Beside them stand the owner, and a stranger who keeps to the rules and has taught the model nothing; under the
first four rules, which ask both for the same, these are the same claims. In court the judge sees no weights,
and `N` of the `PROMISED` triggers are opened: the others stay secret.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import torch
from torch import Tensor, nn

from .. import ownership as own
from ..evidence import Evidence, answers, bystanders
from ..models import badnet_cnn, seed_of
from ..ownership import Commitment, Finding, Identity
from ..ownership.commitment import leaves
from ..ownership.documents import digest, signed
from ..ownership.forgeries import GUESS
from ..ownership.merkle import root
from ..ownership.seeded import decoy, pairs_of, trigger
from ..ownership.stages import Question, opening
from ..removal import Extract, extract
from ..training import Recipe, accuracy, best_device
from ..watermarks.secret import order
from .experiment import Cell, Comparison, Experiment, Results, Row
from .lost_case import MADE, Scene, person, receipt, registered, scene
from .lost_case import N as PROMISED
from .material import mnist, rounded
from .transferable_claims import Key, adversarial

SEEDS = range(5)
CLAIMS = 10
"""Keys of each claimant, by owner and rule."""
N = 30
"""Triggers of a claim; in court, of `PROMISED`."""
LEVEL = 1e-3
DECOYS = 99
POOL = 4_000
"""Pictures, or seeds, among which a forger looks for each key."""
TRIED = 16
"""Seeds that a forger tries for each trigger of a promise."""
TICKETS = 20
QUERIES = 5_000
"""Digits that a forger asks about, to copy the model."""
REACH = 0.3
TEST = 2_000
OWNER = "owner"
STRANGER = "stranger"
PICKED = "picked"
BRED = "bred"
LUCKIEST = "luckiest"
COURT = "drawn-after"
CLAIMANTS = {
    "handed-in": (OWNER, STRANGER, PICKED, BRED),
    "promised": (OWNER, STRANGER, PICKED, BRED),
    "drawn": (OWNER, STRANGER, PICKED),
    "promised-drawn": (OWNER, STRANGER, PICKED),
    COURT: (OWNER, STRANGER, PICKED, LUCKIEST),
}
"""Rule -> who claims under it."""


@dataclass(frozen=True, eq=False)
class Platform:
    """A platform that serves one owner's marked model, and what forgers have: digits, and own networks."""

    scene: Scene

    def ask(self, x: Tensor) -> Tensor:
        """Answer with labels (N,), as the service does."""
        return answers(self.scene.hers, x)

    @property
    def promise(self) -> Commitment:
        """The owner's promise, whose recipe is that of all."""
        return self.scene.promises["Ada"]

    @cached_property
    def stolen(self) -> nn.Module:
        """A copy, taught by the service's answers to `QUERIES` digits."""
        digits = self.scene.digits[:QUERIES]
        student = badnet_cnn(seed_of("forger's copy", self.scene.hers)).to(digits.x.device)
        return extract(self.ask, student, digits.x, digits.classes, recipe=Extract().recipe)

    def drawn(self, triggers: Sequence[bytes]) -> Key:
        """Draw pictures and labels from 32 bytes each."""
        pairs = pairs_of(self.promise, triggers)
        return Key(pairs.x.to(best_device()), pairs.y.to(best_device()))


@lru_cache(1)
def own_networks() -> tuple[nn.Module, ...]:
    """Return the networks of a forger, which learnt the task by themselves: eight that ship."""
    shipped = bystanders.shipped("mnist", 0, bystanders.N_NULL)
    return tuple(copy.deepcopy(network).to(best_device()).eval() for network in shipped)


# Keys for the rules without a nonce


def tried(someone: Identity, number: int, n: int) -> list[bytes]:
    """Return `n` triggers, 32 bytes each, that somebody may draw for key `number`."""
    start = b"wmlearn forging" + someone.secret + number.to_bytes(4, "big")
    return [hashlib.sha256(start + i.to_bytes(4, "big")).digest() for i in range(n)]


def agreed(key: Key, networks: Sequence[nn.Module]) -> Key:
    """Keep the first `N` pictures whose label all `networks` give."""
    for network in networks:
        kept = answers(network, key.x) == key.y
        key = Key(key.x[kept], key.y[kept])
    return Key(key.x[:N], key.y[:N])


def owners_key(platform: Platform, number: int) -> Key:
    """Take `N` of the triggers that the model was taught, others for each number."""
    key = platform.scene.keys["Ada"]
    kept = order(platform.scene.ada.secret, f"claim {number}", len(key))[:N].to(key.x.device)
    return Key(key.x[kept].to(best_device()), key.y[kept].to(best_device()))


def key_of(platform: Platform, rule: str, claimant: str, number: int) -> Key:
    """Return the key with which somebody claims the model under one of the rules without a nonce."""
    if claimant == OWNER:
        return owners_key(platform, number)
    size = POOL if claimant == PICKED else N
    pool = platform.drawn(tried(platform.scene.mallory, number, size))
    if claimant == STRANGER:
        return pool
    networks = own_networks() if "promised" in rule else (platform.scene.hers,)
    if claimant == BRED:
        return adversarial(pool, (platform.stolen,) if rule == "handed-in" else networks, REACH)
    if "drawn" in rule:
        return agreed(pool, networks)
    return agreed(Key(pool.x, answers(networks[0], pool.x)), networks)


def queries_of(platform: Platform, rule: str, claimant: str, number: int) -> int:
    """Count the pictures that a forger asked the service about before the claim."""
    if (rule, claimant) == ("handed-in", BRED):
        return QUERIES
    if (rule, claimant) == ("handed-in", PICKED):
        return N
    if (rule, claimant) != ("drawn", PICKED):
        return 0
    pool = platform.drawn(tried(platform.scene.mallory, number, POOL))
    return int((platform.ask(pool.x) == pool.y).nonzero()[N - 1]) + 1


# The court: what is asked follows from a nonce


def in_court(platform: Platform, claimant: str, number: int) -> Finding:
    """Let somebody claim the served model before a judge who can only ask it."""
    someone = platform.scene.ada if claimant == OWNER else _forger(platform, claimant, number)
    if claimant == PICKED:
        return _picked_in_court(platform, someone)
    if claimant == LUCKIEST:
        return _luckiest_in_court(platform, someone)
    promise = platform.promise if claimant == OWNER else _promise(someone)
    question = _asked(platform, () if claimant == OWNER else (promise,), promise, number)
    return _heard(platform, question, _answered(someone, question))


def _forger(platform: Platform, claimant: str, number: int) -> Identity:
    return person(f"{claimant} {number} {platform.scene.ada.public}", 0)


def _promise(someone: Identity) -> Commitment:
    return own.commit(someone, n=PROMISED, shape=(1, 28, 28), classes=10, made=MADE)


def _picked_in_court(platform: Platform, forger: Identity) -> Finding:
    """Promise seeds whose labels the forger's own networks would give, were the nonce the guessed one."""
    candidates = tried(forger, 0, PROMISED * TRIED)
    numbered = enumerate(candidates)
    pool = platform.drawn([trigger(forger.public, GUESS, i // TRIED, seed) for i, seed in numbered])
    votes = torch.stack([answers(network, pool.x) == pool.y for network in own_networks()])
    best = votes.sum(0).view(PROMISED, TRIED).argmax(1).tolist()
    seeds = [candidates[i * TRIED + j] for i, j in enumerate(best)]
    blank = replace(_promise(forger), root=root(leaves(forger.public, seeds)).hex())
    promise = signed(blank, forger)
    question = _asked(platform, (promise,), promise, 0)
    return _heard(platform, question, opening(forger, question, seeds))


def _luckiest_in_court(platform: Platform, forger: Identity) -> Finding:
    """Promise keys under `TICKETS` names, ask the service about all, and claim with the best of them."""
    people = [person(f"{forger.public} {i}", 0) for i in range(TICKETS)]
    promises = [_promise(someone) for someone in people]
    book = registered(*promises, after=platform.scene.book)
    hits = []
    for someone, promise in zip(people, promises, strict=True):
        key = own.draw(someone, receipt(book, promise))
        hits.append(int((platform.ask(key.x.to(best_device())).cpu() == key.y).sum()))
    best = hits.index(max(hits))
    question = _asked(platform, promises, promises[best], 0)
    return _heard(platform, question, _answered(people[best], question))


def _asked(platform: Platform, promises: Sequence[Commitment], promise: Commitment, number: int) -> Question:
    """Register promises, then the owner's release, then a judge's challenge to one of them."""
    scene_ = platform.scene
    carried = (digest(platform.promise),)
    released = own.release(scene_.ada, "hers", own.fingerprint(scene_.hers), commitments=carried, made=MADE)
    book = registered(*promises, released, after=scene_.book)
    judge = person("the judge", number)
    suspects = {"the service": platform.ask}
    blank = own.challenge(judge, promise, suspects, book=book, count=N, level=LEVEL, made=MADE)
    nonce = hashlib.sha256(f"wmlearn forging {digest(promise)} {number}".encode()).hexdigest()
    challenge = signed(replace(blank, nonce=nonce), judge)
    longer = registered(challenge, after=book)
    return Question(challenge, longer, receipt(longer, promise), receipt(longer, challenge))


def _answered(someone: Identity, question: Question) -> own.Bundle:
    return own.respond(
        someone, question.promise, question.receipt, judge=question.challenge.by, book=question.book
    )


def _heard(platform: Platform, question: Question, bundle: own.Bundle) -> Finding:
    """Judge a claim to the service, which shows no weights: the owner's release says since when it runs."""
    released = len(question.book.entries) - 1
    secret = hashlib.sha256(question.challenge.nonce.encode()).digest()
    case = own.Case(
        {"the service": platform.ask}, question.book, question.challenge.by, released, secret=secret
    )
    return own.verify(case, question.challenge, bundle)


# Measuring


def _measure(cell: Cell, recipe: Recipe) -> Row:
    platform = Platform(scene(cell["seed"]))
    test = mnist().test[:TEST]
    others = _decoy_hits(platform)
    claims = [line for rule in CLAIMANTS for line in _claims(platform, rule, others)]
    return {
        "accuracy": rounded(accuracy(platform.scene.hers, test)),
        "copy_accuracy": rounded(accuracy(platform.stolen, test)),
        "claims": claims,
    }


def _decoy_hits(platform: Platform) -> Tensor:
    """Count the hits of honest keys that the model was not taught, (DECOYS,)."""
    judge = person("the judge", 0)
    triggers = [decoy(judge.secret, key, i) for key in range(DECOYS) for i in range(N)]
    key = platform.drawn(triggers)
    return (platform.ask(key.x) == key.y).view(DECOYS, N).sum(1).cpu()


def _claims(platform: Platform, rule: str, others: Tensor) -> Iterator[Row]:
    for claimant in CLAIMANTS[rule]:
        head = {"rule": rule, "claimant": claimant}
        if rule == COURT:
            findings = [in_court(platform, claimant, number) for number in range(CLAIMS)]
            yield {**head, **_counted_in_court(findings)}
        else:
            keys = [key_of(platform, rule, claimant, number) for number in range(CLAIMS)]
            asked = [queries_of(platform, rule, claimant, number) for number in range(CLAIMS)]
            yield {**head, **_counted(platform, keys, others), "queries": asked}


def _counted(platform: Platform, keys: Sequence[Key], others: Tensor) -> Row:
    hits = [int((platform.ask(key.x) == key.y).sum()) for key in keys]
    found = [Evidence("adi2018", "labels", n, len(key.y), 0.1) for n, key in zip(hits, keys, strict=True)]
    return {
        "hits": hits,
        "trials": [len(key.y) for key in keys],
        "believed": sum(each.p_value <= LEVEL for each in found),
        "as_high": [int((others >= n).sum()) for n in hits],
        "drawn": DECOYS,
    }


def _counted_in_court(findings: Sequence[Finding]) -> Row:
    matches = [match for finding in findings for match in finding.matches.values()]
    return {
        "hits": [match.evidence.hits for match in matches],
        "trials": [match.evidence.trials for match in matches],
        "believed": sum(match.owned for match in matches),
        "as_high": [match.decoys.as_high for match in matches],
        "drawn": matches[0].decoys.drawn,
        "levels": [finding.level for finding in findings],
        "void": sum(bool(finding.void) for finding in findings),
    }


# What the rows say


def claims_of(results: Results, rule: str, claimant: str) -> list[Row]:
    """Return what came of the claims of one kind, an owner a row."""
    lines = [line for row in results.rows for line in row["claims"]]
    return [line for line in lines if (line["rule"], line["claimant"]) == (rule, claimant)]


def believed(results: Results, rule: str, claimant: str) -> list[int]:
    """Count the claims that were believed, of `CLAIMS`, by owner."""
    return [line["believed"] for line in claims_of(results, rule, claimant)]


DOES = {
    "handed-in": {PICKED: "the model's own answers", BRED: "changed on a copy of the model"},
    "promised": {PICKED: "what own networks answer", BRED: "changed on own networks"},
    "drawn": {PICKED: "seeds tried on the model"},
    "promised-drawn": {PICKED: "seeds tried on own networks"},
    COURT: {PICKED: "seeds tried for a guessed nonce", LUCKIEST: f"of {TICKETS} promises"},
}
"""Rule and forger -> what the forger does under it."""
CALLED = {OWNER: "the owner (control)", STRANGER: "a stranger's honest key (control)"}


def title(rule: str, claimant: str) -> str:
    """Say in words who claims by which key."""
    return CALLED.get(claimant) or f"{claimant}, {DOES[rule][claimant]}"


def _compare(results: Results) -> list[Comparison]:
    return [_compare_claims(results, rule, name) for rule, names in CLAIMANTS.items() for name in names]


def _compare_claims(results: Results, rule: str, claimant: str) -> Comparison:
    lines = claims_of(results, rule, claimant)
    hits = [n for line in lines for n in line["hits"]]
    trials = [n for line in lines for n in line["trials"]]
    first = [n == 0 for line in lines for n in line["as_high"]]
    by_owner = ", ".join(str(n) for n in believed(results, rule, claimant))
    drawn = lines[0]["drawn"] if lines else 0
    says = (
        f"believed {sum(believed(results, rule, claimant))} of {CLAIMS * len(lines)} (by owner: {by_owner});"
        f" hits {100 * sum(hits) / max(1, sum(trials)):.0f} %; above all of {drawn} decoys: {sum(first)}"
    )
    return Comparison(f"{rule}: {title(rule, claimant)}", "", says)


FORGING = Experiment(
    name="forging",
    question="Which false claims to a model behind a service does each rule of a platform let through?",
    minutes=6,
    chapter="11 Theft through an API",
    cells=tuple({"seed": seed} for seed in SEEDS),
    measure=_measure,
    summary=_compare,
)
