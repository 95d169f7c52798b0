"""Ninety per cent, whatever there was."""

EXERCISE = "09.3"
MISTAKE = "absolute"


def decide(before, after, p_before, p_after):
    if p_before >= 0.001:
        return 0
    if after < 0.9:
        return 1
    return 2 if p_after < 0.001 else 3
