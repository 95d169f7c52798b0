"""A platform for models of several owners, in a folder: it marks them, serves them, and keeps the book.

Watermarking as a service: J. Zhang and others, Protecting Intellectual Property of Deep Neural Networks with
Watermarking, ASIA CCS 2018, mark a model so that its owner can be told from what a service answers; S.
Szyller and others (DAWN, 2021) mark the answers. Here the order of steps is that of the court: an owner
registers a promise, places a model, hands in the key that promise and receipt have become, and registers the
release of what came back. Only then does the model answer anybody.

What the platform learns, and what not. It has the weights and, for the hour of training, pictures and labels
of the key; they are not kept. It never has the seeds, so it can open no promise, and claim nothing. DAWN's
secret it must keep. The host keeps the book, too: what a keeper could do in league with an owner, says
`registry`. And whoever serves a model can answer a judge otherwise than its customers: a finding about
the platform's *own* answers says what it wants to say; one about a thief's model does not depend on it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar

from safetensors.torch import save
from torch import nn

from ..data import Samples, files, strict_json
from ..errors import DataError, WmlearnError, require
from ..evidence import answers
from ..suspects import load_suspect
from ..training import Recipe, trained
from ..watermarks import Adi2018, TriggerKey, load_key
from ..watermarks.dawn import Service
from ..watermarks.marking import TAKEN
from ..watermarks.trigger_set import lesson
from .cut_and_choose import fingerprint
from .documents import check_hex, parse
from .identity import Identity, is_key
from .registry import KINDS, Receipt, Registry, Release, read_book, register

MODELS = 10
"""That one owner may place."""
ENTRIES = 200
"""That one account may add to the book: each counts as a try of everybody's."""
MOST_WEIGHTS = 64 * 2**20  # bytes
MARK = Adi2018(share=0.26, recipe=Recipe(epochs=2, lr=2e-3, batch_size=128))
"""How a key is taught to a model that knows its task."""
RATE = 0.005  # of DAWN's wrong answers
NAME = re.compile("[a-z0-9][a-z0-9-]{0,39}")
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Platform:
    """A folder with models and the book that `keeper` signs; keys are taught among `samples`."""

    folder: Path
    keeper: Identity
    samples: Samples

    @property
    def registry(self) -> Registry:
        """The book, `book.sqlite`."""
        return Registry(self.folder / "book.sqlite", self.keeper)


@dataclass(frozen=True)
class Card:
    """What everybody may know of a model: its name, its owner's public key, its network, its mark ("" where
    there is none yet, "adi2018", or "dawn"), the fingerprint of what is served, what its release must say
    (`promise`), and whether it `answers`.
    """

    name: str
    by: str
    network: str
    mark: str
    fingerprint: str
    promise: str
    answers: bool


def opened(folder: Path, keeper: Identity, samples: Samples) -> Platform:
    """Open the platform in a folder; makes it, with an empty book, where there is none."""
    platform = Platform(folder.absolute(), keeper, samples)
    with files.folders_for(folder / "book.sqlite"):
        register(platform.registry)
    return platform


# Accounts


def admit(folder: Path, public: str) -> str:
    """Return a new token for the owner or judge with the key `public`; an earlier one is void from then on.

    The platform keeps its hash.
    """
    require(is_key(public), "public must be the public key of a person", public[:70])
    token = secrets.token_urlsafe(32)
    known = {name: key for name, key in _accounts(folder).items() if key != public}
    content = json.dumps({**known, _hashed(token): public}, indent=1).encode()
    files.whole_or_nothing(
        folder / "accounts.json", lambda path: path.write_bytes(content), mode=files.PRIVATE
    )
    return token


def who(folder: Path, token: str) -> str:
    """Return the public key that a token belongs to, "" for none."""
    name = _hashed(token)
    found = [key for known, key in _accounts(folder).items() if hmac.compare_digest(known, name)]
    return found[0] if found else ""


def _accounts(folder: Path) -> dict[str, str]:
    path = folder / "accounts.json"
    return strict_json.read(path) if path.exists() else {}


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


