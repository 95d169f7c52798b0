"""A queue, and it is the list of siblings that empties."""

from hashlib import sha256

EXERCISE = "10.1"
MISTAKE = "changes-its-input"


def climb(leaf, index, siblings):
    while siblings:
        sibling = siblings.pop(0)
        leaf = sha256(b"\1" + (sibling + leaf if index % 2 else leaf + sibling)).digest()
        index //= 2
    return leaf
