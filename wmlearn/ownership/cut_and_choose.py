"""The judge names which triggers are opened: cut and choose, by two nonces, neither of which suffices.

Adi and others 2018, section 3, public verification. Were the owner to choose, they would show the triggers
that happen to match. So would a judge in league with a party, who could draw nonces until one suits. Hence
the order in which triggers are opened follows from the judge's nonce *and* from the nonce that the keeper of
the book draws when the challenge is registered: a challenge that is not in the book opens nothing, and each
one that is there is counted. Triggers that this judge had opened before are public, and not asked again;
which these are, everybody recomputes from the book.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from ..errors import require
from ..evidence import Suspect
from ..suspects import OnnxModel
from ..watermarks.secret import order
from .commitment import LARGEST, Commitment
from .documents import check_hex, digest, genuine, kind, moment, now, parse, signed
from .identity import Identity

if TYPE_CHECKING:
    from .registry import Book, Entry

LEVEL = 1e-6
"""By default one innocent in a million is claimed: of 30 labels of ten classes that takes 14 hits, not 10."""
DECOYS = 9
MOST_QUERIES = 1_000_000


@dataclass(frozen=True)
class Challenge:
    """The judge's order to open `count` triggers of one `commitment` (its digest), and to ask `suspects` for
    their labels.

    `spent` are the triggers that earlier challenges of this judge opened. A claim must be as unlikely as
    `level`, after all tries. A suspect is asked `queries` pictures at most: the opened triggers, and the
    judge's decoys.
    """

    by: str
    commitment: str
    suspects: tuple[str, ...]
    nonce: str
    count: int
    spent: tuple[int, ...]
    level: float
    queries: int
    made: str
    signature: str = ""

    def __post_init__(self) -> None:
        check_hex(64, by=self.by, commitment=self.commitment, nonce=self.nonce)
        require(len(self.suspects) > 0, "a challenge must name at least one suspect", 0)
        require(1 <= self.count <= LARGEST, f"a challenge must open 1..{LARGEST:,} triggers", self.count)
        require(0 < self.level < 1, "level must lie in (0, 1)", self.level)
        fits = 2 * self.count <= self.queries <= MOST_QUERIES
        rule = f"queries must allow {self.count} triggers and as many decoys, and not exceed {MOST_QUERIES:,}"
        require(fits, rule, self.queries)
        moment(self.made)

    @property
    def decoys(self) -> int:
        """How many keys of as many triggers the judge may draw himself."""
        return self.queries // self.count - 1


def challenge(
    judge: Identity,
    commitment: Commitment,
    suspects: Mapping[str, Suspect],
    *,
    book: Book,
    count: int = 30,
    level: float = LEVEL,
    queries: int | None = None,
    made: str | None = None,
) -> Challenge:
    """Draw a nonce for a claim about the named `suspects`; register the challenge, or it opens nothing.

    Raises `ArgumentError` for a commitment whose signature is wrong, or when fewer than `count` triggers are
    still secret.
    """
    fix = "Ask the owner for the original."
    require(genuine(commitment), "the commitment must carry its owner's signature", commitment.by, fix)
    promise = digest(commitment)
    spent = opened_before(book, judge.public, commitment)
    n_secret = commitment.n - len(spent)
    rule = f"count must be at most {n_secret}, the triggers that are still secret"
    require(count <= n_secret, rule, count, "Open fewer.")
    names = tuple(identify(name, suspect) for name, suspect in suspects.items())
    document = Challenge(
        by=judge.public,
        commitment=promise,
        suspects=names,
        nonce=secrets.token_hex(32),
        count=count,
        spent=spent,
        level=level,
        queries=queries or (1 + DECOYS) * count,
        made=made or now(),
    )
    return signed(document, judge)


def opened_before(
    book: Book, judge: str, commitment: Commitment, before: int | None = None
) -> tuple[int, ...]:
    """Return the triggers that registered challenges of `judge` have opened, up to the entry `before`.

    Challenges of others don't count: anybody could register some, and burn a key.
    """
    indices: set[int] = set()
    for entry in book.entries[: None if before is None else before - 1]:
        if entry.kind == kind(Challenge):
            earlier = parse(entry.document, Challenge)
            if earlier.by == judge and earlier.commitment == digest(commitment):
                indices.update(named(earlier, entry, commitment.n))
    return tuple(sorted(indices))


def named(challenge: Challenge, entry: Entry, n: int) -> tuple[int, ...]:
    """Return the triggers, of `n`, that a challenge opens: the first in an order by the judge's nonce and
    that of its `entry` in the book.
    """
    spent = set(challenge.spent)
    secret = [index for index in range(n) if index not in spent]
    both = bytes.fromhex(challenge.nonce) + bytes.fromhex(entry.nonce)
    ranked = order(both, f"open {challenge.commitment}", len(secret)).tolist()
    return tuple(sorted(secret[i] for i in ranked[: challenge.count]))


def identify(name: str, suspect: Suspect) -> str:
    """Return a suspect's name in documents: for a model also the hash of its weights, or of its ONNX file; a
    service can only be named.
    """
    if isinstance(suspect, OnnxModel):
        return f"{name} sha256:{suspect.sha256}"
    return f"{name} sha256:{fingerprint(suspect)}" if isinstance(suspect, nn.Module) else name


def fingerprint(model: nn.Module) -> str:
    """Hash every weight and buffer with its name, type and shape: 64 hexadecimal digits."""
    total = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        total.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        total.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()
