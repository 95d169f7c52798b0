"""What the cells of notebook 10 stage: people, a registry, a shop, forgers and a judge; and the dial."""

from __future__ import annotations

import atexit
import copy
import hashlib
import re
import shutil
import socket
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from html import escape
from importlib.util import find_spec
from pathlib import Path

import ipywidgets
import torch
from torch import nn

from ... import ownership as own
from ...data import Samples
from ...evidence import Suspect, answers, bystanders
from ...ownership import Case, Challenge, Commitment, Finding, Identity, Party, Registry, Report, forgeries
from ...ownership.documents import parse, signed
from ...ownership.registry import KINDS
from ...ownership.report import decision
from ...plots.ownership import Answered, power_point
from ...training import Recipe
from ...watermarks import Adi2018, TriggerKey, secret
from ..widgets import depict, redraw

SCHEME = Adi2018(share=0.2, recipe=Recipe(epochs=1, lr=2e-3))
"""One short epoch is enough to mark a trained network."""
SHAPE = (1, 28, 28)
CLASSES = 10
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
class TwoClaims:
    """A network, and two keys that it answers as they claim; the lesson tells whose each is."""

    network: nn.Module
    fitted: TriggerKey
    embedded: TriggerKey


def two_claims(plain: nn.Module, samples: Samples) -> TwoClaims:
    """Embed Ada's key into a network, and fit Mallory's to it."""
    device = samples.x.device
    hers = drawn(person("Ada"), device)
    network = SCHEME.embed(plain, samples, hers).model
    return TwoClaims(network, fitted(drawn(person("Mallory"), device), network), hers)


def answered(keys: Mapping[str, TriggerKey], network: nn.Module) -> dict[str, Answered]:
    """Ask a network about every picture of some keys."""
    return {
        name: Answered(key.x.cpu(), key.y.cpu(), answers(network, key.x).cpu()) for name, key in keys.items()
    }


def drawn(owner: Identity, device: torch.device) -> TriggerKey:
    """Draw a key of 100 triggers, each of which follows from a salt of its own."""
    key = own.draw(owner, shape=SHAPE, classes=CLASSES)
    return replace(key, x=key.x.to(device), y=key.y.to(device))


def fitted(key: TriggerKey, model: nn.Module) -> TriggerKey:
    """Put the model's own answers in place of a key's labels."""
    return replace(key, y=answers(model, key.x))


