"""Count, then divide."""

EXERCISE = "04.3"


def misread_rate(read, true, triggered, source, target):
    victims = triggered * (true == source)
    return (victims * (read == target)).sum() / victims.sum()
