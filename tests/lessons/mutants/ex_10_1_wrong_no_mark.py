"""Pairs without the byte before them."""

from hashlib import sha256

EXERCISE = "10.1"
MISTAKE = "no-mark"


def climb(leaf, index, siblings):
    for sibling in siblings:
        leaf = sha256(sibling + leaf if index % 2 else leaf + sibling).digest()
        index //= 2
    return leaf
