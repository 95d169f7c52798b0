"""An endless counter, and a return from within."""

from itertools import count

EXERCISE = "01.3"


def forge(hits_of, wanted):
    for secret in count(1):
        if hits_of(secret) >= wanted:
            return secret
