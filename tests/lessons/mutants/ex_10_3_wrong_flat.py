"""All at once."""

from hashlib import sha256

EXERCISE = "10.3"
MISTAKE = "flat"


def root(leaves):
    h = sha256(b"\1")
    for leaf in leaves:
        h.update(leaf)
    return h.digest()