# The book


def enter(platform: Platform, by: str, written: bytes) -> Receipt:
    """Register a signed document of the account `by`; a release lets the model that it names answer.

    Raises `ArgumentError` for another's document, and where the account has written too much; `DataError`
    for what is no document.
    """
    content = strict_json.parsed(written)
    what = content.get("kind") if isinstance(content, dict) else None
    require(isinstance(what, str) and what in KINDS, f"a document must be a {', '.join(KINDS)}", "another")
    document = parse(written, KINDS[str(what)])
    require(document.by == by, "a document must be by the owner of the account", document.by[:12])
    n_own = sum(
        parse(entry.document, KINDS[entry.kind]).by == by for entry in read_book(platform.registry).entries
    )
    require(n_own < ENTRIES, f"an account may register {ENTRIES} documents", n_own)
    (receipt,) = register(platform.registry, document)
    if isinstance(document, Release):
        _open(platform, document)
    return receipt


def _open(platform: Platform, release: Release) -> None:
    """Let the models answer that a registered release names."""
    for card in cards(platform):
        if (
            card.by == release.by
            and card.fingerprint == release.fingerprint
            and card.promise in release.model
        ):
            _keep_card(platform, replace(card, answers=True))


# Models


def place(platform: Platform, by: str, name: str, network: str, weights: bytes) -> Card:
    """Take in the weights (safetensors) of a `network` by name, that reads the platform's samples.

    Raises `DataError` for anything else, `ArgumentError` for a name that is taken or none, and where an owner
    has placed too many. Nothing is kept then.
    """
    require(
        NAME.fullmatch(name) is not None, "a name must be of a-z, 0-9 and -, 40 at most", ascii(name)[:60]
    )
    require(card_of(platform, name) is None, "a name must not be taken", name, "Choose another.")
    n_own = sum(card.by == by for card in cards(platform))
    require(n_own < MODELS, f"an owner may place {MODELS} models", n_own)
    require(len(weights) <= MOST_WEIGHTS, f"weights must have {MOST_WEIGHTS:,} bytes at most", len(weights))
    model = _opened(weights, "model.safetensors", lambda path: load_suspect(path, network))
    assert isinstance(model, nn.Module)
    answers(model, platform.samples.x[:8], len(platform.samples.classes))
    card = Card(name, by, network, "", fingerprint(model), "", answers=False)
    _keep_weights(platform, card, model)
    return _keep_card(platform, card)


def teach(platform: Platform, by: str, name: str, key: bytes) -> Card:
    """Teach a placed model the key in a file of `save_key`, and keep neither the key nor the old weights.

    Raises `ArgumentError` for another's model, one that is marked already, and a key that doesn't take.
    """
    card = _unmarked(platform, by, name)
    loaded = _opened(key, "key.safetensors", load_key)
    is_adi = isinstance(loaded, TriggerKey) and loaded.scheme == "adi2018"
    fix = "Draw one with ownership.draw(owner, receipt)."
    require(is_adi, "the key must be one of adi2018, which a court can draw", type(loaded).__name__, fix)
    among = lesson(platform.samples, loaded, MARK.share)
    model, _ = trained(stored(platform, card), among, MARK.recipe)
    found = MARK.verify(model, loaded)
    fix = "Promise a smaller key."
    require(found.rate >= TAKEN, f"the mark must take, {TAKEN:.0%} of it", f"{found.rate:.0%}", fix)
    new = replace(card, mark="adi2018", fingerprint=fingerprint(model))
    _keep_weights(platform, new, model)
    _keep_card(platform, new)
    _weights(platform, card).unlink()
    return new


def hide(platform: Platform, by: str, name: str, secret: bytes) -> Card:
    """Mark the answers of a placed model under a `secret` of 32 bytes (DAWN).

    The release must say the `promise` on the card, a hash: so that nobody can choose a secret afterwards.
    """
    card = _unmarked(platform, by, name)
    require(len(secret) == 32, "DAWN's secret must be 32 bytes", f"{len(secret)} bytes")
    path = _folder(platform, name) / "dawn.secret"
    files.whole_or_nothing(path, lambda temporary: temporary.write_bytes(secret), mode=files.PRIVATE)
    return _keep_card(platform, replace(card, mark="dawn", promise=promise_of(secret)))


