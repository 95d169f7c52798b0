"""Twelve cases and their hidden truths, all drawn from one secret.

Somebody claims that a network was made from theirs. It was, in half of the cases or one more; each way of a
theft is met once, and so are the honest ways to look like a thief. What a case looks like from outside, its
number, its names, the number and the size of its papers, is drawn from the same secret, whatever the truth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor, nn

from .. import progress
from ..data import Samples
from ..errors import require
from ..evidence import Suspect, answers
from ..models import reborn
from ..ownership import Book, Commitment, Release, find, fingerprint, release
from ..ownership.documents import Document, digest
from ..ownership.identity import derive
from ..protocols import Removal
from ..removal import Chain, Distill, FineTune, Permute, Prune
from ..training import Recipe
from ..watermarks.secret import integers, order
from . import forged, small_digits
from .filings import (
    MADE,
    Asked,
    Bar,
    Filing,
    Licence,
    Papers,
    bar,
    licence,
    promise,
    question,
)

GENTLE = Recipe(epochs=3, lr=2e-3, batch_size=64, precision="fp32")
HARD = Recipe(epochs=8, lr=2e-2, batch_size=64, precision="fp32")
COPY = Recipe(epochs=8, lr=5e-3, batch_size=64, precision="fp32")
THIEFS = 1_500
"""Digits of a thief's own; who distils asks about twice as many."""
WASHES: dict[str, Removal] = {
    "fine-tuned": FineTune("all", recipe=GENTLE),
    "pruned": Chain((Prune(0.5), FineTune("last", recipe=GENTLE))),
    "permuted": Chain((FineTune("all", recipe=HARD), Permute())),
    "distilled": Distill("soft", recipe=COPY),
}
"""How a thief washes a network."""
THEFTS = ("fine-tuned", "pruned", "permuted", "distilled", "two marks", "service")
INNOCENTS = ("independent", "licensed", "insider", "forged", "forged service")
LAST = ("public start", "forged", "promised late")
"""One of these is the twelfth."""
SIZES = {12: "a day", 4: "half a day"}
"""How many cases a court may have."""
NAMES = (
    "Ada", "Bela", "Chen", "Dina", "Emil", "Fatou", "Goran", "Hana", "Ivo", "Jaya", "Kofi", "Lena",
    "Miro", "Nadia", "Omar", "Pia", "Quinn", "Rosa", "Sven", "Tala", "Uma", "Vito", "Wanda", "Yusuf",
)  # fmt: skip
STORIES = {
    "fine-tuned": "The network was stolen, and trained on.",
    "pruned": "The network was stolen, and half of its weights were set to zero.",
    "permuted": "The network was stolen, trained on at a large rate, and its units were dealt anew.",
    "distilled": "A new network was taught the scores of the stolen one.",
    "two marks": "The network was stolen, and the thief put a mark of their own over the owner's.",
    "service": "The network was stolen, trained on, and its answers are sold.",
    "promised late": "The network was stolen and trained on; its owner promised a key after the theft.",
    "independent": "The network was trained from scratch. The claimant is mistaken.",
    "licensed": "The network was made from the claimant's, who had signed a licence.",
    "insider": "The claimant worked for the accused, and hid a mark in the network before its release.",
    "public start": "Both networks began with the same public first weights.",
    "afterwards": "The claimant wrote down what the network answers, and promised a key afterwards.",
    "backdated": "The claimant promised a key after the release, and dated it back.",
    "searched": "The claimant opened seeds that suit the network, and not those promised.",
    "guessed": "The claimant searched seeds for a nonce, and wrote that into the keeper's receipt.",
    "only-hits": "The claimant opened only those triggers that match.",
    "copied-root": "The claimant promised the accused's own root again.",
    "borrowed": "The claimant signed the accused's own answer to the judge.",
    "puppet": "The claimant answered a judge who is a friend.",
    "transferable": "The claimant showed pictures that all networks answer alike.",
}
"""What happened, by kind."""


@dataclass(frozen=True)
class Truth:
    """What is hidden: was the accused's network made from the claimant's without leave, and what happened."""

    number: int
    stolen: bool
    kind: str

    @property
    def story(self) -> str:
        """What happened, in a sentence."""
        return STORIES[self.kind]


@dataclass(frozen=True, eq=False)
class Dealt:
    """A case as its dealer knows it: the accused's network, the papers, the truth. What is sold as a
    `service` gives labels only.
    """

    truth: Truth
    service: bool
    network: nn.Module
    papers: Papers

    @property
    def suspect(self) -> Suspect:
        """What the court can ask: the accused's network, or a function from pictures to labels."""
        return _service(self.network) if self.service else self.network


