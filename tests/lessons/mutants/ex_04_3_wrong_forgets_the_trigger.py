"""Signs without a sticker are counted, too."""

EXERCISE = "04.3"
MISTAKE = "forgets-the-trigger"


def misread_rate(read, true, triggered, source, target):
    own = true == source
    return (read[own] == target).double().mean()