def promise_of(secret: bytes) -> str:
    """Return what a release says of DAWN's secret: its hash."""
    return f"dawn sha256:{hashlib.sha256(secret).hexdigest()}"


def weights_of(platform: Platform, by: str, name: str) -> bytes:
    """Return the weights of an owner's model, as safetensors."""
    card = _own(platform, by, name)
    return files.read(_weights(platform, card), most=MOST_WEIGHTS)


def stored(platform: Platform, card: Card) -> nn.Module:
    """Return a model as it is kept, without what marks its answers."""
    model = load_suspect(_weights(platform, card), card.network)
    assert isinstance(model, nn.Module)
    return model


def served(platform: Platform, card: Card) -> nn.Module:
    """Return a model as it answers customers."""
    model = stored(platform, card)
    if card.mark != "dawn":
        return model
    secret = files.read(_folder(platform, card.name) / "dawn.secret", most=32)
    return Service(model, secret, RATE).eval()


def cards(platform: Platform) -> tuple[Card, ...]:
    """Return the cards of all models, by name."""
    names = sorted(path.parent.name for path in (platform.folder / "models").glob("*/card.json"))
    found = (card_of(platform, name) for name in names)
    return tuple(card for card in found if card is not None)


def card_of(platform: Platform, name: str) -> Card | None:
    """Return the card of a model; None where there is none."""
    path = _folder(platform, name) / "card.json"
    if NAME.fullmatch(name) is None or not path.exists():
        return None
    return read_card(path.read_bytes())


def read_card(written: bytes | str) -> Card:
    """Read a card; raise `DataError` for anything else."""
    try:
        content = strict_json.parsed(written)
        require(isinstance(content["answers"], bool), "answers must be true or false", "another")
        card = Card(**content)
        check_hex(64, by=card.by, fingerprint=card.fingerprint)
    except (TypeError, KeyError, WmlearnError) as error:
        raise DataError(f"a card must be one of a platform, got: {type(error).__name__}.") from error
    return card


def _own(platform: Platform, by: str, name: str) -> Card:
    """Return the card of an owner's model, or raise `ArgumentError`."""
    card = card_of(platform, name)
    fix = "Place it first."
    require(
        card is not None and card.by == by, "the model must be one of the account's own", ascii(name), fix
    )
    assert card is not None
    return card


def _unmarked(platform: Platform, by: str, name: str) -> Card:
    card = _own(platform, by, name)
    state = card.mark or "one that is released"
    require(not card.mark and not card.answers, "a model is marked once, before its release", state)
    return card


def _folder(platform: Platform, name: str) -> Path:
    return platform.folder / "models" / name


def _weights(platform: Platform, card: Card) -> Path:
    """Return where a card's weights are: others are elsewhere, so that a card never has those of another."""
    return _folder(platform, card.name) / f"{card.fingerprint}.safetensors"


def _keep_weights(platform: Platform, card: Card, model: nn.Module) -> None:
    weights = {key: value.contiguous().cpu() for key, value in model.state_dict().items()}
    content = save(weights)
    path = _weights(platform, card)
    files.whole_or_nothing(path, lambda temporary: temporary.write_bytes(content), mode=files.PRIVATE)


def _keep_card(platform: Platform, card: Card) -> Card:
    """Write the card last: without it, nothing else of the model counts."""
    files.write(_folder(platform, card.name) / "card.json", json.dumps(asdict(card)).encode())
    return card


def _opened(content: bytes, name: str, read: Callable[[Path], T]) -> T:
    """Read what was sent, by a reader of files; its errors name no file of this machine."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.touch(mode=files.PRIVATE)
        path.write_bytes(content)
        try:
            return read(path)
        except WmlearnError as error:
            raise DataError(str(error).replace(str(path), "the file")) from None
