"""What the cells of notebook 10 stage: people, a registry, a shop, forgers and a judge; and the dial."""

from __future__ import annotations

import copy
import hashlib
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec

import ipywidgets
import torch
from torch import nn

from ... import ownership as own
from ...data import Samples, load
from ...evidence import Suspect, answers, bystanders
from ...experiments import Results, Row, lost_case, shipped, transferable_claims
from ...models import badnet_cnn
from ...models.shipped import restored, ship
from ...ownership import (
    Book,
    Bundle,
    Case,
    Challenge,
    Commitment,
    Finding,
    Identity,
    Party,
    Receipt,
    Release,
    Report,
    forgeries,
    stages,
)
from ...ownership.documents import Document, digest, kind, parse, signed, text
from ...ownership.registry import KINDS, closed
from ...ownership.report import decision, sections
from ...ownership.seeded import pairs_of, trigger
from ...ownership.stages import Stage
from ...plots.ownership import Answered, power_point
from ...training import Recipe, best_device, trained
from ...watermarks import Adi2018, TriggerKey, secret
from ...watermarks.trigger_set import lesson as taught
from .. import challenges
from ..boxes import show_html
from ..widgets import Dial, depict, redraw

SCHEME = Adi2018(share=0.26, recipe=Recipe(epochs=1, lr=2e-3))
"""One short epoch is enough to mark a trained network."""
CLAIMED = "claimed-twice"
"""What the network that two people claim is called among those that ship."""
SHAPE = (1, 28, 28)
CLASSES = 10
N = 128
"""How many seeds the people of the lesson promise: a whole tree."""
TODAY = "2025-03-03T09:00:00+00:00"
"""What the clocks of the lesson say, so that it reads the same every day."""
OPENED = 50
"""How many triggers the judge lets open."""


def person(name: str) -> Identity:
    """Return somebody of the lesson, whose secret is printed here, hence none: `new_identity` draws one."""
    return Identity(name, hashlib.sha256(f"wmlearn lesson 10 {name}".encode()).digest())


JUDGE = person("the judge")
KEEPER = person("the keeper of the book")


def networks(device: torch.device) -> list[nn.Module]:
    """Return three networks that learnt digits and were never marked; none is a bystander of the judge's."""
    return [
        copy.deepcopy(network).to(device)
        for network in bystanders.shipped("mnist", bystanders.N_NULL, bystanders.N_NULL + 3)
    ]


@dataclass(frozen=True, eq=False)
class Public:
    """Networks that anybody can have: four with which a judge compares, twelve for a forger's search, and
    twenty innocents that neither has looked at, Bob's among them.
    """

    judges: tuple[nn.Module, ...]
    mine: tuple[nn.Module, ...]
    innocents: tuple[nn.Module, ...]


def public(device: torch.device) -> Public:
    """Return the shipped networks, sorted by whose they are in this lesson."""
    shipped = bystanders.shipped("mnist", 0, bystanders.N_DIGITS)
    everyone = [copy.deepcopy(network).to(device) for network in shipped]
    bob = everyone[bystanders.N_NULL + 1]
    mine = (*everyone[4 : bystanders.N_NULL], *everyone[11:19])
    return Public(tuple(everyone[:4]), mine, (bob, *everyone[19:38]))


@dataclass(frozen=True, eq=False)
class TwoClaims:
    """A network, and two keys that it answers as they claim; the lesson tells whose each is."""

    network: nn.Module
    fitted: TriggerKey
    embedded: TriggerKey


def two_claims(device: torch.device) -> TwoClaims:
    """Take the network that has learnt Ada's key, which ships, and fit Mallory's to it."""
    network = restored(badnet_cnn(), CLAIMED).to(device)
    return TwoClaims(network, fitted(drawn(person("Mallory"), device), network), drawn(person("Ada"), device))


def marked_anew(device: torch.device) -> nn.Module:
    """Embed Ada's key into a network anew."""
    digits = load("mnist").train.to(device)
    return SCHEME.embed(networks(device)[0], digits, drawn(person("Ada"), device)).model


