"""The siblings from the top."""

from hashlib import sha256

EXERCISE = "10.1"
MISTAKE = "from-above"


def climb(leaf, index, siblings):
    for sibling in reversed(siblings):
        leaf = sha256(b"\1" + (sibling + leaf if index % 2 else leaf + sibling)).digest()
        index //= 2
    return leaf
