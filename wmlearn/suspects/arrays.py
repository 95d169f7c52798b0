"""Inputs on their way to a service: the bytes of a NumPy file, read without evaluating anything.

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
    rb"\{'descr': '(<f4|<i8)', 'fortran_order': (False|True), "
    rb"'shape': \((\d{1,9}), (\d{1,9})(?:, (\d{1,9}), (\d{1,9}))?\), \} *\n"
)


def packed(x: Tensor) -> bytes:
    """Write inputs as the bytes of a NumPy file: texts as int64, all else as float32."""
    body = io.BytesIO()
    numbers = "<f4" if x.is_floating_point() else "<i8"
    np.save(body, x.detach().cpu().numpy().astype(numbers))
    return body.getvalue()


def unpacked(body: bytes | bytearray) -> Tensor:
    """Read images (N, C, H, W) or rows (N, F), float32 and finite, or texts (N, L), int64, from the bytes of
    a NumPy file; raise `ValueError` for anything else. They may share the memory of `body`.
    """
    start = len(MAGIC) + 2 + int.from_bytes(body[len(MAGIC) : len(MAGIC) + 2], "little")
    if body[: len(MAGIC)] != MAGIC or start > LONGEST_HEAD:
        raise ValueError("no such array")
    head = HEAD.fullmatch(body[len(MAGIC) + 2 : start])
    if head is None:
        raise ValueError("no such array")
    shape = tuple(int(number) for number in head.groups()[2:] if number is not None)
    kind = np.dtype(head[1].decode())
    if kind.kind == "i" and len(shape) != 2:
        raise ValueError("whole numbers that are no texts (N, L)")
    if not all(shape) or len(body) != start + kind.itemsize * prod(shape):
        raise ValueError("not as many numbers as its head says")
    numbers = np.frombuffer(body, kind, offset=start)
    x = numbers.reshape(shape, order="F" if head[2] == b"True" else "C")
    if not np.isfinite(x).all():
        raise ValueError("numbers that are not finite")
    return torch.from_numpy(np.require(x, kind.newbyteorder("="), ["C", "ALIGNED", "WRITEABLE"]))