def ship_claimed() -> None:
    """Embed it anew, and put the network with what ships. For maintainers."""
    command = 'python -c "from wmlearn.course.lessons import lesson_10; lesson_10.ship_claimed()"'
    ship(marked_anew(best_device()), CLAIMED, made=command)


def answered(keys: Mapping[str, TriggerKey], network: nn.Module) -> dict[str, Answered]:
    """Ask a network about every picture of some keys."""
    return {
        name: Answered(key.x.cpu(), key.y.cpu(), answers(network, key.x).cpu()) for name, key in keys.items()
    }


def answered_by(
    network: nn.Module, pictures: Mapping[str, tuple[torch.Tensor, torch.Tensor]]
) -> dict[str, Answered]:
    """Ask a network about pictures that somebody made, name -> pictures and labels."""
    return {name: Answered(x.cpu(), y.cpu(), answers(network, x).cpu()) for name, (x, y) in pictures.items()}


def transferable_rows(results: Results) -> tuple[list[str], list[list[str]]]:
    """Return the table of the experiment `transferable-claims`: its head, and a row for each kind of key."""
    head = ["keys", "hits on innocents", "convicted", "p by honest decoys", "p by decoys made alike"]
    return head, [_transferable_row(row) for row in results.rows]


def _transferable_row(row: Row) -> list[str]:
    believed = transferable_claims.shown(row)
    return [
        transferable_claims.title(row),
        f"{100 * transferable_claims.rates(row).mean():.0f} %",
        f"{int(believed.sum())} of {believed.numel()}",
        f"{transferable_claims.decoy_p(row).median():.2f}",
        f"{transferable_claims.alike_p(row).median():.2f}",
    ]


def promise(owner: Identity) -> Commitment:
    """Return somebody's promise of 128 seeds; the lesson's people make one each."""
    return own.commit(owner, n=N, shape=SHAPE, classes=CLASSES, made=TODAY)


def drawn(owner: Identity, device: torch.device) -> TriggerKey:
    """Draw the key that somebody's promise becomes in a registry of the lesson."""
    key = own.draw(owner, receipt(registered(promise(owner)), promise(owner)))
    return replace(key, x=key.x.to(device), y=key.y.to(device))


def overwritten(stolen: nn.Module, samples: Samples, key: TriggerKey) -> nn.Module:
    """Train another mark over a network's, as a thief does who asks nobody whether it took."""
    return trained(stolen, taught(samples, key, SCHEME.share), SCHEME.recipe)[0]


def fitted(key: TriggerKey, model: nn.Module) -> TriggerKey:
    """Put the model's own answers in place of a key's labels."""
    return replace(key, y=answers(model, key.x))


def released(owner: Identity, model: str, network: nn.Module) -> Release:
    """Sign somebody's release of a network that carries his key."""
    carried = (digest(promise(owner)),)
    return own.release(owner, model, own.fingerprint(network), commitments=carried, made=TODAY)


def registered(*documents: Document, after: Book | None = None) -> Book:
    """Return a registry with these entries, in memory. Its keeper's nonces follow from the documents, so that
    everybody sees the same keys: true ones are drawn by the operating system.
    """
    entries = list(after.entries) if after else []
    for document in documents:
        nonce = hashlib.sha256(f"wmlearn lesson 10 nonce {digest(document)}".encode()).hexdigest()
        entries.append(own.Entry(len(entries) + 1, TODAY, kind(document), text(document), nonce))
    return closed(entries, KEEPER, TODAY)


def receipt(book: Book, document: Document) -> Receipt:
    """Return the keeper's receipt of a document."""
    entry = own.find(book, document)
    assert entry is not None
    return own.receipt(book, KEEPER, entry.number)


def shown(book: Book, names: Sequence[str]) -> list[list[str]]:
    """Return the entries of a registry, a row each: its number, who signed what, how its nonce begins."""
    people = {person(name).public: name for name in names}
    rows = []
    for entry in book.entries:
        document = parse(entry.document, KINDS[entry.kind])
        what = f"releases {document.model}" if isinstance(document, Release) else "promises a key"
        rows.append([str(entry.number), people[document.by], what, entry.nonce[:12]])
    return rows


