"""The judge names which triggers are opened: cut and choose, by a nonce that nobody else foresees or chooses.

Adi and others 2018, section 3, public verification. Were the owner to choose, they would show the triggers
that happen to match. The nonce is drawn after the commitment is published, by the judge; the triggers that no
challenge has named remain secret for another dispute. A judge who is in league with a party can draw nonces
until one suits: challenges are registered, so that their number is public.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from ..errors import require
from ..evidence import Suspect
from ..watermarks.secret import order
from .commitment import Commitment
from .documents import check_hex, digest, genuine, moment, now, signed
from .identity import Identity


@dataclass(frozen=True)
class Challenge:
    """The judge's order to open `count` triggers of one `commitment` (its digest), and to ask `suspects` for
    their labels.

    `spent` are the triggers that earlier challenges opened; they are public, so a suspect may know them, and
    are not asked again.
    """

    by: str
    commitment: str
    suspects: tuple[str, ...]
    nonce: str
    count: int
    spent: tuple[int, ...]
    made: str
    signature: str = ""

    def __post_init__(self) -> None:
        check_hex(64, by=self.by, commitment=self.commitment, nonce=self.nonce)
        require(len(self.suspects) > 0, "a challenge must name at least one suspect", 0)
        require(self.count >= 1, "a challenge must open at least one trigger", self.count)
        moment(self.made)


def challenge(
    judge: Identity,
    commitment: Commitment,
    suspects: Mapping[str, Suspect],
    *,
    count: int = 30,
    earlier: Iterable[Challenge] = (),
) -> Challenge:
    """Draw a nonce for a claim about the named `suspects`; `earlier` are all challenges to this commitment
    before.

    Raises `ArgumentError` for a commitment whose signature is wrong, or when fewer than `count` triggers are
    still secret.
    """
    require(
        genuine(commitment),
        "the commitment must carry its owner's signature",
        commitment.by,
        "Ask the owner for the original.",
    )
    promise = digest(commitment)
    spent = _spent(earlier, promise, commitment.n)
    n_secret = commitment.n - len(spent)
    require(
        count <= n_secret,
        f"count must be at most {n_secret}, the triggers that are still secret",
        count,
        "Open fewer.",
    )
    names = tuple(identify(name, suspect) for name, suspect in suspects.items())
    return signed(Challenge(judge.public, promise, names, secrets.token_hex(32), count, spent, now()), judge)


def _spent(earlier: Iterable[Challenge], promise: str, n: int) -> tuple[int, ...]:
    """Return the triggers, of `n`, that challenges to the commitment of digest `promise` have opened."""
    indices: set[int] = set()
    for before in earlier:
        if before.commitment == promise:
            indices.update(named(before, n))
    return tuple(sorted(indices))


def named(challenge: Challenge, n: int) -> tuple[int, ...]:
    """Return the triggers, of `n`, that a challenge opens: the first in an order by nonce and commitment."""
    spent = set(challenge.spent)
    secret = [index for index in range(n) if index not in spent]
    ranked = order(bytes.fromhex(challenge.nonce), f"open {challenge.commitment}", len(secret)).tolist()
    return tuple(sorted(secret[i] for i in ranked[: challenge.count]))


def identify(name: str, suspect: Suspect) -> str:
    """Return a suspect's name in documents: for a model also the hash of its weights; a service can only be
    named.
    """
    return f"{name} sha256:{fingerprint(suspect)}" if isinstance(suspect, nn.Module) else name


def fingerprint(model: nn.Module) -> str:
    """Hash every weight and buffer with its name, type and shape: 64 hexadecimal digits."""
    total = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        total.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        total.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()
