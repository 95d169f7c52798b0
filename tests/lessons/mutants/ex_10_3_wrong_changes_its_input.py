"""A queue, and it is the list of leaves that empties."""

from hashlib import sha256

EXERCISE = "10.3"
MISTAKE = "changes-its-input"


def root(leaves):
    while len(leaves) > 1:
        left, right = leaves.pop(0), leaves.pop(0)
        leaves.append(sha256(b"\1" + left + right).digest())
    return leaves[0]
