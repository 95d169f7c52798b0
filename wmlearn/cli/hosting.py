"""The command line of a platform: who hosts models, and the owners and judges who have an account there.

The host: `admit FOLDER ada.public` writes ada.token, to be handed to Ada; `run FOLDER --keeper keeper.secret`
serves. Ada: `enter URL commitment.json` brings a receipt, with which `wmlearn ownership commit` draws her
key; `place URL digits model.safetensors`; `teach URL digits key.safetensors`, or `hide URL digits ada.secret`
for DAWN; `publish URL digits ada.secret`. From then on `URL/models/digits` answers. A judge enters a
challenge; `wmlearn ownership challenge`, `respond` and `verify` take the URL for `--registry`.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..data import files, load
from ..errors import require
from ..suspects import Limits
from ..words import visible

if TYPE_CHECKING:
    from ..ownership.accounts import Account
    from ..ownership.platforms import Card
    from ..ownership.registry import Receipt

app = typer.Typer(no_args_is_help=True, help="A platform that marks and serves models of several owners.")

Url = Annotated[str, typer.Argument(help="The platform, http://HOST:PORT.")]
Name = Annotated[str, typer.Argument(help="The model's name on the platform: a-z, 0-9 and -.")]
Token = Annotated[Path, typer.Option(help="Your token, as `admit` wrote it.")]
Secret = Annotated[Path, typer.Argument(help="Your secret, as `wmlearn ownership keygen` wrote it.")]


@app.command()
def admit(
    folder: Annotated[Path, typer.Argument(help="The platform's folder.")],
    public: Annotated[Path, typer.Argument(help="The public key of an owner or a judge, as a file.")],
    out: Annotated[
        Path | None, typer.Option(help="Where to write the token; by default NAME.token beside the key.")
    ] = None,
) -> None:
    """As the host: give somebody a token, alone or in place of an earlier one."""
    from ..ownership.platforms import admit as give

    path = out or public.with_suffix(".token")
    files.check_writable(path)
    key = files.read(public, most=200).decode(errors="replace").strip()
    content = give(folder, key).encode()
    files.whole_or_nothing(path, lambda temporary: temporary.write_bytes(content), mode=files.PRIVATE)
    typer.echo(f"{path} lets its holder act as {key[:12]}…: hand it over in private.")


@app.command()
def run(
    folder: Annotated[Path, typer.Argument(help="The platform's folder: models, accounts, the book.")],
    keeper: Annotated[Path, typer.Option(help="The secret of the book's keeper, who is the host.")],
    data: Annotated[str, typer.Option(help="What the models read, among which keys are taught.")] = "mnist",
    images: Annotated[int, typer.Option(min=100, help="How many of its images.")] = 6000,
    host: Annotated[
        str, typer.Option(help="The address to listen on; the default is reached from this machine only.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    per_minute: Annotated[int, typer.Option(min=1, help="Requests a minute from one address.")] = 600,
    proxy: Annotated[
        str | None, typer.Option(help="The address of a proxy in front, as for `wmlearn serve`.")
    ] = None,
) -> None:
    """As the host: mark and serve models, and keep the book, until Ctrl-C."""
    from ..ownership import load_identity
    from ..ownership.hosting import hosting
    from ..ownership.platforms import opened
    from ..suspects.serving import serve

    platform = opened(folder, load_identity(keeper), load(data).train[:images])
    limits = Limits(per_minute=per_minute)
    web = hosting(platform, limits)
    serve(web, host, port, limits, proxy)


@app.command()
def enter(
    url: Url,
    document: Annotated[Path, typer.Argument(help="A commitment, release or challenge of your own.")],
    token: Token,
    out: Annotated[
        Path | None, typer.Option(help="Where to write the receipt; by default receipt-NUMBER.json.")
    ] = None,
) -> None:
    """Have a signed document registered in the platform's book, and keep the receipt."""
    from ..ownership.accounts import enter as send
    from .ownership import read_document

    content = read_document(document)
    if out:
        files.check_writable(out)
    _keep(send(_account(url, token), content), out)


@app.command()
def place(
    url: Url,
    name: Name,
    model: Annotated[Path, typer.Argument(help="The model, FILE.safetensors.")],
    token: Token,
    network: Annotated[str, typer.Option(help="badnet_cnn, or sign_cnn:CLASSES.")] = "badnet_cnn",
) -> None:
    """Place a model on the platform; it answers nobody before its release."""
    from torch import nn

    from ..ownership.accounts import place as send
    from ..suspects import load_suspect

    weights = load_suspect(model, network)
    require(isinstance(weights, nn.Module), "the model must be a safetensors file", str(model))
    assert isinstance(weights, nn.Module)
    _show(send(_account(url, token), name, weights, network))


@app.command()
def teach(
    url: Url,
    name: Name,
    key: Annotated[Path, typer.Argument(help="Your key, as `wmlearn ownership commit --receipt` wrote it.")],
    token: Token,
) -> None:
    """Let the platform teach your model the key's pictures and labels; the secret stays with you."""
    from ..ownership.accounts import teach as send
    from ..watermarks import TriggerKey, load_key

    loaded = load_key(key)
    require(isinstance(loaded, TriggerKey), "the key must be one of triggers", type(loaded).__name__)
    _show(send(_account(url, token), name, loaded))


@app.command()
def hide(url: Url, name: Name, secret: Secret, token: Token) -> None:
    """Let the platform mark your model's answers (DAWN), under a secret that follows from yours."""
    from ..ownership import load_identity
    from ..ownership.accounts import dawn_secret
    from ..ownership.accounts import hide as send

    _show(send(_account(url, token), name, dawn_secret(load_identity(secret))))


@app.command()
def fetch(
    url: Url,
    name: Name,
    out: Annotated[Path, typer.Argument(help="Where to write the weights, FILE.safetensors.")],
    token: Token,
) -> None:
    """Get your model's weights as the platform marked them."""
    from safetensors.torch import save

    from ..ownership.accounts import card_of
    from ..ownership.accounts import fetch as get

    files.check_writable(out)
    account = _account(url, token)
    model = get(account, name, card_of(account, name).network)
    files.write(out, save({key: value.contiguous() for key, value in model.state_dict().items()}))
    typer.echo(f"{out} holds the weights of {name}.")


@app.command()
def publish(
    url: Url,
    name: Name,
    secret: Secret,
    token: Token,
    commitment: Annotated[
        list[Path] | None, typer.Option(help="A commitment whose key the model carries; one or more.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write the receipt; by default receipt-NUMBER.json.")
    ] = None,
) -> None:
    """Sign and register the release of your model; from then on it answers everybody."""
    from ..ownership import Commitment, load_identity
    from ..ownership import load as load_document
    from ..ownership.accounts import card_of, released
    from ..ownership.accounts import enter as send

    if out:
        files.check_writable(out)
    promises = [load_document(path, Commitment) for path in commitment or []]
    account = _account(url, token)
    release = released(load_identity(secret), card_of(account, name), *promises)
    _keep(send(account, release), out)
    _show(card_of(account, name))


def _account(url: str, token: Path) -> Account:
    from ..ownership.accounts import Account

    content = files.read(token, most=200, fix="Ask the host for another.")
    files.warn_of_readers(token)
    return Account(url, content.decode(errors="replace").strip())


def _keep(receipt: Receipt, out: Path | None) -> None:
    from ..ownership import save

    number = receipt.entry.number
    path = out or Path(f"receipt-{number}.json")
    save(receipt, path)
    typer.echo(f"entry {number}; keep {path}")


def _show(card: Card) -> None:
    typer.echo(visible(json.dumps(asdict(card))))
