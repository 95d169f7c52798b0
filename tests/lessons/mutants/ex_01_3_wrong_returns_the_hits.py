"""Return what was reached, not when."""

from itertools import count

EXERCISE = "01.3"
MISTAKE = "returns-the-hits"


def forge(hits_of, wanted):
    for secret in count(1):
        hits = hits_of(secret)
        if hits >= wanted:
            return hits