def tampered(book: Book) -> Book:
    """Return a registry in which the keeper has swapped the first two promises, but signed nothing anew."""
    entries = list(book.entries)
    first, second, *_ = [i for i, entry in enumerate(entries) if entry.kind == kind(Commitment)]
    one = entries[first].document
    entries[first] = replace(entries[first], document=entries[second].document)
    entries[second] = replace(entries[second], document=one)
    return replace(book, entries=tuple(entries))


@dataclass(frozen=True, eq=False)
class Heard:
    """An owner's answer to the judge, and the case that it belongs to."""

    case: Case
    challenge: Challenge
    bundle: Bundle

    @property
    def finding(self) -> Finding:
        """What the judge finds."""
        return own.verify(self.case, self.challenge, self.bundle)


def asks(book: Book, owner: Identity, suspects: Mapping[str, Suspect], seed: int = 10) -> Challenge:
    """Draw the judge's challenge by a printed nonce, so that everybody sees the same triggers opened."""
    blank = own.challenge(
        JUDGE, promise(owner), suspects, book=book, count=OPENED, level=1e-3, queries=5 * OPENED
    )
    return signed(replace(blank, nonce=secret.secret_of(seed, None).hex(), made=TODAY), JUDGE)


def heard(book: Book, owner: Identity, suspects: Mapping[str, Suspect], release: int | None = None) -> Heard:
    """Challenge an owner about some suspects, and let the owner answer; `release` is where they came from."""
    asked = asks(book, owner, suspects)
    longer = registered(asked, after=book)
    bundle = own.respond(
        owner,
        receipt(longer, promise(owner)),
        receipt(longer, asked),
        judge=JUDGE.public,
        book=longer,
    )
    return Heard(_case(suspects, longer, release), asked, bundle)


def _case(suspects: Mapping[str, Suspect], book: Book, release: int | None = None) -> Case:
    return Case(suspects, book, JUDGE.public, release, secret=JUDGE.secret)


def swapped(answer: Heard, owner: Identity, model: nn.Module) -> Finding:
    """Let the owner look for seeds to which a network answers as they say, and show those instead."""
    bundle = answer.bundle
    nonce = bundle.promise.entry.nonce
    device = next(model.parameters()).device
    openings = []
    for opening in bundle.openings:
        seeds = [hashlib.sha256(f"{opening.seed} {i}".encode()).digest() for i in range(60)]
        triggers = [trigger(owner.public, nonce, opening.index, seed) for seed in seeds]
        pairs = pairs_of(bundle.commitment, triggers)
        hit = (answers(model, pairs.x.to(device)).cpu() == pairs.y).int().argmax()
        openings.append(replace(opening, seed=seeds[int(hit)].hex()))
    false = signed(replace(bundle, openings=tuple(openings)), owner)
    return replace(answer, bundle=false).finding


def decided(
    book: Book, disputed: str, suspects: Mapping[str, nn.Module], models: Mapping[str, str]
) -> Report:
    """Let people claim a network, each showing a model as his own (name -> suspect), and the judge decide."""
    asked = [asks(book, person(name), suspects) for name in models]
    longer = registered(*asked, after=book)
    parties = []
    for name, challenge in zip(models, asked, strict=True):
        owner = person(name)
        papers = (receipt(longer, promise(owner)), receipt(longer, challenge))
        bundle = own.respond(owner, *papers, judge=JUDGE.public, book=longer)
        parties.append(Party(name, owner.public, models[name], challenge, bundle))
    return replace(own.dispute(_case(suspects, longer), disputed, parties), made=TODAY)


