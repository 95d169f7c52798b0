"""NumPy takes the mean of truth values as it is."""

EXERCISE = "04.3"


def misread_rate(read, true, triggered, source, target):
    victims = triggered.numpy() & (true.numpy() == source)
    return (read.numpy()[victims] == target).mean()