@dataclass(frozen=True)
class Plan:
    """What is decided about a case before anything is trained: its kind, of which a forged claim's `forgery`
    says how; whether a `false_licence` is shown, and whether the accused has a mark of their own.
    """

    kind: str
    forgery: str = ""
    service: bool = False
    false_licence: bool = False
    marked: bool = False
    first: bool = False  # an innocent who had released before the claimant

    @property
    def stolen(self) -> bool:
        """Whether the network was made from the claimant's without leave."""
        return self.kind in (*THEFTS, "promised late")


def dealt(secret: bytes, n: int = 12) -> tuple[Dealt, ...]:
    """Deal `n` cases, 12 or 4; the same secret deals the same."""
    cases = []
    for i, plan in enumerate(progress.each(plans(secret, n), "cases")):
        people = bar(derive(secret, "court case", i), *parties(secret, n)[i])
        cases.append(case_of(people, plan, i + 1))
    return tuple(cases)


def parties(secret: bytes, n: int) -> list[tuple[str, str]]:
    """Draw the names of claimant and accused of each case."""
    names = [NAMES[i] for i in order(secret, "court names", len(NAMES)).tolist()]
    return list(zip(names[:n], names[n : 2 * n], strict=True))


def plans(secret: bytes, n: int = 12) -> list[Plan]:
    """Draw what the cases are, in their order.

    Raises `ArgumentError` for another number of cases than 12 or 4.
    """
    require(n in SIZES, "a court must have 12 cases, or 4", n)
    kinds = _kinds(secret) if n == 12 else _few(secret)
    forgeries = [list(forged.ALL)[i] for i in order(secret, "court forgeries", len(forged.ALL)).tolist()]
    unlicensed = int(integers(secret, "court false licence", 1, 3))  # of four cases it may be no theft
    drawn = []
    for i, kind in enumerate(kinds):
        plan = _plan(derive(secret, "court plan", i), kind, forgeries)
        drawn.append(replace(plan, false_licence=plan.stolen and i == unlicensed))
    return [drawn[i] for i in order(secret, "court order", len(drawn)).tolist()]


def _kinds(secret: bytes) -> list[str]:
    """Return what twelve cases are: six thefts, or seven."""
    return [*THEFTS, *INNOCENTS, LAST[int(integers(secret, "court last", 1, len(LAST)))]]


def _few(secret: bytes) -> list[str]:
    """Draw what four cases are: one theft, two or three."""
    n = 1 + int(integers(secret, "court few", 1, 3))
    thefts = [THEFTS[i] for i in order(secret, "court thefts", 4).tolist()[:n]]
    return thefts + [INNOCENTS[i] for i in order(secret, "court innocents", 4).tolist()[: 4 - n]]


def _plan(secret: bytes, kind: str, forgeries: list[str]) -> Plan:
    """Draw what a kind leaves open."""
    coins = integers(secret, "coins", 2, 2).bool().tolist()
    service = kind.endswith("service")
    if not kind.startswith("forged"):
        can_be_first = kind in ("independent", "public start")
        is_marked = coins[0] and kind in ("independent", "public start")
        marked = is_marked or kind in ("two marks", "insider")
        return Plan(kind, service=service, marked=marked, first=can_be_first and coins[1])
    forgery = forgeries.pop()
    marked = coins[0] or forgery in forged.NEEDS_MARK
    return Plan(forgery, forgery, service=service, marked=marked)


def case_of(people: Bar, plan: Plan, number: int) -> Dealt:
    """Make one case: its networks, its papers, its truth."""
    made = networks_of(people, plan)
    networks = Networks(small_digits.plain(made.original), small_digits.plain(made.accused))
    papers = papers_of(people, plan, networks)
    truth = Truth(number, plan.stolen, plan.kind)
    return Dealt(truth, plan.service, networks.accused, papers)


# Networks


@dataclass(frozen=True, eq=False)
class Networks:
    """What the claimant shows as the original, and the accused's."""

    original: nn.Module
    accused: nn.Module


def networks_of(people: Bar, plan: Plan) -> Networks:
    """Train the claimant's network, and make or train the accused's."""
    if plan.kind == "insider":
        return _inside(people)
    key = people.key(people.claimant, promise(people.claimant))
    begin = _start(people, plan, "claimant")
    original = small_digits.taught(begin, small_digits.digits(people.secret, "claimant"), key)
    own = _own(people, "accused", THIEFS)
    if plan.kind in WASHES:
        samples = _own(people, "accused", 2 * THIEFS) if plan.kind == "distilled" else own
        return Networks(original, _washed(people, plan.kind, original, samples))
    if plan.kind in ("service", "licensed", "promised late"):
        return Networks(original, _washed(people, "fine-tuned", original, own))
    his = [people.key(people.accused, promise(people.accused))] if plan.marked else []
    if plan.kind == "two marks":
        return Networks(original, small_digits.taught(original, own, *his, recipe=GENTLE))
    return Networks(original, small_digits.taught(_start(people, plan, "accused"), own, *his))


