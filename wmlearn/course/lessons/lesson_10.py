"""The exercises of notebook 10: reference, cases, named mistakes, hints; and what its cells stage."""

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
from dataclasses import replace
from html import escape
from importlib.util import find_spec
from pathlib import Path

import torch
from scipy.stats import binom, norm
from torch import Tensor, nn

from ... import bystanders
from ... import ownership as own
from ...data import Samples
from ...evidence import Evidence, Suspect, answers
from ...ownership import Case, Challenge, Commitment, Finding, Identity, Party, Registry, Report, forgeries
from ...ownership.commitment import tree
from ...ownership.documents import parse, signed
from ...ownership.registry import KINDS
from ...ownership.report import decision
from ...plots import Row
from ...plots_claims import Answered
from ...training import Recipe
from ...watermarks import Adi2018, TriggerKey
from ...watermarks import secret as draw
from ..exercises import Cases, Exercise, Mistake

SCHEME = Adi2018(share=0.2, recipe=Recipe(epochs=1, lr=2e-3))
"""One short epoch is enough to mark a trained network."""
SHAPE, CLASSES = (1, 28, 28), 10
TODAY = "2025-03-03T09:00:00+00:00"
"""What the clocks of the lesson say, so that it reads the same every day."""
OPENED = 50


def person(name: str) -> Identity:
    """Return somebody of the lesson; whose secret is printed here, hence no secret: `new_identity` draws one."""
    return Identity(name, hashlib.sha256(f"wmlearn lesson 10 {name}".encode()).digest())


JUDGE = person("the judge")


def networks(device: torch.device) -> list[nn.Module]:
    """Return three networks that learnt digits and were never marked; none is one of the judge's bystanders."""
    return [copy.deepcopy(each).to(device) for each in bystanders.shipped("mnist", bystanders.N_NULL, bystanders.N_NULL + 3)]


def two_claims(plain: nn.Module, samples: Samples) -> tuple[nn.Module, TriggerKey, TriggerKey]:
    """Return a network, and two keys that it answers as they claim: Mallory's and Ada's. The lesson tells how each was made."""
    device = samples.x.device
    hers = drawn(person("Ada"), device)
    network = SCHEME.embed(plain, samples, hers).model
    return network, fitted(drawn(person("Mallory"), device), network), hers


def answered(keys: Mapping[str, TriggerKey], network: nn.Module) -> dict[str, Answered]:
    """Ask a network about every picture of some keys."""
    return {name: Answered(key.x.cpu(), key.y.cpu(), answers(network, key.x).cpu()) for name, key in keys.items()}


def drawn(owner: Identity, device: torch.device) -> TriggerKey:
    """Draw a key of 100 triggers, each of which follows from a salt of its own."""
    key = own.draw(owner, shape=SHAPE, classes=CLASSES)
    return replace(key, x=key.x.to(device), y=key.y.to(device))


def fitted(key: TriggerKey, model: nn.Module) -> TriggerKey:
    """Put the model's own answers in place of a key's labels."""
    return replace(key, y=answers(model, key.x))


def p_values(row: Row) -> Tensor:
    """Return the p-values (keys, networks) of what one scheme's keys found in innocent networks."""
    every = zip(row["hits"], row["trials"], row["chance"], strict=True)
    return torch.tensor([[Evidence(row["scheme"], "labels", hits, n, p).p_value for hits in found] for found, n, p in every])


