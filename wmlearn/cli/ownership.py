"""The command line of ownership: an owner promises and answers, a judge challenges and verifies, a keeper
keeps the book, and anybody reads it. They exchange files; secrets stay where they are.

The keeper of the book:

- `keygen Keeper` writes keeper.secret and keeper.public;
- `register book.sqlite commitment.json --keeper keeper.secret` writes receipts/receipt-1.json, for the owner.

The owner:

- `keygen Ada` writes ada.secret and ada.public;
- `commit ada.secret` writes commitment.json, to be registered;
- `commit ada.secret --receipt receipts/receipt-1.json` writes key.safetensors, to be taught to the model;
- `release ada.secret model.safetensors --commitment commitment.json` writes release.json, to be registered;
- `respond ada.secret receipts/receipt-1.json receipts/receipt-3.json --judge judge.public --registry
  book.sqlite` writes bundle.json.

The judge: `challenge judge.secret commitment.json --suspect theirs=copy.safetensors --registry book.sqlite`
writes challenge.json, to be registered.

Anybody: `verify bundle.json --judge judge.public --suspect theirs=copy.safetensors --registry book.sqlite`.

A suspect may also be an ONNX file or the URL of a service, which can only be named: say with --released from
which release it is said to stem. PUBLIC keys are given as 64 digits or as the file that keygen wrote.

Where nothing was planted: `independence` compares two files of weights, `lot` and `split` make a mark of the
choice of training images. `answers` looks for the mark of a service (`wmlearn serve --mark dawn`).

`platform` is for who hosts models of several owners behind HTTP, marks them and keeps the book; its URL is a
--registry, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import DataError, require
from ..words import visible
from . import answers, hosting, traces

if TYPE_CHECKING:
    from ..evidence import Suspect
    from ..ownership import Book as Entries
    from ..ownership import Case, Finding, Party

app = typer.Typer(
    no_args_is_help=True, help="Whose model is it? Promise before release, challenge, answer, verify."
)
for command in (traces.independence, traces.lot, traces.split, answers.answers):
    app.command()(command)
app.add_typer(hosting.app, name="platform")

Secret = Annotated[Path, typer.Argument(help="A person's secret, as `keygen` wrote it.")]
Promise = Annotated[Path, typer.Argument(help="A commitment, as `commit` wrote it.")]
Judge = Annotated[
    str, typer.Option(help="The public key of the judge whom the parties accept, or the file that holds it.")
]
Suspects = Annotated[
    list[str],
    typer.Option(
        "--suspect",
        help=(
            "NAME=FILE.safetensors, NAME=FILE.onnx or NAME=http://…, for every model to be asked, always in"
            " one order. Weights of another network than the task's: NAME=FILE.safetensors@NETWORK,"
            " badnet_cnn or sign_cnn:CLASSES."
        ),
    ),
]
Task = Annotated[str, typer.Option(help="What the models read: mnist or signs-us.")]
Book = Annotated[str, typer.Option("--registry", help="The registry: a file, a database URL, or a platform.")]
Keeper = Annotated[
    Path, typer.Option(help="The secret of whoever keeps the registry: only the keeper adds to it.")
]
Released = Annotated[
    int | None,
    typer.Option(
        help="The entry of the release that a suspect is said to stem from; for services, and models that the"
        " registry does not know. Others are found by their weights."
    ),
]
Receipts = Annotated[
    list[Path] | None,
    typer.Option("--receipt", help="A receipt that the registry must hold; as many as you have."),
]

WEIGHTS = ".safetensors"
ARCHITECTURES = {"mnist": "badnet_cnn", "signs-us": "sign_cnn:20"}
"""Task -> the network that suspects are, unless another is named."""


@app.command()
def keygen(
    name: Annotated[str, typer.Argument(help="The person's name, for people to read.")],
    out: Annotated[
        Path | None, typer.Option(help="Where to write the secret; by default NAME.secret.")
    ] = None,
) -> None:
    """Draw a person's secret, which signs, and from which all of the person's keys follow."""
    from ..data import files
    from ..ownership import new_identity, save_identity

    require(visible(name) == name != "", "a name must be a text of visible letters", ascii(name))
    person = new_identity(name)
    path = out or Path(f"{name.lower()}.secret")
    save_identity(person, path)
    public = path.with_suffix(".public")
    files.write(public, f"{person.public}\n".encode())
    typer.echo(
        f"{path} holds the secret: only you can read it. Keep a copy: without it no claim can be made.\n"
        f"{public} holds the public key {person.public}"
    )


@app.command()
def commit(
    secret: Secret,
    scheme: Annotated[str, typer.Option(help="How triggers are drawn: adi2018.")] = "adi2018",
    task: Task = "mnist",
    n: Annotated[int, typer.Option(min=1, help="How many triggers.")] = 100,
    serial: Annotated[str, typer.Option(help="Tells your promises apart.")] = "",
    receipt: Annotated[
        Path | None, typer.Option(help="The receipt of your registered commitment: draws the key.")
    ] = None,
    key: Annotated[Path, typer.Option(help="Where to write the key.")] = Path("key.safetensors"),
    out: Annotated[Path, typer.Option(help="Where to write the commitment.")] = Path("commitment.json"),
) -> None:
    """Promise seeds by one hash; and again, with the receipt of that promise, draw the key to teach."""
    from ..ownership import commit as promise
    from ..ownership import load_identity, save

    if receipt:
        _draw(secret, receipt, key)
        return
    shape, classes = _recipe(task)
    document = promise(load_identity(secret), n=n, shape=shape, classes=classes, scheme=scheme, serial=serial)
    save(document, out)
    typer.echo(
        f"{out} promises {document.n} triggers of {document.scheme}, and gives nothing away. Hand it to the"
        " keeper of the registry: your key can be drawn when you have the receipt."
    )


def _draw(secret: Path, receipt: Path, key: Path) -> None:
    """Draw the key that a registered promise has become, and write it."""
    from ..data import files
    from ..ownership import Receipt, draw, load, load_identity
    from ..watermarks import save_key

    files.check_writable(key)
    require(not key.exists(), "a new key must not replace a file", str(key), "Name another file with --key.")
    drawn = draw(load_identity(secret), load(receipt, Receipt))
    save_key(drawn, key)
    typer.echo(f"{key} holds {len(drawn)} triggers: keep it secret, and teach it to your model.")


@app.command()
def release(
    secret: Secret,
    model: Annotated[Path, typer.Argument(help="The model as it is released, FILE.safetensors.")],
    task: Task = "mnist",
    commitment: Annotated[
        list[Path] | None, typer.Option(help="A commitment whose key the model carries; one or more.")
    ] = None,
    after: Annotated[
        list[Path] | None, typer.Option(help="A model that this one was made from, FILE.safetensors.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where to write the document, to be registered.")] = Path(
        "release.json"
    ),
) -> None:
    """Sign that a model is released: marks that are promised later may have been put into a copy of it."""
    from ..ownership import Commitment, load, load_identity, save
    from ..ownership import release as sign
    from ..ownership.documents import digest

    parents = tuple(_fingerprint(path, task) for path in after or [])
    carried = tuple(digest(load(path, Commitment)) for path in commitment or [])
    document = sign(
        load_identity(secret), model.stem, _fingerprint(model, task), after=parents, commitments=carried
    )
    save(document, out)
    typer.echo(f"{out} is signed: have it registered now.")


@app.command()
def register(
    registry: Annotated[
        str,
        typer.Argument(help="The registry: a file, or a database URL; a file is made when it isn't there."),
    ],
    documents: Annotated[
        list[Path], typer.Argument(help="Commitments, releases, challenges: all or none are added.")
    ],
    keeper: Keeper,
    receipts: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the receipts; by default that beside the registry, which `audit` reads."
        ),
    ] = None,
) -> None:
    """As the keeper: add signed documents to the registry, for good, and sign receipts."""
    from ..data import files
    from ..ownership import Registry, load_identity, save
    from ..ownership import register as add

    book = Registry(registry, load_identity(keeper))
    contents = [read_document(path) for path in documents]
    folder = receipts or _beside(registry)
    files.check_writable(folder / "receipt.json")
    for path, receipt in zip(documents, add(book, *contents), strict=True):
        entry = receipt.entry
        to = folder / f"receipt-{entry.number}.json"
        save(receipt, to)
        typer.echo(f"{path} is entry {entry.number}, {entry.time} by this machine's clock; keep {to}")


@app.command()
def challenge(
    secret: Secret,
    commitment: Promise,
    suspect: Suspects,
    registry: Book,
    task: Task = "mnist",
    count: Annotated[int, typer.Option(help="How many triggers are opened; the others stay secret.")] = 30,
    level: Annotated[
        float, typer.Option(help="How unlikely a claim on an innocent model must be, after all tries.")
    ] = 1e-6,
    queries: Annotated[
        int | None, typer.Option(help="How many pictures a suspect is asked; by default ten times the count.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where to write the challenge.")] = Path("challenge.json"),
) -> None:
    """As the judge: order triggers to be opened. Which ones, shows the receipt of the registered
    challenge.
    """
    from ..data import files
    from ..ownership import Commitment, load, load_identity, save
    from ..ownership import challenge as draw

    files.check_writable(out)
    promise = load(commitment, Commitment)
    suspects = _suspects(suspect, task)
    book = _book(registry)
    judge = load_identity(secret)
    document = draw(judge, promise, suspects, book=book, count=count, level=level, queries=queries)
    save(document, out)
    n_secret = promise.n - len(document.spent) - count
    typer.echo(
        f"{out} orders {count} triggers to be opened, once it is registered; {n_secret} of {promise.n} stay"
        " secret."
    )


@app.command()
def respond(
    secret: Secret,
    promise: Annotated[Path, typer.Argument(help="The receipt of your commitment.")],
    question: Annotated[Path, typer.Argument(help="The receipt of the judge's challenge.")],
    judge: Judge,
    registry: Book,
    ledger: Annotated[
        Path, typer.Option(help="The list of what you have opened; kept for you, beside the key.")
    ] = Path("key.opened.json"),
    yes: Annotated[
        bool, typer.Option("--yes", help="Open more than half of the key, all in all: it is spent then.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Where to write the bundle.")] = Path("bundle.json"),
) -> None:
    """As the owner: open the triggers that a registered challenge of the judge names, and no others."""
    from ..data import files
    from ..ownership import Receipt, load, load_identity, save
    from ..ownership import respond as answer
    from ..ownership.commitment import LARGEST

    files.check_writable(out)
    bundle = answer(
        load_identity(secret),
        load(promise, Receipt),
        load(question, Receipt),
        judge=_public(judge),
        book=_book(registry),
        ledger=ledger,
        allow=LARGEST if yes else None,
    )
    save(bundle, out)
    typer.echo(f"{out} opens {len(bundle.openings)} triggers; {ledger} says what is open.")


@app.command()
def verify(
    bundle: Annotated[Path, typer.Argument(help="The owner's bundle.")],
    suspect: Suspects,
    registry: Book,
    judge: Judge,
    released: Released = None,
    task: Task = "mnist",
    challenge: Annotated[
        Path | None, typer.Option(help="The challenge of this case; by default the bundle's own.")
    ] = None,
    receipt: Receipts = None,
    out: Annotated[Path | None, typer.Option(help="Where to write the finding as JSON.")] = None,
) -> None:
    """Check a bundle, ask the suspects, and say what it proves; ends with 1 unless the claim stands for all
    of them.
    """
    from ..data import files
    from ..ownership import Bundle, Challenge, load
    from ..ownership import verify as check
    from ..ownership.report import finding_dict

    answer = load(bundle, Bundle)
    question = load(challenge, Challenge) if challenge else answer.challenge
    case = _case(suspect, task, registry, judge, released, receipt)
    finding = check(case, question, answer)
    if out:
        files.write(out, json.dumps(finding_dict(finding), indent=1).encode() + b"\n")
    for line in _lines_of(finding):
        typer.echo(visible(line))
    stands = bool(finding.matches) and all(match.owned for match in finding.matches.values())
    raise typer.Exit(0 if stands else 1)


@app.command()
def dispute(
    disputed: Annotated[str, typer.Argument(help="The name of the suspect that is claimed.")],
    suspect: Suspects,
    party: Annotated[
        list[str],
        typer.Option(
            help="NAME=PUBLIC=SUSPECT=BUNDLE.json: a party and its key, which suspect is its own model,"
            " and its bundle."
        ),
    ],
    registry: Book,
    judge: Judge,
    released: Released = None,
    task: Task = "mnist",
    receipt: Receipts = None,
    out: Annotated[Path, typer.Option(help="Where to write the report; it is written as .json, too.")] = Path(
        "report.html"
    ),
) -> None:
    """Decide between parties who claim one model, and write the judge's report."""
    from ..data import files
    from ..ownership import dispute as decide
    from ..ownership import to_html, to_json
    from ..ownership.report import decision

    parties = [_party(words) for words in party]
    case = _case(suspect, task, registry, judge, released, receipt)
    report = decide(case, disputed, parties)
    files.write(out, to_html(report).encode())
    files.write(out.with_suffix(".json"), to_json(report).encode() + b"\n")
    for line in report.reasons:
        typer.echo(visible(line))
    typer.echo(f"\n{visible(decision(report))} See {out}.")


