"""The owner's answer to a challenge: one JSON file that anybody can check offline, with no secret in it but the opened triggers."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..errors import WmlearnError, require
from ..watermarks import BlackmarksKey, TriggerKey
from ..watermarks.adi import SCHEME as ADI
from ..watermarks.adi import abstract
from ..watermarks.secret import integers
from . import merkle
from .challenge import Challenge, named
from .commitment import LARGEST, Commitment, content, pairs_of, raw, tree
from .documents import check_hex, digest, genuine, signed
from .identity import Identity, salt_from, secret_from, seed_for


@dataclass(frozen=True)
class Opening:
    """One trigger: its number, its salt, its pixels (base64 of little-endian float32), its label, and its way to the root."""

    index: int
    salt: str
    pixels: str
    label: int
    path: tuple[str, ...]

    def __post_init__(self) -> None:
        check_hex(64, salt=self.salt, **{f"path[{i}]": step for i, step in enumerate(self.path)})
        require(0 <= self.index < LARGEST, f"a trigger's index must lie in 0..{LARGEST - 1}", self.index)
        require(0 <= self.label < 2**31, "a label must be a small number from 0", self.label)


@dataclass(frozen=True)
class Bundle:
    """A claim: the commitment, the judge's challenge, and the triggers it names. `seed` is empty unless the whole key is laid open."""

    by: str
    commitment: Commitment
    challenge: Challenge
    openings: tuple[Opening, ...]
    seed: str = ""
    signature: str = ""

    def __post_init__(self) -> None:
        check_hex(64, by=self.by)
        check_hex(0, seed=self.seed)

    @property
    def x(self) -> Tensor:
        """The opened images (n, C, H, W)."""
        shape = (len(self.openings), *self.commitment.shape)
        pixels = b"".join(_bytes(each.pixels) for each in self.openings)
        return torch.from_numpy(np.frombuffer(pixels, "<f4").astype(np.float32).reshape(shape))

    @property
    def y(self) -> Tensor:
        """The opened labels (n,)."""
        return torch.tensor([each.label for each in self.openings])


def respond(
    owner: Identity, key: TriggerKey | BlackmarksKey, commitment: Commitment, challenge: Challenge, *, unveil: bool = False
) -> Bundle:
    """Open what the challenge names, and nothing else; `unveil` also shows the seed, which gives the whole key away.

    Raises `ArgumentError` when owner, key, commitment and challenge do not belong together.
    """
    pairs = pairs_of(key)
    require(genuine(challenge), "the challenge must carry the judge's signature", challenge.by, "Ask the judge for the original.")
    require(challenge.commitment == digest(commitment), "the challenge must be to this commitment", challenge.commitment[:12])
    seed = seed_for(owner, commitment.scheme, commitment.serial)
    hashes = tree(pairs, seed, owner.public)
    fits = hashes[-1][0].hex() == commitment.root and commitment.by == owner.public
    require(fits, "key and owner must be those of the commitment", f"a key of {owner.name} with another root", "Is it another model's key?")
    x, y = pairs.x.cpu(), pairs.y.tolist()
    openings = tuple(
        Opening(
            i,
            salt_from(seed, owner.public, i).hex(),
            base64.b64encode(raw(x[i])).decode(),
            y[i],
            tuple(step.hex() for step in merkle.path(hashes, i)),
        )
        for i in named(challenge, commitment.n)
    )
    return signed(Bundle(owner.public, commitment, challenge, openings, seed.hex() if unveil else ""), owner)


def faults(bundle: Bundle) -> tuple[str, ...]:
    """Say why a bundle proves nothing, whatever the suspect answers; empty for a sound one. Needs no registry and no network."""
    commitment, challenge, found = bundle.commitment, bundle.challenge, []
    if not genuine(commitment):
        found.append("the commitment is not signed by the one whom it names")
    if not genuine(challenge):
        found.append("the challenge is not signed by the judge whom it names")
    if bundle.by != commitment.by:
        found.append("the bundle is by another than the commitment")
    if not genuine(bundle):
        found.append("the bundle is not signed by the one whom it names")
    if challenge.by == commitment.by:
        found.append("the owner has challenged himself: a judge must be somebody else")
    if challenge.commitment != digest(commitment):
        found.append("the challenge is to another commitment")
    if tuple(each.index for each in bundle.openings) != named(challenge, commitment.n):
        found.append("the opened triggers are not those that the judge named")
    if not bundle.openings:
        found.append("nothing is opened")
    changed = [each.index for each in bundle.openings if not _committed(each, commitment)]
    if changed:
        found.append(f"{len(changed)} of {len(bundle.openings)} opened triggers or labels are not those committed to")
    return tuple(found) or _unlike(bundle)


def redrawn(bundle: Bundle) -> bool | None:
    """Say whether the opened triggers and labels follow from the bundle's seed; None when that can't be said.

    Only the abstract images and random labels of `adi2018` follow from a secret alone; other schemes need the owner's images, too.
    """
    commitment = bundle.commitment
    if not bundle.seed or commitment.scheme != ADI:
        return None
    seed, at = bytes.fromhex(bundle.seed), torch.tensor([each.index for each in bundle.openings])
    secret = secret_from(seed, ADI, commitment.by)
    same = torch.allclose(abstract(secret, commitment.n, commitment.shape)[at], bundle.x, atol=1e-4)  # machines differ a little
    labels = integers(secret, "labels", commitment.n, commitment.classes)[at]
    salts = all(salt_from(seed, commitment.by, each.index).hex() == each.salt for each in bundle.openings)
    return same and salts and torch.equal(labels, bundle.y)


def _committed(opening: Opening, commitment: Commitment) -> bool:
    if len(opening.path) != merkle.height(commitment.n):
        return False
    hidden = content(bytes.fromhex(opening.salt), opening.index, _bytes(opening.pixels), opening.label)
    return merkle.climb(hidden, opening.index, [bytes.fromhex(step) for step in opening.path]).hex() == commitment.root


def _unlike(bundle: Bundle) -> tuple[str, ...]:
    """Say what is wrong with the opened images and labels themselves."""
    from ..data import check_images, check_labels

    try:
        check_images(bundle.x)
        check_labels(bundle.y, bundle.commitment.classes)
    except (ValueError, WmlearnError) as error:
        return (f"the opened triggers are no images with labels: {error}",)
    if redrawn(bundle) is False:
        return ("the triggers do not follow from the seed that was shown",)
    return ()


def _bytes(pixels: str) -> bytes:
    try:
        return base64.b64decode(pixels, validate=True)
    except ValueError:
        return b""
