"""Forgets the byte that tells a node from a leaf."""

from hashlib import sha256

EXERCISE = "10.3"
MISTAKE = "no-mark"


def root(leaves):
    row = leaves
    while len(row) > 1:
        row = [sha256(row[i] + row[i + 1]).digest() for i in range(0, len(row), 2)]
    return row[0]