@app.command()
def show(
    file: Annotated[Path, typer.Argument(help="Any file of ownership.")],
    keeper: Annotated[
        str | None,
        typer.Option(help="The public key of the registry's keeper, whose receipts these must be."),
    ] = None,
) -> None:
    """Say what a file holds, and whether its signatures are right; a secret is never shown."""
    from ..ownership import load_identity
    from ..ownership.documents import kind

    content = _read_json(file)
    if content.get("kind") == "identity":
        person = load_identity(file)
        typer.echo(f"the secret of {visible(person.name)}\npublic key {person.public}")
        return
    document = read_document(file)
    typer.echo(kind(document))
    for line in _lines(asdict(document), "  "):
        typer.echo(line)
    wrong = _wrong(document, _public(keeper) if keeper else None)
    for line in wrong:
        typer.echo(visible(line))
    if not wrong:
        typer.echo("signatures and hashes are right")
    raise typer.Exit(1 if wrong else 0)


def _wrong(document: Any, keeper: str | None) -> tuple[str, ...]:
    """Say what is wrong with a document by itself; a receipt must be one of the `keeper`, if that is
    known.
    """
    from ..ownership import Bundle, Receipt, broken, faults
    from ..ownership.documents import genuine

    if isinstance(document, Receipt):
        return broken(document, keeper or document.by)
    if isinstance(document, Bundle):
        strangers = (
            ("its receipts are by another keeper",) if keeper not in (None, document.promise.by) else ()
        )
        return strangers + faults(document)
    return () if genuine(document) else ("its signature is wrong",)


