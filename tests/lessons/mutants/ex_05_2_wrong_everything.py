"""All channels alike."""

EXERCISE = "05.2"
MISTAKE = "everything"


def strengthen(weight, bias, channels, k):
    return k * weight, k * bias
