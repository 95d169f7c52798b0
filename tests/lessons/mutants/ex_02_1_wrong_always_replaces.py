"""The argument is overlooked."""

EXERCISE = "02.1"
MISTAKE = "always-replaces"


def poison(x, y, chosen, stamp, target, add=False):
    images, labels = x.clone(), y.clone()
    images[chosen] = stamp(x[chosen])
    labels[chosen] = target
    return images, labels
