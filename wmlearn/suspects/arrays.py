"""Images on their way to a service: the bytes of a NumPy file, read without evaluating anything.

`np.load` parses the head of a file as Python, and makes room for whatever shape it claims. Here the head must
read as `np.save` writes it, and the body must be as long as it says.
"""

from __future__ import annotations

import io
import re
from math import prod

import numpy as np
import torch
from torch import Tensor

MAGIC = b"\x93NUMPY\x01\x00"
LONGEST_HEAD = 512  # bytes; np.save writes 128
HEAD = re.compile(
    rb"\{'descr': '<f4', 'fortran_order': (False|True), "
    rb"'shape': \((\d{1,9}), (\d{1,9}), (\d{1,9}), (\d{1,9})\), \} *\n"
)


def packed(x: Tensor) -> bytes:
    """Write images (N, C, H, W) as the bytes of a NumPy file, float32."""
    body = io.BytesIO()
    np.save(body, x.detach().cpu().numpy().astype("<f4"))
    return body.getvalue()


def unpacked(body: bytes | bytearray) -> Tensor:
    """Read images (N, C, H, W) float32, finite, from the bytes of a NumPy file; raise `ValueError` for
    anything else. The images may share the memory of `body`.
    """
    start = len(MAGIC) + 2 + int.from_bytes(body[len(MAGIC) : len(MAGIC) + 2], "little")
    if body[: len(MAGIC)] != MAGIC or start > LONGEST_HEAD:
        raise ValueError("no such array")
    head = HEAD.fullmatch(body[len(MAGIC) + 2 : start])
    if head is None:
        raise ValueError("no such array")
    shape = tuple(int(number) for number in head.groups()[1:])
    if not all(shape) or len(body) != start + 4 * prod(shape):
        raise ValueError("not as many numbers as its head says")
    numbers = np.frombuffer(body, "<f4", offset=start)
    x = numbers.reshape(shape, order="F" if head[1] == b"True" else "C")
    if not np.isfinite(x).all():
        raise ValueError("numbers that are not finite")
    return torch.from_numpy(np.require(x, np.float32, ["C", "ALIGNED", "WRITEABLE"]))
