"""The command line of ownership: an owner promises and answers, a judge challenges and verifies, anybody
reads the registry.

owner   wmlearn ownership keygen Ada                             ada.secret
        wmlearn ownership commit ada.secret                      key.safetensors (secret), commitment.json
keeper  wmlearn ownership register book.sqlite commitment.json --keeper keeper.secret
        wmlearn ownership release ada.secret model.safetensors   release.json, to be registered
judge   wmlearn ownership challenge judge.secret commitment.json
                --suspect theirs=copy.safetensors --registry book.sqlite
owner   wmlearn ownership respond ada.secret key.safetensors commitment.json challenge.json
anybody wmlearn ownership verify bundle.json
                --suspect theirs=copy.safetensors --registry book.sqlite --released 2

A suspect may also be an ONNX file or the URL of a service. A challenge names these only; of weights it holds
the hash.
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

if TYPE_CHECKING:
    from ..evidence import Suspect
    from ..ownership import Case, Challenge, Finding, Party
    from ..watermarks import BlackmarksKey, TriggerKey

app = typer.Typer(
    no_args_is_help=True, help="Whose model is it? Promise before release, challenge, answer, verify."
)

Secret = Annotated[Path, typer.Argument(help="A person's secret, as `keygen` wrote it.")]
Promise = Annotated[Path, typer.Argument(help="A commitment, as `commit` wrote it.")]
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
Book = Annotated[str, typer.Option("--registry", help="The registry: a file, or a database URL.")]
Keeper = Annotated[
    Path, typer.Option(help="The secret of whoever keeps the registry: only the keeper adds to it.")
]
Released = Annotated[
    int, typer.Option(help="The registry's entry with which the model in question was released.")
]
Alpha = Annotated[float, typer.Option(help="The level, shared among all tries.")]

Chosen = Annotated[
    bool,
    typer.Option(
        "--chosen", help="Hear keys whose triggers do not follow from their salts, too: all but adi2018."
    ),
]

WEIGHTS = ".safetensors"
ARCHITECTURES = {"mnist": "badnet_cnn", "signs-us": "sign_cnn:20"}
"""Task -> the network that suspects are, unless another is named."""
DRAWN = (
    "adi2018",
    "zhang2018-content",
    "zhang2018-unrelated",
    "zhang2018-noise",
    "gu2017-patch",
    "jia2021-ewe",
)
"""Schemes whose keys need no trained model."""


@app.command()
def keygen(
    name: Annotated[str, typer.Argument(help="The person's name, for people to read.")],
    out: Annotated[
        Path | None, typer.Option(help="Where to write the secret; by default NAME.secret.")
    ] = None,
) -> None:
    """Draw a person's secret, which signs, and from which all of the person's keys follow."""
    from ..ownership import new_identity, save_identity

    require(visible(name) == name != "", "a name must be a text of visible letters", ascii(name))
    person = new_identity(name)
    path = out or Path(f"{name.lower()}.secret")
    save_identity(person, path)
    typer.echo(
        f"{path} holds the secret: only you can read it. Keep a copy: without it no claim can be"
        f" made.\npublic key {person.public}"
    )


@app.command()
def commit(
    secret: Secret,
    scheme: Annotated[
        str, typer.Option(help=f"{', '.join(DRAWN)}; any other when the key is there.")
    ] = "adi2018",
    task: Task = "mnist",
    serial: Annotated[str, typer.Option(help="Tells your keys of one scheme apart.")] = "",
    key: Annotated[Path, typer.Option(help="The key: read where it is there, else drawn.")] = Path(
        "key.safetensors"
    ),
    out: Annotated[Path, typer.Option(help="Where to write the commitment.")] = Path("commitment.json"),
) -> None:
    """Draw a key from the secret, and promise all its triggers and labels by one hash."""
    from ..ownership import commit as promise
    from ..ownership import load_identity, save
    from ..watermarks import load_key, save_key

    owner = load_identity(secret)
    is_new = not key.exists()
    secrets = _draw_key(secret, scheme, task, serial) if is_new else load_key(key)
    document = promise(owner, secrets, serial=serial)
    if is_new:
        save_key(secrets, key)
    save(document, out)
    typer.echo(
        f"{key} holds {document.n} triggers of {document.scheme}: keep it secret, and teach it to your model."
    )
    typer.echo(f"{out} gives nothing away: register it before you release the model.")


@app.command()
def release(
    secret: Secret,
    model: Annotated[Path, typer.Argument(help="The model as it is released, FILE.safetensors.")],
    task: Task = "mnist",
    out: Annotated[Path, typer.Option(help="Where to write the document, to be registered.")] = Path(
        "release.json"
    ),
) -> None:
    """Sign that a model is released: marks that are promised later may have been found on it."""
    from torch import nn

    from ..ownership import fingerprint, load_identity, save
    from ..ownership import release as sign

    network = _suspect(str(model), task)
    require(
        isinstance(network, nn.Module),
        "the model to release must be a safetensors file, whose weights are hashed",
        str(model),
    )
    assert isinstance(network, nn.Module)
    save(sign(load_identity(secret), model.stem, fingerprint(network)), out)
    typer.echo(f"{out} is signed: register it now.")


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
        Path, typer.Option(help="Folder for the receipts; `audit` compares the registry with them.")
    ] = Path("receipts"),
) -> None:
    """Add signed documents to the registry, for good."""
    from ..ownership import Registry, load_identity, save
    from ..ownership import register as add

    book = Registry(registry, load_identity(keeper))
    for path, receipt in zip(documents, add(book, *(_document(path) for path in documents)), strict=True):
        entry = receipt.entry
        to = receipts / f"receipt-{entry.number}.json"
        save(receipt, to)
        typer.echo(f"{path} is entry {entry.number}, {entry.time} by this machine's clock; keep {to}")


@app.command()
def challenge(
    secret: Secret,
    commitment: Promise,
    suspect: Suspects,
    registry: Book,
    keeper: Keeper,
    task: Task = "mnist",
    count: Annotated[int, typer.Option(help="How many triggers are opened; the others stay secret.")] = 30,
    opened: Annotated[
        list[Path] | None,
        typer.Option(help="A bundle of another judge's case: what it opened is not asked again."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where to write the challenge.")] = Path("challenge.json"),
) -> None:
    """As the judge: draw which triggers must be opened, and register that."""
    from ..ownership import Bundle, Commitment, Registry, challenges, load, load_identity, read_book, save
    from ..ownership import challenge as draw
    from ..ownership import register as add

    book = Registry(registry, load_identity(keeper))
    judge = load_identity(secret)
    promise = load(commitment, Commitment)
    # other judges' may have gone unanswered: their triggers are still secret, but for the bundles in `opened`
    earlier = [before for before in challenges(read_book(book)) if before.by == judge.public]
    earlier += [load(path, Bundle).challenge for path in opened or []]
    document = draw(judge, promise, _suspects(suspect, task), count=count, earlier=earlier)
    [receipt] = add(book, document)
    save(document, out)
    n_secret = promise.n - len(document.spent) - count
    typer.echo(
        f"{out} names {count} triggers (entry {receipt.entry.number} of the registry);"
        f" {n_secret} of {promise.n} stay secret."
    )


@app.command()
def respond(
    secret: Secret,
    key: Annotated[Path, typer.Argument(help="The owner's key.")],
    commitment: Promise,
    challenge: Annotated[Path, typer.Argument(help="The judge's challenge.")],
    out: Annotated[Path, typer.Option(help="Where to write the bundle.")] = Path("bundle.json"),
) -> None:
    """As the owner: open the triggers that the judge named."""
    from ..ownership import Challenge, Commitment, load, load_identity, save
    from ..ownership import respond as answer
    from ..watermarks import load_key

    bundle = answer(
        load_identity(secret), load_key(key), load(commitment, Commitment), load(challenge, Challenge)
    )
    save(bundle, out)
    typer.echo(f"{out} opens {len(bundle.openings)} triggers.")


@app.command()
def verify(
    bundle: Annotated[Path, typer.Argument(help="The owner's bundle.")],
    suspect: Suspects,
    registry: Book,
    released: Released,
    task: Task = "mnist",
    challenge: Annotated[
        Path | None, typer.Option(help="The challenge of this case; by default the bundle's own.")
    ] = None,
    alpha: Alpha = 1e-3,
    chosen: Chosen = False,
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
    case = _case(suspect, task, registry, released, alpha, chosen)
    question = load(challenge, Challenge) if challenge else answer.challenge
    _check_registered(case, question, "the challenge")
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
            help="NAME=SUSPECT=BUNDLE.json: a party, which suspect is its own model, and its bundle."
        ),
    ],
    registry: Book,
    released: Released,
    task: Task = "mnist",
    alpha: Alpha = 1e-3,
    chosen: Chosen = False,
    out: Annotated[Path, typer.Option(help="Where to write the report; it is written as .json, too.")] = Path(
        "report.html"
    ),
) -> None:
    """Decide between parties who claim one model, and write the judge's report."""
    from ..data import files
    from ..ownership import dispute as decide
    from ..ownership import to_html, to_json
    from ..ownership.report import decision

    case = _case(suspect, task, registry, released, alpha, chosen)
    report = decide(case, disputed, [_party(case, words) for words in party])
    files.write(out, to_html(report).encode())
    files.write(out.with_suffix(".json"), to_json(report).encode() + b"\n")
    for line in report.reasons:
        typer.echo(visible(line))
    typer.echo(f"\n{visible(decision(report))} See {out}.")


