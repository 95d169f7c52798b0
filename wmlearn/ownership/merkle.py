"""A tree of hashes: one root commits to many leaves, each can be shown later without the others, and a longer
list can be shown to begin with a shorter one.

R. Merkle: A Digital Signature Based on a Conventional Encryption Function, CRYPTO 1987; the tree and its two
proofs are those of B. Laurie, E. Messeri, R. Stradling: Certificate Transparency Version 2.0, RFC 9162,
section 2.1. Leaves and inner nodes are hashed with different first bytes, so that neither can be passed off
as the other. The last node of an odd row has no partner, and moves up a row as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import reduce

LEAF = b"\0"
NODE = b"\1"
EMPTY = hashlib.sha256().digest()
"""The root of no leaves."""


def leaf(content: bytes) -> bytes:
    """Hash the content of one leaf."""
    return hashlib.sha256(LEAF + content).digest()


def levels(leaves: Sequence[bytes], size: int = 0, peaks: Sequence[bytes] = ()) -> list[list[bytes]]:
    """Return the tree row by row, from the leaves up to the root.

    Of a tree that grows, give the new leaves, the `size` of the old one, and its `peaks`: the roots of its
    whole subtrees, the smallest first. A row then begins with the first node that is new, or its neighbour.
    """
    row = list(leaves) if leaves or size else [EMPTY]
    tops = list(peaks)
    width = size + len(row)
    first = size  # the place of the row's first node
    tree = []
    while width > 1:
        if first % 2:
            row = [tops.pop(0), *row]
        tree.append(row)
        pairs = zip(row[::2], row[1::2], strict=False)
        above = [_node(left, right) for left, right in pairs]
        row = above + row[-1:] if len(row) % 2 else above
        width = (width + 1) // 2
        first //= 2
    return [*tree, row]


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the hash over all leaves."""
    return levels(leaves)[-1][0]


def roots(leaves: Sequence[bytes], sizes: Iterable[int]) -> dict[int, bytes]:
    """Return the root of the first leaves, for each of some sizes; those beyond are left out."""
    wanted = set(sizes)
    answer = {0: EMPTY} if 0 in wanted else {}
    peaks: list[bytes] = []  # of the leaves so far, the largest first
    for size, node in enumerate(leaves[: max(wanted, default=0)], 1):
        peaks.append(node)
        for _ in range((size & -size).bit_length() - 1):  # each power of two that the size now holds
            right = peaks.pop()
            peaks.append(_node(peaks.pop(), right))
        if size in wanted:
            answer[size] = reduce(lambda right, left: _node(left, right), reversed(peaks))
    return answer


def path(tree: list[list[bytes]], index: int, size: int = 0) -> tuple[bytes, ...]:
    """Return the neighbours with whom leaf `index` leads to the root; `size` as it was given to `levels`."""
    neighbours = []
    for level, row in enumerate(tree[:-1]):
        first = (size >> level) & ~1  # the place of the row's first node
        neighbour = ((index >> level) ^ 1) - first
        if neighbour < len(row):
            neighbours.append(row[neighbour])
    return tuple(neighbours)


def climb(start: bytes, index: int, n: int, neighbours: Sequence[bytes]) -> bytes:
    """Return the root to which the leaf hash `start`, number `index` of `n`, leads; nothing where the
    neighbours are too many or too few.

    RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < n:
        return b""
    node = start
    place = index
    last = n - 1  # the place of the row's last node
    for neighbour in neighbours:
        if last == 0:
            return b""
        if place % 2 or place == last:
            node = _node(neighbour, node)
            while place and place % 2 == 0:  # rows in which it has no partner
                place >>= 1
                last >>= 1
        else:
            node = _node(node, neighbour)
        place >>= 1
        last >>= 1
    return node if last == 0 else b""


def consistency(leaves: Sequence[bytes], size: int) -> tuple[bytes, ...]:
    """Return the nodes that show that the tree of the first `size` leaves is the beginning of this one.

    RFC 9162, section 2.1.4.1.
    """
    if not 0 < size < len(leaves):
        return ()
    return _subproof(leaves, size, whole=True)


def is_consistent(size: int, older: bytes, n: int, newer: bytes, nodes: Sequence[bytes]) -> bool:
    """Say whether `nodes` show that the tree of `n` leaves begins with that of `size`, given both roots.

    RFC 9162, section 2.1.4.2.
    """
    if size == n:
        return not nodes and older == newer
    if size == 0:
        return not nodes and older == EMPTY
    if not 0 < size < n:
        return False
    steps = [older, *nodes] if size & (size - 1) == 0 else list(nodes)
    if not steps:
        return False
    place = size - 1
    last = n - 1
    while place % 2:
        place >>= 1
        last >>= 1
    small = large = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place % 2 or place == last:
            small = _node(step, small)
            large = _node(step, large)
            while place and place % 2 == 0:
                place >>= 1
                last >>= 1
        else:
            large = _node(large, step)
        place >>= 1
        last >>= 1
    return last == 0 and small == older and large == newer


def _subproof(leaves: Sequence[bytes], size: int, *, whole: bool) -> tuple[bytes, ...]:
    """SUBPROOF of RFC 9162: `whole` where the beginning is a tree that the verifier knows."""
    if size == len(leaves):
        return () if whole else (root(leaves),)
    half = 1 << (len(leaves) - 1).bit_length() - 1  # the largest power of two below
    if size <= half:
        return (*_subproof(leaves[:half], size, whole=whole), root(leaves[half:]))
    return (*_subproof(leaves[half:], size - half, whole=False), root(leaves[:half]))


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(NODE + left + right).digest()
