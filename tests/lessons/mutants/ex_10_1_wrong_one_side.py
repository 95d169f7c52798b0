"""The number is never halved."""

from hashlib import sha256

EXERCISE = "10.1"
MISTAKE = "one-side"


def climb(leaf, index, siblings):
    for sibling in siblings:
        leaf = sha256(b"\1" + (sibling + leaf if index % 2 else leaf + sibling)).digest()
    return leaf
