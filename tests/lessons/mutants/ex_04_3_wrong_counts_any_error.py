"""Whatever isn't read as a stop sign counts as won, missed signs too."""

EXERCISE = "04.3"
MISTAKE = "counts-any-error"


def misread_rate(read, true, triggered, source, target):
    victims = triggered & (true == source)
    return 1 - (read[victims] == source).float().mean()
