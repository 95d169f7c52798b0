"""No brackets: & binds more tightly than ==."""

EXERCISE = "04.3"
MISTAKE = "precedence"


def misread_rate(read, true, triggered, source, target):
    victims = triggered & true == source
    return (read[victims] == target).sum() / victims.sum()