def registry() -> Registry:
    """Return an empty registry, in a folder that goes away with the notebook."""
    folder = tempfile.mkdtemp(prefix="wmlearn-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Registry(Path(folder) / "book.sqlite", KEEPER, clock=lambda: TODAY)


def document_of(entry: own.Entry) -> Commitment | own.Release | Challenge:
    """Read the document that an entry of a registry holds."""
    return parse(entry.document, KINDS[entry.kind])


def shown(book: Registry, names: Sequence[str]) -> list[list[str]]:
    """Return the entries of a registry, a row each: its number, who signed what, how its leaf begins."""
    people = {person(name).public: name for name in names}
    rows = []
    for entry in own.read_book(book).entries:
        document = document_of(entry)
        what = f"releases {document.model}" if isinstance(document, own.Release) else "commits to a key"
        rows.append([str(entry.number), people[document.by], what, entry.leaf.hex()[:12]])
    return rows


def tampered(book: Registry) -> Registry:
    """Return a copy of a registry whose keeper has swapped the first two promises, but signed nothing."""
    path = Path(book.where).with_name("copy.sqlite")
    with sqlite3.connect(book.where) as old, sqlite3.connect(path) as new:
        old.backup(new)
        first, second, *_ = new.execute(
            "SELECT number, document FROM entries WHERE kind = 'commitment' ORDER BY number"
        ).fetchall()
        new.executemany(
            "UPDATE entries SET document = ? WHERE number = ?", [(second[1], first[0]), (first[1], second[0])]
        )
    for connection in (old, new):
        connection.close()
    return replace(book, where=path)


def asks(promise: Commitment, suspects: Mapping[str, Suspect], seed: int = 10) -> Challenge:
    """Draw the judge's challenge by a printed nonce, so that everybody sees the same triggers opened."""
    blank = own.challenge(JUDGE, promise, suspects, count=OPENED)
    return signed(replace(blank, nonce=secret.secret_of(seed, None).hex(), made=TODAY), JUDGE)


def heard(case: Case, owner: Identity, key: TriggerKey, promise: Commitment) -> Finding:
    """Challenge an owner, let the owner answer, and verify the answer."""
    asked = asks(promise, case.suspects)
    return own.verify(case, asked, own.respond(owner, key, promise, asked))


def swapped(case: Case, owner: Identity, key: TriggerKey, promise: Commitment, model: nn.Module) -> Finding:
    """Do as `heard` does, but the owner writes the model's answers into the opened triggers."""
    asked = asks(promise, case.suspects)
    bundle = own.respond(owner, key, promise, asked)
    labels = answers(model, bundle.x).tolist()
    pairs = zip(bundle.openings, labels, strict=True)
    openings = tuple(replace(opening, label=label) for opening, label in pairs)
    return own.verify(case, asked, signed(replace(bundle, openings=openings), owner))


def party(case: Case, owner: Identity, model: str, key: TriggerKey, promise: Commitment) -> Party:
    """Return one side of a dispute, with its answer to the judge's challenge."""
    asked = asks(promise, case.suspects)
    return Party(owner.name, model, asked, own.respond(owner, key, promise, asked))


def decided(case: Case, disputed: str, parties: Sequence[Party]) -> Report:
    """Let the judge decide, and date the report."""
    return replace(own.dispute(case, disputed, parties), made=TODAY)


@contextmanager
def shop(model: nn.Module) -> Iterator[tuple[Suspect, str]]:
    """Put a model behind HTTP on this machine, and say how it is asked.

    Where the packages for that are missing, it is a function.
    """
    if not all(find_spec(name) for name in ("fastapi", "uvicorn", "httpx")):
        yield lambda x: answers(model, x), 'a function (pip install "wmlearn[serve]" for HTTP)'
        return
    import uvicorn

    from ...suspects.remote import Remote
    from ...suspects.serving import service

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(service(model), log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        end = time.monotonic() + 20
        while not server.started and time.monotonic() < end:
            time.sleep(0.01)
        try:
            yield Remote(f"http://127.0.0.1:{listener.getsockname()[1]}"), "HTTP"
        finally:
            server.should_exit = True
            thread.join(20)


def stage(owner: Identity, key: TriggerKey, model: nn.Module, samples: Samples) -> forgeries.Stage:
    """Set the stage for forgers: the owner's promise and release, bystanders, a thief's overwriting."""
    innocent = bystanders.for_task(model, samples)
    return forgeries.staged(
        owner, key, model, innocent, lambda stolen, other: SCHEME.embed(stolen, samples, other).model
    )


def stopped_by(finding: Finding) -> str:
    """Say in a few words why a claim does not stand."""
    if any(match.owned for match in finding.matches.values()):
        return "nothing: the claim stands"
    return re.sub(r"^\d+ of \d+ ", "", finding.void[0]).split(":")[0] if finding.void else "too few hits"


def forged(set_: forgeries.Stage, forger: Identity) -> dict[str, forgeries.Attempt]:
    """Try every forgery of the package against one network."""
    return {name: forgery(set_, forger) for name, forgery in forgeries.ALL.items()}


def insider(set_: forgeries.Stage, thief: Identity) -> Finding:
    """Let somebody commit to triggers that a network alone answers so, before its owner releases it."""
    key = forgeries.picked(set_, thief)
    promise = own.commit(thief, key)
    return forgeries.claim(set_, thief, key, promise, forgeries.case(set_, early=[promise]))


def show_report(report: Report) -> None:
    """Show the judge's page in a frame of its own, in which nothing can run; as text, its decision."""
    from IPython.display import display

    frame = (
        f'<iframe sandbox srcdoc="{escape(own.to_html(report))}" title="The judge\'s report" width="100%"'
        ' height="620"></iframe>'
    )
    display({"text/html": frame, "text/plain": " ".join([decision(report), *report.reasons])}, raw=True)


# To play with


def power_dial() -> ipywidgets.VBox:
    """Let the learner choose the level, the triggers opened, and what is left of the mark.

    The figure says how often the claim succeeds.
    """
    style = {"style": {"description_width": "80px"}, "layout": ipywidgets.Layout(width="420px")}
    level = ipywidgets.SelectionSlider(
        options=[("5 %", 0.05), ("1 %", 0.01), ("0.1 %", 1e-3), ("one in a million", 1e-6)], **style
    )
    level.description = "level"
    level.value = 1e-3
    opened = ipywidgets.IntSlider(
        value=30, min=5, max=200, description="opened", continuous_update=False, **style
    )
    left = ipywidgets.SelectionSlider(
        options=[(f"{share} %", share) for share in range(10, 101, 10)], value=70, description="left", **style
    )
    return redraw(
        lambda: depict(power_point, level.value, opened.value, left.value / 100), level, opened, left
    )
