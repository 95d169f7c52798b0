"""One step a sibling."""

from hashlib import sha256

EXERCISE = "10.1"


def climb(leaf, index, siblings):
    node = leaf
    for sibling in siblings:
        node = sha256(b"\1" + (sibling + node if index & 1 else node + sibling)).digest()
        index >>= 1
    return node
