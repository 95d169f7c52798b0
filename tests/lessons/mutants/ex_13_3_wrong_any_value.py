"""Evenly over the range."""

EXERCISE = "13.3"
MISTAKE = "any-value"


def plausible(x, picks):
    low, high = x.min(0).values, x.max(0).values
    return low + (high - low) * picks.float() / (len(x) - 1)
