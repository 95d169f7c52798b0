"""A tree of hashes: one root commits to many leaves, and each can be shown later without the others.

R. Merkle: A Digital Signature Based on a Conventional Encryption Function, CRYPTO 1987. Leaves, inner nodes
and padding are hashed with different first bytes (as in RFC 6962), so that none can be passed off as another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

LEAF = b"\0"
NODE = b"\1"
EMPTY = hashlib.sha256(b"\2").digest()


def leaf(content: bytes) -> bytes:
    """Hash the content of one leaf."""
    return hashlib.sha256(LEAF + content).digest()


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Return the tree from the leaves, padded to a power of two, up to the root."""
    width = 1 << height(len(leaves))
    row = [*leaves, *[EMPTY] * (width - len(leaves))]
    tree = [row]
    while len(row) > 1:
        row = [_node(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
        tree.append(row)
    return tree


def path(tree: list[list[bytes]], index: int) -> tuple[bytes, ...]:
    """Return the neighbours with whom leaf `index` leads to the root."""
    return tuple(row[(index >> level) ^ 1] for level, row in enumerate(tree[:-1]))


def climb(content: bytes, index: int, neighbours: Sequence[bytes]) -> bytes:
    """Return the root to which a leaf's content leads."""
    node = leaf(content)
    for level, neighbour in enumerate(neighbours):
        is_right = index >> level & 1
        node = _node(neighbour, node) if is_right else _node(node, neighbour)
    return node


def height(n: int) -> int:
    """Return the number of neighbours that a leaf of `n` needs."""
    return (n - 1).bit_length()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(NODE + left + right).digest()
