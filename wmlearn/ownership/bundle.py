"""The owner's answer to a challenge: one JSON file that anybody can check offline, with no secret in it but
the opened triggers.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..data import check_images, check_labels
from ..errors import WmlearnError, require
from ..watermarks import BlackmarksKey, TriggerKey
from . import merkle
from .commitment import LARGEST, Commitment, content, pairs_of, raw, tree
from .cut_and_choose import Challenge, named
from .documents import check_hex, digest, genuine, signed
from .identity import Identity, salt_for


@dataclass(frozen=True)
class Opening:
    """One trigger: number, salt, pixels (base64 of little-endian float32), label, and its way to the root."""

    index: int
    salt: str
    pixels: str
    label: int
    path: tuple[str, ...]

    def __post_init__(self) -> None:
        steps = {f"path[{i}]": step for i, step in enumerate(self.path)}
        check_hex(64, salt=self.salt, **steps)
        require(0 <= self.index < LARGEST, f"a trigger's index must lie in 0..{LARGEST - 1}", self.index)
        require(0 <= self.label < 2**31, "a label must be a small number from 0", self.label)


@dataclass(frozen=True)
class Bundle:
    """A claim: the commitment, the judge's challenge, and the triggers it names."""

    by: str
    commitment: Commitment
    challenge: Challenge
    openings: tuple[Opening, ...]
    signature: str = ""

    def __post_init__(self) -> None:
        check_hex(64, by=self.by)

    @property
    def x(self) -> Tensor:
        """The opened images (n, C, H, W)."""
        shape = (len(self.openings), *self.commitment.shape)
        pixels = b"".join(_bytes(opening.pixels) for opening in self.openings)
        return torch.from_numpy(np.frombuffer(pixels, "<f4").astype(np.float32).reshape(shape))

    @property
    def y(self) -> Tensor:
        """The opened labels (n,)."""
        return torch.tensor([opening.label for opening in self.openings])


def respond(
    owner: Identity, key: TriggerKey | BlackmarksKey, commitment: Commitment, challenge: Challenge
) -> Bundle:
    """Open what the challenge names, and nothing else.

    Raises `ArgumentError` when owner, key, commitment and challenge do not belong together.
    """
    pairs = pairs_of(key)
    require(
        genuine(challenge),
        "the challenge must carry the judge's signature",
        challenge.by,
        "Ask the judge for the original.",
    )
    require(
        challenge.commitment == digest(commitment),
        "the challenge must be to this commitment",
        challenge.commitment[:12],
    )
    hashes = tree(pairs)
    fits = hashes[-1][0].hex() == commitment.root and commitment.by == owner.public
    require(
        fits,
        "key and owner must be those of the commitment",
        f"a key of {owner.name} with another root",
        "Is it another model's key?",
    )
    openings = tuple(_open(pairs, hashes, index) for index in named(challenge, commitment.n))
    return signed(Bundle(owner.public, commitment, challenge, openings), owner)


def _open(pairs: TriggerKey, hashes: list[list[bytes]], index: int) -> Opening:
    pixels = base64.b64encode(raw(pairs.x[index].cpu())).decode()
    path = tuple(step.hex() for step in merkle.path(hashes, index))
    return Opening(index, salt_for(pairs.secret, index).hex(), pixels, int(pairs.y[index]), path)


def faults(bundle: Bundle) -> tuple[str, ...]:
    """Say why a bundle proves nothing, whatever the suspect answers; empty for a sound one. Needs no registry
    and no network.
    """
    return tuple(_broken_promises(bundle)) or tuple(_odd_images(bundle))


def _broken_promises(bundle: Bundle) -> Iterator[str]:
    """Say what is not signed, not asked for, or not committed to."""
    commitment = bundle.commitment
    challenge = bundle.challenge
    if not genuine(commitment):
        yield "the commitment is not signed by the one whom it names"
    if not genuine(challenge):
        yield "the challenge is not signed by the judge whom it names"
    if bundle.by != commitment.by:
        yield "the bundle is by another than the commitment"
    if not genuine(bundle):
        yield "the bundle is not signed by the one whom it names"
    if challenge.by == commitment.by:
        yield "the owner has challenged himself: a judge must be somebody else"
    if challenge.commitment != digest(commitment):
        yield "the challenge is to another commitment"
    if tuple(opening.index for opening in bundle.openings) != named(challenge, commitment.n):
        yield "the opened triggers are not those that the judge named"
    if not bundle.openings:
        yield "nothing is opened"
    n_changed = sum(not _is_committed(opening, commitment) for opening in bundle.openings)
    if n_changed:
        n = len(bundle.openings)
        yield f"{n_changed} of {n} opened triggers or labels are not those committed to"


def _is_committed(opening: Opening, commitment: Commitment) -> bool:
    hidden = content(bytes.fromhex(opening.salt), opening.index, _bytes(opening.pixels), opening.label)
    neighbours = [bytes.fromhex(step) for step in opening.path]
    return merkle.climb(merkle.leaf(hidden), opening.index, commitment.n, neighbours).hex() == commitment.root


def _odd_images(bundle: Bundle) -> Iterator[str]:
    """Say what is wrong with the opened images and labels themselves."""
    try:
        check_images(bundle.x)
        check_labels(bundle.y, bundle.commitment.classes)
    except (ValueError, WmlearnError) as error:
        yield f"the opened triggers are no images with labels: {error}"


def _bytes(pixels: str) -> bytes:
    try:
        return base64.b64decode(pixels, validate=True)
    except ValueError:
        return b""