@app.command()
def audit(
    registry: Annotated[str, typer.Argument(help="The registry: a file, or a database URL.")],
    receipt: Receipts = None,
) -> None:
    """Read the whole registry, and find every row that was changed, removed or put in between."""
    from ..ownership import Receipt, Registry, load
    from ..ownership import audit as check

    result = check(Registry(registry), [load(path, Receipt) for path in receipt or []])
    for fault in result.faults:
        typer.secho(visible(fault), fg="red")
    for warning in result.warnings:
        typer.echo(f"note: {visible(warning)}")
    state = f"{len(result.faults)} faults" if result.faults else "sound"
    typer.echo(f"{result.n:,} entries, under the root {result.head.root[:16]}…: {state}")
    if not result.receipts:
        typer.echo(
            "Without receipts nobody can tell whether the end was cut off, or the whole book written anew."
        )
    raise typer.Exit(1 if result.faults else 0)


@app.command()
def backup(
    registry: Annotated[str, typer.Argument(help="The registry: a file, or a database URL.")],
    to: Annotated[Path, typer.Argument(help="The new file.")],
) -> None:
    """Copy the whole registry, the newest entries included; a file that is there is never replaced."""
    from ..ownership import Registry
    from ..ownership import backup as copy

    copy(Registry(registry), to)
    typer.echo(f"{to} holds the whole registry: check it with `wmlearn ownership audit {to}`.")


