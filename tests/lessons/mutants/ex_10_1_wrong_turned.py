"""Left and right exchanged."""

from hashlib import sha256

EXERCISE = "10.1"
MISTAKE = "turned"


def climb(leaf, index, siblings):
    for sibling in siblings:
        leaf = sha256(b"\1" + (leaf + sibling if index % 2 else sibling + leaf)).digest()
        index //= 2
    return leaf