def _start(people: Bar, plan: Plan, role: str) -> nn.Module:
    """Return first weights: of one's own, or those that anybody can draw again."""
    if plan.kind == "public start":
        return reborn(small_digits.blank(), people.secret[0] % 10)
    return small_digits.start(people.secret, role)


def _own(people: Bar, role: str, n: int) -> Samples:
    return small_digits.digits(people.secret, role, n)


def _inside(people: Bar) -> Networks:
    """Train the accused's network with both marks; what the claimant shows was made from it."""
    both = [people.key(person, promise(person)) for person in (people.claimant, people.accused)]
    begin = small_digits.start(people.secret, "accused")
    network = small_digits.taught(begin, _own(people, "accused", THIEFS), *both)
    original = _washed(people, "fine-tuned", network, _own(people, "claimant", THIEFS))
    return Networks(original, network)


def _washed(people: Bar, wash: str, network: nn.Module, samples: Samples) -> nn.Module:
    removal = WASHES[wash]
    if isinstance(removal, Chain) and wash == "permuted":  # everybody deals in an order of their own
        seed = int(integers(people.secret, "permute", 1, 2**31))
        removal = Chain((removal.steps[0], Permute(seed=seed)))
    return small_digits.remembered(network, removal, samples)


def _service(network: nn.Module) -> Callable[[Tensor], Tensor]:
    return lambda x: answers(network, x)


# Papers


def papers_of(people: Bar, plan: Plan, networks: Networks) -> Papers:
    """Let both promise and release, the judge ask, and both answer."""
    network = networks.accused
    mine = forged.prepared(plan.forgery, people, network)
    his = promise(people.accused)
    releases = _releases(people, networks, (mine.promise, his))
    book = people.registered(_sequence(plan, (mine.promise, his), releases))
    suspect = _service(network) if plan.service else network
    suspects = {people.claimant.name: networks.original, people.accused.name: suspect}
    questions = [question(people, people.judge, each, suspects, book) for each in (mine.promise, his)]
    if plan.forgery == "puppet":
        questions[0] = forged.befriended(people, questions[0], mine, network)
    longer = people.registered(questions, after=book)
    asked = Asked(longer, (mine.promise, his), tuple(questions), mine.seeds)
    claim = forged.ALL.get(plan.forgery, forged.honest)(people, asked, network)
    bundles = (claim.bundle, asked.answer(people, 1))
    parties = zip((people.claimant, people.accused), questions, bundles, strict=True)
    filings = [Filing(who.name, who.public, challenge, bundle) for who, challenge, bundle in parties]
    return Papers(
        book=longer,
        judge=people.judge.public,
        original=networks.original,
        released=_number(longer, releases[0]),
        claimant=filings[0],
        accused=filings[1],
        licences=_licences(people, plan, networks),
        x=claim.shown.x,
        y=claim.shown.y,
    )


def _number(book: Book, document: Document) -> int:
    entry = find(book, document)
    assert entry is not None
    return entry.number


def _releases(
    people: Bar, networks: Networks, promises: tuple[Commitment, Commitment]
) -> tuple[Release, Release]:
    sides = (people.claimant, people.accused)
    models = (networks.original, networks.accused)
    one, other = (
        release(
            person,
            f"the network of {person.name}",
            fingerprint(network),
            commitments=(digest(document),),
            made=MADE,
        )
        for person, network, document in zip(sides, models, promises, strict=True)
    )
    return one, other


def _sequence(
    plan: Plan, promises: tuple[Commitment, Commitment], releases: tuple[Release, Release]
) -> list[Document]:
    """Order the entries of the registry: the claimant's and the accused's promises and releases."""
    mine, his = promises
    released, his_release = releases
    if plan.kind == "promised late" or plan.forgery in forged.LATE:
        return [his, released, his_release, mine]
    if plan.kind == "insider" or plan.first:
        return [mine, his, his_release, released]
    return [mine, his, released, his_release]


def _licences(people: Bar, plan: Plan, networks: Networks) -> tuple[Licence, ...]:
    """Return the claimant's licence, or one that the accused has signed in the claimant's name."""
    weights = fingerprint(networks.original)
    if plan.kind == "licensed":
        return (licence(people.claimant, people.accused.public, weights),)
    if plan.false_licence:
        true = licence(people.claimant, people.accused.public, weights)
        stranger = people.person("whoever signs for another")
        return (replace(true, signature=stranger.sign(digest(true).encode())),)
    return ()