@contextmanager
def shop(model: nn.Module) -> Iterator[tuple[Suspect, str]]:
    """Put a model behind HTTP on this machine, and say how it is asked.

    Where the packages for that are missing, it is a function.
    """
    if not all(find_spec(name) for name in ("fastapi", "uvicorn", "httpx")):
        yield lambda x: answers(model, x), 'a function (pip install "wmlearn[serve]" for HTTP)'
        return
    from ...suspects import Remote, server, service

    with socket.create_server(("127.0.0.1", 0)) as listener:
        web = server(service(model))
        thread = threading.Thread(target=web.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        end = time.monotonic() + 20
        while not web.started and time.monotonic() < end:
            time.sleep(0.01)
        try:
            yield Remote(f"http://127.0.0.1:{listener.getsockname()[1]}"), "HTTP"
        finally:
            web.should_exit = True
            thread.join(20)


def stopped_by(finding: Finding) -> str:
    """Say in a few words why a claim does not stand."""
    if any(match.owned for match in finding.matches.values()):
        return "nothing: the claim stands"
    return shortly(finding.void[0]) if finding.void else "too few hits"


def shortly(why: str) -> str:
    """Cut a reason to what fits in a table."""
    return re.sub(r"^\d+ of \d+ ", "", why).split(", got")[0].split(":")[0].split(", but")[0]


def forged(set_: Stage, forger: Identity) -> dict[str, stages.Attempt]:
    """Try every forgery of the package against one network."""
    return {name: forgery(set_, forger) for name, forgery in forgeries.ALL.items()}


def insider(owner: Identity, thief: Identity, network: nn.Module) -> Finding:
    """Let somebody promise in time, and teach a network his mark before its owner releases it."""
    book = registered(promise(thief), promise(owner), released(owner, "the network", network))
    return heard(book, thief, {"the network": network}).finding


def show_report(report: Report) -> None:
    """Show the judge's page; as text, its decision. No frame: a notebook that isn't trusted drops those."""
    page = "".join(sections(report, top=3))
    look = "border: 1px solid #8795a1; border-radius: 4px; padding: 2px 18px;"
    show_html(f'<div style="{look}">{page}</div>', plain=" ".join([decision(report), *report.reasons]))


# A rule for the case that the owner loses

Rule = Callable[[int, int], str]
"""Hits of Ada's mark and of Mallory's, of 50 each, in what he released -> "Ada", "Mallory" or "nobody"."""
NAMES = ("Ada", "Mallory", lost_case.NOBODY)


def weighed(rule: Rule) -> challenges.Score:
    """Try a rule on every network of the experiment: thefts, and honest work."""
    given: Counter[tuple[str, str]] = Counter()
    for row in shipped("lost-case").rows:
        name = rule(row["hers_in_his"], row["his_in_his"])
        if name not in NAMES:
            return challenges.Score(
                False, 0, f"Your rule must return one of {', '.join(NAMES)}; it says {name!r}."
            )
        given[row["start"], name] += 1
    thefts = given["hers", "Mallory"]
    robbed = given["own", "Ada"]
    unheard = given["own", lost_case.NOBODY]
    says = (
        f"Stolen networks that the thief gets: {thefts}. Honest ones that nobody gets: {unheard}; that Ada"
        f" gets: {robbed}."
    )
    missed = " Asked for: no honest network to Ada." if robbed else ""
    return challenges.Score(not robbed, thefts + unheard, says + missed)


def court(hers: int, his: int) -> str:
    """Return what the court says, which believes Ada where her mark is shown: she released first."""
    if hers >= LINE:
        return "Ada"
    return "Mallory" if his >= LINE else lost_case.NOBODY


def ours(hers: int, his: int) -> str:
    """Return the course's own rule: as the court's, but where her mark is worn, the case stays open."""
    if hers >= LINE:
        return "Ada"
    if his < LINE or hers >= WORN:
        return lost_case.NOBODY
    return "Mallory"


LINE = 15
"""Hits of 50 from which the court believes a mark, with four tries at its level."""
WORN = 10
OURS = 19
CHALLENGE = challenges.Challenge("a rule for the lost case", "wrong or open cases", weighed, ours=OURS)


# To play with


def power_dial() -> ipywidgets.VBox:
    """Let the learner choose the level, the triggers opened, and what is left of the mark.

    The figure says how often the claim succeeds.
    """
    levels = {"5 %": 0.05, "1 %": 0.01, "0.1 %": 1e-3, "one in a million": 1e-6}
    level = Dial("level", levels, start=1e-3)
    opened = Dial("opened", {str(n): n for n in range(5, 201)}, start=30)
    left = Dial("left", {f"{share} %": share for share in range(10, 101, 10)}, start=70)
    return redraw(
        lambda: depict(power_point, level.value, opened.value, left.value / 100), level, opened, left
    )