def lines(rule: str, chance: float, alpha: float, sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Return (triggers, hits needed) for each size, by one of three rules: "exact", "one less", "bell curve"."""

    def line(n: int) -> int:
        if rule == "bell curve":
            return int(n * chance + norm.isf(alpha) * (n * chance * (1 - chance)) ** 0.5) + 1
        return int(binom.isf(alpha, n, chance)) + (rule == "exact")

    return [(n, line(n)) for n in sizes]


def registry() -> Registry:
    """Return an empty registry, in a folder that goes away with the notebook."""
    folder = tempfile.mkdtemp(prefix="wmlearn-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Registry(Path(folder) / "book.sqlite", clock=lambda: TODAY)


def document_of(entry: own.Entry) -> Commitment | own.Release | Challenge:
    """Read the document that an entry of a registry holds."""
    return parse(entry.document, KINDS[entry.kind])


def shown(book: Registry, names: Sequence[str]) -> list[list[str]]:
    """Return the entries of a registry, a row each: its number, who signed what, how its hash begins."""
    people = {person(name).public: name for name in names}
    rows = []
    for entry in own.entries(book):
        document = document_of(entry)
        what = f"releases {document.model}" if isinstance(document, own.Release) else "commits to a key"
        rows.append([str(entry.number), people[document.by], what, entry.hash[:12]])
    return rows


def leaves(key: TriggerKey) -> list[bytes]:
    """Return the hash of each trigger with its label and its salt, filled up to 128 with the hash of nothing."""
    return tree(key)[0]


def tampered(book: Registry) -> Registry:
    """Return a copy of a registry in which its keeper has swapped the first two promises, numbers, links and hashes excepted."""
    path = Path(book.where).with_name("copy.sqlite")
    with sqlite3.connect(book.where) as old, sqlite3.connect(path) as new:
        old.backup(new)
        first, second, *_ = new.execute("SELECT number, document FROM entries WHERE kind = 'commitment' ORDER BY number").fetchall()
        new.executemany("UPDATE entries SET document = ? WHERE number = ?", [(second[1], first[0]), (first[1], second[0])])
    for connection in (old, new):
        connection.close()
    return replace(book, where=path)


def asks(promise: Commitment, suspects: Mapping[str, Suspect], seed: int = 10) -> Challenge:
    """Draw the judge's challenge by a printed nonce, so that everybody sees the same triggers opened; a real one can't be foreseen."""
    blank = own.challenge(JUDGE, promise, suspects, count=OPENED)
    return signed(replace(blank, nonce=draw.secret_of(seed, None).hex(), made=TODAY), JUDGE)


def heard(case: Case, owner: Identity, key: TriggerKey, promise: Commitment) -> Finding:
    """Challenge an owner, let the owner answer, and verify the answer."""
    asked = asks(promise, case.suspects)
    return own.verify(case, asked, own.respond(owner, key, promise, asked))


def swapped(case: Case, owner: Identity, key: TriggerKey, promise: Commitment, model: nn.Module) -> Finding:
    """The same, but the owner writes the model's answers into the opened triggers."""
    asked = asks(promise, case.suspects)
    bundle = own.respond(owner, key, promise, asked)
    told = answers(model, bundle.x).tolist()
    openings = tuple(replace(each, label=label) for each, label in zip(bundle.openings, told, strict=True))
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
    """Put a model behind HTTP on this machine, and say how it is asked; where the packages for that are missing, it is a function."""
    if not all(find_spec(name) for name in ("fastapi", "uvicorn", "httpx")):
        yield lambda x: answers(model, x), 'a function (pip install "wmlearn[serve]" for HTTP)'
        return
    import uvicorn

    from ...serving import Remote, service

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
    """Set the stage for the forgers: the owner's promise and release, the judge's bystanders, and how a thief overwrites a mark."""
    innocent = bystanders.for_task(model, samples)
    return forgeries.staged(owner, key, model, innocent, lambda stolen, other: SCHEME.embed(stolen, samples, other).model)


def stopped_by(finding: Finding) -> str:
    """Say in a few words why a claim does not stand."""
    if any(match.owned for match in finding.matches.values()):
        return "nothing: the claim stands"
    return re.sub(r"^\d+ of \d+ ", "", finding.void[0]).split(":")[0] if finding.void else "too few hits"


def forged(set_: forgeries.Stage, forger: Identity) -> dict[str, forgeries.Attempt]:
    """Try every forgery of the package against one network."""
    return {name: forgery(set_, forger) for name, forgery in forgeries.ALL.items()}


def insider(set_: forgeries.Stage, thief: Identity) -> Finding:
    """Let somebody who had the network before its release commit to triggers that it alone answers so, before its owner releases it."""
    key = forgeries.picked(set_, thief)
    promise = own.commit(thief, key)
    return forgeries.claim(set_, thief, key, promise, forgeries.case(set_, early=[promise]))


def show_report(report: Report) -> None:
    """Show the judge's page in a frame of its own, in which nothing can run; as text, its decision."""
    from IPython.display import display

    frame = f'<iframe sandbox srcdoc="{escape(own.to_html(report))}" title="The judge\'s report" width="100%" height="620"></iframe>'
    display({"text/html": frame, "text/plain": " ".join([decision(report), *report.reasons])}, raw=True)


# The exercises


def broken(lines: Sequence[tuple[int, int]], chance: float, alpha: float) -> int:
    """How many of the lines (n, hits) an innocent network reaches with probability alpha or more."""
    return int(sum(binom.sf(hits - 1, n, chance) >= alpha for n, hits in lines))


def holm(p: Tensor, alpha: float) -> Tensor:
    """Which of the claims (m,) stand, when any false one may stand with probability alpha at most."""
    stand = torch.zeros(len(p), dtype=torch.bool)
    for rank, i in enumerate(p.argsort()):
        if p[i] >= alpha / (len(p) - rank):
            break
        stand[i] = True
    return stand


def root(leaves: Sequence[bytes]) -> bytes:
    """The hash over all leaves (a power of two): neighbours hashed in pairs, level by level."""
    row = list(leaves)
    while len(row) > 1:
        row = [hashlib.sha256(b"\1" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]


def _lines(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)
    sizes = [int(k) for k in torch.randint(12, 90, (4,), generator=gen)]
    exact, less, bell = (lines(rule, 0.1, 1e-3, [10, 20, *sizes]) for rule in ("exact", "one less", "bell curve"))
    return {
        "one rule at a time": [(exact, 0.1, 1e-3), (less, 0.1, 1e-3), (bell, 0.1, 1e-3)],
        "rules mixed": [([*less[:4], *exact], 0.1, 1e-3), ([*exact, *bell[:2]], 0.1, 1e-3), ([(10, 9), (100, 15)], 0.1, 0.05)],
    }


def _claims(seed: int) -> Cases:
    gen = torch.Generator().manual_seed(seed)
    p = torch.rand(8, generator=gen) ** 4
    return {
        "claims that pass": [(torch.tensor([0.02, 0.0004, 0.03, 0.012]), 0.05), (p, 0.05)],
        "a claim that fails first": [
            (torch.tensor([0.04, 0.02, 0.021]), 0.05),
            (torch.tensor([0.5, 0.005, 0.03, 0.012, 0.02, 0.04]), 0.05),
        ],
    }


def _leaves(seed: int) -> Cases:
    def some(name: str, n: int) -> list[bytes]:
        return [hashlib.sha256(f"{seed} {name} {i}".encode()).digest() for i in range(n)]

    return {"two and four leaves": [(some("two", 2),), (some("four", 4),)], "many leaves": [(some("many", 16),)]}


def _tree(row: Sequence[bytes], mark: bytes = b"\1", *, turned: bool = False) -> bytes:
    while len(row) > 1:
        pairs = zip(row[1::2], row[::2], strict=True) if turned else zip(row[::2], row[1::2], strict=True)
        row = [hashlib.sha256(mark + left + right).digest() for left, right in pairs]
    return row[0]


def _chain(leaves: Sequence[bytes]) -> bytes:
    found = leaves[0]
    for leaf in leaves[1:]:
        found = hashlib.sha256(b"\1" + found + leaf).digest()
    return found


def _each_by_itself(p: Tensor, alpha: float) -> Tensor:
    stand = torch.zeros(len(p), dtype=torch.bool)
    for rank, i in enumerate(p.argsort()):
        stand[i] = p[i] < alpha / (len(p) - rank)
    return stand


def _from_the_top(p: Tensor, alpha: float) -> Tensor:
    passed = _each_by_itself(p, alpha)
    return p <= p[passed].max() if passed.any() else passed


EXERCISES = {
    "10.1": Exercise(
        id="10.1",
        title="Lines that break their promise",
        difficulty=2,
        importance=4,
        minutes=8,
        returns="one number",
        reference=broken,
        cases=_lines,
        mistakes=(
            Mistake(
                "off-by-one",
                "You make the library's mistake: binom.sf(h) is P(more than h). Who reaches the line has h hits or more: sf(h - 1).",
                lambda lines, chance, alpha: sum(binom.sf(h, n, chance) >= alpha for n, h in lines),
            ),
            Mistake(
                "point-probability",
                "You ask how often an innocent network lands on the line. It is also convicted with more: sum the tail.",
                lambda lines, chance, alpha: sum(binom.pmf(h, n, chance) >= alpha for n, h in lines),
            ),
            Mistake(
                "keeps",
                "You count the lines that keep their promise. Count those that break it.",
                lambda lines, chance, alpha: sum(binom.sf(h - 1, n, chance) < alpha for n, h in lines),
            ),
            Mistake(
                "bell-curve",
                "You judge one approximation by another: the bell curve's tail is too thin for small keys. Take the binomial's.",
                lambda lines, chance, alpha: sum(norm.sf(h, n * chance, (n * chance * (1 - chance)) ** 0.5) >= alpha for n, h in lines),
            ),
        ),
        hints=(
            "A network with exactly as many hits as the line asks for: is it convicted?",
            "For each (n, hits) take binom.sf(hits - 1, n, chance), and count how many of these are alpha or more.",
        ),
        why="A level is a promise to the innocent. Whether a rule keeps it can be computed exactly, before anybody is accused.",
    ),
    "10.2": Exercise(
        id="10.2",
        title="Twenty suspects, one level",
        difficulty=3,
        importance=5,
        minutes=12,
        returns="a truth value for each claim",
        reference=holm,
        cases=_claims,
        mistakes=(
            Mistake(
                "uncorrected",
                "You give each claim the whole level. With twenty suspects luck has twenty tries.",
                lambda p, alpha: p < alpha,
            ),
            Mistake(
                "bonferroni",
                "You compare all with alpha / m (Bonferroni): safe, but too strict. The second smallest may have alpha / (m - 1).",
                lambda p, alpha: p < alpha / len(p),
            ),
            Mistake(
                "does-not-stop",
                "You go on after a failure. The first claim that fails stops all larger ones: break.",
                _each_by_itself,
            ),
            Mistake(
                "from-the-top",
                "You start with the largest: Hochberg's way, which independent claims allow. Holm starts with the smallest.",
                _from_the_top,
            ),
            Mistake(
                "sorted",
                "Your answers are in the order of the p-values. Give them in the order of the claims.",
                lambda p, alpha: holm(p, alpha)[p.argsort()],
            ),
        ),
        hints=(
            "If the smallest p-value of m claims convicts its suspect, how many chances has luck left?",
            "Start with all False. Go through p.argsort() with its rank: break at the first p[i] >= alpha / (m - rank), else set True.",
        ),
        why="Any false conviction at all, in the whole case, now has probability alpha at most, however the claims depend on each other.",
    ),
    "10.3": Exercise(
        id="10.3",
        title="One hash for a hundred triggers",
        difficulty=3,
        importance=4,
        minutes=10,
        returns="the root, 32 bytes",
        reference=root,
        cases=_leaves,
        mistakes=(
            Mistake(
                "no-mark",
                'Put b"\\1" before each pair. Without it, somebody could pass off a pair of hashes as a trigger.',
                lambda leaves: _tree(leaves, b""),
            ),
            Mistake(
                "turned",
                "Your pairs are the wrong way round: the left neighbour goes first.",
                lambda leaves: _tree(leaves, turned=True),
            ),
            Mistake(
                "chain",
                "That is a chain: to show one trigger takes the hashes of all others. Pair neighbours, level by level.",
                _chain,
            ),
            Mistake(
                "flat",
                "You hash all leaves at once. That binds them too, but a single trigger could not be shown without all other hashes.",
                lambda leaves: hashlib.sha256(b"\1" + b"".join(leaves)).digest(),
            ),
        ),
        hints=(
            "Sixteen leaves make eight pairs, and then? How many rounds until one hash is left?",
            "While len(row) > 1: row = [hashlib.sha256(b'\\1' + left + right).digest() for left, right in zip(row[::2], row[1::2])]. "
            "Then return row[0].",
        ),
        why="To show one of 128 leaves takes seven neighbours. The other triggers stay secret, for another dispute.",
    ),
}
