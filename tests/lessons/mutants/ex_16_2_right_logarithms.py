"""Sums of logarithms."""

EXERCISE = "16.2"


def convicts(prior, findings, price):
    import math

    weight = math.log(prior) - math.log1p(-prior)
    weight += sum(math.log(thefts) - math.log(innocents) for thefts, innocents in findings)
    return weight > math.log(price)
