"""Seeds that follow from a role: two networks of other roles never start alike, whatever number their owners
like best.

A small number is a bad seed for a network that may end in court. Whoever keeps a default, or counts 0, 1, 2,
shares first weights with all who do the same, and an independence test takes them for relatives. Two
initialisers that read one stream of random numbers share it, too: under one seed the first filters of
PyTorch's uniform draw and of `reborn` come out opposed.
"""

from __future__ import annotations

import hashlib

import torch
from torch import nn

from ..errors import require


def seed_of(*role: str | int | nn.Module) -> int:
    """Return the seed, 0 … 2^63 - 1, that follows from a role; a network stands for its weights.

    Raises `ArgumentError` for an empty role.

    >>> wm.models.seed_of("Ana's first network") == wm.models.seed_of("Ana's second network")
    False
    """
    fix = 'Say who the network is: seed_of("student", teacher, 0).'
    require(len(role) > 0, "role must name something", role, fix)
    digest = hashlib.sha256()
    for part in role:
        content = _content(part) if isinstance(part, nn.Module) else f"{type(part).__name__} {part}".encode()
        digest.update(len(content).to_bytes(8, "big") + content)
    return int.from_bytes(digest.digest()[:8], "big") >> 1


def _content(network: nn.Module) -> bytes:
    """Hash every weight and buffer with its name."""
    total = hashlib.sha256()
    for name, value in network.state_dict().items():
        total.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        total.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return total.digest()