def _recipe(task: str) -> tuple[tuple[int, ...], int]:
    """Return the shape of a task's images, and the number of its classes."""
    from ..data import load

    _network(task)
    samples = load(task).test
    return tuple(samples.x.shape[1:]), len(samples.classes)


def _beside(registry: str) -> Path:
    """Return the folder for receipts beside a registry; in this folder, where it is a database elsewhere."""
    from ..ownership.registry import RECEIPTS

    return Path(RECEIPTS) if "://" in registry else Path(registry).parent / RECEIPTS


def _public(key: str) -> str:
    """Return a public key that is given as 64 digits, or as the file that holds it."""
    from ..data import files
    from ..ownership.documents import check_hex

    if set(key) <= set("0123456789abcdef") and len(key) == 64:
        return key
    raw = files.read(Path(key), most=10_000, fix="Give 64 digits, or the .public file that keygen wrote.")
    public = raw.decode("ascii", "replace").strip()
    check_hex(64, **{"a public key": public})
    return public


def _fingerprint(path: Path, task: str) -> str:
    from torch import nn

    from ..ownership import fingerprint

    network = _suspect(str(path), task)
    rule = "the model to release must be a safetensors file, whose weights are hashed"
    require(isinstance(network, nn.Module), rule, str(path))
    assert isinstance(network, nn.Module)
    return fingerprint(network)


