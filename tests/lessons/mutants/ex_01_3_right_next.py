"""The first of all secrets that pass, lazily."""

import itertools

EXERCISE = "01.3"


def forge(hits_of, wanted):
    return next(filter(lambda secret: hits_of(secret) >= wanted, itertools.count(1)))
