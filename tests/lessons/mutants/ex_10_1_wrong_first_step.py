"""The return stands in the loop."""

from hashlib import sha256

EXERCISE = "10.1"
MISTAKE = "first-step"


def climb(leaf, index, siblings):
    for sibling in siblings:
        leaf = sha256(b"\1" + (sibling + leaf if index % 2 else leaf + sibling)).digest()
        index //= 2
        return leaf
