"""A large p-value convinces."""

EXERCISE = "09.3"
MISTAKE = "turned-round"


def decide(before, after, p_before, p_after):
    if p_before >= 0.001:
        return 0
    if after < 0.9 * before:
        return 1
    return 2 if p_after >= 0.001 else 3