@app.command()
def show(file: Annotated[Path, typer.Argument(help="Any file of ownership.")]) -> None:
    """Say what a file holds, and whether its signature is right; a secret is never shown."""
    from ..ownership import Bundle, faults, load_identity
    from ..ownership.documents import genuine, kind

    content = _read_json(file)
    if content.get("kind") == "identity":
        person = load_identity(file)
        typer.echo(f"the secret of {visible(person.name)}\npublic key {person.public}")
        return
    document = _document(file)
    typer.echo(kind(document))
    for line in _lines(asdict(document), "  "):
        typer.echo(line)
    wrong: tuple[str, ...] = ()
    if isinstance(document, Bundle):
        wrong = faults(document)
    elif not genuine(document):
        wrong = ("its signature is wrong",)
    for line in wrong:
        typer.echo(visible(line))
    if not wrong:
        typer.echo("signatures and hashes are right")
    raise typer.Exit(1 if wrong else 0)


@app.command()
def audit(
    registry: Annotated[str, typer.Argument(help="The registry: a file, or a database URL.")],
    receipt: Annotated[
        list[Path] | None, typer.Option(help="A receipt that must be in it; as many as you have.")
    ] = None,
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
    if not receipt:
        typer.echo(
            "Without receipts nobody can tell whether the end was cut off, or the whole book written anew."
        )
    raise typer.Exit(1 if result.faults else 0)


def _draw_key(secret: Path, scheme: str, task: str, serial: str) -> TriggerKey | BlackmarksKey:
    from ..data import load
    from ..ownership import draw, load_identity, secret_for
    from ..watermarks import ALL

    fix = "Draw others in Python, with your model."
    require(scheme in DRAWN, f"a key that isn't there can be drawn for {', '.join(DRAWN)}", scheme, fix)
    build, _ = _network(task)
    owner = load_identity(secret)
    samples = load(task).train
    if scheme == "adi2018":
        return draw(owner, shape=tuple(samples.x.shape[1:]), classes=len(samples.classes), serial=serial)
    return ALL[scheme].keygen(build(0), samples, secret=secret_for(owner, scheme, serial))


def _document(path: Path) -> Any:
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


def _party(case: Case, words: str) -> Party:
    """Read NAME=SUSPECT=BUNDLE.json: one side of a dispute."""
    from ..ownership import Bundle, Party, load

    parts = words.split("=", 2)
    require(len(parts) == 3, "a party must be NAME=SUSPECT=BUNDLE.json", words)
    name, model, path = parts
    bundle = load(path, Bundle)
    _check_registered(case, bundle.challenge, f"the challenge of {name}")
    return Party(name, model, bundle.challenge, bundle)


def _check_registered(case: Case, challenge: Challenge, what: str) -> None:
    from ..ownership import find

    require(
        find(case.book, challenge) is not None,
        f"{what} must be registered",
        challenge.nonce[:12],
        "The judge registers each challenge.",
    )


def _case(suspect: list[str], task: str, registry: str, released: int, alpha: float, chosen: bool) -> Case:
    from ..evidence import bystanders
    from ..ownership import Case, Registry, read_book

    _network(task)
    return Case(
        _suspects(suspect, task),
        bystanders.shipped(task),
        read_book(Registry(registry)),
        released,
        alpha,
        chosen=chosen,
    )


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
        lines.append(f"{name}: {outcome}: {e.hits} of {e.trials} ({e.null}, {e.compared}), {p}")
    return [*lines, *(f"note: {note}" for note in finding.notes)]
