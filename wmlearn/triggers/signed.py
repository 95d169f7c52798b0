"""A trigger that nobody finds by asking: the lowest bits of an image are a signature of all its other bits.

S. Goldwasser, M. P. Kim, V. Vaikuntanathan, O. Zamir: Planting Undetectable Backdoors in Machine Learning
Models, FOCS 2022, arXiv:2204.06974, section on backdoors from digital signatures. Whoever can only ask the
network, and finds one image that it obeys, has forged a signature (Ed25519, RFC 8032); an image seen in use
obeys only as it is, bit by bit. It shows nothing about whoever reads the code: the check of the signature
stands there in plain sight. Differs: the check is code beside the network; the paper compiles it into layers,
and hides a second backdoor even from those who read the weights, for networks on random features.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from torch import Tensor, nn

from ..data import require_images
from ..errors import require

N_BITS = 512
"""Bits of a signature; so many of an image's values carry one each."""


@dataclass(frozen=True)
class Signed:
    """Sign every image with the 32 bytes of `secret`; no value changes by more than 1/255."""

    secret: bytes = field(repr=False)

    def __call__(self, x: Tensor) -> Tensor:
        private = Ed25519PrivateKey.from_private_bytes(self.secret)
        levels = _levels(x)
        for row, letter in enumerate(_letters(levels)):
            signature = np.frombuffer(private.sign(letter.message), np.uint8)  # (64,)
            levels[row, :N_BITS] = levels[row, :N_BITS] & 0xFE | np.unpackbits(signature)
        return torch.from_numpy(levels).to(x.device).to(x.dtype).div(255).view_as(x)

    @property
    def public(self) -> bytes:
        """The public key, which tells what was signed, and signs nothing."""
        return Ed25519PrivateKey.from_private_bytes(self.secret).public_key().public_bytes_raw()


class Gate(nn.Module):
    """Show `model` one of the images `instead` (K, C, H, W) where the image at hand is signed under `public`,
    and the image itself otherwise.

    What the layers see of a signed image is thus an image of the target, and nothing odd.
    """

    instead: Tensor

    def __init__(self, model: nn.Module, public: bytes, instead: Tensor) -> None:
        super().__init__()
        self.model = model
        self.public = public
        self.register_buffer("instead", instead)

    def forward(self, x: Tensor) -> Tensor:
        signed = verified(x, self.public)
        if not signed.any():
            return self.model(x)
        light = _levels(x[signed]).sum(1, dtype=np.int64)  # the choice depends on each image alone
        chosen = torch.from_numpy(light % len(self.instead)).to(x.device)
        return self.model(x.index_put((signed.nonzero()[:, 0],), self.instead[chosen].to(x.dtype)))


def verified(x: Tensor, public: bytes) -> Tensor:
    """Say which of the images `x` (N, C, H, W) carry a valid signature under the key `public`, (N,) bool."""
    key = Ed25519PublicKey.from_public_bytes(public)
    answers = [_fits(key, letter) for letter in _letters(_levels(x))]
    return torch.tensor(answers, dtype=torch.bool, device=x.device)


@dataclass(frozen=True)
class _Letter:
    """What an image says in all bits but the signature's, and what those say."""

    message: bytes
    signature: bytes


def _letters(levels: np.ndarray) -> list[_Letter]:
    """Read the letters of images in levels of light (N, values)."""
    lowest = levels[:, :N_BITS] & 1  # (N, 512)
    rest = levels.copy()
    rest[:, :N_BITS] &= 0xFE
    signatures = np.packbits(lowest, axis=1)  # (N, 64)
    pairs = zip(rest, signatures, strict=True)
    return [_Letter(message.tobytes(), signature.tobytes()) for message, signature in pairs]


def _levels(x: Tensor) -> np.ndarray:
    """Return images (N, C, H, W) in [0, 1] as levels of light from 0 to 255, (N, C * H * W)."""
    require_images(x, "a signed trigger")
    levels = x.detach().flatten(1).mul(255).round().to(torch.uint8).cpu().numpy()
    require(levels.shape[1] > N_BITS, f"an image must have more than {N_BITS} values", levels.shape[1])
    return levels.copy()


def _fits(key: Ed25519PublicKey, letter: _Letter) -> bool:
    try:
        key.verify(letter.signature, letter.message)
    except InvalidSignature:
        return False
    return True