def read_document(path: Path) -> Any:
    """Read any document of ownership; raise `DataError` for another file."""
    from ..ownership import Bundle, Receipt, load
    from ..ownership.registry import KINDS

    shapes = {**KINDS, "bundle": Bundle, "receipt": Receipt}
    what = _read_json(path).get("kind")
    if not isinstance(what, str) or what not in shapes:
        shown = ascii(what)[:40] if isinstance(what, str) else type(what).__name__
        raise DataError(f"{path} must be a {', '.join(shapes)}, got {shown}.")
    return load(path, shapes[what])


def _read_json(path: Path) -> dict[str, Any]:
    from ..data import files, strict_json

    raw = files.read(path, most=strict_json.MOST_BYTES, fix="Name the file, or take another copy of it.")
    rule = f"{path} must be a JSON file of ownership"
    try:
        content = strict_json.parsed(raw)
    except DataError as error:
        raise DataError(f"{rule}, got: {error}. Take another copy of it.") from error
    if not isinstance(content, dict):
        raise DataError(f"{rule}, got a {type(content).__name__}. Take another copy of it.")
    return content


def _party(words: str) -> Party:
    """Read NAME=PUBLIC=SUSPECT=BUNDLE.json: one side of a dispute."""
    from ..ownership import Bundle, Party, load

    parts = words.split("=", 3)
    require(len(parts) == 4, "a party must be NAME=PUBLIC=SUSPECT=BUNDLE.json", words)
    name, public, model, path = parts
    bundle = load(path, Bundle)
    return Party(name, _public(public), model, bundle.challenge, bundle)


def _case(
    suspect: list[str],
    task: str,
    registry: str,
    judge: str,
    released: int | None,
    receipts: list[Path] | None,
) -> Case:
    """Open a case: the suspects, the book with all receipts that are at hand, and the judge."""
    from ..ownership import Case, Receipt, load

    _network(task)
    held = [load(path, Receipt) for path in (receipts or [])]
    return Case(
        _suspects(suspect, task),
        _book(registry),
        _public(judge),
        released,
        receipts=tuple(held),
    )


def _book(registry: str) -> Entries:
    """Read a book: a file's, a database's, or that of a platform at http://…."""
    from ..ownership import Registry, accounts, read_book

    is_platform = registry.lower().startswith(("http://", "https://"))
    return accounts.book_of(registry) if is_platform else read_book(Registry(registry))


def _suspects(listed: list[str], task: str) -> Mapping[str, Suspect]:
    pairs = [words.partition("=") for words in listed]
    rule = "a suspect must be NAME=FILE.safetensors, NAME=FILE.onnx or NAME=URL"
    for name, equals, source in pairs:
        require(bool(name and equals and source), rule, f"{name}{equals}{source}")
    names = [name for name, _, _ in pairs]
    require(len(set(names)) == len(names), "suspects must have names of their own", names)
    return {name: _suspect(source, task) for name, _, source in pairs}


def _suspect(source: str, task: str) -> Suspect:
    from ..suspects import load_suspect

    _network(task)
    path, separator, network = source.rpartition(f"{WEIGHTS}@")
    if separator:
        return load_suspect(path + WEIGHTS, network)
    return load_suspect(source, ARCHITECTURES[task])


def _network(task: str) -> Any:
    from ..evidence.bystanders import NETWORKS

    require(task in NETWORKS, f"the task must be one of {', '.join(NETWORKS)}", task)
    return NETWORKS[task]


def _lines(values: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield f"{indent}{name}"
            yield from _lines(value, indent + "  ")
        elif name != "signature":
            is_long = isinstance(value, tuple) and (len(value) > 6 or name == "openings")
            shown = f"{len(value)} of them" if is_long else visible(str(value))
            yield f"{indent}{name:12}{shown}"


def _lines_of(finding: Finding) -> list[str]:
    lines = [f"void: {why}" for why in finding.void]
    for name, match in finding.matches.items():
        e = match.evidence
        outcome = "claim supported" if match.owned else "no proof of ownership"
        p = f"p = {e.p_value:.1e} against {finding.level:.1e}"
        strangers = f"{match.decoys.as_high} of {match.decoys.drawn} decoys as high"
        lines.append(f"{name}: {outcome}: {e.hits} of {e.trials} ({e.compared}), {p}; {strangers}")
    return [*lines, *(f"note: {note}" for note in finding.notes)]
