"""Logarithms of shares, added up as they are."""

EXERCISE = "06.3"
MISTAKE = "forgets-the-minus"


def entropy(p):
    return (p * p.clamp(min=1e-30).log2()).sum(2).mean(1)
