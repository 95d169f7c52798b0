"""What owners and judges send to a platform behind HTTP (`hosting`), and what they get back.

An owner: `enter` a promise, `draw` the key with its receipt, `place` a model, `teach` it the key (or `hide` a
secret, for DAWN), look at what came back (`fetch`), and `enter` the release (`released`). A judge: `book_of`,
`enter` a challenge, `verify` with `suspect`; for DAWN, `promised_at` and `watermarks.dawn.heard`.
"""

from __future__ import annotations

import hashlib
import hmac
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from safetensors.torch import save
from torch import nn

from ..data import strict_json
from ..errors import DataError
from ..suspects import Remote, load_suspect
from ..suspects.remote import shown
from ..suspects.serving import INSTALL
from ..watermarks import TriggerKey, save_key
from .commitment import Commitment
from .documents import Document, digest, kind, parse, text
from .identity import Identity
from .platforms import MOST_WEIGHTS, Card, promise_of, read_card
from .registry import Book, Entry, Head, Receipt, Release, release

SECONDS = 600.0  # that teaching a key may take


@dataclass(frozen=True)
class Account:
    """Where a platform is, and the token of somebody whom it admitted; "" for anybody."""

    url: str
    token: str = field(default="", repr=False)


def enter(account: Account, document: Document) -> Receipt:
    """Register a signed document in the platform's book, and return the receipt to keep."""
    return parse(_sent(account, "POST", "/book", text(document).encode()), Receipt)


def book_of(url: str) -> Book:
    """Read the book of the platform at `url`; `audited` says whether to believe it."""
    content = strict_json.parsed(_sent(Account(url), "GET", "/book"))
    try:
        entries = tuple(Entry(**entry) for entry in content["entries"])
        return Book(content["keeper"], entries, parse(content["head"], Head))
    except (TypeError, KeyError) as error:
        raise DataError(f"{shown(url)} must answer with a book, got something else.") from error


def place(account: Account, name: str, model: nn.Module, network: str = "badnet_cnn") -> Card:
    """Place a model of a `network` by name on the platform; it answers nobody yet."""
    weights = {key: value.contiguous().cpu() for key, value in model.state_dict().items()}
    return read_card(_sent(account, "PUT", _path(name), save(weights), network=network))


def teach(account: Account, name: str, key: TriggerKey) -> Card:
    """Let the platform teach a placed model the key; its weights change, and so does its fingerprint.

    Pictures and labels are sent, and not the secret: the seeds of the promise follow from that.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "key.safetensors"
        save_key(replace(key, secret=bytes(32)), path)
        content = path.read_bytes()
    return read_card(_sent(account, "POST", f"{_path(name)}/key", content))


def hide(account: Account, name: str, secret: bytes) -> Card:
    """Let the platform mark the answers of a placed model under a secret (DAWN)."""
    return read_card(_sent(account, "POST", f"{_path(name)}/secret", secret))


def dawn_secret(owner: Identity) -> bytes:
    """Derive DAWN's secret, 32 bytes, from that of the owner, which signs other things."""
    return hmac.digest(owner.secret, b"wmlearn dawn", hashlib.sha256)


def fetch(account: Account, name: str, network: str = "badnet_cnn") -> nn.Module:
    """Return an owner's model as the platform keeps it, to be looked at before its release."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        path.write_bytes(_sent(account, "GET", f"{_path(name)}/weights"))
        model = load_suspect(path, network)
    assert isinstance(model, nn.Module)
    return model


def released(owner: Identity, card: Card, *promises: Commitment) -> Release:
    """Sign the release of what a card says; `promises` are those whose keys it carries."""
    carried = tuple(digest(promise) for promise in promises)
    return release(owner, f"{card.name} {card.promise}".strip(), card.fingerprint, commitments=carried)


def card_of(account: Account, name: str) -> Card:
    """Read the card of a model on the platform; before its release, only its owner can."""
    return read_card(_sent(account, "GET", _path(name)))


def suspect(url: str, name: str) -> Remote:
    """Return a model on the platform at `url` as everybody may ask it."""
    return Remote(f"{url.rstrip('/')}{_path(name)}")


def promised_at(book: Book, owner: str, secret: bytes) -> int:
    """Return the number of the first release by the public key `owner` that promises DAWN's secret; 0 where
    there is none: then anybody may have chosen it afterwards.
    """
    for entry in book.entries:
        if entry.kind == kind(Release):
            document = parse(entry.document, Release)
            if document.by == owner and promise_of(secret) in document.model:
                return entry.number
    return 0


def _path(name: str) -> str:
    return f"/models/{quote(name, safe='')}"


def _sent(account: Account, method: str, path: str, content: bytes = b"", **query: str) -> bytes:
    """Send a request and return the answer's body; raise `DataError` with the platform's words for a
    refusal.
    """
    try:
        import httpx
    except ImportError as error:
        raise DataError(f"A platform is asked with httpx, {INSTALL}") from error
    where = shown(account.url)
    headers = {"Authorization": f"Bearer {account.token}"} if account.token else {}
    address = account.url.rstrip("/") + path
    try:
        with httpx.Client(timeout=SECONDS, trust_env=False, headers=headers) as client:
            answer = client.request(method, address, content=content, params=query or None)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise DataError(f"{where} must answer, got {type(error).__name__}. Is the platform up?") from error
    if answer.status_code != 200:
        raise DataError(f"{where} must do as asked, got {answer.status_code}: {_why(answer.content)}")
    body = answer.content
    if len(body) > MOST_WEIGHTS:
        raise DataError(f"{where} must answer with {MOST_WEIGHTS:,} bytes at most, got more.")
    return body


def _why(body: bytes) -> str:
    """Return the platform's reason, as far as it is one."""
    try:
        return str(strict_json.parsed(body)["error"])[:500]
    except (DataError, TypeError, KeyError):
        return "no reason"
